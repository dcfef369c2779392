"""`dashkit scan` and `dashkit link`."""

import argparse
from typing import TYPE_CHECKING

from dashkit.cli.migrate import Progress
from dashkit.cli.text import Speed, plain, plain_lines
from dashkit.errors import FailedError

if TYPE_CHECKING:
    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `scan` and `link` to the commands."""
    scan = commands.add_parser(
        "scan",
        parents=[common],
        help="a repository into its database, and a page",
        description="Find task files, git history and links in a repository, bring what is new into the database "
        "beside it, and write the progress page. What is new alone is read. Without --db the database is "
        "REPO/.dashkit/dashboard.db, whatever DASHKIT_DB says.",
    )
    scan.add_argument("repo", nargs="?", default=".", metavar="REPO", help="a folder (default: this one)")
    scan.add_argument("--out", metavar="DIR", help="where the page goes (default: REPO/.dashkit/reports)")
    scan.add_argument("--no-page", action="store_true", help="no page, only the database")
    scan.add_argument("--everything", action="store_true", help="also files and records that a rule leaves out")
    scan.add_argument(
        "--dry-run", action="store_true", help="say what a scan would read, add and change; write nothing"
    )
    scan.set_defaults(run=_scan)
    link = commands.add_parser(
        "link",
        parents=[common],
        help="link the commits with the tasks that they name",
        description="Link every commit with the tasks that its message names; what a person linked or unlinked stays.",
    )
    link.set_defaults(run=_link)


def _scan(args: argparse.Namespace) -> int:
    from dashkit.scanning import scan

    speed = Speed()

    def tell(stage: str, done: int, total: int) -> None:
        progress.tell(f"{stage}: {speed.words(done, total)}" if total else stage)

    with Progress() as progress:
        done = scan(
            args.repo,
            db=args.db,
            out=args.out,
            page=not args.no_page,
            everything=args.everything,
            dry_run=args.dry_run,
            tell=tell,
        )
    print(plain_lines(done))
    return FailedError.exit_code if done.failures else 0


def _link(args: argparse.Namespace) -> int:
    from dashkit.ingest.links import link_commits

    done = link_commits(args.db)
    print(f"{done.added:,} links added, {done.gone:,} removed; ids that may mean several tasks: {done.left_out:,}.")
    for note in done.notes:
        print(plain(note))
    return 0
