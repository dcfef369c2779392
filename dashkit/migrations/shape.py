"""What a database really looks like: columns, keys and definitions, read from SQLite's own catalogue."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from dashkit.store.rows import affinity

TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\[[^\]]*\]|`[^`]*`|--[^\n]*|/\*.*?\*/|\w+|\S""", re.DOTALL)


# By the affinity of what we declare: those in which SQLite keeps what we write as we wrote it, and its storage classes.
# Our NUMERIC columns are BOOLEAN, 0 or 1.
_KEEPING = {
    "TEXT": ({"TEXT", "BLOB"}, "'text'"),
    "INTEGER": ({"INTEGER", "NUMERIC", "BLOB"}, "'integer'"),
    "NUMERIC": ({"NUMERIC", "INTEGER", "REAL", "BLOB"}, "'integer', 'real'"),
    "REAL": ({"REAL", "NUMERIC", "BLOB"}, "'integer', 'real'"),
}


@dataclass(frozen=True)
class Column:
    """One column as PRAGMA table_xinfo tells it; `generated` covers hidden ones too."""

    name: str
    declared: str
    default: str | None
    generated: bool

    @property
    def affinity(self) -> str:
        """What SQLite makes of the declared type."""
        return affinity(self.declared)

    def keeps(self, expected: str) -> bool:
        """Whether it keeps what we write into a column of the expected affinity; an instant never looks like a number.

        DATETIME and TIMESTAMP have the affinity NUMERIC.
        """
        dates = self.affinity == "NUMERIC" and self.name.lower().endswith(("_at", "timestamp"))
        return self.affinity in _KEEPING[expected][0] or (expected == "TEXT" and dates)

    def kept(self, expected: str) -> str:
        """The SQL condition on values that mean the same as in a column of the expected affinity."""
        if self.affinity == expected:
            return "TRUE"
        name = quoted(self.name)
        return f"({name} IS NULL OR typeof({name}) IN ({_KEEPING[expected][1]}))"


@dataclass(frozen=True)
class Odd:
    """Values that are not as a condition asks: how many, and one of them as SQL."""

    count: int
    example: str

    def __str__(self) -> str:
        return f"{self.count:,} {'value' if self.count == 1 else 'values'} such as {self.example}"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def columns(conn: sqlite3.Connection, table: str, schema: str = "main") -> dict[str, Column]:
    """The columns of a table by lower-case name, in order; empty where there is no such table."""
    try:
        found = conn.execute(f"PRAGMA {schema}.table_xinfo({quoted(table)})").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return {}  # a view of what is gone
    return {
        name.lower(): Column(name, declared, default, bool(hidden))
        for _, name, declared, _, default, _, hidden in found
    }


def outside(conn: sqlite3.Connection, table: str, column: str, condition: str) -> Odd:
    """The values of a column that a condition does not hold for."""
    if condition == "TRUE":
        return Odd(0, "")
    one = f"CAST(substr(quote({quoted(column)}), 1, 60) AS BLOB)"
    count, example = conn.execute(f"SELECT count(*), min({one}) FROM {table} WHERE NOT ({condition})").fetchone()
    return Odd(count, (example or b"").decode(errors="replace"))


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


def refused(conn: sqlite3.Connection, table: str, column: str, values: Sequence[object]) -> str:
    """The first of some values, as SQL, that a column does not take: by NOT NULL, or by a CHECK on it alone.

    It is tried on a table in memory that has this one column; a CHECK that cannot be tried so is left to the rehearsal.
    """
    _, _, sql = owner(conn, table) or ("", "", "")
    others = columns(conn, table).keys() - {column}
    kept = [part for part in _parts(sql or "") if others.isdisjoint(tokens(part)) and _speaks_of(part, column)]
    model = sqlite3.connect(":memory:")
    try:
        model.execute(f"CREATE TABLE model ({', '.join(kept)})")
    except sqlite3.Error:
        return ""
    try:
        for value in values:
            try:
                model.execute("INSERT INTO model VALUES (?)", (value,))
                model.execute("DELETE FROM model")
            except sqlite3.IntegrityError:
                return str(model.execute("SELECT quote(?)", (value,)).fetchone()[0])
    finally:
        model.close()
    return ""


def _speaks_of(part: str, column: str) -> bool:
    """Whether a part of a table's declaration declares a column, or is a CHECK."""
    first, *rest = tokens(part)
    return first == column or (first in ("check", "constraint") and "check" in (first, *rest))


def _parts(sql: str) -> list[str]:
    """The columns and conditions of a CREATE TABLE, each as it is written."""
    borders, depth = [], 0
    for token in TOKEN.finditer(sql):
        was = depth
        depth += (token[0] == "(") - (token[0] == ")")
        if {was, depth} == {0, 1} or (depth == 1 and token[0] == ","):
            borders.append(token.span())
            if not depth:
                break
    return [sql[one[1] : other[0]] for one, other in pairwise(borders)]


def lacks(conn: sqlite3.Connection, table: str, sql: str) -> str:
    """What a table that is there has not, of what a statement would make; empty: it has everything."""
    model = sqlite3.connect(":memory:")
    try:
        model.execute(sql)
        here = columns(conn, table)
        for key, column in columns(model, table).items():
            if key not in here or here[key].generated:
                return f"the column {column.name}"
            if not here[key].keeps(column.affinity):
                return f"a {column.affinity} column {column.name} (it is declared {here[key].declared})"
            if (odd := outside(conn, table, key, here[key].kept(column.affinity))).count:
                return f"a {column.affinity} column {column.name} (it holds {odd})"
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
