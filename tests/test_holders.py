"""A program that keeps its own database locked hears so at once; for other programs and threads it waits."""

import os
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from builders import query, v1_database, v2_1_database
from content import alter, content
from crash_processes import neighbour

import dashkit
from dashkit import connection, database, holders, migrations
from dashkit.cli import main
from dashkit.errors import BusyError

CHANGE = "UPDATE tasks SET title = 'mine' WHERE id = 1"
OWN = r"^Cannot get hold of .*d\.db: this program itself has an open transaction on it, over a connection of its own"

HOLDERS = {
    "get_connection": lambda path: (database.get_connection(path), CHANGE),
    "plain": lambda path: (sqlite3.connect(path), CHANGE),
    "for any thread": lambda path: (sqlite3.connect(path, check_same_thread=False), CHANGE),
    "begun to write": lambda path: (sqlite3.connect(path, isolation_level=None), "BEGIN IMMEDIATE"),
    "begun, exclusive": lambda path: (sqlite3.connect(path, isolation_level=None), "BEGIN EXCLUSIVE"),
    "attached": lambda path: (_attached(path), 'UPDATE "my ""own""".tasks SET title = \'mine\''),
    "by another name": lambda path: (_linked(path), CHANGE),
    "own factories": lambda path: (_odd(path), CHANGE),
}
CALLS = (
    lambda path: database.create_task_commit_link(1, "c0ffee", db=path),
    lambda path: database.update_task_checked(1, True, db=path),
    lambda path: database.set_task_blocked(1, "keys", db=path),
)


def _attached(path):
    conn = sqlite3.connect(":memory:")
    conn.execute('ATTACH ? AS "my ""own"""', (str(path),))
    return conn


def _linked(path):
    link = path.with_name("link.db")
    link.symlink_to(path)
    return sqlite3.connect(link)


class _Odd(sqlite3.Connection):
    def cursor(self, *_args):
        raise AssertionError

    def execute(self, sql, *values):
        return super().cursor().execute(sql, *values)


def _odd(path):
    conn = sqlite3.connect(path, factory=_Odd)
    conn.row_factory = conn.text_factory = lambda *_values: None
    return conn


@pytest.fixture(params=["DELETE", "WAL"])
def path(tmp_path, request):
    """A database of two tasks, with each kind of journal."""
    made = v2_1_database(tmp_path / "d.db", tasks=[{}, {}])
    alter(made, f"PRAGMA journal_mode = {request.param}")
    return made


@pytest.fixture
def at_once():
    """What a test does takes far less than a connection would wait."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 4.5


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("how", HOLDERS)
def test_an_own_open_transaction_is_named_at_once(path, how, capsys):
    """Each function that writes, and the command line, say what to do instead of waiting for this very thread."""
    before = content(path)
    conn, statement = HOLDERS[how](path)
    with closing(conn):
        conn.execute(statement)
        for call in CALLS:
            with pytest.raises(BusyError, match=OWN):
                call(path)
        assert main(["task", "1", "--check", "--db", str(path)]) == 4
        assert "this program itself has an open transaction" in capsys.readouterr().err
        assert conn.in_transaction
        conn.rollback()
    assert content(path) == before


@pytest.mark.usefixtures("at_once")
def test_whatever_writes_says_so(tmp_path):
    """Making and migrating a database end at once too, and where the database is held for itself reading does."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{}])
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN EXCLUSIVE")
        for call in (
            database.init_database_v2,
            migrations.execute,
            migrations.migrate,
            migrations.status,
            dashkit.open,
            lambda db: database.get_task_links(1, db=db),
        ):
            with pytest.raises(BusyError, match=OWN):
                call(path)
        with closing(sqlite3.connect(path)) as second, pytest.raises(BusyError, match=OWN):
            database.get_task_stats(second)


@pytest.mark.usefixtures("at_once")
def test_two_own_connections(path):
    """The connection that is handed over is not the one that holds the database: that is said at once as well."""
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path)) as two:
        one.execute(CHANGE)
        with pytest.raises(BusyError, match=OWN):
            database.update_task_checked(1, True, db=two)
        assert not two.in_transaction
        assert database.update_task_checked(1, True, db=one)
        one.commit()
        assert database.update_task_checked(2, True, db=two)
        two.commit()
    assert query(path, "SELECT title, checked FROM tasks") == [("mine", 1), ("A task", 1)]


