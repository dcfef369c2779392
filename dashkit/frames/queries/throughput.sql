-- How many tasks were finished in each period; one that was reopened counts once, where it was finished last.
-- Columns: period_on, finished, finished_size (points), estimated (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH moments AS (
    SELECT quarter_of(finished_at) AS moment, complexity, count(*) AS finished,
        count(*) FILTER (finished_is_estimated) AS estimated
    FROM flow WHERE finished_at IS NOT NULL GROUP BY 1, 2
), steps AS (
    SELECT
        period_of(m.moment, $by) AS starts_on, sum(m.finished) AS finished, sum(m.estimated) AS estimated,
        sum(m.finished * coalesce(s.points, getvariable('unsized_points'))) AS finished_size
    FROM moments AS m LEFT JOIN sizes AS s ON s.complexity = m.complexity
    GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(coalesce(s.finished, 0) AS BIGINT) AS finished,
    CAST(coalesce(s.finished_size, 0) AS BIGINT) AS finished_size, CAST(coalesce(s.estimated, 0) AS BIGINT) AS estimated,
    p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
ORDER BY period_on
