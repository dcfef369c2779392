"""The changes that write rows: values for those that need them, and those that a table begins with."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dashkit import times
from dashkit.migrations import shape
from dashkit.migrations.findings import MISSING, NEEDLESS, THERE, Described, Finding, counted
from dashkit.store import instants, parents, rows, statuses

# Tables that a version 1 database found in the world may lack.
OPTIONAL = ("phases", "task_dependencies")

# Labels of sources that are columns of the table itself; any other label is an expression.
ALL_SOURCES = ("created_at", "completed_at")


@dataclass(frozen=True, eq=False, repr=False)
class Fill(Described):
    """Values for rows that need them: `needs` says which, `sources` what is put there, the first that is known.

    `used` is the SQL condition on a row by which somebody has used the column: then what is in it is a person's word,
    only what is NULL is filled, and `kept` tells of the rest. One condition drives the count, the UPDATE, and the proof
    that no other value changed.
    """

    table: str
    column: str
    needs: str
    sources: tuple[str, ...]
    labels: tuple[str, ...]
    noun: str = "tasks"
    used: str = field(default="FALSE", kw_only=True)
    kept: str = field(default="", kw_only=True)

    @property
    def sql(self) -> str:
        """The statement as specified; it is run together with the other fills of its table."""
        return f"UPDATE {self.table} SET {self.column} = {self.value(self.sources)} WHERE {self.needs}"

    def needed(self, conn: sqlite3.Connection, schema: str = "main") -> str:
        """The SQL condition on the rows that this database needs it for."""
        return f"({self.needs}) AND {self.column} IS NULL" if self.is_used(conn, schema) else self.needs

    def is_used(self, conn: sqlite3.Connection, schema: str = "main") -> bool:
        """Whether the column was there, and somebody has used it; a history that is there says so of all its values."""
        if self.used == "FALSE" or self.column not in shape.columns(conn, self.table, schema):
            return False
        asked = [f"SELECT 1 FROM {schema}.{self.table} WHERE {self.used}"]
        if self.column in shape.columns(conn, "task_events", schema):
            asked.append(f"SELECT 1 FROM {schema}.task_events WHERE {self.column} IS NOT NULL")
        return any(conn.execute(f"SELECT EXISTS ({sql})").fetchone()[0] for sql in asked)

    @staticmethod
    def value(sources: tuple[str, ...]) -> str:
        """The first source that is known, as an SQL expression."""
        return sources[0] if len(sources) == 1 else f"COALESCE({', '.join(sources)})"

    def available(self, conn: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
        """The sources that this database has, each with its label: an adopted table may lack a column."""
        have = shape.columns(conn, self.table)
        pairs = zip(self.sources, self.labels, strict=True)
        return tuple((source, label) for source, label in pairs if label not in ALL_SOURCES or label in have)

    def known(self, conn: sqlite3.Connection) -> tuple[str, ...]:
        """For each available source the SQL condition on rows that have it, as SQLite evaluates it fastest."""
        return tuple(f"{label} <> ''" if label in ALL_SOURCES else "TRUE" for _, label in self.available(conn))

    def chosen(self, conn: sqlite3.Connection) -> str:
        """The first source that is known, as `value` says, but without a call of a function for each row."""
        cases = "".join(
            f"WHEN {known} THEN {label if label in ALL_SOURCES else source} "
            for known, (source, label) in zip(self.known(conn), self.available(conn), strict=True)
        )
        return f"CASE {cases}END"

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:
        """Pending while its column is missing, or while it is not recorded and a row needs it."""
        if self.column not in shape.columns(conn, self.table):
            return MISSING
        if recorded:
            return THERE
        needed = self.needed(conn)
        wanted = conn.execute(f"SELECT EXISTS (SELECT 1 FROM {self.table} WHERE {needed})").fetchone()[0]
        return Finding("missing" if wanted else "there", notes=self._kept(conn))

    def _kept(self, conn: sqlite3.Connection) -> tuple[str, ...]:
        """What stays as somebody has set it, and the statement that fills it all the same."""
        if not self.is_used(conn):
            return ()
        each = f"count({self.column}), count(*) - count({self.column})"
        kept, filled = conn.execute(f"SELECT {each} FROM {self.table} WHERE {self.needs}").fetchone()
        if not kept:
            return ()
        _, statement = statuses.unchecked(conn)
        lead, who = "", counted(kept, self.noun)
        if filled:
            are = "is" if filled == 1 else "are"
            lead = f"{counted(filled, self.noun)} with an empty {self.column} {are} marked as {self.column}. "
            who = f"{kept:,} {'other' if kept == 1 else 'others'}"
        say, they, are = ("says", "it counts", "it is") if kept == 1 else ("say", "they count", "they are")
        return (f"{lead}{who} {say} {self.kept}, so {they} as open. If {are} done, run: {statement};",)


class Dated(NamedTuple):
    """A column whose dates a change is about: of which rows, and what becomes of one whose date cannot be read."""

    column: str
    which: str
    otherwise: str


@dataclass(frozen=True, eq=False, repr=False)
class Insert(Described):
    """Rows that a table begins with, one for each row of `of` that has what is wanted; once recorded, never again.

    `mark` is the SQL condition by which such rows are known. `dates` are columns that are read as dates, of which any
    may be missing; `dated` is the one that it is about.
    """

    table: str
    of: str
    columns: str
    select: str
    mark: str
    wanted: tuple[str, ...] = ()
    noun: str = "rows"
    dates: tuple[str, ...] = field(default=(), kw_only=True)
    dated: Dated | None = field(default=None, kw_only=True)

    @property
    def sql(self) -> str:
        """The statement, where its table has every column; how dates are read is not spelled out."""
        return f"INSERT INTO {self.table} ({self.columns}) {self.select}"

    def statements(self, conn: sqlite3.Connection) -> Iterator[str]:
        """As the table of this database needs it; none where there are no dates to read."""
        have = shape.columns(conn, self.of)
        if self.dates and not self._reads(conn):
            return
        sql = self.sql
        if lacking := [f"NULL AS {column}" for column in self.dates if column not in have]:
            sql = sql.replace(f"FROM {self.of} ", f"FROM (SELECT *, {', '.join(lacking)} FROM {self.of}) ")
        yield instants.spelled_out(sql)

    def reading(self, conn: sqlite3.Connection) -> AbstractContextManager[None]:
        """With the reader of dates; where there is no row to read, nothing is registered on what a caller gave."""
        return instants.reader(conn) if self._reads(conn) else nullcontext()

    def _reads(self, conn: sqlite3.Connection) -> bool:
        return bool(self.dates and conn.execute(f"SELECT EXISTS (SELECT 1 FROM {self.of})").fetchone()[0])

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:
        """Pending while its table is missing; or has none of these rows, with some to make, and it is not recorded."""
        if without := does_without(conn, self.of, self.wanted):
            return without
        if recorded and rows.columns(conn, self.table):
            return THERE
        if without := names_by_words(conn, self.of):
            return without
        if not rows.columns(conn, self.table):
            return MISSING
        wanted = (
            f"SELECT EXISTS (SELECT 1 FROM {self.of}) AND NOT EXISTS (SELECT 1 FROM {self.table} WHERE {self.mark})"
        )
        return MISSING if conn.execute(wanted).fetchone()[0] else THERE


def does_without(conn: sqlite3.Connection, table: str, wanted: tuple[str, ...]) -> Finding | None:
    """What a change finds that has nothing to work on: no such table, or one of another program's."""
    have = shape.columns(conn, table)
    kind, _, sql = shape.owner(conn, table) or ("", "", None)
    if not kind:
        return None if have else NEEDLESS
    kind = "virtual table" if "virtual" in shape.tokens(sql or "")[:3] else kind
    lacking = [column for column in wanted if column not in have]
    if kind == "table" and not lacking:
        return None
    what = "it" if kind == "table" else f"it is {'an' if kind == 'index' else 'a'} {kind}, and dashkit"
    needs = f"{what} expects a table with the columns {' and '.join(wanted)}"
    return _unread(table, needs)


def names_by_words(conn: sqlite3.Connection, table: str) -> Finding | None:
    """What a change finds that works on dependencies, where their table names tasks by other words than their ids."""
    if table != "task_dependencies" or not rows.columns(conn, table):
        return None
    if not (word := parents.word_of_dependencies(conn)):
        return None
    return _unread(table, f"it names tasks by words, such as {times.quoted(word)}, and not by their ids")


def _unread(table: str, why: str) -> Finding:
    told = f"dashkit cannot read dependencies from {table}: {why}. What it holds stays, and dashkit shows none of it."
    return replace(NEEDLESS, notes=(told,))
