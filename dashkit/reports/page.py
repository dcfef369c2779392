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
    shown = functools.partial(_shown, before=facts.before)
    exporter.environment.filters.update(prose=_prose, shown=shown, unjudged=_unjudged, plain=plain, runs=_runs)
    text, _ = exporter.from_notebook_node(notebook, resources={"facts": facts})
    return str(text)


@dataclass
class _Section:
    """The cells from one heading to the next, and how they stand on the page: '', narrow or folded."""

    look: str = ""
    heading: str = ""
    cells: list["NotebookNode"] = field(default_factory=list)


def _runs(cells: Sequence["NotebookNode"]) -> list[tuple[str, list[_Section]]]:
    """The cells of a notebook by its second headings, without what papermill says of an error; by look."""
    found = [_Section()]
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            look = next((tag for tag in (NARROW, FOLDED) if tag in tags), "")
            found.append(_Section(look, cell.source[3:].partition("\n")[0]))
        if "papermill-error-cell-tag" not in tags:
            found[-1].cells.append(cell)
    there = [section for section in found if section.cells]
    return [(look, list(run)) for look, run in itertools.groupby(there, key=lambda section: section.look)]


def _prose(source: str) -> str:
    """Markdown as HTML; HTML within it is text."""
    return clean(_markdown()(source))


@functools.cache
def _markdown() -> Callable[[str], str]:
    import mistune

    render_text: Any = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])
    return lambda source: str(render_text(source))


def _shown(output: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """One output of a cell as HTML: the richest form that cannot run; warnings stay in the notebook."""
    if output["output_type"] == "stream":
        return _text(output["text"]) if output["name"] == "stdout" else ""
    data: Mapping[str, Any] = output.get("data", {})
    words = data.get("text/plain", "")
    if (html := figures.strip(data.get(figures.MIME), before) or data.get("text/html")) is not None:
        return clean(html)  # '' where it has nothing to show
    if "text/markdown" in data:
        return _prose(data["text/markdown"])
    if "image/svg+xml" in data:
        return _image("svg+xml", base64.b64encode(data["image/svg+xml"].encode()).decode("ascii"), words)
    if "image/png" in data:
        return _image("png", data["image/png"], words)
    return _text(words) if words else ""


def _unjudged(html: str) -> str:
    """Cleaned HTML without a bad verdict of its own, where the page has said it already."""
    return _VERDICT.sub("", html)


def _image(kind: str, encoded: str, alt: str) -> str:
    source = "".join(encoded.split())
    return clean(f'<figure><img alt="{escape(alt)}" src="data:image/{kind};base64,{source}"></figure>')


def _text(text: str) -> str:
    from nbconvert.filters import strip_ansi

    return f"<pre>{escape(plain(strip_ansi(text)))}</pre>"  # type: ignore[no-untyped-call]
