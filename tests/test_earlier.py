"""A database of version 2.1 as an earlier commit made it: what works before it is migrated again, and after."""

import json
import shutil
import sqlite3
from contextlib import closing

import earlier
import pytest
from builders import query
from content import alter, content, folder_state, kept, old_values
from repositories import commit

import dashkit
from dashkit import connection, database, doctor, migrations, verify_migration
from dashkit.cli import main
from dashkit.errors import OutdatedError, RefusedError
from dashkit.ingest.links import link_commits
from dashkit.migrations import VERSIONS, shape, verify
from dashkit.scanning import scan

MARKS = ("marks of sources and links", "marks of repositories")
TRIGGERS = ("dashkit_task_insert", "dashkit_task_update", "dashkit_task_delete")
# What has another text now.
AGAIN = {*TRIGGERS, "dashkit_dependency_insert", "dashkit_dependency_delete", "session_evidence"}
# The texts of 1ca1671 are those of the dump.
INSERT, UPDATE, DELETE = (
    next(text for text in earlier.definitions() if text.startswith(f"CREATE TRIGGER {name}")) for name in TRIGGERS
)


@pytest.fixture
def shop(tmp_path):
    """The repository that the database was read from."""
    return earlier.repository(tmp_path / "shop")


@pytest.fixture
def path(tmp_path):
    """The database, beside where the repository is."""
    return earlier.database(tmp_path / "dash.db", tmp_path / "shop")


@pytest.fixture
def run(path, capsys):
    """Run a command on the database: its exit code, what it printed, what it narrated."""

    def call(*words):
        capsys.readouterr()
        code = main([*map(str, words), "--db", str(path)])
        return code, *capsys.readouterr()

    return call


def lacking(path):
    """The changes that the version got since the database was made, or got another text of."""
    recorded = dict(query(path, "SELECT name, checksum FROM schema_migrations"))
    changes = [change for version in VERSIONS for change in version.changes]
    return {change.name for change in changes if change.name not in recorded or change.name in AGAIN} | {*MARKS}


def numbers(scanned):
    """What a scan found new."""
    parts = (scanned.tasks, scanned.git, scanned.links)
    return [(part.added, part.changed, part.gone) for part in parts], scanned.failures


NOTHING = ([(0, 0, 0)] * 3, ())


def test_the_specimen_holds_what_matters():
    """It has events of all kinds, links and the marks of a source, of links and of a repository; no machine's path."""
    text = earlier.DUMP.read_text("utf-8")
    assert not [word for word in ("/tmp", "/home", "/root", "/work", "/Users") if word in text]
    for word in (
        "'backfill'",
        "'baseline'",
        "'trigger'",
        "'delete'",
        "'gone'",
        "no paint",
        "'tasks:1:TODO.md'",
        "'links:1'",
    ):
        assert word in text
    assert "checkpoints" not in text


def test_its_repository_is_the_same_everywhere(tmp_path, path):
    """The repository is made anew to the sha that the database knows."""
    shop = earlier.repository(tmp_path / "shop", 2)
    earlier.repository(shop)
    told = json.loads(query(path, "SELECT refs FROM git_repos")[0][0])
    assert told["refs"] == {"refs/heads/main": (shop / ".git" / "refs" / "heads" / "main").read_text("utf-8").strip()}


def test_the_dry_run_names_what_is_missing(run, path):
    """A dry run names every change that the file lacks, and changes no byte."""
    before = folder_state(path.parent)
    plan = migrations.migrate(path)
    assert set(plan.changes) == lacking(path)
    code, out, _ = run("migrate")
    assert code == 0
    for told in (
        "Add assignee column to tasks",
        "Add actor column to event_context",
        "Create checkpoints table",
        "Move 2 marks from ingest_files to checkpoints",
        "Copy 1 mark from git_repos to checkpoints",
    ):
        assert f"  {told}\n" in out
    assert folder_state(path.parent) == before


