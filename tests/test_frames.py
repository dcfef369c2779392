import csv
import importlib.util
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from commands import run
from content import alter
from loads import LOADS
from specimens import full_database, hostile_database

import dashkit
from dashkit import dashboard, database, migrations, times
from dashkit.errors import OutdatedError, UsageError
from dashkit.frames import progress
from dashkit.vocabulary import SIZE_WEIGHTS

SAYING = {"data_quality", "forecast", "forecast_fan", "what_moved"}  # frames that have rows even where there is nothing
AS_OF = datetime(2025, 12, 1, tzinfo=UTC)
DOCS = Path(dashkit.__file__).parents[1] / "docs"
QUERIES = sorted((Path(dashkit.__file__).parent / "frames" / "queries").glob("*.sql"))
FRAMES = dashboard.frames()

_spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)


def with_history(make):
    """Makes the same database in version 2.1."""

    def made(path, *rest):
        return v2_1_database(path, *rest) if make is v2_database else make(path, v2_1_database)

    return made


def opened(path, **options):
    """A Dashboard as of AS_OF."""
    return dashboard.open(path, as_of=AS_OF, **options)


@pytest.fixture
def d(tmp_path):
    """A Dashboard of the full database."""
    with opened(full_database(tmp_path / "full.db")) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("make", [full_database, v2_database, hostile_database])
def test_a_frame_keeps_its_promise(tmp_path, name, make):
    """The docstring's columns are the frame's, in order and with their dtypes: full, empty and hostile."""
    promised = [(column.name, column.dtype.replace("zone", "Asia/Tokyo")) for column in generate.columns(FRAMES[name])]
    options = {"as_of": AS_OF}
    making = make
    if "OutdatedError" in FRAMES[name].__doc__:
        making, options = with_history(make), {}
    path = making(tmp_path / "d.db", *([[]] if make is v2_database else []))
    with dashboard.open(path, timezone="Asia/Tokyo", **options) as d:
        frame = FRAMES[name](d)
    assert [(column, str(dtype)) for column, dtype in frame.dtypes.items()] == promised
    assert len(frame) > 0 or make is not full_database
    assert len(frame) == 0 or make is not v2_database or name in SAYING  # a row for each check, or why not


@pytest.mark.parametrize("name", [name for name in FRAMES if "OutdatedError" in FRAMES[name].__doc__])
def test_a_frame_over_time_says_what_to_run(tmp_path, name):
    """Before version 2.1 there is no history, and the frame names the command that makes one."""
    with opened(full_database(tmp_path / "d.db")) as d, pytest.raises(OutdatedError, match="dashkit migrate"):
        FRAMES[name](d)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_explains_itself(name):
    """A frame's docstring is one sentence first, tells every column and the order, and its name is its method's."""
    told = generate.sections(FRAMES[name])
    assert re.fullmatch(r"[A-Z][^\n]*\.", told[""].splitlines()[0])
    promised = re.findall(r"^    (\w+)", told["Columns"], flags=re.MULTILINE)
    assert promised == [column.name for column in generate.columns(FRAMES[name])]
    assert told["Sorted by"].strip()
    assert FRAMES[name].__name__ == name


