"""Adoption: what other programs have under our names is read right, or refused in words, and stays as it is."""

import re
import shutil
from pathlib import Path

import pytest
from builders import CHANGES, insert, query, v1_database
from content import alter, content, folder_state, old_values
from loads import LOADS

import dashkit
from dashkit import dashboard, database, doctor, migrations, scan
from dashkit.cli import main
from dashkit.errors import OutdatedError, RefusedError
from dashkit.migrations import record
from dashkit.migrations.changes import CreateIndex, CreateTable, CreateTrigger
from dashkit.verification import verify_migration

WORDS = ("completed", "completed", "completed", "pending", "pending", "Completed")
STATEMENT = "UPDATE tasks SET checked = 1 WHERE status = 'completed' AND checked IS NOT 1;"


@pytest.fixture
def old(tmp_path):
    """A version 1 database of six tasks, three of them completed."""
    return v1_database(
        tmp_path / "dash.db", tasks=[{"title": f"Task {n}", "status": one} for n, one in enumerate(WORDS)]
    )


def with_checked(path, values, declared="BOOLEAN DEFAULT FALSE"):
    """The database with a column `checked` of these values, as somebody has made it."""
    alter(path, f"ALTER TABLE tasks ADD COLUMN checked {declared}")
    for number, value in enumerate(values, start=1):
        query(path, "UPDATE tasks SET checked = ? WHERE id = ?", value, number)
    return path


FILLED = [1, 1, 1, 0, 0, 0]
# What is in the column -> what is in it after the migration, and how many completed tasks are left unchecked.
USED = {
    "never filled": ([0] * 6, FILLED, 0),
    "never filled, and NULL": ([None] * 6, [1, 1, 1, None, None, None], 0),
    "never filled, 0 and NULL": ([0, None, 0, None, 0, 0], [1, 1, 1, None, 0, 0], 0),
    "one unchecked": ([0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0], 1),
    "one of another status checked": ([0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0], 3),
    "in use, and NULL": ([0, None, 1, None, 1, None], [0, 1, 1, None, 1, None], 1),
    "filled already": (FILLED, FILLED, 0),
}  # fmt: skip


@pytest.mark.parametrize("declared", ["BOOLEAN DEFAULT FALSE", "INTEGER", "TINYINT(1)", "BIT", "FLOAT", ""])
@pytest.mark.parametrize("name", USED)
def test_a_column_checked_is_filled_where_nobody_has_used_it(old, name, declared):
    """Without a 1 it is filled by status; with one only NULL is, and the rest is counted with what checks it."""
    before, after, left = USED[name]
    with_checked(old, before, declared)
    plan = migrations.migrate(old)
    done = migrations.execute(old)
    assert query(old, "SELECT checked FROM tasks ORDER BY id") == [(one,) for one in after]
    told = (
        f"say{'' if left > 1 else 's'} checked = 0; dashkit keeps that, so {'they count' if left > 1 else 'it counts'}"
    )
    for said in (str(plan), str(done), str(plan.as_dict()["notes"]), str(done.as_dict()["notes"])):
        assert (told in said and STATEMENT in said) is bool(left)
        assert ("dashkit keeps that" in said) is bool(left)
    assert migrations.status(old).ready
    assert "dashkit keeps that" not in str(migrations.status(old))  # it was said, and the values are somebody's word
    assert str(migrations.plan_rollback(old)).endswith("Nothing was written since: nothing is lost.")
    alter(old, STATEMENT)
    assert query(old, "SELECT count(*) FROM tasks WHERE checked = 1 AND status = 'completed'") == [(3,)]
    assert query(old, "SELECT count(*) FROM task_events WHERE op = 'update'") == [(left,)]


def test_what_stays_unchecked_is_proved_and_told(old):
    """The verification holds, and its page says how many were unchecked before and what checks them."""
    with_checked(old, [0, 1, 1, 0, 0, 0])
    for found in (verify_migration(old), verify_migration(old, execute=True)):
        assert found.ok, found.verdict
        told = found.results().set_index("check").loc["checked agrees with status", "found"]
        assert told == (
            "2 of 3 completed tasks checked; 1 unchecked before the migration, which kept that "
            f"(to check them: {STATEMENT})"
        )
    alter(old, "UPDATE tasks SET checked = 0 WHERE id = 3")  # and this is said by the history
    told = verify_migration(old).results().set_index("check").loc["checked agrees with status", "found"]
    assert told.endswith("; 1 unchecked by somebody since")


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        ([], "every old row and value equals the backup's."),
        (["checked BOOLEAN"], "every old row and value equals the backup's, but for what was filled in tasks.checked."),
        (["checked BOOLEAN DEFAULT 1"], "every old row and value equals the backup's."),
        (
            ["updated_at TEXT", "checked BOOLEAN"],
            "the backup's, but for what was filled in tasks.updated_at and tasks.checked.",
        ),
    ],
)
def test_the_report_says_which_old_values_it_filled(old, statements, sentence):
    """What was filled in a column that was there is no new value, so it is named."""
    alter(old, *(f"ALTER TABLE tasks ADD COLUMN {one}" for one in statements))
    assert sentence in str(migrations.execute(old))


