"""What the safety of a migration costs, measured side by side in one run.

    python benchmarks/migrate.py [--tasks 1587 1000000] [--runs 3] [--large]

--large measures 5,000,000 tasks too: some 3 GB of disk and three minutes more a run.
What is measured is the migration to version 2.0. Bare: the same statements in the order of the report, in one
transaction, by Python's sqlite3, on a copy of the same file.
Peers: alembic (batch mode) and sqlite-utils (transform) doing the same change without backup or check, where installed.
Each run is a process of its own; wall seconds are minima over interleaved runs, ratios are of those minima.
"""

import argparse
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve()
LARGE = 5_000_000
PEAK = 160  # MB, at any size
# What a call may cost of another, by name. A script with one commit per statement is what a small database is held
# against: there the fixed cost of safety is most of the time, and it has to be less than that of 19 syncs.
SMALL, SMALL_GOALS = 1587, {"execute": ("single_commits", 0.5)}
BIG = 1_000_000
BIG_GOALS = {
    "execute": ("bare", 1.5),
    "dry_run": ("bare", 1.3),
    "lock held": ("bare", 1.2),
    "roll_back": ("backup_and_checks", 1.5),
}


def make(path, tasks):
    """A version 1.0 database with so many tasks, one in ten completed."""
    from dashkit import migrations

    migrations.create(path, version="1.0")
    rng = random.Random(tasks)
    words = ["Implement", "layer", "queue", "gateway", "retry", "policy", "index", "schema", "worker", "metrics"]

    def rows():
        for number in range(tasks):
            status = "completed" if number % 10 == 3 else rng.choice(["pending", "in_progress", "review"])
            created = f"2025-{rng.randrange(1, 12):02d}-{rng.randrange(1, 29):02d} 10:{rng.randrange(60):02d}:00"
            title = " ".join(rng.choices(words, k=5))
            yield number % 8 + 1, title, status, "medium", created, created if status == "completed" else None

    conn = sqlite3.connect(path)
    conn.executemany("INSERT INTO projects (name) VALUES (?)", [(f"Project {n}",) for n in range(8)])
    conn.executemany(
        "INSERT INTO tasks (project_id, title, status, priority, created_at, completed_at) VALUES (?, ?, ?, ?, ?, ?)",
        rows(),
    )
    conn.commit()
    conn.close()


def statements():
    """The 19 statements, in the order of the report."""
    from dashkit.migrations import v2_0

    return [change.sql for change in v2_0.VERSION.changes]


def bare(path, *, commit_each=False):
    """The statements and nothing else."""
    conn = sqlite3.connect(path, isolation_level=None)
    now = {"now": "2025-11-27T16:09:57.123Z"}
    if not commit_each:
        conn.execute("BEGIN")
    for sql in statements():
        conn.execute(sql, now if ":now" in sql else {})
    if not commit_each:
        conn.execute("COMMIT")
    conn.close()


def single_commits(path):
    """As a simple script does it: one commit per statement."""
    bare(path, commit_each=True)


def execute(path):
    """dashkit, with all its safety."""
    from dashkit import migrations

    done = migrations.execute(path, to="2.0")
    return {"locked": done.outcome.locked_seconds}


def dry_run(path):
    """Dashkit's dry run."""
    from dashkit import migrations

    migrations.migrate(path, to="2.0")


def backup_and_checks(path):
    """The bare minimum of a roll back: the backup API into the live file, and an integrity check of both."""
    target, source = sqlite3.connect(path), sqlite3.connect(f"{path}.v1")
    source.execute("PRAGMA integrity_check").fetchall()
    source.backup(target)
    target.execute("PRAGMA integrity_check").fetchall()
    target.close()
    source.close()


def roll_back(path):
    """Dashkit's roll back, save of the present state included."""
    from dashkit import migrations

    migrations.rollback(path)


