"""The events of the present life of a task, in their order, as far as its creation and its finish go by them."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from dashkit import times
from dashkit.store import reimports, rows
from dashkit.store.reimports import Part
from dashkit.times import Moment

MINUTE, MS = timedelta(minutes=1), timedelta(milliseconds=1)
LOOKED = ("insert", "baseline", "reconcile")  # what may see a task for the first time
COMPLETED_AT, CREATED_AT = "column:completed_at", "column:created_at"  # the sources of what rows say
_LAST = 2**63 - 1  # the event_id of what only a row tells
_AT_ONCE = 5_000  # parts of lives whose events are read together
_read = lru_cache(maxsize=2**14)(times.read)


class Event(NamedTuple):
    """A row of task_events; `said_*` are the texts of the row that it is about, `seen` is when it was recorded."""

    event_id: int
    op: str
    source: str | None
    at: datetime
    day: date | None
    checked: bool | None
    status: str | None
    said_created_at: str | None
    said_completed_at: str | None
    seen: datetime | None = None

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


def read(conn: sqlite3.Connection, ids: Iterable[int]) -> Iterator[tuple[int, list[Event]]]:
    """The events of the present life of each of these tasks, in the order of time; one without an event is left out.

    The database is of version 2.1; a file of it that an earlier commit made may lack the later columns.
    """
    some: list[tuple[int, Part]] = []
    for task, parts in reimports.lives(conn, ids):
        some += [(task, part) for part in parts]
        if len(some) >= _AT_ONCE:
            yield from _events(conn, some)
            some = []
    yield from _events(conn, some)


def _events(conn: sqlite3.Connection, parts: Sequence[tuple[int, Part]]) -> Iterator[tuple[int, list[Event]]]:
    """The events of tasks of which the parts of their lives are given, without those whose time cannot be read."""
    here = rows.columns(conn, "task_events")
    later = ("on_day", "said_created_at", "said_completed_at")
    # As expressions: the connection may be the caller's, with a converter for a declared type.
    kept = ", ".join(f"+{column} AS {column}" if column in here else f"NULL AS {column}" for column in later)
    names = ("task", "id", "after", "before")
    values = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(names))
    found = rows.each(
        conn,
        "SELECT p.task, event_id, op, source, +occurred_at AS occurred_at, +recorded_at AS recorded_at, "  # noqa: S608
        f"CASE WHEN checked IS NOT NULL THEN checked IS TRUE END AS checked, status, {kept} "
        # LIMIT -1 lets SQLite take each part to pieces once, and not for every event.
        f"FROM (SELECT {values} FROM json_each(:parts) LIMIT -1) AS p "
        "CROSS JOIN main.task_events AS e ON e.task_id = p.id AND e.event_id > p.after AND e.event_id < p.before "
        "WHERE op <> 'delete'",
        {"parts": json.dumps([(task, *part) for task, part in parts])},
    )
    told = defaultdict(list)
    for row in found:
        occurred, day = _read(row["occurred_at"]), _read(row["on_day"])
        if occurred is not None:
            checked = None if row["checked"] is None else bool(row["checked"])
            event = Event(
                *(row["event_id"], row["op"], row["source"], occurred.at, day.day if day else None, checked),
                *(row["status"], row["said_created_at"], row["said_completed_at"]),
                *([seen.at] if (seen := _read(row["recorded_at"])) else []),
            )
            told[row["task"]].append(event)
    yield from ((task, sorted(events, key=order)) for task, events in told.items())


def looked(life: Sequence[Event], now: datetime, created_at: object, completed_at: object) -> Event:
    """The event of a look at a row that is checked, where its life does not say so.

    Args:
        life: its events.
        now: when somebody looks.
        created_at: what the row says.
        completed_at: what the row says.
    """
    last = max((event.at for event in life), default=now)
    said_created, said_completed = (None if value is None else str(value) for value in (created_at, completed_at))
    return Event(_LAST, "reconcile", "reconcile", max(now, last), None, True, None, said_created, said_completed)
