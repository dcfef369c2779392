"""One source: what is new in it since the last reading, replayed, and written."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashkit.errors import DashkitError, FailedError, RefusedError
from dashkit.ingest.identity import normal
from dashkit.ingest.known import DEFAULT_PRIORITY, holders, known, plain, stored, unclaimed
from dashkit.ingest.replay import Replay, Tracked, Version
from dashkit.records import TaskList
from dashkit.sources import history
from dashkit.sources.files import real
from dashkit.store import backfill, events, projects, rows, sources

# What columns are called in a note.
_WORDS = {
    "checked": "box",
    "blocked_reason": "reason",
    "external_id": "id",
    "phase_id": "phase",
    "parent_id": "parent",
    "due_at": "due date",
}


@dataclass(frozen=True)
class Reading:
    """A source as it is now; `gone` where it is no longer there."""

    path: Path
    kind: str
    present: TaskList
    gone: bool = False


@dataclass
class Outcome:
    """What one reading did."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    versions: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Project:
    """A project in one run: what its sources share.

    Args:
        conn: the database, in the caller's transaction.
        project_id: the project.
        now: the time of the run, in the stored form.
        empty: it has no task yet, or none any more: everything is read from its beginning.
        deleted: titles, as `identity.normal` has them, of what users deleted.
        places: the repositories met so far.
        marks: the sources that held tasks, and how far they were read.
        claimed: the tasks that a source of this run has.
        names: the names of the sources of this run.
        with_history: also read the versions that git has.
        everything: no rule of a source leaves a record out.
        exclude: globs of what is left out of the folders that are read.
    """

    conn: sqlite3.Connection
    project_id: int
    now: str
    empty: bool = False
    deleted: frozenset[str] = frozenset()
    places: dict[Path, history.Place] = field(default_factory=dict)
    marks: dict[str, sources.Mark] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    with_history: bool = True
    everything: bool = False
    exclude: tuple[str, ...] = ()


