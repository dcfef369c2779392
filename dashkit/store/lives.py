"""The events of the present life of a task, in their order, as far as its creation and its finish go by them.

A life is what lies behind the last deletion of an id; a task that was deleted and inserted again within an hour, with
the same title and the same creation time, was imported again, and its life goes on; so does that of one which INSERT OR
REPLACE deletes and inserts.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from dashkit import times
from dashkit.store import rows
from dashkit.times import Moment

MINUTE, MS = timedelta(minutes=1), timedelta(milliseconds=1)
LOOKED = ("insert", "baseline", "reconcile")  # what may see a task for the first time
COMPLETED_AT, CREATED_AT = "column:completed_at", "column:created_at"  # the sources of what rows say
_LAST = 2**63 - 1  # the event_id of what only a row tells
_IMPORTED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of task_events; `said_*` are the texts of the row that it is about, `title` only of what comes and goes."""

    event_id: int
    op: str
    source: str | None
    at: datetime
    day: date | None
    recorded_at: str | None
    checked: bool | None
    status: str | None
    title: str | None
    said_created_at: str | None
    said_completed_at: str | None

    @property
    def moment(self) -> Moment:
        """When it was: at its instant or, where only that is known, on its day."""
        return Moment(self.at, self.day)

    @property
    def is_claim(self) -> bool:
        """Whether it says when the box was turned on, and turns nothing itself."""
        return self.op == "backfill" and self.source == COMPLETED_AT and bool(self.checked)


def order(event: Event) -> tuple[datetime, int]:
    """Events go by their instants, then as they were recorded."""
    return event.at, event.event_id


def is_earlier(said: Moment | None, event: Event) -> bool:
    """Whether what a row said, when an event was recorded, is of an earlier time.

    An event that saw something happen knows its minute; a baseline only looked.
    """
    if said is None:
        return False
    looked = event.op == "baseline"
    if said.day is None:
        return said.at < event.at if looked else said.at <= event.at - MINUTE
    return beginning(said.day) < event.at if looked else said.day < event.at.date()


def is_since(one: Moment, other: Moment | None) -> bool:
    """Whether one moment is not before another, if there is another; a date is the whole of its day, UTC."""
    if other is None:
        return True
    if one.day is None and other.day is None:
        return one.at >= other.at
    return (one.day or one.at.date()) >= (other.day or other.at.date())


def beginning(day: date) -> datetime:
    """The instant at which a day begins, UTC."""
    return times.noon(day) - timedelta(hours=12)


def to_ms(instant: datetime) -> datetime:
    """An instant as it is stored, to the millisecond."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def placed(day: date, behind: datetime | None, ahead: datetime | None) -> datetime:
    """The instant that stands for a date: its noon, but behind one instant and before another, within the day."""
    begin = beginning(day)
    found = times.noon(day) if behind is None else max(times.noon(day), behind + MS)
    found = min(found, begin + timedelta(days=1) - MS)
    return max(begin, found if ahead is None else min(found, ahead - MS))


def read(conn: sqlite3.Connection, ids: Iterable[int]) -> dict[int, list[Event]]:
    """The present life of each of these tasks; a task without an event is left out.

    The database is of version 2.1; a file of it that an earlier commit made may lack the later columns.
    """
    here = rows.columns(conn, "task_events")
    later = ("on_day", "said_created_at", "said_completed_at")
    # As expressions: the connection may be the caller's, with a converter for a declared type.
    kept = ", ".join(f"+{column} AS {column}" if column in here else f"NULL AS {column}" for column in later)
    found = rows.fetch(
        conn,
        "SELECT task_id, event_id, op, source, +occurred_at AS occurred_at, +recorded_at AS recorded_at, "  # noqa: S608
        "CASE WHEN checked IS NOT NULL THEN checked IS TRUE END AS checked, status, "
        f"CASE WHEN op IN ('insert', 'delete') THEN title END AS title, {kept} "
        "FROM main.task_events WHERE task_id IN (SELECT value FROM json_each(:ids)) ORDER BY task_id, event_id",
        {"ids": json.dumps(list(ids))},
    )
    each = groupby(found, key=lambda row: row["task_id"])
    return {task: life for task, mine in each if (life := present(_events(mine)))}


def _events(found: Iterable[rows.Row]) -> list[Event]:
    """Rows as events, without those whose time cannot be read."""
    told = []
    for row in found:
        occurred, day = times.read(row["occurred_at"]), times.read(row["on_day"])
        if occurred is not None:
            checked = None if row["checked"] is None else bool(row["checked"])
            told.append(
                Event(
                    *(
                        row["event_id"],
                        row["op"],
                        row["source"],
                        occurred.at,
                        day.day if day else None,
                        row["recorded_at"],
                    ),
                    *(checked, row["status"], row["title"], row["said_created_at"], row["said_completed_at"]),
                )
            )
    return told


def present(events: Sequence[Event]) -> list[Event]:
    """Of all events of an id, as they were recorded, those of its present life in the order of time."""
    first, left = 0, set()
    for place, event in enumerate(events):
        if event.op == "delete":
            left.add(place)
            follows = next((later for later in events[place + 1 :] if later.op in ("insert", "delete")), None)
            if follows is None or not (_is_import(event, follows) or _is_replaced(event, follows)):
                first = place + 1
    return sorted((event for place, event in enumerate(events) if place >= first and place not in left), key=order)


def _is_import(gone: Event, come: Event) -> bool:
    """Whether what was inserted is what had been deleted, with its creation time, which is an earlier one."""
    if come.op != "insert" or come.title != gone.title:
        return False
    created, said = times.read(gone.said_created_at), times.read(come.said_created_at)
    deleted, inserted = times.read(gone.recorded_at), times.read(come.recorded_at)
    if created is None or said != created or deleted is None or inserted is None:
        return False
    return _was_before(said, inserted) and inserted.at <= deleted.at + _IMPORTED


def _was_before(said: Moment, inserted: Moment) -> bool:
    """Whether a row says that its task was there before it was inserted."""
    return said.day < inserted.at.date() if said.day else said.at <= inserted.at - MINUTE


def looked(life: Sequence[Event], now: datetime, created_at: object, completed_at: object) -> Event:
    """The event of a look at a row that is checked, where its life does not say so.

    Args:
        life: its events.
        now: when somebody looks.
        created_at: what the row says.
        completed_at: what the row says.
    """
    last = max((event.at for event in life), default=now)
    said = (None if value is None else str(value) for value in (created_at, completed_at))
    seen = ("reconcile", "reconcile", max(now, last), None, times.to_text(now), True, None, None)
    return Event(_LAST, *seen, *said)


def _is_replaced(gone: Event, come: Event) -> bool:
    """Whether both are one INSERT OR REPLACE, which with recursive_triggers is told as a deletion and an insertion."""
    if come.op != "insert" or come.event_id != gone.event_id + 1 or come.recorded_at != gone.recorded_at:
        return False
    created, inserted = times.read(gone.said_created_at), times.read(come.recorded_at)
    if created is None or inserted is None:
        return False
    return come.title == gone.title or (times.read(come.said_created_at) == created and _was_before(created, inserted))
