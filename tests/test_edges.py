"""The edges of a migration: places that may not be read, names too long, strays, foreign files, and honest proofs."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from builders import insert, query, v1_database
from content import alter, content, folder_state
from crash_processes import neighbour

import dashkit
from dashkit import database, migrations
from dashkit.cli import main
from dashkit.errors import BusyError, RefusedError
from dashkit.migrations import backups, preflight
from dashkit.verification import checks, functions, sizes, speed, verify_migration

ROOT = Path(dashkit.__file__).parent.parent
# The administrator may read and write everything, unless these two capabilities are taken away.
MORTAL = [
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
]


@pytest.fixture
def small(tmp_path):
    """A version 1 database of a few tasks, in a folder of its own."""
    tasks = [{"title": f"Task {n}", "status": "completed" if n % 4 == 0 else "pending"} for n in range(20)]
    (tmp_path / "place").mkdir()
    return v1_database(tmp_path / "place" / "dash.db", tasks=tasks)


@pytest.fixture(params=["2.0", "2.1"])
def migrated(request, small):
    """The same, migrated a moment ago; and its version."""
    migrations.execute(small, to=request.param)
    return small, request.param


def as_a_mortal(*words):
    """Run a dashkit command as a user whom permissions bind: exit code, what was said."""
    command = [sys.executable, "-m", "dashkit", *map(str, words)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None or subprocess.run([*MORTAL, "true"], check=False).returncode != 0:
            pytest.skip("permissions do not bind the administrator, and setpriv is not there to change that")
        command = [*MORTAL, *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("place", "mode", "words"),
    [
        ("place/dash.db", 0o400, "dash.db is read-only. Allow writing to it, or work on a copy."),
        ("place/dash.db", 0o200, "dash.db may not be read. Allow reading it, or work on a copy."),
        ("place", 0o500, "place is read-only. Allow writing to it, or work on a copy."),
        ("place", 0o300, "place may not be read. Allow reading it, or work on a copy."),
        ("place", 0o600, "permission denied. Name another, or allow reading it."),
    ],
    ids=["read-only file", "unreadable file", "read-only folder", "unreadable folder", "folder that is closed"],
)
def test_a_place_that_permissions_close_is_refused(small, place, mode, words):
    """Dry run and execute refuse alike, in words, with exit code 3 and every byte as it was."""
    before = folder_state(small.parent)
    closed = small.parent.parent / place
    usual = closed.stat().st_mode
    closed.chmod(mode)
    try:
        dry = as_a_mortal("migrate", "--db", small)
        real = as_a_mortal("migrate", "--execute", "--db", small)
    finally:
        closed.chmod(usual)
    assert dry == real
    assert dry[0] == 3
    assert dry[1].startswith("dashkit: Cannot ")
    assert words in dry[1]
    assert folder_state(small.parent) == before


@pytest.mark.parametrize("command", [["status"], ["migrate", "--rollback", "--yes"]])
def test_a_folder_that_cannot_be_listed_is_told(small, command):
    """Where the folder of the backups may not be read, status and roll back say so."""
    migrations.execute(small)
    small.parent.chmod(0o300)
    try:
        code, said = as_a_mortal(*command, "--db", small)
    finally:
        small.parent.chmod(0o700)
    assert code == 3
    assert "permission denied" in said or "may not be read" in said


def test_a_backup_folder_behind_a_closed_one_is_refused(small, tmp_path):
    """A folder for backups that cannot even be looked at is refused by dry run and execute alike."""
    (tmp_path / "locked" / "in").mkdir(parents=True)
    (tmp_path / "locked").chmod(0)
    try:
        said = [
            as_a_mortal("migrate", *execute, "--db", small, "--backup-dir", tmp_path / "locked" / "in")
            for execute in ([], ["--execute"])
        ]
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert said[0] == said[1]
    assert said[0][0] == 3
    assert "cannot be looked into (permission denied)" in said[0][1]


def test_a_tour_that_has_no_place_is_refused(tmp_path):
    """`dashkit demo` in a folder that does not allow it says so."""
    (tmp_path / "locked").mkdir(mode=0o500)
    code, said = as_a_mortal("demo", "--dir", tmp_path / "locked" / "tour")
    assert code == 3
    assert "Cannot make a folder in" in said
    assert "permission denied. Name another with --dir DIR." in said


def test_a_tour_of_nobody_is_refused(capsys):
    """A tilde of nobody's is no folder."""
    assert main(["demo", "--dir", "~nobody-of-this-name/tour"]) == 3
    assert "Cannot make a folder in ~nobody-of-this-name/tour" in capsys.readouterr().err


