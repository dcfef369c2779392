-- From events to intervals: what was true of each task, from when to when, as of an instant and as known then.
-- Reads typed.<table>; each table is made once per snapshot, when it is first asked for.
-- Variables: as_of, known_at, found_at (TIMESTAMP, UTC; known_at NULL = all that is recorded; found_at = the instant
-- at which the rows themselves are taken as seen), has_history (BOOLEAN), zone (a time zone), started_statuses
-- (VARCHAR[]).
-- Where only the date of an event is known, on_day is it, and occurred_at is near its noon, for the order alone.

CREATE MACRO is_known(recorded_at) AS
    getvariable('known_at') IS NULL OR recorded_at IS NULL OR recorded_at <= getvariable('known_at');

-- Whether what the rows say counts: they were seen by as_of, and known.
CREATE MACRO rows_count() AS getvariable('found_at') <= getvariable('as_of') AND is_known(getvariable('found_at'));

-- The instant at which a day begins in the reader's time zone.
CREATE MACRO begin_of(day) AS timezone('UTC', timezone(getvariable('zone'), CAST(day AS TIMESTAMP)));

-- Whether what a row said, when an event was recorded, is of an earlier time. An event that saw something happen
-- knows its minute; a baseline only looked.
CREATE MACRO history.is_earlier(instant, on_day, occurred_at, op) AS
    CASE WHEN on_day IS NULL
         THEN instant < occurred_at AND (op = 'baseline' OR instant <= occurred_at - INTERVAL 1 MINUTE)
         WHEN op = 'baseline' THEN on_day <= CAST(occurred_at AS DATE)
         ELSE on_day < CAST(occurred_at AS DATE) END;

-- A task that is deleted and inserted again within an hour, with the same title and the same creation time, which is an
-- earlier one, was imported again: by its id or, under a new id, where no other task is like it.
CREATE TABLE history.reimports AS
WITH deleted AS (
    SELECT event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on
    FROM typed.task_events WHERE op = 'delete' AND said_created_at IS NOT NULL AND is_known(recorded_at)
), inserted AS (
    SELECT event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on
    FROM typed.task_events
    WHERE op = 'insert' AND title IN (SELECT title FROM deleted) AND is_known(recorded_at)
      AND history.is_earlier(said_created_at, said_created_on, recorded_at, op)
), pairs AS (
    SELECT d.event_id AS deleted, i.event_id AS inserted, d.task_id AS old_id, i.task_id AS new_id
    FROM deleted AS d JOIN inserted AS i
    ON i.title = d.title AND i.said_created_at = d.said_created_at
    AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on
    AND i.event_id > d.event_id AND i.recorded_at <= d.recorded_at + INTERVAL 1 HOUR
    AND (i.task_id = d.task_id OR i.project_id IS NOT DISTINCT FROM d.project_id)
), same AS (
    SELECT deleted, min(inserted) AS inserted FROM pairs WHERE old_id = new_id GROUP BY deleted
), others AS (
    SELECT deleted, inserted, count(*) OVER (PARTITION BY deleted) + count(*) OVER (PARTITION BY inserted) AS alike
    FROM pairs
    WHERE deleted NOT IN (SELECT deleted FROM same) AND inserted NOT IN (SELECT inserted FROM same)
)
SELECT p.*
FROM pairs AS p
WHERE (p.deleted, p.inserted) IN (
    SELECT (deleted, inserted) FROM same UNION ALL SELECT (deleted, inserted) FROM others WHERE alike = 2);

-- A life is what lies between deletions; SQLite gives the id of a deleted task to the next one, which is another life.
CREATE TABLE history.deletions AS
SELECT task_id, event_id, recorded_at, row_number() OVER (PARTITION BY task_id ORDER BY event_id) AS lives
FROM typed.task_events
WHERE op = 'delete' AND event_id NOT IN (SELECT deleted FROM history.reimports WHERE old_id = new_id);

CREATE MACRO history.life_of(task, event) AS (
    SELECT count(*) FROM history.deletions AS d WHERE d.task_id = task AND d.event_id < event);

