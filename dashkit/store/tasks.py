"""The rows of tasks: who is blocked, how far a project is, and a person's word on one task.

`checked` is the truth about completion, `status` is workflow: a checked task is done whatever its status, so
it is neither blocked nor cancelled. A status is a word to the letter, as the frames read it, though its column may have
a collation that knows no case.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dashkit import texts, times
from dashkit.errors import RefusedError, UsageError
from dashkit.store import events, finishes, lives, rows
from dashkit.vocabulary import COMPLEXITIES, SIZE_WEIGHTS, UNSIZED

_OF_SOURCES = ("kind", "labels", "assignee", "due_at", "milestone")  # columns of later versions
NO_SIZE = "unsized"  # the key of tasks without a size
NO_WORD = "none"  # the key of tasks without a status or priority


def stats(conn: sqlite3.Connection) -> rows.Row:
    """Counts over all tasks: total, completed, by_status, by_priority.

    Returns:
        `completed` counts checked tasks from version 2.0 on, before that tasks of status `completed`.
    """
    rows.require(conn)
    by_status: Counter[str] = Counter()
    by_priority: Counter[str] = Counter()
    completed, v2 = 0, rows.is_v2(conn)
    for group in rows.read(
        conn,
        """
        SELECT coalesce(status, :none) AS status, coalesce(priority, :none) AS priority,
               checked IS TRUE AS checked, count(*) AS n
        FROM tasks GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        {"none": NO_WORD},
    ):
        by_status[group["status"]] += group["n"]
        by_priority[group["priority"]] += group["n"]
        if group["checked"] if v2 else group["status"] == "completed":
            completed += group["n"]
    return {
        "total": by_status.total(),
        "completed": completed,
        "by_status": dict(by_status),
        "by_priority": dict(by_priority),
    }


def blocked(conn: sqlite3.Connection, project_id: int | None, now: datetime) -> list[rows.Row]:
    """Tasks of status `blocked` that are not checked, the longest blocked first, unknown times last."""
    rows.require_v2(conn)
    found = rows.read(
        conn,
        """
        SELECT t.id, t.title, t.blocked_reason, t.created_at, t.updated_at,
               t.project_id, p.name AS project_name
        FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id
        WHERE t.status = 'blocked' AND t.status = 'blocked' COLLATE BINARY AND t.checked IS NOT TRUE
          AND (:project_id IS NULL OR t.project_id = :project_id)
        """,
        {"project_id": project_id},
    )
    lost = _lost(conn)
    listed = [
        {
            "id": row["id"],
            "title": row["title"],
            "blocked_reason": row["blocked_reason"],
            **_blocked_for(conn, row, now),
            "project_id": row["project_id"],
            "project_name": row["project_name"],
        }
        for row in found
        if row["id"] not in lost
    ]
    return sorted(listed, key=lambda t: (t["days_blocked"] is None, -(t["days_blocked"] or 0), t["id"]))


def _lost(conn: sqlite3.Connection) -> set[int]:
    """Tasks that are not done, and no longer in the file that they were read from."""
    if "gone_at" not in rows.columns(conn, "task_sources"):
        return set()
    sql = (
        "SELECT s.task_id FROM task_sources AS s JOIN tasks AS t ON t.id = s.task_id "
        "WHERE s.gone_at IS NOT NULL AND t.checked IS NOT TRUE"
    )
    return {row["task_id"] for row in rows.read(conn, sql)}


@dataclass(frozen=True)
class Standing:
    """How the tasks of a project stand, as the frame `progress` counts them.

    Args:
        tasks: without those that were cancelled, or gone from their file, before they were checked.
        checked: those of them that are done.
        gone: no longer in the file that they were read from, and not checked.
        by_source: how many of `tasks` each file holds or held, the most first.
    """

    tasks: int
    checked: int
    gone: int
    by_source: Mapping[str, int]


