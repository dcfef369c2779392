"""Commits out of git, on every core: git computes the differences, and one git process uses one core."""

import os
import queue
import subprocess
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import IO, NamedTuple, Self, cast

from dashkit.records import Commit
from dashkit.sources.git import parse
from dashkit.sources.git.commands import NOT_STARTED, command, environment, failure, missing, run
from dashkit.sources.git.mailmap import Mailmap
from dashkit.sources.git.repository import Repository

CHUNK = 1024  # commits
_SLICE = 256  # commits: their ids fit into a pipe, so that asking never waits for an answer
_MOST_WORKERS = 8
_AHEAD = 3  # chunks for each worker, so that none waits for the reader
_END = b"\0end\n"


class _Raw(NamedTuple):
    """A chunk as git told it: the commit objects, and the changes."""

    shas: Sequence[str]
    objects: bytes
    changes: bytes


def read(repo: Repository, chunks: Iterable[Sequence[str]]) -> Generator[list[Commit], None, None]:
    """The commits of each chunk, in order; one that is not there is left out.

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
    """A git process that answers slice after slice; a process for each would look up the same objects again."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        counted = "--raw" if repo.is_partial else "--numstat"
        words = (
            *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", counted, "--no-abbrev", "--no-renames"),
            *("--no-ext-diff", "--no-textconv", "--ignore-submodules=none"),
        )
        pipe, line = subprocess.PIPE, command(repo.git_dir, words)
        try:
            self._process = subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=self._complaints, env=environment())
        except NOT_STARTED as error:
            raise missing() from error
        self._asked, self._answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    def read(self, shas: Sequence[str]) -> _Raw:
        objects = run(self._repo.git_dir, "cat-file", "--batch", "--buffer", given=_lines(shas))
        # A commit at the boundary of a shallow clone would seem to add every file.
        wanted = [sha for sha in shas if sha not in self._repo.boundary]
        try:
            changes = b"".join(self._changes(wanted[start : start + _SLICE]) for start in range(0, len(wanted), _SLICE))
        except (BrokenPipeError, EOFError) as error:
            self._complaints.seek(0)
            raise failure(self._repo.path, self._complaints.read()) from error
        return _Raw(shas, objects, changes)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.stop()
        for stream in (self._asked, self._answers):
            with suppress(BrokenPipeError):
                stream.close()
        self._complaints.close()

    def _changes(self, shas: Sequence[str]) -> bytes:
        # A line that is no id comes back as it is, and with it all that was held back.
        self._asked.write(_lines([*shas, "end"]))
        self._asked.flush()
        found = bytearray(b"\0")
        while not found.endswith(_END):  # no entry begins with "end" and a line break
            part = self._answers.read1(1 << 16)  # type: ignore[attr-defined]
            if not part:
                raise EOFError
            found += part
        return bytes(found[: -len(b"end\n")])


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode("ascii")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
