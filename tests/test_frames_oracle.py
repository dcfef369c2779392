"""Every frame of the present on random histories: each against its definition in plain Python, and against later news.

A definition gives the rows in any order, as mappings of the promised columns; an alternative of several values, where
several changes of one instant may have done it, is a set. What begins with _ is there to sort by.
"""

import itertools
import json
import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import pytest
from builders import insert, v2_1_database, v2_database
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import COLUMNS, INFERRED, LAST, Interval, Oracle
from test_as_of import IDS, database, histories, moderately, plain
from test_trends import (
    BY,
    POINTS,
    ZONES,
    Periods,
    blockers,
    check_blocks,
    check_durations,
    check_flow,
    check_states,
    days,
    moment,
    rows,
    spread,
)

import dashkit
from dashkit import dashboard, times
from dashkit.frames import progress as progress_frames

NAMES = {1: "Alpha", 2: "Beta"}
PHASES = {1: ("Ship", 1, 2), 2: ("Build", 1, 1), 3: ("Ship", 2, 5)}  # id: name, project, position
FEWEST = 20  # finished tasks, below which there are no percentiles
KINDS = ("failed", "blocked", "reopened", "done", "stale", "commits")
WHAT = ("tasks", "records", "ids", "commits")
STATUSES = ("pending", "in_progress", "review", "blocked", "completed", "cancelled")
MOMENTS = st.integers(0, 42).map(moment)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with two projects and their phases, to be copied for each example."""
    path = v2_1_database(tmp_path_factory.mktemp("oracle") / "empty.db", projects=NAMES.values())
    for number, (name, project, position) in PHASES.items():
        insert(path, "phases", id=number, project_id=project, name=name, position=position)
    return path


# What is in the database


@dataclass(frozen=True)
class World:
    """All that a database holds: the history of tasks, rows of other tables, and the projects that are there."""

    made: dict
    beside: dict
    names: dict

    def write(self, empty, name="example.db"):
        """A database that holds exactly this."""
        path = database(empty, self.made, name)
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("PRAGMA ignore_check_constraints = 1")
            conn.executemany("DELETE FROM projects WHERE id = ?", [(key,) for key in NAMES if key not in self.names])
            for table, found in self.beside.items():
                for row in found:
                    marks = ", ".join(f":{column}" for column in row)
                    conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)
        return path


def extras(project):
    """What the row of a task says beside that of which there is a history."""
    return st.fixed_dictionaries(
        {
            "phase_id": st.sampled_from([None, *(key for key, phase in PHASES.items() if phase[1] == project)]),
            "labels": st.sampled_from([None, "[]", "no json", '{"a": 1}', '["a"]', '["b", "a", "b"]']),
            "external_id": st.sampled_from([None, "X-1"]),
            "created_at": st.sampled_from([None, "soon", moment(4), moment(8)]),
            "updated_at": st.sampled_from([None, moment(4), moment(8)]),
            "completed_at": st.sampled_from([None, "", moment(3), moment(9), moment(30)]),
        }
    )


COMMITS = st.fixed_dictionaries(
    {
        "repo_id": st.sampled_from(["r1", "r2"]),
        "author": st.sampled_from([None, "Ann", "Bob"]),
        "author_email": st.sampled_from([None, "", "a@x", "A@X"]),
        "message": st.sampled_from([None, " ", "Fix\n\nmore", "\n  Add it \r\n"]),
        "timestamp": MOMENTS | MOMENTS | st.sampled_from([None, "soon"]),
        "insertions": st.sampled_from([None, 0, 3, 3]),
        "deletions": st.sampled_from([None, 0, 1, 1]),
        "is_merge": st.sampled_from([None, 0, 1]),
        "recorded_at": MOMENTS,
    }
)
SESSIONS = st.fixed_dictionaries(
    {
        "project_id": st.sampled_from([None, 1, 2]),
        "summary": st.sampled_from([None, "", "Talk\nmore"]),
        "started_at": MOMENTS | st.sampled_from([None, "soon"]),
    }
)
LINKS = st.fixed_dictionaries(
    {
        "confidence": st.sampled_from([0.0, 0.6, 0.9, 1.0, 1.0, 2.0, "high"]),
        "link_type": st.sampled_from(["explicit", "inferred"]),
        "evidence": st.sampled_from([None, "said so"]),
    }
)
RUNS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["scan", "ingest tasks", "ingest tasks", "link"]),
        "outcome": st.sampled_from(["done", "failed"]),
        "details": st.sampled_from(
            [
                None,
                "{",
                '{"text": "disk full"}',
                '{"project_id": 1, "text": "no disk", "left_out_by": {"no title": 2, "too long": 1}}',
                '{"project_id": 2, "left_out_by": {"no title": 1}}',
                '{"left_out_by": {"no such id": 4}}',
            ]
        ),
    }
)


def run(start, took, told):
    """A run that began at an instant, and took so many half days, or nobody knows how many."""
    ended = None if took is None else moment(start + took)
    return {"id": str(start), "started_at": moment(start), "finished_at": ended, **told}


@st.composite
def beside(draw):
    """Commits of two repositories, sessions, links to what may be missing, and runs."""
    commits = [{"sha": f"c{number}", **row} for number, row in enumerate(draw(st.lists(COMMITS, max_size=6)))]
    sessions = [{"id": f"s{number}", **row} for number, row in enumerate(draw(st.lists(SESSIONS, max_size=3)))]
    holders = itertools.product(["r1", "r2"], (row["sha"] for row in commits))
    found = {"commit_sha": [*(row["sha"] for row in commits), "lost"], "session_id": [row["id"] for row in sessions]}
    links = {name: [] for name in found}
    for name, targets in found.items():
        for task, target in itertools.product((*IDS, 9), targets):
            if draw(st.integers(0, 3)) == 0:
                links[name].append({"id": f"{task}{target}", "task_id": task, name: target, **draw(LINKS)})
    starts = draw(st.lists(st.integers(0, 42), max_size=5, unique=True))
    return {
        "git_repos": [{"id": f"r{project}", "project_id": project, "path": f"/{project}"} for project in NAMES],
        "git_commits": commits,
        "git_repo_commits": [
            {"repo_id": repo, "sha": sha, "reachable": reachable}
            for repo, sha in holders
            if (reachable := draw(st.sampled_from([None, 0, 1, 1]))) is not None
        ],
        "llm_sessions": sessions,
        "task_commit_links": links["commit_sha"],
        "task_session_links": links["session_id"],
        "runs": [run(start, draw(st.sampled_from([None, 0, 9])), draw(RUNS)) for start in starts],
    }


DONE = {"status": "completed", "checked": 1}
# Tasks that a crowd has beside its finished ones: (when, what changed) of each, and which of them waits for which.
OLD = (
    [(3, {"status": "blocked", "blocked_reason": "keys"})],
    [(0, {"status": "in_progress"})],
    [(1, {"status": "review"})],
    [(2, DONE), (5, {"status": "pending", "checked": 0})],
)
CHAIN = [(101, 100), (102, 101), (100, 103)]


@st.composite
def crowds(draw):
    """Many more tasks, or none: some are old and open, the others finished, enough for percentiles or not quite."""
    homes, many = draw(st.sampled_from([(1,), (2,), (1, 2)])), draw(st.sampled_from([0, 0, 19, 20, 33]))
    took = draw(st.lists(st.integers(1, 14), min_size=many, max_size=many))
    begun = {"status": "in_progress"}
    stories = [*OLD, *([(at % 9, begun), (at % 9 + days_taken, DONE)] for at, days_taken in enumerate(took))]
    events, found = [], []
    for number, story in enumerate(stories if many else ()):
        row = {"project_id": homes[number % len(homes)], "title": f"T{number}", "status": "", "checked": 0}
        row |= {"blocked_reason": "", "complexity": "S"}
        for nth, (at, change) in enumerate(story):
            seen = {"task_id": 100 + number, "event_id": 1000 + len(events), "op": "update" if nth else "insert"}
            seen |= {"occurred_at": moment(at), "recorded_at": moment(at), "not_before": None, "source": "trigger"}
            events.append({**(dict.fromkeys(row) if nth else row), **change, **seen})
            row |= change
        found.append({"id": 100 + number, **row})
    seen = {"occurred_at": moment(1), "recorded_at": moment(1), "not_before": None, "source": "trigger", "op": "add"}
    chain = CHAIN if many else []
    depend = [{"event_id": one, "task_id": one, "depends_on_id": other, **seen} for one, other in chain]
    return {"events": events, "tasks": found, "dependency_events": depend, "task_dependencies": chain}


@st.composite
def worlds(draw, moving=False):
    """A history of weeks with everything beside it; where tasks stay, each is in one project for all of its lives."""
    made = spread(draw(histories()))
    home = {task: draw(st.sampled_from([1, 2])) for task in IDS}
    origins = {"baseline": "baseline", "reconcile": "reconcile"}
    events = [{**one, "source": origins.get(one["op"], one["source"])} for one in made["events"]]
    events = [one | dict.fromkeys(COLUMNS if one["op"] == "delete" else ()) for one in events]
    if not moving:
        events = [{**one, "project_id": home[one["task_id"]]} for one in events]
        made["tasks"] = [{**row, "project_id": home[row["id"]]} for row in made["tasks"]]
    tasks = [{**row, **draw(extras(row["project_id"]))} for row in made["tasks"]]
    made |= {"events": events, "tasks": tasks}
    crowd = draw(crowds())
    crowd["tasks"] = [row | {"created_at": None} for row in crowd["tasks"]]
    made = {name: [*made[name], *crowd[name]] for name in made}
    return World(made, draw(beside()), draw(st.sampled_from([NAMES, NAMES, {1: "Alpha"}])))


# What is asked for


@dataclass(frozen=True)
class Task:
    """A task that is there as of the instant: its life, its state, what its row says beside, and its flow."""

    life: tuple
    now: Interval
    row: dict
    flow: dict

    @property
    def project_id(self):
        """Where it is."""
        return self.now.state["project_id"]


class Case:
    """A world, and what is asked of it: as of which instant, and of which project (None: of all)."""

    def __init__(self, world, d):
        found_at = plain(d._snapshot.run("SELECT getvariable('found_at') AS t")["t"][0])
        self.as_of, self.project, self.beside = times.to_text(d.as_of), d.project, world.beside
        self.names, self.made, self.zone = world.names, world.made, d.timezone
        self.oracle = Oracle(**world.made, as_of=self.as_of, known_at=None, found_at=found_at)

    def chosen(self, project):
        """Whether a project is shown."""
        return self.project in (None, project)

    def name(self, project):
        """What a project is called; None where there is no such project."""
        return self.names.get(project)

    @cached_property
    def lives(self):
        """The lives of the chosen project: each belongs, with all of its past, to the one that it was in last."""
        found = {}
        for life in self.oracle.lives:
            there = [state for event, state in self.oracle.states(life) if event["op"] != "delete"]
            state = there[-1] if there else self.oracle.states(life)[-1][1]
            if self.chosen(state["project_id"]):
                found[life] = state["project_id"]
        return found

    @cached_property
    def flow(self):
        """When each of them came, began and went."""
        told = {(one["task_id"], one["life"]): one for one in self.oracle.flow()}
        return {life: one for life, one in told.items() if life in self.lives}

    @cached_property
    def present(self):
        """Which life the row of a task speaks of: the one behind every deletion there is on record."""
        gone = [event["task_id"] for event in self.made["events"] if event["op"] == "delete"]
        return {row["id"]: ((row["id"], gone.count(row["id"])), row) for row in self.made["tasks"]}

    @cached_property
    def everyone(self):
        """Every task that is there, of whichever project."""
        rows_of = dict(self.present.values())
        flow = {(one["task_id"], one["life"]): one for one in self.oracle.flow()}
        last = [one for one in self.oracle.intervals if one.ended_at is None]
        return {one.life: Task(one.life, one, rows_of.get(one.life, {}), flow[one.life]) for one in last}

    @cached_property
    def tasks(self):
        """Every task of the chosen project that is there."""
        return [task for life, task in self.everyone.items() if life in self.lives]

    @cached_property
    def commits(self):
        """Every commit of a repository of the chosen project, that is not from behind the instant."""
        found = {}
        for commit in self.beside["git_commits"]:
            held = [row for row in self.beside["git_repo_commits"] if row["sha"] == commit["sha"]]
            held = held or [{"repo_id": commit["repo_id"], "reachable": 1}]
            held = [row for row in held if self.chosen(int(row["repo_id"][1:]))]
            at = stored(commit["timestamp"])
            if held and self.is_over(at):
                project, reachable = int(min(row["repo_id"] for row in held)[1:]), any(row["reachable"] for row in held)
                found[commit["sha"]] = commit | {"at": at, "project_id": project, "reachable": reachable}
        return found

    @cached_property
    def sessions(self):
        """Every session of the chosen project that had begun."""
        found = [row | {"at": stored(row["started_at"])} for row in self.beside["llm_sessions"]]
        return [row for row in found if self.chosen(row["project_id"]) and self.is_over(row["at"])]

    @cached_property
    def links(self):
        """Every link whose commit or session is not from behind the instant: with its task, where that is there."""
        commits = {row["sha"]: (first_line(row["message"]), row["timestamp"]) for row in self.beside["git_commits"]}
        sessions = {row["id"]: (first_line(row["summary"]), row["started_at"]) for row in self.beside["llm_sessions"]}
        kinds = {"commit": ("commit_sha", commits), "session": ("session_id", sessions)}
        found = []
        for kind, (key, targets) in kinds.items():
            for link in self.beside[f"task_{kind}_links"]:
                title, at = targets.get(link[key], (None, None))
                sure = link["confidence"] if isinstance(link["confidence"], float) else None
                life, _ = self.present.get(link["task_id"], (None, None))
                extra = {"kind": kind, "target": link[key], "title": title, "at": stored(at), "life": life}
                if self.is_over(stored(at)):
                    found.append(link | extra | {"confidence": sure, "is_lost": link[key] not in targets})
        return [link for link in found if self.project is None or link["life"] in self.lives]

    @cached_property
    def runs(self):
        """The runs that had ended, as they began: before, nothing is known of one."""
        return sorted((run for run in self.beside["runs"] if self.is_over(ended(run))), key=when)

    def is_over(self, instant):
        """Whether something had happened; what nobody knows the time of had."""
        return instant is None or instant <= self.as_of

    def completed_at(self, task):
        """When a task was done: as the history saw it, else as its row says; None where that is not known by then."""
        inferred = task.flow["finished_inferred"]
        at = stored(task.row.get("completed_at")) if inferred else task.flow["finished_at"]
        return at if task.now.checked and self.is_over(at) else None

    def age(self, instant):
        """Days from an instant to that as of which we look."""
        return max(0.0, days(instant, self.as_of))

    def cycle_days(self, flow):
        """How long a finished life was in work; None where nobody saw it begin, or it was not finished."""
        told = {one.started_at: one for one in self.oracle.intervals if one.life == (flow["task_id"], flow["life"])}
        begun, done = flow["started_at"], flow["finished_at"]
        if done is None or begun >= done or told[begun].event["op"] in ("baseline", "reconcile"):
            return None
        return None if told[begun].checked and told[begun].event["op"] == "insert" else days(begun, done)

    def percentile(self, percent):
        """The time that so many of the finished took at most, one of them exactly; None of too few."""
        took = sorted(found for one in self.flow.values() if (found := self.cycle_days(one)) is not None)
        return took[-(-percent * len(took) // 100) - 1] if len(took) >= FEWEST else None

    def needs(self, task):
        """The open tasks that an open one depends on."""
        spans = [span for span in self.oracle.dependencies if span.life == task.life and span.ended_at is None]
        others = {span.on for span in spans if span.on[0] != task.life[0] and span.on in self.everyone}
        return [self.everyone[on] for on in sorted(others) if task.now.is_open and self.everyone[on].now.is_open]

    def waiting_behind(self, task):
        """The tasks that wait for one, directly or through others."""
        found, behind = set(), {task.life}
        while behind:
            waiting = {one.life for one in self.everyone.values() for on in self.needs(one) if on.life in behind}
            behind = waiting - found
            found |= waiting
        return found - {task.life}


def stored(value):
    """An instant in the stored form; None where the value is none."""
    found = times.parse(value)
    return found and times.to_text(found)


def first_line(text):
    """The first line that says something."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), None)


