"""`dashkit config`: the settings that all commands, notebooks and reports agree on."""

import argparse
from typing import TYPE_CHECKING

from dashkit.cli.text import plain, plain_lines, project, tell
from dashkit.errors import UsageError

if TYPE_CHECKING:
    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `config` to the commands."""
    p = commands.add_parser(
        "config",
        parents=[common],
        help="show or change the settings",
        description="Show all settings, show one, or set it: for all projects, or with --project for one.",
        epilog="example: dashkit config time_zone Europe/Berlin",
    )
    p.add_argument("key", nargs="?", metavar="KEY", help="its name, such as time_zone")
    p.add_argument("value", nargs="?", metavar="VALUE", help="what to set it to")
    p.add_argument("--project", type=project, metavar="PROJECT", help="for this project alone, by id or name")
    p.add_argument("--unset", action="store_true", help="take the value away, so that the default holds again")
    p.set_defaults(run=_run_config)


def _run_config(args: argparse.Namespace) -> int:
    from dashkit import connection, times
    from dashkit.store import projects, settings

    if args.unset and (args.key is None or args.value is not None):
        raise UsageError("Cannot unset this", "--unset takes a KEY and no VALUE", "Name the setting alone.")
    with connection.using(args.db, write=args.unset or args.value is not None) as conn:
        settings.require(conn)
        number = None
        if args.project is not None:
            chosen = projects.choose(conn, args.project)
            number = chosen.id
            tell(chosen.note)
        if args.key is None:
            lines = [
                f"{one.key:<18}{plain(' | '.join(one.text.splitlines())) or '(none)'}  [{one.whose}]"
                for one in settings.listed(conn, number)
            ]
        elif args.unset:
            held = settings.unset(conn, args.key, number)
            lines = [f"{held.key} = {held.text or '(none)'}  [{held.whose}]"]
        elif args.value is None:
            settings.get(conn, args.key, number)
            lines = [one.text for one in settings.listed(conn, number) if one.key == args.key]
        else:
            _require_patterns(args.key, args.value)
            lines = [f"{args.key} = {settings.put(conn, args.key, args.value, number, times.utc_now())}"]
    print(plain_lines("\n".join(lines)))
    return 0


def _require_patterns(key: str, text: str) -> None:
    """What is said of ids must be a pattern that linking can run safely."""
    if key == "id_pattern":
        from dashkit.linking import ids

        for line in filter(str.strip, text.splitlines()):
            ids.pattern(line.strip())
