"""Findings about what the tables hold: keys, values, settings, and the history against the rows."""

import json
import shlex
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dashkit import times
from dashkit.doctor.findings import Finding, sql
from dashkit.doctor.promises import Promises
from dashkit.errors import UsageError
from dashkit.ingest.links import refused_patterns
from dashkit.migrations.findings import counted
from dashkit.store import backfill, health, orphans, replaced, rows, settings, values

_NAMED = 3  # tasks, or dependencies, that are lost
_ONE_BY_ONE = 5  # such tasks for which a command each is told
_AT_REST = "DELETE FROM event_context; INSERT INTO event_context (id, suspended) VALUES (1, 0)"


def keys(conn: sqlite3.Connection, promises: Promises, without: Collection[str]) -> Iterator[Finding]:
    """Rows that name a row which is not there; those columns are left out that are in the way of a migration."""
    found = orphans.find(conn, without)
    for one in orphans.otherwise(conn):
        example = f"such as {times.quoted(one.example)} ({one.count:,})"
        told = f"{one.where} names tasks by something else than their ids, {example}"
        remedy = "Nothing has to be done. dashkit leaves such rows out, and none has to be deleted."
        yield Finding("other ids", "note", told, remedy)
    if not found:
        yield Finding("foreign keys", "good", "every row names one that is there")
        return
    told = f"rows that name a row which is not there: {', '.join(map(str, found))}"
    remedy = _repaired(promises, found)
    if any("repo_id" in one.columns for one in found):
        first = "If the repository is still there, `dashkit ingest git REPO` makes its row again: do that first. "
        remedy = f"{first}{remedy}"
    if not all(one.is_ours for one in found):
        others = ", ".join(one.table for one in found if not one.is_ours)
        remedy += f" {others} belongs to another program: look first whether that needs those rows."
    yield Finding("foreign keys", "wrong", told, remedy)


def _repaired(promises: Promises, found: list[orphans.Orphans]) -> str:
    """The statements that work, and what they do; and what people have to decide."""
    refused = promises.refused([one for every in found for one in every.statements])
    repairs = [repair for every in found for repair in every.repairs]
    works = [one for one in repairs if one.statements and refused.keys().isdisjoint(one.statements)]
    told = []
    if works:
        statements = dict.fromkeys(one for repair in works for one in repair.statements)
        told.append(f"Run this SQL: {sql(*statements)}. This {_joined([one.effect for one in works])}.")
    told += [_to_decide(one, refused) for one in repairs if one not in works]
    return " ".join(told)


def _joined(words: list[str]) -> str:
    """`a`, `a and b`, `a, b, and c`."""
    *others, last = words
    return f"{', '.join(others)}{',' if len(others) > 1 else ''} and {last}" if others else last


def _to_decide(repair: orphans.Repair, refused: Mapping[str, str]) -> str:
    """What people have to decide where no statement of ours works."""
    why = next((f" ({refused[one]})" for one in repair.statements if one in refused), "")
    return (
        f"Decide where these rows belong: this SQL shows them, {sql(repair.listing)}. dashkit cannot make what they "
        f"name{why}: make that, or give each of them a row that is there."
    )


def ranges(conn: sqlite3.Connection, today: str, without: Collection[str]) -> Iterator[Finding]:
    """Values outside of what they may be; nothing is said of columns `without` them."""
    found = list(values.find(conn, today, without))
    for one in found:
        yield Finding("values", "wrong" if one.wrong else "note", one.told, one.remedy)
    if not found:
        yield Finding("values", "good", "all are in their range")


def configuration(conn: sqlite3.Connection, promises: Promises) -> Iterator[Finding]:
    """Settings that another program stored, and that cannot be used."""
    if not rows.columns(conn, "settings") >= {"scope", "key", "value"}:
        return
    for row in rows.fetch(conn, "SELECT scope, key FROM main.settings ORDER BY scope, key", {}):
        scope, key = str(row["scope"]), str(row["key"])
        project = int(scope) if scope.isascii() and scope.isdecimal() else None
        if key not in settings.KEYS or (scope and project is None):
            continue
        try:
            settings.get(conn, key, project)
        except UsageError as error:
            yield _setting(promises, key, project, f"{error.what}: {error.why}")
    for refused in refused_patterns(conn):
        scope = str(getattr(refused, "scope", ""))
        project = int(scope) if scope.isdecimal() else None
        yield _setting(promises, "id_pattern", project, f"{refused.what}: {refused.why}")


def _setting(promises: Promises, key: str, project: int | None, found: str) -> Finding:
    of = "" if project is None else f" --project {project}"
    unset, shown = promises.command(f"config {key}{of} --unset"), promises.command("config")
    remedy = f"{unset} takes it away, so that the default holds; {shown} shows all settings."
    return Finding("settings", "wrong", found, remedy)


def history(conn: sqlite3.Connection, promises: Promises) -> Iterator[Finding]:
    """Whether what the history says last is what the rows say; nothing where there is none, or not all of it."""
    if not health.has_history(conn):
        return
    if unrest := health.unrest(conn):
        yield Finding("event_context", "wrong", unrest, f"Run this SQL: {sql(_AT_REST)}.")
    else:
        yield Finding("event_context", "good", "at rest")
    yield from _unlike(conn, promises)
    if known := backfill.pending(conn):
        told = " and ".join(
            counted(count, noun)
            for count, noun in ((known.completions, "completions"), (known.arrivals, "arrivals"))
            if count
        )
        remedy = promises.migration("takes them over into the history; so does the next scan")
        yield Finding("dates", "note", f"rows know of earlier times than the history: {told}", remedy)
    else:
        yield Finding("dates", "good", "the history knows what rows say of earlier times")
    yield from _rewritten(conn, promises)


