"""Which work belongs to which task, and how sure that is: links with a filter that needs no script."""

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashkit.charts.drawing import in_words, tuples
from dashkit.charts.picture import caption, framed
from dashkit.charts.tables import MOST_ROWS, rows_html
from dashkit.charts.words import are, count, sentences, short

if TYPE_CHECKING:
    import pandas as pd

_LIKELY: Final = 0.8
_WORDS: Final = {"certain": "certain ones", "likely": f"from {_LIKELY} on", "all": "all"}
_KINDS: Final = ("commit", "session")
_NAME: Final = 100  # columns of a commit or session
_DIGITS: Final = 10  # of a sha, or of another long name
# The page has these rules of its own; a notebook has not.
_STYLE: Final = "<style>{}{{display:none}}</style>".format(
    ",".join(f".links:has(.{choice} input:checked) tbody:not(.{choice})" for choice in _WORDS)
)


@dataclass(frozen=True)
class Links:
    """Tasks with the latest link of each and its confidence, and a choice of how sure those are that are shown.

    Without a stylesheet the rows of every choice are shown.

    Args:
        title: the finding, in a sentence.
        choices: the rows that each of them shows, from the surest on, and of how many tasks there are such links;
            the last one, `all`, is shown until another one is chosen. `confidence` is text.
        note: what a confidence says.
    """

    title: str
    choices: "dict[str, tuple[pd.DataFrame, int]]"
    note: str = ""

    @property
    def data(self) -> "pd.DataFrame":
        """The rows that are shown at first."""
        return self.choices["all"][0]

    def _repr_html_(self) -> str:
        if self.data.empty:
            return framed(self.title)
        note = f"<p><small>{caption(self.note)}</small></p>" if self.note else ""
        return framed(self.title, _STYLE, self._choice(), self._table(), note, look="links")

    def _choice(self) -> str:
        """The choices as radio buttons, where there are several."""
        if len(self.choices) < 2:
            return ""
        name = f"links-{zlib.crc32(self._table().encode()):08x}"  # its own on the page, and the same each time
        buttons = "".join(
            f'<label class="{choice}"><input type="radio" name="{name}"{" checked" if choice == "all" else ""}> '
            f"{_WORDS[choice]} ({number:,})</label> "
            for choice, (_, number) in self.choices.items()
        )
        return f"<fieldset><legend>Confidence</legend>{buttons}</fieldset>"

    def _table(self) -> str:
        """The table with a body for each choice."""
        html = ""
        for choice, (rows, _) in self.choices.items():
            head, body = rows_html(rows).split("<tbody>")
            body = f'<tbody class="{choice}">{body}'
            html = html.replace("</table>", body) if html else head + body
        return html


def links_table(links: "pd.DataFrame", most: int = MOST_ROWS, timezone: str = "UTC") -> Links:
    """The tasks that commits and sessions were linked with last, each with the latest of these and how sure that is.

    Args:
        links: the frame, as far as its `min_confidence` leaves it.
        most: at most so many tasks.
        timezone: of the dates that are told.
    """
    if links.empty:
        return Links("No commit or session is linked with a task.", {"all": (links, 0)})
    rows = links.sort_values("occurred_at", ascending=False, kind="stable", na_position="last")
    sure = rows["confidence"].fillna(0).astype(float)
    unsure, chosen, number = bool((sure < 1).any()), {}, 0
    for choice, least in (("certain", 1.0), ("likely", _LIKELY)):
        some = rows[sure >= least]
        if number < len(some) < len(rows):
            chosen[choice], number = some, len(some)
    chosen["all"] = rows
    made = {kind: number for kind in _KINDS if (number := rows.loc[rows["kind"] == kind, "target"].nunique())}
    names = ["task", " or ".join(made), "on", *(["confidence"] if unsure else [])]
    choices = {
        choice: (_latest(some, most, timezone).iloc[:, : len(names)].set_axis(names, axis=1), some["task_id"].nunique())
        for choice, some in chosen.items()
    }
    number = rows["task_id"].nunique()
    linked = " and ".join(count(number, kind) for kind, number in made.items())
    why = "the commit names the task, or somebody said so"
    note = f"Confidence 1: {why}; less is inferred" if unsure else f"Each is of confidence 1: {why}"
    title = f"{count(number, 'task')} {are(number)} linked with {linked}; the latest:"
    return Links(title, choices, sentences(note))


def _latest(links: "pd.DataFrame", most: int, timezone: str) -> "pd.DataFrame":
    """Each task with the first of its links, and how many more it has; on which day, and how sure it is."""
    links = links.assign(more=links.groupby("task_id", dropna=False)["target"].transform("size") - 1)
    rows = links.drop_duplicates("task_id").head(most)
    return (
        rows[["task"]]
        .reset_index(drop=True)
        .assign(
            what=[
                short(row.title, row.target[:_DIGITS], _NAME) + (f"; and {row.more:,} more" if row.more else "")
                for row in tuples(rows)
            ],
            on=in_words(rows["occurred_at"], timezone, "%Y-%m-%d"),
            confidence=[
                f"{math.floor(100 * value + 1e-6) / 100:g}" if value else "not known"
                for value in rows["confidence"].fillna(0).astype(float)
            ],
        )
    )
