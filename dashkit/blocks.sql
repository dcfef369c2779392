-- What depends on what, and what blocked tasks, from when to when.

-- What depends on what, from when to when. Deleting a task lifts its dependencies in the same instant; what is said
-- in that instant otherwise is said of the next life.
CREATE MACRO history.life_when(id, instant, word) AS (
    SELECT count(*) FROM history.deletions
    WHERE task_id = id AND (recorded_at < instant OR recorded_at = instant AND word <> 'remove')
);

CREATE TABLE history.dependencies AS
WITH told AS (
    SELECT
        *, history.life_when(task_id, recorded_at, op) AS life,
        history.life_when(depends_on_id, recorded_at, op) AS depends_on_life
    FROM typed.dependency_events
    WHERE is_known(recorded_at) AND occurred_at <= getvariable('as_of')
), spans AS (
    SELECT *, lead(occurred_at) OVER pair AS ended_at
    FROM told
    WINDOW pair AS (PARTITION BY task_id, life, depends_on_id, depends_on_life ORDER BY occurred_at, event_id)
), seen AS (
    SELECT * FROM typed.task_dependencies WHERE rows_count()
), kept AS (
    SELECT
        s.* REPLACE (CASE WHEN s.ended_at IS NULL AND d.task_id IS NULL AND rows_count()
                          THEN greatest(getvariable('found_at'), s.occurred_at) ELSE s.ended_at END AS ended_at)
    FROM spans AS s
    LEFT JOIN seen AS d ON d.task_id = s.task_id AND d.depends_on_id = s.depends_on_id
    WHERE s.op <> 'remove'
), latest AS (
    SELECT task_id, max(life) AS life FROM history.states GROUP BY task_id
)
SELECT
    task_id, life, depends_on_id, depends_on_life, occurred_at AS started_at, ended_at, not_before,
    op = 'baseline' AS is_estimated
FROM kept
WHERE occurred_at IS DISTINCT FROM ended_at
UNION ALL
SELECT
    d.task_id, coalesce(a.life, 0), d.depends_on_id, coalesce(b.life, 0), getvariable('found_at'), NULL, NULL, true
FROM seen AS d
LEFT JOIN latest AS a ON a.task_id = d.task_id
LEFT JOIN latest AS b ON b.task_id = d.depends_on_id
WHERE NOT EXISTS (
    FROM kept AS k WHERE k.task_id = d.task_id AND k.depends_on_id = d.depends_on_id AND k.ended_at IS NULL);

-- Stretches in which something was true of a task: intervals that follow each other, as one.
CREATE MACRO history.stretches(is_true) AS TABLE
SELECT
    task_id, life, arg_max_null(project_id, started_at) AS project_id, min(started_at) AS started_at,
    CASE WHEN bool_and(ended_at IS NOT NULL) THEN max(ended_at) END AS ended_at,
    arg_min_null(not_before, started_at) AS not_before, arg_min(is_estimated, started_at) AS is_estimated
FROM (
    SELECT *, count(*) FILTER (starts) OVER (PARTITION BY task_id, life ORDER BY started_at) AS stretch
    FROM (
        SELECT
            task_id, life, project_id, started_at, ended_at, not_before, is_estimated,
            lag(ended_at) OVER (PARTITION BY task_id, life ORDER BY started_at) IS DISTINCT FROM started_at AS starts
        FROM history.intervals
        WHERE is_true
    )
)
GROUP BY task_id, life, stretch;