@pytest.mark.parametrize("name", FRAMES)
def test_a_column_with_a_unit_is_in_the_glossary(name):
    """Each column that has a unit is a row of docs/glossary.md, with the same unit."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE)
    wanted = {column.name: column.unit for column in generate.columns(FRAMES[name]) if column.unit}
    assert wanted.items() <= set(rows)


def test_the_notebook_explore_walks_every_frame():
    """Each frame is called in a cell of its own below a line of prose."""
    cells = json.loads((DOCS.parent / "notebooks" / "explore.ipynb").read_text(encoding="utf-8"))["cells"]
    before = {cell["id"]: cells[place - 1] for place, cell in enumerate(cells)}
    found = {name: cell for cell in cells for name in re.findall(r"^dashboard\.(\w+)\(", cell["source"])}
    assert FRAMES.keys() <= found.keys()
    assert all(before[found[name]["id"]]["cell_type"] == "markdown" for name in FRAMES)


def test_each_query_belongs_to_a_frame():
    """frames/queries has one file per frame, of its name, with a comment that tells columns and parameters."""
    assert {file.stem for file in QUERIES} == FRAMES.keys()
    for file in QUERIES:
        header = "".join(line for line in file.read_text().splitlines() if line.startswith("--"))
        assert "Columns: " in header, file
        assert "Parameters: " in header, file


def test_the_pages_of_docs_are_current():
    """docs/generate.py --check finds nothing to write."""
    assert generate.main(["--check"]) == 0


def test_the_generator_says_what_is_old_and_writes_it(tmp_path, monkeypatch, capsys):
    """With --check a stale page is named and left; without it is written, and a second run changes nothing."""
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    (tmp_path / "frames.md").write_text("old")
    assert generate.main(["--check"]) == 1
    assert "frames.md" in capsys.readouterr().err
    assert (tmp_path / "frames.md").read_text() == "old"
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_progress_counts_every_task_once(d):
    """Cancelled tasks are left out of both, checked ones are done whatever their status, orphans have their own row."""
    frame = d.progress()
    assert frame["part"].isna().all()
    assert frame.drop(columns=["part", "progress", "progress_by_size"]).to_numpy().tolist() == [
        [1, "Alpha", 6, 2, 2, 1, 0, 5 + 1 + 2 + 2 + 2 + 2, 5 + 2, 4],
        [2, "Beta", 2, 1, 1, 0, 0, 4, 2, 2],
        [3, "Empty", 0, 0, 0, 0, 0, 0, 0, 0],
        [77, pd.NA, 1, 0, 1, 0, 0, 2, 0, 1],
    ]
    assert frame["progress"].tolist() == [2 / 6, 0.5, pd.NA, 0.0]
    assert frame["progress_by_size"].tolist() == [7 / 14, 0.5, pd.NA, 0.0]
    assert frame[["tasks", "cancelled"]].sum().sum() == d.rows["tasks"]


def test_sizes_are_those_of_the_records(d):
    """The view of tasks gives every size the weight that the database functions give it."""
    frame = d.sql("SELECT DISTINCT complexity, size FROM tasks WHERE sized ORDER BY 1")
    assert dict(frame.itertuples(index=False)) == {"L": SIZE_WEIGHTS["L"], "S": SIZE_WEIGHTS["S"], "XL": 5}


def test_a_size_that_is_none_counts_as_unsized(tmp_path):
    """A word that is no size weighs as much as no size, and is told as unsized."""
    path = v2_database(tmp_path / "d.db", tasks=[{"checked": 1}])
    with opened(path) as d:
        assert d.progress()[["size_total", "unsized"]].to_numpy().tolist() == [[2, 1]]


def test_the_projects_of_a_page_add_up(tmp_path):
    """Its heading counts as many projects as its chart shows, leaves out and finds empty; later ones were not there."""
    projects = [f"Project {number}" for number in range(13)]
    tasks = [{"project_id": number, "checked": number % 2} for number in (*range(1, 13), 98, 98, 99)]
    path = v2_1_database(tmp_path / "d.db", projects, tasks)
    insert(path, "projects", name="Later", created_at="2099-01-01")
    with dashboard.open(path) as d:
        picture = dashkit.charts.projects(d.progress(), d.throughput_by_project())
        assert "13 projects, 15 tasks" in d._repr_html_()
    shown = picture.data["project"].tolist()
    assert len(shown[:-1]) == len(set(shown) & set(projects)) == 12
    assert (shown[-1], picture.data["tasks"].iloc[-1]) == ("tasks of no project", 3)
    assert (
        "Not drawn: 2 more projects, which are in the table. Without a task, and not shown: 1 project." in picture.note
    )
    assert picture.title.startswith("6 of 13 projects finished tasks ")
    with dashboard.open(path, project="Later") as d:
        assert d.progress()["tasks"].tolist() == [0]


@pytest.mark.parametrize("project_id", [1, 2, 3])
def test_progress_agrees_with_the_database_functions(tmp_path, project_id):
    """get_project_progress and the frame say the same about a project."""
    path = full_database(tmp_path / "d.db")
    told = database.get_project_progress(project_id, db=path)
    with opened(path, project=project_id) as d:
        (row,) = d.progress().to_dict("records")
    for ours, theirs in {
        "tasks": "total_tasks", "checked": "checked_tasks", "size_total": "size_total", "size_checked": "size_checked",
    }.items():  # fmt: skip
        assert row[ours] == told[theirs], ours


def test_blocked_tasks_say_how_long_only_where_it_is_known(d):
    """Days are told where updated_at is still created_at, as an upper bound; a touched task's block has no age."""
    frame = d.blocked_tasks()
    assert frame["title"].tolist() == ["stuck longer", "stuck", "stuck, touched", "of no project"]
    assert frame["blocked_days"].tolist() == [30.0, 3.5, pd.NA, pd.NA]
    assert frame["basis"].tolist() == ["not_before", "not_before", pd.NA, pd.NA]
    assert frame["blocked_reason"].tolist() == [pd.NA, "no key", pd.NA, pd.NA]


