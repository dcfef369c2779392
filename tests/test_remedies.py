"""Every remedy of `dashkit doctor` is carried out, to the letter: then the finding is gone, and no task is lost."""

import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import earlier
import pytest
from builders import NEWEST, query, v1_database
from content import alter, content
from faults import FAULTS, damaged, linked, put_aside, rebuilt, saved_again, sound
from remedies import bad, carry_out, choices

import dashkit
from dashkit import database, doctor, migrations
from dashkit.cli import main
from dashkit.errors import DashkitError, RefusedError
from dashkit.store import values


@pytest.fixture
def path(tmp_path):
    """A sound database."""
    return sound(tmp_path / "dash.db")


def kept(path):
    """What may never be lost: each project and task, by its id and name."""
    return {
        table: query(path, f"SELECT rowid, {name} FROM {table}")
        for table, name in (("projects", "name"), ("tasks", "title"))
    }


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_advised_mends_it(path, name, capsys):
    """Behind what a remedy says word for word the finding is gone, nothing else is, and no row of a task is lost."""
    fault = FAULTS[name]
    fault.apply(path)
    before = kept(path)
    seen = set()
    # What is mended can show what it hid: a date that can be read now is one that the history does not know.
    while found := [one for one in bad(path) if one.check not in fault.stays and not nothing_to_do(one)]:
        assert seen.isdisjoint((one.check, one.found) for one in found), "its remedy was carried out before"
        for one in found:
            assert carry_out(path, one.remedy) or "What is said above" in one.remedy, one
            seen.add((one.check, one.found))
    assert {table: rows for table, rows in kept(path).items() if not set(before[table]) <= set(rows)} == {}
    assert "Traceback" not in capsys.readouterr().err


def nothing_to_do(one):
    """Whether a note says that it may stay as it is, and nothing else."""
    return one.state == "note" and "Nothing has to be done." in one.remedy and "`" not in one.remedy


def test_every_finding_is_among_the_faults():
    """Whatever a finding can say that is not good, there is a fault that makes it say so, and its remedy is tried."""
    source = "".join(file.read_text(encoding="utf-8") for file in Path(doctor.__file__).parent.glob("*.py"))
    known = set(re.findall(r'Finding\(\s*"([\w ]+)", "(wrong|note)"', source))
    found = {(check, state) for fault in FAULTS.values() for check, (state, _) in fault.found.items()}
    # Each of these has a test of its own below.
    apart = {("version", "wrong"), ("version", "note"), ("schema", "note"), ("links", "note")}
    assert known - apart <= found
    told = {
        words.partition(": ")[0].split(" in ")[-1] for fault in FAULTS.values() for _, words in fault.found.values()
    }
    ruled = {rule.where for rule in values.RULES}
    assert {where for where in ruled if not where.startswith(("task_session", "commit_session"))} <= told


def filled(path):
    """Rows in every table that holds dates."""
    linked(path)
    alter(
        path,
        "INSERT INTO task_sources (task_id, source) VALUES (1, 'TODO.md')",
        "INSERT INTO task_session_links (id, task_id, session_id, confidence, link_type) VALUES ('l', 1, 's', 1, 'x')",
        "INSERT INTO runs (id, kind, started_at) VALUES ('r', 'link', '2025-11-27')",
    )


@pytest.mark.parametrize(
    ("table", "column"), [(dates.table, column) for dates in values.DATES for column in dates.columns]
)
def test_each_date_that_cannot_be_read_is_mended(path, table, column):
    """Of each column of dates the statement that is told makes such a value one that can be read, or takes it away."""
    filled(path)
    alter(path, f"UPDATE {table} SET {column} = 'soon'")
    (found,) = [one for one in bad(path) if f"{table}.{column} cannot be read as a date, such as 'soon'" in one.found]
    assert carry_out(path, found.remedy)
    assert not [one for one in bad(path) if f"{table}.{column} cannot" in one.found]


