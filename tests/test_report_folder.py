"""The folder of pages: records, index, lock, retention, and what it says when a run went wrong."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from builders import insert, query, v2_1_database
from pages import index_of, rows_of, written

import dashkit
from dashkit import times
from dashkit.cli import main
from dashkit.reports import index, record, untold
from dashkit.reports.changes import changes
from dashkit.reports.folder import held, retain
from dashkit.reports.jobs import prepare
from dashkit.reports.record import Record
from dashkit.reports.run import run_all, run_report

PAYLOAD = "\"><img src=x onerror=alert(1)><script>x</script> 'a' & {{ 7919*7907 }} \u202e %2e\n: b"
FIGURES = "import dashkit\nd = dashkit.open(db_path, as_of=as_of)\ndashkit.key_figures(d)"
DB = 'db_path: str = ""  # which\nas_of: str = ""  # when'


class _Links(HTMLParser):
    """The tags of a page, and where its links lead."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]


def _record(folder, label, **values):
    made = {"verdict": "passed", "exit_code": 0, "started_at": f"2026-01-{label[6:8]}T00:00:00.000Z", "as_of": "x"}
    if values.get("page", True):
        (folder / f"{label}.html").write_text("page")
    (folder / f"{label}.run.json").write_text(Record(name=folder.name, **{**made, **values}).to_json())


@contextmanager
def _small_disk(folder, size="1m"):
    """A disk of its own; `fill()` leaves no room on it."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder):
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


# Numbers


@pytest.mark.kernel
def test_key_figures_reach_the_page_and_the_record(tmp_path):
    """The record has the numbers of the frames; the page compares them with the page as of an earlier instant."""
    db = v2_1_database(tmp_path / "d.db", tasks=[{"title": PAYLOAD, "status": "blocked", "blocked_reason": PAYLOAD}])
    path = written(tmp_path / "r.ipynb", FIGURES, parameters=DB)
    time.sleep(0.01)
    first = run_report(path, db=db, out=tmp_path / "out")
    query(db, "UPDATE tasks SET status = 'pending', checked = 1")
    insert(db, "tasks", project_id=1, title="Another", status="blocked")
    time.sleep(0.01)
    second = run_report(path, db=db, out=tmp_path / "out")
    numbers = {figure["name"]: figure["value"] for figure in second.record.numbers["figures"]}
    with dashkit.open(db, as_of=second.record.as_of) as dashboard:
        progress = dashboard.progress()
    assert (numbers["checked"], numbers["open"]) == (progress["checked"][0], 1) == (1, 1)
    assert [task["title"] for task in first.record.numbers["blocked"]] == [PAYLOAD]
    assert [task["title"] for task in second.record.numbers["blocked"]] == ["Another"]
    assert [change["kind"] for change in second.record.changes] == ["blocked", "unblocked"]
    assert '<dd class="change">+1</dd>' in second.page.read_text()
    assert "The small numbers are what changed since " in second.page.read_text()
    assert "changed since " not in first.page.read_text()
    assert "Done +1" in rows_of(tmp_path / "out")[0]
    stored = json.loads((tmp_path / "out" / "r" / "run.json").read_text())
    assert stored["numbers"] == second.record.numbers
    assert stored["versions"]["dashkit"] == dashkit.__version__
    assert stored["seed"]["as_of"] == second.record.as_of
    assert stored["inputs"]["database"]["content"]


@pytest.mark.kernel
def test_the_same_inputs_give_the_same_bytes(tmp_path):
    """A page as of an instant is the same file whenever it is made, though others were made in between."""
    db = v2_1_database(tmp_path / "d.db", tasks=[{"title": "A", "status": "blocked"}])
    path = written(tmp_path / "r.ipynb", FIGURES, parameters=DB)
    now = times.utc_now()
    pages = [
        run_report(path, db=db, out=tmp_path / "out", parameters={"as_of": times.to_text(at)}).page.read_bytes()
        for at in (now, now + timedelta(hours=1), now + timedelta(hours=1))
    ]
    assert pages[1] == pages[2] != pages[0]


@pytest.mark.kernel
def test_what_a_notebook_hands_on_is_on_record(tmp_path):
    """Values as they are, instants as they are stored, frames as their rows; what is missing is null."""
    cell = """
