"""How far the numbers can be trusted: what bends them, what is not counted, what cannot be read."""

from typing import TYPE_CHECKING, Final

from dashkit.charts.tables import Table
from dashkit.charts.words import are, count, sentences

if TYPE_CHECKING:
    import pandas as pd

_NAMED: Final = 5


def quality_table(data_quality: "pd.DataFrame") -> Table:
    """What was found in the data that bends the numbers, all text; what was looked for in vain is told below.

    Args:
        data_quality: the frame, in its order.
    """
    found = data_quality[data_quality["count"] > 0].reset_index(drop=True)
    clear = data_quality.loc[data_quality["count"] == 0, "check"]
    note = sentences(f"Looked for and not found: {'; '.join(clear)}" if len(clear) else "")
    if found.empty:
        return Table(f"None of {count(len(data_quality), 'check')} found anything. {note}", found)
    title = f"{len(found)} of {count(len(data_quality), 'check')} found something"
    ids = [_first(text) if isinstance(text, str) else "" for text in found["ids"].astype(object)]
    shown = found[["check", "count", "effect"]].assign(ids=ids)
    words = {"check": "what", "count": "how often", "effect": "what that does to the numbers", "ids": "where"}
    return Table(f"{title}:", shown.rename(columns=words), note=note)


def _first(ids: str) -> str:
    """The first few of the ids."""
    named = ids.split(", ")
    return ", ".join(named[:_NAMED]) + (" …" if len(named) > _NAMED else "")


def bad_values_table(bad_values: "pd.DataFrame") -> Table:
    """The columns in which something stands that cannot be read. Takes the frame `bad_values`."""
    number = int(bad_values["bad_values"].sum())
    if not number:
        return Table("Every stored value can be read.", bad_values.iloc[:0])
    words = {"table_name": "table", "column_name": "column", "bad_values": "values that cannot be read"}
    title = f"{count(number, 'value')} cannot be read, and {are(number)} missing in every frame:"
    return Table(title, bad_values.rename(columns=words))