# The definitions


def progress(case, by=None):
    """The tasks of each part of a project, counted one by one."""
    parts = defaultdict(list)
    for task in case.tasks:
        for part in parts_of(task, by):
            parts[task.project_id, part].append(task)
    for project in case.names:
        if case.chosen(project) and all(project != found for found, _ in parts):
            parts[project, None] = []
    for (project, part), tasks in parts.items():
        known = [task for task in tasks if task.now.is_open or task.now.checked]
        sizes = [(POINTS.get(task.now.state["complexity"], 2), task.now.checked) for task in known]
        whole, done = sum(size for size, _ in sizes), sum(size for size, checked in sizes if checked)
        yield {
            "project_id": project,
            "project": case.name(project),
            "part": part,
            "tasks": len(known),
            "checked": (checked := sum(task.now.checked for task in known)),
            "progress": checked / len(known) if known else None,
            **{name: sum(getattr(task.now, name) for task in tasks) for name in ("blocked", "cancelled", "gone")},
            "size_total": whole,
            "size_checked": done,
            "progress_by_size": done / whole if known else None,
            "unsized": sum(task.now.state["complexity"] not in POINTS for task in known),
            "_place": min((place(task, by) for task in tasks), default=99),
        }


def parts_of(task, by):
    """The phase, the complexity or the labels of a task."""
    if by == "phase":
        return [PHASES[task.row["phase_id"]][0] if task.row.get("phase_id") else None]
    if by == "label":
        labels = json.loads(task.row["labels"]) if (task.row.get("labels") or "")[:1] == "[" else []
        return sorted(set(labels)) or [None]
    return [task.now.state["complexity"] if by else None]


