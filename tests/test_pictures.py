"""The pictures: each tells its finding in a true sentence, whatever the frames hold, and is read by everybody."""

import re
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from builders import v2_1_database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from specimens import full_database, hostile_database
from stories import made, steady

import dashkit
from dashkit import charts
from dashkit.charts.drawing import apart
from dashkit.charts.style import DARK
from dashkit.charts.words import columns, duration, short

NOW = datetime(2025, 12, 1, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    r"cost $5 and $\frac{1}{0}$ and $\href{javascript:x}$",
    "\x00\x07\x1b[31m\ufffe\ud800 control",
    "\u202egnp.exe\u2066 bidi",
    "👩‍👩‍👧‍👦 ﷽ 漢字 e\u0301\u0301\u0301",
    "x" * 5000,
    "$" * 31,
    "]]></svg><svg onload=alert(1)>",
    " \n\t ",
    "%s {0} \\N{DASH}",
]
SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
COUNTS = st.integers(0, 3) | st.integers(0, 3000)
DAYS = st.floats(0, 900)


def periods(count, first="2025-06-02", freq="D"):
    """The columns that every frame over time has, the last period not being over."""
    starts = pd.date_range(first, periods=count, freq=freq).astype("datetime64[us]")
    frame = pd.DataFrame({"period_on": starts})
    return frame.assign(is_partial=[False] * (count - 1) + [True] * bool(count), is_gap=False)


def whole(values):
    """A column of the frames' whole numbers."""
    return pd.array(values, dtype="Int64")


def progress(states):
    """The frame progress_over_time of (tasks, checked) by day."""
    return periods(len(states)).assign(
        tasks=whole([a for a, _ in states]), checked=whole([b for _, b in states]), estimated=whole([0] * len(states))
    )


