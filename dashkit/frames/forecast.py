"""Am I on track: how many by a date, when for the next few, and what moved that date."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from math import isnan
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from dashkit import montecarlo, times
from dashkit.errors import UsageError
from dashkit.frames.activity import lately

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

DAYS: Final = 14  # how far a forecast looks where nobody says
TASKS: Final = 10
FARTHEST: Final = 1000  # days: so long a history is looked at, and no forecast reaches further than its history
QUANTILES: Final = (0.05, 0.15, 0.5, 0.85, 0.95)
PARTS: Final = ("finished", "scope", "reopened", "speed")

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
_MOVED = {
    "part": "string",
    "tasks": "Int64",
    "change": "Int64",
    "moved_days": "Float64",
    "before": _UTC,
    "after": _UTC,
    "sentence": "string",
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
    finished, now = _finished(dashboard), dashboard.as_of
    work = _work(dashboard, now) if arrivals else None
    rows: list[dict[str, Any]] = []
    for question in _questions(dashboard, until, tasks):
        found = montecarlo.forecast(finished, now, question, seed=_seed(dashboard, now), work=work)
        rows += _answers(dashboard, question, found, arrivals=arrivals)
    return _frame(rows, _FORECAST)


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
        raise _refused(f"the forecast of {days_ago} days ago", why, f"Give 0 to {FARTHEST:,} days.")
    made_at, finished = times.before(dashboard.as_of, timedelta(days=days_ago)), _finished(dashboard)
    past = montecarlo.history(finished, made_at)
    if why := montecarlo.refusal(past, montecarlo.HowMany(1)):
        return _frame([{"refused": why}], _FAN)
    work = _work(dashboard, made_at) if arrivals else None
    found = montecarlo.fan(past, QUANTILES, _seed(dashboard, made_at), work)
    done = montecarlo.history(finished, dashboard.as_of)
    rows = []
    for days, tasks in enumerate(found, 1):
        until = made_at + timedelta(days=days)
        counted = done.between(made_at, until) if until <= dashboard.as_of else None
        rows.append(dict(zip(_FAN, [days, until, *map(int, tasks), counted, None], strict=True)))
    return _frame(rows, _FAN)


def what_moved(
    dashboard: "Dashboard", since: datetime | str | None = None, tasks: int | None = None, confidence: float = 0.85
) -> "pd.DataFrame":
    """Why the date of a forecast is not what it was: what each cause did to it, in parts that add up.

    The forecast of then says when as many tasks as were open are finished, and the one of now says it of what is left
    of so many, with what came and went since. (So many, not these: most of what is finished next is not there yet.)
    Where so many would be more than can be seen ahead, it is of the next so many that were promised for 28 days then.
    The causes come in one after the other, in the order of the rows: each begins with the date that the one before
    left, the first with the date of then, and the last one leaves the date of now.

    Columns:
        part (string): `finished` (while the time passed), `scope` (tasks that came, less those that left unfinished),
            `reopened` (tasks that were done then), `speed` (the pace of now in place of that of then).
        tasks (Int64, tasks): of how many tasks the dates are.
        change (Int64, tasks): what it did to the number of tasks to be finished; missing for speed, and for scope
            where it is of the next so many, of which it is no part.
        moved_days (Float64, days): what it did to the date, later above zero; missing where there is no date.
        before (datetime64[us, UTC]): the date that it found; missing likewise.
        after (datetime64[us, UTC]): the date that it left; where nothing is left to be done, the instant at which the
            last of so many was; missing likewise.
        sentence (string): all of it in words; where there is no date, why.

    Sorted by: the order in which the parts add up.

    Args:
        dashboard: where from.
        since: the instant of the first forecast: aware, or ISO 8601 text (without an offset UTC); None: when the
            last seven days began, as for headlines.
        tasks: the next so many, whatever came since: it is no part of them. None: as many as were open at `since`.
        confidence: the share of such promises that hold (0..1).

    Raises:
        UsageError: since is no instant, or not before as_of; tasks is below 1; confidence is not between 0 and 1.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("what_moved")
    moment = times.require(since, "tell what moved since") if since else lately(dashboard)
    if moment >= dashboard.as_of:
        raise _refused(
            f"what moved since {since or moment!s:.80}", "it is not before as_of", "Give an earlier instant."
        )
    if not 0 < confidence < 1:
        raise _refused(f"a date with confidence {confidence}", "a share lies between 0 and 1", "Give one such as 0.85.")
    _require(tasks)
    (counted,) = dashboard.query("what_moved", since=times.to_text(moment)).to_dict("records")
    finished = _finished(dashboard)
    changes, dates, why = _steps(dashboard, moment, counted, finished, tasks, confidence)
    if why and tasks is None and (tasks := _expected(dashboard, moment, finished) or None):
        changes, dates, why = _steps(dashboard, moment, counted, finished, tasks, confidence)
    rows = []
    for part, before, after in zip(PARTS, dates, dates[1:], strict=False):
        moved = None if before is None or after is None else (after - before) / timedelta(days=1)
        words = why or _moved(part, changes[part], tasks, counted["open"], moved or 0.0)
        told = {"part": part, "tasks": tasks or counted["open"], "change": changes[part], "moved_days": moved}
        rows.append({**told, "before": before, "after": after, "sentence": words})
    return _frame(rows, _MOVED)