def queries(path):
    """What the eight indexes do to each query, on a migrated database and with a hundred times the growth."""
    from dashkit import migrations
    from dashkit.verification import speed

    migrations.execute(path, to="2.0")
    timings = speed.measure(path, path.parent)
    return {"rows": [(t.query, t.tasks, t.commits, t.without_ms, t.with_ms, t.claimed_pct) for t in timings]}


def alembic_batch(path):
    """Alembic in batch mode: it rebuilds the table."""
    import sqlalchemy as sa
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with sa.create_engine(f"sqlite:///{path}").begin() as conn:
        op = Operations(MigrationContext.configure(conn))
        with op.batch_alter_table("tasks") as batch:
            batch.add_column(sa.Column("checked", sa.Boolean(), server_default=sa.text("FALSE")))
            batch.add_column(sa.Column("blocked_reason", sa.Text()))
            batch.add_column(sa.Column("complexity", sa.Text()))
            batch.add_column(sa.Column("updated_at", sa.Text()))
            batch.create_check_constraint("size", "complexity IS NULL OR complexity IN ('S','M','L','XL')")
        for sql in statements()[4:]:
            op.execute(sa.text(sql.replace(":now", "'2025-11-27T16:09:57.123Z'")))


def sqlite_utils_transform(path):
    """sqlite-utils: add_column, transform for the CHECK-less rebuild, then the same SQL."""
    import sqlite_utils

    db = sqlite_utils.Database(path)
    for name, kind in (("checked", int), ("blocked_reason", str), ("complexity", str), ("updated_at", str)):
        db["tasks"].add_column(name, kind)
    db["tasks"].transform(defaults={"checked": 0})
    with db.conn:
        for sql in statements()[4:]:
            db.execute(sql, {"now": "2025-11-27T16:09:57.123Z"} if ":now" in sql else {})
    db.close()


def run_one(name, path):
    """One measured call, in a process of its own; prints seconds, peak MB and what the call tells."""
    import importlib.util

    peer = {"alembic_batch": "alembic", "sqlite_utils_transform": "sqlite_utils"}.get(name)
    if peer and not importlib.util.find_spec(peer):
        print(json.dumps({"skip": "not installed"}))
        return
    from dashkit.migrations import plans  # noqa: F401 - loading it is not what is measured here

    statements()
    started = time.perf_counter()
    told = globals()[name](path) or {}
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, **told}))


def child(name, path):
    """Run one of the above as a process."""
    out = subprocess.run(
        [sys.executable, str(HERE), "--one", name, str(path)], capture_output=True, text=True, check=False
    )
    if out.returncode:
        return {"skip": out.stderr.strip().splitlines()[-1][:60]}
    return json.loads(out.stdout)


