"""`dashkit ingest git`: commits into the database."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Self

from dashkit.cli.text import Speed, plain

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from dashkit.cli import Commands
    from dashkit.records import IngestSummary

_SHOWN = 20  # notes
_EVERY = 0.2  # seconds between two pictures of the progress


def register(objects: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `git` to the sources of `dashkit ingest`."""
    git = objects.add_parser(
        "git",
        parents=[common],
        help="the commits of git repositories",
        description="Read the commits of repositories that are not in the database yet; rewritten ones are marked "
        "and kept. An interrupted run is continued by the next one.",
    )
    git.add_argument("repos", nargs="+", metavar="REPO", help="a clone, a work tree or a bare repository")
    project = git.add_mutually_exclusive_group()
    project.add_argument(
        "--project",
        metavar="PROJECT",
        help="the project, by id or name; a name that is not there makes a new one (else the one that has the "
        "repository, else one of the repository's name)",
    )
    project.add_argument("--project-id", type=int, metavar="N", help="the project by its id, which has to be there")
    what = git.add_mutually_exclusive_group()
    what.add_argument("--branch", metavar="NAME", help="this branch or tag (else HEAD)")
    what.add_argument("--all", action="store_true", help="every branch and tag")
    git.add_argument("--since", type=_instant, metavar="DATE", help="stop at commits before it: 2025-01-31")
    git.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from dashkit.ingest.git import ingest_git

    with _Progress() as progress:
        summary = ingest_git(
            args.repos,
            args.project,
            args.db,
            project_id=args.project_id,
            branch=args.branch,
            everything=args.all,
            since=args.since,
            tell=progress.tell,
        )
    for note in summary.notes[:_SHOWN]:
        print(plain(note), file=sys.stderr)
    if (more := len(summary.notes) - _SHOWN) > 0:
        print(f"... and {more:,} more", file=sys.stderr)
    print(_sentence(summary))
    return 0


def _sentence(summary: "IngestSummary") -> str:
    where = "" if summary.project_id is None else f" to project {summary.project_id}"
    parts = [f"Added {_commits(summary.added)}{where}" if summary.added else "No new commits"]
    if summary.gone:
        parts.append(f"{_commits(summary.gone)} no longer reachable (kept, and marked)")
    if summary.skipped:
        parts.append(f"{_commits(summary.skipped)} not found and left out")
    return "; ".join(parts) + "."


def _commits(number: int) -> str:
    return f"{number:,} commit{'' if number == 1 else 's'}"


def _instant(text: str) -> "datetime":
    from dashkit import times

    found = times.parse(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2025-01-31 or 2025-01-31T12:00:00Z")
    return found


class _Progress:
    """On a terminal: how many commits are done, how fast, and how long it will take. In a pipe: nothing."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._speed, self._last = Speed(), time.monotonic()

    def tell(self, done: int, total: int) -> None:
        """So many commits of so many are done."""
        now = time.monotonic()
        if not self._is_shown or (now - self._last < _EVERY and done < total):
            return
        self._last = now
        print(f"\r\x1b[K  {self._speed.words(done, total)}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
