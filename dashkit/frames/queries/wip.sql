-- How many tasks were in work, and how many open, at the end of each period: what came into it less what went.
-- Columns: period_on, wip, open, estimated (tasks), is_partial, is_gap. Parameters: $by (day, week, month).
WITH lived AS (
    SELECT i.started_at, i.ended_at, coalesce(w.started_at <= i.started_at, false) AS in_work, i.is_estimated
    FROM history.intervals AS i LEFT JOIN history.flow AS w ON w.task_id = i.task_id AND w.life = i.life
    WHERE i.is_open AND chosen(w.project_id)
), moments AS (
    SELECT quarter_of(started_at) AS moment, count(*) FILTER (in_work) AS wip, count(*) AS open,
        count(*) FILTER (in_work AND is_estimated) AS estimated
    FROM lived GROUP BY 1
    UNION ALL
    SELECT quarter_of(ended_at), -count(*) FILTER (in_work), -count(*), -count(*) FILTER (in_work AND is_estimated)
    FROM lived WHERE ended_at IS NOT NULL GROUP BY 1
), steps AS (
    SELECT period_of(moment, $by) AS starts_on, sum(wip) AS wip, sum(open) AS open, sum(estimated) AS estimated
    FROM moments GROUP BY 1
)
SELECT
    p.starts_on AS period_on, CAST(coalesce(sum(sum(s.wip)) OVER so_far, 0) AS BIGINT) AS wip,
    CAST(coalesce(sum(sum(s.open)) OVER so_far, 0) AS BIGINT) AS open,
    CAST(coalesce(sum(sum(s.estimated)) OVER so_far, 0) AS BIGINT) AS estimated, p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p
LEFT JOIN steps AS s ON s.starts_on = p.starts_on
GROUP BY p.starts_on, p.is_partial, p.is_gap
WINDOW so_far AS (ORDER BY p.starts_on)
ORDER BY period_on
