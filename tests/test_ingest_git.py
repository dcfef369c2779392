"""Git repositories into a project: what is new, once, whatever happens on the way."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import query, v1_database, v2_database
from content import kept
from repositories import commit, git, history, loose, remove, repository

import dashkit
from dashkit import migrations
from dashkit.cli import main
from dashkit.errors import FailedError, OutdatedError, RefusedError, UsageError
from dashkit.ingest.git import find_projects, ingest_git
from dashkit.sources.git import find
from dashkit.sources.git.isolated import Isolated

COMMITS = """
SELECT sha, author, author_email, message, timestamp, authored_at, is_merge, files_changed, insertions, deletions, paths
FROM git_commits LEFT JOIN git_commit_paths USING (sha) ORDER BY sha
"""


@pytest.fixture
def db(tmp_path):
    """A fresh database of the newest version."""
    path = tmp_path / "dash.db"
    migrations.create(path)
    return path


@pytest.fixture
def repo(tmp_path):
    """A repository of three commits."""
    path = repository(tmp_path / "repo")
    for name in ("one", "two", "three"):
        commit(path, name, {name: "x\n"})
    return path


@pytest.fixture
def small_steps(monkeypatch):
    """Chunks of 8 commits and transactions of 16."""
    monkeypatch.setattr("dashkit.sources.git.CHUNK", 8)
    monkeypatch.setattr("dashkit.ingest.git._BATCH", 16)


def reachable(db):
    """Message -> whether it can be reached."""
    return dict(query(db, "SELECT message, reachable FROM git_repo_commits JOIN git_commits USING (sha)"))


def test_every_column(db, repo):
    """A repository becomes a row, its commits rows with all they tell, and their paths a JSON array."""
    git(repo, "remote", "add", "origin", "https://me:token@example.org/r.git")
    summary = ingest_git([repo], db=db)
    assert (summary.source, summary.added, summary.skipped, summary.gone, summary.notes) == ("git", 3, 0, 0, ())
    assert query(db, "SELECT id, name FROM projects") == [(summary.project_id, "repo")]
    columns = "path, name, remote_url, default_branch"
    assert query(db, f"SELECT {columns} FROM git_repos") == [
        (str(repo.resolve()), "repo", "https://example.org/r.git", "main")
    ]
    sha = git(repo, "rev-parse", "HEAD")
    assert query(db, COMMITS.replace("ORDER", f"WHERE sha = '{sha}' ORDER")) == [
        (
            *(sha, "Ann", "ann@example.org", "three"),
            *("2023-11-14T22:15:00.000Z", "2023-11-14T22:13:20.000Z", 0, 1, 1, 0, '["three"]'),
        )
    ]
    assert query(db, "SELECT count(*) FROM git_commits WHERE recorded_at IS NULL") == [(0,)]


def test_twice_is_once(db, repo):
    """A second run adds nothing and changes no value of any row; it leaves its own row in runs."""
    ingest_git([repo], db=db)
    before = kept(db)
    assert ingest_git([repo], db=db).added == 0
    assert kept(db) == before


def test_only_what_is_new_is_asked_for(db, repo, monkeypatch):
    """A later run reads the commits since the last one and no other."""
    ingest_git([repo], db=db)
    commit(repo, "four")
    told = []
    assert ingest_git([repo], db=db, tell=lambda *numbers: told.append(numbers)).added == 1
    assert told == [(1, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_any_split_into_runs_is_one_run(tmp_path, seed, small_steps):
    """However the history is split into runs, by branches and dates, the rows are those of one run."""
    chance = random.Random(seed)
    shas = history(tmp_path / "long", 60)
    whole, parts = tmp_path / "whole.db", tmp_path / "parts.db"
    for path in (whole, parts):
        migrations.create(path)
    ingest_git([tmp_path / "long"], db=whole)
    for number in range(6):
        git(tmp_path / "long", "branch", f"b{number}", chance.choice(shas))
        since = datetime.fromtimestamp(1700000000 + chance.randrange(60), UTC) if chance.random() < 0.5 else None
        ingest_git([tmp_path / "long"], db=parts, branch=f"b{number}", since=since)
    ingest_git([tmp_path / "long"], db=parts)
    assert query(parts, COMMITS) == query(whole, COMMITS)
    assert query(parts, "SELECT count(*) FROM git_repo_commits WHERE reachable") == [(60,)]


@pytest.mark.parametrize("stop", [8, 16, 24, 48])
def test_an_interrupted_run_is_continued(tmp_path, db, stop, small_steps):
    """What was written stays, the next run brings the rest, and nothing is doubled or lost."""
    shas = history(tmp_path / "long", 60)

    def tell(done, total):
        if done >= stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_git([tmp_path / "long"], db=db, tell=tell)
    ((there,),) = query(db, "SELECT count(*) FROM git_commits")
    assert there == stop // 16 * 16
    assert ingest_git([tmp_path / "long"], db=db).added == 60 - there
    assert {sha for (sha,) in query(db, "SELECT sha FROM git_commits")} == set(shas)
    assert query(db, "SELECT count(*) FROM git_repo_commits WHERE reachable") == [(60,)]


@pytest.mark.crash
def test_a_killed_run_is_continued(tmp_path, db):
    """SIGKILL at random moments leaves a sound database, and the run after it completes the history."""
    shas = history(tmp_path / "long", 4000)
    code = (
        "import sys; from dashkit import ingest; import dashkit.ingest.git as g; import dashkit.sources.git as s; "
        "g._BATCH = s.CHUNK = 64; g.ingest_git([sys.argv[1]], db=sys.argv[2])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    for wait in (0.15, 0.3, 0.45):
        run = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "long"), str(db)], env=env)
        time.sleep(wait)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert query(db, "PRAGMA integrity_check") == [("ok",)]
    ingest_git([tmp_path / "long"], db=db)
    assert {sha for (sha,) in query(db, "SELECT sha FROM git_commits")} == set(shas)
    assert query(db, "SELECT count(*) FROM git_repo_commits WHERE reachable") == [(4000,)]


def test_rewritten_history_is_marked_and_kept(db, repo):
    """A commit that no ref reaches is marked; where it comes back, the mark goes."""
    ingest_git([repo], db=db)
    old = git(repo, "rev-parse", "HEAD")
    git(repo, "commit", "-q", "--amend", "-m", "three, better")
    summary = ingest_git([repo], db=db)
    assert (summary.added, summary.gone) == (1, 1)
    assert reachable(db) == {"one": 1, "two": 1, "three": 0, "three, better": 1}
    assert (ingest_git([repo], db=db).gone, reachable(db)["three"]) == (0, 0)
    git(repo, "reset", "-q", "--hard", old)
    assert ingest_git([repo], db=db).gone == 1
    assert reachable(db) == {"one": 1, "two": 1, "three": 1, "three, better": 0}


def test_a_branch_that_comes_back(db, repo):
    """The mark goes when any branch or tag reaches the commit again, also one that is not read."""
    git(repo, "checkout", "-q", "-b", "side")
    for name in ("four", "five"):
        commit(repo, name)
    ingest_git([repo], db=db, everything=True)
    git(repo, "checkout", "-q", "main")
    git(repo, "branch", "-q", "-m", "side", "kept")
    assert ingest_git([repo], db=db).gone == 0
    old = git(repo, "rev-parse", "kept")
    git(repo, "branch", "-q", "-D", "kept")
    assert ingest_git([repo], db=db).gone == 2
    git(repo, "tag", "back", f"{old}~1")
    assert ingest_git([repo], db=db).gone == 0
    assert reachable(db) == {"one": 1, "two": 1, "three": 1, "four": 1, "five": 0}
    git(repo, "branch", "back", old)
    ingest_git([repo], db=db)
    assert reachable(db)["five"] == 1


def test_what_is_gone_for_good_is_marked_too(db, repo):
    """Where git has thrown the old commits away, they are marked all the same."""
    ingest_git([repo], db=db)
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    git(repo, "reflog", "expire", "--expire=now", "--all")
    git(repo, "gc", "-q", "--prune=now")
    assert ingest_git([repo], db=db).gone == 2
    assert reachable(db) == {"one": 1, "two": 0, "three": 0}


def test_another_branch_does_not_lose_commits(db, repo):
    """Reading another branch marks nothing: what some branch reaches is reachable."""
    ingest_git([repo], db=db)
    git(repo, "checkout", "-q", "--orphan", "other")
    commit(repo, "apart")
    summary = ingest_git([repo], db=db)
    assert (summary.added, summary.gone) == (1, 0)
    git(repo, "branch", "-q", "-D", "main")
    assert ingest_git([repo], db=db).gone == 3


def test_an_interrupted_run_of_rewritten_history(tmp_path, db, small_steps):
    """What an unfinished run wrote of commits that are rewritten before the next one is marked."""
    history(tmp_path / "long", 40)

    def tell(done, total):
        if done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_git([tmp_path / "long"], db=db, tell=tell)
    git(tmp_path / "long", "update-ref", "refs/heads/main", git(tmp_path / "long", "rev-parse", "main~5"))
    assert ingest_git([tmp_path / "long"], db=db).gone == 5
    assert query(db, "SELECT count(*) FROM git_repo_commits WHERE reachable") == [(35,)]


def test_a_commit_of_two_repositories_is_stored_once(db, repo, tmp_path):
    """A clone holds the same commits: they stay one row each, and each repository holds them."""
    git(tmp_path, "clone", "-q", str(repo), "clone")
    commit(tmp_path / "clone", "four")
    summary = ingest_git([repo, tmp_path / "clone"], "Both", db)
    assert summary.added == 7
    assert query(db, "SELECT count(*) FROM git_commits") == [(4,)]
    assert query(db, "SELECT count(*) FROM git_repo_commits GROUP BY repo_id ORDER BY 1") == [(3,), (4,)]
    assert query(db, "SELECT count(*) FROM projects") == [(1,)]


def test_work_trees_are_one_repository(db, repo, tmp_path):
    """Two work trees of a repository add to the same row."""
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    commit(tmp_path / "tree", "four")
    assert ingest_git([repo, tmp_path / "tree"], db=db).added == 4
    assert query(db, "SELECT count(*) FROM git_repos") == [(1,)]


def test_each_work_tree_has_its_own_head(db, repo, tmp_path):
    """A work tree's HEAD is read, on a branch or not, and what it reaches is not lost when another is read."""
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    commit(tmp_path / "tree", "four")
    assert [ingest_git([folder], db=db).added for folder in (repo, tmp_path / "tree", repo)] == [3, 1, 0]
    assert reachable(db) == {"one": 1, "two": 1, "three": 1, "four": 1}
    assert query(db, "SELECT count(*) FROM git_repos") == [(1,)]


