"""`dashkit show`: any frame as a table, CSV or JSON."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dashkit.cli.text import plain, project, tell
from dashkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.cli import Commands
    from dashkit.dashboard import Dashboard

WIDTH = 60  # characters of one cell on a terminal
_MOST = 2**31  # rows: more than anybody has
# What a frame may take: flags, in words, and how they are parsed. Their names are those of the frame's arguments.
_OF_FRAMES: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (("--by",), "day, week or month of a frame over time; the parts of progress", {"metavar": "BY"}),
    (
        ("--task",),
        "this task alone, by the id that pages show or the number of its row",
        {"metavar": "ID", "dest": "task_id"},
    ),
    (("--min-confidence",), "leave out links that are less sure", {"metavar": "0..1"}),
    (("--since",), "what happened, or moved, after this", {"metavar": "INSTANT"}),
    (("--until",), "forecast how many until this day or instant", {"metavar": "DAY"}),
    (("--tasks",), "forecast when so many more are done", {"metavar": "N"}),
    (("--arrivals",), "forecast no more than is open or arrives", {"action": "store_true"}),
    (("--days-ago",), "the fan of so many days ago, and what came of it", {"metavar": "N"}),
    (("--confidence",), "of the date that moved", {"metavar": "0..1"}),
)
# Patterns that are compiled when they are used: the help needs none of them.
_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # also in full width
_INNER = r"(?s)(?<=.[;\t\r\n])(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"  # where ; is what separates cells
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add the command `show`."""
    p = commands.add_parser(
        "show",
        parents=[common],
        help="show a frame as a table, CSV or JSON",
        description="Show any frame: what a report is made of, as a table, CSV or JSON.",
    )
    p.add_argument(
        "frame",
        metavar="FRAME",
        nargs="?",
        default="",
        help="its name, such as progress, blocked_tasks, activity or links (without one all are listed)",
    )
    p.add_argument("--project", type=project, metavar="PROJECT", help="this project alone, by id or name")
    p.add_argument("--as-of", metavar="INSTANT", help="as it was then, such as 2026-01-31 or 2026-01-31T12:00+01:00")
    p.add_argument("--known-at", metavar="INSTANT", help="without what was recorded later")
    p.add_argument("--limit", metavar="N", help="the first N rows, and how many more there are (all; of activity 50)")
    p.add_argument("--timezone", metavar="ZONE", help="of days, weeks and months, such as Europe/Berlin")
    frame = p.add_argument_group("for frames that take it")
    for flags, words, options in _OF_FRAMES:
        frame.add_argument(*flags, help=words, **options)
    form = p.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON array, one object per row")
    form.add_argument("--csv", action="store_true", help="CSV, safe to open in a spreadsheet")
    p.set_defaults(run=_run_show)


def _run_show(args: argparse.Namespace) -> int:
    # Here, because pandas and DuckDB take their time to load.
    from dashkit import dashboard

    frames = dashboard.frames()
    if not args.frame:
        _list(frames)
        return 0
    if args.frame not in frames:
        from difflib import get_close_matches

        near = get_close_matches(args.frame, frames, n=1)
        raise UsageError(
            f"Cannot show {args.frame!r}",
            "there is no such frame",
            (f"Did you mean {near[0]!r}? " if near else "") + f"The frames are {', '.join(sorted(frames))}.",
        )
    chosen, limit = _chosen(args, frames[args.frame]), _limit(args)
    instants = {"as_of": args.as_of, "known_at": args.known_at}
    with dashboard.open(args.db, project=args.project, timezone=args.timezone, **instants) as opened:
        tell(opened.note)
        if "task_id" in chosen:
            task = opened.find_task(chosen["task_id"])
            tell(task.note)
            chosen["task_id"] = task.task_id
        frame, total = _rows(opened, args.frame, frames[args.frame], chosen, limit)
    _print(frame, "json" if args.json else "csv" if args.csv else "table")
    if not total and not (args.json or args.csv):
        print("Nothing to show.", file=sys.stderr)
    if left_out := total - len(frame):
        were = "row was" if left_out == 1 else "rows were"
        # Among data it would be taken for a row.
        beside = sys.stderr if args.json or args.csv else sys.stdout
        print(f"{left_out:,} more {were} left out (--limit {len(frame)})", file=beside)
    return 0


