"""What came, what is in work, and what is done: the cumulative flow."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from dashkit.charts.drawing import (
    HATCHED,
    PALE,
    PERIODS,
    End,
    dates,
    end_labels,
    gaps,
    history,
    local,
    nothing,
    period_ends,
    sheet,
    whole_numbers,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, ORANGE, SKY
from dashkit.charts.words import are, at_end, count, none_or, sentences

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
            in them as many up to the last one in which something did.
        by: the period that it was made by.
        as_of: the instant up to which a period that is not over is drawn; None: to its end.
        timezone: the one that the frame has its days in.
    """
    if flow.empty or not flow["arrived"].any():
        return nothing("No task has arrived yet", flow)
    lines = flow[_LINES]
    moves = (lines != lines.shift(fill_value=0)).any(axis=1)
    rows = history(flow, moves, PERIODS[by])
    title = _title(rows, by)
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
        in_work = int(last["started"] - last["finished"] - last["left"])
        end_labels(
            axes,
            [
                End(float(gone.iloc[-1]), f"{int(gone.iloc[-1]):,} done or gone", GREEN),
                End(float(last["started"]), f"{in_work:,} in work", ORANGE),
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


def _title(rows: "pd.DataFrame", by: str) -> str:
    """What came and went since the end of the first of the periods, and what that left."""
    first, last = rows.iloc[0], rows.iloc[-1]
    came, done, left = (int(last[name] - first[name]) for name in ("arrived", "finished", "left"))
    still = int(last["arrived"] - last["finished"] - last["left"])
    more = came - done - left
    than = f"{abs(more):,} {'more' if more > 0 else 'fewer'} than" if more else "as many as" if still > 1 else "as"
    title = f"{count(still, 'task')} {are(still)} open" if still else "No task is open"
    if len(rows) == 1:
        return title
    title += f", {than} {at_end(first['period_on'], by)}"
    gone = f", {left:,} left" if left else ""
    were = f": {none_or(came)} arrived{gone} and {none_or(done)} {'were' if done > 1 else 'was'} finished"
    return title + (were if came or done or left else "")