def test_execute_adds_it_and_nothing_else(path):
    """After an execute every old value is there but the marks that moved, and other definitions are as before."""
    wanted = lacking(path)
    done = migrations.execute(path)
    assert set(done.changes) == wanted
    new, old = old_values(path, done.backup), old_values(done.backup, done.backup)
    marks = old.pop("ingest_files")
    assert [row[0] for row in new.pop("ingest_files")] == []
    recorded = new.pop("schema_migrations"), old.pop("schema_migrations")
    assert new == old
    assert [row for row in recorded[1] if row[1][1].decode() not in wanted] == [
        row for row in recorded[0] if row in recorded[1]
    ]
    moved = {key: value for key, value, _ in content(path)[1]["checkpoints"]}
    assert {row[0]: row[6] for row in marks}.items() <= moved.items()
    assert query(path, "SELECT value FROM checkpoints WHERE key GLOB 'git:*'") == query(
        path, "SELECT refs FROM git_repos"
    )
    definitions = set(content(done.backup)[0]) - set(content(path)[0])
    assert {one[1][1].decode() for one in definitions} == {
        *("tasks", "task_events", "event_context", "llm_sessions", "ingest_files", *AGAIN),
    } | {one[1][1].decode() for one in definitions if one[0][1] == b"index" and one[3] is None}
    assert migrations.execute(path).backup is None
    assert migrations.status(path).ready


def test_then_it_is_what_a_fresh_one_is(path, tmp_path):
    """Every object of a fresh database is there as it is in a fresh one; columns that are no longer of 2.1 stay."""
    migrations.create(tmp_path / "fresh.db")
    migrations.execute(path)
    with closing(sqlite3.connect(path)) as mine, closing(sqlite3.connect(tmp_path / "fresh.db")) as fresh:
        for (kind, name), (_, sql) in shape.definitions(fresh).items():
            if kind != "table":
                there = shape.definitions(mine)[kind, name][1]
                assert shape.tokens(there or "") == shape.tokens(sql or "")
                continue
            columns = shape.columns(mine, name)
            assert shape.columns(fresh, name).items() <= columns.items()
            assert shape.keys(mine, name) == shape.keys(fresh, name)
            extra = columns.keys() - shape.columns(fresh, name).keys()
            assert extra == {"llm_sessions": {"tool_count", "compaction_count"}, "git_repos": {"refs"}}.get(name, set())


@pytest.mark.kernel
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_everything_works(run, path, shop, after):
    """status, doctor, scan, report and a person's word work on it, before it is migrated again and after."""
    if after:
        migrations.execute(path)
    code, out, _ = run("status")
    assert (code, "Note:" in out) == (0, False)
    assert out.splitlines()[-1].startswith("READY (2.1)" if after else "PENDING 2.1: ")
    assert run("status", "--check")[0] == (0 if after else 1)
    code, out, _ = run("doctor")
    assert (code, out.splitlines()[-1]) == (0, "HEALTHY")
    assert ("2.1 lacks" in out) is not after
    assert not [word for word in ("tool_count", "compaction_count", "refs") if word in out]
    assert numbers(scan(shop, db=path, page=False)) == NOTHING
    assert database.get_project_progress(1, db=path)["checked_tasks"] == 3
    code, out, err = run("report", "progress", "--out", path.parent / "pages")
    assert (code, err.count("FAILED")) == (0, 0)
    assert run("task", "SHOP-4", "--check")[0] == 0
    told = "op, checked, source" + (", actor" if after else "")
    assert query(path, f"SELECT {told} FROM task_events ORDER BY event_id DESC LIMIT 1") == [
        ("update", 1, "trigger", "cli") if after else ("update", 1, "trigger")
    ]
    assert run("doctor")[0] == 0


def test_a_scan_before_says_what_to_run(path, shop):
    """A scan of a file that is not migrated again names the command that brings the rest; the next one does not."""
    told = "version 2.1 lacks changes that came to it later; `dashkit migrate` applies them"
    assert told in scan(shop, db=path, page=False).notes
    migrations.execute(path)
    assert told not in scan(shop, db=path, page=False).notes


def test_a_scan_after_finds_nothing_new(path, shop):
    """With the marks where they are now a scan reports 0 new and 0 changed, and writes nothing but its runs."""
    migrations.execute(path)
    before = kept(path)
    assert numbers(scan(shop, db=path, page=False)) == NOTHING
    assert kept(path) == before


