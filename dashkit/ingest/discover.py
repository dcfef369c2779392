"""Which sources there are, and how they are now. Nothing of the database is asked, and nothing is written."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dashkit.errors import DashkitError, UsageError
from dashkit.ingest.model import Found, Reading, Request
from dashkit.records import TaskList
from dashkit.sources import SOURCES, beads_store, detect, task_files
from dashkit.sources.files import real
from dashkit.store.checkpoints import Checkpoint


def discover(request: Request) -> Found:
    """Read each file of a request as it is now, and look for task files in its folders.

    Raises:
        UsageError: there is no such kind of source, or a file is named twice.
        RefusedError: a file that is named cannot be read.
    """
    if request.kind not in (*SOURCES, "auto"):
        raise UsageError(
            f"Cannot ingest tasks of the kind {request.kind!r}",
            "there is no such source",
            f"Use auto, {', '.join(SOURCES)}.",
        )
    folders = tuple(path for path in request.files if is_searched(path, request.kind))
    named = _read_named([path for path in request.files if path not in folders], request)
    notes: list[str] = []
    left_out: Counter[str] = Counter()
    for folder in folders:
        here = task_files.find(folder, source=request.kind, everything=request.everything, exclude=request.exclude)
        left_out.update(here.left_out)
        for path in here.files:
            kind = detect(path) or "tasklist"
            if request.kind in ("auto", kind) and real(path) not in named:
                try:
                    named[real(path)] = _read(path, kind, request)
                except DashkitError as error:  # nobody named this file, so the others are read all the same
                    notes.append(str(error))
    return Found(tuple(named.values()), folders, tuple(notes), left_out)


def is_searched(path: Path, kind: str) -> bool:
    """Whether task files are looked for in a path: it is a folder, and not a Backlog.md folder, which is a source."""
    if not path.is_dir() or detect(path) == "backlog":
        return False
    return not (kind == "backlog" and (path / "tasks").is_dir())


def _read_named(paths: Iterable[Path], request: Request) -> dict[Path, Reading]:
    """The readings of the files that were named, by their real paths."""
    found: dict[Path, Reading] = {}
    for path in paths:
        if real(path) in found:
            raise UsageError(f"Cannot ingest {path}", "it is named twice", "Name each file once.", path=path)
        kind = (detect(path) or "tasklist") if request.kind == "auto" else request.kind
        found[real(path)] = _read(path, kind, request)
    return found


def _read(path: Path, kind: str, request: Request) -> Reading:
    return Reading(path, kind, SOURCES[kind].read_file(path, everything=request.everything))


def missed(
    in_use: Mapping[str, Checkpoint],
    names: Collection[str],
    found: Found,
    tops: Mapping[str, Path],
    request: Request,
) -> Iterator[Reading]:
    """The sources that were read before and that this request did not lead to, as far as it tells about them.

    It tells that a source is gone where it reads another one of the same repository or folder. In a folder that it
    searches as a whole it also tells that a source is excluded now, which counts as gone; and a source there that no
    longer looks like a task file is read all the same.

    Args:
        in_use: the sources that held tasks when they were read last: name -> checkpoint.
        names: the names of the sources that the request led to.
        found: what the request led to.
        tops: the repositories that it led to: git directory -> folder of the work tree.
        request: the request.
    """
    searched = [real(folder) for folder in found.folders]
    near = [*searched, *(real(one.path).parent for one in found.readings)]
    read = {real(one.path) for one in found.readings}
    for name, checkpoint in in_use.items():
        path = None if name in names else _path(name, checkpoint, tops, near)
        if path is None or real(path) in read:
            continue
        kind = checkpoint.kind or detect(path) or "tasklist"
        if _is_gone(path, kind) or _is_excluded(path, searched, request.exclude):
            yield Reading(path, kind, TaskList(()), is_gone=True)
        elif request.kind in ("auto", kind) and any(real(path).is_relative_to(folder) for folder in searched):
            with suppress(DashkitError):
                yield _read(path, kind, request)


def _path(name: str, checkpoint: Checkpoint, tops: Mapping[str, Path], near: Iterable[Path]) -> Path | None:
    """Where a source was; None where this run does not look at that place."""
    if checkpoint.repository is None:
        path = Path(name)
        return path if any(path.is_relative_to(folder) for folder in near) else None
    top = tops.get(checkpoint.repository)
    return top / name.removeprefix(f"{top.name}:") if top else None


def _is_gone(path: Path, kind: str) -> bool:
    """Whether a source is no longer there; a file of Beads is there where the tool has moved it into its store."""
    try:
        is_there = path.is_dir() == (kind == "backlog") or path.is_file()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return not (kind == "beads" and beads_store.find(path.parent))
    except (OSError, ValueError):
        return False
    return not is_there


def _is_excluded(path: Path, searched: Iterable[Path], exclude: Sequence[str]) -> bool:
    """Whether a source is left out of one of the folders that are searched."""
    return any(
        task_files.is_excluded(real(path).relative_to(folder).as_posix(), exclude)
        for folder in searched
        if real(path).is_relative_to(folder)
    )
