"""Random databases with everything that a frame may look at: the history of a few tasks, and all that is beside it."""

import itertools
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace

from histories import IDS, database, histories, moment, spread
from hypothesis import strategies as st
from oracle import COLUMNS

NAMES = {1: "Alpha", 2: "Beta"}
PHASES = {1: ("Ship", 1, 2), 2: ("Build", 1, 1), 3: ("Ship", 2, 5)}  # id: name, project, position
MOMENTS = st.integers(0, 42).map(moment)


@dataclass(frozen=True, repr=False)
class World:
    """All that a database holds: the history of tasks, rows of other tables, and the projects that are there."""

    made: dict
    beside: dict
    names: dict

    def __repr__(self):
        told = [(name, row) for name, found in (self.made | self.beside).items() for row in found]
        lines = [f"{name}: {said(row)}" for name, row in told if not is_of_crowd(row)]
        return "\n".join(["", *lines, f"{len(told) - len(lines)} rows of a crowd", f"projects: {self.names}", ""])

    def _repr_pretty_(self, printer, _):
        """The same where hypothesis asks."""
        printer.text(repr(self))

    @property
    def of_events(self):
        """The same, with tasks whose rows say nothing but that of which there is a history."""
        tasks = [{name: row[name] for name in ("id", *COLUMNS)} | {"created_at": None} for row in self.made["tasks"]]
        return replace(self, made=self.made | {"tasks": tasks})

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


def said(row):
    """What a row says."""
    return {name: value for name, value in row.items() if value is not None} if isinstance(row, dict) else row


def is_of_crowd(row):
    """Whether it is a row of one of the many more tasks."""
    ids = [row.get("id"), row.get("task_id")] if isinstance(row, dict) else row
    return any(isinstance(one, int) and one >= 100 for one in ids)


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
        "recorded_at": MOMENTS | st.just(moment(0)),
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
        "confidence": st.sampled_from([0.0, 0.6, 0.9, 1.0, 2.0, "high", "high"]),
        "link_type": st.sampled_from(["explicit", "inferred"]),
        "evidence": st.sampled_from([None, "said so"]),
        "created_at": st.sampled_from([None, None, "soon"]) | MOMENTS,
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
def beside(draw, tasks):
    """Commits of two repositories, sessions, links of these tasks to what may be missing, and runs."""
    commits = [
        {"sha": f"c{number}", **row}
        for number, row in enumerate(draw(st.lists(COMMITS, min_size=2, max_size=6) | st.just([])))
    ]
    sessions = [{"id": f"s{number}", **row} for number, row in enumerate(draw(st.lists(SESSIONS, max_size=3)))]
    holders = itertools.product(["r1", "r2"], (row["sha"] for row in commits))
    found = {"commit_sha": [*(row["sha"] for row in commits), "lost"], "session_id": [row["id"] for row in sessions]}
    links = {name: [] for name in found}
    for name, targets in found.items():
        for task, target in itertools.product(tasks, targets):
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
# Tasks that a crowd has beside its finished ones: (when, what changed) of each; and which waits for which, in a ring.
OLD = (
    [(3, {"status": "blocked", "blocked_reason": "keys"})],
    [(0, {"status": "in_progress"})],
    [(1, {"status": "review"})],
    [(2, DONE), (5, {"status": "pending", "checked": 0})],
)
CHAIN = [(101, 100), (102, 101), (100, 102), (100, 103)]


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
    depend = [
        {"event_id": 1000 + number, "task_id": one, "depends_on_id": other, **seen}
        for number, (one, other) in enumerate(chain)
    ]
    return {"events": events, "tasks": found, "dependency_events": depend, "task_dependencies": chain}


@st.composite
def worlds(draw, moving=False):
    """A history of weeks with everything beside it; where tasks stay, each is in one project for all of its lives."""
    made = spread(draw(histories()))
    home = {task: draw(st.sampled_from([1, 2])) for task in IDS}
    # A baseline is of the migration or of the first version of a file.
    origins = {
        ("baseline", "trigger"): "baseline",
        ("reconcile", "trigger"): "reconcile",
        ("reconcile", "git:1"): "reconcile",
    }
    events = [{**one, "source": origins.get((one["op"], one["source"]), one["source"])} for one in made["events"]]
    if not moving:
        events = [{**one, "project_id": home[one["task_id"]]} for one in events]
        made["tasks"] = [{**row, "project_id": home[row["id"]]} for row in made["tasks"]]
    tasks = [{**row, **draw(extras(row["project_id"]))} for row in made["tasks"]]
    made |= {"events": events, "tasks": tasks}
    crowd = draw(crowds())
    crowd["tasks"] = [row | {"created_at": None} for row in crowd["tasks"]]
    made = {name: [*made[name], *crowd[name]] for name in made}
    linked = [*(row["id"] for row in tasks), 9]
    return World(made, draw(beside(linked)), draw(st.sampled_from([NAMES, NAMES, {1: "Alpha"}])))
