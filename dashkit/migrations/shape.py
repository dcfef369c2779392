"""What a database really looks like: columns, keys and definitions, read from SQLite's own catalogue."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\[[^\]]*\]|`[^`]*`|--[^\n]*|/\*.*?\*/|\w+|\S""", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """One column as PRAGMA table_xinfo tells it; `generated` covers hidden ones too."""

    name: str
    affinity: str
    default: str | None
    generated: bool


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@lru_cache
def affinity(declared: str) -> str:
    """The affinity of a declared type (sqlite.org/datatype3.html, section 3.1)."""
    declared = declared.upper()
    for words, result in (
        (("INT",), "INTEGER"),
        (("CHAR", "CLOB", "TEXT"), "TEXT"),
        (("BLOB",), "BLOB"),
        (("REAL", "FLOA", "DOUB"), "REAL"),
    ):
        if any(word in declared for word in words):
            return result
    return "NUMERIC" if declared else "BLOB"


def columns(conn: sqlite3.Connection, table: str, schema: str = "main") -> dict[str, Column]:
    """The columns of a table by lower-case name, in order; empty where there is no such table."""
    rows = conn.execute(f"PRAGMA {schema}.table_xinfo({quoted(table)})").fetchall()
    return {
        name.lower(): Column(name, affinity(declared), default, bool(hidden))
        for _, name, declared, _, default, _, hidden in rows
    }


def definitions(conn: sqlite3.Connection, schema: str = "main") -> dict[tuple[str, str], tuple[str, str | None]]:
    """Every object of the schema: (type, name) -> (its table, its SQL text byte for byte)."""
    rows = conn.execute(f"SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master ORDER BY rowid")
    return {(kind, name): (table, sql) for kind, name, table, sql in rows}


def owner(conn: sqlite3.Connection, name: str) -> tuple[str, str, str | None] | None:
    """Who has this name among tables, views and indexes: (type, table, SQL); names know no case."""
    row: tuple[str, str, str | None] | None = conn.execute(
        "SELECT type, tbl_name, sql FROM main.sqlite_master WHERE type <> 'trigger' AND lower(name) = lower(?)",
        (name,),
    ).fetchone()
    return row


def beside(conn: sqlite3.Connection, table: str) -> list[str]:
    """The statements of the indexes and triggers of a table, in the order in which they were made."""
    rows = conn.execute(
        "SELECT sql FROM main.sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "
        "AND lower(tbl_name) = lower(?) ORDER BY rowid",
        (table,),
    )
    return [sql for (sql,) in rows]


def tables(conn: sqlite3.Connection, schema: str = "main") -> list[str]:
    """The tables that hold rows of their own: no views, no virtual tables; SQLite's own only if they carry data."""
    rows = conn.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY name")
    return [name for (name,) in rows]


def keys(conn: sqlite3.Connection, table: str) -> set[frozenset[str]]:
    """The sets of columns that are unique in a table: its primary key and whole unique indexes."""
    found = {
        frozenset(name.lower() for _, name, _, _, _, pk in conn.execute(f"PRAGMA table_info({quoted(table)})") if pk)
    }
    for _, index, unique, _, partial in conn.execute(f"PRAGMA index_list({quoted(table)})").fetchall():
        if unique and not partial:
            names = [name for _, _, name in conn.execute(f"PRAGMA index_info({quoted(index)})")]
            if None not in names:
                found.add(frozenset(name.lower() for name in names))
    return found - {frozenset()}


def foreign_keys(conn: sqlite3.Connection, table: str) -> set[tuple[str, str, str]]:
    """The foreign keys of a table: (column, parent table, ON DELETE action)."""
    rows = conn.execute(f"PRAGMA foreign_key_list({quoted(table)})").fetchall()
    return {(column.lower(), parent.lower(), action) for _, _, parent, column, _, _, action, _ in rows}


@lru_cache
def tokens(sql: str) -> tuple[str, ...]:
    """SQL text as comparable words: no comments, no quotes around names, no case outside of strings."""
    words = []
    for token in TOKEN.findall(sql):
        if token.startswith(("--", "/*")):
            continue
        if token[0] in '"[`':
            words.append(token[1:-1].lower())
        else:
            words.append(token if token[0] == "'" else token.lower())
    return tuple(words)


@lru_cache
def digest(sql: str) -> str:
    """Which text it is, whatever its case, quotes, blanks and comments."""
    import hashlib  # a look at a database that was never migrated needs none

    return hashlib.sha256(" ".join(tokens(sql)).encode()).hexdigest()[:16]


def grown(words: tuple[str, ...], ours: tuple[str, ...]) -> bool:
    """Whether a declaration is ours, but for columns that came later: ALTER TABLE puts them before the table's keys."""
    same = next((place for place, pair in enumerate(zip(words, ours, strict=False)) if pair[0] != pair[1]), len(ours))
    rest = ours[same:]
    between = rest[:1] in ((), (")",), ("unique",), ("primary",))
    return between and words[len(words) - len(rest) :] == rest


def lacks(conn: sqlite3.Connection, table: str, sql: str) -> str:
    """What a table that is there has not, of what a statement would make; empty: it has everything."""
    model = sqlite3.connect(":memory:")
    try:
        model.execute(sql)
        here = columns(conn, table)
        for key, column in columns(model, table).items():
            if key not in here or here[key].generated:
                return f"the column {column.name}"
            if here[key].affinity != column.affinity:
                return f"a {column.affinity} column {column.name} (it has {here[key].affinity})"
        for unique in keys(model, table) - keys(conn, table):
            return f"the unique key ({', '.join(sorted(unique))})"
        for name, parent, action in foreign_keys(model, table) - foreign_keys(conn, table):
            return f"the foreign key {name} -> {parent} ON DELETE {action}"
    finally:
        model.close()
    return ""


def options(sql: str) -> Sequence[str]:
    """The words after a table's column list: WITHOUT ROWID, STRICT."""
    words = tokens(sql)
    return words[len(words) - words[::-1].index(")") :] if ")" in words else []


def any_of(conditions: list[str]) -> str:
    """One SQL condition out of many, as a balanced tree: SQLite takes none that is deeper than 1,000."""
    if len(conditions) <= 100:
        return " OR ".join(conditions) or "FALSE"
    middle = len(conditions) // 2
    return f"({any_of(conditions[:middle])}) OR ({any_of(conditions[middle:])})"


def index_shape(conn: sqlite3.Connection, name: str) -> tuple[str, tuple[str, ...], str]:
    """An index as (its table, its key columns, its WHERE), comparable."""
    _, table, sql = owner(conn, name) or ("", "", "")
    rows = conn.execute(f"PRAGMA index_xinfo({quoted(name)})").fetchall()
    parts = tuple(
        f"{(column or '<expression>').lower()}{' desc' if desc else ''}" for _, _, column, desc, _, key in rows if key
    )
    words = tokens(sql or "")
    where = " ".join(words[words.index("where") + 1 :]) if "where" in words else ""
    return table.lower(), parts, where


def row_key(conn: sqlite3.Connection, table: str, schema: str = "main") -> str | None:
    """A name for the row id that no column has taken; None for a table without one."""
    taken = columns(conn, table, schema)
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            try:
                conn.execute(f"SELECT {name} FROM {schema}.{quoted(table)} LIMIT 0")
            except sqlite3.OperationalError:
                return None
            return name
    return None
