"""Before a roll back: which backup, whether it may be restored, and what would be lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection
from dashkit.errors import RefusedError
from dashkit.migrations import backups, later, record, requirements, shape, verify
from dashkit.migrations.changes import AddColumn, Version
from dashkit.migrations.fills import Fill, Insert
from dashkit.store import tracking
from dashkit.store.rows import REQUIRED, columns


@dataclass(frozen=True)
class Loss:
    """What a roll back takes away from one table: rows added, changed or removed since, or the whole object."""

    table: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    dropped: bool = False


def choose(path: Path, backup: Path | None, folder: Path | None) -> Path | None:
    """The backup to restore: the named one, else that of the last execute by its record, else the newest by name.

    None: nothing was ever executed here, so there is nothing to roll back.

    Raises:
        RefusedError: the recorded one is gone, or the named one is not there.
    """
    if backup is not None:
        if not backups.is_there(backup):
            raise _refused(path, f"there is no file {backup}", "Name a backup that is there.")
        return backup
    with closing(connection.connect_readonly(path)) as conn, connection.explained(path, "read"):
        name = record.read(conn).last_backup(conn)
        recorded = path.parent / name if name else None
        if recorded is None:
            requirements.require_dashboard(conn, path)
        migrated = "checked" in shape.columns(conn, "tasks")
    places = dict.fromkeys((folder or path.parent, path.parent))
    entries = [entry for place in places for entry in backups.found(path, place)]
    candidates = [entry.path for entry in sorted(entries, key=lambda entry: entry.sequence, reverse=True)]
    if recorded is not None:
        if backups.is_there(recorded):
            return recorded
        others = ", ".join(str(candidate) for candidate in candidates[:3]) or "none"
        raise _refused(
            path,
            f"the backup of the last execute is gone: {recorded} (others by name: {others})",
            "Put it back, or name another with --backup FILE.",
        )
    if not migrated:
        return None
    if not candidates:
        raise _refused(path, f"there is no backup of it in {folder or path.parent}", "Name one with --backup FILE.")
    return candidates[0]


def require_whole(path: Path, backup: Path) -> None:
    """Refuse a backup that is torn or damaged; only the backup is read.

    Raises:
        RefusedError: it is.
    """
    if damage := verify.damage(backup):
        raise _refused(path, f"{backup} is damaged ({damage[0]})", "Name another with --backup FILE.")


def require_fitting(path: Path, backup: Path) -> None:
    """Refuse a backup that is foreign or of another page size; the live file is only read.

    Raises:
        RefusedError: it is no database, no Dashboard, of another Dashboard, or the live file itself.
    """
    what = f"{backup} cannot be restored"
    if backup.resolve() == path.resolve():
        raise _refused(path, "the backup named is the database itself", "Name a backup.")
    with closing(connection.connect_immutable(backup)) as old, connection.explained(backup, "restore"):
        missing = [table for table in REQUIRED if not shape.owner(old, table)]
        size = old.execute("PRAGMA page_size").fetchone()[0]
    if missing:
        raise _refused(path, f"{what}: it is no Dashboard (no table {missing[0]})", "Name another with --backup FILE.")
    with closing(connection.connect_readonly(path)) as live, connection.explained(path, "read"):
        mine = live.execute("PRAGMA page_size").fetchone()[0]
        connection.attach_immutable(live, backup, "backup")
        foreign = _is_foreign(live)
    if size != mine:
        why = f"{what}: its page size is {size:,}, the database's is {mine:,}"
        raise _refused(path, why, "It is of another database; name the right one with --backup FILE.")
    if foreign:
        raise _refused(
            path,
            f"{what}: not one of its tasks is in this database",
            "It is of another Dashboard; name the right one with --backup FILE.",
        )


def _is_foreign(conn: sqlite3.Connection) -> bool:
    if not shape.owner(conn, "tasks"):
        return False
    counts = [conn.execute(f"SELECT count(*) FROM {schema}.tasks").fetchone()[0] for schema in ("main", "backup")]
    if 0 in counts:
        return False
    shared = "SELECT EXISTS (SELECT 1 FROM backup.tasks b JOIN main.tasks m ON m.id = b.id AND m.title IS b.title)"
    return not conn.execute(shared).fetchone()[0]


def losses(path: Path, backup: Path, versions: tuple[Version, ...]) -> tuple[Loss, ...]:
    """What the live database has that the backup does not, by table; only tables where there is something."""
    with closing(connection.connect_readonly(path)) as conn, connection.explained(path, "read"):
        connection.attach_immutable(conn, backup, "backup")
        old = {name.lower() for name in shape.tables(conn, "backup")}
        found = []
        kept = tracking.found(conn)
        names = (name for name in shape.tables(conn) if not name.startswith("sqlite_") and name.lower() not in kept)
        for table in names:
            if table.lower() not in old:
                found.append(Loss(table, added=_written(conn, table, versions), dropped=True))
            else:
                found.append(_loss(conn, table, versions))
        counted = [loss for loss in found if loss.added or loss.changed or loss.removed]
        return (*counted, *_made_since(conn, versions))


def _made_since(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> Iterator[Loss]:
    """Views, triggers, indexes and empty tables that somebody made since: neither the backup's nor a migration's."""
    before = shape.definitions(conn, "backup").keys()
    ours = verify.ours(conn, versions)
    for kind, name in shape.definitions(conn).keys() - before:
        if name.lower() in ours or name.startswith("sqlite_"):
            continue
        if kind != "table" or not verify.contents(conn, [name])[name]:
            yield Loss(f"{kind} {name}", dropped=True)


def _written(conn: sqlite3.Connection, table: str, versions: tuple[Version, ...]) -> int:
    """The rows of a new table, without those that the migration itself wrote."""
    # Another program's table of that name has none.
    changes = [change for version in versions for change in version.changes if columns(conn, table.lower())]
    ours = [change.mark for change in changes if isinstance(change, Insert) and change.table == table.lower()]
    moves = (move for version in versions for move in version.moves if move.table == table.lower())
    ours += [move.is_as_before() for move in moves if move.is_of(conn, "backup")]
    mine = f"({shape.any_of(ours)}) IS TRUE"
    return int(conn.execute(f"SELECT count(*) FROM {shape.quoted(table)} WHERE NOT {mine}").fetchone()[0])


def _loss(conn: sqlite3.Connection, table: str, versions: tuple[Version, ...]) -> Loss:
    key, name = shape.row_key(conn, table), shape.quoted(table)
    if key is None:
        rows = [verify.contents(conn, [table], schema)[table] for schema in ("main", "backup")]
        return Loss(table, added=max(0, rows[0] - rows[1]), removed=max(0, rows[1] - rows[0]))
    old = shape.columns(conn, table, "backup")
    fills = verify.filled(conn, versions, table)
    differs = [
        f"n.{shape.quoted(column.name)} IS NOT o.{shape.quoted(column.name)} COLLATE BINARY "
        f"AND NOT {fills.get(column.name.lower(), 'FALSE')}"
        for column in old.values()
        if not column.generated and column.name.lower() in shape.columns(conn, table)
    ]
    written = [
        f"EXISTS (SELECT 1 FROM main.{name} x WHERE x.{key} = n.{key} AND NOT ({condition}))"
        for condition in _untouched(conn, table, versions)
    ]
    changed, shared = conn.execute(
        f"SELECT total({shape.any_of(differs + written)}), count(*) "
        f"FROM backup.{name} o JOIN main.{name} n ON n.{key} = o.{key}"
    ).fetchone()
    rows = [verify.contents(conn, [table], schema)[table] for schema in ("main", "backup")]
    added = rows[0] - shared - _taken_over(conn, table, key)
    return Loss(table, added, int(changed), rows[1] - shared - _moved(conn, table, versions))


def _taken_over(conn: sqlite3.Connection, table: str, key: str) -> int:
    """The events that were made of rows since: nobody wrote them, and from the rows they come again."""
    if table.lower() not in later.TABLES or not columns(conn, table.lower()):  # another program's table
        return 0
    sql = (
        f"SELECT count(*) FROM main.{table} AS n WHERE (n.op = 'backfill' OR n.source = 'reconcile') "
        f"AND NOT EXISTS (SELECT 1 FROM backup.{table} AS o WHERE o.{key} = n.{key})"
    )
    return int(conn.execute(sql).fetchone()[0])


def _moved(conn: sqlite3.Connection, table: str, versions: tuple[Version, ...]) -> int:
    """The rows of the backup that the migration itself took to another table."""
    moves = [move for version in versions for move in version.moves if move.of == table.lower() and move.removes]
    moves = [move for move in moves if move.is_of(conn, "backup")]
    if not moves:
        return 0
    arrived = shape.any_of([move.arrived(conn, exactly=False) for move in moves])
    return int(conn.execute(f"SELECT count(*) FROM backup.{shape.quoted(table)} AS o WHERE {arrived}").fetchone()[0])


def _untouched(conn: sqlite3.Connection, table: str, versions: tuple[Version, ...]) -> Iterator[str]:
    """For each column that the backup does not have, the condition under which nobody has written to it."""
    changes = [change for version in versions for change in version.changes]
    added = {one.column: one for one in changes if isinstance(one, AddColumn) and one.table == table.lower()}
    filled = {one.column: one for one in changes if isinstance(one, Fill) and one.table == table.lower()}
    old = shape.columns(conn, table, "backup")
    for key, column in shape.columns(conn, table).items():
        if key in old or column.generated:
            continue
        if key not in added:
            yield f"{shape.quoted(column.name)} IS NULL"
        elif added[key].untouched != "TRUE":
            yield added[key].untouched
        elif key in filled:
            known = [source for source, _ in filled[key].available(conn) if not source.startswith(":")]
            its = Fill.value((*known, "NULL"))
            recorded = tracking.table(conn)
            now = f" OR {key} IN (SELECT applied_at FROM {recorded})" if recorded else ""
            yield f"{key} IS {its}{now}"
        else:
            yield f"{key} IS {added[key].default}"


def _refused(path: Path, why: str, remedy: str) -> RefusedError:
    return RefusedError(f"Cannot roll back {path}", why, remedy, path=path)
