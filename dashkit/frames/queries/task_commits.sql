-- Which tasks had commits: one row per task that a commit is linked with, the latest work first.
-- Columns: task_id, project_id, project, title, checked, commits, lines (lines), first_commit_at, last_commit_at (UTC),
-- confidence (0..1). Parameters: $min_confidence (0..1; a confidence that is not known counts as 0).
SELECT
    t.id AS task_id, t.project_id, t.project, t.title, t.checked, count(*) AS commits,
    CAST(sum(coalesce(c.insertions, 0) + coalesce(c.deletions, 0)) AS BIGINT) AS lines,
    min(c.committed_at) AS first_commit_at, max(c.committed_at) AS last_commit_at, max(l.confidence) AS confidence
FROM links AS l
JOIN tasks AS t ON t.id = l.task_id
JOIN commits AS c ON c.sha = l.target
WHERE l.kind = 'commit' AND coalesce(l.confidence, 0.0) >= CAST($min_confidence AS DOUBLE)
GROUP BY ALL
ORDER BY last_commit_at DESC NULLS LAST, task_id
