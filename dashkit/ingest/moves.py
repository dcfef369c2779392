"""What becomes of tasks between the sources of one run: files that are gone, and tasks that moved to another file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dashkit.errors import DashkitError
from dashkit.ingest import matching
from dashkit.ingest.catch_up import CatchUp, Project, Reading
from dashkit.ingest.replay import Change, Tracked
from dashkit.records import TaskList
from dashkit.sources import SOURCES, beads_store, detect
from dashkit.sources.files import real
from dashkit.sources.task_files import is_excluded
from dashkit.store import sources
from dashkit.store.checkpoints import Checkpoint
from dashkit.store.events import BACK, GONE

Pair = tuple[Tracked, Tracked]


def unread(
    project: Project, readings: Sequence[Reading], folders: Sequence[Path], source: str = "auto"
) -> Iterator[Reading]:
    """The sources of a project that hold tasks and are not among the readings, as far as these tell of them.

    Those that are gone from a repository or folder that is read from, and in a folder that is read as a whole those
    that no longer look like task files; what is excluded from it is as good as gone.

    Args:
        project: whose places are those of the readings.
        readings: what is read.
        folders: what is read as a whole.
        source: the kind of files that are read of folders.
    """
    tops = {str(place.repository): place.root for place in project.places.values()}
    whole = [real(folder) for folder in folders]
    near = [*whole, *(real(one.path).parent for one in readings)]
    read = {real(one.path) for one in readings}
    for name, mark in sources.in_use(project.conn, project.project_id).items():
        path = _path(name, mark, tops, near)
        if name in project.names or path is None or real(path) in read:
            continue
        kind = mark.kind or detect(path) or "tasklist"
        if _is_gone(path, kind) or _is_excluded(path, whole, project.exclude):
            yield Reading(path, kind, TaskList(()), gone=True)
        elif source in ("auto", kind) and any(real(path).is_relative_to(folder) for folder in whole):
            with suppress(DashkitError):
                yield Reading(path, kind, SOURCES[kind].read_file(path, everything=project.everything))


def _path(name: str, mark: Checkpoint, tops: Mapping[str, Path], near: Iterable[Path]) -> Path | None:
    """Where a source was; None where this run does not see its place."""
    if mark.repository is None:
        path = Path(name)
        return path if any(path.is_relative_to(folder) for folder in near) else None
    top = tops.get(mark.repository)
    return top / name.removeprefix(f"{top.name}:") if top else None


def _is_gone(path: Path, kind: str) -> bool:
    """Whether a source is no longer there; the tool of Beads may have taken a file into its store."""
    try:
        there = path.is_dir() == (kind == "backlog") or path.is_file()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return not (kind == "beads" and beads_store.find(path.parent))
    except (OSError, ValueError):
        return False
    return not there


def _is_excluded(path: Path, whole: Iterable[Path], exclude: Sequence[str]) -> bool:
    """Whether a source is left out of a folder that is read as a whole."""
    return any(
        is_excluded(real(path).relative_to(folder).as_posix(), exclude)
        for folder in whole
        if real(path).is_relative_to(folder)
    )


def hand_over(ups: Sequence[CatchUp]) -> None:
    """Let a task that left one source and came into another stay the same task: by its id, or by its very title."""
    left = [(up, one) for up in ups for one in _left(up)]
    came = [(up, one) for up in ups for one in (*up.replay.live, *up.replay.gone) if one.task_id is None]
    if not left or not came:
        return
    found = matching.match([], [one for _, one in left], [one for _, one in came])
    by_task = {one: up for up, one in left}
    moved: dict[tuple[CatchUp, CatchUp], list[Pair]] = defaultdict(list)
    for (into, new), old in zip(came, found, strict=True):
        if old is not None and by_task[old] is not into:
            moved[by_task[old], into].append((old, new))
    for (out_of, into), pairs in moved.items():
        _move(out_of, into, pairs)
        into.outcome.notes.append(f"tasks that moved here from {out_of.source}: {len(pairs):,}")


def _left(up: CatchUp) -> list[Tracked]:
    """The tasks that were in a source when it was read last, and are no longer."""
    live = {row["task_id"] for row in up.known if row["gone_at"] is None}
    return [one for one in up.replay.gone if one.task_id in live]


def _move(out_of: CatchUp, into: CatchUp, pairs: Sequence[Pair]) -> None:
    """Give rows and changes of tasks to the source that they are in now."""
    new_of = dict(pairs)
    moved_ids = {old.task_id for old in new_of}
    into.known += [row for row in out_of.known if row["task_id"] in moved_ids]
    into.images |= {row: image for row, image in out_of.images.items() if row in moved_ids}
    out_of.known = [row for row in out_of.known if row["task_id"] not in moved_ids]
    out_of.replay.gone = [one for one in out_of.replay.gone if one not in new_of]
    # It left that file, and no more: the task goes on.
    before = [change for change in out_of.replay.changes if change.tracked in new_of and change.op not in (GONE, BACK)]
    out_of.replay.changes = [change for change in out_of.replay.changes if change.tracked not in new_of]
    after: dict[Tracked, list[Change]] = {new: [] for new in new_of.values()}
    for change in into.replay.changes:
        after.get(change.tracked, []).append(change)
    into.replay.changes = [change for change in into.replay.changes if change.tracked not in after]
    since = out_of.mark.at if out_of.mark else None
    for old, new in pairs:
        new.task_id, new.row = old.task_id, old.row
        new.created_at, new.accepted_at = new.created_at or old.created_at, new.accepted_at or old.accepted_at
        renamed = (old.external_id,) if old.external_id not in (None, new.external_id) and new.external_id else ()
        new.former_ids = (*old.former_ids, *map(str, renamed), *new.former_ids)
        new.owned = {column: value for column, value in old.owned.items() if value != new.image[column]}
        before += _continued(old, new, after[new], since)
    into.replay.changes += before


def _continued(old: Tracked, new: Tracked, changes: Sequence[Change], since: str | None) -> Iterator[Change]:
    """The changes of a task that came into a source, from what it was in the source that it left."""
    first = [change for change in changes if change.source == changes[0].source]
    there = {column: value for change in first for column, value in change.values.items()}
    differs = {column: value for column, value in there.items() if value != old.image.get(column)}
    arrival = first[-1]
    not_before = arrival.not_before or (since and min(since, arrival.occurred_at))
    for change in [replace(arrival, op="update", not_before=not_before, values=differs), *changes[len(first) :]]:
        values = {column: value for column, value in change.values.items() if column not in new.owned}
        if values or change.op in (GONE, BACK):
            yield replace(change, values=values)
