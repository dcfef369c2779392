"""The history that version 2.1 keeps: what the triggers write, what the migration begins it with, and known traps."""

import re
import sqlite3
from contextlib import closing

import pytest
from builders import NEWEST, insert, query, v1_database, v2_1_database
from content import alter, content, crash

from dashkit import connection, migrations, times
from dashkit.errors import RefusedError
from dashkit.migrations import shape
from dashkit.store import events

COLUMNS = ("project_id", "status", "checked", "blocked_reason", "complexity", "title")
EVENTS = f"SELECT op, {', '.join(COLUMNS)} FROM task_events ORDER BY event_id"
FUTURE = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def path(tmp_path):
    """A database of version 2.1 with two projects and no task."""
    return v2_1_database(tmp_path / "dash.db", projects=("Alpha", "Beta"))


@pytest.fixture
def conn(path):
    """A connection as a server has it: autocommit, foreign keys on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("PRAGMA foreign_keys = ON")
        yield opened


def add(conn, **values):
    """Insert a task; its id."""
    row = {"project_id": 1, "title": "A task", **values}
    marks = ", ".join("?" * len(row))
    return conn.execute(f"INSERT INTO tasks ({', '.join(row)}) VALUES ({marks})", list(row.values())).lastrowid


def told(conn, task_id=1):
    """The operations that the history has of a task."""
    return [op for (op,) in conn.execute("SELECT op FROM task_events WHERE task_id = ? ORDER BY event_id", (task_id,))]


class TestLiveWriters:
    """Whoever writes to tasks, the history has it."""

    def test_a_new_task_has_one_event_with_all_its_values(self, conn):
        """An insert is one event with every value, '' where there is none, seen exactly, at the time of the clock."""
        before = times.to_text(times.utc_now())
        add(conn, status=None)
        assert conn.execute(EVENTS).fetchall() == [("insert", 1, "", 0, "", "", "A task")]
        row = conn.execute("SELECT occurred_at, recorded_at, not_before, source FROM task_events").fetchone()
        assert row[0] == row[1]
        assert before <= row[0] <= times.to_text(times.utc_now())
        assert row[2:] == (None, "trigger")

    @pytest.mark.parametrize(
        ("column", "value", "event"),
        [
            ("project_id", 2, 2),
            ("status", "blocked", "blocked"),
            ("status", None, ""),
            ("checked", 1, 1),
            ("checked", None, 0),
            ("blocked_reason", "no keys", "no keys"),
            ("blocked_reason", None, ""),
            ("complexity", "XL", "XL"),
            ("complexity", None, ""),
            ("title", "a task", "a task"),
            ("title", "A\0task\u202e<b>", "A\0task\u202e<b>"),
        ],
    )
    def test_an_update_has_only_what_changed(self, conn, column, value, event):
        """The event of an update has the new value of the column that changed, '' for none, and NULL elsewhere."""
        add(conn, blocked_reason="why", complexity="S")
        conn.execute(f"UPDATE tasks SET {column} = ? WHERE id = 1", (value,))
        expected = [event if one == column else None for one in COLUMNS]
        assert conn.execute(EVENTS).fetchall()[1:] == [("update", *expected)]

    def test_an_update_of_several_columns_is_one_event(self, conn):
        """What one statement changes in one task is one event."""
        add(conn)
        conn.execute("UPDATE tasks SET status = 'blocked', blocked_reason = 'keys', description = 'x'")
        assert conn.execute(EVENTS).fetchall()[1:] == [("update", None, "blocked", None, "keys", None, None)]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE tasks SET status = status, title = title, checked = checked, complexity = complexity",
            "UPDATE tasks SET description = 'x', priority = 'low', updated_at = '2025-01-01', completed_at = 'x'",
            "UPDATE tasks SET checked = 0.0",
            "UPDATE tasks SET status = 'review' WHERE id = 77",
            "UPDATE tasks SET id = 9",
        ],
    )
    def test_what_changes_nothing_writes_nothing(self, conn, statement):
        """A no-op update, another column, no row, and an id write no event."""
        add(conn)
        conn.execute(statement)
        assert conn.execute(EVENTS).fetchall() == [("insert", 1, "pending", 0, "", "", "A task")]

    def test_a_change_of_case_alone_is_a_change(self, tmp_path):
        """Values are compared by their bytes, whatever the collation of a column found in the world."""
        path = v1_database(tmp_path / "found.db")
        alter(
            path,
            "DROP TABLE tasks",
            "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT COLLATE NOCASE, status TEXT)",
            "INSERT INTO tasks VALUES (1, 1, 'door', 'pending')",
        )
        migrations.execute(path)
        alter(path, "UPDATE tasks SET title = 'Door'")
        assert query(path, "SELECT title FROM task_events WHERE op = 'update'") == [("Door",)]

    def test_an_upsert_is_an_update(self, conn):
        """ON CONFLICT DO UPDATE writes the event of an update."""
        add(conn)
        conn.execute(
            "INSERT INTO tasks (id, project_id, title) VALUES (1, 1, 'x') ON CONFLICT (id) DO UPDATE SET title = 'new'"
        )
        assert conn.execute(EVENTS).fetchall()[1:] == [("update", None, None, None, None, None, "new")]

    def test_a_deleted_task_leaves_its_history(self, conn):
        """A delete is one event with the values it had, and no event goes with the task."""
        add(conn, status="review", checked=1)
        conn.execute("DELETE FROM tasks")
        assert conn.execute(EVENTS).fetchall()[1:] == [("delete", 1, "review", 1, "", "", "A task")]
        assert told(conn) == ["insert", "delete"]

    def test_what_a_server_sees_of_its_insert_is_its_own(self, conn):
        """The row id and the count that a program is told are those of its own statement."""
        for _ in range(3):
            add(conn)
        conn.execute("UPDATE tasks SET status = 'review' WHERE id = 1")
        assert (add(conn), conn.execute("SELECT last_insert_rowid()").fetchone()[0]) == (4, 4)
        assert conn.execute("UPDATE tasks SET status = 'blocked'").rowcount == 4
        assert conn.execute("SELECT changes()").fetchone()[0] == 4

    def test_what_is_rolled_back_did_not_happen(self, conn):
        """The event is in the transaction of the change."""
        conn.execute("BEGIN")
        add(conn)
        conn.execute("ROLLBACK")
        assert told(conn) == []

    def test_a_program_without_foreign_keys_is_caught_too(self, path):
        """A plain connection that knows nothing of dashkit leaves events."""
        insert(path, "tasks", project_id=1, title="A task")
        alter(path, "UPDATE tasks SET status = 'completed'", "DELETE FROM tasks")
        assert [row[0] for row in query(path, EVENTS)] == ["insert", "update", "delete"]


class TestLives:
    """SQLite gives the highest id again."""

    def test_an_id_that_comes_again_is_another_life(self, conn):
        """The events of a new task of an old id stand after the delete event, and the old life is not its state."""
        add(conn, status="completed", complexity="S")
        conn.execute("DELETE FROM tasks")
        assert add(conn, title="Another") == 1
        assert told(conn) == ["insert", "delete", "insert"]
        assert events.state_at(conn, 1) == dict(zip(COLUMNS, (1, "pending", 0, "", "", "Another"), strict=True))

    def test_insert_or_replace_continues_the_life(self, conn):
        """INSERT OR REPLACE writes an insert without a delete."""
        add(conn)
        conn.execute("INSERT OR REPLACE INTO tasks (id, project_id, title, status) VALUES (1, 1, 'new', 'review')")
        assert told(conn) == ["insert", "insert"]
        assert events.state_at(conn, 1)["title"] == "new"

    def test_a_project_takes_its_tasks_with_it(self, conn):
        """ON DELETE CASCADE from projects writes the delete events of its tasks and of their dependencies."""
        for _ in range(3):
            add(conn)
        add(conn, project_id=2)
        conn.execute("INSERT INTO task_dependencies VALUES (2, 1), (4, 3)")
        conn.execute("DELETE FROM projects WHERE id = 1")
        deleted = conn.execute("SELECT task_id FROM task_events WHERE op = 'delete' ORDER BY task_id").fetchall()
        assert deleted == [(1,), (2,), (3,)]
        removed = conn.execute("SELECT task_id, depends_on_id FROM dependency_events WHERE op = 'remove'").fetchall()
        assert sorted(removed) == [(2, 1), (4, 3)]

    def test_a_parent_that_goes_leaves_its_children(self, conn):
        """A child of a deleted task stays, without a parent, and without an event."""
        add(conn)
        add(conn, parent_id=1)
        conn.execute("DELETE FROM tasks WHERE id = 1")
        assert conn.execute("SELECT id, parent_id FROM tasks").fetchall() == [(2, None)]
        assert told(conn, 2) == ["insert"]


class TestClock:
    """A clock that steps back."""

    @pytest.mark.parametrize("statement", ["UPDATE tasks SET status = 'review'", "DELETE FROM tasks"])
    def test_an_event_never_occurs_before_the_last_of_its_task(self, conn, statement):
        """Where the task's last event is later than the clock, the next occurs with it; recorded is by the clock."""
        add(conn)
        add(conn)
        conn.execute("UPDATE task_events SET occurred_at = ? WHERE task_id = 1", (FUTURE,))
        conn.execute(statement)
        found = conn.execute(
            "SELECT task_id, occurred_at = ?, recorded_at < ? FROM task_events WHERE op <> 'insert' ORDER BY task_id",
            (FUTURE, FUTURE),
        ).fetchall()
        assert found == [(1, 1, 1), (2, 0, 1)]

    def test_order_holds_into_the_next_life(self, conn):
        """A task of an old id does not begin before the old one ended."""
        add(conn)
        conn.execute("UPDATE task_events SET occurred_at = ?", (FUTURE,))
        conn.execute("DELETE FROM tasks")
        add(conn)
        assert conn.execute("SELECT DISTINCT occurred_at FROM task_events").fetchall() == [(FUTURE,)]


