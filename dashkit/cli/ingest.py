"""`dashkit ingest`: sources into the database."""

import argparse
import sys
from typing import TYPE_CHECKING

from dashkit.cli.text import plain

if TYPE_CHECKING:
    from dashkit.cli import Commands
    from dashkit.records import IngestSummary

_SHOWN = 20  # complaints


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `ingest` to the commands."""
    ingest = commands.add_parser(
        "ingest", help="read a source into the database", description="Read a source into the database."
    )
    objects = ingest.add_subparsers(title="sources", metavar="SOURCE", required=True)
    tasks = objects.add_parser(
        "tasks",
        parents=[common],
        help="Markdown task lists",
        description="Fill a new or empty project with the tasks of Markdown files: boxes become tasks, "
        "headings phases. All files are read, or nothing is written.",
    )
    tasks.add_argument("files", nargs="+", metavar="FILE", help="a Markdown task list")
    tasks.add_argument("--project", required=True, metavar="NAME", help="the project to fill")
    tasks.set_defaults(run=_run_tasks)


def _run_tasks(args: argparse.Namespace) -> int:
    from dashkit.ingest.tasks import ingest_tasks

    summary = ingest_tasks(args.files, args.project, db=args.db)
    for note in summary.notes[:_SHOWN]:
        print(plain(note), file=sys.stderr)
    if (more := len(summary.notes) - _SHOWN) > 0:
        print(f"... and {_count(more, 'more complaint')}", file=sys.stderr)
    print(_sentence(summary, plain(args.project)))
    return 0


def _sentence(summary: "IngestSummary", project: str) -> str:
    phases = f" in {_count(summary.phases, 'phase')}" if summary.phases else ""
    parts = [f"Added {_count(summary.added, 'task')}{phases} to project {project} (id {summary.project_id})"]
    if summary.left_out:
        parts.append(f"{_count(summary.left_out, 'legend line')} left out")
    if summary.skipped:
        parts.append(f"{_count(summary.skipped, 'box', 'boxes')} without a title skipped")
    return "; ".join(parts) + "."


def _count(number: int, word: str, plural: str | None = None) -> str:
    return f"{number:,} {word if number == 1 else plural or word + 's'}"
