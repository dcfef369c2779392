"""What the eight indexes do, measured: each query with and without them, at this size and at a hundred times it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection
from dashkit.migrations import v2_0
from dashkit.migrations.changes import CreateIndex

# One hundred commits, fifty sessions and two hundred links: the growth that the design reckons with.
COMMITS, LINKS = 100, 200
MOST_TASKS = 1_000_000
CLAIMS = {
    "checked tasks": 90,
    "blocked tasks": 95,
    "recent commits": 80,
    "commits of a task": 85,
    "tasks of a commit": 85,
}
QUERIES = {
    "checked tasks": "SELECT count(*) FROM tasks WHERE checked = 1",
    "blocked tasks": "SELECT id, title FROM tasks WHERE status = 'blocked'",
    "recent commits": "SELECT sha, message FROM git_commits ORDER BY timestamp DESC LIMIT 20",
    "commits of a task": "SELECT commit_sha, confidence FROM task_commit_links WHERE task_id = 7",
    "tasks of a commit": "SELECT task_id, confidence FROM task_commit_links WHERE commit_sha = 'sha7'",
}


@dataclass(frozen=True)
class Timing:
    """One query at one size: milliseconds without and with the indexes, the claim in percent, and the plan.

    Where it could not be measured the figures are None, and the plan says why.
    """

    query: str
    scale: int
    tasks: int | None
    commits: int | None
    without_ms: float | None
    with_ms: float | None
    claimed_pct: int
    plan: str

    @property
    def faster_pct(self) -> float | None:
        """How much less time it takes with the indexes, in percent; negative: more."""
        if self.with_ms is None or not self.without_ms:
            return None
        return 100 * (1 - self.with_ms / self.without_ms)


def measure(path: Path, folder: Path) -> list[Timing]:
    """Time the queries on copies of a migrated database, as it is and a hundred times as large (capped)."""
    return [timing for scale in (1, 100) for timing in _at(path, folder / f"times{scale}.db", scale)]


def _at(path: Path, copy: Path, scale: int) -> list[Timing]:
    try:
        with closing(connection.connect_immutable(path)) as source:
            connection.private_copy(source, copy)
        with closing(connection.connect(copy)) as conn:
            return list(_timings(conn, scale))
    except sqlite3.Error as error:  # a trigger or a condition of theirs, or no room for so large a copy
        why = f"not measured: {error}"
        return [Timing(name, scale, None, None, None, None, CLAIMS[name], why) for name in QUERIES]
    finally:
        copy.unlink(missing_ok=True)


def _timings(conn: sqlite3.Connection, scale: int) -> Iterator[Timing]:
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("BEGIN")
    tasks, commits = _grow(conn, scale)
    conn.execute("COMMIT")
    indexes = [change for change in v2_0.VERSION.changes if isinstance(change, CreateIndex)]
    plans = {name: _plan(conn, sql) for name, sql in QUERIES.items()}
    conn.text_factory = bytes  # a title need not be UTF-8
    fast = {name: _milliseconds(conn, sql) for name, sql in QUERIES.items()}
    for index in indexes:
        conn.execute(f"DROP INDEX IF EXISTS {index.index}")
    slow = {name: _milliseconds(conn, sql) for name, sql in QUERIES.items()}
    for name in QUERIES:
        yield Timing(name, scale, tasks, commits, slow[name], fast[name], CLAIMS[name], plans[name])


def _grow(conn: sqlite3.Connection, scale: int) -> tuple[int, int]:
    """Copy the tasks, block one in a hundred where none is, and add commits and links; rows of tasks and commits."""
    for (trigger,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        conn.execute('DROP TRIGGER "' + trigger.replace('"', '""') + '"')
    rows = conn.execute("SELECT count(*) FROM tasks").fetchone()[0]
    copies = min(scale, MOST_TASKS // rows) - 1 if rows else 0
    conn.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 WHERE ? > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT OR IGNORE INTO tasks (project_id, title, status, checked) SELECT project_id, title, status, checked "
        "FROM n CROSS JOIN (SELECT * FROM tasks)",
        (copies, copies),
    )
    if not conn.execute("SELECT EXISTS (SELECT 1 FROM tasks WHERE status = 'blocked')").fetchone()[0]:
        conn.execute("UPDATE tasks SET status = 'blocked' WHERE id % 100 = 0")
    conn.execute(
        "INSERT OR IGNORE INTO git_repos (id, project_id, path) SELECT 'r', coalesce(min(id), 1), 'r' FROM projects"
    )
    conn.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT OR IGNORE INTO git_commits (sha, repo_id, message, timestamp) "
        "SELECT 'sha' || i, 'r', 'Commit number ' || i, strftime('%Y-%m-%dT%H:%M:%SZ', 1.7e9 + i * 997 % 1e7, "
        "'unixepoch') FROM n",
        (COMMITS * scale,),
    )
    conn.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT OR IGNORE INTO task_commit_links (id, task_id, commit_sha, confidence, link_type) "
        "SELECT 'link' || i, 1 + i % max(1, ?), 'sha' || (1 + i % ?), 0.8, 'inferred' FROM n",
        (LINKS * scale, rows, COMMITS * scale),
    )
    counts = "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM git_commits)"
    tasks, commits = conn.execute(counts).fetchone()
    return int(tasks), int(commits)


def _plan(conn: sqlite3.Connection, sql: str) -> str:
    return "; ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}"))


def _milliseconds(conn: sqlite3.Connection, sql: str) -> float:
    """The least of several runs, after one to warm up; enough of them for a stable figure, at most 0.2 s."""
    conn.execute(sql).fetchall()
    best, deadline = float("inf"), time.perf_counter() + 0.2
    for _ in range(50):
        started = time.perf_counter()
        conn.execute(sql).fetchall()
        best = min(best, time.perf_counter() - started)
        if time.perf_counter() > deadline:
            break
    return best * 1000
