"""Simulated futures, a gamma-Poisson process (Greenwood and Yule 1920) with clumps; what can be promised of them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from dashkit.montecarlo.past import History, Numbers, Pace, Places, pace, silence

LIMIT_DAYS = 56  # no date is named beyond it: nothing that far was ever held to account
_CHUNK = 64  # days that are simulated at once: bounds the memory
_HOUR = 1 / 24  # of a day: no date is nearer
_NODES = 24  # days ahead at which a future is looked at, from an hour to LIMIT_DAYS


class HowMany(NamedTuple):
    """How many tasks in so many days?"""

    days: float

    def ahead(self) -> Numbers:
        """The days ahead at which the futures are looked at."""
        return np.array([self.days])

    def answer(self, futures: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
        """Days ahead and tasks promised, one of each for every row of futures."""
        tasks = np.quantile(futures[:, -1], 1 - confidence, axis=1, method="inverted_cdf")
        return np.full(len(futures), self.days), tasks


class WhenNext(NamedTuple):
    """When are the next so many tasks done? With a limit of days ahead, beyond which there is no date."""

    tasks: int
    limit: float = LIMIT_DAYS

    def ahead(self) -> Numbers:
        """The days ahead at which the futures are looked at: the same ones whatever the limit is."""
        step = (LIMIT_DAYS / _HOUR) ** (1 / (_NODES - 1))
        count = round(np.log(self.limit / _HOUR) / np.log(step)) + 1
        nodes: Numbers = _HOUR * step ** np.arange(count)
        return nodes

    def answer(self, futures: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
        """Days ahead (nan: never so sure) and tasks promised, one of each for every row of futures."""
        chance = np.pad((futures >= self.tasks).mean(axis=2), ((0, 0), (1, 0)))
        nodes = np.concatenate([[0.0], self.ahead()])
        place = np.maximum(1, (chance >= confidence).argmax(axis=1))
        row = np.arange(len(futures))
        low, high = chance[row, place - 1], chance[row, place]
        reached = high >= confidence
        part = (confidence - low) / np.where(reached, high - low, 1)
        days = nodes[place - 1] + part * (nodes[place] - nodes[place - 1])
        return np.where(reached, days, np.nan), np.full(len(futures), float(self.tasks))


Question = HowMany | WhenNext


def simulate(pace: Pace, ahead: Numbers, runs: int, source: np.random.Generator) -> Numbers:
    """Simulated counts until each of the days ahead: an array of row, day ahead, run.

    A gamma-Poisson process: each run draws its speed once, rate * Gamma(1 / spread, spread); then the count of h days
    is negative binomial with mean speed * h and variance / mean = clump, independent from step to step.
    """
    speeds, bursts, counts = source.spawn(3)
    shape = 1 / pace.spread[:, None]
    speed = pace.rate[:, None] * speeds.gamma(np.repeat(shape, runs, axis=1)) / shape
    extra = pace.clump[:, None, None] - 1
    step = np.diff(ahead, prepend=0.0)[None, :, None]
    return counts.poisson(bursts.gamma(speed[:, None, :] * step / extra) * extra).cumsum(axis=1).astype(np.float64)


def needs(past: History) -> list[tuple[NDArray[np.bool_], str]]:
    """What a forecast needs: if it is there at the end of each day, and what is said where on the last it is not."""
    counts = past.counts
    days, done, active = np.arange(1, len(counts) + 1), counts.cumsum(), (counts > 0).cumsum()
    silent = silence(counts)
    return [
        (days >= 10, f"a forecast needs 10 days of history; so far: {days[-1]}"),
        (done >= 10, f"a forecast needs 10 finished tasks; so far: {done[-1]:.0f}"),
        (active >= 5, f"a forecast needs 5 days with a finished task; so far: {active[-1]}"),
        (silent < 10, f"a forecast needs a finished task in the last 10 days; the last was {silent[-1]:.0f} days ago"),
    ]


def refusal(past: History, question: Question) -> str:
    """Why there is no forecast, as a clause; "" where there is one."""
    if not len(past.counts):
        return "a forecast needs 10 finished tasks; so far: 0"
    for enough, words in needs(past):
        if not enough[-1]:
            return words
    if isinstance(question, HowMany) and question.days > len(past.counts):
        return f"a forecast of {question.days:g} days needs as long a history; so far: {len(past.counts)} days"
    return ""


class Work(NamedTuple):
    """What there was to finish: when tasks arrived, and when they left without being finished."""

    arrived: History
    left: History


class Supply(NamedTuple):
    """What there is to finish at the end of each day: open tasks, and the pace of new ones."""

    open: Numbers
    pace: Pace

    @classmethod
    def of(cls, past: History, work: Work) -> Self:
        """The supply for the days of `past`."""
        length, arrived = len(past.counts), work.arrived
        padded = np.concatenate([np.zeros(length), arrived.counts])
        moments = past.ends()
        waiting = np.maximum(0, arrived.known(moments) - past.known(moments) - work.left.known(moments))
        speeds = pace(padded[-max(length, len(arrived.counts)) :])
        return cls(waiting.astype(np.float64), speeds.at(np.arange(-length, 0)))

    def futures(self, rows: Places, ahead: Numbers, runs: int, source: np.random.Generator) -> Numbers:
        """Simulated tasks that can be finished until each of the days ahead."""
        arrivals = simulate(self.pace.at(rows), ahead, runs, source)
        return self.open[rows][:, None, None] + arrivals


def finishes(
    speeds: Pace, supply: Supply | None, rows: Places, ahead: Numbers, runs: int, source: np.random.Generator
) -> Numbers:
    """Simulated finishes until each of the days ahead, from the end of each day in `rows`: at most what there is."""
    futures = simulate(speeds.at(rows), ahead, runs, source)
    return futures if supply is None else np.minimum(futures, supply.futures(rows, ahead, runs, source))


def promises(
    past: History,
    work: Work | None,
    question: Question,
    rows: Places,
    confidences: tuple[float, ...],
    runs: int,
    source: np.random.Generator,
) -> tuple[Numbers, Numbers]:
    """Ask the question at the end of the days in `rows`: days ahead (nan: no date) and tasks, by confidence and row."""
    speeds = pace(past.counts)
    supply = None if work is None else Supply.of(past, work)
    parts = []
    for chunk in np.array_split(rows, max(1, len(rows) // _CHUNK)):
        futures = finishes(speeds, supply, chunk, question.ahead(), runs, source)
        parts.append([question.answer(futures, confidence) for confidence in confidences])
    days, at_least = (np.hstack([[each[field] for each in part] for part in parts]) for field in (0, 1))
    too_far = days > np.minimum(rows + 1, question.limit) if isinstance(question, WhenNext) else days > rows + 1
    return np.where(too_far, np.nan, days), at_least
