"""The only opener of SQLite: connections, PRAGMAs, transactions, copies.

No code of dashkit calls open() on a live database: closing any descriptor of the file drops every lock that
SQLite holds on it in this process (POSIX locks belong to the process).
"""

import os
import shlex
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dashkit.errors import BusyError, DashkitError, FailedError, RefusedError

Database = str | Path | sqlite3.Connection | None

BUSY_SECONDS = 5.0
LOCAL = Path(".dashkit") / "dashboard.db"
FALLBACK = Path("data") / "dashboard.db"


def default_path(db: str | Path | None = None) -> Path:
    """Which database: `db`, else DASHKIT_DB, else the nearest .dashkit/dashboard.db upwards, else data/dashboard.db."""
    if named := db or os.environ.get("DASHKIT_DB"):
        try:
            return Path(named).expanduser()
        except RuntimeError:  # "~name" of nobody is a name like any other
            return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / LOCAL).is_file():
            return folder / LOCAL
    return FALLBACK


def _uri(path: Path, parameters: str) -> str:
    # Quoted as bytes: a "?", "%" or "#" in a name would open another file.
    return f"file:{quote(os.fsencode(path.absolute()))}?{parameters}"


def _open(path: Path, parameters: str, timeout: float, *first: str) -> sqlite3.Connection:
    # cached_statements=0: SQLite 3.40 answers a cached EXPLAIN after DDL with a stale program, or crashes.
    conn = sqlite3.connect(_uri(path, parameters), uri=True, timeout=timeout, isolation_level=None, cached_statements=0)
    try:
        for statement in first:
            acquire(conn, statement)
    except BaseException:
        conn.close()
        raise
    return conn


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def beside(path: Path, suffix: str) -> Path:
    """The companion file that SQLite keeps beside a database (`-wal`, `-shm`, `-journal`)."""
    return path.with_name(path.name + suffix)


