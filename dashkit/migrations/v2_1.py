"""Version 2.1: history, sources, git and sessions in full, and what keeps the house. Open until the first release."""

from dataclasses import replace

from dashkit.migrations import backfill, earlier
from dashkit.migrations.changes import CreateTrigger, Step, Version
from dashkit.migrations.declarations import columns, index, table, trigger
from dashkit.migrations.fills import Dated, Insert
from dashkit.migrations.v2_1_ingest import GIT, HOUSE, SESSIONS
from dashkit.store.rows import DEPENDENCY, WHOLE

_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_AWAKE = "coalesce((SELECT suspended FROM event_context), 0) = 0"
_WATCHED = ("project_id", "status", "checked", "blocked_reason", "complexity", "title")
_SAID = ("created_at", "completed_at")
_TURNS_ON = "NEW.checked IS TRUE AND OLD.checked IS NOT TRUE"
_EVENT = "task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source"


def _occurred(task: str) -> str:
    """Now, or the task's last event where the clock has stepped back: order is never undone."""
    last = f"(SELECT max(occurred_at) FROM task_events WHERE task_id = {task})"
    return f"max({_NOW}, coalesce({last}, ''))"


def _image(row: str) -> str:
    """Every watched value of a row, with '' for none: NULL means as before."""
    unset = {**dict.fromkeys(("status", "blocked_reason", "complexity", "title"), "''"), "checked": "0"}
    return ", ".join(f"coalesce({row}.{one}, {unset[one]})" if one in unset else f"{row}.{one}" for one in _WATCHED)


def _differs(one: str) -> str:
    """Whether a column changed, to the byte: a column found in the world may have a collation that knows no case."""
    return f"OLD.{one} IS NOT NEW.{one} COLLATE BINARY"


def _changed() -> str:
    return ", ".join(
        f"CASE WHEN {_differs(one)} THEN "
        + (f"NEW.{one}" if one == "project_id" else f"coalesce(NEW.{one}, {0 if one == 'checked' else repr('')})")
        + " END"
        for one in _WATCHED
    )


def _said(row: str, when: str = "") -> str:
    """What a row says of its own times, as text: who reads the history judges it, a trigger never does."""
    texts = (f"CAST({row}.{column} AS TEXT)" for column in _SAID)
    return ", ".join(f"CASE WHEN {when} THEN {text} END" if when else text for text in texts)


def _event(row: str, op: str, values: str, said: str) -> str:
    return (
        f"INSERT INTO task_events ({_EVENT}, actor, said_created_at, said_completed_at) "
        f"VALUES ({row}.id, {_occurred(f'{row}.id')}, {_NOW}, '{op}', {values}, 'trigger', "
        f"(SELECT actor FROM event_context), {said});"
    )


def _watch(name: str, when: str, body: str, purpose: str) -> CreateTrigger:
    """A trigger on tasks; a table that another program made need not say its times.

    Where its `id` is no row id, such as `INT PRIMARY KEY`, a row without one may be written as before, and has no
    history.
    """
    return replace(trigger(name, "tasks", when, body, purpose), optional=_SAID, replaces=earlier.WORDS[name])


def _watch_dependencies(name: str, when: str, row: str, op: str, purpose: str) -> CreateTrigger:
    """A trigger on task_dependencies; a row that another program left half empty is no dependency."""
    body = (
        f"WHEN {_AWAKE} AND {row}.task_id IS NOT NULL AND {row}.depends_on_id IS NOT NULL "
        "BEGIN INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source) "
        f"VALUES ({row}.task_id, {row}.depends_on_id, '{op}', {_NOW}, {_NOW}, 'trigger'); END"
    )
    made = trigger(name, "task_dependencies", when, body, purpose)
    return replace(made, wanted=DEPENDENCY, replaces=earlier.WORDS[name])


_TASKS = Step(
    "Add task columns for sources",
    (
        *columns("tasks", "external_id TEXT", given=("TASK-12", None)),
        *columns("tasks", "kind TEXT", given=("task", None)),
        *columns(
            "tasks",
            "parent_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL",
            legal=WHOLE.format("parent_id"),
            given=(1, None),
        ),
        *columns("tasks", "labels TEXT", of_any_type=True, given=('["a label"]', None)),  # JSON is no number in any
        # These are only read, as text, and other programs like to use their names too.
        *columns("tasks", "assignee TEXT", "due_at TEXT", "milestone TEXT", of_any_type=True),
        # Without it each deletion of a task looks through all others for its children.
        index("idx_tasks_parent_id", "tasks", "parent_id", "parent_id IS NOT NULL"),
    ),
)

_SOURCES = Step(
    "Create task_sources",
    (
        table(
            "task_sources",
            "task_id INTEGER PRIMARY KEY REFERENCES tasks(id) ON DELETE CASCADE",
            "source TEXT NOT NULL",
            "external_id TEXT",
            "heading_path TEXT",
            "title_norm TEXT",
            "ordinal INTEGER",
            "image TEXT",
            "seen_at TEXT",
            "gone_at TEXT",
        ),
    ),
)