def place(task, by):
    """Phases go by their position, complexities by their size, labels by their name alone."""
    if by == "phase":
        return PHASES[task.row["phase_id"]][2] if task.row.get("phase_id") else 99
    return POINTS.get(task.now.state["complexity"], 2) if by == "complexity" else 0


def blocked_tasks(case):
    """Every stretch of a task that has not ended."""
    migrated = {
        life
        for life in case.lives
        for event, _ in case.oracle.states(life)
        if (event["op"], event["source"]) == ("baseline", "baseline") or event["event_id"] == LAST
    }
    for number, nth, cause, begun, ended in case.oracle.blocks():
        life = (number, nth)
        if ended is not None or life not in case.lives:
            continue
        task, waits = case.everyone[life], case.needs(case.everyone[life])
        updated = stored(task.row.get("updated_at"))
        at_most = cause == "reported" and updated and task.row["updated_at"] == task.row["created_at"]
        bases = {
            ("updated_at" if at_most and life in migrated else None) if inferred else "version" if before else "event"
            for before, inferred in case.oracle.beginnings(life, cause, begun)
        }
        ages = {"event": case.age(begun), "version": case.age(begun), "updated_at": updated and case.age(updated)}
        yield {
            "task_id": number,
            "external_id": task.row.get("external_id"),
            "project_id": task.project_id,
            "project": case.name(task.project_id),
            "title": task.now.state["title"],
            "cause": cause,
            "blocked_reason": task.now.state["blocked_reason"]
            if cause == "reported"
            else "; ".join(one.now.state["title"] for one in waits),
            "waits_for": len(waits),
            "frees": len(case.waiting_behind(task)) if cause == "reported" else None,
            "blocked_days": {ages.get(basis) for basis in bases},
            "basis": bases,
        }


