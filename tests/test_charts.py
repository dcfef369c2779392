"""The charts: the title is the finding, and it is true."""

import json
import re
from itertools import combinations

import pandas as pd
import pytest
from builders import insert, v2_1_database, v2_database
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

import dashkit
from dashkit import charts
from dashkit.charts.picture import table_html
from dashkit.charts.tables import days_in_words
from dashkit.cli import main
from dashkit.reports.sanitize import clean


def _progress(*rows):
    frame = pd.DataFrame(rows, columns=["project_id", "project", "tasks", "checked", "blocked"])
    frame["progress"] = (frame["checked"] / frame["tasks"]).astype("Float64")
    return frame


def _speed(*rows, tasks=1587):
    columns = ["query", "without_ms", "with_ms", "faster_pct", "claimed_pct"]
    frame = pd.DataFrame(rows, columns=columns).assign(tasks=tasks, plan="plan")
    times = ["without_ms", "with_ms", "faster_pct"]
    return frame.astype(dict.fromkeys(times, "Float64") | {"claimed_pct": "Int64", "tasks": "Int64"})


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([(1, "A", 10, 5, 0)], "50 % of 10 tasks are checked; nothing is blocked"),
        ([(1, "A", 10000, 9999, 1)], "99 % of 10,000 tasks are checked; 1 is blocked"),
        ([(1, "A", 10000, 1, 2)], "1 % of 10,000 tasks are checked; 2 are blocked"),
        ([(1, "A", 3, 3, 0)], "100 % of 3 tasks are checked; nothing is blocked"),
        ([(1, "A", 3, 0, 0)], "0 % of 3 tasks are checked; nothing is blocked"),
        ([], "There are no tasks yet"),
    ],
)
def test_the_title_of_progress_is_true(rows, title):
    """Almost all is not 100 %, more than nothing is not 0 %, and no tasks is no percentage."""
    picture = charts.progress_by_project(_progress(*rows))
    assert picture.title == title
    assert picture.alt.startswith(title)
    assert "<figure " in picture._repr_html_()


def test_a_notebook_shows_words_from_the_left_and_no_mathematics():
    """Text is set to the left, numbers are not; ids and dates stay in one line; between dollar signs is text."""
    rows = pd.DataFrame({"id": ["a-1"], "title": ["costs $5 and $6"], "tasks": pd.array([1000], dtype="Int64")})
    html = charts.Table("So $5 and $6:", rows)._repr_html_()
    assert html.startswith('<figure class="mathjax_ignore tex2jax_ignore"><figcaption>So $5 and $6:')
    assert re.findall(r'<td data-head="(\w+)"( style="[^"]*")?>', html) == [
        ("id", ' style="text-align:left;white-space:nowrap"'),
        ("title", ' style="text-align:left"'),
        ("tasks", ""),
    ]
    assert re.findall(r'<th scope="col"( style="[^"]*")?>', html)[2] == ""
    assert " style=" not in clean(html)
    links = pd.DataFrame({"title": ["$a$"]})
    pictures = [charts.progress_by_project(_progress((1, "$a$", 2, 1, 0))), charts.links_table(links.iloc[:0])]
    assert all('class="mathjax_ignore ' in one._repr_html_() for one in pictures)


def test_of_many_rows_over_time_the_last_ones_are_shown():
    """A table of days that is cut ends today; another one begins at its beginning."""
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=400), "tasks": range(400)})
    for data, which, shown in ((days, "last", (100, 399)), (days[["tasks"]], "first", (0, 299))):
        html = charts.Picture(Figure(), "T", "T", data)._repr_html_()
        assert f"The data as a table: the {which} 300 of 400 rows" in html
        cells = re.findall(r"<td>(\d+)</td>", html)
        assert (int(cells[0]), int(cells[-1])) == shown


def test_a_day_in_a_table_has_no_hour():
    """Days and instants may stand in one column: midnight is the day."""
    days = pd.to_datetime(["2026-01-02 00:00", "2026-01-03 12:30", None])
    html = table_html(pd.DataFrame({"when": days}))
    assert re.findall("<td>(.*)</td>", html) == ["2026-01-02", "2026-01-03 12:30", ""]


