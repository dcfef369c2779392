"""get_recent_activity: the newest of every kind, whatever form its time is stored in, and however much there is."""

import random
from contextlib import closing
from datetime import timedelta

import pytest
from builders import insert, query, v2_1_database, v2_database
from content import alter
from histories import plain
from servers import FORMS

import dashkit
from dashkit import connection, database, times

NOW = times.utc_now()


def lately(path, limit=99, project=None):
    """Title and timestamp of what is told."""
    return [(one["title"], one["timestamp"]) for one in database.get_recent_activity(limit, project, db=path)]


def ranked(written):
    """What is to be told of titles with their texts: the newest first, those of one instant by title, unknown last."""
    known = {title: times.read(text) for title, text in written.items()}
    order = sorted(written, key=str)
    order.sort(key=lambda title: times.order(written[title]), reverse=True)
    return [(title, known[title] and times.to_text(known[title].at)) for title in order]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("table", "column"), [("git_commits", "timestamp"), ("llm_sessions", "started_at")])
def test_forms_are_one_order(tmp_path, seed, table, column):
    """Commits and sessions of any form of an instant come in the order of time, for every limit."""
    drawn, path = random.Random(seed), v2_database(tmp_path / "d.db")
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    written = {}
    for number in range(40):
        at = NOW - timedelta(minutes=drawn.choice([0, 30, 700, 1440, 2000, 3000, 90_000]))
        written[f"t{number:02}"] = drawn.choice(
            [None, "", "soon", " 2025-11-03 ", "1969-12-31", "2201-01-01", "2025-W48-4"]
        )
        if drawn.random() < 0.8:
            written[f"t{number:02}"] = drawn.choice(list(FORMS.values()))(at)
    for title, text in written.items():
        named = {"sha": title, "repo_id": "r"} if table == "git_commits" else {"id": title, "project_id": 1}
        insert(path, table, **named, **{column: text})
    everything = ranked(written)
    for limit in (1, 2, 3, 7, 20, 39, 99):
        assert lately(path, limit) == everything[:limit]
        assert lately(path, limit, 1) == everything[:limit]
    assert lately(path, 5, 2) == []


def test_without_a_history_a_finish_in_the_future_is_not_known(tmp_path):
    """Version 2.0 tells completed_at: of this day by now, and of what is to come no time at all."""
    path = v2_database(tmp_path / "d.db")
    tomorrow = NOW + timedelta(days=1)
    rows = {
        "a": times.to_text(tomorrow),
        "b": tomorrow.date().isoformat(),
        "c": NOW.date().isoformat(),
        "d": "2025-01-02",
        "e": "2999-01-01",
    }
    for title, text in rows.items():
        insert(path, "tasks", project_id=1, title=title, checked=1, completed_at=text)
    found = dict(lately(path))
    assert list(found) == ["c", "d", "a", "b", "e"]
    assert found["c"][:10] == NOW.date().isoformat()
    assert times.read(found["c"]).at <= times.utc_now()
    assert list(found.values())[1:] == ["2025-01-02T12:00:00.000Z", None, None, None]
    assert [title for title, _ in lately(path, 2)] == ["c", "d"]


def test_what_is_told_is_what_the_frame_tells(tmp_path):
    """An import of done tasks, a backdated completion and a reopened task stand where the frame `activity` has them."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": "late"}, {"title": "again", "checked": 1}])
    insert(path, "tasks", project_id=1, title="old", checked=1, created_at="2024-01-01", completed_at="2024-05-06")
    alter(
        path,
        "UPDATE tasks SET checked = 1, completed_at = '2024-07-08T09:00:00+0200' WHERE title = 'late'",
        "UPDATE tasks SET checked = 0 WHERE title = 'again'",
    )
    with dashkit.open(path) as d:
        frame = [(row.title, plain(row.occurred_at)) for row in d.activity().itertuples()]
    assert lately(path) == frame
    assert [title for title, _ in frame] == ["late", "old"]


def test_many_of_one_instant_come_by_their_titles(tmp_path):
    """A statement that checks all tasks does so in one instant; the limit cuts by title, in every kind."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": f"t{number % 50:02}"} for number in range(50)])
    alter(path, "UPDATE tasks SET checked = 1, status = 'review'")
    assert [title for title, _ in lately(path, 3)] == ["t00", "t01", "t02"]
    titles = [title for title, _ in lately(path, 100)]
    assert titles == [f"t{number:02}" for number in range(50)] * 2


