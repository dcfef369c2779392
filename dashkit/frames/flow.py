"""How work flows: what comes, what is in work, what is finished, and how long it takes."""

from typing import TYPE_CHECKING, Final

from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

PERIODS: Final = ("day", "week", "month")
FEWEST: Final = 20  # cycle times; of fewer a percentile says nothing, and the single ones say all


def require_period(by: str) -> None:
    """Refuse what is no period.

    Raises:
        UsageError: it is none.
    """
    if by not in PERIODS:
        raise UsageError(f"Cannot count by {by!r:.80}", "there is no such period", f"Use {', '.join(PERIODS)}.")


def over_time(dashboard: "Dashboard", name: str, by: str) -> "pd.DataFrame":
    """The rows of a frame over time.

    Raises:
        UsageError: `by` is no period.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    require_period(by)
    dashboard.require_history(name)
    return dashboard.query(name, by=by)


def throughput(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks were finished in each period, from the first task that is known to as_of.

    A task is finished when it was last checked: one that was reopened and checked again counts once, and one that
    is open again not at all. Where its row says that it was completed before it was checked, it was finished then
    (docs/schema.md, "When a task was finished"); a date without a time counts on that day in every time zone. A task
    that was checked before anybody looked, and says nothing of when, is in no period. Throughput is the number of
    finished items per unit of time (Kanban Guide).

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        finished (Int64, tasks): tasks finished in it.
        finished_size (Int64, points): their sizes added up.
        estimated (Int64, tasks): those of them whose time nobody saw: a row says it.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on; a period in which nothing was finished has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "throughput", by)


def throughput_by_project(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks of each project were finished in each period: throughput, project by project.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        project_id (Int64): the project; missing for tasks that name none.
        project (string): its name; missing where no such project is there.
        finished (Int64, tasks): tasks finished in it.
        estimated (Int64, tasks): those of them whose time nobody saw: a row says it.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on, project_id (missing last); every period has a row for every project that has or had tasks.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "throughput_by_project", by)


def arrivals(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks came in each period, how many went, and what that did to what is open.

    A task arrives when it is created, and again whenever it comes back: reopened, no longer cancelled, or in its file
    again. It leaves when it is cancelled, deleted or gone from its file without being finished, and with a finish that
    did not last. Net flow is arrivals less departures (Vacanti): below zero, there is less to do. Net flow, added up,
    is what is open at as_of. What was done at a time that nobody knows, as what was done at the first look, is in no
    period: neither arrived nor finished (cumulative_flow has both).

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        arrived (Int64, tasks): how often a task came to be open in it, or was first seen done.
        estimated (Int64, tasks): those of them whose time nobody saw: a row says it.
        finished (Int64, tasks): tasks finished in it, as in throughput.
        left (Int64, tasks): how often a task left in it without being finished for good.
        net_flow (Int64, tasks): arrived - finished - left.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on; every period has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "arrivals", by)


def cumulative_flow(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks had arrived, been started, been finished or left by the end of each period, since the beginning.

    The lines of a cumulative flow diagram (Vacanti, Actionable Agile Metrics): they never fall, and arrived is never
    below started, nor that below finished + left. At the end of every period arrived - finished - left is `open` of
    the frame wip, started - finished - left is its `wip`, and finished is throughput added up, with what was found
    done on top. So a task that was reopened, or came back, had left and arrives again. A task that leaves unstarted
    passes the start as it leaves.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        arrived (Int64, tasks): how often a task had arrived by the end of it.
        started (Int64, tasks): how often one had been started, been finished or left by then.
        finished (Int64, tasks): tasks that had been finished for good by then; those found done at the first look
            count from that on.
        left (Int64, tasks): how often one had left by then: cancelled, deleted, gone from its file, or with a finish
            that did not last.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on; every period has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "cumulative_flow", by)


def wip(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How many tasks were in work, and how many were open, at the end of each period.

    As it was in the last instant of the period, whatever became of it later: work in progress is what was started
    (by a status of the setting `started_statuses`, or by having been checked) and not finished (Kanban Guide). A task
    that is reopened is in work again.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        wip (Int64, tasks): tasks started, and neither finished, cancelled nor gone, at the end of it, or at as_of.
        open (Int64, tasks): tasks open at the end of it, started or not.
        estimated (Int64, tasks): those of wip whose state nobody saw begin.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on; every period has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "wip", by)


def progress_over_time(dashboard: "Dashboard", by: str = "week") -> "pd.DataFrame":
    """How far the work was at the end of each period, by count and by size, as it was then.

    What was cancelled, deleted or gone by then is in neither, as in progress; what came later is not in it yet, so
    that progress can fall.

    Columns:
        period_on (datetime64[us, zone]): the midnight that the period begins with, in the dashboard's time zone; weeks
            begin on Monday.
        tasks (Int64, tasks): tasks open or done at the end of it, or at as_of.
        checked (Int64, tasks): those of them that were done.
        progress (Float64, 0..1): checked / tasks; missing where there were no tasks.
        size_total (Int64, points): the sizes that tasks had then added up.
        size_checked (Int64, points): the sizes of those that were done added up.
        progress_by_size (Float64, 0..1): size_checked / size_total; missing where there were no tasks.
        estimated (Int64, tasks): those of tasks whose state nobody saw begin.
        is_partial (boolean): the period has not ended at as_of, or began before the first task was there.
        is_gap (boolean): the period lies in a longer time of which changes were found only afterwards; they are
            counted at the end of it.

    Sorted by: period_on; every period has a row.

    Args:
        dashboard: where from.
        by: day, week or month.

    Raises:
        UsageError: by is something else.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    return over_time(dashboard, "progress_over_time", by)


