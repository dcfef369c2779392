"""The history of git repositories into a project: what is new since the last reading, in steps that stay."""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from dashkit import times
from dashkit.connection import Database, connect, default_path, explained, transaction, using
from dashkit.errors import RefusedError, UsageError
from dashkit.ingest.run import counts, run
from dashkit.records import Commit, IngestSummary
from dashkit.sources import git
from dashkit.sources.git import Repository
from dashkit.store import git as store
from dashkit.store import projects, rows

Tell = Callable[[int, int], None]

# Commits in one transaction. Ids are random, so each transaction touches pages all over the indexes: few large ones
# cost a fraction of many small ones; an interrupted run loses a few seconds.
_BATCH = 8192


@dataclass(frozen=True)
class _Database:
    """A connection, and what makes one transaction on it."""

    conn: sqlite3.Connection
    step: Callable[[], AbstractContextManager[None]]
    now: str


@dataclass
class _Told:
    """What is said at the end."""

    added: int = 0
    skipped: int = 0
    gone: int = 0
    notes: list[str] = field(default_factory=list)
    projects: set[int] = field(default_factory=set)


def ingest_git(
    paths: Sequence[str | os.PathLike[str]],
    project: str | None = None,
    db: Database = None,
    *,
    project_id: int | None = None,
    branch: str | None = None,
    everything: bool = False,
    since: datetime | None = None,
    tell: Tell = lambda _done, _total: None,
) -> IngestSummary:
    """Read the commits of repositories that are not there yet.

    They are written in steps, each a transaction of its own (on a connection of the caller's all are in the
    caller's), so that an interrupted run loses little and the next one continues. A commit that no branch or tag
    reaches any more is marked and kept. A commit of two repositories is stored once.

    Args:
        paths: clones, work trees or bare repositories.
        project: its name, made if there is none. Without name and id: the project that has this repository, else the
            one of the repository's name.
        db: which database, of version 2.1 or later.
        project_id: the project's id, where a name is not enough.
        branch: a branch or tag to read in place of HEAD.
        everything: read every branch and tag.
        since: stop at commits that are older (committer's time).
        tell: is called with (commits done, commits to do) of each repository that has news.

    Returns:
        The summary: `added` commits that the repositories did not hold, `gone` those that can no longer be reached.

    Raises:
        UsageError: a name and an id, a branch and everything, or no such branch.
        RefusedError: no repository, no git, the name fits several projects, or the database is too old.
        FailedError: git could not read something; what was written stays, and is true.
    """
    if (project is not None and project_id is not None) or (branch is not None and everything):
        raise UsageError(
            "Cannot ingest git",
            "two things were asked for that exclude each other",
            "Give a project's name or its id, and one branch or all.",
        )
    repos = {repo.git_dir: repo for repo in map(git.find, paths)}
    tips = {key: _tips(repo, branch, everything=everything) for key, repo in repos.items()}
    told = _Told()
    with run(db, "ingest git") as this, _opened(db) as database:
        for key, repo in repos.items():
            with database.step():
                store.require(database.conn)
                target = _project(database, repo, project, project_id)
                repo_id = _save_repo(database, repo, target)
            told.projects.add(target)
            told.notes += [f"{_path(repo)}: {note}" for note in _notes(repo, tips[key])]
            _ingest(database, repo, repo_id, tips[key], since, told, tell)
        only = told.projects.pop() if len(told.projects) == 1 else None
        summary = IngestSummary(
            "git", told.added, told.skipped, notes=tuple(told.notes), project_id=only, gone=told.gone
        )
        with database.step():
            this.end(database.conn, counts(summary))
    return summary


@contextmanager
def _opened(db: Database) -> Iterator[_Database]:
    now = times.to_text(times.utc_now())
    if isinstance(db, sqlite3.Connection):
        with using(db) as conn:
            yield _Database(conn, nullcontext, now)
        return
    path = default_path(db)
    with closing(connect(path)) as conn, explained(path, "write to"):
        yield _Database(conn, lambda: transaction(conn), now)


def _tips(repo: Repository, branch: str | None, *, everything: bool) -> dict[str, str]:
    there = git.refs(repo)
    return there if everything else git.choose(repo, there, branch)


