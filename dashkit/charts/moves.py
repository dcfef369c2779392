"""Why the date of a forecast is not what it was: a waterfall of days."""

from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import dates, head, local, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GRID, INK, LABEL, ORANGE
from dashkit.charts.words import count, day, sentences

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LEAST: Final = 0.05  # days: a part that moved less is not drawn


def what_moved(moved: "pd.DataFrame", timezone: str = "UTC") -> Picture:
    """What each cause did to the date of the forecast, one after the other, from the date of then to that of now.

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
    title = _title(before, after, moved)
    parts = tuples(moved[moved["moved_days"].abs() >= _LEAST])
    if not parts:
        return nothing(title, moved)
    lines = len(parts) + 2
    with sheet(0.6 + 0.46 * lines) as (figure, (axes,)):
        no_marks(axes, lines)
        for place, (words, at) in ((lines - 1, ("The date of then", before)), (0, ("The date of now", after))):
            axes.plot([at], [place], marker="D", markersize=7, color=INK)
            head(axes, place, words, day(at), INK)
        for place, row in enumerate(parts):
            _part(axes, lines - 2 - place, row)
        axes.use_sticky_edges = False
        axes.margins(x=0.02)
        dates(axes)
    names = {"part": "cause", "change": "tasks", "moved_days": "days", "before": "from", "after": "to"}
    data = moved[list(names)].rename(columns=names)
    notes = sentences(
        "The date by which the same work is finished, with the same confidence",
        "Orange: later, blue: earlier; each part begins where the one before ended",
    )
    return Picture(figure, title, sentences(title, *moved["sentence"]), data, notes)


def _title(before: Any, after: Any, moved: "pd.DataFrame") -> str:
    """How far the date moved in all, and of what."""
    days = (after.date() - before.date()).days
    tasks, changes = int(moved["tasks"].iloc[0]), moved.set_index("part")["change"].fillna(0)
    size = f"{count(abs(days), 'day')} {'later' if days > 0 else 'earlier'}" if days else ""
    if tasks + int(changes.sum()) <= 0:
        of = f"The {count(tasks, 'task')}" if tasks > 1 else "The task"
        were = "were" if tasks > 1 else "was"
        return f"{of} that {were} to be done by {day(before)} {were} done on {day(after)}" + (
            f", {size}" if size else ""
        )
    of = f"The date of {count(tasks, 'task')}"
    return f"{of} is {size} than it was: {day(after)}, not {day(before)}" if size else f"{of} stays: {day(after)}"


def _part(axes: "Axes", place: int, row: Any) -> None:
    """One cause: from the date that it found to the one that it left."""
    days = float(row.moved_days)
    color = ORANGE if days > 0 else BLUE
    before, after = row.before, row.after
    axes.barh(place, after - before, left=before, height=0.3, color=color)
    axes.plot([after, after], [place, place - 1], color=GRID, linewidth=1.2, zorder=0)
    what, _, did = str(row.sentence).rstrip(".").partition(": ")
    head(axes, place, what, did, LABEL[color])
