"""When the tasks that are done were finished, by the rules of docs/adr/0014, from the events of their lives.

states.sql says the same of every instant in every zone; this says it of the present, in UTC, where nobody waits for
DuckDB: for the functions of a Dashboard, and for what is to be added to the history.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from dashkit import times
from dashkit.store import lives
from dashkit.store.lives import LOOKED, MS, Event
from dashkit.times import Moment

_ESTIMATED = ("baseline", "backfill", "reconcile", "insert")  # what nobody saw, or came from elsewhere as done


@dataclass(frozen=True)
class Finish:
    """When a task was finished: an instant in the stored form, its day where only that is known (`2025-11-03`).

    `is_estimated`: nobody saw it; a row says it, or it was done when it came.
    """

    at: str
    on_day: str | None
    is_estimated: bool


@dataclass(frozen=True)
class Creation:
    """Which event saw a task first; when the row said that it was created; and when it was, as far as is known."""

    first: Event | None = None
    said: Moment | None = None
    known: Moment | None = None


class Turn(NamedTuple):
    """An event that turned the box on: how often, and when last, the task had left done before it."""

    event: Event
    times_left: int
    left: Moment | None


class Known(NamedTuple):
    """When a turn was a finish, where something says so; `claim` does, or the row said it to the event."""

    at: datetime
    day: date | None
    claim: Event | None


class Mark(NamedTuple):
    """What became so: an event, or (rank 0, 1) what a row said of an earlier time; `box` None: as before."""

    at: datetime
    event_id: int
    rank: int
    box: bool | None
    day: date | None
    op: str


def of_tasks(conn: sqlite3.Connection, ids: Iterable[int], now: datetime) -> dict[int, Finish]:
    """The finish of each of these tasks that is done by its events, and of which a time is known.

    Args:
        conn: a database of version 2.1.
        ids: of tasks.
        now: what happens later has not happened.
    """
    found = ((task, present(events, now)) for task, events in lives.read(conn, ids))
    return {task: finish for task, finish in found if finish}


def present(events: Sequence[Event], now: datetime) -> Finish | None:
    """The finish of a task that is done now; None: it is not, or nobody knows when it was.

    Args:
        events: of its life, in the order of time.
        now: what happens later has not happened.
    """
    box, begun = False, None
    counted = sorted(_counted(marks(events), now), key=lambda one: one[0])
    for instant, group in groupby(counted, key=lambda one: one[0]):
        together = [mark for _, mark in group]
        after = [box, *(mark.box for mark in together if mark.box is not None)][-1]
        begun = begun if box else (instant, together[-1])
        box = after
    if not box or begun is None or begun[1].op == "baseline":
        return None
    at, mark = begun
    return Finish(times.to_text(at), mark.day.isoformat() if mark.day else None, mark.op in _ESTIMATED)


def creation(events: Sequence[Event]) -> Creation:
    """What is known of how a life began."""
    first = next((event for event in events if not event.is_claim), None)
    if first is None:
        return Creation()
    said = times.read(first.said_created_at) if first.op in LOOKED else None
    if said and lives.is_earlier(said, first):
        return Creation(first, said, said)
    # What is inserted as done, as if created now, has the default of its column: nobody knows when that was.
    foreign = first.op == "insert" and (first.source != "trigger" or (said is not None and first.checked is False))
    return Creation(first, None, first.moment if foreign or first.source == lives.CREATED_AT else None)


def turns(events: Sequence[Event]) -> tuple[list[Turn], list[int], list[Moment]]:
    """The turns of the box; for each event how often the task had left done before it; and when it did, in order.

    It leaves done where the box is turned off, and where the status was `completed` and becomes another.
    """
    box, word = False, ""
    found: list[Turn] = []
    before: list[int] = []
    left: list[Moment] = []
    for event in events:
        before.append(len(left))
        if event.is_claim:
            continue
        was_box, was_word = box, word
        box = was_box if event.checked is None else event.checked
        word = was_word if event.status is None else event.status
        if box and not was_box:
            found.append(Turn(event, len(left), left[-1] if left else None))
        if (was_box and not box) or (was_word == "completed" and word != "completed"):
            left.append(event.moment)
    return found, before, left


def last_left(events: Sequence[Event]) -> Moment | None:
    """When a task last left done, in any way that its history saw; None: it never did."""
    left = turns(events)[2]
    return left[-1] if left else None


def of_claim(said: Moment | None, turn: Turn, created: Moment | None) -> Known | None:
    """When a turn was a finish by what a row says of it; None: it says nothing that can be true."""
    if said is None or not lives.is_earlier(said, turn.event):
        return None
    if not (lives.is_since(said, created) and lives.is_since(said, turn.left)):
        return None
    if said.day is None:
        # To the millisecond, as events are stored; behind the instant in which the task was reopened.
        at = lives.to_ms(said.at)
        return Known(at + MS * (turn.left is not None and at == turn.left.at), None, None)
    same = [one.at for one in (created, turn.left) if one and one.at.date() == said.day]
    return Known(lives.placed(said.day, max(same, default=None), turn.event.at), said.day, None)


def is_old(said: Moment | None, turn: Turn, events: Sequence[Event]) -> bool:
    """Whether a row said the same of an earlier finish of its task: then it says nothing of this one."""
    before = turns(events)[1]
    return said is not None and any(
        event.checked and times_left < turn.times_left and times.read(event.said_completed_at) == said
        for event, times_left in zip(events, before, strict=True)
    )


def known(events: Sequence[Event]) -> dict[int, Known]:
    """Which turns were finishes at other times than their events, by the ids of these.

    Of several claims about a turn the one that was recorded last wins; it may take an earlier one back.
    """
    created = creation(events).known
    found, before, _ = turns(events)
    told = {}
    for turn in found:
        row_said = times.read(turn.event.said_completed_at)
        told_by_row = None if is_old(row_said, turn, events) else of_claim(row_said, turn, created)
        said = [(turn.event.event_id, told_by_row)] if told_by_row else []
        for event, times_left in zip(events, before, strict=True):
            if event.is_claim and times_left == turn.times_left:
                said.append((event.event_id, Known(event.at, event.day, event)))
        if said:
            told[turn.event.event_id] = max(said, key=lambda one: one[0])[1]
    return told


def arrival(events: Sequence[Event]) -> Moment | None:
    """When a task arrived, as far as its history knows."""
    first = min(marks(events), default=None)
    return first and Moment(first.at, first.day)


def marks(events: Sequence[Event]) -> list[Mark]:
    """What became of the box, in order: the events, and what the rows said of an earlier creation and finish.

    From a finish on the box is on, and not before it, whatever the events say.
    """
    born, finished = creation(events), known(events)
    found, before, _ = turns(events)
    following = {turn.times_left: turn for turn in reversed(found)}
    marks = []
    for event, times_left in zip(events, before, strict=True):
        turn = following.get(times_left)
        finish = finished.get(turn.event.event_id) if turn else None
        is_void = turn is not None and finish is not None and _is_void(event, turn, finish)
        marks.append(Mark(event.at, event.event_id, 2, None if is_void else event.checked, event.day, event.op))
    for event_id, finish in finished.items():
        if finish.claim is None:
            marks.append(Mark(finish.at, event_id, 1, True, finish.day, "backfill"))
    if born.first and born.said:
        following_at = min([born.first.at, *(finish.at for finish in finished.values())])
        day = born.said.day
        begun = lives.placed(day, None, following_at) if day else born.said.at
        begun = lives.to_ms(begun)
        marks.append(Mark(begun, born.first.event_id, 0, following_at <= begun, day, "backfill"))
    return sorted(marks, key=lambda mark: mark[:3])


def _is_void(event: Event, turn: Turn, finish: Known) -> bool:
    """Whether what an event says of the box does not hold, since something else is known of when it was turned on."""
    if event.is_claim:
        return finish.claim is not event
    if event.checked is False:
        return finish.at <= event.at and lives.order(event) < lives.order(turn.event)
    return bool(event.checked) and event.at < finish.at


def _counted(marks: Sequence[Mark], now: datetime) -> list[tuple[datetime, Mark]]:
    """The marks that count by now, at the instants at which they do: a date is the whole of its day, UTC.

    It counts as soon as the day has begun, and what came before another one counts at no later instant.
    """
    begins = [lives.beginning(mark.day) if mark.day else None for mark in marks]
    # However little of its day is left, what stood behind another one still does.
    order = sorted({mark.at for mark in marks})
    steps = [order.index(mark.at) for mark in marks]
    instants = [
        mark.at
        if begin is None
        else max(begin + MS * step, min(mark.at, begin + timedelta(days=1) - MS * (len(order) - step)))
        for mark, begin, step in zip(marks, begins, steps, strict=True)
    ]
    if any(earlier > later for earlier, later in pairwise(instants)):
        for place in reversed(range(len(instants) - 1)):
            room = MS * (steps[place + 1] - steps[place])
            instants[place] = min(instants[place], instants[place + 1] - room)
    kept = []
    for mark, instant, begin in zip(marks, instants, begins, strict=True):
        if instant > now and (begin is None or begin > now):
            break
        kept.append((instant, mark))
    last = len(kept) - 1
    return [
        (min(instant, now - MS * (last - place)) if instant > now else instant, mark)
        for place, (instant, mark) in enumerate(kept)
    ]
