"""Files that go, return and are renamed, tasks that move between files, and tasks that a user deleted."""

import tempfile
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import commit, git, repository

from dashkit import database
from dashkit.ingest.tasks import ingest_tasks

STATE = (
    "SELECT t.id, t.title, t.status, s.source, s.gone_at FROM tasks AS t "
    "LEFT JOIN task_sources AS s ON s.task_id = t.id ORDER BY t.id"
)


def at(day):
    """A day of January 2026 in the stored form."""
    return f"2026-01-{day:02}T12:00:00.000Z"


def work(folder, day, **files):
    """Commit on a day; `TODO` is TODO.md, None takes it away."""
    for name, text in files.items():
        if text is None:
            (folder / f"{name}.md").unlink()
    kept_files = {f"{name}.md": text for name, text in files.items() if text is not None}
    return commit(folder, files=kept_files, GIT_COMMITTER_DATE=at(day))


@pytest.fixture
def shed(tmp_path):
    """A repository with two lists."""
    folder = repository(tmp_path / "shed")
    work(folder, 1, TODO="- [ ] Dig\n- [ ] Put up the roof\n", PLAN="- [ ] Rest\n- [ ] Sleep\n- [ ] Eat\n")
    return folder


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


def states(db):
    """Each task: id, title, status, source, since when it is gone."""
    return query(db, STATE)


def test_the_tasks_of_a_deleted_file_are_gone_and_kept(shed, db):
    """They are gone since the commit that deleted the file; one line says so, and only once."""
    ingest_tasks([shed], "Shed", db)
    work(shed, 3, TODO=None)
    summary = ingest_tasks([shed], "Shed", db)
    assert (summary.gone, summary.notes) == (
        2,
        (f"{shed / 'TODO.md'}: it is no longer there, and its tasks (2) are kept",),
    )
    assert [(title, gone) for _, title, _, source, gone in states(db) if source == "TODO.md"] == [
        ("Dig", at(3)),
        ("Put up the roof", at(3)),
    ]
    before = kept(db)
    assert ingest_tasks([shed], "Shed", db).notes == ()
    assert kept(db) == before


def test_a_file_that_comes_back_brings_its_tasks_back(shed, db):
    """The same rows, with what changed in between."""
    ingest_tasks([shed], "Shed", db)
    work(shed, 3, TODO=None)
    ingest_tasks([shed], "Shed", db)
    work(shed, 5, TODO="- [x] Dig\n- [ ] Put up the roof\n")
    assert ingest_tasks([shed], "Shed", db).added == 0
    assert [row[1:] for row in states(db) if row[3] == "TODO.md"] == [
        ("Dig", "completed", "TODO.md", None),
        ("Put up the roof", "pending", "TODO.md", None),
    ]


