"""Which reports there are: one notebook, one report, named by its file."""

import difflib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dashkit.errors import UsageError
from dashkit.reports.parameters import Parameter, declared

if TYPE_CHECKING:
    from nbformat import NotebookNode

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Report:
    """One notebook as a report: what it asks, what it takes, where it lies."""

    name: str
    path: Path
    title: str
    question: str
    parameters: tuple[Parameter, ...]


def bundled() -> tuple[Path, ...]:
    """The notebooks that come with dashkit, by name: inside an installed package, beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "notebooks"
    return tuple(sorted(folder.glob("*.ipynb")))


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
    notebook = load(path)
    if path.stem.startswith("."):
        raise _unreadable(path, "its name begins with a dot, and the name is that of its folder of pages")
    prose = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    source = next((cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])), "")
    return Report(path.stem, path, *_heading(prose, path.stem), declared(source, path.stem))


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
