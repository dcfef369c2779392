"""The way back: which backup is chosen, what is told, what is refused, and that both states are kept."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import CHANGES, insert, query, v1_database
from content import alter, content, folder_state
from crash_processes import neighbour

from dashkit import migrations
from dashkit.errors import BusyError, RefusedError
from dashkit.migrations import VERSIONS, backups, execution, restore

NOON = datetime(2025, 11, 27, 12, tzinfo=UTC)


@pytest.fixture(params=["DELETE", "WAL"])
def small(tmp_path, request):
    """A version 1 database of a few tasks, in either journal mode."""
    tasks = ({"title": f"Task {number}", "status": "completed"} for number in range(9))
    return alter(v1_database(tmp_path / "dash.db", tasks=tasks), f"PRAGMA journal_mode = {request.param}")


def execute_at(path, now):
    """An execute at a given time; returns the backup's path."""
    return execution.run(execution.Job(path, path, path.parent, VERSIONS, now)).backup


def rollback_at(path, backup, now):
    """A roll back at a given time; returns the path of the save."""
    return restore.restore(restore.Job(path, backup, path.parent, now)).saved


@pytest.mark.parametrize("version", CHANGES)
def test_execute_and_rollback_is_nothing(small, version):
    """After execute and roll back the content is the old one, to the value, in the old journal mode."""
    before, mode = content(small), query(small, "PRAGMA journal_mode")
    migrations.execute(small, to=version)
    migrated = content(small)
    done = migrations.rollback(small)
    assert content(small) == before
    assert query(small, "PRAGMA journal_mode") == mode
    assert content(done.restored.saved) == migrated
    assert str(done).splitlines()[:3] == [
        f"Restored {small}",
        f"  from {done.restored.backup}",
        f"The state before this is kept in {done.restored.saved}",
    ]


def test_an_idle_execute_does_not_move_the_way_back(small):
    """Execute, execute, roll back gives version 1."""
    before = content(small)
    migrations.execute(small)
    migrations.execute(small)
    migrations.rollback(small)
    assert content(small) == before


def test_a_rollback_can_be_rolled_back(small):
    """The file that a roll back saved brings the migrated state back, with the command that it names."""
    migrations.execute(small)
    migrated = content(small)
    done = migrations.rollback(small)
    assert f"--rollback --backup {done.restored.saved} --db {small}" in str(done)
    migrations.rollback(small, backup=done.restored.saved)
    assert content(small) == migrated


def test_rollback_execute_rollback(small):
    """It can be taken back, done again, and taken back again."""
    before = content(small)
    for _ in range(2):
        migrations.execute(small)
        migrations.rollback(small)
        assert content(small) == before
    names = sorted(entry.name for entry in small.parent.iterdir() if "_0" in entry.name)
    assert [name.split("_")[-1] for name in sorted(names, key=lambda name: name[-7:])] == [
        "0001.db",
        "0002.db",
        "0003.db",
        "0004.db",
    ]


def test_what_is_lost_is_told_by_table(small):
    """Before a roll back the rows written since are counted, by table; what the migration itself wrote is not."""
    migrations.execute(small)
    assert str(migrations.plan_rollback(small)).endswith("Nothing was written since: nothing is lost.")
    insert(small, "git_repos", id="r", project_id=1, path="/src")
    insert(small, "tasks", project_id=1, title="new")
    alter(small, "UPDATE tasks SET checked = 0 WHERE id = 1", "UPDATE tasks SET title = 'x' WHERE id = 2")
    alter(small, "DELETE FROM tasks WHERE id = 3")
    text = str(migrations.plan_rollback(small))
    assert "  tasks: rows 1 added, 2 changed, 1 removed" in text
    assert "  git_repos: rows 1 added (the table goes)" in text
    assert "  task_events: rows 4 added (the table goes)" in text
    assert "schema_migrations" not in text
    assert "event_context" not in text


