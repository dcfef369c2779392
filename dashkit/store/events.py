"""The history of tasks: late events, what they leave in the row, and what was true before."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from dashkit import times
from dashkit.connection import acquire, transaction
from dashkit.records import DependencyChange, TaskChange, TaskKey
from dashkit.store import rows

WATCHED = ("project_id", "status", "checked", "blocked_reason", "complexity", "title")
# A task is no longer in the file that it was read from, and is in it again: its row stays.
GONE, BACK = "gone", "back"
OPERATIONS = ("insert", "update", "delete", "baseline", "backfill", "reconcile", GONE, BACK)
_NONE_IS_EMPTY = ("blocked_reason", "complexity")
_COLUMNS = (
    *("task_id", "op", "occurred_at", "recorded_at", "not_before", "source", *WATCHED),
    *("actor", "on_day", "said_completed_at"),
)
# Who makes the changes of this package's own doors; others name themselves: page, api, widget, mcp:<client>.
CLI, PYTHON, INGEST = "cli", "python", "ingest"
_ACTING: set[int] = set()  # the connections, by id(), on which somebody has said who acts
# The life of a task goes on behind the last deletion of its id.
_LIFE = (
    "task_id = :id AND event_id > coalesce("
    "(SELECT max(event_id) FROM task_events WHERE task_id = :id AND op = 'delete'), 0)"
)


def are_kept(conn: sqlite3.Connection) -> bool:
    """Whether this database has a history: from version 2.1 on."""
    return bool(rows.columns(conn, "task_events"))


@contextmanager
def acting(conn: sqlite3.Connection, actor: str) -> Iterator[None]:
    """Say who makes the changes inside, for the triggers to note; afterwards, and after an error, nobody does.

    Whoever said so first is believed: a door that calls another one stays the actor. All of it is in one transaction,
    so that no other program's change can come to have this actor: the caller's where there is one, else (of a
    connection in autocommit) one of its own. A database that notes no actor is left alone.
    """
    if id(conn) in _ACTING or "actor" not in rows.columns(conn, "event_context"):
        yield
        return
    begins = not conn.in_transaction
    commits_each = conn.isolation_level is None or getattr(conn, "autocommit", None) is True
    if begins and not commits_each:
        acquire(conn, "BEGIN IMMEDIATE")  # as Python would at the first change, but it would wait for this very thread
    with transaction(conn) if begins and commits_each else nullcontext():
        _ACTING.add(id(conn))
        try:
            conn.execute("UPDATE main.event_context SET actor = ?", (actor,))
            yield
        except BaseException:
            # Python's older mode has begun a transaction by itself; what is refused is to leave none behind.
            if begins:
                conn.rollback()
            raise
        finally:
            _ACTING.discard(id(conn))
            if conn.in_transaction:
                conn.execute("UPDATE main.event_context SET actor = NULL")


@contextmanager
def suspended(conn: sqlite3.Connection) -> Iterator[None]:
    """Switch the triggers off for a while, inside the caller's transaction: after a crash they are on."""
    conn.execute("UPDATE event_context SET suspended = 1")
    try:
        yield
    finally:
        conn.execute("UPDATE event_context SET suspended = 0")


@contextmanager
def recorded_at_once(conn: sqlite3.Connection) -> Iterator[None]:
    """Record all events inside as of its end, when the caller's transaction is about to be committed.

    Reading takes its time, and nobody else sees these events before. An answer that somebody got meanwhile, of what was
    known then, must not come to hold them.
    """
    tables = [table for table in ("task_events", "dependency_events") if rows.columns(conn, table)]
    last = {table: _last_event(conn, table) for table in tables}
    yield
    now = times.to_text(times.utc_now())
    for table, event in last.items():
        sql = f"UPDATE main.{table} SET recorded_at = :now WHERE event_id > :event AND recorded_at < :now"  # noqa: S608
        rows.write(conn, sql, {"now": now, "event": event})


def _last_event(conn: sqlite3.Connection, table: str) -> int:
    found = rows.fetch(conn, f"SELECT coalesce(max(event_id), 0) AS last FROM main.{table}", {})  # noqa: S608
    return int(found[0]["last"])


