"""Bars over time: what was finished and what was committed, period by period."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, INK, MUTED, STYLE, WIDTH

if TYPE_CHECKING:
    import pandas as pd

MOST_PERIODS = 26
_DAYS = {"day": 1, "week": 7, "month": 30}  # the width of a bar
_PALE = 0.45  # opacity of what is not whole, or not seen


def finished_by_period(throughput: "pd.DataFrame", by: str = "week") -> Picture:
    """How many tasks were finished in each period; paler where nobody saw when. Takes the frame `throughput`.

    Args:
        throughput: the frame; its last 26 periods are drawn, or where nothing happened in them the last 26 up to the
            last one in which something did.
        by: the period that the frame was made by.
    """
    if throughput.empty:
        return _nothing("There is no task that could be finished", throughput)
    return _bars(throughput, "finished", ("task was", "tasks were"), "finished", by, GREEN, "inferred")


def commits_by_period(activity: "pd.DataFrame", by: str = "week") -> Picture:
    """How many commits were made in each period. Takes the frame `commit_activity`.

    Args:
        activity: the frame; its periods are chosen as those of `finished_by_period`.
        by: the period that the frame was made by.
    """
    if activity.empty:
        return _nothing("There are no commits", activity)
    return _bars(activity, "commits", ("commit was", "commits were"), "made", by, BLUE)


def _bars(
    frame: "pd.DataFrame", column: str, nouns: tuple[str, str], verb: str, by: str, color: str, unseen: str = ""
) -> Picture:
    import matplotlib as mpl
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    happened = frame.index[frame[column] > 0]
    if happened.empty:
        return _nothing(f"No {nouns[0].split()[0]} has been {verb} yet", frame)
    rows = frame.tail(MOST_PERIODS)
    if happened[-1] < rows.index[0]:
        rows = frame.loc[: happened[-1]].tail(MOST_PERIODS)
    title = _title(frame, rows, column, nouns, verb, by)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.3))
        axes = figure.subplots()
        width = timedelta(days=_DAYS[by] * 0.8)
        told = {rows[column].idxmax(), happened[-1]}
        for row in rows.itertuples():
            _bar(axes, row, column, width, color, unseen, is_told=row.Index in told)
        axes.spines["bottom"].set_color(MUTED)
        axes.set_ylim(0, max(1, float(rows[column].max()) * 1.18))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        locator: Any = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        years = ["", *["%Y"] * 5]  # of the whole axis no more is to be said
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=years))  # type: ignore[no-untyped-call]
    alt = f"{title}. One bar for each {by} from {_date(rows['period_on'].iloc[0])}."
    columns = {"period_on": f"{by} from", column: column, unseen: "of them, nobody saw when", "is_partial": "not whole"}
    data = rows[[name for name in columns if name in rows]].rename(columns=columns)
    return Picture(figure, title, alt, data.reset_index(drop=True))


def _nothing(title: str, frame: "pd.DataFrame") -> Picture:
    """Where there is nothing to draw: a sentence."""
    from matplotlib.figure import Figure

    return Picture(Figure(), title, title, frame.iloc[:0])


def _bar(axes: Any, row: Any, column: str, width: timedelta, color: str, unseen: str, *, is_told: bool) -> None:
    """One period: what was seen, above it what was not, and the number where it is told."""
    count = int(getattr(row, column))
    pale = int(getattr(row, unseen)) if unseen else 0
    seen = count - pale
    place = {"x": row.period_on, "width": width, "align": "edge"}
    axes.bar(**place, height=seen, color=color, alpha=_PALE if row.is_partial else 1)
    axes.bar(**place, height=pale, bottom=seen, color=color, alpha=_PALE)
    if is_told:
        axes.annotate(
            f"{count:,}",
            (row.period_on + width / 2, count),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9.5,
            color=MUTED if row.is_partial else INK,
        )


def _title(frame: "pd.DataFrame", rows: "pd.DataFrame", column: str, nouns: tuple[str, str], verb: str, by: str) -> str:
    """How many in all of the periods, and in the last whole one, or that there were none since."""
    total, periods = int(rows[column].sum()), len(rows)
    last = rows["period_on"].iloc[-1]
    if last < frame["period_on"].iloc[-1]:
        many = f"{periods:,} {by}s up to that of {_date(last)}" if periods > 1 else f"the {by} of {_date(last)}"
        return f"{total:,} {nouns[total != 1]} {verb} in {many}, and none since"
    many = f"the last {periods:,} {by}s" if periods > 1 else f"this {by}"
    title = f"{total:,} {nouns[total != 1]} {verb} in {many}"
    whole = rows[~rows["is_partial"]]
    if len(whole) > 1:
        last_whole = int(whole[column].iloc[-1])
        title += f", {f'{last_whole:,}' if last_whole else 'none'} in the last whole one"
    return title


def _date(day: Any) -> str:
    return f"{day.day} {day:%B %Y}"
