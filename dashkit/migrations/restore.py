"""Restore a backup into the live database, through SQLite's own locks, after a save of the present state."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashkit import connection
from dashkit.errors import BusyError, DashkitError, FailedError
from dashkit.migrations import backups, preflight, recovery, shape, verify


@dataclass(frozen=True)
class Job:
    """What to restore into what: where the save of the present state goes, and who hears of progress."""

    path: Path
    backup: Path
    folder: Path
    now: datetime
    timeout: float = connection.BUSY_SECONDS
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Restored:
    """A roll back that was done: what is restored, and where the state before it is kept."""

    path: Path
    backup: Path
    saved: Path
    seconds: float


class _WrittenSinceError(Exception):
    """Another program wrote between the save and the restore; nothing was restored."""


def restore(job: Job) -> Restored:
    """Save the present state, then restore the backup into the live database, so that no write falls between.

    Raises:
        RefusedError: the backup or the place forbids it; nothing changed.
        BusyError: another process holds the database; nothing changed.
        FailedError: it went wrong; the message says what is true now.
    """
    started = time.perf_counter()
    preflight.require_writable(job.path, job.folder)
    run = _Run(job)
    try:
        run.go()
        backups.sync(job.path.parent)
    except (sqlite3.Error, OSError, DashkitError, KeyboardInterrupt) as error:
        raise run.what_is_true(error) from error
    return Restored(job.path, job.backup, run.save.path, time.perf_counter() - started)


class _Run:
    """One restore: its connections, the save of the present state, and how far it has come."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.save = backups.NewBackup(job.path, job.folder, backups.BEFORE_ROLLBACK, job.now, durable=True)
        self.began = self.done = False

    def go(self) -> None:
        """Save, restore, verify."""
        job = self.job
        with self.save, closing(connection.connect(job.path, timeout=job.timeout)) as conn:
            conn.execute("PRAGMA synchronous = EXTRA")
            conn.execute("PRAGMA cache_size = -65536")
            mode = conn.execute("PRAGMA journal_mode").fetchone()[0]
            with closing(connection.connect_immutable(job.backup)) as source, ThreadPoolExecutor(1) as pool:
                whole = pool.submit(recovery.require_whole, job.path, job.backup)
                (self._with_wal if mode == "wal" else self._exclusively)(conn, source, whole)

    def _keep(self, source: sqlite3.Connection, whole: Future[None]) -> None:
        """Save the present state; meanwhile the backup is checked, and nothing is restored before it is whole."""
        self.job.tell("saving the present state")
        self.save.fill(lambda partial: connection.private_copy(source, partial, timeout=self.job.timeout))
        backups.sync(self.save.partial)
        whole.result()
        self.save.publish()
        self.job.tell("restoring")

    def _verify(self, conn: sqlite3.Connection) -> None:
        self.done = True
        self.job.tell("verifying")
        if damage := verify.damage_of(conn):
            raise sqlite3.DatabaseError(damage[0])

    def _exclusively(self, conn: sqlite3.Connection, source: sqlite3.Connection, whole: Future[None]) -> None:
        """Rollback-journal mode: one connection holds the file for itself from before the save to the end."""
        # In this order: a connection in exclusive mode keeps its read lock while it waits, which stops the very
        # writer that it waits for.
        connection.acquire(conn, "BEGIN EXCLUSIVE")
        conn.execute("PRAGMA locking_mode = EXCLUSIVE")
        conn.execute("COMMIT")  # the lock stays
        self._keep(conn, whole)
        self.began = True
        source.backup(conn, pages=-1, progress=connection.give_up_after(self.job.timeout, self.job.path))
        self._verify(conn)
        conn.execute("PRAGMA locking_mode = NORMAL")
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read lets the lock go

    def _with_wal(self, conn: sqlite3.Connection, source: sqlite3.Connection, whole: Future[None]) -> None:
        """WAL mode: a second connection sees, once the restore holds the write lock, whether anybody wrote since.

        The destination itself must not be asked while it is being restored: SQLite crashes.
        """
        job = self.job
        deadline = time.monotonic() + job.timeout
        pages = max(1, source.execute("PRAGMA page_count").fetchone()[0] // 200)
        give_up = connection.give_up_after(job.timeout, job.path)
        with closing(connection.connect(job.path, timeout=job.timeout)) as watcher:

            def look(status: int, remaining: int, total: int) -> None:
                give_up(status, remaining, total)
                if status == sqlite3.SQLITE_OK and remaining and connection.data_version(watcher) != seen:
                    raise _WrittenSinceError

            while not self.done:
                seen = connection.data_version(watcher)
                self._keep(watcher, whole)
                try:
                    self.began = True
                    source.backup(conn, pages=pages, progress=look)
                except _WrittenSinceError:
                    self.began = False
                    self.save.withdraw()
                    self._require_time(deadline)
                else:
                    self._verify(conn)

    def _require_time(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise BusyError(
                f"Cannot roll back {self.job.path}",
                "another program keeps writing to it",
                "Nothing changed. Stop that program and run this again.",
                path=self.job.path,
            )

    def what_is_true(self, error: BaseException) -> DashkitError:
        """What to say of an error: by how far it came, and where that does not tell, by looking.

        The save is withdrawn only where nothing can have changed: it may be the one copy of the state before.
        """
        job = self.job
        if isinstance(error, sqlite3.Error):
            error = connection.explain(job.path, "roll back", error)
        unchanged = not self.began or (not self.done and self._is_as_saved())
        if unchanged:
            with suppress(OSError):
                self.save.withdraw()
        if unchanged and isinstance(error, DashkitError) and not isinstance(error, FailedError):
            return error
        verb = "was interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        why = error.why if isinstance(error, DashkitError) else f"{type(error).__name__}: {error}".rstrip(": ")
        if unchanged:
            truth = "Nothing was changed; run it again when the cause is gone."
        elif self.done:
            truth = f"{job.backup} is restored all the same; the state before is {self.save.path}."
        else:
            truth = f"Look with `dashkit status`; both states are kept: {job.backup} and {self.save.path}."
        return FailedError(f"The roll back of {job.path} {verb}", why, truth, path=job.path)

    def _is_as_saved(self) -> bool:
        """Whether the database holds what was saved before the restore began."""
        with (
            suppress(DashkitError, sqlite3.Error, OSError),
            closing(connection.connect(self.job.path, timeout=self.job.timeout)) as conn,
        ):
            return _same(conn, self.save.path)
        return False


def _same(conn: sqlite3.Connection, backup: Path) -> bool:
    connection.attach_immutable(conn, backup, "backup")
    if shape.definitions(conn) != shape.definitions(conn, "backup"):
        return False
    return not any(verify.differences(conn, table, {}) for table in shape.tables(conn, "backup"))
