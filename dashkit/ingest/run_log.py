"""One run of what reads or links, and its row in `runs`, which is written when it has ended."""

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
    """A run; where the row of one that writes tasks is, all tasks agreed with their events when it ended.

    So the next one knows since when something may have changed without an event. Whoever knows of which project it is
    says so in `project_id`, and its row tells, also where it fails.
    """

    project_id: int | None = None

    def __init__(self, kind: Kind, started_at: str) -> None:
        self._kind, self._started_at = kind, started_at
        self._looked = kind not in runs.LOOKING

    def look(self, conn: sqlite3.Connection, now: str) -> None:
        """Take over into the history what no trigger saw, and what rows know of earlier times, once.

        It is done in the transaction that ends the run.
        """
        if not self._looked:
            reconcile.record(conn, now)
            backfill.add(conn, now)
            self._looked = True

    def end(
        self, conn: sqlite3.Connection, details: Mapping[str, Any], outcome: Literal["done", "failed"] = "done"
    ) -> None:
        """Write the row, inside the caller's transaction; a database before version 2.1 keeps none."""
        if runs.are_kept(conn):
            now = times.to_text(times.utc_now())
            self.look(conn, now)
            of_one = {} if self.project_id is None else {"project_id": self.project_id}
            runs.record(conn, self._kind, self._started_at, now, outcome, {**of_one, **details})


@contextmanager
def run(db: Database, kind: Kind) -> Iterator[Run]:
    """Do something that ends with `Run.end`; where it fails midway, its row says so.

    What is refused changes nothing, and leaves no row; nor does a run that is killed, or one that fails in a
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
            # The disk that failed the run may fail its row too; the first error is the one to tell.
            with suppress(DashkitError, sqlite3.Error), using(db, write=True) as conn:
                failed = Run(kind, started_at)  # what this one looked at was taken back
                failed.project_id = this.project_id
                failed.end(conn, {"error": type(error).__name__, "text": text}, "failed")
        raise


def counts(summary: IngestSummary) -> dict[str, Any]:
    """What a run did, in numbers, for its row; what is not there is zero."""
    found = {name: getattr(summary, name) for name in _COUNTS} | {"notes": len(summary.notes)}
    return {name: number for name, number in found.items() if number}
