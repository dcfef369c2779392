-- How many commits were made in each period, what they changed, and how many of them a task is linked with.
-- Columns: period_on, commits, merges, authors, insertions, deletions (lines), linked (commits), linked_share (0..1),
-- is_partial. Parameters: $by (day, week, month).
WITH made AS (
    SELECT
        period_of(c.committed_at, $by) AS starts_on, c.*,
        c.sha IN (SELECT target FROM links WHERE kind = 'commit') AS is_linked
    FROM commits AS c
    WHERE c.reachable AND c.committed_at IS NOT NULL
)
SELECT
    p.starts_on AS period_on, count(c.sha) AS commits, count(*) FILTER (c.is_merge) AS merges,
    count(DISTINCT coalesce(nullif(lower(c.author_email), ''), c.author)) AS authors,
    CASE WHEN count(c.insertions) = count(c.sha) THEN CAST(coalesce(sum(c.insertions), 0) AS BIGINT) END AS insertions,
    CASE WHEN count(c.deletions) = count(c.sha) THEN CAST(coalesce(sum(c.deletions), 0) AS BIGINT) END AS deletions,
    count(*) FILTER (c.is_linked) AS linked, count(*) FILTER (c.is_linked) / nullif(count(c.sha), 0) AS linked_share,
    p.is_partial
FROM periods((SELECT min(committed_at) FROM commits WHERE reachable), $by) AS p
LEFT JOIN made AS c ON c.starts_on = p.starts_on
GROUP BY p.starts_on, p.is_partial
ORDER BY period_on
