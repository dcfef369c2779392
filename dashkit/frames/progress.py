"""How far the work is."""

from typing import TYPE_CHECKING, Final

from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

PARTS: Final = ("phase", "complexity", "label")


def progress(dashboard: "Dashboard", by: str | None = None) -> "pd.DataFrame":
    """How far each project is, by count and by size; what was cancelled, or is gone from its file, is in neither.

    A checked task is done whatever its status says. A project_id that only tasks know has its own row, so
    that every task is counted in exactly one row (by label: in one for each of its labels).

    Columns:
        project_id (Int64): the project; missing for tasks that name none.
        project (string): its name; missing where no such project is there.
        part (string): the phase, complexity or label, as it is now; missing for tasks without one, and without `by`.
            Two phases of one name have a row each.
        tasks (Int64, tasks): its tasks without the cancelled and the gone ones.
        checked (Int64, tasks): those of them that are done.
        progress (Float64, 0..1): checked / tasks; missing where there are no tasks.
        blocked (Int64, tasks): tasks of status blocked that are not checked.
        cancelled (Int64, tasks): tasks of status cancelled that are not checked.
        gone (Int64, tasks): tasks that are no longer in the file that they were read from, and not checked.
        size_total (Int64, points): the sizes of tasks added up: S 1, M 2, L 3, XL 5, and 2 without a size.
        size_checked (Int64, points): the sizes of those that are done added up.
        progress_by_size (Float64, 0..1): size_checked / size_total; missing where there are no tasks.
        unsized (Int64, tasks): how many of tasks have no size.

    Sorted by: project_id, missing last; then phases by their position, complexities by their size, labels by name.

    Args:
        dashboard: where from.
        by: phase, complexity or label: a row for each part of a project; None: one for each project.

    Raises:
        UsageError: by is something else.
    """
    if by is not None and by not in PARTS:
        raise UsageError(f"Cannot show progress by {by!r:.80}", "there are no such parts", f"Use {', '.join(PARTS)}.")
    return dashboard.query("progress", by=by or "")
