-- Which events are of which life of a task, as far as they are known. The first of five scripts: lives, states, blocks,
-- flow, views; each builds on those before it, and reads typed.<table>.
-- Variables: as_of, known_at, found_at (TIMESTAMP, UTC; known_at NULL = all that is recorded; found_at = the instant
-- at which the rows themselves are taken as seen), has_history (BOOLEAN), zone (a time zone), started_statuses
-- (VARCHAR[]).

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
-- earlier one, was imported again: by its id or, under a new id, in the order of those that are like it.
CREATE TABLE history.reimports AS
WITH deleted AS (
    SELECT event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on, true AS is_deletion
    FROM typed.task_events WHERE op = 'delete' AND said_created_at IS NOT NULL AND is_known(recorded_at)
), inserted AS (
    SELECT event_id, task_id, project_id, title, recorded_at, said_created_at, said_created_on, false AS is_deletion
    FROM typed.task_events
    WHERE op = 'insert' AND title IN (SELECT title FROM deleted) AND is_known(recorded_at)
      AND history.is_earlier(said_created_at, said_created_on, recorded_at, op)
), same AS (
    SELECT d.event_id AS deleted, min(i.event_id) AS inserted, any_value(d.task_id) AS task_id
    FROM deleted AS d JOIN inserted AS i
    ON i.task_id = d.task_id AND i.title = d.title AND i.said_created_at = d.said_created_at
    AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on
    AND i.event_id > d.event_id AND i.recorded_at <= d.recorded_at + INTERVAL 1 HOUR
    GROUP BY d.event_id
), others AS (
    SELECT *, lag(is_deletion) OVER alike IS DISTINCT FROM is_deletion AS begins
    FROM (FROM deleted UNION ALL FROM inserted)
    WHERE event_id NOT IN (SELECT deleted FROM same UNION ALL SELECT inserted FROM same)
    WINDOW alike AS (PARTITION BY project_id, title, said_created_at, said_created_on ORDER BY event_id)
), runs AS (
    -- Deletions that follow each other, then insertions, and so on.
    SELECT
        *, count(*) FILTER (begins) OVER (
            PARTITION BY project_id, title, said_created_at, said_created_on ORDER BY event_id) AS run
    FROM others
), places AS (
    SELECT
        *, row_number() OVER (
            PARTITION BY project_id, title, said_created_at, said_created_on, run ORDER BY event_id) AS place
    FROM runs
)
SELECT deleted, inserted, task_id AS old_id, task_id AS new_id FROM same
UNION ALL
SELECT d.event_id, i.event_id, d.task_id, i.task_id
FROM places AS d JOIN places AS i
ON i.title = d.title AND i.project_id IS NOT DISTINCT FROM d.project_id AND i.said_created_at = d.said_created_at
AND i.said_created_on IS NOT DISTINCT FROM d.said_created_on AND i.run = d.run + 1 AND i.place = d.place
AND i.recorded_at <= d.recorded_at + INTERVAL 1 HOUR
WHERE d.is_deletion AND NOT i.is_deletion;

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
