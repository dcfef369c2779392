-- How many tasks were finished in each period; one that was reopened counts once, where it was finished last.
-- Columns: period_on, finished, finished_size (points), estimated (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH finished AS (
    SELECT period_of(w.finished_at, $by) AS starts_on, coalesce(s.points, getvariable('unsized_points')) AS size,
        w.finished_is_estimated AS is_estimated
    FROM flow AS w LEFT JOIN sizes AS s ON s.complexity = w.complexity
    WHERE w.finished_at IS NOT NULL
)
SELECT
    p.starts_on AS period_on, count(f.starts_on) AS finished, CAST(coalesce(sum(f.size), 0) AS BIGINT) AS finished_size,
    count(*) FILTER (f.is_estimated) AS estimated, p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN finished AS f ON f.starts_on = p.starts_on
GROUP BY p.starts_on, p.is_partial, p.is_gap
ORDER BY period_on
