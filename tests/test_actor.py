"""Who made a change: what the history says of it, and that nobody is left standing there."""

import sqlite3
from contextlib import closing

import pytest
from builders import insert, query, v2_1_database, v2_database
from content import alter, content, crash

from dashkit import connection, database
from dashkit.cli import main
from dashkit.errors import RefusedError, UsageError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import TaskChange
from dashkit.store import events

ACTORS = "SELECT op, actor FROM task_events ORDER BY event_id"
REST = "SELECT id, suspended, actor FROM event_context"
AT_REST = [(1, 0, None)]


@pytest.fixture
def path(tmp_path):
    """A database of version 2.1 with one task, made by another program."""
    return v2_1_database(tmp_path / "dash.db", tasks=[{"created_at": "2026-01-02"}])


def last(path):
    """The last event of all: its operation and who made it."""
    return query(path, ACTORS)[-1]


def test_another_program_has_no_name(path):
    """What a plain connection changes has no actor."""
    alter(path, "UPDATE tasks SET status = 'review'", "DELETE FROM tasks")
    assert query(path, ACTORS) == [("insert", None), ("update", None), ("delete", None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda db: database.update_task_checked(1, True, db=db),
        lambda db: database.set_task_blocked(1, "no keys", db=db),
        lambda db: database.set_task_complexity(1, "S", db=db),
    ],
)
def test_the_functions_of_the_database_are_python(path, change):
    """A change by a function of dashkit.database is Python's, and the next program's is not."""
    assert change(path)
    assert last(path) == ("update", "python")
    assert query(path, REST) == AT_REST
    alter(path, "UPDATE tasks SET title = 'other'")
    assert last(path) == ("update", None)


@pytest.mark.parametrize("words", [["--check"], ["--block", "no keys"], ["--size", "l"]])
def test_the_commands_are_cli(path, words):
    """A change by a command is the command line's, though it calls the functions of dashkit.database."""
    assert main(["task", "1", *words, "--db", str(path)]) == 0
    assert last(path) == ("update", "cli")
    assert query(path, REST) == AT_REST


def test_what_is_read_from_files_is_ingest(path, tmp_path):
    """The events of a task file are made by ingest; what no trigger saw before it has no actor."""
    alter(path, "DROP TRIGGER dashkit_task_update", "UPDATE tasks SET status = 'review'")
    (tmp_path / "TODO.md").write_text("- [ ] Dig\n", encoding="utf-8")
    ingest_tasks([tmp_path / "TODO.md"], project_id=1, db=path)
    assert query(path, ACTORS) == [("insert", None), ("reconcile", None), ("baseline", "ingest")]
    assert query(path, REST) == AT_REST


def test_another_door_says_who_it_is(path):
    """Whoever said so first is the actor, in one transaction with all that is called from there."""
    with connection.using(path, write=True) as conn, events.acting(conn, "mcp:editor"):
        database.update_task_checked(1, True, db=conn)
        with events.acting(conn, "page"):
            database.set_task_complexity(1, "S", db=conn)
        conn.execute("UPDATE tasks SET title = 'again'")
    assert [actor for _, actor in query(path, ACTORS)[1:]] == ["mcp:editor"] * 3
    assert query(path, REST) == AT_REST


def test_two_connections_do_not_share_an_actor(path, tmp_path):
    """Who acts is said of one connection."""
    other = v2_1_database(tmp_path / "other.db", tasks=[{}])
    with connection.using(path, write=True) as conn, events.acting(conn, "api"):
        database.update_task_checked(1, True, db=other)
    assert last(other) == ("update", "python")


@pytest.mark.parametrize("level", [None, "", "DEFERRED", "IMMEDIATE"])
def test_a_connection_of_the_caller_is_left_as_it_was(path, level):
    """On the caller's connection nothing is committed that would not be without us, and no actor is left."""
    with closing(sqlite3.connect(path, isolation_level=level)) as conn:
        assert database.update_task_checked(1, True, db=conn)
        assert conn.execute(REST).fetchall() == AT_REST
        assert conn.in_transaction is (level is not None)
        assert conn.execute(ACTORS).fetchall()[-1] == ("update", "python")
        conn.execute("UPDATE tasks SET title = 'mine'")
        assert conn.execute(ACTORS).fetchall()[-1] == ("update", None)
        conn.rollback()
    assert [row[0] for row in query(path, "SELECT checked FROM tasks")] == [int(level is None)]


