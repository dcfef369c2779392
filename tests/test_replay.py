"""The replay of versions, and what it leaves in a database: events, rows, conflicts."""

import tempfile
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import commit, repository

from dashkit import database
from dashkit.ingest.replay import Replay, Version
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import Task

STATE = "SELECT title, status, checked, blocked_reason FROM tasks ORDER BY title"


def day(number, hour=12):
    """A day of January 2026 in the stored form; 2.375 is the second one, at nine."""
    hour = round(number % 1 * 24) if number % 1 else hour
    return f"2026-01-{int(number):02}T{hour:02}:00:00.000Z"


def replay(*versions, last_at=None):
    """Take versions: (day, tasks)."""
    found = Replay([], last_at)
    for number, tasks in versions:
        found.take(Version(tasks, day(number), f"git:{number}"))
    return found


def told(found):
    """The changes, without what never differs."""
    return [(one.op, one.occurred_at, one.not_before, one.values) for one in found.changes]


def test_a_first_reading_is_a_baseline_and_what_comes_later_an_arrival():
    """What stood in the first version may be older; a later task arrived between two versions."""
    found = replay((1, [Task("a", "completed", True)]), (3, [Task("a", "completed", True), Task("b")]))
    assert [change[:3] for change in told(found)] == [
        ("baseline", day(1), None),
        ("insert", day(3), day(1)),
    ]


def test_a_change_lies_between_two_versions():
    """Only the columns that changed are in it, with the time of the version and of the one before."""
    found = replay((1, [Task("a")]), (2, [Task("a")]), (5, [Task("a", "blocked", blocked_reason="rain")]))
    assert told(found)[1:] == [("update", day(5), day(2), {"status": "blocked", "blocked_reason": "rain"})]


def test_a_record_with_times_of_its_own_is_dated_by_them():
    """It arrives when it was created, is completed at completed_at, and changes at updated_at."""
    made, done = day(1, 8), day(2, 9)
    first = Task("a", external_id="x", created_at=made, updated_at=made)
    last = Task("b", "completed", True, external_id="x", created_at=made, updated_at=day(3, 9), completed_at=done)
    found = replay((2, [first]), (4, [last]))
    assert told(found) == [
        ("insert", made, None, {"title": "a", "status": "pending", "checked": 0, "blocked_reason": None}),
        ("update", done, None, {"status": "completed", "checked": 1}),
        ("update", day(3, 9), day(2), {"title": "b"}),
    ]


D1, D2 = "2026-01-01", "2026-01-02"


def dated(found):
    """When each change was: its op, instant and day."""
    return [(one.op, one.occurred_at[8:16], one.on_day and one.on_day[8:]) for one in found.changes]


@pytest.mark.parametrize(("created", "updated", "completed", "expected"), [
    (D1, D1, D1, [("insert", "01T11:59", "01"), ("update", "01T12:00", "01")]),
    (D1, D2, D1, [("insert", "01T11:59", "01"), ("update", "01T12:00", "01")]),
    (D1, D2, D2, [("insert", "01T12:00", "01"), ("update", "02T09:00", "02")]),
    (D1, f"{D1}T08:00:00.000Z", None, [("insert", "01T07:59", "01"), ("update", "01T08:00", None)]),
    (D1, f"{D1}T08:00:00.000Z", f"{D1}T00:00:00.000Z", [("insert", "01T00:00", "01"), ("update", "01T00:00", None)]),
    (f"{D1}T18:00:00.000Z", D1, D1, [("insert", "01T18:00", None), ("update", "01T18:00", "01")]),
    (f"{D1}T18:00:00.000Z", D2, D2, [("insert", "01T18:00", None), ("update", "02T09:00", "02")]),
    (None, D1, D1, [("baseline", "02T09:00", None)]),
    ("2026-01-03", None, None, [("insert", "02T09:00", None), ("update", "02T09:00", None)]),
    (D1, "2026-01-03", "2026-01-03", [("insert", "01T12:00", "01"), ("update", "02T09:00", None)]),
])  # fmt: skip
def test_a_date_of_a_record_is_its_whole_day(created, updated, completed, expected):
    """Its events are within the day, behind the creation and before what follows, and not after the version."""
    task = Task("a", "completed", True, external_id="x", created_at=created, updated_at=updated, completed_at=completed)
    assert dated(replay((2.375, [task]))) == expected


