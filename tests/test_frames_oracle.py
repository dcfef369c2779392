"""Every frame of the present on random histories: each against its definition, and against all that comes later."""

import itertools
import sqlite3
from contextlib import closing
from copy import copy
from dataclasses import replace

import pytest
from builders import insert, query, v2_1_database, v2_database
from frames_oracle import (
    FEWEST,
    Case,
    activity,
    ageing,
    blocked_tasks,
    commit_activity,
    data_quality,
    ended,
    headlines,
    left_out,
    links,
    progress,
    stored,
    task_commits,
    task_timeline,
)
from histories import moderately, moment
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle
from trends_oracle import BY, ZONES, check_blocks, check_durations, check_flow, check_states, rows
from worlds import DONE, MOMENTS, NAMES, PHASES, World, worlds

import dashkit
from dashkit import dashboard, times
from dashkit.frames import progress as progress_frames


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with two projects and their phases, to be copied for each example."""
    path = v2_1_database(tmp_path_factory.mktemp("oracle") / "empty.db", projects=NAMES.values())
    for number, (name, project, position) in PHASES.items():
        insert(path, "phases", id=number, project_id=project, name=name, position=position)
    return path


def fits(wanted, found):
    """Whether a row is as defined."""
    for column, value in found.items():
        options = wanted[column] if isinstance(wanted[column], set) else [wanted[column]]
        numbers = [pytest.approx(one) if isinstance(one, float) else one for one in options]
        if value not in numbers:
            return False
    return True


def differences(frame, wanted, order):
    """What a frame has and should not, what it lacks, and whether it is in its order."""
    left, placed = list(wanted), []
    for row in rows(frame):
        found = dict(zip(frame.columns, row, strict=True))
        match = next((one for one in left if fits(one, found)), None)
        if match is None:
            yield f"has {found}"
        else:
            left.remove(match)
            placed.append(list(place_by(match | found, order)))
    yield from (f"lacks {row}" for row in left)
    if placed != sorted(placed):
        yield f"is not in its order: {placed}"


def place_by(row, columns):
    """What a row is sorted by: columns in turn, those behind a minus down, what is missing last."""
    for column in columns.split():
        value, down = row[column.removeprefix("-")], column.startswith("-")
        if down and isinstance(value, str):
            value = times.parse(value).timestamp()
        yield (value is None, 0 if value is None else -value if down else value)


# What the documentation promises of the order of rows.
ORDERS = {
    "progress": "project_id _place part",
    "blocked_tasks": "cause -blocked_days task_id",
    "ageing": "-age_days task_id",
    "task_timeline": "task_id _life occurred_at",
    "headlines": "_place",
    "activity": "-occurred_at type title",
    "commit_activity": "period_on",
    "task_commits": "-last_commit_at task_id",
    "links": "-confidence -occurred_at task_id kind target",
    "left_out": "_place -left_out reason",
    "data_quality": "-count check",
}


def asked(d, case, by, since, lowest):
    """Each question: the name of a frame, what it answers, and the rows that it should have."""
    for part in (None, *progress_frames.PARTS):
        yield "progress", d.progress(part), progress(case, part)
    yield "blocked_tasks", d.blocked_tasks(), blocked_tasks(case)
    yield "ageing", d.ageing(), ageing(case)
    yield "task_timeline", d.task_timeline(), task_timeline(case)
    yield "headlines", d.headlines(since), headlines(case, since)
    yield "activity", d.activity(1000), activity(case)
    frame = d.commit_activity(by)
    yield "commit_activity", frame.assign(period_on=frame["period_on"].dt.date), commit_activity(case, by)
    yield "task_commits", d.task_commits(lowest), task_commits(case, lowest)
    yield "links", d.links(min_confidence=lowest), links(case, lowest)
    yield "left_out", d.left_out(), left_out(case)
    yield "data_quality", d.data_quality(), data_quality(case)


def agree(path, world, project, as_of, known_at, by, zone, since, lowest):
    """Open a database and compare every frame with its definition."""
    project = project if project in world.names else None
    with dashkit.open(path, as_of=as_of, known_at=known_at, project=project, timezone=zone) as d:
        case = Case(world, d, known_at)
        questions = asked(d, case, by, since, lowest)
        wrong = [(name, one) for name, *told in questions for one in differences(*told, ORDERS[name])]
        assert not wrong, "".join(f"\n{name} {one}" for name, one in wrong)


QUESTIONS = {
    "project": st.sampled_from([None, 1, 2]),
    "as_of": st.none() | MOMENTS,
    "known_at": st.none() | st.none() | MOMENTS,
    "by": BY,
    "zone": ZONES,
    "since": st.sampled_from([0, 0, 7, 14, 28]).map(moment),
    "lowest": st.sampled_from([0.0, 0.0, 0.7, 1.0]),
}


@pytest.mark.slow
@settings(moderately, max_examples=20)
@given(worlds(), st.fixed_dictionaries(QUESTIONS))
def test_every_frame_is_what_its_definition_says(empty, world, asked_for):
    """For any history, project, instant, period and zone, each frame is what counting one by one gives."""
    agree(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=600)
@given(worlds(), st.fixed_dictionaries(QUESTIONS))
def test_every_frame_is_what_its_definition_says_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree(world.write(empty), world, **asked_for)


@pytest.mark.slow
@settings(moderately, max_examples=9)
@given(worlds(moving=True), st.fixed_dictionaries(QUESTIONS))
def test_a_task_takes_its_past_along_into_another_project(empty, world, asked_for):
    """A life belongs to the project that it is in as of the instant, wherever it was before."""
    agree(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=600)
@given(worlds(moving=True), st.fixed_dictionaries(QUESTIONS))
def test_a_task_takes_its_past_along_into_another_project_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree(world.write(empty), world, **asked_for)


def agree_over_time(path, world, project, as_of, by, zone):
    """Compare the frames over time of a project with their definitions, which see nothing of the others.

    Of the others all that matters is whether they are open: a task of the project may wait for one of them.
    """
    project = project if project in world.names else 1
    with dashkit.open(path, as_of=as_of, project=project, timezone=zone) as d:
        case = Case(world, d)
        if not (flow := list(case.flow.values())):
            assert all(len(getattr(d, name)(by)) == 0 for name in ("arrivals", "wip", "blocked_over_time"))
            return
        mine, around = copy(case.oracle), copy(case.oracle)
        mine.intervals = [one for one in case.oracle.intervals if one.life in case.lives]
        around.intervals = [one if one.life in case.lives else unblocked(one) for one in case.oracle.intervals]
        around.dependencies = [span for span in case.oracle.dependencies if span.life in case.lives]
        check_durations(d, mine, flow)
        check_states(d, mine, flow, by, zone)
        check_blocks(d, around, flow, by, zone)
        check_flow(d, mine, flow, by, zone)


def unblocked(interval):
    """The same stretch, of which nobody says that the task was blocked."""
    return replace(interval, state={**interval.state, "status": "pending"}) if interval.blocked else interval


TRENDS = {name: QUESTIONS[name] for name in ("as_of", "by", "zone")} | {"project": st.sampled_from([1, 2])}


@pytest.mark.slow
@settings(moderately, max_examples=5)
@given(worlds(), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_are_those_of_its_tasks(empty, world, asked_for):
    """With a project chosen the frames over time are what counting its tasks gives."""
    agree_over_time(world.write(empty), world, **asked_for)


@pytest.mark.slow
@settings(moderately, max_examples=5)
@given(worlds(moving=True), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_know_what_came_from_another(empty, world, asked_for):
    """A task that moved is in the trends of the project that it is in, with all of its past."""
    agree_over_time(world.write(empty), world, **asked_for)


@pytest.mark.exhaustive
@settings(moderately, max_examples=400)
@given(st.booleans().flatmap(worlds), st.fixed_dictionaries(TRENDS))
def test_the_trends_of_a_project_are_those_of_its_tasks_many_times(empty, world, asked_for):
    """The same over many more histories."""
    agree_over_time(world.write(empty), world, **asked_for)


# What comes later


def until(world, instant):
    """The database as it was at an instant, and as it is now; of what has no history only what stays is in them."""
    told = {name: recorded(world.made[name], instant) for name in ("events", "dependency_events")}
    then = Oracle((), (), **told, as_of=instant, known_at=instant, found_at="~")
    last = {one.life: one.state for one in then.intervals if one.ended_at is None}
    rows_then = [{"id": life[0], **state, "project_id": state["project_id"] or 1} for life, state in last.items()]
    dead = {one["task_id"] for one in world.made["events"] if one["op"] == "delete" and one["recorded_at"] > instant}
    here = {row["id"] for row in world.made["tasks"]}
    stay = {row["id"] for row in rows_then} & here - dead
    new = here - {one["task_id"] for one in told["events"]}
    commits = recorded(world.beside["git_commits"], instant)
    sessions = [row for row in world.beside["llm_sessions"] if (stored(row["started_at"]) or "") <= instant]
    found = {"commit_sha": {"lost", *(row["sha"] for row in commits)}, "session_id": {row["id"] for row in sessions}}
    before, after = dict(world.beside), dict(world.beside)
    for table, key in (("task_commit_links", "commit_sha"), ("task_session_links", "session_id")):
        # A link has no history; that of a commit or of a task which was recorded later could not be known.
        lasting = [row for row in after[table] if row["task_id"] in stay]
        before[table] = [row for row in lasting if row[key] in found[key]]
        later = [row for row in after[table] if row["task_id"] in new]
        after[table] = before[table] + [row for row in lasting if row[key] not in found[key]] + later
    before |= {
        "git_commits": commits,
        "git_repo_commits": [row for row in before["git_repo_commits"] if row["sha"] in found["commit_sha"]],
        "llm_sessions": sessions,
        "runs": [row for row in before["runs"] if ended(row) <= instant],
    }
    made = {**told, "tasks": rows_then, "task_dependencies": []}
    return World(made, before, world.names).of_events, World(world.made, after, world.names).of_events


def recorded(found, instant):
    """What was recorded by then."""
    return [one for one in found if one["recorded_at"] <= instant]


def shown(path, instant, project):
    """Every frame that shows what has a history, as of an instant and as known then."""
    with dashkit.open(path, as_of=instant, known_at=instant, project=project) as d:
        found = {name: frame(d) for name, frame in dashboard.frames().items() if name != "bad_values"}
        return found | {f"progress by {part}": d.progress(part) for part in progress_frames.PARTS}


def news(empty, world, instant, project):
    """No frame is another one when more is known."""
    before, after = until(world, instant)
    project = project if project in world.names else None
    old = shown(before.write(empty, "before.db"), instant, project)
    new = shown(after.write(empty), instant, project)
    changed = [
        f"\n{name} was\n{found}\nand is\n{new[name]}" for name, found in old.items() if not found.equals(new[name])
    ]
    assert not changed, "".join(changed)


@pytest.mark.slow
@settings(moderately, max_examples=4)
@given(worlds(moving=True), MOMENTS, QUESTIONS["project"])
def test_no_frame_takes_back_what_it_said(empty, world, instant, project):
    """Of (t, known_at = t) every frame is what it was at t, whatever changed, was deleted or came to light later."""
    news(empty, world, instant, project)


@pytest.mark.exhaustive
@settings(moderately, max_examples=300)
@given(worlds(moving=True), MOMENTS, QUESTIONS["project"])
def test_no_frame_takes_back_what_it_said_many_times(empty, world, instant, project):
    """The same over many more histories."""
    news(empty, world, instant, project)


# Values that are none


def test_what_is_no_size_counts_as_unsized(tmp_path):
    """A word that is no size, blanks around one, nothing and '' weigh as an M, and are told as unsized everywhere."""
    path = v2_1_database(tmp_path / "d.db")
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("PRAGMA ignore_check_constraints = 1")
        for size, checked in itertools.product(("XXL", "", None, " m ", "S"), (0, 1)):
            row = (f"{size!r}, {checked}", size, checked)
            conn.execute("INSERT INTO tasks (project_id, title, complexity, checked) VALUES (1, ?, ?, ?)", row)
    with dashkit.open(path) as d:
        sums = [(10, 4 * 2 * 2 + 2 * 1, 4 * 2 + 1)]
        assert rows(d.progress(), "tasks", "size_total", "size_checked") == sums
        assert rows(d.progress(), "unsized") == [8]
        assert rows(d.progress("complexity"), "part", "tasks", "unsized") == [
            ("S", 2, 0), (" m ", 2, 2), ("XXL", 2, 2), (None, 4, 4),
        ]  # fmt: skip
        assert rows(d.progress_over_time(), "tasks", "size_total", "size_checked") == sums
        assert rows(d.throughput(), "finished_size") == [9]
        assert d.data_quality().set_index("check")["count"]["no size"] == 8


@pytest.mark.slow
@pytest.mark.parametrize("make", [v2_database, v2_1_database])
@pytest.mark.parametrize(("value", "is_done"), [(0, 0), (1, 1), (None, 0), ("true", 0), ("1", 1), (2, 1)])
def test_what_is_checked(tmp_path, make, value, is_done):
    """Of what may stand in `checked` numbers other than 0 mean done, in every frame; a word means nothing."""
    path = make(tmp_path / "d.db", tasks=[{"checked": value}])
    with dashkit.open(path) as d:
        assert rows(d.progress(), "checked") == [is_done]
        if d.has_history:
            assert rows(d.throughput(), "finished") == rows(d.progress_over_time(), "checked") == [is_done]
            assert rows(d.cumulative_flow(), "finished") == [is_done]
            assert rows(d.wip(), "open") == [not is_done]
            assert ("done" in rows(d.task_timeline(), "kind")) == is_done


SAME_INSTANT = {
    "blocked": {"status": "blocked", "blocked_reason": "keys"},
    "done": {"status": "completed", "checked": 1},
    "open": {"status": "review", "checked": 0},
}


@pytest.mark.parametrize("order", list(itertools.permutations(SAME_INSTANT)), ids="-".join)
def test_events_of_one_instant_go_by_event_id(tmp_path, order):
    """In whichever order they were inserted, the one with the highest id says what was true behind them."""
    path, instant = v2_1_database(tmp_path / "d.db"), moment(2)
    told = [(1, moment(0), {"op": "insert", "project_id": 1, "title": "T", "status": "pending", "checked": 0})]
    told += [(number, instant, SAME_INSTANT[name]) for number, name in enumerate(order, 2)]
    for number, at, change in reversed(told):
        seen = {"event_id": number, "task_id": 1, "occurred_at": at, "recorded_at": moment(3), "op": "update"}
        insert(path, "task_events", **{**seen, **change})
    state = {"checked": 0} | {key: value for name in order for key, value in SAME_INSTANT[name].items()}
    done, blocked = bool(state["checked"]), state["status"] == "blocked" and not state["checked"]
    with dashkit.open(path, as_of=moment(4)) as d:
        assert rows(d.progress(), "checked", "blocked") == [(done, blocked)]
        assert len(d.blocked_tasks()) == blocked
        assert rows(d.wip("day"), "open")[-1] == (not done)
        assert d.throughput("day")["finished"].sum() == done
        assert rows(d.task_timeline(), "kind")[0] == "created"


def test_links_of_a_deleted_task_are_not_those_of_the_next_one(tmp_path):
    """A program without foreign keys leaves them behind: they stay with the dead task, in frames of its project too."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": "Old"}])
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", timestamp=moment(1))
    seen = {"task_id": 1, "commit_sha": "c", "confidence": 1.0, "link_type": "explicit"}
    insert(path, "task_commit_links", id="l", created_at=moment(2), **seen)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("DELETE FROM tasks")
        conn.execute("INSERT INTO tasks (project_id, title) VALUES (1, 'New')")
    for project in (None, 1):
        with dashkit.open(path, project=project) as d:
            assert rows(d.links(), "task_id", "task", "target") == [(1, None, "c")]
            assert d.task_commits().empty
            assert rows(d.task_timeline(), "kind") == ["commit", "created", "deleted", "created"]
            assert d.data_quality().set_index("check")["ids"]["link to nothing"] == "c"


