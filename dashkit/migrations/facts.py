"""What a pristine copy tells, gathered in the background while the changes are applied to the live database."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from dashkit import connection
from dashkit.migrations import backups, requirements, shape, verify
from dashkit.migrations.changes import AddColumn, Version
from dashkit.migrations.fills import Fill, Insert
from dashkit.migrations.findings import THERE, Described, Finding
from dashkit.store import instants, statuses
from dashkit.vocabulary import STATUSES

Kinds = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Facts:
    """Of the state before: damage, the rows that each fill needs by source; and for a dry run what else to know.

    `spellings` are statuses in other words than ours, `advice` what to do about them, `orphans` rows whose
    foreign key points nowhere, by table.
    `unread` are the dates that the changes of this run could not read, each with what becomes of its rows. `references`
    says whether what points to rows can be read.
    """

    damage: tuple[str, ...] = ()
    fills: dict[str, Kinds] = field(default_factory=dict)
    spellings: Kinds = ()
    orphans: Kinds = ()
    advice: tuple[str, ...] = ()
    unread: tuple[tuple[instants.Unread, str], ...] = ()
    references: Finding = THERE


def gather(path: Path, versions: tuple[Version, ...], *, durable: bool, thorough: bool) -> Facts:
    """Read a copy that nobody changes; `durable` syncs it to the disk, `thorough` adds what a dry run tells."""
    if durable:
        backups.sync(path)
    if damage := verify.damage(path):
        return Facts(tuple(damage))
    with closing(connection.connect_immutable(path)) as conn:
        known = Facts(
            fills={name: kinds for version in versions for name, kinds in _fills(conn, version).items()},
            references=requirements.references(conn),
        )
        if not thorough:
            return known
        orphans = tuple(sorted(verify.orphans(conn).items()))
        spellings = _spellings(conn)
        is_before = "checked" not in shape.columns(conn, "tasks")
        advice = tuple(statuses.advice(statuses.others(conn), before=is_before)) if spellings else ()
        return replace(known, spellings=spellings, orphans=orphans, advice=advice)


def unread(conn: sqlite3.Connection, changes: Iterable[Described]) -> tuple[tuple[instants.Unread, str], ...]:
    """The dates that changes cannot read, in a database that has them: also what a later run of them takes over."""
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
    other = " AND ".join("status <> ? COLLATE BINARY" for _ in STATUSES)  # faster than NOT IN
    return tuple(
        conn.execute(
            f"SELECT CAST(status AS TEXT), count(*) FROM tasks WHERE {other} GROUP BY 1 ORDER BY 2 DESC, 1",
            STATUSES,
        ).fetchall()
    )


def _fills(conn: sqlite3.Connection, version: Version) -> dict[str, Kinds]:
    """Rows that each fill needs, by the source that fills them; a column still to be added counts as its default."""
    found: dict[str, Kinds] = {}
    fills = [change for change in version.changes if isinstance(change, Fill)]
    for table in dict.fromkeys(fill.table for fill in fills):
        here = shape.columns(conn, table)
        added = [
            f", {change.default} AS {change.column}"
            for change in version.changes
            if isinstance(change, AddColumn) and change.table == table and change.column not in here
        ]
        # In one pass for all fills: it reads the whole table.
        mine = [fill for fill in fills if fill.table == table]
        counts = ", ".join(f"count(CASE WHEN {which} THEN 1 END)" for fill in mine for which in _known(conn, fill))
        row = iter(conn.execute(f"SELECT {counts} FROM (SELECT *{''.join(added)} FROM {table})").fetchone())
        for fill in mine:
            known = [0, *(next(row) for _ in fill.available(conn))]
            labels = (label for _, label in fill.available(conn))
            found[fill.name] = tuple(
                (label, more - few) for label, (few, more) in zip(labels, pairwise(known), strict=True)
            )
    return found


def _known(conn: sqlite3.Connection, fill: Fill) -> Iterator[str]:
    """For each source of a fill the SQL condition on the rows that it or one before it has a value for."""
    known = fill.known(conn)
    for place in range(1, len(known) + 1):
        yield f"({fill.needed(conn)}) AND ({' OR '.join(known[:place])})"
