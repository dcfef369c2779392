"""What rows know of earlier times and the history does not: who adds it, when, and what comes of it."""

import json
from contextlib import closing

import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from content import alter, content, folder_state
from histories import plain

import dashkit
from dashkit import connection, database, doctor, migrations, times
from dashkit.cli import main
from dashkit.ingest.tasks import ingest_tasks
from dashkit.store import backfill
from dashkit.store.backfill import Pending

CREATED, DONE, MENDED = "2025-11-03T09:00:00.000Z", "2025-11-06T09:00:00.000Z", "2025-11-05"
LATER = (
    "SELECT task_id, source, occurred_at, on_day, status, checked, title, actor, said_created_at, said_completed_at "
    "FROM task_events WHERE op = 'backfill' AND coalesce(said_created_at, said_completed_at) IS NOT NULL "
    "ORDER BY event_id"
)
ENDS = (
    "SELECT w.title, coalesce(CAST(f.finished_on AS VARCHAR), strftime(f.finished_at, '%Y-%m-%d %H:%M')) AS at, "
    "round(w.lead_time_days, 1) AS days, w.lead_time_is_estimated AS is_estimated "
    "FROM finished AS w JOIN flow AS f USING (task_id, life) ORDER BY w.title"
)


def ends(path):
    """Of each finished task the title, the finish as it is known, the days that it took, and whether by an estimate."""
    with dashkit.open(path) as d:
        return [tuple(plain(value) for value in row) for row in d.sql(ENDS).itertuples(index=False)]


def pending(path):
    """What there is to add."""
    with closing(connection.connect_readonly(path)) as conn:
        return backfill.pending(conn)


@pytest.fixture
def mended(tmp_path):
    """A migrated database in which dates were corrected since: those of one task could not be read, one was wrong."""
    tasks = [
        {"title": "a", "status": "completed", "created_at": "3 Nov", "completed_at": "6 Nov"},
        {"title": "b", "status": "completed", "created_at": CREATED, "completed_at": DONE},
        {"title": "c", "created_at": CREATED},
    ]
    path = v1_database(tmp_path / "dash.db", tasks=tasks)
    migrations.execute(path)
    assert pending(path) == Pending()
    assert ends(path) == [("b", "2025-11-06 09:00", 3.0, True)]
    return alter(
        path,
        f"UPDATE tasks SET created_at = '{CREATED}', completed_at = '{DONE}' WHERE title = 'a'",
        f"UPDATE tasks SET completed_at = '{MENDED}' WHERE title = 'b'",
    )


AFTER = [("a", "2025-11-06 09:00", 3.0, True), ("b", MENDED, 2.1, True)]


def test_a_scan_adds_what_rows_know(mended, tmp_path):
    """Corrected dates enter the history with the next reading of files: by nobody, with the texts of the row, once."""
    (tmp_path / "TODO.md").write_text("- [ ] Dig\n", encoding="utf-8")
    for _ in range(2):
        ingest_tasks([tmp_path / "TODO.md"], project_id=1, db=mended)
        source = "column:completed_at"
        assert query(mended, LATER) == [
            (1, "column:created_at", CREATED, None, "pending", 0, "a", None, CREATED, DONE),
            (1, source, DONE, None, None, 1, None, None, CREATED, DONE),
            (2, source, "2025-11-05T12:00:00.000Z", MENDED, None, 1, None, None, CREATED, MENDED),
        ]
        assert ends(mended) == AFTER


def test_a_migration_adds_what_rows_know(mended, capsys):
    """It is one change: the dry run tells it and changes no byte, execute makes it with a backup, once."""
    before = folder_state(mended.parent)
    told = migrations.migrate(mended)
    assert folder_state(mended.parent) == before
    assert "  Take over 2 completions and 1 arrival that rows know\n" in str(told)
    assert "1 change would be applied" in str(told)
    assert main(["migrate", "--execute", "--json", "--db", str(mended)]) == 0
    done = json.loads(capsys.readouterr().out)
    assert [(one["text"], one["rows"], one["sources"]) for one in done["changes"]] == [
        ("Took over 2 completions and 1 arrival that rows know", 3, {"completions": 2, "arrivals": 1})
    ]
    assert ends(mended) == AFTER
    assert not migrations.migrate(mended).changes
    assert migrations.status(mended).ready
    name = "SELECT name, backup IS NOT NULL FROM schema_migrations ORDER BY applied_at DESC, name LIMIT 1"
    assert query(mended, name) == [("what rows know of earlier times", 1)]


