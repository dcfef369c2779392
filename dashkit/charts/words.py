"""What a chart says in words: counts, dates, durations, shares, and names from outside made fit to stand in it."""

import math
import unicodedata
from calendar import monthrange
from datetime import date, timedelta
from typing import Final, Literal

from dashkit.charts.picture import plain

Bound = Literal["", "at least", "at most"]
_MINUTES: Final = 24 * 60  # of a day
_UNITS: Final = (("minute", 1, 0), ("hour", 60, 10), ("day", _MINUTES, 14))  # each with whole numbers from so many on
_NOISE: Final = 1e-6  # of a unit: a whole number that was divided and multiplied is still one
_LONGEST: Final = 400  # characters of a name that are looked at: no label is so long


def count(number: int, noun: str, plural: str = "") -> str:
    """How many: `1 task`, `2,000 tasks`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def none_or(number: int) -> str:
    """How many, where that is no sum: `none`, `1`, `2,000`."""
    return f"{number:,}" if number else "none"


def are(number: int) -> str:
    """The verb that goes with so many: is or are."""
    return "is" if number == 1 else "are"


def day(when: date) -> str:
    """A date: `3 January 2026`."""
    return f"{when.day} {when:%B %Y}"


def within(periods: int, by: str, last: date | None = None) -> str:
    """The time of so many periods up to now, or up to that of a date: `in the last 3 weeks`, `on 3 January 2026`."""
    if last is None:
        return f"in the last {count(periods, by)}" if periods > 1 else "today" if by == "day" else f"this {by}"
    until = day(last) if by == "day" else f"that of {day(last)}"
    if periods > 1:
        return f"in {count(periods, by)} up to {until}"
    return f"on {until}" if by == "day" else f"in the {by} of {day(last)}"


def at_end(period_on: date, by: str) -> str:
    """When the level of a period was so, which is at its end: `on 3 January 2026`, `at the end of January 2026`."""
    if by == "day":
        return f"on {day(period_on)}"
    return f"at the end of {f'{period_on:%B %Y}' if by == 'month' else f'the week from {day(period_on)}'}"


def last_day(period_on: date, by: str) -> str:
    """The last day of a period that is over."""
    days = {"day": 1, "week": 7}.get(by) or monthrange(period_on.year, period_on.month)[1]
    return day(period_on + timedelta(days=days - 1))


def duration(days: float, bound: Bound = "") -> str:
    """A time as people say it: `45 minutes`, `33 hours`, `3.8 days`, `313 days`; `at least 3 days`, `at most 4 days`.

    Args:
        days: how long.
        bound: `at least` rounds down and `at most` up, to a whole number; otherwise it is the nearest one.
    """
    minutes = float(days) * _MINUTES  # of a number of NumPy too
    noun, size, whole_from = _UNITS[(minutes >= 90) + (minutes >= 48 * 60)]
    number = minutes / size
    if bound:
        whole = math.floor(number + _NOISE) if bound == "at least" else max(1, math.ceil(number - _NOISE))
        return f"{bound} {count(whole, noun) if whole else 'a moment'}"
    if minutes < 1:
        return "less than a minute"
    text = f"{number:,.1f}".removesuffix(".0") if number < whole_from else f"{number:,.0f}"
    return f"{text} {noun}{'' if text == '1' else 's'}"


def sentences(*parts: str) -> str:
    """The parts that say something as sentences, each with its full stop."""
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def percent(part: int, whole: int) -> str:
    """A share for people: 99.96 % is not 100 %, and more than nothing is not 0 %."""
    if whole == 0:
        return "no tasks"
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(99.0, max(1.0, share))
    return f"{share:.0f} %"


def short(text: object, fallback: str, room: int) -> str:
    """A name from outside in one line of at most `room` columns, the last one then being an ellipsis."""
    found = " ".join(plain(text[:_LONGEST]).split()) if isinstance(text, str) else ""
    found = found or fallback
    if columns(found) <= room:
        return found
    found = found[:room]
    while columns(found) >= room:
        found = found[:-1]
    return found.rstrip() + "…"


def columns(text: str) -> int:
    """How wide a text is: a letter of Chinese or an emoji takes two columns, an accent of its own none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text
    )
