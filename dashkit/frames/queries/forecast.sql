-- When tasks came to be open, and when they left that without a first finish: so that what had arrived less what had
-- been finished (forecast_fan.sql) or had left is what was open, at each instant.
-- What was found done is in neither: nobody knows when.
-- Columns: kind (arrived, left), occurred_at (UTC). Parameters: none.
WITH steps AS (
    SELECT
        i.started_at, i.ended_at, i.is_open, coalesce(lag(i.is_open) OVER so_far, false) AS was_open,
        coalesce(i.started_at = w.first_finished_at, false) AS is_finish, lead(i.started_at) OVER so_far IS NULL AS is_last
    FROM history.intervals AS i JOIN flow AS w ON w.task_id = i.task_id AND w.life = i.life
    WINDOW so_far AS (PARTITION BY i.task_id, i.life ORDER BY i.started_at)
)
SELECT 'arrived' AS kind, started_at AS occurred_at FROM steps WHERE (is_open OR is_finish) AND NOT was_open
UNION ALL
SELECT 'left', started_at FROM steps WHERE was_open AND NOT is_open AND NOT is_finish
UNION ALL
SELECT 'left', ended_at FROM steps WHERE is_last AND is_open AND ended_at IS NOT NULL
ORDER BY ALL
