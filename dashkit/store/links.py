"""The rows of links: which commits and sessions belong to a task, how surely, and by what evidence.

A link is made by a person (`manual`), by a commit message that names the task (`explicit`), or by a guess (`inferred`).
"""

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from dashkit import texts, times
from dashkit.errors import OutdatedError, RefusedError, UsageError
from dashkit.store import rows
from dashkit.vocabulary import LINK_TYPES

_LONGEST_EVIDENCE = 10_000  # characters
# Of the ids of links; another one would give the same link a second id.
NAMESPACE = uuid.UUID("6f0f6f0e-6c0f-5b0a-9d6e-2f6b7c1d9a34")

Pair = tuple[int, str]  # a task's id and a commit's sha

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


@dataclass(frozen=True)
class End:
    """What a task is linked with: its word in messages, its SQL, its instant, and how to record one that is missing."""

    noun: str
    exists: str
    save: str
    saved_id: str
    when: str
    of_task: str
    remedy: str


COMMIT = End(
    noun="commit",
    exists="SELECT 1 FROM main.git_commits WHERE sha = :end",
    save="""
    INSERT INTO main.task_commit_links (id, task_id, commit_sha, confidence, link_type, evidence, created_at)
    VALUES (:id, :task_id, :end, :confidence, :link_type, :evidence, :now)
    ON CONFLICT (task_id, commit_sha) DO UPDATE SET
        confidence = excluded.confidence, link_type = excluded.link_type, evidence = excluded.evidence
    """,
    saved_id="SELECT id FROM main.task_commit_links WHERE task_id = :task_id AND commit_sha = :end",
    when="timestamp",
    of_task="""
    SELECT l.commit_sha AS sha, c.message, c.author, c.timestamp, l.confidence, l.link_type, l.evidence
    FROM main.task_commit_links AS l LEFT JOIN main.git_commits AS c ON c.sha = l.commit_sha
    WHERE l.task_id = :task_id AND l.confidence >= :min_confidence
    ORDER BY l.confidence DESC, l.commit_sha
    """,
    remedy=(
        "Give the full sha, or record the commit first: "
        "INSERT INTO git_commits (sha, repo_id, author, message, timestamp) VALUES (?, ?, ?, ?, ?), "
        "with repo_id the id of its row in git_repos."
    ),
)
SESSION = End(
    noun="session",
    exists="SELECT 1 FROM main.llm_sessions WHERE id = :end",
    save="""
    INSERT INTO main.task_session_links (id, task_id, session_id, confidence, link_type, evidence, created_at)
    VALUES (:id, :task_id, :end, :confidence, :link_type, :evidence, :now)
    ON CONFLICT (task_id, session_id) DO UPDATE SET
        confidence = excluded.confidence, link_type = excluded.link_type, evidence = excluded.evidence
    """,
    saved_id="SELECT id FROM main.task_session_links WHERE task_id = :task_id AND session_id = :end",
    when="started_at",
    of_task="""
    SELECT l.session_id AS id, s.summary, s.message_count, s.started_at, l.confidence, l.link_type, l.evidence
    FROM main.task_session_links AS l LEFT JOIN main.llm_sessions AS s ON s.id = l.session_id
    WHERE l.task_id = :task_id AND l.confidence >= :min_confidence
    ORDER BY l.confidence DESC, l.session_id
    """,
    remedy=(
        "Record the session first: INSERT INTO llm_sessions "
        "(id, project_id, summary, message_count, started_at) VALUES (?, ?, ?, ?, ?)."
    ),
)


def of_task(conn: sqlite3.Connection, end: End, task_id: int, min_confidence: float) -> list[rows.Row]:
    """The links of a task with one kind of end, the surest first, then the newest.

    Raises:
        UsageError: min_confidence is outside 0..1.
    """
    rows.require_v2(conn)
    least = _confidence(min_confidence)
    sure: list[rows.Row] = []
    found = rows.read(conn, end.of_task, {"task_id": task_id, "min_confidence": least})
    # Read here and not in SQL: on the caller's connection no function of ours is registered.
    for _, alike in groupby(found, key=lambda row: row["confidence"]):
        sure += sorted(alike, key=lambda row: times.order(row[end.when]), reverse=True)
    return [row | {"evidence": _parsed(row["evidence"])} for row in sure]


def save(
    conn: sqlite3.Connection,
    end: End,
    task_id: int,
    end_id: str,
    *,
    confidence: float,
    link_type: str,
    evidence: Mapping[str, Any] | str | None,
    now: datetime,
) -> str:
    """Link a task with a commit or session; a link that exists gets the new confidence, type and evidence.

    Returns:
        The id of the link.

    Raises:
        UsageError: confidence, link_type or evidence is not valid.
        RefusedError: the task, the commit or the session is not in the database.
    """
    rows.require_v2(conn)
    if link_type not in LINK_TYPES:
        raise UsageError(
            f"Cannot make a link of type {link_type!r}",
            "it is no type",
            f"Use one of {', '.join(LINK_TYPES)}.",
        )
    values = {
        "task_id": task_id,
        "end": end_id,
        "confidence": _confidence(confidence),
        "link_type": link_type,
        "evidence": _written(evidence),
        "now": times.to_text(now),
    }
    _require_ends(conn, end, values)
    link_id = str(uuid.uuid5(NAMESPACE, f"{end.noun}:{task_id}:{end_id}".encode("utf-8", "replace").decode()))
    rows.write(conn, end.save, values | {"id": link_id})
    # A link that another program made keeps the id it has.
    return str(rows.read(conn, end.saved_id, values)[0]["id"])


