"""Rows that were written anew by a program of version 1, by INSERT OR REPLACE or by DELETE and INSERT: what is lost.

It does not know the columns of version 2.0, so the new row of a task has nothing of what people said there. Where it
enforces foreign keys, the dependencies of the task, or the tasks of the project, go with the old row. The history has
them.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from dashkit import times
from dashkit.store import checkpoints, git, links, rows

_A_SECOND = timedelta(seconds=1)  # to which a row says when it was made
_AT_ONCE = timedelta(hours=1)  # between a deletion and an insertion of the same task
# An insertion, behind other events of its task, of a row without anything that version 2.0 added.
_BARE = "e.op = 'insert' AND e.checked = 0 AND e.complexity = '' AND e.blocked_reason = ''"
_EVENTS = f"""
SELECT task_id, op, recorded_at, title, said_created_at, status, checked, complexity, blocked_reason
FROM main.task_events WHERE op <> 'backfill' AND task_id IN (
    SELECT e.task_id FROM main.task_events AS e WHERE {_BARE} AND e.source = 'trigger'
    AND EXISTS (SELECT 1 FROM main.task_events AS b WHERE b.task_id = e.task_id AND b.event_id < e.event_id))
ORDER BY task_id, event_id
"""  # noqa: S608 - ours
_SAID = ("checked", "complexity", "blocked_reason")
# Dependencies of tasks that are there, lifted at the instant at which a row of one of these tasks came or went. A
# program that writes the other dependencies of the task again knows of dependencies, and has lifted this one.
_LIFTED = """
WITH last AS (
    SELECT task_id, depends_on_id, op, source, recorded_at, max(event_id) AS event_id
    FROM main.dependency_events GROUP BY task_id, depends_on_id
)
SELECT task_id, depends_on_id, recorded_at FROM last
WHERE op = 'remove' AND source = 'trigger'
AND EXISTS (SELECT 1 FROM main.tasks WHERE id = last.task_id)
AND EXISTS (SELECT 1 FROM main.tasks WHERE id = last.depends_on_id)
AND (task_id, depends_on_id) NOT IN (
    SELECT task_id, depends_on_id FROM main.task_dependencies WHERE task_id IS NOT NULL AND depends_on_id IS NOT NULL)
AND EXISTS (
    SELECT 1 FROM main.task_events AS e WHERE e.task_id IN (last.task_id, last.depends_on_id)
    AND e.op IN ('insert', 'delete') AND e.recorded_at = last.recorded_at)
AND NOT EXISTS (
    SELECT 1 FROM main.dependency_events AS a WHERE a.task_id = last.task_id AND a.op = 'add'
    AND a.event_id > last.event_id AND julianday(a.recorded_at) <= julianday(last.recorded_at) + :at_once)
ORDER BY task_id, depends_on_id
"""
_LIFE = """
SELECT task_id, op, recorded_at, title, said_created_at FROM main.task_events
WHERE op IN ('insert', 'delete') AND task_id IN (SELECT value FROM json_each(:tasks)) ORDER BY task_id, event_id
"""
# Tasks that one statement deleted, where their project is there and has none of these titles.
_EMPTIED = """
SELECT e.project_id, p.name, e.recorded_at, count(*) AS tasks, sum(e.task_id IN (SELECT id FROM main.tasks)) AS taken
FROM main.task_events AS e JOIN main.projects AS p ON p.id = e.project_id
WHERE e.op = 'delete' AND e.source = 'trigger'
AND (e.project_id, e.title) NOT IN (
    SELECT project_id, coalesce(title, '') FROM main.tasks WHERE project_id IS NOT NULL)
GROUP BY e.project_id, e.recorded_at HAVING count(*) > 1 ORDER BY e.project_id, e.recorded_at
"""
# By project since when its oldest task is there; '' from before the history.
_OLDEST = """
SELECT t.project_id, min(coalesce((
    SELECT max(i.recorded_at) FROM main.task_events AS i WHERE i.task_id = t.id AND i.op = 'insert'), '')) AS since