def test_a_deleted_file_is_noticed_without_git_and_by_a_reading_of_another(tmp_path, db):
    """Beside a file that is read, what was read before and is gone is seen; elsewhere nothing is concluded."""
    for name in ("here/a.md", "here/b.md", "there/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"- [ ] Work on {name}\n", "utf-8")
    ingest_tasks([tmp_path / "here/a.md", tmp_path / "here/b.md", tmp_path / "there/c.md"], "Shed", db)
    (tmp_path / "here/b.md").unlink()
    (tmp_path / "there/c.md").unlink()
    assert ingest_tasks([tmp_path / "here/a.md"], "Shed", db).gone == 1
    assert [title for _, title, _, _, gone in states(db) if gone] == ["Work on here/b.md"]


def test_a_known_file_without_boxes_is_still_read_with_its_folder(shed, db):
    """A list that was emptied no longer looks like one; its tasks are gone all the same."""
    ingest_tasks([shed], "Shed", db)
    work(shed, 3, TODO="Nothing to do.\n")
    assert ingest_tasks([shed], "Shed", db).gone == 2
    assert ingest_tasks([shed], "Shed", db).gone == 0


@pytest.mark.parametrize("read", ["docs/TODO.md", "."])
def test_a_renamed_file_keeps_its_tasks(shed, db, read):
    """Ids, history and what a user said stay, in whichever way the new file is named."""
    ingest_tasks([shed], "Shed", db)
    dig, roof = (row[0] for row in states(db) if row[3] == "TODO.md")
    database.set_task_blocked(roof, "rain", db=db)
    (shed / "docs").mkdir()
    git(shed, "mv", "TODO.md", "docs/TODO.md")
    commit(shed, files={"docs/TODO.md": "- [x] Dig\n- [ ] Put up the roof\n"}, GIT_COMMITTER_DATE=at(4))
    summary = ingest_tasks([shed / read], "Shed", db)
    assert (summary.added, summary.gone) == (0, 0)
    assert [row for row in states(db) if row[3] == "docs/TODO.md"] == [
        (dig, "Dig", "completed", "docs/TODO.md", None),
        (roof, "Put up the roof", "blocked", "docs/TODO.md", None),
    ]
    assert query(db, "SELECT occurred_at, not_before, op FROM task_events WHERE task_id = ? AND checked", dig) == [
        (at(4), at(1), "update")
    ]
    before = kept(db)
    ingest_tasks([shed / read], "Shed", db)
    assert kept(db) == before
    git(shed, "mv", "docs/TODO.md", "TODO.md")
    commit(shed, GIT_COMMITTER_DATE=at(6))
    assert ingest_tasks([shed], "Shed", db).added == 0
    assert len(states(db)) == 5


def test_tasks_that_change_files_in_one_run_stay_themselves(shed, db):
    """One goes each way, ticked before it went: the rows stay, and the tick has its time."""
    ingest_tasks([shed], "Shed", db)
    ids = {title: task for task, title, *_ in states(db)}
    work(shed, 2, TODO="- [x] Dig\n- [ ] Put up the roof\n")
    work(shed, 3, TODO="- [ ] Put up the roof\n- [ ] Rest\n- [ ] Sweep\n", PLAN="- [ ] Sleep\n- [ ] Eat\n- [x] dig\n")
    summary = ingest_tasks([shed], "Shed", db)
    assert (summary.added, summary.gone) == (1, 0)
    found = {title: (task, status, source, gone) for task, title, status, source, gone in states(db)}
    assert found["dig"] == (ids["Dig"], "completed", "PLAN.md", None)
    assert found["Rest"] == (ids["Rest"], "pending", "TODO.md", None)
    ticked = query(db, "SELECT occurred_at FROM task_events WHERE task_id = ? AND checked", ids["Dig"])
    assert ticked == [(at(2),)]
    before = kept(db)
    ingest_tasks([shed], "Shed", db)
    assert kept(db) == before


def test_an_id_that_was_renamed_with_its_folder_is_remembered(shed, db):
    """A Backlog.md folder may change its name and the prefix of its ids at once: the task and its former id stay."""
    page = "---\nid: {0}-1\ntitle: Dig\n---\n"
    commit(shed, files={"backlog/config.yml": "", "backlog/tasks/1.md": page.format("task")})
    ingest_tasks([shed], "Shed", db)
    before = [row[0] for row in states(db)]
    git(shed, "mv", "backlog", ".backlog")
    commit(shed, files={".backlog/tasks/1.md": page.format("back")})
    summary = ingest_tasks([shed], "Shed", db)
    assert (summary.added, summary.gone, [row[0] for row in states(db)]) == (0, 0, before)
    found = "SELECT external_id, source, json_extract(image, '$.former_ids') FROM task_sources WHERE external_id > ''"
    assert query(db, found) == [("BACK-1", ".backlog", '["TASK-1"]')]


def test_a_task_in_two_files_is_two(shed, db):
    """What is new in one file and still in the other was not moved."""
    ingest_tasks([shed], "Shed", db)
    work(shed, 3, PLAN="- [ ] Rest\n- [ ] Sleep\n- [ ] Dig\n")
    summary = ingest_tasks([shed], "Shed", db)
    assert (summary.added, summary.gone) == (1, 1)
    assert [title for _, title, *_ in states(db)].count("Dig") == 2


def test_a_task_that_a_user_deleted_stays_deleted(shed, db):
    """As long as its title stands in the file each reading says so and makes no row; a new title is a new task."""
    ingest_tasks([shed], "Shed", db)
    query(db, "DELETE FROM tasks WHERE title = 'Dig'")
    work(shed, 3, TODO="- [x] Dig\n- [ ] Put up the roof\n")
    said = f"{shed / 'TODO.md'}: Dig: a user deleted it here, and it stays deleted"
    for _ in range(2):
        summary = ingest_tasks([shed], "Shed", db)
        assert (summary.added, summary.gone, summary.notes) == (0, 0, (said,))
    query(db, "INSERT INTO tasks (project_id, title) VALUES (1, 'dig')")
    assert not any("deleted" in note for note in ingest_tasks([shed], "Shed", db).notes)
    assert query(db, "SELECT source FROM task_sources JOIN tasks ON id = task_id WHERE title = 'dig'") == [("TODO.md",)]
    query(db, "DELETE FROM tasks WHERE title = 'dig'")
    git(shed, "mv", "TODO.md", "TASKS.md")
    commit(shed, GIT_COMMITTER_DATE=at(4))
    assert ingest_tasks([shed], "Shed", db).added == 0
    work(shed, 5, TASKS="- [x] Dig a hole\n- [ ] Put up the roof\n")
    assert ingest_tasks([shed], "Shed", db).added == 1


def test_of_two_equal_tasks_the_deleted_one_stays_deleted(shed, db):
    """The other one is still found in the file."""
    work(shed, 2, TODO="- [ ] Dig\n- [ ] Dig\n")
    ingest_tasks([shed], "Shed", db)
    query(db, "DELETE FROM tasks WHERE id = (SELECT max(id) FROM tasks WHERE title = 'Dig')")
    summary = ingest_tasks([shed], "Shed", db)
    assert (summary.added, summary.gone) == (0, 0)
    assert query(db, "SELECT count(*) FROM tasks WHERE title = 'Dig'") == [(1,)]


@pytest.mark.parametrize("statement", ["DELETE FROM tasks", "DELETE FROM projects"])
def test_who_empties_a_project_begins_anew(shed, db, statement):
    """Where no task is left all of them come back, though the new project has the id of the old one."""
    ingest_tasks([shed], "Shed", db)
    query(db, "PRAGMA foreign_keys = ON")
    query(db, "DELETE FROM tasks")
    query(db, statement)
    assert ingest_tasks([shed], "Shed", db).added == 5
    assert {when for (when,) in query(db, "SELECT created_at FROM tasks")} == {at(1)}
    assert ingest_tasks([shed], "Shed", db).added == 0
    work(shed, 3, TODO="- [ ] Dig\n- [ ] Put up the roof\n- [ ] Sweep\n")
    assert ingest_tasks([shed], "Shed", db).added == 1


def test_a_task_that_a_person_entered_belongs_to_one_file(shed, db):
    """Where two files have its title the first one has it, and the other one has a task of its own."""
    query(db, "INSERT INTO projects (name) VALUES ('Shed')")
    query(db, "INSERT INTO tasks (project_id, title, status) VALUES (1, 'dig', 'pending')")
    work(shed, 2, TODO="- [ ] Dig\n- [ ] Sweep\n", PLAN="- [x] Dig\n- [ ] Rest\n- [ ] Eat\n")
    assert ingest_tasks([shed / "PLAN.md", shed / "TODO.md"], "Shed", db).added == 6
    assert [row[1:4] for row in states(db) if row[1].casefold() == "dig"] == [
        ("dig", "pending", "PLAN.md"),
        ("Dig", "pending", "TODO.md"),
    ]
    before = kept(db)
    assert ingest_tasks([shed / "PLAN.md", shed / "TODO.md"], "Shed", db).added == 0
    assert kept(db) == before


TITLES = st.sampled_from(["Dig a hole", "Put up the roof", "T1 Hang the door", "T2 Paint it all"])
PLACES = st.dictionaries(TITLES, st.tuples(st.sampled_from(["TODO", "PLAN", None]), st.sampled_from(" x~!")))
FOUND = (
    "SELECT t.title, t.status, t.checked, t.created_at, t.completed_at, s.source, s.gone_at FROM tasks AS t "
    "JOIN task_sources AS s ON s.task_id = t.id ORDER BY 1, 4, 6"
)
TOLD = (
    "SELECT t.title, e.op, e.occurred_at, e.not_before, e.status, e.checked FROM task_events AS e "
    "JOIN tasks AS t ON t.id = e.task_id ORDER BY 1, 3, 2, 5, 6"
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(PLACES, min_size=2, max_size=4))
def test_tasks_that_wander_are_never_doubled_in_whichever_order_files_are_read(versions):
    """A task that is in one file at a time keeps its row through every move, and the order of files changes nothing."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder, found = repository(root / "shed"), []
        databases = [v2_1_database(root / f"{number}.db", projects=["Shed"]) for number in range(2)]
        for day, places in enumerate(versions, 1):
            files = {
                file: "".join(f"- [{sign}] {title}\n" for title, (there, sign) in places.items() if there == file)
                for file in ("TODO", "PLAN")
            }
            work(folder, day, **files)
            paths = [folder / "TODO.md", folder / "PLAN.md"]
            for db in databases:
                ingest_tasks(paths, "Shed", db)
                paths.reverse()
        found = [(query(db, FOUND), query(db, TOLD)) for db in databases]
        assert found[0] == found[1]
        live = [row[0] for row in found[0][0] if row[6] is None]
        assert len(live) == len(set(live))