def ageing(case):
    """Every open task that was started, beside what the finished ones took."""
    for task in case.tasks:
        if task.now.is_open and (begun := task.flow["started_at"]):
            first = [one for one in case.oracle.intervals if (one.life, one.started_at) == (task.life, begun)]
            yield {
                "task_id": task.life[0],
                "project_id": task.project_id,
                "project": case.name(task.project_id),
                "title": task.now.state["title"],
                "status": task.now.state["status"],
                "blocked": task.now.blocked,
                "started_at": begun,
                "age_days": case.age(begun),
                **{f"p{percent}_days": case.percentile(percent) for percent in (50, 85, 95)},
                "inferred": first[0].inferred,
            }


def task_timeline(case):
    """What each event changed, what a task waited for, and what it is linked with."""
    for life in case.lives:
        was = None
        for event, now in case.oracle.states(life):
            unseen = event["op"] in INFERRED or event["source"] == "reconcile"
            for kind, detail in changes(case, event, was, now):
                yield happened(life, event["occurred_at"], kind, detail, unseen, event["not_before"])
            was = now
    for (cause, title, on), waited in blockers(case.oracle).items() if case.lives else ():
        for life, stretches in waited.items():
            for begun, ended in stretches if cause == "waiting" and life in case.lives else ():
                before, unseen = map(set, zip(*case.oracle.beginnings(life, cause, begun), strict=True))
                yield happened(life, begun, "waiting", title, unseen, before)
                if ended:
                    yield happened(life, ended, "freed", title, *endings(case.oracle, life, on, ended))
    latest = {life[0]: life for life in sorted(case.oracle.lives)}
    for link in case.links:
        life = latest.get(link["task_id"], link["life"] or (link["task_id"], 0))
        if link["life"] in (None, life):  # else the task of now is not there yet, and another one had its id
            sure = link["confidence"] is not None and link["confidence"] >= 1
            yield happened(life, link["at"], link["kind"], link["title"] or link["target"], not sure, None)


def happened(life, at, kind, detail, inferred, not_before):
    """One line of a timeline."""
    line = {"task_id": life[0], "occurred_at": at, "kind": kind, "detail": detail}
    return line | {"inferred": inferred, "not_before": not_before, "_life": life[1]}


def changes(case, event, was, now):
    """What an event changed, and what it became; before the first one nothing was."""
    first = was is None
    if event["op"] == "delete":
        return [("created", now["title"])] * first + [("deleted", None)]
    was = was or {"checked": False, "gone": False, "complexity": None, "status": "pending", "blocked_reason": None}
    stuck, was_stuck = (one["status"] == "blocked" and not one["checked"] for one in (now, was))
    found = [("created", now["title"])] if first else []
    if not first and now["project_id"] != was["project_id"]:
        number = now["project_id"]
        found.append(("moved", case.name(number) or str(number)))
    if not first and now["title"] != was["title"]:
        found.append(("renamed", now["title"]))
    if now["complexity"] != was["complexity"]:
        found.append(("sized", now["complexity"]))
    if now["gone"] != was["gone"]:
        found.append(("gone" if now["gone"] else "back", None))
    turns = []
    if now["checked"] != was["checked"]:
        turns.append(("done", None) if now["checked"] else ("reopened", now["status"]))
    if stuck and not was_stuck:
        turns.append(("blocked", now["blocked_reason"]))
    elif was_stuck and not stuck and not now["checked"]:
        turns.append(("unblocked", now["status"]))
    if not turns and now["status"] != was["status"] and not (first and now["status"] is None):
        turns.append(("status", now["status"]))
    if stuck and was_stuck and now["blocked_reason"] != was["blocked_reason"]:
        turns.append(("reason", now["blocked_reason"]))
    return found + turns


def endings(oracle, life, on, instant):
    """Who saw a wait end, and what it was not before: of each change of that instant."""
    told = [event for one in (life, on) for event in oracle.lives[one]]
    told += [one for one in oracle.dependency_events if (one["task_id"], one["depends_on_id"]) == (life[0], on[0])]
    told = [event for event in told if event["occurred_at"] == instant]
    unseen = {event["op"] in INFERRED or event["source"] == "reconcile" for event in told}
    before = {event["not_before"] for event in told}
    return (unseen | {True}, before | {None}) if instant == oracle.found_at else (unseen, before)


def headlines(case, since):
    """What happened behind an instant, kind by kind."""
    news = {kind: [(at, name) for at, name in found if at and since < at <= case.as_of] for kind, found in items(case)}
    for kind, found in [(kind, news[kind]) for kind in KINDS if news[kind]][:5]:
        found.sort(key=lambda one: (-times.parse(one[0]).timestamp(), one[1]))
        more = [f"and {len(found) - 3} more"] if len(found) > 3 else []
        detail = "; ".join([*(name for _, name in found[:3]), *more])
        line = {"kind": kind, "title": counting(kind, len(found)), "detail": detail, "occurred_at": found[0][0]}
        yield line | {"_place": KINDS.index(kind)}