-- Blocked (somebody said so) and waiting (open, with an open dependency) are two measures.
CREATE TABLE history.blocks AS
WITH linked AS (
    SELECT DISTINCT unnest([task_id, depends_on_id]) AS task_id FROM history.dependencies
), open AS (
    SELECT * FROM history.stretches(is_open AND task_id IN (SELECT task_id FROM linked))
), pairs AS (
    SELECT
        t.task_id, t.life, t.project_id, greatest(p.started_at, t.started_at, d.started_at) AS started_at,
        least(coalesce(p.ended_at, 'infinity'), coalesce(t.ended_at, 'infinity'), coalesce(d.ended_at, 'infinity'))
            AS ended_at,
        CASE greatest(p.started_at, t.started_at, d.started_at)
            WHEN p.started_at THEN p.not_before WHEN t.started_at THEN t.not_before ELSE d.not_before END AS not_before,
        CASE greatest(p.started_at, t.started_at, d.started_at)
            WHEN p.started_at THEN p.is_estimated WHEN t.started_at THEN t.is_estimated ELSE d.is_estimated END AS is_estimated
    FROM history.dependencies AS p
    JOIN open AS t ON t.task_id = p.task_id AND t.life = p.life
    JOIN open AS d ON d.task_id = p.depends_on_id AND d.life = p.depends_on_life
    WHERE p.task_id <> p.depends_on_id
), islands AS (
    SELECT *, count(*) FILTER (starts) OVER (PARTITION BY task_id, life ORDER BY started_at, ended_at) AS island
    FROM (
        SELECT
            *, coalesce(started_at > max(ended_at) OVER (
                PARTITION BY task_id, life ORDER BY started_at, ended_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS starts
        FROM pairs
        WHERE started_at < ended_at
    )
)
SELECT task_id, life, project_id, 'reported' AS cause, started_at, ended_at, not_before, is_estimated
FROM history.stretches(blocked)
UNION ALL
SELECT
    task_id, life, arg_max_null(project_id, started_at), 'waiting', min(started_at),
    nullif(max(ended_at), CAST('infinity' AS TIMESTAMP)),
    -- Of several that began it in one instant the one that was seen best.
    arg_min_null(not_before, (started_at, is_estimated, not_before IS NOT NULL, not_before)),
    arg_min(is_estimated, (started_at, is_estimated))
FROM islands
GROUP BY task_id, life, island;

-- The same by what blocked: for which reason, or which task was waited for.
CREATE TABLE history.blockers AS
WITH pieces AS (
    SELECT
        task_id, life, project_id, 'reported' AS cause,
        nullif(lower(trim(regexp_replace(blocked_reason, '\s+', ' ', 'g'))), '') AS reason,
        CAST(NULL AS BIGINT) AS depends_on_id, CAST(NULL AS BIGINT) AS depends_on_life, started_at,
        coalesce(ended_at, 'infinity') AS ended_at, is_estimated
    FROM history.intervals WHERE blocked
    UNION ALL
    SELECT
        t.task_id, t.life, t.project_id, 'waiting', NULL, d.task_id, d.life,
        greatest(p.started_at, t.started_at, d.started_at) AS begun,
        least(coalesce(p.ended_at, 'infinity'), coalesce(t.ended_at, 'infinity'), coalesce(d.ended_at, 'infinity'))
            AS past,
        CASE begun WHEN p.started_at THEN p.is_estimated WHEN t.started_at THEN t.is_estimated ELSE d.is_estimated END
    FROM history.dependencies AS p
    JOIN history.intervals AS t ON t.task_id = p.task_id AND t.life = p.life AND t.is_open
    JOIN history.intervals AS d ON d.task_id = p.depends_on_id AND d.life = p.depends_on_life AND d.is_open
    WHERE p.task_id <> p.depends_on_id AND begun < past
), turns AS (
    SELECT *, count(*) FILTER (starts) OVER (same ROWS UNBOUNDED PRECEDING) AS turn
    FROM (
        SELECT *, coalesce(started_at > lag(ended_at) OVER same, true) AS starts
        FROM pieces
        WINDOW same AS (PARTITION BY task_id, life, cause, reason, depends_on_id, depends_on_life ORDER BY started_at)
    )
    WINDOW same AS (PARTITION BY task_id, life, cause, reason, depends_on_id, depends_on_life ORDER BY started_at)
), stretches AS (
    SELECT
        task_id, life, arg_max_null(project_id, started_at) AS project_id, cause, reason, depends_on_id,
        depends_on_life, min(started_at) AS started_at,
        nullif(max(ended_at), CAST('infinity' AS TIMESTAMP)) AS ended_at, arg_min(is_estimated, started_at) AS is_estimated
    FROM turns
    GROUP BY task_id, life, cause, reason, depends_on_id, depends_on_life, turn
), titles AS (
    SELECT i.task_id, i.life, arg_max(coalesce(i.title, e.title, ''), i.started_at) AS title
    FROM history.intervals AS i LEFT JOIN typed.task_events AS e ON e.event_id = i.title_of
    WHERE (i.task_id, i.life) IN (SELECT (depends_on_id, depends_on_life) FROM history.dependencies)
    GROUP BY i.task_id, i.life
)
SELECT
    s.task_id, s.life, s.project_id, s.cause, coalesce(d.title, s.reason) AS reason, s.depends_on_id, s.depends_on_life,
    s.started_at, s.ended_at, s.is_estimated
FROM stretches AS s
LEFT JOIN titles AS d ON d.task_id = s.depends_on_id AND d.life = s.depends_on_life;
