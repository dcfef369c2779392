"""`dashkit doctor`: what is wrong with a database, and what to do."""

import argparse
from typing import TYPE_CHECKING

from dashkit.cli.text import plain_lines

if TYPE_CHECKING:
    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `doctor` to the commands."""
    p = commands.add_parser(
        "doctor",
        parents=[common],
        help="what is wrong with a database, and what to do",
        description="Look at everything that can be wrong with a database: damage, missing triggers and indexes, what "
        "other programs took away from tables, rows that name a row which is not there, values out of range, a history "
        "that differs from the rows, backups. Each finding says what to do. Nothing is changed; exit 1 where something "
        "is wrong.",
    )
    p.add_argument("--json", action="store_true", help="for programs")
    p.set_defaults(run=_run_doctor)


def _run_doctor(args: argparse.Namespace) -> int:
    from dashkit import doctor

    found = doctor.examine(args.db)
    if args.json:
        import json

        print(json.dumps(found.as_dict(), indent=2))
    else:
        print(plain_lines(found))
    return 0 if found.healthy else 1
