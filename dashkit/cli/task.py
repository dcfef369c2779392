"""`dashkit task`: one task: its story, and a person's word on it."""

import argparse
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

from dashkit.cli.text import plain, plain_lines
from dashkit.errors import OutdatedError, UsageError
from dashkit.vocabulary import COMPLEXITIES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from dashkit.cli import Commands
    from dashkit.store.chronicle import Happening
    from dashkit.store.relatives import Relative

_MOST: Final = 10  # lines of a section
_WIDTH: Final = 96  # characters of a line
_LONG: Final = 400  # characters of a title or another fact
# What happened in words: with what it became, and without.
_HAPPENED: Final = {
    "created": ("created: ", "created"),
    "moved": ("moved to the project ", "moved to another project"),
    "renamed": ("renamed: ", "its title was taken away"),
    "sized": ("size ", "its size was taken away"),
    "status": ("status ", "its status was taken away"),
    "blocked": ("blocked: ", "blocked"),
    "reason": ("blocked because: ", "the reason of its block was taken away"),
    "unblocked": ("no longer blocked, status ", "no longer blocked"),
    "done": ("done: ", "done"),
    "reopened": ("reopened, status ", "reopened"),
    "gone": ("gone: ", "gone from its file"),
    "back": ("back: ", "back in its file"),
    "depends": ("depends on ", "depends on another task"),
    "free": ("no longer depends on ", "no longer depends on another task"),
}


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `task` to the commands."""
    parser = commands.add_parser(
        "task",
        parents=[common],
        help="one task: its story, and your word on it",
        description="Show one task, with what it depends on, what happened to it and what is linked to it; "
        "or change it. All changes are made, or none.",
    )
    parser.add_argument(
        "id", metavar="ID", help="its id as pages show it, such as T1.2 or vc-jt58; or its row's number"
    )
    done = parser.add_mutually_exclusive_group()
    done.add_argument("--check", dest="checked", action="store_const", const=True, help="it is done; its status stays")
    done.add_argument("--uncheck", dest="checked", action="store_const", const=False, help="it is not done")
    block = parser.add_mutually_exclusive_group()
    block.add_argument("--block", metavar="REASON", help="it is blocked, and why (at most 2,000 characters)")
    block.add_argument("--unblock", action="store_true", help="it is no longer blocked")
    parser.add_argument("--size", type=str.upper, choices=COMPLEXITIES, help="how big it is")
    parser.add_argument("--link", metavar="SHA", help="this commit belongs to it (4 digits or more, if one begins so)")
    parser.add_argument("--unlink", metavar="SHA", help="this commit does not belong to it, and is never linked again")
    parser.add_argument("--full", action="store_true", help="show all of a long description, history or list")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from dashkit import connection, times
    from dashkit.store import chosen, events, tasks

    words = (args.checked, args.block, args.size, args.link, args.unlink)
    changing = args.unblock or any(word is not None for word in words)
    with connection.using(args.db, write=changing) as conn:
        choice = chosen.find(conn, args.id)
        args.id = choice.task_id
        if choice.note:
            print(plain(choice.note), file=sys.stderr)
        if changing:
            with events.acting(conn, events.CLI):
                changes = _change(conn, args)
            lines = [f"Task {args.id}: {', '.join(changes)}.{_why_not_blocked(conn, args.id)}"]
        else:
            now = times.utc_now()
            story = tasks.story(conn, args.id, now) or {}  # which was there just now
            lines = _told(conn, story, now, full=args.full)
    print("\n".join(lines))
    return 0


def _change(conn: "sqlite3.Connection", args: argparse.Namespace) -> list[str]:
    """Make the changes one by one, in the caller's transaction; a word for each."""
    from dashkit import database

    said = []
    if args.checked is not None:
        database.update_task_checked(args.id, args.checked, db=conn)
        said.append("checked" if args.checked else "unchecked")
    if args.block is not None:
        database.set_task_blocked(args.id, args.block, db=conn)
        said.append(f"{'reason kept' if _why_not_blocked(conn, args.id) else 'blocked'} ({plain(args.block)})")
    if args.unblock:
        database.set_task_blocked(args.id, None, db=conn)
        said.append("not blocked")
    if args.size is not None:
        database.set_task_complexity(args.id, args.size, db=conn)
        said.append(f"size {args.size}")
    return said + _change_links(conn, args)


