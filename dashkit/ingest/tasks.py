"""Task files into a project."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import RefusedError, UsageError
from dashkit.records import IngestSummary, Task
from dashkit.sources import tasklist
from dashkit.sources.tasklist import TaskList
from dashkit.store import projects, rows

Row = dict[str, str | int | None]


def ingest_tasks(files: Sequence[str | Path], project: str, db: Database = None) -> IngestSummary:
    """Fill a new or empty project with the tasks of Markdown files, in one transaction.

    Works on a database of any version. `created_at` is the time of the ingest, which is when the database
    learned of the task; when a checked one was completed nobody knows, so `completed_at` stays empty.

    Args:
        files: Markdown task lists; phases of the same name are one phase.
        project: its name; it is made if there is none.
        db: which database.

    Raises:
        UsageError: no name, or a file named twice.
        RefusedError: a file cannot be read, no file holds a task, the name fits several projects, the project
            has tasks already, or the database is no Dashboard. Nothing was written.
    """
    # What a command line hands over may hold bytes that are no text.
    name = " ".join(project.encode("utf-8", "replace").decode().split())
    if not name:
        raise UsageError("Cannot ingest tasks", "the project has no name", "Give one with --project NAME.")
    lists = _read(files)
    now = times.to_text(times.utc_now())
    with using(db, write=True) as conn:
        rows.require(conn)
        project_id = _empty_project(conn, name) or projects.insert_project(conn, name, now)
        phases = _phases(conn, project_id, lists)
        new = [_row(task, phases, found, now) for found in lists.values() for task in found.tasks]
        projects.insert_tasks(conn, project_id, new)
    return IngestSummary(
        source="tasks",
        added=len(new),
        skipped=sum(found.skipped for found in lists.values()),
        left_out=sum(found.left_out for found in lists.values()),
        notes=tuple(_notes(lists)),
        project_id=project_id,
        phases=sum(phase is not None for phase in phases.values()),
    )


def _read(files: Iterable[str | Path]) -> dict[Path, TaskList]:
    """Each file's tasks, all read before anything is written."""
    lists: dict[Path, TaskList] = {}
    seen: set[Path] = set()
    for path in map(Path, files):
        found = tasklist.read_file(path)
        if path.resolve() in seen:
            raise UsageError(f"Cannot ingest {path}", "it is named twice", "Name each file once.", path=path)
        seen.add(path.resolve())
        lists[path] = found
    if not any(found.tasks for found in lists.values()):
        raise RefusedError(
            f"Cannot ingest {', '.join(map(str, lists)) or 'tasks'}",
            "there is no task in it",
            "A task is a line such as `- [ ] Write the guide`.",
        )
    return lists


def _empty_project(conn: sqlite3.Connection, name: str) -> int | None:
    """The project of this name, if there is one.

    Raises:
        RefusedError: there are several, or it has tasks.
    """
    ids = projects.find_projects(conn, name)
    if len(ids) > 1:
        raise RefusedError(
            f"Cannot ingest tasks into {name}",
            f"{len(ids)} projects have this name (ids {', '.join(map(str, ids))})",
            "Rename all but one of them, or give another name.",
            ids=ids,
        )
    if not ids:
        return None
    if count := projects.count_tasks(conn, ids[0]):
        raise RefusedError(
            f"Cannot ingest tasks into {name}",
            f"the project (id {ids[0]}) has tasks already ({count:,}), and only an empty one can be filled",
            "Nothing was changed. Give the name of a new project.",
            project_id=ids[0],
            count=count,
        )
    return ids[0]


def _phases(conn: sqlite3.Connection, project_id: int, lists: dict[Path, TaskList]) -> dict[str, int | None]:
    """The phases that the tasks are in: name -> id; new ones come after those that are there."""
    there = projects.find_phases(conn, project_id)
    found = (tasks.phase(task) for tasks in lists.values() for task in tasks.tasks)
    names = dict.fromkeys(name for name in found if name is not None)
    new = [name for name in names if name not in there]
    made = {
        name: projects.insert_phase(conn, project_id, name, position)
        for position, name in enumerate(new, len(there) + 1)
    }
    return {name: there.get(name) or made[name] for name in names}


def _row(task: Task, phases: dict[str, int | None], found: TaskList, now: str) -> Row:
    phase = found.phase(task)
    return {
        "phase_id": None if phase is None else phases[phase],
        "title": task.title,
        "status": task.status,
        "checked": int(task.checked),
        "blocked_reason": task.blocked_reason,
        "created_at": now,
        "updated_at": now,
    }


def _notes(lists: dict[Path, TaskList]) -> Iterator[str]:
    for path, found in lists.items():
        yield from (f"{path}: {note}" for note in found.notes)
        if not found.tasks:
            yield f"{path}: there is no task in it"
