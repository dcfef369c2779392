-- How far the work was at the end of each period: what came into the states that count less what went.
-- Columns: period_on, tasks, checked, progress (0..1), size_total, size_checked (points), progress_by_size (0..1),
-- estimated (tasks), is_partial, is_gap. Parameters: $by (day, week, month).
WITH lived AS (
    SELECT i.started_at, i.ended_at, i.checked, i.is_estimated, coalesce(s.points, getvariable('unsized_points')) AS size
    FROM history.intervals AS i LEFT JOIN sizes AS s ON s.complexity = i.complexity
    WHERE (i.is_open OR i.checked) AND chosen_life(i.task_id, i.life)
), moments AS (
    SELECT quarter_of(started_at) AS moment, count(*) AS tasks, count(*) FILTER (checked) AS checked,
        sum(size) AS size_total, coalesce(sum(size) FILTER (checked), 0) AS size_checked,
        count(*) FILTER (is_estimated) AS estimated
    FROM lived GROUP BY 1
    UNION ALL
    SELECT quarter_of(ended_at), -count(*), -count(*) FILTER (checked), -sum(size),
        -coalesce(sum(size) FILTER (checked), 0), -count(*) FILTER (is_estimated)
    FROM lived WHERE ended_at IS NOT NULL GROUP BY 1
), steps AS (
    SELECT period_of(moment, $by) AS starts_on, sum(tasks) AS tasks, sum(checked) AS checked,
        sum(size_total) AS size_total, sum(size_checked) AS size_checked, sum(estimated) AS estimated
    FROM moments GROUP BY 1
), ends AS (
    SELECT
        p.starts_on AS period_on, CAST(coalesce(sum(sum(s.tasks)) OVER so_far, 0) AS BIGINT) AS tasks,
        CAST(coalesce(sum(sum(s.checked)) OVER so_far, 0) AS BIGINT) AS checked,
        CAST(coalesce(sum(sum(s.size_total)) OVER so_far, 0) AS BIGINT) AS size_total,
        CAST(coalesce(sum(sum(s.size_checked)) OVER so_far, 0) AS BIGINT) AS size_checked,
        CAST(coalesce(sum(sum(s.estimated)) OVER so_far, 0) AS BIGINT) AS estimated, p.is_partial, p.is_gap
    FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p
    LEFT JOIN steps AS s ON s.starts_on = p.starts_on
    GROUP BY p.starts_on, p.is_partial, p.is_gap
    WINDOW so_far AS (ORDER BY p.starts_on)
)
SELECT
    period_on, tasks, checked, checked / nullif(tasks, 0) AS progress, size_total, size_checked,
    size_checked / nullif(size_total, 0) AS progress_by_size, estimated, is_partial, is_gap
FROM ends
ORDER BY period_on
