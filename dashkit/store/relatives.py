"""What stands around a task: what it is a part of, its parts, and what depends on what."""

import sqlite3
from dataclasses import dataclass

from dashkit.store import rows


@dataclass(frozen=True)
class Relative:
    """A task beside another one.

    Args:
        task_id: the number of its row.
        external_id: its id in its file; None: it has none.
        title: its title; None: it is not there.
        state: `done`, `gone` from its file, `cancelled`, `missing`, or else its status.
        is_open: it is none of these four.
    """

    task_id: int
    external_id: str | None
    title: str | None
    state: str
    is_open: bool


@dataclass(frozen=True)
class Relatives:
    """What a task is a part of (None: of nothing), its parts, what it depends on, and what depends on it."""

    parent: Relative | None
    parts: tuple[Relative, ...]
    depends_on: tuple[Relative, ...]
    needed_by: tuple[Relative, ...]


def of_task(conn: sqlite3.Connection, task_id: int) -> Relatives:
    """What stands around a task: open ones first, then by their numbers; any version of a Dashboard has its part."""
    parents, parts = [], []
    if "parent_id" in rows.columns(conn, "tasks"):
        parents = _read(
            conn, "SELECT parent_id AS id FROM main.tasks WHERE id = :id AND parent_id IS NOT NULL", task_id
        )
        parts = _read(conn, "SELECT id FROM main.tasks WHERE parent_id = :id", task_id)
    depends_on, needed_by = [], []
    if rows.columns(conn, "task_dependencies") >= {"task_id", "depends_on_id"}:
        sql = "SELECT {} AS id FROM main.task_dependencies WHERE {} = :id AND task_id <> depends_on_id"
        depends_on = _read(conn, sql.format("depends_on_id", "task_id"), task_id)
        needed_by = _read(conn, sql.format("task_id", "depends_on_id"), task_id)
    return Relatives(parents[0] if parents else None, *map(tuple, (parts, depends_on, needed_by)))


def _read(conn: sqlite3.Connection, ids: str, task_id: int) -> list[Relative]:
    """The tasks of a query for ids."""
    gone = "0"
    if "gone_at" in rows.columns(conn, "task_sources"):
        gone = "EXISTS (SELECT 1 FROM task_sources AS s WHERE s.task_id = t.id AND s.gone_at IS NOT NULL)"
    is_done = "t.checked IS TRUE" if rows.is_v2(conn) else "t.status IS 'completed'"
    found = rows.read(
        conn,
        f"SELECT r.id AS id, t.id IS NULL AS is_missing, t.external_id, t.title, t.status, "  # noqa: S608 - of here
        f"{is_done} AS is_done, {gone} AS is_gone FROM ({ids}) AS r LEFT JOIN tasks AS t ON t.id = r.id ORDER BY r.id",
        {"id": task_id},
    )
    return sorted(map(_relative, found), key=lambda one: not one.is_open)


def _relative(row: rows.Row) -> Relative:
    ended = [
        state
        for state, holds in (
            ("missing", row["is_missing"]),
            ("done", row["is_done"]),
            ("gone", row["is_gone"]),
            ("cancelled", row["status"] == "cancelled"),
        )
        if holds
    ]
    state = ended[0] if ended else row["status"] or "open"
    return Relative(int(row["id"]), row["external_id"], row["title"], state, not ended)