@pytest.mark.parametrize("version", CHANGES)
@pytest.mark.parametrize(
    "columns",
    [
        ["updated_at TEXT"],
        ["updated_at DATETIME"],
        ["checked BOOLEAN"],
        ["checked FLOAT DEFAULT 0", "updated_at TIMESTAMP", "complexity VARCHAR(2)", "blocked_reason CLOB"],
    ],
)
def test_a_rollback_right_after_loses_nothing(old, columns, version):
    """What the migration itself filled in columns that were there is nobody's writing; what comes later is."""
    alter(old, "UPDATE tasks SET created_at = NULL WHERE id = 1")
    alter(old, *(f"ALTER TABLE tasks ADD COLUMN {one}" for one in columns))
    before = content(old)
    migrations.execute(old, to=version)
    assert str(migrations.plan_rollback(old)).endswith("Nothing was written since: nothing is lost.")
    database.update_task_checked(2, False, db=old)
    alter(old, "UPDATE tasks SET updated_at = 'mine' WHERE id = 3")
    assert "  tasks: rows 2 changed" in str(migrations.plan_rollback(old))
    migrations.rollback(old)
    assert content(old) == before


def test_a_status_that_knows_no_case_is_no_writing(tmp_path):
    """Where the column of statuses has a collation of its own, what was marked as checked is still the migration's."""
    path = v1_database(tmp_path / "dash.db")
    ((text,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = 'tasks'")
    alter(path, "DROP TABLE tasks", text.replace("status TEXT", "status TEXT COLLATE NOCASE"))
    for word in WORDS:
        insert(path, "tasks", project_id=1, title="a", status=word)
    migrations.execute(path)
    assert query(path, "SELECT checked FROM tasks ORDER BY id") == [(one,) for one in FILLED]
    assert str(migrations.plan_rollback(path)).endswith("Nothing was written since: nothing is lost.")


# The table of other migration tools, with a row as each leaves it.
TOOLS = {
    "Rails": [
        "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY)",
        "INSERT INTO schema_migrations VALUES ('20240101120000')",
    ],
    "dbmate": [
        "CREATE TABLE schema_migrations (version varchar(128) primary key)",
        "INSERT INTO schema_migrations VALUES ('20240101120000')",
    ],
    "Ecto": [
        "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT)",
        "INSERT INTO schema_migrations VALUES (20240101120000, '2024-01-01T12:00:00')",
    ],
    "golang-migrate": [
        "CREATE TABLE schema_migrations (version uint64, dirty bool)",
        "CREATE UNIQUE INDEX version_unique ON schema_migrations (version)",
        "INSERT INTO schema_migrations VALUES (3, 0)",
    ],
    "one that knows times": [
        "CREATE TABLE Schema_Migrations (id INTEGER PRIMARY KEY, name TEXT, version TEXT, applied_at TIMESTAMP)",
        "INSERT INTO schema_migrations VALUES (1, 'init', '9.9', 'some day')",
    ],
    "a view": ["CREATE VIEW schema_migrations AS SELECT '1' AS version, 'a' AS name, '' AS applied_at"],
    "a search index": ["CREATE VIRTUAL TABLE schema_migrations USING fts5(version, name)"],
}
RECORD = "dashkit_migrations"
RECORDS = record.TABLE.sql
NOTE = "its record in dashkit_migrations, because another tool uses schema_migrations"


def theirs(path):
    """Everything of the other program's table, to the byte."""
    definitions, tables = content(path)
    return [one for one in definitions if one[2][1].lower() == b"schema_migrations"], tables.get("schema_migrations")


@pytest.mark.parametrize("name", TOOLS)
def test_the_table_of_another_migration_tool_is_left_alone(old, name):
    """Its table stays to the byte through everything, and ours, of another name, is what every reader reads."""
    alter(old, *TOOLS[name])
    before, other = content(old), theirs(old)
    assert NOTE in str(migrations.migrate(old))
    first = migrations.execute(old, to="2.0")
    assert NOTE in str(first)
    assert query(old, f"SELECT count(*) FROM {RECORD}") == [(19,)]
    assert str(migrations.status(old)).endswith(
        f"READY (2.0); 2.1 available: `dashkit migrate --db {old}` shows what would change"
    )
    done = migrations.execute(old)
    assert (migrations.status(old).version, migrations.status(old).ready) == ("2.1", True)
    assert migrations.status(old).backup == done.backup
    assert migrations.execute(old).backup is None
    examined = doctor.examine(old)
    assert examined.healthy
    assert "2 recorded, and there" in str(examined)
    with dashkit.open(old) as d:
        assert d.version == "2.1"
        assert d.bad_values().query("table_name == 'schema_migrations'").empty
    proof = verify_migration(old)
    assert proof.ok, proof.verdict
    assert len(proof.changes()) == CHANGES["2.1"]
    assert theirs(old) == other
    assert str(migrations.plan_rollback(old)).endswith("Nothing was written since: nothing is lost.")
    migrations.rollback(old)
    assert migrations.status(old).version == "2.0"
    migrations.rollback(old)
    assert content(old) == before


def test_a_record_goes_by_either_name(old):
    """A user who needs the name for another tool renames the record, and everything goes on with it."""
    done = migrations.execute(old)
    alter(old, f"ALTER TABLE schema_migrations RENAME TO {RECORD}", *TOOLS["Rails"])
    status = migrations.status(old)
    assert (status.ready, status.backup, status.notes) == (True, done.backup, (f"dashkit keeps {NOTE}",))
    alter(old, "DROP INDEX idx_tasks_checked")
    migrations.execute(old)
    assert query(old, f"SELECT count(*), count(DISTINCT backup) FROM {RECORD}") == [(CHANGES["2.1"], 2)]
    assert "schema_migrations" not in str(migrations.plan_rollback(old)).replace(str(old), "")


def test_a_record_that_another_tool_replaced_is_begun_anew(old):
    """Where another tool dropped our record for its own table, what is there is recorded again beside it."""
    migrations.execute(old)
    alter(old, "DROP TABLE schema_migrations", *TOOLS["dbmate"])
    other = theirs(old)
    assert migrations.status(old).verdict.startswith("PENDING: what is there is not recorded")
    done = migrations.execute(old)
    # No task says when it was completed, so nothing shows whether that was looked at.
    assert (done.changes, len(done.outcome.adopted)) == (("backfill completions",), CHANGES["2.1"] - 1)
    assert theirs(old) == other
    assert migrations.status(old).ready


def test_a_foreign_table_of_our_second_name_does_not_matter(old):
    """Where the usual name is free, or is our record, a table of the other name is another program's, and stays."""
    alter(old, f"CREATE TABLE {RECORD} (id INTEGER)", f"INSERT INTO {RECORD} VALUES (7)")
    migrations.execute(old)
    assert query(old, "SELECT count(*) FROM schema_migrations") == [(CHANGES["2.1"],)]
    assert query(old, f"SELECT * FROM {RECORD}") == [(7,)]
    assert migrations.status(old).notes == ()
    assert doctor.examine(old).healthy


# What a program may have under the name of our dependencies, and whether it is said that they are left out.
DEPENDENCIES = {
    "other columns": (
        ["CREATE TABLE task_dependencies (id INTEGER PRIMARY KEY, blocked_id INTEGER, blocker_id INTEGER)"],
        "task_dependencies: it expects a table with the columns task_id and depends_on_id",
    ),
    "one column": (
        ["CREATE TABLE task_dependencies (task_id INTEGER, needs TEXT)"],
        "it expects a table with the columns task_id and depends_on_id",
    ),
    "one other column": (
        ["CREATE TABLE task_dependencies (depends_on_id INTEGER)"],
        "it expects a table with the columns task_id and depends_on_id",
    ),
    "a view": (
        ["CREATE VIEW task_dependencies AS SELECT 1 AS task_id, 2 AS depends_on_id"],
        "dashkit cannot read dependencies from task_dependencies: it is a view, and dashkit expects a table",
    ),
    "a broken view": (["CREATE VIEW task_dependencies AS SELECT * FROM gone"], "task_dependencies: it is a view"),
    "an index": (["CREATE INDEX task_dependencies ON tasks (title)"], "task_dependencies: it is an index"),
    "a search index": (
        ["CREATE VIRTUAL TABLE task_dependencies USING fts5(task_id, depends_on_id)"],
        "task_dependencies: it is a virtual table",
    ),
    "none": ([], ""),
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", DEPENDENCIES)
def test_other_dependencies_do_not_stop_a_history(old, tmp_path, name, load):
    """The history goes on without them, and the dry run, the status and the report say so; all else works."""
    statements, words = DEPENDENCIES[name]
    alter(old, "DROP TABLE task_dependencies", *statements)
    before = content(old)
    for said in (migrations.migrate(old), migrations.execute(old), migrations.status(old)):
        assert words in str(said)
    assert migrations.status(old).verdict == "READY (2.1)"
    assert doctor.examine(old).healthy
    with dashkit.open(old, load=load) as d:
        for frame, make in dashboard.frames().items():
            assert make(d) is not None, frame
    store = tmp_path / "store" / ".beads"
    store.mkdir(parents=True)
    (store / "issues.jsonl").write_text(BEADS)
    found = scan(store.parent, db=old, page=False)
    assert found.failures == ()
    assert ("dependencies without a table task_dependencies to keep them in: 1" in str(found)) is bool(name)
    assert query(old, "SELECT count(*) FROM dependency_events") == [(0,)]
    assert doctor.examine(old).healthy
    migrations.rollback(old)
    assert content(old) == before


BEADS = """\
{"id":"x-1","title":"One","status":"open","created_at":"2025-11-01T10:00:00Z","updated_at":"2025-11-01T10:00:00Z"}
{"id":"x-2","title":"Two","status":"open","created_at":"2025-11-01T10:00:00Z","updated_at":"2025-11-01T10:00:00Z",\
"dependencies":[{"issue_id":"x-2","depends_on_id":"x-1","type":"blocks"}]}
"""


def test_a_half_empty_dependency_stops_nobody(old):
    """A row without one of its tasks is none: neither the migration nor its writer stumbles over it."""
    alter(
        old,
        "DROP TABLE task_dependencies",
        "CREATE TABLE task_dependencies (task_id INTEGER, depends_on_id INTEGER)",
        "INSERT INTO task_dependencies VALUES (1, 2), (NULL, 3), (4, NULL)",
    )
    migrations.execute(old)
    alter(
        old, "INSERT INTO task_dependencies VALUES (NULL, 1), (3, 2)", "DELETE FROM task_dependencies WHERE task_id = 1"
    )
    events = query(old, "SELECT task_id, depends_on_id, op FROM dependency_events ORDER BY event_id")
    assert events == [(1, 2, "baseline"), (3, 2, "add"), (1, 2, "remove")]
    assert doctor.examine(old).healthy


NAMES = {
    change.name: (version.number, change)
    for version in migrations.VERSIONS
    for change in version.changes
    if isinstance(change, CreateTable | CreateIndex | CreateTrigger)
}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_has_one_of_our_names_is_refused_by_it(old, name):
    """Before the work, by dry run, execute and status; where only 2.1 needs the name, `--to 2.0` is said and works."""
    number, change = NAMES[name]
    if isinstance(change, CreateTrigger):
        alter(old, f"CREATE TRIGGER {name} AFTER INSERT ON projects BEGIN SELECT 1; END")
    else:
        alter(old, f"CREATE VIEW {name} AS SELECT 1 AS task_id")
    before = folder_state(old.parent)
    for door in (migrations.migrate, migrations.execute):
        with pytest.raises(RefusedError, match=rf"\b{name}\b.*If another program made .*Nothing was changed") as caught:
            door(old)
        assert ("`--to 2.0` stops before it" in str(caught.value)) is (number == "2.1")
    assert migrations.status(old).verdict.startswith("REFUSED: the migration cannot run yet")
    assert folder_state(old.parent) == before
    if number == "2.0":
        return
    migrations.execute(old, to="2.0")
    status, found = migrations.status(old), doctor.examine(old)
    assert str(status).endswith(
        f"READY (2.0); something is in the way of a later version: `dashkit doctor --db {old}` says what to do"
    )
    assert found.healthy
    (way,) = (one for one in found.findings if one.check == "in the way")
    assert re.match("(If another program made|Drop such an index).* Run this SQL: ", way.remedy)
    assert "a trial" not in str(found)
    with pytest.raises(RefusedError, match=rf"\b{name}\b") as caught:
        migrations.migrate(old)
    assert "--to" not in str(caught.value)


OWN = [name for name, (number, change) in NAMES.items() if number == "2.1" and isinstance(change, CreateTable)]
COLUMNS = "id, task_id, key, value, kind, name, source, occurred_at, started_at, project_id"


@pytest.mark.parametrize("name", OWN)
def test_version_2_0_works_beside_a_table_of_any_of_our_later_names(old, tmp_path, name):
    """No function, frame or finding of 2.0 takes another program's table for ours, and none of its rows changes."""
    beside = Path(shutil.copy(old, tmp_path / "beside.db"))
    alter(old, f"CREATE TABLE {name} ({COLUMNS})", f"INSERT INTO {name} (id, task_id, kind) VALUES (1, 1, 'theirs')")
    for path in (old, beside):
        migrations.execute(path, to="2.0")
        insert(path, "git_repos", id="r", project_id=1, path="/r")
        insert(path, "git_commits", sha="abc", repo_id="r")
        alter(path, "UPDATE tasks SET status = 'blocked', completed_at = '2025-11-01 10:00:00' WHERE id IN (1, 4)")
        alter(path, "UPDATE tasks SET updated_at = '2025-11-01 10:00:00', created_at = '2025-11-01 10:00:00'")
    for ask in (
        lambda db: database.update_task_checked(5, True, db=db),
        lambda db: database.update_task_checked(2, False, db=db),
        lambda db: database.set_task_blocked(6, "no key", db=db),
        lambda db: database.set_task_blocked(4, None, db=db),
        lambda db: database.get_task_stats(db=db),
        lambda db: database.get_project_progress(1, db=db),
        lambda db: [row["id"] for row in database.get_blocked_tasks(db=db)],
        lambda db: [row["title"] for row in database.get_recent_activity(9, db=db)],
        lambda db: database.get_task_links(1, db=db),
        lambda db: database.create_task_commit_link(1, "abc", db=db),
        lambda db: main(["task", "1", "--db", str(db)]),
    ):
        assert ask(old) == ask(beside)
    with dashkit.open(old) as one, dashkit.open(beside) as two:
        assert (one.version, one.has_history) == ("2.0", False)
        assert one.progress().equals(two.progress())
        assert one.blocked_tasks()["task_id"].equals(two.blocked_tasks()["task_id"])
        with pytest.raises(OutdatedError, match=r"version 2\.0 keeps no history"):
            one.throughput()
    assert doctor.examine(old).healthy
    with pytest.raises(RefusedError, match="Something is in the way of that: `dashkit doctor` says what to do"):
        scan(tmp_path, db=old, page=False)
    assert query(old, f"SELECT id, task_id, kind, key FROM {name}") == [(1, 1, "theirs", None)]


REMEDIES = {
    "an index": (["CREATE INDEX idx_tasks_checked ON tasks (title)"], ["DROP INDEX idx_tasks_checked"]),
    "a value": (
        ["ALTER TABLE tasks ADD COLUMN complexity TEXT DEFAULT 'huge'"],
        ["UPDATE tasks SET complexity = NULL"],
    ),
    "a table": (["CREATE TABLE runs (id)"], ["ALTER TABLE runs RENAME TO their_runs"]),
    "a column": (
        ["ALTER TABLE tasks ADD COLUMN updated_at INTEGER"],
        ["ALTER TABLE tasks RENAME COLUMN updated_at TO their_time"],
    ),
    "two records": (
        [RECORDS, RECORDS.replace("schema_migrations", RECORD)],
        ["ALTER TABLE schema_migrations RENAME TO old_migrations"],
    ),
    "both names": (
        ["CREATE TABLE schema_migrations (id)", f"CREATE TABLE {RECORD} (id)"],
        [f"ALTER TABLE {RECORD} RENAME TO their_migrations"],
    ),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_what_is_said_to_do_about_it_works(old, name):
    """After it nothing is refused any more, and no row of anybody is lost."""
    spoil, remedy = REMEDIES[name]
    alter(old, *spoil)
    with pytest.raises(RefusedError):
        migrations.migrate(old)
    alter(old, *remedy)
    copy = shutil.copy(old, old.with_name("copy.db"))
    migrations.migrate(old).execute()
    assert migrations.status(old).ready
    now, before = old_values(old, copy), old_values(copy, copy)
    assert {name: now[name] for name in before if name != RECORD} == {
        name: rows for name, rows in before.items() if name != RECORD
    }


DEPENDING = "CREATE TABLE task_dependencies (task_id {0}, depends_on_id {0})"


@pytest.mark.parametrize("declared", ["INTEGER", "TEXT", "VARCHAR(9)", "REAL", "NUMERIC", "BIGINT", ""])
def test_dependencies_are_compared_as_numbers_however_they_are_declared(old, declared):
    """What the history has and what the table has is the same, after the migration and after each change."""
    alter(old, "DROP TABLE task_dependencies", DEPENDING.format(declared))
    alter(old, "INSERT INTO task_dependencies VALUES ('2', '1'), (4, 2), ('6', '5')")
    migrations.execute(old)
    events = "SELECT task_id, depends_on_id, op FROM dependency_events ORDER BY event_id"
    assert sorted(query(old, events)) == [(2, 1, "baseline"), (4, 2, "baseline"), (6, 5, "baseline")]
    alter(
        old,
        "INSERT INTO task_dependencies VALUES ('3', '1')",
        "DELETE FROM task_dependencies WHERE CAST(task_id AS INTEGER) = 4",
    )
    assert query(old, events)[3:] == [(3, 1, "add"), (4, 2, "remove")]
    assert doctor.examine(old).healthy
    alter(
        old,
        "UPDATE event_context SET suspended = 1",
        "DELETE FROM task_dependencies WHERE CAST(task_id AS INTEGER) = 6",
    )
    alter(old, "INSERT INTO task_dependencies VALUES ('6', '4')", "UPDATE event_context SET suspended = 0")
    assert not doctor.examine(old).healthy
    migrations.execute(old)
    assert sorted(query(old, events)[5:]) == [(6, 4, "add"), (6, 5, "remove")]
    assert doctor.examine(old).healthy
    assert migrations.execute(old).changes == ()


@pytest.mark.parametrize("declared", ["TEXT NOT NULL", "INTEGER", ""])
def test_dependencies_between_words_are_left_out_and_left_alone(old, declared):
    """The dry run says so, nothing is recorded of them or wrong with them, and nothing offers to delete them."""
    alter(
        old,
        "ALTER TABLE tasks ADD COLUMN external_id TEXT",
        "UPDATE tasks SET external_id = 'T-' || id",
        "DROP TABLE task_dependencies",
        DEPENDING.format(declared),
        "INSERT INTO task_dependencies VALUES ('T-2', 'T-1'), (4, 2), ('none', 'T-1')",
    )
    told = "dashkit cannot read dependencies from task_dependencies: it names tasks by words, such as 'T-2', and not by"
    assert f"Note: {told}" in str(migrations.migrate(old))
    assert "not there" not in str(migrations.migrate(old))
    for _ in range(2):
        found = doctor.examine(old)
        assert found.healthy
        assert told in str(found)
        assert "DELETE" not in str(found)
        migrations.execute(old)
    assert query(old, "SELECT count(*) FROM dependency_events") == [(0,)]
    assert query(old, "SELECT count(*) FROM task_dependencies") == [(3,)]
    assert migrations.status(old).ready
    with dashkit.open(old) as board:
        assert len(board.blocked_tasks()) == 0


def test_a_generated_column_is_refused(tmp_path):
    """A column that dashkit has to write may not be a generated one."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INT, title TEXT, done INT, status AS (done || ''))",
    )
    for door in (migrations.status, migrations.migrate, migrations.execute):
        with pytest.raises(RefusedError, match=r"tasks\.status is a generated column, and dashkit has to write to it"):
            door(path)


def test_doctor_says_what_to_do_about_what_no_statement_mends(old):
    """Where people have to decide, doctor says what an error says, and no error promises a statement."""
    copies = [Path(shutil.copy(old, old.with_name(f"{number}.db"))) for number in range(3)]
    alter(copies[0], "UPDATE tasks SET project_id = 'abc' WHERE id = 1")
    alter(copies[1], *REMEDIES["two records"][0])
    alter(copies[2], *REMEDIES["both names"][0])
    for copy in copies:
        with pytest.raises(RefusedError, match=r"Nothing was changed\.( SQL is typed into|$)"):
            migrations.migrate(copy)
        (way,) = (one for one in doctor.examine(copy).findings if one.check == "in the way")
        assert migrations.status(copy).obstacles == (way.found,)
        assert way.remedy.startswith(migrations.status(copy).remedies)
