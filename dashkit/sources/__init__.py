"""Where records come from: one file per source, bytes or files in, records out."""

import re
from itertools import islice
from pathlib import Path
from typing import Protocol

from dashkit.records import Skip, Task, TaskList
from dashkit.sources import backlog, beads, files, github, tasklist

_HEAD = 2**18  # bytes that show what a file is: the text of an issue, which comes first in it, is shorter
_LOOKS = 50  # lines of a file, or files of a folder
_TASKS = frozenset(folder.rpartition("/")[2] for folder in backlog.FOLDERS)
_ISSUES = re.compile(rb"\s*\[\s*\{.*\"number\"\s*:\s*\d", re.DOTALL)


class Source(Protocol):
    """What each module of task files offers. Where `everything` is asked for, no rule leaves a record out.

    LARGEST: bytes of one file; what is larger is refused.
    """

    LARGEST: int

    def read_file(self, path: str | Path, *, everything: bool = False) -> TaskList:
        """Read what lies there now."""

    def read_bytes(self, data: bytes, name: str = "", /, *, everything: bool = False) -> TaskList:
        """Read one version of one file; its name is its path, with slashes."""


SOURCES: dict[str, Source] = {"backlog": backlog, "beads": beads, "github": github, "tasklist": tasklist}


def detect(path: str | Path) -> str | None:
    """The source that a file or folder is of, by its name and a look into it; None where it is of none."""
    path = Path(path)
    if path.is_dir():
        return "backlog" if _is_backlog(path) and (_is_configured(path) or _has_pages(path)) else None
    match path.suffix.lower():
        case ".jsonl":
            return "beads" if path.parent.name == beads.FOLDER or _has_beads(path) else None
        case ".json":
            return "github" if _ISSUES.match(_head(path)) else None
        case ".md" | ".markdown" | ".txt":
            above = path.parents[1:3] if path.parent.name in _TASKS else ()
            return "backlog" if any(map(_is_backlog, above)) and _has_front_matter(path) else "tasklist"
    return None


def _is_backlog(folder: Path) -> bool:
    return folder.name in backlog.NAMES or (_has_config(folder) and (folder / "tasks").is_dir())


def _is_configured(folder: Path) -> bool:
    """Whether nothing but its name and its configuration is needed to know it: it may hold no task just now."""
    return folder.name in backlog.NAMES and _has_config(folder)


def _has_config(folder: Path) -> bool:
    return any((folder / f"config.{end}").is_file() for end in ("yml", "yaml"))


def _has_pages(folder: Path) -> bool:
    return any(map(_has_front_matter, islice(backlog.pages(folder), _LOOKS)))


def _has_front_matter(path: Path) -> bool:
    return not isinstance(backlog.parse_record(files.decode(_head(path))[0], "", everything=True), Skip)


def _has_beads(path: Path) -> bool:
    lines = _head(path).split(b"\n")[:_LOOKS]
    return any(isinstance(beads.parse_record(line, everything=True), Task) for line in lines)


def _head(path: Path) -> bytes:
    """The first bytes of a file, or none where there is no such file."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(_HEAD)
    except (OSError, ValueError):
        pass
    return b""
