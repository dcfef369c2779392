"""Task files into a project."""

import argparse
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from content import kept
from repositories import commit, repository

import dashkit
from dashkit import times
from dashkit.cli import ingest
from dashkit.errors import RefusedError, UsageError
from dashkit.ingest.discover import discover
from dashkit.ingest.tasks import ingest_tasks

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tasklists"
TEXT = """# Plan

## First
- [x] Draw the plan
- [ ] Buy nails (blocked: shop closed)

### Inside
- [~] Saw the boards

## Second
- [!] Paint
- [ ]
"""


MANY = b"- [ ] One of many tasks\n"


@pytest.fixture
def plan(tmp_path):
    """A task list of four tasks in two phases."""
    path = tmp_path / "plan.md"
    path.write_text(TEXT, "utf-8")
    return path


@pytest.fixture
def run(tmp_path, capsys):
    """Run `dashkit ingest` on tmp_path/dash.db; its exit code, result and narration."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--db")
    parser = argparse.ArgumentParser()
    ingest.register(parser.add_subparsers(), common)

    def command(*words):
        args = parser.parse_args(["ingest", *words, "--db", str(tmp_path / "dash.db")])
        return args.run(args), *capsys.readouterr()

    return command


def test_an_answer_that_is_given_while_files_are_read_stays(tmp_path, monkeypatch):
    """What a reading finds is known when it is written, however long the reading took."""
    path, file = v2_1_database(tmp_path / "d.db"), tmp_path / "TODO.md"
    file.write_text("- [ ] one\n- [ ] two\n")
    ingest_tasks([file], "X", path)
    file.write_text("- [x] one\n- [x] two\n")
    answers = {}

    def done(instant):
        with dashkit.open(path, as_of=instant, known_at=instant) as d:
            return d.sql("SELECT count(*) FILTER (checked) AS n FROM tasks")["n"].item()

    def slow(*args, **kwargs):
        found = discover(*args, **kwargs)
        time.sleep(0.01)
        instant = times.utc_now()
        time.sleep(0.01)
        answers[instant] = done(instant)
        return found

    monkeypatch.setattr("dashkit.ingest.tasks.discover", slow)
    ingest_tasks([file], "X", path)
    (instant,) = answers
    assert (answers[instant], done(instant), done(times.utc_now())) == (0, 0, 2)


def test_a_new_project_of_a_v2_database(tmp_path, plan):
    """Status, checked, reason and phases arrive; times are those of the ingest, and completion has none."""
    db = v2_database(tmp_path / "dash.db")
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.added, summary.phases, summary.skipped, summary.project_id) == (4, 2, 1, 2)
    assert summary.notes == (f"{plan}: line 12: the box has no title",)
    assert query(
        db,
        "SELECT t.title, t.status, t.checked, t.blocked_reason, t.completed_at, ph.name, ph.position, p.name "
        "FROM tasks t JOIN phases ph ON ph.id = t.phase_id JOIN projects p ON p.id = t.project_id ORDER BY t.id",
    ) == [
        ("Draw the plan", "completed", 1, None, None, "First", 1, "Shed"),
        ("Buy nails", "blocked", 0, "shop closed", None, "First", 1, "Shed"),
        ("Saw the boards", "in_progress", 0, None, None, "First", 1, "Shed"),
        ("Paint", "blocked", 0, None, None, "Second", 2, "Shed"),
    ]
    ((created, updated),) = query(db, "SELECT DISTINCT created_at, updated_at FROM tasks")
    assert created == updated == times.to_text(times.parse(created))


def test_an_empty_project_of_a_v1_database(tmp_path, plan):
    """An empty project is filled in place; a checked task is completed, and phases are reused by name."""
    db = v1_database(tmp_path / "dash.db", projects=["Alpha", "Shed"])
    insert(db, "phases", project_id=2, name="Second", position=1)
    summary = ingest_tasks([str(plan)], " Shed ", str(db))
    assert summary.project_id == 2
    assert query(db, "SELECT status, count(*), count(completed_at) FROM tasks GROUP BY 1") == [
        ("blocked", 2, 0),
        ("completed", 1, 0),
        ("in_progress", 1, 0),
    ]
    assert query(db, "SELECT id, name, position FROM phases") == [(1, "Second", 1), (2, "First", 2)]
    assert query(db, "SELECT count(*) FROM projects") == [(2,)]


def test_a_database_with_fewer_columns_and_tables(tmp_path, plan):
    """Columns and tables that an adopted database lacks are left out."""
    db = tmp_path / "dash.db"
    query(db, "CREATE TABLE Projects (ID INTEGER PRIMARY KEY, Name TEXT NOT NULL)")
    query(
        db,
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, Title TEXT NOT NULL, status TEXT, "
        "shout TEXT GENERATED ALWAYS AS (upper(title)))",
    )
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.added, summary.phases) == (4, 0)
    assert query(db, "SELECT title, status, shout FROM tasks LIMIT 1") == [
        ("Draw the plan", "completed", "DRAW THE PLAN")
    ]


def test_several_files_make_one_project(tmp_path, plan):
    """Phases of the same name are one phase, and a file without tasks is said."""
    other, nothing = tmp_path / "other.md", tmp_path / "nothing.md"
    other.write_text("# Other\n## Second\n- [ ] Varnish\n## Third\n- [ ] Rest\n", "utf-8")
    nothing.write_text("no task\n", "utf-8")
    db = v2_database(tmp_path / "dash.db")
    summary = ingest_tasks([plan, other, nothing], "Shed", db)
    assert (summary.added, summary.phases) == (6, 3)
    assert summary.notes[-1] == f"{nothing}: there is no task in it"
    assert query(db, "SELECT name FROM phases ORDER BY position") == [("First",), ("Second",), ("Third",)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Full", r"the project \(id 1\) has tasks already \(1\), and only an empty one can be filled"),
        ("Twin", r"2 projects have this name\. Give one of their ids: 2, 3\."),
    ],
)
def test_a_project_that_cannot_be_filled_is_refused(tmp_path, plan, name, message):
    """A filled project and a name of several are refused, and the database is as it was."""
    db = v2_database(tmp_path / "dash.db", projects=["Full", "Twin", "Twin"], tasks=[{"project_id": 1, "title": "a"}])
    before = db.read_bytes()
    with pytest.raises((RefusedError, UsageError), match=message):
        ingest_tasks([plan], name, db)
    assert db.read_bytes() == before


@pytest.mark.parametrize(
    ("files", "project", "error", "message"),
    [
        (["plan.md", "none.md"], "Shed", RefusedError, r"Cannot read none\.md: there is no such file"),
        (["plan.md", "./plan.md"], "Shed", UsageError, "it is named twice"),
        (["empty.md"], "Shed", RefusedError, r"Cannot ingest empty\.md: there is no task in it"),
        ([], "Shed", RefusedError, "Cannot ingest tasks: there is no task in it"),
        (["plan.md"], "  ", UsageError, "the project has no name"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, plan, monkeypatch, files, project, error, message):
    """A file that cannot be read, or one without tasks, leaves the database as it was."""
    monkeypatch.chdir(tmp_path)
    Path("empty.md").write_text("nothing", "utf-8")
    db = v2_database(tmp_path / "dash.db")
    before = db.read_bytes()
    with pytest.raises(error, match=message):
        ingest_tasks(files, project, db)
    assert db.read_bytes() == before


def test_a_database_that_is_no_dashboard_is_refused(tmp_path, plan):
    """A database of something else is left alone."""
    db = tmp_path / "other.db"
    query(db, "CREATE TABLE songs (id INTEGER PRIMARY KEY)")
    with pytest.raises(RefusedError, match="it is no Dashboard: it lacks projects, tasks"):
        ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT name FROM sqlite_master") == [("songs",)]


def test_a_failure_midway_leaves_nothing(tmp_path, plan):
    """All is one transaction: a trigger that stops the last task takes project and phases with it."""
    db = v2_database(tmp_path / "dash.db", projects=[])
    query(
        db,
        "CREATE TRIGGER no_paint BEFORE INSERT ON tasks WHEN new.title = 'Paint' "
        "BEGIN SELECT raise(ABORT, 'no paint'); END",
    )
    with pytest.raises(Exception, match="no paint"):
        ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT (SELECT count(*) FROM projects), (SELECT count(*) FROM tasks)") == [(0, 0)]


def test_the_callers_connection_is_neither_committed_nor_closed(tmp_path, plan):
    """On an open connection the rows wait for the caller's commit."""
    db = v2_database(tmp_path / "dash.db")
    with closing(sqlite3.connect(db)) as conn:
        conn.row_factory = sqlite3.Row
        assert ingest_tasks([plan], "Shed", conn).added == 4
        assert conn.in_transaction
        conn.rollback()
    assert query(db, "SELECT count(*) FROM tasks") == [(0,)]


