"""A sound database, and ways to spoil it: what another program, a tool or a disk leaves behind."""

import atexit
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from builders import query, v1_database
from content import alter

from dashkit import database, migrations

UNCHECKED = "PRAGMA ignore_check_constraints = ON"
ASLEEP = "UPDATE event_context SET suspended = 1"
AWAKE = "UPDATE event_context SET suspended = 0"
Spoil = Callable[[Path], None]


def sound(path: Path) -> Path:
    """A small database that was migrated to the newest version, with its backup beside it."""
    for file in _template().iterdir():
        shutil.copy(file, path.with_name(file.name.replace("dash.", f"{path.stem}.", 1)))
    alter(path, "UPDATE schema_migrations SET backup = replace(backup, 'dash.', '" + f"{path.stem}.')")
    return path


@cache
def _template() -> Path:
    """Made once: a migration takes longer than most tests."""
    folder = Path(tempfile.mkdtemp(prefix="dashkit-sound-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tasks = [{"status": "completed", "title": "done"}, {"title": "open"}, {"title": "more"}]
    made = v1_database(folder / "dash.db", tasks=tasks)
    alter(made, "INSERT INTO task_dependencies VALUES (2, 1)")
    migrations.execute(made)
    return folder


@dataclass(frozen=True)
class Fault:
    """How a sound database is spoilt, and what is then found: check -> (state, how it begins).

    Args:
        spoil: statements, or a function of the path.
        found: what `dashkit doctor` finds, and nothing else.
        stays: the checks whose finding stays, as its remedy is in somebody's hands; by what is done in the test.
    """

    spoil: tuple[str, ...] | Spoil
    found: dict[str, tuple[str, str]]
    stays: frozenset[str] = field(default=frozenset())

    def apply(self, path: Path) -> None:
        """Spoil the database."""
        if callable(self.spoil):
            self.spoil(path)
        else:
            alter(path, *self.spoil)


def fault(*spoil: str | Spoil, stays: tuple[str, ...] = (), **found: str) -> Fault:
    """A fault; `found` are findings by their check, with _ for a blank, as `wrong: ...` or `note: ...`."""
    told = {}
    for check, text in found.items():
        state, _, words = text.partition(": ")
        told[check.replace("_", " ") if check != "event_context" else check] = (state, words)
    first = spoil[0]
    return Fault(first if callable(first) else tuple(map(str, spoil)), told, frozenset(stays))


def rebuilt(table: str, *changes: tuple[str, str], keep: bool = True) -> Spoil:
    """Another program made a table anew: its text with some parts replaced, and none of its triggers and indexes."""

    def spoil(path: Path) -> None:
        ((sql,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = ?", table)
        made = re.sub(rf'^CREATE TABLE "?{table}"?', "CREATE TABLE made_anew", sql)
        for old, new in changes:
            assert old in made, f"{old} is not in {made}"
            made = made.replace(old, new)
        beside = query(
            path, "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type <> 'table' AND sql IS NOT NULL", table
        )
        alter(
            path,
            "PRAGMA legacy_alter_table = ON",
            made,
            f"INSERT INTO made_anew SELECT * FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE made_anew RENAME TO {table}",
            *(statement for (statement,) in beside if keep),
        )

    return spoil


def put_aside(table: str, aside: str, *, drop: bool = True, before: tuple[str, ...] = ()) -> Spoil:
    """Another program renamed a table, made it anew and copied the rows: what names the table followed the rename."""

    def spoil(path: Path) -> None:
        alter(path, *before)
        ((sql,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = ?", table)
        alter(
            path,
            f"ALTER TABLE {table} RENAME TO {aside}",
            sql,
            f"INSERT INTO {table} SELECT * FROM {aside}",
            *([f"DROP TABLE {aside}"] if drop else []),
        )

    return spoil


def after(*steps: str | Spoil) -> Spoil:
    """Several ways to spoil it, one after the other."""

    def spoil(path: Path) -> None:
        for step in steps:
            if callable(step):
                step(path)
            else:
                alter(path, step)

    return spoil


def damaged(name: str) -> Spoil:
    """A page of a table or an index is overwritten by a failing disk."""

    def spoil(path: Path) -> None:
        ((page, size),) = query(
            path,
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = ?",
            name,
        )
        with path.open("r+b") as file:
            file.seek(page * size - size // 2)
            file.write(b"x" * (size // 2))

    return spoil


def linked(path: Path) -> None:
    """A commit that belongs to task 1, and one that is linked with it by hand."""
    alter(
        path,
        "INSERT INTO git_repos (id, project_id, path) VALUES ('r', 1, '/r')",
        "INSERT INTO git_commits (sha, repo_id, message) VALUES ('c0ffee', 'r', 'm')",
        "INSERT INTO git_repo_commits (repo_id, sha) VALUES ('r', 'c0ffee')",
        "INSERT INTO llm_sessions (id, project_id) VALUES ('s', 1)",
    )
    database.create_task_commit_link(1, "c0ffee", db=path)


def saved_again(*tasks: int, recursive: bool = False, by: str = "INSERT OR REPLACE INTO") -> Spoil:
    """A program of version 1, with foreign keys enforced, saves tasks whole, and knows no later column."""

    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA foreign_keys = ON")
            conn.execute(f"PRAGMA recursive_triggers = {int(recursive)}")
            names = "id, project_id, phase_id, title, description, status, priority, created_at, completed_at"
            for task in tasks:
                row = conn.execute(f"SELECT {names} FROM tasks WHERE id = ?", (task,)).fetchone()
                if by.startswith("DELETE"):
                    conn.execute("DELETE FROM tasks WHERE id = ?", (task,))
                verb = "INSERT INTO" if by.startswith("DELETE") else by
                conn.execute(f"{verb} tasks ({names}) VALUES ({', '.join('?' * len(row))})", row)

    return spoil


def replaced_project(path: Path) -> None:
    """A program of version 1, with foreign keys enforced, saves a project whole: its tasks go with the old row."""
    names = "id, name, description, status, created_at"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute(f"INSERT OR REPLACE INTO projects ({names}) SELECT {names} FROM projects WHERE id = 1")


def said(path: Path) -> None:
    """What people say of tasks: 1 is big, 2 is blocked, 3 is done, as is 1."""
    linked(path)
    database.set_task_complexity(1, "L", db=path)
    database.set_task_blocked(2, "waits for Ann's `key`", db=path)
    database.update_task_checked(3, True, db=path)


def torn_backup(path: Path) -> None:
    """The backup on record was cut short."""
    ((name,),) = query(path, "SELECT DISTINCT backup FROM schema_migrations")
    path.with_name(name).write_bytes(b"SQLite format 3\0" + bytes(40))


def gone_backup(path: Path) -> None:
    """The backup on record was deleted."""
    ((name,),) = query(path, "SELECT DISTINCT backup FROM schema_migrations")
    path.with_name(name).unlink()


def left_over(path: Path) -> None:
    """A run that was stopped left a half-made backup."""
    path.with_name(f".{path.stem}.backup_20251127_120000_0009.db.4711.partial").write_bytes(b"")


_CHECK = "complexity TEXT CHECK (complexity IS NULL OR complexity IN ('S', 'M', 'L', 'XL'))"
_LINK = (
    "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type) "
    "VALUES ('{}', {}, '{}', {}, 'manual')"
)
_COLUMNS = "id, task_id, commit_sha, confidence, link_type, evidence, created_at"
_CHECK_GONE = "wrong: tasks.complexity has lost its CHECK"

FAULTS = {
    # What the database is made of.
    "a trigger": fault("DROP TRIGGER dashkit_task_update", triggers="wrong: gone: dashkit_task_update"),
    "an index": fault("DROP INDEX idx_tasks_checked", schema="wrong: missing: idx_tasks_checked"),
    "a table": fault("DROP TABLE runs", schema="wrong: missing: runs"),
    "a table that others name": fault(
        "DROP TABLE llm_sessions",
        schema="wrong: missing: llm_sessions",
    ),
    "a record": fault(
        "DELETE FROM schema_migrations WHERE name = 'runs'", records="note: there but not recorded: runs"
    ),
    "an index that is damaged": fault(damaged("idx_task_events_op"), integrity="wrong: *** in database main ***"),
    "another index of our name": fault(
        "DROP INDEX idx_tasks_checked",
        "CREATE INDEX idx_tasks_checked ON tasks (title)",
        in_the_way="wrong: an index named idx_tasks_checked exists already",
    ),
    "a view of our name": fault(
        "DROP TABLE runs",
        "CREATE VIEW runs AS SELECT 1 AS one",
        in_the_way="wrong: the name runs is taken by a view",
    ),
    "a trigger of our name": fault(
        "DROP TRIGGER dashkit_task_insert",
        "CREATE TRIGGER dashkit_task_insert AFTER INSERT ON tasks BEGIN SELECT 1; END",
        in_the_way="wrong: another trigger named dashkit_task_insert exists already",
        triggers="wrong: not as they should be: dashkit_task_insert",
    ),
    "our trigger, cut short": fault(
        "DROP TRIGGER dashkit_task_insert",
        "CREATE TRIGGER dashkit_task_insert AFTER INSERT ON tasks BEGIN INSERT INTO task_events "
        "(task_id, occurred_at, recorded_at, op) VALUES (NEW.id, 'now', 'now', 'insert'); END",
        in_the_way="wrong: another trigger named dashkit_task_insert exists already",
        triggers="wrong: not as they should be: dashkit_task_insert",
    ),
    "a table without its key": fault(
        rebuilt("task_events", ("event_id INTEGER PRIMARY KEY", "event_id INTEGER")),
        in_the_way="wrong: a table task_events exists already, without the unique key (event_id)",
    ),
    "a generated column": fault(
        "DROP TRIGGER dashkit_task_insert",
        "DROP TRIGGER dashkit_task_update",
        "DROP TRIGGER dashkit_task_delete",
        "DROP INDEX idx_tasks_checked",
        "ALTER TABLE tasks RENAME COLUMN checked TO was_checked",
        "ALTER TABLE tasks ADD COLUMN checked BOOLEAN AS (was_checked)",
        in_the_way="wrong: tasks.checked is a generated column",
        triggers="wrong: gone",
        schema="wrong: missing: idx_tasks_checked",
    ),
    # Names of tables.
    "tasks put aside": fault(
        put_aside("tasks", "tasks_old"),
        triggers="wrong: gone",
        schema="wrong: missing",
        names="wrong: foreign keys of task_dependencies, task_commit_links, task_session_links, task_sources, "
        "link_rejections point to the table tasks_old, which is not there: tasks is meant",
    ),
    "tasks put aside and kept": fault(
        put_aside("tasks", "old_tasks", drop=False, before=("PRAGMA foreign_keys = OFF",)),
        in_the_way="wrong: an index named idx_tasks_checked exists already, on old_tasks(checked);",
        triggers="wrong: not as they should be: dashkit_task_insert, dashkit_task_update, dashkit_task_delete",
        names="wrong: foreign keys of task_dependencies, task_commit_links, task_session_links, task_sources, "
        "link_rejections point to the table old_tasks, which another program put aside and kept: tasks is meant",
    ),
    "the history put aside": fault(
        put_aside("task_events", "task_events_bak2"),
        schema="wrong: missing: idx_task_events_task, idx_task_events_op",
        names="wrong: the trigger dashkit_task_insert, the trigger dashkit_task_update, the trigger "
        "dashkit_task_delete point to the table task_events_bak2, which is not there: task_events is meant",
    ),
    "a view of the user's behind a table put aside": fault(
        put_aside(
            "tasks",
            "_tasks_old",
            before=(
                "CREATE VIEW mine AS SELECT id FROM tasks",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES tasks (id))",
                "INSERT INTO notes VALUES (1, 2)",
                "CREATE TRIGGER noted AFTER INSERT ON notes BEGIN UPDATE tasks SET title = 'x' WHERE 0; END",
            ),
        ),
        triggers="wrong: gone",
        schema="wrong: missing",
        names="wrong: foreign keys of task_dependencies, task_commit_links, task_session_links, task_sources, "
        "link_rejections, notes and the view mine, the trigger noted point to the table _tasks_old",
    ),
    "a trigger that writes to nothing": fault(
        "CREATE TRIGGER audited AFTER UPDATE ON tasks BEGIN INSERT INTO audit VALUES (NEW.id); END",
        names="wrong: the trigger audited points to the table audit, which is not there",
    ),
    "a view of nothing": fault(
        "CREATE VIEW mine AS SELECT * FROM elsewhere",
        names="note: the view mine points to the table elsewhere, which is not there",
    ),
    "no phases": fault("DROP TABLE phases", names="wrong: a foreign key of tasks points to the table phases"),
    # What was taken away from tables of ours.
    "a CHECK": fault(rebuilt("tasks", (_CHECK, "complexity TEXT")), declarations=_CHECK_GONE),
    "a CHECK, and a size that breaks it": fault(
        after(rebuilt("tasks", (_CHECK, "complexity TEXT")), "UPDATE tasks SET complexity = 'huge' WHERE id = 2"),
        declarations=_CHECK_GONE,
        values="wrong: 1 in tasks.complexity: not one of S, M, L, XL",
    ),
    "a CHECK of links": fault(
        rebuilt("task_commit_links", (" CHECK (confidence BETWEEN 0.0 AND 1.0)", "")),
        declarations="wrong: task_commit_links.confidence has lost its CHECK (confidence BETWEEN 0.0 AND 1.0): it may "
        "hold other values, such as -1",
    ),
    "a default": fault(
        rebuilt("tasks", ("checked BOOLEAN DEFAULT FALSE", "checked BOOLEAN DEFAULT 'FALSE'")),
        declarations="wrong: tasks.checked has lost its DEFAULT FALSE: rows that another program adds have 'FALSE' in",
    ),
    "a NOT NULL": fault(
        rebuilt("git_repos", ("path TEXT NOT NULL", "path TEXT")),
        declarations="wrong: git_repos.path has lost its NOT NULL: it may be empty",
    ),
    "a NOT NULL, and rows without": fault(
        after(
            rebuilt("git_repos", ("path TEXT NOT NULL", "path TEXT")),
            "INSERT INTO git_repos (id, project_id) VALUES ('r', 1)",
        ),
        declarations="wrong: git_repos.path has lost its NOT NULL: it may be empty; 1 row already breaks it",
    ),
    "a UNIQUE": fault(
        rebuilt("task_commit_links", (", UNIQUE (task_id, commit_sha)", "")),
        declarations="wrong: task_commit_links has lost its UNIQUE (task_id, commit_sha): the same can be there twice",
    ),
    "a UNIQUE, and doubles": fault(
        after(
            linked,
            rebuilt("task_commit_links", (", UNIQUE (task_id, commit_sha)", "")),
            f"INSERT INTO task_commit_links ({_COLUMNS}) SELECT 'again', {_COLUMNS[4:]} FROM task_commit_links",
        ),
        declarations="wrong: task_commit_links has lost its UNIQUE (task_id, commit_sha): the same can be there twice; "
        "1 row already breaks it",
    ),
    "a primary key": fault(
        rebuilt("git_commits", ("sha TEXT PRIMARY KEY", "sha TEXT")),
        declarations="wrong: git_commits has lost its UNIQUE (sha)",
    ),
    "the key of the record": fault(
        after(
            "CREATE TABLE anew AS SELECT * FROM schema_migrations",
            "DROP TABLE schema_migrations",
            "ALTER TABLE anew RENAME TO schema_migrations",
        ),
        declarations="wrong: schema_migrations.applied_at has lost its NOT NULL",
    ),
    "the key of the record, and doubles": fault(
        after(
            rebuilt("schema_migrations", (", PRIMARY KEY (version, name)", "")),
            "INSERT INTO schema_migrations SELECT * FROM schema_migrations",
        ),
        declarations="wrong: schema_migrations has lost its UNIQUE (version, name): the same can be there twice; ",
    ),
    "a foreign key": fault(
        rebuilt("git_commits", (" REFERENCES git_repos(id) ON DELETE CASCADE", "")),
        declarations="wrong: git_commits.repo_id has lost its REFERENCES git_repos(id) ON DELETE CASCADE: it may name "
        "a row of git_repos that is not there",
    ),
    "a foreign key, and orphans": fault(
        after(
            rebuilt("git_commits", (" REFERENCES git_repos(id) ON DELETE CASCADE", "")),
            "INSERT INTO git_commits (sha, repo_id) VALUES ('s', 'none')",
        ),
        declarations="wrong: git_commits.repo_id has lost its REFERENCES git_repos(id) ON DELETE CASCADE: it may name "
        "a row of git_repos that is not there; 1 row already breaks it",
        foreign_keys="wrong: rows that name a row which is not there: git_commits.repo_id (1)",
    ),
    "an ON DELETE of version 1": fault(
        after(
            rebuilt(
                "tasks",
                (" NOT NULL REFERENCES projects(id) ON DELETE CASCADE", " NOT NULL REFERENCES projects(id)"),
                (" REFERENCES phases(id) ON DELETE SET NULL", ""),
            ),
            rebuilt("task_dependencies", (" ON DELETE CASCADE", "")),
        ),
        declarations="wrong: tasks.phase_id has lost its REFERENCES phases(id) ON DELETE SET NULL: it may name a row "
        "of phases that is not there; tasks.project_id has lost its ON DELETE CASCADE: a row of projects that is named "
        "here cannot be deleted where foreign keys are enforced; task_dependencies.depends_on_id has lost its ON",
    ),
    "an ON DELETE": fault(
        rebuilt("tasks", ("REFERENCES tasks(id) ON DELETE SET NULL", "REFERENCES tasks(id)")),
        declarations="wrong: tasks.parent_id has lost its ON DELETE SET NULL",
    ),
    "another ON DELETE": fault(
        rebuilt(
            "task_commit_links", ("REFERENCES tasks(id) ON DELETE CASCADE", "REFERENCES tasks(id) ON DELETE SET NULL")
        ),
        declarations="wrong: task_commit_links.task_id has lost its ON DELETE CASCADE: when a row of tasks is deleted, "
        "it does SET NULL",
    ),
    "a column": fault(
        "ALTER TABLE runs DROP COLUMN details",
        declarations="wrong: runs has lost its column details TEXT: what was in it is in the backups alone",
    ),
    "other words": fault(
        rebuilt(
            "tasks",
            (_CHECK, "complexity TEXT CONSTRAINT sized CHECK (\"complexity\" IN ('XL', 'L', 'M', 'S'))"),
        ),
        declarations="note: tasks.complexity is declared in other words than dashkit's",
    ),
    "a stricter condition": fault(
        rebuilt("tasks", ("'L', 'XL'))", "'L'))")),
        declarations="note: tasks.complexity refuses 'XL' by a condition that is not dashkit's",
    ),
    # What the tables hold.
    "a condition of the user's": fault(
        after(
            rebuilt("tasks", ("priority TEXT", "priority TEXT CHECK (priority <> 'urgent')")),
            lambda path: _unchecked(path, "UPDATE tasks SET priority = 'urgent' WHERE id = 2"),
        ),
        conditions="wrong: CHECK constraint failed in tasks",
        stays=("conditions",),
    ),
    "an orphan": fault(
        "INSERT INTO git_commits (sha, repo_id) VALUES ('s', 'none')",
        foreign_keys="wrong: rows that name a row which is not there: git_commits.repo_id (1)",
    ),
    "a dependency on nothing, twice": fault(
        "INSERT INTO task_dependencies VALUES (77, 88), (2, 88)",
        foreign_keys="wrong: rows that name a row which is not there: task_dependencies.task_id and depends_on_id (2)",
    ),
    "a dependency by what another program knows a task by": fault(
        "UPDATE tasks SET external_id = '70' || id",
        "INSERT INTO task_dependencies VALUES (2, 701)",
        other_ids="note: task_dependencies.depends_on_id names tasks by something else than their ids",
    ),
    "tasks of nothing": fault(
        "UPDATE tasks SET project_id = 77, phase_id = 5, parent_id = 99 WHERE id = 2",
        foreign_keys="wrong: rows that name a row which is not there: tasks.project_id, phase_id and parent_id (1)",
    ),
    "rows of another program that name nothing": fault(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES tasks (id))",
        "INSERT INTO notes VALUES (1, 2), (2, 77)",
        foreign_keys="wrong: rows that name a row which is not there: notes.task_id (1)",
    ),
    "checked": fault("UPDATE tasks SET checked = 7", values="wrong: 3 in tasks.checked: neither 0 nor 1"),
    "a size": fault(
        after(lambda path: _unchecked(path, "UPDATE tasks SET complexity = 'huge' WHERE id = 1")),
        conditions="wrong: CHECK constraint failed in tasks",
        values="wrong: 1 in tasks.complexity: not one of S, M, L, XL",
    ),
    "a confidence": fault(
        after(linked, lambda path: _unchecked(path, "UPDATE task_commit_links SET confidence = 7")),
        conditions="wrong: CHECK constraint failed in task_commit_links",
        values="wrong: 1 in task_commit_links.confidence: outside of 0 to 1",
    ),
    "a count below zero": fault(
        after(linked, "UPDATE git_commits SET insertions = -5"),
        values="wrong: 1 in git_commits.insertions: a count of files or lines below zero",
    ),
    "a status": fault(
        "UPDATE tasks SET status = 'done' WHERE id = 1",
        values="note: 1 in tasks.status: not one of dashkit's words: 'done' (1)",
        stays=("values",),
    ),
    "a time": fault(
        "UPDATE tasks SET completed_at = 'soon'",
        values="note: 3 of 3 tasks.completed_at cannot be read as a date, such as 'soon'",
    ),
    "an odd time": fault(
        "UPDATE tasks SET completed_at = 'it''s ' || char(27) || 'soon`' WHERE id = 1",
        values='note: 1 of 1 tasks.completed_at cannot be read as a date, such as "it\'s \\x1bsoon`"',
    ),
    "a completion of the future": fault(
        "UPDATE tasks SET completed_at = '2099-01-02 09:00:00' WHERE id = 1",
        values="note: 1 in tasks.completed_at: in the future, such as '2099-01-02 09:00:00' of task 1",
    ),
    "a creation of the future": fault(
        "UPDATE tasks SET created_at = '2099-01-02' WHERE id = 3",
        values="note: 1 in tasks.created_at: in the future, such as '2099-01-02' of task 3",
    ),
    "an event without a time": fault(
        "UPDATE task_events SET recorded_at = '' WHERE event_id = 1",
        values="wrong: 1 of 6 task_events.recorded_at cannot be read as a date, such as ''",
    ),
    "an event of an unknown time": fault(
        "UPDATE task_events SET occurred_at = 'soon' WHERE event_id = 1",
        values="wrong: 1 of 6 task_events.occurred_at cannot be read as a date, such as 'soon'",
        history="wrong: changed while no trigger saw it: 1 task (the first: 1)",
    ),
    "an event before itself": fault(
        "UPDATE task_events SET not_before = '2099-01-01T00:00:00+0100' WHERE event_id = 1",
        values="wrong: 1 in task_events.not_before: later than occurred_at",
    ),
    "a day of an event": fault(
        "UPDATE task_events SET on_day = '2025-11-03T09:00:00Z' WHERE event_id = 1",
        values="wrong: 1 of 1 task_events.on_day cannot be read as a date, such as '2025-11-03T09:00:00Z'",
    ),
    "an operation": fault(
        "UPDATE task_events SET op = 'guess' WHERE event_id = 1", values="wrong: 1 in task_events.op: not one of insert"
    ),
    "an operation on a dependency": fault(
        "UPDATE dependency_events SET op = 'guess'",
        values="wrong: 1 in dependency_events.op: not one of add, remove, baseline",
    ),
    "an image that no reading left": fault(
        "INSERT INTO task_sources (task_id, source, image) VALUES (1, 'TODO.md', '[]')",
        values="wrong: 1 in task_sources.image: not what the reading of a file leaves",
    ),
    "a task that waits for itself": fault(
        "INSERT INTO task_dependencies VALUES (2, 2)",
        values="note: 1 in task_dependencies.depends_on_id: a task that depends on itself",
    ),
    "a task in itself": fault(
        "UPDATE tasks SET parent_id = id WHERE id = 2",
        values="note: 1 in tasks.parent_id: a task that is its own parent",
    ),
    "a zone that is none": fault(
        "INSERT INTO settings (scope, key, value, updated_at) VALUES ('', 'time_zone', 'Nowhere', '')",
        settings="wrong: Cannot use the setting time_zone of all projects, 'Nowhere'",
    ),
    "a pattern that is none": fault(
        "INSERT INTO settings (scope, key, value, updated_at) VALUES ('1', 'id_pattern', '{n}', '')",
        settings="wrong: Cannot use '{n}' as a pattern of ids of project 1",
    ),
    # The history.
    "a suspension": fault(ASLEEP, event_context="wrong: it says that the triggers are suspended"),
    "an actor at rest": fault(
        "UPDATE event_context SET actor = 'api'",
        event_context="wrong: it says that 'api' makes the changes of everybody",
    ),
    "no context": fault("DELETE FROM event_context", event_context="wrong: it has 0 rows"),
    "changes without the triggers": fault(
        ASLEEP,
        "UPDATE tasks SET status = 'review', title = 'x' WHERE id > 1",
        AWAKE,
        history="wrong: changed while no trigger saw it: 2 tasks (the first: 2)",
    ),
    "a task without events": fault(
        "DELETE FROM task_events WHERE task_id = 3",
        history="wrong: changed while no trigger saw it: 1 task (the first: 3)",
    ),
    "dependencies that changed unseen": fault(
        ASLEEP,
        "UPDATE task_dependencies SET depends_on_id = 3",
        AWAKE,
        history="wrong: changed while no trigger saw it: 2 dependencies",
    ),
    "a date that was mended": fault(
        "UPDATE tasks SET completed_at = '2024-02-03' WHERE id = 1",
        "UPDATE tasks SET created_at = '2024-01-02'",
        dates="note: rows know of earlier times than the history: 1 completion and 3 arrivals",
    ),
    "rows written anew": fault(
        after(said, saved_again(1, 2)),
        rewritten_rows="wrong: 2 tasks lost what people had said when another program replaced their rows "
        "(INSERT OR REPLACE, or DELETE and INSERT): task 1 (checked, size L), task 2 (blocked: waits for Ann's `key`); "
        "1 dependency went when another program that enforces foreign keys replaced the row of a task: "
        "task 2 on task 1",
        values="note: 1 task has the status completed and is not checked, so it counts as open",
    ),
    "a completed task that is not checked": fault(
        "UPDATE tasks SET checked = 0 WHERE id = 1",
        values="note: 1 task has the status completed and is not checked, so it counts as open",
    ),
    "a project's row written anew": fault(
        after(said, replaced_project),
        rewritten_rows="wrong: 3 tasks of project 1 ('Alpha') were deleted in one statement at ",
    ),
    # The files beside it.
    "a torn backup": fault(torn_backup, backups="wrong: cannot be read"),
    "no backup": fault(gone_backup, backups="note: recorded, and gone"),
    "a half-made backup": fault(left_over, unfinished_files="note: .dash.backup_20251127_120000_0009.db.4711.partial"),
}


def _unchecked(path: Path, statement: str) -> None:
    """A change by a program that has switched conditions off."""
    alter(path, UNCHECKED, statement)
