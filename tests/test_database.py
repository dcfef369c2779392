"""dashkit.database: the functions of a Dashboard, on real SQLite files."""

import inspect
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import numpy as np
import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from content import alter, content

from dashkit import database, migrations, times
from dashkit.cli import main
from dashkit.errors import OutdatedError, RefusedError, UsageError

V2_CALLS = {
    "get_blocked_tasks": lambda db: database.get_blocked_tasks(db=db),
    "get_project_progress": lambda db: database.get_project_progress(1, db=db),
    "get_task_links": lambda db: database.get_task_links(1, db=db),
    "get_recent_activity": lambda db: database.get_recent_activity(db=db),
    "update_task_checked": lambda db: database.update_task_checked(1, True, db=db),
    "set_task_blocked": lambda db: database.set_task_blocked(1, "why", db=db),
    "set_task_complexity": lambda db: database.set_task_complexity(1, "S", db=db),
    "create_task_commit_link": lambda db: database.create_task_commit_link(1, "abc", db=db),
    "create_task_session_link": lambda db: database.create_task_session_link(1, "s1", db=db),
}


def ago(days):
    """The stored form of so many days before now."""
    return times.to_text(times.utc_now() - timedelta(days=days))


def with_history(path):
    """A project with a commit and a session, as other programs record them."""
    insert(path, "git_repos", id="r1", project_id=1, path="/src/alpha")
    insert(
        path,
        "git_commits",
        sha="abc",
        repo_id="r1",
        author="Ann",
        message="Fix the door\n\nIt squeaked.",
        timestamp="2025-11-27 16:09:57",
    )
    insert(
        path,
        "llm_sessions",
        id="s1",
        project_id=1,
        summary="Repair",
        message_count=7,
        started_at="2025-11-26T10:00:00Z",
    )
    return path


@pytest.fixture
def db(tmp_path):
    """A v2 database with one project and one plain task."""
    return v2_database(tmp_path / "dash.db", tasks=[{}])


FUNCTIONS = {
    name: call for name, call in vars(database).items() if getattr(call, "__module__", "") == database.__name__
}
FUNCTIONS = {name: call for name, call in FUNCTIONS.items() if not name.startswith("_")}
# Of each parameter, values of types that it does not take.
WRONG = {
    "task_id": ("1", 1.5, None, True, [1], 2**63),
    "project_id": ("1", 1.5, True, {}, -(2**63) - 1),
    "limit": ("5", 5.5, None, True),
    "min_confidence": ("0.5", None, False, float("nan")),
    "confidence": ("0.5", None, True),
    "checked": ("false", None, 1.0, []),
    "reason": (5, True, ["keys"]),
    "size": (3, ["S"]),
    "sha": (7, None, b"abc"),
    "session_id": (7, None),
    "link_type": (None, 1),
    "evidence": (5, ["a"]),
    "db": (5, ["dash.db"], object()),
}


def calls():
    """Each parameter of each function with each value that it does not take, and what else a call needs."""
    needed = {"task_id": 1, "project_id": 1, "checked": True, "reason": "why", "size": "S", "sha": "abc"}
    needed |= {"session_id": "s1"}
    for name, call in FUNCTIONS.items():
        takes = inspect.signature(call).parameters
        for wrong in takes:
            for value in WRONG[wrong]:
                given = {word: needed[word] for word in takes if word in needed} | {wrong: value}
                yield pytest.param(call, wrong, given, id=f"{name}-{wrong}-{value!r:.20}")


@pytest.mark.parametrize(("call", "wrong", "given"), list(calls()))
def test_a_value_of_another_type_is_refused_in_a_sentence(db, call, wrong, given):
    """Every parameter of every function says what it takes, and nothing is read or written."""
    before = content(with_history(db))
    with pytest.raises(UsageError, match=rf"^Cannot .* with {wrong}=.*\. Give .*: .*\.$"):
        call(**{"db": db} | given)
    assert content(db) == before


# Which databases


