-- Tasks that are blocked or waiting, the longest first.
-- An event that saw the block begin says when; the version of a file that had it first says at least how long. Of a
-- block that nobody saw begin, what was known of the task before says at most how long (history.unseen_blocks). So an edit
-- of the task changes nothing. Otherwise the first look at it says at least how long, where that was 0.05 days ago or
-- more: 0.0 days would look like news.
-- Columns: task_id, external_id, project_id, project, title, cause, blocked_reason, waits_for (tasks), frees (tasks),
-- blocked_days (days), basis. Parameters: none.
WITH RECURSIVE needed AS (
    -- What is still waited for: both tasks are open, in whichever project.
    SELECT d.task_id, d.life, d.depends_on_id, d.depends_on_life, coalesce(o.title, e.title, '') AS title
    FROM history.dependencies AS d
    JOIN history.intervals AS t ON t.task_id = d.task_id AND t.life = d.life AND t.is_open AND t.ended_at IS NULL
    JOIN history.intervals AS o
    ON o.task_id = d.depends_on_id AND o.life = d.depends_on_life AND o.is_open AND o.ended_at IS NULL
    LEFT JOIN typed.task_events AS e ON e.event_id = o.title_of
    WHERE d.ended_at IS NULL AND d.task_id <> d.depends_on_id
), waiting AS (
    SELECT task_id, life, count(*) AS waits_for, string_agg(title, '; ' ORDER BY depends_on_id) AS reason
    FROM needed
    GROUP BY ALL
), freed(id, life, task_id, task_life) AS (
    -- Every task that waits for a blocked one, directly or through others.
    SELECT t.id, t.life, n.task_id, n.life
    FROM history.current AS t JOIN needed AS n ON n.depends_on_id = t.id AND n.depends_on_life = t.life
    WHERE t.blocked
    UNION
    SELECT f.id, f.life, n.task_id, n.life
    FROM freed AS f JOIN needed AS n ON n.depends_on_id = f.task_id AND n.depends_on_life = f.task_life
), told AS (
    SELECT
        b.* EXCLUDE (not_before), t.external_id, t.title, t.project, u.not_before,
        CASE WHEN NOT b.is_estimated AND b.not_before IS NULL THEN 'event'
             WHEN NOT b.is_estimated THEN 'version'
             WHEN u.not_before IS NOT NULL THEN 'not_before'
             WHEN age_days(b.started_at) >= 0.05 THEN 'version' END AS basis,
        CASE b.cause WHEN 'reported' THEN t.blocked_reason ELSE w.reason END AS blocked_reason,
        coalesce(w.waits_for, 0) AS waits_for,
        CASE b.cause WHEN 'reported' THEN (
            SELECT count(*) FROM freed AS f WHERE f.id = b.task_id AND f.life = b.life
            AND (f.task_id, f.task_life) <> (b.task_id, b.life)
        ) END AS frees
    FROM blocks AS b
    JOIN history.current AS t ON t.id = b.task_id AND t.life = b.life
    LEFT JOIN waiting AS w ON w.task_id = b.task_id AND w.life = b.life
    LEFT JOIN history.unseen_blocks AS u ON u.task_id = b.task_id AND u.life = b.life AND b.cause = 'reported'
    WHERE b.ended_at IS NULL
)
SELECT
    task_id, external_id, project_id, project, title, cause, blocked_reason, waits_for, frees,
    CASE WHEN basis = 'not_before' THEN age_days(not_before) WHEN basis IS NOT NULL THEN age_days(started_at) END
        AS blocked_days,
    basis
FROM told
ORDER BY cause, blocked_days DESC NULLS LAST, task_id
