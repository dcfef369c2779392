"""How the tables of a private copy get into DuckDB, as text that views.py casts.

`copy` reads them through sqlite3, `attach` through DuckDB's extension for SQLite: the same rows, and no bad value
spoils them.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import util
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np

from dashkit import connection, times, views

Load = Literal["copy", "attach"]

TEXT = partial(str, encoding="utf-8", errors="replace")
BATCH = 20_000  # rows


@dataclass
class Copy:
    """Our private copy of the database, whose tables go to DuckDB as typed.<table>.

    Args:
        path: of the live file.
        file: the copy.
        here: which columns it has.
        rows: how many rows each of its tables has.
        load: how they get into DuckDB.
    """

    path: str
    file: Path
    here: views.Shape
    rows: Mapping[str, int]
    load: Load = "copy"

    def attach(self, duck: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB read the copy through its SQLite extension; where that is missing all stays as it is."""
        try:
            if bundled := extension():
                duck.load_extension(str(bundled))
            else:
                duck.execute("LOAD sqlite_scanner")
        except duckdb.Error:
            return
        duck.execute("SET sqlite_all_varchar = true")
        # ATTACH takes no bound value.
        duck.execute("ATTACH '" + str(self.file).replace("'", "''") + "' AS source (TYPE sqlite, READ_ONLY)")
        self.load = "attach"

    def make(self, duck: duckdb.DuckDBPyConnection, table: str) -> None:
        """Make typed.<table>."""
        if self.load == "attach":
            with suppress(duckdb.Error), transaction(duck):  # it may be of no use: the copy says so in words
                if filled := self._begun(duck, table):
                    # The extension hands text that is no UTF-8 on unchecked, and Python would stumble over it.
                    values = views.typed(table, filled, f"source.{table}", checked=True)
                    duck.execute(f"INSERT INTO {views.STORED}.{table} BY NAME {values}")
                    _complete(duck, table, filled)
                return
            self.load = "copy"
        with transaction(duck), connection.explained(Path(self.path), "read"):
            if filled := self._begun(duck, table):
                try:
                    self._read(duck, table, filled, str)
                except sqlite3.OperationalError:  # some of it is no UTF-8: it comes with replacement characters
                    duck.execute(f"DELETE FROM {views.STORED}.{table}")  # noqa: S608
                    self._read(duck, table, filled, TEXT)
                _complete(duck, table, filled)

    def _begun(self, duck: duckdb.DuckDBPyConnection, table: str) -> list[str]:
        """Make the table without rows; the columns to fill it with, none where no row says anything."""
        filled = self._filled(table)
        duck.execute(views.empty(table, filled) if filled else views.complete(table, filled, has_bad=False))
        return filled

    def _filled(self, table: str) -> list[str]:
        """The columns of a table in which some row says something."""
        columns = self.here[table] if self.rows.get(table) else []
        waiting, found = list(columns), set()
        with connection.explained(Path(self.path), "read"), closing(connection.connect_immutable(self.file)) as lite:
            while waiting:
                are = [f'"{column}" IS NOT NULL' for column in waiting]
                some = f'SELECT {", ".join(are)} FROM "{table}" WHERE {" OR ".join(are)} LIMIT 1'  # noqa: S608 - names of TABLES
                first = lite.execute(some).fetchone()
                if first is None:
                    break
                found |= {column for column, is_there in zip(waiting, first, strict=True) if is_there}
                waiting = [column for column in waiting if column not in found]
        return [column for column in columns if column in found]

    def _read(
        self, duck: duckdb.DuckDBPyConnection, table: str, filled: Sequence[str], text: Callable[[bytes], str]
    ) -> None:
        """Bring a table in through sqlite3."""
        texts = ", ".join(f'CAST("{column}" AS TEXT)' for column in filled)
        insert = f"INSERT INTO {views.STORED}.{table} BY NAME {views.typed(table, filled, 'batch')}"
        with closing(connection.connect_immutable(self.file)) as lite:
            lite.text_factory = text
            cursor = lite.execute(f'SELECT {texts} FROM "{table}"')  # noqa: S608 - names of TABLES
            while batch := cursor.fetchmany(BATCH):
                # Arrays are much faster than bound values, and than a DataFrame.
                texts_of = (np.fromiter(values, object, len(batch)) for values in zip(*batch, strict=True))
                duck.register("batch", dict(zip(filled, texts_of, strict=True)))
                duck.execute(insert)
                duck.unregister("batch")


def extension() -> Path | None:
    """DuckDB's extension for SQLite, from the package that carries it for exactly this DuckDB; None: not installed."""
    spec = util.find_spec("duckdb_extension_sqlite_scanner")
    for folder in spec.submodule_search_locations or () if spec else ():
        file = Path(folder, "extensions", f"v{duckdb.__version__}", "sqlite_scanner.duckdb_extension")
        if file.is_file():
            return file
    return None


@contextmanager
def transaction(duck: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is done in it, or nothing."""
    duck.begin()
    try:
        yield
        duck.commit()
    except BaseException:
        with suppress(duckdb.Error):
            duck.rollback()
        raise


def _complete(duck: duckdb.DuckDBPyConnection, table: str, filled: Sequence[str]) -> None:
    """Have times.read read what views.typed has left, each text once, and make the view of the table.

    In nearly every database nothing is left, and nothing bad.
    """
    stored = f"{views.STORED}.{table}"
    has_bad = duck.execute(f"SELECT EXISTS (FROM {stored} WHERE bad IS NOT NULL)").fetchall() == [(True,)]
    for column, query in views.unread(table, filled).items() if has_bad else ():
        read = [(text, found) for (text,) in duck.execute(query).fetchall() if (found := times.read(text))]
        texts = np.array([text for text, _ in read], object)
        instants = np.array([found.at.replace(tzinfo=None) for _, found in read], "datetime64[us]")
        days = np.array([found.day for _, found in read], "datetime64[us]")
        duck.register("given", {"text": texts, "at": instants, "day": days})
        duck.execute(views.put_back(table, column, "given"))
        duck.unregister("given")
    if not has_bad:
        duck.execute(f"ALTER TABLE {stored} DROP COLUMN bad")
    duck.execute(views.complete(table, filled, has_bad=has_bad))
