"""Migrations on odd databases: what is refused, in which words; and what is carried through untouched."""

import os
import random
import re
import shutil
import subprocess
from contextlib import closing

import pytest
from builders import CHANGES, NEWEST, query, v1_database
from content import alter, content, folder_state, old_values, quoted
from crash_processes import neighbour

import dashkit
from dashkit import connection, doctor, migrations
from dashkit.errors import BusyError, RefusedError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.migrations import VERSIONS, verify

TRACKING = (
    "CREATE TABLE schema_migrations (version TEXT NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, "
    "checksum TEXT NOT NULL, duration_ms REAL, tool_version TEXT NOT NULL, backup TEXT, PRIMARY KEY (version, name))"
)
TASKS = (
    {"status": "completed", "title": "done", "created_at": "2025-01-02 03:04:05"},
    {"status": "pending", "title": "open"},
    {"status": "Done", "title": "other"},
)


@pytest.fixture
def small(tmp_path):
    """A version 1 database of a few tasks."""
    return v1_database(tmp_path / "dash.db", tasks=TASKS)


def refused(path, words, kind=RefusedError):
    """Dry run and execute refuse alike, with the same words, and leave every byte."""
    before = folder_state(path.parent)
    said = []
    for run in (migrations.migrate, migrations.execute):
        with pytest.raises(kind, match=words) as caught:
            run(path, timeout=0.2)
        said.append((caught.value.exit_code, caught.value.why, caught.value.remedy))
    assert said[0] == said[1]
    after = folder_state(path.parent)
    assert {name: data for name, (data, _) in after.items()} == {name: data for name, (data, _) in before.items()}


def carried_through(path, tmp_path, version=NEWEST):
    """Dry run, execute and roll back work; every old value and definition is there after each."""
    copy = shutil.copy(path, tmp_path / "old.db")
    old, state = content(path), folder_state(path.parent)
    plan = migrations.migrate(path, to=version)
    assert folder_state(path.parent) == state
    done = migrations.execute(path, to=version)
    assert done.changes == plan.changes
    assert old_values(path, copy).keys() == old[1].keys()
    expected = old_values(copy, copy)
    assert {name: rows for name, rows in old_values(path, copy).items() if name != "sqlite_sequence"} == {
        name: rows for name, rows in expected.items() if name != "sqlite_sequence"
    }
    kept = [one for one in content(path)[0] if one in old[0]]
    assert [one for one in old[0] if one[1][1].lower() != b"tasks"] == kept
    migrations.rollback(path)
    assert content(path) == old
    return done


def write(data):
    """A file with these bytes in place of the database."""
    return lambda path: path.write_bytes(data)


def twice_named(path):
    """A second name for the same file."""
    path.with_name("other.db").hardlink_to(path)


def zeroed(path):
    """A page of the tasks is gone."""
    alter(path, "UPDATE tasks SET description = hex(zeroblob(9000))")
    data = path.read_bytes()
    path.write_bytes(data[:-8192] + bytes(4096) + data[-4096:])


def odd_index(path):
    """An index that does not fit its table: only the whole integrity check finds that."""
    alter(path, "CREATE INDEX by_title ON tasks (title)")
    data = path.read_bytes()
    place = data.rindex(b"open")
    path.write_bytes(data[:place] + b"opex" + data[place + 4 :])


