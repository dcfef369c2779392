"""Task files into a project, with their past.

discover     which sources there are, and how they are now
load         what the database and git know of them
replay       what the versions of each source come to
moved_tasks  which tasks went from one source to another
plan         what is to be written
apply        the writing
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import DashkitError, RefusedError, UsageError
from dashkit.ingest import apply, load, target
from dashkit.ingest.discover import discover, is_searched
from dashkit.ingest.model import Found, Plan, Project, Reading, Replayed, Request, Source, Written
from dashkit.ingest.moved_tasks import hand_over
from dashkit.ingest.plan import plan
from dashkit.ingest.replay import replay
from dashkit.ingest.run_log import counts, run
from dashkit.records import IngestSummary
from dashkit.sources import git
from dashkit.sources.files import real
from dashkit.store import events, rows, settings

_SHOWN = 3  # notes in a refusal


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

    Of a repository or another folder the task files in it are read, at any depth; vendored folders and templates are
    left out, what the setting `exclude` names too, and so is what cannot be read: that is noted.

    A file that git knows is read with its past: its versions on the first parent become late events. A value that
    a user changed in the database stays, and is reported as long as the file says something else. On a database
    before version 2.1, which has no history, only a new or empty project is filled.

    Args:
        files: task files of any source, Backlog.md folders, or folders that hold such; phases of the same name are one
            phase.
        project: its name; it is made if there is none. Without name and id: the name of the first file's folder, or
            of the repository that the first folder is in.
        db: which database.
        project_id: the project's id, where a name is not enough.
        source: the kind of the files (`docs/sources.md`), or `auto`; of a folder only files of this kind are read.
        with_history: also the versions that git has.
        everything: no rule leaves a record out, or a file of a folder.

    Raises:
        UsageError: an empty name, one of several projects, a name and an id, no such kind of source, or a file named
            twice.
        RefusedError: a file cannot be read, no file holds a task, the first file's folder fits several projects, or the
            database is no Dashboard. Nothing was written.
    """
    word = target.named("ingest tasks", project, project_id)
    if not all(map(str, files)):
        raise UsageError("Cannot ingest a file without a name", "the path is empty", "Name a file; `.` is this folder.")
    place = _place(files, source) if word is None and project_id is None else ""
    # The files are read while the database is held, so that of two runs at once the later one sees what the first read.
    with run(db, "ingest tasks") as this, using(db, write=True) as conn, events.acting(conn, events.INGEST):
        rows.require(conn)
        now = times.to_text(times.utc_now())
        goal = _goal(conn, word, project_id, place)
        this.project_id = goal.id
        exclude = settings.get(conn, "exclude", goal.id)
        request = Request(tuple(map(Path, files)), source, now, with_history, everything, exclude)
        found = discover(request)
        if goal.id is None or not events.are_kept(conn):
            _require_tasks(files, found)
        if events.are_kept(conn):
            with events.recorded_at_once(conn):
                this.look(conn, now)
                summary = _catch_up(conn, load.project(conn, goal.id, goal.name), found, request)
        else:
            summary = _fill(conn, goal.id, goal.name, found, now)
        if not found.readings:
            missing = f"no task file was found in {', '.join(map(str, files))}"
            summary = replace(summary, notes=(missing, *summary.notes))
        summary = replace(
            summary,
            files=len(found.readings),
            notes=(*filter(None, [goal.note]), *found.notes, *summary.notes),
            left_out_by=Counter(found.left_out) + Counter(summary.left_out_by),
        )
        this.end(conn, counts(summary))
    return summary


def _catch_up(conn: sqlite3.Connection, project: Project, found: Found, request: Request) -> IngestSummary:
    """Read what is new since the last reading, and write it. All sources are read before any of them is written."""
    known = load.sources(conn, project, found, request)
    planned = plan(project, hand_over(list(_replay_all(project, known, request))), request.now)
    return _summary(planned, apply.write(conn, planned))


def _replay_all(project: Project, known: Iterable[Source], request: Request) -> Iterator[Replayed]:
    """Take the versions of each source; a task that no source had claimed goes to the first one that claims it."""
    unclaimed = project.unclaimed
    for source in known:
        read = replay(source, load.versions(source, request), unclaimed, project.deleted)
        claimed = {one.task for one in read.tracked}
        unclaimed = tuple(one for one in unclaimed if one.task not in claimed)
        yield read


