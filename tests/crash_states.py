"""What the crash tests compare: a whole database as a value, and the two states that an operation may leave."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import builders

from dashkit import migrations
from dashkit.migrations import backups

NAME = "dash.db"
# What a second run of the same migration would write otherwise: its time, its duration, its backup.
OF_THE_RUN = {"applied_at", "duration_ms", "backup", "recorded_at"}
# An event that was recorded when it occurred has that time; one that is of an older date keeps its own.
OCCURRED = "nullif(occurred_at, recorded_at)"

Content = dict[str, list[str]]


@dataclass(frozen=True)
class Case:
    """One operation on one database: the folder to start from, and its content before and after.

    Args:
        operation: "execute" or "rollback".
        template: a folder with the database, and what lies beside it, never changed.
        old: the content before.
        new: the content after.
    """

    operation: str
    template: Path
    old: Content
    new: Content

    def copy(self, folder: Path) -> Path:
        """The database in a fresh copy of the folder."""
        shutil.copytree(self.template, folder)
        return folder / NAME

    def run(self, path: Path) -> None:
        """Do it, in this process."""
        (migrations.execute if self.operation == "execute" else migrations.rollback)(path)

    def state(self, path: Path) -> str:
        """Which of the two states the database is in: "old" or "new"; anything else fails, and so does a torn backup.

        The database is opened as any program opens it, so SQLite recovers it first.
        """
        found = content(path)
        assert found in (self.old, self.new), "neither the old content nor the new"
        state = "old" if found == self.old else "new"
        whole = {
            backups.BACKUP: self.old if self.operation == "execute" else self.new,
            backups.BEFORE_ROLLBACK: self.old,
        }
        for kind, expected in whole.items():
            for backup in backups.found(path, kind=kind):
                assert content(backup.path) == expected, f"{backup.path.name} is not the state that it stands for"
        if state == "new":
            kind = backups.BACKUP if self.operation == "execute" else backups.BEFORE_ROLLBACK
            assert backups.found(path, kind=kind), "changed without a backup"
        return state


def make(folder: Path, operation: str, mode: str, tasks: int) -> Case:
    """A database in a journal mode, in WAL mode with rows that are in the WAL alone; its content before and after."""
    path = folder / "making" / NAME
    path.parent.mkdir(parents=True)
    builders.v1_database(path, projects=("Alpha", "Beta"), tasks=map(_task, range(tasks)))
    with closing(sqlite3.connect(path, isolation_level=None)) as neighbour:  # keeps the WAL from being checkpointed
        neighbour.execute(f"PRAGMA journal_mode = {mode}")
        neighbour.execute("PRAGMA wal_autocheckpoint = 0")
        _add_task(neighbour, "Written last")
        if operation == "rollback":
            migrations.execute(path)
            _add_task(neighbour, "Written since")
            neighbour.execute("UPDATE tasks SET checked = 1, description = 'x' WHERE id % 3 = 0")
        shutil.copytree(path.parent, folder / "template", ignore=shutil.ignore_patterns("*-shm"))
    shutil.copytree(folder / "template", folder / "after")
    old = content(folder / "after" / NAME)
    case = Case(operation, folder / "template", old, {})
    case.run(folder / "after" / NAME)
    return Case(operation, folder / "template", old, content(folder / "after" / NAME))


def content(path: Path) -> Content:
    """The schema and every row of every table, after an integrity check."""
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{path.name} is damaged"
        found = {"": [repr(row) for row in conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")]}
        for (table,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            names = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
            columns = [name for name in names if name not in OF_THE_RUN]
            if table in ("task_events", "dependency_events"):
                columns[columns.index("occurred_at")] = OCCURRED
            found[table] = [repr(row) for row in conn.execute(f"SELECT {', '.join(columns)} FROM {table}")]
    return {table: sorted(rows) for table, rows in found.items()}


def titles(path: Path) -> set[str]:
    """The titles of all tasks."""
    return {title for (title,) in builders.query(path, "SELECT title FROM tasks")}


def _task(number: int) -> dict[str, str | None]:
    done = number % 5 == 0
    return {
        "title": f"Task {number}",
        "description": "Words enough to fill more pages than one. " * (number % 7),
        "status": "completed" if done else "pending",
        "created_at": f"2025-01-01 00:{number // 60 % 60:02}:{number % 60:02}",
        "completed_at": "2025-02-01 00:00:00" if done else None,
    }


def _add_task(conn: sqlite3.Connection, title: str) -> None:
    conn.execute(
        "INSERT INTO tasks (project_id, title, status, created_at) VALUES (1, ?, 'pending', '2025-03-01 00:00:00')",
        (title,),
    )
