-- How many tasks had arrived, been started, been finished or left by the end of each period.
-- What leaves passes the start with it, and what was found done counts from then on, so that no line crosses another.
-- Columns: period_on, arrived, started, finished, left (tasks), is_partial, is_gap. Parameters: $by (day, week, month).
WITH found AS (
    -- Done before anybody looked: the end of what was known to be open, else the first look.
    SELECT i.task_id, i.life, coalesce(max(i.ended_at) FILTER (NOT i.checked), min(i.started_at)) AS done_at
    FROM history.intervals AS i
    SEMI JOIN (SELECT task_id, life FROM flow WHERE is_done AND finished_at IS NULL) AS w
    ON w.task_id = i.task_id AND w.life = i.life
    GROUP BY ALL
), steps AS (
    SELECT period_of(arrived_at, $by) AS starts_on, count(*) AS arrived, 0 AS started, 0 AS finished, 0 AS gone
    FROM flow GROUP BY 1
    UNION ALL
    SELECT period_of(least(started_at, left_at), $by), 0, count(*), 0, 0
    FROM flow WHERE started_at IS NOT NULL OR left_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT period_of(finished_at, $by), 0, 0, count(*), 0 FROM flow WHERE finished_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT period_of(done_at, $by), 0, 0, count(*), 0 FROM found GROUP BY 1
    UNION ALL
    SELECT period_of(left_at, $by), 0, 0, 0, count(*) FROM flow WHERE left_at IS NOT NULL GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(sum(sum(s.arrived)) OVER so_far AS BIGINT) AS arrived,
    CAST(sum(sum(s.started)) OVER so_far AS BIGINT) AS started,
    CAST(sum(sum(s.finished)) OVER so_far AS BIGINT) AS finished,
    CAST(sum(sum(s.gone)) OVER so_far AS BIGINT) AS "left", p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
GROUP BY p.starts_on, p.is_partial, p.is_gap
WINDOW so_far AS (ORDER BY p.starts_on)
ORDER BY period_on
