"""What the history costs a writer: updates of tasks with the triggers of version 2.1 and without them.

    python benchmarks/triggers.py [--tasks 100000] [--runs 5]

Row by row is one UPDATE a task, in bulk one UPDATE for all, each in one transaction in memory, so that no disk hides
the difference; each update changes the status, which leaves one event. Figures are minima over interleaved runs.
"""

import argparse
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from dashkit import migrations
from dashkit.migrations.changes import CreateTrigger

SILENT = [
    change.name for version in migrations.VERSIONS for change in version.changes if isinstance(change, CreateTrigger)
]


def database(template, tasks):
    """A database in memory, of the newest version, with so many tasks."""
    conn = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(template)) as source:
        source.backup(conn)
    conn.execute("BEGIN")
    conn.execute("INSERT INTO projects (name) VALUES ('One')")
    conn.executemany("INSERT INTO tasks (project_id, title) VALUES (1, ?)", ((f"Task {n}",) for n in range(tasks)))
    conn.execute("COMMIT")
    return conn


def seconds(conn, tasks, *, in_bulk):
    """How long it takes to give every task another status, without the commit."""
    conn.execute("BEGIN")
    started = time.perf_counter()
    if in_bulk:
        conn.execute("UPDATE tasks SET status = 'review'")
    else:
        conn.executemany("UPDATE tasks SET status = 'review' WHERE id = ?", ((n,) for n in range(1, tasks + 1)))
    took = time.perf_counter() - started
    conn.execute("ROLLBACK")
    return took


def main():
    """Print microseconds an updated row, with and without the triggers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        template = Path(folder) / "empty.db"
        migrations.create(template)
        with closing(database(template, args.tasks)) as watched, closing(database(template, args.tasks)) as bare:
            for name in SILENT:
                bare.execute(f"DROP TRIGGER {name}")
            print(f"{args.tasks:,} tasks, microseconds a row, minima of {args.runs} runs")
            print(f"{'':12}{'with':>8}{'without':>10}{'more':>8}")
            for in_bulk in (False, True):
                times = [
                    [seconds(conn, args.tasks, in_bulk=in_bulk) for conn in (watched, bare)] for _ in range(args.runs)
                ]
                with_them, without = (min(column) * 1e6 / args.tasks for column in zip(*times, strict=True))
                label = "in bulk" if in_bulk else "row by row"
                print(f"{label:12}{with_them:8.1f}{without:10.1f}{with_them - without:8.1f}")


if __name__ == "__main__":
    main()