class TestDependencies:
    """What a task waits for."""

    def test_dependencies_have_events(self, conn):
        """A dependency that is added or lifted is an event each; replacing one by itself adds it again."""
        for _ in range(2):
            add(conn)
        conn.execute("INSERT INTO task_dependencies VALUES (2, 1)")
        conn.execute("INSERT OR IGNORE INTO task_dependencies VALUES (2, 1)")
        conn.execute("DELETE FROM task_dependencies")
        found = conn.execute("SELECT task_id, depends_on_id, op, not_before, source FROM dependency_events").fetchall()
        assert found == [(2, 1, "add", None, "trigger"), (2, 1, "remove", None, "trigger")]


class TestRepositories:
    """Deleting a repository, by whichever program."""

    @pytest.fixture
    def shared(self, conn):
        """Two repositories of two projects: commit `both` is in each, stored with the first; `one` in the first."""
        add(conn)
        conn.execute("INSERT INTO git_repos (id, project_id, path) VALUES ('r1', 1, '/a'), ('r2', 2, '/b')")
        conn.execute("INSERT INTO git_commits (sha, repo_id) VALUES ('both', 'r1'), ('one', 'r1')")
        conn.execute("INSERT INTO git_repo_commits (repo_id, sha) VALUES ('r1', 'both'), ('r2', 'both'), ('r1', 'one')")
        conn.execute(
            "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type) "
            "VALUES ('l1', 1, 'both', 1, 'manual'), ('l2', 1, 'one', 1, 'manual')"
        )
        return conn

    def test_a_shared_commit_goes_to_the_other_repository(self, shared):
        """What another repository holds stays, with its links; the rest goes with the repository."""
        shared.execute("DELETE FROM git_repos WHERE id = 'r1'")
        assert shared.execute("SELECT sha, repo_id FROM git_commits").fetchall() == [("both", "r2")]
        assert shared.execute("SELECT id FROM task_commit_links").fetchall() == [("l1",)]
        assert shared.execute("SELECT repo_id, sha FROM git_repo_commits").fetchall() == [("r2", "both")]

    def test_the_other_one_changes_nothing(self, shared):
        """Deleting the repository that a commit is not stored with leaves the commit where it is."""
        shared.execute("DELETE FROM git_repos WHERE id = 'r2'")
        assert shared.execute("SELECT sha, repo_id FROM git_commits").fetchall() == [("both", "r1"), ("one", "r1")]

    def test_a_project_that_goes_hands_its_commits_over_too(self, shared):
        """The cascade from a project fires the trigger like any other delete."""
        shared.execute("DELETE FROM projects WHERE id = 1")
        assert shared.execute("SELECT sha, repo_id FROM git_commits").fetchall() == [("both", "r2")]

    def test_with_the_last_repository_the_commit_goes(self, shared):
        """Where all that hold a commit go at once, it goes as well."""
        shared.execute("UPDATE git_repos SET project_id = 1")
        shared.execute("DELETE FROM projects WHERE id = 1")
        for table in ("git_repos", "git_commits", "git_repo_commits", "task_commit_links"):
            assert shared.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


