"""Programs of version 1 that write a task's row anew: what is lost by that is found, by its history, and said again."""

import re
import sqlite3
import time
from contextlib import closing

import pytest
from builders import query, v1_database
from content import alter
from faults import after, replaced_project, said, saved_again, sound

from dashkit import database, doctor, migrations
from dashkit.store import replaced

NAMES = "id, project_id, title, status, created_at, completed_at"


@pytest.fixture
def path(tmp_path):
    """A database in which people said something of each of three tasks."""
    made = sound(tmp_path / "dash.db")
    said(made)
    return made


def lost(path):
    """What is found, by task: the box, the size, the reason."""
    with closing(sqlite3.connect(path)) as conn:
        return {one.task: (one.checked, one.complexity, one.reason) for one in replaced.find(conn)}


EVERYTHING = {1: (True, "L", None), 2: (False, None, "waits for Ann's `key`"), 3: (True, None, None)}


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("by", ["INSERT OR REPLACE INTO", "REPLACE INTO", "DELETE"])
@pytest.mark.parametrize("times", [1, 3])
def test_whatever_way_a_row_is_written_anew(path, by, recursive, times):
    """However a program saves whole rows, and however often, what it does not know is found as lost."""
    for _ in range(times):
        saved_again(1, 2, 3, by=by, recursive=recursive)(path)
    assert lost(path) == EVERYTHING
    (found,) = [one for one in doctor.examine(path).findings if one.check == "rewritten rows"]
    assert found.found.startswith("3 tasks lost what people had said")


@pytest.mark.parametrize(
    "save",
    [
        f"INSERT INTO tasks ({NAMES}) SELECT {NAMES} FROM tasks WHERE TRUE "
        "ON CONFLICT (id) DO UPDATE SET title = excluded.title",
        "UPDATE tasks SET title = title || '!', status = 'in_progress'",
        f"INSERT OR REPLACE INTO tasks ({NAMES}, checked, complexity, blocked_reason) "
        f"SELECT {NAMES}, checked, complexity, blocked_reason FROM tasks",
    ],
    ids=["upsert", "update", "a program that knows the columns"],
)
def test_what_loses_nothing_is_not_found(path, save):
    """A program that updates rows, or knows the columns of version 2.0, loses nothing, and nothing is said."""
    alter(path, save)
    assert lost(path) == {}


def test_what_is_said_again_is_not_lost(path):
    """As soon as somebody says it again it is found no more; and again, where the next save takes it away."""
    saved_again(1, 2, 3)(path)
    database.set_task_complexity(1, "M", db=path)
    database.update_task_checked(3, True, db=path)
    assert lost(path) == {1: (True, None, None), 2: EVERYTHING[2]}
    saved_again(1)(path)
    assert lost(path)[1] == (True, "M", None)


def test_what_was_taken_back_before_is_not_lost(path):
    """What people themselves took away before the row was written anew is not missed."""
    database.set_task_complexity(1, None, db=path)
    database.update_task_checked(1, False, db=path)
    database.set_task_blocked(2, None, db=path)
    saved_again(1, 2)(path)
    assert lost(path) == {}


def test_a_task_that_is_reopened_by_the_save_is_not_lost(path):
    """Where the same statement takes a task out of `completed`, that is a word on its box; another status is none."""
    names = "id, project_id, title, status, created_at"
    alter(path, f"INSERT OR REPLACE INTO tasks ({names}) SELECT id, project_id, title, 'review', created_at FROM tasks")
    assert lost(path) == {1: (False, "L", None), 3: (True, None, None)}


def test_another_task_under_the_same_id_has_lost_nothing(path):
    """SQLite gives the id of a deleted task again: what was said of that one is not said of the new one."""
    alter(path, "DELETE FROM tasks WHERE id = 3", "INSERT INTO tasks (id, project_id, title) VALUES (3, 1, 'another')")
    assert lost(path) == {}


def test_many_of_them_are_said_again_by_statements(path):
    """Of more tasks than fit into commands the statements are told: one for all boxes, one for each size and reason."""
    alter(
        path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
        "INSERT INTO tasks (project_id, title) SELECT 1, 'task ' || i FROM n",
        "UPDATE tasks SET checked = 1, complexity = CASE id % 2 WHEN 0 THEN 'S' ELSE 'XL' END WHERE id > 3",
    )
    saved_again(*range(1, 44))(path)
    (found,) = [one for one in doctor.examine(path).findings if one.check == "rewritten rows"]
    assert "task 3 (checked) and 40 more; 1 dependency went" in found.found
    (words,) = [word for word in found.remedy.split("`") if word.startswith("UPDATE")]
    assert [word.count("UPDATE tasks SET") for word in words.split("; ")] == [1] * 5
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(words)
    assert lost(path) == {}
    assert query(path, "SELECT blocked_reason FROM tasks WHERE id = 2") == [("waits for Ann's `key`",)]


