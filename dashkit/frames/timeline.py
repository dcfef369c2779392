"""What happened to one task."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def task_timeline(dashboard: "Dashboard", task_id: int | str | None = None) -> "pd.DataFrame":
    """Everything that is known of a task, the oldest first.

    An id that was given again after a deletion has the timelines of both tasks, one after the other. Before version
    2.1 there is only what the task says itself.

    Columns:
        task_id (Int64): the task.
        occurred_at (datetime64[us, UTC]): when it happened; missing for a commit or session without a readable time.
        kind (string): created, moved (to another project), renamed, sized, status, blocked, reason (of its block),
            unblocked, done, reopened, gone (from its file), back, deleted; waiting, freed (of a task that it depends
            on); commit, session (that it is linked with).
        detail (string): what it became: the title, size, status, reason or project; of waiting and freed the title of
            the other task, of a commit or session its own; missing where there is none.
        is_estimated (boolean): nobody saw it happen, or the link is not sure.
        not_before (datetime64[us, UTC]): it happened after this, and at occurred_at at the latest; missing where it
            was seen exactly.

    Sorted by: task_id, then occurred_at, missing last.

    Args:
        dashboard: where from.
        task_id: the task, by its number or, as text, by the id that pages show, such as BACK-544; None: every task.

    Raises:
        UsageError: no task has this id, or several have it; they are named.
    """
    number = dashboard.number_of(task_id)
    return dashboard.query("task_timeline", task_id=number, has_history=dashboard.has_history)
