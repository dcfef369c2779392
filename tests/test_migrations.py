"""Migrations on good databases: what a version is, what a dry run leaves alone, what an execute does, adoption."""

import itertools
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import CHANGES, NEWEST, SCHEMA, insert, query, statements, v1_database
from content import alter, content, crash, folder_state, old_values

from dashkit import migrations
from dashkit.errors import RefusedError, UsageError
from dashkit.migrations import VERSIONS, execution, shape
from dashkit.migrations.changes import AddColumn, Step, Version
from dashkit.sample import write_sample
from dashkit.store import instants

RELEASED = Path(__file__).parent / "data" / "released_changes.txt"
TITLES = [
    "Add task columns",
    "Create git_repos",
    "Create git_commits",
    "Create llm_sessions",
    "Create task_commit_links",
    "Create task_session_links",
    "Create performance indexes",
    "Populate updated_at",
    "Sync checked with completed tasks",
]
TASKS = (
    {"status": "completed", "created_at": "2025-01-02 03:04:05", "completed_at": "2025-02-02 03:04:05"},
    {"status": "pending", "created_at": None},
    {"status": "completed", "created_at": None, "completed_at": "2025-02-03 03:04:05"},
    {"status": "Completed", "created_at": ""},
)
NOW = datetime(2025, 11, 27, 16, 9, 57, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The reference database, written once."""
    return write_sample(tmp_path_factory.mktemp("sample") / "dash.db")


@pytest.fixture
def reference(sample, tmp_path):
    """A copy of the reference database."""
    return Path(shutil.copy(sample, tmp_path / "dash.db"))


@pytest.fixture
def small(tmp_path):
    """A version 1 database of a few tasks."""
    return v1_database(tmp_path / "dash.db", tasks=TASKS)


def model(path):
    """A schema as SQLite understands it, and its texts without comments, quotes and case."""
    with closing(sqlite3.connect(path)) as conn:
        tables = shape.tables(conn)
        indexes = {name for (kind, name) in shape.definitions(conn) if kind == "index"}
        return {
            "columns": {name: conn.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in tables},
            "keys": {name: shape.keys(conn, name) for name in tables},
            "foreign keys": {name: set(conn.execute(f"PRAGMA foreign_key_list({name})")) for name in tables},
            "indexes": {name: conn.execute(f"PRAGMA index_xinfo({name})").fetchall() for name in indexes},
            "texts": {key: shape.tokens(sql or "") for key, (_, sql) in shape.definitions(conn).items()},
        }


def job(path, now=NOW, versions=VERSIONS):
    """An execute at a given time."""
    return execution.Job(path, path, path.parent, versions, now)


@pytest.mark.parametrize("version", CHANGES)
def test_the_schema_file_is_version_1_plus_the_steps(tmp_path, small, version):
    """The schema file of a version says exactly what the steps make of version 1.0, triggers included."""
    text = (SCHEMA / f"v{version.replace('.', '_')}.sql").read_text("utf-8")
    expected = alter(tmp_path / "expected.db", *statements(text))
    migrations.execute(small, to=version)
    assert model(small) == model(expected)


@pytest.mark.parametrize("version", CHANGES)
def test_a_fresh_database_is_a_migrated_one(tmp_path, small, version):
    """A fresh database of a version has the schema of a migrated one, to the byte."""
    migrations.create(tmp_path / "fresh.db", version=version)
    migrations.execute(small, to=version)
    assert sorted(content(tmp_path / "fresh.db")[0]) == sorted(content(small)[0])
    assert migrations.status(tmp_path / "fresh.db").version == version
    assert migrations.status(tmp_path / "fresh.db").ready == (version == NEWEST)


def test_version_2_0_has_nine_steps():
    """Version 2.0 has nine steps, with these titles, in this order."""
    assert [step.title for step in VERSIONS[0].steps] == TITLES


def test_version_2_0_has_nineteen_changes(small):
    """Version 2.0 is 19 changes; after them there are 10 tables, 8 indexes of ours, and 19 records."""
    done = migrations.execute(small, to="2.0")
    assert len(done.changes) == len(set(done.changes)) == 19
    found = query(small, "SELECT type, count(*) FROM sqlite_master WHERE sql IS NOT NULL GROUP BY type")
    assert dict(found) == {"table": 10, "index": 8}
    assert query(small, "SELECT name FROM schema_migrations ORDER BY rowid") == [(name,) for name in done.changes]


def test_version_2_1_is_recorded_change_by_change(small):
    """Version 2.1 adds 15 tables, 10 indexes and 6 triggers; what it did not need to do is recorded as adopted."""
    done = migrations.execute(small)
    assert len(done.changes) + len(done.outcome.adopted) == CHANGES["2.1"]
    found = query(small, "SELECT type, count(*) FROM sqlite_master WHERE sql IS NOT NULL GROUP BY type")
    assert dict(found) == {"table": 25, "index": 18, "trigger": 6}
    recorded = query(small, "SELECT version || ' ' || name FROM schema_migrations")
    assert {name for (name,) in recorded} == {
        f"{one.number} {change.name}" for one in VERSIONS for change in one.changes
    }


def test_released_changes_are_frozen():
    """No released change may change: its name and the digest of its SQL are those that users have recorded."""
    lines = [f"{version.number} {change.checksum} {change.name}" for version in VERSIONS for change in version.changes]
    frozen = RELEASED.read_text("utf-8").splitlines()
    assert lines[: len(frozen)] == frozen


@pytest.mark.parametrize("declared", ["TEXT", "DATETIME", "INTEGER", "BLOB", "", "TEXT COLLATE RTRIM", "REAL"])
def test_a_fill_does_what_its_statement_says(tmp_path, declared):
    """Whatever the dates are, the fill that is run, the one that is counted and the one on record are the same."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
        f"CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INT, title TEXT, status TEXT, created_at {declared}, "
        f"completed_at {declared})",
    )
    odd = [None, "", " ", "0", "x", 0, 5, 1.5, b"", b"x"]
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executemany(
            "INSERT INTO tasks (created_at, completed_at, status) VALUES (?, ?, ?)",
            [
                (created, completed, "completed" if created else None)
                for created, completed in itertools.product(odd, odd)
            ],
        )
    stated = Path(shutil.copy(path, tmp_path / "stated.db"))
    done = migrations.execute(path, to="2.0")
    for change in VERSIONS[0].changes:
        with closing(sqlite3.connect(stated)) as conn, conn:
            conn.execute(change.sql, {"now": _applied_at(path)} if ":now" in change.sql else {})
    rows = "SELECT id, updated_at, typeof(updated_at), checked FROM tasks ORDER BY id"
    assert query(path, rows) == query(stated, rows)
    told = {one.change.name: dict(one.kinds) for one in done.outcome.applied}["populate updated_at"]
    now = query(path, "SELECT count(*) FROM tasks WHERE updated_at = ?", _applied_at(path))[0][0]
    created = query(path, "SELECT count(NULLIF(created_at, '')) FROM tasks")[0][0]
    assert told == {"created_at": created, "completed_at": 100 - created - now, "the time of this migration": now}


