"""Where each reading stopped: the only module that reads and writes the table `checkpoints`.

A file of version 2.1 that an earlier commit made keeps them in `ingest_files` and in `git_repos.refs` until it is
migrated again; until then they are read and written there.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dashkit.store import rows

_TASKS, _LINKS, _GIT = "tasks", "links", "git"


class Extent(NamedTuple):
    """How many commits of a project were read for their messages.

    Args:
        upto: the rowid in `git_repo_commits` of the last one.
        commits: their number.
        characters: the length of all their messages.
    """

    upto: int = 0
    commits: int = 0
    characters: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """Where the last reading of one thing stopped; the next reading goes on from there.

    Three things are read, and each uses the fields that are listed for it. Times are in the stored form.

    A source of tasks:
        commit: the commit up to which its versions were read; None: it was read without git.
        repository: the git directory that holds this commit.
        at: the time of the newest version that was read.
        kind: the kind of the source, as `dashkit.sources.SOURCES` names it.

    A repository:
        refs: full name of a branch or tag -> commit. Every commit below these commits is recorded.
        since: commits that are older than this were not read (`--since`); None: all were read.
        cuts: a digest of what hid history then, such as the boundary of a shallow clone.
        started: further commits; of the commits below them at least a part is recorded. They are the tips of
            readings that were interrupted, and of refs that are no longer read.
        uncounted: how many commits have no counts of lines, because the clone lacked their files.

    The links of a project:
        digest: of the names of its tasks, of its patterns of ids and of the rejected links.
        read: the commits that were read.
        links: how many links by name or by hand there were then.
        unclear: how many ids could mean several tasks.
    """

    commit: str | None = None
    repository: str | None = None
    at: str | None = None
    kind: str | None = None

    refs: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None
    cuts: str = ""
    started: tuple[str, ...] = ()
    uncounted: int = 0

    digest: str = ""
    read: Extent = field(default=Extent())
    links: int = 0
    unclear: int = 0

    def path_of(self, source: str) -> Path | None:
        """Where a source was, by its path in the repository: beside the git directory; None without a repository."""
        return Path(self.repository).parent / source if self.repository else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_text, value))


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value


# Of each kind of key the fields that are stored, and how each is read from JSON.
_FIELDS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    _TASKS: dict.fromkeys(("commit", "repository", "at", "kind"), _text_or_none),
    _GIT: {
        "refs": lambda value: {_text(name): _text(sha) for name, sha in value.items()},
        "since": _text_or_none,
        "cuts": _text,
        "started": _texts,
        "uncounted": _number,
    },
    _LINKS: {
        "digest": _text,
        "read": lambda value: Extent(*map(_number, value)),
        "links": _number,
        "unclear": _number,
    },
}
_NEWER = {"kind", "uncounted"}  # checkpoints of earlier commits lack them


def of_source(project_id: int | None, source: str) -> str:
    """The key of a source of tasks."""
    return f"{_TASKS}:{project_id}:{source}"


def of_links(project_id: int) -> str:
    """The key of the links of a project."""
    return f"{_LINKS}:{project_id}"


def of_repository(repo_id: str) -> str:
    """The key of a repository."""
    return f"{_GIT}:{repo_id}"


def are_kept(conn: sqlite3.Connection) -> bool:
    """Whether this database remembers how far a repository was read: from version 2.1 on."""
    return bool(rows.columns(conn, "checkpoints")) or "refs" in rows.columns(conn, "git_repos")


def load(conn: sqlite3.Connection, key: str) -> Checkpoint | None:
    """The checkpoint under a key; None: there is none, or another program wrote something else there."""
    stored = get(conn, key)
    fields = _FIELDS[_kind(key)]
    try:
        missing = fields.keys() - stored.keys()
        if missing - _NEWER or stored.keys() - fields.keys():
            return None
        return Checkpoint(**{name: fields[name](value) for name, value in stored.items()})
    except (AttributeError, TypeError):
        return None


def save(conn: sqlite3.Connection, key: str, checkpoint: Checkpoint, now: str) -> None:
    """Store a checkpoint for the next reading; nothing is written where it is there already."""
    put(conn, key, {name: getattr(checkpoint, name) for name in _FIELDS[_kind(key)]}, now)


def _kind(key: str) -> str:
    return key.partition(":")[0]


def get(conn: sqlite3.Connection, key: str) -> Any:
    """The JSON value under a key; None: there is none, or another program wrote something else there."""
    if rows.columns(conn, "checkpoints"):
        found = rows.read(conn, "SELECT value FROM main.checkpoints WHERE key = :key", {"key": key})
    elif _kind(key) == _GIT:
        sql = "SELECT refs AS value FROM main.git_repos WHERE id = :id"
        found = rows.read(conn, sql, {"id": key.removeprefix(f"{_GIT}:")}) if are_kept(conn) else []
    else:
        found = rows.read(conn, "SELECT tail_digest AS value FROM main.ingest_files WHERE path = :key", {"key": key})
    try:
        return json.loads(found[0]["value"]) if found else None
    except (ValueError, TypeError):
        return None


def put(conn: sqlite3.Connection, key: str, value: Any, now: str) -> None:
    """Store a value that JSON can hold under a key; nothing is written where it is there already."""
    if rows.columns(conn, "checkpoints"):
        sql = (
            "INSERT INTO main.checkpoints (key, value, updated_at) VALUES (:key, :value, :now) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at "
            "WHERE value IS NOT excluded.value"
        )
    elif _kind(key) == _GIT:
        sql = "UPDATE main.git_repos SET refs = :value WHERE id = :id"
    else:
        sql = (
            "INSERT INTO main.ingest_files (path, tail_digest, first_seen) VALUES (:key, :value, :now) "
            "ON CONFLICT (path) DO UPDATE SET tail_digest = excluded.tail_digest"
        )
    values = {"key": key, "id": key.removeprefix(f"{_GIT}:"), "value": json.dumps(value, sort_keys=True), "now": now}
    rows.write(conn, sql, values)


def delete(conn: sqlite3.Connection, key: str) -> None:
    """Remove the value under a key."""
    if rows.columns(conn, "checkpoints"):
        sql = "DELETE FROM main.checkpoints WHERE key = :key"
    elif _kind(key) == _GIT:
        sql = "UPDATE main.git_repos SET refs = NULL WHERE id = :id"
    else:
        sql = "DELETE FROM main.ingest_files WHERE path = :key"
    rows.write(conn, sql, {"key": key, "id": key.removeprefix(f"{_GIT}:")})
