-- What queries see: the tables of the Dashboard as typed views, limited to the chosen project.
-- Reads typed.<table>, which views.py makes (instants as UTC TIMESTAMP, NULL for what is not there), and the tables of
-- the four scripts before it.
-- Variables: those of lives.sql, project (BIGINT, NULL = all), zone (a time zone), unsized_points (BIGINT).
-- Table: sizes.

CREATE MACRO chosen(project_id) AS getvariable('project') IS NULL OR project_id = getvariable('project');

-- A life belongs, with all of its past, to the project that it is in as of the instant, or was in last; one that lasted
-- no time has no flow, and its deletion says where it was.
CREATE MACRO chosen_life(task, number) AS (task, number) IN (
    SELECT (task_id, life) FROM history.flow WHERE chosen(project_id)
    UNION ALL
    SELECT (d.task_id, d.life) FROM history.states AS d ANTI JOIN history.flow AS w
    ON w.task_id = d.task_id AND w.life = d.life
    WHERE d.op = 'delete' AND chosen(d.project_id)
);

-- Days from an instant to as_of, never below 0.
CREATE MACRO age_days(instant) AS
    CASE WHEN instant < getvariable('as_of')
         THEN (epoch_us(getvariable('as_of')) - epoch_us(instant)) / 86400000000.0::DOUBLE
         WHEN instant IS NOT NULL THEN 0.0::DOUBLE END;

-- The first day of the period that an instant is in, in the reader's time zone; weeks begin on Monday.
CREATE MACRO period_of(instant, period) AS
    CAST(date_trunc(period, timezone(getvariable('zone'), timezone('UTC', instant))) AS DATE);

-- An instant that is in the same period in every time zone, of far fewer: since 1972 zones differ by quarters of an hour.
-- (In UTC it is one of each day: views.py.)
CREATE MACRO quarter_of(instant) AS
    CASE WHEN instant < TIMESTAMP '1973-01-01' THEN instant ELSE time_bucket(INTERVAL 15 MINUTE, instant) END;

CREATE MACRO next_period(day, period) AS
    CAST(day + CASE period WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAY ELSE INTERVAL 1 MONTH END AS DATE);

-- Every period from the one of an instant to that of as_of: starts_on, starts_at and ends_at; the first one is
-- partial where it began before the instant, the last one where it has not ended.
CREATE MACRO periods(since, period) AS TABLE
SELECT
    starts_on, begin_of(starts_on) AS starts_at, begin_of(next_period(starts_on, period)) AS ends_at,
    begin_of(starts_on) < since OR begin_of(next_period(starts_on, period)) > getvariable('as_of') AS is_partial
FROM (
    SELECT CAST(unnest(generate_series(
        CAST(period_of(since, period) AS TIMESTAMP), CAST(period_of(getvariable('as_of'), period) AS TIMESTAMP),
        CASE period WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAY ELSE INTERVAL 1 MONTH END
    )) AS DATE) AS starts_on
);

-- The first line that says something; NULL where none does.
CREATE MACRO first_line(text) AS nullif(rtrim(regexp_extract(text, '\S[^\r\n]*')), '');

CREATE VIEW projects AS
SELECT id, name, description, status, created_at
FROM typed.projects
WHERE chosen(id);
COMMENT ON VIEW projects IS 'One row per project.';

CREATE VIEW phases AS
SELECT f.id, f.project_id, p.name AS project, f.name, f.position
FROM typed.phases AS f LEFT JOIN typed.projects AS p ON p.id = f.project_id
WHERE chosen(f.project_id);
COMMENT ON VIEW phases IS 'One row per phase of a project.';

-- Tasks without what takes their whole past to know.
CREATE VIEW history.current AS
SELECT
    i.task_id AS id, i.life, i.project_id, p.name AS project, t.phase_id, f.name AS phase,
    coalesce(i.title, e.title, '') AS title, t.description, i.status, t.priority, i.checked, i.blocked, i.cancelled,
    i.gone, i.is_open, i.blocked_reason, i.complexity,
    coalesce(s.points, getvariable('unsized_points')) AS size,
    s.points IS NOT NULL AS sized,
    t.created_at, t.created_on, t.completed_at, t.completed_on, t.updated_at, t.external_id, t.kind, t.parent_id,
    t.labels, t.assignee, t.due_at, t.milestone,
    coalesce(t.updated_at = t.created_at, t.bad['updated_at'] = t.bad['created_at'], false) AS untouched
