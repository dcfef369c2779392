"""Hostile text through every frame, picture, notebook and page, in a real browser and on the terminal."""

import base64
import csv
import io
import json
import re
import subprocess
from collections import Counter
from contextlib import suppress
from xml.etree import ElementTree as ET

import pytest
from builders import insert, v1_database, v2_1_database
from pages import ASKING, NOTEBOOKS, Tags, in_browser, looked_at, page
from payloads import NET, PAYLOADS, SAMPLE, SEEN, harmless, hostile

import dashkit
from dashkit import charts, dashboard
from dashkit.cli import main
from dashkit.reports.jobs import prepare
from dashkit.reports.run import run_all
from dashkit.reports.sanitize import _KEPT, clean

ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
HIDDEN = re.compile("[\ufffe\uffff]")  # no order to a terminal, and forbidden in XML
FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
# What a payload would have to become to do anything; of each a page has as many as one of harmless text.
TELLING = set(
    "a applet audio base button details embed fieldset figure form h1 h2 iframe img input label link main math meta "  # noqa: SIM905
    "noscript object script section style svg template title track video".split()
)
OF_PAGES = {"body", "footer", "head", "html", "main", "meta", "section", "style", "title"}
IN_SVG = {"clipPath", "defs", "g", "path", "rect", "style", "svg", "text", "tspan", "use", "metadata", "image"}
EVIL = f'<title>Evil</title><p>x<img src="{NET}/x" onerror="{SEEN}">'
FRAMES = dashboard.frames()
OF_TEXT = ["activity", "bad_values", "blocked_tasks", "links", "task_timeline"]
GROUPS = [list(PAYLOADS)[place : place + 4] for place in range(0, len(PAYLOADS), 4)]
thorough = pytest.mark.exhaustive


def file_name(text):
    """A payload as the name of a file."""
    return text.replace("/", "|").replace("\0", "")[:60]


def pages_of(folder, payloads, notebooks=ASKING):
    """The page of each notebook, of a database with these texts, under a name that is one of them too."""
    name = file_name(next((text for text in payloads if isinstance(text, str)), "no name"))
    db = hostile(folder / f"{name}.db", payloads)
    return {path.stem: page(path, db_path=str(db)) for path in notebooks}


def judge(name, html, like):
    """Nothing on a page came from a payload but text."""
    seen = Tags(html).seen
    counts, expected = (Counter(tag for tag, _ in tags) for tags in (seen, Tags(like).seen))
    assert {tag: counts[tag] for tag in TELLING} == {tag: expected[tag] for tag in TELLING}, name
    assert set(counts) <= _KEPT | OF_PAGES
    for tag, attributes in seen:
        assert not [one for one in attributes if one.startswith("on") or one in ("style", "id", "href", "action")]
        assert tag != "img" or attributes["src"].startswith("data:image/svg+xml;base64,")
        assert "verdict" not in (attributes.get("class") or "")
    assert not ACTING.search(html)
    for encoded in re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', html):
        judge_svg(base64.b64decode(encoded).decode())
    assert len(html.encode()) < 1_000_000, name


def judge_svg(drawing):
    """A drawing is well-formed, and made of shapes and text alone."""
    root = ET.fromstring(drawing)
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= IN_SVG
    addresses = [value for one in root.iter() for name, value in one.attrib.items() if name.endswith("href")]
    assert all(address.startswith(("#", "data:image/png")) for address in addresses)
    assert not [name for one in root.iter() for name in one.attrib if name.startswith("on")]
    assert not ACTING.search(drawing)
    assert not HIDDEN.search(drawing)


def judge_in_browser(pages, like, folder):
    """A browser runs nothing, asks for nothing, complains of nothing, and shows each page as one of harmless text."""
    found, said, asked = looked_at({**pages, "evil": EVIL}, folder)
    evil = found.pop("evil")
    assert evil["title"] == "PWNED"  # what would be seen, were anything run
    assert [line for line in said if "PWNED" in line and "evil.html" in line]
    assert [line for line in said if "evil.html" not in line] == []
    assert {line.split(b" ", 2)[1] for line in asked if b"pwned" in line} <= {
        f"{NET}/{x}".encode() for x in ("x", "run")
    }
    assert [line for line in asked if b"pwned" in line]
    for name, seen in found.items():
        expected = Counter(tag for tag, _ in Tags(like[name]).seen)
        assert {tag: seen["counts"].get(tag, 0) for tag in TELLING} == {tag: expected[tag] for tag in TELLING}, name
        assert (seen["title"], seen["handlers"], seen["addresses"], seen["broken"]) == (
            re.search("<title>(.*?)</title>", like[name])[1], 0, [], 0,
        )  # fmt: skip
        assert seen["width"] <= 390, name


