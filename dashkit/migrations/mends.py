"""What a migration puts right beside its changes: names of tables, and what tables of ours have lost.

Only the text of an object changes, in SQLite's own catalogue, as its documentation describes it for conditions, keys
and defaults: no row is written, and what stands in the file stays where it is.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashkit.errors import FailedError
from dashkit.migrations import names, shape
from dashkit.migrations.findings import Described
from dashkit.migrations.lost import Lost
from dashkit.migrations.names import Key

_ROUNDS = 5  # behind one name that is wrong another one may show


@dataclass(frozen=True)
class Mend(Described):
    """One thing that is put right; no change of a version, as it can be needed any day."""

    statement: str

    @property
    def sql(self) -> str:
        """What is recorded of it."""
        return self.statement


def of_names(conn: sqlite3.Connection) -> tuple[list[Mend], set[Key]]:
    """Put the names of tables right, inside the caller's transaction: what was done, and whose texts are new."""
    done: list[Mend] = []
    written: set[Key] = set()
    for _ in range(_ROUNDS):
        wrong = [one for one in names.find(conn) if one.meant]
        if not wrong:
            break
        texts = names.mended(conn, wrong)
        _write(conn, texts)
        written |= texts.keys()
        for one in wrong:
            listed = ", ".join(name for _, name in one.objects)
            what = f"{one.meant} in {listed} ({one.why})"
            done.append(
                Mend(f"name of {one.meant}", f"Name {what}", f"Named {what}", f"{one.name} -> {one.meant} in {listed}")
            )
    return done, written


def of_lost(conn: sqlite3.Connection, lost: Sequence[Lost]) -> tuple[list[Mend], set[Key]]:
    """Give tables back what they have lost, inside the caller's transaction: what was done, and whose texts are new."""
    touched = {_table(conn, one.table)[0] for one in lost}
    touched |= {("index", one.index) for one in lost if one.kind == "UNIQUE"}
    for statement in (one.statement for one in lost if one.statement):
        conn.execute(statement)
    texts: dict[Key, str] = {}
    for one in lost:
        key, sql = _table(conn, one.table)
        texts[key] = one.mended(texts.get(key, sql))
    _write(conn, texts)
    return [_mend(one) for one in lost], touched


def _mend(lost: Lost) -> Mend:
    what = f"{lost.where} its {lost.clause}"
    statement = lost.statement or f"{lost.where}: {lost.clause}"
    return Mend(f"{lost.kind} of {lost.table}.{lost.column}", f"Give {what} back", f"Gave {what} back", statement)


def _table(conn: sqlite3.Connection, table: str) -> tuple[Key, str]:
    sql = "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
    name, text = conn.execute(sql, (table,)).fetchone()
    return ("table", name), text


def _write(conn: sqlite3.Connection, texts: Mapping[Key, str]) -> None:
    """Change the texts of objects in the catalogue; their columns have to stay what they are.

    Raises:
        FailedError: they would not, the text is no statement, or this SQLite does not let its catalogue be changed.
    """
    if not texts:
        return
    before = {name: _columns(conn, name) for kind, name in texts if kind == "table"}
    try:
        conn.execute("PRAGMA writable_schema = ON")
        for (kind, name), sql in texts.items():
            conn.execute("UPDATE main.sqlite_master SET sql = ? WHERE type = ? AND name = ?", (sql, kind, name))
        version = conn.execute("PRAGMA main.schema_version").fetchone()[0]
        conn.execute(f"PRAGMA main.schema_version = {version + 1}")
        conn.execute("PRAGMA writable_schema = RESET")
        changed = [name for name, columns in before.items() if _columns(conn, name) != columns]
    except sqlite3.DatabaseError as error:
        raise _failed(f"SQLite does not take its new text ({error})") from error
    if changed:
        raise _failed(f"the columns of {', '.join(changed)} would change")


def _failed(why: str) -> FailedError:
    return FailedError("Cannot put a table right", why, "Nothing was changed.")


def _columns(conn: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    rows = conn.execute(f"PRAGMA main.table_xinfo({shape.quoted(table)})").fetchall()
    return [(name, kind, pk, hidden) for _, name, kind, _, _, pk, hidden in rows]
