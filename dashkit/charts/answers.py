"""Tables of what happened, what is promised, and what blocked most."""

from typing import TYPE_CHECKING, Any, Final

from dashkit.charts.drawing import in_words, tuples
from dashkit.charts.tables import Table, activity_table
from dashkit.charts.words import count, duration, percent, sentences, short

if TYPE_CHECKING:
    import pandas as pd

_CAUSES: Final = {"reported": "blocked", "waiting": "waiting"}
_NONE: Final = "none is over yet"
_REASON: Final = 60  # columns
_LEAST: Final = 0.05  # days: of what was looked at first a moment ago nobody knows how long it has lasted


def headlines_table(headlines: "pd.DataFrame", activity: "pd.DataFrame", timezone: str = "UTC") -> Table:
    """What matters of the last seven days, the gravest first; where nothing happened in them, the latest before.

    Args:
        headlines: the frame.
        activity: the frame `activity`, short.
        timezone: of the times that are told.
    """
    if headlines.empty:
        before = activity_table(activity, timezone)
        if activity.empty:
            return before
        return Table("Nothing happened in the last seven days; the latest before:", before.data)
    shown = headlines.assign(occurred_at=in_words(headlines["occurred_at"], timezone))
    words = {"title": "what", "detail": "which", "occurred_at": "when"}
    return Table("In the last seven days, the gravest first:", shown[list(words)].rename(columns=words))


def forecast_table(forecast: "pd.DataFrame", least: float = 0.0) -> Table:
    """What is promised, how sure that is, and how the same promises ended before, all text.

    The title says how the surest ones ended, or why there are none.

    Args:
        forecast: the frame.
        least: leave out promises of less confidence (0..1).
    """
    import pandas as pd

    kept = forecast[forecast["confidence"] >= least]
    if kept.empty or kept["refused"].notna().all():
        return Table(str(kept["sentence"].iloc[0]) if len(kept) else "No forecast.", forecast.iloc[:0])
    rows = [_promise(row) for row in tuples(kept)]
    apart = sorted(int(row.independent) for row in tuples(kept) if row.made)
    note = ""
    if any(row.independent < row.made for row in tuples(kept)):
        alone = f"{apart[0]:,} to {apart[-1]:,}" if apart[0] < apart[-1] else f"{apart[0]:,}"
        do = "does" if apart[-1] == 1 else "do"
        note = f"Past promises overlap in time: of those behind each share only {alone} {do} not"
    return Table(_kept(tuples(kept)[0]), pd.DataFrame(rows), note=sentences(note))


def _promise(row: Any) -> dict[str, str]:
    """One promise: how sure it is, what it says, and what became of such ones."""
    made, held = int(row.made), int(row.held)
    return {
        "how sure": _sure(row),
        "promise": str(row.sentence).partition(": ")[2].partition(". ")[0].rstrip("."),
        "such promises of the last 60 days": f"{held:,} of {made:,} held ({percent(held, made)})" if made else _NONE,
    }


def _sure(row: Any) -> str:
    return f"{100 * row.confidence:.0f} %"


def _kept(row: Any) -> str:
    """How the promises ended that were as sure as this one."""
    if not row.made:
        return f"No promise that was {_sure(row)} sure is over yet."
    made = int(row.made)
    were = f"that {'was' if made == 1 else 'were'} {_sure(row)} sure"
    return f"{int(row.held):,} of {count(made, 'promise')} {were} held in the last 60 days."


def clusters_table(clusters: "pd.DataFrame", most: int = 5) -> Table:
    """What blocked most over all, by the days that it cost, all text.

    Args:
        clusters: the frame `blocker_clusters`; the reported blocks and the waiting tasks are told together, the most
            days first; those of hardly any time are left out.
        most: at most so many rows.
    """
    rows = clusters[clusters["days"] >= _LEAST].sort_values("days", ascending=False, kind="stable")
    if rows.empty:
        return Table("", clusters.iloc[:0])
    rows = rows.reset_index(drop=True)
    shown = rows[["reason", "tasks"]].assign(reason=rows["reason"].fillna("not given"))
    if len(set(rows["cause"].head(most))) > 1:
        shown.insert(1, "cause", rows["cause"].map(_CAUSES))
    still = [f"{int(number):,}" if number else "" for number in rows["blocked"]]
    shown["time in all"] = [duration(float(days)) for days in rows["days"]]
    if any(still):
        shown["still stops"] = still
    first = rows.iloc[0]
    cost = f"{count(int(first['tasks']), 'task')}, {duration(float(first['days']))} in all"
    share = "Most" if len(rows) > 1 else "All the"
    title = f"{share} time since the beginning went to: {short(first['reason'], 'no reason given', _REASON)} ({cost})"
    return Table(title, shown.head(most), max(0, len(shown) - most))
