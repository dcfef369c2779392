"""What nobody was told, because the command of --notify failed: kept in the folder of pages for the next run."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dashkit.errors import FailedError, RefusedError
from dashkit.reports.publish import staging

NAME = ".untold.json"
_MOST = 200  # changes, the newest: a command that fails for months fills no disk


@dataclass(frozen=True)
class Untold:
    """Changes that were not told, the oldest first, the runs that they are of, and how the last attempt failed.

    Args:
        changes: as in a message, each with `untold_since`, the instant at which it was to be told.
        runs: as in a message.
        failed_at: when the command failed last; '' where nothing is untold.
        why: how, in a sentence.
    """

    changes: Sequence[Mapping[str, Any]] = ()
    runs: Sequence[Mapping[str, Any]] = ()
    failed_at: str = ""
    why: str = ""


def load(out: Path) -> Untold:
    """What is untold in a folder of pages; nothing where the file is none: anybody may have put it there."""
    try:
        found = json.loads((out / NAME).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return Untold()
    kinds = {"changes": list, "runs": list, "failed_at": str, "why": str}
    if not (isinstance(found, dict) and found.keys() == kinds.keys()):
        return Untold()
    if not all(isinstance(found[name], kind) for name, kind in kinds.items()):
        return Untold()
    is_sound = all(map(_is_change, found["changes"])) and all(isinstance(run, dict) for run in found["runs"])
    return Untold(**found) if is_sound else Untold()


def keep(out: Path, untold: Untold) -> bool:
    """Keep it for the next run; whether that was possible."""
    newest = Untold(untold.changes[-_MOST:], untold.runs[-_MOST:], untold.failed_at, untold.why)
    with suppress(RefusedError, FailedError), staging(out, "untold") as stage:
        stage.publish_as(json.dumps(asdict(newest), indent=2) + "\n", NAME)
        return True
    return False


def drop(out: Path) -> None:
    """It has been told."""
    with suppress(OSError):
        (out / NAME).unlink()


def _is_change(change: object) -> bool:
    words = ("report", "sentence", "untold_since")
    return isinstance(change, dict) and all(isinstance(change.get(word), str) for word in words)