def test_hostile_titles_and_names_are_text(tmp_path):
    """SQL, markup, control characters and broken encodings arrive as harmless text."""
    (tmp_path / "evil.md").write_bytes(b"- [ ] '); DROP TABLE tasks;-- <script>x</script> \x00\x1b[2J\xff \xed\xa0\x80")
    db = v2_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([tmp_path / "evil.md"], "It's <b>", db)
    ((title, name),) = query(db, "SELECT title, p.name FROM tasks JOIN projects p ON p.id = project_id")
    assert title.startswith("'); DROP TABLE tasks;-- <script>x</script> ��[2Jÿ")
    assert name == "It's <b>"


def test_the_command_says_what_it_did(tmp_path, plan, run):
    """The result is one sentence on stdout; complaints go to stderr, without control characters."""
    v1_database(tmp_path / "dash.db")
    with plan.open("a", encoding="utf-8") as file:
        file.write("\n## Legend\n- [ ] open\n")
    code, out, err = run("tasks", str(plan), "--project", "Shed")
    assert code == 0
    assert out == "Added 4 tasks in 2 phases to project Shed (id 2); left out: legend (1); 1 broken record skipped.\n"
    assert err == f"{plan}: line 12: the box has no title\n"


def test_many_complaints_are_cut_short(tmp_path, run):
    """A file of a thousand bad lines does not flood the terminal."""
    v1_database(tmp_path / "dash.db")
    (tmp_path / "bad.md").write_text("- [ ] a\n" + "- [ ]\n" * 1000, "utf-8")
    _, out, err = run("tasks", str(tmp_path / "bad.md"), "--project", "Shed")
    assert out == "Added 1 task to project Shed (id 2); 1,000 broken records skipped.\n"
    assert len(err.splitlines()) == 21
    assert err.endswith("... and 980 more complaints\n")


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the real task lists are not beside this checkout")
@pytest.mark.parametrize("database", [v1_database, v2_database, v2_1_database])
def test_the_real_task_lists(tmp_path, database):
    """All seven real files give 1,873 tasks, 51 of them completed, and 4 legend lines left out."""
    files = sorted(path for path in DATA.glob("*.md") if path.name != "README.md")
    db = database(tmp_path / "dash.db", projects=[])
    for path in files:
        ingest_tasks([path], path.stem, db)
    assert query(db, "SELECT count(*), sum(status = 'completed'), count(phase_id) FROM tasks") == [(1873, 51, 1873)]
    assert query(db, "SELECT count(*) FROM projects") == [(7,)]
    everything = ingest_tasks(files, "All", db)
    assert (everything.added, everything.left_out, everything.skipped) == (1873, 4, 0)
    found = query(db, "SELECT title FROM tasks WHERE title LIKE '%**%' OR title LIKE '%`%'")
    assert [title for (title,) in found if not re.search(r"/\*\*", title)] == []


