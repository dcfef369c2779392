"""What can be known before any connection is open, by stat and never by open()."""

import os
import stat
from pathlib import Path

from dashkit.connection import beside, require_file
from dashkit.errors import RefusedError, UsageError

ROOM = 3  # backup 1x, journal 1x, growth 0.4x; measured at 2.4x (rollback journal) and 2.85x (WAL)


def real_path(path: Path) -> Path:
    """The file itself, behind links, refused where it cannot be a Dashboard.

    Raises:
        RefusedError: not there, not a regular file, empty, or known by more than one name.
    """
    require_file(path)
    real = path.resolve()
    facts = real.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise _refused(path, "it is not a regular file", "Name the database file itself.")
    if facts.st_size == 0:
        raise _refused(path, "the file is empty", "Name the Dashboard's own file, or restore a backup.")
    if facts.st_nlink > 1:
        raise _refused(
            path,
            f"the file has {facts.st_nlink} names (hard links), and SQLite keeps its journal beside one name only",
            "Copy it to a file of its own, and migrate that.",
        )
    return real


def require_writable(path: Path, folder: Path) -> int:
    """Refuse what could not be changed safely; returns the bytes that a migration may need.

    Raises:
        UsageError: the backup folder is none.
        RefusedError: no permission, or too little room.
    """
    if not folder.is_dir():
        raise UsageError(
            f"Cannot put a backup into {folder}",
            "there is no such folder",
            "Make it, or name another.",
            path=folder,
        )
    for place in (path, path.parent, folder):
        if not os.access(place, os.W_OK):
            raise _refused(path, f"{place} is read-only", "Allow writing to it, or work on a copy.")
    import shutil

    need = ROOM * sum(_size(file) for file in (path, beside(path, "-wal")))
    for place in {path.parent, folder}:
        free = shutil.disk_usage(place).free
        if free < need:
            raise _refused(
                path,
                f"there is too little room: {free:,} bytes free in {place}, {need:,} may be needed",
                "Make room, or name another folder for the backup with --backup-dir DIR.",
            )
    return need


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _refused(path: Path, why: str, remedy: str) -> RefusedError:
    return RefusedError(f"Cannot migrate {path}", why, remedy, path=path)