import dashkit, datetime, pandas as pd
at = pd.Timestamp("2026-01-02T03:04:05.678Z")
frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "x": [0.5, float("nan")], "at": [at, None]})
frame = frame.assign(day=[pd.Timestamp("2026-01-02"), None], ok=[True, None])
dashkit.hand_on(frame=frame, at=at, word="a $", none=None)
"""
    run = run_report(written(tmp_path / "r.ipynb", cell), out=tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "r" / "run.json").read_text(), parse_constant=pytest.fail)["numbers"]
    stored = "2026-01-02T03:04:05.678Z"
    assert run.verdict == "passed"
    assert kept["frame"] == [
        {"n": 1, "x": 0.5, "at": stored, "day": "2026-01-02T00:00:00", "ok": True},
        dict.fromkeys(("n", "x", "at", "day", "ok")),
    ]
    assert (kept["at"], kept["word"], kept["none"]) == (stored, "a $", None)


@pytest.mark.kernel
def test_plain_papermill_keeps_the_numbers_too(tmp_path):
    """What a notebook hands on stands in its outputs, also where no dashkit runs it."""
    db = v2_1_database(tmp_path / "d.db")
    path = written(tmp_path / "r.ipynb", FIGURES, parameters=DB)
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "o.ipynb"), "-k", "python3"]
    environment = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    subprocess.run([*command, "-p", "db_path", str(db)], check=True, capture_output=True, env=environment)
    assert "application/vnd.dashkit+json" in (tmp_path / "o.ipynb").read_text()


# Records and changes


def _made(**values):
    return Record(**{"name": "r", "verdict": "passed", "exit_code": 0, "started_at": "2", "as_of": "2"} | values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        '{"name": "r"}',
        _made(page="../x.html").to_json(),
        _made(verdict="fine").to_json(),
        _made(name="other").to_json(),
        _made(numbers=3).to_json(),
        _made(changes={}).to_json(),
        _made(seconds="1").to_json(),
    ],
)
def test_what_is_no_record_is_no_run(tmp_path, text):
    """A broken or foreign record is left out, and does not break the index."""
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "20260101_000000.run.json").write_text(text)
    (folder / "x.run.json").write_text(_made().to_json())
    assert record.load(folder) == []


def test_a_record_is_read_as_it_was_written(tmp_path):
    """Whatever a run was given comes back from its record."""
    folder = tmp_path / "r"
    folder.mkdir()
    made = _made(title=PAYLOAD, parameters={"a": [1, {"b": None}]}, error="\ud800", page="p.html", seconds=1.5)
    (folder / "20260101_000000.run.json").write_text(made.to_json())
    assert record.load(folder) == [("20260101_000000", made)]


def test_the_page_to_compare_with_is_of_an_earlier_instant():
    """It has numbers, asks the same question, and is the newest of those as of an earlier instant."""
    runs = [
        _made(as_of="5"),
        _made(as_of="4", verdict="crashed"),
        _made(as_of="4", parameters={"project": "x"}),
        _made(as_of="3", parameters={"as_of": "3"}),
        _made(as_of="1"),
    ]
    assert record.earlier(runs, _made(as_of="5", parameters={"as_of": "5"})) == runs[3]
    assert record.earlier(runs, _made(as_of="1")) is None


def _blocked(*numbers):
    return [{"task_id": number, "title": f"T{number}", "blocked_reason": "why"} for number in numbers]


def _next(days):
    return [{"name": "next", "label": "The next 10", "value": days}]


@pytest.mark.parametrize(
    ("now", "before", "kinds"),
    [
        ({"blocked": _blocked(1, 2)}, {"blocked": _blocked(2, 3)}, ["blocked", "unblocked"]),
        ({"blocked": _blocked(1)}, {}, []),
        ({"blocked": _blocked(1)}, None, []),
        ({"figures": _next(20.0)}, {"figures": _next(12.0)}, ["forecast_moved"]),
        ({"figures": _next(19.0)}, {"figures": _next(12.0)}, []),
        ({"figures": _next(19.0)}, {"figures": 7}, []),
        ({"checks": [{"name": "a", "ok": False}]}, None, ["check_failing"]),
        ({"checks": [{"name": "a", "ok": False}]}, {"checks": [{"name": "a", "ok": True}]}, ["check_failing"]),
        ({"checks": [{"name": "a", "ok": False}]}, {"checks": [{"name": "a", "ok": False}]}, []),
        ({"checks": [3, {}], "blocked": [3], "figures": [{}]}, {"checks": None, "blocked": {}}, []),
    ],
)
def test_what_is_new_is_told(now, before, kinds):
    """A task that is blocked or no longer is, a forecast that moved, a check that began to fail; nothing twice."""
    old = None if before is None else _made(numbers=before)
    assert [change["kind"] for change in changes(_made(numbers=now), old, old)] == kinds


def test_a_failed_run_is_told_once():
    """A run that fails after one that did is no news."""
    failed = _made(verdict="crashed", error="KeyError: x")
    assert [change["kind"] for change in changes(failed, None, None)] == ["run_failed"]
    assert [change["kind"] for change in changes(failed, None, _made())] == ["run_failed"]
    assert changes(failed, None, failed) == []


# The index


@pytest.mark.kernel
def test_hostile_names_and_texts_are_text_in_the_index(tmp_path):
    """Markup, quotes, line breaks and a colon in names, titles and errors act nowhere; each link leads to its page."""
    name = PAYLOAD.replace("/", "|") + "javascript:x"
    path = written(tmp_path / f"{name}.ipynb", f"raise ValueError({PAYLOAD!r})", title=PAYLOAD.replace("\n", " "))
    out = tmp_path / "out"
    run = run_report(path, out=out)
    _record(out / name, "20260101_000000", title=PAYLOAD, page="20260101_000000.html", error=PAYLOAD)
    (out / name / "latest.html").write_text("good")
    run_report(written(tmp_path / "ok.ipynb", "1"), out=out)
    page = (out / "index.html").read_text(encoding="utf-8")
    seen = _Links(page)
    assert {"script", "img"}.isdisjoint(seen.tags)
    assert "\u202e" not in page
    assert "62615533" not in page  # what a template engine would make of it
    assert all(link.startswith("./") for link in seen.links)
    led = {(out / unquote(link)).resolve() for link in seen.links}
    assert run.page in led
    assert all(target.is_file() for target in led)
    assert _Links(run.page.read_text(encoding="utf-8")).tags.count("script") == 0
    assert json.loads((out / name / "run.json").read_text())["error"].startswith("ValueError")


def test_the_index_tells_of_each_report_in_the_same_order_what_changed(tmp_path):
    """The reports by their titles, whichever was run last; each with what its last page says is not as it was."""
    for name, days in (("b", (1, 2)), ("a", (3,)), ("c", (2,))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "latest.html").write_text("good")
        for day in days:
            figure = {"name": "blocked", "label": "Blocked", "value": 3 * day, "unit": "", "note": ""}
            stamp, as_of = f"2026010{day}_000000", f"2026-01-0{day}T00:00:00.000Z"
            _record(tmp_path / name, stamp, as_of=as_of, title=name.upper(), numbers={"figures": [figure]})
    index.write(tmp_path)
    told = re.findall(r"<p><a href=\"([^\"]+)\"><strong>(.)</strong></a> (.*)</p>", index_of(tmp_path))
    assert told == [
        ("./a/latest.html", "A", "as of 2026-01-03 00:00 UTC"),
        ("./b/latest.html", "B", "as of 2026-01-02 00:00 UTC: Blocked +3"),
        ("./c/latest.html", "C", "as of 2026-01-02 00:00 UTC"),
    ]
    for row in rows_of(tmp_path):
        heads = re.findall(r'<td data-head="([^"]+)"', row)
        assert heads == ["run at (UTC)", "report", "verdict", "as of (UTC)", "what changed, or went wrong", "took"]


def test_two_reports_of_one_title_are_told_apart(tmp_path):
    """A copy of a report has its title: the index adds the names of both, and of no other."""
    for name, title in (("progress", "Progress"), ("mine", "Progress"), ("trends", "Trends")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "latest.html").write_text("good")
        _record(tmp_path / name, "20260101_000000", title=title)
    index.write(tmp_path)
    assert re.findall(r"<strong>(.*?)</strong>", index_of(tmp_path)) == [
        "Progress (mine)",
        "Progress (progress)",
        "Trends",
    ]
    assert len([row for row in rows_of(tmp_path) if "Progress (mine)" in row]) == 1


def test_a_row_of_the_index_tells_what_failed_and_what_changed(tmp_path):
    """A check that failed stands beside what moved; a long reason is cut where it is seen to be."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "latest.html").write_text("good")
    for day, more in ((1, {}), (2, {"verdict": "failed", "error": "1 of 2 checks failed: rows"})):
        figure = {"name": "next", "label": "The next 10", "value": 2.5 * day, "unit": "days", "note": ""}
        as_of = f"2026-01-0{day}T00:00:00.000Z"
        _record(tmp_path / "r", f"2026010{day}_000000", as_of=as_of, numbers={"figures": [figure]}, **more)
    _record(tmp_path / "r", "20260103_000000", verdict="crashed", exit_code=5, error="x" * 400)
    index.write(tmp_path)
    crashed, failed, _ = rows_of(tmp_path)
    assert "1 of 2 checks failed: rows; The next 10 +2.5 days" in failed
    assert f"{'x' * 300}…<" in crashed


