"""How far the work is over time, and how far it gets: the burn-up with the fan of its forecast."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import (
    EMPTY,
    HATCHED,
    UNSEEN,
    End,
    as_of_line,
    dates,
    end_labels,
    gaps,
    history,
    level,
    local,
    nothing,
    on_days,
    period_ends,
    sheet,
    whole_numbers,
)
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, LABEL
from dashkit.charts.words import are, count, last_day, sentences

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_PERIODS: Final = 42
_AHEAD: Final = 2  # times as far as the promise the fan is drawn
_LEAST_AHEAD: Final = 7  # days
_BANDS: Final = (("p05_tasks", "p95_tasks", 0.18), ("p15_tasks", "p85_tasks", 0.32))
_FAN: Final = (
    "Ahead: 70 % of the simulated futures, around them 90 %, dashed the middle; drawn up to what is in scope now",
    "Of what is finished next, much is not there yet",
)


def burn_up(
    progress_over_time: "pd.DataFrame",
    forecast_fan: "pd.DataFrame",
    forecast: "pd.DataFrame",
    by: str = "day",
    as_of: datetime | None = None,
    timezone: str = "UTC",
) -> Picture:
    """How many tasks are done and in scope over time, and how many more by when, as the forecast promises it.

    Args:
        progress_over_time: the frame; its last 42 periods are drawn, or where nothing changed in them the last 42 up to
            the last one in which something did, and more where hardly anything did.
        forecast_fan: the frame; drawn twice as far as the promise of `forecast` goes, and no higher than the scope.
        forecast: the frame, of which the surest promise is told (of how many, where that was asked), with its score;
            at least 0 is no promise, and neither told nor drawn.
        by: the period that progress_over_time was made by.
        as_of: the instant up to which a period that is not over is drawn, also where there is no fan, which begins
            there; None: to its end.
        timezone: the one that progress_over_time has its days in.
    """
    if progress_over_time.empty or not progress_over_time["tasks"].any():
        return nothing("There are no tasks yet", progress_over_time, EMPTY)
    progress_over_time = on_days(progress_over_time)
    states = progress_over_time[["tasks", "checked"]]
    moves = (states != states.shift(fill_value=0)).any(axis=1)
    rows = history(progress_over_time, moves, MOST_PERIODS)
    done, scope = int(rows["checked"].iloc[-1]), int(rows["tasks"].iloc[-1])
    promised = forecast.head(1)  # the surest
    promised = promised[promised["at_least"].astype("Int64").fillna(1) > 0]
    promised, forecast_fan = (f.assign(until=local(f["until"], timezone)) for f in (promised, forecast_fan))
    told, _, score = str(promised["sentence"].iloc[0]).partition(". ") if len(promised) else ("", "", "")
    title = f"{done:,} of {count(scope, 'task')} {are(done or scope)} done"
    if rows.index[-1] != progress_over_time.index[-1]:
        title += f"; nothing has changed since {last_day(rows['period_on'].iloc[-1], by)}"
    title = sentences(title, told).rstrip(".")
    fan = _drawn(forecast_fan, promised)
    if len(fan):  # which begins now
        rows = progress_over_time.loc[rows.index[0] :]
    if fan.empty and not moves.loc[rows.index[1:]].any():
        return nothing(title, progress_over_time)
    begin = forecast_fan["until"].dropna()
    ends = period_ends(rows, by, begin.iloc[0] - timedelta(days=1) if len(begin) else local(as_of, timezone))
    with sheet(3.1) as (figure, (axes,)):
        level(axes, ends, rows, "tasks", BLUE)
        unseen = level(axes, ends, rows, "checked", GREEN, 2.4)
        labels = [End(scope, f"{scope:,} in scope", BLUE)]
        if fan.empty:
            labels.append(End(done, f"{done:,} done", GREEN))
        else:
            _fan(axes, ends[-1], fan, done, scope)
            labels += [End(done, f"{done:,} done", GREEN), _promise(axes, promised, done, scope, fan)]
        hatched = gaps(axes, rows, ends)
        low, high = float(rows["checked"].min()), float(rows["tasks"].max())
        room = 0.1 * max(10.0, high - low)
        bottom = max(0.0, low - room)
        axes.set_ylim(bottom, high + room)
        whole_numbers(axes)
        dates(axes)
        end_labels(axes, labels)
    data = _data(rows, fan, by)
    alt = f"{title}. A line for what is in scope and one for what is done" + ("" if fan.empty else ", and a fan ahead")
    notes = sentences(
        score, *_FAN[: 0 if fan.empty else None], "In scope is what is open or done, not what was cancelled or is gone",
        "The axis does not begin at 0" if bottom else "", UNSEEN[unseen], HATCHED[hatched],
    )  # fmt: skip
    return Picture(figure, title, f"{alt}.", data, notes)


def _drawn(fan: "pd.DataFrame", promised: "pd.DataFrame") -> "pd.DataFrame":
    """The days of the fan that are drawn."""
    days: pd.DataFrame = fan[fan["days"].notna()]
    if days.empty or promised.empty or promised["until"].isna().any():
        return days.iloc[:0]
    until = days["until"].iloc[0] - timedelta(days=1)
    ahead = (promised["until"].iloc[0] - until) / timedelta(days=1)
    drawn: pd.DataFrame = days[days["days"] <= max(_LEAST_AHEAD, _AHEAD * ahead)]
    return drawn


def _fan(axes: "Axes", now: Any, fan: "pd.DataFrame", done: int, scope: int) -> None:
    """From now on: the scope as it is, and the shares of the futures, each no higher than it."""
    ahead = [now, *fan["until"]]
    axes.plot([now, ahead[-1]], [scope, scope], color=BLUE, linestyle=":")

    def reached(quantile: str) -> list[int]:
        return [done, *(min(scope, done + more) for more in fan[quantile].astype(int))]

    fan_of(axes, ahead, {name: reached(name) for name in shares(fan)})
    as_of_line(axes, now)


def shares(fan: "pd.DataFrame") -> dict[str, str]:
    """The quantiles of a fan by their names in the frame, each with how sure it is."""
    return {name: f"{100 - int(name[1:3])} % sure" for name in fan.columns if name.endswith("_tasks")}


def fan_of(axes: "Axes", ahead: list[Any], reached: Mapping[str, list[int]]) -> None:
    """The shares of the futures at each instant ahead, by the names that the quantiles have in the frame."""
    for low, high, alpha in _BANDS:
        axes.fill_between(ahead, reached[low], reached[high], color=GREEN, alpha=alpha, linewidth=0)
    axes.plot(ahead, reached["p50_tasks"], color=LABEL[GREEN], linestyle="--", linewidth=1.4)


def _promise(axes: "Axes", promised: "pd.DataFrame", done: int, scope: int, fan: "pd.DataFrame") -> End:
    """The promise as a point, so many by then, with a line to what stands beside it."""
    until, more = promised["until"].iloc[0], int(promised["at_least"].iloc[0])
    reached = min(scope, done + more)  # as the fan is drawn
    axes.plot([until], [reached], marker="o", color=LABEL[GREEN], markersize=6, zorder=7)
    axes.plot([until, fan["until"].iloc[-1]], [reached] * 2, color=LABEL[GREEN], linestyle=":", linewidth=1)
    return End(reached, f"{more:,} more" if more else "no more", GREEN)


def _data(rows: "pd.DataFrame", fan: "pd.DataFrame", by: str) -> "pd.DataFrame":
    """What was, then what is simulated."""
    import pandas as pd

    past: pd.DataFrame = rows[["period_on", "checked", "tasks"]].rename(
        columns={"period_on": f"{by} from, or until", "checked": "done", "tasks": "in scope"}
    )
    names = {name: f"at least so many more, {sure}" for name, sure in shares(fan).items()}
    ahead = fan[["until", *names]].rename(columns={"until": f"{by} from, or until", **names})
    return past if fan.empty else pd.concat([past, ahead], ignore_index=True)
