"""Which task a person means: by the number of its row, or by the id that pages show."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from dashkit.errors import UsageError
from dashkit.store import events, rows

_LARGEST_ID: Final = 2**63 - 1
_NAMED: Final = 5  # tasks of an ambiguous id
_TITLE: Final = 60  # characters of a title that tell it from others
_DIGITS: Final = 19  # of the largest number


@dataclass(frozen=True)
class Choice:
    """The task that is meant, by the number of its row, and in words what else could have been ('': nothing)."""

    task_id: int
    note: str = ""


def find(conn: sqlite3.Connection, word: str, project_id: int | None = None, *, allow_deleted: bool = False) -> Choice:
    """The task that a word means: the number of a row, else the id in the file that the task came from.

    A number is that of a row where there is one. Letters may be of either case, if no id is written so. Of tasks that
    have the same id, one that is in its file comes before those that are gone from theirs.

    Args:
        conn: any version of a Dashboard.
        word: what was given.
        project_id: among the tasks of this project alone.
        allow_deleted: the number of a task that was deleted, and has a history, is one too.

    Raises:
        UsageError: there is no such task, or several have this id; they are named.
        RefusedError: it is no Dashboard.
    """
    rows.require(conn)
    number = _number(word)
    if number is not None and (_of_number(conn, number, project_id) or (allow_deleted and _was_deleted(conn, number))):
        others = [row for row in _with_id(conn, word, project_id) if row["id"] != number]
        note = f"{word} is taken as the number of a row. As the id in a file it is that of {_named(others)}."
        return Choice(number, note if others else "")
    found = _of_external_id(conn, word, project_id)
    there = [row for row in found if not row["is_gone"]]
    if len(found) > 1 and len(there) == 1:
        note = f"{word:.80} is taken as the task that is in its file. It is also the id of "
        return Choice(int(there[0]["id"]), f"{note}{_named([row for row in found if row['is_gone']])}.")
    if len(found) == 1:
        return Choice(int(found[0]["id"]))
    raise _refused(conn, word, found, project_id)


def _number(word: str) -> int | None:
    """The number of a row, as pages write it; None: it is not one."""
    if not (word.isascii() and word.isdecimal() and len(word) <= _DIGITS):
        return None
    return int(word) if word == str(int(word)) and int(word) <= _LARGEST_ID else None


def _was_deleted(conn: sqlite3.Connection, number: int) -> bool:
    """Whether the history has a task of this number that is there no more."""
    if not events.are_kept(conn):
        return False
    sql = "SELECT 1 FROM task_events WHERE task_id = :id AND task_id NOT IN (SELECT id FROM tasks) LIMIT 1"
    return bool(rows.read(conn, sql, {"id": number}))


def _of_number(conn: sqlite3.Connection, number: int, project_id: int | None) -> list[rows.Row]:
    return _tasks(conn, "t.id = :word", number, project_id)


def _with_id(conn: sqlite3.Connection, word: str, project_id: int | None) -> list[rows.Row]:
    return _tasks(conn, "t.external_id = :word COLLATE NOCASE", word, project_id)


def _of_external_id(conn: sqlite3.Connection, word: str, project_id: int | None) -> list[rows.Row]:
    """The tasks of this id: those that are written so, else those that differ in case alone.

    Else those that had it before, and TASK-12 for the row 12 of a task without an id, as links read it.
    """
    found = _with_id(conn, word, project_id)
    if not found and "image" in rows.columns(conn, "task_sources"):
        former = (
            "t.external_id IS NULL AND upper(:word) = 'TASK-' || t.id "
            "OR EXISTS (SELECT 1 FROM task_sources AS s, json_each(s.image, '$.former_ids') AS f "
            "WHERE s.task_id = t.id AND json_valid(s.image) AND f.value = :word COLLATE NOCASE)"
        )
        return _tasks(conn, former, word, project_id)
    return [row for row in found if row["external_id"] == word] or found


def _tasks(conn: sqlite3.Connection, condition: str, word: str | int, project_id: int | None) -> list[rows.Row]:
    """The tasks of a condition on `:word`, with their project, and whether they are gone from their file."""
    gone = "0"
    if "gone_at" in rows.columns(conn, "task_sources"):
        gone = "EXISTS (SELECT 1 FROM task_sources AS g WHERE g.task_id = t.id AND g.gone_at IS NOT NULL)"
    return rows.read(
        conn,
        f"SELECT t.id, t.title, t.external_id, t.project_id, p.name AS project, {gone} AS is_gone "  # noqa: S608
        "FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id "
        f"WHERE ({condition}) AND (:project_id IS NULL OR t.project_id = :project_id) ORDER BY t.id",
        {"word": word, "project_id": project_id},
    )


def _named(found: list[rows.Row]) -> str:
    """The numbers of tasks with their titles, and with their projects where these differ: `3 (Dig), 8 (Dig)`."""
    several = len({row["project_id"] for row in found}) > 1
    named = [f"{row['id']} ({_title(row)}{_project(row) if several else ''}{_gone(row)})" for row in found[:_NAMED]]
    return ", ".join([*named, *([f"and {len(found) - _NAMED:,} more"] if len(found) > _NAMED else [])])


def _title(row: rows.Row) -> str:
    title = str(row["title"])
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"


def _project(row: rows.Row) -> str:
    return f", of {row['project'] or row['project_id']}"


def _gone(row: rows.Row) -> str:
    return ", gone from its file" if row["is_gone"] else ""


def _refused(conn: sqlite3.Connection, word: str, found: list[rows.Row], project_id: int | None) -> UsageError:
    """Why a word means no one task, and what to give in its place."""
    what, number = f"Cannot find task {word:.80}", _number(word)
    if found:
        why = f"{len(found):,} tasks have this id: {_named(found)}"
        return UsageError(what, why, "Give one of these numbers.", ids=[row["id"] for row in found])
    if number is not None and _was_deleted(conn, number):
        do = f"Its history is kept: run `dashkit show task_timeline --task {number}`."
        return UsageError(what, "the task of this number was deleted", do)
    others = [] if project_id is None else _of_external_id(conn, word, None)
    if project_id is not None and number is not None:
        others = _of_number(conn, number, None) or others
    if others:
        why = f"in the chosen project no task has this id; elsewhere it is that of {_named(others)}"
        return UsageError(what, why, "Choose the project of that task, or none.")
    return UsageError(what, "no task has this id", "Give the id that a page shows, or the number of a row of tasks.")
