"""Where a database stands: its version, what is pending, what differs from what was applied."""

import shlex
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection
from dashkit.migrations import backups, engine, inherited, names, preflight, requirements, shape, verify
from dashkit.migrations.changes import Version
from dashkit.migrations.surveys import Survey


@dataclass(frozen=True)
class Status:
    """A database's version ("1.0", or the newest that is complete), and per known version the pending changes.

    `grown`: those of them that a version which was applied here got since. `amiss`: what another program took away
    from tables, or named otherwise. `remedies`: what to do about the obstacles; `free`: the last version that none of
    them stops, where that is not the newest.
    """

    path: Path
    version: str
    pending: tuple[tuple[str, tuple[str, ...]], ...]
    unrecorded: tuple[str, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[tuple[str, int], ...]
    backups: tuple[Path, ...]
    migrated_at: str | None
    backup: Path | None
    newer: bool
    grown: tuple[str, ...] = ()
    amiss: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    free: str = ""

    @property
    def serves(self) -> bool:
        """Whether the newest version is there, though it may have more by now: what reads and writes it can."""
        waiting = {name for _, names in self.pending for name in names} - {*self.grown}
        return not (waiting or self.obstacles or self.newer)

    @property
    def stays(self) -> bool:
        """Whether it is complete at its version, and something is in the way of a later one alone."""
        return self.free == self.version and not dict(self.pending)[self.free]

    @property
    def ready(self) -> bool:
        """Nothing is pending in any version."""
        waiting = any(names for _, names in self.pending)
        return not (waiting or self.obstacles or self.unrecorded or self.amiss or self.newer)

    def __str__(self) -> str:
        text = [f"{self.path}: version {self.version}"]
        text += [f"  {rows:>9,}  {table}" for table, rows in self.rows if rows]
        if self.backup:
            gone = "" if self.backup.is_file() else " (it is gone: put it back to be able to roll back)"
            text.append(f"Backup of the last migration: {self.backup}{gone}")
        elif self.backups:
            text.append(f"Newest backup: {self.backups[0].name} (of {len(self.backups)})")
        text += [f"Note: {note}" for note in self.notes]
        text += [f"Amiss: {one}" for one in self.amiss]
        text += [f"In the way: {obstacle}" for obstacle in self.obstacles]
        if self.unrecorded:
            text.append(f"There but not recorded: {', '.join(self.unrecorded)}")
        return "\n".join([*text, self.verdict])

    @property
    def verdict(self) -> str:
        """The last line: READY, or what is pending and what to run."""
        see = f"{self._command('migrate')} shows what would change"
        if self.newer:
            return f"REFUSED: version {self.version} is newer than this dashkit knows; update dashkit"
        if self.obstacles:
            of_later = f"READY ({self.version}); something is in the way of a later version: "
            lead = of_later if self.stays and not self.amiss else "REFUSED: the migration cannot run yet; "
            return f"{lead}{self._command('doctor')} says what to do"
        waiting = {version: names for version, names in self.pending if names}
        reached = engine.number(self.version)
        if self.version == "1.0" or any(engine.number(version) <= reached for version in waiting):
            return f"PENDING {'; '.join(_told(version, names) for version, names in waiting.items())}. {see}"
        if self.amiss:
            return f"PENDING: another program has changed a table; {self._command('doctor')} says how that is mended"
        if self.unrecorded:
            return f"PENDING: what is there is not recorded; {self._command('migrate --execute')} records it"
        later = f"; {', '.join(waiting)} available: {see}" if waiting else ""
        return f"READY ({self.version}){later}"

    def _command(self, words: str) -> str:
        """A command on this database, as it is typed."""
        return f"`dashkit {words} --db {shlex.quote(str(self.path))}`"

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "path": str(self.path),
            "version": self.version,
            "ready": self.ready,
            "pending": {version: list(names) for version, names in self.pending},
            "unrecorded": list(self.unrecorded),
            "obstacles": list(self.obstacles),
            "remedies": list(self.remedies),
            "notes": list(self.notes),
            "amiss": list(self.amiss),
            "rows": dict(self.rows),
            "backup": str(self.backup) if self.backup else None,
            "backups": [str(backup) for backup in self.backups],
        }


def _told(version: str, names: tuple[str, ...]) -> str:
    listed = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return f"{version}: {len(names)} {'change' if len(names) == 1 else 'changes'} ({listed})"


def read(path: Path, versions: tuple[Version, ...]) -> Status:
    """Look at a database without changing a byte of it.

    Raises:
        RefusedError: no Dashboard.
    """
    real = preflight.real_path(path)
    with closing(connection.connect_readonly(real)) as conn, connection.explained(path, "read"):
        requirements.require_dashboard(conn, path)
        found = engine.survey(conn, versions)
        found = found._replace(references=requirements.references(conn), inherited=inherited.find(conn, real))
        # Behind a name that is wrong anything may seem to be in the way; a migration puts it right first.
        wrong = [str(one) for one in names.find(conn) if one.meant] if found.obstacles else []
        rows = verify.contents(conn, shape.tables(conn))
    pending = tuple(
        (version.number, tuple(item.change.name for item in found.missing if item.version == version.number))
        for version in versions
    )
    return Status(
        path,
        version_of(found, versions),
        pending,
        tuple(item.change.name for item in found.adopted),
        () if wrong else tuple(found.obstacles),
        tuple(found.notes),
        tuple((table, count) for table, count in rows.items() if not table.startswith("sqlite_")),
        tuple(backup.path for backup in backups.found(real)),
        found.record.migrated_at,
        real.parent / found.record.backup if found.record.backup else None,
        engine.number(version_of(found, versions)) > engine.number(versions[-1].number),
        tuple(item.change.name for item in found.grown),
        (*map(str, found.lost), *wrong),
        () if wrong else tuple(found.remedies),
        "" if wrong else found.free,
    )


def version_of(found: Survey, versions: tuple[Version, ...]) -> str:
    """The newest version that was applied here, by its record or by being all there; "1.0" where none was."""
    applied = {item.version for item in found.items if item.checksum is not None} | set(found.recorded_versions)
    for version in versions:
        if all(item.finding.state == "there" for item in found.items if item.version == version.number):
            applied.add(version.number)
    return max(applied, key=engine.number, default="1.0")


def features(conn: sqlite3.Connection, version: Version) -> dict[str, bool]:
    """Each change of one version -> whether it is there."""
    found = engine.survey(conn, (version,))
    return {item.change.name: item.finding.state == "there" for item in found.items}
