"""The tables as views: every column under its name and of its kind, whatever the database holds.

Only text goes in and only SQL comes out; snapshot.py runs it. views.sql has the views that queries see.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from typing import Any

from dashkit import times

SCRIPTS = ("lives.sql", "states.sql", "blocks.sql", "flow.sql", "views.sql")
Shape = Mapping[str, list[str]]  # which columns of TABLES each table of a database has

# What is read, and as what; a test compares it with schema/*.sql. `of` another column: it is made of that one's text.
TABLES = {
    "projects": "id int, name text, description text, status text, created_at instant",
    "phases": "id int, project_id int, name text, position int",
    "tasks": "id int, project_id int, phase_id int, title text, description text, status text, priority text,"
    " created_at instant, completed_at instant, checked truth, blocked_reason text, complexity text,"
    " updated_at instant, external_id text, kind text, parent_id int, labels text, assignee text, due_at instant,"
    " milestone text, created_on day of created_at, completed_on day of completed_at",
    "task_dependencies": "task_id int, depends_on_id int",
    "task_events": "event_id int, task_id int, occurred_at instant, recorded_at instant, not_before instant, op text,"
    " project_id int, status text, checked truth, blocked_reason text, complexity text, title text, source text,"
    " actor text, on_day day, said_created_at instant, said_completed_at instant,"
    " said_created_on day of said_created_at, said_completed_on day of said_completed_at",
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
}

# Text to value, NULL where the text is none. A whole number must be whole ('1.5' is no id). Of instants and days only
# the forms of nearly every row are read here: the stored one, SQLite's own, and a bare date. They are a part of what
# times.read reads, and mean the same; a cast alone would also read 'epoch', and drop an offset. Of what else there is
# times.read is asked: see `unread`. Before 1970 there is none: a damaged one of the year 1 would give two thousand
# years of days.
# (try_strptime alone takes digits that are missing, and blanks behind.)
_STORED = "{0} LIKE '____-__-__T__:__:__.___Z' AND {0} >= '197' THEN try_strptime({0}, '%Y-%m-%dT%H:%M:%S.%gZ')"
_DATE = r"(19[7-9]\d|[2-9]\d{3})-\d\d-\d\d"
_PLAIN = _DATE + r"[T ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?Z?"
_BARE = f"length({{0}}) = 10 AND regexp_full_match({{0}}, '{_DATE}')"
CASTS = {
    "text": "{0}",
    "int": "CASE WHEN TRY_CAST({0} AS DOUBLE) = TRY_CAST({0} AS BIGINT) THEN TRY_CAST({0} AS BIGINT) END",
    "real": "CASE WHEN isfinite(TRY_CAST({0} AS DOUBLE)) THEN TRY_CAST({0} AS DOUBLE) END",
    "truth": "CASE WHEN isfinite(TRY_CAST({0} AS DOUBLE)) THEN TRY_CAST({0} AS DOUBLE) <> 0 END",
    "instant": f"CASE WHEN {{0}} IS NULL THEN NULL WHEN {_STORED}"  # NULL first: most columns of an event are
    f" WHEN regexp_full_match({{0}}, '{_PLAIN}') THEN TRY_CAST({{0}} AS TIMESTAMP)"
    f" WHEN {_BARE} THEN TRY_CAST({{0}} || ' 12:00:00' AS TIMESTAMP) END",  # times.noon
    "day": f"CASE WHEN {_BARE} THEN TRY_CAST({{0}} AS DATE) END",
}
TYPES = {
    "text": "VARCHAR",
    "int": "BIGINT",
    "real": "DOUBLE",
    "truth": "BOOLEAN",
    "instant": "TIMESTAMP",
    "day": "DATE",
}
BAD = "MAP(VARCHAR, VARCHAR)"
STORED = "typed.stored"  # the schema of the tables under the views typed.<table>

# What is simpler in nearly every Dashboard than in the scripts, and means the same there: see `relations`.
_OF_ALL = {"chosen_life": "CREATE MACRO chosen_life(task, number) AS true"}
_IN_UTC = {
    "period_of": "CREATE MACRO period_of(instant, period) AS CAST(date_trunc(period, instant) AS DATE)",
    "quarter_of": "CREATE MACRO quarter_of(instant) AS date_trunc('day', instant)",
}

# How a relation begins, and with which word it is made; a paragraph that does not begin so belongs to the one before.
_PARAGRAPH = re.compile(r"\n\n(?=(?:--.*\n)*CREATE (?:TABLE|VIEW|MACRO) )")
_NAME = re.compile(r"^CREATE (?:TABLE|VIEW|MACRO) ([\w.]+)", re.MULTILINE)
_HEADER = re.compile(r"\A(?:--.*\n)+")
_BELOW = {"typed", "history", "source", "pg_catalog", "information_schema"}
_REMARK = re.compile(r"^ *--.*\n", re.MULTILINE)
_ASKS = re.compile(r"duckdb_|\b(show|describe|information_schema|sqlite_master|pg_\w+)\b")  # what there is
_WORD = re.compile(r"(?:typed|history)\.\w+|\w+")
# What follows in a paragraph is of use only where a table has such rows, and takes time to plan: see `steps`.
_CONDITION = re.compile(r"/\* (?:only if there are rows in ([^*]+)|in any case) \*/")
_ALIAS = re.compile(r"\bas\s+\w+")  # what is named here, and not there before


def columns(table: str) -> dict[str, str]:
    """The stored columns of a table and their kinds, as TABLES has them."""
    return {column: kind for column, kind, source in _parts(table) if column == source}


def _parts(table: str, sources: Collection[str] | None = None) -> Iterator[tuple[str, str, str]]:
    """The columns of TABLES, all or those of some sources: name, kind, and the stored column whose text is read."""
    for part in TABLES[table].split(", "):
        column, kind, *source = part.split(" ")
        if sources is None or (source or [column])[-1] in sources:
            yield column, kind, source[-1] if source else column


def typed(table: str, filled: Collection[str], origin: str, *, checked: bool = False) -> str:
    """The query for the values of a table whose origin has nothing but text: one column for each that says something.

    `bad` is what is stored where that is no such value, as text, by column: NULL for nearly every row. An instant or a
    day that is here may still be read: `unread`.

    Args:
        table: one of TABLES.
        filled: the columns of the origin that say something.
        origin: what to read.
        checked: fail where text is no UTF-8.
    """
    inner, outer, stored, is_bad = [], [], [], []
    for column, kind, source in _parts(table, filled):
        text = f'decode(encode("{source}"))' if checked and kind == "text" else f'"{source}"'
        value = CASTS[kind].replace("{0}", text)
        if column == "recorded_at" and "occurred_at" in filled:
            # What is seen as it happens has one instant, and what is read once need not be read again.
            again = CASTS[kind].replace("{0}", '"recorded_at_text"')
            value = f'CASE WHEN "recorded_at_text" = "occurred_at_text" THEN "occurred_at" ELSE {again} END'
            outer.append(f'{value} AS "{column}"')
        else:
            inner.append(f'{value} AS "{column}"')
        if kind != "text" and column == source:
            inner.append(f'"{column}" AS "{column}_text"')
            is_bad.append(f'"{column}" IS NULL AND "{column}_text" IS NOT NULL')
            text = f'decode(encode("{column}_text"))' if checked else f'"{column}_text"'
            stored.append(f"'{column}': CASE WHEN {is_bad[-1]} THEN {text} END")
    bad = f"CASE WHEN {' OR '.join(is_bad)} THEN MAP {{{', '.join(stored)}}} END" if is_bad else "NULL"
    names = ", ".join(f'"{column}"' for column, _, _ in _parts(table, filled))
    values = f"SELECT {', '.join(inner)} FROM {origin}"  # noqa: S608 - names of TABLES
    if outer:
        values = f"SELECT *, {', '.join(outer)} FROM ({values})"  # noqa: S608 - names of TABLES
    return f"SELECT {names}, {bad} AS bad FROM ({values})"  # noqa: S608 - names of TABLES


def unread(table: str, filled: Collection[str]) -> dict[str, str]:
    """For each column of instants or days the query for the texts that `typed` has not read, each of them once."""
    return {
        column: f"SELECT DISTINCT bad['{column}'] AS text FROM {STORED}.{table} WHERE bad['{column}'] IS NOT NULL"  # noqa: S608 - names of TABLES
        for column, kind, source in _parts(table, filled)
        if kind in ("instant", "day") and column == source
    }


def put_back(table: str, column: str, origin: str) -> str:
    """The statement that enters what such texts mean, and takes them out of `bad`.

    Args:
        table: one of TABLES.
        column: one of `unread`.
        origin: text, the instant `at`, and `day`, NULL where there is more than a date.
    """
    values = {"instant": "m.at", "day": "CAST(m.day AS DATE)"}
    made = [f'"{name}" = {values[kind]}' for name, kind, _ in _parts(table, [column])]
    left = f"list_filter(map_entries(bad), lambda one: one.key <> '{column}' AND one.value IS NOT NULL)"
    made.append(f"bad = CASE WHEN len({left}) > 0 THEN map_from_entries({left}) END")
    return f"UPDATE {STORED}.{table} SET {', '.join(made)} FROM {origin} AS m WHERE bad['{column}'] = m.text"  # noqa: S608 - names of TABLES


def empty(table: str, filled: Collection[str]) -> str:
    """What `typed` gives as a table without rows, as it is created."""
    made = [f'"{column}" {TYPES[kind]}' for column, kind, _ in _parts(table, filled)]
    return f"CREATE TABLE {STORED}.{table} ({', '.join([*made, f'bad {BAD}'])})"


def complete(table: str, filled: Collection[str], *, has_bad: bool) -> str:
    """The view typed.<table> with every column of TABLES, as it is created: NULL where no row says anything.

    What is NULL for all costs neither room nor time, and DuckDB leaves out what depends on it.
    """
    there = {column for column, _, _ in _parts(table, filled)}
    kinds = {column: TYPES[kind] for column, kind, _ in _parts(table)} | {"bad": BAD}
    there |= {"bad"} if has_bad else set()
    values = {name: f'"{name}"' if name in there else f"CAST(NULL AS {kind})" for name, kind in kinds.items()}
    if table == "projects":  # one without a name is there all the same, which a missing name would not say
        values["name"] = f"coalesce({values['name']}, 'project ' || {values['id']})"
    names = (f'{value} AS "{name}"' for name, value in values.items())
    origin = f"FROM {STORED}.{table}" if filled else "WHERE false"
    return f"CREATE VIEW typed.{table} AS SELECT {', '.join(names)} {origin}"


def relations(*, of_one_project: bool, in_utc: bool) -> dict[str, str]:
    """What queries may name besides typed.<table>, in an order in which it can be made: name and statements.

    history.<table> is what was true of each task, from when to when; then come the macros and views of queries, whose
    comments are their documentation.

    Args:
        of_one_project: one is chosen; where none is, every life is shown, and none is looked up.
        in_utc: the reader's time zone is UTC, in which no instant has to be moved to find its day.
    """
    scripts = (resources.files("dashkit").joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = [part for script in scripts for part in _PARAGRAPH.split(script)]
    found = {match[1]: _REMARK.sub("", part) for part in parts if (match := _NAME.search(part))}
    found |= {} if of_one_project else _OF_ALL
    found |= _IN_UTC if in_utc else {}
    found["bad_values"] = f"""
        CREATE VIEW bad_values AS {" UNION ALL ".join(_bad_values())};
        COMMENT ON VIEW bad_values IS
        'One row per stored column that is no text: how many values are not of its kind, in all projects.';
    """
    return found


def steps(statements: str) -> Iterator[tuple[str | None, str]]:
    """The statements of a relation in their order: SQL, and where there have to be rows for it (None: in any case)."""
    first, *rest = _CONDITION.split(statements)
    yield None, first
    yield from zip(rest[::2], rest[1::2], strict=True)


def needed(query: str, known: Mapping[str, str]) -> list[str]:
    """Which of the known relations a query names, itself or through others, in their order.

    Every word counts, wherever it stands behind the comments above: too many do no harm. Who asks what there is needs
    all.
    """
    found: set[str] = set()
    waiting = [query]
    while waiting:
        text = _HEADER.sub("", waiting.pop()).lower()
        names = set(known) if _ASKS.search(text) else known.keys() & set(_WORD.findall(_ALIAS.sub("", text))) - found
        found |= names
        waiting += [known[name].partition("COMMENT ON")[0] for name in names]
    return [name for name in known if name in found]


def called(tree: Any) -> Iterator[str]:
    """The functions that a parsed query calls in FROM, at any depth."""
    return (node["function"]["function_name"] for node in _nodes(tree, "TABLE_FUNCTION"))


def hidden(tree: Any) -> Iterator[str]:
    """What a parsed query names in FROM that is below the views, or about DuckDB itself."""
    for node in _nodes(tree, "BASE_TABLE"):
        *where, name = (node[f"{part}_name"].lower() for part in ("catalog", "schema", "table"))
        if not _BELOW.isdisjoint(where) or name.startswith(("pragma_", "pg_", "sqlite_")):
            yield ".".join(filter(None, [*where, name]))


def _nodes(tree: Any, kind: str) -> Iterator[Any]:
    """The nodes of a kind in a parsed query, at any depth."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == kind:
                yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _bad_values() -> Iterator[str]:
    """For each table a query for how many values of its columns mean nothing, in one scan; blanks do not count."""
    for table in TABLES:
        # What a row said of itself is counted in the row: in the history nobody can correct it.
        typed_columns = [
            column for column, kind in columns(table).items() if kind != "text" and not column.startswith("said_")
        ]
        names = ", ".join(f"'{column}'" for column in typed_columns)
        counts = ", ".join(f"count(nullif(trim(bad['{column}'], '{times.BLANKS}'), ''))" for column in typed_columns)
        yield (
            f"SELECT '{table}' AS table_name, unnest([{names}]) AS column_name,"  # noqa: S608 - names of TABLES
            f" unnest([{counts}]) AS bad_values FROM typed.{table}"
        )
