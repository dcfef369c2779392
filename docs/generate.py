"""Write the pages of docs/ that are made from the code; with --check only say which are out of date."""  # noqa: INP001 - a script, no package

import argparse
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dashkit import cli, dashboard, migrations, verification
from dashkit.linking import references, spellings
from dashkit.migrations.changes import Change
from dashkit.migrations.fills import Fill, Insert
from dashkit.migrations.moves import Move

DOCS = Path(__file__).parent
NOTE = "<!-- Made by docs/generate.py from the code: change it there. -->\n"

_COLUMN = re.compile(r"(\w+) \((datetime64\[us, (?:UTC|zone)\]|\w+)(?:, ([^)]+))?\): (.+)")


class Column(NamedTuple):
    """One column as a frame's docstring promises it; unit is '' where there is none."""

    name: str
    dtype: str
    unit: str
    meaning: str


def sections(function: Callable[..., object]) -> dict[str, str]:
    """A docstring by its headings; what stands before the first is under ''."""
    headings = r"^(Columns|Sorted by|Args|Returns|Raises):\s"
    lead, *rest = re.split(headings, inspect.getdoc(function) or "", flags=re.MULTILINE)
    return {"": lead, **dict(zip(rest[::2], rest[1::2], strict=True))}


def columns(frame: Callable[..., object]) -> list[Column]:
    """The columns that a frame's docstring promises, in order; a line that is none is left out."""
    items = re.split(r"^    (?=\w)", sections(frame)["Columns"], flags=re.MULTILINE)
    found = [_COLUMN.fullmatch(" ".join(item.split())) for item in items]
    return [Column(*(group or "" for group in match.groups())) for match in found if match]


def frames_page() -> str:
    """docs/frames.md: every frame of a Dashboard with its columns, and the views for queries of one's own."""
    parts = [
        "# Frames",
        "Every frame is a method of the Dashboard that `dashkit.open()` returns, and `dashkit show FRAME` prints it.\n"
        "Units are defined in the [glossary](glossary.md); where a value is missing, the cell is `NA`.",
        *(part for name, frame in sorted(dashboard.frames().items()) for part in _frame(name, frame)),
        "# Views",
        sections(dashboard.Dashboard.sql)[""].strip(),
        "```python\nwith dashkit.open('dashboard.db') as d:\n"
        "    d.sql('SELECT project, count(*) FROM tasks WHERE status = ? GROUP BY 1', ['review'])\n```",
        "Instants are TIMESTAMP in UTC. A DATE comes to pandas as the midnight that it begins with, in the time zone "
        "of the dashboard, so that it can be compared with them.",
        *_views(),
        "# Verification",
        "`dashkit.verify_migration(db)` returns a Verification; these are its methods, and the page of "
        "`dashkit report migrate_verify` shows each.",
        *(part for name, frame in verification_frames().items() for part in _frame(name, frame)),
    ]
    return "\n\n".join(parts) + "\n"


def verification_frames() -> dict[str, Callable[..., object]]:
    """The methods of a Verification that give a frame, in the order of the page."""
    found = vars(verification.Verification).items()
    return {name: made for name, made in found if inspect.isfunction(made) and "Columns" in sections(made)}


def _frame(name: str, frame: Callable[..., object]) -> Iterator[str]:
    told = sections(frame)
    arguments = [str(p) for p in inspect.signature(frame).parameters.values()][1:]
    yield f"## {name}({', '.join(_call(text) for text in arguments)})"
    yield told[""].strip()
    rows = [(f"`{c.name}`", c.dtype, c.unit, c.meaning) for c in columns(frame)]
    yield _table(("column", "dtype", "unit", "meaning"), rows)
    if order := told.get("Sorted by"):
        yield f"Sorted by {' '.join(order.split())}"


def _call(parameter: str) -> str:
    return re.sub(r": .+? =", " =", parameter).replace(" = ", "=")


def _views() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrations.create(file)
        with dashboard.open(file) as empty:
            found = empty.sql(
                "SELECT view_name, comment FROM duckdb_views() WHERE comment IS NOT NULL ORDER BY view_name"
            )
            for view, comment in found.itertuples(index=False):
                described = empty.sql(f"DESCRIBE {view}")
                yield f"## {view}"
                yield comment
                yield _table(
                    ("column", "type"),
                    [(f"`{c}`", t) for c, t in zip(described["column_name"], described["column_type"], strict=True)],
                )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def glossary_page() -> str:
    """docs/glossary.md: every measure of a frame as its docstring defines it; the words below are kept as they are."""
    words = Path(__file__).with_name("glossary.md").read_text(encoding="utf-8").partition("## Words\n")[2]
    parts = [
        "# Glossary",
        "What the numbers mean, as the frames define them.\nIn data a progress is 0..1; percent is for the screen.",
        "## Measures",
        _measures(dashboard.frames()),
        "The functions of `dashkit.database` have names of their own for some of these: `completion_pct` is `progress` "
        "in percent, `days_blocked` is `blocked_days`.",
        "## Measures of a verification",
        _measures(verification_frames()),
        "## Words",
        words.strip(),
    ]
    return "\n\n".join(parts) + "\n"


