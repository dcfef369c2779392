"""Which reports there are: one notebook, one report, named by its file."""

import difflib
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashkit.errors import RefusedError, UsageError
from dashkit.reports.parameters import TAG, Parameter, declared

if TYPE_CHECKING:
    from nbformat import NotebookNode

NO_REPORT = "no-report"  # the tag, on any cell, of a notebook that is to be read cell by cell
OF_MIGRATION = "of-migration"  # of one that has something to say only where a database was, or can be, migrated

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Report:
    """One notebook as a report: what it asks, what it takes, where it lies, and when it is to be run.

    Args:
        name: that of its notebook, and of the folder of its pages.
        path: where the notebook lies.
        title: its heading.
        question: its first sentence.
        parameters: what it takes.
        is_report: whether it runs without a reader.
        of_migration: whether it is about a migration, and has nothing to say of a database that has none.
    """

    name: str
    path: Path
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    is_report: bool = True
    of_migration: bool = False


def bundled() -> tuple[Path, ...]:
    """The notebooks that come with dashkit, by name: inside an installed package, beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "notebooks"
    return tuple(sorted(folder.glob("*.ipynb")))


def reports() -> tuple[Report, ...]:
    """The reports that come with dashkit: its notebooks without those that are to be read cell by cell."""
    return tuple(report for report in map(read, bundled()) if report.is_report)


def copy(name: str | Path, target: Path) -> Path:
    """Copy the notebook of a report to `target`, a file or a folder; nothing is overwritten.

    Raises:
        UsageError: no such report, or the target's name is none of a notebook.
        RefusedError: there is something already, or nothing can be written there.
    """
    source = find(name).path
    target = target / source.name if target.is_dir() else target
    if not target.suffix:
        raise UsageError(
            f"Cannot copy a notebook to {target}", "there is no such folder", "Make it first, or give NAME.ipynb."
        )
    if target.suffix != ".ipynb" or target.name.startswith("."):
        raise UsageError(
            f"Cannot copy a notebook to {target}", "no report has such a name", "Give a folder, or NAME.ipynb."
        )
    try:
        with target.open("xb") as file:
            file.write(source.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
        raise RefusedError(f"Cannot copy a notebook to {target}", why, "Give another path.", path=target) from error
    return target


def find(name: str | Path) -> Report:
    """The report of that name, or of the notebook at that path.

    Raises:
        UsageError: there is none, or the notebook cannot be read.
    """
    if Path(name).suffix == ".ipynb":
        return read(Path(name))
    paths = {path.stem: path for path in bundled()}
    if str(name) in paths:
        return read(paths[str(name)])
    near = difflib.get_close_matches(str(name), paths, n=1)
    remedy = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"Cannot run the report {str(name)!r}",
        "there is no report of that name",
        f"{remedy}There are {', '.join(paths) or 'none'}; name one of your own by its .ipynb path.",
    )


def read(path: Path) -> Report:
    """The report that lies in the notebook at `path`; nothing of it is run.

    Raises:
        UsageError: no such file, no notebook, or parameters that cannot be read.
    """
    cells = _light(path) or [(cell.cell_type, cell.source, _tags(cell.metadata)) for cell in load(path).cells]
    if path.stem.startswith("."):
        raise _unreadable(path, "its name begins with a dot, and the name is that of its folder of pages")
    prose = next((source for kind, source, _ in cells if kind == "markdown"), "")
    declaring = next((source for _, source, tags in cells if TAG in tags), "")
    said = {str(tag) for _, _, tags in cells for tag in tags}
    return Report(
        path.stem,
        path,
        *_heading(prose, path.stem),
        declared(declaring, path.stem),
        is_report=NO_REPORT not in said,
        of_migration=OF_MIGRATION in said,
    )


def _light(path: Path) -> list[tuple[str, str, list[str]]]:
    """Type, source and tags of the cells, where the file is plainly a notebook: nbformat takes long to load."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if (data["nbformat"], data["nbformat_minor"]) < (4, 5):
            return []
        return [(cell["cell_type"], "".join(cell["source"]), _tags(cell["metadata"])) for cell in data["cells"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _tags(metadata: Mapping[str, Any]) -> list[str]:
    tags = metadata.get("tags", [])
    return tags if isinstance(tags, list) else []


def load(path: Path) -> "NotebookNode":
    """The notebook at `path`, in the newest format.

    Raises:
        UsageError: no such file, or no notebook.
    """
    import nbformat

    try:
        with warnings.catch_warnings():
            # Old notebooks lack ids of cells; they are given some.
            warnings.simplefilter("ignore")
            notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
            nbformat.validate(notebook)
            return notebook
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, AttributeError, TypeError, nbformat.ValidationError) as error:
        raise _unreadable(path, "it is no Jupyter notebook") from error


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"Cannot run {path}",
        why,
        "Name a report of `dashkit report --list`, or a notebook's path.",
        path=path,
    )


def _heading(prose: str, name: str) -> tuple[str, str]:
    """The title of a notebook's first prose, and the first sentence below it: the question."""
    found = re.match(r"\s*#\s+(?P<title>[^\n]+)\s*(?P<rest>.*)", prose, re.DOTALL)
    title, rest = (found["title"].strip(), found["rest"]) if found else (name, prose)
    text = " ".join(rest.split("\n\n")[0].split())
    sentence = re.match(r".*?[.?!](?=\s|$)", text)
    return title, sentence[0] if sentence else text
