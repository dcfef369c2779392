"""A drawing that carries its own title, words for who cannot see it, and its numbers."""

import base64
import io
import unicodedata
import warnings
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from dashkit.charts.style import DARK, FONTS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

NO_MATH = "mathjax_ignore tex2jax_ignore"  # notebooks set what stands between two dollar signs as mathematics
MOST_ROWS = 300  # more than anybody reads below a chart

# Orders to turn the text around: in a title they make the words beside it lie.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = {"Cc", "Cs", "Co"}  # control characters, lone surrogates and private use
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_RENDERING: "dict[RcKeyType, Any]" = {
    "svg.hashsalt": "dashkit",
    "svg.fonttype": "none",
    "font.sans-serif": FONTS,
}


def plain(text: str) -> str:
    """Text from outside without what no reader sees: control characters, surrogates, bidi orders.

    Line breaks and tabs stay.
    """
    return "".join(
        char
        for char in text
        if char in "\n\t"
        or not (char in _BIDI or unicodedata.category(char) in _UNSEEN or ord(char) & 0xFFFE == 0xFFFE)
    )


@dataclass(frozen=True)
class Picture:
    """One chart, ready for a page: a figure with a title, an alternative text and the data behind it.

    Args:
        figure: what was drawn.
        title: the finding, in a sentence; it stands above the drawing.
        alt: what a reader who does not see the drawing is told.
        data: the numbers that were drawn, one row per mark.
        note: what was counted, and what was left out, or what to do: the small words below the drawing.
    """

    figure: "Figure"
    title: str
    alt: str
    data: "pd.DataFrame"
    note: str = ""

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG: the same bytes in each run, dark where the reader's screen is dark."""
        import matplotlib as mpl
        from matplotlib.text import Text

        for text in self.figure.findobj(Text):
            # A title is no mathematics ("cost $5 and $6"), and one control character breaks the whole image.
            text.set_parse_math(False)
            text.set_text(plain(text.get_text()))
        buffer = io.StringIO()
        with mpl.rc_context(_RENDERING), warnings.catch_warnings():
            # The reader's own fonts draw the text, and have more letters than matplotlib's.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self.figure.savefig(buffer, format="svg", metadata=_NO_METADATA, transparent=True)
        drawing = buffer.getvalue()
        # Without the XML prologue, which names a document type on the net.
        tag, rest = drawing[drawing.index("<svg") :].split(">", 1)
        return f"{tag}><style>{_dark_rules()}</style>{rest}"

    def _repr_html_(self) -> str:
        note = f"<p><small>{caption(self.note)}</small></p>" if self.note else ""
        if self.data.empty:  # nothing to see: the sentence is all there is to say
            return framed(self.title, note)
        source = base64.b64encode(self.svg.encode()).decode("ascii")
        drawing = f'<img alt="{escape(plain(self.alt))}" src="data:image/svg+xml;base64,{source}">'
        data = f"<details><summary>{self._summary()}</summary>{table_html(self._rows())}</details>"
        return framed(self.title, drawing, note, data)

    def _rows(self) -> "pd.DataFrame":
        """As many as anybody reads: of times the last ones."""
        return self.data.tail(MOST_ROWS) if self._is_over_time() else self.data.head(MOST_ROWS)

    def _is_over_time(self) -> bool:
        return str(self.data.dtypes.iloc[0]).startswith("datetime64")

    def _summary(self) -> str:
        if len(self.data) <= MOST_ROWS:
            return "The data as a table"
        which = "last" if self._is_over_time() else "first"
        return f"The data as a table: the {which} {MOST_ROWS:,} of {len(self.data):,} rows"


def framed(title: str, *parts: str, look: str = "") -> str:
    """A figure of HTML below its title."""
    looks = f"{look} {NO_MATH}".strip()
    return f'<figure class="{looks}"><figcaption>{caption(title)}</figcaption>{"".join(parts)}</figure>'


def caption(text: str) -> str:
    """A sentence as HTML; a number stays in one line with its percent sign."""
    return escape(plain(text)).replace(" %", "\N{NO-BREAK SPACE}%")


def _dark_rules() -> str:
    # matplotlib writes colours into style attributes, which only !important outranks.
    rules = (
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def table_html(data: "pd.DataFrame") -> str:
    """A frame as an HTML table, its text escaped, at most 300 rows."""
    import pandas as pd

    shown = data.head(MOST_ROWS).copy()
    for place, kind in enumerate(map(str, shown.dtypes)):
        column = shown.iloc[:, place]
        if kind.startswith("datetime64") and column.dt.tz is None:  # days, and instants among them by the clock there
            told = column.dt.strftime("%Y-%m-%d %H:%M").str.removesuffix(" 00:00")
            shown.isetitem(place, list(told.astype(object).where(column.notna(), "")))
        elif kind in ("Int64", "boolean"):  # na_rep does not reach these
            shown.isetitem(place, list(column.astype(object).where(column.notna(), "")))
    with pd.option_context("display.max_colwidth", None):
        html = shown.to_html(
            index=not isinstance(data.index, pd.RangeIndex), border=0, escape=True, na_rep="", justify="unset"
        )
    head, body = html.split("<tbody>", 1)
    return plain(head.replace("<th>", '<th scope="col">') + "<tbody>" + body.replace("<th>", '<th scope="row">'))
