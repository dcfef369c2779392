"""The runs: each scan, ingest and link leaves a row that tells how it ended."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from content import alter
from repositories import commit, history, repository

import dashkit
from dashkit import doctor, times
from dashkit.errors import DashkitError, FailedError
from dashkit.ingest.git import ingest_git
from dashkit.ingest.links import link_commits
from dashkit.ingest.tasks import ingest_tasks
from dashkit.scanning import scan

LAST_LOOK = "SELECT max(finished_at) FROM runs WHERE kind IN ('scan', 'ingest tasks')"
RUNS = "SELECT kind, outcome FROM runs ORDER BY rowid"


@pytest.fixture
def plan(tmp_path):
    """A task list in a repository of one commit."""
    folder = repository(tmp_path / "shed")
    commit(folder, "Begin TASK-1", {"TODO.md": "- [ ] TASK-1 Dig\n- [x] TASK-2 Saw\n"})
    return folder / "TODO.md"


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


def test_each_run_leaves_its_row(plan, db):
    """Kind, times in the stored form, outcome, and what was counted; also of a run that found nothing new."""
    for _ in range(2):
        ingest_tasks([plan], "Shed", db)
        ingest_git([plan.parent], "Shed", db)
        link_commits(db)
    assert query(db, RUNS) == [(kind, "done") for kind in ("ingest tasks", "ingest git", "link")] * 2
    rows = query(db, "SELECT id, started_at, finished_at, details FROM runs ORDER BY rowid")
    assert len({uuid.UUID(row[0]) for row in rows}) == 6
    for _, started, finished, _ in rows:
        assert started <= finished
        assert times.to_text(times.parse(finished)) == finished
    first, second = (json.loads(row[3]) for row in (rows[0], rows[3]))
    assert (first["added"], first["files"], first["versions"], first["project_id"]) == (2, 1, 2, 1)
    assert second == {"files": 1, "versions": 1, "project_id": 1}
    assert [json.loads(row[3])["added"] for row in rows[1:3]] == [1, 1]


def test_a_scan_has_a_row_beside_those_of_its_parts(plan):
    """What the parts counted is in the row of the scan too, which ends last."""
    path = scan(plan.parent, page=False).database
    assert [kind for kind, _ in query(path, RUNS)] == ["ingest tasks", "ingest git", "link", "scan"]
    ((details, is_last),) = query(
        path, "SELECT details, finished_at = (SELECT max(finished_at) FROM runs) FROM runs WHERE kind = 'scan'"
    )
    told = json.loads(details)
    assert told.pop("project_id") == 1
    assert {part: numbers["added"] for part, numbers in told.items()} == {"tasks": 2, "git": 1, "links": 1}
    assert is_last


def test_a_failed_run_says_so_in_its_row(plan, db):
    """Where something goes wrong midway, the class and the text of the error are in the row."""
    query(db, "CREATE TRIGGER no BEFORE INSERT ON tasks BEGIN INSERT INTO saw VALUES (1); END")
    with pytest.raises(FailedError, match=r"no such table: main\.saw"):
        ingest_tasks([plan], "Shed", db)
    query(db, "CREATE TRIGGER never BEFORE INSERT ON git_commits BEGIN INSERT INTO git VALUES (1); END")
    with pytest.raises(FailedError, match=r"no such table: main\.git"):
        ingest_git([plan.parent], "Shed", db)
    found = [json.loads(text) for (text,) in query(db, "SELECT details FROM runs WHERE outcome = 'failed'")]
    assert [(one["error"], one["text"].count("no such table")) for one in found] == [("FailedError", 1)] * 2
    assert query(db, "SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM git_commits)") == [(0, 0)]


def test_the_failure_of_a_project_is_not_mended_by_another(plan, db, tmp_path):
    """A failed run names its project where it knew it: a later success of the same one takes it from the headlines."""
    ingest_tasks([plan], "Shed", db)
    query(db, "CREATE TRIGGER no BEFORE UPDATE ON tasks BEGIN INSERT INTO saw VALUES (1); END")
    plan.write_text(plan.read_text().replace("[ ]", "[x]", 1))
    with pytest.raises(FailedError):
        ingest_tasks([plan], "Shed", db)
    query(db, "DROP TRIGGER no")
    (other := tmp_path / "other").mkdir()
    (other / "TODO.md").write_text("- [ ] Paint it\n")

    def failed(project):
        with dashkit.open(db, project=project) as d:
            return "failed" in set(d.headlines()["kind"])

    ingest_tasks([other / "TODO.md"], "House", db)
    assert (failed("Shed"), failed("House"), failed(None)) == (True, False, True)
    ingest_tasks([plan], "Shed", db)
    assert (failed("Shed"), failed("House"), failed(None)) == (False, False, False)


def test_an_interrupted_run_has_failed(tmp_path, db):
    """Ctrl-C in the midst of an ingest leaves a row that says so; what was written stays."""
    history(tmp_path / "long", 60)

    def tell(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_git([tmp_path / "long"], db=db, tell=tell)
    ((outcome, details),) = query(db, "SELECT outcome, details FROM runs")
    assert (outcome, json.loads(details)) == ("failed", {"error": "KeyboardInterrupt", "text": ""})


@pytest.mark.crash
def test_a_killed_run_leaves_no_row(tmp_path, db):
    """A row is there only for what has ended: SIGKILL leaves none, and the next run has its own."""
    history(tmp_path / "long", 4000)
    code = (
        "import sys; import dashkit.ingest.git as g; import dashkit.sources.git as s; "
        "g._BATCH = s.CHUNK = 16; g.ingest_git([sys.argv[1]], db=sys.argv[2])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    run = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "long"), str(db)], env=env)
    while run.poll() is None and not query(db, "SELECT count(*) FROM git_commits")[0][0]:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert query(db, RUNS) == []
    ingest_git([tmp_path / "long"], db=db)
    assert query(db, RUNS) == [("ingest git", "done")]


def test_what_is_refused_leaves_no_row(plan, db, tmp_path):
    """A refusal changes nothing, and that includes this table."""
    insert(db, "projects", name="Twin")
    insert(db, "projects", name="Twin")
    before = db.read_bytes()
    for call in (lambda: ingest_tasks([plan], "Twin", db), lambda: ingest_git([tmp_path], db=db)):
        with pytest.raises(DashkitError, match=r"2 projects have this name|neither it nor a folder above it is one"):
            call()
    assert db.read_bytes() == before


def test_the_callers_transaction_is_the_callers(plan, db):
    """On a connection of the caller's the row goes with the caller's transaction, and a failure leaves none."""
    with closing(sqlite3.connect(db, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        ingest_tasks([plan], "Shed", conn)
        assert conn.execute("SELECT count(*) FROM runs").fetchone() == (1,)
        conn.execute("CREATE TRIGGER no BEFORE INSERT ON git_commits BEGIN SELECT raise(ABORT, 'no'); END")
        with pytest.raises(sqlite3.IntegrityError, match="no"):
            ingest_git([plan.parent], "Shed", conn)
        conn.execute("ROLLBACK")
    assert query(db, RUNS) == []


@pytest.mark.parametrize("make", [v1_database, v2_database])
def test_an_older_database_remembers_no_run(tmp_path, plan, make):
    """Before version 2.1 there is no place for it: the tasks come in all the same."""
    path = make(tmp_path / "old.db", projects=[])
    assert ingest_tasks([plan], "Shed", path).added == 2
    assert query(path, "SELECT count(*) FROM sqlite_master WHERE name = 'runs'") == [(0,)]


def unseen(path, *changes):
    """Change a database behind the back of its triggers."""
    alter(path, "UPDATE event_context SET suspended = 1", *changes, "UPDATE event_context SET suspended = 0")


@pytest.mark.parametrize("name", ["TODO.md", "NOTES.md"])
def test_a_scan_takes_over_what_no_trigger_saw(tmp_path, name):
    """In every project, also where there is no task file to read: what doctor complains of is right after a scan."""
    (tmp_path / name).write_text("- [ ] Dig\n" if name == "TODO.md" else "none\n", "utf-8")
    path = scan(tmp_path, page=False).database
    insert(path, "projects", name="Other")
    insert(path, "tasks", project_id=query(path, "SELECT max(id) FROM projects")[0][0], title="Theirs")
    link_commits(path)
    ((last,),) = query(path, LAST_LOOK)
    unseen(path, "UPDATE tasks SET status = 'review' WHERE title = 'Theirs'")
    (wrong,) = [one for one in doctor.examine(path).findings if one.check == "history"]
    assert (wrong.state, "so does the next scan" in wrong.remedy) == ("wrong", True)
    scan(tmp_path, page=False)
    assert query(path, "SELECT not_before, status FROM task_events WHERE op = 'reconcile'") == [(last, "review")]
    assert doctor.examine(path).healthy


def test_a_scan_takes_over_deletions_and_dependencies(plan):
    """A task that went and dependencies that came and went without an event: doctor is content after the next scan."""
    path = scan(plan.parent, page=False).database
    for title in ("A", "B", "C"):
        insert(path, "tasks", project_id=1, title=title)
    insert(path, "task_dependencies", task_id=3, depends_on_id=4)
    link_commits(path)
    ((last,),) = query(path, LAST_LOOK)
    unseen(
        path,
        "DELETE FROM task_dependencies",
        "INSERT INTO task_dependencies VALUES (4, 3)",
        "DELETE FROM tasks WHERE title = 'C'",
    )
    assert not doctor.examine(path).healthy
    scan(plan.parent, page=False)
    assert doctor.examine(path).healthy
    assert query(path, "SELECT task_id, not_before, source FROM task_events WHERE op = 'delete'") == [
        (5, last, "reconcile")
    ]
    rows = "SELECT task_id, depends_on_id, op, not_before FROM dependency_events WHERE source = 'reconcile' ORDER BY 1"
    assert query(path, rows) == [(3, 4, "remove", last), (4, 3, "add", last)]
    events = query(path, "SELECT count(*) FROM task_events")
    scan(plan.parent, page=False)
    assert query(path, "SELECT count(*) FROM task_events") == events


@pytest.mark.parametrize("between", [lambda _: None, link_commits])
def test_a_run_tells_since_when_something_changed(plan, db, between):
    """It came since the last run that compared tasks with events; one that writes no tasks does not."""
    ingest_tasks([plan], "Shed", db)
    ingest_git([plan.parent], "Shed", db)
    unseen(db, "UPDATE tasks SET complexity = 'L' WHERE title LIKE '%Saw'")
    ((last,),) = query(db, LAST_LOOK)
    between(db)
    ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT not_before, complexity FROM task_events WHERE op = 'reconcile'") == [(last, "L")]
