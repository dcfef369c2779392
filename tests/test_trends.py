"""The frames over time: against slow definitions in plain Python, and in cases made by hand."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from builders import insert, query, v2_1_database, v2_database
from commands import run
from histories import database, histories, moment, plain, spread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loads import attaches
from oracle import COLUMNS, Oracle
from trends_oracle import BY, ZONES, check_blocks, check_durations, check_flow, check_states, rows

import dashkit
from dashkit import dashboard, times
from dashkit.errors import UsageError
from dashkit.frames.flow import FEWEST

BIRTH = {"op": "insert", "project_id": 1, "title": "T", "status": "pending", "checked": 0}
DONE = {"checked": 1, "status": "completed"}
BLOCKED = {"status": "blocked", "blocked_reason": "Key"}
FREE = {"status": "pending", "blocked_reason": ""}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with two projects, to be copied for each example."""
    return v2_1_database(tmp_path_factory.mktemp("trends") / "empty.db", projects=("Alpha", "Beta"))


@pytest.fixture
def told(tmp_path):
    """A database of task 1, 2, ... by their events: (task, instant, what changed); rows that say the same of now."""

    def make(*events, name="d.db", rows=()):
        path = v2_1_database(tmp_path / name)
        query(path, "UPDATE event_context SET suspended = 1")
        for task in sorted({event[0] for event in events}):
            mine = [change for number, _, change in events if number == task]
            row = {key: value for change in mine for key, value in change.items() if key in COLUMNS}
            row["complexity"] = row.get("complexity") or None
            if mine[-1].get("op") != "delete":
                extra = dict(rows).get(task, {})
                insert(path, "tasks", **{"id": task, "created_at": None, **row, **extra})
        for task, instant, change in events:
            text = times.to_text(times.parse(instant))
            recorded = {"occurred_at": text, "recorded_at": text, "op": "update", "source": "trigger"}
            insert(path, "task_events", task_id=task, **{**recorded, **change})
        query(path, "UPDATE event_context SET suspended = 0")
        return path

    return make


def opened(path, as_of="2025-01-31T00:00:00Z", **options):
    """A Dashboard as of an instant of the story."""
    return dashkit.open(path, as_of=as_of, **options)


def agree(path, made, as_of, by, zone):
    """Open a database and compare every frame over time with its definition."""
    with dashkit.open(path, as_of=as_of, timezone=zone) as d:
        found_at = plain(d._snapshot.run("SELECT getvariable('found_at') AS t")["t"][0])
        oracle = Oracle(**made, as_of=times.to_text(d.as_of), known_at=None, found_at=found_at, zone=zone)
        flow = list(oracle.flow())
        if not flow:
            assert all(len(getattr(d, name)(by)) == 0 for name in ("arrivals", "wip", "blocked_over_time"))
            return
        check_durations(d, oracle, flow)
        check_states(d, oracle, flow, by, zone)
        check_blocks(d, oracle, flow, by, zone)
        check_flow(d, oracle, flow, by, zone)
        last = d.progress_over_time(by).iloc[-1]
        now = d.progress()[["tasks", "checked", "size_total", "size_checked"]].sum()
        assert last[now.index].tolist() == now.tolist()
        assert d.blocked_over_time(by)["blocked"].tail(2).tolist() == [
            len(d.blocked_tasks().query(f"cause == '{cause}'")) for cause in ("reported", "waiting")
        ]


moderately = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@moderately
@given(histories(), st.none() | st.integers(0, 42).map(moment), BY, ZONES)
def test_the_frames_are_what_their_definitions_say(empty, made, as_of, by, zone):
    """For any history, instant, period and zone, each frame over time is what counting one by one gives."""
    made = spread(made)
    agree(database(empty, made), made, as_of, by, zone)


@pytest.mark.exhaustive
@settings(moderately, max_examples=1000)
@given(histories(), st.none() | st.integers(0, 42).map(moment), BY, ZONES)
def test_the_frames_are_what_their_definitions_say_many_times(empty, made, as_of, by, zone):
    """The same over many more histories."""
    made = spread(made)
    agree(database(empty, made), made, as_of, by, zone)


