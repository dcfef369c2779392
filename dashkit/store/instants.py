"""When something was, in SQL on the SQLite file: expressions that agree with times.read to the letter.

The forms of nearly every row (the stored one, SQLite's own, a bare date) are read by SQLite, and proved by being
written again: it alone would also read 'now', a bare number as a Julian day, and the 30th of February. All else is
handed to times.normal, through a function that is there inside `reader` alone. Use that on a connection of our own:
SQLite takes a function back only while no statement runs, and on the caller's own connection one may be running.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dashkit import times

# Nobody else's function has this name; ours would replace it.
_FUNCTION = "dashkit_times_normal"
_NAMED = re.compile(rf"\b{_FUNCTION}\((\w+)\)")
_BLANKS = f"char({', '.join(str(ord(blank)) for blank in times.BLANKS)})"
# By length, which is quick to tell. The comparison looks behind a NUL too, where SQLite's functions end; it knows case,
# whatever the column's own collation says.
_FAST = """CASE length({0})
    WHEN 24 THEN CASE WHEN strftime('%Y-%m-%dT%H:%M:%fZ', {0}, '+0 days') = {0} COLLATE BINARY AND {1} THEN {0} END
    WHEN 19 THEN CASE WHEN datetime({0}, '+0 days') = replace({0}, 'T', ' ') COLLATE BINARY AND {1}
                      THEN substr({0}, 1, 10) || 'T' || substr({0}, 12) || '.000Z' END
    WHEN 10 THEN CASE WHEN date({0}, '+0 days') = {0} COLLATE BINARY AND {1} THEN {0} END
END"""


def fast(column: str) -> str:
    """What times.normal says of a column, for the forms that SQLite reads alone; NULL for every other value."""
    return _FAST.replace("{1}", "{0} >= '1970-' COLLATE BINARY").replace("{0}", column)


def normal(column: str) -> str:
    """What times.normal says of a column: an instant in the stored form, a date, or NULL; inside `reader` alone."""
    return f"CASE WHEN {column} IS NOT NULL THEN coalesce({fast(column)}, {_FUNCTION}({_digits(column)})) END"


def named(column: str) -> str:
    """What stands for `normal` in a text that is kept, and has to stay the same whatever it is made of."""
    return f"{_FUNCTION}({column})"


def spelled_out(sql: str) -> str:
    """Such a text as it is run, inside `reader` alone."""
    return _NAMED.sub(lambda found: normal(found[1]), sql)


def _digits(column: str) -> str:
    """A value as text, in hex, which gets across what is no UTF-8, or has a NUL in it."""
    return f"hex(CAST({column} AS TEXT))"


def _encoding(conn: sqlite3.Connection) -> str:
    """What the text of a database is in, and so its hex: UTF-8, or UTF-16 of either order."""
    return str(conn.execute("PRAGMA encoding").fetchone()[0])


def at(normal_form: str) -> str:
    """What `normal` said as an instant in the stored form: a bare date is its noon, UTC."""
    return f"CASE length({normal_form}) WHEN 10 THEN {normal_form} || 'T12:00:00.000Z' ELSE {normal_form} END"


def day(normal_form: str) -> str:
    """What `normal` said where it is a bare date; NULL where it is an instant."""
    return f"CASE length({normal_form}) WHEN 10 THEN {normal_form} END"


def is_unread(column: str) -> str:
    """Whether a column holds more than blanks, and cannot be read as a date; inside `reader` alone."""
    return f"({is_there(column)} AND {normal(column)} IS NULL)"


def is_there(column: str) -> str:
    """Whether a column holds more than blanks."""
    return f"coalesce(trim({column}, {_BLANKS}) <> '', 0)"


@dataclass(frozen=True)
class Unread:
    """What of a column cannot be read as a date: how many values of how many that say something, and the most usual.

    `digits`: that one in hex. `kinds`: how many different ones there are.
    """

    column: str
    count: int
    of: int
    example: str
    digits: str = ""
    kinds: int = 1

    @property
    def is_odd(self) -> bool:
        """Whether the example holds what a statement for people cannot show."""
        return not self.example.isprintable() or not {"\ufffd", "`", "'"}.isdisjoint(self.example)

    @property
    def literal(self) -> str:
        """The example as a literal of SQL; what is odd by its digits, in the encoding of the database."""
        return f"CAST(X'{self.digits}' AS TEXT)" if self.is_odd else f"'{self.example}'"

    def __str__(self) -> str:
        return (
            f"{self.count:,} of {self.of:,} {self.column} cannot be read as a date, "
            f"such as {times.quoted(self.example)}"
        )


def unread(conn: sqlite3.Connection, table: str, column: str, which: str = "TRUE", kind: str = "") -> Unread | None:
    """What of a column cannot be read, where there is such a value; inside `reader` alone.

    Args:
        conn: the database.
        table: it is there, and has the column.
        column: one of its columns.
        which: the SQL condition that the rows meet which count.
        kind: `needed`: a blank is not read either; `day`: nor is an instant.
    """
    read = day(normal(column)) if kind == "day" else normal(column)
    there = "TRUE" if kind == "needed" else is_there(column)
    # LIMIT -1 lets SQLite read each value once, though it is used twice.
    values = (
        f"(SELECT CASE WHEN {read} IS NULL THEN coalesce({_digits(column)}, '') END AS digits "  # noqa: S608 - ours
        f"FROM {table} WHERE ({which}) AND {there} LIMIT -1)"
    )
    counts = "count(*), count(digits), count(DISTINCT digits)"
    of, count, kinds = conn.execute(f"SELECT {counts} FROM {values}").fetchone()  # noqa: S608 - names of ours
    if not count:
        return None
    often = f"SELECT digits FROM {values} WHERE digits IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"  # noqa: S608
    (digits,) = conn.execute(often).fetchone()
    return Unread(column, count, of, bytes.fromhex(digits).decode(_encoding(conn), "replace"), digits, kinds)


@contextmanager
def reader(conn: sqlite3.Connection) -> Iterator[None]:
    """Let `normal` and `is_unread` be used on this connection; afterwards it is as it was."""
    encoding = _encoding(conn)

    def read(digits: str) -> str | None:
        return times.normal(bytes.fromhex(digits).decode(encoding, "replace"))

    conn.create_function(_FUNCTION, 1, read, deterministic=True)
    try:
        yield
    finally:
        # create_function does not remove by None, whatever its documentation says: it leaves a function that fails.
        conn.create_window_function(_FUNCTION, 1, None)
