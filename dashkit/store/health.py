"""Rows that cannot be: orphans, values out of range, and rows that are not as their history says."""

import sqlite3
from dataclasses import dataclass, replace

from dashkit.store import instants, rows
from dashkit.store.events import OPERATIONS, WATCHED


@dataclass(frozen=True)
class Rule:
    """Values that may not be, or are only odd (not `wrong`): where, in words, what to do, and the SQL that counts."""

    where: str
    what: str
    remedy: str
    sql: str
    wrong: bool = True


_CONFIDENCE = "confidence outside of 0..1"
_EVENT = "an operation that is none"
RULES = (
    Rule(
        "tasks.checked",
        "neither 0 nor 1",
        "Set it to 0 or 1.",
        "SELECT count(*) FROM tasks WHERE checked NOT IN (0, 1)",
    ),
    Rule(
        "tasks.complexity",
        "no size",
        "Set it to S, M, L, XL or NULL.",
        "SELECT count(*) FROM tasks WHERE complexity NOT IN ('S', 'M', 'L', 'XL')",
    ),
    *(
        Rule(f"{table}.confidence", _CONFIDENCE, "Set it to a number from 0 to 1.", sql)
        for table, sql in (
            (
                "task_commit_links",
                "SELECT count(*) FROM task_commit_links WHERE confidence NOT BETWEEN 0 AND 1 OR confidence IS NULL",
            ),
            (
                "task_session_links",
                "SELECT count(*) FROM task_session_links WHERE confidence NOT BETWEEN 0 AND 1 OR confidence IS NULL",
            ),
            (
                "commit_session_links",
                "SELECT count(*) FROM commit_session_links WHERE confidence NOT BETWEEN 0 AND 1 OR confidence IS NULL",
            ),
        )
    ),
    Rule(
        "git_commits.insertions",
        "a count below zero",
        "Read the repository again with `dashkit ingest git`.",
        "SELECT count(*) FROM git_commits WHERE min(files_changed, insertions, deletions) < 0",
    ),
    Rule(
        "task_events.op",
        _EVENT,
        "Delete those events.",
        f"SELECT count(*) FROM task_events WHERE op NOT IN {OPERATIONS}",  # noqa: S608 - words of ours
    ),
    Rule(
        "dependency_events.op",
        _EVENT,
        "Delete those events.",
        "SELECT count(*) FROM dependency_events WHERE op NOT IN ('add', 'remove', 'baseline')",
    ),
    Rule(
        "task_events.not_before",
        "behind the instant at which it had happened",
        "Set it to NULL.",
        "SELECT count(*) FROM (SELECT "  # noqa: S608 - of ours
        f"{instants.normal('not_before')} AS least, {instants.normal('occurred_at')} AS most FROM task_events "
        f"WHERE not_before IS NOT NULL LIMIT -1) WHERE {instants.at('least')} > {instants.at('most')}",
    ),
    Rule(
        "task_sources.image",
        "what no reading of a file has left",
        "Delete those rows of task_sources: the next reading finds the tasks by their titles.",
        "SELECT count(*) FROM task_sources WHERE NOT json_valid(coalesce(image, '{}')) "
        "OR NOT json_valid(coalesce(heading_path, '[]'))",
    ),
    Rule(
        "task_dependencies.depends_on_id",
        "a task that depends on itself",
        "Delete those rows: nothing waits for itself.",
        "SELECT count(*) FROM task_dependencies WHERE task_id = depends_on_id",
        wrong=False,
    ),
    Rule(
        "tasks.parent_id",
        "a task that is its own parent",
        "Set it to NULL.",
        "SELECT count(*) FROM tasks WHERE parent_id = id",
        wrong=False,
    ),
    Rule(
        "tasks.status",
        "in words that are not dashkit's",
        "They are kept, and count as open.",
        "SELECT count(*) FROM tasks WHERE status NOT IN "
        "('pending', 'in_progress', 'review', 'blocked', 'completed', 'cancelled')",
        wrong=False,
    ),
)


@dataclass(frozen=True)
class Dates:
    """Columns of a table that hold dates and instants: what to do about one that cannot be read; `kind` as `unread`."""

    table: str
    columns: tuple[str, ...]
    remedy: str = "It is read as not known; correct it where it matters."
    wrong: bool = False
    kind: str = ""