@pytest.mark.parametrize("name", V2_CALLS)
def test_v1_is_told_what_to_run(tmp_path, name):
    """On a v1 database each function of 2.0 names the two commands that migrate it."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    with pytest.raises(OutdatedError, match=r"dash\.db.*`dashkit migrate` .*`dashkit migrate --execute`"):
        V2_CALLS[name](path)


@pytest.mark.parametrize("name", [*V2_CALLS, "get_task_stats"])
def test_other_database_is_refused(tmp_path, name):
    """A SQLite file without projects and tasks is no Dashboard for any function."""
    path = tmp_path / "other.db"
    query(path, "CREATE TABLE notes (id INTEGER PRIMARY KEY)")
    with pytest.raises(RefusedError, match=r"it is no Dashboard: it lacks projects, tasks\. Name") as caught:
        (V2_CALLS | {"get_task_stats": database.get_task_stats})[name](path)
    assert not isinstance(caught.value, OutdatedError)


def test_half_migrated_says_what_is_missing(db):
    """A database that lost a column is outdated, and the message names the column."""
    query(db, "ALTER TABLE tasks DROP COLUMN blocked_reason")
    with pytest.raises(OutdatedError, match=r"lacks tasks\.blocked_reason\. Run"):
        database.get_blocked_tasks(db=db)


@pytest.mark.parametrize("name", V2_CALLS)
def test_callers_connection_is_left_as_it_is(db, name):
    """A caller's connection, whatever its factories, is neither committed nor closed nor changed."""
    with_history(db)
    with closing(sqlite3.connect(db)) as conn:
        conn.row_factory = lambda _cursor, _row: None
        conn.text_factory = str
        conn.execute("UPDATE projects SET name = 'Renamed'")
        before = (conn.row_factory, conn.text_factory, conn.isolation_level)
        V2_CALLS[name](conn)
        assert conn.in_transaction
        assert (conn.row_factory, conn.text_factory, conn.isolation_level) == before
        conn.rollback()
    assert query(db, "SELECT name FROM projects") == [("Alpha",)]
    assert query(db, "SELECT checked, status, complexity FROM tasks") == [(0, "pending", None)]
    assert query(db, "SELECT count(*) FROM task_commit_links") == [(0,)]


def test_callers_autocommit_connection(db):
    """On a connection in autocommit a write is there at once, for others too."""
    with closing(sqlite3.connect(db, isolation_level=None)) as conn:
        assert database.update_task_checked(1, True, db=conn)
        assert query(db, "SELECT checked FROM tasks") == [(1,)]


def test_callers_converters_do_not_matter(tmp_path):
    """A connection that converts declared types reads the same as any other."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"status": "blocked", "updated_at": "2025-01-01"}])
    query(path, "ALTER TABLE tasks DROP COLUMN created_at")
    query(path, "ALTER TABLE tasks ADD COLUMN created_at TIMESTAMP")
    query(path, "UPDATE tasks SET created_at = updated_at")
    with closing(sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)) as conn:
        assert database.get_blocked_tasks(db=conn)[0]["basis"] == "not_before"


def test_temporary_table_does_not_shadow(db):
    """A temporary table named tasks on the caller's connection is neither read nor written."""
    with closing(sqlite3.connect(db)) as conn:
        conn.execute("CREATE TEMP TABLE tasks AS SELECT * FROM main.tasks")
        conn.execute("DELETE FROM temp.tasks")
        assert database.get_task_stats(conn)["total"] == 1
        assert database.update_task_checked(1, True, db=conn)


def test_adopted_database_with_the_least_columns(tmp_path):
    """Without all but the required columns, in any case, a migrated database still works."""
    path = tmp_path / "dash.db"
    v2_database(path, projects=())
    for table in ("task_dependencies", "phases", "tasks", "projects"):
        query(path, f"DROP TABLE {table}")
    query(path, "CREATE TABLE Projects (ID INTEGER PRIMARY KEY, NAME TEXT)")
    query(
        path,
        "CREATE TABLE TASKS (Id INTEGER PRIMARY KEY, Project_Id, TITLE, Status, Checked, Blocked_Reason,"
        " Complexity, Updated_At)",
    )
    query(path, "INSERT INTO projects VALUES (1, 'Alpha')")
    query(path, "INSERT INTO tasks (project_id, title, status) VALUES (1, 'A', 'blocked'), (1, 'B', NULL)")
    assert [task["days_blocked"] for task in database.get_blocked_tasks(db=path)] == [None]
    assert database.get_task_stats(path)["by_priority"] == {"none": 2}
    assert database.get_project_progress(1, db=path)["tasks_by_status"] == {"blocked": 1, "none": 1}
    assert database.update_task_checked(1, True, db=path)
    assert database.get_recent_activity(db=path) == []
    assert query(path, "SELECT checked, updated_at IS NULL FROM tasks WHERE id = 1") == [(1, 0)]


