"""Connections: which database, what opening one leaves alone, transactions, and SQLite's errors in words."""

import sqlite3
from contextlib import closing

import pytest
from builders import query, v1_database
from content import alter, content, crash, folder_state

from dashkit import connection
from dashkit.errors import BusyError, FailedError, RefusedError


@pytest.fixture
def small(tmp_path):
    """A version 1 database of one task."""
    return v1_database(tmp_path / "dash.db", tasks=[{"title": "one"}])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder without a database, and no DASHKIT_DB."""
    monkeypatch.delenv("DASHKIT_DB", raising=False)
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    return tmp_path


def test_the_database_that_is_named_comes_first(elsewhere, monkeypatch):
    """What is named wins over DASHKIT_DB, that over a .dashkit folder upwards, that over data/dashboard.db."""
    assert connection.default_path() == connection.FALLBACK
    (elsewhere / ".dashkit").mkdir()
    (elsewhere / ".dashkit" / "dashboard.db").touch()
    assert connection.default_path() == elsewhere / ".dashkit" / "dashboard.db"
    monkeypatch.setenv("DASHKIT_DB", "named.db")
    assert str(connection.default_path()) == "named.db"
    assert str(connection.default_path("mine.db")) == "mine.db"


def test_a_home_folder_is_expanded(elsewhere, monkeypatch):
    """A tilde is the home folder; one that is nobody's is a name like any other."""
    monkeypatch.setenv("HOME", str(elsewhere))
    assert connection.default_path("~/x.db") == elsewhere / "x.db"
    assert str(connection.default_path("~nobody-of-this-name/x.db")) == "~nobody-of-this-name/x.db"


def test_opening_makes_no_file(tmp_path):
    """A wrong path makes no empty database."""
    for opened in (connection.connect, connection.connect_readonly):
        with pytest.raises(RefusedError, match=r"Cannot open .*no\.db: there is no such file"):
            opened(tmp_path / "no.db")
    assert list(tmp_path.iterdir()) == []


