"""Repositories and their commits."""

import json
import re
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from dashkit.errors import OutdatedError, RefusedError, UsageError
from dashkit.records import Commit
from dashkit.store import checkpoints, rows
from dashkit.store.checkpoints import Checkpoint, Extent
from dashkit.store.links import NAMESPACE

_DIGITS = re.compile(r"[0-9a-f]{4,64}")
_LISTED = 5  # commits that an ambiguous word may mean
_SUBJECT = 40  # characters of a message that tell it from others


@dataclass(frozen=True)
class Recorded:
    """A repository of a project, as it was when it was read last."""

    id: str
    project_id: int
    path: str
    name: str
    remote_url: str | None
    read: Checkpoint


_SAVE_REPO = """
INSERT INTO main.git_repos (id, project_id, path, name, remote_url, default_branch, created_at)
VALUES (:id, :project_id, :path, :name, :remote_url, :default_branch, :now)
ON CONFLICT (project_id, path) DO UPDATE SET
    name = excluded.name, remote_url = excluded.remote_url, default_branch = excluded.default_branch
WHERE (name, remote_url, default_branch) IS NOT (excluded.name, excluded.remote_url, excluded.default_branch)
"""
# A row without counts was made by hand, or its clone did not have them then.
_SAVE_COMMIT = """
INSERT INTO main.git_commits (sha, repo_id, author, author_email, message, timestamp, authored_at, is_merge,
    files_changed, insertions, deletions, recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sha) DO UPDATE SET
    author = excluded.author, author_email = excluded.author_email, message = excluded.message,
    timestamp = excluded.timestamp, authored_at = excluded.authored_at, is_merge = excluded.is_merge,
    files_changed = excluded.files_changed, insertions = excluded.insertions, deletions = excluded.deletions,
    recorded_at = coalesce(recorded_at, excluded.recorded_at)
WHERE insertions IS NULL
"""
_SAVE_PATHS = """
INSERT INTO main.git_commit_paths (sha, paths) VALUES (?, ?) ON CONFLICT (sha) DO UPDATE SET paths = excluded.paths
"""
_HOLD = """
INSERT INTO main.git_repo_commits (repo_id, sha, reachable) VALUES (?, ?, TRUE)
ON CONFLICT (repo_id, sha) DO UPDATE SET reachable = TRUE WHERE NOT reachable
"""
_COMPLETE = """
SELECT sha FROM main.git_commits
WHERE sha IN (SELECT value FROM json_each(:shas)) AND insertions IS NOT NULL AND recorded_at IS NOT NULL
"""
_OF_PROJECT = """
FROM git_repos AS r JOIN git_repo_commits AS h ON h.repo_id = r.id JOIN git_commits AS c ON c.sha = h.sha
WHERE r.project_id = ?1
"""
_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def require(conn: sqlite3.Connection) -> None:
    """Refuse a database that cannot hold a repository's history.

    Raises:
        RefusedError: it is no Dashboard.
        OutdatedError: it is older than version 2.1.
    """
    rows.require_v2(conn)
    if not rows.columns(conn, "git_repo_commits") or not checkpoints.are_kept(conn):
        raise OutdatedError(
            "Cannot record commits in this database",
            "it needs version 2.1 of the schema, and has an older one",
            "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
        )


def recorded(conn: sqlite3.Connection) -> list[Recorded]:
    """Every repository in its project, the oldest row first; none in a database before version 2.1."""
    if not checkpoints.are_kept(conn):
        return []
    sql = "SELECT id, project_id, path, name, remote_url FROM main.git_repos ORDER BY created_at, id"
    return [Recorded(**row, read=last_read(conn, row["id"])) for row in rows.read(conn, sql)]


def move_repo(conn: sqlite3.Connection, repo_id: str, path: str) -> None:
    """Record that a repository is somewhere else now; it stays the same row."""
    rows.write(conn, "UPDATE main.git_repos SET path = :path WHERE id = :id", {"path": path, "id": repo_id})


def save_repo(
    conn: sqlite3.Connection,
    project_id: int,
    path: str,
    *,
    name: str,
    remote_url: str | None,
    default_branch: str | None,
    now: str,
) -> str:
    """The id of a project's repository, which is made, or brought up to date."""
    key = {"project_id": project_id, "path": path}
    values = {"id": _new_id(conn, key), "name": name, "remote_url": remote_url, "default_branch": default_branch}
    rows.write(conn, _SAVE_REPO, {**key, **values, "now": now})
    sql = "SELECT id FROM main.git_repos WHERE project_id = :project_id AND path = :path"
    found: str = rows.read(conn, sql, key)[0]["id"]
    return found


