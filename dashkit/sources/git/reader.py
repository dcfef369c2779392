"""Commits out of git, on every core: git computes the differences, and one git process uses one core."""

import os
import queue
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import IO, TYPE_CHECKING, NamedTuple, Self, cast

from dashkit.errors import DashkitError
from dashkit.records import Commit
from dashkit.sources.git import parse
from dashkit.sources.git.commands import UnreadableError
from dashkit.sources.git.isolated import Isolated
from dashkit.sources.git.mailmap import Mailmap
from dashkit.sources.git.repository import Repository

if TYPE_CHECKING:
    import subprocess

CHUNK = 1024  # commits
_SLICE = 256  # commits: their ids fit into a pipe, so that asking never waits for an answer
_MOST_WORKERS = 8
_AHEAD = 3  # chunks for each worker, so that none waits for the reader
_END = b"\0end\n"
_DIFF = (
    *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--no-abbrev", "--no-renames"),
    *("--no-ext-diff", "--no-textconv", "--ignore-submodules=none"),
)


class _Raw(NamedTuple):
    """A chunk as git told it: the commit objects, and the changes."""

    shas: Sequence[str]
    objects: bytes
    changes: bytes


def read(repo: Repository, chunks: Iterable[Sequence[str]]) -> Generator[list[Commit], None, None]:
    """The commits of each chunk, in order; one that is not there is left out.

    Where a file that a commit changed is not there or damaged, its lines are None; where a folder is, its paths too.

    Args:
        repo: the repository.
        chunks: ids, about CHUNK each; taken a few ahead of what is given back.

    Raises:
        FailedError: git could not read something.
    """
    with closing(Mailmap(repo)) as mailmap, _Pool(repo) as pool:
        pending: deque[Future[_Raw]] = deque()
        for chunk in chunks:
            pending.append(pool.submit(chunk))
            if len(pending) > pool.ahead:
                yield _commits(mailmap, pending.popleft().result())
        while pending:
            yield _commits(mailmap, pending.popleft().result())


def _commits(mailmap: Mailmap, raw: _Raw) -> list[Commit]:
    changed = dict(parse.changes(raw.changes.split(b"\0")))
    return [
        parse.commit(sha, found, changed.get(sha), mailmap.name)
        for sha, found in zip(raw.shas, parse.objects(raw.objects), strict=True)
        if found is not None
    ]


class _Pool:
    """Workers that are started when they are needed, and stopped however the reading ends."""

    def __init__(self, repo: Repository) -> None:
        size = min(_cores(), _MOST_WORKERS)
        self.ahead = _AHEAD * size
        self._repo = repo
        self._workers: list[_Worker] = []
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="git")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.stop()  # so that no thread waits for an answer
        self._threads.shutdown()
        for worker in self._workers:
            worker.close()

    def submit(self, shas: Sequence[str]) -> "Future[_Raw]":
        return self._threads.submit(self._read, shas)

    def _read(self, shas: Sequence[str]) -> _Raw:
        if not shas:
            return _Raw(shas, b"", b"")
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = _Worker(self._repo)
            self._workers.append(worker)
        raw = worker.read(shas)
        self._idle.put(worker)
        return raw


class _Worker:
    """What one core reads."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._counted, self._named = _Diff(repo.isolated, "--numstat"), _Diff(repo.isolated, "--raw")

    def read(self, shas: Sequence[str]) -> _Raw:
        # A commit at the boundary of a shallow clone would seem to add every file.
        wanted = [sha for sha in shas if sha not in self._repo.boundary]
        slices = (wanted[start : start + _SLICE] for start in range(0, len(wanted), _SLICE))
        changes = self._names if self._repo.is_partial else self._counts
        return _Raw(shas, _salvaged(self._objects, shas, _missing), b"".join(map(changes, slices)))

    def stop(self) -> None:
        self._counted.stop()
        self._named.stop()

    def close(self) -> None:
        self._counted.close()
        self._named.close()

    def _objects(self, shas: Sequence[str]) -> bytes:
        return self._repo.isolated.run("cat-file", "--batch", "--buffer", given=_lines(shas))

    def _counts(self, shas: Sequence[str]) -> bytes:
        return _salvaged(self._counted.ask, shas, self._names)

    def _names(self, shas: Sequence[str]) -> bytes:
        return _salvaged(self._named.ask, shas, lambda _: b"")


class _Diff:
    """A git process that answers slice after slice; one for each would look up the same objects again."""

    def __init__(self, isolated: Isolated, told: str) -> None:
        self._isolated, self._told = isolated, told
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._is_stopped = False

    def ask(self, shas: Sequence[str]) -> bytes:
        """What these commits changed.

        Raises:
            UnreadableError: git gave up; the next question goes to a new process.
            FailedError: it was stopped.
        """
        if self._is_stopped:
            raise self._isolated.failure(-1, b"")
        if self._process is None:
            self._process = self._isolated.start(*_DIFF, self._told, stderr=self._complaints)
        try:
            return _answer(self._process, shas)
        except (BrokenPipeError, EOFError) as error:
            raise self._ended() from error

    def stop(self) -> None:
        self._is_stopped = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        self.stop()
        if self._process is not None:
            self._ended()
        self._complaints.close()

    def _ended(self) -> DashkitError:
        process, self._process = cast("subprocess.Popen[bytes]", self._process), None
        with suppress(BrokenPipeError), process:  # what was asked last may be left in the pipe
            pass
        self._complaints.seek(0)
        complaint = self._complaints.read()
        self._complaints.truncate(0)
        return self._isolated.failure(-1 if self._is_stopped else process.returncode, complaint)


def _answer(process: "subprocess.Popen[bytes]", shas: Sequence[str]) -> bytes:
    asked, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    # A line that is no id comes back as it is, and with it all that was held back.
    asked.write(_lines([*shas, "end"]))
    asked.flush()
    found = bytearray(b"\0")
    while not found.endswith(_END):  # no entry begins with "end" and a line break
        part = answers.read1(1 << 16)  # type: ignore[attr-defined]
        if not part:
            raise EOFError
        found += part
    return bytes(found[: -len(b"end\n")])


def _salvaged(
    ask: Callable[[Sequence[str]], bytes], shas: Sequence[str], without: Callable[[Sequence[str]], bytes]
) -> bytes:
    """What git answers of all these commits, though it gives up at some: `without` answers for each of them."""
    try:
        return ask(shas)
    except UnreadableError:
        if len(shas) == 1:
            return without(shas)
    half = len(shas) // 2
    return b"".join(_salvaged(ask, part, without) for part in (shas[:half], shas[half:]))


def _missing(shas: Sequence[str]) -> bytes:
    """As `git cat-file` says it."""
    return b"".join(b"%b missing\n" % sha.encode("ascii") for sha in shas)


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode("ascii")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