def test_a_table_that_the_disk_damaged_is_saved_into_another_file(path):
    """What can still be read of a damaged file is in the one that the remedy makes: all of the other tables."""
    before = kept(path)
    damaged("task_events")(path)
    (found,) = bad(path)
    assert (found.check, found.state) == ("integrity", "wrong")
    assert carry_out(path, found.remedy)
    saved = path.with_name("dash.saved.db")
    assert doctor.examine(saved).findings[0].state == "good"
    assert kept(saved) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            ["ALTER TABLE tasks ADD COLUMN complexity TEXT", "UPDATE tasks SET complexity = 'high' WHERE id = 1"],
            "holds 1",
        ),
        (["ALTER TABLE tasks ADD COLUMN checked BOOLEAN", "UPDATE tasks SET checked = 'yes' WHERE id = 1"], "holds 1"),
        (["ALTER TABLE tasks ADD COLUMN checked BOOLEAN AS (0)"], "is a generated column"),
        (["ALTER TABLE tasks ADD COLUMN blocked_reason INTEGER"], "is declared INTEGER"),
        (["CREATE VIEW git_repos AS SELECT 1 AS one"], "is taken by a view"),
        (["CREATE TABLE runs (id INTEGER PRIMARY KEY)", "INSERT INTO runs VALUES (1)"], "without a TEXT column id"),
        (["CREATE INDEX runs ON tasks (title)"], "is taken by an index"),
        (["CREATE TABLE idx_tasks_checked (a)"], "is taken by a table"),
        (["CREATE INDEX idx_tasks_checked ON tasks (title)"], "an index named idx_tasks_checked exists already"),
        (
            ["CREATE VIRTUAL TABLE settings USING fts5(words)", "INSERT INTO settings VALUES ('a')"],
            "by a virtual table",
        ),
        (["CREATE TRIGGER dashkit_task_insert AFTER INSERT ON tasks BEGIN SELECT 1; END"], "another trigger named"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0][:60],
)
def test_what_is_in_the_way_of_a_migration_is_kept_and_put_aside(tmp_path, spoil, told):
    """Behind what is told a version 1 database is migrated; what was in the way is there under another name."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}])
    alter(path, *spoil)
    before = content(path)
    with pytest.raises(RefusedError, match=told) as refused:
        migrations.migrate(path)
    assert f"`dashkit doctor --db {path}` shows the statements." in refused.value.remedy
    (found,) = [one for one in bad(path) if one.check == "in the way"]
    assert (found.state, told in found.found) == ("wrong", True)
    assert "was refused" not in found.remedy
    assert content(path) == before
    assert carry_out(path, found.remedy) == 2
    assert migrations.status(path).ready
    assert kept(path)["tasks"] == [(1, "a"), (2, "b")]
    assert ("'high'" in repr(content(path))) == ("'high'" in repr(before))


# A column as it is declared, the values of tasks 1 and 3 and of task 2 -> what each choice leaves in dashkit's column,
# and what is told of the rows.
OTHERS = {
    "a size with a blank": ("complexity TEXT", "L", "M ", {"a": [None, None], "b": ["L", "M"]}, "It changes 1 row."),
    "a size that is none": (
        "complexity TEXT",
        "l",
        "huge",
        {"a": [None, None], "b": ["L", None]},
        "It changes 3 rows, and empties 1 of them.",
    ),
    "a size in a column that takes others": (
        "complexity TEXT CHECK (complexity IN ('s', 'm', 'l'))",
        "l",
        "m",
        {"a": [None, None], "b": ["L", "M"]},
        "It makes 3 values of the old ones, which stay in complexity_other.",
    ),
    "story points": ("complexity INTEGER", 3, 5, {"a": [None, None]}, "Run this SQL: `ALTER TABLE tasks RENAME"),
    "words": ("checked VARCHAR(5) DEFAULT 'false'", "false", "true", {"a": [0, 1]}, "It makes 3 values"),
    "letters": (
        "checked CHAR(1) DEFAULT 'N' CHECK (checked IN ('Y', 'N'))",
        "N",
        "Y",
        {"a": [0, 1]},
        "which stay in checked_other.",
    ),
    "words in a column of ours": ("checked BOOLEAN", "no", "Yes", {"a": [0, 1]}, "It changes 3 rows."),
    "words that nobody knows": (
        "checked BOOLEAN",
        "maybe",
        "done",
        {"a": [1, 1]},
        "It makes 1 value of the old ones, which stay in checked_other; 2 rows of other values are left out.",
    ),
    "a number in a column of dates": (
        "updated_at DATETIME",
        "2025-01-02",
        2025,
        {"a": ["2025-11-01", "2025-11-02"], "b": ["2025-01-02", "2025-11-02"]},
        "It changes 1 row.",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_one_column_has_one_finding_with_the_ways_to_choose_from(tmp_path, name, capsys):
    """Each way leads to a migrated database, keeps what it says, and nothing else is advised of that column."""
    declared, value, other, results, told = OTHERS[name]
    column = declared.split()[0]
    days = [{"title": f"t{n}", "status": "completed", "created_at": f"2025-11-0{n}"} for n in (1, 2, 3)]
    path = v1_database(tmp_path / "dash.db", tasks=days)
    alter(path, f"ALTER TABLE tasks ADD COLUMN {declared}")
    query(path, f"UPDATE tasks SET {column} = CASE id WHEN 2 THEN ? ELSE ? END", other, value)
    assert main(["doctor", "--db", str(path)]) == 1
    said = capsys.readouterr().out
    assert "The migration cannot run yet: first do what 'in the way' below says." in said
    (found,) = [one for one in bad(path) if one.check != "version"]
    assert (found.check, found.state) == ("in the way", "wrong")
    assert told in found.remedy
    assert choices(found.remedy) == (sorted(results) if len(results) > 1 else [])
    assert ("Choose one" in found.remedy) == (len(results) > 1)
    old = query(path, f"SELECT {column} FROM tasks ORDER BY id")
    for choice, (first, second) in results.items():
        mine = Path(shutil.copy(path, tmp_path / f"{choice}.db"))
        remedy = found.remedy.replace(str(path), str(mine))
        assert carry_out(mine, remedy, choice) == 2
        assert query(mine, f"SELECT {column} FROM tasks ORDER BY id") == [(first,), (second,), (first,)] or (
            column == "updated_at" and query(mine, "SELECT updated_at FROM tasks WHERE id < 3") == [(first,), (second,)]
        )
        if query(mine, "SELECT count(*) FROM pragma_table_info('tasks') WHERE name = ?", f"{column}_other") == [(1,)]:
            assert query(mine, f"SELECT {column}_other FROM tasks ORDER BY id") == old
        assert migrations.status(mine).ready


def test_a_column_of_ours_whose_index_is_there_is_put_aside_with_it(tmp_path):
    """An index of our name on a column that gets another name is made again on ours."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    alter(
        path,
        "ALTER TABLE tasks ADD COLUMN checked TEXT DEFAULT 'true'",
        "CREATE INDEX idx_tasks_checked ON tasks (checked)",
    )
    (found,) = [one for one in bad(path) if one.check == "in the way"]
    assert "was refused" not in found.remedy
    assert carry_out(path, found.remedy) == 2
    assert query(path, "SELECT checked, checked_other FROM tasks") == [(1, "true")]
    assert migrations.status(path).ready


