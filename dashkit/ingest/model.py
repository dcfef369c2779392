"""The nouns of reading task files. All are frozen: what a step makes is never changed by another one.

Request    what is to be read                                        of the caller
Reading    one source as it lies there now                           discover
Project    what the database knows of the project                    load
Source     a reading, and all that the database and git know of it   load
Version    one state of a source; they come the oldest first         load
Replayed   what all versions of a source come to                     replay, then moved_tasks
Plan       what is to be written                                     plan, for apply
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from dashkit.records import DependencyChange, New, Task, TaskChange, TaskKey, TaskList
from dashkit.sources import obsidian
from dashkit.sources.history import Place
from dashkit.store.checkpoints import Checkpoint

# The columns of tasks that have a history and that a source writes.
WATCHED = ("title", "status", "checked", "blocked_reason")

Image = Mapping[str, Any]  # what one version of a source says of a task: column -> value
NOTHING: Image = MappingProxyType({})


@dataclass(frozen=True)
class Request:
    """What is to be read.

    Args:
        files: task files, Backlog.md folders, and folders in which task files are looked for.
        kind: the kind of the files, as `dashkit.sources.SOURCES` names it, or `auto`; in folders only files of this
            kind are read.
        now: the time of the run, in the stored form.
        with_history: read the versions that git has, too.
        everything: no rule leaves a record or a file out.
        exclude: globs of what is left out of folders.
    """

    files: tuple[Path, ...]
    kind: str
    now: str
    with_history: bool = True
    everything: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A source as it lies there now; `is_gone`: it was read before and is no longer there."""

    path: Path
    kind: str
    present: TaskList
    is_gone: bool = False


@dataclass(frozen=True)
class Found:
    """What a request leads to.

    Args:
        readings: the sources.
        folders: the folders that were searched as a whole.
        notes: the files that could not be read, and why.
        left_out: what was left out of the folders: reason -> how many.
    """

    readings: tuple[Reading, ...]
    folders: tuple[Path, ...]
    notes: tuple[str, ...]
    left_out: Mapping[str, int]


class Tracked(NamedTuple):
    """One task of a source, over all versions of the source; a tuple, which is cheap to replace at each change.

    Args:
        task: its id, or the stand-in for the id of a task that has no row yet.
        title: its title.
        external_id: the id that the source gives it.
        headings: the headings above it, the outermost first.
        created_at: when it was made, as the source says; an instant or a date.
        image: what the source said last; empty for a task that no source has claimed yet.
        committed: what the last commit said; None: it has no such task. The work tree may say something else.
        accepted_at: the time of the newest record that was taken; an older record takes nothing back.
        gone_at: since when it is no longer in its source; None: it is there. "" for a task that no source has claimed.
        owned: the columns that a user changed, with the user's values. What the source says of such a column changes
            nothing until both agree.
        ordinal: its place in the source.
        row: its row in the database before this run.
        former_ids: the ids that the source gave it before; old commits name it by them.
        ended_at: when the source says that it was completed, where its records have no other time of their own.
    """

    task: TaskKey
    title: str
    external_id: str | None = None
    headings: tuple[str, ...] = ()
    created_at: str | None = None
    image: Image = NOTHING
    committed: Image | None = None
    accepted_at: str | None = None
    gone_at: str | None = None
    owned: Mapping[str, Any] = NOTHING
    ordinal: int = 0
    row: Mapping[str, Any] | None = None
    former_ids: tuple[str, ...] = ()
    ended_at: str | None = None

    @property
    def planned(self) -> tuple[str, ...]:
        """The dates that its line said last; where an earlier version read it, its title holds them."""
        known = self.image.get("planned")
        return obsidian.read(self.title).planned if known is None else tuple(known)

    @property
    def status(self) -> str | None:
        """The status that the source gave it last."""
        return self.image.get("status")

    @property
    def is_claimed(self) -> bool:
        """Whether a source has it or had it; else a user or another program entered it."""
        return bool(self.image)


@dataclass(frozen=True)
class Project:
    """What the database knows of a project before this run.

    Args:
        id: its id; None: it is to be made.
        name: its name, where it is to be made.
        is_empty: it has no task; then every source is read from its beginning.
        deleted: the titles of tasks that users deleted, as `matching.normal` gives them; they do not come again.
        in_use: the sources that held tasks when they were read last, with their checkpoints.
        phases: name -> id; None: this database has no table for phases.
        keeps_dependencies: whether this database has our table for dependencies.
        unclaimed: the tasks that no source has claimed: a user or another program entered them.
    """

    id: int | None
    name: str
    is_empty: bool
    deleted: frozenset[str]
    in_use: Mapping[str, Checkpoint]
    phases: Mapping[str, int] | None
    keeps_dependencies: bool
    unclaimed: tuple[Tracked, ...]


