"""Which files of a folder hold tasks: found by name and a look inside; vendored folders and templates are left out."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dashkit.sources import backlog, beads, beads_store, detect

# Folders of other people's work and of builds: tasks in them are not this project's.
VENDORED = frozenset(
    {
        *("node_modules", "vendor", "third_party", "site-packages", "bower_components", "Pods", "Carthage"),
        *("dist", "build", "target", "venv", ".venv", "env"),
    }
)
# Folders of tools, in which nobody writes: they are not even counted as left out.
_TOOLS = frozenset(
    {
        *("__pycache__", ".tox", ".eggs", ".cache", ".next"),
        *(".git", ".hg", ".svn", ".dashkit", ".idea", ".vscode"),
    }
)
_TEMPLATE = re.compile(r"template|\.github/|(^|/)(license|changelog|code_of_conduct|security)\b", re.IGNORECASE)
_NAMED = re.compile(r"to-?do|task|roadmap|backlog|plan|checklist|milestone|sprint", re.IGNORECASE)
# Beside a tracker the boxes of a plan or a design are not tasks, unless the name of the file says that they are.
_LISTED = re.compile(r"(?<![a-z])(to-?dos?|tasks?([-_ ]?lists?)?|roadmap)(?![a-z])", re.IGNORECASE)
_BOX = re.compile(rb"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[(?:[ xX]|[^\w\s\[\]])\][ \t]+\S", re.MULTILINE)
_MARKDOWN = (".md", ".markdown")
_LARGEST = 8 * 2**20  # bytes of a Markdown file that is looked into
FEWEST = 3  # boxes that make a list of a file whose name says nothing
_TEMPLATES = "templates and the like"
_FEW = f"files with fewer than {FEWEST} boxes"
_BESIDE = "documents with boxes beside a tracker"
SWITCHABLE = frozenset({_TEMPLATES, _FEW, _BESIDE})  # the reasons that `everything` lifts
_FOREIGN = "vendored and build folders"
_EXCLUDED = "files and folders of the setting exclude"
_STORES = "stores of Beads without a file, which only the tool bd can read"


@dataclass(frozen=True)
class TaskFiles:
    """The task files of a folder, and what was left out: reason -> how many."""

    files: tuple[Path, ...]
    left_out: dict[str, int]


def find(root: Path, *, source: str = "auto", everything: bool = False, exclude: Sequence[str] = ()) -> TaskFiles:
    """Find the task files below a folder, at any depth.

    Args:
        root: the folder.
        source: the kind of files that is wanted, or `auto`; where lists are wanted, a tracker beside them changes
            nothing.
        everything: leave no file out for its name or for its few boxes.
        exclude: globs of files and folders to leave out.
    """
    left_out = Counter(dict.fromkeys((_BESIDE, _TEMPLATES, _FEW, _STORES, _FOREIGN, _EXCLUDED), 0))
    folders = _backlog_folders(root, exclude)
    found = [*folders]
    for name in sorted(_walk(root, exclude, left_out)):
        file, reason = _look(root, name, folders, everything=everything)
        found += [file] if file else []
        left_out.update([reason] if reason else [])
    if source == "auto" and not everything and any(path in folders or _is_tracker(path) for path in found):
        documents = set(filter(_is_document, found))
        left_out[_BESIDE] = len(documents)
        found = [path for path in found if path not in documents]
    return TaskFiles(tuple(found), {reason: count for reason, count in left_out.items() if count})


def _look(root: Path, name: str, folders: Sequence[Path], *, everything: bool) -> tuple[Path | None, str | None]:
    """The task file that a path is or leads to, or the reason why it is left out; neither where it holds no task."""
    path = root / name
    if path.name == beads.FOLDER:
        return _look_at_beads(path, root)
    if path.suffix.lower() in _MARKDOWN and not any(folder in path.parents for folder in folders):
        return _look_at_list(path, name, everything=everything)
    return None, None


def _backlog_folders(root: Path, exclude: Sequence[str]) -> list[Path]:
    """The folders of Backlog.md directly in a folder."""
    wanted = [root / name for name in backlog.NAMES if not is_excluded(name, exclude)]
    return [folder for folder in wanted if _is_here(folder, root) and detect(folder)]


def _look_at_beads(folder: Path, root: Path) -> tuple[Path | None, str | None]:
    """The file of a folder of Beads; the reason where only the tool can read it."""
    issues, store = folder / "issues.jsonl", beads_store.find(folder)
    if _is_here(issues, root) or (store and beads_store.command(folder)):
        return issues, None
    return None, _STORES if store else None


def _look_at_list(path: Path, name: str, *, everything: bool) -> tuple[Path | None, str | None]:
    """A Markdown file with boxes; the reason where its name or their number says that it is not a list."""
    boxes = _boxes(path)
    reason = _why_not(name, boxes) if boxes and not everything else None
    return (path if boxes and not reason else None), reason


def _why_not(name: str, boxes: int) -> str | None:
    """Why a Markdown file with boxes is not read as a list of tasks; None where it is read."""
    if _TEMPLATE.search(name):
        return _TEMPLATES
    return _FEW if boxes < FEWEST and not _NAMED.search(Path(name).stem) else None


def is_excluded(name: str, globs: Sequence[str]) -> bool:
    """Whether one of the globs fits a path or one of the folders above it; `*` stands for any text, slashes too."""
    path = Path(name)
    names = [part.as_posix() for part in (path, *path.parents)]
    return any(fnmatchcase(one, glob.rstrip("/")) for one in names for glob in globs)


def _is_document(path: Path) -> bool:
    """Whether it is a Markdown file that is not called a list of tasks."""
    return path.suffix.lower() in _MARKDOWN and not _LISTED.search(path.stem)


def _is_tracker(path: Path) -> bool:
    """Whether it is a file of Beads that is in use: an empty one does not say where the tasks are."""
    return path.parent.name == beads.FOLDER and not (path.is_file() and not path.stat().st_size)


def _is_here(path: Path, root: Path) -> bool:
    """Whether a path exists and leads into the folder, also through symbolic links."""
    return path.exists() and path.resolve().is_relative_to(root.resolve())


def _walk(root: Path, exclude: Sequence[str], left_out: Counter[str]) -> Iterator[str]:
    """The relative paths of all files, and of the folders of Beads, into which it does not descend."""
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