def test_the_record_of_another_migration_tool_is_left_alone(tmp_path):
    """No remedy renames what that tool needs; dashkit keeps its own record beside it."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    alter(path, "CREATE TABLE schema_migrations (version VARCHAR NOT NULL PRIMARY KEY)")
    alter(path, "INSERT INTO schema_migrations VALUES ('20240101')")
    assert not [one for one in doctor.examine(path).findings if one.check == "in the way"]
    migrations.execute(path)
    assert migrations.status(path).ready
    assert not [one for one in doctor.examine(path).findings if "schema_migrations" in one.remedy]
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT * FROM schema_migrations").fetchall() == [("20240101",)]


def test_tasks_without_an_id_get_one(tmp_path):
    """Where `id INT PRIMARY KEY` lets an id be empty, it is refused with the statement that gives the rows ids."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INT PRIMARY KEY, name TEXT)",
        "CREATE TABLE tasks (id INT PRIMARY KEY, project_id INT, title TEXT, status TEXT)",
        "INSERT INTO projects VALUES (1, 'a'), (NULL, 'b')",
        "INSERT INTO tasks VALUES (7, 1, 'a', 'pending'), (NULL, 1, 'b', 'pending'), (NULL, 1, 'c', 'pending')",
    )
    told = (
        "in projects 1 row has no id; in tasks 2 rows have no id, and dashkit knows projects and tasks by whole numbers"
    )
    for door in (doctor.examine, migrations.status, migrations.migrate, migrations.execute, dashkit.open):
        with pytest.raises(RefusedError, match=rf"{told}\. Nothing was changed") as refused:
            door(path)
    assert "SQL is typed into the program sqlite3, which" in refused.value.remedy
    carry_out(path, refused.value.remedy)
    assert query(path, "SELECT title, id FROM tasks ORDER BY title") == [("a", 7), ("b", 9), ("c", 10)]
    migrations.execute(path)
    assert doctor.examine(path).healthy