-- The lives that go on under another id, and the last one that each of them became.
CREATE TABLE history.renamed (task_id BIGINT, life BIGINT, to_id BIGINT, to_life BIGINT);

/* only if there are rows in history.reimports */
INSERT INTO history.renamed
WITH RECURSIVE steps AS (
    SELECT
        old_id AS task_id, history.life_of(old_id, deleted) AS life, new_id AS to_id,
        history.life_of(new_id, inserted) AS to_life
    FROM history.reimports WHERE old_id <> new_id
), chain AS (
    SELECT *, 1 AS length FROM steps
    UNION ALL
    SELECT c.task_id, c.life, s.to_id, s.to_life, c.length + 1
    FROM chain AS c JOIN steps AS s ON s.task_id = c.to_id AND s.life = c.to_life
)
SELECT task_id, life, arg_max(to_id, length) AS to_id, arg_max(to_life, length) AS to_life
FROM chain GROUP BY task_id, life;

-- The deletions of each id in their order; of imports the first half, and what each life became under another id.
CREATE TABLE history.ended AS
SELECT
    task_id, list(event_id) FILTER (event_id IS NOT NULL) AS event_ids, list(joined) FILTER (joined IS NOT NULL) AS joined,
    list(became) FILTER (became IS NOT NULL) AS became
FROM (
    SELECT task_id, event_id, NULL AS joined, NULL AS became FROM history.deletions
    UNION ALL
    SELECT old_id, NULL, deleted, NULL FROM history.reimports
    UNION ALL
    SELECT task_id, NULL, NULL, {'life': life, 'to_id': to_id, 'to_life': to_life} FROM history.renamed
)
GROUP BY task_id;

-- What is known of each task, whenever it happened. recorded_id is the id that it had then; place orders what happened
-- at one instant.
CREATE VIEW history.known AS
WITH counted AS (
    SELECT
        e.* REPLACE (coalesce(e.checked, CASE WHEN e.bad['checked'] IS NOT NULL THEN false END) AS checked),
        CASE e.op WHEN 'gone' THEN true WHEN 'back' THEN false END AS gone, d.became,
        coalesce(len(list_filter(d.event_ids, lambda one: one < e.event_id)), 0) AS life
    FROM typed.task_events AS e LEFT JOIN history.ended AS d ON d.task_id = e.task_id
    WHERE is_known(e.recorded_at) AND e.occurred_at IS NOT NULL
      AND NOT coalesce(list_contains(d.joined, e.event_id), false)
), renamed AS (
    SELECT *, list_filter(became, lambda one: one.life = counted.life)[1] AS now FROM counted
)
SELECT
    * EXCLUDE (became, now) REPLACE (
        if(now IS NULL, task_id, now.to_id) AS task_id, if(now IS NULL, life, now.to_life) AS life),
    task_id AS recorded_id, event_id AS place, CAST(NULL AS VARCHAR) AS found_title
FROM renamed;

-- Whether one time is not before another; where one is a date, it is the whole of its day (UTC).
CREATE MACRO history.is_since(instant, on_day, other, other_on) AS
    CASE WHEN on_day IS NULL AND other_on IS NULL THEN instant >= other
         ELSE coalesce(on_day, CAST(instant AS DATE)) >= coalesce(other_on, CAST(other AS DATE)) END;

-- The instant that stands for a date in the order of things: its noon, but behind one and before another instant.
CREATE MACRO history.moved(day, behind, ahead) AS
    greatest(CAST(day AS TIMESTAMP), least(
        greatest(CAST(day AS TIMESTAMP) + INTERVAL 12 HOUR, coalesce(behind + INTERVAL 1 MILLISECOND, CAST(day AS TIMESTAMP))),
        CAST(day AS TIMESTAMP) + INTERVAL 86399999 MILLISECOND,
        coalesce(ahead - INTERVAL 1 MILLISECOND, CAST(day AS TIMESTAMP) + INTERVAL 1 DAY)));

