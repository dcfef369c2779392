"""Horizontal bars: how far each project is, and what the indexes do to each query."""

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dashkit.charts.drawing import EMPTY, ROW, SMALL, bar, head, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.projects import of_no_project
from dashkit.charts.style import BLUE, LABEL, MUTED, ORANGE, SKY, VERMILLION
from dashkit.charts.words import are, count, percent, sentences, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 30
_BRIEFEST = 1e-4  # ms: what was measured is rounded to this, and no logarithm has a zero
LONGEST = 34  # columns of text of a label


def progress_by_project(progress: "pd.DataFrame") -> Picture:
    """How far each project is: checked tasks of all, and what is blocked.

    Args:
        progress: the frame; the 30 projects with the largest shares are shown, and the tasks of no project as one row.
    """
    import pandas as pd

    if not (progress["tasks"] > 0).any():
        return nothing("There are no tasks yet", progress, EMPTY)
    named = progress["project"].notna()
    found = progress[named & (progress["tasks"] > 0)].sort_values(["progress", "tasks"], ascending=[True, False])
    more, empty = len(found.iloc[MOST_BARS:]), int(named.sum()) - len(found)
    rows = pd.concat([of_no_project(progress), found.tail(MOST_BARS)])
    total, checked, blocked = (int(progress[name].sum()) for name in ("tasks", "checked", "blocked"))
    names = []
    with _rows_sheet(len(rows)) as (figure, axes):
        for place, row in enumerate(tuples(rows)):
            tasks, done, stuck = int(row.tasks), int(row.checked), int(row.blocked)
            bar(axes, place, tasks, (done, BLUE), (stuck, VERMILLION))
            words = f"{percent(done, tasks)} · {done:,} of {tasks:,}" + (f", {stuck:,} blocked" if stuck else "")
            names.append(short(row.project, f"project {row.project_id}", min(LONGEST, ROW - len(words))))
            head(axes, place, names[-1], words, LABEL[VERMILLION] if stuck else MUTED)
        axes.set_xlim(0, max([1, *(int(value) for value in rows["tasks"])]))
        axes.set_xticks([])
    title = f"{percent(checked, total)} of {count(total, 'task')} {are(total)} checked" + (
        f"; {blocked:,} {are(blocked)} blocked" if blocked else "; nothing is blocked"
    )
    alt = f"{title}. A bar for each: " + "; ".join(
        f"{name} {percent(int(row.checked), int(row.tasks))}" for name, row in zip(names, tuples(rows), strict=True)
    )
    data = pd.concat([of_no_project(progress), found])[["project", "tasks", "checked", "blocked"]].reset_index(
        drop=True
    )
    notes = sentences(
        f"Not drawn: {count(more, 'more project')}, which {are(more)} in the table" if more else "",
        f"Without a task, and not shown: {count(empty, 'project')}" if empty else "",
    )
    return Picture(figure, title, alt, data, notes)


def query_speed(speed: "pd.DataFrame") -> Picture:
    """Measured time of each query without and with the indexes, log scale. Takes `Verification.speed()`.

    A query that could not be measured is in the table alone.
    """
    measured = speed.dropna(subset=["tasks", "without_ms", "with_ms", "faster_pct"])
    rows = tuples(measured.iloc[::-1])
    with _rows_sheet(len(rows)) as (figure, axes):
        if not rows:
            return Picture(figure, "No query could be measured", "An empty chart; the table says why.", speed)
        for place, row in enumerate(rows):
            _draw_times(axes, place, row)
        _name_dots(axes, len(rows) - 1, rows[-1])
        _log_milliseconds(axes)
    gained = int((measured["faster_pct"] >= measured["claimed_pct"]).sum())
    title = f"{gained} of {len(rows)} measured queries gain as much from the indexes as claimed"
    slowest = float(measured["with_ms"].max())
    alt = f"{title}. With the indexes the slowest takes {slowest:.2g} ms. Orange: without the indexes; blue: with them."
    return Picture(figure, title, alt, speed)


@contextmanager
def _rows_sheet(bars: int) -> "Iterator[tuple[Figure, Axes]]":
    """A sheet for so many rows with heads."""
    with sheet(0.5 + 0.46 * max(1, bars)) as (figure, (axes,)):
        no_marks(axes, bars)
        yield figure, axes


def _draw_times(axes: "Axes", place: int, row: Any) -> None:
    """One query: a dot for its time with the indexes, one for that without, and what they make of each other."""
    fast, slow = _milliseconds(row)
    axes.plot([fast, slow], [place, place], color=SKY if fast <= slow else ORANGE, linewidth=3, zorder=1)
    axes.scatter([slow], [place], color=ORANGE, s=42, zorder=2)
    axes.scatter([fast], [place], color=BLUE, s=42, zorder=3)
    sign = "\N{MINUS SIGN}" if round(row.faster_pct) < 0 else ""
    words = f"gain {sign}{abs(row.faster_pct):.0f} %, claim {row.claimed_pct} %"
    gained = row.faster_pct >= row.claimed_pct
    head(axes, place, f"{row.query}, {int(row.tasks):,} tasks", words, MUTED if gained else LABEL[ORANGE])


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
            fontsize=SMALL,
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
    axes.set_xlabel("Logarithmic: each line is ten times the one before", fontsize=SMALL)
    axes.grid(visible=True, axis="x")
