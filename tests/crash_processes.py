"""Real processes for the crash tests: a migration that is killed or meets a failing disk, and programs beside it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import dashkit

# Every system call that can change a file or a folder; "?" lets strace pass over one that this machine lacks.
CHANGES = (
    "?pwrite64,?pwritev,?write,?fsync,?fdatasync,?ftruncate,?truncate,?fallocate,?unlink,?unlinkat,?link,?linkat,"
    "?rename,?renameat,?renameat2,?open,?openat,?chmod,?fchmod,?fchmodat,?fchown,?mkdir,?mkdirat"
)
LINE = re.compile(r"(?P<call>\w+)\((?P<rest>.*)")

Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Point:
    """The n-th of one kind of system call; `onwards`: that one and all after it."""

    call: str
    number: int
    onwards: bool = False

    def __str__(self) -> str:
        return f"{self.call}:when={self.number}{'+' if self.onwards else ''}"


def library(operation: str, path: Path) -> list[str]:
    """The operation as a program calls it."""
    return [sys.executable, "-c", f"from dashkit import migrations; migrations.{operation}({str(path)!r})"]


def command(operation: str, path: Path) -> list[str]:
    """The operation as a person types it."""
    options = ["--execute"] if operation == "execute" else ["--rollback", "--yes"]
    return [sys.executable, "-m", "dashkit", "migrate", *options, "--db", str(path)]


@cache
def can_trace() -> bool:
    """Whether strace is installed, and may trace here."""
    found = shutil.which("strace")
    return found is not None and subprocess.run([found, "-qq", "-o", os.devnull, "true"], check=False).returncode == 0


def points(work: list[str], folder: Path) -> list[Point]:
    """The system calls by which a run of the work changes the folder, in order, found by tracing one run.

    strace counts per thread, and without -f it follows the main thread alone: so the counts hold for the next run.
    The second thread's only change is the fsync of the backup.
    """
    trace = folder.parent / f"{folder.name}.trace"
    _traced(["-y", "-o", str(trace), "-e", f"trace={CHANGES}"], work)
    counts: dict[str, int] = {}
    found = []
    for match in map(LINE.match, trace.read_text("utf-8", "replace").splitlines()):
        if match is None:
            continue
        call, rest = match["call"], match["rest"]
        counts[call] = counts.get(call, 0) + 1
        changes = "O_CREAT" in rest or not call.startswith("open")
        if str(folder) in rest and changes and "= -1 ENOENT" not in rest:
            found.append(Point(call, counts[call]))
    return found


def killed(work: list[str], point: Point) -> int:
    """Run the work with SIGKILL just before the point; its exit status."""
    return _traced(["-o", os.devnull, *_inject(point, "signal=SIGKILL")], work).returncode


def failing(work: list[str], point: Point, error: str, *, threads: bool = False) -> tuple[int, str]:
    """Run the work on a disk that fails at the point with an error; its exit status, and what it said.

    `threads`: the calls of each thread are counted, and fail, on their own.
    """
    done = _traced([*(["-f"] if threads else []), "-o", os.devnull, *_inject(point, f"error={error}")], work)
    return done.returncode, done.stdout + done.stderr


def killed_after(work: list[str], seconds: float) -> int:
    """Run the work with SIGKILL at a time, where there is no strace; its exit status."""
    process = subprocess.Popen(work, env=_environment(), stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    return process.wait()


def duration(work: list[str]) -> float:
    """How long a run takes, in seconds."""
    started = time.monotonic()
    subprocess.run(work, env=_environment(), check=True, capture_output=True)
    return time.monotonic() - started


@dataclass
class Neighbour:
    """A program beside the migration; `said` is its output so far, complete when it has ended."""

    process: Process
    said: list[str]

    def hear(self, lines: int) -> None:
        """Wait until it has said so many lines more."""
        self.said += [_pipe(self.process.stdout).readline().rstrip("\n") for _ in range(lines)]

    def go(self) -> None:
        """Let it go on, or stop: it is told by the end of its input."""
        _pipe(self.process.stdin).close()

    def end(self) -> str:
        """Wait until it has ended by itself; all of its output."""
        self.go()
        self.said += _pipe(self.process.stdout).read().splitlines()
        self.process.wait(30)
        return "\n".join(self.said)


@contextmanager
def neighbour(role: str, *arguments: object) -> Iterator[Neighbour]:
    """Run crash_neighbour.py in a role; at the end of the block it is told to stop, and must do so without an error."""
    script = Path(__file__).with_name("crash_neighbour.py")
    with subprocess.Popen(
        [sys.executable, str(script), role, *map(str, arguments)],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        beside = Neighbour(process, [])
        try:
            beside.hear(1)
            yield beside
            beside.end()
            assert process.returncode == 0, "\n".join(beside.said[-12:])
        finally:
            process.kill()


def _traced(options: list[str], work: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["strace", "-qq", *options, *work], env=_environment(), check=False, capture_output=True, text=True, timeout=60
    )


def _inject(point: Point, fault: str) -> list[str]:
    when = f"{point.number}{'+' if point.onwards else ''}"
    return ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{fault}:when={when}"]


def _environment() -> dict[str, str]:
    """Ours, with the package that is under test; nothing is written but what the migration writes."""
    root = str(Path(dashkit.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
