"""Frames for people: a finding in a sentence above the few rows that show it."""

import itertools
import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from dashkit.charts.drawing import in_words
from dashkit.charts.picture import caption, framed, plain, table_html
from dashkit.charts.words import Bound, are, count, duration

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10
_TEXT = frozenset({"object", "str", "string"})
_UNBROKEN = frozenset({"id", "on", "when"})
_DIGITS = 10  # of a sha, or of another long name


def _no_rows() -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True)
class Table:
    """Rows to be read: a title with the finding, the first rows as text, and how many more there are.

    Args:
        title: the finding, in a sentence; '' where there is nothing to say, and nothing is shown.
        data: the rows that are shown.
        more: how many rows are not.
        note: how to read them: small words below.
    """

    title: str = ""
    data: "pd.DataFrame" = field(default_factory=_no_rows)
    more: int = 0
    note: str = ""

    def _repr_html_(self) -> str:
        if self.data.empty:
            return framed(self.title) if self.title else ""
        rest = f"<p>And {self.more:,} more.</p>" if self.more else ""
        note = f"<p><small>{caption(self.note)}</small></p>" if self.note else ""
        return framed(self.title, rows_html(self.data), rest, note)


def rows_html(data: "pd.DataFrame") -> str:
    """A few rows as an HTML table; each cell knows its header, for a phone has no room for columns.

    A page has a style for words; a notebook would set them to the right.
    """
    names = [escape(plain(str(name)), quote=True) for name in data]
    looks = [_left(name) if str(kind) in _TEXT else "" for name, kind in zip(names, data.dtypes, strict=True)]
    heads = itertools.cycle(looks)
    cells = itertools.cycle(f' data-head="{name}"{look}' for name, look in zip(names, looks, strict=True))
    html = re.sub('<th scope="col"', lambda found: f"{found[0]}{next(heads)}", table_html(data))
    return re.sub("<td", lambda found: f"{found[0]}{next(cells)}", html)


def _left(name: str) -> str:
    return f' style="text-align:left{";white-space:nowrap" if name in _UNBROKEN else ""}"'


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
    why = "; nobody said why" if rows["blocked_reason"].isna().all() else ""
    if not why:
        shown = shown.assign(reason=rows["blocked_reason"].fillna("not given"))
    shown["blocked for"] = blocked_for(rows)
    if (rows["frees"] > 0).any():
        shown = shown.assign(frees=[count(int(number), "task") if number else "" for number in rows["frees"]])
    return _table(f"{_first('blocked', len(rows))}{why}:", shown, most)


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
    return _table(f"{_first('waiting', len(rows))}{reported}:", shown, most)


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
    if len(phases) == 1:
        title = f"The one phase is {'' if done else 'not '}finished"
    elif not done:
        title = f"None of {len(phases):,} phases is finished"
    else:
        title = f"{done:,} of {len(phases):,} phases {are(done)} finished"
        title += {0: "", 1: "; this one is not"}.get(len(rows), "; these are not")
    return _table(f"{title}{':' if len(rows) else '.'}", shown.reset_index(drop=True), most)


def activity_table(activity: "pd.DataFrame", timezone: str = "UTC") -> Table:
    """What happened lately, the newest first.

    Args:
        activity: the frame.
        timezone: of the times that are told.
    """
    if activity.empty:
        return Table("Nothing has happened yet.", activity)
    is_task = activity["type"] == "task_completed"
    shown = activity[["occurred_at", "type", "title", "name", "project"]].assign(
        occurred_at=in_words(activity["occurred_at"], timezone),
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
    """Why a version of the database cannot say what was true before."""
    return Table(
        f"Version {version} of the database keeps no history. `dashkit migrate` shows the way to one that does."
    )


def _table(title: str, rows: "pd.DataFrame", most: int) -> Table:
    """The first rows, without what is the same in all of them: the one project, a column of zeros or of nothing."""
    uniform = ["project"] if "project" in rows and len(set(rows["project"].dropna())) < 2 else []
    uniform += ["blocked"] if "blocked" in rows and not rows["blocked"].any() else []
    return Table(title, rows.drop(columns=uniform).head(most), max(0, len(rows) - most))


def _named(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Which task each row is about: its id as `dashkit task` takes it, title, project.

    To the command a number is that of a row, and an id that several have names none.
    """
    ids = rows["external_id"].astype("string")
    ids = ids.mask(ids.str.fullmatch(r"\d+") | ids.duplicated(keep=False)).fillna(rows["task_id"].astype("string"))
    return rows[["title", "project"]].assign(id=ids)[["id", "title", "project"]].reset_index(drop=True)


def _first(state: str, number: int) -> str:
    """What a table of so many tasks begins with; how many there are is said above it, or below."""
    return f"The {state} tasks, the longest first" if number > 1 else f"The {state} task"


def blocked_for(blocked: "pd.DataFrame") -> list[str]:
    """How long each task of the frame `blocked_tasks` has been blocked, in words."""
    days = blocked["blocked_days"].astype(object)
    told = zip(days.where(days.notna(), None), blocked["basis"].fillna(""), strict=True)
    return [days_in_words(number, basis) for number, basis in told]


def days_in_words(days: float | None, basis: str | None) -> str:
    """Days as what they stand on allows: `3.2 days`, `at most 477 days`, `at least 2 days`, `not known`.

    Args:
        days: how many; None where that is not known.
        basis: `not_before` makes them an upper bound, `version` a lower one; anything else is taken as exact.
    """
    bounds: dict[str | None, Bound] = {"not_before": "at most", "version": "at least"}
    return "not known" if days is None else duration(days, bounds.get(basis, ""))
