-- How far each project is, by count and by size in points; cancelled tasks are in neither.
-- A project_id that only tasks know keeps its own row, so that every task is in exactly one.
-- Columns: project_id, project, tasks, checked, progress (0..1), cancelled, blocked, size_total, size_checked
-- (points), progress_by_size (0..1), unsized. Parameters: none.
SELECT
    coalesce(p.id, t.project_id) AS project_id,
    p.name AS project,
    count(*) FILTER (NOT t.cancelled) AS tasks,
    count(*) FILTER (t.checked) AS checked,
    count(*) FILTER (t.checked) / nullif(count(*) FILTER (NOT t.cancelled), 0) AS progress,
    count(*) FILTER (t.cancelled) AS cancelled,
    count(*) FILTER (t.blocked) AS blocked,
    CAST(coalesce(sum(t.size) FILTER (NOT t.cancelled), 0) AS BIGINT) AS size_total,
    CAST(coalesce(sum(t.size) FILTER (t.checked), 0) AS BIGINT) AS size_checked,
    coalesce(sum(t.size) FILTER (t.checked), 0) / nullif(sum(t.size) FILTER (NOT t.cancelled), 0) AS progress_by_size,
    count(*) FILTER (NOT t.cancelled AND NOT t.sized) AS unsized
FROM projects AS p FULL JOIN tasks AS t ON t.project_id = p.id
GROUP BY 1, 2
ORDER BY project_id NULLS LAST
