"""The Dashboard that `dashkit.open` returns: every frame is a method of it."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self
from zoneinfo import ZoneInfo

from dashkit import arguments, connection, loading, snapshot, times
from dashkit.connection import Database
from dashkit.errors import OutdatedError, UsageError
from dashkit.frames import activity, blocked, flow, forecast, links, moves, progress, quality, timeline
from dashkit.store import chosen, settings

if TYPE_CHECKING:
    import pandas as pd

# A project that was made later, and had no task yet, was not there.
_THERE: Final = """
    SELECT count(*) FILTER (coalesce(p.created_at <= $now, true) OR t.project_id IS NOT NULL) AS project,
           (SELECT count(*) FROM tasks WHERE is_open OR checked) AS task
    FROM projects AS p LEFT JOIN (SELECT DISTINCT project_id FROM tasks) AS t ON t.project_id = p.id
"""
AHEAD: Final = timedelta(days=1)  # so far the clock of a caller, and the midnight of another zone, may be


class Dashboard:
    """One state of a database, read-only, for as many questions as there are.

    Args:
        taken: the snapshot that it owns from now on.
    """

    def __init__(self, taken: snapshot.Snapshot) -> None:
        self._snapshot = taken

    progress = progress.progress
    blocked_tasks = blocked.blocked_tasks
    blocked_over_time = blocked.blocked_over_time
    blocked_reasons_over_time = blocked.blocked_reasons_over_time
    blocker_clusters = blocked.blocker_clusters
    throughput = flow.throughput
    throughput_by_project = flow.throughput_by_project
    arrivals = flow.arrivals
    cumulative_flow = flow.cumulative_flow
    wip = flow.wip
    progress_over_time = flow.progress_over_time
    cycle_times = flow.cycle_times
    lead_times = flow.lead_times
    ageing = flow.ageing
    what_moved = moves.what_moved
    forecast_fan = forecast.forecast_fan
    forecast = forecast.forecast  # last of its module: from here on the name is the method's
    task_timeline = timeline.task_timeline
    headlines = activity.headlines
    commit_activity = activity.commit_activity
    activity = activity.activity  # last of its module: from here on the name is the method's
    task_commits = links.task_commits
    links = links.links
    bad_values = quality.bad_values
    left_out = quality.left_out
    data_quality = quality.data_quality

    @arguments.checked("run this query")
    def sql(self, query: str, parameters: snapshot.Parameters = ()) -> "pd.DataFrame":
        """The rows of a query of your own over the views of docs/frames.md, in DuckDB's SQL.

        It can read the views and nothing else: no file, no network, no writing.

        Args:
            query: one SELECT; values as `?` or `$name`.
            parameters: a list for `?`, a mapping for `$name`.

        Returns:
            Int64, Float64, boolean, string and datetime64[us, UTC] columns; NA where there is no value. A date is the
            midnight that it begins with in the dashboard's time zone.

        Raises:
            UsageError: it is no single SELECT, or it asks for what is not there.
        """
        return self._snapshot.ask(query, parameters)

    def find_task(self, word: str) -> chosen.Choice:
        """The task of the chosen project that a number or an id means, as `dashkit task` finds it.

        Raises:
            UsageError: there is no such task, or several have this id; they are named.
        """
        with closing(connection.connect_immutable(self._snapshot.copy.file)) as lite:
            lite.text_factory = loading.TEXT
            return chosen.find(lite, word, self.project, allow_deleted=True)

    def number_of(self, task: int | str | None) -> int | None:
        """The number of the row of a task that is given by it, or by its id; None and '' are every task.

        Where the word could mean another task too, a warning says so.

        Raises:
            UsageError: there is no such task, or several have this id; they are named.
        """
        if not isinstance(task, str):
            return task
        if not task:
            return None
        choice = self.find_task(task)
        if choice.note:
            warnings.warn(choice.note, stacklevel=4)
        return choice.task_id

    def require_history(self, frame: str) -> None:
        """Refuse a frame that needs to know what was true before.

        Raises:
            OutdatedError: the database is before version 2.1.
        """
        if not self.has_history:
            raise OutdatedError(
                f"Cannot show {frame}",
                f"version {self.version} keeps no history",
                "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
            )

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
    def has_history(self) -> bool:
        """Whether the database records changes (from version 2.1 on), so that frames over time can be made."""
        return self._snapshot.has_history

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each table has, of all projects."""
        return self._snapshot.rows

    @property
    def as_of(self) -> datetime:
        """The instant that everything is as of."""
        return self._snapshot.as_of

    @property
    def project(self) -> int | None:
        """The id of the project that is shown; None: all are."""
        return self._snapshot.project

    @property
    def note(self) -> str:
        """A sentence where the word that chose the project could mean another one too, else ''."""
        return self._snapshot.note

    @property
    def timezone(self) -> str:
        """The time zone of days, weeks and months."""
        return self._snapshot.timezone

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
        from html import escape

        numbers = {name: self.rows.get(f"{name}s", 0) for name in ("project", "task")}
        what = f"project {self.project}"
        with suppress(UsageError):  # it is closed
            if self.project is None:
                there = self.sql(_THERE, {"now": self.as_of})
                numbers = {name: int(there[name][0]) for name in numbers}
            elif name := self.sql("SELECT name FROM projects")["name"].fillna("")[0]:
                what = f"project {name}"
        if self.project is None:
            what = ", ".join(f"{n:,} {noun}{'s' * (n != 1)}" for noun, n in numbers.items())
        at, zone = self.as_of, "UTC"
        with suppress(OverflowError):  # in the zone it would be before the first day that there is
            at, zone = at.astimezone(ZoneInfo(self.timezone)), self.timezone
        when = f"{at.day} {at:%B %Y, %H:%M} {zone}"
        file = escape(Path(self.path).name)
        note = f" {escape(self.note)}" if self.note else ""
        told = f"<strong>{file}</strong> as of {when}: {escape(what)} (version {self.version}){note}"
        return f'<p class="mathjax_ignore tex2jax_ignore">{told}</p>'

    def __repr__(self) -> str:
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items() if count)
        state = f"version {self.version}, as of {times.to_text(self.as_of)}"
        note = f". {self.note}" if self.note else ""
        return f"<Dashboard {self.path!r}, {state}: {rows or 'empty'}{note}>"


