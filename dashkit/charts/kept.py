"""What came of an earlier forecast: its fan, and what was finished."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dashkit.charts.burnup import fan_of, shares
from dashkit.charts.drawing import End, dates, end_labels, local, nothing, sheet, whole_numbers
from dashkit.charts.picture import Picture
from dashkit.charts.style import GREEN, INK, LABEL
from dashkit.charts.words import count, day, sentences

if TYPE_CHECKING:
    import pandas as pd


def past_forecast(forecast_fan: "pd.DataFrame", timezone: str = "UTC") -> Picture:
    """The futures that were simulated some days ago, and over them what happened.

    Args:
        forecast_fan: the frame of some days ago; what is over of it is drawn, and its last promise is told.
        timezone: of the dates that are told.
    """
    rows = forecast_fan[forecast_fan["finished"].notna()]
    if rows.empty:
        refused = forecast_fan["refused"].dropna()
        return nothing(f"No forecast then: {refused.iloc[0]}" if len(refused) else "None of it is over", forecast_fan)
    until: pd.Series[pd.Timestamp] = local(rows["until"], timezone)
    made_at: Any = until.iloc[0] - timedelta(days=1)
    last = rows.iloc[-1]
    promised, finished = int(last["p15_tasks"]), int(last["finished"])
    title = _title(day(made_at), promised, day(until.iloc[-1] - timedelta.resolution), finished)
    with sheet(2.8) as (figure, (axes,)):
        ends: list[Any] = [made_at, *until]
        fan_of(axes, ends, {name: [0, *rows[name].astype(int)] for name in shares(rows)})
        axes.plot(ends, [0, *rows["finished"].astype(int)], color=INK, linewidth=2)
        labels = [End(finished, f"{finished:,} finished", INK)]
        if promised:
            axes.plot(ends[-1:], [promised], marker="o", color=LABEL[GREEN], markersize=6, zorder=7)
            labels = [End(promised, f"{promised:,} promised", GREEN), *labels]
        axes.set_ylim(0, 1.1 * max(1, finished, int(last["p95_tasks"])))
        whole_numbers(axes)
        dates(axes)
        end_labels(axes, labels)
    names = {name: f"at least so many, {sure}" for name, sure in shares(rows).items()}
    data = rows[["until", "finished", *names]].assign(until=until).rename(columns=names).reset_index(drop=True)
    notes = sentences(
        "Promised: with 85 % confidence" if promised else "",
        "A task counts when it was first finished",
        "Shaded: 70 % of the futures that were simulated then, around them 90 %, dashed the middle",
    )
    return Picture(figure, title, f"{title}. The fan of then, and a line for what was finished.", data, notes)


def _title(made_on: str, promised: int, until: str, finished: int) -> str:
    """What was promised, and whether that held."""
    were = f"{count(finished, 'task')} {'was' if finished == 1 else 'were'} finished"
    if not promised:
        return f"Nothing was promised on {made_on}; by {until} {were}"
    held = "held" if finished >= promised else "did not hold"
    return f"The promise of {made_on} {held}: at least {count(promised, 'task')} by {until}; {were}"
