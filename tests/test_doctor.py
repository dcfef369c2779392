"""`dashkit doctor`: every finding on a real database, what to do about it, and the exit code."""

import json

import pytest
from builders import NEWEST, insert, query, v1_database
from content import alter, folder_state
from faults import FAULTS, sound

from dashkit import doctor, migrations, views
from dashkit.cli import main
from dashkit.errors import RefusedError
from dashkit.store import values


@pytest.fixture
def path(tmp_path):
    """A small database that was migrated to the newest version."""
    return sound(tmp_path / "dash.db")


@pytest.fixture
def run(path, capsys):
    """Run `dashkit doctor`: its exit code, what it printed, and what it narrated."""

    def call(*words):
        capsys.readouterr()
        code = main(["doctor", *words, "--db", str(path)])
        return code, *capsys.readouterr()

    return call


def bad(path):
    """The findings that are not good: check -> (state, what was found)."""
    findings = doctor.examine(path).findings
    assert all(bool(one.remedy) == (one.state != "good") for one in findings), "each finding says what to do"
    return {one.check: (one.state, one.found) for one in findings if one.state != "good"}


def test_a_sound_database_is_healthy(run, path):
    """Nothing is wrong, the exit code is 0, and no byte is changed."""
    before = folder_state(path.parent)
    code, out, err = run()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert (lines[0], lines[-1]) == (f"{path}: version {NEWEST}", "HEALTHY")
    assert {line.split()[0] for line in lines[1:-1]} == {"good"}
    assert folder_state(path.parent) == before


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_work_leaves_it_healthy(path, journal):
    """What programs and people do to tasks leaves rows and history alike, in either journal mode."""
    alter(
        path,
        f"PRAGMA journal_mode = {journal}",
        "PRAGMA foreign_keys = ON",
        "UPDATE tasks SET status = NULL, blocked_reason = 'x' WHERE id = 1",
        "UPDATE tasks SET blocked_reason = NULL, project_id = 1, checked = NULL",
        "INSERT INTO tasks (project_id, title) VALUES (1, CAST(X'ff41' AS TEXT)), (1, 'a' || char(0) || 'b')",
        "DELETE FROM tasks WHERE id = 5",
        "INSERT INTO tasks (project_id, title, status) VALUES (1, 'again', 'review')",
        "INSERT OR REPLACE INTO tasks (id, project_id, title) VALUES (3, 1, 'replaced')",
        "DELETE FROM tasks WHERE id = 1",
        "INSERT INTO task_dependencies VALUES (3, 2)",
    )
    assert bad(path) == {}


def test_doctor_looks_at_every_date_that_the_views_read():
    """Each column that a view reads as a date or an instant is looked at, so doctor and bad_values say the same."""
    kinds = {(table, column): kind for table in views.TABLES for column, kind in views.columns(table).items()}
    read = {where for where, kind in kinds.items() if kind in ("instant", "day") and not where[1].startswith("said_")}
    looked = {(dates.table, column) for dates in values.DATES for column in dates.columns}
    assert looked - {("task_sources", "gone_at"), ("schema_migrations", "applied_at")} == read


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_nothing_else(path, run, fault):
    """Each fault is found, with what to do; exit 1 where something is wrong, 0 for a note."""
    FAULTS[fault].apply(path)
    expected = FAULTS[fault].found
    found = bad(path)
    begins = {check: (state, told[: len(expected.get(check, ("", ""))[1])]) for check, (state, told) in found.items()}
    assert begins == expected
    wrong = sum(state == "wrong" for state, _ in expected.values())
    code, out, _ = run()
    assert code == (1 if wrong else 0)
    assert out.splitlines()[-1].startswith(f"WRONG: {wrong} of " if wrong else "HEALTHY")


def test_tables_found_without_keys_are_looked_at_too(tmp_path):
    """Where a version 1 database declares no foreign keys, rows that point nowhere are found all the same."""
    path = v1_database(tmp_path / "dash.db")
    alter(
        path,
        "DROP TABLE tasks",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, phase_id INTEGER, title TEXT, status TEXT)",
        "INSERT INTO tasks VALUES (1, 77, 5, 'x', 'pending'), (2, NULL, NULL, 'y', 'pending')",
    )
    told = "rows that name a row which is not there: tasks.project_id and phase_id (1)"
    assert bad(path)["foreign keys"] == ("wrong", told)