def promises(at_least, days=14, held=40, made=46, refused=None):
    """The frames forecast and forecast_fan: one promise, or why there is none."""
    fan = pd.DataFrame({"days": whole(range(1, 57))})
    fan["until"] = pd.date_range("2025-07-02T12:00", periods=56, freq="D", tz="UTC").astype("datetime64[us, UTC]")
    for name, more in (
        ("p05", 0),
        ("p15", at_least),
        ("p50", 2 * at_least),
        ("p85", 5 * at_least),
        ("p95", 9 * at_least),
    ):
        fan[f"{name}_tasks"] = whole([more * day // days for day in range(1, 57)])
    row = {"question": "how_many", "confidence": 0.85, "at_least": at_least, "until": fan["until"].iloc[days - 1]}
    words = f"85 %: at least {at_least} more tasks by 14 July 2025."
    words += f" Of {made} such promises of the last 60 days {held} held."
    frame = pd.DataFrame([{**row, "sentence": words}])
    if refused:
        frame = frame.assign(
            at_least=pd.NA, until=frame["until"].where(frame["until"].isna()), sentence=f"No forecast: {refused}."
        )
        fan = fan.head(1).assign(days=pd.NA, until=frame["until"], p05_tasks=pd.NA)
    return frame, fan


def ended(fan, finished, days=14):
    """The frame forecast_fan of so many days ago, and how many were finished since."""
    return fan.assign(
        finished=whole([finished * day // days if day <= days else None for day in range(1, 57)]), refused=None
    )


def blocked(reported, waiting):
    """The frame blocked_over_time of two lists by day."""
    frames = [
        periods(len(values)).assign(cause=cause, blocked=whole(values), estimated=whole([0] * len(values)))
        for cause, values in (("reported", reported), ("waiting", waiting))
    ]
    return pd.concat(frames).sort_values(["period_on", "cause"], ignore_index=True)


def reasons(*rows, period="2025-06-02"):
    """The frame blocked_reasons_over_time of (cause, reason, tasks, days)."""
    frame = pd.DataFrame(rows, columns=["cause", "reason", "tasks", "days"])
    return frame.assign(period_on=pd.Timestamp(period), depends_on_id=None).astype(
        {"tasks": "Int64", "days": "Float64", "reason": "string", "depends_on_id": "Int64"}
    )


def flow(steps):
    """The frame cumulative_flow of what (arrived, started, finished, left) in each day."""
    sums = pd.DataFrame(steps, columns=["arrived", "started", "finished", "left"]).cumsum().astype("Int64")
    return pd.concat([periods(len(steps)), sums], axis=1)


def net(steps):
    """The frame arrivals of what (arrived, finished, left) in each day."""
    frame = pd.DataFrame(steps, columns=["arrived", "finished", "left"]).astype("Int64")
    frame = frame.assign(net_flow=frame["arrived"] - frame["finished"] - frame["left"])
    return pd.concat([periods(len(steps)), frame], axis=1)


def shares(states):
    """The frame progress_over_time of (tasks, checked, size that is checked) by day; each task has the size 1."""
    frame = progress([state[:2] for state in states])
    frame = frame.assign(size_total=frame["tasks"], size_checked=whole([size for *_, size in states]))
    parts = {"progress": ("checked", "tasks"), "progress_by_size": ("size_checked", "size_total")}
    return frame.assign(**{name: (frame[a] / frame[b].where(frame[b] > 0)) for name, (a, b) in parts.items()})


def times(days, is_estimated=False, titles=None):
    """The frame lead_times of so many days each."""
    frame = pd.DataFrame({"title": titles or [f"Task {n}" for n in range(len(days))]})
    frame["finished_at"] = pd.date_range("2025-06-02", periods=len(days), freq="6h", tz="UTC")
    return frame.assign(lead_time_days=pd.array(days, dtype="Float64"), is_estimated=is_estimated)


def work(ages, limits=(1.0, 3.0, 9.0), titles=None):
    """The frame ageing of tasks of so many days."""
    ages = sorted(ages, reverse=True)
    frame = pd.DataFrame({"title": pd.array(titles or ["A task"] * len(ages), dtype="string"), "status": "in_progress"})
    frame = frame.assign(
        task_id=range(1, len(ages) + 1), blocked=False, is_estimated=False, age_days=pd.array(ages, "Float64")
    )
    for name, value in zip(("p50_days", "p85_days", "p95_days"), limits, strict=True):
        frame[name] = pd.array([value] * len(ages), "Float64")
    return frame


def moved(*days, sentence=None, tasks=50, left=50):
    """The frame what_moved of parts of so many days, for so many tasks at first and so many in the end."""
    at, rows = pd.Timestamp("2026-01-10", tz="UTC"), []
    for number, (part, each) in enumerate(zip(("finished", "scope", "reopened", "speed"), days, strict=True)):
        to = at + pd.Timedelta(days=each) if each is not None else None
        words = sentence or f"{number} tasks {part}: {each} days."
        rows.append((part, tasks, number, left, each, at if to else None, to, words))
        at = to or at
    names = ["part", "tasks", "change", "to_finish", "moved_days", "before", "after", "sentence"]
    frame = pd.DataFrame(rows, columns=names)
    dtypes = {
        "before": "datetime64[us, UTC]",
        "after": "datetime64[us, UTC]",
        "moved_days": "Float64",
        "change": "Int64",
        "tasks": "Int64",
        "to_finish": "Int64",
    }
    return frame.astype(dtypes)


def commits(counts):
    """The frame commit_activity by day."""
    return periods(len(counts)).assign(commits=whole(counts), merges=0, authors=1)


def timeline(*events):
    """The frame task_timeline of (hours, kind, detail)."""
    start = pd.Timestamp("2025-06-02", tz="UTC")
    rows = [(7, start + pd.Timedelta(hours=hours), kind, detail, False) for hours, kind, detail in events]
    return pd.DataFrame(rows, columns=["task_id", "occurred_at", "kind", "detail", "is_estimated"])


def portfolio(*rows):
    """The frames progress and throughput_by_project of (name, tasks, checked, blocked, finished week by week)."""
    names = ["project", "tasks", "checked", "blocked"]
    frame = pd.DataFrame([row[:4] for row in rows], columns=names).assign(project_id=whole(range(1, len(rows) + 1)))
    done = [
        periods(len(row[4]), freq="7D").assign(project_id=number, project=row[0], finished=whole(row[4]))
        for number, row in enumerate(rows, 1)
    ]
    return frame.astype({"project": "string"}), pd.concat(done, ignore_index=True).astype({"project_id": "Int64"})


def nameless():
    """One of each picture in which no name from outside stands."""
    forecast, fan = promises(3)
    gap = progress([(10 + day, day) for day in range(29)] + [(40, 31)])
    gap.loc[5:9, "is_gap"] = True
    return {
        "burn_up": charts.burn_up(gap, fan, forecast),
        "cumulative_flow": charts.cumulative_flow(flow([(3, 2, 1, 1)] * 20)),
        "arrivals": charts.arrivals(net([(9 + day, day, 1) for day in range(20)]), by="day"),
        "progress_over_time": charts.progress_over_time(
            shares([(10 + day, day, day // 2) for day in range(30)]), "day"
        ),
        "past_forecast": charts.past_forecast(ended(fan, 24)),
        "what_moved": charts.what_moved(moved(-30.0, 40.0, 0.0, -3.0)),
        "commit_calendar": charts.commit_calendar(commits([day % 11 * 20 for day in range(120)])),
        "finished_by_period": charts.finished_by_period(
            periods(20, freq="7D").assign(finished=whole(range(20)), estimated=whole([0] * 19 + [1]))
        ),
    }


def named(name):
    """One of each picture with a name from outside wherever one can stand."""
    waits = blocked([0] * 10 + [2] * 20, [day % 7 for day in range(30)])
    events = [(0, "created", name), (1, "status", "in_progress"), (2, "blocked", name), (3, "reason", name),
              (5, "unblocked", None), (6, "waiting", name), (7, "freed", name), (8, "commit", name),
              (9, "session", name), (10, "done", None), (900, "gone", None)]  # fmt: skip
    story = timeline(*events)
    story.loc[7:8, "is_estimated"] = True
    return {
        "blocked_over_time": charts.blocked_over_time(
            waits, reasons(("waiting", name, 3, 4.5), ("reported", name, 1, 1))
        ),
        "time_to_finish": charts.time_to_finish(times([0.0001 * 2**n for n in range(22)], titles=[name] * 22)),
        "ageing": charts.ageing(work([400, 50, 5, 4, 3, 1, 0.5, 0.00001], titles=[name] * 8)),
        "task_strip": charts.task_strip(story),
        "projects": charts.projects(
            *portfolio((name, 9, 4, 2, range(20)), ("Other", 5, 5, 0, [0] * 20), (name, 2, 1, 0, [1] * 20))
        ),
    }


def gallery():
    """One of each picture."""
    return nameless() | named("A task")


NAMES = (
    *("burn_up", "cumulative_flow", "arrivals", "progress_over_time", "past_forecast", "what_moved"),
    *("commit_calendar", "finished_by_period", "blocked_over_time", "time_to_finish", "ageing", "task_strip"),
    "projects",
)


@pytest.fixture(scope="module")
def pictures():
    """One of each."""
    return gallery()


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_read_by_everybody(pictures, name):
    """It has a title that its words repeat, data, no word that a phone makes too small, and a dark colour for each."""
    picture = pictures[name]
    assert re.match(r"[A-Z0-9].{9,}[^.]$", picture.title)
    assert picture.alt.startswith(picture.title)
    assert len(picture.data)
    assert not [column for column in picture.data if "_" in column]
    scale = 320 / (picture.figure.get_figwidth() * 96)
    sizes = [text.get_fontsize() for text in picture.figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(sizes) * 96 / 72 * scale >= 9
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]+)", picture.svg.split("</style>", 1)[1]))
    assert used <= set(DARK)
    assert "<img alt=" in picture._repr_html_()


@pytest.mark.parametrize("name", NAMES)
def test_no_words_of_a_picture_meet(pictures, name):
    """Labels stand apart, and within the figure."""
    figure = pictures[name].figure
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    words = re.findall(r"<text[^>]*>([^<]*)</text>", pictures[name].svg)  # a tick beyond its axis is not drawn
    shown = [text for text in texts if escape(text.get_text(), quote=False) in words]
    assert len(shown) > 3
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown]
    assert not [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]
    assert not [text for text, box in boxes if box.x0 < -1 or box.x1 > figure.bbox.x1 + 1]


@pytest.mark.slow
def test_the_same_frames_give_the_same_bytes(pictures):
    """A picture that is made twice is the same, to the byte."""
    again = gallery()
    assert tuple(again) == NAMES
    assert {name for name in NAMES if again[name]._repr_html_() != pictures[name]._repr_html_()} == set()


@pytest.mark.slow
@pytest.mark.parametrize("payload", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_a_name_from_outside_is_text(payload):
    """It cannot crash a picture, be set as mathematics, close an element, or fill the page."""
    for name, picture in named(payload).items():
        html = picture._repr_html_()
        drawing = picture.svg
        ET.fromstring(drawing)
        assert "<script" not in html, name
        assert "onload=alert" not in re.sub(r"&lt;.*?&gt;", "", html), name
        assert "x" * 400 not in drawing, name
        assert not set(drawing + html) & set("\x00\x07\x1b\u202e\ufffe\ud800"), name


@pytest.mark.slow
@pytest.mark.parametrize("make", [v2_1_database, hostile_database, full_database])
def test_every_picture_is_drawn_of_every_database(tmp_path, make):
    """Of one that is empty, full of strange values, or small there is a picture or a sentence each time."""
    path = tmp_path / "d.db"
    make(path) if make is v2_1_database else make(path, v2_1_database)
    with dashkit.open(path) as d:
        fan, forecast = d.forecast_fan(), d.forecast()
        for by in ("day", "week", "month"):
            told = [
                charts.burn_up(d.progress_over_time(by), fan, forecast, by),
                charts.past_forecast(d.forecast_fan(days_ago=7)),
                charts.blocked_over_time(d.blocked_over_time(by), d.blocked_reasons_over_time("week"), by),
                charts.cumulative_flow(d.cumulative_flow(by), by),
                charts.projects(d.progress(), d.throughput_by_project(by), by),
                charts.finished_by_period(d.throughput(by), by),
            ]
            told += [charts.arrivals(d.arrivals(by), by), charts.progress_over_time(d.progress_over_time(by), by)]
            told += [charts.time_to_finish(d.lead_times()), charts.time_to_finish(d.cycle_times())]
            told += [charts.ageing(d.ageing()), charts.what_moved(d.what_moved())]
            told += [charts.commit_calendar(d.commit_activity("day"))]
            told += [charts.task_strip(story) for _, story in d.task_timeline().groupby("task_id")]
            assert all(picture.title and "<figure " in picture._repr_html_() for picture in told)


def test_the_pictures_of_a_real_database_say_what_its_frames_say(tmp_path):
    """Title, promise and percentiles are the numbers of the frames."""
    with dashkit.open(made(tmp_path / "d.db", steady()), as_of=NOW) as d:
        forecast, states = d.forecast(), d.progress_over_time("day")
        picture = charts.burn_up(states, d.forecast_fan(), forecast)
        last, sure = states.iloc[-1], forecast[forecast["question"] == "how_many"].iloc[0]
        assert picture.title.startswith(
            f"{last.checked} of {last.tasks} tasks are done. 85 %: at least {sure.at_least} more tasks"
        )
        assert f"{sure.held} held" in picture.note
        assert f"{sure.at_least} more" in picture.svg
        column = "at least so many more, 85 % sure"
        drawn = picture.data[picture.data[column].notna()]
        assert drawn[column].iloc[13] == sure.at_least
        assert len(drawn) == 28
        days = d.lead_times()["lead_time_days"].dropna().sort_values()
        half, most = (duration(days.iloc[-(-len(days) * share // 100) - 1]) for share in (50, 85))
        title = charts.time_to_finish(d.lead_times()).title
        assert title == f"Half of {len(days)} finished tasks took at most {half}, 85 % at most {most}"


def test_the_fan_is_no_higher_than_the_scope():
    """What the futures finish beyond the tasks of now is not drawn; the table has it."""
    forecast, fan = promises(30)
    picture = charts.burn_up(progress([(40, day) for day in range(30)]), fan, forecast)
    bands = picture.figure.axes[0].collections
    assert max(band.get_datalim(picture.figure.axes[0].transData).y1 for band in bands) == 40
    sure = [name for name in picture.data if "sure" in name]
    assert [name[-9:] for name in sure] == [f" {share} % sure"[-9:] for share in (95, 85, 50, 15, 5)]
    assert all((picture.data[more] <= picture.data[less]).dropna().all() for more, less in pairwise(sure))
    assert picture.data[sure[-1]].max() > 40
    assert "The axis does not begin at 0" not in picture.note
    high = charts.burn_up(progress([(900, 800 + day) for day in range(30)]), fan, forecast)
    assert "The axis does not begin at 0." in high.note


@pytest.mark.parametrize(
    ("at_least", "finished", "title"),
    [
        (22, 24, "The promise of 1 July 2025 held: at least 22 tasks by 15 July 2025; 24 tasks were finished"),
        (22, 22, "The promise of 1 July 2025 held: at least 22 tasks by 15 July 2025; 22 tasks were finished"),
        (22, 1, "The promise of 1 July 2025 did not hold: at least 22 tasks by 15 July 2025; 1 task was finished"),
        (0, 5, "Nothing was promised on 1 July 2025; by 15 July 2025 5 tasks were finished"),
    ],
)
def test_a_past_forecast_is_held_to_account(at_least, finished, title):
    """What was promised, whether that held, and the days that are over alone."""
    picture = charts.past_forecast(ended(promises(at_least)[1], finished))
    assert picture.title == title
    assert len(picture.data) == 14
    assert picture.data["finished"].iloc[-1] == finished
    assert (f"{at_least} promised" in picture.svg) == bool(at_least)


def test_a_past_forecast_that_was_none():
    """Refused then, or not begun: a sentence, and nothing is drawn."""
    _, fan = promises(22)
    assert charts.past_forecast(fan.assign(finished=whole([None] * 56), refused=None)).title == "None of it is over"
    refused = fan.head(1).assign(finished=whole([None]), refused="a forecast needs 10 finished tasks; so far: 0")
    picture = charts.past_forecast(refused)
    assert picture.title == "No forecast then: a forecast needs 10 finished tasks; so far: 0"
    assert not picture.figure.axes


def test_at_least_none_is_no_promise():
    """It says nothing: it is not in the title, and no fan is drawn; the lines still end now."""
    forecast, fan = promises(0)
    picture = charts.burn_up(progress([(40, day) for day in range(30)]), fan, forecast)
    assert picture.title == "29 of 40 tasks are done"
    assert not picture.figure.axes[0].collections
    assert not [name for name in picture.data if "sure" in name]
    assert picture.figure.axes[0].lines[0].get_xdata()[-1] == fan["until"].iloc[0].tz_localize(None) - timedelta(days=1)


@pytest.mark.parametrize(
    ("states", "first", "drawn"),
    [
        ([*[(90, n) for n in range(60)], *[(90, 59)] * 300, (70, 59)], 0, 361),
        ([*[(90, n) for n in range(60)], *[(90, 59)] * 20, (70, 59), (70, 59)], 40, 42),
        ([*[(90, n) for n in range(60)], *[(90, 59)] * 50, (70, 59), (70, 59)], 7, 105),
        ([*[(90, n) for n in range(60)], *[(90, 59)] * 300], 18, 42),
        ([(4, 0), (4, 0), (4, 1), (4, 2), (4, 2), (4, 3), (4, 3)], 0, 7),
        ([(900 + n, n) for n in range(200)], 158, 42),
    ],
)
def test_a_burn_up_shows_what_was_done(states, first, drawn):
    """Where a migration alone moved anything of late, also before; else the last periods up to the last movement."""
    forecast, fan = promises(3, refused="none")
    picture = charts.burn_up(progress(states), fan, forecast)
    assert picture.data.iloc[0, 0] == progress(states)["period_on"][first]
    assert len(picture.data) == drawn


def test_what_blocks_costs_on_after_the_last_movement():
    """The days are those up to now, not up to the last step that is drawn."""
    rows = [("a gate", 4.0, "2025-06-02"), ("a key", 60.0, "2025-08-04"), ("long ago", 99.0, "2025-05-26")]
    told = pd.concat([reasons(("waiting", name, 1, days), period=period) for name, days, period in rows])
    picture = charts.blocked_over_time(blocked([0] * 200, [0, 3, *[2] * 198]), told)
    assert len(picture.data) == 3
    assert "60 days: a key. 4 days: a gate." in picture.alt
    assert "long ago" not in picture.alt


def test_what_nobody_saw_begin_is_paler_and_never_the_most():
    """Of levels that rest on what was there at the first look nobody knows that they were never higher."""
    frame = blocked([0, 0, 0], [0, 5, 7])
    assert charts.blocked_over_time(frame, reasons()).title == "7 tasks wait for another one, never more"
    frame.loc[frame["blocked"] == 7, "estimated"] = 7
    picture = charts.blocked_over_time(frame, reasons())
    assert picture.title == "7 tasks wait for another one"
    assert "Paler: nobody saw it begin." in picture.note
    assert list(picture.data["waiting, nobody saw it begin"]) == [0, 0, 7]
    first = blocked([0, 0, 0], [7, 5, 7])
    assert charts.blocked_over_time(first, reasons()).title.endswith(", never more")
    first.loc[:1, "is_partial"] = True
    assert charts.blocked_over_time(first, reasons()).title == "7 tasks wait for another one"


def test_the_most_is_that_of_the_time_shown():
    """Where there were more before, the title says of which time it tells."""
    waits = [0, 50, *[9 - day % 9 for day in range(120)]]
    frame = blocked([0] * len(waits), waits)
    assert "; in the time shown most waited on " in charts.blocked_over_time(frame, reasons()).title
    rising = [50, *[1 + day // 10 for day in range(120)]]
    assert charts.blocked_over_time(blocked([0] * 121, rising), reasons()).title == "12 tasks wait for another one"


@pytest.mark.parametrize(
    ("by", "freq", "when", "until"),
    [
        ("day", "D", "on 6 October 2025", "7 October 2025"),
        ("week", "7D", "at the end of the week from 6 October 2025", "19 October 2025"),
        ("month", "MS", "at the end of October 2025", "30 November 2025"),
    ],
)
def test_a_level_is_dated_by_the_end_of_its_period(by, freq, when, until):
    """What was so at the end of a week or month was not so on its first day."""
    starts = {"first": "2025-10-01" if by == "month" else "2025-10-06", "freq": freq}
    waits = blocked([0, 0], [38, 4])
    waits["period_on"] = periods(2, **starts)["period_on"].repeat(2).array
    assert charts.blocked_over_time(waits, reasons(), by).title.endswith(f"; most waited {when}: 38")
    young = shares([(20, 5, 5), (20, 6, 6)]).assign(period_on=periods(2, **starts)["period_on"])
    assert charts.progress_over_time(young, by).title == f"30 % of 20 tasks are done, 5 points more than {when}"
    old = shares([(20, 5, 5), *[(20, 6, 6)] * 120]).assign(period_on=periods(121, **starts)["period_on"])
    told = f"30 % of 20 tasks are done, 5 points more than {when}, and the same since {until}"
    assert charts.progress_over_time(old, by).title == told


def test_a_share_says_where_its_axis_begins():
    """Only where that is not at 0."""
    low, high = (charts.progress_over_time(shares([(20, n, n), (20, n + 2, n + 2)]), "day") for n in (0, 12))
    assert "does not begin at 0" not in low.note
    assert "the axis does not begin at 0." in high.note


def test_the_flow_calls_waiting_only_what_waits():
    """What is not begun need not wait for another task, and what is finished is not gone."""
    picture = charts.cumulative_flow(flow([(3, 2, 1, 0), (3, 2, 1, 1)]))
    assert "Blue: not begun, orange: in work" in picture.note
    assert "Done or gone: 2 finished, 1 cancelled" in picture.note
    assert "3 done or gone" in picture.svg
    assert "waiting" not in picture.note


def test_a_refused_forecast_has_no_fan():
    """The lines are drawn, the title says why there is no more; where they do not change either, that is all."""
    forecast, fan = promises(3, refused="a forecast needs 10 finished tasks; so far: 2")
    picture = charts.burn_up(progress([(3, 0), (3, 2)]), fan, forecast)
    assert picture.title == "2 of 3 tasks are done. No forecast: a forecast needs 10 finished tasks; so far: 2"
    assert "in scope" in picture.svg
    assert not picture.figure.axes[0].collections
    still = charts.burn_up(progress([(3, 2)] * 90), fan, forecast)
    assert "<img" not in still._repr_html_()
    old = charts.burn_up(progress([(3, 0), (3, 2), *[(3, 2)] * 90]), fan, forecast)
    assert old.title.startswith("2 of 3 tasks are done; nothing has changed since 3 June 2025. No forecast: ")


@pytest.mark.parametrize(
    ("reported", "waiting", "title"),
    [
        ([0, 0], [0, 0], "Nothing has been blocked yet"),
        ([0, 1], [0, 0], "1 task is blocked"),
        ([0, 2], [0, 1], "2 tasks are blocked and 1 waits for another one, never more"),
        ([0, 0], [5, 2], "2 tasks wait for another one; most waited on 2 June 2025: 5"),
        (
            [9, 1],
            [1, 2],
            "1 task is blocked and 2 wait for another one; most were blocked on 2 June 2025: 9",
        ),
        ([1, 1], [0, 0], "1 task is blocked"),
        ([2, 0], [0, 0], "Nothing is blocked or waits for another task; most were blocked on 2 June 2025: 2"),
    ],
)
def test_what_was_blocked_is_told(reported, waiting, title):
    """How many now, and when they were most; where that never changed there is the sentence alone."""
    picture = charts.blocked_over_time(blocked(reported, waiting), reasons())
    assert picture.title == title
    assert ("<img" in picture._repr_html_()) == (len(set(reported)) > 1 or len(set(waiting)) > 1)


def test_what_was_so_at_the_first_look_is_no_rise():
    """Where nobody saw any block begin, there is nothing to draw yet; the sentence says what is."""
    frame = blocked([0, 0, 0], [0, 9, 9])
    picture = charts.blocked_over_time(frame.assign(estimated=frame["blocked"]), reasons())
    assert picture.title == "9 tasks wait for another one"
    assert "<img" not in picture._repr_html_()
    assert "<img" in charts.blocked_over_time(frame, reasons())._repr_html_()


def test_blocked_and_waiting_are_not_added():
    """Each has a panel of its own; the days of a reason are added up, and those that cost most come first."""
    told = reasons(("waiting", "the gate", 1, 9.0), ("waiting", "a key", 4, 1.5), ("reported", None, 2, 18.0))
    told = pd.concat([reasons(("reported", None, 1, 99.0), period="2025-05-01"), told,
                      reasons(("reported", None, 2, 2.0), period="2025-06-03")])  # fmt: skip
    picture = charts.blocked_over_time(blocked([0, 2, 1], [0, 3, 3]), told)
    assert len(picture.figure.axes) == 3
    assert "20 days: no reason given. 9 days: the gate. 36 hours: a key." in picture.alt
    assert list(picture.data) == ["day from", "blocked", "waiting"]


@pytest.mark.parametrize(
    ("steps", "title"),
    [
        ([(0, 0, 0, 0)], "No task has arrived yet"),
        ([(2, 0, 0, 0), (1, 2, 1, 0)], "1 of 2 open tasks is in work"),
        ([(2, 0, 0, 0), (3, 5, 2, 2)], "The one open task is in work"),
        ([(3, 0, 0, 0)], "None of 3 open tasks is in work"),
        ([(1, 0, 0, 0)], "The one open task is not in work"),
        ([(1, 0, 0, 0), (0, 1, 1, 0)], "No task is open"),
        (
            [(9, 4, 0, 0), *[(0, 0, 0, 0)] * 89, (1, 2, 1, 0)],
            "5 of 9 open tasks are in work, 1 more than 90 days before",
        ),
        ([(9, 4, 0, 0), *[(1, 1, 1, 0)] * 90], "4 of 9 open tasks are in work, as many as 90 days before"),
        (
            [(9, 4, 0, 0), *[(0, 0, 0, 0)] * 89, (1, 0, 1, 0), *[(0, 0, 0, 0)] * 100],
            "3 of 9 open tasks are in work, 1 fewer than 90 days before 31 August 2025, and the same since",
        ),
    ],
)
def test_the_flow_is_told(steps, title):
    """How many of the open tasks are in work, against how many were before the time that the page counts."""
    assert charts.cumulative_flow(flow(steps)).title == title


@pytest.mark.parametrize(("as_of", "end"), [("2025-06-04T00Z", "2025-06-04T09"), ("2025-07-01T00Z", "2025-06-09")])
def test_no_line_goes_beyond_now(as_of, end):
    """A week that is not over is drawn up to the instant that it is as of, by the clock of the zone."""
    as_of, zone = datetime.fromisoformat(as_of), "Asia/Tokyo"
    weeks = pd.to_datetime(["2025-05-26", "2025-06-02"])
    rows = flow([(1, 0, 0, 0), (2, 1, 0, 0)]).assign(period_on=weeks)
    stuck = blocked([1, 2], [0, 0]).assign(period_on=weeks.repeat(2))
    for picture in (
        charts.cumulative_flow(rows, "week", as_of, zone),
        charts.blocked_over_time(stuck, reasons(), "week", as_of, zone),
    ):
        assert picture.figure.axes[0].lines[0].get_xdata()[-1] == pd.Timestamp(end)


@pytest.mark.parametrize(
    ("steps", "title"),
    [
        ([(0, 0, 0)], "No task has come or gone yet"),
        ([(2, 0, 0)], "2 tasks came and none went today: 2 more are to be done than before"),
        ([(1, 0, 0), (2, 3, 1)], "3 tasks came and 4 went in the last 2 days: 1 fewer is to be done than before"),
        ([(1, 0, 0), (2, 3, 0)], "3 tasks came and 3 went in the last 2 days: as many are to be done as before"),
        ([(0, 1, 0), (0, 1, 0)], "No task came and 2 went in the last 2 days: 2 fewer are to be done than before"),
        (
            [(1, 0, 0), (2, 3, 0), *[(0, 0, 0)] * 90],
            "3 tasks came and 3 went in 2 days up to 3 June 2025: as many are to be done as before",
        ),
    ],
)
def test_what_came_and_went_is_told(steps, title):
    """How many of both, and what that left; of a single period there is no picture."""
    picture = charts.arrivals(net(steps), "day")
    assert picture.title == title
    assert ("<img" in picture._repr_html_()) == (len(steps) > 1)


def test_what_came_long_before_a_migration_is_shown():
    """Where only what a migration found happened lately, what came before is drawn, and when it counts is said."""
    picture = charts.arrivals(net([*[(2, 1, 0)] * 20, *[(0, 0, 0)] * 300, (0, 0, 7)]), "day")
    assert picture.title.startswith("No task came and 7 went in the last 90 days: 7 fewer ")
    assert len(picture.data) == 321
    assert "It is counted when that was first seen." in picture.note


@pytest.mark.parametrize(
    ("states", "title", "lines"),
    [
        ([(0, 0, 0)], "There are no tasks yet", 0),
        ([(3, 1, 1), (0, 0, 0)], "No task is open or done any more", 0),
        ([(4, 1, 1)], "25 % of 4 tasks are done", 0),
        ([(4, 1, 1), (4, 2, 2)], "50 % of 4 tasks are done, 25 points more than on 2 June 2025", 1),
        ([(4, 2, 0), (8, 2, 1)], "25 % of 8 tasks are done, 25 points less than on 2 June 2025", 2),
        ([(1, 1, 1), (20, 5, 5), (20, 6, 6)], "30 % of 20 tasks are done, 5 points more than on 3 June 2025", 1),
        ([(0, 0, 0)] + [(9, n % 9, 0) for n in range(91)], "0 % of 9 tasks are done, as much as 90 days before", 2),
    ],
)
def test_the_share_is_told(states, title, lines):
    """What share, and how it changed; a line by size where that is another one, nothing of the first few tasks."""
    picture = charts.progress_over_time(shares(states), "day")
    assert picture.title == title
    assert ("<img" in picture._repr_html_()) == bool(lines)
    assert len(picture.figure.axes[0].lines if lines else []) == lines


def test_the_time_before_anything_moved_is_not_drawn():
    """Of the empty periods before the first one in which something happened there is one."""
    picture = charts.cumulative_flow(flow([(0, 0, 0, 0)] * 20 + [(3, 2, 1, 1)] * 9), "week")
    assert len(picture.data) == 10


def test_dates_are_those_of_the_zone():
    """Titles and axes tell the day that it was where the Dashboard is."""
    late = moved(-2.25, 3.0, 0.0, 0.0)  # from midnight of 10 January, UTC, to 18 h on the 10th
    assert charts.what_moved(late, "America/New_York").title.endswith("10 January 2026, not 9 January 2026")
    assert charts.what_moved(late, "Asia/Tokyo").title.endswith("11 January 2026, not 10 January 2026")
    story = timeline((0, "created", "A"), (1, "status", "in_progress"))
    assert "since 1 June 2025" in charts.task_strip(story, timezone="America/New_York").title
    assert "since 2 June 2025" in charts.task_strip(story).title
    assert list(charts.task_strip(story, timezone="Asia/Tokyo").data["when"]) == [
        "2025-06-02 09:00",
        "2025-06-02 10:00",
    ]


@pytest.mark.parametrize(
    ("days", "title"),
    [
        ([], "No task shows how long work takes: none is finished yet"),
        ([None], "No task shows how long work takes: how long one took is not known"),
        ([1.0], "The one finished task took 24 hours"),
        ([0.0, 2.0], "2 finished tasks took from less than a minute to 2 days; so few say nothing of the next one"),
        ([1 / 24] * 19, "19 finished tasks took 60 minutes; so few say nothing of the next one"),
        (range(1, 21), "Half of 20 finished tasks took at most 10 days, 85 % at most 17 days"),
    ],
)
def test_how_long_work_takes_is_told(days, title):
    """Percentiles from 20 tasks on; of fewer the range, of one its own time."""
    picture = charts.time_to_finish(times(list(days)))
    assert picture.title == title
    assert ("95 %: 19 days" in picture.svg) == (len(days) == 20) if len(days) > 1 else True


def test_how_long_work_takes_is_told_of_the_time_that_the_page_counts(tmp_path):
    """From the first period that is counted on, so that as many tasks are told of as were finished in it."""
    stories = [[(day + 1, "pending"), (day, "completed")] for day in range(300)]
    with dashkit.open(made(tmp_path / "d.db", stories), as_of=NOW, timezone="Asia/Tokyo") as d:
        for by, told in (("day", "90 days"), ("week", "26 weeks"), ("month", "11 months")):
            finished = d.throughput(by)
            picture = charts.time_to_finish(d.lead_times(), d.timezone, charts.counted_since(finished, "finished", by))
            number = re.match(r"Half of (\d+) ", picture.title)[1]
            assert charts.finished_by_period(finished, by).title.startswith(
                f"{number} tasks were finished in the last {told}"
            )
        assert "tasks finished since 2 June 2025 took" in charts.time_to_finish(d.lead_times(), d.timezone).title
    assert charts.time_to_finish(times([1.0]), since=datetime(2026, 1, 1, tzinfo=UTC)).title == (
        "No task that was finished since 1 January 2026 shows how long work takes"
    )
    assert charts.counted_since(periods(0).assign(finished=whole([])), "finished", "day") is None


def test_percentiles_are_those_of_the_frame_ageing(tmp_path):
    """The picture of finished work and the frame of work in progress name the same days."""
    stories = [[(40 + n, "in_progress"), (40, "completed")] for n in range(1, 25)]
    with dashkit.open(made(tmp_path / "d.db", [*stories, [(3, "in_progress")]]), as_of=NOW) as d:
        row = d.ageing().iloc[0]
        assert (row.p50_days, row.p85_days) == (12, 21)
        assert charts.time_to_finish(d.cycle_times()).title.endswith("took at most 12 days, 85 % at most 21 days")


@pytest.mark.parametrize(
    ("ages", "title"),
    [
        ([], "No task is in work"),
        ([2.0], "The one begun task has not been"),
        ([4.0], "The one begun task has been"),
        ([1, 2], "None of 2 begun tasks has been"),
        ([1, 4], "1 of 2 begun tasks has been"),
        ([5, 4], "All 2 begun tasks have been"),
        ([5, 4, 1], "2 of 3 begun tasks have been"),
    ],
)
def test_old_work_is_told(ages, title):
    """How many are older than most finished ones were."""
    than = "in work for longer than 85 % of the finished ones whose start is known took (3 days)"
    assert charts.ageing(work(ages)).title == (f"{title} {than}" if ages else title)


def test_without_percentiles_work_is_as_old_as_it_is():
    """Of fewer than 20 finished tasks nothing says what is old."""
    picture = charts.ageing(work([3.0, 1.0], limits=(None, None, None)))
    assert picture.title == "2 tasks are in work, the oldest for 3 days"
    assert "Of fewer than 20 finished tasks the start is known" in picture.note


def test_an_age_that_nobody_saw_begin_is_at_least_so_much():
    """The title says so as the rows do, and a range of one time is that time."""
    frame = work([0.005] * 8, limits=(None, None, None)).assign(is_estimated=True)
    picture = charts.ageing(frame)
    assert picture.title == "8 tasks are in work, the oldest for at least 7 minutes"
    assert picture.svg.count(">at least 7 minutes<") == 7
    assert "7 minutes to 7" not in picture.svg
    new = charts.ageing(frame.assign(age_days=0.0))
    assert new.title == "8 tasks are in work, the oldest for at least a moment"
    assert "less than" not in new.svg
    than = "been in work for longer than 85 % of the finished ones whose start is known took (3 days)"
    some = work([5, 2, 1]).assign(is_estimated=[False, True, False])
    assert charts.ageing(some).title == f"At least 1 of 3 begun tasks has {than}"
    assert charts.ageing(some.tail(2)).title == f"None of 2 begun tasks is known to have {than}"
    assert charts.ageing(some.iloc[[1]]).title == f"The one begun task is not known to have {than}"


@pytest.mark.parametrize(
    ("days", "title"),
    [
        (
            (-2.0, 3.0, 0.0, 0.0),
            "The date of 50 tasks is 1 day later than it was: 11 January 2026, not 10 January 2026",
        ),
        (
            (-2.0, 0.0, 0.0, 0.0),
            "The date of 50 tasks is 2 days earlier than it was: 8 January 2026, not 10 January 2026",
        ),
        ((-2.0, 2.0, 0.0, 0.0), "The date of 50 tasks stays: 10 January 2026"),
        ((None, None, None, None), "No date"),
    ],
)
def test_what_moved_is_told(days, title):
    """How far in all, and from when to when; no date, no chart."""
    picture = charts.what_moved(moved(*days, sentence="No date." if days[0] is None else None))
    assert picture.title == title
    assert ("<img" in picture._repr_html_()) == (days[0] is not None)


@pytest.mark.parametrize(
    ("days", "then", "left", "title"),
    [
        (
            5.0,
            29,
            107,
            "The date is 5 days later than it was: 107 more tasks by 15 January 2026, where it was 29 by 10",
        ),
        (-5.0, 29, 1, "The date is 5 days earlier than it was: 1 more task by 5 January 2026, where it was 29 by 10"),
        (0.0, 29, 30, "The date stays: 30 more tasks by 10 January 2026, where it was 29"),
    ],
)
def test_each_date_is_told_with_its_own_number_of_tasks(days, then, left, title):
    """The number beside a date is that of the tasks which the date is about, in the title and beside both marks."""
    picture = charts.what_moved(moved(-2.0, 2.0 + days, 0.0, 0.0, tasks=then, left=left))
    assert picture.title.startswith(title)
    assert f">Then: {then} tasks<" in picture.svg
    assert f">Now: {left} task{'s' * (left != 1)}<" in picture.svg
    assert picture.data["tasks to finish"].iloc[-1] == left


@pytest.mark.parametrize(
    ("days", "left", "title"),
    [
        (5.0, 20, "is 5 days later than it was: 15 January 2026, not 10 January 2026; 20 are left"),
        (-5.0, 1, "is 5 days earlier than it was: 5 January 2026, not 10 January 2026; 1 is left"),
        (0.0, 50, "stays: 10 January 2026"),
        (-2.0, 0, "were to be done by 10 January 2026; as many were done by 8 January 2026, 2 days earlier"),
    ],
)
def test_the_date_of_the_next_tasks_is_that_of_those_that_are_left(days, left, title):
    """Where what came since is no part of them, the date is told of all of them, with how many are left."""
    frame = moved(-2.0, 2.0 + days, 0.0, 0.0, left=left)
    frame.loc[frame["part"] == "scope", "change"] = pd.NA
    picture = charts.what_moved(frame)
    begin = "The date of the next 50 tasks" if left else "The next 50 tasks"
    assert picture.title == f"{begin} {title}"
    assert ("<img" in picture._repr_html_()) == (">Then: the next 50 tasks<" in picture.svg)


@pytest.mark.parametrize(("tasks", "title"), [
    (36, "36 tasks were to be done by 10 January 2026; as many were done by 8 January 2026, 2 days earlier"),
    (1, "1 task was to be done by 10 January 2026; one was done by 8 January 2026, 2 days earlier"),
])  # fmt: skip
def test_what_is_done_has_no_date_ahead(tasks, title):
    """Where nothing is left to be finished, the date is the one on which as many had been."""
    picture = charts.what_moved(moved(-2.0, 0.0, 0.0, 0.0, tasks=tasks, left=0))
    assert picture.title == title
    assert ">Now: all finished<" in picture.svg


def test_a_part_that_moved_nothing_is_in_the_table_alone():
    """The drawing shows what moved the date; the words and the data have every part."""
    picture = charts.what_moved(moved(-2.0, 5.0, 0.0, -1.0))
    assert "reopened" not in picture.svg
    assert "2 tasks reopened: 0.0 days." in picture.alt
    assert picture.data["days"].sum() == 2


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ([], "There are no commits"),
        ([0, 3], "There is no whole day with a commit yet"),
        ([1, 0], "1 commit on 1 day: Monday 2 June 2025"),
        ([1, 4, 9], "5 commits on 2 days; the busiest was Tuesday 3 June 2025 with 4"),
        ([2, 0, 2, 9], "4 commits on 2 days"),
    ],
)
def test_the_calendar_is_told(counts, title):
    """The day that is not over is in no number."""
    assert charts.commit_calendar(commits(counts)).title == title


@pytest.mark.parametrize(
    ("events", "title"),
    [
        ([], "Nothing is known of this task"),
        ([(0, "created", "A")], "A: pending since 2 June 2025, without a commit"),
        (
            [(0, "created", None), (1, "status", "in_progress")],
            "Task 7: in progress since 2 June 2025, without a commit",
        ),
        (
            [(0, "created", "A"), (1, "renamed", "B"), (2, "commit", "c"), (48, "done", None), (99, "gone", None)],
            "B: done 2 days after it came, with 1 commit",
        ),
        (
            [(0, "created", "A"), (1, "session", "s"), (2, "commit", "c"), (3, "commit", "d"), (4, "gone", None)],
            "A: gone since 2 June 2025, with 2 commits and 1 session",
        ),
    ],
)
def test_the_story_of_a_task_is_told(events, title):
    """Its last title, what became of it, and what was made for it; a file that forgets a done task says nothing."""
    assert charts.task_strip(timeline(*events)).title == title


def test_a_block_goes_on_where_a_task_comes_back():
    """While it is gone it is not blocked; what comes back as it was is, and the title says so."""
    told = [(0, "created", "A"), (24, "blocked", "a key"), (48, "gone", None), (50, "commit", "c"), (72, "back", None)]
    picture = charts.task_strip(timeline(*told), datetime(2025, 6, 12, tzinfo=UTC))
    assert picture.title == "A: blocked since 5 June 2025, with 1 commit"
    freed = charts.task_strip(timeline(*told, (80, "unblocked", "pending")), datetime(2025, 6, 12, tzinfo=UTC))
    assert freed.title == "A: pending since 5 June 2025, with 1 commit"


def test_a_block_that_nobody_saw_begin_may_have_begun_earlier():
    """What the first look found is dated by it as the latest that it began."""
    story = timeline((0, "created", "A"), (24, "blocked", "a key"))
    title = "A: blocked since 3 June 2025{}, without a commit"
    assert charts.task_strip(story).title == title.format("")
    assert charts.task_strip(story.assign(is_estimated=True)).title == title.format(" or earlier")


def test_a_task_that_is_not_done_is_drawn_up_to_now():
    """What it waits for, it waits for still; a done one ends with its last work."""
    open_ones, done = [(0, "created", "A"), (1, "waiting", "B")], [(2, "freed", "B"), (3, "done", None)]
    late = datetime(2025, 6, 12, tzinfo=UTC)
    assert charts.task_strip(timeline(*open_ones), late).note == "Up to 12 June 2025."
    assert charts.task_strip(timeline(*open_ones, *done), late).note == "Up to 2 June 2025."


def test_every_project_is_drawn():
    """The one that finished most is on top, then come blocked ones, then those with most to do; ten at most."""
    rows = [("A", 4, 1, 0, [0, 2]), ("B", 4, 1, 1, [0, 0]), ("C", 4, 1, 0, [0, 0]), ("E", 9, 1, 0, [0, 0])]
    picture = charts.projects(*portfolio(*rows, ("D", 4, 1, 0, [5, 2]), ("Empty", 0, 0, 0, [0, 0])))
    assert picture.title == "2 of 6 projects finished tasks in the last 2 weeks; D most: 7"
    assert picture.data["project"].tolist() == ["D", "A", "B", "E", "C"]
    assert "Without a task, and not shown: 1 project." in picture.note
    many = charts.projects(*portfolio(*[("A", 4, 1, 0, [1])] * 12))
    assert (len(many.data), "Not drawn: 2 more projects, which are in the table." in many.note) == (12, True)
    alone = charts.projects(*portfolio(("A", 4, 1, 0, [1])))
    assert alone.title == "A finished 1 task this week"
    assert charts.projects(*portfolio(("A", 4, 1, 0, [0]))).title == "No project finished a task this week"


def test_what_is_of_no_project_is_counted_once_and_is_no_project():
    """Tasks of a project that is gone, and of none, are one row; the title counts projects that are there."""
    frame, done = portfolio(("A", 4, 1, 0, [1]), (None, 3, 1, 1, [2]), (None, 2, 2, 0, [4]))
    frame.loc[2, "project_id"] = pd.NA
    done.loc[done["project_id"] == 3, "project_id"] = pd.NA
    picture = charts.projects(frame, done)
    assert picture.title == "A finished 1 task this week"
    assert picture.data.iloc[:, :4].to_numpy().tolist() == [["A", 4, 1, 0], ["tasks of no project", 5, 3, 1]]
    assert picture.data.iloc[1, 4] == "6"
    bars = charts.progress_by_project(frame.assign(progress=frame["checked"] / frame["tasks"]))
    assert bars.data["project"].tolist() == ["tasks of no project", "A"]


NOUNS = "task|day|hour|minute|commit|session|project|week"


def spoken(picture):
    """The sentences of a picture are grammatical: one task is, two tasks are; the drawing is well-formed."""
    text = " ".join(filter(None, (f"{picture.title}.", picture.note, picture.alt)))
    assert not re.search(rf"(?<![\d,.])1 (?:{NOUNS})s\b", text), text
    assert not re.search(rf"(?<![\d,.])(?:0|[2-9]|[\d,]{{2,}}) (?:{NOUNS})\b", text), text
    assert not re.search(r"(?<![\d,.])1 (?:are|were|have|wait)\b", text), text
    assert not re.search(r"(?<![\d,.])(?:[2-9]|[\d,]{2,}) (?:is|was|has|waits)\b", text), text
    assert "  " not in text, text
    assert not re.search(r"nan|NaT|<NA>|None(?! of )|\.\.", text), text
    if len(picture.data):
        ET.fromstring(picture.svg)


@SETTINGS
@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=60), COUNTS)
def test_any_burn_up_is_spoken(states, at_least):
    """Whatever the counts are."""
    forecast, fan = promises(max(2, at_least))
    spoken(charts.burn_up(progress([(max(each), min(each)) for each in states]), fan, forecast))


@pytest.mark.slow
@SETTINGS
@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=120), st.lists(st.tuples(COUNTS, DAYS), max_size=5))
def test_any_block_is_spoken(states, told):
    """Whatever the counts are."""
    rows = [("waiting", "a key", max(1, tasks), days) for tasks, days in told]
    spoken(charts.blocked_over_time(blocked([one for one, _ in states], [two for _, two in states]), reasons(*rows)))


@SETTINGS
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).map(lambda four: sorted(four, reverse=True)), max_size=90))
def test_any_flow_is_spoken(steps):
    """Whatever came and went."""
    spoken(charts.cumulative_flow(flow([(a, b, c, min(d, b - c)) for a, b, c, d in steps])))


@SETTINGS
@given(st.lists(st.none() | DAYS, max_size=40), st.booleans())
def test_any_duration_is_spoken(days, is_estimated):
    """From no time at all to years."""
    spoken(charts.time_to_finish(times(days, is_estimated=is_estimated)))


@SETTINGS
@given(st.lists(DAYS, max_size=12), st.lists(DAYS, min_size=3, max_size=3).map(sorted))
def test_any_age_is_spoken(ages, limits):
    """Whatever the ages and the percentiles are."""
    spoken(charts.ageing(work(ages, limits)))


@pytest.mark.slow
@SETTINGS
@given(st.tuples(*[st.floats(-300, 300)] * 4))
def test_any_move_is_spoken(days):
    """Back, forth, or not at all."""
    spoken(charts.what_moved(moved(*days, sentence="So many: so far.")))


@SETTINGS
@given(st.lists(COUNTS, max_size=300))
def test_any_calendar_is_spoken(counts):
    """Whatever the days hold."""
    spoken(charts.commit_calendar(commits(counts)))


KINDS = ["status", "blocked", "reason", "unblocked", "done", "reopened", "gone", "back", "waiting", "freed", "commit",
         "session", "deleted", "sized", "moved"]  # fmt: skip


@SETTINGS
@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(KINDS)), max_size=30))
def test_any_story_is_spoken(events):
    """In any order of events."""
    told = [(0, "created", "A"), *((hours, kind, "in_progress") for hours, kind in sorted(events))]
    spoken(charts.task_strip(timeline(*told)))


