"""How many tasks by a date, and when the next n: simulated futures, and the score of the forecasts made before.

Drawing past days with replacement, as most tools do, states 85 % and holds 50 to 60: days come in bursts, and speed
changes. Here the rate is a discounted mean, bursts are clumps, and how far the speed may leave its mean is part of the
forecast. What was known at the end of each past day is computed for all days at once: a replay costs little more than
a forecast.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from dashkit.errors import UsageError
from dashkit.montecarlo.futures import (
    LIMIT_DAYS,
    HowMany,
    Question,
    Supply,
    WhenNext,
    Work,
    finishes,
    needs,
    promises,
    refusal,
    simulate,
)
from dashkit.montecarlo.past import DAY, History, Numbers, Places, history, pace

__all__ = [
    "CONFIDENCES",
    "LIMIT_DAYS",
    "SCORED_DAYS",
    "Forecast",
    "HowMany",
    "Promise",
    "Question",
    "Replay",
    "Score",
    "WhenNext",
    "Work",
    "days_until",
    "fan",
    "forecast",
    "history",
    "refusal",
    "replay",
    "score",
]  # fmt: skip

CONFIDENCES = (0.85, 0.5)
_RUNS = 2000  # simulated futures of a forecast
_REPLAY_RUNS = 200  # of each day that is replayed
SCORED_DAYS = 60  # the score is of the promises made in them
_FAR_DAYS = 40 * LIMIT_DAYS  # where a date is a step between two others


class Score(NamedTuple):
    """How earlier promises of the same kind ended: one a day, each from what was known on its day.

    Args:
        made: promises that said something and are over; `held`: those that came true.
        independent: how many of them do not overlap in time: what the share can be trusted by.
    """

    made: int
    held: int
    independent: int


class Promise(NamedTuple):
    """At least so many tasks until an instant.

    Args:
        confidence: the share of such promises that hold (0..1).
        at_least: tasks; 0 says nothing.
        by: the instant; None where the confidence is not reached within LIMIT_DAYS or the length of the history.
        score: of the promises made before.
    """

    confidence: float
    at_least: int
    by: datetime | None
    score: Score


class Forecast(NamedTuple):
    """The answer to one question.

    Args:
        refused: why there is none, a sentence; "" where there is one.
        promises: one for each confidence; none where refused.
    """

    refused: str
    promises: tuple[Promise, ...]


class Replay(NamedTuple):
    """The promises of past days that are over; one row each.

    Args:
        made_at: the instant of the promise, in seconds.
        days: how far it reached.
        at_least: the tasks promised.
        done: the tasks that were finished in that time.
    """

    made_at: Numbers
    days: Numbers
    at_least: Numbers
    done: Numbers


def replay(
    past: History,
    question: Question,
    seed: str,
    confidences: tuple[float, ...] = CONFIDENCES,
    work: Work | None = None,
    last_days: int | None = None,
) -> list[Replay]:
    """The promises that would have been made at the end of each past day, from what was known then, and are over.

    Args:
        past: the finishes.
        question: asked each day; days on which it would have been refused are left out.
        seed: any text: the same text, the same numbers.
        confidences: one Replay for each.
        work: where no more shall be finished than there is.
        last_days: only the promises of the last so many days.
    """
    rows = _asked(past, question)
    if last_days is not None:
        rows = rows[rows >= len(past.counts) - last_days]
    if not len(rows):
        return [Replay(*np.zeros((4, 0))) for _ in confidences]
    made_at = past.ends()[rows]
    promised = promises(past, work, question, rows, confidences, _REPLAY_RUNS, _source(seed))
    return [_over(past, made_at, days, at_least) for days, at_least in zip(*promised, strict=True)]


def _asked(past: History, question: Question) -> Places:
    """The days at whose end the question would have been answered."""
    if not len(past.counts):
        return np.zeros(0, dtype=np.int64)
    enough = np.logical_and.reduce([there for there, _ in needs(past)])
    if isinstance(question, HowMany):
        enough &= np.arange(1, len(past.counts) + 1) >= question.days
    return np.flatnonzero(enough)


def _over(past: History, made_at: Numbers, days: Numbers, at_least: Numbers) -> Replay:
    """The promises that are over at the end of the past, and how they ended."""
    over = made_at + days * DAY <= past.as_of  # never where there is no date
    made, due = made_at[over], (made_at + days * DAY)[over]
    done = past.known(due) - past.known(made)
    return Replay(made, days[over], at_least[over], done.astype(np.float64))


def score(replayed: Replay) -> Score:
    """How the promises ended; those of "at least 0" are none."""
    says = replayed.at_least > 0
    made, days = replayed.made_at[says], replayed.days[says]
    independent, free = 0, -np.inf
    for begin, length in zip(made, days, strict=True):
        if begin >= free:
            independent, free = independent + 1, begin + length * DAY
    return Score(len(made), int((replayed.done >= replayed.at_least)[says].sum()), independent)


def _source(seed: str) -> np.random.Generator:
    """A generator that depends on the text alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()))


