"""Explicit links of a project: what linking reads, and how its answer is written beside a person's word."""

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from dashkit.store.links import NAMESPACE

Pair = tuple[int, str]


def projects(conn: sqlite3.Connection) -> list[int]:
    """The projects that have a repository."""
    return [row[0] for row in conn.execute("SELECT DISTINCT project_id FROM git_repos ORDER BY 1")]


def remotes(conn: sqlite3.Connection, project_id: int) -> list[str]:
    """Where the project's repositories live, as far as that is known."""
    rows = conn.execute(
        "SELECT remote_url FROM git_repos WHERE project_id = ? AND remote_url IS NOT NULL ORDER BY id", (project_id,)
    )
    return [row[0] for row in rows]


def named_tasks(conn: sqlite3.Connection, project_id: int) -> list[tuple[int, str | None, str, Any, Any, Any]]:
    """Of each task: id, external_id, source, created_at, completed_at, gone_at."""
    return conn.execute(
        "SELECT t.id, coalesce(t.external_id, s.external_id), coalesce(s.source, ''), t.created_at, t.completed_at, "
        "s.gone_at FROM tasks t LEFT JOIN task_sources s ON s.task_id = t.id WHERE t.project_id = ? ORDER BY t.id",
        (project_id,),
    ).fetchall()


def messages(conn: sqlite3.Connection, project_id: int) -> Iterable[tuple[str, str, str]]:
    """Of each commit of the project's repositories: sha, the author's time, message."""
    return conn.execute(
        "SELECT c.sha, coalesce(c.authored_at, c.timestamp, ''), coalesce(c.message, '') FROM git_commits c "
        "WHERE c.sha IN (SELECT h.sha FROM git_repo_commits h JOIN git_repos r ON r.id = h.repo_id "
        "WHERE r.project_id = ?) "
        "ORDER BY c.timestamp, c.sha",
        (project_id,),
    )


def id_patterns(conn: sqlite3.Connection, project_id: int) -> list[str]:
    """The project's own patterns of ids, and those of all projects (setting `id_pattern`, one a line)."""
    rows = conn.execute(
        "SELECT value FROM settings WHERE key = 'id_pattern' AND scope IN ('', ?) ORDER BY scope", (str(project_id),)
    )
    return [line.strip() for (value,) in rows for line in (value or "").splitlines() if line.strip()]


def rejected(conn: sqlite3.Connection) -> set[Pair]:
    """The pairs that a person has unlinked: never linked again."""
    return set(conn.execute("SELECT task_id, commit_sha FROM link_rejections WHERE commit_sha IS NOT NULL"))


def existing(conn: sqlite3.Connection, project_id: int, link_type: str) -> set[Pair]:
    """The pairs of a project that are linked, by the type of the link."""
    return set(
        conn.execute(
            "SELECT l.task_id, l.commit_sha FROM task_commit_links l JOIN tasks t ON t.id = l.task_id "
            "WHERE t.project_id = ? AND l.link_type = ?",
            (project_id, link_type),
        )
    )


def write(conn: sqlite3.Connection, links: Iterable[tuple[Pair, dict[str, Any]]], now: str) -> None:
    """Add explicit links; one that an inference had made becomes explicit, one of a person's stays as it is."""
    conn.executemany(
        "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type, evidence, created_at) "
        "VALUES (?, ?, ?, 1.0, 'explicit', ?, ?) ON CONFLICT (task_id, commit_sha) DO UPDATE SET "
        "confidence = 1.0, link_type = 'explicit', evidence = excluded.evidence WHERE link_type <> 'manual'",
        [
            (str(uuid.uuid5(NAMESPACE, f"commit:{task}:{sha}")), task, sha, json.dumps(evidence, sort_keys=True), now)
            for (task, sha), evidence in links
        ],
    )


def remove(conn: sqlite3.Connection, pairs: Collection[Pair]) -> None:
    """Take explicit links away that no text names any more."""
    conn.executemany(
        "DELETE FROM task_commit_links WHERE task_id = ? AND commit_sha = ? AND link_type = 'explicit'", sorted(pairs)
    )


def reject(conn: sqlite3.Connection, task_id: int, sha: str, now: str) -> bool:
    """A person unlinks a pair, and that is remembered; False: they were not linked."""
    done = conn.execute("DELETE FROM task_commit_links WHERE task_id = ? AND commit_sha = ?", (task_id, sha)).rowcount
    if done:
        conn.execute(
            "INSERT OR IGNORE INTO link_rejections (task_id, commit_sha, session_id, rejected_at) VALUES (?, ?, '', ?)",
            (task_id, sha, now),
        )
    return done > 0


def accept(conn: sqlite3.Connection, task_id: int, sha: str) -> None:
    """A person links a pair: an earlier refusal is forgotten."""
    conn.execute("DELETE FROM link_rejections WHERE task_id = ? AND commit_sha = ?", (task_id, sha))
