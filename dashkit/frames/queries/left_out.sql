-- What the other frames do not count: tasks, commits, records of the last reading that became neither, and ids that the
-- last linking could not tell apart.
-- Columns: what, reason, left_out (count), example (of a date that cannot be read). Parameters: $blanks (VARCHAR).
WITH undated AS (
    SELECT nullif(trim(t.bad['completed_at'], $blanks), '') IS NOT NULL AS is_unread, t.bad
    FROM flow AS w LEFT JOIN history.present AS n ON n.task_id = w.task_id AND n.life = w.life
    LEFT JOIN typed.tasks AS t ON t.id = n.task_id
    WHERE w.is_done AND w.finished_at IS NULL
), unborn AS (
    SELECT t.bad['created_at'] AS created_at
    FROM history.present AS n JOIN typed.tasks AS t ON t.id = n.task_id JOIN flow AS w
    ON w.task_id = n.task_id AND w.life = n.life
    WHERE nullif(trim(t.bad['created_at'], $blanks), '') IS NOT NULL
), held AS (
    SELECT h.sha, h.reachable FROM typed.git_repo_commits AS h JOIN typed.git_repos AS r ON r.id = h.repo_id
    WHERE chosen(r.project_id)
), undated_commits AS (
    -- A commit of which no repository says that it holds it is of the one that it names itself.
    SELECT c.bad['timestamp'] AS timestamp
    FROM typed.git_commits AS c LEFT JOIN typed.git_repos AS r ON r.id = c.repo_id
    WHERE nullif(trim(c.bad['timestamp'], $blanks), '') IS NOT NULL AND is_known(c.recorded_at)
      AND (c.sha IN (SELECT sha FROM held WHERE reachable)
           OR c.sha NOT IN (SELECT sha FROM typed.git_repo_commits WHERE sha IS NOT NULL) AND chosen(r.project_id))
)
SELECT what, reason, left_out, example
FROM (
    SELECT 'tasks' AS what, 'cancelled' AS reason, count(*) AS left_out, NULL AS example FROM tasks WHERE cancelled
    UNION ALL
    SELECT 'tasks', 'no longer in the file that they were read from', count(*), NULL FROM tasks WHERE gone
    UNION ALL
    SELECT 'tasks', 'completed_at that cannot be read as a date', count(*), (
        SELECT bad['completed_at'] FROM undated WHERE is_unread GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)
    FROM undated WHERE is_unread
    UNION ALL
    SELECT 'tasks', 'checked, and nobody knows when: in no period', count(*), NULL
    FROM undated WHERE NOT is_unread
    UNION ALL
    SELECT 'tasks', 'created_at that cannot be read as a date', count(*), (
        SELECT created_at FROM unborn GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)
    FROM unborn
    UNION ALL
    SELECT 'commits', 'timestamp that cannot be read as a date', count(*), (
        SELECT timestamp FROM undated_commits GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)
    FROM undated_commits
    UNION ALL
    SELECT 'commits', 'no branch or tag leads to them any more', count(*), NULL FROM commits WHERE NOT reachable
    UNION ALL
    -- Later than as_of, and yet there by then: the clock that dated it was wrong.
    SELECT 'commits', 'dated in the future', count(*), NULL
    FROM typed.git_commits AS c
    WHERE c.timestamp > getvariable('as_of') AND c.recorded_at <= getvariable('as_of') AND is_known(c.recorded_at)
      AND c.sha IN (SELECT sha FROM held WHERE reachable)
    UNION ALL
    SELECT CASE kind WHEN 'link' THEN 'ids' ELSE 'records' END, reason, CAST(sum(left_out) AS BIGINT), NULL
    FROM last_left_out
    GROUP BY ALL
)
WHERE left_out > 0
ORDER BY what DESC, left_out DESC, reason
