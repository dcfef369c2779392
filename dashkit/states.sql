-- From events to intervals: what was true of each task, from when to when, as of an instant; docs/schema.md has the
-- rules ("When a task was created and finished").
-- Where only the date of an event is known, on_day is it, and occurred_at lies in that day, for the order alone.

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
    last_value(e.titled_by IGNORE NULLS) OVER so_far AS title_of,
    e.found_title AS title,
    nullif(last_value(e.status IGNORE NULLS) OVER so_far, '') AS status,
    coalesce(last_value(e.checked IGNORE NULLS) OVER so_far, false) AS checked,
    nullif(last_value(e.blocked_reason IGNORE NULLS) OVER so_far, '') AS blocked_reason,
    nullif(last_value(e.complexity IGNORE NULLS) OVER so_far, '') AS complexity,
    coalesce(last_value(e.gone IGNORE NULLS) OVER so_far, false) AS gone
FROM (
    SELECT *, CASE WHEN title IS NOT NULL THEN event_id END AS titled_by
    FROM query_table(relation) WHERE occurred_at <= getvariable('as_of')
) AS e
WINDOW so_far AS (PARTITION BY e.task_id, e.life ORDER BY e.occurred_at, e.place ROWS UNBOUNDED PRECEDING);

-- First as the events were recorded; then the lives anew of which rows say more: of earlier times, of dates, or what
-- no event says.
CREATE TABLE history.states AS FROM history.states_of('history.known');