def record_late(
    conn: sqlite3.Connection,
    changes: Sequence[TaskChange],
    recorded_at: str,
    dependencies: Iterable[DependencyChange] = (),
) -> int:
    """Insert changes as events with their own time, then write what follows from them into the rows of their tasks.

    An event is not later than `recorded_at`, and not earlier than the event before it of the same task that a source
    showed. An event that is put off to the time of a date is on that date too. An end that its source dates before the
    event before it stands where it was seen, and says when it was: the frames take it from there, where that can be
    true (docs/adr/0014). That a task is gone or back depends on its source alone: such an event stands behind the last
    such one, and moves no other event.

    Args:
        conn: the database, in the caller's transaction.
        changes: in the order in which their sources show them; `task` is an id.
        recorded_at: the time of the run, in the stored form.
        dependencies: in the same way.

    Returns:
        How many changes got another time than their own, because they were out of order.
    """
    # A file of version 2.1 that was not migrated since an earlier commit lacks the last columns.
    here = rows.columns(conn, "task_events")
    previous: dict[tuple[TaskKey, bool], tuple[str, str | None]] = {}
    found, clamped = [], 0
    for late in changes:
        key = late.task, late.op in (GONE, BACK)
        last = previous.get(key)
        if last is None:
            is_first = late.op in ("insert", "baseline")
            last = ("", None) if is_first else _last_replayed(conn, *key, "on_day" if "on_day" in here else "NULL")
        event = _behind(late, last[0])
        occurred = min(recorded_at, max(event.occurred_at, last[0]))
        says = event.values.get("checked") and "said_completed_at" in here
        # Of a day nobody knows the hour: within it nothing is out of order.
        clamped += not says if event is not late else occurred != event.occurred_at and occurred[:10] != event.on_day
        days = (event.on_day, last[1] if event.occurred_at < last[0] else None)
        previous[key] = occurred, next((day for day in days if day == occurred[:10]), None)
        found.append(_row(event, *previous[key], recorded_at))
    columns = [column for column in _COLUMNS if column in here]
    marks = ", ".join(f":{column}" for column in columns)
    with suspended(conn):
        before = conn.execute("SELECT coalesce(max(event_id), 0) FROM task_events").fetchone()[0]
        conn.executemany(f"INSERT INTO task_events ({', '.join(columns)}) VALUES ({marks})", found)  # noqa: S608
        _write_rows(conn, before, recorded_at)
        for dependency in dependencies if rows.columns(conn, "task_dependencies") else ():
            _write_dependency(conn, dependency, recorded_at)
    return clamped


def _behind(event: TaskChange, last: str) -> TaskChange:
    """A change; where its source dates an end before the last event, the end as it was seen, which says its time."""
    if not event.seen_at or event.occurred_at >= last:
        return event
    said = event.on_day or event.occurred_at
    return replace(event, occurred_at=event.seen_at, on_day=None, said_completed_at=said)


def _last_replayed(conn: sqlite3.Connection, task_id: TaskKey, is_move: bool, on_day: str) -> tuple[str, str | None]:
    """The time and day of the last late event of a task, of those that it was gone or back or of the others."""
    sql = (
        f"SELECT occurred_at, {on_day} FROM task_events "  # noqa: S608 - a column, or NULL
        f"WHERE {_LIFE} AND (op IN (:gone, :back)) = :is_move AND (source GLOB 'git:*' OR source GLOB 'file:*') "
        "ORDER BY occurred_at DESC, event_id DESC LIMIT 1"
    )
    values = {"id": task_id, "gone": GONE, "back": BACK, "is_move": is_move}
    found: tuple[str, str | None] | None = conn.execute(sql, values).fetchone()
    return found or ("", None)


def _row(event: TaskChange, occurred_at: str, on_day: str | None, recorded_at: str) -> dict[str, Any]:
    values = {column: event.values[column] for column in WATCHED if column in event.values}
    return {
        **dict.fromkeys(WATCHED),
        **{column: "" if value is None else value for column, value in values.items()},
        "task_id": event.task,
        "op": event.op,
        "occurred_at": occurred_at,
        "recorded_at": recorded_at,
        "not_before": None if event.not_before is None else min(event.not_before, occurred_at),
        "source": event.source,
        "actor": INGEST,
        "on_day": on_day,
        "said_completed_at": event.said_completed_at if event.values.get("checked") else None,
    }


def latest(column: str, wanted: str | None = None) -> str:
    """SQL: of the last event in the life of a task t that speaks of a column, its value, or what else is wanted."""
    return (
        f"(SELECT {wanted or f'e.{column}'} FROM task_events AS e "  # noqa: S608 - of WATCHED
        f"WHERE e.task_id = t.id AND e.{column} IS NOT NULL AND e.event_id > coalesce("
        "(SELECT max(d.event_id) FROM task_events AS d WHERE d.task_id = t.id AND d.op = 'delete'), 0) "
        "ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT 1)"
    )


