"""The notebooks: thin, clean, and each runs on a small, an empty, an old, a hostile and a lively database."""

import ast
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from pages import ASKING, NOTEBOOKS, page
from recordings import BEADS, SCRIPT
from stories import linked, lively

import dashkit
from dashkit.errors import OutdatedError
from dashkit.reports.catalog import read
from dashkit.reports.run import run_report
from dashkit.reports.sanitize import clean
from dashkit.times import to_text

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>document.title='PWNED'</script>",
    "[click](javascript:alert(1)) $\\href{javascript:alert(1)}{x}$",
    "price $\\frac$ and $5",
    "'; DROP TABLE tasks; --",
    "=1+1",
    "\u202eright to left\u202c \x1b[31m \x00 nul",
    "🧨" * 40 + " 漢字",
    "x" * 5000,
    "{{ 7 * 7 }} {% raw %} %run",
    b"caf\xe9 \xff is no UTF-8",
    "the last",
)


class _Tags(HTMLParser):
    """The tags of a page as a browser sees them, with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.seen = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def _cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def _notebook(stem: str) -> Path:
    return next(path for path in NOTEBOOKS if path.stem == stem)


def _code(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _cells(path, "code")]


def _tasks(titles, **more):
    """Tasks of these titles, every third one done, the others blocked for their own title."""
    for place, title in enumerate(titles):
        done = place % 3 == 0
        yield {"title": title, "description": title, "status": "completed" if done else "blocked", **more}


def _as_text(path, *columns):
    """What was given as bytes is text, though no UTF-8."""
    for column in columns:
        query(path, f"UPDATE tasks SET {column} = CAST({column} AS TEXT)")


def hostile(path, make=v2_1_database):
    """A database whose names, titles and reasons want to be markup, code or mathematics."""
    tasks = [
        task | {"checked": task["status"] == "completed", "blocked_reason": task["title"]} for task in _tasks(HOSTILE)
    ]
    make(path, projects=(HOSTILE[0], HOSTILE[-1]), tasks=tasks)
    _as_text(path, "title", "description", "blocked_reason")
    insert(path, "task_dependencies", task_id=2, depends_on_id=3)
    linked(path, HOSTILE)
    return path


def beads(path):
    """The first versions of a real tracker, replayed and scanned."""
    if not SCRIPT.is_file():
        pytest.skip("the real histories are not on this machine (../shared)")
    folder = path.with_name("beads")
    subprocess.run([sys.executable, SCRIPT, BEADS, ".beads/issues.jsonl", folder, "--limit", "250"], check=True)
    dashkit.scan(folder, db=path, page=False)
    return path


DATABASES = {
    "small": lambda path: v2_1_database(path, tasks=[*_tasks(("Write it", "Test it", "Ship it"))]),
    "empty": lambda path: v2_1_database(path, projects=()),
    "version 1": lambda path: v1_database(path, tasks=[*_tasks(("Write it", "Test it"))]),
    "version 2.0": lambda path: hostile(path, v2_database),
    "hostile": hostile,
    "lively": lively,
    "beads": beads,
}


@pytest.fixture(scope="module", params=["small", "empty", "hostile"])
def old_database(request, tmp_path_factory):
    """A database of version 1 of each sort, in a folder with a space and a quote."""
    path = tmp_path_factory.mktemp(f"it's a {request.param}") / "old.db"
    if request.param == "empty":
        return v1_database(path, projects=())
    titles = ("Write it", "Test it", "Ship it") if request.param == "small" else HOSTILE
    v1_database(path, projects=(titles[0], titles[-1]), tasks=[*_tasks(titles)])
    _as_text(path, "title", "description")
    return path


@pytest.fixture(
    scope="module",
    params=[name if name != "beads" else pytest.param(name, marks=pytest.mark.exhaustive) for name in DATABASES],
)
def database(request, tmp_path_factory):
    """One of each sort, in a folder with a space and a quote."""
    return request.param, DATABASES[request.param](tmp_path_factory.mktemp("it's a folder") / "dash.db")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path):
    """In git a notebook has no output, no count, its own cell ids and the kernel that everybody has."""
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in _cells(path, "code"))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert path.stat().st_size <= 30_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin(path):
    """A notebook asks one question, declares its parameters with help, and its cells only call dashkit."""
    report = read(path)
    assert report.question.endswith("?")
    assert report.parameters[0].name == "db_path"
    assert all(parameter.help for parameter in report.parameters)
    tagged = [cell for cell in _cells(path, "code") if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    assert _code(path)[1] == "import dashkit\n\ndashkit.check_parameters()"
    for source in _code(path)[1:]:
        tree = ast.parse(source)
        assert len(source.splitlines()) <= 3, source
        banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.ImportFrom, ast.ListComp)
        assert not any(isinstance(node, banned) for node in ast.walk(tree)), source
        imports = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
        assert set(imports) <= {"dashkit"}
        assert not re.search(r"\bselect\b|/home/|/root/", source, re.IGNORECASE)


def _judge(html):
    """Nothing in a page runs, and nothing leads out of it."""
    tags = _Tags(html).seen
    assert "script" not in [tag for tag, _ in tags]
    names = {name for _, attributes in tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    addresses = [attributes[name] for _, attributes in tags for name in ("href", "src") if name in attributes]
    assert all(address.startswith("data:image/") for address in addresses)
    assert len(html.encode()) < 1_000_000


def _papermill(source, out, db, *more):
    """A notebook run by plain papermill in the folder of its output: how that ended, and the notebook."""
    command = [sys.executable, "-m", "papermill", str(source), out.name, "-p", "db_path", str(db), "--no-progress-bar"]
    done = subprocess.run([*command, *more], cwd=out.parent, capture_output=True, text=True, check=False)
    return done, json.loads(out.read_text())


def _shown(path, db):
    """What the cells of a notebook show, as HTML that a page may hold; no kernel is started for it."""
    names, shown = {}, []
    for source in _code(path):
        tree = ast.parse(source.replace("dashkit.check_parameters()", ""))
        last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)
        names |= {"db_path": str(db)}
        value = eval(compile(last, path.name, "eval"), names) if last else None
        if hasattr(value, "_repr_html_"):
            shown.append(clean(value._repr_html_()))
    return "".join(shown)


@pytest.mark.slow
@pytest.mark.parametrize("path", ASKING, ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_run_on_any_database(path, database):
    """Small, empty, hostile, full, of version 2.0: each cell shows something, or is refused in words for version 1."""
    sort, db = database
    if sort == "version 1":
        with pytest.raises(OutdatedError, match=r"needs version 2\.0 .* Run `dashkit migrate`"):
            _shown(path, db)
        return
    html = _shown(path, db)
    _judge(html)
    assert ("keeps no history" in html) == (sort == "version 2.0" and path.stem != "data_quality")
    if path.stem in ("progress", "trends"):
        assert html.count("keeps no history") == (sort == "version 2.0")
    if sort == "empty" and path.stem in ("progress", "trends", "forecast"):
        assert "Read tasks with dashkit scan REPOSITORY" in html
    if sort == "lively" and path.stem in ("progress", "trends", "forecast"):
        assert html.count("<img") >= {"progress": 3, "trends": 7, "forecast": 4}[path.stem]


@pytest.mark.kernel
@pytest.mark.parametrize("path", ASKING, ids=lambda path: path.stem)
def test_a_notebook_runs_by_report(path, tmp_path):
    """Each is a page of a hostile database."""
    run = run_report(path, db=hostile(tmp_path / "it's a.db"), out=tmp_path / "out")
    assert run.ok, run.error
    _judge(run.page.read_text())


@pytest.mark.kernel
@pytest.mark.parametrize(
    "path",
    [path if path.stem == "trends" else pytest.param(path, marks=pytest.mark.exhaustive) for path in ASKING],
    ids=lambda path: path.stem,
)
def test_a_notebook_runs_by_plain_papermill(path, tmp_path):
    """Each passes under `papermill` of a hostile database from any folder, with no error in its outputs."""
    done, notebook = _papermill(path, tmp_path / "out.ipynb", hostile(tmp_path / "it's a.db"))
    assert done.returncode == 0, done.stderr
    assert not [cell for cell in notebook["cells"] if any(o["output_type"] == "error" for o in cell.get("outputs", []))]


@pytest.mark.kernel
@pytest.mark.exhaustive
@pytest.mark.parametrize("path", ASKING, ids=lambda path: path.stem)
def test_every_notebook_runs_in_both_ways_on_every_database(path, database, tmp_path):
    """By `dashkit report` and by plain papermill alike; version 1 is refused, and says what to do."""
    sort, db = database
    run = run_report(path, db=db, out=tmp_path / "out")
    done, _ = _papermill(path, tmp_path / "out.ipynb", db)
    if sort == "version 1":
        assert (run.verdict, run.exit_code, done.returncode) == ("refused", 3, 1)
        assert "dashkit migrate" in run.page.read_text()
        assert "dashkit migrate" in done.stderr
        return
    assert run.ok, run.error
    assert done.returncode == 0, done.stderr
    _judge(run.page.read_text())


@pytest.mark.kernel
def test_a_page_of_version_1_is_refused_in_words(tmp_path):
    """Not a trace: which version it is, and the command that migrates it; under plain papermill too."""
    db = v1_database(tmp_path / "dash.db", tasks=[{"title": "a"}])
    run = run_report("progress", db=db, out=tmp_path / "out")
    assert (run.verdict, run.exit_code) == ("refused", 3)
    assert "dashkit migrate" in run.page.read_text()
    done, _ = _papermill(_notebook("progress"), tmp_path / "out.ipynb", db)
    assert done.returncode == 1
    assert "dashkit migrate" in done.stderr


@pytest.mark.parametrize(
    ("stem", "headings"),
    [
        ("progress", "Where am I, What is blocking me, What is happening, What was left out, How to read the numbers"),
        ("trends", "When commits were made, How to read the numbers"),
        ("forecast", "How to read the numbers"),
    ],
)
def test_a_page_of_version_2_0_says_once_that_there_is_no_history(tmp_path, stem, headings):
    """It has the sections of which something is known, and no other heading."""
    db = hostile(tmp_path / "dash.db", v2_database)
    html = page(_notebook(stem), db_path=str(db))
    assert html.count("keeps no history") == 1
    assert re.findall("<h2>(.*?)</h2>", html) == headings.split(", ")


@pytest.mark.kernel
def test_the_same_inputs_give_the_same_page(tmp_path):
    """As of an instant, two runs write the same bytes, whatever the time."""
    db, given = lively(tmp_path / "dash.db"), {"as_of": to_text(datetime.now(UTC))}
    pages = [run_report("progress", db=db, out=tmp_path / name, parameters=given).page for name in ("a", "b")]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_links_are_shown_from_a_confidence_on(tmp_path):
    """`min_confidence` leaves out what is less sure, and what is shown says how sure it is."""
    db = lively(tmp_path / "dash.db")
    html = page(_notebook("progress"), db_path=str(db), min_confidence=0.85)
    assert "4 tasks are linked with 4 commits" in html
    assert 'class="number" data-head="confidence">0.9</td>' in html
    assert 'data-head="confidence">0.8</td>' not in html


@pytest.mark.slow
def test_a_page_tells_times_by_the_clock_of_its_dashboard(tmp_path):
    """Tables have the times of the zone that the first line names, and no other."""
    db = lively(tmp_path / "dash.db")
    insert(db, "settings", scope="", key="time_zone", value="Asia/Kolkata", updated_at="2026-01-01")
    with dashkit.open(db) as d:
        at, now = (
            instant.astimezone(ZoneInfo("Asia/Kolkata")) for instant in (d.headlines()["occurred_at"][0], d.as_of)
        )
    html = page(_notebook("progress"), db_path=str(db), as_of=to_text(now))
    assert f"as of {now.day} {now:%B %Y, %H:%M} Asia/Kolkata" in html
    assert f'<td data-head="when">{at:%Y-%m-%d %H:%M}</td>' in html
    assert "(UTC)" not in html


def test_the_verification_runs_on_any_database(old_database):
    """It passes on a small, an empty and a hostile database of version 1, and nothing of theirs becomes markup."""
    html = page(_notebook("migrate_verify"), db_path=str(old_database))  # a check that fails would end it
    assert "VERIFIED" in html
    _judge(html)


@pytest.mark.kernel
def test_plain_papermill_runs_the_verification(tmp_path):
    """`papermill notebooks/migrate_verify.ipynb out.ipynb -p db_path X` passes from any folder, X unchanged."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}])
    before = path.read_bytes()
    source = _notebook("migrate_verify")
    done, _ = _papermill(source, tmp_path / "out.ipynb", path)
    assert done.returncode == 0, done.stderr
    assert "VERIFIED" in (tmp_path / "out.ipynb").read_text()
    assert path.read_bytes() == before


