"""What happened until an instant, day by day, and at what pace: what was known at the end of each past day.

The past is cut into days of 24 hours that end at the instant of the view, so that no calendar or zone is needed.
No constant is fitted to the project that asks: they were chosen on public histories (benchmarks/forecast.py).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

DAY = 86400.0  # seconds
_WINDOW = 90  # days that spread and clump are measured on
_LONGEST = 1000  # days of a history: nothing older weighs anything


class History(NamedTuple):
    """What happened until `as_of`.

    Args:
        seconds: the instants in seconds since 1970, ascending, none after as_of.
        as_of: the instant of the view, likewise.
        counts: how many of them fell into each day of 24 hours; the last one ends at as_of, the first holds the first.
    """

    seconds: Numbers
    as_of: float
    counts: Numbers

    def ends(self) -> Numbers:
        """The instant at which each day ended, in seconds."""
        return self.as_of - DAY * np.arange(len(self.counts) - 1, -1, -1.0)

    def known(self, moments: Numbers) -> Places:
        """How many had happened by each moment."""
        return np.searchsorted(self.seconds, moments, side="right").astype(np.int64)

    def between(self, start: datetime, end: datetime) -> int:
        """How many happened after the start, until the end."""
        until, since = self.known(np.array([end.timestamp(), start.timestamp()]))
        return int(until - since)


class Pace(NamedTuple):
    """How a project goes, one value for the end of each past day, from the days before alone.

    Args:
        rate: expected count a day.
        clump: variance over mean of a day's count, at least 1: tasks are finished in bursts.
        spread: squared coefficient of variation of the rate: how far the coming weeks may leave it.
    """

    rate: Numbers
    clump: Numbers
    spread: Numbers

    def at(self, places: Places) -> "Pace":
        """The pace on some of the days."""
        return Pace(*(each[places] for each in self))


def history(instants: Iterable[datetime], as_of: datetime) -> History:
    """The days until `as_of`; what comes later is not seen.

    Args:
        instants: aware; one for each finished (or arrived) task.
        as_of: aware.
    """
    now = as_of.timestamp()
    seconds = np.sort(np.array([instant.timestamp() for instant in instants if instant <= as_of], dtype=np.float64))
    ago = np.floor((now - seconds) / DAY).astype(np.int64)
    ago = ago[ago < _LONGEST]
    counts = np.bincount(ago)[::-1] if len(ago) else np.zeros(0)
    return History(seconds, now, counts.astype(np.float64))


def _recent(values: Numbers, half_life: float) -> Numbers:
    """The mean of the values up to each day, older ones discounted; the half-life in days."""
    kernel = 0.5 ** (np.arange(len(values)) / half_life)
    means: Numbers = np.convolve(values, kernel)[: len(values)] / np.cumsum(kernel)
    return means


def _sums(values: Numbers, starts: Places, ends: Places) -> Numbers:
    """The sums of values[start:end]."""
    total: Numbers = np.concatenate([[0.0], np.cumsum(values)])
    return total[ends] - total[starts]


def _clipped(counts: Numbers) -> Numbers:
    """The counts with mass closings cut: at most three times the mean of the active days of the 60 before."""
    days = np.arange(len(counts))
    starts = np.maximum(0, days - 60)
    active = _sums((counts > 0).astype(np.float64), starts, days)
    mean = _sums(counts, starts, days) / np.maximum(active, 1)
    return np.minimum(counts, np.where(active >= 3, 3 * mean, np.inf))


def silence(counts: Numbers) -> Numbers:
    """Days without any since the last day that had one, at the end of each day."""
    days = np.arange(len(counts))
    return (days - np.maximum.accumulate(np.where(counts > 0, days, -1))).astype(np.float64)


def _rate(counts: Numbers) -> Numbers:
    """Expected count a day: the geometric mean of a quick and a slow discounted mean of the clipped counts.

    The geometric mean lets neither a burst nor a pause rule alone; each silent day takes off 5 %.
    """
    clipped = _clipped(counts)
    quick, slow = _recent(clipped, 3), _recent(clipped, 30)
    return np.maximum(0.0, np.sqrt((quick + 0.05) * (slow + 0.05)) - 0.05) * np.exp(-0.05 * silence(counts))


def _weeks(counts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Mean and variance of the rolling 7-day sums of the last 90 days, and the mean variance of days within a week."""
    ends = np.arange(1, len(counts) + 1)
    starts = np.maximum(0, ends - _WINDOW)
    last = np.maximum(ends - 6, starts + 1)  # fewer than 7 days hold no week: such days are refused anyway
    days = np.arange(7, len(counts) + 1)
    week = _sums(counts, days - 7, days)
    within = (_sums(counts**2, days - 7, days) / 7 - (week / 7) ** 2) * 7 / 6
    mean, square, inner = (_sums(each, starts, last) / (last - starts) for each in (week, week**2, within))
    return mean, np.maximum(0.0, square - mean**2), inner


def pace(counts: Numbers) -> Pace:
    """Rate, clump and spread at the end of each day, from that day and those before it.

    clump = (within-week variance * n + 3 * 6 * daily mean) / (daily mean * (n + 3)), n = weeks measured.
    spread = the variance of weekly sums that clumps leave unexplained, over their mean squared; in the logarithm
    shrunk towards 0.5 + 2 * share of idle days with the weight of 20 weeks; each silent day adds 5 %.

    Args:
        counts: finishes a day, at least 7 days.
    """
    mean, variance, within = _weeks(counts)
    weeks = np.minimum(np.arange(1, len(counts) + 1), _WINDOW) / 7
    daily = np.maximum(mean / 7, 1e-9)
    clump = np.maximum(1.001, (within * weeks + 18 * daily) / (daily * (weeks + 3)))
    own = np.maximum(0.05, (variance - clump * mean) / np.maximum(mean, 1e-9) ** 2)
    idle = 1 - _recent((counts > 0).astype(np.float64), 14)
    share = weeks / (weeks + 20)
    spread = own**share * (0.5 + 2 * idle) ** (1 - share) * np.exp(0.05 * silence(counts))
    return Pace(_rate(counts), clump, spread)
