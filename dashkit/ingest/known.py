"""What is known of a source's tasks, between the rows that keep it and what a replay works on."""

import json
from collections.abc import Iterable
from typing import Any

from dashkit.errors import RefusedError
from dashkit.ingest.replay import WATCHED, Tracked

DEFAULT_PRIORITY = "medium"  # of the column


def known(row: dict[str, Any], image: dict[str, Any]) -> Tracked:
    """A known task; a column is the user's where the row is not what the source said last."""
    task = row["row"]
    created_at, accepted_at = image.pop("created_at", None), image.pop("accepted_at", None)
    former_ids, ended_at = tuple(image.pop("former_ids", ())), image.pop("ended_at", None)
    committed = image.pop("committed", image)
    return Tracked(
        row["external_id"],
        image.get("title", task["title"]),
        tuple(stored(row, "heading_path", list)),
        created_at,
        image,
        row["task_id"],
        accepted_at,
        row["gone_at"],
        {
            column: _value(task, column)
            for column in WATCHED
            if column in image and _value(task, column) != image[column]
        },
        row["ordinal"] or 0,
        row=task,
        former_ids=former_ids,
        committed=committed,
        ended_at=ended_at,
    )


def stored(row: dict[str, Any], column: str, kind: type) -> Any:
    """What a reading left in a column of task_sources."""
    try:
        found = json.loads(row[column] or "null")
    except (TypeError, ValueError):
        found = ""
    if found is not None and not isinstance(found, kind):
        raise RefusedError(
            f"Cannot read what is known of task {row['task_id']}",
            f"task_sources.{column} holds what no reading has left there",
            f"Delete that row, `DELETE FROM task_sources WHERE task_id = {row['task_id']}`: the next reading finds the "  # noqa: S608 - for people
            "task by its title.",
            task_id=row["task_id"],
        )
    return kind() if found is None else found


def unclaimed(row: dict[str, Any]) -> Tracked:
    """A task of nobody's: found by its id and title; what it says is the user's until a source says the same."""
    owned = {column: _value(row, column) for column in WATCHED}
    return Tracked(row["external_id"], row["title"], task_id=row["id"], gone_at="", owned=owned, row=row)


def holders(named: Iterable[tuple[str | None, str | None, int]]) -> dict[str, int]:
    """Whom an id means, of (id, gone_at, task): one that is there, else the one that went last."""
    order = sorted(named, key=lambda one: (one[1] is None, one[1] or "", -one[2]))
    return {name: task_id for name, _, task_id in order if name}


def plain(
    image: dict[str, Any], external_id: str | None, phases: dict[str, int], ids: dict[str, int]
) -> dict[str, Any]:
    """The columns of tasks that an image means."""
    labels = image.get("labels") or []
    return {
        "external_id": external_id,
        "description": image.get("description"),
        "priority": image.get("priority") or DEFAULT_PRIORITY,
        "kind": image.get("kind"),
        "labels": json.dumps(labels, ensure_ascii=False) if labels else None,
        "due_at": image.get("due_at"),
        "phase_id": phases.get(image.get("phase") or ""),
        "parent_id": ids.get(image.get("parent") or ""),
    }


def _value(row: dict[str, Any], column: str) -> Any:
    return int(bool(row[column])) if column == "checked" else row[column]
