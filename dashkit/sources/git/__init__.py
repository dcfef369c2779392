"""A git repository as records: `find` it, `refs` and `walk` say which commits, `read` gives them."""

from dashkit.sources.git.reader import CHUNK, read
from dashkit.sources.git.repository import Repository, choose, find, reachable, refs, still_reachable, walk

__all__ = ["CHUNK", "Repository", "choose", "find", "reachable", "read", "refs", "still_reachable", "walk"]