def test_a_project_without_a_name_or_with_a_hostile_one_is_drawn():
    """Names from outside are text: no mathematics, no markup, no crash, and cut where they are long."""
    picture = charts.progress_by_project(
        _progress((1, pd.NA, 4, 1, 0), (2, "cost $5 and $\\frac$ <script>", 4, 1, 0), (3, "x" * 500, 4, 1, 0))
    )
    html = picture._repr_html_()
    assert "<script>" not in html
    assert "tasks of no project 25 %" in picture.alt
    assert "x" * 40 not in picture.alt
    wide = charts.progress_by_project(_progress((4, "漢" * 60, 5, 5, 0), (5, "漢" * 17, 5, 5, 0)))
    assert "漢" * 16 + "… 100 %" in wide.alt
    assert "漢" * 17 + " 100 %" in wide.alt


def test_the_title_of_the_query_speed_counts_what_was_measured():
    """The finding says how many of the queries gain what is claimed; a slower one is drawn as such."""
    picture = charts.query_speed(
        _speed(("a", 2.0, 0.1, 95.0, 90), ("b", 2.0, 1.0, 50.0, 80), ("c", 1.0, 1.5, -50.0, 85))
    )
    assert picture.title == "1 of 3 measured queries gain as much from the indexes as claimed"
    assert "gain \N{MINUS SIGN}50 %, claim 85 %" in picture.svg
    assert list(picture.data["plan"]) == ["plan"] * 3


def test_the_chart_of_query_speed_says_which_dot_is_which_and_that_it_is_logarithmic():
    """The first row names its two dots, each on its outer side, and the axis says what its steps are."""
    svg = charts.query_speed(_speed(("a", 2.0, 0.1, 95.0, 90), ("b", 0.5, 0.7, -40.0, 80))).svg
    words = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert words.count("with indexes") == words.count("without") == 1
    assert "Logarithmic: each line is ten times the one before" in words
    assert "a, 1,587 tasks" in words


@pytest.mark.parametrize("rows", [[], [("a", pd.NA, pd.NA, pd.NA, 90)]])
def test_a_query_that_was_not_measured_is_in_the_table_alone(rows):
    """Without a time there is no dot; without any the chart says so."""
    picture = charts.query_speed(_speed(*rows))
    assert picture.title == "No query could be measured"
    assert len(picture.data) == len(rows)
    assert "<figure " in picture._repr_html_()
    assert charts.query_speed(_speed(*rows, ("b", 0.0, 0.0, 0.0, 90))).title.startswith("0 of 1 measured")


def test_a_chart_is_read_on_a_phone():
    """At the width of a phone, 320 pixels, the smallest words are still of nine pixels, and no label meets another."""
    long = (7, "ж" * 60, 10_000_000, 9_999_999, 1)
    for picture in (
        charts.progress_by_project(_progress((1, "A", 10, 5, 0), long)),
        charts.query_speed(_speed(("commits of a task", 2.0, 2.2, -11.0, 85), tasks=1_000_000)),
    ):
        picture.figure.draw_without_rendering()
        scale = 320 / (picture.figure.get_figwidth() * 96)
        texts = [text for text in picture.figure.findobj(Annotation) if text.get_text()]
        assert min(text.get_fontsize() for text in texts) * 96 / 72 * scale >= 9
        boxes = [text.get_window_extent() for text in texts]
        assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
        assert all(box.x0 >= 0 and box.x1 <= picture.figure.bbox.x1 for box in boxes)


@pytest.mark.parametrize(
    ("days", "basis", "words"),
    [
        (476.693927, "not_before", "at most 477 days"),
        (476.3, "not_before", "at most 477 days"),
        (0.0, "not_before", "at most 1 minute"),
        (1.2, "not_before", "at most 29 hours"),
        (1200.0, "not_before", "at most 1,200 days"),
        (3.21, "event", "3.2 days"),
        (476.3, "event", "476 days"),
        (0.1, "event", "2.4 hours"),
        (0.0, "event", "less than a minute"),
        (3.9, "version", "at least 3 days"),
        (0.3, "version", "at least 7 hours"),
        (1 / 24, "version", "at least 60 minutes"),
        (0.0, "version", "at least a moment"),
        (None, None, "not known"),
    ],
)
def test_days_say_what_they_stand_on(days, basis, words):
    """A bound is rounded so that it stays one, and called one; a time that is exact or not known is told as such."""
    assert days_in_words(days, basis) == words


