"""What a source said last of each of its tasks, and how far it has been read."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dashkit import times
from dashkit.store import checkpoints, rows

# Columns of tasks that sources write and that have no history.
PLAIN = ("external_id", "description", "priority", "kind", "labels", "phase_id", "parent_id", "due_at")
_SOURCE = ("task_id", "external_id", "heading_path", "title_norm", "ordinal", "image", "seen_at", "gone_at")


@dataclass(frozen=True)
class Mark:
    """How far a source has been read: to which commit of which repository, when, as what kind; None: there is none."""

    commit: str | None = None
    repository: str | None = None
    at: str | None = None
    kind: str | None = None

    def place(self, source: str) -> Path | None:
        """Where a source of a repository was: beside the repository's own folder."""
        return Path(self.repository).parent / source if self.repository else None


def known(conn: sqlite3.Connection, project_id: int, source: str) -> list[rows.Row]:
    """Every task of a source: the columns of task_sources, `source` too, and as `row` the task as it is now.

    Also those that a user has moved to another project since the source made them.
    """
    found = rows.read(
        conn,
        f"SELECT {', '.join(f's.{column}' for column in _SOURCE)} FROM task_sources AS s "  # noqa: S608 - of _SOURCE
        "JOIN tasks AS t ON t.id = s.task_id WHERE s.source = :source AND :project_id = coalesce(("
        "SELECT e.project_id FROM task_events AS e WHERE e.task_id = s.task_id AND e.project_id IS NOT NULL "
        "AND (e.source GLOB 'git:*' OR e.source GLOB 'file:*') ORDER BY e.event_id DESC LIMIT 1), t.project_id) "
        "ORDER BY s.ordinal, s.task_id",
        {"project_id": project_id, "source": source},
    )
    tasks = {row["id"]: row for row in _tasks(conn, [row["task_id"] for row in found])}
    return [row | {"source": source, "row": tasks[row["task_id"]]} for row in found]


def unclaimed(conn: sqlite3.Connection, project_id: int) -> list[rows.Row]:
    """The tasks of a project that no source has spoken of: those of people, and of times before."""
    claimed = {row["task_id"] for row in rows.read(conn, "SELECT task_id FROM task_sources")}
    ids = [row["id"] for row in rows.read(conn, "SELECT id FROM tasks WHERE project_id = :id", {"id": project_id})]
    return _tasks(conn, [task_id for task_id in ids if task_id not in claimed])


def _tasks(conn: sqlite3.Connection, ids: Sequence[int]) -> list[rows.Row]:
    # A file of version 2.1 that was not migrated since an earlier commit lacks the last column.
    later = ", m.due_at" if "due_at" in rows.columns(conn, "tasks") else ""
    return rows.read(
        conn,
        "SELECT t.id, t.title, t.status, t.checked, t.blocked_reason, t.description, t.priority, t.phase_id, "  # noqa: S608
        f"m.external_id, m.kind, m.labels, m.parent_id{later} FROM tasks AS t JOIN main.tasks AS m ON m.id = t.id "
        "WHERE t.id IN (SELECT value FROM json_each(:ids)) ORDER BY t.id",
        {"ids": json.dumps(ids)},
    )


def save(conn: sqlite3.Connection, source: str, found: Iterable[rows.Row]) -> None:
    """Write what a source said of its tasks: dicts of the columns of task_sources but `source`."""
    marks = ", ".join(f":{column}" for column in _SOURCE)
    conn.cursor().executemany(
        f"INSERT OR REPLACE INTO task_sources (source, {', '.join(_SOURCE)}) VALUES (:source, {marks})",  # noqa: S608
        [row | {"source": source} for row in found],
    )


def mark(conn: sqlite3.Connection, project_id: int, source: str) -> Mark | None:
    """The mark that the last reading of a source left; None where there was none."""
    told = checkpoints.get(conn, checkpoints.of_source(project_id, source))
    try:
        return Mark(**told) if told else None
    except TypeError:  # written by another hand
        return None


def in_use(conn: sqlite3.Connection, project_id: int) -> dict[str, Mark]:
    """The sources of a project that hold tasks, as far as was last seen, and their marks."""
    found = rows.read(
        conn,
        "SELECT DISTINCT s.source FROM task_sources AS s JOIN tasks AS t ON t.id = s.task_id "
        "WHERE t.project_id = :project_id AND s.gone_at IS NULL ORDER BY 1",
        {"project_id": project_id},
    )
    marks = ((row["source"], mark(conn, project_id, row["source"])) for row in found)
    return {source: value for source, value in marks if value is not None}


def deleted(conn: sqlite3.Connection, project_id: int) -> list[str]:
    """The titles of the tasks that users deleted from a project and that did not come again since.

    None where it has no task left: whoever emptied it wants to begin anew.
    """
    if not rows.read(
        conn,
        "SELECT 1 FROM task_events WHERE project_id = :project_id AND op = 'delete' LIMIT 1",
        {"project_id": project_id},
    ):
        return []
    found = rows.read(
        conn,
        "SELECT op, title, occurred_at FROM task_events WHERE project_id = :project_id "
        "AND op IN ('insert', 'baseline', 'delete') AND EXISTS (SELECT 1 FROM tasks WHERE project_id = :project_id) "
        "ORDER BY event_id",
        {"project_id": project_id},
    )
    made = _made(conn, project_id)
    titles: dict[str, None] = {}
    for row in found:
        titles.pop(row["title"], None)
        # The id of a deleted project is given again; what happened before is of that one.
        if row["op"] == "delete" and row["occurred_at"] >= made:
            titles[row["title"]] = None
    return list(titles)


def _made(conn: sqlite3.Connection, project_id: int) -> str:
    """When a project was made, where it knows."""
    if "created_at" not in rows.columns(conn, "projects"):
        return ""
    sql = "SELECT +created_at AS at FROM main.projects WHERE id = :project_id"
    moment = times.parse(rows.read(conn, sql, {"project_id": project_id})[0]["at"])
    return times.to_text(moment) if moment else ""


def set_mark(conn: sqlite3.Connection, project_id: int, source: str, value: Mark, now: str) -> None:
    """Leave a mark for the next reading."""
    checkpoints.put(conn, checkpoints.of_source(project_id, source), asdict(value), now)


def update(conn: sqlite3.Connection, changes: Mapping[int, Mapping[str, object]], now: str) -> None:
    """Write columns without a history (task id -> column -> value), as far as this database has them."""
    here = rows.columns(conn, "tasks").intersection(PLAIN)
    groups: dict[tuple[str, ...], list[rows.Row]] = defaultdict(list)
    for task_id, values in changes.items():
        kept = {column: value for column, value in values.items() if column in here}
        groups[tuple(kept)].append({**kept, "now": now, "id": task_id})
    for columns, found in groups.items():
        sets = ", ".join([*(f"{column} = :{column}" for column in columns), "updated_at = :now"])
        conn.cursor().executemany(f"UPDATE main.tasks SET {sets} WHERE id = :id", found)  # noqa: S608 - of PLAIN