def test_retention_keeps_the_newest_with_numbers_and_the_newest_without(tmp_path):
    """Older runs go with all their files; runs without numbers push out no page, and foreign files stay."""
    folder = tmp_path / "r"
    folder.mkdir()
    for day in range(1, 8):
        crashed = {"verdict": ("crashed", "refused")[day % 2], "exit_code": 5, "page": ""} if day > 3 else {}
        _record(folder, f"2026010{day}_000000", **crashed)
    (folder / "20260101_000000_mine.txt").write_text("")
    retain(folder, 2)
    left = sorted(path.name for path in folder.iterdir())
    assert left == [
        "20260101_000000_mine.txt",
        *(f"2026010{day}_000000.{end}" for day in (2, 3) for end in ("html", "run.json")),
        *(f"2026010{day}_000000.run.json" for day in (6, 7)),
    ]


@pytest.mark.kernel
def test_the_command_keeps_so_many_runs(tmp_path):
    """--keep 1 leaves one run of each report, and the index has one row."""
    path = written(tmp_path / "r.ipynb", "1")
    out = tmp_path / "out"
    for _ in range(2):
        assert main(["report", str(path), "--out", str(out), "--keep", "1"]) == 0
    assert len(list((out / "r").glob("*.run.json"))) == 1
    assert len(rows_of(out)) == 1