def test_in_a_transaction_of_the_caller_nothing_is_committed(path):
    """An open transaction stays open, and can be taken back with everything in it."""
    before = content(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        conn.execute("UPDATE tasks SET title = 'mine'")
        database.update_task_checked(1, True, db=conn)
        assert conn.in_transaction
        conn.execute("ROLLBACK")
    assert content(path) == before


@pytest.mark.parametrize("level", [None, "", "DEFERRED"])
@pytest.mark.parametrize("open_first", [True, False])
def test_after_an_error_nobody_acts(path, level, open_first):
    """What is refused leaves no actor, keeps what the caller did before, and opens no transaction of its own."""
    with closing(sqlite3.connect(path, isolation_level=level)) as conn:
        if open_first:
            conn.execute("BEGIN")
            conn.execute("UPDATE tasks SET title = 'mine'")
        with pytest.raises(UsageError, match="the reason is blank"):
            database.set_task_blocked(1, " ", db=conn)
        assert conn.in_transaction is open_first
        assert conn.execute(REST).fetchall() == AT_REST
        assert conn.execute("SELECT title FROM tasks").fetchall() == [("mine" if open_first else "A task",)]
        with pytest.raises(RefusedError, match="the database holds no such commit"):
            database.create_task_commit_link(1, "c0ffee", db=conn)
        conn.rollback()
        assert database.set_task_complexity(1, "S", db=conn)
        assert conn.execute(ACTORS).fetchall()[-1] == ("update", "python")


def test_a_crash_leaves_nobody(path):
    """A program that dies while it acts leaves the context at rest."""
    crash(path, "BEGIN IMMEDIATE", "UPDATE event_context SET actor = 'api'", "UPDATE tasks SET title = 'half'")
    assert query(path, REST) == AT_REST
    assert query(path, "SELECT title FROM tasks") == [("A task",)]


def test_without_its_row_changes_are_kept_without_an_actor(path):
    """Where somebody emptied the context every change is in the history, and nobody made it."""
    alter(path, "DELETE FROM event_context")
    assert database.update_task_checked(1, True, db=path)
    assert last(path) == ("update", None)


def test_an_actor_that_somebody_left_behind_is_not_believed(path):
    """A name that another program left in the context is taken out by the next change of ours."""
    alter(path, "UPDATE event_context SET actor = 'who?'")
    assert database.update_task_checked(1, True, db=path)
    assert last(path) == ("update", "python")
    assert query(path, REST) == AT_REST


def test_version_2_0_has_no_actor(tmp_path):
    """A database without a history is changed as ever."""
    path = v2_database(tmp_path / "dash.db", tasks=[{}])
    assert database.update_task_checked(1, True, db=path)
    assert query(path, "SELECT checked FROM tasks") == [(1,)]


def test_a_late_event_has_its_day(path):
    """Of a change of which only the date is known the history keeps the date."""
    noon = "2026-01-03T12:00:00.000Z"
    late = [
        TaskChange(1, "update", noon, None, {"status": "review"}, "file:a", "2026-01-03"),
        TaskChange(1, "update", noon, None, {"complexity": "S"}, "file:a"),
    ]
    with connection.using(path, write=True) as conn:
        events.record_late(conn, late, "2026-01-04T00:00:00.000Z")
    found = query(
        path, "SELECT actor, on_day, said_created_at FROM task_events WHERE source = 'file:a' ORDER BY event_id"
    )
    assert found == [("ingest", "2026-01-03", None), ("ingest", None, None)]


SAID = "SELECT op, said_created_at, said_completed_at FROM task_events ORDER BY event_id"


def test_an_insert_keeps_what_the_row_says_of_its_times(path):
    """The times of an inserted row stand in its event as text, whatever they are."""
    odd = ("yesterday", 1764259797, b"2025-11-27", None, "", 2460000.5)
    for value in odd:
        insert(path, "tasks", project_id=1, title="x", created_at=value, completed_at=value)
    told = ["yesterday", "1764259797", "2025-11-27", None, "", "2460000.5"]
    assert query(path, SAID)[1:] == [("insert", text, text) for text in told]


@pytest.mark.parametrize(("before", "after", "turns_on"), [
    (0, 1, True), (None, 1, True), (0, 7, True), ("no", 1, True),
    (1, 0, False), (1, 1, False), (0, None, False), (1, 2, False), (0, "yes", False),
])  # fmt: skip
def test_an_update_keeps_them_where_the_box_turns_on(path, before, after, turns_on):
    """Where the box turns on, to whatever is true, the event has the row's times; else it has none."""
    alter(path, "UPDATE tasks SET title = 'y'")
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE tasks SET checked = ?", (before,))
        conn.execute("DELETE FROM task_events")
        conn.execute("UPDATE tasks SET checked = ?, completed_at = '2026-01-05', title = title || '!'", (after,))
    told = ("2026-01-02", "2026-01-05") if turns_on else (None, None)
    assert query(path, SAID) == [("update", *told)]


def test_a_delete_keeps_them(path):
    """The event of a deleted task has the times that its row had."""
    alter(path, "UPDATE tasks SET completed_at = '2026-01-05'", "DELETE FROM tasks")
    assert query(path, SAID)[1:] == [("delete", "2026-01-02", "2026-01-05")]
