"""Fields of foreign records as values that the database can hold: whatever type was there, nothing is an error."""

import re
from collections.abc import Iterable, Iterator

from dashkit import times
from dashkit.vocabulary import Status

LONGEST_LINE = 1_000  # characters
LONGEST_TEXT = 100_000  # characters

# One table for all sources; a word is looked up in lower case, without its punctuation.
STATUS_WORDS: dict[str, Status] = {
    **dict.fromkeys(
        (
            *("open", "reopened", "new", "to do", "todo", "pending", "backlog", "ready", "planned", "not started"),
            *("deferred", "pinned", "draft", "triage", "icebox"),
        ),
        "pending",
    ),
    **dict.fromkeys(
        ("in progress", "inprogress", "doing", "started", "active", "wip", "working", "hooked"), "in_progress"
    ),
    **dict.fromkeys(
        ("review", "in review", "needs review", "code review", "qa", "testing", "in testing", "verifying"), "review"
    ),
    **dict.fromkeys(("blocked", "on hold", "waiting", "stalled"), "blocked"),
    **dict.fromkeys(
        ("closed", "done", "completed", "complete", "finished", "fixed", "resolved", "merged", "released", "shipped"),
        "completed",
    ),
    **dict.fromkeys(
        (
            *("tombstone", "deleted", "cancelled", "canceled", "wont do", "wontdo", "wontfix", "wont fix"),
            *("not planned", "duplicate", "obsolete", "rejected", "abandoned", "invalid", "archived"),
        ),
        "cancelled",
    ),
}

# What stands for no date: nulls of YAML and JSON, and the zero of Go, in which bd and gh are written.
_NO_DATE = re.compile(r"\s*(?:~|null|0001-01-01T00:00:00Z)?\s*", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_LETTER = re.compile(r"[\W\d_]+")


def line(value: object) -> str | None:
    """A text as one line without control characters; None where it is no text, or empty."""
    if not isinstance(value, str):
        return None
    # Cut before the work, so that a line of megabytes costs nothing.
    text = " ".join(_UNFIT.sub("\ufffd", " ".join(value[: 4 * LONGEST_LINE].split())).split())
    return (text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…") or None


def text(value: object) -> str | None:
    """A text of many lines without control characters; None where it is no text, or empty."""
    if not isinstance(value, str):
        return None
    kept = value.strip().replace("\r\n", "\n").replace("\r", "\n")
    kept = kept if len(kept) <= LONGEST_TEXT else kept[:LONGEST_TEXT] + "…"
    return _UNFIT.sub("\ufffd", kept) or None


def items(value: object, key: str = "name") -> Iterator[str]:
    """The texts of a list of texts, of objects with such a key, or of one text with commas; each once."""
    if isinstance(value, str):
        value = value.split(",")
    found = value if isinstance(value, list) else []
    texts = (line(item.get(key) if isinstance(item, dict) else item) for item in found)
    return iter(dict.fromkeys(item for item in texts if item is not None))


def instant(value: object) -> str | None:
    """A time in the stored form, a date without a time as a date; None where the value means none."""
    return times.normal(value)


class Dates:
    """Reads the dates of one record, and keeps what cannot be read: `unread`, such as `created_at 'soon'`."""

    def __init__(self) -> None:
        self.unread: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> str | None:
        """The value of a field as `instant` gives it; one that says nothing is no date, and is not kept."""
        found = instant(value)
        says = value if isinstance(value, str) else str(value or "")
        if found is None and not _NO_DATE.fullmatch(says):
            self.unread += (f"{name} {times.quoted(says)}",)
        return found


def status(word: object) -> tuple[Status, str | None]:
    """What a word for a status means, and the word itself if no table knows it; no word is pending."""
    written = line(word)
    if written is None:
        return "pending", None
    known = STATUS_WORDS.get(_NO_LETTER.sub(" ", written.replace("'", "").replace("\u2019", "")).strip().casefold())
    return (known, None) if known else ("pending", written)


def first(values: Iterable[object]) -> str | None:
    """The first of these that is a text, as one line."""
    return next((found for value in values if (found := line(value)) is not None), None)
