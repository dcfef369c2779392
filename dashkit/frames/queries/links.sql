-- What tasks are linked with, the surest first.
-- Columns: task_id, task, kind, target, title, occurred_at (UTC), confidence (0..1), link_type, evidence.
-- Parameters: $task_id (NULL = every task), $min_confidence (0..1; a confidence that is not known counts as 0).
SELECT task_id, task, kind, target, title, occurred_at, confidence, link_type, evidence
FROM links
WHERE ($task_id IS NULL OR task_id = CAST($task_id AS BIGINT))
  AND coalesce(confidence, 0.0) >= CAST($min_confidence AS DOUBLE)
ORDER BY confidence DESC NULLS LAST, occurred_at DESC NULLS LAST, task_id, kind, target
