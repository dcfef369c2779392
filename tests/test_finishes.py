"""When tasks were finished, told from events in plain Python: against the oracle and the frames, whoever writes."""

import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest
from builders import v1_database, v2_1_database
from histories import IDS, NEVER, histories, imports, moderately, moment, plain, spread
from histories import database as database_of
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import COLUMNS, Oracle
from servers import DATES, DEEDS, STORIES, Servers, told

import dashkit
from dashkit import database, migrations, times
from dashkit.store import backfill, completions, finishes, lives
from dashkit.store.backfill import Pending

ENDS = ("finished_at", "finished_on", "finished_is_estimated")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database of version 2.1 with two projects and no task."""
    return v2_1_database(tmp_path_factory.mktemp("finishes") / "empty.db", projects=["One", "Two"])


def finishes_are_those_of_the_oracle(empty, made, instant):
    """The finish of each task, its day and whether it is estimated, as the functions and the oracle have it."""
    oracle = Oracle((), (), made["events"], made["dependency_events"], instant, None, "~")
    flow = {(row["task_id"], row["life"]): row for row in oracle.flow()}
    ended = Counter(e["task_id"] for e in made["events"] if e["op"] == "delete" and e["event_id"] not in oracle.kept)
    of_oracle = {task: flow.get((task, ended[task]), {"finished_at": None}) for task in IDS}
    expected = {task: tuple(row[name] for name in ENDS) for task, row in of_oracle.items() if row["finished_at"]}
    with closing(sqlite3.connect(database_of(empty, made))) as conn:
        together = finishes.of_tasks(conn, IDS, times.read(instant).at)
        apart = [finishes.of_tasks(conn, [task], times.read(instant).at) for task in IDS]
    for found in (together, {task: one for some in apart for task, one in some.items()}):
        assert {task: (one.at, one.on_day, one.is_estimated) for task, one in found.items()} == expected


@pytest.mark.slow
@settings(moderately, max_examples=150)
@given(histories(), st.integers(0, 42))
def test_finishes_are_what_the_oracle_says(empty, made, number):
    """Of any history the present finish of each life, its day and whether it is estimated are as defined."""
    finishes_are_those_of_the_oracle(empty, spread(made), moment(number))


@pytest.mark.slow
@settings(moderately, max_examples=250)
@given(imports())
def test_finishes_of_what_was_imported_again_are_what_the_oracle_says(empty, made):
    """However tasks that are alike were deleted and inserted, the same lives go on, under whichever id."""
    finishes_are_those_of_the_oracle(empty, made, NEVER)


def finished(servers, d):
    """The finish of each task that is there, in the words of the view flow."""
    found = finishes.of_tasks(servers.conn, [row["id"] for row in told(servers.conn, "tasks")], d.as_of)
    return {task: (one.at, one.on_day, one.is_estimated) for task, one in found.items()}


def agree(servers):
    """The events read by Python, the oracle, the frames and the functions say the same of every finish."""
    with dashkit.open(servers.path) as d:
        found_at = plain(d._snapshot.run("SELECT getvariable('found_at') AS t")["t"][0])
        tables = {table: told(servers.conn, table) for table in ("tasks", "task_events")}
        seen = {"as_of": times.to_text(d.as_of), "known_at": None, "found_at": found_at}
        oracle = Oracle(tables["tasks"], (), tables["task_events"], (), **seen)
        flow = list(oracle.flow())
        titles = {row["id"]: row["title"] for row in tables["tasks"]}
        last = {row["task_id"]: row for row in flow}  # in the order of their lives
        mine = finished(servers, d)
        assert mine == {
            task: tuple(row[name] for name in ENDS)
            for task, row in last.items()
            if row["finished_at"] and row["is_done"] and task in titles and is_present(oracle, row)
        }
        columns = ", ".join(("task_id", "life", *ENDS))
        of_view = [
            {name: plain(v, name) for name, v in row.items()}
            for row in d.sql(f"SELECT {columns} FROM flow").to_dict("records")
        ]
        assert sorted(map(str, of_view)) == sorted(str({name: row[name] for name in of_view[0]}) for row in flow)
        lately = d.activity(limit=99)
        known = sorted((end[0], titles[task]) for task, end in mine.items())
        assert sorted((plain(one.occurred_at), one.title) for one in lately.itertuples()) == known
        ranked = sorted(sorted(known, key=lambda one: one[1]), key=lambda one: one[0], reverse=True)
        for limit in (1, 2, 99):
            told_last = completed(servers, limit)
            assert told_last == ranked[: len(told_last)]
            assert told_last == looked_at_together(servers, limit)
        assert len(told_last) == len(known)
        days = Counter(row["finished_at"][:10] for row in flow if row["finished_at"])
        throughput = d.throughput(by="day")
        counted = throughput[throughput["finished"] > 0]
        assert dict(zip(counted["period_on"].dt.date.astype(str), counted["finished"], strict=True)) == days
        leads = sorted((row.task_id, plain(row.finished_at)) for row in d.lead_times().itertuples())
        assert leads == sorted((row["task_id"], row["finished_at"]) for row in flow if row["finished_at"])


def completed(servers, limit):
    """Time and title of the finishes that get_recent_activity tells."""
    recent = database.get_recent_activity(limit, db=servers.conn)
    return [(one["timestamp"], one["title"]) for one in recent if one["type"] == "task_completed"]


def looked_at_together(servers, limit):
    """The same where each instant counts as a mass of events, which are not gone through one by one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(completions, "_NEAR", 1)
        patched.setattr(completions, "_MANY", 0)
        patched.setattr(completions, "_ROUND", 2)
        return completed(servers, limit)


