"""The tasks of a source that are gone: thousands in an old tracker, of which a version needs a few. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import count

from dashkit.ingest.model import Tracked
from dashkit.records import TaskKey


class Gone:
    """Keeps the tasks that are gone, the last to go first, and finds those with an id without looking at all others."""

    def __init__(self, tasks: Iterable[Tracked]) -> None:
        self._tasks: dict[TaskKey, Tracked] = {}
        self._by_id: dict[str | None, set[TaskKey]] = defaultdict(set)
        self._numbers: dict[
            TaskKey, int
        ] = {}  # of two tasks that went at one time from one place the first one is first
        self._next = count()
        self._sorted: list[Tracked] | None = None
        for one in tasks:
            self.put(one)

    def put(self, one: Tracked) -> None:
        """Add a task, or replace what is known of it."""
        self.remove(one.task)
        self._tasks[one.task] = one
        self._by_id[one.external_id].add(one.task)
        self._numbers.setdefault(one.task, next(self._next))

    def remove(self, task: TaskKey) -> None:
        """Remove a task, if it is there."""
        known = self._tasks.pop(task, None)
        if known:
            self._by_id[known.external_id].discard(task)
        self._sorted = None

    def all(self) -> list[Tracked]:
        """All tasks, the last to go first."""
        if self._sorted is None:
            self._sorted = self._in_order(self._tasks)
        return self._sorted

    def with_ids(self, ids: Collection[str | None]) -> list[Tracked]:
        """The tasks that have one of these ids, or none at all, the last to go first."""
        return self._in_order(task for name in {*ids, None} for task in self._by_id.get(name, ()))

    def _in_order(self, tasks: Iterable[TaskKey]) -> list[Tracked]:
        def departure(one: Tracked) -> tuple[str, int, int]:
            return one.gone_at or "", one.ordinal, -self._numbers[one.task]

        return sorted((self._tasks[task] for task in tasks), key=departure, reverse=True)
