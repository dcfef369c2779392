"""A program beside a migration, run as a process: `python crash_neighbour.py ROLE PATH ...`.

It says one line when it is ready, and then what its role says, until its input ends.
"""

import select
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dashkit import migrations
from dashkit.errors import BusyError


def write(conn: sqlite3.Connection) -> None:
    """Insert a row and count in another, again and again, in bursts; each is said once it is committed."""
    number = 0
    while not _told_to_stop(0.03 if number % 10 == 0 else 0):
        number += 1
        conn.execute("INSERT INTO tasks (project_id, title, status) VALUES (1, ?, 'pending')", (f"row {number}",))
        _say(f"row {number}")
        conn.execute("UPDATE tasks SET description = ? WHERE id = 1", (str(number),))
        _say(f"count {number}")


def read(conn: sqlite3.Connection) -> None:
    """Read all the time through one connection; each time the number of columns of tasks is said."""
    stop = False
    while not stop:
        stop = _told_to_stop(0.005)
        rows = conn.execute("SELECT * FROM tasks").fetchall()
        _say(str(len(rows[0])))


def hold(conn: sqlite3.Connection, *statements: str) -> None:
    """Run the statements, and hold what they hold."""
    for statement in statements:
        conn.execute(statement).fetchone()
    _say("held")
    while not _told_to_stop(1):
        pass


def execute(path: str, folder: str | None = None) -> None:
    """Wait for the start, then migrate and say the report, or that it was busy."""
    _say("ready")
    sys.stdin.read()
    try:
        _say(str(migrations.execute(path, backup_dir=folder)))
    except BusyError as error:
        _say(f"busy: {error}")


def _told_to_stop(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


ROLES: dict[str, Callable[..., None]] = {"write": write, "read": read, "hold": hold}


def main(role: str, path: str, *arguments: str) -> None:
    """Play the role."""
    if role == "execute":
        execute(path, *arguments)
        return
    with closing(sqlite3.connect(Path(path), timeout=20, isolation_level=None)) as conn:
        ROLES[role](conn, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
