-- What blocked tasks, by reason or by the task that is waited for, the longest in all first.
-- Columns: cause, reason, depends_on_id, stretches, tasks, blocked (tasks), days (days), share (0..1), estimated
-- (tasks). Parameters: none.
WITH told AS (
    SELECT *, epoch_us(coalesce(ended_at, getvariable('as_of'))) - epoch_us(started_at) AS lasted FROM blockers
)
SELECT
    cause, reason, depends_on_id, count(*) AS stretches, count(DISTINCT (task_id, life)) AS tasks,
    count(*) FILTER (ended_at IS NULL) AS blocked, sum(lasted) / 86400000000.0::DOUBLE AS days,
    sum(lasted) / nullif(sum(sum(lasted)) OVER (PARTITION BY cause), 0)::DOUBLE AS share,
    count(DISTINCT (task_id, life)) FILTER (is_estimated) AS estimated
FROM told
GROUP BY cause, reason, depends_on_id, depends_on_life
ORDER BY cause, days DESC, reason NULLS LAST, depends_on_id, depends_on_life
