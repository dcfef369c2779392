"""Every frame of the present told again from its docstring, in plain Python: slow, and without any SQL.

A definition gives the rows in any order, as mappings of the promised columns; an alternative of several values, where
several changes of one instant may have done it, is a set. What begins with _ is there to sort by.
"""

import itertools
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import time_rules
from histories import plain
from oracle import ESTIMATED, LAST, Interval, Oracle
from trends_oracle import POINTS, Periods, blockers, days
from worlds import PHASES

from dashkit import times
from dashkit.times import Moment

FEWEST = 20  # finished tasks, below which there are no percentiles
SOME = 0.05  # days, below which a block that was there at the first look has no known age
KINDS = ("failed", "blocked", "reopened", "done", "stale", "commits")
WHAT = ("tasks", "records", "ids", "commits")
STATUSES = ("pending", "in_progress", "review", "blocked", "completed", "cancelled")


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

    def __init__(self, world, d, known_at=None):
        """Of a Dashboard that is open on that world."""
        found_at = plain(d._snapshot.run("SELECT getvariable('found_at') AS t")["t"][0])
        self.as_of, self.project, self.beside = times.to_text(d.as_of), d.project, world.beside
        self.names, self.made, self.zone = world.names, world.made, d.timezone
        self.oracle = Oracle(
            **world.made, as_of=self.as_of, known_at=known_at, found_at=found_at, zone=self.zone,
            has_history=d._snapshot.has_history,
        )  # fmt: skip

    def chosen(self, project):
        """Whether a project is shown."""
        return self.project in (None, project)

    def name(self, project):
        """What a project is called; None where there is no such project."""
        return self.names.get(project)

    @cached_property
    def lives(self):
        """The lives of the chosen project: each belongs, with all of its past, to the one that it was in last.

        Of one that lasted no time its deletion says where it was.
        """
        found = {life: self.oracle.states(life)[-1][1]["project_id"] for life in self.oracle.lives}
        found |= {one.life: one.state["project_id"] for one in self.oracle.intervals}
        return {life: project for life, project in found.items() if self.chosen(project)}

    @cached_property
    def flow(self):
        """When each of them came, began and went."""
        told = {(one["task_id"], one["life"]): one for one in self.oracle.flow()}
        return {life: one for life, one in told.items() if life in self.lives}

    @cached_property
    def present(self):
        """Which life the row of a task speaks of: the one behind every deletion there is on record."""
        return {row["id"]: (self.life_when(row["id"], None), row) for row in self.made["tasks"]}

    def life_when(self, task, instant):
        """Which life had an id when something was said of it; None is now."""
        gone = [event for event in self.made["events"] if (event["op"], event["task_id"]) == ("delete", task)]
        return (task, sum(instant is None or event["recorded_at"] <= instant for event in gone))

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
            if held and self.is_over(at) and self.oracle.knows(commit["recorded_at"]):
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
        """Every link of which neither task nor commit nor session came, or came to be known, later: with its life."""
        commits = {row["sha"]: (first_line(row["message"]), row["timestamp"]) for row in self.beside["git_commits"]}
        sessions = {row["id"]: (first_line(row["summary"]), row["started_at"]) for row in self.beside["llm_sessions"]}
        kinds = {"commit": ("commit_sha", commits), "session": ("session_id", sessions)}
        found = []
        for kind, (key, targets) in kinds.items():
            for link in self.beside[f"task_{kind}_links"]:
                title, at = targets.get(link[key], (None, None))
                sure = link["confidence"] if isinstance(link["confidence"], float) else None
                life = self.life_when(link["task_id"], stored(link["created_at"]))
                extra = {"kind": kind, "target": link[key], "title": title, "at": stored(at), "life": life}
                if self.is_over(stored(at)) and link[key] not in self.unknown:
                    found.append(link | extra | {"confidence": sure, "is_lost": link[key] not in targets})
        found = [link for link in found if not self.came_later(link["life"])]
        return [link for link in found if self.project is None or link["life"] in self.lives]

    def title(self, life):
        """What a task is called as of the instant; None where it is not there."""
        return self.everyone[life].now.state["title"] if life in self.everyone else None

    def came_later(self, life):
        """Whether a task is there now, or was deleted, and had not come as of the instant."""
        gone, (now, _) = self.life_when(life[0], None), self.present.get(life[0], (None, None))
        return life not in self.oracle.lives and (life == now or life < gone)

    @cached_property
    def unknown(self):
        """The commits of which nobody knew."""
        return [row["sha"] for row in self.beside["git_commits"] if not self.oracle.knows(row["recorded_at"])]

    @cached_property
    def runs(self):
        """The runs that had ended, as they began: before, nothing is known of one."""
        return sorted((run for run in self.beside["runs"] if self.is_over(ended(run))), key=when)

    def is_over(self, instant):
        """Whether something had happened; what nobody knows the time of had."""
        return instant is None or instant <= self.as_of

    def completed_at(self, task):
        """When a task was done, as far as is known."""
        return task.flow["finished_at"] if task.now.checked else None

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
    found = times.read(value)
    return found and times.to_text(found.at)