class CatchUp:
    """Brings one source of a project up to date: `read`, then `write`."""

    def __init__(self, project: Project, reading: Reading) -> None:
        self.project, self.reading = project, reading
        self.conn, self.project_id, self.now = project.conn, project.project_id, project.now
        self.outcome = Outcome()
        self.place = self._locate()
        self.source, mark = self._source()
        self.mark = None if project.empty else mark
        project.names.add(self.source)
        self.known = sources.known(self.conn, self.project_id, self.source)
        self.images = {row["task_id"]: stored(row, "image", dict) for row in self.known}
        self.bad = 0
        # Without git the last reading of commits stays the one to go on from.
        self.reached = self.place.head if self.place else self.mark.commit if self.mark else None
        if self.mark and self.mark.kind not in (None, reading.kind) and not (reading.present.tasks or reading.gone):
            raise RefusedError(
                f"Cannot read {reading.path} as {reading.kind}",
                f"it was read as {self.mark.kind} before, and has no task of this kind",
                "Leave --format out, or name what it is.",
                path=reading.path,
            )
        self.replay = Replay(self._tracked(), self.mark.at if self.mark else None, project.deleted)

    def read(self) -> None:
        """Replay what is new."""
        for version in self._versions():
            self.replay.take(version)
        self.project.claimed |= {_id(one) for one in (*self.replay.live, *self.replay.gone) if one.image}

    def write(self) -> Outcome:
        """Write what the replay leaves; where nothing is new, nothing is written."""
        if self.replay.news:
            self._write(self.replay)
        self._remember(self.replay)
        self._tell(self.replay)
        return self.outcome

    def _locate(self) -> history.Place | None:
        try:
            return history.locate(self.reading.path, self.project.places)
        except DashkitError as error:
            self.outcome.notes.append(f"read without its history: {error.why}")
            return None

    def _source(self) -> tuple[str, sources.Mark | None]:
        """Its path in the repository; of a second repository in the project, with the name of its folder.

        Once it has a name it keeps it, also while git cannot be asked.
        """
        path = real(self.reading.path)
        for name, last in self.project.marks.items():
            if name not in self.project.names and path in (Path(name), last.place(name)):
                return name, last
        if self.place is None:
            return _text(path), sources.mark(self.conn, self.project_id, _text(path))
        inside = self.place.path
        names = [_text(name) for name in (inside, f"{self.place.root.name}:{inside}", path)]
        for source in names:
            if source in self.project.names:
                continue
            mark = sources.mark(self.conn, self.project_id, source)
            # A repository that is no longer where it was has moved here.
            if mark is None or mark.repository == str(self.place.repository) or not _exists(mark.repository):
                return source, mark
        return names[-1], None

    def _tracked(self) -> list[Tracked]:
        """What is known of this source, and the tasks that no source has claimed: it may speak of them."""
        tracked = [known(row, self.images[row["task_id"]]) for row in self.known]
        free = (row for row in sources.unclaimed(self.conn, self.project_id) if row["id"] not in self.project.claimed)
        return tracked + [unclaimed(row) for row in free]

    def _versions(self) -> Iterator[Version]:
        """The versions since the last reading, and what lies there now."""
        path, present = self.reading.path, self.reading.present
        follows = self.place is None and self.reached is not None
        if self.project.with_history and self.place:
            follows = yield from self._past(self.place)
        elif self.place and self.place.head and self.mark is None:
            self.outcome.notes.append("read without its past; later readings add what comes then, and not what was")
        self.outcome.versions += not self.reading.gone
        yield Version(present.tasks, self.now, f"file:{_text(path.name)}", present.phase, is_commit=not follows)

    def _past(self, place: history.Place) -> Generator[Version, None, bool]:
        """The commits since the last reading; whether the past was read up to the last one.

        Where git breaks off, what there is now is read all the same, and the next reading goes on from there.
        """
        since = self.mark.commit if self.mark else None
        if since is None and self.known:
            if place.head:
                self.outcome.notes.append("its tasks are known from a reading without history; their past is not added")
            self.replay.begin_anew()
            return False
        if since is not None and since != place.head and not history.is_ancestor(place, since):
            self.outcome.notes.append("the history of the repository is another one now; only the present is read")
            self.replay.begin_anew()
            return False
        read = history.reader(self.reading.kind, place.path, everything=self.project.everything)
        bad, reached = 0, since
        try:
            for old in history.versions(place, self.reading.kind, since):
                reached = old.sha
                if old.missing:
                    self.outcome.notes.append(
                        f"files of commit {old.sha[:10]} that are not in this clone, or too large: {old.missing:,}"
                    )
                if old.missing and not old.changes:
                    continue
                tasks = read(old.changes)
                self.bad, bad = self.bad + max(0, tasks.skipped - bad), tasks.skipped
                self.outcome.versions += 1
                yield Version(tasks.tasks, old.committed_at, f"git:{old.sha}", tasks.phase)
        except FailedError as error:
            self.outcome.notes.append(f"its past is not read to the end: {error.why}")
            self.reached = reached
        return True

    def _write(self, replay: Replay) -> None:
        tracked = [one for one in (*replay.live, *replay.gone) if one.image]
        was_live = {row["task_id"] for row in self.known if row["gone_at"] is None}
        new = [one for one in tracked if one.task_id is None]
        self._insert(new)
        late, edges = self._late(replay)
        if edges and not rows.columns(self.conn, "task_dependencies"):
            self.outcome.notes.append(f"dependencies without a table task_dependencies to keep them in: {len(edges):,}")
            edges = []
        clamped = events.record_late(self.conn, late, self.now, edges)
        updated = self._write_plain(tracked) | self._mend(replay)
        self._save(tracked)
        fresh = {_id(one) for one in new}
        lost = [one for one in tracked if one.gone_at is not None and (_id(one) in fresh or _id(one) in was_live)]
        gone = sorted(lost, key=lambda one: one.ordinal)
        self.outcome.added = len(new)
        self.outcome.changed = len(({event.task_id for event in late if event.op != events.GONE} | updated) - fresh)
        self.outcome.gone = len(gone)
        missed = [one for one in gone if _id(one) in was_live]
        if self.reading.gone and missed:
            self.outcome.notes.append(f"it is no longer there, and its tasks ({len(missed):,}) are kept")
        else:
            self.outcome.notes += [f"no longer in it, and kept: {one.title}" for one in missed]
        if clamped:
            self.outcome.notes.append(
                f"changes with a time out of order, which stand behind the one before: {clamped:,}"
            )

    def _late(self, replay: Replay) -> tuple[list[events.LateEvent], list[events.LateDependency]]:
        """What the replay found, as events; the first one of a task is whole."""
        whole = {"project_id": self.project_id, "complexity": None}
        late = [
            events.LateEvent(
                _id(change.tracked),
                change.op,
                change.occurred_at,
                change.not_before,
                change.values | whole if change.op in ("insert", "baseline") else change.values,
                change.source,
                change.on_day,
                change.said_completed_at,
                change.seen_at,
            )
            for change in replay.changes
        ]
        edges = [
            events.LateDependency(_id(one.tracked), _id(one.on), one.op, one.occurred_at, one.not_before, one.source)
            for one in replay.edges
        ]
        return late, edges

    def _insert(self, new: Sequence[Tracked]) -> None:
        if not new:
            return
        rows: list[dict[str, str | int | None]] = [
            {
                "title": one.title,
                "status": "pending",
                "checked": 0,
                "created_at": min(one.born_at or self.now, self.now),
                "updated_at": self.now,
            }
            for one in new
        ]
        with events.suspended(self.conn):
            for one, task_id in zip(new, projects.insert_each(self.conn, self.project_id, rows), strict=True):
                one.task_id = task_id

    def _mend(self, replay: Replay) -> set[int]:
        """Take in when tasks were completed that were known as done already: as a claim, which is recorded now."""
        said = {
            _id(one): (one.ended_at, before)
            for one, before in replay.mended.items()
            if one.ended_at and one.image["checked"] and "checked" not in one.owned
        }
        mended = events.mend_completions(self.conn, said)
        if mended:
            backfill.add(self.conn, self.now)
        return mended

    def _write_plain(self, tracked: Sequence[Tracked]) -> set[int]:
        """The columns without a history: each follows the source as long as no user changed it; whose did."""
        phases = projects.find_phases(self.conn, self.project_id)
        for name in dict.fromkeys(one.image["phase"] for one in tracked if one.image["phase"] is not None):
            if name not in phases:
                made = projects.insert_phase(self.conn, self.project_id, name, len(phases) + 1)
                phases |= {name: made} if made else {}
        changes: dict[int, dict[str, Any]] = defaultdict(dict)
        for one, column, value, is_users in self._differences(tracked, phases):
            if not is_users:
                changes[_id(one)][column] = value
        sources.update(self.conn, changes, self.now)
        return set(changes)

    def _differences(
        self, tracked: Sequence[Tracked], phases: dict[str, int]
    ) -> Iterator[tuple[Tracked, str, Any, bool]]:
        """Where a row without a history is not what the source says: column, the source's value, if a user made it so.

        A user made it so where the row is not what the source said before.
        """
        before_ids = holders((row["external_id"], row["gone_at"], row["task_id"]) for row in self.known)
        everyone = (*self.replay.live, *self.replay.gone)
        ids = holders((one.external_id, one.gone_at, _id(one)) for one in everyone if one.image)
        names = {row["task_id"]: row["external_id"] for row in self.known}
        for one in tracked:
            task_id = _id(one)
            image = self.images.get(task_id)
            before = plain(image or {}, names.get(task_id), phases, before_ids)
            row = one.row or {"priority": DEFAULT_PRIORITY}
            for column, value in plain(one.image, one.external_id, phases, ids).items():
                if one.row and column not in one.row:
                    continue  # a file of version 2.1 that was not migrated since an earlier commit has no such column
                there = row.get(column)
                if value != there:
                    yield one, column, value, there != before[column] and not (image is None and there is None)

    def _save(self, tracked: Sequence[Tracked]) -> None:
        # Of a task that came from another source the row is written in any case.
        had = {row["task_id"]: row for row in self.known if row["source"] == self.source}
        rows = []
        for one in tracked:
            image = one.image | {"accepted_at": one.accepted_at, "created_at": one.created_at}
            image |= {"former_ids": one.former_ids} if one.former_ids else {}
            image |= {"ended_at": one.ended_at} if one.ended_at else {}
            image |= {} if one.committed == one.image else {"committed": one.committed}
            row = {
                "task_id": _id(one),
                "external_id": one.external_id,
                "heading_path": json.dumps(one.headings, ensure_ascii=False),
                "title_norm": normal(one.title),
                "ordinal": one.ordinal,
                "image": json.dumps(image, ensure_ascii=False),
                "gone_at": None if one.gone_at is None else min(one.gone_at, self.now),
            }
            old = had.get(_id(one), {})
            if row != {key: value for key, value in old.items() if key in row}:
                rows.append(row | {"seen_at": self.now})
        sources.save(self.conn, self.source, rows)

    def _remember(self, replay: Replay) -> None:
        before = self.mark.repository if self.mark else None
        repository = str(self.place.repository) if self.place else before
        at = None if replay.last_at is None else min(replay.last_at, self.now)
        mark = sources.Mark(self.reached, repository, at, self.reading.kind)
        if mark != self.mark:
            sources.set_mark(self.conn, self.project_id, self.source, mark, self.now)

    def _tell(self, replay: Replay) -> None:
        notes = self.outcome.notes
        if self.bad:
            notes.append(f"records of old versions that were skipped (merge conflicts, broken lines): {self.bad:,}")
        if replay.stale:
            notes.append(
                f"records that were not newer than what was read before, and passed over: {len(replay.stale):,}"
            )
        notes += [f"{task.title}: a user deleted it here, and it stays deleted" for task in replay.withheld]
        yours = {one: [*one.owned] for one in replay.live if one.owned}
        for one, column, _, is_users in self._differences(
            replay.live, projects.find_phases(self.conn, self.project_id)
        ):
            if is_users:
                yours.setdefault(one, []).append(column)
        for one, columns in yours.items():
            words = " and ".join(dict.fromkeys(_WORDS.get(column, column) for column in columns))
            notes.append(f"{one.title}: the file says otherwise of its {words}, and what is here stays")
        twice = Counter(task.external_id for task in self.reading.present.tasks if task.external_id)
        notes += [
            f"the id {name} stands {count} times; the first task has it" for name, count in twice.items() if count > 1
        ]


def _text(name: str | Path) -> str:
    """A name of a file as text that can be stored, whatever its bytes are."""
    return str(name).encode("utf-8", "replace").decode()


def _id(tracked: Tracked) -> int:
    return tracked.task_id or 0


def _exists(path: str | None) -> bool:
    return path is not None and Path(path).exists()
