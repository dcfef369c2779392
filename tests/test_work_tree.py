"""What a work tree says beside its commits, and a person beside both: nobody's word is taken for another's."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest
from builders import query, v2_1_database
from content import kept
from repositories import commit, git, remove, repository

import dashkit
from dashkit import doctor
from dashkit.errors import RefusedError, UsageError
from dashkit.ingest.tasks import ingest_tasks

TOLD = (
    "SELECT e.op, e.status, e.checked, substr(e.source, 1, 4) FROM task_events AS e "
    "JOIN tasks AS t ON t.id = e.task_id WHERE t.title = ? ORDER BY e.occurred_at, e.event_id"
)
ROWS = "SELECT title, status, checked FROM tasks ORDER BY title"


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 with two projects."""
    return v2_1_database(tmp_path / "dash.db", projects=["Shed", "House"])


@pytest.fixture
def plan(tmp_path):
    """A repository whose one commit has two open tasks."""
    folder = repository(tmp_path / "shed")
    save(folder, 1, "- [ ] Dig\n- [ ] Roof\n")
    return folder / "plan.md"


def save(folder, number, text):
    """Commit a version of plan.md on a day of January 2026."""
    commit(folder, files={"plan.md": text}, GIT_COMMITTER_DATE=f"2026-01-{number:02}T12:00:00Z")


def read(plan, db, text=None):
    """Read the file, with this text in the work tree."""
    if text is not None:
        plan.write_text(text)
    return ingest_tasks([plan], "Shed", db)


def test_a_tick_that_is_not_committed_yet_is_not_taken_back_by_another_commit(plan, db):
    """The commit has the box as the one before had it: that is no news. When it is committed, that is none either."""
    read(plan, db, "- [x] Dig\n- [ ] Roof\n")
    done = query(db, "SELECT completed_at FROM tasks WHERE title = 'Dig'")
    save(plan.parent, 2, "- [ ] Dig\n- [ ] Roof\n- [ ] Paint\n")
    read(plan, db, "- [x] Dig\n- [ ] Roof\n- [ ] Paint\n")
    save(plan.parent, 3, "- [x] Dig\n- [ ] Roof\n- [ ] Paint\n")
    read(plan, db)
    assert query(db, TOLD, "Dig") == [("baseline", "pending", 0, "git:"), ("update", "completed", 1, "file")]
    assert query(db, "SELECT completed_at FROM tasks WHERE title = 'Dig'") == done
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Paint", "pending", 0), ("Roof", "pending", 0)]
    before = kept(db)
    read(plan, db)
    assert kept(db) == before


def test_a_tick_that_is_taken_back_in_the_work_tree_is_open(plan, db):
    """The work tree has the last word on what it says, and a commit that changes the box has one."""
    read(plan, db, "- [x] Dig\n- [x] Roof\n")
    save(plan.parent, 2, "- [x] Dig\n- [ ] Roof\n")
    read(plan, db, "- [ ] Dig\n- [ ] Roof\n")
    assert query(db, ROWS) == [("Dig", "pending", 0), ("Roof", "pending", 0)]
    save(plan.parent, 3, "- [ ] Dig\n- [x] Roof\n")
    read(plan, db)
    assert query(db, ROWS) == [("Dig", "pending", 0), ("Roof", "completed", 1)]


def test_a_line_that_is_not_committed_yet_does_not_vanish_with_another_commit(plan, db):
    """A new task stays, and one that was removed in the work tree stays away; when that is committed, all is said."""
    read(plan, db, "- [ ] Dig\n- [ ] Paint\n")
    save(plan.parent, 2, "- [ ] Dig\n- [ ] Roof\n- [ ] Door\n")
    text = "- [ ] Dig\n- [ ] Paint\n- [ ] Door\n"
    read(plan, db, text)
    save(plan.parent, 3, text)
    read(plan, db)
    moves = (
        "SELECT t.title, e.op FROM task_events e JOIN tasks t ON t.id = e.task_id WHERE e.op IN ('gone', 'back') "
        "ORDER BY e.event_id"
    )
    assert query(db, moves) == [("Roof", "gone")]
    assert [title for title, *_ in query(db, ROWS)] == ["Dig", "Door", "Paint", "Roof"]
    save(plan.parent, 4, f"{text}- [ ] Roof\n")
    read(plan, db)
    assert query(db, moves) == [("Roof", "gone"), ("Roof", "back")]


