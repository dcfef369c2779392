"""What is happening."""

from typing import TYPE_CHECKING

from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def activity(dashboard: "Dashboard", limit: int = 50) -> "pd.DataFrame":
    """What happened lately: completed tasks, commits and sessions in one stream.

    Columns:
        occurred_at (datetime64[us, UTC]): a task's completed_at, a commit's time, a session's start;
            missing for a commit or session that has no readable one. A task without one is not in the stream.
        type (string): task_completed, commit or session.
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