@pytest.mark.parametrize("first", ["migrate", "scan"])
def test_a_scan_goes_on_where_the_last_one_stopped(path, shop, first):
    """News of the repository are read once: by a scan before or after, from the marks of whichever form."""
    text = (shop / "TODO.md").read_text("utf-8")
    commit(shop, "Closes SHOP-5", {"TODO.md": text.replace("[ ] SHOP-5", "[x] SHOP-5") + "- [ ] SHOP-6 Rest\n"})
    if first == "migrate":
        migrations.execute(path)
    found = scan(shop, db=path, page=False)
    assert (numbers(found)[0], found.tasks.versions) == ([(1, 1, 0), (1, 0, 0), (1, 0, 0)], 2)
    migrations.execute(path)
    assert numbers(scan(shop, db=path, page=False)) == NOTHING
    assert query(path, "SELECT count(*) FROM ingest_files") == [(0,)]
    assert query(path, "SELECT count(*) FROM checkpoints") == [(3,)]


@pytest.mark.parametrize("scanned", [False, True])
def test_it_is_proved_on_a_page(path, shop, scanned):
    """The verification of the migration finds every row, and takes the marks for moved."""
    migrations.execute(path)
    if scanned:
        scan(shop, db=path, page=False)
    proof = verify_migration(path)
    assert proof.ok, proof.verdict
    assert proof.verdict.startswith("VERIFIED: nothing was lost.")


def test_links_are_made_before(path, shop):
    """Linking works with the mark where it was."""
    assert link_commits(path).added == 0
    alter(path, "DELETE FROM task_commit_links WHERE id = (SELECT min(id) FROM task_commit_links)")
    assert link_commits(path).added == 1
    assert query(path, "SELECT count(*) FROM ingest_files") == [(2,)]


@pytest.mark.parametrize("scanned", [False, True])
def test_it_can_be_taken_back(path, shop, scanned):
    """A roll back restores what was there; that marks moved is no loss, what a scan wrote since is."""
    before = content(path)
    migrations.execute(path)
    if scanned:
        commit(shop, "SHOP-5", {"a": "1"})
        scan(shop, db=path, page=False)
    text = str(migrations.plan_rollback(path))
    assert text.endswith("Nothing was written since: nothing is lost.") is not scanned
    assert "ingest_files" not in text
    assert ("  checkpoints: rows 3 added (the table goes)" in text) is scanned
    migrations.rollback(path)
    assert content(path) == before
    assert set(migrations.migrate(path).changes) == lacking(path)


def half(path, *names):
    """Some changes of now, as somebody would have made them by hand."""
    changes = {change.name: change for version in VERSIONS for change in version.changes}
    return alter(path, *(changes[name].sql for name in names))


