-- What the other frames do not count: tasks, commits, and records of the last reading that became neither.
-- Columns: what, reason, left_out (count). Parameters: none.
SELECT what, reason, left_out
FROM (
    SELECT 'tasks' AS what, 'cancelled' AS reason, count(*) AS left_out FROM tasks WHERE cancelled
    UNION ALL
    SELECT 'tasks', 'no longer in the file that they were read from', count(*) FROM tasks WHERE gone
    UNION ALL
    SELECT 'tasks', 'checked, and nobody knows when: in no period', count(*)
    FROM flow WHERE is_done AND finished_at IS NULL
    UNION ALL
    SELECT 'commits', 'no branch or tag leads to them any more', count(*) FROM commits WHERE NOT reachable
    UNION ALL
    SELECT 'records', reason, CAST(sum(left_out) AS BIGINT) FROM last_left_out GROUP BY reason
)
WHERE left_out > 0
ORDER BY what DESC, left_out DESC, reason
