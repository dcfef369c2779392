"""Which project a source goes to: the one that a person named, else the one that has it, else the one of its name."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from dashkit import texts
from dashkit.errors import RefusedError, UsageError
from dashkit.store import projects, rows


@dataclass(frozen=True)
class Target:
    """A project: its id (None: it is to be made), its name, and what is to be said of the choice, else ''."""

    id: int | None
    name: str
    note: str = ""

    def make(self, conn: sqlite3.Connection, now: str) -> int:
        """Its id; a project that is not there is made."""
        return projects.insert_project(conn, self.name, now) if self.id is None else self.id


def named(what: str, project: str | None, project_id: int | None) -> str | None:
    """The name or id that a person gave, on one line; None: neither.

    Raises:
        UsageError: both were given, or a name that is blank or that is not kept.
    """
    if project is not None and project_id is not None:
        raise UsageError(f"Cannot {what}", "a project's name and an id were given", "Give one of the two.")
    if project is None:
        return None
    try:
        name = " ".join(texts.kept(project).split())
    except ValueError as error:
        raise UsageError(f"Cannot {what} into {project!r:.80}", str(error), "Give the project another name.") from error
    if not name:
        raise UsageError(f"Cannot {what}", "the project has no name", "Give one with --project NAME.")
    return name


def by_id(conn: sqlite3.Connection, what: str, project_id: int) -> Target:
    """The project of this id.

    Raises:
        RefusedError: there is none.
    """
    if not rows.read(conn, "SELECT id FROM projects WHERE id = :id", {"id": project_id}):
        raise RefusedError(
            f"Cannot {what} into project {project_id}",
            "there is no project with this id",
            "Give the id of a row of projects, or a name with --project NAME.",
        )
    return Target(project_id, "")


def by_word(conn: sqlite3.Connection, word: str) -> Target:
    """The project that a person means by an id or a name; where there is none it is to be made, of this name.

    Raises:
        UsageError: several projects have this name.
    """
    found = projects.find(conn, word)
    if found is None:
        return Target(None, word)
    other = "" if found.is_as_written else f"{word} is taken for the project {found.name!r} (id {found.id})"
    return Target(found.id, word, found.note or other)


def by_place(conn: sqlite3.Connection, what: str, there: Sequence[int], name: str, remedy: str) -> Target:
    """The project that has a source already, else the one of exactly its name, which nobody typed.

    Raises:
        RefusedError: there are several.
    """
    ids = there or projects.find_projects(conn, name)
    if len(ids) > 1:
        raise RefusedError(
            f"Cannot {what}",
            f"{len(ids)} projects have {'this repository' if there else 'the name ' + name}"
            f" (ids {', '.join(map(str, ids))})",
            remedy,
            ids=ids,
        )
    return Target(ids[0] if ids else None, name)
