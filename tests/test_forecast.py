"""The frames that look ahead: what is promised, how it is scored and told, and why the date moved."""

import json
import lzma
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from builders import query, v2_1_database
from histories import database, histories, plain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Oracle
from stories import FINISHED, NOW, ROW, at, made, steady

import dashkit
from dashkit import migrations, montecarlo, times
from dashkit.cli import main
from dashkit.errors import UsageError

ROOT = Path(__file__).parents[1]
BEADS = ROOT.parent / "shared" / "data" / "linking" / "beads" / "tasks.jsonl.xz"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The database of a steady project."""
    return made(tmp_path_factory.mktemp("forecast") / "d.db", steady())


@pytest.fixture
def d(path):
    """Its Dashboard."""
    with dashkit.open(path, as_of=NOW) as opened:
        yield opened


def test_a_forecast_is_that_of_the_finishes(d):
    """What the frame says is what montecarlo says of the instants at which tasks were finished."""
    finished = d.sql("SELECT finished_at FROM flow WHERE is_done")["finished_at"].tolist()
    assert len(finished) == FINISHED
    wanted = []
    for question, name in ((montecarlo.HowMany(14), "how_many"), (montecarlo.WhenNext(10), "when")):
        found = montecarlo.forecast(finished, NOW, question, seed=f"project None, {times.to_text(NOW)}")
        wanted += [(name, one.confidence, one.at_least, one.score.made, one.score.held) for one in found.promises]
    frame = d.forecast()
    assert list(frame[["question", "confidence", "at_least", "made", "held"]].itertuples(index=False)) == wanted
    assert frame["refused"].isna().all()
    assert (frame["made"] > 30).all()
    pd.testing.assert_frame_equal(frame, d.forecast())


def test_the_fan_is_what_a_forecast_says_of_each_day(d):
    """Each day ahead has the promises of that instant, and its quantiles in order; no day lies beyond the limit."""
    fan = d.forecast_fan()
    assert fan["days"].tolist() == list(range(1, montecarlo.LIMIT_DAYS + 1))
    for row in fan.iloc[[0, 13, 55]].itertuples():
        sure, even = d.forecast(until=row.until.to_pydatetime())["at_least"]
        assert (row.p15_tasks, row.p50_tasks) == (sure, even)
    shares = fan.filter(like="_tasks")
    assert (shares.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert fan["refused"].isna().all()


def test_the_fan_of_what_there_is_to_finish(d):
    """With arrivals each day ahead has the promises that a forecast with arrivals makes for it."""
    fan = d.forecast_fan(arrivals=True)
    for row in fan.iloc[[0, 13, 55]].itertuples():
        sure, even = d.forecast(until=row.until.to_pydatetime(), arrivals=True)["at_least"]
        assert (row.p15_tasks, row.p50_tasks) == (sure, even)
    assert fan["p95_tasks"].max() <= d.forecast_fan()["p95_tasks"].max()


def test_the_fan_of_some_days_ago_and_what_came_of_it(d, path):
    """It is the one that was made then; beside it stands how many were finished, of what is over alone."""
    fan = d.forecast_fan(days_ago=14)
    with dashkit.open(path, as_of=NOW - timedelta(days=14)) as then:
        made = then.forecast_fan()
    assert made["finished"].isna().all()
    pd.testing.assert_frame_equal(fan.drop(columns="finished"), made.drop(columns="finished"))
    begin, finished = NOW - timedelta(days=14), d.query("forecast_fan")["occurred_at"]
    counted = [int(((finished > begin) & (finished <= until)).sum()) for until in fan["until"] if until <= NOW]
    assert fan["finished"].dropna().tolist() == counted
    assert fan["until"][13] == NOW
    assert counted[-1] == 42 == len(counted) * 3


@pytest.mark.parametrize("days", [-1, 1001])
def test_no_fan_of_what_is_not_looked_at(d, days):
    """Days that lie ahead, or before all that is looked at, are refused."""
    with pytest.raises(UsageError, match=f"the forecast of {days} days ago"):
        d.forecast_fan(days_ago=days)


def test_a_fan_is_refused_as_a_forecast_is(tmp_path):
    """Where nothing can be promised there is one row, which says why."""
    with dashkit.open(v2_1_database(tmp_path / "d.db"), as_of=NOW) as d:
        (row,) = d.forecast_fan().itertuples()
        assert row.refused == d.forecast()["refused"][0] == "a forecast needs 10 finished tasks; so far: 0"
    assert pd.isna(row.p50_tasks)


def test_a_forecast_speaks_in_sentences(d):
    """The confidence, the promise, and how the promises before it ended."""
    sure, _, when, _ = d.forecast(until="2025-12-14", tasks=3)["sentence"]
    assert sure.startswith("85 %: at least ")
    assert " more tasks by 14 December 2025. Of " in sure
    assert " such promises of the last 60 days " in sure
    assert when.startswith("85 %: at least 3 more tasks by 3 December 2025.")


@pytest.mark.parametrize(
    ("until", "zone", "wanted"),
    [
        ("2025-12-14", "UTC", "2025-12-15T00:00:00Z"),
        ("2025-12-14", "America/New_York", "2025-12-15T05:00:00Z"),
        ("2025-12-14T12:00:00+02:00", "UTC", "2025-12-14T10:00:00Z"),
        (datetime(2025, 12, 14, 6, tzinfo=UTC), "UTC", "2025-12-14T06:00:00Z"),
        (datetime(2025, 12, 14, tzinfo=UTC).date(), "UTC", "2025-12-15T00:00:00Z"),
    ],
)
def test_a_day_is_meant_to_its_end(path, until, zone, wanted):
    """A day is a day of the dashboard's zone, and an instant is one; only what is asked is answered."""
    with dashkit.open(path, as_of=NOW, timezone=zone) as d:
        frame = d.forecast(until=until)
    assert frame["question"].tolist() == ["how_many", "how_many"]
    assert (frame["until"] == pd.Timestamp(wanted)).all()


