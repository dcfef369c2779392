"""What other programs do to tables, by the statements that they run, and how a migration puts that right."""

import sqlite3
from contextlib import closing

import pytest
from builders import NEWEST, query, v1_database
from content import alter, content
from faults import FAULTS, put_aside, rebuilt, sound
from remedies import carry_out

from dashkit import database, doctor, migrations
from dashkit.errors import FailedError, RefusedError
from dashkit.migrations import lost, texts
from dashkit.store.orphans import REFERENCES

# As sqlite-utils writes it in `transform`: types by Python's, no CHECK, no ON DELETE, defaults as text.
SQLITE_UTILS = """
CREATE TABLE [tasks_new_0123456789ab] ([id] INTEGER PRIMARY KEY,
 [project_id] INTEGER NOT NULL REFERENCES [projects]([id]), [phase_id] INTEGER REFERENCES [phases]([id]),
 [title] TEXT NOT NULL, [description] TEXT, [status] TEXT DEFAULT 'pending', [priority] TEXT DEFAULT 'medium',
 [created_at] TEXT DEFAULT CURRENT_TIMESTAMP, [completed_at] TEXT, [checked] BOOLEAN DEFAULT 'FALSE',
 [blocked_reason] TEXT, [complexity] TEXT, [updated_at] TEXT, [external_id] TEXT, [kind] TEXT,
 [parent_id] INTEGER REFERENCES [tasks]([id]), [labels] TEXT, [assignee] TEXT, [due_at] TEXT, [milestone] TEXT);
INSERT INTO [tasks_new_0123456789ab] SELECT * FROM [tasks];
DROP TABLE [tasks];
ALTER TABLE [tasks_new_0123456789ab] RENAME TO [tasks];
"""
# As the batch mode of alembic writes it: keys behind the columns, no CHECK without a name, no ON DELETE.
ALEMBIC = """
CREATE TABLE _alembic_tmp_tasks (id INTEGER NOT NULL, project_id INTEGER NOT NULL, phase_id INTEGER,
 title TEXT NOT NULL, description TEXT, status TEXT DEFAULT 'pending', priority TEXT DEFAULT 'medium',
 created_at TEXT DEFAULT (CURRENT_TIMESTAMP), completed_at TEXT, checked BOOLEAN DEFAULT (FALSE), blocked_reason TEXT,
 complexity TEXT, updated_at TEXT, external_id TEXT, kind TEXT, parent_id INTEGER, labels TEXT, assignee TEXT,
 due_at TEXT, milestone TEXT, owner VARCHAR(50), PRIMARY KEY (id), FOREIGN KEY(parent_id) REFERENCES tasks (id),
 FOREIGN KEY(project_id) REFERENCES projects (id), FOREIGN KEY(phase_id) REFERENCES phases (id));
INSERT INTO _alembic_tmp_tasks SELECT *, NULL FROM tasks;
DROP TABLE tasks;
ALTER TABLE _alembic_tmp_tasks RENAME TO tasks;
"""
# As DB Browser writes it: the whole statement again, as far as its own parser knows it.
DB_BROWSER = """
PRAGMA foreign_keys = OFF;
CREATE TABLE "sqlb_temp_table_1" (
\t"id"\tINTEGER,
\t"project_id"\tINTEGER NOT NULL,
\t"phase_id"\tINTEGER,
\t"title"\tTEXT NOT NULL,
\t"description"\tTEXT,
\t"status"\tTEXT DEFAULT 'pending',
\t"priority"\tTEXT DEFAULT 'medium',
\t"created_at"\tTEXT DEFAULT CURRENT_TIMESTAMP,
\t"completed_at"\tTEXT,
\t"checked"\tBOOLEAN DEFAULT FALSE,
\t"blocked_reason"\tTEXT,
\t"complexity"\tTEXT CHECK("complexity" IS NULL OR "complexity" IN ('S', 'M', 'L', 'XL')),
\t"updated_at"\tTEXT,
\t"external_id"\tTEXT,
\t"kind"\tTEXT,
\t"parent_id"\tINTEGER,
\t"labels"\tTEXT,
\t"assignee"\tTEXT,
\t"due_at"\tTEXT,
\t"milestone"\tTEXT,
\tPRIMARY KEY("id" AUTOINCREMENT),
\tFOREIGN KEY("parent_id") REFERENCES "tasks"("id") ON DELETE SET NULL
);
INSERT INTO "sqlb_temp_table_1" SELECT * FROM "tasks";
PRAGMA defer_foreign_keys = ON;
DROP TABLE "tasks";
ALTER TABLE "sqlb_temp_table_1" RENAME TO "tasks";
"""
# As Django writes it: everything is quoted, keys say when they are checked, and a name that is asked for is not kept.
DJANGO = """
PRAGMA foreign_keys = OFF;
CREATE TABLE "new__tasks" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "project_id" bigint NOT NULL REFERENCES
 "projects" ("id") DEFERRABLE INITIALLY DEFERRED, "phase_id" bigint NULL REFERENCES "phases" ("id") DEFERRABLE INITIALLY
 DEFERRED, "title" text NOT NULL, "description" text NULL, "status" text NULL, "priority" text NULL,
 "created_at" text NULL, "completed_at" text NULL, "checked" bool NOT NULL, "blocked_reason" text NULL,
 "complexity" varchar(2) NULL, "updated_at" text NULL, "external_id" text NULL, "kind" text NULL,
 "parent_id" bigint NULL REFERENCES "tasks" ("id") DEFERRABLE INITIALLY DEFERRED, "labels" text NULL,
 "assignee" text NULL, "due_at" text NULL, "milestone" text NULL);
INSERT INTO "new__tasks" SELECT * FROM "tasks";
DROP TABLE "tasks";
ALTER TABLE "new__tasks" RENAME TO "tasks";
"""
_CHECK, _ACTION, _DEFAULT = (
    "complexity has lost its CHECK",
    "parent_id has lost its ON DELETE",
    "checked has lost its DEFAULT",
)
_ACTIONS = ("project_id has lost its ON DELETE CASCADE", "phase_id has lost its ON DELETE SET NULL")
TOOLS = {
    "sqlite-utils": (SQLITE_UTILS, [_CHECK, _ACTION, _DEFAULT, *_ACTIONS]),
    "alembic": (ALEMBIC, [_CHECK, _ACTION, *_ACTIONS]),
    "DB Browser": (DB_BROWSER, ["project_id has lost its REFERENCES", "phase_id has lost its REFERENCES"]),
    "Django": (DJANGO, [_CHECK, _ACTION, _DEFAULT, *_ACTIONS]),
}


