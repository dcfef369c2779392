"""The ids of a project's tasks, in every spelling that means one of them, and the project's own patterns."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from dashkit.errors import UsageError

# Backlog.md writes one task as task-12 or BACK-12, as its configuration has it; issue-45 and GH-45 are cited as #45.
_TWINS = {"task": "back-", "back": "task-", "issue": "", "gh": ""}
_JOINT = re.compile("[-.]")
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
# Possessive: what a placeholder took it never gives back, so a pattern costs no more than its length at each place.
_KINDS = {"{n}": "([0-9]{1,9}+)", "{w}": "([0-9A-Za-z]{1,32}+)"}
_LONGEST = 100
_RUN = re.compile(r"0*([^\W_]+)")
_CHILD = re.compile(r"\.[0-9]{1,9}$")


def normal(written: str) -> str:
    """An id without what people vary: case, a leading #, leading zeros of its numbers."""
    parts = re.split("([-.])", written.removeprefix("#").casefold())
    return "".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)


@dataclass(frozen=True)
class Pattern:
    """A project's own way to write an id: where it stands, and which id it means.

    Args:
        written: the setting as the project wrote it.
        shape: what finds it; it cannot backtrack.
        meaning: the id, with {1}, {2} for what the placeholders took; "" for the words themselves.
    """

    written: str
    shape: re.Pattern[str]
    meaning: str

    def id_of(self, found: re.Match[str]) -> str:
        """The id that a place in a text means, not yet known to exist."""
        taken = dict(enumerate(found.groups(), 1))
        return re.sub(r"\{(\d+)\}", lambda mark: taken[int(mark[1])], self.meaning) or found[0]


def pattern(written: str) -> Pattern:
    """A pattern from a setting: `REQ/{n}`, or `case {n} = TASK-{n}` where the words mean another id.

    {n} is one to nine digits, {w} up to 32 ASCII letters and digits; all else stands for itself, in either case.

    Raises:
        UsageError: it names no id, could stand anywhere, or could be read in several ways.
    """
    shape, _, meaning = (side.strip() for side in written.partition(" = "))
    pieces = [piece for piece in _PLACEHOLDER.split(shape) if piece]
    marks = [piece for piece in pieces if piece in _KINDS]
    if why := _refusal(written, pieces, _PLACEHOLDER.findall(meaning)):
        raise UsageError(
            f"Cannot use {written[:_LONGEST]!r} as a pattern of ids",
            why,
            "Write the words around the id as they are, with {n} for a number and {w} for letters and digits: "
            "'REQ/{n}', or 'case {n} = TASK-{n}'.",
        )
    left = [(kind, str(place)) for place, kind in enumerate(marks, 1)]
    for kind, place in left:
        meaning = meaning.replace(kind, f"{{{place}}}", 1)
    body = "".join(_KINDS.get(piece, re.escape(piece)) for piece in pieces)
    return Pattern(written, re.compile(rf"(?<!\w){body}(?!\w)", re.IGNORECASE), meaning)


def _refusal(written: str, pieces: list[str], meant: list[str]) -> str:
    """Why a pattern is not safe or says nothing; "" where it is good."""
    marks = [piece for piece in pieces if piece.startswith("{")]
    if len(written) > _LONGEST or not written.isprintable():
        return f"it is longer than {_LONGEST} characters, or holds control characters"
    if unknown := [mark for mark in [*marks, *meant] if mark not in _KINDS]:
        return f"{unknown[0]} is no placeholder"
    if not marks or not re.search(r"[^\s\d]", pieces[0]) or pieces[0] in _KINDS:
        return "it needs a placeholder, and before it words that no other number has"
    if any(a in _KINDS and (b in _KINDS or b[0].isalnum()) for a, b in pairwise(pieces)):
        return "nothing says where one placeholder ends and the rest begins"
    if meant and Counter(meant) - Counter(marks):
        return "its meaning uses a placeholder that its words do not have"
    return ""


@dataclass(frozen=True)
class Ids:
    """What a text may name: the ids of one project.

    Args:
        names: normal form -> the id as the tracker writes it.
        usual: the project's most frequent prefix: proj for proj-72sq9.
        shorts: what stands after it, where that is more than a number -> the id: 72sq9.
        home: owner/name of the project's repository, lower case; "" where it is not known.
        patterns: the project's own.
        tails: the last letters and digits of each name; a text that holds none of them names none.
        nested: some are of subtasks: bd-a1b2.3.
    """

    names: dict[str, str]
    usual: str = ""
    shorts: dict[str, str] = field(default_factory=dict)
    home: str = ""
    patterns: tuple[Pattern, ...] = ()
    tails: frozenset[str] = frozenset()
    nested: bool = False

    @classmethod
    def of(cls, ids: Iterable[str], home: str = "", patterns: Iterable[str] = (), numbers: Iterable[str] = ()) -> "Ids":
        """The ids of a project with their other spellings.

        Args:
            ids: as the trackers write them.
            home: the project's repository, as owner/name or its address.
            patterns: the project's own patterns, as in the settings.
            numbers: what tasks without an id are called; they have no other spelling, and an id goes before.

        Raises:
            UsageError: a pattern is not safe.
        """
        names = {normal(written): written for written in ids if written}
        for known, written in list(names.items()):
            prefix, joint, number = known.partition("-")
            if joint and prefix in _TWINS and number[:1].isdecimal():
                names.setdefault(f"{_TWINS[prefix]}{number}", written)
        usual = _usual(names)
        shorts = _shorts(names, usual)
        for number in numbers:
            names.setdefault(normal(number), number)
        owner_and_name = "/".join(re.findall(r"[^/:]+", home.removesuffix(".git").casefold())[-2:])
        tails = frozenset(runs[-1] for known in names if (runs := _RUN.findall(known)))
        nested = any(_CHILD.search(known) for known in names)
        return cls(names, usual, shorts, owner_and_name, tuple(map(pattern, patterns)), tails, nested)

    def may_stand_in(self, text: str) -> bool:
        """Whether it is worth to look closer: a text without the end of any id is told at a fraction of the cost."""
        return not self.tails.isdisjoint(_RUN.findall(text.casefold())) or any(
            pattern.shape.search(text) for pattern in self.patterns
        )

    def parent_of(self, written: str) -> str:
        """The nearest task above a subtask that is not known, bd-a1b2 for bd-a1b2.7, where ids are so nested."""
        known = ""
        while self.nested and not known and len(written) <= _LONGEST and (child := _CHILD.search(written)):
            written = written[: child.start()]
            known = self.names.get(normal(written), "")
        return known if "-" in written else ""

    def start_of(self, token: str, joints: re.Pattern[str] = _JOINT) -> str:
        """The longest known id that a token begins with, up to a joint; "" for none."""
        ends = [joint.start() for joint, _ in zip(joints.finditer(token), range(16), strict=False)]
        found = (token[:end] for end in reversed([*ends, len(token)]))
        return next((start for start in found if normal(start) in self.names), "")


def _usual(names: Iterable[str]) -> str:
    """The most frequent prefix of ids, "" where there is none."""
    prefixes = Counter(prefix for prefix, joint, _ in (known.rpartition("-") for known in names) if joint)
    return prefixes.most_common(1)[0][0] if prefixes else ""


def _shorts(names: dict[str, str], usual: str) -> dict[str, str]:
    """The ids by what follows the most frequent prefix, where that is more than a number."""
    split = {known: known.rpartition("-") for known in names}
    return {
        short: names[known]
        for known, (prefix, joint, short) in split.items()
        if joint and prefix == usual and len(short) >= 3 and re.search("[a-z]", short)
    }
