"""What share of the work is done, over time."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from dashkit.charts.drawing import (
    EMPTY,
    HATCHED,
    PERIODS,
    UNSEEN,
    End,
    before,
    counted,
    dates,
    end_labels,
    gaps,
    history,
    level,
    local,
    nothing,
    on_days,
    period_ends,
    sheet,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import GREEN, PURPLE
from dashkit.charts.words import are, at_end, count, last_day, percent, sentences

if TYPE_CHECKING:
    import pandas as pd

_FEWEST: Final = 10  # tasks: the share of fewer jumps with each of them
_PARTS: Final = {"progress": ("checked", "tasks"), "progress_by_size": ("size_checked", "size_total")}
_SAME: Final = 0.005  # of the work: by count and by size are told apart from here on


def progress_over_time(
    progress: "pd.DataFrame", by: str = "week", as_of: datetime | None = None, timezone: str = "UTC"
) -> Picture:
    """What share of the tasks was done at the end of each period, and by size where that is something else.

    It falls where work comes in faster than it is done. The axis need not begin at zero: the change is what is looked
    at.

    Args:
        progress: the frame `progress_over_time`; its last 90 days, 26 weeks or 24 months are drawn, or where nothing
            changed in them as many up to the last one in which something did; nothing of the time before there were
            ten tasks, if there ever were. The share is compared with that at the end of the period before them, or,
            where there is none, of the first one.
        by: the period that it was made by.
        as_of: the instant up to which a period that is not over is drawn; None: to its end.
        timezone: the one that the frame has its days in.
    """
    tasks = progress["tasks"]
    if progress.empty or not tasks.any():
        return nothing("There are no tasks yet", progress, EMPTY)
    if not tasks.iloc[-1]:
        return nothing("No task is open or done any more", progress)
    progress = on_days(progress)
    known = progress.loc[(tasks >= (_FEWEST if tasks.max() >= _FEWEST else 1)).idxmax() :]
    shares = known[["progress", "progress_by_size"]].astype(float)
    moves = (shares != shares.shift()).any(axis=1)
    rows = history(known, moves, PERIODS[by])
    title = _title(known, counted(known, moves, PERIODS[by]), by)
    if not moves.loc[rows.index[1:]].any():
        return nothing(title, progress)
    ends = period_ends(rows, by, local(as_of, timezone))
    lines = {"progress": ("by count", GREEN), "progress_by_size": ("by size", PURPLE)}
    if (shares.diff(axis=1)["progress_by_size"].loc[rows.index].abs() < _SAME).all():
        del lines["progress_by_size"]
    with sheet(2.6) as (figure, (axes,)):
        labels = []
        for column, (words, color) in lines.items():
            unseen = level(axes, ends, rows, column, color)
            told = percent(int(rows[_PARTS[column][0]].iloc[-1]), int(rows[_PARTS[column][1]].iloc[-1]))
            labels.append(
                End(float(rows[column].iloc[-1]), f"{told} {words}" if len(lines) > 1 else f"{told} done", color)
            )
        hatched = gaps(axes, rows, ends)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        drawn = [value for column in lines for value in rows[column].dropna().astype(float)]
        bottom, top = _room(min(drawn), max(drawn))
        axes.set_ylim(bottom, top)
        axes.locator_params(axis="y", nbins=4)
        dates(axes)
        end_labels(axes, labels)
    names = {
        "period_on": f"{by} from", "checked": "done", "tasks": "tasks", "progress": "share done",
        "progress_by_size": "share by size",
    }  # fmt: skip
    data = rows[[name for name in names if name in lines or name not in _PARTS]].rename(columns=names)
    axis = "; the axis does not begin at 0" if bottom else ""
    notes = sentences(f"At the end of each {by}{axis}", UNSEEN[unseen], HATCHED[hatched])
    return Picture(figure, title, f"{title}. A line of the share that was done.", data.reset_index(drop=True), notes)


def _room(low: float, high: float) -> tuple[float, float]:
    """A little more than what is drawn, within 0..1, and never less than five points."""
    room = max(0.05, 0.1 * (high - low))
    return max(0.0, low - room), min(1.0, high + room) + 0.001


def _title(known: "pd.DataFrame", rows: "pd.DataFrame", by: str) -> str:
    """What share is done, and how that changed, up to when where that is over."""
    last, first = known.iloc[-1], before(known, rows)
    tasks = int(last["tasks"])
    title = f"{percent(int(last['checked']), tasks)} of {count(tasks, 'task')} {are(tasks)} done"
    is_over = rows.index[-1] != known.index[-1]
    until = last_day(rows["period_on"].iloc[-1], by)
    if first is None and len(rows) == 1:
        return f"{title}, as since {until}" if is_over else title
    then = rows.iloc[0] if first is None else first
    if not then["tasks"]:
        return title
    points = round(100 * (float(last["progress"]) - float(then["progress"])))
    moved = "as much as" if not points else f"{count(abs(points), 'point')} {'more' if points > 0 else 'less'} than"
    if first is None:
        return f"{title}, {moved} {at_end(then['period_on'], by)}" + (
            f", and the same since {until}" if is_over else ""
        )
    ago = f"{count(len(rows), by)} before"
    return f"{title}, {moved} {ago} {until}, and the same since" if is_over else f"{title}, {moved} {ago}"
