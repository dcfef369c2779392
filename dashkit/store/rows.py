"""Reading and writing rows, whatever shape the database has.

A v1 database found in the world may lack columns and tables, and its text may be anything; here a missing
column is read as NULL and broken text as text, so that no query elsewhere has to care.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dashkit.errors import OutdatedError, RefusedError

Row = dict[str, Any]
Values = Mapping[str, Any]
Shape = Mapping[str, tuple[str, ...]]

_AT_ONCE = 1_000  # rows

# Without these a file is no Dashboard.
REQUIRED: Shape = {"projects": ("id", "name"), "tasks": ("id", "project_id", "title", "status")}

# What version 2.0 adds, as far as a row of it is read or written.
ADDED_IN_2_0: Shape = {
    "tasks": ("checked", "blocked_reason", "complexity", "updated_at"),
    "git_repos": ("id", "project_id"),
    "git_commits": ("sha", "repo_id", "author", "message", "timestamp"),
    "llm_sessions": ("id", "project_id", "summary", "message_count", "started_at"),
    "task_commit_links": ("id", "task_id", "commit_sha", "confidence", "link_type", "evidence", "created_at"),
    "task_session_links": (
        "id",
        "task_id",
        "session_id",
        "confidence",
        "link_type",
        "evidence",
        "created_at",
    ),
}

# What `read` promises to be there.
ADOPTED: Shape = {
    "projects": REQUIRED["projects"],
    "phases": ("id", "name"),
    "tasks": (
        *REQUIRED["tasks"],
        *("phase_id", "description", "priority", "created_at", "completed_at", "external_id"),
        *ADDED_IN_2_0["tasks"],
    ),
}


def read(conn: sqlite3.Connection, sql: str, values: Values | None = None) -> list[Row]:
    """The rows of a SELECT as dicts, whatever row and text factories the connection has.

    In `sql` the tables of ADOPTED have all their columns there, NULL where this database lacks them. Text
    that is no UTF-8, and blobs where text is expected, come as text with replacement characters.
    """
    # A WITH clause because a TEMP view needs a writable connection and would stay behind on the caller's.
    named = [table for table in ADOPTED if table in sql]
    here = _columns(conn, named)
    adopted = ", ".join(_adopted(table, here[table]) for table in named)
    return fetch(conn, f"WITH {adopted} {sql}" if named else sql, values or {})


def write(conn: sqlite3.Connection, sql: str, values: Values) -> int:
    """Run one statement that writes; how many rows it touched."""
    return conn.cursor().execute(sql, _bindable(values)).rowcount


def columns(conn: sqlite3.Connection, table: str) -> frozenset[str]:
    """The names of a table's stored columns in lower case; none if there is no such table."""
    return frozenset(_columns(conn, [table])[table])


def _columns(conn: sqlite3.Connection, tables: Collection[str]) -> dict[str, set[str]]:
    """The same of several tables, asked for at once: each function asks, whatever was there a moment ago."""
    sql = (
        "SELECT asked.value AS of, lower(found.name) AS name "
        "FROM json_each(:tables) AS asked, pragma_table_info(asked.value, 'main') AS found"
    )
    found: dict[str, set[str]] = {table: set() for table in tables}
    for row in fetch(conn, sql, {"tables": json.dumps(list(tables))}):
        found[row["of"]].add(row["name"])
    return found


def is_v2(conn: sqlite3.Connection) -> bool:
    """Whether everything is there that the functions of version 2.0 read and write."""
    return not _missing(_columns(conn, ADDED_IN_2_0), ADDED_IN_2_0)


def require(conn: sqlite3.Connection) -> None:
    """Refuse what is no Dashboard.

    Raises:
        RefusedError: projects or tasks lack a column that every Dashboard has.
    """
    _require(conn, _columns(conn, REQUIRED))


