"""Which task an id means, wherever one is given: in `dashkit task`, in `dashkit show`, and in the frames."""

import json
import warnings

import pandas as pd
import pytest
from builders import insert, query, v2_1_database, v2_database

import dashkit
from dashkit.cli import main
from dashkit.errors import UsageError

FRAMES = ("task_timeline", "links")


@pytest.fixture
def path(tmp_path):
    """Two projects whose ids clash; BACK-3 and 2 are each the id of two tasks, one of BACK-9 is gone."""
    ids = [(1, "BACK-3"), (1, "BACK-4"), (2, "BACK-3"), (1, "2"), (1, "BACK-9"), (1, "BACK-9"), (2, None)]
    tasks = [{"title": f"T{n}", "project_id": project, "external_id": own} for n, (project, own) in enumerate(ids, 1)]
    path = v2_1_database(tmp_path / "d.db", ["Alpha", "Beta"], tasks)
    insert(path, "task_sources", task_id=5, source="TODO.md", gone_at="2026-01-01T00:00:00.000Z")
    insert(path, "task_sources", task_id=6, source="TODO.md", image=json.dumps({"former_ids": ["OLD-1"]}))
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c1", repo_id="r", message="m", timestamp="2026-01-01T00:00:00Z")
    for task in range(1, 8):
        link = {"task_id": task, "commit_sha": "c1", "confidence": 1, "link_type": "explicit"}
        insert(path, "task_commit_links", id=str(task), **link)
    return path


def shown(path, capsys, *words):
    """The exit code, the numbers of the tasks in the rows of a frame, and what was said beside."""
    code = main(["show", *words, "--json", "--db", str(path)])
    out, err = capsys.readouterr()
    return code, {row["task_id"] for row in json.loads(out or "[]")}, err


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    ("word", "number"), [("BACK-4", 2), ("back-4", 2), ("4", 4), ("7", 7), ("TASK-7", 7), ("OLD-1", 6)]
)
def test_a_frame_takes_the_id_that_pages_show(path, capsys, frame, word, number):
    """In Python and on the command line, as `dashkit task` does; the number of a row still is one."""
    assert shown(path, capsys, frame, "--task", word) == (0, {number}, "")
    with dashkit.open(path) as d, warnings.catch_warnings():
        warnings.simplefilter("error")
        found = getattr(d, frame)(word)
        pd.testing.assert_frame_equal(found, getattr(d, frame)(number))
        pd.testing.assert_frame_equal(found, getattr(d, frame)(task_id=word))
        pd.testing.assert_frame_equal(getattr(d, frame)(""), getattr(d, frame)())
    assert set(found["task_id"]) == {number}
    assert main(["task", word, "--db", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"Task {number}: T{number}\n")


@pytest.mark.parametrize("frame", FRAMES)
def test_where_two_tasks_share_an_id_both_are_offered(path, capsys, frame):
    """With their projects, of which one can be chosen; nothing is shown."""
    offered = "2 tasks have this id: 1 (T1, of Alpha), 3 (T3, of Beta). Give one of these numbers."
    code, numbers, said = shown(path, capsys, frame, "--task", "BACK-3")
    assert (code, numbers) == (2, set())
    assert offered in said
    assert shown(path, capsys, frame, "--task", "BACK-3", "--project", "Beta") == (0, {3}, "")
    with dashkit.open(path) as d, pytest.raises(UsageError, match=r"2 tasks have this id") as refused:
        getattr(d, frame)("BACK-3")
    assert offered in str(refused.value)
    assert main(["task", "BACK-3", "--check", "--db", str(path)]) == 2
    assert offered in capsys.readouterr().err
    assert query(path, "SELECT sum(checked) FROM tasks") == [(0,)]


def test_a_number_is_that_of_a_row_and_it_is_said(path, capsys):
    """Where a file has an id that is all digits, the row of this number comes first, and the other one is named."""
    note = "2 is taken as the number of a row. As the id in a file it is that of 4 (T4)."
    assert shown(path, capsys, "task_timeline", "--task", "2") == (0, {2}, f"{note}\n")
    assert main(["task", "2", "--db", str(path)]) == 0
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("Task 2: T2", f"{note}\n")
    with dashkit.open(path) as d:
        with pytest.warns(UserWarning, match="2 is taken as the number of a row") as told:
            assert set(d.links("2")["task_id"]) == {2}
        assert told[0].filename == __file__
        assert set(d.links(2)["task_id"]) == {2}
    query(path, "DELETE FROM tasks WHERE id = 2")
    with dashkit.open(path, project="Alpha") as d, pytest.warns(UserWarning, match="2 is taken as the number of a row"):
        assert d.task_timeline("2")["kind"].tolist()[-1] == "deleted"


def test_a_task_that_is_there_comes_before_one_that_is_gone(path, capsys):
    """An id may come again; a task that is gone from its file is still found by its own."""
    note = "BACK-9 is taken as the task that is in its file. It is also the id of 5 (T5, gone from its file).\n"
    assert shown(path, capsys, "task_timeline", "--task", "BACK-9") == (0, {6}, note)
    query(path, "UPDATE task_sources SET gone_at = '2026-01-02T00:00:00.000Z'")
    code, _, said = shown(path, capsys, "task_timeline", "--task", "BACK-9")
    assert code == 2
    assert "2 tasks have this id: 5 (T5, gone from its file), 6 (T6, gone from its file)" in said
    query(path, "DELETE FROM tasks WHERE id = 6")
    assert shown(path, capsys, "task_timeline", "--task", "BACK-9") == (0, {5}, "")


def test_a_task_that_was_deleted_has_a_history_and_no_story(path, capsys):
    """Its number shows the timeline; the command that changes tasks says what became of it."""
    query(path, "DELETE FROM tasks WHERE id = 7")
    assert shown(path, capsys, "task_timeline", "--task", "7") == (0, {7}, "")
    assert main(["task", "7", "--db", str(path)]) == 2
    said = "the task of this number was deleted. Its history is kept: run `dashkit show task_timeline --task 7`."
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("word", ["3", "BACK-3"])
def test_a_task_of_another_project_is_named(path, capsys, word):
    """Where a project is chosen its tasks alone are meant; what is elsewhere is said."""
    query(path, "DELETE FROM tasks WHERE id = 1")
    code, _, said = shown(path, capsys, "links", "--task", word, "--project", "Alpha")
    assert code == 2
    assert "in the chosen project no task has this id; elsewhere it is that of 3 (T3). Choose the project" in said


@pytest.mark.parametrize("word", ["nobody", "007", "9" * 19, "9" * 5000, "'; --", "\N{SUPERSCRIPT TWO}", "\x1b[2J"])
def test_what_is_no_id_is_refused(path, capsys, word):
    """In a sentence, short, and without what acts on a terminal."""
    code, numbers, said = shown(path, capsys, "links", "--task", word)
    assert (code, numbers) == (2, set())
    assert "no task has this id. Give the id that a page shows, or the number of a row of tasks." in said
    assert len(said) < 300
    assert "\x1b" not in said


def test_version_2_0_knows_the_numbers(tmp_path, capsys):
    """It has no ids of files; a number is that of a row, and one that is not there is refused."""
    path = v2_database(tmp_path / "d.db", tasks=[{"title": "T1"}])
    assert shown(path, capsys, "task_timeline", "--task", "1") == (0, {1}, "")
    assert shown(path, capsys, "task_timeline", "--task", "2")[0] == 2