@pytest.fixture(scope="module")
def like(tmp_path_factory):
    """The pages of harmless text."""
    return pages_of(tmp_path_factory.mktemp("harmless"), harmless(SAMPLE))


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """A database of the sample."""
    return hostile(tmp_path_factory.mktemp("sample") / f"{file_name(SAMPLE['attribute'])}.db", SAMPLE.values())


@pytest.fixture(scope="module")
def pages(db):
    """Its pages."""
    return {path.stem: page(path, db_path=str(db)) for path in ASKING}


@pytest.mark.slow
def test_no_payload_is_an_element(pages, like):
    """Parsed, each page has the elements of a page of harmless text, its pictures are XML, and no character acts."""
    for name, html in pages.items():
        judge(name, html, like[name])
    told = "".join(pages.values())
    assert "document.title=" in told  # it is there, as text
    assert "gnp.exe" in told


@pytest.mark.browser
@in_browser
def test_no_payload_acts_in_a_browser(pages, like, tmp_path):
    """Opened, no page runs a script, asks the net, has an element of a payload, or is wider than a phone."""
    judge_in_browser(pages, like, tmp_path)


@pytest.mark.browser
@thorough
@pytest.mark.parametrize("group", GROUPS, ids=", ".join)
def test_the_whole_matrix_on_every_page(tmp_path, group):
    """Four payloads in each place of a database: no page has more than their text, parsed and opened."""
    payloads = [PAYLOADS[name] for name in group]
    for name in ("harmless", "pages"):
        (tmp_path / name).mkdir()
    like = pages_of(tmp_path / "harmless", harmless(payloads))
    made = pages_of(tmp_path / "pages", payloads)
    for name, html in made.items():
        judge(name, html, like[name])
    if not in_browser.args[0]:
        judge_in_browser(made, like, tmp_path)


@pytest.mark.kernel
@thorough
def test_every_notebook_runs_on_hostile_paths(tmp_path, like, capfd):
    """By `dashkit report`: database, folder of pages and notebook have hostile names; the index is text too."""
    folder = tmp_path / file_name(SAMPLE["attribute"]) / file_name(SAMPLE["lines"])
    folder.mkdir(parents=True)
    db = hostile(folder / f"{file_name(SAMPLE['terminal'])}.db", PAYLOADS.values())
    out = folder / file_name(SAMPLE["img"])
    own = folder / f"{file_name(SAMPLE['script'])}.ipynb"
    own.write_bytes(next(path for path in ASKING if path.stem == "progress").read_bytes())
    runs = run_all([prepare(path, db=db) for path in (*ASKING, own)], out=out)
    assert [run.error for run in runs] == [None] * len(runs)
    for run in runs:
        judge(run.name, run.page.read_text(encoding="utf-8"), like.get(run.name, like["progress"]))
    index = (out / "index.html").read_text(encoding="utf-8")
    assert {tag for tag, _ in Tags(index).seen}.isdisjoint({"script", "img", "svg", "iframe", "form"})
    assert not ACTING.search(index)
    assert capfd.readouterr() == ("", "")


@thorough
def test_the_verification_of_hostile_text(tmp_path, like):
    """The page of a migration names tables and counts; text that it shows is text."""
    verify = next(path for path in NOTEBOOKS if path.stem not in like)
    made = []
    for place, texts in enumerate((PAYLOADS.values(), harmless(PAYLOADS))):
        tasks = [{"title": text, "description": text, "status": text} for text in texts if isinstance(text, str)]
        db = v1_database(tmp_path / f"{place}.db", projects=[task["title"] for task in tasks], tasks=tasks)
        made.append(page(verify, db_path=str(db)))
    judge("migrate_verify", made[0].replace("verdict", "judged"), made[1])


def test_a_long_text_is_cut_on_a_page():
    """A text of a megabyte in a cell is five hundred characters and an ellipsis."""
    assert len(clean(f"<table><tr><td>{'word ' * 200_000}</td></tr></table>")) < 700


def test_a_reason_is_no_path_of_json(tmp_path):
    """Records that were left out are counted by their reasons, whatever these look like."""
    reasons = {"$$$": 2, "/x": 3, "": 4, "*": 5, '$."a"': 6, "[0]": 7}
    db = v2_1_database(tmp_path / "d.db")
    said = json.dumps({"left_out_by": reasons})
    insert(db, "runs", id="1", kind="link", started_at="2026-01-01", outcome="done", details=said)
    with dashkit.open(db) as d:
        assert dict(d.left_out()[["reason", "left_out"]].itertuples(index=False)) == reasons


