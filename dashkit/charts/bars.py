"""Horizontal bars: how far each project is, and what the indexes do to each query."""

import math
import unicodedata
from typing import TYPE_CHECKING, Any

from dashkit.charts.picture import Picture, plain
from dashkit.charts.style import BLUE, GRID, INK, LABEL, MUTED, ORANGE, SKY, STYLE, VERMILLION, WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 30
_BRIEFEST = 1e-4  # ms: what was measured is rounded to this, and no logarithm has a zero
_LONGEST_LABEL = 34  # columns of text
_ROW = 49  # columns of text: a label and the words at its right
_FIRST_ROW_ABOVE = 0.62  # rows between the middle of the first bar and the top: its label stands there
_LABEL_ABOVE = 9  # points between the middle of a bar and its label
_SMALL = 9.5  # points: the words at the right of a row


def progress_by_project(progress: "pd.DataFrame") -> Picture:
    """How far each project is: checked tasks of all, and what is blocked. Takes the frame `progress`."""
    rows = progress[progress["tasks"] > 0].sort_values(["progress", "tasks"], ascending=[True, False])
    rows = rows.head(MOST_BARS) if len(rows) > MOST_BARS else rows
    total, checked, blocked = (int(progress[name].sum()) for name in ("tasks", "checked", "blocked"))
    figure, axes = _canvas(len(rows))
    names = []
    for place, row in enumerate(_rows(rows)):
        tasks, done, stuck = int(row.tasks), int(row.checked), int(row.blocked)
        axes.barh(place, tasks, height=0.3, color=GRID)
        axes.barh(place, done, height=0.3, color=BLUE)
        axes.barh(place, stuck, left=done, height=0.3, color=VERMILLION)
        words = f"{_percent(done, tasks)} · {done:,} of {tasks:,}" + (f", {stuck:,} blocked" if stuck else "")
        names.append(_label(row.project, f"project {row.project_id}", _ROW - len(words)))
        _head(axes, place, names[-1], words, LABEL[VERMILLION] if stuck else MUTED)
    axes.set_xlim(0, max([1, *(int(value) for value in rows["tasks"])]))
    axes.set_xticks([])
    title = f"{_percent(checked, total)} of {total:,} tasks are checked" + (
        f"; {blocked:,} {'is' if blocked == 1 else 'are'} blocked" if blocked else "; nothing is blocked"
    )
    if not total:
        title = "There are no tasks yet"
    alt = f"{title}. One bar for each of {len(rows)} projects: " + "; ".join(
        f"{name} {_percent(int(row.checked), int(row.tasks))}" for name, row in zip(names, _rows(rows), strict=True)
    )
    data = rows[["project", "tasks", "checked", "blocked"]].reset_index(drop=True)
    return Picture(figure, title, alt, data)


def query_speed(speed: "pd.DataFrame") -> Picture:
    """Measured time of each query without and with the indexes, log scale. Takes `Verification.speed()`.

    A query that could not be measured is in the table alone.
    """
    measured = speed.dropna(subset=["tasks", "without_ms", "with_ms", "faster_pct"])
    rows = measured.iloc[::-1]
    figure, axes = _canvas(len(rows))
    if not len(rows):
        return Picture(figure, "No query could be measured", "An empty chart; the table says why.", speed)
    for place, row in enumerate(_rows(rows)):
        _draw_times(axes, place, row)
    _name_dots(axes, len(rows) - 1, _rows(rows)[-1])
    _log_milliseconds(axes)
    gained = int((measured["faster_pct"] >= measured["claimed_pct"]).sum())
    title = f"{gained} of {len(rows)} measured queries gain as much from the indexes as claimed"
    slowest = float(measured["with_ms"].max())
    alt = f"{title}. With the indexes the slowest takes {slowest:.2g} ms. Orange: without the indexes; blue: with them."
    return Picture(figure, title, alt, speed)


def _draw_times(axes: "Axes", place: int, row: Any) -> None:
    """One query: a dot for its time with the indexes, one for that without, and what they make of each other."""
    fast, slow = _milliseconds(row)
    axes.plot([fast, slow], [place, place], color=SKY if fast <= slow else ORANGE, linewidth=3, zorder=1)
    axes.scatter([slow], [place], color=ORANGE, s=42, zorder=2)
    axes.scatter([fast], [place], color=BLUE, s=42, zorder=3)
    sign = "\N{MINUS SIGN}" if round(row.faster_pct) < 0 else ""
    words = f"gain {sign}{abs(row.faster_pct):.0f} %, claim {row.claimed_pct} %"
    gained = row.faster_pct >= row.claimed_pct
    _head(axes, place, f"{row.query}, {int(row.tasks):,} tasks", words, MUTED if gained else LABEL[ORANGE])


def _milliseconds(row: Any) -> tuple[float, float]:
    """The times with and without the indexes, fit for a logarithm."""
    return max(_BRIEFEST, float(row.with_ms)), max(_BRIEFEST, float(row.without_ms))


def _name_dots(axes: "Axes", place: int, row: Any) -> None:
    """Say at the first row which dot is which, each on its outer side."""
    fast, slow = _milliseconds(row)
    for value, other, word, color in ((fast, slow, "with indexes", BLUE), (slow, fast, "without", ORANGE)):
        left = value < other or (value == other and color == BLUE)
        axes.annotate(
            word,
            (value, place),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=_SMALL,
            color=LABEL[color],
        )


def _log_milliseconds(axes: "Axes") -> None:
    """A logarithmic axis of whole decades, with room at both ends for the dots' words, which says what it is."""
    from matplotlib.ticker import NullFormatter

    low, high = (math.log10(end) for end in axes.dataLim.intervalx)
    axes.set_xscale("log")
    axes.set_xlim(10 ** math.floor(low - 0.4), 10 ** math.ceil(high + 0.4))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} ms")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Logarithmic: each line is ten times the one before", fontsize=_SMALL)
    axes.grid(visible=True, axis="x")


def _canvas(bars: int) -> "tuple[Figure, Axes]":
    """A figure for rows that each have a label above: on a phone there is no room beside them."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.5 + 0.46 * max(1, bars)))
        axes = figure.subplots()
        axes.spines["bottom"].set_visible(False)
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.set_yticks([])
        axes.set_ylim(-0.35, max(1, bars) - 1 + _FIRST_ROW_ABOVE)
    return figure, axes


def _head(axes: "Axes", place: int, name: str, words: str, color: str) -> None:
    """Write above a row: its name at the left, what there is to say at the right."""
    for side, align, text, size, ink in ((0, "left", name, None, INK), (1, "right", words, _SMALL, color)):
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


def _rows(frame: "pd.DataFrame") -> list[Any]:
    """The rows of a frame as named tuples, which pandas-stubs gives no types."""
    return list(frame.itertuples(index=False))


def _label(name: object, fallback: str, room: int) -> str:
    """A name of at most `room` columns, the last one then being an ellipsis."""
    text = plain(str(name)) if isinstance(name, str) and name.strip() else fallback
    text, room = " ".join(text.split()), min(room, _LONGEST_LABEL)
    if _columns(text) <= room:
        return text
    text = text[:room]
    while _columns(text) >= room:
        text = text[:-1]
    return text + "…"


def _columns(text: str) -> int:
    """How wide a text is: a letter of Chinese or an emoji takes two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)


def _percent(part: int, whole: int) -> str:
    """A share for people: 99.96 % is not 100 %, and more than nothing is not 0 %."""
    if whole == 0:
        return "no tasks"
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(99.0, max(1.0, share))
    return f"{share:.0f} %"
