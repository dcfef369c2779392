"""What is in the way of a change, and the statements that get it out of the way: whatever it is, it is kept."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashkit.migrations import engine, shape, texts
from dashkit.migrations.changes import AddColumn, CreateIndex, CreateTable, CreateTrigger
from dashkit.migrations.findings import counted
from dashkit.migrations.surveys import Item
from dashkit.store import values

_ASIDE = "_other"
_HISTORY = ("task_events", "dependency_events")
_KEEP = "keep these values under another name, if no other program writes the column"
_TURN = "turn them into what dashkit reads"


@dataclass(frozen=True)
class Choice:
    """One way to get something out of the way: what it is in words, its statements, and what they do."""

    what: str
    statement: str
    effect: str = ""


@dataclass(frozen=True)
class Way:
    """What is in the way by its name, such as a column, and the ways to get it out; of several people choose one."""

    name: str
    choices: tuple[Choice, ...]

    def only(self, statements: Iterable[str]) -> "Way":
        """With those choices alone that have one of some statements; with all of them where that would leave none."""
        left = tuple(choice for choice in self.choices if choice.statement in set(statements))
        return Way(self.name, left or self.choices)

    @property
    def is_open(self) -> bool:
        """Whether people have to choose."""
        return len(self.choices) > 1


def ways(conn: sqlite3.Connection, items: Iterable[Item]) -> list[Way]:
    """What gets everything that is in the way of these changes out of it; they all have something there."""
    found = {way.choices: way for item in items if (way := _way(conn, item))}
    return list(found.values())


def columns(items: Iterable[Item]) -> set[str]:
    """The columns that are in the way, each as `table.column`: of what they hold nothing else is to be said."""
    return {f"{one.table}.{one.column}" for item in items if isinstance(one := item.change, AddColumn)}


def _way(conn: sqlite3.Connection, item: Item) -> Way | None:
    change = item.change
    if isinstance(change, AddColumn):
        return Way(change.name, _of_column(conn, change))
    statement = ""
    if isinstance(change, CreateTrigger):
        statement = _trigger(conn, change.trigger)
    elif isinstance(change, CreateIndex):
        statement = _put_aside(conn, change.index)
    elif isinstance(change, CreateTable):
        statement = _table(conn, item, change)
    return Way(change.name, (Choice("", statement),)) if statement else None


def _of_column(conn: sqlite3.Connection, change: AddColumn) -> tuple[Choice, ...]:
    """A column stays under another name, or its values become what dashkit reads.

    In `checked` a word is what a person has said, so the only way is the second one.
    """
    found = shape.columns(conn, change.table)[change.column]
    keep = Choice(_KEEP, _renamed(conn, change), "No row changes, and dashkit's own column begins as a new one.")
    others: list[Choice] = []
    if read := values.reading(change.name):
        takes = (change.of_any_type or found.keeps("NUMERIC")) and not found.generated
        takes = takes and not shape.refused(conn, change.table, change.column, change.given)
        turn, known = _turned(conn, change, read, takes, keep.statement)
        if change.column == "checked":
            return (turn,)
        others = [turn] if known else []
    elif found.keeps("TEXT") and found.affinity == "NUMERIC" and not found.generated:
        others = [_emptied(conn, change, found)]
    return (keep, *others) if others else (replace(keep, effect=""),)


def _turned(conn: sqlite3.Connection, change: AddColumn, read: str, takes: bool, rename: str) -> tuple[Choice, int]:
    """Values become what dashkit reads, in their place where the column takes that; and how many can be read."""
    here = f"{change.column} IS NOT NULL" + (f" AND NOT ({change.legal})" if takes else "")
    known, unknown = (
        _count(conn, change.table, f"{here} AND ({read.format(change.column)}) IS {negated}NULL")
        for negated in ("NOT ", "")
    )
    words = " Words for yes become 1, words for no 0." if change.column == "checked" else ""
    if takes and not (words and unknown):
        sets = read.format(change.column)
        statement = f"UPDATE {change.table} SET {change.column} = {sets} WHERE {values.odd(change.name)}"
        empties = f", and empties {unknown:,} of them" if unknown else ""
        return Choice(_TURN, statement, f"It changes {counted(known + unknown, 'rows')}{empties}.{words}"), known
    other = _aside(conn, change)
    sets = f"UPDATE {change.table} SET {change.column} = {read.format(other)} WHERE {other} IS NOT NULL"
    rest = f"; {counted(unknown, 'rows')} of other values are left out" if unknown else ""
    effect = f"It makes {counted(known, 'values')} of the old ones, which stay in {other}{rest}.{words}"
    return Choice(_TURN, f"{rename}; {change.sql}; {sets}", effect), known


def _emptied(conn: sqlite3.Connection, change: AddColumn, found: shape.Column) -> Choice:
    """Numbers in a column of dates say nothing that can be read."""
    odd = f"NOT {found.kept('TEXT')}"
    count = counted(_count(conn, change.table, odd), "rows")
    return Choice("empty them", f"UPDATE {change.table} SET {change.column} = NULL WHERE {odd}", f"It changes {count}.")


def _renamed(conn: sqlite3.Connection, change: AddColumn) -> str:
    """The statement that gives a column another name; our own indexes and triggers on it are made again later."""
    sql = "SELECT type, name, sql FROM main.sqlite_master WHERE lower(tbl_name) = ? AND type IN ('index', 'trigger')"
    ours = {word for version in ("2.0", "2.1") for text in engine.statements(version) for word in text.split()[2:3]}
    drops = [
        f"DROP {kind.upper()} {name}"
        for kind, name, text in conn.execute(sql, (change.table,)).fetchall()
        if name in ours and change.column in {word.name for word in texts.words(text or "")}
    ]
    rename = f"ALTER TABLE {change.table} RENAME COLUMN {change.column} TO {_aside(conn, change)}"
    return "; ".join((*drops, rename))


def _aside(conn: sqlite3.Connection, change: AddColumn) -> str:
    return _free(conn, change.column, shape.columns(conn, change.table))


def _count(conn: sqlite3.Connection, table: str, condition: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0])


def _trigger(conn: sqlite3.Connection, name: str) -> str:
    """One of ours that another program changed comes back anew; one of theirs stays, under another name."""
    sql = "SELECT sql FROM main.sqlite_master WHERE type = 'trigger' AND lower(name) = lower(?)"
    (text,) = conn.execute(sql, (name,)).fetchone()
    if {word.name for word in texts.words(text)} & {*_HISTORY, "git_repo_commits"}:
        return f"DROP TRIGGER {name}"
    return f"DROP TRIGGER {name}; {_under(text, name, _free(conn, name, ()))}"


def _table(conn: sqlite3.Connection, item: Item, change: CreateTable) -> str:
    kind, _, text = shape.owner(conn, change.table) or ("", "", "")
    if kind != "table" or item.checksum is None:
        is_ours = kind == "table" and not shape.lacks(conn, change.table, change.sql)
        return values.fix(f"{change.table}.confidence") if is_ours else _put_aside(conn, change.table)
    if change.is_earlier(text):
        return f"DELETE FROM {change.table} WHERE NOT ({change.carried})"
    return _made_again(conn, change.table, item.version)


def _put_aside(conn: sqlite3.Connection, name: str) -> str:
    """Whatever has a name gets another one."""
    kind, _, text = shape.owner(conn, name) or ("", "", "")
    other = _free(conn, name, ())
    if kind == "table":
        return f"ALTER TABLE {name} RENAME TO {other}"
    if kind == "view":
        return _view_aside(conn, name, other)
    return f"DROP {kind.upper()} {name}; {_under(text or '', name, other)}"


def _view_aside(conn: sqlite3.Connection, name: str, other: str) -> str:
    """A view gets another name, and what reads it or writes to it follows: SQLite renames tables alone."""
    known = shape.definitions(conn)
    again = [key for key in known if key[0] == "view" and _reads(key, known[key][1], name)]
    views = {view.lower() for _, view in again}
    # With a view its triggers go.
    again += [
        key
        for key, (of, sql) in known.items()
        if key[0] == "trigger" and (of.lower() in views or _reads(key, sql, name))
    ]
    drops = [f"DROP {kind.upper()} {shape.quoted(one)}" for kind, one in reversed(again)]
    made = [" ".join(texts.renamed(known[key][1] or "", name, other).split()) for key in again]
    return "; ".join((*drops, *made))


def _reads(key: tuple[str, str], sql: str | None, name: str) -> bool:
    """Whether an object is the one of a name, or its text has that name in it."""
    return key[1].lower() == name.lower() or texts.renamed(sql or "", name, "") != sql


def _under(text: str, name: str, other: str) -> str:
    """The statement that makes an object under another name."""
    word = next(word for word in texts.words(text) if word.name == name.lower())
    return " ".join(f"{text[: word.start]}{other}{text[word.end :]}".split())


def _free(conn: sqlite3.Connection, name: str, columns: Iterable[str]) -> str:
    """A name that nothing has."""
    taken = {*columns, *(known.lower() for _, known in shape.definitions(conn))}
    other = f"{name}{_ASIDE}"
    while other.lower() in taken:
        other += "_"
    return other


def _made_again(conn: sqlite3.Connection, table: str, version: str) -> str:
    """A table of ours that another program made anew without what makes a row one: as it was, with all of its rows.

    What that program added stays: columns, indexes and triggers.
    """
    known = [" ".join(statement.split()) for statement in engine.statements(version)]
    ours = next(text for text in known if text.startswith(f"CREATE TABLE {table} ("))
    parts = texts.parts(ours)
    key = next((part[0].name for part in parts if [one.keyword for one in part[2:4]] == ["primary", "key"]), "")
    new = _free(conn, table, ())
    columns, added = _columns(conn, table, new, {part[0].name for part in parts})
    mine = {word for text in known for word in text.split()[2:3]}
    beside = [" ".join(text.split()) for text in shape.beside(conn, table) if texts.words(text)[2].name not in mine]
    return "; ".join(
        (
            "PRAGMA foreign_keys = OFF",
            "PRAGMA legacy_alter_table = ON",
            ours.replace(f"CREATE TABLE {table} (", f"CREATE TABLE {new} (", 1),
            *added,
            f"INSERT INTO {new} ({', '.join(columns)}) {_once(table, columns, key)}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {new} RENAME TO {table}",
            *beside,
        )
    )


def _columns(conn: sqlite3.Connection, table: str, new: str, ours: set[str]) -> tuple[list[str], list[str]]:
    """The columns of a table as SQL, and the statements that add those of another program to a new one of ours."""
    columns, added = [], []
    for column in shape.columns(conn, table).values():
        if column.generated:
            continue
        is_ours = column.name.lower() in ours
        columns.append(column.name if is_ours else shape.quoted(column.name))
        added += [] if is_ours else [f"ALTER TABLE {new} ADD COLUMN {columns[-1]} {column.declared}".rstrip()]
    return columns, added


def _once(table: str, columns: list[str], key: str) -> str:
    """The rows of a table, each once; another event of the same number gets its own, elsewhere the first one stays."""
    listed = ", ".join(columns)
    rows = f"SELECT DISTINCT {listed} FROM {table}"
    if not key:
        return rows
    place = f"row_number() OVER (PARTITION BY {key})"
    if table not in _HISTORY:
        return f"SELECT {listed} FROM (SELECT *, {place} AS place FROM ({rows})) WHERE place = 1"
    values = ", ".join(f"CASE WHEN {place} = 1 THEN {key} END" if one.lower() == key else one for one in columns)
    return f"SELECT {values} FROM ({rows})"