def test_a_version_1_whose_tasks_name_a_project_table_that_is_gone(tmp_path):
    """All its tasks are sound: none is called an orphan, and the migration puts the name right."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b", "project_id": 77}])
    put_aside("projects", "projects_old")(path)
    found = {one.check: one for one in bad(path)}
    told = "foreign keys of phases, tasks point to the table projects_old, which is not there: projects is meant"
    assert (found["names"].state, found["names"].found) == ("wrong", told)
    assert "none has to be deleted" in found["names"].remedy
    assert found["foreign keys"].found == "rows that name a row which is not there: tasks.project_id (1)"
    for one in found.values():
        assert carry_out(path, one.remedy)
    assert [one for one in bad(path) if one.state == "wrong"] == []
    assert kept(path) == {"projects": [(1, "Alpha"), (77, "Project 77")], "tasks": [(1, "a"), (2, "b")]}
    assert query(path, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('tasks') ORDER BY 1") == [
        ("phases",),
        ("projects",),
        ("tasks",),
    ]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_older_version_is_brought_to_the_newest(tmp_path, version):
    """The note on a later version is a remedy that works."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    if version != "1.0":
        migrations.execute(path, to=version)
    (found,) = bad(path)
    assert (found.check, found.state) == ("version", "note")
    assert carry_out(path, found.remedy) == 2
    assert bad(path) == []


def test_a_remedy_keeps_the_version(tmp_path):
    """What version 2.0 has lost comes back to it, and nothing of a later version comes with that."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    migrations.execute(path, to="2.0")
    alter(path, "DROP INDEX idx_tasks_checked")
    (found,) = [one for one in bad(path) if one.check == "schema"]
    assert "migrate --execute --to 2.0" in found.remedy
    assert carry_out(path, found.remedy) == 1
    assert migrations.status(path).version == "2.0"
    assert [one.check for one in bad(path)] == ["version"]


def test_a_later_version_is_of_a_later_dashkit(path):
    """A database of a version that nobody knows here is not changed: dashkit is to be updated."""
    alter(path, "UPDATE schema_migrations SET version = '9.0' WHERE name = 'runs'")
    found = {one.check: one for one in bad(path)}["version"]
    assert (found.state, found.found) == ("wrong", "9.0, newer than this dashkit knows (2.1)")
    assert found.remedy == "Update dashkit; the database is as it should be."


def test_an_earlier_form_of_the_newest_version_is_brought_up(tmp_path):
    """A file that an earlier commit made gets what came since, as its note says."""
    path = earlier.database(tmp_path / "dash.db")
    (found,) = [one for one in bad(path) if one.check == "schema"]
    assert found.state == "note"
    assert carry_out(path, found.remedy) == 1
    assert [one for one in bad(path) if one.check == "schema"] == []


OWNED = (
    "PRAGMA foreign_keys = OFF",
    "PRAGMA legacy_alter_table = ON",
    "ALTER TABLE projects RENAME TO p",
    "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL{}, rank INT NOT NULL)",
    "INSERT INTO projects SELECT id, name, 'me', 1 FROM p",
    "DROP TABLE p",
)


def by_project(path):
    """The name of the project of each task."""
    return dict(query(path, "SELECT t.id, p.name FROM tasks AS t LEFT JOIN projects AS p ON p.id = t.project_id"))


@pytest.mark.parametrize("version", ["1.0", NEWEST])
def test_no_remedy_moves_a_task_into_another_project(tmp_path, version):
    """A project is made for the tasks of one that is gone, whatever else a project has to have."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}, {"title": "c"}])
    if version != "1.0":
        migrations.execute(path)
    alter(path, *(one.format("") for one in OWNED), "UPDATE tasks SET project_id = 99 WHERE id > 1")
    (found,) = [one for one in bad(path) if one.check == "foreign keys"]
    assert found.remedy.endswith("This makes a project 'Project 99' for 2 tasks.")
    assert carry_out(path, found.remedy) == 1
    assert by_project(path) == {1: "Alpha", 2: "Project 99", 3: "Project 99"}
    assert query(path, "SELECT owner, rank FROM projects WHERE id = 99") == [("", 0)]
    assert "foreign keys" not in {one.check for one in bad(path)}


