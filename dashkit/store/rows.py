"""Reading and writing rows, whatever shape the database has.

A v1 database found in the world may lack columns and tables, and its text may be anything; here a missing
column is read as NULL and broken text as text, so that no query elsewhere has to care.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from dashkit import texts
from dashkit.errors import OutdatedError, RefusedError

Row = dict[str, Any]
Values = Mapping[str, Any]
Shape = Mapping[str, tuple[str, ...]]

_AT_ONCE = 1_000  # rows

# Without these a file is no Dashboard.
REQUIRED: Shape = {"projects": ("id", "name"), "tasks": ("id", "project_id", "title", "status")}

# What depends on what; and by what columns the tables of version 2.1 are told from those of another program that have
# the same names. Of each there is no more here than every file of that version has.
DEPENDENCY = ("task_id", "depends_on_id")
OURS: Shape = {
    "task_dependencies": DEPENDENCY,
    "task_sources": ("task_id", "source"),
    "task_events": ("event_id", "task_id", "occurred_at", "recorded_at", "op", "source"),
    "dependency_events": ("event_id", *DEPENDENCY, "op", "occurred_at", "recorded_at", "source"),
    "event_context": ("id", "suspended"),
    "git_repo_commits": ("repo_id", "sha"),
    "git_commit_paths": ("sha", "paths"),
    "llm_calls": ("id", "session_id"),
    "llm_prompts": ("id", "session_id"),
    "session_evidence": ("session_id", "kind", "value"),
    "commit_session_links": ("commit_sha", "session_id"),
    "checkpoints": ("key", "value", "updated_at"),
    "ingest_files": ("path", "size", "tail_digest"),
    "link_rejections": ("task_id", "commit_sha", "session_id"),
    "settings": ("scope", "key", "value"),
    "runs": ("id", "kind", "started_at", "finished_at", "outcome"),
}
# The values that are read as the whole number of a row, or as none; to be formatted with the column.
# A number is less than any text.
WHOLE = (
    "{0} < '' AND {0} = CAST({0} AS INTEGER) OR {0} IS NULL OR {0} = '' "
    "OR typeof({0}) = 'text' AND CAST(CAST({0} AS INTEGER) AS TEXT) = {0}"
)
_SHOWN = 60  # characters of an id in a message
_ORDINARY = "FROM main.sqlite_master WHERE type = 'table' AND rootpage > 0"  # neither a view nor a virtual table

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
    """The names of a table's stored columns in lower case; none if there is no such table.

    Nor are there any of what another program has under a name of OURS: a table that lacks ours, or a view.
    """
    return frozenset(_columns(conn, [table])[table])


def _columns(conn: sqlite3.Connection, tables: Collection[str]) -> dict[str, set[str]]:
    """The same of several tables, asked for at once: each function asks, whatever was there a moment ago."""
    sql = (
        "SELECT asked.key AS of, lower(found.name) AS name "  # noqa: S608 - of words of ours
        "FROM json_each(:tables) AS asked, pragma_table_info(asked.key, 'main') AS found "
        f"WHERE NOT asked.value OR EXISTS (SELECT 1 {_ORDINARY} AND lower(name) = asked.key)"
    )
    found: dict[str, set[str]] = {table: set() for table in tables}
    try:
        rows = fetch(conn, sql, {"tables": json.dumps({table: table in OURS for table in tables})})
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        # A view of what is gone.
        return found if len(found) == 1 else {table: _columns(conn, [table])[table] for table in tables}
    for row in rows:
        found[row["of"]].add(row["name"])
    return {table: here if here.issuperset(OURS.get(table, ())) else set() for table, here in found.items()}


@lru_cache
def affinity(declared: str) -> str:
    """The affinity of a declared type (sqlite.org/datatype3.html, section 3.1)."""
    declared = declared.upper()
    for words, result in (
        (("INT",), "INTEGER"),
        (("CHAR", "CLOB", "TEXT"), "TEXT"),
        (("BLOB",), "BLOB"),
        (("REAL", "FLOA", "DOUB"), "REAL"),
    ):
        if any(word in declared for word in words):
            return result
    return "NUMERIC" if declared else "BLOB"


def is_v2(conn: sqlite3.Connection) -> bool:
    """Whether everything is there that the functions of version 2.0 read and write."""
    return not _missing(_columns(conn, ADDED_IN_2_0), ADDED_IN_2_0)


def require(conn: sqlite3.Connection) -> None:
    """Refuse what is no Dashboard.

    Raises:
        RefusedError: projects or tasks lack a column that every Dashboard has, or have ids that are no whole numbers.
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
    require_whole_ids(conn, _name(conn))


