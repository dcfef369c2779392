"""What frames cost, measured side by side in one run: at the size of the sample, and over millions of events.

    python benchmarks/analytics.py [--tasks 10000 100000 1000000] [--runs 3] [--folder FOLDER] [--without-small]
    python benchmarks/analytics.py --beside CHECKOUT [--tasks 1587 100000 1000000] [--runs 5] [--folder FOLDER]

Small: whole processes, from start to end, against `import pandas, duckdb`; interleaved, minima of wall and CPU.
Large: each trend against the same answer by hand: in DuckDB on the same typed tables, in pandas, and in SQL on the
SQLite file. By hand means: what one would write for this one answer, lives, as_of and late events included, and neither
marks (partial, gap, inferred) nor projects. SQLite and pandas make the intervals once for all trends, which is their
best; "alone" is what one trend costs from the file on, ours of pandas'. History is what dashkit makes once for all
frames. All answers are compared with ours, number by number. Each way is a process of its own; memory is its peak.
--folder keeps the made databases, so that they are made once.

--beside measures this checkout and another one (`git worktree add CHECKOUT COMMIT`) in one run: the processes of both
take turns, each on a database that its own code made from the same rows; minima of CPU, of wall and of the peak.
"""

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import by_hand
import histories

SMALL_GOAL, FRAME_GOAL = 1.3, 50  # of the imports; ms
GOALS = {"sqlite": 1 / 4, "duckdb": 1.3, "pandas": 1 / 2, "MB": 1500}
START = ("snapshot", "load", "history")
BIG = 1_000_000  # tasks, from which on the goals are meant
TYPED = "typed.tasks typed.task_events typed.task_dependencies typed.dependency_events typed.projects"


def ours(path, _as_of):
    """dashkit: snapshot, load, history, and each trend."""
    import dashkit
    from dashkit import connection, times

    took, spent, answers = {}, {}, {}
    with (
        contextlib.closing(sqlite3.connect(path)) as conn,
        tempfile.TemporaryDirectory() as folder,
        timed(took, "snapshot", spent),
    ):
        connection.private_copy(conn, Path(folder, "copy.db"))
    with timed(took, "load", spent):
        d = dashkit.open(path)
        d.sql(f"SELECT 1 -- {TYPED}")
    for known in (took, spent):  # opening begins with a snapshot
        known["load"] -= known["snapshot"]
    with timed(took, "history", spent):
        d.sql("SELECT 1 -- history.states, intervals, flow, blocks")
    for name, columns in by_hand.TRENDS.items():
        with timed(took, name, spent):
            frame = getattr(d, name)()
        answers[name] = by_hand.plain(frame[columns])
    return {
        "took": took, "spent": spent, "as_of": times.to_text(d.as_of), "answers": answers, "load": d._snapshot.load,
    }  # fmt: skip


def duckdb_by_hand(path, as_of):
    """DuckDB on the tables that dashkit loads."""
    import dashkit

    took, answers = {}, {}
    d = dashkit.open(path, as_of=as_of)
    d.sql(f"SELECT 1 -- {TYPED}")
    duck = d._snapshot._duck
    duck.execute(by_hand.DUCKDB_MACROS)
    for name, columns in by_hand.TRENDS.items():
        with timed(took, name):
            frame = duck.execute(by_hand.query(name, "duckdb")).df()
        answers[name] = by_hand.plain(frame[columns])
    return {"took": took, "answers": answers}


def sqlite_by_hand(path, as_of):
    """SQL on the SQLite file."""
    took, answers = {}, {}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        conn.execute("PRAGMA temp_store = FILE")
        conn.execute("PRAGMA cache_size = -200000")
        conn.create_function("as_of", 0, lambda: as_of, deterministic=True)
        with timed(took, "history"):
            conn.executescript(by_hand.SQLITE_INTERVALS)
        for name in by_hand.TRENDS:
            with timed(took, name):
                rows = conn.execute(by_hand.query(name, "sqlite")).fetchall()
            answers[name] = by_hand.plain(rows)
    return {"took": took, "answers": answers}


