"""From values to a plan: what the sources of a project come to, without a file, a repository or a database."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from dashkit.ingest.images import image
from dashkit.ingest.model import NewPhase, Project, Reading, Source, Tracked, Version
from dashkit.ingest.moved_tasks import hand_over
from dashkit.ingest.plan import plan
from dashkit.ingest.replay import replay
from dashkit.records import New, Task, TaskList
from dashkit.store.checkpoints import Checkpoint

NOW = "2026-01-09T12:00:00.000Z"
EMPTY = Project(
    id=None, name="Shed", is_empty=True, deleted=frozenset(), in_use={}, phases={"Ideas": 4}, keeps_dependencies=True,
    unclaimed=(),
)  # fmt: skip


def day(number):
    """A day of January 2026 in the stored form."""
    return f"2026-01-{number:02}T12:00:00.000Z"


def source(name, *tracked, at=None):
    """A source of a project, with the tasks that it has or had."""
    reading = Reading(Path("/shed") / name, "tasklist", TaskList(()))
    checkpoint = Checkpoint(at=at, kind="tasklist") if at else None
    return Source(reading, name, None, checkpoint, tracked, {}, reads_past=False, is_work_tree=False)


def version(number, *tasks):
    """A version of a day, in which the first heading is the phase."""
    return Version(tasks, day(number), f"git:{number}", lambda task: next(iter(task.headings), None))


def known(task, title, **values):
    """A task that a source had when it was read last."""
    row = dict.fromkeys(("description", "kind", "labels", "phase_id", "parent_id", "external_id", "due_at"))
    row |= {"id": task, "title": title, "priority": "medium"}
    said = image(Task(title), version(1))
    return Tracked(task, title, image=said, committed=said, row=row, **values)


def test_what_is_new_stands_for_the_ids_that_rows_will_get():
    """A task, its parent and its phase have no id yet: the plan names them by what stands for it."""
    tasks = (
        Task("Build", external_id="B", headings=("Later",)),
        Task("Saw", external_id="S", parent="B", headings=("Ideas",)),
    )
    [part] = plan(EMPTY, [replay(source("TODO.md"), [version(1, *tasks)])], NOW).sources
    build, saw = part.tasks
    assert [(one.title, one.born_at) for one in part.tasks] == [("Build", day(1)), ("Saw", day(1))]
    assert [(change.task, change.op) for change in part.changes] == [(build, "baseline"), (saw, "baseline")]
    assert part.phases == ("Later",)
    assert part.columns == {
        build: {"external_id": "B", "phase_id": NewPhase("Later")},
        saw: {"external_id": "S", "phase_id": 4, "parent_id": build},
    }
    assert [row["task_id"] for row in part.stored] == [build, saw]
    assert part.checkpoint == Checkpoint(at=day(1), kind="tasklist")


def test_without_a_table_for_phases_none_is_planned():
    """A phase that cannot be kept is no difference that each run would find again."""
    read = replay(source("TODO.md"), [version(1, Task("Dig", headings=("Later",)))])
    [part] = plan(replace(EMPTY, phases=None), [read], NOW).sources
    assert (part.phases, part.columns) == ((), {})


def test_where_nothing_is_new_nothing_is_planned():
    """A source that says what it said leaves no row, change or checkpoint."""
    here = source("TODO.md", known(7, "Dig"), at=day(1))
    [part] = plan(
        replace(EMPTY, id=1), [replay(here, [replace(version(1, Task("Dig")), source="file:x")])], NOW
    ).sources
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    assert {name: value for name, value in values.items() if value} == {"source": here, "versions": 1}


def test_a_column_that_a_user_changed_is_not_planned_and_is_named():
    """What the source said before differs from the row: the row is the user's, and a note says so."""
    one = known(7, "Dig")
    mine = one._replace(row={**one.row, "priority": "high"})
    tasks = [Task("Dig", "completed", True, description="Deep")]
    [part] = plan(replace(EMPTY, id=1), [replay(source("TODO.md", mine, at=day(1)), [version(2, *tasks)])], NOW).sources
    assert part.columns == {7: {"description": "Deep"}}
    assert part.notes == ("Dig: the file says otherwise of its priority, and what is here stays",)


def test_a_task_that_moves_changes_no_value_that_was_there():
    """The task that came has the id of the one that left; what was replayed before is as it was."""
    left = source("TODO.md", known(7, "Dig", external_id="D"), at=day(1))
    before = [
        replay(left, [version(2, Task("Dig", "completed", True, external_id="D")), version(3)]),
        replay(source("PLAN.md", at=day(1)), [version(4, Task("Dig now", "completed", True, external_id="D"))]),
    ]
    copies = [replace(one) for one in before]
    todo, shelf = hand_over(before)
    assert before == copies
    assert (todo.gone, todo.before, todo.changes) == ((), (), ())
    assert [(one.task, one.title) for one in shelf.live] == [(7, "Dig now")]
    assert [(change.task, change.op, change.occurred_at, change.values) for change in shelf.changes] == [
        (7, "update", day(2), {"status": "completed", "checked": 1}),
        (7, "update", day(4), {"title": "Dig now"}),
    ]
    assert not any(isinstance(one.task, New) for one in shelf.tracked)


@pytest.mark.parametrize("number", range(2))
def test_the_same_values_give_the_same_plan(number):
    """A plan depends on its arguments alone: which of two equal sources is first changes nothing but the order."""
    sources = [source(name, known(task, f"Dig {name}"), at=day(1)) for task, name in ((7, "A.md"), (8, "B.md"))]
    read = [replay(one, [version(2, Task(f"Dig {one.name}", "blocked", blocked_reason="rain"))]) for one in sources]
    both, backwards = plan(EMPTY, read, NOW).sources, plan(EMPTY, read[::-1], NOW).sources
    assert both[number] == backwards[1 - number]
