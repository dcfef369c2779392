"""Values that are outside of what they may be, or are only odd: what was found, and the statement that mends it."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dashkit import times
from dashkit.store import instants, rows, statuses, tracking
from dashkit.store.events import OPERATIONS

_RIGHT = "'YYYY-MM-DD'"  # where people put the right date
_AT_ONCE = 100  # rows that one statement names


@dataclass(frozen=True)
class Rule:
    """Values that may not be, or are only odd (not `wrong`).

    Args:
        where: the table and column.
        what: what they are, in words.
        which: the SQL condition of such a row.
        fix: the statement that mends them, without its WHERE; empty where nothing has to be done.
        advice: what that does, in words.
        wrong: whether it is more than odd.
    """

    where: str
    what: str
    which: str
    fix: str
    advice: str = ""
    wrong: bool = True

    @property
    def statement(self) -> str:
        """The whole statement."""
        return f"{self.fix} WHERE {self.which}"


@dataclass(frozen=True)
class Found:
    """What is not what it may be: in words, what to do, and whether it is wrong or only odd."""

    told: str
    remedy: str
    wrong: bool


# What values mean: SQL of a column, NULL for what nobody can read.
_YES, _NO = "('true', 't', 'yes', 'y', 'on', '1', 'done')", "('false', 'f', 'no', 'n', 'off', '0', '')"
_SIZES = "('S', 'M', 'L', 'XL')"
_READING = {
    "tasks.checked": "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} <> 0 "
    f"WHEN lower(trim({{0}})) IN {_YES} THEN 1 WHEN lower(trim({{0}})) IN {_NO} THEN 0 END",
    "tasks.complexity": f"CASE WHEN upper(trim({{0}})) IN {_SIZES} THEN upper(trim({{0}})) END",
}
_ODD_SIZES = f"SELECT id, complexity FROM tasks WHERE complexity NOT IN {_SIZES}"  # noqa: S608 - ours
_CONFIDENCE = "outside of 0 to 1"
_OUTSIDE = "confidence NOT BETWEEN 0 AND 1 OR confidence IS NULL"
_BELOW = "files_changed < 0 OR insertions < 0 OR deletions < 0"
_NOT_BELOW = ", ".join(
    f"{one} = CASE WHEN {one} >= 0 THEN {one} END" for one in ("files_changed", "insertions", "deletions")
)
_ODD_IMAGE = (
    "NOT coalesce(CASE WHEN json_valid(image) THEN json_type(image) = 'object' END, image IS NULL) "
    "OR NOT coalesce(CASE WHEN json_valid(heading_path) THEN json_type(heading_path) = 'array' END, "
    "heading_path IS NULL)"
)
RULES = (
    Rule(
        "tasks.checked",
        "neither 0 nor 1",
        "checked NOT IN (0, 1)",
        f"UPDATE tasks SET checked = {_READING['tasks.checked'].format('checked')}",  # noqa: S608 - ours
        "It makes 1 of words for yes and of other numbers than 0, 0 of words for no, and empties the rest.",
    ),
    Rule(
        "tasks.complexity",
        "not one of S, M, L, XL",
        f"complexity NOT IN {_SIZES}",
        f"UPDATE tasks SET complexity = {_READING['tasks.complexity'].format('complexity')}",  # noqa: S608 - ours
        f"It writes sizes in capitals, and empties the rest; this SQL shows them first: `{_ODD_SIZES};`.",
    ),
    *(
        Rule(
            f"{table}.confidence",
            _CONFIDENCE,
            _OUTSIDE,
            f"UPDATE {table} SET confidence = 0",  # noqa: S608 - of three words
            "At 0 a link counts as it does now: as one of which nobody knows how sure it is.",
        )
        for table in ("task_commit_links", "task_session_links", "commit_session_links")
    ),
    Rule(
        "git_commits.insertions",
        "a count of files or lines below zero",
        _BELOW,
        f"UPDATE git_commits SET {_NOT_BELOW}",  # noqa: S608 - ours
        "It empties those counts.",
    ),
    Rule(
        "task_events.op",
        f"not one of {', '.join(OPERATIONS)}",
        f"op NOT IN {OPERATIONS}",
        "UPDATE task_events SET op = 'update'",
        "It keeps what those events say.",
    ),
    Rule(
        "dependency_events.op",
        "not one of add, remove, baseline",
        "op NOT IN ('add', 'remove', 'baseline')",
        "DELETE FROM dependency_events",
        "An event of no known kind says nothing; if a dependency then differs from its events, that is found here.",
    ),
    Rule(
        "task_sources.image",
        "not what the reading of a file leaves",
        _ODD_IMAGE,
        "DELETE FROM task_sources",
        "The tasks stay, and the next reading of the file finds them by their titles.",
    ),
    Rule(
        "task_dependencies.depends_on_id",
        "a task that depends on itself",
        "task_id = depends_on_id",
        "DELETE FROM task_dependencies",
        "The tasks stay.",
        wrong=False,
    ),
    Rule(
        "tasks.parent_id",
        "a task that is its own parent",
        "parent_id = id",
        "UPDATE tasks SET parent_id = NULL",
        wrong=False,
    ),
)


@dataclass(frozen=True)
class Dates:
    """Columns of a table that hold dates and instants.

    Args:
        table: the table.
        columns: the columns.
        value: what to put in the place of one that cannot be read, as SQL; empty: the right date, which people know.
        wrong: whether it is more than odd.
        kind: as `instants.unread`.
    """

    table: str
    columns: tuple[str, ...]
    value: str = ""
    wrong: bool = False
    kind: str = ""


_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
DATES = (
    # In this order: what is put in the place of the second is the first.
    Dates("task_events", ("recorded_at",), _NOW, wrong=True, kind="needed"),
    Dates("task_events", ("occurred_at",), "recorded_at", wrong=True, kind="needed"),
    Dates("task_events", ("not_before",), "NULL", wrong=True),
    Dates("task_events", ("on_day",), "NULL", wrong=True, kind="day"),
    Dates("dependency_events", ("recorded_at",), _NOW, wrong=True, kind="needed"),
    Dates("dependency_events", ("occurred_at",), "recorded_at", wrong=True, kind="needed"),
    Dates("dependency_events", ("not_before",), "NULL", wrong=True),
    Dates("task_sources", ("gone_at",), "NULL", wrong=True),
    Dates("tasks", ("created_at", "completed_at", "updated_at", "due_at")),
    Dates("projects", ("created_at",)),
    Dates("git_repos", ("created_at",)),
    Dates("git_commits", ("timestamp", "authored_at", "recorded_at")),
    Dates("llm_sessions", ("started_at", "ended_at")),
    Dates("task_commit_links", ("created_at",)),
    Dates("task_session_links", ("created_at",)),
    Dates("runs", ("started_at", "finished_at")),
    Dates("schema_migrations", ("applied_at",)),
)


def fix(where: str) -> str:
    """The statement that mends the values of a column."""
    return next(rule.statement for rule in RULES if rule.where == where)


def reading(where: str) -> str:
    """What the values of a column mean, as SQL to be formatted with its name; empty where nothing is to be read."""
    return _READING.get(where, "")


def odd(where: str) -> str:
    """The SQL condition on values of a column that are not what they may be."""
    return next(rule.which for rule in RULES if rule.where == where)


def find(conn: sqlite3.Connection, today: str, without: Collection[str] = ()) -> Iterator[Found]:
    """Everything that is not what it may be.

    Args:
        conn: the database.
        today: the date, in UTC, as `2025-11-27`.
        without: columns of which nothing is said, each as `table.column`.
    """
    for rule in (rule for rule in RULES if rule.where not in without):
        table, _, column = rule.where.partition(".")
        if column in rows.columns(conn, table) and (count := _count(conn, table, rule.which)):
            remedy = f"Run this SQL: `{rule.statement};`. {rule.advice}".rstrip()
            yield Found(f"{count:,} in {rule.where}: {rule.what}", remedy, rule.wrong)
    yield from _statuses(conn)
    with instants.reader(conn):
        yield from _backwards(conn)
        for dates in DATES:
            # The record of migrations has one of two names; another program may have the usual one.
            table = (tracking.table(conn) or "") if dates.table in tracking.NAMES else dates.table
            here = rows.columns(conn, table)
            for column in (one for one in dates.columns if one in here and f"{table}.{one}" not in without):
                yield from _unread(conn, replace(dates, table=table), column)
        yield from _of_the_future(conn, today)


def _statuses(conn: sqlite3.Connection) -> Iterator[Found]:
    """Statuses in other words than dashkit's, and completed tasks that are not checked."""
    found = statuses.others(conn)
    has_boxes = "checked" in rows.columns(conn, "tasks")
    if found:
        words = (
            f"{sum(one.tasks for one in found):,} in tasks.status: not one of dashkit's words: {statuses.told(found)}"
        )
        lines = list(statuses.advice(found, before=not has_boxes, quote="`"))
        remedy = "Nothing has to be done: they are kept, and such a task is open until it is checked."
        remedy = (
            f"They are kept, and such a task is open until it is checked. As SQL: {' '.join(lines)}"
            if lines
            else remedy
        )
        yield Found(words, remedy, wrong=False)
    left, statement = statuses.unchecked(conn)
    if left and tracking.table(conn):
        have, are, they = ("task has", "is", "it counts") if left == 1 else ("tasks have", "are", "they count")
        words = f"{left:,} {have} the status completed and {are} not checked, so {they} as open"
        yield Found(words, f"If {they.split()[0]} {are} done, run this SQL: `{statement};`.", wrong=False)