def pandas_by_hand(path, as_of):
    """read_sql, and pandas."""
    took, answers = {}, {}
    with contextlib.closing(sqlite3.connect(path)) as conn:
        with timed(took, "load"):
            work = by_hand.Pandas(conn, as_of)
        with timed(took, "history"):
            work.history()
        for name, columns in by_hand.TRENDS.items():
            with timed(took, name):
                frame = getattr(work, name)()
            answers[name] = by_hand.plain(frame[columns])
    return {"took": took, "answers": answers}


WAYS = {"dashkit": ours, "duckdb": duckdb_by_hand, "sqlite": sqlite_by_hand, "pandas": pandas_by_hand}


@contextlib.contextmanager
def timed(took, name, spent=None):
    """Seconds of a block, and of CPU in all threads."""
    started = time.perf_counter(), time.process_time()
    yield
    took[name] = time.perf_counter() - started[0]
    if spent is not None:
        spent[name] = time.process_time() - started[1]


def child(*words, checkout=None):
    """A process of this script, with the code of another checkout where one is given: what it tells."""
    line = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=True, text=True, env=environment(checkout))
    return json.loads(done.stdout)


def environment(checkout=None):
    """Compiled modules are kept, as in an installed package."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept if checkout is None else kept | {"PYTHONPATH": str(checkout)}


def made(path, tasks):
    """Make a database of so many tasks, or the sample, in a process of its own: the code of a checkout does it."""
    told = make(Path(path), int(tasks)) if tasks else sample(Path(path))
    return {"path": str(told)}


def make(folder, tasks):
    """A database of so many tasks, made once."""
    from dashkit import migrations

    path = folder / f"h{tasks}.db"
    if not path.exists():
        half = folder / f"{path.name}.part"
        half.unlink(missing_ok=True)
        migrations.create(half)
        with contextlib.closing(sqlite3.connect(half)) as conn:
            histories.fill(conn, tasks)
        half.rename(path)
    return path


def sample(folder):
    """The sample, migrated, with half a year of what people do."""
    import dashkit

    path = folder / "sample.db"
    if not path.exists():
        dashkit.write_sample(path)
        dashkit.migrate(path).execute()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
            histories.live(conn)
    return path


def small(folder, runs):
    """Whole processes at the size of the sample, then every frame."""
    path = sample(folder)
    first = f"import dashkit; dashkit.open({str(path)!r})"
    lines = {
        "import pandas, duckdb": "import pandas, duckdb",
        "dashkit.open": first,
        "dashkit.open, progress": f"{first}.progress()",
        "dashkit.open, blocked_tasks": f"{first}.blocked_tasks()",
    }
    best = {}
    for _ in range(runs):
        for name, code in lines.items():
            found = whole(code)
            best[name] = tuple(map(min, best.get(name, found), found))
    base = best["import pandas, duckdb"]
    rows = [("process", "wall", "ratio", "CPU", "ratio", "goal")]
    for name, (wall, cpu) in best.items():
        goal = f"<= {SMALL_GOAL}" if ", progress" in name else ""
        rows.append((name, ms(wall), f"{wall / base[0]:.2f}", ms(cpu), f"{cpu / base[1]:.2f}", goal))
    told = [child("--one", "frames", path) for _ in range(runs)]
    counts = ", ".join(f"{count:,} {table}" for table, count in told[0]["rows"].items() if count)
    table(f"Small, minima of {runs} runs ({counts})", rows)
    rows = [("frame", "first", "CPU", "again", "CPU", "goal")]
    for name in told[0]["took"]:
        least = [ms(min(values)) for values in zip(*(found["took"][name] for found in told), strict=True)]
        rows.append((name, *least, f"< {FRAME_GOAL} ms"))
    table("Each frame, in this order in one process, after progress", rows)


def whole(code, checkout=None):
    """Wall and CPU of a whole process."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], env=environment(checkout))
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {code}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime


def frames(path, _as_of):
    """Every frame twice, in one process."""
    from dashkit import dashboard

    took = {}
    with dashboard.open(path) as d:
        d.progress()
        for name, frame in dashboard.frames().items():
            spent = []
            for _ in range(2):
                started = time.perf_counter(), time.process_time()
                frame(d)
                spent += [time.perf_counter() - started[0], time.process_time() - started[1]]
            took[name] = spent
        return {"took": took, "rows": dict(d.rows)}


