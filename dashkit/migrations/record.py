"""The record of migrations: what it says, and the rows that a run adds to it.

Its table is `schema_migrations`. Where another migration tool has a table of that name, which stays as it is, it is
`dashkit_migrations`.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dashkit import times
from dashkit.migrations import shape
from dashkit.migrations.changes import CreateTable
from dashkit.migrations.findings import MISSING, Described, Finding
from dashkit.migrations.statements import run
from dashkit.store import tracking
from dashkit.version import __version__

TABLE = CreateTable(
    "schema_migrations",
    "Create schema_migrations table",
    "Created schema_migrations table",
    "schema_migrations",
    "version TEXT NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, checksum TEXT NOT NULL, "
    "duration_ms REAL, tool_version TEXT NOT NULL, backup TEXT, PRIMARY KEY (version, name)",
)


@dataclass(frozen=True)
class Record:
    """What a database has of it: its table, or the one to make, and how that was found.

    Args:
        table: its name.
        finding: whether it is there.
        checksums: of each recorded change, by version and name.
        adopted: those changes, by version and name, that no run made: they were there, and were recorded as they were.
        migrated_at: when the last run that made a backup was; None: there was none.
        backup: its backup, a name beside the database or a path.
    """

    table: str
    finding: Finding
    checksums: Mapping[tuple[str, str], str] = field(default_factory=dict)
    adopted: frozenset[tuple[str, str]] = frozenset()
    migrated_at: str | None = None
    backup: str | None = None

    @property
    def sql(self) -> str:
        """The statement that makes its table."""
        return replace(TABLE, table=self.table).sql

    def insert(
        self,
        conn: sqlite3.Connection,
        version: str,
        change: Described,
        now: datetime,
        seconds: float | None,
        backup: str | None,
    ) -> None:
        """One row of it; mending a change writes its row anew."""
        run(
            conn,
            f"INSERT OR REPLACE INTO main.{self.table} "
            "(version, name, applied_at, checksum, duration_ms, tool_version, backup) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                version,
                change.name,
                times.to_text(now),
                change.checksum,
                None if seconds is None else seconds * 1000,
                __version__,
                backup,
            ),
        )

    def rename_backup(self, conn: sqlite3.Connection, promised: str, name: str) -> None:
        """Correct the rows of this run: another migration took the backup's number in the meantime."""
        sql = f"UPDATE main.{self.table} SET backup = ? WHERE backup = ? OR backup LIKE '%/' || ?"
        run(conn, sql, (name, promised, promised))

    def has_run(self, conn: sqlite3.Connection, backup: str, now: datetime) -> bool:
        """Whether the run of this instant that made this backup was committed."""
        if self.finding.state != "there":
            return False
        sql = f"SELECT count(*) FROM main.{self.table} WHERE backup = ? AND applied_at = ?"
        return bool(conn.execute(sql, (backup, times.to_text(now))).fetchone()[0])

    def last_backup(self, conn: sqlite3.Connection) -> str | None:
        """The backup of the last row that has one."""
        if self.finding.state != "there":
            return None
        latest = shape.row_key(conn, self.table) or "applied_at"
        sql = f"SELECT backup FROM main.{self.table} WHERE typeof(backup) = 'text' ORDER BY {latest} DESC"
        row = conn.execute(sql).fetchone()
        return row[0] if row else None


def read(conn: sqlite3.Connection) -> Record:
    """The record of a database, as far as it can be read."""
    found = tracking.found(conn)
    if not found:
        name = tracking.new_table(conn)
        return Record(name or TABLE.table, replace(MISSING, notes=_beside(conn, name)) if name else _taken())
    table = found[-1]
    finding = _two(found) if len(found) > 1 else replace(TABLE, table=table).look(conn, recorded=True)
    if finding.state != "there":
        return Record(table, finding)
    finding = replace(finding, notes=(*finding.notes, *_beside(conn, table)))
    sql = f"SELECT version, name, checksum, applied_at, backup, duration_ms IS NULL FROM main.{table}"
    rows = conn.execute(sql).fetchall()
    # A BLOB in there is of no tool of ours: as text it is a version that we do not know.
    checksums = {(str(version), str(name)): str(checksum) for version, name, checksum, *_ in rows}
    adopted = frozenset((str(version), str(name)) for version, name, *_, is_adopted in rows if is_adopted)
    runs = [(str(applied_at), str(backup)) for *_, applied_at, backup, _ in rows if backup]
    return Record(table, finding, checksums, adopted, *max(runs, default=(None, None)))


def changes_of(conn: sqlite3.Connection, schema: str) -> set[str]:
    """The names of the changes that a database has on record."""
    table = tracking.table(conn, schema)
    return {str(name) for (name,) in conn.execute(f"SELECT name FROM {schema}.{table}")} if table else set()


def _beside(conn: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Where the record has the second of its names: whose the first one is."""
    usual = TABLE.table
    if table == usual or not shape.owner(conn, usual):
        return ()
    verb = "keeps" if shape.owner(conn, table) else "will keep"
    return (f"dashkit {verb} its record in {table}, because another tool uses {usual}",)


def _taken() -> Finding:
    usual, other = tracking.NAMES
    return Finding(
        "in the way",
        f"the names {usual} and {other}, of which dashkit needs one for its record, are both taken by other programs",
        remedy=f"Rename {other}, together with the program that uses it.",
    )


def _two(found: list[str]) -> Finding:
    return Finding(
        "in the way",
        f"there are two records of migrations, {' and '.join(found)}, and they may say different things",
        remedy="Rename the one that is out of date, such as to old_migrations.",
    )
