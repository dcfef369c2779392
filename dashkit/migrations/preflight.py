"""What can be known before any connection is open, by stat and never by open()."""

import os
import stat
from pathlib import Path

from dashkit.connection import beside, require_file
from dashkit.errors import RefusedError, UsageError
from dashkit.migrations.backups import longest_name

# Backup 1x, journal 1x, growth 0.4x; measured at 2.4x (rollback journal) and 2.85x (WAL) for version 2.0. What the
# history of 2.1 needs on top goes by the number of tasks, which no stat tells: the dry run measures it.
ROOM = 3
LONGEST_PATH = 511  # bytes that SQLite takes


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
        RefusedError: no permission, no room for the name of a backup, or too little room for its bytes.
    """
    _require_folder(path, folder)
    for place in (path, path.parent, folder):
        _require_access(path, place)
    _require_name(path, folder)
    need = ROOM * footprint(path)
    for place in {path.parent, folder}:
        if (free := _free(place)) < need:
            raise _refused(
                path,
                f"there is too little room: {free:,} bytes free in {place}, {need:,} may be needed",
                "Make room, or name another folder for the backup with --backup-dir DIR.",
            )
    return need


def require_room(folder: Path, need: int, shown: Path) -> None:
    """Refuse a rehearsal of which the copies, `need` bytes, have no room in the folder for temporary files.

    Raises:
        RefusedError: they have none.
    """
    if (free := _free(folder)) < need:
        raise RefusedError(
            f"Cannot rehearse on a copy of {shown}",
            f"there is too little room in TMPDIR: {free:,} bytes free in {folder}, {need:,} may be needed",
            "Make room there, or set TMPDIR to another folder.",
            path=shown,
        )


def footprint(path: Path) -> int:
    """Bytes of a database, with what is still in its WAL."""
    return sum(file.stat().st_size for file in (path, beside(path, "-wal")) if file.exists())


def _require_folder(path: Path, folder: Path) -> None:
    try:
        if folder.is_dir():
            return
    except OSError as error:  # a folder above it may not be read
        raise _refused(
            path,
            f"{folder} cannot be looked into ({(error.strerror or str(error)).lower()})",
            "Allow that, or name another folder for the backup with --backup-dir DIR.",
        ) from error
    raise UsageError(
        f"Cannot put a backup into {folder}",
        "there is no such folder",
        "Make it, or name another.",
        path=folder,
    )


def _require_name(path: Path, folder: Path) -> None:
    longest = longest_name(path)
    allowed = min(os.pathconf(folder, "PC_NAME_MAX"), LONGEST_PATH - len(os.fsencode(folder / "x")) + 1)
    if longest > allowed:
        raise _refused(
            path,
            f"a backup of it would need a name of {longest:,} bytes, and {folder} takes {max(0, allowed):,}",
            "Give the database a shorter name, or name another folder for the backup with --backup-dir DIR.",
        )


def _require_access(path: Path, place: Path) -> None:
    if not os.access(place, os.W_OK):
        raise _refused(path, f"{place} is read-only", "Allow writing to it, or work on a copy.")
    if not os.access(place, os.R_OK | os.X_OK if place.is_dir() else os.R_OK):
        raise _refused(path, f"{place} may not be read", "Allow reading it, or work on a copy.")


def _free(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


def _refused(path: Path, why: str, remedy: str) -> RefusedError:
    return RefusedError(f"Cannot use {path}", why, remedy, path=path)