def test_everything_and_since(db, repo):
    """--all reads every branch; since stops at older commits, and a run without it brings them."""
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, "late", GIT_COMMITTER_DATE="1800000000 +0000")
    git(repo, "checkout", "-q", "main")
    since = datetime.fromtimestamp(1750000000, UTC)
    assert ingest_git([repo], db=db, since=since).added == 0
    assert ingest_git([repo], db=db, everything=True, since=since).added == 1
    assert ingest_git([repo], db=db, everything=True).added == 3


def test_a_shallow_clone_that_is_deepened(db, repo, tmp_path):
    """A cut history is said; what comes later is read, and counts that could not be known are filled in."""
    git(tmp_path, "clone", "-q", "--depth", "1", repo.as_uri(), "shallow")
    (note,) = ingest_git([tmp_path / "shallow"], db=db).notes
    assert "its history is cut (a shallow clone)" in note
    assert query(db, "SELECT message, insertions FROM git_commits") == [("three", None)]
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    assert ingest_git([tmp_path / "shallow"], db=db).added == 2
    assert query(db, "SELECT message, insertions FROM git_commits ORDER BY 1") == [("one", 1), ("three", 1), ("two", 1)]


def test_grafts_are_said(db, repo):
    """Where replacements alter the history, it is read as git shows it, and that is said."""
    git(repo, "replace", "--graft", "HEAD")
    summary = ingest_git([repo], db=db)
    assert summary.added == 1
    assert "altered by grafts or replacements" in summary.notes[0]
    git(repo, "replace", "-d", "HEAD")
    assert ingest_git([repo], db=db).added == 2


