"""Backup files: their names, their order, and how one comes to be.

A backup is made as `.<name>.partial`; it gets its final name, by link and never over a file, only when it is
whole, checked and synced. So whatever has the name of a backup is one. What a process that was killed has left
unfinished, the next backup of the same database removes.
"""

import errno
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dashkit import times
from dashkit.errors import RefusedError

BACKUP = "backup"
BEFORE_ROLLBACK = "before_rollback"


@dataclass(frozen=True)
class Backup:
    """One backup file beside a database; the sequence orders them, never the clock."""

    path: Path
    sequence: int
    made_at: datetime | None


def found(path: Path, folder: Path | None = None, kind: str = BACKUP) -> list[Backup]:
    """The backups of a database in a folder (None: its own), newest first.

    The number in the name orders them, never a clock; names without a number are older than all with one.

    Raises:
        RefusedError: the folder cannot be read.
    """
    name = re.compile(rf"{re.escape(path.stem)}\.{kind}_(\d{{8}}_\d{{6}})(?:_(\d{{4,}}))?\.db")
    backups = [
        Backup(entry, int(match[2] or 0), _instant(match[1]))
        for entry in _entries(folder or path.parent)
        if (match := name.fullmatch(entry.name))
    ]
    return sorted(backups, key=lambda backup: (backup.sequence, backup.path.name), reverse=True)


def is_there(backup: Path) -> bool:
    """Whether a backup that somebody named is a file; a name that no file can have is none."""
    try:
        return backup.is_file()
    except OSError:
        return False


def longest_name(path: Path) -> int:
    """Bytes of the longest name that a backup of a database ever has: while the save of a roll back is made."""
    return len(os.fsencode(f".{path.stem}.{BEFORE_ROLLBACK}_20251127_160957_0001.db.4194304.partial-journal"))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise RefusedError(
            f"Cannot look for backups in {folder}",
            (error.strerror or str(error)).lower(),
            "Allow reading that folder, or name another with --backup-dir DIR.",
            path=folder,
        ) from error


def _instant(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


class NewBackup:
    """A backup in the making; leaving the block without `publish` leaves nothing behind."""

    def __init__(self, path: Path, folder: Path, kind: str, now: datetime, *, durable: bool) -> None:
        self._source, self._folder, self._kind, self._now = path, folder, kind, now
        self._durable = durable
        self._sequence = self._next()
        self.partial = folder / f".{self.path.name}.{os.getpid()}.partial"
        self.published = False

    @property
    def path(self) -> Path:
        """The name that it will have."""
        name = f"{self._source.stem}.{self._kind}_{times.stamp(self._now)}_{self._sequence:04d}.db"
        return self._folder / name

    def _next(self) -> int:
        """One number for all kinds, so that the order over all of them is plain."""
        return 1 + max(
            (
                backup.sequence
                for kind in (BACKUP, BEFORE_ROLLBACK)
                for backup in found(self._source, self._folder, kind)
            ),
            default=0,
        )

    def fill(self, copy: Callable[[Path], None]) -> None:
        """Make the partial file with the source's mode (a private database has a private backup) and fill it."""
        self.discard()
        self._sweep()
        mode = self._source.stat().st_mode & 0o777
        os.close(os.open(self.partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
        self.partial.chmod(mode)
        copy(self.partial)

    def publish(self) -> None:
        """Link the file, whole and synced by now, to its final name; a taken name moves on to the next number.

        Raises:
            RefusedError: the file system knows no links, so a name could be had only unsafely.
        """
        while True:
            try:
                self.path.hardlink_to(self.partial)
                break
            except FileExistsError:
                self._sequence += 1
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                    raise
                raise RefusedError(
                    f"Cannot give the backup its name {self.path}",
                    f"the file system refuses a link ({error.strerror})",
                    "Name a folder on another file system with --backup-dir DIR.",
                    path=self.path,
                ) from error
        self.published = True
        self.partial.unlink()
        if self._durable:
            sync(self._folder)

    def withdraw(self) -> None:
        """Take a published backup back: nothing has changed, so it backs up nothing."""
        if self.published:
            self.path.unlink(missing_ok=True)
            self.published = False

    def discard(self) -> None:
        """Remove the partial file and what SQLite may have left beside it."""
        for suffix in ("", "-journal", "-wal", "-shm"):
            self.partial.with_name(self.partial.name + suffix).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what processes that are no more have left of backups of this database."""
        kinds = f"{BACKUP}|{BEFORE_ROLLBACK}"
        name = re.compile(
            rf"\.{re.escape(self._source.stem)}\.(?:{kinds})_\d{{8}}_\d{{6}}_\d{{4,}}\.db\.(\d{{1,9}})\.partial(?:-\w+)?"
        )
        for entry in _entries(self._folder):
            if (match := name.fullmatch(entry.name)) and not _is_alive(int(match[1])):
                with suppress(OSError):  # another user's, who may have it
                    entry.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing, and asks whether it could
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def sync(path: Path) -> None:
    """Have the system write a file or a folder to the disk. Never called on a live database."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
