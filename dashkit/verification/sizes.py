"""How large the database is, before and after, and what a commit, a session and a link add to it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection

ROWS = 2000
CLAIMS = {"commit": 500, "session": 200, "link": 150}

# Rows of an ordinary length: a sha of 40, a message of about 60, an author, a summary of about 60 characters.
_INSERTS = {
    "commit": "INSERT INTO git_commits (sha, repo_id, author, author_email, message, timestamp, files_changed, "
    "insertions, deletions) SELECT lower(hex(randomblob(20))), 'size', 'Ada Lovelace', 'ada@example.org', "
    "substr('Fix the retry policy of the gateway when the queue is full ' || i, 1, 70), "
    "'2025-11-27T16:09:57.123Z', 3, 120, 14 FROM n",
    "session": "INSERT INTO llm_sessions (id, project_id, summary, message_count, started_at, ended_at) "
    "SELECT lower(hex(randomblob(16))), (SELECT min(id) FROM projects), "
    "'Refactored the scheduler and added tests for its retries ' || i, 42, '2025-11-27T16:09:57.123Z', "
    "'2025-11-27T17:09:57.123Z' FROM n",
    "link": "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type, evidence, created_at) "
    "SELECT lower(hex(randomblob(16))), (SELECT coalesce(min(id), 1) FROM tasks), sha, 0.8, 'inferred', "
    """'{"rule": "words", "words": ["retry", "policy"]}', '2025-11-27T16:09:57.123Z' """
    "FROM git_commits WHERE repo_id = 'size'",
}


@dataclass(frozen=True)
class Growth:
    """Bytes that one row of a kind takes, measured over 2,000 rows, against the figure of the design.

    `bytes_per_row` is None where it could not be measured.
    """

    kind: str
    bytes_per_row: float | None
    claimed_bytes: int


def file_bytes(path: Path) -> int:
    """The size of a database: its pages, whatever of it is still in a -wal."""
    with closing(connection.connect_immutable(path)) as conn:
        pages, _, size = _pages(conn)
        return pages * size


def growth(path: Path, copy: Path) -> list[Growth]:
    """Insert rows of each kind into a copy, and see how many more bytes are in use: free pages hide growth."""
    with closing(connection.connect_immutable(path)) as source:
        connection.private_copy(source, copy)
    try:
        with closing(connection.connect(copy)) as conn:
            conn.execute("PRAGMA synchronous = OFF")
            conn.execute("PRAGMA foreign_keys = OFF")
            return [Growth(kind, _added(conn, insert), CLAIMS[kind]) for kind, insert in _INSERTS.items()]
    finally:
        copy.unlink()


def _added(conn: sqlite3.Connection, insert: str) -> float | None:
    """Bytes a row that an INSERT takes; None where this database does not take it, for reasons of its own."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) "
    try:
        conn.execute(
            "INSERT OR IGNORE INTO git_repos (id, project_id, path) "
            "SELECT 'size', coalesce(min(id), 1), 'size' FROM projects"
        )
        before = _used(conn)
        conn.execute(numbers + insert)
        added = conn.execute("SELECT changes()").fetchone()[0]
        return (_used(conn) - before) / added if added else None
    except sqlite3.Error:
        return None


def _used(conn: sqlite3.Connection) -> int:
    pages, free, size = _pages(conn)
    return (pages - free) * size


def _pages(conn: sqlite3.Connection) -> tuple[int, int, int]:
    """All pages, the free ones of them, and the bytes of one."""
    pages, free, size = (
        int(conn.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size
