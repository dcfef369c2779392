"""What is to be written, from what the sources came to. Pure."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dashkit.ingest.matching import normal
from dashkit.ingest.model import Image, NewPhase, Plan, Project, Replayed, SourcePlan, Tracked
from dashkit.records import New, TaskKey
from dashkit.store.checkpoints import Checkpoint
from dashkit.store.events import GONE

_DEFAULT_PRIORITY = "medium"  # of the column
# What columns are called in a note.
_WORDS = {
    "checked": "box",
    "blocked_reason": "reason",
    "external_id": "id",
    "phase_id": "phase",
    "parent_id": "parent",
    "due_at": "due date",
}

Phases = Mapping[str, "int | NewPhase"]


def plan(project: Project, found: Sequence[Replayed], now: str) -> Plan:
    """What a run is to write of a project.

    Args:
        project: the project.
        found: what its sources came to, after tasks that moved between them were handed over.
        now: the time of the run, in the stored form.
    """
    phases: dict[str, int | NewPhase] = dict(project.phases or {})
    parts = []
    for source in found:
        new = _new_phases(project, source, phases)
        phases |= {name: NewPhase(name) for name in new}
        parts.append(_of_source(project, source, new, phases, now))
    return Plan(project, now, tuple(parts))


def _new_phases(project: Project, source: Replayed, phases: Phases) -> tuple[str, ...]:
    """The phases that a source names and that have no row yet."""
    if project.phases is None or not source.has_news:
        return ()
    named = (one.image["phase"] for one in source.tracked)
    return tuple(dict.fromkeys(name for name in named if name is not None and name not in phases))


def _of_source(project: Project, source: Replayed, new_phases: tuple[str, ...], phases: Phases, now: str) -> SourcePlan:
    differences = list(_differences(source, None if project.phases is None else phases))
    checkpoint = _checkpoint(source, now)
    notes = (*source.notes, *_notes_of_reading(source), *_notes_of_users(source, differences), *_notes_of_ids(source))
    dependencies = source.dependencies if project.keeps_dependencies else ()
    if len(dependencies) < len(source.dependencies):
        notes += (f"dependencies without a table task_dependencies to keep them in: {len(source.dependencies):,}",)
    if not source.has_news:
        return SourcePlan(source.source, (), (), (), (), {}, (), {}, checkpoint, frozenset(), 0, source.versions, notes)
    new = tuple(one.task for one in source.tracked if isinstance(one.task, New))
    columns: dict[TaskKey, dict[str, Any]] = defaultdict(dict)
    for difference in differences:
        if not difference.is_users:
            columns[difference.one.task][difference.column] = difference.value
    changed = {change.task for change in source.changes if change.op != GONE} | columns.keys()
    lost = _lost(source)
    return SourcePlan(
        source=source.source,
        tasks=new,
        changes=source.changes,
        dependencies=dependencies,
        phases=new_phases,
        columns=columns,
        stored=tuple(_rows(source, now)),
        completions=_completions(source),
        checkpoint=checkpoint,
        changed=frozenset(task for task in changed if not isinstance(task, New)),
        gone=len(lost),
        versions=source.versions,
        notes=(*source.notes, *_notes_of_lost(source, lost), *notes[len(source.notes) :]),
    )


def _lost(source: Replayed) -> list[Tracked]:
    """The tasks that are no longer in a source, and were there at the last reading or came since."""
    were_there = {one.task for one in source.before if one.gone_at is None}
    away = (one for one in source.tracked if one.gone_at is not None)
    return sorted(
        (one for one in away if isinstance(one.task, New) or one.task in were_there), key=lambda one: one.ordinal
    )


class _Difference(NamedTuple):
    """A column without a history whose row is not what the source says; `is_users`: because a user changed it."""

    one: Tracked
    column: str
    value: Any
    is_users: bool


def _differences(source: Replayed, phases: Phases | None) -> Iterator[_Difference]:
    """Where the row of a task is not what the source says, in the columns that have no history.

    A user made it so where the row is not what the source said before, either.
    """
    before = {one.task: one for one in source.before}
    ids_before, ids = _holders(source.before), _holders(source.tracked)
    for one in source.tracked:
        old = before.get(one.task)
        was = _columns(old.image if old else {}, old.external_id if old else None, phases, ids_before)
        row = one.row or {"priority": _DEFAULT_PRIORITY}
        for column, value in _columns(one.image, one.external_id, phases, ids).items():
            if one.row and column not in one.row:
                continue  # a file of version 2.1 that was not migrated since an earlier commit has no such column
            there = row.get(column)
            if value != there:
                is_users = there != was[column] and not (old is None and there is None)
                yield _Difference(one, column, value, is_users)


def _holders(tasks: Iterable[Tracked]) -> dict[str, TaskKey]:
    """Which task an id means: one that is there, else the last to go; of several the one with the first row."""

    def rank(place: int, one: Tracked) -> tuple[bool, str, bool, int]:
        number = (False, -place) if isinstance(one.task, New) else (True, -one.task)
        return one.gone_at is None, one.gone_at or "", *number

    order = sorted(enumerate(tasks), key=lambda pair: rank(*pair))
    return {one.external_id: one.task for _, one in order if one.external_id}


def _columns(
    image: Image, external_id: str | None, phases: Phases | None, ids: Mapping[str, TaskKey]
) -> dict[str, Any]:
    """The columns without a history that an image means; without `phases` the database has no table for them."""
    labels = image.get("labels") or []
    return {
        "external_id": external_id,
        "description": image.get("description"),
        "priority": image.get("priority") or _DEFAULT_PRIORITY,
        "kind": image.get("kind"),
        "labels": json.dumps(labels, ensure_ascii=False) if labels else None,
        "due_at": image.get("due_at"),
        "phase_id": (phases or {}).get(image.get("phase") or ""),
        "parent_id": ids.get(image.get("parent") or ""),
    }


def _completions(source: Replayed) -> dict[TaskKey, tuple[str, str | None]]:
    """When tasks were completed that were known as done: what the source says now, and what it said before."""
    return {
        one.task: (one.ended_at, source.mended[one.task])
        for one in source.tracked
        if one.task in source.mended and one.ended_at and one.image["checked"] and "checked" not in one.owned
    }


def _rows(source: Replayed, now: str) -> Iterator[dict[str, Any]]:
    """The rows of `task_sources` that change."""
    for one in source.tracked:
        beside: dict[str, Any] = {"accepted_at": one.accepted_at, "created_at": one.created_at}
        beside |= {"former_ids": one.former_ids} if one.former_ids else {}
        beside |= {"ended_at": one.ended_at} if one.ended_at else {}
        beside |= {} if one.committed == one.image else {"committed": one.committed}
        row = {
            "task_id": one.task,
            "external_id": one.external_id,
            "heading_path": json.dumps(one.headings, ensure_ascii=False),
            "title_norm": normal(one.title),
            "ordinal": one.ordinal,
            "image": json.dumps({**one.image, **beside}, ensure_ascii=False),
            "gone_at": None if one.gone_at is None else min(one.gone_at, now),
        }
        stored = {} if isinstance(one.task, New) else source.source.stored.get(one.task, {})
        if row != {column: value for column, value in stored.items() if column in row}:
            yield row | {"seen_at": now}


def _checkpoint(source: Replayed, now: str) -> Checkpoint | None:
    """Where this reading stopped; None where the last one stopped at the same place."""
    last, place = source.source.checkpoint, source.source.place
    repository = str(place.repository) if place else last.repository if last else None
    at = None if source.last_at is None else min(source.last_at, now)
    done = Checkpoint(commit=source.commit, repository=repository, at=at, kind=source.source.reading.kind)
    return None if done == last else done


def _notes_of_lost(source: Replayed, lost: Sequence[Tracked]) -> Iterator[str]:
    known = [one for one in lost if not isinstance(one.task, New)]
    if source.source.reading.is_gone and known:
        yield f"it is no longer there, and its tasks ({len(known):,}) are kept"
    else:
        yield from (f"no longer in it, and kept: {one.title}" for one in known)


def _notes_of_reading(source: Replayed) -> Iterator[str]:
    if source.skipped:
        yield f"records of old versions that were skipped (merge conflicts, broken lines): {source.skipped:,}"
    if source.stale:
        yield f"records that were not newer than what was read before, and passed over: {source.stale:,}"
    yield from (f"{title}: a user deleted it here, and it stays deleted" for title in source.withheld)


def _notes_of_users(source: Replayed, differences: Iterable[_Difference]) -> Iterator[str]:
    """Where a user changed a task that is there, and the source says something else."""
    columns: dict[TaskKey, list[str]] = {one.task: [*one.owned] for one in source.live if one.owned}
    for difference in differences:
        if difference.is_users and difference.one.gone_at is None:
            columns.setdefault(difference.one.task, []).append(difference.column)
    titles = {one.task: one.title for one in source.live}
    for task, theirs in columns.items():
        words = " and ".join(dict.fromkeys(_WORDS.get(column, column) for column in theirs))
        yield f"{titles[task]}: the file says otherwise of its {words}, and what is here stays"


def _notes_of_ids(source: Replayed) -> Iterator[str]:
    times = Counter(task.external_id for task in source.source.reading.present.tasks if task.external_id)
    for name, count in times.items():
        if count > 1:
            yield f"the id {name} stands {count} times; the first task has it"
