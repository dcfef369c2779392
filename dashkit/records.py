"""What crosses borders between modules: frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashkit.vocabulary import Status


@dataclass(frozen=True)
class Task:
    """One task as a source tells it; what a source does not know is None or empty.

    `headings` is the path of headings above it, outermost first; `parent` and `depends_on` name other tasks of the
    source by external_id; timestamps are in the stored form; `completed_at` is when it was completed or cancelled, as
    the source says; `unknown_status` is the source's own word for the status where no table knows it (then `status`
    is pending); `deleted`: all that the source keeps of it is that it was deleted; `due_at` is when it is to be done;
    `planned` has the dates that its line says before the work is done, which tell tasks of one title apart;
    `unread_dates` has each date that is there and cannot be read, such as `created_at 'soon'`.
    """

    title: str
    status: Status = "pending"
    checked: bool = False
    headings: tuple[str, ...] = ()
    external_id: str | None = None
    blocked_reason: str | None = None
    line: int | None = None
    description: str | None = None
    priority: str | None = None
    kind: str | None = None
    labels: tuple[str, ...] = ()
    parent: str | None = None
    depends_on: tuple[str, ...] = ()
    created_at: str | None = None
    updated_at: str | None = None
    completed_at: str | None = None
    unknown_status: str | None = None
    deleted: bool = False
    due_at: str | None = None
    planned: tuple[str, ...] = ()
    unread_dates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skip:
    """A record that is no task: left out by a stated rule, or `bad`, too broken to keep."""

    reason: str
    bad: bool = False


@dataclass(frozen=True)
class TaskList:
    """What a source holds.

    Args:
        tasks: in the order of the source.
        title: the heading that stands above every task, if there is one.
        left_out_by: what only looks like a task, such as the lines of a legend: reason -> records.
        skipped: records too bad to keep, each with a note.
        notes: each complaint, with its place (`line 12: ...`); the file is named by who asked for it.
        unread_dates: each date that cannot be read, such as `created_at 'soon'`, and what names its place behind the
            path of the source: `, line 12` or, in a folder, `/tasks/one.md`.
    """

    tasks: tuple[Task, ...]
    title: str | None = None
    left_out_by: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    notes: tuple[str, ...] = ()
    unread_dates: tuple[tuple[str, str], ...] = ()

    @property
    def left_out(self) -> int:
        """How many records were left out by a rule, for whatever reason."""
        return sum(self.left_out_by.values())

    def phase(self, task: Task) -> str | None:
        """The phase of a task: its outermost heading below the title, else the title, else none."""
        path = task.headings
        below = path[1:] if self.title is not None else path
        return next(iter(below or path), None)


@dataclass(frozen=True)
class Commit:
    """One commit as git tells it; timestamps in the stored form, a rename counts as removed and added.

    A count is None where git cannot tell it: the parent or the files are not in this clone.
    """

    sha: str
    author: str
    author_email: str
    message: str
    authored_at: str
    committed_at: str
    is_merge: bool
    files_changed: int | None
    insertions: int | None
    deletions: int | None
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Words of a commit that name a task: the id, its role (closes, refs, mention, reverts), and where they stood."""

    external_id: str
    role: str
    rule: str
    words: str
    where: str


@dataclass(frozen=True)
class IngestSummary:
    """What one ingest did: counts, and each complaint with its file and line.

    Args:
        source: what was read: "tasks".
        added: new rows.
        skipped: records too bad to keep, each with a note.
        left_out_by: what only looks like a record, such as the lines of a legend: reason -> how many.
        notes: complaints.
        project_id: the project that the rows are in; None where they are in several.
        phases: how many phases the tasks are in.
        changed: rows that were there and changed.
        gone: what was there and is no longer in the source; it is kept.
        versions: how many versions of the source were read.
        files: how many files it was in.
        total: how many rows there are now, where that was counted.
    """

    source: str
    added: int
    skipped: int = 0
    left_out_by: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    project_id: int | None = None
    phases: int = 0
    changed: int = 0
    gone: int = 0
    versions: int = 0
    files: int = 0
    total: int = 0

    @property
    def left_out(self) -> int:
        """How many records were left out, for whatever reason."""
        return sum(self.left_out_by.values())


@dataclass(frozen=True)
class Check:
    """One verification: what was asked, whether it holds, what was found."""

    name: str
    ok: bool
    found: str
