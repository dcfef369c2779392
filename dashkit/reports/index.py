"""index.html: every run of every report, the newest first, as the records tell it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dashkit.charts.picture import plain
from dashkit.reports import changes, record
from dashkit.reports.folder import LATEST
from dashkit.reports.publish import staging
from dashkit.times import show_seconds

NAME = "index.html"
_WORDS = {"passed": "good", "failed": "checks failed", "refused": "refused", "crashed": "FAILED"}
_LONGEST = 300  # characters of an error in a row
_TEMPLATES = Path(__file__).resolve().parent / "template"


def write(out: Path) -> Path:
    """Write the index of a folder of pages, in the place of the one that is there.

    Raises:
        RefusedError: nothing can be written there.
        FailedError: the disk failed; the old one is there.
    """
    folders = [folder for folder in sorted(out.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    histories = [[run for _, run in record.load(folder)] for folder in folders]
    text = render([runs for runs in histories if runs], {folder.name for folder in folders if _is_there(folder)})
    with staging(out, "index") as stage:
        return stage.publish_as(text, NAME)


def render(histories: Iterable[list[record.Record]], with_page: set[str]) -> str:
    """The index of the runs of each report, each the newest first.

    Args:
        histories: the runs.
        with_page: the names of the reports that have a page which got to its end.
    """
    from jinja2 import Environment, FileSystemLoader

    histories = sorted(histories, key=lambda runs: (runs[0].title.casefold(), runs[0].name))
    titles = Counter(title for runs in histories for title in {run.title for run in runs})
    several = frozenset(title for title, number in titles.items() if number > 1)
    rows = [row for runs in histories for row in _rows(runs, several)]
    return (
        Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)
        .get_template("index.html.j2")
        .render(
            bad=[_named(run, several) for run in map(record.judged, histories) if not run.ok],
            reports=[_report(runs, several) for runs in histories if runs[0].name in with_page],
            runs=sorted(rows, key=lambda row: str(row["started_at"]), reverse=True),
        )
    )


def _report(runs: list[record.Record], several: frozenset[str]) -> dict[str, str]:
    place, shown = next(((place, run) for place, run in enumerate(runs) if run.shows), (0, None))
    moved = changes.in_short(shown, record.earlier(runs[place + 1 :], shown)) if shown else ""
    as_of = f"as of {_minute(shown.as_of)} UTC" if shown else ""
    return {
        "title": _named(shown or runs[0], several),
        "latest": _link(runs[0].name, LATEST),
        "told": ": ".join(filter(None, [as_of, moved])),
    }


def _rows(runs: list[record.Record], several: frozenset[str]) -> Iterator[dict[str, Any]]:
    for place, run in enumerate(runs):
        moved = changes.in_short(run, record.earlier(runs[place + 1 :], run))
        yield {
            "started_at": _instant(run.started_at),
            "title": _named(run, several),
            "page": _link(run.name, run.page) if run.page else "",
            "ok": run.ok,
            "verdict": _WORDS[run.verdict],
            "as_of": _minute(run.as_of) if run.shows else "",
            "changes": moved if run.ok else "; ".join(filter(None, [_cut(_text(run.error)), moved])),
            "took": show_seconds(run.seconds) if run.seconds else "",
        }


def _is_there(folder: Path) -> bool:
    return (folder / LATEST).is_file()


def _link(name: str, page: str) -> str:
    # The dot: a name with a colon would be the scheme of an address; the bytes: a name is any.
    return f"./{quote(name.encode('utf-8', 'surrogateescape'))}/{quote(page.encode('utf-8', 'surrogateescape'))}"


def _named(run: record.Record, several: frozenset[str]) -> str:
    """The title of a report; of one that shares it with others, such as a copy, with its own name."""
    return _text(f"{run.title} ({run.name})" if run.title in several else run.title)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _text(text: str) -> str:
    return " ".join(plain(text).split())


def _instant(text: str) -> str:
    return _text(text)[:19].replace("T", " ")


def _minute(text: str) -> str:
    return _instant(text)[:16]
