"""Real histories of task files, rebuilt as git repositories and read with their past: what was true when."""

import importlib.util
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from difflib import SequenceMatcher
from itertools import islice, pairwise
from types import SimpleNamespace

import pytest
from builders import query, v2_1_database
from content import kept
from recordings import BEADS, LISTS, SCRIPT, rebuilt
from repositories import git

import dashkit
from dashkit import times
from dashkit.dashboard import frames
from dashkit.ingest.matching import ALIKE, normal
from dashkit.ingest.tasks import ingest_tasks
from dashkit.sources import history

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="the real histories are not on this machine (../shared)"),
]

EVENTS = "SELECT task_id, op, occurred_at, title, status, checked, blocked_reason, source FROM task_events"
# What does not depend on the order in which tasks were first met.
BY_KEY = (
    "SELECT t.title, s.ordinal, t.status, t.checked, t.created_at, t.completed_at, s.external_id, s.gone_at, e.op, "
    "e.occurred_at, e.not_before, e.title, e.status, e.checked, e.blocked_reason, e.source "
    "FROM tasks AS t JOIN task_sources AS s ON s.task_id = t.id JOIN task_events AS e ON e.task_id = t.id "
    "ORDER BY t.title, s.ordinal, t.created_at, e.event_id"
)


def commits(folder):
    """The commits of a repository, the oldest first."""
    return git(folder, "log", "--first-parent", "--reverse", "--format=%H").split()


