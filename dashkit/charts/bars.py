"""Horizontal bars: how far each project is, and what the indexes do to each query."""

from typing import TYPE_CHECKING, Any

from dashkit.charts.picture import Picture, plain
from dashkit.charts.style import BLUE, GRID, INK, LABEL, MUTED, ORANGE, SKY, STYLE, VERMILLION, WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 30
_LONGEST_LABEL = 34


def progress_by_project(progress: "pd.DataFrame") -> Picture:
    """How far each project is: checked tasks of all, and what is blocked. Takes the frame `progress`."""
    rows = progress[progress["tasks"] > 0].sort_values(["progress", "tasks"], ascending=[True, False])
    rows = rows.head(MOST_BARS) if len(rows) > MOST_BARS else rows
    total, checked, blocked = (int(progress[name].sum()) for name in ("tasks", "checked", "blocked"))
    figure, axes = _canvas(len(rows))
    names = [
        _label(name, f"project {number}") for name, number in zip(rows["project"], rows["project_id"], strict=True)
    ]
    for place, row in enumerate(_rows(rows)):
        tasks, done, stuck = int(row.tasks), int(row.checked), int(row.blocked)
        axes.barh(place, tasks, height=0.62, color=GRID)
        axes.barh(place, done, height=0.62, color=BLUE)
        axes.barh(place, stuck, left=done, height=0.62, color=VERMILLION)
        words = f"{_percent(done, tasks)} · {done:,} of {tasks:,}" + (f", {stuck:,} blocked" if stuck else "")
        axes.annotate(
            words,
            (tasks, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=LABEL[VERMILLION] if stuck else MUTED,
        )
    axes.set_yticks(range(len(rows)), names, color=INK)
    axes.set_xlim(0, max([1, *(int(value) for value in rows["tasks"])]) * 1.42)
    axes.set_xticks([])
    title = f"{_percent(checked, total)} of {total:,} tasks are checked" + (
        f"; {blocked:,} {'is' if blocked == 1 else 'are'} blocked" if blocked else "; nothing is blocked"
    )
    if not total:
        title = "There are no tasks yet"
    alt = f"{title}. One bar for each of {len(rows)} projects: " + "; ".join(
        f"{name} {_percent(int(row.checked), int(row.tasks))}" for name, row in zip(names, _rows(rows), strict=True)
    )
    data = rows[["project", "tasks", "checked", "progress", "blocked"]].reset_index(drop=True)
    return Picture(figure, title, alt, data)


def query_speed(speed: "pd.DataFrame") -> Picture:
    """Measured time of each query without and with the indexes, log scale. Takes `Verification.speed()`."""
    rows = speed.iloc[::-1].reset_index(drop=True)
    figure, axes = _canvas(len(rows))
    for place, row in enumerate(_rows(rows)):
        slow, fast = float(row.without_ms), float(row.with_ms)
        axes.plot([fast, slow], [place, place], color=SKY if fast <= slow else ORANGE, linewidth=3, zorder=1)
        axes.scatter([slow], [place], color=ORANGE, s=42, zorder=2)
        axes.scatter([fast], [place], color=BLUE, s=42, zorder=3)
        axes.annotate(
            f"{abs(row.faster_pct):.0f} % {_less(row.faster_pct)} time, {row.claimed_pct} % less claimed",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
            color=MUTED if row.faster_pct >= row.claimed_pct else LABEL[ORANGE],
        )
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [f"{row.query}, {int(row.tasks):,} tasks" for row in _rows(rows)], color=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} ms")
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    kept = int((speed["faster_pct"] >= speed["claimed_pct"]).sum())
    title = f"{kept} of {len(speed)} measured queries gain as much from the indexes as claimed"
    slowest = float(speed["with_ms"].max())
    alt = f"{title}. With the indexes the slowest takes {slowest:.2g} ms. Orange: without the indexes; blue: with them."
    return Picture(figure, title, alt, speed.drop(columns="plan"))


def _canvas(bars: int) -> "tuple[Figure, Axes]":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.9 + 0.36 * max(1, bars)))
        axes = figure.subplots()
        axes.spines["bottom"].set_visible(False)
        axes.grid(visible=False)
        axes.tick_params(length=0)
    return figure, axes


def _rows(frame: "pd.DataFrame") -> list[Any]:
    """The rows of a frame as named tuples, which pandas-stubs gives no types."""
    return list(frame.itertuples(index=False))


def _label(name: object, fallback: str) -> str:
    text = plain(str(name)) if isinstance(name, str) and name.strip() else fallback
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _percent(part: int, whole: int) -> str:
    """A share for people: 99.96 % is not 100 %, and more than nothing is not 0 %."""
    if whole == 0:
        return "no tasks"
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(99.0, max(1.0, share))
    return f"{share:.0f} %"


def _less(faster: float) -> str:
    return "less" if faster >= 0 else "more"
