"""`dashkit scan`: a repository that nobody prepared becomes a database and a page."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from builders import insert, query, v1_database

import dashkit
from dashkit.cli import main
from dashkit.cli.text import Speed
from dashkit.database import get_blocked_tasks
from dashkit.errors import FailedError, RefusedError
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
    assert found.left_out == {
        "templates and the like": 1, "files with fewer than 3 boxes": 1, "vendored and build folders": 1,
    }  # fmt: skip


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


@pytest.mark.slow
def test_a_work_tree_a_submodule_and_a_clone_apart_are_scanned_where_they_are(repo, tmp_path):
    """The files are those of the work tree that was named, with its own HEAD, wherever its git directory lies."""
    tree, clone, outer = tmp_path / "tree", tmp_path / "clone", tmp_path / "outer"
    _git(repo, "worktree", "add", "-q", "-b", "side", str(tree))
    _commit(tree, "Side", "2026-01-08T10:00:00+00:00", TODO_md="# Plan\n- [ ] T9 Only here\n")
    _git(tmp_path, "clone", "-q", f"--separate-git-dir={tmp_path / 'apart.git'}", str(repo), str(clone))
    outer.mkdir()
    _git(outer, "init", "-q")
    _git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "sub")
    for folder, titles in ((tree, ["T9 Only here"]), (clone, ["T1.1 Write it"]), (outer / "sub", ["T1.1 Write it"])):
        done = scan(folder, page=False)
        assert (done.root, done.database) == (folder, folder / ".dashkit" / "dashboard.db")
        live = query(done.database, "SELECT title FROM tasks JOIN task_sources ON id = task_id WHERE gone_at IS NULL")
        assert [title for (title,) in live][: len(titles)] == titles
        assert done.git.added == (4 if folder == tree else 3)


def test_a_bare_repository_has_commits_alone(repo, tmp_path):
    """Of a bare repository the commits are read, the database is in it, and the scan says that there are no files."""
    bare = tmp_path / "kept.git"
    _git(tmp_path, "clone", "-q", "--bare", str(repo), str(bare))
    done = scan(bare, page=False)
    assert (done.tasks, done.git.added, done.failures) == (None, 3, ())
    assert query(done.database, "SELECT name FROM projects") == [("kept",)]
    assert "no files: the commits alone are read" in str(done)
    assert f"Database: {bare}/.dashkit/dashboard.db" in str(done)
    assert "TODO.md" not in str(done)


def test_a_repository_that_moved_stays_one_project(repo, tmp_path):
    """Scanned again under another name, it goes on in the project that the database has for it."""
    scan(repo, page=False)
    moved = repo.rename(tmp_path / "elsewhere")
    done = scan(moved, page=False)
    assert (done.tasks.added, done.git.added) == (0, 0)
    assert query(done.database, "SELECT name FROM projects") == [("my project",)]
    assert query(done.database, "SELECT count(*) FROM tasks") == [(3,)]


def test_a_part_that_fails_is_not_called_empty(repo, monkeypatch, capsys):
    """Where reading tasks fails the scan says so, reads the rest, gives no advice that does not fit, exits with 5."""

    def fail(*_args, **_options):
        raise FailedError("Cannot read the tasks", "the disk failed", "Check the disk.")

    with monkeypatch.context() as patch:
        patch.setattr("dashkit.scanning.ingest_tasks", fail)
        assert main(["scan", str(repo), "--no-page"]) == 5
    told = capsys.readouterr().out
    assert "FAILED: Cannot read the tasks: the disk failed" in told
    assert "Commits: 3 new" in told
    assert "no task file" not in told
    assert "Next: mend what FAILED and scan again" in told
    with monkeypatch.context() as patch:
        patch.setattr("dashkit.scanning.ingest_git", fail)
        assert "name a task in a commit message" not in str(scan(repo, page=False))


def test_a_page_that_cannot_be_written_hides_nothing(repo, tmp_path, monkeypatch, capsys):
    """A folder that cannot be is refused before anything is read; a page that fails later is a line of the summary."""
    (tmp_path / "file").touch()
    assert main(["scan", str(repo), "--out", str(tmp_path / "file" / "x")]) == 3
    assert "Cannot write reports to" in capsys.readouterr().err
    assert not (repo / ".dashkit" / "dashboard.db").exists()

    def fail(*_args, **_options):
        raise RefusedError("Cannot write reports to it", "the disk is full", "Name another folder with --out.")

    monkeypatch.setattr("dashkit.reports.run.run_report", fail)
    assert main(["scan", str(repo)]) == 5
    told = capsys.readouterr().out
    assert "Tasks: 3 new" in told
    assert "FAILED: Cannot write reports to it: the disk is full" in told
    assert "Page:" not in told
    assert "open the page" not in told


def test_a_folder_that_is_not_ours_says_where_else_to_write(tmp_path):
    """Where nothing can be written the refusal names the options that help."""
    (tmp_path / ".dashkit").touch()
    with pytest.raises(RefusedError, match=r"Cannot make the folder .*\.dashkit: .*--db PATH --out DIR"):
        scan(tmp_path)


def test_two_first_scans_at_once_make_one_database(repo):
    """Both end well: the later one waits, and nothing is doubled."""
    command = [sys.executable, "-m", "dashkit", "scan", str(repo), "--no-page"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    for one in both:
        told, _ = one.communicate()
        assert one.returncode == 0, told
    path = repo / ".dashkit" / "dashboard.db"
    tables = ("projects", "tasks", "git_commits")
    assert [query(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables] == [1, 3, 3]


def test_an_empty_file_is_a_new_database(repo, tmp_path):
    """What another scan has only just made, or `mktemp`, is filled."""
    (tmp_path / "new.db").touch()
    assert scan(repo, db=tmp_path / "new.db", page=False).tasks.added == 3


@pytest.mark.kernel
def test_git_status_stays_clean(repo, tmp_path):
    """Whatever is made in the repository, git is told to leave it alone; with both places elsewhere nothing is."""
    scan(repo, db=tmp_path / "a.db", page=False)
    assert not (repo / ".dashkit").exists()
    scan(repo, db=tmp_path / "a.db")
    assert (repo / ".dashkit" / "reports" / "progress" / "latest.html").is_file()
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repo, capture_output=True, check=True)
    assert status.stdout == b""


@pytest.mark.kernel
def test_the_page_has_a_name_that_stays(repo):
    """The scan prints the page that the next scan replaces."""
    done = scan(repo)
    assert done.page == repo / ".dashkit" / "reports" / "progress" / "latest.html"
    assert done.page.is_file()
    assert f"Page: {done.page}" in str(done)


def test_what_is_next_fits_what_was_asked_for(repo):
    """Without a page nobody is told to open it; nor is a task asked for where there are some."""
    assert "Next: `dashkit report progress` writes the page; `dashkit task ID`" in str(scan(repo, page=False))


def test_a_file_of_two_boxes_is_named_as_left_out(tmp_path, capsys):
    """No task file is not nothing: what was left out is said once, with the way to take it in."""
    (tmp_path / "README.md").write_text("- [ ] one\n- [ ] two\n")
    assert main(["scan", str(tmp_path), "--no-page"]) == 0
    told = capsys.readouterr().out
    assert "Left out: files with fewer than 3 boxes (1)" in told
    assert "Next: `dashkit scan --everything`" in told
    assert told.count("no task file") == 1
    assert main(["scan", str(tmp_path), "--no-page", "--everything"]) == 0
    assert "Tasks: 2 new" in capsys.readouterr().out


def test_vendored_folders_are_counted(tmp_path):
    """A folder of other people's work is not looked into, and said."""
    for name in ("node_modules", "build", ".git", "src"):
        (tmp_path / name).mkdir()
    assert survey(tmp_path).left_out == {"vendored and build folders": 2}


