"""Task files into a project, with their past."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import RefusedError, UsageError
from dashkit.ingest import first_fill
from dashkit.ingest.catch_up import CatchUp, Reading
from dashkit.records import IngestSummary
from dashkit.sources import SOURCES, detect
from dashkit.store import events, projects, rows


def ingest_tasks(
    files: Sequence[str | Path],
    project: str | None = None,
    db: Database = None,
    *,
    project_id: int | None = None,
    source: str = "auto",
    with_history: bool = True,
    everything: bool = False,
) -> IngestSummary:
    """Read task files into a project, in one transaction: what is new, changed or gone since the last reading.

    A file that git knows is read with its past: its versions on the first parent become late events. A value that
    a user changed in the database stays, and is reported as long as the file says something else. On a database
    before version 2.1, which has no history, only a new or empty project is filled.

    Args:
        files: task files of any source, or Backlog.md folders; phases of the same name are one phase.
        project: its name; it is made if there is none. Without name and id: the name of the first file's folder.
        db: which database.
        project_id: the project's id, where a name is not enough.
        source: the kind of the files (`docs/sources.md`), or `auto`.
        with_history: also the versions that git has.
        everything: no rule of a source leaves a record out.

    Raises:
        UsageError: an empty name, a name and an id, no such kind of source, or a file named twice.
        RefusedError: a file cannot be read, no file holds a task, the name fits several projects, or the database is
            no Dashboard. Nothing was written.
    """
    name = _name(files, project, project_id)
    readings = _read(files, source, with_history=with_history, everything=everything)
    now = times.to_text(times.utc_now())
    with using(db, write=True) as conn:
        rows.require(conn)
        target = _project(conn, name, project_id)
        if target is None or not events.are_kept(conn):
            _require_tasks(readings)
        if not events.are_kept(conn):
            return first_fill.fill(conn, {one.path: one.present for one in readings}, target, name, now)
        if target is None:
            target = projects.insert_project(conn, name, now)
        return _catch_up(conn, target, readings, now)


def _name(files: Sequence[str | Path], project: str | None, project_id: int | None) -> str:
    """The name of the project, on one line; without name and id that of the first file's folder."""
    if project is not None and project_id is not None:
        raise UsageError("Cannot ingest tasks", "a project's name and an id were given", "Give one of the two.")
    if project is None and project_id is None and files:
        project = Path(files[0]).resolve().parent.name or "project"
    name = " ".join((project or "").encode("utf-8", "replace").decode().split())
    if not name and project_id is None:
        raise UsageError("Cannot ingest tasks", "the project has no name", "Give one with --project NAME.")
    return name


def _catch_up(conn: sqlite3.Connection, project_id: int, readings: Sequence[Reading], now: str) -> IngestSummary:
    events.reconcile(conn, now, project_id)
    done = [CatchUp(conn, project_id, reading, now).run() for reading in readings]
    notes = []
    for reading, outcome in zip(readings, done, strict=True):
        notes += [f"{reading.path}: {note}" for note in (*reading.present.notes, *outcome.notes)]
        if not reading.present.tasks:
            notes.append(f"{reading.path}: there is no task in it")
    return IngestSummary(
        "tasks",
        sum(outcome.added for outcome in done),
        sum(reading.present.skipped for reading in readings),
        left_out=sum(reading.present.left_out for reading in readings),
        notes=tuple(notes),
        project_id=project_id,
        phases=len({reading.present.phase(task) for reading in readings for task in reading.present.tasks} - {None}),
        changed=sum(outcome.changed for outcome in done),
        gone=sum(outcome.gone for outcome in done),
        versions=sum(outcome.versions for outcome in done),
    )


def _read(files: Iterable[str | Path], source: str, *, with_history: bool, everything: bool) -> list[Reading]:
    """Each file as it is now, all read before anything is written."""
    if source not in (*SOURCES, "auto"):
        raise UsageError(
            f"Cannot ingest tasks of the kind {source!r}", "there is no such source", f"Use auto, {', '.join(SOURCES)}."
        )
    found: dict[Path, Reading] = {}
    for path in map(Path, files):
        kind = (detect(path) or "tasklist") if source == "auto" else source
        present = SOURCES[kind].read_file(path, everything=everything)
        if path.resolve() in found:
            raise UsageError(f"Cannot ingest {path}", "it is named twice", "Name each file once.", path=path)
        found[path.resolve()] = Reading(path, kind, present, with_history, everything)
    return list(found.values())


def _require_tasks(readings: Sequence[Reading]) -> None:
    if not any(reading.present.tasks for reading in readings):
        raise RefusedError(
            f"Cannot ingest {', '.join(str(reading.path) for reading in readings) or 'tasks'}",
            "there is no task in it",
            "A task is a line such as `- [ ] Write the guide`.",
        )


def _project(conn: sqlite3.Connection, name: str, project_id: int | None) -> int | None:
    """The project of this id or name; None: it is to be made."""
    if project_id is not None:
        if not rows.read(conn, "SELECT id FROM projects WHERE id = :id", {"id": project_id}):
            raise RefusedError(
                f"Cannot ingest tasks into project {project_id}",
                "there is no project with this id",
                "Give the id of a row of projects, or a name with --project NAME.",
            )
        return project_id
    ids = projects.find_projects(conn, name)
    if len(ids) > 1:
        raise RefusedError(
            f"Cannot ingest tasks into {name}",
            f"{len(ids)} projects have this name (ids {', '.join(map(str, ids))})",
            "Say which with --project-id N.",
            ids=ids,
        )
    return ids[0] if ids else None
