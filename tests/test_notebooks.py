"""The notebooks: thin, clean, and each runs on a small, an empty and a hostile database."""

import ast
import json
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from builders import query, v1_database, v2_1_database, v2_database

from dashkit.reports.catalog import bundled, read
from dashkit.reports.run import run_report

NOTEBOOKS = bundled()
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


def _code(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _cells(path, "code")]


@pytest.fixture(scope="module", params=["small", "empty", "hostile"])
def database(request, tmp_path_factory):
    """Two databases of each sort, version 1 and version 2, in a folder with a space and a quote."""
    folder = tmp_path_factory.mktemp(f"it's a {request.param}")
    old, new = folder / "old.db", folder / "new.db"
    if request.param == "empty":
        v1_database(old, projects=())
        v2_database(new, projects=())
        return old, new
    titles = ("Write it", "Test it", "Ship it") if request.param == "small" else HOSTILE
    tasks = [
        {"title": title, "status": "completed" if place % 3 == 0 else "blocked", "description": title}
        for place, title in enumerate(titles)
    ]
    v1_database(old, projects=(titles[0], titles[-1]), tasks=tasks)
    query(old, "UPDATE tasks SET title = CAST(title AS TEXT), description = CAST(description AS TEXT)")
    v2_database(
        new,
        projects=(titles[0], titles[-1]),
        tasks=[task | {"checked": task["status"] == "completed", "blocked_reason": task["title"]} for task in tasks],
    )
    for column in ("title", "description", "blocked_reason"):
        query(new, f"UPDATE tasks SET {column} = CAST({column} AS TEXT)")
    return old, new


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


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_a_notebook_runs_on_any_database(name, database, tmp_path):
    """Each report passes on a small, an empty and a hostile database, and nothing of theirs becomes markup."""
    old, new = database
    run = run_report(name, db=old if name == "migrate_verify" else new, out=tmp_path)
    assert run.ok, run.error
    tags = _Tags(run.page.read_text()).seen
    assert "script" not in [tag for tag, _ in tags]
    names = {name for _, attributes in tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    addresses = [attributes[name] for _, attributes in tags for name in ("href", "src") if name in attributes]
    assert all(address.startswith("data:image/") for address in addresses)
    assert run.page.stat().st_size < 1_000_000


def test_plain_papermill_runs_the_verification(tmp_path):
    """`papermill notebooks/migrate_verify.ipynb out.ipynb -p db_path X` passes from any folder, X unchanged."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}])
    before = path.read_bytes()
    notebook = next(path for path in NOTEBOOKS if path.stem == "migrate_verify")
    command = [sys.executable, "-m", "papermill", str(notebook), "out.ipynb", "-p", "db_path", str(path)]
    done = subprocess.run([*command, "--no-progress-bar"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "VERIFIED" in (tmp_path / "out.ipynb").read_text()
    assert path.read_bytes() == before


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
    run = run_report("progress", db=path, out=tmp_path, parameters={"as_of": "2025-03-01T12:00:00Z"})
    assert "<td>at most 60 days</td>" in run.page.read_text()


def test_the_verification_page_shows_the_times_of_its_queries_once(tmp_path):
    """The times stand in the table of the chart, with how SQLite answers, and in no other."""
    path = v1_database(tmp_path / "dash.db", tasks=[{"title": "a", "status": "completed"}])
    page = run_report("migrate_verify", db=path, out=tmp_path).page.read_text()
    assert page.count(">without_ms<") == 1
    assert "USING INDEX idx_tasks_status_blocked" in page


def test_the_progress_page_says_nothing_where_there_is_nothing(tmp_path):
    """Without a task each chart is one sentence that fits, no phase is missed, and gone tasks are told right."""
    path = v2_1_database(tmp_path / "dash.db")
    text = unescape(run_report("progress", db=path, out=tmp_path).page.read_text())
    for said in ("There are no tasks yet", "There is no task that could be finished", "There are no commits"):
        assert f"<figcaption>{said}</figcaption>" in text
    assert "phase" not in text
    assert "what was cancelled, or gone from its file before it was checked, is left out" in text
    assert not re.search(r"<th[^>]*>[^<]*_", text)