def test_a_roll_back_of_it_loses_nothing(mended):
    """What was made of rows is no loss: a roll back to the backup before it says so, and it can be made again."""
    before = content(mended)
    migrations.execute(mended)
    plan = migrations.plan_rollback(mended)
    assert "Nothing was written since: nothing is lost." in str(plan)
    plan.execute()
    assert content(mended) == before
    assert pending(mended) == Pending(1, 2)


def test_doctor_tells_and_status_is_green(mended):
    """Doctor notes that something is to be taken over, and how; the database is healthy, and nothing is pending."""
    found = {one.check: one for one in doctor.examine(mended).findings}["dates"]
    assert (found.state, found.found) == (
        "note",
        "rows know of earlier times than the history: 2 completions and 1 arrival",
    )
    assert f"`dashkit migrate --execute --db {mended}`" in found.remedy
    assert doctor.examine(mended).healthy
    assert migrations.status(mended).ready
    assert main(["status", "--check", "--db", str(mended)]) == 0
    migrations.execute(mended)
    assert {one.check: one.state for one in doctor.examine(mended).findings}["dates"] == "good"


def test_what_was_known_is_not_taken_back(mended):
    """Whoever asks what was known before gets the answer of then."""
    instant = times.utc_now()
    with dashkit.open(mended, as_of=instant, known_at=instant) as d:
        before = d.sql("SELECT * FROM flow ORDER BY ALL").to_dict("records")
    migrations.execute(mended)
    with dashkit.open(mended, as_of=instant, known_at=instant) as d:
        assert str(d.sql("SELECT * FROM flow ORDER BY ALL").to_dict("records")) == str(before)


def test_the_last_word_counts(mended):
    """A date that is corrected, and corrected back, is recorded each time; what is there as the last word is not."""
    claims = f"SELECT count(*) FROM ({LATER}) WHERE task_id = 2"
    for number, day in enumerate((MENDED, "2025-11-04", "2025-11-04", MENDED, "soon", MENDED), 1):
        alter(mended, f"UPDATE tasks SET completed_at = '{day}' WHERE title = 'b'")
        migrations.execute(mended)
        assert query(mended, claims) == [((1, 2, 2, 3, 3, 3)[number - 1],)]
        assert ends(mended)[1][1] == (MENDED if day == "soon" else day)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE tasks SET completed_at = '2025-11-02'", "before the task was created"),
        ("UPDATE tasks SET completed_at = '2999-01-01'", "in the future"),
        ("UPDATE tasks SET completed_at = NULL, created_at = NULL", "nothing"),
        ("UPDATE tasks SET completed_at = 'soon', created_at = 'soon'", "no date"),
        ("UPDATE tasks SET created_at = '2025-11-03T12:00:00Z'", "a later creation"),
        ("UPDATE tasks SET created_at = '2025-11-03'", "the same day"),
        ("UPDATE tasks SET created_at = '2025-11-03T08:59:30Z'", "half a minute"),
        ("UPDATE tasks SET completed_at = '2025-11-06T10:00:00+0100'", "the same instant in other words"),
    ],
)
def test_what_says_nothing_new_is_not_added(tmp_path, statement, why):
    """Only what can be true, and is another finish or an earlier arrival, is owed to the history."""
    row = {"status": "completed", "created_at": CREATED, "completed_at": DONE}
    path = v1_database(tmp_path / "dash.db", tasks=[row])
    migrations.execute(path)
    alter(path, statement)
    assert pending(path) == Pending(), why


def test_what_a_source_dated_has_no_other_arrival(tmp_path):
    """A file that git knows says when a task came; its row may say anything."""
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"created_at": DONE}])
    alter(path, f"UPDATE task_events SET source = 'git:1', occurred_at = '{DONE}'")
    alter(path, f"UPDATE tasks SET created_at = '{CREATED}'")
    assert pending(path) == Pending()
    alter(path, "UPDATE task_events SET source = 'trigger'")
    assert pending(path) == Pending(1, 0)


