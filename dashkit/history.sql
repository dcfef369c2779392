-- From events to intervals: what was true of each task, from when to when, as of an instant and as known then.
-- Reads typed.<table>; each table is made once per snapshot, when it is first asked for.
-- Variables: as_of, known_at, found_at (TIMESTAMP, UTC; known_at NULL = all that is recorded; found_at = the instant
-- at which the rows themselves are taken as seen), started_statuses (VARCHAR[]).

CREATE MACRO is_known(recorded_at) AS
    getvariable('known_at') IS NULL OR recorded_at IS NULL OR recorded_at <= getvariable('known_at');

-- Whether what the rows say counts: they were seen by as_of, and known.
CREATE MACRO rows_count() AS getvariable('found_at') <= getvariable('as_of') AND is_known(getvariable('found_at'));

-- A life is what lies between deletions.
CREATE TABLE history.deletions AS
SELECT task_id, event_id, recorded_at, row_number() OVER (PARTITION BY task_id ORDER BY event_id) AS lives
FROM typed.task_events
WHERE op = 'delete';

-- What is known of each task, whenever it happened; SQLite gives the id of a deleted task to the next one, which is
-- another life.
CREATE VIEW history.known AS
SELECT
    e.* REPLACE (coalesce(e.checked, CASE WHEN e.bad['checked'] IS NOT NULL THEN false END) AS checked),
    CASE e.op WHEN 'gone' THEN true WHEN 'back' THEN false END AS gone,
    coalesce(len(list_filter(d.event_ids, lambda one: one < e.event_id)), 0) AS life
FROM typed.task_events AS e
LEFT JOIN (SELECT task_id, list(event_id) AS event_ids FROM history.deletions GROUP BY task_id) AS d
ON d.task_id = e.task_id
WHERE is_known(e.recorded_at) AND e.occurred_at IS NOT NULL;

-- Every event with all that was true behind it, until the next one of that life; '' means none, NULL means as before.
-- Of a title, which is long, only the event that said it; title is there where no event says it.
CREATE TABLE history.states AS
SELECT
    e.task_id, e.life, e.event_id, e.occurred_at, lead(e.occurred_at) OVER so_far AS ended_at, e.not_before, e.op,
    last_value(e.project_id IGNORE NULLS) OVER so_far AS project_id,
    last_value(CASE WHEN e.title IS NOT NULL THEN e.event_id END IGNORE NULLS) OVER so_far AS title_of,
    CAST(NULL AS VARCHAR) AS title,
    nullif(last_value(e.status IGNORE NULLS) OVER so_far, '') AS status,
    coalesce(last_value(e.checked IGNORE NULLS) OVER so_far, false) AS checked,
    nullif(last_value(e.blocked_reason IGNORE NULLS) OVER so_far, '') AS blocked_reason,
    nullif(last_value(e.complexity IGNORE NULLS) OVER so_far, '') AS complexity,
    coalesce(last_value(e.gone IGNORE NULLS) OVER so_far, false) AS gone
FROM history.known AS e
WHERE e.occurred_at <= getvariable('as_of')
WINDOW so_far AS (PARTITION BY e.task_id, e.life ORDER BY e.occurred_at, e.event_id ROWS UNBOUNDED PRECEDING);

-- What happened before anything said of which project and title a task is was of those that were said first.
UPDATE history.states AS s
SET project_id = coalesce(s.project_id, f.project_id), title_of = coalesce(s.title_of, f.title_of)
FROM (
    SELECT
        task_id, life, arg_min(project_id, (occurred_at, event_id)) AS project_id,
        arg_min(event_id, (occurred_at, event_id)) FILTER (title IS NOT NULL) AS title_of
    FROM history.known
    WHERE task_id IN (SELECT task_id FROM history.states WHERE title_of IS NULL OR project_id IS NULL)
    GROUP BY task_id, life
) AS f
WHERE (s.title_of IS NULL OR s.project_id IS NULL) AND f.task_id = s.task_id AND f.life = s.life;

-- A row that is not what its events say was written where no trigger saw it. A database without a history is one
-- such row for each task.
CREATE TEMP TABLE found AS
WITH last AS (
    SELECT s.* REPLACE (coalesce(e.title, '') AS title)
    FROM history.states AS s LEFT JOIN typed.task_events AS e ON e.event_id = s.title_of
    WHERE s.ended_at IS NULL
    QUALIFY row_number() OVER (PARTITION BY s.task_id ORDER BY s.life DESC) = 1
), now AS (
    SELECT
        id AS task_id, project_id, coalesce(title, '') AS title, nullif(status, '') AS status,
        coalesce(checked, false) AS checked, nullif(blocked_reason, '') AS blocked_reason,
        nullif(complexity, '') AS complexity
    FROM typed.tasks
    WHERE id IS NOT NULL
)
SELECT
    task_id, coalesce(s.life + CAST(s.op = 'delete' AS BIGINT), 0) AS life, CAST(NULL AS BIGINT) AS event_id,
    greatest(getvariable('found_at'), s.occurred_at) AS occurred_at, CAST(NULL AS TIMESTAMP) AS ended_at,
    CAST(NULL AS TIMESTAMP) AS not_before, CASE WHEN t.title IS NULL THEN 'delete' ELSE 'reconcile' END AS op,
    coalesce(t.project_id, s.project_id) AS project_id, CASE WHEN t.title IS NULL THEN s.title_of END AS title_of,
    t.title, t.status, t.checked, t.blocked_reason, t.complexity,
    coalesce(s.gone AND s.op <> 'delete', false) AS gone
