"""Whether a history is there, at rest, and says what the rows say; and which backups are on record."""

import sqlite3

from dashkit import times
from dashkit.store import parents, rows, tracking
from dashkit.store.events import differs


def has_history(conn: sqlite3.Connection) -> bool:
    """Whether all tables of the history are there."""
    return all(rows.columns(conn, table) for table in ("task_events", "dependency_events", "event_context"))


def unrest(conn: sqlite3.Connection) -> str:
    """Why event_context is not at rest, as it is outside of a transaction of dashkit; empty where it is."""
    actor = "actor" if "actor" in rows.columns(conn, "event_context") else "NULL"
    found = conn.execute(f"SELECT id, suspended, {actor} FROM event_context").fetchall()  # noqa: S608 - one of two
    if len(found) != 1 or found[0][0] != 1:
        return f"it has {len(found)} rows, and needs the one with the id 1"
    _, suspended, name = found[0]
    if suspended != 0:
        return "it says that the triggers are suspended, so no change is recorded"
    return f"it says that {times.quoted(str(name))} makes the changes of everybody" if name is not None else ""


_GONE = """
SELECT task_id FROM (SELECT task_id, op, max(event_id) FROM task_events GROUP BY task_id)
WHERE op <> 'delete' AND task_id NOT IN (SELECT id FROM tasks)
"""


def unlike_history(conn: sqlite3.Connection) -> tuple[int, int | None]:
    """How many tasks differ from what the last events of their life say, or went without one; and the lowest id."""
    each = f"SELECT t.id FROM tasks AS t WHERE {differs()} UNION {_GONE}"  # noqa: S608 - of WATCHED
    row = conn.execute(f"SELECT count(*), min(id) FROM ({each})").fetchone()  # noqa: S608 - of WATCHED
    return int(row[0]), row[1]


def is_unlike(conn: sqlite3.Connection) -> bool:
    """Whether a task or dependency is not as its last events say, where there is a history."""
    return has_history(conn) and bool(unlike_history(conn)[0] or unlike_dependency_history(conn))


def unlike_dependency_history(conn: sqlite3.Connection) -> int:
    """How many dependencies are there after a last event of `remove` or none, or are not there after any other.

    Ids are compared as numbers, whatever the columns are declared as; of a table of words there is no history.
    """
    if not parents.has_dependencies(conn):
        return 0
    pair = "CAST(task_id AS INTEGER) AS task_id, CAST(depends_on_id AS INTEGER) AS depends_on_id"
    sql = f"""
        WITH last AS (
            SELECT {pair}, op, max(event_id) FROM dependency_events GROUP BY 1, 2
        ), said AS (SELECT task_id, depends_on_id FROM last WHERE op <> 'remove'
        ), here AS (
            SELECT {pair} FROM task_dependencies WHERE task_id IS NOT NULL AND depends_on_id IS NOT NULL)
        SELECT (SELECT count(*) FROM (SELECT * FROM said EXCEPT SELECT * FROM here))
             + (SELECT count(*) FROM (SELECT * FROM here EXCEPT SELECT * FROM said))
        """  # noqa: S608 - ours
    return int(conn.execute(sql).fetchone()[0])


def recorded_backups(conn: sqlite3.Connection) -> list[str]:
    """The backups that migrations recorded: a name beside the database, or a path."""
    if (table := tracking.table(conn)) is None:
        return []
    sql = f"SELECT DISTINCT backup FROM {table} WHERE typeof(backup) = 'text' AND backup <> '' ORDER BY backup"  # noqa: S608
    return [name for (name,) in conn.execute(sql)]
