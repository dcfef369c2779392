-- When tasks came, were started, were finished and left.

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
), ends AS (
    -- Its first interval, the first one in which it was started, and its last one; no two begin at one instant.
    SELECT
        task_id, life, min(started_at) AS arrived_at, max(started_at) AS last_at,
        arg_min({
            'is_estimated': is_estimated, 'is_seen': is_seen AND NOT (checked AND op = 'backfill')}, started_at) AS first,
        arg_min({'at': started_at, 'is_estimated': is_estimated, 'is_seen': is_seen}, started_at)
            FILTER (is_started) AS start,
        arg_max({
            'project_id': project_id, 'complexity': complexity, 'checked': checked, 'has_left': has_left,
            'ended_at': ended_at}, started_at) AS last,
        max(ended_at) FILTER (NOT has_left) AS gone_at,
        coalesce(max(started_at) FILTER (is_open) > min(started_at) FILTER (NOT is_open), false)
            OR bool_or(checked) AND bool_or(has_left) AS comes_back
    FROM told
    GROUP BY task_id, life
), lives AS (
    SELECT
        task_id, life, last.project_id, last.complexity, arrived_at, first.is_estimated AS arrived_is_estimated,
        first.is_seen AS arrived_seen, start.at AS started_at, start.is_estimated AS started_is_estimated,
        start.is_seen AS started_seen, last.checked AS is_done,
        CASE WHEN last.has_left THEN coalesce(gone_at, arrived_at) WHEN NOT is_done THEN last.ended_at END AS left_at,
        comes_back, last_at
    FROM ends
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
WITH stages AS (
    SELECT
        i.task_id, i.life, w.project_id, i.started_at, i.ended_at, i.is_estimated,
        CAST(CASE WHEN i.is_open AND w.started_at <= i.started_at THEN 3 WHEN i.is_open THEN 1
                  WHEN w.is_done AND i.started_at >= w.done_at THEN 4 ELSE 0 END AS UTINYINT) AS is_now,
        i.is_open AND i.ended_at IS NOT NULL AND i.started_at = w.last_at AS ends,
        NOT w.is_done OR w.finished_at IS NOT NULL AS is_dated
    FROM history.intervals AS i
    JOIN (FROM history.flow WHERE comes_back OR is_done AND finished_at IS NULL) AS w
    ON w.task_id = i.task_id AND w.life = i.life
), turns AS MATERIALIZED (
    -- What it is (1 open, 2 in work, 4 finished) and was before, as one number: a window takes its time for each column.
    SELECT
        * EXCLUDE (is_now), is_now & 2 > 0 AS in_work, was IS NULL AS is_first, coalesce(was & 1 > 0, false) AS was_open,
        coalesce(was & 2 > 0, false) AS was_in_work, coalesce(was & 4 > 0, false) AS was_final,
        is_now & 4 > 0 AS is_final, is_first OR is_now & 5 > 0 AND NOT (was_open OR was_final) AS comes,
        is_final AND NOT was_final AS finishes, (is_first OR was_open) AND is_now & 5 = 0 AS leaves
    FROM (SELECT *, lag(is_now) OVER (PARTITION BY task_id, life ORDER BY started_at) AS was FROM stages)
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
