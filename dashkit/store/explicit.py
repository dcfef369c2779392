"""Explicit links of a project: what linking reads, and how its answer is written beside a person's word."""

import json
import re
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from dashkit.errors import OutdatedError, RefusedError, UsageError
from dashkit.store import checkpoints, rows
from dashkit.store.links import NAMESPACE

Pair = tuple[int, str]
_DIGITS = re.compile(r"[0-9a-f]{4,64}")
_NAMED = 5  # commits of an ambiguous word
_TITLE = 40  # characters of a message that tell it from others
_NAMED_TASKS = """
SELECT t.id AS task_id, coalesce(t.external_id, s.external_id, '') AS external_id, coalesce(s.source, '') AS source,
    t.title, +t.created_at AS created_at, +t.completed_at AS closed_at, s.gone_at,
    CASE WHEN e.was_there THEN coalesce(+t.created_at, e.recorded_at) ELSE e.recorded_at END AS numbered_at,
    CASE WHEN json_valid(s.image) THEN CASE json_type(s.image, '$.former_ids')
        WHEN 'array' THEN json_extract(s.image, '$.former_ids') END END AS former_ids
FROM main.tasks AS t LEFT JOIN main.task_sources AS s ON s.task_id = t.id LEFT JOIN (
    SELECT task_id, min(recorded_at) AS recorded_at, max(source = 'baseline') AS was_there
    FROM main.task_events LEFT JOIN (
        SELECT task_id, max(event_id) AS ended FROM main.task_events WHERE op = 'delete' GROUP BY task_id
    ) USING (task_id)
    WHERE event_id > coalesce(ended, 0) GROUP BY task_id) AS e ON e.task_id = t.id
WHERE t.project_id = :project_id ORDER BY t.id
"""
_HELD = """
FROM git_repos AS r JOIN git_repo_commits AS h ON h.repo_id = r.id JOIN git_commits AS c ON c.sha = h.sha
WHERE r.project_id = ?1
"""


def projects(conn: sqlite3.Connection) -> list[int]:
    """The projects that have a repository."""
    return [row[0] for row in conn.execute("SELECT DISTINCT project_id FROM git_repos ORDER BY 1")]


def remotes(conn: sqlite3.Connection, project_id: int) -> list[str]:
    """Where the project's repositories live, as far as that is known."""
    found = conn.execute(
        "SELECT remote_url FROM git_repos WHERE project_id = ? AND remote_url IS NOT NULL ORDER BY id", (project_id,)
    )
    return [row[0] for row in found]


def named_tasks(conn: sqlite3.Connection, project_id: int) -> list[rows.Row]:
    """The tasks with what tells them apart, as `Named` wants it.

    A row's number is known since the row was made here: since the first event of its life was recorded; one that the
    migration found already there says itself when it was made.
    """
    return rows.read(conn, _NAMED_TASKS, {"project_id": project_id})


def messages(conn: sqlite3.Connection, project_id: int, after: int = 0) -> Iterator[tuple[str, str, str]]:
    """Of each commit of the project's repositories: sha, the author's time, message; in the order of recording.

    Args:
        conn: the database.
        project_id: the project.
        after: leave out what was recorded up to this `Extent.upto`.
    """
    found = conn.execute(
        f"SELECT c.sha, coalesce(c.authored_at, c.timestamp, ''), CAST(coalesce(c.message, '') AS BLOB) {_HELD} "
        "AND h.rowid > ?2 ORDER BY h.rowid",
        (project_id, after),
    )
    # What other programs call text need not be UTF-8.
    return ((sha, at, message.decode("utf-8", "replace")) for sha, at, message in found)


class Extent(NamedTuple):
    """The commits of a project: the place of the last, how many there are, and the length of all that they say."""

    upto: int = 0
    commits: int = 0
    characters: int = 0


def extent(conn: sqlite3.Connection, project_id: int, upto: int) -> tuple[Extent, Extent]:
    """All commits of a project, and those up to a place."""
    part = "FILTER (WHERE h.rowid <= ?2)"
    sql = (
        "SELECT max(h.rowid), count(*), sum(length(c.message)), "
        f"max(h.rowid) {part}, count(*) {part}, sum(length(c.message)) {part} {_HELD}"
    )
    found = [number or 0 for number in conn.execute(sql, (project_id, upto)).fetchone()]
    return Extent(*found[:3]), Extent(*found[3:])


@dataclass(frozen=True)
class Mark:
    """What a project was linked with, and what came of it: while all of it is so, only new commits are to be read.

    Args:
        digest: of its tasks' names, its patterns and what was rejected.
        read: the commits that were read.
        links: how many links by name or by hand there were then.
        unclear: how many ids could mean several tasks.
    """

    digest: str
    read: Extent
    links: int
    unclear: int