def test_no_more_is_finished_than_there_is(tmp_path):
    """Where nothing is open and nothing arrives any more, the pace of the past promises nothing; it is said."""
    stories = [[(59.5, "pending"), (day + hour / 24, "completed")] for day in range(59) for hour in (1, 2, 3)]
    stories += [[(59.5, "pending"), (30, "cancelled")] for _ in range(50)]
    with dashkit.open(made(tmp_path / "d.db", stories), as_of=NOW) as d:
        free, tied = d.forecast(tasks=20), d.forecast(tasks=20, arrivals=True)
        assert d.forecast(until="2025-12-14", arrivals=True)["at_least"].tolist() == [0, 0]
    assert free["until"].notna().all()
    assert tied["until"].isna().all()
    assert tied["sentence"].str.contains("no date for 20 more tasks").all()
    assert tied["sentence"].str.contains("No more is counted than is open or arrives.", regex=False).all()


def test_a_refused_forecast_shows_no_number(tmp_path):
    """Four finished tasks are no history: the sentence says why, and there is nothing else to read."""
    stories = [[(40, "pending"), (day, "completed")] for day in (1, 2, 12, 20)]
    with dashkit.open(made(tmp_path / "d.db", stories), as_of=NOW) as d:
        frame, moved = d.forecast(), d.what_moved()
    assert len(frame) == 4
    assert frame[["at_least", "until", "made", "held", "independent"]].isna().all(axis=None)
    assert (frame["refused"] == "a forecast needs 10 finished tasks; so far: 4").all()
    assert not frame["sentence"].str.contains("%").any()
    assert moved[["moved_days", "before", "after"]].isna().all(axis=None)
    assert moved["sentence"].str.startswith("No date on 24 November 2025: a forecast needs 10 ").all()


