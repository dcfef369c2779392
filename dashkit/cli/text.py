"""Text for a terminal: from outside, made fit for it; and how fast the work goes."""

import argparse
import sys
import time
from collections.abc import Callable

# Joiners shape emoji and several scripts, and move nothing.
_HARMLESS = "\u200c\u200d"


def plain(text: object, width: int | None = None) -> str:
    r"""One line in which characters that act or hide (escape, bidi) are shown as `\x1b`, `\u202e`.

    Args:
        text: anything; None is empty.
        width: at most so many characters, the last one then being an ellipsis.
    """
    line = "" if text is None else " ".join(str(text).split())
    shown = _shown(line)
    return shown if width is None or len(shown) <= width else shown[: max(0, width - 1)] + "…"


def plain_lines(text: object) -> str:
    """A text of several lines with the same characters shown; its line breaks and spaces stay."""
    return "\n".join(map(_shown, str(text).split("\n")))


def helping(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """What to run where nothing more was typed: print what there is."""

    def run(_args: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    return run


def project(text: str) -> str:
    """An empty name is a variable that was not set, and must not mean all projects."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a project, or leave --project away")
    return text


def tell(note: str) -> None:
    """Say something beside the output, if there is something to say."""
    if note:
        print(plain(note), file=sys.stderr)


class Speed:
    """How many are done of how many, how fast, and how long the rest will take."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def words(self, done: int, total: int) -> str:
        """What is to be said now; when all are done, the clock of the next ones begins."""
        from dashkit.times import show_seconds

        now = time.monotonic()
        speed = done / max(now - self._started, 1e-6)
        left = show_seconds((total - done) / speed) if 0 < done < total else "0 s"
        if done == total:
            self._started = now
        return f"{done:,} of {total:,} commits, {speed:,.0f} a second, {left} left"


def _shown(line: str) -> str:
    if line.isprintable():  # which every line is, but for hostile ones and a few signs
        return line
    import unicodedata

    acting = {char for char in line if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in _HARMLESS}
    return "".join(char.encode("unicode_escape").decode("ascii") if char in acting else char for char in line)
