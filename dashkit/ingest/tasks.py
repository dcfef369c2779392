"""Task files into a project, with their past."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import DashkitError, RefusedError, UsageError
from dashkit.ingest import first_fill, identity, moves, target
from dashkit.ingest.catch_up import CatchUp, Project, Reading
from dashkit.ingest.run import counts, run
from dashkit.records import IngestSummary
from dashkit.sources import SOURCES, detect, git, history
from dashkit.sources.files import real
from dashkit.sources.survey import survey
from dashkit.store import events, projects, rows, settings, sources

_SAID = 3  # notes in a refusal


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
    # Read while the database is held: of two runs at once the later one sees what the first one has read.
    with run(db, "ingest tasks") as this, using(db, write=True) as conn, events.acting(conn, events.INGEST):
        rows.require(conn)
        now = times.to_text(times.utc_now())
        goal = _goal(conn, word, project_id, place)
        this.project_id = goal.id
        exclude = settings.get(conn, "exclude", goal.id)
        readings, notes, left_out = _read(files, source, everything=everything, exclude=exclude)
        if goal.id is None or not events.are_kept(conn):
            left = [f"left out: {reason} ({count:,})" for reason, count in left_out.items()]
            _require_tasks(files, readings, [*left, *notes])
        if events.are_kept(conn):
            this.look(conn, now)
            number = goal.make(conn, now)
            here = Project(
                conn,
                number,
                now,
                empty=not projects.count_tasks(conn, number),
                deleted=frozenset(map(identity.normal, sources.deleted(conn, number))),
                with_history=with_history,
                everything=everything,
                exclude=exclude,
                marks=sources.in_use(conn, number),
            )
            folders = [path for path in map(Path, files) if _holds_files(path, source)]
            done = _catch_up(here, readings, folders, source)
        else:
            done = first_fill.fill(conn, {one.path: one.present for one in readings}, goal.id, goal.name, now)
        if not readings:
            notes.append(f"no task file was found in {', '.join(map(str, files))}")
        left_out += Counter(done.left_out_by)
        said = [goal.note] if goal.note else []
        summary = replace(done, files=len(readings), notes=(*said, *notes, *done.notes), left_out_by=left_out)
        this.end(conn, counts(summary))
    return summary


def _place(files: Sequence[str | Path], source: str) -> str:
    """The name of the first file's folder, or of the repository that the first folder is in."""
    first = Path(files[0]) if files else Path()
    folder = _repository(first) if _holds_files(first, source) else real(first).parent.name
    return " ".join(folder.encode("utf-8", "replace").decode().split()) or "project"


def _goal(conn: sqlite3.Connection, word: str | None, project_id: int | None, place: str) -> target.Target:
    """The project that was named; without a word and an id the one of the place."""
    if project_id is not None:
        return target.by_id(conn, "ingest tasks", project_id)
    if word is not None:
        return target.by_word(conn, word)
    return target.by_place(conn, f"ingest tasks into {place}", (), place, "Say which with --project-id N.")


def _catch_up(project: Project, readings: Sequence[Reading], folders: Sequence[Path], source: str) -> IngestSummary:
    """Read every source before any is written: a task may have moved from one to another."""
    for folder in folders:
        with suppress(DashkitError):
            history.locate(folder, project.places)
    ups = [CatchUp(project, reading) for reading in readings]
    ups += [CatchUp(project, reading) for reading in moves.unread(project, readings, folders, source)]
    for up in ups:
        up.read()
    moves.hand_over(ups)
    done = [up.write() for up in ups]
    readings = [up.reading for up in ups]
    notes = _unread(readings)
    for reading, outcome in zip(readings, done, strict=True):
        notes += [f"{reading.path}: {note}" for note in (*reading.present.notes, *outcome.notes)]
        if not reading.present.tasks and not reading.gone:
            notes.append(f"{reading.path}: there is no task in it")
    return IngestSummary(
        "tasks",
        sum(outcome.added for outcome in done),
        sum(reading.present.skipped for reading in readings),
        left_out_by=sum((Counter(reading.present.left_out_by) for reading in readings), Counter()),
        notes=tuple(notes),
        project_id=project.project_id,
        phases=len({reading.present.phase(task) for reading in readings for task in reading.present.tasks} - {None}),
        changed=sum(outcome.changed for outcome in done),
        gone=sum(outcome.gone for outcome in done),
        versions=sum(outcome.versions for outcome in done),
    )


def _unread(readings: Sequence[Reading]) -> list[str]:
    """What to say of dates that cannot be read, in one line, before all else."""
    found = [f"{date} in {one.path}{where}" for one in readings for date, where in one.present.unread_dates]
    if len(found) < 2:
        return [f"1 date cannot be read, {one}: this event has no date of its own" for one in found]
    return [f"{len(found):,} dates cannot be read, such as {found[0]}: these events have no date of their own"]


def _repository(folder: Path) -> str:
    """The name of the repository that a folder is in; its own where it is in none, or git cannot say."""
    try:
        return git.find(folder).name
    except DashkitError:
        return real(folder).name


def _read(
    files: Iterable[str | Path], source: str, *, everything: bool, exclude: Sequence[str]
) -> tuple[list[Reading], list[str], Counter[str]]:
    """Each file as it is now, all read before anything is written; complaints, and what was left out of folders."""
    if source not in (*SOURCES, "auto"):
        raise UsageError(
            f"Cannot ingest tasks of the kind {source!r}", "there is no such source", f"Use auto, {', '.join(SOURCES)}."
        )
    read = partial(_reading, everything=everything)
    found: dict[Path, Reading] = {}
    paths = [Path(file) for file in files]
    folders = [path for path in paths if _holds_files(path, source)]
    for path in paths:
        if path in folders:
            continue
        if real(path) in found:
            raise UsageError(f"Cannot ingest {path}", "it is named twice", "Name each file once.", path=path)
        found[real(path)] = read(path, (detect(path) or "tasklist") if source == "auto" else source)
    notes: list[str] = []
    left_out: Counter[str] = Counter()
    for folder in folders:
        here = survey(folder, source=source, everything=everything, exclude=exclude)
        left_out.update(here.left_out)
        kinds = {path: detect(path) or "tasklist" for path in here.files}
        for path in [path for path, kind in kinds.items() if source in ("auto", kind) and real(path) not in found]:
            try:
                found[real(path)] = read(path, kinds[path])
            except DashkitError as error:  # nobody named this file: the others count all the same
                notes.append(str(error))
    return list(found.values()), notes, left_out


def _reading(path: Path, kind: str, *, everything: bool) -> Reading:
    return Reading(path, kind, SOURCES[kind].read_file(path, everything=everything))


def _holds_files(path: Path, source: str) -> bool:
    """Whether a path is a folder to look for task files in: a Backlog.md folder is a source itself."""
    if not path.is_dir() or detect(path) == "backlog":
        return False
    return not (source == "backlog" and (path / "tasks").is_dir())


def _require_tasks(files: Sequence[str | Path], readings: Sequence[Reading], notes: Sequence[str]) -> None:
    if not any(reading.present.tasks for reading in readings):
        told = [note for reading in readings for note in reading.present.notes]
        lists = all(reading.kind == "tasklist" for reading in readings)
        raise RefusedError(
            f"Cannot ingest {', '.join(map(str, files)) or 'tasks'}",
            "; ".join(["there is no task in it", *[*told, *notes][:_SAID]]),
            "A task is a line such as `- [ ] Write the guide`."
            if lists
            else "docs/sources.md shows what each kind of file holds.",
        )