def test_a_name_too_long_for_a_backup_is_refused_before(tmp_path):
    """A name to which no backup's can be made is refused by the dry run too; the longest that fits goes all the way."""
    most = os.pathconf(tmp_path, "PC_NAME_MAX")
    stem = most - backups.longest_name(Path(".db")) + len(".db")
    path = v1_database(tmp_path / f"{'x' * (stem + 1)}.db", tasks=[{"title": "a"}])
    before = folder_state(tmp_path)
    for run in (migrations.migrate, migrations.execute):
        with pytest.raises(RefusedError, match=rf"would need a name of {most + 1} bytes, and .* takes {most}\. Give"):
            run(path)
    assert folder_state(tmp_path) == before
    path = path.rename(tmp_path / f"{'x' * stem}.db")
    old = content(path)
    assert migrations.migrate(path).execute().changes
    migrations.rollback(path)
    assert content(path) == old


def test_a_path_too_long_for_a_backup_is_refused_before(tmp_path):
    """A path that SQLite takes, and to which no backup's can be made, is refused by the dry run too."""
    deep = tmp_path
    while (left := 450 - len(os.fsencode(deep))) > 1:
        deep /= "d" * min(200, left - 1)
    deep.mkdir(parents=True)
    path = v1_database(deep / "dash.db", tasks=[{"title": "a"}])
    before = folder_state(deep)
    for run in (migrations.migrate, migrations.execute):
        with pytest.raises(
            RefusedError, match=r"a backup of it would need a name of \d+ bytes, and .* takes 60\. Give"
        ):
            run(path)
    assert folder_state(deep) == before
    (tmp_path / "near").mkdir()
    assert migrations.migrate(path, backup_dir=tmp_path / "near").execute().changes


def test_a_rehearsal_without_room_is_refused(small):
    """A folder for temporary files that is too small is named, with the way out."""
    need = 2 * shutil.disk_usage(small.parent).total
    with pytest.raises(RefusedError, match=r"Cannot rehearse .*: there is too little room in TMPDIR: .*set TMPDIR"):
        preflight.require_room(small.parent, need, small)
    preflight.require_room(small.parent, 1, small)


def test_a_verification_without_room_is_refused(small):
    """The copies of a verification are reckoned with before the first of them is made."""
    os.truncate(small, shutil.disk_usage(tempfile.gettempdir()).free)  # a hole: it takes no room itself
    with pytest.raises(RefusedError, match=r"too little room in TMPDIR"):
        verify_migration(small)


def test_no_folder_for_temporary_files_is_told(small, tmp_path, monkeypatch):
    """Where the system has no folder for temporary files the dry run says so."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(RefusedError, match=r"no folder for temporary files may be written to \(no such file"):
        migrations.migrate(small)


def test_the_room_of_a_database_counts_its_wal(small):
    """What is still in the WAL is copied too."""
    alter(small, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(small)) as conn:
        conn.execute("UPDATE tasks SET description = hex(randomblob(90000))")
        conn.commit()
        assert preflight.footprint(small) > small.stat().st_size + 90_000


def test_strays_of_dead_processes_are_swept(small):
    """A new backup removes what a killed run of the same database has left, and nothing else."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    dead = [
        f".dash.backup_20250101_000000_0001.db.{process.pid}.partial",
        f".dash.before_rollback_20250101_000000_0002.db.{process.pid}.partial-journal",
    ]
    kept = [
        f".dash.backup_20250101_000000_0001.db.{os.getppid()}.partial",
        f".other.backup_20250101_000000_0001.db.{process.pid}.partial",
        f"dash.backup_20250101_000000_0001.db.{process.pid}.partial",
    ]
    for name in dead + kept:
        (small.parent / name).write_bytes(b"torn")
    migrations.migrate(small)
    assert all((small.parent / name).exists() for name in dead)  # a dry run removes nothing
    migrations.execute(small)
    left = {entry.name for entry in small.parent.iterdir()}
    assert left.isdisjoint(dead)
    assert left >= set(kept)


@pytest.mark.parametrize("version", ["1.0", "2.0", None])
def test_a_file_of_another_program_is_not_built_upon(tmp_path, version):
    """A database that has tables and no tasks is somebody else's: nothing is added to it."""
    path = alter(tmp_path / "music.db", "CREATE TABLE albums (id)", "CREATE TABLE songs (id)")
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"there are other tables in it \(albums, songs\).*Name a new file"):
        migrations.create(path, version=version)
    assert path.read_bytes() == before
    with (
        closing(sqlite3.connect(path)) as conn,
        pytest.raises(RefusedError, match=r"the open database: there are other tables in it"),
    ):
        database.init_database_v2(conn)


