"""What came against what went, period by period."""

from typing import TYPE_CHECKING

from dashkit.charts.drawing import (
    HATCHED,
    PALE,
    PERIODS,
    SMALL,
    counted,
    dates,
    gaps,
    history,
    nothing,
    on_days,
    period_ends,
    sheet,
    tuples,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, INK, LABEL
from dashkit.charts.words import are, count, day, none_or, sentences, within

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def arrivals(frame: "pd.DataFrame", by: str = "week") -> Picture:
    """How many tasks came in each period, above the line, how many went, below it, and what that left.

    Args:
        frame: the frame `arrivals`; its last 90 days, 26 weeks or 24 months are counted and drawn, or where nothing
            happened in them as many up to the last one in which something did. More are drawn where hardly anything
            happened.
        by: the period that it was made by.
    """
    came, went = frame["arrived"], frame["finished"] + frame["left"]
    moves = (came > 0) | (went > 0)
    if not moves.any():
        return nothing("No task has come or gone yet", frame)
    frame = on_days(frame).assign(went=went)
    rows = history(frame, moves, PERIODS[by])
    title = _title(frame, counted(frame, moves, PERIODS[by]), by)
    if int(moves.loc[rows.index].sum()) < 2:
        return nothing(title, frame)
    ends = period_ends(rows, by)
    with sheet(2.5) as (figure, (axes,)):
        for row, end in zip(tuples(rows), ends, strict=True):
            width = (end - row.period_on) * 0.8
            for height, color in ((int(row.arrived), BLUE), (-int(row.went), GREEN)):
                axes.bar(row.period_on, height, width, align="edge", color=color, alpha=PALE if row.is_partial else 1)
        hatched = gaps(axes, rows, ends)
        axes.axhline(0, color=INK, linewidth=0.8)
        _sides(axes)
        dates(axes)
    names = {
        "period_on": f"{by} from", "arrived": "came", "finished": "finished", "left": "left, or reopened later",
        "net_flow": "more to do", "is_partial": "not whole",
    }  # fmt: skip
    notes = sentences(
        "Above the line what came, below it what was finished, cancelled, deleted or gone from its file",
        "A task that is reopened had left, and comes again, as one that is back in its file",
        "It is counted when that was first seen",
        "Paler: not over" if bool(rows["is_partial"].iloc[-1]) else "",
        HATCHED[hatched],
    )
    alt = f"{title}. Two bars for each {by} from {day(rows['period_on'].iloc[0])}."
    return Picture(figure, title, alt, rows[list(names)].rename(columns=names).reset_index(drop=True), notes)


def _title(frame: "pd.DataFrame", rows: "pd.DataFrame", by: str) -> str:
    """How many came and went, and what that did to what is to be done."""
    came, went, net = (int(rows[name].sum()) for name in ("arrived", "went", "net_flow"))
    last = rows["period_on"].iloc[-1]
    span = within(len(rows), by, last if last < frame["period_on"].iloc[-1] else None)
    left = f"{abs(net):,} {'more' if net > 0 else 'fewer'} {are(abs(net))} to be done than before"
    arrived = count(came, "task") if came else "No task"
    return f"{arrived} came and {none_or(went)} went {span}: {left if net else 'as many are to be done as before'}"


def _sides(axes: "Axes") -> None:
    """Whole numbers on both sides of the line, and what each side is."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.dataLim.intervaly
    room = 0.12 * max(1.0, high - low)
    axes.set_ylim(low - (room if low < 0 else 0), high + (room if high > 0 else 0))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    for y, align, words, color, there in (
        (1, "top", "came", BLUE, high > 0), (0, "bottom", "went", GREEN, low < 0),
    ):  # fmt: skip
        if there:
            axes.annotate(
                words, (0, y), xycoords="axes fraction", xytext=(4, 0), textcoords="offset points",
                va=align, fontsize=SMALL, fontweight="bold", color=LABEL[color],
            )  # fmt: skip
