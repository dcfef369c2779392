"""What happened to one task, from its events, where nobody waits for DuckDB: as the frame task_timeline has it."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dashkit import times
from dashkit.store import events, finishes, lives, rows

_ESTIMATED: Final = ("baseline", "backfill", "reconcile")
_NAMES: Final = ("project_id", "project", "title")
_SAID: Final = ("column:created_at", "column:completed_at")  # by rank: what a row said of an earlier time


@dataclass(frozen=True)
class Happening:
    """One thing that happened to a task.

    Args:
        at: an instant in the stored form or, where only that is known, a day.
        kind: as in task_timeline; or `depends`, `free`: on another task, or on it no more.
        detail: what it became, or the other task.
        source: who says so, as in task_events.
        actor: who did it; None: another program, or nobody noted it.
        is_estimated: nobody saw it happen.
    """

    at: str
    kind: str
    detail: str | None = None
    source: str | None = None
    actor: str | None = None
    is_estimated: bool = False


def of_task(conn: sqlite3.Connection, task_id: int, now: datetime) -> list[Happening]:
    """What happened to the task that has this number now, the oldest first; nothing is known before version 2.1."""
    if not events.are_kept(conn):
        return []
    life = dict(lives.read(conn, [task_id])).get(task_id, [])
    told = _events(conn, task_id)
    found = [*_changes(life, told, now), *_dependencies(conn, task_id)]
    return sorted(found, key=lambda one: times.order(one.at))


def updated_at(conn: sqlite3.Connection, row: Mapping[str, Any]) -> str | None:
    """When a task changed last, as its source and its history say; else as its row does; None: nobody knows.

    Where a reading wrote the row last, its `updated_at` is the time of that reading and says nothing of the task. Nor
    does it that a file without a past had the task when it was read first.
    """
    written, read_at, said = row["updated_at"], None, None
    if events.are_kept(conn) and rows.columns(conn, "task_sources") >= {"seen_at", "image"}:
        sql = "SELECT seen_at, image FROM main.task_sources WHERE task_id = :id"
        for source in rows.read(conn, sql, {"id": row["id"]}):
            read_at, said = source["seen_at"], _accepted(source["image"])
    if read_at is None or times.order(written) > times.order(read_at):
        return written if written is None else str(written)
    life = dict(lives.read(conn, [row["id"]])).get(row["id"], [])
    changes = [event.day.isoformat() if event.day else times.to_text(event.at) for event in life if _is_change(event)]
    return max(filter(None, [said, *changes]), key=times.order, default=None)


def _accepted(image: str | None) -> str | None:
    """When a record changed last, as it says itself; None: it does not."""
    try:
        told = json.loads(image or "null")
    except ValueError:
        return None
    return times.normal(told.get("accepted_at")) if isinstance(told, dict) else None


def _is_change(event: lives.Event) -> bool:
    """Whether it is about the task, and not about its file, or the first that was seen of it there."""
    is_first_look = event.op in ("insert", "baseline") and (event.source or "").startswith("file:")
    return event.op not in (events.GONE, events.BACK) and not is_first_look


def _events(conn: sqlite3.Connection, task_id: int) -> dict[int, rows.Row]:
    """The events of an id by their own, with what they changed."""
    here = rows.columns(conn, "task_events")
    actor = "actor" if "actor" in here else "NULL AS actor"
    columns = ", ".join(column for column in events.WATCHED if column != "checked")
    sql = f"""
        SELECT event_id, op, source, {actor}, {columns},
               coalesce((SELECT name FROM main.projects AS p WHERE p.id = e.project_id), e.project_id) AS project
        FROM main.task_events AS e WHERE task_id = :id
        """  # noqa: S608 - names of this package
    return {row["event_id"]: row for row in rows.fetch(conn, sql, {"id": task_id})}


def _changes(life: list[lives.Event], told: Mapping[int, rows.Row], now: datetime) -> Iterator[Happening]:
    """Each change of a task, from the marks of its life."""
    names = [told[event.event_id] for event in life]
    # What happened before anything said of which project and title a task is was of those that were said first.
    state: dict[str, Any] = {
        column: next((row[column] for row in names if row[column] is not None), None) for column in _NAMES
    }
    state |= dict.fromkeys(("status", "blocked_reason", "complexity")) | {"box": False, "gone": False}
    for place, mark in enumerate(finishes.marks(life)):
        if mark.at > now:
            break
        row = told[mark.event_id]
        before, state = state, _after(state, mark, row)
        is_said = mark.rank < 2  # a row says it of an earlier time
        source, actor = (_SAID[mark.rank], None) if is_said else (row["source"], row["actor"])
        at = mark.day.isoformat() if mark.day else times.to_text(mark.at)
        for kind, detail in _kinds(before if place else None, state):
            yield Happening(at, kind, detail, source, actor, mark.op in _ESTIMATED)


def _after(state: Mapping[str, Any], mark: finishes.Mark, row: rows.Row) -> dict[str, Any]:
    """The state behind a mark: '' is none, None as before."""
    values: dict[str, Any] = {"box": mark.box}
    if mark.rank == 0:
        values |= {"status": "pending", "blocked_reason": "", "complexity": ""}
    elif mark.rank > 1:
        values |= {column: row[column] for column in (*_NAMES, "status", "blocked_reason", "complexity")}
        values["gone"] = {events.GONE: True, events.BACK: False}.get(row["op"])
    return {**state, **{name: value for name, value in values.items() if value is not None}}


def _kinds(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What a mark changed, with what it became, in the order in which it is told; None: there was nothing before it."""
    if before is None:
        yield "created", _value(after, "title")
        begun = {"status": after["status"] and "pending", "blocked_reason": None, "complexity": None, "box": False}
        before = {**after, **begun, "gone": False}
    if after["project_id"] != before["project_id"]:
        yield "moved", _value(after, "project")
    for kind, column in (("renamed", "title"), ("sized", "complexity")):
        if _value(after, column) != _value(before, column):
            yield kind, _value(after, column)
    if before["gone"] != after["gone"]:
        yield ("gone" if after["gone"] else "back"), None
    yield from _states(before, after)