def test_a_reader_in_the_way_is_not_called_a_writer(small):
    """Whoever keeps a COMMIT waiting is using the database; nobody says that it writes."""
    with (
        neighbour("hold", small, "BEGIN", "SELECT * FROM tasks"),
        pytest.raises(BusyError, match=r"dash\.db: another program is using it and did not let go\."),
    ):
        migrations.execute(small, timeout=0.1)


def test_a_copy_that_waits_names_the_live_file(small):
    """A dry run that cannot copy names the database that is locked, not the copy that it wanted to make."""
    with (
        neighbour("hold", small, "BEGIN EXCLUSIVE"),
        pytest.raises(BusyError, match=r"get hold of .*place/dash\.db: another program is using it"),
    ):
        migrations.migrate(small, timeout=0.1)


def test_a_refusal_before_anything_names_no_deed(small):
    """What is no database file is refused in the same words by status, migrate and roll back."""
    small.write_bytes(b"")
    for run in (migrations.status, migrations.migrate, migrations.execute, migrations.rollback):
        with pytest.raises(RefusedError, match=r"^Cannot use .*dash\.db: the file is empty"):
            run(small)


@pytest.mark.slow
def test_titles_that_are_no_text_are_timed(small, tmp_path):
    """A blocked task whose title is no UTF-8 does not stop the measurement."""
    alter(small, "UPDATE tasks SET status = 'blocked', title = CAST(X'ff41' AS TEXT) WHERE id = 3")
    migrations.execute(small)
    assert all(timing.with_ms for timing in speed.measure(small, tmp_path))
    found = verify_migration(small)
    assert found.ok, found.verdict


def test_what_cannot_be_measured_is_said(small):
    """A database that takes no commit of ours is not measured, and its functions are not tried: said, not raised."""
    migrations.execute(small)
    alter(small, "CREATE TRIGGER no BEFORE INSERT ON git_repos BEGIN SELECT RAISE(ABORT, 'not here'); END")
    found = verify_migration(small)
    assert "the nine functions run: all nine could not be tried: not here" in found.verdict
    assert found.growth()["bytes_per_row"].isna().all()
    assert found.speed()["with_ms"].notna().all()  # a copy that is timed has no triggers


def test_what_cannot_be_timed_is_said(small, tmp_path):
    """Where a query cannot be run, its row says why, and the figures are missing."""
    migrations.execute(small)
    alter(small, "ALTER TABLE git_commits RENAME COLUMN message TO words")
    timings = speed.measure(small, tmp_path)
    assert len(timings) == 10
    assert {(timing.tasks, timing.with_ms, timing.faster_pct) for timing in timings} == {(None, None, None)}
    assert all(timing.plan.startswith("not measured: ") for timing in timings)
    assert list(tmp_path.glob("times*")) == []
    assert "schema as specified: git_commits has lost its column message TEXT" in verify_migration(small).verdict


def test_free_pages_hide_no_growth(small, tmp_path):
    """In a file with room to spare the growth of a row is what it is in one without."""
    migrations.execute(small)
    tight = {one.kind: one.bytes_per_row for one in sizes.growth(small, tmp_path / "growth.db")}
    alter(small, "CREATE TABLE big (b)", "INSERT INTO big VALUES (zeroblob(9000000))", "DROP TABLE big")
    assert query(small, "PRAGMA freelist_count")[0][0] > 2000
    spare = {one.kind: one.bytes_per_row for one in sizes.growth(small, tmp_path / "growth.db")}
    assert spare == pytest.approx(tight, rel=0.05)
    assert min(spare.values()) > 100


