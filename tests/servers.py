"""Everyone who writes to one real database, as servers, people, imports, readers of files and scans do it."""

import sqlite3
from datetime import timedelta
from itertools import count

from builders import v2_1_database
from hypothesis import strategies as st

from dashkit import database, times
from dashkit.records import TaskChange
from dashkit.store import backfill, events, reconcile

FORMS = {
    "stored": times.to_text,
    "sql": lambda at: at.strftime("%Y-%m-%d %H:%M:%S"),
    "offset": lambda at: (at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+0100"),
    "git": lambda at: (at - timedelta(hours=5)).strftime("%Y-%m-%d %H:%M:%S -0500"),
    "epoch": lambda at: str(int(at.timestamp())),
    "number": lambda at: int(at.timestamp()),
    "date": lambda at: at.date().isoformat(),
    "compact": lambda at: at.strftime("%Y%m%d"),
    "micro": lambda at: at.isoformat(timespec="microseconds"),
}
AGO = (-2880, -1, 0, 0.4, 1, 1.6, 30, 300, 1440, 1441, 2000, 2880, 4320, 5760, 10000)  # minutes; below zero: to come
WRITTEN = st.tuples(st.sampled_from(AGO), st.sampled_from([*FORMS, "date", "stored"]))
DATES = st.integers(0, 6).flatmap(
    lambda choice: WRITTEN if choice else st.sampled_from([None, "", "soon", "2025-02-30"])
)
WORDS = st.sampled_from(["pending", "in_progress", "blocked", "completed", "cancelled", "done"])
PLACE = st.integers(0, 1)
LATE = st.sampled_from([{"checked": 1}, {"checked": 0}, {"status": "completed"}, {"status": "pending"}, {"checked": 1}])
UNDER = st.sampled_from(["same", "new", "new", "freed"])  # the id that an import gives
IMPORTED = (PLACE, st.booleans(), st.none() | DATES, UNDER)
COLUMN = st.sampled_from(["created_at", "completed_at", "completed_at"])
# By the name of the method of Servers: how often it is done, and what it takes.
KINDS = {
    "insert": (1, (WORDS, st.booleans(), DATES, DATES)),
    "check": (3, (PLACE, st.sampled_from([True, True, False]))),
    "block": (1, (PLACE, st.sampled_from(["keys", None]))),
    "word": (1, (PLACE, WORDS)),
    "complete": (3, (PLACE, DATES)),
    "complete_in_two": (3, (PLACE, DATES)),
    "mend": (6, (PLACE, COLUMN, DATES)),
    "reopen": (2, (PLACE, st.booleans())),
    "replace": (1, (PLACE, st.booleans(), DATES, DATES)),
    "import_again": (4, IMPORTED),
    "import_all": (1, (st.booleans(),)),
    "copy": (1, (PLACE,)),
    "delete": (1, (PLACE,)),
    "late": (2, (PLACE, st.sampled_from(AGO[4:]), LATE, st.booleans(), st.sampled_from(["update", "baseline"]))),
    "behind_the_triggers": (1, (PLACE, st.booleans(), DATES)),
    "look": (2, ()),
}
DEEDS = st.sampled_from([name for name, (often, _) in KINDS.items() for _ in range(often)]).flatmap(
    lambda name: st.tuples(st.just(name), *KINDS[name][1])
)
# Two tasks, some days old.
BEGIN = st.tuples(st.just("insert"), WORDS, st.booleans(), DATES, DATES)
WAITS = st.tuples(st.just("wait"), st.sampled_from([1, 2, 5]))
# Time that passes makes older what was written: it is no deed where an earlier answer has to stay.
PASSES = WAITS | st.tuples(st.just("import_a_day_late"), *IMPORTED)
STORIES = st.tuples(BEGIN, BEGIN, WAITS).flatmap(
    lambda begun: st.lists(
        st.integers(0, 4).flatmap(lambda choice: DEEDS if choice else PASSES), min_size=3, max_size=12
    ).map(lambda told: [*begun, *told])
)


class Servers:
    """A database with a history, and all who write to it; without transactions, so that each statement is one."""

    def __init__(self, path):
        """With one project in it."""
        self.path = path if path.exists() else v2_1_database(path)
        self.conn = sqlite3.connect(path, isolation_level=None)
        self.numbers = count(1)

    def __enter__(self):
        """Nothing to do."""
        return self

    def __exit__(self, *_):
        """Close."""
        self.conn.close()

    def do(self, deed):
        """One deed, to a task that is there where it is of one."""
        name, *rest = deed
        if name not in ("insert", "import_all", "look", "wait"):
            there = [key for (key,) in self.conn.execute("SELECT id FROM tasks ORDER BY id")]
            if not there:
                return
            rest[0] = there[min(rest[0], len(there) - 1)]
        getattr(self, name)(*rest)

    def text(self, date):
        """A date as somebody writes it."""
        return FORMS[date[1]](times.utc_now() - timedelta(minutes=date[0])) if isinstance(date, tuple) else date

    def sql(self, statement, *values):
        """Plain SQL."""
        return self.conn.execute(statement, values).fetchall()

    def insert(self, status, done, created, completed):
        """A server makes a task, or imports one that is done."""
        values = (f"T{next(self.numbers)}", status, done, self.text(created), self.text(completed))
        columns = "(project_id, title, status, checked, created_at, completed_at)"
        self.sql(f"INSERT INTO tasks {columns} VALUES (1, ?, ?, ?, ?, ?)", *values)

    def check(self, task, checked):
        """A person's word."""
        database.update_task_checked(task, checked, db=self.conn)

    def block(self, task, reason):
        """Likewise."""
        database.set_task_blocked(task, reason, db=self.conn)

    def word(self, task, status):
        """An old server knows only the status."""
        self.sql("UPDATE tasks SET status = ? WHERE id = ?", status, task)

    def complete(self, task, completed):
        """A server completes a task, in one statement."""
        self.sql(
            "UPDATE tasks SET status = 'completed', checked = 1, completed_at = ? WHERE id = ?",
            self.text(completed),
            task,
        )

    def complete_in_two(self, task, completed):
        """Another one needs two."""
        self.sql("UPDATE tasks SET checked = 1 WHERE id = ?", task)
        self.mend(task, "completed_at", completed)

    def mend(self, task, column, date):
        """Somebody corrects a date."""
        self.sql(f"UPDATE tasks SET {column} = ? WHERE id = ?", self.text(date), task)

    def reopen(self, task, forgets):
        """A task is open again, and may keep its completed_at."""
        self.sql("UPDATE tasks SET status = 'pending', checked = 0 WHERE id = ?", task)
        if forgets:
            self.sql("UPDATE tasks SET completed_at = NULL WHERE id = ?", task)

    def replace(self, task, done, created, completed):
        """INSERT OR REPLACE, which fires no trigger for what it deletes."""
        self.sql(
            "INSERT OR REPLACE INTO tasks (id, project_id, title, status, checked, created_at, completed_at) "
            "VALUES (?, 1, ?, 'pending', ?, ?, ?)",
            *(task, f"T{next(self.numbers)}", done, self.text(created), self.text(completed)),
        )

    def import_again(self, task, done, completed, under, days=0):
        """A nightly import deletes a task and inserts it again, under its id or another one."""
        ((title, created, before),) = self.sql("SELECT title, created_at, completed_at FROM tasks WHERE id = ?", task)
        self.delete(task)
        if days:
            self.wait(days)
        there = {key for (key,) in self.sql("SELECT id FROM tasks")}
        fresh = 1000 * next(self.numbers)
        key = {"same": task, "new": fresh, "freed": min({*range(1, fresh)} - there)}[under]
        self.sql(
            "INSERT INTO tasks (id, project_id, title, status, checked, created_at, completed_at) "
            "VALUES (?, 1, ?, 'pending', ?, ?, ?)",
            *(key, title, done, created, self.text(completed) if completed else before),
        )

    def import_a_day_late(self, *how):
        """Another import broke off between the two, and a day goes by."""
        self.import_again(*how, days=1)

    def import_all(self, backwards):
        """Another one deletes all tasks first, and hands out the ids anew, in its own order."""
        columns = "project_id, title, status, checked, created_at, completed_at"
        found = self.sql(f"SELECT {columns} FROM tasks ORDER BY id {'DESC' if backwards else ''}")
        self.sql("DELETE FROM tasks")
        for row in found:
            self.sql(f"INSERT INTO tasks ({columns}) VALUES (?, ?, ?, ?, ?, ?)", *row)

    def copy(self, task):
        """A task that is like another one, but for its id."""
        columns = "project_id, title, status, checked, created_at, completed_at"
        self.sql(f"INSERT INTO tasks ({columns}) SELECT {columns} FROM tasks WHERE id = ?", task)

    def delete(self, task):
        """A server deletes a task."""
        self.sql("DELETE FROM tasks WHERE id = ?", task)

    def late(self, task, minutes, values, is_date, op):
        """A reader of files finds what was so at an earlier time, or on an earlier day."""
        now = times.utc_now()
        at = now - timedelta(minutes=minutes)
        day = at.date().isoformat() if is_date else None
        at = times.noon(at.date()) if is_date else at
        image = {"project_id": 1, "title": "T", "status": "pending", "checked": 0} if op == "baseline" else {}
        event = TaskChange(task, op, times.to_text(min(at, now)), None, image | values, "git:1", day)
        self.conn.execute("BEGIN IMMEDIATE")
        events.record_late(self.conn, [event], times.to_text(now))
        self.conn.execute("COMMIT")

    def behind_the_triggers(self, task, done, completed):
        """A backup is restored, or a table rebuilt; the next scan sees it."""
        self.conn.execute("UPDATE event_context SET suspended = 1")
        self.sql("UPDATE tasks SET checked = ?, completed_at = ? WHERE id = ?", done, self.text(completed), task)
        self.conn.execute("UPDATE event_context SET suspended = 0")
        self.look()

    def look(self):
        """What a scan does first."""
        now = times.to_text(times.utc_now())
        self.conn.execute("BEGIN IMMEDIATE")
        reconcile.record(self.conn, now)
        backfill.add(self.conn, now)
        self.conn.execute("COMMIT")

    def wait(self, days):
        """Some days go by: all that was written is so much older."""

        def older(text):
            found = times.read(text)
            if found is None:
                return text
            moved = found.at - timedelta(days=days)
            return times.to_text(moved) if found.day is None else moved.date().isoformat()

        self.conn.execute("UPDATE event_context SET suspended = 1")
        columns = {
            "tasks": ("created_at", "completed_at", "updated_at"),
            "task_events": (
                "occurred_at",
                "recorded_at",
                "not_before",
                "on_day",
                "said_created_at",
                "said_completed_at",
            ),
        }
        for table, names in columns.items():
            for row in self.sql(f"SELECT rowid, {', '.join(names)} FROM {table}"):
                sets = ", ".join(f"{name} = ?" for name in names)
                self.sql(f"UPDATE {table} SET {sets} WHERE rowid = ?", *map(older, row[1:]), row[0])
        self.conn.execute("UPDATE event_context SET suspended = 0")


def told(conn, table):
    """The rows of a table as mappings."""
    found = conn.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]