def test_a_link_of_a_task_that_came_later_is_not_there_yet(tmp_path):
    """Whoever names an old commit for a new task changes nothing in what was said before; deleted since, likewise."""
    path = v2_1_database(tmp_path / "d.db")
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", timestamp=moment(1), recorded_at=moment(1))
    query(path, "UPDATE event_context SET suspended = 1")
    for task, at in ((1, 1), (2, 8), (3, 8), (3, 30)):
        born = {"op": "insert", "project_id": 1, "title": f"T{task}", "status": "pending", "checked": 0}
        said = born if at < 30 else {"op": "delete"}
        insert(path, "task_events", task_id=task, occurred_at=moment(at), recorded_at=moment(at), **said)
    insert(path, "tasks", id=1, project_id=1, title="T1")
    insert(path, "tasks", id=2, project_id=1, title="T2")
    query(path, "UPDATE event_context SET suspended = 0")
    for task in (2, 3):
        with closing(sqlite3.connect(path)) as conn, conn:  # without foreign keys, as other programs write
            sql = "INSERT INTO task_commit_links VALUES (?, ?, 'c', 1.0, 'manual', NULL, ?)"
            conn.execute(sql, (f"l{task}", task, moment(9)))
    for project in (None, 1):
        with dashkit.open(path, as_of=moment(4), known_at=moment(4), project=project) as d:
            assert d.links().empty
            assert d.task_commits().empty
            assert rows(d.commit_activity("month"), "commits", "linked") == [(1, 0)]
            assert rows(d.task_timeline(), "task_id", "kind") == [(1, "created")]
            assert d.data_quality().set_index("check")["count"]["link to nothing"] == 0
        with dashkit.open(path, as_of=moment(10), project=project) as d:
            assert rows(d.links(), "task") == ["T2", "T3"]
        with dashkit.open(path, project=project) as d:
            assert rows(d.links(), "task_id", "task") == [(2, "T2"), (3, None)]
            assert rows(d.commit_activity("month"), "linked")[0] == 1