# What goes wrong


@pytest.mark.kernel
def test_a_broken_notebook_and_a_killed_kernel_leave_the_good_page(tmp_path, capsys):
    """The last good page stays, the index shows the failure in red with the good page beside it, and exit code 5."""
    path = written(tmp_path / "r.ipynb", "print('good')")
    out = tmp_path / "out"
    assert main(["report", str(path), "--out", str(out)]) == 0
    good = (out / "r" / "latest.html").read_bytes()
    for source in ("1 / 0", "import os\nos.kill(os.getpid(), 9)"):
        written(path, "print('good')", source)
        assert main(["report", str(path), "--out", str(out)]) == 5
        assert (out / "r" / "latest.html").read_bytes() == good
        assert '<tr class="bad">' in rows_of(out)[0]
        assert "FAILED" in rows_of(out)[0]
    text = index_of(out)
    assert "<title>FAILED: Reports</title>" in text
    assert "The last run of A title is not good." in text
    assert "./r/latest.html" in text
    assert [("bad" in row) for row in rows_of(out)] == [True, True, False]
    assert "ZeroDivisionError" in rows_of(out)[1]


@pytest.mark.kernel
def test_a_second_run_is_told_that_the_folder_is_held(tmp_path, capsys):
    """While one run writes its pages, another one exits 4 and changes nothing; afterwards it may."""
    path = written(tmp_path / "r.ipynb", "1")
    out = tmp_path / "out"
    with held(out):
        before = sorted(out.rglob("*"))
        assert main(["report", str(path), "--out", str(out)]) == 4
        assert sorted(out.rglob("*")) == before
    assert "another run is writing its pages there" in capsys.readouterr().err
    assert main(["report", str(path), "--out", str(out)]) == 0


