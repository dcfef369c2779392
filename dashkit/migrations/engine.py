"""The engine: look at a database, apply what is missing, record it. Knows schema_migrations and no other table.

It opens nothing and commits nothing: `execute` and `create` own the connection and the transaction.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashkit import times
from dashkit.errors import FailedError, RefusedError, UsageError
from dashkit.migrations import shape
from dashkit.migrations.changes import (
    AddColumn,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    Fill,
    Insert,
    Version,
)
from dashkit.migrations.findings import Described
from dashkit.migrations.later import TakeOver
from dashkit.migrations.moves import Move
from dashkit.migrations.surveys import Item, Survey
from dashkit.store.rows import REQUIRED
from dashkit.version import __version__

TRACKING = CreateTable(
    "schema_migrations",
    "Create schema_migrations table",
    "Created schema_migrations table",
    "schema_migrations",
    "version TEXT NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, checksum TEXT NOT NULL, "
    "duration_ms REAL, tool_version TEXT NOT NULL, backup TEXT, PRIMARY KEY (version, name)",
)
NEEDED = REQUIRED
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


def require_dashboard(conn: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is no Dashboard, before anything is planned on it.

    Raises:
        RefusedError: projects or tasks is not there as a table with its columns.
    """
    for table, wanted in NEEDED.items():
        _, _, sql = shape.owner(conn, table) or ("", "", None)
        if why := _unfit(conn, table, wanted):
            raise RefusedError(
                f"Cannot use {path}",
                why,
                "Name a Dashboard database; `dashkit sample PATH` makes one to try.",
                path=path,
            )
        if "strict" in shape.options(sql or ""):
            raise RefusedError(
                f"Cannot use {path}",
                f"{table} is a STRICT table, and SQLite adds no BOOLEAN column to such a table",
                "Copy its rows into an ordinary table of the same columns first.",
                path=path,
                table=table,
            )


def _unfit(conn: sqlite3.Connection, table: str, wanted: tuple[str, ...]) -> str:
    """Why a table is none of a Dashboard's; empty where it is one."""
    found = shape.owner(conn, table)
    if not found:
        return f"it is no Dashboard: there is no table {table}"
    kind = "virtual table" if "virtual" in shape.tokens(found[2] or "")[:3] else found[0]
    if kind != "table":
        return f"{table} is a {kind}, not an ordinary table"
    for column in wanted:
        if column not in shape.columns(conn, table):
            return f"it is no Dashboard: {table} has no column {column}"
    if frozenset({"id"}) not in shape.keys(conn, table):
        return f"{table}.id is not its key, so no other table could point to it"
    return ""


def survey(conn: sqlite3.Connection, versions: Iterable[Version]) -> Survey:
    """Look at everything: decided by what is there, not by the tracking table."""
    versions = tuple(versions)
    tracking = TRACKING.look(conn, recorded=True)
    rows: dict[tuple[str, str], str] = {}
    adopted: set[tuple[str, str]] = set()
    last: tuple[str | None, str | None] = (None, None)
    if tracking.state == "there":
        found = conn.execute(
            "SELECT version, name, checksum, applied_at, backup, duration_ms IS NULL FROM schema_migrations"
        ).fetchall()
        # A BLOB in there is of no tool of ours: as text it is a version that we do not know.
        rows = {(str(version), str(name)): str(checksum) for version, name, checksum, *_ in found}
        adopted = {(str(version), str(name)) for version, name, *_, is_adopted in found if is_adopted}
        last = max(((str(applied_at), str(backup)) for *_, applied_at, backup, _ in found if backup), default=last)
    items = []
    for version in versions:
        for change in (*version.changes, *version.moves):
            checksum = rows.get((version.number, change.name))
            finding = change.look(conn, recorded=checksum is not None)
            known, key = version.earlier.get(change.name, ()), (version.number, change.name)
            items.append(Item(version.number, change, finding, checksum, known, key in adopted))
    recorded = tuple(sorted({version for version, _ in rows}, key=number))
    return Survey(tuple(items), tracking, recorded, *last)


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
        raise RefusedError(
            f"Cannot migrate {path}",
            "; ".join(found.obstacles),
            "Nothing was changed. `dashkit doctor` says how to go on.",
            path=path,
            obstacles=tuple(found.obstacles),
        )