def _check(question: Question) -> None:
    """Refuse a question that is none."""
    asked = question[0]
    if not 0 < asked < np.inf:
        unit = "days" if isinstance(question, HowMany) else "tasks"
        raise UsageError(
            "Cannot forecast", f"{asked} {unit} ahead is nothing to ask for", f"Ask for more than 0 {unit}."
        )


def forecast(
    finished: Iterable[datetime],
    as_of: datetime,
    question: Question,
    *,
    seed: str,
    work: Work | None = None,
) -> Forecast:
    """Answer a question with each of CONFIDENCES, and say how earlier answers ended.

    Args:
        finished: the instant at which each finished task was finished; aware.
        as_of: what comes later is not seen.
        question: HowMany(days) or WhenNext(tasks).
        seed: any text, as project and as_of: the same text, the same numbers.
        work: when tasks arrived, finished or not, and left. Where it is given, no more is finished than was open or
            arrives, at the pace of the arrivals.

    Raises:
        UsageError: the question asks for no time or no task.
    """
    _check(question)
    past = history(finished, as_of)
    if why := refusal(past, question):
        return Forecast(why, ())
    today = np.array([len(past.counts) - 1])
    promised = promises(past, work, question, today, CONFIDENCES, _RUNS, _source(seed))
    earlier = replay(past, question, seed, work=work, last_days=SCORED_DAYS)
    found = []
    for confidence, days, at_least, each in zip(CONFIDENCES, *promised, earlier, strict=True):
        by = None if np.isnan(days[0]) else as_of + timedelta(days=float(days[0]))
        found.append(Promise(confidence, int(at_least[0]), by, score(each)))
    return Forecast("", tuple(found))


def days_until(past: History, tasks: int, confidence: float, seed: str) -> float:
    """How many days behind the end of a past so many more tasks are done: what `forecast` says, and beyond its limits.

    Args:
        past: the finishes, at least 7 days.
        tasks: how many; 0 days where there is none.
        confidence: the share of such promises that hold (0..1).
        seed: as for `forecast`.

    Returns:
        Days; nan where the confidence is not reached within 40 times LIMIT_DAYS.
    """
    if tasks <= 0:
        return 0.0
    question, today = WhenNext(tasks, _FAR_DAYS), np.array([len(past.counts) - 1])
    futures = simulate(pace(past.counts).at(today), question.ahead(), _RUNS, _source(seed))
    return float(question.answer(futures, confidence)[0][0])


def fan(past: History, quantiles: tuple[float, ...], seed: str, work: Work | None = None) -> Numbers:
    """How many more tasks are finished by each of the coming days: what `forecast` says of each, at more quantiles.

    Each day has futures of its own, and is told no less than the day before: by chance it might come out a task lower.

    Args:
        past: the finishes, of which a forecast is not refused.
        quantiles: the shares of the futures (0..1) in which so many are finished at most.
        seed: as for `forecast`.
        work: likewise.

    Returns:
        A row for each day ahead from the first on, to LIMIT_DAYS or as far as the past is long; a column a quantile.
    """
    length = len(past.counts)
    today, speeds, supply = np.array([length - 1]), pace(past.counts), work and Supply.of(past, work)
    shares = [1 - (1 - quantile) for quantile in quantiles]  # as a forecast reckons them from its confidence
    ahead = np.arange(1.0, min(LIMIT_DAYS, length) + 1)[:, None]
    futures = [finishes(speeds, supply, today, days, _RUNS, _source(seed))[0, 0] for days in ahead]
    found = np.quantile(np.array(futures), shares, axis=1, method="inverted_cdf").T
    return np.maximum.accumulate(found)