@pytest.mark.slow
@attaches
@settings(moderately, max_examples=6)
@given(histories().map(spread), st.integers(0, 40))
def test_every_frame_is_the_same_however_it_is_loaded(empty, made, number):
    """Copied through sqlite3 or attached through the extension: the same rows, types and order, of any history."""
    path, found = database(empty, made), []
    for load in ("copy", "attach"):
        with dashkit.open(path, as_of=moment(number), load=load) as d:
            assert d._snapshot.load == load
            found.append({name: frame(d) for name, frame in dashboard.frames().items()})
    for name, frame in found[0].items():
        pd.testing.assert_frame_equal(frame, found[1][name], obj=name)


def test_nothing_has_no_periods(told, tmp_path):
    """Without tasks there is no period and no row, and no NaN that could be shown."""
    with dashkit.open(v2_1_database(tmp_path / "empty.db")) as d:
        assert [len(getattr(d, name)()) for name in ("arrivals", "progress_over_time", "headlines", "ageing")] == [
            0
        ] * 4


def test_a_reopened_task_counts_once_and_is_in_work_again(told):
    """Done, reopened and done again it is one finish, at the last one, and it is in work between them."""
    path = told(
        (1, "2025-01-01", BIRTH), (1, "2025-01-02T12:00Z", DONE), (1, "2025-01-03T12:00Z", {**FREE, "checked": 0}),
        (1, "2025-01-05T12:00Z", DONE),
    )  # fmt: skip
    with opened(path, "2025-01-06T00:00:00Z") as d:
        assert rows(d.wip("day"), "wip") == [0, 0, 1, 1, 0, 0]
        assert rows(d.wip("day"), "open") == [1, 0, 1, 1, 0, 0]
        assert rows(d.throughput("day"), "finished") == [0, 0, 0, 0, 1, 0]
        # Done and opened again it had left, and came again.
        assert rows(d.cumulative_flow("day"), "arrived", "started", "finished", "left") == [
            (1, 0, 0, 0), (1, 1, 0, 1), (2, 2, 0, 1), (2, 2, 0, 1), (2, 2, 1, 1), (2, 2, 1, 1)
        ]  # fmt: skip
        assert rows(d.cycle_times(), "cycle_time_days") == [3.0]
        assert rows(d.lead_times(), "lead_time_days") == [4.5]
    with opened(path, "2025-01-02T18:00:00Z") as d:
        assert rows(d.throughput("day"), "finished") == [0, 1]


def test_what_was_done_at_the_first_look_is_no_work_that_came(told):
    """It has neither come nor gone in any period, as in throughput; reopened it came, and is open."""
    path = told(
        *((task, "2025-01-01", {**BIRTH, **DONE, "op": "baseline"}) for task in (1, 4)),
        *((task, "2025-01-01", {**BIRTH, "op": "baseline"}) for task in (2, 3)),
        (2, "2025-01-02", DONE), (4, "2025-01-03", {"checked": 0, "status": "pending"}),
    )  # fmt: skip
    for as_of, net, still in (("2025-01-02T12:00Z", [(2, 2, 0, 2), (0, 0, 1, -1)], 1),
                              ("2025-01-03T12:00Z", [(3, 3, 0, 2), (0, 0, 1, -1), (1, 0, 0, 1)], 2)):  # fmt: skip
        with opened(path, as_of) as d:
            assert rows(d.arrivals("day"), "arrived", "estimated", "finished", "net_flow") == net
            assert rows(d.throughput("day"), "finished") == [finished for *_, finished, _ in net]
            assert rows(d.wip("day"), "open")[-1] == d.arrivals("day")["net_flow"].sum() == still
            last = d.cumulative_flow("day").iloc[-1]
            assert last["arrived"] - last["finished"] - last["left"] == still