def test_what_is_stuck_is_a_table_to_read(tmp_path):
    """The frame stays numeric; its table says title, project, reason and for how long, in words and in its order."""
    stale = {"status": "blocked", "created_at": "2025-01-01 00:00:00", "updated_at": "2025-01-01 00:00:00"}
    path = v2_database(
        tmp_path / "dash.db",
        tasks=[{**stale, "title": "Old", "blocked_reason": "no <keys>"}, {"status": "blocked", "title": "New"}],
    )
    with dashkit.open(path, as_of="2025-03-01T12:00:00Z") as dashboard:
        frame = dashboard.blocked_tasks()
    assert frame["blocked_days"].tolist()[0] == 59.5
    table = charts.blocked_table(frame)
    assert table.title == "The blocked tasks, the longest first:"
    assert table.data.to_dict("records") == [
        {"id": "1", "title": "Old", "reason": "no <keys>", "blocked for": "at most 60 days"},
        {"id": "2", "title": "New", "reason": "not given", "blocked for": "not known"},
    ]
    assert "no &lt;keys&gt;" in table._repr_html_()
    one = charts.blocked_table(frame, most=1)
    assert (len(one.data), one.more, "And 1 more." in one._repr_html_()) == (1, 1, True)
    none = charts.blocked_table(frame.head(0))
    assert none.title == "Nothing is blocked, and no task waits for another one."
    assert "<table" not in none._repr_html_()
    assert charts.waiting_table(frame)._repr_html_() == "", "blocked_table has said it"


