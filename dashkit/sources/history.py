"""The versions of a task file or folder in git, on the first parent, oldest first, and how they are read."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from dashkit import times
from dashkit.records import Skip, Task, TaskList
from dashkit.sources import SOURCES, backlog, beads, files
from dashkit.sources.git import commands
from dashkit.sources.tally import tally

Changes = Mapping[str, bytes | None]  # path below the place ("" for a file) -> content; None: no file there any more
Files = dict[str, bytes | None]  # the same with the names of contents
Reader = Callable[[Changes], TaskList]

_HEADER = re.compile(rb"\n*([0-9a-f]{40,64}) (-?\d+)")
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
_PIECE = 2**20  # bytes
_LAST = 253_402_300_799  # seconds: the end of the year 9999


@dataclass(frozen=True)
class Place:
    """Where a file or folder is in git.

    Args:
        git_dir: the repository, as its work tree names it.
        repository: what all its work trees share.
        root: the folder of the work tree.
        path: of the file or folder, in the repository, with slashes; "." is all of it.
        head: the commit that is checked out; None: there is none yet.
    """

    git_dir: Path
    repository: Path
    root: Path
    path: str
    head: str | None


@dataclass(frozen=True)
class FileVersion:
    """One version: its commit, the committer's time in the stored form, and what is new in it.

    The first version of a folder that is read holds all files of it, a later one those that changed. `missing` says
    how many contents this clone does not have, or are too large to be read.
    """

    sha: str
    committed_at: str
    changes: Changes
    missing: int = 0


def locate(path: Path, known: dict[Path, Place] | None = None) -> Place | None:
    """Where a file or folder is in git, or was, where it is no longer there; None: in no repository.

    Args:
        path: the file or folder.
        known: what was found for others, so that each repository is asked once; it grows.

    Raises:
        RefusedError: the repository is of another user, or git is not installed.
    """
    real = files.real(path)
    above = next((folder for folder in (real, *real.parents) if (folder / ".git").exists()), None)
    if above is None:
        return None
    known = {} if known is None else known
    if above not in known:
        root = commands.discover(above, "--show-toplevel").resolve()
        git_dir = commands.discover(above, "--git-dir").resolve()
        common = commands.discover(above, "--git-common-dir").resolve()
        head = commands.ask(git_dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        known[above] = Place(git_dir, common, root, ".", head.decode() if head else None)
    return replace(known[above], path=real.relative_to(known[above].root).as_posix())


def is_ancestor(place: Place, commit: str) -> bool:
    """Whether the history of today still holds a commit: not after a rebase, nor on another branch."""
    if place.head is None:
        return False
    return commands.ask(place.git_dir, "merge-base", "--is-ancestor", commit, place.head) is not None


def versions(place: Place, kind: str, since: str | None = None) -> Iterator[FileVersion]:
    """The versions after the commit `since` (None: all).

    Args:
        place: of a file, or of a folder where the kind has folders.
        kind: of SOURCES.
        since: a commit.

    Raises:
        FailedError: git cannot read the repository.
    """
    if place.head is None or place.head == since:
        return
    reach = (place.head, f"^{since}") if since else (place.head,)
    path = f":(top,literal){'' if place.path == '.' else place.path}"
    commits = _commits(place, kind, commands.run(place.git_dir, *_LOG, *reach, "--", path))
    contents = _contents(place.git_dir, commits, SOURCES[kind].LARGEST)
    for commit in commits:
        read = {name: next(contents) if blob else None for name, blob in commit.files.items()}
        lacking = [name for name, data in read.items() if data is None and commit.files[name]]
        yield FileVersion(
            commit.sha,
            commit.at,
            {name: data for name, data in read.items() if name not in lacking},
            len(lacking),
        )


@dataclass(frozen=True)
class _Commit:
    """A commit with the files that it changed: path below the place -> blob; None: it took the file away."""

    sha: str
    at: str
    files: Files


def _commits(place: Place, kind: str, log: bytes) -> list[_Commit]:
    """The commits of a raw log that NUL separates, as far as they changed what is read; the first one is whole."""
    found: list[_Commit] = []
    words = iter(log.split(b"\0"))
    for word in words:
        if header := _HEADER.fullmatch(word):
            seconds = min(max(0, int(header[2])), _LAST)
            at = times.to_text(datetime.fromtimestamp(seconds, UTC))
            found.append(_Commit(header[1].decode(), at, {}))
        elif word.startswith((b"\n:", b":")):
            _, mode, _, blob, _ = word.split()
            found[-1].files[_below(place, next(words))] = blob if mode.startswith(_FILE) else None
    # What is a folder now may have been a file before, and the other way round.
    is_folder = any(name for commit in found for name in commit.files)
    kept = [replace(one, files=_read(kind, one.files) if is_folder else one.files) for one in found]
    kept = [one for one in kept if one.files]
    if is_folder and kept:
        kept[0] = replace(kept[0], files=_read(kind, _tree(place, kept[0].sha)))
    return kept


def _read(kind: str, found: Files) -> Files:
    """The files in a folder that are read."""
    return {name: blob for name, blob in found.items() if kind == "backlog" and backlog.is_page(name)}


def _tree(place: Place, sha: str) -> Files:
    """All files of a folder at a commit."""
    listed = commands.run(place.git_dir, "ls-tree", "-r", "-z", "--full-tree", sha, "--", place.path).split(b"\0")
    entries = (line.split(b"\t", 1) for line in listed if line.startswith(_FILE))
    return {_below(place, name): facts.split()[2] for facts, name in entries}


def _below(place: Place, name: bytes) -> str:
    return os.fsdecode(name) if place.path == "." else os.fsdecode(name).removeprefix(place.path).lstrip("/")


def reader(kind: str, name: str, *, everything: bool = False) -> Reader:
    """What reads the versions of a file one after the other; a record that stays the same is the very same object.

    Args:
        kind: of SOURCES.
        name: the path of the file, with slashes.
        everything: no rule leaves a record out.
    """
    if kind == "backlog":
        return backlog.Folder(name, everything=everything).take
    if kind != "beads":
        return lambda changes: SOURCES[kind].read_bytes(changes[""] or b"", name, everything=everything)
    last: dict[bytes, Task | Skip] = {}

    def read(changes: Changes) -> TaskList:
        """Parse only the lines that the version before did not have."""
        nonlocal last
        lines = [line for line in (changes[""] or b"").removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        last = {line: last.get(line) or beads.parse_record(line, everything=everything) for line in lines}
        return tally((f"line {number}", last[line]) for number, line in enumerate(lines, 1))

    return read


def _contents(git_dir: Path, commits: Iterable[_Commit], largest: int) -> Iterator[bytes | None]:
    """The bytes of all blobs, in their order, out of one process; None: not in this clone, or larger than that.

    Asked one by one, so that no pipe can fill up.
    """
    blobs = [blob for commit in commits for blob in commit.files.values() if blob]
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
            yield _answer(answered, int(size[0]), largest) if size and size[0].isdigit() else None


def _answer(git: IO[bytes], size: int, largest: int) -> bytes | None:
    """The content that git writes, and the line break behind it; what is too large is read past."""
    if size <= largest:
        return git.read(size + 1)[:-1]
    left = size + 1
    while left and (read := len(git.read(min(left, _PIECE)))):
        left -= read
    return None