@pytest.mark.slow
@SETTINGS
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), max_size=14))
def test_any_portfolio_is_spoken(rows):
    """Whatever the projects hold."""
    if rows:
        spoken(charts.projects(*portfolio(*[("A", a + b + c, b, c, [d, d % 2]) for a, b, c, d in rows])))


@given(st.lists(st.floats(-0.5, 1.5), max_size=8).map(sorted), st.floats(0.01, 0.1))
def test_labels_are_pushed_apart(heights, gap):
    """No two are nearer than the gap, none is above the top, and none moves without need."""
    placed = apart(heights, gap)
    assert all(other - one >= gap * 0.999 for one, other in pairwise(placed))
    assert not placed or placed[-1] <= 1
    alone = all(other - one >= gap for one, other in pairwise(heights))
    assert placed == pytest.approx(heights, abs=1e-9) or not alone or heights[-1] > 1


@given(st.text(max_size=80), st.integers(2, 40))
def test_a_name_is_cut_to_its_room(text, room):
    """It is never wider than its room, and an empty one is the fallback."""
    found = short(text, "task 1", room)
    assert columns(found) <= room
    assert found


@given(st.floats(0, 5000))
def test_a_duration_is_spoken(days):
    """One minute, two minutes; it is never off by more than its last digit."""
    number, unit = re.fullmatch(r"(?:less than )?(a|[\d,.]+) (minute|hour|day)s?", duration(days)).groups()
    value = 1 if number == "a" else float(number.replace(",", ""))
    assert abs(timedelta(**{f"{unit}s": value}) / timedelta(days=1) - days) <= {
        "minute": 1,
        "hour": 24 * 0.03,
        "day": 0.51,
    }[unit] / (1440 if unit == "minute" else 24 if unit == "hour" else 1)