def is_present(oracle, row):
    """Whether a life is that of the row that is there now."""
    return row["life"] == max(life for task, life in oracle.lives if task == row["task_id"])


def owed(servers):
    """What every row says and its history does not know, asked of all of them."""
    found = lives.read(servers.conn, [row["id"] for row in told(servers.conn, "tasks")])
    rows = {row["id"]: row for row in told(servers.conn, "tasks")}
    each = [
        one for task, life in found
        for one in backfill.missing(life, *(rows[task][name] for name in ("created_at", "completed_at", "checked")))
    ]  # fmt: skip
    arrivals = sum(one.source == lives.CREATED_AT for one in each)
    return Pending(arrivals, len(each) - arrivals)


def tell(path, deeds):
    """Do all that, and compare before a scan and after it."""
    with Servers(path) as servers:
        for deed in deeds:
            servers.do(deed)
        assert backfill.pending(servers.conn) == owed(servers)
        agree(servers)
        servers.look()
        assert backfill.pending(servers.conn) == owed(servers) == Pending()
        agree(servers)


@pytest.mark.slow
@settings(moderately, max_examples=12)
@given(STORIES)
def test_everyone_says_the_same_of_every_finish(tmp_path_factory, deeds):
    """Whoever writes, Python, the oracle and the frames agree; and what was added to the history is not added again."""
    tell(tmp_path_factory.mktemp("f") / "d.db", deeds)


@pytest.mark.exhaustive
@settings(moderately, max_examples=800)
@given(STORIES)
def test_everyone_says_the_same_of_every_finish_many_times(tmp_path_factory, deeds):
    """The same of many more stories."""
    tell(tmp_path_factory.mktemp("f") / "d.db", deeds)


@pytest.mark.slow
@settings(moderately, max_examples=40)
@given(STORIES)
def test_a_look_at_a_few_events_finds_all_that_is_owed(tmp_path_factory, deeds):
    """After every deed the quick look of a scan finds what the rules say of each task, and adds it once."""
    with Servers(tmp_path_factory.mktemp("q") / "d.db") as servers:
        for deed in deeds:
            servers.do(deed)
            found = backfill.pending(servers.conn)
            assert found == owed(servers)
            assert deed != ("look",) or not found


HAVE_A_HISTORY = (*COLUMNS, "blocked", "cancelled", "gone", "is_open", "completed_at", "completed_on")


def known(path, instant):
    """All that has a history, as known at an instant and as of the same."""
    views = dict.fromkeys(("intervals", "flow", "events"), "* EXCLUDE (project)")
    views["tasks"] = f"id, life, {', '.join(HAVE_A_HISTORY)}"
    with dashkit.open(path, as_of=instant, known_at=instant) as d:
        found = {view: d.sql(f"SELECT {columns} FROM {view} ORDER BY ALL") for view, columns in views.items()}
        return {view: frame.to_dict("records") for view, frame in found.items()}


