"""Bars over time: what was finished and what was committed, period by period."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dashkit.charts.drawing import (
    HATCHED,
    PALE,
    PERIODS,
    SMALL,
    counted,
    dates,
    gaps,
    nothing,
    on_days,
    period_ends,
    recent,
    sheet,
    whole_numbers,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, INK, MUTED
from dashkit.charts.words import day, none_or, within

if TYPE_CHECKING:
    import pandas as pd


def finished_by_period(throughput: "pd.DataFrame", by: str = "week") -> Picture:
    """How many tasks were finished in each period; paler where nobody saw when. Takes the frame `throughput`.

    Args:
        throughput: the frame; its last 90 days, 26 weeks or 24 months are counted and drawn, or where nothing happened
            in them as many up to the last one in which something did.
        by: the period that the frame was made by.
    """
    if throughput.empty:
        return nothing("There is no task that could be finished", throughput)
    return _bars(throughput, "finished", ("task was", "tasks were"), "finished", by, GREEN, "estimated")


def commits_by_period(activity: "pd.DataFrame", by: str = "week") -> Picture:
    """How many commits were made in each period. Takes the frame `commit_activity`.

    Args:
        activity: the frame; its periods are chosen as those of `finished_by_period`.
        by: the period that the frame was made by.
    """
    if activity.empty:
        return nothing("There are no commits", activity)
    return _bars(activity, "commits", ("commit was", "commits were"), "made", by, BLUE)


def _bars(
    frame: "pd.DataFrame", column: str, nouns: tuple[str, str], verb: str, by: str, color: str, unseen: str = ""
) -> Picture:
    happened = frame.index[frame[column] > 0]
    if happened.empty:
        return nothing(f"No {nouns[0].split()[0]} has been {verb} yet", frame)
    frame, moves = on_days(frame), frame[column] > 0
    rows = recent(frame, moves, PERIODS[by])
    title = _title(frame, counted(frame, moves, PERIODS[by]), column, nouns, verb, by)
    ends = period_ends(rows, by)
    with sheet(2.3) as (figure, (axes,)):
        told = {rows[column].idxmax(), happened[-1]}
        for row, end in zip(rows.itertuples(), ends, strict=True):
            _bar(axes, row, column, (end - row.period_on) * 0.8, color, unseen, is_told=row.Index in told)
        axes.set_ylim(0, max(1, float(rows[column].max()) * 1.18))
        unseen_times = "is_gap" in rows and gaps(axes, rows, ends)
        whole_numbers(axes, 3)
        dates(axes)
    alt = f"{title}. One bar for each {by} from {day(rows['period_on'].iloc[0])}."
    names = {"period_on": f"{by} from", column: column, unseen: "of them, nobody saw when", "is_partial": "not whole"}
    data = rows[[name for name in names if name in rows]].rename(columns=names)
    paler = [
        "not over" if bool(rows["is_partial"].iloc[-1]) else "",
        "nobody saw when" if unseen and rows[unseen].any() else "",
    ]
    note = f"Paler: {', or '.join(filter(None, paler))}." if any(paler) else ""
    return Picture(
        figure, title, alt, data.reset_index(drop=True), " ".join(filter(None, [note, HATCHED[unseen_times]]))
    )


def _bar(axes: Any, row: Any, column: str, width: timedelta, color: str, unseen: str, *, is_told: bool) -> None:
    """One period: what was seen, above it what was not, and the number where it is told."""
    count = int(getattr(row, column))
    pale = int(getattr(row, unseen)) if unseen else 0
    seen = count - pale
    place = {"x": row.period_on, "width": width, "align": "edge"}
    axes.bar(**place, height=seen, color=color, alpha=PALE if row.is_partial else 1)
    axes.bar(**place, height=pale, bottom=seen, color=color, alpha=PALE)
    if is_told:
        axes.annotate(
            f"{count:,}",
            (row.period_on + width / 2, count),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=MUTED if row.is_partial else INK,
        )


def _title(frame: "pd.DataFrame", rows: "pd.DataFrame", column: str, nouns: tuple[str, str], verb: str, by: str) -> str:
    """How many in all of the periods, and in the last whole one, or that there were none since."""
    total, last = int(rows[column].sum()), rows["period_on"].iloc[-1]
    is_over = last < frame["period_on"].iloc[-1]
    title = f"{total:,} {nouns[total != 1]} {verb} {within(len(rows), by, last if is_over else None)}"
    if is_over:
        return f"{title}, and none since"
    whole = rows[~rows["is_partial"]]
    if len(whole) > 1:
        title += f", {none_or(int(whole[column].iloc[-1]))} in the last whole one"
    return title