@pytest.mark.crash
@pytest.mark.kernel
def test_a_killed_run_is_a_failure_of_the_next_index(tmp_path):
    """A process that is killed holds nothing afterwards; the next run says of it that it was killed."""
    out, mark = tmp_path / "out", tmp_path / "began"
    path = written(tmp_path / "r.ipynb", f"open({str(mark)!r}, 'w')\nimport time\ntime.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    command = [sys.executable, "-m", "dashkit", "report", str(path), "--out", str(out)]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not mark.exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    other = written(tmp_path / "other.ipynb", "1")
    assert main(["report", str(other), "--out", str(out)]) == 0
    assert any("FAILED" in row and "killed before it had ended" in row for row in rows_of(out))
    assert not [entry for entry in (out / "r").iterdir() if entry.name.startswith(".")]


@pytest.mark.kernel
def test_a_full_disk_leaves_the_good_page_and_is_told(tmp_path, capsys):
    """Where no page can be written any more, the room put by takes the failure: exit 5, index, page, record."""
    out = tmp_path / "out"
    path = written(tmp_path / "r.ipynb", "print('good')")
    with _small_disk(out):
        assert main(["report", str(path), "--out", str(out)]) == 0
        good = (out / "r" / "latest.html").read_bytes()
        _fill(out)
        for _ in range(2):
            assert main(["report", str(path), "--out", str(out)]) == 5
            assert (out / "r" / "latest.html").read_bytes() == good
            assert "No space left on device" in rows_of(out)[0]
            assert "FAILED: A title" in next((out / "r").glob("*.failed.html")).read_text()
            assert json.loads((out / "r" / "run.json").read_text())["verdict"] == "crashed"
        (out / "filler").unlink()
        assert main(["report", str(path), "--out", str(out)]) == 0
        assert "bad" not in rows_of(out)[0]


@pytest.mark.kernel
def test_a_read_only_folder_is_refused(tmp_path, capsys):
    """Where nothing may be written the run is refused, exit 3, and the pages are what they were."""
    out = tmp_path / "out"
    path = written(tmp_path / "r.ipynb", "print('good')")
    with _small_disk(out):
        assert main(["report", str(path), "--out", str(out)]) == 0
        subprocess.run(["mount", "-o", "remount,ro", str(out)], check=True)
        before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
        assert main(["report", str(path), "--out", str(out)]) == 3
        assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before
    assert "Read-only file system. Name another folder with --out" in capsys.readouterr().err


# Several, and only what changed


@pytest.mark.kernel
def test_several_run_at_once_and_stay_apart(tmp_path):
    """Runs come back in the order of the jobs; two of one second and one that crashes keep no other from its page."""
    paths = [written(tmp_path / f"{name}.ipynb", code) for name, code in (("a", "1"), ("b", "1 / 0"), ("c", "2"))]
    told = []
    runs = run_all([prepare(path) for path in (*paths, paths[0])], out=tmp_path / "out", tell=told.append)
    assert [(run.name, run.verdict) for run in runs] == [
        ("a", "passed"),
        ("b", "crashed"),
        ("c", "passed"),
        ("a", "passed"),
    ]
    assert told == runs
    assert len({run.page for run in runs}) == 4
    assert len(rows_of(tmp_path / "out")) == 4


@pytest.mark.kernel
def test_nothing_changed_means_no_run(tmp_path, capsys):
    """--if-changed runs where the data, a parameter or the notebook changed, or the last run was not good."""
    db = v2_1_database(tmp_path / "d.db", tasks=[{"title": "A"}])
    path = written(tmp_path / "r.ipynb", "1", parameters=DB)
    call = ["report", str(path), "--db", str(db), "--out", str(tmp_path / "out"), "--if-changed"]

    def ran(*more):
        assert main([*call, *more]) in (0, 5)
        out, err = capsys.readouterr()
        assert bool(out) != ("nothing changed since" in err)
        return bool(out)

    assert ran()
    assert not ran()
    query(db, "UPDATE tasks SET title = 'A' WHERE title = 'none'")
    os.utime(db)
    assert not ran()
    query(db, "UPDATE tasks SET priority = 'high'")
    assert ran()
    assert not ran()
    insert(db, "runs", id="1", kind="scan", started_at="2026-01-01", outcome="done", details="{}")
    assert ran()
    insert(db, "runs", id="2", kind="scan", started_at="2026-01-02", outcome="done", details="{}")
    assert not ran()
    assert ran("--as-of", "2026-01-01")
    assert not ran("--as-of", "2026-01-01")
    written(path, "1 / 0", parameters=DB)
    assert ran()
    assert ran()


@pytest.mark.kernel
def test_looking_for_a_change_loads_nothing_heavy(tmp_path):
    """Where nothing changed neither pandas nor papermill nor nbformat is loaded, and the database keeps its bytes."""
    db = v2_1_database(tmp_path / "d.db", tasks=[{"title": "A"}])
    path = written(tmp_path / "r.ipynb", "1", parameters=DB)
    run_report(path, db=db, out=tmp_path / "out")
    before = {file.name: file.read_bytes() for file in tmp_path.glob("d.db*")}
    call = ["report", str(path), "--db", str(db), "--out", str(tmp_path / "out"), "--if-changed"]
    code = f"import sys, dashkit.cli; print(dashkit.cli.main({call!r}), *sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    code, *loaded = done.stdout.split()
    assert code == "0"
    assert "nothing changed since" in done.stderr
    assert {"pandas", "numpy", "duckdb", "matplotlib", "papermill", "nbconvert", "nbformat", "jinja2"}.isdisjoint(
        loaded
    )
    assert {file.name: file.read_bytes() for file in tmp_path.glob("d.db*")} == before


# Telling somebody


@pytest.mark.kernel
def test_a_command_is_told_what_changed(tmp_path, capsys):
    """JSON on the standard input of the user's command, on change only; no shell reads the command."""
    db = v2_1_database(tmp_path / "d.db", tasks=[{"title": PAYLOAD}])
    path = written(tmp_path / "r.ipynb", FIGURES, parameters=DB)
    call = ["report", str(path), "--db", str(db), "--out", str(tmp_path / "out"), "--notify"]
    note = tmp_path / "a note; echo $HOME"
    writes = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    command = shlex.join([sys.executable, "-c", writes, str(note)])
    assert main([*call, command]) == 0
    assert not note.exists()
    query(db, "UPDATE tasks SET status = 'blocked', blocked_reason = ?", PAYLOAD)
    time.sleep(0.01)
    assert main([*call, command]) == 0
    told = json.loads(note.read_text())
    assert [(change["report"], change["kind"], change["title"]) for change in told["changes"]] == [
        ("r", "blocked", PAYLOAD)
    ]
    assert told["text"].startswith("r: Blocked: ")
    assert Path(told["runs"][0]["page"]).is_file()
    query(db, "UPDATE tasks SET status = 'pending'")
    time.sleep(0.01)
    assert main([*call, "false"]) == 5
    assert "The pages are written; mend the command. What changed was not told; the next run" in capsys.readouterr().err


@pytest.mark.kernel
def test_what_was_not_told_is_told_by_the_next_run(tmp_path, capsys):
    """A command that fails is reported by the next run, and its message is told then, once, and before what is new."""
    path, out, told = written(tmp_path / "r.ipynb", "1 / 0"), tmp_path / "out", tmp_path / "told"
    call = ["report", str(path), "--out", str(out)]
    assert main([*call, "--notify", "false"]) == 5
    assert "the next run with --notify tells it" in capsys.readouterr().err
    assert main([*call, "--notify", "no-such-program-at-all"]) == 5
    assert "1 change was not told at 2" in capsys.readouterr().err
    assert main(call) == 5  # the notebook
    said = capsys.readouterr().err
    assert "(Nobody can be told by no-such-program-at-all: there is no program no-such-program-at-all on the" in said
    assert "; a run with --notify tells it." in said
    assert main([*call, "--notify", f"tee -a {told}", "-p", "x=1"]) == 2  # refused, and told all the same
    assert "; it is told now." in capsys.readouterr().err
    (first, second) = json.loads(told.read_text())["changes"]
    assert (first["kind"], second["kind"]) == ("run_failed", "run_failed")
    assert first["untold_since"] < json.loads(told.read_text())["runs"][-1]["as_of"]
    assert "untold_since" not in second
    assert "(not told at 2" in json.loads(told.read_text())["text"].splitlines()[0]
    told.unlink()
    assert main([*call, "--notify", f"tee -a {told}"]) == 5
    assert not told.exists()
    assert "not told" not in capsys.readouterr().err
    assert not (out / untold.NAME).exists()


def test_what_is_untold_stays_small_and_is_not_trusted(tmp_path):
    """The newest changes are kept; a file that anybody could have put there is nothing to tell."""
    changes = [{"report": "r", "sentence": str(number), "untold_since": ""} for number in range(500)]
    assert untold.keep(tmp_path, untold.Untold(changes, [{}] * 500, "then", "why"))
    assert [change["sentence"] for change in untold.load(tmp_path).changes] == [str(n) for n in range(300, 500)]
    full = '{"changes": [1], "runs": [], "failed_at": "", "why": ""}'
    for text in ("", "[]", "{}", '{"changes": 1}', full, full.replace("[1]", "1"), "[" * 9999):
        (tmp_path / untold.NAME).write_text(text)
        assert untold.load(tmp_path) == untold.Untold()
    untold.drop(tmp_path)
    untold.drop(tmp_path)
    (tmp_path / "file").touch()
    assert not untold.keep(tmp_path / "file", untold.Untold(changes))


@pytest.mark.parametrize("command", ["", "'"])
def test_a_command_that_is_none_is_refused_before_the_run(tmp_path, capsys, command):
    """What is no command is refused first: exit 2, and no page."""
    path = written(tmp_path / "r.ipynb", "1")
    assert main(["report", str(path), "--out", str(tmp_path / "out"), "--notify", command]) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("code", "said"), [("1", "Give the path of the program.\n"), ("1 / 0", "not told; the next run")]
)
def test_where_the_program_is_missing_the_page_is_made(tmp_path, capsys, code, said):
    """A PATH that lacks the program keeps no page from being made: exit 5, and that nobody could be told."""
    path = written(tmp_path / "r.ipynb", code)
    assert main(["report", str(path), "--out", str(tmp_path / "out"), "--notify", "no-such-program-at-all x"]) == 5
    told = capsys.readouterr().err
    assert "Nobody can be told by no-such-program-at-all x: there is no program no-such-program-at-all on the" in told
    assert said in told
    assert len(rows_of(tmp_path / "out")) == 1


