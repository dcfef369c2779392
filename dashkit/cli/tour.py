"""`dashkit sample` and `dashkit demo`: something to try it on, and the two-minute tour."""

import argparse
from typing import TYPE_CHECKING

from dashkit.cli.text import plain_lines
from dashkit.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `sample` and `demo` to the commands."""
    sample = commands.add_parser(
        "sample",
        parents=[common],
        help="write the reference version 1 database to try things on",
        description="Write the reference database: version 1.0, 1,587 tasks in 8 projects, the same bytes each time.",
    )
    sample.add_argument("path", metavar="PATH", help="a new file; nothing is ever overwritten")
    sample.set_defaults(run=_sample)
    demo = commands.add_parser(
        "demo",
        parents=[common],
        help="the two-minute tour: plan, migrate, roll back, migrate again, and read the proof",
        description="Make the reference database and run the main job on it; ends with the path of the page.",
    )
    demo.add_argument("--dir", default="dashkit-demo", help="where to (default: dashkit-demo)")
    demo.set_defaults(run=_demo)


def _sample(args: argparse.Namespace) -> int:
    from dashkit.sample import write_sample

    print(plain_lines(write_sample(args.path)))
    return 0


def _demo(args: argparse.Namespace) -> int:
    from dashkit import migrations, times
    from dashkit.reports.run import run_report
    from dashkit.sample import write_sample

    folder = _folder(args.dir, times.stamp(times.utc_now()))
    path = folder / "dashboard.db"
    path.unlink(missing_ok=True)  # of the same second
    _say("1. The reference database, as users have it", write_sample(path), migrations.status(path))
    plan = migrations.migrate(path, to="2.0")
    _say("2. dashkit migrate: what would change", plan)
    _say("3. dashkit migrate --execute --to 2.0", plan.execute())
    _say("4. dashkit migrate --rollback: the way back", migrations.rollback(path))
    _say("5. ... and there again", migrations.execute(path, to="2.0").outcome.backup, migrations.status(path))
    run = run_report("migrate_verify", db=path, out=folder / "reports")
    _say(
        f"6. dashkit report migrate_verify: the proof, {run.verdict} in {times.show_seconds(run.seconds)}",
        "Open this page:",
        run.page,
    )
    return 0 if run.ok else 1


def _folder(parent: str, name: str) -> "Path":
    from pathlib import Path

    try:
        folder = Path(parent).expanduser().absolute() / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: "~name" of nobody
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise RefusedError(f"Cannot make a folder in {parent}", why, "Name another with --dir DIR.") from error
    return folder


def _say(heading: str, *parts: object) -> None:
    print(f"\n{heading}\n{'-' * len(heading)}")
    for part in parts:
        print(plain_lines(part))
