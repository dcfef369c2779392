"""The only parser and printer of timestamps, and the only reader of the clock.

Stored form: TEXT, ISO 8601, UTC, milliseconds, `Z` (`2025-11-27T16:09:57.123Z`).
"""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from dashkit.errors import UsageError


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


def parse(value: object) -> datetime | None:
    """The instant that a stored value means; None where it means none.

    Without an offset it is UTC ("2025-11-27 16:09:57", as v1 wrote it); a bare date is its midnight.
    """
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            return instant.replace(tzinfo=UTC)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


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
