-- How long each finished task took from its arrival on.
-- Columns: task_id, project_id, project, title, complexity, arrived_at, finished_at (UTC), lead_time_days (days),
-- is_measurable, is_estimated. Parameters: none.
SELECT
    task_id, project_id, project, title, complexity, arrived_at, finished_at, lead_time_days,
    lead_time_days IS NOT NULL AS is_measurable, lead_time_is_estimated AS is_estimated
FROM finished
ORDER BY finished_at, task_id, life
