"""Which task of a new reading is which known task: renames, moves and re-orderings keep their identity. Pure."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import partial
from typing import Generic, Protocol, TypeVar

from dashkit import times
from dashkit.sources import obsidian

ALIKE = 0.6  # of two titles under one heading, as difflib's ratio: below it is another task
MOST_PAIRS = 10_000  # of one reading; beyond, only tasks in the same place under a heading are compared
_COARSE = ":00.000Z"  # a time of whole minutes
_MIDNIGHT = "T00:00:00.000Z"
_COMPARED = 200  # characters of a title
_NUMBERED = re.compile(r"\D*?(\d+(?:\.\d+)*)")


class Named(Protocol):
    """What a task is recognized by."""

    @property
    def external_id(self) -> str | None:
        """What the source calls it."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings above it."""

    @property
    def status(self) -> str | None:
        """Its status."""

    @property
    def created_at(self) -> str | None:
        """When it was made, where the source says so."""

    @property
    def planned(self) -> tuple[str, ...]:
        """The dates that its line says before the work is done."""


Known = TypeVar("Known", bound=Named)


def normal(title: str) -> str:
    """A title without what an edit changes in passing: case, white space, and the fields behind it.

    Titles hold dates that cannot be read, and all fields where they were read before those were known.
    """
    return " ".join(obsidian.read(title, unread_stays=False).text.casefold().split())


def match(live: Sequence[Known], gone: Sequence[Known], found: Sequence[Named]) -> list[Known | None]:
    """Who each task of a new reading is; None: a new one.

    First by external_id; then by the same title anywhere in the file, equal titles in their order, those under the
    same heading first, of these those planned for the same dates, by their status where they only changed places; then
    by the nearest text under the same heading.
    Two different ids are one task only where the title and the number, or the title and the instant of creation, are
    the same (TASK-12 became BACK-12), and an id with another time of creation and another title is another task: ids
    are given again.

    Args:
        live: the tasks that were there in the last reading, in its order.
        gone: those that were there before, the latest first. They come back by an id and a like title (or the same
            time of creation), or by their title; never as the new name of another.
        found: the new reading.
    """
    matching = _Matching([*live, *gone], len(live), found)
    matching.by_id()
    if len(matching.pairs) < len(found):
        matching.by_title()
        matching.by_likeness()
    return [matching.known[matching.pairs[place]] if place in matching.pairs else None for place in range(len(found))]