def test_broken_text_is_still_text(tmp_path):
    """Text that is no UTF-8, and a blob for a title, come as text with replacement characters."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"status": "blocked", "title": b"caf\xe9"}])
    query(path, "UPDATE tasks SET blocked_reason = CAST(x'ff41' AS TEXT)")
    (task,) = database.get_blocked_tasks(db=path)
    assert (task["title"], task["blocked_reason"]) == ("caf\ufffd", "\ufffdA")


def test_get_connection_is_the_ordinary_kind(db):
    """get_connection enforces foreign keys, gives rows by name, and saves nothing before commit()."""
    with closing(database.get_connection(db)) as conn:
        conn.cursor().execute("INSERT INTO projects (name) VALUES (?)", ("Beta",))
        assert conn.in_transaction
        assert query(db, "SELECT count(*) FROM projects") == [(1,)]
        conn.commit()
        assert conn.execute("SELECT name FROM projects WHERE id = 2").fetchone()["name"] == "Beta"
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            conn.execute("INSERT INTO tasks (project_id, title) VALUES (99, 'x')")


def test_get_connection_makes_no_file(tmp_path):
    """get_connection refuses a database that is not there, and does not make one."""
    with pytest.raises(RefusedError, match="there is no such file"):
        database.get_connection(tmp_path / "typo.db")
    assert not (tmp_path / "typo.db").exists()


# Statistics and progress


def test_stats_of_v1(tmp_path):
    """On v1 a task is completed by its status."""
    path = v1_database(
        tmp_path / "dash.db",
        tasks=[{"status": "completed", "priority": "high"}, {}, {"status": None, "priority": None}],
    )
    assert database.get_task_stats(path) == {
        "total": 3,
        "completed": 1,
        "by_status": {"completed": 1, "none": 1, "pending": 1},
        "by_priority": {"high": 1, "none": 1, "medium": 1},
    }


def test_stats_of_v2_believe_the_checkbox(tmp_path):
    """From 2.0 on a task is completed when it is checked, whatever its status says."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"status": "completed"}, {"checked": 1}])
    assert database.get_task_stats(path)["completed"] == 1


def test_progress_counts_checked_tasks(tmp_path):
    """Progress counts checked tasks by number and by size, and leaves out what was cancelled."""
    path = v2_database(
        tmp_path / "dash.db",
        projects=("Alpha", "Beta"),
        tasks=[
            {"checked": 1, "complexity": "XL", "status": "in_progress"},
            {"checked": None, "complexity": "S"},
            {"status": "completed"},
            {"status": "cancelled", "complexity": "L"},
            {"status": "cancelled", "checked": 1},
            {"project_id": 2, "checked": 1},
        ],
    )
    assert database.get_project_progress(1, db=path) == {
        "total_tasks": 4,
        "checked_tasks": 2,
        "completion_pct": 50.0,
        "tasks_by_status": {"cancelled": 2, "completed": 1, "in_progress": 1, "pending": 1},
        "tasks_by_complexity": {"S": 1, "XL": 1, "unsized": 2},
        "size_total": 1 + 5 + 2 + 2,
        "size_checked": 5 + 2,
    }


@pytest.mark.parametrize(
    ("checked", "total", "shown"),
    [(0, 0, None), (0, 3, 0.0), (3, 3, 100.0), (1, 3, 33.3), (2999, 3000, 99.9), (1, 3000, 0.1)],
)
def test_progress_never_rounds_to_all_or_nothing(tmp_path, checked, total, shown):
    """100.0 says that all are checked and 0.0 that none is; no tasks have no percentage."""
    path = v2_database(tmp_path / "dash.db")
    query(
        path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
        " INSERT INTO tasks (project_id, title, checked) SELECT 1, 'x', i <= ?1 FROM n WHERE ?2 > 0",
        checked,
        total,
    )
    assert database.get_project_progress(1, db=path)["completion_pct"] == shown


def test_progress_of_unknown_project(db):
    """A project that is not there is no empty project."""
    with pytest.raises(UsageError, match="project 7: there is no project with this id"):
        database.get_project_progress(7, db=db)


# Blocked


def test_blocked_tasks_longest_first(tmp_path):
    """Blocked and not checked, the longest first, unknown times last, then by id."""
    old, older = ago(3.04), ago(40)
    path = v2_database(
        tmp_path / "dash.db",
        projects=("Alpha", "Beta"),
        tasks=[
            {"status": "blocked", "created_at": older, "updated_at": ago(1)},
            {"status": "blocked", "created_at": old, "updated_at": old, "blocked_reason": "keys"},
            {"status": "blocked", "created_at": older, "updated_at": older, "checked": 0, "project_id": 2},
            {"status": "blocked", "created_at": older, "updated_at": older, "checked": 1},
            {"status": "blocked", "created_at": "soon", "updated_at": "soon", "checked": None},
            {"status": "pending", "created_at": older, "updated_at": older},
        ],
    )
    found = database.get_blocked_tasks(db=path)
    assert [(task["id"], task["days_blocked"], task["basis"]) for task in found] == [
        (3, 40.0, "not_before"),
        (2, 3.0, "not_before"),
        (1, None, None),
        (5, None, None),
    ]
    assert found[1] == {
        "id": 2,
        "title": "A task",
        "blocked_reason": "keys",
        "days_blocked": 3.0,
        "basis": "not_before",
        "project_id": 1,
        "project_name": "Alpha",
    }
    assert [task["id"] for task in database.get_blocked_tasks(2, db=path)] == [3]


