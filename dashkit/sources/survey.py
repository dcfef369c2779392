"""Which files of a repository hold tasks: found by name and a look, vendored folders and templates left out."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Of other people's work, of tools and of builds: what lies there are not this project's tasks.
VENDORED = frozenset(
    {
        *("node_modules", "vendor", "third_party", "site-packages", "bower_components", "Pods", "Carthage"),
        *("dist", "build", "target", "__pycache__", ".tox", ".eggs", ".cache", ".next", "venv", ".venv", "env"),
        *(".git", ".hg", ".svn", ".dashkit", ".idea", ".vscode"),
    }
)
_TEMPLATE = re.compile(r"template|\.github/|(^|/)(license|changelog|code_of_conduct|security)\b", re.IGNORECASE)
_NAMED = re.compile(r"to-?do|task|roadmap|backlog|plan|checklist|milestone|sprint", re.IGNORECASE)
_BOX = re.compile(rb"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[[ xX~!-]\][ \t]+\S", re.MULTILINE)
_LARGEST = 8 * 2**20  # bytes of a Markdown file that is looked into
FEWEST = 3  # boxes that make a list of a file whose name says nothing


@dataclass(frozen=True)
class Survey:
    """The task files of a repository, and what was left out, by reason."""

    files: tuple[Path, ...]
    left_out: dict[str, int]


def survey(root: Path) -> Survey:
    """Find the task files below a folder, at any depth."""
    found: list[Path] = []
    left_out = {"templates and the like": 0, "files with fewer than 3 boxes": 0}
    backlog = root / "backlog"
    if (backlog / "tasks").is_dir():
        found.append(backlog)
    for name in sorted(_walk(root)):
        path = root / name
        if path.name == "issues.jsonl" and path.parent.name == ".beads" and path.is_file():
            found.append(path)
        elif path.suffix.lower() in (".md", ".markdown") and not (found[:1] == [backlog] and backlog in path.parents):
            boxes = _boxes(path)
            if not boxes:
                continue
            if _TEMPLATE.search(name):
                left_out["templates and the like"] += 1
            elif boxes < FEWEST and not _NAMED.search(path.stem):
                left_out["files with fewer than 3 boxes"] += 1
            else:
                found.append(path)
    return Survey(tuple(found), {reason: count for reason, count in left_out.items() if count})


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in VENDORED)
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in files)  # noqa: PTH118 - strings


def _boxes(path: Path) -> int:
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
            return 0
        return len(_BOX.findall(path.read_bytes()))
    except OSError:
        return 0
