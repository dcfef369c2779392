"""The Dashboard that `dashkit.open` returns: every frame is a method of it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dashkit import snapshot, times
from dashkit.connection import Database
from dashkit.errors import UsageError
from dashkit.frames import activity, blocked, links, progress, quality

if TYPE_CHECKING:
    import pandas as pd


class Dashboard:
    """One state of a database, read-only, for as many questions as there are.

    Args:
        taken: the snapshot that it owns from now on.
    """

    def __init__(self, taken: snapshot.Snapshot) -> None:
        self._snapshot = taken

    progress = progress.progress
    blocked_tasks = blocked.blocked_tasks
    activity = activity.activity
    links = links.links
    bad_values = quality.bad_values

    def sql(self, query: str, parameters: snapshot.Parameters = ()) -> "pd.DataFrame":
        """The rows of a query of your own over the views of docs/frames.md, in DuckDB's SQL.

        It can read the views and nothing else: no file, no network, no writing.

        Args:
            query: one SELECT; values as `?` or `$name`.
            parameters: a list for `?`, a mapping for `$name`.

        Returns:
            Int64, Float64, boolean, string and datetime64[us, UTC] columns; NA where there is no value.

        Raises:
            UsageError: it is no single SELECT, or it asks for what is not there.
        """
        return self._snapshot.ask(query, parameters)

    def query(self, name: str, **parameters: object) -> "pd.DataFrame":
        """The rows of frames/queries/<name>.sql: what frames are made of."""
        text = resources.files("dashkit.frames").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
        return self._snapshot.run(text, parameters)

    @property
    def path(self) -> str:
        """The live file that this is a snapshot of; '' for a database in memory."""
        return self._snapshot.path

    @property
    def version(self) -> str:
        """The version of the database's schema."""
        return self._snapshot.version

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each table has, of all projects."""
        return self._snapshot.rows

    @property
    def as_of(self) -> datetime:
        """The instant that ages are counted to."""
        return self._snapshot.as_of

    def close(self) -> None:
        """Let go of the snapshot; the frames that were made stay."""
        self._snapshot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{self.rows.get(table, 0):,} {table}" for table in ("projects", "tasks"))
        when = f"{self.as_of:%d %B %Y, %H:%M} UTC"
        return f"<p><strong>{escape(Path(self.path).name)}</strong> as of {when}: {counts} (version {self.version})</p>"

    def __repr__(self) -> str:
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items() if count)
        state = f"version {self.version}, as of {times.to_text(self.as_of)}"
        return f"<Dashboard {self.path!r}, {state}: {rows or 'empty'}>"


def open(  # noqa: A001 - dashkit.open is the name that users meet
    db: Database = None, *, as_of: datetime | str | None = None, project: int | str | None = None
) -> Dashboard:
    """A Dashboard over a snapshot of the database, which is itself neither changed nor kept open.

    Args:
        db: a path or an open connection, else DASHKIT_DB, else the nearest .dashkit/dashboard.db.
        as_of: the instant that ages are counted to, as an aware datetime or a timestamp; '' or None is now.
        project: id or name of one project; everything then speaks of this one alone; '' or None is all.

    Raises:
        RefusedError: no such file, no Dashboard, or not readable without changing it.
        OutdatedError: a database before version 2.0.
        UsageError: as_of names no instant, or there is no such project.
    """
    return Dashboard(snapshot.take(db, as_of=_instant(as_of), project=project))


def frames() -> dict[str, Callable[..., "pd.DataFrame"]]:
    """The frames of a Dashboard by name."""
    found = vars(Dashboard).items()
    return {name: made for name, made in found if getattr(made, "__module__", "").startswith("dashkit.frames.")}


def _instant(as_of: datetime | str | None) -> datetime:
    if as_of is None or as_of == "":
        return times.utc_now()
    instant = times.parse(as_of) if isinstance(as_of, str) else as_of
    if instant is None or instant.tzinfo is None:
        raise UsageError(
            f"Cannot count ages to {as_of!r}",
            "it is no instant" if instant is None else "it has no time zone",
            "Give an aware datetime or text like '2025-11-27T16:09:57Z'.",
        )
    return instant
