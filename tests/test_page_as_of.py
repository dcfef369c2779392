"""A page of an instant, made after everything that came later, is the page that was made then."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from builders import insert, query, v2_1_database
from pages import ASKING, page, text_of
from stories import lively

import dashkit
from dashkit import times
from dashkit.reports.run import run_report


def now():
    """This instant as it is stored, and no change of the test lies within its millisecond."""
    time.sleep(0.02)
    said = times.to_text(datetime.now(UTC))
    time.sleep(0.02)
    return said


def ago(days):
    """An instant before now, as it is stored."""
    return times.to_text(datetime.now(UTC) - timedelta(days=days))


def database(path):
    """A database with work in two projects, phases, blocks, dependencies, commits, sessions and links."""
    lively(path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE event_context SET suspended = 1")
        conn.execute("INSERT INTO projects (id, name) VALUES (2, 'Beta')")
        for table, key in (("tasks", "id"), ("task_events", "task_id")):
            conn.execute(f"UPDATE {table} SET project_id = 2 WHERE {key} % 4 = 0")
            conn.execute(f"UPDATE {table} SET title = 'Task ' || {key} WHERE title IS NOT NULL")
        conn.execute("INSERT INTO phases (id, project_id, name, position) VALUES (1, 1, 'Build', 1), (2, 2, 'Ship', 1)")
        conn.execute(
            "UPDATE tasks SET created_at = (SELECT min(occurred_at) FROM task_events WHERE task_id = tasks.id)"
        )
        conn.execute("UPDATE tasks SET phase_id = project_id WHERE id NOT IN (9, 13, 192, 195, 196)")  # these go
        conn.execute("UPDATE event_context SET suspended = 0")
        conn.execute("UPDATE tasks SET status = 'blocked', blocked_reason = 'keys' WHERE id IN (185, 188)")
        conn.execute("UPDATE tasks SET status = 'in_progress' WHERE id IN (190, 191)")
        conn.execute("INSERT INTO task_dependencies VALUES (192, 185), (193, 192)")
        conn.execute("UPDATE git_commits SET recorded_at = timestamp")
    insert(path, "llm_sessions", id="s", project_id=1, summary="Talk", started_at=ago(2), ended_at=ago(1.9))
    insert(path, "task_session_links", id="s", task_id=190, session_id="s", confidence=0.8, link_type="inferred")
    return path


def later(path):
    """All that may happen afterwards to what rests on events and commits."""
    changes = [
        "UPDATE tasks SET checked = 1, status = 'completed' WHERE id IN (185, 186, 190)",
        "UPDATE tasks SET status = 'blocked', blocked_reason = 'money' WHERE id IN (187, 189, 191)",
        "UPDATE tasks SET blocked_reason = 'other keys' WHERE id = 188",
        "UPDATE tasks SET checked = 0, status = 'pending' WHERE id IN (1, 2)",
        "UPDATE tasks SET title = 'Renamed', complexity = 'XL' WHERE id IN (188, 194, 3)",
        "UPDATE tasks SET project_id = 2 WHERE id = 195",
        "DELETE FROM tasks WHERE id IN (9, 13, 196, 192)",
        "INSERT INTO tasks (project_id, title) VALUES (1, 'New'), (2, 'New too')",
        "INSERT INTO task_dependencies VALUES (197, 198), (199, 185)",
        "DELETE FROM task_dependencies WHERE task_id = 200",
    ]
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("PRAGMA foreign_keys = 1")
        for change in changes:
            conn.execute(change)
        conn.execute("UPDATE event_context SET suspended = 1")  # late history, as `ingest tasks` writes it
        for task, days, status, checked in (
            (197, 30, "in_progress", 0),
            (198, 25, "blocked", 0),
            (199, 15, "completed", 1),
        ):
            image = (task, ago(days), times.to_text(datetime.now(UTC)), ago(days + 1), status, checked)
            conn.execute(
                "INSERT INTO task_events (task_id, occurred_at, recorded_at, not_before, op, status, checked, source)"
                " VALUES (?, ?, ?, ?, 'backfill', ?, ?, 'git:1')",
                image,
            )
        conn.execute("UPDATE event_context SET suspended = 0")
    for number, days in enumerate((-0.001, 0.5, 9)):  # one made later, two found later
        sha, found = f"f{number:039x}", times.to_text(datetime.now(UTC))
        insert(
            path,
            "git_commits",
            sha=sha,
            repo_id="r",
            author="B",
            message="late",
            timestamp=ago(days),
            recorded_at=found,
        )
        insert(path, "git_repo_commits", repo_id="r", sha=sha)
    insert(path, "runs", id="later", kind="scan", started_at=now(), finished_at=now(), outcome="failed", details="{}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "notebook",
    [path if path.stem == "explore" else pytest.param(path, marks=pytest.mark.exhaustive) for path in ASKING],
    ids=lambda path: path.stem,
)
def test_a_page_says_later_what_it_said_then(tmp_path, notebook):
    """After finishes, blocks, names, deletions, commits and late history it is the same to the byte, names aside."""
    path = database(tmp_path / "d.db")
    then = now()
    given = {"db_path": str(path), "as_of": then, "known_at": then}
    made = page(notebook, **given)
    later(path)
    assert page(notebook, **given) == made
    assert text_of(page(notebook, db_path=str(path))) != text_of(made)  # there was something to leave out
    query(path, "UPDATE projects SET name = 'Gamma' WHERE id = 1")  # of which there is no history
    assert text_of(page(notebook, **given)).replace("Gamma", "Alpha") == text_of(made)


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["progress", pytest.param("data_quality", marks=pytest.mark.exhaustive)])
def test_the_record_says_later_what_it_said_then(tmp_path, name):
    """A run as of the instant of another one, known then, has its numbers in run.json, and says what is of now."""
    path = database(tmp_path / "d.db")
    run = run_report(name, db=path, out=tmp_path / "then")
    then = run.record.as_of
    now()
    later(path)
    again = run_report(name, db=path, out=tmp_path / "out", parameters={"as_of": then, "known_at": then})
    kept = json.loads((tmp_path / "out" / name / "run.json").read_text())
    assert kept["numbers"] == run.record.numbers
    assert kept["numbers"]["figures" if name == "progress" else "quality"]
    assert (kept["as_of"], kept["seed"]) == (then, run.record.seed)
    assert text_of(again.page.read_text()) == text_of(run.page.read_text())
    footer = again.page.read_text().partition("<footer>")[2]
    assert "<dt>Of now</dt><dd>names of projects and phases, labels, settings, links, " in footer
    assert "Run at" not in footer
    assert "Of now" not in run.page.read_text()


@pytest.mark.kernel
@pytest.mark.exhaustive
@pytest.mark.parametrize("notebook", ASKING, ids=lambda path: path.stem)
def test_the_same_instant_gives_the_same_bytes(tmp_path, notebook):
    """By `dashkit report`: before and after everything changed, and twice, page and numbers are the same."""
    path = database(tmp_path / "d.db")
    then = now()
    given = {"as_of": then, "known_at": then}
    first = run_report(notebook, db=path, out=tmp_path / "out", parameters=given)
    later(path)
    runs = [run_report(notebook, db=path, out=tmp_path / "out", parameters=given) for _ in range(2)]
    for run in runs:
        assert run.page.read_bytes() == first.page.read_bytes()
        assert run.record.numbers == first.record.numbers


def test_a_project_of_later_was_not_there(tmp_path):
    """What was made after the instant of a view, and had no task by then, is not counted in it."""
    db = v2_1_database(tmp_path / "d.db", projects=("Alpha", "Beta"))
    query(db, "UPDATE projects SET created_at = '2026-01-01T00:00:00.000Z' WHERE id = 1")
    query(db, "UPDATE projects SET created_at = '2026-03-01T00:00:00.000Z' WHERE id = 2")
    for as_of, told in (("2026-02-01", "1 project, 0 tasks"), ("2026-04-01", "2 projects, 0 tasks")):
        with dashkit.open(db, as_of=as_of) as d:
            assert told in d._repr_html_()
