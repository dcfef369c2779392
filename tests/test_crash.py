"""What a migration and a roll back leave when they are killed, when the disk fails, and when others use the database.

Power loss is not simulated: a killed process loses nothing of what it handed to the system, a machine without
power may. Against that stand only the order of the syncs and SQLite's own promises.
"""

import random
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path

import builders
import crash_processes as processes
import crash_states as states
import pytest
from crash_processes import Point
from crash_states import Case

from dashkit import migrations
from dashkit.errors import BusyError, DashkitError
from dashkit.migrations import backups

MODES = ("delete", "wal")
BOTH = [(operation, mode) for operation in ("execute", "rollback") for mode in MODES]
FAILING = {"pwrite64", "write", "fsync", "fdatasync", "ftruncate", "link", "linkat", "unlink"}
PATIENCE = 0.5
pytestmark = pytest.mark.crash

Cases = Callable[..., Case]

traced = pytest.mark.skipif(not processes.can_trace(), reason="no strace, or it may not trace here")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """A maker of cases by operation, journal mode and number of tasks; each is made once."""

    @cache
    def made(operation: str, mode: str, tasks: int = 120) -> Case:
        return states.make(tmp_path_factory.mktemp(f"{operation}-{mode}"), operation, mode, tasks)

    return made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A maker of folders that are not there yet."""
    return (tmp_path / f"run{number}" for number in count(1))


class TestKilled:
    """SIGKILL just before a system call that changes a file or a folder."""

    @traced
    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_a_kill_leaves_old_or_new(self, cases, fresh, operation, mode):
        """At drawn points: the content is the old or the new, backups are whole, and a second run completes."""
        case = cases(operation, mode)
        for point in _drawn(_points(case, fresh, processes.library), f"{operation} {mode}", writes=1, others=2):
            _kill_and_judge(case, next(fresh), point)

    @traced
    @pytest.mark.exhaustive
    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_a_kill_at_every_point_leaves_old_or_new(self, cases, fresh, operation, mode):
        """The same at every point; both outcomes occur."""
        case = cases(operation, mode)
        found = {_kill_and_judge(case, next(fresh), point) for point in _points(case, fresh, processes.library)}
        assert found == {"old", "new"}

    @traced
    @pytest.mark.exhaustive
    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_a_kill_of_a_larger_migration_leaves_old_or_new(self, cases, fresh, operation, mode):
        """The same at many points of a run over 3,000 tasks."""
        case = cases(operation, mode, 3000)
        for point in _drawn(_points(case, fresh, processes.library), f"large {mode}", writes=20, others=20):
            _kill_and_judge(case, next(fresh), point)

    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_a_kill_at_any_time_leaves_old_or_new(self, cases, fresh, operation, mode):
        """The same for a kill at a random time, which needs no strace."""
        case = cases(operation, mode, 3000)
        whole = processes.duration(processes.library(operation, case.copy(next(fresh))))
        draw = random.Random(f"{operation} {mode}")
        for _ in range(2 if processes.can_trace() else 6):
            path = case.copy(next(fresh))
            processes.killed_after(processes.library(operation, path), draw.uniform(0.2, 1) * whole)
            _judge(case, path)


class TestFailingDisk:
    """ENOSPC and EIO at writes and syncs, for once or from then on."""

    @traced
    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_an_error_leaves_old_or_new_and_is_told(self, cases, fresh, operation, mode):
        """At drawn points: the content is the old or the new, and exit status and message say which."""
        case = cases(operation, mode)
        points = [point for point in _points(case, fresh, processes.command) if point.call in FAILING]
        draw = random.Random(f"error {operation} {mode}")
        for point in _drawn(points, f"error {operation} {mode}", writes=1, others=2):
            faulty = Point(point.call, point.number, onwards=draw.random() < 0.5)
            _fail_and_judge(case, next(fresh), faulty, draw.choice(("EIO", "ENOSPC")))

    @traced
    @pytest.mark.exhaustive
    @pytest.mark.parametrize("onwards", [False, True], ids=["once", "onwards"])
    @pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
    @pytest.mark.parametrize(("operation", "mode"), BOTH)
    def test_an_error_at_every_point_leaves_old_or_new(self, cases, fresh, operation, mode, error, onwards):
        """The same at every point."""
        case = cases(operation, mode)
        for point in _points(case, fresh, processes.command):
            if point.call in FAILING:
                _fail_and_judge(case, next(fresh), Point(point.call, point.number, onwards), error)

    @traced
    @pytest.mark.parametrize("mode", MODES)
    def test_a_backup_that_cannot_be_synced_stops_the_migration(self, cases, fresh, mode):
        """The second thread syncs the backup; where that fails, nothing is changed and no backup is left."""
        case = cases("execute", mode)
        path = case.copy(next(fresh))
        code, said = processes.failing(processes.command("execute", path), Point("fsync", 1), "EIO", threads=True)
        assert (code, case.state(path), backups.found(path)) == (5, "old", [])
        assert "Nothing was changed" in said


def _points(case: Case, fresh: Iterator[Path], work: Callable[[str, Path], list[str]]) -> list[Point]:
    path = case.copy(next(fresh))
    found = processes.points(work(case.operation, path), path.parent)
    assert len(found) > 30
    return found


def _drawn(found: list[Point], seed: str, *, writes: int, others: int) -> list[Point]:
    """Some of the many writes of a page, and some of the few other calls, always the same."""
    draw = random.Random(seed)
    pages = [point for point in found if point.call == "pwrite64"]
    rest = [point for point in found if point.call != "pwrite64"]
    return draw.sample(pages, min(writes, len(pages))) + draw.sample(rest, min(others, len(rest)))


def _kill_and_judge(case: Case, folder: Path, point: Point) -> str:
    path = case.copy(folder)
    try:
        assert processes.killed(processes.library(case.operation, path), point) == -9
        return _judge(case, path)
    except (AssertionError, DashkitError, sqlite3.Error) as error:
        error.add_note(f"killed before {point}")
        raise


def _judge(case: Case, path: Path) -> str:
    """The state that is left; and from there, a second run completes."""
    looked_at = path.parent.with_name(f"{path.parent.name}-looked-at")  # a look recovers; the second run has to do so
    shutil.copytree(path.parent, looked_at)
    state = case.state(looked_at / path.name)
    case.run(path)
    assert case.state(path) == "new"
    return state


def _fail_and_judge(case: Case, folder: Path, point: Point, error: str) -> None:
    path = case.copy(folder)
    try:
        code, said = processes.failing(processes.command(case.operation, path), point, error)
        left = backups.found(path, kind=backups.BACKUP if case.operation == "execute" else backups.BEFORE_ROLLBACK)
        state = _judge(case, path)
        assert "Traceback" not in said
        assert state in _told(code, said), f"exit status {code}, and the state is {state}: {said}"
        if "Nothing was changed" in said and point.call != "unlink":
            assert left == [], "a backup of nothing is left"
    except (AssertionError, DashkitError, sqlite3.Error) as failed:
        failed.add_note(f"{error} at {point}")
        raise


def _told(code: int, said: str) -> set[str]:
    """The states that an exit status and a message allow."""
    if code == 0:
        return {"new"}
    if code in (3, 4) or "Nothing was changed" in said:
        return {"old"}
    if "all the same" in said:
        return {"new"}
    return {"old", "new"} if code == 5 and "could not be" in said else set()


class TestNeighbours:
    """Programs that use the database meanwhile."""

    @pytest.mark.parametrize("mode", MODES)
    def test_no_acknowledged_row_is_lost_by_an_execute(self, cases, fresh, mode):
        """What another program committed before, during and after is in the migrated database."""
        path = cases("execute", mode, 3000).copy(next(fresh))
        with processes.neighbour("write", path) as writer:
            writer.hear(60)
            migrations.execute(path)
            writer.hear(60)
        rows, counted = _acknowledged(writer.said)
        assert rows <= states.titles(path)
        assert _counted(path) == counted
        assert migrations.status(path).ready

    @pytest.mark.parametrize("mode", MODES)
    def test_no_acknowledged_row_is_lost_by_a_rollback(self, cases, fresh, mode):
        """What another program committed before, during and after is in the restored database or in the save."""
        path = cases("rollback", mode, 3000).copy(next(fresh))
        with processes.neighbour("write", path) as writer:
            writer.hear(60)
            migrations.rollback(path)
            writer.hear(60)
        (save,) = backups.found(path, kind=backups.BEFORE_ROLLBACK)
        rows, counted = _acknowledged(writer.said)
        assert rows <= states.titles(path) | states.titles(save.path)
        assert rows - states.titles(path), "all rows are in the restored database"
        assert max(_counted(path), _counted(save.path)) == counted
        assert migrations.status(path).version == "1.0"

    def test_nobody_writes_between_save_and_restore(self, cases, fresh):
        """In delete mode the roll back keeps the database for itself from the save to the restore."""
        path = cases("rollback", "delete").copy(next(fresh))
        met = []

        def write(stage: str) -> None:
            if stage == "restoring":
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    _write_now(path, "Between")
                met.append(stage)

        migrations.plan_rollback(path).execute(tell=write)
        assert met == ["restoring"]
        _write_now(path, "After")
        assert "After" in states.titles(path)

    def test_a_write_between_save_and_restore_is_saved(self, cases, fresh):
        """In WAL mode a write that comes between is noticed, and the save is made again; the only one has it."""
        path = cases("rollback", "wal").copy(next(fresh))
        met = []

        def write(stage: str) -> None:
            if stage == "restoring" and stage not in met:
                _write_now(path, "Between")
            met.append(stage)

        migrations.plan_rollback(path).execute(tell=write)
        (save,) = backups.found(path, kind=backups.BEFORE_ROLLBACK)
        assert met.count("restoring") == 2
        assert "Between" in states.titles(save.path) - states.titles(path)

    @pytest.mark.parametrize("mode", MODES)
    def test_a_reader_goes_on_reading(self, cases, fresh, mode):
        """A connection that reads all the time sees the old columns, the new ones, the old ones again, and no error."""
        path = cases("execute", mode, 3000).copy(next(fresh))
        with processes.neighbour("read", path) as reader:
            migrations.execute(path)
            reader.hear(20)
            migrations.rollback(path)
        seen = [columns for columns, before in zip(reader.said, ["", *reader.said], strict=False) if columns != before]
        assert seen == ["9", "20", "9"]


def _write_now(path: Path, title: str) -> None:
    """Insert a task, or fail at once where the database is locked."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as conn:
        conn.execute("INSERT INTO tasks (project_id, title, status) VALUES (1, ?, 'pending')", (title,))


