"""Writes what is planned; no other module of this package writes rows of tasks."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashkit.errors import RefusedError
from dashkit.ingest.model import NewPhase, Plan, SourcePlan, Written
from dashkit.records import IngestSummary, New, Task, TaskChange, TaskKey, TaskList
from dashkit.store import backfill, checkpoints, events, projects, sources


def write(conn: sqlite3.Connection, plan: Plan) -> Written:
    """Write a plan, inside the caller's transaction."""
    project_id = plan.project.id
    if project_id is None:
        project_id = projects.insert_project(conn, plan.project.name, plan.now)
    writer = _Writer(conn, project_id, plan)
    found = [writer.write(part) for part in plan.sources]
    return Written(project_id, tuple(count for count, _ in found), tuple(tasks for _, tasks in found))


class _Writer:
    """Writes the sources of a plan one after the other, and keeps the ids that new rows get."""

    def __init__(self, conn: sqlite3.Connection, project_id: int, plan: Plan) -> None:
        self._conn, self._project_id, self._now = conn, project_id, plan.now
        self._phases = dict(plan.project.phases or {})
        self._tasks: dict[New, int] = {}

    def write(self, part: SourcePlan) -> tuple[int, frozenset[int]]:
        """Write the plan of one source: how many changes were out of order, and which tasks were completed earlier."""
        conn = self._conn
        self._insert_tasks(part)
        changes = [self._complete(change) for change in part.changes]
        dependencies = [replace(one, task=self._id(one.task), on=self._id(one.on)) for one in part.dependencies]
        out_of_order = 0
        if changes or dependencies:
            out_of_order = events.record_late(conn, changes, self._now, dependencies)
        for name in part.phases:
            made = projects.insert_phase(conn, self._project_id, name, len(self._phases) + 1)
            self._phases |= {name: made} if made else {}
        columns = {
            self._id(task): {column: self._value(value) for column, value in values.items()}
            for task, values in part.columns.items()
        }
        sources.update(conn, columns, self._now)
        completed = self._complete_rows(part)
        sources.save(conn, part.source.name, [{**row, "task_id": self._id(row["task_id"])} for row in part.stored])
        if part.checkpoint:
            key = checkpoints.of_source(self._project_id, part.source.name)
            checkpoints.save(conn, key, part.checkpoint, self._now)
        return out_of_order, completed

    def _complete_rows(self, part: SourcePlan) -> frozenset[int]:
        """Take over when tasks were completed that were done already, as a claim that is recorded now; which tasks."""
        completed = events.mend_completions(
            self._conn, {self._id(task): said for task, said in part.completions.items()}
        )
        if completed:
            backfill.add(self._conn, self._now)
        return frozenset(completed - {self._tasks[task] for task in part.tasks})

    def _insert_tasks(self, part: SourcePlan) -> None:
        """Insert the rows of new tasks; what is true of each follows from its changes."""
        rows: list[dict[str, str | int | None]] = [
            {
                "title": task.title,
                "status": "pending",
                "checked": 0,
                "created_at": min(task.born_at, self._now),
                "updated_at": self._now,
            }
            for task in part.tasks
        ]
        if rows:
            with events.suspended(self._conn):
                ids = projects.insert_each(self._conn, self._project_id, rows)
            self._tasks |= dict(zip(part.tasks, ids, strict=True))

    def _complete(self, change: TaskChange) -> TaskChange:
        """A change with the id of its task; the first change of a task has all columns that have a history."""
        values = change.values
        if change.op in ("insert", "baseline"):
            values = {**values, "project_id": self._project_id, "complexity": None}
        return replace(change, task=self._id(change.task), values=values)

    def _id(self, task: TaskKey) -> int:
        return self._tasks[task] if isinstance(task, New) else task

    def _value(self, value: Any) -> Any:
        """A value of a column, with the id of the row that it stands for."""
        if isinstance(value, NewPhase):
            return self._phases.get(value.name)
        return self._id(value) if isinstance(value, New) else value


def fill(
    conn: sqlite3.Connection, lists: Mapping[Path, TaskList], project_id: int | None, name: str, now: str
) -> IngestSummary:
    """Put tasks into an empty project, or a new one (no id), of a database without a history: version 1.0 or 2.0.

    `created_at` is the time of the run, which is when the database learned of the task. Nobody knows when a checked
    task was completed, so `completed_at` stays empty.

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
    phases = _insert_phases(conn, project_id, lists)
    new = [_row(task, phases, found, now) for found in lists.values() for task in found.tasks]
    projects.insert_tasks(conn, project_id, new)
    return IngestSummary(
        source="tasks",
        added=len(new),
        skipped=sum(found.skipped for found in lists.values()),
        left_out_by=sum((Counter(found.left_out_by) for found in lists.values()), Counter()),
        project_id=project_id,
        phases=sum(phase is not None for phase in phases.values()),
    )


def _insert_phases(conn: sqlite3.Connection, project_id: int, lists: Mapping[Path, TaskList]) -> dict[str, int | None]:
    """The phases that the tasks are in: name -> id. New phases come after those that are there."""
    there = projects.find_phases(conn, project_id)
    found = (tasks.phase(task) for tasks in lists.values() for task in tasks.tasks)
    names = dict.fromkeys(name for name in found if name is not None)
    new = [name for name in names if name not in there]
    made = {
        name: projects.insert_phase(conn, project_id, name, position)
        for position, name in enumerate(new, len(there) + 1)
    }
    return {name: there.get(name) or made[name] for name in names}


def _row(task: Task, phases: Mapping[str, int | None], found: TaskList, now: str) -> dict[str, str | int | None]:
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