def test_a_row_made_by_hand_is_filled(db, repo):
    """A commit that somebody recorded in five columns gets the rest, and keeps its place."""
    ingest_git([repo], db=db)
    sha = git(repo, "rev-parse", "HEAD")
    for table in ("git_commits", "git_repo_commits", "git_commit_paths"):
        query(db, f"DELETE FROM {table} WHERE sha = ?", sha)
    query(db, "DELETE FROM checkpoints")
    (repo_id,) = query(db, "SELECT id FROM git_repos")[0]
    query(
        db,
        "INSERT INTO git_commits (sha, repo_id, author, message, timestamp) VALUES (?, ?, 'x', 'y', '')",
        sha,
        repo_id,
    )
    assert ingest_git([repo], db=db).added == 1
    found = query(db, "SELECT author, message, insertions, recorded_at IS NULL FROM git_commits WHERE sha = ?", sha)
    assert found == [("Ann", "three", 1, 0)]


def test_no_commit_yet(db, tmp_path):
    """A repository without a commit is recorded, and it is said."""
    summary = ingest_git([repository(tmp_path / "new")], db=db)
    assert (summary.added, summary.notes) == (0, (f"{(tmp_path / 'new').resolve()}: there is no commit yet",))


def test_a_file_that_is_gone_costs_its_lines_and_no_more(tmp_path, db):
    """Commits whose files cannot be read are there without lines, and that is said; restored, they are filled in."""
    shas, folder = history(tmp_path / "long", 60), tmp_path / "long"
    loose(folder)
    blob = git(folder, "rev-parse", f"{shas[50]}:file{(59 - 50) % 5}")
    content = remove(folder, blob)
    note = "because files of theirs are missing or damaged in this clone: 2; `git fsck` names them"
    for added in (60, 0):
        summary = ingest_git([folder], db=db)
        assert (summary.added, summary.skipped) == (added, 0)
        assert [note in one for one in summary.notes] == [True]
        assert query(db, "SELECT count(*), count(insertions), sum(files_changed) FROM git_commits") == [(60, 58, 60)]
    path = folder / ".git" / "objects" / blob[:2] / blob[2:]
    path.write_bytes(content)
    summary = ingest_git([folder], db=db)
    assert (summary.added, summary.notes) == (0, ())
    assert query(db, "SELECT count(insertions) FROM git_commits") == [(60,)]