def test_a_fresh_block_is_not_told_as_old(tmp_path):
    """A block set now on a task of last year has no known length, since nothing recorded its begin."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"created_at": ago(365), "updated_at": ago(365)}])
    query(path, "UPDATE tasks SET updated_at = created_at")
    assert database.set_task_blocked(1, "  no keys ", db=path)
    (task,) = database.get_blocked_tasks(db=path)
    assert (task["blocked_reason"], task["days_blocked"], task["basis"]) == ("no keys", None, None)


def test_a_clock_behind_makes_no_negative_days(tmp_path):
    """A task made in the future is blocked for zero days."""
    path = v2_database(
        tmp_path / "dash.db",
        tasks=[{"status": "blocked", "created_at": "2999-01-01 00:00:00", "updated_at": "2999-01-01 00:00:00"}],
    )
    assert database.get_blocked_tasks(db=path)[0]["days_blocked"] == 0.0


# A person's word


def test_check_and_uncheck(db):
    """Checking sets completed_at and leaves the status; unchecking clears it; both set updated_at."""
    assert database.update_task_checked(1, True, db=db) is True
    ((checked, completed, updated, status),) = query(db, "SELECT checked, completed_at, updated_at, status FROM tasks")
    assert (checked, status) == (1, "pending")
    assert completed == updated
    assert completed == times.to_text(times.parse(completed))
    assert database.update_task_checked(1, False, db=db) is True
    assert query(db, "SELECT checked, completed_at FROM tasks") == [(0, None)]


def test_check_keeps_the_time_it_was_completed(tmp_path):
    """A completed_at that is there is never overwritten by checking."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"completed_at": "2025-01-02 03:04:05"}])
    database.update_task_checked(1, True, db=path)
    assert query(path, "SELECT completed_at FROM tasks") == [("2025-01-02 03:04:05",)]


@pytest.mark.parametrize(
    ("reopened", "is_anew"),
    [("checked = 0", True), ("status = 'pending'", True), ("status = 'completed'", False), ("title = 'other'", False)],
)
def test_a_completion_from_before_a_reopening_is_set_anew(tmp_path, reopened, is_anew):
    """A completed_at is kept unless the history saw the task leave done after it: then it was of an earlier finish."""
    row = {"status": "completed", "completed_at": "2025-01-02 03:04:05", "checked": int(reopened == "checked = 0")}
    path = v2_1_database(tmp_path / "dash.db", tasks=[row])
    alter(path, f"UPDATE tasks SET {reopened}")
    assert database.update_task_checked(1, True, db=path)
    ((completed, updated),) = query(path, "SELECT completed_at, updated_at FROM tasks")
    assert completed == (updated if is_anew else "2025-01-02 03:04:05")
    assert database.update_task_checked(1, True, db=path)
    assert query(path, "SELECT completed_at FROM tasks") == [(completed,)]


def test_a_reopening_on_the_day_of_a_date_is_not_after_it(tmp_path):
    """A date is the whole of its day: a task that was reopened on that day may have been completed again on it.

    Not where the row said that date before: then it is of the earlier finish.
    """
    for before, stays in (("2025-01-01", True), ("2025-01-02", False)):
        path = v2_1_database(tmp_path / f"{before}.db", tasks=[{"completed_at": before, "checked": 1}])
        alter(path, "UPDATE tasks SET checked = 0, completed_at = '2025-01-02'")
        alter(path, "UPDATE task_events SET occurred_at = '2025-01-02T15:00:00.000Z'")
        database.update_task_checked(1, True, db=path)
        assert (query(path, "SELECT completed_at FROM tasks") == [("2025-01-02",)]) == stays


@pytest.mark.parametrize("value", ["false", "0", "", None, 2, -1, [], b"1", float("nan")])
def test_what_is_no_truth_value_is_refused(db, value):
    """A word would be true, so that 'false' checked the task; what is none of True, False, 1 and 0 changes nothing."""
    with pytest.raises(UsageError, match=r"Cannot check .*\. Give True or False"):
        database.update_task_checked(1, value, db=db)
    assert query(db, "SELECT checked FROM tasks") == [(0,)]


