"""The tables as views: every column under its name and of its kind, whatever the database holds.

Only text goes in and only SQL comes out; snapshot.py runs it. views.sql has the views that queries see.
"""

from collections.abc import Iterator, Mapping
from importlib import resources

Shape = Mapping[str, list[str]]  # which columns of TABLES each table of a database has

# What is read, and as what; a test compares it with schema/*.sql.
TABLES = {
    "projects": "id int, name text, description text, status text, created_at instant",
    "phases": "id int, project_id int, name text, position int",
    "tasks": "id int, project_id int, phase_id int, title text, description text, status text, priority text,"
    " created_at instant, completed_at instant, checked truth, blocked_reason text, complexity text,"
    " updated_at instant, external_id text, kind text, parent_id int, labels text",
    "task_dependencies": "task_id int, depends_on_id int",
    "task_events": "event_id int, task_id int, occurred_at instant, recorded_at instant, not_before instant, op text,"
    " project_id int, status text, checked truth, blocked_reason text, complexity text, title text, source text",
    "dependency_events": "event_id int, task_id int, depends_on_id int, op text, occurred_at instant,"
    " recorded_at instant, not_before instant, source text",
    "git_repos": "id text, project_id int, path text, name text, remote_url text, default_branch text,"
    " created_at instant",
    "git_commits": "sha text, repo_id text, author text, author_email text, message text, timestamp instant,"
    " files_changed int, insertions int, deletions int, authored_at instant, is_merge truth,"
    " recorded_at instant",
    "git_repo_commits": "repo_id text, sha text, reachable truth",
    "llm_sessions": "id text, project_id int, summary text, message_count int, started_at instant, ended_at instant",
    "task_commit_links": "id text, task_id int, commit_sha text, confidence real, link_type text,"
    " evidence text, created_at instant",
    "task_session_links": "id text, task_id int, session_id text, confidence real, link_type text,"
    " evidence text, created_at instant",
    "runs": "id text, kind text, started_at instant, finished_at instant, outcome text, details text",
    "schema_migrations": "version text, name text, applied_at instant, checksum text, duration_ms real,"
    " tool_version text, backup text",
}

# Text to value, NULL where the text is none. A whole number must be whole ('1.5' is no id). An instant must
# look like one (DuckDB alone also reads 'epoch'); a cast to TIMESTAMP instead would drop the offset.
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"([01]\d|2[0-3]):\d\d:\d\d([.,]\d{1,9})?"
_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)"
# The stored form and SQLite's own, both UTC: nearly all there are, and several times faster without the zone.
_PLAIN = r"[1-9]\d{3}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?Z?"
_INSTANT = "TRY_CAST(replace(trim({0}), ',', '.') AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
CASTS = {
    "text": "{0}",
    "int": "CASE WHEN TRY_CAST({0} AS DOUBLE) = TRY_CAST({0} AS BIGINT) THEN TRY_CAST({0} AS BIGINT) END",
    "real": "CASE WHEN isfinite(TRY_CAST({0} AS DOUBLE)) THEN TRY_CAST({0} AS DOUBLE) END",
    "truth": "CASE WHEN isfinite(TRY_CAST({0} AS DOUBLE)) THEN TRY_CAST({0} AS DOUBLE) <> 0 END",
    "instant": f"CASE WHEN regexp_full_match({{0}}, '{_PLAIN}') THEN TRY_CAST({{0}} AS TIMESTAMP)"
    f" WHEN regexp_full_match(trim({{0}}), '{_DATE}([T ]{_TIME}{_ZONE}?)?')"
    f" AND year({_INSTANT}) BETWEEN 1 AND 9999 THEN {_INSTANT} END",
}


def columns(table: str) -> dict[str, str]:
    """The columns of a table and their kinds, as TABLES has them."""
    return {name: kind for name, _, kind in (part.partition(" ") for part in TABLES[table].split(", "))}


def typed(here: Shape) -> str:
    """The statements that make typed.<table>, over source.<table> where every value is text.

    Every column of TABLES is there, NULL where the database lacks it; beside each that is no text stands what
    is stored, as text (`created_at_text`).
    """
    return ";".join(["CREATE SCHEMA typed", *(_typed(table, here[table]) for table in TABLES)])


def history() -> str:
    """The statements that make history.<table>: what was true of each task, from when to when."""
    return _script("history.sql")


def public() -> str:
    """The statements that make the views that queries see; their comments are their documentation."""
    return f"""{_script("views.sql")}
        CREATE VIEW bad_values AS {" UNION ALL ".join(_bad_values())};
        COMMENT ON VIEW bad_values IS
        'One row per stored column that is no text: how many values are not of its kind, in all projects.';
    """


def _script(name: str) -> str:
    return resources.files("dashkit").joinpath(name).read_text(encoding="utf-8")


def _typed(table: str, present: list[str]) -> str:
    chosen = []
    for column, kind in columns(table).items():
        text = f'"{column}"' if column in present else "CAST(NULL AS VARCHAR)"
        chosen.append(f'{CASTS[kind].replace("{0}", text)} AS "{column}"')
        if kind != "text":
            chosen.append(f'{text} AS "{column}_text"')
    origin = f"FROM source.{table}" if present else "WHERE false"
    return f"CREATE VIEW typed.{table} AS SELECT {', '.join(chosen)} {origin}"


def _bad_values() -> Iterator[str]:
    """For each table a query for how many values of its columns mean nothing, in one scan; blanks do not count."""
    for table in TABLES:
        typed_columns = [column for column, kind in columns(table).items() if kind != "text"]
        names = ", ".join(f"'{column}'" for column in typed_columns)
        counts = ", ".join(
            f'count(*) FILTER (nullif(trim("{column}_text"), \'\') IS NOT NULL AND "{column}" IS NULL)'
            for column in typed_columns
        )
        yield (
            f"SELECT '{table}' AS table_name, unnest([{names}]) AS column_name,"  # noqa: S608 - names of TABLES
            f" unnest([{counts}]) AS bad_values FROM typed.{table}"
        )
