"""What a migration adds to a history that is there: what rows know of earlier times, and the history does not."""

import sqlite3
from dataclasses import dataclass

from dashkit.migrations import shape
from dashkit.migrations.changes import Version
from dashkit.migrations.findings import Described

TABLE = "task_events"


@dataclass(frozen=True, eq=False, repr=False)
class TakeOver(Described):
    """Events for what rows know; no change of a version, as there may be more of it any day."""

    @property
    def sql(self) -> str:
        """What is recorded of it; the events differ from row to row."""
        return f"INSERT INTO {TABLE} SELECT what rows know of earlier times"


TAKE_OVER = TakeOver(
    "what rows know of earlier times", "Take over {count} that rows know", "Took over {count} that rows know"
)


def is_begun(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> bool:
    """Whether a history is there, and is of the versions that are asked for."""
    makes = any(getattr(change, "table", None) == TABLE for change in versions[-1].changes)
    return makes and bool(shape.columns(conn, TABLE))


def is_due(conn: sqlite3.Connection, versions: tuple[Version, ...]) -> bool:
    """Whether there is something to take over."""
    from dashkit.store import backfill  # `dashkit status` never asks

    return is_begun(conn, versions) and bool(backfill.pending(conn))


def take_over(conn: sqlite3.Connection, now: str) -> tuple[tuple[str, int], ...]:
    """Take it over, inside the caller's transaction: how many completions and arrivals."""
    from dashkit.store import backfill

    done = backfill.add(conn, now)
    return ("completions", done.completions), ("arrivals", done.arrivals)
