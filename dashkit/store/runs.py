"""The runs: what was read or linked, when, and how it ended."""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from dashkit.store import rows

# The runs that write tasks; they compare all tasks with their events first.
LOOKING = ("scan", "ingest tasks")


def are_kept(conn: sqlite3.Connection) -> bool:
    """Whether this database remembers runs: from version 2.1 on."""
    return bool(rows.columns(conn, "runs"))


def last_look(conn: sqlite3.Connection) -> str | None:
    """When a run last compared the tasks with their events; None: none has."""
    marks = ", ".join(f"'{kind}'" for kind in LOOKING)
    sql = f"SELECT max(coalesce(finished_at, started_at)) AS at FROM main.runs WHERE kind IN ({marks})"  # noqa: S608
    found: str | None = rows.read(conn, sql)[0]["at"]
    return found


def record(
    conn: sqlite3.Connection, kind: str, started_at: str, finished_at: str, outcome: str, details: Mapping[str, Any]
) -> None:
    """Add the row of a run that has ended."""
    values = {
        # Random: no second reading could find the same run again, and two of one millisecond are two.
        "id": str(uuid.uuid4()),
        "kind": kind,
        "started_at": started_at,
        "finished_at": finished_at,
        "outcome": outcome,
        "details": json.dumps(details, sort_keys=True),
    }
    rows.write(
        conn,
        "INSERT INTO main.runs (id, kind, started_at, finished_at, outcome, details) "
        "VALUES (:id, :kind, :started_at, :finished_at, :outcome, :details)",
        values,
    )
