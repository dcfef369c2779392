-- What in the data bends the numbers: each check with how often it finds something, where, and what that does.
-- Columns: check, count, ids, effect. Parameters: $has_history (BOOLEAN), $named (how many ids are named).
WITH checks(name, effect) AS (
    VALUES
    ('completed by status, not checked', 'counted as open: the box says what is done'),
    ('checked, and of another status', 'counted as done, whatever the status says'),
    ('checked while blocked', 'counted as done, and as no longer blocked'),
    ('blocked without a reason', 'counted, and in the one cluster that names no reason'),
    ('a reason without a block', 'not counted as blocked'),
    ('done at no known time', 'counted as done, in no period, cycle time or lead time'),
    ('finished before it was created', 'counted as finished when that was recorded, no earlier than it was created'),
    ('completed_at that cannot be read', 'counted when the task was seen to be done, or in no period'),
    ('completed_at in the future', 'counted when the task was seen to be done'),
    ('finished whole quarters of an hour off its event', 'a server that writes local time: such a finish is off by as much'),
    ('imported again', 'deleted and inserted again within an hour: counted as one task'),
    ('no creation time', 'arrives when it was first seen, and has no lead time'),
    ('unknown status', 'counted as open'),
    ('no size', 'counted as an M'),
    ('the same title twice', 'each is counted'),
    ('made by a machine, it seems', 'each is counted: throughput and progress say little where they are many'),
    ('of no project', 'counted, under a project without a name'),
    ('of a phase that is not there', 'counted, among those without a phase'),
    ('link to nothing', 'in links alone'),
    ('link of no known confidence', 'counted as linked, shown where any confidence will do'),
    ('changed without an event', 'counted from when it was noticed, as estimated'),
    ('gap in the recording', 'periods in it are marked as is_gap: what happened is told at its end'),
    ('the clock went back', 'what was recorded then may stand in another order than it happened in'),
    ('task file behind its repository', 'what was done lately is not in the numbers')
), present AS MATERIALIZED (
    SELECT
        t.id, t.life, t.project_id, t.project, t.title, t.status, t.checked, t.blocked, t.blocked_reason, t.gone, t.is_open,
        t.sized, t.created_at, w.finished_at,
        NOT history.is_since(t.completed_at + INTERVAL 1 SECOND, t.completed_on, t.created_at, t.created_on) AS is_early,
        -- A day is for the zones of those who write.
        t.completed_at > getvariable('found_at') + INTERVAL 1 DAY AS is_ahead,
        t.phase_id IS NOT NULL AND t.phase_id NOT IN (SELECT id FROM typed.phases WHERE id IS NOT NULL) AS strays,
        count(*) FILTER (NOT t.gone) OVER (PARTITION BY t.project_id, t.title) AS same,
        count(*) FILTER (NOT t.gone) OVER (PARTITION BY t.project_id, regexp_replace(t.title, '\d+', '0', 'g')) AS alike,
        -- The row of a task that was deleted since says nothing any more; what saw it arrive still does.
        t.created_at IS NULL AND NOT coalesce(w.arrived_seen, false) AS appears
    FROM history.current AS t LEFT JOIN history.flow AS w ON w.task_id = t.id AND w.life = t.life
), linked AS MATERIALIZED (
    SELECT task, target, confidence FROM links
), recorded AS MATERIALIZED (
    SELECT event_id, task_id, life, occurred_at, recorded_at, source FROM events
), clock AS (
    SELECT event_id, recorded_at, max(recorded_at) OVER (ORDER BY event_id) AS latest
    FROM recorded WHERE event_id IS NOT NULL
), quarters AS (
    -- Zones are whole quarters of an hour apart, up to 14 hours from UTC; five seconds for the way into the database.
    SELECT DISTINCT task_id
    FROM (
        SELECT task_id, life, abs(epoch_ms(occurred_at) - epoch_ms(said_completed_at)) AS apart
        FROM history.known
        WHERE checked AND op = 'update' AND said_completed_on IS NULL
          AND occurred_at <= getvariable('as_of')
    )
    WHERE apart BETWEEN 895000 AND 50405000 AND abs(apart - 900000 * round(apart / 900000)) <= 5000
      AND (task_id, life) IN (SELECT (id, life) FROM present WHERE checked)
), imports AS (
    SELECT coalesce(r.to_id, i.new_id) AS task_id
    FROM history.reimports AS i
    LEFT JOIN history.renamed AS r ON r.task_id = i.new_id AND r.life = history.life_of(i.new_id, i.inserted)
    WHERE i.is_import AND coalesce(r.to_id, i.new_id) IN (SELECT task_id FROM flow)
), files AS (
    SELECT w.project_id, max(e.occurred_at) AS changed_at
    FROM recorded AS e JOIN flow AS w ON w.task_id = e.task_id AND w.life = e.life
    WHERE starts_with(e.source, 'git:') OR starts_with(e.source, 'file:')
    GROUP BY w.project_id
), found(name, number, word) AS (
    SELECT unnest(list_filter([
        CASE WHEN status = 'completed' AND NOT checked THEN 'completed by status, not checked' END,
        CASE WHEN checked AND status IS DISTINCT FROM 'completed' THEN 'checked, and of another status' END,
        CASE WHEN checked AND status = 'blocked' THEN 'checked while blocked' END,
        CASE WHEN blocked AND nullif(trim(blocked_reason), '') IS NULL THEN 'blocked without a reason' END,
        CASE WHEN NOT blocked AND nullif(trim(blocked_reason), '') IS NOT NULL THEN 'a reason without a block' END,
        CASE WHEN checked AND finished_at IS NULL THEN 'done at no known time' END,
        CASE WHEN checked AND is_early THEN 'finished before it was created' END,
        CASE WHEN checked AND is_ahead THEN 'completed_at in the future' END,
        CASE WHEN appears THEN 'no creation time' END,
        CASE WHEN coalesce(status, '') NOT IN (
            'pending', 'in_progress', 'review', 'blocked', 'completed', 'cancelled') THEN 'unknown status' END,
        CASE WHEN NOT sized AND (is_open OR checked) THEN 'no size' END,
        CASE WHEN NOT gone AND same > 1 THEN 'the same title twice' END,
        CASE WHEN NOT gone AND alike >= 20 THEN 'made by a machine, it seems' END,
        CASE WHEN project IS NULL THEN 'of no project' END,
        CASE WHEN strays THEN 'of a phase that is not there' END
    ], lambda one: one IS NOT NULL)), id, NULL
    FROM present
    UNION ALL SELECT 'completed_at that cannot be read', p.id, NULL
        FROM present AS p JOIN history.present AS n ON n.task_id = p.id AND n.life = p.life
        JOIN typed.tasks AS t ON t.id = p.id
        WHERE p.checked AND nullif(trim(t.bad['completed_at']), '') IS NOT NULL
    UNION ALL SELECT 'finished whole quarters of an hour off its event', task_id, NULL FROM quarters
    -- Each import counts, and each task is named once.
    UNION ALL SELECT 'imported again', if(row_number() OVER (PARTITION BY task_id) = 1, task_id, NULL), NULL FROM imports
    UNION ALL SELECT 'link to nothing', NULL, target FROM linked
        WHERE task IS NULL OR target NOT IN (
            SELECT sha FROM typed.git_commits WHERE sha IS NOT NULL
            UNION ALL SELECT id FROM typed.llm_sessions WHERE id IS NOT NULL)
    UNION ALL SELECT 'link of no known confidence', NULL, target FROM linked
        WHERE confidence IS NULL OR confidence NOT BETWEEN 0 AND 1
    UNION ALL SELECT 'changed without an event', task_id, NULL FROM recorded WHERE $has_history AND source = 'reconcile'
    UNION ALL SELECT 'gap in the recording', NULL, strftime(started_at, '%Y-%m-%dT%H:%M:%SZ') FROM gaps
    UNION ALL SELECT 'the clock went back', event_id, NULL FROM clock WHERE recorded_at < latest - INTERVAL 1 MINUTE
    UNION ALL SELECT 'task file behind its repository', f.project_id, NULL FROM files AS f
        WHERE f.changed_at < (SELECT max(c.committed_at) FROM commits AS c WHERE c.project_id = f.project_id)
            - INTERVAL 14 DAY
)
SELECT
    c.name AS "check", count(f.name) AS count,
    coalesce(array_to_string(min(f.number, $named), ', '), array_to_string(min(f.word, $named), ', ')) AS ids, c.effect
FROM checks AS c LEFT JOIN found AS f ON f.name = c.name
GROUP BY c.name, c.effect
ORDER BY count DESC, c.name
