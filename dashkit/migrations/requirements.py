"""What a database has to be before anything is planned on it."""

import sqlite3
from pathlib import Path

from dashkit import texts
from dashkit.errors import RefusedError
from dashkit.migrations import record, shape
from dashkit.migrations.findings import THERE, Finding, counted
from dashkit.store import parents, rows

# What points to other rows in a version 1 database, and the keys of phases: read as whole numbers.
_REFERENCES = {"tasks": ("project_id", "phase_id"), "phases": ("id",)}
_PARENTS = {"project_id": "projects", "phase_id": "phases"}


def require_dashboard(conn: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is no Dashboard, before anything is planned on it.

    Raises:
        RefusedError: projects or tasks is not there as a table with its columns and whole numbers as ids.
    """
    for table, wanted in rows.REQUIRED.items():
        _, _, sql = shape.owner(conn, table) or ("", "", None)
        if why := _unfit(conn, table, wanted):
            raise RefusedError(
                f"Cannot use {path}",
                why,
                "Name a Dashboard database; `dashkit sample PATH` makes one to try.",
                path=path,
            )
        if table == "tasks" and "strict" in shape.options(sql or "") and "checked" not in shape.columns(conn, table):
            raise RefusedError(
                f"Cannot use {path}",
                f"{table} is a STRICT table, and SQLite adds no BOOLEAN column to such a table",
                "Run `ALTER TABLE tasks ADD COLUMN checked INTEGER DEFAULT 0` on it first: dashkit adopts that column.",
                path=path,
                table=table,
            )
    rows.require_whole_ids(conn, str(path))
    for table in rows.REQUIRED:
        if frozenset({"id"}) not in shape.keys(conn, table):
            raise _without_key(conn, path, table)


def _unfit(conn: sqlite3.Connection, table: str, wanted: tuple[str, ...]) -> str:
    """Why a table is none of a Dashboard's; empty where it is one."""
    found = shape.owner(conn, table)
    if not found:
        return f"it is no Dashboard: there is no table {table}"
    kind = "virtual table" if "virtual" in shape.tokens(found[2] or "")[:3] else found[0]
    if kind != "table":
        return f"{table} is a {kind}, not an ordinary table"
    columns = shape.columns(conn, table)
    for column in wanted:
        if column not in columns:
            return f"it is no Dashboard: {table} has no column {column}"
        if columns[column].generated:
            return f"{table}.{column} is a generated column, and dashkit has to write to it"
    return ""


def _without_key(conn: sqlite3.Connection, path: Path, table: str) -> RefusedError:
    """A table that another program made anew without its key: what makes the ids one again, and loses no row."""
    doubles = f"id IS NOT NULL AND rowid NOT IN (SELECT min(rowid) FROM {table} GROUP BY id)"
    count, example = conn.execute(f"SELECT count(*), min(id) FROM {table} WHERE {doubles}").fetchone()
    statements = [f"CREATE UNIQUE INDEX dashkit_{table}_id ON {table} (id)"]
    why, does = f"{table}.id is not its key, so no other table could point to it", "makes it the key again"
    if count:
        rest = f"{counted(count, 'rows')} {'has' if count == 1 else 'have'} the id of another row, such as {example}"
        why = f"{why}; {rest}"
        every = f"SELECT * FROM {table}"
        alike = f"SELECT (SELECT count(*) FROM {table}) - (SELECT count(*) FROM ({every} UNION {every}))"
        if conn.execute(alike).fetchone()[0] == count:
            statements.insert(0, f"DELETE FROM {table} WHERE {doubles}")
            does = f"deletes what is there a second time ({counted(count, 'rows')}), and {does}"
        else:
            number = f"rowid + (SELECT max(id) FROM {table})"
            statements.insert(0, f"UPDATE {table} SET id = {number} WHERE {doubles}")
            does = f"gives a new id to each of those, as they differ ({counted(count, 'rows')}), and {does}"
    backup = record.read(conn).backup
    known = f" The backup of the last migration, {backup}, has the table as it was." if backup else ""
    remedy = f"Nothing was changed. Run this SQL, which {does}: `{'; '.join(statements)};`.{known}"
    return RefusedError(f"Cannot use {path}", why, f"{remedy} {texts.typed_into_sqlite3(path)}", path=path, table=table)


def references(conn: sqlite3.Connection) -> Finding:
    """Whether the columns that point to other rows hold whole numbers, or nothing.

    What was migrated goes on: one that is written later is a matter for `dashkit doctor`.
    """
    found = unread(conn)
    if not found:
        return THERE
    why = "; ".join(f"{column} holds {odd}, and dashkit reads whole numbers there" for column, odd in found.items())
    statements: list[str] = []
    for table, column in (one.split(".") for one in found):
        parent = None if _are_digits(conn, table, column) else _PARENTS.get(column)
        sql = parents.by_word(conn, table, column, parent) if parent else ()
        if not sql:
            return Finding("in the way", why, remedy="Put the id of a row in the place of each.")
        statements += sql
    remedy = (
        "This SQL makes each of them name the row of that name, and makes one where there is none: "
        f"`{'; '.join(statements)};`."
    )
    return Finding("in the way", why, remedy=remedy)


def _are_digits(conn: sqlite3.Connection, table: str, column: str) -> bool:
    """Whether what is no whole number looks like one all the same, such as '01' and 1.5: people know what it means."""
    text = f"CAST({column} AS TEXT)"
    odd = f"NOT ({rows.WHOLE.format(column)}) AND {text} GLOB '[0-9]*'"
    return bool(conn.execute(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {odd})").fetchone()[0])


def unread(conn: sqlite3.Connection) -> dict[str, shape.Odd]:
    """Those of the columns that point to other rows, each as `table.column`, that hold anything else than numbers."""
    if record.read(conn).checksums:
        return {}
    found = {}
    for table, wanted in _REFERENCES.items():
        here = [column for column in wanted if column in shape.columns(conn, table)]
        if not here or _hold_numbers(conn, table, here):
            continue
        for column in here:
            if (odd := shape.outside(conn, table, column, rows.WHOLE.format(column))).count:
                found[f"{table}.{column}"] = odd
    return found


def _hold_numbers(conn: sqlite3.Connection, table: str, here: list[str]) -> bool:
    """Whether some columns hold nothing but whole numbers and NULL: of anything else the sum is no whole number.

    A column that keeps texts of digits may hold others too.
    """
    if any(shape.columns(conn, table)[column].affinity not in ("INTEGER", "NUMERIC") for column in here):
        return False
    sums = ", ".join(f"typeof(sum({column}))" for column in here)
    try:
        kinds = conn.execute(f"SELECT {sums} FROM {table}").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return False  # the sum is too large
    return {*kinds} <= {"integer", "null"}