@pytest.mark.parametrize(("value", "after"), [(True, 1), (1, 1), (np.True_, 1), (np.int64(0), 0), (0, 0), (False, 0)])
def test_numbers_and_numpy_are_truth_values(db, value, after):
    """1 and 0 are what the column holds, and numpy's are what a frame gives."""
    assert database.update_task_checked(1, value, db=db)
    assert query(db, "SELECT checked FROM tasks") == [(after,)]


@pytest.mark.parametrize("name", ["update_task_checked", "set_task_blocked", "set_task_complexity"])
def test_unknown_task_is_false(db, name):
    """Each function that writes a task says False where there is none."""
    value = {"update_task_checked": True, "set_task_blocked": "why", "set_task_complexity": "S"}[name]
    assert getattr(database, name)(99, value, db=db) is False
    assert getattr(database, name)(1, value, db=db) is True
    assert query(db, "SELECT updated_at IS NOT NULL FROM tasks") == [(1,)]


@pytest.mark.parametrize(
    ("status", "after"), [("blocked", "pending"), ("review", "review"), ("completed", "completed")]
)
def test_lifting_a_block(tmp_path, status, after):
    """Lifting a block makes a blocked task pending, touches no other status, and clears the reason."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"status": status, "blocked_reason": "keys"}])
    assert database.set_task_blocked(1, None, db=path)
    assert query(path, "SELECT status, blocked_reason FROM tasks") == [(after, None)]


@pytest.mark.parametrize("reason", ["", " \t\n"])
def test_blank_reason_is_refused(db, reason):
    """A block has a reason; an empty one is not taken for lifting it."""
    with pytest.raises(UsageError, match="Cannot block task 1: the reason is blank"):
        database.set_task_blocked(1, reason, db=db)
    assert query(db, "SELECT status FROM tasks") == [("pending",)]


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("x" * 2001, r"it is longer than 2,000 characters: it has 2,001"),
        ("no\x00keys", r"it holds a control character, \\x00"),
        ("no \x1b[31mkeys", r"it holds a control character, \\x1b"),
        ("no \x9b31mkeys", r"it holds a control character, \\x9b"),
        ("no \u202eskey", r"it holds a character that turns the direction of writing, \\u202e"),
        ("no \u2066keys", r"it holds a character that turns the direction of writing, \\u2066"),
        ("no \udcff keys", r"it holds half of a character"),
        ("\u200b\ufeff", r"the reason is blank"),
        (5, r"it is a whole number\. Give a text or None: what it waits for, in at most 2,000"),
        (b"keys", r"it is a bytes\. Give a text or None"),
    ],
)
def test_a_reason_that_is_not_kept(db, reason, why):
    """A text that is too long, hides something or acts on a terminal blocks nothing, by the command line neither."""
    with pytest.raises(UsageError, match=rf"^Cannot block .*{why}"):
        database.set_task_blocked(1, reason, db=db)
    if isinstance(reason, str):
        assert main(["task", "1", "--block", reason, "--db", str(db)]) == 2
    assert query(db, "SELECT status, blocked_reason FROM tasks") == [("pending", None)]


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("x" * 2000, "x" * 2000),
        (f"  {'y' * 2000}\n", "y" * 2000),
        ("first\r\nsecond\rthird\tend", "first\nsecond\nthird\tend"),
        ("warten auf Schlüssel 🔑👩\u200d🔧 \u05e9\u200f", "warten auf Schlüssel 🔑👩\u200d🔧 \u05e9\u200f"),
        ("a\u2028b", "a\nb"),
    ],
)
def test_a_reason_is_kept_as_it_is_written(db, reason, kept):
    """What any script needs stays; blanks around it go, and a line break is one whoever wrote it."""
    assert database.set_task_blocked(1, reason, db=db)
    assert query(db, "SELECT status, blocked_reason FROM tasks") == [("blocked", kept)]


def test_size_is_of_the_four(db):
    """A size is S, M, L or XL, or none; anything else is refused in words."""
    assert database.set_task_complexity(1, "XL", db=db)
    assert database.set_task_complexity(1, None, db=db)
    with pytest.raises(UsageError, match=r"size 'XXL': it is no size\. Use one of S, M, L, XL"):
        database.set_task_complexity(1, "XXL", db=db)


# Links


def test_links_come_surest_first_with_their_evidence(db):
    """Links are read back surest first then newest, a JSON object as a dict, other text as it is."""
    with_history(db)
    for sha, when in (("def", "2025-11-28T00:00:00Z"), ("fed", None)):
        insert(db, "git_commits", sha=sha, repo_id="r1", timestamp=when)
    database.create_task_commit_link(1, "abc", 0.6, "inferred", {"rule": "words", "words": ["dör"]}, db=db)
    database.create_task_commit_link(1, "fed", 0.6, "inferred", "[1]", db=db)
    database.create_task_commit_link(1, "def", 0.6, "inferred", "seen it", db=db)
    database.create_task_session_link(1, "s1", db=db)
    found = database.get_task_links(1, db=db)
    assert [commit["sha"] for commit in found["commits"]] == ["def", "abc", "fed"]
    assert [commit["evidence"] for commit in found["commits"]] == [
        "seen it",
        {"rule": "words", "words": ["dör"]},
        "[1]",
    ]
    assert found["commits"][1] == {
        "sha": "abc",
        "message": "Fix the door\n\nIt squeaked.",
        "author": "Ann",
        "timestamp": "2025-11-27 16:09:57",
        "confidence": 0.6,
        "link_type": "inferred",
        "evidence": {"rule": "words", "words": ["dör"]},
    }
    assert found["sessions"] == [
        {
            "id": "s1",
            "summary": "Repair",
            "message_count": 7,
            "started_at": "2025-11-26T10:00:00Z",
            "confidence": 1.0,
            "link_type": "manual",
            "evidence": None,
        }
    ]
    assert database.get_task_links(1, 0.7, db=db)["commits"] == []
    assert database.get_task_links(99, db=db) == {"commits": [], "sessions": []}


def test_links_of_one_confidence_are_newest_first_in_every_form(db):
    """The order of links reads instants as times does, git's own form too; what cannot be read comes last."""
    with_history(db)
    forms = ["2025-11-29 00:30:00 +0100", "2025-11-28T23:00:00Z", "20251128", "1764259797", "2025-W48-4", "now", None]
    for place, stored in enumerate(forms):
        insert(db, "git_commits", sha=f"c{place}", repo_id="r1", timestamp=stored)
        database.create_task_commit_link(1, f"c{place}", 0.6, "inferred", db=db)
    database.create_task_commit_link(1, "abc", 0.9, "inferred", db=db)
    shas = [commit["sha"] for commit in database.get_task_links(1, db=db)["commits"]]
    assert shas == ["abc", *(f"c{place}" for place in range(len(forms)))]