class TestContext:
    """Late history is recorded with the triggers asleep."""

    def test_at_rest_it_is_one_row_of_zero(self, path, tmp_path):
        """Fresh or migrated, the context is one row and not suspended."""
        migrations.create(tmp_path / "fresh.db")
        old = v1_database(tmp_path / "old.db", tasks=[{}])
        migrations.execute(old)
        for made in (tmp_path / "fresh.db", old):
            assert query(made, "SELECT * FROM event_context") == [(1, 0, None)]

    def test_while_suspended_nothing_is_written(self, tmp_path):
        """Inside the block no trigger writes an event; after it they do again."""
        migrations.create(tmp_path / "fresh.db")
        with closing(sqlite3.connect(tmp_path / "fresh.db", isolation_level=None)) as conn:
            conn.execute("INSERT INTO projects (name) VALUES ('Alpha')")
            with connection.transaction(conn), events.suspended(conn):
                add(conn)
                conn.execute("UPDATE tasks SET status = 'review'")
                conn.execute("INSERT INTO task_dependencies VALUES (1, 1)")
                conn.execute("DELETE FROM task_dependencies")
                conn.execute("DELETE FROM tasks")
            assert conn.execute("SELECT count(*) FROM task_events").fetchone() == (0,)
            assert conn.execute("SELECT count(*) FROM dependency_events").fetchone() == (0,)
            add(conn)
            assert told(conn) == ["insert"]

    def test_a_crash_leaves_it_at_rest(self, tmp_path):
        """A program that dies in the middle of late history leaves the triggers awake."""
        path = tmp_path / "fresh.db"
        migrations.create(path)
        work = ("UPDATE event_context SET suspended = 1", "INSERT INTO projects (name) VALUES ('half')")
        crash(path, "BEGIN IMMEDIATE", *work)
        assert query(path, "SELECT suspended FROM event_context") == [(0,)]
        assert query(path, "SELECT count(*) FROM projects") == [(0,)]

    def test_an_error_leaves_it_at_rest(self, tmp_path):
        """Late history that fails takes the suspension back with everything else."""
        path = tmp_path / "fresh.db"
        migrations.create(path)
        with (
            closing(connection.connect(path)) as conn,
            pytest.raises(sqlite3.IntegrityError, match="NOT NULL"),
            connection.transaction(conn),
            events.suspended(conn),
        ):
            conn.execute("INSERT INTO tasks (title) VALUES ('no project')")
        assert query(path, "SELECT suspended FROM event_context") == [(0,)]

    def test_without_its_row_the_triggers_are_awake(self, tmp_path):
        """A context that somebody emptied stops no history."""
        migrations.create(tmp_path / "fresh.db")
        alter(
            tmp_path / "fresh.db", "DELETE FROM event_context", "INSERT INTO tasks (project_id, title) VALUES (1, 'x')"
        )
        assert query(tmp_path / "fresh.db", "SELECT op FROM task_events") == [("insert",)]


