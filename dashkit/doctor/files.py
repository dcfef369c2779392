"""Findings about the files beside the database: its backups, and what a run that was stopped left."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from dashkit import connection
from dashkit.doctor.findings import Finding
from dashkit.errors import DashkitError
from dashkit.migrations import backups
from dashkit.store import health, rows, tracking
from dashkit.texts import by_sqlite3


def recorded_backups(conn: sqlite3.Connection, path: Path) -> Finding:
    """Whether each backup that a migration recorded is there and can be opened."""
    recorded = {name: path.parent / name for name in health.recorded_backups(conn)}
    gone = [name for name, backup in recorded.items() if not backups.is_there(backup)]
    torn = [name for name, backup in recorded.items() if name not in gone and not _opens(backup)]
    if torn:
        copy = path.with_name(f"{path.stem}.copy.db")
        remedy = (
            f"There is no way back by it. Keep a copy of what is there now, "
            f"`{by_sqlite3(path, 'backup', copy)}`, and {_forget(conn, torn)}"
        )
        listed = ", ".join(str(recorded[name]) for name in torn)
        return Finding("backups", "wrong", f"cannot be read: {listed}", remedy)
    if gone:
        remedy = f"Put it back, if somebody may want to roll the migration back; else {_forget(conn, gone)}"
        listed = ", ".join(str(recorded[name]) for name in gone)
        return Finding("backups", "note", f"recorded, and gone: {listed}", remedy)
    if recorded:
        return Finding("backups", "good", f"{len(recorded)} recorded, and there")
    others = len(backups.found(path))
    return Finding("backups", "good", f"none is recorded, {others} beside the database" if others else "none yet")


def _forget(conn: sqlite3.Connection, names: list[str]) -> str:
    """What takes backups off the record."""
    table = tracking.table(conn)
    listed = ", ".join(rows.literal(name) for name in names)
    return f"run this SQL to forget it: `UPDATE {table} SET backup = NULL WHERE backup IN ({listed});`."  # noqa: S608 - for people


def _opens(backup: Path) -> bool:
    try:
        with closing(connection.connect_immutable(backup)) as conn:
            return bool(conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except (DashkitError, sqlite3.Error):
        return False


def unfinished(path: Path) -> Finding:
    """Backups that a run which was stopped left half made."""
    left = sorted(entry for entry in path.parent.iterdir() if _is_partial(entry.name, path.stem))
    if not left:
        return Finding("unfinished files", "good", "none")
    remedy = f"No program needs them. If no dashkit is running on the database: `rm -- {shlex.join(map(str, left))}`."
    return Finding("unfinished files", "note", ", ".join(entry.name for entry in left), remedy)


def _is_partial(name: str, stem: str) -> bool:
    kinds = (f".{stem}.{kind}_" for kind in (backups.BACKUP, backups.BEFORE_ROLLBACK))
    return name.startswith(tuple(kinds)) and ".partial" in name