-- Every event with all that was true behind it, until the next one of that life; '' means none, NULL means as before.
-- Of a title, which is long, only the event that said it; what only rows say has its title itself. place orders what
-- happened at one instant.
CREATE MACRO history.states_of(relation) AS TABLE
SELECT
    e.task_id, e.life, e.event_id, e.occurred_at, e.on_day, lead(e.occurred_at) OVER so_far AS ended_at, e.not_before,
    e.op,
    last_value(e.project_id IGNORE NULLS) OVER so_far AS project_id,
    last_value(CASE WHEN e.title IS NOT NULL THEN e.event_id END IGNORE NULLS) OVER so_far AS title_of,
    e.found_title AS title,
    nullif(last_value(e.status IGNORE NULLS) OVER so_far, '') AS status,
    coalesce(last_value(e.checked IGNORE NULLS) OVER so_far, false) AS checked,
    nullif(last_value(e.blocked_reason IGNORE NULLS) OVER so_far, '') AS blocked_reason,
    nullif(last_value(e.complexity IGNORE NULLS) OVER so_far, '') AS complexity,
    coalesce(last_value(e.gone IGNORE NULLS) OVER so_far, false) AS gone
FROM query_table(relation) AS e
WHERE e.occurred_at <= getvariable('as_of')
WINDOW so_far AS (PARTITION BY e.task_id, e.life ORDER BY e.occurred_at, e.place ROWS UNBOUNDED PRECEDING);

-- First as the events were recorded; then the lives anew of which rows say more: of earlier times, of dates, or what
-- no event says.
CREATE TABLE history.states AS FROM history.states_of('history.known');

-- A row that is not what its events say was written where no trigger saw it. A database without a history is one
-- such row for each task, at which somebody looks for the first time.
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
        nullif(complexity, '') AS complexity, created_at, created_on, completed_at, completed_on
    FROM typed.tasks
    WHERE id IS NOT NULL
)
SELECT
    task_id, coalesce(s.life + CAST(s.op = 'delete' AS BIGINT), 0) AS life,
    greatest(getvariable('found_at'), s.occurred_at) AS occurred_at,
    CASE WHEN t.title IS NULL THEN 'delete' WHEN getvariable('has_history') THEN 'reconcile' ELSE 'baseline' END AS op,
    t.project_id, t.title, if(t.title IS NULL, NULL, coalesce(t.status, '')) AS status, t.checked,
    if(t.title IS NULL, NULL, coalesce(t.blocked_reason, '')) AS blocked_reason,
    if(t.title IS NULL, NULL, coalesce(t.complexity, '')) AS complexity, t.created_at AS said_created_at,
    t.created_on AS said_created_on, t.completed_at AS said_completed_at, t.completed_on AS said_completed_on
FROM now AS t FULL JOIN last AS s USING (task_id)
WHERE rows_count()
  AND CASE WHEN t.title IS NULL THEN s.op <> 'delete'
      ELSE s.op IS NULL OR s.op = 'delete'
           OR (coalesce(t.project_id, s.project_id), t.title, t.status, t.checked, t.blocked_reason, t.complexity)
           IS DISTINCT FROM (s.project_id, s.title, s.status, s.checked, s.blocked_reason, s.complexity)
      END;

-- A backfill from completed_at is a claim: it says when the box was turned on, and turns nothing itself.
CREATE TEMP MACRO is_claim(op, source, checked) AS
    coalesce(op = 'backfill' AND source = 'column:completed_at' AND checked, false);

CREATE TEMP TABLE candidates AS
SELECT task_id
FROM typed.task_events
WHERE on_day IS NOT NULL
   OR checked AND (op = 'backfill' AND said_completed_at IS NOT NULL
                   OR history.is_earlier(said_completed_at, said_completed_on, occurred_at, op))
   OR op IN ('insert', 'baseline', 'reconcile')
      AND history.is_earlier(said_created_at, said_created_on, occurred_at, op)
UNION
SELECT task_id FROM found
UNION
-- Behind the claim of a migration nothing but its baseline is usual, which agrees with it.
SELECT k.task_id
FROM (
    SELECT task_id, occurred_at FROM typed.task_events
    WHERE op = 'backfill' AND source = 'column:completed_at' AND checked
) AS c
JOIN (SELECT task_id, occurred_at FROM typed.task_events WHERE NOT checked OR status <> 'completed') AS k
ON k.task_id = c.task_id AND k.occurred_at >= c.occurred_at;