def standing(conn: sqlite3.Connection, project_id: int) -> Standing:
    """How the tasks of a project stand; the database is of version 2.1."""
    found = rows.read(
        conn,
        """
        SELECT t.checked IS TRUE AS checked, t.status IS 'cancelled' COLLATE BINARY AS cancelled, s.source,
               s.gone_at IS NOT NULL AS gone
        FROM tasks AS t LEFT JOIN task_sources AS s ON s.task_id = t.id
        WHERE t.project_id = :project_id
        """,
        {"project_id": project_id},
    )
    counted = [row for row in found if row["checked"] or not (row["cancelled"] or row["gone"])]
    return Standing(
        tasks=len(counted),
        checked=sum(row["checked"] for row in counted),
        gone=sum(row["gone"] and not row["checked"] for row in found),
        by_source=dict(Counter(row["source"] for row in counted if row["source"]).most_common()),
    )


def story(conn: sqlite3.Connection, task_id: int, now: datetime) -> rows.Row | None:
    """All columns of one task, with what is known of its phase, project, finish and block; None: no such task.

    `finished_at` is when it was finished by its history (`store/finishes.py`), a date where only that is known;
    `days_blocked` and `basis` are as in `blocked`, and `blocked_at` is the instant that they are counted from.

    It reads a v1 database too: what that does not know is None.
    """
    rows.require(conn)
    found = rows.read(
        conn,
        """
        SELECT t.*, p.name AS project_name, f.name AS phase_name,
               t.status IS 'blocked' COLLATE BINARY AND t.checked IS NOT TRUE AS is_blocked
        FROM tasks AS t
        LEFT JOIN projects AS p ON p.id = t.project_id LEFT JOIN phases AS f ON f.id = t.phase_id
        WHERE t.id = :task_id
        """,
        {"task_id": task_id},
    )
    if not found:
        return None
    here = rows.columns(conn, "tasks")
    later = ", ".join(f"+{column} AS {column}" if column in here else f"NULL AS {column}" for column in _OF_SOURCES)
    found[0] |= rows.fetch(conn, f"SELECT {later} FROM main.tasks WHERE id = :id", {"id": task_id})[0]  # noqa: S608
    blocked: rows.Row = {"days_blocked": None, "basis": None, "blocked_at": None}
    if found[0]["is_blocked"]:
        blocked |= _blocked_for(conn, found[0], now)
        since, _ = _blocked_since(conn, found[0])
        blocked["blocked_at"] = times.to_text(since) if since and blocked["basis"] else None
    return found[0] | {"finished_at": _finished_at(conn, found[0], now)} | blocked


def _finished_at(conn: sqlite3.Connection, row: rows.Row, now: datetime) -> str | None:
    """When a task was finished, as the frames say; without a history as its row says."""
    if not events.are_kept(conn):
        return row["completed_at"] if row["checked"] or row["status"] == "completed" else None
    finish = finishes.of_tasks(conn, [row["id"]], now).get(row["id"]) if row["checked"] else None
    return (finish.on_day or finish.at) if finish else None


def _blocked_for(conn: sqlite3.Connection, row: rows.Row, now: datetime) -> rows.Row:
    """For how many days, and what that stands on: what the frame `blocked_tasks` says, for its reasons."""
    since, basis = _blocked_since(conn, row)
    days = since and round(times.days_between(since, now), 1)
    if basis is None and days:
        basis = "version"
    return {"days_blocked": days if basis else None, "basis": basis}


def _blocked_since(conn: sqlite3.Connection, row: rows.Row) -> tuple[datetime | None, str | None]:
    """The instant from which a block is counted, and what it stands on; None: nobody saw what was before it."""
    created = times.read(row["created_at"])
    if not events.are_kept(conn):
        untouched = row["updated_at"] == row["created_at"]
        return (created.at, "not_before") if created and untouched else (None, None)
    block = events.block(conn, row["id"])
    since, before = (None if found is None else found.at for found in map(times.read, (block.since, block.not_before)))
    if block.basis or block.is_of_file:
        return since, block.basis
    if before is None and created and (since is None or created.at < since):
        before = created.at
    return (before, "not_before") if before else (since, None)