def last_read(conn: sqlite3.Connection, repo_id: str) -> Checkpoint:
    """Where the last reading of a repository stopped; an empty one where it was never read, or lost its commits.

    (Whoever deletes the row of a repository takes its commits along, and leaves the checkpoint.)
    """
    holds = rows.read(conn, "SELECT 1 FROM main.git_repo_commits WHERE repo_id = :id LIMIT 1", {"id": repo_id})
    found = checkpoints.load(conn, checkpoints.of_repository(repo_id)) if holds else None
    return found or Checkpoint()


def complete(conn: sqlite3.Connection, shas: Sequence[str]) -> set[str]:
    """Which of these commits are recorded in full, from whichever repository."""
    return {row["sha"] for row in rows.read(conn, _COMPLETE, {"shas": json.dumps(shas)})}


def count(conn: sqlite3.Connection, repo_id: str) -> int:
    """How many commits a repository holds."""
    sql = "SELECT count(*) AS n FROM main.git_repo_commits WHERE repo_id = :id"
    found: int = rows.read(conn, sql, {"id": repo_id})[0]["n"]
    return found


def save_commits(conn: sqlite3.Connection, repo_id: str, commits: Collection[Commit], now: str) -> None:
    """Record commits and what they touched; what is recorded in full stays as it is."""
    cursor = conn.cursor()
    commits = sorted(commits, key=attrgetter("sha"))  # in the order of the indexes
    cursor.executemany(_SAVE_COMMIT, [_row(commit, repo_id, now) for commit in commits])
    paths = [(commit.sha, _AS_JSON(commit.paths)) for commit in commits if commit.paths]
    cursor.executemany(_SAVE_PATHS, paths)
    hold(conn, repo_id, (commit.sha for commit in commits))


def hold(conn: sqlite3.Connection, repo_id: str, shas: Iterable[str]) -> None:
    """Record that a repository holds these commits, and that they can be reached in it."""
    conn.cursor().executemany(_HOLD, ((repo_id, sha) for sha in shas))


def unreachable(conn: sqlite3.Connection, repo_id: str) -> set[str]:
    """The commits of a repository that are marked: no branch or tag reached them."""
    sql = "SELECT sha FROM main.git_repo_commits WHERE repo_id = :id AND NOT reachable"
    return {row["sha"] for row in rows.read(conn, sql, {"id": repo_id})}


def mark_reachable(conn: sqlite3.Connection, repo_id: str, there: Collection[str]) -> int:
    """Mark which of a repository's commits can be reached: these and no other; how many no longer can."""
    sql = "SELECT sha, reachable FROM main.git_repo_commits WHERE repo_id = :id"
    held = {row["sha"]: bool(row["reachable"]) for row in rows.read(conn, sql, {"id": repo_id})}
    changed = [((sha in there), repo_id, sha) for sha, was in held.items() if was != (sha in there)]
    conn.cursor().executemany("UPDATE main.git_repo_commits SET reachable = ? WHERE repo_id = ? AND sha = ?", changed)
    return sum(not now for now, _, _ in changed)


def projects(conn: sqlite3.Connection) -> list[int]:
    """The projects that have a repository."""
    return [row[0] for row in conn.execute("SELECT DISTINCT project_id FROM git_repos ORDER BY 1")]


def remotes(conn: sqlite3.Connection, project_id: int) -> list[str]:
    """The addresses from which the repositories of a project were cloned, as far as they are known."""
    found = conn.execute(
        "SELECT remote_url FROM git_repos WHERE project_id = ? AND remote_url IS NOT NULL ORDER BY id", (project_id,)
    )
    return [row[0] for row in found]


def messages(conn: sqlite3.Connection, project_id: int, after: int = 0) -> Iterator[tuple[str, str, str]]:
    """Each commit of a project's repositories, in the order of recording: its sha, the author's time, its message.

    Args:
        conn: the database.
        project_id: the project.
        after: leave out the commits up to this `Extent.upto`.
    """
    found = conn.execute(
        f"SELECT c.sha, coalesce(c.authored_at, c.timestamp, ''), CAST(coalesce(c.message, '') AS BLOB) {_OF_PROJECT} "
        "AND h.rowid > ?2 ORDER BY h.rowid",
        (project_id, after),
    )
    # What other programs store as text need not be UTF-8.
    return ((sha, at, message.decode("utf-8", "replace")) for sha, at, message in found)


