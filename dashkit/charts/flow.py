"""What came, what is in work, and what is done: the cumulative flow."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import (
    HATCHED,
    PALE,
    PERIODS,
    End,
    before,
    counted,
    dates,
    end_labels,
    gaps,
    history,
    local,
    nothing,
    on_days,
    period_ends,
    sheet,
    whole_numbers,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, ORANGE, SKY
from dashkit.charts.words import are, count, last_day, sentences

if TYPE_CHECKING:
    import pandas as pd

_LINES: Final = ["arrived", "started", "finished", "left"]


def cumulative_flow(
    flow: "pd.DataFrame", by: str = "day", as_of: datetime | None = None, timezone: str = "UTC"
) -> Picture:
    """How many tasks had arrived, been started, and gone (finished, or left unfinished) by the end of each period.

    The bands between the lines are what was not begun and what was in work. The axis does not begin at zero: the bands
    are what is looked at.

    Args:
        flow: the frame `cumulative_flow`; its last 90 days, 26 weeks or 24 months are drawn, or where nothing happened
            in them as many up to the last one in which something did. What is in work is compared with the end of the
            period before them; what is open is not, as the frame `arrivals` tells how that changed.
        by: the period that it was made by.
        as_of: the instant up to which a period that is not over is drawn; None: to its end.
        timezone: the one that the frame has its days in.
    """
    if flow.empty or not flow["arrived"].any():
        return nothing("No task has arrived yet", flow)
    flow, lines = on_days(flow), flow[_LINES]
    moves = (lines != lines.shift(fill_value=0)).any(axis=1)
    rows = history(flow, moves, PERIODS[by])
    title = _title(flow, counted(flow, moves, PERIODS[by]), by)
    if not moves.loc[rows.index[1:]].any():
        return nothing(title, flow)
    ends = period_ends(rows, by, local(as_of, timezone))
    arrived, started = (rows[name].astype(float) for name in ("arrived", "started"))
    gone = (rows["finished"] + rows["left"]).astype(float)
    with sheet(3.1) as (figure, (axes,)):
        axes.fill_between(ends, started, arrived, color=SKY, alpha=PALE, linewidth=0)
        axes.fill_between(ends, gone, started, color=ORANGE, alpha=0.7, linewidth=0)
        for values, color in ((arrived, BLUE), (started, ORANGE), (gone, GREEN)):
            axes.plot(ends, values, color=color)
        room = 0.06 * max(10.0, arrived.max() - gone.min())
        low = max(0.0, gone.min() - room)
        axes.set_ylim(low, arrived.max() + room)
        hatched = gaps(axes, rows, ends)
        last = rows.iloc[-1]
        end_labels(
            axes,
            [
                End(float(gone.iloc[-1]), f"{int(gone.iloc[-1]):,} done or gone", GREEN),
                End(float(last["started"]), f"{_in_work(last):,} in work", ORANGE),
                End(float(last["arrived"]), f"{last['arrived']:,} arrived", BLUE),
            ],
        )
        whole_numbers(axes)
        dates(axes)
    names = {"period_on": f"{by} from", **{name: name for name in _LINES}}
    notes = sentences(
        f"At the end of each {by}",
        f"Done or gone: {last['finished']:,} finished, {last['left']:,} cancelled, deleted, vanished or reopened",
        "A task that is reopened or comes back arrives again",
        f"Blue: not begun, orange: in work{'; the axis does not begin at 0' if low else ''}",
        "Each is counted when it was first seen to be so",
        HATCHED[hatched],
    )
    alt = f"{title}. Lines for what arrived, was started, and is done or gone."
    return Picture(figure, title, alt, rows[list(names)].rename(columns=names).reset_index(drop=True), notes)


def _in_work(row: Any) -> int:
    """How many were in work at the end of a period."""
    return int(row["started"] - row["finished"] - row["left"])


def _title(flow: "pd.DataFrame", rows: "pd.DataFrame", by: str) -> str:
    """How many of the open tasks are in work, against how many were before these periods."""
    last, first = rows.iloc[-1], before(flow, rows)
    still, now = int(last["arrived"] - last["finished"] - last["left"]), _in_work(last)
    if still < 2:
        return f"The one open task is {'' if now else 'not '}in work" if still else "No task is open"
    title = f"{now:,} of {still:,} open tasks {are(now)} in work" if now else f"None of {still:,} open tasks is in work"
    if first is None:
        return title
    more = now - _in_work(first)
    than = f"{abs(more):,} {'more' if more > 0 else 'fewer'} than" if more else "as many as" if now else "as"
    ago = f"{count(len(rows), by)} before"
    if rows.index[-1] == flow.index[-1]:
        return f"{title}, {than} {ago}"
    return f"{title}, {than} {ago} {last_day(last['period_on'], by)}, and the same since"