def named_tasks(conn: sqlite3.Connection, project_id: int) -> list[rows.Row]:
    """The tasks of a project with what a commit message may call them.

    Returns:
        One row per task: task_id, external_id ('' for none), source, title, created_at, closed_at, gone_at, former_ids
        (JSON or None), and numbered_at: since when the row has its number. That is when the first event of its life
        was recorded; a row that is older than the history has its own created_at.
    """
    return rows.read(conn, _NAMED_TASKS, {"project_id": project_id})


def rejected(conn: sqlite3.Connection, project_id: int) -> set[Pair]:
    """The pairs of a project that a person has unlinked; they are never linked again."""
    return set(
        conn.execute(
            "SELECT r.task_id, r.commit_sha FROM link_rejections r JOIN tasks t ON t.id = r.task_id "
            "WHERE t.project_id = ? AND r.commit_sha IS NOT NULL",
            (project_id,),
        )
    )


def certain(conn: sqlite3.Connection, project_id: int) -> dict[Pair, Any]:
    """The pairs of a project that are linked by a message or by hand, each with its evidence; None by hand."""
    found = rows.read(
        conn,
        "SELECT l.task_id, l.commit_sha, l.link_type, l.evidence FROM main.task_commit_links AS l "
        "JOIN main.tasks AS t ON t.id = l.task_id "
        "WHERE t.project_id = :project_id AND l.link_type IN ('explicit', 'manual')",
        {"project_id": project_id},
    )
    return {
        (row["task_id"], row["commit_sha"]): _from_json(row["evidence"]) if row["link_type"] == "explicit" else None
        for row in found
    }


def _from_json(evidence: Any) -> Any:
    """Evidence as data; what another program wrote in its own way stays text."""
    try:
        return json.loads(evidence)
    except (ValueError, TypeError):
        return evidence


def save_explicit(conn: sqlite3.Connection, found: Iterable[tuple[Pair, dict[str, Any]]], now: str) -> None:
    """Add explicit links; a link that was inferred becomes explicit, and one that a person made stays as it is."""
    conn.executemany(
        "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type, evidence, created_at) "
        "VALUES (?, ?, ?, 1.0, 'explicit', ?, ?) ON CONFLICT (task_id, commit_sha) DO UPDATE SET "
        "confidence = 1.0, link_type = 'explicit', evidence = excluded.evidence WHERE link_type <> 'manual'",
        [
            (str(uuid.uuid5(NAMESPACE, f"commit:{task}:{sha}")), task, sha, json.dumps(evidence, sort_keys=True), now)
            for (task, sha), evidence in found
        ],
    )


def remove_explicit(conn: sqlite3.Connection, pairs: Collection[Pair]) -> None:
    """Remove explicit links, because no message names the task any more."""
    conn.executemany(
        "DELETE FROM task_commit_links WHERE task_id = ? AND commit_sha = ? AND link_type = 'explicit'", sorted(pairs)
    )


def reject(conn: sqlite3.Connection, task_id: int, sha: str, now: str) -> bool:
    """Remember that a person unlinked a pair, and remove its link; False: they were not linked.

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
    """Forget that a person had unlinked a pair, because a person links it now."""
    if rows.columns(conn, "link_rejections"):
        sql = "DELETE FROM main.link_rejections WHERE task_id = :task_id AND commit_sha = :sha"
        rows.write(conn, sql, {"task_id": task_id, "sha": sha})


def _require_ends(conn: sqlite3.Connection, end: End, values: rows.Values) -> None:
    """Refuse a link whose task, commit or session is not there.

    Asked for here, since the caller's connection may not enforce foreign keys, and SQLite's own message does
    not say which one failed.
    """
    what = f"Cannot link task {values['task_id']!r} with {end.noun} {values['end']!r}"
    if not rows.read(conn, "SELECT id FROM tasks WHERE id = :task_id", values):
        raise RefusedError(
            what,
            "there is no task with this id",
            "Give the id of a row of tasks, or record the task first: "
            "INSERT INTO tasks (project_id, title, status) VALUES (?, ?, 'pending').",
        )
    if not rows.read(conn, end.exists, values):
        raise RefusedError(what, f"the database holds no such {end.noun}", end.remedy)


def _confidence(value: float) -> float:
    """A number from 0 to 1.

    Raises:
        UsageError: it is another number.
    """
    if 0 <= value <= 1:
        return float(value)
    raise UsageError(
        f"Cannot take {value!r} as a confidence",
        "a confidence is a number from 0 to 1",
        "Use 1.0 for an explicit link, 0.6 to 0.9 for an inferred one.",
    )


def _written(evidence: Mapping[str, Any] | str | None) -> str | None:
    """Evidence as it is stored: a JSON object, or plain text as it is."""
    if evidence is None:
        return None
    try:
        if isinstance(evidence, str):
            return texts.kept(evidence, _LONGEST_EVIDENCE)
        written = json.dumps(evidence, ensure_ascii=False, allow_nan=False)
        texts.kept(written, _LONGEST_EVIDENCE)  # its own control characters are escaped
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            "Cannot keep this evidence of a link", str(error), "Give a dict of plain values, a text, or None."
        ) from error
    return written


def _parsed(evidence: object) -> object:
    """Evidence as a dict where it is a JSON object, else as it is stored."""
    if not isinstance(evidence, str):
        return evidence
    try:
        value = json.loads(evidence)
    except (ValueError, RecursionError):
        return evidence
    return value if isinstance(value, dict) else evidence
