"""Tasks whose rows were written anew by a program of version 1, by INSERT OR REPLACE or by DELETE and INSERT.

It does not know the columns of version 2.0, so the new row has nothing of what people said there. The history has it.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from dashkit import times
from dashkit.store import checkpoints, git, links, rows

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


def links_gone(conn: sqlite3.Connection) -> int:
    """How many links by name or by hand there are fewer than when commits were last linked, over all projects."""
    if not rows.columns(conn, "git_repo_commits"):
        return 0
    last = {project_id: checkpoints.load(conn, checkpoints.of_links(project_id)) for project_id in git.projects(conn)}
    return sum(max(0, then.links - len(links.certain(conn, project_id))) for project_id, then in last.items() if then)
