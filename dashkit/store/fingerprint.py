"""Whether a database holds what it held: without pandas, and without a byte of it changed."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from dashkit import connection
from dashkit.errors import DashkitError
from dashkit.store import rows

SMALL = 32_000_000  # bytes; of a larger file its size and times alone are looked at: reading it all takes too long
# What each look at the sources writes anew though it found nothing new.
_LOOKS = {"seen_at"}


def fingerprint(path: Path) -> dict[str, Any]:
    """What a database is known again by: `file`, its size and times; and `content`, a digest, '' of a large one."""
    # In this order: what is written in between looks changed next time.
    states = [file.stat() for file in (path, connection.beside(path, "-wal")) if file.is_file()]
    file = [[state.st_size, state.st_mtime_ns] for state in states]
    content = ""
    if sum(state.st_size for state in states) <= SMALL:
        try:
            with closing(connection.connect_readonly(path)) as conn, connection.explained(path, "read"):
                content = _digest(conn)
        except DashkitError:  # it cannot be read now; the report says so in words
            content = ""
    return {"file": file, "content": content}


def unchanged(before: object, path: Path) -> bool:
    """Whether the database holds what it held when it had the fingerprint `before`."""
    if not isinstance(before, dict):
        return False
    now = fingerprint(path)
    return bool(now["file"] == before.get("file") or (now["content"] and now["content"] == before.get("content")))


def _digest(conn: sqlite3.Connection) -> str:
    conn.text_factory = bytes
    names = [row[0].decode() for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    made = hashlib.sha256()
    conn.execute("BEGIN")  # all tables as they are at one instant
    for name in names:
        if name.startswith("sqlite_"):
            continue
        made.update(name.encode())
        if name == "runs":  # that somebody looked is no change; that the last look failed is one
            made.update(repr(_outcomes(conn)).encode())
            continue
        quoted = ", ".join(_quoted(column) for column in sorted(rows.columns(conn, name) - _LOOKS)) or "1"
        found = conn.execute(f"SELECT {quoted} FROM {_quoted(name)}")  # noqa: S608 - names of SQLite's own catalogue
        while part := found.fetchmany(2000):
            made.update(repr(part).encode())
    return made.hexdigest()


def _outcomes(conn: sqlite3.Connection) -> list[Any]:
    # Of SQLite: beside a max() stand the columns of its row.
    found = conn.execute("SELECT kind, outcome, max(started_at) FROM runs GROUP BY kind ORDER BY kind")
    return [row[:2] for row in found]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