def _applied_at(path):
    return query(path, "SELECT max(applied_at) FROM schema_migrations")[0][0]


def test_the_dry_run_tells_the_real_counts(reference):
    """A dry run says, in the future tense, what the execute will say."""
    text = str(migrations.migrate(reference))
    assert "  Populate updated_at for 1,587 tasks\n" in text
    assert "  Mark 161 completed tasks as checked\n" in text
    assert "  Record today's state of 1,587 tasks\n" in text
    assert f"{CHANGES[NEWEST]} changes would be applied, in about " in text
    assert "writers would wait about " in text
    assert f"To do it: dashkit migrate --execute --db {reference}" in text


def test_the_dry_run_of_version_2_0_is_of_that_alone(reference):
    """With a version named the dry run stops there, and names it in the command that does it."""
    text = str(migrations.migrate(reference, to="2.0"))
    assert "  Mark 161 completed tasks as checked\n" in text
    assert "19 changes would be applied, in about " in text
    assert "Version 2.1" not in text
    assert f"To do it: dashkit migrate --execute --to 2.0 --db {reference}" in text


@pytest.mark.parametrize("version", CHANGES)
def test_the_report_of_the_reference_database(reference, version):
    """An execute reports the counts of the reference database, the backup, and the way back."""
    done = migrations.execute(reference, to=version)
    lines = [line.strip() for line in str(done).splitlines()]
    assert "Populated updated_at for 1,587 tasks" in lines
    assert "Marked 161 completed tasks as checked" in lines
    assert f"Migration complete: {CHANGES[version]} changes applied" in lines
    history = [
        "Recorded when 1,587 tasks were created, from created_at",
        "Recorded when 161 tasks were completed, from completed_at",
        "Recorded today's state of 1,587 tasks",
    ]
    assert [line for line in lines if line in history] == (history if version == "2.1" else [])
    assert f"Backup: {done.backup}" in lines
    assert f"The way back: dashkit migrate --rollback --db {reference}" in lines