@pytest.mark.kernel
@pytest.mark.parametrize("refused", [False, True])
def test_the_next_run_tells_of_one_that_was_killed(tmp_path, refused):
    """--notify hears once that the run before was killed, by a good run of any report or by one that is refused."""
    out, other = tmp_path / "out", written(tmp_path / "other.ipynb", "1")
    call = ["report", str(other), "--out", str(out), "--notify", f"tee -a {tmp_path / 'told'}"]
    assert main(call) == 0
    for day in range(1, 3):
        (out / "r" / f".2026010{day}_070000").mkdir(parents=True)
        assert main([*call, *(["-p", "x=1"] if refused else [])]) == 2 * refused
    told = (tmp_path / "told").read_text()
    assert told.count('"run_failed"') == 1 + refused  # the refusal, too
    assert told.count("r: The run did not get to its end: The run was killed before it had ended.") == 1
    assert sum("killed before it had ended" in row for row in rows_of(out)) == 2
    assert json.loads((out / "r" / "run.json").read_text())["started_at"] == "2026-01-02T07:00:00.000Z"


# Copies, instants


def test_a_copy_runs_like_ours(tmp_path, capsys):
    """--copy puts the notebook where it is wanted, overwrites nothing, and the copy is a report by its path."""
    target = tmp_path / "my explore.ipynb"
    assert main(["report", "--copy", "explore", str(target)]) == 0
    assert target.read_bytes() == prepare("explore", db=v2_1_database(tmp_path / "d.db"))[0].path.read_bytes()
    assert main(["report", "--copy", "explore", str(target)]) == 3
    assert main(["report", "--copy", "explore", str(tmp_path / "x.txt")]) == 2
    assert main(["report", "--copy"]) == 2
    assert main(["report", "--copy", "explore", str(tmp_path)]) == 0
    assert (tmp_path / "explore.ipynb").is_file()
    capsys.readouterr()


def test_an_instant_is_for_the_reports_that_take_one(tmp_path, capsys):
    """--as-of is refused by a report without the parameter, and by what is no instant."""
    path = written(tmp_path / "r.ipynb", "1")
    assert main(["report", str(path), "--as-of", "2026-01-01", "--out", str(tmp_path / "out")]) == 2
    assert "it takes no as_of" in capsys.readouterr().err
    assert main(["report", "progress", "--as-of", "yesterday"]) == 2
    assert "it is no instant" in capsys.readouterr().err