def large(folder, tasks, runs):
    """All ways at one size: the least of each figure, and the answers compared."""
    # In a process of its own: what this one needs at its peak counts for every process that it starts.
    path, best = Path(child("--one", "made", folder, "--as-of", tasks)["path"]), {}
    for number in range(runs):
        as_of = ""
        for name in WAYS if number == 0 else ("dashkit", "duckdb"):
            found = child("--one", name, path, "--as-of", as_of)
            if name == "dashkit":
                as_of = found["as_of"]
                expected = found["answers"]
            for trend, answer in found.pop("answers").items():
                if answer != expected[trend]:
                    raise SystemExit(
                        f"{name}: {trend} differs at {tasks:,} tasks: {difference(answer, expected[trend])}"
                    )
            known = best.setdefault(name, found)
            known["took"] = {key: min(value, found["took"][key]) for key, value in known["took"].items()}
    report(path, tasks, runs, best)
    return best


def difference(one, other):
    """The first rows that are not the same."""
    return next(((a, b) for a, b in zip(one, other, strict=False) if a != b), (len(one), len(other)))


def report(path, tasks, runs, best):
    """Print the costs at one size."""
    mine = best["dashkit"]["took"]
    with contextlib.closing(sqlite3.connect(path)) as conn:
        events = conn.execute("SELECT count(*) FROM task_events").fetchone()[0]
    title = f"{tasks:,} tasks, {events:,} events, {path.stat().st_size / 1e6:,.0f} MB, {best['dashkit']['load']}"
    heads = ("what", "dashkit", "DuckDB by hand", "ratio", "pandas", "alone", "sqlite3")
    rows = [heads]
    for name in ("snapshot", "load", "history", *by_hand.TRENDS):
        hand = {way: best[way]["took"].get(name) for way in ("duckdb", "pandas", "sqlite")}
        ratios = ("", "")
        if name in by_hand.TRENDS:
            alone = [sum(best[way]["took"].get(part, 0) for part in (*START, name)) for way in ("dashkit", "pandas")]
            ratios = f"{mine[name] / hand['duckdb']:.2f}", f"{alone[0] / alone[1]:.2f}"
        rows.append(
            (name, s(mine[name]), s(hand["duckdb"]), ratios[0], s(hand["pandas"]), ratios[1], s(hand["sqlite"]))
        )
    total = {way: sum(found["took"].values()) for way, found in best.items()}
    without_load = sum(mine[name] for name in ("history", *by_hand.TRENDS))
    rows += [
        ("all trends", s(without_load), s(total["duckdb"]), f"{without_load / total['duckdb']:.2f}", "", "", ""),
        ("all of it", s(total["dashkit"]), "", "", s(total["pandas"]), f"{total['dashkit'] / total['pandas']:.2f}",
         s(total["sqlite"])),
        ("of sqlite3", f"{total['dashkit'] / total['sqlite']:.2f}", "", "", "", "", ""),
        ("CPU", s(best["dashkit"]["CPU"]), s(best["duckdb"]["CPU"]), "", s(best["pandas"]["CPU"]), "",
         s(best["sqlite"]["CPU"])),
        ("peak MB", *(f"{best[way]['MB']:,}" if way else "" for way in (*list(WAYS)[:2], "", "pandas", "", "sqlite"))),
    ]  # fmt: skip
    if tasks >= BIG:
        least = f"{GOALS['sqlite']} of sqlite3, {GOALS['MB']:,} MB"
        rows.append(("at most", least, "", f"{GOALS['duckdb']}", "", f"{GOALS['pandas']}", ""))
    table(f"{title}, minima of {runs} runs (pandas and sqlite3: 1)", rows)


