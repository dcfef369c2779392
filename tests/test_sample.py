"""The reference database."""

import re

import pytest
from builders import query, v1_database

from dashkit.errors import RefusedError
from dashkit.sample import write_sample

SHAPE = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY name"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """One reference database for all that only read it."""
    return write_sample(tmp_path_factory.mktemp("sample") / "dash.db")


def test_two_runs_write_the_same_bytes(tmp_path, sample):
    """The reference database is deterministic to the byte, and of a handy size."""
    other = write_sample(str(tmp_path / "other.db"))
    assert other.read_bytes() == sample.read_bytes()
    assert 150_000 < other.stat().st_size < 300_000
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


def test_the_numbers_of_the_reference_database(sample):
    """1,587 tasks in 8 projects, 161 completed; project 1 has 220, none completed; nothing is blocked."""
    assert query(sample, "SELECT count(*), sum(status = 'completed'), sum(status = 'blocked') FROM tasks") == [
        (1587, 161, 0)
    ]
    assert query(sample, "SELECT count(*), sum(status = 'completed') FROM tasks WHERE project_id = 1") == [(220, 0)]
    assert query(sample, "SELECT count(*) FROM projects") == [(8,)]
    assert query(sample, "SELECT DISTINCT status FROM tasks ORDER BY 1") == [
        ("cancelled",),
        ("completed",),
        ("in_progress",),
        ("pending",),
        ("review",),
    ]


def test_it_is_of_version_1(tmp_path, sample):
    """Tables and columns are those of version 1.0."""
    assert query(sample, SHAPE) == query(v1_database(tmp_path / "v1.db"), SHAPE)


def test_the_rows_are_sound(sample):
    """Keys hold, phases are of the task's project, titles differ, and completed and only those have a time of it."""
    assert query(sample, "PRAGMA foreign_key_check") == []
    assert query(sample, "PRAGMA integrity_check") == [("ok",)]
    assert query(sample, "SELECT count(DISTINCT title), count(phase_id) FROM tasks") == [(1587, 1587)]
    assert (
        query(
            sample,
            "SELECT t.id FROM tasks t JOIN phases p ON p.id = t.phase_id WHERE p.project_id <> t.project_id "
            "OR (t.status = 'completed') <> (t.completed_at IS NOT NULL) OR t.completed_at < t.created_at",
        )
        == []
    )


def test_the_times_are_those_of_a_working_autumn(sample):
    """Times are of August to November 2025, as version 1.0 wrote them, on working days, after the project began."""
    rows = query(
        sample,
        "SELECT t.created_at, t.completed_at, p.created_at, strftime('%w', t.created_at) || "
        "coalesce(strftime('%w', t.completed_at), '') FROM tasks t JOIN projects p ON p.id = t.project_id",
    )
    for created, completed, began, weekdays in rows:
        assert began <= created
        assert not set(weekdays) & {"0", "6"}
        for text in filter(None, (created, completed)):
            assert re.fullmatch(r"2025-(08|09|10|11)-\d\d (08|09|1\d):\d\d:\d\d", text)


def test_dependencies_point_to_earlier_tasks_of_the_same_project(sample):
    """There are some hundreds, they make no circle, and nothing completed waits for something open."""
    rows = query(
        sample,
        "SELECT d.task_id > d.depends_on_id, a.project_id = b.project_id, "
        "a.status <> 'completed' OR b.status = 'completed' FROM task_dependencies d "
        "JOIN tasks a ON a.id = d.task_id JOIN tasks b ON b.id = d.depends_on_id",
    )
    assert len(rows) > 200
    assert set(rows) == {(1, 1, 1)}


def test_nothing_is_overwritten(tmp_path):
    """What is there already stays as it is, also a link that leads nowhere."""
    (tmp_path / "there.db").write_bytes(b"mine")
    with pytest.raises(RefusedError, match=r"Cannot write the sample to .*there\.db: there is something already"):
        write_sample(tmp_path / "there.db")
    assert (tmp_path / "there.db").read_bytes() == b"mine"
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere.db")
    with pytest.raises(RefusedError, match="there is something already"):
        write_sample(tmp_path / "link.db")


def test_a_place_that_does_not_exist_is_refused(tmp_path):
    """No folder is made by a slip of the pen."""
    with pytest.raises(RefusedError, match=r"its folder does not exist\. Make the folder first\."):
        write_sample(tmp_path / "no" / "dash.db")
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError, match="not a directory"):
        write_sample(tmp_path / "file" / "dash.db")


def test_a_failure_leaves_no_file(tmp_path, monkeypatch):
    """Half a reference database would be worse than none."""

    def broken(conn):
        raise RuntimeError("the lights went out")

    monkeypatch.setattr("dashkit.sample._fill", broken)
    with pytest.raises(RuntimeError, match="the lights went out"):
        write_sample(tmp_path / "dash.db")
    assert list(tmp_path.iterdir()) == []
