-- How many tasks were blocked, and how many waiting, at the end of each period: what came into it less what went.
-- Columns: period_on, cause, blocked, entered, left, estimated (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH steps AS (
    SELECT cause, period_of(started_at, $by) AS starts_on, count(*) AS entered, 0 AS gone,
        count(*) FILTER (is_estimated) AS estimated
    FROM blocks GROUP BY 1, 2
    UNION ALL
    SELECT cause, period_of(ended_at, $by), 0, count(*), -count(*) FILTER (is_estimated)
    FROM blocks WHERE ended_at IS NOT NULL GROUP BY 1, 2
), since AS (
    SELECT least((SELECT min(arrived_at) FROM flow), (SELECT min(started_at) FROM blocks)) AS started_at
)
SELECT
    p.starts_on AS period_on, c.cause, CAST(coalesce(sum(sum(s.entered - s.gone)) OVER so_far, 0) AS BIGINT) AS blocked,
    CAST(coalesce(sum(s.entered), 0) AS BIGINT) AS entered, CAST(coalesce(sum(s.gone), 0) AS BIGINT) AS "left",
    CAST(coalesce(sum(sum(s.estimated)) OVER so_far, 0) AS BIGINT) AS estimated, p.is_partial, p.is_gap
FROM recorded_periods((SELECT started_at FROM since), $by) AS p
CROSS JOIN (VALUES ('reported'), ('waiting')) AS c(cause)
LEFT JOIN steps AS s ON s.starts_on = p.starts_on AND s.cause = c.cause
GROUP BY p.starts_on, c.cause, p.is_partial, p.is_gap
WINDOW so_far AS (PARTITION BY c.cause ORDER BY p.starts_on)
ORDER BY period_on, cause