def _measures(frames: Mapping[str, Callable[..., object]]) -> str:
    """The columns with a unit, by name: one row for each meaning, with the frames that have it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, frame in frames.items():
        for column in columns(frame):
            if column.unit:
                found.setdefault((column.name, column.unit, column.meaning), []).append(f"`{name}`")
    rows = [(f"`{name}`", unit, meaning, ", ".join(sorted(where))) for (name, unit, meaning), where in found.items()]
    return _table(("measure", "unit", "meaning", "in"), sorted(rows))


def cli_page() -> str:
    """docs/cli.md: every command with what it takes, as the parser has it."""
    root = cli.parser()
    found = dict(commands(root))
    everywhere = set.intersection(*({_flags(action) for action in _actions(command)} for command in found.values()))
    parts = ["# Commands", root.description or "", root.epilog or ""]
    parts += ["Every command takes these:", _arguments(next(iter(found.values())), lambda flags: flags in everywhere)]
    for name, command in found.items():
        parts += [f"## {name}", command.description or ""]
        parts += [_arguments(command, lambda flags: flags not in everywhere)]
        parts += [command.epilog or ""]
    return "\n\n".join(part for part in parts if part) + "\n"


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command under a parser that does something itself, by its full name, in the order of --help."""
    groups = [action.choices for action in _actions(parser) if isinstance(action.choices, dict)]
    for group in groups:
        for command in group.values():
            yield from commands(command)
    if not groups:
        yield parser.prog, parser


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public list of what a parser takes


def _flags(action: argparse.Action) -> str:
    """An argument as it is written: `--block REASON`, `FILE...`."""
    value = str(action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper()))
    value = {"+": f"{value}...", "*": f"[{value}...]", "0": ""}.get(str(action.nargs), value)
    return " ".join([*action.option_strings[-1:], value]).strip()


def _arguments(command: argparse.ArgumentParser, wanted: Callable[[str], bool]) -> str:
    rows = [(f"`{_flags(action)}`", action.help or "") for action in _actions(command) if wanted(_flags(action))]
    return _table(("argument", "meaning"), rows) if rows else ""


def changes_page() -> str:
    """docs/changes.md: every version with its steps and changes, as the migration runs and records them."""
    parts = [
        "# Changes",
        "Every change of every version: its name and checksum as `schema_migrations` records them, and its SQL.\n"
        "What the tables and columns mean is told in [schema.md](schema.md).",
    ]
    for version in migrations.VERSIONS:
        parts += [f"## Version {version.number}: {len(version.steps)} steps, {len(version.changes)} changes"]
        for place, step in enumerate(version.steps, 1):
            rows = [(f"`{change.name}`", _line(change), f"`{change.sql}`", change.checksum) for change in step.changes]
            parts += [f"### {place}. {step.title}", _table(("change", "in the report", "SQL", "checksum"), rows)]
        if version.moves:
            moved = [(f"`{move.name}`", _line(move), f"`{move.sql}`", move.checksum) for move in version.moves]
            parts += [
                "### For files of earlier commits",
                "Before its release the version changed in place; what a file has elsewhere since then moves.\n"
                "In any other file there is nothing to move, and nothing is recorded.",
                _table(("change", "in the report", "SQL", "checksum"), moved),
            ]
    return "\n\n".join(parts) + "\n"


def _line(change: Change) -> str:
    return change.done.format(count=f"N {change.noun}") if isinstance(change, Fill | Insert | Move) else change.done


