-- What happened lately: completed tasks, commits and sessions in one stream, the newest first.
-- Commits that no branch or tag leads to any more are left out.
-- Columns: occurred_at (UTC), type, name, title, project_id, project. Parameters: $limit (rows).
SELECT occurred_at, type, name, title, project_id, project
FROM (
    SELECT
        completed_at AS occurred_at, 'task_completed' AS type, coalesce(external_id, CAST(id AS VARCHAR)) AS name, title,
        project_id, project, CAST(id AS VARCHAR) AS id
    FROM tasks
    WHERE checked AND completed_at IS NOT NULL
    UNION ALL
    SELECT committed_at, 'commit', sha, coalesce(title, sha), project_id, project, sha
    FROM commits
    WHERE reachable
    UNION ALL
    SELECT started_at, 'session', id, coalesce(title, id), project_id, project, id
    FROM sessions
)
ORDER BY occurred_at DESC NULLS LAST, type, title, id
LIMIT CAST($limit AS BIGINT)
