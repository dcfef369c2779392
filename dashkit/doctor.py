"""What is wrong with a database, and what to do about it: findings as data. It repairs nothing and changes no byte."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from dashkit import connection, migrations
from dashkit.errors import DashkitError
from dashkit.ingest.links import refused_patterns
from dashkit.migrations import backups, engine, verify
from dashkit.migrations.changes import CreateTrigger
from dashkit.migrations.report import counted
from dashkit.store import backfill, health

State = Literal["good", "note", "wrong"]
_MIGRATE = "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`."
_NAMED = 4  # changes of a version that came later
_TAKE_OVER = (
    "The next `dashkit scan`, or `dashkit migrate --execute`, takes that over into the history; nothing else has to be "
    "done."
)
_RECONCILE = (
    "Find out who writes without the triggers; the next `dashkit scan` takes the present over into the history."
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not good (a note may stay as it is)."""

    check: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All findings about one database; prints as them."""

    path: Path
    version: str
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Nothing is wrong."""
        return not any(finding.state == "wrong" for finding in self.findings)

    def __str__(self) -> str:
        text = [f"{self.path}: version {self.version}"]
        for one in self.findings:
            text.append(f"  {one.state.upper() if one.state == 'wrong' else one.state:<5}  {one.check}: {one.found}")
            text += [f"         {one.remedy}"] if one.remedy else []
        wrong = sum(one.state == "wrong" for one in self.findings)
        return "\n".join([*text, f"WRONG: {wrong} of {len(self.findings)} checks" if wrong else "HEALTHY"])

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        findings = [asdict(finding) for finding in self.findings]
        return {"path": str(self.path), "version": self.version, "healthy": self.healthy, "findings": findings}


def examine(db: str | Path | None = None) -> Diagnosis:
    """Look at everything that can be wrong with a database, of any version.

    Raises:
        RefusedError: no such file, no Dashboard, or too damaged to be read.
        BusyError: another process holds it.
    """
    path = connection.default_path(db)
    standing = migrations.status(path)
    with closing(connection.connect_readonly(path)) as conn, connection.explained(path, "read"):
        found = (
            *_integrity(conn),
            *_schema(standing),
            *_rows(conn),
            *(Finding("settings", "wrong", f"{one.what}: {one.why}", one.remedy) for one in refused_patterns(conn)),
            *_history(conn),
            _recorded_backups(conn, path.resolve()),
            _unfinished(path.resolve()),
        )
    return Diagnosis(path, standing.version, found)