FROM main.tasks AS t WHERE t.project_id IN (SELECT value FROM json_each(:projects)) GROUP BY t.project_id
"""
_PUT_BACK = """
INSERT INTO tasks ({key}project_id, title, status, checked, complexity, blocked_reason, created_at, completed_at)
SELECT {own}project_id, title, nullif(status, ''), checked, nullif(complexity, ''), nullif(blocked_reason, ''),
said_created_at, said_completed_at FROM task_events AS e
WHERE op = 'delete' AND project_id = {project} AND recorded_at = {at}
AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.project_id = e.project_id AND t.title = e.title)
ORDER BY event_id
""".strip().replace("\n", " ")
_DEPENDENCIES_BACK = """
INSERT OR IGNORE INTO task_dependencies (task_id, depends_on_id)
SELECT task_id, depends_on_id FROM dependency_events WHERE op = 'remove' AND recorded_at = {at}
AND task_id IN (SELECT id FROM tasks) AND depends_on_id IN (SELECT id FROM tasks)
""".strip().replace("\n", " ")
_OF_ONE_SAVE = 2 / 86_400  # days between the statements by which a program saves a task


@dataclass(frozen=True)
class Lost:
    """What a task has lost: its box, its size, the reason of its block."""

    task: int
    checked: bool
    complexity: str | None
    reason: str | None

    def __str__(self) -> str:
        parts = ["checked"] if self.checked else []
        parts += [f"size {self.complexity}"] if self.complexity else []
        parts += [f"blocked: {self.reason}"] if self.reason else []
        return f"task {self.task} ({', '.join(parts)})"


def find(conn: sqlite3.Connection) -> list[Lost]:
    """The tasks that lost something when their rows were written anew, and to which nobody has given it back.

    The database has a history of version 2.1.
    """
    if "said_created_at" not in rows.columns(conn, "task_events"):
        return []
    events = groupby(rows.fetch(conn, _EVENTS, {}), key=lambda event: event["task_id"])
    gone = {task: lost for task, life in events if (lost := _lost(life))}
    if not gone:
        return []
    sql = "SELECT id, status, checked IS TRUE AS checked, complexity, blocked_reason FROM tasks ORDER BY id"
    found = []
    for row in rows.read(conn, sql):
        left = {name: value for name, value in gone.get(row["id"], {}).items() if not row[name]}
        if row["status"] != "blocked":
            left.pop("blocked_reason", None)
        if left:
            found.append(Lost(row["id"], bool(left.get("checked")), left.get("complexity"), left.get("blocked_reason")))
    return found


def _lost(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the last life of a task had and lost to a new row, and nothing said again; in the order of recording."""
    was: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    deleted: Mapping[str, Any] | None = None
    for event in events:
        if event["op"] == "insert" and was and deleted and not _goes_on(deleted, event):
            was, lost = {}, {}
        deleted = event if event["op"] == "delete" else None
        if deleted:
            continue
        if event["op"] == "insert" and was and not any(event[name] for name in _SAID):
            # Where the same statement takes it out of `completed`, that is a word on its box.
            is_reopened = was.get("status") == "completed" and event["status"] != "completed"
            lost |= {name: was[name] for name in _SAID if was.get(name) and not (is_reopened and name == "checked")}
        else:
            lost = {name: value for name, value in lost.items() if event[name] is None}
        was |= {name: event[name] for name in (*_SAID, "status") if event[name] is not None}
    return {} if deleted else lost


def _goes_on(deleted: Mapping[str, Any], inserted: Mapping[str, Any]) -> bool:
    """Whether what was inserted is what had been deleted, as far as both say: a program that saves by doing both."""
    if deleted["title"] != inserted["title"]:
        return False
    if deleted["recorded_at"] == inserted["recorded_at"]:
        return True
    gone, come = times.read(deleted["recorded_at"]), times.read(inserted["recorded_at"])
    is_same = deleted["said_created_at"] is not None and deleted["said_created_at"] == inserted["said_created_at"]
    return is_same and gone is not None and come is not None and come.at <= gone.at + _AT_ONCE