def pause():
    """An instant with nothing else in its millisecond."""
    time.sleep(0.002)
    now = times.utc_now()
    time.sleep(0.002)
    return now


@pytest.mark.slow
@settings(moderately, max_examples=8)
@given(STORIES, st.lists(DEEDS, min_size=1, max_size=8))
def test_what_is_added_later_changes_no_earlier_answer(tmp_path_factory, before, after):
    """Whatever rows come to know, the answer for (t, known_at = t) stays."""
    with Servers(tmp_path_factory.mktemp("k") / "d.db") as servers:
        for deed in before:
            servers.do(deed)
        instant = pause()
        answer = str(known(servers.path, instant))
        for deed in (*after, ("look",)):
            servers.do(deed)
        assert str(known(servers.path, instant)) == answer


@pytest.mark.slow
@settings(moderately, max_examples=15)
@given(st.lists(st.tuples(st.booleans(), DATES, DATES), min_size=1, max_size=6))
def test_a_migration_leaves_nothing_to_take_over(tmp_path_factory, made):
    """Whatever a database of version 1 says, all that can be read of it is in the history that the migration begins."""
    folder = tmp_path_factory.mktemp("m")
    with Servers(folder / "other.db") as servers:
        tasks = [
            {
                "status": "completed" if done else "done",
                "created_at": servers.text(one),
                "completed_at": servers.text(other),
            }
            for done, one, other in made
        ]
    path = v1_database(folder / "d.db", tasks=tasks)
    migrations.execute(path)
    with Servers(path) as servers:
        assert backfill.pending(servers.conn) == owed(servers) == Pending()
        agree(servers)


SHOP = """
CREATE TABLE projects(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tasks(
    id INTEGER PRIMARY KEY {}, project_id INTEGER, title TEXT NOT NULL, status TEXT, external_id TEXT, created_at TEXT,
    completed_at TEXT);
INSERT INTO projects VALUES (1, 'Shop');
"""
MADE = "2025-03-01 09:00:00"