def test_boxes_of_documents_are_no_tasks_beside_a_tracker(tmp_path):
    """Where there is a tracker, a list counts if its name says that it is one; the others are counted as left out."""
    boxes = "- [ ] one\n- [ ] two\n- [ ] three\n"
    (tmp_path / "docs").mkdir()
    for name in ("TODO.md", "docs/design.md", "docs/explanation.md", "docs/my-tasks.md"):
        (tmp_path / name).write_text(boxes)
    assert len(survey(tmp_path).files) == 4
    (tmp_path / ".beads").mkdir()
    (tmp_path / ".beads" / "issues.jsonl").touch()
    assert len(survey(tmp_path).files) == 5, "an empty tracker is none"
    (tmp_path / ".beads" / "issues.jsonl").write_text('{"id": "a-1", "title": "One", "status": "open"}\n')
    found = survey(tmp_path)
    assert [file.name for file in found.files] == ["issues.jsonl", "TODO.md", "my-tasks.md"]
    assert found.left_out == {"documents with boxes beside a tracker": 2}
    assert len(survey(tmp_path, everything=True).files) == len(survey(tmp_path, source="tasklist").files) == 5


def test_a_setting_leaves_folders_out(repo):
    """What `exclude` names is not read, and its tasks go with it; taken back, they are there again."""
    (repo / "docs" / "archive").mkdir(parents=True)
    (repo / "docs" / "archive" / "PLAN.md").write_text("- [ ] one\n- [x] two\n- [ ] three\n")
    path = scan(repo, page=False).database
    assert scan(repo, page=False).standing.by_source == {"docs/archive/PLAN.md": 3, "TODO.md": 3}
    assert main(["config", "exclude", "docs/archive/*", "--db", str(path)]) == 0
    done = scan(repo, page=False)
    assert done.tasks.left_out_by == {"files and folders of the setting exclude": 1}
    assert (done.standing.gone, done.standing.tasks) == (2, 4)
    assert main(["config", "exclude", "--unset", "--db", str(path)]) == 0
    assert scan(repo, page=False).standing.tasks == 6
    assert main(["config", "exclude", "/docs", "--db", str(path)]) == 2


