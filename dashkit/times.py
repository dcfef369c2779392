"""The only parser and printer of timestamps, and the only reader of the clock.

Stored form: TEXT, ISO 8601, UTC, milliseconds, `Z` (`2025-11-27T16:09:57.123Z`). What else other programs store is
read by `read`, which says what an instant looks like; every other reader, in SQL too, agrees with it.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dashkit.errors import UsageError

# A date, and a time of day with an offset. Each in the extended form or, without separators, the basic one.
_ISO = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[Tt ]([0-9]{2})(:?)([0-9]{2})(?:\6([0-9]{2})(?:[.,]([0-9]+))?)?"
    r" ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# Seconds or milliseconds since 1970; a number that went through a REAL column has a fraction, be it zero.
_EPOCH = re.compile(r"([0-9]{10}|[0-9]{13})(?:\.([0-9]+))?")
_WHOLE = re.compile(r"([0-9]{8})\.0+")
# What str.strip takes away, for readers in SQL: there a blank is only a space.
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_DATE = 10  # characters of a date in the stored form
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """When something was: at an instant or, where only its date is known, on a day.

    Args:
        at: the instant, aware, in UTC; of a day its noon, UTC, which lies in that day in nearly every time zone.
        day: the day, where there is no more than a date.
    """

    at: datetime
    day: date | None = None


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def to_text(instant: datetime) -> str:
    """The stored form of an aware instant.

    Raises:
        ValueError: the instant has no time zone, so it names no instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_column(column: str, instant: datetime) -> str:
    """An aware instant of a frame as programs read it: in the stored form, or its day where the column's name ends so.

    Args:
        column: the name of the column, `_on` at its end for days.
        instant: of a day its midnight, in the zone whose day it is.
    """
    return instant.date().isoformat() if column.endswith("_on") else to_text(instant)


def noon(day: date) -> datetime:
    """The instant that stands for a day where instants are put in order: its noon, UTC."""
    return datetime.combine(day, time(12), UTC)


def read(value: object) -> Moment | None:
    """What a stored value says of when something was; None: it cannot be read as a date.

    Read are, with blanks around them: ISO 8601 with `T`, `t` or a blank before the time, with minutes or seconds, a
    fraction behind `.` or `,`, and `Z`, `z`, `+01`, `+0100` or `+01:00`, also behind a blank, as git writes it.
    Without an offset it is UTC. `24:00:00` is the next midnight. Of a number, or its text, 8 digits are a date, 10
    seconds and 13 milliseconds since 1970. All else is refused: ISO weeks (`2025-W48-4`), and everything before 1970,
    as a damaged date would give ages of thousands of years.

    Args:
        value: text, a number, or bytes that are text.
    """
    found = _read(value)
    return found if found and found.at >= _BEGINNING else None


def quoted(stored: str, width: int = 40) -> str:
    """A stored value as a message names it: in quotes, short, and with what acts or hides on a terminal escaped."""
    return repr(stored if len(stored) <= width else f"{stored[: width - 1]}…")


def order(value: object) -> datetime:
    """The instant by which stored values are put in order; what cannot be read as a date is before all others."""
    found = read(value)
    return found.at if found else datetime.min.replace(tzinfo=UTC)


def normal(value: object) -> str | None:
    """A stored value in the stored form, a date as `2025-11-27`; None: it cannot be read as a date."""
    found = read(value)
    if found is None:
        return None
    return to_text(found.at) if found.day is None else found.day.isoformat()


def is_date(normal_form: str) -> bool:
    """Whether what `normal` gave is a date, and no instant."""
    return len(normal_form) == _DATE


def is_before(one: str, other: str) -> bool:
    """Whether a stored time is before another, as `normal` gives them; against an instant a date is its whole day."""
    return one[:_DATE] < other[:_DATE] if _DATE in (len(one), len(other)) else one < other


def later(instant: str, milliseconds: int) -> str:
    """The stored form of an instant so much later than that of another one, or earlier."""
    found = read(instant)
    return to_text(found.at + timedelta(milliseconds=milliseconds)) if found else instant