FORMS = {
    "as version 1 wrote it": ("2025-01-02 03:04:05", "2025-01-02T03:04:05.000Z"),
    "as it is stored now": ("2025-01-02T03:04:05.678Z", "2025-01-02T03:04:05.678Z"),
    "an offset": ("2025-01-02T03:04:05+02:00", "2025-01-02T01:04:05.000Z"),
    "an offset over midnight": ("2025-01-01 22:00:00-05:30", "2025-01-02T03:30:00.000Z"),
    "as Jira writes it": ("2025-01-02T03:04:05.000+0100", "2025-01-02T02:04:05.000Z"),
    "as git writes it": (" 2025-01-02 03:04:05 +0100 ", "2025-01-02T02:04:05.000Z"),
    "minutes alone": ("2025-01-02t03:04z", "2025-01-02T03:04:00.000Z"),
    "the end of a day": ("2025-01-02T24:00:00", "2025-01-03T00:00:00.000Z"),
    "microseconds": ("2025-01-02T03:04:05.678912", "2025-01-02T03:04:05.678Z"),
    "a bare date": ("2025-01-02", "2025-01-02T12:00:00.000Z", "2025-01-02"),
    "a compact date": ("20250102", "2025-01-02T12:00:00.000Z", "2025-01-02"),
    "a date as a number": (20250102.0, "2025-01-02T12:00:00.000Z", "2025-01-02"),
    "the future": ("2999-01-02 03:04:05", "now"),
    "a date in the future": ("2999-01-02", "now"),
    "none": (None, None),
    "blank": ("", None),
    "words": ("yesterday", None),
    "a word that SQLite knows": ("now", None),
    "a day that is not": ("2025-02-30 00:00:00", None),
    "an hour that is not": ("2025-01-02T25:00:00Z", None),
    "words behind it": ("2025-01-02 or so", None),
    "a week": ("2025-W01-4", None),
    "seconds since 1970": (1764259797, "2025-11-27T16:09:57.000Z"),
    "milliseconds since 1970": ("1764259797123", "2025-11-27T16:09:57.123Z"),
    "a Julian day": (2460000.5, None),
    "bytes": (b"2025-01-02 03:04:05", "2025-01-02T03:04:05.000Z"),
    "text that is no UTF-8": (b"\xff2025-01-02", None),
}
# created_at, completed_at; when and on which day it arrived, and was completed.
ORDERS = {
    "two instants": (("2025-01-02 09:00", "2025-01-03 09:00"), ("02T09:00", None), ("03T09:00", None)),
    "two dates": (("2025-01-02", "2025-01-03"), ("02T12:00", "02"), ("03T12:00", "03")),
    "both on one day": (("2025-01-02", "2025-01-02"), ("02T12:00", "02"), ("02T12:00:00.001", "02")),
    "completed on the day of an instant": (
        ("2025-01-02 15:00", "2025-01-02"),
        ("02T15:00", None),
        ("02T15:00:00.001", "02"),
    ),
    "completed on the day of an instant before noon": (
        ("2025-01-02 09:00", "2025-01-02"),
        ("02T09:00", None),
        ("02T12:00", "02"),
    ),
    "completed at an instant of the day of creation": (
        ("2025-01-02", "2025-01-02 09:00"),
        ("02T08:59:59.999", "02"),
        ("02T09:00", None),
    ),
    "completed at its first instant": (("2025-01-02", "2025-01-02T00:00Z"), ("02T00:00", "02"), ("02T00:00", None)),
    "created in its last instant": (
        ("2025-01-02T23:59:59.999Z", "2025-01-02"),
        ("02T23:59:59.999", None),
        ("02T23:59:59.999", "02"),
    ),
    "completed on a day before": (("2025-01-02", "2025-01-01"), ("02T12:00", "02"), ("02T12:00", "02")),
    "completed an instant before": (("2025-01-02 09:00", "2025-01-02 08:00"), ("02T09:00", None), ("02T09:00", None)),
    "nobody knows when it was created": (("soon", "20250102"), None, ("02T12:00", "02")),
    "nobody knows when it was completed": (("2025-01-02", "?"), ("02T12:00", "02"), None),
}


