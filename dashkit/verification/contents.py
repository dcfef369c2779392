"""What became of every row: counts, content hashes, and what is missing or changed, table by table."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection
from dashkit.migrations import VERSIONS, shape, verify
from dashkit.store import instants, tracking


@dataclass(frozen=True)
class Table:
    """One table before and after: rows, digests over the old columns, and rows of before that are not as they were.

    `edited` of the changed rows and `deleted` of the missing ones are accounted for: something in the database says
    that it was somebody's work since. Rows without a key that are not as they were count as changed.
    """

    name: str
    rows_before: int
    rows_after: int
    digest_before: str
    digest_after: str
    missing: int
    changed: int
    edited: int
    deleted: int

    @property
    def kept(self) -> bool:
        """Every old row is there with every old value, or something says what became of it since."""
        return self.missing == self.deleted and self.changed == self.edited


def compare(before: Path, after: Path, applied_at: str | None) -> list[Table]:
    """Compare every table of `before` with `after`; work done after `applied_at` (None: no such) is told apart."""
    with closing(connection.connect_immutable(after)) as conn, closing(connection.connect_immutable(before)) as old:
        connection.attach_immutable(conn, before, "backup")
        names = [name for name in shape.tables(old) if name.lower() not in tracking.found(old)]
        return [_compare(old, conn, name, applied_at) for name in names]


def edited(conn: sqlite3.Connection, table: str) -> str:
    """The SQL condition under which the database says that row n of a table was edited since :applied_at.

    Inside `instants.reader` alone.
    """
    since = []
    if "updated_at" in shape.columns(conn, table):
        updated = instants.normal("n.updated_at")  # a date is its whole day
        since.append(
            f"coalesce(CASE length({updated}) WHEN 10 THEN {updated} || 'T24' ELSE {updated} END > :applied_at, 0)"
        )
    if table.lower() == "tasks":
        since.append(_noted(conn, "task_events", "task_id = n.id", "op IN ('insert', 'update')"))
    return shape.any_of(since)


def _deleted(conn: sqlite3.Connection, table: str) -> str:
    """The SQL condition under which row o of the backup was moved, or the database says: deleted since :applied_at."""
    if table.lower() == "tasks":
        return _noted(conn, "task_events", "task_id = o.id", "op = 'delete'")
    if table.lower() == "task_dependencies" and {"task_id", "depends_on_id"} <= shape.columns(conn, table).keys():
        return _noted(
            conn, "dependency_events", "task_id = o.task_id AND e.depends_on_id = o.depends_on_id", "op = 'remove'"
        )
    moves = [move for version in VERSIONS for move in version.moves if move.of == table.lower() and move.removes]
    return shape.any_of([move.arrived(conn, exactly=False) for move in moves if move.is_of(conn, "backup")])


def _noted(conn: sqlite3.Connection, log: str, row: str, op: str) -> str:
    # Version 2.0 keeps no log. A reconciling event says that something is other than it was, and not by whom.
    if "recorded_at" not in shape.columns(conn, log):
        return "FALSE"
    return (
        f"EXISTS (SELECT 1 FROM main.{log} AS e WHERE e.{row} AND e.{op} "
        f"AND {instants.normal('e.recorded_at')} >= :applied_at)"
    )


def _compare(old: sqlite3.Connection, conn: sqlite3.Connection, name: str, applied_at: str | None) -> Table:
    fills = verify.filled(conn, VERSIONS, name)
    columns = [column for column in shape.columns(old, name).values() if not column.generated]
    listed = [column.name for column in columns if column.name.lower() not in fills]
    one, two = _digest(old, name, listed), _digest(conn, name, listed)
    key, here, table = shape.row_key(old, name), shape.columns(conn, name), shape.quoted(name)
    counts: tuple[float, ...] = (0, int(one != two), 0, 0)
    if not here:
        counts = (one[0], 0, 0, 0)
    elif all(column.name.lower() in here for column in columns):
        if key:
            unequal = f"n.{key} IS NOT NULL AND ({verify.unequal(columns, fills)})"
            sql = (
                f"SELECT total(n.{key} IS NULL), total({unequal}), total({unequal} AND ({edited(conn, name)})), "
                f"total(n.{key} IS NULL AND ({_deleted(conn, name)})) "
                f"FROM backup.{table} AS o LEFT JOIN main.{table} AS n ON n.{key} = o.{key}"
            )
            with instants.reader(conn):
                counts = conn.execute(sql, {"applied_at": applied_at}).fetchone()
        else:
            values = ", ".join(f"{shape.quoted(column)} COLLATE BINARY" for column in listed)
            counts = conn.execute(
                f"SELECT 0, count(*), 0, 0 FROM (SELECT {values} FROM backup.{table} "
                f"EXCEPT SELECT {values} FROM main.{table})"
            ).fetchone()
    missing, changed, worked_on, deleted = map(int, counts)
    return Table(name, one[0], two[0], one[1], two[1], missing, changed, worked_on, deleted)


def _digest(conn: sqlite3.Connection, table: str, columns: list[str]) -> tuple[int, str]:
    """Rows, and SHA-256 over every value in row order, by bytes: broken text counts as it is."""
    here = shape.columns(conn, table)
    if any(column.lower() not in here for column in columns):
        return (verify.contents(conn, [table])[table] if here else 0), "not there"
    key = shape.row_key(conn, table)
    listed = [*([key] if key else []), *(shape.quoted(column) for column in columns)]
    order = key or ", ".join(listed)
    digest, rows = hashlib.sha256(), 0
    conn.text_factory = bytes
    try:
        for row in conn.execute(f"SELECT {', '.join(listed)} FROM main.{shape.quoted(table)} ORDER BY {order}"):
            digest.update(repr(row).encode())
            rows += 1
    finally:
        conn.text_factory = str
    return rows, digest.hexdigest()[:10]
