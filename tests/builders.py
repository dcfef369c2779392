"""Small databases for tests: real SQLite files, made from the schema files of the package."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dashkit

SCHEMA = Path(dashkit.__file__).parent / "schema"
# How many changes lead from version 1.0 to a version.
CHANGES = {"2.0": 19, "2.1": 98}
NEWEST = "2.1"


def v1_database(path: Path, projects: Iterable[str] = ("Alpha",), tasks: Iterable[Mapping[str, Any]] = ()) -> Path:
    """A database of version 1.0: projects by name, numbered from 1, and tasks by their columns."""
    return _database(path, "v1_0.sql", projects, tasks)


def v2_database(path: Path, projects: Iterable[str] = ("Alpha",), tasks: Iterable[Mapping[str, Any]] = ()) -> Path:
    """A database of version 2.0: projects by name, numbered from 1, and tasks by their columns."""
    return _database(path, "v2_0.sql", projects, tasks)


def v2_1_database(path: Path, projects: Iterable[str] = ("Alpha",), tasks: Iterable[Mapping[str, Any]] = ()) -> Path:
    """A database of version 2.1: projects by name, numbered from 1, and tasks by their columns; events are kept."""
    _database(path, "v2_1.sql", projects, tasks)
    insert(path, "event_context", id=1, suspended=0)
    return path


def insert(path: Path, table: str, /, **values: Any) -> None:
    """Insert one row, in a transaction of its own."""
    insert_all(path, [(table, values)])


def insert_all(path: Path, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Insert rows, each with the name of its table, in one transaction."""
    with closing(sqlite3.connect(path)) as conn, conn:
        for table, values in rows:
            _insert(conn, table, values)


def query(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, or none for a statement that changes something."""
    with closing(sqlite3.connect(path)) as conn, conn:
        return conn.execute(sql, values).fetchall()


def statements(sql: str) -> Iterable[str]:
    """The statements of a script, one by one."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _database(path: Path, schema: str, projects: Iterable[str], tasks: Iterable[Mapping[str, Any]]) -> Path:
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("BEGIN")  # one sync for the whole file
        for statement in statements((SCHEMA / schema).read_text(encoding="utf-8")):
            conn.execute(statement)
        for name in projects:
            # Without a time it was there at any instant that a test asks about.
            _insert(conn, "projects", {"name": name, "created_at": None})
        for task in tasks:
            _insert(conn, "tasks", {"project_id": 1, "title": "A task", **task})
    return path


def _insert(conn: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    marks = ", ".join("?" * len(values))
    conn.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
