"""What is to be run: a report and the values for it, judged before anything starts; it loads nothing heavy."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from dashkit.connection import default_path, require_file
from dashkit.reports import catalog
from dashkit.reports.parameters import check

Job = tuple[catalog.Report, dict[str, object]]


def prepare(name: str | Path, *, db: str | Path | None = None, parameters: Mapping[str, object] | None = None) -> Job:
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


def all_values(report: catalog.Report, given: Mapping[str, object]) -> dict[str, object]:
    """The values of all parameters of a report, those that were given in the place of its own."""
    return {parameter.name: parameter.default for parameter in report.parameters} | dict(given)


def notebook_digest(path: Path) -> str:
    """What a notebook is known again by."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
