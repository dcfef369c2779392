"""Which tasks of a source wait for which, over all its versions. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from dashkit import times
from dashkit.ingest.dating import Span
from dashkit.ingest.model import Tracked
from dashkit.records import DependencyChange, Task, TaskKey


class Dependencies:
    """Keeps who waits for whom; a source names tasks by their ids, and may name one that it does not have yet.

    Args:
        known: the tasks of the source; of two with one id the later one has it.
    """

    def __init__(self, known: Iterable[Tracked]) -> None:
        self._by_id: dict[str, TaskKey] = {}
        self._wanted: dict[TaskKey, set[TaskKey]] = {}
        self._awaited: dict[str, list[TaskKey]] = defaultdict(list)  # an id that no task has -> who waits for it
        known = list(known)
        for one in known:
            if one.external_id is not None:
                self._by_id[one.external_id] = one.task
        for one in known:
            self._wanted[one.task] = self._look_up(one)

    def follow(
        self, read: Iterable[tuple[TaskKey, Task]], tasks: Mapping[TaskKey, Tracked], span: Span
    ) -> list[DependencyChange]:
        """Which dependencies come and go with the records of a version, and with the ids that they bring.

        Args:
            read: the tasks whose records are new in this version.
            tasks: all tasks of the source, as this version leaves them.
            span: the time of the version.
        """
        read = list(read)
        dated = {task: record.updated_at or span.version.at for task, record in read}
        for task, _ in read:
            external_id = tasks[task].external_id
            if external_id is not None:
                self._by_id[external_id] = task
                dated |= dict.fromkeys(self._awaited.pop(external_id, ()), span.version.at)
        found: list[DependencyChange] = []
        for task, own in dated.items():
            before, now = self._wanted.get(task, set()), self._look_up(tasks[task])
            self._wanted[task] = now
            at, _ = times.place(own, span.last_at or "", span.until)
            for op, others in (("add", now - before), ("remove", before - now)):
                found += [
                    DependencyChange(task, other, op, at, span.since(at), span.version.source)
                    for other in sorted(others, key=lambda other: tasks[other].external_id or "")
                ]
        return found

    def _look_up(self, one: Tracked) -> set[TaskKey]:
        """The tasks that a task waits for, as far as they are known."""
        found = set()
        for external_id in one.image.get("depends_on", ()):
            other = self._by_id.get(external_id)
            if other is None:
                self._awaited[external_id].append(one.task)
            elif other != one.task:
                found.add(other)
        return found
