"""Tasks that went from one source of a project to another in one run: they stay the same tasks. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from dashkit.ingest import matching
from dashkit.ingest.model import Replayed, Tracked
from dashkit.records import New, TaskChange, TaskKey
from dashkit.store.events import BACK, GONE

Pair = tuple[Tracked, Tracked]  # a task in the source that it left, and the task that came into another source


def hand_over(found: Sequence[Replayed]) -> list[Replayed]:
    """Pair the tasks that left a source with those that came into another one, by id or title; else as they were.

    The source that a task came into takes over its row, what happened to it before, and what a user changed.
    """
    left = [(place, one) for place, source in enumerate(found) for one in _left(source)]
    came = [(place, one) for place, source in enumerate(found) for one in source.tracked if isinstance(one.task, New)]
    if not left or not came:
        return list(found)
    matched = matching.match([], [one for _, one in left], [one for _, one in came])
    origin = {one.task: place for place, one in left}
    moved: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for (into, new), old in zip(came, matched, strict=True):
        if old is not None and origin[old.task] != into:
            moved[origin[old.task], into].append((old, new))
    now = list(found)
    for (out_of, into), pairs in moved.items():
        now[out_of], now[into] = _without(now[out_of], pairs), _with(now[into], now[out_of], pairs)
    return now


def _left(source: Replayed) -> list[Tracked]:
    """The tasks that were in a source when it was read last, and are no longer."""
    were_there = {one.task for one in source.before if one.gone_at is None}
    return [one for one in source.gone if one.task in were_there]


def _without(source: Replayed, pairs: Sequence[Pair]) -> Replayed:
    """A source without the tasks that left it for another one."""
    tasks = {old.task for old, _ in pairs}
    return replace(
        source,
        before=tuple(one for one in source.before if one.task not in tasks),
        gone=tuple(one for one in source.gone if one.task not in tasks),
        changes=tuple(change for change in source.changes if change.task not in tasks),
    )


def _with(source: Replayed, out_of: Replayed, pairs: Sequence[Pair]) -> Replayed:
    """A source with the tasks that came into it from another one, which still has them."""
    arrived = {new.task: _continued(old, new) for old, new in pairs}
    left = {old.task for old, _ in pairs}
    ids = {new.task: old.task for old, new in pairs}
    return replace(
        source,
        before=(*source.before, *(one for one in out_of.before if one.task in left)),
        live=tuple(arrived.get(one.task, one) for one in source.live),
        gone=tuple(arrived.get(one.task, one) for one in source.gone),
        changes=(
            *(change for change in source.changes if change.task not in arrived),
            *_earlier_changes(out_of, left),
            *_later_changes(source, out_of, pairs, arrived),
        ),
        dependencies=tuple(
            replace(one, task=ids.get(one.task, one.task), on=ids.get(one.on, one.on)) for one in source.dependencies
        ),
        mended={ids.get(task, task): before for task, before in source.mended.items()}
        | {task: before for task, before in out_of.mended.items() if task in left},
        notes=(*source.notes, f"tasks that moved here from {out_of.source.name}: {len(pairs):,}"),
    )


def _earlier_changes(out_of: Replayed, left: Collection[TaskKey]) -> list[TaskChange]:
    """What happened to tasks in the source that they left: they go on, so they were neither gone nor back."""
    return [change for change in out_of.changes if change.task in left and change.op not in (GONE, BACK)]


def _later_changes(
    source: Replayed, out_of: Replayed, pairs: Sequence[Pair], arrived: Mapping[TaskKey, Tracked]
) -> Iterator[TaskChange]:
    """What happened to tasks in the source that they came into."""
    own: dict[TaskKey, list[TaskChange]] = defaultdict(list)
    for change in source.changes:
        own[change.task].append(change)
    since = out_of.source.checkpoint.at if out_of.source.checkpoint else None
    for old, new in pairs:
        yield from _changes_since(old, arrived[new.task], own[new.task], since)


def _continued(old: Tracked, new: Tracked) -> Tracked:
    """The task that came, as the one that left."""
    has_new_id = old.external_id is not None and new.external_id is not None and old.external_id != new.external_id
    renamed = (str(old.external_id),) if has_new_id else ()
    return new._replace(
        task=old.task,
        row=old.row,
        created_at=new.created_at or old.created_at,
        accepted_at=new.accepted_at or old.accepted_at,
        former_ids=(*old.former_ids, *renamed, *new.former_ids),
        owned={column: value for column, value in old.owned.items() if value != new.image[column]},
    )


def _changes_since(
    old: Tracked, new: Tracked, changes: Sequence[TaskChange], since: str | None
) -> Iterator[TaskChange]:
    """The changes of a task that came into a source, as changes of what it was in the source that it left.

    Args:
        old: the task in the source that it left.
        new: the task that came, with the id of the old one.
        changes: its changes, as of a new task.
        since: when the source that it left was read last.
    """
    arrival = [change for change in changes if change.source == changes[0].source]
    there = {column: value for change in arrival for column, value in change.values.items()}
    differs = {column: value for column, value in there.items() if value != old.image.get(column)}
    at = arrival[-1].occurred_at
    not_before = arrival[-1].not_before or (since and min(since, at))
    first = replace(arrival[-1], op="update", not_before=not_before, values=differs)
    for change in (first, *changes[len(arrival) :]):
        values = {column: value for column, value in change.values.items() if column not in new.owned}
        if values or change.op in (GONE, BACK):
            yield replace(change, task=new.task, values=values)
