"""Reports from end to end: parameters, real kernels, and what lies in the folder afterwards."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import nbformat.v4 as nb
import pytest
from builders import v1_database, v2_1_database

from dashkit.cli import main
from dashkit.errors import CheckError, FailedError, RefusedError, UsageError
from dashkit.records import Check
from dashkit.reports import catalog
from dashkit.reports.execute import ended
from dashkit.reports.jobs import prepare
from dashkit.reports.parameters import Parameter, _seen, check, check_parameters, declared, from_text
from dashkit.reports.publish import staging
from dashkit.reports.run import run_report
from dashkit.reports.verdict import require

ROOT = Path(catalog.__file__).parents[2]
PARAMETERS = 'db_path: str = ""  # which database\nlimit: int = 5  # rows, at most # all of them'
KNOWN = declared(PARAMETERS + '\nshare: float = 0.5\nall_of_it: bool = False\nnames: list = []\nsizes: dict = {"S": 1}')
CHECK_PARAMETERS = "from dashkit.reports.parameters import check_parameters\ncheck_parameters()"
REQUIRE = """from dashkit.records import Check
from dashkit.reports.verdict import require
require([Check("rows", limit < 6, "1,587 <b>of</b> 1,588"), Check("hash", True, "equal")])"""


def _notebook(path, *code, prose="# A title\n\nWhat is asked here? More words.", parameters=PARAMETERS):
    cells = [nb.new_markdown_cell(prose), nb.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    cells += [nb.new_code_cell(source) for source in code]
    kernel = {"name": "a-kernel-nobody-has", "display_name": "x", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb.new_notebook(cells=cells, metadata={"kernelspec": kernel}), str(path))
    return path


def _database(path):
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY)")
    return path


def _children():
    """The processes that this one has started and that still run."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


# Parameters


def test_a_cell_declares_name_type_value_and_meaning():
    """Each annotated assignment is one parameter, with its comment as its meaning."""
    assert declared(PARAMETERS) == (
        Parameter("db_path", "str", "", "which database"),
        Parameter("limit", "int", 5, "rows, at most # all of them"),
    )
    assert declared("") == ()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("limit = 5", "line 1 of its cell declares none"),
        ("import os", "line 1 of its cell declares none"),
        ("x: Path = ''", "line 1 of its cell declares none"),
        ("x: str | None = None", "line 1 of its cell declares none"),
        ("x: int", "line 1 of its cell declares none"),
        ("x: str = open('/etc/passwd').read()", "the value of x is no plain value"),
        ("x: int = '5'", "x is declared as int and set to '5'"),
        ("x: int = True", "x is declared as int and set to True"),
        ("x: str = (", "its cell is no Python"),
        ("x: str = '\x00'", "its cell is no Python"),
    ],
)
def test_a_cell_that_declares_anything_else_is_refused(source, why):
    """The parameters cell holds plain declarations; nothing in it is run to find out."""
    with pytest.raises(UsageError, match=f"Cannot read the parameters of my_report: {why.replace('|', '.')}"):
        declared(source, "my_report")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limt": 5}, "no parameter 'limt'. Did you mean limit\\? It takes db_path, limit"),
        ({"zzz": 5}, "no parameter 'zzz'. It takes db_path"),
        ({"limit": "5"}, "limit is an int, and '5' is not. Give limit as a whole number"),
        ({"limit": 5.0}, "limit is an int"),
        ({"limit": True}, "limit is an int"),
        ({"all_of_it": 1}, "all_of_it is a bool"),
        ({"share": "1"}, "share is a float"),
        ({"db_path": None}, "db_path is a str.* Give db_path as a text \\(of papermill: -r NAME VALUE\\)"),
        ({"db_path": "d\udcff.db"}, "no notebook can hold the parameter db_path"),
        ({"names": [{1, 2}]}, "no notebook can hold the parameter names"),
    ],
)
def test_unknown_names_and_wrong_types_are_refused(given, message):
    """A misspelt name is told the nearest one, a wrong value the type."""
    with pytest.raises(UsageError, match=message):
        check(given, KNOWN)


