"""How an id may be written: the rules, each a row of SPELLINGS. The first that gives an id of the project counts."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from dashkit.linking.ids import Ids, normal

Where = Literal["message", "branch", "title"]

NOUNS = r"(?:issues?|tasks?|bugs?|tickets?|stor(?:y|ies)|epics?|beads?|items?)"
LONGEST_WORDS = 400

_AFTER_NOUN = re.compile(rf"(?i)\b({NOUNS}):?\s$")
_STANDS = re.compile(rf"(?i)(?:[\[(]|\b{NOUNS}:?\s|\b(?:refs?|fix(?:es|ed)?|close[sd]?|resolve[sd]?):?\s)$")
_NUMBER = re.compile(r"(?i)(#|gh-|)([0-9]{1,9}(?:\.[0-9]{1,9})*)")
_URL = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/(?:-/)?issues/(\d{1,9})\b", re.IGNORECASE)
_LISTED_SHORT = re.compile(r"(?i)(?:[\[(]|\bbeads:?\s|^\s+)(?:[\w.]+,\s?)*$")
_MERGED = re.compile(r"^Merge .*(?:branch '|from )(?:[\w.-]+/){0,4}$")
_JOINTS_OF_A_BRANCH = re.compile("[-._]")


class Token(NamedTuple):
    """One word of a text that may be an id, with what stands around it on its line.

    `follows` is the id that a list goes on from: the one before, with nothing but a comma or "and" between them.
    """

    words: str
    before: str
    after: str
    where: Where
    first_line: bool
    follows: str


class Spelling(NamedTuple):
    """A way to write an id: a row of the table.

    Args:
        name: the rule's name in the evidence of a link.
        meaning: one sentence for people.
        id_of: the id that a token means by this rule, as the tracker writes it; "" for none.
        project: ids of a project, for the examples.
        where: where the examples stand.
        examples: text -> the ids that it names.
    """

    name: str
    meaning: str
    id_of: Callable[[Token, Ids], str]
    project: tuple[str, ...]
    where: Where
    examples: dict[str, tuple[str, ...]]


def _whole(token: Token, ids: Ids) -> str:
    """A code with a joint stands for itself anywhere; one without (T12) only where the place says that it is an id."""
    known = ids.names.get(normal(token.words), "")
    written = token.words.removeprefix("#")
    if not known or token.before.endswith("@") or not re.search(r"[^\W\d_]", written):
        return ""
    jointed = re.search("[-.]", written) is not None
    coded = re.search("[0-9]", written) is not None and (token.words[0] == "#" or _stands_as_id(token))
    return known if jointed or coded else ""


def _number(token: Token, ids: Ids) -> str:
    """A number is an id only with a sign or a noun, and only where the project's tasks are numbers."""
    number = _NUMBER.fullmatch(token.words)
    return ids.names.get(normal(number[2]), "") if number and _is_ours(token, number[1], ids) else ""


def _is_ours(token: Token, sign: str, ids: Ids) -> bool:
    """Whether a number is a task of this repository: not other/repo#45, not (#45) at the end of the subject."""
    if not sign:
        return _AFTER_NOUN.search(token.before) is not None
    if token.first_line and token.before.endswith("(") and token.after.rstrip() == ")":
        return False
    attached = re.search(r"[\w./-]*[^\W\d][\w./-]*$", token.before)
    return not attached or attached[0].casefold() in ("gh", ids.home)


def _named_number(token: Token, ids: Ids) -> str:
    """The word task and a number, where the project's tasks are so numbered."""
    number = _NUMBER.fullmatch(token.words)
    noun = _AFTER_NOUN.search(token.before) if number else None
    return ids.names.get(normal(f"{noun[1].removesuffix('s')}-{number[2]}"), "") if noun and number else ""


def _short(token: Token, ids: Ids) -> str:
    """The end of an id, after the word bead; or in brackets, also listed there, and no mere word."""
    known = ids.shorts.get(token.words.casefold(), "")
    if not known or re.search(r"(?i)\bbead:?\s$", token.before):
        return known
    fits = _LISTED_SHORT.search(token.before) and re.match(r"[\]),]", token.after)
    return known if fits and _is_mixed(token.words) else ""


def _is_mixed(short: str) -> bool:
    """Whether a short id is no mere word, and none that people make of letters and digits (e2e, k8s)."""
    return len(short) > 3 and re.search("[0-9]", short) is not None


def _listed(token: Token, ids: Ids) -> str:
    """In a list a number may leave out the prefix of the id before it."""
    number = re.fullmatch("#?([0-9]{1,9})", token.words) if token.follows else None
    prefix = re.match("(.*-|#?)[0-9]+$", token.follows)
    ends = re.match(r"[,;).\]]|\s*$|\s(?:and|or)\b", token.after)
    return ids.names.get(normal(f"{prefix[1]}{number[1]}"), "") if number and prefix and ends else ""


def _in_branch(token: Token, ids: Ids) -> str:
    """A part of a branch's name begins with the id."""
    if token.where != "branch" and not (token.first_line and _MERGED.search(token.before)):
        return ""
    start = ids.start_of(token.words[:LONGEST_WORDS], _JOINTS_OF_A_BRANCH)
    version = start.isdecimal() and token.words[len(start) :].startswith(".")
    return ids.names[normal(start)] if start and not version and re.search(r"(?:^|[/']|from )$", token.before) else ""