@arguments.checked("open a Dashboard")
def open(  # noqa: A001 - dashkit.open is the name that users meet
    db: Database = None,
    *,
    as_of: datetime | str | None = None,
    known_at: datetime | str | None = None,
    project: int | str | None = None,
    timezone: str | None = None,
    load: loading.Load | Literal["auto"] = "auto",
) -> Dashboard:
    """A Dashboard over a snapshot of the database, which is itself neither changed nor kept open.

    Args:
        db: a path or an open connection, else DASHKIT_DB, else the nearest .dashkit/dashboard.db.
        as_of: the instant that everything is as of: aware, or ISO 8601 text (without an offset UTC), and not of the
            future; None or '' is now. What has no history (names, phases, labels, links) is that of now; before
            version 2.1 nothing has one, and only ages are counted to it.
        known_at: leave out what was recorded later, likewise; None or '' leaves nothing out. What does not say when
            it was recorded (sessions, links, commits of other programs) counts as known.
        project: id or name of the one project to show; None or '' is all of them. What is both is the id, and `note`
            says so; a name counts in any case where it is no other project's as it is written.
        timezone: of days, weeks and months, such as Europe/Berlin; None or '' is the setting `time_zone`.
        load: how the tables get into DuckDB: `copy`, `attach` (through its SQLite extension), or what is faster.

    Raises:
        RefusedError: no such file, no Dashboard, or it cannot be read without changing it.
        OutdatedError: a Dashboard before version 2.0, or before 2.1 where known_at is given.
        UsageError: no such project or zone, several projects of that name, no instant, or one of the future.
    """
    if load not in ("auto", "copy", "attach"):
        raise UsageError(f"Cannot load by {load!r:.80}", "there is no such way", "Use auto, attach or copy.")
    return Dashboard(
        snapshot.take(
            db,
            as_of=_instant(as_of, "show what was true at"),
            known_at=_instant(known_at, "tell what was known at"),
            project=project,
            timezone=_zone(timezone),
            load=None if load == "auto" else load,
        )
    )


def frames() -> dict[str, Callable[..., "pd.DataFrame"]]:
    """The frames of a Dashboard by name."""
    found = vars(Dashboard).items()
    return {name: made for name, made in found if getattr(made, "__module__", "").startswith("dashkit.frames.")}


for _name, _frame in frames().items():
    setattr(Dashboard, _name, arguments.checked(f"show {_name}")(_frame))


def _instant(given: datetime | str | None, purpose: str) -> datetime | None:
    if given is None or given == "":
        return None
    instant = times.require(given, purpose)
    if instant > times.utc_now() + AHEAD:
        raise UsageError(
            f"Cannot {purpose} {given!s:.80}",
            "it lies in the future, of which nothing is recorded",
            "Give an instant that is past, or leave it out.",
        )
    return instant


def _zone(name: str | None) -> str | None:
    if name is None or name == "":
        return None
    try:
        return settings.KEYS["time_zone"].parse(name)  # type: ignore[no-any-return]
    except ValueError as error:
        raise UsageError(
            f"Cannot use the time zone {name!r:.80}", str(error), "Give one such as Europe/Berlin."
        ) from error