_NONE = {**dict.fromkeys(WATCHED, "''"), "checked": "0", "project_id": "NULL"}


def said(column: str) -> str:
    """SQL: what a row t says in a column, as events have it: there is a word for none."""
    return f"coalesce(t.{column}, {_NONE[column]})"


def differs() -> str:
    """SQL: whether a task t is not what the last events of its life say, column by column.

    Most tasks are settled by their last event alone, which says all that the row says.
    """
    # Equal, and said: in an event NULL means as before.
    same = " AND ".join(f"{said(column)} = l.{column} COLLATE BINARY" for column in WATCHED)
    settled = (
        f"SELECT 1 FROM task_events AS l WHERE {same} AND l.op <> 'delete' AND l.event_id = ("  # noqa: S608 - of WATCHED
        "SELECT event_id FROM task_events WHERE task_id = t.id ORDER BY occurred_at DESC, event_id DESC LIMIT 1)"
    )
    each = " OR ".join(f"{said(column)} IS NOT {latest(column)}" for column in WATCHED)
    return f"(NOT EXISTS ({settled}) AND ({each}))"


def _write_rows(conn: sqlite3.Connection, before: int, now: str) -> None:
    """Bring rows up to date with the events that are newer than `before`, in the columns that these events have."""
    for column in WATCHED:
        last = latest(column)
        value = f"nullif({last}, '')" if column in _NONE_IS_EMPTY else last
        conn.execute(
            f"UPDATE tasks AS t SET {column} = {value}, updated_at = :now WHERE t.id IN ("  # noqa: S608 - of WATCHED
            f"SELECT task_id FROM task_events WHERE event_id > :before AND {column} IS NOT NULL) "
            f"AND t.{column} IS NOT {value}",
            {"now": now, "before": before},
        )
    if "completed_at" in rows.columns(conn, "tasks"):
        _date_completions(conn, before)


def _date_completions(conn: sqlite3.Connection, before: int) -> None:
    """Set completed_at to when the source says that the task was finished, else to when the box was ticked.

    A baseline only saw that the box was ticked, so the row keeps what it says.
    """
    when = _completed_at(conn, "t.completed_at")
    conn.execute(
        f"UPDATE tasks AS t SET completed_at = {when} WHERE t.id IN ("  # noqa: S608 - of WATCHED
        "SELECT task_id FROM task_events WHERE event_id > :before AND checked IS NOT NULL) "
        f"AND {latest('checked', 'e.source')} IS NOT 'trigger'",
        {"before": before},
    )


def _completed_at(conn: sqlite3.Connection, of_baseline: str) -> str:
    """SQL: what the last event that has the box says about the completion of a task t."""
    here = rows.columns(conn, "task_events")
    on_day, said = (f"e.{column}" if column in here else "NULL" for column in ("on_day", "said_completed_at"))
    seen = f"CASE e.op WHEN 'baseline' THEN {of_baseline} ELSE coalesce({on_day}, e.occurred_at) END"
    return latest("checked", f"CASE WHEN e.checked THEN coalesce({said}, {seen}) END")


def mend_completions(conn: sqlite3.Connection, said: Mapping[int, tuple[str, str | None]]) -> set[int]:
    """Write into the rows of done tasks when their source says that they were completed; the tasks that this changed.

    Only a time no later than the day of the tick, and only where no user has ticked the box or written another time.
    Where the tick itself has no day but what its source said, no later than the day on which it was read.

    Args:
        conn: a database of version 2.1, in the caller's transaction.
        said: task -> what its source says, and what it said before; in the stored form.
    """
    if not said or "completed_at" not in rows.columns(conn, "tasks"):
        return set()
    dated = "e.on_day IS NOT NULL" if "on_day" in rows.columns(conn, "task_events") else "FALSE"
    ticked = f"CASE WHEN {dated} THEN e.recorded_at ELSE e.occurred_at END"
    sql = (
        f"SELECT t.id, t.completed_at AS now, {_completed_at(conn, 'NULL')} AS seen, "  # noqa: S608
        f"{latest('checked', ticked)} AS ticked_at FROM tasks AS t "
        f"WHERE t.checked AND {latest('checked', 'e.source')} IS NOT 'trigger' "
        "AND t.id IN (SELECT value FROM json_each(:ids))"
    )
    mended = []
    for row in rows.read(conn, sql, {"ids": json.dumps([*said])}):
        new, old = said[row["id"]]
        if new != row["now"] and row["now"] in (None, old, row["seen"]) and new[:10] <= row["ticked_at"][:10]:
            mended.append({"id": row["id"], "at": new})
    conn.executemany("UPDATE main.tasks SET completed_at = :at WHERE id = :id", mended)
    return {row["id"] for row in mended}


