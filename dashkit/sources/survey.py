"""Which files of a repository hold tasks: found by name and a look, vendored folders and templates left out."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dashkit.sources import backlog, beads, beads_store, detect

# Of other people's work and of builds: what lies there are not this project's tasks.
VENDORED = frozenset(
    {
        *("node_modules", "vendor", "third_party", "site-packages", "bower_components", "Pods", "Carthage"),
        *("dist", "build", "target", "venv", ".venv", "env"),
    }
)
# Of tools, which nobody writes in: not worth a word.
_TOOLS = frozenset(
    {
        *("__pycache__", ".tox", ".eggs", ".cache", ".next"),
        *(".git", ".hg", ".svn", ".dashkit", ".idea", ".vscode"),
    }
)
_TEMPLATE = re.compile(r"template|\.github/|(^|/)(license|changelog|code_of_conduct|security)\b", re.IGNORECASE)
_NAMED = re.compile(r"to-?do|task|roadmap|backlog|plan|checklist|milestone|sprint", re.IGNORECASE)
# Beside a tracker: the boxes of a plan or a design are no tasks, unless its name says that they are.
_LISTED = re.compile(r"(?<![a-z])(to-?dos?|tasks?([-_ ]?lists?)?|roadmap)(?![a-z])", re.IGNORECASE)
_BOX = re.compile(rb"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[(?:[ xX]|[^\w\s\[\]])\][ \t]+\S", re.MULTILINE)
_LARGEST = 8 * 2**20  # bytes of a Markdown file that is looked into
FEWEST = 3  # boxes that make a list of a file whose name says nothing
_TEMPLATES = "templates and the like"
_FEW = f"files with fewer than {FEWEST} boxes"
_BESIDE = "documents with boxes beside a tracker"
SWITCHABLE = frozenset({_TEMPLATES, _FEW, _BESIDE})  # what `everything` takes in
_FOREIGN = "vendored and build folders"
_EXCLUDED = "files and folders of the setting exclude"
_STORES = "stores of Beads without a file, which only the tool bd can read"


@dataclass(frozen=True)
class Survey:
    """The task files of a repository, and what was left out, by reason."""

    files: tuple[Path, ...]
    left_out: dict[str, int]


def survey(root: Path, *, source: str = "auto", everything: bool = False, exclude: Sequence[str] = ()) -> Survey:
    """Find the task files below a folder, at any depth.

    Args:
        root: the folder.
        source: the kind that is wanted; where lists are, they are no less wanted beside a tracker.
        everything: no rule leaves a file out for what it is called, or for its few boxes.
        exclude: globs of files and folders in it to leave out.
    """
    left_out = Counter(dict.fromkeys((_BESIDE, _TEMPLATES, _FEW, _STORES, _FOREIGN, _EXCLUDED), 0))
    folders = [
        root / name
        for name in backlog.NAMES
        if _is_here(root / name, root) and not is_excluded(name, exclude) and detect(root / name)
    ]
    found, documents = [*folders], set()
    for name in sorted(_walk(root, exclude, left_out)):
        path = root / name
        if path.name == beads.FOLDER:
            issues = path / "issues.jsonl"
            if _is_here(issues, root) or (beads_store.find(path) and beads_store.command(path)):
                found.append(issues)
            elif beads_store.find(path):
                left_out[_STORES] += 1
        elif path.suffix.lower() in (".md", ".markdown") and not any(folder in path.parents for folder in folders):
            if not (boxes := _boxes(path)):
                continue
            if not everything and (reason := _why_not(name, boxes)):
                left_out[reason] += 1
            else:
                found.append(path)
                documents |= set() if everything or _LISTED.search(path.stem) else {path}
    if source == "auto" and any(path in folders or _is_tracker(path) for path in found):
        left_out[_BESIDE] = len(documents)
        found = [path for path in found if path not in documents]
    return Survey(tuple(found), {reason: count for reason, count in left_out.items() if count})


def _why_not(name: str, boxes: int) -> str | None:
    """Why a Markdown file with boxes is no list of tasks, wherever it lies."""
    if _TEMPLATE.search(name):
        return _TEMPLATES
    return _FEW if boxes < FEWEST and not _NAMED.search(Path(name).stem) else None


def is_excluded(name: str, globs: Sequence[str]) -> bool:
    """Whether a file or folder, or one that it is in, is of these globs; `*` is any text, slashes too."""
    path = Path(name)
    names = [part.as_posix() for part in (path, *path.parents)]
    return any(fnmatchcase(one, glob.rstrip("/")) for one in names for glob in globs)


def _is_tracker(path: Path) -> bool:
    """Whether it is a file of Beads, which is in use: an empty one says nothing of where the tasks are."""
    return path.parent.name == beads.FOLDER and not (path.is_file() and not path.stat().st_size)


def _is_here(path: Path, root: Path) -> bool:
    """Whether there is such a file or folder in the repository itself, wherever symbolic links lead."""
    return path.exists() and path.resolve().is_relative_to(root.resolve())


def _walk(root: Path, exclude: Sequence[str], left_out: Counter[str]) -> Iterator[str]:
    """The paths of all files and of the folders of Beads, of which the insides are not looked at."""
    for folder, folders, files in os.walk(root):
        paths = {name: os.path.relpath(os.path.join(folder, name), root) for name in (*files, *folders)}  # noqa: PTH118 - strings
        barred = {name for name, path in paths.items() if exclude and is_excluded(path, exclude)}
        left_out[_EXCLUDED] += len(barred)
        left_out[_FOREIGN] += len(VENDORED.intersection(folders) - barred)
        entries = [*files, *(name for name in folders if name == beads.FOLDER)]
        folders[:] = sorted(set(folders) - VENDORED - _TOOLS - {beads.FOLDER} - barred)
        yield from (paths[name] for name in entries if name not in barred)


def _boxes(path: Path) -> int:
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST:
            return 0
        return len(_BOX.findall(path.read_bytes()))
    except OSError:
        return 0
