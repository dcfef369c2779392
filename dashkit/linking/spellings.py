"""How an id may be written: the rules, each a row of SPELLINGS. The first that gives an id of the project counts."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from dashkit.linking.ids import Ids, normal

Where = Literal["message", "branch", "title"]

NOUNS = r"(?:issues?|tasks?|bugs?|tickets?|stor(?:y|ies)|epics?|beads?|items?)"
LONGEST_WORDS = 400

_AFTER_NOUN = re.compile(rf"(?i)\b({NOUNS}):?\s$")
_AFTER_BEAD = re.compile(r"(?i)\bbead(s?):?\s$")
_BEAD = re.compile(r"(?i)(bead|bd)-")
_TRAILER = re.compile(
    rf"(?i)^\s{{0,3}}(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|implements?|refs?|references?|see|{NOUNS}):\s{{1,3}}$"
)
# What hosts number like issues, and is none: "PR #45", also in a list.
_OTHER_NOUN = re.compile(
    r"(?i)\b(?:pulls?|pull requests?|prs?|merge requests?|mrs?|discussions?)\b\W{0,3}"
    r"(?:#?\d{1,9}(?:,\s?|\s)(?:(?:and|or)\s)?)*$"
)
_LAST_IN_SUBJECT = re.compile(r"\)(?:\s?\(#\d{1,9}\))*\s*")
_LIST_ENDS = re.compile(r"[,;).\]]|\s*$|\s(?:and|or)\b")
_STANDS = re.compile(rf"(?i)(?:[\[(]|\b{NOUNS}:?\s|\b(?:refs?|fix(?:es|ed)?|close[sd]?|resolve[sd]?):?\s)$")
_NUMBER = re.compile(r"(?i)(#|gh-|)([0-9]{1,9}(?:\.[0-9]{1,9})*)")
_URL = re.compile(r"https?://[^/]+/([\w.-]+/[\w.-]+)/(?:-/)?issues/(\d{1,9})\b", re.IGNORECASE)
_LISTED_SHORT = re.compile(r"(?i)(?:[\[(]|\bbeads:?\s|^\s+)(?:[\w.]+,\s?)*$")
_MERGED = re.compile(r"^Merge .*(?:branch(?:es)? '|' and '|', '|from )(?:[\w.-]+/){0,4}$")
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
        examples: message -> the ids that it names.
    """

    name: str
    meaning: str
    id_of: Callable[[Token, Ids], str]
    project: tuple[str, ...]
    examples: dict[str, tuple[str, ...]]


def _whole(token: Token, ids: Ids) -> str:
    """A code with a joint stands for itself anywhere; one without (T12) only where the place says that it is an id."""
    written = token.words.removeprefix("#")
    known = ids.names.get(normal(written), "")
    if not known or not re.search(r"[^\W\d_]", written):
        return ""
    jointed = re.search("[-.]", written) is not None
    coded = re.search("[0-9]", written) is not None and (token.words[0] == "#" or _stands_as_id(token))
    return known if jointed or coded else ""


def _number(token: Token, ids: Ids) -> str:
    """A number is an id only with a sign or a noun, and only where the project's tasks are numbers."""
    number = _NUMBER.fullmatch(token.words)
    return ids.names.get(normal(number[2]), "") if number and _is_ours(token, number[1], ids) else ""


def _is_ours(token: Token, sign: str, ids: Ids) -> bool:
    """Whether a number is a task of this repository: not other/repo#45, no pull request by its words or its place."""
    if not sign:
        trails = _TRAILER.search(token.before) and _LIST_ENDS.match(token.after)
        return bool(trails or _AFTER_NOUN.search(token.before))
    if token.first_line and token.before.endswith("(") and _LAST_IN_SUBJECT.fullmatch(token.after):
        return False
    if _OTHER_NOUN.search(token.before):
        return False
    attached = re.search(r"[\w./-]*[^\W\d][\w./-]*$", token.before)
    return not attached or attached[0].casefold() in ("gh", ids.home)


def _named_number(token: Token, ids: Ids) -> str:
    """The word task and a number, where the project's tasks are so numbered."""
    number = _NUMBER.fullmatch(token.words)
    noun = _AFTER_NOUN.search(token.before) if number else None
    return ids.names.get(normal(f"{noun[1].removesuffix('s')}-{number[2]}"), "") if noun and number else ""


def _subtask(token: Token, ids: Ids) -> str:
    """A subtask that nobody knows belongs to the task above it."""
    return ids.parent_of(token.words.removeprefix("#"))


def _short(token: Token, ids: Ids) -> str:
    """The end of an id, after the word bead; or in brackets, also listed there, and no mere word."""
    joint, bead = _BEAD.match(token.words), _AFTER_BEAD.search(token.before)
    written = token.words[joint.end() :] if joint else token.words
    is_named = joint[1].casefold() == "bead" if joint else bead and (not bead[1] or re.match(r"[,)]", token.after))
    if is_named:
        return ids.names.get(normal(f"{ids.usual}-{written}"), "")
    fits = joint or (_LISTED_SHORT.search(token.before) and re.match(r"[\]),]", token.after))
    return ids.shorts.get(written.casefold(), "") if fits and _is_mixed(written) else ""