def test_how_far_it_was_ends_now():
    """A period that is not over is drawn up to the instant of the view, also where there is no forecast."""
    states = progress([(10, day // 4) for day in range(30)])
    states.loc[29, "is_partial"] = True
    now = states["period_on"].iloc[-1].to_pydatetime().replace(tzinfo=UTC) + timedelta(hours=5)
    forecast, fan = promises(22, refused="none")
    share = shares([(10, day // 4, day // 4) for day in range(30)])
    for picture in (
        charts.burn_up(states, fan, forecast, "day", now, "Asia/Tokyo"),
        charts.progress_over_time(share, "day", now, "Asia/Tokyo"),
    ):
        end = picture.figure.axes[0].lines[0].get_xdata()[-1]
        assert end == pd.Timestamp(now).tz_localize(None) + timedelta(hours=9)


@pytest.mark.parametrize(("estimated", "paler"), [(0, False), (4, False), (5, True), (10, True)])
def test_how_far_it_was_is_paler_where_nobody_saw_it(estimated, paler):
    """Where the states of half of the tasks or more were found, not seen, the lines are paler, and it is said."""
    states = progress([(10, day // 4) for day in range(30)])
    states.loc[:9, "estimated"] = estimated
    forecast, fan = promises(22)
    share = shares([(10, day // 4, day // 4) for day in range(30)])
    share.loc[:9, "estimated"] = estimated
    for picture in (charts.burn_up(states, fan, forecast), charts.progress_over_time(share, "day")):
        first, *_ = picture.figure.axes[0].lines
        assert np.isnan(first.get_ydata()).tolist() == [paler] * 10 + [False] * 20
        assert ("Paler: of half of it or more nobody saw when it began." in picture.note) == paler
