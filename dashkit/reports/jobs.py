"""What is to be run: a report and the values for it, judged before anything starts; it loads nothing heavy."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashkit.connection import default_path, require_file
from dashkit.errors import RefusedError, UsageError
from dashkit.reports import catalog, record
from dashkit.reports.parameters import check
from dashkit.store.fingerprint import fingerprint

Job = tuple[catalog.Report, dict[str, object]]
_OURS = "dashkit"  # the origin of a notebook that comes with dashkit, wherever that is installed


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


def inputs(report: catalog.Report, given: Mapping[str, object]) -> dict[str, Any]:
    """What a run is made of: its notebook, by digest and origin, and the fingerprint of its database."""
    found: dict[str, Any] = {"notebook": notebook_digest(report.path), "origin": origin(report.path)}
    if path := given.get("db_path"):
        found["database"] = fingerprint(Path(str(path)))
    return found


def origin(path: Path) -> str:
    """Where a notebook is from, as its record says: dashkit, or its place."""
    ours = {own.resolve() for own in catalog.bundled()}
    return _OURS if path.suffix != ".ipynb" or path.resolve() in ours else str(path.resolve())


def owner(path: Path, folder: Path) -> str:
    """Whose pages lie in the folder of a notebook, where they are of another one that there still is; else ''."""
    known = (run.inputs.get("origin") for _, run in record.load(folder))
    found = next((text for text in known if text and isinstance(text, str)), "")
    there = found == _OURS or (found and os.path.isfile(found))  # noqa: PTH113 - any text is a question, and no error
    return found if there and found != origin(path) else ""


def require_apart(paths: Sequence[Path]) -> None:
    """Two notebooks of one name would share a folder of pages: the page of one would be taken for that of the other.

    Raises:
        UsageError: two of these would.
    """
    seen: dict[str, str] = {}
    for path in paths:
        if seen.setdefault(path.stem, origin(path)) != origin(path):
            raise UsageError(
                f"Cannot run {path} too",
                f"another report is named {path.stem}, and its pages lie in the folder of that name",
                "Give the notebook a name of its own, or run it into another folder with --out.",
                path=path,
            )


def require_own(paths: Sequence[Path], out: Path) -> None:
    """No notebook writes among the pages of another one.

    Raises:
        RefusedError: one of these would.
    """
    for path in paths:
        if whose := owner(path, out / path.stem):
            raise RefusedError(
                f"Cannot run {path} into {out}",
                f"the pages of {path.stem} there are of another notebook, that of {whose}",
                "Nothing changed. Give the notebook a name of its own, or name another folder with --out.",
                path=path,
            )