def test_a_branch_that_is_merged_takes_nothing_back(plan, db):
    """What a branch had done before it was read stays done: what its trunk did beside it says nothing of that."""
    folder = plan.parent
    git(folder, "checkout", "-q", "-b", "side")
    save(folder, 2, "- [x] Dig\n- [ ] Roof\n- [ ] Door\n")
    read(plan, db)
    git(folder, "checkout", "-q", "main")
    save(folder, 3, "- [ ] Dig\n- [ ] Roof\n- [ ] Paint\n")
    git(folder, "merge", "-q", "--no-ff", "--no-commit", "-s", "ours", "side")
    save(folder, 4, "- [x] Dig\n- [ ] Roof\n- [ ] Paint\n- [ ] Door\n")
    read(plan, db)
    assert query(db, TOLD, "Dig")[-1] == ("update", "completed", 1, "git:")
    assert query(
        db, "SELECT count(*) FROM task_events WHERE op IN ('gone', 'back') OR checked = 0 AND op = 'update'"
    ) == [(0,)]
    assert [title for title, *_ in query(db, ROWS)] == ["Dig", "Door", "Paint", "Roof"]


def test_a_file_that_changes_while_another_writes_is_read_as_it_is_then(plan, db):
    """A reading waits for the database first, so that file and commits are of one moment."""
    read(plan, db)
    text = "- [x] Dig\n- [ ] Roof\n"
    with closing(sqlite3.connect(db, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        reader = threading.Thread(target=read, args=(plan, db))
        reader.start()
        time.sleep(0.3)
        save(plan.parent, 2, text)
        other.execute("COMMIT")
        reader.join()
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Roof", "pending", 0)]
    assert query(db, TOLD, "Dig") == [("baseline", "pending", 0, "git:"), ("update", "completed", 1, "git:")]


def test_a_task_that_a_user_moved_to_another_project_is_there_once(plan, db):
    """It stays where it was put, and goes on hearing what its file says."""
    read(plan, db)
    query(db, "UPDATE tasks SET project_id = 2 WHERE title = 'Dig'")
    assert read(plan, db, "- [x] Dig\n- [ ] Roof\n").added == 0
    assert query(db, "SELECT title, project_id, checked FROM tasks ORDER BY title") == [("Dig", 2, 1), ("Roof", 1, 0)]


def test_a_value_that_a_user_cleared_stays_cleared_and_is_told_each_time(plan, db):
    """Also one without a history: the file's word on it is another, and each reading says so."""
    text = "# One\n\n- [ ] Dig\n- [ ] Roof\n"
    read(plan, db, text)
    query(db, "UPDATE tasks SET phase_id = NULL, priority = 'high' WHERE title = 'Dig'")
    for number in range(2):
        told = read(plan, db, text + "- [ ] New\n" * number).notes
        mine = [note.partition("plan.md: ")[2] for note in told if "Dig" in note]
        assert mine == ["Dig: the file says otherwise of its priority and phase, and what is here stays"]
    assert query(db, "SELECT phase_id, priority FROM tasks WHERE title = 'Dig'") == [(None, "high")]


def test_a_past_that_is_not_wanted_is_said_to_be_lost(plan, db):
    """Once, when it is left out."""
    first = ingest_tasks([plan], "Shed", db, with_history=False)
    assert any("read without its past" in note for note in first.notes)
    assert not any("its past" in note for note in read(plan, db).notes)


@pytest.mark.parametrize("image", ["no json", "[]", "7"])
def test_a_damaged_image_is_refused_in_words(plan, db, image):
    """With the task, and what to do about it, which works; the doctor sees it too."""
    read(plan, db)
    query(db, "UPDATE task_sources SET image = ? WHERE task_id = 1", image)
    with pytest.raises(RefusedError, match=r"known of task 1: task_sources\.image holds .+ Delete that row") as refused:
        read(plan, db)
    assert not doctor.examine(db).healthy
    query(db, refused.value.remedy.split("`")[1])
    assert read(plan, db).added == 0


def test_a_file_without_a_name_is_refused(db):
    """An empty variable of a shell is not this folder."""
    with pytest.raises(UsageError, match="the path is empty"):
        ingest_tasks([""], "Shed", db)


def test_what_vanishes_and_comes_back_leaves_the_database_healthy(plan, db):
    """The doctor knows every operation that a reading writes."""
    for number, text in enumerate(("- [ ] Dig\n", "- [ ] Dig\n- [ ] Roof\n"), 2):
        save(plan.parent, number, text)
        read(plan, db)
    assert {op for (op,) in query(db, "SELECT op FROM task_events")} >= {"gone", "back"}
    assert doctor.examine(db).healthy


def test_a_past_that_git_cannot_read_costs_no_task(plan, db):
    """What there is now is read, and said; when the past can be read again it is, from where it broke off."""
    read(plan, db)
    folder = plan.parent
    save(folder, 2, "- [x] Dig\n- [ ] Roof\n")
    lost = git(folder, "rev-parse", "HEAD^{tree}")
    save(folder, 3, "- [x] Dig\n- [ ] Roof\n- [ ] Door\n")
    content = remove(folder, lost)
    told = read(plan, db).notes
    assert any("its past is not read to the end: " in note for note in told)
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Door", "pending", 0), ("Roof", "pending", 0)]
    (folder / ".git" / "objects" / lost[:2] / lost[2:]).write_bytes(content)
    assert not any("its past" in note for note in read(plan, db).notes)
    assert query(db, TOLD, "Dig") == [("baseline", "pending", 0, "git:"), ("update", "completed", 1, "file")]
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Door", "pending", 0), ("Roof", "pending", 0)]


def standing(db):
    """Which titles the frame of tasks counts as open, done and gone."""
    with dashkit.open(db) as d:
        found = d.sql("SELECT title, is_open, checked, gone FROM tasks ORDER BY title").to_dict("records")
    return {row["title"]: next(name for name in ("is_open", "checked", "gone") if row[name]) for row in found}


def test_a_task_that_comes_back_with_its_branch_is_back(plan, db):
    """The commit that has it is older than the reading that missed it: back stands behind gone all the same."""
    folder = plan.parent
    git(folder, "checkout", "-q", "-b", "side")
    save(folder, 2, "- [ ] Dig\n- [ ] Roof\n- [ ] Door\n")
    read(plan, db)
    git(folder, "checkout", "-q", "main")
    read(plan, db)
    assert standing(db) == {"Dig": "is_open", "Door": "gone", "Roof": "is_open"}
    git(folder, "merge", "-q", "side")
    read(plan, db)
    assert standing(db) == {"Dig": "is_open", "Door": "is_open", "Roof": "is_open"}
    before = kept(db)
    read(plan, db)
    assert kept(db) == before


@pytest.mark.parametrize("ways", [("checkout", "main"), ("reset", "--hard", "main")])
def test_another_history_is_what_its_file_says_at_once(plan, db, ways):
    """What was not committed when it was read, and then lost with its branch, is lost at the first reading."""
    folder = plan.parent
    git(folder, "checkout", "-q", "-b", "side")
    save(folder, 2, "- [ ] Dig\n- [ ] Roof\n- [ ] Door\n")
    read(plan, db)
    read(plan, db, "- [x] Dig\n- [ ] Door\n- [ ] Paint\n")
    save(folder, 3, plan.read_text())
    git(folder, ways[0], "-q", *ways[1:])
    read(plan, db)
    assert standing(db) == {"Dig": "is_open", "Door": "gone", "Paint": "gone", "Roof": "is_open"}
    before = kept(db)
    read(plan, db)
    assert kept(db) == before


@pytest.mark.parametrize("how", ["no git", "no repository", "a repository of later"])
def test_a_reading_without_git_doubles_nothing(plan, db, monkeypatch, how):
    """A file keeps its name while git cannot be asked, and when it can be again its past goes on."""
    folder, hidden = plan.parent, plan.parent.parent / "hidden"
    steps = [lambda: None, lambda: monkeypatch.setenv("PATH", str(hidden)), monkeypatch.undo]
    if how != "no git":
        steps[1:] = [lambda: (folder / ".git").rename(hidden), lambda: hidden.rename(folder / ".git")]
    for step in steps[1:] if how == "a repository of later" else steps:
        step()
        read(plan, db)
    assert len(query(db, "SELECT id FROM tasks")) == 2
    save(folder, 2, "- [x] Dig\n- [ ] Roof\n")
    read(plan, db)
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Roof", "pending", 0)]
    assert query(db, TOLD, "Dig")[-1] == ("update", "completed", 1, "git:")


def test_a_task_that_moved_and_was_pruned_between_two_readings_is_one(plan, db):
    """It went from one file, and came into and went from the other: done once."""
    folder = plan.parent
    save(folder, 2, "- [x] Dig\n- [ ] Roof\n")
    ingest_tasks([folder], "Shed", db)
    (folder / "docs").mkdir()
    git(folder, "mv", "plan.md", "docs/plan.md")
    commit(folder, GIT_COMMITTER_DATE="2026-01-03T12:00:00Z")
    commit(folder, files={"docs/plan.md": "- [ ] Roof\n"}, GIT_COMMITTER_DATE="2026-01-04T12:00:00Z")
    ingest_tasks([folder], "Shed", db)
    assert query(db, ROWS) == [("Dig", "completed", 1), ("Roof", "pending", 0)]


def test_an_id_that_a_user_gave_stays(plan, db):
    """Also where the file has another, or none; each reading says so."""
    read(plan, db, "- [ ] T9 Dig\n- [ ] Roof\n")
    query(db, "UPDATE tasks SET external_id = 'REQ/' || id")
    notes = read(plan, db, "- [ ] T9 Dig\n- [ ] Roof\n- [ ] New\n").notes
    assert sorted(name for (name,) in query(db, "SELECT external_id FROM tasks WHERE id < 3")) == ["REQ/1", "REQ/2"]
    assert sum("the file says otherwise of its id" in note for note in notes) == 2


def test_what_is_done_becomes_no_open_task_of_another_title(plan, db):
    """A done line that left for another file is not the like line that came in its place."""
    folder = plan.parent
    save(folder, 2, "- [x] Write tests for the parser\n")
    ingest_tasks([folder], "Shed", db)
    files = {"plan.md": "- [ ] Write tests for the printer\n", "todo-done.md": "- [x] Write tests for the parser\n"}
    commit(folder, files=files, GIT_COMMITTER_DATE="2026-01-03T12:00:00Z")
    ingest_tasks([folder], "Shed", db)
    assert query(db, f"{ROWS.replace('FROM tasks', 'FROM tasks WHERE title LIKE ?')}", "Write%") == [
        ("Write tests for the parser", "completed", 1), ("Write tests for the printer", "pending", 0),
    ]  # fmt: skip
    assert query(db, "SELECT count(*) FROM task_events WHERE op = 'update' AND checked = 0") == [(0,)]


def test_a_list_is_not_read_as_something_else(plan, db):
    """A file that was read as one kind is refused as another that it holds nothing of, and keeps its tasks."""
    read(plan, db)
    with pytest.raises(RefusedError, match="it was read as tasklist before, and has no task of this kind"):
        ingest_tasks([plan], "Shed", db, source="beads")
    assert standing(db) == {"Dig": "is_open", "Roof": "is_open"}
