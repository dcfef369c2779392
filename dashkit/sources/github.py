"""Issues of a GitHub repository, from a file that GitHub's command line wrote.

`gh issue list --state all --limit 100000 --json number,title,body,state,stateReason,createdAt,closedAt,labels` and
more fields; what the REST interface gives (`created_at`) is read too. An id is `#12`, as people cite it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashkit.records import Skip, Task, TaskList
from dashkit.sources import fields, files
from dashkit.sources.tally import tally
from dashkit.vocabulary import Status

LARGEST = 512 * 2**20  # bytes
DEFAULT_LIMIT = 30  # issues that gh lists where nobody says how many

GIVEN_UP = frozenset(("NOT_PLANNED", "DUPLICATE"))
LABELS: dict[str, Status] = {
    "blocked": "blocked",
    "on hold": "blocked",
    "in progress": "in_progress",
    "wip": "in_progress",
    "in review": "review",
    "needs review": "review",
}
_PREFIX = ("status:", "status/", "state:", "state/")
_PULL_REQUEST = ("pull_request", "mergedAt", "headRefName", "isDraft")
_LARGEST_NUMBER = 2**63


def parse_record(row: object, *, everything: bool = False) -> Task | Skip:
    """One issue: a task, or why it is none.

    Args:
        row: an element of the list in the file.
        everything: pull requests are tasks too.
    """
    if not isinstance(row, dict):
        return Skip("it is no JSON object", bad=True)
    number, title = _number(row.get("number")), fields.line(row.get("title"))
    if number is None or title is None:
        return Skip(f"the issue has no {'number' if number is None else 'title'}", bad=True)
    pull_request = any(key in row for key in _PULL_REQUEST)
    if pull_request and not everything:
        return Skip("pull request")
    return _task(row, number, title, pull_request=pull_request)


def read(text: str, *, everything: bool = False) -> TaskList:
    """Read one version of the file from its text. Nothing in it is an error."""
    rows, notes = _rows(text)
    found = tally((f"record {n}", parse_record(row, everything=everything)) for n, row in enumerate(rows, 1))
    if len(rows) == DEFAULT_LIMIT:
        notes = (*notes, f"there are exactly {DEFAULT_LIMIT} issues, which is all that gh lists without --limit")
    return replace(found, skipped=found.skipped + bool(not rows and notes), notes=notes + found.notes)


def read_bytes(data: bytes, _name: str = "", /, *, everything: bool = False) -> TaskList:
    """Read one version of the file."""
    return read(files.decode(data)[0], everything=everything)


def read_file(path: str | Path, *, everything: bool = False) -> TaskList:
    """Read the file as it is now.

    Raises:
        RefusedError: there is no such file, it cannot be read, or it is too large.
    """
    return read_bytes(files.load(path, "JSON file", "a list of issues", LARGEST), everything=everything)


def _rows(text: str) -> tuple[list[object], tuple[str, ...]]:
    """The elements of all lists in the text (gh writes one list per page), and what was wrong with it."""
    decoder, rows, start = json.JSONDecoder(), list[object](), 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        try:
            found, start = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            at = getattr(error, "pos", start)
            return rows, (f"line {text.count(chr(10), 0, at) + 1}: it is no JSON from here; nothing after it was read",)
        rows.extend(found if isinstance(found, list) else [found])
    return rows, ()


def _task(row: Mapping[str, Any], number: str, title: str, *, pull_request: bool) -> Task:
    labels = tuple(fields.items(row.get("labels")))
    status, unknown = _status(row, labels)
    milestone = row.get("milestone")
    ended = status in ("completed", "cancelled")
    dates = fields.Dates()
    return Task(
        title=title,
        status=status,
        checked=status == "completed",
        headings=tuple(fields.items([milestone], "title")),
        external_id=number,
        description=fields.text(row.get("body")),
        kind="pull request" if pull_request else next(fields.items([_either(row, "issueType", "type")]), None),
        labels=labels,
        parent=next(_numbers(row, [row.get("parent")]), None),
        depends_on=tuple(_numbers(row, _either(row, "blockedBy", "blocked_by"))),
        created_at=dates.read(*_dated(row, "createdAt", "created_at")),
        updated_at=dates.read(*_dated(row, "updatedAt", "updated_at")),
        completed_at=dates.read(*_dated(row, "closedAt", "closed_at")) if ended else None,
        unknown_status=unknown,
        unread_dates=dates.unread,
    )


def _status(row: Mapping[str, Any], labels: tuple[str, ...]) -> tuple[Status, str | None]:
    """What its state says, and of an open issue its labels."""
    status, unknown = fields.status(row.get("state"))
    reason = fields.line(_either(row, "stateReason", "state_reason"))
    if status == "completed" and (reason or "").upper() in GIVEN_UP:
        return "cancelled", None
    if status == "pending":
        return next((LABELS[word] for word in map(_plain, labels) if word in LABELS), status), unknown
    return status, unknown


def _plain(label: str) -> str:
    """A label in small letters, without `status:` before it and with blanks between its words."""
    word = label.casefold()
    for prefix in _PREFIX:
        word = word.removeprefix(prefix)
    return word.replace("-", " ").replace("_", " ").strip()


def _number(value: object) -> str | None:
    return f"#{value}" if type(value) is int and 0 < value < _LARGEST_NUMBER else None


def _numbers(row: Mapping[str, Any], value: object) -> Iterator[str]:
    """The issues of the same repository that a field names."""
    if isinstance(value, dict):
        value = value.get("nodes")
    for other in value if isinstance(value, list) else ():
        if isinstance(other, dict) and _repository(other) in (None, _repository(row)):
            number = _number(other.get("number"))
            if number is not None and other.get("number") != row.get("number"):
                yield number


def _repository(row: Mapping[str, Any]) -> str | None:
    """The address of an issue without its number, where it has one."""
    url = row.get("url")
    return url.rpartition("/")[0] if isinstance(url, str) else None


def _dated(row: Mapping[str, Any], name: str, other: str) -> tuple[str, object]:
    """The name and the value of a date, by whichever of its two names the file has it."""
    return (name, row[name]) if name in row else (other, row.get(other))


def _either(row: Mapping[str, Any], name: str, other: str) -> object:
    return row.get(name, row.get(other))