def test_where_no_project_can_be_made_people_decide(tmp_path):
    """The statement was tried: one that would be refused is not told, and no task changes."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}])
    alter(path, *(one.format(" CHECK (owner <> '')") for one in OWNED), "UPDATE tasks SET project_id = 99 WHERE id = 2")
    (found,) = [one for one in bad(path) if one.check == "foreign keys"]
    assert "INSERT" not in found.remedy
    assert "UPDATE" not in found.remedy
    assert "dashkit cannot make what they name (CHECK constraint failed: owner <> '')" in found.remedy
    (listing,) = re.findall("`(.*);`", found.remedy)
    assert [row[0] for row in query(path, listing)] == [2]


@pytest.mark.parametrize("declared", ["INTEGER NOT NULL", "TEXT", "VARCHAR(20) NOT NULL"])
def test_words_for_projects_name_the_projects_of_that_name(tmp_path, declared):
    """One finding says so, and its statement makes what is missing; numbers stay what they are."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": str(number)} for number in range(5)])
    rebuilt("tasks", ("project_id INTEGER NOT NULL", f"project_id {declared}"))(path)
    alter(
        path,
        "UPDATE tasks SET project_id = 'alpha' WHERE id = 2",
        "UPDATE tasks SET project_id = 'Beta' WHERE id IN (3, 4)",
        "UPDATE tasks SET phase_id = 'Design' WHERE id = 4",
    )
    with pytest.raises(RefusedError, match=r"tasks\.project_id holds 3 values such as 'Beta'"):
        migrations.migrate(path)
    found = [one for one in bad(path) if one.check != "version"]
    assert [(one.check, one.state) for one in found] == [("in the way", "wrong")]
    assert carry_out(path, found[0].remedy) == 2
    assert by_project(path) == {1: "Alpha", 2: "Alpha", 3: "Beta", 4: "Beta", 5: "Alpha"}
    assert query(path, "SELECT p.name, p.project_id FROM phases AS p JOIN tasks AS t ON t.phase_id = p.id") == [
        ("Design", query(path, "SELECT id FROM projects WHERE name = 'Beta'")[0][0])
    ]
    migrations.execute(path)
    assert not [one for one in bad(path) if one.state == "wrong"]


def test_a_word_that_came_after_the_migration_names_a_project(path):
    """In a migrated database it is an orphan beside others, and both get what they name."""
    alter(
        path,
        "UPDATE tasks SET project_id = 'Beta' WHERE id = 1",
        "UPDATE tasks SET project_id = 77 WHERE id = 2",
    )
    (found,) = [one for one in bad(path) if one.check == "foreign keys"]
    does = "makes a project 'Project 77' for 1 task and gives 1 task the project that its word names"
    assert f"This {does}, made anew where there is none." in found.remedy
    assert carry_out(path, found.remedy) == 1
    assert by_project(path) == {1: "Beta", 2: "Project 77", 3: "Alpha"}
    assert bad(path) == []


def test_links_that_messages_name_come_back(tmp_path):
    """A program that saves a task by INSERT OR REPLACE takes its links away: `dashkit link` makes them again."""
    place, path = scanned(tmp_path)
    links = "SELECT task_id, commit_sha FROM task_commit_links ORDER BY 1, 2"
    before, ids = query(path, links), [task for (task,) in query(path, "SELECT id FROM tasks WHERE checked")]
    assert before
    saved_again(*ids)(path)
    assert query(path, links) != before
    found = {one.check: one for one in bad(path)}
    assert (found["links"].state, found["rewritten rows"].state) == ("note", "wrong")
    assert carry_out(path, found["rewritten rows"].remedy) >= 2
    assert not {"links", "rewritten rows"} & {one.check for one in bad(path)}
    assert main(["scan", str(place), "--db", str(path), "--no-page"]) == 0
    assert query(path, links) == before