class _Matching(Generic[Known]):
    """Pairs so far: place in `found` -> place in `known`, of which the first `live` were there just now."""

    def __init__(self, known: Sequence[Known], live: int, found: Sequence[Named]) -> None:
        self.known, self.live, self.found = known, live, found
        self.pairs: dict[int, int] = {}

    def by_id(self) -> None:
        wanted: dict[str, list[int]] = defaultdict(list)
        for place, task in enumerate(self.found):
            if task.external_id is not None:
                wanted[task.external_id].append(place)
        for place, task in enumerate(self.known):
            same = wanted.get(task.external_id) if task.external_id is not None else None
            if not same:
                continue
            # An id may stand in a file twice: the one with the known title is the known one.
            one = next((one for one in same if normal(self.found[one].title) == normal(task.title)), same[0])
            stays = not _is_reused(task, self.found[one]) if place < self.live else _comes_back(task, self.found[one])
            if stays:
                self.pairs[one] = place
                same.remove(one)

    def by_title(self) -> None:
        moved = self._only_moved()
        dated = [True, False] if any(task.planned for task in self.found) else [False]
        for with_heading in (True, False):
            for with_dates in dated:
                self._pair_equal(partial(_key, with_heading=with_heading, moved=moved, with_dates=with_dates))

    def _pair_equal(self, key_of: Callable[[Named], object]) -> None:
        """Pair those with one key, in their order."""
        queues: dict[object, deque[int]] = defaultdict(deque)
        for place in self._free_known(len(self.known)):
            key = key_of(self.known[place])
            for name in (key, (key, _mark(self.known[place])), (key, _birth(self.known[place]))):
                queues[name].append(place)
        used: set[int] = set()
        for place in self._free_found():
            key, mark = key_of(self.found[place]), _mark(self.found[place])
            # Two ids are two tasks, unless only what stands before the number is another, or both were made in one
            # instant: then the tracker has renumbered it.
            birth = _birth(self.found[place])
            names = [key] if mark is None else [(key, mark), (key, None), *([(key, birth)] if birth else [])]
            same = [queues[name] for name in names if name in queues]
            for queue in same:
                while queue and queue[0] in used:
                    queue.popleft()
            one = min((queue[0] for queue in same if queue), default=None)
            if one is not None:
                used.add(one)
                self.pairs[place] = one

    def _only_moved(self) -> set[object]:
        """Equal titles under a heading that have the same statuses as before: they can only have changed places."""
        counts: dict[object, Counter[str | None]] = defaultdict(Counter)
        for place in self._free_known(self.live):
            counts[_key(self.known[place])][self.known[place].status] += 1
        for place in self._free_found():
            counts[_key(self.found[place])][self.found[place].status] -= 1
        return {key for key, statuses in counts.items() if not any(statuses.values())}

    def by_likeness(self) -> None:
        rest: dict[tuple[str, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for place in self._free_known(self.live):
            rest[self.known[place].headings][0].append(place)
        for place in self._free_found():
            rest[self.found[place].headings][1].append(place)
        many = sum(len(old) * len(new) for old, new in rest.values()) > MOST_PAIRS
        for old, new in rest.values():
            candidates = zip(old, new, strict=False) if many else ((one, two) for one in old for two in new)
            self._nearest(candidates)

    def _nearest(self, candidates: Iterable[tuple[int, int]]) -> None:
        used: set[int] = set()
        for _, one, two in sorted(self._scored(candidates)):
            if one not in used and two not in self.pairs:
                used.add(one)
                self.pairs[two] = one

    def _scored(self, candidates: Iterable[tuple[int, int]]) -> Iterator[tuple[float, int, int]]:
        for one, two in candidates:
            # Two ids are two tasks, once equal titles have found each other.
            ids = {self.known[one].external_id, self.found[two].external_id}
            # What is done becomes no open task of another title: it has left, and that one came.
            opens = self.known[one].status == "completed" != self.found[two].status
            if len(ids - {None}) < 2 and not opens:
                likeness = _likeness(self.known[one].title, self.found[two].title)
                if likeness >= ALIKE:
                    yield -likeness, one, two

    def _free_found(self) -> list[int]:
        return [place for place in range(len(self.found)) if place not in self.pairs]

    def _free_known(self, end: int) -> list[int]:
        used = set(self.pairs.values())
        return [place for place in range(end) if place not in used]


def _key(
    task: Named, with_heading: bool = True, moved: Collection[object] = (), with_dates: bool = False
) -> tuple[object, ...]:
    key: tuple[object, ...] = normal(task.title), task.headings if with_heading else ()
    key = (*key, task.status) if key in moved and with_heading else key
    # The dates are a part of their own: a status is none of them.
    return (key, task.planned) if with_dates else key


def _mark(task: Named) -> str | None:
    """What stays of an id when a project renames its prefix, TASK-12 or bd-12.3: the number, without one all of it."""
    found = _NUMBERED.fullmatch(task.external_id or "")
    return found[1] if found else task.external_id


def is_coarse(time: str) -> bool:
    """Whether a time is of whole minutes, or a date: two tasks, or two edits, may share it."""
    return times.is_date(time) or time.endswith(_COARSE)


def is_same(one: str | None, other: str | None) -> bool:
    """Whether a source says the same time again; a date was read as its midnight once, and is remembered so."""
    return one == other or (None not in (one, other) and _day(str(one)) == _day(str(other)))


def _day(time: str) -> str:
    return time.removesuffix(_MIDNIGHT)


def _birth(task: Named) -> str:
    """The instant in which a task was made; "" where it is not known well enough to tell it from others."""
    return "" if task.created_at is None or is_coarse(task.created_at) else task.created_at


def _is_reused(live: Named, found: Named) -> bool:
    """Whether an id now means another task: made at another time, and of another title."""
    one, other = live.created_at, found.created_at
    other_birth = None not in (one, other) and not is_same(one, other)
    return other_birth and _likeness(live.title, found.title) < ALIKE


def _comes_back(gone: Named, found: Named) -> bool:
    """Whether an id that was gone means the same task again."""
    same_birth = gone.created_at is not None and is_same(gone.created_at, found.created_at)
    return same_birth or _likeness(gone.title, found.title) >= ALIKE


def _likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, normal(one)[:_COMPARED], normal(other)[:_COMPARED], autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE else 0.0
