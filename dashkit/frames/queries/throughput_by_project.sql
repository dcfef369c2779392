-- How many tasks of each project were finished in each period; as throughput, project by project.
-- Columns: period_on, project_id, project, finished, estimated (tasks), is_partial, is_gap.
-- Parameters: $by (day, week, month).
WITH finished AS (
    SELECT period_of(finished_at, $by) AS starts_on, project_id, finished_is_estimated AS is_estimated
    FROM flow WHERE finished_at IS NOT NULL
)
SELECT
    p.starts_on AS period_on, t.project_id, j.name AS project, count(f.starts_on) AS finished,
    count(*) FILTER (f.is_estimated) AS estimated, p.is_partial, p.is_gap
FROM recorded_periods((SELECT min(arrived_at) FROM flow), $by) AS p
CROSS JOIN (SELECT DISTINCT project_id FROM flow) AS t
LEFT JOIN projects AS j ON j.id = t.project_id
LEFT JOIN finished AS f ON f.starts_on = p.starts_on AND f.project_id IS NOT DISTINCT FROM t.project_id
GROUP BY p.starts_on, t.project_id, j.name, p.is_partial, p.is_gap
ORDER BY period_on, t.project_id NULLS LAST
