"""What is stuck."""

from typing import TYPE_CHECKING

from dashkit.frames.flow import over_time

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def blocked_tasks(dashboard: "Dashboard") -> "pd.DataFrame":
    """The tasks that are blocked, and those that wait for another task; one that does both has two rows.

    Columns:
        task_id (Int64): the task.
        external_id (string): its id in the file that it was read from; missing where it has none.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title.
        cause (string): `reported`: of status blocked and not checked; `waiting`: open, and what it depends on is open.
        blocked_reason (string): why, in the words of whoever blocked it, missing where nobody said; of a waiting
            task the titles of what it waits for.
        waits_for (Int64, tasks): open tasks that this one depends on, of any project.
        frees (Int64, tasks): open tasks of any project that wait for this one, directly or through others; missing for
            a waiting task.
        blocked_days (Float64, days): how long until as_of, as basis says; missing where that is not known.
        basis (string): what blocked_days stands on: an `event` saw it begin; the `version` of a file, or the first
            look at the task, had it already, which makes it a lower bound ("at least"); `not_before` makes it an upper
            bound ("at most"): nobody saw it begin, and the task was created at that instant, or last known without
            the block; missing where blocked_days is, as where the first look found it less than 0.05 days ago.

    Sorted by: cause, blocked_days (the longest first, missing last), task_id.
    """
    return dashboard.query("blocked_tasks")


def blocked_over_time(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks were blocked at the end of each period, and how many waited for another task.

    The two are never added: a task may be both. They are counted from recorded events, never from updated_at; what
    was done, cancelled or gone was neither.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        cause (string): `reported`: of status blocked and not checked; `waiting`: open, and what it depends on is open.
        blocked (Int64, tasks): tasks in this state at the end of the period, or at as_of.
        entered (Int64, tasks): how often a task came into it in the period.
        left (Int64, tasks): how often a task left it in the period.
        estimated (Int64, tasks): those of blocked that nobody saw come into it: they were in it when first looked at.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on, cause; every period has a row for both causes.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "blocked_over_time", by)


def blocked_reasons_over_time(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """What blocked how many tasks in each period, and for how many days.

    Reasons are one where they differ only in letter case and spaces. A reason that changes while a task is blocked
    ends, and another begins; a task that waits for two others is in two rows.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        cause (string): `reported` or `waiting`, as in blocked_over_time.
        reason (string): why, in small letters, missing where nobody said; of waiting tasks the title of the task that
            they wait for.
        depends_on_id (Int64): that task; missing where the cause is reported.
        tasks (Int64, tasks): tasks that this blocked at some time in the period.
        days (Float64, days): for how long, added up over the tasks.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on, cause, days (the most first), reason (missing last), depends_on_id; a period has rows only
        for what blocked something in it.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "blocked_reasons_over_time", by)


def blocker_clusters(dashboard: "Dashboard") -> "pd.DataFrame":
    """What blocks most: all stretches of time in which tasks were blocked, by their reason.

    Blocker clustering (Leopold and Magennis): ranked by the days in all, not by how often. Reasons are one where they
    differ only in letter case and spaces; tasks that wait are clustered by the task that they wait for.

    Columns:
        cause (string): `reported` or `waiting`, as in blocked_over_time.
        reason (string): why, in small letters, missing where nobody said; of waiting tasks the title of the task that
            they wait for.
        depends_on_id (Int64): that task; missing where the cause is reported.
        stretches (Int64, stretches): how often a task came to be blocked by it.
        tasks (Int64, tasks): how many different tasks it blocked.
        blocked (Int64, tasks): how many of them it still blocks.
        days (Float64, days): for how long, added up, to as_of for what it still blocks.
        share (Float64, 0..1): days / the days of all rows of this cause; missing where these are 0.
        estimated (Int64, tasks): those of tasks of which nobody saw a stretch begin: it lasted at least so long.

    Sorted by: cause, days (the most first), reason (missing last), depends_on_id.

    Args:
        dashboard: where from.

    Raises:
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("blocker_clusters")
    return dashboard.query("blocker_clusters")