@pytest.mark.usefixtures("at_once")
def test_rows_that_are_still_being_read(path):
    """A loop over rows that changes each of them is told to fetch them first, but in WAL mode it works."""
    works = query(path, "PRAGMA journal_mode") == [("wal",)]
    with closing(database.get_connection(path)) as conn:
        rows = conn.execute("SELECT id FROM tasks")
        number = next(rows)["id"]  # and there is one more
        if works:
            assert database.update_task_checked(number, True, db=path)
        else:
            with pytest.raises(BusyError, match=r"this program itself is still reading rows .* Fetch them all"):
                database.update_task_checked(number, True, db=path)
        rows.close()
        for row in conn.execute("SELECT id FROM tasks").fetchall():
            assert database.update_task_checked(row["id"], True, db=path)


@pytest.mark.usefixtures("at_once")
def test_a_roll_back_beside_an_own_reader(tmp_path):
    """A roll back, which needs the whole file, is told of rows that are still being read."""
    path = v1_database(tmp_path / "d.db", tasks=[{}, {}])
    migrations.execute(path)
    plan = migrations.plan_rollback(path)
    with closing(sqlite3.connect(path)) as conn:
        rows = conn.execute("SELECT id FROM tasks")
        next(rows)
        with pytest.raises(BusyError, match="this program itself is still reading rows from it"):
            plan.execute()
        rows.close()
        plan.execute()


@pytest.mark.usefixtures("at_once")
def test_what_holds_nothing_is_in_nobodys_way(path):
    """A connection that is idle, has read, works on another file or is closed changes nothing."""
    with closing(sqlite3.connect(path)) as idle, closing(sqlite3.connect(path.with_name("other.db"))) as other:
        idle.execute("SELECT count(*) FROM tasks").fetchall()
        other.execute("CREATE TABLE t (a)")
        other.execute("INSERT INTO t VALUES (1)")
        sqlite3.connect(path).close()
        assert database.update_task_checked(1, True, db=path)
        with closing(connection.connect(path)) as ours:
            assert holders.find(str(path), ours) == ""
            ours.execute("BEGIN IMMEDIATE")
            assert holders.find(str(path), ours) == ""
            assert holders.find(str(path), idle) == "writing"


def test_another_program_is_waited_for_beside_an_own_reader(path):
    """That an own connection reads is no reason not to wait for another program that writes, nor to be blamed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as own, neighbour("hold", path, "BEGIN IMMEDIATE"):
        own.execute("BEGIN")
        own.execute("SELECT * FROM tasks").fetchone()
        with (
            pytest.raises(BusyError, match="another program is using it and did not let go"),
            closing(connection.connect(path, timeout=0.3)) as conn,
            connection.explained(path, "write to"),
            connection.transaction(conn),
        ):
            pass


@pytest.mark.parametrize("bound", [True, False])
def test_another_thread_is_waited_for(path, bound):
    """A thread that writes may commit meanwhile, so it is waited for, whoever else may use its connection."""
    held, go = threading.Event(), threading.Event()

    def write():
        with closing(sqlite3.connect(path, check_same_thread=bound)) as conn:
            conn.execute(CHANGE)
            held.set()
            go.wait()
            time.sleep(0.2)
            conn.commit()

    thread = threading.Thread(target=write)
    thread.start()
    held.wait()
    try:
        with (
            pytest.raises(BusyError, match="another program, or another thread of this one, is using it"),
            closing(connection.connect(path, timeout=0.1)) as conn,
            connection.explained(path, "write to"),
            connection.transaction(conn),
        ):
            pass
    finally:
        go.set()
    assert database.update_task_checked(1, True, db=path)
    thread.join()
    assert query(path, "SELECT title, checked FROM tasks WHERE id = 1") == [("mine", 1)]


def test_asking_leaves_a_connection_as_it_was(path):
    """The connection that is asked keeps its transaction, its factories and its patience."""
    with closing(sqlite3.connect(path, timeout=1.5)) as conn, closing(connection.connect(path)) as ours:
        conn.row_factory = sqlite3.Row
        conn.text_factory = os.fsencode
        conn.execute(CHANGE)
        assert holders.find(str(path), ours) == "writing"
        assert conn.in_transaction
        assert (conn.row_factory, conn.text_factory) == (sqlite3.Row, os.fsencode)
        assert tuple(conn.execute("PRAGMA busy_timeout").fetchone()) == (1500,)
        conn.commit()
        assert ours.execute("SELECT title FROM tasks WHERE id = 1").fetchone() == ("mine",)
