"""What `dashkit task` knows of one task without DuckDB: its past, and when it changed last."""

import json
import sqlite3
from contextlib import closing

import pytest
from builders import insert, query, v2_1_database, v2_database
from histories import database, histories, moderately, plain, spread
from hypothesis import given, settings
from repositories import commit, repository

import dashkit
from dashkit import times
from dashkit.ingest.tasks import ingest_tasks
from dashkit.store import chronicle, tasks

BESIDE = {"waiting", "freed", "commit", "session"}  # what task_timeline has of other tasks and of links


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with two projects, to be copied for each example."""
    return v2_1_database(tmp_path_factory.mktemp("chronicle") / "empty.db", projects=("Alpha", "Beta"))


def happenings(path, task):
    """What happened to a task by its events, without its dependencies."""
    with closing(sqlite3.connect(path)) as conn:
        found = chronicle.of_task(conn, task, times.utc_now())
    return [one for one in found if one.kind not in ("depends", "free")]


@pytest.mark.slow
@settings(moderately, max_examples=20)
@given(histories())
def test_the_past_of_a_task_is_that_of_its_timeline(empty, made):
    """Of any history the changes of the present life are those of the frame, in its order; days stay days."""
    path = database(empty, spread(made))
    with dashkit.open(path) as d:
        lives = d.sql("SELECT id, life FROM tasks").to_numpy().tolist()
        renamed = set(d._snapshot.run("SELECT DISTINCT to_id AS id FROM history.renamed")["id"])
        events = d.sql("SELECT task_id, life, event_id FROM events")
        timeline = d.task_timeline()
    for task, life in lives:
        mine = events.query("task_id == @task")
        if task in renamed or mine["event_id"].isna().any() or (mine["life"] != life).any():
            continue  # what an import renamed, what only the row says, and earlier lives are the frame's alone
        told = timeline.query("task_id == @task and kind not in @BESIDE")
        wanted = [(row.kind, plain(row.detail) or None, row.is_estimated) for row in told.itertuples()]
        found = happenings(path, task)
        assert [(one.kind, one.detail, one.is_estimated) for one in found] == wanted
        assert all(one.at[:10] == plain(at)[:10] for one, at in zip(found, told["occurred_at"], strict=True))


def updated(path, task):
    """When a task changed last, as `dashkit task` tells it."""
    with closing(sqlite3.connect(path)) as conn:
        return chronicle.updated_at(conn, tasks.story(conn, task, times.utc_now()))


def record(at, **more):
    """A line of beads."""
    made = {"id": "ab-1", "title": "Dig", "status": "open", "created_at": "2026-01-01T08:00:00Z", "updated_at": at}
    return json.dumps({**made, **more}) + "\n"


def test_a_task_changed_when_its_source_says(tmp_path):
    """Not when it was read: a record has its own time, a line of a list that of the commit that changed it."""
    folder, db = repository(tmp_path / "shed"), v2_1_database(tmp_path / "d.db", projects=[])
    at = [f"2026-01-0{day}T12:00:00.000Z" for day in range(1, 7)]
    for day, sign in ((2, " "), (4, "x")):
        commit(folder, files={"TODO.md": f"- [{sign}] Roof\n- [ ] Rest\n"}, GIT_COMMITTER_DATE=at[day])
    (tmp_path / "beads.jsonl").write_text(record("2026-01-05T09:00:00Z", description="More of it"))
    for _ in range(2):
        ingest_tasks([folder / "TODO.md", tmp_path / "beads.jsonl"], "Shed", db)
        named = {title: updated(db, number) for title, number in query(db, "SELECT title, id FROM tasks")}
        assert named == {"Roof": at[4], "Rest": at[2], "Dig": "2026-01-05T09:00:00.000Z"}
    commit(folder, files={"TODO.md": "- [x] Roof\n"}, GIT_COMMITTER_DATE=at[5])
    ingest_tasks([folder / "TODO.md"], "Shed", db)
    (rest,) = query(db, "SELECT id FROM tasks WHERE title = 'Rest'")[0]
    assert updated(db, rest) == at[2]  # it is gone from its file, and itself as it was


def test_the_first_reading_of_a_file_without_a_past_is_no_change(tmp_path):
    """When its tasks changed nobody knows; what a later reading finds changed has changed by then."""
    db, file = v2_1_database(tmp_path / "d.db", projects=[]), tmp_path / "TODO.md"
    file.write_text("- [ ] Roof\n- [ ] Rest\n")
    ingest_tasks([file], "Shed", db)
    assert [updated(db, task) for task in (1, 2)] == [None, None]
    file.write_text("- [x] Roof\n- [ ] Rest\n")
    ingest_tasks([file], "Shed", db)
    assert (updated(db, 1) or "") >= times.to_text(times.utc_now())[:10]
    assert updated(db, 2) is None


def test_a_task_changed_when_somebody_changed_it_here(tmp_path):
    """What is changed after the reading counts, by this package or by another program, with an event or without."""
    db = v2_1_database(tmp_path / "d.db", projects=[])
    (tmp_path / "beads.jsonl").write_text(record("2026-01-05T09:00:00Z"))
    ingest_tasks([tmp_path / "beads.jsonl"], "Shed", db)
    before = times.to_text(times.utc_now())
    query(db, "UPDATE tasks SET priority = 'low', updated_at = '2099-01-01T00:00:00Z'")
    assert updated(db, 1) == "2099-01-01T00:00:00Z"
    dashkit.database.set_task_complexity(1, "L", db=db)
    assert updated(db, 1) >= before
    (tmp_path / "beads.jsonl").write_text(record("2026-01-06T09:00:00Z", title="Dig deep"))
    ingest_tasks([tmp_path / "beads.jsonl"], "Shed", db)
    assert updated(db, 1) >= before  # the size came later than what the record says of itself


@pytest.mark.parametrize("make", [v2_database, v2_1_database])
@pytest.mark.parametrize("stored", [None, "2025-11-27 16:09:57", "soon"])
def test_a_task_of_no_source_changed_as_its_row_says(tmp_path, make, stored):
    """As it is stored, whatever that is; marks of a reading that nobody can read change nothing."""
    path = make(tmp_path / "d.db", tasks=[{"updated_at": stored}])
    assert updated(path, 1) == stored
    if make is v2_1_database:
        insert(path, "task_sources", task_id=1, source="TODO.md", image="{", seen_at=None)
        assert updated(path, 1) == stored
