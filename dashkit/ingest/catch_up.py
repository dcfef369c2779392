"""One source: what is new in it since the last reading, replayed, and written."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashkit.errors import DashkitError
from dashkit.ingest.identity import normal
from dashkit.ingest.replay import WATCHED, Replay, Tracked, Version
from dashkit.records import TaskList
from dashkit.sources import history
from dashkit.sources.files import real
from dashkit.store import events, projects, sources

_DEFAULT_PRIORITY = "medium"  # of the column


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
        claimed: the tasks that a source of this run has.
        names: the names of the sources of this run.
        with_history: also read the versions that git has.
        everything: no rule of a source leaves a record out.
    """

    conn: sqlite3.Connection
    project_id: int
    now: str
    empty: bool = False
    deleted: frozenset[str] = frozenset()
    places: dict[Path, history.Place] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    with_history: bool = True
    everything: bool = False


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
        self.images = {row["task_id"]: json.loads(row["image"] or "{}") for row in self.known}
        self.bad = 0
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
        """Its path in the repository; of a second repository in the project, with the name of its folder."""
        if self.place is None:
            source = _text(real(self.reading.path))
            return source, sources.mark(self.conn, self.project_id, source)
        inside = self.place.path
        names = [_text(name) for name in (inside, f"{self.place.root.name}:{inside}", real(self.reading.path))]
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
        tracked = [_known(row, self.images[row["task_id"]]) for row in self.known]
        free = (row for row in sources.unclaimed(self.conn, self.project_id) if row["id"] not in self.project.claimed)
        return tracked + [_unclaimed(row) for row in free]

    def _versions(self) -> Iterator[Version]:
        """The versions since the last reading, and what lies there now."""
        path, present = self.reading.path, self.reading.present
        if self.project.with_history and self.place:
            yield from self._past(self.place)
        self.outcome.versions += not self.reading.gone
        yield Version(present.tasks, self.now, f"file:{_text(path.name)}", present.phase)

    def _past(self, place: history.Place) -> Iterator[Version]:
        since = self.mark.commit if self.mark else None
        if since is None and self.known:
            self.outcome.notes.append("its tasks are known from a reading without history; their past is not added")
            return
        if since is not None and since != place.head and not history.is_ancestor(place, since):
            self.outcome.notes.append("the history of the repository is another one now; only the present is read")
            return
        read = history.reader(self.reading.kind, place.path, everything=self.project.everything)
        bad = 0
        for old in history.versions(place, self.reading.kind, since):
            if old.missing:
                self.outcome.notes.append(
                    f"{old.missing} files of commit {old.sha[:10]} are not in this clone, or too large"
                )
            if old.missing and not old.changes:
                continue
            tasks = read(old.changes)
            self.bad, bad = self.bad + max(0, tasks.skipped - bad), tasks.skipped
            self.outcome.versions += 1
            yield Version(tasks.tasks, old.committed_at, f"git:{old.sha}", tasks.phase)

    def _write(self, replay: Replay) -> None:
        tracked = [one for one in (*replay.live, *replay.gone) if one.image]
        was_live = {row["task_id"] for row in self.known if row["gone_at"] is None}
        new = [one for one in tracked if one.task_id is None]
        self._insert(new)
        late, edges = self._late(replay)
        clamped = events.record_late(self.conn, late, self.now, edges)
        plain = self._write_plain(tracked)
        self._save(tracked)
        fresh = {_id(one) for one in new}
        lost = [one for one in tracked if one.gone_at is not None and (_id(one) in fresh or _id(one) in was_live)]
        gone = sorted(lost, key=lambda one: one.ordinal)
        self.outcome.added = len(new)
        self.outcome.changed = len(({event.task_id for event in late if event.op != events.GONE} | plain) - fresh)
        self.outcome.gone = len(gone)
        missed = [one for one in gone if _id(one) in was_live]
        if self.reading.gone and missed:
            self.outcome.notes.append(f"it is no longer there, and its tasks ({len(missed):,}) are kept")
        else:
            self.outcome.notes += [f"no longer in it, and kept: {one.title}" for one in missed]
        if clamped:
            self.outcome.notes.append(f"{clamped:,} changes had a time out of order, and stand behind the one before")

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

    def _write_plain(self, tracked: Sequence[Tracked]) -> set[int]:
        """The columns without a history: each follows the source as long as no user changed it; whose did."""
        phases = projects.find_phases(self.conn, self.project_id)
        for name in dict.fromkeys(one.image["phase"] for one in tracked if one.image["phase"] is not None):
            if name not in phases:
                made = projects.insert_phase(self.conn, self.project_id, name, len(phases) + 1)
                phases |= {name: made} if made else {}
        before_ids = {row["external_id"]: row["task_id"] for row in reversed(self.known) if row["external_id"]}
        ids = {one.external_id: _id(one) for one in reversed(tracked) if one.external_id}
        here = {row["task_id"]: row["row"] for row in self.known}
        changes: dict[int, dict[str, Any]] = {}
        for one in tracked:
            task_id = _id(one)
            before = _plain(self.images.get(task_id, {}), here.get(task_id, {}).get("external_id"), phases, before_ids)
            after = _plain(one.image, one.external_id, phases, ids)
            row = one.row or {"priority": _DEFAULT_PRIORITY}
            differs = {column: value for column, value in after.items() if value != row.get(column)}
            values = {column: value for column, value in differs.items() if row.get(column) in (before[column], None)}
            if values:
                changes[task_id] = values
            yours = [column for column in differs if column not in values and after[column] != before[column]]
            self.outcome.notes += [f"{one.title}: another {column} is in the file, and yours stays" for column in yours]
        sources.update(self.conn, changes, self.now)
        return set(changes)

    def _save(self, tracked: Sequence[Tracked]) -> None:
        # Of a task that came from another source the row is written in any case.
        had = {row["task_id"]: row for row in self.known if row["source"] == self.source}
        rows = []
        for one in tracked:
            image = one.image | {"accepted_at": one.accepted_at, "created_at": one.created_at}
            image |= {"former_ids": one.former_ids} if one.former_ids else {}
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
        head = self.place.head if self.place else None
        repository = str(self.place.repository) if self.place else None
        at = None if replay.last_at is None else min(replay.last_at, self.now)
        mark = sources.Mark(head, repository, at, self.reading.kind)
        if mark != self.mark:
            sources.set_mark(self.conn, self.project_id, self.source, mark, self.now)

    def _tell(self, replay: Replay) -> None:
        notes = self.outcome.notes
        if self.bad:
            notes.append(f"{self.bad:,} records of old versions were skipped (merge conflicts, broken lines)")
        if replay.stale:
            notes.append(f"{len(replay.stale):,} records were older than what was read before, and passed over")
        notes += [f"{task.title}: a user deleted it here, and it stays deleted" for task in replay.withheld]
        for one in replay.live:
            for column, value in one.owned.items():
                there = one.image.get(column)
                notes.append(f"{one.title}: {column} is {there!r} in the file and {value!r} here, which stays")
        twice = Counter(task.external_id for task in self.reading.present.tasks if task.external_id)
        notes += [
            f"the id {name} stands {count} times; the first task has it" for name, count in twice.items() if count > 1
        ]


