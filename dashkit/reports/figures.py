"""The key figures of a Dashboard: a strip on the page, and numbers for run.json.

What a notebook displays in the form MIME is handed on to the record of its run; it stands in the notebook's outputs,
so that plain papermill and `dashkit report` keep the same.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from dashkit.times import of_column, parse, to_text

if TYPE_CHECKING:
    import pandas as pd
    from nbformat import NotebookNode

    from dashkit.dashboard import Dashboard

MIME = "application/vnd.dashkit+json"
_DAYS = 7  # what "lately" is
_SURE = 0.85


@dataclass(frozen=True)
class KeyFigures:
    """The figures that a page begins with, and what the next page has to know of this one.

    Args:
        content: plain values: `as_of`, `project`, `figures` (each with name, label, value, unit, detail) and the
            `blocked` tasks.
    """

    content: Mapping[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        words = [f"{figure['label']}: {_number(figure['value'])} {figure['detail']}" for figure in _figures(self)]
        html = f'<dl class="figures">{"".join(_tile(figure, "") for figure in _figures(self))}</dl>'
        return {MIME: dict(self.content), "text/html": html, "text/plain": "\n".join(word.strip() for word in words)}


def key_figures(
    dashboard: "Dashboard",
    progress: "pd.DataFrame | None" = None,
    blocked: "pd.DataFrame | None" = None,
    forecast: "pd.DataFrame | None" = None,
) -> KeyFigures:
    """The key figures of a Dashboard: show it in a cell, and its page has a strip of them with their changes.

    Tasks done, blocked and waiting; tasks finished and commits made in the last seven days, today included; and in how
    many days the next ten tasks will be done, at 85 percent confidence. What no history is kept for is left out. The
    record of the run (run.json) has the same numbers, and which tasks are blocked.

    Args:
        dashboard: whose.
        progress: the frame, where it is there already, as the other two.
        blocked: the frame `blocked_tasks`.
        forecast: the frame; of a version that keeps no history there is none.
    """
    stuck = dashboard.blocked_tasks() if blocked is None else blocked
    if forecast is None and dashboard.has_history:
        forecast = dashboard.forecast()
    if progress is None:
        progress = dashboard.progress()
    return KeyFigures(
        {
            "as_of": to_text(dashboard.as_of),
            "project": dashboard.project,
            "figures": [*_counts(progress, stuck), *_pace(dashboard, forecast)],
            "blocked": list(_blocked(stuck[stuck["cause"] == "reported"])),
        }
    )


def hand_on(**content: object) -> None:
    """Keep values for the record of a notebook's run (run.json, `numbers`); nothing is shown.

    Elsewhere than in a notebook nothing happens.

    Args:
        content: plain values, instants, and frames, which are kept as their rows.
    """
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        plain = {name: _plain(value) for name, value in content.items()}
        display({MIME: plain, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]


def _plain(value: Any, column: str = "") -> Any:
    """A value as JSON has it: an instant as it is stored, or as its day in a column of days, a frame as its rows."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return [{str(name): _plain(one, str(name)) for name, one in row.items()} for row in value.to_dict("records")]
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, datetime):
        return of_column(column, value) if value.tzinfo else value.isoformat()
    return value


