"""Why the date of a forecast is not what it was: a waterfall of days."""

from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import dates, head, local, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GRID, INK, LABEL, ORANGE
from dashkit.charts.words import are, count, day, sentences

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LEAST: Final = 0.05  # days: a part that moved less is not drawn


def what_moved(moved: "pd.DataFrame", timezone: str = "UTC") -> Picture:
    """What each cause did to the date of the forecast, one after the other, from the first date to the last.

    Each of the two dates is told with the number of tasks that it is about.

    Args:
        moved: the frame `what_moved`, in its order.
        timezone: of the dates that are told.
    """
    if moved.empty:
        return nothing("There is no date that could have moved", moved)
    if moved["moved_days"].isna().any():
        return nothing(str(moved["sentence"].iloc[0]).rstrip("."), moved)
    moved = moved.assign(**{name: local(moved[name], timezone) for name in ("before", "after")})
    before, after = moved["before"].iloc[0], moved["after"].iloc[-1]
    then, left = int(moved["tasks"].iloc[0]), int(moved["to_finish"].iloc[-1])
    is_next = bool(moved.loc[moved["part"] == "scope", "change"].isna().any())  # what came is no part of them
    title = _title_of_next(before, after, then, left) if is_next else _title(before, after, then, left)
    parts = tuples(moved[moved["moved_days"].abs() >= _LEAST])
    if not parts:
        return nothing(title, moved)
    lines = len(parts) + 2
    with sheet(0.6 + 0.46 * lines) as (figure, (axes,)):
        no_marks(axes, lines)
        first = f"Then: {'the next ' if is_next else ''}{count(then, 'task')}"
        now = f"Now: {count(left, 'task')}{' of them' if is_next else ''}" if left else "Now: all finished"
        for place, words, at in ((lines - 1, first, before), (0, now, after)):
            axes.plot([at], [place], marker="D", markersize=7, color=INK)
            head(axes, place, words, day(at), INK)
        for place, row in enumerate(parts):
            _part(axes, lines - 2 - place, row)
        axes.use_sticky_edges = False
        axes.margins(x=0.02)
        dates(axes)
    names = {
        "part": "cause", "change": "tasks", "to_finish": "tasks to finish", "moved_days": "days", "before": "from",
        "after": "to",
    }  # fmt: skip
    data = moved[list(names)].rename(columns=names)
    notes = sentences(
        "Each date is the one by which so many tasks are finished, with the same confidence",
        "Orange: later, blue: earlier; each part begins where the one before ended",
    )
    return Picture(figure, title, sentences(title, *moved["sentence"]), data, notes)


def _size(before: Any, after: Any) -> str:
    """How far the date moved, by the days that are told; '' where it stays."""
    days = (after.date() - before.date()).days
    return f"{count(abs(days), 'day')} {'later' if days > 0 else 'earlier'}" if days else ""


def _title_of_next(before: Any, after: Any, then: int, left: int) -> str:
    """How far the date of the next tasks moved, which is that of those of them that are left."""
    size, tasks = _size(before, after), f"the next {count(then, 'task')}" if then > 1 else "the next task"
    if not left:
        done = f"{tasks.capitalize()} {'was' if then == 1 else 'were'} to be done by {day(before)}"
        return f"{done}; {'one was' if then == 1 else 'as many were'} done by {day(after)}" + (
            f", {size}" if size else ""
        )
    rest = f"; {left:,} {are(left)} left" if left != then else ""
    if size:
        return f"The date of {tasks} is {size} than it was: {day(after)}, not {day(before)}{rest}"
    return f"The date of {tasks} stays: {day(after)}{rest}"


def _title(before: Any, after: Any, then: int, left: int) -> str:
    """How far the date moved in all, and about how many tasks it was then and is now."""
    size = _size(before, after)
    if not left:
        were = f"{count(then, 'task')} {'was' if then == 1 else 'were'} to be done by {day(before)}"
        done = f"{'one was' if then == 1 else 'as many were'} done by {day(after)}"
        return f"{were}; {done}" + (f", {size}" if size else "")
    if then == left:
        of = f"The date of {count(then, 'task')}"
        return f"{of} is {size} than it was: {day(after)}, not {day(before)}" if size else f"{of} stays: {day(after)}"
    now = f"{count(left, 'more task')} by {day(after)}"
    if size:
        return f"The date is {size} than it was: {now}, where it was {then:,} by {day(before)}"
    return f"The date stays: {now}, where it was {then:,}"


def _part(axes: "Axes", place: int, row: Any) -> None:
    """One cause: from the date that it found to the one that it left."""
    days = float(row.moved_days)
    color = ORANGE if days > 0 else BLUE
    before, after = row.before, row.after
    axes.barh(place, after - before, left=before, height=0.3, color=color)
    axes.plot([after, after], [place, place - 1], color=GRID, linewidth=1.2, zorder=0)
    what, _, did = str(row.sentence).rstrip(".").partition(": ")
    head(axes, place, what, did, LABEL[color])
