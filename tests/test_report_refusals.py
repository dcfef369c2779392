"""What is refused before a kernel starts, or breaks where nobody foresaw it, stands in the index all the same."""

import json
import re
import shutil

import pytest
from builders import v1_database, v2_1_database
from pages import index_of, rows_of, written

import dashkit
from dashkit.cli import main, parser
from dashkit.cli.report import _jobs
from dashkit.errors import RefusedError, UsageError
from dashkit.reports.catalog import bundled
from dashkit.reports.folder import held
from dashkit.reports.jobs import origin, prepare
from dashkit.reports.record import Record
from dashkit.reports.run import run_all, run_report

pytestmark = pytest.mark.kernel  # that makes the good page which is to stay
DB = 'db_path: str = ""  # which\nas_of: str = ""  # when'


def _written(path, *code, parameters=DB):
    return written(path, *code, parameters=parameters)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database, a notebook `r`, and a folder with its good page; and a copy of all that, to be put back."""
    folder = tmp_path_factory.mktemp("refusals") / "folder"
    folder.mkdir()
    db = v2_1_database(folder / "d.db", tasks=[{"title": "A"}])
    path = _written(folder / "r.ipynb", "print('good')")
    assert main(["report", str(path), "--db", str(db), "--out", str(folder / "out")]) == 0
    return folder, shutil.copytree(folder, folder.with_name("kept"), symlinks=True)


@pytest.fixture
def folder(made):
    """The folder as it was when the page was made; a record names the paths, so it is always the same one."""
    path, kept = made
    shutil.rmtree(path)
    return shutil.copytree(kept, path, symlinks=True)


@pytest.mark.parametrize(
    ("broken", "more", "code", "why"),
    [
        ("database", [], 3, "there is no such file"),
        ("notebook", [], 2, "it is no Jupyter notebook"),
        ("cells", [], 2, "it is no Jupyter notebook"),
        ("gone", [], 2, "No such file or directory"),
        ("", ["-p", "asof=2026"], 2, "it has no parameter 'asof'. Did you mean as_of?"),
        ("", ["--as-of", "yesterday"], 2, "it is no instant"),
        ("", ["--known-at", "2026-01-01"], 2, "it takes no known_at"),
    ],
)
def test_a_refusal_before_the_kernel_is_on_record(folder, capsys, broken, more, code, why):
    """The exit code is that of the error; index, record and a page say refused, and the good page stays."""
    out, db, path = folder / "out", folder / "d.db", folder / "r.ipynb"
    good = (out / "r" / "latest.html").read_bytes()
    if broken == "database":
        db.unlink()
    elif broken == "notebook":
        path.write_text("{")
    elif broken == "cells":
        path.write_text(path.read_text().replace('"outputs": []', '"outputs": 3'))
    elif broken == "gone":
        path.unlink()
    assert main(["report", str(path), "--db", str(db), "--out", str(out), *more]) == code
    told = capsys.readouterr()
    assert why in told.err
    assert ("The refusal is on record: " in told.err) == (broken != "cells")  # found when all of it is read
    first, second = rows_of(out)
    assert '<tr class="bad">' in first
    assert "refused" in first
    assert why in first or why[:20] in first
    assert "good" in second
    assert "The last run of A title is not good." in index_of(out)
    assert (out / "r" / "latest.html").read_bytes() == good
    kept = json.loads((out / "r" / "run.json").read_text())
    assert (kept["verdict"], kept["exit_code"], kept["ok"]) == ("refused", code, False)
    page = (out / "r" / kept["page"]).read_text()
    assert "Refused: A title" in page
    assert '<a href="latest.html">' in page


def test_a_refusal_is_told_once(folder):
    """--notify hears that the run failed, once; after a good one it hears of the next."""
    db, path = folder / "d.db", folder / "r.ipynb"
    call = ["report", str(path), "--out", str(folder / "out"), "--notify", f"tee -a {folder / 'told'}", "--db"]
    for _ in range(2):
        assert main([*call, str(folder / "none.db")]) == 3
    told = (folder / "told").read_text()
    assert told.count('"run_failed"') == 1
    assert "there is no such file" in told
    assert main([*call, str(db)]) == 0


def test_a_mistyped_call_does_not_stick(folder):
    """A check that finds nothing changed clears the index of refusals with other parameters; they stay in the list."""
    out, call = folder / "out", ["report", str(folder / "r.ipynb"), "--out", str(folder / "out"), "--db"]
    good, bad = [*call, str(folder / "d.db"), "--if-changed"], "The last run of A title is not good."
    for mistyped in ([*good, "-p", "asof=1"], [*call, str(folder / "none.db")]):
        assert main(mistyped) != 0
        assert bad in index_of(out)
        assert main(good) == 0
        assert bad not in index_of(out)
        assert json.loads((out / "r" / "run.json").read_text())["ok"]
    assert [("refused" in row) for row in rows_of(out)] == [True, True, False]
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*")}
    assert main(good) == 0
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*")} == before


def test_a_failure_of_other_parameters_is_not_cleared(folder):
    """A run that crashed or was killed stays in red: nothing that was found unchanged says that it is mended."""
    out, call = folder / "out", ["report", str(folder / "r.ipynb"), "--db", str(folder / "d.db"), "--if-changed"]
    (out / "r" / ".29990101_000000").mkdir()
    assert main([*call, "--out", str(out), "-p", "asof=1"]) == 2
    assert main([*call, "--out", str(out)]) == 0
    assert "The last run of r is not good." in index_of(out)


def test_two_notebooks_of_one_name_never_share_a_folder(folder, capsys):
    """In one call it is usage; later a refusal that leaves the pages, and their index, as they were. Each says why."""
    out, db = folder / "out", folder / "d.db"
    (folder / "other").mkdir()
    own, other = folder / "r.ipynb", _written(folder / "other" / "r.ipynb", "1 / 0")
    before = {file: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    call = ["report", "--db", str(db), "--out", str(out)]
    for arguments, code in (
        ([str(own), str(other)], 2),
        ([str(other)], 3),
        ([str(other), "-p", "asof=1"], 2),
        ([str(other), "--if-changed"], 3),
    ):
        assert main([*call, *arguments]) == code
        assert {file: file.read_bytes() for file in out.rglob("*") if file.is_file()} == before
        said = r"dashkit: Cannot run .*r\.ipynb (too|into .*out): .*\. Give the notebook a name of its own, or .*\n"
        assert "-p" in arguments or re.search(said, capsys.readouterr().err)
    own.rename(folder / "moved.ipynb")
    assert main([*call, str(other)]) == 5  # of the notebook that made these pages there is none any more


def test_a_copy_of_ours_is_told_to_take_a_name_of_its_own(folder, monkeypatch, capsys):
    """It is advised when it is made, and refused among our pages; with a name of its own it runs."""
    monkeypatch.chdir(folder)
    assert main(["report", "--copy", "explore"]) == 0
    assert "Give it a name of its own" in capsys.readouterr().err
    assert main(["report", "--copy", "explore", "mine.ipynb"]) == 0
    assert "Give it a name of its own" not in capsys.readouterr().err
    (folder / "out" / "explore").mkdir()
    ours = next(path for path in bundled() if path.stem == "explore")
    made = Record("explore", "passed", 0, "2026-01-01", "2026-01-01", inputs={"origin": origin(ours)})
    (folder / "out" / "explore" / "20260101_000000.run.json").write_text(made.to_json())
    assert main(["report", "explore.ipynb", "--db", "d.db", "--out", "out"]) == 3
    assert "of another notebook, that of dashkit. Nothing changed." in capsys.readouterr().err


def test_a_name_that_nothing_has_leaves_no_record(folder, capsys):
    """A misspelt name, or a folder that is none of pages, is told and nothing is written."""
    before = sorted(folder.rglob("*"))
    assert main(["report", "progres", "--out", str(folder / "out")]) == 2
    assert main(["report", "progress", "--db", str(folder / "none.db"), "--out", str(folder / "other")]) == 3
    assert sorted(folder.rglob("*")) == before


def test_a_report_that_never_ran_is_shown_as_refused_too(folder):
    """Where there is an index, the first run of a report that is refused stands in it."""
    with pytest.raises(RefusedError, match="there is no such file"):
        run_report("progress", db=folder / "none.db", out=folder / "out")
    with pytest.raises(UsageError, match="no notebook can hold the parameter project"):
        run_report("progress", db=folder / "d.db", out=folder / "out", parameters={"project": "\udcff"})
    assert ["Progress" in row for row in rows_of(folder / "out")] == [True, True, False]


def test_while_the_folder_is_held_a_refusal_is_only_told(folder):
    """The run that holds it writes the index; the refused one changes nothing."""
    before = {file: file.read_bytes() for file in (folder / "out").rglob("*") if file.is_file()}
    with held(folder / "out"), pytest.raises(RefusedError, match="no such file"):
        run_report("progress", db=folder / "none.db", out=folder / "out")
    assert {file: file.read_bytes() for file in (folder / "out").rglob("*") if file.is_file()} == before


def test_what_nobody_foresaw_is_a_failed_run(folder):
    """A page that cannot be made is a crash: exit 5, in the index, the good page stays, the other report is made."""
    out = folder / "out"
    good = (out / "r" / "latest.html").read_bytes()
    _written(folder / "r.ipynb", "from IPython.display import display\ndisplay({'image/svg+xml': 1}, raw=True)")
    _written(folder / "s.ipynb", "1")
    jobs = [prepare(folder / name, db=folder / "d.db") for name in ("r.ipynb", "s.ipynb")]
    broken, other = run_all(jobs, out=out)
    assert (broken.verdict, broken.exit_code, other.verdict) == ("crashed", 5, "passed")
    assert "NotebookValidationError" in broken.error
    assert (out / "r" / "latest.html").read_bytes() == good
    assert "FAILED" in "".join(row for row in rows_of(out) if "NotebookValidationError" in row)


def test_all_reports_of_version_1(tmp_path, capsys):
    """A line for each: which is made, which is refused and why; a sum at the end; exit 3, for not all were made."""
    db = v1_database(tmp_path / "d.db", tasks=[{"title": "a"}])
    out = tmp_path / "out"
    assert main(["report", "--all", "--db", str(db), "--out", str(out)]) == 3
    *lines, last = capsys.readouterr().err.splitlines()
    assert [line.split(" in ")[0] for line in lines] == [
        "data_quality: REFUSED", "forecast: REFUSED", "migrate_verify: done", "progress: REFUSED", "trends: REFUSED",
    ]  # fmt: skip
    assert all("Run `dashkit migrate`" in line for line in lines if "REFUSED" in line)
    assert last == "5 reports. done: migrate_verify. REFUSED: data_quality, forecast, progress, trends."
    assert sum('<tr class="bad">' in row for row in rows_of(out)) == 4


def test_without_a_migration_there_is_none_to_verify(tmp_path, capsys):
    """Of a database that was never migrated --all leaves that report out and says so; named it is run, and refused."""
    made, old = tmp_path / "made.db", v1_database(tmp_path / "old.db")
    repository = tmp_path / "repo"
    repository.mkdir()
    (repository / "TODO.md").write_text("- [ ] a task\n")
    dashkit.scan(repository, db=made, page=False)
    for db, options, count in ((made, ["--all"], 0), (old, ["--all"], 1), (made, ["migrate_verify"], 1)):
        args = parser("report").parse_args(["report", *options, "--db", str(db)])
        assert len(list(_jobs(args, "migrate_verify"))) == count
    assert capsys.readouterr().err == (
        "migrate_verify: left out, there was no migration: the database was made at version 2.1\n"
    )