@pytest.fixture
def path(tmp_path):
    """A sound database."""
    return sound(tmp_path / "dash.db")


def run(path, script):
    """Run statements of another program."""
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(script)


def findings(path):
    """What doctor finds that is not good, by check; of several of one kind all."""
    found = {}
    for one in doctor.examine(path).findings:
        if one.state != "good":
            found.setdefault(one.check, []).append(one)
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_took_away_is_told_and_comes_back(path, tool):
    """Behind a rebuild by a tool every loss is told as one; one migration gives it back, and changes no other row."""
    script, gone = TOOLS[tool]
    before = query(path, "SELECT * FROM tasks")
    run(path, script)
    found = findings(path)
    assert [one.state for one in found["triggers"]] == ["wrong"]
    told = " ".join(one.found for one in found.get("declarations", []) if one.state == "wrong")
    assert [words for words in gone if f"tasks.{words}" not in told] == []
    assert bool(told) == bool(gone)
    assert "history" not in found, "no task differs, however its numbers are declared"
    migrations.execute(path)
    assert doctor.examine(path).healthy
    assert [row[: len(before[0])] for row in query(path, "SELECT * FROM tasks")] == before
    conn = sqlite3.connect(path)
    with closing(conn):
        conn.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
            conn.execute("UPDATE tasks SET complexity = 'huge'")
        conn.execute("UPDATE tasks SET parent_id = 1 WHERE id = 2")
        conn.execute("DELETE FROM tasks WHERE id = 1")
        assert conn.execute("SELECT id, parent_id FROM tasks").fetchall() == [(2, None), (3, None)]
        conn.execute("INSERT INTO tasks (project_id, title, checked) VALUES (1, 'new', 0)")
        assert conn.execute("SELECT count(*) FROM task_events WHERE op = 'insert'").fetchone() == (1,)


MENDED = [name for name, fault in FAULTS.items() if {"declarations", "names"} & fault.found.keys()]


