"""Migrations: the versions in their order, and what can be done with them.

`migrate(db)` is a dry run and returns a Plan; `.execute()` does it; `rollback(db)` takes it back;
`status(db)` says where a database stands. Only the standard library is imported.
"""

import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashkit import connection, times
from dashkit.migrations import engine, requirements, v2_0, v2_1
from dashkit.migrations.changes import Version
from dashkit.migrations.state import Status, features, read

if TYPE_CHECKING:
    from dashkit.migrations.plans import (
        Migration,
        Plan,
        Rollback,
        RollbackPlan,
        execute,
        migrate,
        plan_rollback,
        rollback,
    )

VERSIONS: tuple[Version, ...] = (v2_0.VERSION, v2_1.VERSION)


def status(db: str | Path | None = None) -> Status:
    """Where a database stands; prints as text that ends with READY or with what is pending.

    Raises:
        RefusedError: no such file, or no Dashboard.
    """
    return read(connection.default_path(db), VERSIONS)


def v2_status(db: connection.Database = None) -> dict[str, Any]:
    """Each change of version 2.0 -> bool, `pending` -> list of names, `ready` -> bool."""
    with connection.using(db) as conn:
        requirements.require_dashboard(
            conn, Path("the open database") if isinstance(db, sqlite3.Connection) else connection.default_path(db)
        )
        there = features(conn, v2_0.VERSION)
    pending = [name for name, found in there.items() if not found]
    return {**there, "pending": pending, "ready": not pending}


def create(db: connection.Database = None, *, version: str | None = None) -> None:
    """Make a fresh database of a version (None: the newest): version 1.0 plus the same steps, so nothing drifts.

    A database that is there already, of that version or a later one, is left as it is.

    Raises:
        RefusedError: there is an older Dashboard, or something else.
    """
    wanted = () if version == "1.0" else engine.up_to(VERSIONS, version)
    if isinstance(db, sqlite3.Connection):
        with connection.using(db) as conn, nullcontext() if conn.in_transaction else connection.transaction(conn):
            engine.create(conn, wanted, times.utc_now(), Path("the open database"))
        return
    path = connection.default_path(db)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        closing(connection.connect(path, create=True)) as conn,
        connection.explained(path, "create"),
        connection.transaction(conn),
    ):
        engine.create(conn, wanted, times.utc_now(), path)


__all__ = [
    "VERSIONS",
    "Migration",
    "Plan",
    "Rollback",
    "RollbackPlan",
    "Status",
    "create",
    "execute",
    "migrate",
    "plan_rollback",
    "rollback",
    "status",
    "v2_status",
]


def __getattr__(name: str) -> Any:
    # Loaded when it is asked for: `dashkit status` pays for none of it.
    if name not in __all__:
        raise AttributeError(f"module 'dashkit.migrations' has no attribute {name!r}")
    from dashkit.migrations import plans

    return getattr(plans, name)