def test_a_reopened_task_counts_when_it_was_first_finished(tmp_path):
    """What a forecast was made from is not taken back by what came later: it is no peeking."""
    stories = [*steady(), *([(50, "pending"), (40, "completed"), (5, "pending")] for _ in range(20))]
    path = made(tmp_path / "d.db", stories)
    with dashkit.open(path, as_of=NOW - timedelta(days=10)) as then, dashkit.open(path, as_of=NOW) as now:
        before, after = (d.query("forecast_fan")["occurred_at"] for d in (then, now))
        assert before.tolist() == after[after <= then.as_of].tolist()
        assert now.what_moved(NOW - timedelta(days=7), tasks=30)["change"].dropna().tolist() == [-21, 20]


def test_what_moved_is_of_the_seven_days_that_the_headlines_are_of(tmp_path):
    """Both stand on one page, and count from the beginning of the seventh day before the next."""
    as_of = NOW + timedelta(hours=13)
    with dashkit.open(made(tmp_path / "d.db", steady()), as_of=as_of) as d:
        (done,) = d.headlines().query("kind == 'done'")["title"]
        finished = -d.what_moved(tasks=300).query("part == 'finished'")["change"].iloc[0]
    assert done == f"{finished} tasks were done" == "18 tasks were done"


def test_the_fan_never_falls(path):
    """Whatever chance does to the futures of one day, a later one is told no less than it."""
    for days_ago in range(0, 30, 3):
        with dashkit.open(path, as_of=NOW) as d:
            shares = d.forecast_fan(days_ago=days_ago).filter(like="_tasks")
        assert (shares.diff().iloc[1:] >= 0).all(axis=None)


def test_the_parts_of_a_move_add_up(tmp_path):
    """From the date that the forecast of then gave to the date of now, each part from where the one before left."""
    stories = [*steady(), *([(3, "pending")] for _ in range(12)), *([(40, "pending"), (2, "cancelled")] for _ in "ab")]
    stories += [[(50, "pending"), (45, "completed"), (2, "pending")] for _ in range(4)]
    path = made(tmp_path / "d.db", stories)
    since = NOW - timedelta(days=7)
    with dashkit.open(path, as_of=NOW) as d, dashkit.open(path, as_of=since) as then:
        frame = d.what_moved(since)
        was_open = then.progress()["tasks"].sum() - then.progress()["checked"].sum()
        is_open = d.progress()["tasks"].sum() - d.progress()["checked"].sum()
        first, last = (
            each.forecast(tasks=int(number))["until"][0] for each, number in ((then, was_open), (d, is_open))
        )
    assert frame["part"].tolist() == ["finished", "scope", "reopened", "speed"]
    assert frame["change"].tolist()[:3] == [-21, 12 + 21 - 2, 4]
    assert was_open + frame["change"].sum() == is_open
    assert frame["to_finish"].tolist() == [was_open - 21, was_open + 10, is_open, is_open]
    assert frame["before"].tolist()[1:] == frame["after"].tolist()[:-1]
    assert (frame["before"][0], frame["after"][3]) == (first, last)
    moved = (last - first) / timedelta(days=1)
    assert frame["moved_days"].sum() == pytest.approx(moved)
    assert frame["moved_days"][1] > 0 > frame["moved_days"][0]
    assert frame["sentence"][2].startswith("4 tasks reopened: ")
    assert frame["sentence"][3].startswith("The pace of now: ")


def test_what_is_done_has_the_date_of_now(d):
    """Of the next three of a week ago nothing is left: the date is that of the third, and nothing came to them."""
    frame = d.what_moved(NOW - timedelta(days=7), tasks=3)
    assert frame["change"].dropna().tolist() == [-3, 0]
    finished = d.query("forecast_fan")["occurred_at"]
    assert (frame["after"] == finished[finished > NOW - timedelta(days=7)].iloc[2]).all()
    assert frame["sentence"][0].startswith("3 of the next 3 tasks finished: ")
    assert frame["sentence"][0].endswith(" earlier.")
    assert frame["moved_days"].tolist()[1:] == [0, 0, 0]


