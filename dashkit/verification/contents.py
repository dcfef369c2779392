"""What became of every row: counts, content hashes, and what is missing or changed, table by table."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection
from dashkit.migrations import VERSIONS, shape, verify


@dataclass(frozen=True)
class Table:
    """One table before and after: rows, digests over the old columns, and rows of before that are not as they were.

    `edited` of the changed rows carry an updated_at later than the migration: somebody's work since.
    """

    name: str
    rows_before: int
    rows_after: int
    digest_before: str
    digest_after: str
    missing: int
    changed: int
    edited: int

    @property
    def kept(self) -> bool:
        """Every old row is there with every old value, or was edited since."""
        return self.missing == 0 and self.changed == self.edited


def compare(before: Path, after: Path, applied_at: str | None) -> list[Table]:
    """Compare every table of `before` with `after`; rows edited after `applied_at` (None: no such) are told apart."""
    with closing(connection.connect_immutable(after)) as conn, closing(connection.connect_immutable(before)) as old:
        connection.attach_immutable(conn, before, "backup")
        names = [name for name in shape.tables(old) if name.lower() != verify.BOOKKEEPING]
        return [_compare(old, conn, name, applied_at) for name in names]


def _compare(old: sqlite3.Connection, conn: sqlite3.Connection, name: str, applied_at: str | None) -> Table:
    fills = verify.fills_of(VERSIONS, name)
    columns = [column for column in shape.columns(old, name).values() if not column.generated]
    listed = [column.name for column in columns if column.name.lower() not in fills]
    one, two = _digest(old, name, listed), _digest(conn, name, listed)
    missing, changed, edited = (0, int(one != two), 0)
    key = shape.row_key(old, name)
    here = shape.columns(conn, name)
    if not here:
        missing, changed = one[0], 0
    elif key and all(column.name.lower() in here for column in columns):
        since = "FALSE"
        if applied_at and "updated_at" in here:
            since = "coalesce(julianday(n.updated_at) > julianday(:applied_at), FALSE)"
        table, unequal = shape.quoted(name), verify.unequal(columns, key, fills)
        missing, changed, edited = conn.execute(
            f"SELECT total(n.{key} IS NULL), total(n.{key} IS NOT NULL AND ({unequal})), "
            f"total(n.{key} IS NOT NULL AND ({unequal}) AND {since}) "
            f"FROM backup.{table} AS o LEFT JOIN main.{table} AS n ON n.{key} = o.{key}",
            {"applied_at": applied_at} if since != "FALSE" else {},
        ).fetchone()
    return Table(name, one[0], two[0], one[1], two[1], int(missing), int(changed), int(edited))


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