def test_linking_again_updates_the_link(db, tmp_path):
    """The same link made again is the same row with the new values, and has the same id in any database."""
    with_history(db)
    first = database.create_task_commit_link(1, "abc", 0.6, "inferred", {"rule": "words"}, db=db)
    assert database.create_task_commit_link(1, "abc", db=db) == first
    assert query(db, "SELECT id, confidence, link_type, evidence FROM task_commit_links") == [
        (first, 1.0, "manual", None)
    ]
    other = with_history(v2_database(tmp_path / "other.db", tasks=[{}]))
    assert database.create_task_commit_link(np.int64(1), "abc", db=other) == first


def test_a_foreign_link_keeps_its_id(db):
    """A link that another program made is updated under the id it has."""
    with_history(db)
    insert(db, "task_session_links", id="own", task_id=1, session_id="s1", confidence=0.1, link_type="explicit")
    assert database.create_task_session_link(1, "s1", 0.9, db=db) == "own"
    assert query(db, "SELECT id, confidence FROM task_session_links") == [("own", 0.9)]


@pytest.mark.parametrize(
    ("confidence", "why"),
    [(number, "a confidence is a number from 0 to 1") for number in (-0.1, 1.01, 2)]
    + [(float("nan"), "it is not finite"), (float("inf"), "it is not finite"), (True, "it is a bool")]
    + [("0.5", "it is a text"), (None, "a value is needed")],
)
def test_confidence_is_a_number_from_0_to_1(db, confidence, why):
    """Anything else is refused, and nothing is linked."""
    with_history(db)
    with pytest.raises(UsageError, match=why):
        database.create_task_commit_link(1, "abc", confidence, db=db)
    with pytest.raises(UsageError, match=why):
        database.get_task_links(1, confidence, db=db)
    assert query(db, "SELECT count(*) FROM task_commit_links") == [(0,)]


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ({"a": {1}}, "Cannot keep this evidence of a link: Object of type set is not JSON serializable"),
        ({"a": float("nan")}, "Cannot keep this evidence of a link: Out of range float values"),
        ({"a": "\u202e"}, "Cannot keep this evidence of a link: it holds a character that turns the direction"),
        ("x" * 10_001, "Cannot keep this evidence of a link: it is longer than 10,000 characters"),
        ("\x1b[2J", "Cannot keep this evidence of a link: it holds a control character"),
        (["a"], "it is a list. Give a mapping, a text or None"),
        (5, "it is a whole number. Give a mapping, a text or None: what it stands on: a dict that JSON can hold"),
    ],
)
def test_evidence_is_a_dict_or_a_text(db, evidence, why):
    """Evidence that JSON cannot hold, that is no object, too long or not plain is refused."""
    with_history(db)
    with pytest.raises(UsageError, match=re.escape(why)):
        database.create_task_commit_link(1, "abc", evidence=evidence, db=db)