def mark(conn: sqlite3.Connection, project_id: int) -> Mark | None:
    """The mark that the last linking of a project left."""
    told = checkpoints.get(conn, checkpoints.of_links(project_id))
    try:
        return Mark(**{**told, "read": Extent(*told["read"])}) if told else None
    except (TypeError, KeyError):  # written by another hand
        return None


def set_mark(conn: sqlite3.Connection, project_id: int, value: Mark, now: str) -> None:
    """Leave a mark for the next linking."""
    checkpoints.put(conn, checkpoints.of_links(project_id), asdict(value), now)


def id_patterns(conn: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """The patterns of ids (setting `id_pattern`, one a line) by their scope: a project's id, or "" for all others."""
    if not rows.columns(conn, "settings") >= {"scope", "key", "value"}:
        return {}
    sql = "SELECT scope, value FROM main.settings WHERE key = 'id_pattern' AND value IS NOT NULL ORDER BY scope"
    found = {row["scope"]: str(row["value"]).splitlines() for row in rows.read(conn, sql)}
    return {scope: tuple(line.strip() for line in lines if line.strip()) for scope, lines in found.items()}


def rejected(conn: sqlite3.Connection, project_id: int) -> set[Pair]:
    """The pairs of a project that a person has unlinked: never linked again."""
    return set(
        conn.execute(
            "SELECT r.task_id, r.commit_sha FROM link_rejections r JOIN tasks t ON t.id = r.task_id "
            "WHERE t.project_id = ? AND r.commit_sha IS NOT NULL",
            (project_id,),
        )
    )


def existing(conn: sqlite3.Connection, project_id: int) -> dict[Pair, Any]:
    """The pairs of a project that are linked by name or by hand, each with its evidence; None by hand."""
    found = rows.read(
        conn,
        "SELECT l.task_id, l.commit_sha, l.link_type, l.evidence FROM main.task_commit_links AS l "
        "JOIN main.tasks AS t ON t.id = l.task_id "
        "WHERE t.project_id = :project_id AND l.link_type IN ('explicit', 'manual')",
        {"project_id": project_id},
    )
    return {
        (row["task_id"], row["commit_sha"]): _told(row["evidence"]) if row["link_type"] == "explicit" else None
        for row in found
    }


def _told(evidence: Any) -> Any:
    """Evidence as data; what another program wrote in its own way stays text."""
    try:
        return json.loads(evidence)
    except (ValueError, TypeError):
        return evidence


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


def find_commit(conn: sqlite3.Connection, task_id: int, word: str, *, linked: bool = False) -> str:
    """The commit that a person means by the first digits of its sha: one of the task's project, else any.

    Args:
        conn: the database, of version 2.0 or later.
        task_id: the task that is spoken of.
        word: at least four hexadecimal digits.
        linked: before all others one that is linked with the task.

    Raises:
        UsageError: the word is no such thing, or means several commits; they are named.
        RefusedError: no recorded commit begins so, or the database is too old.
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


def _listed(commits: list[rows.Row], known: int) -> str:
    """The first of several commits, by more digits than are known, and by their subjects."""
    named = [f"{row['sha'][: max(12, known + 4)]} ({row['message'].partition(chr(10))[0][:_TITLE]})" for row in commits]
    more = [f"and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
    return ", ".join([*named[:_NAMED], *more])


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


def reject(conn: sqlite3.Connection, task_id: int, sha: str, now: str) -> bool:
    """A person says that a pair does not belong together, and that is remembered; False: they were not linked.

    Raises:
        OutdatedError: the database is older than version 2.1, and could not remember it.
    """
    rows.require_v2(conn)
    if not rows.columns(conn, "link_rejections"):
        raise OutdatedError(
            "Cannot unlink a commit in this database",
            "it needs version 2.1 of the schema to remember that, and has an older one",
            "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
        )
    pair = {"task_id": task_id, "sha": sha}
    rows.write(
        conn,
        "INSERT OR IGNORE INTO main.link_rejections (task_id, commit_sha, session_id, rejected_at) "
        "SELECT id, :sha, '', :now FROM main.tasks WHERE id = :task_id",
        pair | {"now": now},
    )
    sql = "DELETE FROM main.task_commit_links WHERE task_id = :task_id AND commit_sha = :sha"
    return rows.write(conn, sql, pair) > 0


def accept(conn: sqlite3.Connection, task_id: int, sha: str) -> None:
    """A person links a pair: an earlier refusal is forgotten."""
    if rows.columns(conn, "link_rejections"):
        sql = "DELETE FROM main.link_rejections WHERE task_id = :task_id AND commit_sha = :sha"
        rows.write(conn, sql, {"task_id": task_id, "sha": sha})
