"""`dashkit schedule`: what it prints is what the schedulers understand, whatever the paths hold."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from builders import v2_1_database

from dashkit.cli import main
from dashkit.errors import UsageError
from dashkit.reports.catalog import bundled
from dashkit.reports.schedule import Plan, show

ODD = 'it\'s a "folder" 100% $HOME `id` $(id) %h ${{ x }} \\ # ; ünïcode'


def _printed(capsys, *arguments):
    assert main(["schedule", *arguments]) == 0
    return capsys.readouterr().out


def _plan(folder=Path("/a"), name="progress"):
    return Plan([name], folder / "d.db", folder / "pages")


def test_cron_hands_the_shell_one_command(tmp_path, capsys):
    """The line, as cron hands it on, is this interpreter with the very paths; a database of scan is scanned first."""
    folder = tmp_path / ODD
    (folder / ".dashkit").mkdir(parents=True)
    db = v2_1_database(folder / ".dashkit" / "dashboard.db")
    out = _printed(capsys, "cron", "--db", str(db), "--out", str(folder), "--at", "6:30")
    comment, line, *rest = out.splitlines()
    assert (comment[0], rest) == ("#", [])
    assert line.startswith("30 6 * * * ")
    assert "%" not in line.replace(r"\%", "")
    scan, report = line.split(" ", 5)[5].replace(r"\%", "%").split(f"; {shlex.quote(sys.executable)} ", 1)
    words = f"for word in {scan}; do printf '%s\\n' \"$word\"; done"
    done = subprocess.run(["sh", "-c", words], capture_output=True, check=True)
    start = [sys.executable, "-P", "-m", "dashkit"]
    assert done.stdout.decode().splitlines() == [*start, "scan", str(folder), "--db", str(db), "--no-page"]
    assert shlex.split(report)[:4] == [*start[1:], "report"]
    assert shlex.split(report)[4:8] == ["--db", str(db), "--out", str(folder)]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path, capsys):
    """`systemd-analyze verify` has nothing to say of the service and the timer."""
    folder = tmp_path / ODD
    folder.mkdir()
    db = v2_1_database(folder / "d.db")
    _, service, timer = _printed(capsys, "systemd", "--db", str(db), "--out", str(folder)).split("# ~/")
    units = tmp_path / "units"
    units.mkdir()
    for text in (service, timer):
        path, _, content = text.partition("\n")
        (units / Path(path).name).write_text(content)
    assert "Persistent=true" in timer
    command = ["systemd-analyze", "verify", "--user", *map(str, sorted(units.iterdir()))]
    done = subprocess.run(command, env={"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_systemd_words_are_quoted():
    """Quotes, backslashes and per cent signs are escaped, and dollar signs left alone by the colon in front."""
    line = next(
        line for line in show("systemd", _plan(Path("/a\\\"%h$x'"))).splitlines() if line.startswith("ExecStart=")
    )
    assert line.startswith(f'ExecStart=:"{sys.executable}" "-P" "-m" "dashkit" "report" "--db" "/a\\\\\\"%%h$x\'/d.db"')


def test_github_gets_a_workflow(tmp_path, monkeypatch, capsys):
    """It is YAML that scans the repository, runs the reports that were named, and keeps the pages of a failed run."""
    monkeypatch.chdir(tmp_path)
    source = next(path for path in bundled() if path.stem == "progress")
    name = 'it\'s "mine": #1.ipynb'
    shutil.copy(source, name)
    flow = yaml.safe_load(_printed(capsys, "github", "--reports", "progress", name))
    steps = flow["jobs"]["report"]["steps"]
    run = next(step["run"] for step in steps if "report" in step.get("run", ""))
    assert shlex.split(run)[-2:] == ["progress", name]
    assert flow["permissions"] == {"contents": "read"}
    assert steps[-1]["if"] == "always()"
    assert flow[True]["schedule"] == [{"cron": "0 7 * * *"}]  # YAML 1.1 reads the key `on` as a truth


def test_github_gets_paths_of_its_clone_alone(tmp_path, monkeypatch, capsys):
    """The folder of pages is the one that was asked for; what means nothing there is refused."""
    monkeypatch.chdir(tmp_path)
    for given, folder in (((), "pages"), (("--out", "my: pages"), "my: pages")):
        steps = yaml.safe_load(_printed(capsys, "github", *given))["jobs"]["report"]["steps"]
        assert steps[-1]["with"]["path"] == folder
        assert shlex.split(next(step["run"] for step in steps if "report" in step.get("run", "")))[4:6] == [
            "--out",
            folder,
        ]
    path = shutil.copy(next(path for path in bundled() if path.stem == "progress"), tmp_path / "mine.ipynb")
    for given in (("--out", str(tmp_path)), ("--out", "../x"), ("--reports", str(path)), ("--db", "x.db")):
        assert main(["schedule", "github", *given]) == 2
        assert "for GitHub: " in capsys.readouterr().err


def test_a_run_imports_nothing_that_lies_where_it_runs(tmp_path, capsys):
    """A file of the name of a module in the folder that cron starts in is not run."""
    (tmp_path / "queue.py").write_text("raise SystemExit('mine')")
    line = _printed(capsys, "cron", "--db", str(v2_1_database(tmp_path / "d.db")), "--out", str(tmp_path / "p"))
    start = shlex.split(line.splitlines()[1])[5:9]
    done = subprocess.run([*start, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_github_installs_nothing_until_it_is_told_from_where(tmp_path):
    """The step fails, in words, while the place is not filled in, and names no package that is not ours."""
    job = yaml.safe_load(show("github", _plan()))["jobs"]["report"]
    install = next(step["run"] for step in job["steps"] if "pip" in step.get("run", ""))
    assert "dashkit" not in install.partition("$")[0]
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    pip.chmod(0o755)

    def step(**environment):
        path = f"{tmp_path}:{os.environ['PATH']}"
        command = ["bash", "-e", "-c", install]
        return subprocess.run(command, env={"PATH": path, **environment}, capture_output=True, text=True, check=False)

    empty = step(**job["env"])
    assert (empty.returncode != 0, empty.stdout) == (True, "")
    assert "INSTALL: is empty. Say in this workflow what pip is to install" in empty.stderr
    assert step(INSTALL="./a b.whl").stdout.splitlines() == ["install", "./a b.whl"]


@pytest.mark.parametrize(
    ("scheduler", "name"),
    [("cron", "a\nb"), ("systemd", "a\x1bb"), ("github", "${{ secrets.X }}"), ("cron", "a\u202eb")],
)
def test_what_cannot_be_written_is_refused(scheduler, name):
    """A line break would begin a second command, and an expression would be run."""
    with pytest.raises(UsageError, match="Cannot schedule"):
        show(scheduler, _plan(name=name))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--at", "25:00"], 2), (["--at", "7:5"], 2), (["--reports", "nothing"], 2), (["--db", "none.db"], 3)],
)
def test_a_schedule_that_could_never_run_is_refused(tmp_path, monkeypatch, capsys, arguments, code):
    """A time that is none, a report or a database that is not there: refused when it is asked for, not at night."""
    monkeypatch.chdir(tmp_path)
    v2_1_database(tmp_path / "d.db")
    try:
        ended = main(["schedule", "cron", "--db", "d.db", *arguments])
    except SystemExit as error:
        ended = error.code
    assert ended == code
    assert capsys.readouterr().out == ""


def test_a_notebook_of_the_users_is_named_by_its_path(tmp_path, monkeypatch, capsys):
    """What is not ours is found from any folder."""
    monkeypatch.chdir(tmp_path)
    db = v2_1_database(tmp_path / "d.db")
    shutil.copy(next(path for path in bundled() if path.stem == "progress"), "my page.ipynb")
    line = _printed(capsys, "cron", "--db", str(db), "--reports", "my page.ipynb", "progress")
    assert shlex.split(line.splitlines()[1])[-2:] == [str(tmp_path / "my page.ipynb"), "progress"]
