"""What reports cost, as ratios in one run: their CPU, several at once, nothing changed, and the size of a page.

    python benchmarks/reports.py [--runs 3] [--folder FOLDER] [--db PATH [--as-of INSTANT]] [REPORT ...]

Each report against what nobody could do without: papermill over a notebook of as many cells that imports the same
libraries and shows a text in each, then nbconvert of what came out. Whole processes with their kernels, interleaved,
minima of user and system time. At once: copies of the progress notebook by one command, against the same with one
worker, and against one command after the other: the median of the ratios of each round, for the machine may be busy;
and `--all`, whose reports are of different lengths. On the sample at the newest version, or on the database given.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import nbformat.v4 as nb

from dashkit import migrations
from dashkit.reports import catalog
from dashkit.sample import write_sample

ROOT = Path(__file__).resolve().parents[1]
CPU_GOAL, WALL_GOAL, SECONDS_GOAL, BYTES_GOAL = 1.5, 0.65, 0.5, 1_000_000
COPIES = 4
AT_ONCE = """
import sys, warnings
from dashkit.reports.jobs import prepare
from dashkit.reports.run import run_all
jobs = [prepare(path, db=sys.argv[2]) for path in sys.argv[4:]]
run_all(jobs, out=sys.argv[3], workers=int(sys.argv[1]))
"""


def measured(*commands):
    """Wall and CPU seconds of commands one after the other, with all the processes that they start."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in commands:
        subprocess.run([sys.executable, *command], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, cpu


def empty(report, folder):
    """Papermill and nbconvert of a notebook as long as the report that only loads what it loads."""
    cells = nbformat.read(report.path, 4).cells
    made = [nb.new_markdown_cell(c.source) if c.cell_type == "markdown" else nb.new_code_cell("'shown'") for c in cells]
    first = next(cell for cell in made if cell.cell_type == "code")
    first.source = "import dashkit, duckdb, pandas, matplotlib.figure, matplotlib.backends.backend_svg"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    source, out = folder / f"{report.name}.ipynb", folder / f"{report.name}.out.ipynb"
    nbformat.write(nb.new_notebook(cells=made, metadata={"kernelspec": kernel}), source)
    run = ["-m", "papermill", str(source), str(out), "--no-progress-bar"]
    return run, ["-m", "nbconvert", "--to", "html", str(out), "--log-level", "ERROR"]


def best(ways, runs):
    """Each way's least wall and CPU seconds, all ways taking turns."""
    seen = {name: [] for name in ways}
    for _ in range(runs):
        for name, commands in ways.items():
            seen[name].append(measured(*commands))
    return {name: tuple(map(min, zip(*found, strict=True))) for name, found in seen.items()}


def said(what, value, goal, form="{:.2f}"):
    print(f"{what:52} {form.format(value):>10} {form.format(goal):>10}  {'ok' if value <= goal else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--db", type=Path)
    parser.add_argument("--as-of")
    parser.add_argument("reports", metavar="REPORT", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.folder or Path(made)
        folder.mkdir(exist_ok=True)
        db = args.db or folder / "sample.db"
        if not db.exists():
            write_sample(db)
            migrations.execute(db)
        said_of = [*(["--as-of", args.as_of] if args.as_of else []), "--db", str(db), "--out", str(folder / "pages")]
        chosen = [report for report in catalog.reports() if not args.reports or report.name in args.reports]
        print(f"{'':52} {'measured':>10} {'goal':>10}")
        for report in chosen:
            ways = {"ours": [["-m", "dashkit", "report", report.name, *said_of]], "empty": empty(report, folder)}
            found = best(ways, args.runs)
            said(f"{report.name}: CPU, of an empty run", found["ours"][1] / found["empty"][1], CPU_GOAL)
            print(f"  {found['ours'][1]:.1f} s of {found['empty'][1]:.1f} s CPU; wall {found['ours'][0]:.1f} s")
            pages = (folder / "pages" / report.name / "latest.html").stat().st_size
            said(f"{report.name}: bytes of the page", pages, BYTES_GOAL, "{:,}")
        at_once(db, folder, args.runs)
        alone = [["-m", "dashkit", "report", report.name, *said_of] for report in chosen]
        names = [report.name for report in chosen]
        rounds = [[measured(*ways)[0] for ways in ([["-m", "dashkit", "report", *names, *said_of]], alone)]
                  for _ in range(args.runs)]  # fmt: skip
        ratio = statistics.median(together / apart for together, apart in rounds)
        said(f"all {len(chosen)} reports at once: wall, of one command each", ratio, WALL_GOAL)
        unchanged(db, folder, args.runs)


def at_once(db, folder, runs):
    """Several at once, against one after the other."""
    source = next(path for path in catalog.bundled() if path.stem == "progress")
    copies = [shutil.copy(source, folder / f"copy{number}.ipynb") for number in range(COPIES)]
    out = str(folder / "copies")
    call = [str(db), out, *map(str, copies)]
    ways = {
        "at once": [["-c", AT_ONCE, "2", *call]],
        "one process": [["-c", AT_ONCE, "1", *call]],
        "one by one": [["-m", "dashkit", "report", str(copy), "--db", str(db), "--out", out] for copy in copies],
    }
    rounds = [{name: measured(*commands)[0] for name, commands in ways.items()} for _ in range(runs)]
    for name, words in (("one by one", "one command each"), ("one process", "one worker")):
        ratio = statistics.median(walls["at once"] / walls[name] for walls in rounds)
        said(f"{COPIES} at once: wall, of {words}", ratio, WALL_GOAL)


def unchanged(db, folder, runs):
    """Nothing changed, and saying so."""
    call = ["-m", "dashkit", "report", "progress", "--db", str(db), "--out", str(folder / "pages"), "--if-changed"]
    measured(call)
    said("nothing changed: seconds", best({"": [call]}, runs + 2)[""][0], SECONDS_GOAL)


if __name__ == "__main__":
    main()
