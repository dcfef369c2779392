"""The folder of pages: held by one run at a time, with room put by to say that there was none, and kept small."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from dashkit.connection import LOCAL
from dashkit.errors import BusyError, FailedError, RefusedError
from dashkit.reports import changes, record
from dashkit.reports.publish import refused, require_folder, staging

FOLDER = Path("reports")
LATEST = "latest.html"
_RESERVE = ".reserve"
_ROOM = 256 * 1024  # bytes: a page of a failure, its record and the index
_DRAFTS = re.compile(r"\.(?P<label>(?P<day>\d{8})_(?P<time>\d{6})(_\d+)?)")


def beside(db: Path) -> Path:
    """Where the pages of a database go if nobody says: of one that scan keeps in .dashkit beside it, else here."""
    return db.parent / FOLDER if db.parent.name == LOCAL.parent.name else FOLDER


@contextmanager
def held(out: Path) -> Iterator[list[record.Record]]:
    """Hold the folder, which is made; what a run that was killed has left becomes the record of its failure: these.

    Raises:
        RefusedError: nothing can be written there.
        BusyError: another run holds it.
    """
    require_folder(out)
    try:
        lock = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise refused(out, error) from error
    try:
        _lock(lock, out)
        _put_room_by(out)
        folders = [folder for folder in sorted(out.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
        yield [lost for folder in folders for lost in _sweep(folder)]
        _put_room_by(out)
    finally:
        os.close(lock)  # which lets it go, as the end of the process does, however it comes


def give_room(out: Path) -> None:
    """Let go of the room that was put by: the disk is full, and that has to be said."""
    with suppress(OSError):
        (out / _RESERVE).unlink()


def retain(folder: Path, keep: int) -> None:
    """Remove the runs of a report beyond the newest `keep` whose pages show numbers, and `keep` that have none.

    A night of refusals so takes no page away that the next one is compared with.
    """
    runs = record.load(folder)
    for shows in (True, False):
        for label in [label for label, run in runs if run.shows == shows][keep:]:
            for path in folder.glob(f"{label}.*"):
                with suppress(OSError):
                    path.unlink()


def _lock(lock: int, out: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BusyError(
            f"Cannot run a report into {out}",
            "another run is writing its pages there",
            "Nothing changed. Wait for it to end, or name another folder with --out.",
            path=out,
        ) from error


def _put_room_by(out: Path) -> None:
    with suppress(OSError):  # no room already: then the run itself says so
        path = out / _RESERVE
        if not path.is_file() or path.stat().st_size < _ROOM:
            path.write_bytes(os.urandom(_ROOM))  # nothing that a file system could store smaller


def _sweep(folder: Path) -> list[record.Record]:
    """Say of each run that left its drafts behind that it was killed; while the folder is held no other one runs."""
    swept = []
    for drafts in sorted(folder.iterdir()):
        found = _DRAFTS.fullmatch(drafts.name)
        if not found:
            continue
        day, time, label = found["day"], found["time"], found["label"]
        began = f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}.000Z"
        said = "The run was killed before it had ended."
        last = next((run for _, run in record.load(folder) if run.verdict != "refused"), None)
        lost = record.Record(folder.name, "crashed", FailedError.exit_code, began, began, folder.name, said)
        lost = replace(lost, changes=changes.changes(lost, None, last))
        with suppress(RefusedError, FailedError), staging(folder, "swept") as stage:
            if not (folder / f"{label}{record.SUFFIX}").exists():
                for name in (f"{label}{record.SUFFIX}", record.NEWEST):
                    stage.publish_as(lost.to_json(), name)
                swept.append(lost)
            shutil.rmtree(drafts, ignore_errors=True)
    return swept