def connect(path: Path, *, create: bool = False, timeout: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection that may write, in autocommit: transactions are explicit.

    Raises:
        RefusedError: there is no such file and `create` is not set.
    """
    if not create:
        require_file(path)
    with explained(path, "open"):
        return _open(path, "mode=rwc" if create else "mode=rw", timeout, "PRAGMA foreign_keys = ON")


def connect_readonly(path: Path, *, timeout: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection that changes no byte of the database, of its companions or of its folder.

    mode=ro on a clean WAL database would leave -wal and -shm behind, and on a crashed one rewrite -shm; so a
    WAL that is there, be it empty, is read through a read-only -shm, and everything else with query_only.

    Raises:
        RefusedError: no such file, or a hot journal or WAL that only a writer can recover.
    """
    require_file(path)
    wal, index = _size(beside(path, "-wal")), _size(beside(path, "-shm"))
    if wal > 0 and index < 0:
        raise _needs_recovery(path)
    if wal >= 0 and index >= 0:
        parameters = "mode=ro&readonly_shm=1"
    elif _size(beside(path, "-journal")) > 0:
        parameters = "mode=ro"
    else:
        parameters = "mode=rw"
    with explained(path, "read"):
        return _open(path, parameters, timeout, "PRAGMA query_only = ON", "SELECT count(*) FROM sqlite_master")


def recover(path: Path) -> None:
    """Where an interrupted program left a journal or a WAL: let SQLite recover, as for any program that may write."""
    if _size(beside(path, "-journal")) > 0 or _size(beside(path, "-wal")) > 0:
        with explained(path, "recover"), closing(connect(path)) as conn:
            conn.execute("SELECT count(*) FROM sqlite_master").fetchone()


def connect_immutable(path: Path) -> sqlite3.Connection:
    """A reading connection to a file that nobody changes (a backup, a copy of ours): no locks, no companions."""
    with explained(path, "read"):
        return _open(path, "mode=ro&immutable=1", BUSY_SECONDS)


def attach_immutable(conn: sqlite3.Connection, path: Path, name: str) -> None:
    """Attach such a file under a schema name; allowed inside a transaction too."""
    conn.execute(f"ATTACH ? AS {name}", (_uri(path, "mode=ro&immutable=1"),))


def require_file(path: Path) -> None:
    """Refuse a path that is no file, in words that say which.

    Raises:
        RefusedError: nothing there, or a folder.
    """
    try:
        if path.is_file():
            return
        there = path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be read
        why = (error.strerror or str(error)).lower()
        raise RefusedError(f"Cannot open {path}", why, "Name another, or allow reading it.", path=path) from error
    if there:
        raise RefusedError(f"Cannot open {path}", "it is not a file", "Name the database file itself.", path=path)
    raise RefusedError(
        f"Cannot open {path}",
        "there is no such file",
        "Name the database with --db PATH (db_path in a notebook) or DASHKIT_DB; `dashkit sample PATH` makes one.",
        path=path,
    )


def private_copy(source: sqlite3.Connection, target: Path, *, timeout: float = BUSY_SECONDS) -> None:
    """Copy the database behind `source` into the new file `target`, by SQLite's backup API, in one step.

    Nothing is synced: the caller decides what the copy is worth. The copy is in rollback-journal mode.

    Raises:
        BusyError: a writer kept the source locked for `timeout` seconds.
    """
    locked = Path(source.execute("PRAGMA database_list").fetchone()[2])
    conn = _open(target, "mode=rwc", timeout)
    try:
        conn.execute("PRAGMA journal_mode = OFF")
        conn.execute("PRAGMA synchronous = OFF")
        source.backup(conn, pages=-1, progress=give_up_after(timeout, locked))
        # A header that says WAL cannot be opened read-only without its -shm.
        conn.execute("PRAGMA journal_mode = DELETE")
    finally:
        conn.close()


def give_up_after(timeout: float, path: Path) -> Callable[[int, int, int], None]:
    """A progress callback for the backup API, which waits for ever when the other side is locked.

    Raises:
        BusyError: from the callback, when the time is over and SQLite still answers "busy".
    """
    deadline = time.monotonic() + timeout

    def look(status: int, _remaining: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise _busy(path)

    return look


def data_version(conn: sqlite3.Connection) -> int:
    """A number that changes when another connection commits."""
    return int(acquire(conn, "PRAGMA data_version")[0][0])


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder for copies, gone afterwards.

    Raises:
        RefusedError: the system has no place for one.
    """
    import tempfile

    try:
        made = tempfile.TemporaryDirectory(prefix="dashkit-")
    except OSError as error:
        raise RefusedError(
            "Cannot make a folder for copies",
            f"no folder for temporary files may be written to ({(error.strerror or str(error)).lower()})",
            "Make room, or set TMPDIR to a folder with room.",
        ) from error
    with made as folder:
        yield Path(folder)


@contextmanager
def using(db: Database, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """The caller's own connection as it is (neither committed nor closed), else one of ours, closed after.

    One of ours that writes does so in one transaction.

    Raises:
        BusyError: another connection of this thread, or somebody else for too long, keeps the database locked.
    """
    if isinstance(db, sqlite3.Connection):
        factories = db.row_factory, db.text_factory
        db.row_factory, db.text_factory = None, str
        try:
            if not db.in_transaction:
                acquire(db, "SELECT count(*) FROM sqlite_master")
            yield db
        finally:
            db.row_factory, db.text_factory = factories
        return
    path = default_path(db)
    conn = connect(path) if write else connect_readonly(path)
    try:
        with explained(path, "write to" if write else "read"):
            if write:
                with transaction(conn):
                    yield conn
            else:
                yield conn
    finally:
        conn.close()


@contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT; a deferred BEGIN would fail at its first write without waiting.

    Raises:
        BusyError: another connection of this thread keeps the database locked.
    """
    acquire(conn, "BEGIN IMMEDIATE")
    try:
        yield
        acquire(conn, "COMMIT")
    except BaseException:
        # SQLite has already rolled back by itself after "disk full" or an I/O error.
        if conn.in_transaction:
            with suppress(sqlite3.Error):
                conn.execute("ROLLBACK")
        raise


def acquire(conn: sqlite3.Connection, statement: str) -> list[Any]:
    """Run a statement that takes a lock, and wait for it as long as the connection waits, but not for this very thread.

    Returns:
        The rows of the statement.

    Raises:
        BusyError: another connection of this thread has the lock: it could not let go while this one waits.
    """
    (timeout,) = conn.execute("PRAGMA busy_timeout").fetchone()
    conn.execute("PRAGMA busy_timeout = 0")
    try:
        return conn.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
        from dashkit import holders  # hardly ever needed

        path = conn.execute("PRAGMA database_list").fetchone()[2]
        holding = holders.find(path, conn)
        # Readers are in the way of those alone who would change the file now.
        if holding == "writing" or (holding and statement in ("COMMIT", "BEGIN EXCLUSIVE")):
            raise _own(Path(path), holding) from error
    finally:
        conn.execute(f"PRAGMA busy_timeout = {timeout}")
    return conn.execute(statement).fetchall()


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's own errors into ours, in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, doing, error) from error


def explain(path: Path, doing: str, error: sqlite3.Error) -> DashkitError:
    """The error of ours that says what SQLite's means."""
    code = _code(error)
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return _needs_recovery(path)
    if _is_busy(error):
        return _busy(path)
    kind, why, remedy = _MEANINGS.get(code & 0xFF, _UNFORESEEN)
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        remedy = f"Nothing was changed. {_of_condition(code, doing)}"
    if kind is FailedError and doing in _HARMLESS:
        remedy = f"Nothing was changed. {remedy}"
    return kind(f"Cannot {doing} {path}", f"{why}{error})" if why.endswith("(") else why, remedy, path=path)


_HARMLESS = ("open", "read", "recover")  # whatever fails there, the content is what it was
_PERMISSION = (
    RefusedError,
    "the file or its folder does not allow it (",
    "Check the permissions of both, or work on a copy.",
)
_UNFORESEEN = (
    FailedError,
    "SQLite says no (",
    "Run `dashkit doctor`, which looks for the cause; if it finds none, report this.",
)
_MEANINGS: dict[int, tuple[type[DashkitError], str, str]] = {
    sqlite3.SQLITE_NOTADB: (
        RefusedError,
        "the file is not a SQLite database, or it is encrypted",
        "Name the Dashboard's own file; an encrypted one has to be decrypted into a plain copy first.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        RefusedError,
        "the database is damaged (",
        "Restore a backup, or save what can be read into another file, `sqlite3 FILE '.clone NEW'`, and try on that.",
    ),
    sqlite3.SQLITE_CONSTRAINT: (RefusedError, "a condition of a table forbids it (", ""),  # see _of_condition
    sqlite3.SQLITE_READONLY: _PERMISSION,
    sqlite3.SQLITE_PERM: _PERMISSION,
    sqlite3.SQLITE_CANTOPEN: _PERMISSION,
    sqlite3.SQLITE_FULL: (FailedError, "the disk is full", "Nothing was lost: make room and run it again."),
    sqlite3.SQLITE_IOERR: (
        FailedError,
        "the disk failed (",
        "Check the disk; then `dashkit status` says what is true.",
    ),
}


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _of_condition(code: int, doing: str) -> str:
    """What to do where a condition of a table refuses a row: one that is there, or the one that was to be written."""
    if doing == "migrate":
        return "`dashkit doctor` looks for the rows that break it, and says what to do."
    return {
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "Name a row that is there.",
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "Such a row is there already: change that one.",
        sqlite3.SQLITE_CONSTRAINT_ROWID: "Such a row is there already: change that one.",
        sqlite3.SQLITE_CONSTRAINT_TRIGGER: "A trigger of the database refuses it; who made that knows what it allows.",
        sqlite3.SQLITE_CONSTRAINT_UNIQUE: "Such a row is there already: change that one.",
    }.get(code, "Give a value that the table allows, or have the table allow it.")


def _busy(path: Path) -> BusyError:
    from dashkit import holders

    threads = ", or another thread of this one," if holders.is_open_elsewhere() else ""
    return BusyError(
        f"Cannot get hold of {path}",
        f"another program{threads} is using it and did not let go",
        "Nothing changed. Stop that program (an API server, another dashkit), or run this again.",
        path=path,
    )


def _own(path: Path, holding: str) -> BusyError:
    """What is said where waiting would never end."""
    why, first = {
        "writing": ("has an open transaction on it", "Commit it there, or roll it back, first"),
        "reading": ("is still reading rows from it", "Fetch them all, or end that transaction, first"),
    }[holding]
    return BusyError(
        f"Cannot get hold of {path}",
        f"this program itself {why}, over a connection of its own, and to wait for that would never end",
        f"Nothing changed. {first}; or hand that connection over (db=connection), and commit afterwards.",
        path=path,
    )


def _needs_recovery(path: Path) -> RefusedError:
    return RefusedError(
        f"Cannot read {path} without changing it",
        "a program was interrupted while writing, and its journal lies beside the database",
        "Opening the database for writing recovers it: `dashkit migrate --execute`, or "
        f"`sqlite3 {shlex.quote(str(path))} 'PRAGMA user_version'`; keep the journal where it is.",
        path=path,
    )