def _is_mixed(short: str) -> bool:
    """Whether a short id is no mere word, and none that people make of letters and digits (e2e, k8s)."""
    return len(short) > 3 and re.search("[0-9]", short) is not None


def _listed(token: Token, ids: Ids) -> str:
    """In a list a number may leave out the prefix of the id before it."""
    number = re.fullmatch("#?([0-9]{1,9})", token.words) if token.follows else None
    prefix = re.match("(.*-|#?)[0-9]+$", token.follows)
    ends = _LIST_ENDS.match(token.after)
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
            "<ab-404@example.org>": (),
            "In https://example.org/ab-404": (),
            "TASK-1234 and TASK-12": (),
            "> ab-404 is quoted": (),
            "```\nab-404\n```": (),
            "text\n\n    ab-404 in a log": (),
        },
    ),
    Spelling(
        "subtask",
        "A subtask that is not known means the task above it, where the project has subtasks.",
        _subtask,
        ("bd-a1b2", "bd-a1b2.1", "TASK-12"),
        {
            "fix(bd-a1b2.7): text": ("bd-a1b2",),
            "TASK-12.2.1 and TASK-12.x": ("TASK-12",),
            "bd-a1b.7, 12.3 and bd-a1b2.go": (),
        },
    ),
    Spelling(
        "number",
        "A number with # or GH-, after a noun, or in a trailer, where tasks are numbers (`45`, `#45`, `GH-45`, "
        "`issue-45`). Not a pull request: said to be one, or `(#45)` at the end of the subject; not an id of another "
        "repository, and not a list that is numbered #1, #2.",
        _number,
        ("45", "#1", "issue-2"),
        {
            "fixes #45, #2": ("45", "issue-2"),
            "closes GH-45": ("45",),
            "text GH#45": ("45",),
            "issue 45 is done": ("45",),
            "text\n\nFixes: 45\nRefs: 2": ("45", "issue-2"),
            "text\n\n(#45)": ("45",),
            "text (#45)": (),
            "text (#45) (#2)": (),
            "Merge pull request #45 from me/text": (),
            "text (PR #45), see PRs #45 and #2": (),
            "Fixes: 45 tests": (),
            "#1 text\n#2 text": (),
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
        {"Finish task 12": ("task-12",), "Bug #7": ("BUG-7",), "12 tasks": (), "issue 12": ()},
    ),
    Spelling(
        "short",
        "The end of an id without the project's prefix: after the word bead; or after bd-, or in brackets, alone or "
        "in a list, if it is no mere word: more than three characters, with a digit.",
        _short,
        ("proj-72sq9", "proj-ib.12", "proj-tests", "proj-e2e", "proj-azg", "proj-7"),
        {
            "[72sq9] text": ("proj-72sq9",),
            "text (72sq9, ib.12)": ("proj-72sq9", "proj-ib.12"),
            "Bead azg is done": ("proj-azg",),
            "(BEAD-azg), bead 007 and bd-72sq9": ("proj-azg", "proj-7", "proj-72sq9"),
            "(beads azg, 72sq9)": ("proj-azg", "proj-72sq9"),
            "fix(tests): text": (),
            "test(e2e): text": (),
            "The 72sq9 of it": (),
            "bd-tests, and beads tests of it": (),
        },
    ),
    Spelling(
        "list",
        "In a list a number takes the prefix of the id before it.",
        _listed,
        ("TASK-1", "TASK-2", "TASK-3", "45", "#46"),
        {
            "TASK-1, TASK-2 and 3": ("TASK-1", "TASK-2", "TASK-3"),
            "TASK-1, 2, 3.": ("TASK-1", "TASK-2", "TASK-3"),
            "fixes #45 and 46": ("45", "#46"),
            "TASK-1 and 2 more": ("TASK-1",),
        },
    ),
    Spelling(
        "branch",
        "The start of a part of a branch's name, where the subject of a merge names the branch.",
        _in_branch,
        ("TASK-12", "12", "bd-a1b2"),
        {
            "Merge branch 'feature/TASK-12-slug'": ("TASK-12",),
            "Merge branches 'task-12_slug' and '12-fix-login'": ("TASK-12", "12"),
            "Merge pull request #9 from me/bd-a1b2": ("bd-a1b2",),
            "Merge branch 'release-12' into TASK-12.x": (),
            "Merge branch 'feature/TASK-123-slug'": (),
            "From feature/12-fix-login": (),
        },
    ),
)
RULES = frozenset({*(rule.name for rule in SPELLINGS), "pattern"})
