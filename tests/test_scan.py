"""`dashkit scan`: a repository that nobody prepared becomes a database and a page."""

import subprocess

import pytest
from builders import insert, query, v1_database

from dashkit.cli import main
from dashkit.database import get_blocked_tasks
from dashkit.errors import RefusedError
from dashkit.ingest.links import link_commits
from dashkit.scanning import scan
from dashkit.sources.survey import survey


def _git(folder, *words, at="2026-01-05T10:00:00+00:00"):
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_DATE": at,
        "GIT_COMMITTER_DATE": at,
        "HOME": str(folder),
    }
    names = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *names, *words], cwd=folder, env=environment, check=True, capture_output=True)


def _commit(folder, message, at, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    _git(folder, "add", "-A", at=at)
    _git(folder, "commit", "--allow-empty", "-m", message, at=at)


@pytest.fixture
def repo(tmp_path):
    """A repository with a task list that grew over three commits, in a folder with a space."""
    folder = tmp_path / "my project"
    folder.mkdir()
    _git(folder, "init", "-q")
    _commit(folder, "Plan", "2026-01-05T10:00:00+00:00", TODO_md="# Plan\n- [ ] T1.1 Write it\n- [ ] T1.2 Test it\n")
    _commit(
        folder,
        "Write it\n\nCloses T1.1",
        "2026-01-06T10:00:00+00:00",
        TODO_md="# Plan\n- [x] T1.1 Write it\n- [ ] T1.2 Test it\n",
    )
    _commit(
        folder,
        "Plan more",
        "2026-01-07T10:00:00+00:00",
        TODO_md="# Plan\n- [x] T1.1 Write it\n- [ ] T1.2 Test it\n- [ ] T1.3 Ship it\n",
    )
    return folder


def test_a_scan_finds_tasks_with_their_past_commits_and_links(repo):
    """One call: three tasks whose history has the times of the commits, three commits, one link that says why."""
    done = scan(repo, page=False)
    path = repo / ".dashkit" / "dashboard.db"
    assert done.database == path
    assert query(path, "SELECT count(*), sum(checked) FROM tasks")[0][:2] == (3, 1)
    ticked = query(path, "SELECT occurred_at FROM task_events WHERE checked = 1")
    assert [row[0] for row in ticked] == ["2026-01-06T10:00:00.000Z"]
    assert query(path, "SELECT count(*) FROM git_commits")[0][0] == 3
    [link] = query(
        path, "SELECT t.title, l.confidence, l.link_type FROM task_commit_links l JOIN tasks t ON t.id = l.task_id"
    )
    assert "Write it" in link[0]
    assert tuple(link)[1:] == (1.0, "explicit")
    assert len(str(done).splitlines()) <= 15


def test_a_second_scan_changes_nothing(repo):
    """Scanning again adds no task, no event, no commit and no link."""
    scan(repo, page=False)
    path = repo / ".dashkit" / "dashboard.db"
    tables = ("tasks", "task_events", "git_commits", "task_commit_links", "task_sources")
    before = {table: query(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    again = scan(repo, page=False)
    assert {table: query(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables} == before
    assert (again.tasks.added, again.tasks.changed, again.tasks.files) == (0, 0, 1)
    assert (repo / ".dashkit" / ".gitignore").read_text() == "*\n"


def test_a_folder_without_git_is_scanned_too(tmp_path, capsys):
    """Without a repository the task files are read as they are, and the command says what is missing."""
    (tmp_path / "TODO.md").write_text("- [ ] Begin\n")
    assert main(["scan", str(tmp_path), "--no-page"]) == 0
    told = capsys.readouterr().out
    assert "Tasks: 1 new" in told
    assert "without git history" in told


def test_an_old_database_is_not_scanned_into(tmp_path):
    """A version 1 database is refused, with what to run."""
    path = v1_database(tmp_path / "old.db")
    with pytest.raises(RefusedError, match=r"at version 1\.0.*dashkit migrate"):
        scan(tmp_path, db=path, page=False)


def test_vendored_folders_and_templates_hold_no_tasks(tmp_path):
    """What lies in node_modules, in a template, or is two boxes in a README is left out, and the latter counted."""
    for name in ("node_modules/x/TODO.md", ".github/PULL_REQUEST_TEMPLATE.md", "README.md", "docs/plan.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("- [ ] one\n- [ ] two\n")
    found = survey(tmp_path)
    assert [file.name for file in found.files] == ["plan.md"]
    assert found.left_out == {"templates and the like": 1, "files with fewer than 3 boxes": 1}


def test_a_persons_word_on_a_link_stands(repo):
    """A pair that a person unlinked is not linked again, and one that a person linked is not touched."""
    scan(repo, page=False)
    path = repo / ".dashkit" / "dashboard.db"
    [(task, sha)] = query(path, "SELECT task_id, commit_sha FROM task_commit_links")
    query(path, f"DELETE FROM task_commit_links WHERE task_id = {task}")
    insert(path, "link_rejections", task_id=task, commit_sha=sha, session_id="", rejected_at="2026")
    assert link_commits(path).added == 0
    query(path, "DELETE FROM link_rejections")
    assert link_commits(path).added == 1
    query(path, "UPDATE task_commit_links SET link_type = 'manual', confidence = 0.5")
    assert link_commits(path).added == 0
    assert query(path, "SELECT confidence, link_type FROM task_commit_links")[0][:2] == (0.5, "manual")


def test_a_block_of_unknown_age_is_not_called_new(tmp_path):
    """A task that is blocked when its file is first read may be blocked for long: nobody is told "at most 0 days"."""
    (tmp_path / "TODO.md").write_text("- [ ] Ship it (blocked: no keys)\n")
    path = scan(tmp_path, page=False).database
    [blocked] = get_blocked_tasks(db=path)
    assert (blocked["days_blocked"], blocked["basis"]) == (None, None)
