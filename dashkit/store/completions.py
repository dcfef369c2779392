"""The newest finishes, by the index of the events that turn a box on."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from dashkit import times
from dashkit.store import events, finishes, instants, lives, rows

# No finish is later than the event that turned the box on, or that says when it was. A baseline turns none on: it found
# it so, and a backfill says when that was.
_TURNING = ("insert", "update", "reconcile", "backfill")
ODD = ("e.checked < 0", "e.checked > 0 AND e.checked < 1", "e.checked > 1")  # what another hand may write for true
_NEAR = 32  # times the limit: how many of the newest events are gone through, before all of them are looked at together
_MANY = 4  # times that many of one instant are too many to go through
_ROUND = 4  # times the limit: how many tasks are looked at before it is asked whether that was enough
_TRIGGERS = ("dashkit_task_insert", "dashkit_task_update")
_DAY = timedelta(days=1)
_END = datetime.max.replace(tzinfo=UTC)

# {more}: columns of the event.
_TURN = "SELECT t.id, e.occurred_at AS occurred_at, coalesce(t.title, '') COLLATE BINARY AS title{more} "
_OF_ALL = (
    f"{_TURN} FROM main.task_events AS e CROSS JOIN main.tasks AS t ON t.id = e.task_id "
    "WHERE e.op = '{op}' AND {which} AND t.checked IS TRUE AND (:project_id IS NULL OR t.project_id = :project_id)"
)
_OF_PROJECT = (
    f"{_TURN} FROM json_each(:ids) AS j CROSS JOIN main.tasks AS t ON t.id = j.value "
    "CROSS JOIN main.task_events AS e ON e.task_id = t.id "
    f"WHERE e.op IN {_TURNING} AND {{which}} AND t.checked IS TRUE"
)
# A finish of which only the date is known counts in its day, also where that had not begun when it was recorded.
_DATED = "e.checked = 1 AND e.occurred_at >= :since AND e.occurred_at <= :until AND e.on_day IS NOT NULL"
_UNWATCHED = f"""
SELECT t.id, coalesce(t.title, '') AS title, t.created_at, t.completed_at FROM tasks AS t
WHERE t.checked IS TRUE AND {events.latest("checked")} IS NOT TRUE
  AND (:project_id IS NULL OR t.project_id = :project_id)
"""  # noqa: S608 - of WATCHED


def _is_since(one: str, other: str) -> str:
    """lives.is_since of texts as times.normal gives them."""
    return (
        f"CASE WHEN 10 IN (length({one}), length({other})) THEN substr({one}, 1, 10) >= substr({other}, 1, 10) "
        f"ELSE {one} >= {other} END"
    )


def _is_earlier(said: str, at: str) -> str:
    """lives.is_earlier of an event that is no baseline, of texts as times.normal gives them."""
    return (
        f"CASE length({said}) WHEN 10 THEN {said} < substr({at}, 1, 10) "
        f"ELSE {said} <= strftime('%Y-%m-%dT%H:%M:%fZ', {at}, '-1 minute') END"
    )


# When a finish was at the latest. Of many at once, such as an import of done tasks, that is what the row said of it,
# where this is certain to count: no other event says that the task was done or that it went, and it was created before.
# LIMIT -1 lets SQLite read each value once. `f` is the first event of the task.
_LATEST = f"""
SELECT id, title, CASE
    WHEN op <> 'backfill' AND said IS NOT NULL AND {_is_earlier("said", "occurred_at")}
     AND NOT EXISTS (
        SELECT 1 FROM main.task_events AS o WHERE o.task_id = id AND o.event_id <> n.event_id
        AND (o.checked IS TRUE OR o.status = 'completed' OR o.op = 'delete'))
     AND ({_is_since("said", "first_at")}
        OR first_op IN ('insert', 'baseline', 'reconcile')
           AND {_is_earlier("created", "first_at")} AND {_is_since("said", "created")}
        OR first_id = event_id AND op = 'insert' AND source = 'trigger'
           AND (said_created_at IS NULL OR NOT {_is_earlier("created", "first_at")}))
    THEN CASE length(said) WHEN 10 THEN said || 'T23:59:59.999Z' ELSE said END
    ELSE occurred_at END AS occurred_at