def test_a_scan_names_its_files_and_agrees_with_the_page(repo):
    """The largest files are named, how the tasks stand is what the frame `progress` says, and one is one."""
    (repo / "TASKS.md").write_text("".join(f"- [{'x' if n % 2 else ' '}] Task {n}\n" for n in range(7)))
    for name in "abcd":
        (repo / f"{name}-todo.md").write_text(f"- [ ] Of {name}\n")
    scan(repo, page=False)
    (repo / "TASKS.md").write_text("- [x] Task 1\n- [ ] Task 0\n")
    done = scan(repo, page=False)
    with dashkit.open(done.database) as d:
        [row] = d.progress().itertuples()
    assert (row.tasks, row.checked, row.gone) == (done.standing.tasks, done.standing.checked, done.standing.gone)
    assert (
        f"{row.checked} of {row.tasks} done; {row.gone} gone from {'its file' if row.gone == 1 else 'their files'}"
        in str(done)
    )
    assert "Files: TASKS.md (4), TODO.md (3), a-todo.md (1), b-todo.md (1), and 2 more" in str(done)


def test_ids_that_may_mean_several_tasks_are_shown(repo):
    """An ambiguous id is counted by the scan and on the page; so is a commit of the future."""
    (repo / "OTHER-TODO.md").write_text("- [ ] T1.3 Another one of this id\n")
    _commit(repo, "Work on T1.3", "2026-01-09T10:00:00+00:00")
    _commit(repo, "Tomorrow", "2090-01-09T10:00:00+00:00")
    done = scan(repo, page=False)
    assert "ids in commit messages that may mean several tasks (1)" in str(done)
    for project in (None, 1):
        with dashkit.open(done.database, project=project) as d:
            assert d.left_out().to_numpy().tolist() == [
                ["ids", "ids in commit messages that may mean several tasks", 1], ["commits", "dated in the future", 1],
            ]  # fmt: skip


def test_a_commit_that_was_amended_counts_once(repo):
    """The dead commit is in no frame: neither of the tasks' commits nor in what happened lately."""
    scan(repo, page=False)
    _commit(
        repo, "Half of T1.2", "2026-01-08T10:00:00+00:00", TODO_md="# Plan\n- [x] T1.1 Write it\n- [x] T1.2 Test it\n"
    )
    scan(repo, page=False)
    _git(repo, "commit", "-q", "--amend", "-m", "All of T1.2", at="2026-01-08T11:00:00+00:00")
    path = scan(repo, page=False).database
    with dashkit.open(path) as d:
        assert d.activity()["title"].tolist().count("Half of T1.2") == 0
        commits = dict(zip(d.task_commits()["external_id"], d.task_commits()["commits"], strict=True))
    assert commits["T1.2"] == 1


