"""The engine: look at a database, apply what is missing, record it. Of tables it knows that of the records alone.

It opens nothing and commits nothing: `execute` and `create` own the connection and the transaction.
"""

import shlex
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashkit import texts, times
from dashkit.errors import RefusedError, UsageError
from dashkit.migrations import record, shape
from dashkit.migrations.changes import AddColumn, CreateIndex, CreateTable, CreateTrigger, Version
from dashkit.migrations.fills import Fill, Insert
from dashkit.migrations.findings import Described
from dashkit.migrations.later import TakeOver
from dashkit.migrations.moves import Move
from dashkit.migrations.statements import run
from dashkit.migrations.surveys import Item, Survey

# The order of execution: a table before its columns, indexes after the one UPDATE, triggers when all rows are in.
KINDS = (CreateTable, AddColumn, Fill, Insert, Move, CreateIndex, CreateTrigger)


@dataclass(frozen=True)
class Applied:
    """One change that was made, how long its statement took, and how many rows it filled from where, or inserted."""

    version: str
    change: Described
    seconds: float
    kinds: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> int | None:
        """How many rows it filled; None for a change that fills none."""
        fills = isinstance(self.change, Fill | Insert | Move | TakeOver)
        return sum(rows for _, rows in self.kinds) if fills else None


def number(version: str) -> tuple[int, ...]:
    """A version as comparable numbers; a word that is none sorts above all, as from a later tool."""
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        return (2**31,)


def up_to(versions: tuple[Version, ...], to: str | None) -> tuple[Version, ...]:
    """The versions up to and including `to` (None: all).

    Raises:
        UsageError: there is no such version.
    """
    if to is None:
        return versions
    known = [version.number for version in versions]
    if to not in known:
        raise UsageError(
            f"Cannot migrate to version {to!r}", f"the versions are {', '.join(known)}", "Name one of them."
        )
    return versions[: known.index(to) + 1]


def survey(conn: sqlite3.Connection, versions: Iterable[Version]) -> Survey:
    """Look at every change: decided by what is there, not by the record."""
    known = record.read(conn)
    items = []
    for version in versions:
        for change in (*version.changes, *version.moves):
            checksum = known.checksums.get((version.number, change.name))
            finding = change.look(conn, recorded=checksum is not None)
            earlier, is_adopted = version.earlier.get(change.name, ()), (version.number, change.name) in known.adopted
            items.append(Item(version.number, change, finding, checksum, earlier, is_adopted))
    recorded = tuple(sorted({version for version, _ in known.checksums}, key=number))
    return Survey(tuple(items), known, recorded)


def require_applicable(found: Survey, newest: str, path: Path) -> None:
    """Refuse where something is in the way, or a tool has been here that knows a version after the `newest`.

    Raises:
        RefusedError: in either case; it names each obstacle.
    """
    later = [version for version in found.recorded_versions if number(version) > number(newest)]
    if later:
        raise RefusedError(
            f"Cannot migrate {path}",
            f"it is at version {later[-1]}, newer than this dashkit knows ({newest})",
            "Update dashkit.",
            path=path,
        )
    if found.obstacles:
        of_changes = any(item.finding.state == "in the way" for item in found.items)
        doctor = f"`dashkit doctor --db {shlex.quote(str(path))}`"
        shown = f"; {doctor} shows the statements" if of_changes else ""
        remedies = [*found.remedies, f"Nothing was changed{shown}."]
        if any(" SQL" in remedy for remedy in found.remedies):
            remedies.append(texts.typed_into_sqlite3(path))
        if found.free and any(item.version == found.free for item in found.missing):
            remedies.append(f"`--to {found.free}` stops before it: everything of {found.free} works without it.")
        raise RefusedError(
            f"Cannot migrate {path}",
            "; ".join(found.obstacles),
            " ".join(remedies),
            path=path,
            obstacles=tuple(found.obstacles),
        )


