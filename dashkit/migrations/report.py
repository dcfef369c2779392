"""What a person reads: every result of a migration as text, and as plain data for programs."""

import shlex
from itertools import groupby
from pathlib import Path

from dashkit import times
from dashkit.migrations import engine
from dashkit.migrations.changes import AddColumn, CreateTable, CreateTrigger
from dashkit.migrations.execution import Outcome, Rehearsal
from dashkit.migrations.fills import Fill, Insert
from dashkit.migrations.findings import counted
from dashkit.migrations.later import TakeOver
from dashkit.migrations.moves import Move
from dashkit.migrations.recovery import Loss
from dashkit.migrations.restore import Restored

SLOW = 0.1  # seconds; a change that takes longer says so
MOST_WORDS = 8  # of statuses
MOST_COLUMNS = 4  # of one table, each in a line of its own
# As benchmarks/triggers.py measures it.
_COST = "What the triggers cost: a change of a task takes about 5 microseconds longer, 3 in bulk"


def line(applied: engine.Applied, *, done: bool) -> str:
    """One change as a line: `Marked 161 completed tasks as checked`, or `Mark ...` where it is still to do."""
    change = applied.change
    text = change.done if done else change.todo
    if isinstance(change, TakeOver):
        text = text.format(count=" and ".join(counted(rows, noun) for noun, rows in applied.kinds if rows))
    if isinstance(change, Fill | Insert | Move):
        text = text.format(count=counted(applied.rows or 0, change.noun))
        known = [f"{rows:,} from {label}" for label, rows in applied.kinds if rows]
        if len(applied.kinds) > 1 and len(known) > 1:
            text += f" ({', '.join(known)})"
    return text if applied.seconds < SLOW else f"{text}, {times.show_seconds(applied.seconds)}"


def lines(outcome: Outcome, *, done: bool) -> list[str]:
    """The changes, version by version."""
    text: list[str] = []
    for version in dict.fromkeys(applied.version for applied in outcome.applied):
        mine = [applied for applied in outcome.applied if applied.version == version]
        text.append(f"Version {version}")
        text += [f"  {told}" for told in _folded(mine, done=done)]
        text += [f"  {_COST}"] if any(isinstance(one.change, CreateTrigger) for one in mine) else []
    if outcome.adopted:
        verb = "Adopted" if done else "Adopt"
        text.append(f"{verb} {counted(len(outcome.adopted), 'changes')} already there: {', '.join(outcome.adopted)}")
    text += [f"Note: {note}" for note in outcome.notes]
    return text


def _folded(applied: list[engine.Applied], *, done: bool) -> list[str]:
    """One line a change; many columns of one table in one line, and none for those of a table that is new too."""
    text: list[str] = []
    made = {one.change.table for one in applied if isinstance(one.change, CreateTable)}
    applied = [one for one in applied if not (isinstance(one.change, AddColumn) and one.change.table in made)]
    for table, group in groupby(
        applied, key=lambda one: getattr(one.change, "column", None) and getattr(one.change, "table", None)
    ):
        mine = list(group)
        if table and len(mine) > MOST_COLUMNS:
            names = ", ".join(one.change.column for one in mine if isinstance(one.change, AddColumn))
            text.append(f"{'Added' if done else 'Add'} {len(mine)} columns to {table}: {names}")
        else:
            text += [line(one, done=done) for one in mine]
    return text


def outcome_text(outcome: Outcome) -> str:
    """The report of an execute."""
    if not outcome.changed:
        return already(outcome)
    return "\n".join(
        [
            f"Migrated {outcome.path}",
            f"Backup: {outcome.backup}",
            "",
            *lines(outcome, done=True),
            "",
            f"Migration complete: {counted(len(outcome.applied), 'changes')} applied",
            f"It took {times.show_seconds(outcome.seconds)}. Verified before it was committed: "
            f"every old row and value equals the backup's{_but_filled(outcome)}.",
            f"The way back: dashkit migrate --rollback --db {shown(outcome.path)}",
        ]
    )


def _but_filled(outcome: Outcome) -> str:
    """Which columns that were there already had values to be filled."""
    added = {(one.change.table, one.change.column) for one in outcome.applied if isinstance(one.change, AddColumn)}
    fills = [one.change for one in outcome.applied if isinstance(one.change, Fill) and one.rows]
    names = [f"{fill.table}.{fill.column}" for fill in fills if (fill.table, fill.column) not in added]
    return f", but for what was filled in {' and '.join(names)}" if names else ""


