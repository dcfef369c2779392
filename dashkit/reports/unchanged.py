"""Whether a report would say again what its last page says; it is asked often, and loads nothing heavy."""

from collections.abc import Mapping
from pathlib import Path

from dashkit.reports.catalog import Report
from dashkit.reports.jobs import all_values, notebook_digest
from dashkit.reports.record import Record, load, makers
from dashkit.store import fingerprint


def last_page(report: Report, given: Mapping[str, object], out: Path) -> tuple[Path, Record] | None:
    """The page and record of the last run with these parameters, where it passed and nothing changed since; else None.

    What counts is the content of the database, the notebook, and the versions of dashkit and Python; that time went by
    does not.
    """
    folder, values = out.absolute() / report.name, all_values(report, given)
    last = next((record for _, record in load(folder) if record.parameters == values), None)
    if (
        last is None
        or not last.ok
        or not (folder / last.page).is_file()
        or not makers().items() <= last.versions.items()
    ):
        return None
    if last.inputs.get("notebook") != notebook_digest(report.path):
        return None
    path = given.get("db_path")
    if path and not fingerprint.unchanged(last.inputs.get("database"), Path(str(path))):
        return None
    return folder / last.page, last