-- A row that is not what its events say was written where no trigger saw it. A database without a history is one
-- such row for each task, at which somebody looks for the first time.
CREATE TEMP TABLE found AS
WITH last AS (
    SELECT s.* REPLACE (coalesce(e.title, '') AS title)
    FROM history.states AS s
    ANTI JOIN (SELECT task_id, life FROM history.states WHERE life > 0) AS n ON n.task_id = s.task_id AND n.life > s.life
    LEFT JOIN typed.task_events AS e ON e.event_id = s.title_of
    WHERE s.ended_at IS NULL
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

CREATE TEMP TABLE with_dates (task_id BIGINT, life BIGINT);
CREATE TEMP TABLE candidates AS
SELECT task_id FROM typed.task_events WHERE on_day IS NOT NULL
UNION ALL
SELECT task_id FROM typed.task_events
WHERE said_completed_at IS NOT NULL AND checked
  AND (op = 'backfill' OR history.is_earlier(said_completed_at, said_completed_on, occurred_at, op))
UNION ALL
SELECT task_id FROM typed.task_events
WHERE said_created_at IS NOT NULL AND op IN ('insert', 'baseline', 'reconcile')
  AND history.is_earlier(said_created_at, said_created_on, occurred_at, op)
UNION ALL
SELECT task_id FROM found;

-- Behind a claim its baseline is usual, which agrees with it; what is unchecked there, or claims otherwise, is not.
CREATE TEMP VIEW doubted AS
SELECT c.task_id
FROM typed.task_events AS o JOIN typed.task_events AS c
ON c.task_id = o.task_id AND c.occurred_at <= o.occurred_at AND c.event_id <> o.event_id
WHERE c.op = 'backfill' AND c.source = 'column:completed_at' AND c.checked
  AND (NOT coalesce(o.checked, o.bad['checked'] IS NULL) OR is_claim(o.op, o.source, o.checked));

/* only if there are rows in doubted */
INSERT INTO candidates
SELECT recorded_id
FROM (
    SELECT
        recorded_id, NOT checked OR is_claim(op, source, checked) AS is_other,
        lag(is_claim(op, source, checked)) OVER (PARTITION BY task_id, life ORDER BY occurred_at, event_id) AS is_behind
    FROM history.known
    WHERE checked IS NOT NULL AND recorded_id IN (FROM doubted)
)
WHERE is_other AND is_behind;

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
        *, row_number() OVER so_far AS number, coalesce(last_value(said_box IGNORE NULLS) OVER so_far, false) AS box,
        coalesce(last_value(said_box IGNORE NULLS) OVER before, false) AS was_box,
        last_value(said_word IGNORE NULLS) OVER so_far AS word,
        coalesce(last_value(said_word IGNORE NULLS) OVER before = 'completed', false) AS was_completed
    FROM (SELECT *, if(is_claim, NULL, checked) AS said_box, if(is_claim, NULL, status) AS said_word FROM told)
    WINDOW so_far AS (PARTITION BY task_id, life ORDER BY occurred_at, event_id ROWS UNBOUNDED PRECEDING),
        before AS (PARTITION BY task_id, life ORDER BY occurred_at, event_id
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), turns AS (
    SELECT
        * EXCLUDE (said_box, said_word, box, was_box, word, was_completed), box AND NOT was_box AS turns_on,
        was_box AND NOT box OR was_completed AND word IS DISTINCT FROM 'completed' AS leaves
    FROM states
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
         -- What is inserted as done, as if created now, has the default of its column: nobody knows when that was.
         WHEN op = 'insert' AND (source IS DISTINCT FROM 'trigger' OR said_created_at IS NOT NULL AND NOT checked)
             OR source = 'column:created_at'
         THEN occurred_at END AS created_at,
    CASE WHEN is_earlier THEN said_created_on WHEN created_at IS NOT NULL THEN on_day END AS created_on
FROM evidence
WHERE NOT is_claim
QUALIFY row_number() OVER (PARTITION BY task_id, life ORDER BY number) = 1;

-- What is said of when a turn of the box was a finish; the last word comes first. What the row said to the event has
-- to be of an earlier time; what it said later, a claim, may also take such a word back.
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
      -- What the row said of an earlier finish already is no news of this one.
      AND NOT EXISTS (
          FROM evidence AS o WHERE o.task_id = t.task_id AND o.life = t.life AND o.times_left < t.times_left AND o.checked
          AND o.said_completed_at = t.said_completed_at AND o.said_completed_on IS NOT DISTINCT FROM t.said_completed_on)
    UNION ALL
    SELECT
        t.task_id, t.life, t.number, t.times_left, k.number, k.event_id, k.on_day, k.occurred_at
    FROM evidence AS k JOIN evidence AS t
    ON t.task_id = k.task_id AND t.life = k.life AND t.turns_on AND t.times_left = k.times_left
    WHERE k.is_claim
);

-- The same events, and what is known besides: each creation, and each finish, as a backfill. From a finish on the box
-- is on, and not before it.
CREATE TEMP TABLE mended AS
SELECT
    e.task_id, e.life, e.event_id, e.occurred_at, e.on_day, e.not_before, e.op, e.project_id, e.title, e.status,
    CASE WHEN e.is_claim AND k.place > 1 OR NOT e.checked AND f.finished_at <= e.occurred_at AND f.turn > e.number
              OR e.checked AND NOT e.is_claim AND f.finished_at > e.occurred_at
         THEN NULL ELSE e.checked END AS checked,
    e.blocked_reason, e.complexity, e.gone, e.found_title, 2 AS rank
FROM evidence AS e
LEFT JOIN claims AS k ON k.task_id = e.task_id AND k.life = e.life AND k.number = e.number
LEFT JOIN claims AS f
ON f.task_id = e.task_id AND f.life = e.life AND f.place = 1 AND f.times_left = e.times_left
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
-- came before another one counts on no later day. First the lives without dates, of which there is nothing to find out.
INSERT INTO with_dates SELECT DISTINCT task_id, life FROM mended WHERE on_day IS NOT NULL;
CREATE TEMP TABLE dated AS
SELECT * EXCLUDE (rank), row_number() OVER (PARTITION BY task_id, life ORDER BY occurred_at, event_id, rank) AS place
FROM mended ANTI JOIN with_dates USING (task_id, life);

/* only if there are rows in with_dates */
INSERT INTO dated BY NAME
WITH ordered AS (
    SELECT
        *, row_number() OVER (PARTITION BY task_id, life ORDER BY occurred_at, event_id, rank) AS place,
        -- However little of its day is left, what stood behind another one still does.
        dense_rank() OVER (PARTITION BY task_id, life ORDER BY occurred_at) AS step,
        dense_rank() OVER (PARTITION BY task_id, life ORDER BY occurred_at DESC) AS to_come,
        CASE WHEN on_day IS NULL THEN occurred_at
             ELSE greatest(begin_of(on_day) + to_milliseconds(step - 1),
                           least(occurred_at, begin_of(on_day + 1) - to_milliseconds(to_come))) END AS instant
    FROM mended SEMI JOIN with_dates USING (task_id, life)
), clashes AS (
    SELECT *, instant > min(instant) OVER after AS clashes, min(instant - to_milliseconds(step)) OVER rest AS latest
    FROM ordered
    WINDOW after AS (PARTITION BY task_id, life ORDER BY place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
        rest AS (PARTITION BY task_id, life ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
), kept AS (
    SELECT * EXCLUDE (clashes, latest) REPLACE (
        if(bool_or(clashes) OVER (PARTITION BY task_id, life), latest + to_milliseconds(step), instant) AS instant)
    FROM clashes
), counted AS (
    SELECT *
    FROM kept
    QUALIFY bool_and(instant <= getvariable('as_of') OR coalesce(begin_of(on_day) <= getvariable('as_of'), false))
        OVER (PARTITION BY task_id, life ORDER BY place)
)
SELECT
    * EXCLUDE (occurred_at, instant, rank, step, to_come),
    CASE WHEN instant <= getvariable('as_of') THEN instant
         ELSE getvariable('as_of')
             - to_milliseconds(row_number() OVER (PARTITION BY task_id, life ORDER BY place DESC) - 1) END AS occurred_at
FROM counted;

/* only if there are rows in candidates */
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
DROP TABLE with_dates;
DROP VIEW doubted;
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