def _acknowledged(said: list[str]) -> tuple[set[str], int]:
    """The rows that a writer was told are in, and the last count."""
    rows = {line for line in said if line.startswith("row ")}
    return rows, max(int(line.removeprefix("count ")) for line in said if line.startswith("count "))


def _counted(path: Path) -> int:
    value = builders.query(path, "SELECT description FROM tasks WHERE id = 1")[0][0]
    return int(value) if value.isdecimal() else 0


class TestBusy:
    """Another process holds the database, and does not let go."""

    @pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
    @pytest.mark.parametrize("mode", MODES)
    def test_an_execute_gives_up_in_time(self, cases, fresh, mode, lock):
        """Against a writer that holds its lock, an execute says busy in time, and has changed nothing."""
        case = cases("execute", mode)
        path = case.copy(next(fresh))
        with processes.neighbour("hold", path, lock, "UPDATE tasks SET title = 'x'"):
            _gives_up(lambda: migrations.execute(path, timeout=PATIENCE))
        assert (case.state(path), _left(path)) == ("old", [])

    def test_an_execute_gives_up_on_a_long_read(self, cases, fresh):
        """Against a reader that never ends, COMMIT says busy in time; the backup, made by then, is taken back."""
        case = cases("execute", "delete")
        path = case.copy(next(fresh))
        with processes.neighbour("hold", path, "BEGIN", "SELECT count(*) FROM tasks"):
            _gives_up(lambda: migrations.execute(path, timeout=PATIENCE))
        assert (case.state(path), _left(path)) == ("old", [])

    @pytest.mark.parametrize("operation", ["execute", "rollback"])
    def test_in_wal_mode_a_long_read_is_in_nobodys_way(self, cases, fresh, operation):
        """There the reader keeps its snapshot, and both operations complete."""
        case = cases(operation, "wal")
        path = case.copy(next(fresh))
        with processes.neighbour("hold", path, "BEGIN", "SELECT count(*) FROM tasks"):
            case.run(path)
        assert case.state(path) == "new"

    @pytest.mark.parametrize("mode", MODES)
    def test_a_dry_run_works_beside_a_writer(self, cases, fresh, mode):
        """A writer in its transaction lets others read, so a dry run completes, without what is not committed."""
        case = cases("execute", mode)
        path = case.copy(next(fresh))
        with processes.neighbour("hold", path, "BEGIN IMMEDIATE", "UPDATE tasks SET status = 'completed'"):
            assert "Mark 24 completed tasks as checked" in str(migrations.migrate(path, timeout=PATIENCE))
        assert (case.state(path), _left(path)) == ("old", [])

    def test_a_dry_run_gives_up_in_time(self, cases, fresh):
        """A writer that lets nobody read makes a dry run say busy in time."""
        path = cases("execute", "delete").copy(next(fresh))
        with processes.neighbour("hold", path, "BEGIN EXCLUSIVE"):
            _gives_up(lambda: migrations.migrate(path, timeout=PATIENCE))

    @pytest.mark.parametrize(
        ("mode", "statements"),
        [
            ("delete", ("BEGIN IMMEDIATE", "UPDATE tasks SET title = 'x'")),
            ("delete", ("BEGIN EXCLUSIVE",)),
            ("delete", ("BEGIN", "SELECT count(*) FROM tasks")),
            ("wal", ("BEGIN IMMEDIATE", "UPDATE tasks SET title = 'x'")),
        ],
    )
    def test_a_rollback_gives_up_in_time(self, cases, fresh, mode, statements):
        """Against a writer, or in delete mode a reader, a roll back says busy in time, and has changed nothing."""
        case = cases("rollback", mode)
        path = case.copy(next(fresh))
        plan = migrations.plan_rollback(path)
        with processes.neighbour("hold", path, *statements):
            _gives_up(lambda: plan.execute(timeout=PATIENCE))
        assert (case.state(path), backups.found(path, kind=backups.BEFORE_ROLLBACK)) == ("old", [])
        assert not list(path.parent.glob("*.partial"))