FROM history.intervals AS i
LEFT JOIN typed.task_events AS e ON e.event_id = i.title_of
LEFT JOIN history.present AS n ON n.task_id = i.task_id AND n.life = i.life
LEFT JOIN typed.tasks AS t ON t.id = n.task_id
LEFT JOIN typed.projects AS p ON p.id = i.project_id
LEFT JOIN typed.phases AS f ON f.id = t.phase_id
LEFT JOIN sizes AS s ON s.complexity = i.complexity
WHERE i.ended_at IS NULL AND chosen(i.project_id);

CREATE VIEW tasks AS
SELECT c.* REPLACE (w.finished_at AS completed_at, w.finished_on AS completed_on)
FROM history.current AS c LEFT JOIN history.flow AS w ON w.task_id = c.id AND w.life = c.life;
COMMENT ON VIEW tasks IS
'One row per task, as it was as of the instant. checked says that it is done, status is workflow: a checked task is neither blocked nor cancelled nor gone (no longer in the file that it was read from), and is_open is what is none of these. size is complexity in points (sized: whether it has one), untouched whether updated_at is still a copy of created_at. completed_at is when it was finished, as in flow; created_on and completed_on are there where only the date is known. Names, phase, labels and what else has no history are those of now. external_id, kind, parent_id, labels (a JSON array), assignee, due_at and milestone are known from version 2.1 on.';

CREATE VIEW dependencies AS
SELECT d.task_id, d.depends_on_id, d.life, d.depends_on_life, d.started_at, d.ended_at, d.not_before, d.is_estimated
FROM history.dependencies AS d
LEFT JOIN history.flow AS w ON w.task_id = d.task_id AND w.life = d.life
WHERE chosen(w.project_id);
COMMENT ON VIEW dependencies IS 'One row per stretch of time in which the first task depended on the second; ended_at is missing where it still does.';

-- Where a state comes from: its event, what the row said of an earlier time when that was recorded, or the row alone.
CREATE MACRO source_of(state, event) AS
    CASE WHEN state.op = 'backfill' AND event.op IS DISTINCT FROM 'backfill'
         THEN if(state.checked, 'column:completed_at', 'column:created_at')
         WHEN state.event_id IS NULL THEN 'reconcile' ELSE event.source END;

CREATE VIEW events AS
SELECT
    s.event_id, s.task_id, s.life, s.occurred_at, s.on_day,
    CASE WHEN s.event_id IS NULL THEN getvariable('found_at') ELSE e.recorded_at END AS recorded_at, s.not_before, s.op,
    source_of(s, e) AS source, e.actor, s.project_id, p.name AS project,
    coalesce(s.title, t.title, '') AS title, s.status, s.checked, s.blocked_reason, s.complexity, s.gone
FROM history.states AS s
LEFT JOIN typed.task_events AS e ON e.event_id = s.event_id
LEFT JOIN typed.task_events AS t ON t.event_id = s.title_of
LEFT JOIN typed.projects AS p ON p.id = s.project_id
WHERE chosen_life(s.task_id, s.life);
COMMENT ON VIEW events IS 'One row per recorded change of a task, with all that was true behind it. It happened in (not_before, occurred_at]; not_before is missing where it was seen exactly. Where only its date is known, on_day is it. A backfill tells what a row said of a time before the event that was recorded (event_id is that of the event). actor is who made the change, missing where another program did. life counts the tasks that had this id before. Known from version 2.1 on; before, one row says what is there now.';

CREATE VIEW intervals AS
SELECT
    i.task_id, i.life, i.project_id, p.name AS project, coalesce(i.title, t.title, '') AS title, i.status, i.checked,
    i.blocked, i.cancelled, i.gone, i.is_open, i.blocked_reason, i.complexity, i.started_at, i.started_on, i.ended_at,
    i.not_before,
    i.is_estimated, i.op, source_of(i, e) AS source
FROM history.intervals AS i
LEFT JOIN typed.task_events AS e ON e.event_id = i.event_id
LEFT JOIN typed.task_events AS t ON t.event_id = i.title_of
LEFT JOIN typed.projects AS p ON p.id = i.project_id
WHERE chosen_life(i.task_id, i.life);
COMMENT ON VIEW intervals IS 'One row per stretch of time in which nothing changed about a task; ended_at is missing for the last one. is_estimated: nobody saw it begin.';

