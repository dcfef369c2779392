"""The one exception tree. Every message has three beats: what was refused, why, what to do.

DashkitError
├── CheckError      1  a check failed
├── UsageError      2  the call itself is off
├── RefusedError    3  the state of things forbids it; nothing changed
│   └── OutdatedError  the database is of an older version than the call needs
├── BusyError       4  another program, or connection, holds the database; nothing changed
└── FailedError     5  it went wrong midway; the message says what is true now
"""

from typing import Any, ClassVar


class DashkitError(Exception):
    """Anything that dashkit refuses or cannot do.

    Args:
        what: what was refused, naming the thing ("Cannot migrate /x/dash.db").
        why: the reason, in a clause.
        remedy: what to do about it, a sentence.
        facts: path, table, counts: whatever the message names, as attributes.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, what: str, why: str, remedy: str, **facts: Any) -> None:
        super().__init__(what, why, remedy)
        self.what, self.why, self.remedy = what, why, remedy
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return f"{self.what}: {self.why.rstrip('.')}. {self.remedy}"

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence alone, which else stands below all the calls that led to it."""
        return [f"{type(self).__name__}: {self}"]


class CheckError(DashkitError):
    """A check failed, and the caller asked to be told."""

    exit_code = 1


class UsageError(DashkitError):
    """The call itself is off: an unknown name, a value out of its range."""

    exit_code = 2


class RefusedError(DashkitError):
    """The state of the database or of the machine forbids it; nothing changed."""

    exit_code = 3


class OutdatedError(RefusedError):
    """The database is of an older version than the call needs."""


class BusyError(DashkitError):
    """Another program, or another connection of this one, holds the database; nothing changed."""

    exit_code = 4


class FailedError(DashkitError):
    """It went wrong midway; the message says what is true now."""
