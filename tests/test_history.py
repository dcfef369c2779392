"""Versions of a file in git: what is read, what git can throw, and the real histories."""

import json
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from repositories import commit, damage, git, raw_commit, remove, repository

from dashkit.connection import connect_readonly
from dashkit.errors import FailedError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.sources import history, tasklist
from dashkit.store import events

SHARED = Path(__file__).resolve().parents[2] / "shared"
HISTORIES = sorted((SHARED / "data" / "tasklists" / "history").glob("*.jsonl.xz"))
BEADS = SHARED / "data" / "beads" / "issues-history.jsonl.xz"
without_data = pytest.mark.skipif(not BEADS.is_file(), reason="the real histories are not beside this checkout")


def found(path):
    """The versions of a file: (time, bytes)."""
    return [(one.committed_at, one.changes[""]) for one in history.versions(history.locate(path), "tasklist")]


def test_a_file_outside_git_has_no_place(tmp_path):
    """No repository above it: no history, and no complaint."""
    assert history.locate(tmp_path / "plan.md") is None


def test_versions_come_oldest_first_with_the_committers_time(tmp_path):
    """A deletion is a version without bytes, and a commit that leaves the file alone is none."""
    folder = repository(tmp_path / "a b")
    path = folder / "sub" / 'plan: [1] "it\'s"\n*.md'
    commit(folder, files={f"sub/{path.name}": "one\n"}, GIT_COMMITTER_DATE="1700000000 +0100")
    commit(folder, files={"sub/plan: [1] x.md": "another\n"})
    path.unlink()
    commit(folder, GIT_COMMITTER_DATE="1700000200 +0000")
    commit(folder, files={f"sub/{path.name}": "two"}, GIT_COMMITTER_DATE="1700000300 +0000")
    assert found(path) == [
        ("2023-11-14T22:13:20.000Z", b"one\n"),
        ("2023-11-14T22:16:40.000Z", None),
        ("2023-11-14T22:18:20.000Z", b"two"),
    ]


def test_a_merge_counts_once_on_the_first_parent(tmp_path):
    """What came in by a merge is one version, of the merge."""
    folder = repository(tmp_path / "r")
    path = folder / "plan.md"
    commit(folder, files={"plan.md": "- [ ] a\n"})
    git(folder, "checkout", "-q", "-b", "side")
    for text in ("- [x] a\n", "- [x] a\n- [ ] b\n"):
        commit(folder, files={"plan.md": text})
    git(folder, "checkout", "-q", "main")
    commit(folder, files={"other": "x"})
    git(folder, "merge", "-q", "--no-ff", "side")
    assert [data for _, data in found(path)] == [b"- [ ] a\n", b"- [x] a\n- [ ] b\n"]


def test_only_what_is_new_since_a_commit(tmp_path):
    """Versions after a commit; none where nothing came since."""
    folder = repository(tmp_path / "r")
    first = commit(folder, files={"plan.md": "1"})
    second = commit(folder, files={"plan.md": "2"})
    place = history.locate(folder / "plan.md")
    assert [one.changes for one in history.versions(place, "tasklist", first)] == [{"": b"2"}]
    assert list(history.versions(place, "tasklist", second)) == []
    assert history.is_ancestor(place, first)
    assert not history.is_ancestor(place, "0" * 40)


def test_odd_repositories_are_read(tmp_path):
    """No commit yet, a symbolic link, bytes that are no text, and configuration that would change what git says."""
    folder = repository(tmp_path / "r")
    path = folder / "plan.md"
    path.write_text("- [ ] a\n", "utf-8")
    assert found(path) == []
    (folder / "real.md").write_text("x", "utf-8")
    path.unlink()
    path.symlink_to("real.md")
    commit(folder, GIT_COMMITTER_DATE="@0 +0000")
    path.unlink()
    commit(folder, files={"plan.md": b"\xff\x00\n"}, GIT_COMMITTER_DATE="@99999999999 -0730")
    for key, value in (("log.showRoot", "false"), ("log.follow", "true"), ("diff.external", "false")):
        git(folder, "config", key, value)
    assert found(path) == [("1970-01-01T00:00:00.000Z", None), ("5138-11-16T09:46:39.000Z", b"\xff\x00\n")]