FROM (
    SELECT e.*, {instants.fast("e.said_completed_at")} AS said, f.event_id AS first_id, f.op AS first_op,
        {instants.fast("f.occurred_at")} AS first_at, {instants.fast("f.said_created_at")} AS created
    FROM ({{turns}}) AS e JOIN main.task_events AS f ON f.event_id = (
        SELECT o.event_id FROM main.task_events AS o
        WHERE o.task_id = e.id ORDER BY o.occurred_at, o.event_id LIMIT 1)
    LIMIT -1
) AS n
"""  # noqa: S608
_SAID = ", e.event_id, e.op, e.source, e.said_created_at, e.said_completed_at"

Rank = tuple[timedelta, str, int]  # the newest first, then by title


@dataclass(frozen=True)
class Chosen:
    """The tasks of a project, or all."""

    conn: sqlite3.Connection
    project_id: int | None

    @cached_property
    def ids(self) -> str | None:
        """Their ids as a JSON array, for which all tasks are read, as no index has them; None: all."""
        if self.project_id is None:
            return None
        sql = "SELECT json_group_array(id) AS ids FROM main.tasks WHERE project_id = :project_id"
        return str(rows.fetch(self.conn, sql, {"project_id": self.project_id})[0]["ids"])


def newest(chosen: Chosen, limit: int, now: datetime) -> list[rows.Row]:
    """The newest finishes of tasks that are done: type, title, timestamp and project_name.

    They are looked for from the newest event on, and no further back than the oldest finish that is wanted. What no
    trigger saw counts where the triggers are gone; where they are there, the next scan finds it.

    Args:
        chosen: of which tasks, in a database of version 2.1.
        limit: how many, above zero.
        now: what happens later has not happened.
    """
    search = _Search(chosen, limit, now)
    conn, values = chosen.conn, {"project_id": chosen.project_id}
    search.add(rows.fetch(conn, _of_all(*(f"{odd} AND e.checked IS TRUE" for odd in ODD)), values))
    if not _is_watched(conn):
        search.add_unwatched(rows.read(conn, _UNWATCHED, values))
    if not search.go_through():
        search.look_together()
    if (oldest := search.oldest()) and "on_day" in rows.columns(conn, "task_events"):
        window = {"since": times.to_text(oldest - _DAY), "until": times.to_text(oldest)}
        search.add(rows.fetch(conn, _of_all(_DATED), values | window))
    return search.told()


class _Search:
    """The tasks that were looked at, and the ranks of those that have a finish."""

    def __init__(self, chosen: Chosen, limit: int, now: datetime) -> None:
        self._chosen, self._conn, self._limit, self._now = chosen, chosen.conn, limit, now
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

    def go_through(self) -> bool:
        """Look at the tasks of the newest events, one after the other; whether that was enough."""
        near = since_newest(self._conn, [f"e.op = '{op}' AND e.checked = 1" for op in _TURNING], self._limit)
        if near is None:
            return False
        values = {"project_id": self._chosen.project_id, "near": near}
        sql = f"{_of_all('e.checked = 1 AND e.occurred_at >= :near')} ORDER BY occurred_at DESC, title LIMIT :size"
        for size in (_ROUND * self._limit, _ROUND**2 * self._limit):
            found = rows.fetch(self._conn, sql, values | {"size": size})
            if self._add_in_turn(found):
                return True
            if len(found) < size:
                return not near or self._is_enough(near, "")
        return False

    def look_together(self) -> None:
        """Look at all tasks that may have a newer finish than those that are known, by when it was at the latest."""
        which = "e.checked = 1 AND e.occurred_at >= :since"
        if self._chosen.ids and self._look(_OF_PROJECT.format(more="", which=which), _NEAR * self._limit):
            return  # of a project its newest events are nearly always enough
        is_said = "said_completed_at" in rows.columns(self._conn, "task_events")  # an earlier commit made none
        turns = _OF_PROJECT if self._chosen.ids else _each_op(_OF_ALL)
        turns = turns.format(more=_SAID if is_said else "", which=which)
        size = _NEAR * self._limit
        while not self._look(_LATEST.format(turns=turns) if is_said else turns, size):
            size *= _ROUND**2

    def _look(self, sql: str, size: int) -> bool:
        """Look at the first tasks that a query gives, in the order of the latest finishes; whether that was enough."""
        oldest = self.oldest()
        values = {"ids": self._chosen.ids, "project_id": None, "since": times.to_text(oldest) if oldest else ""}
        sql = f"{sql} ORDER BY occurred_at DESC, title LIMIT :size"
        found = rows.fetch(self._conn, sql, values | {"size": size})
        return self._add_in_turn(found) or len(found) < size

    def oldest(self) -> datetime | None:
        """When the last of those that are wanted was finished; None: fewer are known."""
        best = self._best()
        return _END - best[-1][0] if len(best) == self._limit else None

    def told(self) -> list[rows.Row]:
        """The newest finishes, at most `limit`, as rows of the stream."""
        best = {task: times.to_text(_END - since) for since, _, task in self._best()}
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

    def _add_in_turn(self, found: Sequence[Mapping[str, Any]]) -> bool:
        """Look at some of these tasks after the other, in the order of the latest finishes; whether that was enough."""
        for first in range(0, len(found), _ROUND * self._limit):
            some = found[first : first + _ROUND * self._limit]
            self.add(some)
            if self._is_enough(some[-1]["occurred_at"], some[-1]["title"]):
                return True
        return False

    def _is_enough(self, at: str, title: str) -> bool:
        """Whether no other finish is wanted, where all others were by then; of one instant, of later titles."""
        best = self._best()
        return len(best) == self._limit and best[-1] <= _rank(times.order(at), title, 0)

    def _best(self) -> list[Rank]:
        """The ranks of the newest finishes, at most `limit` of them."""
        return sorted(rank for rank in self._ranks.values() if rank)[: self._limit]


def since_newest(conn: sqlite3.Connection, which: Sequence[str], limit: int) -> str | None:
    """The instant from which on there are some dozens of events for each that is wanted.

    Args:
        conn: a database of version 2.1.
        which: conditions for the events `e`; each has an index in the order of instants.
        limit: how many are wanted.

    Returns:
        '' where there are fewer in all; None where so many more were in that instant that they are not gone through.
    """
    many = _NEAR * limit
    each = [f"SELECT e.occurred_at AS at FROM main.task_events AS e WHERE {one}" for one in which]  # noqa: S608 - ours
    by_time = " UNION ALL ".join(f"SELECT * FROM ({one} ORDER BY at DESC LIMIT :many)" for one in each)  # noqa: S608
    found = rows.fetch(conn, f"{by_time} ORDER BY at DESC LIMIT 1 OFFSET :many - 1", {"many": many})
    if not found:
        return ""
    alike = " UNION ALL ".join(f"{one} AND at >= :at" for one in each)
    count = f"SELECT count(*) AS n FROM ({alike} LIMIT :many)"  # noqa: S608 - of ours
    most = _MANY * many
    return found[0]["at"] if rows.fetch(conn, count, {"at": found[0]["at"], "many": most})[0]["n"] < most else None


def _rank(at: datetime, title: str, task: int) -> Rank:
    return _END - at, title, task


def _each_op(sql: str) -> str:
    """A query for each kind of event that turns a box on."""
    return " UNION ALL ".join(sql.replace("{op}", op) for op in _TURNING)


def _of_all(*which: str) -> str:
    """The query for the events that turn a box on, and meet one of some conditions."""
    return " UNION ALL ".join(_each_op(_OF_ALL).format(more="", which=one) for one in which)


def _is_watched(conn: sqlite3.Connection) -> bool:
    """Whether the triggers are there that see a task be done."""
    there = rows.fetch(conn, "SELECT name FROM main.sqlite_master WHERE type = 'trigger'", {})
    return {row["name"] for row in there}.issuperset(_TRIGGERS)
