"""The nine functions of version 2.0, each run for real on a copy that is thrown away."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dashkit import connection, database
from dashkit.errors import DashkitError
from dashkit.records import Check

_SHA, _SESSION = "0" * 40, "dashkit-verification"


def run(path: Path, folder: Path) -> list[Check]:
    """Run all nine on `path`, a copy; one check each, with what came back in words."""
    try:
        with closing(connection.connect(path)) as conn:
            task, project = _task(conn)
            _add_commit_and_session(conn, project)
    except sqlite3.Error as error:  # a trigger or a condition of theirs
        return [Check("all nine", ok=False, found=f"could not be tried: {error}")]
    trials: dict[str, Callable[[], str]] = {
        "init_database_v2": lambda: _fresh(folder / "fresh.db"),
        "get_blocked_tasks": lambda: f"{len(database.get_blocked_tasks(db=path)):,} blocked tasks",
        "get_project_progress": lambda: _progress(path, project),
        "get_task_links": lambda: _links(path, task),
        "get_recent_activity": lambda: f"{len(database.get_recent_activity(limit=5, db=path))} of at most 5 items",
        "update_task_checked": lambda: _check_and_uncheck(path, task),
        "create_task_commit_link": lambda: database.create_task_commit_link(task, _SHA, db=path) and "linked",
        "create_task_session_link": lambda: database.create_task_session_link(task, _SESSION, db=path) and "linked",
        "check_v2_migration_status": lambda: _ready(path),
    }
    return [_try(name, trial) for name, trial in trials.items()]


def _try(name: str, trial: Callable[[], str]) -> Check:
    try:
        return Check(f"{name}()", ok=True, found=trial())
    except (DashkitError, sqlite3.Error, LookupError, ValueError) as error:
        return Check(f"{name}()", ok=False, found=f"{type(error).__name__}: {error}")


def _task(conn: sqlite3.Connection) -> tuple[int, int]:
    """A task and a project to run them on, its own where any task has one; where there is none it is made up."""
    both: tuple[int, int] | None = conn.execute(
        "SELECT t.id, p.id FROM tasks AS t JOIN projects AS p ON p.id = t.project_id ORDER BY t.id LIMIT 1"
    ).fetchone()
    if both is not None:
        return both
    project = _first(conn, "projects")
    if project is None:
        project = _make_up(conn, "projects", {"name": "verification"})
    task = _first(conn, "tasks")
    if task is None:
        task = _make_up(conn, "tasks", {"project_id": project, "title": "verification", "status": "pending"})
    return task, project


def _first(conn: sqlite3.Connection, table: str) -> int | None:
    found: int | None = conn.execute(f"SELECT min(id) FROM {table}").fetchone()[0]
    return found


def _make_up(conn: sqlite3.Connection, table: str, values: dict[str, object]) -> int:
    """Insert a row, with a value for each column of theirs that demands one; its id."""
    demanding = 'SELECT name FROM pragma_table_info(?) WHERE "notnull" AND dflt_value IS NULL AND NOT pk'
    row = {name: "0" for (name,) in conn.execute(demanding, (table,))} | values
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in row)
    marks = ", ".join("?" * len(row))
    made = conn.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])
    return made.lastrowid or 0


def _add_commit_and_session(conn: sqlite3.Connection, project: int) -> None:
    """Links need something to point to; here it is made up, in the copy."""
    conn.execute("INSERT INTO git_repos (id, project_id, path) VALUES ('verification', ?, 'verification')", (project,))
    conn.execute("INSERT INTO git_commits (sha, repo_id, message) VALUES (?, 'verification', 'a commit')", (_SHA,))
    conn.execute("INSERT INTO llm_sessions (id, project_id) VALUES (?, ?)", (_SESSION, project))


def _fresh(path: Path) -> str:
    database.init_database_v2(path)
    return f"a fresh database; ready: {database.check_v2_migration_status(path)['ready']}"


def _progress(path: Path, project: int) -> str:
    found = database.get_project_progress(project, db=path)
    percent = "no tasks" if found["completion_pct"] is None else f"{found['completion_pct']} %"
    return f"project {project}: {percent} ({found['checked_tasks']:,} of {found['total_tasks']:,} checked)"


def _links(path: Path, task: int) -> str:
    found = database.get_task_links(task, db=path)
    return f"task {task}: {len(found['commits'])} commits, {len(found['sessions'])} sessions"


def _check_and_uncheck(path: Path, task: int) -> str:
    done = [database.update_task_checked(task, checked, db=path) for checked in (True, False)]
    if done != [True, True]:
        raise LookupError(f"task {task} was not found")
    return f"task {task} checked and unchecked"


def _ready(path: Path) -> str:
    found = database.check_v2_migration_status(path)
    if not found["ready"]:
        raise LookupError(f"pending: {', '.join(found['pending'])}")
    return f"ready, {len(found) - 2} features present"