FILES = {
    "random bytes": (write(random.Random(1).randbytes(8192)), r"is not a SQLite database, or it is encrypted"),
    "a text": (write(b"hello, world\n" * 900), r"is not a SQLite database, or it is encrypted"),
    "empty": (write(b""), r"the file is empty\. Name the Dashboard's own file, or restore a backup"),
    "missing": (os.unlink, r"there is no such file\. Name the database with --db PATH"),
    "hard link": (twice_named, r"the file has 2 names \(hard links\).*Copy it to a file of its own"),
    "zeroed page": (zeroed, r"the database is damaged"),
    "index that does not fit": (odd_index, r"the database is damaged: .*by_title.*Nothing was changed"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_sound_database_is_refused(small, name):
    """What is no sound file of a database is refused in words, by dry run and execute alike."""
    spoil, words = FILES[name]
    spoil(small)
    refused(small, words)


def test_a_folder_is_refused(tmp_path):
    """A folder is no database."""
    refused(tmp_path, r"it is not a file\. Name the database file itself")


@pytest.mark.parametrize("name", ["x" * 300, "~nobody-of-this-name/x.db", "a\0b", "\udcff", "loop"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, monkeypatch, name):
    """A name that the system does not take is refused in words, like any other file that is not there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    for run in (migrations.status, migrations.migrate, migrations.execute, migrations.rollback):
        with pytest.raises(RefusedError, match=r"Cannot open .*: (there is no such file|file name too long)"):
            run(name)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_place_is_refused(small, what):
    """A read-only file or folder is refused before anything is tried."""
    place = small if what == "file" else small.parent
    place.chmod(0o500)
    try:
        if os.access(place, os.W_OK):
            pytest.skip("the administrator may write to everything")
        refused(small, r"is read-only\. Allow writing to it, or work on a copy")
    finally:
        place.chmod(0o700)


def test_too_little_room_is_refused(tmp_path):
    """Where the disk has no room for the backup and the journal nothing is begun."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("a small disk can be mounted by the administrator only")
    try:
        path = v1_database(place / "dash.db", tasks=[{"description": "x" * 90_000}])
        refused(path, r"there is too little room: [\d,]+ bytes free in .*tiny, [\d,]+ may be needed\. Make room")
    finally:
        subprocess.run(["umount", str(place)], check=True)


SCHEMAS = {
    "no tasks": (["DROP TABLE tasks"], r"it is no Dashboard: there is no table tasks"),
    "no projects": (["DROP TABLE projects"], r"it is no Dashboard: there is no table projects"),
    "no title": (
        ["ALTER TABLE tasks RENAME COLUMN title TO name"],
        r"it is no Dashboard: tasks has no column title",
    ),
    "tasks is a view": (
        ["ALTER TABLE tasks RENAME TO jobs", "CREATE VIEW tasks AS SELECT * FROM jobs"],
        r"tasks is a view, not an ordinary table",
    ),
    "tasks is a broken view": (
        ["DROP TABLE tasks", "CREATE VIEW tasks AS SELECT * FROM gone"],
        r"tasks is a view, not an ordinary table",
    ),
    "tasks is virtual": (
        ["DROP TABLE tasks", "CREATE VIRTUAL TABLE tasks USING fts5(id, project_id, title, status)"],
        r"tasks is a virtual table, not an ordinary table",
    ),
    "tasks is STRICT": (
        [
            "DROP TABLE tasks",
            "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INT, title TEXT, status TEXT) STRICT",
        ],
        r"tasks is a STRICT table, and SQLite adds no BOOLEAN column to such a table\. Run `ALTER TABLE tasks ADD",
    ),
    "projects without a key": (
        ["CREATE TABLE p AS SELECT * FROM projects", "DROP TABLE projects", "ALTER TABLE p RENAME TO projects"],
        r"projects\.id is not its key, so no other table could point to it",
    ),
    "a newer version": (
        [TRACKING, "INSERT INTO schema_migrations VALUES ('99.1', 'x', '', '', NULL, '', NULL)"],
        r"it is at version 99\.1, newer than this dashkit knows \(2\.1\)\. Update dashkit",
    ),
    "a record that is no text": (
        [TRACKING, "INSERT INTO schema_migrations VALUES (X'ff', X'00', X'ff', X'ff', NULL, X'', X'ff')"],
        r"newer than this dashkit knows",
    ),
    "two records": (
        [TRACKING, TRACKING.replace("schema_migrations", "dashkit_migrations")],
        r"two records of migrations, schema_migrations and dashkit_migrations.*Rename the one that is out of date",
    ),
    "both names of the record taken": (
        ["CREATE TABLE schema_migrations (version)", "CREATE VIEW dashkit_migrations AS SELECT 1 AS version"],
        r"the names schema_migrations and dashkit_migrations.*both taken.*Rename dashkit_migrations, together with",
    ),
    "a view of our name": (
        ["CREATE VIEW git_repos AS SELECT 1 AS id"],
        r"the name git_repos is taken by a view\. If another program .* Nothing was changed; `dashkit doctor --db ",
    ),
    "a virtual table of our name": (
        ["CREATE VIRTUAL TABLE llm_sessions USING fts5(id)"],
        r"the name llm_sessions is taken by a virtual table",
    ),
    "an index of our table's name": (
        ["CREATE INDEX git_commits ON tasks (title)"],
        r"the name git_commits is taken by an index",
    ),
    "an index of another table": (
        ["CREATE INDEX idx_tasks_checked ON projects (name)"],
        r"an index named idx_tasks_checked exists already, on projects\(name\); dashkit needs that name for tasks",
    ),
    "a unique index": (
        ["ALTER TABLE tasks ADD COLUMN checked BOOLEAN", "CREATE UNIQUE INDEX idx_tasks_checked ON tasks (checked)"],
        r"a unique index named idx_tasks_checked exists already",
    ),
    "an index with another condition": (
        ["CREATE INDEX idx_tasks_status_blocked ON tasks (status) WHERE status = 'Blocked'"],
        r"an index named idx_tasks_status_blocked exists already",
    ),
    "a table of our index's name": (
        ["CREATE TABLE idx_tasks_checked (a)"],
        r"the name idx_tasks_checked is taken by a table",
    ),
    "a generated column": (
        ["ALTER TABLE tasks ADD COLUMN checked BOOLEAN AS (status = 'completed')"],
        r"tasks\.checked is a generated column",
    ),
    "another affinity": (
        ["ALTER TABLE tasks ADD COLUMN updated_at INTEGER"],
        r"tasks\.updated_at is declared INTEGER, and dashkit keeps text there",
    ),
    "a size out of range": (
        ["ALTER TABLE tasks ADD COLUMN complexity TEXT", "UPDATE tasks SET complexity = 'huge' WHERE id < 3"],
        r"holds 2 values such as 'huge', outside of: complexity IS NULL OR complexity IN \('S', 'M', 'L', 'XL'\)",
    ),
    "checked out of range": (
        ["ALTER TABLE tasks ADD COLUMN checked BOOLEAN DEFAULT FALSE", "UPDATE tasks SET checked = 'yes' WHERE id = 1"],
        r"holds 1 value such as 'yes', outside of: checked IS NULL OR checked IN \(0, 1\)\. Keep such values",
    ),
    "a table that lacks a column": (
        ["CREATE TABLE git_repos (id TEXT PRIMARY KEY, project_id INTEGER REFERENCES projects(id) ON DELETE CASCADE)"],
        r"a table git_repos exists already, without the column path",
    ),
    "a table with another affinity": (
        [VERSIONS[0].changes[4].sql.replace("path TEXT", "path INTEGER")],
        r"a table git_repos exists already, without a TEXT column path \(it is declared INTEGER\)",
    ),
    "a table without its unique key": (
        [VERSIONS[0].changes[4].sql.replace(", UNIQUE (project_id, path)", "")],
        r"a table git_repos exists already, without the unique key \(path, project_id\)",
    ),
    "a table without its foreign key": (
        [VERSIONS[0].changes[4].sql.replace(" REFERENCES projects(id) ON DELETE CASCADE", "")],
        r"a table git_repos exists already, without the foreign key project_id -> projects ON DELETE CASCADE",
    ),
    "a confidence out of range": (
        [
            VERSIONS[0].changes[7].sql.replace(" CHECK (confidence BETWEEN 0.0 AND 1.0)", ""),
            "INSERT INTO task_commit_links VALUES ('a', 1, 'sha', 80, 'explicit', NULL, NULL)",
        ],
        r"task_commit_links holds 1 rows outside of: confidence BETWEEN 0\.0 AND 1\.0",
    ),
    "a positional insert in a trigger": (
        [
            "CREATE TABLE inbox (title)",
            "CREATE TRIGGER take AFTER INSERT ON inbox BEGIN "
            "INSERT INTO tasks VALUES (NULL, 1, NULL, new.title, NULL, NULL, NULL, NULL, NULL); END",
        ],
        r"insert into inbox no longer works: table tasks has 20 columns but 9 values were supplied",
    ),
    "a positional insert through a view": (
        [
            "CREATE VIEW inbox AS SELECT title FROM tasks",
            "CREATE TRIGGER take INSTEAD OF INSERT ON inbox BEGIN "
            "INSERT INTO tasks VALUES (NULL, 1, NULL, new.title, NULL, NULL, NULL, NULL, NULL); END",
        ],
        r"insert into inbox no longer works: table tasks has 20 columns but 9 values were supplied",
    ),
    "a copy of the whole row in a trigger": (
        [
            "CREATE TABLE trash AS SELECT * FROM tasks",
            "CREATE TRIGGER bin BEFORE DELETE ON tasks BEGIN "
            "INSERT INTO trash SELECT * FROM tasks WHERE id = old.id; END",
        ],
        r"delete from tasks no longer works: table trash has 9 columns but 20 values were supplied",
    ),
    "a union with the whole row": (
        [
            "CREATE TABLE old_tasks AS SELECT * FROM tasks",
            "CREATE VIEW every AS SELECT * FROM tasks UNION SELECT * FROM old_tasks",
        ],
        r"select from every no longer works: SELECTs to the left and right of UNION do not have the same number",
    ),
    "a row that breaks an old condition": (
        [
            "ALTER TABLE tasks ADD COLUMN points INTEGER CHECK (points > 0)",
            "PRAGMA ignore_check_constraints = ON",
            "UPDATE tasks SET points = -1",
        ],
        r"rows that are there break its own conditions: CHECK constraint failed in tasks\. Nothing was changed",
    ),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_does_not_fit_is_refused(small, name):
    """What is no Dashboard, or has something of ours in the way, is refused by dry run and execute alike."""
    statements, words = SCHEMAS[name]
    alter(small, *statements)
    refused(small, words)


def test_every_obstacle_is_named_at_once(small):
    """All that is in the way is in one message, in the attributes, and in the status."""
    alter(small, "CREATE VIEW git_repos AS SELECT 1", "CREATE TABLE idx_tasks_checked (a)")
    with pytest.raises(RefusedError, match=r"git_repos is taken by a view; the name idx_tasks_checked is") as caught:
        migrations.migrate(small)
    assert len(caught.value.obstacles) == 2
    status = migrations.status(small)
    assert list(caught.value.obstacles) == list(status.obstacles)
    assert str(status).splitlines()[-1].startswith("REFUSED: the migration cannot run yet")


def test_a_writer_that_does_not_let_go_is_named(small):
    """An execute gives up in time where another program holds the write lock; nothing is left behind."""
    before = folder_state(small.parent)
    with (
        neighbour("hold", small, "BEGIN IMMEDIATE"),
        pytest.raises(BusyError, match=r"another program is using it and did not let go\. Nothing changed"),
    ):
        migrations.execute(small, timeout=0.2)
    assert folder_state(small.parent) == before


def test_a_reader_that_does_not_let_go_is_named(small):
    """A COMMIT that a reader keeps waiting is given up: nothing changed, no backup."""
    before = content(small)
    with (
        neighbour("hold", small, "BEGIN", "SELECT * FROM tasks"),
        pytest.raises(BusyError, match=r"did not let go"),
    ):
        migrations.execute(small, timeout=0.2)
    assert content(small) == before
    assert [entry.name for entry in small.parent.iterdir()] == [small.name]


def test_the_dry_run_waits_for_nobody_for_ever(small):
    """A dry run gives up in time where another program holds the whole database."""
    with neighbour("hold", small, "BEGIN EXCLUSIVE"), pytest.raises(BusyError, match=r"did not let go"):
        migrations.migrate(small, timeout=0.2)


TRIGGERS = [
    "CREATE TRIGGER skip BEFORE UPDATE ON tasks BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER \"z 'audit'\" AFTER UPDATE ON tasks -- word\n BEGIN INSERT INTO audit VALUES (new.id, 'upd'); END",
    "create trigger [touch] after update of status, title on TASKS when 1 begin\n"
    "  update tasks set title = title || '!' where id = new.id; end",
    "CREATE TRIGGER guard BEFORE DELETE ON tasks BEGIN SELECT RAISE(ABORT, 'no;--'); END",
    "CREATE TRIGGER IF NOT EXISTS main.qualified AFTER UPDATE OF priority ON tasks BEGIN SELECT 1; END",
    "CREATE TRIGGER born AFTER INSERT ON tasks BEGIN INSERT INTO audit VALUES (new.id, 'ins'); END",
]


def test_triggers_of_tasks_are_put_aside_and_restored(small, tmp_path):
    """Triggers neither fire nor change by a migration: same text to the byte, same order, same effect after."""
    alter(small, "CREATE TABLE audit (id, what)", *TRIGGERS)
    theirs = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE 'dashkit@_%' ESCAPE '@' "
        "ORDER BY rowid"
    )
    before = query(small, theirs)
    done = carried_through(small, tmp_path)
    assert "Populated updated_at for 3 tasks" in str(done)
    migrations.execute(small)
    assert query(small, theirs) == before
    assert query(small, "SELECT count(*) FROM audit") == [(0,)]
    assert query(small, "SELECT count(*) FROM tasks WHERE updated_at IS NULL") == [(0,)]
    alter(small, "DROP TRIGGER skip", "UPDATE tasks SET status = 'review' WHERE id = 2")
    assert query(small, "SELECT title FROM tasks WHERE id = 2") == [("open!",)]


ODD = {
    "WITHOUT ROWID": [
        "CREATE TABLE tags (tag TEXT COLLATE NOCASE PRIMARY KEY, n REAL) WITHOUT ROWID",
        "INSERT INTO tags VALUES ('A', 1), ('b', 2.5)",
    ],
    "columns named like the row id": [
        "CREATE TABLE r1 (rowid TEXT, oid TEXT)",
        "CREATE TABLE r2 (rowid TEXT, _rowid_ TEXT, oid TEXT)",
        "INSERT INTO r1 VALUES ('x', NULL), ('x', NULL)",
        "INSERT INTO r2 VALUES ('x', NULL, 1), ('x', NULL, 1)",
        "ALTER TABLE tasks ADD COLUMN rowid TEXT",
    ],
    "collations": [
        "CREATE TABLE words (a TEXT COLLATE NOCASE UNIQUE, b TEXT COLLATE RTRIM)",
        "INSERT INTO words VALUES ('Ab', 'x  '), ('cd', 'x')",
    ],
    "odd values": [
        "CREATE TABLE odd (a INTEGER, b REAL, c TEXT, d BLOB, e, f BOOLEAN, g NUMERIC)",
        "INSERT INTO odd VALUES (9223372036854775807, 1e300, CAST(X'6100ff62' AS TEXT), X'00ff', 1.0, 'may', '0012')",
        "INSERT INTO odd VALUES (-9223372036854775808, 9e999, 'a' || char(0) || 'b', '', X'', 2, 1e20)",
        "INSERT INTO odd VALUES (1.5, 'text', 5, 5.5, NULL, NULL, 'x')",
        "UPDATE tasks SET status = X'ff', priority = 1.5, created_at = X'00' WHERE id = 1",
        "UPDATE tasks SET status = CAST(X'ff41' AS TEXT), created_at = 5, title = char(0) WHERE id = 2",
    ],
    "generated columns": [
        "ALTER TABLE tasks ADD COLUMN shout TEXT AS (upper(title)) VIRTUAL",
        "CREATE TABLE made (a INTEGER, b AS (a * 2) STORED, c AS (a + 1))",
        "INSERT INTO made (a) VALUES (1), (2)",
    ],
    "names": [
        'CREATE TABLE "order" ("select" TEXT, "a""b" TEXT, "c d" TEXT, "é☃" TEXT)',
        "INSERT INTO \"order\" VALUES ('1', '2', '3', '4')",
        'CREATE TABLE "it\'s; DROP TABLE tasks; --" (id INTEGER PRIMARY KEY)',
        'CREATE INDEX "in dex" ON "order" ("a""b")',
        'CREATE VIEW "vi ew" AS SELECT "select" FROM "order"',
        "ALTER TABLE tasks ADD COLUMN \"from\" TEXT DEFAULT 'x'",
    ],
    "keys to itself": [
        "CREATE TABLE tree (id INTEGER PRIMARY KEY AUTOINCREMENT, up INTEGER REFERENCES tree(id) ON DELETE CASCADE)",
        "INSERT INTO tree VALUES (1, NULL), (7, 1)",
        "ALTER TABLE tasks ADD COLUMN parent INTEGER REFERENCES tasks(id) ON DELETE CASCADE",
        "UPDATE tasks SET parent = 1",
    ],
    "a key to what is not unique": [
        "CREATE TABLE lost (name TEXT REFERENCES projects(name))",
        "INSERT INTO lost VALUES ('x')",
    ],
    "a view that is broken already": ["CREATE VIEW broken AS SELECT * FROM gone"],
    "a trigger that is broken already": [
        "CREATE TRIGGER broken AFTER INSERT ON projects BEGIN INSERT INTO gone VALUES (1); END"
    ],
    "a search index kept by triggers": [
        "CREATE VIRTUAL TABLE found USING fts5(title)",
        "CREATE TRIGGER find AFTER INSERT ON tasks BEGIN INSERT INTO found VALUES (new.title); END",
        "CREATE TRIGGER lose AFTER UPDATE ON tasks BEGIN INSERT INTO found VALUES (new.title); END",
        "INSERT INTO found VALUES ('word')",
    ],
    "a view of a pragma": ["CREATE VIEW shape AS SELECT name FROM pragma_table_info('tasks')"],
    "a module that is not loaded": [
        "PRAGMA writable_schema = ON",
        "INSERT INTO sqlite_master VALUES ('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(a)')",
    ],
    "a very wide table": [
        f"CREATE TABLE wide ({', '.join(f'c{n}' for n in range(1500))})",
        "INSERT INTO wide (c3, c1499) VALUES (1, 2)",
    ],
    "statistics": ["CREATE INDEX by_status ON tasks (status)", "ANALYZE"],
    "tables of one name in another case": [
        "ALTER TABLE tasks RENAME TO t",
        "ALTER TABLE t RENAME TO Tasks",
        "ALTER TABLE projects RENAME TO p",
        "ALTER TABLE p RENAME TO PROJECTS",
    ],
    "less than version 1": [
        "DROP TABLE task_dependencies",
        "DROP TABLE phases",
        "DROP TABLE tasks",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT, status TEXT)",
        "INSERT INTO tasks VALUES (1, 1, 'a', 'completed'), (2, 1, 'b', NULL), (3, 1, 'c', '')",
    ],
    "incremental vacuum": ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM"],
    "large pages": ["PRAGMA page_size = 32768", "VACUUM"],
    "UTF-16": [],
}


# What version 2.1 does not need to do where there is no table task_dependencies.
NEEDLESS = {("less than version 1", "2.1"): 3}


@pytest.mark.slow
@pytest.mark.parametrize("version", CHANGES)
@pytest.mark.parametrize("name", ODD)
def test_odd_databases_are_carried_through(small, tmp_path, name, version):
    """Whatever else is in a database comes through execute and roll back, value for value and byte for byte."""
    if name == "UTF-16":
        small.unlink()
        alter(small, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE first (a)", "INSERT INTO first VALUES ('é☃')")
        v1_database(small, tasks=TASKS)
    alter(small, *ODD[name])
    done = carried_through(small, tmp_path, version)
    applied = CHANGES[version] - NEEDLESS.get((name, version), 0)
    assert f"Migration complete: {applied} changes applied" in str(done)


def test_a_table_of_tasks_without_row_ids(tmp_path):
    """Tasks WITHOUT ROWID migrate too: rows are compared by their values."""
    path = v1_database(tmp_path / "dash.db")
    (_, text), *_ = query(path, "SELECT name, sql FROM sqlite_master WHERE name = 'tasks'")
    alter(path, "DROP TABLE tasks", text.rstrip(";") + " WITHOUT ROWID")
    alter(path, "INSERT INTO tasks (id, project_id, title, status) VALUES (1, 1, 'a', 'completed'), (5, 1, 'b', 'x')")
    done = carried_through(path, tmp_path)
    assert "Marked 1 completed task as checked" in str(done)


def test_strict_tables_with_a_column_of_their_own_are_carried_through(tmp_path):
    """What the refusal of a STRICT table says to do works, and a STRICT table of projects stops nothing."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT) STRICT",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INT, title TEXT, status TEXT, created_at TEXT) STRICT",
        "INSERT INTO tasks (project_id, title, status) VALUES (1, 'a', 'completed'), (1, 'b', 'x')",
    )
    refused(path, r"`ALTER TABLE tasks ADD COLUMN checked INTEGER DEFAULT 0` on it first: dashkit adopts that column")
    alter(path, "ALTER TABLE tasks ADD COLUMN checked INTEGER DEFAULT 0")
    migrations.migrate(path)
    before = content(path)
    migrations.execute(path)
    assert query(path, "SELECT checked FROM tasks ORDER BY id") == [(1,), (0,)]
    assert migrations.status(path).ready
    alter(path, "UPDATE tasks SET checked = 1 WHERE id = 2")
    assert query(path, "SELECT op FROM task_events WHERE task_id = 2 ORDER BY event_id")[-1] == ("update",)
    migrations.rollback(path)
    assert content(path) == before


PHASES = {
    "a view": ["CREATE VIEW phases AS SELECT 1 AS id, 1 AS project_id, 'Plan' AS name, 1 AS position"],
    "a broken view": ["CREATE VIEW phases AS SELECT * FROM gone"],
    "other columns": ["CREATE TABLE phases (code TEXT PRIMARY KEY)", "INSERT INTO phases VALUES ('x')"],
    "no key": ["CREATE TABLE phases (id, project_id, name, position)", "INSERT INTO phases VALUES (1, 1, 'Plan', 1)"],
}


@pytest.mark.parametrize("name", PHASES)
def test_phases_of_another_kind_stop_nothing(small, tmp_path, name):
    """Whatever has the name of the phases, the migration, the frames and the reading of a list go on beside it."""
    alter(
        small,
        *("DROP TABLE phases", "DROP TABLE tasks"),
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, phase_id INTEGER, title TEXT, status TEXT)",
        "INSERT INTO tasks VALUES (1, 1, 1, 'a', 'completed'), (2, 1, NULL, 'b', NULL), (3, 1, 7, 'c', '')",
        *PHASES[name],
    )
    carried_through(small, tmp_path)
    migrations.execute(small)
    with dashkit.open(small) as d:
        assert d.progress(by="phase")["tasks"].sum() == 3
    (tmp_path / "TODO.md").write_text("# Build\n- [ ] Alpha\n")
    ingest_tasks([tmp_path / "TODO.md"], db=small, project_id=1)
    assert query(small, "SELECT count(*) FROM tasks") == [(4,)]
    assert migrations.status(small).ready


def test_other_spellings_and_orphans_are_told_by_the_dry_run(small, tmp_path):
    """A dry run counts statuses in other words, whatever their bytes, and rows that point nowhere."""
    alter(
        small,
        "INSERT INTO tasks (project_id, title, status) VALUES (77, 'a', 'done'), (78, 'b', 'done'), (1, 'c', NULL)",
        "INSERT INTO tasks (project_id, title, status) VALUES (1, 'd', CAST(X'ff' AS TEXT))",
        "INSERT INTO phases (project_id, name) VALUES (79, 'p')",
    )
    plan = migrations.migrate(small)
    assert "Statuses in other words, kept as they are and not marked as checked: 'done' (2), 'Done' (1)" in str(plan)
    assert "  2 tasks have the status 'done' and will count as open. If it means completed, run before" in str(plan)
    assert plan.as_dict()["other_statuses"] == {"done": 2, "Done": 1, r"\xff": 1}
    assert "Rows that point to a row that is not there, kept as they are: phases (1), tasks (2)" in str(plan)
    carried_through(small, tmp_path)


STATUSES = {
    "done": "completed",
    "Completed": "completed",
    "Doing": "in_progress",
    "In Progress": "in_progress",
    "on-hold": "blocked",
    "it's `done`": "completed",
    "Canceled": "cancelled",
}


@pytest.mark.parametrize("declared", ["TEXT", "TEXT COLLATE NOCASE", ""])
@pytest.mark.parametrize("is_migrated", [False, True])
def test_what_is_advised_on_a_status_is_done_to_its_tasks_alone(tmp_path, declared, is_migrated):
    """Each statement changes the tasks of its word to the byte, and nothing is left to say of the word."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
        f"CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT, status {declared})",
        "INSERT INTO projects VALUES (1, 'a')",
    )
    for word in (*STATUSES, "DONE", "completed"):
        query(path, "INSERT INTO tasks (project_id, title, status) VALUES (1, ?, ?)", word, word)
    if is_migrated:
        migrations.execute(path)
        remedies = " ".join(one.remedy for one in doctor.examine(path).findings)
    else:
        remedies = str(migrations.migrate(path))
    for statement in re.findall(r"UPDATE tasks SET [^;]+;", remedies):
        assert ("COLLATE" in statement) <= (declared == "TEXT COLLATE NOCASE")
        alter(path, statement)
    after = query(path, f"SELECT title, status{', checked' if is_migrated else ''} FROM tasks WHERE title <> 'DONE'")
    for title, status, *checked in after:
        meant = STATUSES.get(title, "completed")
        assert checked == [1] if is_migrated and meant == "completed" else status == meant, title


def test_a_status_of_which_every_task_is_checked_needs_nothing(small):
    """A status in another word that counts as done already is noted, and nothing is advised."""
    migrations.execute(small)
    alter(small, "UPDATE tasks SET status = 'done', checked = 1")
    (found,) = [one for one in doctor.examine(small).findings if "dashkit's words" in one.found]
    assert "`" not in found.remedy


def test_of_many_other_spellings_the_rest_is_counted(small):
    """A dry run names the statuses that are used most, and says how many more there are."""
    alter(small, *(f"INSERT INTO tasks (project_id, title, status) VALUES (1, 'x', 'word {n}')" for n in range(20)))
    (told,) = [line for line in str(migrations.migrate(small)).splitlines() if line.startswith("Statuses in other")]
    assert told.count("'") == 16
    assert told.endswith(" and 13 more")


def test_the_comparison_sees_a_change_of_case_alone(small):
    """Rows are compared by their bytes, whatever the collation of their column."""
    alter(
        small, "CREATE TABLE words (a TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID", "INSERT INTO words VALUES ('a')"
    )
    copy = shutil.copy(small, small.with_name("copy.db"))
    alter(small, "UPDATE words SET a = 'A'", "UPDATE tasks SET title = 'Open' WHERE id = 2")
    with closing(connection.connect(small)) as conn:
        connection.attach_immutable(conn, copy, "backup")
        assert verify.differences(conn, "words", {}) == ["1 rows of words differ from the backup"]
        assert verify.differences(conn, "tasks", {}) == ["1 rows of tasks differ from the backup"]
        assert verify.differences(conn, "projects", {}) == []


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'say "x"', "what?", "100%", "100%41", "#1", "a&b=c;d", "é☃", "$HOME", "-x"]
)
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_any_name_of_a_file_is_the_name_of_that_file(tmp_path, name, mode):
    """No character in a path is anything but a character of the path."""
    folder = tmp_path / name
    folder.mkdir()
    path = alter(v1_database(folder / f"{name}.db", tasks=TASKS), f"PRAGMA journal_mode = {mode}")
    before = content(path)
    migrations.migrate(path).execute()
    migrations.rollback(path)
    assert content(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert all(entry.name.startswith(f"{name}.") for entry in folder.iterdir())


def test_a_symbolic_link_is_followed(small, tmp_path):
    """Through a link the file itself is migrated, the backup is beside it, and the link stays a link."""
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.db"
    link.symlink_to(small)
    done = migrations.execute(link)
    assert link.is_symlink()
    assert done.backup.parent == small.parent
    assert [entry.name for entry in link.parent.iterdir()] == ["link.db"]
    assert migrations.status(small).ready
    migrations.rollback(link)
    assert not migrations.status(small).ready


def test_a_relative_path(small, monkeypatch):
    """A relative path is the file of the working folder."""
    monkeypatch.chdir(small.parent)
    before = content(small)
    migrations.execute("dash.db")
    migrations.rollback("dash.db")
    assert content(small) == before


def test_status_counts_rows_of_tables_of_any_name(small):
    """Status counts the rows of a table with a name of any kind."""
    alter(small, f"CREATE TABLE {quoted('a; b')} (x)", f"INSERT INTO {quoted('a; b')} VALUES (1)")
    assert "          1  a; b" in str(migrations.status(small)).splitlines()
