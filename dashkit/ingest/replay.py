"""Versions of a task file -> changes of tasks. Pure: the same path serves a thousand old versions and today's."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashkit import times
from dashkit.ingest import identity, images
from dashkit.records import Task
from dashkit.sources import obsidian
from dashkit.sources.beads import UNTITLED
from dashkit.store.events import BACK, GONE

WATCHED = ("title", "status", "checked", "blocked_reason")
_ENDED = {"completed": 1, "cancelled": 2}  # of two words of one time the more final one counts


@dataclass(eq=False)
class Tracked:
    """One task of a source over all its versions; `image` is what the source said last.

    `owned` has the columns that a user changed, with the user's value: the source's word does not reach them until
    both agree. `born_at` is when it first was, `created_at` what the source says of that: either may be a date. `task`
    is the record as read last: the very same object again has nothing to say. `row` is the task in the database before
    this replay.
    `committed` is what the last commit said, None where it had no such task: the work tree may say something else.
    `former_ids` are what it was called before its project renamed the prefix: old commits name it so.
    `ended_at` is what the source says of its completion, where its records have no other time of their own.
    """

    external_id: str | None
    title: str
    headings: tuple[str, ...] = ()
    created_at: str | None = None
    image: dict[str, Any] = field(default_factory=dict)
    task_id: int | None = None
    accepted_at: str | None = None
    gone_at: str | None = None
    owned: dict[str, Any] = field(default_factory=dict)
    ordinal: int = 0
    born_at: str | None = None
    task: Task | None = None
    row: dict[str, Any] | None = None
    former_ids: tuple[str, ...] = ()
    committed: dict[str, Any] | None = None
    ended_at: str | None = None

    @property
    def status(self) -> str | None:
        """What the source said of it last."""
        return self.image.get("status")

    @property
    def planned(self) -> tuple[str, ...]:
        """The dates that its line said last; where it was read before such fields were known, its title holds them."""
        return images.planned(self.image, self.title)


@dataclass(frozen=True)
class Change:
    """One change of a tracked task, as a version of its source shows it; it happened in (not_before, occurred_at].

    `on_day` is the day, where the source says no more than a date: `occurred_at` is within it, and serves the order.
    `said_completed_at` is when the source says that it was finished, where the event only looked; `seen_at` is when the
    source showed it, where it says that it happened before: so it counts where the task has changed since.
    """

    tracked: Tracked
    op: str
    occurred_at: str
    not_before: str | None
    values: dict[str, Any]
    source: str
    on_day: str | None = None
    said_completed_at: str | None = None
    seen_at: str | None = None


@dataclass(frozen=True)
class Edge:
    """A dependency that came or went, as a version of its source shows it."""

    tracked: Tracked
    on: Tracked
    op: str
    occurred_at: str
    not_before: str | None
    source: str


@dataclass(frozen=True)
class Version:
    """One reading of a source: its tasks, when it was, and where it came from (`git:<sha>`, `file:<path>`).

    Where it is a commit, only what is not as in the commit before is news; a work tree is no commit.
    """

    tasks: Sequence[Task]
    at: str
    source: str
    phase: Callable[[Task], str | None] = lambda _: None
    is_commit: bool = True


class Replay:
    """Takes versions in their order and keeps what changed.

    Args:
        known: every task of the source, in its order; those that are gone have a `gone_at`.
        last_at: when the source was read last; None: never.
        deleted: titles, as `identity.normal` has them, of tasks that a user deleted: they do not come again.
    """

    def __init__(self, known: Iterable[Tracked], last_at: str | None, deleted: Collection[str] = ()) -> None:
        known = list(known)
        self.deleted = deleted
        self.live = [one for one in known if one.gone_at is None]
        self.gone = [one for one in known if one.gone_at is not None]
        self.last_at = last_at
        self.changes: list[Change] = []
        self.edges: list[Edge] = []
        self.stale: set[tuple[Tracked, str]] = set()  # older records, by their time
        self.mended: dict[Tracked, str | None] = {}  # of done tasks with another time of completion, the one before
        self.withheld: tuple[Task, ...] = ()  # of the last version, what a user deleted
        self.news = False  # whether any version said anything new
        self._said: dict[Tracked, dict[str, Any]] = {}  # by the version that is taken
        self._by_id: dict[str, Tracked] = {}
        self._depends: dict[Tracked, set[Tracked]] = {}
        self._awaited: dict[str, list[Tracked]] = defaultdict(list)  # ids that nobody has yet -> who depends on them
        self._sort_gone()
        for one in [*reversed(self.gone), *self.live]:
            if one.external_id is not None:
                self._by_id[one.external_id] = one
        for one in known:
            self._depends[one] = self._wanted(one)

    def take(self, version: Version) -> None:
        """Note what this version changes; a task that is no longer in it is gone, and kept."""
        same = {id(one.task): one for one in self.live if one.task is not None}
        order = [same.get(id(task)) for task in version.tasks]
        fresh = [place for place, one in enumerate(order) if one is None]
        staying = {one for one in order if one is not None}
        left = [one for one in self.live if one not in staying]
        before, self.news, self._said = self.news, False, {}
        if fresh or left:
            matched = self._match(left, [version.tasks[place] for place in fresh])
            pairs = zip(matched, (version.tasks[place].external_id for place in fresh), strict=True)
            # One that has another id now has let go of its own.
            holders = _holders([*staying, *(one for one, name in pairs if one and name in (None, one.external_id))])
            for place, known in zip(fresh, matched, strict=True):
                order[place] = self._see(known, version.tasks[place], version, holders)
        self.withheld = tuple(task for task, one in zip(version.tasks, order, strict=True) if one is None)
        self._settle([one for one in order if one is not None], left, version)
        self._connect([one for place in fresh if (one := order[place])], version)
        if self.news or not version.source.startswith("file:"):
            self.last_at = max(version.at, self.last_at or "")
        self.news = self.news or before

    def begin_anew(self) -> None:
        """What is read next follows no commit that is known: it says all that it says, as if it were one."""
        for one in (*self.live, *self.gone):
            one.committed = one.image if one.gone_at is None else None

    def _match(self, left: list[Tracked], found: list[Task]) -> list[Tracked | None]:
        ids = {task.external_id for task in found}
        # Of the thousands that are gone, only those of the same id matter where every record has one.
        gone = self.gone if None in ids else [one for one in self.gone if one.external_id in ids or not one.external_id]
        return identity.match(left, gone, found)

    def _see(self, known: Tracked | None, task: Task, version: Version, holders: dict[str, Tracked]) -> Tracked | None:
        """A record that is new, or that of a known task; of two with one id the later in the file goes without.

        None: a user deleted it.
        """
        if known is None and self.deleted and identity.normal(task.title) in self.deleted:
            return None
        read = task
        if known is not None and task.title == UNTITLED:
            task = replace(task, title=known.title)
        if known is None:
            known = self._first(task, version)
        elif not self._is_stale(known, task, version):
            self._again(known, task, version)
        known.task, self._said[known] = read, images.image(task, version)
        if None not in (known.external_id, task.external_id) and known.external_id != task.external_id:
            known.former_ids, known.external_id = (*known.former_ids, str(known.external_id)), None
            self.news = True
        external_id = known.external_id or task.external_id
        if external_id is not None:
            has_it = holders.setdefault(external_id, known) is known
            known.external_id = external_id if has_it else None
        return known

    def _first(self, task: Task, version: Version) -> Tracked:
        image = images.image(task, version)
        tracked = Tracked(None, task.title, task.headings, task.created_at, image, accepted_at=task.updated_at)
        tracked.ended_at = images.ended_at(task)
        self.news = True
        now = {column: image[column] for column in WATCHED}
        if task.created_at is None:
            self._look(tracked, now, task, version)
            return tracked
        born, day = times.place(task.created_at, "", self._time(version))
        tracked.born_at = day or born
        began = {"title": task.title, "status": "pending", "checked": 0, "blocked_reason": None}
        self._change(tracked, "insert", born, None, began, version, day)
        changed = {column: now[column] for column in WATCHED if now[column] != began[column]}
        place = len(self.changes)
        self._update(tracked, changed, task, version, task.updated_at, day or born)
        first = min((change.occurred_at for change in self.changes[place:]), default="")
        if day and first[:10] == day and first <= born:  # of a day nobody knows the hour: it stands before what follows
            before = max(times.later(first, -1), f"{day}T00:00:00.000Z")
            self.changes[place - 1] = replace(self.changes[place - 1], occurred_at=before)
        return tracked

    def _look(self, tracked: Tracked, now: dict[str, Any], task: Task, version: Version) -> None:
        """Note a task of which nobody says when it was created.

        What the first reading of all shows may be much older: it is a state, and no arrival. So is a task that comes
        with the time of its end: it was there before.
        """
        if task.completed_at is None or times.is_before(version.at, task.completed_at):
            tracked.born_at = version.at
            op = "insert" if self.last_at else "baseline"
            self._change(tracked, op, version.at, self._since(version.at), now, version)
            return
        at, day = times.place(task.completed_at, "", self._time(version))
        tracked.born_at = day or at
        if task.checked:
            self._change(tracked, "baseline", version.at, None, now, version, said_completed_at=day or at)
        else:
            self._change(tracked, "baseline", at, None, now, version, day)

    def _is_stale(self, tracked: Tracked, task: Task, version: Version) -> bool:
        """Whether it is an older record, written later by a clone that was behind: it reopens nothing."""
        now, last = task.updated_at, tracked.accepted_at
        if now is None or last is None or times.is_before(last, now):
            return False
        if not times.is_before(now, last) and (
            identity.is_coarse(now)
            or identity.is_coarse(last)
            or _ENDED.get(task.status, 0) > _ENDED.get(tracked.status or "", 0)
        ):
            return False
        if images.image(task, version) != tracked.image:
            self.stale.add((tracked, now))
        return True

    def _again(self, tracked: Tracked, task: Task, version: Version) -> None:
        before, after = tracked.image, images.news(tracked, task, version)
        values = {}
        for column in WATCHED:
            if column in tracked.owned:
                if after[column] == tracked.owned[column]:
                    del tracked.owned[column]  # both agree again
            elif after[column] != before.get(column):
                values[column] = after[column]
        self.news = self.news or after != before or tracked.headings != task.headings
        self._read_anew(tracked, values, version)
        self._mend(tracked, task, was_done=bool(before.get("checked")))
        tracked.image, tracked.title, tracked.headings = after, after["title"], task.headings
        tracked.created_at = task.created_at or tracked.created_at
        own = None if identity.is_same(task.updated_at, tracked.accepted_at) else task.updated_at
        self._update(tracked, values, task, version, own, tracked.accepted_at or "")
        self.news = self.news or own is not None
        tracked.accepted_at = task.updated_at or tracked.accepted_at

    def _read_anew(self, tracked: Tracked, values: dict[str, Any], version: Version) -> None:
        """Date a title that only lost its fields, as these are read now, by the version that was read last."""
        if "title" in values and obsidian.read(tracked.title).text.split() == values["title"].split():
            at = self._since(version.at) or version.at
            self._change(tracked, "update", at, None, {"title": values.pop("title")}, version)

    def _mend(self, tracked: Tracked, task: Task, *, was_done: bool) -> None:
        """Note a time of completion that the source says, or mends, when the task is done already."""
        ended = images.ended_at(task)
        if was_done and ended and not identity.is_same(ended, tracked.ended_at):
            self.mended.setdefault(tracked, tracked.ended_at)
            self.news = True
        tracked.ended_at = ended or (tracked.ended_at if task.checked else None)

    def _update(
        self, tracked: Tracked, values: dict[str, Any], task: Task, version: Version, own: str | None, after: str
    ) -> None:
        """Date a change by the record's own times (of its end, then the rest), without one by the version.

        What is dated by a day alone was in the version before not yet so, and in this one already.
        """
        until, said, ended = self._time(version), own or version.at, task.completed_at
        before = max(self.last_at or "", "" if times.is_date(after) else after)
        at, day = times.place(said, before, until)
        done = {column: value for column, value in values.items() if column in ("status", "checked")}
        ends = done.get("checked") or done.get("status") == "cancelled"
        if ends and ended and not times.is_before(ended, after) and not times.is_before(day or at, ended):
            done_at, done_day = times.place(ended, before, until)
            self._change(tracked, "update", done_at, None, done, version, done_day, seen_at=at)
            values = {column: value for column, value in values.items() if column not in done}
            at, day = times.place(said, max(before, done_at), until)
        if values:
            begun = f"{after}T00:00:00.000Z" if times.is_date(after) else after
            self._change(tracked, "update", at, self._since(at) or begun or None, values, version, day)

    def _change(
        self,
        tracked: Tracked,
        op: str,
        at: str,
        not_before: str | None,
        values: dict[str, Any],
        version: Version,
        on_day: str | None = None,
        *,
        said_completed_at: str | None = None,
        seen_at: str | None = None,
    ) -> None:
        self.changes.append(
            Change(tracked, op, at, not_before, values, version.source, on_day, said_completed_at, seen_at)
        )

    def _since(self, at: str) -> str | None:
        return None if self.last_at is None else min(self.last_at, at)

    def _time(self, version: Version) -> str:
        """Nothing that a version holds is younger than the version (commits have no fractions of a second)."""
        return max(version.at, self.last_at or "")

    def _settle(self, order: list[Tracked], left: list[Tracked], version: Version) -> None:
        """Put the live ones in the order of this version, and the others among those that are gone.

        A commit says nothing of what it has as the one before had it, and the work tree has not; nor the other way
        round.
        """
        away = {one for one in order if one.gone_at and version.is_commit and one.committed is not None}
        here = set(order) - away
        missing = [one for one in left if one not in here]
        vanished = [one for one in missing if not version.is_commit or one.committed is not None]
        staying = [one for one in missing if version.is_commit and one.committed is None]
        order = [*(one for one in order if one in here), *staying]
        for ordinal, one in enumerate(order):
            self.news = self.news or one.ordinal != ordinal or one.gone_at is not None
            if one.gone_at:
                self._change(one, BACK, version.at, self._since(version.at), {}, version)
            one.ordinal, one.gone_at = ordinal, None
        for one in vanished:
            self._change(one, GONE, version.at, self._since(version.at), {}, version)
            one.gone_at, one.task, self.news = version.at, None, True
        if vanished or len(order) != len(self.live):
            self.gone = [one for one in self.gone if one not in here] + vanished
            self._sort_gone()
        self.live = order
        if version.is_commit:
            self._remember(missing)

    def _remember(self, missing: Iterable[Tracked]) -> None:
        """Keep what this commit said; what it is silent of is as in the one before."""
        for one in missing:
            one.committed = None
        for one, said in self._said.items():
            self.news = self.news or said != one.committed
            one.committed = said

    def _sort_gone(self) -> None:
        self.gone.sort(key=lambda one: (one.gone_at or "", one.ordinal), reverse=True)

    def _wanted(self, tracked: Tracked) -> set[Tracked]:
        """The tasks that it depends on, as far as they are known."""
        ids = tracked.image.get("depends_on", ())
        for missing in (other for other in ids if other not in self._by_id):
            self._awaited[missing].append(tracked)
        return {one for other in ids if (one := self._by_id.get(other)) and one is not tracked}

    def _connect(self, touched: Sequence[Tracked], version: Version) -> None:
        """Note the dependencies that came and went."""
        dated = {one: (one.task and one.task.updated_at) or version.at for one in touched}
        for one in touched:
            if one.external_id is not None:
                self._by_id[one.external_id] = one
                dated |= dict.fromkeys(self._awaited.pop(one.external_id, ()), version.at)
        for one, own in dated.items():
            had, wanted = self._depends.get(one, set()), self._wanted(one)
            self._depends[one] = wanted
            at, _ = times.place(own, self.last_at or "", self._time(version))
            for op, others in (("add", wanted - had), ("remove", had - wanted)):
                for other in sorted(others, key=lambda other: other.external_id or ""):
                    self.edges.append(Edge(one, other, op, at, self._since(at), version.source))


def _holders(tasks: Iterable[Tracked]) -> dict[str, Tracked]:
    """Who has which id: a task that was there just now before one that comes back."""
    known = sorted(tasks, key=lambda one: one.gone_at is not None)
    holders: dict[str, Tracked] = {}
    for one in known:
        if one.external_id is not None:
            holders.setdefault(one.external_id, one)
    return holders