def test_a_task_of_another_project_is_waited_for(tmp_path):
    """With a project chosen its tasks wait for, and free, those of others, though these have no row."""
    path = v2_1_database(tmp_path / "d.db", projects=("Alpha", "Beta"))
    insert(path, "tasks", id=1, project_id=1, title="Mine", status="blocked")
    insert(path, "tasks", id=2, project_id=2, title="Theirs")
    for pair in ((1, 2), (2, 1)):
        insert(path, "task_dependencies", task_id=pair[0], depends_on_id=pair[1])
    with dashkit.open(path, project=1) as d:
        columns = ("task_id", "cause", "blocked_reason", "waits_for", "frees")
        assert rows(d.blocked_tasks(), *columns) == [(1, "reported", None, 1, 1), (1, "waiting", "Theirs", 1, None)]


def test_a_run_is_told_of_when_it_has_ended(tmp_path):
    """What failed stays in the headlines until the next run is done, and details that are no JSON hide nothing."""
    path = v2_1_database(tmp_path / "d.db")
    for number, (begun, done, outcome, details) in enumerate(
        [(1, 2, "done", '{"left_out_by": {"no title": 1}}'), (3, 4, "failed", "{"), (5, 9, "done", "{")]
    ):
        told = {"started_at": moment(begun), "finished_at": moment(done), "outcome": outcome, "details": details}
        insert(path, "runs", id=str(number), kind="ingest tasks", **told)
    found = []
    for number in (3, 4, 8, 9):
        with dashkit.open(path, as_of=moment(number)) as d:
            found.append((rows(d.headlines(), "kind", "detail"), rows(d.left_out(), "reason")))
    failed, once = [("failed", "ingest tasks")], ["no title"]
    assert found == [([], once), (failed, once), (failed, once), ([], [])]


