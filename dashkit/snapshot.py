"""A snapshot of the database in DuckDB: one state for every question, and never the live file.

DuckDB's SQLite reader carries its own copy of SQLite, and closing a file through one copy drops the locks
that the other holds on it in this process; so DuckDB only ever meets a private copy, which loading.py brings in.
What a query needs, tables and views, is made when the first one names it.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from dashkit import connection, loading, results, times, views
from dashkit.errors import OutdatedError, RefusedError, UsageError
from dashkit.store import projects, rows, settings, tracking
from dashkit.vocabulary import UNSIZED

Parameters = Sequence[Any] | Mapping[str, Any]

ATTACH_FROM = 200_000  # rows; below, copying is faster than loading the extension
DISK_FROM = 1_000_000  # rows; below, all there is to know of them fits into MEMORY
MEMORY = "1GB"

# What a query may call in FROM. The SQLite reader's functions open any file, whatever DuckDB itself forbids.
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "duckdb_views", "duckdb_columns"})


@dataclass(frozen=True)
class Snapshot:
    """The database as it was when the snapshot was taken.

    Args:
        path: the live file, or '' for a database in memory; `copy` is our private copy of it.
        version: the version of the schema.
        rows: how many rows each table has.
        as_of: the instant that everything is as of.
        has_history: whether the database records changes.
        project: the id of the chosen project; None: all.
        note: a sentence where the word that chose it could mean another one, else ''.
        timezone: of days and weeks.
    """

    path: str
    version: str
    rows: Mapping[str, int]
    as_of: datetime
    has_history: bool
    project: int | None
    note: str
    timezone: str
    _duck: duckdb.DuckDBPyConnection
    copy: loading.Copy
    _missing: dict[str, str]  # what no query has named so far, and how to make it
    _resources: ExitStack

    @property
    def load(self) -> loading.Load:
        """How the tables get into DuckDB."""
        return self.copy.load

    def run(self, query: str, parameters: Parameters = ()) -> pd.DataFrame:
        """The rows of one of our own queries, typed as `results.frame` says.

        Raises:
            UsageError: DuckDB refuses the query or a value.
        """
        try:
            self._make(query)
            return results.frame(self._duck.execute(query, parameters), self.timezone)
        except duckdb.ConnectionException as error:
            raise UsageError(
                "Cannot ask this Dashboard", "it is closed", "Open it again with dashkit.open()."
            ) from error
        except duckdb.Error as error:
            raise _refused(str(error)) from error

    def ask(self, query: str, parameters: Parameters = ()) -> pd.DataFrame:
        """The rows of a query from outside, which may read the views and nothing else.

        Raises:
            UsageError: it is no single SELECT, reads more than the views, or DuckDB refuses it.
        """
        tree = json.loads(self.run("SELECT json_serialize_sql(?) AS tree", [query])["tree"][0])
        if tree["error"]:
            raise _refused(tree["error_message"])
        if len(tree["statements"]) != 1:
            raise _refused(f"it has {len(tree['statements'])} statements")
        if strange := sorted(set(views.called(tree)) - TABLE_FUNCTIONS):
            raise _refused(f"it calls {', '.join(strange)}, and a query reads the views alone")
        if hidden := sorted(set(views.hidden(tree))):
            raise _refused(f"it names {', '.join(hidden)}, and a query reads the views alone")
        return self.run(query, parameters)

    def _make(self, query: str) -> None:
        """Make what a query names and is not there yet: each table as a whole, of the rest all or nothing."""
        names = views.needed(query, self._missing)
        tables = [name for name in names if name.startswith("typed.")]
        for name in tables:
            self.copy.make(self._duck, name.removeprefix("typed."))
            del self._missing[name]
        if rest := names[len(tables) :]:
            with loading.transaction(self._duck):
                for name in rest:
                    for which, statements in views.steps(self._missing[name]):
                        if which is None or self._duck.execute(f"SELECT 1 FROM {which} LIMIT 1").fetchone():  # noqa: S608
                            self._duck.execute(statements)
            for name in rest:
                del self._missing[name]

    def close(self) -> None:
        """Let go of DuckDB and of the copy; twice does no harm."""
        self._resources.close()


def take(
    db: connection.Database,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    project: int | str | None = None,
    timezone: str | None = None,
    load: loading.Load | None = None,
) -> Snapshot:
    """Copy the database and bring the copy into DuckDB.

    Args:
        db: the database, as everywhere.
        as_of: the instant that everything is as of, aware; None: now, when the copy is made.
        known_at: leave out what was recorded later; None: nothing.
        project: id or name; the views then show this project alone.
        timezone: of days and weeks; None: that of the setting `time_zone`.
        load: how; by default `attach` for many rows where it is possible, else `copy`.

    Raises:
        RefusedError: no such file, no Dashboard, or not readable without changing it.
        OutdatedError: a Dashboard before version 2.0, or before 2.1 where known_at is given.
        UsageError: no such project, several of that name, or a setting that is none.
    """
    held: ExitStack[bool | None] = ExitStack()
    with held as stack:
        folder = stack.enter_context(connection.scratch_folder())
        file = folder / "snapshot.db"
        with connection.using(db) as source:
            rows.require_v2(source)
            path = rows.read(source, "SELECT file FROM pragma_database_list WHERE name = 'main'")[0]["file"]
            if source.in_transaction:
                raise RefusedError(
                    f"Cannot take a snapshot of {path}",
                    "this connection is in a transaction of its own",
                    "Commit it or roll it back first.",
                    path=path,
                )
            connection.private_copy(source, file)
        now = times.utc_now()  # of the copy: what it holds was written before, some of it rounded up to a millisecond
        found_at = now + timedelta(microseconds=-now.microsecond % 1000)
        with connection.explained(Path(path), "read"), closing(connection.connect_immutable(file)) as lite:
            lite.text_factory = loading.TEXT
            here = {table: _present(lite, table) for table in views.TABLES}
            counts = {table: _count(lite, table) for table in views.TABLES if here[table]}
            many = sum(counts.values()) >= ATTACH_FROM
            duck = stack.enter_context(closing(_duckdb(folder, sum(counts.values()))))
            chosen = None if project is None or project == "" else projects.choose(lite, project)
            number = chosen.id if chosen else None
            kept = bool(here["task_events"])
            if known_at is not None and not kept:
                raise OutdatedError(
                    f"Cannot tell what was known at {times.to_text(known_at)}",
                    "a history is kept from version 2.1 on",
                    "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
                )
            when = as_of or found_at
            # Without a history all that is known are the rows, as if just seen.
            instants = {"as_of": when, "known_at": known_at, "found_at": found_at if kept else when}
            zone = timezone or settings.get(lite, "time_zone", number)
            _set_variables(duck, lite, instants, number, zone)
            duck.execute("SET VARIABLE has_history = CAST(? AS BOOLEAN)", [kept])
            version = _version(lite)
        copy = loading.Copy(path, file, here, counts)
        if (load or ("attach" if many else "copy")) == "attach":
            copy.attach(duck)
        duck.execute("SET enable_external_access = false; SET lock_configuration = true")
        missing = {f"typed.{table}": "" for table in views.TABLES}
        missing |= views.relations(of_one_project=number is not None, in_utc=zone == "UTC")
        note = chosen.note if chosen else ""
        return Snapshot(path, version, counts, when, kept, number, note, zone, duck, copy, missing, stack.pop_all())


def _duckdb(folder: Path, rows_there: int) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(
        # On disk the history is compressed, to a tenth, which costs a third of the time that it takes to tell it.
        str(folder / "tables.duckdb") if rows_there >= DISK_FROM else ":memory:",
        config={
            # A missing extension is a clear error at once, not an attempt to reach the network.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # A name in a query is a view, never a variable of the caller.
            "python_enable_replacements": False,
            # A table has no order, and is filled faster where none is kept.
            "preserve_insertion_order": False,
            # The file is gone with the process: no earlier DuckDB has to read it.
            "storage_compatibility_version": "latest",
            # What a million tasks need beyond this waits on disk, which costs hardly any time.
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spill"),
            # For few rows a second thread costs more than it does.
            **({} if rows_there >= ATTACH_FROM else {"threads": 1}),
        },
    )
    duck.execute("PRAGMA disable_checkpoint_on_shutdown; SET TimeZone = 'UTC'")
    duck.execute("SET pandas_analyze_sample = 0")  # what is registered is text, and no type is guessed
    # What is read once is faster written where nothing is compressed: typed is a database of its own.
    duck.execute("ATTACH ':memory:' AS typed; CREATE SCHEMA typed.stored; CREATE SCHEMA history")
    with suppress(duckdb.InvalidInputException):  # in a kernel without ipywidgets it is off, and cannot be set
        duck.execute("SET enable_progress_bar = false")
    return duck


def _present(lite: sqlite3.Connection, table: str) -> list[str]:
    here = rows.columns(lite, table)
    return [column for column in views.columns(table) if column in here]


def _count(lite: sqlite3.Connection, table: str) -> int:
    # Without an index it reads every page of the table, and meets those that are damaged.
    return int(lite.execute(f'SELECT count(*) FROM "{table}" NOT INDEXED').fetchone()[0])  # noqa: S608 - a name of TABLES


def _set_variables(
    duck: duckdb.DuckDBPyConnection,
    lite: sqlite3.Connection,
    instants: Mapping[str, datetime | None],
    project: int | None,
    timezone: str,
) -> None:
    """What the views depend on: the instants, the chosen project, and the settings that hold for it."""
    for name, instant in instants.items():
        value = instant and instant.astimezone(UTC).replace(tzinfo=None)
        duck.execute(f"SET VARIABLE {name} = CAST(? AS TIMESTAMP)", [value])
    duck.execute("SET VARIABLE project = CAST(? AS BIGINT)", [project])
    duck.execute("SET VARIABLE zone = CAST(? AS VARCHAR)", [timezone])
    started = list(settings.get(lite, "started_statuses", project))
    duck.execute("SET VARIABLE started_statuses = CAST(? AS VARCHAR[])", [started])
    weights = settings.get(lite, "size_weights", project)
    sizes = "SELECT unnest(CAST(? AS VARCHAR[])) AS complexity, unnest(CAST(? AS BIGINT[])) AS points"
    duck.execute(f"CREATE TABLE sizes AS {sizes}", [list(weights), list(weights.values())])
    duck.execute("SET VARIABLE unsized_points = CAST(? AS BIGINT)", [weights[UNSIZED]])


def _version(lite: sqlite3.Connection) -> str:
    """The newest version on record; 2.0 where none is (the shape was checked before)."""
    found = lite.execute(f"SELECT DISTINCT version FROM {table}") if (table := tracking.table(lite)) else ()  # noqa: S608
    versions = [text for (text,) in found if re.fullmatch(r"\d{1,3}(\.\d{1,3})*", str(text))]
    return max(versions, key=lambda text: [int(part) for part in text.split(".")], default="2.0")


def _refused(why: str) -> UsageError:
    return UsageError(
        "Cannot run this query",
        why.strip(),
        "One SELECT over the views works, values bound; the views are listed by "
        "sql('SELECT view_name, comment FROM duckdb_views() WHERE comment IS NOT NULL').",
    )
