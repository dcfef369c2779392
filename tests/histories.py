"""Random histories of a few tasks: what any of the writers may leave, and a database that holds exactly one."""

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from oracle import COLUMNS, Oracle

from dashkit import times

NEVER = "2999-01-01T00:00:00.000Z"
IDS = (1, 2, 3)
PAIRS = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS))
VALUES = {
    "project_id": st.sampled_from([1, 2]),
    "status": st.sampled_from(["", "pending", "in_progress", "blocked", "blocked", "completed", "cancelled", "odd"]),
    "checked": st.sampled_from([0, 0, 1]),
    "blocked_reason": st.sampled_from(["", "keys"]),
    "complexity": st.sampled_from(["", "S", "XL"]),
    "title": st.sampled_from(["", "A", "B"]),
}
IMAGES = st.fixed_dictionaries(VALUES)
CHANGES = st.fixed_dictionaries({column: st.none() | values for column, values in VALUES.items()})
OPS = ("insert", "baseline", "backfill", *["update"] * 4, "reconcile", "gone", "back", "delete", "delete")


SAID = ("insert", "update", "baseline", "reconcile", "delete")  # events that keep what the row said of its times
DAY = "@"  # before an instant: only its date is known


def minute(number):
    """A stored instant of an hour in the past."""
    return f"2025-01-01T00:{number:02d}:00.000Z"


@st.composite
def told(draw):
    """What one event says, without its times: the list it belongs to, and its values."""
    if draw(st.integers(0, 3)) == 0:
        task, other = draw(PAIRS)
        op = draw(st.sampled_from(["add", "add", "baseline", "remove"]))
        return "dependency_events", {"op": op, "task_id": task, "depends_on_id": other}
    op = draw(st.sampled_from(OPS))
    values = dict.fromkeys(COLUMNS) if op in ("gone", "back") else {}
    values = values or draw(IMAGES if op in ("insert", "baseline", "delete") else CHANGES)
    return "events", {**values, "op": op, "task_id": draw(st.sampled_from(IDS))}


@st.composite
def histories(draw):
    """What a database holds of a few tasks, as all writers together may leave it.

    Only what the writers see to is kept: events are numbered as they are recorded, none is from the future, and
    nothing is said of a life behind its deletion.
    """
    now, made = 0, {"events": [], "dependency_events": []}
    for number in range(1, draw(st.integers(0, 14)) + 1):
        now += draw(st.sampled_from([0, 0, 1, 3]))
        table, values = draw(told())
        occurred = draw(st.just(now) | st.integers(0, now))
        before = draw(st.none() | st.integers(0, occurred).map(minute))
        occurred = now if values["op"] == "delete" else occurred
        seen = {"event_id": number, "occurred_at": minute(occurred), "recorded_at": minute(now), "not_before": before}
        seen["source"] = draw(st.sampled_from(["trigger", "git:1"]))
        seen |= draw(saying(values, seen, now)) if table == "events" else {}
        made[table].append({**values, **seen})
    left = {
        one.life[0]: dict(one.state)
        for one in Oracle((), (), **made, as_of=NEVER, known_at=None, found_at="~").intervals
        if one.ended_at is None
    }
    made["tasks"] = [row for task in IDS if (row := draw(rows(task, left.get(task))))]
    lasting = {(e["task_id"], e["depends_on_id"]): e["op"] != "remove" for e in made["dependency_events"]}
    pairs = draw(st.just([pair for pair, stays in lasting.items() if stays]) | st.lists(PAIRS, unique=True))
    here = {row["id"] for row in made["tasks"]}
    made["task_dependencies"] = [pair for pair in pairs if here.issuperset(pair)]
    return made


def times_of(last):
    """What a row may say of when something was, up to a little after a minute."""
    moments = st.integers(0, last + 2).map(minute)
    return st.sampled_from([None, "", "soon"]) | moments | moments | moments.map(lambda text: DAY + text)


@st.composite
def saying(draw, values, seen, now):
    """What an event keeps of what the row said of its times, and whether only its date is known."""
    found = dict.fromkeys(("on_day", "said_created_at", "said_completed_at"))
    if values["op"] in SAID and draw(st.booleans()):
        found |= {name: draw(times_of(now)) for name in ("said_created_at", "said_completed_at")}
    if values["op"] == "backfill" and values["checked"] and draw(st.booleans()):
        found |= {"source": "column:completed_at", "said_completed_at": draw(st.sampled_from([None, "so"]))}
    if seen["source"] != "trigger" and values["op"] != "delete" and draw(st.integers(0, 4)) == 0:
        found["on_day"] = DAY + seen["occurred_at"]
    return found


