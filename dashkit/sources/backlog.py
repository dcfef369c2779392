"""Backlog.md: a folder of Markdown files, one task in each, its facts in YAML front matter.

The folder of a file speaks too: `completed/` is done, `archive/` was given up, `drafts/` are no tasks yet.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dashkit.errors import DashkitError, RefusedError
from dashkit.records import Skip, Status, Task, TaskList
from dashkit.sources import fields, files
from dashkit.sources.tally import tally

LARGEST = 2**20  # bytes of one file
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


def read(pages: Sequence[tuple[str, str]], *, everything: bool = False) -> TaskList:
    """Read a folder from its files: (path, content) each. Nothing in them is an error.

    The files of `milestones/` give the milestones their names; they are no tasks. The tool gives the id of an
    archived task to a new one, so an archived file counts only where no other has its id.
    """
    milestones = dict(filter(None, (_milestone(text) for name, text in pages if _folder(name) == "milestones")))
    records = [
        (name, _named(parse_record(text, name, everything=everything), milestones))
        for name, text in pages
        if _folder(name) != "milestones"
    ]
    live = {record.external_id for name, record in records if isinstance(record, Task) and _folder(name) != "archive"}
    return tally((f"{name}: line 1", _current(record, name, live)) for name, record in records)


def read_bytes(data: bytes, name: str = "", /, *, everything: bool = False) -> TaskList:
    """Read one version of one file of the folder."""
    return read([(name, _content(data))], everything=everything)


def read_file(path: str | Path, *, everything: bool = False) -> TaskList:
    """Read the folder as it is now, or one file of it.

    Raises:
        RefusedError: there is nothing, or it is no such folder.
    """
    root = Path(path)
    if not root.is_dir():
        data = files.load(root, "Markdown file", "a task", LARGEST)
        return read_bytes(data, root.as_posix(), everything=everything)
    if not (root / "tasks").is_dir():
        raise RefusedError(
            f"Cannot read {root}", "it has no folder tasks", "Name a Backlog.md folder: backlog or .backlog.", path=root
        )
    pages, refused = [], []
    for file in (file for folder in FOLDERS for file in sorted((root / folder).glob("*.md"))):
        try:
            pages.append(
                (file.relative_to(root).as_posix(), _content(files.load(file, "Markdown file", "a task", LARGEST)))
            )
        except DashkitError as error:
            refused.append(f"{file.relative_to(root).as_posix()}: {error.why}")
    found = read(pages, everything=everything)
    skipped = found.skipped + len(refused)
    return TaskList(found.tasks, None, found.left_out_by, skipped, (*refused, *found.notes))


def _content(data: bytes) -> str:
    return "\n".join(files.lines(files.decode(data)[0]))


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
        created_at=fields.instant(facts.get("created_date")),
        updated_at=fields.instant(facts.get("updated_date")),
        completed_at=fields.instant(facts.get("completed_date")) if status == "completed" else None,
        unknown_status=unknown,
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


def _named(record: Task | Skip, milestones: Mapping[str, str]) -> Task | Skip:
    """The record with its milestone by name instead of by id."""
    if isinstance(record, Skip) or not record.headings:
        return record
    return replace(record, headings=tuple(milestones.get(heading, heading) for heading in record.headings))


def _current(record: Task | Skip, name: str, live: Collection[str | None]) -> Task | Skip:
    reused = isinstance(record, Task) and _folder(name) == "archive" and record.external_id in live
    return Skip(REUSED) if reused else record