def _questions(
    dashboard: "Dashboard", until: datetime | date | str | None, tasks: int | None
) -> Iterator[montecarlo.Question]:
    """How many, and when: what is asked for, or both."""
    _require(tasks)
    if until is not None:
        ahead = (_end(dashboard, until) - dashboard.as_of) / timedelta(days=1)
        if ahead <= 0:
            raise _refused(f"how many by {until!s:.80}", "it is not after as_of", "Give a later day or instant.")
        if ahead > FARTHEST:
            why = f"it is more than {FARTHEST:,} days ahead, and no history is looked at for longer"
            raise _refused(f"how many by {until!s:.80}", why, "Give an earlier day or instant.")
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
        last = _day(dashboard, promise.by - timedelta.resolution)  # of midnight, the day that it ends
        yield f"{sure}: at least {count} by {last}{nothing}."
    if arrivals:
        yield "No more is counted than is open or arrives."
    made, held, days = promise.score.made, promise.score.held, montecarlo.SCORED_DAYS
    if made:
        promises = "promise" if made == 1 else "promises"
        yield f"Of {made:,} such {promises} of the last {days} days {held:,} held ({_percent(held, made)} %)."
    else:
        yield f"There is no such promise of the last {days} days that is over."


def _tasks(count: int) -> str:
    return f"{count:,} {'task' if count == 1 else 'tasks'}"


def _percent(part: int, whole: int) -> int:
    """Whole percents, of which 100 are all and 0 none."""
    return min(99, max(1, round(100 * part / whole))) if 0 < part < whole else 100 * part // whole


def _expected(dashboard: "Dashboard", since: datetime, finished: list[datetime]) -> int:
    """How many tasks an instant promised for the 28 days behind it, with the surer confidence; 0: none."""
    past = montecarlo.history(finished, since)
    ahead = montecarlo.HowMany(min(28, max(1, len(past.counts))))
    found = montecarlo.forecast(finished, since, ahead, seed=_seed(dashboard, since))
    return min((promise.at_least for promise in found.promises), default=0)


def _steps(
    dashboard: "Dashboard",
    since: datetime,
    counted: Mapping[Hashable, int],
    finished: list[datetime],
    tasks: int | None,
    confidence: float,
) -> tuple[dict[str, int | None], list[datetime | None], str]:
    """What each part did to the number of tasks, the dates around the parts, and why there are none."""
    done = min(counted["finished"], tasks) if tasks else counted["finished"]
    reopened = 0 if tasks and done == tasks else counted["reopened"]
    changes = {"finished": -done, "scope": None if tasks else counted["scope"], "reopened": reopened, "speed": None}
    left = [tasks or counted["open"]]
    for part in PARTS[:-1]:
        left.append(left[-1] + (changes[part] or 0))
    return (changes, *_dates(dashboard, since, left, finished, confidence))


def _dates(
    dashboard: "Dashboard", since: datetime, left: list[int], finished: list[datetime], confidence: float
) -> tuple[list[datetime | None], str]:
    """The date of then, the dates after each change of the number, and the date of now; or why there are none."""
    pasts = {at: montecarlo.history(finished, at) for at in (since, dashboard.as_of)}
    nothing: list[datetime | None] = [None] * (len(left) + 1)
    for at, past in pasts.items():
        if why := montecarlo.refusal(past, montecarlo.WhenNext(1)):
            return nothing, f"No date on {_day(dashboard, at)}: {why}."
    done = sorted(instant for instant in finished if since < instant <= dashboard.as_of)

    @cache
    def date_of(known_at: datetime, asked_at: datetime, tasks: int) -> datetime | None:
        if tasks <= 0 and 0 < left[0] <= len(done):
            return done[left[0] - 1]
        days = montecarlo.days_until(pasts[known_at], tasks, confidence, _seed(dashboard, asked_at))
        return None if isnan(days) else asked_at + timedelta(days=days)

    now = dashboard.as_of
    for at, end in ((since, date_of(since, since, left[0])), (now, date_of(now, now, left[-1]))):
        limit = min(montecarlo.LIMIT_DAYS, len(pasts[at].counts))
        if end is None or end > at + timedelta(days=limit):
            return nothing, f"No date on {_day(dashboard, at)}: it would be more than {limit} days ahead."
    between = [date_of(since, now, tasks) for tasks in left[1:]]
    return [date_of(since, since, left[0]), *between, date_of(now, now, left[-1])], ""


def _moved(part: str, change: int | None, tasks: int | None, was_open: int, days: float) -> str:
    """What a part did, in words."""
    if part == "scope" and tasks:
        return f"What came and went since is no part of the next {_tasks(tasks)}."
    done = -(change or 0)
    what = {
        "finished": f"{done:,} of the next {_tasks(tasks)} finished"
        if tasks
        else f"{_tasks(done)} finished; {was_open:,} {'was' if was_open == 1 else 'were'} open",
        "scope": f"{_tasks(abs(change or 0))} {'less' if (change or 0) < 0 else 'more'} to do",
        "reopened": f"{_tasks(change or 0)} reopened",
        "speed": "The pace of now",
    }[part]
    size = f"{abs(days):,.1f} days"
    return f"{what}: {'the date stays' if size == '0.0 days' else f'{size} later' if days > 0 else f'{size} earlier'}."


def _finished(dashboard: "Dashboard") -> list[datetime]:
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


def _day(dashboard: "Dashboard", instant: datetime) -> str:
    with suppress(OverflowError):  # in the zone it would be before the first day that there is
        instant = instant.astimezone(ZoneInfo(dashboard.timezone))
    return f"{instant.day} {instant:%B %Y}"


def _seed(dashboard: "Dashboard", as_of: datetime) -> str:
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


def _require(tasks: int | None) -> None:
    if tasks is not None and tasks < 1:
        raise _refused(f"when {tasks} tasks are done", "that is nothing to ask for", "Ask for 1 or more.")


def _refused(what: str, why: str, do: str) -> UsageError:
    return UsageError(f"Cannot tell {what}", why, do)


def _frame(rows: list[dict[str, Any]], dtypes: dict[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({name: pd.array([row.get(name) for row in rows], dtype=kind) for name, kind in dtypes.items()})