def test_a_version_of_a_day_is_not_before_it():
    """Committed twice on the day that the record names: what the second one shows is of that day, behind the first."""
    first = Task("a", external_id="x", created_at=D1, updated_at=D1)
    last = Task("a", "completed", True, external_id="x", created_at=D1, updated_at=D2, completed_at=D2)
    assert dated(replay((1.9, [first]), (2.25, [first]), (2.9, [last]))) == [
        ("insert", "01T12:00", "01"),
        ("update", "02T12:00", "02"),
    ]
    assert dated(replay((1.9, [first]), (2.75, [first]), (2.9, [last]))) == [
        ("insert", "01T12:00", "01"),
        ("update", "02T18:00", "02"),
    ]


def test_a_date_of_today_is_no_older_record():
    """A day may come again, also behind an instant of that day: such a record is not passed over."""
    for one, other in ((D1, D1), (D1, f"{D1}T08:00:00.000Z"), (f"{D1}T08:00:00.001Z", D1)):
        found = replay((2, [Task("a", updated_at=one)]), (3, [Task("a", "blocked", updated_at=other)]))
        assert (len(found.changes), found.stale) == (2, set())
    found = replay((2, [Task("a", updated_at=D2)]), (3, [Task("a", "blocked", updated_at=f"{D1}T08:00:00.001Z")]))
    assert len(found.stale) == 1


def test_an_older_record_reopens_nothing():
    """A record that is not newer than the last one was written by a clone that was behind: it is counted."""
    done = Task("a", "completed", True, external_id="x", updated_at=f"{day(2)[:-5]}.001Z")
    stale = Task("a", external_id="x", updated_at=f"{day(1)[:-5]}.001Z")
    found = replay((2, [done]), (3, [stale]), (4, [done]), (5, [stale]))
    assert len(found.changes) == 1
    assert len(found.stale) == 1


def test_a_time_of_whole_minutes_may_come_again():
    """An edit in the same minute, or day, is a change, dated by the version that shows it."""
    found = replay((2, [Task("a", updated_at=day(1))]), (3, [Task("a", "blocked", updated_at=day(1))]))
    assert told(found)[-1] == ("update", day(3), day(2), {"status": "blocked"})


def test_nothing_is_younger_than_the_version_that_holds_it():
    """A record's clock that goes ahead is set back to the commit's."""
    found = replay((2, [Task("a", updated_at=day(1))]), (3, [Task("b", updated_at=day(9))]))
    assert told(found)[-1][1] == day(3)


def test_a_task_that_vanishes_and_returns_is_one():
    """Its absence is kept as long as it lasts, and an event tells each end of it."""
    found = replay((1, [Task("a"), Task("b")]), (2, [Task("b")]))
    assert [(one.title, one.gone_at) for one in found.gone] == [("a", day(2))]
    found.take(Version([Task("b"), Task("a", "completed", True)], day(3), "git:3"))
    assert [one.title for one in found.live] == ["b", "a"]
    assert not found.gone
    told = [(change.tracked.title, change.op, change.occurred_at) for change in found.changes[2:]]
    assert told == [("a", "gone", day(2)), ("a", "update", day(3)), ("a", "back", day(3))]


def test_of_two_live_tasks_one_has_the_id():
    """At most one live task has an external id, whatever a file says."""
    tasks = [Task("T1 a", external_id="T1"), Task("T1 b", external_id="T1")]
    found = replay((1, tasks), (2, tasks[::-1]), (3, [Task("T1 new", external_id="T1"), *tasks]))
    assert [one.external_id for one in found.live].count("T1") == 1
    assert next(one for one in found.live if one.external_id).title == "T1 a"


def test_dependencies_come_when_both_tasks_are_there():
    """An id that nobody has yet waits for its task."""
    needs = Task("a", external_id="A", depends_on=("B",))
    found = replay((1, [needs]), (2, [needs, Task("b", external_id="B")]), (3, [Task("a", external_id="A")]))
    assert [(edge.op, edge.tracked.title, edge.on.title, edge.occurred_at) for edge in found.edges] == [
        ("add", "a", "b", day(2)),
        ("remove", "a", "b", day(3)),
    ]


@pytest.fixture
def plan(tmp_path):
    """A repository with a file of three versions: blocked on the second day, done on the third."""
    folder = repository(tmp_path / "shed")
    write(folder, 1, "- [ ] Dig\n- [ ] Roof\n")
    write(folder, 2, "- [ ] Dig\n- [!] Roof (blocked: rain)\n")
    write(folder, 3, "- [x] Dig\n- [!] Roof (blocked: rain)\n")
    return folder / "plan.md"