def apply(
    conn: sqlite3.Connection, found: Survey, now: datetime, backup: str | None, tell: Callable[[str], None]
) -> list[Applied]:
    """Make every missing change and record it, inside the caller's transaction."""
    if found.tracking.state == "missing":
        _run(conn, TRACKING.sql)
    done: list[Applied] = []
    for version in dict.fromkeys(item.version for item in found.items):
        items = [item for item in found.missing if item.version == version]
        for kind in KINDS:
            changes = [item.change for item in items if isinstance(item.change, kind)]
            if kind is Fill:
                done += _fill(conn, version, [change for change in changes if isinstance(change, Fill)], now)
                continue
            for change in changes:
                tell(change.todo)
                started = time.perf_counter()
                given = {"now": times.to_text(now)} if isinstance(change, Insert | Move) else {}
                aside = _triggers_put_aside(conn, change.of) if isinstance(change, Move) else nullcontext()
                with change.reading(conn), aside:
                    rows = [_run(conn, sql, given) for sql in change.statements(conn)]
                kinds = (("rows", [0, *rows][-1]),) if given else ()
                done.append(Applied(version, change, time.perf_counter() - started, kinds))
    order = {(item.version, item.change.name): place for place, item in enumerate(found.items)}
    done.sort(key=lambda applied: order[applied.version, applied.change.name])
    for applied in done:
        record(conn, applied.version, applied.change, now, applied.seconds, backup)
    for item in found.unrecorded:
        record(conn, item.version, item.change, now, None, backup)
    return done


def record(
    conn: sqlite3.Connection,
    version: str,
    change: Described,
    now: datetime,
    seconds: float | None,
    backup: str | None,
) -> None:
    """One row of schema_migrations; mending a change writes its row anew."""
    _run(
        conn,
        "INSERT OR REPLACE INTO schema_migrations "
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


def is_recorded(conn: sqlite3.Connection, backup: str, now: datetime) -> bool:
    """Whether the run of this instant that made this backup was committed."""
    if TRACKING.look(conn, recorded=True).state != "there":
        return False
    sql = "SELECT count(*) FROM schema_migrations WHERE backup = ? AND applied_at = ?"
    return bool(conn.execute(sql, (backup, times.to_text(now))).fetchone()[0])


def rename_backup(conn: sqlite3.Connection, promised: str, name: str) -> None:
    """Correct the records of this run: another migration took the backup's number in the meantime."""
    _run(
        conn,
        "UPDATE schema_migrations SET backup = ? WHERE backup = ? OR backup LIKE '%/' || ?",
        (name, promised, promised),
    )


def _fill(conn: sqlite3.Connection, version: str, fills: list[Fill], now: datetime) -> list[Applied]:
    """All fills of a table in one UPDATE: two would write every page twice."""
    done: list[Applied] = []
    for table in dict.fromkeys(fill.table for fill in fills):
        mine = [fill for fill in fills if fill.table == table]
        started = time.perf_counter()
        sets = ", ".join(
            f"{fill.column} = CASE WHEN {fill.needs} THEN {_value(conn, fill)} ELSE {fill.column} END" for fill in mine
        )
        where = " OR ".join(f"({fill.needs})" for fill in mine)
        with _triggers_put_aside(conn, table):
            _run(conn, f"UPDATE {table} SET {sets} WHERE {where}", {"now": times.to_text(now)})
        seconds = time.perf_counter() - started
        done += [Applied(version, fill, seconds) for fill in mine]
    return done


def _value(conn: sqlite3.Connection, fill: Fill) -> str:
    return Fill.value(tuple(source for source, _ in fill.available(conn)))


@contextmanager
def _triggers_put_aside(conn: sqlite3.Connection, table: str) -> Iterator[None]:
    """Run with the table's own triggers gone, and put them back byte for byte, in their order.

    A trigger of the user's could skip rows (RAISE(IGNORE)), change old values, or fill an audit table.
    """
    found = shape.definitions(conn).items()
    mine = [(name, sql) for (kind, name), (of, sql) in found if kind == "trigger" and of.lower() == table and sql]
    for name, _ in mine:
        _run(conn, f"DROP TRIGGER {shape.quoted(name)}")
    yield
    for _, sql in mine:
        _run(conn, sql)


def _run(conn: sqlite3.Connection, sql: str, values: object = ()) -> int:
    """One statement, in the transaction or not at all; how many rows it touched.

    After "disk full" SQLite has rolled back by itself, and the next statement would stand alone.

    Raises:
        FailedError: the transaction is gone.
    """
    if not conn.in_transaction:
        raise FailedError("Cannot go on", "SQLite ended the transaction by itself", "Nothing was changed; try again.")
    return conn.execute(sql, values).rowcount  # type: ignore[arg-type]  # a tuple or a dict
