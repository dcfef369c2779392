"""The functions of a Dashboard: what is blocked, how far, what is linked, what happened; and a person's word.

Each takes `db`: a path, None for the usual place (`connection.default_path`), or an open sqlite3 connection, which is
neither committed nor closed. What you change over a connection of yours is to be committed before a function gets the
path, or the function gets that connection. From version 2.0 on `checked` is the source of truth for completion.
Each raises RefusedError for what is no Dashboard, BusyError while somebody else writes to it and, unless it works in
any version, OutdatedError for version 1; and UsageError for an argument of another type than it takes.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashkit import times
from dashkit.arguments import checked as checks
from dashkit.connection import Database, connect, default_path, using
from dashkit.store import activity, events, links, tasks


@checks("make a database")
def init_database(db: Database = None) -> None:
    """Make a database of version 1; tables that exist already are left as they are."""
    from dashkit import migrations  # the other functions do without it, and it takes time to load

    migrations.create(db, version="1.0")


@checks("make a database")
def init_database_v2(db: Database = None) -> None:
    """Make a database of the newest version."""
    from dashkit import migrations

    migrations.create(db, version=None)


@checks("open a connection")
def get_connection(db: str | Path | None = None) -> sqlite3.Connection:
    """A connection for your own SQL: foreign keys on, rows by name, and nothing is saved before commit().

    Raises:
        RefusedError: there is no such file.
    """
    conn = connect(default_path(db))
    conn.row_factory = sqlite3.Row
    conn.isolation_level = "DEFERRED"
    return conn


@checks("tell what is there of version 2.0")
def check_v2_migration_status(db: Database = None) -> dict[str, Any]:
    """What is there of version 2.0: each feature -> bool, `pending` -> list of changes, `ready` -> bool."""
    from dashkit import migrations

    return migrations.v2_status(db)


@checks("count tasks")
def get_task_stats(db: Database = None) -> dict[str, Any]:
    """Counts over all tasks, in any version.

    Returns:
        total, completed (from version 2.0 on: checked), by_status and by_priority ({word: count}).
    """
    with using(db) as conn:
        return tasks.stats(conn)


@checks("list blocked tasks")
def get_blocked_tasks(project_id: int | None = None, *, db: Database = None) -> list[dict[str, Any]]:
    """Tasks of status `blocked` that are not checked, the longest blocked first, then those of unknown time.

    Args:
        project_id: of this project alone, by its id; None: of all.
        db: which database.

    Returns:
        Dicts of id, title, blocked_reason, days_blocked (days, one decimal; None: not known), basis (`event`:
        exact; `version`: at least that many days; `not_before`: at most; None: not known), project_id, project_name.
    """
    with using(db) as conn:
        return tasks.blocked(conn, project_id, times.utc_now())


@checks("tell the progress of a project")
def get_project_progress(project_id: int, *, db: Database = None) -> dict[str, Any]:
    """How far a project is, by checked tasks; a cancelled one that is not checked counts by status only.

    Args:
        project_id: the id of a row of projects.
        db: which database.

    Returns:
        total_tasks, checked_tasks, completion_pct (0..100, one decimal; 100.0 only when all are checked;
        None: no tasks), tasks_by_status (all tasks), tasks_by_complexity (`unsized`: none given), size_total
        and size_checked (S 1, M 2, L 3, XL 5; none counts as M).

    Raises:
        UsageError: there is no such project.
    """
    with using(db) as conn:
        return tasks.progress(conn, project_id)


@checks("list the links of a task")
def get_task_links(
    task_id: int, min_confidence: float = 0.0, *, db: Database = None
) -> dict[str, list[dict[str, Any]]]:
    """The commits and sessions linked to a task, the surest first, then the newest; none for an unknown task.

    Args:
        task_id: the id of a row of tasks.
        min_confidence: leave out what is less sure, 0..1.
        db: which database.

    Returns:
        `commits`: dicts of sha, message, author, timestamp, confidence, link_type, evidence; `sessions`:
        dicts of id, summary, message_count, started_at, confidence, link_type, evidence. Evidence is a dict
        where a JSON object is stored, else the text, else None.

    Raises:
        UsageError: min_confidence is outside 0..1.
    """
    with using(db) as conn:
        return {
            "commits": links.of_task(conn, links.COMMIT, task_id, min_confidence),
            "sessions": links.of_task(conn, links.SESSION, task_id, min_confidence),
        }


@checks("show recent activity")
def get_recent_activity(limit: int = 5, project_id: int | None = None, *, db: Database = None) -> list[dict[str, Any]]:
    """What happened last, the newest first.

    Args:
        limit: at most this number of events, 0 or more.
        project_id: of this project alone, by its id; None: of all.
        db: which database.

    Returns:
        Dicts of type (`task_completed`, `commit`, `session`; with a history also `blocked`, `status_change`),
        title (one line), timestamp (ISO 8601, UTC; None: not known), project_name. With a history a task was
        completed when its events say so, as in the frame `activity` and in `flow`, and one of which nobody knows when
        is left out; without a history it was completed at its completed_at.

    Raises:
        UsageError: limit is below zero.
    """
    with using(db) as conn:
        return activity.recent(conn, limit, project_id, times.utc_now())


@contextmanager
def _changing(db: Database) -> Iterator[sqlite3.Connection]:
    """A connection for a change, which the history has as made from Python unless the caller said who acts."""
    with using(db, write=True) as conn, events.acting(conn, events.PYTHON):
        yield conn


@checks("check or uncheck a task")
def update_task_checked(task_id: int, checked: bool | int, *, db: Database = None) -> bool:
    """Check or uncheck a task: completed_at is set where it is NULL, or cleared; status is not touched.

    A completed_at that is there stays, and dates the completion; but one from before the task was last reopened, as
    its history knows, is set anew.

    Args:
        task_id: the id of a row of tasks.
        checked: whether it is done: True or False, or 1 or 0.
        db: which database.

    Returns:
        False: there is no such task.

    Raises:
        UsageError: `checked` is neither true nor false.
    """
    with _changing(db) as conn:
        return tasks.set_checked(conn, task_id, checked, times.utc_now())


@checks("block a task")
def set_task_blocked(task_id: int, reason: str | None, *, db: Database = None) -> bool:
    """Block a task for a reason; None lifts the block: status `blocked` becomes what it was before.

    Args:
        task_id: the id of a row of tasks.
        reason: what it waits for, in at most 2,000 characters; line breaks stay. None: it is not blocked.
        db: which database.

    Returns:
        False: there is no such task.

    Raises:
        UsageError: the reason is blank, longer, or holds a control character other than tabs and line breaks, one that
            turns the direction of writing, or half of a character.
    """
    with _changing(db) as conn:
        return tasks.set_blocked(conn, task_id, reason, times.utc_now())


@checks("give a task a size")
def set_task_complexity(task_id: int, size: str | None, *, db: Database = None) -> bool:
    """Give a task the size S, M, L or XL; None takes it away.

    Args:
        task_id: the id of a row of tasks.
        size: S, M, L or XL; None: not known.
        db: which database.

    Returns:
        False: there is no such task.

    Raises:
        UsageError: it is no size.
    """
    with _changing(db) as conn:
        return tasks.set_complexity(conn, task_id, size, times.utc_now())


@checks("link a task with a commit")
def create_task_commit_link(
    task_id: int,
    sha: str,
    confidence: float = 1.0,
    link_type: str = "manual",
    evidence: Mapping[str, Any] | str | None = None,
    *,
    db: Database = None,
) -> str:
    """Link a task with a commit; a link that exists gets the new confidence (0..1), type and evidence.

    A manual one is a person's word: `dashkit link` leaves it as it is, and an earlier removal is forgotten.

    Args:
        task_id: the id of a row of tasks.
        sha: the whole sha of a commit.
        confidence: how sure it is, 0..1.
        link_type: explicit, inferred or manual.
        evidence: what it stands on: a dict that JSON can hold, or a text; at most 10,000 characters.
        db: which database.

    Returns:
        The id of the link.

    Raises:
        UsageError: confidence, link_type or evidence is another.
        RefusedError: the task or the commit is not in the database.
    """
    with _changing(db) as conn:
        link_id = links.save(
            conn,
            links.COMMIT,
            task_id,
            sha,
            confidence=confidence,
            link_type=link_type,
            evidence=evidence,
            now=times.utc_now(),
        )
        if link_type == "manual":
            links.accept(conn, task_id, sha)
        return link_id


@checks("unlink a task and a commit")
def remove_task_commit_link(task_id: int, sha: str, *, db: Database = None) -> bool:
    """Say that a commit (its full sha) does not belong to a task: `dashkit link` will not link them again.

    Args:
        task_id: the id of a row of tasks.
        sha: the whole sha of a commit.
        db: which database.

    Returns:
        False: they were not linked; it is remembered all the same.

    Raises:
        OutdatedError: the database is older than version 2.1, and could not remember it.
    """
    with _changing(db) as conn:
        return links.reject(conn, task_id, sha, times.to_text(times.utc_now()))


@checks("link a task with a session")
def create_task_session_link(
    task_id: int,
    session_id: str,
    confidence: float = 1.0,
    link_type: str = "manual",
    evidence: Mapping[str, Any] | str | None = None,
    *,
    db: Database = None,
) -> str:
    """Link a task with a session; a link that exists gets the new confidence (0..1), type and evidence.

    Args:
        task_id: the id of a row of tasks.
        session_id: the id of a session.
        confidence: how sure it is, 0..1.
        link_type: explicit, inferred or manual.
        evidence: what it stands on: a dict that JSON can hold, or a text; at most 10,000 characters.
        db: which database.

    Returns:
        The id of the link.

    Raises:
        UsageError: confidence, link_type or evidence is another.
        RefusedError: the task or the session is not in the database.
    """
    with _changing(db) as conn:
        return links.save(
            conn,
            links.SESSION,
            task_id,
            session_id,
            confidence=confidence,
            link_type=link_type,
            evidence=evidence,
            now=times.utc_now(),
        )
