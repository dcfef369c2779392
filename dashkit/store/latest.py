"""The newest of what has its time in one column, whatever form that is stored in, by the order of these texts."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashkit import times
from dashkit.store import rows

# ISO 8601 with hyphens goes by its date as a text, whatever stands behind that; an offset, and 24:00, move an instant
# to the day before or after the one that is written. Every other form is looked for, and read one by one.
_BESIDE = timedelta(days=1)
_YEARS = range(1970, 2200)
_FIRST, _PAST = f"{_YEARS[0]}-", f"{_YEARS[-1] + 1}-"
_BETWEEN = json.dumps([[f"{year}-\U0010ffff", f"{year + 1}-"] for year in _YEARS])  # behind all texts of that year
_YEAR = "'[0-9][0-9][0-9][0-9]-*'"


@dataclass(frozen=True)
class Stream:
    """What happened at times that stand in one column: `plain` are the texts that go by their date, `odd` all others.

    `ends`: what is said of the future is not known.

    A condition may name `g.value`, one of the pairs of texts between which no year and hyphen lie.
    """

    type: str
    title: str
    tables: str
    project: str
    column: str
    plain: str
    odd: tuple[str, ...]
    ends: bool = False

    def where(self, which: str) -> str:
        """The query for those that meet a condition."""
        source = f"json_each(:between) AS g CROSS JOIN {self.tables}" if "g.value" in which else self.tables
        return (
            f"SELECT '{self.type}' AS type, {self.title} AS title, +{self.column} AS timestamp, p.name AS project_name "  # noqa: S608 - of ours
            f"FROM {source} LEFT JOIN main.projects AS p ON p.id = {self.project} "
            f"WHERE {which} AND (:project_id IS NULL OR {self.project} = :project_id)"
        )


COMMITS = Stream(
    "commit",
    "coalesce(nullif(trim(c.message, :blank), ''), c.sha)",
    "main.git_commits AS c LEFT JOIN main.git_repos AS r ON r.id = c.repo_id",
    "r.project_id",
    "c.timestamp",
    # By the index; it has no order of its own for forms, but the texts of a year lie together.
    f"c.timestamp >= max(:since, '{_FIRST}') AND c.timestamp < '{_PAST}' AND c.timestamp GLOB {_YEAR}",
    (
        "c.timestamp < ''",
        f"c.timestamp >= '' AND c.timestamp < '{_FIRST}'",
        f"c.timestamp >= '{_PAST}'",
        "c.timestamp >= json_extract(g.value, '$[0]') AND c.timestamp < json_extract(g.value, '$[1]')",
    ),
)
SESSIONS = Stream(
    "session",
    "coalesce(nullif(trim(s.summary, :blank), ''), s.id)",
    "main.llm_sessions AS s",
    "s.project_id",
    "s.started_at",
    f"s.started_at GLOB {_YEAR} AND s.started_at >= :since",
    (f"s.started_at NOT GLOB {_YEAR}",),
)

COMPLETED = Stream(
    "task_completed",
    "t.title",
    "main.tasks AS t",
    "t.project_id",
    "t.completed_at",
    f"t.checked IS TRUE AND t.completed_at GLOB {_YEAR} AND t.completed_at >= :since AND t.completed_at < :until",
    (
        f"t.checked IS TRUE AND t.completed_at NOT GLOB {_YEAR}",
        f"t.checked IS TRUE AND t.completed_at GLOB {_YEAR} AND t.completed_at >= :until",
    ),
    ends=True,
)


def newest(
    conn: sqlite3.Connection, stream: Stream, limit: int, project_id: int | None, now: datetime
) -> list[rows.Row]:
    """The newest rows of a stream, at least `limit` if it has them: type, title, timestamp and project_name.

    Those of which nobody knows when are among them.

    Args:
        conn: a database of version 2.0.
        stream: which.
        limit: how many, above zero.
        project_id: of this project; None: of all.
        now: what is later is of the future.
    """
    values = {"limit": limit, "project_id": project_id, "blank": " \t\r\n", "between": _BETWEEN, "since": ""}
    values["until"] = (now.astimezone(UTC).date() + 2 * _BESIDE).isoformat()

    def fetch(which: str, behind: str = "", **more: object) -> list[rows.Row]:
        found = rows.fetch(conn, f"{stream.where(which)} {behind}", {**values, **more})
        return [_known(row, now) for row in found] if stream.ends else found

    odd = [row for which in stream.odd for row in fetch(which)]
    if not stream.ends:
        odd += fetch(f"{stream.column} IS NULL", "ORDER BY title COLLATE BINARY LIMIT :limit")
    size = limit
    while True:
        # So many by their texts: each of them is at least as new as the oldest.
        found = fetch(stream.plain, f"ORDER BY {stream.column} DESC LIMIT :size", size=size)
        known = sorted((one.at for row in (*odd, *found) if (one := times.read(row["timestamp"]))), reverse=True)
        if len(found) < size:
            break
        if len(known) >= limit:
            since = (known[limit - 1].date() - _BESIDE).isoformat()
            found = fetch(stream.plain, since=since)
            break
        size *= 4
    return odd + found


def _known(row: rows.Row, now: datetime) -> rows.Row:
    """What a row says of when something was, as it is known now: not in the future, and on this day by now."""
    moment = times.read(row["timestamp"])
    if moment is None or moment.at <= now:
        return row
    is_today = moment.day is not None and moment.day <= now.astimezone(UTC).date()
    return row | {"timestamp": times.to_text(now) if is_today else None}
