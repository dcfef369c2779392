"""Which table holds the record of migrations: another program may have one of the usual name, and keeps it."""

import sqlite3

NAMES = ("schema_migrations", "dashkit_migrations")
COLUMNS = frozenset({"version", "name", "applied_at", "checksum", "duration_ms", "tool_version", "backup"})


def found(conn: sqlite3.Connection, schema: str = "main") -> list[str]:
    """The tables of one of the names that are ours, by their columns; the one to use is the last.

    A table of another migration tool has other columns, and so has a view; either is left alone.
    """
    sql = f"SELECT 1 FROM {schema}.sqlite_master WHERE type = 'table' AND lower(name) = ?"  # noqa: S608 - main or backup
    columns = "SELECT lower(name) FROM pragma_table_info(?, ?)"
    return [
        name
        for name in NAMES
        if conn.execute(sql, (name,)).fetchone()
        and {column for (column,) in conn.execute(columns, (name, schema))} >= COLUMNS
    ]


def table(conn: sqlite3.Connection, schema: str = "main") -> str | None:
    """The table that holds the record of migrations; None: there is no record."""
    return next(reversed(found(conn, schema)), None)


def new_table(conn: sqlite3.Connection) -> str | None:
    """The name for a new one; None: other programs have both names."""
    taken = "SELECT 1 FROM main.sqlite_master WHERE type <> 'trigger' AND lower(name) = ?"
    return next((name for name in NAMES if not conn.execute(taken, (name,)).fetchone()), None)
