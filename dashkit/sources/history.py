"""The versions of a task file in git, on the first parent, oldest first, and how they are read."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from dashkit import times
from dashkit.records import Skip, Task, TaskList
from dashkit.sources import SOURCES, beads
from dashkit.sources.git import commands
from dashkit.sources.tally import tally

Reader = Callable[[bytes], TaskList]

# Commit, committer's time, new mode, new content, what happened; a mode of 120000 is a symbolic link.
_ENTRY = re.compile(rb"([0-9a-f]{40,64}) (-?\d+)[\0\n]+:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*\0")
_FILE = b"100"
_LOG = (
    *(
        "-c",
        "log.showRoot=true",
        "log",
        "--first-parent",
        "--diff-merges=first-parent",
        "--reverse",
        "--no-renames",
        "--no-follow",
        "--raw",
    ),
    *("--no-abbrev", "--no-ext-diff", "--no-show-signature", "-z", "--format=%H %ct"),
)
_LAST = 253_402_300_799  # seconds: the end of the year 9999


@dataclass(frozen=True)
class Place:
    """Where a file is in git.

    Args:
        git_dir: the repository, as its work tree names it.
        repository: what all its work trees share.
        folder: the name of the work tree's folder.
        path: of the file, in the repository, with slashes.
        head: the commit that is checked out; None: there is none yet.
    """

    git_dir: Path
    repository: Path
    folder: str
    path: str
    head: str | None


@dataclass(frozen=True)
class FileVersion:
    """One version: its commit, the committer's time in the stored form, and the bytes; None: no file there.

    `missing` is set where this clone does not have the bytes.
    """

    sha: str
    committed_at: str
    data: bytes | None
    missing: bool = False


def locate(path: Path) -> Place | None:
    """Where a file or folder is in git; None: in no repository.

    Raises:
        RefusedError: the repository is of another user, or git is not installed.
    """
    real = path.resolve()
    if not any((folder / ".git").exists() for folder in real.parents):
        return None
    root = commands.discover(real.parent, "--show-toplevel").resolve()
    git_dir = commands.discover(real.parent, "--git-dir").resolve()
    common = commands.discover(real.parent, "--git-common-dir").resolve()
    head = commands.ask(git_dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return Place(git_dir, common, root.name, real.relative_to(root).as_posix(), head.decode() if head else None)


def is_ancestor(place: Place, commit: str) -> bool:
    """Whether the history of today still holds a commit: not after a rebase, nor on another branch."""
    if place.head is None:
        return False
    return commands.ask(place.git_dir, "merge-base", "--is-ancestor", commit, place.head) is not None


def versions(place: Place, since: str | None = None) -> Iterator[FileVersion]:
    """The versions of a file after the commit `since` (None: all).

    Raises:
        FailedError: git cannot read the repository.
    """
    if place.head is None or place.head == since:
        return
    reach = (place.head, f"^{since}") if since else (place.head,)
    path = os.fsencode(place.path)
    log = commands.run(place.git_dir, *_LOG, *reach, "--", f":(top,literal){os.fsdecode(path)}")
    listed = [match.groups() for match in _ENTRY.finditer(log)]
    contents = _contents(place.git_dir, [blob for _, _, mode, blob in listed if mode.startswith(_FILE)])
    for sha, seconds, mode, _ in listed:
        at = times.to_text(datetime.fromtimestamp(min(max(0, int(seconds)), _LAST), UTC))
        data = next(contents) if mode.startswith(_FILE) else None
        yield FileVersion(sha.decode(), at, data, mode.startswith(_FILE) and data is None)


def reader(kind: str, name: str, *, everything: bool = False) -> Reader:
    """What reads the versions of a file one after the other; a record that stays the same is the very same object.

    Args:
        kind: of SOURCES.
        name: the path of the file, with slashes.
        everything: no rule leaves a record out.
    """
    if kind != "beads":
        return lambda data: SOURCES[kind].read_bytes(data, name, everything=everything)
    last: dict[bytes, Task | Skip] = {}

    def read(data: bytes) -> TaskList:
        """Parse only the lines that the version before did not have."""
        nonlocal last
        lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        last = {line: last.get(line) or beads.parse_record(line, everything=everything) for line in lines}
        return tally((f"line {number}", last[line]) for number, line in enumerate(lines, 1))

    return read


def _contents(git_dir: Path, blobs: list[bytes]) -> Iterator[bytes | None]:
    """The bytes of blobs, in their order, out of one process; asked one by one, so that no pipe can fill up."""
    if not blobs:
        return
    pipe = subprocess.PIPE
    command = commands.command(git_dir, ["cat-file", "--batch"])
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=commands.environment()
    ) as git:
        asked, answered = cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)
        for blob in blobs:
            asked.write(blob + b"\n")
            asked.flush()
            size = answered.readline().split()[-1:]
            if not size or not size[0].isdigit():
                yield None
                continue
            yield answered.read(int(size[0]))
            answered.read(1)