CREATE VIEW blocks AS
SELECT b.task_id, b.life, b.project_id, b.cause, b.started_at, b.ended_at, b.not_before, b.is_estimated
FROM history.blocks AS b
WHERE chosen_life(b.task_id, b.life);
COMMENT ON VIEW blocks IS 'One row per stretch of time in which a task was blocked (cause: reported) or open with an open dependency (cause: waiting); ended_at is missing where it still is.';

-- Blocks that nobody saw begin: the instant before which each did not begin. A look of the migration, or at a row whose
-- change no trigger saw, found it; it did not begin before the task was last known without it, or was created. Where the
-- first version of a file had it, that version says at least how long it lasts. Without a history only a row that nobody
-- has changed since it was made says anything.
CREATE VIEW history.unseen_blocks AS
SELECT
    b.task_id, b.life,
    CASE WHEN NOT getvariable('has_history') THEN if(t.untouched, t.updated_at, NULL)
         WHEN i.op = 'baseline' AND e.source <> 'baseline' THEN NULL
         WHEN p.started_at IS NOT NULL THEN greatest(p.started_at, b.not_before)
         WHEN t.created_at < b.started_at THEN t.created_at END AS not_before
FROM history.blocks AS b
JOIN history.current AS t ON t.id = b.task_id AND t.life = b.life
JOIN history.intervals AS i ON i.task_id = b.task_id AND i.life = b.life AND i.started_at = b.started_at
LEFT JOIN history.intervals AS p ON p.task_id = b.task_id AND p.life = b.life AND p.ended_at = b.started_at
LEFT JOIN typed.task_events AS e ON e.event_id = i.event_id
WHERE b.cause = 'reported' AND b.is_estimated AND b.ended_at IS NULL;

CREATE VIEW flow AS
SELECT
    w.task_id, w.life, w.project_id, p.name AS project, w.complexity, w.arrived_at, w.arrived_on, w.arrived_is_estimated,
    w.started_at, w.is_done, w.first_finished_at, w.finished_at, w.finished_on, w.finished_is_estimated, w.finishes,
    w.left_at
FROM history.flow AS w LEFT JOIN typed.projects AS p ON p.id = w.project_id
WHERE chosen(w.project_id);
COMMENT ON VIEW flow IS 'One row per task and life: when it arrived, was first in a started status or checked, was first checked (whatever came of it; missing where nobody saw it), was last checked (missing for one that is not, or where nobody saw it), how often it was, and when it was cancelled, deleted or gone from its file instead. arrived_on and finished_on are there where only the date is known; is_estimated: nobody saw it, a row says it.';

CREATE VIEW repos AS
SELECT r.id, r.project_id, p.name AS project, r.path, r.name, r.remote_url, r.default_branch, r.created_at
FROM typed.git_repos AS r LEFT JOIN typed.projects AS p ON p.id = r.project_id
WHERE chosen(r.project_id);
COMMENT ON VIEW repos IS 'One row per git repository of a project.';

CREATE VIEW commits AS
SELECT
    c.sha, r.id AS repo_id, r.name AS repo, r.project_id, p.name AS project, c.author, c.author_email,
    first_line(c.message) AS title, c.message, c.timestamp AS committed_at,
    c.authored_at, c.files_changed, c.insertions, c.deletions, c.is_merge, h.reachable
FROM (
    -- A commit that several repositories hold is one commit: of the chosen project, else of the first.
    SELECT h.sha, min(h.repo_id) AS repo_id, bool_or(h.reachable) AS reachable
    FROM (
        SELECT sha, repo_id, coalesce(reachable, true) AS reachable FROM typed.git_repo_commits
        UNION ALL
        SELECT c.sha, c.repo_id, true FROM typed.git_commits AS c
        ANTI JOIN typed.git_repo_commits AS k ON k.sha = c.sha
    ) AS h
    LEFT JOIN typed.git_repos AS o ON o.id = h.repo_id
    WHERE chosen(o.project_id)
    GROUP BY h.sha
) AS h
JOIN typed.git_commits AS c ON c.sha = h.sha
LEFT JOIN typed.git_repos AS r ON r.id = h.repo_id
LEFT JOIN typed.projects AS p ON p.id = r.project_id
WHERE is_known(c.recorded_at) AND (c.timestamp IS NULL OR c.timestamp <= getvariable('as_of'));
COMMENT ON VIEW commits IS 'One row per git commit; title is the first line of its message, reachable whether a branch or tag still leads to it. authored_at, is_merge and reachable are known from version 2.1 on.';