def _gives_up(work: Callable[[], object]) -> None:
    started = time.monotonic()
    with pytest.raises(BusyError, match="Nothing changed"):
        work()
    assert time.monotonic() - started < PATIENCE + 1.5


def _left(path: Path) -> list[str]:
    """What a run left beside the database that is not SQLite's."""
    return sorted(
        entry.name for entry in path.parent.iterdir() if not re.fullmatch(r"dash\.db(-wal|-shm)?", entry.name)
    )


class TestTwoAtOnce:
    """Two migrations in two processes."""

    @pytest.mark.parametrize("mode", MODES)
    def test_one_of_two_applies(self, cases, fresh, mode):
        """On one database, one applies all changes, the other finds them there or is busy, and there is one backup."""
        case = cases("execute", mode, 3000)
        path = case.copy(next(fresh))
        said = _at_once((path,), (path,))
        assert sum("Migration complete" in report for report in said) == 1
        assert sum("already at version" in report or report.startswith("busy") for report in said) == 1
        assert len(backups.found(path)) == 1
        assert case.state(path) == "new"

    def test_two_databases_of_one_name_share_a_backup_folder(self, cases, fresh):
        """Each gets a backup of its own there, whole, under the name that the database records."""
        folder = next(fresh)
        folder.mkdir()
        of = {case.copy(next(fresh)): case for case in (cases("execute", "delete", 3000), cases("execute", "delete"))}
        said = _at_once(*((path, folder) for path in of))
        assert all("Migration complete" in report for report in said)
        assert len(list(folder.iterdir())) == 2
        for path, case in of.items():
            ((recorded,),) = builders.query(path, "SELECT DISTINCT backup FROM schema_migrations")
            assert states.content(folder / recorded) == case.old
            migrations.rollback(path, backup_dir=folder)
            assert states.content(path) == case.old


def _at_once(*works: tuple[Path, ...]) -> list[str]:
    """Start an execute for each, ready to go, then let them go together; what each said after "ready"."""
    one, two = works
    with processes.neighbour("execute", *one) as first, processes.neighbour("execute", *two) as second:
        first.go()
        second.go()
        return [beside.end().removeprefix("ready\n") for beside in (first, second)]
