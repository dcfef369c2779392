"""What version 1's own keys did when a row was deleted, and do no more since another program made a table anew.

What a key did before is in the backup that the first migration recorded. Without that backup nothing is known of it,
and a key that never did anything has lost nothing.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from dashkit import connection
from dashkit.errors import DashkitError
from dashkit.migrations import backups, lost, shape
from dashkit.migrations.lost import Lost
from dashkit.store import rows, tracking

_KEYS = {"tasks": ("project_id", "phase_id"), "phases": ("project_id",), "task_dependencies": rows.DEPENDENCY}
_DOING = ("CASCADE", "SET NULL", "SET DEFAULT")


def find(conn: sqlite3.Connection, path: Path) -> tuple[Lost, ...]:
    """What keys of a database that was migrated have lost since; `path` is where it lies, with its backups."""
    doubtful = [table for table, columns in _KEYS.items() if _lacks_actions(conn, table, columns)]
    backup = _first_backup(conn, path.resolve()) if doubtful else None
    if backup is None:
        return ()
    with suppress(DashkitError, sqlite3.Error), closing(connection.connect_immutable(backup)) as before:
        return tuple(
            one
            for table in doubtful
            if shape.columns(before, table)
            for one in lost.keys_of(conn, before, table, _KEYS[table])
            if one.clause.endswith(_DOING)
        )
    return ()  # `dashkit doctor` names a backup that cannot be read


def _lacks_actions(conn: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> bool:
    here = shape.columns(conn, table)
    doing = {column for column, _, action in shape.foreign_keys(conn, table) if action in _DOING}
    return any(column in here and column not in doing for column in columns)


def _first_backup(conn: sqlite3.Connection, path: Path) -> Path | None:
    """The oldest backup on record that is there."""
    table = tracking.table(conn)
    if table is None:
        return None
    sql = f"SELECT backup FROM main.{table} WHERE typeof(backup) = 'text' GROUP BY backup ORDER BY min(applied_at)"
    recorded = (path.parent / name for (name,) in conn.execute(sql).fetchall())
    return next((backup for backup in recorded if backups.is_there(backup)), None)
