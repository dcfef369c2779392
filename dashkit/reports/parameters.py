"""A notebook's parameters: the cell that declares them, and what may be given for them.

The cell tagged `parameters` holds annotated assignments alone, each with a comment for people:
`project: str = ""  # which project; all of them if not given`.
"""

import ast
import difflib
import io
import json
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashkit.errors import UsageError

KINDS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TAG = "parameters"  # of the cell that declares them
_INJECTED = "# Parameters"  # the first line of the cell in which papermill writes what was given


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its name, type (a key of KINDS), value if none is given, and meaning."""

    name: str
    kind: str
    default: object
    help: str


def declared(source: str, report: str = "this notebook") -> tuple[Parameter, ...]:
    """The parameters that a cell declares, in its order.

    Raises:
        UsageError: the cell holds anything else, a type that is not in KINDS, or a default of another type.
    """
    try:
        statements = ast.parse(source).body
        comments = {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        raise _undeclared(report, f"its cell is no Python ({error})") from error
    return tuple(_parameter(statement, comments, report) for statement in statements)


def _parameter(statement: ast.stmt, comments: Mapping[int, str], report: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value) if (
            kind in KINDS
        ):
            try:
                default = ast.literal_eval(value)
            except (ValueError, TypeError) as error:
                raise _undeclared(report, f"the value of {name} is no plain value") from error
            if not _fits(default, kind):
                raise _undeclared(report, f"{name} is declared as {kind} and set to {default!r}")
            return Parameter(name, kind, default, comments.get(statement.end_lineno or 0, ""))
        case _:
            raise _undeclared(report, f"line {statement.lineno} of its cell declares none")


def _undeclared(report: str, why: str) -> UsageError:
    return UsageError(
        f"Cannot read the parameters of {report}",
        why,
        f"Write each as `name: type = value  # what it means`, with a type of {', '.join(KINDS)}.",
        report=report,
    )


def check(given: Mapping[str, object], known: Sequence[Parameter], report: str = "this notebook") -> None:
    """Refuse what the notebook does not declare, values of another type, and what no notebook can hold.

    Raises:
        UsageError: the first of them, with the nearest name that exists.
    """
    kinds = {parameter.name: parameter.kind for parameter in known}
    for name, value in given.items():
        if name not in kinds:
            raise _unknown(name, kinds, report)
        if not _fits(value, kinds[name]):
            raise _misfit(name, value, kinds[name], report)
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"Cannot run {report}",
                f"no notebook can hold the parameter {name} ({error})",
                "Give texts in UTF-8 (a path too), numbers, and lists and dicts of these.",
                parameter=name,
            ) from error


def from_text(pairs: Iterable[str], known: Sequence[Parameter], report: str) -> dict[str, object]:
    """The values that `name=value` texts of a command line mean, by the declared types.

    Lists and dicts are JSON; a str is taken as it stands.

    Raises:
        UsageError: no `=`, a name that is not declared, a text that is no value of its type.
    """
    kinds = {parameter.name: parameter.kind for parameter in known}
    values: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"Cannot read the parameter {pair!r}", "it has no `=`", "Write -p name=value.")
        if name not in kinds:
            raise _unknown(name, kinds, report)
        try:
            values[name] = _read(text, kinds[name])
        except (ValueError, KeyError) as error:
            raise _misfit(name, text, kinds[name], report) from error
    return values


def check_parameters() -> None:
    """In a notebook: stop here if it was given a parameter that it does not declare, or one of a wrong type.

    Works under `dashkit report`, under plain papermill, and in JupyterLab after a value was edited. A whole number
    given for a text becomes that text.

    Raises:
        UsageError: which, and the nearest name that exists; or no notebook is running.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise UsageError(
            "Cannot check parameters",
            "no notebook is running",
            "Call it in a notebook's cell, after the parameters.",
        )
    known, given, lost = _seen(shell.user_ns["In"])
    if lost:
        raise UsageError(
            "Cannot take what was given for this notebook",
            f"the cell that declares its parameters overwrites it ({', '.join(lost)})",
            f"Give that cell the tag `{TAG}`: papermill then puts what is given below it.",
        )
    values: dict[str, Any] = shell.user_ns
    for parameter in known:  # `papermill -p project 1` makes a number of what was meant as a text
        value = values[parameter.name]
        if parameter.kind == "str" and isinstance(value, int) and not isinstance(value, bool):
            values[parameter.name] = str(value)
    check({name: values[name] for name in given if name in values}, known)
    check({parameter.name: values[parameter.name] for parameter in known}, known)
    _show_whole_cells()


def _show_whole_cells() -> None:
    """Have pandas show titles and reasons whole, not cut before the point, and with their dollar signs."""
    import pandas as pd

    pd.set_option("display.max_colwidth", None, "display.max_rows", 200, "display.html.use_mathjax", False)


def _seen(cells: Sequence[str]) -> tuple[tuple[Parameter, ...], list[str], list[str]]:
    """What the newest parameters cell among those that ran declares, what papermill set after it, and what before it.

    Before the first one papermill sets something only where it has not found that cell, for want of the tag.
    """
    known: tuple[Parameter, ...] = ()
    given: list[str] = []
    lost: list[str] = []
    for cell in cells:
        if cell.startswith(_INJECTED):
            given = [
                target.id
                for statement in ast.parse(cell).body
                if isinstance(statement, ast.Assign)
                for target in statement.targets
                if isinstance(target, ast.Name)
            ]
        elif _declares(cell):
            lost = [] if known else given
            known, given = declared(cell), []
    return known, given, lost


def _declares(cell: str) -> bool:
    """Whether it is a parameters cell: any line is one of them, and what else stands there is refused."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        return False
    annotations = [statement.annotation for statement in body if isinstance(statement, ast.AnnAssign)]
    return any(isinstance(kind, ast.Name) and kind.id in KINDS for kind in annotations)


def _fits(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, (int, float) if kind == "float" else KINDS[kind])


def _read(text: str, kind: str) -> object:
    match kind:
        case "str":
            return text
        case "bool":
            return _WORDS[text.lower()]
        case "list" | "dict":
            value = json.loads(text)
            if not _fits(value, kind):
                raise ValueError(text)
            return value
        case _:
            return KINDS[kind](text)


def _unknown(name: str, kinds: Mapping[str, str], report: str) -> UsageError:
    near = difflib.get_close_matches(name, kinds, n=1)
    remedy = f"Did you mean {near[0]}? " if near else ""
    known = ", ".join(kinds) or f"none at all; what it takes is declared by a cell with the tag `{TAG}`"
    return UsageError(
        f"Cannot run {report}", f"it has no parameter {name!r}", f"{remedy}It takes {known}.", parameter=name
    )


def _misfit(name: str, value: object, kind: str, report: str) -> UsageError:
    return UsageError(
        f"Cannot run {report}",
        f"the parameter {name} is {'an' if kind == 'int' else 'a'} {kind}, and {value!r} is not",
        f"Give {name} as {_FORMS[kind]}.",
        parameter=name,
    )


_FORMS = {
    "str": "a text (of papermill: -r NAME VALUE)",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "list": 'a JSON list, such as ["a", "b"]',
    "dict": 'a JSON object, such as {"a": 1}',
}
