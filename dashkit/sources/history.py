"""The versions of a task file or folder in git, on the first parent, oldest first, and how they are read."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from dashkit import times
from dashkit.records import Skip, Task, TaskList
from dashkit.sources import SOURCES, backlog, beads, files
from dashkit.sources.git import Repository, commands, find, head
from dashkit.sources.git.isolated import Isolated
from dashkit.sources.tally import tally

if TYPE_CHECKING:
    import subprocess

Changes = Mapping[str, bytes | None]  # path below the place ("" for a file) -> content; None: no file there any more
Files = dict[str, bytes | None]  # the same with the names of contents
Reader = Callable[[Changes], TaskList]

_HEADER = re.compile(rb"\n*([0-9a-f]{40,64}) (-?\d*)")  # a commit may have a committer without a time
_FILE = b"100"
_LOG = (
    *("log", "--first-parent", "--diff-merges=first-parent", "--reverse", "--no-renames", "--raw"),
    *("--no-abbrev", "--no-ext-diff", "-z", "--format=%H %ct"),
)
_PIECE = 2**20  # bytes
_LAST = 253_402_300_799  # seconds: the end of the year 9999


@dataclass(frozen=True)
class Place:
    """Where a file or folder is in git.

    Args:
        repo: the repository.
        root: the folder of the work tree.
        path: of the file or folder, in the repository, with slashes; "." is all of it.
        head: the commit that is checked out; None: there is none yet.
    """

    repo: Repository
    root: Path
    path: str
    head: str | None

    @property
    def repository(self) -> Path:
        """What all its work trees share."""
        return self.repo.common_dir


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


class Places:
    """Finds where files and folders are in git, and asks each repository once."""

    def __init__(self) -> None:
        self._found: dict[Path, Place] = {}

    @property
    def tops(self) -> dict[str, Path]:
        """The repositories found so far: git directory -> folder of the work tree."""
        return {str(place.repository): place.root for place in self._found.values()}

    def locate(self, path: Path) -> Place | None:
        """Where a file or folder is in git, or was, where it is no longer there; None: in no work tree.

        Raises:
            RefusedError: the repository belongs to another user, or git is not installed.
        """
        real = files.real(path)
        above = _holder(real)
        if above is None:
            return None
        if above not in self._found:
            repo = find(above)
            if repo.work_tree is None:
                return None
            self._found[above] = Place(repo, repo.work_tree, ".", head(repo))
        found = self._found[above]
        return replace(found, path=real.relative_to(found.root).as_posix())


def locate(path: Path) -> Place | None:
    """Where one file or folder is in git: `Places.locate`, once."""
    return Places().locate(path)


def _holder(path: Path) -> Path | None:
    """The folder in which git finds the repository of a path, without asking it."""
    ceilings = {Path(folder) for folder in os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep) if folder}
    for folder in (path, *path.parents):
        if folder != path and folder in ceilings:
            return None
        if os.path.lexists(folder / ".git"):
            return folder
    return None


def is_ancestor(place: Place, commit: str) -> bool:
    """Whether the history of today still holds a commit: not after a rebase, nor on another branch."""
    if place.head is None:
        return False
    return place.repo.isolated.ask("merge-base", "--is-ancestor", commit, place.head) is not None


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
    entry = _entry(place, since, place.head) if since else None
    start = entry or since
    reach = (place.head, f"^{start}") if start else (place.head,)
    path = f":(top,literal){'' if place.path == '.' else place.path}"
    commits = [_whole(place, kind, entry)] if entry else []
    commits += _commits(place, kind, place.repo.isolated.run(*_LOG, *reach, "--", path))
    contents = _contents(place.repo.isolated, commits, SOURCES[kind].LARGEST)
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


def _entry(place: Place, since: str, head: str) -> str | None:
    """Where the first parents of `head` take up a branch that ended with `since`; None: `since` is one of them.

    What they did beside that branch is in the commit that merged it, and was not true of what was read there.
    """
    chain = place.repo.isolated.run("rev-list", "--first-parent", head, f"^{since}").split()
    if not chain or place.repo.isolated.ask("rev-parse", f"{chain[-1].decode()}^") == since.encode():
        return None
    behind = set(place.repo.isolated.run("rev-list", "--ancestry-path", head, f"^{since}").split())
    return next((commit.decode() for commit in reversed(chain) if commit in behind), None)


def _whole(place: Place, kind: str, sha: str) -> _Commit:
    """A commit with all that is read, as if it had made it."""
    at = place.repo.isolated.run("log", "-1", "--format=%ct", sha)
    return _Commit(sha, _stored(at), _read(kind, _tree(place, sha)) or {"": None})


def _stored(seconds: bytes) -> str:
    return times.to_text(datetime.fromtimestamp(min(max(0, int(seconds.strip() or 0)), _LAST), UTC))


def _commits(place: Place, kind: str, log: bytes) -> list[_Commit]:
    """The commits of a raw log that NUL separates, as far as they changed what is read; the first one is whole."""
    found: list[_Commit] = []
    words = iter(log.split(b"\0"))
    for word in words:
        if header := _HEADER.fullmatch(word):
            found.append(_Commit(header[1].decode(), _stored(header[2]), {}))
        elif word.startswith((b"\n:", b":")):
            _, mode, _, blob, _ = word.split()
            found[-1].files[_below(place, next(words))] = blob if mode.startswith(_FILE) else None
    kept = [replace(one, files=_read(kind, one.files)) for one in found]
    kept = [one for one in kept if one.files]
    if any(name for one in kept for name in one.files):
        kept[0] = replace(kept[0], files=kept[0].files | _read(kind, _tree(place, kept[0].sha)))
    return kept


def _read(kind: str, found: Files) -> Files:
    """What is read: the file itself, or files in the folder; it may have been the one and then the other."""
    return {name: blob for name, blob in found.items() if not name or (kind == "backlog" and backlog.is_page(name))}


def _tree(place: Place, sha: str) -> Files:
    """All files of a folder at a commit."""
    listed = place.repo.isolated.run("ls-tree", "-r", "-z", "--full-tree", sha, "--", place.path).split(b"\0")
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


def _contents(isolated: Isolated, commits: Iterable[_Commit], largest: int) -> Iterator[bytes | None]:
    """The bytes of all blobs, in their order; None: not in this clone, damaged, or larger than that."""
    with closing(_Blobs(isolated, largest)) as blobs:
        for blob in [blob for commit in commits for blob in commit.files.values() if blob]:
            yield blobs.content(blob)


class _Blobs:
    """Contents out of one process, asked one by one, so that no pipe fills up; one that dies is followed by another."""

    def __init__(self, isolated: Isolated, largest: int) -> None:
        self._isolated, self._largest = isolated, largest
        self._git: subprocess.Popen[bytes] | None = None

    def content(self, blob: bytes) -> bytes | None:
        """The bytes of a blob; None: not there, damaged, or too large."""
        if self._git is None:
            self._git = self._isolated.start("cat-file", "--batch")
        try:
            return self._answer(cast("IO[bytes]", self._git.stdin), cast("IO[bytes]", self._git.stdout), blob)
        except (BrokenPipeError, EOFError):
            self.close()
            return None

    def close(self) -> None:
        """Stop the process."""
        if self._git is not None:
            commands.end(self._git)
            self._git = None

    def _answer(self, asked: IO[bytes], answered: IO[bytes], blob: bytes) -> bytes | None:
        asked.write(blob + b"\n")
        asked.flush()
        told = answered.readline().split()
        if not told:
            raise EOFError
        if not told[-1].isdigit():
            return None
        left, kept, is_kept = int(told[-1]) + 1, bytearray(), int(told[-1]) <= self._largest
        while left:  # and the line break behind it; what is too large is read past
            part = answered.read(min(left, _PIECE))
            if not part:
                raise EOFError
            left -= len(part)
            kept += part if is_kept else b""
        return bytes(kept[:-1]) if is_kept else None
