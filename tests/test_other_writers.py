"""Databases of other programs: what they import, close, backdate and mend counts on the day that it says."""

import sqlite3
from contextlib import closing

import pytest
from builders import query
from loads import LOADS

import dashkit
from dashkit import database, doctor, migrations
from dashkit.errors import RefusedError
from dashkit.ingest.tasks import ingest_tasks

TABLES = """
CREATE TABLE projects(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tasks(id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER, title TEXT NOT NULL, status TEXT{});
INSERT INTO projects VALUES(1, 'Shop');
"""
DATES = ", created_at TEXT, completed_at TEXT"


@pytest.fixture
def server(tmp_path):
    """A server of version 1, which writes plain SQL: its database, migrated after its first rows."""
    path = tmp_path / "shop.db"

    def write(*statements, columns=DATES, migrate=False):
        with closing(sqlite3.connect(path)) as conn, conn:
            if not conn.execute("SELECT 1 FROM sqlite_master").fetchone():
                conn.executescript(TABLES.format(columns))
            for statement in statements:
                conn.execute(statement)
        if migrate:
            migrations.execute(path)
        return path

    return write


def finished(path, by="day", **options):
    """How many tasks were finished in each period in which one was."""
    with dashkit.open(path, **options) as d:
        frame = d.throughput(by)
    return {str(day)[:10]: int(n) for day, n in zip(frame["period_on"], frame["finished"], strict=True) if n}


def add_up(path, **options):
    """Day by day the frames over time say the same of what is open, in work and done."""
    with dashkit.open(path, **options) as d:
        flow, wip, states = d.cumulative_flow("day"), d.wip("day"), d.progress_over_time("day")
        done = d.throughput("day")["finished"].cumsum()
        unknown = len(d.sql("SELECT 1 FROM flow WHERE is_done AND finished_at IS NULL"))
    open_ones = flow["arrived"] - flow["finished"] - flow["left"]
    assert open_ones.tolist() == wip["open"].tolist() == (states["tasks"] - states["checked"]).tolist()
    assert (flow["started"] - flow["finished"] - flow["left"]).tolist() == wip["wip"].tolist()
    assert unknown or done.tolist() == flow["finished"].tolist()


def done(title, created, completed):
    """A task that a server writes as done, with the times that it knows."""
    return (
        "INSERT INTO tasks (project_id, title, status, created_at, completed_at, checked) "
        f"VALUES (1, '{title}', 'completed', '{created}', '{completed}', 1)"
    )


@pytest.mark.parametrize("load", LOADS)
def test_what_is_imported_as_done_counts_on_its_own_day(server, load):
    """A finished task that comes after the migration counts when its row says, and every frame says that day."""
    server("INSERT INTO tasks (project_id, title, status) VALUES (1, 'open', 'pending')", migrate=True)
    path = server(
        done("a", "2024-02-01 09:00:00", "2024-02-14T09:00:00.000+0100"), done("b", "2024-02-01", "2024-02-16")
    )
    assert finished(path, load=load) == {"2024-02-14": 1, "2024-02-16": 1}
    add_up(path, load=load)
    with dashkit.open(path, load=load) as d:
        flow = d.sql(
            "SELECT CAST(finished_at AS DATE) AS day, finished_is_estimated FROM flow WHERE is_done ORDER BY 1"
        )
        assert flow["finished_is_estimated"].all()
        told = d.activity().query("type == 'task_completed'")["occurred_at"].dt.date.tolist()
        leads = d.lead_times()
    assert sorted(told) == flow["day"].dt.date.tolist()
    assert leads["lead_time_days"].round(3).tolist() == [12.958, 15.0]
    recent = [row["timestamp"][:10] for row in database.get_recent_activity(5, db=path)]
    assert recent == ["2024-02-16", "2024-02-14"]


def test_a_date_that_comes_in_a_second_statement_is_taken_over(server, tmp_path):
    """An import that first inserts, then checks, then dates, is right after the next reading of anything."""
    server(migrate=True)
    path = server(
        "INSERT INTO tasks (project_id, title, status, created_at) VALUES (1, 'a', 'pending', '2024-01-02 08:00:00')",
        "UPDATE tasks SET checked = 1, status = 'completed'",
        "UPDATE tasks SET completed_at = '2024-01-05 08:00:00'",
    )
    list_of_another = tmp_path / "TODO.md"
    list_of_another.write_text("- [ ] Something else\n")
    ingest_tasks([list_of_another], "Other", path)
    assert finished(path) == {"2024-01-05": 1}
    add_up(path)


