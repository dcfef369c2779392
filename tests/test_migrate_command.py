"""`dashkit status` and `dashkit migrate`: what is printed where, exit codes, and the question before a roll back."""

import json
import os
import pty
import subprocess
import sys

import pytest
from builders import CHANGES, NEWEST, insert, query, v1_database
from content import alter, content, folder_state

from dashkit import dashboard, migrations
from dashkit.cli import main


@pytest.fixture
def small(tmp_path):
    """A version 1 database of a few tasks."""
    return v1_database(tmp_path / "dash.db", tasks=[{"status": "completed"}, {"title": "open"}])


@pytest.fixture
def run(small, capsys):
    """Run a command on the small database: its exit code, what it printed, and what it narrated."""

    def call(*words):
        capsys.readouterr()
        code = main([*words, "--db", str(small)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_migrate_is_a_dry_run(run, small):
    """Without an option nothing is changed, the report is the result, and the exit code is 0."""
    before = folder_state(small.parent)
    code, out, err = run("migrate")
    assert (code, err) == (0, "")
    assert out.startswith(f"Dry run: {small} is unchanged.")
    assert folder_state(small.parent) == before


def test_execute_asks_nothing(run):
    """--execute does it, and doing it again is nothing to do, with exit code 0."""
    code, out, err = run("migrate", "--execute")
    assert (code, err) == (0, "")
    assert f"Migration complete: {CHANGES[NEWEST]} changes applied\n" in out
    assert run("migrate", "--execute")[:2] == run("migrate")[:2]


def test_to_stops_at_a_version(run):
    """--to 2.0 stops there; status is ready, --check is not, and the next execute goes on from there."""
    assert "Migration complete: 19 changes applied\n" in run("migrate", "--execute", "--to", "2.0")[1]
    assert run("migrate", "--to", "2.0")[1].endswith("already at version 2.0: nothing to do, no backup made.\n")
    code, out, _ = run("status", "--check")
    assert (code, out.splitlines()[-1].partition(":")[0]) == (1, "READY (2.0); 2.1 available")
    rest = CHANGES[NEWEST] - CHANGES["2.0"]
    assert f"Migration complete: {rest} changes applied\n" in run("migrate", "--execute")[1]
    assert run("status", "--check")[0] == 0


def test_status_ends_with_ready_or_what_is_pending(run):
    """The last line says where the database stands; --check turns it into an exit code."""
    code, out, _ = run("status")
    assert (code, out.splitlines()[-1].partition(":")[0]) == (0, "PENDING 2.0")
    assert run("status", "--check")[0] == 1
    run("migrate", "--execute")
    assert run("status", "--check")[1].splitlines()[-1] == f"READY ({NEWEST})"
    assert run("status", "--check")[0] == 0


def test_json_is_for_programs(run, small):
    """--json prints one object, with the same keys for the dry run and the execute, and more for the dry run."""
    plan = json.loads(run("migrate", "--json")[1])
    pending = json.loads(run("status", "--json")[1])["pending"]
    assert pending == {
        version: [one["name"] for one in plan["changes"] if one["version"] == version] for version in CHANGES
    }
    done = json.loads(run("migrate", "--execute", "--json")[1])
    assert (plan["executed"], done["executed"]) == (False, True)
    assert plan.keys() - done.keys() == {"disk_bytes", "orphans", "other_statuses", "unread_dates"}
    assert done.keys() - plan.keys() == set()
    assert {one["text"] for one in done["changes"]} >= {"Marked 1 completed task as checked"}
    status = json.loads(run("status", "--json")[1])
    assert (status["ready"], status["version"], status["rows"]["tasks"]) == (True, NEWEST, 2)
    back = json.loads(run("migrate", "--rollback", "--yes", "--json")[1])
    assert (back["path"], back["restored_from"]) == (str(small), done["backup"])


def test_a_dry_run_says_which_dates_cannot_be_read(run, small):
    """With a count, an example that does nothing to a terminal, and what becomes of it; `doctor` says it too."""
    odd = ["3. Nov 2025", "3. Nov 2025", "4\x1b[2J\u202e" + "x" * 99, "", " ", None, "2025-11-03T09:00:00.000+0100"]
    for text in odd:
        insert(small, "tasks", project_id=1, title="t", status="completed", completed_at=text, created_at="2025-W45-1")
    insert(small, "tasks", project_id=1, title="t", completed_at="soon")
    dated = query(small, "SELECT count(*) FROM tasks WHERE created_at <> ''")[0][0]
    out = run("migrate")[1]
    told = next(line for line in out.splitlines() if "completed_at cannot" in line)
    assert told.endswith(
        " completed_at cannot be read as a date, such as '3. Nov 2025': these completions will have no date."
    )
    assert told.startswith("3 of ")
    assert f"\n7 of {dated} created_at cannot be read as a date, such as '2025-W45-1': these tasks" in out
    run("migrate", "--execute")
    assert "4 of 5 tasks.completed_at cannot be read as a date, such as '3. Nov 2025'" in run("doctor")[1]
    with dashboard.open(small) as d:
        reasons = d.left_out().set_index("reason")["left_out"].to_dict()
    assert reasons["completed_at that cannot be read as a date, such as '3. Nov 2025'"] == 3
    query(small, "UPDATE tasks SET completed_at = '4' || char(27) || '[2J' || char(8238) || printf('%.99c', 'x')")
    assert r"such as '4\x1b[2J\u202exxxxxxxx" in (told := run("doctor")[1])
    assert "x…'" in told
    assert "\x1b" not in told


def test_rollback_refuses_without_a_terminal(run, small):
    """Without a terminal and without --yes a roll back says what it would take away, and refuses with 3."""
    run("migrate", "--execute")
    before = content(small)
    code, out, err = run("migrate", "--rollback")
    assert (code, out) == (3, "")
    assert "Nothing was written since: nothing is lost." in err
    assert "there is no terminal to ask on. Nothing was changed. Say --yes to go ahead." in err
    assert content(small) == before


def test_rollback_with_yes(run, small):
    """--yes goes ahead; the narration goes to stderr, the result to stdout."""
    before = content(small)
    run("migrate", "--execute")
    code, out, err = run("migrate", "--rollback", "--yes")
    assert code == 0
    assert out.startswith(f"Restored {small}\n")
    assert err.startswith(f"Roll back {small}\n")
    assert content(small) == before


def test_nothing_to_roll_back(run):
    """On a version 1 database there is nothing to ask and nothing to do."""
    code, out, err = run("migrate", "--rollback")
    assert (code, err) == (0, "")
    assert "there is nothing to roll back" in out


def on_a_terminal(path, answer):
    """Run a roll back on a terminal of its own and type an answer: exit code and what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dashkit", "migrate", "--rollback", "--db", str(path)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        os.write(ours, answer.encode())
        shown, _ = child.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    return child.returncode, shown


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("\n", 3), ("n\n", 3)])
def test_rollback_asks_on_a_terminal(small, answer, code):
    """On a terminal only a yes goes ahead; anything else changes nothing."""
    before = content(small)
    migrations.execute(small)
    migrated = content(small)
    found, shown = on_a_terminal(small, answer)
    assert found == code
    assert "Restore it? [yes/no]" in shown
    assert ("Nothing was changed." in shown) == (code == 3)
    assert content(small) == (before if code == 0 else migrated)


def test_a_closed_input_is_no_terminal(small):
    """Started without any input at all a roll back refuses in words too."""
    migrations.execute(small)
    command = f"exec '{sys.executable}' -m dashkit migrate --rollback --db '{small}' <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "there is no terminal to ask on" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["migrate", "--backup", "x.db"], 2, "Cannot use --backup here: it goes with --rollback"),
        (["migrate", "--to", "7"], 2, "Cannot migrate to version '7': the versions are 2.0, 2.1"),
        (["migrate", "--backup-dir", "/no/such/folder"], 2, "there is no such folder"),
        (["migrate", "--rollback", "--yes", "--backup", "no.db"], 3, "there is no file no.db"),
    ],
)
def test_usage(run, words, code, said):
    """What the call itself gets wrong is 2, what the state forbids is 3, each in words and without a traceback."""
    found, out, err = run(*words)
    assert (found, out) == (code, "")
    assert err.startswith("dashkit: ")
    assert said in err
    assert "Traceback" not in err


def test_execute_and_rollback_exclude_each_other(small, capsys):
    """Two modes at once are a usage error."""
    with pytest.raises(SystemExit, match="2"):
        main(["migrate", "--execute", "--rollback", "--db", str(small)])
    assert "not allowed with argument" in capsys.readouterr().err


def test_refused_is_3_and_debug_shows_where(run, small):
    """A refusal is 3; the traceback is shown with --debug only."""
    alter(small, "CREATE VIEW git_repos AS SELECT 1")
    code, out, err = run("migrate", "--execute")
    assert (code, out, "Traceback" in err) == (3, "", False)
    assert "the name git_repos is taken by a view" in err
    assert "Traceback" in run("migrate", "--debug")[2]


def test_names_from_outside_do_not_act_on_the_terminal(run, small):
    """A table or status whose name holds an escape sequence is shown, not obeyed."""
    alter(small, 'CREATE TABLE "\x1b[2J\u202eevil" (a)', 'INSERT INTO "\x1b[2J\u202eevil" VALUES (1)')
    alter(small, "UPDATE tasks SET status = char(27) || '[31m'")
    for words in (["status"], ["migrate"], ["migrate", "--execute"]):
        _, out, _ = run(*words)
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert r"\x1b[2J\u202eevil" in run("status")[1]


def test_both_entrances_are_one(small):
    """`python -m dashkit` is the command line, and takes the database from DASHKIT_DB."""
    done = subprocess.run(
        [sys.executable, "-m", "dashkit", "status", "--check"],
        env={**os.environ, "DASHKIT_DB": str(small)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"{small}: version 1.0\n")


@pytest.mark.parametrize(("to", "told"), [("2.0", 0), ("2.1", 1)])
def test_the_report_says_what_the_triggers_cost(tmp_path, capsys, to, told):
    """In the block of the version that brings them, and in no other."""
    path = v1_database(tmp_path / "dash.db")
    assert main(["migrate", "--to", to, "--db", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.count("What the triggers cost: a change of a task takes about 5 microseconds longer") == told
    assert out.partition("Version 2.1")[0].count("triggers cost") == 0
