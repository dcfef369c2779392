"""Repositories and their commits."""

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any

from dashkit.errors import OutdatedError
from dashkit.records import Commit
from dashkit.store import checkpoints, rows
from dashkit.store.links import NAMESPACE


@dataclass(frozen=True)
class LastRead:
    """What was read last, and is complete: every commit below these refs is recorded.

    Args:
        refs: full name -> commit.
        since: where the reading stopped, in the stored form; None: nowhere.
        cuts: what hid history then (a digest of shallow clones, grafts and the like).
        started: other tips, of earlier readings and of later ones that were not finished; of what is below them at
            least a part is recorded.
        uncounted: how many commits have no lines, because this repository did not have their files.
    """

    refs: dict[str, str] = field(default_factory=dict)
    since: str | None = None
    cuts: str = ""
    started: tuple[str, ...] = ()
    uncounted: int = 0


@dataclass(frozen=True)
class Recorded:
    """A repository in a project, where it was when it was read last."""

    id: str
    project_id: int
    path: str
    name: str
    remote_url: str | None
    read: LastRead


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


def last_read(conn: sqlite3.Connection, repo_id: str) -> LastRead:
    """What was read last of a repository; nothing where that is not known, or where its commits went with its row."""
    holds = rows.read(conn, "SELECT 1 FROM main.git_repo_commits WHERE repo_id = :id LIMIT 1", {"id": repo_id})
    told: Any = checkpoints.get(conn, checkpoints.of_repository(repo_id)) if holds else None
    try:
        uncounted = told.get("uncounted", 0)
        return LastRead(dict(told["refs"]), told["since"], told["cuts"], tuple(told["started"]), uncounted)
    except (ValueError, TypeError, KeyError, AttributeError):  # never read, or written by another hand
        return LastRead()


def save_last_read(conn: sqlite3.Connection, repo_id: str, read: LastRead, now: str) -> None:
    """Record it."""
    checkpoints.put(conn, checkpoints.of_repository(repo_id), asdict(read), now)


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
