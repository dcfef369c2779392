"""Ids that are no whole numbers: the statements that give rows numbers, and let what points to them follow."""

import sqlite3
from collections.abc import Collection, Iterator

from dashkit.store import orphans, rows

_KEPT = "external_id"  # where the present ids of tasks are found by pages and commands


def advice(conn: sqlite3.Connection, tables: Collection[str]) -> str:
    """What to do about tables whose ids are no whole numbers, with the statements for the columns that are there."""
    kept = {table: _free(conn, table) for table in tables}
    renumbered = [table for table in tables if not _are_digits(conn, table)]
    pointing = _pointing(conn, tables)
    columns = " and ".join(f"{table}.{column}" for table, column in kept.items())
    told = f"On a copy, run this SQL, which numbers the rows, keeps their present ids in {columns}"
    follow = ", ".join(f"{table}.{column}" for table, column, _ in pointing)
    told += f", and lets what points to them follow ({follow})" if pointing else ""
    checks = [table for table in tables if "check" in _text(conn, table).lower()]
    hint = f" The CHECK conditions of {' and '.join(checks)} are not in it: add them." if checks else ""
    return f"{told}: `{'; '.join(_statements(conn, kept, renumbered, pointing))};`.{hint}"


def _statements(
    conn: sqlite3.Connection,
    kept: dict[str, str],
    renumbered: Collection[str],
    pointing: list[tuple[str, str, str]],
) -> Iterator[str]:
    yield "PRAGMA foreign_keys = OFF"
    yield "PRAGMA legacy_alter_table = ON"
    for table, name in kept.items():
        old = f"{table}_before"
        others = [one for one in _columns(conn, table) if one[1].lower() != "id"]
        declared = ", ".join(_declared(conn, table, one) for one in others)
        names = ", ".join(_quoted(one[1]) for one in others)
        number, value = ("", "") if table in renumbered else ("id, ", "CAST(id AS INTEGER), ")
        yield f"ALTER TABLE {table} RENAME TO {old}"
        yield f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {declared}, {name} TEXT)"
        yield f"INSERT INTO {table} ({number}{names}, {name}) SELECT {value}{names}, id FROM {old}"  # noqa: S608
        yield f"DROP TABLE {old}"
    for table, column, parent in pointing:
        one, name = f"{_quoted(table)}.{_quoted(column)}", kept[parent]
        number = f"SELECT p.id FROM {parent} AS p WHERE p.{name} = CAST({one} AS TEXT)"  # noqa: S608 - of the schema
        which = f"CAST({_quoted(column)} AS TEXT) IN (SELECT {name} FROM {parent})"  # noqa: S608
        yield f"UPDATE {_quoted(table)} SET {_quoted(column)} = ({number}) WHERE {which}"  # noqa: S608
    for table in kept:
        yield from _beside(conn, table)


def _are_digits(conn: sqlite3.Connection, table: str) -> bool:
    """Whether every id is a whole number in another type, which stays the number of its row."""
    is_number = rows.WHOLE.format("id")
    sql = f"SELECT count(*) = count(DISTINCT CAST(id AS INTEGER)) AND total(({is_number}) IS NOT TRUE) = 0 FROM {table}"  # noqa: S608
    return bool(conn.execute(sql).fetchone()[0])


def _pointing(conn: sqlite3.Connection, tables: Collection[str]) -> list[tuple[str, str, str]]:
    """Every column that points to one of some tables: its table, its name, and where it points to."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY name"
    found = []
    for (table,) in conn.execute(sql).fetchall():
        meant = {one.column: one.parent for one in orphans.REFERENCES if one.table == table.lower()}
        named = dict(conn.execute('SELECT lower("from"), lower("table") FROM pragma_foreign_key_list(?)', (table,)))
        for _, column, *_ in _columns(conn, table):
            parent = meant.get(column.lower(), named.get(column.lower(), ""))
            found += [(table, column, parent)] if parent in tables else []
    return found


def _columns(conn: sqlite3.Connection, table: str) -> list[tuple[int, str, str, int, str | None, int]]:
    return conn.execute("SELECT * FROM pragma_table_info(?)", (table,)).fetchall()


def _declared(conn: sqlite3.Connection, table: str, column: tuple[int, str, str, int, str | None, int]) -> str:
    """A column as it is declared, with what it points to."""
    _, name, declared, is_needed, default, _ = column
    words = [_quoted(name), declared, "NOT NULL" if is_needed else ""]
    words.append("" if default is None else f"DEFAULT ({default})")
    sql = 'SELECT "table", coalesce("to", \'id\'), on_delete FROM pragma_foreign_key_list(?) WHERE "from" = ?'
    for parent, key, action in conn.execute(sql, (table, name)):
        words.append(f"REFERENCES {_quoted(parent)}({_quoted(key)}) ON DELETE {action}")
    return " ".join(word for word in words if word)


def _beside(conn: sqlite3.Connection, table: str) -> list[str]:
    """The indexes and triggers of a table."""
    sql = (
        "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND lower(tbl_name) = ? AND sql IS NOT NULL "
        "ORDER BY rowid"
    )
    return [" ".join(text.split()) for (text,) in conn.execute(sql, (table,))]


def _free(conn: sqlite3.Connection, table: str) -> str:
    """The name of a column that is not there yet, for the present ids."""
    here = {name.lower() for _, name, *_ in _columns(conn, table)}
    return next(name for name in (_KEPT, "old_id", "id_before") if name not in here)


def _text(conn: sqlite3.Connection, table: str) -> str:
    sql = "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = ?"
    return str(conn.execute(sql, (table,)).fetchone()[0])


def _quoted(name: str) -> str:
    return name if name.isascii() and name.isidentifier() and name.islower() else '"' + name.replace('"', '""') + '"'
