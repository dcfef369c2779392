"""How a statement of a migration is run."""

import sqlite3

from dashkit.errors import FailedError


def run(conn: sqlite3.Connection, sql: str, values: object = ()) -> int:
    """One statement, in the transaction or not at all; how many rows it touched.

    After "disk full" SQLite has rolled back by itself, and the next statement would stand alone.

    Raises:
        FailedError: the transaction is gone.
    """
    if not conn.in_transaction:
        raise FailedError("Cannot go on", "SQLite ended the transaction by itself", "Nothing was changed; try again.")
    return conn.execute(sql, values).rowcount  # type: ignore[arg-type]  # a tuple or a dict
