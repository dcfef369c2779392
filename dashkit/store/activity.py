"""What happened lately: completed tasks, commits and sessions in one stream."""

import sqlite3

from dashkit import times
from dashkit.errors import UsageError
from dashkit.store import events, instants, rows

# Of what SQLite can read, or is not there, the newest; and all whose instant Python has to read: no function of ours is
# registered on the caller's connection.
_RECENT = """
SELECT * FROM (
    SELECT type, title, timestamp, project_name FROM ({stream})
    WHERE (:project_id IS NULL OR project_id = :project_id) AND (at IS NOT NULL OR timestamp IS NULL)
    ORDER BY at DESC, type, title
    LIMIT :limit
)
UNION ALL
SELECT type, title, timestamp, project_name FROM ({stream})
WHERE (:project_id IS NULL OR project_id = :project_id) AND at IS NULL AND timestamp IS NOT NULL
"""
_STREAM = f"""
SELECT type, title, CAST(timestamp AS TEXT) AS timestamp, {instants.fast("timestamp")} AS at, project_id, project_name
FROM (
    SELECT 'task_completed' AS type, t.title, t.completed_at AS timestamp,
           t.project_id, p.name AS project_name
    FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id
    WHERE t.checked IS TRUE AND t.completed_at IS NOT NULL
    UNION ALL
    SELECT 'commit', coalesce(nullif(trim(c.message, :blank), ''), c.sha), c.timestamp, r.project_id, p.name
    FROM main.git_commits AS c
    LEFT JOIN main.git_repos AS r ON r.id = c.repo_id LEFT JOIN projects AS p ON p.id = r.project_id
    UNION ALL
    SELECT 'session', coalesce(nullif(trim(s.summary, :blank), ''), s.id), s.started_at, s.project_id, p.name
    FROM main.llm_sessions AS s LEFT JOIN projects AS p ON p.id = s.project_id
    {{history}}
)
"""  # noqa: S608 - the expression is of `instants`

# With a history: what became blocked, and every other change of status but completion, which is told above.
_HISTORY = """
    UNION ALL
    SELECT CASE e.status WHEN 'blocked' THEN 'blocked' ELSE 'status_change' END, t.title, e.occurred_at,
           t.project_id, p.name
    FROM main.task_events AS e JOIN tasks AS t ON t.id = e.task_id LEFT JOIN projects AS p ON p.id = t.project_id
    WHERE e.op = 'update' AND e.status IS NOT NULL AND e.status <> 'completed'
"""


def recent(conn: sqlite3.Connection, limit: int, project_id: int | None) -> list[rows.Row]:
    """The newest events: type, title (the first line), timestamp, project_name; unknown times last, as None.

    Of a day the timestamp is its noon, UTC.

    A commit without a message has its sha for a title, a session without a summary its id; a session stands
    at its start.

    Raises:
        UsageError: limit is below zero.
    """
    rows.require_v2(conn)
    if limit < 0:
        raise UsageError(
            f"Cannot show {limit} events",
            "the limit is below zero",
            "Give the number of events to show, 0 or more.",
        )
    stream = _STREAM.format(history=_HISTORY if events.are_kept(conn) else "")
    sql = _RECENT.format(stream=stream)
    found = rows.read(conn, sql, {"limit": limit, "project_id": project_id, "blank": " \t\r\n"})
    found.sort(key=lambda row: (row["type"], str(row["title"])))
    found.sort(key=lambda row: times.order(row["timestamp"]), reverse=True)
    return [row | {"title": _first_line(row["title"]), "timestamp": _shown(row["timestamp"])} for row in found[:limit]]


def _first_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[0].strip() if lines else ""


def _shown(stored: object) -> str | None:
    found = times.read(stored)
    return times.to_text(found.at) if found else None
