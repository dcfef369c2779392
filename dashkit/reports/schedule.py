"""Reports on a schedule: what cron, systemd and GitHub Actions are to be told, with the paths of this installation."""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashkit.connection import LOCAL
from dashkit.errors import UsageError

KEPT = 90  # runs: a quarter of days


@dataclass(frozen=True)
class Plan:
    """What is to run, and when.

    Args:
        names: reports, or absolute paths of notebooks.
        db: the database, absolute; in REPO/.dashkit the repository is scanned first.
        out: the folder of pages, absolute; of GitHub one in the workflow's own clone.
        hour: of each day; of GitHub in UTC, else in the machine's time zone.
        minute: likewise.
    """

    names: Sequence[str]
    db: Path
    out: Path
    hour: int = 7
    minute: int = 0

    @property
    def scan(self) -> list[str]:
        """The command that reads what is new; empty where the database is not one that scan keeps."""
        if self.db.parent.name != LOCAL.parent.name:
            return []
        return _dashkit("scan", str(self.db.parent.parent), "--db", str(self.db), "--no-page")

    @property
    def report(self) -> list[str]:
        """The command that writes the pages."""
        options = ["--db", str(self.db), "--out", str(self.out), "--keep", str(KEPT)]
        return _dashkit("report", *options, "--", *self.names)


def cron(plan: Plan) -> str:
    """A line for `crontab -e`."""
    commands = [shlex.join(command) for command in (plan.scan, plan.report) if command]
    # A bare per cent sign would end the command there; cron takes the backslash away again.
    line = f"{plan.minute} {plan.hour} * * * {'; '.join(commands)}".replace("%", r"\%")
    return f"# For `crontab -e`. What a run says goes to MAILTO.\n{line}\n"


def systemd(plan: Plan) -> str:
    """A service and its timer, for the units of a user."""
    scan = f"ExecStartPre=-:{_unit(plan.scan)}\n" if plan.scan else ""
    return f"""\
# ~/.config/systemd/user/dashkit-report.service
[Unit]
Description=dashkit report

[Service]
Type=oneshot
{scan}ExecStart=:{_unit(plan.report)}

# ~/.config/systemd/user/dashkit-report.timer
# Then: systemctl --user daemon-reload && systemctl --user enable --now dashkit-report.timer
# So that it runs while you are not logged in: loginctl enable-linger
[Unit]
Description=dashkit report, every day

[Timer]
OnCalendar=*-*-* {plan.hour:02}:{plan.minute:02}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


def github(plan: Plan) -> str:
    """A workflow; the paths of this machine mean nothing there, so that it scans the repository that it is in."""
    report = shlex.join(["dashkit", "report", "--db", LOCAL.as_posix(), "--out", str(plan.out), "--", *plan.names])
    # No name on PyPI: the one that is spelt like ours is another project, and its code would run there.
    return f"""\
# .github/workflows/dashkit.yml
# Fill in INSTALL; until then the workflow fails.
name: dashkit
on:
  schedule:
    - cron: '{plan.minute} {plan.hour} * * *' # UTC
  workflow_dispatch:
permissions:
  contents: read
jobs:
  report:
    runs-on: ubuntu-latest
    env:
      INSTALL: '' # from where you have dashkit: a wheel in this repository, or git+https://... of your own, at a commit
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # the whole history
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: '3.11'
      - run: pip install "${{INSTALL:?is empty. Say in this workflow what pip is to install}}"
      - run: dashkit scan . --no-page
      - run: {json.dumps(report)}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: dashkit
          path: {json.dumps(str(plan.out))}
"""


SCHEDULERS: dict[str, Callable[[Plan], str]] = {"systemd": systemd, "cron": cron, "github": github}


def show(scheduler: str, plan: Plan) -> str:
    """What the scheduler is to be told.

    Raises:
        UsageError: a path or name that cannot be written there.
    """
    for text in (sys.executable, *plan.names, str(plan.db), str(plan.out)):
        if not text.isprintable():
            raise _unwritable(text, "it has a line break, or another character that no such file can hold")
        if scheduler == "github" and "${{" in text:
            raise _unwritable(text, "GitHub would take a part of it for an expression")
    return SCHEDULERS[scheduler](plan)


def _dashkit(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dashkit", *arguments]  # nothing that lies where it runs is imported


def _unit(command: Sequence[str]) -> str:
    """A command as systemd reads it behind `:`, which leaves dollar signs alone."""
    escaped = (word.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%") for word in command)
    return " ".join(f'"{word}"' for word in escaped)


def _unwritable(text: str, why: str) -> UsageError:
    return UsageError(f"Cannot schedule {text!r}", why, "Give it another name, or another place.")