VARIANTS = {
    "columns that are there": lambda path: half(path, "tasks.due_at", "event_context.actor"),
    "tables that are there": lambda path: half(path, "llm_prompts", "checkpoints", "idx_session_evidence_value"),
    "a context without its row": lambda path: alter(path, "DELETE FROM event_context"),
    "no record": lambda path: alter(path, "DROP TABLE schema_migrations"),
    "triggers in other letters": lambda path: alter(
        path,
        *(f"DROP TRIGGER {name}" for name in TRIGGERS),
        INSERT.replace(" ", "\n\t").replace("'\n\tnow'", "'now'").replace("task_events", '"Task_Events"'),
        UPDATE.lower().replace("%y-%m-%dt%h:%m:%fz", "%Y-%m-%dT%H:%M:%fZ"),
        DELETE.replace("BEGIN", "-- mine\nBEGIN /* and yours */"),
    ),
    "no triggers": lambda path: alter(path, *(f"DROP TRIGGER {name}" for name in TRIGGERS)),
    "a view and a trigger on sessions": lambda path: alter(
        path,
        "CREATE VIEW seen AS SELECT * FROM session_evidence",
        "CREATE INDEX by_kind ON session_evidence (kind)",
        "CREATE TRIGGER noted AFTER INSERT ON session_evidence BEGIN DELETE FROM runs; END",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_odd_files_get_the_rest(path, shop, name):
    """Whatever part of it is there already, or is spelled in other letters, the rest comes and nothing is lost."""
    VARIANTS[name](path)
    before, events = content(path), query(path, "SELECT * FROM task_events")
    runs = query(path, "SELECT * FROM runs")
    done = migrations.execute(path)
    assert migrations.status(path).ready
    assert [row[: len(events[0])] for row in query(path, "SELECT * FROM task_events")] == events
    assert query(path, "SELECT * FROM runs") == runs
    theirs = [one for one in before[0] if one[1][1] in (b"seen", b"by_kind", b"noted")]
    assert [one for one in theirs if one in content(path)[0]] == theirs
    assert numbers(scan(shop, db=path, page=False)) == NOTHING
    alter(path, "UPDATE tasks SET checked = 1, completed_at = 'then' WHERE id = 3")
    last = "SELECT said_created_at, said_completed_at FROM task_events ORDER BY event_id DESC LIMIT 1"
    assert query(path, last) == [("2026-01-02 09:06:00", "then")]
    shutil.copy(done.backup, path.with_name("old.db"))
    migrations.rollback(path)
    assert content(path) == before


def test_a_foreign_trigger_of_our_name_stays_in_the_way(path):
    """A trigger of our name that never was ours is named, and nothing is changed."""
    other = DELETE.replace("'delete'", "'gone'")
    alter(path, "DROP TRIGGER dashkit_task_delete", other)
    before = folder_state(path.parent)
    for go in (migrations.migrate, migrations.execute):
        with pytest.raises(RefusedError, match="another trigger named dashkit_task_delete exists already"):
            go(path)
    assert {name: data for name, (data, _) in folder_state(path.parent).items()} == {
        name: data for name, (data, _) in before.items()
    }
    assert migrations.status(path).obstacles == ("another trigger named dashkit_task_delete exists already",)


FOREIGN = {
    "another key": ("other:1", "{}", None),
    "a log file": ("/logs/tasks:1:a.jsonl", "abc", 5),
    "a log file that is named like a mark": ("tasks:2:a.jsonl", "{}", 5),
    "a mark that is no JSON": ("tasks:3:a.md", "abc", None),
    "a mark without a number": ("tasks:x:a.md", "{}", None),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_rows_of_files_stay_where_they_are(path, name):
    """A row of ingest_files that is no mark of ours is kept, to the byte."""
    key, digest, size = FOREIGN[name]
    query(path, "INSERT INTO ingest_files (path, tail_digest, size) VALUES (?, ?, ?)", key, digest, size)
    migrations.execute(path)
    assert query(path, "SELECT path, tail_digest, size FROM ingest_files") == [(key, digest, size)]
    assert query(path, "SELECT count(*) FROM checkpoints") == [(3,)]


def test_a_mark_that_a_stranger_wrote_more_to_is_not_lost(path):
    """Where somebody gave the marks a column of his own, with values, the move is refused: they would be gone."""
    alter(path, "ALTER TABLE ingest_files ADD COLUMN note TEXT", "UPDATE ingest_files SET note = 'mine'")
    before = content(path)
    with pytest.raises(RefusedError, match=r"2 rows of ingest_files differ from the backup.*Nothing was changed"):
        migrations.execute(path)
    assert content(path) == before


def test_checkpoints_that_are_there_stay(path, shop):
    """Other rows of checkpoints stay, and of a key that is taken the row that is there counts."""
    half(path, "checkpoints")
    (mark,) = query(path, "SELECT path, tail_digest FROM ingest_files WHERE path GLOB 'links:*'")
    query(path, "INSERT INTO checkpoints VALUES ('mine', 'x', 'y'), (?, ?, 'then')", *mark)
    migrations.execute(path)
    assert query(path, "SELECT * FROM checkpoints WHERE updated_at IN ('y', 'then') ORDER BY key") == [
        (*mark, "then"),
        ("mine", "x", "y"),
    ]
    assert query(path, "SELECT count(*) FROM ingest_files") == [(0,)]
    assert numbers(scan(shop, db=path, page=False)) == NOTHING


def test_refs_of_another_program_are_not_taken(path):
    """A column refs that holds something else is copied nowhere."""
    alter(path, "UPDATE git_repos SET refs = 'main'")
    migrations.execute(path)
    assert query(path, "SELECT count(*) FROM checkpoints") == [(2,)]
    assert query(path, "SELECT refs FROM git_repos") == [("main",)]


def test_what_was_copied_is_not_copied_again(path):
    """A checkpoint of a repository that was deleted since does not come back from the old column."""
    migrations.execute(path)
    alter(path, "DELETE FROM checkpoints WHERE key GLOB 'git:*'", "DROP INDEX idx_task_events_op")
    assert migrations.execute(path).changes == ("idx_task_events_op",)
    assert query(path, "SELECT count(*) FROM checkpoints") == [(2,)]


EVIDENCE = "INSERT INTO session_evidence VALUES ('s', 'sha', 'abc', {}), ('s', 'path', 'x', '2026-01-03')"
SESSION = "INSERT INTO llm_sessions (id) VALUES ('s')"


def test_evidence_is_carried_over(path):
    """Rows of the old table of evidence that fit its new key are there after, with an index of the user's own."""
    alter(path, SESSION, EVIDENCE.format("'2026-01-02'"), "CREATE INDEX mine ON session_evidence (value)")
    migrations.execute(path)
    assert query(path, "SELECT * FROM session_evidence ORDER BY kind") == [
        ("s", "path", "x", "2026-01-03", None, None, None),
        ("s", "sha", "abc", "2026-01-02", None, None, None),
    ]
    alter(
        path, "INSERT INTO session_evidence (session_id, kind, value, occurred_at) VALUES ('s', 'sha', 'abc', 'later')"
    )
    assert query(path, "SELECT sql FROM sqlite_master WHERE name = 'mine'") == [
        ("CREATE INDEX mine ON session_evidence (value)",)
    ]


def test_evidence_that_does_not_fit_is_refused(path):
    """Evidence without a time has no place under the new key: that is said, and nothing is changed."""
    alter(path, SESSION, EVIDENCE.format("NULL"))
    before = content(path)
    with pytest.raises(RefusedError, match=r"rows of session_evidence that lack what its new key needs \(occurred_at"):
        migrations.execute(path)
    assert content(path) == before


LESS = {
    "no created_at": ("created_at",),
    "no completed_at": ("completed_at",),
    "neither": ("created_at", "completed_at"),
}


@pytest.mark.parametrize("name", LESS)
@pytest.mark.parametrize("triggers", ["earlier", "none"])
def test_tasks_of_another_program_need_not_say_their_times(path, name, triggers):
    """Where tasks has no created_at or completed_at the triggers note NULL; where it comes later they are replaced."""
    gone = LESS[name]
    if triggers == "none":
        alter(path, *(f"DROP TRIGGER {one}" for one in TRIGGERS))
    alter(path, *(f"ALTER TABLE tasks DROP COLUMN {column}" for column in gone))
    migrations.execute(path)
    assert migrations.status(path).ready
    assert doctor.examine(path).healthy
    assert database.update_task_checked(3, True, db=path)
    last = "SELECT actor, said_created_at, said_completed_at FROM task_events ORDER BY event_id DESC LIMIT 1"
    actor, created, completed = query(path, last)[0]
    assert (actor, created is None) == ("python", "created_at" in gone)
    assert (completed is None) == ("completed_at" in gone)
    alter(path, *(f"ALTER TABLE tasks ADD COLUMN {column} TEXT DEFAULT 'now'" for column in gone))
    assert doctor.examine(path).healthy
    assert set(migrations.execute(path).changes) >= {*TRIGGERS}
    alter(path, "INSERT INTO tasks (project_id, title) VALUES (1, 'x')")
    told = dict(zip(LESS["neither"], query(path, last)[0][1:], strict=True))
    assert {told[column] for column in gone} == {"now"}


@pytest.mark.parametrize("name", ["done_at", "done at", 'a "day"'])
def test_a_column_that_is_renamed_leaves_the_triggers_ours(path, name):
    """SQLite writes the new name of a column into our triggers: that puts nothing in the way, and they are replaced."""
    migrations.execute(path)
    quoted = name.replace('"', '""')
    alter(path, f'ALTER TABLE tasks RENAME COLUMN completed_at TO "{quoted}"')
    assert doctor.examine(path).healthy
    assert set(migrations.execute(path).changes) == {*TRIGGERS}
    alter(path, "UPDATE tasks SET checked = NOT checked WHERE id = 1")
    assert query(path, "SELECT max(said_completed_at) FROM task_events WHERE event_id > 10") == [(None,)]
    assert migrations.status(path).ready


def test_triggers_of_a_stranger_do_not_hear_of_what_is_moved(path):
    """A trigger on ingest_files that notes or forbids a deletion is put aside, and is as it was afterwards."""
    alter(path, "CREATE TABLE audit (path TEXT)")
    alter(path, "CREATE TRIGGER noted AFTER DELETE ON ingest_files BEGIN INSERT INTO audit VALUES (OLD.path); END")
    alter(path, "CREATE TRIGGER kept BEFORE DELETE ON ingest_files BEGIN SELECT raise(IGNORE); END")
    migrations.execute(path)
    assert query(path, "SELECT path FROM ingest_files WHERE path GLOB 'tasks:*'") == []
    assert query(path, "SELECT * FROM audit") == []
    assert len(query(path, "SELECT 1 FROM sqlite_master WHERE name IN ('noted', 'kept')")) == 2


def migrated(path, tmp_path):
    """A connection to the migrated database with its backup attached, as a verification has it."""
    backup = shutil.copy(migrations.execute(path).backup, tmp_path / "backup.db")
    conn = connection.connect(path)
    connection.attach_immutable(conn, backup, "backup")
    return conn, backup


LOSSES = {
    "nothing": ([], []),
    "a mark": (["DELETE FROM checkpoints WHERE key = 'links:1'"], ["1 rows of ingest_files differ from the backup"]),
    "the value of a mark": (
        ["UPDATE checkpoints SET value = '{}' WHERE key GLOB 'tasks:*'"],
        ["1 rows of ingest_files differ from the backup"],
    ),
    "a trigger": (["DROP TRIGGER dashkit_task_update"], ["dashkit_task_update is still missing"]),
    "an event": (["DELETE FROM task_events WHERE event_id = 3"], ["1 rows of task_events differ from the backup"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_verification_sees_a_loss(path, tmp_path, name):
    """A mark that did not arrive, or anything else that is not as it was, is found before the commit."""
    conn, backup = migrated(path, tmp_path)
    statements, words = LOSSES[name]
    with closing(conn):
        for statement in statements:
            conn.execute(statement)
        found = verify.problems(conn, backup, VERSIONS)
    assert [problem for problem in found if problem in words] == words
    assert bool(found) is bool(words)


def test_a_table_that_is_gone_is_not_taken_for_new(path, shop):
    """What the database had and lost is wrong for doctor, and a scan is refused in words: that is no earlier form."""
    alter(path, "DROP TABLE runs")
    assert not doctor.examine(path).healthy
    with pytest.raises(
        RefusedError, match=r"something of version 2\.1 is missing or in the way\. Run `dashkit migrate`"
    ):
        scan(shop, db=path, page=False)
    alter(path, "ALTER TABLE git_repos DROP COLUMN refs")
    with pytest.raises(OutdatedError, match=r"needs version 2\.1.*dashkit migrate"):
        link_commits(path)


@pytest.mark.parametrize("column", ["milestone INTEGER", "due_at DATETIME", "assignee BLOB DEFAULT 'nobody'"])
def test_a_column_of_the_users_that_is_named_like_a_new_one_is_adopted(path, column):
    """A name that other programs like to use stops neither the migration nor a reading, and its values stay."""
    query(path, f"ALTER TABLE tasks ADD COLUMN {column}")
    name = column.split()[0]
    query(path, f"UPDATE tasks SET {name} = 7")
    before = query(path, f"SELECT id, {name} FROM tasks ORDER BY id")
    migrations.execute(path)
    assert migrations.status(path).ready
    assert query(path, f"SELECT id, {name} FROM tasks ORDER BY id") == before
    with dashkit.open(path) as d:
        assert d.sql(f"SELECT count(*) AS n FROM tasks WHERE {name} IS NOT NULL")["n"][0] in (0, len(before))