def test_what_once_was_a_folder(tmp_path):
    """A file that was a folder for a while is read as a file, with a version where it was none."""
    folder = repository(tmp_path / "r")
    path = folder / "plan.md"
    commit(folder, files={"plan.md": "1"})
    path.unlink()
    commit(folder, files={"plan.md/inside": "x"})
    (path / "inside").unlink()
    path.rmdir()
    commit(folder, files={"plan.md": "2"})
    assert [data for _, data in found(path)] == [b"1", None, b"2"]


def test_a_committer_without_a_time(tmp_path):
    """A commit that names no time is of 1970, and its changes are its own."""
    folder = repository(tmp_path / "r")
    commit(folder, files={"plan.md": "1"})
    commit(folder, files={"plan.md": "2"})
    raw = git(folder, "cat-file", "commit", "HEAD")
    raw_commit(folder, re.sub(r"(?m)^committer .*$", "committer nobody", f"{raw}\n").encode())
    assert found(folder / "plan.md") == [
        ("2023-11-14T22:15:00.000Z", b"1"),
        ("1970-01-01T00:00:00.000Z", b"2"),
    ]


def test_a_damaged_version_loses_no_other(tmp_path):
    """A content that cannot be read is missing, and those after it are there."""
    folder = repository(tmp_path / "r")
    for number in range(4):
        commit(folder, files={"plan.md": f"{number}"})
    damage(folder, git(folder, "rev-parse", "HEAD~2:plan.md"))
    read = list(history.versions(history.locate(folder / "plan.md"), "tasklist"))
    assert [(one.changes.get(""), one.missing) for one in read] == [(b"0", 0), (None, 1), (b"2", 0), (b"3", 0)]


@pytest.mark.parametrize("what", ["HEAD~1", "HEAD~1^{tree}"])
def test_only_errors_of_ours_come_out(tmp_path, what):
    """Where git cannot read the past, the error says so."""
    folder = repository(tmp_path / "r")
    for number in range(4):
        commit(folder, files={"plan.md": f"{number}"})
    remove(folder, git(folder, "rev-parse", what))
    with pytest.raises(FailedError, match=f"git repository {folder}: git says"):
        list(history.versions(history.locate(folder / "plan.md"), "tasklist"))


@pytest.mark.parametrize("key", ["i18n.logOutputEncoding", "i18n.commitEncoding", "diff.orderFile", "log.date"])
def test_no_configuration_has_a_say(tmp_path, key):
    """The keys of a repository's own configuration neither change nor stop what is read."""
    folder = repository(tmp_path / "r")
    commit(folder, "Grüße", files={"plan.md": "1"})
    git(folder, "config", key, "UTF-16")
    git(folder, "config", "core.worktree", "/etc")
    assert [data for _, data in found(folder / "plan.md")] == [b"1"]
    git(folder, "config", "--unset", "core.worktree")
    git(folder, "config", "core.bare", "true")
    assert history.locate(folder / "plan.md") is None


def test_the_search_ends_where_the_user_says(tmp_path, monkeypatch):
    """A repository above a folder of GIT_CEILING_DIRECTORIES is none."""
    folder = repository(tmp_path / "r")
    commit(folder, files={"sub/plan.md": "1"})
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder))
    assert history.locate(folder / "sub" / "plan.md") is None


DAY = 86_400
FIRST = 1767225600  # 2026-01-01


def on(day):
    """The committer's time of a day in January 2026."""
    return {"GIT_COMMITTER_DATE": f"{FIRST + (day - 1) * DAY} +0000"}


def told(db):
    """What happened to each task: (title, op, day, checked)."""
    rows = query(
        db,
        "SELECT t.title, e.op, substr(e.occurred_at, 9, 2), e.checked FROM task_events e "
        "JOIN tasks t ON t.id = e.task_id ORDER BY e.occurred_at, e.event_id",
    )
    return [(title, op, int(day), checked) for title, op, day, checked in rows]


def a_list(*tasks):
    """A task list of `x A` for one that is checked, ` F` for one that is not."""
    return {"plan.md": "".join(f"- [{task[0]}] {task[1:].strip()}\n" for task in tasks)}


def a_backlog(*tasks):
    """The same as a Backlog.md folder."""
    return {
        f"backlog/tasks/{task[1:].strip()}.md": f"---\nid: {task[1:].strip()}\ntitle: {task[1:].strip()}\n"
        f"status: {'Done' if task[0] == 'x' else 'To Do'}\n---\n"
        for task in tasks
    }