def cycle_times(dashboard: "Dashboard") -> "pd.DataFrame":
    """How long each finished task was in work: from its first start to its last finish.

    In elapsed time, nights and weekends included (Kanban Guide), and exact: less than a day is a value. A task that
    was checked without having been started before has no cycle time, nor one whose start was there at the first look;
    lead_times may know more of it. One that was done at a time that nobody knows has no row.

    Columns:
        task_id (Int64): the task.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title; missing where it was deleted.
        complexity (string): its size; missing where it has none.
        started_at (datetime64[us, UTC]): when it was first in a started status, or checked.
        finished_at (datetime64[us, UTC]): when it was last checked.
        cycle_time_days (Float64, days): finished_at - started_at, nights and weekends included; missing where nobody
            saw it start.
        is_measurable (boolean): whether there is a cycle time.
        is_estimated (boolean): nobody saw one of the two: it is what the task itself says, or when it was noticed.

    Sorted by: finished_at, task_id.

    Args:
        dashboard: where from.

    Raises:
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("cycle_times")
    return dashboard.query("cycle_times")


def lead_times(dashboard: "Dashboard") -> "pd.DataFrame":
    """How long each finished task took: from its arrival to its last finish.

    In elapsed time, exact, as cycle_times. A task that is said to be completed before it was created has no lead time
    (less than a second before is 0: clocks are rounded), nor one that was there at the first look, or was inserted as
    done. One that was done at a time that nobody knows has no row.

    Columns:
        task_id (Int64): the task.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title; missing where it was deleted.
        complexity (string): its size; missing where it has none.
        arrived_at (datetime64[us, UTC]): when it was first there.
        finished_at (datetime64[us, UTC]): when it was last checked.
        lead_time_days (Float64, days): finished_at - arrived_at, nights and weekends included; missing where nobody
            knows when it arrived.
        is_measurable (boolean): whether there is a lead time.
        is_estimated (boolean): nobody saw one of the two: it is what the task itself says, or when it was noticed.

    Sorted by: finished_at, task_id.

    Args:
        dashboard: where from.

    Raises:
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("lead_times")
    return dashboard.query("lead_times")


def ageing(dashboard: "Dashboard") -> "pd.DataFrame":
    """How old the work in progress is, against how long finished work took.

    Work item age is the time since the first start (Kanban Guide). A percentile is the cycle time that so many of the
    finished tasks took at most, one of them exactly (nearest rank), over all that have one; of fewer than 20 there is
    none. What is older than p85_days is what to look at first.

    Columns:
        task_id (Int64): the task.
        project_id (Int64): its project.
        project (string): the project's name; missing where no such project is there.
        title (string): the task's title.
        status (string): its status.
        blocked (boolean): whether it is blocked.
        started_at (datetime64[us, UTC]): when it was first in a started status, or checked.
        age_days (Float64, days): as_of - started_at, in days of 24 hours.
        p50_days (Float64, days): half of the finished tasks took at most so long; missing where they are too few.
        p85_days (Float64, days): 85 percent of them took at most so long; likewise.
        p95_days (Float64, days): 95 percent of them took at most so long; likewise.
        is_estimated (boolean): nobody saw it start: it is at least so old.

    Sorted by: age_days, the oldest first, then task_id.

    Args:
        dashboard: where from.

    Raises:
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("ageing")
    return dashboard.query("ageing", fewest=FEWEST)
