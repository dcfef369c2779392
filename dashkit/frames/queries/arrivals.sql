-- How many tasks came in each period, and how many went: finished, or left without being finished. What was done at a
-- time that nobody knows is in no period, neither come nor gone: what is counted adds up to what is open.
-- Columns: period_on, arrived, estimated, finished, left, net_flow (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH steps AS (
    SELECT period_of(arrived_at, $by) AS starts_on, count(*) AS arrived, count(*) FILTER (arrived_is_estimated) AS estimated,
        0 AS finished, 0 AS gone
    FROM flow WHERE NOT is_done OR finished_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT period_of(finished_at, $by), 0, 0, count(*), 0 FROM flow WHERE finished_at IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT period_of(left_at, $by), 0, 0, 0, count(*) FROM flow WHERE left_at IS NOT NULL GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(coalesce(sum(s.arrived), 0) AS BIGINT) AS arrived,
    CAST(coalesce(sum(s.estimated), 0) AS BIGINT) AS estimated,
    CAST(coalesce(sum(s.finished), 0) AS BIGINT) AS finished, CAST(coalesce(sum(s.gone), 0) AS BIGINT) AS "left",
    CAST(coalesce(sum(s.arrived - s.finished - s.gone), 0) AS BIGINT) AS net_flow, p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
GROUP BY p.starts_on, p.is_partial, p.is_gap
ORDER BY period_on