def _change_links(conn: "sqlite3.Connection", args: argparse.Namespace) -> list[str]:
    from dashkit import database
    from dashkit.store import git

    wrong = None if args.unlink is None else git.find_commit(conn, args.id, args.unlink, linked=True)
    right = None if args.link is None else git.find_commit(conn, args.id, args.link)
    said = []
    if wrong is not None and wrong == right:
        raise UsageError(f"Cannot link and unlink {wrong[:12]}", "it is one or the other", "Give one of the two.")
    if wrong is not None:
        was_linked = database.remove_task_commit_link(args.id, wrong, db=conn)
        now = "no longer linked with" if was_linked else "not linked before, and will not be, with"
        said.append(f"{now} {plain(wrong[:12])}")
    if right is not None:
        evidence = {"role": "refs", "rule": "manual"}
        database.create_task_commit_link(args.id, right, evidence=evidence, db=conn)
        said.append(f"linked with {plain(right[:12])}")
    return said


def _why_not_blocked(conn: "sqlite3.Connection", task_id: int) -> str:
    """A sentence for a task that has the status of a blocked one and is none, else nothing."""
    from dashkit import times
    from dashkit.store import tasks

    story = tasks.story(conn, task_id, times.utc_now())
    return " It is done, so it is not blocked." if story and _done_in_spite(story) else ""


def _done_in_spite(story: dict[str, Any]) -> bool:
    return story["status"] == "blocked" and not story["is_blocked"]


def _told(conn: "sqlite3.Connection", story: dict[str, Any], now: "datetime", *, full: bool) -> list[str]:
    from dashkit import database
    from dashkit.store import chronicle, relatives

    around = relatives.of_task(conn, story["id"])
    facts = {
        "Id": story["external_id"],
        "Project": f"{story['project_name'] or 'unknown'} ({story['project_id']})",
        "Phase": story["phase_name"],
        "Parent": around.parent and _called(around.parent),
        "Parts": _parts(around.parts),
        "Kind": None if story["kind"] == "task" else story["kind"],
        "Labels": _labels(story["labels"]),
        "Assignee": story["assignee"],
        "Milestone": story["milestone"],
        "Due": story["due_at"],
        "Status": story["status"],
        "Priority": story["priority"],
    }
    try:
        links = database.get_task_links(story["id"], db=conn)
    except OutdatedError as error:
        # Version 1 knows the task all the same.
        links = {}
        print(f"Size, blocks and links need version 2.0. {error.remedy}", file=sys.stderr)
    else:
        facts["Checked"] = "yes" if story["checked"] else "no"
        facts["Size"] = story["complexity"] or "not given"
        facts["Blocked"] = _blocked(story)
    facts["Waiting"] = _waiting(story, around.depends_on)
    facts["Created"] = story["created_at"]
    facts["Updated"] = chronicle.updated_at(conn, story)
    facts["Completed"] = story["finished_at"]
    history = _history(chronicle.of_task(conn, story["id"], now))
    sections = [
        ("Description", _description(story["description"])),
        (f"Depends on ({len(around.depends_on):,})", list(map(_beside, around.depends_on))),
        (f"Needed by ({len(around.needed_by):,})", list(map(_beside, around.needed_by))),
        (f"History ({len(history):,}), the newest first, UTC", history),
        *_linked("Commits", [(c, str(c["sha"])[:12], c["timestamp"], c["message"]) for c in links.get("commits", ())]),
        *_linked("Sessions", [(s, s["id"], s["started_at"], s["summary"]) for s in links.get("sessions", ())]),
    ]
    width = None if full else _LONG
    return [
        f"Task {story['id']}: {plain(story['title'], width)}",
        *(f"  {name:<10}{plain(fact, width)}" for name, fact in facts.items() if fact not in (None, "")),
        *(line for title, lines in sections for line in _section(title, lines, story["id"], full=full)),
    ]


