"""The kinds of change, as data: each knows its SQL, and can look whether it is there already.

A change is found `missing`, `there`, or with something `in the way` of it. Whether it is there is decided by
looking at the database; only a fill, which leaves no shape behind, is believed to its record.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dashkit.migrations import lost, shape
from dashkit.migrations.fills import OPTIONAL, Fill, Insert, does_without, names_by_words
from dashkit.migrations.findings import EARLIER, MISSING, THERE, Described, Finding
from dashkit.migrations.moves import Move
from dashkit.store.rows import affinity

# What to do about what is in the way.
_OWNED = "If another program made what is in the way, rename or change it together with that program, on a copy first."
_VALUES = "Keep such values under another name, or turn them into what dashkit reads."
_INDEX = "Drop such an index, or make it again under another name."
_WORDS = {"TEXT": "text", "INTEGER": "whole numbers", "NUMERIC": "0 and 1", "REAL": "numbers"}

# A column of a trigger that its table need not have, by whatever name: see CreateTrigger.
_OPTIONAL_COLUMN = re.compile(r"""CAST\(\w+\.("(?:[^"]|"")+"|\w+) AS TEXT\)""")


@dataclass(frozen=True, eq=False, repr=False)
class AddColumn(Described):
    """A new column of an existing table.

    `legal` is the SQL condition that adopted values must satisfy; `untouched` the one that holds while nobody
    has written to the column since the migration. `of_any_type`: whether one that is there is adopted whatever its
    type is. `given` are values as dashkit writes them, which one that is there has to take.
    """

    table: str
    column: str
    declaration: str
    legal: str = "TRUE"
    untouched: str = "TRUE"
    of_any_type: bool = field(default=False, kw_only=True)
    given: tuple[object, ...] = field(default=(), kw_only=True)

    @property
    def sql(self) -> str:
        """The statement."""
        return f"ALTER TABLE {self.table} ADD COLUMN {self.column} {self.declaration}"

    @property
    def default(self) -> str:
        """Its default as an SQL literal."""
        return self.declaration.partition(" DEFAULT ")[2].split(" ")[0] or "NULL"

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:
        """Adopt a column of the same name that keeps what is written as ours does, and whose values are legal."""
        found = shape.columns(conn, self.table).get(self.column.lower())
        where = f"{self.table}.{self.column}"
        if found is None:
            return MISSING
        if found.generated:
            return Finding(
                "in the way", f"{where} is a generated column, and dashkit has to write to it", remedy=_OWNED
            )
        expected = affinity(self.declaration.split()[0])
        if not self.of_any_type and not found.keeps(expected):
            why = f"{where} is declared {found.declared}, and dashkit keeps {_WORDS[expected]} there"
            return Finding("in the way", why, remedy=_OWNED)
        return (None if recorded else self._stops(conn, found, where)) or self._compared(conn, found.default)

    def _stops(self, conn: sqlite3.Connection, found: shape.Column, where: str) -> Finding | None:
        """What its values, or the conditions on it, have against its adoption."""
        expected = affinity(self.declaration.split()[0])
        for condition in (self.legal, "TRUE" if self.of_any_type else found.kept(expected)):
            if (odd := shape.outside(conn, self.table, self.column, condition)).count:
                return Finding("in the way", f"{where} holds {odd}, outside of: {condition}", remedy=_VALUES)
        if value := shape.refused(conn, self.table, self.column, self.given):
            return Finding("in the way", f"{where} does not take {value}, which dashkit writes there", remedy=_OWNED)
        return None

    def _compared(self, conn: sqlite3.Connection, default: str | None) -> Finding:
        """What it has lost, and what differs from ours: another default, a condition on top, or other words."""
        where = f"{self.table}.{self.column}"
        notes: tuple[str, ...] = ()
        if self.default == "NULL" and default not in (None, "NULL"):
            notes = (f"{where} has default {default}, not {self.default}",)
        _, _, text = shape.owner(conn, self.table) or ("", "", "")
        words, mine = (
            " ".join("0" if word == "false" else word for word in shape.tokens(sql or ""))
            for sql in (text, f"{self.column} {self.declaration}")
        )
        alike = f" {mine} ," in words or f" {mine} )" in words
        if alike:
            return Finding("there", notes=notes)
        model = (f"CREATE TABLE {self.table} (id INTEGER PRIMARY KEY)", self.sql)
        gone = lost.find(conn, self.table, *model, only=self.column)
        if refused := lost.refused(conn, self.table, self.column, *model):
            notes = (*notes, f"{where} refuses {', '.join(refused)} by a condition that is not dashkit's")
        elif not gone and not notes:
            notes = (f"{where} is declared in other words than dashkit's",)
        return Finding("there", notes=notes, lost=gone)


