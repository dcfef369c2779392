"""Ids: whole numbers are adopted however they are declared, and anything else is refused at every door."""

import re
from pathlib import Path

import pytest
from builders import query
from content import alter, content, folder_state
from loads import LOADS

import dashkit
from dashkit import database, doctor, migrations, scan
from dashkit.errors import RefusedError
from dashkit.ingest.tasks import ingest_tasks

TASKS = "CREATE TABLE tasks (id {}, project_id {}, title TEXT, status TEXT, created_at TEXT, completed_at TEXT) {}"
TRIGGERS = [f"DROP TRIGGER dashkit_task_{word}" for word in ("insert", "update", "delete")]


def made(
    path,
    declared="INTEGER PRIMARY KEY",
    ids=(1, 2),
    project="INTEGER PRIMARY KEY",
    projects=(1, 2),
    reference="INTEGER",
    references=None,
    option="",
):
    """A version 1 database whose ids are declared so; each project has the task of its place."""
    alter(path, f"CREATE TABLE projects (id {project}, name TEXT NOT NULL)", TASKS.format(declared, reference, option))
    for one in projects:
        query(path, "INSERT INTO projects VALUES (?, 'a')", one)
    for one, of in zip(ids, references or projects, strict=False):
        query(path, "INSERT INTO tasks (id, project_id, title, status) VALUES (?, ?, 'a', 'completed')", one, of)
    return path


