"""What the words of a task line say: plain title, id, status, what blocks it.

Everything here is linear in the length of the text, whatever the text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dashkit.sources import fields
from dashkit.vocabulary import Status

LONGEST = 1_000  # characters of Markdown; what is longer is no title

# What a sign says in front of a title, and behind it. None: no more than the box does (lists of criteria have a ✅
# before each line); then a word beside it may say more. ❌ is no sign: it says "not yet" and "never do" as often.
SIGNS: dict[str, tuple[Status | None, Status | None]] = {
    **dict.fromkeys("✅✔☑✓", (None, "completed")),
    **dict.fromkeys("🚧🔄", ("in_progress", "in_progress")),
    **dict.fromkeys("🚫⛔🛑⏸", ("blocked", "blocked")),
    "🗑": ("cancelled", "cancelled"),
    **dict.fromkeys("⏳⌛", (None, None)),
}
_DASH = "\u2013\u2014-"  # en, em, hyphen: last, so that it stands for itself in a class
_SIGN = f"([{''.join(SIGNS)}])\ufe0f?"
_WORD = r"(in[ -]progress|wip|completed?|done|blocked|cancell?ed)\b"
_LEADING = re.compile(rf"{_SIGN} ?(?:{_WORD} ?(?=[:{_DASH}]|\Z))?(?:[:|{_DASH}] ?)?", re.IGNORECASE)
_TRAILING = re.compile(rf"(?: ?[:|{_DASH}])? ?{_SIGN}(?: ?{_WORD}[.!]?)?\Z", re.IGNORECASE)
_TAIL = 40  # characters: more than a sign with its word

_BLOCKED_NOTE = re.compile(rf"([(\[]) ?blocked ?(?::|by\b|on\b|(?<= )[{_DASH}] |(?=[)\]]))", re.IGNORECASE)
_BLOCKED_WORD = re.compile(rf"\b(?:BLOCKED(?: (?P<by>(?i:by|on)\b:?)| ?:| [{_DASH}] | ?\Z)|Blocked:)")
_DANGLING = f" :|,;{_DASH}"
_NAMES = re.compile(r"[^\W_]")

# `TASK-12`, `P1-T01`, `T1.2`, `A.1.2`, `T001`; the others only where markup or a colon sets them apart.
_ID = re.compile(
    r"(?P<open>[\[(*_`~]*+)"
    r"(?P<id>[A-Z][A-Z0-9]*-[A-Z]*\d+(?:[-.][A-Z]*\d+)*+|[Tt]ask-\d+(?:\.\d+)*+"
    r"|[A-Z]\d+(?:\.\d+)++|[A-Z](?:\.\d+){2,}+|T\d{2,}+|(?P<bare>T\d|[A-Z]{2,}\d+[A-Z]|[A-Z]\.\d+))"
    r"(?P<close>[\])*_`~]*+:?)(?![\w-])"
)
# These name standards, quarters and releases as often as tasks.
_NO_ID = re.compile(
    r"(?:UTF|SHA|MD|AES|RSA|ED|TLS|SSL|HTTP|ISO|IEC|IEEE|RFC|PEP|ECMA|ES|CVE|CWE|WCAG|UTC|GMT|GPT|COVID|CP|BASE|X)-"
    r"|Q[1-4]-|[VH]\.?\d"
)

# No text holds control characters: NUL stands for a literal piece, \x01 and \x02 enclose a struck one.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LITERAL = re.compile(r"\\([!-/:-@\[-`{-~])|(?<!`)(`++)(.+?)(?<!`)\2(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]*+)\]\((?:[^()\0]|\([^()\0]*+\))*+\)|<(https?://[^\s<>\0]++)>|\[\[([^\[\]]++)\]\]")
_DELIMITER = re.compile(r"\*\*|\*|__|_|~~")
_BEFORE = frozenset(" ([{<\"'\u201c\u2018*_~:,;|>" + _DASH)
_AFTER = frozenset(" )]}>\"'\u201d\u2019*_~.:,;!?|\u2026/" + _DASH)
_DUNDER = re.compile(r"[a-z][a-z0-9_]*")
_STRUCK = re.compile(r"\x01[^\x02]*\x02")
_REMARK = re.compile(rf"[ \[\]:{_DASH}]*+(?:\(.*\))?[ .]*+")


@dataclass(frozen=True)
class Title:
    """A title without its Markdown; `status` is None where the words say nothing about it."""

    text: str
    status: Status | None = None
    blocked_reason: str | None = None
    external_id: str | None = None


def read_title(markdown: str) -> Title:
    """Read what stands behind a box.

    An id stays part of the text (a database may have no other place for it); signs of status do not.
    """
    marked = _plain(without_comments(markdown))
    marked, by_emoji = _take_emoji(marked)
    external_id = _external_id(markdown)
    struck = _is_struck(marked, external_id)
    # What is struck out in part was replaced by the rest.
    text, blocked, reason = _take_block(_unmarked(marked if struck else _STRUCK.sub("", marked)), external_id or "")
    status: Status | None = "cancelled" if struck else by_emoji or ("blocked" if blocked else None)
    return Title(text, status, reason, external_id)


def plain(markdown: str) -> str:
    """Text without emphasis, links, escapes and code marks, on one line; what they hold is kept."""
    return _unmarked(_plain(without_comments(markdown)))


def _unmarked(marked: str) -> str:
    return " ".join(marked.replace("\x01", "").replace("\x02", "").split())


def without_comments(text: str) -> str:
    """Drop each `<!-- ... -->` that closes."""
    kept, start = [], 0
    while (opened := text.find("<!--", start)) >= 0 and (closed := text.find("-->", opened + 4)) >= 0:
        kept.append(text[start:opened])
        start = closed + 3
    return "".join(kept) + text[start:]


def _plain(markdown: str) -> str:
    r"""Plain text in which \x01 and \\x02 still enclose what is struck out."""
    text = _UNFIT.sub("\ufffd", " ".join(markdown.split()))
    literals = [m[1] or m[3] for m in _LITERAL.finditer(text)]
    text = _LINK.sub(lambda m: m[1] or m[2] or m[3] or "", _LITERAL.sub("\0", text))
    text = _without_emphasis(text)
    pieces = iter(literals)
    return re.sub("\0", lambda _: next(pieces), text).strip()


def _without_emphasis(text: str) -> str:
    """Drop delimiters that pair up, by a rule stricter than CommonMark's: globs, products, __init__ stay."""
    opened: dict[str, int] = {}
    dropped: dict[int, tuple[int, str]] = {}
    for match in _DELIMITER.finditer(text):
        mark, start, end = match[0], match.start(), match.end()
        before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
        begin = opened.get(mark, start)
        if begin + len(mark) < start and before != " " and after in _AFTER:
            del opened[mark]
            if mark == "__" and _DUNDER.fullmatch(text, begin + 2, start):
                continue
            struck = mark == "~~"
            dropped[begin] = (len(mark), "\x01" if struck else "")
            dropped[start] = (len(mark), "\x02" if struck else "")
        elif after != " " and before in _BEFORE:
            opened[mark] = start
    return "".join(_replaced(text, dropped))