@dataclass(frozen=True, eq=False, repr=False)
class CreateTable(Described):
    """A new table. `legal` is the SQL condition that adopted rows must satisfy.

    `replaces` are digests of what it was before its release: such a table is made again, with the rows that are
    `carried`, which have to be all.
    """

    table: str
    body: str
    legal: str = "TRUE"
    replaces: tuple[str, ...] = field(default=(), kw_only=True)
    carried: str = field(default="TRUE", kw_only=True)

    @property
    def sql(self) -> str:
        """The statement."""
        return f"CREATE TABLE {self.table} ({self.body})"

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:
        """Adopt a table that has all specified columns and keys; more of either is the user's."""
        found = shape.owner(conn, self.table)
        if found is None:
            return MISSING
        if found[0] != "table" or "virtual" in shape.tokens(found[2] or "")[:3]:
            kind = "virtual table" if found[0] == "table" else found[0]
            return _taken(self.table, kind)
        if self.is_earlier(found[2]):
            odd = _count_unless(conn, self.table, self.carried)
            why = f"rows of {self.table} that lack what its new key needs ({self.carried}): {odd:,}"
            return Finding("in the way", why, remedy=_VALUES) if odd else EARLIER
        ours = shape.grown(shape.tokens(found[2] or ""), shape.tokens(self.sql))
        gone = () if ours else lost.find(conn, self.table, self.sql)
        if not ours and (lacks := lost.lacks(conn, self.table, self.sql, gone if recorded else ())):
            why = f"a table {self.table} exists already, without {lacks} that dashkit needs"
            return Finding("in the way", why, remedy=_OWNED)
        if not recorded and (odd := _count_unless(conn, self.table, self.legal)):
            return Finding("in the way", f"{self.table} holds {odd:,} rows outside of: {self.legal}", remedy=_VALUES)
        notes = () if ours or gone else (f"{self.table} is declared in other words than dashkit's",)
        return Finding("there", notes=notes, lost=gone)

    def is_earlier(self, sql: str | None) -> bool:
        """Whether a table of this text is this one as an earlier commit made it."""
        return shape.digest(sql or "") in self.replaces

    def statements(self, conn: sqlite3.Connection) -> Iterator[str]:
        """Where an earlier form is there: its rows, and to the byte its indexes and triggers, come into the new one."""
        if shape.owner(conn, self.table) is None:
            yield self.sql
            return
        names = ", ".join(shape.quoted(column.name) for column in shape.columns(conn, self.table).values())
        beside = shape.beside(conn, self.table)
        yield f"CREATE TEMP TABLE dashkit_carried AS SELECT {names} FROM main.{self.table}"
        yield f"DROP TABLE main.{self.table}"
        yield self.sql
        yield f"INSERT INTO main.{self.table} ({names}) SELECT {names} FROM temp.dashkit_carried ORDER BY rowid"
        yield "DROP TABLE temp.dashkit_carried"
        yield from beside


@dataclass(frozen=True, eq=False, repr=False)
class CreateIndex(Described):
    """A new index."""

    index: str
    table: str
    columns: str
    where: str = ""

    @property
    def sql(self) -> str:
        """The statement."""
        condition = f" WHERE {self.where}" if self.where else ""
        return f"CREATE INDEX {self.index} ON {self.table} ({self.columns}){condition}"

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:  # noqa: ARG002 - one signature for all kinds
        """An index of this name must be this index: IF NOT EXISTS would accept any other."""
        found = shape.owner(conn, self.index)
        if found is None:
            return MISSING
        if found[0] != "index":
            return _taken(self.index, found[0])
        expected = (self.table, tuple(self.columns.split(", ")), " ".join(shape.tokens(self.where)))
        unique = "unique" in shape.tokens(found[2] or "")[1:2]
        if unique or shape.index_shape(conn, self.index) != expected:
            table, parts, where = shape.index_shape(conn, self.index)
            kind = "a unique index" if unique else "an index"
            of = f"{table}({', '.join(parts)}){f' where {where}' if where else ''}"
            needed = f"{self.table}({self.columns}){f' where {self.where}' if self.where else ''}"
            why = f"{kind} named {self.index} exists already, on {of}; dashkit needs that name for {needed}"
            return Finding("in the way", why, remedy=_INDEX)
        return THERE