UNACCOUNTED = {
    "a renamed project": (
        "UPDATE projects SET name = 'Beta'",
        "nothing lost in projects: 1 row before, 1 now, 1 is not as in the backup, and nothing says who changed it: "
        "work of a program that keeps no updated_at, or loss",
    ),
    "a project deleted without its tasks": (
        "DELETE FROM projects",
        "1 row before, 0 now, 1 missing, and nothing says who deleted it: deleted since, or lost",
    ),
    "orphans": (
        "DELETE FROM projects",
        "foreign keys: tasks: 20 new; deletions by a program that does not enforce foreign keys, or loss",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", UNACCOUNTED)
def test_what_nothing_accounts_for_fails_and_says_what_it_may_be(migrated, name):
    """A row that is not as it was fails the proof, in words that leave room for ordinary work."""
    path, _ = migrated
    statement, words = UNACCOUNTED[name]
    alter(path, statement)
    found = verify_migration(path)
    assert not found.ok
    assert words in found.verdict


WORK = {
    "a task deleted": ("DELETE FROM tasks WHERE id = 5", "1 missing, and nothing says who deleted it", (1, 0, 1)),
    "a task renamed": (
        "UPDATE tasks SET title = 'x' WHERE id IN (6, 7)",
        "2 are not as in the backup, and nothing says who changed them",
        (0, 2, 2),
    ),
    "a task completed by an old server": (
        "UPDATE tasks SET status = 'completed', completed_at = '2999-01-01 00:00:00' WHERE id = 6",
        "1 is not as in the backup, and nothing says who changed it",
        (0, 1, 1),
    ),
    "a task unchecked": ("UPDATE tasks SET checked = 0 WHERE id = 1", "4 of 5 completed tasks checked", (0, 0, 0)),
    "a task replaced": (
        "REPLACE INTO tasks (id, project_id, title, status, updated_at) VALUES (6, 1, 'y', 'review', '2001-01-01')",
        "1 is not as in the backup",
        (0, 1, 1),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_the_history_accounts_for_work_that_keeps_no_updated_at(migrated, name):
    """In version 2.1 an event of the task accounts for it; version 2.0 has none, and the proof fails."""
    path, version = migrated
    statement, words, counts = WORK[name]
    alter(path, statement)
    found = verify_migration(path)
    assert found.ok == (version == "2.1"), found.verdict
    if version == "2.0":
        assert words in found.verdict
        return
    row = found.tables().set_index("table").loc["tasks"]
    assert tuple(row[["missing", "changed", "edited_since"]]) == counts


@pytest.mark.parametrize("statement", ["DELETE FROM tasks WHERE id = 5", "UPDATE tasks SET title = 'x' WHERE id = 6"])
def test_a_loss_without_an_event_fails(small, statement):
    """In version 2.1 too a row that is gone or other without an event of its own is a loss, until somebody tells."""
    migrations.execute(small)
    alter(small, "DELETE FROM tasks WHERE id = 19", "UPDATE event_context SET suspended = 1", statement)
    found = verify_migration(small)
    assert not found.ok
    assert "and nothing says who" in found.verdict


@pytest.mark.slow
def test_a_deleted_task_takes_its_dependencies_along(small):
    """The history accounts for dependencies that went with their task, and not for those that just went."""
    insert(small, "task_dependencies", task_id=3, depends_on_id=4)
    insert(small, "task_dependencies", task_id=6, depends_on_id=7)
    migrations.execute(small)
    alter(small, "PRAGMA foreign_keys = ON", "DELETE FROM tasks WHERE id = 4")
    found = verify_migration(small)
    assert found.ok, found.verdict
    assert found.tables().set_index("table")["edited_since"].to_dict()["task_dependencies"] == 1
    alter(small, "UPDATE event_context SET suspended = 1", "DELETE FROM task_dependencies")
    assert "nothing lost in task_dependencies" in verify_migration(small).verdict


def test_rows_without_a_key_are_held_against_the_backup_too(small):
    """A table without row ids may grow; a value of it that is gone fails."""
    alter(small, "CREATE TABLE tags (tag TEXT PRIMARY KEY) WITHOUT ROWID", "INSERT INTO tags VALUES ('a'), ('b')")
    migrations.execute(small)
    alter(small, "INSERT INTO tags VALUES ('c')")
    assert verify_migration(small).ok
    alter(small, "UPDATE tags SET tag = 'z' WHERE tag = 'a'")
    assert "nothing lost in tags: 2 rows before, 3 now, 1 is not as in the backup" in verify_migration(small).verdict


def test_a_mended_database_is_rehearsed_too(migrated):
    """After a mending, execute and roll back are rehearsed on the state before it, and the verdict says what it was."""
    path, version = migrated
    alter(path, "DROP INDEX idx_tasks_checked")
    migrations.execute(path, to=version)
    found = verify_migration(path)
    assert found.ok, found.verdict
    assert "Mended idx_tasks_checked at 20" in found.verdict
    results = found.results().set_index("check")["found"]
    assert results["rollback rehearsed"].startswith("the same content as before, in ")


def test_a_state_with_nothing_pending_is_rehearsed_too(small, tmp_path):
    """Where nothing is pending the rehearsal loses an index first, so that there is a way there and back."""
    migrations.execute(small)
    check = checks.roll_back(small, tmp_path)
    assert check.ok
    assert check.found.startswith("the same content as before")


def test_a_way_back_that_cannot_be_gone_fails(small, tmp_path):
    """A rehearsal that is refused fails its check, with the reason."""
    alter(small, "CREATE TABLE idx_tasks_checked (a)")
    check = checks.roll_back(small, tmp_path)
    assert not check.ok
    assert "the name idx_tasks_checked is taken by a table" in check.found


def test_functions_are_tried_on_an_empty_database_too(tmp_path):
    """Where there is no task one is made up, in the copy."""
    path = v1_database(tmp_path / "dash.db", projects=())
    migrations.execute(path)
    assert [check.ok for check in functions.run(path, tmp_path)] == [True] * 9