CREATE VIEW sessions AS
SELECT
    s.id, s.project_id, p.name AS project, first_line(s.summary) AS title, s.summary, s.message_count,
    s.started_at, s.ended_at
FROM typed.llm_sessions AS s LEFT JOIN typed.projects AS p ON p.id = s.project_id
WHERE chosen(s.project_id) AND (s.started_at IS NULL OR s.started_at <= getvariable('as_of'));
COMMENT ON VIEW sessions IS 'One row per session with a language model; title is the first line of its summary.';

CREATE VIEW links AS
SELECT
    l.task_id, l.life, CASE WHEN i.task_id IS NOT NULL THEN coalesce(i.title, e.title, '') END AS task, w.project_id,
    p.name AS project, l.kind, l.target, l.title, l.occurred_at, l.confidence, l.link_type, l.evidence, l.created_at
FROM (
    -- Of the task that had the id when the link was made; where nobody knows when, of the one that has it.
    SELECT *, history.life_when(task_id, coalesce(created_at, 'infinity'), '') AS life
    FROM (
        SELECT
            k.task_id, 'commit' AS kind, k.commit_sha AS target, first_line(c.message) AS title,
            c.timestamp AS occurred_at, k.confidence, k.link_type, k.evidence, k.created_at
        FROM typed.task_commit_links AS k LEFT JOIN typed.git_commits AS c ON c.sha = k.commit_sha
        WHERE is_known(c.recorded_at)
        UNION ALL
        SELECT
            k.task_id, 'session', k.session_id, first_line(s.summary), s.started_at, k.confidence, k.link_type,
            k.evidence, k.created_at
        FROM typed.task_session_links AS k LEFT JOIN typed.llm_sessions AS s ON s.id = k.session_id
    )
    WHERE occurred_at IS NULL OR occurred_at <= getvariable('as_of')
) AS l
LEFT JOIN history.intervals AS i ON i.task_id = l.task_id AND i.life = l.life AND i.ended_at IS NULL
LEFT JOIN typed.task_events AS e ON e.event_id = i.title_of
LEFT JOIN history.flow AS w ON w.task_id = l.task_id AND w.life = l.life
LEFT JOIN history.present AS n ON n.task_id = l.task_id AND n.life = l.life
LEFT JOIN history.deletions AS d ON d.task_id = l.task_id AND d.lives = l.life + 1
LEFT JOIN typed.projects AS p ON p.id = w.project_id
-- A task that came later had no links yet; what is there no more, or never was, still has those that were left behind.
WHERE chosen_life(l.task_id, l.life)
  AND (n.task_id IS NULL AND d.task_id IS NULL
       OR EXISTS (FROM history.states AS s WHERE s.task_id = l.task_id AND s.life = l.life));
COMMENT ON VIEW links IS
'One row per link, as of now, of a task with a commit (target: its sha) or a session (target: its id), both from before the instant. task is the title of the task, missing where it is not there; life counts the tasks that had its id before.';

CREATE VIEW runs AS
SELECT
    r.id, r.kind, r.started_at, r.finished_at, r.outcome, r.details,
    TRY_CAST(CASE WHEN json_valid(r.details) THEN r.details ->> '$.project_id' END AS BIGINT) AS project_id
FROM typed.runs AS r
WHERE coalesce(r.finished_at, r.started_at) <= getvariable('as_of');
COMMENT ON VIEW runs IS 'One row per scan, ingest and link that had ended, of all projects; details is a JSON object with what came of it. Known from version 2.1 on.';

CREATE VIEW gaps AS
SELECT DISTINCT started_at, ended_at
FROM (
    SELECT not_before AS started_at, occurred_at AS ended_at
    FROM typed.task_events
    WHERE source = 'reconcile' AND is_known(recorded_at) AND occurred_at <= getvariable('as_of')
    UNION ALL
    SELECT (SELECT max(coalesce(finished_at, started_at)) FROM runs WHERE kind IN ('scan', 'ingest tasks')), occurred_at
    FROM history.states WHERE event_id IS NULL AND op <> 'backfill'
)
WHERE started_at < ended_at;
COMMENT ON VIEW gaps IS 'One row per stretch of time in which something changed that was not recorded then, in any project: it was found at the end of it.';