def progress(conn: sqlite3.Connection, project_id: int) -> rows.Row:
    """How far a project is, by checked tasks.

    Returns:
        total_tasks, checked_tasks, completion_pct, tasks_by_complexity, size_total and size_checked leave out
        cancelled tasks (status `cancelled` and not checked), and those that are gone from the file that they were
        read from without being checked; tasks_by_status counts every task.

    Raises:
        UsageError: there is no such project.
    """
    rows.require_v2(conn)
    if not rows.read(conn, "SELECT id FROM projects WHERE id = :id", {"id": project_id}):
        raise UsageError(
            f"Cannot tell the progress of project {project_id!r}",
            "there is no project with this id",
            "Give the id of a row of projects.",
            project_id=project_id,
        )
    by_status: Counter[str] = Counter()
    by_size: Counter[str] = Counter()
    checked_by_size: Counter[str] = Counter()
    for group in rows.read(
        conn,
        """
        SELECT coalesce(status, :none) AS status, coalesce(complexity, :unsized) AS size,
               checked IS TRUE AS checked, id IN (SELECT value FROM json_each(:lost)) AS lost, count(*) AS n
        FROM tasks WHERE project_id = :project_id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3
        """,
        {"project_id": project_id, "none": NO_WORD, "unsized": NO_SIZE, "lost": json.dumps(sorted(_lost(conn)))},
    ):
        by_status[group["status"]] += group["n"]
        if group["checked"] or not (group["status"] == "cancelled" or group["lost"]):
            by_size[group["size"]] += group["n"]
            checked_by_size[group["size"]] += group["n"] * group["checked"]
    return {
        "total_tasks": by_size.total(),
        "checked_tasks": checked_by_size.total(),
        "completion_pct": _percent(checked_by_size.total(), by_size.total()),
        "tasks_by_status": dict(by_status),
        "tasks_by_complexity": {size: by_size[size] for size in sorted(by_size, key=_size_order)},
        "size_total": _weighed(by_size),
        "size_checked": _weighed(checked_by_size),
    }


def _percent(part: int, whole: int) -> float | None:
    """One decimal; 100.0 means all and 0.0 means none, never almost."""
    if whole == 0:
        return None
    if part in (0, whole):
        return 100.0 * (part == whole)
    return min(99.9, max(0.1, round(100 * part / whole, 1)))


def _size_order(size: str) -> int:
    return COMPLEXITIES.index(size) if size in COMPLEXITIES else len(COMPLEXITIES)


def _weighed(by_size: Counter[str]) -> int:
    return sum(SIZE_WEIGHTS.get(size, SIZE_WEIGHTS[UNSIZED]) * n for size, n in by_size.items())


def set_checked(conn: sqlite3.Connection, task_id: int, checked: bool | int, now: datetime) -> bool:
    """Check or uncheck a task; completed_at is set where it is NULL or too old, or cleared; status stays.

    Too old is one of a task that is open, from before the history last saw it leave done: it was of an earlier finish.

    Raises:
        UsageError: `checked` is neither a bool nor 0 or 1.
    """
    rows.require_v2(conn)
    if checked not in (0, 1):
        raise UsageError(
            f"Cannot check task {task_id!r} as {checked!r}",
            "it is neither true nor false",
            "Give True or False (1 or 0).",
            task_id=task_id,
        )
    sql = "UPDATE main.tasks SET checked = :checked, updated_at = :now WHERE id = :task_id"
    if "completed_at" in rows.columns(conn, "tasks"):
        sql = """
        UPDATE main.tasks SET checked = :checked, updated_at = :now,
               completed_at = CASE WHEN :checked THEN coalesce(CASE WHEN NOT :anew THEN completed_at END, :now) END
        WHERE id = :task_id
        """
    anew = bool(checked) and _is_of_earlier_finish(conn, task_id)
    values = {"task_id": task_id, "checked": bool(checked), "anew": anew, "now": times.to_text(now)}
    rows.write(conn, sql, values)
    return _is_kept(conn, task_id, "checked IS TRUE", bool(checked))