def test_foreign_keys_are_on(small):
    """Every connection that may write enforces foreign keys."""
    with closing(connection.connect(small)) as conn:
        assert conn.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_reading_connection_cannot_write(small):
    """A reading connection refuses to write, in each journal mode."""
    for mode in ("DELETE", "PERSIST", "WAL"):
        alter(small, f"PRAGMA journal_mode = {mode}", "UPDATE tasks SET title = 'x'")
        with (
            closing(connection.connect_readonly(small)) as conn,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            conn.execute("DELETE FROM tasks")


def test_reading_beside_a_live_writer_sees_what_is_committed(small):
    """A reading connection sees the WAL of a program that is still running, and leaves it alone."""
    alter(small, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(small, isolation_level=None)) as other:
        other.execute("UPDATE tasks SET title = 'new'")
        with closing(connection.connect_readonly(small)) as conn:
            assert conn.execute("SELECT title FROM tasks").fetchall() == [("new",)]
        assert other.execute("UPDATE tasks SET title = 'newer' RETURNING title").fetchall() == [("newer",)]
    assert query(small, "SELECT title FROM tasks") == [("newer",)]


def test_an_empty_wal_of_a_crashed_program_stays(small):
    """Reading a database whose program died with an empty WAL leaves the WAL and its index where they are."""
    crash(small, "PRAGMA journal_mode = WAL", "UPDATE tasks SET title = 'x'", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = folder_state(small.parent)
    assert before["dash.db-wal"][0] == b""
    with closing(connection.connect_readonly(small)) as conn:
        assert conn.execute("SELECT title FROM tasks").fetchall() == [("x",)]
    assert folder_state(small.parent) == before


def test_a_path_in_a_remedy_is_one_word(tmp_path):
    """The command that a message offers holds the path as one word of a shell, whatever is in it."""
    path = v1_database(tmp_path / "a; rm -r b.db")
    crash(path, "PRAGMA journal_mode = WAL", "INSERT INTO projects (name) VALUES ('x')")
    connection.beside(path, "-shm").unlink()
    with pytest.raises(RefusedError, match=r"`sqlite3 '[^']*a; rm -r b\.db' 'PRAGMA user_version'`"):
        connection.connect_readonly(path)


def test_a_private_copy_is_the_whole_state(small):
    """A copy has the rows that are still in the WAL only, and needs no companions."""
    crash(small, "PRAGMA journal_mode = WAL", "UPDATE tasks SET title = 'in the WAL'")
    copy = small.with_name("copy.db")
    with closing(connection.connect_readonly(small)) as source:
        connection.private_copy(source, copy)
    assert query(copy, "SELECT title FROM tasks") == [("in the WAL",)]
    assert query(copy, "PRAGMA journal_mode") == [("delete",)]


def test_a_copy_gives_up_in_time(small):
    """A copy of a locked database ends with an error of ours, where SQLite alone would wait for ever."""
    with (
        closing(sqlite3.connect(small, isolation_level=None)) as other,
        closing(connection.connect(small, timeout=0.1)) as source,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyError, match=r"get hold of .*dash\.db: another program is using it and did not"):
            connection.private_copy(source, small.with_name("copy.db"), timeout=0.1)


def test_a_transaction_is_all_or_nothing(small):
    """What fails inside a transaction leaves nothing of it."""
    before = content(small)
    with closing(connection.connect(small)) as conn:
        with pytest.raises(sqlite3.OperationalError, match="no such table: gone"):
            _two_statements(conn, "CREATE TABLE t (a)", "DELETE FROM gone")
        assert not conn.in_transaction
    assert content(small) == before


def _two_statements(conn, *sql):
    with connection.transaction(conn):
        for statement in sql:
            conn.execute(statement)


def test_a_transaction_takes_the_write_lock_at_once(small):
    """A second writer waits at the beginning, not in the middle."""
    with (
        closing(connection.connect(small)) as one,
        closing(connection.connect(small, timeout=0.1)) as two,
        connection.transaction(one),
        pytest.raises(BusyError, match="Cannot get hold of"),
        connection.explained(small, "write to"),
        connection.transaction(two),
    ):
        pass


def test_the_callers_own_connection_is_left_as_it_is(small):
    """A connection of the caller's is neither committed nor closed, and keeps its row factory."""
    with closing(sqlite3.connect(small)) as mine:
        mine.row_factory = sqlite3.Row
        with connection.using(mine, write=True) as conn:
            conn.execute("UPDATE tasks SET title = 'mine'")
            assert conn.row_factory is None
        assert mine.in_transaction
        assert mine.row_factory is sqlite3.Row
        mine.rollback()
    assert query(small, "SELECT title FROM tasks") == [("one",)]


def test_ours_is_committed_and_closed(small):
    """A connection of ours commits what was written."""
    with connection.using(small, write=True) as conn:
        conn.execute("UPDATE tasks SET title = 'ours'")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        conn.execute("SELECT 1")
    assert query(small, "SELECT title FROM tasks") == [("ours",)]


def test_a_row_that_was_to_be_written_is_not_looked_for(small):
    """A condition of the user's own that refuses a write is named, and nobody is sent to rows that are there."""
    alter(small, "ALTER TABLE tasks ADD COLUMN size TEXT CHECK (size <> 'XL')")
    with pytest.raises(
        RefusedError, match=r"\(CHECK constraint failed: .*\)\. Nothing was changed\. Give a value that the table"
    ):
        _sized(small)


def _sized(path):
    with connection.using(path, write=True) as conn:
        conn.execute("UPDATE tasks SET size = 'XL'")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY, BusyError, "another program is using it"),
        (sqlite3.SQLITE_NOTADB, RefusedError, "not a SQLite database, or it is encrypted"),
        (sqlite3.SQLITE_CORRUPT, RefusedError, r"the database is damaged \(words\)"),
        (sqlite3.SQLITE_READONLY_ROLLBACK, RefusedError, "its journal lies beside the database"),
        (sqlite3.SQLITE_READONLY, RefusedError, r"the file or its folder does not allow it \(words\)"),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, RefusedError, r"a condition of a table forbids it \(words\)\. Nothing was"),
        (sqlite3.SQLITE_FULL, FailedError, "the disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, FailedError, r"the disk failed \(words\)"),
        (sqlite3.SQLITE_MISUSE, FailedError, r"SQLite says no \(words\)"),
    ],
)
def test_what_sqlite_says_in_words(small, code, kind, words):
    """Each error of SQLite becomes one of ours, which says what it means."""
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    with pytest.raises(kind, match=words) as caught, connection.explained(small, "read"):
        raise error
    assert caught.value.path == small