def read(recorded, kind):
    """Each version of a recorded history: its time in the stored form, and the tasks that the parser reads in it."""
    spec = importlib.util.spec_from_file_location("replay_history", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    parse = history.reader(kind, "file")
    for _, committed_at, text in script.versions(recorded):
        at = datetime.fromisoformat(committed_at).astimezone(UTC).replace(microsecond=0)
        yield times.to_text(at), parse({"": text.encode()}).tasks


def said(task):
    """What a record says, as a state."""
    return (task.title, task.status, int(task.checked), task.blocked_reason or "")


def states(db, instants):
    """At each instant the state of each task that was in the file: what its events say, in the order of their time."""
    told = query(db, f"{EVENTS} ORDER BY occurred_at DESC, event_id DESC")
    state, away = {}, set()
    for instant in instants:
        while told and told[-1][2] <= instant:
            task, op, _, *values, _ = told.pop()
            old = state.get(task, ("", "", 0, ""))
            state[task] = tuple(was if new is None else new for was, new in zip(old, values, strict=True))
            if op in {"gone", "back"}:
                away ^= {task}
        yield {task: value for task, value in state.items() if task not in away}


@pytest.mark.parametrize("recorded", LISTS, ids=lambda path: path.name.removesuffix(".jsonl.xz"))
def test_a_list_was_at_each_version_what_the_parser_reads_in_it(tmp_path, recorded):
    """All versions of a real Markdown list give its states, whether read in one run, in a run each, or once more."""
    folder = rebuilt(tmp_path / "shed", recorded, "TASKLIST.md")
    once, often = (v2_1_database(tmp_path / f"{name}.db", projects=["Shed"]) for name in ("once", "often"))
    ingest_tasks([folder / "TASKLIST.md"], "Shed", once)
    versions = list(read(recorded, "tasklist"))
    assert len(versions) == len(commits(folder)) > 2
    for (_, tasks), state in zip(versions, states(once, [at for at, _ in versions]), strict=True):
        assert Counter(state.values()) == Counter(map(said, tasks))
    before = kept(once)
    ingest_tasks([folder / "TASKLIST.md"], "Shed", once)
    assert kept(once) == before
    for sha in commits(folder):
        git(folder, "reset", "-q", "--hard", sha)
        ingest_tasks([folder / "TASKLIST.md"], "Shed", often)
    assert query(often, BY_KEY) == query(once, BY_KEY)


# Of so many versions: how many records are equal to the state at least, how many at most are not, and another kind.
KNOWN = {400: (50_000, 345, 2, ()), 1024: (210_000, 702, 114, ("done before it was deleted",))}


@pytest.fixture(scope="module", params=[400, pytest.param(1024, marks=pytest.mark.exhaustive)])
def beads(request, tmp_path_factory):
    """All 1,024 versions of a real tracker, or the first of them, in a repository, read into a database.

    versions: (time, tasks); numbers: source of an event -> version; heard: id -> (version, a record that was new in
    it); ids: task -> what it was ever called.
    """
    here = tmp_path_factory.mktemp("beads")
    folder = rebuilt(here / "beads", BEADS, ".beads/issues.jsonl", request.param)
    db = v2_1_database(here / "dash.db", projects=[])
    file = folder / ".beads" / "issues.jsonl"
    ingest_tasks([file], "Beads", db)
    versions, heard, last = list(islice(read(BEADS, "beads"), request.param)), defaultdict(list), {}
    for number, (_, tasks) in enumerate(versions):
        for record in tasks:
            if record is not last.get(record.external_id):
                last[record.external_id] = record
                heard[record.external_id].append((number, record))
    sources = query(db, "SELECT task_id, external_id, image FROM task_sources")
    ids = {task: {name, *json.loads(image).get("former_ids", ())} for task, name, image in sources}
    numbers = {f"git:{sha}": number for number, sha in enumerate(commits(folder))}
    assert len(numbers) == len(versions) == request.param
    return SimpleNamespace(file=file, db=db, versions=versions, numbers=numbers, heard=heard, ids=ids)


def test_beads_was_at_each_version_what_its_newest_records_say(beads):
    """At the time of each version the tasks in it are there, no others of it, and each is what its newest record says.

    Of 247,091 such records of all versions 36,056 say that a task was deleted that had been done: it stays done. 702
    are overtaken by one that a later version tells, of an earlier time than this version, and 114 have the same
    updated_at as another that was read before and says something else.
    """
    told = query(beads.db, f"{EVENTS} ORDER BY event_id DESC")
    first = {task: beads.numbers[source] for task, *_, source in told}
    named = defaultdict(list)
    for task, name in ((task, name) for task, names in beads.ids.items() for name in names):
        named[name].append(task)
    # Of versions in one second the last one is what was true at that second.
    ends = [number for number, (one, two) in enumerate(pairwise(beads.versions)) if one[0] != two[0]]
    ends.append(len(beads.versions) - 1)
    newest, counts = {}, Counter()
    instants = states(beads.db, [beads.versions[number][0] for number in ends])
    ends = set(ends)
    for number, (at, tasks) in enumerate(beads.versions):
        newest |= {one.external_id: max(newest.get(one.external_id, ""), one.updated_at) for one in tasks}
        if number not in ends:
            continue
        state = next(instants)
        assert sum(first[task] <= number for task in state) == len(tasks)
        for record in tasks:
            tasks_of = [task for task in named[record.external_id] if task in state]
            found = [state[task] for task in tasks_of]
            if record.updated_at != newest[record.external_id]:
                counts["older than one that was read before"] += 1
            elif said(record) in found:
                counts["equal"] += 1
            elif record.deleted and any(state[1:3] == ("completed", 1) for state in found):
                counts["done before it was deleted"] += 1
            else:
                names = {name for task in tasks_of for name in beads.ids[task]}
                heard = [one for name in names for one in beads.heard[name]]
                counts[cause(record, number, at, found, heard)] += 1
    equal, overtaken, equal_times, more = KNOWN[len(beads.versions)]
    assert counts["equal"] > equal
    assert counts.pop("overtaken") <= overtaken
    assert counts.pop("equal times") <= equal_times
    assert counts.keys() == {"equal", "older than one that was read before", *more}


def cause(record, number, at, found, heard):
    """Why no task is what a record says at the time of its version."""
    for version, other in heard:
        told_at = min(other.updated_at, other.completed_at or other.updated_at)
        if version > number and record.updated_at <= other.updated_at and told_at <= at:
            done = (other.status, int(other.checked))
            if any(state[1:3] == done and state[0] in (record.title, other.title) for state in found):
                return "overtaken"
    if any(version <= number and one.updated_at == record.updated_at and one != record for version, one in heard):
        return "equal times"
    return f"unexplained: {record.external_id} in version {number}"


def test_no_reopening_of_beads_is_invented(beads):
    """Each tick that was taken back stands in a record that is not closed, and newer than all before it of that task.

    Of 168 in all versions, 55 are an id that was given again with the time of creation of the closed task that had it
    before, one of them in an older record. The other 113 were reopened.
    """
    state, kinds = {}, Counter()
    for task, _, _, title, status, checked, _, source in query(beads.db, f"{EVENTS} ORDER BY occurred_at, event_id"):
        old_title, was_checked = state.get(task, ("", 0))
        state[task] = (title or old_title, was_checked if checked is None else checked)
        if not was_checked or checked != 0:
            continue
        number = beads.numbers[source]
        (record,) = (one for one in beads.versions[number][1] if one.external_id in beads.ids[task])
        before = [one for version, one in beads.heard[record.external_id] if version < number]
        assert (record.checked, record.deleted, record.status) == (False, False, status)
        assert all(one.updated_at < record.updated_at for one in before if one.created_at == record.created_at)
        kinds["older than another of its id"] += any(one.updated_at >= record.updated_at for one in before)
        alike = SequenceMatcher(None, normal(old_title)[:200], normal(title or old_title)[:200], autojunk=False).ratio()
        kinds["reopened" if alike >= ALIKE else "another task"] += 1
    assert 0 < kinds["reopened"] <= 113
    assert kinds["another task"] <= 55
    assert kinds["older than another of its id"] <= 1


def test_beads_read_again_changes_nothing(beads):
    """A second reading of a history of 1,024 versions writes no event and no row."""
    before = kept(beads.db)
    assert ingest_tasks([beads.file], "Beads", beads.db).changed == 0
    assert kept(beads.db) == before


@pytest.mark.parametrize("as_of", ["2025-10-20", "2025-12-20", None])
def test_every_frame_of_beads_is_computed_and_the_totals_add_up(beads, as_of):
    """Each task is in one of done, open, cancelled and gone, and the frames over time end with these numbers."""
    with dashkit.open(beads.db, as_of=as_of) as d:
        made = {name: frame(d) for name, frame in frames().items()}
        flow, tasks = d.sql("SELECT * FROM flow"), d.sql("SELECT checked, is_open, cancelled, gone FROM tasks")
    assert all(len(frame.columns) for frame in made.values())
    assert (tasks.sum(axis=1) == 1).all()
    total = tasks.sum()
    (row,) = made["progress"].itertuples()
    assert (row.tasks, row.checked) == (total.checked + total.is_open, total.checked)
    assert (row.cancelled, row.gone) == (total.cancelled, total.gone)
    finished = flow.finished_at.count()
    assert made["throughput"].finished.sum() == finished == len(made["lead_times"]) == len(made["cycle_times"])
    last = {name: frame.iloc[-1] for name, frame in made.items() if "period_on" in frame.columns and len(frame)}
    end = last["cumulative_flow"]
    # Records vanish from this file and come back by the hundred: each time the task has left, and arrives again.
    assert end.finished == total.checked == flow.is_done.sum()
    assert end.arrived - len(tasks) == end.left - (total.cancelled + total.gone) >= 0
    assert len(tasks) == len(flow)
    assert end.arrived - end.finished - end.left == total.is_open
    assert end.started - end.finished - end.left == last["wip"].wip
    assert (last["wip"].wip, last["wip"].open) == (len(made["ageing"]), total.is_open)
    assert made["arrivals"].net_flow.sum() == total.is_open
    assert (last["progress_over_time"].tasks, last["progress_over_time"].checked) == (row.tasks, row.checked)
    blocked = made["blocked_over_time"].tail(2).set_index("cause").blocked
    assert dict(blocked) == {cause: (made["blocked_tasks"].cause == cause).sum() for cause in ("reported", "waiting")}


def test_what_is_left_out_of_beads_is_counted(beads):
    """The lines of the last version are its tasks and the records that a rule leaves out, as the page says."""
    with dashkit.open(beads.db) as d:
        left_out = d.left_out().query("what == 'records'").left_out.sum()
    lines = beads.file.read_text("utf-8").splitlines()
    assert len(lines) == len(beads.versions[-1][1]) + left_out
