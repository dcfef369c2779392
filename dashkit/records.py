"""What crosses borders between modules: frozen records and closed vocabularies."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

Status = Literal["pending", "in_progress", "review", "blocked", "completed", "cancelled"]
Complexity = Literal["S", "M", "L", "XL"]
LinkType = Literal["explicit", "inferred", "manual"]

STATUSES: tuple[str, ...] = get_args(Status)
COMPLEXITIES: tuple[str, ...] = get_args(Complexity)
LINK_TYPES: tuple[str, ...] = get_args(LinkType)
SIZE_WEIGHTS = {"S": 1, "M": 2, "L": 3, "XL": 5}
UNSIZED = "M"  # a task without a size counts as one of this size


@dataclass(frozen=True)
class Task:
    """One task as a source tells it; what a source does not know is None or empty.

    `headings` is the path of headings above it, outermost first; `parent` and `depends_on` name other tasks of the
    source by external_id; timestamps are in the stored form.
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


@dataclass(frozen=True)
class Commit:
    """One commit as git tells it; timestamps in the stored form, a rename counts as removed and added."""

    sha: str
    author: str
    author_email: str
    message: str
    authored_at: str
    committed_at: str
    is_merge: bool
    files_changed: int
    insertions: int
    deletions: int
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
        left_out: what only looks like a record, such as the lines of a legend.
        notes: complaints.
        project_id: the project that the rows are in; None where they are in several.
        phases: how many phases the new tasks are in.
    """

    source: str
    added: int
    skipped: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()
    project_id: int | None = None
    phases: int = 0


@dataclass(frozen=True)
class Backup:
    """One backup file beside a database; the sequence orders them, never the clock."""

    path: Path
    sequence: int
    made_at: datetime | None


@dataclass(frozen=True)
class Check:
    """One verification: what was asked, whether it holds, what was found."""

    name: str
    ok: bool
    found: str
