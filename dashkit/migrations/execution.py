"""Execute a migration in place, and rehearse it on a copy: one and the same run.

backup and its check -> BEGIN IMMEDIATE -> look again -> apply -> verify against the backup -> name the backup ->
COMMIT. Any doubt before COMMIT rolls back, and then nothing has happened.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from dashkit import connection, times
from dashkit.errors import BusyError, DashkitError, FailedError, RefusedError
from dashkit.migrations import backups, engine, inherited, later, mends, names, preflight, record, requirements, verify
from dashkit.migrations.changes import Version
from dashkit.migrations.facts import Facts, gather, unread
from dashkit.migrations.surveys import Survey


@dataclass(frozen=True)
class Job:
    """What to migrate and how: the file, its name in messages, where the backup goes, who hears of progress.

    `versions` are those up to the wanted one, `newest` is the last that this dashkit knows (None: the wanted one).
    """

    path: Path
    shown: Path
    folder: Path
    versions: tuple[Version, ...]
    now: datetime
    newest: str | None = None
    timeout: float = connection.BUSY_SECONDS
    rehearsal: bool = False
    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Outcome:
    """What a run did, or, of a rehearsal, would do; durations in seconds."""

    path: Path
    version: str
    applied: tuple[engine.Applied, ...] = ()
    adopted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    backup: Path | None = None
    seconds: float = 0.0
    locked_seconds: float = 0.0
    facts: Facts = field(default_factory=Facts)

    @property
    def changed(self) -> bool:
        """Whether anything was applied or adopted."""
        return bool(self.applied or self.adopted)


@dataclass(frozen=True)
class Rehearsal:
    """A dry run: the outcome on a copy, and what a person should know before the real run (`room` in bytes)."""

    outcome: Outcome
    room: int = 0


def rehearse(job: Job) -> Rehearsal:
    """The real run on a private copy; the source keeps every byte, its companions and its times."""
    room = preflight.require_writable(job.path, job.folder)
    with closing(connection.connect_readonly(job.path, timeout=job.timeout)) as source:
        with connection.explained(job.shown, "read"):
            found = _look(source, job)
            is_done = _is_done(source, job, found)
        if is_done:
            return Rehearsal(_nothing(job, found))
        with connection.scratch_folder() as folder:
            preflight.require_room(folder.parent, preflight.ROOM * preflight.footprint(job.path), job.shown)
            copy = folder / "copy.db"
            with connection.explained(job.shown, "read"):
                job.tell("copying")
                connection.private_copy(source, copy, timeout=job.timeout)
            outcome = run(replace(job, path=copy, folder=folder, rehearsal=True))
            room = max(room, 2 * copy.stat().st_size)  # the backup and the growth, and all of it once more in a WAL
    return Rehearsal(replace(outcome, backup=None), room)


def run(job: Job) -> Outcome:
    """Migrate the file of a job in place.

    Raises:
        RefusedError: something forbids it; nothing changed.
        BusyError: another process holds the database; nothing changed.
        FailedError: it went wrong; the message says what is true now.
    """
    started = time.perf_counter()
    backup = backups.NewBackup(job.path, job.folder, backups.BACKUP, job.now, durable=not job.rehearsal)
    try:
        with backup, closing(connection.connect(job.path, timeout=job.timeout)) as conn:
            return replace(_migrate(conn, job, backup), seconds=time.perf_counter() - started)
    except (sqlite3.Error, OSError, DashkitError, KeyboardInterrupt) as error:
        raise _what_is_true(error, job, backup) from error


def _migrate(conn: sqlite3.Connection, job: Job, backup: backups.NewBackup) -> Outcome:
    if job.rehearsal:  # nothing to protect: the copy is thrown away
        conn.execute("PRAGMA journal_mode = OFF")
        conn.execute("PRAGMA synchronous = OFF")
    else:
        connection.acquire(conn, "PRAGMA synchronous = EXTRA")  # the first that reads
    # Set before BEGIN, where it would be ignored: our one UPDATE must fire no action of theirs.
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("PRAGMA trusted_schema = OFF")
    conn.execute("PRAGMA cache_size = -98304")
    seen = connection.data_version(conn)  # before the look: whoever commits after this is seen under the lock
    found = _look(conn, job)
    if _is_done(conn, job, found):
        return _nothing(job, found)
    with ThreadPoolExecutor(1) as pool:
        facts = _copy_and_check(job, backup, pool)
        with connection.transaction(conn):
            locked = time.perf_counter()
            if connection.data_version(conn) != seen:
                facts.result()
                found = _look(conn, job)
                if _is_done(conn, job, found):  # another migration was here first
                    return _nothing(job, found)
                facts = _copy_and_check(job, backup, pool)
            job.tell("applying")
            named, touched = mends.of_names(conn) if found.is_misnamed else ([], set())
            found = _look(conn, job) if named else found
            given, more = mends.of_lost(conn, found.mendable)
            applied = _apply(conn, job, found, [*named, *given], backup)
            connection.attach_immutable(conn, backup.partial, "backup")
            job.tell("verifying")
            _require(verify.problems(conn, backup.partial, job.versions, touched | more), job, "after the changes ")
            _require(list(facts.result().damage), job, "the database is damaged: ")
            _require_applicable(found._replace(references=facts.result().references), job)
            promised = backup.path
            backup.publish()
            if backup.path != promised:
                found.record.rename_backup(conn, promised.name, _recorded_name(job, backup))
            job.tell("committing")
        released = time.perf_counter()
        if not job.rehearsal:
            backups.sync(job.path.parent)
        known = facts.result()
        if job.rehearsal:
            known = replace(known, unread=unread(conn, (one for version in job.versions for one in version.changes)))
    return Outcome(
        job.shown,
        job.versions[-1].number,
        tuple(replace(one, kinds=known.fills.get(one.change.name, one.kinds)) for one in applied),
        tuple(item.change.name for item in found.adopted),
        tuple(found.notes),
        backup.path,
        locked_seconds=released - locked,
        facts=known,
    )


def _apply(
    conn: sqlite3.Connection, job: Job, found: Survey, mended: list[mends.Mend], backup: backups.NewBackup
) -> list[engine.Applied]:
    had_history = later.is_begun(conn, job.versions)
    try:
        applied = engine.apply(conn, found, job.now, _recorded_name(job, backup), job.tell)
    except sqlite3.Error as error:
        # ADD COLUMN looks at the old rows too, and stops at one that breaks an old condition of its table.
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            _require(verify.damage_of(conn), job, "rows that are there break its own conditions: ")
        raise
    beside = [engine.Applied(job.versions[-1].number, mend, 0.0) for mend in mended]
    # A history that this run began has taken over what rows know.
    beside += _take_over(conn, job) if had_history else []
    for one in beside:
        found.record.insert(conn, one.version, one.change, job.now, one.seconds, _recorded_name(job, backup))
    return [*applied, *beside]


def _take_over(conn: sqlite3.Connection, job: Job) -> Iterator[engine.Applied]:
    started = time.perf_counter()
    # Recorded by the clock, not at the beginning of the run: somebody may have asked since what was known.
    for change, kinds in later.take_over(conn, times.to_text(times.utc_now())):
        done = engine.Applied(job.versions[-1].number, change, time.perf_counter() - started, kinds)
        if done.rows:
            yield done


def _look(conn: sqlite3.Connection, job: Job) -> Survey:
    requirements.require_dashboard(conn, job.shown)
    found = engine.survey(conn, job.versions)
    found = found._replace(is_misnamed=names.are_wrong(conn), inherited=inherited.find(conn, job.shown))
    return found if found.is_misnamed else _require_applicable(found, job)


def _require_applicable(found: Survey, job: Job) -> Survey:
    engine.require_applicable(found, job.newest or job.versions[-1].number, job.shown)
    return found


def _is_done(conn: sqlite3.Connection, job: Job, found: Survey) -> bool:
    """Whether nothing is missing, and rows know nothing that the history does not."""
    return found.complete and not later.is_due(conn, job.versions)


def _nothing(job: Job, found: Survey) -> Outcome:
    return Outcome(job.shown, job.versions[-1].number, notes=tuple(found.notes))


def _copy_and_check(job: Job, backup: backups.NewBackup, pool: ThreadPoolExecutor) -> Future[Facts]:
    """Copy now; check and count in the background, while the changes are applied: COMMIT waits for both."""
    job.tell("backing up")
    with closing(connection.connect(job.path, timeout=job.timeout)) as source:
        backup.fill(lambda partial: connection.private_copy(source, partial, timeout=job.timeout))
    return pool.submit(gather, backup.partial, job.versions, durable=not job.rehearsal, thorough=job.rehearsal)


def _recorded_name(job: Job, backup: backups.NewBackup) -> str:
    """The file's name where it lies beside the database, else its absolute path."""
    return backup.path.name if backup.path.parent == job.path.parent else str(backup.path.absolute())


