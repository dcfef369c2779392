"""Many records as one list: what is kept, what is not, and why."""

from collections import Counter
from collections.abc import Callable, Iterable

from dashkit import times
from dashkit.records import Skip, Task, TaskList

OLDER = "older record of an id that comes again"


def tally(
    records: Iterable[tuple[str, Task | Skip]],
    notes: Iterable[str] = (),
    where: Callable[[str], str] = lambda place: f", {place}",
) -> TaskList:
    """The tasks of a source whose records have ids: of two with one id, the later change counts.

    Args:
        records: each with its place in the source ("line 12").
        notes: what is known of the source already.
        where: what follows the path of the source to name a place in it.
    """
    tasks: dict[str | None, Task] = {}
    left_out: Counter[str] = Counter()
    bad: list[str] = []
    places: dict[str | None, str] = {}  # of the tasks with dates that cannot be read
    for place, record in records:
        if isinstance(record, Task):
            other = tasks.get(record.external_id)
            left_out[OLDER] += other is not None
            if other is None or not times.is_before(record.updated_at or "", other.updated_at or ""):
                tasks[record.external_id] = record
                if record.unread_dates:
                    places[record.external_id] = place
        elif record.bad:
            bad.append(f"{place}: {record.reason}")
        else:
            left_out[record.reason] += 1
    unknown = Counter(task.unknown_status for task in tasks.values() if task.unknown_status is not None)
    words = [f"records with the unknown status {word!r}, read as pending: {n:,}" for word, n in unknown.most_common()]
    return TaskList(
        tasks=tuple(tasks.values()),
        left_out_by=dict(+left_out),
        skipped=len(bad),
        notes=(*notes, *bad, *words),
        unread_dates=tuple((date, where(place)) for name, place in places.items() for date in tasks[name].unread_dates),
    )
