"""`dashkit report`: notebooks in, pages out."""

import argparse
import sys
from typing import TYPE_CHECKING

from dashkit.cli.text import plain
from dashkit.errors import UsageError
from dashkit.times import show_seconds

if TYPE_CHECKING:
    from dashkit.cli import Commands
    from dashkit.reports.catalog import Report
    from dashkit.reports.run import ReportRun


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `report` to the commands."""
    parser = commands.add_parser(
        "report",
        parents=[common],
        help="run reports and write their pages",
        description="Run reports, each a notebook, and write each as one HTML page. The pages' paths are printed.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a report, or the path of a notebook of your own")
    parser.add_argument("--all", action="store_true", help="every report that comes with dashkit")
    parser.add_argument("--list", action="store_true", help="which reports there are, and what each takes")
    parser.add_argument("--out", default="reports", metavar="DIR", help="the folder of pages (reports)")
    parser.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help="give a parameter"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from dashkit.reports import catalog, run
    from dashkit.reports.parameters import from_text

    if args.list:
        for path in catalog.bundled():
            _print_entry(catalog.read(path))
        return 0
    names = _names(args)
    ready = []
    # Every refusal comes before the first run.
    for report in [catalog.find(name) for name in names]:
        given = from_text(args.parameters, report.parameters, report.name)
        run.prepare(report.path, db=args.db, parameters=given)
        ready.append((report, given))
    worst = 0
    for report, given in ready:
        ran = run.run_report(report.path, db=args.db, out=args.out, parameters=given)
        _narrate(ran)
        print(ran.page)
        worst = max(worst, ran.exit_code)
    return worst


def _names(args: argparse.Namespace) -> list[str]:
    from dashkit.reports import catalog

    if bool(args.names) == args.all:
        raise UsageError(
            "Cannot run a report",
            "both names and --all were given" if args.all else "none was named",
            "Give names, or --all; `dashkit report --list` says which there are.",
        )
    if not args.all:
        return list(args.names)
    if any(pair.partition("=")[0] == "execute" for pair in args.parameters):
        raise UsageError(
            "Cannot run every report with execute",
            "it lets a report write to the database",
            "Name that one report.",
        )
    return [str(path) for path in catalog.bundled()]


def _print_entry(report: "Report") -> None:
    print(f"{plain(report.name)}: {plain(report.question)}")
    for parameter in report.parameters:
        print(f"  {parameter.name}: {parameter.kind} = {parameter.default!r}  {plain(parameter.help)}".rstrip())


def _narrate(ran: "ReportRun") -> None:
    words = {"passed": "done", "failed": "CHECKS FAILED", "refused": "REFUSED", "crashed": "FAILED"}[ran.verdict]
    print(f"{plain(ran.name)}: {words} in {show_seconds(ran.seconds)}", file=sys.stderr)
    if ran.error:
        print(f"  {plain(ran.error)}", file=sys.stderr)
    if ran.notebook:
        print(f"  The notebook as it ran is kept: {plain(ran.notebook)}", file=sys.stderr)