def _require(problems: list[str], job: Job, lead: str) -> None:
    if problems:
        raise RefusedError(
            f"Cannot migrate {job.shown}",
            lead + "; ".join(problems[:5]),
            "Nothing was changed. Mend that (on a copy first), or keep the database as it is.",
            path=job.shown,
            problems=tuple(problems),
        )


def _what_is_true(error: BaseException, job: Job, backup: backups.NewBackup) -> DashkitError:
    """Open the database again and look: the error of a last sync can come after a COMMIT that stands."""
    if isinstance(error, sqlite3.Error):
        error = connection.explain(job.shown, "migrate", error)
    committed: bool | None = None
    if isinstance(error, BusyError):  # not committed for sure, and to ask would be to wait once more
        committed = False
    else:
        with (
            suppress(DashkitError, sqlite3.Error, OSError),
            closing(connection.connect(job.path, timeout=job.timeout)) as conn,
        ):
            committed = record.read(conn).has_run(conn, _recorded_name(job, backup), job.now)
    if committed is False:
        with suppress(OSError):
            backup.withdraw()
    if isinstance(error, DashkitError) and not isinstance(error, FailedError) and not committed:
        return error
    verb = "was interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    why = error.why if isinstance(error, DashkitError) else f"{type(error).__name__}: {error}".rstrip(": ")
    truth = {
        False: "Nothing was changed; run it again when the cause is gone.",
        True: f"All changes are in place all the same, and the backup is {backup.path}.",
        None: f"The database could not be opened again; the backup, if it was made, is {backup.path}.",
    }[committed]
    return FailedError(f"The migration of {job.shown} {verb}", why, truth, path=job.shown)
