"""The commits of git repositories into a project: those that are new, in steps that stay when a run is interrupted."""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from dashkit import times
from dashkit.connection import Database, connect, default_path, explained, transaction, using
from dashkit.errors import DashkitError, FailedError, UsageError
from dashkit.ingest import target
from dashkit.ingest.run_log import counts, run
from dashkit.records import Commit, IngestSummary
from dashkit.sources import git
from dashkit.sources.git import Repository
from dashkit.store import checkpoints
from dashkit.store import git as store
from dashkit.store.checkpoints import Checkpoint

Tell = Callable[[int, int], None]

# Commits in one transaction. Ids are random, so each transaction touches pages all over the indexes: a few large
# transactions cost a fraction of many small ones, and an interrupted run loses a few seconds.
_BATCH = 8192


@dataclass(frozen=True)
class _Database:
    """A connection, and what makes one transaction on it."""

    conn: sqlite3.Connection
    step: Callable[[], AbstractContextManager[None]]

    @property
    def now(self) -> str:
        """The time at which something is recorded: of each step its own, as others see each when it is done."""
        return times.to_text(times.utc_now())


@dataclass
class _Report:
    """What is reported at the end; it grows with each repository."""

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
    """Record the commits of repositories that are not recorded yet.

    They are written in steps, so that an interrupted run loses little and the next one continues. Each step is a
    transaction of its own; on a connection of the caller's all steps are in the caller's transaction. A commit that no
    branch or tag reaches any more is marked and kept. A commit of two repositories is stored once.

    Args:
        paths: clones, work trees or bare repositories.
        project: the name of the project; it is made if there is none. Without name and id: the project that has this
            repository, else the one with the repository's name.
        db: which database, of version 2.1 or later.
        project_id: the project's id, where a name is not enough.
        branch: a branch or tag to read in place of HEAD.
        everything: read every branch and tag.
        since: stop at commits that are older (committer's time).
        tell: is called with (commits done, commits to do) of each repository that has new ones.

    Returns:
        The summary: `added` commits that the repositories did not hold, `gone` those that can no longer be reached.

    Raises:
        UsageError: a name and an id, a name of several projects, a branch and everything, or no such branch.
        RefusedError: no repository, no git, several projects have the repository, or the database is too old.
        FailedError: git could not read something; what was written stays, and is true.
    """
    word = target.named("ingest git", project, project_id)
    if branch is not None and everything:
        raise UsageError("Cannot ingest git", "one branch and all branches were asked for", "Give one of the two.")
    repos = {repo.git_dir: repo for repo in map(git.find, paths)}
    tips = {key: _tips(repo, branch, everything=everything) for key, repo in repos.items()}
    report = _Report()
    with run(db, "ingest git") as this, _opened(db) as database:
        for key, repo in repos.items():
            with database.step():
                store.require(database.conn)
                goal = _goal(database.conn, repo, word, project_id)
                number = goal.make(database.conn, database.now)
                repo_id = _save_repo(database, repo, number, report)
            report.projects.add(number)
            if goal.note and goal.note not in report.notes:
                report.notes.append(goal.note)
            report.notes += [f"{_path(repo)}: {note}" for note in _notes(repo, tips[key])]
            _ingest(database, repo, repo_id, tips[key], since, report, tell)
        only = report.projects.pop() if len(report.projects) == 1 else None
        summary = IngestSummary(
            "git", report.added, report.skipped, notes=tuple(report.notes), project_id=only, gone=report.gone
        )
        with database.step():
            this.end(database.conn, counts(summary))
    return summary


@contextmanager
def _opened(db: Database) -> Iterator[_Database]:
    if isinstance(db, sqlite3.Connection):
        with using(db) as conn:
            yield _Database(conn, nullcontext)
        return
    path = default_path(db)
    with closing(connect(path)) as conn, explained(path, "write to"):
        yield _Database(conn, lambda: transaction(conn))


def _tips(repo: Repository, branch: str | None, *, everything: bool) -> dict[str, str]:
    there = git.refs(repo)
    return there if everything else git.choose(repo, there, branch)


def _ingest(
    database: _Database,
    repo: Repository,
    repo_id: str,
    tips: Mapping[str, str],
    since: datetime | None,
    report: _Report,
    tell: Tell,
) -> None:
    """Record the commits below the tips that are not recorded, and then how far the repository was read."""
    conn = database.conn
    last = store.last_read(conn, repo_id)
    # What was read counts only if no less of the past was visible than now, and if no file of it was missing.
    is_as_before = last.cuts == repo.cuts and _reaches(last.since, since) and not last.uncounted
    covered = last.refs if is_as_before else {}
    shas, broken = _walked(repo, frozenset(tips.values()), frozenset(covered.values()), since)
    uncounted = 0
    if shas:
        last = replace(last, started=tuple({*last.started, *tips.values()}))
        with database.step():
            checkpoints.save(conn, checkpoints.of_repository(repo_id), last, database.now)
        before = store.count(conn, repo_id)
        lost, uncounted = _read(database, repo, repo_id, shas, tell)
        report.skipped += lost
        report.added += store.count(conn, repo_id) - before
    if uncounted:
        report.notes.append(
            f"{_path(repo)}: commits whose lines are not counted, because files of theirs are missing or damaged in "
            f"this clone: {uncounted:,}; `git fsck` names them"
        )
    if broken:
        raise broken
    there = git.refs(repo)
    held = {*last.refs.values(), *last.started}
    read = {**{name: sha for name, sha in covered.items() if name in there}, **tips}
    with database.step():
        # Earlier tips that are now reached only by refs that are not read: when these refs go, their commits go, too.
        left = held.intersection(git.walk(repo, held.difference(read.values()), frozenset(read.values())))
        if not git.still_reachable(repo, held, there):
            found = git.reachable(repo, there)
            report.gone += store.mark_reachable(conn, repo_id, found)
            read = {name: sha for name, sha in read.items() if sha in found}
            left &= found
        elif marked := store.unreachable(conn, repo_id):
            # Commits below the refs of the last reading could be reached at that time already.
            back = git.walk(repo, frozenset(there.values()), frozenset(covered.values()))
            store.hold(conn, repo_id, marked.intersection(back))
        stop = None if since is None else times.to_text(since)
        done = Checkpoint(refs=read, since=stop, cuts=repo.cuts, started=tuple(sorted(left)), uncounted=uncounted)
        checkpoints.save(conn, checkpoints.of_repository(repo_id), done, database.now)


