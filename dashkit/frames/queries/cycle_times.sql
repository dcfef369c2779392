-- How long each finished task was in work.
-- Columns: task_id, project_id, project, title, complexity, started_at, finished_at (UTC), cycle_time_days (days),
-- is_measurable, is_estimated. Parameters: none.
SELECT
    task_id, project_id, project, title, complexity, started_at, finished_at, cycle_time_days,
    cycle_time_days IS NOT NULL AS is_measurable, cycle_time_is_estimated AS is_estimated
FROM finished
ORDER BY finished_at, task_id, life
