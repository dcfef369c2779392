"""What it costs to read a repository's whole history, measured side by side in one run.

    python benchmarks/ingest_git.py REPO [--runs 3] [--without-pydriller]

Floor: the one `git log --no-merges --no-renames --numstat` that computes the same numbers and stores nothing.
Peer: PyDriller, where it is installed, on the newest commits only, scaled to all of them.
Each run is a process of its own and the runs are interleaved; figures are minima, CPU with all children.
Peak memory is that of the Python process, and beside it of its largest git process, most of which is the
repository's pack, mapped.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEER_COMMITS = 500
GOALS = {"wall": 0.7, "cpu": 1.15, "MB": 200, "again": 0.3}


def git_log(repo, _db):
    """One git process, its output thrown away."""
    words = ["git", "-C", repo, "log", "--no-merges", "--no-renames", "--numstat"]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def dashkit(repo, db):
    """The whole history into a fresh database."""
    from dashkit import migrations
    from dashkit.ingest.git import ingest_git

    migrations.create(db)
    return {"commits": ingest_git([repo], db=db).added}


def nothing_new(repo, db):
    """The command once more, from its start to its end."""
    subprocess.run(
        [sys.executable, "-m", "dashkit", "ingest", "git", repo, "--db", db], capture_output=True, check=True
    )


def pydriller(repo, _db):
    """PyDriller on a few commits: lines and files of each."""
    try:
        from pydriller import Repository
    except ImportError:
        return {"skip": "not installed"}
    try:
        walk = Repository(repo, order="reverse").traverse_commits()
        found = [(c.hash, c.insertions, c.deletions, c.files) for c, _ in zip(walk, range(PEER_COMMITS), strict=False)]
    except Exception as error:  # noqa: BLE001 - what it cannot read is no failure of this script
        return {"skip": f"failed: {type(error).__name__}"}
    return {"commits": len(found)}


RUNS = {"git log": git_log, "dashkit": dashkit, "nothing new": nothing_new, "PyDriller": pydriller}


def child(name, repo, db):
    """One run in a process of its own: wall seconds, CPU seconds, peak memory in MB."""
    started = time.perf_counter()
    told = RUNS[name](repo, db) or {}
    wall = time.perf_counter() - started
    own, kids = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + kids.ru_utime + kids.ru_stime
    return {"wall": wall, "cpu": cpu, "MB": own.ru_maxrss // 1024, "git MB": kids.ru_maxrss // 1024, **told}


def measure(repo, runs, names, folder):
    """The least of each figure over interleaved runs."""
    best = {}
    for number in range(runs):
        db = str(folder / f"{number}.db")
        for name in names:
            line = [sys.executable, __file__, repo, "--child", name, "--db", db]
            found = json.loads(subprocess.run(line, capture_output=True, check=True, text=True).stdout)
            known = best.setdefault(name, found)
            best[name] = found if "skip" in found else {key: min(known[key], value) for key, value in found.items()}
    return best


def row(name, found, floor, commits):
    """One line of the table."""
    if "skip" in found:
        return name, found["skip"], "", "", "", "", "", ""
    scale = commits / found["commits"] if found.get("commits") else 1
    wall, cpu = found["wall"] * scale, found["cpu"] * scale
    of_log = (f"{wall / floor['wall']:.2f}", f"{cpu / floor['cpu']:.2f}") if name != "nothing new" else ("", "")
    speed = f"{commits / wall:,.0f}" if name != "nothing new" else ""
    return name, f"{wall:.2f} s", of_log[0], f"{cpu:.2f} s", of_log[1], speed, str(found["MB"]), str(found["git MB"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repo")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-pydriller", action="store_true")
    parser.add_argument("--child", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--db", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child, args.repo, args.db)))
        return
    names = [name for name in RUNS if name != "PyDriller" or not args.without_pydriller]
    with tempfile.TemporaryDirectory() as folder:
        best = measure(args.repo, args.runs, names, Path(folder))
        size = (Path(folder) / "0.db").stat().st_size
    commits = best["dashkit"]["commits"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{commits:,} commits, {cores} cores, database {size / commits:,.0f} bytes a commit")
    rows = [("what", "wall", "of log", "CPU", "of log", "commits/s", "MB", "git MB")]
    rows += [row(name, found, best["git log"], commits) for name, found in best.items()]
    rows.append(
        ("goal", f"again {GOALS['again']} s", f"{GOALS['wall']}", "", f"{GOALS['cpu']}", "", f"{GOALS['MB']}", "")
    )
    width = [max(len(line[place]) for line in rows) for place in range(len(rows[0]))]
    for line in rows:
        print("  " + "  ".join(cell.rjust(width[place]) for place, cell in enumerate(line)))


if __name__ == "__main__":
    main()