def test_damage_stops_the_run_and_keeps_what_was_read(tmp_path, db):
    """Where git comes no further, the error says so, and the commits up to there are kept, however few."""
    shas, folder = history(tmp_path / "long", 60), tmp_path / "long"
    loose(folder)
    content = remove(folder, shas[30])
    for _ in range(2):
        with pytest.raises(FailedError, match=r"git says: .*the next run continues"):
            ingest_git([folder], db=db)
        assert {sha for (sha,) in query(db, "SELECT sha FROM git_repo_commits")} == set(shas[:29])
    (folder / ".git" / "objects" / shas[30][:2] / shas[30][2:]).write_bytes(content)
    assert ingest_git([folder], db=db).added == 31


def test_a_failure_midway_keeps_what_was_read(tmp_path, db, monkeypatch):
    """Where git fails while commits are held for the next step, they are written first."""
    monkeypatch.setattr("dashkit.sources.git.CHUNK", 8)
    history(tmp_path / "long", 60)
    real = Isolated.run

    def run(self, *words, given=b""):
        if words[0] == "cat-file" and given.count(b"\n") < 8:
            raise FailedError("Cannot read", "it was stopped", "Wait.")
        return real(self, *words, given=given)

    monkeypatch.setattr(Isolated, "run", run)
    with pytest.raises(FailedError, match="it was stopped"):
        ingest_git([tmp_path / "long"], db=db)
    assert query(db, "SELECT count(*) FROM git_commits") == [(56,)]


@pytest.mark.parametrize("how", ["moved", "cloned", "replaced"])
def test_a_repository_that_moved_stays_the_same(tmp_path, db, repo, how):
    """One that is no longer where it was is the same row of the same project; what was marked is marked still."""
    ingest_git([repo], db=db)
    git(repo, "commit", "-q", "--amend", "-m", "three, better")
    ingest_git([repo], db=db)
    ((row, old),) = query(db, "SELECT id, path FROM git_repos")
    if how == "cloned":
        git(tmp_path, "clone", "-q", str(repo), "new")
        shutil.rmtree(repo)
    else:
        repo.rename(tmp_path / "new")
    if how == "replaced":
        commit(repository(repo), "another beginning")
    new = tmp_path / "new"
    commit(new, "four")
    with closing(sqlite3.connect(db)) as conn:
        conn.row_factory = sqlite3.Row
        assert find_projects(conn, find(new)) == [1]
    summary = ingest_git([new], db=db)
    assert (summary.added, summary.gone, summary.project_id) == (1, 0, 1)
    assert summary.notes == (f"{new.resolve()}: it was {old} before",)
    assert query(db, "SELECT id, path, name FROM git_repos") == [(row, str(new.resolve()), "new")]
    assert reachable(db) == {"one": 1, "two": 1, "three": 0, "three, better": 1, "four": 1}
    assert ingest_git([new], db=db).notes == ()
    commit(repository(repo), "a new one at the old place")
    assert ingest_git([repo], project_id=1, db=db).added == (2 if how == "replaced" else 1)
    assert len(query(db, "SELECT DISTINCT id FROM git_repos")) == 2


def test_a_copy_is_another_repository(tmp_path, db, repo):
    """As long as the one that is known is where it was, a clone of it is one of its own."""
    ingest_git([repo], db=db)
    git(tmp_path, "clone", "-q", str(repo), "copy")
    assert ingest_git([tmp_path / "copy"], db=db).project_id == 2
    assert query(db, "SELECT count(*) FROM git_repos") == [(2,)]


