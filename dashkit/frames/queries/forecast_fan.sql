-- When tasks were first finished: what forecast counts as finished, without the rest.
-- Columns: occurred_at (UTC). Parameters: none.
WITH told AS (
    SELECT
        i.task_id, i.life, i.started_at,
        i.checked AND NOT coalesce(lag(i.checked) OVER so_far, false) AND i.op <> 'baseline' AS is_finish
    FROM history.intervals AS i SEMI JOIN flow AS w ON w.task_id = i.task_id AND w.life = i.life
    WINDOW so_far AS (PARTITION BY i.task_id, i.life ORDER BY i.started_at)
)
SELECT min(started_at) AS occurred_at FROM told WHERE is_finish GROUP BY task_id, life ORDER BY occurred_at
