-- How far each project, or each part of it, is, by count and by size in points; what was cancelled or is gone from its
-- file is in neither.
-- A project_id that only tasks know keeps its own row, so that every task is in exactly one (by label in one for each);
-- two phases of one name have a row each.
-- Columns: project_id, project, part, tasks, checked, progress (0..1), blocked, cancelled, gone, size_total,
-- size_checked (points), progress_by_size (0..1), unsized. Parameters: $by ('' = none, phase, complexity, label).
WITH counted AS (
    SELECT
        t.*,
        CASE $by WHEN 'phase' THEN f.position WHEN 'complexity' THEN t.size END AS place,
        CASE $by WHEN 'phase' THEN f.id END AS phase_number,
        CASE $by
            WHEN 'phase' THEN [t.phase] WHEN 'complexity' THEN [t.complexity]
            WHEN 'label' THEN CASE WHEN json_valid(t.labels) AND json_type(t.labels) = 'ARRAY'
                                    AND json_array_length(t.labels) > 0
                              THEN list_distinct(CAST(t.labels AS VARCHAR[])) ELSE [NULL] END
            ELSE [NULL]
        END AS parts
    FROM history.current AS t LEFT JOIN phases AS f ON f.id = t.phase_id
), parted AS (
    SELECT * EXCLUDE (parts), unnest(parts) AS part FROM counted
), there AS (
    -- A project that was made later, and had no task yet, was not there; the chosen one has a row all the same.
    SELECT id, name FROM projects
    WHERE coalesce(created_at <= getvariable('as_of'), true) OR getvariable('project') IS NOT NULL
       OR id IN (SELECT project_id FROM counted)
)
SELECT
    coalesce(p.id, t.project_id) AS project_id,
    p.name AS project,
    CAST(t.part AS VARCHAR) AS part,
    count(*) FILTER (t.is_open OR t.checked) AS tasks,
    count(*) FILTER (t.checked) AS checked,
    count(*) FILTER (t.checked) / nullif(count(*) FILTER (t.is_open OR t.checked), 0) AS progress,
    count(*) FILTER (t.blocked) AS blocked,
    count(*) FILTER (t.cancelled) AS cancelled,
    count(*) FILTER (t.gone) AS gone,
    CAST(coalesce(sum(t.size) FILTER (t.is_open OR t.checked), 0) AS BIGINT) AS size_total,
    CAST(coalesce(sum(t.size) FILTER (t.checked), 0) AS BIGINT) AS size_checked,
    coalesce(sum(t.size) FILTER (t.checked), 0) / nullif(sum(t.size) FILTER (t.is_open OR t.checked), 0)
        AS progress_by_size,
    count(*) FILTER ((t.is_open OR t.checked) AND NOT t.sized) AS unsized
FROM there AS p FULL JOIN parted AS t ON t.project_id = p.id
GROUP BY 1, 2, 3, t.phase_number
ORDER BY project_id NULLS LAST, min(t.place) NULLS LAST, part NULLS LAST, t.phase_number
