-- Tasks that are blocked now, the longest blocked first.
-- An updated_at that is still a copy of created_at bounds the block from above (nothing was said since); any other
-- may be a later change of something else, and bounds nothing.
-- Columns: task_id, project_id, project, title, blocked_reason, blocked_days (days), basis. Parameters: none.
SELECT
    id AS task_id,
    project_id,
    project,
    title,
    blocked_reason,
    CASE WHEN untouched THEN age_days(updated_at) END AS blocked_days,
    CASE WHEN untouched AND updated_at IS NOT NULL THEN 'updated_at' END AS basis
FROM tasks
WHERE blocked
ORDER BY blocked_days DESC NULLS LAST, task_id
