"""The row of `runs` that each reading and linking leaves when it has ended."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import BusyError, DashkitError, RefusedError, UsageError
from dashkit.records import IngestSummary
from dashkit.store import backfill, reconcile, runs

Kind = Literal["scan", "ingest tasks", "ingest git", "link"]
_COUNTS = ("added", "changed", "gone", "left_out_by", "skipped", "files", "versions", "total", "project_id")
_LONGEST_TEXT = 1_000  # characters of an error


class Run:
    """A run that is going on.

    A run that writes tasks first records all changes that no trigger saw. So when it ends, every task agrees with its
    events, and its row tells the next run since when something may have changed without an event.

    Attributes:
        project_id: the project that it is for, once that is known; the row of a failed run has it, too.
    """

    project_id: int | None = None

    def __init__(self, kind: Kind, started_at: str) -> None:
        self._kind, self._started_at = kind, started_at
        self._looked = kind not in runs.LOOKING

    def look(self, conn: sqlite3.Connection, now: str) -> None:
        """Record what no trigger saw, and what rows say about earlier times; only the first call does it.

        It belongs into the transaction that ends the run.
        """
        if not self._looked:
            reconcile.record(conn, now)
            backfill.add(conn, now)
            self._looked = True

    def end(
        self, conn: sqlite3.Connection, details: Mapping[str, Any], outcome: Literal["done", "failed"] = "done"
    ) -> None:
        """Write the row, inside the caller's transaction; a database before version 2.1 has no table for it."""
        if runs.are_kept(conn):
            now = times.to_text(times.utc_now())
            self.look(conn, now)
            of_one = {} if self.project_id is None else {"project_id": self.project_id}
            runs.record(conn, self._kind, self._started_at, now, outcome, {**of_one, **details})


@contextmanager
def run(db: Database, kind: Kind) -> Iterator[Run]:
    """Do something that ends with `Run.end`; where it fails before that, write a row that says so.

    There is no row for a run that is refused, because nothing changed; nor for one that is killed, or that fails in a
    transaction of the caller's.
    """
    started_at = times.to_text(times.utc_now())
    this = Run(kind, started_at)
    try:
        yield this
    except (UsageError, RefusedError, BusyError):
        raise
    except BaseException as error:
        if not isinstance(db, sqlite3.Connection):
            text = str(error)[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
            # A disk that failed the run may fail its row, too; the first error is the one to report.
            with suppress(DashkitError, sqlite3.Error), using(db, write=True) as conn:
                failed = Run(kind, started_at)  # what the first one recorded was rolled back
                failed.project_id = this.project_id
                failed.end(conn, {"error": type(error).__name__, "text": text}, "failed")
        raise


def counts(summary: IngestSummary) -> dict[str, Any]:
    """What a run did, in numbers, for its row; zeros are left out."""
    found = {name: getattr(summary, name) for name in _COUNTS} | {"notes": len(summary.notes)}
    return {name: number for name, number in found.items() if number}