def test_the_plan_executes(small):
    """A plan prints as the dry run and executes what it says."""
    plan = migrations.migrate(small)
    assert plan.execute().changes == plan.changes
    assert repr(plan) == str(plan)


def test_the_sources_of_updated_at_are_counted(small):
    """updated_at is copied verbatim from recorded facts first, and the report counts each kind."""
    done = job(small)
    outcome = execution.run(done)
    assert query(small, "SELECT updated_at FROM tasks ORDER BY id") == [
        ("2025-01-02 03:04:05",),
        ("2025-11-27T16:09:57.000Z",),
        ("2025-02-03 03:04:05",),
        ("2025-11-27T16:09:57.000Z",),
    ]
    assert "(1 from created_at, 1 from completed_at, 2 from the time of this migration)" in str(
        migrations.Migration(outcome)
    )


def test_only_completed_is_marked_as_checked(small):
    """Other spellings of completed are kept and told, never guessed."""
    plan = migrations.migrate(small)
    assert "not marked as checked: 'Completed' (1)" in str(plan)
    plan.execute()
    assert query(small, "SELECT status, checked FROM tasks ORDER BY id") == [
        ("completed", 1),
        ("pending", 0),
        ("completed", 1),
        ("Completed", 0),
    ]


def test_an_empty_dashboard_migrates(tmp_path):
    """A database without a task gets the schema, and the report says 0."""
    path = v1_database(tmp_path / "dash.db", projects=())
    text = str(migrations.execute(path))
    assert "Populated updated_at for 0 tasks" in text
    assert "Recorded today's state of 0 tasks" in text
    assert f"Migration complete: {CHANGES[NEWEST]} changes applied" in text


STATES = {
    "rollback journal": (),
    "persistent journal": ("PRAGMA journal_mode = PERSIST", "UPDATE tasks SET title = 'x'"),
    "WAL, closed": ("PRAGMA journal_mode = WAL", "UPDATE tasks SET title = 'x'"),
}
CRASHED = {
    "WAL with rows": ("PRAGMA journal_mode = WAL", "UPDATE tasks SET title = 'x'"),
    "WAL without rows": (
        "PRAGMA journal_mode = WAL",
        "UPDATE tasks SET title = 'x'",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ),
}


@pytest.mark.parametrize("state", [*STATES, *CRASHED])
def test_a_dry_run_changes_no_byte(small, state):
    """A dry run leaves the database and its companions as they are: names, bytes and times."""
    alter(small, *STATES.get(state, ()))
    crash(small, *CRASHED.get(state, ()))
    before = folder_state(small.parent)
    assert len(migrations.migrate(small).changes) == CHANGES[NEWEST]
    assert not migrations.status(small).ready
    assert folder_state(small.parent) == before