_DELETE, _UNSET = "Delete those events.", "Set it to NULL."
DATES = (
    Dates("task_events", ("occurred_at", "recorded_at"), _DELETE, wrong=True, kind="needed"),
    Dates("task_events", ("not_before",), _UNSET, wrong=True),
    Dates("task_events", ("on_day",), "Set it to NULL: the instant of the event then counts.", wrong=True, kind="day"),
    Dates("dependency_events", ("occurred_at", "recorded_at"), _DELETE, wrong=True, kind="needed"),
    Dates("dependency_events", ("not_before",), _UNSET, wrong=True),
    Dates("task_sources", ("gone_at",), "Set it to NULL: the next reading says whether the task is there.", wrong=True),
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

# What points where; asked only where the database found in the world declares no such foreign key.
_REFERENCES = (
    ("phases", "project_id", "projects", "id"),
    ("tasks", "project_id", "projects", "id"),
    ("tasks", "phase_id", "phases", "id"),
    ("task_dependencies", "task_id", "tasks", "id"),
    ("task_dependencies", "depends_on_id", "tasks", "id"),
)


def out_of_range(conn: sqlite3.Connection) -> list[tuple[str, str, bool]]:
    """What is not what it may be: in words, what to do, and whether it is wrong or only odd."""
    found = []
    with instants.reader(conn):
        for rule in RULES:
            table, _, column = rule.where.partition(".")
            if column in rows.columns(conn, table) and (count := conn.execute(rule.sql).fetchone()[0]):
                found.append((f"{count:,} in {rule.where}: {rule.what}", rule.remedy, rule.wrong))
        for dates in DATES:
            here = rows.columns(conn, dates.table)
            for column in (column for column in dates.columns if column in here):
                if unread := instants.unread(conn, dates.table, column, kind=dates.kind):
                    told = str(replace(unread, column=f"{dates.table}.{column}"))
                    found.append((told, dates.remedy, dates.wrong))
    return found


def orphans(conn: sqlite3.Connection) -> dict[str, int]:
    """Rows that point nowhere by a column that declares no foreign key: `table.column` -> how many."""
    found = {}
    for table, column, parent, key in _REFERENCES:
        if column not in rows.columns(conn, table) or key not in rows.columns(conn, parent):
            continue
        declared = conn.execute('SELECT lower("from") FROM pragma_foreign_key_list(?)', (table,)).fetchall()
        if (column,) not in declared:
            sql = f"SELECT count(*) FROM {table} AS c WHERE c.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE p.{key} = c.{column})"  # noqa: S608, E501 - of _REFERENCES
            found[f"{table}.{column}"] = int(conn.execute(sql).fetchone()[0])
    return found


def has_history(conn: sqlite3.Connection) -> bool:
    """Whether all tables of the history are there."""
    return all(rows.columns(conn, table) for table in ("task_events", "dependency_events", "event_context"))


def is_at_rest(conn: sqlite3.Connection) -> bool:
    """Whether event_context has its one row, which neither suspends the triggers nor says who makes the changes."""
    actor = "actor" if "actor" in rows.columns(conn, "event_context") else "NULL"
    found = conn.execute(f"SELECT id, suspended, {actor} FROM event_context").fetchall()  # noqa: S608 - one of two
    return found == [(1, 0, None)]


_PRESENT = """
SELECT t.id FROM tasks AS t LEFT JOIN (
    SELECT e.task_id, e.{column} AS value,
           row_number() OVER (PARTITION BY e.task_id ORDER BY e.occurred_at DESC, e.event_id DESC) AS place
    FROM task_events AS e LEFT JOIN ended ON ended.task_id = e.task_id
    WHERE e.{column} IS NOT NULL AND e.event_id > coalesce(ended.event_id, 0)
) AS s ON s.task_id = t.id AND s.place = 1
WHERE CAST(coalesce(t.{column}, {none}) AS TEXT) IS NOT CAST(s.value AS TEXT)
"""
_GONE = """
SELECT task_id FROM (SELECT task_id, op, max(event_id) FROM task_events GROUP BY task_id)
WHERE op <> 'delete' AND task_id NOT IN (SELECT id FROM tasks)
"""
_ENDED = "WITH ended AS (SELECT task_id, max(event_id) AS event_id FROM task_events WHERE op = 'delete' GROUP BY 1)"
_NONE = {"project_id": "NULL", "checked": "0"}  # what stands in a row for the event's word of none; else ''


def unlike_history(conn: sqlite3.Connection) -> tuple[int, int | None]:
    """How many tasks differ from what the last events of their life say, or went without one; and the lowest id."""
    present = [_PRESENT.format(column=column, none=_NONE.get(column, "''")) for column in WATCHED]
    each = " UNION ".join([*present, _GONE])
    row = conn.execute(f"{_ENDED} SELECT count(*), min(id) FROM ({each})").fetchone()  # noqa: S608 - of WATCHED
    return int(row[0]), row[1]


def unlike_dependency_history(conn: sqlite3.Connection) -> int:
    """How many dependencies are there after a last event of `remove` or none, or are not there after any other."""
    if not rows.columns(conn, "task_dependencies"):
        return 0
    sql = """
        WITH last AS (
            SELECT task_id, depends_on_id, op, max(event_id) FROM dependency_events GROUP BY task_id, depends_on_id
        ), said AS (SELECT task_id, depends_on_id FROM last WHERE op <> 'remove')
        SELECT (SELECT count(*) FROM (SELECT * FROM said EXCEPT SELECT task_id, depends_on_id FROM task_dependencies))
             + (SELECT count(*) FROM (SELECT task_id, depends_on_id FROM task_dependencies EXCEPT SELECT * FROM said))
        """
    return int(conn.execute(sql).fetchone()[0])


def recorded_backups(conn: sqlite3.Connection) -> list[str]:
    """The backups that migrations recorded: a name beside the database, or a path."""
    if "backup" not in rows.columns(conn, "schema_migrations"):
        return []
    sql = "SELECT DISTINCT backup FROM schema_migrations WHERE typeof(backup) = 'text' AND backup <> '' ORDER BY backup"
    return [name for (name,) in conn.execute(sql)]
