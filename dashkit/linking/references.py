"""References to tasks as people write them in commits, branches and titles.

What the words around an id say of the work is a row in ROLES; how an id may be written is told in spellings.py.
An id counts only if the project has it, so UTF-8 is none and an unknown task makes no noise.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dashkit.linking import prose
from dashkit.linking.ids import Ids, normal
from dashkit.linking.spellings import LONGEST_WORDS, NOUNS, SPELLINGS, Token, Where
from dashkit.records import Reference

_TOKEN = re.compile(r"https?://[\w./:#?=&%~+@-]+|#?\w+(?:[-.]\w+)*")
_AND = re.compile(r"\s{0,2}(?:,(?:\s?and)?|;|/|&|\+|and|or)\s{0,2}")
_NEAR = 60  # characters of a line that a rule sees before and after a token
_LONGEST_TEXT = 100_000  # nobody refers to a task after so much text
_BEFORE_AT, _AFTER_AT = re.compile(r"@[\w.+-]*$"), re.compile(r"[\w.+-]*@\w")  # of a mail address
_DENIED = re.compile(r"(?i)(?:\b(?:not|never|cannot|without)|n['\u2019]t)\s(?:\w{1,20}\s){0,2}$")


class Role(NamedTuple):
    """What the words before an id say of the work: a row of the table; the shape ends where the id begins."""

    name: str
    meaning: str
    shape: re.Pattern[str]
    examples: tuple[str, ...]


def _ends(words: str) -> re.Pattern[str]:
    """Words that end where an id begins, with a noun, a colon or a bracket between them."""
    return re.compile(rf"(?i)(?:{words})\W{{0,3}}(?:{NOUNS}\W{{0,3}})?$")


ROLES = (
    Role(
        "reverts",
        "The work was undone.",
        _ends(r"\brevert(?:s|ed|ing)?"),
        ('Revert "fix {}"', "revert {}"),
    ),
    Role(
        "closes",
        "The work is done.",
        _ends(
            r"\b(?:fix(?:e[sd]|ing)?|clos(?:e[sd]?|ing)|resolv(?:e[sd]?|ing)|complet(?:e[sd]?|ing)|"
            r"finish(?:e[sd]|ing)?|implement(?:s|ed|ing)?)"
        ),
        ("fixes {}", "Closes: {}", "resolves issue {}", "fix({}): text"),
    ),
    Role(
        "refs",
        "The text says that it belongs to it: a word before it, brackets, or the start of a line; so does a branch.",
        _ends(rf"^|[\[(]|\b(?:refs?|references?|see|part of|related to|relates to|for|towards?|re|{NOUNS})"),
        ("refs {}", "Task: {}", "feat({}): text", "{} - text", "text [{}]"),
    ),
    Role("mention", "It is named, no more.", re.compile(r""), ("text unlike {}",)),
)


def find(text: str, where: Where, ids: Ids) -> list[Reference]:
    """Every reference in a text to a task of the project, in order; what is quoted or code is left out.

    The time is linear in the length of the text, whatever it holds; beyond 100,000 characters it is not read.

    Args:
        text: a commit's message, a branch's name, a pull request's title.
        where: which of them it is.
        ids: the ids of the project.
    """
    text = text[:_LONGEST_TEXT]
    undone = text.startswith("Revert ")
    lines = prose.lines(text) if ids.may_stand_in(text) else ()
    found = []
    for number, line in ((number, line) for number, line in lines if ids.may_stand_in(line)):
        for known, rule, words, before in _in_line(line, where, ids, first_line=number == 1):
            role = "refs" if "branch" in (where, rule) else _role(before)
            found.append(Reference(known, "reverts" if undone else role, rule, words, f"{where}, line {number}"))
    return found


def _role(before: str) -> str:
    """What the words before an id say of the work; what they say of it with "not" they do not say."""
    found = ((role.name, role.shape.search(before)) for role in ROLES)
    return next(name for name, words in found if words and not _DENIED.search(before[: words.start()]))


def _in_line(line: str, where: Where, ids: Ids, *, first_line: bool) -> Iterator[tuple[str, str, str, str]]:
    """Each reference of a line: the id, the rule, the words, and what stands before it or before its list."""
    end, taken, follows, before = 0, 0, "", ""
    for start, stop, own in _places(line, ids):
        if start < taken:
            continue
        gap = line[end:start] if start - end < 10 else "no list"
        follows = follows if follows and _AND.fullmatch(gap) else ""
        near, words, after = line[max(0, start - _NEAR) : start], line[start:stop], line[stop : stop + _NEAR]
        if _BEFORE_AT.search(near) or _AFTER_AT.match(after):
            continue
        token = Token(words, near, after, where, first_line, follows)
        known, rule = (own, "pattern") if own else _spelled(token, ids)
        if known:
            before = before if follows else near
            yield known, rule, words[:LONGEST_WORDS], before
            end, taken, follows = stop, stop, known


def _places(line: str, ids: Ids) -> list[tuple[int, int, str]]:
    """Where an id may stand in a line, with the id where a pattern of the project's own says it."""
    own = [
        (*found.span(), known)
        for pattern in ids.patterns
        for found in pattern.shape.finditer(line)
        if (known := ids.names.get(normal(pattern.id_of(found)), ""))
    ]
    # Most words are mere words: they cost no more than this look.
    tokens = [
        (*found.span(), "")
        for found in _TOKEN.finditer(line)
        if not found[0].isalpha() or found[0].casefold() in ids.shorts
    ]
    return sorted([*own, *tokens], key=lambda place: (place[0], not place[2])) if own else tokens


def _spelled(token: Token, ids: Ids) -> tuple[str, str]:
    """The id that a token means, and the first rule that says so."""
    found = ((rule.id_of(token, ids), rule.name) for rule in SPELLINGS)
    return next((pair for pair in found if pair[0]), ("", ""))
