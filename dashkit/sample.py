"""The reference database of version 1.0: 1,587 tasks in 8 projects, 161 completed, the same in each run."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

from dashkit import migrations
from dashkit.connection import beside, connect, explained, transaction
from dashkit.errors import RefusedError
from dashkit.store import projects

_SEED = 1587
_FIRST = datetime(2025, 8, 4, tzinfo=UTC)
_LAST = datetime(2025, 11, 27, 16, tzinfo=UTC)

Row = dict[str, str | int | None]


class _Project(NamedTuple):
    """A project to make up; project 1 has no completed task, and no task anywhere is blocked."""

    name: str
    description: str
    tasks: int
    completed: int
    phases: str
    parts: str
    things: str


_PROJECTS = (
    _Project(
        name="Order Service",
        description="Takes orders from the shop and hands them to the warehouse.",
        tasks=220,
        completed=0,
        phases="Groundwork, Order intake, Payment, Fulfilment, Hardening",
        parts="the order API, the checkout, the price engine, the stock client, the refund job, the archive",
        things="cart limits, tax rules, retry logic, order numbers, address checks, partial deliveries, gift cards",
    ),
    _Project(
        name="Customer Portal",
        description="Where customers see their contracts, invoices and messages.",
        tasks=312,
        completed=58,
        phases="Design, Sign-in, Self service, Messages, Accessibility, Launch",
        parts="the start page, the sign-in form, the invoice list, the inbox, the profile page, the menu",
        things="keyboard focus, empty states, page titles, dark mode, error texts, date formats, loading states",
    ),
    _Project(
        name="Data Warehouse",
        description="Nightly loads, one model of the business, reports on top.",
        tasks=268,
        completed=34,
        phases="Sources, Staging, Core model, Marts, Quality",
        parts="the sales load, the ledger load, the customer table, the daily mart, the event stream",
        things="late rows, null keys, time zones, row counts, slow joins, schema changes, currency rates",
    ),
    _Project(
        name="Mobile App",
        description="The field team's app: visits, photos, signatures, without a network too.",
        tasks=241,
        completed=21,
        phases="Prototype, Offline storage, Visits, Photos, Beta",
        parts="the visit screen, the sync queue, the photo upload, the map view, the settings screen",
        things="battery use, weak networks, screen rotation, old devices, large fonts, permissions, crash reports",
    ),
    _Project(
        name="Platform Operations",
        description="Clusters, pipelines and what watches over them.",
        tasks=187,
        completed=17,
        phases="Inventory, Pipelines, Observability, Cost, Disaster recovery",
        parts="the build runners, the staging cluster, the log store, the backup job, the proxy",
        things="alert noise, disk growth, certificates, access rights, image sizes, version pins, restore times",
    ),
    _Project(
        name="Search",
        description="Finds products and help pages in three languages.",
        tasks=156,
        completed=15,
        phases="Index, Ranking, Languages, Suggestions",
        parts="the indexer, the query parser, the ranking model, the suggestion box, the synonym editor",
        things="typos, compound words, stale entries, click logs, facet counts, long queries, stop words",
    ),
    _Project(
        name="Billing Migration",
        description="Out of the old billing system before its licence ends.",
        tasks=118,
        completed=11,
        phases="Analysis, Mapping, Parallel run, Cut-over",
        parts="the contract export, the tariff table, the dunning letters, the ledger bridge, the bank import",
        things="rounding, cancelled contracts, duplicate customers, old tariffs, open items, audit trails",
    ),
    _Project(
        name="Developer Handbook",
        description="How we work, written down once.",
        tasks=85,
        completed=5,
        phases="Outline, Writing, Review",
        parts="the setup guide, the review guide, the release guide, the incident guide, the style guide",
        things="screenshots, broken links, examples, the glossary, first steps, common errors",
    ),
)

_ACTIONS = (
    "Add tests for {thing} in {part}",
    "Agree on {thing} in {part}",
    "Cover {thing} in {part}",
    "Describe {thing} of {part}",
    "Find out how {part} deals with {thing}",
    "Handle {thing} in {part}",
    "Improve {thing} in {part}",
    "Measure {thing} in {part}",
    "Plan {thing} in {part}",
    "Review {thing} in {part}",
    "Rework {thing} of {part}",
    "Show {thing} in {part}",
    "Simplify {thing} in {part}",
    "Sort out {thing} in {part}",
)
_DESCRIPTIONS = (
    "Came up in the review; see the notes there.",
    "Half a day if nothing surprises us.",
    "Asked for by support twice this month.",
    "Keep the old behaviour behind a switch until the next release.",
    "Done when the numbers are on the team page.",
    "Needs a word with the people who run it.",
    "Start with the smallest case that shows it.",
    "There is a workaround, so it can wait.",
)
_STATUSES = {"pending": 80, "in_progress": 11, "review": 6, "cancelled": 3}
_OPEN = {"pending": 82, "in_progress": 12, "review": 6}  # of the project that has only begun: nothing is cancelled yet
_PRIORITIES = {"low": 20, "medium": 52, "high": 22, "critical": 6}


def write_sample(path: str | Path) -> Path:
    """Write the reference database of version 1.0 into a new file.

    Raises:
        RefusedError: there is something at `path` already, or its folder is missing or does not allow it.
    """
    path = Path(path)
    _reserve(path)
    try:
        with closing(connect(path)) as conn, explained(path, "write"), transaction(conn):
            migrations.create(conn, version="1.0")
            _fill(conn)
    except BaseException:
        for leftover in (path, beside(path, "-journal")):
            leftover.unlink(missing_ok=True)
        raise
    return path


def _reserve(path: Path) -> None:
    """Make the file, which must be new; the one way that no other program can come in between."""
    what = f"Cannot write the sample to {path}"
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise RefusedError(
            what, "there is something already", "Name a new file; nothing is ever overwritten.", path=path
        ) from None
    except FileNotFoundError:
        raise RefusedError(what, "its folder does not exist", "Make the folder first.", path=path) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RefusedError(what, why.lower(), "Name another place.", path=path) from error


def _fill(conn: sqlite3.Connection) -> None:
    # Not for secrets: the numbers have to be the same each time.
    rng = random.Random(_SEED)  # noqa: S311
    first_task = 1
    for number, project in enumerate(_PROJECTS):
        began = _FIRST + timedelta(days=7 * number, hours=8, minutes=rng.randrange(120))
        project_id = projects.insert_project(conn, project.name, _text(began), project.description)
        phases = [
            projects.insert_phase(conn, project_id, name, position)
            for position, name in enumerate(project.phases.split(", "), 1)
        ]
        tasks = _tasks(rng, project, phases, began)
        projects.insert_tasks(conn, project_id, tasks)
        projects.insert_dependencies(conn, _dependencies(rng, tasks, first_task))
        first_task += len(tasks)


def _tasks(rng: random.Random, project: _Project, phases: list[int | None], began: datetime) -> list[Row]:
    """The tasks of a project, in the order of their phases, as rows of `tasks`."""
    combinations = list(product(_ACTIONS, project.parts.split(", "), project.things.split(", ")))
    titles = [action.format(part=part, thing=thing) for action, part, thing in rng.sample(combinations, project.tasks)]
    # What is done lies among the earlier two thirds.
    done = set(rng.sample(range(project.tasks * 2 // 3), project.completed))
    return [
        {
            "phase_id": phases[index * len(phases) // project.tasks],
            "title": title,
            "description": rng.choice(_DESCRIPTIONS) if rng.random() < 0.4 else None,
            "priority": _draw(rng, _PRIORITIES),
            **_life(rng, began, index / project.tasks, _STATUSES if project.completed else _OPEN, done=index in done),
        }
        for index, title in enumerate(titles)
    ]


def _life(rng: random.Random, began: datetime, progress: float, statuses: dict[str, int], *, done: bool) -> Row:
    """Status and times of a task: planned in batches as the project goes on, completed days to weeks later."""
    weeks = int(progress * ((_LAST - began).days // 7))
    created = began + timedelta(weeks=weeks, days=rng.randrange(5), seconds=rng.randrange(6 * 3600))
    took = timedelta(days=1 + 30 * rng.random() ** 2, seconds=rng.randrange(6 * 3600))
    return {
        "status": "completed" if done else _draw(rng, statuses),
        "created_at": _text(created),
        "completed_at": _text(min(_in_working_time(created + took), _LAST)) if done else None,
    }


def _in_working_time(instant: datetime) -> datetime:
    weekend = timedelta(days=2 if instant.weekday() >= 5 else 0)
    return instant.replace(hour=8 + instant.hour % 10) + weekend


def _dependencies(rng: random.Random, tasks: list[Row], first: int) -> Iterator[tuple[int, int]]:
    """About one task in four waits for one shortly before it; nothing completed waits for something open."""
    for index, task in enumerate(tasks[1:], 1):
        if rng.random() < 0.25:
            other = max(0, index - rng.randrange(1, 12))
            if task["status"] != "completed" or tasks[other]["status"] == "completed":
                yield first + index, first + other


def _draw(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _text(instant: datetime) -> str:
    """As CURRENT_TIMESTAMP of version 1.0 wrote it."""
    return f"{instant:%Y-%m-%d %H:%M:%S}"