def test_what_only_rows_tell_is_estimated(tmp_path):
    """A task that is missing was deleted when that was noticed, which nobody saw, and frees who waited for it."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"title": "One"}, {"title": "Two"}])
    insert(path, "task_dependencies", task_id=1, depends_on_id=2)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE event_context SET suspended = 1")
        conn.execute("DELETE FROM tasks WHERE id = 2")
        conn.execute("UPDATE event_context SET suspended = 0")
    with dashkit.open(path) as d:
        told = rows(d.task_timeline(), "task_id", "kind", "detail", "is_estimated")
        assert told == [
            (1, "created", "One", False), (1, "waiting", "Two", False), (1, "freed", "Two", True),
            (2, "created", "Two", False), (2, "deleted", None, True),
        ]  # fmt: skip


def test_a_task_that_lasted_no_time_is_of_its_project(tmp_path):
    """Inserted and deleted in one instant it has no state, and is in the timeline of the project that it was in."""
    path = v2_1_database(tmp_path / "d.db", projects=("Alpha", "Beta"))
    image = {"project_id": 2, "title": "T", "occurred_at": moment(1), "recorded_at": moment(1)}
    for op in ("insert", "delete"):
        insert(path, "task_events", task_id=1, op=op, **image)
    for project, kinds in ((None, ["created", "deleted"]), (1, []), (2, ["created", "deleted"])):
        with dashkit.open(path, as_of=moment(2), project=project) as d:
            assert rows(d.task_timeline(), "kind") == kinds


def test_six_kinds_of_news_are_five_headlines(tmp_path):
    """The least grave is left out, and a task that was reopened twice is told of at the last time."""
    path = v2_1_database(tmp_path / "d.db")
    insert(path, "runs", id="r", kind="link", started_at=moment(30), finished_at=moment(30), outcome="failed")
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", timestamp=moment(30))
    undone = {"status": "pending", "checked": 0}
    stories = [[(0, {"status": "in_progress"}), (1, DONE)] for _ in range(FEWEST)]
    stories += [[(0, {"status": "in_progress"})], [(30, {"status": "blocked"})]]
    stories += [[(0, {}), (18, DONE), (20, undone), (28, DONE), (30, undone)]]
    for task, story in enumerate(stories, 1):
        for nth, (at, change) in enumerate(story):
            born = {"project_id": 1, "title": f"T{task}", "checked": 0} if nth == 0 else {}
            seen = {"occurred_at": moment(at), "recorded_at": moment(at), "op": "update" if nth else "insert"}
            insert(path, "task_events", task_id=task, **born | seen | change)
    with dashkit.open(path, as_of=moment(31)) as d:
        found = d.headlines(moment(0))
        assert rows(found, "kind") == ["failed", "blocked", "reopened", "done", "stale"]
        assert rows(found, "occurred_at")[2] == moment(30)
