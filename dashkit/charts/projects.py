"""Many projects at a glance: a row for each."""

from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import PALE, ROW, bar, head, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, LABEL, MUTED, VERMILLION
from dashkit.charts.words import are, count, percent, sentences, short, within

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_PROJECTS: Final = 10
MOST_PERIODS: Final = 12
_BAR: Final = 0.6  # of the width: progress; the rest is the sparkline
_GAP: Final = 0.04
_HEIGHT: Final = 0.34  # rows: the highest bar of a sparkline


def projects(progress: "pd.DataFrame", throughput_by_project: "pd.DataFrame", by: str = "week") -> Picture:
    """How far each project is, what it finished lately, and what is blocked in it: those that finished most on top.

    Projects without a task are counted below. The tasks of no project, and of projects that are gone, have one row,
    the last, and are no project.

    Args:
        progress: the frame `progress`.
        throughput_by_project: the frame; its last 12 periods are drawn. Ten projects are shown: first those that
            finished something in them, then those with blocked tasks, then those with the most open tasks.
        by: the period that it was made by.
    """
    if not (progress["tasks"] > 0).any():
        return nothing("There are no tasks yet", progress)
    periods = sorted(throughput_by_project["period_on"].unique())[-MOST_PERIODS:]
    lately = throughput_by_project[throughput_by_project["period_on"].isin(periods)]
    named = progress["project"].notna()
    ids = lately["project_id"]
    found = [
        (row, _finished(lately[(ids == row.project_id).fillna(value=False)]))
        for row in tuples(progress[named & (progress["tasks"] > 0)])
    ]
    found.sort(
        key=lambda each: (-int(each[1]["finished"].sum()), -int(each[0].blocked), each[0].checked - each[0].tasks)
    )
    rest = _finished(lately[lately["project"].isna()])
    of_none = [(row, rest) for row in tuples(of_no_project(progress))]
    shown = found[:MOST_PROJECTS] + of_none
    title = _title(found, int(named.sum()), len(periods), by)
    with sheet(0.3 + 0.5 * len(shown)) as (figure, (axes,)):
        no_marks(axes, len(shown))
        axes.set_xticks([])
        axes.set_xlim(0, 1)
        for place, (row, done) in enumerate(reversed(shown)):
            _row(axes, place, row, done)
    data = _data(found + of_none, by)
    more, empty = len(found[MOST_PROJECTS:]), int(named.sum()) - len(found)
    notes = sentences(
        "Blue: checked of all, red: blocked",
        f"Green: finished, {by} by {by}, each on its own scale, paler where the {by} is not over",
        f"Not drawn: {count(more, 'more project')}, which {are(more)} in the table" if more else "",
        f"Without a task, and not shown: {count(empty, 'project')}" if empty else "",
    )
    alt = sentences(title, *(f"{_name(row, ROW)} {percent(int(row.checked), int(row.tasks))}" for row, _ in shown))
    return Picture(figure, title, alt, data, notes)


def of_no_project(progress: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of the frame `progress` that are of no project that is there, as one; none where they have no task."""
    rest = progress[progress["project"].isna()]
    one: pd.DataFrame = rest.head(1).assign(
        **rest[["tasks", "checked", "blocked"]].sum(), project="tasks of no project"
    )
    return one[one["tasks"] > 0]


def _finished(lately: "pd.DataFrame") -> "pd.DataFrame":
    """How many tasks were finished in each period, of all rows together."""
    summed: pd.DataFrame = lately.groupby("period_on", as_index=False).agg({"finished": "sum", "is_partial": "first"})
    return summed


def _name(row: Any, room: int) -> str:
    return short(row.project, f"project {row.project_id}", room)


def _title(found: list[Any], projects: int, periods: int, by: str) -> str:
    """How many projects finished something, and which of them most."""
    span = within(periods, by)
    done = {place: number for place, (_, rows) in enumerate(found) if (number := int(rows["finished"].sum()))}
    if not done:
        return f"No project finished a task {span}"
    best = max(done, key=lambda place: done[place])
    name = _name(found[best][0], ROW)
    if projects == 1:
        return f"{name} finished {count(done[best], 'task')} {span}"
    most = "most" if len(done) > 1 else "alone"
    return f"{len(done):,} of {projects:,} projects finished tasks {span}; {name} {most}: {done[best]:,}"


def _row(axes: "Axes", place: int, row: Any, done: "pd.DataFrame") -> None:
    """One project: progress at the left, a sparkline of what was finished at the right."""
    tasks, checked, stuck = int(row.tasks), int(row.checked), int(row.blocked)
    bar(axes, place, _BAR, (_BAR * checked / tasks, BLUE), (_BAR * stuck / tasks, VERMILLION))
    width = (1 - _BAR - _GAP) / MOST_PERIODS
    most = max([1.0, *(float(number) for number in done["finished"])])
    for number, period in enumerate(tuples(done), MOST_PERIODS - len(done)):
        left, high = _BAR + _GAP + number * width, _HEIGHT * float(period.finished) / most
        alpha = PALE if period.is_partial else 1
        axes.bar(left, high, width * 0.8, bottom=place - 0.15, align="edge", color=GREEN, alpha=alpha)
    words = f"{percent(checked, tasks)} of {tasks:,}" + (f", {stuck:,} blocked" if stuck else "")
    head(axes, place, _name(row, ROW - len(words)), words, LABEL[VERMILLION] if stuck else MUTED)


def _data(shown: list[Any], by: str) -> "pd.DataFrame":
    """A row for each project that has a task, and for the tasks of none."""
    import pandas as pd

    columns = ["project", "tasks", "checked", "blocked", f"finished lately, {by} by {by}"]
    rows = [
        [_name(row, 1000), row.tasks, row.checked, row.blocked, " ".join(f"{number}" for number in done["finished"])]
        for row, done in shown
    ]
    return pd.DataFrame(rows, columns=columns)