@pytest.fixture(params=["AUTOINCREMENT", ""])
def shop(request, tmp_path):
    """A tracker whose tasks are imported every night, under new ids or under those that are free; just migrated."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as conn:
        conn.executescript(SHOP.format(request.param))
    migrations.execute(tmp_path / "shop.db")
    with Servers(tmp_path / "shop.db") as servers:
        yield servers


def open_a_task(servers, title, made=MADE):
    """A new task, with an id of the tracker that no other one has."""
    sql = "INSERT INTO tasks (project_id, title, status, external_id, created_at) VALUES (1, ?, 'pending', ?, ?)"
    servers.sql(sql, title, f"SHOP-{next(servers.numbers)}", made)


def finish(servers, title, completed=None):
    """A server that may say when."""
    servers.sql("UPDATE tasks SET checked = 1, completed_at = ? WHERE title = ?", completed, title)


def night(servers, completed="completed_at", days=1):
    """Some days later an import deletes all tasks, and inserts them again; ids are not handed on."""
    servers.wait(days)
    columns = "project_id, title, status, external_id, created_at, checked"
    tasks = servers.sql(f"SELECT {columns}, {completed} FROM tasks ORDER BY title DESC, id")
    servers.sql("DELETE FROM tasks")
    for task in tasks:
        servers.sql(f"INSERT INTO tasks ({columns}, completed_at) VALUES (?, ?, ?, ?, ?, ?, ?)", *task)


def days_ago(servers):
    """How many days ago each of the tasks was finished that are done."""
    told_last = database.get_recent_activity(99, db=servers.conn)
    now = times.utc_now()
    return {one["title"]: round(times.days_between(times.read(one["timestamp"]).at, now)) for one in told_last}


@pytest.mark.parametrize("completed", ["NULL", "completed_at"])
@pytest.mark.parametrize("nights", [1, 4])
def test_what_is_imported_under_another_id_was_finished_once(shop, nights, completed):
    """However often it is imported, with or without completed_at, a task was finished when it was first done."""
    open_a_task(shop, "a"), open_a_task(shop, "b"), open_a_task(shop, "c")
    night(shop)
    finish(shop, "a", None if completed == "NULL" else times.to_text(times.utc_now()))
    for _ in range(nights):
        night(shop, completed)
    finish(shop, "b")
    agree(shop)
    assert days_ago(shop) == {"a": nights, "b": 0}
    assert [one["title"] for one in database.get_recent_activity(1, db=shop.conn)] == ["b"], "the newest one"
    shop.look()
    assert days_ago(shop) == {"a": nights, "b": 0}


def test_what_an_import_says_of_the_finish_enters_with_the_next_scan(shop):
    """A completed_at that comes with a later import, under another id, is about the same finish."""
    open_a_task(shop, "a"), open_a_task(shop, "b")
    night(shop)
    finish(shop, "a")
    night(shop)
    night(shop, completed=f"'{times.to_text(times.utc_now() - timedelta(days=7))}'")
    agree(shop)
    assert days_ago(shop) == {"a": 2}, "it was done before the import said when"
    assert backfill.pending(shop.conn) == owed(shop) == Pending(0, 1)
    shop.look()
    assert days_ago(shop) == {"a": 7}
    assert backfill.pending(shop.conn) == owed(shop) == Pending()
    night(shop)
    agree(shop)
    assert days_ago(shop) == {"a": 8}
    assert backfill.pending(shop.conn) == owed(shop) == Pending()


def correct(servers, title, completed):
    """Somebody corrects when a task was completed, and a scan takes it in; how many days ago it was finished then."""
    servers.sql("UPDATE tasks SET completed_at = ? WHERE title = ?", completed, title)
    servers.look()
    agree(servers)
    assert backfill.pending(servers.conn) == owed(servers) == Pending()
    return days_ago(servers)[title]


def test_a_later_word_takes_back_an_earlier_one(shop):
    """A finish that was dated back too far is corrected, to any day up to that of the event that saw it."""
    open_a_task(shop, "a")
    shop.wait(5)
    finish(shop, "a", times.to_text(times.utc_now() - timedelta(days=4)))
    shop.wait(2)
    assert days_ago(shop) == {"a": 6}
    now, seen = times.utc_now(), times.utc_now() - timedelta(days=2)
    assert correct(shop, "a", times.to_text(now - timedelta(days=3))) == 3
    assert correct(shop, "a", times.to_text(seen)) == 2
    assert correct(shop, "a", times.to_text(now - timedelta(days=5))) == 5
    assert correct(shop, "a", times.to_text(now)) == 2, "what is said of a later time counts when it was seen"
    assert correct(shop, "a", (now - timedelta(days=6)).date().isoformat()) == 6
    assert correct(shop, "a", seen.date().isoformat()) == 2, "on the day of the event it is the event"


@pytest.mark.parametrize("by", ["SQL", "box"])
@pytest.mark.parametrize(
    "said",
    [lambda at: at.date().isoformat(), lambda at: (at + timedelta(minutes=345)).strftime("%Y-%m-%d %H:%M:%S")],
    ids=["date", "local time"],
)
def test_what_was_said_of_an_earlier_finish_says_nothing_of_the_next(shop, said, by):
    """A completed_at that stays in the row when a task is reopened does not date its next finish."""
    open_a_task(shop, "a")
    shop.wait(9)
    finish(shop, "a", said(times.utc_now()))
    shop.wait(1 / 24)
    shop.sql("UPDATE tasks SET checked = 0")
    shop.wait(6)
    if by == "box":
        database.update_task_checked(1, True, db=shop.conn)
    else:
        shop.sql("UPDATE tasks SET checked = 1")
    shop.look()
    agree(shop)
    assert days_ago(shop) == {"a": 0}
    assert backfill.pending(shop.conn) == owed(shop) == Pending()


def test_a_task_that_was_renamed_between_imports_is_one(shop):
    """A life goes on through imports under several titles, each of which is that of the day."""
    open_a_task(shop, "first"), open_a_task(shop, "z")
    finish(shop, "first")
    for before, after in (("first", "second"), ("second", "third")):
        night(shop)
        shop.sql("UPDATE tasks SET title = ? WHERE title = ?", after, before)
    night(shop)
    agree(shop)
    assert days_ago(shop) == {"third": 3}


def test_tasks_that_are_alike_are_each_the_next_one_of_their_kind(shop):
    """Of tasks of one title those made at another time are others, and those made at one time keep their order."""
    for made in (MADE, MADE, "2025-03-02"):
        open_a_task(shop, "same", made)
    for days, number in ((1, 3), (1, 1), (2, 2)):
        night(shop, days=days)
        shop.sql("UPDATE tasks SET checked = 1 WHERE external_id = ?", f"SHOP-{number}")
    agree(shop)
    keys = {row["id"]: row["external_id"] for row in told(shop.conn, "tasks")}
    now = times.utc_now()
    found = {keys[task]: times.read(one.at).at for task, one in finishes.of_tasks(shop.conn, keys, now).items()}
    assert {key: round(times.days_between(at, now)) for key, at in found.items()} == {
        "SHOP-1": 2,
        "SHOP-2": 0,
        "SHOP-3": 3,
    }


def test_another_task_of_the_same_title_is_not_imported_again(shop):
    """What has another creation time, or came with its creation, is a new task, which was finished when it was done."""
    open_a_task(shop, "a"), open_a_task(shop, "z")
    finish(shop, "a")
    shop.wait(3)
    for made in ("2025-03-01 09:00:01", times.to_text(times.utc_now())):
        shop.sql("DELETE FROM tasks WHERE title = 'a'")
        open_a_task(shop, "a", made)
        finish(shop, "a")
        assert days_ago(shop) == {"a": 0}
    agree(shop)


@pytest.mark.parametrize(("minutes", "days"), [(59, 3), (61, 0)])
def test_after_more_than_an_hour_it_is_another_task(shop, minutes, days):
    """What is inserted again an hour later came then, and was finished when it came, whatever it was before."""
    open_a_task(shop, "a"), open_a_task(shop, "z")
    finish(shop, "a")
    shop.wait(3)
    shop.sql("DELETE FROM tasks WHERE title = 'a'")
    shop.wait(minutes / 1440)
    ((made,),) = shop.sql("SELECT created_at FROM tasks WHERE title = 'z'")
    shop.sql("INSERT INTO tasks (project_id, title, created_at, checked) VALUES (1, 'a', ?, 1)", made)
    agree(shop)
    assert days_ago(shop) == {"a": days}


def test_a_task_that_was_reopened_under_another_id_has_its_last_finish(shop):
    """A completed_at from before it was reopened, under whichever id, is of an earlier finish; the box sets it anew."""
    open_a_task(shop, "a"), open_a_task(shop, "z")
    night(shop)
    finish(shop, "a", times.to_text(times.utc_now()))
    night(shop)
    shop.sql("UPDATE tasks SET checked = 0 WHERE title = 'a'")
    night(shop)
    assert days_ago(shop) == {}
    night(shop)
    ((task, before),) = shop.sql("SELECT id, completed_at FROM tasks WHERE title = 'a'")
    database.update_task_checked(task, True, db=shop.conn)
    ((after,),) = shop.sql("SELECT completed_at FROM tasks WHERE title = 'a'")
    assert before < after, "it is that of the finish of now"
    assert days_ago(shop) == {"a": 0}
    night(shop, days=2)
    agree(shop)
    assert days_ago(shop) == {"a": 2}


def questions(servers):
    """How many statements it takes to read the finishes of all tasks, and how many these are."""
    ids, asked = [row["id"] for row in told(servers.conn, "tasks")], []
    servers.conn.set_trace_callback(asked.append)
    found = finishes.of_tasks(servers.conn, ids, times.utc_now())
    servers.conn.set_trace_callback(None)
    return len(asked), len(found)


def test_the_imports_of_all_tasks_are_found_together(shop):
    """It takes as many questions for thirty tasks as for two, and fewer where nothing was ever deleted."""
    asked = []
    for first, last in ((0, 2), (2, 30)):
        for number in range(first, last):
            open_a_task(shop, f"t{number:02}")
            finish(shop, f"t{number:02}")
        asked.append(questions(shop))
        night(shop)
        night(shop)
        asked.append(questions(shop))
    (at_first, _), (few, _), _, (many, tasks) = asked
    assert (at_first < few == many, tasks) == (True, 30)