def _list(frames: dict[str, Callable[..., "pd.DataFrame"]]) -> None:
    """Print the name of each frame and the first sentence about it."""
    import inspect

    width = max(map(len, frames))
    for name, frame in sorted(frames.items()):
        print(f"{name:<{width}}  {(inspect.getdoc(frame) or '').splitlines()[0]}")


def _limit(args: argparse.Namespace) -> int | None:
    """How many rows are wanted at most; None: as many as the frame has, if it was not said."""
    if args.limit is None:
        return None
    try:
        limit = int(args.limit)
    except ValueError:
        limit = -1
    if limit < 0:
        raise UsageError(
            f"Cannot show {args.frame} with --limit {args.limit!r:.80}",
            "it is no number of rows",
            "Give a whole number, 0 or more.",
        )
    return min(limit, _MOST)


def _rows(
    opened: "Dashboard", name: str, frame: Callable[..., "pd.DataFrame"], chosen: dict[str, Any], limit: int | None
) -> tuple["pd.DataFrame", int]:
    """The first rows of a frame, and how many it has."""
    from dashkit.frames import activity

    if name == "activity":  # which never gives all that there is
        given = {} if limit is None else {"limit": limit}
        return frame(opened, **chosen, **given), activity.count(opened)
    found = frame(opened, **chosen)
    return found.head(len(found) if limit is None else limit), len(found)


def _chosen(args: argparse.Namespace, frame: Callable[..., object]) -> dict[str, Any]:
    """The arguments that were given for the frame itself, as it names them."""
    import inspect

    from dashkit import arguments

    flags_of = {options.get("dest", flags[0][2:].replace("-", "_")): flags[0] for flags, _, options in _OF_FRAMES}
    given = {name: value for name in flags_of if (value := getattr(args, name)) is not None and value is not False}
    takes = [name for name in inspect.signature(frame).parameters if name in flags_of]
    if strange := [name for name in given if name not in takes]:
        raise UsageError(
            f"Cannot show {args.frame} with {', '.join(flags_of[name] for name in strange)}",
            "this frame does not take that",
            f"It takes {', '.join(flags_of[name] for name in takes) or 'none of these options'}.",
        )
    return {
        name: arguments.read(frame, name, value) if isinstance(value, str) else value for name, value in given.items()
    }


def _print(frame: "pd.DataFrame", form: str) -> None:
    from dashkit.charts.tables import blocked_for

    sentences: list[str] = []
    if form == "table":
        if {"blocked_days", "basis"} <= set(frame):
            frame = frame.assign(blocked_days=blocked_for(frame))
        if "sentence" in frame:  # too long for a cell
            sentences = frame.pop("sentence").drop_duplicates().tolist()
    names, rows = _cells(frame)
    if form == "json":
        import json

        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
    elif form == "csv":
        # Text is always quoted: else a bare carriage return in it would end the row.
        import csv

        writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerows([names, *([_safe(cell) for cell in row] for row in rows)])
    else:
        _print_table(names, rows)
        print(*["", *map(plain, sentences)] if sentences else [], sep="\n", end="\n" if sentences else "")


def _cells(frame: "pd.DataFrame") -> tuple[list[str], list[list[Any]]]:
    """The names and the rows of a frame, in Python's own types, timestamps in their stored form."""
    from datetime import datetime

    from dashkit import times

    names = list(map(str, frame))
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame]
    told = (
        [times.of_column(name, cell) if isinstance(cell, datetime) else cell for cell in column]
        for name, column in zip(names, columns, strict=True)
    )
    return names, [list(row) for row in zip(*told, strict=True)]


def _safe(cell: Any) -> Any:
    """A cell that a spreadsheet takes for text or a number, never for a formula."""
    if not isinstance(cell, str):
        return cell
    text = re.sub(_INNER, "'", plain(cell) if sys.stdout.isatty() else cell)
    return "'" + text if re.match(_FORMULA, text) and not re.fullmatch(_NUMBER, text) else text


def _print_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    shown = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    right = [any(_is_number(row[i]) for row in rows) for i in range(len(names))]
    for row in [list(names), ["-" * width for width in widths], *shown]:
        cells = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        )
        print("  ".join(cells).rstrip())


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        text = f"{cell:.2f}"
        # Nearly all is not all, and hardly any is not none.
        return {"0.00": "0.01", "1.00": "0.99"}.get(text, text) if 0 < cell < 1 else text
    return plain(cell, WIDTH)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