def handed_on(notebook: "NotebookNode") -> dict[str, Any]:
    """All that the cells of an executed notebook have handed on."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get(MIME)
            if isinstance(content, Mapping):
                found |= content
    return found


def strip(content: object, before: Mapping[str, Any]) -> str:
    """The figures as HTML, each with its change since those of an earlier page; '' where there are none."""
    if not isinstance(content, Mapping):
        return ""
    old = {figure["name"]: figure["value"] for figure in known(before)}
    figures = list(known(content))
    moves = [change(old.get(figure["name"]), figure["value"]) for figure in figures]
    tiles = "".join(_tile(figure, moved) for figure, moved in zip(figures, moves, strict=True))
    when = parse(before.get("as_of")) if old else None
    said = "The small numbers are what" if any(moves) else "None of these"
    since = f"<p>{said} changed since {when.day} {when:%B %Y, %H:%M} UTC.</p>" if when else ""
    return f'<dl class="figures">{tiles}</dl>{since}' if tiles else ""


def known(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The figures that were handed on, as far as they are some: a notebook of anybody's may hand on anything."""
    figures = content.get("figures")
    for figure in figures if isinstance(figures, list) else ():
        value = figure.get("value") if isinstance(figure, Mapping) else None
        if isinstance(value, int | float) and math.isfinite(value):
            texts = {name: str(figure.get(name, "")) for name in ("name", "label", "unit", "detail")}
            yield {**texts, "value": value}


def change(before: float | None, now: float) -> str:
    """The signed difference in words; '' where there is none."""
    difference = round(now - before, 1) if before is not None else 0
    sign = "+" if difference > 0 else "\N{MINUS SIGN}"
    return f"{sign}{_number(abs(difference))}" if difference else ""


def _figures(shown: KeyFigures) -> list[dict[str, Any]]:
    return list(known(shown.content))


def _tile(figure: Mapping[str, Any], moved: str) -> str:
    from dashkit.charts.picture import plain

    detail = f" <small>{escape(plain(figure['detail']))}</small>" if figure["detail"] else ""
    said = f'<dd class="change">{escape(moved)}</dd>' if moved else ""
    label, value = escape(plain(figure["label"])), escape(_number(figure["value"]))
    return f"<div><dt>{label}</dt><dd>{value}{detail}</dd>{said}</div>"


def _number(value: Any) -> str:
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


def _figure(name: str, label: str, value: object, unit: str, detail: str = "") -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "unit": unit, "detail": detail}


def _counts(progress: "pd.DataFrame", stuck: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    from dashkit.charts.words import percent

    tasks, checked = int(progress["tasks"].sum()), int(progress["checked"].sum())
    share = f", {percent(checked, tasks)}" if tasks else ""
    yield _figure("checked", "Done", checked, "tasks", f"of {tasks:,}{share}")
    yield _figure("open", "Open", tasks - checked, "tasks")
    for cause, label in (("reported", "Blocked"), ("waiting", "Waiting")):
        yield _figure(cause.replace("reported", "blocked"), label, int((stuck["cause"] == cause).sum()), "tasks")


def _pace(dashboard: "Dashboard", forecast: "pd.DataFrame | None") -> Iterator[dict[str, Any]]:
    if dashboard.has_history:
        yield _lately("finished", "Finished", dashboard.throughput("day"), "tasks")
    yield _lately("commits", "Commits", dashboard.commit_activity("day"), "commits")
    if forecast is None:
        return
    promised = forecast[(forecast["question"] == "when") & (forecast["confidence"] == _SURE)].dropna(subset="until")
    for count, until in zip(promised["at_least"], promised["until"], strict=True):
        days = round((until - dashboard.as_of).total_seconds() / 86400, 1)
        yield _figure("next", f"The next {count}", float(days), "days", f"days, with {_SURE:.0%} confidence")


def _lately(column: str, label: str, days: "pd.DataFrame", unit: str) -> dict[str, Any]:
    """So many in the last days, today's included."""
    rows = days.tail(_DAYS)
    since = f"since {rows['period_on'].iloc[0].day} {rows['period_on'].iloc[0]:%b}" if len(rows) else ""
    return _figure(column, label, int(rows[column].sum()), unit, since)


def _blocked(rows: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    columns = ["task_id", "external_id", "title", "project", "blocked_reason"]
    for row in rows[columns].astype(object).where(rows[columns].notna(), None).itertuples(index=False):
        number, *texts = row
        yield dict(zip(columns, (int(number), *(None if text is None else str(text) for text in texts)), strict=True))
