"""What get_recent_activity costs in a large Dashboard, held against one of the size of the sample.

    python benchmarks/activity.py [--tasks 1587 100000] [--runs 7] [--limit 5]

The databases are made by dashkit's own code: migrated from version 1.0, filled with late events as a scan does, or by
the statements of another program under the triggers. Each has half as many commits as tasks, and a session for twenty.
Figures are minima of CPU, in milliseconds. The goal is a ratio of at most 5 where the history was migrated or scanned;
the other cases are the worst that are known.
"""

import argparse
import contextlib
import io
import random
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from dashkit import database, migrations, times
from dashkit.records import TaskChange
from dashkit.store import events

NOW = datetime.now(UTC)
DAYS = 700


def ago(days):
    """The stored instant so many days ago."""
    return times.to_text(NOW - timedelta(days=days))


def base(path, version):
    """An empty database with ten projects, the last one of which is small and long over."""
    migrations.create(path, version=version)
    conn = sqlite3.connect(path)
    conn.executemany("INSERT INTO projects (name) VALUES (?)", [(f"P{number}",) for number in range(10)])
    return conn


def row(number, tasks):
    """A task: project, title, status, created_at and completed_at; half of them are done."""
    old = DAYS * (tasks - number) / tasks
    project = 10 if number < tasks / 50 else number % 9 + 1
    done = number % 2 == 0
    created, completed = ago(old + 3), ago(old) if done else None
    return project, f"Task {number}", "completed" if done else "pending", created, completed


COLUMNS = "(project_id, title, status, created_at, completed_at)"


def migrated(path, tasks):
    """Version 1.0, migrated; then some work."""
    with contextlib.closing(base(path, "1.0")) as conn, conn:
        conn.executemany(f"INSERT INTO tasks {COLUMNS} VALUES (?, ?, ?, ?, ?)", (row(n, tasks) for n in range(tasks)))
    with contextlib.redirect_stdout(io.StringIO()):
        migrations.execute(path)
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE tasks SET status = 'blocked' WHERE id % 500 = 1")


def scanned(path, tasks):
    """Late events, three a task, recorded at once as by a scan."""
    with contextlib.closing(base(path, None)) as conn, conn:
        late = []
        for number in range(tasks):
            project, title, _, created, completed = row(number, tasks)
            conn.execute("UPDATE event_context SET suspended = 1")
            conn.execute(f"INSERT INTO tasks {COLUMNS} VALUES (?, ?, 'pending', ?, NULL)", (project, title, created))
            image = {"project_id": project, "title": title, "status": "pending", "checked": 0}
            late.append(TaskChange(number + 1, "insert", created, None, image, "git:1"))
            if completed:
                begun = {"status": "in_progress"}
                late.append(TaskChange(number + 1, "update", created, created, begun, "git:2"))
                late.append(TaskChange(number + 1, "update", completed, created, {"checked": 1}, "git:3"))
        events.record_late(conn, late, times.to_text(NOW))


def imported(path, tasks):
    """Done tasks that a server inserted a moment ago, each with its own completed_at."""
    with contextlib.closing(base(path, None)) as conn, conn:
        sql = f"INSERT INTO tasks {COLUMNS[:-1]}, checked) VALUES (?, ?, ?, ?, ?, ?)"
        conn.executemany(sql, ((*(one := row(n, tasks)), int(one[4] is not None)) for n in range(tasks)))


def imported_again(path, tasks):
    """The same tasks, which three imports deleted and inserted again, under new ids."""
    imported(path, tasks)
    columns = "project_id, title, status, created_at, completed_at, checked"
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        for _ in range(3):
            conn.execute(f"CREATE TEMP TABLE old AS SELECT id + {tasks} AS id, {columns} FROM tasks")
            conn.execute("DELETE FROM tasks")
            conn.execute(f"INSERT INTO tasks (id, {columns}) SELECT * FROM old")
            conn.execute("DROP TABLE old")


def at_once(path, tasks):
    """All tasks checked by one statement, which is one instant."""
    with contextlib.closing(base(path, None)) as conn, conn:
        sql = "INSERT INTO tasks (project_id, title, created_at) VALUES (?, ?, ?)"
        conn.executemany(sql, ((one[0], one[1], one[3]) for one in (row(n, tasks) for n in range(tasks))))
        conn.execute("UPDATE tasks SET checked = 1, completed_at = ?", (times.to_text(NOW),))


def without_history(path, tasks):
    """Version 2.0."""
    with contextlib.closing(base(path, "2.0")) as conn, conn:
        sql = f"INSERT INTO tasks {COLUMNS[:-1]}, checked) VALUES (?, ?, ?, ?, ?, ?)"
        conn.executemany(sql, ((*(one := row(n, tasks)), int(one[4] is not None)) for n in range(tasks)))


def beside(path, tasks, form=times.to_text):
    """Commits and sessions."""
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("INSERT INTO git_repos (id, project_id, path) VALUES ('r', 1, '/r')")
        order = random.Random(1).sample(range(tasks // 2), tasks // 2)
        conn.executemany(
            "INSERT INTO git_commits (sha, repo_id, message, timestamp) VALUES (?, 'r', 'Work', ?)",
            ((f"{n:040x}", form(NOW - timedelta(days=DAYS * n / tasks * 2))) for n in order),
        )
        conn.executemany(
            "INSERT INTO llm_sessions (id, project_id, started_at) VALUES (?, 1, ?)",
            ((f"s{n}", ago(DAYS * n / tasks * 20)) for n in range(tasks // 20)),
        )


def mixed(instant):
    """Forms in turn: the stored one, git's, and seconds since 1970."""
    forms = (times.to_text, lambda one: one.strftime("%Y-%m-%d %H:%M:%S +0000"), lambda one: str(int(one.timestamp())))
    return forms[instant.second % 3](instant)


CASES = {
    "migrated": (migrated, {}),
    "scanned": (scanned, {}),
    "migrated, of an old project": (migrated, {"project_id": 10}),
    "scanned, of an old project": (scanned, {"project_id": 10}),
    "scanned, commits of mixed forms": (scanned, {"form": mixed}),
    "imported as done a moment ago": (imported, {}),
    "imported again under new ids": (imported_again, {}),
    "checked by one statement": (at_once, {}),
    "version 2.0": (without_history, {}),
}


def milliseconds(path, runs, **arguments):
    """The least CPU that it took."""
    took = []
    with contextlib.closing(sqlite3.connect(path)) as conn:
        for _ in range(runs):
            started = time.process_time()
            database.get_recent_activity(db=conn, **arguments)
            took.append(time.process_time() - started)
    return min(took) * 1000


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, nargs=2, default=(1_587, 100_000))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--limit", type=int, default=5)
    args = parser.parse_args()
    small, large = args.tasks
    print(f"{'':34}{small:>10,}{large:>10,}{'ratio':>8}")
    with TemporaryDirectory() as folder:
        for name, (make, how) in CASES.items():
            took = []
            for tasks in args.tasks:
                path = Path(folder) / f"{tasks}.db"
                path.unlink(missing_ok=True)
                make(path, tasks)
                beside(path, tasks, how.get("form", times.to_text))
                given = {key: value for key, value in how.items() if key != "form"}
                took.append(milliseconds(path, args.runs, limit=args.limit, **given))
            print(f"{name:34}{took[0]:10.1f}{took[1]:10.1f}{took[1] / took[0]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