def place(said: str, after: str, until: str) -> tuple[str, str | None]:
    """Where an event stands of which a source says when it was, and the day where it says no more than a date.

    Nothing stands behind `until`. A date stands at its noon, UTC, or within its day behind `after`, or before `until`.

    Args:
        said: an instant or a date, as `normal` gives them.
        after: the instant of what came before; '' if there was nothing.
        until: the instant of which it was known.
    """
    if not is_date(said) or is_before(until, said):
        return min(said, until), None
    at = f"{said}T12:00:00.000Z"
    if after[:_DATE] == said:
        at = min(max(at, later(after, 1)), f"{said}T23:59:59.999Z")
    return min(at, until), said


def parse(value: object) -> datetime | None:
    """The instant that a person gave: as `read`, of any year, and a date is its beginning, UTC; None: it is not one."""
    found = _read(value)
    if found is None:
        return None
    return found.at if found.day is None else datetime.combine(found.day, time.min, UTC)


def _read(value: object) -> Moment | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    text = whole[1] if (whole := _WHOLE.fullmatch(text)) else text
    try:
        if epoch := _EPOCH.fullmatch(text):
            return Moment(_since_1970(epoch[1], epoch[2] or ""))
        if iso := _ISO.fullmatch(text):
            return _iso(iso)
    except (ValueError, OverflowError):  # the 30th of February, an hour 25, after the year 9999
        pass
    return None


def _since_1970(digits: str, fraction: str) -> datetime:
    """The instant that a number of seconds (10 digits) or milliseconds (13) since 1970 means."""
    microseconds = int((digits + fraction).ljust(16, "0")[:16])
    return _BEGINNING + timedelta(microseconds=microseconds)


def _iso(found: re.Match[str]) -> Moment:
    year, _, month, day, hour, _, minute, second, fraction, zone = found.groups()
    on = date(int(year), int(month), int(day))
    if hour is None:
        return Moment(noon(on), on)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    is_next = hour == "24"  # the end of a day, which is the beginning of the next one
    if is_next and (int(minute), int(second or 0), int(fraction or 0)) != (0, 0, 0):
        raise ValueError(hour)
    at = datetime.combine(on, time(0 if is_next else int(hour), int(minute), int(second or 0), microsecond), UTC)
    return Moment(at + timedelta(days=is_next) - _offset(zone))


def _offset(zone: str | None) -> timedelta:
    """How far a zone such as `Z`, `+01` or `-0330` is ahead of UTC."""
    if zone in (None, "Z", "z"):
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if zone[0] == "-" else ahead


def require(given: datetime | str, purpose: str) -> datetime:
    """The instant that somebody gave, aware or as ISO 8601 text (without an offset UTC), in UTC.

    Args:
        given: by the caller.
        purpose: what cannot be done without one, such as `show what was true at`.

    Raises:
        UsageError: it is no instant, or has no time zone.
    """
    instant = parse(given) if isinstance(given, str) else given
    naive = isinstance(instant, datetime) and instant.utcoffset() is None
    if isinstance(instant, datetime) and not naive:
        with suppress(OverflowError):  # in UTC it would be before the year 1, or after 9999
            return instant.astimezone(UTC)
    raise UsageError(
        f"Cannot {purpose} {given!r:.80}",
        "it has no time zone" if naive else "it is no instant",
        "Give an aware datetime or text like '2025-11-27T16:09:57Z'.",
    )


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which a day begins by the clock of a zone.

    Raises:
        OverflowError: in UTC it would be before the year 1, or after 9999.
    """
    from zoneinfo import ZoneInfo

    return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)


def before(instant: datetime, span: timedelta) -> datetime:
    """The instant so long before another one; at the beginning of time, that."""
    beginning = datetime.min.replace(tzinfo=UTC)
    return instant - span if instant - beginning > span else beginning


def days_between(start: datetime, end: datetime) -> float:
    """Days from start to end, never below 0 (a clock that steps back makes no negative age)."""
    return max(0.0, (end - start).total_seconds() / 86400)


def stamp(instant: datetime) -> str:
    """The form in file names: `20251127_160957`, UTC."""
    return instant.astimezone(UTC).strftime("%Y%m%d_%H%M%S")


def show_seconds(seconds: float) -> str:
    """A duration for people: `12 ms`, `1.4 s`, `2 min 5 s`."""
    if seconds < 0.9995:
        return f"{max(1, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
