"""Which task a reference means: the tasks of a project by their ids, and the links that its commits' texts make."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashkit import times
from dashkit.linking.ids import Ids, normal
from dashkit.linking.references import ROLES, find
from dashkit.linking.spellings import Where
from dashkit.records import Reference
from dashkit.version import __version__

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_LINGERS = timedelta(hours=1)  # a commit may follow the close of its task
_TELLING = 3  # words of a title, below which it may stand in a message by chance
_STRENGTH = {role.name: place for place, role in enumerate(ROLES)}


@dataclass(frozen=True)
class Named:
    """A task that texts may name, with the life that tells it from another of the same id.

    Args:
        task_id: the task.
        ids: every id that it has or had, as the trackers write them.
        source: what recorded it; one source holds an id once, so its next task of that id ends this one's life.
        created_at: stored form, as are the others; None is not known.
        closed_at: when it was finished.
        gone_at: when its source no longer had it.
        title: its title.
        numbered_at: since when it has its number in the database, and is called TASK-number for want of an id; None:
            it is not so called.
    """

    task_id: int
    ids: tuple[str, ...]
    source: str = ""
    created_at: str | None = None
    closed_at: str | None = None
    gone_at: str | None = None
    title: str = ""
    numbered_at: str | None = None


@dataclass(frozen=True)
class Said:
    """A text that belongs to a commit, and the commit's time in the stored form."""

    sha: str
    at: str
    text: str
    where: Where = "message"


@dataclass(frozen=True)
class Link:
    """A commit did work on a task: how sure, and by what evidence."""

    task_id: int
    sha: str
    confidence: float
    link_type: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Ambiguous:
    """An id in a commit that means one of several tasks, nobody knows which: counted, never guessed."""

    sha: str
    external_id: str
    task_ids: tuple[int, ...]


