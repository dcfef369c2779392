-- When tasks were first finished, when they came to be open, and when they left that without a first finish: so that
-- what had arrived less what had been finished or had left is what was open, at each instant.
-- What was found done is in none of them: nobody knows when.
-- Columns: kind (finished, arrived, left), occurred_at (UTC). Parameters: none.
WITH told AS (
    SELECT
        i.task_id, i.life, i.started_at, i.ended_at, i.is_open, i.checked,
        coalesce(lag(i.is_open) OVER so_far, false) AS was_open,
        i.checked AND NOT coalesce(lag(i.checked) OVER so_far, false) AND i.op <> 'baseline' AS is_finish,
        lead(i.started_at) OVER so_far IS NULL AS is_last
    FROM history.intervals AS i SEMI JOIN flow AS w ON w.task_id = i.task_id AND w.life = i.life
    WINDOW so_far AS (PARTITION BY i.task_id, i.life ORDER BY i.started_at)
), steps AS (
    SELECT
        *, is_finish AND started_at = min(started_at) FILTER (is_finish) OVER (PARTITION BY task_id, life) AS is_first
    FROM told
)
SELECT 'finished' AS kind, started_at AS occurred_at FROM steps WHERE is_first
UNION ALL
SELECT 'arrived', started_at FROM steps WHERE is_open AND NOT was_open OR is_first AND NOT was_open
UNION ALL
SELECT 'left', started_at FROM steps WHERE was_open AND NOT is_open AND NOT is_first
UNION ALL
SELECT 'left', ended_at FROM steps WHERE is_last AND is_open AND ended_at IS NOT NULL
ORDER BY ALL
