"""What the database and git know: of a project, of its sources, and the past of each source. Nothing is written."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from dashkit.errors import DashkitError, FailedError, RefusedError
from dashkit.ingest import discover
from dashkit.ingest.matching import normal
from dashkit.ingest.model import WATCHED, Found, Gap, Project, Reading, Request, Source, Tracked, Version
from dashkit.sources import history
from dashkit.sources.files import real
from dashkit.store import checkpoints, projects
from dashkit.store import sources as store
from dashkit.store.checkpoints import Checkpoint

_BESIDE = (
    "created_at",
    "accepted_at",
    "former_ids",
    "ended_at",
    "committed",
)  # stored beside what a source says of a task


def project(conn: sqlite3.Connection, project_id: int | None, name: str) -> Project:
    """What the database knows of a project; of one that is to be made (no id) it knows nothing."""
    has_phases = projects.has_phases(conn)
    keeps_dependencies = projects.has_dependencies(conn)
    if project_id is None:
        return Project(None, name, True, frozenset(), {}, {} if has_phases else None, keeps_dependencies, ())
    return Project(
        id=project_id,
        name=name,
        is_empty=not projects.count_tasks(conn, project_id),
        deleted=frozenset(map(normal, store.deleted(conn, project_id))),
        in_use=store.in_use(conn, project_id),
        phases=projects.find_phases(conn, project_id) if has_phases else None,
        keeps_dependencies=keeps_dependencies,
        unclaimed=tuple(map(_unclaimed, store.unclaimed(conn, project_id))),
    )


def sources(conn: sqlite3.Connection, known: Project, found: Found, request: Request) -> list[Source]:
    """The sources that a request leads to, and those that were read before and that it tells about.

    Raises:
        RefusedError: a source was read as another kind before, or `task_sources` holds what no reading left there.
    """
    places = history.Places()
    for folder in found.folders:
        with suppress(DashkitError):
            places.locate(folder)
    loaded: list[Source] = []
    for reading in found.readings:
        loaded.append(_source(conn, known, reading, request, places, {one.name for one in loaded}))
    names = {one.name for one in loaded}
    for reading in list(discover.missed(known.in_use, names, found, places.tops, request)):
        loaded.append(_source(conn, known, reading, request, places, {one.name for one in loaded}))
    return loaded


def _source(
    conn: sqlite3.Connection,
    known: Project,
    reading: Reading,
    request: Request,
    places: history.Places,
    taken: Collection[str],
) -> Source:
    """A reading with what is known of it; `taken` are the names that other sources of this run have."""
    notes = []
    try:
        place = places.locate(reading.path)
    except DashkitError as error:
        place = None
        notes.append(f"read without its history: {error.why}")
    name, last = _name(conn, known, reading.path, place, taken)
    checkpoint = None if known.is_empty else last
    _require_same_kind(reading, checkpoint)
    rows = [] if known.id is None else store.known(conn, known.id, name)
    past = _past(place, checkpoint, request, is_known=bool(rows))
    tracked = [_tracked(row) for row in rows]
    return Source(
        reading=reading,
        name=name,
        place=place,
        checkpoint=checkpoint,
        tracked=tuple(map(_begun_anew, tracked) if past.begins_anew else tracked),
        stored={row["task_id"]: row for row in rows},
        reads_past=past.is_read,
        is_work_tree=past.is_followed,
        notes=(*notes, *past.notes),
    )


def _name(
    conn: sqlite3.Connection, known: Project, path: Path, place: history.Place | None, taken: Collection[str]
) -> tuple[str, Checkpoint | None]:
    """What the database calls a source, and its checkpoint.

    In a repository that is its path there; in a second repository of the project with the name of the repository's
    folder before it; outside of git its full path. A source keeps the name that it has, also while git refuses to read
    the repository.
    """
    full = real(path)
    for name, checkpoint in known.in_use.items():
        if name not in taken and full in (Path(name), checkpoint.path_of(name)):
            return name, checkpoint
    if place is None:
        return _text(full), _checkpoint(conn, known, _text(full))
    for name in (_text(place.path), _text(f"{place.root.name}:{place.path}"), _text(full)):
        last = _checkpoint(conn, known, name)
        # A repository that is no longer where it was has moved here.
        is_free = last is None or last.repository == str(place.repository) or not _exists(last)
        if name not in taken and is_free:
            return name, last
    return _text(full), None


def _checkpoint(conn: sqlite3.Connection, known: Project, name: str) -> Checkpoint | None:
    return checkpoints.load(conn, checkpoints.of_source(known.id, name))


def _exists(checkpoint: Checkpoint) -> bool:
    return checkpoint.repository is not None and Path(checkpoint.repository).exists()


def _text(name: str | Path) -> str:
    """The name of a file as text that can be stored, whatever its bytes are."""
    return str(name).encode("utf-8", "replace").decode()


def _require_same_kind(reading: Reading, checkpoint: Checkpoint | None) -> None:
    was = checkpoint.kind if checkpoint else None
    if was not in (None, reading.kind) and not (reading.present.tasks or reading.is_gone):
        raise RefusedError(
            f"Cannot read {reading.path} as {reading.kind}",
            f"it was read as {was} before, and has no task of this kind",
            "Leave --format out, or name what it is.",
            path=reading.path,
        )


class _Past(NamedTuple):
    """How the past of a source is read: see `Source`; `begins_anew`: what is read follows no commit that is known."""

    is_read: bool = False
    is_followed: bool = False
    begins_anew: bool = False
    notes: tuple[str, ...] = ()


def _past(place: history.Place | None, checkpoint: Checkpoint | None, request: Request, *, is_known: bool) -> _Past:
    """What is read of the past of a source that has tasks already (`is_known`) or not."""
    since = checkpoint.commit if checkpoint else None
    if place is None:
        return _Past(is_followed=since is not None)
    if not request.with_history:
        note = "read without its past; later readings add what comes then, and not what was"
        return _Past(notes=(note,) if place.head and checkpoint is None else ())
    if since is None and is_known:
        note = "its tasks are known from a reading without history; their past is not added"
        return _Past(begins_anew=True, notes=(note,) if place.head else ())
    if since is not None and since != place.head and not history.is_ancestor(place, since):
        note = "the history of the repository is another one now; only the present is read"
        return _Past(begins_anew=True, notes=(note,))
    return _Past(is_read=True, is_followed=True)


def _begun_anew(one: Tracked) -> Tracked:
    """A task of which the next version may change everything: as if the last commit had said what the source said."""
    return one._replace(committed=one.image if one.gone_at is None else None)


def versions(source: Source, request: Request) -> Iterator[Version | Gap]:
    """The versions of a source since the last reading, the oldest first, and at last what lies there now.

    git is asked while they are taken, so that not all of them are in memory at once.
    """
    if source.reads_past and source.place:
        yield from _commits(source, source.place, request)
    reading = source.reading
    yield Version(
        reading.present.tasks,
        request.now,
        f"file:{_text(reading.path.name)}",
        reading.present.phase,
        is_commit=not source.is_work_tree,
    )


def _commits(source: Source, place: history.Place, request: Request) -> Iterator[Version | Gap]:
    """The commits since the last reading; where git breaks off, the next reading goes on from there."""
    kind, reached = source.reading.kind, source.checkpoint.commit if source.checkpoint else None
    parse = history.reader(kind, place.path, everything=request.everything)
    skipped_before = 0
    try:
        for old in history.versions(place, kind, reached):
            reached = old.sha
            if old.missing:
                yield Gap(f"files of commit {old.sha[:10]} that are not in this clone, or too large: {old.missing:,}")
            if old.missing and not old.changes:
                continue
            found = parse(old.changes)
            skipped, skipped_before = max(0, found.skipped - skipped_before), found.skipped
            yield Version(found.tasks, old.committed_at, f"git:{old.sha}", found.phase, skipped=skipped)
    except FailedError as error:
        yield Gap(f"its past is not read to the end: {error.why}", is_end=True, commit=reached)


def _tracked(row: Mapping[str, Any]) -> Tracked:
    """A task as its source said it last; a column is the user's where the row is not what the source said."""
    task, said = row["row"], _stored(row, "image", dict)
    image = {name: value for name, value in said.items() if name not in _BESIDE}
    owned = {name: _value(task, name) for name in WATCHED if name in image and _value(task, name) != image[name]}
    return Tracked(
        task=row["task_id"],
        title=image.get("title", task["title"]),
        external_id=row["external_id"],
        headings=tuple(_stored(row, "heading_path", list)),
        created_at=said.get("created_at"),
        image=image,
        committed=said.get("committed", image),
        accepted_at=said.get("accepted_at"),
        gone_at=row["gone_at"],
        owned=owned,
        ordinal=row["ordinal"] or 0,
        row=task,
        former_ids=tuple(said.get("former_ids", ())),
        ended_at=said.get("ended_at"),
    )


def _stored(row: Mapping[str, Any], column: str, kind: type) -> Any:
    """What a reading left in a column of `task_sources`."""
    try:
        found = json.loads(row[column] or "null")
    except (TypeError, ValueError):
        found = ""
    if found is not None and not isinstance(found, kind):
        raise RefusedError(
            f"Cannot read what is known of task {row['task_id']}",
            f"task_sources.{column} holds what no reading has left there",
            f"Delete that row, `DELETE FROM task_sources WHERE task_id = {row['task_id']}`: the next reading finds the "  # noqa: S608 - for people
            "task by its title.",
            task_id=row["task_id"],
        )
    return kind() if found is None else found


def _unclaimed(row: Mapping[str, Any]) -> Tracked:
    """A task that no source has claimed. All that its row says is the user's, until a source says the same."""
    owned = {name: _value(row, name) for name in WATCHED}
    return Tracked(row["id"], row["title"], row["external_id"], gone_at="", owned=owned, row=row)


def _value(row: Mapping[str, Any], column: str) -> Any:
    return int(bool(row[column])) if column == "checked" else row[column]
