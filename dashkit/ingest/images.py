"""What one version of a source says of a task, as values of columns; and what of it is new. Pure."""

from collections.abc import Mapping
from typing import Any

from dashkit import times
from dashkit.ingest import matching
from dashkit.ingest.model import WATCHED, Image, Tracked, Version
from dashkit.records import Task
from dashkit.sources import obsidian

_IF_ANY = ("due_at", "planned")  # in an image only where the source says them: earlier images have no such names
_FINALITY = {"completed": 1, "cancelled": 2}  # of two records of one time the more final one counts


def image(record: Task, version: Version) -> dict[str, Any]:
    """What a record says: column -> value; it names the phase, the parent and the dependencies."""
    return {
        "title": record.title,
        "status": record.status,
        "checked": int(record.checked),
        "blocked_reason": record.blocked_reason,
        "phase": version.phase(record),
        "description": record.description,
        "priority": record.priority,
        "kind": record.kind,
        "labels": list(record.labels),
        "parent": record.parent,
        "depends_on": list(record.depends_on),
        **{name: value for name, value in (("due_at", record.due_at), ("planned", list(record.planned))) if value},
    }


def is_older(record: Task, known: Tracked) -> bool:
    """Whether a record is not newer than the last one of its task: a clone that was behind wrote it.

    Of two records of one time the more final one counts; of times of whole minutes or days, both may be true.
    """
    now, last = record.updated_at, known.accepted_at
    if now is None or last is None or times.is_before(last, now):
        return False
    if times.is_before(now, last):
        return True
    is_coarse = matching.is_coarse(now) or matching.is_coarse(last)
    return not is_coarse and _FINALITY.get(record.status, 0) <= _FINALITY.get(known.status or "", 0)


def after(record: Task, said: Image, known: Tracked, version: Version) -> Image:
    """What the source says of a known task after a version: of a commit only what differs from the commit before it.

    A record with a time of its own is newer than what was read before, and counts as it is.

    Args:
        record: the record in the version.
        said: what it says.
        known: the task before.
        version: the version.
    """
    if record.deleted and known.image.get("checked"):
        said = {**said, "status": known.image["status"], "checked": 1}  # it was done, and its record was cleaned up
    before = known.committed
    if not version.is_commit or before is None or record.updated_at is not None:
        return said
    found = {
        name: value if value != before.get(name) else known.image.get(name)
        for name, value in {**dict.fromkeys(_IF_ANY), **said}.items()
    }
    return {name: value for name, value in found.items() if value or name not in _IF_ANY}


def ended_at(record: Task) -> str | None:
    """When a record says that it was completed, where that is its only time: it may be added or mended later."""
    return record.completed_at if record.checked and record.updated_at is None else None


def lost_fields(before: str, now: str) -> bool:
    """Whether a title only lost the fields behind it, because an earlier version did not read them."""
    return obsidian.read(before).text.split() == now.split()


def changed(now: Image, known: Tracked) -> Mapping[str, Any]:
    """The columns with a history in which an image differs from the last one, but for those that a user changed."""
    return {
        column: now[column]
        for column in WATCHED
        if column not in known.owned and now[column] != known.image.get(column)
    }


def still_owned(now: Image, known: Tracked) -> Mapping[str, Any]:
    """The columns that a user changed and of which the source still says something else."""
    return {column: value for column, value in known.owned.items() if now[column] != value}
