"""What is happening."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dashkit import times
from dashkit.errors import UsageError
from dashkit.frames.flow import FEWEST, require_period

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

# Of what queries/activity.sql lists.
_EVENTS: Final = """
    SELECT (SELECT count(*) FROM tasks WHERE checked AND completed_at IS NOT NULL)
         + (SELECT count(*) FROM commits WHERE reachable) + (SELECT count(*) FROM sessions) AS events
"""
_BEFORE: Final = timedelta(days=6)  # today: seven days with it
NAMED: Final = 3  # titles in a headline


def activity(dashboard: "Dashboard", limit: int = 50) -> "pd.DataFrame":
    """What happened lately: completed tasks, commits and sessions in one stream.

    Commits that no branch or tag leads to any more are left out.

    Columns:
        occurred_at (datetime64[us, UTC]): a task's completed_at, a commit's time, a session's start;
            missing for a commit or session that has no readable one. A task without one is not in the stream.
        type (string): task_completed, commit or session.
        name (string): a task's id in the file that it was read from, else its task_id; the commit's sha; the
            session's id.
        title (string): a task's title; the first line of a commit's message or session's summary, or its id.
        project_id (Int64): the project; missing for a session of none.
        project (string): its name; missing where no such project is there.

    Sorted by: occurred_at, the newest first and missing last, then type and title.

    Args:
        dashboard: where from.
        limit: at most so many rows.

    Raises:
        UsageError: limit is below 0.
    """
    if limit < 0:
        raise UsageError(
            f"Cannot show {limit} events", "the limit is below zero", "Give the number of rows, 0 or more."
        )
    return dashboard.query("activity", limit=limit)


def count(dashboard: "Dashboard") -> int:
    """How many rows `activity` has without a limit."""
    return int(dashboard.sql(_EVENTS)["events"][0])


def commit_activity(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many commits were made in each period and what they changed, from the first commit to as_of.

    Commits that no branch or tag leads to any more are left out. A merge counts as a commit, without lines.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        commits (Int64, commits): commits made in it, by the committer's time.
        merges (Int64, commits): those of them that are merges.
        authors (Int64, people): how many different people wrote them, told apart by their address.
        insertions (Int64, lines): lines added; missing where those of one commit are not known.
        deletions (Int64, lines): lines removed, likewise.
        linked (Int64, commits): commits that a task is linked with.
        linked_share (Float64, 0..1): linked / commits; missing where there are no commits.
        is_partial (boolean): the period has not ended at as_of, or began before the first commit.

    Sorted by: period_on; a period without commits has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
    """
    require_period(by)
    return dashboard.query("commit_activity", by=by)


def headlines(dashboard: "Dashboard", since: datetime | str | None = None) -> "pd.DataFrame":
    """What matters of what happened lately: at most five rows, one a kind, the gravest first.

    Columns:
        kind (string): `failed`: the last runs of a scan, ingest or link failed; `blocked`: tasks became blocked, and
            are; `reopened`: done tasks are open again; `done`: tasks were done; `stale`: tasks came to be in work for
            longer than 85 percent of the finished ones were (of fewer than 20 nothing is stale); `commits`.
        title (string): how many, in words.
        detail (string): the latest three of them, and how many more; a block with its reason.
        occurred_at (datetime64[us, UTC]): when the latest of them happened.

    Sorted by: kind, in this order; a kind of which nothing happened has no row.

    Args:
        dashboard: where from.
        since: what happened after this instant: aware, or ISO 8601 text; None: in the last seven days by the
            dashboard's clock, that of as_of included.

    Raises:
        UsageError: since is no instant.
    """
    moment = times.require(since, "tell what happened since") if since else lately(dashboard)
    return dashboard.query("headlines", since=times.to_text(moment), fewest=FEWEST, named=NAMED)


def lately(dashboard: "Dashboard") -> datetime:
    """The last instant before the last seven days by the dashboard's clock, that of as_of included."""
    try:
        today = dashboard.as_of.astimezone(ZoneInfo(dashboard.timezone)).date()
        first = times.midnight(today - _BEFORE, dashboard.timezone)
    except OverflowError:  # it would be before the first day that there is
        first = dashboard.as_of
    return times.before(first, timedelta(milliseconds=1))