@pytest.mark.parametrize("came", [0, 5])
def test_where_nothing_was_open_there_was_no_date(tmp_path, came):
    """It says so, whatever came since; no date is told for it, and none of other tasks in its place."""
    done = [[(day + 0.9, "pending"), (day + 0.1, "completed")] for day in range(60) if day != 7]
    with dashkit.open(made(tmp_path / "d.db", [*done, *([(2, "pending")] for _ in range(came))]), as_of=NOW) as d:
        frame = d.what_moved(NOW - timedelta(days=7))
        picture = dashkit.charts.what_moved(frame)
    assert frame["tasks"].tolist() == [0] * 4
    assert frame[["moved_days", "before", "after"]].isna().all(axis=None)
    assert frame["to_finish"].tolist()[-1] == came
    assert set(frame["sentence"]) == {"Nothing was open on 24 November 2025, so there was no date that could move."}
    assert picture.title == frame["sentence"][0].rstrip(".")


def test_what_left_unfinished_was_not_done_by_any_date(tmp_path):
    """Where nothing is open any more, and fewer were finished than were open, there is no date of the end."""
    done = [[(day + 0.4, "pending"), (day + 0.1, "completed")] for day in range(8, 60)]
    stories = [*done, *([(30, "pending"), (3, "cancelled")] for _ in range(2)), [(30, "pending"), (3, "completed")]]
    with dashkit.open(made(tmp_path / "d.db", stories), as_of=NOW) as d:
        frame = d.what_moved(NOW - timedelta(days=7))
    assert frame[["tasks", "to_finish"]].iloc[-1].tolist() == [3, 0]
    assert frame["moved_days"].isna().all()
    assert frame["sentence"][0] == (
        "No date on 1 December 2025: nothing is left to be finished, and fewer than 3 tasks are known to have been "
        "finished since."
    )


def test_what_was_found_done_was_not_finished_lately(tmp_path):
    """Done since a time that nobody knows: neither open a week ago nor finished since, as on the rest of the page."""
    path = made(tmp_path / "d.db", [*steady(), *([(2, "completed")] for _ in range(9))])
    query(path, "UPDATE task_events SET op = 'baseline' WHERE task_id > 210")
    query(path, f"INSERT INTO task_events {ROW} SELECT task_id, ?, recorded_at, 'backfill', project_id, title, "
          "'pending', 0, 'column:created_at' FROM task_events WHERE task_id > 210", at(40))  # fmt: skip
    with dashkit.open(path, as_of=NOW) as d:
        assert d.data_quality().set_index("check")["count"]["done at no known time"] == 9
        frame = d.what_moved(NOW - timedelta(days=7))
        assert -frame["change"][0] == d.throughput("day").tail(8)["finished"].sum() == 21
    assert frame["tasks"][0] == 30


def test_a_date_too_far_is_none(d):
    """No date is more than 56 days ahead, so none has moved; the numbers of tasks are told."""
    frame = d.what_moved(tasks=5000)
    assert frame["moved_days"].isna().all()
    assert frame["change"].tolist()[0] == -18
    assert (
        frame["sentence"].str.fullmatch(r"No date on 24 November 2025: it would be more than \d\d days ahead\.").all()
    )


@pytest.mark.parametrize(
    ("frame", "given", "why"),
    [
        ("forecast", {"until": "2025-11-30"}, "it is not after as_of"),
        ("forecast", {"until": "soon"}, "it is no instant"),
        ("forecast", {"until": datetime(2026, 1, 1)}, "it has no time zone"),  # noqa: DTZ001 - that is the point
        ("forecast", {"tasks": 0}, "that is nothing to ask for"),
        ("what_moved", {"since": "2025-12-01T00:00:00Z"}, "it is not before as_of"),
        ("what_moved", {"since": "then"}, "it is no instant"),
        ("what_moved", {"tasks": -1}, "that is nothing to ask for"),
        ("what_moved", {"confidence": 1.0}, "a share lies between 0 and 1"),
    ],
)
def test_a_question_that_is_none_is_refused(d, frame, given, why):
    """With what is wrong, and what to give."""
    with pytest.raises(UsageError, match=why):
        getattr(d, frame)(**given)


