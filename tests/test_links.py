"""Linking a database: row ids, what others wrote, patterns that are none, and how little a second run reads."""

import sqlite3
from contextlib import closing

import pytest
from builders import insert, query, v1_database, v2_1_database

from dashkit import migrations
from dashkit.ingest.links import link_commits, refused_patterns
from dashkit.ingest.tasks import ingest_tasks
from dashkit.linking.bearers import Bearers
from dashkit.store import checkpoints
from dashkit.store.checkpoints import Checkpoint, Extent

LINKS = "SELECT task_id, commit_sha FROM task_commit_links ORDER BY 1, 2"
LATER = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 with a repository of project 1, without a task or a commit."""
    path = v2_1_database(tmp_path / "dash.db")
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    return path


def say(path, sha, message, at="2026-01-05T00:00:00.000Z", repo="r"):
    """Record a commit."""
    insert(path, "git_commits", sha=sha, repo_id=repo, message=message, timestamp=at, authored_at=at)
    insert(path, "git_repo_commits", repo_id=repo, sha=sha)


@pytest.fixture
def texts(monkeypatch):
    """The texts that linking reads."""
    read = []
    link = Bearers.link

    def listen(self, said):
        said = list(said)
        read.extend(each.text for each in said)
        return link(self, said)

    monkeypatch.setattr(Bearers, "link", listen)
    return read


def test_the_number_of_a_row_is_meant_only_since_it_is_there(db, tmp_path):
    """An old commit that speaks of another tracker's TASK-2 does not mean the second row; a later one may."""
    (tmp_path / "TODO.md").write_text("- [ ] Dig\n- [ ] Paint the shed\n- [ ] Saw\n")
    ingest_tasks([tmp_path / "TODO.md"], db=db, project_id=1)
    say(db, "old", "TASK-2: fix login of the web shop (Jira)", "2019-05-05T00:00:00.000Z")
    say(db, "undated", "TASK-2: text", "")
    say(db, "new", "TASK-2: the first coat", LATER)
    assert link_commits(db).added == 1
    assert query(db, LINKS) == [(2, "new")]


def test_the_number_of_a_row_does_not_depend_on_other_tasks(db, tmp_path):
    """A new task with an id of its own takes no other task's links away, and has no number beside its id."""
    file = tmp_path / "TODO.md"
    file.write_text("- [ ] Dig\n- [ ] Saw\n")
    ingest_tasks([file], db=db, project_id=1)
    say(db, "a", "TASK-1: dig", LATER)
    say(db, "b", "TASK-3 and ABC-1: text", LATER)
    link_commits(db)
    file.write_text("- [ ] Dig\n- [ ] Saw\n- [ ] ABC-1 Paint\n")
    ingest_tasks([file], db=db, project_id=1)
    done = link_commits(db)
    assert (done.added, done.gone) == (1, 0)
    assert query(db, LINKS) == [(1, "a"), (3, "b")]


@pytest.mark.parametrize("message", ["Finish task 1 of the plan", "BACK-1: text"])
def test_the_number_of_a_row_is_written_in_full(db, message):
    """TASK-1 means the row; the first task of some list, or BACK-1, does not."""
    insert(db, "tasks", project_id=1, title="Dig")
    say(db, "a", message, LATER)
    assert link_commits(db).added == 0


def test_an_id_goes_before_the_number_of_a_row(db):
    """Where a tracker has a TASK-1, it is meant from its making on, and not the first row."""
    insert(db, "tasks", project_id=1, title="Dig")
    insert(db, "tasks", project_id=1, title="Saw", external_id="TASK-1", created_at="2999-06-01T00:00:00.000Z")
    say(db, "a", "TASK-1: text", "2999-05-01T00:00:00.000Z")
    say(db, "b", "TASK-1: text", "2999-07-01T00:00:00.000Z")
    link_commits(db)
    assert query(db, LINKS) == [(1, "a"), (2, "b")]


