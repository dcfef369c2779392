"""The newest finishes, by the index of the events that turn a box on."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dashkit import times
from dashkit.store import events, finishes, lives, rows

# No finish is later than the event that turned the box on, or that says when it was. A baseline turns none on: it found
# it so, and a backfill says when that was.
_TURNING = ("insert", "update", "reconcile", "backfill")
ODD = ("e.checked < 0", "e.checked > 0 AND e.checked < 1", "e.checked > 1")  # what another hand may write for true
_TRIGGERS = ("dashkit_task_insert", "dashkit_task_update")
_DAY = timedelta(days=1)
_END = datetime.max.replace(tzinfo=UTC)

_DONE = """
SELECT t.id, e.occurred_at AS occurred_at, coalesce(t.title, '') COLLATE BINARY AS title
FROM main.task_events AS e CROSS JOIN main.tasks AS t ON t.id = e.task_id
WHERE e.op = '{op}' AND {which} AND t.checked IS TRUE AND (:project_id IS NULL OR t.project_id = :project_id)
"""
# A finish of which only the date is known counts in its day, also where that had not begun when it was recorded.
_DATED = "e.checked = 1 AND e.occurred_at >= :since AND e.occurred_at <= :until AND e.on_day IS NOT NULL"
_UNWATCHED = f"""
SELECT t.id, coalesce(t.title, '') AS title, t.created_at, t.completed_at FROM tasks AS t
WHERE t.checked IS TRUE AND {events.latest("checked")} IS NOT TRUE
  AND (:project_id IS NULL OR t.project_id = :project_id)
"""  # noqa: S608 - of WATCHED

Rank = tuple[timedelta, str, int]  # the newest first, then by title


def newest(conn: sqlite3.Connection, limit: int, project_id: int | None, now: datetime) -> list[rows.Row]:
    """The newest finishes of tasks that are done: type, title, timestamp and project_name.

    They are looked for from the newest event on, and no further back than the oldest finish that is wanted. What no
    trigger saw counts where the triggers are gone; where they are there, the next scan finds it.

    Args:
        conn: a database of version 2.1.
        limit: how many, above zero.
        project_id: of this project; None: of all.
        now: what happens later has not happened.
    """
    values = {"project_id": project_id}
    found = _Found(conn, now)
    found.add(rows.fetch(conn, _turning(*(f"{odd} AND e.checked IS TRUE" for odd in ODD)), values))
    if not _is_watched(conn):
        found.add_unwatched(rows.read(conn, _UNWATCHED, values))
    walk, size = f"{_turning('e.checked = 1')} ORDER BY occurred_at DESC, title LIMIT :size", 4 * limit
    while True:
        walked = rows.fetch(conn, walk, {**values, "size": size})
        found.add(walked)
        if len(walked) < size:
            break
        best = found.best(limit)
        if len(best) == limit and best[-1] <= _rank(times.order(walked[-1]["occurred_at"]), walked[-1]["title"], 0):
            oldest = _END - best[-1][0]
            window = {"since": times.to_text(oldest - _DAY), "until": times.to_text(oldest)}
            found.add(rows.fetch(conn, _turning(_DATED), values | window))
            break
        size *= 4
    return found.told(limit)


class _Found:
    """The tasks that were looked at, and the ranks of those that have a finish."""

    def __init__(self, conn: sqlite3.Connection, now: datetime) -> None:
        self._conn, self._now = conn, now
        self._ranks: dict[int, Rank | None] = {}

    def add(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Look at those of these tasks that were not looked at before."""
        titles = {row["id"]: row["title"] for row in found if row["id"] not in self._ranks}
        ends = finishes.of_tasks(self._conn, titles, self._now)
        for task, title in titles.items():
            self._ranks[task] = _rank(times.order(ends[task].at), title, task) if task in ends else None

    def add_unwatched(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Tasks that are done though no event says so: each was found so now, and its row says when it was."""
        told = {row["id"]: row for row in found}
        known = dict(lives.read(self._conn, told))
        for task, row in told.items():
            life = known.get(task, [])
            said = (row["created_at"], row["completed_at"])
            finish = finishes.present([*life, lives.looked(life, self._now, *said)], self._now)
            self._ranks[task] = _rank(times.order(finish.at), row["title"], task) if finish else None

    def best(self, limit: int) -> list[Rank]:
        """The ranks of the newest finishes, at most `limit` of them."""
        return sorted(rank for rank in self._ranks.values() if rank)[:limit]

    def told(self, limit: int) -> list[rows.Row]:
        """The newest finishes, at most `limit`, as rows of the stream."""
        best = {task: times.to_text(_END - since) for since, _, task in self.best(limit)}
        sql = (
            "SELECT t.id, t.title, p.name AS project_name FROM tasks AS t LEFT JOIN projects AS p "
            "ON p.id = t.project_id WHERE t.id IN (SELECT value FROM json_each(:ids))"
        )
        found = rows.read(self._conn, sql, {"ids": json.dumps(list(best))})
        return [
            {
                "type": "task_completed",
                "title": row["title"],
                "timestamp": best[row["id"]],
                "project_name": row["project_name"],
            }
            for row in found
        ]


def _rank(at: datetime, title: str, task: int) -> Rank:
    return _END - at, title, task


def _turning(*which: str) -> str:
    """The query for the events that turn a box on, and meet one of some conditions."""
    return " UNION ALL ".join(_DONE.format(op=op, which=one) for op in _TURNING for one in which)


def _is_watched(conn: sqlite3.Connection) -> bool:
    """Whether the triggers are there that see a task be done."""
    there = rows.fetch(conn, "SELECT name FROM main.sqlite_master WHERE type = 'trigger'", {})
    return {row["name"] for row in there}.issuperset(_TRIGGERS)