def test_a_dry_run_reads_what_is_only_in_the_wal(small):
    """Rows that a crashed program left in the WAL are part of the dry run, and of the migration."""
    crash(small, "PRAGMA journal_mode = WAL", "UPDATE tasks SET status = 'completed'")
    assert "Mark 4 completed tasks" in str(migrations.migrate(small))
    assert "Marked 4 completed tasks" in str(migrations.execute(small))
    assert query(small, "PRAGMA journal_mode") == [("wal",)]


def hot_journal(path):
    """Leave the journal of a program that died in the middle of a large transaction."""
    alter(path, "UPDATE tasks SET description = printf('%.*c', 900000, 'x')")
    crash(path, "PRAGMA cache_size = 5", "BEGIN IMMEDIATE", "UPDATE tasks SET description = 'half', title = 'half'")
    assert path.with_name(path.name + "-journal").stat().st_size > 512


def wal_without_shm(path):
    """Leave the WAL of a program that died, without the index that readers need."""
    crash(path, "PRAGMA journal_mode = WAL", "UPDATE tasks SET title = 'x'")
    path.with_name(path.name + "-shm").unlink()


@pytest.mark.parametrize("interrupt", [hot_journal, wal_without_shm])
def test_what_only_a_writer_can_recover_is_refused_by_the_dry_run(small, interrupt):
    """Where reading would change the file the dry run refuses, says what recovers it, and the execute does."""
    interrupt(small)
    before = folder_state(small.parent)
    with pytest.raises(RefusedError, match=r"Opening the database for writing recovers it: `dashkit migrate --ex"):
        migrations.migrate(small)
    assert folder_state(small.parent) == before
    assert len(migrations.execute(small).changes) == CHANGES[NEWEST]
    assert query(small, "SELECT count(*) FROM tasks WHERE title = 'half'") == [(0,)]


@pytest.mark.parametrize("version", CHANGES)
def test_twice_is_once(small, version):
    """A second execute changes no byte, makes no backup, and says that there is nothing to do."""
    migrations.execute(small, to=version)
    before = folder_state(small.parent)
    again = migrations.execute(small, to=version)
    assert folder_state(small.parent) == before
    assert again.backup is None
    assert str(again).endswith(f"is already at version {version}: nothing to do, no backup made.")
    assert str(migrations.migrate(small, to=version)) == str(again)


