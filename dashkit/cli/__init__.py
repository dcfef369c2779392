"""The command line: the only printer and exiter.

Exit codes: 0 done or nothing to do; 1 a check failed, or steps are pending under --check; 2 usage; 3 refused,
nothing changed; 4 busy, nothing changed; 5 failed, and the message says what is true now.
"""

import argparse
import contextlib
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from dashkit.cli.text import helping, plain
from dashkit.errors import DashkitError
from dashkit.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

# Which module of this package has which commands, in the order of the help.
GROUPS = {
    "migrate": ("status", "migrate"),
    "doctor": ("doctor",),
    "config": ("config",),
    "scan": ("scan", "link"),
    "task": ("task",),
    "show": ("show",),
    "ingest": ("ingest",),
    "report": ("report",),
    "schedule": ("schedule",),
    "tour": ("sample", "demo"),
}

_STREAMS = {"stdout": contextlib.redirect_stdout, "stderr": contextlib.redirect_stderr}


class _Formatter(argparse.HelpFormatter):
    """One that knows the width itself: argparse loads shutil for it, whether there is something to print or not."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """How wide the terminal is, as shutil would say."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # it is closed, or no terminal
        return 80


class _Parser(argparse.ArgumentParser):
    """One whose complaints can be printed, whatever was given."""

    def __init__(self, **given: "Any") -> None:
        super().__init__(**{"formatter_class": _Formatter, **given})

    def error(self, message: str) -> "NoReturn":
        super().error(plain(message))


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The grammar, `dashkit COMMAND [OBJECT] [--db PATH]`: the whole, or as much as one command needs."""
    common = _Parser(add_help=False)
    common.add_argument(
        "--db",
        type=_path,
        metavar="PATH",
        help="the database (else DASHKIT_DB, else the nearest .dashkit/dashboard.db upwards, else data/dashboard.db; "
        "of scan else REPO/.dashkit/dashboard.db)",
    )
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    root = _Parser(
        prog="dashkit",
        description="Where am I, what is blocking me, what is happening, am I on track? "
        "Analytics over a project Dashboard in SQLite.",
        epilog="Exit codes: 0 done or nothing to do, 1 a check failed or steps are pending, 2 usage, "
        "3 refused and nothing changed, 4 busy and nothing changed, 5 failed.",
    )
    root.add_argument("--version", action="version", version=f"dashkit {__version__}")
    root.set_defaults(run=helping(root), debug=False)
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    needed = [group for group, names in GROUPS.items() if command in names] or list(GROUPS)
    for group in needed:
        import_module(f"dashkit.cli.{group}").register(commands, common)
    return root


def _path(text: str) -> str:
    """An empty path is a variable that was not set, and must not mean another database."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name a database, or leave --db away")
    return text


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command; its exit code."""
    with contextlib.ExitStack() as stack:
        for name, redirect in _STREAMS.items():
            if getattr(sys, name) is None:  # closed by whoever started us
                nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - pathlib takes time to load
                stack.enter_context(redirect(stack.enter_context(nowhere)))
            with contextlib.suppress(AttributeError, ValueError):  # not a text file: a test's
                getattr(sys, name).reconfigure(errors="replace")
        return _run(sys.argv[1:] if argv is None else argv)


def _run(given: "Sequence[str]") -> int:
    args = parser(given[0] if given else None).parse_args(given)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except DashkitError as error:
        if args.debug:
            import traceback

            traceback.print_exc()
        print(f"dashkit: {plain(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("dashkit: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `dashkit show ... | head`
        _drop_output()
        return 0
    except OSError as error:  # the place that the output goes to is full, or a folder is not ours
        _drop_output()
        print(f"dashkit: the system refused: {plain(str(error))}. `dashkit status` says what is true.", file=sys.stderr)
        return 5
    return code


def _drop_output() -> None:
    """What is still in the buffer can go nowhere: without this, Python says so once more at the end."""
    sys.stdout = io.StringIO()