def _walked(
    repo: Repository, tips: Collection[str], without: Collection[str], since: datetime | None
) -> tuple[list[str], git.UnreadableError | None]:
    """The commits to read, as far as git can list them; and the error that stops it, if any."""
    try:
        return git.walk(repo, tips, without, since), None
    except git.UnreadableError as error:
        return error.answer.decode("ascii").split(), error


def _read(database: _Database, repo: Repository, repo_id: str, shas: Sequence[str], tell: Tell) -> tuple[int, int]:
    """Record commits; how many of them git did not find, and of how many it could not count the lines."""
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

    def record() -> int:
        with database.step():
            store.save_commits(conn, repo_id, commits, database.now)
            store.hold(conn, repo_id, known)
        written = len(commits) + len(known)
        commits.clear()
        known.clear()
        return written

    recorded = uncounted = 0
    with closing(git.read(repo, wanted())) as chunks:
        try:
            for number, chunk in enumerate(chunks, 1):
                commits += chunk
                known += held.popleft()
                uncounted += sum(one.insertions is None and one.sha not in repo.boundary for one in chunk)
                done = min(number * size, len(shas))
                if len(commits) + len(known) >= _BATCH or done == len(shas):
                    recorded += record()
                tell(done, len(shas))
        except FailedError:
            record()
            raise
    return len(shas) - recorded, 0 if repo.is_partial else uncounted


def _reaches(last: str | None, since: datetime | None) -> bool:
    """Whether a reading that stopped at `last` went back as far as one that stops at `since`."""
    if last is None:
        return True
    instant = times.parse(last)
    return instant is not None and since is not None and instant <= since


def _goal(conn: sqlite3.Connection, repo: Repository, word: str | None, project_id: int | None) -> target.Target:
    """The project that a repository goes to."""
    if project_id is not None:
        return target.by_id(conn, f"ingest {_path(repo)}", project_id)
    if word is not None:
        return target.by_word(conn, word)
    name = " ".join(os.fsencode(repo.name).decode("utf-8", "replace").split()) or "project"
    there = find_projects(conn, repo)
    return target.by_place(conn, f"ingest {_path(repo)}", there, name, "Say which with --project-id N.")


def find_projects(conn: sqlite3.Connection, repo: Repository) -> list[int]:
    """The ids of the projects that have a repository, the lowest first; it may have been elsewhere when it was read."""
    return sorted({one.project_id for one in _recorded(repo, store.recorded(conn))})


def _recorded(repo: Repository, known: Sequence[store.Recorded]) -> list[store.Recorded]:
    """The rows of a repository: those with its path, else those of the same one that has moved here."""
    path = _path(repo)
    if not any(one.path == path for one in known):
        path = next((one.path for one in known if _is_same(repo, one) and _has_left(one)), path)
    return [one for one in known if one.path == path]


def _is_same(repo: Repository, one: store.Recorded) -> bool:
    same_origin = repo.remote_url is not None and repo.remote_url == one.remote_url
    return same_origin or git.holds_any(repo, {*one.read.refs.values(), *one.read.started})


def _has_left(one: store.Recorded) -> bool:
    try:
        there = git.find(one.path)
        return _path(there) != one.path or not _is_same(there, one)
    except DashkitError:
        return True


def _save_repo(database: _Database, repo: Repository, project_id: int, report: _Report) -> str:
    """The id of the repository's row in a project, which is made or brought up to date."""
    conn, path, name = database.conn, _path(repo), os.fsencode(repo.name).decode("utf-8", "replace")
    known = [one for one in store.recorded(conn) if one.project_id == project_id]
    here = _recorded(repo, known)
    for one in here:
        if one.path != path:
            store.move_repo(conn, one.id, path)
            report.notes.append(f"{path}: it was {one.path} before")
    others = [one.path for one in known if one.name == name] if not here else []
    if others:
        report.notes.append(
            f"{path}: project {project_id} has another repository of this name, {others[0]}; "
            "`--project NAME` keeps them apart"
        )
    return store.save_repo(
        conn,
        project_id,
        path,
        name=name,
        remote_url=repo.remote_url,
        default_branch=repo.default_branch,
        now=database.now,
    )


def _path(repo: Repository) -> str:
    """The path of a repository as it is stored: bytes that are not text are replaced."""
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
