"""Projects: which one a person means; and the rows that fill one: phases, tasks, dependencies.

Databases differ: a value whose column is not there is left out, whichever version made the table.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from dashkit.errors import UsageError
from dashkit.store import rows

_NAMED = 8  # projects in a message
_DIGITS = 19  # of the largest id


@dataclass(frozen=True)
class Chosen:
    """A project that was chosen by a word.

    Args:
        id: its id.
        name: its name.
        is_as_written: whether the word is its name, letter for letter.
        note: a sentence where the word could mean another project too, else ''.
    """

    id: int
    name: str
    is_as_written: bool
    note: str


def choose(conn: sqlite3.Connection, word: int | str) -> Chosen:
    """The project that a person means: by its id, else by its name.

    Raises:
        UsageError: there is none, or there are several of this name.
    """
    names = _names(conn)
    if chosen := _meant(names, word):
        return chosen
    near = get_close_matches(_folded(str(word)), folded := {_folded(name): name for name in names.values()}, n=1)
    known = [f"{key} ({name})" for key, name in list(names.items())[:_NAMED]]
    known += [f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    raise UsageError(
        _refused(word),
        "no project has this id or name",
        f"Did you mean {folded[near[0]]!r}?"
        if near
        else f"Give an id or a name; the projects are {', '.join(known)}."
        if known
        else "The database has no project.",
    )


def find(conn: sqlite3.Connection, word: str) -> Chosen | None:
    """The project that a person means, as `choose` takes it; None: there is none.

    Raises:
        UsageError: there are several of this name.
    """
    return _meant(_names(conn), word)


def _names(conn: sqlite3.Connection) -> dict[int, str]:
    sql = "SELECT CAST(id AS INTEGER) AS id, CAST(name AS TEXT) AS name FROM projects WHERE id IS NOT NULL ORDER BY 1"
    return {row["id"]: row["name"] or "" for row in rows.read(conn, sql)}


def _meant(names: Mapping[int, str], word: int | str) -> Chosen | None:
    """The one project that the first of the readings fits that fits any."""
    for found in _readings(names, str(word)):
        if len(found) > 1:
            ids = ", ".join(map(str, found))
            raise UsageError(
                _refused(word), f"{len(found)} projects have this name", f"Give one of their ids: {ids}.", ids=found
            )
        if found:
            name = names[found[0]]
            note = _note(names, word, found[0]) if isinstance(word, str) else ""
            return Chosen(found[0], name, is_as_written=name == word, note=note)
    return None


def _readings(names: Mapping[int, str], word: str) -> Iterator[list[int]]:
    """Whose id it is; whose name; whose name but for case and blanks; whose name is the same number, as 007 is 7."""
    yield [key for key in names if str(key) == word.strip()]
    yield [key for key, name in names.items() if name and name == word]
    yield [key for key, name in names.items() if _folded(name) == _folded(word) != ""]
    yield [key for key, name in names.items() if _number(name) == _number(word) is not None]


def _note(names: Mapping[int, str], word: str, chosen: int) -> str:
    """What is to be said where an id was taken, and names could be meant as well."""
    by_id, *by_name = _readings(names, word)
    others = sorted({key for found in by_name for key in found} - {chosen})
    if not (by_id and others):
        return ""
    named = " and ".join(f"{names[key]!r} (id {key})" for key in others[:_NAMED])
    return f"{word.strip()} is taken for the id of the project {names[chosen]!r}, not for the name of {named}."


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits.lstrip("0")) <= _DIGITS else None


def _refused(word: int | str) -> str:
    return f"Cannot choose the project {word!r:.80}"


def find_projects(conn: sqlite3.Connection, name: str) -> list[int]:
    """The ids of all projects of exactly this name, lowest first."""
    found = rows.read(conn, "SELECT id FROM projects WHERE name = :name ORDER BY id", {"name": name})
    return [row["id"] for row in found]


def count_tasks(conn: sqlite3.Connection, project_id: int) -> int:
    """How many tasks a project has."""
    sql = "SELECT count(*) AS n FROM tasks WHERE project_id = :project_id"
    found: int = rows.read(conn, sql, {"project_id": project_id})[0]["n"]
    return found


def find_phases(conn: sqlite3.Connection, project_id: int) -> dict[str, int]:
    """The phases of a project: name -> id; none in a database without phases."""
    if not has_phases(conn):
        return {}
    # main: the name alone is what `read` makes of the table, without the project.
    sql = "SELECT id, name FROM main.phases WHERE project_id = :project_id ORDER BY id DESC"
    return {row["name"]: row["id"] for row in rows.read(conn, sql, {"project_id": project_id})}


def insert_project(conn: sqlite3.Connection, name: str, created_at: str, description: str | None = None) -> int:
    """Add a project; its id."""
    values = {"name": name, "created_at": created_at}
    return _insert(conn, "projects", [values if description is None else {**values, "description": description}])[0]


def insert_phase(conn: sqlite3.Connection, project_id: int, name: str, position: int) -> int | None:
    """Add a phase; its id, or None in a database without phases."""
    if not has_phases(conn):
        return None
    return _insert(conn, "phases", [{"project_id": project_id, "name": name, "position": position}])[0]


def insert_tasks(conn: sqlite3.Connection, project_id: int, tasks: Sequence[Mapping[str, str | int | None]]) -> int:
    """Add tasks to a project; how many.

    Args:
        conn: the database.
        project_id: the project.
        tasks: column -> value, the same columns in each.
    """
    if not tasks:
        return 0
    return len(insert_each(conn, project_id, tasks))


def insert_each(
    conn: sqlite3.Connection, project_id: int, tasks: Sequence[Mapping[str, str | int | None]]
) -> list[int]:
    """Add tasks to a project, the same columns in each; their ids."""
    return _insert(conn, "tasks", [{**task, "project_id": project_id} for task in tasks])


def insert_dependencies(conn: sqlite3.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Add dependencies: (task, what it depends on)."""
    conn.cursor().executemany("INSERT INTO task_dependencies (task_id, depends_on_id) VALUES (?, ?)", pairs)