def test_a_deleted_rows_number_is_not_its_followers(db):
    """SQLite gives the id of a deleted row again: a commit made between the two means neither."""
    insert(db, "tasks", project_id=1, title="Dig")
    query(db, "UPDATE task_events SET recorded_at = '2026-01-01T00:00:00.000Z'")
    query(db, "DELETE FROM tasks")
    insert(db, "tasks", project_id=1, title="Saw")
    query(db, "UPDATE task_events SET recorded_at = '2026-03-01T00:00:00.900Z' WHERE title = 'Saw' AND op = 'insert'")
    say(db, "a", "TASK-1: text", "2026-02-01T00:00:00.000Z")
    say(db, "b", "TASK-1: text, in the second that git knows", "2026-03-01T00:00:00.000Z")
    link_commits(db)
    assert query(db, LINKS) == [(1, "b")]


def test_the_rows_of_an_old_dashboard_had_their_numbers_all_along(tmp_path):
    """Of a row that the migration found there, the row says since when it is there."""
    path = v1_database(tmp_path / "old.db", tasks=[{"created_at": "2025-01-01 10:00:00"}])
    migrations.migrate(path).execute()
    insert(path, "git_repos", id="r", project_id=1, path="/r")
    say(path, "before", "#TASK-1", "2024-12-31T00:00:00.000Z")
    say(path, "after", "#TASK-1", "2025-01-02T00:00:00.000Z")
    link_commits(path)
    assert query(path, LINKS) == [(1, "after")]


def test_links_of_other_programs_stay(db):
    """An explicit link with another program's evidence is neither removed nor told otherwise; ours go with the text."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="X-1")
    for sha, message in (("a", "X-1: text"), ("b", "text"), ("c", "X-1")):
        say(db, sha, message)
    for sha, evidence in (("a", "said by my CI bot"), ("b", '{"rule": "ci"}')):
        insert(
            db,
            "task_commit_links",
            id=sha,
            task_id=1,
            commit_sha=sha,
            confidence=1,
            link_type="explicit",
            evidence=evidence,
        )
    done = link_commits(db)
    assert (done.added, done.gone, done.total) == (1, 0, 3)
    query(db, "UPDATE git_commits SET message = 'text' WHERE sha = 'c'")
    done = link_commits(db)
    assert (done.added, done.gone, done.total) == (0, 1, 2)
    kept = query(db, "SELECT commit_sha, evidence FROM task_commit_links ORDER BY 1")
    assert kept == [("a", "said by my CI bot"), ("b", '{"rule": "ci"}')]


def test_evidence_is_told_anew_where_it_changed(db):
    """A link whose text says something else now keeps its row and has the new evidence."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="X-1")
    say(db, "a", "fixes X-1")
    link_commits(db)
    query(db, "UPDATE git_commits SET message = 'does not fix X-1'")
    done = link_commits(db)
    assert (done.added, done.changed, done.gone, done.total) == (0, 1, 0, 1)
    assert query(db, "SELECT evidence ->> 'role' FROM task_commit_links") == [("mention",)]


def test_a_second_run_reads_only_new_commits(db, texts):
    """While names, patterns and rejections are as they were, only what was recorded since is read."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="X-1")
    for title in ("One", "Other"):
        insert(db, "tasks", project_id=1, title=title, external_id="X-2", created_at="2026-01-01")
    say(db, "a", "X-1")
    say(db, "b", "X-2")
    first = link_commits(db)
    assert (first.added, first.total, first.left_out, texts) == (1, 1, 1, ["X-1", "X-2"])
    say(db, "c", "X-1 again", "2020-01-01T00:00:00.000Z")
    query(db, "UPDATE tasks SET status = 'review', title = 'Dig deep' WHERE external_id = 'X-1'")
    texts.clear()
    second = link_commits(db)
    assert (second.added, second.total, second.left_out, texts) == (1, 2, 1, ["X-1 again"])
    texts.clear()
    third = link_commits(db)
    assert (third.added, third.total, third.left_out, texts) == (0, 2, 1, [])


CHANGES = {
    "a new task": "INSERT INTO tasks (project_id, title, external_id) VALUES (1, 'Saw', 'X-2')",
    "an id": "UPDATE tasks SET external_id = 'X-2'",
    "a pattern": "INSERT INTO settings (scope, key, value) VALUES ('', 'id_pattern', 'REQ {n} = X-{n}')",
    "a rejection": "INSERT INTO link_rejections VALUES (1, 'b', '', '2026')",
    "a link": "DELETE FROM task_commit_links",
    "a message": "UPDATE git_commits SET message = 'fix X-1 at last' WHERE sha = 'b'",
    "a commit": "DELETE FROM git_commits WHERE sha = 'b'",
    "the repository": "UPDATE git_repos SET remote_url = 'https://github.com/me/r'",
    "the mark": "UPDATE checkpoints SET value = 'broken'",
    "another mark": """UPDATE checkpoints SET value = '{"digest": 1}'""",
}


@pytest.mark.parametrize("change", CHANGES)
def test_all_is_read_again_where_it_may_mean_something_else(db, texts, change):
    """Whatever decides which links there are brings a full run, with the links that a first run would make."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="X-1")
    say(db, "a", "X-1")
    say(db, "b", "REQ 1, X-2")
    link_commits(db)
    query(db, CHANGES[change])
    texts.clear()
    link_commits(db)
    assert "X-1" in texts
    found = query(db, LINKS)
    query(db, "DELETE FROM checkpoints WHERE key GLOB 'links:*'")
    query(db, "DELETE FROM task_commit_links")
    link_commits(db)
    assert query(db, LINKS) == found


