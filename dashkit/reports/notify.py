"""Tell somebody, by a command of theirs: JSON on its standard input, and nothing of it in its arguments."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from dashkit.errors import FailedError, UsageError
from dashkit.reports.run import ReportRun

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


def message(runs: Sequence[ReportRun]) -> dict[str, Any]:
    """What changed, as one message: `text` for people, `changes` and `runs` for programs; without changes empty."""
    changes = [{"report": run.name, **change} for run in runs for change in run.record.changes]
    if not changes:
        return {}
    text = "\n".join(f"{change['report']}: {change['sentence']}" for change in changes)
    told = [
        {
            "report": run.name,
            "verdict": run.verdict,
            "as_of": run.record.as_of,
            "page": str(run.page) if run.record.page else "",
        }
        for run in runs
    ]
    return {"text": text, "changes": changes, "runs": told}


def notify(command: str, runs: Sequence[ReportRun]) -> bool:
    """Run the command with the message of these runs, if there is something to tell; whether there was.

    Raises:
        UsageError: it is no command.
        FailedError: it failed, or there is no such program, whether or not there is something to tell.
    """
    program, *arguments = words(command)
    told = message(runs)
    if shutil.which(program) is None:
        lost = "what changed was not told, and is not told again" if told else "there was nothing to tell this time"
        raise FailedError(
            f"Nobody can be told by {command}",
            f"there is no program {program} on the PATH {os.environ.get('PATH', os.defpath)}",
            f"What was run is in the folder of pages; {lost}. Give the path of the program.",
        )
    if not told:
        return False
    try:
        subprocess.run(
            [program, *arguments],
            input=json.dumps(told, indent=2),
            text=True,
            encoding="utf-8",
            check=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FailedError(
            f"Cannot notify by {command}",
            str(error).rstrip("."),
            "The pages are written; mend the command: this change is not told again.",
        ) from error
    return True


def _unusable(command: str, why: str) -> UsageError:
    return UsageError(
        f"Cannot notify by {command!r}", why, "Give a program and its arguments, such as 'mail -s dashkit me'."
    )