_HISTORY = Step(
    "Create the history",
    (
        table(
            "task_events",
            "event_id INTEGER PRIMARY KEY",
            "task_id INTEGER NOT NULL",  # no foreign key: events outlive their task
            "occurred_at TEXT NOT NULL",
            "recorded_at TEXT NOT NULL",
            "not_before TEXT",
            "op TEXT NOT NULL",
            "project_id INTEGER",
            "status TEXT",
            "checked BOOLEAN",
            "blocked_reason TEXT",
            "complexity TEXT",
            "title TEXT",
            "source TEXT",
        ),
        *columns("task_events", "actor TEXT", "on_day TEXT", "said_created_at TEXT", "said_completed_at TEXT"),
        table(
            "dependency_events",
            "event_id INTEGER PRIMARY KEY",
            "task_id INTEGER NOT NULL",
            "depends_on_id INTEGER NOT NULL",
            "op TEXT NOT NULL",
            "occurred_at TEXT NOT NULL",
            "recorded_at TEXT NOT NULL",
            "not_before TEXT",
            "source TEXT",
        ),
        table("event_context", "id INTEGER PRIMARY KEY CHECK (id = 1)", "suspended INTEGER NOT NULL DEFAULT 0"),
        *columns("event_context", "actor TEXT"),
        index("idx_task_events_task", "task_events", "task_id, occurred_at, event_id"),
        # The newest events of a kind, without a look at all others.
        index("idx_task_events_op", "task_events", "op, checked, occurred_at"),
        index("idx_dependency_events_task", "dependency_events", "task_id, occurred_at, event_id"),
    ),
)

_BASELINE = Step(
    "Begin the history",
    (
        Insert(
            "event_context at rest",
            "Set event_context to rest",
            "Set event_context to rest",
            "event_context",
            "sqlite_master",
            "id, suspended",
            "VALUES (1, 0)",
            "TRUE",
        ),
        Insert(
            "backfill arrivals",
            "Record when {count} were created, from created_at",
            "Recorded when {count} were created, from created_at",
            "task_events",
            "tasks",
            f"{_EVENT}, on_day",
            backfill.ARRIVALS,
            "source = 'column:created_at'",
            noun="tasks",
            dates=_SAID,
            dated=Dated(
                "created_at", "TRUE", "these tasks will count from the day of the migration, or of their completion"
            ),
        ),
        Insert(
            "backfill completions",
            "Record when {count} were completed, from completed_at",
            "Recorded when {count} were completed, from completed_at",
            "task_events",
            "tasks",
            "task_id, occurred_at, recorded_at, op, status, checked, source, on_day",
            backfill.COMPLETIONS,
            "source = 'column:completed_at'",
            noun="tasks",
            dates=_SAID,
            dated=Dated("completed_at", "checked IS 1", "these completions will have no date"),
        ),
        Insert(
            "baseline of tasks",
            "Record today's state of {count}",
            "Recorded today's state of {count}",
            "task_events",
            "tasks",
            _EVENT,
            f"SELECT id, :now, :now, 'baseline', {_image('tasks')}, 'baseline' FROM tasks ORDER BY id",
            "source = 'baseline'",
            noun="tasks",
        ),
        Insert(
            "baseline of dependencies",
            "Record {count} of today",
            "Recorded {count} of today",
            "dependency_events",
            "task_dependencies",
            "task_id, depends_on_id, op, occurred_at, recorded_at, source",
            "SELECT task_id, depends_on_id, 'baseline', :now, :now, 'baseline' FROM task_dependencies "
            "WHERE task_id IS NOT NULL AND depends_on_id IS NOT NULL ORDER BY task_id, depends_on_id",
            "source = 'baseline'",
            DEPENDENCY,
            "dependencies",
        ),
    ),
)

_TRIGGERS = Step(
    "Watch changes",
    (
        _watch(
            "dashkit_task_insert",
            "AFTER INSERT",
            f"WHEN {_AWAKE} AND NEW.id IS NOT NULL BEGIN {_event('NEW', 'insert', _image('NEW'), _said('NEW'))} END",
            "new tasks",
        ),
        _watch(
            "dashkit_task_update",
            f"AFTER UPDATE OF {', '.join(_WATCHED)}",
            f"WHEN ({' OR '.join(map(_differs, _WATCHED))}) AND {_AWAKE} AND NEW.id IS NOT NULL "
            f"BEGIN {_event('NEW', 'update', _changed(), _said('NEW', _TURNS_ON))} END",
            "changes of tasks",
        ),
        _watch(
            "dashkit_task_delete",
            "AFTER DELETE",
            f"WHEN {_AWAKE} AND OLD.id IS NOT NULL BEGIN {_event('OLD', 'delete', _image('OLD'), _said('OLD'))} END",
            "deleted tasks",
        ),
        _watch_dependencies("dashkit_dependency_insert", "AFTER INSERT", "NEW", "add", "new dependencies"),
        _watch_dependencies("dashkit_dependency_delete", "AFTER DELETE", "OLD", "remove", "removed dependencies"),
    ),
)

_STEPS = (_TASKS, _SOURCES, _HISTORY, _BASELINE, _TRIGGERS, GIT, SESSIONS, HOUSE)
VERSION = Version("2.1", _STEPS, earlier.MOVES, earlier.CHECKSUMS)