def test_a_server_that_needs_two_statements(tmp_path):
    """A server ticks the box, and says afterwards when it was done: the next scan knows the day."""
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"created_at": CREATED}])
    alter(path, "UPDATE tasks SET checked = 1", f"UPDATE tasks SET completed_at = '{MENDED}'")
    assert pending(path) == Pending(0, 1)
    with connection.using(path, write=True) as conn:
        assert backfill.add(conn, times.to_text(times.utc_now())) == Pending(0, 1)
        assert backfill.add(conn, times.to_text(times.utc_now())) == Pending()
    assert ends(path) == [("A task", MENDED, 2.1, True)]


def test_after_a_reopening_the_old_date_is_not_true(tmp_path):
    """A completed_at from before the task was reopened does not date its next finish."""
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"created_at": CREATED, "checked": 1, "completed_at": DONE}])
    alter(path, "UPDATE tasks SET checked = 0", "UPDATE tasks SET checked = 1")
    assert pending(path) == Pending()


@pytest.mark.parametrize("make", [v1_database, v2_database])
def test_where_there_is_no_history_nothing_is_owed(tmp_path, make):
    """A database before version 2.1 has nothing to add to."""
    path = make(tmp_path / "dash.db", tasks=[{"created_at": CREATED, "completed_at": DONE}])
    assert pending(path) == Pending()


def test_a_restored_table_keeps_its_dates(tmp_path):
    """What no trigger saw is found by the next scan, which keeps what the rows say: completions stand on their days."""
    path = v2_1_database(tmp_path / "dash.db")
    alter(path, "UPDATE event_context SET suspended = 1")
    insert(path, "tasks", project_id=1, title="a", checked=1, created_at=CREATED, completed_at=DONE)
    insert(path, "tasks", project_id=1, title="b", created_at=CREATED)
    alter(path, "UPDATE event_context SET suspended = 0")
    with dashkit.open(path) as d:
        before = d.sql("SELECT task_id, arrived_at, finished_at FROM flow ORDER BY ALL").to_dict("records")
    (tmp_path / "TODO.md").write_text("- [ ] Dig\n", encoding="utf-8")
    ingest_tasks([tmp_path / "TODO.md"], "Other", db=path)
    said = "SELECT op, said_created_at, said_completed_at FROM task_events WHERE source = 'reconcile' ORDER BY task_id"
    assert query(path, said) == [("reconcile", CREATED, DONE), ("reconcile", CREATED, None)]
    assert ends(path) == [("a", "2025-11-06 09:00", 3.0, True)]
    with dashkit.open(path) as d:
        found = d.sql("SELECT task_id, arrived_at, finished_at FROM flow WHERE task_id < 3 ORDER BY ALL")
        assert str(found.to_dict("records")) == str(before)


@pytest.mark.parametrize("by_command", [True, False])
def test_what_is_checked_after_the_migration_counts_on_its_day(tmp_path, by_command):
    """As the guide says: tasks that were done in another word, checked afterwards, count on the days of their rows."""
    days = ["2025-11-04", "2025-11-05", "2025-11-05"]
    tasks = [
        {"title": f"T{number}", "status": "done", "created_at": CREATED, "completed_at": f"{day}T09:00:00Z"}
        for number, day in enumerate(days, 1)
    ]
    path = v1_database(tmp_path / "dash.db", tasks=tasks)
    migrations.execute(path)
    assert ends(path) == []
    for number in range(1, len(days) + 1):
        if by_command:
            assert main(["task", str(number), "--check", "--db", str(path)]) == 0
        else:
            assert database.update_task_checked(number, True, db=path)
    with dashkit.open(path) as d:
        counted = [row for row in d.throughput(by="day").itertuples() if row.finished]
        assert [(row.period_on.date().isoformat(), row.finished, row.estimated) for row in counted] == [
            ("2025-11-04", 1, 1),
            ("2025-11-05", 2, 2),
        ]
        took = [(row.lead_time_days, row.is_estimated) for row in d.lead_times().itertuples()]
        assert took == [(1.0, True), (2.0, True), (2.0, True)]
    lately = database.get_recent_activity(9, db=path)
    assert [one["timestamp"][:10] for one in lately] == days[::-1]
    assert pending(path) == Pending()
