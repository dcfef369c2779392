"""The checks of a verification, as data. The connection has the state after as `main`, that before as `backup`."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.errors import DashkitError
from dashkit.migrations import engine, shape, state, verify
from dashkit.migrations.fills import Fill
from dashkit.migrations.findings import counted
from dashkit.records import Check
from dashkit.store import instants, statuses, tracking
from dashkit.verification import contents

# The fill that checks completed tasks.
_CHECK = next(one for one in migrations.VERSIONS[0].changes if isinstance(one, Fill) and one.column == "checked")


def rows(tables: tuple[contents.Table, ...]) -> Iterator[Check]:
    """Every old row and value is there, table by table, or something says what became of it since."""
    for table in tables:
        gone, other = table.missing - table.deleted, table.changed - table.edited
        parts = [f"{counted(table.rows_before, 'rows')} before, {table.rows_after:,} now"]
        if gone:
            parts.append(f"{gone:,} missing, and nothing says who deleted {_them(gone)}: deleted since, or lost")
        if other:
            parts.append(
                f"{other:,} {'is' if other == 1 else 'are'} not as in the backup, and nothing says who changed "
                f"{_them(other)}: work of a program that keeps no updated_at, or loss"
            )
        parts += [f"{table.edited:,} edited since"] if table.edited else []
        parts += [f"{table.deleted:,} deleted since"] if table.deleted else []
        if not (table.changed or table.missing):
            parts.append("every old value equal")
        yield Check(f"nothing lost in {table.name}", table.kept, ", ".join(parts))


def _them(rows: int) -> str:
    return "it" if rows == 1 else "them"


def soundness(conn: sqlite3.Connection, before: Path, after: Path) -> Iterator[Check]:
    """Whether the database is sound: integrity, foreign keys, orphans, ranges, agreement."""
    damage = verify.damage(after)
    yield Check("integrity_check", not damage, "; ".join(damage) or "ok")
    with closing(connection.connect_immutable(before)) as old:
        known = verify.orphans(old)
    now = verify.orphans(conn)
    new = {table: count - known.get(table, 0) for table, count in now.items() if count > known.get(table, 0)}
    told = f"{sum(now.values()):,} rows point nowhere, as before" if now else "none points nowhere"
    if new:
        told = ", ".join(f"{table}: {count:,} new" for table, count in new.items())
        told += "; deletions by a program that does not enforce foreign keys, or loss"
    yield Check("foreign keys", not new, told)
    for table in ("task_commit_links", "task_session_links"):
        yield _none(conn, f"orphans in {table}", f"{table} l LEFT JOIN tasks t ON t.id = l.task_id WHERE t.id IS NULL")
        yield _none(conn, f"confidence in {table}", f"{table} WHERE NOT coalesce(confidence BETWEEN 0 AND 1, FALSE)")
    yield _none(conn, "checked is 0 or 1", "tasks WHERE checked IS NOT NULL AND checked NOT IN (0, 1)")
    yield _none(conn, "a size is S, M, L or XL", "tasks WHERE complexity NOT IN ('S', 'M', 'L', 'XL')")


def migration(conn: sqlite3.Connection) -> Iterator[Check]:
    """Whether the migration did what it says, and recorded it."""
    reached = state.version_of(engine.survey(conn, migrations.VERSIONS), migrations.VERSIONS)
    found = engine.survey(conn, engine.up_to(migrations.VERSIONS, reached))
    amiss = [*(item.change.name for item in found.missing), *found.obstacles, *map(str, found.lost)]
    yield Check("schema as specified", not amiss, ", ".join(amiss) or "all changes are there")
    recorded = [item for item in found.due if item.checksum is not None]
    edited = [item.change.name for item in found.edited]
    yield Check(
        "every change is recorded",
        len(recorded) == len(found.due) and not edited,
        f"{len(recorded)} of {len(found.due)}" + (f"; in another wording: {', '.join(edited)}" if edited else ""),
    )
    yield _checked(conn)
    empty = conn.execute(
        "SELECT count(*) FROM backup.tasks o JOIN main.tasks n ON n.id = o.id WHERE n.updated_at IS NULL"
    ).fetchone()[0]
    yield Check("updated_at is populated", not empty, f"{empty:,} empty")


def _checked(conn: sqlite3.Connection) -> Check:
    """Whether every task that was completed is checked, or was unchecked before, or by somebody since."""
    since = conn.execute(f"SELECT max(applied_at) FROM {tracking.table(conn)}").fetchone()[0]
    # In a column that the migration found in use, 0 is a person's word.
    before = "o.checked IS 0" if _CHECK.is_used(conn, "backup") else "FALSE"
    sql = (
        f"SELECT count(*), total(n.checked IS NOT 1), total(n.checked IS NOT 1 AND {before}), "
        f"total(n.checked IS NOT 1 AND NOT ({before} OR {contents.edited(conn, 'tasks')})) "
        "FROM backup.tasks o JOIN main.tasks n ON n.id = o.id WHERE o.status = 'completed' COLLATE BINARY"
    )
    with instants.reader(conn):
        completed, unchecked, kept, unexplained = map(int, conn.execute(sql, {"applied_at": since}).fetchone())
    told = f"{completed - unchecked:,} of {counted(completed, 'completed tasks')} checked"
    if kept:
        statement = statuses.unchecked(conn)[1]
        told += f"; {kept:,} unchecked before the migration, which kept that (to check them: {statement};)"
    if unchecked > kept and not unexplained:
        told += f"; {unchecked - kept:,} unchecked by somebody since"
    return Check("checked agrees with status", not unexplained, told)


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
    name = "rollback rehearsed"
    path = folder / "rehearsal" / "dashboard.db"
    path.parent.mkdir()
    shutil.copy(before, path)
    try:
        if migrations.status(path).ready:  # it would have nothing to do, and make no backup
            with closing(connection.connect(path)) as conn:
                conn.execute("DROP INDEX idx_tasks_checked")
        start = Path(shutil.copy(path, folder / "rehearsal" / "start.db"))
        migrations.execute(path)
        started = time.perf_counter()
        migrations.rollback(path)
        seconds = time.perf_counter() - started
    except DashkitError as error:
        return Check(name, ok=False, found=str(error))
    differs = [table.name for table in contents.compare(start, path, None) if table.digest_before != table.digest_after]
    with closing(connection.connect_immutable(path)) as conn:
        connection.attach_immutable(conn, start, "backup")
        if shape.definitions(conn) != shape.definitions(conn, "backup"):
            differs.append("the schema")
    if differs:
        return Check(name, ok=False, found=f"differs: {', '.join(differs)}")
    return Check(name, ok=True, found=f"the same content as before, in {times.show_seconds(seconds)}")


def _none(conn: sqlite3.Connection, name: str, condition: str) -> Check:
    count = conn.execute(f"SELECT count(*) FROM {condition}").fetchone()[0]
    return Check(name, count == 0, f"{count:,}" if count else "none is off")
