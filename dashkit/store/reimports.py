"""Which events are of the present life of a task, also where it was imported again: deleted, and inserted anew.

A life is what lies behind the last deletion of an id. It goes on where the task is inserted again within an hour, with
the same title and the same creation time, which is an earlier one: under its id or, in the same project, under another
one. So does that of a task which INSERT OR REPLACE deletes and inserts. lives.sql has these rules for the frames.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

from dashkit import times
from dashkit.store import rows
from dashkit.times import Moment

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_END = 2**63 - 1  # behind every event_id
_AT_ONCE = 5_000  # tasks whose imports are looked for together
_read = lru_cache(maxsize=2**14)(times.read)  # an import says the same times every night

Kind = tuple[object, str, Moment]  # project, title and creation time, by which a task is known under another id


class Part(NamedTuple):
    """The events of an id that lie between two of its deletions, by their event_id: a life, or a part of one."""

    task_id: int
    after: int
    before: int


class _Move(NamedTuple):
    """An insertion or a deletion, and what the row said."""

    event_id: int
    is_deletion: bool
    title: str | None
    project_id: object
    created: Moment | None
    recorded: Moment | None

    @property
    def kind(self) -> Kind | None:
        """By what it is known under another id; None: by nothing, as it came with its creation or said none."""
        if self.title is None or self.created is None or not (self.is_deletion or self.was_before):
            return None
        return self.project_id, self.title, self.created

    @property
    def was_before(self) -> bool:
        """Whether the row says that its task was there before this was recorded."""
        if self.created is None or self.recorded is None:
            return False
        if self.created.day:
            return self.created.day < self.recorded.at.date()
        return self.created.at <= self.recorded.at - _MINUTE

    def is_soon(self, deletion: "_Move") -> bool:
        """Whether it comes within an hour of a deletion."""
        if self.recorded is None or deletion.recorded is None:
            return False
        return self.recorded.at <= deletion.recorded.at + _HOUR

    def brings_back(self, deletion: "_Move") -> bool:
        """Whether it inserts, under the same id, what the deletion just before it had deleted."""
        if self.is_deletion or not deletion.is_deletion or deletion.created is None or self.recorded is None:
            return False
        has_title = self.title is not None and self.title == deletion.title
        has_time = self.created == deletion.created and self.was_before
        # INSERT OR REPLACE deletes and inserts at once (with recursive_triggers there is an event of each).
        at_once = self.event_id == deletion.event_id + 1 and self.recorded == deletion.recorded
        return (has_title or has_time) if at_once else has_title and has_time and self.is_soon(deletion)


def lives(conn: sqlite3.Connection, ids: Iterable[int]) -> Iterator[tuple[int, list[Part]]]:
    """The parts of the present life of each of these tasks, the last one first.

    The database is of version 2.1; a file of it that an earlier commit made may lack the later columns.
    """
    tasks = list(ids)
    if not rows.fetch(conn, "SELECT 1 FROM main.task_events WHERE op = 'delete' LIMIT 1", {}):
        yield from ((task, [Part(task, 0, _END)]) for task in tasks)
        return
    for start in range(0, len(tasks), _AT_ONCE):
        moves = _Moves(conn)
        ahead = {task: [part] for task, part in moves.present(tasks[start : start + _AT_ONCE]).items()}
        found: dict[int, list[Part]] = {task: [] for task in ahead}
        while ahead:
            moves.look_behind([part for parts in ahead.values() for part in parts])
            for task, parts in ahead.items():
                found[task] += parts
            ahead = {task: behind for task, parts in ahead.items() if (behind := moves.behind(parts))}
        yield from found.items()


class _Moves:
    """What came and went: of each part of a life the insertions, and of each kind all moves."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._came: dict[Part, list[_Move]] = {}
        self._moves: dict[Kind, list[tuple[_Move, Part]]] = defaultdict(list)
        self._titles: set[str | None] = set()  # of which all moves are there
        self._behind: dict[Kind, dict[int, Part]] = {}

    def present(self, tasks: Sequence[int]) -> dict[int, Part]:
        """The last part of each of these tasks."""
        found = {task: Part(task, 0, _END) for task in tasks}
        self._came |= {part: [] for part in found.values()}
        for part, came, deletion in self._parts("SELECT value FROM json_each(:of)", tasks):
            if deletion is None:
                found[part.task_id], self._came[part] = part, came
        return found

    def look_behind(self, parts: Iterable[Part]) -> None:
        """Read all moves of those titles with which the insertions of these parts came.

        There is no index of titles, so it takes a reading of all deletions and, where one of them is of such a title,
        of all insertions: one for all of these parts.
        """
        came = [move for part in parts for move in self._came[part] if move.title not in self._titles]
        if not came:
            return
        of, titles = [move.event_id for move in came], {move.title for move in came}
        self._titles |= titles
        # SQLite compares the titles, as they may be broken text.
        named = "SELECT title FROM main.task_events WHERE event_id IN (SELECT value FROM json_each(:of))"
        deleted = f"SELECT title FROM main.task_events WHERE op = 'delete' AND title IN ({named})"  # noqa: S608
        if not rows.fetch(self._conn, f"{deleted} LIMIT 1", {"of": json.dumps(of)}):
            return
        ids = f"SELECT task_id FROM main.task_events WHERE op IN ('delete', 'insert') AND title IN ({deleted})"  # noqa: S608
        for part, came, deletion in self._parts(ids, of):
            for move in [*came, deletion] if deletion else came:
                if move.title in titles and (kind := move.kind):
                    self._came[part] = came
                    self._moves[kind].append((move, part))

    def behind(self, parts: Iterable[Part]) -> list[Part]:
        """The parts with which the insertions of these go on."""
        found = []
        for move in (move for part in parts for move in self._came[part]):
            if kind := move.kind:
                if kind not in self._behind:
                    self._behind[kind] = _paired(self._moves.pop(kind, []))
                found.append(self._behind[kind].get(move.event_id))
        return [part for part in found if part]

    def _parts(self, ids: str, of: Sequence[int]) -> Iterator[tuple[Part, list[_Move], _Move | None]]:
        """All parts of the ids that a query gives: the insertions that are known by their kind, and the deletion."""
        said = "+said_created_at" if "said_created_at" in rows.columns(self._conn, "task_events") else "NULL"
        found = rows.each(
            self._conn,
            "SELECT task_id, event_id, op, title, project_id, +recorded_at AS recorded, "  # noqa: S608
            f"{said} AS created FROM main.task_events "
            # The plus keeps SQLite from the index of op, by which it would read the moves of all tasks.
            f"WHERE +op IN ('delete', 'insert') AND task_id IN ({ids}) ORDER BY task_id, event_id",
            {"of": json.dumps(of)},
        )
        for task, mine in groupby(found, key=lambda row: row["task_id"]):
            moves = [
                _Move(
                    *(row["event_id"], row["op"] == "delete", row["title"], row["project_id"]),
                    *(_read(row["created"]), _read(row["recorded"])),
                )
                for row in mine
            ]
            kept = {one.event_id for gone, come in pairwise(moves) if come.brings_back(gone) for one in (gone, come)}
            after, came = 0, list[_Move]()
            for move in moves:
                if move.event_id in kept:
                    continue
                if move.is_deletion:
                    yield Part(task, after, move.event_id), came, move
                    after, came = move.event_id, []
                elif move.kind:
                    came.append(move)
            yield Part(task, after, _END), came, None


def _paired(moves: Iterable[tuple[_Move, Part]]) -> dict[int, Part]:
    """Of the moves of a kind, by the event_id of an insertion, the part that it goes on with.

    What went first comes first: deletions that follow each other are those of the insertions that follow them.
    """
    ordered = sorted(moves, key=lambda one: one[0].event_id)
    turns = [list(turn) for _, turn in groupby(ordered, key=lambda one: one[0].is_deletion)]
    return {
        come.event_id: part
        for went, came in pairwise(turns)
        if went[0][0].is_deletion
        for (gone, part), (come, _) in zip(went, came, strict=False)
        if come.is_soon(gone)
    }
