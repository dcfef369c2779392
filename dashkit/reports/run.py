"""A report's run: notebook in, page out, and at no instant half a page."""

import json
import logging
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashkit import errors
from dashkit.connection import default_path, require_file
from dashkit.reports import catalog, page
from dashkit.reports.kernel import kernel_class
from dashkit.reports.parameters import check
from dashkit.reports.publish import staging
from dashkit.times import show_seconds, stamp, to_text, utc_now
from dashkit.version import __version__

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path("reports")
_LATEST = "latest.html"
_PAPERMILLS_OWN = {"injected-parameters", "papermill-error-cell-tag"}
_LONGEST_ERROR = 4000  # characters of an error's text on a page; the notebook has it all


@dataclass(frozen=True)
class ReportRun:
    """What came of one run.

    Args:
        name: the report's.
        verdict: passed; failed: a check did not hold; refused: dashkit said no, and why; crashed: the notebook
            did not get to its end for another reason.
        exit_code: what the command line makes of it: that of the error which ended the notebook.
        page: the page of this run.
        notebook: the notebook as it ran, kept as evidence where it did not pass.
        error: what failed, was refused or crashed, None where all is well.
        seconds: how long it took.
    """

    name: str
    verdict: page.Verdict
    exit_code: int
    page: Path
    notebook: Path | None
    error: str | None
    seconds: float

    @property
    def latest(self) -> Path:
        """The page of the last run that got to its end, under the name that stays."""
        return self.page.with_name(_LATEST)

    @property
    def ok(self) -> bool:
        """Whether the notebook got to its end and every check held."""
        return self.verdict == "passed"


@dataclass(frozen=True)
class _Ending:
    notebook: "NotebookNode"
    verdict: page.Verdict = "passed"
    exit_code: int = 0
    error: str = ""
    where: str = ""


def prepare(
    name: str | Path, *, db: str | Path | None = None, parameters: Mapping[str, object] | None = None
) -> tuple[catalog.Report, dict[str, object]]:
    """The report and the full values for its run, all refusals made; nothing has been started.

    Raises:
        UsageError: no such report, or parameters that it does not take.
        RefusedError: there is no such database.
    """
    report = catalog.find(name)
    given = dict(parameters or {}) | ({"db_path": os.fspath(db)} if db else {})
    check(given, report.parameters, report.name)
    if any(parameter.name == "db_path" for parameter in report.parameters):
        path = default_path(str(given.get("db_path", ""))).absolute()
        require_file(path)
        given["db_path"] = str(path)
        check(given, report.parameters, report.name)  # the folder's name is in it now
    return report, given


def run_report(
    name: str | Path,
    *,
    db: str | Path | None = None,
    out: str | Path = FOLDER,
    parameters: Mapping[str, object] | None = None,
) -> ReportRun:
    """Run a report and write its page as `out`/NAME/<time>.html and `out`/NAME/latest.html.

    Where a check fails, the page says so and is published; where the run is refused or crashes,
    <time>.failed.html says so and latest.html stays as it was. All keep the notebook as <time>.failed.ipynb.

    Args:
        name: a report's name, or the path of a notebook.
        db: the database; as everywhere if not given.
        out: the folder of pages.
        parameters: values by name, of the declared types.

    Raises:
        UsageError: no such report, or parameters that it does not take.
        RefusedError: no such database, or no page can be written there.
        FailedError: the page could not be written.
    """
    report, given = prepare(name, db=db, parameters=parameters)
    started, clock = utc_now(), time.monotonic()
    folder = Path(out).absolute() / report.name
    with staging(folder, stamp(started)) as stage:
        executed = stage.draft("run.ipynb")
        ending = _execute(report, given, executed)
        seconds = time.monotonic() - clock
        evidence = None if ending.verdict == "passed" else stage.keep(executed, ".failed.ipynb")
        lines = _lines(report, given, started, seconds)
        if evidence:
            lines.append(("Kept notebook", evidence.name))
        latest = _LATEST if (folder / _LATEST).is_file() else ""
        text = page.render(
            ending.notebook,
            page.Facts(report.title, ending.verdict, ending.error, ending.where, lines, latest),
        )
        if ending.verdict in ("refused", "crashed"):
            target = stage.publish(text, ".failed.html")
        else:
            target = stage.publish(text, ".html")
            stage.publish_as(text, _LATEST)
        run = ReportRun(report.name, ending.verdict, ending.exit_code, target, evidence, ending.error or None, seconds)
        stage.publish_as(_record(run, given, started), "run.json")
    return run


def _execute(report: catalog.Report, given: Mapping[str, object], output: Path) -> _Ending:
    """Run the notebook into the file `output`, which holds what was reached, however it ends."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    # What papermill has to say is on the page; without a handler it would be on stderr too.
    logging.getLogger("papermill").addHandler(logging.NullHandler())
    log = output.with_suffix(".log")
    with warnings.catch_warnings(), kernel_class(log) as manager:
        warnings.simplefilter("ignore")
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
            return _Ending(notebook)
        except PapermillExecutionError as error:
            name, text = str(error.ename), str(error.evalue)
        except RuntimeError as error:  # the kernel died, or never came
            name, text = str(error), log.read_text(errors="replace").strip()[-_LONGEST_ERROR:]
    return _ended(catalog.load(output), name, text)


def _ended(notebook: "NotebookNode", name: str, text: str) -> _Ending:
    """What it means that an error of this name and text ended the notebook."""
    kind = getattr(errors, name, None)  # of an error in the kernel no more than its name comes here
    if not (isinstance(kind, type) and issubclass(kind, errors.DashkitError)):
        said = f"{name}: {text}" if text else name
        crash = errors.FailedError.exit_code
        return _Ending(notebook, "crashed", crash, said[:_LONGEST_ERROR], _place(notebook))
    verdict: page.Verdict = "refused"
    if issubclass(kind, errors.CheckError):
        verdict = "failed"
    elif kind.exit_code == errors.FailedError.exit_code:
        verdict = "crashed"
    return _Ending(notebook, verdict, kind.exit_code, text[:_LONGEST_ERROR], _place(notebook))


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


def _lines(
    report: catalog.Report, given: Mapping[str, object], started: datetime, seconds: float
) -> list[tuple[str, str]]:
    values = {parameter.name: parameter.default for parameter in report.parameters} | dict(given)
    when = f"{started:%Y-%m-%d %H:%M:%S} UTC, in {show_seconds(seconds)}, by dashkit {__version__}"
    return [
        ("Run at", when),
        *((name, "not given" if value == "" else str(value)) for name, value in values.items()),
    ]


def _record(run: ReportRun, given: Mapping[str, object], started: datetime) -> str:
    record: dict[str, Any] = {
        "name": run.name,
        "ok": run.ok,
        "verdict": run.verdict,
        "exit_code": run.exit_code,
        "parameters": dict(given),
        "started_at": to_text(started),
        "seconds": round(run.seconds, 3),
        "page": run.page.name,
        "notebook": run.notebook.name if run.notebook else None,
        "error": run.error,
    }
    return json.dumps(record, indent=2) + "\n"
