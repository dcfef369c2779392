"""What a migration adds to a history that is there: what rows know, and the history does not."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from dashkit.migrations import shape
from dashkit.migrations.changes import Version
from dashkit.migrations.findings import Described

TABLE = "task_events"
TABLES = (TABLE, "dependency_events")


Kinds = tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False, repr=False)
class TakeOver(Described):
    """Events for what rows know; no change of a version, as there may be more of it any day."""

    @property
    def sql(self) -> str:
        """What is recorded of it; the events differ from row to row."""
        return f"INSERT INTO {TABLE} SELECT {self.name}"


UNSEEN = TakeOver(
    "what no trigger saw",
    "Take over {count} that changed without an event",
    "Took over {count} that changed without an event",
)
EARLIER = TakeOver(
    "what rows know of earlier times", "Take over {count} that rows know", "Took over {count} that rows know"
)


def is_begun(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> bool:
    """Whether a history is there, and is of the versions that are asked for."""
    makes = any(getattr(change, "table", None) == TABLE for change in versions[-1].changes)
    return makes and bool(shape.columns(conn, TABLE))


def is_due(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> bool:
    """Whether there is something to take over."""
    from dashkit.store import backfill, health  # `dashkit status` never asks

    return is_begun(conn, versions) and (health.is_unlike(conn) or bool(backfill.pending(conn)))


def take_over(conn: sqlite3.Connection, now: str) -> Iterator[tuple[TakeOver, Kinds]]:
    """Take it over, inside the caller's transaction: each part, and how much of what it was."""
    from dashkit.store import backfill, reconcile

    tasks, dependencies = reconcile.record(conn, now)
    yield UNSEEN, (("tasks", tasks), ("dependencies", dependencies))
    done = backfill.add(conn, now)
    yield EARLIER, (("completions", done.completions), ("arrivals", done.arrivals))
