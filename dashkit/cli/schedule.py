"""`dashkit schedule`: print what a scheduler is to be told; nothing is installed."""

import argparse
import re
from typing import TYPE_CHECKING

from dashkit.errors import OutdatedError, UsageError

if TYPE_CHECKING:
    from dashkit.cli import Commands

_NO_DATABASE = "For GitHub leave --db away: its workflow makes a database of its own from the repository."


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `schedule` to the commands."""
    parser = commands.add_parser(
        "schedule",
        parents=[common],
        help="print what cron, systemd or GitHub Actions need to run reports every day",
        description="Print what cron, systemd or GitHub Actions are to be told, with the paths of this installation. "
        "Nothing is installed; docs/scheduling.md says where it goes, and has other schedulers.",
    )
    parser.add_argument("scheduler", choices=("systemd", "cron", "github"), help="which one")
    parser.add_argument(
        "--reports", nargs="+", default=["progress"], metavar="NAME", help="which, or paths of notebooks (progress)"
    )
    parser.add_argument("--at", type=_time, default=(7, 0), metavar="HH:MM", help="when, each day (07:00)")
    parser.add_argument("--out", metavar="DIR", help="the folder of pages, as of report; of github pages")
    parser.set_defaults(run=_run)


def _time(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day, such as 07:00")
    return int(found[1]), int(found[2])


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from dashkit.connection import default_path, require_file
    from dashkit.reports import catalog, folder, schedule

    local = args.scheduler != "github"  # where no path of this machine means anything
    names = list(args.reports)
    reports = [catalog.find(name) for name in names]
    for place, report in enumerate(reports):
        if local and report.path not in catalog.bundled():
            names[place] = str(report.path.absolute())
    db = default_path(args.db).absolute()
    out = Path(args.out or folder.beside(db)).absolute() if local else Path(args.out or "pages")
    plan = schedule.Plan(names, db, out, *args.at)
    if local or args.db:
        require_file(db)
        try:
            schedule.require_version(plan, reports)
        except OutdatedError as error:
            if local:
                raise
            remedy = f"{error.remedy} {_NO_DATABASE}"
            raise OutdatedError(error.what, error.why, remedy, path=db) from error
    if args.db and not local:
        raise UsageError("Cannot schedule --db for GitHub", "its workflow scans the repository", _NO_DATABASE)
    print(schedule.show(args.scheduler, plan), end="")
    return 0