def write(folder, number, text):
    """Commit a version of plan.md on a day of January 2026."""
    return commit(folder, files={"plan.md": text}, GIT_COMMITTER_DATE=day(number))


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


def test_the_past_of_a_file_becomes_its_tasks_history(plan, db):
    """Each version's change stands at its committer's time, and the row is what the last one leaves."""
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.added, summary.changed, summary.gone, summary.versions) == (2, 0, 0, 4)
    assert query(db, "SELECT title, status, checked, blocked_reason, created_at, completed_at FROM tasks") == [
        ("Dig", "completed", 1, None, day(1), day(3)),
        ("Roof", "blocked", 0, "rain", day(1), None),
    ]
    events = "SELECT op, occurred_at, not_before, status, checked, substr(source, 1, 4) FROM task_events"
    assert query(db, f"{events} ORDER BY occurred_at, event_id") == [
        ("baseline", day(1), None, "pending", 0, "git:"),
        ("baseline", day(1), None, "pending", 0, "git:"),
        ("update", day(2), day(1), "blocked", None, "git:"),
        ("update", day(3), day(2), "completed", 1, "git:"),
    ]
    assert query(db, "SELECT suspended FROM event_context") == [(0,)]


def test_reading_again_writes_nothing(plan, db):
    """A second ingest leaves the database as it is, but for its own row in runs."""
    ingest_tasks([plan], "Shed", db)
    before = kept(db)
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.added, summary.changed, summary.gone) == (0, 0, 0)
    assert kept(db) == before


def test_the_functions_know_what_the_events_know(plan, db):
    """days_blocked is a lower bound, a lifted block gives the status before, and the activity tells the changes."""
    ingest_tasks([plan], "Shed", db)
    ((blocked,),) = query(db, "SELECT julianday('now') - julianday(?)", day(2))
    found = database.get_blocked_tasks(db=db)
    assert [(task["title"], task["blocked_reason"], task["basis"]) for task in found] == [("Roof", "rain", "version")]
    assert found[0]["days_blocked"] == pytest.approx(blocked, abs=0.06)
    lately = [(event["type"], event["title"]) for event in database.get_recent_activity(db=db)]
    assert lately == [("task_completed", "Dig"), ("blocked", "Roof")]
    query(db, "UPDATE tasks SET status = 'review' WHERE title = 'Dig'")
    dig = query(db, "SELECT id FROM tasks WHERE title = 'Dig'")[0][0]
    assert database.set_task_blocked(dig, "mud", db=db)
    assert database.set_task_blocked(dig, None, db=db)
    assert query(db, "SELECT status FROM tasks WHERE id = ?", dig) == [("review",)]
    assert [event["type"] for event in database.get_recent_activity(2, db=db)] == ["status_change", "blocked"]


def test_a_block_that_was_always_there_has_no_beginning(tmp_path, db):
    """What the first reading shows as blocked may be blocked for long: no event saw it begin."""
    (tmp_path / "plan.md").write_text("- [!] Roof\n", "utf-8")
    ingest_tasks([tmp_path / "plan.md"], "Shed", db)
    assert database.get_blocked_tasks(db=db)[0]["basis"] != "event"


def test_what_is_new_since_the_last_reading_is_read(plan, db):
    """A daily reading takes the new versions alone, then the file as it lies there."""
    ingest_tasks([plan], "Shed", db)
    write(plan.parent, 4, "- [x] Dig\n- [ ] Roof\n- [ ] Door\n")
    plan.write_text("- [x] Dig\n- [x] Roof\n- [ ] Door\n", "utf-8")
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.added, summary.changed, summary.versions) == (1, 1, 2)
    assert query(db, STATE) == [
        ("Dig", "completed", 1, None),
        ("Door", "pending", 0, None),
        ("Roof", "completed", 1, None),
    ]
    assert query(db, "SELECT source FROM task_events ORDER BY event_id DESC LIMIT 1") == [("file:plan.md",)]


