"""An executed notebook as one page: no code, no address, nothing that runs."""

import base64
import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashkit.charts.picture import plain
from dashkit.reports import figures
from dashkit.reports.record import Verdict
from dashkit.reports.sanitize import clean

if TYPE_CHECKING:
    from nbformat import NotebookNode

# In cleaned HTML, where text has no bare `<`.
_VERDICT = re.compile(r'<(p|div) class="verdict bad">[^<]*</\1>')
# Tags on the cell of a second heading: its section stands in two columns with its neighbours, or folded away.
NARROW, FOLDED = "narrow", "folded"
_TEMPLATES = Path(__file__).resolve().parent / "template"


@dataclass(frozen=True)
class Facts:
    """What a page says about its run, beside what the notebook shows.

    Args:
        title: the report's.
        verdict: passed; failed: a check did not hold; refused: dashkit said no, and why; crashed: the notebook
            did not get to its end for another reason.
        error: what failed, was refused or crashed, as text.
        where: the cell that crashed, in words.
        lines: what stands in the footer, a line each.
        latest: the name of the last good page beside this one, for a page that has none to show.
        before: what an earlier page has handed on, which its key figures are compared with.
    """

    title: str
    verdict: Verdict = "passed"
    error: str = ""
    where: str = ""
    lines: Sequence[tuple[str, str]] = ()
    latest: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)


def render(notebook: "NotebookNode", facts: Facts) -> str:
    """The page: of a refused or crashed run only what went wrong, else what the notebook shows."""
    from nbconvert.exporters import TemplateExporter

    make: Any = TemplateExporter
    exporter = make(template_file=str(_TEMPLATES / "page.html.j2"), template_paths=[str(_TEMPLATES)])
    # Text from outside is escaped unless the template says that it is HTML.
    exporter.environment.autoescape = True
    runs = functools.partial(_runs, facts=facts)
    exporter.environment.filters.update(plain=plain, runs=runs)
    text, _ = exporter.from_notebook_node(notebook, resources={"facts": facts})
    return str(text)


@dataclass
class _Section:
    """What stands from one heading to the next, and how it looks on the page: '', narrow or folded."""

    look: str = ""
    heading: str = ""
    cells: list[tuple[str, list[str]]] = field(default_factory=list)  # of each the prose and the outputs, as HTML

    @property
    def is_there(self) -> bool:
        """Whether it has something to say: a heading is not said above outputs that are all empty."""
        outputs = [html for _, shown in self.cells for html in shown]
        return bool(self.cells) and (not self.heading or not outputs or any(outputs))


def _runs(cells: Sequence["NotebookNode"], facts: Facts) -> list[tuple[str, list[_Section]]]:
    """What the cells of a notebook show, by its second headings, without what papermill says of an error; by look."""
    found = [_Section()]
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            look = next((tag for tag in (NARROW, FOLDED) if tag in tags), "")
            found.append(_Section(look, cell.source[3:].partition("\n")[0]))
        if "papermill-error-cell-tag" in tags:
            continue
        prose = f'<div class="prose">{_prose(cell.source)}</div>' if cell.cell_type == "markdown" else ""
        outputs = (_shown(output, facts.before) for output in cell.get("outputs", []))
        shown = [html for html in outputs if html is not None]
        if facts.verdict == "failed":  # which the page says itself
            shown = [_VERDICT.sub("", html) for html in shown]
        found[-1].cells.append((prose, shown))
    there = [section for section in found if section.is_there]
    return [(look, list(run)) for look, run in itertools.groupby(there, key=lambda section: section.look)]


def _prose(source: str) -> str:
    """Markdown as HTML; HTML within it is text."""
    return clean(_markdown()(source))


@functools.cache
def _markdown() -> Callable[[str], str]:
    import mistune

    render_text: Any = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])
    return lambda source: str(render_text(source))


def _shown(output: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """One output of a cell as HTML: the richest form that cannot run; '' where that has nothing to show.

    None: it is not for the page. Warnings and errors stay in the notebook.
    """
    if output["output_type"] == "stream":
        return _text(_joined(output["text"])) if output["name"] == "stdout" else None
    data: Mapping[str, Any] = {kind: _joined(value) for kind, value in output.get("data", {}).items()}
    words = data.get("text/plain", "")
    if (html := figures.strip(data.get(figures.MIME), before) or data.get("text/html")) is not None:
        return clean(html)
    if "text/markdown" in data:
        return _prose(data["text/markdown"])
    if "image/svg+xml" in data:
        return _image("svg+xml", base64.b64encode(data["image/svg+xml"].encode()).decode("ascii"), words)
    if "image/png" in data:
        return _image("png", data["image/png"], words)
    return _text(words) if words else None


def _joined(value: Any) -> Any:
    """A text in one piece: as a list of lines it is a valid output too."""
    return "".join(map(str, value)) if isinstance(value, list) else value


def _image(kind: str, encoded: str, alt: str) -> str:
    source = "".join(encoded.split())
    return clean(f'<figure><img alt="{escape(alt)}" src="data:image/{kind};base64,{source}"></figure>')


def _text(text: str) -> str:
    from nbconvert.filters import strip_ansi

    return f"<pre>{escape(plain(strip_ansi(text)))}</pre>"  # type: ignore[no-untyped-call]
