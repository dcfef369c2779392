"""What is stuck."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def blocked_tasks(dashboard: "Dashboard") -> "pd.DataFrame":
    """The tasks that are blocked: of status blocked and not checked.

    Columns:
        task_id (Int64): the task.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title.
        blocked_reason (string): why, in the words of whoever blocked it; missing where nobody said.
        blocked_days (Float64, days): how long until as_of, as basis says; missing where that is not known.
        basis (string): what blocked_days stands on: `updated_at` makes it an upper bound ("at most"), because
            nothing was recorded about the task since it was created; missing where blocked_days is.

    Sorted by: blocked_days, the longest first and missing last, then task_id.
    """
    return dashboard.query("blocked_tasks")
