"""Verification as data: run before COMMIT, against the attached backup. An empty list of problems is the proof.

The connection has the migrated state as `main` and the backup as `backup`.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dashkit import connection
from dashkit.migrations import engine, record, shape
from dashkit.migrations.changes import AddColumn, Change, CreateIndex, CreateTable, CreateTrigger, Version
from dashkit.migrations.fills import Fill, Insert
from dashkit.migrations.moves import Move
from dashkit.migrations.names import Key
from dashkit.store import orphans as rows
from dashkit.store import tracking


def problems(
    conn: sqlite3.Connection, backup: Path, versions: tuple[Version, ...], mended: Collection[Key] = ()
) -> list[str]:
    """Everything that is not as it must be after a migration; the texts of `mended` objects may be others.

    Steps: nothing is pending; no definition of another object changed; tables, views and triggers compile as
    before; every old row and value equals the backup's; no new foreign key violation.
    """
    left = engine.survey(conn, versions)
    found = [f"{item.change.name} is still missing" for item in left.missing] + left.obstacles
    found += map(str, left.mendable)
    found += _changed_definitions(conn, versions, mended)
    found += damage_of(conn) if mended else []
    found += _new_compile_errors(conn, backup)
    begun = {change.table for version in versions for change in version.changes if isinstance(change, Insert)}
    moves = [move for version in versions for move in version.moves]
    begun |= {move.table for move in moves}
    again = _made_again(conn, versions)
    for table in shape.tables(conn, "backup"):
        if table.lower() not in tracking.found(conn, "backup"):
            out = [move for move in moves if move.of == table.lower() and move.removes and move.is_of(conn, "backup")]
            found += differences(
                *(conn, table, filled(conn, versions, table), out),
                grows=table.lower() in begun,
                by_value=table.lower() in again,
            )
    found += _new_violations(conn, versions)
    return found


def _made_again(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> set[str]:
    """The tables that were there as an earlier commit made them."""
    before = {
        name.lower(): sql for (kind, name), (_, sql) in shape.definitions(conn, "backup").items() if kind == "table"
    }
    changes = [change for version in versions for change in version.changes if isinstance(change, CreateTable)]
    return {change.table for change in changes if change.is_earlier(before.get(change.table))}


def filled(conn: sqlite3.Connection, versions: tuple[Version, ...], table: str) -> dict[str, str]:
    """By column the SQL condition under which row n of main has what a fill gave to row o of the backup.

    A fill that the backup has on record was made before it.
    """
    before, key, recorded = (
        record.changes_of(conn, "backup"),
        shape.row_key(conn, table, "backup"),
        tracking.table(conn),
    )
    conditions = {}
    for fill in (change for version in versions for change in version.changes if isinstance(change, Fill)):
        if fill.table != table.lower() or fill.name in before:
            continue
        sources = [source for source, _ in fill.available(conn)]
        its = Fill.value(tuple(source for source in sources if source != ":now") or ("NULL",))
        given = f"n.{fill.column} IS {its}"
        if ":now" in sources and recorded:
            given = f"({given} OR {its} IS NULL AND n.{fill.column} IN (SELECT applied_at FROM main.{recorded}))"
        conditions[fill.column] = (
            f"EXISTS (SELECT 1 FROM backup.{shape.quoted(table)} AS b WHERE b.{key} = o.{key} "
            f"AND ({fill.needed(conn, 'backup')}) AND {given})"
        )
    return conditions


def ours(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> set[str]:
    """The names of all objects that the versions make."""
    changes = [change for version in versions for change in version.changes]
    made = {change.table for change in changes if isinstance(change, CreateTable)} | {*tracking.found(conn)}
    made |= {change.index for change in changes if isinstance(change, CreateIndex)}
    return made | {change.trigger for change in changes if isinstance(change, CreateTrigger)}


def _changed_definitions(conn: sqlite3.Connection, versions: tuple[Version, ...], mended: Collection[Key]) -> list[str]:
    """Every object of the backup is there to the byte; a table that got columns keeps the old ones in front.

    Of what was mended the columns are the same, but for their defaults.
    """
    changes = [change for version in versions for change in version.changes]
    grown = {change.table for change in changes if isinstance(change, AddColumn)}
    mine = ours(conn, versions)
    before, after = shape.definitions(conn, "backup"), shape.definitions(conn)
    found = []
    for (kind, name), (table, sql) in before.items():
        if kind == "table" and (name.lower() in grown or (kind, name) in mended):
            old, new = (_columns(conn, name, schema, (kind, name) in mended) for schema in ("backup", "main"))
            if new[: len(old)] != old:
                found.append(f"the old columns of {name} changed")
        elif (kind, name) in mended and (kind, name) in after:
            continue
        elif after.get((kind, name)) != (table, sql) and not _is_replaced(changes, kind, name, sql):
            found.append(f"the {kind} {name} changed or is gone")
    for kind, name in after.keys() - before.keys():
        if not (
            name.lower() in mine
            or (kind, name) in mended
            or (name.startswith("sqlite_autoindex_") and after[kind, name][0] in mine)
        ):
            found.append(f"a {kind} {name} appeared")
    return found


def _columns(conn: sqlite3.Connection, table: str, schema: str, without_defaults: bool) -> list[shape.Column]:
    found = list(shape.columns(conn, table, schema).values())
    return [replace(column, default=None) for column in found] if without_defaults else found


def _is_replaced(changes: Iterable[Change], kind: str, name: str, sql: str | None) -> bool:
    """Whether it was ours, and of an earlier text: that it is what it should be by now the survey has seen."""
    kinds = {"table": CreateTable, "trigger": CreateTrigger}
    mine = (change for change in changes if isinstance(change, CreateTable | CreateTrigger))
    return any(
        isinstance(one, kinds.get(kind, ())) and one.name == name.lower() and one.is_earlier(sql) for one in mine
    )


def _new_compile_errors(conn: sqlite3.Connection, backup: Path) -> list[str]:
    """Statements that compiled before must compile now: a trigger with a positional INSERT would not."""
    old = connection.connect_immutable(backup)
    try:
        subjects = [key for key in shape.definitions(old) if key[0] in ("table", "view")]
        before = _compile_errors(old, subjects)
    finally:
        old.close()
    after = _compile_errors(conn, subjects)
    return [f"{subject} no longer works: {why}" for subject, why in after.items() if subject not in before]


def _compile_errors(conn: sqlite3.Connection, subjects: list[tuple[str, str]]) -> dict[str, str]:
    # Compiled as other programs would, and not run: an untrusted schema may not fill its own search index.
    conn.execute("PRAGMA trusted_schema = ON")
    errors = {}
    known = shape.definitions(conn)
    for subject in subjects:
        name, (_, sql) = subject[1], known.get(subject, ("", None))
        if sql is None:  # SQLite's own, or gone: told elsewhere
            continue
        written = "virtual" not in shape.tokens(sql or "")[:3]
        for use in ("select from", "insert into", "update of", "delete from")[: None if written else 1]:
            try:
                conn.execute(f"EXPLAIN {_statement(conn, use, name)}").close()
            except sqlite3.Error as error:
                errors[f"{use} {name}"] = str(error)
    conn.execute("PRAGMA trusted_schema = OFF")
    return errors


def _statement(conn: sqlite3.Connection, use: str, name: str) -> str:
    """A statement of one kind on a table, or on a view, which a trigger may make writable."""
    target = f"main.{shape.quoted(name)}"
    if use == "update of":
        columns = [shape.quoted(column.name) for column in shape.columns(conn, name).values() if not column.generated]
        return f"UPDATE {target} SET {', '.join(f'{column} = {column}' for column in columns)}"
    return {
        "select from": f"SELECT * FROM {target}",
        "insert into": f"INSERT INTO {target} DEFAULT VALUES",
        "delete from": f"DELETE FROM {target}",
    }[use]


def differences(
    conn: sqlite3.Connection,
    table: str,
    fills: Mapping[str, str],
    moves: Sequence[Move] = (),
    *,
    grows: bool = False,
    by_value: bool = False,
) -> list[str]:
    """Rows of the backup that are missing or changed in main, and rows that main has on top unless it `grows`.

    A column may differ only where its fill (`filled`) gave it its value; a row may be missing only where it was moved
    and is in the other table. Compared in one pass in row order (`by_value`: whatever the row ids); text by bytes,
    whatever the collation of the column, and a number by its storage class too.
    """
    name = shape.quoted(table)
    columns = [column for column in shape.columns(conn, table, "backup").values() if not column.generated]
    moved = f"({shape.any_of([move.arrived(conn) for move in moves])}) IS TRUE"
    key = shape.row_key(conn, table, "backup")
    if key is None or by_value:
        listed = ", ".join(
            f"{shape.quoted(column.name)} COLLATE BINARY" for column in columns if column.name.lower() not in fills
        )
        rows = f"(SELECT {listed} FROM backup.{name} AS o WHERE NOT {moved} EXCEPT SELECT {listed} FROM main.{name})"
    else:
        # No CASE: as soon as a condition of a WHERE is known to fail SQLite jumps over the rest of it.
        bad = f"n.{key} IS NULL OR {unequal(columns, fills)}"
        if moves:
            bad = f"n.{key} IS NULL AND NOT {moved} OR n.{key} IS NOT NULL AND ({unequal(columns, fills)})"
        rows = f"backup.{name} AS o LEFT JOIN main.{name} AS n ON n.{key} = o.{key} WHERE {bad}"
    gone = conn.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]
    new, old = (contents(conn, [table], schema)[table] for schema in ("main", "backup"))
    if moves:
        old -= conn.execute(f"SELECT count(*) FROM backup.{name} AS o WHERE {moved}").fetchone()[0]
    found = [f"{gone:,} rows of {table} differ from the backup"] if gone else []
    return found + (
        [f"{table} has {new:,} rows and the backup {old:,}"] if new != old and not (grows and new > old) else []
    )


def unequal(columns: Iterable[shape.Column], fills: Mapping[str, str]) -> str:
    """The SQL condition under which row n of main is not what row o of the backup was, but for what was `filled`."""
    conditions = []
    for column in columns:
        one = shape.quoted(column.name)
        condition = f"n.{one} IS NOT o.{one} COLLATE BINARY"
        if column.affinity not in ("TEXT", "INTEGER"):
            condition = f"({condition} OR typeof(n.{one}) IS NOT typeof(o.{one}))"
        if fill := fills.get(column.name.lower()):
            condition = f"({condition} AND NOT {fill})"
        conditions.append(condition)
    return shape.any_of(conditions)


def _new_violations(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> list[str]:
    """Foreign keys of our tables; the others hold what they held, value for value."""
    found = []
    before = {name.lower() for name in shape.tables(conn, "backup")}
    for version in versions:
        for change in version.changes:
            if isinstance(change, CreateTable):
                new = _violations(conn, "main", change.table)
                old = _violations(conn, "backup", change.table) if change.table in before else 0
                if new > old:
                    found.append(f"{change.table} has {new - old:,} new foreign key violations")
    return found


def _violations(conn: sqlite3.Connection, schema: str, table: str) -> int:
    try:
        return len(conn.execute(f"PRAGMA {schema}.foreign_key_check({shape.quoted(table)})").fetchall())
    except sqlite3.OperationalError:  # "foreign key mismatch": a parent key that is not unique; so it was before
        return 0


def damage(path: Path) -> list[str]:
    """What integrity_check says of a file that nobody changes; empty: it is whole."""
    with closing(connection.connect_immutable(path)) as conn:
        return damage_of(conn)


def damage_of(conn: sqlite3.Connection) -> list[str]:
    """What integrity_check says of an open database; empty: it is whole."""
    try:
        rows = conn.execute("PRAGMA main.integrity_check(5)").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return list(dict.fromkeys(row[0] for row in rows if row[0] != "ok"))


def orphans(conn: sqlite3.Connection) -> dict[str, int]:
    """Rows that name a row which is not there, each counted once, by table."""
    return {one.table: one.rows for one in rows.find(conn)}


def contents(conn: sqlite3.Connection, tables: Iterable[str], schema: str = "main") -> dict[str, int]:
    """Rows by table."""
    return {
        table: conn.execute(f"SELECT count(*) FROM {schema}.{shape.quoted(table)}").fetchone()[0] for table in tables
    }
