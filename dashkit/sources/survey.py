"""Which files of a repository hold tasks: found by name and a look, vendored folders and templates left out."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashkit.sources import backlog, beads, beads_store, detect

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
_TEMPLATES = "templates and the like"
_FEW = f"files with fewer than {FEWEST} boxes"
_STORES = "stores of Beads without a file, which only the tool bd can read"


@dataclass(frozen=True)
class Survey:
    """The task files of a repository, and what was left out, by reason."""

    files: tuple[Path, ...]
    left_out: dict[str, int]


def survey(root: Path) -> Survey:
    """Find the task files below a folder, at any depth."""
    found: list[Path] = []
    left_out = dict.fromkeys((_TEMPLATES, _FEW, _STORES), 0)
    folders = [root / name for name in backlog.NAMES if _is_here(root / name, root) and detect(root / name)]
    found += folders
    for name in sorted(_walk(root)):
        path = root / name
        if path.name == beads.FOLDER:
            issues = path / "issues.jsonl"
            if _is_here(issues, root) or (beads_store.find(path) and beads_store.command(path)):
                found.append(issues)
            elif beads_store.find(path):
                left_out[_STORES] += 1
        elif path.suffix.lower() in (".md", ".markdown") and not any(folder in path.parents for folder in folders):
            boxes = _boxes(path)
            if not boxes:
                continue
            if _TEMPLATE.search(name):
                left_out[_TEMPLATES] += 1
            elif boxes < FEWEST and not _NAMED.search(path.stem):
                left_out[_FEW] += 1
            else:
                found.append(path)
    return Survey(tuple(found), {reason: count for reason, count in left_out.items() if count})


def _is_here(path: Path, root: Path) -> bool:
    """Whether there is such a file or folder in the repository itself, wherever symbolic links lead."""
    return path.exists() and path.resolve().is_relative_to(root.resolve())


def _walk(root: Path) -> Iterator[str]:
    """The paths of all files and of the folders of Beads, of which the insides are not looked at."""
    for folder, folders, files in os.walk(root):
        entries = [*files, *(name for name in folders if name == beads.FOLDER)]
        folders[:] = sorted(name for name in folders if name not in VENDORED and name != beads.FOLDER)
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in entries)  # noqa: PTH118 - strings


def _boxes(path: Path) -> int:
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
            return 0
        return len(_BOX.findall(path.read_bytes()))
    except OSError:
        return 0