class TestBeginning:
    """What the migration begins the history with."""

    @pytest.mark.parametrize("form", FORMS)
    def test_the_arrival_is_read_from_created_at(self, tmp_path, form):
        """In whatever form: an instant is backfilled in the stored form, one in the future as now, nothing else."""
        stored, expected, *day = FORMS[form]
        path = v1_database(tmp_path / "dash.db", tasks=[{"created_at": stored, "status": "blocked"}])
        migrations.execute(path)
        found = query(
            path,
            "SELECT CASE WHEN julianday(recorded_at) - julianday(occurred_at) < 1e-7 THEN 'now' ELSE occurred_at END, "
            "on_day, status, checked, blocked_reason "
            "FROM task_events WHERE source = 'column:created_at'",
        )
        assert found == ([] if expected is None else [(expected, *(day or [None]), "pending", 0, "")])
        assert query(path, "SELECT op, status FROM task_events WHERE op = 'baseline'") == [("baseline", "blocked")]

    @pytest.mark.parametrize(
        ("task", "expected"),
        [
            ({"status": "completed", "completed_at": "2025-02-02 03:04:05"}, "2025-02-02T03:04:05.000Z"),
            ({"status": "completed", "completed_at": "2024-02-02"}, "2025-01-02T12:00:00.000Z"),
            ({"status": "completed", "completed_at": "2024-02-02", "created_at": "?"}, "2024-02-02T12:00:00.000Z"),
            ({"status": "completed", "completed_at": "soon"}, None),
            ({"status": "completed", "completed_at": None}, None),
            ({"status": "review", "completed_at": "2025-02-02"}, None),
        ],
    )
    def test_the_completion_is_read_from_completed_at(self, tmp_path, task, expected):
        """Of a checked task with a completion date; never before its arrival."""
        path = v1_database(tmp_path / "dash.db", tasks=[{"created_at": "2025-01-02", **task}])
        migrations.execute(path)
        found = query(
            path, "SELECT occurred_at, status, checked, title FROM task_events WHERE source = 'column:completed_at'"
        )
        assert found == ([] if expected is None else [(expected, "completed", 1, None)])

    @pytest.mark.parametrize("order", ORDERS)
    def test_a_date_is_compared_as_its_whole_day(self, tmp_path, order):
        """An event of a date stands within its day, behind the creation and before what follows; a date is kept."""
        (created, completed), *expected = ORDERS[order]
        task = {"status": "completed", "created_at": created, "completed_at": completed}
        path = v1_database(tmp_path / "dash.db", tasks=[task])
        migrations.execute(path)
        sql = "SELECT source, occurred_at, on_day FROM task_events WHERE op = 'backfill' ORDER BY event_id"
        sources = ("column:created_at", "column:completed_at")
        assert query(path, sql) == [
            (source, times.to_text(times.read(f"2025-01-{one[0]}").at), one[1] and f"2025-01-{one[1]}")
            for source, one in zip(sources, expected, strict=True)
            if one
        ]

    @pytest.mark.parametrize(
        "now", ["2025-01-02T00:00:00.000Z", "2025-01-02T08:00:00.000Z", "2025-01-02T18:00:00.000Z"]
    )
    def test_a_date_of_today_is_never_after_the_migration(self, tmp_path, monkeypatch, now):
        """Created and completed today, at whatever hour that is: in order, of this day, and not in the future."""
        task = {"status": "completed", "created_at": "2025-01-02", "completed_at": "2025-01-02"}
        path = v1_database(tmp_path / "dash.db", tasks=[task])
        monkeypatch.setattr(times, "utc_now", lambda: times.read(now).at)
        migrations.execute(path)
        found = query(path, "SELECT occurred_at, on_day FROM task_events ORDER BY event_id")
        assert [day for _, day in found] == ["2025-01-02", "2025-01-02", None]
        assert "2025-01-02" <= found[0][0] <= found[1][0] <= found[2][0] == now
        assert found[0][0] < found[1][0] or now == "2025-01-02T00:00:00.000Z"

    @pytest.mark.parametrize("missing", [["created_at"], ["completed_at"], ["created_at", "completed_at"]])
    def test_a_missing_date_does_not_cost_the_other(self, tmp_path, missing):
        """Without created_at the completions are backfilled all the same, and without completed_at the arrivals."""
        task = {"status": "completed", "created_at": "2025-01-02", "completed_at": "2025-01-03"}
        path = v1_database(tmp_path / "dash.db", tasks=[task])
        for column in missing:
            alter(path, f"ALTER TABLE tasks DROP COLUMN {column}")
        done = migrations.execute(path)
        sources = [source for (source,) in query(path, "SELECT source FROM task_events WHERE op = 'backfill'")]
        assert sources == [f"column:{one}" for one in ("created_at", "completed_at") if one not in missing]
        assert "already there" not in str(done)

    def test_the_baseline_is_the_present(self, tmp_path):
        """One baseline row per task and dependency, with every value, at the time of the migration."""
        path = v1_database(tmp_path / "dash.db", tasks=[{}, {"status": None}])
        alter(path, "INSERT INTO task_dependencies VALUES (2, 1)")
        migrations.execute(path, to="2.0")
        alter(path, "UPDATE tasks SET status = 'blocked', blocked_reason = 'keys', complexity = 'L' WHERE id = 1")
        done = migrations.execute(path)
        assert query(path, EVENTS + " LIMIT -1 OFFSET 2") == [
            ("baseline", 1, "blocked", 0, "keys", "L", "A task"),
            ("baseline", 1, "", 0, "", "", "A task"),
        ]
        found = query(
            path, "SELECT task_id, depends_on_id, op, source, occurred_at = recorded_at FROM dependency_events"
        )
        assert found == [(2, 1, "baseline", "baseline", 1)]
        assert "Recorded today's state of 2 tasks" in str(done)
        assert "Recorded 1 dependency of today" in str(done)

    def test_the_state_at_a_time_follows_from_the_beginning(self, tmp_path):
        """Before its arrival nothing is known of a task, then it is pending, then completed."""
        task = {"status": "completed", "created_at": "2025-01-02 00:00:00", "completed_at": "2025-02-02 00:00:00"}
        path = v1_database(tmp_path / "dash.db", tasks=[task])
        migrations.execute(path)
        with closing(sqlite3.connect(path)) as conn:
            states = [events.state_at(conn, 1, f"2025-0{month}-01T00:00:00.000Z") for month in (1, 2, 3)]
            present = events.state_at(conn, 1)
        assert [(state.get("status"), state.get("checked")) for state in states] == [
            (None, None),
            ("pending", 0),
            ("completed", 1),
        ]
        assert present == dict(zip(COLUMNS, (1, "completed", 1, "", "", "A task"), strict=True))

    def test_a_task_has_its_arrival_completion_and_present_in_this_order(self, tmp_path):
        """By time and then by number the three rows of a task stand in the order in which they became true."""
        task = {"status": "completed", "created_at": "2999-01-01", "completed_at": "2999-01-01"}
        path = v1_database(tmp_path / "dash.db", tasks=[task])
        migrations.execute(path)
        rows = query(path, "SELECT source FROM task_events ORDER BY occurred_at, event_id")
        assert [source for (source,) in rows] == ["column:created_at", "column:completed_at", "baseline"]

    def test_a_fresh_database_begins_with_nothing(self, tmp_path):
        """A database made at 2.1 has no baseline: its history is exact from the first row."""
        migrations.create(tmp_path / "fresh.db")
        insert(tmp_path / "fresh.db", "tasks", project_id=1, title="x", created_at="2020-01-01")
        assert migrations.execute(tmp_path / "fresh.db").backup is None
        assert query(tmp_path / "fresh.db", "SELECT op FROM task_events") == [("insert",)]

    def test_less_than_version_1_has_what_can_be_known(self, tmp_path):
        """Without created_at, completed_at, task_dependencies and phases there is a baseline, and live events."""
        path = v1_database(tmp_path / "dash.db")
        alter(
            path,
            "DROP TABLE task_dependencies",
            "DROP TABLE phases",
            "DROP TABLE tasks",
            "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT, status TEXT)",
            "INSERT INTO tasks VALUES (1, NULL, NULL, 'completed')",
        )
        migrations.execute(path)
        alter(path, "UPDATE tasks SET project_id = 1")
        assert query(path, EVENTS) == [
            ("baseline", None, "completed", 1, "", "", ""),
            ("update", 1, None, None, None, None, None),
        ]
        assert migrations.status(path).ready

    def test_a_table_that_comes_later_is_watched_by_the_next_execute(self, tmp_path):
        """A task_dependencies made after the migration has its triggers pending, and the same command makes them."""
        path = v1_database(tmp_path / "dash.db", tasks=[{}, {}])
        ((statement,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = 'task_dependencies'")
        alter(path, "DROP TABLE task_dependencies")
        migrations.execute(path)
        alter(path, statement)
        triggers = ("dashkit_dependency_insert", "dashkit_dependency_delete")
        assert dict(migrations.status(path).pending)["2.1"] == triggers
        assert migrations.execute(path).changes == triggers
        alter(path, "INSERT INTO task_dependencies VALUES (1, 2)")
        assert query(path, "SELECT op FROM dependency_events") == [("add",)]


class TestTraps:
    """What other programs do to the history, and what mends it."""

    def rebuild(self, path):
        """Rebuild the table of tasks as the documentation of SQLite tells."""
        ((sql,),) = query(path, "SELECT sql FROM sqlite_master WHERE name = 'tasks'")
        alter(
            path,
            sql.replace("CREATE TABLE tasks", "CREATE TABLE new_tasks"),
            "INSERT INTO new_tasks SELECT * FROM tasks",
            "DROP TABLE tasks",
            "ALTER TABLE new_tasks RENAME TO tasks",
        )

    def test_a_rebuilt_table_has_no_triggers(self, tmp_path):
        """A rebuild stops the history; one execute mends it, takes over what it missed, and begins nothing twice."""
        path = v1_database(tmp_path / "dash.db", tasks=[{}, {}])
        migrations.execute(path)
        began = query(path, EVENTS)
        self.rebuild(path)
        alter(path, "UPDATE tasks SET status = 'review'")
        assert query(path, EVENTS) == began
        triggers = {"dashkit_task_insert", "dashkit_task_update", "dashkit_task_delete"}
        assert triggers <= set(dict(migrations.status(path).pending)["2.1"])
        assert triggers <= set(migrations.execute(path).changes)
        missed = [("reconcile", None, "review", None, None, None, None)] * 2
        assert sorted(query(path, EVENTS)) == sorted([*began, *missed])
        alter(path, "UPDATE tasks SET status = 'blocked' WHERE id = 1")
        assert ("update", None, "blocked", None, None, None, None) in query(path, EVENTS)

    @pytest.mark.parametrize("table", ["task_events", "dependency_events", "event_context"])
    def test_without_its_tables_every_write_fails_until_it_is_mended(self, path, conn, table):
        """While the triggers stand, a dropped table of the history breaks writes; one execute makes it anew."""
        for _ in range(2):
            add(conn)
        a_task, a_dependency = "tasks (project_id, title) VALUES (1, 1)", "task_dependencies VALUES (2, 1)"
        statement = f"INSERT INTO {a_dependency if table == 'dependency_events' else a_task}"
        alter(path, f"DROP TABLE {table}")
        with pytest.raises(sqlite3.OperationalError, match=f"no such table: main.{table}"):
            conn.execute(statement)
        mended = migrations.execute(path)
        assert table in mended.changes
        alter(path, statement)
        assert query(path, "SELECT suspended FROM event_context") == [(0,)]
        if table == "task_events":
            assert [row[0] for row in query(path, EVENTS)] == ["backfill", "backfill", "baseline", "baseline", "insert"]

    @pytest.mark.parametrize("column", [None, "created_at", "completed_at"])
    def test_an_earlier_text_of_a_trigger_is_replaced(self, path, column):
        """The triggers that failed at a row without an id are ours, also where the table says no times."""
        if column:
            names = [name for (name,) in query(path, "SELECT name FROM sqlite_master WHERE name LIKE 'dashkit_task_%'")]
            alter(path, *(f"DROP TRIGGER {name}" for name in names), f"ALTER TABLE tasks DROP COLUMN {column}")
            migrations.execute(path)
        now = query(path, "SELECT name, sql FROM sqlite_master WHERE name LIKE 'dashkit_task_%' ORDER BY name")
        for name, sql in now:
            before = re.sub(r"\s+AND \w+\.id IS NOT NULL", "", sql)
            assert before != sql
            alter(path, f"DROP TRIGGER {name}", before)
        assert set(migrations.execute(path).changes) == {name for name, _ in now}
        again = query(path, "SELECT name, sql FROM sqlite_master WHERE name LIKE 'dashkit_task_%' ORDER BY name")
        assert [shape.tokens(sql) for _, sql in again] == [shape.tokens(sql) for _, sql in now]
        assert migrations.status(path).ready

    def test_a_trigger_of_our_name_that_is_another_is_in_the_way(self, path):
        """A trigger that somebody edited is not taken for ours."""
        other = "CREATE TRIGGER dashkit_task_delete AFTER DELETE ON tasks BEGIN SELECT 1; END"
        alter(path, "DROP TRIGGER dashkit_task_delete", other)
        assert migrations.status(path).obstacles == ("another trigger named dashkit_task_delete exists already",)

    def test_our_triggers_keep_still_during_a_migration(self, tmp_path):
        """Mending version 2.0 in a database of 2.1 fills its rows without a trigger, and the history learns it once."""
        path = v1_database(tmp_path / "dash.db", tasks=[{"status": "completed"}])
        migrations.execute(path)
        alter(path, "DELETE FROM schema_migrations WHERE name = 'sync checked'", "UPDATE tasks SET checked = NULL")
        before = query(path, EVENTS)
        assert migrations.execute(path).changes == ("sync checked", "what no trigger saw")
        assert query(path, "SELECT checked FROM tasks") == [(1,)]
        assert query(path, EVENTS) == [*before, ("reconcile", None, None, 1, None, None, None)]

    def test_a_rollback_takes_the_history_with_it(self, tmp_path):
        """Rolled back, nothing of 2.1 is left, and a second migration begins the history again."""
        path = v1_database(tmp_path / "dash.db", tasks=[{}])
        before = content(path)
        migrations.execute(path)
        alter(path, "UPDATE tasks SET status = 'review'")
        migrations.rollback(path)
        assert content(path) == before
        migrations.execute(path)
        assert [row[0] for row in query(path, EVENTS)] == ["backfill", "baseline"]

    def test_a_failed_migration_leaves_no_trigger(self, tmp_path):
        """Where 2.1 is refused after its changes were made, the database is what it was."""
        path = v1_database(tmp_path / "dash.db", tasks=[{}])
        alter(
            path,
            "CREATE TABLE trash AS SELECT * FROM tasks",
            "CREATE TRIGGER bin BEFORE DELETE ON tasks BEGIN "
            "INSERT INTO trash SELECT * FROM tasks WHERE id = old.id; END",
        )
        before = content(path)
        with pytest.raises(RefusedError, match=r"delete from tasks no longer works"):
            migrations.execute(path)
        assert content(path) == before
        assert migrations.status(path).version != NEWEST