@dataclass(frozen=True)
class Source:
    """A source with all that the database and git know of it.

    Args:
        reading: how it is now.
        name: what the database calls it: its path in the repository, or its full path.
        place: where it is in git; None: it is in no work tree, or git refuses to read the repository.
        checkpoint: where the last reading stopped; None: there was none.
        tracked: the tasks that it has or had.
        stored: their rows in `task_sources`, by task.
        reads_past: the commits since the checkpoint are read, before what lies there now.
        is_work_tree: what lies there now follows a commit that was read; where both are alike, it says nothing new.
        notes: what the user is told.
    """

    reading: Reading
    name: str
    place: Place | None
    checkpoint: Checkpoint | None
    tracked: tuple[Tracked, ...]
    stored: Mapping[int, Mapping[str, Any]]
    reads_past: bool
    is_work_tree: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """One state of a source.

    Args:
        tasks: its records. A record that is the very same object as in the version before has not changed.
        at: when it was made, in the stored form.
        source: where it comes from: `git:<sha>` or `file:<name>`.
        phase: gives the phase of a record.
        is_commit: a commit says only what differs from the commit before; a work tree says all that it holds.
        commit: its sha, where it is one.
        skipped: how many records were too broken to be read, and were not so in the version before.
    """

    tasks: Sequence[Task]
    at: str
    source: str
    phase: Callable[[Task], str | None] = lambda _: None
    is_commit: bool = True
    commit: str | None = None
    skipped: int = 0


@dataclass(frozen=True)
class Gap:
    """A version that cannot be read, or not all of it.

    Args:
        note: what the user is told.
        is_end: git breaks off here; the next reading goes on behind `commit`.
        commit: the last commit that was read.
    """

    note: str
    is_end: bool = False
    commit: str | None = None


@dataclass(frozen=True)
class Replayed:
    """What all versions of a source come to.

    Args:
        source: the source.
        before: its tasks before; a task that moved here from another source is among them.
        live: its tasks now, in their order.
        gone: the tasks that it had, the last to go first.
        changes: what happened to its tasks, in the order of the versions.
        dependencies: which dependencies came and went.
        last_at: the time of the newest version.
        commit: the commit up to which it is read now.
        has_news: whether any version said anything new; otherwise nothing is written.
        versions: how many versions were read.
        skipped: how many records of old versions were too broken to be read.
        stale: how many records were not newer than what had been read before, and changed nothing.
        withheld: the titles of the records that a user deleted here.
        mended: the done tasks that have another time of completion now, with the one that the source said before.
        notes: what the user is told.
    """

    source: Source
    before: tuple[Tracked, ...]
    live: tuple[Tracked, ...]
    gone: tuple[Tracked, ...]
    changes: tuple[TaskChange, ...]
    dependencies: tuple[DependencyChange, ...]
    last_at: str | None
    commit: str | None
    has_news: bool
    versions: int
    skipped: int
    stale: int
    withheld: tuple[str, ...]
    mended: Mapping[TaskKey, str | None]
    notes: tuple[str, ...]

    @property
    def tracked(self) -> tuple[Tracked, ...]:
        """All tasks that it has or had, without those that it only might have claimed."""
        return tuple(one for one in (*self.live, *self.gone) if one.is_claimed)


@dataclass(frozen=True)
class NewPhase:
    """A phase that has no row yet; it stands for the id that the row will get."""

    name: str


@dataclass(frozen=True)
class SourcePlan:
    """What is to be written of one source.

    Args:
        source: the source.
        tasks: the tasks that get a row.
        changes: what happened to tasks.
        dependencies: which dependencies came and went.
        phases: the names of the phases that get a row.
        columns: the columns without a history that change: task -> column -> value. A value may be a `New` or a
            `NewPhase`, which stands for its id.
        stored: the rows of `task_sources` that change; `task_id` may be a `New`.
        completions: when done tasks were completed, as the source says now, and what it said before.
        checkpoint: the checkpoint that is left; None: it stays as it is.
        changed: the tasks that change and were there before.
        gone: how many tasks are no longer in the source since the last reading.
        versions: how many versions were read.
        notes: what the user is told.
    """

    source: Source
    tasks: tuple[New, ...]
    changes: tuple[TaskChange, ...]
    dependencies: tuple[DependencyChange, ...]
    phases: tuple[str, ...]
    columns: Mapping[TaskKey, Mapping[str, Any]]
    stored: tuple[Mapping[str, Any], ...]
    completions: Mapping[TaskKey, tuple[str, str | None]]
    checkpoint: Checkpoint | None
    changed: frozenset[int]
    gone: int
    versions: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What only the writing of a plan tells.

    Args:
        project_id: the id of the project.
        out_of_order: of each source how many changes had an earlier time than the change before them, and therefore
            got a later one.
        completed: of each source the tasks whose time of completion the row took over.
    """

    project_id: int
    out_of_order: tuple[int, ...]
    completed: tuple[frozenset[int], ...]


@dataclass(frozen=True)
class Plan:
    """What a run is to write, source by source; `apply.write` writes it, and nothing else does."""

    project: Project
    now: str
    sources: tuple[SourcePlan, ...]
