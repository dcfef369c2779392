-- Everything that is known of a task, the oldest first: only what changed, with what it was and what it became.
-- Columns: task_id, occurred_at (UTC), kind, detail, inferred, not_before (UTC).
-- Parameters: $task_id (NULL = every task), $has_history (BOOLEAN).
WITH told AS (
    SELECT
        *, status = 'blocked' AND NOT checked AS blocked, lag(op) OVER so_far IS NULL AS is_first,
        coalesce(lag(checked) OVER so_far, false) AS was_checked,
        coalesce(lag(status = 'blocked' AND NOT checked) OVER so_far, false) AS was_blocked,
        coalesce(lag(gone) OVER so_far, false) AS was_gone, lag(status) OVER so_far AS was_status,
        lag(blocked_reason) OVER so_far AS was_reason, lag(title) OVER so_far AS was_title,
        lag(complexity) OVER so_far AS was_complexity, lag(project_id) OVER so_far AS was_project_id
    FROM events
    WHERE $has_history AND ($task_id IS NULL OR task_id = CAST($task_id AS BIGINT))
    WINDOW so_far AS (PARTITION BY task_id, life ORDER BY occurred_at, event_id NULLS LAST)
), changed AS (
    SELECT
        *, checked AND NOT was_checked AS is_done, was_checked AND NOT checked AND op <> 'delete' AS is_reopened,
        coalesce(blocked AND NOT was_blocked, false) AS is_blocked,
        coalesce(was_blocked AND NOT blocked AND NOT checked, false) AS is_unblocked,
        op <> 'delete' AND NOT is_first AS goes_on
    FROM told
), named AS (
    SELECT task_id, life, occurred_at, not_before, op, event_id, unnest(list_filter([
        CASE WHEN op = 'delete' THEN {'place': 9, 'kind': 'deleted', 'detail': NULL} END,
        CASE WHEN is_first THEN {'place': 0, 'kind': 'created', 'detail': title} END,
        CASE WHEN goes_on AND project_id IS DISTINCT FROM was_project_id
             THEN {'place': 1, 'kind': 'moved', 'detail': coalesce(project, CAST(project_id AS VARCHAR))} END,
        CASE WHEN goes_on AND title IS DISTINCT FROM was_title
             THEN {'place': 2, 'kind': 'renamed', 'detail': title} END,
        CASE WHEN op <> 'delete' AND complexity IS DISTINCT FROM was_complexity
             THEN {'place': 3, 'kind': 'sized', 'detail': complexity} END,
        CASE WHEN was_gone AND NOT gone THEN {'place': 4, 'kind': 'back', 'detail': NULL} END,
        CASE WHEN gone AND NOT was_gone THEN {'place': 4, 'kind': 'gone', 'detail': NULL} END,
        CASE WHEN is_done THEN {'place': 5, 'kind': 'done', 'detail': NULL} END,
        CASE WHEN is_reopened THEN {'place': 5, 'kind': 'reopened', 'detail': status} END,
        CASE WHEN is_blocked THEN {'place': 6, 'kind': 'blocked', 'detail': blocked_reason} END,
        CASE WHEN is_unblocked AND op <> 'delete' THEN {'place': 6, 'kind': 'unblocked', 'detail': status} END,
        CASE WHEN blocked AND was_blocked AND blocked_reason IS DISTINCT FROM was_reason
             THEN {'place': 6, 'kind': 'reason', 'detail': blocked_reason} END,
        CASE WHEN (goes_on AND status IS DISTINCT FROM was_status OR is_first AND status <> 'pending')
                  AND NOT (is_done OR is_reopened OR is_blocked OR is_unblocked)
             THEN {'place': 7, 'kind': 'status', 'detail': status} END
    ], lambda one: one IS NOT NULL)) AS one
    FROM changed
), waits AS MATERIALIZED (
    SELECT * FROM blockers WHERE $has_history AND cause = 'waiting'
), present AS MATERIALIZED (
    SELECT id, life, created_at, completed_at, title, checked FROM tasks
), known AS (
    SELECT
        task_id, life, occurred_at, event_id, one.place AS place, one.kind AS kind, one.detail AS detail,
        op IN ('baseline', 'backfill', 'reconcile') AS inferred, not_before
    FROM named
    UNION ALL
    SELECT b.task_id, b.life, b.started_at, NULL, 8, 'waiting', b.reason, b.inferred, NULL
    FROM waits AS b
    UNION ALL
    SELECT b.task_id, b.life, b.ended_at, NULL, 8, 'freed', b.reason, false, NULL
    FROM waits AS b WHERE b.ended_at IS NOT NULL
    UNION ALL
    -- Without a history there is what the task itself says.
    SELECT id, life, created_at, NULL, 0, 'created', title, true, NULL FROM present WHERE NOT $has_history
    UNION ALL
    SELECT id, life, completed_at, NULL, 5, 'done', NULL, true, NULL FROM present WHERE NOT $has_history AND checked
    UNION ALL
    SELECT
        l.task_id, coalesce(t.life, 0), l.occurred_at, NULL, 10, l.kind, coalesce(l.title, l.target), l.confidence < 1,
        NULL
    FROM links AS l LEFT JOIN present AS t ON t.id = l.task_id
)
SELECT task_id, occurred_at, kind, detail, coalesce(inferred, true) AS inferred, not_before
FROM known
WHERE $task_id IS NULL OR task_id = CAST($task_id AS BIGINT)
ORDER BY task_id, life, occurred_at NULLS LAST, event_id NULLS LAST, place, kind, detail