def test_what_ends_a_block(told):
    """A changed reason ends one and begins another, done ends both, an instant is no block, the last one lasts on."""
    path = told(
        (1, "2025-01-01", BIRTH), (1, "2025-01-02", BLOCKED), (1, "2025-01-04", {"blocked_reason": "  kEY \n"}),
        (1, "2025-01-05", {"blocked_reason": "No time"}), (1, "2025-01-07", {"checked": 1}),
        (2, "2025-01-01", BIRTH), (2, "2025-01-03", BLOCKED), (2, "2025-01-03", FREE), (2, "2025-01-07", BLOCKED),
    )  # fmt: skip
    with opened(path, "2025-01-09T12:00:00Z") as d:
        assert rows(d.blocker_clusters(), "reason", "stretches", "tasks", "blocked", "days", "share") == [
            ("key", 2, 2, 1, 3 + 2.5, 5.5 / 7.5), ("no time", 1, 1, 0, 2.0, 2 / 7.5),
        ]  # fmt: skip
        frame = d.blocked_over_time("day").query("cause == 'reported'")
        assert rows(frame, "blocked") == [0, 1, 1, 1, 1, 1, 1, 1, 1]
        assert rows(frame, "entered", "left") == [(0, 0), (1, 0), *[(0, 0)] * 4, (1, 1), (0, 0), (0, 0)]
        frame = d.blocked_reasons_over_time("week")
        assert rows(frame, "reason", "tasks", "days") == [("key", 1, 3.0), ("no time", 1, 1.0), ("key", 1, 2.5),
                                                          ("no time", 1, 1.0)]  # fmt: skip


def test_a_task_that_waits_is_clustered_by_what_it_waits_for(told):
    """Two tasks that wait for one are one cluster, under its title as it is now; who waits for two is in two."""
    path = told(*((task, "2025-01-01", {**BIRTH, "title": f"T{task}"}) for task in (1, 2, 3, 4)),
                (3, "2025-01-02", {"title": "Keys"}), (3, "2025-01-05", DONE))  # fmt: skip
    for number, (task, on) in enumerate([(1, 3), (2, 3), (1, 4), (4, 4)]):
        insert(path, "dependency_events", event_id=number + 1, task_id=task, depends_on_id=on, op="add",
               occurred_at="2025-01-02T00:00:00.000Z", recorded_at="2025-01-02T00:00:00.000Z")  # fmt: skip
    with opened(path, "2025-01-07T00:00:00Z") as d:
        columns = ("cause", "reason", "depends_on_id", "stretches", "tasks", "blocked", "days")
        assert rows(d.blocker_clusters(), *columns) == [
            ("waiting", "Keys", 3, 2, 2, 0, 6.0), ("waiting", "T4", 4, 1, 1, 1, 5.0),
        ]  # fmt: skip
        timeline = d.task_timeline(1)
        assert rows(timeline, "kind", "detail") == [
            ("created", "T1"), ("waiting", "Keys"), ("waiting", "T4"), ("freed", "Keys"),
        ]  # fmt: skip


def test_a_deleted_task_stays_in_the_past(told):
    """It was open in the days before, leaves when it is deleted, and the next task of its id inherits nothing."""
    path = told(
        (1, "2025-01-01", BIRTH), (1, "2025-01-02", BLOCKED), (1, "2025-01-03", {"op": "delete"}),
        (1, "2025-01-05", BIRTH), (1, "2025-01-05T06:00Z", DONE),
    )  # fmt: skip
    with opened(path, "2025-01-05T12:00:00Z") as d:
        assert rows(d.wip("day"), "open") == [1, 1, 0, 0, 0]
        assert rows(d.arrivals("day"), "arrived", "finished", "left", "net_flow") == [
            (1, 0, 0, 1), (0, 0, 0, 0), (0, 0, 1, -1), (0, 0, 0, 0), (1, 1, 0, 0),
        ]  # fmt: skip
        assert rows(d.lead_times(), "lead_time_days") == [0.25]
        assert rows(d.task_timeline(1), "kind") == ["created", "blocked", "deleted", "created", "done"]


def test_littles_law_is_exact(told):
    """Over a time that begins and ends without work, mean work in progress is throughput times mean cycle time."""
    spans = [(1, 4), (2, 3), (2, 9), (5, 9), (7, 8)]
    story = [(n, "2025-01-01", BIRTH) for n, _ in enumerate(spans, 1)]
    for task, (begun, ended) in enumerate(spans, 1):
        story += [
            (task, f"2025-01-{begun + 1:02d}", {"status": "in_progress"}),
            (task, f"2025-01-{ended + 1:02d}", DONE),
        ]
    with opened(told(*story), "2025-01-11T00:00:00Z") as d:
        wip, cycle = d.wip("day"), d.cycle_times()
        assert wip["wip"].iloc[0] == wip["wip"].iloc[-1] == 0
        assert wip["wip"].sum() == len(spans) * cycle["cycle_time_days"].mean() == sum(b - a for a, b in spans)