def test_what_is_lost_of_a_later_version_is_told_too(small):
    """Going back from 2.1 to 2.0 counts tasks that got a value in a column of 2.1."""
    migrations.execute(small, to="2.0")
    migrations.execute(small)
    assert str(migrations.plan_rollback(small)).endswith("Nothing was written since: nothing is lost.")
    alter(small, "UPDATE tasks SET labels = '[]' WHERE id < 4")
    assert "  tasks: rows 3 changed\n" in f"{migrations.plan_rollback(small)}\n"
    migrations.rollback(small)
    assert migrations.status(small).version == "2.0"


def test_a_clock_that_steps_back_does_not_matter(small):
    """The number in the name orders backups, not the time in it."""
    first = execute_at(small, NOON)
    rollback_at(small, first, NOON - timedelta(days=300))
    second = execute_at(small, NOON - timedelta(days=400))
    assert [backup.path for backup in backups.found(small)] == [second, first]
    alter(small, "UPDATE schema_migrations SET backup = NULL")
    assert migrations.plan_rollback(small).backup == second


def test_backups_of_one_second_do_not_meet(small):
    """Two backups of the same second have different names, and neither is written over."""
    first = execute_at(small, NOON)
    kept = first.read_bytes()
    rollback_at(small, first, NOON)
    second = execute_at(small, NOON)
    assert (first.name, second.name) == ("dash.backup_20251127_120000_0001.db", "dash.backup_20251127_120000_0003.db")
    assert first.read_bytes() == kept


def test_a_name_that_is_taken_meanwhile_is_not_written_over(small):
    """Where another migration takes the number first the next one is used, and recorded."""
    neighbour = small.with_name("dash.backup_20251127_120000_0001.db")

    def tell(stage):
        if stage == "verifying":
            neighbour.write_text("theirs")

    job = execution.Job(small, small, small.parent, VERSIONS, NOON, tell=tell)
    backup = execution.run(job).backup
    assert neighbour.read_text() == "theirs"
    assert backup.name == "dash.backup_20251127_120000_0002.db"
    assert query(small, "SELECT DISTINCT backup FROM schema_migrations") == [(backup.name,)]


def test_names_without_a_number_are_found(small):
    """Where nothing is recorded a backup of the older form of name is found; files of other names never are."""
    before = content(small)
    older = shutil.copy(small, small.with_name("dash.backup_20251127_160957.db"))
    for name in ("dash.backup_20261127_160957_0009.db.partial", "dash.backup_2026.db", "other.backup_20261127_1.db"):
        small.with_name(name).write_text("nothing")
    migrations.execute(small).backup.unlink()
    alter(small, "DROP TABLE schema_migrations")
    assert migrations.plan_rollback(small).backup == Path(older)
    migrations.rollback(small)
    assert content(small) == before


def test_nothing_was_executed(small):
    """On a version 1 database there is nothing to roll back, and nothing is written."""
    before = folder_state(small.parent)
    done = migrations.rollback(small)
    assert done.restored is None
    assert str(done).endswith("nothing was executed, so there is nothing to roll back.")
    assert folder_state(small.parent) == before


def test_a_mended_database_goes_back_to_before_the_mending(small):
    """Roll back restores the state before the last execute, which here mended one index."""
    migrations.execute(small)
    alter(small, "DROP INDEX idx_tasks_checked")
    before = content(small)
    migrations.execute(small)
    migrations.rollback(small)
    assert content(small) == before


def torn(path, backup):
    """A backup of which the end is missing."""
    backup.write_bytes(backup.read_bytes()[:9000])


def garbled(path, backup):
    """A backup with garbage in its last page."""
    backup.write_bytes(backup.read_bytes()[:-4096] + b"\xa5" * 4096)


def no_database(path, backup):
    """A backup that is no database."""
    backup.write_bytes(b"\xa5" * 9000)


def emptied(path, backup):
    """A backup without a table."""
    backup.unlink()
    alter(backup, "CREATE TABLE other (a)")


def of_another_dashboard(path, backup):
    """A backup with other tasks."""
    alter(backup, "UPDATE tasks SET title = 'theirs'")


def of_another_page_size(path, backup):
    """A backup with other pages."""
    alter(backup, "PRAGMA page_size = 8192", "VACUUM")