@pytest.mark.parametrize("name", sorted({*MENDED} - {"tasks put aside and kept"}))
def test_a_rollback_takes_a_mend_back(path, name):
    """What a migration puts right, a roll back takes back to the byte: both are all or nothing."""
    FAULTS[name].apply(path)
    before = content(path)
    if migrations.execute(path).changes:
        migrations.rollback(path)
    assert content(path) == before


def test_what_cannot_be_put_right_changes_nothing(path, monkeypatch):
    """Where the columns of a table would change by a mend, all of the migration is taken back."""
    FAULTS["a CHECK"].apply(path)
    alter(path, "DROP INDEX idx_tasks_checked")
    before = content(path)
    monkeypatch.setattr(lost.Lost, "mended", lambda _, sql: sql.replace("title TEXT", "name TEXT"))
    with pytest.raises(FailedError, match=r"the columns of tasks would change\. Nothing was changed"):
        migrations.execute(path)
    assert content(path) == before
    monkeypatch.setattr(lost.Lost, "mended", lambda _, sql: sql[:-5])
    with pytest.raises(FailedError, match="SQLite does not take its new text"):
        migrations.execute(path)
    assert content(path) == before


def test_a_dry_run_says_what_would_be_put_right(path):
    """The report of a dry run has a line for each mend, and the database keeps every byte."""
    FAULTS["a CHECK"].apply(path)
    put_aside("task_events", "task_events_old")(path)
    before = path.read_bytes()
    plan = str(migrations.migrate(path))
    assert "Name task_events in dashkit_task_insert, dashkit_task_update, dashkit_task_delete (task_events_old" in plan
    assert "Give tasks.complexity its CHECK (complexity IS NULL OR" in plan
    assert path.read_bytes() == before
    names = {row[0] for row in query(path, "SELECT name FROM schema_migrations")}
    done = migrations.execute(path)
    recorded = {row[0] for row in query(path, "SELECT name FROM schema_migrations")} - names
    assert recorded == {"name of task_events", "CHECK of tasks.complexity"}
    assert recorded <= set(done.changes)
    assert migrations.execute(path).changes == ()


def test_a_mend_that_mends_nothing_is_refused(path, monkeypatch):
    """What is said to be given back is there behind it, or nothing is changed."""
    FAULTS["a CHECK"].apply(path)
    before = content(path)
    monkeypatch.setattr(lost.Lost, "mended", lambda _, sql: sql)
    with pytest.raises(RefusedError, match=r"after the changes tasks\.complexity has lost its CHECK"):
        migrations.execute(path)
    assert content(path) == before


