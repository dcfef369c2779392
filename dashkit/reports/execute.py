"""A notebook run in a kernel of its own, and what its ending means."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dashkit import errors
from dashkit.reports import catalog
from dashkit.reports.kernel import kernel_class
from dashkit.reports.record import Verdict

if TYPE_CHECKING:
    from nbformat import NotebookNode

_PAPERMILLS_OWN = {"injected-parameters", "papermill-error-cell-tag"}
_LONGEST_ERROR = 4000  # characters of an error's text on a page; the notebook has it all


@dataclass(frozen=True)
class Ending:
    """The notebook as far as it ran, how that ended, and where."""

    notebook: "NotebookNode"
    verdict: Verdict = "passed"
    exit_code: int = 0
    error: str = ""
    where: str = ""


def execute(report: catalog.Report, given: Mapping[str, object], output: Path) -> Ending:
    """Run the notebook into the file `output`, which holds what was reached, however it ends."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    # What papermill has to say is on the page; without a handler it would be on stderr too.
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    log = output.with_suffix(".log")
    with kernel_class(log) as manager:
        try:
            notebook = papermill.execute_notebook(
                _unformatted(report.path.absolute()),
                _unformatted(output),
                parameters=dict(given),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                kernel_manager_class=manager,
                resources={"metadata": {"path": str(report.path.absolute().parent)}},
            )
            return Ending(notebook)
        except PapermillExecutionError as error:
            name, text = str(error.ename), str(error.evalue)
        except RuntimeError as error:  # the kernel died, or never came
            name, text = str(error), log.read_text(errors="replace").strip()[-_LONGEST_ERROR:]
    return ended(catalog.load(output), name, text)


def ended(notebook: "NotebookNode", name: str, text: str) -> Ending:
    """What it means that an error of this name and text ended the notebook."""
    kind = getattr(errors, name, None)  # of an error in the kernel no more than its name comes here
    if not (isinstance(kind, type) and issubclass(kind, errors.DashkitError)):
        said = f"{name}: {text}" if text else name
        crash = errors.FailedError.exit_code
        return Ending(notebook, "crashed", crash, said[:_LONGEST_ERROR], _place(notebook))
    verdict: Verdict = "refused"
    if issubclass(kind, errors.CheckError):
        verdict = "failed"
    elif kind.exit_code == errors.FailedError.exit_code:
        verdict = "crashed"
    return Ending(notebook, verdict, kind.exit_code, text[:_LONGEST_ERROR], _place(notebook))


def _unformatted(path: Path) -> str:
    return str(path).replace("{", "{{").replace("}", "}}")  # papermill fills what it takes for placeholders


def _place(notebook: "NotebookNode") -> str:
    """The cell that ended the run, in words: its number among the code cells and the heading above it."""
    heading, number, place = "", 0, "It stopped before its first cell."
    for cell in notebook.cells:
        if _PAPERMILLS_OWN & set(cell.metadata.get("tags", [])):
            continue
        if cell.metadata.get("papermill", {}).get("start_time") is None:
            break
        if cell.cell_type == "markdown":
            lines = [line.lstrip("# ").strip() for line in cell.source.splitlines() if line.startswith("#")]
            heading = lines[-1] if lines else heading
        elif cell.cell_type == "code":
            number += 1
            place = f"It stopped in code cell {number}" + (f', below "{heading}".' if heading else ".")
    return place


def without_numbers(error: str) -> Ending:
    """The ending of a run whose notebook could not be kept."""
    import nbformat.v4

    return Ending(nbformat.v4.new_notebook(), "crashed", errors.FailedError.exit_code, error)  # type: ignore[no-untyped-call]


def refused(error: str, exit_code: int) -> Ending:
    """The ending of a run that was refused before it began."""
    return replace(without_numbers(error[:_LONGEST_ERROR]), verdict="refused", exit_code=exit_code)
