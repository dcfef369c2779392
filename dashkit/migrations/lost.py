"""What another program took away from a table when it made that anew: conditions, keys and defaults of ours.

A table is compared with what our own statements make, by what SQLite says of both. Whether a CHECK is still there is
tried: with values that ours refuses, since the same condition can be written in many ways.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from dashkit.migrations import shape, texts
from dashkit.store.rows import affinity

Kind = Literal["column", "NOT NULL", "DEFAULT", "CHECK", "UNIQUE", "REFERENCES", "ON DELETE"]
# What a table that was adopted need not have had: there it is not lost.
NOT_NEEDED: tuple[Kind, ...] = ("NOT NULL", "DEFAULT", "CHECK")
BY_STATEMENT: tuple[Kind, ...] = ("column", "UNIQUE")  # what comes back by a statement, and not in the table's text
# Our CHECKs take some of these and refuse the others; the same condition in other words does the same.
_TRIED: tuple[str | float | None, ...] = ("huge", "s", "", "XXL", -1, 7, 0, 1, 0.5, "S", "M", "L", "XL", None)


@dataclass(frozen=True)
class Lost:
    """One thing that a table has lost: what, and what that allows now.

    Args:
        kind: which.
        table: the table.
        column: its column; of a key of several columns all of them.
        clause: as our statement had it.
        allows: what can happen now, in words.
        broken: how many rows break it already, so that it cannot come back as they are.
        clearing: the statement after which none does.
    """

    kind: Kind
    table: str
    column: str
    clause: str
    allows: str
    broken: int = 0
    clearing: str = ""

    @property
    def where(self) -> str:
        """The table and its column."""
        return self.table if self.kind in BY_STATEMENT else f"{self.table}.{self.column}"

    def __str__(self) -> str:
        return f"{self.where} has lost its {self.clause}: {self.allows}"

    @property
    def index(self) -> str:
        """The index that brings a key back."""
        return f"dashkit_{self.table}_{self.column.replace(', ', '_')}"

    @property
    def statement(self) -> str:
        """The statement that brings it back; empty where the text of its table does."""
        if self.kind == "UNIQUE":
            return f"CREATE UNIQUE INDEX {self.index} ON {self.table} ({self.column})"
        if self.kind == "column":
            return f"ALTER TABLE {self.table} ADD COLUMN {self.clause.removeprefix('column ')}"
        return ""

    def mended(self, sql: str) -> str:
        """The text of the table with it; as it was where that is not what brings it back."""
        if self.kind in BY_STATEMENT:
            return sql
        if self.kind == "ON DELETE":
            return texts.with_action(sql, self.column, self.clause.removeprefix("ON DELETE "))
        if self.kind == "DEFAULT":
            return texts.with_default(sql, self.column, self.clause.removeprefix("DEFAULT "))
        return texts.with_clause(sql, self.column, self.clause)


def find(conn: sqlite3.Connection, table: str, *statements: str, only: str = "") -> tuple[Lost, ...]:
    """What a table that is there has lost of what our statements make.

    Args:
        conn: the database.
        table: the table.
        statements: ours, which make it.
        only: a column, of which alone is spoken.
    """
    with closing(sqlite3.connect(":memory:")) as model:
        for statement in statements:
            model.execute(statement)
        columns = [name for name in shape.columns(model, table) if only in ("", name)]
        found = [*_columns(conn, model, table, columns), *_references(conn, model, table, columns)]
        found += _checks(conn, model, table, columns)
        if not only:
            found += _keys(conn, model, table)
    text = _text(conn, table)
    return tuple(one for one in found if _can_be_mended(one, text))


def keys_of(
    conn: sqlite3.Connection, before: sqlite3.Connection, table: str, columns: Sequence[str]
) -> tuple[Lost, ...]:
    """What the foreign keys of a table have lost of what they had in another database, an earlier state of this one."""
    text = _text(conn, table)
    return tuple(one for one in _references(conn, before, table, list(columns)) if _can_be_mended(one, text))


def _can_be_mended(lost: Lost, text: str) -> bool:
    """Whether the text of its table is one that can be read; of another nothing is said."""
    try:
        lost.mended(text)
    except LookupError:
        return False
    return True


def refused(conn: sqlite3.Connection, table: str, column: str, *statements: str) -> tuple[str, ...]:
    """Values that our own CHECK of a column takes and the table refuses, as SQL literals."""
    with closing(sqlite3.connect(":memory:")) as model:
        for statement in statements:
            model.execute(statement)
        mine, theirs = (_taken(one, table, column) for one in (model, conn))
    return tuple(_literal(conn, value) for value in mine if value not in theirs)


def lacks(conn: sqlite3.Connection, table: str, sql: str, found: Sequence[Lost]) -> str:
    """What a table has not of what a statement would make, and would not have with all that was found back."""
    if not found:
        return shape.lacks(conn, table, sql)
    text = _text(conn, table)
    for one in found:
        text = one.mended(text)
    indexes = "SELECT sql FROM main.sqlite_master WHERE type = 'index' AND lower(tbl_name) = ? AND sql IS NOT NULL"
    statements = [text, *(row[0] for row in conn.execute(indexes, (table,)))]
    statements += [one.statement for one in found if one.statement]
    with closing(sqlite3.connect(":memory:")) as trial:
        try:
            for statement in statements:
                trial.execute(statement)
        except sqlite3.Error:  # it needs what its own program brings
            return shape.lacks(conn, table, sql)
        return shape.lacks(trial, table, sql)


def _text(conn: sqlite3.Connection, table: str) -> str:
    _, _, sql = shape.owner(conn, table) or ("", "", "")
    return sql or ""


def _facts(conn: sqlite3.Connection, table: str) -> dict[str, tuple[str, bool, str | None, bool]]:
    """By column: its declared type, whether it is NOT NULL, its default, and whether it is of the primary key."""
    rows = conn.execute(f"PRAGMA table_info({shape.quoted(table)})").fetchall()
    return {name.lower(): (kind, bool(notnull), default, bool(pk)) for _, name, kind, notnull, default, pk in rows}


def _columns(conn: sqlite3.Connection, model: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Lost]:
    here, ours = _facts(conn, table), _facts(model, table)
    for column in columns:
        kind, is_needed, default, is_key = ours[column]
        if column not in here:
            if not is_needed and not is_key:
                declared = next(part for part in texts.parts(_text(model, table)) if part[0].name == column)
                text = _text(model, table)[declared[0].start : declared[-1].end]
                yield Lost("column", table, column, f"column {text}", "what was in it is in the backups alone")
            continue
        if is_needed and not is_key and not here[column][1]:
            empty = f"{column} IS NULL"
            filling = default or ("''" if affinity(kind) == "TEXT" else "0")
            clearing = f"UPDATE {table} SET {column} = {filling} WHERE {empty}"
            if column in {name for name, *_ in shape.foreign_keys(model, table)}:
                clearing = f"DELETE FROM {table} WHERE {empty}"
            yield Lost("NOT NULL", table, column, "NOT NULL", "it may be empty", _count(conn, table, empty), clearing)
        if default is not None and _plain(default) != _plain(here[column][2]):
            value = "no value in it" if here[column][2] is None else f"{here[column][2]} in it"
            yield Lost("DEFAULT", table, column, f"DEFAULT {default}", f"rows that another program adds have {value}")


def _plain(default: str | None) -> str:
    """A default as what it is: FALSE is 0, and parentheses say nothing."""
    bare = (default or "NULL").strip("() ").upper()
    return {"FALSE": "0", "TRUE": "1"}.get(bare, bare)


def _references(conn: sqlite3.Connection, model: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Lost]:
    here = {column: (parent, action) for column, parent, action in shape.foreign_keys(conn, table)}
    known = shape.columns(conn, table)
    rows = model.execute(f"PRAGMA foreign_key_list({shape.quoted(table)})").fetchall()
    for _, _, parent, name, named, _, action, _ in sorted(rows, key=lambda row: str(row[3])):
        column, key = name.lower(), named or "id"
        if column not in columns or column not in known or (parent.lower(), action) == here.get(column):
            continue
        if key.lower() not in shape.columns(conn, parent):
            continue
        if column not in here:
            clause = f"REFERENCES {parent}({key}) ON DELETE {action}"
            broken = f"{column} IS NOT NULL AND {column} NOT IN (SELECT {key} FROM {parent})"
            allows = f"it may name a row of {parent} that is not there"
            yield Lost("REFERENCES", table, column, clause, allows, _count(conn, table, broken))
        elif here[column][0] == parent.lower():
            allows = f"a row of {parent} that is named here cannot be deleted where foreign keys are enforced"
            if here[column][1] not in ("NO ACTION", "RESTRICT"):
                allows = f"when a row of {parent} is deleted, it does {here[column][1]}"
            yield Lost("ON DELETE", table, column, f"ON DELETE {action}", allows)


def _checks(conn: sqlite3.Connection, model: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Lost]:
    here = _facts(conn, table)
    for condition in texts.checks(_text(model, table)):
        named = {word.name for word in texts.words(condition)}
        for column in (one for one in columns if one in named and one in here):
            mine, theirs = (_taken(one, table, column) for one in (model, conn))
            allowed = [value for value in theirs if value not in mine]
            if allowed:
                is_text = affinity(here[column][0]) == "TEXT"
                example = next((value for value in allowed if isinstance(value, str) == is_text), allowed[0])
                broken = _count(conn, table, f"NOT ({condition})")
                allows = f"it may hold other values, such as {_literal(conn, example)}"
                clearing = f"DELETE FROM {table} WHERE NOT ({condition})" if here[column][3] else ""
                yield Lost("CHECK", table, column, f"CHECK ({condition})", allows, broken, clearing)


def _taken(conn: sqlite3.Connection, table: str, column: str) -> list[str | float | None]:
    """Which values the CHECKs of a table take in a column, where all others are NULL."""
    declared = ", ".join(
        f"{shape.quoted(name)} {affinity(kind) if name == column else ''}"
        for name, (kind, *_) in _facts(conn, table).items()
    )
    conditions = texts.checks(_text(conn, table))
    taken = []
    with closing(sqlite3.connect(":memory:")) as trial:
        trial.execute(f"CREATE TABLE trial ({declared})")
        for value in _TRIED:
            trial.execute("DELETE FROM trial")
            trial.execute(f"INSERT INTO trial ({shape.quoted(column)}) VALUES (?)", (value,))
            taken += [value] if all(_takes(trial, condition) for condition in conditions) else []
    return taken


def _takes(trial: sqlite3.Connection, condition: str) -> bool:
    try:
        verdict = trial.execute(f"SELECT ({condition}) IS NOT FALSE FROM trial").fetchone()[0]
    except sqlite3.Error:  # it calls a function of its own program: what that says nobody knows here
        return True
    return bool(verdict)


def _keys(conn: sqlite3.Connection, model: sqlite3.Connection, table: str) -> Iterator[Lost]:
    here = shape.columns(conn, table)
    if shape.row_key(conn, table) != "rowid":
        return
    for key in sorted(shape.keys(model, table) - shape.keys(conn, table), key=sorted):
        if not key <= here.keys() or is_row_id(model, table, key):  # no index can bring back a row id
            continue
        names = ", ".join(name for name in here if name in key)
        told = " AND ".join(f"{name} IS NOT NULL" for name in names.split(", "))
        doubles = f"{told} AND rowid NOT IN (SELECT min(rowid) FROM {table} GROUP BY {names})"
        broken, clearing = _count(conn, table, doubles), f"DELETE FROM {table} WHERE {doubles}"
        yield Lost("UNIQUE", table, names, f"UNIQUE ({names})", "the same can be there twice", broken, clearing)


def is_row_id(conn: sqlite3.Connection, table: str, key: frozenset[str]) -> bool:
    """Whether a key is the row id itself, as INTEGER PRIMARY KEY is."""
    facts = [_facts(conn, table)[name] for name in key]
    return len(facts) == 1 and facts[0][0].upper() == "INTEGER" and facts[0][3]


def _count(conn: sqlite3.Connection, table: str, condition: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0])


def _literal(conn: sqlite3.Connection, value: object) -> str:
    return str(conn.execute("SELECT quote(?)", (value,)).fetchone()[0])
