"""Reports on a schedule: what cron, systemd and GitHub Actions are to be told, with the paths of this installation."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from dashkit import connection, migrations, texts
from dashkit.connection import LOCAL
from dashkit.errors import OutdatedError, UsageError
from dashkit.reports.catalog import Report
from dashkit.store import rows

KEPT = 90  # runs: a quarter of days
_WILD = re.compile(r"[*?[]")  # of a pattern of files, as upload-artifact reads a path


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
    """A workflow; the paths of this machine mean nothing there, so that it scans the repository that it is in.

    Raises:
        UsageError: a path that means something else there.
    """
    for text in (str(plan.out), *plan.names):
        _require_portable(text)
    out = f"./{plan.out}" if str(plan.out).startswith(("-", "!", "#")) else str(plan.out)
    report = shlex.join(["dashkit", "report", "--db", LOCAL.as_posix(), "--out", out, "--", *plan.names])
    pattern = _WILD.sub(r"[\g<0>]", out)
    is_hidden = any(part.startswith(".") for part in plan.out.parts)
    hidden = "\n          include-hidden-files: true" if is_hidden else ""
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
      - run: {_yaml(report)}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: dashkit
          path: {_yaml(pattern)}{hidden}
"""


SCHEDULERS: dict[str, Callable[[Plan], str]] = {"systemd": systemd, "cron": cron, "github": github}


def show(scheduler: str, plan: Plan) -> str:
    """What the scheduler is to be told.

    Raises:
        UsageError: a path or name that cannot be written there.
    """
    for text in (sys.executable, *plan.names, str(plan.db), str(plan.out)):
        if why := texts.trouble(text):
            raise _unwritable(text, why)
        if "\t" in text or len(text.splitlines()) > 1 or text != text.strip("\r\n"):
            raise _unwritable(text, "it has a tab or a line break, which no such file can hold")
    return SCHEDULERS[scheduler](plan)


def require_version(plan: Plan, reports: Iterable[Report]) -> None:
    """Refuse a database of a version for which every run would be refused, at night and unseen.

    Raises:
        RefusedError: it is no Dashboard.
        OutdatedError: it has to be migrated first, for a report or for the scan before it.
    """
    refused = [report.name for report in reports if not report.of_migration]
    with connection.using(plan.db) as conn:
        rows.require(conn)
        try:
            if refused:
                rows.require_v2(conn)
        except OutdatedError as error:
            raise _outdated(plan.db, ", ".join(refused), error.why) from error
    if plan.scan:
        standing = migrations.status(plan.db)
        newest = migrations.VERSIONS[-1].number
        if not standing.serves:
            raise _outdated(plan.db, "a scan", f"the database is at version {standing.version}, and it needs {newest}")


def _outdated(db: Path, what: str, why: str) -> OutdatedError:
    remedy = "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`."
    return OutdatedError(f"Cannot schedule {what} for {db}", why, remedy, path=db)


def _require_portable(text: str) -> None:
    """A path that means the same in any clone of the repository, and for each program that reads it there."""
    path = PureWindowsPath(text)
    if "${{" in text:
        raise _unwritable(text, "a part of it would be taken for an expression there", for_github=True)
    if path.is_absolute() or path.drive or path.root or ".." in path.parts or text.startswith("~"):
        raise _unwritable(text, "a path of this machine means nothing there", for_github=True)
    if "\\" in text or text != text.strip() or text in ("", "."):
        raise _unwritable(text, "it is no plain path of a folder or file in the repository", for_github=True)


def _dashkit(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dashkit", *arguments]  # nothing that lies where it runs is imported


def _unit(command: Sequence[str]) -> str:
    """A command as systemd reads it behind `:`, which leaves dollar signs alone."""
    escaped = (word.replace("\\", r"\\").replace('"', r"\"").replace("%", "%%") for word in command)
    return " ".join(f'"{word}"' for word in escaped)


def _yaml(text: str) -> str:
    """A text in the double quotes of YAML, as every parser takes it: what is not seen is escaped, and nothing else."""
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
        for char in json.dumps(text, ensure_ascii=False)
    )


def _unwritable(text: str, why: str, *, for_github: bool = False) -> UsageError:
    where, remedy = "", "Give it another name, or another place."
    if for_github:
        where, remedy = " for GitHub", "Give a path within the repository, such as pages."
    return UsageError(f"Cannot schedule {text!r}{where}", why, remedy)