def test_a_task_that_vanished_is_reported_and_kept(plan, db):
    """Its row and its events stay, gone_at says since when, and it may return."""
    ingest_tasks([plan], "Shed", db)
    write(plan.parent, 4, "- [x] Dig\n")
    summary = ingest_tasks([plan], "Shed", db)
    assert (summary.gone, summary.notes) == (1, (f"{plan}: no longer in it, and kept: Roof",))
    assert query(db, "SELECT title, status, gone_at FROM tasks JOIN task_sources ON task_id = id ORDER BY 1") == [
        ("Dig", "completed", None),
        ("Roof", "blocked", day(4)),
    ]
    write(plan.parent, 5, "- [x] Dig\n- [!] Roof (blocked: rain)\n")
    ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT count(*), count(gone_at) FROM task_sources") == [(2, 0)]


def test_a_users_word_wins_until_both_agree(plan, db):
    """A column that a user changed gets no events from the file, is reported, and follows it again after both agree."""
    ingest_tasks([plan], "Shed", db)
    query(db, "UPDATE tasks SET status = 'review', title = 'The roof' WHERE title = 'Roof'")
    write(plan.parent, 4, "- [x] Dig\n- [~] Roof\n")
    summary = ingest_tasks([plan], "Shed", db)
    assert set(summary.notes) == {
        f"{plan}: Roof: the file says otherwise of its title and status, and what is here stays",
    }
    assert query(db, STATE)[1] == ("The roof", "review", 0, None)
    query(db, "UPDATE tasks SET status = 'in_progress' WHERE title = 'The roof'")
    write(plan.parent, 5, "- [x] Dig\n- [x] Roof\n")
    ingest_tasks([plan], "Shed", db)
    assert query(db, STATE)[1][1:] == ("in_progress", 1, None)
    # The file's word of the fifth is older than the user's of today, which no late event undoes.
    query(db, "UPDATE tasks SET status = 'completed' WHERE title = 'The roof'")
    plan.write_text("- [x] Dig\n- [ ] Roof\n", "utf-8")
    ingest_tasks([plan], "Shed", db)
    assert query(db, STATE)[1] == ("The roof", "pending", 0, None)


def test_a_tick_and_a_status_never_overwrite_each_other(plan, db):
    """A user's tick of today and the file's status of the fourth both hold, each in its column."""
    ingest_tasks([plan], "Shed", db)
    roof = query(db, "SELECT id FROM tasks WHERE title = 'Roof'")[0][0]
    database.update_task_checked(roof, True, db=db)
    write(plan.parent, 4, "- [x] Dig\n- [~] Roof\n")
    ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT status, checked, completed_at IS NOT NULL FROM tasks WHERE id = ?", roof) == [
        ("in_progress", 1, 1)
    ]


def test_tasks_that_are_there_are_not_doubled(plan, db):
    """Tasks of people and of an older version are recognized by their title; what they say stays."""
    query(db, "INSERT INTO projects (name) VALUES ('Shed')")
    query(db, "INSERT INTO tasks (project_id, title, status, checked) VALUES (1, 'roof', 'completed', 1)")
    query(db, "INSERT INTO tasks (project_id, title) VALUES (1, 'Other')")
    summary = ingest_tasks([plan], "Shed", db)
    assert summary.added == 1
    assert query(db, STATE) == [
        ("Dig", "completed", 1, None),
        ("Other", "pending", 0, None),
        ("roof", "completed", 1, None),
    ]
    assert query(db, "SELECT count(*) FROM task_sources") == [(2,)]
    before = kept(db)
    ingest_tasks([plan], "Shed", db)
    assert kept(db) == before


def test_without_history_only_the_present_is_read(plan, db):
    """--no-history reads the file; its past is not added later, what comes then is."""
    ingest_tasks([plan], "Shed", db, with_history=False)
    assert query(db, "SELECT count(*) FROM task_events WHERE source GLOB 'git:*'") == [(0,)]
    write(plan.parent, 4, "- [x] Dig\n- [x] Roof\n")
    assert ingest_tasks([plan], "Shed", db).changed == 1
    assert query(db, "SELECT count(*) FROM task_events WHERE source GLOB 'git:*'") == [(1,)]


def test_another_history_is_not_replayed(plan, db):
    """After a rebase or on another branch the present is read, and it is said."""
    ingest_tasks([plan], "Shed", db)
    commit(plan.parent, "Amended", {"plan.md": "- [x] Dig\n- [x] Roof\n"})
    from repositories import git

    git(plan.parent, "checkout", "-q", "--orphan", "other")
    git(plan.parent, "commit", "-q", "-m", "Another root")
    git(plan.parent, "branch", "-D", "main")
    ingest_tasks([plan], "Shed", db)
    write(plan.parent, 9, "- [x] Dig\n- [x] Roof\n- [ ] Door\n")
    assert ingest_tasks([plan], "Shed", db).added == 1
    assert query(db, "SELECT count(*) FROM tasks") == [(3,)]


