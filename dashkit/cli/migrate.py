"""`dashkit status` and `dashkit migrate`: the database itself."""

import argparse
import sys
from typing import TYPE_CHECKING, Any, Self

from dashkit.cli.text import plain_lines
from dashkit.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `status` and `migrate` to the commands."""
    status = commands.add_parser(
        "status",
        parents=[common],
        help="the version of a database, and what is pending",
        description="Say where a database stands: its version, its rows, what is pending. Nothing is changed.",
    )
    status.add_argument("--check", action="store_true", help="exit 1 where something is pending")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)

    migrate = commands.add_parser(
        "migrate",
        parents=[common],
        help="show what a migration would change; --execute does it, --rollback takes it back",
        description="Without an option: a dry run. The whole migration is done on a copy and reported, and the "
        "database keeps every byte.",
        epilog="example: dashkit migrate --db data/dashboard.db; then the same with --execute",
    )
    mode = migrate.add_mutually_exclusive_group()
    mode.add_argument("--execute", action="store_true", help="back up, then migrate in one verified transaction")
    mode.add_argument("--rollback", action="store_true", help="restore the state before the last --execute")
    migrate.add_argument("--to", metavar="VERSION", help="stop at this version (else the newest)")
    migrate.add_argument("--backup", metavar="FILE", help="with --rollback: restore this backup")
    migrate.add_argument("--backup-dir", metavar="DIR", help="where backups go (else beside the database)")
    migrate.add_argument("--yes", action="store_true", help="with --rollback: do not ask")
    migrate.add_argument("--json", action="store_true", help="for programs")
    migrate.set_defaults(run=_migrate)


def _status(args: argparse.Namespace) -> int:
    from dashkit import migrations

    found = migrations.status(args.db)
    _print(found, args)
    return 1 if args.check and not found.ready else 0


def _migrate(args: argparse.Namespace) -> int:
    from dashkit import migrations

    if (args.backup or args.yes) and not args.rollback:
        option = "--backup" if args.backup else "--yes"
        raise UsageError(f"Cannot use {option} here", "it goes with --rollback", "Add --rollback, or leave it away.")
    if args.to and args.rollback:
        raise UsageError(
            "Cannot use --to here", "a roll back restores the state before the last --execute", "Leave it away."
        )
    if args.rollback:
        return _rollback(args)
    work = migrations.execute if args.execute else migrations.migrate
    with Progress() as progress:
        done = work(args.db, to=args.to, backup_dir=args.backup_dir, tell=progress.tell)
    _print(done, args)
    return 0


def _rollback(args: argparse.Namespace) -> int:
    from dashkit import migrations

    plan = migrations.plan_rollback(args.db, backup=args.backup, backup_dir=args.backup_dir)
    if plan.backup is not None:
        print(plain_lines(plan), file=sys.stderr)
        if not args.yes and not _agreed():
            print("Nothing was changed.", file=sys.stderr)
            return 3
    with Progress() as progress:
        done = plan.execute(tell=progress.tell)
    _print(done, args)
    return 0


def _agreed() -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise RefusedError(
            "Cannot roll back without an answer",
            "there is no terminal to ask on",
            "Nothing was changed. Say --yes to go ahead.",
        )
    print("Restore it? [yes/no] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print(result: Any, args: argparse.Namespace) -> None:
    if not args.json:
        print(plain_lines(result))
        return
    import json

    print(json.dumps(result.as_dict(), indent=2))


class Progress:
    """On a terminal, after a second: what is being done, and for how long. In a pipe: nothing."""

    def __init__(self) -> None:
        import threading

        self._stage = "starting"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def tell(self, stage: str) -> None:
        """Note what is being done now."""
        self._stage = stage

    def _show(self) -> None:
        import time

        started = time.monotonic()
        while not self._stop.wait(1.0):
            print(f"\r\x1b[K  {self._stage} … {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