def test_link_type_is_of_the_three(db):
    """A link is explicit, inferred or manual."""
    with_history(db)
    with pytest.raises(UsageError, match=r"'psychic': it is no type\. Use one of explicit, inferred, manual"):
        database.create_task_commit_link(1, "abc", link_type="psychic", db=db)


def test_a_missing_end_is_named_with_the_way_to_make_it(db):
    """A missing task, commit or session is an error that says which one, and how to record it."""
    with_history(db)
    with pytest.raises(RefusedError, match=r"task 99 with commit 'abc': there is no task .*INSERT INTO tasks"):
        database.create_task_commit_link(99, "abc", db=db)
    with pytest.raises(
        RefusedError, match=r"commit 'nope': the database holds no such commit.*INSERT INTO git_commits"
    ):
        database.create_task_commit_link(1, "nope", db=db)
    with pytest.raises(
        RefusedError, match=r"session 'nope': the database holds no such session.*INSERT INTO llm_sessions"
    ):
        database.create_task_session_link(1, "nope", db=db)
    with closing(sqlite3.connect(db)) as conn, pytest.raises(RefusedError, match="no such commit"):
        database.create_task_commit_link(1, "no\x1b", db=conn)


# Activity


def test_activity_is_newest_first_across_formats(db):
    """Instants of mixed forms are ordered as instants, and told in the one stored form."""
    with_history(db)
    insert(db, "projects", name="Beta")
    for title, when in (("Later", "2025-11-27T18:09:57+02:00"), ("Old", "2024-01-01"), ("Never", "now")):
        insert(db, "tasks", project_id=2, title=title, checked=1, completed_at=when)
    insert(db, "tasks", project_id=2, title="Not checked", completed_at="2026-01-01")
    insert(db, "git_commits", sha="def", repo_id="r1", message=" \n", timestamp="2025-11-27T16:09:58.5Z")
    assert [tuple(event.values()) for event in database.get_recent_activity(10, db=db)] == [
        ("commit", "def", "2025-11-27T16:09:58.500Z", "Alpha"),
        ("commit", "Fix the door", "2025-11-27T16:09:57.000Z", "Alpha"),
        ("task_completed", "Later", "2025-11-27T16:09:57.000Z", "Beta"),
        ("session", "Repair", "2025-11-26T10:00:00.000Z", "Alpha"),
        ("task_completed", "Old", "2024-01-01T12:00:00.000Z", "Beta"),
        ("task_completed", "Never", None, "Beta"),
    ]
    assert [event["title"] for event in database.get_recent_activity(2, 2, db=db)] == ["Later", "Old"]
    assert list(database.get_recent_activity(1, db=db)[0]) == ["type", "title", "timestamp", "project_name"]
    assert database.get_recent_activity(0, db=db) == []


def test_activity_reads_every_form_of_an_instant(db):
    """Forms that SQLite reads and forms that only times reads are one order, and neither pushes the other out."""
    forms = [
        ("2025-11-27 17:00 +0100", "2025-11-27T16:00:00.000Z"),
        ("2025-11-27T15:59:59.000Z", "2025-11-27T15:59:59.000Z"),
        ("20251127", "2025-11-27T12:00:00.000Z"),
        ("2025-11-27 11:00:00", "2025-11-27T11:00:00.000Z"),
        ("1764237600", "2025-11-27T10:00:00.000Z"),
        ("2025-11-27T10:00:00,000+01", "2025-11-27T09:00:00.000Z"),
    ]
    for stored, _ in forms:
        insert(db, "tasks", project_id=1, title=stored, checked=1, completed_at=stored)
    for stored in ("3. Nov 2025", ""):
        insert(db, "tasks", project_id=1, title=f"none: {stored}", checked=1, completed_at=stored)
    found = [(event["title"], event["timestamp"]) for event in database.get_recent_activity(20, db=db)]
    assert found == [*forms, ("none:", None), ("none: 3. Nov 2025", None)]
    for limit in range(9):
        shown = database.get_recent_activity(limit, db=db)
        assert [event["title"] for event in shown] == [title for title, _ in found][:limit]