@dataclass(frozen=True)
class Emptied:
    """A project that is there, and all tasks of which were deleted in one statement.

    Args:
        project: its id.
        name: its name.
        at: the instant of the deletion, as the history has it.
        tasks: how many of them are not there again.
        are_free: whether none of their ids is taken by another task.
    """

    project: int
    name: str | None
    at: str
    tasks: int
    are_free: bool

    @property
    def remedy(self) -> str:
        """The statements that put back what the history knows of the tasks."""
        at = rows.literal(self.at)
        key, own = ("id, ", "task_id, ") if self.are_free else ("", "")
        tasks = _PUT_BACK.format(key=key, own=own, project=self.project, at=at)
        return f"{tasks}; {_DEPENDENCIES_BACK.format(at=at)}" if self.are_free else tasks


def dependencies_gone(conn: sqlite3.Connection) -> list[tuple[int, int]]:
    """The dependencies that went with a row which was written anew: which task depended on which.

    The database has a history of version 2.1.
    """
    if "said_created_at" not in rows.columns(conn, "task_events") or not rows.columns(conn, "task_dependencies"):
        return []
    lifted = list(rows.fetch(conn, _LIFTED, {"at_once": _OF_ONE_SAVE}))
    if not lifted:
        return []
    tasks = sorted({row[name] for row in lifted for name in rows.DEPENDENCY})
    events = groupby(rows.fetch(conn, _LIFE, {"tasks": json.dumps(tasks)}), key=lambda event: event["task_id"])
    anew = {task: _written_anew(life) for task, life in events}
    return [
        (row["task_id"], row["depends_on_id"])
        for row in lifted
        if any(row["recorded_at"] in anew.get(row[name], ()) for name in rows.DEPENDENCY)
    ]


def _written_anew(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """The instants at which the row of a task was written anew in its last life, or deleted to be inserted again."""
    found: set[str] = set()
    deleted: Mapping[str, Any] | None = None
    for event in events:
        if event["op"] == "delete":
            deleted = event
            continue
        if deleted is None:
            found.add(event["recorded_at"])
        elif _goes_on(deleted, event):
            found |= {deleted["recorded_at"], event["recorded_at"]}
        else:
            found = set()
        deleted = None
    return found


def emptied(conn: sqlite3.Connection) -> list[Emptied]:
    """The projects that are there, and lost all of their tasks at once, as those do of which the row is written anew.

    The database has a history of version 2.1. A project that was made later, under the id of a deleted one, is none.
    """
    if "said_created_at" not in rows.columns(conn, "task_events"):
        return []
    gone = list(rows.fetch(conn, _EMPTIED, {}))
    if not gone:
        return []
    projects = {"projects": json.dumps(sorted({row["project_id"] for row in gone}))}
    since = {row["project_id"]: row["since"] for row in rows.fetch(conn, _OLDEST, projects)}
    made = {}
    if "created_at" in rows.columns(conn, "projects"):
        each = rows.fetch(conn, "SELECT id, created_at FROM main.projects", {})
        made = {row["id"]: times.read(row["created_at"]) for row in each}
    found = []
    for row in gone:
        project, at = row["project_id"], row["recorded_at"]
        created, deleted = made.get(project), times.read(at)
        is_later = created and deleted and created.at > deleted.at + _A_SECOND
        if not is_later and since.get(project, at) >= at:
            found.append(Emptied(project, row["name"], at, row["tasks"], are_free=not row["taken"]))
    return found


def links_gone(conn: sqlite3.Connection) -> int:
    """How many links by name or by hand there are fewer than when commits were last linked, over all projects."""
    if not rows.columns(conn, "git_repo_commits"):
        return 0
    last = {project_id: checkpoints.load(conn, checkpoints.of_links(project_id)) for project_id in git.projects(conn)}
    return sum(max(0, then.links - len(links.certain(conn, project_id))) for project_id, then in last.items() if then)