def items(case):
    """Everything that could be in a headline: (kind, [(when, what), ...])."""
    done = {run["kind"]: run["started_at"] for run in case.runs if run["outcome"] == "done"}
    failed = [run for run in case.runs if run["outcome"] == "failed" and run["started_at"] > done.get(run["kind"], "")]
    told = [(run, details(run)) for run in failed]
    told = [(run, said) for run, said in told if case.project in (None, said.get("project_id", case.project))]
    yield (
        "failed",
        [(run["started_at"], ": ".join([run["kind"], *filter(None, [said.get("text")])])) for run, said in told],
    )
    blocked = []
    for number, nth, cause, begun, ended in case.oracle.blocks():
        if cause == "reported" and ended is None and (number, nth) in case.lives:
            task = case.everyone[number, nth]
            ((_, inferred),) = case.oracle.beginnings(task.life, cause, begun)
            reason = task.now.state["blocked_reason"]
            at = stored(task.row.get("created_at")) if inferred else begun
            blocked.append((at, task.now.state["title"] + (f" ({reason})" if reason else "")))
    yield "blocked", blocked
    again = [task for task in case.tasks if task.now.is_open and task.flow["finishes"]]
    yield "reopened", [(unchecked(case, task), task.now.state["title"]) for task in again]
    yield "done", [(case.completed_at(task), task.now.state["title"]) for task in case.tasks if task.now.checked]
    slow, work = case.percentile(85), [task for task in case.tasks if task.now.is_open and task.flow["started_at"]]
    yield (
        "stale",
        [(later(task.flow["started_at"], slow), task.now.state["title"]) for task in work if slow is not None],
    )
    reached = [commit for commit in case.commits.values() if commit["reachable"]]
    yield "commits", [(commit["at"], first_line(commit["message"]) or commit["sha"]) for commit in reached]


def counting(kind, count):
    """How many, in words."""
    one, many = {
        "failed": ("run failed", "runs failed"),
        "blocked": ("task became blocked", "tasks became blocked"),
        "reopened": ("task was reopened", "tasks were reopened"),
        "done": ("task was done", "tasks were done"),
        "stale": ("task is in work for longer than most took", "tasks are in work for longer than most took"),
        "commits": ("commit", "commits"),
    }[kind]
    return f"{count} {one if count == 1 else many}"


def unchecked(case, task):
    """When the box of a task was last cleared."""
    return max(one.ended_at for one in case.oracle.intervals if one.life == task.life and one.checked)


def later(instant, took):
    """The instant so many days later."""
    return times.to_text(times.parse(instant) + timedelta(days=took))


def details(run):
    """What a run tells of itself."""
    try:
        return json.loads(run["details"] or "{}")
    except ValueError:
        return {}


def when(run):
    """When a run began."""
    return run["started_at"]


def ended(run):
    """When it ended, as far as anybody knows."""
    return run["finished_at"] or run["started_at"]


def activity(case):
    """What was completed, committed and talked about."""

    def line(at, kind, name, title, project):
        found = {"occurred_at": at, "type": kind, "name": name, "title": title}
        return found | {"project_id": project, "project": case.name(project)}

    for task in case.tasks:
        if case.completed_at(task):
            name = task.row.get("external_id") or str(task.life[0])
            yield line(case.completed_at(task), "task_completed", name, task.now.state["title"], task.project_id)
    for sha, commit in case.commits.items():
        if commit["reachable"]:
            yield line(commit["at"], "commit", sha, first_line(commit["message"]) or sha, commit["project_id"])
    for one in case.sessions:
        yield line(one["at"], "session", one["id"], first_line(one["summary"]) or one["id"], one["project_id"])


def commit_activity(case, by):
    """The commits of each period."""
    reached = [commit for commit in case.commits.values() if commit["reachable"] and commit["at"]]
    if not reached:
        return
    linked = {link["target"] for link in case.links if link["kind"] == "commit"}
    first = min(commit["at"] for commit in reached)
    periods = Periods(first, case.as_of, by, case.zone)
    for day in periods.days:
        here = [commit for commit in reached if periods.day(commit["at"]) == day]
        lines = {name: [commit[name] for commit in here] for name in ("insertions", "deletions")}
        with_task = [commit for commit in here if commit["sha"] in linked]
        yield {
            "period_on": day,
            "commits": len(here),
            "merges": sum(commit["is_merge"] or 0 for commit in here),
            "authors": len({(row["author_email"] or "").lower() or row["author"] for row in here} - {None}),
            **{name: None if None in found else sum(found) for name, found in lines.items()},
            "linked": len(with_task),
            "linked_share": len(with_task) / len(here) if here else None,
            "is_partial": periods.begin(day) < first or periods.end(day) > case.as_of,
        }


def task_commits(case, lowest=0.0):
    """The commits of each task, added up."""
    for task in case.tasks:
        mine = {link["target"]: link for link in case.links if link["kind"] == "commit" and link["life"] == task.life}
        mine = {sha: link for sha, link in mine.items() if (link["confidence"] or 0) >= lowest}
        found = [commit for sha, commit in case.commits.items() if sha in mine and commit["reachable"]]
        lines = [commit[name] for commit in found for name in ("insertions", "deletions")]
        instants = [commit["at"] for commit in found if commit["at"]]
        sure = [mine[commit["sha"]]["confidence"] for commit in found]
        if found:
            yield {
                "task_id": task.life[0],
                "external_id": task.row.get("external_id"),
                "project_id": task.project_id,
                "project": case.name(task.project_id),
                "title": task.now.state["title"],
                "checked": task.now.checked,
                "commits": len(found),
                "lines": None if None in lines else sum(lines),
                "first_commit_at": min(instants, default=None),
                "last_commit_at": max(instants, default=None),
                "confidence": max((one for one in sure if one is not None), default=None),
            }


def links(case, lowest=0.0):
    """Every link that is sure enough."""
    for link in case.links:
        if (link["confidence"] or 0) >= lowest:
            task = case.everyone.get(link["life"])
            yield {
                **{name: link[name] for name in ("task_id", "kind", "target", "title", "confidence")},
                "task": task and task.now.state["title"],
                "occurred_at": link["at"],
                "link_type": link["link_type"],
                "evidence": link["evidence"],
            }


def left_out(case):
    """What is in none of the frames, reason by reason."""
    tasks = [task.now for task in case.tasks]
    found = defaultdict(int)
    found["tasks", "cancelled"] = sum(now.cancelled for now in tasks)
    found["tasks", "no longer in the file that they were read from"] = sum(now.gone for now in tasks)
    unknown = [one for one in case.flow.values() if one["is_done"] and not one["finished_at"]]
    found["tasks", "checked, and nobody knows when: in no period"] = len(unknown)
    hidden = [commit for commit in case.commits.values() if not commit["reachable"]]
    found["commits", "no branch or tag leads to them any more"] = len(hidden)
    found["commits", "dated in the future"] = len(list(future_commits(case)))
    for what, told in last_runs(case):
        for reason, count in told.get("left_out_by", {}).items():
            found[what, reason] += count
    for (what, reason), count in found.items():
        if count:
            yield {"what": what, "reason": reason, "left_out": count, "_place": WHAT.index(what)}


