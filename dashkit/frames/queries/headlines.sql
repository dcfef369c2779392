-- What matters of what happened lately: one row a kind, the gravest first, at most five.
-- Columns: kind, title, detail, occurred_at (UTC). Parameters: $since (ISO 8601), $fewest (tasks: below that many cycle
-- times nothing is stale), $named (how many are named in detail).
WITH since AS (
    SELECT CAST($since AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS instant
), present AS MATERIALIZED (
    SELECT id, life, title, blocked_reason, created_at, completed_at, checked, is_open FROM tasks
), slow AS (
    SELECT to_microseconds(CAST(quantile_disc(cycle_time_days, 0.85) * 86400000000 AS BIGINT)) AS took
    FROM finished HAVING count(cycle_time_days) >= $fewest
), reopened AS (
    SELECT i.task_id, i.life, max(i.ended_at) AS occurred_at
    FROM intervals AS i
    SEMI JOIN (SELECT task_id, life FROM flow WHERE finishes > 0 AND NOT is_done) AS w
    ON w.task_id = i.task_id AND w.life = i.life
    WHERE i.checked GROUP BY i.task_id, i.life
), items AS (
    SELECT
        1 AS rank, 'failed' AS kind,
        r.kind || coalesce(': ' || CASE WHEN json_valid(r.details) THEN r.details ->> '$.text' END, '') AS name,
        r.started_at AS occurred_at
    FROM runs AS r
    WHERE r.outcome = 'failed' AND coalesce(chosen(r.project_id), true) AND NOT EXISTS (
        SELECT 1 FROM runs AS o WHERE o.kind = r.kind AND o.outcome = 'done' AND o.started_at > r.started_at
        AND (r.project_id IS NULL OR o.project_id IS NOT DISTINCT FROM r.project_id))
    UNION ALL
    -- Of a block that nobody saw begin it is known before when it did not begin; at least its task was there.
    SELECT 2, 'blocked', t.title || coalesce(' (' || t.blocked_reason || ')', ''),
        CASE WHEN b.is_estimated THEN coalesce(u.not_before, t.created_at) ELSE b.started_at END
    FROM blocks AS b JOIN present AS t ON t.id = b.task_id AND t.life = b.life
    LEFT JOIN history.unseen_blocks AS u ON u.task_id = b.task_id AND u.life = b.life
    WHERE b.cause = 'reported' AND b.ended_at IS NULL
    UNION ALL
    SELECT 3, 'reopened', t.title, r.occurred_at
    FROM reopened AS r JOIN present AS t ON t.id = r.task_id AND t.life = r.life AND t.is_open
    UNION ALL
    SELECT 4, 'done', title, completed_at FROM present WHERE checked
    UNION ALL
    SELECT 5, 'stale', t.title, w.started_at + s.took
    FROM flow AS w JOIN present AS t ON t.id = w.task_id AND t.life = w.life CROSS JOIN slow AS s
    WHERE t.is_open
    UNION ALL
    SELECT 6, 'commits', coalesce(title, sha), committed_at FROM commits WHERE reachable
), news AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY occurred_at DESC, name) AS place
    FROM items
    WHERE occurred_at > (SELECT instant FROM since) AND occurred_at <= getvariable('as_of')
)
SELECT
    kind,
    format('{:,} ', count(*)) || CASE kind
        WHEN 'failed' THEN if(count(*) = 1, 'run failed', 'runs failed')
        WHEN 'blocked' THEN if(count(*) = 1, 'task became blocked', 'tasks became blocked')
        WHEN 'reopened' THEN if(count(*) = 1, 'task was reopened', 'tasks were reopened')
        WHEN 'done' THEN if(count(*) = 1, 'task was done', 'tasks were done')
        WHEN 'stale' THEN if(count(*) = 1, 'task is', 'tasks are') || ' in work for longer than most took'
        ELSE if(count(*) = 1, 'commit', 'commits')
    END AS title,
    string_agg(name, '; ' ORDER BY place) FILTER (place <= $named)
        || if(count(*) > $named, format('; and {:,} more', count(*) - $named), '') AS detail,
    max(occurred_at) AS occurred_at
FROM news
GROUP BY kind, rank
ORDER BY rank
LIMIT 5
