import doctest
import importlib.util
import inspect
import io
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from builders import CHANGES, NEWEST, query, v1_database
from content import content
from crash_processes import neighbour
from repositories import commit, repository

import dashkit
from dashkit import cli, dashboard, database, migrations
from dashkit.cli.migrate import _agreed

ROOT = Path(dashkit.__file__).parents[1]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "migration-guide.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / name / "README.md" for name in ("data", "reports"))])

_spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)

COMMANDS = dict(generate.commands(cli.parser()))
FRAMES = dashboard.frames()
VERIFICATION = generate.verification_frames()
ERRORS = dict(
    re.findall(
        r"^### ([^\n]+)\n\n```text\n(.+?)\n```", GUIDE.partition("## Common errors")[2], re.MULTILINE | re.DOTALL
    )
)


CAUSES = {}


def cause(function):
    """A way to a listed error; its docstring is the error's heading in the guide."""
    CAUSES[function.__doc__.removesuffix(".")] = function
    return function


@cause
def no_such_file(db):
    """There is no such file."""
    dashkit.migrate(db.with_name("dashbord.db"))


@cause
def no_sqlite(db):
    """It is no SQLite database."""
    db.write_bytes(b"no database at all" * 300)
    dashkit.migrate(db)


@cause
def no_dashboard(db):
    """It is no Dashboard."""
    db.unlink()
    query(db, "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    dashkit.migrate(db)


@cause
def empty(db):
    """The file is empty."""
    db.write_bytes(b"")
    dashkit.migrate(db)


@cause
def damaged(db):
    """The database is damaged."""
    with db.open("r+b") as file:
        file.seek(100)  # the kind of the first page
        file.write(b"\0")
    dashkit.migrate(db)


@cause
def read_only(db):
    """The database is read-only."""
    db.chmod(0o444)
    if os.access(db, os.W_OK):
        pytest.skip("this user may write to anything")
    dashkit.migrate(db)


@cause
def too_little_room(db):
    """There is too little room."""
    os.truncate(db, shutil.disk_usage(db).free)  # a hole: it takes no room itself
    dashkit.migrate(db)


@cause
def two_names(db):
    """The file has two names."""
    db.with_name("other.db").hardlink_to(db)
    dashkit.migrate(db)


@cause
def another_writer(db):
    """Another program is writing."""
    with neighbour("hold", db.absolute(), "BEGIN IMMEDIATE"):
        migrations.execute(db, timeout=0.1)


@cause
def own_writer(db):
    """This program itself is writing."""
    migrations.execute(db)
    with closing(database.get_connection(db)) as conn:
        conn.execute("UPDATE tasks SET title = 'changed'")
        database.update_task_checked(1, True, db=db)


@cause
def interrupted(db):
    """A program was interrupted."""
    with closing(sqlite3.connect(db)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE tasks SET title = 'changed'")
        writer.commit()
        left = shutil.copy(db, "left"), shutil.copy(f"{db}-wal", "left-wal")
    for file, name in zip(left, (db, f"{db}-wal"), strict=True):
        Path(file).replace(name)
    dashkit.migrate(db)


@cause
def strange_ids(db):
    """Ids are no whole numbers."""
    query(db, "CREATE TABLE made AS SELECT 'task-' || id AS id, project_id, title, status FROM tasks")
    query(db, "DROP TABLE tasks")
    query(db, "CREATE TABLE tasks (id TEXT PRIMARY KEY, project_id INTEGER, title TEXT, status TEXT)")
    query(db, "INSERT INTO tasks SELECT * FROM made")
    dashkit.migrate(db)


@cause
def in_the_way(db):
    """Something is in the way."""
    query(db, "CREATE INDEX idx_tasks_checked ON tasks (title)")
    dashkit.migrate(db)


@cause
def foreign_table(db):
    """Another program has a table of that name."""
    query(db, "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)")
    dashkit.migrate(db)


@cause
def other_values(db):
    """A column holds other values."""
    query(db, "ALTER TABLE tasks ADD COLUMN complexity TEXT")
    query(db, "UPDATE tasks SET complexity = 'huge'")
    dashkit.migrate(db)


@cause
def positional_trigger(db):
    """A trigger no longer works."""
    query(
        db,
        "CREATE TRIGGER plan AFTER INSERT ON projects BEGIN INSERT INTO tasks VALUES "
        "(NULL, NEW.id, NULL, 'Plan', NULL, 'pending', 'medium', NULL, NULL); END",
    )
    dashkit.migrate(db)


@cause
def newer(db):
    """It is newer than this dashkit."""
    migrations.execute(db)
    query(
        db,
        "INSERT INTO schema_migrations SELECT '9.0', name, applied_at, checksum, duration_ms, tool_version, backup "
        "FROM schema_migrations LIMIT 1",
    )
    dashkit.migrate(db)


@cause
def no_backup(db):
    """There is no backup."""
    migrations.execute(db).backup.unlink()
    query(db, "UPDATE schema_migrations SET backup = NULL")
    dashkit.rollback(db)


@cause
def backup_gone(db):
    """The recorded backup is gone."""
    migrations.execute(db).backup.unlink()
    dashkit.rollback(db)


@cause
def foreign_backup(db):
    """The backup is of another database."""
    migrations.execute(db)
    other = v1_database(db.with_name("other.db"), tasks=[{"title": "Something else"}])
    dashkit.rollback(db, backup=other)


@cause
def no_terminal(db):
    """There is no terminal to ask on."""
    _agreed()


@cause
def outdated(db):
    """The database is still at version 1."""
    database.get_blocked_tasks(db=db)


@cause
def no_commit(db):
    """A link to a commit that is not there."""
    migrations.execute(db)
    database.create_task_commit_link(1, "c0ffee", db=db)


@cause
def no_session(db):
    """A link to a session that is not there."""
    migrations.execute(db)
    database.create_task_session_link(1, "5e55", db=db)


@cause
def locked(db):
    """A server says: database is locked."""
    with (
        closing(sqlite3.connect(db, isolation_level=None)) as writer,
        closing(sqlite3.connect(db, timeout=0)) as server,
    ):
        writer.execute("BEGIN IMMEDIATE")
        server.execute("UPDATE tasks SET title = 'changed'")


@cause
def positional_insert(db):
    """A server says: columns were supplied."""
    migrations.execute(db)
    query(db, "INSERT INTO tasks VALUES (NULL, 1, NULL, 'Plan', NULL, 'pending', 'medium', NULL, NULL)")


def told(message, folder):
    """A message as the guide shows it: paths from the folder on, no large number, one instant."""
    text = message.replace(f"{folder}{os.sep}", "")
    text = re.sub(r"\d{8}_\d{6}", "20251127_160957", text)
    return re.sub(r"\d{1,3}(,\d{3}){2,}", "N", text)


@pytest.mark.parametrize("heading", CAUSES)
def test_a_listed_error_is_real(tmp_path, monkeypatch, heading):
    """Each error of the migration guide, caused for real, has the message that the guide shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # under `pytest -s` it may be a terminal
    Path("data").mkdir()
    db = v1_database(Path("data/dashboard.db"), tasks=[{"title": "A", "status": "completed"}, {"title": "B"}])
    with pytest.raises((dashkit.DashkitError, sqlite3.Error), match=r"\w") as caught:
        CAUSES[heading](db)
    assert told(str(caught.value), tmp_path.resolve()) == ERRORS[heading]


def test_every_listed_error_is_tried():
    """The guide shows a message under every heading of its errors, and each of them has a cause here."""
    headings = re.findall(r"^### (.+)$", GUIDE.partition("## Common errors")[2], re.MULTILINE)
    assert headings == list(ERRORS) == list(CAUSES)


def test_the_commands_for_the_first_scripts_do_what_they_did(tmp_path, monkeypatch):
    """Each command of the guide's table is run, in its order, on a database of version 1 beside a repository."""
    monkeypatch.chdir(tmp_path)
    db = tmp_path / "data" / "dashboard.db"
    db.parent.mkdir()
    made = {"created_at": "2023-01-01 09:00:00"}  # before the commit that names one of them
    v1_database(db, tasks=[{"title": "A", "status": "completed", **made}, {"title": "B", **made}])
    old = content(db)
    commit(repository(tmp_path / "path" / "to" / "repo"), "Fix it (TASK-2)", {"TODO.md": "- [ ] C\n- [ ] D\n- [x] E\n"})
    table = GUIDE.partition("## From the first scripts")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)
    ran = []
    for there, here in rows:
        if "step 7" in there:
            query(db, "DROP INDEX idx_tasks_checked")
        for command in re.findall(r"`dashkit (.+?)`", here):
            words = [*shlex.split(command), *(["--yes"] if "--rollback" in command else [])]
            assert cli.main(words) == 0, command
            ran.append(words[0])
            if words == ["migrate", "--db", "data/dashboard.db"]:
                assert content(db) == old
        if "step 7" in there:
            assert query(db, "SELECT count(*) FROM sqlite_master WHERE name = 'idx_tasks_checked'") == [(1,)]
        if "parser.py" in there:
            assert query(db, "SELECT count(*) FROM git_commits") == [(1,)]
            assert query(db, "SELECT task_id FROM task_commit_links") == [(2,)]
            assert query(db, "SELECT count(*) FROM tasks WHERE project_id = 1") == [(5,)]
    assert {"migrate", "status", "doctor", "ingest", "link", "show"} == {*ran}
    # Rolled back to before the last execute that had something to do.
    assert query(db, "SELECT count(*) FROM git_commits") == [(0,)]
    assert query(db, "SELECT count(*) FROM sqlite_master WHERE name = 'idx_tasks_checked'") == [(0,)]


def test_the_functions_of_the_first_module_are_there():
    """Every function that the seed names, with its parameters."""
    takes = {
        "get_connection": [],
        "init_database": [],
        "init_database_v2": [],
        "get_task_stats": [],
        "check_v2_migration_status": [],
        "get_blocked_tasks": ["project_id"],
        "get_project_progress": ["project_id"],
        "get_task_links": ["task_id"],
        "get_recent_activity": ["limit"],
        "update_task_checked": ["task_id", "checked"],
        "create_task_commit_link": ["task_id", "sha", "confidence"],
        "create_task_session_link": ["task_id", "session_id", "confidence"],
    }
    for name, parameters in takes.items():
        known = list(inspect.signature(getattr(database, name)).parameters)
        assert known[: len(parameters)] == parameters
        assert "db" in known


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    """Every line of Python in the README does what it shows."""
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented(name):
    """Every command of the parser has its heading in docs/cli.md and its row in the README."""
    assert f"\n## {name}\n" in (DOCS / "cli.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{name}\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_generated_pages_are_current():
    """`docs/generate.py --check`, run as the gate runs it, finds nothing to write."""
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [*FRAMES, *VERIFICATION])
def test_a_column_with_a_unit_is_in_the_glossary(name):
    """Each column of a frame that has a unit is a term of docs/glossary.md."""
    terms = re.findall(r"^\| `(\w+)` \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = {column.name for column in generate.columns({**FRAMES, **VERIFICATION}[name]) if column.unit}
    assert wanted <= set(terms)


def test_the_schema_page_has_every_table_and_column(tmp_path):
    """docs/schema.md tells each table, and of each column its type and the version that brought it."""
    page = (DOCS / "schema.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\d.]+) \|", re.MULTILINE)
    sections = re.findall(r"^### `(\w+)`$(.+?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    documented = {table: row.findall(text) for table, text in sections}
    columns = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    since = {}
    for version in ("1.0", *CHANGES):
        migrations.create(tmp_path / f"{version}.db", version=version)
        for found in query(tmp_path / f"{version}.db", columns):
            since.setdefault(found, version)
    expected = {}
    for table, column, kind in query(tmp_path / f"{NEWEST}.db", columns):
        expected.setdefault(table, []).append((column, kind, since[table, column, kind]))
    assert documented == expected
    named = "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    told = re.findall(r"^\| `((?:idx|dashkit)_\w+)` \|", page, re.MULTILINE)
    assert set(told) == {name for (name,) in query(tmp_path / f"{NEWEST}.db", named)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_is_dead(page):
    """Every relative link of a page leads to a file, and to a heading of it where it names one."""
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_holds_no_path_of_a_machine(page):
    """No page names a folder of the machine that it was written on."""
    assert not re.search(r"(?<![\w.])/(tmp|home|root|work|Users)/", page.read_text(encoding="utf-8"))


def test_modules_stay_small():
    """No module of the package has 400 lines or more."""
    lines = {
        file: len(file.read_text(encoding="utf-8").splitlines()) for file in Path(dashkit.__file__).parent.rglob("*.py")
    }
    assert not {file.name: count for file, count in lines.items() if count >= 400}
