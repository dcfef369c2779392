"""Columns of our names that other tools declare in their way: the same to SQLite is the same to us."""

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from builders import query, v1_database, v2_1_database
from content import alter, content, folder_state, old_values
from loads import LOADS
from pandas.testing import assert_frame_equal
from specimens import full_database

import dashkit
from dashkit import dashboard, database, doctor, migrations, times
from dashkit.errors import RefusedError

# As other tools declare the columns of tasks that are ours: column -> type.
DECLARED = {
    "SQLAlchemy": {
        "checked": "BOOLEAN NOT NULL CHECK (checked IN (0, 1))",
        "blocked_reason": "VARCHAR",
        "complexity": "VARCHAR(2)",
        "updated_at": "DATETIME",
    },
    "Django": {"checked": "bool NOT NULL", "updated_at": "datetime NOT NULL", "external_id": "varchar(20)"},
    "Rails": {"checked": "boolean DEFAULT 0", "updated_at": "datetime(6) NOT NULL", "blocked_reason": "text"},
    "Laravel": {"checked": "tinyint(1) NOT NULL DEFAULT '0'", "updated_at": "timestamp", "labels": "json"},
    "a rebuild by sqlite-utils": {"checked": "FLOAT DEFAULT 0", "parent_id": "INTEGER", "due_at": "TEXT"},
    "integers": {"checked": "INTEGER NOT NULL DEFAULT 0", "updated_at": "DATE", "parent_id": "BIGINT"},
    "bits": {"checked": "BIT", "complexity": "ENUM", "parent_id": "NUMERIC", "due_at": "INTEGER"},
    "no types": dict.fromkeys(
        ("checked", "blocked_reason", "complexity", "updated_at", "external_id", "kind", "parent_id", "labels"), ""
    ),
}


_KEYS = {
    "project_id": " REFERENCES projects(id) ON DELETE CASCADE",
    "phase_id": " REFERENCES phases(id) ON DELETE SET NULL",
}


def rebuilt(path, columns):
    """The same tasks in a table with these declarations, as a tool rebuilds it: indexes and triggers are made again."""
    parts = [
        f"{name} {columns[name] if name in columns else f'{kind} DEFAULT {default or None}'.replace('None', 'NULL')}"
        + (" PRIMARY KEY" if key else _KEYS.get(name, ""))
        for _, name, kind, _, default, key in query(path, "PRAGMA table_info(tasks)")
    ]
    beside = query(path, "SELECT sql FROM sqlite_master WHERE tbl_name = 'tasks' AND type IN ('index', 'trigger')")
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executescript(
            f"PRAGMA legacy_alter_table = ON; CREATE TABLE made ({', '.join(parts)}); "
            "INSERT INTO made SELECT * FROM tasks; DROP TABLE tasks; ALTER TABLE made RENAME TO tasks;"
            + ";".join(sql for (sql,) in beside)
        )
    return path


CHANGES = (
    lambda db: database.update_task_checked(2, True, db=db),
    lambda db: database.update_task_checked(1, False, db=db),
    lambda db: database.set_task_blocked(3, "no key", db=db),
    lambda db: database.set_task_blocked(6, None, db=db),
    lambda db: database.set_task_complexity(3, "XL", db=db),
    lambda db: query(db, "DELETE FROM tasks WHERE id = 4"),
    lambda db: query(
        db,
        "INSERT INTO tasks (project_id, title, status, checked, updated_at, completed_at) "
        "VALUES (1, 'new', 'completed', 1, '2025-11-01', '2025-11-01')",
    ),
)
ANSWERS = (
    lambda db: database.get_task_stats(db=db),
    lambda db: database.get_project_progress(1, db=db),
    lambda db: [row | {"days_blocked": None} for row in database.get_blocked_tasks(db=db)],
    lambda db: [row | {"timestamp": None} for row in database.get_recent_activity(50, db=db)],
)


