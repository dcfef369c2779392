"""Am I on track: why the date of a forecast is not what it was."""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from math import isnan
from typing import TYPE_CHECKING, Final

from dashkit import montecarlo, times
from dashkit.frames.activity import lately
from dashkit.frames.forecast import day, finishes, refused, require_tasks, seed, tasks_in_words, typed

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

PARTS: Final = ("finished", "scope", "reopened", "speed")

_UTC = "datetime64[us, UTC]"
_MOVED = {
    "part": "string",
    "tasks": "Int64",
    "change": "Int64",
    "to_finish": "Int64",
    "moved_days": "Float64",
    "before": _UTC,
    "after": _UTC,
    "sentence": "string",
}


def what_moved(
    dashboard: "Dashboard", since: datetime | str | None = None, tasks: int | None = None, confidence: float = 0.85
) -> "pd.DataFrame":
    """Why the date of a forecast is not what it was: what each cause did to it, in parts that add up.

    By the first date the forecast of `since` has as many tasks finished as were open then; by the last one the forecast
    of as_of has as many finished as are open now. (As many, not these: most of what is finished next is not there yet.)
    Where the first date is too far to be seen ahead, both are about the next tasks alone, as many as were promised for
    the 28 days after `since`. Each cause begins with the date that the one before left. There is no date where nothing
    was open at `since`, and where nothing is left, but fewer are known to have been finished than were open.

    Columns:
        part (string): `finished` (while the time passed), `scope` (tasks that came, less those that left unfinished),
            `reopened` (tasks that were done then), `speed` (the pace of now in place of that of then).
        tasks (Int64, tasks): how many tasks the first date is about: those that were open at `since`, or the next ones.
        change (Int64, tasks): what the part did to the number of tasks to be finished; missing for speed, and for
            scope where the dates are about the next tasks alone.
        to_finish (Int64, tasks): how many tasks the date `after` is about: `tasks` and the changes so far, never
            below 0.
        moved_days (Float64, days): what the part did to the date, later above zero; missing where there is no date.
        before (datetime64[us, UTC]): the date that the part found; missing where there is no date.
        after (datetime64[us, UTC]): the date that the part left; where to_finish is 0, the instant at which so many
            tasks as the first date is about had been finished; missing where there is no date.
        sentence (string): all of it in words; where there is no date, why.

    Sorted by: the order in which the parts add up.

    Args:
        dashboard: where from.
        since: the instant of the first forecast: aware, or ISO 8601 text (without an offset UTC); None: when the
            last seven days began, as for headlines.
        tasks: the dates are about the next so many tasks, and what came since is no part of them. None: about as
            many as were open at `since`.
        confidence: the share of such promises that hold (0..1).

    Raises:
        UsageError: since is no instant, or not before as_of; tasks is below 1; confidence is not between 0 and 1.
        OutdatedError: the database is before version 2.1, and keeps no history.
    """
    dashboard.require_history("what_moved")
    moment = times.require(since, "tell what moved since") if since else lately(dashboard)
    if moment >= dashboard.as_of:
        raise refused(f"what moved since {since or moment!s:.80}", "it is not before as_of", "Give an earlier instant.")
    if not 0 < confidence < 1:
        raise refused(f"a date with confidence {confidence}", "a share lies between 0 and 1", "Give one such as 0.85.")
    require_tasks(tasks)
    (counted,) = dashboard.query("what_moved", since=times.to_text(moment)).to_dict("records")
    finished = finishes(dashboard)
    changes, left, dates, why = _steps(dashboard, moment, counted, finished, tasks, confidence)
    is_ahead = min(left[0], left[-1]) > 0
    if why and is_ahead and tasks is None and (tasks := _expected(dashboard, moment, finished) or None):
        changes, left, dates, why = _steps(dashboard, moment, counted, finished, tasks, confidence)
    rows = []
    for part, to_finish, before, after in zip(PARTS, [*left[1:], left[-1]], dates, dates[1:], strict=False):
        moved = None if before is None or after is None else (after - before) / timedelta(days=1)
        words = why or _moved(part, changes[part], tasks, counted["open"], moved or 0.0)
        told = {"part": part, "tasks": left[0], "change": changes[part], "to_finish": max(0, to_finish)}
        rows.append({**told, "moved_days": moved, "before": before, "after": after, "sentence": words})
    return typed(rows, _MOVED)


