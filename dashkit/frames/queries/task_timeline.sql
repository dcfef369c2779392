-- Everything that is known of a task, the oldest first: only what changed, with what it was and what it became.
-- Columns: task_id, occurred_at (UTC), kind, detail, is_estimated, not_before (UTC).
-- Parameters: $task_id (NULL = every task), $has_history (BOOLEAN).
WITH told AS (
    SELECT
        *, coalesce(status = 'blocked', false) AND NOT checked AS blocked, lag(op) OVER so_far IS NULL AS is_first,
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
        *, checked AND NOT was_checked AS is_done, was_checked AND NOT checked AS is_reopened,
        blocked AND NOT was_blocked AS is_blocked, was_blocked AND NOT blocked AND NOT checked AS is_unblocked
    FROM told
), named AS (
    -- What a deletion says of the task beside, nobody saw change: it was so at its end, and is in no other frame.
    SELECT task_id, life, occurred_at, not_before, op, source, event_id, unnest(list_filter([
        CASE WHEN is_first THEN {'place': 0, 'kind': 'created', 'detail': title} END,
        CASE WHEN op = 'delete' THEN {'place': 9, 'kind': 'deleted', 'detail': NULL} END,
        CASE WHEN NOT is_first AND project_id IS DISTINCT FROM was_project_id
             THEN {'place': 1, 'kind': 'moved', 'detail': coalesce(project, CAST(project_id AS VARCHAR))} END,
        CASE WHEN NOT is_first AND title IS DISTINCT FROM was_title
             THEN {'place': 2, 'kind': 'renamed', 'detail': title} END,
        CASE WHEN complexity IS DISTINCT FROM was_complexity
             THEN {'place': 3, 'kind': 'sized', 'detail': complexity} END,
        CASE WHEN was_gone AND NOT gone THEN {'place': 4, 'kind': 'back', 'detail': NULL} END,
        CASE WHEN gone AND NOT was_gone THEN {'place': 4, 'kind': 'gone', 'detail': NULL} END,
        CASE WHEN is_done THEN {'place': 5, 'kind': 'done', 'detail': NULL} END,
        CASE WHEN is_reopened THEN {'place': 5, 'kind': 'reopened', 'detail': status} END,
        CASE WHEN is_blocked THEN {'place': 6, 'kind': 'blocked', 'detail': blocked_reason} END,
        CASE WHEN is_unblocked THEN {'place': 6, 'kind': 'unblocked', 'detail': status} END,
        CASE WHEN blocked AND was_blocked AND blocked_reason IS DISTINCT FROM was_reason
             THEN {'place': 6, 'kind': 'reason', 'detail': blocked_reason} END,
        CASE WHEN (NOT is_first AND status IS DISTINCT FROM was_status OR is_first AND status <> 'pending')
                  AND NOT (is_done OR is_reopened OR is_blocked OR is_unblocked)
             THEN {'place': 7, 'kind': 'status', 'detail': status} END
    ], lambda one: one.kind IN ('created', 'deleted') OR one IS NOT NULL AND op <> 'delete')) AS one
    FROM changed
), waits AS MATERIALIZED (
    SELECT * FROM blockers
    WHERE $has_history AND cause = 'waiting' AND ($task_id IS NULL OR task_id = CAST($task_id AS BIGINT))
), turns AS (
    SELECT
        task_id, life, depends_on_id, depends_on_life, reason AS detail,
        unnest([{'kind': 'waiting', 'occurred_at': started_at}, {'kind': 'freed', 'occurred_at': ended_at}],
               recursive := true)
    FROM waits
), causes AS (
    -- What made one wait or freed it: a change of either task, or what was said of the two; else their rows say so.
    SELECT
        t.* EXCLUDE (one_id, one_life), e.event_id, e.not_before,
        e.op IN ('baseline', 'backfill', 'reconcile') OR coalesce(k.source = 'reconcile', e.event_id IS NULL) AS is_estimated
    FROM (
        SELECT *, unnest([task_id, depends_on_id]) AS one_id, unnest([life, depends_on_life]) AS one_life FROM turns
    ) AS t
    JOIN history.states AS e ON e.task_id = t.one_id AND e.life = t.one_life AND e.occurred_at = t.occurred_at
    LEFT JOIN typed.task_events AS k ON k.event_id = e.event_id
    UNION ALL
    SELECT t.*, e.event_id, e.not_before, coalesce(e.op = 'baseline', true)
    FROM turns AS t LEFT JOIN typed.dependency_events AS e
    ON e.task_id = t.task_id AND e.depends_on_id = t.depends_on_id AND e.occurred_at = t.occurred_at
    AND is_known(e.recorded_at)
    WHERE t.occurred_at IS NOT NULL
), present AS MATERIALIZED (
    SELECT id, life, created_at, completed_at, title, checked FROM tasks
), known AS (
    SELECT
        task_id, life, occurred_at, event_id, one.place AS place, one.kind AS kind, one.detail AS detail,
        op IN ('baseline', 'backfill', 'reconcile') OR coalesce(source = 'reconcile', false) AS is_estimated, not_before
    FROM named
    UNION ALL
    -- Of several changes in one instant the one that was seen best.
    SELECT
        task_id, life, occurred_at, NULL, 8, kind, detail, min(is_estimated),
        arg_min_null(not_before, (is_estimated, event_id IS NULL, not_before IS NOT NULL, not_before))
    FROM causes
    GROUP BY task_id, life, depends_on_id, depends_on_life, kind, detail, occurred_at
    UNION ALL
    -- Without a history there is what the task itself says.
    SELECT id, life, created_at, NULL, 0, 'created', title, true, NULL FROM present WHERE NOT $has_history
    UNION ALL
    SELECT id, life, completed_at, NULL, 5, 'done', NULL, true, NULL FROM present WHERE NOT $has_history AND checked
    UNION ALL
    SELECT task_id, life, occurred_at, NULL, 10, kind, coalesce(title, target), coalesce(confidence < 1, true), NULL
    FROM links
)
SELECT task_id, occurred_at, kind, detail, is_estimated, not_before
FROM known
WHERE $task_id IS NULL OR task_id = CAST($task_id AS BIGINT)
ORDER BY task_id, life, occurred_at NULLS LAST, event_id NULLS LAST, place, kind, detail
