-- How many tasks came to be open in each period, and how many went: finished, or left without being finished. A task that
-- came back came again; a finish that did not last is one that left. What was done at a time that nobody knows is in no
-- period, neither come nor gone: what is counted adds up to what is open.
-- Columns: period_on, arrived, estimated, finished, left, net_flow (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH moments AS (
    SELECT
        quarter_of(occurred_at) AS moment, count(*) FILTER (kind = 'arrived') AS arrived,
        count(*) FILTER (kind = 'arrived' AND is_estimated) AS estimated, count(*) FILTER (kind = 'finished') AS finished,
        count(*) FILTER (kind = 'left') AS gone
    FROM history.steps WHERE is_dated AND kind <> 'started' AND chosen(project_id) GROUP BY 1
), steps AS (
    SELECT period_of(moment, $by) AS starts_on, sum(arrived) AS arrived, sum(estimated) AS estimated,
        sum(finished) AS finished, sum(gone) AS gone
    FROM moments GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(coalesce(s.arrived, 0) AS BIGINT) AS arrived,
    CAST(coalesce(s.estimated, 0) AS BIGINT) AS estimated, CAST(coalesce(s.finished, 0) AS BIGINT) AS finished,
    CAST(coalesce(s.gone, 0) AS BIGINT) AS "left", CAST(coalesce(s.arrived - s.finished - s.gone, 0) AS BIGINT) AS net_flow,
    p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
ORDER BY period_on