def gone(path, backup):
    """No backup any more."""
    backup.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (torn, r"Cannot restore .*dash\.backup.*: the database is damaged \("),
        (no_database, r"Cannot restore .*dash\.backup.*: the file is not a SQLite database"),
        (garbled, r"dash\.backup_\S+ is damaged \("),
        (emptied, r"cannot be restored: it is no Dashboard \(no table projects\)"),
        (of_another_dashboard, r"not one of its tasks is in this database"),
        (of_another_page_size, r"its page size is 8,192, the database's is 4,096"),
        (gone, r"the backup of the last execute is gone: .*dash\.backup.*\(others by name: none\)"),
    ],
)
def test_a_backup_that_may_not_be_restored_is_refused(small, spoil, words):
    """A torn, foreign or missing backup is refused, and the live database keeps every byte."""
    spoil(small, migrations.execute(small).backup)
    before = {name: data for name, (data, _) in folder_state(small.parent).items()}
    with pytest.raises(RefusedError, match=words):
        migrations.rollback(small)
    assert {name: data for name, (data, _) in folder_state(small.parent).items() if not name.endswith("shm")} == before


def test_a_file_that_is_not_there_is_refused(small):
    """--backup names a file, and not the database itself."""
    migrations.execute(small)
    with pytest.raises(RefusedError, match=r"Cannot roll back .*: there is no file .*nothing\.db"):
        migrations.rollback(small, backup=small.with_name("nothing.db"))
    with pytest.raises(RefusedError, match=r"the backup named is the database itself\. Name a backup\."):
        migrations.rollback(small, backup=small)


def test_a_folder_for_saves_can_be_named(small, tmp_path):
    """The save of the present state goes where --backup-dir says."""
    (tmp_path / "saves").mkdir()
    migrations.execute(small)
    assert migrations.rollback(small, backup_dir=tmp_path / "saves").restored.saved.parent == tmp_path / "saves"


def test_a_backup_in_a_named_folder_is_found_by_name(small, tmp_path):
    """Without a record the newest of both folders is taken, the one with the highest number."""
    (tmp_path / "saves").mkdir()
    shutil.copy(small, tmp_path / "dash.backup_20251127_120000_0002.db")
    newest = shutil.copy(small, tmp_path / "saves" / "dash.backup_20251127_120000_0007.db")
    migrations.execute(small).backup.unlink()
    alter(small, "DROP TABLE schema_migrations")
    assert migrations.plan_rollback(small, backup_dir=tmp_path / "saves").backup == Path(newest)


def test_a_hostile_record_is_no_path(small):
    """A record of the backup that is no text is passed over, and one that no file can have is a backup that is gone."""
    backup = migrations.execute(small).backup
    alter(small, "UPDATE schema_migrations SET backup = X'ff'")
    assert migrations.plan_rollback(small).backup == backup
    alter(small, "UPDATE schema_migrations SET backup = hex(zeroblob(3000))")
    with pytest.raises(RefusedError, match=r"the backup of the last execute is gone"):
        migrations.plan_rollback(small)


def test_no_dashboard_is_not_called_version_1(small):
    """A database without tasks is refused, not called a version 1 database."""
    alter(small, "DROP TABLE task_dependencies", "DROP TABLE tasks")
    with pytest.raises(RefusedError, match=r"it is no Dashboard: there is no table tasks"):
        migrations.rollback(small)


def test_tasks_that_were_dropped_come_back(small):
    """Even where the tasks are gone the recorded backup brings them back."""
    before = content(small)
    migrations.execute(small)
    alter(small, "DROP TABLE tasks")
    migrations.rollback(small)
    assert content(small) == before


def test_a_writer_that_does_not_let_go_is_waited_for_and_then_named(small):
    """With another writer in a transaction a roll back gives up in time, and nothing is left behind."""
    migrations.execute(small)
    before = content(small)
    with neighbour("hold", small, "BEGIN IMMEDIATE"):
        plan = migrations.plan_rollback(small)
        with pytest.raises(BusyError, match=r"another program is using it and did not let go"):
            plan.execute(timeout=0.2)
    assert content(small) == before
    assert not [entry.name for entry in small.parent.iterdir() if "before_rollback" in entry.name]