def first_line(text):
    """The first line that says something."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), None)


# The definitions


def progress(case, by=None):
    """The tasks of each part of a project, counted one by one."""
    parts = defaultdict(list)
    for task in case.tasks:
        for part in parts_of(task, by):
            # Two phases of one name are two parts.
            parts[task.project_id, part, task.row.get("phase_id") if by == "phase" else None].append(task)
    for project in case.names:
        if case.chosen(project) and all(project != found for found, _, _ in parts):
            parts[project, None, None] = []
    for (project, part, _), tasks in parts.items():
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
    for number, nth, cause, begun, ended in case.oracle.blocks():
        life = (number, nth)
        if ended is not None or life not in case.lives:
            continue
        task, waits = case.everyone[life], case.needs(case.everyone[life])
        earliest = not_before(case, task, begun) if cause == "reported" else None
        first_look = "not_before" if earliest else "version" if case.age(begun) >= SOME else None
        bases = {
            first_look if is_estimated else "version" if before else "event"
            for before, is_estimated in case.oracle.beginnings(life, cause, begun)
        }
        ages = {"event": case.age(begun), "version": case.age(begun), "not_before": earliest and case.age(earliest)}
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


def not_before(case, task, begun):
    """The instant before which a block that nobody saw begin did not begin; None where nothing says so."""
    mine = [one for one in case.oracle.intervals if one.life == task.life]
    (look,) = (one for one in mine if one.started_at == begun)
    created = stored(task.row.get("created_at"))
    if not case.oracle.has_history:
        return created if created and task.row.get("updated_at") == task.row["created_at"] else None
    if not look.is_estimated or (look.event["op"] == "baseline" and look.event["source"] != "baseline"):
        return None
    before = [one.started_at for one in mine if one.ended_at == begun]
    if before:
        return max(filter(None, [*before, look.event["not_before"]]))
    return created if created and created < begun else None


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
                "is_estimated": first[0].is_estimated,
            }


def task_timeline(case):
    """What each event changed, what a task waited for, and what it is linked with."""
    for life in case.lives:
        was = None
        for event, now in case.oracle.states(life):
            unseen = event["op"] in ESTIMATED or event["source"] == "reconcile"
            for kind, detail in changes(case, event, was, now):
                yield happened(life, event["occurred_at"], kind, detail, unseen, event["not_before"])
            was = now
    for (cause, title, on), waited in blockers(case.oracle).items() if case.oracle.intervals else ():
        for life, stretches in waited.items():
            for begun, ended in stretches if cause == "waiting" and life in case.lives else ():
                yield happened(life, begun, "waiting", title, *turning(case.oracle, life, on, begun))
                if ended:
                    yield happened(life, ended, "freed", title, *turning(case.oracle, life, on, ended))
    for link in case.links:
        sure = link["confidence"] is not None and link["confidence"] >= 1
        yield happened(link["life"], link["at"], link["kind"], link["title"] or link["target"], not sure, None)


def happened(life, at, kind, detail, is_estimated, not_before):
    """One line of a timeline."""
    line = {"task_id": life[0], "occurred_at": at, "kind": kind, "detail": detail}
    return line | {"is_estimated": is_estimated, "not_before": not_before, "_life": life[1]}


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


def turning(oracle, life, on, instant):
    """Whether nobody saw a wait begin or end, and what it was not before: of each change of that instant."""
    told = [event for one in (life, on) for event in oracle.lives[one]]
    told += [one for one in oracle.dependency_events if (one["task_id"], one["depends_on_id"]) == (life[0], on[0])]
    told = [event for event in told if event["occurred_at"] == instant]
    unseen = {event["op"] in ESTIMATED or event["source"] == "reconcile" for event in told}
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


def mended(case, failed):
    """Whether a later run of the same kind, and of the same project where that is known, got to its end."""
    project = details(failed).get("project_id")
    return any(
        run["kind"] == failed["kind"] and run["outcome"] == "done" and run["started_at"] > failed["started_at"]
        and project in (None, details(run).get("project_id"))
        for run in case.runs
    )  # fmt: skip


def items(case):
    """Everything that could be in a headline: (kind, [(when, what), ...])."""
    told = [(run, details(run)) for run in case.runs if run["outcome"] == "failed" and not mended(case, run)]
    told = [(run, said) for run, said in told if case.project in (None, said.get("project_id", case.project))]
    yield (
        "failed",
        [(run["started_at"], ": ".join([run["kind"], *filter(None, [said.get("text")])])) for run, said in told],
    )
    blocked = []
    for number, nth, cause, begun, ended in case.oracle.blocks():
        if cause == "reported" and ended is None and (number, nth) in case.lives:
            task = case.everyone[number, nth]
            ((_, is_estimated),) = case.oracle.beginnings(task.life, cause, begun)
            reason = task.now.state["blocked_reason"]
            made = not_before(case, task, begun) or stored(task.row.get("created_at"))
            at = made if is_estimated else begun
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
            yield {
                **{name: link[name] for name in ("task_id", "kind", "target", "title", "confidence")},
                "task": case.title(link["life"]),
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
    for column, what, texts in (
        ("created_at", "tasks", [task.row.get("created_at") for task in case.tasks]),
        ("timestamp", "commits", [commit["timestamp"] for commit in case.commits.values() if commit["reachable"]]),
    ):
        unread = sorted(filter(is_unread, texts), key=lambda text: (-texts.count(text), text))
        if unread:
            found[what, f"{column} that cannot be read as a date, such as {unread[0]!r}"] = len(unread)
    hidden = [commit for commit in case.commits.values() if not commit["reachable"]]
    found["commits", "no branch or tag leads to them any more"] = len(hidden)
    found["commits", "dated in the future"] = len(list(future_commits(case)))
    for what, told in last_runs(case):
        for reason, count in told.get("left_out_by", {}).items():
            found[what, reason] += count
    for (what, reason), count in found.items():
        if count:
            yield {"what": what, "reason": reason, "left_out": count, "_place": WHAT.index(what)}


def is_unread(text):
    """Whether a text says something, and no date."""
    return bool((text or "").strip()) and times.read(text) is None


def future_commits(case):
    """Commits that lay there by then, of a later date, and that a branch leads to."""
    for commit in case.beside["git_commits"]:
        held = [row for row in case.beside["git_repo_commits"] if row["sha"] == commit["sha"] and row["reachable"]]
        at, here = stored(commit["timestamp"]), any(case.chosen(int(row["repo_id"][1:])) for row in held)
        if at and commit["recorded_at"] <= case.as_of < at and here and commit["sha"] not in case.unknown:
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


class Anything:
    """What is equal to everything: promised, and defined nowhere."""

    def __eq__(self, other):
        return other is not None

    __hash__ = None


def data_quality(case):
    """What each check finds."""
    for check, found in checks(case):
        named = set(found) if check == "imported again" else found
        ids = ", ".join(map(str, sorted(named)[:20])) or None
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
    yield "finished before it was created", those(lambda task: task.now.checked and is_early(task.row))
    ahead = lambda told: told is not None and times.to_text(told.at - timedelta(days=1)) > case.oracle.found_at
    yield "completed_at in the future", those(lambda t: t.now.checked and ahead(times.read(t.row.get("completed_at"))))
    unread = lambda value: bool((value or "").strip()) and times.read(value) is None
    yield "completed_at that cannot be read", those(lambda t: t.now.checked and unread(t.row.get("completed_at")))
    yield "finished whole quarters of an hour off its event", list(quarters(case))
    shown = {task for task, _ in case.lives}
    yield "imported again", [task for task in case.oracle.imported if task in shown]
    first = {one.life: one for one in reversed(case.oracle.intervals)}
    unseen = {
        life: one.event["op"] in ("baseline", "reconcile", *["insert", "backfill"] * one.checked)
        for life, one in first.items()
    }
    yield "no creation time", those(lambda task: not created(task) and unseen[task.life])
    yield "unknown status", those(lambda task: status(task) not in STATUSES)
    known = lambda task: task.now.checked or task.now.is_open
    yield "no size", those(lambda task: known(task) and task.now.state["complexity"] not in POINTS)
    yield "the same title twice", same(lambda task: task.now.state["title"], 2)
    yield "made by a machine, it seems", same(lambda task: re.sub(r"\d+", "0", task.now.state["title"]), 20)
    yield "of no project", those(lambda task: case.name(task.project_id) is None)
    yield "of a phase that is not there", []  # there is none in any world: test_frames has one
    lost = [link["target"] for link in case.links if link["is_lost"] or case.title(link["life"]) is None]
    yield "link to nothing", lost
    odd = [link["target"] for link in case.links if link["confidence"] is None or link["confidence"] > 1]
    yield "link of no known confidence", odd
    told = {life: case.oracle.states(life) for life in case.lives}
    found = [life[0] for life, states in told.items() for event, _ in states if event["source"] == "reconcile"]
    yield "changed without an event", found
    yield "gap in the recording", sorted(gaps(case))
    yield "the clock went back", list(clock(case))
    yield "task file behind its repository", list(behind(case, told))


def is_early(row):
    """Whether a row says that its task was completed more than a second before it was created."""
    done, made = times.read(row.get("completed_at")), times.read(row.get("created_at"))
    if done is None or made is None:
        return False
    return not time_rules.is_since(Moment(done.at + timedelta(seconds=1), done.day), made)


def quarters(case):
    """The tasks of which an event turned the box on whole quarters of an hour before or after what the row said."""
    for task in case.tasks:
        for event in case.oracle.said[task.life]:
            said = times.read(event.get("said_completed_at"))
            if not (task.now.checked and event["checked"] and event["op"] == "update" and said):
                continue
            apart = abs((said.at - times.read(event["occurred_at"]).at).total_seconds())
            near = abs(apart - 900 * round(apart / 900)) <= 5 and 895 <= apart <= 50_405
            if near and said.day is None and event["occurred_at"] <= case.as_of:
                yield task.life[0]
                break


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
    for project in {flow["project_id"] for flow in case.flow.values()}:
        states = [event for life, flow in case.flow.items() for event, _ in told[life] if flow["project_id"] == project]
        read = [event["occurred_at"] for event in states if event["source"].startswith(("git:", "file:"))]
        made = [commit["at"] for commit in case.commits.values() if commit["project_id"] == project and commit["at"]]
        if read and made and days(max(read), max(made)) > 14:
            yield project