def test_right_parameters_pass():
    """Values of the declared types pass; a whole number is a number."""
    check({"db_path": "x", "limit": 1, "share": 1, "all_of_it": True, "names": ["a"], "sizes": {}}, KNOWN)


def test_text_is_read_by_the_declared_type():
    """The same text is a number, a word or a list, as the notebook declares; a str is never guessed at."""
    pairs = ["db_path=07=x", "limit=07", "share=1e3", "all_of_it=False", 'names=["a=b"]', 'sizes={"S": 2}']
    assert from_text(pairs, KNOWN, "r") == {
        "db_path": "07=x",
        "limit": 7,
        "share": 1000.0,
        "all_of_it": False,
        "names": ["a=b"],
        "sizes": {"S": 2},
    }


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("limit", "'limit': it has no `=`. Write -p name=value"),
        ("limit=many", "limit is an int, and 'many' is not"),
        ("all_of_it=maybe", "all_of_it is a bool, and 'maybe' is not. Give all_of_it as True or False"),
        ("names={}", "names is a list, and '{}' is not. Give names as a JSON list"),
        ("sizes={", "sizes is a dict"),
        ("limt=5", "Did you mean limit"),
    ],
)
def test_text_that_is_no_value_is_refused(pair, message):
    """A text that the declared type cannot mean is refused, with the form it should have."""
    with pytest.raises(UsageError, match=message):
        from_text([pair], KNOWN, "r")


def test_check_parameters_sees_what_papermill_injected_after_the_newest_declaration():
    """The cells that ran tell what was declared and given; a cell that was run again starts anew."""
    injected = '# Parameters\nlimit = 7\nlimt = "x"\n'
    known = declared(PARAMETERS)
    assert _seen(["", PARAMETERS, injected, "import dashkit"]) == (known, ["limit", "limt"], [])
    assert _seen(["", PARAMETERS, injected, "limt = 3", "%%bad (", PARAMETERS]) == (known, [], [])
    assert _seen([injected]) == ((), ["limit", "limt"], [])
    assert _seen([PARAMETERS, "table: pd.DataFrame = d.progress()"]) == (known, [], [])
    assert _seen([injected, "import os", PARAMETERS]) == (known, [], ["limit", "limt"])
    assert _seen([injected, PARAMETERS, PARAMETERS]) == (known, [], [])  # run again by somebody who reads it


@pytest.mark.parametrize("line", ['as_off = "2025-11-24"', "get_ipython().run_line_magic('time', '')", "x: Path = 1"])
def test_a_line_that_declares_nothing_switches_no_check_off(line):
    """What stands beside parameters in their cell and is none is refused, as by `dashkit report`."""
    with pytest.raises(UsageError, match="of its cell declares none"):
        _seen(["", f"{PARAMETERS}\n{line}"])


def test_check_parameters_outside_of_a_notebook_is_refused():
    """Where no notebook runs there is nothing to check."""
    with pytest.raises(UsageError, match="no notebook is running"):
        check_parameters()


