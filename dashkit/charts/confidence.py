"""Which work belongs to which task, and how sure that is: links with a filter that needs no script."""

import zlib
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from dashkit.charts.drawing import local
from dashkit.charts.picture import caption
from dashkit.charts.tables import MOST_ROWS, rows_html
from dashkit.charts.words import are, count, sentences

if TYPE_CHECKING:
    import pandas as pd

_LIKELY: Final = 0.8
_DIGITS: Final = 10  # of a sha, or of another long name
_BANDS: Final = {"certain": "certain ones", "likely": f"from {_LIKELY} on", "unsure": "all"}  # from the surest
# The page has these rules of its own; a notebook has not.
_STYLE: Final = (
    "<style>.links:has(.certain input:checked) tbody:not(.certain),"
    ".links:has(.likely input:checked) tbody.unsure{display:none}</style>"
)


@dataclass(frozen=True)
class Links:
    """The latest links, each with its confidence, and a choice of how sure those are that are shown.

    Without a stylesheet that knows the choice, all are shown.

    Args:
        title: the finding, in a sentence.
        data: the rows that are shown; `confidence` is text.
        bands: how sure each row is: certain (1), likely (from 0.8 on), or unsure.
        more: how many rows are not shown.
        note: what was left out.
    """

    title: str
    data: "pd.DataFrame"
    bands: tuple[str, ...] = ()
    more: int = 0
    note: str = ""

    def _repr_html_(self) -> str:
        title = f"<figcaption>{caption(self.title)}</figcaption>"
        if self.data.empty:
            return f"<figure>{title}</figure>"
        rest = f"<p>And {self.more:,} more.</p>" if self.more else ""
        note = f"<p><small>{caption(self.note)}</small></p>" if self.note else ""
        return f'<figure class="links">{_STYLE}{title}{self._choice()}{self._table()}{rest}{note}</figure>'

    def _choice(self) -> str:
        """The bands as radio buttons, where there are several."""
        there = [band for band in _BANDS if band in self.bands]
        if len(there) < 2:
            return ""
        name = f"links-{zlib.crc32(self.data.to_csv().encode()):08x}"  # its own on the page, and the same each time
        sums = {band: sum(self.bands.count(surer) for surer in there[: place + 1]) for place, band in enumerate(there)}
        buttons = "".join(
            f'<label class="{band}"><input type="radio" name="{name}"{" checked" if band == there[-1] else ""}> '
            f"{'all' if band == there[-1] else _BANDS[band]} ({number:,})</label> "
            for band, number in sums.items()
        )
        return f"<fieldset><legend>Confidence</legend>{buttons}</fieldset>"

    def _table(self) -> str:
        """The table with a body for each run of rows of one band."""
        html = ""
        places = list(enumerate(self.bands))
        for band, run in groupby(places, key=lambda each: each[1]):
            rows = [place for place, _ in run]
            head, body = rows_html(self.data.iloc[rows].reset_index(drop=True)).split("<tbody>")
            body = f'<tbody class="{band}">{body}'
            html = html.replace("</table>", body) if html else head + body
        return html


def links_table(links: "pd.DataFrame", most: int = MOST_ROWS, timezone: str = "UTC") -> Links:
    """The latest commits and sessions that belong to a task, each with its task and how sure that is.

    Args:
        links: the frame, as far as its `min_confidence` leaves it.
        most: at most so many rows.
        timezone: of the dates that are told.
    """
    if links.empty:
        return Links("No commit or session is linked with a task.", links)
    rows = links.sort_values("occurred_at", ascending=False, kind="stable", na_position="last").head(most)
    sure = rows["confidence"].fillna(0).astype(float)
    bands = tuple("certain" if value >= 1 else "likely" if value >= _LIKELY else "unsure" for value in sure)
    shown = rows[["title", "task"]].reset_index(drop=True)
    shown["title"] = [
        target[:_DIGITS] if text is None else text
        for text, target in zip(
            shown["title"].astype(object).where(shown["title"].notna(), None), rows["target"], strict=True
        )
    ]
    days = local(rows["occurred_at"], timezone)
    shown["on"] = list(days.dt.strftime("%Y-%m-%d").astype(object).where(days.notna(), ""))
    shown["confidence"] = [f"{value:.2g}" if value else "not known" for value in sure]
    names = {
        "title": "commit or session" if len(set(rows["kind"])) > 1 else rows["kind"].iloc[0],
    }
    made = [
        count(number, kind)
        for kind in ("commit", "session")
        if (number := links.loc[links["kind"] == kind, "target"].nunique())
    ]
    number = links["task_id"].nunique()
    title = f"{count(number, 'task')} {are(number)} linked with {' and '.join(made)}; the latest:"
    inferred = int((links["confidence"].fillna(0) < 1).sum())
    note = sentences(
        "Confidence 1: the commit names the task, or somebody said so" + ("; less is inferred" if inferred else ""),
    )
    return Links(title, shown.rename(columns=names), bands, max(0, len(links) - most), note)