def test_a_fresh_block_is_not_a_year_old(tmp_path):
    """Blocking an old task today does not make its block as old as the task."""
    path = v2_database(tmp_path / "d.db", tasks=[{"created_at": "2024-01-01", "updated_at": "2024-01-01"}])
    database.set_task_blocked(1, "today", db=path)
    with dashboard.open(path) as d:
        assert d.blocked_tasks()[["blocked_days", "basis"]].isna().all(axis=None)


def test_an_age_is_never_below_zero(tmp_path):
    """A block that begins after as_of has an age of 0 days."""
    late = {"status": "blocked", "created_at": "2026-01-01", "updated_at": "2026-01-01"}
    with opened(v2_database(tmp_path / "d.db", tasks=[late])) as d:
        assert d.blocked_tasks()["blocked_days"].tolist() == [0.0]


@pytest.mark.parametrize("make", [full_database, lambda path: first_looks(told_database(path))])
def test_blocked_tasks_agree_with_the_database_functions(tmp_path, make):
    """get_blocked_tasks and the frame name the same tasks, in the same order, on the same basis."""
    path = make(tmp_path / "d.db")
    told = database.get_blocked_tasks(db=path)
    with dashboard.open(path) as d:
        frame = d.blocked_tasks().query("cause == 'reported'").astype(object)
    frame = frame.where(frame.notna(), None)
    assert frame["task_id"].tolist() == [task["id"] for task in told]
    assert frame["basis"].tolist() == [task["basis"] for task in told]
    for days, task in zip(frame["blocked_days"], told, strict=True):
        assert days == pytest.approx(task["days_blocked"], abs=0.06) or days is task["days_blocked"] is None


def test_activity_is_one_stream_by_instant(d):
    """Completions, commits and sessions come newest first by instant, whatever their text looks like."""
    frame = d.activity()
    assert frame["title"].tolist() == ["Fix it", "Talk", "was stuck", "done", "c2", "odd"]
    assert frame["type"].tolist() == ["commit", "session", "task_completed", "task_completed", "commit", "commit"]
    assert frame["project"].tolist() == ["Alpha", "Beta", "Beta", "Alpha", "Alpha", "Alpha"]
    assert times.to_text(frame["occurred_at"][0]) == "2025-11-21T11:00:00.000Z"
    assert frame["occurred_at"].isna().tolist() == [False] * 4 + [True] * 2


def test_activity_can_be_limited(d):
    """The limit keeps the newest rows; below zero it is refused."""
    assert d.activity(limit=2)["title"].tolist() == ["Fix it", "Talk"]
    assert len(d.activity(limit=0)) == 0
    with pytest.raises(UsageError, match="below zero"):
        d.activity(limit=-1)


def test_links_come_surest_first(d):
    """Commits and sessions of all tasks or of one, from a confidence on."""
    frame = d.links()
    assert frame["target"].tolist() == ["s1", "c1", "c2"]
    assert frame["task"].tolist() == ["open", "done", "done"]
    assert frame["evidence"].tolist() == [pd.NA, '{"rule": "id"}', pd.NA]
    assert frame["title"].tolist() == ["Talk", "Fix it", pd.NA]
    assert d.links(task_id=1)["target"].tolist() == ["c1", "c2"]
    assert d.links(1, 0.9)["target"].tolist() == ["c1"]
    assert len(d.links(task_id=99)) == 0


@pytest.mark.parametrize("confidence", [-0.1, 1.1, 1e300])
def test_a_confidence_lies_between_0_and_1(d, confidence):
    """Anything else is refused."""
    with pytest.raises(UsageError, match="between 0 and 1"):
        d.links(min_confidence=confidence)


def test_frames_outlive_their_dashboard(tmp_path):
    """What was read stays readable after close."""
    with opened(full_database(tmp_path / "d.db")) as d:
        frame = d.links()
    assert frame["target"].tolist() == ["s1", "c1", "c2"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_any_frame_can_be_shown(tmp_path, capsys, name, form):
    """Every frame of a hostile database comes out in every form, with no control character but the line's end."""
    make = with_history(hostile_database) if "OutdatedError" in FRAMES[name].__doc__ else hostile_database
    assert run(make(tmp_path / "d.db"), name, *form) == 0
    out = capsys.readouterr().out
    assert out.strip()
    if form != ["--csv"]:
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out) is None


def test_show_prints_a_table(tmp_path, capsys):
    """Names, a rule, rows; numbers to the right, a dash for what is missing."""
    assert run(full_database(tmp_path / "d.db"), "progress", "--project", "Beta") == 0
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["project_id", "project", "part", "tasks"]
    assert set(rule) == {"-", " "}
    assert row.split() == ["2", "Beta", "-", "2", "1", "0.50", "1", "0", "0", "4", "2", "0.50", "2"]
    assert row.startswith("         2  Beta ")