def _is_of_earlier_finish(conn: sqlite3.Connection, task_id: int) -> bool:
    """Whether the completed_at of a task that is open was said of an earlier finish, as far as its history knows.

    So it was where an event has it that found the task done, or where it lies before the task last left done.
    """
    if not events.are_kept(conn):
        return False
    sql = "SELECT completed_at FROM tasks WHERE id = :id AND checked IS NOT TRUE"
    found = rows.read(conn, sql, {"id": task_id})
    said = times.read(found[0]["completed_at"]) if found else None
    if said is None:
        return False
    life = dict(lives.read(conn, [task_id])).get(task_id, [])
    was_said = any(event.checked and times.read(event.said_completed_at) == said for event in life)
    return was_said or not lives.is_since(said, finishes.last_left(life))


def set_blocked(conn: sqlite3.Connection, task_id: int, reason: str | None, now: datetime) -> bool:
    """Block a task for a reason; None lifts the block, and leaves any other status as it is.

    Raises:
        UsageError: the reason is blank, or no text that is kept.
    """
    rows.require_v2(conn)
    text = None if reason is None else _reason(task_id, reason)
    sql = """
        UPDATE main.tasks SET blocked_reason = :reason, updated_at = :now,
               status = CASE WHEN :reason IS NOT NULL THEN 'blocked'
                             WHEN status = 'blocked' COLLATE BINARY THEN :before ELSE status END
        WHERE id = :task_id
        """
    before = events.status_before_block(conn, task_id) if events.are_kept(conn) else None
    values = {
        "task_id": task_id,
        "reason": text,
        "before": before or "pending",  # what it was before the block, where the history knows
        "now": times.to_text(now),
    }
    rows.write(conn, sql, values)
    return _is_kept(conn, task_id, "blocked_reason", text)


def _reason(task_id: int, reason: str) -> str:
    """The reason of a block as it is kept."""
    try:
        text = texts.kept(reason)
    except ValueError as error:
        raise UsageError(
            f"Cannot block task {task_id!r} for this reason",
            str(error),
            f"Say in at most {texts.LONGEST:,} plain characters what it waits for.",
            task_id=task_id,
        ) from error
    if not text:
        raise UsageError(
            f"Cannot block task {task_id!r}",
            "the reason is blank",
            "Say in a few words what it waits for; to lift a block, give no reason (None, `--unblock`).",
            task_id=task_id,
        )
    return text


def set_complexity(conn: sqlite3.Connection, task_id: int, size: str | None, now: datetime) -> bool:
    """Give a task its size, or none.

    Raises:
        UsageError: it is no size.
    """
    rows.require_v2(conn)
    if size is not None and size not in COMPLEXITIES:
        raise UsageError(
            f"Cannot give task {task_id!r} the size {size!r}",
            "it is no size",
            f"Use one of {', '.join(COMPLEXITIES)}, or None to take the size away.",
            task_id=task_id,
        )
    sql = "UPDATE main.tasks SET complexity = :size, updated_at = :now WHERE id = :task_id"
    rows.write(conn, sql, {"task_id": task_id, "size": size, "now": times.to_text(now)})
    return _is_kept(conn, task_id, "complexity", size)


def _is_kept(conn: sqlite3.Connection, task_id: int, what: str, given: object) -> bool:
    """Whether a task that was changed is there; a trigger of another program may skip or undo what was written.

    Raises:
        RefusedError: one did.
    """
    found = rows.fetch(conn, f"SELECT {what} AS now FROM main.tasks WHERE id = :id", {"id": task_id})  # noqa: S608 - ours
    if found and found[0]["now"] != given:
        sql = "SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = 'tasks' ORDER BY name"
        names = [row["name"] for row in rows.fetch(conn, sql, {}) if not str(row["name"]).startswith("dashkit_")]
        raise RefusedError(
            f"Cannot change task {task_id!r}",
            f"a trigger of the database skipped or undid the change (on tasks there are: {', '.join(names) or 'none'})",
            "Nothing was changed. Ask whoever made that trigger, or drop it.",
            task_id=task_id,
        )
    return bool(found)
