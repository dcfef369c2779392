"""Obsidian Tasks: the fields behind the words of a task line, in the two formats of its documentation.

`✅ 2024-02-03` and `[completion:: 2024-02-03]` say the same. Fields stand at the end of a line, in any order. Tags,
links, remarks in brackets and other signs may stand among them, and stay in the title; a sign in front of other words
is a part of the title. Everything here is pure, and linear in the length of the line.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashkit.sources import fields

DATES = {
    "completion": "done",
    "cancelled": "cancelled",
    "created": "created",
    "due": "due",
    "scheduled": "scheduled",
    "start": "start",
}
PRIORITIES = {"🔺": "highest", "⏫": "high", "🔼": "medium", "🔽": "low", "⏬": "lowest"}
# Each sign, and the key that means the same in the Dataview format, in small letters.
SIGNS = {
    "✅": "completion",
    "❌": "cancelled",
    "➕": "created",
    **dict.fromkeys("📅📆🗓", "due"),
    **dict.fromkeys("⏳⌛", "scheduled"),
    "🛫": "start",
    **dict.fromkeys(PRIORITIES, "priority"),
    "🔁": "repeat",
    "🏁": "oncompletion",
    "🆔": "id",
    "⛔": "dependson",
}
_KEYS = frozenset(SIGNS.values())
_PLANNED = ("created", "due", "scheduled", "start")

_SIGN = "".join(SIGNS)
_ID = r"[A-Za-z0-9_-]+"
# A year of four digits and two numbers, in any order: a date, or what was meant as one. `3/5` and `1.2.3` are neither.
_DATE = (
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\w/:-]|\.\d)"
)
_TOKEN = re.compile(
    rf"""
    (?<!\\) (?: \[ \s* (?P<key>[A-Za-z]+) \s* :: (?P<value> \s*\[\[[^\[\]]*\]\]\s* | [^\[\]]* ) \]
      | \( \s* (?P<key_>[A-Za-z]+) \s* :: (?P<value_> [^()]* ) \) ) (?:\s*,)?
    | (?P<sign>[{_SIGN}]) \ufe0f?
      (?: \s* (?: (?P<date>{_DATE}) [,;.]? | (?P<word> every\b[A-Za-z0-9,\ !]* | {_ID}(?:\ *,\ *{_ID})* ) ) )?
    | (?<!\S) (?P<block> \^[A-Za-z0-9-]{{3,}} ) (?=\s*\Z)
    | (?P<kept> !?\[ (?:\[[^\[\]]*\]|[^\[\]]*) \] (?:\([^()]*\))? | \([^()]*\)
      | (?<!\S) \#[^\s!@#$%^&*(),.?":{{}}|<>\[\]{_SIGN}]+
      | (?<!\S) \^[A-Za-z0-9-]{{1,2}} (?=\s*\Z)
      | (?<!\S) [^\w\s\x00-\x7f\u2018-\u201f«»]{{1,3}} (?!\S) )
    | [^\s\[({_SIGN}]+ | \S
    """,
    re.VERBOSE,
)
_MAY_HOLD = re.compile(rf"[{_SIGN}^]|::")
_LONGEST = 2_000  # characters of a line, from its end: twice as many as a title may have
_CODE = re.compile(r"(?=.*[A-Za-z]).*[0-9_-]")
_GIVEN = re.compile(rf"(?:🆔\ufe0f?|\bid::)\s*({_ID})")
_AWAITED = re.compile(rf"(?:⛔\ufe0f?|\bdependsOn::)\s*({_ID}(?:\s*,\s*{_ID})*)", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """What stands behind a box.

    Args:
        text: without the fields; empty only where the line is.
        dates: what happened (done, cancelled, created) or is planned (due, scheduled, start) -> when, as `times.normal`
            gives it; of a field that stands twice the last.
        facts: the other fields: key in the Dataview format, in small letters -> value.
        is_cancelled: whether it has the sign ❌, with a date or without one.
        unread: each field whose date cannot be read, which stays in the text, such as `✅ '2024-02-31'`.
    """

    text: str
    dates: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    is_cancelled: bool = False
    unread: tuple[str, ...] = ()

    @property
    def has_fields(self) -> bool:
        """Whether it is a line of Obsidian Tasks."""
        return bool(self.dates or self.facts or self.unread)

    @property
    def planned(self) -> tuple[str, ...]:
        """The dates that are known before the work is done: they tell tasks apart that come again with one title."""
        return tuple(f"{kind} {self.dates[kind]}" for kind in _PLANNED if kind in self.dates)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The ids of the tasks that it waits for."""
        return tuple(fields.items(self.facts.get("dependson")))


def read(words: str, ids: Collection[str] = (), *, unread_stays: bool = True) -> Line:
    """Take the fields off the end of a line. Nothing in it is an error.

    Args:
        words: Markdown, without the box.
        ids: words without a digit that are ids, as `named_ids` finds them.
        unread_stays: a date that cannot be read stays in the text.
    """
    if not _MAY_HOLD.search(words):
        return Line(words)
    reader, dates, facts, kept = fields.Dates(), dict[str, str](), dict[str, str](), list[str]()
    is_cancelled, end = words.lstrip().startswith("❌"), len(words)
    for token in reversed(list(_TOKEN.finditer(words, max(0, len(words) - _LONGEST)))):
        key, value = _field(token)
        is_cancelled = is_cancelled or key == "cancelled"
        when = reader.read(token["sign"] or key, value) if key in DATES else None
        if when:
            dates.setdefault(DATES[key], when)
        elif key in DATES and value:
            if unread_stays:
                continue
        elif _is_valid(key, value, ids):
            facts.setdefault(key, value)
        elif (rest := _otherwise(token, key, value)) == "stays":
            continue
        elif rest == "ends":
            break
        kept.append(words[token.end() : end])
        end = token.start()
    text = " ".join([words[:end], *reversed(kept)]).strip()
    return Line(text, dates, facts, is_cancelled, reader.unread) if text else Line(words)


def named_ids(lines: Iterable[str]) -> frozenset[str]:
    """The ids that a line of a file has and another one waits for: they need no digit to be known as ids."""
    given, awaited = set[str](), set[str]()
    for line in lines:
        if "🆔" in line or "⛔" in line or "::" in line:
            given.update(_GIVEN.findall(line))
            awaited.update(one.strip() for some in _AWAITED.findall(line) for one in some.split(","))
    return frozenset(given & awaited)


def _field(token: re.Match[str]) -> tuple[str, str]:
    """The key and the value of a field; a sign that has no value has an empty one, what is no field has no key."""
    sign, word = token["sign"], token["word"]
    if sign is None:
        value = (token["value"] or token["value_"] or "").strip()
        return (token["key"] or token["key_"] or "").casefold(), value.removeprefix("[[").removesuffix("]]").strip()
    key, date = SIGNS[sign], token["date"] or ""
    if key == "priority":
        return ("", "") if word or date else (key, PRIORITIES[sign])
    if key in DATES:
        return ("", "") if word else (key, date)
    return key, (word or date).strip()


def _is_valid(key: str, value: str, ids: Collection[str]) -> bool:
    """Whether it is a field without a date: its key is known, and its value is one that the key may have."""
    match key:
        case "priority":
            return value in PRIORITIES.values()
        case "repeat":
            return value.casefold().startswith("every ")
        case "oncompletion":
            return value.casefold() in ("keep", "delete")
        case "id":
            return _is_id(value, ids)
        case "dependson":
            return all(_is_id(one.strip(), ids) for one in value.split(","))
    return False


def _is_id(word: str, ids: Collection[str]) -> bool:
    """Whether a word is the id of a task: `Show the 🆔 card` names none."""
    return re.fullmatch(_ID, word) is not None and (word in ids or _CODE.match(word) is not None)


def _otherwise(token: re.Match[str], key: str, value: str) -> Literal["leaves", "stays", "ends"]:
    """What becomes of a token without anything to read: it leaves the title, stays in it, or ends the fields."""
    if token["sign"] is not None:
        return "ends" if token["word"] or token["date"] else "stays"
    if key:
        return "stays" if value or key not in _KEYS else "leaves"
    if token["block"] is not None:
        return "leaves"
    return "stays" if token["kept"] is not None else "ends"