/* only if there are rows in candidates */
CREATE TEMP TABLE retold AS
SELECT DISTINCT task_id, life FROM history.known WHERE recorded_id IN (FROM candidates)
UNION
SELECT task_id, life FROM found;

-- The events of these lives in their order, what only a row says as the last one; which of them turned the box on,
-- and when the task had left done before: by its box, or from the status completed.
CREATE TEMP TABLE evidence AS
WITH told AS (
    SELECT
        k.task_id, k.life, k.event_id, k.occurred_at, k.on_day, k.not_before, k.op, k.source, k.project_id, k.title,
        k.status, k.checked, k.blocked_reason, k.complexity, k.gone, k.found_title, k.said_created_at,
        k.said_created_on, k.said_completed_at, k.said_completed_on,
        is_claim(k.op, k.source, k.checked) AS is_claim
    FROM history.known AS k SEMI JOIN retold AS r ON r.task_id = k.task_id AND r.life = k.life
    UNION ALL
    SELECT
        task_id, life, NULL, occurred_at, NULL, NULL, op, 'reconcile', project_id, NULL, status, checked,
        blocked_reason, complexity, NULL, title, said_created_at, said_created_on, said_completed_at,
        said_completed_on, false
    FROM found
), states AS (
    SELECT
        *, row_number() OVER so_far AS number,
        coalesce(last_value(if(is_claim, NULL, checked) IGNORE NULLS) OVER so_far, false) AS box,
        nullif(last_value(if(is_claim, NULL, status) IGNORE NULLS) OVER so_far, '') AS word
    FROM told
    WINDOW so_far AS (PARTITION BY task_id, life ORDER BY occurred_at, event_id ROWS UNBOUNDED PRECEDING)
), turns AS (
    SELECT
        * EXCLUDE (box, word), box AND NOT coalesce(lag(box) OVER so_far, false) AS turns_on,
        coalesce(lag(box) OVER so_far, false) AND NOT box
            OR coalesce(lag(word) OVER so_far = 'completed', false) AND word IS DISTINCT FROM 'completed' AS leaves
    FROM states
    WINDOW so_far AS (PARTITION BY task_id, life ORDER BY number)
)
SELECT
    * EXCLUDE (leaves), count(*) FILTER (leaves) OVER before AS times_left,
    last_value(CASE WHEN leaves THEN {'instant': occurred_at, 'on_day': on_day} END IGNORE NULLS) OVER before AS had_left