def future_commits(case):
    """Commits that lay there by then, of a later date, and that a branch leads to."""
    for commit in case.beside["git_commits"]:
        held = [row for row in case.beside["git_repo_commits"] if row["sha"] == commit["sha"] and row["reachable"]]
        at, here = stored(commit["timestamp"]), any(case.chosen(int(row["repo_id"][1:])) for row in held)
        if at and commit["recorded_at"] <= case.as_of < at and here:
            yield commit


def last_runs(case):
    """The last reading of each project's task files, and the last linking."""
    last = {}
    for run in case.runs:
        told = details(run)
        if run["outcome"] == "done" and run["kind"] in ("ingest tasks", "link"):
            last[run["kind"], told.get("project_id") if run["kind"] == "ingest tasks" else None] = told
    for (kind, _), told in last.items():
        if case.chosen(told.get("project_id")):
            yield "ids" if kind == "link" else "records", told


def data_quality(case):
    """What each check finds."""
    for check, found in checks(case):
        ids = ", ".join(map(str, sorted(found)[:20])) or None
        yield {"check": check, "count": len(found), "ids": ids, "effect": Anything()}


def checks(case):
    """Each check, and the ids of what it finds."""

    def those(holds):
        return [task.life[0] for task in case.tasks if holds(task)]

    def same(title_of, fewest):
        titles = [(task.project_id, title_of(task)) for task in case.tasks]
        known = [title for task, title in zip(case.tasks, titles, strict=True) if not task.now.gone]
        return those(lambda task: not task.now.gone and known.count((task.project_id, title_of(task))) >= fewest)

    status, reason = (lambda task: task.now.state["status"]), (lambda task: task.now.state["blocked_reason"])
    created = lambda task: stored(task.row.get("created_at"))
    yield "completed by status, not checked", those(lambda task: status(task) == "completed" and not task.now.checked)
    yield "checked, and of another status", those(lambda task: task.now.checked and status(task) != "completed")
    yield "checked while blocked", those(lambda task: task.now.checked and status(task) == "blocked")
    yield "blocked without a reason", those(lambda task: task.now.blocked and not reason(task))
    yield "a reason without a block", those(lambda task: reason(task) and not task.now.blocked)
    yield "done at no known time", those(lambda task: task.now.checked and not case.completed_at(task))
    early = those(lambda t: case.completed_at(t) and created(t) and days(case.completed_at(t), created(t)) > 1 / 86400)
    yield "finished before it was created", early
    yield "no creation time", those(lambda task: not created(task))
    yield "unknown status", those(lambda task: status(task) not in STATUSES)
    known = lambda task: task.now.checked or task.now.is_open
    yield "no size", those(lambda task: known(task) and task.now.state["complexity"] not in POINTS)
    yield "the same title twice", same(lambda task: task.now.state["title"], 2)
    yield "made by a machine, it seems", same(lambda task: re.sub(r"\d+", "0", task.now.state["title"]), 20)
    yield "of no project", those(lambda task: case.name(task.project_id) is None)
    lost = [link["target"] for link in case.links if link["is_lost"] or link["life"] is None]
    yield "link to nothing", lost
    odd = [link["target"] for link in case.links if link["confidence"] is None or link["confidence"] > 1]
    yield "link of no known confidence", odd
    told = {life: case.oracle.states(life) for life in case.lives}
    found = [life[0] for life, states in told.items() for event, _ in states if event["source"] == "reconcile"]
    yield "changed without an event", found
    yield "gap in the recording", sorted(gaps(case))
    yield "the clock went back", list(clock(case))
    yield "task file behind its repository", list(behind(case, told))


def gaps(case):
    """The stretches of time at whose end something was found that nobody had recorded."""
    read = max((ended(run) for run in case.runs if run["kind"] in ("scan", "ingest tasks")), default=None)
    found = set()
    for event in itertools.chain(*case.oracle.lives.values()):
        since = event["not_before"] or (read if event["event_id"] == LAST else None)
        if event["source"] == "reconcile" and since and since < event["occurred_at"]:
            found.add((since[:19] + "Z", event["occurred_at"]))
    return [since for since, _ in found]


def clock(case):
    """The events that were recorded more than a minute before an earlier one."""
    told = [event for life in case.lives for event in case.oracle.lives[life] if event["event_id"] != LAST]
    told.sort(key=lambda event: event["event_id"])
    for number, event in enumerate(told):
        if any(days(event["recorded_at"], one["recorded_at"]) > 1 / 1440 for one in told[:number]):
            yield event["event_id"]


def behind(case, told):
    """The projects whose task files say nothing of the last 14 days of commits."""
    for project in set(case.lives.values()):
        states = [event for life, states in told.items() for event, _ in states if case.lives[life] == project]
        read = [event["occurred_at"] for event in states if event["source"].startswith(("git:", "file:"))]
        made = [commit["at"] for commit in case.commits.values() if commit["project_id"] == project and commit["at"]]
        if read and made and days(max(read), max(made)) > 14:
            yield project


# The comparison


class Anything:
    """What is equal to everything: promised, and defined nowhere."""

    def __eq__(self, other):
        return other is not None

    __hash__ = None


def fits(wanted, found):
    """Whether a row is as defined."""
    for column, value in found.items():
        options = wanted[column] if isinstance(wanted[column], set) else [wanted[column]]
        numbers = [pytest.approx(one) if isinstance(one, float) else one for one in options]
        if value not in numbers:
            return False
    return True


def differences(frame, wanted, order):
    """What a frame has and should not, what it lacks, and whether it is in its order."""
    left, placed = list(wanted), []
    for row in rows(frame):
        found = dict(zip(frame.columns, row, strict=True))
        match = next((one for one in left if fits(one, found)), None)
        if match is None:
            yield f"has {found}"
        else:
            left.remove(match)
            placed.append(list(place_by(match | found, order)))
    yield from (f"lacks {row}" for row in left)
    if placed != sorted(placed):
        yield f"is not in its order: {placed}"