def test_reading_leaves_no_function_on_the_callers_connection(db):
    """Activity and links leave no function on the caller's connection, not even in the middle of its own query."""
    insert(db, "tasks", project_id=1, title="t", checked=1, completed_at="2025-11-27 17:00 +0100")
    with closing(sqlite3.connect(db)) as conn:
        functions = "SELECT name, narg FROM pragma_function_list ORDER BY 1, 2"
        before = conn.execute(functions).fetchall()
        running = conn.execute("SELECT 1 UNION ALL SELECT 2")
        assert running.fetchone() == (1,)
        assert len(database.get_recent_activity(db=conn)) == 1
        database.get_task_links(1, db=conn)
        assert running.fetchone() == (2,)
        assert conn.execute(functions).fetchall() == before


def test_a_session_of_no_project_is_activity_too(db):
    """A session without project or summary is told by its id."""
    insert(db, "llm_sessions", id="s9", started_at="2025-01-01T00:00:00Z")
    assert database.get_recent_activity(db=db) == [
        {"type": "session", "title": "s9", "timestamp": "2025-01-01T00:00:00.000Z", "project_name": None}
    ]


def test_negative_limit_is_refused(db):
    """A limit below zero would mean no limit to SQLite, so it is refused."""
    with pytest.raises(UsageError, match="Cannot show -1 events: the limit is below zero"):
        database.get_recent_activity(-1, db=db)


def test_hostile_text_is_a_value(tmp_path):
    """Text that looks like SQL is stored and read back as it is."""
    text = "'); DROP TABLE tasks; --"
    path = v2_database(tmp_path / "dash.db", tasks=[{"title": text}])
    assert database.set_task_blocked(1, text, db=path)
    (task,) = database.get_blocked_tasks(db=path)
    assert (task["title"], task["blocked_reason"]) == (text, text)


# New databases, and what a database lacks


def test_fresh_databases(tmp_path):
    """init_database makes version 1, init_database_v2 the newest, and neither touches what is there."""
    old, new = tmp_path / "made" / "old.db", tmp_path / "new.db"
    for _ in range(2):
        database.init_database(old)
        database.init_database_v2(new)
    with closing(database.get_connection(new)) as conn:
        conn.execute("INSERT INTO projects (name) VALUES ('Alpha')")
        conn.commit()
    database.init_database_v2(new)
    assert database.get_task_stats(old)["total"] == 0
    assert database.get_project_progress(1, db=new)["completion_pct"] is None


def test_v2_status_names_what_is_pending(tmp_path):
    """check_v2_migration_status tells each change of 2.0 by name, and ready when none is pending."""
    before = database.check_v2_migration_status(v1_database(tmp_path / "old.db", tasks=[{}]))
    assert (before["ready"], len(before["pending"])) == (False, 19)
    assert not any(before[name] for name in before["pending"])
    database.init_database_v2(tmp_path / "new.db")
    after = database.check_v2_migration_status(tmp_path / "new.db")
    assert (after["ready"], after["pending"]) == (True, [])
    assert list(after) == list(before)


def test_a_migrated_database_answers_at_once(tmp_path):
    """After a real migration a block of v1 is told with the most it can be old."""
    path = v1_database(
        tmp_path / "dash.db",
        tasks=[{"status": "blocked", "created_at": ago(10)}, {"status": "completed", "created_at": None}],
    )
    migrations.execute(path)
    (task,) = database.get_blocked_tasks(db=path)
    assert (task["days_blocked"], task["basis"]) == (10.0, "not_before")
    assert database.get_project_progress(1, db=path)["completion_pct"] == 50.0


def test_a_task_that_is_gone_from_its_file_is_in_no_total(tmp_path):
    """An open task that its file no longer has is neither to do nor blocked; a done one stays done."""
    path = v2_1_database(
        tmp_path / "d.db",
        tasks=[{"title": "open"}, {"title": "gone"}, {"title": "done, gone", "checked": 1},
               {"title": "stuck, gone", "status": "blocked"}, {"title": "stuck", "status": "blocked"}],
    )  # fmt: skip
    for task in (2, 3, 4):
        insert(path, "task_sources", task_id=task, source="TODO.md", gone_at="2025-01-01T00:00:00.000Z")
    insert(path, "task_sources", task_id=1, source="TODO.md")
    told = database.get_project_progress(1, db=path)
    assert (told["total_tasks"], told["checked_tasks"], told["tasks_by_status"]["blocked"]) == (3, 1, 2)
    assert [task["title"] for task in database.get_blocked_tasks(db=path)] == ["stuck"]
