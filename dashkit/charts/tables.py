"""Frames for people: a finding in a sentence above the few rows that show it."""

import itertools
import math
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from dashkit.charts.picture import caption, plain, table_html

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10
_DIGITS = 10  # of a sha, or of another long name
_WHOLE_FROM = 10  # days; from here on a tenth of a day is noise


@dataclass(frozen=True)
class Table:
    """Rows to be read: a title with the finding, the first rows as text, and how many more there are.

    Args:
        title: the finding, in a sentence; '' where there is nothing to say, and nothing is shown.
        data: the rows that are shown.
        more: how many rows are not.
        note: how to read them: small words below.
    """

    title: str
    data: "pd.DataFrame"
    more: int = 0
    note: str = ""

    def _repr_html_(self) -> str:
        title = f"<figcaption>{caption(self.title)}</figcaption>"
        if self.data.empty:
            return f"<figure>{title}</figure>" if self.title else ""
        rest = f"<p>And {self.more:,} more.</p>" if self.more else ""
        note = f"<p><small>{caption(self.note)}</small></p>" if self.note else ""
        return f"<figure>{title}{rows_html(self.data)}{rest}{note}</figure>"


def rows_html(data: "pd.DataFrame") -> str:
    """A few rows as an HTML table; each cell knows its header, for a phone has no room for columns."""
    heads = itertools.cycle(escape(plain(str(name)), quote=True) for name in data)
    return re.sub("<td>", lambda _: f'<td data-head="{next(heads)}">', table_html(data))


def blocked_table(blocked: "pd.DataFrame", most: int = MOST_ROWS) -> Table:
    """What is blocked: id, title, project, reason, for how long, and how many tasks it would free, all text.

    Where tasks only wait, there is nothing to say here: waiting_table does.

    Args:
        blocked: the frame `blocked_tasks`, of which the reported blocks are shown in their order.
        most: at most so many rows.
    """
    rows = blocked[blocked["cause"] == "reported"].reset_index(drop=True)
    if rows.empty:
        return Table("" if len(blocked) else "Nothing is blocked, and no task waits for another one.", rows)
    shown = _named(rows)
    if rows["blocked_reason"].notna().any():
        shown = shown.assign(reason=rows["blocked_reason"].fillna("not given"))
        why = "."
    else:
        why = ", and nobody said why."
    shown["blocked for"] = blocked_for(rows)
    if (rows["frees"] > 0).any():
        shown = shown.assign(frees=[_tasks(count) if count else "" for count in rows["frees"]])
    return _table(f"{_tasks(len(rows))} {_are(len(rows))} blocked{why}", shown, most)


def waiting_table(blocked: "pd.DataFrame", most: int = MOST_ROWS) -> Table:
    """What is open and waits for another task: id, title, project, what it waits for, and for how long, all text.

    Where none does, there is nothing to say here: blocked_table does.

    Args:
        blocked: the frame `blocked_tasks`, of which the waiting tasks are shown in their order.
        most: at most so many rows.
    """
    rows = blocked[blocked["cause"] == "waiting"].reset_index(drop=True)
    if rows.empty:
        return Table("", rows)
    shown = _named(rows)
    shown["waits for"], shown["for how long"] = rows["blocked_reason"], blocked_for(rows)
    reported = "" if len(rows) < len(blocked) else "; nothing is blocked"
    return _table(
        f"{_tasks(len(rows))} {'waits' if len(rows) == 1 else 'wait'} for another one{reported}.", shown, most
    )


def phase_table(progress: "pd.DataFrame", most: int = MOST_ROWS) -> Table:
    """The phases that are not finished, those with most done first: checked of all, and what is blocked.

    Args:
        progress: the frame `progress(by="phase")`.
        most: at most so many rows.
    """
    phases = progress[progress["part"].notna() & (progress["tasks"] > 0)]
    rows = phases[phases["progress"] < 1].sort_values(["progress", "tasks"], ascending=False, kind="stable")
    if phases.empty:  # nobody misses what the project does not use
        return Table("", phases)
    done = len(phases) - len(rows)
    shown = rows[["part", "project", "checked", "tasks", "blocked"]].rename(columns={"part": "phase"})
    title = f"{done:,} of {len(phases):,} phases {'is' if done == 1 else 'are'} finished" + (
        "." if rows.empty else "; these are not:"
    )
    return _table(title, shown.reset_index(drop=True), most)


def activity_table(activity: "pd.DataFrame") -> Table:
    """What happened lately, the newest first. Takes the frame `activity`."""
    if activity.empty:
        return Table("Nothing has happened yet.", activity)
    is_task = activity["type"] == "task_completed"
    shown = activity[["occurred_at", "type", "title", "name", "project"]].assign(
        type=activity["type"].mask(is_task, "task done"),
        name=activity["name"].where(is_task, activity["name"].str[:_DIGITS]),
    )
    words = {"occurred_at": "when", "type": "what", "name": "id"}
    return _table("The latest:", shown.rename(columns=words), len(shown))


def left_out_table(left_out: "pd.DataFrame") -> Table:
    """What the page does not count. Takes the frame `left_out`."""
    if left_out.empty:
        return Table("Nothing was left out.", left_out)
    return Table("Not counted:", left_out.rename(columns={"reason": "why", "left_out": "how many"}))


def no_history(version: str) -> Table:
    """What stands where a version of the database cannot say what was true before."""
    import pandas as pd

    told = f"Version {version} of the database keeps no history. `dashkit migrate` shows the way to one that does."
    return Table(told, pd.DataFrame())


def _table(title: str, rows: "pd.DataFrame", most: int) -> Table:
    """The first rows, without what is the same in all of them: the one project, a column of zeros or of nothing."""
    uniform = ["project"] if "project" in rows and len(set(rows["project"].dropna())) < 2 else []
    uniform += ["blocked"] if "blocked" in rows and not rows["blocked"].any() else []
    return Table(title, rows.drop(columns=uniform).head(most), max(0, len(rows) - most))


def _named(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Which task each row is about: its id as `dashkit task` takes it, title, project."""
    ids = rows["external_id"].fillna(rows["task_id"].astype("string"))
    return rows[["title", "project"]].assign(id=ids)[["id", "title", "project"]].reset_index(drop=True)


def _tasks(count: int) -> str:
    return f"{count:,} {'task' if count == 1 else 'tasks'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def blocked_for(blocked: "pd.DataFrame") -> list[str]:
    """How long each task of the frame `blocked_tasks` has been blocked, in words."""
    days = blocked["blocked_days"].astype(object)
    told = zip(days.where(days.notna(), None), blocked["basis"].fillna(""), strict=True)
    return [days_in_words(number, basis) for number, basis in told]


def days_in_words(days: float | None, basis: str | None) -> str:
    """Days as what they stand on allows: `3.2 days`, `at most 477 days`, `at least 2 days`, `not known`.

    Args:
        days: how many; None where that is not known.
        basis: `updated_at` makes them an upper bound, which is rounded up, `version` a lower one, which is rounded
            down; anything else is taken as exact.
    """
    if days is None:
        return "not known"
    if basis == "updated_at":
        bound = max(1, math.ceil(days))
        return f"at most {bound:,} {'day' if bound == 1 else 'days'}"
    if basis == "version" and days >= 1:
        bound = math.floor(days)
        return f"at least {bound:,} {'day' if bound == 1 else 'days'}"
    return f"{days:,.0f} days" if days >= _WHOLE_FROM else f"{days:.1f} days"
