-- How many tasks came to be open in each period, and how many went: finished, or left without being finished. A task that
-- came back came again; a finish that did not last is one that left. What was done at a time that nobody knows is in no
-- period, neither come nor gone: what is counted adds up to what is open.
-- Columns: period_on, arrived, estimated, finished, left, net_flow (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH steps AS (
    SELECT
        period_of(occurred_at, $by) AS starts_on, count(*) FILTER (kind = 'arrived') AS arrived,
        count(*) FILTER (kind = 'arrived' AND is_estimated) AS estimated, count(*) FILTER (kind = 'finished') AS finished,
        count(*) FILTER (kind = 'left') AS gone
    FROM history.steps WHERE is_dated AND kind <> 'started' AND chosen(project_id) GROUP BY 1
)
SELECT
    p.starts_on AS period_on, coalesce(s.arrived, 0) AS arrived, coalesce(s.estimated, 0) AS estimated,
    coalesce(s.finished, 0) AS finished, coalesce(s.gone, 0) AS "left",
    coalesce(s.arrived - s.finished - s.gone, 0) AS net_flow, p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p LEFT JOIN steps AS s ON s.starts_on = p.starts_on
ORDER BY period_on