# Pictures


def drawn(d):
    """Every picture and table of a Dashboard, by the name of what makes it."""
    progress, done, fan, forecast = d.progress(), d.progress_over_time("day"), d.forecast_fan(), d.forecast()
    blocked, links = d.blocked_tasks(), d.links()
    stories = [story for _, story in d.task_timeline().groupby("task_id")]
    longest = sorted(stories, key=len, reverse=True)[:5]
    return {
        "activity_table": [charts.activity_table(d.activity(limit=200))],
        "ageing": [charts.ageing(d.ageing())],
        "arrivals": [charts.arrivals(d.arrivals("day"), by="day")],
        "bad_values_table": [charts.bad_values_table(d.bad_values())],
        "blocked_over_time": [charts.blocked_over_time(d.blocked_over_time("day"), d.blocked_reasons_over_time())],
        "blocked_table": [charts.blocked_table(blocked, most=100)],
        "burn_up": [charts.burn_up(done, fan, forecast)],
        "clusters_table": [charts.clusters_table(d.blocker_clusters())],
        "commit_calendar": [charts.commit_calendar(d.commit_activity("day"))],
        "commits_by_period": [charts.commits_by_period(d.commit_activity("week"))],
        "cumulative_flow": [charts.cumulative_flow(d.cumulative_flow("day"), "day")],
        "finished_by_period": [charts.finished_by_period(d.throughput("week"))],
        "forecast_table": [charts.forecast_table(forecast)],
        "headlines_table": [charts.headlines_table(d.headlines(), d.activity(limit=5))],
        "left_out_table": [charts.left_out_table(d.left_out())],
        "links_table": [charts.links_table(links, 50, d.timezone)],
        "no_history": [charts.no_history(d.version)],
        "past_forecast": [charts.past_forecast(d.forecast_fan(days_ago=7), d.timezone)],
        "phase_table": [charts.phase_table(d.progress(by="phase"), most=100)],
        "progress_by_project": [charts.progress_by_project(progress)],
        "progress_over_time": [charts.progress_over_time(done, "day")],
        "projects": [charts.projects(progress, d.throughput_by_project())],
        "quality_table": [charts.quality_table(d.data_quality())],
        "task_strip": [charts.task_strip(story) for story in longest],
        "time_to_finish": [charts.time_to_finish(d.lead_times()), charts.time_to_finish(d.cycle_times())],
        "waiting_table": [charts.waiting_table(blocked, most=100)],
        "what_moved": [charts.what_moved(d.what_moved(), d.timezone)],
    }


def judge_pictures(db, like):
    """Each picture and table is made, and has the elements of one of harmless text."""
    with dashkit.open(db) as d, dashkit.open(like) as other:
        made, expected = drawn(d), drawn(other)
    assert set(made) == set(charts.__all__) - {"Picture", "Table", "counted_since", "query_speed"}
    for name in made:
        pair = []
        for each in (made[name], expected[name]):
            html = "".join(one._repr_html_() for one in each)
            pair.append({tag: count for tag, count in Counter(t for t, _ in Tags(html).seen).items() if tag in TELLING})
            assert not ACTING.search(html), name
        assert pair[0] == pair[1], name
        for picture in made[name]:
            if isinstance(picture, charts.Picture):
                judge_svg(picture.svg)


@pytest.mark.slow
def test_no_payload_is_an_element_of_a_picture(db, tmp_path):
    """Every chart and table of charts.__all__ is drawn of the sample: XML, text as text, no character that acts."""
    judge_pictures(db, hostile(tmp_path / "d.db", harmless(SAMPLE)))


@thorough
@pytest.mark.parametrize("group", GROUPS, ids=", ".join)
def test_the_whole_matrix_in_every_picture(tmp_path, group):
    """Four payloads in each place of a database: every chart and table is drawn, and has their text alone."""
    payloads = [PAYLOADS[name] for name in group]
    judge_pictures(hostile(tmp_path / "a.db", payloads), hostile(tmp_path / "b.db", harmless(payloads)))


# The terminal


def judge_shown(db, name, capsys):
    """A frame as a table has no character that acts; as CSV no cell that a spreadsheet would run; as JSON ASCII."""
    assert main(["show", name, "--db", str(db)]) == 0
    told = capsys.readouterr()
    assert not ACTING.search((told.out + told.err).replace("\n", " ")), name
    assert main(["show", name, "--csv", "--db", str(db)]) == 0
    for row in csv.reader(io.StringIO(capsys.readouterr().out, newline="")):
        assert not [cell for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell)], name
    assert main(["show", name, "--json", "--db", str(db)]) == 0
    assert capsys.readouterr().out.isascii()


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_TEXT)
def test_a_frame_is_shown_as_text(db, name, capsys):
    """On the terminal, in a spreadsheet and in JSON nothing of the sample acts."""
    judge_shown(db, name, capsys)


