-- Which tasks had commits: one row per task that a commit is linked with, the latest work first.
-- Commits that no branch or tag leads to any more are left out; lines are not known where those of one commit are not.
-- Columns: task_id, external_id, project_id, project, title, checked, commits, lines (lines), first_commit_at,
-- last_commit_at (UTC), confidence (0..1). Parameters: $min_confidence (0..1; a confidence that is not known counts as 0).
SELECT
    t.id AS task_id, t.external_id, t.project_id, t.project, t.title, t.checked, count(*) AS commits,
    CASE WHEN bool_and(c.insertions + c.deletions IS NOT NULL)
         THEN CAST(sum(c.insertions + c.deletions) AS BIGINT) END AS lines,
    min(c.committed_at) AS first_commit_at, max(c.committed_at) AS last_commit_at, max(l.confidence) AS confidence
FROM links AS l
JOIN tasks AS t ON t.id = l.task_id AND t.life = l.life
JOIN commits AS c ON c.sha = l.target AND c.reachable
WHERE l.kind = 'commit' AND coalesce(l.confidence, 0.0) >= CAST($min_confidence AS DOUBLE)
GROUP BY ALL
ORDER BY last_commit_at DESC NULLS LAST, task_id
