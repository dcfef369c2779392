"""How far each source, repository and linker was read: the only module that reads and writes `checkpoints`.

Keys: `tasks:<project id>:<source>`, `links:<project id>`, `git:<repository id>`. A file of version 2.1 that an earlier
commit made keeps them in `ingest_files` and in `git_repos.refs` until it is migrated again; until then they stay there.
"""

import json
import sqlite3
from typing import Any

from dashkit.store import rows

_GIT = "git:"


def of_source(project_id: int, source: str) -> str:
    """The key of a source of tasks."""
    return f"tasks:{project_id}:{source}"


def of_links(project_id: int) -> str:
    """The key of the links of a project."""
    return f"links:{project_id}"


def of_repository(repo_id: str) -> str:
    """The key of a repository."""
    return f"{_GIT}{repo_id}"


def are_kept(conn: sqlite3.Connection) -> bool:
    """Whether this database remembers how far a repository was read: from version 2.1 on."""
    return bool(rows.columns(conn, "checkpoints")) or "refs" in rows.columns(conn, "git_repos")


def get(conn: sqlite3.Connection, key: str) -> Any:
    """What was left under a key; None where there is nothing, or what another hand wrote."""
    if rows.columns(conn, "checkpoints"):
        found = rows.read(conn, "SELECT value FROM main.checkpoints WHERE key = :key", {"key": key})
    elif key.startswith(_GIT):
        sql = "SELECT refs AS value FROM main.git_repos WHERE id = :id"
        found = rows.read(conn, sql, {"id": key.removeprefix(_GIT)}) if are_kept(conn) else []
    else:
        found = rows.read(conn, "SELECT tail_digest AS value FROM main.ingest_files WHERE path = :key", {"key": key})
    try:
        return json.loads(found[0]["value"]) if found else None
    except (ValueError, TypeError):
        return None


def put(conn: sqlite3.Connection, key: str, value: Any, now: str) -> None:
    """Leave a value, which JSON can hold, for the next reading; where it is there already nothing is written."""
    if rows.columns(conn, "checkpoints"):
        sql = (
            "INSERT INTO main.checkpoints (key, value, updated_at) VALUES (:key, :value, :now) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at "
            "WHERE value IS NOT excluded.value"
        )
    elif key.startswith(_GIT):
        sql = "UPDATE main.git_repos SET refs = :value WHERE id = :id"
    else:
        sql = (
            "INSERT INTO main.ingest_files (path, tail_digest, first_seen) VALUES (:key, :value, :now) "
            "ON CONFLICT (path) DO UPDATE SET tail_digest = excluded.tail_digest"
        )
    values = {"key": key, "id": key.removeprefix(_GIT), "value": json.dumps(value, sort_keys=True), "now": now}
    rows.write(conn, sql, values)


def delete(conn: sqlite3.Connection, key: str) -> None:
    """Forget what was left under a key."""
    if rows.columns(conn, "checkpoints"):
        sql = "DELETE FROM main.checkpoints WHERE key = :key"
    elif key.startswith(_GIT):
        sql = "UPDATE main.git_repos SET refs = NULL WHERE id = :id"
    else:
        sql = "DELETE FROM main.ingest_files WHERE path = :key"
    rows.write(conn, sql, {"key": key, "id": key.removeprefix(_GIT)})