def require_whole_ids(conn: sqlite3.Connection, name: str) -> None:
    """Refuse a Dashboard in which a task or a project has an id that is no whole number; `name` is for the message.

    Raises:
        RefusedError: there is such an id, or the column could hold no other.
    """
    found = {table: strange for table in REQUIRED if (strange := _strange_ids(conn, table))}
    if not found:
        return
    from dashkit.store import numbering  # a sound database needs none

    words = [table for table, (_, statement) in found.items() if not statement]
    statements = "; ".join(statement for _, statement in found.values() if statement)
    numbered = f"Run this SQL, which gives each of them a number of its own: `{statements};`."
    remedies = [numbered] if statements else []
    remedies += [numbering.advice(conn, words)] if words else []
    raise RefusedError(
        f"Cannot use {name}",
        f"{'; '.join(why for why, _ in found.values())}, and dashkit knows {' and '.join(found)} by whole numbers",
        f"Nothing was changed. {' '.join(remedies)} {texts.typed_into_sqlite3(name)}",
        table=next(iter(found)),
    )


def is_table(conn: sqlite3.Connection, name: str) -> bool:
    """Whether a name is that of an ordinary table, neither of a view nor of a virtual table."""
    sql = f"SELECT 1 {_ORDINARY} AND lower(name) = :name"
    return bool(fetch(conn, sql, {"name": name}))


def numbers_itself(conn: sqlite3.Connection, table: str) -> bool:
    """Whether the id of a table is SQLite's own row number: it is a whole number, and a new row gets one."""
    sql = """
        SELECT (SELECT count(*) = 1 AND max(lower(name)) = 'id' FROM pragma_table_info(:table, 'main') WHERE pk)
               AND NOT EXISTS (SELECT 1 FROM pragma_index_list(:table, 'main') WHERE origin = 'pk') AS its_own
        """
    return bool(fetch(conn, sql, {"table": table})[0]["its_own"])


def _strange_ids(conn: sqlite3.Connection, table: str) -> tuple[str, str] | None:
    """Why the ids of a table are no whole numbers, and the statement that mends it (none: empty); None: they are."""
    if numbers_itself(conn, table):
        return None
    # The names are of REQUIRED.
    sql = "SELECT type FROM pragma_table_info(:table, 'main') WHERE lower(name) = 'id'"
    declared = str(fetch(conn, sql, {"table": table})[0]["type"] or "")
    takes_numbers = affinity(declared) not in ("TEXT", "REAL")
    sql = f"SELECT count(*) AS n, total(id IS NULL) AS empty, min(quote(id)) AS one FROM main.{table} WHERE typeof(id) <> 'integer'"  # noqa: S608, E501
    found = fetch(conn, sql, {})[0]
    if found["n"] and found["n"] == found["empty"] and takes_numbers:
        told = "1 row has no id" if found["n"] == 1 else f"{found['n']:,} rows have no id"
        statement = f"UPDATE {table} SET id = rowid + (SELECT coalesce(max(id), 0) FROM {table}) WHERE id IS NULL"  # noqa: S608
        return f"in {table} {told}", statement
    if found["n"]:
        one = found["one"] if len(found["one"]) <= _SHOWN else f"{found['one'][:_SHOWN]}..."
        told = "1 row has an id" if found["n"] == 1 else f"{found['n']:,} rows have an id"
        return f"in {table} {told} that is no whole number, such as {one}", ""
    return None if takes_numbers else (f"{table}.id is declared {declared}, which holds no whole numbers", "")


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