def _summary(planned: Plan, written: Written) -> IngestSummary:
    readings = [part.source.reading for part in planned.sources]
    notes = _unread_dates(readings)
    for part, moved in zip(planned.sources, written.out_of_order, strict=True):
        reading = part.source.reading
        more = [f"changes with a time out of order, which stand behind the one before: {moved:,}"] if moved else []
        notes += [f"{reading.path}: {note}" for note in (*reading.present.notes, *part.notes, *more)]
        notes += _without_tasks(reading)
    return IngestSummary(
        "tasks",
        sum(len(part.tasks) for part in planned.sources),
        sum(reading.present.skipped for reading in readings),
        left_out_by=sum((Counter(reading.present.left_out_by) for reading in readings), Counter()),
        notes=tuple(notes),
        project_id=written.project_id,
        phases=len({reading.present.phase(task) for reading in readings for task in reading.present.tasks} - {None}),
        changed=sum(
            len(part.changed | completed) for part, completed in zip(planned.sources, written.completed, strict=True)
        ),
        gone=sum(part.gone for part in planned.sources),
        versions=sum(part.versions for part in planned.sources),
    )


def _unread_dates(readings: Iterable[Reading]) -> list[str]:
    """One note on the dates that cannot be read, with an example; it stands before all others."""
    found = [f"{date} in {one.path}{where}" for one in readings for date, where in one.present.unread_dates]
    if len(found) < 2:
        return [f"1 date cannot be read, {one}: this event has no date of its own" for one in found]
    return [f"{len(found):,} dates cannot be read, such as {found[0]}: these events have no date of their own"]


def _fill(conn: sqlite3.Connection, target: int | None, name: str, found: Found, now: str) -> IngestSummary:
    """Fill an empty project of a database that has no history."""
    summary = apply.fill(conn, {one.path: one.present for one in found.readings}, target, name, now)
    notes: list[str] = []
    for reading in found.readings:
        notes += [f"{reading.path}: {note}" for note in reading.present.notes]
        notes += _without_tasks(reading)
    return replace(summary, notes=tuple(notes))


def _without_tasks(reading: Reading) -> list[str]:
    is_empty = not reading.present.tasks and not reading.is_gone
    return [f"{reading.path}: there is no task in it"] if is_empty else []


def _place(files: Sequence[str | Path], source: str) -> str:
    """The name of the first file's folder, or of the repository that the first folder is in."""
    first = Path(files[0]) if files else Path()
    folder = _repository(first) if is_searched(first, source) else real(first).parent.name
    return " ".join(folder.encode("utf-8", "replace").decode().split()) or "project"


def _goal(conn: sqlite3.Connection, word: str | None, project_id: int | None, place: str) -> target.Target:
    """The project that was named; without a name and an id the one that is called as the place of the files."""
    if project_id is not None:
        return target.by_id(conn, "ingest tasks", project_id)
    if word is not None:
        return target.by_word(conn, word)
    return target.by_place(conn, f"ingest tasks into {place}", (), place, "Say which with --project-id N.")


def _repository(folder: Path) -> str:
    """The name of the repository that a folder is in; its own where it is in none, or git cannot say."""
    try:
        return git.find(folder).name
    except DashkitError:
        return real(folder).name


def _require_tasks(files: Sequence[str | Path], found: Found) -> None:
    """Refuse to make a project, or to fill one without a history, where there is no task."""
    if any(reading.present.tasks for reading in found.readings):
        return
    notes = [
        *(note for reading in found.readings for note in reading.present.notes),
        *(f"left out: {reason} ({count:,})" for reason, count in found.left_out.items()),
        *found.notes,
    ]
    lists = all(reading.kind == "tasklist" for reading in found.readings)
    raise RefusedError(
        f"Cannot ingest {', '.join(map(str, files)) or 'tasks'}",
        "; ".join(["there is no task in it", *notes[:_SHOWN]]),
        "A task is a line such as `- [ ] Write the guide`."
        if lists
        else "docs/sources.md shows what each kind of file holds.",
    )
