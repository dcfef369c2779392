"""What is said and kept when a run is interrupted midway, and when its report can go nowhere."""

import subprocess
import sys

import pytest
from builders import insert, query, v1_database

from dashkit import migrations
from dashkit.errors import FailedError
from dashkit.migrations import execution


@pytest.fixture(params=["DELETE", "WAL"])
def migrated(request, tmp_path):
    """A migrated database in each journal mode."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": f"Task {n}", "status": "completed"} for n in range(50)])
    query(path, f"PRAGMA journal_mode = {request.param}")
    migrations.execute(path, to="2.0")
    return path


def test_an_interrupt_after_the_restore_keeps_the_save(migrated):
    """Restored and then interrupted, with another program writing meanwhile: the state before is still there."""
    wal = query(migrated, "PRAGMA journal_mode")[0][0] == "wal"

    def tell(stage):
        if stage == "verifying":
            if wal:
                insert(migrated, "projects", name="written meanwhile")
            raise KeyboardInterrupt

    with pytest.raises(FailedError, match=r"was interrupted.*is restored all the same; the state before is .*before_"):
        migrations.plan_rollback(migrated).execute(tell=tell)
    [save] = migrated.parent.glob("dash.before_rollback_*.db")
    assert query(save, "SELECT count(*) FROM tasks WHERE checked = 1")[0][0] == 50
    assert "checked" not in [row[1] for row in query(migrated, "PRAGMA table_info(tasks)")]


def test_an_interrupt_before_the_restore_changes_nothing(migrated):
    """Interrupted while saving: nothing has changed, and nothing is left behind."""

    def tell(stage):
        if stage == "saving the present state":
            raise KeyboardInterrupt

    with pytest.raises(FailedError, match=r"was interrupted.*Nothing was changed"):
        migrations.plan_rollback(migrated).execute(tell=tell)
    assert not list(migrated.parent.glob("dash.before_rollback_*"))
    assert query(migrated, "SELECT count(*) FROM tasks WHERE checked = 1")[0][0] == 50


@pytest.mark.parametrize("stage", ["backing up", "applying", "verifying", "committing"])
def test_an_interrupted_execute_changes_nothing(tmp_path, stage):
    """Interrupted at any stage before COMMIT: version 1 as it was, and no backup of nothing."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])

    def tell(told):
        if told == stage:
            raise KeyboardInterrupt

    with pytest.raises(FailedError, match=r"was interrupted.*Nothing was changed"):
        migrations.execute(path, tell=tell)
    assert migrations.status(path).version == "1.0"
    assert [entry.name for entry in tmp_path.iterdir()] == ["dash.db"]


def test_a_migration_that_comes_between_the_look_and_the_copy_is_seen(tmp_path, monkeypatch):
    """Another execute commits right after this one has looked: this one finds nothing left to do."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    look, looks = execution._look, []

    def look_then_lose(conn, job):
        found = look(conn, job)
        looks.append(found)
        if len(looks) == 1:
            migrations.execute(path)
        return found

    monkeypatch.setattr(execution, "_look", look_then_lose)
    assert migrations.execute(path).changes == ()
    assert len(list(tmp_path.glob("dash.backup_*"))) == 1


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_a_report_that_can_go_nowhere_is_no_traceback(tmp_path, where):
    """Standard output closed or full: the migration is done, and no traceback says otherwise."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    command = f'"{sys.executable}" -m dashkit migrate --execute --db "{path}" {where}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (5 if "full" in where else 0)
    assert migrations.status(path).ready


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_leaves_nothing_open(tmp_path, closed):
    """Where stdout or stderr is closed, the place that output goes to instead is closed at the end."""
    path = v1_database(tmp_path / "dash.db")
    command = f'"{sys.executable}" -X dev -W error -m dashkit status --db "{path}" {closed}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_empty_name_of_a_database_is_refused(tmp_path):
    """`--db "$UNSET"` must not mean another database."""
    command = [sys.executable, "-m", "dashkit", "status", "--db", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "it is empty; name a database" in done.stderr


def test_whatever_was_written_since_is_told_before_a_roll_back(migrated):
    """Columns, views and indexes that somebody made, and an updated_at of somebody's, are no "nothing"."""
    assert "nothing is lost" in str(migrations.plan_rollback(migrated))
    query(migrated, "ALTER TABLE projects ADD COLUMN owner TEXT")
    query(migrated, "UPDATE projects SET owner = 'me'")
    query(migrated, "CREATE VIEW mine AS SELECT 1")
    query(migrated, "UPDATE tasks SET updated_at = '2026-01-01T00:00:00.000Z' WHERE id = 3")
    text = str(migrations.plan_rollback(migrated))
    assert "projects: rows 1 changed" in text
    assert "tasks: rows 1 changed" in text
    assert "view mine: goes" in text


def test_status_knows_a_newer_database_and_a_lost_backup(migrated):
    """What migrate refuses status does not call ready, and a recorded backup that is gone is said."""
    assert "Backup of the last migration: " in str(migrations.status(migrated))
    for backup in migrated.parent.glob("dash.backup_*"):
        backup.unlink()
    assert "it is gone" in str(migrations.status(migrated))
    query(migrated, "UPDATE schema_migrations SET version = '9.0' WHERE name = 'git_repos'")
    found = migrations.status(migrated)
    assert not found.ready
    assert found.verdict == "REFUSED: version 9.0 is newer than this dashkit knows; update dashkit"