def linking_page() -> str:
    """docs/linking.md: how a text names a task, from the tables that linking runs by."""
    rows = [
        (
            f"`{rule.name}`",
            rule.meaning,
            " ".join(_code(text) for text, ids in rule.examples.items() if ids),
            " ".join(_code(text) for text, ids in rule.examples.items() if not ids),
        )
        for rule in spellings.SPELLINGS
    ]
    roles = [
        (f"`{role.name}`", role.meaning, " ".join(_code(text.format("TASK-12")) for text in role.examples))
        for role in references.ROLES
    ]
    parts = [
        "# Explicit links",
        "A commit whose message names a task says that it belongs to it.\n"
        "`dashkit link` reads the messages of commits, and nothing else: of a branch (`feature/TASK-12-slug`) it knows "
        "the name where a merge tells it, for the tip of a branch that was just made is somebody else's work.\n"
        "A link made from such a reference has the confidence 1.0 and the type `explicit`; its evidence holds the "
        "rule, the role, the words as written, and where they stood.",
        "A word is a reference only if the project has a task of that id, and a bare number only where the project's "
        "tasks are numbers.\nSo `UTF-8`, `SHA-256`, `CVE-2024-1234`, `GPT-4` and `#fff` are none.",
        "## Rules",
        "Of each word the first rule counts that gives an id of the project.\n"
        "Quoted lines (`>`), fenced code, and code that is indented by four behind an empty line (not in a list) are "
        "left out, and so are mail addresses and what stands beyond 100,000 characters.\n"
        "In the examples ⏎ is the end of a line; the tests run each of them.",
        _table(("rule", "what it reads", "references", "none"), rows),
        "## Roles",
        "The first role that fits counts; in a list all ids have the role of the first.\n"
        "A commit that names a task several times has one link, by the strongest role.\n"
        'All that a commit names whose subject begins with "Revert" is reverted; what it says with "not" before it '
        "(`does not fix TASK-12`) it does not say.",
        _table(("role", "what it says", "examples"), roles),
        "## An id of several tasks",
        "Trackers use ids again, and two files may use the same one.\n"
        "An id is meant first as it is written (`x-0261` before `x-261`); then the task is meant whose title stands in "
        "the message, if it is of three words or more.\n"
        "Else the time of the commit decides: a task that was not there yet is not meant; of one source the latest "
        "holds the id; of several sources the one is meant that was neither finished nor gone more than an hour "
        "before.\n"
        "Where more than one task remains, the id is counted as ambiguous and nothing is linked.",
        "## A task without an id",
        "Where a task has no id of its own, it is called by the number that `dashkit task` knows it by: `TASK-12`, "
        "written in full.\n"
        "Nobody can have known the number before the row was there: only commits that were made after it mean it.\n"
        "A row is there since it was first recorded (of a dashboard that was migrated: since its `created_at`).\n"
        "An id goes before a number: where a tracker has a `TASK-12` by then, that one is meant.\n"
        "Give a task an id in its file, and it is called by that alone.",
        "## What a second run does",
        "A link that no message says any more, or whose task has another id now, is removed, and counted as removed; "
        "links of other programs (an explicit link whose evidence has none of these rules) are left as they are.\n"
        "While the names of the tasks, the patterns and what was unlinked are as they were, only new commits are read; "
        "else all are read again.",
        "## A person's word",
        "`dashkit task ID --link SHA` links a commit by hand: the link has the type `manual`, and whatever made it "
        "before, it stays as it is.\n"
        "`dashkit task ID --unlink SHA` takes a link away, and it is not made again until the same pair is linked by "
        "hand; a pair that is not linked yet is kept apart as well.\n"
        "SHA is the beginning of it, four digits or more: of the commits that begin so those of the task's own project "
        "are meant, and only where there is none another's.",
        "## A pattern of your own",
        "A project may have its own way to write ids: `REQ/{n}`, or `case {n} = TASK-{n}` where the words mean "
        "another id.\n"
        "It is the setting `id_pattern`, one a line, for all projects or for one, whose own go before those of all:",
        "```console\n$ dashkit config id_pattern 'REQ/{n}'\nid_pattern = REQ/{n}\n"
        "$ dashkit config id_pattern 'case {n} = TASK-{n}' --project Shop\nid_pattern = case {n} = TASK-{n}\n```",
        "`{n}` is one to nine digits, `{w}` up to 32 ASCII letters and digits, and everything else stands for itself, "
        "in either case.\n"
        "A pattern begins with words of its own, and a placeholder ends where something else than a letter or a digit "
        "follows; one that could be read in two ways is refused, so no message can make the search slow.\n"
        "Where another program stored such a one, linking goes on without it and says so.",
    ]
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    """A text as code in a cell, whatever backticks it holds."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    padding = " " if "`" in text else ""
    return f"{fence}{padding}{text.replace(chr(10), ' ⏎ ')}{padding}{fence}"


PAGES: dict[str, Callable[[], str]] = {
    "changes.md": changes_page,
    "cli.md": cli_page,
    "frames.md": frames_page,
    "glossary.md": glossary_page,
    "linking.md": linking_page,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what changed; under --check write nothing, and answer 1 where something would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args(arguments).check
    old = []
    for name, page in PAGES.items():
        text, file = f"{NOTE}\n{page()}", DOCS / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            old.append(name)
            if not check:
                file.write_text(text, encoding="utf-8")
    if old:
        sys.stderr.write(f"docs: {'out of date, run docs/generate.py' if check else 'wrote'}: {', '.join(old)}\n")
    return 1 if old and check else 0


if __name__ == "__main__":
    sys.exit(main())