def test_show_says_when_there_is_nothing(tmp_path, capsys):
    """An empty frame is the head of a table on stdout and a sentence on stderr."""
    assert run(v2_database(tmp_path / "d.db"), "links") == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err == "Nothing to show.\n"


def test_json_is_rows_with_stored_timestamps(tmp_path, capsys):
    """Timestamps in their stored form, null for what is missing, numbers as numbers."""
    assert run(full_database(tmp_path / "d.db"), "activity", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {
        "occurred_at": "2025-11-21T11:00:00.000Z", "type": "commit", "name": "c1", "title": "Fix it", "project_id": 1,
        "project": "Alpha",
    }  # fmt: skip
    assert rows[-1]["occurred_at"] is None


@pytest.mark.parametrize(("title", "cell"), [
    ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("-5", "-5"), ("+3.5e2", "+3.5e2"), ("plain", "plain"), ("", ""),
    ('a,"b"\nc', 'a,"b"\nc'), ("=", "'="), ("-5\n", "'-5\n"),
    ("x;=1+1;y", "x;'=1+1;y"), ("a\n-b; -c", "a\n'-b; -c"),
])  # fmt: skip
def test_csv_is_no_formula(tmp_path, capsys, title, cell):
    """A cell that a spreadsheet would compute gets an apostrophe; a number stays one; CSV reads back."""
    path = v2_database(tmp_path / "d.db", tasks=[{"title": title, "status": "blocked"}])
    assert run(path, "blocked_tasks", "--csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row["title"] == cell
    assert row["blocked_days"] == ""


def test_csv_on_a_terminal_moves_no_cursor(tmp_path, capsys, monkeypatch):
    """Control characters stay in a file, where they are data, and are shown as escapes on a terminal."""
    path = v2_database(tmp_path / "d.db", tasks=[{"title": "\x1b[2J\u202e", "status": "blocked"}])
    run(path, "blocked_tasks", "--csv")
    assert "\x1b[2J\u202e" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    run(path, "blocked_tasks", "--csv")
    assert r"\x1b[2J\u202e" in capsys.readouterr().out


def test_an_unknown_frame_is_refused_with_the_nearest(tmp_path):
    """A misspelt frame is answered with the right name, and with all of them."""
    with pytest.raises(UsageError, match=r"no such frame\. Did you mean 'progress'\? The frames are activity, agei"):
        run(tmp_path / "none.db", "progres")
    with pytest.raises(UsageError, match=r"no such frame\. The frames are"):
        run(tmp_path / "none.db", "\x1b[31m")


def test_progress_by_parts(tmp_path):
    """Each phase, complexity or label has its row, in order; a task of two labels is in both, once in each."""
    path = v2_1_database(tmp_path / "d.db")
    for position, name in enumerate(["Ship", "Build"]):
        insert(path, "phases", id=position + 1, project_id=1, name=name, position=position)
    for phase, size, labels, checked in (
        (1, "XL", '["ui", "ui", "db"]', 1), (2, "S", '["db"]', 0), (None, None, "no json", 0), (2, "XL", "{}", 1),
    ):  # fmt: skip
        insert(
            path, "tasks", project_id=1, title="t", phase_id=phase, complexity=size, labels=labels, checked=checked
        )  # fmt: skip
    with dashboard.open(path) as d:
        told = {by: d.progress(by=by)[["part", "tasks", "checked"]].to_numpy().tolist() for by in progress.PARTS}
        with pytest.raises(UsageError, match="Use phase, complexity, label"):
            d.progress(by="colour")
    assert told["phase"] == [["Ship", 1, 1], ["Build", 2, 1], [pd.NA, 1, 0]]
    assert told["complexity"] == [["S", 1, 0], [pd.NA, 1, 0], ["XL", 2, 2]]
    assert told["label"] == [["db", 2, 1], ["ui", 1, 1], [pd.NA, 2, 1]]


def test_two_phases_of_one_name_are_two(tmp_path):
    """Each phase has its row, whatever it is called; tasks whose phase is not there have one together."""
    path = v2_1_database(tmp_path / "d.db")
    for number, position in ((1, 1), (2, 0)):
        insert(path, "phases", id=number, project_id=1, name="Build", position=position)
    for phase, checked in ((1, 1), (1, 0), (2, 1), (77, 0), (78, 0), (None, 0)):
        insert(path, "tasks", project_id=1, title="t", phase_id=phase, checked=checked)
    with dashboard.open(path) as d:
        told = d.progress(by="phase")[["part", "tasks", "checked"]].to_numpy().tolist()
    assert told == [["Build", 1, 1], ["Build", 2, 1], [pd.NA, 3, 0]]


def begun(values):
    """The same values, with the beginning of a day, UTC, where a date stands: what is seen has an instant."""
    dated = re.compile(r"\d{4}-\d\d-\d\d")
    return {name: f"{one}T00:00:00.000Z" if dated.fullmatch(str(one)) else one for name, one in values.items()}


def event(path, task_id, occurred_at, op="update", **values):
    """Record an event as if it had been seen then."""
    occurred_at = times.to_text(times.parse(occurred_at))
    given = {"occurred_at": occurred_at, "recorded_at": occurred_at, "op": op, "source": "git:abc"}
    insert(path, "task_events", task_id=task_id, **begun(given | values))


def quiet_task(path, title="t", **values):
    """A task that no trigger sees come; its events are told one by one."""
    query(path, "UPDATE event_context SET suspended = 1")
    insert(path, "tasks", project_id=1, title=title, **begun(values))
    query(path, "UPDATE event_context SET suspended = 0")
    return query(path, "SELECT max(id) FROM tasks")[0][0]


def told_task(path, title, *events, **last):
    """A task with a history: (time, values) of each event, its row as the last one left it."""
    number = quiet_task(path, title, **last)
    first = {"project_id": 1, "title": title, "status": "pending", "checked": 0, "blocked_reason": "", "complexity": ""}
    for place, (occurred_at, values) in enumerate(events):
        event(path, number, occurred_at, **(values if place else {"op": "insert"} | first | values))
    return number


BLOCKED = {"status": "blocked", "blocked_reason": "key"}


def told_database(path):
    """Tasks whose block events saw begin, end, or stand still while they were done or gone."""
    v2_1_database(path)
    told_task(path, "seen", ("2025-11-01", {}), ("2025-11-21", BLOCKED), **BLOCKED)
    told_task(path, "version", ("2025-11-01", {}), ("2025-11-26", BLOCKED | {"not_before": "2025-11-20"}), **BLOCKED)
    told_task(path, "again", ("2025-11-01", BLOCKED), ("2025-11-10", {"status": "review"}), ("2025-11-30", BLOCKED),
              **BLOCKED)  # fmt: skip
    told_task(path, "reopened", ("2025-11-01", BLOCKED), ("2025-11-10", {"checked": 1}), ("2025-11-29", {"checked": 0}),
              **BLOCKED)  # fmt: skip
    told_task(path, "back", ("2025-11-01", BLOCKED), ("2025-11-10", {"op": "gone"}), ("2025-11-28", {"op": "back"}),
              **BLOCKED)  # fmt: skip
    told_task(path, "lifted", ("2025-11-01", BLOCKED), ("2025-11-10", {"status": "pending"}))
    told_task(path, "done", ("2025-11-01", BLOCKED), ("2025-11-10", {"checked": 1}), checked=1, **BLOCKED)
    return path


def first_looks(path, now=None):
    """Tasks that were blocked when they were first looked at, in a file or by the migration, long ago or just now."""
    now = now or times.utc_now()
    for title, at, source, updated_at in (
        ("file", "2025-11-21", "git:abc", "2025-11-22"),
        ("file, as made", "2025-11-22", "git:abc", "2025-10-02"),
        ("migration", "2025-11-11", "baseline", "2025-10-03"),
        ("migration, as made", "2025-11-26", "baseline", "2025-10-02"),
        ("an hour ago", times.to_text(now - timedelta(hours=1)), "file:x", None),
        ("now", times.to_text(now), "file:x", None),
    ):
        number = quiet_task(path, title, created_at="2025-10-02", updated_at=updated_at, **BLOCKED)
        event(path, number, at, "baseline", source=source, project_id=1, title=title, **BLOCKED)
    return path


def test_a_block_is_as_old_as_the_event_that_saw_it(tmp_path):
    """Seen exactly, or first in the version of a file: the days say what they stand on."""
    path = told_database(tmp_path / "d.db")
    with opened(path) as d:
        frame = d.blocked_tasks()
    assert frame[["title", "cause", "blocked_days", "basis"]].to_numpy().tolist() == [
        ["seen", "reported", 10.0, "event"],
        ["version", "reported", 5.0, "version"],
        ["back", "reported", 3.0, "event"],
        ["reopened", "reported", 2.0, "event"],
        ["again", "reported", 1.0, "event"],
    ]
    with opened(path, project=1) as d:
        assert len(d.blocked_tasks()) == 5


def test_the_first_look_says_how_long_it_is_blocked(tmp_path):
    """A file's first version says at least how long, the migration at most as long as the task is there."""
    path = first_looks(v2_1_database(tmp_path / "d.db"), AS_OF)
    given = {"op": "baseline", "occurred_at": "2025-11-28", "recorded_at": "2025-11-28", "source": "baseline"}
    insert(path, "dependency_events", task_id=1, depends_on_id=2, **begun(given))
    query(path, "UPDATE event_context SET suspended = 1")
    insert(path, "task_dependencies", task_id=1, depends_on_id=2)
    with opened(path) as d:
        frame = d.blocked_tasks()
    assert frame[["title", "cause", "blocked_days", "basis"]].to_numpy().tolist() == [
        ["migration", "reported", 60.0, "not_before"],
        ["migration, as made", "reported", 60.0, "not_before"],
        ["file", "reported", 10.0, "version"],
        ["file, as made", "reported", 9.0, "version"],
        ["an hour ago", "reported", pd.NA, pd.NA],
        ["now", "reported", pd.NA, pd.NA],
        ["file", "waiting", 3.0, "version"],
    ]


EDITS = {
    "its size": lambda path: database.set_task_complexity(1, "L", db=path),
    "the words of its reason": lambda path: database.set_task_blocked(1, "no key", db=path),
    "its title": lambda path: query(path, "UPDATE tasks SET title = 'Renamed', updated_at = '2026-01-01' WHERE id = 1"),
    "its priority": lambda path: query(path, "UPDATE tasks SET priority = 'high', updated_at = '2026-01-01'"),
    "its project": lambda path: query(path, "UPDATE tasks SET project_id = 2 WHERE id = 1"),
    "a dependency": lambda path: query(path, "INSERT INTO task_dependencies VALUES (1, 4)"),
}


@pytest.fixture
def stuck(tmp_path):
    """A database of version 1 that was migrated: three blocked tasks, the oldest first, and one that is not."""
    tasks = [{"status": "blocked", "created_at": f"2024-0{month}-01 09:00:00"} for month in (1, 4, 8)]
    path = v1_database(tmp_path / "d.db", ["Alpha", "Beta"], [*tasks, {"created_at": "2023-01-01 09:00:00"}])
    migrations.execute(path)
    return path


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_takes_nothing_from_the_age_of_a_block(stuck, edit):
    """What is known of a block of a migrated database stays: bound, place and news, and what was known then."""
    told = []
    before = times.utc_now()
    for doing in (lambda _: None, EDITS[edit], lambda _: None):
        doing(stuck)
        with dashboard.open(stuck, as_of=before) as d, dashboard.open(stuck) as now:
            found = now.blocked_tasks().query("cause == 'reported'")
            news = d.headlines(since="2024-06-01").query("kind == 'blocked'")["title"].tolist()
            told.append(
                (found["task_id"].tolist(), found["basis"].tolist(), found["blocked_days"].round(1).tolist(), news)
            )
        with dashboard.open(stuck, as_of=before, known_at=before) as then:
            told[-1] += (then.blocked_tasks()[["task_id", "blocked_days", "basis"]].to_numpy().tolist(),)
        listed = database.get_blocked_tasks(db=stuck)
        told[-1] += ([(task["id"], task["days_blocked"], task["basis"]) for task in listed],)
    assert told[0] == told[1] == told[2]
    assert told[0][:2] == ([1, 2, 3], ["not_before"] * 3)
    assert told[0][3] == ["1 task became blocked"]


def test_a_block_that_begins_after_the_migration_is_new(stuck):
    """One that was lifted in between, too; so is that of a task that was never blocked."""
    for task in (1, 4):
        database.set_task_blocked(task, None, db=stuck)
        database.set_task_blocked(task, "again", db=stuck)
    with dashboard.open(stuck) as d:
        found = d.blocked_tasks().set_index("task_id")
    assert found["basis"].to_dict() == {1: "event", 2: "not_before", 3: "not_before", 4: "event"}
    assert found["blocked_days"].loc[[1, 4]].tolist() == pytest.approx([0, 0], abs=0.01)


def test_a_block_that_a_look_found_did_not_begin_before_it_was_seen_unblocked(tmp_path):
    """Where a trigger missed its begin, the last that was known before bounds it: a change, or the last reading."""
    path = v2_1_database(tmp_path / "d.db")
    found = {"op": "reconcile", "source": "reconcile"}
    told_task(path, "changed", ("2025-10-02", {}), ("2025-11-11", {"status": "review"}),
              ("2025-11-21", BLOCKED | found), created_at="2025-10-02", **BLOCKED)  # fmt: skip
    told_task(path, "read", ("2025-10-02", {}), ("2025-11-21", BLOCKED | found | {"not_before": "2025-11-16"}),
              created_at="2025-10-02", **BLOCKED)  # fmt: skip
    told_task(path, "of now", ("2025-10-02", {}), created_at="2025-10-02", **BLOCKED)
    with dashboard.open(path) as d:
        frame = d.blocked_tasks()
    ages = [
        (times.utc_now() - datetime(2025, *day, tzinfo=UTC)) / timedelta(days=1)
        for day in ((10, 2), (11, 11), (11, 16))
    ]
    assert frame["title"].tolist() == ["of now", "changed", "read"]
    assert frame["blocked_days"].tolist() == pytest.approx(ages, abs=0.01)
    assert set(frame["basis"]) == {"not_before"}
    listed = database.get_blocked_tasks(db=path)
    assert [task["title"] for task in listed] == frame["title"].tolist()
    assert [task["days_blocked"] for task in listed] == pytest.approx(ages, abs=0.06)


def test_waiting_is_told_apart_from_blocked(tmp_path):
    """What depends on an open task waits since both were open; a blocked task frees all that wait behind it."""
    path = v2_1_database(tmp_path / "d.db")
    blocked = {"status": "blocked"}
    first = told_task(path, "first", ("2025-11-01", blocked), **blocked)
    second = told_task(path, "second", ("2025-11-01", {}))
    third = told_task(path, "third", ("2025-11-11", {}))
    done = told_task(path, "done", ("2025-11-01", {}), ("2025-11-05", {"checked": 1}), checked=1)
    for task, other, at in ((second, first, "2025-11-21"), (third, second, "2025-11-01"), (third, done, "2025-11-01"),
                            (first, first, "2025-11-01")):  # fmt: skip
        query(path, "UPDATE event_context SET suspended = 1")
        insert(path, "task_dependencies", task_id=task, depends_on_id=other)
        query(path, "UPDATE event_context SET suspended = 0")
        given = {"op": "add", "occurred_at": at, "recorded_at": at, "source": "git:abc"}
        insert(path, "dependency_events", task_id=task, depends_on_id=other, **begun(given))
    with opened(path) as d:
        rows = d.blocked_tasks()[["title", "cause", "blocked_reason", "waits_for", "frees", "blocked_days"]]
    assert rows.to_numpy().tolist() == [
        ["first", "reported", pd.NA, 0, 2, 30.0],
        ["third", "waiting", "second", 1, pd.NA, 20.0],
        ["second", "waiting", "first", 1, pd.NA, 10.0],
    ]


def test_throughput_counts_a_task_where_it_was_finished_last(tmp_path):
    """Each week has its row, in the reader's zone; what was reopened counts once, what nobody saw finish not at all."""
    path = v2_1_database(tmp_path / "d.db")
    told_task(path, "reopened", ("2025-11-03", {}), ("2025-11-05", {"checked": 1}), ("2025-11-06", {"checked": 0}),
              ("2025-11-30T23:30:00Z", {"checked": 1}), checked=1)  # fmt: skip
    told_task(path, "XL", ("2025-11-04", {"complexity": "XL"}), ("2025-11-12", {"checked": 1}), checked=1,
              complexity="XL")  # fmt: skip
    number = quiet_task(path, "there before", checked=1)
    event(path, number, "2025-11-04", "baseline", project_id=1, title="there before", checked=1)
    with opened(path) as d:
        assert d.throughput()[["finished", "finished_size", "is_partial"]].to_numpy().tolist() == [
            [0, 0, False], [1, 5, False], [0, 0, False], [1, 2, False], [0, 0, True],
        ]  # fmt: skip
        assert d.throughput()["period_on"].dt.strftime("%a %d").tolist() == [
            "Mon 03", "Mon 10", "Mon 17", "Mon 24", "Mon 01",
        ]  # fmt: skip
        assert d.throughput(by="month")["finished"].tolist() == [2, 0]
        assert d.left_out().to_numpy().tolist() == [["tasks", "checked, and nobody knows when: in no period", 1]]
        with pytest.raises(UsageError, match="Use day, week, month"):
            d.throughput(by="year")
    with opened(path, timezone="Europe/Berlin") as d:
        assert d.throughput()["finished"].tolist() == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("zone", "first"),
    # The clock goes back to midnight, skips it, and stays.
    [("America/Havana", "2011-11-12"), ("America/Sao_Paulo", "2011-10-15"), ("Asia/Kolkata", "2011-11-12")],
)
def test_a_period_is_compared_with_instants_and_shows_its_day(tmp_path, capsys, zone, first):
    """It is the midnight of the zone, of two the first: pandas compares it with instants, and programs get the day."""
    path, begin = v2_1_database(tmp_path / "d.db"), date.fromisoformat(first)
    days = [begin + timedelta(days=number) for number in range(4)]
    for day in days:
        at = times.to_text(times.midnight(day, zone))
        told_task(path, "t", (at, {"checked": 1}), checked=1)
    with dashboard.open(path, as_of=times.midnight(days[-1], zone) + timedelta(hours=9), timezone=zone) as d:
        for name in ("throughput", "arrivals", "cumulative_flow", "wip", "progress_over_time", "throughput_by_project"):
            frame = getattr(d, name)("day")
            # In UTC: Python calls an hour that comes twice equal to none of another zone.
            begins = frame["period_on"].dt.tz_convert("UTC")
            assert begins.tolist() == [times.midnight(day, zone) for day in days], name
            assert frame["period_on"].dt.date.tolist() == days, name
        work = d.lead_times()
        begins = d.throughput("day")["period_on"]
        assert (begins <= work["finished_at"]).tolist() == [True] * 4
        assert [(begins <= at).sum() for at in work["finished_at"]] == [1, 2, 3, 4]
        assert (d.sql("SELECT completed_on, finished_on FROM tasks, flow").dtypes == begins.dtype).all()
    for form in ("--csv", "--json"):
        assert run(path, "throughput", "--by", "day", "--timezone", zone, "--as-of", "2011-12-01", form) == 0
        out = capsys.readouterr().out
        assert all(f'"{day.isoformat()}"' in out for day in days)


def test_commits_are_counted_by_period_and_by_task(tmp_path):
    """Churn, authors and the linked share of each week; per task its commits; what no branch reaches is left out."""
    path = v2_1_database(tmp_path / "d.db", projects=["Alpha", "Beta"], tasks=[{"title": "linked"}, {"title": "not"}])
    for repo, project in (("r", 1), ("s", 2)):
        insert(path, "git_repos", id=repo, project_id=project, path=f"/{repo}", name=repo)
    for sha, at, who, lines, reachable, holders in (
        ("c1", "2025-11-03T10:00:00Z", "A@x", 5, 1, "rs"), ("c2", "2025-11-04T10:00:00Z", "a@x", 7, 1, "r"),
        ("c3", "2025-11-05T10:00:00Z", "b@x", 9, 0, "r"), ("c4", "2025-11-20T10:00:00Z", "b@x", 1, 1, "s"),
    ):  # fmt: skip
        insert(
            path, "git_commits", sha=sha, repo_id=holders[0], message=sha, timestamp=at, author_email=who,
            insertions=lines, deletions=1,
        )  # fmt: skip
        for holder in holders:
            insert(path, "git_repo_commits", repo_id=holder, sha=sha, reachable=reachable)
    for sha in ("c1", "c3"):
        insert(path, "task_commit_links", id=sha, task_id=1, commit_sha=sha, confidence=1, link_type="explicit")
    with opened(path) as d:
        frame = d.commit_activity()
        assert frame[["commits", "authors", "insertions", "deletions", "linked", "linked_share"]].head(2).to_numpy(
        ).tolist() == [[2, 1, 12, 2, 0, 0.0], [0, 0, 0, 0, 0, pd.NA]]  # fmt: skip
        assert frame["commits"].tolist() == [2, 0, 1, 0, 0]
        assert frame["is_partial"].tolist() == [True, False, False, False, True]
        assert d.left_out().to_numpy().tolist() == [["commits", "no branch or tag leads to them any more", 1]]
        assert d.task_commits().empty  # the tasks came later than AS_OF
        assert d.links().empty
    with dashboard.open(path) as d:
        frame = d.commit_activity()[["commits", "linked", "linked_share"]]
        assert frame.head(2).to_numpy().tolist() == [[2, 1, 0.5], [0, 0, pd.NA]]
        assert d.task_commits()[["title", "commits", "lines"]].to_numpy().tolist() == [["linked", 1, 6]]
        assert d.task_commits(1.0)["confidence"].tolist() == [1.0]
    with dashboard.open(path, project="Beta") as d:
        assert d.commit_activity()["commits"].sum() == 2
        assert d.sql("SELECT sha, repo, project FROM commits ORDER BY 1").to_numpy().tolist() == [
            ["c1", "s", "Beta"], ["c4", "s", "Beta"],
        ]  # fmt: skip


@pytest.mark.parametrize("load", LOADS)
def test_a_project_without_a_name_is_a_project(tmp_path, load):
    """A project of which the name is NULL has its tasks: they are not those of no project."""
    path = tmp_path / "dash.db"
    alter(
        path,
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id INTEGER, title TEXT, status TEXT)",
        "INSERT INTO projects VALUES (1, NULL), (2, NULL)",
        "INSERT INTO tasks (project_id, title) VALUES (2, 'a'), (2, 'b'), (7, 'c')",
    )
    migrations.execute(path)
    with dashkit.open(path, load=load) as d:
        picture = dashkit.charts.projects(d.progress(), d.throughput_by_project())
    assert picture.data.iloc[:, :2].to_numpy().tolist() == [["project 2", 2], ["tasks of no project", 1]]
