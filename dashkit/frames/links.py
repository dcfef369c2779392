"""Which work belongs to which task."""

from typing import TYPE_CHECKING

from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def links(dashboard: "Dashboard", task_id: int | str | None = None, min_confidence: float = 0.0) -> "pd.DataFrame":
    """The commits and sessions that tasks are linked with, as of now; a task that came later than as_of had none.

    Columns:
        task_id (Int64): the task.
        task (string): its title; missing where no such task is there.
        kind (string): commit or session.
        target (string): the commit's sha or the session's id.
        title (string): the first line of the commit's message or session's summary; missing where none is.
        occurred_at (datetime64[us, UTC]): the commit's time or the session's start; missing where not known.
        confidence (Float64, 0..1): how sure the link is: 1 was said by somebody, less is inferred.
        link_type (string): explicit, inferred or manual.
        evidence (string): what it stands on: JSON, or plain text from elsewhere; missing where nobody said.

    Sorted by: confidence, the surest first, then occurred_at, the newest first, then task_id, kind, target.

    Args:
        dashboard: where from.
        task_id: the links of this task alone, by its number or, as text, by the id that pages show, such as BACK-544.
        min_confidence: leave out what is less sure; a missing confidence counts as 0.

    Raises:
        UsageError: min_confidence is outside 0..1; no task has this id, or several have it, which are named.
    """
    _require_confidence(min_confidence)
    return dashboard.query("links", task_id=dashboard.number_of(task_id), min_confidence=min_confidence)


def task_commits(dashboard: "Dashboard", min_confidence: float = 0.0) -> "pd.DataFrame":
    """Which tasks had commits; those that no branch or tag leads to any more are left out.

    Columns:
        task_id (Int64): the task.
        external_id (string): its id in the file that it was read from; missing where it has none.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title.
        checked (boolean): whether it is done.
        commits (Int64, commits): how many commits it is linked with.
        lines (Int64, lines): lines that they added and removed; missing where those of one are not known.
        first_commit_at (datetime64[us, UTC]): the first of them; missing where no time is known.
        last_commit_at (datetime64[us, UTC]): the last of them, likewise.
        confidence (Float64, 0..1): the surest of the links.

    Sorted by: last_commit_at, the latest first and missing last, then task_id.

    Args:
        dashboard: where from.
        min_confidence: leave out links that are less sure; a missing confidence counts as 0.

    Raises:
        UsageError: min_confidence is outside 0..1.
    """
    _require_confidence(min_confidence)
    return dashboard.query("task_commits", min_confidence=min_confidence)


def _require_confidence(lowest: float) -> None:
    if not 0 <= lowest <= 1:
        raise UsageError(
            f"Cannot show links from a confidence of {lowest}",
            "a confidence lies between 0 and 1",
            "Give a number from 0 to 1, such as 0.6.",
        )