def test_what_comes_later_changes_no_forecast(path, tmp_path):
    """As of an instant and as known then, later finishes, reopenings and late history leave every word."""
    since = NOW - timedelta(days=5)
    with dashkit.open(path, as_of=since, known_at=since) as d:
        before = d.forecast(), d.what_moved()
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    query(copy, "UPDATE tasks SET checked = 0 WHERE id % 3 = 0")
    query(copy, "DELETE FROM tasks WHERE id % 7 = 0")
    row = (1, at(50), times.to_text(times.utc_now()), "update", None, None, None, 1, "git:abc")
    query(copy, f"INSERT INTO task_events {ROW} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
    with dashkit.open(copy, as_of=since, known_at=since) as d:
        for one, other in zip(before, (d.forecast(), d.what_moved()), strict=True):
            pd.testing.assert_frame_equal(one, other)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with two projects, to be copied for each example."""
    return v2_1_database(tmp_path_factory.mktemp("moved") / "empty.db", projects=("Alpha", "Beta"))


@pytest.mark.slow
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(histories(), st.integers(0, 40))
def test_what_became_of_the_open_tasks_is_counted(empty, told, number):
    """On any history: open then + scope + reopened - finished = open now, and each is what the oracle says."""
    since = f"2025-01-01T00:{number:02d}:00.000Z"
    with dashkit.open(database(empty, told)) as d:
        found_at = plain(d._snapshot.run("SELECT getvariable('found_at') AS t")["t"][0])
        (counted,) = d.query("what_moved", since=since).to_dict("records")
        first = [plain(at) for at in d.query("forecast_fan")["occurred_at"]]
        seen = d.query("forecast")
        work = {kind: [plain(at) for at in seen.query("kind == @kind")["occurred_at"]] for kind in ("arrived", "left")}
        work["finished"] = first
        now = times.to_text(d.as_of)
        undated = d.sql("SELECT task_id, life FROM flow WHERE is_done AND finished_at IS NULL").to_numpy().tolist()
    oracle = Oracle(**told, as_of=now, known_at=None, found_at=found_at)
    wanted = dict.fromkeys(("open", "finished", "scope", "reopened"), 0)
    finishes = []
    for life in oracle.lives:
        mine = [one for one in oracle.intervals if one.life == life]
        then = next((one for one in mine if one.holds(since)), None)
        last = next((one for one in mine if one.ended_at is None), None)
        was, done = then is not None and then.is_open, then is not None and then.checked
        if [*life] in undated:  # done since a time that nobody knows: neither open then nor finished since
            was, done = False, True
        is_open, is_done = last is not None and last.is_open, last is not None and last.checked
        wanted["open"] += was
        wanted["finished"] += is_done and not done
        wanted["reopened"] += done and is_open
        wanted["scope"] += (is_open or is_done) and not was and not done
        wanted["scope"] -= was and not is_open and not is_done
        steps = [one for before, one in zip([None, *mine], mine, strict=False)
                 if one.checked and not (before and before.checked) and one.event["op"] != "baseline"]  # fmt: skip
        finishes += [steps[0].started_at] if steps else []
    assert counted == wanted
    assert first == sorted(finishes)
    for instant in (since, now):
        there = {kind: sum(at <= instant for at in times_of) for kind, times_of in work.items()}
        is_open = sum(one.is_open and one.holds(instant) for one in oracle.intervals)
        assert there["arrived"] - there["finished"] - there["left"] == is_open
    still = sum(one.is_open for one in oracle.intervals if one.ended_at is None)
    assert wanted["open"] + wanted["scope"] + wanted["reopened"] - wanted["finished"] == still


def test_show_tells_it_in_sentences(path, capsys):
    """On a terminal the numbers are a table and the words stand below it; a program gets both in rows."""
    words = ["show", "forecast", "--db", str(path), "--as-of", "2025-12-01", "--tasks", "3", "--arrivals"]
    assert main(words) == 0
    head, _, sure, even, blank, sentence, _ = capsys.readouterr().out.splitlines()
    assert head.split()[-1] == "refused"
    assert (sure.split()[:3], even.split()[:3], blank) == (["when", "0.85", "3"], ["when", "0.50", "3"], "")
    assert sentence.startswith("85 %: at least 3 more tasks by 3 December 2025. No more is counted than is open")
    assert main([*words[:6], "--json"]) == 0
    assert all(row["sentence"] for row in json.loads(capsys.readouterr().out))


def test_show_moves_the_date_from_any_instant(path, capsys):
    """--since and --confidence reach the frame; what it does not take is refused."""
    words = ["show", "what_moved", "--db", str(path), "--as-of", "2025-12-01"]
    assert main([*words, "--since", "2025-11-20", "--tasks", "40", "--confidence", "0.5"]) == 0
    assert "33 of the next 40 tasks finished: " in capsys.readouterr().out
    assert main([*words, "--until", "2026-01-01"]) == 2
    assert "Cannot show what_moved with --until" in capsys.readouterr().err


def test_many_open_tasks_have_a_date_for_those_that_were_expected(tmp_path):
    """Where as many as are open have no date, the parts are of those that were promised for four weeks."""
    stories = [*steady(), *([(61, "pending")] for _ in range(3000))]
    with dashkit.open(made(tmp_path / "d.db", stories), as_of=NOW) as d:
        frame = d.what_moved()
    assert frame["moved_days"].notna().all()
    assert frame["change"].dropna().tolist() == [-18, 0]
    assert re.fullmatch(r"18 of the next \d+ tasks finished: .+", frame["sentence"][0])
    assert re.fullmatch(r"What came and went since is no part of the next \d+ tasks\.", frame["sentence"][1])


@pytest.mark.slow
@pytest.mark.skipif(not BEADS.is_file(), reason="the tracker of beads is not on this machine (../shared/data/linking)")
def test_the_example_of_the_page_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    """docs/forecast.md shows what `dashkit show` says of the tasks of beads, word for word."""
    block = re.search(r"```console\n\$ dashkit (.+)\n((?s:.+?))```", (ROOT / "docs" / "forecast.md").read_text("utf-8"))
    columns = ("id", "title", "status", "priority", "created_at", "closed_at")
    with lzma.open(BEADS, "rt", encoding="utf-8") as tracker:
        tasks = [
            {name: told[name] for name in columns if told.get(name)}
            | {"issue_type": told["type"] or "task", "updated_at": told["closed_at"] or told["created_at"]}
            for told in map(json.loads, tracker)
        ]
    (tmp_path / "issues.jsonl").write_text("".join(f"{json.dumps(task)}\n" for task in tasks), encoding="utf-8")
    migrations.create(tmp_path / "d.db")
    monkeypatch.setenv("DASHKIT_DB", str(tmp_path / "d.db"))
    assert main(["ingest", "tasks", "--format", "beads", str(tmp_path / "issues.jsonl")]) == 0
    capsys.readouterr()
    assert main(shlex.split(block[1])) == 0
    assert capsys.readouterr().out == block[2]


def test_the_benchmark_says_that_nothing_was_measured(tmp_path):
    """Without the histories it is a failure in words, and no table that is missing unseen."""
    command = [sys.executable, str(ROOT / "benchmarks" / "forecast.py"), "--data", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"nothing was measured: there are no histories in {tmp_path}; name it with --data\n"
