"""Who in this very thread keeps a database locked: to wait for that connection would be to wait for ourselves.

SQLite only says that a database is busy. Python knows all its connections, whoever opened them, and each can be asked
without changing anything: a copy of one that is in the middle of writing is refused at once.
"""

import gc
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

Holding = Literal["writing", "reading", ""]


def find(path: str, ours: sqlite3.Connection) -> Holding:
    """What another connection of this thread, which this thread alone could end, does with a database.

    Args:
        path: the file.
        ours: the connection that is waiting, which is not asked.

    Returns:
        writing: it has an open transaction that has written, or was begun for that. reading: it has not yet fetched
        all rows of a query, or has an open transaction that has read, and no write can be committed meanwhile (with a
        write-ahead log it could be). Empty: neither.
    """
    found: Holding = ""
    for conn in _connections():
        if conn is not ours and _ends_here(conn):
            with suppress(sqlite3.Error):
                found = _holding(conn, path) or found
            if found == "writing":
                break
    return found


def is_open_elsewhere() -> bool:
    """Whether a connection that another thread may end has an open transaction, on whichever database."""
    return any(_in_transaction(conn) and not _ends_here(conn) for conn in _connections())


def _connections() -> Iterator[sqlite3.Connection]:
    # Asking for the type runs no code of the object, as isinstance() can.
    return (one for one in gc.get_objects() if issubclass(type(one), sqlite3.Connection))


def _in_transaction(conn: sqlite3.Connection) -> bool:
    with suppress(sqlite3.Error):  # it was never really opened
        return conn.in_transaction
    return False


def _ends_here(conn: sqlite3.Connection) -> bool:
    """Whether this thread may use a connection, and no other one may."""
    if not _may_use(conn):
        return False
    if threading.active_count() == 1:
        return True
    others: list[bool] = []
    asking = threading.Thread(target=lambda: others.append(_may_use(conn)))
    try:
        asking.start()
    except RuntimeError:  # there are too many already, or Python is about to end: nobody knows
        return False
    asking.join()
    return others == [False]


def _may_use(conn: sqlite3.Connection) -> bool:
    try:
        sqlite3.Connection.cursor(conn).close()
    except sqlite3.Error:  # it is closed, or of another thread
        return False
    return True


def _holding(conn: sqlite3.Connection, path: str) -> Holding:
    """What a connection does with the database at `path`, be it its own or one that it has attached."""
    for _, name, file in _ask(conn, "PRAGMA database_list"):
        if file and _is_same(os.fsdecode(file), path):
            with _without_waiting(conn):
                return _doing(conn, os.fsdecode(name))
    return ""


def _doing(conn: sqlite3.Connection, name: str) -> Holding:
    schema = '"' + name.replace('"', '""') + '"'
    if _ask(conn, f"PRAGMA {schema}.journal_mode") == [(b"wal",)]:
        return "writing" if conn.in_transaction and _is_writing(conn, name) else ""
    try:
        # Without a write-ahead log there is nothing to do, and that is refused where a transaction or a query is open.
        _ask(conn, f"PRAGMA {schema}.wal_checkpoint")
    except sqlite3.OperationalError:
        return "writing" if _is_writing(conn, name) else "reading"
    return ""


@contextmanager
def _without_waiting(conn: sqlite3.Connection) -> Iterator[None]:
    ((timeout,),) = _ask(conn, "PRAGMA busy_timeout")
    _ask(conn, "PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        _ask(conn, f"PRAGMA busy_timeout = {timeout}")


def _ask(conn: sqlite3.Connection, pragma: str) -> list[Any]:
    """The rows of a PRAGMA, whatever factories the connection has, with texts as bytes."""
    before, conn.text_factory = conn.text_factory, bytes
    try:
        with closing(sqlite3.Connection.cursor(conn)) as cursor:
            cursor.row_factory = None
            return cursor.execute(pragma).fetchall()
    finally:
        conn.text_factory = before


def _is_same(file: str, path: str) -> bool:
    try:
        return Path(file).samefile(path)
    except (OSError, ValueError):
        return False


class _AnsweredError(Exception):
    """The first step of a copy has been answered, and no second one is wanted."""


def _is_writing(conn: sqlite3.Connection, name: str) -> bool:
    answers: list[int] = []

    def look(status: int, _remaining: int, _total: int) -> None:
        answers.append(status)
        raise _AnsweredError

    with closing(sqlite3.connect(":memory:")) as nowhere, suppress(_AnsweredError):
        sqlite3.Connection.backup(conn, nowhere, pages=1, progress=look, name=name)
    return answers == [sqlite3.SQLITE_BUSY]
