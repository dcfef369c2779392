"""A migration and a roll back as two steps each: a plan that prints as its report, and its `.execute()`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashkit import connection, times
from dashkit.migrations import VERSIONS, engine, execution, preflight, recovery, report, restore
from dashkit.migrations.execution import Job, Outcome, Rehearsal
from dashkit.migrations.restore import Restored

Tell = Callable[[str], None]


def _quiet(_: str) -> None:
    """Nobody wants to hear of progress."""


@dataclass(frozen=True)
class Plan:
    """A dry run that was done: prints as the report, and `.execute()` does what it says."""

    rehearsal: Rehearsal
    to: str | None
    backup_dir: Path | None

    def __str__(self) -> str:
        return report.rehearsal_text(self.rehearsal, self.to)

    __repr__ = __str__

    @property
    def changes(self) -> tuple[str, ...]:
        """The names of the changes that would be applied."""
        return tuple(applied.change.name for applied in self.rehearsal.outcome.applied)

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        return report.rehearsal_data(self.rehearsal)

    def execute(self, *, tell: Tell = _quiet) -> "Migration":
        """Migrate the live database; see `execute`."""
        return execute(self.rehearsal.outcome.path, to=self.to, backup_dir=self.backup_dir, tell=tell)


@dataclass(frozen=True)
class Migration:
    """An execute that was done: prints as the report."""

    outcome: Outcome

    def __str__(self) -> str:
        return report.outcome_text(self.outcome)

    __repr__ = __str__

    @property
    def backup(self) -> Path | None:
        """The backup that was made; None where nothing had to be done."""
        return self.outcome.backup

    @property
    def changes(self) -> tuple[str, ...]:
        """The names of the changes that were applied."""
        return tuple(applied.change.name for applied in self.outcome.applied)

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        return report.outcome_data(self.outcome, done=True)


@dataclass(frozen=True)
class RollbackPlan:
    """What a roll back would restore and take away: prints as the question's text. No backup: nothing to do."""

    path: Path
    backup: Path | None
    backup_dir: Path | None = None

    @cached_property
    def losses(self) -> tuple[recovery.Loss, ...]:
        """What was written since the backup, by table; counted when asked for."""
        if self.backup is None:
            return ()
        recovery.require_whole(self.path, self.backup)
        return recovery.losses(self.path, self.backup, VERSIONS)

    def __str__(self) -> str:
        if self.backup is None:
            return f"{self.path} is at version 1.0: nothing was executed, so there is nothing to roll back."
        return report.losses_text(self.path, self.backup, self.losses)

    __repr__ = __str__

    def execute(self, *, tell: Tell = _quiet, timeout: float = connection.BUSY_SECONDS) -> "Rollback":
        """Save the present state, then restore the backup into the live database."""
        if self.backup is None:
            return Rollback(self, None)
        folder = (self.backup_dir or self.path.parent).resolve()
        done = restore.restore(restore.Job(self.path, self.backup, folder, times.utc_now(), timeout, tell))
        return Rollback(self, done)


@dataclass(frozen=True)
class Rollback:
    """A roll back that was done: prints as the report."""

    plan: RollbackPlan
    restored: Restored | None

    def __str__(self) -> str:
        return report.restored_text(self.restored) if self.restored else str(self.plan)

    __repr__ = __str__

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "path": str(self.plan.path),
            "restored_from": str(self.restored.backup) if self.restored else None,
            "saved_to": str(self.restored.saved) if self.restored else None,
            "seconds": round(self.restored.seconds, 4) if self.restored else 0.0,
        }


def migrate(
    db: str | Path | None = None,
    *,
    to: str | None = None,
    backup_dir: str | Path | None = None,
    tell: Tell = _quiet,
    timeout: float = connection.BUSY_SECONDS,
) -> Plan:
    """Rehearse the migration on a copy and say what it did; the database is not touched.

    Raises:
        RefusedError, BusyError, FailedError: whatever an execute would meet; see docs/migration-guide.md.
        UsageError: no such version or folder.
    """
    job = _job(db, to, backup_dir, tell, timeout)
    return Plan(execution.rehearse(job), to, Path(backup_dir) if backup_dir else None)


def execute(
    db: str | Path | None = None,
    *,
    to: str | None = None,
    backup_dir: str | Path | None = None,
    tell: Tell = _quiet,
    timeout: float = connection.BUSY_SECONDS,
) -> Migration:
    """Migrate the live database in place: backup, all changes in one transaction, verified before it commits.

    Raises:
        RefusedError: something forbids it; nothing changed.
        BusyError: another process holds the database; nothing changed.
        FailedError: it went wrong; the message says what is true now.
        UsageError: no such version or folder.
    """
    job = _job(db, to, backup_dir, tell, timeout)
    preflight.require_writable(job.path, job.folder)
    return Migration(execution.run(job))


def plan_rollback(
    db: str | Path | None = None, *, backup: str | Path | None = None, backup_dir: str | Path | None = None
) -> RollbackPlan:
    """Choose and check the backup, and count what would be lost; nothing is changed.

    What an interrupted program left to recover is recovered first: a roll back that was killed can be run again.

    Raises:
        RefusedError: no backup, or one that may not be restored.
    """
    path = preflight.real_path(connection.default_path(db))
    connection.recover(path)
    folder = Path(backup_dir) if backup_dir else None
    chosen = recovery.choose(path, Path(backup) if backup else None, folder)
    if chosen is None:
        return RollbackPlan(path, None)
    recovery.require_fitting(path, chosen)
    return RollbackPlan(path, chosen, folder)


def rollback(
    db: str | Path | None = None, *, backup: str | Path | None = None, backup_dir: str | Path | None = None
) -> Rollback:
    """Restore the state before the last execute, after a save of the present one.

    Raises:
        RefusedError, BusyError: nothing changed.
        FailedError: the message says what is true now.
    """
    return plan_rollback(db, backup=backup, backup_dir=backup_dir).execute()


def _job(db: str | Path | None, to: str | None, backup_dir: str | Path | None, tell: Tell, timeout: float) -> Job:
    path = connection.default_path(db)
    real = preflight.real_path(path)
    folder = Path(backup_dir).resolve() if backup_dir else real.parent
    wanted = engine.up_to(VERSIONS, to)
    return Job(real, path, folder, wanted, times.utc_now(), VERSIONS[-1].number, timeout=timeout, tell=tell)
