"""The store that newer versions of Beads keep beside the file: whether there is one, and its export by the tool.

What is exported is what the tool says now; the file may be of long ago, or not there at all.
"""

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashkit import times
from dashkit.errors import DashkitError, FailedError
from dashkit.sources import git
from dashkit.sources.files import real

STORES = ("dolt", "embeddeddolt", "*.db")
SECONDS = 30  # that the export may take
BEHIND = timedelta(days=7)  # a file that is this much older than the last commit may be stale

# The tool shall read this folder alone, ask nobody, and write neither the file nor telemetry.
_NOT_KEPT = frozenset(("BEADS_DB", "BD_DB", "BD_JSON_ENVELOPE", "BD_OTEL_STDOUT", "BD_DEBUG"))
_KEPT_QUIET = {
    "BD_NON_INTERACTIVE": "1",
    "BD_NO_PAGER": "1",
    "BD_NO_DAEMON": "1",
    "BEADS_NO_DAEMON": "1",
    "BEADS_AUTO_START_DAEMON": "false",
    "BD_NO_AUTO_FLUSH": "1",
}


def find(folder: Path) -> str | None:
    """The name of a store that lies in a folder `.beads`; None where there is none."""
    found = (file for pattern in STORES for file in sorted(folder.glob(pattern)))
    # A folder is Dolt's, and a file is SQLite's.
    return next((file.name for file in found if file.is_dir() != (file.suffix == ".db")), None)


def command(folder: Path) -> str | None:
    """The tool `bd` of the PATH; None where there is none but in the repository itself, which may come from anyone."""
    root = next((above for above in real(folder).parents if (above / ".git").exists()), real(folder).parent)
    for place in filter(Path.is_absolute, map(Path, os.get_exec_path())):
        tool = place / "bd"
        outside = not any(real(path).is_relative_to(root) for path in (place, tool))
        if outside and tool.is_file() and os.access(tool, os.X_OK):
            return str(tool)
    return None


def export(folder: Path, largest: int) -> bytes | None:
    """What `bd export` writes of the store in a folder `.beads`; None where the tool is not installed.

    Raises:
        FailedError: it failed, took too long, or wrote more than `largest` bytes.
    """
    tool = command(folder)
    if tool is None:
        return None
    # Into a file: a child that the tool leaves behind would keep a pipe open, and us waiting.
    with tempfile.TemporaryFile() as output:
        why = _run([tool, "export"], folder, output.fileno())
        if why is None and output.seek(0, os.SEEK_END) > largest:
            why = f"it wrote more than {largest:,} bytes"
        if why is not None:
            raise FailedError(
                f"Cannot export {folder}", f"`bd export` gives nothing: {why}", "Run it yourself to see.", path=folder
            )
        output.seek(0)
        return output.read()


def _run(words: list[str], folder: Path, output: int) -> str | None:
    """Run the tool; why it failed, if it did."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_KEPT}
    with tempfile.TemporaryFile() as errors:
        try:
            tool = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=folder.parent,
                env={**kept, **_KEPT_QUIET, "BEADS_DIR": str(real(folder))},
                start_new_session=True,
            )
        except OSError as error:
            return (error.strerror or str(error)).lower()
        try:
            code = tool.wait(SECONDS)
        except BaseException as error:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(tool.pid, signal.SIGKILL)
            tool.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                return f"it took more than {SECONDS} seconds"
            raise
        errors.seek(0)
        said = errors.read(10_000).decode("utf-8", "replace").strip().splitlines()
    return None if code == 0 else f"it ended with {code}" + (f" ({said[-1][:200]})" if said else "")


def stale(folder: Path, newest: str | None) -> str | None:
    """Why a file in a folder `.beads` may no longer be what the tool says, where something speaks for that.

    Args:
        folder: where it is.
        newest: the time of its newest record, in the stored form.
    """
    age = f"its newest record is of {newest}" if newest else "no record in it has a time"
    if store := find(folder):
        return f"{age}, and newer versions of the tool keep their data in {store} beside it: the file may be stale"
    last, of = _last_commit(folder), times.parse(newest)
    if last and of and last - of > BEHIND:
        return f"{age}, {(last - of).days} days before the last commit: the file may be stale"
    return None


def _last_commit(folder: Path) -> datetime | None:
    try:
        repo = git.find(folder)
        found = repo.isolated.ask("log", "-1", "--format=%ct", git.head(repo) or "HEAD")
        return datetime.fromtimestamp(int(found), UTC) if found else None
    except (DashkitError, ValueError, OverflowError, OSError):
        return None