def test_two_repositories_of_a_project_have_their_own_lists(tmp_path, db):
    """The same path in two repositories is two sources; a repository that moved is the same one."""
    for name in ("one", "two"):
        write(repository(tmp_path / name), 1, f"- [ ] Work on {name}\n")
    ingest_tasks([tmp_path / "one" / "plan.md", tmp_path / "two" / "plan.md"], "Shed", db)
    assert query(db, "SELECT source, count(gone_at) FROM task_sources GROUP BY 1 ORDER BY 1") == [
        ("plan.md", 0),
        ("two:plan.md", 0),
    ]
    (tmp_path / "one").rename(tmp_path / "uno")
    assert ingest_tasks([tmp_path / "uno" / "plan.md"], "Shed", db).added == 0


def test_a_row_that_its_events_do_not_explain_is_reconciled(plan, db):
    """A change that no trigger saw is noted before the file is read, so that no late event undoes it."""
    ingest_tasks([plan], "Shed", db)
    query(db, "UPDATE event_context SET suspended = 1")
    query(db, "UPDATE tasks SET complexity = 'L', status = 'review' WHERE title = 'Roof'")
    query(db, "UPDATE event_context SET suspended = 0")
    ingest_tasks([plan], "Shed", db)
    assert query(db, "SELECT status, checked, complexity, title FROM task_events WHERE op = 'reconcile'") == [
        ("review", None, "L", None)
    ]
    before = kept(db)
    ingest_tasks([plan], "Shed", db)
    assert kept(db) == before


TITLES = ("Dig a hole", "Put up the roof", "T1 Hang the door", "T2 Paint it all")
BOXES = st.sampled_from([" ", "x", "~", "!"])
FILES = st.lists(
    st.dictionaries(st.sampled_from(TITLES), BOXES).map(
        lambda boxes: "".join(f"- [{box}] {title}\n" for title, box in boxes.items())
    ),
    min_size=1,
    max_size=5,
)
SOURCES = "SELECT t.title, t.status, t.checked, t.created_at, t.completed_at, s.external_id, s.gone_at, s.ordinal "
KEYS = f"{SOURCES} FROM tasks t JOIN task_sources s ON s.task_id = t.id ORDER BY t.title, t.created_at"
HISTORY = (
    "SELECT t.title, e.op, e.occurred_at, e.status, e.checked, e.title, e.source "
    "FROM task_events e JOIN tasks t ON t.id = e.task_id ORDER BY t.title, e.occurred_at, e.event_id"
)


def read_in_runs(folder, versions, ends, db):
    """Commit versions, and ingest after each number of them in `ends`."""
    repository(folder)
    for number, text in enumerate(versions, 1):
        write(folder, number, text)
        if number in ends:
            ingest_tasks([folder / "plan.md"], "Shed", db)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(FILES, st.data())
def test_any_split_of_the_history_is_one_run(versions, data):
    """However a history is split into runs, rows and events are the same."""
    ends = data.draw(st.sets(st.integers(1, len(versions)))) | {len(versions)}
    with tempfile.TemporaryDirectory() as folder:
        root, found = Path(folder), []
        for name, stops in (("once", {len(versions)}), ("often", ends), ("again", {len(versions)})):
            db = v2_1_database(root / f"{name}.db", projects=["Shed"])
            read_in_runs(root / name, versions, stops, db)
            found.append((query(db, KEYS), [row[:-1] for row in query(db, HISTORY)]))
        assert found[0] == found[1] == found[2]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(FILES, min_size=2, max_size=3), st.randoms())
def test_the_order_of_sources_does_not_matter(histories, shuffle):
    """Several files of one project give the same tasks in whichever order they are read."""
    with tempfile.TemporaryDirectory() as folder:
        root, found = Path(folder), []
        files = [root / f"{number}" / "plan.md" for number in range(len(histories))]
        for file, versions in zip(files, histories, strict=True):
            read_in_runs(file.parent, versions, (), None)
        for name in ("ordered", "shuffled"):
            db = v2_1_database(root / f"{name}.db", projects=["Shed"])
            ingest_tasks(files, "Shed", db)
            found.append((sorted(query(db, KEYS), key=repr), sorted(query(db, HISTORY), key=repr)))
            shuffle.shuffle(files)
        assert found[0] == found[1]
