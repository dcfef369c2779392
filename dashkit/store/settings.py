"""Settings: what the command line, notebooks and reports agree on, for all projects or for one.

A value is stored as a person writes it, in one spelling; a project's own wins over that of all projects.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dashkit import texts, times
from dashkit.errors import OutdatedError, UsageError
from dashkit.store import rows
from dashkit.vocabulary import COMPLEXITIES, SIZE_WEIGHTS, STATUSES

_LONGEST = 10_000  # characters of a value
_HEAVIEST = 1_000_000
# What Python also finds in the folder of zones, and DuckDB does not know: the computer's own zone, copies, a stand-in.
_NO_ZONES = {"localtime", "posixrules", "posix", "right", "Factory"}


@dataclass(frozen=True)
class Key:
    """One known setting: what it is, its default as text, how text is read (ValueError says why not) and written."""

    meaning: str
    default: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str]


@dataclass(frozen=True)
class Setting:
    """One setting as it holds: its text, and whose it is (`default`, `all projects` or `project 3`)."""

    key: str
    text: str
    whose: str


def _zone(text: str) -> str:
    """The name of a time zone."""
    name = text.strip()
    if name == "UTC":
        return name
    is_local = name.partition("/")[0] in _NO_ZONES
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):  # no such zone, a path, a folder of zones
        if not is_local:
            return ZoneInfo(name).key
    near = get_close_matches(name, available_timezones() - _NO_ZONES, n=1)
    why = "it is no time zone that every computer knows" if is_local else "there is no such time zone"
    raise ValueError(f"{why}{f'; did you mean {near[0]!r}?' if near else ''}")


def _words(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found:
        raise ValueError("it names no status")
    return found


def _weights(text: str) -> dict[str, int]:
    """The points of each size; a size that is not named keeps its default."""
    weights = dict(SIZE_WEIGHTS)
    for part in text.split(","):
        size, _, points = (side.strip() for side in part.partition("="))
        if size.upper() not in COMPLEXITIES:
            raise ValueError(f"{size!r} is no size ({', '.join(COMPLEXITIES)})")
        if not (points.isascii() and points.isdecimal() and 0 < int(points[:9]) <= _HEAVIEST):
            raise ValueError(f"{points!r} is no whole number from 1 to {_HEAVIEST:,}")
        weights[size.upper()] = int(points)
    return weights


def _lines(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _folders(text: str) -> tuple[str, ...]:
    for folder in (found := _lines(text)):
        if not (folder.startswith("~") or Path(folder).is_absolute()):
            raise ValueError(f"{folder!r} would be another folder elsewhere; begin it with / or ~")
    return found


def _globs(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for line in _lines(text) for part in line.split(",") if part.strip()))
    for glob in found:
        if glob.startswith(("/", "~", "..")):
            raise ValueError(f"{glob!r} is not in the repository; begin it with a folder or file of it")
    return found


KEYS: Mapping[str, Key] = {
    "time_zone": Key("the zone of days and weeks in reports, such as Europe/Berlin", "UTC", _zone, str),
    "started_statuses": Key(
        "the statuses from which on a task is in work, with commas", "in_progress, review", _words, ", ".join
    ),
    "size_weights": Key(
        "the points of each size",
        ", ".join(f"{size}={points}" for size, points in SIZE_WEIGHTS.items()),
        _weights,
        lambda weights: ", ".join(f"{size}={points}" for size, points in weights.items()),
    ),
    "id_pattern": Key("the project's own ways to write the id of a task, one a line: REQ/{n}", "", _lines, "\n".join),
    "exclude": Key(
        "the files and folders of a repository that hold no tasks, with commas: docs/archive/*, OLD-TODO.md",
        "",
        _globs,
        ", ".join,
    ),
    "session_roots": Key("the folders with session logs, one a line", "", _folders, "\n".join),
}


def require(conn: sqlite3.Connection) -> None:
    """Refuse a database without settings.

    Raises:
        RefusedError: it is no Dashboard.
        OutdatedError: it is older than version 2.1.
    """
    rows.require(conn)
    if not rows.columns(conn, "settings") >= {"scope", "key", "value", "updated_at"}:
        raise OutdatedError(
            "Cannot read or change settings",
            "they need version 2.1 of the schema",
            "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
        )


def get(conn: sqlite3.Connection, key: str, project_id: int | None = None) -> Any:
    """The value that holds for a project (None: for all): a str, a tuple of words or lines, or points by size.

    A database before 2.1 has the defaults.

    Raises:
        UsageError: there is no such setting, or another program stored what is no value of it.
    """
    known, found = _known(key), _held(conn, key, project_id)
    try:
        return known.parse(found.text)
    except ValueError as error:
        raise UsageError(
            f"Cannot use the setting {key} of {found.whose}, {found.text[:100]!r}",
            str(error),
            f"Set it anew: `dashkit config {key} VALUE`.",
            key=key,
        ) from error


def listed(conn: sqlite3.Connection, project_id: int | None = None) -> list[Setting]:
    """Every known setting as it holds for a project (None: for all), in the order of KEYS."""
    return [_held(conn, key, project_id) for key in KEYS]


def id_patterns(conn: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """The stored patterns of ids (setting `id_pattern`) by their scope: a project's id, or "" for all others."""
    if not rows.columns(conn, "settings") >= {"scope", "key", "value"}:
        return {}
    sql = "SELECT scope, value FROM main.settings WHERE key = 'id_pattern' AND value IS NOT NULL ORDER BY scope"
    found = {row["scope"]: str(row["value"]).splitlines() for row in rows.read(conn, sql)}
    return {scope: tuple(line.strip() for line in lines if line.strip()) for scope, lines in found.items()}


