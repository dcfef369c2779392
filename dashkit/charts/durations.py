"""How long work takes, on a scale from a minute to months: what is finished, and what is still in work."""

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import PALE, ROW, End, dates, end_labels, head, local, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GRID, INK, LABEL, MUTED, ORANGE, VERMILLION
from dashkit.charts.words import are, count, day, duration, sentences, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FEWEST: Final = 20  # of fewer a percentile says nothing, and the single ones say all
MOST_DAYS: Final = 182  # of finished work, up to the last
MOST_NAMED: Final = 6  # of what is in work
_SHARES: Final = (50, 85, 95)
_LIMITS: Final = [f"p{share}_days" for share in _SHARES]
_TRACK: Final = ((GRID, 1), (MUTED, 0.3), (ORANGE, 0.4), (VERMILLION, 0.4))  # between the percentiles
_MINUTE: Final = 1 / 1440  # of a day: what is shorter is drawn here
_TICKS: Final = {
    _MINUTE: "\N{LESS-THAN OR EQUAL TO} 1 min",
    10 * _MINUTE: "10 min", 1 / 24: "1 h", 0.25: "6 h", 1: "1 day", 7: "1 week", 30: "1 month",
    182: "6 months", 730: "2 years", 3650: "10 years",
}  # fmt: skip


def time_to_finish(times: "pd.DataFrame", timezone: str = "UTC", since: datetime | None = None) -> Picture:
    """How long each finished task took, by when it was finished; paler where nobody saw it.

    A percentile is the time that so many of the tasks took at most, one of them exactly (nearest rank), as in ageing.

    Args:
        times: the frame `lead_times` or `cycle_times`.
        timezone: of the dates that are told.
        since: the tasks that were finished from this instant on are drawn and counted; None: from 182 days before the
            last one was.
    """
    column = next(name for name in ("lead_time_days", "cycle_time_days") if name in times)
    known = times[times[column].notna() & times["finished_at"].notna()]
    if known.empty:
        why = "how long one took is not known" if len(times) else "none is finished yet"
        return nothing(f"No task shows how long work takes: {why}", times)
    known = known.assign(finished_at=local(known["finished_at"], timezone))
    begin = local(since, timezone) or known["finished_at"].max() - _days(MOST_DAYS)
    rows = known[known["finished_at"] >= begin]
    if rows.empty:
        return nothing(f"No task that was finished since {day(begin)} shows how long work takes", times)
    days = rows[column].astype(float)
    left_out, older = len(times) - len(known), len(known) - len(rows)
    title = _title(days, f"{{}} finished since {day(begin)}" if older else "finished {}")
    if len(rows) < 2:
        return nothing(title, times)
    with sheet(3.2) as (figure, (axes,)):
        for pale in (True, False):
            some = rows["is_estimated"].astype(bool) == pale
            _dots(axes, rows.loc[some, "finished_at"], days[some], PALE if pale else 0.8)
        _log_days(axes.yaxis, axes.set_ylim, days, 0.07)
        dates(axes)
        ends = []
        for share in _SHARES if len(days) >= FEWEST else ():
            value = _percentile(days, share)
            axes.axhline(max(_MINUTE, value), color=INK, linewidth=1, linestyle="--")
            ends.append(End(max(_MINUTE, value), f"{share} %: {duration(value)}", INK))
        end_labels(axes, ends)
    what = {"lead_time_days": "From its arrival to its finish", "cycle_time_days": "From its first start to its finish"}
    notes = sentences(
        f"{what[column]}, nights and weekends included; one dot a task, the scale is logarithmic",
        "Dashed: so many percent took at most so long" if ends else "",
        "Paler: nobody saw it begin or end" if rows["is_estimated"].any() else "",
        f"Left out: {count(left_out, 'task')} of which the time is not known" if left_out else "",
        f"Not drawn: {count(older, 'task')} finished before {day(begin)}" if older else "",
    )
    data = rows[["title", "finished_at", column]].rename(columns={"finished_at": "finished", column: "days"})
    return Picture(figure, title, f"{title}. One dot for each task.", data.iloc[::-1].reset_index(drop=True), notes)