def beside(folder, sizes, runs, other):
    """This checkout and another one, in turns."""
    checkouts = {"here": Path(__file__).parents[1], "there": other.resolve()}
    folders = {name: folder / name for name in checkouts}
    for place in folders.values():
        place.mkdir(exist_ok=True)

    def paths(tasks):
        return {
            name: child("--one", "made", folders[name], "--as-of", tasks, checkout=checkout)["path"]
            for name, checkout in checkouts.items()
        }

    beside_small({name: (checkouts[name], path) for name, path in paths("").items()}, 3 * runs)
    for tasks in sizes:
        beside_large({name: (checkouts[name], path) for name, path in paths(tasks).items()}, tasks, runs)


def beside_small(both, runs):
    """Whole processes on the sample."""
    rows = [("process", "CPU here", "there", "ratio", "wall here", "there", "ratio")]
    for call in ("", ".progress()", ".blocked_tasks()"):
        best = {}
        for _ in range(runs):
            for name, (checkout, path) in both.items():
                found = whole(f"import dashkit; dashkit.open({path!r}){call}", checkout)
                best[name] = tuple(map(min, best.get(name, found), found))
        (here, here_cpu), (there, there_cpu) = best["here"], best["there"]
        cpu = ms(here_cpu), ms(there_cpu), f"{here_cpu / there_cpu:.3f}"
        rows.append((f"dashkit.open{call}", *cpu, ms(here), ms(there), f"{here / there:.3f}"))
    table(f"The sample, minima of {runs} runs", rows)


def beside_large(both, tasks, runs):
    """Each trend at one size."""
    best = {}
    for _ in range(runs):
        for name, (checkout, path) in both.items():
            found = child("--one", "dashkit", path, checkout=checkout)
            known = best.setdefault(name, found)
            for part in ("took", "spent"):
                known[part] = {key: min(value, found[part][key]) for key, value in known[part].items()}
            known["MB"] = min(known["MB"], found["MB"])
    rows = [("what", "CPU here", "there", "ratio", "wall here", "there", "ratio")]
    for key, parts in {**{part: [part] for part in best["here"]["took"]}, "all of it": best["here"]["took"]}.items():
        sums = [sum(best[name][kind][part] for part in parts) for kind in ("spent", "took") for name in best]
        cells = [s(value) for value in sums]
        rows.append((key, *cells[:2], f"{sums[0] / sums[1]:.3f}", *cells[2:], f"{sums[2] / sums[3]:.3f}"))
    peak = [best[name]["MB"] for name in best]
    rows.append(("peak MB", *(f"{one:,}" for one in peak), f"{peak[0] / peak[1]:.3f}", "", "", ""))
    table(f"{tasks:,} tasks, minima of {runs} runs", rows)


def growth(measured):
    """Print how the costs grow."""
    rows = [("seconds", *(f"{tasks:,}" for tasks in measured), "last against first")]
    for name in ("snapshot", "load", "history", *by_hand.TRENDS):
        took = [best["dashkit"]["took"][name] for best in measured.values()]
        rows.append((name, *(f"{value:.3f}" for value in took), f"{took[-1] / took[0]:,.0f} x"))
    table("Growth", rows)


def ms(seconds):
    """Milliseconds for a cell."""
    return f"{seconds * 1000:,.0f} ms"


def s(seconds):
    """Seconds for a cell."""
    return "" if seconds is None else f"{seconds:,.3f} s"


def table(title, rows):
    """Print one table."""
    print(f"\n{title}")
    width = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width[place]) for place, cell in enumerate(row)), flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="*")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--without-small", action="store_true")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--as-of", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        name, path = args.one
        told = {**WAYS, "frames": frames, "made": made}[name](path, args.as_of)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({**told, "MB": used.ru_maxrss // 1024, "CPU": used.ru_utime + used.ru_stime}))
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if args.beside:
            sizes = [1_587, 100_000, 1_000_000] if args.tasks is None else args.tasks
            beside(folder, sizes, args.runs or 5, args.beside)
            return
        runs = args.runs or 3
        if not args.without_small:
            small(folder, max(5, runs))
        sizes = [10_000, 100_000, 1_000_000] if args.tasks is None else args.tasks
        measured = {tasks: large(folder, tasks, runs) for tasks in sizes}
    if measured:
        growth(measured)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