def _require(conn: sqlite3.Connection, here: Mapping[str, Collection[str]]) -> None:
    if missing := _missing(here, REQUIRED):
        raise RefusedError(
            f"Cannot use {_name(conn)}",
            f"it is no Dashboard: it lacks {_listed(missing)}",
            "Name the Dashboard's own file; `dashkit sample PATH` makes one to try.",
            missing=missing,
        )


def require_v2(conn: sqlite3.Connection) -> None:
    """Refuse what is no Dashboard of version 2.0 or newer.

    Raises:
        RefusedError: it is no Dashboard.
        OutdatedError: it is one, and has to be migrated first.
    """
    here = _columns(conn, {**REQUIRED, **ADDED_IN_2_0})
    _require(conn, here)
    if missing := _missing(here, ADDED_IN_2_0):
        raise OutdatedError(
            f"Cannot do this with {_name(conn)}",
            f"it needs version 2.0 of the schema, and the database lacks {_listed(missing)}",
            "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
            missing=missing,
        )


def _adopted(table: str, here: Collection[str]) -> str:
    if not here:
        nothing = ", ".join(f"NULL AS {column}" for column in ADOPTED[table])
        return f"{table} AS (SELECT {nothing} WHERE FALSE)"
    chosen = ", ".join(_column(column, column in here) for column in ADOPTED[table])
    # The names are of ADOPTED, a closed list: no text from outside becomes SQL.
    return f"{table} AS (SELECT {chosen} FROM main.{table})"  # noqa: S608


def _column(column: str, here: bool) -> str:
    if not here:
        return f"NULL AS {column}"
    # The plus hides a declared type (TIMESTAMP), for which the caller's connection may have a converter.
    return f"+{column} AS {column}" if column.endswith("_at") else column


def fetch(conn: sqlite3.Connection, sql: str, values: Values) -> list[Row]:
    """The rows of a SELECT as `read` gives them, where every column that it names is there."""
    return list(each(conn, sql, values))


def each(conn: sqlite3.Connection, sql: str, values: Values) -> Iterator[Row]:
    """The same rows one by one, for more of them than are to be held; nothing may be written meanwhile."""
    cursor = conn.cursor()
    cursor.row_factory = None
    with _undecoded(conn):
        cursor.execute(sql, _bindable(values))
        some = cursor.fetchmany(_AT_ONCE)
    names = [column[0] for column in cursor.description]
    while some:
        for row in some:
            decoded = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in row]
            yield dict(zip(names, decoded, strict=True))
        with _undecoded(conn):
            some = cursor.fetchmany(_AT_ONCE)


@contextmanager
def _undecoded(conn: sqlite3.Connection) -> Iterator[None]:
    """Let text come as bytes; afterwards the connection is as it was."""
    before = conn.text_factory
    conn.text_factory = bytes
    try:
        yield
    finally:
        conn.text_factory = before


def literal(text: str) -> str:
    """A text as a literal in a statement that people copy: by its characters where one of them does not show."""
    if text.isprintable() and "`" not in text:
        return "'" + text.replace("'", "''") + "'"
    return f"char({', '.join(str(ord(char)) for char in text)})"


def _bindable(values: Values) -> dict[str, Any]:
    # A lone surrogate (a command line that is no UTF-8) cannot be stored.
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in values.items()
    }


def _missing(here: Mapping[str, Collection[str]], shape: Shape) -> tuple[str, ...]:
    """`table` for each table of `shape` that is not there, `table.column` for each column."""

    def lacking() -> Iterable[str]:
        for table, wanted in shape.items():
            has = here[table]
            yield from (f"{table}.{column}" for column in wanted if column not in has) if has else [table]

    return tuple(lacking())


def _listed(missing: tuple[str, ...]) -> str:
    more = len(missing) - 3
    return ", ".join(missing[:3]) + (f" and {more} more" if more > 0 else "")


def _name(conn: sqlite3.Connection) -> str:
    rows = fetch(conn, "SELECT file FROM pragma_database_list WHERE name = 'main'", {})
    return rows[0]["file"] or "the database in memory"
