"""Text from outside, made fit for a terminal."""

import unicodedata

# Joiners shape emoji and several scripts, and move nothing.
_HARMLESS = "\u200c\u200d"


def plain(text: object, width: int | None = None) -> str:
    r"""One line in which characters that act or hide (escape, bidi) are shown as `\x1b`, `\u202e`.

    Args:
        text: anything; None is empty.
        width: at most so many characters, the last one then being an ellipsis.
    """
    line = "" if text is None else " ".join(str(text).split())
    shown = "".join(map(_visible, line))
    return shown if width is None or len(shown) <= width else shown[: max(0, width - 1)] + "…"


def plain_lines(text: object) -> str:
    """A text of several lines with the same characters shown; its line breaks and spaces stay."""
    return "\n".join("".join(map(_visible, line)) for line in str(text).split("\n"))


def _visible(char: str) -> str:
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in _HARMLESS
    return char.encode("unicode_escape").decode("ascii") if hidden else char