def place_by(row, columns):
    """What a row is sorted by: columns in turn, those behind a minus down, what is missing last."""
    for column in columns.split():
        value, down = row[column.removeprefix("-")], column.startswith("-")
        if down and isinstance(value, str):
            value = times.parse(value).timestamp()
        yield (value is None, 0 if value is None else -value if down else value)


# What the documentation promises of the order of rows.
ORDERS = {
    "progress": "project_id _place part",
    "blocked_tasks": "cause -blocked_days task_id",
    "ageing": "-age_days task_id",
    "task_timeline": "task_id _life occurred_at",
    "headlines": "_place",
    "activity": "-occurred_at type title",
    "commit_activity": "period_on",
    "task_commits": "-last_commit_at task_id",
    "links": "-confidence -occurred_at task_id kind target",
    "left_out": "_place -left_out reason",
    "data_quality": "-count check",
}


def asked(d, case, by, since, lowest):
    """Each question: the name of a frame, what it answers, and the rows that it should have."""
    for part in (None, *progress_frames.PARTS):
        yield "progress", d.progress(part), progress(case, part)
    yield "blocked_tasks", d.blocked_tasks(), blocked_tasks(case)
    yield "ageing", d.ageing(), ageing(case)
    yield "task_timeline", d.task_timeline(), task_timeline(case)
    yield "headlines", d.headlines(since), headlines(case, since)
    yield "activity", d.activity(1000), activity(case)
    frame = d.commit_activity(by)
    yield "commit_activity", frame.assign(period_on=frame["period_on"].dt.date), commit_activity(case, by)
    yield "task_commits", d.task_commits(lowest), task_commits(case, lowest)
    yield "links", d.links(min_confidence=lowest), links(case, lowest)
    yield "left_out", d.left_out(), left_out(case)
    yield "data_quality", d.data_quality(), data_quality(case)


def agree(path, world, project, as_of, by, zone, since, lowest):
    """Open a database and compare every frame with its definition."""
    project = project if project in world.names else None
    with dashkit.open(path, as_of=as_of, project=project, timezone=zone) as d:
        case = Case(world, d)
        questions = asked(d, case, by, since, lowest)
        wrong = [(name, one) for name, *told in questions for one in differences(*told, ORDERS[name])]
        assert not wrong, "".join(f"\n{name} {one}" for name, one in wrong)


QUESTIONS = {
    "project": st.sampled_from([None, 1, 2]),
    "as_of": st.none() | MOMENTS,
    "by": BY,
    "zone": ZONES,
    "since": st.sampled_from([0, 0, 7, 14, 28]).map(moment),
    "lowest": st.sampled_from([0.0, 0.0, 0.7, 1.0]),
}


@settings(moderately, max_examples=25)
@given(worlds(), st.fixed_dictionaries(QUESTIONS))
def test_every_frame_is_what_its_definition_says(empty, world, asked_for):
    """For any history, project, instant, period and zone, each frame is what counting one by one gives."""
    agree(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=600)
@given(worlds(), st.fixed_dictionaries(QUESTIONS))
def test_every_frame_is_what_its_definition_says_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree(world.write(empty), world, **asked_for)


@settings(moderately, max_examples=10)
@given(worlds(moving=True), st.fixed_dictionaries(QUESTIONS))
def test_a_task_takes_its_past_along_into_another_project(empty, world, asked_for):
    """A life belongs to the project that it is in as of the instant, wherever it was before."""
    agree(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=600)
@given(worlds(moving=True), st.fixed_dictionaries(QUESTIONS))
def test_a_task_takes_its_past_along_into_another_project_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree(world.write(empty), world, **asked_for)


def agree_over_time(path, world, project, as_of, by, zone):
    """Compare the frames over time of a project with their definitions, which see nothing of the others.

    Of the others all that matters is whether they are open: a task of the project may wait for one of them.
    """
    project = project if project in world.names else 1
    with dashkit.open(path, as_of=as_of, project=project, timezone=zone) as d:
        case = Case(world, d)
        if not (flow := list(case.flow.values())):
            assert all(len(getattr(d, name)(by)) == 0 for name in ("arrivals", "wip", "blocked_over_time"))
            return
        mine, around = copy(case.oracle), copy(case.oracle)
        mine.intervals = [one for one in case.oracle.intervals if one.life in case.lives]
        around.intervals = [one if one.life in case.lives else unblocked(one) for one in case.oracle.intervals]
        around.dependencies = [span for span in case.oracle.dependencies if span.life in case.lives]
        check_durations(d, mine, flow)
        check_states(d, mine, flow, by, zone)
        check_blocks(d, around, flow, by, zone)
        check_flow(d, mine, flow, by, zone)


def unblocked(interval):
    """The same stretch, of which nobody says that the task was blocked."""
    return replace(interval, state={**interval.state, "status": "pending"}) if interval.blocked else interval


TRENDS = {name: QUESTIONS[name] for name in ("as_of", "by", "zone")} | {"project": st.sampled_from([1, 2])}


