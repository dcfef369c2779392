-- What became of the open tasks between an instant and as_of, so that open + scope + reopened - finished = open now.
-- A task that is done since a time that nobody knows counts as done all the time, as in arrivals: it was neither open at
-- the instant nor finished since.
-- Columns: open (tasks at the instant), finished, scope, reopened (tasks). Parameters: $since (ISO 8601).
WITH ends AS (
    SELECT
        coalesce(bool_or(is_open AND holds_then AND NOT is_undated), false) AS was_open,
        coalesce(bool_or(is_undated OR checked AND holds_then), false) AS was_done,
        coalesce(bool_or(is_open AND ended_at IS NULL), false) AS is_open,
        coalesce(bool_or(checked AND ended_at IS NULL), false) AS is_done
    FROM (
        SELECT
            i.*, w.is_done AND w.finished_at IS NULL AS is_undated,
            i.started_at <= since AND coalesce(i.ended_at > since, true) AS holds_then
        FROM history.intervals AS i JOIN flow AS w ON w.task_id = i.task_id AND w.life = i.life
        CROSS JOIN (SELECT CAST($since AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS since)
    )
    GROUP BY task_id, life
)
SELECT
    count(*) FILTER (was_open) AS open,
    count(*) FILTER (is_done AND NOT was_done) AS finished,
    count(*) FILTER (NOT was_open AND NOT was_done AND (is_open OR is_done))
        - count(*) FILTER (was_open AND NOT is_open AND NOT is_done) AS scope,
    count(*) FILTER (was_done AND is_open) AS reopened
FROM ends
