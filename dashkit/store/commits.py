"""The newest commits, whatever form their times are stored in, by the index of these texts."""

import json
import sqlite3
from datetime import timedelta

from dashkit import times
from dashkit.store import rows

# ISO 8601 with hyphens goes by its date as a text, whatever stands behind that. Every other form is looked for: a
# number or a blob, and a text that does not begin with a year of these and a hyphen.
_YEARS = range(1970, 2200)
_FIRST, _PAST = f"{_YEARS[0]}-", f"{_YEARS[-1] + 1}-"
_LAST_OF = "-\U0010ffff"  # behind every text that begins with a year and a hyphen
_BETWEEN = [[f"{year}{_LAST_OF}", f"{year + 1}-"] for year in _YEARS]
# An offset, and 24:00, move an instant to the day before or after the one that is written.
_BESIDE = timedelta(days=1)

_SELECT = """
SELECT 'commit' AS type, coalesce(nullif(trim(c.message, :blank), ''), c.sha) AS title, c.sha,
       +c.timestamp AS timestamp, p.name AS project_name
FROM {commits} LEFT JOIN main.git_repos AS r ON r.id = c.repo_id LEFT JOIN projects AS p ON p.id = r.project_id
WHERE {which} AND (:project_id IS NULL OR r.project_id = :project_id)
"""
_ODD = " UNION ALL ".join(
    (
        *(
            _SELECT.format(commits="main.git_commits AS c", which=which)
            for which in (
                "c.timestamp < ''",
                f"c.timestamp >= '' AND c.timestamp < '{_FIRST}'",
                f"c.timestamp >= '{_PAST}'",
            )
        ),
        _SELECT.format(
            commits="json_each(:between) AS g CROSS JOIN main.git_commits AS c",
            which="c.timestamp >= json_extract(g.value, '$[0]') AND c.timestamp < json_extract(g.value, '$[1]')",
        ),
    )
)
_NEWEST = _SELECT.format(
    commits="main.git_commits AS c", which=f"c.timestamp >= coalesce(:since, '{_FIRST}') AND c.timestamp < '{_PAST}'"
)
_UNKNOWN = _SELECT.format(commits="main.git_commits AS c", which="c.timestamp IS NULL")


def newest(conn: sqlite3.Connection, limit: int, project_id: int | None, blank: str) -> list[rows.Row]:
    """The newest commits, at least so many where they are there: type, title, sha, timestamp and project_name.

    Args:
        conn: a database of version 2.0.
        limit: how many.
        project_id: of the repositories of this project; None: of all.
        blank: what is no message.
    """
    values = {"limit": limit, "project_id": project_id, "blank": blank, "since": None}
    unknown = rows.read(conn, f"{_UNKNOWN} ORDER BY title COLLATE BINARY LIMIT :limit", values)
    odd = rows.read(conn, _ODD, {**values, "between": json.dumps(_BETWEEN)})
    found: list[rows.Row] = []
    size = limit
    while True:
        # By their texts: so many are at least as new as the oldest of them.
        found = rows.read(conn, f"{_NEWEST} ORDER BY c.timestamp DESC LIMIT :size", {**values, "size": size})
        known = sorted((one.at for row in (*odd, *found) if (one := times.read(row["timestamp"]))), reverse=True)
        if len(found) < size:
            break
        if len(known) >= limit:
            since = (known[limit - 1].date() - _BESIDE).isoformat()
            found = rows.read(conn, _NEWEST, {**values, "since": since})
            break
        size *= 4
    return list({row["sha"]: row for row in (*unknown, *odd, *found)}.values())
