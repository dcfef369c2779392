-- When tasks were first finished, when they arrived, and when they left without being finished, as far as anybody saw.
-- What was found done is in none of them: nobody knows when.
-- Columns: kind (finished, arrived, left), occurred_at (UTC). Parameters: none.
WITH checks AS (
    SELECT *, coalesce(lag(checked) OVER (PARTITION BY task_id, life ORDER BY started_at), false) AS was_checked
    FROM intervals
), finishes AS (
    SELECT task_id, life, min(started_at) AS occurred_at
    FROM checks WHERE checked AND NOT was_checked AND op <> 'baseline'
    GROUP BY task_id, life
)
SELECT 'finished' AS kind, occurred_at FROM finishes
UNION ALL
SELECT 'arrived', w.arrived_at
FROM flow AS w LEFT JOIN finishes AS f ON f.task_id = w.task_id AND f.life = w.life
WHERE f.task_id IS NOT NULL OR NOT w.is_done
UNION ALL
SELECT 'left', w.left_at
FROM flow AS w ANTI JOIN finishes AS f ON f.task_id = w.task_id AND f.life = w.life
WHERE w.left_at IS NOT NULL
ORDER BY ALL