def extent(conn: sqlite3.Connection, project_id: int, upto: int) -> tuple[Extent, Extent]:
    """The extent of all commits of a project, and of those up to a rowid."""
    part = "FILTER (WHERE h.rowid <= ?2)"
    sql = (
        "SELECT max(h.rowid), count(*), sum(length(c.message)), "
        f"max(h.rowid) {part}, count(*) {part}, sum(length(c.message)) {part} {_OF_PROJECT}"
    )
    found = [number or 0 for number in conn.execute(sql, (project_id, upto)).fetchone()]
    return Extent(*found[:3]), Extent(*found[3:])


def find_commit(conn: sqlite3.Connection, task_id: int, word: str, *, linked: bool = False) -> str:
    """The commit that a person names by the first digits of its sha: one of the task's project, else any other.

    Args:
        conn: the database, of version 2.0 or later.
        task_id: the task that the person speaks of.
        word: at least four hexadecimal digits.
        linked: prefer a commit that is linked with the task.

    Raises:
        UsageError: the word is not hexadecimal or too short, or it fits several commits, which the message lists.
        RefusedError: no recorded commit begins with the word, or the database is too old.
    """
    rows.require_v2(conn)
    what, digits = f"Cannot find the commit {word!r}", word.lower()
    if not _DIGITS.fullmatch(digits):
        raise UsageError(what, "a commit is named by 4 or more hexadecimal digits", "Give the first digits of its sha.")
    found = _beginning_with(conn, task_id, digits)
    if not found:
        raise RefusedError(
            what,
            "no recorded commit begins so",
            "`dashkit ingest git REPO` records what is new; `git log` tells the sha.",
        )
    nearest = (
        [row for row in found if row["sha"] == digits]
        or [row for row in found if linked and row["is_linked"]]
        or [row for row in found if row["is_near"]]
        or found
    )
    if len(nearest) > 1:
        why = f"{len(nearest):,} commits begin so: {_listed(nearest, len(digits))}"
        raise UsageError(what, why, "Give more digits.", shas=[row["sha"] for row in nearest])
    sha: str = nearest[0]["sha"]
    return sha


def _listed(commits: list[rows.Row], given: int) -> str:
    """The first of several commits, each with more digits than were given, and with its subject."""
    shown = [
        f"{row['sha'][: max(12, given + 4)]} ({row['message'].partition(chr(10))[0][:_SUBJECT]})" for row in commits
    ]
    more = [f"and {len(shown) - _LISTED:,} more"] if len(shown) > _LISTED else []
    return ", ".join([*shown[:_LISTED], *more])


def _beginning_with(conn: sqlite3.Connection, task_id: int, digits: str) -> list[rows.Row]:
    """Each commit whose sha begins so: sha, message, is_linked (with the task), is_near (in its project)."""
    # A commit of several repositories has one of them in its own row; version 2.1 knows the others.
    held = "OR EXISTS (SELECT 1 FROM main.git_repo_commits AS h WHERE h.repo_id = r.id AND h.sha = c.sha)"
    if not rows.columns(conn, "git_repo_commits"):
        held = ""
    sql = f"""
    SELECT c.sha, coalesce(c.message, '') AS message,
        EXISTS (SELECT 1 FROM main.task_commit_links AS l WHERE l.task_id = :id AND l.commit_sha = c.sha) AS is_linked,
        EXISTS (SELECT 1 FROM main.git_repos AS r JOIN main.tasks AS t ON t.project_id = r.project_id
            WHERE t.id = :id AND (r.id = c.repo_id {held})) AS is_near
    FROM main.git_commits AS c WHERE c.sha >= :digits AND c.sha < :digits || 'g' ORDER BY c.sha
    """  # noqa: S608 - one of two texts of ours
    return rows.read(conn, sql, {"id": task_id, "digits": digits})


def _new_id(conn: sqlite3.Connection, key: dict[str, Any]) -> str:
    """The id of a new row; one that moved away keeps the id that it got at its old path."""
    sql = "SELECT count(*) AS n FROM main.git_repos WHERE id = :id AND (project_id, path) <> (:project_id, :path)"
    name = f"git_repos\n{key['project_id']}\n{key['path']}"
    while rows.read(conn, sql, {**key, "id": (made := str(uuid.uuid5(NAMESPACE, name)))})[0]["n"]:
        name += "\n"
    return made


def _row(commit: Commit, repo_id: str, now: str) -> tuple[str | int | None, ...]:
    return (
        *(commit.sha, repo_id, commit.author, commit.author_email, commit.message, commit.committed_at),
        *(commit.authored_at, int(commit.is_merge), commit.files_changed, commit.insertions, commit.deletions, now),
    )
