"""What happened lately: completed tasks, commits and sessions in one stream.

Each kind finds its newest by an index and reads no more than it needs, so that the stream of a large Dashboard costs
little more than that of a small one.
"""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from dashkit import times
from dashkit.errors import UsageError
from dashkit.store import commits, completions, events, instants, rows

_MOST = 2**31  # rows of a limit: more than anybody has, and no more than SQLite takes
_BLANK = " \t\r\n"

# Of what SQLite can read, or is not there, the newest; and all that Python has to read, or is later than it may be: no
# function of ours is registered on the caller's connection.
_NEWEST = """
SELECT * FROM (
    SELECT type, title, timestamp, project_name FROM ({stream})
    WHERE (:project_id IS NULL OR project_id = :project_id)
      AND (timestamp IS NULL OR read <= coalesce(:latest, read))
    ORDER BY {at} DESC, title COLLATE BINARY
    LIMIT :limit
)
UNION ALL
SELECT type, title, timestamp, project_name FROM ({stream})
WHERE (:project_id IS NULL OR project_id = :project_id) AND timestamp IS NOT NULL AND (read IS NULL OR read > :latest)
"""
_SESSIONS = f"""
    SELECT 'session' AS type, coalesce(nullif(trim(s.summary, :blank), ''), s.id) AS title,
           CAST(s.started_at AS TEXT) AS timestamp, {instants.fast("s.started_at")} AS read, s.project_id,
           p.name AS project_name
    FROM main.llm_sessions AS s LEFT JOIN projects AS p ON p.id = s.project_id
"""  # noqa: S608 - the expression is of `instants`
_COMPLETED = f"""
    SELECT 'task_completed' AS type, t.title, CAST(t.completed_at AS TEXT) AS timestamp,
           {instants.fast("t.completed_at")} AS read, t.project_id, p.name AS project_name
    FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id
    WHERE t.checked IS TRUE AND t.completed_at IS NOT NULL
"""  # noqa: S608 - likewise
# With a history: what became blocked, and every other change of status but completion. The index has the order of the
# instants of each value of `checked`; only what was in one instant is sorted.
_CHANGED = """
SELECT * FROM (
    SELECT CASE e.status WHEN 'blocked' THEN 'blocked' ELSE 'status_change' END AS type, t.title,
           +e.occurred_at AS timestamp, p.name AS project_name
    FROM main.task_events AS e CROSS JOIN tasks AS t ON t.id = e.task_id LEFT JOIN projects AS p ON p.id = t.project_id
    WHERE e.op = 'update' AND {which} AND e.status IS NOT NULL AND e.status <> 'completed'
      AND (:project_id IS NULL OR t.project_id = :project_id)
    ORDER BY e.occurred_at DESC, type, t.title COLLATE BINARY
    LIMIT :limit
)
"""
_OF_CHECKED = ("e.checked IS NULL", "e.checked = 0", "e.checked = 1", *completions.ODD)


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
    wanted = {"limit": most, "project_id": project_id, "blank": _BLANK}
    found = commits.newest(conn, most, project_id, _BLANK)
    found += _newest(conn, _SESSIONS, wanted)
    if events.are_kept(conn):
        found += completions.newest(conn, most, project_id, now)
        found += rows.read(conn, " UNION ALL ".join(_CHANGED.format(which=which) for which in _OF_CHECKED), wanted)
    else:
        found += _known(_newest(conn, _COMPLETED, wanted, times.to_text(now)), now)
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


def _newest(conn: sqlite3.Connection, stream: str, wanted: rows.Values, latest: str | None = None) -> list[rows.Row]:
    """Of a stream without an index the newest up to an instant, and whatever lies behind it or Python has to read."""
    return rows.read(conn, _NEWEST.format(stream=stream, at=instants.at("read")), {**wanted, "latest": latest})


def _known(found: Iterable[rows.Row], now: datetime) -> list[rows.Row]:
    """Completions as they are known now: not in the future, and on this day by now."""
    told = []
    for row in found:
        moment = times.read(row["timestamp"])
        if moment and moment.at > now:
            is_today = moment.day is not None and moment.day <= now.astimezone(UTC).date()
            told.append(row | {"timestamp": times.to_text(now) if is_today else None})
        else:
            told.append(row)
    return told


def _first_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[0].strip() if lines else ""


def _shown(stored: object) -> str | None:
    found = times.read(stored)
    return times.to_text(found.at) if found else None