FROM turns
WINDOW before AS (PARTITION BY task_id, life ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

-- When these tasks were created: as the row said when it was first seen; else with the first event that is a creation.
CREATE TEMP TABLE creations AS
SELECT
    task_id, life, event_id, occurred_at AS first_at, project_id, title, found_title,
    op IN ('insert', 'baseline', 'reconcile')
        AND coalesce(history.is_earlier(said_created_at, said_created_on, occurred_at, op), false) AS is_earlier,
    CASE WHEN is_earlier THEN said_created_at
         WHEN op = 'insert' AND (source IS DISTINCT FROM 'trigger' OR said_created_at IS NOT NULL)
             OR source = 'column:created_at'
         THEN occurred_at END AS created_at,
    CASE WHEN is_earlier THEN said_created_on WHEN created_at IS NOT NULL THEN on_day END AS created_on
FROM evidence
WHERE NOT is_claim
QUALIFY row_number() OVER (PARTITION BY task_id, life ORDER BY number) = 1;

-- What is said of when a turn of the box was a finish, where that is before the event; the last word comes first.
CREATE TEMP TABLE claims AS
SELECT *, row_number() OVER (PARTITION BY task_id, life, turn ORDER BY event_id DESC NULLS FIRST) AS place
FROM (
    SELECT
        t.task_id, t.life, t.number AS turn, t.times_left, CAST(NULL AS BIGINT) AS number, t.event_id,
        t.said_completed_on AS on_day,
        CASE WHEN t.said_completed_on IS NOT NULL
             THEN history.moved(t.said_completed_on, greatest(
                 if(CAST(c.created_at AS DATE) = t.said_completed_on, c.created_at, NULL),
                 if(CAST(t.had_left.instant AS DATE) = t.said_completed_on, t.had_left.instant, NULL)), t.occurred_at)
             WHEN t.said_completed_at = t.had_left.instant THEN t.said_completed_at + INTERVAL 1 MILLISECOND
             ELSE t.said_completed_at END AS finished_at
    FROM evidence AS t LEFT JOIN creations AS c ON c.task_id = t.task_id AND c.life = t.life
    WHERE t.turns_on AND history.is_earlier(t.said_completed_at, t.said_completed_on, t.occurred_at, t.op)
      AND coalesce(history.is_since(t.said_completed_at, t.said_completed_on, c.created_at, c.created_on), true)
      AND coalesce(
          history.is_since(t.said_completed_at, t.said_completed_on, t.had_left.instant, t.had_left.on_day), true)
    UNION ALL
    SELECT
        t.task_id, t.life, t.number, t.times_left, k.number, k.event_id, k.on_day, k.occurred_at
    FROM evidence AS k JOIN evidence AS t
    ON t.task_id = k.task_id AND t.life = k.life AND t.turns_on AND t.number > k.number
    AND t.times_left = k.times_left
    WHERE k.is_claim
);

-- The same events, and what is known besides: each creation, and each finish, as a backfill. From a finish on the box
-- is on, whatever was noted before it was turned on.
CREATE TEMP TABLE mended AS
SELECT
    e.task_id, e.life, e.event_id, e.occurred_at, e.on_day, e.not_before, e.op, e.project_id, e.title, e.status,
    CASE WHEN e.is_claim AND k.place > 1 OR NOT e.checked AND f.finished_at <= e.occurred_at THEN NULL
         ELSE e.checked END AS checked,
    e.blocked_reason, e.complexity, e.gone, e.found_title, 2 AS rank
FROM evidence AS e
LEFT JOIN claims AS k ON k.task_id = e.task_id AND k.life = e.life AND k.number = e.number
LEFT JOIN claims AS f
ON f.task_id = e.task_id AND f.life = e.life AND f.place = 1 AND f.times_left = e.times_left AND f.turn > e.number
UNION ALL
SELECT
    task_id, life, event_id, finished_at, on_day, NULL, 'backfill', NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, 1
FROM claims WHERE place = 1 AND number IS NULL
UNION ALL
SELECT
    task_id, life, event_id, arrived_at, created_on, NULL, 'backfill', project_id, title, 'pending',
    coalesce(next_at <= arrived_at, false), '', '', NULL, found_title, 0
FROM (
    SELECT *, if(created_on IS NULL, created_at, history.moved(created_on, CAST(NULL AS TIMESTAMP), next_at)) AS arrived_at
    FROM (
        SELECT c.*, least(c.first_at, f.finished_at) AS next_at
        FROM creations AS c LEFT JOIN (
            SELECT task_id, life, min(finished_at) AS finished_at FROM claims WHERE place = 1 GROUP BY task_id, life
        ) AS f ON f.task_id = c.task_id AND f.life = c.life
        WHERE c.is_earlier
    )
);

-- In the reader's time zone a date is the whole of that day: it counts as soon as the day has begun, and an event that
-- came before another one counts on no later day.
CREATE TEMP TABLE dated AS
WITH ordered AS (
    SELECT
        *, row_number() OVER (PARTITION BY task_id, life ORDER BY occurred_at, event_id, rank) AS place,
        count(on_day) OVER (PARTITION BY task_id, life) > 0 AS has_dates,
        CASE WHEN on_day IS NULL THEN occurred_at
             ELSE greatest(begin_of(on_day) + INTERVAL 1 MILLISECOND,
                           least(occurred_at, begin_of(on_day + 1) - INTERVAL 1 MILLISECOND)) END AS instant
    FROM mended
), kept AS (
    SELECT * REPLACE (CASE WHEN has_dates AND instant > min(instant) OVER after
                           THEN min(instant - to_milliseconds(place)) OVER after + to_milliseconds(place)
                           ELSE instant END AS instant)
    FROM ordered
    WINDOW after AS (PARTITION BY task_id, life ORDER BY place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
), counted AS (
    SELECT *
    FROM kept
    QUALIFY bool_and(instant <= getvariable('as_of') OR coalesce(begin_of(on_day) <= getvariable('as_of'), false))
        OVER (PARTITION BY task_id, life ORDER BY place)
)
SELECT
    * EXCLUDE (occurred_at, instant, has_dates, rank),
    CASE WHEN instant <= getvariable('as_of') THEN instant
         ELSE getvariable('as_of')
             - to_milliseconds(row_number() OVER (PARTITION BY task_id, life ORDER BY place DESC) - 1) END AS occurred_at
FROM counted;

DELETE FROM history.states AS s USING retold AS r WHERE r.task_id = s.task_id AND r.life = s.life;
INSERT INTO history.states BY NAME FROM history.states_of('dated');

DROP TABLE dated;
DROP TABLE mended;
DROP TABLE claims;
DROP TABLE creations;
DROP TABLE evidence;
DROP TABLE retold;

/* in any case */
-- What happened before anything said of which project and title a task is was of those that were said first.
CREATE TEMP TABLE unnamed AS
SELECT task_id FROM history.states WHERE title_of IS NULL OR project_id IS NULL;

/* only if there are rows in unnamed */
UPDATE history.states AS s
SET project_id = coalesce(s.project_id, f.project_id), title_of = coalesce(s.title_of, f.title_of),
    title = coalesce(s.title, if(s.title_of IS NULL AND f.title_of IS NULL, f.found_title, NULL))
FROM (
    SELECT
        task_id, life, arg_min(project_id, (occurred_at, event_id)) AS project_id,
        arg_min(event_id, (occurred_at, event_id)) FILTER (title IS NOT NULL) AS title_of,
        arg_min(found_title, occurred_at) AS found_title
    FROM (
        SELECT task_id, life, occurred_at, event_id, project_id, title, found_title FROM history.known
        WHERE recorded_id IN (FROM unnamed) OR recorded_id IN (SELECT old_id FROM history.reimports)
        UNION ALL
        SELECT task_id, life, occurred_at, NULL, project_id, NULL, title FROM found
    )
    GROUP BY task_id, life
) AS f
WHERE (s.title_of IS NULL OR s.project_id IS NULL) AND f.task_id = s.task_id AND f.life = s.life;

/* in any case */
DROP TABLE unnamed;
DROP TABLE candidates;
DROP TABLE found;

CREATE VIEW history.intervals AS
SELECT
    * EXCLUDE (occurred_at, on_day), occurred_at AS started_at, on_day AS started_on,
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

-- One row per task and life: when it arrived, was started, was finished, and left without being finished; _on is the
-- day of it where no more than the date is known. comes_back: it was open again after it had been done or had left.
CREATE TABLE history.flow AS
WITH finishes AS (
    -- A baseline saw that it was done, and not when.
    SELECT
        i.task_id, i.life, count(*) AS finishes, min(i.started_at) FILTER (i.op <> 'baseline') AS first_finished_at,
        max(i.started_at) AS done_at,
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
             WHEN NOT is_done THEN arg_max_null(ended_at, started_at) END AS left_at,
        coalesce(max(started_at) FILTER (is_open) > min(started_at) FILTER (NOT is_open), false)
            OR bool_or(checked) AND bool_or(has_left) AS comes_back,
        max(started_at) AS last_at
    FROM told
    GROUP BY task_id, life
)
SELECT
    v.*, CASE WHEN v.is_done THEN f.finished_at END AS finished_at,
    CASE WHEN v.is_done THEN f.finished_is_estimated END AS finished_is_estimated, f.first_finished_at,
    coalesce(f.finishes, 0) AS finishes, f.done_at, a.started_on AS arrived_on, d.started_on AS finished_on
FROM lives AS v
LEFT JOIN finishes AS f ON f.task_id = v.task_id AND f.life = v.life
LEFT JOIN (SELECT task_id, life, started_at, started_on FROM history.intervals WHERE started_on IS NOT NULL) AS a
ON a.task_id = v.task_id AND a.life = v.life AND a.started_at = v.arrived_at
LEFT JOIN (SELECT task_id, life, started_at, started_on FROM history.intervals WHERE started_on IS NOT NULL) AS d
ON d.task_id = v.task_id AND d.life = v.life AND v.is_done AND d.started_at = f.finished_at;

-- What changed the number of open tasks, and of those in work: so that at each instant what had arrived less what had
-- been finished or had left is what was open, and what had been started less that is what was in work. A finish that
-- did not last is a task that left and, when it was opened again, arrived. A task that was found done counts as
-- finished when it was last not known to be, at a time that nobody knows (is_dated). First of those that came back.
CREATE TABLE history.returned AS
WITH intervals AS (
    SELECT
        i.task_id, i.life, w.project_id, i.started_at, i.ended_at, i.is_open, i.is_estimated,
        i.is_open AND coalesce(w.started_at <= i.started_at, false) AS in_work,
        coalesce(w.is_done AND i.started_at >= w.done_at, false) AS is_final,
        i.is_open AND i.ended_at IS NOT NULL AND i.started_at = w.last_at AS ends,
        NOT w.is_done OR w.finished_at IS NOT NULL AS is_dated
    FROM history.intervals AS i
    JOIN (FROM history.flow WHERE comes_back OR is_done AND finished_at IS NULL) AS w
    ON w.task_id = i.task_id AND w.life = i.life
), turns AS MATERIALIZED (
    SELECT
        *, lag(is_open) OVER so_far IS NULL AS is_first, coalesce(lag(in_work) OVER so_far, false) AS was_in_work,
        coalesce(lag(is_final) OVER so_far, false) AS was_final, coalesce(lag(is_open) OVER so_far, false) AS was_open,
        is_first OR (is_open OR is_final) AND NOT (was_open OR was_final) AS comes,
        is_final AND NOT was_final AS finishes, (is_first OR was_open) AND NOT (is_open OR is_final) AS leaves
    FROM intervals
    WINDOW so_far AS (PARTITION BY task_id, life ORDER BY started_at)
)
SELECT task_id, life, project_id, is_dated, 'arrived' AS kind, started_at AS occurred_at, is_estimated
FROM turns WHERE comes
UNION ALL
SELECT task_id, life, project_id, is_dated, 'started', started_at, NULL
FROM turns WHERE (in_work OR finishes OR leaves) AND NOT was_in_work
UNION ALL
SELECT task_id, life, project_id, is_dated, 'finished', started_at, is_estimated FROM turns WHERE finishes
UNION ALL
SELECT task_id, life, project_id, is_dated, 'left', started_at, NULL FROM turns WHERE leaves
UNION ALL
SELECT task_id, life, project_id, is_dated, 'started', ended_at, NULL FROM turns WHERE ends AND NOT in_work
UNION ALL
SELECT task_id, life, project_id, is_dated, 'left', ended_at, NULL FROM turns WHERE ends;

CREATE VIEW history.steps AS
SELECT task_id, life, project_id, true AS is_dated, 'arrived' AS kind, arrived_at AS occurred_at,
    arrived_is_estimated AS is_estimated
FROM history.flow WHERE NOT comes_back AND (finished_at IS NOT NULL OR NOT is_done)
UNION ALL
SELECT task_id, life, project_id, true, 'started', least(started_at, left_at), NULL
FROM history.flow
WHERE NOT comes_back AND (finished_at IS NOT NULL OR NOT is_done) AND coalesce(started_at, left_at) IS NOT NULL
UNION ALL
SELECT task_id, life, project_id, true, 'finished', finished_at, finished_is_estimated
FROM history.flow WHERE NOT comes_back AND finished_at IS NOT NULL
UNION ALL
SELECT task_id, life, project_id, true, 'left', left_at, NULL
FROM history.flow WHERE NOT comes_back AND left_at IS NOT NULL
UNION ALL
SELECT task_id, life, project_id, is_dated, kind, occurred_at, is_estimated FROM history.returned;

-- Which life the rows of now belong to: what has no history is theirs.
CREATE TABLE history.present AS
SELECT t.id AS task_id, coalesce(max(d.lives), 0) AS life
FROM typed.tasks AS t LEFT JOIN history.deletions AS d ON d.task_id = t.id
GROUP BY t.id;
