"""The history told again from its definition in docs/schema.md, in plain Python: slow, and without any SQL.

Instants are text in the stored form, whose order is that of time; None is none.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import time_rules

from dashkit import times

Event = Mapping[str, Any]
Life = tuple[int, int]  # a task's id, and how many tasks had it before

COLUMNS = ("project_id", "status", "checked", "blocked_reason", "complexity", "title")
ESTIMATED = ("baseline", "backfill", "reconcile")
STARTED = ("in_progress", "review")  # the default of the setting
LAST = float("inf")  # the event_id of what only the rows tell


@dataclass(frozen=True)
class Interval:
    """A stretch in which nothing changed about a task."""

    life: Life
    started_at: str
    ended_at: str | None
    event: Event
    state: Mapping[str, Any]

    @property
    def checked(self):
        """The box is the truth."""
        return bool(self.state["checked"])

    @property
    def gone(self):
        """Whether it vanished from its file; what is checked is done, wherever it is."""
        return self.state["gone"] and not self.checked

    @property
    def cancelled(self):
        """By its status, while nothing stronger is true."""
        return self.state["status"] == "cancelled" and not self.checked and not self.gone

    @property
    def blocked(self):
        """Likewise."""
        return self.state["status"] == "blocked" and not self.checked and not self.gone

    @property
    def is_open(self):
        """None of done, cancelled and gone."""
        return not (self.checked or self.cancelled or self.gone)

    @property
    def is_estimated(self):
        """Whether nobody saw it begin."""
        return self.event["op"] in ESTIMATED

    @property
    def day(self):
        """The day on which it began, where no more than its date is known."""
        found = time_rules.moment(self.event).day
        return found and found.isoformat()

    def holds(self, instant):
        """Whether an instant is in it."""
        return self.started_at <= instant and (self.ended_at is None or instant < self.ended_at)


@dataclass(frozen=True)
class Span:
    """A stretch in which one task depended on another."""

    life: Life
    on: Life
    started_at: str
    ended_at: str | None
    event: Event

    def holds(self, instant):
        """Whether an instant is in it."""
        return self.started_at <= instant and (self.ended_at is None or instant < self.ended_at)


@dataclass
class Oracle:
    """What was true as of an instant, as known at one (None: at the end), of rows that were seen at found_at."""

    tasks: Sequence[Event]
    task_dependencies: Sequence[tuple[int, int]]
    events: Sequence[Event]
    dependency_events: Sequence[Event]
    as_of: str
    known_at: str | None
    found_at: str
    zone: str = "UTC"
    has_history: bool = True
    intervals: list[Interval] = field(init=False)
    dependencies: list[Span] = field(init=False)

    def __post_init__(self):
        """Tell lives, intervals and dependencies."""
        self.lives = self._lives()
        self.intervals = [one for life in sorted(self.lives) for one in self._intervals(life)]
        self.dependencies = self._dependencies()

    def knows(self, recorded_at):
        """Whether something was known at the chosen instant."""
        return self.known_at is None or recorded_at <= self.known_at

    @property
    def sees_rows(self):
        """Whether what the rows say now counts: it was true by as_of, and known."""
        return self.found_at <= self.as_of and self.knows(self.found_at)

    def _lives(self):
        """The events of each life, in the order in which they became true, with what rows say of earlier times."""
        self._join()
        lives, deletions, self.said = defaultdict(list), defaultdict(int), defaultdict(list)
        for event in sorted(self.events, key=lambda event: event["event_id"]):
            task = event["task_id"]
            if self.knows(event["recorded_at"]) and event["event_id"] not in self.joined:
                life = self.became.get((task, deletions[task]), (task, deletions[task]))
                self.said[life].append(event)
            deletions[task] += event["op"] == "delete" and event["event_id"] not in self.kept
        for life, told in self.said.items():
            if seen := [event for event in told if event["occurred_at"] <= self.as_of]:
                lives[life] = seen
        found = self._find(lives) if self.sees_rows else {}
        for life in {*self.said, *found}:
            told = sorted([*self.said.get(life, []), *found.get(life, [])], key=time_rules.order)
            lives[life] = time_rules.counted(time_rules.mend(told), self.as_of, self.zone)
            self.said.setdefault(life, []).extend(found.get(life, []))
        return {life: told for life, told in lives.items() if told}

    def _join(self):
        """Which deletions were half of an import (joined: the id of the task that came back; kept: its old one)."""
        told = [event for event in sorted(self.events, key=lambda e: e["event_id"]) if self.knows(event["recorded_at"])]
        alike, taken, came_back, self.joined = defaultdict(list), set(), [], {}
        for event in told:
            created = times.read(event.get("said_created_at"))
            earlier = time_rules.is_earlier(created, {**event, "occurred_at": event["recorded_at"]})
            if created and (event["op"] == "delete" or (event["op"] == "insert" and earlier)):
                alike[event["title"], created].append(event)

        def soon(gone, come):
            return times.read(come["recorded_at"]).at - times.read(gone["recorded_at"]).at <= timedelta(hours=1)

        pairs = []
        moves = sorted((e for e in told if e["op"] in ("delete", "insert")), key=lambda e: e["task_id"])
        for gone, come in itertools.pairwise(moves):
            if gone["op"] != "delete" or come["op"] != "insert" or gone["task_id"] != come["task_id"]:
                continue
            created = times.read(gone.get("said_created_at"))
            titled = come["title"] == gone["title"]
            alike_made = created is not None and times.read(come.get("said_created_at")) == created
            is_import = titled and alike_made and come in alike[come["title"], created] and soon(gone, come)
            at_once = come["event_id"] == gone["event_id"] + 1 and come["recorded_at"] == gone["recorded_at"]
            earlier = time_rules.is_earlier(created, {**come, "occurred_at": come["recorded_at"]})
            if is_import or (at_once and created is not None and (titled or (alike_made and earlier))):
                self.joined[gone["event_id"]] = come["task_id"]
                taken |= {gone["event_id"], come["event_id"]}
            if is_import:
                came_back.append(come)
        self.kept = set(self.joined)
        for found in alike.values():
            # Of the others the first that went is the first that came, turn by turn, project by project.
            for project in {event["project_id"] for event in found}:
                left = [e for e in found if e["event_id"] not in taken and e["project_id"] == project]
                turns = [list(group) for _, group in itertools.groupby(left, key=lambda e: e["op"])]
                for went, came in itertools.pairwise(turns):
                    if went[0]["op"] == "delete":
                        pairs += [(gone, come) for gone, come in zip(went, came, strict=False) if soon(gone, come)]
        self.joined |= {gone["event_id"]: come["task_id"] for gone, come in pairs}
        self.became = {}
        steps = {self._life_at(gone["task_id"], gone): self._life_at(come["task_id"], come) for gone, come in pairs}
        for life in steps:
            last = life
            while last in steps:
                last = steps[last]
            self.became[life] = last
        came_back += [come for _, come in pairs]
        again = (self._life_at(come["task_id"], come) for come in came_back)
        self.imported = [self.became.get(life, life)[0] for life in again]

    def _life_at(self, task, event):
        """The life of an id at an event."""
        gone = [
            one["event_id"] for one in self.events
            if one["op"] == "delete" and one["task_id"] == task and one["event_id"] not in self.kept
        ]  # fmt: skip
        return task, sum(one < event["event_id"] for one in gone)

    def _find(self, lives):
        """Where a row is not what its events say, it changed when it was seen: the event that nobody recorded."""
        rows, found = {row["id"]: row for row in self.tasks}, {}
        for task in sorted(rows.keys() | {task for task, _ in lives}):
            life = max((life for found, life in lives if found == task), default=0)
            told = sorted(lives.get((task, life), []), key=time_rules.order)
            dead = bool(told) and told[-1]["op"] == "delete"
            seen = {"event_id": LAST, "task_id": task, "not_before": None, "recorded_at": self.found_at}
            seen |= {"source": "reconcile", "occurred_at": max(self.found_at, told[-1]["occurred_at"] if told else "")}
            if task not in rows:
                if not dead:
                    found[task, life] = [{**dict.fromkeys(COLUMNS), **seen, "op": "delete"}]
                continue
            row = rows[task]
            image = {column: "" if row[column] is None else row[column] for column in COLUMNS}
            image["checked"] = image["checked"] or 0
            image |= {f"said_{name}": row.get(name) for name in ("created_at", "completed_at")}
            image["op"] = "reconcile" if self.has_history else "baseline"
            if dead or not told:
                found[task, life + dead] = [{**image, **seen}]
            elif any(_plain(column, image[column]) != _value(told, column) for column in COLUMNS):
                found[task, life] = [{**image, **seen}]
        return found

    def _intervals(self, life):
        told = self.lives[life]
        instants = sorted({event["occurred_at"] for event in told})
        for instant, following in zip(instants, [*instants[1:], None], strict=True):
            so_far = [event for event in told if event["occurred_at"] <= instant]
            if so_far[-1]["op"] != "delete":
                yield Interval(life, instant, following, so_far[-1], self._state(life, so_far))

    def _state(self, life, told):
        """What is true behind some events; before any says of which project and title a task is, what does first."""
        state = _state(told)
        said = sorted(self.said[life], key=time_rules.order)
        for column in ("project_id", "title"):
            if not any(event[column] is not None for event in told):
                state[column] = next((event[column] for event in said if event[column] is not None), state[column])
        return state

    def states(self, life):
        """Each event of a life, in order, with what was true behind it."""
        told = self.lives[life]
        return [(event, self._state(life, told[:number])) for number, event in enumerate(told, 1)]

    def _life_when(self, task, recorded_at, op):
        """The life that a dependency was said of; deleting a task lifts its dependencies in the same instant."""
        dead = [
            event["recorded_at"] for event in self.events
            if (event["task_id"], event["op"]) == (task, "delete") and event["event_id"] not in self.kept
        ]  # fmt: skip
        return sum(one < recorded_at or (one == recorded_at and op != "remove") for one in dead)

    def _dependencies(self):
        pairs = defaultdict(list)
        for event in self.dependency_events:
            if self.knows(event["recorded_at"]) and event["occurred_at"] <= self.as_of:
                one, two = event["task_id"], event["depends_on_id"]
                lives = (self._life_when(task, event["recorded_at"], event["op"]) for task in (one, two))
                pairs[tuple(zip((one, two), lives, strict=True))].append(event)
        spans = [span for pair, told in pairs.items() for span in self._spans(pair, told)]
        still = {(span.life[0], span.on[0]) for span in spans if span.ended_at is None}
        if self.sees_rows:
            for pair in set(self.task_dependencies) - still:
                lives = [(task, max((life for found, life in self.lives if found == task), default=0)) for task in pair]
                spans.append(Span(*lives, self.found_at, None, {"op": "baseline", "not_before": None}))
        return spans

    def _spans(self, pair, told):
        told = sorted(told, key=lambda e: (e["occurred_at"], e["event_id"]))
        is_there = not self.sees_rows or (pair[0][0], pair[1][0]) in self.task_dependencies
        for event, following in zip(told, [*told[1:], None], strict=True):
            end = following and following["occurred_at"]
            if following is None and not is_there:
                end = max(self.found_at, event["occurred_at"])
            if event["op"] != "remove" and end != event["occurred_at"]:
                yield Span(*pair, event["occurred_at"], end, event)

    def is_open(self, life, instant):
        """Whether a task was open then."""
        return any(one.is_open for one in self.intervals if one.life == life and one.holds(instant))

    def waits(self, life, instant):
        """Whether a task was open then, with an open dependency other than itself."""
        return self.is_open(life, instant) and any(
            span.life == life and span.on[0] != life[0] and span.holds(instant) and self.is_open(span.on, instant)
            for span in self.dependencies
        )

    def is_blocked(self, life, instant):
        """Whether somebody had said so of an open task."""
        return any(one.blocked for one in self.intervals if one.life == life and one.holds(instant))

    def blocks(self):
        """Every stretch: (task_id, life, cause, started_at, ended_at)."""
        edges = {edge for one in (*self.intervals, *self.dependencies) for edge in (one.started_at, one.ended_at)}
        instants = sorted(edge for edge in edges if edge is not None)
        for cause, is_true in (("reported", self.is_blocked), ("waiting", self.waits)):
            for life in self.lives:
                began = None
                for instant in instants:
                    if is_true(life, instant) and began is None:
                        began = instant
                    elif not is_true(life, instant) and began is not None:
                        yield (*life, cause, began, instant)
                        began = None
                if began is not None:
                    yield (*life, cause, began, None)

    def beginnings(self, life, cause, instant):
        """What may have begun a stretch: (not_before, is_estimated) of each change of that instant."""
        lives = {life} if cause == "reported" else {life, *(span.on for span in self.dependencies if span.life == life)}
        spans = [] if cause == "reported" else [span for span in self.dependencies if span.life == life]
        found = [one for one in (*self.intervals, *spans) if one.started_at == instant and one.life in lives]
        return {(one.event["not_before"], one.event["op"] in ESTIMATED) for one in found}

    def flow(self):
        """One mapping for each life: when it arrived, began, was finished, and left."""
        for life in sorted({one.life for one in self.intervals}):
            told = [one for one in self.intervals if one.life == life]
            before = [None, *told]
            first, last = told[0], told[-1]
            begun = [one for one in told if one.checked or one.state["status"] in STARTED]
            done = [now for was, now in zip(before, told, strict=False) if now.checked and not (was and was.checked)]
            away = [now for was, now in zip(before, told, strict=False) if _left(now) and not (was and _left(was))]
            finish = done[-1] if last.checked else None
            left = away[-1].started_at if _left(last) else None if last.checked else last.ended_at
            yield {
                "task_id": life[0],
                "life": life[1],
                "project_id": last.state["project_id"],
                "complexity": last.state["complexity"],
                "arrived_at": first.started_at,
                "arrived_on": first.day,
                "arrived_is_estimated": first.is_estimated,
                "started_at": begun[0].started_at if begun else None,
                "is_done": last.checked,
                "finished_at": finish.started_at if finish and finish.event["op"] != "baseline" else None,
                "finished_on": finish.day if finish and finish.event["op"] != "baseline" else None,
                "finished_is_estimated": finish.is_estimated or finish.event["op"] == "insert" if finish else None,
                "finishes": len(done),
                "left_at": left,
            }


def _left(interval):
    return interval.cancelled or interval.gone


def _state(told):
    moves = [event["op"] for event in told if event["op"] in ("gone", "back")]
    return {column: _value(told, column) for column in COLUMNS} | {"gone": moves[-1:] == ["gone"]}


def _value(told, column):
    """The value of the last event that carries a column."""
    carried = [event[column] for event in told if event[column] is not None]
    return _plain(column, carried[-1] if carried else None)


def _plain(column, value):
    if column == "checked":
        return bool(value)
    return value or ("" if column == "title" else None)
