"""The rows of links: which commits and sessions belong to a task, how surely, and by what evidence."""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from dashkit import texts, times
from dashkit.errors import RefusedError, UsageError
from dashkit.store import rows
from dashkit.vocabulary import LINK_TYPES

_LONGEST_EVIDENCE = 10_000  # characters
# Of the ids of links; another one would give the same link a second id.
NAMESPACE = uuid.UUID("6f0f6f0e-6c0f-5b0a-9d6e-2f6b7c1d9a34")


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
        UsageError: confidence, link_type or evidence is none.
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