def _backwards(conn: sqlite3.Connection) -> Iterator[Found]:
    """Events that can have happened only after the instant at which they had happened."""
    if "not_before" not in rows.columns(conn, "task_events"):
        return
    ids = [
        row[0]
        for row in conn.execute(
            "SELECT event_id FROM (SELECT event_id, "  # noqa: S608 - of ours
            f"{instants.normal('not_before')} AS least, {instants.normal('occurred_at')} AS most FROM task_events "
            f"WHERE not_before IS NOT NULL LIMIT -1) WHERE {instants.at('least')} > {instants.at('most')}"
        )
    ]
    if ids:
        listed = ", ".join(map(str, ids[:_AT_ONCE]))
        remedy = f"Run this SQL: `UPDATE task_events SET not_before = NULL WHERE event_id IN ({listed});`."  # noqa: S608 - numbers
        remedy += " Then look again for the rest." if len(ids) > _AT_ONCE else ""
        told = f"{len(ids):,} in task_events.not_before: later than occurred_at, the instant at which it had happened"
        yield Found(told, remedy, wrong=True)


def _unread(conn: sqlite3.Connection, dates: Dates, column: str) -> Iterator[Found]:
    """What of a column cannot be read as a date; the remedy is for the most usual of such values."""
    unread = instants.unread(conn, dates.table, column, kind=dates.kind)
    if unread is None:
        return
    told = str(replace(unread, column=f"{dates.table}.{column}"))
    which = f"CAST({column} AS TEXT) = {unread.literal}" if unread.is_odd else f"{column} = {unread.literal}"
    which = f"{column} IS NULL OR {which}" if dates.kind == "needed" and unread.example == "" else which
    statement = f"UPDATE {dates.table} SET {column} = {dates.value or _RIGHT} WHERE {which}"  # noqa: S608 - ours
    if dates.value:
        remedy = f"Run this SQL: `{statement};`, and look again: other such values may be left."
    else:
        remedy = "Nothing has to be done: it counts as not known. "
        if tracking.table(conn) is None:
            remedy = "It will count as not known. The easy way is to correct it before the migration. "
        remedy += f"To correct it, put the right date for YYYY-MM-DD into this SQL and run it: `{statement};`. "
        if unread.kinds > 1:
            listing = f"SELECT {column}, count(*) FROM {dates.table} WHERE date({column}) IS NULL GROUP BY 1"  # noqa: S608
            remedy += f"There are {unread.kinds:,} different ones, which this SQL lists: `{listing};`. "
        remedy += "Then look again."
    yield Found(told, remedy, dates.wrong)