@pytest.mark.kernel
def test_a_parameters_cell_without_the_tag_is_refused_with_a_word_on_it(tmp_path, capsys):
    """Ours takes no parameter from it; papermill puts what was given above it, where it would be overwritten."""
    path = _notebook(tmp_path / "r.ipynb", PARAMETERS, CHECK_PARAMETERS, "print('later')", parameters="")
    assert main(["report", str(path), "-p", "limit=7", "--out", str(tmp_path / "out")]) == 2
    said = "It takes none at all; what it takes is declared by a cell with the tag `parameters`."
    assert f"it has no parameter 'limit'. {said}" in capsys.readouterr().err
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb"), "-k", "python3"]
    command += ["--no-progress-bar", "-p", "limit", "7"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "the cell that declares its parameters overwrites it (limit). Give that cell the tag" in done.stderr


# Which reports there are


def test_a_report_is_what_its_notebook_says(tmp_path):
    """Name, title, question and parameters are read from the notebook, without running it."""
    report = catalog.read(_notebook(tmp_path / "my report.ipynb", "raise SystemExit"))
    assert (report.name, report.title, report.question) == ("my report", "A title", "What is asked here?")
    assert [parameter.name for parameter in report.parameters] == ["db_path", "limit"]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("# T\nOne line without a stop", ("T", "One line without a stop")),
        ("Only words. More.", ("r", "Only words.")),
        ("", ("r", "")),
        ("# T\n\nVersion 2.0 is\nhere. Yes.", ("T", "Version 2.0 is here.")),
    ],
)
def test_the_question_is_the_first_sentence_below_the_title(tmp_path, prose, expected):
    """Whatever the first prose looks like, there is a title and a question."""
    report = catalog.read(_notebook(tmp_path / "r.ipynb", prose=prose))
    assert (report.title, report.question) == expected


def test_an_unknown_report_is_refused():
    """A name that no notebook has is refused, and the way to name one's own is told."""
    with pytest.raises(UsageError, match=r"there is no report of that name.*\.ipynb path"):
        catalog.find("no such report")


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"nbformat": 4, "cells": 3}'])
def test_what_is_no_notebook_is_refused(tmp_path, content):
    """A missing, empty, broken or foreign file is refused in words."""
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"Cannot run .*x\.ipynb: (No such file|it is no Jupyter notebook)"):
        catalog.find(path)


def test_a_name_that_begins_with_a_dot_is_refused(tmp_path):
    """The folder of a report's pages is never hidden, nor the parent folder."""
    with pytest.raises(UsageError, match="begins with a dot"):
        catalog.read(_notebook(tmp_path / "...ipynb"))


# Verdicts


def test_require_names_each_check_that_failed():
    """The error says how many of how many, which, and what each found."""
    checks = [Check("rows", False, "3 of 4"), Check("hash", True, "equal")]
    with pytest.raises(CheckError, match=r"1 of 2 checks failed: rows \(3 of 4\)") as caught:
        require(iter(checks))
    assert caught.value.failed == (checks[0],)
    require(checks[1:])


def test_no_check_is_no_verdict():
    """A report that checked nothing does not pass."""
    with pytest.raises(UsageError, match="no check to judge by"):
        require([])


# Refused before anything starts


