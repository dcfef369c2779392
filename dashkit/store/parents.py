"""Rows that others name and that are not there: the statements that make them, and that let words name rows."""

import sqlite3

from dashkit.store import rows

# Tables whose rows have names, and what else such a row needs, which the row that names it has too.
_WITHIN = {"projects": (), "phases": ("project_id",)}


def by_number(conn: sqlite3.Connection, table: str, column: str, which: str) -> str:
    """The statement that makes a project for each number that some rows of a table name."""
    number = f"CAST({column} AS INTEGER)"
    columns, values = _filled(conn, "projects", {"id": number, "name": f"'Project ' || {number}"})
    return f"INSERT INTO projects ({columns}) SELECT DISTINCT {values} FROM {table} WHERE {which}"  # noqa: S608


def by_word(conn: sqlite3.Connection, table: str, column: str, parent: str) -> tuple[str, ...]:
    """The statements after which each word in a column names the row of that name, which is made where it is missing.

    Args:
        conn: the database.
        table: the table with the column.
        column: the column that should name rows by their numbers.
        parent: `projects` or `phases`.

    Returns:
        Two statements; none where the parent cannot number a new row itself, or has no names.
    """
    within = [one for one in _WITHIN[parent] if one in rows.columns(conn, parent)]
    fits = {"id", "name"} <= rows.columns(conn, parent) and {*within} <= rows.columns(conn, table)
    if not (fits and rows.numbers_itself(conn, parent)):
        return ()
    here = f"{table}.{column}"
    word, which = f"CAST({here} AS TEXT)", words(conn, table, column, here)
    same = f"p.name = {word} COLLATE NOCASE" + "".join(f" AND p.{one} IS {table}.{one}" for one in within)
    columns, values = _filled(conn, parent, {one: f"{table}.{one}" for one in within} | {"name": word})
    groups = ", ".join([f"lower({word})", *(f"{table}.{one}" for one in within)])
    missing = f"{which} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {same})"  # noqa: S608 - names of the schema
    return (
        f"INSERT INTO {parent} ({columns}) SELECT {values} FROM {table} WHERE {missing} GROUP BY {groups}",  # noqa: S608
        f"UPDATE {table} SET {column} = (SELECT min(p.id) FROM {parent} AS p WHERE {same}) WHERE {which}",  # noqa: S608
    )


def _filled(conn: sqlite3.Connection, parent: str, values: dict[str, str]) -> tuple[str, str]:
    """The columns of a new row and their values; one that needs a value, and has no default, gets an empty one."""
    sql = 'SELECT name, type FROM pragma_table_info(?) WHERE "notnull" AND dflt_value IS NULL AND NOT pk ORDER BY cid'
    needed = {
        f'"{name}"': "0" if rows.affinity(declared) in ("INTEGER", "REAL") else "''"
        for name, declared in conn.execute(sql, (parent,)).fetchall()
        if name.lower() not in values
    }
    every = values | needed
    return ", ".join(every), ", ".join(every.values())


def words(conn: sqlite3.Connection, table: str, column: str, name: str = "") -> str:
    """The SQL condition on values of a column (`name`: as it is written) that are no number of a row, and not empty."""
    name = name or column
    sql = "SELECT type FROM pragma_table_info(?) WHERE lower(name) = lower(?)"
    declared = str(conn.execute(sql, (table, column)).fetchone()[0] or "")
    if rows.affinity(declared) in ("INTEGER", "NUMERIC"):  # where a text of digits is a number
        return f"typeof({name}) NOT IN ('integer', 'null') AND {name} <> ''"
    return f"NOT ({rows.WHOLE.format(name)})"


def has_dependencies(conn: sqlite3.Connection) -> bool:
    """Whether there is a table of what depends on what that names tasks by their numbers alone, and so can be read."""
    return bool(rows.columns(conn, "task_dependencies")) and not word_of_dependencies(conn)


def word_of_dependencies(conn: sqlite3.Connection) -> str:
    """A word by which task_dependencies names a task; empty where it names all of them by their numbers."""
    table = "task_dependencies"
    for column in rows.DEPENDENCY:
        sql = f"SELECT CAST({column} AS TEXT) FROM main.{table} WHERE {words(conn, table, column)} LIMIT 1"  # noqa: S608
        for (found,) in conn.execute(sql):
            return str(found)
    return ""
