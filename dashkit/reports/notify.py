"""Tell somebody, by a command of theirs: JSON on its standard input, and nothing of it in its arguments."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashkit.errors import DashkitError, FailedError, UsageError
from dashkit.reports import untold
from dashkit.reports.run import ReportRun
from dashkit.reports.untold import Untold
from dashkit.times import to_text, utc_now

NOTHING = Untold()
_SECONDS = 60  # a command that takes longer hangs


def words(command: str) -> list[str]:
    """The command as the program and its arguments; no shell sees it.

    Raises:
        UsageError: it is none.
    """
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise _unusable(command, str(error).lower()) from error
    if not found:
        raise _unusable(command, "it is empty")
    return found


def message(runs: Sequence[ReportRun], before: Untold = NOTHING) -> dict[str, Any]:
    """What changed, as one message: `text` for people, `changes` and `runs` for programs; without changes empty.

    What an earlier message failed to tell comes first.
    """
    changes = [{"report": run.name, **change} for run in runs for change in run.record.changes]
    if not (changes or before.changes):
        return {}
    lines = [
        f"{change['report']}: {change['sentence']} (not told at {change['untold_since']}, for the command failed)"
        for change in before.changes
    ]
    lines += [f"{change['report']}: {change['sentence']}" for change in changes]
    told = [
        {
            "report": run.name,
            "verdict": run.verdict,
            "as_of": run.record.as_of,
            "page": str(run.page) if run.record.page else "",
        }
        for run in runs
    ]
    return {"text": "\n".join(lines), "changes": [*before.changes, *changes], "runs": [*before.runs, *told]}


def notify(command: str, runs: Sequence[ReportRun], out: Path) -> bool:
    """Run the command with the message of these runs, if there is something to tell; whether there was.

    Where it fails what was to be told is kept in the folder of pages `out`, and the next call tells it.

    Raises:
        UsageError: it is no command.
        FailedError: it failed, or there is no such program, whether or not there is something to tell.
    """
    before = untold.load(out)
    told = message(runs, before)
    try:
        program = _program(command)
        if told:
            _run(command, program, told)
    except (UsageError, FailedError) as error:
        raise _kept(error, told, out) if told else error from error
    if before.changes:
        untold.drop(out)
    return bool(told)


def _program(command: str) -> list[str]:
    found = words(command)
    if shutil.which(found[0]) is None:
        raise FailedError(
            f"Nobody can be told by {command}",
            f"there is no program {found[0]} on the PATH {os.environ.get('PATH', os.defpath)}",
            "The pages are written. Give the path of the program.",
        )
    return found


def _run(command: str, program: Sequence[str], told: Mapping[str, Any]) -> None:
    try:
        subprocess.run(
            program, input=json.dumps(told, indent=2), text=True, encoding="utf-8", check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FailedError(
            f"Cannot notify by {command}", str(error).rstrip("."), "The pages are written; mend the command."
        ) from error


def _kept(error: DashkitError, told: Mapping[str, Any], out: Path) -> DashkitError:
    """The same error, which says what becomes of what was to be told."""
    now = to_text(utc_now())
    changes = [{"untold_since": now, **change} for change in told["changes"]]
    is_kept = untold.keep(out, Untold(changes, told["runs"], now, f"{error.what}: {error.why}"))
    then = "the next run with --notify tells it" if is_kept else "it could not be kept for the next run either"
    return type(error)(error.what, error.why, f"{error.remedy} What changed was not told; {then}.")


def _unusable(command: str, why: str) -> UsageError:
    return UsageError(
        f"Cannot notify by {command!r}", why, "Give a program and its arguments, such as 'mail -s dashkit me'."
    )
