"""The proof of a migration, and that it fails where something was lost."""

import sqlite3
from contextlib import closing

import pytest
from builders import query, v1_database, v2_database

from dashkit import migrations
from dashkit.errors import RefusedError
from dashkit.sample import write_sample
from dashkit.verification import functions, speed, verify_migration


def _write(path, *statements):
    with closing(sqlite3.connect(path)) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()


@pytest.fixture
def migrated(tmp_path):
    """A small database, migrated a moment ago."""
    tasks = [{"title": f"Task {n}", "status": "completed" if n % 4 == 0 else "pending"} for n in range(20)]
    path = v1_database(tmp_path / "dash.db", tasks=tasks)
    migrations.execute(path, to="2.0")
    return path


@pytest.mark.slow
def test_a_version_1_database_is_proved_on_a_copy(tmp_path):
    """Without execute the reference database keeps every byte, and all checks hold."""
    path = write_sample(tmp_path / "dash.db")
    before = path.read_bytes()
    found = verify_migration(path)
    assert found.ok
    assert found.verdict.startswith("VERIFIED: nothing was lost. On a copy, 98 changes applied")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["dash.db"]
    assert found.results()["result"].eq("holds").all()
    assert len(found.functions()) == 9
    assert found.functions().loc[2, "returned"] == "project 1: 0.0 % (0 of 220 checked)"
    tables = found.tables().set_index("table")
    assert tables.loc["tasks", "rows_before"] == tables.loc["tasks", "rows_after"] == 1587
    assert (found.tables()["hash_before"] == found.tables()["hash_after"]).all()


def test_a_migrated_database_is_held_against_its_backup(migrated):
    """Work that was done since is told apart from loss: an edit that sets updated_at, and new rows."""
    from dashkit import database

    database.update_task_checked(2, True, db=migrated)
    _write(
        migrated,
        "UPDATE tasks SET title = 'renamed', updated_at = '2999-01-01T00:00:00.000Z' WHERE id = 3",
        "INSERT INTO tasks (project_id, title, status) VALUES (1, 'new', 'pending')",
    )
    found = verify_migration(migrated)
    assert found.ok, found.verdict
    row = found.tables().set_index("table").loc["tasks"]
    assert (row["missing"], row["changed"], row["edited_since"]) == (0, 2, 2)
    assert (row["rows_before"], row["rows_after"]) == (20, 21)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("DELETE FROM tasks WHERE id = 5", "1 missing, and nothing says who deleted it"),
        ("UPDATE tasks SET title = 'x' WHERE id = 6", "1 is not as in the backup, and nothing says who changed it"),
        ("DROP INDEX idx_tasks_checked", "schema as specified: idx_tasks_checked"),
        ("UPDATE tasks SET checked = 0 WHERE id = 1", "checked agrees with status: 4 of 5 completed tasks checked"),
        ("UPDATE tasks SET checked = 7 WHERE id = 2", "checked is 0 or 1: 1"),
        ("UPDATE tasks SET updated_at = NULL WHERE id = 2", "updated_at is populated: 1 empty"),
        ("UPDATE schema_migrations SET checksum = 'x' WHERE name = 'git_repos'", "in another wording: git_repos"),
        ("DELETE FROM schema_migrations WHERE name = 'git_repos'", "every change is recorded: 18 of 19"),
        (
            "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type) "
            "VALUES ('l', 999, 'no such', 1, 'manual')",
            "orphans in task_commit_links: 1",
        ),
    ],
)
def test_each_loss_fails_a_check(migrated, statement, check):
    """Whatever is lost or off is named in the verdict, and the verification does not hold."""
    _write(migrated, statement)
    found = verify_migration(migrated)
    assert not found.ok
    assert check in found.verdict
    assert found.results()["result"].iloc[0] == "FAILED"


def test_a_confidence_out_of_range_fails(migrated):
    """A link whose confidence got past its CHECK is found."""
    _write(
        migrated,
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO git_repos (id, project_id, path) VALUES ('r', 1, 'r')",
        "INSERT INTO git_commits (sha, repo_id) VALUES ('s', 'r')",
        "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type) VALUES ('l', 1, 's', 7, 'x')",
    )
    assert "confidence in task_commit_links: 1" in verify_migration(migrated).verdict


def test_without_a_backup_there_is_nothing_to_hold_it_against(tmp_path):
    """A database that was made at version 2.0 is refused, in words."""
    path = v2_database(tmp_path / "dash.db")
    with pytest.raises(RefusedError, match=r"no backup is recorded"):
        verify_migration(path)


