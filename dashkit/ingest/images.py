"""What a source says of a task, as it is remembered between readings."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dashkit.records import Task
from dashkit.sources import obsidian

# In an image only where the source says it: images of earlier readings have no such names.
_IF_ANY = ("due_at", "planned")


class Remembered(Protocol):
    """A task by what its source said last, and what the last commit said of it."""

    image: dict[str, Any]
    committed: dict[str, Any] | None


class Reading(Protocol):
    """A version of a source."""

    @property
    def phase(self) -> Callable[[Task], str | None]:
        """The phase of a task in it."""

    @property
    def is_commit(self) -> bool:
        """Whether only what is not as in the commit before is news."""


def image(task: Task, version: Reading) -> dict[str, Any]:
    """What a record says, in values of JSON."""
    return {
        "title": task.title,
        "status": task.status,
        "checked": int(task.checked),
        "blocked_reason": task.blocked_reason,
        "phase": version.phase(task),
        "description": task.description,
        "priority": task.priority,
        "kind": task.kind,
        "labels": list(task.labels),
        "parent": task.parent,
        "depends_on": list(task.depends_on),
        **{name: value for name, value in (("due_at", task.due_at), ("planned", list(task.planned))) if value},
    }


def news(known: Remembered, task: Task, version: Reading) -> dict[str, Any]:
    """What a version says of a known task; what a commit says like the one before is no news.

    A record with a time of its own is known to be newer than what was read before, and counts as it is.
    """
    said, before = image(task, version), known.committed
    if task.deleted and known.image.get("checked"):
        said |= {"status": known.image["status"], "checked": 1}  # it was done, and only its record was cleaned up
    if not version.is_commit or before is None or task.updated_at is not None:
        return said
    found = {
        name: value if value != before.get(name) else known.image.get(name)
        for name, value in (dict.fromkeys(_IF_ANY) | said).items()
    }
    return {name: value for name, value in found.items() if value or name not in _IF_ANY}


def planned(known: Mapping[str, Any], title: str) -> tuple[str, ...]:
    """The dates that a line said before its work was done; earlier readings left them in the title."""
    found = known.get("planned")
    return obsidian.read(title).planned if found is None else tuple(found)


def ended_at(task: Task) -> str | None:
    """When a record says that it was completed, where that is its only time: it can be added, or mended, later."""
    return task.completed_at if task.checked and task.updated_at is None else None