def _replaced(text: str, pieces: dict[int, tuple[int, str]]) -> Iterator[str]:
    done = 0
    for start in sorted(pieces):
        length, instead = pieces[start]
        yield text[done:start] + instead
        done = start + length
    yield text[done:]


def _take_emoji(text: str) -> tuple[str, Status | None]:
    """Take the signs of status off both ends; the first that says something counts, its word before itself."""
    found: Status | None = None
    while match := _LEADING.match(text) or _TRAILING.search(text, max(0, len(text) - _TAIL)):
        sign, word = match.groups()
        found = found or (fields.status(word)[0] if word else SIGNS[sign][match.re is _TRAILING])
        text = (text[: match.start()] + text[match.end() :]).strip()
    return text, found


def _take_block(text: str, external_id: str) -> tuple[str, bool, str | None]:
    """Take `(blocked: reason)` or `BLOCKED: reason` out: the rest, whether there was one, its reason."""
    if match := _BLOCKED_NOTE.search(text):
        end = _closing(text, match.start())
        reason, rest = text[match.end() : end], f"{text[: match.start()].rstrip()} {text[end + 1 :].lstrip()}"
    elif match := _BLOCKED_WORD.search(text):
        before, after = text[: match.start()].strip(_DANGLING), text[match.end() :]
        # With no word but an id before it, it is a label of the title, not a remark on it.
        is_label = not match["by"] and not _NAMES.search(before.replace(external_id, "", 1))
        rest, reason = (f"{before} {after.lstrip(_DANGLING)}", "") if is_label else (before, after)
    else:
        return text, False, None
    rest = rest.strip(_DANGLING)
    return (rest, True, reason.strip(_DANGLING) or None) if _NAMES.search(rest) else (text, True, None)


def _closing(text: str, start: int) -> int:
    """Where the bracket at `start` closes; the end of the text if it does not."""
    opening = text[start]
    closing, depth = {"(": ")", "[": "]"}[opening], 0
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    return len(text)


def _external_id(markdown: str) -> str | None:
    match = _ID.match(markdown.lstrip(" \ufe0f" + "".join(SIGNS)))
    if match is None or _NO_ID.match(match["id"]):
        return None
    apart = match["open"] or match["close"]
    return None if match["bare"] and not apart else match["id"]


def _is_struck(marked: str, external_id: str | None) -> bool:
    """Whether all of a title is struck out, but for its id and a remark in brackets."""
    outside = _STRUCK.sub("", marked)
    if outside == marked:
        return False
    return _REMARK.fullmatch(outside.replace(external_id or "", "", 1)) is not None