def already(outcome: Outcome) -> str:
    """The report where there is nothing to do."""
    notes = "".join(f"\nNote: {note}" for note in outcome.notes)
    return f"{outcome.path} is already at version {outcome.version}: nothing to do, no backup made.{notes}"


def rehearsal_text(rehearsal: Rehearsal, to: str | None) -> str:
    """The report of a dry run."""
    outcome = rehearsal.outcome
    if not outcome.changed:
        return already(outcome)
    text = [
        f"Dry run: {outcome.path} is unchanged. On a copy of it, the migration did this and was verified:",
        "",
        *lines(outcome, done=False),
        "",
        f"{counted(len(outcome.applied), 'changes')} would be applied, in about {times.show_seconds(outcome.seconds)}; "
        f"writers would wait about {times.show_seconds(outcome.locked_seconds)}.",
        f"A backup is made first; up to {size(rehearsal.room)} of disk may be needed on the way.",
    ]
    if outcome.facts.spellings:
        words = outcome.facts.spellings
        known = ", ".join(f"{word!r} ({rows:,})" for word, rows in words[:MOST_WORDS])
        known += f" and {len(words) - MOST_WORDS:,} more" if len(words) > MOST_WORDS else ""
        text.append(f"Statuses in other words, kept as they are and not marked as checked: {known}")
        text += [f"  {one}" for one in outcome.facts.advice]
    if outcome.facts.orphans:
        known = ", ".join(f"{table} ({rows:,})" for table, rows in outcome.facts.orphans)
        text.append(f"Rows that point to a row that is not there, kept as they are: {known}")
    text += [f"{unread}: {otherwise}." for unread, otherwise in outcome.facts.unread]
    option = f" --to {to}" if to else ""
    text += ["", f"To do it: dashkit migrate --execute{option} --db {shown(outcome.path)}"]
    return "\n".join(text)


def losses_text(path: Path, backup: Path, losses: tuple[Loss, ...]) -> str:
    """What a roll back would do, before anybody is asked."""
    text = [f"Roll back {path}", f"  to the state in {backup}"]
    if not losses:
        return "\n".join([*text, "Nothing was written since: nothing is lost."])
    text.append("Written since, and gone from the database after it (a save of the present state is made first):")
    for loss in losses:
        parts = [
            f"{rows:,} {word}"
            for rows, word in ((loss.added, "added"), (loss.changed, "changed"), (loss.removed, "removed"))
            if rows
        ]
        told = f"rows {', '.join(parts)}{' (the table goes)' if loss.dropped else ''}" if parts else "goes"
        text.append(f"  {loss.table}: {told}")
    return "\n".join(text)


def restored_text(done: Restored) -> str:
    """The report of a roll back."""
    return "\n".join(
        [
            f"Restored {done.path}",
            f"  from {done.backup}",
            f"The state before this is kept in {done.saved}",
            f"Done in {times.show_seconds(done.seconds)}. To undo it: "
            f"dashkit migrate --rollback --backup {shown(done.saved)} --db {shown(done.path)}",
        ]
    )


def outcome_data(outcome: Outcome, *, done: bool) -> dict[str, object]:
    """An outcome for `--json`."""
    return {
        "path": str(outcome.path),
        "version": outcome.version,
        "executed": done,
        "changes": [
            {
                "version": applied.version,
                "name": applied.change.name,
                "text": line(applied, done=done),
                "rows": applied.rows,
                "sources": dict(applied.kinds),
                "seconds": round(applied.seconds, 6),
            }
            for applied in outcome.applied
        ],
        "adopted": list(outcome.adopted),
        "notes": list(outcome.notes),
        "backup": str(outcome.backup) if outcome.backup else None,
        "seconds": round(outcome.seconds, 4),
        "locked_seconds": round(outcome.locked_seconds, 4),
    }


def rehearsal_data(rehearsal: Rehearsal) -> dict[str, object]:
    """A dry run for `--json`."""
    return outcome_data(rehearsal.outcome, done=False) | {
        "other_statuses": dict(rehearsal.outcome.facts.spellings),
        "orphans": dict(rehearsal.outcome.facts.orphans),
        "unread_dates": [
            {
                "column": unread.column,
                "count": unread.count,
                "of": unread.of,
                "example": unread.example,
                "text": f"{unread}: {otherwise}.",
            }
            for unread, otherwise in rehearsal.outcome.facts.unread
        ],
        "disk_bytes": rehearsal.room,
    }


def size(number: int) -> str:
    """Bytes for people: `1.2 MB`."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} bytes"


def shown(path: Path) -> str:
    """A path as one word of a shell command."""
    return shlex.quote(str(path.absolute()))
