"""Backlog.md: a folder of Markdown files, one task in each, its facts in YAML front matter.

The folder of a file speaks too: `completed/` is done, `archive/` was given up, `drafts/` are no tasks yet.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashkit.errors import DashkitError, RefusedError
from dashkit.records import Skip, Task, TaskList
from dashkit.sources import fields, files
from dashkit.sources.tally import tally
from dashkit.vocabulary import Status

LARGEST = 2**20  # bytes of one file
NAMES = ("backlog", ".backlog")  # of the folder
FOLDERS = ("tasks", "completed", "archive/tasks", "drafts", "archive/drafts", "milestones", "archive/milestones")
REUSED = "archived task whose id another has now"

_FRONT = 8_192  # characters of the keys we know; ten times what people write, and cheap enough if they are hostile
_BRACKETS = 100  # a thousand nested ones take a second
_KEYS = frozenset(
    (
        "id",
        "title",
        "status",
        "priority",
        "type",
        "labels",
        "dependencies",
        "parent",
        "parent_task_id",
        "milestone",
        "created_date",
        "updated_date",
        "completed_date",
    )
)
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^([A-Za-z_]\w*)[ \t]*:(.*\n?(?:(?:[ \t#-].*)?(?:\n|\Z))*)", re.MULTILINE)
_DESCRIPTION = re.compile(r"^## Description[ \t]*\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"<!--[^>\n]{0,80}-->")  # where a section begins and ends


def parse_record(text: str, name: str, *, everything: bool = False) -> Task | Skip:
    """One file: a task, or why it is none.

    Args:
        text: its content.
        name: its path, of which the folders count.
        everything: drafts are tasks too.
    """
    front = _FRONT_MATTER.match(text)
    if front is None:
        return Skip("page without front matter")
    facts = _facts(front[1])
    external_id, title = _ids(facts.get("id")), fields.line(facts.get("title"))
    if not external_id or title is None:
        return Skip(f"the task has no {'title' if external_id else 'id'}", bad=True)
    if _folder(name) == "drafts" and not everything:
        return Skip("draft")
    return _task(facts, external_id[0], title, name, text[front.end() :])


class Folder:
    """The files of a folder from version to version: each is parsed when it changes, and else is the very same task.

    The files of `milestones/` give the milestones their names; they are no tasks. The tool gives the id of an
    archived task to a new one, so an archived file counts only where no other has its id.

    Args:
        name: the path of the one file, where it is no folder.
        everything: no rule leaves a record out.
    """

    def __init__(self, name: str = "", *, everything: bool = False) -> None:
        self.name, self.everything = name, everything
        self.records: dict[str, Task | Skip] = {}
        self.milestones: dict[str, tuple[str, str] | None] = {}
        self.named: dict[str, tuple[Task, Task]] = {}  # name -> as written, and with its milestone by name

    def take(self, changes: Mapping[str, bytes | None]) -> TaskList:
        """Read the next version.

        Args:
            changes: path in the folder ("": the one file itself) -> content; None: it is gone.
        """
        for path, data in changes.items():
            name = path or self.name
            pages: dict[str, Any] = self.milestones if _folder(name) == "milestones" else self.records
            if data is None:
                pages.pop(name, None)
            elif pages is self.milestones:
                pages[name] = _milestone(_content(data))
            else:
                pages[name] = parse_record(_content(data), name, everything=self.everything)
        return self._tally()

    def _tally(self) -> TaskList:
        titles = dict(found for name in sorted(self.milestones, key=_order) if (found := self.milestones[name]))
        records = [(name, self._named(name, titles)) for name in sorted(self.records, key=_order)]
        live = {task.external_id for name, task in records if isinstance(task, Task) and _folder(name) != "archive"}
        return tally(
            ((f"{name}: line 1", _current(record, name, live)) for name, record in records),
            where=lambda place: "" if self.name else f"/{place.removesuffix(': line 1')}",
        )

    def _named(self, name: str, titles: Mapping[str, str]) -> Task | Skip:
        """The record with its milestone by name instead of by id."""
        record = self.records[name]
        if isinstance(record, Skip) or not record.headings:
            return record
        headings = tuple(titles.get(heading, heading) for heading in record.headings)
        written, named = self.named.get(name, (None, record))
        if written is not record or named.headings != headings:
            named = record if headings == record.headings else replace(record, headings=headings)
            self.named[name] = (record, named)
        return named


def pages(folder: Path) -> Iterator[Path]:
    """The files of a folder that are read."""
    return (file for name in FOLDERS for file in sorted((folder / name).glob("*.md")))


def is_page(name: str) -> bool:
    """Whether a path in the folder is of a file that is read."""
    return name.endswith(".md") and name.rpartition("/")[0] in FOLDERS


def read_bytes(data: bytes, name: str = "", /, *, everything: bool = False) -> TaskList:
    """Read one version of one file of the folder."""
    return Folder(name, everything=everything).take({"": data})


def read_file(path: str | Path, *, everything: bool = False) -> TaskList:
    """Read the folder as it is now, or one file of it.

    Raises:
        RefusedError: there is nothing, or it is no such folder.
    """
    root = Path(path)
    if not root.is_dir():
        data = files.load(root, "Markdown file", "a task", LARGEST)
        return read_bytes(data, root.as_posix(), everything=everything)
    if not any((root / folder).is_dir() for folder in FOLDERS):
        raise RefusedError(
            f"Cannot read {root}", "it has no folder tasks", "Name a Backlog.md folder: backlog or .backlog.", path=root
        )
    read: dict[str, bytes | None] = {}
    refused = []
    for file in pages(root):
        name = file.relative_to(root).as_posix()
        try:
            read[name] = files.load(file, "Markdown file", "a task", LARGEST)
        except DashkitError as error:
            refused.append(f"{name}: {error.why}")
    found = Folder(everything=everything).take(read)
    return replace(found, skipped=found.skipped + len(refused), notes=(*refused, *found.notes))


def _content(data: bytes) -> str:
    return "\n".join(files.lines(files.decode(data)[0]))


def _order(name: str) -> tuple[int, str]:
    """Folders in their order, files by name."""
    folder = name.rpartition("/")[0]
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS), name


def _folder(name: str) -> str:
    """The folder that a file is in: one of tasks, completed, drafts, milestones, or archive for archived tasks."""
    above, parent = ["", "", *name.split("/")[:-1]][-2:]
    return "archive" if (above, parent) == ("archive", "tasks") else parent


def _facts(front: str) -> Mapping[str, object]:
    """The keys of front matter that we know, as texts and lists; one that is no YAML is taken as it is written.

    Read key by key where it is broken as a whole: `assignee: @someone` is no YAML, and common.
    """
    blocks = {match[1]: match[2] for match in _BLOCK.finditer(front) if match[1] in _KEYS}
    known = "".join(f"{key}:{block}\n" for key, block in blocks.items())
    try:
        return _yaml(known)
    except ValueError:
        return {key: _value(block) for key, block in blocks.items()}


def _value(block: str) -> object:
    try:
        return _yaml(f"value:{block}")["value"]
    except (ValueError, KeyError):
        return block.strip()


def _yaml(text: str) -> Mapping[str, object]:
    """A YAML mapping in which each scalar is a text.

    BaseLoader makes texts, lists and mappings alone: no dates, no numbers, no objects of any class. The loader in C
    is not used: a few thousand brackets end the whole process.

    Raises:
        ValueError: it is no YAML, no mapping, too long or too deep.
    """
    if len(text) > _FRONT or text.count("[") + text.count("{") > _BRACKETS:
        raise ValueError("too long, or too deep")
    import yaml

    loader = yaml.BaseLoader(text)
    try:
        found = loader.get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError("no YAML") from error
    finally:
        loader.dispose()
    if not isinstance(found, dict):
        raise ValueError("no mapping")  # noqa: TRY004 - a value of the wrong shape, not a call of the wrong type
    return found


def _task(facts: Mapping[str, object], external_id: str, title: str, name: str, body: str) -> Task:
    status, unknown = fields.status(facts.get("status"))
    status, unknown = _settled(_folder(name), status, unknown)
    dates = fields.Dates()
    milestone = fields.line(facts.get("milestone"))
    description = _DESCRIPTION.search(body)
    return Task(
        title=title,
        status=status,
        checked=status == "completed",
        headings=(milestone,) if milestone else (),
        external_id=external_id,
        line=1,
        description=fields.text(_MARK.sub("", description[1] if description else body)),
        priority=fields.line(facts.get("priority")),
        kind=fields.line(facts.get("type")),
        labels=tuple(fields.items(facts.get("labels"))),
        parent=next(iter(_ids(facts.get("parent_task_id")) or _ids(facts.get("parent"))), None),
        depends_on=tuple(other for other in _ids(facts.get("dependencies")) if other != external_id),
        created_at=dates.read("created_date", facts.get("created_date")),
        updated_at=dates.read("updated_date", facts.get("updated_date")),
        completed_at=dates.read("completed_date", facts.get("completed_date")) if status == "completed" else None,
        unknown_status=unknown,
        unread_dates=dates.unread,
    )


def _settled(folder: str, status: Status, unknown: str | None) -> tuple[Status, str | None]:
    """The status of a task that was moved away: what lies in such a folder is not open any more."""
    if folder == "completed":
        return "completed", None
    if folder == "archive" and status != "completed":
        return "cancelled", None
    return status, unknown


def _ids(value: object) -> tuple[str, ...]:
    """Ids in upper case, as the tool compares and people cite them: it wrote task-12 first, and TASK-12 later."""
    return tuple(found.upper() for found in fields.items(value))


def _milestone(text: str) -> tuple[str, str] | None:
    front = _FRONT_MATTER.match(text)
    facts = _facts(front[1]) if front else {}
    key, title = fields.line(facts.get("id")), fields.line(facts.get("title"))
    return (key, title) if key and title else None


def _current(record: Task | Skip, name: str, live: Collection[str | None]) -> Task | Skip:
    reused = isinstance(record, Task) and _folder(name) == "archive" and record.external_id in live
    return Skip(REUSED) if reused else record