def _write_dependency(conn: sqlite3.Connection, dependency: DependencyChange, recorded_at: str) -> None:
    occurred_at = min(recorded_at, dependency.occurred_at)
    pair = (dependency.task, dependency.on)
    if dependency.op == "add":
        sql = "INSERT OR IGNORE INTO task_dependencies (task_id, depends_on_id) VALUES (?, ?)"
    else:
        sql = "DELETE FROM task_dependencies WHERE task_id = ? AND depends_on_id = ?"
    if conn.execute(sql, pair).rowcount:
        conn.execute(
            "INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, not_before, source) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*pair, dependency.op, occurred_at, recorded_at, dependency.not_before, dependency.source),
        )


def state_at(conn: sqlite3.Connection, task_id: int, instant: str | None = None) -> dict[str, Any]:
    """What was true of a task at an instant (None: at the end): per column the latest value that was recorded.

    A column that no event has spoken of by then is not in it; '' is none.
    """
    found = conn.execute(
        f"SELECT {', '.join(WATCHED)} FROM task_events "  # noqa: S608 - of WATCHED
        f"WHERE {_LIFE} AND (:instant IS NULL OR occurred_at <= :instant) ORDER BY occurred_at, event_id",
        {"id": task_id, "instant": instant},
    )
    state: dict[str, Any] = {}
    for row in found:
        state.update({column: value for column, value in zip(WATCHED, row, strict=True) if value is not None})
    return state


def status_before_block(conn: sqlite3.Connection, task_id: int) -> str | None:
    """The last status that was not `blocked`, where the history knows one."""
    row = conn.execute(
        f"SELECT status FROM task_events WHERE {_LIFE} AND status NOT IN ('blocked', '') "  # noqa: S608
        "AND op <> 'backfill' ORDER BY occurred_at DESC, event_id DESC LIMIT 1",
        {"id": task_id},
    ).fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class Block:
    """What the events say of the present block of a task; instants in the stored form.

    Args:
        since: when it began, or was there first; None: no event tells of it.
        basis: `event`, `version` (it had not begun at an earlier version of the file), or None: nobody saw it begin.
        not_before: when the task was last known without it; None: never.
        is_of_file: the first version of a file had it.
    """

    since: str | None = None
    basis: str | None = None
    not_before: str | None = None
    is_of_file: bool = False


def block(conn: sqlite3.Connection, task_id: int) -> Block:
    """What the events say of the present block of a task."""
    said = "said_created_at" if "said_created_at" in rows.columns(conn, "task_events") else "NULL"
    sql = f"""
        SELECT occurred_at, not_before, op, source, {said} AS said_created_at, status,
               CASE WHEN checked IS NOT NULL THEN checked IS TRUE END AS checked,
               CASE op WHEN :gone THEN 1 WHEN :back THEN 0 END AS gone,
               CASE WHEN op IN ('baseline', 'backfill', 'reconcile') THEN NULL
                    WHEN not_before IS NULL THEN 'event' ELSE 'version' END AS basis
        FROM task_events WHERE {_LIFE} ORDER BY occurred_at, event_id
        """  # noqa: S608
    found = rows.read(conn, sql, {"id": task_id, "gone": GONE, "back": BACK})
    created = times.normal(found[0]["said_created_at"]) if found else None
    begin, state, free = None, {"status": None, "checked": 0, "gone": 0}, [created] if created else []
    for event in found:
        state |= {name: event[name] for name in state if event[name] is not None}
        if state != {"status": "blocked", "checked": 0, "gone": 0}:
            begin = None
            free.append(event["occurred_at"])
        elif begin is None:
            begin = event
    if begin is None:
        return Block(not_before=max(free, default=None))
    since, before = begin["occurred_at"], begin["not_before"]
    known = [at for at in [*free, *([before] if before and free else [])] if times.is_before(at, since)]
    is_of_file = begin["op"] == "baseline" and begin["source"] != "baseline"
    return Block(since, begin["basis"], max(known, default=None), is_of_file)
