-- Which events are of which life of a task, as far as they are known. The first of five scripts: lives, states, blocks,
-- flow, views; each builds on those before it, and reads typed.<table>.
-- Variables: as_of, known_at, found_at (TIMESTAMP, UTC; known_at NULL = all that is recorded; found_at = the instant
-- at which the rows themselves are taken as seen), has_history (BOOLEAN), zone (a time zone), started_statuses
-- (VARCHAR[]).

CREATE MACRO is_known(recorded_at) AS
    getvariable('known_at') IS NULL OR recorded_at IS NULL OR recorded_at <= getvariable('known_at');

-- Whether what the rows say counts: they were seen by as_of, and known.
CREATE MACRO rows_count() AS getvariable('found_at') <= getvariable('as_of') AND is_known(getvariable('found_at'));

-- What the reader's clock shows at an instant, and the last instant at which it shows the midnight of a day.
CREATE MACRO history.clock(instant) AS timezone(getvariable('zone'), timezone('UTC', instant));

CREATE MACRO history.midnight(day) AS timezone('UTC', timezone(getvariable('zone'), CAST(day AS TIMESTAMP)));

-- The same by the offset that held some hours earlier: where the clock is put back at midnight it shows that twice.
CREATE MACRO history.midnight_before(day) AS
    least(history.midnight(day), history.midnight(day)
        - (history.clock(history.midnight(day) - INTERVAL 3 HOUR) + INTERVAL 3 HOUR - CAST(day AS TIMESTAMP)));

-- The instant at which a day begins in the reader's time zone; the first one where there are two.
CREATE MACRO begin_of(day) AS
    CASE WHEN history.clock(history.midnight_before(day)) = CAST(day AS TIMESTAMP)
         THEN history.midnight_before(day) ELSE history.midnight(day) END;

-- Whether what a row said, when an event was recorded, is of an earlier time. An event that saw something happen
-- knows its minute; a baseline only looked.
CREATE MACRO history.is_earlier(instant, on_day, occurred_at, op) AS
    CASE WHEN on_day IS NULL
         THEN instant < occurred_at AND (op = 'baseline' OR instant <= occurred_at - INTERVAL 1 MINUTE)
         WHEN op = 'baseline' THEN CAST(on_day AS TIMESTAMP) < occurred_at
         ELSE on_day < CAST(occurred_at AS DATE) END;

-- A task that is deleted and inserted again within an hour, with the same title and the same creation time, which is an
-- earlier one, was imported again: by its id, if no other task had it meanwhile, or, under a new id, in the order of
-- those that are like it. INSERT OR REPLACE deletes and inserts in one statement (with recursive_triggers it is two
-- events of one instant), and the task stays the same one. store/reimports.py has these rules for the functions.
CREATE TABLE history.reimports (
    deleted BIGINT, inserted BIGINT, old_id BIGINT, new_id BIGINT, keeps_id BOOLEAN, is_import BOOLEAN
);

/* only if there are rows in typed.task_events WHERE op = 'delete' AND said_created_at IS NOT NULL */
INSERT INTO history.reimports
WITH deleted AS (
    SELECT event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on, true AS is_deletion
    FROM typed.task_events WHERE op = 'delete' AND is_known(recorded_at)
), came AS (
    SELECT
        event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on, false AS is_deletion,
        coalesce(history.is_earlier(said_created_at, said_created_on, recorded_at, op), false) AS was_before
    FROM typed.task_events
    WHERE op = 'insert' AND is_known(recorded_at)
      AND (task_id IN (SELECT task_id FROM deleted) OR title IN (SELECT title FROM deleted))
), followed AS (
    SELECT *, lead(event_id) OVER (PARTITION BY task_id ORDER BY event_id) AS next_id
    FROM (FROM deleted UNION ALL BY NAME FROM came)
), same AS (
    SELECT
        d.event_id AS deleted, i.event_id AS inserted, d.task_id,
        i.was_before AND i.title = d.title AND i.said_created_at = d.said_created_at
            AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on
            AND i.recorded_at <= d.recorded_at + INTERVAL 1 HOUR AS is_import,
        i.event_id = d.event_id + 1 AND i.recorded_at = d.recorded_at AND d.said_created_at IS NOT NULL
            AND (i.title = d.title OR i.was_before AND i.said_created_at = d.said_created_at
                AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on) AS is_replaced
    FROM followed AS d JOIN came AS i ON i.event_id = d.next_id
    WHERE d.is_deletion AND (is_import OR is_replaced)
), inserted AS (
    FROM came WHERE was_before AND title IN (SELECT title FROM deleted)
), others AS (
    SELECT *, lag(is_deletion) OVER alike IS DISTINCT FROM is_deletion AS begins
    FROM (FROM deleted WHERE said_created_at IS NOT NULL UNION ALL BY NAME FROM inserted)
    WHERE event_id NOT IN (SELECT deleted FROM same UNION ALL SELECT inserted FROM same)
    WINDOW alike AS (PARTITION BY project_id, title, said_created_at, said_created_on ORDER BY event_id)
), turns AS (
    -- Deletions that follow each other, then insertions, and so on.
    SELECT
        *, count(*) FILTER (begins) OVER (
            PARTITION BY project_id, title, said_created_at, said_created_on ORDER BY event_id) AS turn
    FROM others
), places AS (
    SELECT
        *, row_number() OVER (
            PARTITION BY project_id, title, said_created_at, said_created_on, turn ORDER BY event_id) AS place
    FROM turns
)
SELECT
    deleted, inserted, task_id AS old_id, task_id AS new_id, true AS keeps_id, coalesce(is_import, false) AS is_import
FROM same
UNION ALL
SELECT d.event_id, i.event_id, d.task_id, i.task_id, false, true
FROM places AS d JOIN places AS i
ON i.title = d.title AND i.project_id IS NOT DISTINCT FROM d.project_id AND i.said_created_at = d.said_created_at
AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on AND i.turn = d.turn + 1 AND i.place = d.place
AND i.recorded_at <= d.recorded_at + INTERVAL 1 HOUR
WHERE d.is_deletion AND NOT i.is_deletion;

-- A life is what lies between deletions; SQLite gives the id of a deleted task to the next one, which is another life.
CREATE TABLE history.deletions AS
SELECT task_id, event_id, recorded_at, row_number() OVER (PARTITION BY task_id ORDER BY event_id) AS lives
FROM typed.task_events
WHERE op = 'delete' AND event_id NOT IN (SELECT deleted FROM history.reimports WHERE keeps_id);

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
    FROM history.reimports WHERE NOT keeps_id
), chain AS (
    -- From the last ones back, so that each step is taken once.
    FROM steps AS s ANTI JOIN steps AS n ON n.task_id = s.to_id AND n.life = s.to_life
    UNION ALL
    SELECT s.task_id, s.life, c.to_id, c.to_life
    FROM chain AS c JOIN steps AS s ON s.to_id = c.task_id AND s.to_life = c.life
)
FROM chain;

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
