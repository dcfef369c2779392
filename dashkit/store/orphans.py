"""Rows that name a row which is not there, each counted once; and the statement after which there are none."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dashkit.store import rows

Way = Literal["make", "unset", "delete"]
_Pairs = list[tuple[str, str | None]]  # columns of a declared key, each with the one that it names
_Declared = tuple[str, _Pairs]  # its parent in lower case, and those


@dataclass(frozen=True)
class Reference:
    """A column that names a row of another table by its key, and what to do about one that is not there.

    `make` the row that is named, `unset` the column, or `delete` the row that names it.
    """

    table: str
    column: str
    parent: str
    key: str = "id"
    way: Way = "delete"


# As our own statements declare them; those of version 1.0 need not be declared in a database found in the world.
REFERENCES = (
    Reference("phases", "project_id", "projects", way="make"),
    Reference("tasks", "project_id", "projects", way="make"),
    Reference("tasks", "phase_id", "phases", way="unset"),
    Reference("tasks", "parent_id", "tasks", way="unset"),
    Reference("task_dependencies", "task_id", "tasks"),
    Reference("task_dependencies", "depends_on_id", "tasks"),
    Reference("task_sources", "task_id", "tasks"),
    Reference("git_repos", "project_id", "projects", way="make"),
    Reference("git_commits", "repo_id", "git_repos"),
    Reference("git_repo_commits", "repo_id", "git_repos"),
    Reference("git_repo_commits", "sha", "git_commits", "sha"),
    Reference("git_commit_paths", "sha", "git_commits", "sha"),
    Reference("llm_sessions", "project_id", "projects", way="make"),
    Reference("llm_calls", "session_id", "llm_sessions"),
    Reference("llm_prompts", "session_id", "llm_sessions"),
    Reference("session_evidence", "session_id", "llm_sessions"),
    Reference("task_commit_links", "task_id", "tasks"),
    Reference("task_commit_links", "commit_sha", "git_commits", "sha"),
    Reference("task_session_links", "task_id", "tasks"),
    Reference("task_session_links", "session_id", "llm_sessions"),
    Reference("commit_session_links", "commit_sha", "git_commits", "sha"),
    Reference("commit_session_links", "session_id", "llm_sessions"),
    Reference("link_rejections", "task_id", "tasks"),
)
_OURS = {(one.table, one.column): one for one in REFERENCES}
_NAMES = {name for one in REFERENCES for name in (one.table, one.column, one.parent, one.key)}


_NAMES_OF = "SELECT name FROM pragma_table_info(?) ORDER BY cid"


@dataclass(frozen=True)
class Orphans:
    """Rows of a table that name a row which is not there: by which columns, how many rows, and what mends that.

    `remedy` is a statement of SQL; `is_ours`: the table is one of a Dashboard.
    """

    table: str
    columns: tuple[str, ...]
    rows: int
    remedy: str
    is_ours: bool

    def __str__(self) -> str:
        *others, last = self.columns
        columns = f"{', '.join(others)} and {last}" if others else last
        return f"{self.table}.{columns} ({self.rows:,})"


@dataclass(frozen=True)
class _Key:
    """A foreign key: its table, and how its columns name those of its parent."""

    table: str
    parent: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def condition(self) -> str:
        """The SQL condition under which a row c of the table names a parent that is not there."""
        named = " AND ".join(f"c.{_quoted(column)} IS NOT NULL" for column, _ in self.pairs)
        same = " AND ".join(f"p.{_quoted(key)} = c.{_quoted(column)}" for column, key in self.pairs)
        return f"({named} AND NOT EXISTS (SELECT 1 FROM {_quoted(self.parent)} AS p WHERE {same}))"  # noqa: S608

    @property
    def missing(self) -> str:
        """The same of a key of one column in the words of a statement for people."""
        ((column, key),) = self.pairs
        return f"{_word(column)} NOT IN (SELECT {_word(key)} FROM {_word(self.parent)})"  # noqa: S608


def find(conn: sqlite3.Connection) -> list[Orphans]:
    """All rows that name a row which is not there, by a key that a Dashboard has or by a declared one, by table.

    A column of a Dashboard is held against the table that is meant, whatever table its declaration names: that may be
    one that another program renamed. A key that names such a table, or one which is not there, says nothing about its
    rows.
    """
    found = []
    for table, keys in _keys(conn).items():
        broken = [key for key in keys if _count(conn, table, key.condition)]
        if broken:
            count = _count(conn, table, " OR ".join(key.condition for key in broken))
            named = {column for key in broken for column, _ in key.pairs}
            columns = tuple(name for (name,) in conn.execute(_NAMES_OF, (table,)) if name in named)
            remedy = "; ".join(dict.fromkeys(_remedy(conn, key) for key in broken))
            found.append(Orphans(table, columns, count, remedy, all((table, column) in _OURS for column in columns)))
    return found


def _keys(conn: sqlite3.Connection) -> dict[str, list[_Key]]:
    """The keys of each table, as far as the tables and columns that they name are there."""
    # A virtual table has no page of its own, names no row, and cannot be read where its module is not loaded.
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    tables = {name.lower(): name for (name,) in conn.execute(sql)}
    ours = {table: _ours(conn, table, tables) for table in tables.values()}
    declared = {table: _foreign_keys(conn, table) for table in tables.values()}
    # A column of a Dashboard names one: its table was renamed, and the tables of other programs followed that too.
    wrong = {parent for table in ours for parent in _renamed(ours[table], declared[table])}
    found: dict[str, list[_Key]] = {}
    for table in sorted(ours):
        mine = {key.pairs[0][0] for key in ours[table]}
        others = (
            _declared(conn, table, tables[parent], pairs)
            for parent, pairs in declared[table]
            if parent in tables.keys() - wrong and _column(pairs) not in mine
        )
        if here := [*ours[table], *filter(None, others)]:
            found[table] = here
    return found


def _renamed(ours: list[_Key], declared: list[_Declared]) -> set[str]:
    """The tables that declarations name in the place of those that are meant."""
    meant = {key.pairs[0][0]: key.parent.lower() for key in ours}
    return {parent for parent, pairs in declared if parent != meant.get(_column(pairs), parent)}


def _column(pairs: _Pairs) -> str:
    """The column of a key of one column, in lower case; empty for one of several."""
    return pairs[0][0].lower() if len(pairs) == 1 else ""


def _ours(conn: sqlite3.Connection, table: str, tables: Mapping[str, str]) -> list[_Key]:
    """The keys that a table of a Dashboard has, whether they are declared or not."""
    mine = [one for one in REFERENCES if one.table == table.lower()]
    here = rows.columns(conn, table) if mine else ()
    return [
        _Key(table, tables[one.parent], ((one.column, one.key),))
        for one in mine
        if one.column in here and one.parent in tables and one.key in rows.columns(conn, one.parent)
    ]


def _foreign_keys(conn: sqlite3.Connection, table: str) -> list[_Declared]:
    """The declared keys of a table: the parent in lower case, and each column with the one that it names."""
    found: dict[int, _Declared] = {}
    for number, _, parent, column, key, *_ in conn.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,)):
        found.setdefault(number, (parent.lower(), []))[1].append((column, key))
    return [found[number] for number in sorted(found)]


def _declared(conn: sqlite3.Connection, table: str, parent: str, pairs: _Pairs) -> _Key | None:
    """A declared key; one without columns of the parent means its primary key."""
    sql = "SELECT name, pk FROM pragma_table_info(?)"
    columns = conn.execute(sql, (parent,)).fetchall()
    primary = [name for name, place in sorted(columns, key=lambda one: one[1]) if place]
    if any(key is None for _, key in pairs):
        if len(primary) != len(pairs):
            return None
        return _Key(table, parent, tuple((column, key) for (column, _), key in zip(pairs, primary, strict=True)))
    there = {name.lower() for name, _ in columns}
    return _Key(table, parent, tuple(pairs)) if {str(key).lower() for _, key in pairs} <= there else None  # type: ignore[arg-type]  # none is None


def _remedy(conn: sqlite3.Connection, key: _Key) -> str:
    """The statement after which no row of a table breaks a key; no row of projects, phases or tasks is deleted."""
    if len(key.pairs) > 1:
        return f"DELETE FROM {_word(key.table)} AS c WHERE {key.condition}"  # noqa: S608 - names of the schema
    ((column, name),) = key.pairs
    ours = _OURS.get((key.table.lower(), column.lower()))
    if ours and ours.way == "make" and _can_be_made(conn, key):
        what = f"SELECT DISTINCT {column}, 'Project ' || {column} FROM {key.table} WHERE {key.missing}"  # noqa: S608
        return f"INSERT INTO projects (id, name) {what}"
    if (ours.way if ours else "unset") != "delete" and _may_be_empty(conn, key.table, column):
        return f"UPDATE {_word(key.table)} SET {_word(column)} = NULL WHERE {key.missing}"  # noqa: S608
    if ours and ours.way == "make":
        first = f"(SELECT min({name}) FROM {key.parent})"  # noqa: S608
        return f"UPDATE {key.table} SET {column} = {first} WHERE {key.missing}"  # noqa: S608
    return f"DELETE FROM {_word(key.table)} WHERE {key.missing}"  # noqa: S608


def _can_be_made(conn: sqlite3.Connection, key: _Key) -> bool:
    """Whether a project can be made for each id that is missing: it is a whole number, and needs nothing but a name."""
    ((column, _),) = key.pairs
    odd = f"typeof({column}) <> 'integer' AND {key.missing}"
    needed = "SELECT count(*) FROM pragma_table_info('projects') WHERE \"notnull\" AND dflt_value IS NULL AND NOT pk"
    return not _count(conn, key.table, odd) and conn.execute(f"{needed} AND lower(name) <> 'name'").fetchone()[0] == 0


def _may_be_empty(conn: sqlite3.Connection, table: str, column: str) -> bool:
    sql = 'SELECT NOT "notnull" AND NOT pk FROM pragma_table_info(?) WHERE lower(name) = lower(?)'
    return bool(conn.execute(sql, (table, column)).fetchone()[0])


def _count(conn: sqlite3.Connection, table: str, condition: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {_quoted(table)} AS c WHERE {condition}").fetchone()[0])  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _word(name: str) -> str:
    """A name as it stands in a statement for people: in quotes where it needs them."""
    return name if name in _NAMES else _quoted(name)
