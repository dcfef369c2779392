"""What may be given for a parameter: told by its annotation, for every frame, for `open`, `sql` and `dashkit.database`.

A value of another kind is refused in words before anything is asked; numbers of numpy and instants of pandas become
Python's own. Which values of its kind a frame takes, it says itself.
"""

import inspect
import os
import re
import reprlib
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache, wraps
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, ParamSpec, TypeVar, get_args, get_origin

from dashkit.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

# The kinds of values as annotations name them: what is of each, the narrower first, and what it is called.
_KINDS: Final[Mapping[type, tuple[type | tuple[type, ...], str]]] = {
    NoneType: (NoneType, "None"),
    bool: (bool, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
    datetime: (datetime, "an aware datetime"),
    date: (date, "a date"),
    Path: (os.PathLike, "a path"),
    sqlite3.Connection: (sqlite3.Connection, "an open sqlite3.Connection"),
    Sequence: ((list, tuple), "a list"),
    Mapping: (Mapping, "a mapping"),
}


def checked(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function refuse arguments that are not what its annotations say.

    Args:
        what: cannot be done with them, such as `show activity`.
    """

    def around(call: Callable[P, R]) -> Callable[P, R]:
        @wraps(call)
        def checking(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                bound = _signature(call).bind(*args, **kwargs)
            except TypeError:  # too many, too few, or none of its names: Python says it best
                return call(*args, **kwargs)
            taken = _taken_by(call)
            for name, value in bound.arguments.items():
                if name in taken:
                    try:
                        bound.arguments[name] = _fitting(value, taken[name])
                    except ValueError as error:
                        raise _refused(what, call, name, value, str(error)) from error
            return call(*bound.args, **bound.kwargs)

        return checking

    return around


def read(call: Callable[..., object], name: str, text: str) -> float | str:
    """What a text on a command line means for a parameter: a number where it takes one, and no text, and it is one."""
    taken = _taken_by(call)[name]
    for kind in (int, float):
        if kind in taken and str not in taken:
            with suppress(ValueError):
                return kind(text)
    return text


@cache
def _signature(call: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(call)


@cache
def _taken_by(call: Callable[..., object]) -> Mapping[str, tuple[type, ...]]:
    """The kinds that each parameter takes; without the first of a frame or method, which is given by Python."""
    told = {
        name: one.annotation for name, one in _signature(call).parameters.items() if one.annotation is not one.empty
    }
    return {name: tuple(dict.fromkeys(_kinds(one))) for name, one in told.items() if not isinstance(one, str)}


def _kinds(annotation: Any) -> Iterator[type]:
    """The kinds that an annotation names; TypeError: it names one that nobody can tell."""
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        yield from map(type, get_args(annotation))
    elif origin in _KINDS:
        yield origin
    elif get_args(annotation):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        raise TypeError(f"{annotation!r} is no kind of value in dashkit.arguments")


def _fitting(given: Any, kinds: tuple[type, ...]) -> Any:
    """The value as Python's own; ValueError says why it is none of these kinds."""
    value = _own(given)
    kind = next((kind for kind, (types, _) in _KINDS.items() if isinstance(value, types)), object)
    if kind is int and int not in kinds:
        kind = float
    if kind not in kinds:
        raise ValueError("a value is needed" if value is None else f"it is {_called(value)}")
    if kind is int and not -(2**63) <= value < 2**63:
        raise ValueError("it is beyond 64 bits")
    if kind is float and not isfinite(value):
        raise ValueError("it is not finite")
    if kind is str and Path not in kinds:
        _require_characters(value)
    if kind is datetime:
        return _instant(value)
    if kind in (Sequence, Mapping):
        return _values(value)
    return kind(value) if kind in (int, float) else value


def _own(value: Any) -> Any:
    """A number or text of numpy as Python's own; what else is given as it is."""
    numpy = sys.modules.get("numpy")  # where it is not loaded nobody has a value of it
    return value.item() if numpy and isinstance(value, numpy.generic) and value.dtype.kind in "biufU" else value


def _values(given: Any) -> Any:
    """The same list or mapping with values that DuckDB knows."""
    if isinstance(given, Mapping):
        return {_values(name): _values(value) for name, value in given.items()}
    if isinstance(given, list | tuple):
        return [_values(value) for value in given]
    value = _own(given)
    if isinstance(value, str):
        _require_characters(value)
    return value


def _require_characters(text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("it holds half of a character")


def _instant(given: datetime) -> datetime:
    """The same instant without the nanoseconds and the methods of pandas."""
    if type(given) is datetime:
        return given
    if given != given:  # noqa: PLR0124 - pandas' word for none
        raise ValueError("it is no instant")
    return datetime(*given.timetuple()[:6], given.microsecond, tzinfo=given.tzinfo, fold=given.fold)


def _called(value: Any) -> str:
    words = {
        str: "a text",
        int: "a whole number",
        float: "a number",
    }
    name = type(value).__name__
    return words.get(type(value), f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}")


def _refused(what: str, call: Callable[..., object], name: str, value: object, why: str) -> UsageError:
    """With the kinds that the parameter takes, and what its docstring says of it."""
    words = [_KINDS[kind][1] for kind in _taken_by(call)[name]]
    kinds = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    line = re.search(rf"^    {name}: (.+(?:\n {{5,}}.+)*)", inspect.getdoc(call) or "", flags=re.MULTILINE)
    meaning = " ".join(line[1].split()).rstrip(".") if line else name
    shown = " ".join(reprlib.repr(value).split())
    return UsageError(f"Cannot {what} with {name}={shown}", why, f"Give {kinds}: {meaning}.", parameter=name)
