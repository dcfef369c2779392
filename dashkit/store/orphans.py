"""Rows that name a row which is not there, each counted once; and the statement after which there are none."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dashkit.store import parents, rows

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

_KEPT = ("projects", "phases", "tasks")  # no row of these is deleted
_COLUMNS = {"phase_id": "phase", "parent_id": "parent"}
_WORDS = {
    "phases": ("phase", "phases"),
    "tasks": ("task", "tasks"),
    "task_dependencies": ("dependency", "dependencies"),
    "task_commit_links": ("link with a commit", "links with commits"),
    "task_session_links": ("link with a session", "links with sessions"),
    "git_commits": ("commit", "commits"),
    "git_repos": ("repository", "repositories"),
    "llm_sessions": ("session", "sessions"),
}
_NAMES_OF = "SELECT name FROM pragma_table_info(?) ORDER BY cid"


@dataclass(frozen=True)
class Repair:
    """What is done about rows that name a row which is not there.

    Args:
        statements: SQL that does it; none where people have to decide.
        effect: what it does, in words, such as `deletes 1 dependency`.
        listing: the statement that shows the rows, for people who have to decide.
    """

    statements: tuple[str, ...]
    effect: str
    listing: str


@dataclass(frozen=True)
class Orphans:
    """Rows of a table that name a row which is not there: by which columns, how many rows, and what mends that.

    `is_ours`: the table is one of a Dashboard.
    """

    table: str
    columns: tuple[str, ...]
    rows: int
    repairs: tuple[Repair, ...]
    is_ours: bool

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of all repairs."""
        return tuple(dict.fromkeys(one for repair in self.repairs for one in repair.statements))

    def __str__(self) -> str:
        *others, last = self.columns
        columns = f"{', '.join(others)} and {last}" if others else last
        return f"{self.table}.{columns} ({self.rows:,})"


@dataclass(frozen=True)
class Otherwise:
    """A column that names tasks by something else than their ids: in how many rows, and one example."""

    where: str
    count: int
    example: str


@dataclass(frozen=True)
class _Key:
    """A foreign key: its table, and how its columns name those of its parent.

    `is_ours`: a Dashboard has it. `but` are SQL conditions on the rows that are looked at: an empty text names nothing,
    as NULL does, and what another program knows a task by is no wrong id.
    """

    table: str
    parent: str
    pairs: tuple[tuple[str, str], ...]
    is_ours: bool = False
    but: tuple[str, ...] = ()

    @property
    def condition(self) -> str:
        """The SQL condition under which a row c of the table names a parent that is not there."""
        named = " AND ".join(f"c.{_quoted(column)} IS NOT NULL" for column, _ in self.pairs)
        same = " AND ".join(f"p.{_quoted(key)} = c.{_quoted(column)}" for column, key in self.pairs)
        but = "".join(f" AND {one}" for one in self.but)
        return f"({named} AND NOT EXISTS (SELECT 1 FROM {_quoted(self.parent)} AS p WHERE {same}){but})"  # noqa: S608

    @property
    def missing(self) -> str:
        """The same in the words of a statement for people."""
        if len(self.pairs) > 1:
            return self.condition
        ((column, key),) = self.pairs
        but = "".join(f" AND {one}" for one in self.but)
        return f"{_word(column)} NOT IN (SELECT {_word(key)} FROM {_word(self.parent)}){but}"  # noqa: S608


def find(conn: sqlite3.Connection, without: Collection[str] = ()) -> list[Orphans]:
    """All rows that name a row which is not there, by a key that a Dashboard has or by a declared one, by table.

    A column of a Dashboard is held against the table that is meant, whatever table its declaration names: that may be
    one that another program renamed. A key that names such a table, or one which is not there, says nothing about its
    rows.

    Args:
        conn: the database.
        without: columns of which nothing is said, each as `table.column`.
    """
    found = []
    for table, keys in _keys(conn).items():
        told = [key for key in keys if not {f"{table}.{column}" for column, _ in key.pairs} & {*without}]
        broken = [key for key in _broken(conn, table, told) if _count(conn, table, key.condition)]
        if broken:
            count = _count(conn, table, " OR ".join(key.condition for key in broken))
            named = {column for key in broken for column, _ in key.pairs}
            columns = tuple(name for (name,) in conn.execute(_NAMES_OF, (table,)) if name in named)
            is_ours = all((table, column) in _OURS for column in columns)
            found.append(Orphans(table, columns, count, tuple(_repairs(conn, table, broken)), is_ours))
    return found