def test_show_says_at_most_to_people_and_the_number_to_programs(tmp_path, capsys):
    """`dashkit show blocked_tasks` prints the bound in words beside its basis; JSON and CSV keep the number."""
    stale = {"status": "blocked", "created_at": "2025-01-01 00:00:00", "updated_at": "2025-01-01 00:00:00"}
    path = str(v2_database(tmp_path / "dash.db", tasks=[stale]))
    assert main(["show", "blocked_tasks", "--db", path]) == 0
    assert re.search(r"  at most \d+ days +not_before$", capsys.readouterr().out, re.MULTILINE)
    assert main(["show", "blocked_tasks", "--db", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["blocked_days"] > 100
    assert main(["show", "blocked_tasks", "--db", path, "--csv"]) == 0
    assert "at most" not in capsys.readouterr().out


def _weeks(column, *counts, first="2025-01-06"):
    weeks = pd.date_range(first, periods=len(counts), freq="7D").astype("datetime64[us]")
    frame = pd.DataFrame({"period_on": weeks, column: pd.array(counts, dtype="Int64")})
    return frame.assign(estimated=0, is_partial=[*[False] * (len(counts) - 1), True][: len(counts)])


@pytest.mark.parametrize(
    ("counts", "title", "drawn"),
    [
        ([2, 0, 3, 1], "6 tasks were finished in the last 4 weeks, 3 in the last whole one", 4),
        ([1] * 40, "26 tasks were finished in the last 26 weeks, 1 in the last whole one", 26),
        (
            [5, 1, *[0] * 30],
            "6 tasks were finished in 2 weeks up to that of 13 January 2025, and none since",
            2,
        ),
        ([*[1] * 30, *[0] * 26], "26 tasks were finished in 26 weeks up to that of 28 July 2025, and none since", 26),
        ([1, *[0] * 26], "1 task was finished in the week of 6 January 2025, and none since", 1),
        ([0, 0, 0], "No task has been finished yet", 0),
        ([], "There is no task that could be finished", 0),
    ],
)
def test_what_was_finished_is_shown_where_it_was(counts, title, drawn):
    """An idle project shows its last weeks of work, and says so; where nothing was ever done there is a sentence."""
    picture = charts.finished_by_period(_weeks("finished", *counts))
    assert (picture.title, len(picture.data)) == (title, drawn)
    assert picture.alt.startswith(title)
    assert ("<img" in picture._repr_html_()) == bool(drawn)


def test_the_words_of_a_chart_of_weeks_are_read_on_a_phone():
    """On a phone of 360 pixels they have nine pixels, and the data have headers of words."""
    picture = charts.commits_by_period(_weeks("commits", *range(100, 126)))
    picture.figure.draw_without_rendering()
    scale = 320 / (picture.figure.get_figwidth() * 96)
    texts = [text for text in picture.figure.findobj(Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) * 96 / 72 * scale >= 9
    numbers = [text.get_text() for text in picture.figure.findobj(Annotation)]
    assert numbers == ["125"]
    assert list(picture.data) == ["week from", "commits", "not whole"]


def test_a_task_is_named_by_the_id_that_the_command_takes(tmp_path):
    """Every table of tasks has the id of the file, else that of the row; no header is a programmer's word."""
    path = v2_1_database(
        tmp_path / "dash.db",
        tasks=[
            {"title": "a", "external_id": "T1", "status": "blocked"},
            {"title": "b", "external_id": "T2"}, {"title": "c"},
            {"title": "d", "external_id": "T4", "checked": 1, "created_at": "2025-12-01T00:00:00Z",
             "completed_at": "2026-01-01T00:00:00Z"},
        ],
    )  # fmt: skip
    insert(path, "task_dependencies", task_id=3, depends_on_id=2)
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    for sha, lines in (("c" * 40, 5), ("d" * 40, None)):
        insert(path, "git_commits", sha=sha, repo_id="r", message=sha[0], timestamp="2026-01-02T00:00:00Z",
               insertions=lines, deletions=lines)  # fmt: skip
        insert(path, "git_repo_commits", repo_id="r", sha=sha)
    for task, sha in ((1, "c"), (3, "c"), (3, "d")):
        insert(path, "task_commit_links", id=f"{task}{sha}", task_id=task, commit_sha=sha * 40, confidence=1,
               link_type="explicit")  # fmt: skip
    with dashkit.open(path) as d:
        blocked = d.blocked_tasks()
        tables = [charts.blocked_table(blocked), charts.waiting_table(blocked), charts.activity_table(d.activity())]
        tables.append(charts.left_out_table(d.left_out()))
        assert d.commit_activity()["insertions"].isna().tolist()[0], "nor are those of their week"
    assert [table.data["id"].tolist() for table in tables[:3]] == [["T1"], ["3"], ["c" * 10, "d" * 10, "T4"]]
    stuck = pd.concat([blocked.head(1)] * 4, ignore_index=True).assign(task_id=[1, 7, 8, 9])
    told = charts.blocked_table(stuck.assign(external_id=pd.array(["T1", "2", "T3", "T3"], "string")))
    assert told.data["id"].tolist() == ["T1", "7", "8", "9"], "a number is that of a row, and T3 would be two tasks"
    assert not [name for table in tables if len(table.data) for name in table.data if "_" in name]


@pytest.mark.parametrize(
    ("checked", "title"),
    [
        ([0], "The one phase is not finished:"),
        ([2], "The one phase is finished."),
        ([0, 1], "None of 2 phases is finished:"),
        ([2, 1], "1 of 2 phases is finished; this one is not:"),
        ([2, 2], "2 of 2 phases are finished."),
        ([2, 2, 1, 0], "2 of 4 phases are finished; these are not:"),
    ],
)
def test_phases_are_told_in_words(checked, title):
    """However many there are and however many of them are finished; those that are not have a row."""
    frame = _progress(*((1, "A", 2, done, 0) for done in checked)).assign(part="p")
    table = charts.phase_table(frame)
    assert table.title == title
    assert len(table.data) == sum(done < 2 for done in checked)


@pytest.mark.parametrize(
    ("causes", "titles"),
    [
        (["reported"], ["The blocked task; nobody said why:", ""]),
        (["reported", "waiting"], ["The blocked task; nobody said why:", "The waiting task:"]),
        (["waiting", "waiting"], ["", "The waiting tasks, the longest first; nothing is blocked:"]),
    ],
)
def test_what_is_stuck_is_counted_once(causes, titles):
    """The titles of the tables say what stands in them; how many there are the picture above has said."""
    rows = {"task_id": 1, "title": "t", "project": "A", "cause": causes, "frees": 0, "blocked_days": 1.0}
    frame = pd.DataFrame(rows).assign(external_id=pd.NA, basis="event")
    reasons = ["reason" if cause == "waiting" else pd.NA for cause in causes]
    frame["blocked_reason"] = pd.array(reasons, "string")
    assert [table(frame).title for table in (charts.blocked_table, charts.waiting_table)] == titles


def test_no_phase_is_no_word():
    """Nobody misses what the project does not use."""
    assert charts.phase_table(_progress((1, "A", 2, 0, 0)).assign(part=pd.NA))._repr_html_() == ""


def _linked(*confidences, kind="commit"):
    """The frame links of so many links, the newest first."""
    number = len(confidences)
    frame = pd.DataFrame({"task_id": range(number), "task": [f"Task {n}" for n in range(number)], "kind": kind})
    frame["occurred_at"] = pd.date_range("2026-01-09T23:30", periods=number, freq="-1D", tz="UTC")
    frame["title"] = pd.array([None, *["<b>fix</b>"] * (number - 1)], dtype="string")
    return frame.assign(target=["c" * 40] * number, confidence=pd.array(confidences, dtype="Float64"))


def test_each_task_has_its_latest_link_with_its_confidence():
    """A row a task, the latest first, however many links it has; where each is sure that is said once, below."""
    frame = _linked(0.6, 1.0, 1.0, 0.85, None, 1.0).assign(task_id=[1, 1, 2, 3, 4, 1])
    table = charts.links_table(frame, most=3)
    assert table.title == "4 tasks are linked with 1 commit; the latest:"
    assert list(table.data) == ["task", "commit", "on", "confidence"]
    assert list(table.data["task"]) == ["Task 0", "Task 2", "Task 3"]
    assert list(table.data["confidence"]) == ["0.6", "1", "0.85"]
    assert list(table.data["on"]) == ["2026-01-09", "2026-01-07", "2026-01-06"]
    assert list(table.data["commit"]) == [f"{'c' * 10}; and 2 more", "<b>fix</b>", "<b>fix</b>"], "else by its sha"
    assert table.note == "Confidence 1: the commit names the task, or somebody said so; less is inferred."
    alike = charts.links_table(_linked(1.0, 1.0, kind="session"), timezone="Asia/Tokyo")
    assert "<input" not in alike._repr_html_()
    assert list(alike.data) == ["task", "session", "on"]
    assert list(alike.data["on"]) == ["2026-01-10", "2026-01-09"]
    assert alike.note == "Each is of confidence 1: the commit names the task, or somebody said so."
    assert charts.links_table(_linked(1.0).head(0)).title == "No commit or session is linked with a task."


def test_a_choice_of_confidence_has_the_latest_of_its_own():
    """Sure links are found however many unsure ones are later, each choice with one row a task of its own."""
    frame = _linked(0.6, None, 0.6, 0.85, 1.0, 1.0).assign(task_id=[1, 2, 3, 3, 1, 4])
    table = charts.links_table(frame, most=2)
    told = {choice: (list(rows["task"]), number) for choice, (rows, number) in table.choices.items()}
    assert told == {
        "certain": (["Task 4", "Task 5"], 2), "likely": (["Task 3", "Task 4"], 3), "all": (["Task 0", "Task 1"], 4),
    }  # fmt: skip
    html = clean(table._repr_html_())
    radios = re.findall(r"<label class=\"(\w+)\"><input([^>]*)/> ([^<]*)</label>", html)
    assert [(choice, words) for choice, _, words in radios] == [
        ("certain", "certain ones (2)"), ("likely", "from 0.8 on (3)"), ("all", "all (4)"),
    ]  # fmt: skip
    assert ["checked" in attributes for _, attributes, _ in radios] == [False, False, True]
    assert re.findall(r"<tbody class=\"(\w+)\">", html) == ["certain", "likely", "all"]
    assert "&lt;b&gt;fix" in html
    assert list(charts.links_table(_linked(0.6, 1.0)).choices) == ["certain", "all"], "none that shows the same"


def test_a_choice_is_its_own_on_the_page_and_the_same_each_time():
    """Radio buttons of two tables are two choices; the same table has the same bytes."""
    one, other = (charts.links_table(_linked(1.0, last))._repr_html_() for last in (0.6, 0.7))
    name = re.compile(r'name="(links-[0-9a-f]{8})"')
    assert len(set(name.findall(one))) == len(set(name.findall(other))) == 1
    assert name.findall(one) != name.findall(other)
    assert charts.links_table(_linked(1.0, 0.6))._repr_html_() == one


def _forecast(**columns):
    rows = {"question": "when", "confidence": [0.85, 0.5], "at_least": 10, "made": 0, "held": 0, "independent": 0}
    frame = pd.DataFrame(
        {**rows, "refused": None, "sentence": [f"{p} %: at least 10 more tasks by May. X." for p in (85, 50)]}
    )
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("columns", "title", "rows"),
    [
        ({}, "No promise that was 85 % sure is over yet.", ["none is over yet"] * 2),
        ({"made": [1, 0], "held": [1, 0], "independent": 1},
         "1 of 1 promise that was 85 % sure held in the last 60 days.",
         ["1 of 1 held (100 %)", "none is over yet"]),
        ({"made": 40, "held": [39, 12], "independent": [4, 9]},
         "39 of 40 promises that were 85 % sure held in the last 60 days.",
         ["39 of 40 held (98 %)", "12 of 40 held (30 %)"]),
        ({"refused": "none", "sentence": "No forecast: none."}, "No forecast: none.", []),
    ],
)  # fmt: skip
def test_a_promise_stands_beside_what_became_of_such(columns, title, rows):
    """How sure, how many until when, and how often that held."""
    table = charts.forecast_table(_forecast(**columns))
    assert table.title == title
    assert list(table.data.get("such promises of the last 60 days", [])) == rows
    if rows:
        assert list(table.data["promise"]) == ["at least 10 more tasks by May"] * 2
        assert ("only 4 to 9 do not" in table.note) == ("39" in title)


def test_what_happened_lately_or_before_is_told():
    """Headlines of the last seven days; where there are none, the latest before them; else that there is nothing."""
    at = pd.to_datetime(pd.Series(["2026-01-09T23:30"]), utc=True)
    headlines = pd.DataFrame({"kind": ["done"], "title": "2 tasks were done", "detail": "A; B", "occurred_at": at})
    activity = pd.DataFrame({"occurred_at": at, "type": "commit", "title": "a", "name": "c" * 40, "project": "A"})
    table = charts.headlines_table(headlines, activity, "Asia/Tokyo")
    assert table.data.to_dict("list") == {
        "what": ["2 tasks were done"],
        "which": ["A; B"],
        "when": ["2026-01-10 08:30"],
    }
    assert list(charts.headlines_table(headlines.head(0), activity, "Asia/Tokyo").data["when"]) == ["2026-01-10 08:30"]
    never = charts.activity_table(pd.concat([activity, activity.assign(occurred_at=at.where(at.isna()))]))
    assert list(never.data["when"]) == ["2026-01-09 23:30", ""]
    before = charts.headlines_table(headlines.head(0), activity)
    assert before.title == "Nothing happened in the last seven days; the latest before:"
    assert list(before.data["what"]) == ["commit"]
    assert charts.headlines_table(headlines.head(0), activity.head(0)).title == "Nothing has happened yet."


def test_what_cost_most_is_told():
    """The cause that cost most days, of blocks and waiting alike; without a block there is nothing to say."""
    frame = pd.DataFrame({"cause": ["reported", "waiting"], "reason": pd.array([None, "The gate"], "string"),
                          "tasks": [1, 3], "blocked": [0, 2], "days": [0.5, 40.0]})  # fmt: skip
    table = charts.clusters_table(frame)
    assert table.title == "Most time since the beginning went to: The gate (3 tasks, 40 days in all)"
    assert table.data.to_dict("list") == {
        "reason": ["The gate", "not given"], "cause": ["waiting", "blocked"], "tasks": [3, 1],
        "time in all": ["40 days", "12 hours"], "still stops": ["2", ""],
    }  # fmt: skip
    assert charts.clusters_table(frame.head(0))._repr_html_() == ""
    assert charts.clusters_table(frame.assign(days=0.04))._repr_html_() == ""  # looked at first a moment ago
    assert charts.clusters_table(frame.tail(1)).title.startswith(
        "All the time since the beginning went to: The gate (3 tasks, "
    )


def test_what_bends_the_numbers_is_told():
    """What was found, with its effect; the rest in a sentence; and what cannot be read, by column."""
    frame = pd.DataFrame({"check": ["no size", "a, b"], "count": [7, 0], "effect": ["an M", ""],
                          "ids": pd.array(["1, 2, 3, 4, 5, 6", None], "string")})  # fmt: skip
    table = charts.quality_table(frame)
    assert (table.title, table.note) == ("1 of 2 checks found something:", "Looked for and not found: a, b.")
    assert table.data.to_dict("records") == [
        {"what": "no size", "how often": 7, "what that does to the numbers": "an M", "where": "1, 2, 3, 4, 5 …"}
    ]
    assert (
        charts.quality_table(frame.tail(1)).title == "None of 1 check found anything. Looked for and not found: a, b."
    )
    bad = pd.DataFrame({"table_name": ["tasks"], "column_name": ["checked"], "bad_values": [1]})
    assert charts.bad_values_table(bad).title == "1 value cannot be read, and is missing in every frame:"
    assert charts.bad_values_table(bad.head(0)).title == "Every stored value can be read."
