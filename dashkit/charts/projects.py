"""Many projects at a glance: a row for each that moved."""

from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import PALE, ROW, bar, head, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, LABEL, MUTED, VERMILLION
from dashkit.charts.words import count, percent, sentences, short, within

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

    Args:
        progress: the frame `progress`.
        throughput_by_project: the frame; its last 12 periods are drawn. Of projects that finished nothing in them only
            those with a blocked task are shown, and no more than ten in all.
        by: the period that it was made by.
    """
    there = progress[progress["tasks"] > 0]
    if there.empty:
        return nothing("There are no tasks yet", progress)
    periods = sorted(throughput_by_project["period_on"].unique())[-MOST_PERIODS:]
    lately = throughput_by_project[throughput_by_project["period_on"].isin(periods)]
    found = [(row, _of(lately, row.project_id)) for row in tuples(there)]
    moved = [(row, done) for row, done in found if row.blocked or done["finished"].any()]
    moved.sort(key=lambda each: -int(each[1]["finished"].sum()))
    title = _title(found, len(periods), by)
    if not moved:
        return nothing(title, progress)
    shown = moved[:MOST_PROJECTS]
    with sheet(0.3 + 0.5 * len(shown)) as (figure, (axes,)):
        no_marks(axes, len(shown))
        axes.set_xticks([])
        axes.set_xlim(0, 1)
        for place, (row, done) in enumerate(reversed(shown)):
            _row(axes, place, row, done)
    data = _data(shown, by)
    rest = len(moved) - len(shown)
    still = len(found) - len(moved)
    notes = sentences(
        "Blue: checked of all, red: blocked",
        f"Green: finished, {by} by {by}, each on its own scale, paler where the {by} is not over",
        f"Not shown: {count(rest, 'more project')} that moved" if rest else "",
        f"Not shown: {count(still, 'project')} in which nothing was finished and nothing is blocked" if still else "",
    )
    alt = sentences(title, *(f"{_name(row, ROW)} {percent(int(row.checked), int(row.tasks))}" for row, _ in shown))
    return Picture(figure, title, alt, data, notes)


def _of(lately: "pd.DataFrame", project: Any) -> "pd.DataFrame":
    """The rows of one project, or of tasks that name none."""
    import pandas as pd

    ids = lately["project_id"]
    mine: pd.DataFrame = lately[ids.isna() if pd.isna(project) else (ids == project).fillna(value=False)]
    return mine


def _name(row: Any, room: int) -> str:
    return short(row.project, f"project {row.project_id}", room)


def _title(found: list[Any], periods: int, by: str) -> str:
    """How many projects finished something, and which of them most."""
    span = within(periods, by)
    done = {place: number for place, (_, rows) in enumerate(found) if (number := int(rows["finished"].sum()))}
    if not done:
        return f"No project finished a task {span}"
    best = max(done, key=lambda place: done[place])
    name = _name(found[best][0], ROW)
    if len(found) == 1:
        return f"{name} finished {count(done[best], 'task')} {span}"
    most = "most" if len(done) > 1 else "alone"
    return f"{len(done):,} of {len(found):,} projects finished tasks {span}; {name} {most}: {done[best]:,}"


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
    """A row for each project that is drawn."""
    import pandas as pd

    columns = ["project", "tasks", "checked", "blocked", f"finished lately, {by} by {by}"]
    rows = [
        [_name(row, 1000), row.tasks, row.checked, row.blocked, " ".join(f"{number}" for number in done["finished"])]
        for row, done in shown
    ]
    return pd.DataFrame(rows, columns=columns)