def gone(path):
    """The dependencies that are found as lost."""
    with closing(sqlite3.connect(path)) as conn:
        return replaced.dependencies_gone(conn)


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("by", ["INSERT OR REPLACE INTO", "REPLACE INTO", "DELETE"])
@pytest.mark.parametrize("task", [1, 2])
def test_a_dependency_that_goes_with_the_row_of_a_task_is_found(path, by, recursive, task):
    """Whichever of its tasks is written anew, and however, the dependency is found as lost until it is back."""
    saved_again(task, by=by, recursive=recursive)(path)
    assert gone(path) == [(2, 1)]
    alter(path, "INSERT INTO task_dependencies VALUES (2, 1)")
    assert gone(path) == []


@pytest.mark.parametrize(
    "steps",
    [
        ["DELETE FROM task_dependencies"],
        ["DELETE FROM tasks WHERE id = 1"],
        ["DELETE FROM tasks WHERE id = 1", "INSERT INTO tasks (id, project_id, title) VALUES (1, 1, 'another')"],
        ["UPDATE tasks SET title = 'x'", "DELETE FROM task_dependencies"],
    ],
    ids=["by a person", "with its task", "another task under its id", "beside an update"],
)
def test_a_dependency_that_was_lifted_is_not_lost(path, steps):
    """What somebody lifted, or what went with a task that is gone, is not missed."""
    alter(path, "PRAGMA foreign_keys = ON", *steps)
    assert gone(path) == []


def test_a_program_that_writes_dependencies_itself_has_lifted_what_it_leaves_out(path):
    """A program that saves a task with its dependencies knows of them: the one that it does not write is lifted."""
    alter(path, "INSERT INTO task_dependencies VALUES (2, 3)")
    saved_again(2)(path)
    assert gone(path) == [(2, 1), (2, 3)]
    alter(path, "INSERT INTO task_dependencies VALUES (2, 3)")
    assert gone(path) == []


def emptied(path):
    """The projects that are found as emptied: how many tasks of each."""
    with closing(sqlite3.connect(path)) as conn:
        return {one.project: one.tasks for one in replaced.emptied(conn)}


def test_what_went_with_the_row_of_a_project_is_put_back(path):
    """The tasks of a project whose row was written anew are named, and come back with all that the history knows."""
    told = (
        "SELECT id, project_id, title, status, checked, complexity, blocked_reason, created_at, completed_at FROM tasks"
    )
    before = query(path, told)
    replaced_project(path)
    assert query(path, "SELECT count(*) FROM tasks") == [(0,)]
    assert emptied(path) == {1: 3}
    (found,) = [one for one in doctor.examine(path).findings if one.check == "rewritten rows"]
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(re.findall("`([^`]+)`", found.remedy)[0])
    assert query(path, told) == before
    assert query(path, "SELECT * FROM task_dependencies") == [(2, 1)]
    assert emptied(path) == {}


def test_ids_that_are_taken_meanwhile_stay_with_their_tasks(path):
    """Where new tasks have the ids of those that went, what is put back gets ids of its own."""
    replaced_project(path)
    alter(path, "INSERT INTO tasks (id, project_id, title) VALUES (1, 1, 'new')")
    (found,) = [one for one in doctor.examine(path).findings if one.check == "rewritten rows"]
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(re.findall("`([^`]+)`", found.remedy)[0])
    assert query(path, "SELECT title FROM tasks ORDER BY id") == [("new",), ("done",), ("open",), ("more",)]
    assert emptied(path) == {}


@pytest.mark.parametrize(
    "steps",
    [
        ["DELETE FROM tasks WHERE id = 1", "DELETE FROM tasks WHERE id = 2", "DELETE FROM tasks WHERE id = 3"],
        ["DELETE FROM tasks WHERE id > 1"],
        ["DELETE FROM tasks", "DELETE FROM projects"],
        [
            "DELETE FROM tasks",
            "DELETE FROM projects",
            "INSERT INTO projects (id, name, created_at) VALUES (1, 'another', '2099-01-01 00:00:00')",
        ],
    ],
    ids=["one by one", "not all", "the project too", "another project under its id"],
)
def test_tasks_that_were_deleted_on_purpose_are_not_missed(path, steps):
    """Only a project that is there, and lost all of its tasks in one statement, is named."""
    for step in steps:
        alter(path, step)
        time.sleep(0.002)  # the history knows milliseconds
    assert emptied(path) == {}


def test_a_database_without_a_history_knows_of_nothing(tmp_path):
    """Version 2.0 keeps no history: nothing is found, and nothing fails."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    migrations.execute(path, to="2.0")
    after("UPDATE tasks SET complexity = 'L'", saved_again(1))(path)
    assert [one for one in doctor.examine(path).findings if one.check == "rewritten rows"] == []
