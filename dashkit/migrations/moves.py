"""A change that moves rows: what an earlier form of a version kept in another table."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from dashkit.migrations import shape
from dashkit.migrations.findings import MISSING, THERE, Described, Finding


@dataclass(frozen=True, eq=False, repr=False)
class Move(Described):
    """Rows that an earlier form of the version kept in another table, into one of `key`, `value` and `updated_at`.

    `key`, `value` and `which` rows are SQL about a row of the table `of`, named `{row}`; of its columns that are not
    `carried` such a row has none. A key that is there already stays as it is. What is to be moved is looked for,
    whatever is recorded; where it is only copied (not `removes`) once is enough.
    """

    table: str
    of: str
    key: str
    value: str
    which: str
    carried: tuple[str, ...]
    removes: bool = True
    noun: str = "rows"

    @property
    def sql(self) -> str:
        """The statement that copies."""
        key, value, which = (text.format(row="o") for text in (self.key, self.value, self.which))
        return (
            f"INSERT INTO {self.table} (key, value, updated_at) SELECT {key}, {value}, :now FROM {self.of} AS o "
            f"WHERE {which} ON CONFLICT (key) DO NOTHING"
        )

    def statements(self, conn: sqlite3.Connection) -> Iterator[str]:  # noqa: ARG002 - one signature for all kinds
        """Copy, then remove."""
        yield self.sql
        if self.removes:
            yield f"DELETE FROM {self.of} WHERE {self.which.format(row=self.of)}"

    def look(self, conn: sqlite3.Connection, recorded: bool) -> Finding:
        """Pending while there are such rows; in a database that never had them there is nothing to do."""
        if not self.is_of(conn) or (recorded and not self.removes):
            return THERE
        sql = f"SELECT EXISTS (SELECT 1 FROM {self.of} AS o WHERE {self.which.format(row='o')})"
        return MISSING if conn.execute(sql).fetchone()[0] else THERE

    def is_of(self, conn: sqlite3.Connection, schema: str = "main") -> bool:
        """Whether a database ever had such rows: by the columns that are asked for."""
        wanted = set(re.findall(r'\{row\}\."?(\w+)', f"{self.key} {self.value} {self.which}"))
        return wanted <= shape.columns(conn, self.of, schema).keys()

    def arrived(self, conn: sqlite3.Connection, *, exactly: bool = True) -> str:
        """The SQL condition under which row o of the backup is one that was moved, and is where it belongs.

        Its other columns held nothing. `exactly`: with its value, unless the key was taken before.
        """
        if not shape.columns(conn, self.table):
            return "FALSE"
        key, value, which = (text.format(row="o") for text in (self.key, self.value, self.which))
        taken = f"EXISTS (SELECT 1 FROM backup.{self.table} AS t WHERE t.key = {key})"
        same = f"c.value IS {value} COLLATE BINARY" if exactly else "TRUE"
        if exactly and shape.columns(conn, self.table, "backup"):
            same = f"({same} OR {taken})"
        empty = [
            f"o.{shape.quoted(column.name)} IS NULL"
            for name, column in shape.columns(conn, self.of, "backup").items()
            if name not in self.carried and not column.generated
        ]
        there = f"EXISTS (SELECT 1 FROM main.{self.table} AS c WHERE c.key = {key} AND {same})"
        return " AND ".join(f"({one})" for one in (which, *empty, there))

    def is_as_before(self) -> str:
        """The SQL condition under which a row of the table holds what a row of the backup held."""
        key, value, which = (text.format(row="o") for text in (self.key, self.value, self.which))
        return (
            f"EXISTS (SELECT 1 FROM backup.{self.of} AS o WHERE {which} AND {key} = {self.table}.key "
            f"AND {value} IS {self.table}.value)"
        )
