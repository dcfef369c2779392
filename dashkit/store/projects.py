"""Projects, and the rows that fill one: phases, tasks, dependencies.

Databases differ: a value whose column is not there is left out, whichever version made the table.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from dashkit.store import rows


def find_projects(conn: sqlite3.Connection, name: str) -> list[int]:
    """The ids of all projects of exactly this name, lowest first."""
    found = rows.read(conn, "SELECT id FROM projects WHERE name = :name ORDER BY id", {"name": name})
    return [row["id"] for row in found]


def count_tasks(conn: sqlite3.Connection, project_id: int) -> int:
    """How many tasks a project has."""
    sql = "SELECT count(*) AS n FROM tasks WHERE project_id = :project_id"
    found: int = rows.read(conn, sql, {"project_id": project_id})[0]["n"]
    return found


def find_phases(conn: sqlite3.Connection, project_id: int) -> dict[str, int]:
    """The phases of a project: name -> id; none in a database without phases."""
    if not has_phases(conn):
        return {}
    # main: the name alone is what `read` makes of the table, without the project.
    sql = "SELECT id, name FROM main.phases WHERE project_id = :project_id ORDER BY id DESC"
    return {row["name"]: row["id"] for row in rows.read(conn, sql, {"project_id": project_id})}


def insert_project(conn: sqlite3.Connection, name: str, created_at: str, description: str | None = None) -> int:
    """Add a project; its id."""
    values = {"name": name, "created_at": created_at}
    return _insert(conn, "projects", values if description is None else {**values, "description": description})


def insert_phase(conn: sqlite3.Connection, project_id: int, name: str, position: int) -> int | None:
    """Add a phase; its id, or None in a database without phases."""
    if not has_phases(conn):
        return None
    return _insert(conn, "phases", {"project_id": project_id, "name": name, "position": position})


def insert_tasks(conn: sqlite3.Connection, project_id: int, tasks: Sequence[Mapping[str, str | int | None]]) -> int:
    """Add tasks to a project; how many.

    Args:
        conn: the database.
        project_id: the project.
        tasks: column -> value, the same columns in each.
    """
    if not tasks:
        return 0
    full = [{**task, "project_id": project_id} for task in tasks]
    conn.cursor().executemany(_statement(conn, "tasks", full[0]), full)
    return len(full)


def insert_each(
    conn: sqlite3.Connection, project_id: int, tasks: Sequence[Mapping[str, str | int | None]]
) -> list[int]:
    """Add tasks to a project, the same columns in each; their ids."""
    if not tasks:
        return []
    statement, cursor = _statement(conn, "tasks", [*tasks[0], "project_id"]), conn.cursor()
    return [int(cursor.execute(statement, {**task, "project_id": project_id}).lastrowid or 0) for task in tasks]


def insert_dependencies(conn: sqlite3.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Add dependencies: (task, what it depends on)."""
    conn.cursor().executemany("INSERT INTO task_dependencies (task_id, depends_on_id) VALUES (?, ?)", pairs)


def has_phases(conn: sqlite3.Connection) -> bool:
    """Whether this database has a table for phases."""
    return rows.columns(conn, "phases") >= {"id", "project_id", "name"}


def _insert(conn: sqlite3.Connection, table: str, values: Mapping[str, str | int | None]) -> int:
    cursor = conn.cursor().execute(_statement(conn, table, values), values)
    return int(cursor.lastrowid or 0)


def _statement(conn: sqlite3.Connection, table: str, names: Iterable[str]) -> str:
    here = rows.columns(conn, table)
    kept = [name for name in names if name in here]
    values = ", ".join(f":{name}" for name in kept)
    # The names are the keys that this package writes: no text from outside becomes SQL.
    return f"INSERT INTO main.{table} ({', '.join(kept)}) VALUES ({values})"  # noqa: S608