def test_the_lines_of_the_flow_are_the_open_tasks(told):
    """Arrived less finished and left is what was open at the end of every day; what leaves has passed the start."""
    path = told(
        (1, "2025-01-01", BIRTH), (2, "2025-01-01", BIRTH), (3, "2025-01-02", BIRTH), (4, "2025-01-03", BIRTH),
        (1, "2025-01-02", {"status": "review"}), (1, "2025-01-04", DONE), (2, "2025-01-03", {"status": "cancelled"}),
        (3, "2025-01-03", {"status": "in_progress"}), (3, "2025-01-04", {"op": "gone"}), (4, "2025-01-05", DONE),
    )  # fmt: skip
    with opened(path, "2025-01-05T00:00:00Z") as d:
        flow, wip = d.cumulative_flow("day"), d.wip("day")
        assert (flow["arrived"] - flow["finished"] - flow["left"]).tolist() == wip["open"].tolist() == [2, 3, 3, 1, 0]
        assert (flow["started"] - flow["finished"] - flow["left"]).tolist() == wip["wip"].tolist() == [0, 1, 2, 0, 0]


@pytest.mark.parametrize(("zone", "finished"), [
    ("UTC", [1, 1, 1]), ("Europe/Berlin", [1, 0, 2]), ("America/St_Johns", [1, 2, 0]),
])  # fmt: skip
def test_a_day_is_that_of_the_zone(told, zone, finished):
    """On the day of 23 hours a finish falls on the day that the reader's clock showed."""
    story = [(n, "2025-03-29T12:00Z", BIRTH) for n in (1, 2, 3)]
    story += [(1, "2025-03-29T22:00Z", DONE), (2, "2025-03-30T22:30Z", DONE), (3, "2025-03-31T01:00Z", DONE)]
    with opened(told(*story), "2025-03-31T12:00:00Z", timezone=zone) as d:
        assert rows(d.throughput("day"), "finished") == finished


def test_a_day_that_a_zone_left_out_is_empty(told):
    """Samoa had no 30 December 2011: nothing is counted in it, and nothing is lost."""
    path = told((1, "2011-12-29T12:00Z", BIRTH), (1, "2011-12-30T12:00Z", DONE))
    with opened(path, "2011-12-31T12:00:00Z", timezone="Pacific/Apia") as d:
        assert d.throughput("day")["finished"].sum() == 1
        assert d.progress_over_time("day")["tasks"].tolist()[-1] == 1
    with opened(path, "2011-12-31T12:00:00Z") as d:
        assert rows(d.throughput("week"), "finished") == [1]


def test_weeks_are_iso_weeks_across_the_year(told):
    """29 December to 4 January is one week; one in which nothing happened has a row."""
    story = [(n, "2024-12-29", BIRTH) for n in (1, 2, 3)]
    story += [(1, "2024-12-30", DONE), (2, "2025-01-05T23:00Z", DONE), (3, "2025-01-20", DONE)]
    with opened(told(*story), "2025-01-20T01:00:00Z") as d:
        frame = d.throughput("week")
        assert frame["period_on"].dt.strftime("%m-%d").tolist() == ["12-23", "12-30", "01-06", "01-13", "01-20"]
        assert rows(frame, "finished") == [0, 2, 0, 0, 1]
        assert rows(frame, "is_partial") == [True, False, False, False, True]
        assert rows(d.arrivals("month"), "arrived") == [3, 0]