def _known(row: dict[str, Any], image: dict[str, Any]) -> Tracked:
    """A known task; a column is the user's where the row is not what the source said last."""
    task = row["row"]
    return Tracked(
        row["external_id"],
        image.get("title", task["title"]),
        tuple(json.loads(row["heading_path"] or "[]")),
        image.pop("created_at", None),
        image,
        row["task_id"],
        image.pop("accepted_at", None),
        row["gone_at"],
        {
            column: _value(task, column)
            for column in WATCHED
            if column in image and _value(task, column) != image[column]
        },
        row["ordinal"] or 0,
        row=task,
        former_ids=tuple(image.pop("former_ids", ())),
    )


def _unclaimed(row: dict[str, Any]) -> Tracked:
    """A task of nobody's: found by its id and title; what it says is the user's until a source says the same."""
    owned = {column: _value(row, column) for column in WATCHED}
    return Tracked(row["external_id"], row["title"], task_id=row["id"], gone_at="", owned=owned, row=row)


def _plain(
    image: dict[str, Any], external_id: str | None, phases: dict[str, int], ids: dict[str, int]
) -> dict[str, Any]:
    """The columns of tasks that an image means."""
    labels = image.get("labels") or []
    return {
        "external_id": external_id,
        "description": image.get("description"),
        "priority": image.get("priority") or _DEFAULT_PRIORITY,
        "kind": image.get("kind"),
        "labels": json.dumps(labels, ensure_ascii=False) if labels else None,
        "phase_id": phases.get(image.get("phase") or ""),
        "parent_id": ids.get(image.get("parent") or ""),
    }


def _value(row: dict[str, Any], column: str) -> Any:
    return int(bool(row[column])) if column == "checked" else row[column]


def _text(name: str | Path) -> str:
    """A name of a file as text that can be stored, whatever its bytes are."""
    return str(name).encode("utf-8", "replace").decode()


def _id(tracked: Tracked) -> int:
    return tracked.task_id or 0


def _exists(path: str | None) -> bool:
    return path is not None and Path(path).exists()
