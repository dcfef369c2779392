"""What is stuck over time: how many tasks, and what they wait for."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import (
    HATCHED,
    PALE,
    PERIODS,
    SMALL,
    dates,
    gaps,
    head,
    history,
    local,
    most,
    no_marks,
    nothing,
    on_days,
    period_ends,
    sheet,
    tuples,
    whole_numbers,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import LABEL, MUTED, ORANGE, VERMILLION
from dashkit.charts.words import at_end, count, duration, sentences, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_REASONS: Final = 3
_PANEL, _REASON, _AXIS = 1.45, 0.46, 0.35  # inches
_ROOM: Final = 43  # columns of a reason
_BAR: Final = 0.6  # of the width: the longest bar, so that there is room for words at its right
_COLORS: Final = {"reported": VERMILLION, "waiting": ORANGE}
_NOW: Final = {
    "reported": ("is blocked", "are blocked"),
    "waiting": ("waits for another one", "wait for another one"),
}
_LABEL: Final = {"reported": "blocked", "waiting": "waiting"}
_WERE: Final = {"reported": "were blocked", "waiting": "waited"}


def blocked_over_time(
    blocked: "pd.DataFrame",
    reasons: "pd.DataFrame",
    by: str = "day",
    as_of: datetime | None = None,
    timezone: str = "UTC",
) -> Picture:
    """How many tasks were blocked and how many waited, in a panel each, and below what cost most task days.

    The two are never added: a task may be both.

    Args:
        blocked: the frame `blocked_over_time`; its last 90 days, 26 weeks or 24 months are drawn, or where
            nothing moved in them as many up to the last one in which something did, and more where hardly anything did.
        reasons: the frame `blocked_reasons_over_time`, whatever it was made by; the days are added up from the first
            period that is drawn to the end of the frame, as what is blocked costs on after the last movement.
        by: the period that `blocked` was made by.
        as_of: the instant up to which a period that is not over is drawn; None: to its end.
        timezone: the one that the frames have their days in.
    """
    if blocked.empty or not blocked["blocked"].any():
        return nothing("Nothing has been blocked yet", blocked)
    blocked, reasons = on_days(blocked), on_days(reasons)
    frame = blocked.drop_duplicates("period_on")[["period_on", "is_partial", "is_gap"]].reset_index(drop=True)
    for cause in _COLORS:
        for name, column in ((cause, "blocked"), (_unseen(cause), "estimated")):
            frame[name] = blocked.loc[blocked["cause"] == cause, column].array
    states = frame[list(_COLORS)]
    rows = history(frame, (states != states.shift(fill_value=0)).any(axis=1), PERIODS[by])
    causes = [cause for cause in _COLORS if rows[cause].any()]
    title = _title(frame, rows, causes, by)
    if not causes or (rows[causes] == rows[causes].iloc[0]).all(axis=None):
        return nothing(title, blocked)
    if not any((rows[cause] > rows[_unseen(cause)]).any() for cause in causes):
        return nothing(
            title, blocked, "It was so when somebody first looked: what becomes blocked from now on is drawn."
        )
    named = _worst(reasons, rows)
    panels = [_PANEL] * len(causes) + ([_AXIS + _REASON * len(named)] if len(named) else [])
    ends = period_ends(rows, by, local(as_of, timezone))
    with sheet(sum(panels) + _AXIS, panels) as (figure, parts):
        for axes, cause in zip(parts, causes, strict=False):
            hatched = _panel(axes, rows, cause, ends)
        for axes in parts[: len(causes) - 1]:
            axes.set_xticklabels([])
        if len(named):
            _reasons(parts[-1], named)
    names = {"period_on": f"{by} from", **{cause: _LABEL[cause] for cause in causes}}
    unseen = [cause for cause in causes if rows[_unseen(cause)].any()]
    names |= {_unseen(cause): f"{_LABEL[cause]}, nobody saw it begin" for cause in unseen}
    data = rows[list(names)].rename(columns=names).reset_index(drop=True)
    notes = sentences(f"At the end of each {by}", "Blocked: somebody said so" if "reported" in causes else "",
        "Waiting: open, and what the task depends on is open" if "waiting" in causes else "",
        "Paler: nobody saw it begin" if unseen else "",
        HATCHED[hatched],
    )  # fmt: skip
    alt = sentences(title, *(f"{words}: {name}" for name, words, *_ in _told(named)))
    return Picture(figure, title, alt, data, notes)


def _unseen(cause: str) -> str:
    """The column of those that nobody saw come into it."""
    return f"{cause}, estimated"


def _title(frame: "pd.DataFrame", rows: "pd.DataFrame", causes: list[str], by: str) -> str:
    """How many now, and when they were most."""
    now = {cause: number for cause in causes if (number := int(rows[cause].astype(int).iloc[-1]))}
    numbers = [count(number, "task") if not place else f"{number:,}" for place, number in enumerate(now.values())]
    told = " and ".join(f"{text} {_NOW[cause][now[cause] != 1]}" for text, cause in zip(numbers, now, strict=True))
    told = told or "Nothing is blocked or waits for another task"
    if not causes:
        return told
    peaks = {cause: int(getattr(most(rows, cause), cause)) for cause in causes}
    fewer = [cause for cause in causes if peaks[cause] != now.get(cause)]
    if not fewer:
        fell = any(rows[cause].min() < peaks[cause] > 1 for cause in causes)
        return f"{told}, never more" if fell and all(_never_more(frame, cause) for cause in causes) else told
    cause = max(fewer, key=lambda each: peaks[each])
    peak, number = most(rows, cause), peaks[cause]
    shown = "in the time shown " if (frame[cause] > number).any() else ""
    return f"{told}; {shown}most {_WERE[cause]} {at_end(peak.period_on, by)}: {number:,}"


def _never_more(frame: "pd.DataFrame", cause: str) -> bool:
    """Whether it is known of the last level that none before was higher: all were seen, and whole."""
    level = frame[cause]
    broken = frame["is_partial"].astype(bool).iloc[:-1] & (level.iloc[:-1] == level.iloc[-1])
    return bool((level <= level.iloc[-1]).all()) and not frame[_unseen(cause)].any() and not broken.any()


def _panel(axes: "Axes", rows: "pd.DataFrame", cause: str, ends: list[Any]) -> bool:
    """The steps of one cause, with its number at the right; whether some of it is hatched."""
    color, values = _COLORS[cause], rows[cause].astype(float)
    starts = list(rows["period_on"])
    edges, steps = [*starts, ends[-1]], [*values, values.iloc[-1]]
    unseen = rows[_unseen(cause)].astype(float)
    estimated = [*unseen, unseen.iloc[-1]]
    axes.fill_between(edges, estimated, step="post", color=color, alpha=PALE / 2.5, linewidth=0)
    axes.fill_between(edges, estimated, steps, step="post", color=color, alpha=PALE, linewidth=0)
    axes.plot(edges, steps, drawstyle="steps-post", color=color)
    hatched = gaps(axes, rows, ends)
    axes.set_ylim(0, max(1.0, float(values.max())) * 1.15)
    whole_numbers(axes, 3)
    dates(axes)
    _name(axes, f"{int(steps[-1]):,} {_LABEL[cause]}", LABEL[color])
    return hatched


def _name(axes: "Axes", words: str, color: str) -> None:
    """What a panel shows, above it."""
    axes.set_title(words, fontsize=10, color=color, pad=5)


def _worst(reasons: "pd.DataFrame", rows: "pd.DataFrame") -> "pd.DataFrame":
    """What stopped tasks for longest from the first period that is drawn up to now, and since when that is."""
    seen = reasons[reasons["period_on"] >= rows["period_on"].iloc[0]]
    what = ["cause", "reason", "depends_on_id"]
    summed: pd.DataFrame = seen.groupby(what, dropna=False, sort=False, as_index=False)[["days"]].sum()
    summed = summed.assign(since=seen["period_on"].min())
    return summed.sort_values("days", ascending=False, kind="stable").head(MOST_REASONS)


def _told(named: "pd.DataFrame") -> list[tuple[str, str, float, str]]:
    """Each reason with its words, days and colour."""
    found = []
    for row in tuples(named):
        text = short(row.reason, "no reason given", _ROOM)
        found.append((text, duration(float(row.days)), float(row.days), _COLORS[row.cause]))
    return found


def _reasons(axes: "Axes", named: "pd.DataFrame") -> None:
    """The reasons as bars by the days that they cost, those that cost most on top."""
    no_marks(axes, len(named))
    axes.set_xticks([])
    start = named["since"].iloc[0]
    _name(axes, f"What cost most task days, from {start.day} {start:%b} on", MUTED)
    axes.set_xlim(0, max(float(named["days"].max()), 1e-9) / _BAR)
    for place, (text, words, days, color) in enumerate(reversed(_told(named))):
        axes.barh(place, days, height=0.3, color=color)
        head(axes, place, text, "")
        style: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": SMALL}
        axes.annotate(words, (days, place), color=LABEL[color], **style)
