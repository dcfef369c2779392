"""Version 2.1: history, sources, git and sessions in full, and what keeps the house. Open until the first release."""

from dataclasses import replace

from dashkit.migrations.changes import (
    AddColumn,
    Change,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    Insert,
    Step,
    Version,
)

_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_AWAKE = "coalesce((SELECT suspended FROM event_context), 0) = 0"
_WATCHED = ("project_id", "status", "checked", "blocked_reason", "complexity", "title")
_EVENT = "task_id, occurred_at, recorded_at, op, project_id, status, checked, blocked_reason, complexity, title, source"


def _columns(table: str, *declarations: str) -> tuple[Change, ...]:
    found = []
    for declaration in declarations:
        column, rest = declaration.split(" ", 1)
        text = f"{column} column to {table}"
        change = AddColumn(f"{table}.{column}", f"Add {text}", f"Added {text}", table, column, rest)
        found.append(replace(change, untouched=f"{column} IS NULL"))
    return tuple(found)


def _table(table: str, *lines: str) -> CreateTable:
    return CreateTable(table, f"Create {table} table", f"Created {table} table", table, ", ".join(lines))


def _index(index: str, table: str, columns: str, where: str = "") -> CreateIndex:
    what = f"{table} ({columns})"
    return CreateIndex(index, f"Index {what}", f"Indexed {what}", index, table, columns, where)


def _trigger(trigger: str, table: str, when: str, body: str, purpose: str) -> CreateTrigger:
    return CreateTrigger(
        trigger, f"Watch {purpose}", f"Watching {purpose}", trigger, table, f"{when} ON {table} {body}"
    )


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


def _event(row: str, op: str, values: str) -> str:
    return (
        f"INSERT INTO task_events ({_EVENT}) "
        f"VALUES ({row}.id, {_occurred(f'{row}.id')}, {_NOW}, '{op}', {values}, 'trigger');"
    )


def _dependency(row: str, op: str) -> str:
    return (
        "BEGIN INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source) "
        f"VALUES ({row}.task_id, {row}.depends_on_id, '{op}', {_NOW}, {_NOW}, 'trigger'); END"
    )


def _instant(column: str) -> str:
    """A column of mixed forms as an instant in the stored form; NULL where it is none."""
    # SQLite alone reads more: 'now', a number, the 30th of February. '+0 days' makes it look at the calendar.
    dated = f"date(substr({column}, 1, 10), '+0 days') IS substr({column}, 1, 10)"
    return f"CASE WHEN {dated} THEN min(strftime('%Y-%m-%dT%H:%M:%fZ', {column}), :now) END"


_TASKS = Step(
    "Add task columns for sources",
    (
        *_columns(
            "tasks",
            *["external_id TEXT", "kind TEXT", "parent_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL"],
            "labels TEXT",
        ),
        # Without it each deletion of a task looks through all others for its children.
        _index("idx_tasks_parent_id", "tasks", "parent_id", "parent_id IS NOT NULL"),
    ),
)