@pytest.mark.kernel
def test_only_execute_migrates_the_database_itself(tmp_path):
    """With execute=True the verification migrates the database, with a backup, and proves it."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}])
    run = run_report("migrate_verify", db=path, out=tmp_path / "out", parameters={"execute": True})
    assert run.ok, run.error
    assert len(list(tmp_path.glob("dash.backup_*_0001.db"))) == 1
    assert "held against dash.backup_" in run.page.read_text()


def test_the_progress_page_calls_a_bound_a_bound(tmp_path):
    """A block that nobody saw begin is "at most" so many days old on the page, in whole days."""
    stale = {"status": "blocked", "created_at": "2025-01-01 00:00:00", "updated_at": "2025-01-01 00:00:00"}
    path = v2_database(tmp_path / "dash.db", tasks=[{**stale, "blocked_reason": "no keys"}])
    html = page(_notebook("progress"), db_path=str(path), as_of="2025-03-01T12:00:00Z")
    assert '<td data-head="blocked for">at most 60 days</td>' in html


def test_the_verification_page_shows_the_times_of_its_queries_once(tmp_path):
    """The times stand in the table of the chart, with how SQLite answers, and in no other."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}])
    html = page(_notebook("migrate_verify"), db_path=str(path))
    assert html.count(">without_ms<") == 1
    assert "USING INDEX idx_tasks_status_blocked" in html


def test_the_progress_page_says_nothing_where_there_is_nothing(tmp_path):
    """Without a task each answer is one sentence, and the first says what to do."""
    path = v2_1_database(tmp_path / "dash.db")
    text = unescape(page(_notebook("progress"), db_path=str(path)))
    for said in (
        "There are no tasks yet", "Nothing has been blocked yet", "Nothing has happened yet.",
        "No commit or session is linked with a task.",
    ):  # fmt: skip
        assert f"<figcaption>{said}</figcaption>" in text
    assert "Read tasks with dashkit scan REPOSITORY" in text
    assert "phase" not in text
    assert "Table(" not in text
    assert not re.search(r"<th[^>]*>[^<]*_", text)