# Title, project and created_at; of the first three the instant is the same one, and the next one is the day of it.
ALIKE = [("A", 1, "2024-12-01T12:00:00.000Z"), ("A", 1, "2024-12-01 13:00:00 +0100"), ("A", 1, "1733054400")]
UNLIKE = [("A", 1, "2024-12-01"), ("A", 2, ALIKE[0][2]), ("B", 1, ALIKE[0][2])]
UNLIKE += [("A", 1, said) for said in ("2025-01-01T01:00:00.000Z", "soon", None)]
SAYS = st.fixed_dictionaries(
    {
        "ops": st.sampled_from([["delete"], ["insert"], ["update"], *[["delete", "insert"]] * 3]),
        "kind": st.sampled_from([*ALIKE * 5, *UNLIKE]),
        "status": st.sampled_from(["pending", "completed"]),
        "checked": st.sampled_from([0, 1, 1]),
        "said_completed_at": st.sampled_from(["2024-12-20", "2024-12-24T09:00:00Z", None]),
    }
)


@st.composite
def imports(draw):
    """What imports leave of a few tasks that are alike, which they delete and insert under any id, soon or late."""
    now, told = datetime(2025, 1, 1, tzinfo=UTC), []
    for says in draw(st.lists(SAYS, min_size=3, max_size=14)):
        kind = dict(zip(("title", "project_id", "said_created_at"), says["kind"], strict=True))
        for op in says["ops"]:
            now += timedelta(minutes=draw(st.sampled_from([0, 0, 0, 1, 30, 60, 61])))
            seen = {"event_id": len(told) + 1, "op": op, "task_id": draw(st.sampled_from(IDS)), "source": "trigger"}
            seen |= dict.fromkeys(("occurred_at", "recorded_at"), times.to_text(now))
            unsaid = {"blocked_reason": "", "complexity": "", "not_before": None, "on_day": None}
            said = {name: says[name] for name in ("status", "checked", "said_completed_at")}
            told.append({**seen, **kind, **said, **unsaid})
    titles = draw(st.dictionaries(st.sampled_from(IDS), st.sampled_from("AB")))
    rows = [{"id": task, "project_id": 1, "title": title, "status": "pending"} for task, title in titles.items()]
    return {"events": told, "dependency_events": [], "tasks": rows, "task_dependencies": []}


def rows(task, left):
    """The row of a task: what its events leave, or something else, or none."""
    other = st.none() | IMAGES.map(lambda image: {**image, "complexity": image["complexity"] or None})
    if left is not None:
        kept = {**{column: left[column] for column in COLUMNS}, "project_id": left["project_id"] or 1}
        other = st.just(kept) | st.just(kept) | other
    said = st.fixed_dictionaries({"created_at": times_of(20), "completed_at": times_of(20)})
    return st.tuples(other, said).map(lambda pair: pair[0] and {"id": task, **pair[0], **pair[1]})


def database(empty, made, name="example.db"):
    """A database that holds exactly this; nothing was watched while it was written."""
    path = empty.with_name(name)
    shutil.copyfile(empty, path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE event_context SET suspended = 1")
        for table in ("tasks", "task_events", "dependency_events"):
            for row in made[table.removeprefix("task_")]:
                marks = ", ".join(f":{column}" for column in row)
                conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)
        conn.executemany("INSERT INTO task_dependencies VALUES (?, ?)", made["task_dependencies"])
        conn.execute("UPDATE event_context SET suspended = 0")
    return path


def plain(value, column=""):
    """A value of a frame as the oracle writes it; in a column of days, whose name ends in _on, its day."""
    if pd.isna(value):
        return None
    return times.of_column(column, value.to_pydatetime()) if isinstance(value, pd.Timestamp) else value


# Each example writes and opens a database: shrinking a failure would take longer than reading it.
moderately = settings(
    deadline=None,
    max_examples=36,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def moment(number):
    """A stored instant: half days, so that many lie exactly where a day begins; summer time begins among them."""
    return times.to_text(datetime(2025, 3, 20, tzinfo=UTC) + timedelta(hours=12 * number))


def spread(made):
    """A history of minutes as one of weeks."""

    def later(value):
        found = re.fullmatch(r"(@?)2025-01-01T00:(\d\d):00\.000Z", str(value))
        return value if found is None else moment(int(found[2]))[: 10 if found[1] else None]

    def dated(event):
        # Only what lies at noon stands for its day, as every writer sees to.
        on_day = event.get("on_day")
        return event | {"on_day": on_day if on_day and event["occurred_at"][11:13] == "12" else None}

    moved = {
        name: [{k: later(v) for k, v in e.items()} for e in made[name]]
        for name in ("events", "dependency_events", "tasks")
    }
    return {**made, **moved, "events": [dated(event) for event in moved["events"]]}