def _unlike(conn: sqlite3.Connection, promises: Promises) -> Iterator[Finding]:
    """Tasks and dependencies that changed while no trigger saw it."""
    tasks, first = health.unlike_history(conn)
    found = [f"{counted(tasks, 'tasks')} (the first: {first})"] if tasks else []
    if dependencies := health.unlike_dependency_history(conn):
        found.append(counted(dependencies, "dependencies"))
    if not found:
        yield Finding("history", "good", "every task and dependency is as its last events say")
        return
    told = f"changed while no trigger saw it: {' and '.join(found)}"
    what = "takes their present state over into the history, as of now; so does the next scan"
    remedy = f"{promises.migration(what)} Find out who writes without the triggers."
    yield Finding("history", "wrong", told, remedy)


def _rewritten(conn: sqlite3.Connection, promises: Promises) -> Iterator[Finding]:
    """What was lost when a program of version 1 wrote rows anew."""
    found = [*_tasks_rewritten(conn, promises), *_dependencies_gone(conn), *_projects_emptied(conn)]
    if found:
        told = "; ".join(one for one, _ in found)
        remedy = " ".join(one for _, one in found)
        remedy += " Have the program save by UPDATE, and this does not happen again."
        yield Finding("rewritten rows", "wrong", told, remedy)
    if links := replaced.links_gone(conn):
        link = promises.command("link")
        told = f"{counted(links, 'links')} of tasks with commits fewer than when commits were last linked"
        remedy = (
            f"{link} makes those again that messages of commits name; a link that a person had made is made again by "
            "`dashkit task ID --link SHA`. Where somebody took them away nothing has to be done."
        )
        yield Finding("links", "note", told, remedy)


def _tasks_rewritten(conn: sqlite3.Connection, promises: Promises) -> Iterator[tuple[str, str]]:
    """Tasks that lost what people had said of them: what is found, and what to do."""
    lost = replaced.find(conn)
    if not lost:
        return
    is_one, of_boxes = len(lost) == 1, all(not (one.complexity or one.reason) for one in lost)
    what = ("its check mark" if is_one else "their check marks") if of_boxes else "what people had said"
    rows_of = "its row" if is_one else "their rows"
    told = (
        f"{counted(len(lost), 'tasks')} lost {what} when another program replaced {rows_of} "
        f"(INSERT OR REPLACE, or DELETE and INSERT): {_first_of(lost)}"
    )
    are_few = len(lost) <= _ONE_BY_ONE and all((one.reason or "").isprintable() for one in lost)
    are_plain = all("`" not in (one.reason or "") for one in lost)
    back = _commands(promises, lost) if are_few and are_plain else _statements(lost)
    link = promises.command("link")
    yield (
        told,
        f"{back} A task that is checked again counts as finished when that is done. If the program enforced "
        f"foreign keys, the links of such a task with commits are gone too: {link} makes those again that messages "
        "of commits name.",
    )


def _dependencies_gone(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Dependencies that went with the row of one of their tasks: what is found, and what to do."""
    if gone := replaced.dependencies_gone(conn):
        listed = _first_of([f"task {one} on task {other}" for one, other in gone])
        told = (
            f"{counted(len(gone), 'dependencies')} went when another program that enforces foreign keys replaced the "
            f"row of a task: {listed}"
        )
        pairs = ", ".join(f"({one}, {other})" for one, other in gone)
        insert = f"INSERT INTO task_dependencies (task_id, depends_on_id) VALUES {pairs}"  # noqa: S608 - numbers
        yield told, f"To put {'it' if len(gone) == 1 else 'them'} back, run this SQL: {sql(insert)}."


def _projects_emptied(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Projects that lost all of their tasks in one statement: what is found, and what to do."""
    for one in replaced.emptied(conn):
        name = "" if one.name is None else f" ({times.quoted(one.name)})"
        told = (
            f"{counted(one.tasks, 'tasks')} of project {one.project}{name} were deleted in one statement at {one.at}, "
            "and the project is there: so it is where a program that enforces foreign keys writes the project's row "
            "anew by INSERT OR REPLACE"
        )
        yield (
            told,
            "The history knows their titles, boxes, sizes, blocks and dates; descriptions, phases, priorities and "
            f"links are in your backups alone. To put back what the history knows, run this SQL: {sql(one.remedy)}. If "
            "they were deleted on purpose, delete the row of the project too.",
        )


def _first_of(found: Sequence[object]) -> str:
    """The first of what is found, and how many more there are."""
    return ", ".join(map(str, found[:_NAMED])) + (f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else "")


def _commands(promises: Promises, lost: Iterable[replaced.Lost]) -> str:
    """A command for each task that says again what was said."""
    told = []
    for one in lost:
        words = f"task {one.task}" + (" --check" if one.checked else "")
        words += f" --size {one.complexity}" if one.complexity else ""
        words += f" --block {shlex.quote(one.reason)}" if one.reason else ""
        told.append(promises.command(words))
    return f"To put it back, run: {', '.join(told)}."


def _statements(lost: Iterable[replaced.Lost]) -> str:
    """The same for many, as statements: one for the boxes, one for each size, one for each reason."""
    sets: dict[str, list[int]] = {}
    for one in lost:
        said = ["checked = 1"] if one.checked else []
        said += [f"complexity = '{one.complexity}'"] if one.complexity else []
        said += [f"blocked_reason = {rows.literal(one.reason)}"] if one.reason else []
        for value in said:
            sets.setdefault(value, []).append(one.task)
    statements = "; ".join(
        f"UPDATE tasks SET {value} WHERE id IN ({json.dumps(tasks)[1:-1]})"  # noqa: S608 - for people
        for value, tasks in sets.items()
    )
    return f"To put it back, run this SQL: {sql(statements)}."
