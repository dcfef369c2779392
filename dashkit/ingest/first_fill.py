"""Tasks into a new or empty project of a database that has no history: versions 1.0 and 2.0."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from dashkit.errors import RefusedError
from dashkit.records import IngestSummary, Task, TaskList
from dashkit.store import projects

Row = dict[str, str | int | None]


def fill(
    conn: sqlite3.Connection, lists: Mapping[Path, TaskList], project_id: int | None, name: str, now: str
) -> IngestSummary:
    """Fill an empty project, or a new one where there is no id.

    `created_at` is the time of the ingest, which is when the database learned of the task; when a checked one was
    completed nobody knows, so `completed_at` stays empty.

    Raises:
        RefusedError: the project has tasks already.
    """
    if project_id is None:
        project_id = projects.insert_project(conn, name, now)
    elif count := projects.count_tasks(conn, project_id):
        raise RefusedError(
            f"Cannot ingest tasks into {name or f'project {project_id}'}",
            f"the project (id {project_id}) has tasks already ({count:,}), and only an empty one can be filled",
            "Nothing was changed. Give the name of a new project, or migrate to version 2.1: it reads what is new.",
            project_id=project_id,
            count=count,
        )
    phases = _phases(conn, project_id, lists)
    new = [_row(task, phases, found, now) for found in lists.values() for task in found.tasks]
    projects.insert_tasks(conn, project_id, new)
    return IngestSummary(
        source="tasks",
        added=len(new),
        skipped=sum(found.skipped for found in lists.values()),
        left_out_by=sum((Counter(found.left_out_by) for found in lists.values()), Counter()),
        notes=tuple(_notes(lists)),
        project_id=project_id,
        phases=sum(phase is not None for phase in phases.values()),
    )


def _phases(conn: sqlite3.Connection, project_id: int, lists: Mapping[Path, TaskList]) -> dict[str, int | None]:
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


def _notes(lists: Mapping[Path, TaskList]) -> Iterator[str]:
    for path, found in lists.items():
        yield from (f"{path}: {note}" for note in found.notes)
        if not found.tasks:
            yield f"{path}: there is no task in it"