def has_dependencies(conn: sqlite3.Connection) -> bool:
    """Whether this database has our table for dependencies; another program's has another shape."""
    return rows.columns(conn, "task_dependencies") >= {"task_id", "depends_on_id"}


def has_phases(conn: sqlite3.Connection) -> bool:
    """Whether this database has a table for phases."""
    return rows.is_table(conn, "phases") and rows.columns(conn, "phases") >= {"id", "project_id", "name"}


def _insert(conn: sqlite3.Connection, table: str, full: Sequence[Mapping[str, str | int | None]]) -> list[int]:
    """Add rows, the same columns in each; their ids."""
    if not full:
        return []
    here, cursor = rows.columns(conn, table), conn.cursor()
    # A key of another declaration, such as INT PRIMARY KEY, is no row number: SQLite would leave it empty.
    last = None if rows.numbers_itself(conn, table) else _last_id(conn, table)
    kept = [*([] if last is None else ["id"]), *(name for name in full[0] if name in here)]
    # The names are the keys that this package writes: no text from outside becomes SQL.
    sql = f"INSERT INTO main.{table} ({', '.join(kept)}) VALUES ({', '.join(f':{name}' for name in kept)})"  # noqa: S608
    if last is None:
        return [int(cursor.execute(sql, values).lastrowid or 0) for values in full]
    numbers = list(range(last + 1, last + 1 + len(full)))
    cursor.executemany(sql, [{**values, "id": number} for number, values in zip(numbers, full, strict=True)])
    return numbers


def _last_id(conn: sqlite3.Connection, table: str) -> int:
    sql = f"SELECT coalesce(max(CAST(id AS INTEGER)), 0) AS last FROM main.{table}"  # noqa: S608 - names of ours
    return int(rows.fetch(conn, sql, {})[0]["last"])
