"""When tasks were finished, told from events in plain Python: against the oracle and the frames, whoever writes."""

import time
from collections import Counter

import pytest
from builders import v1_database
from histories import histories, moderately, moment, plain, spread
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import COLUMNS, Oracle
from servers import DATES, DEEDS, STORIES, Servers, told

import dashkit
from dashkit import database, migrations, times
from dashkit.store import backfill, finishes, lives
from dashkit.store.backfill import Pending


def event(row):
    """A row of task_events, which a test made up, as the event that is read from a file."""
    day = times.read(row.get("on_day"))
    return lives.Event(
        *(row["event_id"], row["op"], row["source"], times.read(row["occurred_at"]).at, day and day.day),
        *(row["recorded_at"], None if row["checked"] is None else bool(row["checked"]), row["status"], row["title"]),
        *(row.get("said_created_at"), row.get("said_completed_at")),
    )


@pytest.mark.slow
@settings(moderately, max_examples=150)
@given(histories(), st.integers(0, 42))
def test_finishes_are_what_the_oracle_says(made, number):
    """Of any history the present finish of each life, its day and whether it is estimated are as defined."""
    made, instant = spread(made), moment(number)
    oracle = Oracle((), (), made["events"], made["dependency_events"], instant, None, "~")
    flow = {(row["task_id"], row["life"]): row for row in oracle.flow()}
    renamed = {*oracle.became, *oracle.became.values()}
    for task in {row["task_id"] for row in made["events"]}:
        mine = [row for row in made["events"] if row["task_id"] == task]
        life = (task, sum(row["op"] == "delete" and row["event_id"] not in oracle.kept for row in mine))
        if life not in renamed:
            found = finishes.present(lives.present([event(row) for row in mine]), times.read(instant).at)
            row = flow.get(life, {"finished_at": None})
            assert (found and found.at) == row["finished_at"]
            if found:
                assert (found.on_day, found.is_estimated) == (row["finished_on"], row["finished_is_estimated"])


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
        names = ("finished_at", "finished_on", "finished_is_estimated")
        mine = finished(servers, d)
        assert mine == {
            task: tuple(row[name] for name in names)
            for task, row in last.items()
            if row["finished_at"] and row["is_done"] and task in titles and is_present(oracle, row)
        }
        columns = ", ".join(("task_id", "life", *names))
        of_view = [
            {name: plain(v, name) for name, v in row.items()}
            for row in d.sql(f"SELECT {columns} FROM flow").to_dict("records")
        ]
        assert sorted(map(str, of_view)) == sorted(str({name: row[name] for name in of_view[0]}) for row in flow)
        lately = d.activity(limit=99)
        known = sorted((end[0], titles[task]) for task, end in mine.items())
        assert sorted((plain(one.occurred_at), one.title) for one in lately.itertuples()) == known
        for limit in (1, 2, 99):
            told_last = [
                one for one in database.get_recent_activity(limit, db=servers.conn) if one["type"] == "task_completed"
            ]
            ranked = sorted(sorted(known, key=lambda one: one[1]), key=lambda one: one[0], reverse=True)
            assert [(one["timestamp"], one["title"]) for one in told_last] == ranked[: len(told_last)]
        assert len(told_last) == len(known)
        days = Counter(row["finished_at"][:10] for row in flow if row["finished_at"])
        throughput = d.throughput(by="day")
        counted = throughput[throughput["finished"] > 0]
        assert dict(zip(counted["period_on"].dt.date.astype(str), counted["finished"], strict=True)) == days
        leads = sorted((row.task_id, plain(row.finished_at)) for row in d.lead_times().itertuples())
        assert leads == sorted((row["task_id"], row["finished_at"]) for row in flow if row["finished_at"])


def is_present(oracle, row):
    """Whether a life is that of the row that is there now."""
    return row["life"] == max(life for task, life in oracle.lives if task == row["task_id"])


def owed(servers):
    """What every row says and its history does not know, asked of all of them."""
    found = lives.read(servers.conn, [row["id"] for row in told(servers.conn, "tasks")])
    rows = {row["id"]: row for row in told(servers.conn, "tasks")}
    each = [
        one for task, life in found.items()
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