def test_without_room_for_copies_doctor_says_what_it_sees(path, monkeypatch, tmp_path):
    """Where nothing can be tried, findings are told all the same, each with what a trial was refused for."""
    FAULTS["tasks put aside and kept"].apply(path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    found = findings(path)
    assert {"names", "in the way"} <= found.keys()
    assert "But a trial on a copy was refused: no folder for temporary files" in found["in the way"][0].remedy


def test_what_was_adopted_is_not_changed(tmp_path):
    """A column that was there before the migration, without the conditions of ours, stays as its program made it."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    column = "complexity TEXT DEFAULT 'S'"
    alter(path, f"ALTER TABLE tasks ADD COLUMN {column}", "ALTER TABLE tasks ADD COLUMN checked BOOLEAN")
    migrations.execute(path)
    assert column in query(path, "SELECT sql FROM sqlite_master WHERE name = 'tasks'")[0][0]
    found = findings(path)["declarations"]
    assert {one.state for one in found} == {"note"}
    assert "tasks.complexity is there already, without CHECK" in " ".join(one.found for one in found)
    assert migrations.execute(path).changes == ()
    assert migrations.status(path).ready


def test_a_status_says_that_something_is_amiss(path):
    """`dashkit status` names what was taken away, is not READY, and says where to look."""
    FAULTS["a CHECK"].apply(path)
    standing = migrations.status(path)
    assert not standing.ready
    assert "Amiss: tasks.complexity has lost its CHECK" in str(standing)
    assert (
        standing.verdict
        == f"PENDING: another program has changed a table; `dashkit doctor --db {path}` says how that is mended"
    )
    put_aside("tasks", "tasks_old")(path)
    assert "Amiss: foreign keys of task_dependencies, task_commit_links" in str(migrations.status(path))


@pytest.mark.parametrize(
    ("condition", "is_same"),
    [
        ("complexity IN ('S', 'M', 'L', 'XL')", True),
        ("\"complexity\" IS NULL OR [complexity]='XL' OR `complexity` IN ('L','M' /* , 'huge' */,'S')", True),
        ("length(complexity) <= 2 AND instr('S M L XL', complexity)", False),
        ("complexity <> ''", False),
        ("complexity IN ('S', 'M', 'L', 'XL', 'XXL')", False),
        ("complexity IN ('S', 'M', 'L', 'XL') OR priority IS NULL", False),
        ("TRUE", False),
        ("of_another_program(complexity)", False),
    ],
)
def test_a_condition_is_known_by_what_it_refuses(path, condition, is_same):
    """Whether a CHECK is still there is decided by the values that it takes, not by its words."""
    old = "CHECK (complexity IS NULL OR complexity IN ('S', 'M', 'L', 'XL'))"
    with closing(sqlite3.connect(path)) as conn:
        conn.create_function("of_another_program", 1, lambda _: 1, deterministic=True)
        ((sql,),) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'tasks'").fetchall()
        made = sql.replace(old, f"CHECK ({condition})").replace("CREATE TABLE tasks", "CREATE TABLE anew")
        conn.executescript(
            f"{made}; INSERT INTO anew SELECT * FROM tasks; DROP TABLE tasks; ALTER TABLE anew RENAME TO tasks"
        )
    found = migrations.status(path).amiss
    assert ([one for one in found if "complexity" in one] == []) == is_same


TABLE = """CREATE TABLE "t" ( -- a comment, with a comma (
  id INTEGER PRIMARY KEY, /* check (x) */ "a ""b" TEXT DEFAULT ',)' -- at the end
  , [c] TEXT CHECK (c <> ')') CONSTRAINT x REFERENCES "old" (id) ON UPDATE CASCADE ON DELETE NO ACTION MATCH FULL,
  d NUMERIC(10, 2) DEFAULT (1 + (2)), e DEFAULT -1,
  CONSTRAINT y FOREIGN KEY (d) REFERENCES old, CHECK (d > 0 AND (e < 1)), UNIQUE (a, d)
) WITHOUT ROWID"""


def test_a_part_of_a_table_is_changed_and_nothing_else():
    """Comments, quotes, commas and parentheses inside of words do not mislead; all else stays to the byte."""
    assert [condition.strip() for condition in texts.checks(TABLE)] == ["c <> ')'", "d > 0 AND (e < 1)"]
    column = 'a "b'
    assert texts.with_clause(TABLE, column, "NOT NULL") == TABLE.replace("',)' --", "',)' NOT NULL --")
    assert texts.with_clause(TABLE, "e", "NOT NULL") == TABLE.replace("-1,", "-1 NOT NULL,")
    assert texts.with_default(TABLE, "d", "3") == TABLE.replace("(1 + (2))", "3")
    assert texts.with_default(TABLE, "e", "3") == TABLE.replace("-1", "3")
    assert texts.with_default(TABLE, "c", "3") == TABLE.replace("MATCH FULL", "MATCH FULL DEFAULT 3")
    action = texts.with_action(TABLE, "c", "SET NULL")
    assert action == TABLE.replace(
        "(id) ON UPDATE CASCADE ON DELETE NO ACTION", "(id) ON DELETE SET NULL ON UPDATE CASCADE"
    )
    assert texts.with_action(TABLE, "d", "CASCADE") == TABLE.replace(
        "REFERENCES old,", "REFERENCES old ON DELETE CASCADE,"
    )
    assert texts.renamed(TABLE, "OLD", "new") == TABLE.replace('"old"', '"new"').replace(
        "REFERENCES old", 'REFERENCES "new"'
    )
    view = "CREATE VIEW v AS SELECT old.a, 'old' AS b FROM [old] -- old"
    assert texts.renamed(view, "old", "new") == 'CREATE VIEW v AS SELECT "new".a, \'old\' AS b FROM "new" -- old'


@pytest.mark.parametrize("name", ["subtasks", "project_tasks", "tasksheet", "my_tasks_list"])
def test_another_name_is_not_taken_for_a_table_put_aside(path, name):
    """A trigger that writes to a table that is gone, and whose name only holds that of a table, is left as it is."""
    alter(path, f"CREATE TRIGGER audited AFTER UPDATE ON tasks BEGIN INSERT INTO {name} VALUES (NEW.id); END")
    (found,) = findings(path)["names"]
    assert found.found == f"the trigger audited points to the table {name}, which is not there"
    assert migrations.execute(path).changes == ()
    assert f"INTO {name}" in query(path, "SELECT sql FROM sqlite_master WHERE name = 'audited'")[0][0]


ASIDE = "tasks_old old_tasks _tasks_old_20240105 new__tasks tasks_bak2 tasks_new_0123abcd _alembic_tmp_tasks tasks__old"


@pytest.mark.parametrize("name", ASIDE.split())
def test_a_table_put_aside_is_known_by_its_name(path, name):
    """Under whichever name a program puts tasks aside, what named them names them again after a migration."""
    put_aside("tasks", name, before=("CREATE VIEW mine AS SELECT title FROM tasks",))(path)
    migrations.execute(path)
    assert query(path, "SELECT title FROM mine ORDER BY 1") == [("done",), ("more",), ("open",)]
    assert doctor.examine(path).healthy


KEPT = [
    *(("tasks", name) for name in ("tasks_old", "tasks_v1", '"tasks old"', "archive")),
    *(("projects", name) for name in ("projects_old", "before_2025")),
]


@pytest.mark.parametrize("version", ["1.0", NEWEST])
@pytest.mark.parametrize(("table", "aside"), KEPT)
def test_no_row_is_an_orphan_by_the_name_of_a_table_that_was_put_aside_and_kept(tmp_path, table, aside, version):
    """Rows are held against the table that is meant; a row that came since is sound, and nothing deletes it."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}, {"title": "b"}])
    alter(path, "INSERT INTO task_dependencies VALUES (2, 1)")
    if version != "1.0":
        migrations.execute(path)
    alter(path, "CREATE TABLE notes (id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES tasks (id))")
    put_aside(table, aside, drop=False, before=("PRAGMA foreign_keys = OFF",))(path)
    alter(
        path,
        "INSERT INTO projects (id, name) VALUES (3, 'new')",
        "INSERT INTO tasks (id, project_id, title) VALUES (7, 3, 'new')",
        "INSERT INTO task_dependencies VALUES (7, 1)",
        "INSERT INTO notes VALUES (1, 7)",
    )
    found = findings(path)
    assert "foreign keys" not in found
    (named,) = found["names"]
    assert (named.state, "which another program put aside and kept" in named.found) == ("wrong", True)
    assert "DELETE" not in " ".join(one.remedy for every in found.values() for one in every)
    for every in found.values():
        for one in every:
            carry_out(path, one.remedy)
    assert not {"names", "foreign keys"} & findings(path).keys()
    assert query(path, "SELECT task_id, depends_on_id FROM task_dependencies ORDER BY 1") == [(2, 1), (7, 1)]
    assert query(path, "SELECT task_id FROM notes") == [(7,)]
    parents = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('{}') ORDER BY 1"
    assert query(path, parents.format("task_dependencies")) == [("tasks",)]
    assert query(path, parents.format("tasks"))[1] == ("projects",)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("UPDATE tasks SET project_id = 3 WHERE id = 1")


def test_a_dry_run_does_not_say_of_a_table_that_was_kept_that_it_is_gone(tmp_path):
    """The line of the dry run says what the table of that name is, and calls no sound row an orphan."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    put_aside("projects", "projects_old", drop=False, before=("PRAGMA foreign_keys = OFF",))(path)
    alter(path, "INSERT INTO projects (id, name) VALUES (3, 'new')", "UPDATE tasks SET project_id = 3")
    plan = str(migrations.migrate(path))
    assert "Name projects in phases, tasks (projects_old was put aside)" in plan
    assert "not there" not in plan


def test_a_table_of_another_program_that_ours_names_is_no_table_put_aside(tmp_path):
    """A declaration that names another table than ours, of other columns, stays as its program made it."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE workspaces (id INTEGER PRIMARY KEY, name TEXT, owner TEXT)",
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER REFERENCES workspaces (id), title TEXT, "
        "status TEXT)",
    )
    migrations.execute(path)
    assert query(path, "SELECT \"table\" FROM pragma_foreign_key_list('tasks') WHERE \"from\" = 'project_id'") == [
        ("workspaces",)
    ]


@pytest.mark.parametrize("how", ["made anew", "renamed"])
def test_a_record_that_was_lost_turns_no_word_of_a_person_back(tmp_path, how):
    """Our own record is mended as any table of ours; without one the history says that boxes were in use."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"status": "completed"}, {"status": "completed"}])
    migrations.execute(path)
    for task in (1, 2):
        database.update_task_checked(task, False, db=path)
    alter(path, "UPDATE tasks SET status = 'completed'")
    before = query(path, "SELECT * FROM schema_migrations ORDER BY version, name")
    if how == "made anew":
        FAULTS["the key of the record"].apply(path)
        assert migrations.execute(path).changes
        assert query(path, "SELECT * FROM schema_migrations WHERE duration_ms IS NOT NULL AND backup <> ''")
        after = query(path, "SELECT * FROM schema_migrations ORDER BY version, name")
        assert set(before) <= set(after)
        with closing(sqlite3.connect(path)) as conn, pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            conn.execute("INSERT INTO schema_migrations SELECT * FROM schema_migrations")
    else:
        alter(path, "ALTER TABLE schema_migrations RENAME TO old_migrations")
        assert "checked = 0; dashkit keeps that" in str(migrations.execute(path))
    assert query(path, "SELECT checked FROM tasks") == [(0,), (0,)]
    assert doctor.examine(path).healthy
    assert migrations.status(path).ready
    assert migrations.execute(path).changes == ()


def test_numbers_are_the_same_however_they_are_declared(path):
    """A table whose numbers became REAL or text has no task that differs from its history."""
    for kind in ("FLOAT", "TEXT", "NUMERIC", "BLOB", "VARCHAR(5)"):
        rebuilt("tasks", ("project_id INTEGER", f"project_id {kind}"), keep=False)(path)
        assert "history" not in findings(path), kind
        rebuilt("tasks", (f"project_id {kind}", "project_id INTEGER"), keep=False)(path)


def test_every_reference_is_one_of_the_schema(tmp_path):
    """What is known to name a row of another table is what a complete database declares, and nothing else."""
    migrations.create(tmp_path / "fresh.db")
    sql = 'SELECT m.name, f."from", f."table", f."to" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f'
    declared = set(query(tmp_path / "fresh.db", sql))
    assert {(one.table, one.column, one.parent, one.key) for one in REFERENCES} == declared


def test_what_was_taken_over_is_no_loss(path):
    """Events that a migration made of rows come again from the same rows: a roll back does not count them."""
    FAULTS["changes without the triggers"].apply(path)
    FAULTS["dependencies that changed unseen"].apply(path)
    done = migrations.execute(path)
    assert done.changes == ("what no trigger saw",)
    assert "Took over 2 tasks and 2 dependencies that changed without an event" in str(done)
    assert migrations.plan_rollback(path).losses == ()
    assert doctor.examine(path).healthy


def actions(path):
    """What the keys of version 1 do: table, column -> action."""
    keys = ("tasks", "phases", "task_dependencies")
    sql = 'SELECT "from", on_delete FROM pragma_foreign_key_list(?)'
    return {(table, column): action for table in keys for column, action in query(path, sql, table)}


@pytest.mark.parametrize("table", ["tasks", "phases", "task_dependencies"])
def test_what_keys_of_version_1_did_comes_back(tmp_path, table):
    """The first backup on record shows what a key did; a tool that left it out has taken it away."""
    path = sound(tmp_path / "dash.db")
    before = actions(path)
    rebuilt(table, (" ON DELETE CASCADE", ""))(path)
    assert actions(path) != before
    assert not migrations.status(path).ready
    assert any(f"Give {table}." in str(line) for line in str(migrations.migrate(path)).splitlines())
    migrations.execute(path)
    assert actions(path) == before
    assert migrations.status(path).ready


@pytest.mark.parametrize("gone", ["backup", "action"])
def test_a_key_that_is_not_known_to_have_done_anything_has_lost_nothing(tmp_path, gone):
    """Where the program of version 1 had no ON DELETE, or no backup is left, nothing is said."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    if gone == "action":
        rebuilt("tasks", (" ON DELETE CASCADE", ""))(path)
    migrations.execute(path)
    if gone == "backup":
        rebuilt("tasks", (" NOT NULL REFERENCES projects(id) ON DELETE CASCADE", " NOT NULL REFERENCES projects(id)"))(
            path
        )
        for backup in tmp_path.glob("*.backup_*"):
            backup.unlink()
    assert migrations.status(path).ready
    assert not [one for one in doctor.examine(path).findings if one.check == "declarations" and one.state != "good"]
