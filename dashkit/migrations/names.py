"""Tables that are named where they are not: a program renamed one, made it anew, and SQLite followed the rename.

The rows of such a table are sound. What is wrong is a word in the text of the objects that name it.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dashkit.migrations import shape, texts
from dashkit.store.orphans import REFERENCES

_EXPECTED = {(one.table, one.column): one.parent for one in REFERENCES}
_WRITES = ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET {}", "DELETE FROM {}")

# What tools and people add to the name of a table that they put aside, such as tasks_old, new__tasks, tasks_bak2.
_AFFIX = (
    r"(?:alembic|archive|aside|backup|bak|before|copy|legacy|new|old|orig|original|prev|previous|temp|tmp|v?\d+"
    r"|[0-9a-f]{6,})"
)
_BEFORE, _BEHIND = rf"[_\W]*(?:{_AFFIX}[_\W]+)*", rf"(?:[_\W]*{_AFFIX})*[_\W]*"
_SHARED = 3  # columns, by which a table that was put aside is known, whatever its name is

Key = tuple[str, str]  # the type and the name of an object


@dataclass(frozen=True)
class Misnamed:
    """A table that is named where it is not.

    Args:
        name: as it is written.
        meant: the table that is meant; None: that cannot be told.
        objects: the tables, views and triggers that name it so.
        is_there: whether there is a table of that name, which was put aside and kept.
    """

    name: str
    meant: str | None
    objects: tuple[Key, ...]
    is_there: bool = False

    def __str__(self) -> str:
        keys = ", ".join(name for kind, name in self.objects if kind == "table")
        others = ", ".join(f"the {kind} {name}" for kind, name in self.objects if kind != "table")
        key = "foreign keys" if ", " in keys else "a foreign key"
        listed = " and ".join(one for one in (f"{key} of {keys}" if keys else "", others) if one)
        points = "points" if len(self.objects) == 1 else "point"
        how = "which another program put aside and kept" if self.is_there else "which is not there"
        what = f"{listed} {points} to the table {self.name}, {how}"
        return f"{what}: {self.meant} is meant" if self.meant else what

    @property
    def why(self) -> str:
        """What the table of that name is by now, in a few words."""
        return f"{self.name} was put aside" if self.is_there else f"{self.name} is not there"


def find(conn: sqlite3.Connection) -> list[Misnamed]:
    """Every table that a foreign key, a view or a trigger names and that is not there, by its name.

    So is a table that was put aside and kept, where a foreign key of a Dashboard names it in place of the new one.
    """
    known = shape.definitions(conn)
    tables = {name.lower(): name for kind, name in known if kind in ("table", "view")}
    found: dict[str, tuple[str, str | None]] = {}
    for name, meant in (*_parents(conn, tables), *_dangling(conn, known, tables)):
        before = found.get(name.lower(), (name, None))
        found[name.lower()] = before[0], before[1] or meant
    return [
        Misnamed(name, meant, objects, name.lower() in tables)
        for name, meant in found.values()
        if (objects := tuple(key for key, (_, sql) in known.items() if _names(key, sql, name, tables)))
    ]


def are_wrong(conn: sqlite3.Connection) -> bool:
    """Whether a table is named where it is not, and it is known which one is meant."""
    return any(one.meant for one in find(conn))


def mended(conn: sqlite3.Connection, wrong: list[Misnamed]) -> dict[Key, str]:
    """The texts of the objects that name a table wrongly, with its name put right where that is known."""
    found: dict[Key, str] = {}
    known = shape.definitions(conn)
    for one in wrong:
        for key in one.objects if one.meant else ():
            found[key] = texts.renamed(found.get(key, known[key][1] or ""), one.name, one.meant or "")
    return found


def _parents(conn: sqlite3.Connection, tables: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """The tables that foreign keys name wrongly, and which are meant."""
    sql = (
        'SELECT m.name, f."from", f."table" FROM main.sqlite_master AS m, pragma_foreign_key_list(m.name) AS f '
        "WHERE m.type = 'table' AND m.rootpage > 0 ORDER BY m.rowid, f.id"  # a virtual table needs its module
    )
    for table, column, parent in conn.execute(sql).fetchall():
        expected = _EXPECTED.get((table.lower(), column.lower()))
        meant = tables.get(expected or "")
        if parent.lower() not in tables:
            yield parent, meant or _alike(parent, tables)
        elif meant and parent.lower() != expected and _was(conn, parent, meant):
            yield parent, meant


def _was(conn: sqlite3.Connection, parent: str, meant: str) -> bool:
    """Whether a table is the one that had the name of another one before: by its own name, or by its columns."""
    if _alike(parent, {meant.lower(): meant}):
        return True
    old, new = (shape.columns(conn, table).keys() for table in (parent, meant))
    return len(old & new) >= _SHARED and (old <= new or new <= old)


def _dangling(
    conn: sqlite3.Connection, known: Mapping[Key, tuple[str, str | None]], tables: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    """The tables that views and triggers read or write and that are not there."""
    watched = {table.lower() for (kind, _), (table, _) in known.items() if kind == "trigger"}
    for kind, name in known:
        statements = [f"SELECT * FROM {shape.quoted(name)}"] if kind == "view" else []
        if kind in ("table", "view") and name.lower() in watched:
            statements += _writes(conn, name)
        for statement in statements:
            if missing := _missing(conn, statement):
                yield missing, _alike(missing, tables)


def _writes(conn: sqlite3.Connection, name: str) -> list[str]:
    """A statement of each kind that writes to a table, or to a view by its triggers."""
    try:
        columns = [shape.quoted(one.name) for one in shape.columns(conn, name).values() if not one.generated]
    except sqlite3.OperationalError:  # a view of what is not there, or of a module that is not loaded
        return []
    sets = ", ".join(f"{column} = {column}" for column in columns)
    return [write.format(shape.quoted(name), sets) for write in _WRITES]


def _missing(conn: sqlite3.Connection, statement: str) -> str:
    """The table that a statement needs and that is not there; it is compiled, and not run."""
    try:
        conn.execute(f"EXPLAIN {statement}").close()
    except sqlite3.OperationalError as error:
        _, is_such, name = str(error).partition("no such table: ")
        return name.removeprefix("main.") if is_such else ""
    return ""


def _alike(name: str, tables: Mapping[str, str]) -> str | None:
    """The table that was put aside under a name, such as tasks_old or new__tasks."""
    patterns = {table: f"{_BEFORE}{re.escape(lower)}{_BEHIND}" for lower, table in tables.items()}
    fitting = (table for table, pattern in patterns.items() if re.fullmatch(pattern, name.lower()))
    return max(fitting, key=len, default=None)


def _names(key: Key, sql: str | None, name: str, tables: Mapping[str, str]) -> bool:
    """Whether an object names a table wrongly: where one of that name is there, a foreign key alone does."""
    kind, own = key
    if kind not in ("table", "view", "trigger") or not sql or own.lower() == name.lower():
        return False
    return (kind == "table" or name.lower() not in tables) and texts.renamed(sql, name, "") != sql
