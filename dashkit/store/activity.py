"""What happened lately: completed tasks, commits and sessions in one stream.

Each kind finds its newest by an index and reads no more than it needs, so that the stream of a large Dashboard costs
little more than that of a small one.
"""

import sqlite3
from datetime import datetime

from dashkit import times
from dashkit.errors import UsageError
from dashkit.store import completions, events, latest, rows

_MOST = 2**31  # rows of a limit: more than anybody has, and no more than SQLite takes

# With a history: what became blocked, and every other change of status but completion. The index has the order of the
# instants of each value of `checked`; only what was in one instant is sorted.
_CHANGED = """
SELECT * FROM (
    SELECT CASE e.status WHEN 'blocked' THEN 'blocked' ELSE 'status_change' END AS type, t.title,
           +e.occurred_at AS timestamp, p.name AS project_name
    FROM {tables} LEFT JOIN main.projects AS p ON p.id = t.project_id
    WHERE {which} AND e.occurred_at >= :since AND e.status IS NOT NULL AND e.status <> 'completed'
      AND (:project_id IS NULL OR t.project_id = :project_id)
    ORDER BY e.occurred_at DESC, type, t.title COLLATE BINARY
    LIMIT :limit
)
"""
_OF_CHECKED = [
    f"e.op = 'update' AND {one}" for one in ("e.checked IS NULL", "e.checked = 0", "e.checked = 1", *completions.ODD)
]
_BY_EVENTS = "main.task_events AS e CROSS JOIN main.tasks AS t ON t.id = e.task_id"
_BY_TASKS = (
    "json_each(:ids) AS j CROSS JOIN main.tasks AS t ON t.id = j.value "
    "CROSS JOIN main.task_events AS e ON e.task_id = t.id"
)


def recent(conn: sqlite3.Connection, limit: int, project_id: int | None, now: datetime) -> list[rows.Row]:
    """The newest events: type, title (the first line), timestamp, project_name; unknown times last, as None.

    With a history a task was completed when its events say so, as in the frame `activity` in the zone UTC; one of
    which they do not say when is not told. Of a date the timestamp is its noon, UTC.

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
    if limit == 0:
        return []
    most = min(limit, _MOST)
    found = latest.newest(conn, latest.COMMITS, most, project_id, now)
    found += latest.newest(conn, latest.SESSIONS, most, project_id, now)
    if events.are_kept(conn):
        chosen = completions.Chosen(conn, project_id)
        found += completions.newest(chosen, most, now)
        # Nothing before the oldest of what is told already: where no status changed there would be no end to look for.
        since = sorted((times.order(row["timestamp"]) for row in found), reverse=True)[most - 1 : most]
        found += _changes(chosen, most, times.to_text(since[0]) if since else "")
    elif "completed_at" in rows.columns(conn, "tasks"):
        found += latest.newest(conn, latest.COMPLETED, most, project_id, now)
    found.sort(key=lambda row: (row["type"], str(row["title"])))
    found.sort(key=lambda row: times.order(row["timestamp"]), reverse=True)
    return [
        {
            "type": row["type"],
            "title": _first_line(row["title"]),
            "timestamp": _shown(row["timestamp"]),
            "project_name": row["project_name"],
        }
        for row in found[:limit]
    ]


def _changes(chosen: completions.Chosen, limit: int, since: str) -> list[rows.Row]:
    """The newest changes of status but completion from an instant on, at most so many of each value of `checked`."""
    conn, values = chosen.conn, {"project_id": chosen.project_id, "limit": limit}
    by_events = " UNION ALL ".join(_CHANGED.format(tables=_BY_EVENTS, which=which) for which in _OF_CHECKED)
    if chosen.project_id is None:
        return rows.fetch(conn, by_events, values | {"since": since})
    # Of a project those of all are gone through for a while only: its own may be few, and old.
    near = completions.since_newest(conn, _OF_CHECKED, limit)
    if near is not None:
        found = rows.fetch(conn, by_events, values | {"since": max(near, since)})
        if len(found) >= limit or near <= since:
            return found
    by_tasks = _CHANGED.format(tables=_BY_TASKS, which="e.op = 'update'")
    return rows.fetch(conn, by_tasks, values | {"since": since, "ids": chosen.ids})


def _first_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[0].strip() if lines else ""


def _shown(stored: object) -> str | None:
    found = times.read(stored)
    return times.to_text(found.at) if found else None