def _title(days: "pd.Series[float]", finished: str) -> str:
    """How long most took; of few how long each. `finished` says which tasks these are, `{}` being the noun."""
    if len(days) == 1:
        return f"The one {finished.format('task')} took {duration(days.iloc[0])}"
    which = f"{len(days):,} {finished.format('tasks')}"
    if len(days) < FEWEST:
        low, high = duration(days.min()), duration(days.max())
        span = f"from {low} to {high}" if low != high else low
        return f"{which} took {span}; so few say nothing of the next one"
    half, most = (duration(_percentile(days, share)) for share in _SHARES[:2])
    return f"Half of {which} took at most {half}, 85 % at most {most}"


def _percentile(days: "pd.Series[float]", share: int) -> float:
    """The time that so many percent took at most: one of them, by nearest rank."""
    return float(days.sort_values().iloc[math.ceil(share * len(days) / 100) - 1])


def _days(number: int) -> Any:
    import pandas as pd

    return pd.Timedelta(days=number)


def _dots(axes: "Axes", at: "pd.Series[Any]", days: "pd.Series[float]", alpha: float) -> None:
    """A dot each, all in one path: thousands of elements would make a page slow and big."""
    from matplotlib.dates import date2num
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if at.empty:
        return
    xs: Any = date2num(at)  # type: ignore[no-untyped-call]
    ys = days.clip(lower=_MINUTE)
    points = [point for place in zip(xs, ys, strict=True) for point in (place, place)]
    path = Path(points, [Path.MOVETO, Path.LINETO] * len(xs))
    path.should_simplify = False
    style = {"capstyle": "round", "linewidth": 4.2 if len(xs) < 500 else 2.8, "alpha": alpha}
    axes.add_patch(PathPatch(path, edgecolor=BLUE, facecolor="none", **style))
    axes.update_datalim(list(zip(xs, ys, strict=True)))
    axes.xaxis_date()
    axes.autoscale_view(scaley=False)


