"""What charts are drawn with: a sheet in our style, time axes, labels beside lines, gaps, rows with heads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dashkit.charts.picture import Picture
from dashkit.charts.style import GRID, INK, LABEL, MUTED, STYLE, WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL: Final = 9.5  # points: the least that is read on a phone
PALE: Final = 0.45  # opacity of what is not whole, or not seen
ROW: Final = 49  # columns of text in a row: a label and the words at its right
EMPTY: Final = "Read tasks with dashkit scan REPOSITORY, or with dashkit ingest tasks FILE."
UNSEEN: Final = ("", "Paler: of half of it or more nobody saw when it began.")
HATCHED: Final = ("", "Hatched: nobody looked; what was found afterwards stands at the end.")
PERIODS: Final = {"day": 90, "week": 26, "month": 24}  # of a picture of many
_NAME = 10  # points
_LABEL_ABOVE = 9  # points between the middle of a bar and its label
_FIRST_ROW_ABOVE = 0.62  # rows between the middle of the first bar and the top: its label stands there
_LINE = 13.5  # points that a label takes
_FEW = 3  # movements: fewer are no picture of what happened
_DAYS = {"day": 1, "week": 7, "month": 30}


class End(NamedTuple):
    """A label at the right end of a line: at which value, what it says, in the colour of the line."""

    value: float
    text: str
    color: str


@contextmanager
def sheet(height: float, parts: Sequence[float] = (1,)) -> "Iterator[tuple[Figure, list[Axes]]]":
    """A figure of one column, so many inches high, with its parts below each other; what is drawn has our style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        yield figure, list(figure.subplots(len(parts), squeeze=False, height_ratios=list(parts))[:, 0])


def nothing(title: str, frame: "pd.DataFrame", note: str = "") -> Picture:
    """Where there is nothing to draw: a sentence, and what to do."""
    from matplotlib.figure import Figure

    return Picture(Figure(), title, title, frame.iloc[:0], note)


def on_days(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A frame with its periods as the calendar shows them: an axis of dates shows an instant as it is in UTC."""
    return frame.assign(period_on=frame["period_on"].dt.tz_localize(None).dt.normalize())


def counted(frame: "pd.DataFrame", moves: "pd.Series[bool]", most: int) -> "pd.DataFrame":
    """The periods that sentences count: the last ones, or those up to the last one in which something moved.

    A page counts one number of periods, however many of them each of its pictures draws.
    """
    rows, moved = frame.tail(most), frame.index[moves]
    return frame.loc[: moved[-1]].tail(most) if len(moved) and moved[-1] < rows.index[0] else rows


def counted_since(frame: "pd.DataFrame", column: str, by: str) -> datetime | None:
    """The instant from which the sentences of a page count, where they go by a column of a frame; None: it is empty.

    Args:
        frame: a frame over time, such as `throughput`.
        column: of which the periods are counted up to the last one that has any, where the last ones have none.
        by: the period that the frame was made by.
    """
    rows = counted(frame, frame[column] > 0, PERIODS[by])
    return None if rows.empty else rows["period_on"].iloc[0].to_pydatetime()


def before(frame: "pd.DataFrame", rows: "pd.DataFrame") -> Any:
    """The period before these ones of a frame, at whose end the time that they cover began; None: there is none."""
    earlier = frame.loc[: rows.index[0]].iloc[:-1]
    return None if earlier.empty else earlier.iloc[-1]


def recent(frame: "pd.DataFrame", moves: "pd.Series[bool]", most: int) -> "pd.DataFrame":
    """The periods that are drawn: those that sentences count, but of the ones before anything moved, the last alone."""
    rows = counted(frame, moves, most)
    still = int((~moves.loc[rows.index].astype(bool)).cummin().sum())
    return rows.iloc[still - 1 :] if 0 < still < len(rows) else rows


def history(frame: "pd.DataFrame", moves: "pd.Series[bool]", most: int) -> "pd.DataFrame":
    """The recent periods; where hardly anything moved in them, as on the day of a migration, also those before.

    These begin so many periods, or as many as passed since, before the last one in which something moved earlier.
    """
    rows, moved = recent(frame, moves, most), list(frame.index[moves])
    before = [row for row in moved if row < rows.index[0]]
    if before and int(moves.loc[rows.index].sum()) < _FEW:
        passed = len(frame.loc[before[-1] : rows.index[-1]])
        start = frame.loc[: before[-1]].tail(max(most, passed)).index[0]
        rows = recent(frame.loc[start : rows.index[-1]], moves.loc[start : rows.index[-1]], len(frame))
    return rows


def period_ends(frame: "pd.DataFrame", by: str, now: datetime | None = None) -> list[Any]:
    """When each period ends, or one that is not over, `now`: where what was true at its end is drawn."""
    starts = list(frame["period_on"])
    last = [start + timedelta(days=_DAYS[by]) for start in starts[-1:]]
    return [*starts[1:], *(min(end, now or end) for end in last)]


def dates(axes: "Axes") -> None:
    """An axis of dates, with no more words than it takes."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator: Any = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    years = ["", *["%Y"] * 5]  # of the whole axis no more is to be said
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=years))  # type: ignore[no-untyped-call]
    axes.spines["bottom"].set_color(MUTED)


