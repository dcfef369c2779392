"""Ids: whole numbers are adopted however they are declared, and anything else is refused at every door."""

import re

import pytest
from builders import query, v1_database
from content import alter, content, folder_state
from loads import LOADS
from remedies import carry_out

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
            RefusedError, match=rf"Cannot use .*{words}.* On a copy, run this SQL.* keeps their present"
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


MENDED = "This SQL makes each of them name the row of that name|Put the id of a row in the place of each"


@pytest.mark.parametrize("name", REFERENCES)
def test_references_that_are_no_whole_numbers_are_refused(tmp_path, name):
    """Dry run and execute refuse them before anything is written; status and doctor name them."""
    options, words = REFERENCES[name]
    path = made(tmp_path / "dash.db", **options)
    before = folder_state(tmp_path)
    for to in (None, "2.0"):
        for door in (migrations.migrate, migrations.execute):
            with pytest.raises(RefusedError, match=rf"{words}.*({MENDED}).*Nothing was changed"):
                door(path, to=to)
    assert migrations.status(path).verdict.startswith("REFUSED: the migration cannot run yet")
    assert re.search(MENDED, str(doctor.examine(path)))
    assert folder_state(tmp_path) == before


OTHER_IDS = {
    "texts": ("T-9", "T-10"),
    "digits": ("2", "1"),
    "UUIDs": (UUIDS[1], UUIDS[0]),
    "reals": (1.5, 2.5),
}


@pytest.mark.parametrize("name", OTHER_IDS)
def test_what_is_said_about_other_ids_works(tmp_path, name):
    """Behind the SQL of the message both tables are migrated; all that pointed to a row points to it, by its new id."""
    ids, path = OTHER_IDS[name], tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE TABLE tasks (id PRIMARY KEY, project_id NOT NULL REFERENCES projects (id), title TEXT DEFAULT 'x' "
        "CHECK (title <> ''), status TEXT, parent_id REFERENCES tasks)",
        "CREATE INDEX titles ON tasks (title)",
        "CREATE TRIGGER noted AFTER INSERT ON tasks BEGIN UPDATE projects SET name = name; END",
        "CREATE TABLE task_dependencies (task_id, depends_on_id, PRIMARY KEY (task_id, depends_on_id))",
        'CREATE TABLE "my notes" (id INTEGER PRIMARY KEY, "of task" REFERENCES tasks (id))',
        "CREATE VIEW mine AS SELECT t.title, p.name FROM tasks AS t JOIN projects AS p ON p.id = t.project_id",
    )
    for one, title in zip(ids, ("a", "b"), strict=True):
        query(path, "INSERT INTO projects VALUES (?, ?)", one, f"of {title}")
        query(path, "INSERT INTO tasks VALUES (?, ?, ?, 'completed', ?)", one, one, title, ids[0])
        query(path, 'INSERT INTO "my notes" ("of task") VALUES (?)', one)
    query(path, "INSERT INTO task_dependencies VALUES (?, ?)", *ids)
    with pytest.raises(RefusedError, match=r"in projects 2 rows .*; in tasks 2 rows ") as refused:
        migrations.migrate(path)
    told = refused.value.remedy
    assert "`sqlite3 " in told
    assert "The CHECK conditions of tasks are not in it: add them. SQL is typed into the program sqlite3, which" in told
    carry_out(path, told)
    migrations.execute(path)
    assert query(path, "SELECT title, name FROM mine ORDER BY title") == [("a", "of a"), ("b", "of b")]
    by_title = dict(query(path, "SELECT title, id FROM tasks"))
    assert all(isinstance(number, int) for number in by_title.values())
    dependency = query(path, "SELECT CAST(task_id AS INTEGER), CAST(depends_on_id AS INTEGER) FROM task_dependencies")
    assert dependency == [(by_title["a"], by_title["b"])]
    assert query(path, 'SELECT CAST("of task" AS INTEGER) FROM "my notes" ORDER BY id') == [*zip(by_title.values())]
    assert query(path, "SELECT DISTINCT CAST(parent_id AS INTEGER) FROM tasks") == [(by_title["a"],)]
    assert {*query(path, "SELECT external_id FROM tasks")} == {(str(one),) for one in ids}
    assert query(path, "SELECT count(*) FROM sqlite_master WHERE name IN ('titles', 'noted')") == [(2,)]
    assert not [one for one in doctor.examine(path).findings if one.state == "wrong"]


DOUBLES = {
    "none": ("", 3, ["a", "b", "c"]),
    "the same": ("INSERT INTO anew SELECT * FROM anew WHERE id < 3", 3, ["a", "b", "c"]),
    "others": (
        "INSERT INTO anew (id, project_id, title) SELECT id, project_id, 'other' FROM anew WHERE id = 2",
        4,
        ["a", "b", "c", "other"],
    ),
}


@pytest.mark.parametrize("version", ["1.0", "2.1"])
@pytest.mark.parametrize("name", DOUBLES)
def test_a_table_without_its_key_gets_it_back(tmp_path, name, version):
    """The doubles are counted; the SQL deletes only what is there twice, and gives other rows an id of their own."""
    extra, count, titles = DOUBLES[name]
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": one} for one in "abc"])
    backup = migrations.execute(path).backup if version != "1.0" else None
    statements = ["CREATE TABLE anew AS SELECT * FROM tasks", extra, "DROP TABLE tasks"]
    alter(path, "PRAGMA legacy_alter_table = ON", *filter(None, statements), "ALTER TABLE anew RENAME TO tasks")
    with pytest.raises(RefusedError, match=r"tasks\.id is not its key") as refused:
        doctor.examine(path)
    assert ("have the id" in str(refused.value) or "has the id" in str(refused.value)) is (name != "none")
    assert ("DELETE FROM tasks" in refused.value.remedy) is (name == "the same")
    assert (f"The backup of the last migration, {backup.name}," in refused.value.remedy) if backup else True
    carry_out(path, refused.value.remedy)
    assert query(path, "SELECT title FROM tasks ORDER BY title") == [(one,) for one in titles]
    assert query(path, "SELECT count(DISTINCT id) FROM tasks") == [(count,)]
    migrations.execute(path)
    assert not [one for one in doctor.examine(path).findings if one.state == "wrong"]


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