@pytest.fixture
def pair(tmp_path, request):
    """The same database twice, the second with other declarations."""
    plain = full_database(tmp_path / "plain.db", v2_1_database)
    alter(
        plain,
        "UPDATE event_context SET suspended = 1",
        "UPDATE tasks SET updated_at = coalesce(updated_at, '2025-11-01T00:00:00.000Z')",
        "UPDATE tasks SET parent_id = 1, external_id = 'T-7', labels = '[\"a\"]', kind = 'bug', due_at = '2025-12-01' "
        "WHERE id = 2",
        "UPDATE event_context SET suspended = 0",
    )
    migrations.execute(plain)
    return plain, rebuilt(Path(shutil.copy(plain, tmp_path / "other.db")), DECLARED[request.param])


@pytest.mark.slow
@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("pair", DECLARED, indirect=True)
def test_every_frame_is_the_same(pair, load):
    """A table that another tool rebuilt gives the same frames, by either way into DuckDB."""
    when = times.utc_now() + timedelta(minutes=1)
    with dashkit.open(pair[0], load=load, as_of=when) as one, dashkit.open(pair[1], load=load, as_of=when) as two:
        for name, frame in dashboard.frames().items():
            assert_frame_equal(frame(one), frame(two), obj=name)


@pytest.mark.parametrize("pair", DECLARED, indirect=True)
def test_every_function_and_trigger_is_the_same(pair):
    """The functions give the same answers, and each change leaves the same event."""
    plain, other = pair
    assert [migrations.status(path).ready for path in pair] == [True, True]
    events = (
        "SELECT task_id, op, project_id, status, checked, blocked_reason, complexity, title, actor, "
        "substr(said_completed_at, 1, 10) FROM task_events ORDER BY event_id"
    )
    for change in CHANGES:
        assert change(plain) == change(other)
        assert [ask(plain) for ask in ANSWERS] == [ask(other) for ask in ANSWERS]
        assert query(plain, f"{events} LIMIT -1 OFFSET 3") == query(other, f"{events} LIMIT -1 OFFSET 3")
    found = [{one.check: one for one in doctor.examine(path).findings} for path in pair]
    for check in ("integrity", "triggers", "values", "dates", "event_context"):
        assert found[0][check] == found[1][check]


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_declared_in_another_way_is_adopted_as_it_is(tmp_path, name):
    """Every value stays, and execute and roll back are nothing."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"status": "completed"}, {}, {"status": "blocked"}])
    set_to = {"checked": "id = 1", "updated_at": "'2025-11-01 10:00:00'", "complexity": "'M'", "parent_id": "id"}
    for column, declared in DECLARED[name].items():
        default = " DEFAULT ''" if "NOT NULL" in declared and "DEFAULT" not in declared else ""
        if "CHECK" in declared or (default and column == "checked"):
            default = " DEFAULT 0"
        alter(path, f"ALTER TABLE tasks ADD COLUMN {column} {declared}{default}")
        alter(path, f"UPDATE tasks SET {column} = {set_to.get(column, 'NULL')}")
    before, copy = content(path), shutil.copy(path, tmp_path / "old.db")
    done = migrations.execute(path)
    assert {f"tasks.{column}" for column in DECLARED[name]} <= {*done.outcome.adopted}
    assert old_values(path, copy) == old_values(copy, copy)
    assert migrations.status(path).ready
    migrations.rollback(path)
    assert content(path) == before


REFUSED = {
    "words for checked": (["checked TEXT"], r"tasks\.checked is declared TEXT, and dashkit keeps 0 and 1 there"),
    "letters in checked": (["checked BOOLEAN DEFAULT 't'"], r"tasks\.checked holds 2 values such as 't', outside of"),
    "true in checked": (["checked BOOLEAN DEFAULT 'true'"], r"holds 2 values such as 'true', outside of"),
    "more than 1": (["checked INTEGER DEFAULT 2"], r"holds 2 values such as 2, outside of"),
    "half": (["checked FLOAT DEFAULT 0.5"], r"holds 2 values such as 0\.5, outside of"),
    "bytes in checked": (["checked BLOB DEFAULT X'01'"], r"holds 2 values such as X'01', outside of"),
    "letters in a condition": (
        ["checked BOOLEAN CHECK (checked IN ('Y', 'N'))"],
        r"tasks\.checked does not take 0, which dashkit writes there",
    ),
    "epochs": (["updated_at INTEGER"], r"tasks\.updated_at is declared INTEGER, and dashkit keeps text there"),
    "epochs in a date": (["updated_at DATETIME DEFAULT 1730000000"], r"holds 2 values such as 1730000000, outside of"),
    "a length": (
        ["updated_at TEXT CHECK (length(updated_at) = 19)"],
        r"tasks\.updated_at does not take '2025-11-27T16:09:57\.123Z', which dashkit writes there",
    ),
    "no NULL": (["blocked_reason TEXT NOT NULL DEFAULT ''"], r"tasks\.blocked_reason does not take NULL"),
    "other sizes": (["complexity TEXT CHECK (complexity <> 'XL')"], r"tasks\.complexity does not take 'XL'"),
    "numbers for reasons": (["blocked_reason STRING"], r"blocked_reason is declared STRING, and dashkit keeps text"),
    "numbers for ids": (["external_id INTEGER"], r"external_id is declared INTEGER, and dashkit keeps text"),
    "texts for parents": (["parent_id TEXT"], r"parent_id is declared TEXT, and dashkit keeps whole numbers"),
    "words in parents": (["parent_id INTEGER DEFAULT 'x'"], r"tasks\.parent_id holds 2 values such as 'x', outside of"),
    "kinds of their own": (["kind TEXT CHECK (kind IN ('a', 'b'))"], r"tasks\.kind does not take 'task'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_means_something_else_is_refused_in_words(tmp_path, name):
    """A column whose values or conditions are not ours is named, with what to do; nothing is changed."""
    columns, words = REFUSED[name]
    path = v1_database(tmp_path / "dash.db", tasks=[{}, {}])
    alter(path, *(f"ALTER TABLE tasks ADD COLUMN {one}" for one in columns))
    before = folder_state(tmp_path)
    for door in (migrations.migrate, migrations.execute):
        with pytest.raises(RefusedError, match=rf"{words}.*(Keep such values|If another program made).*Nothing was"):
            door(path)
    standing = migrations.status(path)
    assert standing.verdict == f"REFUSED: the migration cannot run yet; `dashkit doctor --db {path}` says what to do"
    (way,) = (one for one in doctor.examine(path).findings if one.check == "in the way")
    assert re.search("Run this SQL: |Choose one for tasks", way.remedy)
    assert folder_state(tmp_path) == before


def test_a_condition_on_several_columns_is_left_to_the_rehearsal(tmp_path):
    """A CHECK that speaks of other columns too stops nothing, as it may hold."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"status": "completed"}])
    alter(path, "ALTER TABLE tasks ADD COLUMN checked BOOLEAN DEFAULT 0 CHECK (checked = 0 OR status = 'completed')")
    assert "tasks.checked" in migrations.migrate(path).rehearsal.outcome.adopted
    migrations.execute(path)
    assert query(path, "SELECT checked FROM tasks") == [(1,)]