def prepared(folder):
    """A fresh copy of the source, alone in its folder."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    return Path(shutil.copy(folder / "source.db", work / "dashboard.db"))


def measure(folder, tasks, runs, names):
    """Minima over interleaved runs."""
    source = folder / "source.db"
    source.unlink(missing_ok=True)
    make(source, tasks)
    best = {}
    for _ in range(runs):
        for name in names:
            path = prepared(folder)
            if name in ("roll_back", "backup_and_checks"):
                child("execute", path)
                shutil.copy(source, f"{path}.v1")
            os.sync()
            result = child(name, path)
            known = best.get(name)
            if known is None or "skip" in result or result["seconds"] < known["seconds"]:
                best[name] = result
    return source.stat().st_size, best


def table(title, rows):
    """Print one table."""
    print(f"\n{title}")
    width = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(str(cell).ljust(width[place]) for place, cell in enumerate(row)))


def start_up(runs):
    """Process start: dashkit status and --help against the imports that they cannot do without."""
    folder = Path(tempfile.mkdtemp())
    make(folder / "dashboard.db", 1587)
    commands = {
        "import sqlite3, argparse": [sys.executable, "-c", "import sqlite3, argparse"],
        "dashkit status": [sys.executable, "-m", "dashkit", "status", "--db", str(folder / "dashboard.db")],
        "dashkit --help": [sys.executable, "-m", "dashkit", "--help"],
    }
    best = dict.fromkeys(commands, 9e9)
    for _ in range(max(5, runs * 3)):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            best[name] = min(best[name], time.perf_counter() - started)
    shutil.rmtree(folder)
    bare_seconds = best["import sqlite3, argparse"]
    rows = [("process", "wall", "ratio", "goal")]
    rows += [
        (name, f"{seconds * 1000:.0f} ms", f"{seconds / bare_seconds:.2f}", "" if seconds == bare_seconds else "<= 3")
        for name, seconds in best.items()
    ]
    table("Start", rows)


def goals(tasks):
    """The goals that are meant at a size."""
    return SMALL_GOALS if tasks <= SMALL else BIG_GOALS if tasks >= BIG else {}


def costs(tasks, size, runs, best):
    """Print what each call costs at one size."""
    meant = goals(tasks)
    rows = [("what", "wall", "peak MB", "goal", "against", "ratio", "goal")]
    for name, result in best.items():
        if "skip" in result:
            rows.append((name, result["skip"], "", "", "", "", ""))
            continue
        other, goal = meant.get(name, ("bare", None))
        ratio = result["seconds"] / best[other]["seconds"]
        peak = f"{result['peak']:.0f}" if result["peak"] else ""
        most = f"<= {PEAK}" if name in ("execute", "dry_run", "roll_back") else ""
        wall = f"{result['seconds']:.3f} s"
        rows.append((name, wall, peak, most, other, f"{ratio:.2f}", f"<= {goal}" if goal else ""))
    table(f"{tasks:,} tasks, {size / 1e6:.1f} MB, minima of {runs} runs", rows)


def indexes(timings):
    """Print what the eight indexes do to each query."""
    rows = [("query", "tasks", "commits", "without", "with", "time saved", "claim")]
    for query, tasks, commits, without, with_, claim in timings:
        if with_ is None:
            rows.append((query, tasks, commits, "not measured", "", "", f"{claim} %"))
            continue
        saved = f"{100 * (1 - with_ / without):.1f} %"
        rows.append((query, f"{tasks:,}", f"{commits:,}", f"{without:.4f} ms", f"{with_:.4f} ms", saved, f"{claim} %"))
    table("What the eight indexes do", rows)


def linearity(measured):
    """Print seconds per million rows of tasks at each size: constant where the cost is linear."""
    names = ["bare", "execute", "dry_run", "backup_and_checks", "roll_back"]
    rows = [("seconds per million tasks", *(f"{tasks:,}" for tasks in measured))]
    for name in names:
        seconds = [best[name].get("seconds") for best in measured.values()]
        cells = (f"{s * 1e6 / tasks:.2f}" if s else "" for s, tasks in zip(seconds, measured, strict=True))
        rows.append((name, *cells))
    table("Linear in rows", rows)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="+", default=[SMALL, BIG])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true", help=f"{LARGE:,} tasks too")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        run_one(args.one[0], Path(args.one[1]))
        return
    names = ["bare", "single_commits", "execute", "dry_run", "backup_and_checks", "roll_back"]
    names += ["alembic_batch", "sqlite_utils_transform"]
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for tasks in [*args.tasks, *([LARGE] if args.large else [])]:
            size, best = measure(Path(folder), tasks, args.runs, names)
            if "locked" in best["execute"]:
                best["lock held"] = {"seconds": best["execute"]["locked"], "peak": 0}
            costs(tasks, size, args.runs, best)
            timed = child("queries", prepared(Path(folder)))
            indexes(timed["rows"]) if "rows" in timed else print(f"\nThe queries: {timed['skip']}")
            measured[tasks] = best
    linearity(measured)
    start_up(args.runs)


if __name__ == "__main__":
    main()