def test_backups_are_missed_and_tried(path):
    """A recorded backup that is gone is a note; one that cannot be read is wrong."""
    ((name,),) = query(path, "SELECT DISTINCT backup FROM schema_migrations")
    backup = path.with_name(name)
    kept = backup.read_bytes()
    backup.write_bytes(kept[:50] + bytes(500))
    assert bad(path) == {"backups": ("wrong", f"cannot be read: {backup}")}
    backup.write_bytes(b"")
    assert bad(path) == {"backups": ("wrong", f"cannot be read: {backup}")}
    backup.unlink()
    assert bad(path) == {"backups": ("note", f"recorded, and gone: {backup}")}
    backup.write_bytes(kept)
    assert bad(path) == {}


@pytest.mark.parametrize("record", ["X'ff'", "''", "char(0) || 'x'", "'/' || hex(zeroblob(3000))", "char(27) || '[2J'"])
def test_a_hostile_record_of_a_backup_is_no_crash(path, run, record):
    """Whatever another program recorded as a backup is at most a note, and does not act on the terminal."""
    alter(path, f"UPDATE schema_migrations SET backup = {record} WHERE name = 'runs'")
    code, out, _ = run()
    assert code == 0
    assert "\x1b" not in out


def test_unfinished_backups_are_told(path):
    """A file that a run which was stopped left half made is a note; files of other names are nobody's business."""
    left = ".dash.backup_20251127_120000_0009.db.4711.partial"
    for name in (left, f"{left}-journal", ".other.backup_20251127_120000_0001.db.1.partial", "dash.partial"):
        path.with_name(name).write_bytes(b"")
    assert bad(path) == {"unfinished files": ("note", f"{left}, {left}-journal")}


@pytest.mark.parametrize(("version", "told"), [("1.0", "1.0; 2.0 and 2.1 to come"), ("2.0", "2.0; 2.1 to come")])
def test_an_older_version_is_told_what_to_run(tmp_path, version, told):
    """On a database of an older version the rest is looked at, and the note says what to run."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    if version != "1.0":
        migrations.execute(path, to=version)
    found = doctor.examine(path)
    assert bad(path) == {"version": ("note", told)}
    assert found.healthy
    assert "dashkit migrate" in next(one.remedy for one in found.findings if one.check == "version")


def test_a_fresh_database_is_healthy(tmp_path):
    """A database made at the newest version has no backup and needs none."""
    migrations.create(tmp_path / "fresh.db")
    insert(tmp_path / "fresh.db", "projects", name="Alpha")
    insert(tmp_path / "fresh.db", "tasks", project_id=1, title="x")
    assert bad(tmp_path / "fresh.db") == {}
    assert "none yet" in str(doctor.examine(tmp_path / "fresh.db"))


def test_less_than_version_1_is_healthy(tmp_path):
    """Tables that were never there are not missed."""
    path = v1_database(tmp_path / "dash.db")
    ((sql,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = 'tasks'")
    bare = sql.replace(" REFERENCES phases(id) ON DELETE SET NULL", "")
    alter(path, "DROP TABLE task_dependencies", "DROP TABLE tasks", "DROP TABLE phases", bare)
    migrations.execute(path)
    assert bad(path) == {}


def test_json_is_for_programs(path, run):
    """--json prints one object with every finding."""
    alter(path, "DROP TRIGGER dashkit_task_insert")
    code, out, _ = run("--json")
    found = json.loads(out)
    assert (code, found["healthy"], found["version"]) == (1, False, NEWEST)
    assert {one["check"] for one in found["findings"] if one["state"] == "wrong"} == {"triggers"}
    assert all(set(one) == {"check", "state", "found", "remedy"} for one in found["findings"])


def test_what_is_no_dashboard_is_refused(tmp_path, capsys):
    """A file that is no Dashboard is refused in words, with exit code 3."""
    other = alter(tmp_path / "other.db", "CREATE TABLE notes (a)")
    with pytest.raises(RefusedError, match=r"it is no Dashboard: there is no table projects"):
        doctor.examine(other)
    assert main(["doctor", "--db", str(other)]) == 3
    assert "Traceback" not in capsys.readouterr().err