def _of_the_future(conn: sqlite3.Connection, today: str) -> Iterator[Found]:
    """Times of tasks that have not come: a typing error, or a plan in the wrong column."""
    here = rows.columns(conn, "tasks")
    for column, which in (("created_at", "TRUE"), ("completed_at", "checked IS TRUE")):
        if column not in here or "checked" not in here:
            continue
        sql = (
            f"SELECT id, said FROM (SELECT id, CAST({column} AS TEXT) AS said, {instants.normal(column)} AS at "  # noqa: S608
            f"FROM tasks WHERE {which} LIMIT -1) WHERE substr(at, 1, 10) > date(:today, '+1 day') ORDER BY id"
        )
        found = conn.execute(sql, {"today": today}).fetchall()
        if found:
            task, said = found[0]
            effect = "the migration or the row's own event" if column == "created_at" else "the event that checked it"
            told = f"{len(found):,} in tasks.{column}: in the future, such as {times.quoted(said)} of task {task}"
            statement = f"UPDATE tasks SET {column} = 'YYYY-MM-DD' WHERE id = {task}"  # noqa: S608 - a number
            remedy = (
                f"It counts at the time of {effect}. "
                f"To correct it, put the right date for YYYY-MM-DD into this SQL and run it: `{statement};`."
            )
            yield Found(told, remedy, wrong=False)


def _count(conn: sqlite3.Connection, table: str, which: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table} WHERE {which}").fetchone()[0])  # noqa: S608 - of RULES