def _section(title: str, lines: list[str], number: int, *, full: bool) -> list[str]:
    """A heading and its lines, of many the first; nothing without lines."""
    most = len(lines) if full or len(lines) <= _MOST else _MOST - 1
    rest = len(lines) - most
    more = [f"  … and {rest:,} more: `dashkit task {number} --full` shows all"] if rest else []
    return [title, *(f"  {line}".rstrip() for line in lines[:most]), *more] if lines else []


def _called(task: "Relative") -> str:
    """A task in words: its id, as this command takes it, and its title."""
    known = task.external_id if task.external_id and not task.external_id.isdecimal() else None
    return f"{known or task.task_id}  {task.title or 'a task that is not there'}"


def _beside(task: "Relative") -> str:
    return f"{plain(task.state):<12}{plain(_called(task), _WIDTH)}"


def _parts(parts: "Sequence[Relative]") -> str:
    """How many parts a task has, and how many of them are done."""
    done = sum(task.state == "done" for task in parts)
    return f"{len(parts):,}, of which {done:,} {'is' if done == 1 else 'are'} done" if parts else ""


def _waiting(story: dict[str, Any], depends_on: "Sequence[Relative]") -> str:
    """For how many open tasks an open task waits."""
    number = sum(task.is_open for task in depends_on)
    done = story["checked"] or story["status"] in ("completed", "cancelled")
    return "" if done or not number else f"for {number:,} open {'task' if number == 1 else 'tasks'}"


def _labels(stored: str | None) -> str:
    """Labels in words; what is no list of them as it is stored."""
    try:
        labels = json.loads(stored or "[]")
    except ValueError:
        labels = stored
    return ", ".join(map(str, labels)) if isinstance(labels, list) else str(stored)


def _description(text: str | None) -> list[str]:
    """The lines of a description, each no wider than a terminal."""
    lines = plain_lines((text or "").strip().replace("\r\n", "\n").expandtabs(4)).splitlines()
    return [part for line in lines for part in textwrap.wrap(line, _WIDTH, drop_whitespace=False) or [""]]


def _history(found: "Sequence[Happening]") -> list[str]:
    """A line for each thing that happened, the newest first."""
    return [f"{_when(one.at):<16}  {_happened(one)}{_by(one)}" for one in reversed(found)]


def _when(at: str) -> str:
    """An instant to its minute, or a day."""
    return at[:16].replace("T", " ")


def _happened(one: "Happening") -> str:
    """What happened, in words."""
    words, without = _HAPPENED[one.kind]
    return f"{words}{plain(one.detail, _WIDTH)}" if one.detail else without


def _by(one: "Happening") -> str:
    """Who did it or says so, in brackets; nothing where that is not known."""
    kind, _, name = (one.source or "").partition(":")
    told = {
        "git": f"in commit {name[:10]}",
        "file": f"read from {name}",
        "baseline": "found by the migration",
        "column": "as its row says",
        "reconcile": "found afterwards",
    }.get(kind) or {None: "", "cli": "on the command line", "python": "from Python"}.get(one.actor, f"by {one.actor}")
    return f"  ({plain(told, _WIDTH)})" if told else ""


def _blocked(story: dict[str, Any]) -> str:
    from dashkit.charts.tables import days_in_words

    reason = story["blocked_reason"]
    if not story["is_blocked"]:
        done = ", it is done" if _done_in_spite(story) else ""
        return f"no{done}" + (f"; the reason that was given: {reason}" if reason else "")
    days, at = story["days_blocked"], _when(story["blocked_at"] or "")
    since = {
        "event": f", since {at} UTC",
        "version": f", since {at} UTC or before",
        "not_before": f", not before {at} UTC",
    }
    told = "for an unknown time"
    if days is not None:
        told = f"for {days_in_words(days, story['basis'])}{since[story['basis']]}"
    return f"{told}: {reason or 'no reason given'}"


def _linked(title: str, links: list[tuple[dict[str, Any], Any, Any, Any]]) -> list[tuple[str, list[str]]]:
    """A heading with a line for each link (its row, name, time, text)."""
    lines = [
        f"{link['confidence']:.2f}  {plain(link['link_type']):<8}  {plain(name)}  {plain(when)}  {plain(text, 60)}"
        for link, name, when, text in links
    ]
    return [(f"{title} ({len(lines):,})", lines)]
