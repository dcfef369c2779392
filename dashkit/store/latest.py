"""The newest of what has its time in one column, whatever form that is stored in, by the order of these texts."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dashkit import times
from dashkit.store import rows

# Of nearly every form the texts go by their days: ISO 8601 with hyphens and without, and seconds (or milliseconds)
# since 1970. An offset, and 24:00, move an instant to the day before or after the one that is written. Every other form
# is looked for, and read one by one.
_BESIDE = timedelta(days=1)
_HYPHENS = "GLOB '[0-9][0-9][0-9][0-9]-*'"
_SECONDS = f"GLOB '{'[0-9]' * 10}*'"
_DIGITS = f"GLOB '{'[0-9]' * 8}*'"
# The day of a value of such a form, as a text in the order of time; NULL for all others.
_DAY = (
    f"CASE WHEN {{0}} {_HYPHENS} THEN {{0}} "
    f"WHEN {{0}} {_SECONDS} THEN datetime(substr({{0}}, 1, 10), 'unixepoch') "
    f"WHEN {{0}} {_DIGITS} THEN substr({{0}}, 1, 4) || '-' || substr({{0}}, 5, 2) || '-' || substr({{0}}, 7, 2) END"
)
_AFTER_ALL = "~"  # behind every such text

# What of an index is of one form: there the texts of a year with a hyphen lie together, and those of seconds before it.
_YEARS = range(1970, 2200)
_FIRST, _PAST = f"{_YEARS[0]}-", f"{_YEARS[-1] + 1}-"
_BETWEEN = json.dumps([[f"{year}-\U0010ffff", f"{year + 1}-"] for year in _YEARS])  # behind all texts of that year
_OTHER = "c.timestamp >= json_extract(g.value, '$[0]') AND c.timestamp < json_extract(g.value, '$[1]')"
_FEW = 8  # a project that has less than this part of all commits: they are found by its repositories
_ROWS = 16  # times the limit: so many of the last rows tell about how far to look back


@dataclass(frozen=True)
class Form:
    """A form of which the texts in an index go by their days; `since` is the first text of a day.

    A condition may name `g.value`, one of the pairs of texts between which no year and hyphen lie.
    """

    where: str
    since: Callable[[date], str]


@dataclass(frozen=True)
class Stream:
    """What happened at times that stand in one column, which may have an index.

    Args:
        type: what it is called.
        title: SQL.
        tables: where from.
        project: SQL, the id of its project.
        column: that of the times.
        which: the condition for rows that count.
        newest: an order in which the newest rows are likely to come first, where that takes less time than their times.
        ends: what is said of the future is not known.
        forms: those of the index, if there is one.
        others: the conditions of all other forms in the index.
    """

    type: str
    title: str
    tables: str
    project: str
    column: str
    which: str = "TRUE"
    newest: str = ""
    ends: bool = False
    forms: tuple[Form, ...] = ()
    others: tuple[str, ...] = ()

    def select(self, which: str, project_id: int | None) -> str:
        """The query for those that meet a condition."""
        source = f"json_each(:between) AS g CROSS JOIN {self.tables}" if "g.value" in which else self.tables
        chosen = "TRUE" if project_id is None else f"{self.project} = :project_id"
        return (
            f"SELECT '{self.type}' AS type, {self.title} AS title, +{self.column} AS timestamp, p.name AS project_name "  # noqa: S608 - of ours
            f"FROM {source} LEFT JOIN main.projects AS p ON p.id = {self.project} "
            f"WHERE {which} AND {chosen} AND {self.which}"
        )


COMMITS = Stream(
    "commit",
    "coalesce(nullif(trim(c.message, :blank), ''), c.sha)",
    "main.git_commits AS c LEFT JOIN main.git_repos AS r ON r.id = c.repo_id",
    "r.project_id",
    "c.timestamp",
    forms=(
        Form(
            f"c.timestamp >= max(:since, '{_FIRST}') AND c.timestamp < '{_PAST}' AND c.timestamp {_HYPHENS}",
            date.isoformat,
        ),
        Form(
            f"c.timestamp >= max(:since, '0') AND c.timestamp < '{_FIRST}' AND c.timestamp {_SECONDS}",
            lambda day: f"{round(times.noon(day).timestamp()) - 43_200:010}",
        ),
        Form(f"{_OTHER} AND c.timestamp >= :since AND c.timestamp {_DIGITS}", lambda day: f"{day:%Y%m%d}"),
    ),
    others=(
        "c.timestamp < ''",
        f"c.timestamp >= '' AND c.timestamp < '{_FIRST}' AND c.timestamp NOT {_SECONDS}",
        f"c.timestamp >= '{_PAST}'",
        f"{_OTHER} AND c.timestamp NOT {_DIGITS}",
    ),
)
SESSIONS = Stream(
    "session",
    "coalesce(nullif(trim(s.summary, :blank), ''), s.id)",
    "main.llm_sessions AS s",
    "s.project_id",
    "s.started_at",
)
COMPLETED = Stream(
    "task_completed",
    "t.title",
    "main.tasks AS t",
    "t.project_id",
    "t.completed_at",
    which="t.checked IS TRUE",
    newest="t.id DESC",
    ends=True,
)


def newest(
    conn: sqlite3.Connection, stream: Stream, limit: int, project_id: int | None, now: datetime
) -> list[rows.Row]:
    """The newest rows of a stream, at least `limit` if it has them: type, title, timestamp and project_name.

    Where fewer have a time that is known, those of which nobody knows when are among them.

    Args:
        conn: a database of version 2.0.
        stream: which.
        limit: how many, above zero.
        project_id: of this project; None: of all.
        now: what is later is of the future.
    """
    reading = _Reading(conn, stream, limit, project_id, now)
    found = reading.by_index() if stream.forms and not reading.is_small() else reading.by_rows()
    if not stream.ends and reading.last(found) is None:
        found += reading.fetch(f"{stream.column} IS NULL", "ORDER BY title COLLATE BINARY LIMIT :limit")
    return found


@dataclass(frozen=True)
class _Reading:
    """What `newest` was asked for."""

    conn: sqlite3.Connection
    stream: Stream
    limit: int
    project_id: int | None
    now: datetime

    def fetch(self, which: str, behind: str = "", *, since: str = "", size: int = 0) -> list[rows.Row]:
        """The rows that meet a condition, with the times that are known now."""
        values = {"limit": self.limit, "project_id": self.project_id, "blank": " \t\r\n", "between": _BETWEEN}
        sql = f"{self.stream.select(which, self.project_id)} {behind}"
        found = rows.fetch(self.conn, sql, {**values, "since": since, "size": size})
        return [_known(row, self.now) for row in found] if self.stream.ends else found

    def is_small(self) -> bool:
        """Whether a project was asked for that has few of all commits."""
        if self.project_id is None:
            return False
        # The index of repositories has those of each together.
        count = "SELECT count(*) AS n FROM main.git_commits"
        its = f"{count} WHERE repo_id IN (SELECT id FROM main.git_repos WHERE project_id = :project_id)"  # noqa: S608
        values = {"project_id": self.project_id}
        return bool(_FEW * rows.fetch(self.conn, its, values)[0]["n"] < rows.fetch(self.conn, count, {})[0]["n"])

    def last(self, found: list[rows.Row]) -> datetime | None:
        """The time of the last one that is told of these; None: fewer have a time."""
        known = sorted((one.at for row in found if (one := times.read(row["timestamp"]))), reverse=True)
        return known[self.limit - 1] if len(known) >= self.limit else None

    def by_rows(self) -> list[rows.Row]:
        """Without an index of times: some that may be the newest say how far to look back."""
        column = self.stream.column
        day = _DAY.format(column)
        order, size = (self.stream.newest, _ROWS * self.limit) if self.stream.newest else (f"{day} DESC", self.limit)
        last = self.last(self.fetch(f"{column} IS NOT NULL", f"ORDER BY {order} LIMIT :size", size=size))
        which = f"{column} IS NOT NULL AND coalesce({day}, '{_AFTER_ALL}') >= :since"
        return self.fetch(which, since=_day_before(last).isoformat() if last else "")

    def by_index(self) -> list[rows.Row]:
        """By the index of times, form by form."""
        stream, size = self.stream, self.limit
        found = [row for which in stream.others for row in self.fetch(which)]
        forms = list(stream.forms)
        while forms:
            # So many of each form by their texts: each of them is at least as new as the oldest.
            newest_of = [(form, self._of_form(form, size)) for form in forms]
            found += [row for _, some in newest_of if len(some) < size for row in some]
            forms, most = [], []
            for form, some in newest_of:
                if len(some) == size:
                    forms.append(form)
                    most += some
            if last := self.last(found + most):
                since = _day_before(last)
                return found + [row for form in forms for row in self.fetch(form.where, since=form.since(since))]
            size *= 4
        return found

    def _of_form(self, form: Form, size: int) -> list[rows.Row]:
        return self.fetch(form.where, f"ORDER BY {self.stream.column} DESC LIMIT :size", size=size)


def _day_before(instant: datetime) -> date:
    return instant.astimezone(UTC).date() - _BESIDE


def _known(row: rows.Row, now: datetime) -> rows.Row:
    """What a row says of when something was, as it is known now: not in the future, and on this day by now."""
    moment = times.read(row["timestamp"])
    if moment is None or moment.at <= now:
        return row
    is_today = moment.day is not None and moment.day <= now.astimezone(UTC).date()
    return row | {"timestamp": times.to_text(now) if is_today else None}
