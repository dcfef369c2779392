"""The versions of a source, one after the other -> what became of its tasks. Pure.

The same way serves a thousand old versions and what lies there today.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashkit.ingest import images, matching
from dashkit.ingest.dating import Span
from dashkit.ingest.dependencies import Dependencies
from dashkit.ingest.gone import Gone
from dashkit.ingest.model import Gap, Image, Replayed, Source, Tracked, Version
from dashkit.records import DependencyChange, Task, TaskChange, TaskKey
from dashkit.sources.beads import UNTITLED
from dashkit.store.events import BACK, GONE


def replay(
    source: Source, versions: Iterable[Version | Gap], unclaimed: Iterable[Tracked] = (), deleted: Collection[str] = ()
) -> Replayed:
    """Take all versions of a source.

    Args:
        source: the source.
        versions: its versions since the last reading, the oldest first.
        unclaimed: the tasks that no source has claimed; this one may.
        deleted: titles, as `matching.normal` gives them, of tasks that a user deleted: they do not come again.
    """
    checkpoint, place = source.checkpoint, source.place
    running = Replay((*source.tracked, *unclaimed), checkpoint.at if checkpoint else None, deleted)
    # Without git the next reading goes on from the commit that the last one reached.
    reached = place.head if place else checkpoint.commit if checkpoint else None
    notes, count, skipped = [*source.notes], 0, 0
    for version in versions:
        if isinstance(version, Gap):
            notes.append(version.note)
            reached = version.commit if version.is_end else reached
            continue
        running.take(version)
        count += 1
        skipped += version.skipped
    return Replayed(
        source=source,
        before=source.tracked,
        live=tuple(running.live),
        gone=tuple(running.gone),
        changes=tuple(running.changes),
        dependencies=tuple(running.dependencies),
        last_at=running.last_at,
        commit=reached,
        has_news=running.has_news,
        versions=count - source.reading.is_gone,
        skipped=skipped,
        stale=len(running.stale),
        withheld=tuple(task.title for task in running.withheld),
        mended=running.mended,
        notes=tuple(notes),
    )


class Replay:
    """Takes versions in their order, and keeps what became of the tasks; nobody else changes it.

    Args:
        known: the tasks of the source in their order, and those that it may claim; what is gone has a `gone_at`.
        last_at: the time of the last version that was read; None: none was.
        deleted: titles of tasks that a user deleted.
    """

    def __init__(self, known: Iterable[Tracked], last_at: str | None, deleted: Collection[str] = ()) -> None:
        known = list(known)
        self.last_at = last_at
        self.changes: list[TaskChange] = []
        self.dependencies: list[DependencyChange] = []
        self.stale: set[tuple[TaskKey, str]] = set()  # the records that were not newer: task and time of the record
        self.withheld: tuple[Task, ...] = ()  # the records of the last version that a user deleted
        # The done tasks of which a record says another time of completion, with the one that was said before.
        self.mended: dict[TaskKey, str | None] = {}
        self.has_news = False  # whether any version said anything new
        self._deleted = deleted
        self._tasks = {one.task: one for one in known}
        self._ordinals = {one.task: one.ordinal for one in known}
        self._live = [one.task for one in known if one.gone_at is None]
        self._gone = Gone(one for one in known if one.gone_at is not None)
        self._is_numbered = False  # whether the places of live tasks are those in the last version
        self._last: Sequence[Task] = ()  # the records of the last version
        self._same: dict[int, TaskKey | None] = {}  # the task of each, by the id() of the record
        self._needs = Dependencies([*reversed(self._gone.all()), *(self._tasks[task] for task in self._live)])

    @property
    def live(self) -> list[Tracked]:
        """The tasks that are in the last version, in its order."""
        return [self._tasks[task]._replace(ordinal=place) for place, task in enumerate(self._live)]

    @property
    def gone(self) -> list[Tracked]:
        """The tasks that are not in the last version, the last to go first."""
        return list(self._gone.all())

    def take(self, version: Version) -> None:
        """Note what a version changes; a task that is no longer in it is gone, and kept."""
        span = Span(self.last_at, version)
        had_news, self.has_news = self.has_news, False
        # A record that is the very same object as in the version before has not changed.
        tasks = [self._same.get(id(record)) for record in version.tasks]
        fresh = [record for record, task in zip(version.tasks, tasks, strict=True) if task is None]
        staying = set(tasks)
        staying.discard(None)
        left = [task for task in self._live if task not in staying]
        known = self._recognize(left, fresh)
        read = self._read(list(zip(known, fresh, strict=True)), staying, span)
        found = iter(read)
        order = [next(found) if task is None else task for task in tasks]
        self._settle(order, left, [one for one in known if one and one.gone_at is not None], span)
        self._connect(zip(read, fresh, strict=True), span)
        if self.has_news or not version.source.startswith("file:"):
            self.last_at = span.until
        self.has_news = self.has_news or had_news

    def _read(
        self, records: Sequence[tuple[Tracked | None, Task]], staying: Iterable[TaskKey | None], span: Span
    ) -> list[TaskKey | None]:
        """Take the records that are new or changed: the task of each; None where a user deleted it.

        Args:
            records: the records, each with its known task, or None for a new one.
            staying: the tasks whose records have not changed.
            span: the time of the version.
        """
        holders = {self._tasks[task].external_id: task for task in staying if task is not None}
        # A task whose record has another id now has let go of its own; one that is there goes before one that is gone.
        keeping = [one for one, record in records if one and record.external_id in (None, one.external_id)]
        for one in sorted(keeping, key=lambda one: one.gone_at is not None):
            holders.setdefault(one.external_id, one.task)
        read = [self._see(one, record, holders, span) for one, record in records]
        self.withheld = tuple(record for (_, record), task in zip(records, read, strict=True) if task is None)
        return read

    def _recognize(self, left: Iterable[TaskKey], records: Sequence[Task]) -> list[Tracked | None]:
        """The known task of each record; None for a new one."""
        ids = {record.external_id for record in records}
        # Where every record has an id, only the tasks with one of these ids can come back, or those without any.
        gone = self._gone.all() if None in ids else self._gone.with_ids(ids)
        return matching.match([self._tasks[task] for task in left], gone, records)

    def _see(
        self, known: Tracked | None, record: Task, holders: dict[str | None, TaskKey], span: Span
    ) -> TaskKey | None:
        """Take a record of a known task or of a new one; None: a user deleted that one."""
        if known is None and self._deleted and matching.normal(record.title) in self._deleted:
            return None
        named = replace(record, title=known.title) if known and record.title == UNTITLED else record
        said = images.image(named, span.version)
        one = self._continue(known, record, said, span) if known else self._arrive(record, said, span)
        if span.version.is_commit and one.committed != said:
            one = one._replace(committed=said)
            self.has_news = True
        one = self._name(one, record, holders)
        self._tasks[one.task] = one
        return one.task

    def _arrive(self, record: Task, said: Image, span: Span) -> Tracked:
        """A task that nobody knew."""
        task, changes = span.arrival(record, said)
        self.changes += changes
        self.has_news = True
        return Tracked(
            task,
            record.title,
            headings=record.headings,
            created_at=record.created_at,
            image=said,
            accepted_at=record.updated_at,
            ended_at=images.ended_at(record),
        )

    def _continue(self, known: Tracked, record: Task, said: Image, span: Span) -> Tracked:
        """A known task, as its record leaves it."""
        if images.is_older(record, known):
            if said != known.image:
                self.stale.add((known.task, str(record.updated_at)))
            return known
        now = images.after(record, said, known, span.version)
        own = None if matching.is_same(record.updated_at, known.accepted_at) else record.updated_at
        ended_at = self._mend(known, record)
        is_new = now != known.image or record.headings != known.headings or own is not None
        is_same = not known.owned and ended_at == known.ended_at and record.created_at in (None, known.created_at)
        if is_same and not is_new:
            return known
        self.has_news = self.has_news or is_new
        self._date(known, images.changed(now, known), record, own, span)
        return known._replace(
            image=now,
            title=now["title"],
            headings=record.headings,
            created_at=record.created_at or known.created_at,
            owned=images.still_owned(now, known),
            accepted_at=record.updated_at or known.accepted_at,
            ended_at=ended_at,
        )

    def _date(self, known: Tracked, changed: Mapping[str, Any], record: Task, own: str | None, span: Span) -> None:
        """Date the columns of a known task that changed."""
        if "title" in changed and images.lost_fields(known.title, changed["title"]):
            self.changes.append(span.reread(known.task, {"title": changed["title"]}))
            changed = {column: value for column, value in changed.items() if column != "title"}
        if changed:
            self.changes += span.update(known.task, changed, record, own, known.accepted_at or "")

    def _mend(self, known: Tracked, record: Task) -> str | None:
        """When a task was completed, as its source says now; noted, where it was done already and that is new."""
        ended = images.ended_at(record)
        if known.image.get("checked") and ended and not matching.is_same(ended, known.ended_at):
            self.mended.setdefault(known.task, known.ended_at)
            self.has_news = True
        return ended or (known.ended_at if record.checked else None)

    def _name(self, one: Tracked, record: Task, holders: dict[str | None, TaskKey]) -> Tracked:
        """A task with the id that its record gives it; of two records with one id the later one goes without.

        `holders` says which task has which id; a task that gets an id is added.
        """
        if None not in (one.external_id, record.external_id) and one.external_id != record.external_id:
            one = one._replace(former_ids=(*one.former_ids, str(one.external_id)), external_id=None)
            self.has_news = True
        external_id = one.external_id or record.external_id
        if external_id is not None and holders.setdefault(external_id, one.task) != one.task:
            external_id = None
        return one if one.external_id == external_id else one._replace(external_id=external_id)

    def _settle(
        self, order: Sequence[TaskKey | None], left: Iterable[TaskKey], returning: Sequence[Tracked], span: Span
    ) -> None:
        """Put the tasks that are there into the order of a version, and the others among those that are gone.

        Where a commit leaves a task as the commit before had it, the work tree's own change to it stays: a task that
        was removed there stays away, and one that was added there and never committed stays.

        Args:
            order: the task of each record of the version; None where a user deleted it.
            left: the tasks that were in the version before, but for those whose records have not changed.
            returning: the tasks of the version that were gone, as they were.
            span: the time of the version.
        """
        removed = {one.task for one in returning if _stays_removed(one, span.version)}
        order = [None if task in removed else task for task in order]
        here = [task for task in order if task is not None]
        there = set(here)
        kept, vanished = _split([self._tasks[task] for task in left if task not in there], span.version)
        self._number([*here, *(one.task for one in kept)])
        came = {one.task for one in returning} - removed
        for task in filter(came.__contains__, here):
            self._return(self._tasks[task], span)
        for one in vanished:
            self._leave(one, span)
        for task in removed:
            self._gone.put(self._tasks[task])
        self._remember(span.version.tasks, order)

    def _remember(self, records: Sequence[Task], order: Iterable[TaskKey | None]) -> None:
        """Remember which record is of which task; as long as the records are kept, no other object has their id()."""
        self._last, self._same = records, dict(zip(map(id, records), order, strict=True))

    def _number(self, order: list[TaskKey]) -> None:
        """Put the tasks that are there into an order."""
        if order != self._live or not self._is_numbered:
            before = [self._ordinals.get(task) for task in order]
            self.has_news = self.has_news or before != [*range(len(order))]
            self._ordinals.update(zip(order, range(len(order)), strict=True))
            self._live, self._is_numbered = order, True

    def _return(self, one: Tracked, span: Span) -> None:
        """A task that was gone is there."""
        if one.gone_at:  # a task that no source had claimed was not gone
            self.changes.append(span.change(one.task, BACK))
        self._tasks[one.task] = one._replace(gone_at=None)
        self._gone.remove(one.task)
        self.has_news = True

    def _leave(self, one: Tracked, span: Span) -> None:
        """A task is gone."""
        self.changes.append(span.change(one.task, GONE))
        committed = None if span.version.is_commit else one.committed
        ordinal = self._ordinals[one.task]
        one = one._replace(gone_at=span.version.at, ordinal=ordinal, committed=committed)
        self._tasks[one.task] = one
        self._gone.put(one)
        self.has_news = True

    def _connect(self, read: Iterable[tuple[TaskKey | None, Task]], span: Span) -> None:
        """Note the dependencies that come and go with the records that were taken."""
        taken = [(task, record) for task, record in read if task is not None]
        self.dependencies += self._needs.follow(taken, self._tasks, span)


def _stays_removed(one: Tracked, version: Version) -> bool:
    """Whether a task that the work tree removed stays away: this commit only has it because the one before has it."""
    return bool(one.gone_at) and version.is_commit and one.committed is not None


def _split(missing: Iterable[Tracked], version: Version) -> tuple[list[Tracked], list[Tracked]]:
    """Of the tasks that a version does not have those that the work tree added and no commit had; and the others."""
    kept: list[Tracked] = []
    vanished: list[Tracked] = []
    for one in missing:
        (kept if version.is_commit and one.committed is None else vanished).append(one)
    return kept, vanished
