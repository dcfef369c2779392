-- How many tasks had arrived, been started, been finished or left by the end of each period: arrived - finished - left is
-- what was open then, and started - finished - left what was in work.
-- What leaves passes the start with it, and what was found done counts from then on, so that no line crosses another.
-- Columns: period_on, arrived, started, finished, left (tasks), is_partial, is_gap. Parameters: $by (day, week, month).
WITH moments AS (
    SELECT
        quarter_of(occurred_at) AS moment, count(*) FILTER (kind = 'arrived') AS arrived,
        count(*) FILTER (kind = 'started') AS started, count(*) FILTER (kind = 'finished') AS finished,
        count(*) FILTER (kind = 'left') AS gone
    FROM history.steps WHERE chosen(project_id) GROUP BY 1
), steps AS (
    SELECT period_of(moment, $by) AS starts_on, sum(arrived) AS arrived, sum(started) AS started,
        sum(finished) AS finished, sum(gone) AS gone
    FROM moments GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(coalesce(sum(s.arrived) OVER so_far, 0) AS BIGINT) AS arrived,
    CAST(coalesce(sum(s.started) OVER so_far, 0) AS BIGINT) AS started,
    CAST(coalesce(sum(s.finished) OVER so_far, 0) AS BIGINT) AS finished,
    CAST(coalesce(sum(s.gone) OVER so_far, 0) AS BIGINT) AS "left", p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
WINDOW so_far AS (ORDER BY p.starts_on)
ORDER BY period_on