def _expected(dashboard: "Dashboard", since: datetime, finished: list[datetime]) -> int:
    """How many tasks an instant promised for the 28 days behind it, with the surer confidence; 0: none."""
    past = montecarlo.history(finished, since)
    ahead = montecarlo.HowMany(min(28, max(1, len(past.counts))))
    found = montecarlo.forecast(finished, since, ahead, seed=seed(dashboard, since))
    return min((promise.at_least for promise in found.promises), default=0)


def _steps(
    dashboard: "Dashboard",
    since: datetime,
    counted: Mapping[Hashable, int],
    finished: list[datetime],
    tasks: int | None,
    confidence: float,
) -> tuple[dict[str, int | None], list[int], list[datetime | None], str]:
    """What each part did to the number of tasks; the numbers and the dates around the parts; why there is no date."""
    done = min(counted["finished"], tasks) if tasks else counted["finished"]
    reopened = 0 if tasks and done == tasks else counted["reopened"]
    changes = {"finished": -done, "scope": None if tasks else counted["scope"], "reopened": reopened, "speed": None}
    left = list(accumulate((changes[part] or 0 for part in PARTS[:-1]), initial=tasks or counted["open"]))
    return (changes, left, *_dates(dashboard, since, left, finished, confidence))


def _dates(
    dashboard: "Dashboard", since: datetime, left: list[int], finished: list[datetime], confidence: float
) -> tuple[list[datetime | None], str]:
    """The date of then, the dates after each change of the number, and the date of now; or why there are none."""
    now = dashboard.as_of
    nothing: list[datetime | None] = [None] * (len(left) + 1)
    if not left[0]:
        return nothing, f"Nothing was open on {day(dashboard, since)}, so there was no date that could move."
    pasts = {at: montecarlo.history(finished, at) for at in (since, now)}
    for at, past in pasts.items():
        if why := montecarlo.refusal(past, montecarlo.WhenNext(1)):
            return nothing, f"No date on {day(dashboard, at)}: {why}."
    done = sorted(instant for instant in finished if since < instant <= now)
    if left[-1] <= 0 and len(done) < left[0]:
        known = (
            f"fewer than {tasks_in_words(left[0])} {'is' if left[0] == 1 else 'are'} known to have been finished since"
        )
        return nothing, f"No date on {day(dashboard, now)}: nothing is left to be finished, and {known}."

    @cache
    def date_of(known_at: datetime, asked_at: datetime, tasks: int) -> datetime | None:
        if tasks <= 0 and left[0] <= len(done):
            return done[left[0] - 1]
        days = montecarlo.days_until(pasts[known_at], tasks, confidence, seed(dashboard, asked_at))
        return None if isnan(days) else asked_at + timedelta(days=days)

    for at, end in ((since, date_of(since, since, left[0])), (now, date_of(now, now, left[-1]))):
        limit = min(montecarlo.LIMIT_DAYS, len(pasts[at].counts))
        if end is None or end > at + timedelta(days=limit):
            return nothing, f"No date on {day(dashboard, at)}: it would be more than {limit} days ahead."
    between = [date_of(since, now, tasks) for tasks in left[1:]]
    return [date_of(since, since, left[0]), *between, date_of(now, now, left[-1])], ""


def _moved(part: str, change: int | None, tasks: int | None, was_open: int, days: float) -> str:
    """What a part did, in words."""
    if part == "scope" and tasks:
        return f"What came and went since is no part of the next {tasks_in_words(tasks)}."
    done = -(change or 0)
    what = {
        "finished": f"{done:,} of the next {tasks_in_words(tasks)} finished"
        if tasks
        else f"{tasks_in_words(done)} finished; {was_open:,} {'was' if was_open == 1 else 'were'} open",
        "scope": f"{tasks_in_words(abs(change or 0))} {'less' if (change or 0) < 0 else 'more'} to do",
        "reopened": f"{tasks_in_words(change or 0)} reopened",
        "speed": "The pace of now",
    }[part]
    size = f"{abs(days):,.1f} days"
    return f"{what}: {'the date stays' if size == '0.0 days' else f'{size} later' if days > 0 else f'{size} earlier'}."
