"""`dashkit task`: one task: its story, and a person's word on it."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from dashkit.cli.text import plain
from dashkit.errors import OutdatedError, UsageError
from dashkit.vocabulary import COMPLEXITIES

if TYPE_CHECKING:
    import sqlite3

    from dashkit.cli import Commands


def register(commands: "Commands", common: argparse.ArgumentParser) -> None:
    """Add `task` to the commands."""
    parser = commands.add_parser(
        "task",
        parents=[common],
        help="one task: its story, and your word on it",
        description="Show one task, with what is linked to it; or change it. All changes are made, or none.",
    )
    parser.add_argument(
        "id", metavar="ID", help="its id as pages show it, such as T1.2 or vc-jt58; or its row's number"
    )
    done = parser.add_mutually_exclusive_group()
    done.add_argument("--check", dest="checked", action="store_const", const=True, help="it is done; its status stays")
    done.add_argument("--uncheck", dest="checked", action="store_const", const=False, help="it is not done")
    block = parser.add_mutually_exclusive_group()
    block.add_argument("--block", metavar="REASON", help="it is blocked, and why")
    block.add_argument("--unblock", action="store_true", help="it is no longer blocked")
    parser.add_argument("--size", type=str.upper, choices=COMPLEXITIES, help="how big it is")
    parser.add_argument("--link", metavar="SHA", help="this commit belongs to it (4 digits or more, if one begins so)")
    parser.add_argument("--unlink", metavar="SHA", help="this commit does not belong to it, and is never linked again")
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
            lines = _told(conn, tasks.story(conn, args.id, times.utc_now()) or {})  # which was there just now
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
    from dashkit.store import explicit

    wrong = None if args.unlink is None else explicit.find_commit(conn, args.id, args.unlink, linked=True)
    right = None if args.link is None else explicit.find_commit(conn, args.id, args.link)
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


def _told(conn: "sqlite3.Connection", story: dict[str, Any]) -> list[str]:
    from dashkit import database

    facts = {
        "Id": story["external_id"],
        "Project": f"{story['project_name'] or 'unknown'} ({story['project_id']})",
        "Phase": story["phase_name"],
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
    for name, column in (("Created", "created_at"), ("Updated", "updated_at"), ("Completed", "finished_at")):
        facts[name] = story[column]
    return [
        f"Task {story['id']}: {plain(story['title'])}",
        *(f"  {name:<10}{plain(fact)}" for name, fact in facts.items() if fact not in (None, "")),
        *_linked(
            "Commits",
            [(c, str(c["sha"])[:12], c["timestamp"], c["message"]) for c in links.get("commits", ())],
        ),
        *_linked("Sessions", [(s, s["id"], s["started_at"], s["summary"]) for s in links.get("sessions", ())]),
    ]


def _blocked(story: dict[str, Any]) -> str:
    from dashkit.charts.tables import days_in_words

    reason = story["blocked_reason"]
    if not story["is_blocked"]:
        done = ", it is done" if _done_in_spite(story) else ""
        return f"no{done}" + (f"; the reason that was given: {reason}" if reason else "")
    days = story["days_blocked"]
    since = "for an unknown time" if days is None else f"for {days_in_words(days, story['basis'])}"
    return f"{since}: {reason or 'no reason given'}"


def _linked(title: str, links: list[tuple[dict[str, Any], Any, Any, Any]]) -> list[str]:
    """A heading, then a line for each link (its row, name, time, text); nothing without links."""
    lines = [
        f"  {link['confidence']:.2f}  {plain(link['link_type']):<8}  "
        f"{plain(name)}  {plain(when)}  {plain(text, 60)}".rstrip()
        for link, name, when, text in links
    ]
    return [f"{title} ({len(lines)})", *lines] if lines else []