def _states(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What became of the box, of the block, and else of the status."""
    status, reason = _value(after, "status"), _value(after, "blocked_reason")
    was_blocked, is_blocked = _is_blocked(before), _is_blocked(after)
    is_told = before["box"] != after["box"] or (was_blocked != is_blocked and not after["box"])
    if before["box"] != after["box"]:
        yield ("done", None) if after["box"] else ("reopened", status)
    if was_blocked != is_blocked and not after["box"]:
        yield ("blocked", reason) if is_blocked else ("unblocked", status)
    if was_blocked and is_blocked and reason != _value(before, "blocked_reason"):
        yield "reason", reason
    if not is_told and status != _value(before, "status"):
        yield "status", status


def _is_blocked(state: Mapping[str, Any]) -> bool:
    return state.get("status") == "blocked" and not state["box"]


def _value(state: Mapping[str, Any], column: str) -> str | None:
    """A value as text; '' is none."""
    value = state.get(column)
    return None if value in (None, "") else str(value)


def _dependencies(conn: sqlite3.Connection, task_id: int) -> Iterator[Happening]:
    """What the task came to depend on, and what it depends on no more, in its present life."""
    sql = """
        SELECT d.op, +d.occurred_at AS occurred_at, d.source, t.title, d.depends_on_id
        FROM main.dependency_events AS d LEFT JOIN tasks AS t ON t.id = d.depends_on_id
        WHERE d.task_id = :id AND d.depends_on_id <> :id AND d.recorded_at > coalesce(
            (SELECT max(e.recorded_at) FROM main.task_events AS e WHERE e.task_id = :id AND e.op = 'delete'), '')
        ORDER BY d.event_id
        """
    for row in rows.read(conn, sql, {"id": task_id}):
        at = times.normal(row["occurred_at"])
        if at is not None:
            name = row["title"] or f"task {row['depends_on_id']}"
            yield Happening(
                at, "free" if row["op"] == "remove" else "depends", name, row["source"],
                is_estimated=row["op"] == "baseline",
            )  # fmt: skip
