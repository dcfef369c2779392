"""Commits by day: one column a week, Monday on top."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import SMALL, most, nothing, on_days, recent, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import MUTED, RAMP
from dashkit.charts.words import count, day, sentences

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_WEEKS: Final = 26
_FEWEST_WEEKS: Final = 16  # that the width is divided by
_INCHES: Final = 4.2  # the width without the names of the days
_LINES: Final = 10  # rows of cells with months and shades
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def commit_calendar(activity: "pd.DataFrame") -> Picture:
    """How many commits were made on each day; darker is more, and in the dark brighter.

    Args:
        activity: the frame `commit_activity(by="day")`; its last 26 weeks are drawn, or where nothing happened in them
            the last 26 up to the last commit. The day that is not over is left out.
    """
    whole = activity[~(activity["is_partial"] & (activity.index == activity.index.max()))]
    if whole.empty or not whole["commits"].any():
        return nothing(
            "There are no commits" if activity.empty else "There is no whole day with a commit yet", activity
        )
    whole = on_days(whole)
    rows = recent(whole, whole["commits"] > 0, 7 * MOST_WEEKS)
    busiest = most(rows, "commits")
    total, days = int(rows["commits"].sum()), int((rows["commits"] > 0).sum())
    title = f"{count(total, 'commit')} on {count(days, 'day')}"
    if days == 1:
        return nothing(f"{title}: {busiest.period_on:%A} {day(busiest.period_on)}", activity)
    if busiest.commits * days > total:  # not as busy as the others
        title += f"; the busiest was {busiest.period_on:%A} {day(busiest.period_on)} with {busiest.commits:,}"
    if rows.index[-1] != whole.index[-1]:
        title += f", and none since {day(rows['period_on'].iloc[-1])}"
    steps = _steps(rows["commits"])
    first = rows["period_on"].iloc[0]
    start = first - timedelta(days=first.weekday())
    weeks = (rows["period_on"].iloc[-1] - start).days // 7 + 1
    wide = max(weeks, _FEWEST_WEEKS)
    with sheet(_INCHES / wide * _LINES + 0.1) as (figure, (axes,)):
        for row in tuples(rows):
            place = (row.period_on - start).days
            _cell(axes, place // 7, place % 7, _level(int(row.commits), steps))
        _months(axes, start, weeks)
        _legend(axes, steps, wide)
        axes.set_xlim(0, wide)
    names = {"period_on": "day", "commits": "commits", "merges": "of them merges", "authors": "authors"}
    data = rows.loc[rows["commits"] > 0, list(names)].rename(columns=names).reset_index(drop=True)
    notes = sentences("One column a week, Monday on top; merges are counted, commits that no branch leads to are not")
    return Picture(figure, title, f"{title}. A cell for each day.", data, notes)


def _steps(commits: "pd.Series[Any]") -> list[int]:
    """The most commits of each shade but the first, which is for none: quarters of the days that have any."""
    some = sorted(int(number) for number in commits if number > 0)
    quarters = [some[(len(some) - 1) * part // 4] for part in (1, 2, 3, 4)]
    return sorted(set(quarters))


def _level(number: int, steps: list[int]) -> str:
    """The shade of so many commits; of fewer steps the darker ones are taken."""
    if number == 0:
        return RAMP[0]
    return RAMP[len(RAMP) - len(steps) + next(place for place, step in enumerate(steps) if number <= step)]


def _cell(axes: "Axes", x: float, y: float, color: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), 0.86, 0.86, facecolor=color, edgecolor="none"))


def _months(axes: "Axes", start: Any, weeks: int) -> None:
    """Weekdays at the left, and each month where it begins, unless it would meet the one before."""
    axes.set_ylim(_LINES, -0.1)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks([place + 0.43 for place in (0, 2, 4, 6)], [_WEEKDAYS[place] for place in (0, 2, 4, 6)])
    axes.set_xticks([])
    axes.tick_params(length=0, labelsize=SMALL)
    last = -3
    for week in range(weeks):
        monday = start + timedelta(days=7 * week)
        if (monday + timedelta(days=6)).day <= 7 and week - last >= 3:
            last, month = week, monday + timedelta(days=6)
            words = f"{month:%Y}" if month.month == 1 else f"{month:%b}"
            axes.text(week, 7.1, words, fontsize=SMALL, color=MUTED, va="top")


def _legend(axes: "Axes", steps: list[int], wide: int) -> None:
    """What each shade means, over the whole width."""
    words = ["0", *(f"to {step:,}" for step in steps)]
    for place, (text, color) in enumerate(zip(words, [RAMP[0], *RAMP[len(RAMP) - len(steps) :]], strict=True)):
        x = place * wide / len(RAMP)
        _cell(axes, x, 8.9, color)
        axes.annotate(
            text, (x + 1, 9.33), xytext=(2, 0), textcoords="offset points", fontsize=SMALL, color=MUTED, va="center"
        )