@dataclass(frozen=True, eq=False, repr=False)
class CreateTrigger(Described):
    """A new trigger. Where its table is not there (a version 1 found in the world may lack it) nothing is to watch.

    Nor is there where a table of OPTIONAL is another program's: it lacks a column of `wanted`, or is a view.

    Of a column that its table need not have (`optional`) the body says `CAST(NEW.column AS TEXT)`, or NULL where the
    table has none. `replaces` are digests of what it was before its release.
    """

    trigger: str
    table: str
    body: str
    optional: tuple[str, ...] = field(default=(), kw_only=True)
    wanted: tuple[str, ...] = field(default=(), kw_only=True)
    replaces: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def sql(self) -> str:
        """The statement, where its table has every column."""
        return self._text(())

    def _text(self, lacking: tuple[str, ...]) -> str:
        body = re.sub(rf"CAST\(\w+\.({'|'.join(lacking)}) AS TEXT\)", "NULL", self.body) if lacking else self.body
        return f"CREATE TRIGGER {self.trigger} {body}"

    def _fitting(self, conn: sqlite3.Connection) -> str:
        """The statement that fits the table of this database."""
        have = shape.columns(conn, self.table)
        return self._text(tuple(column for column in self.optional if column not in have))

    def is_earlier(self, sql: str | None) -> bool:
        """Whether a trigger of this text is ours: as an earlier commit made it, or for a table of other columns.

        Where a column is renamed SQLite writes its new name into the trigger.
        """
        bare = _OPTIONAL_COLUMN.sub("NULL", sql or "")
        mine = (*self.replaces, shape.digest(self._text(self.optional)))
        return shape.digest(sql or "") in self.replaces or shape.digest(bare) in mine

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:  # noqa: ARG002 - one signature for all kinds
        """A trigger of this name must be this trigger; one of ours that is another by now is replaced."""
        found = self._there(conn)
        if found is None:
            # Its table may be one that an earlier change of the same run makes.
            without = does_without(conn, self.table, self.wanted) if self.table in OPTIONAL else None
            return without or names_by_words(conn, self.table) or MISSING
        if shape.tokens(found[0] or "") == shape.tokens(self._fitting(conn)):
            return THERE
        if self.is_earlier(found[0]):
            return EARLIER
        return Finding("in the way", f"another trigger named {self.trigger} exists already", remedy=_OWNED)

    def _there(self, conn: sqlite3.Connection) -> tuple[str | None] | None:
        sql = "SELECT sql FROM main.sqlite_master WHERE type = 'trigger' AND lower(name) = lower(?)"
        found: tuple[str | None] | None = conn.execute(sql, (self.trigger,)).fetchone()
        return found

    def statements(self, conn: sqlite3.Connection) -> Iterator[str]:
        """As the table of this database needs it."""
        if self._there(conn):
            yield f"DROP TRIGGER {self.trigger}"
        yield self._fitting(conn)


Change = AddColumn | CreateTable | CreateIndex | CreateTrigger | Fill | Insert | Move


class Step(NamedTuple):
    """An ordered group of changes; the title is its line in the documentation."""

    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Version:
    """One schema version: its number and its steps, in the order in which they are reported.

    The rest is for files that an earlier commit made at this version, before its release: `moves`, whose rows no other
    file has, and by the name of a change the checksums that other texts of it were recorded with.
    """

    number: str
    steps: tuple[Step, ...]
    moves: tuple[Move, ...] = ()
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in the order of the report."""
        return tuple(change for step in self.steps for change in step.changes)


def _taken(name: str, kind: str) -> Finding:
    why = f"the name {name} is taken by {'an' if kind == 'index' else 'a'} {kind}"
    return Finding("in the way", why, remedy=_INDEX if kind == "index" else _OWNED)


def _count_unless(conn: sqlite3.Connection, table: str, condition: str) -> int:
    if condition == "TRUE":
        return 0
    return int(conn.execute(f"SELECT count(*) FROM {table} WHERE NOT ({condition})").fetchone()[0])