def _integrity(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Damage; and rows that break the conditions of their table, which another program can write at will."""
    damage = verify.damage_of(conn)
    broken = [line for line in damage if line.startswith("CHECK constraint failed")]
    if len(damage) > len(broken):
        remedy = "Restore a backup with `dashkit migrate --rollback`, or save what can be read with `sqlite3 .recover`."
        yield Finding("integrity", "wrong", "; ".join(line for line in damage if line not in broken), remedy)
    else:
        yield Finding("integrity", "good", "every page and index is sound")
    if broken:
        yield Finding(
            "conditions", "wrong", "; ".join(broken), "Mend the rows that break the conditions of their table."
        )


def _schema(standing: migrations.Status) -> Iterator[Finding]:
    """Our own objects: what the database's version has and is missing, and what a later one would bring."""
    reached = [(number, names) for number, names in standing.pending if _at_most(number, standing.version)]
    later = [number for number, _ in standing.pending if not _at_most(number, standing.version)]
    if later:
        yield Finding("version", "note", f"{standing.version}; {' and '.join(later)} to come", _MIGRATE)
    else:
        yield Finding("version", "good", f"{standing.version}, the newest")
    triggers = {
        change.name
        for version in migrations.VERSIONS
        for change in version.changes
        if isinstance(change, CreateTrigger)
    }
    gone = [name for _, names in reached for name in names if name not in standing.grown]
    silent = [name for name in gone if name in triggers]
    if silent:
        remedy = "`dashkit migrate --execute` puts them back; changes made meanwhile are not in the history."
        yield Finding("triggers", "wrong", f"gone: {', '.join(silent)}", remedy)
    elif not later:
        yield Finding("triggers", "good", "every change is watched")
    lost = [name for name in gone if name not in triggers]
    if lost or standing.obstacles:
        told = [f"missing: {', '.join(lost)}"] if lost else []
        remedy = "Rename or remove what is in the way first. " if standing.obstacles else ""
        yield Finding("schema", "wrong", "; ".join([*told, *standing.obstacles]), remedy + _MIGRATE)
    elif reached and not standing.grown:
        yield Finding("schema", "good", "every table, column and index is there")
    if standing.grown:
        listed = ", ".join(standing.grown[:_NAMED]) + (", ..." if len(standing.grown) > _NAMED else "")
        yield Finding(
            "schema",
            "note",
            f"{standing.version} lacks {len(standing.grown)} changes that came to it later: {listed}",
            _MIGRATE,
        )
    if standing.unrecorded:
        told_names = f"there but not recorded: {', '.join(standing.unrecorded)}"
        yield Finding("records", "note", told_names, "`dashkit migrate --execute` records it.")
    for note in standing.notes:
        yield Finding("schema", "note", note, "It does no harm, and nothing has to be done.")


def _at_most(version: str, other: str) -> bool:
    return engine.number(version) <= engine.number(other)


def _rows(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Keys that point nowhere, and values outside of what they may be."""
    orphans = verify.orphans(conn)
    orphans |= {where: count for where, count in health.orphans(conn).items() if count}
    if orphans:
        told = ", ".join(f"{where} ({count:,})" for where, count in sorted(orphans.items()))
        remedy = "`PRAGMA foreign_key_check` lists them; delete them, or give them a row that is there."
        yield Finding("foreign keys", "wrong", f"rows that point nowhere: {told}", remedy)
    else:
        yield Finding("foreign keys", "good", "every row points to one that is there")
    found = health.out_of_range(conn)
    for told, remedy, wrong in found:
        yield Finding("values", "wrong" if wrong else "note", told, remedy)
    if not found:
        yield Finding("values", "good", "all are in their range")


def _history(conn: sqlite3.Connection) -> Iterator[Finding]:
    """Whether what the history says last is what the rows say; nothing where there is none, or not all of it."""
    if not health.has_history(conn):
        return
    if health.is_at_rest(conn):
        yield Finding("event_context", "good", "at rest")
    else:
        remedy = (
            "Run `INSERT OR REPLACE INTO event_context (id, suspended) VALUES (1, 0)`: until then changes may not be "
            "recorded, or under another's name."
        )
        yield Finding("event_context", "wrong", "not one row at rest", remedy)
    tasks, first = health.unlike_history(conn)
    if tasks:
        told = f"{tasks:,} tasks are not as their last events say (the first: {first})"
        yield Finding("history", "wrong", told, _RECONCILE)
    elif dependencies := health.unlike_dependency_history(conn):
        yield Finding("history", "wrong", f"{dependencies:,} dependencies are not as their last events", _RECONCILE)
    else:
        yield Finding("history", "good", "every task and dependency is as its last events say")
    if known := backfill.pending(conn):
        told = " and ".join(
            counted(count, noun)
            for count, noun in ((known.completions, "completions"), (known.arrivals, "arrivals"))
            if count
        )
        yield Finding("dates", "note", f"rows know of earlier times than the history: {told}", _TAKE_OVER)
    else:
        yield Finding("dates", "good", "the history knows what rows say of earlier times")


def _recorded_backups(conn: sqlite3.Connection, path: Path) -> Finding:
    """Whether each backup that a migration recorded is there and can be opened."""
    recorded = [path.parent / name for name in health.recorded_backups(conn)]
    gone = [backup for backup in recorded if not backups.is_there(backup)]
    torn = [backup for backup in recorded if backup not in gone and not _opens(backup)]
    if torn:
        remedy = "There is no way back by it; make a copy of the database now, with `sqlite3 FILE '.backup COPY'`."
        return Finding("backups", "wrong", f"cannot be read: {', '.join(map(str, torn))}", remedy)
    if gone:
        remedy = "Put it back, unless nobody would go back any more: then nothing has to be done."
        return Finding("backups", "note", f"recorded, and gone: {', '.join(map(str, gone))}", remedy)
    if recorded:
        return Finding("backups", "good", f"{len(recorded)} recorded, and there")
    others = len(backups.found(path))
    return Finding(
        "backups", "good", f"none is recorded, {others} beside the database" if others else "none was needed"
    )


def _opens(backup: Path) -> bool:
    try:
        with closing(connection.connect_immutable(backup)) as conn:
            return bool(conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except (DashkitError, sqlite3.Error):
        return False


def _unfinished(path: Path) -> Finding:
    """Backups that a run which was stopped left half made."""
    left = [entry.name for entry in path.parent.iterdir() if _is_partial(entry.name, path.stem)]
    if not left:
        return Finding("unfinished files", "good", "none")
    remedy = "If no dashkit is running on it, delete them: no program needs them."
    return Finding("unfinished files", "note", ", ".join(sorted(left)), remedy)


def _is_partial(name: str, stem: str) -> bool:
    kinds = (f".{stem}.{kind}_" for kind in (backups.BACKUP, backups.BEFORE_ROLLBACK))
    return name.startswith(tuple(kinds)) and ".partial" in name