-- The same periods, and whether they lie in a gap that is longer than they are: what happened in it is told at its end.
CREATE MACRO recorded_periods(since, period) AS TABLE
SELECT p.*, EXISTS (
    SELECT 1 FROM gaps AS g
    WHERE g.started_at < p.ends_at AND g.ended_at >= p.starts_at
      AND epoch_us(g.ended_at) - epoch_us(g.started_at) > epoch_us(p.ends_at) - epoch_us(p.starts_at)
) AS is_gap
FROM periods(since, period) AS p;

CREATE VIEW blockers AS
SELECT
    b.task_id, b.life, b.project_id, b.cause, b.reason, b.depends_on_id, b.depends_on_life, b.started_at, b.ended_at,
    b.is_estimated
FROM history.blockers AS b
WHERE chosen_life(b.task_id, b.life);
COMMENT ON VIEW blockers IS 'One row per stretch of time in which a task was blocked for one reason (in small letters, with single spaces; missing where nobody said), or waited for one task (reason: its title); ended_at is missing where it still is. A task that waits for two has two.';

CREATE VIEW finished AS
SELECT
    w.task_id, w.life, w.project_id, p.name AS project, t.title, w.complexity, w.arrived_at, w.started_at, w.finished_at,
    -- A migration puts what says that it was done before it was there at the instant of its arrival.
    CASE WHEN NOT w.arrived_seen OR w.finished_is_estimated AND w.finished_at <= w.arrived_at THEN NULL
         WHEN w.arrived_on IS NOT NULL AND w.finished_on IS NOT NULL THEN CAST(w.finished_on - w.arrived_on AS DOUBLE)
         ELSE (epoch_us(w.finished_at) - epoch_us(w.arrived_at)) / 86400000000.0::DOUBLE END AS lead_time_days,
    w.arrived_is_estimated OR w.finished_is_estimated AS lead_time_is_estimated,
    CASE WHEN w.started_seen AND w.started_at < w.finished_at
         THEN (epoch_us(w.finished_at) - epoch_us(w.started_at)) / 86400000000.0::DOUBLE END AS cycle_time_days,
    w.started_is_estimated OR w.finished_is_estimated AS cycle_time_is_estimated
FROM history.flow AS w
LEFT JOIN (
    -- Not the view tasks: it knows more of each, which takes several times as long.
    SELECT i.task_id, i.life, coalesce(i.title, e.title, '') AS title
    FROM history.intervals AS i LEFT JOIN typed.task_events AS e ON e.event_id = i.title_of
    WHERE i.ended_at IS NULL
) AS t ON t.task_id = w.task_id AND t.life = w.life
LEFT JOIN typed.projects AS p ON p.id = w.project_id
WHERE w.finished_at IS NOT NULL AND chosen(w.project_id);
COMMENT ON VIEW finished IS 'One row per task and life that is finished, with a known time: how long it took in days of 24 hours, from its arrival (lead time) and from its start (cycle time), missing where nobody saw the arrival, or no start before the finish; is_estimated: nobody saw one of the ends.';

CREATE VIEW last_left_out AS
WITH latest AS (
    -- A linking is of all projects; it names one where there is but one.
    SELECT
        kind, arg_max_null(project_id, started_at) AS project_id,
        arg_max_null(CASE WHEN json_valid(details) THEN details END, started_at) AS details
    FROM runs WHERE kind IN ('ingest tasks', 'link') AND outcome = 'done'
    GROUP BY kind, CASE kind WHEN 'ingest tasks' THEN project_id END
), chosen_ones AS (
    SELECT kind, project_id, details
    FROM latest WHERE chosen(project_id) AND json_type(details, '$.left_out_by') = 'OBJECT'
)
-- Not `->> key`: a key that begins with $ or / would be a path.
SELECT o.kind, o.project_id, e.key AS reason, TRY_CAST(e.value ->> '$' AS BIGINT) AS left_out
FROM chosen_ones AS o, json_each(o.details, '$.left_out_by') AS e;
COMMENT ON VIEW last_left_out IS 'One row per project and reason for which records were left out at the last reading of its task files (kind: ingest tasks), or ids of commits at the last linking (kind: link; of several projects without a project_id).';
