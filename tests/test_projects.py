"""Which project a person means: one rule, whoever asks."""

import sqlite3
from contextlib import closing

import pytest
from builders import query, v2_1_database
from hypothesis import given
from hypothesis import strategies as st

import dashkit
from dashkit.cli import main, report
from dashkit.errors import UsageError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.store import projects

# Their ids are 1 to 9.
NAMES = ("Alpha", "1", "Straße", "shop", "Shop", "Two  words ", "007", "12", "<b>x</b>\x1b[2J")
NOTE = "1 is taken for the id of the project 'Alpha', not for the name of '1' (id 2)."


@pytest.fixture
def path(tmp_path):
    """A database of projects whose names are easily taken for others."""
    return v2_1_database(tmp_path / "d.db", projects=NAMES)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        (1, 1),
        ("1", 1),
        (" 1 ", 1),
        ("2", 2),
        ("7", 7),
        ("007", 7),
        ("0012", 8),
        (12, 8),
        ("Alpha", 1),
        ("ALPHA", 1),
        ("  alpha", 1),
        ("STRASSE", 3),
        ("strasse", 3),
        ("Strasse", 3),
        ("shop", 4),
        ("Shop", 5),
        ("two words", 6),
        ("Two  words ", 6),
        ("<b>x</b>\x1b[2J", 9),
    ],
)
def test_the_first_reading_that_fits_is_meant(path, word, meant):
    """An id, a name as it is written, in another case or with other blanks, or as a number; in each door alike."""
    with closing(sqlite3.connect(path)) as conn:
        assert projects.choose(conn, word).id == meant
    with dashkit.open(path, project=word) as d:
        assert d.project == meant


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("SHOP", "2 projects have this name. Give one of their ids: 4, 5."),
        ("Alhpa", "no project has this id or name. Did you mean 'Alpha'?"),
        ("alhpa", "no project has this id or name. Did you mean 'Alpha'?"),
        ("99", "no project has this id or name. Give an id or a name; the projects are 1 (Alpha), 2 (1),"),
        ("-1", "no project has this id or name."),
        ("\u0661", "no project has this id or name."),
        ("9" * 5000, "no project has this id or name."),
    ],
)
def test_what_is_nobodys_is_refused(path, capsys, word, words):
    """With the ids of several, or the nearest name; the same words by each command."""
    for command in (["show", "progress"], ["config", "time_zone"]):
        assert main([*command, f"--project={word}", "--db", str(path)]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(UsageError, match="Cannot choose the project"):
        dashkit.open(path, project=word)


def test_an_id_wins_and_the_command_says_so(path, tmp_path, capsys):
    """Show, config and ingest say on standard error that a name could be meant; the output is that of the id."""
    plan = tmp_path / "plan.md"
    plan.write_text("- [ ] a\n- [ ] b\n- [ ] c\n", "utf-8")
    for command in (["show", "progress", "--json"], ["config", "time_zone", "UTC"], ["ingest", "tasks", str(plan)]):
        assert main([*command, "--project", "1", "--db", str(path)]) == 0
        out, err = capsys.readouterr()
        assert err == f"{NOTE}\n"
        assert NOTE not in out
    assert query(path, "SELECT DISTINCT project_id FROM tasks") == [(1,)]
    assert query(path, "SELECT scope FROM settings") == [("1",)]


def test_a_report_says_so_before_it_runs(path):
    """What is certain, or will be refused, is not commented on."""
    for word, said in (("1", NOTE), ("Alpha", ""), ("nobody", ""), ("", "")):
        assert report._what_project({"project": word, "db_path": str(path)}) == said


def test_what_is_certain_is_not_commented_on(path, capsys):
    """An id that is no name, a number in Python and a name that is no id are taken without a word."""
    for word in ("3", "Alpha", "alpha", "2"):
        assert main(["show", "progress", "--project", word, "--db", str(path)]) == 0
        assert capsys.readouterr().err == ""
    with dashkit.open(path, project=1) as d:
        assert d.note == ""


def test_a_dashboard_says_so_too(path):
    """In Python and on a page what could be meant stands where the Dashboard shows itself."""
    with dashkit.open(path, project="1") as d:
        assert d.note == NOTE
        assert NOTE in repr(d)
        assert "not for the name of &#x27;1&#x27; (id 2)." in d._repr_html_()


def test_hostile_names_in_a_note_are_text(path, capsys):
    """A note shows what acts on a terminal, and marks nothing up."""
    query(path, "UPDATE projects SET name = ? WHERE id = 2", "\x1b[2J<b>\u202e")
    query(path, "UPDATE projects SET name = '2' WHERE id = 3")
    assert main(["show", "progress", "--project", "2", "--db", str(path)]) == 0
    err = capsys.readouterr().err
    assert "for the id of the project '\\x1b[2J<b>\\u202e'" in err
    with dashkit.open(path, project="2") as d:
        assert "<b>" not in d._repr_html_()


@pytest.mark.parametrize(
    ("word", "goes_to", "note"),
    [
        ("Alpha", 1, None),
        ("alpha", 1, "alpha is taken for the project 'Alpha' (id 1)"),
        ("3", 3, "3 is taken for the project 'Straße' (id 3)"),
        ("1", 1, NOTE),
        ("New", 10, None),
        ("2024", 10, None),
    ],
)
def test_a_new_name_makes_a_project(path, tmp_path, word, goes_to, note):
    """Ingest takes a name that is not there for a new project, and says where it took another than what is written."""
    plan = tmp_path / "plan.md"
    plan.write_text("- [ ] a\n", "utf-8")
    summary = ingest_tasks([plan], word, path)
    assert summary.project_id == goes_to
    assert summary.notes == (() if note is None else (note,))
    assert query(path, "SELECT count(*) FROM projects") == [(max(9, goes_to),)]


def test_a_folder_named_as_an_id_is_a_name(path, tmp_path):
    """What nobody typed is a name: a folder 2 is not the project with the id 2, nor ALPHA the project Alpha."""
    for name in ("2", "ALPHA"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "plan.md").write_text(f"- [ ] {name}\n", "utf-8")
        ingest_tasks([folder / "plan.md"], db=path)
    assert query(path, "SELECT p.name FROM tasks AS t JOIN projects AS p ON p.id = t.project_id ORDER BY t.id") == [
        ("2",),
        ("ALPHA",),
    ]


@pytest.mark.parametrize("command", [["show", "progress"], ["config"]])
def test_an_empty_name_is_not_all_projects(path, capsys, command):
    """A variable of a script that was not set is no wish to see everything."""
    with pytest.raises(SystemExit):
        main([*command, "--project", " ", "--db", str(path)])
    assert "it is empty; name a project, or leave --project away" in capsys.readouterr().err


@given(st.lists(st.sampled_from(["1", "2", "3", "01", "a", "A", " a", "ä", "a\u0308", ""]), max_size=4), st.text())
def test_any_word_is_one_project_or_a_refusal(names, word):
    """The id of a project always chooses it, and its name wherever no id and no other name is the same."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute("CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)")
        conn.executemany("INSERT INTO projects (name) VALUES (?)", [(name,) for name in names])
        for number, name in enumerate(names, 1):
            assert projects.choose(conn, str(number)).id == number
            if name and names.count(name) == 1 and not name.isdecimal():
                assert projects.choose(conn, name).id == number
        try:
            found = projects.choose(conn, word)
        except UsageError:
            return
        assert 1 <= found.id <= len(names)