def test_a_gap_in_the_recording_is_marked(told):
    """Periods that a longer gap covers are marked, in every frame over time; short ones are not gaps."""
    path = told(
        (1, "2025-01-01", BIRTH), (2, "2025-01-01", BIRTH),
        (1, "2025-01-09", {**DONE, "op": "reconcile", "source": "reconcile", "not_before": "2025-01-05T12:00:00.000Z"}),
        (2, "2025-01-10T02:00Z", {**DONE, "op": "reconcile", "source": "reconcile",
                                  "not_before": "2025-01-10T00:00:00.000Z"}),
    )  # fmt: skip
    names = ("throughput", "arrivals", "cumulative_flow", "wip", "progress_over_time")
    with opened(path, "2025-01-11T00:00:00Z") as d:
        for frame in (getattr(d, name)("day") for name in names):
            assert rows(frame, "is_gap") == [False] * 4 + [True] * 5 + [False] * 2
        assert not d.throughput("week")["is_gap"].any()
        assert d.blocked_over_time("day")["is_gap"].sum() == 10
        found = d.data_quality().set_index("check")
        assert found.loc["gap in the recording", ["count", "ids"]].tolist() == [
            2, "2025-01-05T12:00:00Z, 2025-01-10T00:00:00Z",
        ]  # fmt: skip
        assert found.loc["changed without an event", "ids"] == "1, 2"


def test_a_change_that_nobody_recorded_makes_a_gap_since_the_last_look(told):
    """A row that is not as its events say changed after the last run that compared them."""
    path = told((1, "2025-01-01", BIRTH), rows={1: {"status": "review"}}.items())
    insert(path, "runs", id="r", kind="scan", started_at="2025-02-01T00:00:00.000Z", outcome="done")
    with dashkit.open(path) as d:
        marked = rows(d.progress_over_time("month"), "is_gap")
    assert marked == [False] + [True] * (len(marked) - 1)


def test_work_is_as_old_as_it_is_against_what_took_how_long(told):
    """For every percentile so many of the finished took at most so long; below 20 there are none."""
    story = []
    for task in range(1, FEWEST + 1):
        story += [(task, "2025-01-01", BIRTH), (task, "2025-01-01T00:00:01Z", {"status": "in_progress"})]
        story += [(task, f"2025-01-01T{task:02d}:00:01Z", DONE)]
    story += [(99, "2025-01-01", BIRTH), (99, "2025-01-02", {"status": "review"}), (99, "2025-01-03", BLOCKED)]
    path = told(*story)
    with opened(path, "2025-01-04T12:00:00Z") as d:
        (row,) = d.ageing().to_dict("records")
        took = d.cycle_times()["cycle_time_days"]
    assert (row["task_id"], row["age_days"], row["blocked"], row["is_estimated"]) == (99, 2.5, True, False)
    for percentile, hours in ((50, 10), (85, 17), (95, 19)):
        assert row[f"p{percentile}_days"] == pytest.approx(hours / 24)
        assert (took <= row[f"p{percentile}_days"]).mean() >= percentile / 100
    query(path, "DELETE FROM task_events WHERE task_id = 1")
    with opened(path, "2025-01-04T12:00:00Z") as d:
        assert d.ageing()[["p50_days", "p85_days", "p95_days"]].isna().all(axis=None)


@pytest.mark.parametrize(("completed", "lead"), [
    ("2025-01-03T06:00:00Z", 2.25), ("2025-01-01T00:00:00Z", None), ("2024-12-31T23:59:59.500Z", None),
    ("2024-12-31T23:59:00Z", None),
])  # fmt: skip
def test_a_task_cannot_be_done_before_it_is_there(told, completed, lead):
    """What a migration found completed by the instant of its creation has no lead time; more than a second is told."""
    begun = "2025-01-01T00:00:00.000Z"
    done = {**DONE, "op": "backfill", "source": "column:completed_at"}
    path = told((1, begun, {**BIRTH, "op": "backfill"}), (1, max(begun, completed), done),
                rows={1: {"created_at": begun, "completed_at": completed}}.items())  # fmt: skip
    with opened(path) as d:
        assert rows(d.lead_times(), "lead_time_days", "is_measurable", "is_estimated") == [
            (lead, lead is not None, True)
        ]
        assert rows(d.cycle_times(), "is_measurable") == [False]
        found = d.data_quality().set_index("check")["count"]
        assert found["finished before it was created"] == (completed < "2024-12-31T23:59:59")