@settings(moderately, max_examples=8)
@given(worlds(), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_are_those_of_its_tasks(empty, world, asked_for):
    """With a project chosen the frames over time are what counting its tasks gives."""
    agree_over_time(world.write(empty), world, **asked_for)


@settings(moderately, max_examples=8)
@given(worlds(moving=True), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_know_what_came_from_another(empty, world, asked_for):
    """A task that moved is in the trends of the project that it is in, with all of its past."""
    agree_over_time(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=400)
@given(st.booleans().flatmap(worlds), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_are_those_of_its_tasks_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree_over_time(world.write(empty), world, **asked_for)


# What comes later


def until(world, instant):
    """The database as it was at an instant, and as it is now; of what has no history only what stays is in them."""
    told = {name: recorded(world.made[name], instant) for name in ("events", "dependency_events")}
    then = Oracle((), (), **told, as_of=instant, known_at=instant, found_at="~")
    last = {one.life: one.state for one in then.intervals if one.ended_at is None}
    rows_then = [bare({"id": life[0], **state, "project_id": state["project_id"] or 1}) for life, state in last.items()]
    rows_now = [bare(row) for row in world.made["tasks"]]
    dead = {event["task_id"] for event in world.made["events"] if event["op"] == "delete"}
    stay = {row["id"] for row in rows_then} & {row["id"] for row in rows_now} - dead
    commits = recorded(world.beside["git_commits"], instant)
    sessions = [row for row in world.beside["llm_sessions"] if (stored(row["started_at"]) or "") <= instant]
    found = {"commit_sha": {row["sha"] for row in commits}, "session_id": {row["id"] for row in sessions}}
    beside = dict(world.beside)
    for table, key in (("task_commit_links", "commit_sha"), ("task_session_links", "session_id")):
        beside[table] = [row for row in beside[table] if row["task_id"] in stay and row[key] in found[key]]
    before = beside | {
        "git_commits": commits,
        "git_repo_commits": [row for row in beside["git_repo_commits"] if row["sha"] in found["commit_sha"]],
        "llm_sessions": sessions,
        "runs": [row for row in beside["runs"] if ended(row) <= instant],
    }
    made = {**told, "tasks": rows_then, "task_dependencies": []}
    return World(made, before, world.names), World(world.made | {"tasks": rows_now}, beside, world.names)


def bare(row):
    """Of a row that of which there is a history, and no more."""
    return {**{name: row[name] for name in ("id", *COLUMNS)}, "created_at": None}


def recorded(found, instant):
    """What was recorded by then."""
    return [one for one in found if one["recorded_at"] <= instant]


def shown(path, instant, project):
    """Every frame that shows what has a history, as of an instant and as known then."""
    with dashkit.open(path, as_of=instant, known_at=instant, project=project) as d:
        found = {name: frame(d) for name, frame in dashboard.frames().items() if name != "bad_values"}
        return found | {f"progress by {part}": d.progress(part) for part in progress_frames.PARTS}


def news(empty, world, instant, project):
    """No frame is another one when more is known."""
    before, after = until(world, instant)
    project = project if project in world.names else None
    old = shown(before.write(empty, "before.db"), instant, project)
    new = shown(after.write(empty), instant, project)
    changed = [
        f"\n{name} was\n{found}\nand is\n{new[name]}" for name, found in old.items() if not found.equals(new[name])
    ]
    assert not changed, "".join(changed)


@settings(moderately, max_examples=6)
@given(worlds(moving=True), MOMENTS, QUESTIONS["project"])
def test_no_frame_takes_back_what_it_said(empty, world, instant, project):
    """Of (t, known_at = t) every frame is what it was at t, whatever changed, was deleted or came to light later."""
    news(empty, world, instant, project)


@pytest.mark.exhaustive
@settings(moderately, max_examples=300)
@given(worlds(moving=True), MOMENTS, QUESTIONS["project"])
def test_no_frame_takes_back_what_it_said_many_times(empty, world, instant, project):
    """The same over many more histories."""
    news(empty, world, instant, project)


# Values that are none


def test_what_is_no_size_counts_as_unsized(tmp_path):
    """A word that is no size, blanks around one, nothing and '' weigh as an M, and are told as unsized everywhere."""
    path = v2_1_database(tmp_path / "d.db")
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("PRAGMA ignore_check_constraints = 1")
        for size, checked in itertools.product(("XXL", "", None, " m ", "S"), (0, 1)):
            row = (f"{size!r}, {checked}", size, checked)
            conn.execute("INSERT INTO tasks (project_id, title, complexity, checked) VALUES (1, ?, ?, ?)", row)
    with dashkit.open(path) as d:
        sums = [(10, 4 * 2 * 2 + 2 * 1, 4 * 2 + 1)]
        assert rows(d.progress(), "tasks", "size_total", "size_checked") == sums
        assert rows(d.progress(), "unsized") == [8]
        assert rows(d.progress("complexity"), "part", "tasks", "unsized") == [
            ("S", 2, 0), (" m ", 2, 2), ("XXL", 2, 2), (None, 4, 4),
        ]  # fmt: skip
        assert rows(d.progress_over_time(), "tasks", "size_total", "size_checked") == sums
        assert rows(d.throughput(), "finished_size") == [9]
        assert d.data_quality().set_index("check")["count"]["no size"] == 8


@pytest.mark.parametrize("make", [v2_database, v2_1_database])
@pytest.mark.parametrize(("value", "is_done"), [(0, 0), (1, 1), (None, 0), ("true", 0), ("1", 1), (2, 1)])
def test_what_is_checked(tmp_path, make, value, is_done):
    """Of what may stand in `checked` numbers other than 0 mean done, in every frame; a word means nothing."""
    path = make(tmp_path / "d.db", tasks=[{"checked": value}])
    with dashkit.open(path) as d:
        assert rows(d.progress(), "checked") == [is_done]
        if d.has_history:
            assert rows(d.throughput(), "finished") == rows(d.progress_over_time(), "checked") == [is_done]
            assert rows(d.cumulative_flow(), "finished") == [is_done]
            assert rows(d.wip(), "open") == [not is_done]
            assert ("done" in rows(d.task_timeline(), "kind")) == is_done


SAME_INSTANT = {
    "blocked": {"status": "blocked", "blocked_reason": "keys"},
    "done": {"status": "completed", "checked": 1},
    "open": {"status": "review", "checked": 0},
}


@pytest.mark.parametrize("order", list(itertools.permutations(SAME_INSTANT)), ids="-".join)
def test_events_of_one_instant_go_by_event_id(tmp_path, order):
    """In whichever order they were inserted, the one with the highest id says what was true behind them."""
    path, instant = v2_1_database(tmp_path / "d.db"), moment(2)
    told = [(1, moment(0), {"op": "insert", "project_id": 1, "title": "T", "status": "pending", "checked": 0})]
    told += [(number, instant, SAME_INSTANT[name]) for number, name in enumerate(order, 2)]
    for number, at, change in reversed(told):
        seen = {"event_id": number, "task_id": 1, "occurred_at": at, "recorded_at": moment(3), "op": "update"}
        insert(path, "task_events", **{**seen, **change})
    state = {"checked": 0} | {key: value for name in order for key, value in SAME_INSTANT[name].items()}
    done, blocked = bool(state["checked"]), state["status"] == "blocked" and not state["checked"]
    with dashkit.open(path, as_of=moment(4)) as d:
        assert rows(d.progress(), "checked", "blocked") == [(done, blocked)]
        assert len(d.blocked_tasks()) == blocked
        assert rows(d.wip("day"), "open")[-1] == (not done)
        assert d.throughput("day")["finished"].sum() == done
        assert rows(d.task_timeline(), "kind")[0] == "created"
