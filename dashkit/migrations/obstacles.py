"""What is in the way of a change, and the statements that get it out of the way: whatever it is, it is kept."""

import sqlite3
from collections.abc import Iterable

from dashkit.migrations import engine, shape, texts
from dashkit.migrations.changes import AddColumn, CreateIndex, CreateTable, CreateTrigger
from dashkit.migrations.surveys import Item
from dashkit.store import values

_ASIDE = "_other"
_HISTORY = ("task_events", "dependency_events")


def clearing(conn: sqlite3.Connection, items: Iterable[Item]) -> list[str]:
    """The statements after which nothing is in the way of these changes, all of which have something in the way."""
    found = (_clearing(conn, item) for item in items)
    return list(dict.fromkeys(statement for statement in found if statement))


def _clearing(conn: sqlite3.Connection, item: Item) -> str:
    change = item.change
    if isinstance(change, AddColumn):
        return _column(conn, change)
    if isinstance(change, CreateTrigger):
        return _trigger(conn, change.trigger)
    if isinstance(change, CreateIndex):
        return _put_aside(conn, change.index)
    return _table(conn, item, change) if isinstance(change, CreateTable) else ""


def _column(conn: sqlite3.Connection, change: AddColumn) -> str:
    """Words for yes and no become 1 and 0; what else there is stays, under another name."""
    found = shape.columns(conn, change.table)[change.column]
    fits = found.keeps("NUMERIC") and not found.generated
    takes = fits and not shape.refused(conn, change.table, change.column, change.given)
    if (change.table, change.column) == ("tasks", "checked") and takes:
        return values.fix("tasks.checked")
    name = _free(conn, change.column, shape.columns(conn, change.table))
    return f"ALTER TABLE {change.table} RENAME COLUMN {change.column} TO {name}"


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
    return f"DROP {kind.upper()} {name}; {_under(text or '', name, other)}"


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
    """A table of ours that another program made anew without what makes a row one: as it was, with all of its rows."""
    texts_of = (" ".join(statement.split()) for statement in engine.statements(version))
    ours = next(text for text in texts_of if text.startswith(f"CREATE TABLE {table} ("))
    names = {part[0].name for part in texts.parts(ours)}
    kept = ", ".join(column for column in shape.columns(conn, table) if column in names)
    new = _free(conn, table, ())
    return "; ".join(
        (
            "PRAGMA foreign_keys = OFF",
            "PRAGMA legacy_alter_table = ON",
            ours.replace(f"CREATE TABLE {table} (", f"CREATE TABLE {new} (", 1),
            f"INSERT INTO {new} ({kept}) SELECT {kept} FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {new} RENAME TO {table}",
        )
    )
