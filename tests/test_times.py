"""Timestamps: what is read, what is written, and that reading gives back what was written."""

import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashkit import times

INSTANT = datetime(2025, 11, 27, 16, 9, 57, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-11-27T16:09:57.123456Z", INSTANT),
        ("2025-11-27 16:09:57", INSTANT.replace(microsecond=0)),
        ("2025-11-27T18:09:57+02:00", INSTANT.replace(microsecond=0)),
        (" 2025-11-27 \n", datetime(2025, 11, 27, tzinfo=UTC)),
        ("20251127T160957Z", INSTANT.replace(microsecond=0)),
    ],
)
def test_forms_that_are_read(text, instant):
    """ISO 8601 with or without an offset is read; without one it is UTC."""
    assert times.parse(text) == instant
    assert times.parse(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value", [None, "", "soon", True, 17642597, 1.5, b"soon", "0001-01-01T00:00:00+05:00", "2025-13-01", "2025-W48-4"]
)
def test_what_names_no_instant_is_none(value):
    """Anything else names no instant, and nothing is raised."""
    assert times.parse(value) is None


def test_the_stored_form():
    """What is stored is UTC, in milliseconds, with Z."""
    assert times.to_text(INSTANT) == "2025-11-27T16:09:57.123Z"
    assert times.to_text(INSTANT.astimezone(timezone(timedelta(hours=-7)))) == "2025-11-27T16:09:57.123Z"


def test_an_instant_without_a_zone_is_refused():
    """A naive datetime names no instant."""
    with pytest.raises(ValueError, match=r"datetime\.datetime\(2025, 11, 27, 0, 0\) has no time zone"):
        times.to_text(datetime(2025, 11, 27))  # noqa: DTZ001 - that is the point


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 - bounds
def test_writing_and_reading_is_nothing(instant):
    """Reading gives back what was written, to the millisecond."""
    again = times.parse(times.to_text(instant))
    assert timedelta(0) <= instant - again < timedelta(milliseconds=1)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    """Whatever a text holds, it is an instant in UTC or none."""
    instant = times.parse(text)
    assert instant is None or instant.tzinfo is UTC


def test_the_clock_is_in_utc():
    """The present is aware, and in UTC."""
    assert times.utc_now().tzinfo is UTC


def test_days_are_never_below_zero():
    """A clock that stepped back makes no negative age."""
    assert times.days_between(INSTANT, INSTANT + timedelta(hours=36)) == 1.5
    assert times.days_between(INSTANT, INSTANT - timedelta(days=1)) == 0.0


def test_the_form_in_names_of_files():
    """The stamp in a file's name is UTC, whatever the zone of the instant."""
    assert times.stamp(INSTANT.astimezone(timezone(timedelta(hours=9)))) == "20251127_160957"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 ms"), (0.0124, "12 ms"), (1.44, "1.4 s"), (59.94, "59.9 s"), (125.9, "2 min 5 s")],
)
def test_durations_for_people(seconds, text):
    """A duration is shown in the unit that fits it."""
    assert times.show_seconds(seconds) == text


def test_blanks_are_what_python_strips():
    """Readers in SQL take away the very characters that str.strip takes away."""
    assert "".join(char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace()) == times.BLANKS