def test_the_command_tells_what_changed(tmp_path, plan, run):
    """A later reading says what is new, changed and gone; by id where names are not enough."""
    v2_1_database(tmp_path / "dash.db", projects=["Shed", "Shed"])
    assert run("tasks", str(plan), "--project-id", "2", "--format", "tasklist")[1].startswith(
        "Added 4 tasks in 2 phases to project 2; "
    )
    plan.write_text("# Plan\n## First\n- [x] Draw the plan\n- [x] Buy nails\n- [ ] Sweep\n", "utf-8")
    _, out, err = run("tasks", str(plan), "--project-id", "2", "--no-history")
    assert out == "Added 1 task in 1 phase to project 2; 1 changed; 2 no longer there, and kept.\n"
    assert err == "".join(f"{plan}: no longer in it, and kept: {title}\n" for title in ("Saw the boards", "Paint"))
    assert run("tasks", str(plan), "--project-id", "2")[1] == "No new task for project 2.\n"


def test_a_project_has_the_name_of_its_folder_where_none_is_given(tmp_path, plan):
    """Without name and id the first file's folder gives its name."""
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([plan], db=db)
    assert query(db, "SELECT name FROM projects") == [(tmp_path.name,)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"project": "a", "project_id": 1}, UsageError, "a project's name and an id were given"),
        ({"project_id": 9}, RefusedError, "there is no project with this id"),
        ({"project": "a", "source": "word"}, UsageError, "there is no such source"),
        ({"project": "Twin"}, UsageError, r"2 projects have this name\. Give one of their ids: 1, 2\."),
        ({"project": "It's \udcff"}, UsageError, "it holds half of a character"),
        ({"project": "Shed\x1b[2J"}, UsageError, "it holds a control character, .* Give the project another name"),
        ({"project": "x" * 2001}, UsageError, "it is longer than 2,000 characters"),
    ],
)
def test_a_call_that_is_off_is_refused(tmp_path, plan, call, error, message):
    """What does not say which project or source is refused, and nothing is written."""
    db = v2_1_database(tmp_path / "dash.db", projects=["Twin", "Twin"])
    before = db.read_bytes()
    with pytest.raises(error, match=message):
        ingest_tasks([plan], db=db, **call)
    assert db.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "count"),
    [
        ("a \"b\"\n'c'.md", b"- [ ] a\r\n- [x] b\r\n", 2),
        (b"\xff.md".decode("utf-8", "surrogateescape"), b"\xef\xbb\xbf- [ ] a\n", 1),
        ("long.md", b"- [ ] " + b"x" * 5_000_000, 1),
        ("evil.md", b"- [ ] '); DROP TABLE tasks;-- <b>x</b> \x00\x1b[2J\xff \xed\xa0\x80\n", 1),
        ("many.md", MANY * 5_000, 5_000),
        pytest.param("many.md", MANY * 100_000, 100_000, marks=pytest.mark.exhaustive),
    ],
)
def test_hostile_files_are_read_and_read_again(tmp_path, name, data, count):
    """Whatever a file and its name hold: its tasks arrive with their events, and a second reading writes nothing."""
    (tmp_path / name).write_bytes(data)
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    assert ingest_tasks([tmp_path / name], "Evil", db).added == count
    assert query(db, "SELECT count(*) FROM task_events") == [(count,)]
    before = kept(db)
    ingest_tasks([tmp_path / name], "Evil", db)
    assert kept(db) == before