def test_a_backup_that_is_gone_is_missed(migrated):
    """Where the recorded backup is gone the verification says which."""
    for backup in migrated.parent.glob("*.backup_*"):
        backup.unlink()
    with pytest.raises(RefusedError, match=r"the backup of the last execute is gone: .*dash.backup_"):
        verify_migration(migrated)


def test_an_adopted_database_is_proved_too(tmp_path):
    """Values that a user had set before the migration are no loss, and stay."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}, {"title": "b"}])
    _write(
        path,
        "ALTER TABLE tasks ADD COLUMN checked BOOLEAN DEFAULT FALSE",
        "ALTER TABLE tasks ADD COLUMN updated_at TEXT",
        "UPDATE tasks SET updated_at = '2025-01-01', checked = 1 WHERE id = 2",
    )
    assert verify_migration(path, execute=True).ok
    assert query(path, "SELECT checked, updated_at FROM tasks WHERE id = 2")[0][:2] == (1, "2025-01-01")


LOOSE = (
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER REFERENCES projects, title TEXT, status TEXT, "
    "created_at TEXT, completed_at TEXT)",
)
DEMANDING = (
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, place INT NOT NULL)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, title TEXT NOT NULL, status TEXT, "
    "rank INTEGER NOT NULL, created_at TEXT)",
)
PROJECTS, TASKS = "INSERT INTO projects (id, name) VALUES ", "INSERT INTO tasks (id, project_id, title, status) VALUES "
FIRSTS = [
    (*LOOSE, PROJECTS + "(4, 'A')", TASKS + "(1, NULL, 'inbox', 'pending'), (2, 4, 'x', 'completed')"),
    (*LOOSE, PROJECTS + "(4, 'A')", TASKS + "(1, 99, 'of a project that is gone', 'blocked'), (2, 4, 'x', NULL)"),
    (*LOOSE, PROJECTS + "(4, 'A')", TASKS + "(1, 99, 'of a project that is gone', 'completed')"),
    (*LOOSE, TASKS + "(1, 99, 'a', 'completed'), (2, NULL, 'b', 'pending')"),
    (*LOOSE, PROJECTS + "(-3, 'A'), (0, 'B')"),
    (*LOOSE, PROJECTS + f"({2**63 - 1}, 'A')", TASKS + f"({-(2**63)}, 7, 'a', 'pending'), (0, NULL, 'b', 'pending')"),
    LOOSE,
    DEMANDING,
]


@pytest.mark.parametrize("statements", FIRSTS)
def test_the_functions_are_tried_whatever_the_first_task_belongs_to(tmp_path, statements):
    """No project, one that is gone, none at all, ids that are odd, columns that demand a value: all nine work."""
    path = tmp_path / "dash.db"
    _write(path, *statements)
    migrations.execute(path)
    assert [check.found for check in functions.run(path, tmp_path) if not check.ok] == []


def test_a_first_task_without_a_project_is_no_loss(tmp_path):
    """The verdict of a sound migration does not depend on it."""
    path = tmp_path / "dash.db"
    _write(path, *FIRSTS[0])
    assert verify_migration(path, execute=True).ok


@pytest.mark.slow
def test_the_speed_of_the_queries_is_measured_and_not_assumed(tmp_path):
    """Each query is timed at two sizes, a hundred times apart, with its plan."""
    path = write_sample(tmp_path / "dash.db")
    migrations.execute(path)
    timings = speed.measure(path, tmp_path)
    assert [timing.scale for timing in timings] == [1] * 5 + [100] * 5
    assert {timing.tasks for timing in timings} == {1587, 158_700}
    assert all(timing.with_ms > 0 and timing.without_ms > 0 for timing in timings)
    assert "idx_tasks_checked" in timings[0].plan
    large = {timing.query: timing for timing in timings if timing.scale == 100}
    assert large["recent commits"].faster_pct > 50


@pytest.mark.slow
def test_the_growth_of_the_file_is_measured(tmp_path):
    """A commit, a session and a link add bytes in the hundreds, not thousands."""
    path = write_sample(tmp_path / "dash.db")
    growth = verify_migration(path).growth().set_index("kind")["bytes_per_row"]
    assert set(growth.index) == {"commit", "session", "link"}
    assert growth.between(100, 900).all()