def _linked(token: Token, ids: Ids) -> str:
    """The address of an issue of the project's own repository."""
    address = _URL.match(token.words[:LONGEST_WORDS]) if ids.home else None
    return ids.names.get(normal(address[2]), "") if address and address[1].casefold() == ids.home else ""


def _stands_as_id(token: Token) -> bool:
    """In brackets of its own or at the head of a list in them, after a noun, or at the start of the subject."""
    if opened := _STANDS.search(token.before):
        return opened[0] not in "[(" or bool(re.match(r"[\]),]", token.after))
    leads = token.first_line and not token.before.strip()
    return leads and (token.where != "message" or bool(re.match(r":\s|\s[-\u2013\u2014]\s", token.after)))


SPELLINGS = (
    Spelling(
        "address",
        "The address of an issue of the project's own repository.",
        _linked,
        ("45",),
        "message",
        {
            "See https://github.com/acme/proj/issues/45#note": ("45",),
            "See https://github.com/other/proj/issues/45": (),
            "See https://example.org/45": (),
        },
    ),
    Spelling(
        "id",
        "The id itself, in any case, with or without #, with or without leading zeros; `BACK-12` is `task-12`. "
        "One without a hyphen or a point counts in brackets, after a noun, after #, or at the start of the subject.",
        _whole,
        ("TASK-123", "back-12.3", "bd-a1b2.3", "P1-T01", "T7", "F003", "ab-404"),
        "message",
        {
            "Do #TASK-123": ("TASK-123",),
            "feat(BD-A1B2.3): text": ("bd-a1b2.3",),
            "[task-0123] text": ("TASK-123",),
            "BACK-123 - Text": ("TASK-123",),
            "task-12.03, done": ("back-12.3",),
            "(P1-T01) and P1-T01a": ("P1-T01",),
            "T7: text": ("T7",),
            "(F003)": ("F003",),
            "On a T7 machine": (),
            "UTF-8, SHA-256, ISO-8601, CVE-2024-1234, RFC-7231, GPT-4, x86-64, v1.2-3": (),
            "me@ab-404": (),
            "In https://example.org/ab-404": (),
            "TASK-1234 and TASK-12": (),
            "> ab-404 is quoted": (),
            "```\nab-404\n```": (),
        },
    ),
    Spelling(
        "number",
        "A number with # or GH-, or after a noun, where tasks are numbers (`45`, `#45`, `GH-45`, `issue-45`). "
        "Not `(#45)` at the end of the subject: that is a pull request; not an id of another repository.",
        _number,
        ("45", "#1", "issue-2"),
        "message",
        {
            "fixes #45, #2": ("45", "issue-2"),
            "closes GH-45": ("45",),
            "text GH#45": ("45",),
            "issue 45 is done": ("45",),
            "text\n\n(#45)": ("45",),
            "text (#45)": (),
            "other/repo#45": (),
            "repo#45": (),
            "acme/proj#45": ("45",),
            "45 of them, v45, 4.45, #fff, and #456": (),
            "1. the first\n2. the second": (),
        },
    ),
    Spelling(
        "noun",
        "The word task (or issue, bug, ...) and a number, where ids are that word and a number.",
        _named_number,
        ("task-12", "BUG-7"),
        "message",
        {"Finish task 12": ("task-12",), "Bug #7": ("BUG-7",), "12 tasks": (), "issue 12": ()},
    ),
    Spelling(
        "short",
        "The end of an id without the project's prefix: after the word bead; or in brackets, alone or in a list, "
        "if it is no mere word: more than three characters, with a digit.",
        _short,
        ("proj-72sq9", "proj-ib.12", "proj-tests", "proj-e2e", "proj-azg"),
        "message",
        {
            "[72sq9] text": ("proj-72sq9",),
            "text (72sq9, ib.12)": ("proj-72sq9", "proj-ib.12"),
            "Bead azg is done": ("proj-azg",),
            "fix(tests): text": (),
            "test(e2e): text": (),
            "The 72sq9 of it": (),
        },
    ),
    Spelling(
        "list",
        "In a list a number takes the prefix of the id before it.",
        _listed,
        ("TASK-1", "TASK-2", "TASK-3", "45", "#46"),
        "message",
        {
            "TASK-1, TASK-2 and 3": ("TASK-1", "TASK-2", "TASK-3"),
            "TASK-1, 2, 3.": ("TASK-1", "TASK-2", "TASK-3"),
            "fixes #45 and 46": ("45", "#46"),
            "TASK-1 and 2 more": ("TASK-1",),
        },
    ),
    Spelling(
        "branch",
        "The start of a part of a branch's name, also where a merge names the branch.",
        _in_branch,
        ("TASK-12", "12", "bd-a1b2"),
        "branch",
        {
            "feature/TASK-12-slug": ("TASK-12",),
            "task-12_slug": ("TASK-12",),
            "12-fix-login": ("12",),
            "me/bd-a1b2": ("bd-a1b2",),
            "release-12": (),
            "feature/TASK-123-slug": (),
        },
    ),
)
