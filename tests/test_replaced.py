"""Programs of version 1 that write a task's row anew: what is lost by that is found, by its history, and said again."""

import sqlite3
from contextlib import closing

import pytest
from builders import query, v1_database
from content import alter
from faults import after, said, saved_again, sound

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
    assert found.found.endswith("task 3 (checked) and 40 more")
    (words,) = [word for word in found.remedy.split("`") if word.startswith("UPDATE")]
    assert [word.count("UPDATE tasks SET") for word in words.split("; ")] == [1] * 5
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(words)
    assert lost(path) == {}
    assert query(path, "SELECT blocked_reason FROM tasks WHERE id = 2") == [("waits for Ann's `key`",)]


def test_a_database_without_a_history_knows_of_nothing(tmp_path):
    """Version 2.0 keeps no history: nothing is found, and nothing fails."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    migrations.execute(path, to="2.0")
    after("UPDATE tasks SET complexity = 'L'", saved_again(1))(path)
    assert [one for one in doctor.examine(path).findings if one.check == "rewritten rows"] == []