def _log_days(axis: Any, limit: Any, days: "pd.Series[float]", apart: float) -> None:
    """A logarithmic axis of times, with ticks at those that people know, so far apart (0..1)."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = (max(_MINUTE, float(end)) for end in (days.min(), days.max()))
    low, high = low / 1.5, max(high * 1.5, low * 8)
    limit(low, high)
    ticks: dict[float, str] = {}
    for value, text in _TICKS.items():
        if low <= value <= high and (not ticks or math.log(value / max(ticks)) > apart * math.log(high / low)):
            ticks[value] = text
    axis.set_ticks(list(ticks), list(ticks.values()))
    axis.set_ticks([], minor=True)


def ageing(work: "pd.DataFrame") -> Picture:
    """How old each task in work is, against how long finished work took; the oldest are named.

    Args:
        work: the frame `ageing`, in its order.
    """
    if work.empty:
        return nothing("No task is in work", work)
    work = work.astype(dict.fromkeys([*_LIMITS, "age_days"], float))
    title = _age_title(work)
    named, rest = work.head(MOST_NAMED), work.iloc[MOST_NAMED:]
    lines = len(named) + bool(len(rest))
    with sheet(0.75 + 0.46 * lines) as (figure, (axes,)):
        no_marks(axes, lines)
        _log_days(axes.xaxis, axes.set_xlim, _reach(work), 0.19)
        for place in range(lines):
            _track(axes, place, work[_LIMITS].iloc[0])
        for place, row in enumerate(tuples(named)):
            _age(axes, lines - 1 - place, row)
        if len(rest):
            ages = rest["age_days"].astype(float)
            axes.plot(ages, [0] * len(rest), color=BLUE, marker="o", markersize=4, linewidth=0, alpha=PALE)
            low, high = _long(ages.min(), is_estimated=bool(rest["is_estimated"].any())), duration(ages.max())
            same = duration(ages.min()) == high
            head(axes, 0, f"and {len(rest):,} more", low if same else f"{low} to {high}")
    names = {"title": "title", "status": "status", "age_days": "age in days", "blocked": "blocked"}
    data = work[list(names)].rename(columns=names).reset_index(drop=True)
    notes = sentences(
        "Age: since the first start; the scale is logarithmic",
        _limits(work.iloc[0]),
        "At least: nobody saw it start" if work["is_estimated"].any() else "",
    )
    return Picture(figure, title, f"{title}. A dot for each, the oldest on top.", data, notes)


def _limits(row: Any) -> str:
    """Where the track changes its colour."""
    if row[_LIMITS].isna().any():
        return f"Of fewer than {FEWEST} finished tasks the start is known: no shade says what is long"
    half, most, almost = (duration(float(row[name])) for name in _LIMITS)
    took = f"took no longer ({half}), 85 % ({most}), and 95 % ({almost})"
    return f"A new shade: where half of the finished tasks whose start is known {took}"


def _long(age: float, *, is_estimated: bool) -> str:
    """For how long a task is in work; of one that nobody saw start, at least."""
    return duration(age, "at least" if is_estimated else "")


def _age_title(work: "pd.DataFrame") -> str:
    """How many are older than most of the finished ones took."""
    number, limit = len(work), work["p85_days"].iloc[0]
    oldest = _long(float(work["age_days"].iloc[0]), is_estimated=bool(work["is_estimated"].any()))
    if work["p85_days"].isna().any():
        return f"{count(number, 'task')} {are(number)} in work" + (
            f", the oldest for {oldest}" if number > 1 else f", for {oldest}"
        )
    is_old = (work["age_days"] > limit).astype(bool)
    old, unsure = int(is_old.sum()), bool(work.loc[~is_old, "is_estimated"].any())
    than = f"in work for longer than 85 % of the finished ones whose start is known took ({duration(float(limit))})"
    been = "is not known to have been" if unsure else "has not been"
    if number == 1:
        return f"The one begun task {'has been' if old else been} {than}"
    if not old:
        return f"None of {number:,} begun tasks {'is known to have' if unsure else 'has'} been {than}"
    many = f"All {number:,}" if old == number else f"{'At least ' if unsure else ''}{old:,} of {number:,}"
    return f"{many} begun tasks {'has' if old < 2 else 'have'} been {than}"


def _reach(work: "pd.DataFrame") -> "pd.Series[float]":
    """What the axis has to show: ages and percentiles."""
    import pandas as pd

    limits = [work[name].head(1) for name in ("p50_days", "p95_days")]
    reach: pd.Series[float] = pd.concat([work["age_days"], *limits]).dropna().astype(float)
    return reach


def _track(axes: "Axes", place: int, limits: Any) -> None:
    """A row to stand on: darker where half of the finished tasks took less, then where 85 and 95 % of them did."""
    low, high = axes.get_xlim()
    known = bool(limits.notna().all())
    edges = [low, *(max(low, float(value)) for value in limits if known), high]
    for left, right, (color, alpha) in zip(edges, edges[1:], _TRACK, strict=False):
        axes.barh(place, right - left, left=left, height=0.3, color=color, alpha=alpha)


def _age(axes: "Axes", place: int, row: Any) -> None:
    """One task: its title, for how long, and a dot there."""
    age = float(row.age_days)
    is_old = bool(row.age_days > row.p85_days) if row.p85_days == row.p85_days else False
    words = f"{_long(age, is_estimated=row.is_estimated)}{', blocked' if row.blocked else ''}"
    axes.plot(
        [max(_MINUTE, age)],
        [place],
        marker="o",
        markersize=7,
        color=VERMILLION if is_old else BLUE,
        alpha=PALE if row.is_estimated else 1,
    )
    head(
        axes,
        place,
        short(row.title, f"task {row.task_id}", ROW - len(words)),
        words,
        LABEL[VERMILLION] if is_old else MUTED,
    )
