"""Draw docs/pictures/ from real input: the recorded history of a tracker, and repositories that are scanned.

    python docs/draw.py HISTORY.jsonl.xz REPOSITORY... [--folder FOLDER]

HISTORY is that of a file .beads/issues.jsonl, and ../shared/tools/replay_history.py makes a git repository of it. The
first of the repositories is on the page of the README. Needs chromium; what was scanned into FOLDER once is taken as it
is. The same input gives the same pictures, where chromium has the same letters.
"""  # noqa: INP001 - a script, no package

import argparse
import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image, ImageChops

import dashkit
from dashkit import charts, scanning
from dashkit.charts import Picture
from dashkit.reports.jobs import prepare
from dashkit.reports.run import run_all

ROOT = Path(__file__).resolve().parents[1]
PICTURES, REPLAY = ROOT / "docs" / "pictures", ROOT.parent / "shared" / "tools" / "replay_history.py"
STYLE = ROOT / "dashkit" / "reports" / "template" / "page.css"
HISTORY = "beads"  # the name of the replayed one
LIVELY, SCANNED = "2025-12-20T12:00:00Z", "2025-11-24T18:00:00Z"  # instants at which much happened in these
WIDTH, COLORS = 600, 256
PAGE, PAGE_HEIGHT = 1040, 1500
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
DARK = "--blink-settings=preferredColorScheme=0"


def replayed(history: Path, folder: Path) -> Path:
    """A git repository of a recorded history."""
    if not folder.is_dir():
        subprocess.run([sys.executable, REPLAY, history, ".beads/issues.jsonl", folder], check=True)
    return folder


def filled(repositories: list[Path], db: Path) -> Path:
    """A database with each of the repositories as a project."""
    if not db.exists():
        for repository in repositories:
            scanning.scan(repository, db=db, page=False)
    return db


def drawn(db: Path, first: str) -> Iterator[tuple[str, Picture]]:
    """Each picture by its name, of the input that has something to say."""
    with dashkit.open(db, as_of=LIVELY, project=HISTORY) as d:
        yield "burn_up", charts.burn_up(d.progress_over_time("day"), d.forecast_fan(), d.forecast())
        yield "cumulative_flow", charts.cumulative_flow(d.cumulative_flow("day"))
        yield "arrivals", charts.arrivals(d.arrivals())
        yield "time_to_finish", charts.time_to_finish(d.lead_times())
        yield "past_forecast", charts.past_forecast(d.forecast_fan(days_ago=14))
        yield "what_moved", charts.what_moved(d.what_moved())
    with dashkit.open(db, as_of=SCANNED, project=first) as d:
        yield "blocked_over_time", charts.blocked_over_time(d.blocked_over_time("day"), d.blocked_reasons_over_time())
        yield "progress_over_time", charts.progress_over_time(d.progress_over_time("day"), "day")
        yield "ageing", charts.ageing(d.ageing())
        yield "commit_calendar", charts.commit_calendar(d.commit_activity("day"))
        yield "finished_by_period", charts.finished_by_period(d.throughput())
        commits = d.links()["task_id"].value_counts(sort=True)
        story = d.task_timeline(int(min(commits.index[commits == commits.max()])))
        yield "task_strip", charts.task_strip(story, d.as_of)
    with dashkit.open(db, as_of=LIVELY) as d:
        yield "projects", charts.projects(d.progress(), d.throughput_by_project())


def photographed(html: Path, width: int, height: int, *more: str) -> Image.Image:
    """A page as Chromium shows it."""
    with tempfile.TemporaryDirectory() as folder:
        shot, profile = Path(folder) / "shot.png", Path(folder) / "profile"
        flags = [*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}", *more]
        subprocess.run(["chromium", *flags, f"--screenshot={shot}", html.as_uri()], check=True, capture_output=True)
        return Image.open(shot).convert("RGB")


def picture_png(picture: Picture, folder: Path) -> Image.Image:
    """A picture as it stands on a page, without the table of its data."""
    html = folder / "picture.html"
    style = STYLE.read_text(encoding="utf-8") + "details { display: none }"
    html.write_text(f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style>{picture._repr_html_()}", "utf-8")
    image = photographed(html, WIDTH, 900)
    box = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox() or (0, 0, WIDTH, 900)
    return image.crop((0, max(0, box[1] - 16), WIDTH, box[3] + 16))


def kept(image: Image.Image, name: str, colors: int = COLORS) -> None:
    """The image in docs/pictures, and how large it is."""
    target = PICTURES / f"{name}.png"
    image.quantize(colors).save(target, optimize=True)
    sys.stdout.write(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes\n")


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=Path)
    parser.add_argument("repositories", type=Path, nargs="+")
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        db = filled([replayed(args.history, folder / HISTORY), *args.repositories], folder / "pictures.db")
        first = args.repositories[0].name
        for name, picture in drawn(db, first):
            kept(picture_png(picture, folder), name)
        alone = filled(args.repositories[:1], folder / f"{first}.db")
        job = prepare("progress", db=alone, parameters={"as_of": SCANNED})
        (run,) = run_all([job], out=folder / "pages")
        shoot: Callable[..., Image.Image] = functools.partial(photographed, run.page, PAGE, PAGE_HEIGHT)
        kept(shoot(), "page")
        kept(shoot(DARK), "page_dark")


if __name__ == "__main__":
    main()