def test_the_backup_is_the_state_before(small):
    """The backup holds what the database held, has its mode, and its name is recorded with each change."""
    small.chmod(0o600)
    before = content(small)
    done = migrations.execute(small)
    assert content(done.backup) == before
    assert stat.S_IMODE(done.backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(small.stat().st_mode) == 0o600
    assert query(small, "SELECT DISTINCT backup FROM schema_migrations") == [(done.backup.name,)]
    assert sorted(entry.name for entry in small.parent.iterdir()) == sorted([small.name, done.backup.name])


def test_the_backup_folder_can_be_another(small, tmp_path):
    """With a folder for backups the record holds the absolute path, and the roll back finds it."""
    (tmp_path / "elsewhere").mkdir()
    before = content(small)
    done = migrations.execute(small, backup_dir=tmp_path / "elsewhere")
    assert query(small, "SELECT DISTINCT backup FROM schema_migrations") == [(str(done.backup),)]
    assert done.backup.parent == tmp_path / "elsewhere"
    migrations.rollback(small)
    assert content(small) == before


def test_a_backup_folder_that_is_not_there(small, tmp_path):
    """A folder for backups has to exist, in the dry run as in the execute."""
    for run in (migrations.migrate, migrations.execute):
        with pytest.raises(UsageError, match=r"Cannot put a backup into .*nowhere: there is no such folder"):
            run(small, backup_dir=tmp_path / "nowhere")


def test_wal_stays_wal(small):
    """The journal mode is the user's, and the backup of a WAL database opens without companions."""
    alter(small, "PRAGMA journal_mode = WAL")
    done = migrations.execute(small)
    assert query(small, "PRAGMA journal_mode") == [("wal",)]
    assert query(done.backup, "PRAGMA journal_mode") == [("delete",)]


def test_an_unknown_version_is_a_usage_error(small):
    """--to names a version that is there."""
    for run in (migrations.migrate, migrations.execute):
        with pytest.raises(UsageError, match=r"Cannot migrate to version '3': the versions are 2\.0, 2\.1\. Name one"):
            run(small, to="3")


def test_several_versions_go_in_one_transaction(small):
    """All pending versions are applied after one backup, reported as blocks, and taken back by one roll back."""
    more = AddColumn("tasks.colour", "Add colour", "Added colour", "tasks", "colour", "TEXT")
    versions = (*VERSIONS, Version("9.0", (Step("Add colour", (more,)),)))
    before = content(small)
    outcome = execution.run(job(small, versions=versions))
    assert len(outcome.applied) + len(outcome.adopted) == CHANGES[NEWEST] + 1
    text = str(migrations.Migration(outcome)).splitlines()
    places = [text.index(f"Version {number}") for number in ("2.0", "2.1", "9.0")]
    assert [*places, text.index("  Added colour")] == sorted([*places, text.index("  Added colour")])
    assert query(small, "SELECT count(DISTINCT backup) FROM schema_migrations") == [(1,)]
    migrations.rollback(small)
    assert content(small) == before


def half_done(path, count, version=VERSIONS[0]):
    """The first changes of an attempt that stopped, as another tool would have committed them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn, instants.reader(conn):
        for change in version.changes[:count]:
            [conn.execute(sql.replace(":now", "'2025-03-03'")) for sql in change.statements(conn)]


PREFIXES = [(version, count) for version in VERSIONS for count in range(len(version.changes) + 1)]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """For each version a database like `small`, migrated without a hitch."""
    made = {}
    for version in CHANGES:
        made[version] = v1_database(tmp_path_factory.mktemp("clean") / "dash.db", tasks=TASKS)
        migrations.execute(made[version], to=version)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("version", "count"), PREFIXES, ids=lambda one: getattr(one, "number", one))
def test_a_half_finished_attempt_is_completed(small, clean, version, count):
    """Whatever prefix of a version's changes is there, the migration adds the rest and equals a clean one."""
    for before in VERSIONS[: VERSIONS.index(version)]:
        half_done(small, len(before.changes), before)
    half_done(small, count, version)
    done = migrations.execute(small, to=version.number)
    assert model(small) == model(clean[version.number])
    assert old_values(small, small)["tasks"][0] == old_values(clean[version.number], small)["tasks"][0]
    adopted = query(small, "SELECT name FROM schema_migrations WHERE duration_ms IS NULL ORDER BY rowid")
    assert [name for (name,) in adopted] == list(done.outcome.adopted)
    assert len(done.changes) + len(adopted) == CHANGES[version.number]
    assert migrations.status(small).version == version.number
    assert migrations.execute(small, to=version.number).backup is None


@pytest.mark.slow
@pytest.mark.parametrize("count", range(len(VERSIONS[1].changes) + 1))
def test_a_history_is_begun_once(small, clean, count):
    """However far an attempt at version 2.1 got, each task has its rows in the history exactly once."""
    half_done(small, CHANGES["2.0"])
    half_done(small, count, VERSIONS[1])
    migrations.execute(small)
    rows = "SELECT task_id, op, status, checked, title, source FROM task_events ORDER BY 1, 2, 6"
    assert query(small, rows) == query(clean["2.1"], rows)


def test_values_of_the_user_are_never_overwritten(small):
    """What somebody has set since the attempt stays as it is: a column `checked` that is in use is not filled."""
    half_done(small, 4)
    alter(
        small,
        "UPDATE tasks SET updated_at = 'mine', complexity = 'XL', blocked_reason = 'waits' WHERE id = 1",
        "UPDATE tasks SET checked = 1 WHERE id = 2",
    )
    done = migrations.execute(small)
    assert "Populated updated_at for 3 tasks" in str(done)
    assert query(small, "SELECT updated_at, complexity, blocked_reason, checked FROM tasks WHERE id < 3") == [
        ("mine", "XL", "waits", 0),
        (query(small, "SELECT updated_at FROM tasks WHERE id = 2")[0][0], None, None, 1),
    ]


def test_a_column_is_adopted_in_any_case_and_with_another_default(small):
    """A column in capitals or with another default is adopted; what the default does is reported."""
    alter(small, "ALTER TABLE tasks ADD COLUMN CHECKED BOOLEAN DEFAULT 1")
    text = str(migrations.execute(small))
    assert "Adopted 2 changes already there: tasks.checked, sync checked" in text
    told = "tasks.checked is there already, without DEFAULT FALSE, and dashkit leaves it as it is: rows that another "
    told += "program adds have 1 in it"
    assert f"Note: {told}" in text
    assert migrations.status(small).ready


def test_a_column_without_its_check_is_adopted_and_reported(small):
    """A CHECK that is missing is no obstacle, but it is told."""
    alter(small, "ALTER TABLE tasks ADD COLUMN complexity TEXT")
    told = (
        "tasks.complexity is there already, without CHECK (complexity IS NULL OR complexity IN ('S', 'M', 'L', 'XL')), "
    )
    told += "and dashkit leaves it as it is"
    assert f"Note: {told}: it may hold other values, such as 'huge'" in str(migrations.migrate(small))
    assert not [note for note in migrations.execute(small).outcome.notes if "complexity" not in note]


def test_a_table_with_more_columns_is_adopted(small):
    """A table that has all columns and keys is adopted, whatever columns it has on top."""
    change = next(change for change in VERSIONS[0].changes if change.name == "git_repos")
    alter(small, change.sql, "ALTER TABLE git_repos ADD COLUMN stars INTEGER DEFAULT 0")
    done = migrations.execute(small, to="2.0")
    assert done.outcome.adopted == ("git_repos",)
    assert done.outcome.notes == ()


def test_a_table_in_other_words_is_adopted_and_reported(small):
    """A table with all columns and keys, and a condition on top, is adopted, and the difference is told."""
    change = next(change for change in VERSIONS[0].changes if change.name == "git_repos")
    alter(small, change.sql.replace("created_at TEXT", "created_at TEXT CHECK (created_at <> '')"))
    done = migrations.execute(small, to="2.0")
    assert done.outcome.adopted == ("git_repos",)
    assert "Note: git_repos is declared in other words than dashkit's" in str(done)
    assert migrations.status(small).notes == done.outcome.notes


def test_a_lost_index_is_mended(small):
    """A database that lost an index is mended: one change pending, one applied, its record written anew."""
    migrations.execute(small)
    alter(small, "DROP INDEX idx_tasks_checked", "UPDATE schema_migrations SET duration_ms = -1")
    assert migrations.migrate(small).changes == ("idx_tasks_checked",)
    assert migrations.status(small).pending == (("2.0", ("idx_tasks_checked",)), ("2.1", ()))
    done = migrations.execute(small)
    assert "Migration complete: 1 change applied" in str(done)
    assert query(small, "SELECT name, backup FROM schema_migrations WHERE duration_ms >= 0") == [
        ("idx_tasks_checked", done.backup.name)
    ]
    assert query(small, "SELECT count(*) FROM schema_migrations") == [(CHANGES[NEWEST],)]


def test_a_task_added_since_is_not_filled_again(small):
    """A fill that is recorded is done: a task without updated_at that came later is not pending work."""
    migrations.execute(small)
    insert(small, "tasks", project_id=1, title="later", status="completed")
    assert migrations.execute(small).backup is None
    assert query(small, "SELECT checked, updated_at FROM tasks WHERE title = 'later'") == [(0, None)]


def test_without_its_records_a_database_is_recorded_again(small):
    """Where the tracking table was lost everything is adopted, and nothing is done twice."""
    migrations.execute(small)
    tasks, events = query(small, "SELECT * FROM tasks"), query(small, "SELECT * FROM task_events")
    alter(small, "DROP TABLE schema_migrations")
    assert not migrations.status(small).ready
    done = migrations.execute(small)
    assert len(done.outcome.adopted) == CHANGES[NEWEST]
    assert query(small, "SELECT * FROM tasks") == tasks
    assert query(small, "SELECT * FROM task_events") == events
    adopted = query(small, "SELECT count(*) FROM schema_migrations WHERE duration_ms IS NULL")
    assert adopted == [(CHANGES[NEWEST],)]


def test_status_tells_a_change_that_was_edited(small):
    """A checksum that differs from the recorded one is drift, and status says so."""
    migrations.execute(small)
    alter(small, "UPDATE schema_migrations SET checksum = 'other' WHERE name = 'git_repos'")
    assert "Note: git_repos was applied in another wording (recorded other, now " in str(migrations.status(small))


def test_status_says_what_is_pending_and_what_is_ready(small):
    """The last line of status is PENDING with what to run, then READY with the version."""
    lines = str(migrations.status(small)).splitlines()
    assert lines[0] == f"{small}: version 1.0"
    assert lines[-1].startswith("PENDING 2.0: 19 changes (tasks.checked, tasks.blocked_reason, ")
    migrations.execute(small, to="2.0")
    last = str(migrations.status(small)).splitlines()[-1]
    assert last == f"READY (2.0); 2.1 available: `dashkit migrate --db {small}` shows what would change"
    done = migrations.execute(small)
    text = str(migrations.status(small))
    assert text.splitlines()[-1] == "READY (2.1)"
    assert done.backup.name in text


def test_v2_status_speaks_of_each_change(small):
    """Each feature of version 2.0 is there or pending, in a file and in an open connection."""
    before = migrations.v2_status(small)
    assert (len(before["pending"]), before["ready"], before["git_commits"]) == (19, False, False)
    migrations.execute(small)
    with closing(sqlite3.connect(small)) as conn:
        after = migrations.v2_status(conn)
    assert (after["pending"], after["ready"], after["git_commits"]) == ([], True, True)


def test_results_are_data_for_programs(small):
    """Plan, migration, status and roll back are JSON."""
    plan, done = migrations.migrate(small).as_dict(), migrations.execute(small).as_dict()
    assert len(done["changes"]) == CHANGES[NEWEST]
    assert [change["name"] for change in plan["changes"]] == [change["name"] for change in done["changes"]]
    assert (plan["executed"], done["executed"], plan["backup"]) == (False, True, None)
    assert plan["disk_bytes"] >= 3 * small.stat().st_size / 10
    assert next(change["rows"] for change in done["changes"] if change["name"] == "populate updated_at") == 4
    for result in (plan, done, migrations.status(small).as_dict(), migrations.rollback(small).as_dict()):
        assert json.loads(json.dumps(result)) == result


def test_create_leaves_what_is_there(small, tmp_path):
    """Creating a database where a complete one is changes nothing; an older one is refused."""
    migrations.create(small, version="1.0")
    with pytest.raises(RefusedError, match=r"there is a Dashboard of an older version\. Run `dashkit migrate`"):
        migrations.create(small)
    migrations.execute(small)
    before = content(small)
    migrations.create(small)
    assert content(small) == before
