"""Am I on track: how many by a date, and when for the next few."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from dashkit import montecarlo, times
from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

DAYS: Final = 14  # how far a forecast looks where nobody says
TASKS: Final = 10
FARTHEST: Final = 1000  # days: so long a history is looked at, and no forecast reaches further than its history
QUANTILES: Final = (0.05, 0.15, 0.5, 0.85, 0.95)

_UTC = "datetime64[us, UTC]"
_FORECAST = {
    "question": "string",
    "confidence": "Float64",
    "at_least": "Int64",
    "until": _UTC,
    "made": "Int64",
    "held": "Int64",
    "independent": "Int64",
    "refused": "string",
    "sentence": "string",
}
_FAN = {
    "days": "Int64",
    "until": _UTC,
    **{f"p{round(100 * share):02}_tasks": "Int64" for share in QUANTILES},
    "finished": "Int64",
    "refused": "string",
}


def forecast(
    dashboard: "Dashboard", until: datetime | date | str | None = None, tasks: int | None = None, arrivals: bool = False
) -> "pd.DataFrame":
    """How many tasks will be finished by a date, and when the next few are: with 85 and with 50 percent confidence.

    A promise is "at least": of a hundred such promises so many shall hold as the confidence says. How the same
    promises of the last 60 days ended, each made from what was known on its day, stands beside it; docs/forecast.md
    says what the method held elsewhere. There is no date for all that is open: of what is finished next, most is not
    there yet. A task counts when it was first finished.

    Columns:
        question (string): `how_many` are done by a date, or `when` so many are.
        confidence (Float64, 0..1): the stated share of such promises that hold.
        at_least (Int64, tasks): the tasks promised (0 says nothing), or asked for; missing where refused.
        until (datetime64[us, UTC]): by when; missing where refused, and where there is no date.
        made (Int64, promises): such promises of the last 60 days that said something and are over.
        held (Int64, promises): those of them that came true.
        independent (Int64, promises): how many of them do not overlap in time: what the share can be trusted by.
        refused (string): why there is no forecast; missing where there is one.
        sentence (string): all of it in words.

    Sorted by: question, confidence (the surest first).

    Args:
        dashboard: where from.
        until: how many by then? An instant, or a day (`2026-01-31`: to its end, in the dashboard's time zone).
        tasks: when are so many more done? With neither: within 14 days, and the next 10.
        arrivals: no more is finished than is open or arrives, at the pace of the arrivals; else work never ends.

    Raises:
        UsageError: until is no instant, not after as_of, or more than 1,000 days ahead; tasks is below 1.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("forecast")
    finished, now = finishes(dashboard), dashboard.as_of
    work = _work(dashboard, now) if arrivals else None
    rows: list[dict[str, Any]] = []
    for question in _questions(dashboard, until, tasks):
        found = montecarlo.forecast(finished, now, question, seed=seed(dashboard, now), work=work)
        rows += _answers(dashboard, question, found, arrivals=arrivals)
    return typed(rows, _FORECAST)


def forecast_fan(dashboard: "Dashboard", arrivals: bool = False, days_ago: int = 0) -> "pd.DataFrame":
    """How many more tasks are finished by each of the coming days, in the futures that forecast simulates.

    To 56 days ahead, and no further than the history is long. What forecast promises for a day "at least", with 85
    percent confidence, is p15_tasks of that day: in 15 percent of the futures it is no more. (Each day has futures of
    its own; where one came out lower than the day before by chance, it has the number of that.) A fan of some days ago
    is made from what had happened by then, as it is known now; beside it stands what came of it.

    Columns:
        days (Int64, days): how many days of 24 hours after the instant that it is made from; missing where refused.
        until (datetime64[us, UTC]): the instant at which they end; likewise.
        p05_tasks (Int64, tasks): in 5 percent of the futures at most so many are finished until then; likewise.
        p15_tasks (Int64, tasks): in 15 percent of them; likewise.
        p50_tasks (Int64, tasks): in half of them; likewise.
        p85_tasks (Int64, tasks): in 85 percent of them; likewise.
        p95_tasks (Int64, tasks): in 95 percent of them; likewise.
        finished (Int64, tasks): how many were finished until then; missing where it is not over.
        refused (string): why there is no forecast, in the one row that there is then; missing where there is one.

    Sorted by: days.

    Args:
        dashboard: where from.
        arrivals: no more is finished than is open or arrives, as in forecast.
        days_ago: made from what had happened so many days of 24 hours before as_of (0..1000).

    Raises:
        UsageError: days_ago is below 0, or more than 1,000.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("forecast_fan")
    if not 0 <= days_ago <= FARTHEST:
        why = f"no history is looked at for longer than {FARTHEST:,} days, and none of later"
        raise refused(f"the forecast of {days_ago} days ago", why, f"Give 0 to {FARTHEST:,} days.")
    made_at, finished = times.before(dashboard.as_of, timedelta(days=days_ago)), finishes(dashboard)
    past = montecarlo.history(finished, made_at)
    if why := montecarlo.refusal(past, montecarlo.HowMany(1)):
        return typed([{"refused": why}], _FAN)
    work = _work(dashboard, made_at) if arrivals else None
    found = montecarlo.fan(past, QUANTILES, seed(dashboard, made_at), work)
    done = montecarlo.history(finished, dashboard.as_of)
    rows = []
    for days, tasks in enumerate(found, 1):
        until = made_at + timedelta(days=days)
        counted = done.between(made_at, until) if until <= dashboard.as_of else None
        rows.append(dict(zip(_FAN, [days, until, *map(int, tasks), counted, None], strict=True)))
    return typed(rows, _FAN)


def _questions(
    dashboard: "Dashboard", until: datetime | date | str | None, tasks: int | None
) -> Iterator[montecarlo.Question]:
    """How many, and when: what is asked for, or both."""
    require_tasks(tasks)
    if until is not None:
        ahead = (_end(dashboard, until) - dashboard.as_of) / timedelta(days=1)
        if ahead <= 0:
            raise refused(f"how many by {until!s:.80}", "it is not after as_of", "Give a later day or instant.")
        if ahead > FARTHEST:
            why = f"it is more than {FARTHEST:,} days ahead, and no history is looked at for longer"
            raise refused(f"how many by {until!s:.80}", why, "Give an earlier day or instant.")
        yield montecarlo.HowMany(ahead)
    elif tasks is None:
        yield montecarlo.HowMany(DAYS)
    if tasks is not None or until is None:
        yield montecarlo.WhenNext(tasks or TASKS)


def _answers(
    dashboard: "Dashboard", question: montecarlo.Question, found: montecarlo.Forecast, *, arrivals: bool
) -> Iterator[dict[str, Any]]:
    asked = "when" if isinstance(question, montecarlo.WhenNext) else "how_many"
    for confidence in montecarlo.CONFIDENCES if found.refused else ():
        words = f"No forecast: {found.refused}."
        yield {"question": asked, "confidence": confidence, "refused": found.refused, "sentence": words}
    for promise in found.promises:
        yield {
            "question": asked,
            "confidence": promise.confidence,
            "at_least": promise.at_least,
            "until": promise.by,
            "made": promise.score.made,
            "held": promise.score.held,
            "independent": promise.score.independent,
            "sentence": " ".join(_sentences(dashboard, promise, arrivals=arrivals)),
        }


def _sentences(dashboard: "Dashboard", promise: montecarlo.Promise, *, arrivals: bool) -> Iterator[str]:
    sure = f"{round(100 * promise.confidence)} %"
    count = f"{promise.at_least:,} more {'task' if promise.at_least == 1 else 'tasks'}"
    if promise.by is None:
        yield f"{sure}: no date for {count} in the {montecarlo.LIMIT_DAYS} days that can be seen ahead."
    else:
        nothing = "" if promise.at_least else ", which says nothing"
        last = day(dashboard, promise.by - timedelta.resolution)  # of midnight, the day that it ends
        yield f"{sure}: at least {count} by {last}{nothing}."
    if arrivals:
        yield "No more is counted than is open or arrives."
    made, held, days = promise.score.made, promise.score.held, montecarlo.SCORED_DAYS
    if made:
        promises = "promise" if made == 1 else "promises"
        yield f"Of {made:,} such {promises} of the last {days} days {held:,} held ({_percent(held, made)} %)."
    else:
        yield f"There is no such promise of the last {days} days that is over."


def tasks_in_words(count: int) -> str:
    """How many tasks: `1 task`, `2,000 tasks`."""
    return f"{count:,} {'task' if count == 1 else 'tasks'}"


def _percent(part: int, whole: int) -> int:
    """Whole percents, of which 100 are all and 0 none."""
    return min(99, max(1, round(100 * part / whole))) if 0 < part < whole else 100 * part // whole


def finishes(dashboard: "Dashboard") -> list[datetime]:
    """When tasks were first finished."""
    return _instants(dashboard.query("forecast_fan")["occurred_at"])


def _work(dashboard: "Dashboard", as_of: datetime) -> montecarlo.Work:
    """What there was to finish until an instant."""
    seen = dashboard.query("forecast").groupby("kind")["occurred_at"].agg(_instants)
    arrived, left = (montecarlo.history(seen.get(kind, []), as_of) for kind in ("arrived", "left"))
    return montecarlo.Work(arrived, left)


def _instants(column: "pd.Series[pd.Timestamp]") -> list[datetime]:
    """As Python's own, which tell their seconds many times faster."""
    return list(column.array.to_pydatetime())


def day(dashboard: "Dashboard", instant: datetime) -> str:
    """The day that an instant is in, in the dashboard's time zone: `3 January 2026`."""
    with suppress(OverflowError):  # in the zone it would be before the first day that there is
        instant = instant.astimezone(ZoneInfo(dashboard.timezone))
    return f"{instant.day} {instant:%B %Y}"


def seed(dashboard: "Dashboard", as_of: datetime) -> str:
    """What the simulated futures of an instant depend on, so that they are the same each time."""
    return f"project {dashboard.project}, {times.to_text(as_of)}"


def _end(dashboard: "Dashboard", until: datetime | date | str) -> datetime:
    """The instant that is meant: of a day its end."""
    with suppress(ValueError):  # no day: an instant
        until = date.fromisoformat(until) if isinstance(until, str) else until
    if isinstance(until, datetime | str):
        return times.require(until, "tell how many by")
    try:
        return times.midnight(until + timedelta(days=1), dashboard.timezone)
    except OverflowError:  # the first or last day that there is
        return datetime.combine(until, time.min, UTC)


def require_tasks(tasks: int | None) -> None:
    """Refuse a number of tasks that asks for nothing."""
    if tasks is not None and tasks < 1:
        raise refused(f"when {tasks} tasks are done", "that is nothing to ask for", "Ask for 1 or more.")


def refused(what: str, why: str, do: str) -> UsageError:
    """The error for a question that has no answer."""
    return UsageError(f"Cannot tell {what}", why, do)


def typed(rows: list[dict[str, Any]], dtypes: dict[str, Any]) -> "pd.DataFrame":
    """Rows as a frame of these columns; what a row lacks is missing."""
    import pandas as pd

    return pd.DataFrame({name: pd.array([row.get(name) for row in rows], dtype=kind) for name, kind in dtypes.items()})
