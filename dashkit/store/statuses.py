"""Statuses that dashkit does not know, and completed tasks without a check: how many, and what to do about them."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from dashkit import times
from dashkit.store import rows
from dashkit.vocabulary import STATUSES

_NAMED = 8  # words
# What other programs call a status; of any other word nobody can tell, so it is asked whether it means completed.
_ALIKE = {
    "in_progress": ("doing", "started", "wip", "working", "in work"),
    "blocked": ("on hold", "stuck"),
    "cancelled": ("canceled", "dropped", "wontfix", "won't fix", "rejected"),
    "pending": ("todo", "to do", "open", "new", "backlog", "planned"),
    "review": ("in review", "reviewing"),
}


class Other(NamedTuple):
    """A status in another word than dashkit's: how many tasks have it, and how many of them are not checked.

    `which` is the SQL condition on them; empty: no text says it. `meant` is what it may mean.
    """

    word: str
    tasks: int
    unchecked: int
    which: str
    meant: str


def others(conn: sqlite3.Connection) -> list[Other]:
    """All of them, the most frequent first; each is told to the byte, whatever collation the column has."""
    known = ", ".join(f"'{word}'" for word in STATUSES)
    has_boxes = "checked" in rows.columns(conn, "tasks")
    open_ = "count(CASE WHEN checked IS NOT TRUE THEN 1 END)" if has_boxes else "count(*)"
    sql = (
        f"SELECT CAST(status AS TEXT) AS word, count(*) AS tasks, {open_} AS unchecked FROM main.tasks "  # noqa: S608 - of STATUSES
        f"WHERE status COLLATE BINARY NOT IN ({known}) GROUP BY status COLLATE BINARY ORDER BY 2 DESC, 1"
    )
    found = rows.fetch(conn, sql, {})
    return [
        Other(row["word"], row["tasks"], row["unchecked"], which(conn, row["word"], row["tasks"]), _meant(row["word"]))
        for row in found
    ]


def which(conn: sqlite3.Connection, word: str, tasks: int) -> str:
    """The plainest SQL condition on the tasks of a status, of which there are so many; empty: there is none."""
    text = rows.literal(word)
    for condition in (f"status = {text}", f"status = {text} COLLATE BINARY", f"CAST(status AS TEXT) = {text}"):
        if conn.execute(f"SELECT count(*) FROM main.tasks WHERE {condition}").fetchone()[0] == tasks:  # noqa: S608
            return condition
    return ""


def told(found: list[Other]) -> str:
    """The words and how many tasks have each, in a line."""
    listed = ", ".join(f"{times.quoted(one.word)} ({one.tasks:,})" for one in found[:_NAMED])
    return listed + (f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else "")


def advice(found: list[Other], *, before: bool, quote: str = "") -> Iterator[str]:
    """What to do about each of the most frequent ones; nothing where all tasks of it are checked.

    Args:
        found: statuses in other words.
        before: whether the database is not migrated yet, so that the status decides what is checked.
        quote: what to put around a statement.
    """
    for one in found[:_NAMED]:
        if not one.which or not one.unchecked:
            continue
        is_done = one.meant == "completed"
        if before or not is_done:
            statement = f"UPDATE tasks SET status = '{one.meant}' WHERE {one.which};"  # noqa: S608 - for people
        else:
            statement = f"UPDATE tasks SET checked = 1 WHERE {one.which} AND checked IS NOT 1;"  # noqa: S608 - for people
        tasks, have, count = ("task", "has", "counts") if one.unchecked == 1 else ("tasks", "have", "count")
        count = "will count" if before else count
        what = f"{one.unchecked:,} {tasks} {have} the status {times.quoted(one.word)} and {count} as open."
        when = " before the migration" if before else ""
        yield f"{what} If it means {one.meant}, run{when}: {quote}{statement}{quote}"


def unchecked(conn: sqlite3.Connection) -> tuple[int, str]:
    """How many completed tasks are not checked, and the statement that checks them."""
    if "checked" not in rows.columns(conn, "tasks"):
        return 0, ""
    exact = "status IS 'completed' COLLATE BINARY"
    sql = f"SELECT count(*), count(CASE WHEN checked IS NOT TRUE THEN 1 END) FROM main.tasks WHERE {exact}"  # noqa: S608
    tasks, left = conn.execute(sql).fetchone()
    return left, f"UPDATE tasks SET checked = 1 WHERE {which(conn, 'completed', tasks)} AND checked IS NOT 1"  # noqa: S608


def _meant(word: str) -> str:
    """What a status may mean: one of dashkit's by another case or another blank, or by another name."""
    plain = word.strip().lower().replace("-", " ").replace("_", " ")
    for status in STATUSES:
        if plain == status.replace("_", " ") or plain in _ALIKE.get(status, ()):
            return status
    return "completed"
