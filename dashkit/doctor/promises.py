"""What a remedy promises: it is carried out on a copy before it is said."""

import shlex
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from dashkit import connection, migrations
from dashkit.doctor.findings import sql
from dashkit.errors import DashkitError


class Promises:
    """The remedies of one database that dashkit's own commands are."""

    def __init__(self, path: Path, version: str) -> None:
        self.path = path
        known = [one.number for one in migrations.VERSIONS]
        self._to = version if version in known[:-1] else None
        self._tried: dict[tuple[tuple[str, ...], str | None], str] = {}

    def command(self, words: str) -> str:
        """A command on the database, which is named where it is not the one that is used without a name."""
        try:
            is_usual = connection.default_path().resolve() == self.path.resolve()
        except OSError:
            is_usual = False
        return f"`dashkit {words}`" if is_usual else f"`dashkit {words} --db {shlex.quote(str(self.path))}`"

    def migration(self, what: str, statements: tuple[str, ...] = (), *, newest: bool = False, first: str = "") -> str:
        """That `dashkit migrate --execute` does something, such as `puts them back`.

        Args:
            what: what it does.
            statements: what has to be run first.
            newest: it goes to the newest version; else the version stays what it is.
            first: how the statements are told; empty: in a sentence of its own.
        """
        to = None if newest else self._to
        run = self.command(f"migrate --execute{f' --to {to}' if to else ''}")
        first = first or (f"Run this SQL: {sql(*statements)}." if statements else "")
        told = f"{first} Then {run} {what}." if first else f"{run} {what}."
        why = self.refusal(statements, newest=newest)
        return f"{told} But a trial on a copy was refused: {why}" if why else told

    def refusal(self, statements: tuple[str, ...], *, newest: bool = False) -> str:
        """Why that would be refused; empty where it was carried out on a copy."""
        to = None if newest else self._to
        if (statements, to) not in self._tried:
            self._tried[statements, to] = self._refusal(statements, to)
        return self._tried[statements, to]

    def refused(self, statements: Iterable[str]) -> dict[str, str]:
        """Those of some statements that SQLite refuses, and why; they are run one after the other on a copy."""
        found: dict[str, str] = {}
        with suppress(DashkitError, sqlite3.Error), self.copy() as conn:
            conn.execute("PRAGMA foreign_keys = OFF")  # as the program sqlite3 begins
            for statement in statements:
                try:
                    conn.execute(statement)
                except sqlite3.Error as error:
                    found[statement] = str(error)
        return found

    @contextmanager
    def copy(self) -> Iterator[sqlite3.Connection]:
        """A private copy of the database, to try something on."""
        with connection.scratch_folder() as folder:
            copy = folder / self.path.name
            with closing(connection.connect_readonly(self.path)) as source:
                connection.private_copy(source, copy)
            with closing(connection.connect(copy)) as conn:
                yield conn

    def _refusal(self, statements: tuple[str, ...], to: str | None) -> str:
        """Why it would be refused; empty where it was carried out on a copy."""
        try:
            if not statements:
                migrations.migrate(self.path, to=to)
                return ""
            with self.copy() as conn, connection.explained(self.path, "change"):
                for statement in _split(";".join(statements)):
                    conn.execute(statement)
                migrations.migrate(conn.execute("PRAGMA database_list").fetchone()[2], to=to)
        except sqlite3.Error as error:
            return f"{error}."
        except DashkitError as error:
            # What is in the way is a finding of its own, with what to do.
            return f"{error.why.rstrip('.')}." + ("" if hasattr(error, "obstacles") else f" {error.remedy}")
        return ""


def _split(script: str) -> Iterator[str]:
    """The statements of a script, one by one; a trigger has some inside."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