def test_a_backlog_folder_is_read_with_its_records_times(tmp_path):
    """Each file is a task with its own times; one that is edited within the same minute is changed."""
    folder = tmp_path / "backlog" / "tasks"
    folder.mkdir(parents=True)
    text = "---\nid: BACK-{0}\ntitle: Work {0}\nstatus: {1}\ncreated_date: 2026-01-02\ndependencies: [{2}]\n---\n"
    (folder / "back-1.md").write_text(text.format(1, "To Do", ""), "utf-8")
    (folder / "back-2.md").write_text(text.format(2, "To Do", "BACK-1"), "utf-8")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([folder.parent], "Work", db)
    (folder / "back-1.md").write_text(text.format(1, "Done", ""), "utf-8")
    assert ingest_tasks([folder.parent], "Work", db).changed == 1
    assert query(db, "SELECT external_id, status, checked, created_at FROM tasks ORDER BY 1") == [
        ("BACK-1", "completed", 1, "2026-01-02"),
        ("BACK-2", "pending", 0, "2026-01-02"),
    ]
    assert (
        query(db, "SELECT occurred_at, on_day FROM task_events WHERE op = 'insert'")
        == [("2026-01-02T12:00:00.000Z", "2026-01-02")] * 2
    )
    assert query(db, "SELECT task_id, depends_on_id FROM task_dependencies") == [(2, 1)]