class Bearers:
    """The tasks of one project by what they are called.

    Args:
        tasks: the project's tasks.
        home: the repository, as owner/name or its address.
        patterns: the project's own patterns of ids.

    Raises:
        UsageError: a pattern is not safe.
    """

    def __init__(self, tasks: Iterable[Named], home: str = "", patterns: Iterable[str] = ()) -> None:
        everyone, patterns = list(tasks), list(patterns)
        self._given: dict[str, list[Named]] = {}
        for task in everyone:
            for known in {normal(each) for each in task.ids if each}:
                self._given.setdefault(known, []).append(task)
        numbers = {f"TASK-{task.task_id}": task for task in everyone if task.numbered_at is not None}
        self._numbered = {normal(number): task for number, task in numbers.items()}
        self._ids = Ids.of((each for task in everyone for each in task.ids), home, patterns, numbers)
        self._rules = [__version__, home, *patterns]

    def digest(self) -> str:
        """What decides which links a text makes: while it is the same, a text makes the same links.

        Of a task whose ids nobody shares the life decides nothing.
        """
        shared = {
            known: [task.task_id if len(tasks) == 1 else astuple(task) for task in tasks]
            for known, tasks in self._given.items()
        }
        numbered = {
            known: (task.task_id, task.numbered_at, *(one.created_at for one in self._given.get(known, ())))
            for known, task in self._numbered.items()
        }
        told = json.dumps([self._rules, shared, numbered], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def link(self, said: Iterable[Said]) -> tuple[list[Link], list[Ambiguous]]:
        """The explicit links: which commit names which task, each pair once with its strongest role.

        Args:
            said: the texts of the commits of the project's repositories.
        """
        links: dict[tuple[int, str], Link] = {}
        unclear: dict[tuple[str, str], Ambiguous] = {}
        for each in said:
            for reference in find(each.text, each.where, self._ids):
                meant = self._meant(reference, each)
                if len(meant) == 1:
                    _keep(links, meant[0].task_id, each.sha, reference)
                elif meant:
                    task_ids = tuple(sorted(task.task_id for task in meant))
                    key = each.sha, normal(reference.external_id)
                    unclear.setdefault(key, Ambiguous(each.sha, reference.external_id, task_ids))
        return list(links.values()), list(unclear.values())

    def _meant(self, reference: Reference, said: Said) -> list[Named]:
        """The task that a reference means, several where nothing tells, none where there was none yet."""
        known, now = normal(reference.external_id), times.parse(said.at)
        given = self._given.get(known, [])
        numbered = self._numbered.get(known)
        # "Task 12" may be the twelfth of any list; the number of a row is meant where TASK-12 is written.
        if (
            numbered
            and now
            and reference.rule not in ("noun", "short")
            and not any(_born(task) <= now for task in given)
        ):
            made = times.parse(numbered.numbered_at)
            if made and made.replace(microsecond=0) <= now:  # git knows whole seconds
                return [numbered]
        if len(given) < 2:
            return given
        told = _titled(_as_written(given, reference.words), said.text, now)
        return told if now is None or len(told) == 1 else _alive(told, now)


def link(
    tasks: Iterable[Named], said: Iterable[Said], home: str = "", patterns: Iterable[str] = ()
) -> tuple[list[Link], list[Ambiguous]]:
    """The explicit links of one project: `Bearers.link`, once.

    Raises:
        UsageError: a pattern is not safe.
    """
    return Bearers(tasks, home, patterns).link(said)


def _keep(links: dict[tuple[int, str], Link], task_id: int, sha: str, reference: Reference) -> None:
    """Keep a reference as the evidence of its pair, unless an earlier one says more."""
    kept = links.get((task_id, sha))
    if kept is None or _STRENGTH[reference.role] < _STRENGTH[kept.evidence["role"]]:
        evidence = {name: getattr(reference, name) for name in ("rule", "role", "words", "where")}
        links[task_id, sha] = Link(task_id, sha, 1.0, "explicit", evidence)


def _as_written(tasks: list[Named], words: str) -> list[Named]:
    """Those whose id is just what was written, where there are some: x-0261 is x-0261 before it is x-261."""
    written = words.removeprefix("#").casefold()
    return [task for task in tasks if any(each.casefold() == written for each in task.ids)] or tasks


def _titled(tasks: list[Named], text: str, now: datetime | None) -> list[Named]:
    """Those that were there and whose title stands in the text, where there are some."""
    said = f" {_words(text)} "
    titles = [(task, _words(task.title)) for task in tasks if now is None or _born(task) - now <= _LINGERS]
    return [one for one, title in titles if title.count(" ") + 1 >= _TELLING and f" {title} " in said] or tasks


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _alive(tasks: list[Named], now: datetime) -> list[Named]:
    """Which of several tasks an id may have meant at a time: one where lifetimes tell, else all that it may be."""
    newest: dict[str, tuple[datetime, list[Named]]] = {}
    for task in tasks:
        born = _born(task)
        held, holders = newest.get(task.source, (_ALWAYS, []))
        if born <= now and born >= held:
            newest[task.source] = (born, [*holders, task] if born == held else [task])
    candidates = [task for _, holders in newest.values() for task in holders]
    living = [task for task in candidates if not _ended(task, now)]
    return living or candidates or tasks


def _born(task: Named) -> datetime:
    """Since when a task may be named: from the beginning of a date on, UTC."""
    return times.parse(task.created_at) or _ALWAYS


def _ended(task: Named, now: datetime) -> bool:
    """Whether a task was over well before a time; a commit may follow the close at once."""
    ends = [end for end in (_end(task.closed_at), _end(task.gone_at)) if end]
    return bool(ends) and now - min(ends) > _LINGERS


def _end(text: str | None) -> datetime | None:
    """The instant from which on something is over: of a date the end of that day, UTC."""
    found = times.read(text)
    if found is None:
        return None
    return found.at if found.day is None else found.at + timedelta(hours=12)
