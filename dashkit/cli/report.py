"""`dashkit report`: notebooks in, pages out."""

import argparse
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dashkit.cli.text import plain, tell
from dashkit.errors import DashkitError, FailedError, UsageError

_WORDS = {"passed": "done", "failed": "CHECKS FAILED", "refused": "REFUSED", "crashed": "FAILED"}

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dashkit.cli import Commands
    from dashkit.reports.catalog import Report
    from dashkit.reports.jobs import Job
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
    parser.add_argument("--all", action="store_true", help="every report that comes with dashkit, two at once")
    parser.add_argument("--list", action="store_true", help="which reports there are, and what each takes")
    parser.add_argument(
        "--copy",
        action="store_true",
        help="copy the notebook NAME, to change it and run it by its path; a second NAME says where to (here)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="the folder of pages (reports; of REPO/.dashkit/dashboard.db REPO/.dashkit/reports)",
    )
    parser.add_argument("--as-of", metavar="INSTANT", help="as it was then, such as 2026-01-31T12:00+01:00")
    parser.add_argument("--known-at", metavar="INSTANT", help="without what was recorded later")
    parser.add_argument(
        "--if-changed", action="store_true", help="only where something changed since the last good run"
    )
    parser.add_argument(
        "--keep",
        type=_count,
        metavar="N",
        help="keep the newest N pages of each report, and N of its failures (keep all)",
    )
    parser.add_argument(
        "--notify",
        metavar="CMD",
        help="run this program where something changed, with what it is as JSON on standard input; no shell reads it, "
        "so for pipes and variables write: sh -c '...'; if it fails, the next run delivers what it missed",
    )
    parser.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help="give a parameter"
    )
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs, 1 or more")
    return int(text)


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from dashkit.connection import default_path
    from dashkit.reports import catalog, folder
    from dashkit.reports.jobs import require_apart

    args.out = args.out or folder.beside(default_path(args.db or _given(args).get("db_path")))
    if args.list:
        for report in catalog.reports():
            _print_entry(report)
        return 0
    if args.copy:
        return _copy(args.names)
    names = _names(args)
    _require_once(args)
    require_apart([Path(name) for name in names])
    jobs: list[Job] = []
    refused: list[tuple[str | Path, DashkitError]] = []
    # Every refusal comes before the first run.
    for name in names:
        try:
            jobs += _jobs(args, name)
        except DashkitError as error:
            refused.append((name, error))
    if refused:
        _keep_on_record(args, refused)
        raise refused[0][1]
    return _run_jobs(args, jobs) if jobs else _notify(args, [])


def _given(args: argparse.Namespace) -> dict[str, str]:
    """The parameters as they were given, whatever they are to mean."""
    return {name: value for name, _, value in (pair.partition("=") for pair in args.parameters)}


def _keep_on_record(args: argparse.Namespace, refused: "Sequence[tuple[str | Path, DashkitError]]") -> None:
    """What was refused before it began stands in the index too, and is told: a schedule must not look fine."""
    from dashkit.reports import run

    given = _given(args)
    given |= {name: value for name in ("as_of", "known_at") if (value := getattr(args, name)) is not None}
    told: list[ReportRun] = []
    for name, error in refused:
        ran = run.refuse(name, error, db=args.db, out=args.out, parameters=given, killed=told.extend)
        if ran:
            told.append(ran)
            print(f"The refusal is on record: {plain(ran.page)}", file=sys.stderr)
    _notify(args, told)  # whatever comes of it: the exit code is that of what was refused


def _notify(args: argparse.Namespace, about: "Sequence[ReportRun]") -> int:
    """Tell the command of --notify of these runs; the exit code, where that failed and the reason was said."""
    from pathlib import Path

    from dashkit.reports import notify

    out = Path(args.out)
    if args.notify is None:
        tell(_untold(out, "a run with --notify tells it"))
        return 0
    before = _untold(out, "it is told now")
    if not (about or before):
        return 0
    tell(before)
    try:
        notify.notify(args.notify, about, out)
    except (UsageError, FailedError) as error:
        print(f"dashkit: {plain(str(error))}", file=sys.stderr)
        return error.exit_code
    return 0


def _untold(out: "Path", then: str) -> str:
    """A sentence about the last message that failed, and what becomes of it; '' where none did."""
    from dashkit.reports import untold

    found = untold.load(out)
    if not found.changes:
        return ""
    count = len(found.changes)
    what = "1 change was" if count == 1 else f"{count:,} changes were"
    return f"{what} not told at {found.failed_at} ({found.why}); {then}."


def _run_jobs(args: argparse.Namespace, jobs: "list[Job]") -> int:
    from dashkit.reports import notify, run

    if args.notify is not None:
        notify.words(args.notify)
    runs: list[ReportRun] = []
    codes: list[int] = []

    def killed(lost: "Sequence[ReportRun]") -> None:
        codes.append(_notify(args, lost))  # before the first run: this one may be killed as well

    def tell(ran: "ReportRun") -> None:
        runs.append(ran)
        _narrate(ran)
        print(plain(ran.page) if sys.stdout.isatty() else ran.page, flush=True)

    try:
        run.run_all(jobs, out=args.out, keep=args.keep, tell=tell, killed=killed)
    finally:
        codes.append(_notify(args, runs))
    if len(jobs) > 1 and not all(ran.ok for ran in runs):
        _sum_up(runs)
    return max(*codes, *(ran.exit_code for ran in runs))