def whole_numbers(axes: "Axes", steps: int = 4) -> None:
    """An axis of whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=steps, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def gaps(axes: "Axes", frame: "pd.DataFrame", ends: Sequence[Any]) -> bool:
    """Hatch the periods of which nobody saw anything; whether there are any."""
    runs: list[list[Any]] = []
    for start, end, is_gap in zip(frame["period_on"], ends, frame["is_gap"], strict=True):
        if is_gap and runs and runs[-1][1] == start:
            runs[-1][1] = end
        elif is_gap:
            runs.append([start, end])
    for start, end in runs:
        axes.axvspan(start, end, facecolor="none", edgecolor=MUTED, alpha=PALE, hatch="///", linewidth=0, zorder=3)
    return bool(runs)


def level(
    axes: "Axes", ends: Sequence[Any], frame: "pd.DataFrame", column: str, color: str, width: float = 1.8
) -> bool:
    """A line of what was so at each end, paler where nobody saw half of it begin; whether there is such a stretch."""
    values = frame[column].astype(float)
    seen = (frame["estimated"] * 2 < frame["tasks"]) | (frame["tasks"] == 0)
    axes.plot(ends, values.where(seen), color=color, linewidth=width)
    if seen.all():
        return False
    axes.plot(ends, values, color=color, linewidth=width, alpha=PALE)
    return True


def end_labels(axes: "Axes", ends: Sequence[End]) -> None:
    """Write beside the right edge what each line is, in its colour; those that would meet are pushed apart."""
    fraction = axes.transScale + axes.transLimits  # whatever the scale is
    left = axes.get_xlim()[0]
    gap = _LINE / (axes.bbox.height * 72 / axes.figure.dpi)  # before the layout, which makes it higher
    ascending = sorted(ends, key=lambda end: end.value)  # of equals the first is below
    heights = [float(fraction.transform((left, end.value))[1]) for end in ascending]
    for end, height in zip(ascending, apart(heights, gap), strict=True):
        axes.annotate(
            end.text,
            (1, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            fontweight="bold",
            color=LABEL.get(end.color, end.color),
            annotation_clip=False,
        )


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Heights within 0..1, ascending, moved so far that no two are nearer than the gap: upwards, then down again."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    top = 1.0
    for place in range(len(placed) - 1, -1, -1):
        placed[place] = min(placed[place], top)
        top = placed[place] - gap
    return placed


def as_of_line(axes: "Axes", now: Any) -> None:
    """Where what is known ends."""
    axes.axvline(now, color=MUTED, linewidth=0.8)
    place: dict[str, Any] = {"xytext": (-4, -2), "textcoords": "offset points", "ha": "right", "va": "top"}
    axes.annotate(
        f"as of {now.day} {now:%b}", (now, 1), xycoords=("data", "axes fraction"), fontsize=SMALL, color=MUTED, **place
    )


def no_marks(axes: "Axes", rows: int) -> None:
    """Axes for so many rows that each have a head: on a phone there is no room beside them."""
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_ylim(-0.35, max(1, rows) - 1 + _FIRST_ROW_ABOVE)


def head(axes: "Axes", place: float, name: str, words: str, color: str = MUTED) -> None:
    """Write above a row: its name at the left, what there is to say at the right."""
    for side, align, text, size, ink in ((0, "left", name, _NAME, INK), (1, "right", words, SMALL, color)):
        axes.annotate(
            text,
            (side, place),
            xycoords=("axes fraction", "data"),
            xytext=(0, _LABEL_ABOVE),
            textcoords="offset points",
            ha=align,
            va="bottom",
            fontsize=size,
            color=ink,
        )


def bar(axes: "Axes", place: float, whole: float, *parts: tuple[float, str]) -> None:
    """A thin bar: the whole of it pale, its parts one after the other."""
    axes.barh(place, whole, height=0.3, color=GRID)
    left = 0.0
    for width, color in parts:
        axes.barh(place, width, left=left, height=0.3, color=color)
        left += width


def local(instants: Any, timezone: str) -> Any:
    """An instant (if any) or a column of them as an axis of dates takes it: the clock of the zone, without the zone."""
    import pandas as pd

    if isinstance(instants, pd.Series):
        return instants.dt.tz_convert(timezone).dt.tz_localize(None)
    return instants and pd.Timestamp(instants).tz_convert(timezone).tz_localize(None)


def in_words(instants: Any, timezone: str, form: str = "%Y-%m-%d %H:%M") -> list[str]:
    """A column of instants by the clock of the zone; '' where one is missing."""
    told = local(instants, timezone)
    return list(told.dt.strftime(form).astype(object).where(told.notna(), ""))


def tuples(frame: "pd.DataFrame") -> list[Any]:
    """The rows of a frame as named tuples, which pandas-stubs gives no types."""
    return list(frame.itertuples(index=False))


def most(frame: "pd.DataFrame", column: str) -> Any:
    """The first of the rows that have the most of something."""
    return max(tuples(frame), key=lambda row: float(getattr(row, column)))
