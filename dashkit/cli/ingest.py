"""`dashkit ingest`: sources into the database."""

import argparse
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from dashkit.cli import git
from dashkit.cli.text import helping, plain

if TYPE_CHECKING:
    from dashkit.cli import Commands
    from dashkit.records import IngestSummary

_SHOWN = 20  # complaints
_FORMATS = ("backlog", "beads", "github", "tasklist")  # of dashkit.sources, which need not be loaded for the help


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `ingest` to the commands."""
    ingest = commands.add_parser(
        "ingest", help="read a source into the database", description="Read a source into the database."
    )
    ingest.set_defaults(run=helping(ingest), debug=False)
    objects = ingest.add_subparsers(title="sources", metavar="SOURCE")
    tasks = objects.add_parser(
        "tasks",
        parents=[common],
        help="task files, with their past",
        description="Read task files into a project: what is new, changed or gone since the last reading, and of "
        "files that git knows the versions before. What a person changed in the database stays, and is reported. "
        "Every file that is named is read, or nothing is written; in a repository or folder the task files are found.",
    )
    tasks.add_argument("files", nargs="+", metavar="PATH", help="a task file, a Backlog.md folder, or a repository")
    project = tasks.add_mutually_exclusive_group()
    project.add_argument(
        "--project",
        metavar="PROJECT",
        help="the project, by id or name; a name that is not there makes a new one (else named as the first file's "
        "folder)",
    )
    project.add_argument("--project-id", type=int, metavar="N", help="the project by its id, which has to be there")
    tasks.add_argument(
        "--format", choices=("auto", *_FORMATS), default="auto", help="what the files are; of a folder these alone"
    )
    tasks.add_argument("--no-history", action="store_true", help="only the files as they are now")
    tasks.add_argument("--everything", action="store_true", help="also what the rules of a source leave out")
    tasks.add_argument("--dry-run", action="store_true", help="say what would be added and changed; write nothing")
    tasks.set_defaults(run=_run_tasks)
    git.register(objects, common)


def _run_tasks(args: argparse.Namespace) -> int:
    from dashkit.connection import default_path
    from dashkit.ingest.rehearsal import copied
    from dashkit.ingest.tasks import ingest_tasks

    with copied(default_path(args.db)) if args.dry_run else nullcontext(args.db) as db:
        summary = ingest_tasks(
            args.files,
            args.project,
            db,
            project_id=args.project_id,
            source=args.format,
            with_history=not args.no_history,
            everything=args.everything,
        )
    for note in summary.notes[:_SHOWN]:
        print(plain(note), file=sys.stderr)
    if (more := len(summary.notes) - _SHOWN) > 0:
        print(f"... and {_count(more, 'more complaint')}", file=sys.stderr)
    print(_sentence(summary, plain(args.project), dry_run=args.dry_run))
    return 0


def _sentence(summary: "IngestSummary", name: str, *, dry_run: bool) -> str:
    project = f"project {name} (id {summary.project_id})" if name else f"project {summary.project_id}"
    phases = f" in {_count(summary.phases, 'phase')}" if summary.phases else ""
    parts = [f"No new task for {project}"]
    if summary.added:
        parts = [f"{'Would add' if dry_run else 'Added'} {_count(summary.added, 'task')}{phases} to {project}"]
    if summary.changed:
        parts.append(f"would change {summary.changed:,}" if dry_run else f"{summary.changed:,} changed")
    if summary.gone:
        parts.append(f"{summary.gone:,} no longer there, and kept")
    if summary.files > 1:
        parts.append(f"{_count(summary.files, 'file')} read")
    if summary.versions > 1:
        parts.append(f"{_count(summary.versions, 'version')} read")
    if summary.left_out:
        reasons = (f"{reason} ({count:,})" for reason, count in summary.left_out_by.items())
        parts.append(f"left out: {', '.join(reasons)}")
    if summary.skipped:
        parts.append(f"{_count(summary.skipped, 'broken record')} skipped")
    return "; ".join(parts) + (". Nothing was written." if dry_run else ".")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else word + 's'}"