def test_what_cannot_run_is_refused_before_the_kernel(tmp_path):
    """Parameters and database are judged first, and nothing is written."""
    path = _notebook(tmp_path / "r.ipynb")
    db = _database(tmp_path / "d.db")
    with pytest.raises(UsageError, match="Did you mean limit"):
        run_report(path, db=db, out=tmp_path / "out", parameters={"limt": 1})
    with pytest.raises(UsageError, match="limit is an int"):
        run_report(path, db=db, out=tmp_path / "out", parameters={"limit": "1"})
    with pytest.raises(RefusedError, match="there is no such file"):
        run_report(path, db=tmp_path / "none.db", out=tmp_path / "out")
    no_db = _notebook(tmp_path / "no_db.ipynb", parameters="n: int = 1")
    with pytest.raises(UsageError, match="it has no parameter 'db_path'"):
        run_report(no_db, db=db, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_database_is_made_absolute(tmp_path, monkeypatch):
    """A relative path means the file that it names where the command was given."""
    _database(tmp_path / "d.db")
    path = _notebook(tmp_path / "elsewhere" / "r.ipynb")
    monkeypatch.chdir(tmp_path)
    assert prepare(path, db="d.db")[1]["db_path"] == str(tmp_path / "d.db")
    assert prepare(path, parameters={"db_path": "d.db"})[1]["db_path"] == str(tmp_path / "d.db")
    monkeypatch.setenv("DASHKIT_DB", "d.db")
    assert prepare(path)[1]["db_path"] == str(tmp_path / "d.db")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    """Where no page can be written, the message names the folder and the way out."""
    (tmp_path / "file").write_text("")
    path = _notebook(tmp_path / "r.ipynb", parameters="")
    with pytest.raises(RefusedError, match=r"Cannot write reports to .*Name another folder with --out"):
        run_report(path, out=tmp_path / "file" / "out")


# The folder of pages


def test_two_runs_in_one_second_have_two_names(tmp_path):
    """Runs beside each other, or right after each other, never share a file, and leave no drafts."""
    with staging(tmp_path, "20260101_000000") as first, staging(tmp_path, "20260101_000000") as second:
        pages = [stage.publish("text", ".html").name for stage in (first, second)]
    with staging(tmp_path, "20260101_000000") as third:
        pages.append(third.publish("text", ".html").name)
    assert pages == ["20260101_000000.html", "20260101_000000_2.html", "20260101_000000_3.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(pages)


def test_a_failing_disk_leaves_the_old_page(tmp_path):
    """When a page cannot be finished, the old one is whole and the error says so."""
    (tmp_path / "latest.html").write_text("old")

    def publish():
        with staging(tmp_path, "x") as stage:
            stage.draft("unfinished").mkdir()
            stage.publish_as("new", "latest.html")

    with pytest.raises(FailedError, match="Every page that is there is whole"):
        publish()
    assert (tmp_path / "latest.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["latest.html"]


# Real kernels


@pytest.mark.kernel
def test_a_report_from_a_notebook_to_a_page(tmp_path, monkeypatch, capfd):
    """A notebook at an odd path, run from elsewhere, becomes a page, its twin latest.html and a record; no noise."""
    folder = tmp_path / 'it\'s a "folder" {of} ünïcode'
    path = _notebook(
        folder / "my report.ipynb",
        CHECK_PARAMETERS,
        "limit = 'many'\ntry:\n    check_parameters()\nexcept Exception as error:\n    print(error)",
        "limit, d = 5, 'a variable of my own'\ncheck_parameters()",
        "import os, sys, warnings\nwarnings.warn('noise')\nos.write(2, b'noise')\n"
        "print(sys.executable, os.path.exists(db_path), os.path.basename(os.getcwd()))",
        "print('<script>', '\\x1b[31mred', '\\u202e')",
        REQUIRE,
    )
    db = _database(folder / "a 'db' \"{x}\".db")
    work = tmp_path / "work"
    work.mkdir()
    (work / "link").symlink_to(folder)
    monkeypatch.chdir(work)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # by which ipykernel would leave the process's own stderr alone
    before = _children()
    run = run_report(path, db=f"link/{db.name}", out="out")
    assert (run.name, run.verdict, run.ok, run.error, run.notebook) == ("my report", "passed", True, None, None)
    page = run.page.read_text(encoding="utf-8")
    assert "limit is an int, and &#x27;many&#x27; is not" in page
    assert f"{sys.executable} True {folder.name}".replace('"', "&quot;").replace("'", "&#x27;") in page
    assert "&lt;script&gt; red" in page
    assert "noise" not in page
    assert run.page.parent == work / "out" / "my report"
    assert sorted(file.name for file in run.page.parent.iterdir()) == sorted(
        [run.page.name, run.page.stem + ".run.json", "latest.html", "run.json"]
    )
    assert (run.page.parent / "latest.html").read_text(encoding="utf-8") == page
    record = json.loads((run.page.parent / "run.json").read_text())
    assert record["parameters"] == {"db_path": str(work / "link" / db.name), "limit": 5}
    assert (record["ok"], record["verdict"], record["page"]) == (True, "passed", run.page.name)
    assert sorted(work.iterdir()) == [work / "link", work / "out"]
    assert capfd.readouterr() == ("", "")
    assert _children() == before


@pytest.mark.kernel
def test_a_failed_check_is_published_and_a_crash_is_not(tmp_path, capfd):
    """A verdict in red takes the place of the latest page; a crash leaves it and says so on a page of its own."""
    path = _notebook(tmp_path / "r.ipynb", "print('numbers')", REQUIRE, "1 / 0", parameters="limit: int = 5")
    failed = run_report(path, out=tmp_path, parameters={"limit": 7})
    assert (failed.verdict, failed.ok, failed.page.name[15:]) == ("failed", False, ".html")
    page = failed.page.read_text()
    assert "1 of 2 checks failed: rows (1,587 &lt;b&gt;of&lt;/b&gt; 1,588)" in page
    assert "numbers" in page
    latest = failed.page.with_name("latest.html")
    assert latest.read_text() == page
    assert failed.notebook.name == failed.page.stem + ".failed.ipynb"

    crashed = run_report(path, out=tmp_path)
    assert (crashed.verdict, crashed.ok, crashed.page.name[15:]) == ("crashed", False, ".failed.html")
    assert crashed.error == "ZeroDivisionError: division by zero"
    assert latest.read_text() == page
    text = crashed.page.read_text()
    assert "<h1>FAILED: A title</h1>" in text
    assert "It stopped in code cell 4, below &#34;A title&#34;." in text
    assert "numbers" not in text.replace("shows no numbers", "")
    assert '<a href="latest.html">' in text
    assert "1 / 0" in crashed.notebook.read_text()
    assert json.loads(latest.with_name("run.json").read_text())["verdict"] == "crashed"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        ("RefusedError", "refused", 3),
        ("OutdatedError", "refused", 3),
        ("BusyError", "refused", 4),
        ("UsageError", "refused", 2),
        ("FailedError", "crashed", 5),
        ("ValueError", "crashed", 5),
        ("Any", "crashed", 5),
    ],
)
def test_an_error_of_a_notebook_means_what_its_kind_says(error, verdict, code):
    """A refusal in a cell keeps its exit code and its words; what nobody foresaw is a crash of a type and a text."""
    ending = ended(nb.new_notebook(), error, "Cannot do it: why. What to do.")
    assert (ending.verdict, ending.exit_code) == (verdict, code)
    assert ending.error.startswith(error if error in ("ValueError", "Any") else "Cannot do it")


def _hot_journal(path):
    """Leave the journal of a writer that was killed in the midst of writing."""
    script = (
        "import os, sqlite3, sys\nconn = sqlite3.connect(sys.argv[1])\nconn.execute('PRAGMA cache_size = 1')\n"
        "conn.execute('BEGIN')\n"
        "conn.executemany('INSERT INTO projects (name) VALUES (?)', [('x' * 4000,)] * 50)\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert path.with_name(path.name + "-journal").stat().st_size > 0


@pytest.mark.kernel
@pytest.mark.parametrize("state", ["of version 1", "hot", "backup gone"])
def test_a_refusal_in_the_kernel_is_no_crash(tmp_path, capsys, state):
    """What dashkit refuses within a notebook exits 3, and the page says what, why and what to do, in words."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    name, why = "progress", "it needs version 2.0"
    if state == "hot":
        _hot_journal(path)
        why = "Cannot"
    elif state == "backup gone":
        assert main(["migrate", "--execute", "--db", str(path)]) == 0
        for backup in tmp_path.glob("*.backup_*"):
            backup.unlink()
        name, why = "migrate_verify", "backup of the last execute is gone"
    capsys.readouterr()
    assert main(["report", name, "--db", str(path), "--out", str(tmp_path / "out")]) == 3
    out, err = capsys.readouterr()
    assert f"{name}: REFUSED in" in err
    page = Path(out.strip()).read_text()
    assert "This run was refused" in page
    assert why in page
    assert "Error" not in page
    assert json.loads((tmp_path / "out" / name / "run.json").read_text())["exit_code"] == 3


@pytest.mark.kernel
def test_a_kernel_that_dies_is_a_crash(tmp_path, capfd):
    """A process that is killed leaves a page that says where, the notebook as far as it came, and no noise."""
    path = _notebook(
        tmp_path / "r.ipynb",
        "import os\nos.write(2, b'the last words')\nos.kill(os.getpid(), 9)",
        "print('later')",
        parameters="",
    )
    run = run_report(path, out=tmp_path)
    assert (run.verdict, run.error) == ("crashed", "Kernel died: the last words")
    assert "It stopped in code cell 2" in run.page.read_text()
    assert capfd.readouterr() == ("", "")


@pytest.mark.kernel
def test_plain_papermill_stops_at_an_unknown_parameter(tmp_path):
    """Under papermill itself, which passes anything, check_parameters() stops the notebook and names the right one."""
    path = _notebook(tmp_path / "r.ipynb", CHECK_PARAMETERS, "print('later')")
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb"), "-k", "python3"]
    command += ["--no-progress-bar", "-p", "limt", "7"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "it has no parameter 'limt'. Did you mean limit?" in done.stderr
    text = (tmp_path / "out.ipynb").read_text()
    assert "later" not in text.replace("print('later')", "")
    (error,) = [out for cell in nbformat.reads(text, 4).cells for out in cell.get("outputs", []) if "ename" in out]
    assert error["traceback"] == [f"{error['ename']}: {error['evalue']}"]  # and not how it came about


@pytest.mark.kernel
@pytest.mark.parametrize(("given", "code"), [
    ("1", 0), ("1.5", 1), pytest.param("True", 1, marks=pytest.mark.exhaustive),
])  # fmt: skip
def test_plain_papermill_may_give_a_number_for_a_text(tmp_path, given, code):
    """Papermill makes a number of what looks like one: the notebook goes on with its text, and opens the project."""
    db = v2_1_database(tmp_path / "d.db")
    parameters = 'db_path: str = ""\nproject: str = ""\nlimit: int = 5'
    show = "import dashkit\nprint(repr(project), dashkit.open(db_path, project=project).project)"
    path = _notebook(tmp_path / "r.ipynb", CHECK_PARAMETERS, show, parameters=parameters)
    command = [sys.executable, "-m", "papermill", str(path), str(tmp_path / "out.ipynb"), "-k", "python3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command += ["--no-progress-bar", "-p", "db_path", str(db), "-p", "project"]
    done = subprocess.run([*command, given], env=environment, capture_output=True, check=False, timeout=120)
    assert done.returncode == code
    assert ("'1' 1" in (tmp_path / "out.ipynb").read_text()) == (code == 0)


# The command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "none was named"),
        (["--all", "x.ipynb"], "both names and --all were given"),
        (["--all", "-p", "execute=True"], "it lets a report write to the database"),
        (["nothing"], "there is no report of that name"),
        (["r.ipynb", "-p", "limt=5"], "Did you mean limit"),
        (["r.ipynb", "-p", "limit=x"], "limit is an int"),
        (["r.ipynb", "--as-of", "2026-01-01", "-p", "as_of=2026-01-02"], "as_of was given twice, by -p and by --as-of"),
        (["r.ipynb", "--db", "a.db", "-p", "db_path=b.db"], "db_path was given twice, by -p and by --db"),
    ],
)
def test_the_command_refuses_before_anything_runs(tmp_path, monkeypatch, capsys, arguments, message):
    """A call that is off exits 2 with the reason, and no folder is made."""
    monkeypatch.chdir(tmp_path)
    _notebook(tmp_path / "r.ipynb")
    assert main(["report", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not (tmp_path / "reports").exists()


@pytest.mark.kernel
def test_pages_of_a_repository_stand_where_scan_put_them(tmp_path, monkeypatch, capsys):
    """Of a database in .dashkit the pages go beside it, from wherever the command is run; of another one here."""
    (tmp_path / "repo" / ".dashkit").mkdir(parents=True)
    (tmp_path / "repo" / "sub").mkdir()
    v2_1_database(tmp_path / "repo" / ".dashkit" / "dashboard.db")
    _notebook(tmp_path / "r.ipynb", "1")
    monkeypatch.chdir(tmp_path / "repo" / "sub")
    assert main(["report", "../../r.ipynb"]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page.parent == tmp_path / "repo" / ".dashkit" / "reports" / "r"
    assert main(["report", "../../r.ipynb", "--db", str(v2_1_database(tmp_path / "d.db"))]) == 0
    assert Path(capsys.readouterr().out.strip()).parent == tmp_path / "repo" / "sub" / "reports" / "r"
    other = v2_1_database(tmp_path / "other.db")
    assert main(["report", "../../r.ipynb", "-p", f"db_path={other}"]) == 0
    assert Path(capsys.readouterr().out.strip()).parent == tmp_path / "repo" / "sub" / "reports" / "r"
    assert main(["report", "../../r.ipynb", "-p", "limt=1"]) == 2
    assert str(tmp_path / "repo" / ".dashkit" / "reports" / "r") in capsys.readouterr().err


def test_no_copy_into_a_folder_that_is_not_there(tmp_path, capsys):
    """It is said to be missing, not to be a name."""
    assert main(["report", "--copy", "progress", str(tmp_path / "missing" / "folder")]) == 2
    assert "there is no such folder. Make it first, or give NAME.ipynb." in capsys.readouterr().err


@pytest.mark.kernel
def test_the_command_prints_each_page_and_exits_with_the_worst(tmp_path, monkeypatch, capsys):
    """Results go to stdout, the story to stderr; a crash of one report does not keep the next from its page."""
    monkeypatch.chdir(tmp_path)
    _notebook(tmp_path / "crash.ipynb", "raise ValueError('\\x1b[31m <b>')", parameters="limit: int = 1")
    _notebook(tmp_path / "fail.ipynb", REQUIRE, parameters="limit: int = 1")
    assert main(["report", "crash.ipynb", "fail.ipynb", "-p", "limit=9", "--out", "pages"]) == 5
    captured = capsys.readouterr()
    first, second = map(Path, captured.out.splitlines())
    assert first.is_file()
    assert first.name.endswith(".failed.html")
    assert second.is_file()
    assert "crash: FAILED in" in captured.err
    assert "fail: CHECKS FAILED in" in captured.err
    assert "1 of 2 checks failed" in captured.err
    assert "\x1b" not in captured.err


def test_the_command_lists_reports_with_question_and_parameters(capsys):
    """Each report that comes with dashkit is listed by name, question and parameters."""
    assert main(["report", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "explore" not in listed
    for report in catalog.reports():
        assert f"{report.name}: {report.question}" in listed
        for parameter in report.parameters:
            assert f"  {parameter.name}: {parameter.kind} = {parameter.default!r}" in listed


LISTENING = """import os
rows = [row.split() for name in ("tcp", "tcp6") if os.path.exists(f"/proc/self/net/{name}")
        for row in open(f"/proc/self/net/{name}").readlines()[1:]]
mine = set()
for number in os.listdir("/proc/self/fd"):
    try:
        mine.add(os.readlink(f"/proc/self/fd/{number}"))
    except FileNotFoundError:
        pass
print("sockets:", any(name.startswith("socket:") for name in mine))
print("listening:", [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine])"""


@pytest.mark.kernel
@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="the system does not say who listens where")
def test_a_kernel_listens_on_no_port(tmp_path):
    """No TCP socket of the kernel listens, not even on the loopback; a fork of it that prints breaks nothing."""
    fork = "if not (pid := os.fork()):\n    print('a fork', flush=True)\n    os._exit(0)\nprint(os.waitpid(pid, 0)[1])"
    run = run_report(_notebook(tmp_path / "r.ipynb", LISTENING, fork, parameters=""), out=tmp_path)
    page = run.page.read_text("utf-8")
    assert "sockets: True" in page
    assert "listening: []" in page
    assert run.verdict == "passed"