TABLES = {
    "git_commits": {"timestamp TEXT": "timestamp DATETIME", "sha TEXT": "sha VARCHAR(40)"},
    "task_commit_links": {"confidence REAL": "confidence NUMERIC", "created_at TEXT": "created_at TIMESTAMP"},
    "git_repos": {"id TEXT": "id VARCHAR(36)", "created_at TEXT": "created_at DATETIME", "name TEXT": "name"},
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_with_other_declarations_is_adopted(tmp_path, table):
    """A table of ours that another tool made with types that mean the same is adopted, and the difference is told."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    sql = next(change.sql for change in migrations.VERSIONS[0].changes if change.name == table)
    for ours, theirs in TABLES[table].items():
        assert ours in sql
        sql = sql.replace(ours, theirs, 1)
    alter(path, sql)
    done = migrations.execute(path)
    assert table in done.outcome.adopted
    assert f"{table} is declared in other words than dashkit's" in done.outcome.notes


def test_a_table_whose_values_mean_something_else_is_refused(tmp_path):
    """Where a date column of another type holds numbers, the table is named with one of them."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    sql = next(change.sql for change in migrations.VERSIONS[0].changes if change.name == "git_commits")
    alter(path, sql.replace("timestamp TEXT", "timestamp TIMESTAMP"))
    alter(path, "INSERT INTO git_commits (sha, repo_id, timestamp) VALUES ('a', 'r', 1730000000)")
    with pytest.raises(RefusedError, match=r"without a TEXT column timestamp \(it holds 1 value such as 1730000000\)"):
        migrations.migrate(path)