def test_two_of_one_name_are_said(tmp_path, db, repo):
    """A second repository of a known one's folder name comes into its project, and that is said once."""
    ingest_git([repo], db=db)
    other = repository(tmp_path / "elsewhere" / "repo")
    commit(other, "apart")
    (note,) = ingest_git([other], db=db).notes
    assert f"project 1 has another repository of this name, {repo.resolve()}" in note
    assert ingest_git([other], db=db).notes == ()


def test_the_callers_connection_is_left_to_the_caller(db, repo):
    """On an open connection nothing is committed, and it stays open."""
    with closing(sqlite3.connect(db, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        assert ingest_git([repo], db=conn).added == 3
        conn.execute("ROLLBACK")
        assert conn.execute("SELECT count(*) FROM git_commits").fetchone() == (0,)


def test_which_project(db, repo):
    """By id, by name, or the one that holds the repository; a name of several is refused with their ids."""
    assert ingest_git([repo], "Mine", db).project_id == 1
    assert ingest_git([repo], db=db).project_id == 1
    assert ingest_git([repo], "Other", db).project_id == 2
    with pytest.raises(RefusedError, match=r"2 projects have this repository \(ids 1, 2\).*--project-id N"):
        ingest_git([repo], db=db)
    assert ingest_git([repo], db=db, project_id=2).added == 0
    query(db, "UPDATE projects SET name = 'Same'")
    with pytest.raises(UsageError, match=r"the project 'Same': 2 projects have this name\. Give one of"):
        ingest_git([repo], " Same ", db)
    with pytest.raises(RefusedError, match=r"project 7: there is no project with this id"):
        ingest_git([repo], db=db, project_id=7)
    with pytest.raises(UsageError, match="the project has no name"):
        ingest_git([repo], " ", db)
    for wrong in ({"project": "x", "project_id": 1}, {"branch": "x", "everything": True}):
        with pytest.raises(UsageError, match=r"Give one of the two\."):
            ingest_git([repo], db=db, **wrong)


@pytest.mark.parametrize("make", [v1_database, v2_database])
def test_an_older_database(tmp_path, repo, make):
    """A database before 2.1 is refused, with the command that migrates it, and stays as it is."""
    db = make(tmp_path / "old.db")
    with pytest.raises(OutdatedError, match=r"dashkit migrate --execute"):
        ingest_git([repo], db=db)
    assert query(db, "SELECT count(*) FROM projects") == [(1,)]


def test_hostile_names_stay_text(db, tmp_path):
    """A folder, a branch and a message full of quotes and markup are stored as they are."""
    evil = "x'); DROP TABLE git_commits; --<script>"
    repo = repository(tmp_path / evil)
    commit(repo, evil)
    ingest_git([repo], db=db)
    assert query(db, "SELECT message FROM git_commits") == [(evil,)]
    assert query(db, "SELECT name FROM projects") == [(evil,)]
    assert query(db, "SELECT name FROM git_repos") == [(evil,)]


def test_the_command(db, repo, capsys):
    """The result on stdout, notes on stderr, no progress in a pipe, and the exit codes of refusals."""
    words = ["ingest", "git", str(repo), "--db", str(db)]
    assert main([*words, "--project", "Mine"]) == 0
    assert capsys.readouterr() == ("Added 3 commits to project 1.\n", "")
    git(repo, "commit", "-q", "--amend", "-m", "better")
    assert main(words) == 0
    assert capsys.readouterr().out == "Added 1 commit to project 1; 1 commit no longer reachable (kept, and marked).\n"
    assert main([*words, "--all", "--since", "2020-01-31", "--project-id", "1"]) == 0
    assert capsys.readouterr().out == "No new commits.\n"
    assert main([*words, "--branch", "nope"]) == 2
    assert "no such branch" in capsys.readouterr().err
    assert main(["ingest", "git", str(repo.parent), "--db", str(db)]) == 3
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--since", "yesterday"])
    assert "is no date; write it as" in capsys.readouterr().err


def test_progress_on_a_terminal(db, repo):
    """On a terminal the progress shows how many, how fast, and how long it will take."""
    env = {**os.environ, "PYTHONPATH": str(Path(dashkit.__file__).parents[1])}
    command = [sys.executable, "-m", "dashkit", "ingest", "git", str(repo), "--db", str(db)]
    controller, terminal = os.openpty()
    run = subprocess.run(command, stderr=terminal, capture_output=False, stdout=subprocess.PIPE, env=env, check=True)
    os.close(terminal)
    shown = os.read(controller, 10_000).decode()
    os.close(controller)
    assert run.stdout == b"Added 3 commits to project 1.\n"
    assert "3 of 3 commits, " in shown
    assert shown.endswith("\r\x1b[K")
