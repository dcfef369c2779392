"""The past of a Backlog.md folder: each commit that touched a file of it is a version."""

import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import commit, git, repository

from dashkit.connection import connect_readonly
from dashkit.ingest.tasks import ingest_tasks
from dashkit.sources import backlog, history
from dashkit.store import events

HISTORY = (
    "SELECT t.external_id, e.op, e.occurred_at, e.not_before, e.status, e.checked, e.title FROM task_events AS e "
    "JOIN (SELECT id, title FROM tasks) AS n ON n.id = e.task_id JOIN task_sources AS t USING (task_id) "
    "ORDER BY 1, e.occurred_at, e.event_id"
)
ROWS = (
    "SELECT t.external_id, t.title, t.status, t.checked, t.created_at, t.completed_at, s.gone_at, s.ordinal "
    "FROM tasks AS t JOIN task_sources AS s ON s.task_id = t.id ORDER BY 1, 2, 5"
)


def at(day, hour=12):
    """A time of January 2026 in the stored form."""
    return f"2026-01-{day:02}T{hour:02}:00:00.000Z"


def page(number, status="To Do", **facts):
    """A file of the folder."""
    lines = {"id": f"BACK-{number}", "title": f"Work on {number}", "status": status, **facts}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "---\n"


def write(folder, day, **files):
    """Commit files of the folder on a day: `tasks_1` is tasks/1.md; None takes it away."""
    named = {f"backlog/{name.replace('_', '/')}.md": text for name, text in files.items()}
    for name in (name for name, text in named.items() if text is None):
        (folder / name).unlink()
    there = {name: text for name, text in named.items() if text is not None}
    return commit(folder, files=there, GIT_COMMITTER_DATE=at(day))


@pytest.fixture
def shop(tmp_path):
    """A repository with a folder of two tasks."""
    folder = repository(tmp_path / "shop")
    commit(folder, files={"README.md": "Shop", "backlog/config.yml": "x: 1"}, GIT_COMMITTER_DATE=at(1))
    write(folder, 2, tasks_1=page(1), tasks_2=page(2, created_date="2026-01-01 08:00"))
    return folder


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


def told(db, number):
    """The changes of a task: op, when, not before, status."""
    return query(
        db,
        "SELECT op, occurred_at, not_before, e.status FROM task_events AS e JOIN tasks AS t ON t.id = e.task_id "
        "WHERE t.external_id = ? ORDER BY occurred_at, event_id",
        f"BACK-{number}",
    )


def test_each_commit_is_a_version_and_a_records_own_time_counts(shop, db):
    """Without a time of its own a change is the commit's; with one it is dated by that."""
    write(shop, 3, tasks_1=page(1, "In Progress"))
    commit(shop, files={"backlog/docs/note.md": "x", "code.py": "x"}, GIT_COMMITTER_DATE=at(4))
    write(shop, 5, tasks_2=page(2, "Done", created_date="2026-01-01 08:00", updated_date="2026-01-04 09:00"))
    summary = ingest_tasks([shop / "backlog"], "Shop", db)
    assert (summary.added, summary.versions, summary.notes) == (2, 4, ())
    assert told(db, 1) == [("baseline", at(2), None, "pending"), ("update", at(3), at(2), "in_progress")]
    assert told(db, 2) == [("insert", at(1, 8), None, "pending"), ("update", at(4, 9), at(3), "completed")]
    before = kept(db)
    ingest_tasks([shop / "backlog"], "Shop", db)
    assert kept(db) == before


def test_a_file_that_moves_is_the_same_task(shop, db):
    """In completed/ it is done, in archive/ given up, and a deleted file is a task that is gone."""
    write(shop, 3, tasks_1=None, completed_1=page(1), tasks_3=page(3), tasks_4=page(4))
    write(shop, 4, tasks_2=None, tasks_3=None, archive_tasks_4=page(4), tasks_4=None)
    ingest_tasks([shop / "backlog"], "Shop", db)
    assert query(
        db, "SELECT external_id, status, gone_at FROM task_sources JOIN tasks USING (external_id) ORDER BY 1"
    ) == [
        ("BACK-1", "completed", None),
        ("BACK-2", "pending", at(4)),
        ("BACK-3", "pending", at(4)),
        ("BACK-4", "cancelled", None),
    ]
    assert told(db, 1)[-1] == ("update", at(3), at(2), "completed")
    assert told(db, 4)[-1] == ("update", at(4), at(3), "cancelled")


def test_a_later_reading_goes_on_where_the_last_one_ended(shop, db):
    """Only new commits are versions; what lies there uncommitted is read too."""
    ingest_tasks([shop / "backlog"], "Shop", db)
    write(shop, 3, tasks_1=page(1, "Done"))
    (shop / "backlog/tasks/2.md").write_text(page(2, "In Progress", created_date="2026-01-01 08:00"), "utf-8")
    summary = ingest_tasks([shop / "backlog"], "Shop", db)
    assert (summary.added, summary.changed, summary.gone, summary.versions) == (0, 2, 0, 2)
    assert told(db, 1)[-1] == ("update", at(3), at(2), "completed")
    assert told(db, 2)[-1][3] == "in_progress"


def test_a_folder_that_is_gone_takes_its_tasks_along(shop, db):
    """They are gone since the commit that took it away."""
    ingest_tasks([shop], "Shop", db)
    git(shop, "rm", "-rq", "backlog")
    commit(shop, GIT_COMMITTER_DATE=at(6))
    assert ingest_tasks([shop], "Shop", db).gone == 2
    assert query(db, "SELECT DISTINCT gone_at FROM task_sources") == [(at(6),)]


