"""How far the work is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def progress(dashboard: "Dashboard") -> "pd.DataFrame":
    """How far each project is, by count and by size; cancelled tasks are left out of both.

    A checked task is done whatever its status says. A project_id that only tasks know has its own row, so
    that every task is counted in exactly one row.

    Columns:
        project_id (Int64): the project; missing for tasks that name none.
        project (string): its name; missing where no such project is there.
        tasks (Int64, tasks): its tasks without the cancelled ones.
        checked (Int64, tasks): those of them that are done.
        progress (Float64, 0..1): checked / tasks; missing where there are no tasks.
        cancelled (Int64, tasks): tasks of status cancelled that are not checked.
        blocked (Int64, tasks): tasks of status blocked that are not checked.
        size_total (Int64, points): the sizes of tasks added up: S 1, M 2, L 3, XL 5, and 2 without a size.
        size_checked (Int64, points): the same of those that are done.
        progress_by_size (Float64, 0..1): size_checked / size_total; missing where there are no tasks.
        unsized (Int64, tasks): how many of tasks have no size.

    Sorted by: project_id, missing last.
    """
    return dashboard.query("progress")