@thorough
@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_is_shown_as_text(tmp_path_factory, name, capsys, whole):
    """Of every payload, in every frame."""
    judge_shown(whole, name, capsys)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A database of all payloads."""
    return hostile(tmp_path_factory.mktemp("whole") / "d.db", PAYLOADS.values())


CALLS = [
    ["PAYLOAD"],
    ["show", "PAYLOAD"],
    ["show", "progress", "--PAYLOAD"],
    ["show", "progress", "--project", "PAYLOAD"],
    ["show", "progress", "--by", "PAYLOAD"],
    ["show", "activity", "--limit", "PAYLOAD"],
    ["show", "links", "--as-of", "PAYLOAD"],
    ["show", "links", "--timezone", "PAYLOAD"],
    ["show", "progress", "--db", "PAYLOAD"],
    ["report", "PAYLOAD"],
    ["report", "PAYLOAD.ipynb"],
    ["report", "progress", "-p", "PAYLOAD"],
    ["report", "progress", "-p", "PAYLOAD=1"],
    ["report", "progress", "-p", "min_confidence=PAYLOAD"],
    ["report", "progress", "--keep", "PAYLOAD"],
    ["report", "progress", "--as-of", "PAYLOAD"],
    pytest.param(["report", "progress", "--notify", "PAYLOAD"], marks=pytest.mark.kernel),
    ["report", "progress", "--db", "PAYLOAD"],
    ["report", "progress", "--out", "FILE/PAYLOAD"],
    ["report", "--copy", "progress", "PAYLOAD"],
    ["task", "PAYLOAD"],
    ["task", "200"],
    ["task", "1", "--size", "PAYLOAD"],
    ["task", "1", "--link", "PAYLOAD"],
    ["config"],
    ["config", "PAYLOAD", "x"],
    ["config", "time_zone", "PAYLOAD"],
    ["doctor"],
    ["doctor", "--db", "PAYLOAD"],
    ["status"],
    ["status", "--db", "PAYLOAD"],
    ["migrate", "PAYLOAD"],
    ["scan", "PAYLOAD"],
    ["link"],
    ["ingest", "tasks", "PAYLOAD"],
    ["ingest", "git", "PAYLOAD"],
    ["schedule", "PAYLOAD"],
    ["sample", "FILE/PAYLOAD"],
]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_no_message_lets_an_order_to_the_terminal_out(db, call, capsys, monkeypatch, tmp_path):
    """Whatever was given, whatever the database holds: no escape, bell or turn of the text is printed as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHKIT_DB", str(db))
    (tmp_path / "file").write_text("")
    payload = "a\x1b[31m\u202eb\x07\nc"
    given = [part.replace("PAYLOAD", payload).replace("FILE", str(tmp_path / "file")) for part in call]
    with suppress(SystemExit):  # of argparse
        main(given)
    told = capsys.readouterr()
    assert told.out + told.err
    assert not ACTING.search((told.out + told.err).replace("\n", " "))


@thorough
@pytest.mark.kernel
def test_a_scan_of_a_hostile_repository(tmp_path, capsys):
    """Paths, authors, messages, branches and task files of a repository reach the page, and the terminal, as text."""
    repo = tmp_path / file_name(SAMPLE["terminal"])
    repo.mkdir()
    lines = [text.replace("\0", "") for text in PAYLOADS.values() if isinstance(text, str)]
    for place, text in enumerate(lines):
        (repo / f"{place}{file_name(text).strip() or 'x'}.md").write_text(
            f"# {text}\n\n- [ ] {text}\n- [x] done {text}\n"
        )
    git = ["git", "-C", str(repo), "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    for text in lines:
        words = ["-c", f"user.name=n{text[:500]}", "commit", "-q", "--allow-empty", "-m", f"m {text}"]
        subprocess.run([*git, *words], check=True)
    assert main(["scan", str(repo), "--everything"]) == 0
    told = capsys.readouterr()
    assert not ACTING.search((told.out + told.err).replace("\n", " "))
    html = (repo / ".dashkit" / "reports" / "progress" / "latest.html").read_text(encoding="utf-8")
    seen = Tags(html).seen
    assert {tag for tag, _ in seen} <= _KEPT | OF_PAGES
    assert not ACTING.search(html)