def test_what_the_first_look_found_is_no_measurement(told):
    """A task in work at the baseline has neither cycle nor lead time, and one found done is in no period at all."""
    seen = {**BIRTH, "op": "baseline"}
    path = told((1, "2025-01-01", {**seen, "status": "in_progress"}), (1, "2025-01-04", DONE),
                (2, "2025-01-01", {**seen, **DONE}), (3, "2025-01-02", {**BIRTH, **DONE}))  # fmt: skip
    with opened(path, "2025-01-05T00:00:00Z") as d:
        assert rows(d.cycle_times(), "task_id", "is_measurable", "is_estimated") == [(3, False, True), (1, False, True)]
        assert rows(d.lead_times(), "task_id", "is_measurable") == [(3, False), (1, False)]
        assert d.throughput("month")["finished"].sum() == 2
        assert rows(d.cumulative_flow("day"), "finished") == [1, 2, 2, 3, 3]


def test_headlines_are_the_gravest_first(told):
    """One row a kind with the latest three names; what is over or older is no headline; a sixth kind finds no place."""
    story = [(n, "2025-01-01", {**BIRTH, "title": f"T{n}"}) for n in range(1, 9)]
    story += [(n, f"2025-01-2{n}", {**BLOCKED, "blocked_reason": "key" if n == 2 else ""}) for n in (1, 2, 3, 4)]
    story += [(4, "2025-01-26", FREE), (5, "2025-01-02", DONE), (5, "2025-01-27", {"checked": 0, "status": "pending"})]
    story += [(6, "2025-01-28", DONE), (7, "2025-01-02", DONE)]
    path = told(*story)
    for number, (kind, at, outcome) in enumerate(
        [("scan", 21, "failed"), ("link", 22, "failed"), ("link", 23, "done"), ("scan", 29, "failed")]
    ):
        details = '{"error": "E", "text": "disk full"}' if at == 29 else "{"
        insert(path, "runs", id=number, kind=kind, started_at=f"2025-01-{at}T00:00:00.000Z", outcome=outcome,
               details=details)  # fmt: skip
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", message="Fix\n", timestamp="2025-01-30T00:00:00Z")
    with opened(path) as d:
        assert rows(d.headlines(datetime(2025, 1, 20, tzinfo=UTC)), "kind", "title", "detail") == [
            ("failed", "2 runs failed", "scan: disk full; scan"),
            ("blocked", "3 tasks became blocked", "T3; T2 (key); T1"),
            ("reopened", "1 task was reopened", "T5"),
            ("done", "1 task was done", "T6"),
            ("commits", "1 commit", "Fix"),
        ]
        assert rows(d.headlines(), "kind") == ["failed", "reopened", "done", "commits"]
        with pytest.raises(UsageError, match="it has no time zone"):
            d.headlines(datetime(2025, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_headlines_and_throughput_tell_of_the_same_seven_days(told, zone):
    """What is news is counted by days of the dashboard's clock, as throughput counts: the page has both."""
    story = []
    for task in range(1, 80):
        born = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=3 * task)
        story += [(task, times.to_text(born), BIRTH), (task, times.to_text(born), DONE)]
    path = told(*story)
    for as_of in ("2025-01-10T00:00:00Z", "2025-01-10T13:30:00Z", "2025-01-09T23:59:59Z"):
        with dashkit.open(path, as_of=as_of, timezone=zone) as d:
            (title,) = d.headlines().query("kind == 'done'")["title"]
            assert title == f"{d.throughput('day').tail(7)['finished'].sum()} tasks were done"


def test_stale_work_is_a_headline_when_it_becomes_so(told):
    """A task is stale from the moment on at which it is in work for longer than 85 percent of the finished were."""
    story = [(99, "2025-01-10", BIRTH), (99, "2025-01-10", {"status": "in_progress"})]
    for task in range(1, 21):
        story += [(task, "2025-01-01", BIRTH), (task, "2025-01-02", {"status": "in_progress"})]
        story += [(task, f"2025-01-02T{task:02d}:00Z", DONE)]
    path = told(*story)
    with opened(path, "2025-01-11T00:00:00Z") as d:
        (row,) = d.headlines().query("kind == 'stale'").to_dict("records")
    assert (row["detail"], plain(row["occurred_at"])) == ("T", "2025-01-10T17:00:00.000Z")
    with opened(path, "2025-01-10T16:00:00Z") as d:
        assert "stale" not in rows(d.headlines(), "kind")


def test_a_block_of_before_the_migration_is_news_only_if_its_task_is(tmp_path):
    """Without a history a block is known to be no older than its task."""
    path = v2_database(tmp_path / "d.db", tasks=[
        {"title": "old", "status": "blocked", "created_at": "2024-01-01"},
        {"title": "new", "status": "blocked", "created_at": "2025-01-30"},
    ])  # fmt: skip
    with opened(path) as d:
        assert rows(d.headlines(), "detail") == ["new"]


def test_a_timeline_tells_everything_once(told):
    """Every kind of change, commits and sessions, the oldest first, with what nobody saw marked."""
    path = told(
        (1, "2025-01-01", {**BIRTH, "op": "backfill", "title": "One"}), (1, "2025-01-02", {"status": "in_progress"}),
        (1, "2025-01-03", {"title": "Two"}), (1, "2025-01-04", {"complexity": "L"}), (1, "2025-01-05", BLOCKED),
        (1, "2025-01-06", {"blocked_reason": "Time"}), (1, "2025-01-07", {"status": "review", "blocked_reason": ""}),
        (1, "2025-01-08", {**DONE, "not_before": "2025-01-07T12:00:00.000Z"}), (1, "2025-01-09", {"project_id": 7}),
        (1, "2025-01-10", {"checked": 0, "status": "pending"}), (1, "2025-01-11", {"op": "gone"}),
        (1, "2025-01-12", {"op": "back"}), (2, "2025-01-01", {**BIRTH, "status": "review"}),
    )  # fmt: skip
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", message="Fix\n", timestamp="2025-01-06T01:00:00Z")
    insert(path, "llm_sessions", id="s", summary="Talk", started_at="2025-01-06T02:00:00Z")
    insert(path, "task_commit_links", id=1, task_id=1, commit_sha="c", confidence=1, link_type="explicit")
    insert(path, "task_session_links", id=1, task_id=1, session_id="s", confidence=0.7, link_type="inferred")
    with opened(path) as d:
        frame = d.task_timeline(1)
        assert rows(frame, "kind", "detail") == [
            ("created", "One"), ("status", "in_progress"), ("renamed", "Two"), ("sized", "L"), ("blocked", "Key"),
            ("reason", "Time"), ("commit", "Fix"), ("session", "Talk"), ("unblocked", "review"), ("done", None),
            ("moved", "7"), ("reopened", "pending"), ("gone", None), ("back", None),
        ]  # fmt: skip
        assert frame.query("is_estimated")["kind"].tolist() == ["created", "session"]
        assert rows(frame.query("not_before.notna()"), "kind", "not_before") == [("done", "2025-01-07T12:00:00.000Z")]
        assert rows(d.task_timeline(2), "kind", "detail") == [("created", "T"), ("status", "review")]
        assert len(d.task_timeline()) == len(frame) + 2
        assert len(d.task_timeline(3)) == 0


def test_the_quality_of_data_is_told_check_by_check(told):
    """Each check finds what it is for, names its ids, and says what that does; none finds anything elsewhere."""

    def row(task, **more):
        return task, "2025-01-01", {**BIRTH, "title": f"T{task} {'x' * task}", "complexity": "S", **more}

    tasks = [
        row(1, status="completed"), row(2, checked=1, status="pending"), row(3, checked=1, status="blocked"),
        row(4, **BLOCKED, title="  "), row(5, status="blocked"), row(6, blocked_reason="why"), row(7, status="odd"),
        row(8, complexity=""), row(9, project_id=77), row(10, op="baseline"), row(11, title="same"),
        row(12, title="same"), row(13, op="baseline", **DONE), row(14),
    ]  # fmt: skip
    tasks += [row(task, title=f"Agent {task}") for task in range(100, 125)]
    made = {task: {"created_at": "2025-01-01T00:00:00.000Z"} for task, _, _ in tasks if task != 10}
    made[14]["phase_id"] = 9
    path = told(*tasks, rows=made.items())
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    insert(path, "git_commits", sha="c", repo_id="r", message="Fix", timestamp="2025-01-30T00:00:00Z")
    query(path, "PRAGMA ignore_check_constraints = 1")
    insert(path, "task_commit_links", id=1, task_id=1, commit_sha="lost", confidence=1, link_type="explicit")
    early = {"occurred_at": "2025-01-02T00:00:00.000Z", "recorded_at": "2025-01-02T00:00:00.000Z"}
    insert(path, "task_events", event_id=900, task_id=1, op="update", **early, source="git:c")
    early["recorded_at"] = "2025-01-01T12:00:00.000Z"
    insert(path, "task_events", event_id=901, task_id=1, op="update", **early, source="trigger")
    with opened(path) as d:
        frame = d.data_quality()
    found = {check: (count, ids) for check, count, ids, _ in rows(frame) if count}
    assert found == {
        "completed by status, not checked": (1, "1"), "checked, and of another status": (2, "2, 3"),
        "checked while blocked": (1, "3"), "blocked without a reason": (1, "5"), "a reason without a block": (1, "6"),
        "done at no known time": (1, "13"), "no creation time": (1, "10"),
        "unknown status": (1, "7"), "no size": (1, "8"), "the same title twice": (2, "11, 12"),
        "made by a machine, it seems": (25, ", ".join(str(task) for task in range(100, 120))),
        "of no project": (1, "9"), "of a phase that is not there": (1, "14"), "link to nothing": (1, "lost"),
        "the clock went back": (1, "901"), "task file behind its repository": (1, "1"),
    }  # fmt: skip
    assert frame["count"].is_monotonic_decreasing
    assert frame["effect"].notna().all()
    assert frame["check"].is_unique


def test_what_was_said_of_an_instant_is_never_taken_back(told):
    """Later changes, a deletion and late history leave every frame as it was, as of then and as known then."""
    now = "2025-01-06T00:00:00.000Z"
    path = told(
        (1, "2025-01-01", BIRTH), (1, "2025-01-02", BLOCKED), (2, "2025-01-01", BIRTH), (2, "2025-01-04", DONE),
        (3, "2025-01-02", {**BIRTH, "status": "review"}),
    )  # fmt: skip
    frames = [name for name, frame in dashboard.frames().items() if "OutdatedError" in frame.__doc__]

    def shown():
        with opened(path, now, known_at=now) as d:
            return [getattr(d, name)() for name in frames] + [d.task_timeline()]

    before = shown()
    late = {"recorded_at": "2025-02-01T00:00:00.000Z", "source": "git:c", "op": "update"}
    for task, at, change in ((1, 3, FREE), (2, 3, DONE), (3, 5, DONE), (1, 8, DONE), (3, 9, {"op": "delete"})):
        insert(path, "task_events", task_id=task, occurred_at=f"2025-01-{at:02d}T00:00:00.000Z", **{**late, **change})
    query(path, "DELETE FROM tasks WHERE id = 3")
    for one, other in zip(before, shown(), strict=True):
        pd.testing.assert_frame_equal(one, other)
    with opened(path, now) as d:
        assert not d.wip("day").equals(before[frames.index("wip")])


@pytest.mark.parametrize("name", ["arrivals", "blocked_over_time", "blocked_reasons_over_time", "wip"])
def test_only_known_periods_are_counted_by(told, name):
    """Anything but day, week and month is refused."""
    with opened(told((1, "2025-01-01", BIRTH))) as d, pytest.raises(UsageError, match="Use day, week, month"):
        getattr(d, name)("year")


def test_show_takes_what_the_frame_takes(told, capsys):
    """--by and --task reach a frame that has them, and are refused by one that has not."""
    path = told((1, "2025-01-01", {**BIRTH, "title": "One"}), (2, "2025-01-01", {**BIRTH, "title": "Two"}))
    assert run(path, "arrivals", "--by", "month", "--csv") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith('"2025-01-01",2,')
    assert run(path, "task_timeline", "--task", "2") == 0
    out = capsys.readouterr().out
    assert "Two" in out
    assert "One" not in out
    with pytest.raises(UsageError, match=r"Cannot show ageing with --by, --task"):
        run(path, "ageing", "--by", "day", "--task", "1")
