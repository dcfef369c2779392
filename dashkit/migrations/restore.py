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
    save = backups.NewBackup(job.path, job.folder, backups.BEFORE_ROLLBACK, job.now, durable=True)
    try:
        with save, closing(connection.connect(job.path, timeout=job.timeout)) as conn:
            conn.execute("PRAGMA synchronous = EXTRA")
            conn.execute("PRAGMA cache_size = -65536")
            mode = conn.execute("PRAGMA journal_mode").fetchone()[0]
            with closing(connection.connect_immutable(job.backup)) as source, ThreadPoolExecutor(1) as pool:
                whole = pool.submit(recovery.require_whole, job.path, job.backup)
                (_restore_wal if mode == "wal" else _restore_exclusively)(job, conn, source, save, whole)
            job.tell("verifying")
            if damage := verify.damage_of(conn):
                raise sqlite3.DatabaseError(damage[0])
        backups.sync(job.path.parent)
    except (sqlite3.Error, OSError, DashkitError, KeyboardInterrupt) as error:
        raise _what_is_true(error, job, save) from error
    return Restored(job.path, job.backup, save.path, time.perf_counter() - started)


def _save(job: Job, source: sqlite3.Connection, save: backups.NewBackup, whole: Future[None]) -> None:
    """Save the present state; meanwhile the backup is being checked, and nothing is restored before it is whole."""
    job.tell("saving the present state")
    save.fill(lambda partial: connection.private_copy(source, partial, timeout=job.timeout))
    backups.sync(save.partial)
    whole.result()
    save.publish()


def _restore_exclusively(
    job: Job, conn: sqlite3.Connection, source: sqlite3.Connection, save: backups.NewBackup, whole: Future[None]
) -> None:
    """Rollback-journal mode: one connection holds the file for itself from before the save to after the restore."""
    # In this order: a connection in exclusive mode keeps its read lock while it waits, which stops the very writer
    # that it waits for.
    conn.execute("BEGIN EXCLUSIVE")
    conn.execute("PRAGMA locking_mode = EXCLUSIVE")
    conn.execute("COMMIT")  # the lock stays
    _save(job, conn, save, whole)
    job.tell("restoring")
    source.backup(conn, pages=-1, progress=connection.give_up_after(job.timeout, job.path))
    conn.execute("PRAGMA locking_mode = NORMAL")
    conn.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read lets the lock go


def _restore_wal(
    job: Job, conn: sqlite3.Connection, source: sqlite3.Connection, save: backups.NewBackup, whole: Future[None]
) -> None:
    """WAL mode: a second connection sees, once the restore holds the write lock, whether anybody wrote since the save.

    The destination itself must not be asked while it is being restored: SQLite crashes.
    """
    deadline = time.monotonic() + job.timeout
    pages = max(1, source.execute("PRAGMA page_count").fetchone()[0] // 200)
    give_up = connection.give_up_after(job.timeout, job.path)
    with closing(connection.connect(job.path, timeout=job.timeout)) as watcher:

        def look(status: int, remaining: int, total: int) -> None:
            give_up(status, remaining, total)
            if status == sqlite3.SQLITE_OK and remaining and _data_version(watcher) != seen:
                raise _WrittenSinceError

        while True:
            seen = _data_version(watcher)
            _save(job, watcher, save, whole)
            job.tell("restoring")
            try:
                source.backup(conn, pages=pages, progress=look)
            except _WrittenSinceError:
                save.withdraw()
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"Cannot roll back {job.path}",
                        "another program keeps writing to it",
                        "Nothing changed. Stop that program and run this again.",
                        path=job.path,
                    ) from None
            else:
                return


def _data_version(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA data_version").fetchone()[0])


def _what_is_true(error: BaseException, job: Job, save: backups.NewBackup) -> DashkitError:
    """Open the database again and look which of the two states it is in."""
    if isinstance(error, sqlite3.Error):
        error = connection.explain(job.path, "roll back", error)
    restored: bool | None = None
    if isinstance(error, BusyError):  # not restored for sure, and to ask would be to wait once more
        restored = False
    else:
        with (
            suppress(DashkitError, sqlite3.Error, OSError),
            closing(connection.connect(job.path, timeout=job.timeout)) as conn,
        ):
            restored = _same(conn, job.backup)
    if restored is False:
        with suppress(OSError):
            save.withdraw()
    if isinstance(error, DashkitError) and not isinstance(error, FailedError) and restored is False:
        return error
    why = error.why if isinstance(error, DashkitError) else f"{type(error).__name__}: {error}".rstrip(": ")
    truth = {
        False: "Nothing was changed; run it again when the cause is gone.",
        True: f"{job.backup} is restored all the same; the state before is {save.path}.",
        None: f"The database could not be read again; both states are kept: {job.backup} and, if made, {save.path}.",
    }[restored]
    return FailedError(f"The roll back of {job.path} failed", why, truth, path=job.path)


def _same(conn: sqlite3.Connection, backup: Path) -> bool:
    connection.attach_immutable(conn, backup, "backup")
    if shape.definitions(conn) != shape.definitions(conn, "backup"):
        return False
    return not any(verify.differences(conn, table, {}) for table in shape.tables(conn, "backup"))
