"""`dashkit config` and the settings: what is known, what is refused, and whose value holds."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from builders import query, v1_database, v2_1_database, v2_database
from hypothesis import given
from hypothesis import strategies as st

from dashkit.cli import main
from dashkit.errors import UsageError
from dashkit.store import settings

NOW = datetime(2025, 11, 27, 16, 9, 57, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    """A database of version 2.1 with three projects, two of one name."""
    return v2_1_database(tmp_path / "dash.db", projects=("Alpha", "Twin", "Twin"), tasks=[{"status": "Doing"}])


@pytest.fixture
def run(path, capsys):
    """Run `dashkit config`: its exit code, what it printed, and what it narrated."""

    def call(*words):
        capsys.readouterr()
        code = main(["config", *words, "--db", str(path)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def conn(path):
    """A connection to the database."""
    with closing(sqlite3.connect(path)) as opened:
        yield opened


def test_without_a_key_all_settings_are_shown(run):
    """Every setting is a line with its value and whose it is; nothing is set at first."""
    code, out, err = run()
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(settings.KEYS)
    assert all(line.endswith("[default]") for line in out.splitlines())


def test_a_value_is_set_and_shown(run, path):
    """KEY VALUE sets it for all projects, KEY alone prints the value and nothing else."""
    assert run("time_zone", "Europe/Berlin")[:2] == (0, "time_zone = Europe/Berlin\n")
    assert run("time_zone")[:2] == (0, "Europe/Berlin\n")
    assert "time_zone         Europe/Berlin  [all projects]\n" in run()[1]
    ((scope, value, at),) = query(path, "SELECT scope, value, updated_at FROM settings")
    assert (scope, value, at[-1]) == ("", "Europe/Berlin", "Z")


def test_a_value_of_a_project_wins(run, conn):
    """What is set for a project holds there, and what is set for all holds elsewhere; --unset takes it back."""
    run("size_weights", "S=2")
    run("size_weights", "s=3, XL = 8", "--project", "Alpha")
    assert settings.get(conn, "size_weights") == {"S": 2, "M": 2, "L": 3, "XL": 5}
    assert settings.get(conn, "size_weights", 1) == {"S": 3, "M": 2, "L": 3, "XL": 8}
    assert settings.get(conn, "size_weights", 2) == {"S": 2, "M": 2, "L": 3, "XL": 5}
    assert "size_weights      S=3, M=2, L=3, XL=8  [project 1]\n" in run("--project", "1")[1]
    assert run("size_weights", "--unset", "--project", "1")[1] == "size_weights = S=2, M=2, L=3, XL=5  [all projects]\n"
    assert run("size_weights", "--unset")[1] == "size_weights = S=1, M=2, L=3, XL=5  [default]\n"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("time_zone", " UTC ", "UTC"),
        ("time_zone", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("started_statuses", "review,in_progress , review", ("review", "in_progress")),
        ("started_statuses", "Doing", ("Doing",)),
        ("size_weights", "XL=13", {"S": 1, "M": 2, "L": 3, "XL": 13}),
        ("id_pattern", "REQ/{n}\n\ncase {n} = TASK-{n}\n", ("REQ/{n}", "case {n} = TASK-{n}")),
        ("session_roots", "~/logs\n/srv/a, b", ("~/logs", "/srv/a, b")),
        ("session_roots", "", ()),
    ],
)
def test_a_value_comes_back_as_it_is_meant(conn, key, text, value):
    """What is set is read as a value, and setting what is stored changes nothing."""
    stored = settings.put(conn, key, text, None, NOW)
    assert settings.get(conn, key) == value
    assert settings.put(conn, key, stored, None, NOW) == stored


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("time_zone", "Europe/Berlim", "there is no such time zone; did you mean 'Europe/Berlin'?"),
        ("time_zone", "", "there is no such time zone"),
        ("time_zone", "/etc/passwd", "there is no such time zone"),
        ("time_zone", "../UTC", "there is no such time zone"),
        ("time_zone", "Europe", "there is no such time zone"),
        ("time_zone", "localtime", "it is no time zone that every computer knows. It is the zone of days and weeks"),
        ("time_zone", "posix/Europe/Berlin", "that every computer knows; did you mean 'Europe/Berlin'?"),
        ("time_zone", "x" * 20_000, "it is longer than 10,000 characters"),
        ("time_zone", "UTC\x1b[2J", "it holds a control character, \\x1b."),
        ("started_statuses", " , ", "it names no status"),
        ("started_statuses", "in_progres", "'in_progres' is no status here (pending, in_progress,"),
        ("size_weights", "XXL=9", "'XXL' is no size (S, M, L, XL)"),
        ("size_weights", "S", "'' is no whole number from 1"),
        ("size_weights", "S=0", "'0' is no whole number from 1"),
        ("size_weights", "S=-1", "'-1' is no whole number from 1"),
        ("size_weights", "S=1e3", "'1e3' is no whole number from 1"),
        ("size_weights", "S=99999999999999999999", "is no whole number from 1"),
        ("size_weights", "S=²", "is no whole number from 1"),
        ("session_roots", "logs", "'logs' would be another folder elsewhere; begin it with / or ~"),
        ("id_pattern", "(a+)+{n}.{2}", "as a pattern of ids"),
        ("id_pattern", "{n}", "as a pattern of ids"),
        ("timezone", "UTC", "Did you mean 'time_zone'? The settings are time_zone, started_statuses,"),
        ("colour", "blue", "there is no such setting. The settings are time_zone"),
    ],
)
def test_what_is_no_value_is_refused(run, path, key, text, words):
    """A setting that is not known or a value that is none is a usage error in words, and nothing is stored."""
    code, out, err = run(key, text)
    assert (code, out) == (2, "")
    assert words in err
    assert "\x1b" not in err
    assert "Traceback" not in err
    assert query(path, "SELECT count(*) FROM settings") == [(0,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["timezone"], "Did you mean 'time_zone'?"),
        (["time_zone", "--project", "Alpa"], "no project has this id or name. Did you mean 'Alpha'?"),
        (["time_zone", "--project", "Twin"], "2 projects have this name. Give one of their ids: 2, 3."),
        (["--unset"], "--unset takes a KEY and no VALUE"),
        (["time_zone", "UTC", "--unset"], "--unset takes a KEY and no VALUE"),
        (["colour", "--unset"], "there is no such setting"),
    ],
)
def test_usage(run, words, said):
    """What the call itself gets wrong is told with the nearest thing that is right."""
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_what_another_program_stored_is_not_guessed(conn, run):
    """A stored value that is none is refused where it is used, shown in the list, and can be set anew."""
    conn.execute("INSERT INTO settings (scope, key, value) VALUES ('', 'time_zone', char(27) || 'Mars')")
    conn.commit()
    with pytest.raises(UsageError, match=r"Cannot use the setting time_zone of all projects.*Set it anew"):
        settings.get(conn, "time_zone")
    code, out, _ = run()
    assert (code, "\x1b" in out, r"\x1bMars" in out) == (0, False, True)
    assert run("time_zone")[0] == 2
    assert run("time_zone", "UTC")[0] == 0


@given(st.sampled_from(list(settings.KEYS)), st.text(max_size=60))
def test_no_text_is_a_crash(key, text):
    """Any text is a value or a refusal in words, and what is stored reads back."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute(
            "CREATE TABLE settings (scope TEXT, key TEXT, value TEXT, updated_at TEXT, PRIMARY KEY (scope, key))"
        )
        conn.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY, project_id, title, status)")
        try:
            stored = settings.put(conn, key, text, 1, NOW)
        except UsageError:
            assert conn.execute("SELECT count(*) FROM settings").fetchone() == (0,)
        else:
            assert settings.KEYS[key].write(settings.get(conn, key, 1)) == stored


@pytest.mark.parametrize("make", [v1_database, v2_database])
def test_an_older_database_is_told_what_to_run(tmp_path, capsys, make):
    """Before 2.1 the command names the one that migrates, and everybody else reads the defaults."""
    old = make(tmp_path / "old.db")
    for words in ([], ["time_zone"], ["time_zone", "UTC"]):
        assert main(["config", *words, "--db", str(old)]) == 3
        assert "they need version 2.1 of the schema. Run `dashkit migrate`" in capsys.readouterr().err
    with closing(sqlite3.connect(old)) as conn:
        assert settings.get(conn, "started_statuses") == ("in_progress", "review")
        assert settings.get(conn, "session_roots", 1) == ()