def test_a_far_older_finish_is_found_behind_newer_events(tmp_path):
    """Tasks that were imported as done hide none that was done in between: the search ends where none can be newer."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": "mine", "checked": 1}])
    for number in range(60):
        row = {"created_at": "2024-01-01", "completed_at": f"2024-02-{number % 28 + 1:02}"}
        insert(path, "tasks", project_id=1, title=f"t{number:02}", checked=1, **row)
    found = lately(path, 3)
    assert [title for title, _ in found] == ["mine", "t27", "t55"]
    assert found[1][1] == "2024-02-28T12:00:00.000Z"


@pytest.mark.parametrize("limit", [1, 5])
def test_where_the_triggers_are_gone_rows_are_believed(tmp_path, limit):
    """A rebuilt table has no triggers: what is done in it without an event counts by its row, as in frames."""
    tasks = [{"title": "a", "created_at": "2024-01-01"}, {"title": "b", "checked": 1}]
    path = v2_1_database(tmp_path / "d.db", tasks=tasks)
    alter(path, "DROP TRIGGER dashkit_task_update", "DROP TRIGGER dashkit_task_insert")
    alter(path, "UPDATE tasks SET checked = 1, completed_at = '2024-05-06' WHERE title = 'a'")
    with dashkit.open(path) as d:
        frame = [(row.title, plain(row.occurred_at)) for row in d.activity(limit=limit).itertuples()]
    assert lately(path, limit) == frame
    assert len(frame) == min(limit, 2)


def test_odd_truth_is_truth(tmp_path):
    """A box that another hand set to 2 is checked, and one with a word in it is not."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": "two"}, {"title": "word"}])
    alter(path, "UPDATE tasks SET checked = 2 WHERE id = 1", "UPDATE tasks SET checked = 'true' WHERE id = 2")
    assert [title for title, _ in lately(path)] == ["two"]


def test_a_date_of_another_day_is_found(tmp_path):
    """A day that had not begun in UTC when it was recorded counts in it, also where a newer event is asked for."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": f"t{number}"} for number in range(12)])
    alter(path, "UPDATE event_context SET suspended = 1", "UPDATE tasks SET checked = 1", "DELETE FROM task_events")
    for task in range(1, 13):
        at = f"2025-11-03T{task + 8:02}:00:00.000Z"
        image = {"task_id": task, "occurred_at": at, "recorded_at": at, "op": "insert", "source": "git:1"}
        insert(
            path,
            "task_events",
            **image,
            project_id=1,
            title="t",
            status="",
            checked=1,
            on_day="2025-11-04" if task == 1 else None,
        )
    alter(path, "UPDATE event_context SET suspended = 0")
    with dashkit.open(path) as d:
        frame = [(row.title, plain(row.occurred_at)) for row in d.activity(limit=1).itertuples()]
    assert [when for _, when in lately(path, 1)] == [when for _, when in frame] == ["2025-11-04T00:00:00.000Z"]


def test_no_row_factory_and_no_function_is_left(tmp_path):
    """On the caller's connection nothing changes."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"checked": 1}])
    with closing(connection.connect_readonly(path)) as conn:
        before = conn.row_factory, conn.text_factory
        assert len(database.get_recent_activity(db=conn)) == 1
        assert (conn.row_factory, conn.text_factory) == before
        assert query(path, "SELECT count(*) FROM tasks") == [(1,)]