def test_a_date_of_a_page_stays_a_date(tmp_path):
    """Created, updated and completed on days: each event is of its day, in order, and none is after its commit."""
    folder = repository(tmp_path / "r")
    page = "---\nid: BACK-1\ntitle: Sweep\nstatus: {}\ncreated_date: {}\nupdated_date: {}\ncompleted_date: {}\n---\n"
    for status, updated, at in (
        ("To Do", "2026-01-02", "2026-01-02T09:00:00Z"),
        ("Done", "2026-01-02", "2026-01-02T10:00:00Z"),
    ):
        files = {"backlog/tasks/back-1.md": page.format(status, "2026-01-02", updated, "2026-01-02")}
        commit(folder, files=files, GIT_COMMITTER_DATE=at)
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([folder / "backlog"], "Work", db)
    assert query(db, "SELECT occurred_at, on_day, status FROM task_events ORDER BY event_id") == [
        ("2026-01-02T09:00:00.000Z", "2026-01-02", "pending"),
        ("2026-01-02T10:00:00.000Z", "2026-01-02", "completed"),
    ]
    assert query(db, "SELECT created_at, completed_at FROM tasks") == [("2026-01-02", "2026-01-02")]
    before = kept(db)
    ingest_tasks([folder / "backlog"], "Work", db)
    assert kept(db) == before


@pytest.mark.parametrize("scanned", [False, True])
def test_what_is_put_off_to_a_date_is_on_that_date(tmp_path, scanned):
    """A page completed on a day before the one it was created on is completed on that one, by date in every zone."""
    folder = repository(tmp_path / "r")
    page = "---\nid: BACK-1\ntitle: Sweep\nstatus: {}\ncreated_date: 2026-01-05\nupdated_date: 2026-01-03\n---\n"
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    for status, day in [("To Do", 6), ("Done", 7)][not scanned :]:
        at = f"2026-01-{day:02}T09:00:00Z"
        commit(folder, files={"backlog/tasks/back-1.md": page.format(status)}, GIT_COMMITTER_DATE=at)
        ingest_tasks([folder / "backlog"], "Work", db)
    events = query(db, "SELECT occurred_at, on_day, status FROM task_events ORDER BY event_id")
    assert events[0] == ("2026-01-05T12:00:00.000Z", "2026-01-05", "pending")
    done = ("2026-01-07T09:00:00.000Z", None) if scanned else ("2026-01-05T12:00:00.000Z", "2026-01-05")
    assert events[1:] == [(*done, "completed")]


def test_a_date_that_was_read_as_its_midnight_is_no_news(tmp_path):
    """What an earlier dashkit remembers of a page as a midnight is the date that the page says today."""
    folder = tmp_path / "backlog" / "tasks"
    folder.mkdir(parents=True)
    text = "---\nid: BACK-1\ntitle: {}\nstatus: To Do\ncreated_date: 2026-01-02\nupdated_date: 2026-01-03\n---\n"
    (folder / "back-1.md").write_text(text.format("Sweep"), "utf-8")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([folder.parent], "Work", db)
    for day in ("2026-01-02", "2026-01-03"):
        query(db, "UPDATE task_sources SET image = replace(image, ?, ?)", f'"{day}"', f'"{day}T00:00:00.000Z"')
    before = kept(db)
    ingest_tasks([folder.parent], "Work", db)
    assert kept(db) == before
    (folder / "back-1.md").write_text(text.format("Quite another title"), "utf-8")
    ingest_tasks([folder.parent], "Work", db)
    assert query(db, "SELECT id, title FROM tasks") == [(1, "Quite another title")]
    assert query(db, "SELECT on_day FROM task_events WHERE op = 'update'") == [(None,)]