def _copy(names: list[str]) -> int:
    import shlex
    from pathlib import Path

    from dashkit.reports import catalog

    if not 1 <= len(names) <= 2:
        raise UsageError("Cannot copy a notebook", "it takes one name, and a path", "Say --copy NAME [PATH].")
    target = catalog.copy(names[0], Path(*names[1:]))
    print(plain(target) if sys.stdout.isatty() else target)
    path = shlex.quote(str(target if target.is_absolute() else Path("./") / target))
    if target.stem in {report.stem for report in catalog.bundled()}:
        print("Give it a name of its own, for its pages: where ours of that name are it is refused.", file=sys.stderr)
    print(f"Change it, and run it: dashkit report {plain(path)}", file=sys.stderr)
    return 0


def _names(args: argparse.Namespace) -> "Sequence[str | Path]":
    """Which reports are asked for: names, and paths of notebooks."""
    from dashkit.reports import catalog

    if bool(args.names) == args.all:
        raise UsageError(
            "Cannot run a report",
            "both names and --all were given" if args.all else "none was named",
            "Give names, or --all; `dashkit report --list` says which there are.",
        )
    if not args.all:
        return list(args.names)
    if "execute" in _given(args):
        raise UsageError(
            "Cannot run every report with execute",
            "it lets a report write to the database",
            "Name that one report.",
        )
    return [report.path for report in catalog.reports()]


def _require_once(args: argparse.Namespace) -> None:
    """Refuse a parameter that is given as an option too: one of the two would be dropped in silence."""
    options = {"as_of": args.as_of, "known_at": args.known_at, "db_path": args.db}
    for name in _given(args):
        if options.get(name) is not None:
            option = "--db" if name == "db_path" else f"--{name.replace('_', '-')}"
            raise UsageError("Cannot run a report", f"{name} was given twice, by -p and by {option}", "Give it once.")


def _jobs(args: argparse.Namespace, name: "str | Path") -> "Iterator[Job]":
    """The report with the values for its run; none where there is nothing to be said now."""
    from pathlib import Path

    from dashkit import times
    from dashkit.reports import catalog, run
    from dashkit.reports.jobs import prepare
    from dashkit.reports.parameters import from_text
    from dashkit.reports.unchanged import last_page

    report = catalog.find(name)
    texts = {"as_of": args.as_of, "known_at": args.known_at}
    instants = {
        name: times.to_text(times.require(text, "report what was true at"))
        for name, text in texts.items()
        if text is not None
    }
    known = {parameter.name for parameter in report.parameters}
    lacking = " or ".join(name for name in instants if name not in known)
    if lacking and args.all:
        print(f"{plain(report.name)}: left out, it takes no {lacking}", file=sys.stderr)
        return
    if lacking:
        raise UsageError(f"Cannot run {report.name} as of another instant", f"it takes no {lacking}", "Leave it away.")
    given = from_text(args.parameters, report.parameters, report.name) | instants
    job = prepare(report.path, db=args.db, parameters=given)
    if report.path in catalog.bundled():  # in a notebook of somebody else's the name may mean anything
        tell(_what_project(job[1]))
    if args.all and report.of_migration and (why := _no_migration(Path(str(job[1]["db_path"])))):
        print(f"{plain(report.name)}: left out, {why}", file=sys.stderr)
    elif args.if_changed and (last := last_page(*job, Path(args.out))):
        page, record = last
        run.confirm(report.name, record, out=args.out, killed=lambda lost: _notify(args, lost))
        print(f"{plain(report.name)}: nothing changed since {record.started_at}: {plain(page)}", file=sys.stderr)
    else:
        yield job


def _what_project(given: "Mapping[str, object]") -> str:
    """What is to be said of the project that was named: '' where it is certain, or where the report will refuse it."""
    from pathlib import Path

    from dashkit import connection
    from dashkit.store import projects

    word = given.get("project")
    if not word:
        return ""
    with suppress(DashkitError), connection.using(Path(str(given["db_path"]))) as conn:
        return projects.choose(conn, str(word)).note
    return ""


def _no_migration(path: "Path") -> str:
    """Why there is nothing to verify: '' where there may be."""
    from dashkit import migrations

    try:
        standing = migrations.status(path)
    except DashkitError:  # the report says it in words
        return ""
    if standing.migrated_at or standing.version == "1.0":
        return ""
    return f"there was no migration: the database was made at version {standing.version}"


def _print_entry(report: "Report") -> None:
    print(f"{plain(report.name)}: {plain(report.question)}")
    for parameter in report.parameters:
        print(f"  {parameter.name}: {parameter.kind} = {parameter.default!r}  {plain(parameter.help)}".rstrip())


def _narrate(ran: "ReportRun") -> None:
    from dashkit.times import show_seconds

    took = f"{_WORDS[ran.verdict]} in {show_seconds(ran.seconds)}"
    why = f": {plain(ran.error)}" if ran.error else ""
    print(f"{plain(ran.name)}: {took}{why}", file=sys.stderr)
    if ran.notebook and ran.verdict != "refused":
        print(f"  The notebook as it ran is kept: {plain(ran.notebook)}", file=sys.stderr)


def _sum_up(runs: "Sequence[ReportRun]") -> None:
    """Which of several reports were made, and which were not, where not all is well."""
    named = {words: [plain(ran.name) for ran in runs if ran.verdict == verdict] for verdict, words in _WORDS.items()}
    told = [f"{words}: {', '.join(names)}" for words, names in named.items() if names]
    print(f"{len(runs)} reports. {'. '.join(told)}.", file=sys.stderr)
