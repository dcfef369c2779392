"""Markdown task lists: headings and boxes.

`read` is pure and takes lines; `read_file` owns the file. A task is a list item with a box (`- [ ]`, `* [x]`,
`+ [~]`, `1. [!]`), at any indentation and in block quotes too; front matter, fenced code, HTML comments and
legends hold none. The sign in the box says the status; the words of the title (`titles`) and the fields behind them
(`obsidian`) may say more. Of a merge conflict the first side is read, as the other repeats it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from dashkit.records import Task, TaskList
from dashkit.sources import files, obsidian
from dashkit.sources.obsidian import Line
from dashkit.sources.titles import LONGEST, Title, plain, read_title, without_comments
from dashkit.vocabulary import Status

LARGEST = files.LARGEST

_SIGNS: dict[str, Status] = {
    **dict.fromkeys(" \xa0", "pending"),
    **dict.fromkeys("xX✓✔☑✅", "completed"),
    **dict.fromkeys("~-/", "in_progress"),
    "!": "blocked",
}
_CANCELLED = "-"  # with the sign of Obsidian; without it Kiro writes it for work that has begun
_ENDS = {"completed": "done", "cancelled": "cancelled"}  # status -> the field that says since when
_QUOTE = re.compile(r" *+> ?")
_MARKER = re.compile(r" *+(?:(?:[-*+]|\d{1,9}[.)])(?: ++|\Z))++")
_BOX = re.compile(r"\[(.)\ufe0f?\](?:[ \xa0](.*))?", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})(?: (.*))?", re.DOTALL)
_SETEXT = re.compile(r" {0,3}(?:=++|-++) *+")
_FENCE = re.compile(r" *+(?:(?:[-*+]|\d{1,9}[.)]) ++)*+(?:(`{3,}+)[^`]*|(~{3,}+).*)", re.DOTALL)
_COMMENT = re.compile(r" *+(?:(?:[-*+]|\d{1,9}[.)]) ++)*+<!--")
_YAML_KEY = re.compile(r"[\w-]+ *:")
_CONFLICT = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: |\Z)")

# "Key features" is no legend, "Status key" is.
_BRACKETS = re.compile(r"\([^()]*+\)|\[[^\[\]]*+\]")
_LEGEND = re.compile(
    r".*\blegend|legend\b.*|key|key to\b.*"
    r"|.*\b(?:status|state|task|symbol|sign|icon|emoji|checkbox|progress|completion)s? key"
)


class _Heading(NamedTuple):
    """A heading that is open, at its depth of quotes."""

    depth: int
    level: int
    text: str
    legend: bool


@dataclass(frozen=True)
class _Verbatim:
    """A code block or comment that is open: where it began, what closes it, what it stands in."""

    kind: str
    line: int
    closing: str
    depth: int
    indent: int

    def closes(self, text: str) -> bool:
        """Whether this line ends it."""
        text = text.strip()
        if self.kind == "comment":
            return self.closing in text
        return text.startswith(self.closing) and not text.strip(self.closing[0])

    def holds(self, depth: int, text: str) -> bool:
        """Whether this line is still within the quote and the list item that it stands in."""
        return depth == self.depth and (not text.strip() or _indent(text) >= self.indent)


def read(lines: Iterable[str], *, everything: bool = False) -> TaskList:
    """Read a task list from its lines, with or without their line ends. Nothing in them is an error.

    Args:
        lines: the text.
        everything: the boxes of legends are tasks too.
    """
    rows = [line.rstrip("\r\n").expandtabs(4) for line in lines]
    rows[:1] = [row.removeprefix("\ufeff") for row in rows[:1]]
    reader = _Reader(everything, _conflicts(rows), obsidian.named_ids(rows))
    for number in range(_front_matter(rows) + 1, len(rows) + 1):
        reader.take(number, rows[number - 1])
    return reader.finish()


def read_bytes(data: bytes, _name: str = "", /, *, everything: bool = False) -> TaskList:
    """Read one version of a file, whatever its encoding and line ends."""
    text, notes = files.decode(data)
    found = read(files.lines(text), everything=everything)
    return replace(found, notes=(*notes, *found.notes))


def read_file(path: str | Path, *, everything: bool = False) -> TaskList:
    """Read a task list from a file.

    Raises:
        RefusedError: there is no such file, it cannot be read, or it is too large for a task list.
    """
    return read_bytes(files.load(path, "Markdown file", "a task list", LARGEST), everything=everything)


def _front_matter(rows: Sequence[str]) -> int:
    """How many lines of YAML front matter there are; a rule at the top of a page is none."""
    if not rows or rows[0].rstrip() != "---":
        return 0
    first = next((row for row in rows[1:] if row.strip() and not row.startswith("#")), "")
    if not _YAML_KEY.match(first):
        return 0
    return next((n for n, row in enumerate(rows[1:], 2) if row.rstrip() in ("---", "...")), 0)


def _conflicts(rows: Sequence[str]) -> dict[int, range]:
    """The merge conflicts, by the line in which one begins: the lines from where its first side ends to its end."""
    found: dict[int, range] = {}
    begin = middle = 0
    for number, row in enumerate(rows, 1):
        mark = _CONFLICT.match(row)
        match mark and mark[1][0]:
            case "<":
                begin, middle = number, 0
            case "|" | "=":
                middle = middle or number
            case ">" if begin and middle:
                found[begin], begin = range(middle, number + 1), 0
    return found


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _unquote(line: str, most: int | None = None) -> tuple[int, str]:
    """Take quote marks off a line, `most` of them at most: how many there were, and the rest."""
    depth = start = 0
    while depth != most and (mark := _QUOTE.match(line, start)):
        depth, start = depth + 1, mark.end()
    return depth, line[start:]


@dataclass
class _Reader:
    """The state between lines."""

    everything: bool = False
    conflicts: Mapping[int, range] = field(default_factory=dict)
    ids: Collection[str] = ()  # the mere words that are ids
    unread: range = range(0)  # the rest of a conflict
    tasks: list[Task] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)  # of tasks with two ids: in the fields -> in the title
    notes: list[str] = field(default_factory=list)
    left_out: int = 0
    skipped: int = 0
    headings: list[_Heading] = field(default_factory=list)
    legend: bool = False  # under a line such as "**Legend:**"
    items: list[int] = field(default_factory=list)  # columns where the content of open list items begins
    verbatim: _Verbatim | None = None
    above: str | None = ""  # the one line of the paragraph so far; "" between paragraphs, None if it is no candidate

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        if number in self.unread:
            self.skipped += _CONFLICT.match(line) is not None
            return
        if self.verbatim is not None:
            depth, text = _unquote(line, self.verbatim.depth)
            if self.verbatim.holds(depth, text):
                if self.verbatim.closes(text):
                    self.verbatim = None
                return
            self.verbatim = None
        if number in self.conflicts:
            self.unread = self.conflicts[number]
            self.skipped += 1
            first, last = self.unread[0], self.unread[-1]
            self.notes.append(f"line {number}: a merge conflict; its lines from {first} to {last} were not read")
            return
        depth, text = _unquote(line)
        self._leave(depth, text)
        if not text.strip():
            self.above = ""
        elif not self._begin_verbatim(number, depth, text) and not self._heading(depth, text):
            self._item_or_text(number, text)

    def finish(self) -> TaskList:
        """Everything read."""
        if self.verbatim is not None:
            kind, line = self.verbatim.kind, self.verbatim.line
            self.notes.append(f"line {line}: a {kind} begins and does not end; no task after it was read")
        tops = {task.headings[0] for task in self.tasks if task.headings}
        title = tops.pop() if len(tops) == 1 else None
        left_out = {"legend": self.left_out} if self.left_out else {}
        tasks = tuple(self._connected(task) for task in self.tasks)
        unread = tuple((date, f", line {task.line}") for task in tasks for date in task.unread_dates)
        return TaskList(tasks, title, left_out, self.skipped, tuple(self.notes), unread)

    def _connected(self, task: Task) -> Task:
        """The task with the ids of others as they are in their titles, where they have two; never its own."""
        if not task.depends_on:
            return task
        others = (self.aliases.get(other, other) for other in task.depends_on)
        return replace(task, depends_on=tuple(other for other in others if other != task.external_id))

    def _leave(self, depth: int, text: str) -> None:
        """Close the quotes and list items that this line is no longer part of."""
        while self.headings and self.headings[-1].depth > depth:
            self.headings.pop()
        if text.strip():
            indent = _indent(text)
            while self.items and self.items[-1] > indent:
                self.items.pop()

    def _begin_verbatim(self, number: int, depth: int, text: str) -> bool:
        indent = self.items[-1] if self.items else 0
        if fence := _FENCE.fullmatch(text):
            self.verbatim = _Verbatim("code block", number, fence[1] or fence[2], depth, indent)
        elif comment := _COMMENT.match(text):
            if "-->" not in text[comment.end() :]:
                self.verbatim = _Verbatim("comment", number, "-->", depth, indent)
        else:
            return False
        self.above = ""
        return True

    def _heading(self, depth: int, text: str) -> bool:
        """Whether the line is a heading, or the line under one (of a paragraph of one line alone)."""
        if atx := _ATX.fullmatch(text):
            level, words = len(atx[1]), (atx[2] or "").rstrip()
            bare = words.rstrip("#")
            words = bare if not bare or bare.endswith(" ") else words
        elif self.above and _SETEXT.fullmatch(text):
            level, words = 1 if "=" in text else 2, self.above
        else:
            return False
        while self.headings and self.headings[-1][:2] >= (depth, level):
            self.headings.pop()
        if title := plain(words[:LONGEST]):
            self.headings.append(_Heading(depth, level, title, _is_legend(title)))
        self.above, self.legend = "", False
        return True

    def _item_or_text(self, number: int, text: str) -> None:
        marker = _MARKER.match(text)
        if marker is None:
            text = text.strip()
            self.above = text if self.above == "" and not self.items else None
            self.legend = text.endswith((":", "**", "__")) and _is_legend(text)
            return
        self.above = None
        self.items.append(marker.end())
        if box := _BOX.fullmatch(text, marker.end()):
            self._box(number, box[1], (box[2] or "").strip())

    def _box(self, number: int, sign: str, words: str) -> None:
        legend = self.legend or any(heading.legend for heading in self.headings)
        if legend and not self.everything:
            self.left_out += 1
            return
        words = without_comments(words)
        line = obsidian.read(words, self.ids)
        if sign not in _SIGNS:
            # "[1] Smith et al." is a reference.
            if sign.isalnum() and not line.has_fields:
                return
            self.notes.append(f"line {number}: the sign in the box is not known, and the task is read as open")
        title = read_title(_cut(line.text))
        if not title.text:  # what would be fields behind a title is all that there is
            line, title = Line(words), read_title(_cut(words))
        if len(line.text) > LONGEST:
            self.notes.append(f"line {number}: the title has {len(line.text):,} characters; kept {LONGEST:,}")
        if title.text:
            self.tasks.append(self._task(number, sign, line, title))
        else:
            self.skipped += 1
            self.notes.append(f"line {number}: the box has no title")

    def _task(self, number: int, sign: str, line: Line, title: Title) -> Task:
        status = _status(sign, line, title)
        external_id, alias = title.external_id, line.facts.get("id")
        if external_id and alias:
            self.aliases[alias] = external_id
        return Task(
            title=title.text,
            status=status,
            checked=status == "completed",
            headings=tuple(heading.text for heading in self.headings),
            external_id=external_id or alias,
            blocked_reason=title.blocked_reason if status == "blocked" else None,
            line=number,
            priority=line.facts.get("priority"),
            depends_on=line.depends_on,
            created_at=line.dates.get("created"),
            completed_at=line.dates.get(_ENDS.get(status, "")),
            due_at=line.dates.get("due"),
            planned=line.planned,
            unread_dates=line.unread,
        )


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else words[:LONGEST] + "…"


def _status(sign: str, line: Line, title: Title) -> Status:
    """What the sign in the box says and, where it is not ticked, the words behind it."""
    if sign == _CANCELLED and line.is_cancelled:
        return "cancelled"
    status = _SIGNS.get(sign, "pending")
    return status if status == "completed" else title.status or status


def _is_legend(heading: str) -> bool:
    """Whether a heading says so, whatever stands in brackets behind it."""
    words = re.sub(r"[^\w ]+", " ", _BRACKETS.sub(" ", heading).casefold())
    return _LEGEND.fullmatch(" ".join(words.split())) is not None
