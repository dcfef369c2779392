"""Beads, a tracker that keeps its issues in git: `.beads/issues.jsonl`, one JSON object in each line.

`parse_record` reads one line and knows nothing of the others, so that the versions of a file can be read by the
lines that are new in each. A few records are no work of anybody; `left_out` is the rule, and `everything` lifts it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashkit.errors import DashkitError
from dashkit.records import Skip, Task, TaskList
from dashkit.sources import beads_store, fields, files
from dashkit.sources.tally import tally
from dashkit.vocabulary import Status

FOLDER = ".beads"
DELETED = "tombstone"  # the status of a deleted record
UNTITLED = "(deleted)"  # the title of a deleted record whose own the tool has lost
LARGEST = 512 * 2**20  # bytes
PRIORITIES = {0: "critical", 1: "high", 2: "medium", 3: "low", 4: "backlog"}
MACHINERY = frozenset(
    ("agent", "convoy", "event", "gate", "merge-request", "message", "molecule", "queue", "rig", "role", "slot", "wisp")
)
BLOCKING = frozenset(("blocks", "blocked-by", "conditional-blocks", "waits-for"))

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_TEMPLATE_TITLE = re.compile(r"digest: |session ended: |mol-\S+$", re.IGNORECASE)
_TEMPLATE_ID = re.compile(r"-(?:wisp|mol)-")
_SAYS_NOTHING = frozenset(
    (
        "agent",
        "base",
        "batch",
        "bug",
        "concurrent",
        "dummy",
        "epic",
        "issue",
        "load",
        "new",
        "parallel",
        "performance",
        "sample",
        "stress",
        "task",
        "test",
        "version",
        "worker",
    )
)
_NAMES_NOTHING = frozenset(("bug", "issue", "task", "test"))


def parse_record(line: str | bytes, *, everything: bool = False) -> Task | Skip:
    """One line of the file: a task, or why it is none.

    Args:
        line: without its end; bytes that are no UTF-8 are read as Windows-1252.
        everything: what `left_out` names is a task too.
    """
    written = files.decode(line)[0] if isinstance(line, bytes) else line
    if written.startswith(_CONFLICT):
        return Skip("a line of a merge conflict", bad=True)
    try:
        row = json.loads(written)
    except (ValueError, RecursionError):
        return Skip("it is no JSON", bad=True)
    if not isinstance(row, dict):
        return Skip("it is no JSON object", bad=True)
    if not everything and (reason := left_out(row)):
        return Skip(reason)
    external_id, title = fields.line(row.get("id")), fields.line(row.get("title"))
    if external_id is None or title is None:
        return Skip(f"the record has no {'id' if external_id is None else 'title'}", bad=True)
    return _task(row, external_id, title)


def left_out(row: Mapping[str, Any]) -> str | None:
    """Why a record is no work of anybody, if it is none: machinery, template, load test or memory.

    - machinery: its type is one that the tool's agents use among themselves (`MACHINERY`);
    - template: it says so (`ephemeral`, `wisp`, `is_template`, or its id), or it is the log of one ("Digest: ...");
    - load test: its title is made of words such as agent, batch, issue, test alone, and has a number
      ("Agent 8 Issue 97"), or says that it is a test issue;
    - memory: what an agent wanted to remember, which the tool exports among the issues.
    """
    title = str(row.get("title"))[: fields.LONGEST_LINE]
    if not MACHINERY.isdisjoint((str(row.get("issue_type")), str(row.get("original_type")))):
        return "machinery"
    if any(row.get(flag) is True for flag in ("ephemeral", "wisp", "is_template")):
        return "template"
    if _TEMPLATE_TITLE.match(title) or _TEMPLATE_ID.search(str(row.get("id"))):
        return "template"
    if row.get("_type") == "memory":
        return "memory"
    words = set(re.findall(r"[^\W\d_]+", title.casefold()))
    if words <= _SAYS_NOTHING and words & _NAMES_NOTHING and (re.search(r"\d", title) or words >= {"test", "issue"}):
        return "load test"
    return None


def read(lines: Iterable[str | bytes], *, everything: bool = False) -> TaskList:
    """Read one version of the file from its lines. Nothing in them is an error."""
    return tally(_records(lines, everything=everything))


def read_bytes(data: bytes, _name: str = "", /, *, everything: bool = False) -> TaskList:
    """Read one version of the file."""
    return read(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), everything=everything)


def read_file(path: str | Path, *, everything: bool = False) -> TaskList:
    """Read what the tool exports now, where it is installed and keeps a store beside the file; else the file.

    Notes say why the export was not used, and where the file may be stale.

    Raises:
        RefusedError: there is no such file, it cannot be read, or it is too large.
    """
    path = Path(path)
    inside = path.parent.name == FOLDER
    exported, why = _exported(path.parent, everything=everything) if inside else (None, ())
    if exported is not None:
        return exported
    data = files.load(path, "JSON Lines file", "a list of issues", LARGEST)
    found = read_bytes(data, everything=everything)
    if inside and found.tasks:
        newest = max((task.updated_at for task in found.tasks if task.updated_at), default=None)
        why += tuple(filter(None, [beads_store.stale(path.parent, newest)]))
    return replace(found, notes=(*why, *found.notes))


def _exported(folder: Path, *, everything: bool) -> tuple[TaskList | None, tuple[str, ...]]:
    """What the tool exports, or why that is not used."""
    if beads_store.find(folder) is None:
        return None, ()
    try:
        data = beads_store.export(folder, LARGEST)
    except DashkitError as error:
        return None, (error.why,)
    if data is None:
        return None, ()
    found = read_bytes(data, everything=everything)
    if not found.tasks and not found.left_out:
        return None, ("`bd export` gives nothing: there is no record in it",)
    return found, ()


def _records(lines: Iterable[str | bytes], *, everything: bool) -> Iterator[tuple[str, Task | Skip]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"line {number}", parse_record(line, everything=everything)


def _task(row: Mapping[str, Any], external_id: str, title: str) -> Task:
    status, unknown = fields.status(row.get("status"))
    dates = fields.Dates()
    depends_on, parent = _dependencies(row, external_id)
    return Task(
        title=title,
        status=status,
        checked=status == "completed",
        external_id=external_id,
        description=fields.text(row.get("description")),
        priority=_priority(row.get("priority")),
        kind=fields.first((row.get("original_type"), row.get("issue_type"))),
        labels=tuple(fields.items(row.get("labels"))),
        parent=parent,
        depends_on=depends_on,
        created_at=dates.read("created_at", row.get("created_at")),
        updated_at=dates.read("updated_at", row.get("updated_at")),
        completed_at=_ended_at(row, status, dates),
        unknown_status=unknown,
        deleted=row.get("status") == DELETED,
        unread_dates=dates.unread,
    )


def _ended_at(row: Mapping[str, Any], status: Status, dates: fields.Dates) -> str | None:
    """When it was closed or deleted; a deleted one may have been closed long before."""
    if status not in ("completed", "cancelled"):
        return None
    name = "deleted_at" if row.get("status") == DELETED else "closed_at"
    return dates.read(name, row.get(name))


def _priority(value: object) -> str | None:
    return PRIORITIES.get(value) if type(value) is int else None


def _dependencies(row: Mapping[str, Any], external_id: str) -> tuple[tuple[str, ...], str | None]:
    """What blocks the record, and its parent: never itself."""
    found = row.get("dependencies")
    edges = [
        (str(edge.get("type")), fields.line(edge.get("depends_on_id")))
        for edge in (found if isinstance(found, list) else ())
        if isinstance(edge, dict)
    ]
    named = [(kind, other) for kind, other in edges if other is not None and other != external_id]
    parents = [other for kind, other in named if kind == "parent-child"]
    parent = fields.first([*parents, row.get("parent")])
    blocking = dict.fromkeys(other for kind, other in named if kind in BLOCKING)
    return tuple(blocking), None if parent == external_id else parent
