"""References to tasks as people write them in commits, branches and titles: find them, and resolve them to tasks.

What the words around an id say of the work is a row in ROLES; how an id may be written is told in spellings.py.
An id counts only if the project has it, so UTF-8 is none and an unknown task makes no noise.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dashkit import times
from dashkit.linking.ids import Ids, normal
from dashkit.linking.spellings import LONGEST_WORDS, NOUNS, SPELLINGS, Token, Where
from dashkit.records import Reference

_TOKEN = re.compile(r"https?://[\w./:#?=&%~+@-]+|#?\w+(?:[-.]\w+)*")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_AND = re.compile(r"\s{0,2}(?:,(?:\s?and)?|;|/|&|\+|and|or)\s{0,2}")
_NEAR = 60  # characters of a line that a rule sees before and after a token
_LONGEST_TEXT = 100_000  # nobody refers to a task after so much text
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_LINGERS = timedelta(hours=1)  # a commit may follow the close of its task


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
    undone = text.startswith("Revert ")
    found = []
    for number, line in _lines(text[:_LONGEST_TEXT]) if ids.names else ():
        for known, rule, words, before in _in_line(line, where, ids, first_line=number == 1):
            role = "refs" if "branch" in (where, rule) else _role(before)
            found.append(Reference(known, "reverts" if undone else role, rule, words, f"{where}, line {number}"))
    return found


def _role(before: str) -> str:
    """What the words before an id say of the work."""
    return next(role.name for role in ROLES if role.shape.search(before))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, without quotations and closed fences of code."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE.match(line)]
    closed = set(fences[: len(fences) // 2 * 2])
    inside = False
    for number, line in enumerate(lines):
        if number in closed:
            inside = not inside
        elif not inside and not line.lstrip().startswith(">"):
            yield number + 1, line


def _in_line(line: str, where: Where, ids: Ids, *, first_line: bool) -> Iterator[tuple[str, str, str, str]]:
    """Each reference of a line: the id, the rule, the words, and what stands before it or before its list."""
    end, taken, follows, before = 0, 0, "", ""
    for start, stop, own in _places(line, ids):
        if start < taken:
            continue
        gap = line[end:start] if start - end < 10 else "no list"
        follows = follows if follows and _AND.fullmatch(gap) else ""
        near, words = line[max(0, start - _NEAR) : start], line[start:stop]
        token = Token(words, near, line[stop : stop + _NEAR], where, first_line, follows)
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


@dataclass(frozen=True)
class Named:
    """A task that texts may name, with the life that tells it from another of the same id.

    Args:
        task_id: the task.
        ids: every id that it has or had, as the trackers write them.
        source: what recorded it; one source holds an id once, so its next task of that id ends this one's life.
        created_at: stored form, as are the others; None is not known.
        closed_at: when it was finished.
        gone_at: when its source no longer had it.
    """

    task_id: int
    ids: tuple[str, ...]
    source: str = ""
    created_at: str | None = None
    closed_at: str | None = None
    gone_at: str | None = None


@dataclass(frozen=True)
class Said:
    """A text that belongs to a commit, and the commit's time in the stored form."""

    sha: str
    at: str
    text: str
    where: Where = "message"


@dataclass(frozen=True)
class Link:
    """A commit did work on a task: how sure, and by what evidence."""

    task_id: int
    sha: str
    confidence: float
    link_type: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Ambiguous:
    """An id in a commit that means one of several tasks, nobody knows which: counted, never guessed."""

    sha: str
    external_id: str
    task_ids: tuple[int, ...]


def link(
    tasks: Iterable[Named], said: Iterable[Said], home: str = "", patterns: Iterable[str] = ()
) -> tuple[list[Link], list[Ambiguous]]:
    """The explicit links of one project: which commit names which task, each pair once with its strongest role.

    Args:
        tasks: the project's tasks.
        said: the texts of the commits of the project's repositories.
        home: the repository, as owner/name or its address.
        patterns: the project's own patterns of ids.

    Raises:
        UsageError: a pattern is not safe.
    """
    everyone = list(tasks)
    bearers: dict[str, list[Named]] = {}
    for task in everyone:
        for known in {normal(each) for each in task.ids if each}:
            bearers.setdefault(known, []).append(task)
    ids = Ids.of((each for task in everyone for each in task.ids), home, patterns)
    links: dict[tuple[int, str], Link] = {}
    open_ones: dict[tuple[str, str], Ambiguous] = {}
    for each in said:
        for reference in find(each.text, each.where, ids):
            known = normal(reference.external_id)
            meant = _alive(bearers[known], each.at)
            if len(meant) == 1:
                _keep(links, meant[0].task_id, each.sha, reference)
            else:
                task_ids = tuple(task.task_id for task in meant)
                open_ones.setdefault((each.sha, known), Ambiguous(each.sha, reference.external_id, task_ids))
    return list(links.values()), list(open_ones.values())


_STRENGTH = {role.name: place for place, role in enumerate(ROLES)}


def _keep(links: dict[tuple[int, str], Link], task_id: int, sha: str, reference: Reference) -> None:
    """Keep a reference as the evidence of its pair, unless an earlier one says more."""
    kept = links.get((task_id, sha))
    if kept is None or _STRENGTH[reference.role] < _STRENGTH[kept.evidence["role"]]:
        evidence = {name: getattr(reference, name) for name in ("rule", "role", "words", "where")}
        links[task_id, sha] = Link(task_id, sha, 1.0, "explicit", evidence)


def _alive(bearers: list[Named], at: str) -> list[Named]:
    """Which tasks an id may have meant at a time: one where lifetimes tell, else all that it may be."""
    now = times.parse(at)
    if len(bearers) == 1 or now is None:
        return bearers
    newest: dict[str, tuple[datetime, list[Named]]] = {}
    for task in bearers:
        born = times.parse(task.created_at) or _ALWAYS
        held, holders = newest.get(task.source, (_ALWAYS, []))
        if born <= now and born >= held:
            newest[task.source] = (born, [*holders, task] if born == held else [task])
    candidates = [task for _, holders in newest.values() for task in holders]
    living = [task for task in candidates if not _ended(task, now)]
    return living or candidates or bearers


def _ended(task: Named, now: datetime) -> bool:
    """Whether a task was over well before a time; a commit may follow the close at once."""
    ends = [end for end in (times.parse(task.closed_at), times.parse(task.gone_at)) if end]
    return bool(ends) and now - min(ends) > _LINGERS