def put(conn: sqlite3.Connection, key: str, text: str, project_id: int | None, now: datetime) -> str:
    """Set a value for a project (None: for all); the text as it is stored.

    Raises:
        UsageError: there is no such setting, or it is no value of it.
    """
    known = _known(key)
    try:
        value = known.parse(texts.kept(text, _LONGEST))
        if key == "started_statuses":
            _require_statuses(conn, value)
    except ValueError as error:
        raise UsageError(
            f"Cannot set {key} to {text[:100]!r}",
            str(error),
            f"It is {known.meaning}; the default is {known.default!r}.",
            key=key,
        ) from error
    stored = known.write(value)
    rows.write(
        conn,
        "INSERT INTO main.settings (scope, key, value, updated_at) VALUES (:scope, :key, :value, :now) "
        "ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        {"scope": _scope(project_id), "key": key, "value": stored, "now": times.to_text(now)},
    )
    return stored


def unset(conn: sqlite3.Connection, key: str, project_id: int | None) -> Setting:
    """Take a value of a project (None: of all) away; what holds then.

    Raises:
        UsageError: there is no such setting.
    """
    _known(key)
    sql = "DELETE FROM main.settings WHERE scope = :scope AND key = :key"
    rows.write(conn, sql, {"scope": _scope(project_id), "key": key})
    return _held(conn, key, project_id)


def _known(key: str) -> Key:
    if key in KEYS:
        return KEYS[key]
    near = get_close_matches(key, KEYS, n=1)
    raise UsageError(
        f"Cannot use the setting {key!r}",
        "there is no such setting",
        (f"Did you mean {near[0]!r}? " if near else "") + f"The settings are {', '.join(KEYS)}.",
        key=key,
    )


def _scope(project_id: int | None) -> str:
    return "" if project_id is None else str(project_id)


def _held(conn: sqlite3.Connection, key: str, project_id: int | None) -> Setting:
    found: list[rows.Row] = []
    if rows.columns(conn, "settings") >= {"scope", "key", "value"}:
        sql = (
            "SELECT scope, value FROM main.settings WHERE key = :key AND scope IN ('', :scope) AND value IS NOT NULL "
            "ORDER BY scope DESC LIMIT 1"
        )
        found = rows.read(conn, sql, {"key": key, "scope": _scope(project_id)})
    if not found:
        return Setting(key, KEYS[key].default, "default")
    whose = f"project {found[0]['scope']}" if found[0]["scope"] else "all projects"
    return Setting(key, str(found[0]["value"]), whose)


def _require_statuses(conn: sqlite3.Connection, words: Iterable[str]) -> None:
    """A word that no task has and no table knows is a slip of the pen."""
    here = {str(row["status"]) for row in rows.read(conn, "SELECT DISTINCT status FROM tasks WHERE status <> ''")}
    known = [*STATUSES, *sorted(here - set(STATUSES))]
    for word in words:
        if word not in known:
            raise ValueError(f"{word!r} is no status here ({', '.join(known[:20])})")