UUIDS = ("3f0e", "00000000-0000-0000-0000-000000000002")
STRANGE_IDS = {
    "texts": ({"declared": "TEXT PRIMARY KEY", "ids": UUIDS}, r"in tasks 2 rows have an id .* such as '0000"),
    "texts that are numbers": ({"declared": "TEXT PRIMARY KEY"}, r"2 rows have an id .* such as '1'"),
    "reals": ({"declared": "REAL PRIMARY KEY"}, r"2 rows have an id .* such as 1\.0"),
    "blobs": ({"declared": "BINARY(16) PRIMARY KEY", "ids": (b"\xff\x00", b"\x01")}, r"such as X'01'"),
    "mixed": ({"declared": "PRIMARY KEY", "ids": (1, "b")}, r"in tasks 1 row has an id .* such as 'b'"),
    "one without": ({"declared": "PRIMARY KEY", "ids": ("b", None)}, r"in tasks 2 rows have an id .* such as 'b'"),
    "half": ({"declared": "NUMERIC PRIMARY KEY", "ids": (1, 1.5)}, r"in tasks 1 row has an id .* such as 1\.5"),
    "broken": ({"declared": "BLOB PRIMARY KEY", "ids": (1, b"\x80" * 99)}, r"such as X'80808080\w+\.\.\."),
    "no rows": ({"declared": "VARCHAR(9) PRIMARY KEY", "ids": ()}, r"tasks\.id is declared VARCHAR\(9\), which hol"),
    "texts of projects": ({"project": "CHAR(9) PRIMARY KEY", "projects": UUIDS}, r"in projects 2 rows have an id"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE_IDS)
def test_ids_that_are_no_whole_numbers_are_refused_at_every_door(tmp_path, name):
    """Status, dry run, execute, doctor, functions, frames and a scan refuse them, say what to do, and write nothing."""
    options, words = STRANGE_IDS[name]
    path = made(tmp_path / "dash.db", **options)
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "TODO.md").write_text("- [ ] A\n")
    before = folder_state(tmp_path)
    doors = [
        migrations.status, migrations.migrate, migrations.execute, doctor.examine, dashkit.open,
        lambda db: database.get_task_stats(db=db), lambda db: database.check_v2_migration_status(db=db),
        lambda db: database.update_task_checked(1, True, db=db), lambda db: scan(tmp_path / "list", db=db, page=False),
        lambda db: ingest_tasks([tmp_path / "list" / "TODO.md"], db=db),
    ]  # fmt: skip
    for door in doors:
        with pytest.raises(
            RefusedError, match=rf"Cannot use .*{words}.*`id INTEGER PRIMARY KEY`, keep the present ids"
        ):
            door(path)
    assert folder_state(tmp_path) == before


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_strange_ids_that_came_later_are_refused_too(tmp_path, version):
    """A migrated database that another program gave texts as ids is refused; the way back stays open."""
    path = made(tmp_path / "dash.db")
    before = content(path)
    migrations.execute(path, to=version)
    ((text,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = 'tasks'")
    alter(path, *TRIGGERS if version == "2.1" else (), "DROP TABLE tasks", text.replace("id INTEGER", "id TEXT", 1))
    alter(path, "INSERT INTO tasks (id, project_id, title, status) VALUES ('a', 1, 'a', 'completed')")
    for door in (dashkit.open, migrations.status, lambda db: database.get_blocked_tasks(db=db)):
        with pytest.raises(RefusedError, match="an id that is no whole number, such as 'a'"):
            door(path)
    with pytest.raises(RefusedError, match="not one of its tasks is in this database"):
        migrations.rollback(path)
    alter(path, "INSERT INTO tasks (id, project_id, title, status) VALUES ('1', 1, 'a', 'completed')")
    migrations.rollback(path)
    assert content(path) == before


WHOLE_IDS = {
    "row numbers": {},
    "INT": {"declared": "INT PRIMARY KEY"},
    "BIGINT": {"declared": "BIGINT PRIMARY KEY", "project": "BIGINT PRIMARY KEY"},
    "no type": {"declared": "PRIMARY KEY"},
    "NUMERIC": {"declared": "NUMERIC UNIQUE"},
    "downwards": {"declared": "INTEGER PRIMARY KEY DESC"},
    "without row ids": {"declared": "INTEGER PRIMARY KEY", "option": "WITHOUT ROWID"},
    "references as text": {"reference": "TEXT"},
    "references as reals": {"reference": "FLOAT"},
    "references that are empty": {"reference": "INTEGER", "references": ("", 2)},
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", WHOLE_IDS)
def test_whole_numbers_are_adopted_however_they_are_declared(tmp_path, name, load):
    """Ids and references are read right by frames and functions, and a task that a file brings gets the next id."""
    path = made(tmp_path / "dash.db", **WHOLE_IDS[name])
    first = 0 if name == "references that are empty" else 1  # tasks of the first project
    migrations.execute(path)
    assert str(migrations.plan_rollback(path)).endswith("nothing is lost.")
    with dashkit.open(path, load=load) as d:
        counts = d.progress().dropna(subset="project_id").set_index("project_id")["tasks"].to_dict()
    assert counts == {1: first, 2: 1}
    assert database.get_project_progress(1, db=path)["total_tasks"] == first
    assert database.get_project_progress(2, db=path)["checked_tasks"] == 1
    (tmp_path / "TODO.md").write_text("# Plan\n- [ ] Alpha\n- [x] Beta\n")
    ingest_tasks([tmp_path / "TODO.md"], db=path, project_id=2)
    assert query(path, "SELECT id, project_id + 0, title FROM tasks WHERE id > 2 OR id IS NULL ORDER BY id") == [
        (3, 2, "Alpha"),
        (4, 2, "Beta"),
    ]
    assert migrations.status(path).ready


REFERENCES = {
    "a word": ({"references": ("x", 1)}, r"tasks\.project_id holds 1 value such as 'x', and dashkit reads whole"),
    "a blob": ({"references": (b"1", 1)}, r"tasks\.project_id holds 1 value such as X'31'"),
    "half": ({"references": (1.5, 1)}, r"tasks\.project_id holds 1 value such as 1\.5"),
    "other digits": ({"reference": "TEXT", "references": ("01", "1")}, r"tasks\.project_id holds 1 value such as '01'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_references_that_are_no_whole_numbers_are_refused(tmp_path, name):
    """Dry run and execute refuse them before anything is written; status and doctor name them."""
    options, words = REFERENCES[name]
    path = made(tmp_path / "dash.db", **options)
    before = folder_state(tmp_path)
    for to in (None, "2.0"):
        for door in (migrations.migrate, migrations.execute):
            with pytest.raises(RefusedError, match=rf"{words}.*Set what names no row to NULL.*Nothing was changed"):
                door(path, to=to)
    assert migrations.status(path).verdict.startswith("REFUSED: the migration cannot run yet")
    assert "Set what names no row to NULL" in str(doctor.examine(path))
    assert folder_state(tmp_path) == before


def test_the_guide_gives_a_table_of_texts_numbers(tmp_path):
    """What the guide says to do about texts as ids works: the tasks are migrated, and are found by the ids they had."""
    guide = (Path(dashkit.__file__).parent.parent / "docs" / "migration-guide.md").read_text("utf-8")
    (statements,) = re.findall(r"```sql\n(.*?)```", guide.partition("### Ids are no whole numbers")[2], re.DOTALL)[:1]
    path = made(tmp_path / "dash.db", declared="TEXT PRIMARY KEY", ids=("T-9", "T-10"))
    alter(path, *(one for one in statements.split(";") if one.strip()))
    migrations.execute(path)
    with dashkit.open(path) as d:
        assert d.progress()[["tasks", "checked"]].sum().tolist() == [2, 2]
        assert {*d.sql("SELECT external_id FROM tasks")["external_id"]} == {"T-9", "T-10"}


def test_references_can_be_corrected(tmp_path):
    """What the refusal says to do about references works."""
    path = made(tmp_path / "dash.db", references=("x", "1x"))
    alter(path, "UPDATE tasks SET project_id = NULL WHERE id = 1", "UPDATE tasks SET project_id = 1 WHERE id = 2")
    migrations.execute(path)
    assert database.get_project_progress(1, db=path)["total_tasks"] == 1


@pytest.mark.parametrize("declared", ["INT PRIMARY KEY", "BIGINT UNIQUE", "PRIMARY KEY"])
def test_a_row_without_an_id_can_be_written_as_before(tmp_path, declared):
    """What a program of version 1 may write the triggers let it write; with an id the row gets its history."""
    path = made(tmp_path / "dash.db", declared)
    migrations.execute(path)
    alter(
        path,
        "INSERT INTO tasks (project_id, title) VALUES (1, 'new')",
        "UPDATE tasks SET title = 'newer' WHERE id IS NULL",
        "INSERT INTO tasks (project_id, title) VALUES (1, 'gone')",
        "DELETE FROM tasks WHERE title = 'gone'",
    )
    with pytest.raises(RefusedError, match="1 row has no id") as refused:
        migrations.status(path)
    for words in re.findall("`([^`]+)`", f"{refused.value.why} {refused.value.remedy}"):
        if words.startswith("UPDATE"):
            alter(path, words)
    migrations.execute(path)
    assert query(path, "SELECT op, title FROM task_events WHERE task_id > 2") == [("reconcile", "newer")]
    assert migrations.status(path).ready
