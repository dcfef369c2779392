"""run.json: what a run was given, what came of it, and its numbers; written last, and what the index believes."""

import functools
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from dashkit.version import __version__

Verdict = Literal["passed", "failed", "refused", "crashed"]

NEWEST = "run.json"
SUFFIX = ".run.json"
INSTANTS = ("as_of", "known_at")  # parameters that say when, not what
_LIBRARIES = ("duckdb", "matplotlib", "nbconvert", "numpy", "pandas", "papermill")
_KINDS: dict[type, str] = {
    int: "exit_code",
    float: "seconds",
    str: "name verdict started_at as_of title error page notebook checked_at",
    list: "changes",
    dict: "parameters inputs numbers versions",
}
_LABEL = re.compile(r"\d{8}_\d{6}(_\d+)?")


@dataclass(frozen=True)
class Record:
    """One run, as its record tells it.

    Args:
        name: the report's, which is that of its folder.
        verdict: passed; failed: a check did not hold; refused: dashkit said no, and why; crashed: it did not get to
            its end for another reason.
        exit_code: what the command line makes of it.
        started_at: when the run began.
        as_of: the instant that its numbers are as of; of a report without one, when the run began.
        title: the report's.
        error: what failed, was refused or crashed.
        page: the file of its page, beside the record.
        notebook: the file of the notebook as it ran, which is kept where it did not pass.
        seconds: how long it took in all.
        timings: seconds of its parts.
        parameters: all of them, with the values that they had.
        inputs: what it was made of: the fingerprint of the database, and the digest of the notebook.
        numbers: what the notebook has handed on: key figures, what is blocked, checks.
        changes: what is not as it was at the last run.
        versions: of dashkit, Python and the libraries.
        seed: what the random numbers of a forecast begin from.
        checked_at: when nothing was found to have changed since, though other calls were refused in between.
    """

    name: str
    verdict: Verdict
    exit_code: int
    started_at: str
    as_of: str
    title: str = ""
    error: str = ""
    page: str = ""
    notebook: str = ""
    seconds: float = 0.0
    timings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    versions: Mapping[str, Any] = field(default_factory=dict)
    seed: Mapping[str, Any] = field(default_factory=dict)
    checked_at: str = ""

    @property
    def ok(self) -> bool:
        """Whether the notebook got to its end and every check held."""
        return self.verdict == "passed"

    @property
    def shows(self) -> bool:
        """Whether its page shows numbers: it got to its end."""
        return self.verdict in ("passed", "failed")

    @property
    def question(self) -> dict[str, Any]:
        """What was asked, whenever it was: the parameters without the instants."""
        return {name: value for name, value in self.parameters.items() if name not in INSTANTS}

    def to_json(self) -> str:
        """The text of run.json."""
        return json.dumps({"ok": self.ok} | asdict(self), indent=2) + "\n"


def label(path: Path) -> str:
    """The label of the run whose record lies at `path`."""
    return path.name.removesuffix(SUFFIX)


def load(folder: Path) -> list[tuple[str, Record]]:
    """The runs of a report's folder with their labels, the newest first; what is no record is left out."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        record = _read(path)
        if record and _LABEL.fullmatch(label(path)):
            found.append((label(path), record))
    return sorted(found, key=lambda entry: (entry[1].started_at, len(entry[0]), entry[0]), reverse=True)


def judged(runs: Sequence[Record]) -> Record:
    """Of the runs of a report, the newest first, the one that it is judged by: the last that ran or was confirmed."""
    return max(runs, key=lambda run: max(run.started_at, run.checked_at))


def _read(path: Path) -> Record | None:
    """The record at `path`; None where the file is none: anybody may have put it there."""
    try:
        data = json.loads(path.read_text("utf-8"))
        given = {name: data[name] for name in Record.__dataclass_fields__ if name in data}
        record = Record(**given)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return record if _is_sound(vars(record), path.parent.name) else None


def _is_sound(values: Mapping[str, Any], name: str) -> bool:
    """Whether the values are of their kinds, and name files of the folder `name` alone."""
    right = all(isinstance(values[field], kind) for kind, fields in _KINDS.items() for field in fields.split())
    if not right or values["name"] != name or values["verdict"] not in get_args(Verdict):
        return False
    return all(Path(file).name == file for file in (values["page"], values["notebook"]))


def earlier(records: Iterable[Record], now: Record) -> Record | None:
    """The page to compare with: the newest with numbers as of an earlier instant, of the same question."""
    asked = [old for old in records if old.shows and old.question == now.question and old.as_of < now.as_of]
    return max(asked, key=lambda old: (old.as_of, old.started_at), default=None)


def makers() -> dict[str, str]:
    """Which dashkit and Python these are."""
    return {"dashkit": __version__, "python": ".".join(map(str, sys.version_info[:3]))}


@functools.cache
def versions() -> dict[str, str]:
    """These, and which libraries."""
    from importlib import metadata

    return makers() | {name: metadata.version(name) for name in _LIBRARIES}