def test_without_a_created_at_the_completions_are_known(server):
    """A table without created_at has its completions on their days."""
    path = server(
        "INSERT INTO tasks (project_id, title, status, completed_at) VALUES (1, 'a', 'completed', '2024-11-04 09:00')",
        "INSERT INTO tasks (project_id, title, status) VALUES (1, 'b', 'pending')",
        columns=", completed_at TEXT",
        migrate=True,
    )
    assert finished(path) == {"2024-11-04": 1}
    add_up(path)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Asia/Kolkata"])
def test_a_date_is_that_day_in_every_zone(server, zone):
    """A task of two dates is created, open and finished on these days, wherever the reader is."""
    path = server(
        "INSERT INTO tasks (project_id, title, status, created_at, completed_at) "
        "VALUES (1, 'x', 'completed', '2024-10-21', '2024-11-04')",
        migrate=True,
    )
    assert finished(path, timezone=zone) == {"2024-11-04": 1}
    assert finished(path, "week", timezone=zone) == {"2024-11-04": 1}
    assert finished(path, "month", timezone=zone) == {"2024-11-01": 1}
    add_up(path, timezone=zone)
    with dashkit.open(path, timezone=zone) as d:
        assert d.lead_times()["lead_time_days"].tolist() == [14.0]
        arrived = d.arrivals("day").query("arrived > 0")["period_on"].dt.date.astype(str).tolist()
    assert arrived == ["2024-10-21"]


@pytest.mark.parametrize("is_same_id", [True, False])
def test_an_import_every_night_is_no_work(server, is_same_id):
    """What is deleted and inserted again, under the same or a new id, was finished once, and is there once."""
    server(migrate=True)
    dated = ("a", "2024-02-01 09:00:00", "2024-02-14 09:00:00")
    path = server(done(*dated), "INSERT INTO tasks (project_id, title, status, created_at) VALUES (1, 'b', '', '2024')")
    for _ in range(4):
        again = done(*dated)
        if is_same_id:
            again = again.replace("(project_id", "(id, project_id").replace("(1,", "(1, 1,")
        server("DELETE FROM tasks WHERE title = 'a'", again)
    assert finished(path) == {"2024-02-14": 1}
    add_up(path)
    with dashkit.open(path) as d:
        assert len(d.sql("SELECT * FROM flow")) == 2
        quality = d.data_quality().set_index("check")["count"]
    assert quality["imported again"] == 4, "under whichever id"


def test_imports_that_hand_out_the_ids_anew_mix_no_tasks(server):
    """Several imports within an hour, each in another order: every title stays the task that it was."""
    plain = DATES + ", checked BOOLEAN DEFAULT FALSE"
    path = server("DROP TABLE tasks", f"CREATE TABLE tasks(id INTEGER PRIMARY KEY, project_id, title, status{plain})")
    migrations.execute(path)
    a, b = done("a", "2024-02-01 09:00:00", "2024-02-14 09:00:00"), done("b", "2024-02-01 09:00:00", "2024-02-16 09:00")
    for pair in ([a, b], [b, a], [a, b], [b, a]):
        server("DELETE FROM tasks", *pair)
    assert finished(path) == {"2024-02-14": 1, "2024-02-16": 1}
    add_up(path)
    with dashkit.open(path) as d:
        assert d.sql("SELECT DISTINCT title FROM events WHERE task_id = 1")["title"].tolist() == ["b"]
        quality = d.data_quality().set_index("check").loc["imported again"]
    assert (quality["count"], quality["ids"]) == (6, "1, 2"), "each import counts, and each task is named once"


def test_a_living_task_that_is_replaced_is_no_new_one(server):
    """INSERT OR REPLACE of a program that has recursive triggers is a deletion and an insertion, and no new task."""
    path = server(
        "INSERT INTO tasks (project_id, title, status, created_at) VALUES (1, 'a', 'pending', '2024-01-02')",
        migrate=True,
    )
    saved = "INSERT OR REPLACE INTO tasks (id, project_id, title, status, created_at, completed_at, checked) VALUES "
    server(
        "PRAGMA recursive_triggers = 1",
        saved + "(1, 1, 'a, in other words', 'in_progress', '2024-01-02', NULL, 0)",
        saved + "(1, 1, 'a, in other words', 'completed', '2024-01-02', '2024-01-09', 1)",
        saved + "(1, 1, 'a, in other words', 'completed', NULL, '2024-01-09', 1)",
    )
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT count(*) FROM task_events WHERE op = 'delete'").fetchone() == (3,)
    assert finished(path) == {"2024-01-09": 1}
    assert [row["timestamp"][:10] for row in database.get_recent_activity(5, db=path)] == ["2024-01-09"]
    add_up(path)
    with dashkit.open(path) as d:
        assert len(d.sql("SELECT * FROM flow")) == 1


