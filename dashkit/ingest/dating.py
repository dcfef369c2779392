"""When something happened that a version of a source shows for the first time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashkit import times
from dashkit.ingest.model import WATCHED, Image, Version
from dashkit.records import New, Task, TaskChange, TaskKey

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Span:
    """The time between the version before and this one: what this one shows anew happened in it.

    Args:
        last_at: the time of the version before; None: there is none.
        version: the version that is read.
    """

    last_at: str | None
    version: Version

    @property
    def until(self) -> str:
        """Its end: nothing that a version holds is younger than the version (commits have whole seconds)."""
        return max(self.version.at, self.last_at or "")

    def since(self, at: str) -> str | None:
        """When something that is known to be true at an instant was not true yet; None: nobody knows."""
        return None if self.last_at is None else min(self.last_at, at)

    def change(self, task: TaskKey, op: str, values: Mapping[str, Any] = _NOTHING) -> TaskChange:
        """A change that has no other date than this version."""
        at = self.version.at
        return TaskChange(task, op, at, self.since(at), values, self.version.source)

    def reread(self, task: TaskKey, values: Mapping[str, Any]) -> TaskChange:
        """A change of what is read in a record that is as before: it is dated by the version before."""
        at = self.since(self.version.at) or self.version.at
        return TaskChange(task, "update", at, None, values, self.version.source)

    def arrival(self, record: Task, image: Image) -> tuple[New, list[TaskChange]]:
        """A task that is not known, and how it came: at the time that its record says, or with this version."""
        now = {column: image[column] for column in WATCHED}
        if record.created_at is None:
            return self._sight(record, now)
        at, day = times.place(record.created_at, "", self.until)
        task = New(record.title, day or at)
        began = {"title": record.title, "status": "pending", "checked": 0, "blocked_reason": None}
        changed = {column: now[column] for column in WATCHED if now[column] != began[column]}
        updates = self.update(task, changed, record, record.updated_at, day or at)
        first = min((update.occurred_at for update in updates), default="")
        if day and first[:10] == day and first <= at:
            # Nobody knows the hour of a date: the arrival is put before what followed on the same day.
            at = max(times.later(first, -1), f"{day}T00:00:00.000Z")
        return task, [TaskChange(task, "insert", at, None, began, self.version.source, day), *updates]

    def _sight(self, record: Task, now: Mapping[str, Any]) -> tuple[New, list[TaskChange]]:
        """A task that is not known, and whose record does not say when it was created.

        What the first version of all shows may be much older: the task was there, and did not arrive. So was a task
        that comes with the time of its end.
        """
        if record.completed_at is None or times.is_before(self.version.at, record.completed_at):
            task = New(record.title, self.version.at)
            return task, [self.change(task, "insert" if self.last_at else "baseline", now)]
        at, day = times.place(record.completed_at, "", self.until)
        task = New(record.title, day or at)
        if record.checked:
            seen = self.change(task, "baseline", now)
            return task, [replace(seen, not_before=None, said_completed_at=day or at)]
        return task, [TaskChange(task, "baseline", at, None, now, self.version.source, day)]

    def update(
        self, task: TaskKey, values: Mapping[str, Any], record: Task, own: str | None, after: str
    ) -> list[TaskChange]:
        """The changes of a task, dated by its record, and where that says no time by this version.

        Args:
            task: the task.
            values: the columns that changed.
            record: its record.
            own: when the record says that it changed last; None: it says nothing new.
            after: when it had not changed yet: the time of the record that was taken before, or of the creation; "" if
                nothing is known. An instant or a date; a date only says that the day had begun.
        """
        before = max(self.last_at or "", "" if times.is_date(after) else after)
        said = own or self.version.at
        at, day = times.place(said, before, self.until)
        end = self._end(task, values, record, after, (at, day))
        changes = []
        if end:
            changes.append(end)
            values = {column: value for column, value in values.items() if column not in end.values}
            at, day = times.place(said, max(before, end.occurred_at), self.until)
        if values:
            begun = f"{after}T00:00:00.000Z" if times.is_date(after) else after
            not_before = self.since(at) or begun or None
            changes.append(TaskChange(task, "update", at, not_before, values, self.version.source, day))
        return changes

    def _end(
        self, task: TaskKey, values: Mapping[str, Any], record: Task, after: str, seen: tuple[str, str | None]
    ) -> TaskChange | None:
        """The change that ends a task, where its record says when that was; None: it ends none, or says no time.

        A time of the end that is not within the time in which the record changed is not believed.
        """
        done = {column: value for column, value in values.items() if column in ("status", "checked")}
        ended = record.completed_at
        if ended is None or not (done.get("checked") or done.get("status") == "cancelled"):
            return None
        seen_at, seen_on = seen
        if times.is_before(ended, after) or times.is_before(seen_on or seen_at, ended):
            return None
        before = max(self.last_at or "", "" if times.is_date(after) else after)
        at, day = times.place(ended, before, self.until)
        return TaskChange(task, "update", at, None, done, self.version.source, day, seen_at=seen_at)
