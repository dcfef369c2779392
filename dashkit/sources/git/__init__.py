"""A git repository as records: `find` it, `refs` and `walk` say which commits, `read` gives them."""

from dashkit.sources.git.commands import UnreadableError
from dashkit.sources.git.reader import CHUNK, read
from dashkit.sources.git.repository import (
    Repository,
    choose,
    find,
    head,
    holds_any,
    reachable,
    refs,
    still_reachable,
    walk,
)

__all__ = [
    "CHUNK",
    "Repository",
    "UnreadableError",
    "choose",
    "find",
    "head",
    "holds_any",
    "reachable",
    "read",
    "refs",
    "still_reachable",
    "walk",
]