def _ingest(
    database: _Database,
    repo: Repository,
    repo_id: str,
    tips: Mapping[str, str],
    since: datetime | None,
    told: _Told,
    tell: Tell,
) -> None:
    """Record what is new below the tips, then that all of it is there."""
    conn = database.conn
    last = store.last_read(conn, repo_id)
    # What was read counts only if as much of the past was to be seen as now.
    covered = last.refs if last.cuts == repo.cuts and _reaches(last.since, since) else {}
    shas = git.walk(repo, frozenset(tips.values()), frozenset(covered.values()), since)
    if shas:
        last = replace(last, started=tuple({*last.started, *tips.values()}))
        with database.step():
            store.save_last_read(conn, repo_id, last)
        before = store.count(conn, repo_id)
        told.skipped += _read(database, repo, repo_id, shas, tell)
        told.added += store.count(conn, repo_id) - before
    there = git.refs(repo)
    kept = {name: sha for name, sha in covered.items() if name in there}
    with database.step():
        if not git.still_reachable(repo, {*last.refs.values(), *last.started}, there):
            found = git.reachable(repo, there)
            told.gone += store.mark_reachable(conn, repo_id, found)
            kept = {name: sha for name, sha in kept.items() if sha in found}
        stop = None if since is None else times.to_text(since)
        store.save_last_read(conn, repo_id, store.LastRead({**kept, **tips}, stop, repo.cuts))


def _read(database: _Database, repo: Repository, repo_id: str, shas: Sequence[str], tell: Tell) -> int:
    """Record these commits; how many could not be found."""
    conn, size = database.conn, git.CHUNK
    held: deque[list[str]] = deque()

    def wanted() -> Iterator[list[str]]:
        for start in range(0, len(shas), size):
            chunk = shas[start : start + size]
            complete = store.complete(conn, chunk)
            held.append([sha for sha in chunk if sha in complete])
            yield [sha for sha in chunk if sha not in complete]

    commits: list[Commit] = []
    known: list[str] = []
    recorded = 0
    with closing(git.read(repo, wanted())) as chunks:
        for number, chunk in enumerate(chunks, 1):
            commits += chunk
            known += held.popleft()
            done = min(number * size, len(shas))
            if len(commits) + len(known) >= _BATCH or done == len(shas):
                with database.step():
                    store.save_commits(conn, repo_id, commits, database.now)
                    store.hold(conn, repo_id, known)
                recorded += len(commits) + len(known)
                commits, known = [], []
            tell(done, len(shas))
    return len(shas) - recorded


def _reaches(last: str | None, since: datetime | None) -> bool:
    """Whether a reading that stopped at `last` went back as far as one that stops at `since`."""
    if last is None:
        return True
    instant = times.parse(last)
    return instant is not None and since is not None and instant <= since


def _project(database: _Database, repo: Repository, project: str | None, project_id: int | None) -> int:
    """The id of the project that a repository goes to."""
    conn = database.conn
    if project_id is not None:
        if not rows.read(conn, "SELECT id FROM projects WHERE id = :id", {"id": project_id}):
            raise RefusedError(
                f"Cannot ingest {_path(repo)} into project {project_id}",
                "there is no project with this id",
                "Give the id of a row of projects, or a name with --project NAME.",
            )
        return project_id
    name = " ".join((project if project is not None else repo.name).encode("utf-8", "replace").decode().split())
    if not name:
        raise UsageError(f"Cannot ingest {_path(repo)}", "the project has no name", "Give one with --project NAME.")
    there = store.find_projects(conn, _path(repo)) if project is None else []
    ids = there or projects.find_projects(conn, name)
    if len(ids) > 1:
        raise RefusedError(
            f"Cannot ingest {_path(repo)}",
            f"{len(ids)} projects have {'this repository' if there else 'the name ' + name}"
            f" (ids {', '.join(map(str, ids))})",
            "Say which with --project-id N.",
            ids=ids,
        )
    return ids[0] if ids else projects.insert_project(conn, name, database.now)


def _save_repo(database: _Database, repo: Repository, project_id: int) -> str:
    return store.save_repo(
        database.conn,
        project_id,
        _path(repo),
        name=os.fsencode(repo.name).decode("utf-8", "replace"),
        remote_url=repo.remote_url,
        default_branch=repo.default_branch,
        now=database.now,
    )


def _path(repo: Repository) -> str:
    """The path as it is stored; what is no text in it is replaced."""
    return os.fsencode(repo.path).decode("utf-8", "replace")


def _notes(repo: Repository, tips: Mapping[str, str]) -> Iterator[str]:
    if not tips:
        yield "there is no commit yet"
    if repo.boundary:
        yield (
            "its history is cut (a shallow clone), and the oldest commits have no counts; "
            "`git fetch --unshallow` brings the rest"
        )
    if repo.is_grafted:
        yield "its history is altered by grafts or replacements, and read as git shows it"
    if repo.is_partial:
        yield "it is a partial clone, and nothing is fetched: lines are not counted; clone it in full to have them"
