-- How old the work in progress is, beside how long finished work took (nearest rank: that share took as long or less).
-- Columns: task_id, project_id, project, title, status, blocked, started_at (UTC), age_days, p50_days, p85_days,
-- p95_days (days), is_estimated. Parameters: $fewest (tasks: below that many cycle times there are no percentiles).
WITH took AS (
    SELECT quantile_disc(cycle_time_days, [0.5, 0.85, 0.95]) AS days
    FROM finished HAVING count(cycle_time_days) >= $fewest
)
SELECT
    t.id AS task_id, t.project_id, t.project, t.title, t.status, t.blocked, w.started_at,
    age_days(w.started_at) AS age_days, k.days[1] AS p50_days, k.days[2] AS p85_days, k.days[3] AS p95_days,
    w.started_is_estimated AS is_estimated
FROM tasks AS t
JOIN history.flow AS w ON w.task_id = t.id AND w.life = t.life
LEFT JOIN took AS k ON true
WHERE t.is_open AND w.started_at IS NOT NULL
ORDER BY age_days DESC, task_id