@pytest.fixture
def shop(tmp_path):
    """A repository with a list, a Backlog.md folder, a list of a dependency's, and a file of one box."""
    folder = repository(tmp_path / "shop")
    files = {
        "docs/todo.md": "- [ ] Draw\n- [x] Build\n- [ ] Sell\n",
        "backlog/tasks/back-1.md": "---\nid: BACK-1\ntitle: Sweep\nstatus: To Do\n---\n",
        "node_modules/x/TODO.md": "- [ ] Not ours\n",
        "README.md": "- [ ] one\n",
    }
    commit(folder, "Begin", files)
    return folder


def test_a_repository_is_searched_for_its_task_files(tmp_path, shop, run):
    """Its lists and its Backlog.md folder are read into a project of its name; what is left out is said."""
    v2_1_database(tmp_path / "dash.db", projects=[])
    _, out, err = run("tasks", str(shop))
    assert out.startswith("Added 4 tasks to project 1; 2 files read; ")
    assert out.endswith("left out: files with fewer than 3 boxes (1), vendored and build folders (1).\n")
    assert not err
    assert query(tmp_path / "dash.db", "SELECT name FROM projects") == [("shop",)]
    assert query(tmp_path / "dash.db", "SELECT count(*) FROM tasks WHERE title LIKE 'Not%'") == [(0,)]
    assert run("tasks", str(shop))[1].startswith("No new task for project 1; 2 files read")


def test_of_a_repository_one_kind_is_read(tmp_path, shop):
    """With a format only files of that kind are read; a Backlog.md folder stays one source, whoever names it."""
    found = []
    for number, (path, source) in enumerate(
        [(shop, "tasklist"), (shop, "backlog"), (shop / "backlog", "auto"), (shop / "docs", "auto")]
    ):
        db = v2_1_database(tmp_path / f"{number}.db", projects=[])
        found.append((ingest_tasks([path], db=db, source=source).added, *query(db, "SELECT name FROM projects")[0]))
    assert found == [(3, "shop"), (1, "shop"), (1, "shop"), (3, "shop")]


def test_a_file_of_a_folder_may_be_named_too(tmp_path, shop):
    """Named beside its repository, in whichever order, it is read once; a list may be in a folder without git."""
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    plan = shop / "docs" / "todo.md"
    assert ingest_tasks([shop, plan], "Shop", db).added == 4
    assert ingest_tasks([plan, shop], "Shop", db).files == 2
    (tmp_path / "plain folder").mkdir()
    (tmp_path / "plain folder" / "TODO.md").write_text("- [ ] Rest\n", "utf-8")
    ingest_tasks([tmp_path / "plain folder"], db=db)
    assert query(db, "SELECT name FROM projects ORDER BY id DESC LIMIT 1") == [("plain folder",)]


def test_a_folder_without_tasks_is_refused_with_what_was_left_out(tmp_path):
    """Nothing is written, and the reason names what was passed over."""
    (tmp_path / "README.md").write_text("- [ ] one\n", "utf-8")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    with pytest.raises(
        RefusedError, match=r"there is no task in it; left out: files with fewer than 3 boxes \(1\)\. A"
    ):
        ingest_tasks([tmp_path], db=db)
    assert query(db, "SELECT count(*) FROM projects") == [(0,)]


def test_a_dry_run_says_what_would_be_written(tmp_path, plan, run):
    """The sentence and the complaints are those of the run, with its tense changed; the database keeps every byte."""
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    before = db.read_bytes()
    words = ("tasks", str(plan), "--project", "Shed", "--dry-run")
    code, told, complaints = run(*words)
    assert (code, db.read_bytes()) == (0, before)
    assert told == (
        "Would add 4 tasks in 2 phases to project Shed (id 1); 1 broken record skipped. Nothing was written.\n"
    )
    assert run(*words[:-1])[2] == complaints != ""
    plan.write_text(TEXT.replace("[ ] Buy", "[x] Buy"), "utf-8")
    before = db.read_bytes()
    assert run(*words)[1].startswith("No new task for project Shed (id 1); would change 1; ")
    assert {path.name for path in tmp_path.iterdir()} == {"dash.db", "plan.md"}
    assert db.read_bytes() == before
    db.unlink()
    with pytest.raises(RefusedError, match=f"Cannot open {tmp_path / 'dash.db'}: there is no such file"):
        run(*words)
