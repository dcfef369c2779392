"""Which work belongs to which task."""

from typing import TYPE_CHECKING

from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def links(dashboard: "Dashboard", task_id: int | None = None, min_confidence: float = 0.0) -> "pd.DataFrame":
    """The commits and sessions that tasks are linked with.

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
        task_id: the links of this task alone.
        min_confidence: leave out what is less sure; a missing confidence counts as 0.

    Raises:
        UsageError: min_confidence is outside 0..1.
    """
    if not 0 <= min_confidence <= 1:
        raise UsageError(
            f"Cannot show links from a confidence of {min_confidence}",
            "a confidence lies between 0 and 1",
            "Give a number from 0 to 1, such as 0.6.",
        )
    return dashboard.query("links", task_id=task_id, min_confidence=min_confidence)
