"""The checks of a verification, as data. The connection has the state after as `main`, that before as `backup`."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.migrations import engine, report, shape, verify
from dashkit.records import Check
from dashkit.verification import contents


def rows(tables: tuple[contents.Table, ...]) -> Iterator[Check]:
    """Every old row and value is there, table by table; edits since the migration are told apart."""
    for table in tables:
        parts = [f"{report.counted(table.rows_before, 'rows')} before, {table.rows_after:,} now"]
        parts += [f"{table.missing:,} missing"] if table.missing else []
        parts += [f"{table.changed - table.edited:,} changed and not marked as edited"] if not table.kept else []
        parts += [f"{table.edited:,} edited since"] if table.edited else []
        if table.kept and not table.changed:
            parts.append("every old value equal")
        yield Check(f"nothing lost in {table.name}", table.kept, ", ".join(parts))


def state(conn: sqlite3.Connection, before: Path, after: Path) -> Iterator[Check]:
    """Whether the database is sound: integrity, foreign keys, orphans, ranges, agreement."""
    damage = verify.damage(after)
    yield Check("integrity_check", not damage, "; ".join(damage) or "ok")
    with closing(connection.connect_immutable(before)) as old:
        known = verify.orphans(old)
    now = verify.orphans(conn)
    new = {table: count - known.get(table, 0) for table, count in now.items() if count > known.get(table, 0)}
    told = f"{sum(now.values()):,} rows point nowhere, as before" if now else "none points nowhere"
    yield Check("foreign keys", not new, ", ".join(f"{table}: {count:,} new" for table, count in new.items()) or told)
    for table in ("task_commit_links", "task_session_links"):
        yield _none(conn, f"orphans in {table}", f"{table} l LEFT JOIN tasks t ON t.id = l.task_id WHERE t.id IS NULL")
        yield _none(conn, f"confidence in {table}", f"{table} WHERE NOT coalesce(confidence BETWEEN 0 AND 1, FALSE)")
    yield _none(conn, "checked is 0 or 1", "tasks WHERE checked IS NOT NULL AND checked NOT IN (0, 1)")
    yield _none(conn, "a size is S, M, L or XL", "tasks WHERE complexity NOT IN ('S', 'M', 'L', 'XL')")


def migration(conn: sqlite3.Connection) -> Iterator[Check]:
    """Whether the migration did what it says, and recorded it."""
    found = engine.survey(conn, migrations.VERSIONS[:1])
    missing = [item.change.name for item in found.missing]
    yield Check(
        "schema as specified", not missing and not found.obstacles, ", ".join(missing) or "all changes are there"
    )
    recorded = [item for item in found.items if item.checksum is not None]
    edited = [item.change.name for item in recorded if item.checksum != item.change.checksum]
    yield Check(
        "every change is recorded",
        len(recorded) == len(found.items) and not edited,
        f"{len(recorded)} of {len(found.items)}" + (f"; in another wording: {', '.join(edited)}" if edited else ""),
    )
    completed, unchecked = conn.execute(
        "SELECT count(*), total(n.checked IS NOT 1) FROM backup.tasks o JOIN main.tasks n ON n.id = o.id "
        "WHERE o.status = 'completed' COLLATE BINARY"
    ).fetchone()
    since = conn.execute("SELECT max(applied_at) FROM schema_migrations").fetchone()[0]
    unexplained = conn.execute(
        "SELECT count(*) FROM backup.tasks o JOIN main.tasks n ON n.id = o.id "
        "WHERE o.status = 'completed' COLLATE BINARY AND n.checked IS NOT 1 "
        "AND NOT coalesce(julianday(n.updated_at) > julianday(?), FALSE)",
        (since,),
    ).fetchone()[0]
    told = f"{completed - int(unchecked):,} of {report.counted(completed, 'completed tasks')} checked"
    if unchecked and not unexplained:
        told += f"; {int(unchecked):,} unchecked by somebody since"
    yield Check("checked agrees with status", not unexplained, told)
    empty = conn.execute(
        "SELECT count(*) FROM backup.tasks o JOIN main.tasks n ON n.id = o.id WHERE n.updated_at IS NULL"
    ).fetchone()[0]
    yield Check("updated_at is populated", not empty, f"{empty:,} empty")


def schema_difference(conn: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """What is new or other in the schema: (kind, name, difference); what is the same is left out."""
    before, after = shape.definitions(conn, "backup"), shape.definitions(conn)
    for kind, name in before.keys() - after.keys():
        yield kind, name, "gone"
    for (kind, name), (_, sql) in after.items():
        if name.startswith("sqlite_"):
            continue
        if (kind, name) not in before:
            yield kind, name, "added"
        elif kind == "table":
            old = shape.columns(conn, name, "backup")
            yield from (
                ("column", f"{name}.{column}", "added") for column in shape.columns(conn, name) if column not in old
            )
        elif before[kind, name][1] != sql:
            yield kind, name, "changed"


def roll_back(before: Path, folder: Path) -> Check:
    """Rehearse the way there and back on a copy: the content afterwards is that before."""
    path = folder / "rehearsal" / "dashboard.db"
    path.parent.mkdir()
    shutil.copy(before, path)
    if migrations.status(path).version == "1.0":
        migrations.execute(path)
    else:  # the state before was a later version with something missing
        return Check("rollback rehearsed", ok=True, found="the state before was migrated already: nothing to rehearse")
    started = time.perf_counter()
    migrations.rollback(path)
    seconds = time.perf_counter() - started
    tables = contents.compare(before, path, None)
    with closing(connection.connect_immutable(path)) as conn:
        connection.attach_immutable(conn, before, "backup")
        same = shape.definitions(conn) == shape.definitions(conn, "backup")
    lost = [table.name for table in tables if table.digest_before != table.digest_after]
    return Check(
        "rollback rehearsed",
        same and not lost,
        f"the same content as before, in {times.show_seconds(seconds)}" if same and not lost else f"differs: {lost}",
    )


def _none(conn: sqlite3.Connection, name: str, condition: str) -> Check:
    count = conn.execute(f"SELECT count(*) FROM {condition}").fetchone()[0]
    return Check(name, count == 0, f"{count:,}" if count else "none is off")