def otherwise(conn: sqlite3.Connection) -> list[Otherwise]:
    """What names tasks by anything else than their ids: nothing of it is wrong, and dashkit reads none of it."""
    found = []
    for table, keys in _keys(conn).items():
        for key in (one for one in _broken(conn, table, keys) if one.is_ours and one.parent.lower() == "tasks"):
            ((column, _),) = key.pairs
            condition = f"{replace(key, but=()).condition} AND {column} <> '' AND NOT {key.condition}"
            sql = f"SELECT count(*), min(CAST({column} AS TEXT)) FROM {table} AS c WHERE {condition}"  # noqa: S608
            count, example = conn.execute(sql).fetchone()
            if count:
                found.append(Otherwise(f"{table}.{column}", count, example))
    return found


def _broken(conn: sqlite3.Connection, table: str, keys: list[_Key]) -> Iterator[_Key]:
    """The keys that rows may break, each with the conditions on the rows that have to be asked for here."""
    for key in keys:
        if not _count(conn, table, key.condition):
            continue
        if not key.is_ours:
            yield key
            continue
        ((column, _),) = key.pairs
        asked = [f"{column} <> ''"]
        if key.parent.lower() == "tasks":
            asked.append(f"NOT ({parents.words(conn, table, column)})")
            if "external_id" in rows.columns(conn, "tasks"):
                known = "SELECT external_id FROM tasks WHERE external_id IS NOT NULL"
                asked.append(f"CAST({column} AS TEXT) NOT IN ({known})")
        left = [one for one in asked if _count(conn, table, f"{key.condition} AND NOT ({one})")]
        yield replace(key, but=tuple(left))


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
        _Key(table, tables[one.parent], ((one.column, one.key),), is_ours=True)
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


def _repairs(conn: sqlite3.Connection, table: str, broken: list[_Key]) -> Iterator[Repair]:
    """What is done about the rows that break some keys of a table; none of projects, phases or tasks is deleted."""
    deleting = []
    for key in broken:
        ours = _OURS.get((table.lower(), key.pairs[0][0].lower())) if len(key.pairs) == 1 else None
        way = ours.way if ours else "unset"
        if way == "make":
            yield from _made(conn, key)
        elif way == "unset" and len(key.pairs) == 1 and _may_be_empty(conn, table, key.pairs[0][0]):
            yield _emptied(conn, key)
        elif table.lower() in _KEPT:
            yield Repair((), "", _listing(key))
        else:
            deleting.append(key)
    if deleting:
        count = _count(conn, table, " OR ".join(key.condition for key in deleting))
        statements = tuple(_delete(key) for key in deleting)
        yield Repair(statements, f"deletes {_rows(table, count)}", _listing(deleting[0]))


def _made(conn: sqlite3.Connection, key: _Key) -> Iterator[Repair]:
    """A project for each number that rows name, and for each word the project of that name."""
    ((column, _),) = key.pairs
    words = parents.words(conn, key.table, column)
    has_words = _count(conn, key.table, f"{key.condition} AND {words}")
    is_number = f"{key.condition} AND NOT ({words})"
    if count := _count(conn, key.table, is_number):
        sql = f"SELECT DISTINCT CAST({column} AS INTEGER) FROM {key.table} AS c WHERE {is_number}"  # noqa: S608
        ids = sorted(number for (number,) in conn.execute(sql))
        what = (
            f"{len(ids):,} projects, such as 'Project {ids[0]}'," if len(ids) > 1 else f"a project 'Project {ids[0]}'"
        )
        which = key.missing + (f" AND NOT ({words})" if has_words else "")
        statement = parents.by_number(conn, key.table, column, which)
        yield Repair((statement,), f"makes {what} for {_rows(key.table, count)}", _listing(key))
    if has_words:
        which = "project that its word names" if has_words == 1 else "projects that their words name"
        effect = f"gives {_rows(key.table, has_words)} the {which}, made anew where there is none"
        yield Repair(parents.by_word(conn, key.table, column, "projects"), effect, _listing(key))


def _emptied(conn: sqlite3.Connection, key: _Key) -> Repair:
    ((column, _),) = key.pairs
    statement = f"UPDATE {_word(key.table)} SET {_word(column)} = NULL WHERE {key.missing}"  # noqa: S608
    of = _COLUMNS.get(column, column)
    count = _rows(key.table, _count(conn, key.table, key.condition))
    return Repair((statement,), f"empties the {of} of {count}", _listing(key))


def _delete(key: _Key) -> str:
    alias = " AS c" if len(key.pairs) > 1 else ""
    return f"DELETE FROM {_word(key.table)}{alias} WHERE {key.missing}"  # noqa: S608 - names of the schema


def _listing(key: _Key) -> str:
    alias = " AS c" if len(key.pairs) > 1 else ""
    return f"SELECT * FROM {_word(key.table)}{alias} WHERE {key.missing}"  # noqa: S608 - names of the schema


def _rows(table: str, count: int) -> str:
    """How many rows of a table in words: `1 dependency`, `3 tasks`, `2 rows of notes`."""
    one, many = _WORDS.get(table.lower(), (f"row of {table}", f"rows of {table}"))
    return f"{count:,} {one if count == 1 else many}"


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
