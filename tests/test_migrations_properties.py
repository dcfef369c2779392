"""Migrations on random version 1 databases: whatever is in one, nothing is lost and everything can be taken back."""

import re
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from builders import CHANGES, v1_database
from content import content, folder_state, old_values, quoted
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dashkit import migrations
from dashkit.errors import DashkitError

TEXTS = st.one_of(
    st.sampled_from(
        ["completed", "Completed", "pending", "", "blocked", "x" * 5000, "a\0b", "O'Brien", "é☃", "S", "1"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
VALUES = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=8), TEXTS)
NAMES = st.one_of(
    st.sampled_from(["order", "select", "rowid", "oid", "checked", "git_repos", "a b", 'a"b', "it's", "Ünï", "n", "o"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6),
)
TYPES = st.sampled_from(
    ["", "INTEGER", "TEXT", "REAL", "BLOB", "BOOLEAN", "TEXT COLLATE NOCASE", "NUMERIC DEFAULT 1.50"]
)
COLUMNS = st.lists(st.tuples(NAMES, TYPES), min_size=1, max_size=4, unique_by=lambda column: column[0].lower())
TASKS = st.fixed_dictionaries(
    {"title": TEXTS, "status": st.one_of(st.sampled_from(["completed", "pending"]), VALUES)},
    optional={"created_at": VALUES, "completed_at": VALUES, "priority": VALUES, "description": VALUES},
)


@st.composite
def tables(draw):
    """The statements of a table of any name, of any kind, with rows of any values."""
    name, columns = quoted(draw(NAMES)), draw(COLUMNS)
    first = quoted(columns[0][0])
    declared = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
    key, option = draw(
        st.sampled_from([("", ""), (f", PRIMARY KEY ({first})", ""), (f", PRIMARY KEY ({first})", "WITHOUT ROWID")])
    )
    marks = ", ".join("?" * len(columns))
    rows = draw(st.lists(st.tuples(*[VALUES] * len(columns)), max_size=4))
    return [
        (f"CREATE TABLE {name} ({declared}{key}) {option}", ()),
        *((f"INSERT INTO {name} VALUES ({marks})", row) for row in rows),
    ]


ODD = [
    "ALTER TABLE tasks ADD COLUMN {name} {type}",
    "ALTER TABLE tasks ADD COLUMN {name} TEXT AS (title || 'x')",
    "ALTER TABLE tasks ADD COLUMN updated_at {theirs}",
    "ALTER TABLE tasks ADD COLUMN complexity {theirs}",
    "ALTER TABLE tasks ADD COLUMN checked {theirs}",
    "ALTER TABLE tasks ADD COLUMN blocked_reason {theirs}",
    "ALTER TABLE tasks ADD COLUMN parent_id {theirs}",
    "CREATE TABLE {ours} (id INTEGER PRIMARY KEY, version TEXT, task_id INTEGER)",
    "CREATE VIEW {ours} AS SELECT 1 AS task_id, 2 AS depends_on_id",
    "CREATE INDEX {name} ON tasks (title, status) WHERE status > 'b'",
    "CREATE VIEW {name} AS SELECT * FROM tasks",
    "CREATE VIEW {name} AS SELECT * FROM tasks UNION SELECT * FROM tasks",
    "CREATE TRIGGER {name} BEFORE UPDATE ON tasks BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER {name} AFTER UPDATE ON tasks BEGIN UPDATE projects SET name = name || '!'; END",
    "CREATE TRIGGER {name} AFTER DELETE ON phases BEGIN INSERT INTO tasks SELECT * FROM tasks; END",
    "CREATE TRIGGER {name} AFTER DELETE ON phases BEGIN INSERT INTO tasks VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1); END",
]


# How other tools declare a column of ours, and names of ours that other programs have.
THEIRS = st.sampled_from(
    [
        "BOOLEAN DEFAULT 0",
        "INTEGER",
        "FLOAT DEFAULT 1",
        "TEXT",
        "VARCHAR(9) DEFAULT 'M'",
        "DATETIME",
        "",
        "BIT NOT NULL",
    ]
)
OURS = st.sampled_from(
    ["schema_migrations", "dashkit_migrations", "task_dependencies", "settings", "idx_tasks_checked"]
)
# What is in a column of ours, where there is one.
SET = st.sampled_from(
    [
        *("checked = 1", "checked = id = 1", "checked = 0.0", "checked = 't'", "checked = NULL"),
        *("updated_at = '2025-01-01'", "updated_at = 5", "updated_at = NULL WHERE id = 1", "complexity = 'S'"),
        *("complexity = 1", "parent_id = id", "parent_id = '1'", "parent_id = 'x'", "blocked_reason = '007'"),
    ]
)


@st.composite
def odd_objects(draw):
    """A column of tasks, an index, a view or a trigger, of any name, or values in a column of ours."""
    words = {"name": quoted(draw(NAMES)), "type": draw(TYPES), "theirs": draw(THEIRS), "ours": draw(OURS)}
    return [(draw(st.sampled_from(ODD)).format(**words), ()), (f"UPDATE tasks SET {draw(SET)}", ())]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(TASKS, max_size=6),
    st.lists(st.one_of(tables(), odd_objects()), max_size=5),
    st.sampled_from(["DELETE", "WAL", "PERSIST"]),
    st.sampled_from(list(CHANGES)),
)
def test_any_database_is_migrated_whole_or_refused(tasks, things, mode, version):
    """Of any version 1 database: the dry run changes nothing, execute keeps all, twice is once, and it can go back."""
    with tempfile.TemporaryDirectory() as folder:
        path = v1_database(Path(folder) / "dash.db", tasks=tasks)
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute(f"PRAGMA journal_mode = {mode}")
            for statement, values in (one for thing in things for one in thing):
                with suppress(sqlite3.Error):  # a name twice, a key twice: then without it
                    conn.execute(statement, values)
        _migrate_and_back(path, version)


def _migrate_and_back(path, version):
    before, state = content(path), folder_state(path.parent)
    try:
        plan = migrations.migrate(path, to=version)
    except DashkitError as refusal:
        assert folder_state(path.parent) == state
        _refused_alike(path, version, refusal)
        event("refused")
        return
    assert folder_state(path.parent) == state
    event(f"{len(plan.changes)} changes")
    done = plan.execute()
    assert done.changes == plan.changes
    assert str(migrations.plan_rollback(path)).endswith("Nothing was written since: nothing is lost.")
    copy = Path(shutil.copy(path, path.parent / "copy.db"))
    _kept(path, done.backup)
    assert migrations.execute(path, to=version).backup is None
    assert content(path) == content(copy)
    migrations.rollback(path)
    assert content(path) == before


def _refused_alike(path, version, refusal):
    """An execute says what the dry run said, and changes no value."""
    before = content(path)
    with pytest.raises(type(refusal), match=re.escape(refusal.why)):
        migrations.execute(path, to=version)
    assert content(path) == before


def _kept(path, backup):
    """Every old value is there, but for the two that a fill may write where they were adopted."""
    new, old = old_values(path, backup), old_values(backup, backup)
    assert new.keys() == old.keys()
    tasks = new.pop("tasks"), old.pop("tasks")
    assert repr(new) == repr(old)
    with closing(sqlite3.connect(backup)) as conn:
        names = [name.lower() for _, name, *_ in conn.execute("PRAGMA table_xinfo(tasks)")]
    place = names.index("checked") if "checked" in names else 0
    used = place and any(row[place] == 1 for row in tasks[1])
    for now, then in zip(*tasks, strict=True):
        for name, value, was in zip(names, now, then, strict=True):
            if name == "updated_at" and was is None:
                assert value is not None
            elif (
                name == "checked"
                and (was is None or not used)
                and then[names.index("status")] == ("text", b"completed")
            ):
                assert value == 1
            else:
                assert repr(value) == repr(was)