def apply(
    conn: sqlite3.Connection, found: Survey, now: datetime, backup: str | None, tell: Callable[[str], None]
) -> list[Applied]:
    """Make every missing change and record it, inside the caller's transaction."""
    if found.record.finding.state == "missing":
        run(conn, found.record.sql)
    done: list[Applied] = []
    for version in dict.fromkeys(item.version for item in found.items):
        items = [item for item in found.missing if item.version == version]
        for kind in KINDS:
            changes = [item.change for item in items if isinstance(item.change, kind)]
            if kind is Fill:
                new = {(one.table, one.column) for item in items if isinstance(one := item.change, AddColumn)}
                done += _fill(conn, version, [change for change in changes if isinstance(change, Fill)], new, now)
                continue
            for change in changes:
                tell(change.todo)
                started = time.perf_counter()
                given = {"now": times.to_text(now)} if isinstance(change, Insert | Move) else {}
                aside = _triggers_put_aside(conn, change.of) if isinstance(change, Move) else nullcontext()
                with change.reading(conn), aside:
                    rows = [run(conn, sql, given) for sql in change.statements(conn)]
                kinds = (("rows", [0, *rows][-1]),) if given else ()
                done.append(Applied(version, change, time.perf_counter() - started, kinds))
    order = {(item.version, item.change.name): place for place, item in enumerate(found.items)}
    done.sort(key=lambda applied: order[applied.version, applied.change.name])
    for applied in done:
        found.record.insert(conn, applied.version, applied.change, now, applied.seconds, backup)
    for item in found.unrecorded:
        found.record.insert(conn, item.version, item.change, now, None, backup)
    return done


def create(conn: sqlite3.Connection, versions: tuple[Version, ...], now: datetime, path: Path) -> None:
    """Version 1.0 and the given versions, in a database that has none of it; a complete one is left as it is.

    Raises:
        RefusedError: there is a Dashboard of an older version, or something else.
    """
    if not shape.owner(conn, "tasks"):
        if others := [name for name in shape.tables(conn) if not name.startswith("sqlite_")]:
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            raise RefusedError(
                f"Cannot create {path}",
                f"there are other tables in it ({', '.join(others[:3])}{more}), so it is of another program",
                "Name a new file.",
                path=path,
                tables=tuple(others),
            )
        for statement in statements("1.0"):
            conn.execute(statement)
    elif not versions:
        return
    elif survey(conn, versions).missing:
        raise RefusedError(
            f"Cannot create {path}",
            "there is a Dashboard of an older version",
            "Run `dashkit migrate`.",
            path=path,
        )
    else:
        return
    if versions:
        apply(conn, survey(conn, versions), now, None, lambda _: None)


def statements(version: str) -> list[str]:
    """The statements of the complete schema of a version."""
    from importlib import resources

    text = resources.files("dashkit").joinpath("schema", f"v{version.replace('.', '_')}.sql").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


def _fill(
    conn: sqlite3.Connection, version: str, fills: list[Fill], new: set[tuple[str, str]], now: datetime
) -> list[Applied]:
    """All fills of a table in one UPDATE: two would write every page twice. A column that is `new` nobody has used."""
    done: list[Applied] = []
    for table in dict.fromkeys(fill.table for fill in fills):
        mine = [fill for fill in fills if fill.table == table]
        started = time.perf_counter()
        needed = {fill: fill.needs if (fill.table, fill.column) in new else fill.needed(conn) for fill in mine}
        sets = ", ".join(
            f"{fill.column} = CASE WHEN {which} THEN {fill.chosen(conn)} ELSE {fill.column} END"
            for fill, which in needed.items()
        )
        where = " OR ".join(f"({which})" for which in needed.values())
        with _triggers_put_aside(conn, table):
            run(conn, f"UPDATE {table} SET {sets} WHERE {where}", {"now": times.to_text(now)})
        seconds = time.perf_counter() - started
        done += [Applied(version, fill, seconds) for fill in mine]
    return done


@contextmanager
def _triggers_put_aside(conn: sqlite3.Connection, table: str) -> Iterator[None]:
    """Run with the table's own triggers gone, and put them back byte for byte, in their order.

    A trigger of the user's could skip rows (RAISE(IGNORE)), change old values, or fill an audit table.
    """
    found = shape.definitions(conn).items()
    mine = [(name, sql) for (kind, name), (of, sql) in found if kind == "trigger" and of.lower() == table and sql]
    for name, _ in mine:
        run(conn, f"DROP TRIGGER {shape.quoted(name)}")
    yield
    for _, sql in mine:
        run(conn, sql)