def test_the_default_of_a_column_is_no_creation(server):
    """A done task that is imported without its created_at, which is then the time of the import, counts on its day."""
    server(migrate=True, columns=", created_at TEXT DEFAULT CURRENT_TIMESTAMP, completed_at TEXT")
    path = server(
        "INSERT INTO tasks (project_id, title, status, checked, completed_at) "
        "VALUES (1, 'x', 'completed', 1, '2025-05-20 09:00:00')"
    )
    assert finished(path) == {"2025-05-20": 1}
    assert [row["timestamp"][:10] for row in database.get_recent_activity(5, db=path)] == ["2025-05-20"]
    add_up(path)


def test_an_imported_date_that_cannot_be_read_is_told(server):
    """A done task whose completed_at nobody can read counts when it came, and is named."""
    server(migrate=True)
    path = server(done("x", "2025-05-01", "20.05.2025"))
    with dashkit.open(path) as d:
        quality = d.data_quality().set_index("check").loc["completed_at that cannot be read"]
    assert (quality["count"], quality["ids"]) == (1, "1")


def test_a_completion_of_the_future_is_told(server):
    """A done task whose completed_at has not come counts when it was seen done, and both checks name it."""
    path = server(migrate=True)
    server(done("x", "2025-05-01", "2099-05-20"), done("y", "2025-05-01", "2025-05-02"))
    with dashkit.open(path) as d:
        quality = d.data_quality().set_index("check").loc["completed_at in the future"]
    assert (quality["count"], quality["ids"]) == (1, "1")
    told = [one.found for one in doctor.examine(path).findings if one.check == "values"]
    assert told == ["1 in tasks.completed_at: in the future, such as '2099-05-20' of task 1"]


def test_a_status_that_knows_no_case_is_read_to_the_letter(server):
    """Where a column takes Blocked for blocked, functions, frames and doctor go by the word that is there."""
    statuses = ("Blocked", "blocked", "CANCELLED", "cancelled")
    rows = ", ".join(f"(1, '{status}', '{status}')" for status in statuses)
    path = server(f"INSERT INTO tasks (project_id, title, status) VALUES {rows}", columns=f" COLLATE NOCASE{DATES}")
    migrations.execute(path)
    assert [task["id"] for task in database.get_blocked_tasks(db=path)] == [2]
    told = database.get_project_progress(1, db=path)
    with dashkit.open(path) as d:
        assert d.blocked_tasks()["task_id"].tolist() == [2]
        assert d.progress()[["tasks", "cancelled"]].to_numpy().tolist() == [[told["total_tasks"], 1]] == [[3, 1]]
    assert "'Blocked' (1), 'CANCELLED' (1)" in str(doctor.examine(path))
    assert database.set_task_blocked(1, None, db=path)
    assert query(path, "SELECT CAST(status AS BLOB) FROM tasks WHERE id = 1") == [(b"Blocked",)]


def test_a_write_that_a_condition_of_theirs_refuses(server):
    """The message names the condition and the way on, and sends nobody to look for rows that are sound."""
    condition = ", CONSTRAINT frozen CHECK (completed_at IS NULL OR completed_at < '2020')"
    path = server("INSERT INTO tasks (project_id, title, status) VALUES (1, 'a', 'pending')", columns=DATES + condition)
    migrations.execute(path)
    told = r"a condition of a table forbids it \(CHECK constraint failed: frozen\)\. Nothing was changed\. Give a value"
    with pytest.raises(RefusedError, match=told):
        database.update_task_checked(1, True, db=path)
    assert query(path, "SELECT checked, completed_at FROM tasks") == [(0, None)]


def test_local_time_is_told(server):
    """A server that writes local time is told by finishes that lie whole hours off their events."""
    server(
        "INSERT INTO tasks (project_id, title, status, created_at) VALUES (1, 'a', 'pending', '2024-01-01')",
        migrate=True,
    )
    path = server("UPDATE tasks SET checked = 1, completed_at = strftime('%Y-%m-%d %H:%M:%S', 'now', '+2 hours')")
    with dashkit.open(path) as d:
        quality = d.data_quality().set_index("check")["count"]
    assert quality["finished whole quarters of an hour off its event"] == 1
    add_up(path)


def test_what_was_gone_and_came_back_adds_up(tmp_path):
    """Tasks that vanish from their file and return have left and arrive again, so that the sums hold on every day."""
    path, tasks = tmp_path / "d.db", tmp_path / "TODO.md"
    migrations.create(path)
    for text in ("- [ ] One\n- [ ] Two\n- [ ] Three\n", "- [ ] One\n", "- [x] One\n- [x] Two\n- [ ] Three\n"):
        tasks.write_text(text)
        ingest_tasks([tasks], "List", path)
    with dashkit.open(path) as d:
        last = d.cumulative_flow("day").iloc[-1]
    assert (last["arrived"], last["finished"], last["left"]) == (5, 2, 2)
    add_up(path)