def test_a_pattern_that_is_none_is_left_out_with_a_note(db):
    """What another program stored as a pattern is named with the reason, and all else is linked."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="REQ/1")
    say(db, "a", "do REQ/1")
    insert(db, "settings", scope="1", key="id_pattern", value="{n}\nREQ/{n}\n\n(a+)+")
    insert(db, "settings", scope="", key="id_pattern", value=b"\xff\xfe")
    done = link_commits(db)
    assert (done.added, len(done.notes)) == (1, 3)
    assert done.notes[1].startswith("Cannot use '{n}' as a pattern of ids of project 1: it needs a placeholder")
    assert "Write the words around the id" in done.notes[1]
    with closing(sqlite3.connect(db)) as conn:
        assert [(one.scope, one.pattern) for one in refused_patterns(conn)][1:] == [("1", "{n}"), ("1", "(a+)+")]


def test_a_projects_own_patterns_go_before_those_of_all(db):
    """Like every setting: what is set for a project holds there alone."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="A/1")
    insert(db, "tasks", project_id=1, title="Saw", external_id="B/1")
    insert(db, "settings", scope="", key="id_pattern", value="A/{n}")
    say(db, "a", "A/1 and B/1")
    link_commits(db)
    assert query(db, LINKS) == [(1, "a")]
    insert(db, "settings", scope="1", key="id_pattern", value="B/{n}")
    link_commits(db)
    assert query(db, LINKS) == [(2, "a")]


def test_old_databases_have_no_pattern_to_refuse(tmp_path):
    """Before version 2.1 there are no settings."""
    with closing(sqlite3.connect(v1_database(tmp_path / "old.db"))) as conn:
        assert refused_patterns(conn) == []


def test_broken_text_breaks_nothing(db):
    """A message, a title and former ids that are not as we write them stop no linking."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="X-1")
    insert(db, "task_sources", task_id=1, source="s", image='{"former_ids": "X-9"}')
    query(db, "UPDATE tasks SET title = CAST(x'ff' AS TEXT)")
    say(db, "a", "text")
    query(db, "UPDATE git_commits SET message = CAST(x'ff20582d31' AS TEXT)")
    assert link_commits(db).added == 1


def test_the_branch_of_a_ref_is_not_read(db):
    """The tip of a branch that was just made is somebody else's work: only what messages say is linked."""
    insert(db, "tasks", project_id=1, title="Dig", external_id="TASK-12")
    say(db, "tip", "text")
    told = '{"refs": {"refs/heads/feature/TASK-12-slug": "tip"}}'
    query(db, "INSERT INTO checkpoints (key, value) SELECT 'git:' || id, ? FROM git_repos", told)
    say(db, "merge", "Merge branch 'feature/TASK-12-slug'")
    link_commits(db)
    assert query(db, LINKS) == [(1, "merge")]


def test_a_mark_comes_back(db):
    """What a linking left is what the next one finds."""
    left, key = Checkpoint(digest="d", read=Extent(3, 2, 1), links=5, unclear=7), checkpoints.of_links(1)
    with closing(sqlite3.connect(db)) as conn:
        assert checkpoints.load(conn, key) is None
        checkpoints.save(conn, key, left, LATER)
        assert checkpoints.load(conn, key) == left
