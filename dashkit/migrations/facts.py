"""What a pristine copy tells, gathered in the background while the changes are applied to the live database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from dashkit import connection
from dashkit.migrations import backups, shape, verify
from dashkit.migrations.changes import AddColumn, Fill, Insert, Version
from dashkit.migrations.findings import Described
from dashkit.store import instants
from dashkit.vocabulary import STATUSES

Kinds = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Facts:
    """Of the state before: damage, the rows that each fill needs by source; and for a dry run what else to know.

    `spellings` are statuses in other words than ours, `orphans` rows whose foreign key points nowhere, by table.
    `unread` are the dates that the changes of this run could not read, each with what becomes of its rows.
    """

    damage: tuple[str, ...] = ()
    fills: dict[str, Kinds] = field(default_factory=dict)
    spellings: Kinds = ()
    orphans: Kinds = ()
    unread: tuple[tuple[instants.Unread, str], ...] = ()


def gather(path: Path, versions: tuple[Version, ...], *, durable: bool, thorough: bool) -> Facts:
    """Read a copy that nobody changes; `durable` syncs it to the disk, `thorough` adds what a dry run tells."""
    if durable:
        backups.sync(path)
    if damage := verify.damage(path):
        return Facts(tuple(damage))
    with closing(connection.connect_immutable(path)) as conn:
        fills = {name: kinds for version in versions for name, kinds in _fills(conn, version).items()}
        if not thorough:
            return Facts((), fills)
        return Facts((), fills, _spellings(conn), tuple(sorted(verify.orphans(conn).items())))


def unread(conn: sqlite3.Connection, changes: Iterable[Described]) -> tuple[tuple[instants.Unread, str], ...]:
    """The dates that changes could not read, in the database to which they were applied."""
    found = []
    with instants.reader(conn):
        for change in changes:
            if not isinstance(change, Insert) or change.dated is None:
                continue
            dated = change.dated
            if dated.column in shape.columns(conn, change.of) and (
                left := instants.unread(conn, change.of, dated.column, dated.which)
            ):
                found.append((left, dated.otherwise))
    return tuple(found)


def _spellings(conn: sqlite3.Connection) -> Kinds:
    conn.text_factory = lambda raw: raw.decode(errors="backslashreplace")  # whatever other programs call text
    marks = ", ".join("?" * len(STATUSES))
    return tuple(
        conn.execute(
            f"SELECT CAST(status AS TEXT), count(*) FROM tasks WHERE status COLLATE BINARY NOT IN ({marks}) "
            "GROUP BY 1 ORDER BY 2 DESC, 1",
            STATUSES,
        ).fetchall()
    )


def _fills(conn: sqlite3.Connection, version: Version) -> dict[str, Kinds]:
    """Rows that each fill needs, by the source that fills them; a column still to be added counts as its default."""
    return {change.name: _kinds(conn, change, version) for change in version.changes if isinstance(change, Fill)}


def _kinds(conn: sqlite3.Connection, fill: Fill, version: Version) -> Kinds:
    here = shape.columns(conn, fill.table)
    added = [
        f", {change.default} AS {change.column}"
        for change in version.changes
        if isinstance(change, AddColumn) and change.table == fill.table and change.column not in here
    ]
    sources = fill.available(conn)
    cases = " ".join(
        f"WHEN {'TRUE' if source.startswith(':') else f'{source} IS NOT NULL'} THEN {place}"
        for place, (source, _) in enumerate(sources)
    )
    totals = ", ".join(f"total(kind = {place})" for place in range(len(sources)))
    row = conn.execute(
        f"SELECT {totals} FROM (SELECT CASE {cases} END AS kind "
        f"FROM (SELECT *{''.join(added)} FROM {fill.table}) WHERE {fill.needs})"
    ).fetchone()
    return tuple((label, int(count)) for (_, label), count in zip(sources, row, strict=True))
