"""`dashkit schedule`: what it prints is what the schedulers understand, whatever the paths hold."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from builders import query, v1_database, v2_1_database, v2_database

from dashkit.cli import main
from dashkit.errors import UsageError
from dashkit.reports.catalog import bundled
from dashkit.reports.schedule import Plan, show

ODD = 'it\'s a "folder" 100% $HOME `id` $(id) %h ${{ x }} \\ # ; ünïcode'


def _printed(capsys, *arguments):
    assert main(["schedule", *arguments]) == 0
    return capsys.readouterr().out


# Which YAML readers there are: the pure one, and libyaml's where PyYAML was built with it.
LOADERS = [loader for name in ("SafeLoader", "CSafeLoader") if (loader := getattr(yaml, name, None))]


def _plan(folder=Path("/a"), name="progress"):
    return Plan([name], folder / "d.db", folder / "pages")


def _of_github(out="pages", name="progress"):
    return Plan([name], Path("/a/d.db"), Path(out))


def _steps(flow):
    """The command that makes the pages, and what is uploaded."""
    steps = flow["jobs"]["report"]["steps"]
    run = next(step["run"] for step in steps if step.get("run", "").startswith("dashkit report"))
    return shlex.split(run), steps[-1]["with"]


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
    v2_1_database(tmp_path / "x.db")
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
    job = yaml.safe_load(show("github", _of_github()))["jobs"]["report"]
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
    [
        ("cron", "a\nb"),
        ("cron", "a\u2028b"),
        ("cron", "a\tb"),
        ("systemd", "a\x1bb"),
        ("cron", "a\u202eb"),
        ("github", "a\u2067b"),
        ("systemd", "a\udcffb"),
        ("github", "${{ secrets.X }}"),
    ],
)
def test_what_cannot_be_written_is_refused(scheduler, name):
    """A line break would begin a second command, and an expression would be run."""
    with pytest.raises(UsageError, match="Cannot schedule"):
        show(scheduler, _of_github(name=name) if scheduler == "github" else _plan(name=name))


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "out",
    [
        "pages 📊",
        "👩\u200d🔧 déjà vu",
        "ページ\u3000一",
        "a\u00a0b\u00adc\ufeffd\u200be",
        'it\'s: "#1" - {a}, [b] & *c | >d %e @f `g` !h ?',
        "\U000e0067\U0010ffff\ufffe",
        "e\u0301/ש/ع",
        "yes",
        "1e3",
        "null",
        "- x",
        "# x",
        "!x",
        "-x",
    ],
)
def test_a_workflow_is_yaml_whatever_a_path_holds(loader, out):
    """Every parser reads the very path, and a character beyond U+FFFF is never a pair of halves."""
    text = show("github", _of_github(out))
    assert not re.search(r"\\u[dD][89a-fA-F]", text)
    command, upload = _steps(yaml.load(text, loader))
    assert Path(command[5]) == Path(out)
    assert not command[5].startswith("-")
    assert upload["path"].startswith(command[5][:2])
    # What upload-artifact takes for a pattern is in brackets there, and means itself.
    assert re.sub(r"\[([*?[])\]", r"\1", upload["path"]) == command[5]


@pytest.mark.parametrize(
    ("out", "hidden"),
    [
        ("pages", False),
        ("./pages", False),
        ("a.b/c.", False),
        (".dashkit/reports", True),
        ("a/.b/c", True),
        (".x", True),
        ("a/.b", True),
    ],
)
def test_hidden_pages_are_uploaded_too(tmp_path, monkeypatch, capsys, out, hidden):
    """A folder whose name begins with a dot is left out by upload-artifact unless it is told otherwise."""
    monkeypatch.chdir(tmp_path)
    flow = yaml.safe_load(_printed(capsys, "github", "--out", out))
    _, upload = _steps(flow)
    assert upload.get("include-hidden-files", False) is hidden


@pytest.mark.parametrize(
    "out",
    ["/srv/pages", "C:\\x", "c:/x", "D:pages", r"a\b", r"\\srv\x", "~/pages", "a/../../b", "..", ".", "pages ", " a"],
)
def test_a_path_of_a_machine_is_none_of_a_clone(out, capsys):
    """Absolute paths of any system, homes, folders above and names that are trimmed there are refused."""
    assert main(["schedule", "github", "--out", out]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "for GitHub: " in captured.err


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


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "github"])
def test_a_version_1_database_is_migrated_first(tmp_path, monkeypatch, capsys, scheduler):
    """Every report of it would be refused, each night: that is said when it is scheduled, with what to run."""
    monkeypatch.chdir(tmp_path)
    v1_database(tmp_path / "d.db", tasks=[{}])
    assert main(["schedule", scheduler, "--db", "d.db"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Cannot schedule progress for " in captured.err
    assert "it needs version 2.0" in captured.err
    assert "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`." in captured.err
    assert ("For GitHub leave --db away" in captured.err) is (scheduler == "github")


def test_the_report_about_a_migration_is_scheduled_before_it(tmp_path, capsys):
    """It is made of a database of version 1; together with another one it is not scheduled."""
    db = str(v1_database(tmp_path / "d.db", tasks=[{}]))
    _printed(capsys, "cron", "--db", db, "--reports", "migrate_verify")
    assert main(["schedule", "cron", "--db", db, "--reports", "migrate_verify", "trends"]) == 3
    assert "Cannot schedule trends for " in capsys.readouterr().err


def test_a_scan_that_would_be_refused_is_not_scheduled(tmp_path, capsys):
    """Beside a repository the scan comes first, and it needs the newest version."""
    (tmp_path / ".dashkit").mkdir()
    db = v2_database(tmp_path / ".dashkit" / "dashboard.db")
    assert main(["schedule", "systemd", "--db", str(db)]) == 3
    assert "Cannot schedule a scan for " in (err := capsys.readouterr().err)
    assert "Run `dashkit migrate`" in err
    _printed(capsys, "systemd", "--db", str(v2_database(tmp_path / "d.db")))


@pytest.mark.parametrize("scheduler", ["cron", "systemd", "github"])
def test_what_is_no_dashboard_is_not_scheduled(tmp_path, monkeypatch, capsys, scheduler):
    """Another file, and one that is not there."""
    monkeypatch.chdir(tmp_path)
    query(tmp_path / "other.db", "CREATE TABLE notes (id INTEGER)")
    for name, said in (("other.db", "it is no Dashboard"), ("none.db", "there is no such file")):
        assert main(["schedule", scheduler, "--db", name]) == 3
        captured = capsys.readouterr()
        assert captured.out == ""
        assert said in captured.err
