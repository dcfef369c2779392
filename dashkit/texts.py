"""What a person writes, and dashkit keeps: no character of it acts on the terminal or the page that shows it."""

import re
import shlex
from pathlib import Path

LONGEST = 2_000  # characters

_REFUSED = (
    (re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"), "it holds a control character"),
    (re.compile("[\u202a-\u202e\u2066-\u2069]"), "it holds a character that turns the direction of writing"),
    (re.compile("[\ud800-\udfff]"), "it holds half of a character"),
)
# Blanks, and what takes no room: joiners, marks of direction, fillers.
_UNSEEN = re.compile("[\\s\u00ad\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]*")


def trouble(text: str) -> str:
    r"""Which character a text holds that acts or hides, as a clause; '' where none. Allowed are `\t`, `\r` and `\n`."""
    for pattern, why in _REFUSED:
        if found := pattern.search(text):
            return f"{why}, {found[0].encode('unicode_escape').decode('ascii')}"
    return ""


def kept(text: str, longest: int = LONGEST) -> str:
    r"""The text as it is kept: without blanks around it, and with `\n` for every line break; empty: nothing is seen.

    Raises:
        ValueError: why it is not kept: it is longer than `longest` characters, or `trouble` says it.
    """
    if why := trouble(text):
        raise ValueError(why)
    plain = "\n".join(text.strip().splitlines())
    if len(plain) > longest:
        raise ValueError(f"it is longer than {longest:,} characters: it has {len(plain):,}")
    return "" if _UNSEEN.fullmatch(plain) else plain


def by_sqlite3(path: Path, command: str, target: Path) -> str:
    """A command of the program sqlite3, such as `.backup`, as a command of the shell."""
    return shlex.join(["sqlite3", str(path), f'.{command} "{target}"'])


def typed_into_sqlite3(name: str | Path) -> str:
    """Where the SQL of a message is typed, and how a copy is made first."""
    path = Path(name)
    copied = by_sqlite3(path, "backup", path.with_name(f"{path.stem}.copy.db"))
    started = shlex.join(["sqlite3", str(path)])
    return f"SQL is typed into the program sqlite3, which `{started}` starts. Make a copy first: `{copied}`."