def scanned(folder):
    """A repository, and the database that a scan of it makes."""
    place, path = earlier.repository(folder / "shop"), folder / "dash.db"
    assert main(["scan", str(place), "--db", str(path), "--no-page"]) == 0
    return place, path


def test_a_source_that_was_forgotten_is_found_again(tmp_path):
    """Behind the rows of task_sources that nobody can read are deleted, the next scan takes no task for a new one."""
    place, path = scanned(tmp_path)
    before = kept(path)
    alter(path, "UPDATE task_sources SET image = '[]' WHERE task_id < 3")
    (found,) = [one for one in bad(path) if one.check == "values"]
    assert carry_out(path, found.remedy) == 1
    assert main(["scan", str(place), "--db", str(path), "--no-page"]) == 0
    assert kept(path) == before
    assert doctor.examine(path).healthy


def test_a_repository_that_was_forgotten_comes_back_by_its_own_name(tmp_path):
    """Where a program deleted the row of a repository alone, reading that again makes its commits sound, with links."""
    place, path = scanned(tmp_path)
    links = query(path, "SELECT count(*) FROM task_commit_links")
    alter(path, "DROP TRIGGER dashkit_repo_delete", "DELETE FROM git_repos")
    (found,) = [one for one in bad(path) if one.check == "foreign keys"]
    assert "git_commits.repo_id" in found.found
    assert found.remedy.startswith("If the repository is still there, `dashkit ingest git REPO` makes its row again")
    assert main(["ingest", "git", str(place), "--db", str(path)]) == 0
    assert [one for one in bad(path) if one.check == "foreign keys"] == []
    assert query(path, "SELECT count(*) FROM task_commit_links") == links


def advised(db, error):
    """Do what the message says, word for word."""
    assert carry_out(db, error.remedy)