def test_a_merge_is_one_version_and_milestones_have_their_names(shop, db):
    """A branch comes in whole; a phase is the milestone's name as it was in that version."""
    git(shop, "checkout", "-q", "-b", "side")
    write(shop, 3, tasks_1=page(1, "In Progress"))
    write(shop, 4, tasks_1=page(1, "Done", milestone="m-1"), milestones_m1="---\nid: m-1\ntitle: First\n---\n")
    git(shop, "checkout", "-q", "main")
    commit(shop, files={"other": "x"}, GIT_COMMITTER_DATE=at(5))
    git(shop, "merge", "-q", "--no-ff", "side", env={"GIT_COMMITTER_DATE": at(6)})
    ingest_tasks([shop / "backlog"], "Shop", db)
    assert told(db, 1)[1:] == [("update", at(6), at(2), "completed")]
    assert query(db, "SELECT p.name FROM tasks AS t JOIN phases AS p ON p.id = t.phase_id") == [("First",)]


def test_the_folder_may_be_the_repository_or_have_been_a_file(tmp_path, db):
    """A folder with its own repository is read, and so is one whose name was a file's before, as no task."""
    own = repository(tmp_path / "backlog")
    commit(own, files={"config.yml": "x: 1", "tasks/1.md": page(1)}, GIT_COMMITTER_DATE=at(1))
    assert ingest_tasks([own], "Own", db).versions == 2
    other = repository(tmp_path / "other")
    commit(other, files={"backlog": "#!/bin/sh\n"}, GIT_COMMITTER_DATE=at(1))
    (other / "backlog").unlink()
    write(other, 2, tasks_1=page(1))
    assert ingest_tasks([other / "backlog"], "Other", db).versions == 3


def test_only_changed_files_are_parsed(shop):
    """A task whose file stays the same is the very same object in the next version."""
    write(shop, 3, tasks_1=page(1, "Done", milestone="m-1"), milestones_m1="---\nid: m-1\ntitle: First\n---\n")
    write(shop, 4, tasks_2=page(2, "Done"))
    read = history.reader("backlog", "backlog")
    versions = list(history.versions(history.locate(shop / "backlog"), "backlog"))
    assert [sorted(one.changes) for one in versions] == [
        ["tasks/1.md", "tasks/2.md"],
        ["milestones/m1.md", "tasks/1.md"],
        ["tasks/2.md"],
    ]
    lists = [read(one.changes) for one in versions]
    assert lists[2].tasks[0] is lists[1].tasks[0]
    assert lists[2].tasks == backlog.read_file(shop / "backlog").tasks


def test_a_file_that_is_too_large_or_lost_is_passed_over(shop, db):
    """Its version counts for the other files, and a note says what is missing."""
    write(shop, 3, tasks_3=page(3) + "x" * (backlog.LARGEST + 1), tasks_1=page(1, "Done"))
    summary = ingest_tasks([shop / "backlog"], "Shop", db)
    assert summary.added == 2
    assert any("not in this clone, or too large: 1" in note for note in summary.notes)
    assert told(db, 1)[-1] == ("update", at(3), at(2), "completed")


NUMBERS = st.integers(1, 4)
STATES = st.sampled_from(["To Do", "In Progress", "Done"])
FOLDERS = st.sampled_from(["tasks", "completed", "archive/tasks"])
VERSIONS = st.lists(st.dictionaries(NUMBERS, st.tuples(FOLDERS, STATES, st.booleans())), min_size=1, max_size=5)


def lay(folder, day, tasks):
    """Make the folder hold these tasks: number -> folder, status, whether it has times of its own."""
    for file in (folder / "backlog").rglob("*.md"):
        file.unlink()
    files = {"backlog/config.yml": "x: 1", "backlog/tasks/.keep": ""}
    for number, (where, status, own) in tasks.items():
        times = {"created_date": "2025-12-01 08:00", "updated_date": f"2026-01-{day:02} 0{number}:00"} if own else {}
        files[f"backlog/{where}/{number}.md"] = page(number, status, **times)
    commit(folder, files=files, GIT_COMMITTER_DATE=at(day))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(VERSIONS, st.data())
def test_any_split_of_a_folders_history_is_one_run(versions, data):
    """However the history is split into runs, rows, events and the state at each recorded time are the same."""
    ends = data.draw(st.sets(st.integers(1, len(versions)))) | {len(versions)}
    with tempfile.TemporaryDirectory() as name:
        root, found = Path(name), []
        for run, stops in (("once", {len(versions)}), ("often", ends)):
            db = v2_1_database(root / f"{run}.db", projects=["Shop"])
            folder = repository(root / run)
            for day, tasks in enumerate(versions, 1):
                lay(folder, day, tasks)
                if day in stops:
                    ingest_tasks([folder / "backlog"], "Shop", db)
            found.append((query(db, ROWS), query(db, HISTORY), states(db)))
        assert found[0] == found[1]


def states(db):
    """The state of each task at each recorded time, by id."""
    times = [row[0] for row in query(db, "SELECT DISTINCT occurred_at FROM task_events ORDER BY 1")]
    found, conn = defaultdict(list), connect_readonly(db)
    for task, external_id in query(db, "SELECT task_id, external_id FROM task_sources ORDER BY 2, 1"):
        for when in times:
            state = events.state_at(conn, task, when)
            found[external_id].append({column: value for column, value in state.items() if column != "project_id"})
    conn.close()
    return dict(found)
