-- What blocked how many tasks in each period, and for how long; a period in which a cause blocked nothing has no row.
-- Of each reason only the periods in which something begins or ends are reckoned; between them nothing changes.
-- Columns: period_on, cause, reason, depends_on_id, tasks, days (days), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH told AS MATERIALIZED (
    SELECT
        *, [cause, reason, CAST(depends_on_id AS VARCHAR), CAST(depends_on_life AS VARCHAR)] AS blocker,
        coalesce(ended_at, getvariable('as_of')) AS until, period_of(started_at, $by) AS first_on,
        greatest(first_on, period_of(until - INTERVAL 1 MICROSECOND, $by)) AS last_on
    FROM blockers
), turns AS (
    -- A task that is blocked twice by the same in one period is one task.
    SELECT
        *, lag(last_on) OVER same IS DISTINCT FROM first_on AS comes,
        lead(first_on) OVER same IS DISTINCT FROM last_on AS goes
    FROM told
    WINDOW same AS (PARTITION BY task_id, life, blocker ORDER BY started_at)
), steps AS (
    -- idle: what the first and last period have of each stretch in which it was not there.
    SELECT blocker, first_on AS starts_on, count(*) AS begun, 0 AS ended, count(*) FILTER (comes) AS came, 0 AS went,
        sum(epoch_us(started_at) - epoch_us(begin_of(first_on))) AS idle
    FROM turns GROUP BY ALL
    UNION ALL
    SELECT blocker, last_on, 0, count(*), 0, count(*) FILTER (goes),
        sum(epoch_us(least(begin_of(next_period(last_on, $by)), getvariable('as_of'))) - epoch_us(until))
    FROM turns GROUP BY ALL
), sums AS (
    SELECT
        blocker, starts_on, lead(starts_on) OVER so_far AS next_on, sum(idle) AS idle,
        sum(sum(begun - ended)) OVER so_far AS stretches_left, stretches_left + sum(ended) AS stretches,
        sum(sum(came - went)) OVER so_far AS tasks_left, tasks_left + sum(went) AS tasks
    FROM steps
    GROUP BY blocker, starts_on
    WINDOW so_far AS (PARTITION BY blocker ORDER BY starts_on)
), filled AS (
    SELECT blocker, starts_on, stretches, tasks, idle FROM sums
    UNION ALL
    SELECT
        blocker, CAST(unnest(generate_series(
            CAST(next_period(starts_on, $by) AS TIMESTAMP), next_on - INTERVAL 1 DAY,
            CASE $by WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAY ELSE INTERVAL 1 MONTH END
        )) AS DATE), stretches_left, tasks_left, 0
    FROM sums
    WHERE stretches_left > 0
)
SELECT
    p.starts_on AS period_on, r.blocker[1] AS cause, r.blocker[2] AS reason,
    CAST(r.blocker[3] AS BIGINT) AS depends_on_id, CAST(r.tasks AS BIGINT) AS tasks,
    (r.stretches * (epoch_us(least(p.ends_at, getvariable('as_of'))) - epoch_us(p.starts_at)) - r.idle)
        / 86400000000.0::DOUBLE AS days,
    p.is_partial, p.is_gap
FROM filled AS r
JOIN recorded_periods(least((SELECT min(arrived_at) FROM flow), (SELECT min(started_at) FROM told)), $by) AS p
ON p.starts_on = r.starts_on
ORDER BY period_on, cause, days DESC, reason NULLS LAST, depends_on_id
