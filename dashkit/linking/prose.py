"""What of a text its author says: the lines that are neither quoted, nor code, nor a numbered list's own numbers."""

import re
from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_INDENTED = re.compile(r" {4}| {0,3}\t")
_ITEM = re.compile(r"\s*(?:[-*+\u2022]|[0-9]{1,9}[.)])\s")
_HASHED = re.compile(r"\s{0,8}(?:[-*+]\s)?#([0-9]{1,4})[.):]?\s")


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, from 1.

    Left out are quotations (>), closed fences, and code as Markdown has it: indented by four, behind an empty line,
    not in a list. Of a list that is numbered #1, #2 the numbers are taken away.
    """
    everything = text.split("\n")
    fences = [number for number, line in enumerate(everything) if _FENCE.match(line)]
    closed = set(fences[: len(fences) // 2 * 2])
    counted = _counted(everything)
    fenced = code = listed = blank = False
    for number, line in enumerate(everything):
        if number in closed:
            fenced = not fenced
        elif line and not line.isspace() and not fenced:
            indented = _INDENTED.match(line) is not None
            is_item = _ITEM.match(line) is not None
            code = indented and not is_item and not listed and (code or blank)
            listed = is_item or (listed and (indented or line[0].isspace() or not blank))
            if not code and not line.lstrip().startswith(">"):
                yield number + 1, line.replace("#", " ", 1) if number in counted else line
        blank = not line or line.isspace()


def _counted(everything: Sequence[str]) -> set[int]:
    """The lines that begin with #1, #2 and so on: a list, and no references."""
    items: list[int] = []
    for number, line in enumerate(everything):
        head = _HASHED.match(line)
        if head and int(head[1]) == len(items) + 1:
            items.append(number)
    return set(items) if len(items) > 1 else set()
