-- What the other frames do not count: tasks, commits, records of the last reading that became neither, and ids that the
-- last linking could not tell apart.
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
    -- Later than as_of, and yet there by then: the clock that dated it was wrong.
    SELECT 'commits', 'dated in the future', count(*)
    FROM typed.git_commits AS c
    WHERE c.timestamp > getvariable('as_of') AND c.recorded_at <= getvariable('as_of') AND is_known(c.recorded_at)
      AND EXISTS (
          SELECT 1 FROM typed.git_repo_commits AS h JOIN typed.git_repos AS r ON r.id = h.repo_id
          WHERE h.sha = c.sha AND h.reachable AND chosen(r.project_id)
      )
    UNION ALL
    SELECT CASE kind WHEN 'link' THEN 'ids' ELSE 'records' END, reason, CAST(sum(left_out) AS BIGINT)
    FROM last_left_out
    GROUP BY ALL
)
WHERE left_out > 0
ORDER BY what DESC, left_out DESC, reason