FROM now AS t FULL JOIN last AS s USING (task_id)
WHERE rows_count()
  AND CASE WHEN t.title IS NULL THEN s.op <> 'delete'
      ELSE s.op IS NULL OR s.op = 'delete'
           OR (coalesce(t.project_id, s.project_id), t.title, t.status, t.checked, t.blocked_reason, t.complexity)
           IS DISTINCT FROM (s.project_id, s.title, s.status, s.checked, s.blocked_reason, s.complexity)
      END;

UPDATE history.states AS s SET ended_at = f.occurred_at FROM found AS f
WHERE f.task_id = s.task_id AND f.life = s.life AND s.ended_at IS NULL;
INSERT INTO history.states FROM found;
DROP TABLE found;

CREATE VIEW history.intervals AS
SELECT
    * EXCLUDE (occurred_at), occurred_at AS started_at,
    coalesce(status = 'blocked', false) AND NOT checked AND NOT gone AS blocked,
    coalesce(status = 'cancelled', false) AND NOT checked AND NOT gone AS cancelled,
    NOT checked AND NOT gone AND coalesce(status <> 'cancelled', true) AS is_open,
    op IN ('baseline', 'backfill', 'reconcile') AS is_estimated
FROM (SELECT * REPLACE (gone AND NOT checked AS gone) FROM history.states)
WHERE op <> 'delete' AND occurred_at IS DISTINCT FROM ended_at;

-- What depends on what, from when to when. Deleting a task lifts its dependencies in the same instant; what is said
-- in that instant otherwise is said of the next life.
CREATE MACRO history.life_when(id, instant, word) AS (
    SELECT count(*) FROM history.deletions
    WHERE task_id = id AND (recorded_at < instant OR recorded_at = instant AND word <> 'remove')
);

CREATE TABLE history.dependencies AS
WITH events AS (
    SELECT
        *, history.life_when(task_id, recorded_at, op) AS life,
        history.life_when(depends_on_id, recorded_at, op) AS depends_on_life
    FROM typed.dependency_events
    WHERE is_known(recorded_at) AND occurred_at <= getvariable('as_of')
), spans AS (
    SELECT *, lead(occurred_at) OVER pair AS ended_at
    FROM events
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

-- One row per task and life: when it arrived, was started, was finished, and left without being finished.
CREATE TABLE history.flow AS
WITH finishes AS (
    -- A baseline saw that it was done, and not when.
    SELECT
        i.task_id, i.life, count(*) AS finishes, min(i.started_at) FILTER (i.op <> 'baseline') AS first_finished_at,
        -- What is inserted as done was done elsewhere.
        arg_max(i.is_estimated OR i.op = 'insert', i.started_at) AS finished_is_estimated,
        arg_max_null(CASE WHEN i.op <> 'baseline' THEN i.started_at END, i.started_at) AS finished_at
    FROM history.intervals AS i
    ANTI JOIN (SELECT task_id, life, ended_at FROM history.intervals WHERE checked) AS b
    ON b.task_id = i.task_id AND b.life = i.life AND b.ended_at = i.started_at
    WHERE i.checked
    GROUP BY i.task_id, i.life
), told AS (
    SELECT
        *, cancelled OR gone AS has_left, checked OR list_contains(getvariable('started_statuses'), status) AS is_started,
        -- A baseline sees what is there, and not since when; what is inserted as done came from elsewhere.
        op NOT IN ('baseline', 'reconcile') AND NOT (checked AND op = 'insert') AS is_seen
    FROM history.intervals
), lives AS (
    SELECT
        task_id, life, arg_max_null(project_id, started_at) AS project_id,
        arg_max_null(complexity, started_at) AS complexity, min(started_at) AS arrived_at,
        arg_min(is_estimated, started_at) AS arrived_is_estimated,
        arg_min(is_seen AND NOT (checked AND op = 'backfill'), started_at) AS arrived_seen,
        min(started_at) FILTER (is_started) AS started_at,
        arg_min(is_estimated, started_at) FILTER (is_started) AS started_is_estimated,
        arg_min(is_seen, started_at) FILTER (is_started) AS started_seen, arg_max(checked, started_at) AS is_done,
        CASE WHEN arg_max(has_left, started_at) THEN coalesce(max(ended_at) FILTER (NOT has_left), arrived_at)
             WHEN NOT is_done THEN arg_max_null(ended_at, started_at) END AS left_at
    FROM told
    GROUP BY task_id, life
)
SELECT
    v.*, CASE WHEN v.is_done THEN f.finished_at END AS finished_at,
    CASE WHEN v.is_done THEN f.finished_is_estimated END AS finished_is_estimated, f.first_finished_at,
    coalesce(f.finishes, 0) AS finishes
FROM lives AS v LEFT JOIN finishes AS f ON f.task_id = v.task_id AND f.life = v.life;

-- Which life the rows of now belong to: what has no history is theirs.
CREATE TABLE history.present AS
SELECT t.id AS task_id, coalesce(max(d.lives), 0) AS life
FROM typed.tasks AS t LEFT JOIN history.deletions AS d ON d.task_id = t.id
GROUP BY t.id;