@pytest.mark.parametrize(("path", "files"), [("plan.md", a_list), ("backlog", a_backlog)])
def test_a_branch_that_was_read_and_then_merged(tmp_path, path, files):
    """What main did beside the branch happened at the merge: nothing is reopened, gone or back."""
    folder, db = repository(tmp_path / "r"), v2_1_database(tmp_path / "dash.db", projects=[])
    commit(folder, files=files(" A"), **on(1))
    git(folder, "checkout", "-q", "-b", "feat")
    commit(folder, files=files("xA", " F"), **on(2))
    ingest_tasks([folder / path], "Shed", db)
    before = [*told(db)]
    git(folder, "checkout", "-q", "main")
    commit(folder, files=files(" A", " B"), **on(3))
    git(folder, "merge", "-q", "--no-ff", "--no-commit", "-s", "ours", "feat")
    commit(folder, "merge", files=files("xA", " F", " B"), **on(4))
    ingest_tasks([folder / path], "Shed", db)
    assert told(db) == [*before, ("B", "insert", 4, 0)]
    commit(folder, files=files("xA", "xF", " B"), **on(5))
    ingest_tasks([folder / path], "Shed", db)
    assert told(db)[len(before) + 1 :] == [("F", "update", 5, 1)]


def test_a_branch_that_was_merged_in_name_only(tmp_path):
    """A merge that keeps nothing of the branch takes back what was read there, at its own time."""
    folder, db = repository(tmp_path / "r"), v2_1_database(tmp_path / "dash.db", projects=[])
    commit(folder, files=a_list(" A"), **on(1))
    git(folder, "checkout", "-q", "-b", "feat")
    commit(folder, files=a_list("xA", " F"), **on(2))
    ingest_tasks([folder / "plan.md"], "Shed", db)
    before = [*told(db)]
    git(folder, "checkout", "-q", "main")
    commit(folder, files=a_list(" A", " B"), **on(3))
    git(folder, "merge", "-q", "-s", "ours", "feat", "-m", "merge", env=on(4))
    ingest_tasks([folder / "plan.md"], "Shed", db)
    assert sorted(told(db)[len(before) :]) == [("A", "update", 4, 0), ("B", "insert", 4, 0), ("F", "gone", 4, None)]
    assert query(db, "SELECT title FROM tasks JOIN task_sources ON task_id = tasks.id WHERE gone_at IS NULL") == [
        ("A",),
        ("B",),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_read_between_the_end_is_the_same(tmp_path, seed):
    """Branches, merges and readings in any order: the live tasks are those of the file, and a reading more is none."""
    chance = random.Random(seed)
    folder, db = repository(tmp_path / "r"), v2_1_database(tmp_path / "dash.db", projects=[])
    tips, state = ["main"], {"main": {"t0": " "}}
    commit(folder, files=a_list(" t0"), **on(1))
    for day in range(2, 14):
        here = chance.choice(tips)
        git(folder, "checkout", "-q", here)
        what = chance.choice(["add", "check", "branch", "merge", "read"])
        if what == "branch":
            git(folder, "checkout", "-q", "-b", f"b{day}")
            tips.append(f"b{day}")
            state[f"b{day}"] = dict(state[here])
        elif what == "merge" and (other := chance.choice(tips)) != here:
            git(folder, "merge", "-q", "--no-ff", "--no-commit", "-s", "ours", other)
            state[here] = {**state[here], **{name: box for name, box in state[other].items() if box == "x"}}
        elif what == "check":
            state[here][chance.choice(list(state[here]))] = "x"
        elif what == "add":
            state[here][f"t{day}"] = " "
        else:
            ingest_tasks([folder / "plan.md"], "Shed", db)
            continue
        here = git(folder, "branch", "--show-current")
        commit(folder, files=a_list(*(f"{box}{name}" for name, box in state[here].items())), **on(day))
    ingest_tasks([folder / "plan.md"], "Shed", db)
    live = query(db, "SELECT title, checked FROM tasks JOIN task_sources ON task_id = tasks.id WHERE gone_at IS NULL")
    assert dict(live) == {name: int(box == "x") for name, box in state[git(folder, "branch", "--show-current")].items()}
    before = kept(db)
    ingest_tasks([folder / "plan.md"], "Shed", db)
    assert kept(db) == before


def test_a_time_in_the_future_is_set_back_and_counted(tmp_path):
    """No event is later than the moment in which it was recorded."""
    folder = repository(tmp_path / "r")
    commit(folder, files={"plan.md": "- [ ] a\n"}, GIT_COMMITTER_DATE="@99999999999 +0000")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    summary = ingest_tasks([folder / "plan.md"], "Shed", db)
    assert "which stand behind the one before: 1" in summary.notes[0]
    assert query(db, "SELECT count(*) FROM task_events WHERE occurred_at > recorded_at") == [(0,)]
    before = kept(db)
    ingest_tasks([folder / "plan.md"], "Shed", db)
    assert kept(db) == before


def test_a_version_that_a_clone_lacks_is_said(tmp_path):
    """Where an old file is not in the clone, its version is passed over."""
    folder = repository(tmp_path / "r")
    commit(folder, files={"plan.md": "- [ ] a\n"})
    commit(folder, files={"plan.md": "- [x] a\n"})
    blob = git(folder, "rev-parse", "HEAD~1:plan.md")
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    assert "too large: 1" in ingest_tasks([folder / "plan.md"], "Shed", db).notes[0]
    assert query(db, "SELECT checked FROM tasks") == [(1,)]


def test_a_repository_of_somebody_else_is_read_without_history(tmp_path, monkeypatch):
    """Where git refuses a repository, the file is read as it is, and the reason said."""
    folder = repository(tmp_path / "r")
    commit(folder, files={"plan.md": "- [ ] a\n"})
    (folder / "bin").mkdir()
    monkeypatch.setenv("PATH", str(folder / "bin"))
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    summary = ingest_tasks([folder / "plan.md"], "Shed", db)
    assert summary.added == 1
    assert summary.notes == (
        f"{folder / 'plan.md'}: read without its history: there is no `git` on this machine's PATH",
    )


def line(name, status, at, **more):
    """One line of a beads file."""
    made = {"id": name, "title": f"Work on {name}", "status": status, "created_at": "2026-01-01T00:00:00Z"}
    return json.dumps({**made, "updated_at": at, **more})


def test_conflict_lines_of_old_versions_are_skipped_and_counted(tmp_path):
    """A version with the marks of a merge conflict loses no other line."""
    folder = repository(tmp_path / "r")
    one, two = line("bd-1", "open", "2026-01-02T00:00:01Z"), line("bd-1", "closed", "2026-01-03T00:00:01Z")
    for text in (f"{one}\n", f"<<<<<<< HEAD\n{one}\n=======\n{two}\n>>>>>>> side\n", f"{two}\n", f"{one}\n"):
        commit(folder, files={".beads/issues.jsonl": text})
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    summary = ingest_tasks([folder / ".beads" / "issues.jsonl"], "Shed", db)
    assert any(note.endswith("skipped (merge conflicts, broken lines): 3") for note in summary.notes)
    assert any(note.endswith("not newer than what was read before, and passed over: 1") for note in summary.notes)
    assert query(db, "SELECT status, checked, external_id FROM tasks") == [("completed", 1, "bd-1")]


def test_lines_that_stay_are_parsed_once():
    """A record that two versions share is the very same object."""
    read = history.reader("beads", "issues.jsonl")
    one, two = line("bd-1", "open", "2026-01-02T00:00:01Z"), line("bd-2", "open", "2026-01-02T00:00:01Z")
    first, second = read({"": f"{one}\n".encode()}), read({"": f"{two}\n{one}\n".encode()})
    assert second.tasks[1] is first.tasks[0]


def replayed(recorded, path, folder, *limit):
    """A git repository made of a recorded history; the file in it."""
    tool = SHARED / "tools" / "replay_history.py"
    subprocess.run([sys.executable, tool, recorded, path, folder, *limit], check=True, capture_output=True)
    return folder / path


@pytest.mark.slow
@without_data
@pytest.mark.parametrize("recorded", HISTORIES, ids=lambda path: path.name)
def test_the_real_histories_of_task_lists(tmp_path, recorded):
    """At the time of each version the state is what the version says; a second reading writes nothing."""
    file = replayed(recorded, "TASKLIST.md", tmp_path / "r")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([file], "Real", db)
    live = [row[0] for row in query(db, "SELECT task_id FROM task_sources WHERE gone_at IS NULL ORDER BY ordinal")]
    conn = connect_readonly(db)
    for version in history.versions(history.locate(file), "tasklist"):
        tasks = tasklist.read_bytes(version.changes[""]).tasks
        states = [events.state_at(conn, row[0], version.committed_at) for row in query(db, "SELECT id FROM tasks")]
        there = [(state["title"], state["status"], state["checked"]) for state in states if state]
        for task in tasks:
            there.remove((task.title, task.status, int(task.checked)))
    conn.close()
    assert [query(db, "SELECT title FROM tasks WHERE id = ?", one)[0][0] for one in live] == [t.title for t in tasks]
    before = kept(db)
    ingest_tasks([file], "Real", db)
    assert kept(db) == before


@pytest.fixture(scope="module", params=[250, pytest.param(1024, marks=pytest.mark.exhaustive)])
def beads(request, tmp_path_factory):
    """The replayed repository (all 1,024 versions, or the first of them), its database, and what the ingest said."""
    folder = tmp_path_factory.mktemp("beads")
    file = replayed(BEADS, ".beads/issues.jsonl", folder / "r", "--limit", str(request.param))
    db = v2_1_database(folder / "dash.db", projects=[])
    started = time.process_time()
    summary = ingest_tasks([file], "Beads", db)
    assert summary.versions == request.param + 1
    return file, db, summary, (time.process_time() - started) / request.param


@pytest.mark.slow
@without_data
def test_a_thousand_versions_are_read_in_seconds(beads):
    """Only new lines are parsed: a version of up to a megabyte and more takes a few milliseconds."""
    _, _, summary, seconds = beads
    assert any("records of old versions that were skipped (merge conflicts" in note for note in summary.notes)
    assert seconds < 0.06


@pytest.mark.slow
@without_data
def test_the_state_at_ten_sampled_versions_is_what_they_say(beads):
    """Each record that is the newest of its id up to there is the state then, but for three kinds that are counted.

    Those whose newer record or completion was written before that time and came into the file later, and those
    that changed without a newer time.
    """
    file, db, _, _ = beads
    versions = list(history.versions(history.locate(file), "beads"))
    read, records, wanted = history.reader("beads", "issues.jsonl"), defaultdict(list), []
    sample = set(random.Random(7).sample(range(len(versions)), 10))
    newest = {}
    for place, version in enumerate(versions):
        for task in read(version.changes).tasks:
            records[task.external_id].append(task)
            newest[task.external_id] = max(newest.get(task.external_id, ""), task.updated_at)
            if place in sample and task.updated_at == newest[task.external_id]:
                wanted.append((version.committed_at, task))
    tasks = defaultdict(list)
    for external_id, task_id, image in query(db, "SELECT external_id, task_id, image FROM task_sources"):
        for name in (external_id, *json.loads(image).get("former_ids", ())):
            tasks[name].append(task_id)
    conn, listed = connect_readonly(db), []
    for at, task in wanted:
        states = [events.state_at(conn, one, at) for one in tasks[task.external_id]]
        said = (task.title, task.status, int(task.checked))
        if said not in [(one.get("title"), one.get("status"), one.get("checked")) for one in states]:
            listed.append((at, task))
    conn.close()
    unexplained = [
        task
        for at, task in listed
        if not any(
            task.updated_at < other.updated_at <= at
            or (other.completed_at or "9") <= at
            or (other.updated_at == task.updated_at and other.status != task.status)
            for other in records[task.external_id]
        )
    ]
    assert unexplained == []
    assert len(wanted) > 1_000
    assert len(listed) < len(wanted) / 100


@pytest.mark.slow
@without_data
def test_no_reopening_is_invented(beads):
    """Behind each reopening stands a record that says so, newer than the completion before it."""
    file, db, _, _ = beads
    read, said = history.reader("beads", "issues.jsonl"), defaultdict(set)
    for version in history.versions(history.locate(file), "beads"):
        for task in read(version.changes).tasks:
            if not task.checked:
                said[task.external_id].add(task.updated_at[:16])
    reopened = query(
        db,
        "SELECT json_array(external_id, image), occurred_at, was_at FROM (SELECT task_id, checked, occurred_at, "
        "lag(checked) OVER w AS was, lag(occurred_at) OVER w AS was_at FROM task_events WHERE checked IS NOT NULL "
        "WINDOW w AS (PARTITION BY task_id ORDER BY occurred_at, event_id)) JOIN task_sources USING (task_id) "
        "WHERE was = 1 AND checked = 0",
    )
    assert reopened
    assert [row for row in reopened if row[1] <= row[2]] == []
    for names, occurred_at, _ in reopened:
        name, image = json.loads(names)
        assert any(occurred_at[:16] in said[one] for one in (name, *json.loads(image).get("former_ids", ())))