_SOURCES = Step(
    "Create task_sources",
    (
        _table(
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
        _table(
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
        _table(
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
        _table("event_context", "id INTEGER PRIMARY KEY CHECK (id = 1)", "suspended INTEGER NOT NULL DEFAULT 0"),
        _index("idx_task_events_task", "task_events", "task_id, occurred_at, event_id"),
        _index("idx_dependency_events_task", "dependency_events", "task_id, occurred_at, event_id"),
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
            "Backfill the arrival of {count} from created_at",
            "Backfilled the arrival of {count} from created_at",
            "task_events",
            "tasks",
            _EVENT,
            f"SELECT id, {_instant('created_at')}, :now, 'backfill', project_id, 'pending', 0, '', '', title, "
            f"'column:created_at' FROM tasks WHERE {_instant('created_at')} IS NOT NULL ORDER BY id",
            "source = 'column:created_at'",
            ("created_at",),
            "tasks",
        ),
        Insert(
            "backfill completions",
            "Backfill the completion of {count} from completed_at",
            "Backfilled the completion of {count} from completed_at",
            "task_events",
            "tasks",
            "task_id, occurred_at, recorded_at, op, status, checked, source",
            f"SELECT id, max({_instant('completed_at')}, coalesce({_instant('created_at')}, '')), :now, 'backfill', "
            f"coalesce(status, ''), 1, 'column:completed_at' FROM tasks "
            f"WHERE checked IS 1 AND {_instant('completed_at')} IS NOT NULL ORDER BY id",
            "source = 'column:completed_at'",
            ("created_at", "completed_at"),
            "tasks",
        ),
        Insert(
            "baseline of tasks",
            "Note the present state of {count}",
            "Noted the present state of {count}",
            "task_events",
            "tasks",
            _EVENT,
            f"SELECT id, :now, :now, 'baseline', {_image('tasks')}, 'baseline' FROM tasks ORDER BY id",
            "source = 'baseline'",
            noun="tasks",
        ),
        Insert(
            "baseline of dependencies",
            "Note {count}",
            "Noted {count}",
            "dependency_events",
            "task_dependencies",
            "task_id, depends_on_id, op, occurred_at, recorded_at, source",
            "SELECT task_id, depends_on_id, 'baseline', :now, :now, 'baseline' FROM task_dependencies "
            "ORDER BY task_id, depends_on_id",
            "source = 'baseline'",
            ("task_id", "depends_on_id"),
            "dependencies",
        ),
    ),
)

_TRIGGERS = Step(
    "Watch changes",
    (
        _trigger(
            "dashkit_task_insert",
            "tasks",
            "AFTER INSERT",
            f"WHEN {_AWAKE} BEGIN {_event('NEW', 'insert', _image('NEW'))} END",
            "new tasks",
        ),
        _trigger(
            "dashkit_task_update",
            "tasks",
            f"AFTER UPDATE OF {', '.join(_WATCHED)}",
            f"WHEN ({' OR '.join(map(_differs, _WATCHED))}) AND {_AWAKE} "
            f"BEGIN {_event('NEW', 'update', _changed())} END",
            "changes of tasks",
        ),
        _trigger(
            "dashkit_task_delete",
            "tasks",
            "AFTER DELETE",
            f"WHEN {_AWAKE} BEGIN {_event('OLD', 'delete', _image('OLD'))} END",
            "deleted tasks",
        ),
        _trigger(
            "dashkit_dependency_insert",
            "task_dependencies",
            "AFTER INSERT",
            f"WHEN {_AWAKE} {_dependency('NEW', 'add')}",
            "new dependencies",
        ),
        _trigger(
            "dashkit_dependency_delete",
            "task_dependencies",
            "AFTER DELETE",
            f"WHEN {_AWAKE} {_dependency('OLD', 'remove')}",
            "dependencies that are lifted",
        ),
    ),
)

_OTHER = "SELECT repo_id FROM git_repo_commits WHERE sha = git_commits.sha AND repo_id <> OLD.id"

_GIT = Step(
    "Extend git",
    (
        *_columns("git_commits", "authored_at TEXT", "is_merge BOOLEAN", "recorded_at TEXT"),
        *_columns("git_repos", "refs TEXT"),
        _table(
            "git_repo_commits",
            "repo_id TEXT NOT NULL REFERENCES git_repos(id) ON DELETE CASCADE",
            "sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE",
            "reachable BOOLEAN NOT NULL DEFAULT TRUE",
            "PRIMARY KEY (repo_id, sha)",
        ),
        _table(
            "git_commit_paths",
            "sha TEXT PRIMARY KEY REFERENCES git_commits(sha) ON DELETE CASCADE",
            "paths TEXT NOT NULL",
        ),
        _index("idx_git_repo_commits_sha", "git_repo_commits", "sha"),
        _trigger(
            "dashkit_repo_delete",
            "git_repos",
            "BEFORE DELETE",
            f"BEGIN UPDATE git_commits SET repo_id = ({_OTHER} LIMIT 1) "
            f"WHERE repo_id = OLD.id AND EXISTS ({_OTHER}); END",
            "deleted repositories: a commit that another one holds goes there",
        ),
    ),
)

_TOKENS = (
    "input_tokens INTEGER",
    "output_tokens INTEGER",
    "cache_write_5m_tokens INTEGER",
    "cache_write_1h_tokens INTEGER",
    "cache_read_tokens INTEGER",
)

_SESSIONS = Step(
    "Extend sessions",
    (
        *_columns(
            "llm_sessions",
            *[
                "tool TEXT",
                "parent_session_id TEXT",
                "active_seconds REAL",
                "prompt_count INTEGER",
                "call_count INTEGER",
            ],
            *["tool_count INTEGER", "subagent_call_count INTEGER", "compaction_count INTEGER"],
            *_TOKENS,
            *["cost_usd REAL", "unpriced_calls INTEGER", "price_table TEXT", "output_complete BOOLEAN", "model TEXT"],
            *["git_branch TEXT", "branch_count INTEGER", "cwd TEXT", "client_version TEXT", "entrypoint TEXT"],
            *["bad_lines INTEGER", "repaired_lines INTEGER", "recorded_at TEXT", "file_gone_at TEXT"],
        ),
        _table(
            "llm_calls",
            "id TEXT PRIMARY KEY",
            "session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE",
            "occurred_at TEXT",
            "model TEXT",
            "branch TEXT",
            "cwd TEXT",
            "is_sidechain BOOLEAN",
            *_TOKENS,
            *["web_searches INTEGER", "speed TEXT", "tier TEXT", "geo TEXT", "cost_usd REAL", "recorded_at TEXT"],
        ),
        _table(
            "session_evidence",
            "session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE",
            "kind TEXT NOT NULL",
            "value TEXT NOT NULL",
            "occurred_at TEXT",
            "PRIMARY KEY (session_id, kind, value)",
        ),
        _table(
            "commit_session_links",
            "id TEXT PRIMARY KEY",
            "commit_sha TEXT NOT NULL REFERENCES git_commits(sha) ON DELETE CASCADE",
            "session_id TEXT NOT NULL REFERENCES llm_sessions(id) ON DELETE CASCADE",
            "confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0)",
            "link_type TEXT NOT NULL",
            "evidence TEXT",
            "created_at TEXT",
            "UNIQUE (commit_sha, session_id)",
        ),
        _index("idx_llm_calls_session_id", "llm_calls", "session_id"),
        _index("idx_commit_session_links_session", "commit_session_links", "session_id"),
    ),
)

_HOUSE = Step(
    "Create what keeps the house",
    (
        _table(
            "ingest_files",
            *["path TEXT PRIMARY KEY", "size INTEGER", "mtime_ns INTEGER", "inode INTEGER", "dev INTEGER"],
            *["offset INTEGER", "tail_digest TEXT", "head_digest TEXT", "bad INTEGER"],
            *["first_seen TEXT", "gone_at TEXT"],
        ),
        _table(
            "link_rejections",
            "task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE",
            "commit_sha TEXT",
            "session_id TEXT",
            "rejected_at TEXT NOT NULL",
            "UNIQUE (task_id, commit_sha, session_id)",
        ),
        _table(
            "settings",
            *["scope TEXT NOT NULL", "key TEXT NOT NULL", "value TEXT", "updated_at TEXT"],
            "PRIMARY KEY (scope, key)",
        ),
        _table(
            "runs",
            *["id TEXT PRIMARY KEY", "kind TEXT NOT NULL", "started_at TEXT NOT NULL"],
            *["finished_at TEXT", "outcome TEXT", "details TEXT"],
        ),
    ),
)

VERSION = Version("2.1", (_TASKS, _SOURCES, _HISTORY, _BASELINE, _TRIGGERS, _GIT, _SESSIONS, _HOUSE))