def test_a_parent_of_repositories_says_what_it_does_not_read(repo, tmp_path):
    """The tasks of the repositories in it are read, with their past; that their commits are not is said."""
    done = scan(tmp_path, page=False)
    assert done.tasks.added == 3
    assert done.git is None
    assert f"1 git repository lies in it: their tasks are read, and no commits; `dashkit scan '{repo}'`" in str(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_told_once_with_the_remedy(repo, monkeypatch):
    """Why git refuses it stands in one note, with the command that helps."""
    monkeypatch.setenv("HOME", str(repo))
    for path in (repo, repo / ".git"):
        os.chown(path, 12345, 12345)
    done = scan(repo, page=False)
    [note] = done.notes
    assert "git config --global --add safe.directory" in note
    assert done.tasks.added == 3


def test_dates_that_cannot_be_read_are_one_line(repo):
    """With a count and an example, before all else that there is to say, at each scan."""
    page = "---\nid: BACK-{0}\ntitle: Work {0}\nstatus: Done\ncreated_date: '3. Nov 2025'\n---\n"
    (repo / "backlog" / "tasks").mkdir(parents=True)
    for number in (1, 2):
        (repo / "backlog" / "tasks" / f"back-{number}.md").write_text(page.format(number))
    for _ in range(2):
        notes = [line for line in str(scan(repo, page=False)).splitlines() if line.startswith("Note: ")]
        assert notes[0] == (
            "Note: 2 dates cannot be read, such as created_date '3. Nov 2025' in backlog/tasks/back-1.md: "
            "these events have no date of their own"
        )
    (repo / "backlog" / "tasks" / "back-2.md").unlink()
    assert "1 date cannot be read, created_date '3. Nov 2025' in backlog/tasks/back-1.md" in str(scan(repo, page=False))


def test_a_scan_never_says_more_than_fifteen_lines(repo, tmp_path):
    """With every part failed and many notes too there are fifteen lines, and the last says what is next."""
    done = scan(repo, page=False)
    for failures in range(5):
        for notes in (0, 3, 30):
            told = tuple(f"note {n}" for n in range(notes))
            lines = str(replace(done, failures=("one",) * failures, notes=told, page=tmp_path)).splitlines()
            assert len(lines) <= 15
            assert lines[-1].startswith("Next: ")
            shown = [line for line in lines if line.startswith("Note: note")]
            more = re.findall(r"Note: and (\d+) more", "\n".join(lines))
            assert len(shown) + sum(map(int, more)) == notes


def test_a_terminal_hears_how_far_the_commits_are(repo):
    """What is being done is told, and of commits how many of how many are read."""
    heard = []
    scan(repo, page=False, tell=lambda *words: heard.append(words))
    assert ("reading git", 3, 3) in heard
    assert [stage for stage, _, total in heard if not total] == ["reading tasks", "reading git", "linking"]
    assert re.fullmatch(r"3 of 3 commits, [\d,]+ a second, 0 s left", Speed().words(3, 3))


@pytest.mark.kernel
def test_the_example_of_the_docs_is_real(tmp_path):
    """The output that docs/scan.md shows is what a scan says, but for the place and the time."""
    page = (Path(dashkit.__file__).parents[1] / "docs" / "scan.md").read_text("utf-8")
    shop = tmp_path / "shop"
    (shop / "docs").mkdir(parents=True)
    _git(shop, "init", "-q")
    (shop / "README.md").write_text("- [ ] Read this\n")
    (shop / "docs" / "roadmap.md").write_text("- [x] Sell\n- [ ] Sell more\n")
    _commit(shop, "Plan", "2026-01-05T10:00:00+00:00", TODO_md="- [ ] T1.1 Cart\n- [ ] T1.2 Till\n")
    _commit(
        shop,
        "T1.1: the cart",
        "2026-01-06T10:00:00+00:00",
        TODO_md="- [x] T1.1 Cart\n- [ ] T1.2 Till\n- [ ] T1.3 Tax\n",
    )
    _commit(shop, "Style", "2026-01-07T10:00:00+00:00", style_css="b {}")
    told = str(scan(shop)).replace(str(tmp_path), "/src")
    assert re.search(r"```text\n(.+?)\n```", page, re.DOTALL)[1] == re.sub(r" in [\d.]+ m?s\n", " in 1.2 s\n", told)