def half_written(db):
    """A program was interrupted: its WAL is there, and the index of it is not."""
    with closing(sqlite3.connect(db)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE tasks SET title = 'changed'")
        writer.commit()
        left = shutil.copy(db, db.with_name("left")), shutil.copy(f"{db}-wal", db.with_name("left-wal"))
    for file, name in zip(left, (db, f"{db}-wal"), strict=True):
        Path(file).replace(name)


def nothing(db):
    """It is as it should be."""


POSITIONAL = (
    "CREATE TRIGGER plan AFTER INSERT ON projects BEGIN INSERT INTO tasks{} VALUES "
    "(NULL, NEW.id, NULL, 'Plan', NULL, 'pending', 'medium', NULL, NULL); END"
)
NAMES = "(id, project_id, phase_id, title, description, status, priority, created_at, completed_at)"
# How it comes, what is then refused, and how what the message says is done.
REFUSALS = {
    "a program was interrupted": (half_written, migrations.migrate, advised),
    "another program is writing": (
        lambda db: db.with_name("dash.db-busy").touch(),
        lambda db: busy(db) if db.with_name("dash.db-busy").exists() else migrations.execute(db),
        lambda db, error: db.with_name("dash.db-busy").unlink(),
    ),
    "the file has two names": (
        lambda db: db.with_name("other.db").hardlink_to(db),
        migrations.migrate,
        lambda db, error: shutil.copy(db, db.with_name("copy.db")).replace(db),
    ),
    "a trigger that names no columns": (
        lambda db: alter(db, POSITIONAL.format("")),
        migrations.migrate,
        lambda db, error: alter(db, "DROP TRIGGER plan", POSITIONAL.format(f" {NAMES}")),
    ),
    "a view of our name": (lambda db: alter(db, "CREATE VIEW runs AS SELECT 1 AS one"), migrations.migrate, advised),
    "an index of our name": (
        lambda db: alter(db, "CREATE INDEX idx_tasks_checked ON tasks (title)"),
        migrations.migrate,
        advised,
    ),
    "the database is of version 1": (nothing, lambda db: database.get_blocked_tasks(db=db), advised),
    "the recorded backup is gone": (
        lambda db: migrations.execute(db).backup.rename(db.with_name("kept")),
        migrations.plan_rollback,
        lambda db, error: db.with_name("kept").rename(recorded(db)),
    ),
    "a commit that is not there": (
        migrations.execute,
        lambda db: database.create_task_commit_link(1, "c0ffee", db=db),
        lambda db, error: record_missing(db, error, "c0ffee", "r", "Ann", "m", "2025-11-27"),
    ),
    "a session that is not there": (
        migrations.execute,
        lambda db: database.create_task_session_link(1, "5e55", db=db),
        lambda db, error: record_missing(db, error, "5e55", 1, "s", 2, "2025-11-27"),
    ),
}


def busy(db):
    """Somebody holds the database."""
    with closing(sqlite3.connect(db, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        migrations.execute(db, timeout=0.1)


def recorded(db):
    """The backup on record."""
    return db.with_name(query(db, "SELECT DISTINCT backup FROM schema_migrations")[0][0])


def record_missing(db, error, *values):
    """Run the statement that the message has, with these values."""
    alter(db, "INSERT OR IGNORE INTO git_repos (id, project_id, path) VALUES ('r', 1, '/r')")
    query(db, re.search(r"INSERT INTO [^?]*\((?:\?, )*\?\)", error.remedy)[0], *values)


@pytest.mark.parametrize("name", REFUSALS)
def test_what_an_error_advises_is_the_way_on(tmp_path, name):
    """Behind what a refusal says the same call succeeds, and no project and no task is lost."""
    spoil, call, mend = REFUSALS[name]
    db = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}])
    spoil(db)
    with pytest.raises(DashkitError) as refused:
        call(db)
    mend(db, refused.value)
    call(db)
    assert [task for task, _ in kept(db)["tasks"]] == [1, 2]


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        ([], "PENDING 2.0: 19 changes"),
        (["DELETE"], "PENDING: what is there is not recorded; `dashkit migrate --execute --db "),
        (["DROP INDEX idx_tasks_checked"], "PENDING 2.0: 1 change (idx_tasks_checked). `dashkit migrate --db "),
        (["CREATE VIEW runs AS SELECT 1"], "REFUSED: the migration cannot run yet; `dashkit doctor --db "),
        (["CHECK"], "PENDING: another program has changed a table; `dashkit doctor --db "),
    ],
)
def test_what_status_says_leads_to_ready(tmp_path, spoil, verdict):
    """Whatever the last line of `dashkit status` says to run, or what that says, leads to READY."""
    db = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    if spoil in (["DELETE"], ["CHECK"], ["DROP INDEX idx_tasks_checked"]):
        migrations.execute(db)
    if spoil == ["CHECK"]:
        FAULTS["a CHECK"].apply(db)
    elif spoil == ["DELETE"]:
        alter(db, "DELETE FROM schema_migrations WHERE name = 'runs'")
    else:
        alter(db, *spoil)
    standing = migrations.status(db)
    assert standing.verdict.startswith(verdict)
    for command in re.findall(r"`(dashkit [^`]+)`", standing.verdict):
        if "doctor" in command:
            for one in bad(db):
                carry_out(db, one.remedy)
        elif "--execute" not in command:
            main([*shlex.split(command)[1:], "--execute", "--db", str(db)])
        main([*shlex.split(command)[1:], "--db", str(db)])
    assert migrations.status(db).verdict == f"READY ({NEWEST})"


@pytest.mark.parametrize("is_migrated", [False, True])
def test_dates_that_cannot_be_read_are_listed(tmp_path, is_migrated):
    """Of several such dates the remedy lists all; before a migration it says that this is the time to correct them."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}, {"title": "c"}])
    if is_migrated:
        migrations.execute(path)
    alter(path, "UPDATE tasks SET created_at = 'day ' || id WHERE id > 1")
    (found,) = [one for one in bad(path) if "tasks.created_at cannot be read" in one.found]
    assert ("before the migration" in found.remedy) is not is_migrated
    (listing,) = re.findall("`(SELECT [^`]+)`", found.remedy)
    assert query(path, listing.rstrip(";")) == [("day 2", 1), ("day 3", 1)]
    assert "SET created_at = 'YYYY-MM-DD' WHERE created_at = 'day 2'" in found.remedy
