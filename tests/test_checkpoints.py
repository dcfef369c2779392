"""How far everything was read: where that is kept, in new files and in those of earlier commits."""

import sqlite3
from contextlib import closing
from pathlib import Path

import earlier
import pytest
from builders import query, v2_1_database, v2_database
from content import content
from repositories import commit, repository

import dashkit
from dashkit.ingest.git import ingest_git
from dashkit.store import checkpoints
from dashkit.store.checkpoints import Checkpoint, Extent

NOW, LATER = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
KEYS = (checkpoints.of_source(7, "docs/TODO.md"), checkpoints.of_links(7), checkpoints.of_repository("r"))


@pytest.fixture(params=[v2_1_database, earlier.database], ids=["new", "earlier"])
def conn(request, tmp_path):
    """A database with a repository, as it is made now, and as an earlier commit made it."""
    with closing(sqlite3.connect(request.param(tmp_path / "dash.db"), isolation_level=None)) as opened:
        opened.execute("INSERT INTO git_repos (id, project_id, path) VALUES ('r', 1, '/r')")
        yield opened


@pytest.mark.parametrize("key", KEYS)
def test_what_is_put_is_got_until_it_is_deleted(conn, key):
    """A value comes back as it was put, the last one counts, and after a delete there is none."""
    assert checkpoints.get(conn, key) is None
    for value in ({"a": [1, None, "é☃"]}, [], {"b": "it's"}):
        checkpoints.put(conn, key, value, NOW)
        assert checkpoints.get(conn, key) == value
    checkpoints.delete(conn, key)
    assert checkpoints.get(conn, key) is None


@pytest.mark.parametrize("key", KEYS)
def test_what_another_hand_wrote_is_nothing(conn, key):
    """A value that is no JSON is read as none, and written over."""
    checkpoints.put(conn, key, {}, NOW)
    if "checkpoints" in {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}:
        conn.execute("UPDATE checkpoints SET value = CAST(x'ff' AS TEXT)")
    else:
        conn.execute("UPDATE git_repos SET refs = CAST(x'ff' AS TEXT)")
        conn.execute("UPDATE ingest_files SET tail_digest = CAST(x'ff' AS TEXT)")
    assert checkpoints.get(conn, key) is None
    checkpoints.put(conn, key, {"a": 1}, NOW)
    assert checkpoints.get(conn, key) == {"a": 1}


def test_what_is_there_already_is_not_written(tmp_path):
    """The same value again leaves the row as it was; another one has its own time."""
    path = v2_1_database(tmp_path / "dash.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        checkpoints.put(opened, KEYS[0], {"b": 1, "a": 2}, NOW)
        before = content(path)
        checkpoints.put(opened, KEYS[0], {"a": 2, "b": 1}, LATER)
        assert content(path) == before
        checkpoints.put(opened, KEYS[0], {"a": 3}, LATER)
    assert query(path, "SELECT * FROM checkpoints") == [(KEYS[0], '{"a": 3}', LATER)]


@pytest.mark.parametrize(
    ("make", "kept"), [(v2_database, False), (v2_1_database, True), (earlier.database, True)], ids=["2.0", "2.1", "old"]
)
def test_they_are_kept_from_version_2_1_on(tmp_path, make, kept):
    """Version 2.0 has no place for them."""
    with closing(sqlite3.connect(make(tmp_path / "dash.db"))) as opened:
        assert checkpoints.are_kept(opened) is kept


FULL = Checkpoint(
    commit="c1", repository="/r/.git", at=NOW, kind="beads", refs={"refs/heads/é": "c2"}, since=LATER, cuts="d",
    started=("c3", "c4"), uncounted=5, digest="e", read=Extent(6, 7, 8), links=9, unclear=10,
)  # fmt: skip
FIELDS = {
    KEYS[0]: {"commit", "repository", "at", "kind"},
    KEYS[1]: {"digest", "read", "links", "unclear"},
    KEYS[2]: {"refs", "since", "cuts", "started", "uncounted"},
}


@pytest.mark.parametrize("key", KEYS)
def test_a_checkpoint_keeps_the_fields_of_its_kind(conn, key):
    """What is saved is loaded; what belongs to another kind of reading is not stored."""
    for value in (FULL, Checkpoint()):
        checkpoints.save(conn, key, value, NOW)
        kept = {name: getattr(value, name) for name in FIELDS[key]}
        assert checkpoints.load(conn, key) == Checkpoint(**kept)
        assert checkpoints.get(conn, key).keys() == FIELDS[key]


@pytest.mark.parametrize("key", KEYS)
def test_a_checkpoint_that_another_hand_wrote_is_none(conn, key):
    """A field that is missing, unknown or of another type makes all of it unknown."""
    checkpoints.save(conn, key, FULL, NOW)
    good = checkpoints.get(conn, key)
    bad = [None, [], 1, "text", {}, good | {"more": 1}, *(good | {name: {"a": []}} for name in good)]
    newer = {"kind", "uncounted"}  # checkpoints of earlier commits lack them
    bad += [{name: value for name, value in good.items() if name != missing} for missing in good.keys() - newer]
    for value in bad:
        checkpoints.put(conn, key, value, NOW)
        assert checkpoints.load(conn, key) is None, value
    for missing in good.keys() & newer:
        checkpoints.put(conn, key, {name: value for name, value in good.items() if name != missing}, NOW)
        assert getattr(checkpoints.load(conn, key), missing) == getattr(Checkpoint(), missing)


def test_one_module_knows_where_they_are():
    """No other module of the store, of ingest or of a command names the table, or the places of before.

    But for the one that tells tables of ours from those of other programs.
    """
    package = Path(dashkit.__file__).parent
    words = ("main.checkpoints", "FROM checkpoints", "INTO checkpoints", "ingest_files", "SET refs", "tail_digest")
    found = {
        file.name
        for file in package.rglob("*.py")
        if file.parent.name != "migrations" and any(word in file.read_text("utf-8") for word in words)
    }
    assert found == {"checkpoints.py", "rows.py"}


@pytest.mark.parametrize("statement", ["DELETE FROM git_repos", "REPLACE INTO git_repos SELECT * FROM git_repos"])
def test_a_repository_that_was_deleted_is_read_again(tmp_path, statement):
    """What is left of a row that another program deleted, or replaced, does not count: its commits went with it."""
    path, repo = v2_1_database(tmp_path / "dash.db"), repository(tmp_path / "repo")
    commit(repo, "one", {"a": "1"})
    assert ingest_git([repo], db=path).added == 1
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA foreign_keys = ON")
        other.execute(statement)
    assert query(path, "SELECT count(*) FROM git_commits") == [(0,)]
    assert query(path, "SELECT count(*) FROM checkpoints WHERE key GLOB 'git:*'") == [(1,)]
    assert ingest_git([repo], db=path).added == 1
    assert ingest_git([repo], db=path).added == 0
