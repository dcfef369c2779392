"""Readers of instants: SQLite's expressions, and the property that all readers of a database agree with times.read."""

import re
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import query, v1_database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashkit import dashboard, database, doctor, loading, migrations, snapshot, times
from dashkit.store import instants

AFFINITIES = ("TEXT", "DATETIME", "", "TEXT COLLATE NOCASE", "REAL", "BLOB")
FIRST = datetime.min.replace(tzinfo=UTC)

# What every reader reads, one of each form.
READ = [
    "2025-11-03T09:00:00.123Z", "2025-11-03 09:00:00", "2025-11-03T09:00:00", "2025-11-03t09:00z", "2025-11-03 09:00",
    "2025-11-03T09:00:00.000+0100", "2025-11-03T09:00:00,5-03:30", "2025-11-03 09:00:00 +0100", "20251103T090000Z",
    "2025-11-03T09:00+01", "2025-11-03T24:00:00", " 2025-11-03 ", "2025-11-03", "20251103", "\u20032025-11-03\n",
    "1762160400", "1762160400123", "1762160400.5", 1762160400, 1762160400123, 1762160400.0, 20251103, 20251103.0,
    b"2025-11-03", b"2025-11-03T09:00:00+01:00", "2024-02-29", "1970-01-01", "9999-12-31T23:59:59.999Z",
]  # fmt: skip
# What none of them reads.
REFUSED = [
    "now", "epoch", "infinity", "yesterday", "3. Nov 2025", "2025-W45-1", "2025W451", "2025-307", "2025307",
    "2025-02-30", "2025-02-30T09:00:00.000Z", "2025-11-03 09:60:00", "2025-11-03T25:00Z", "2025-11-03T24:00:01",
    "2025-11-03T09:00:00 Europe/Berlin", "2025-11-03 09:00 UTC", "1969-12-31", "1969-12-31T23:59:59.999Z",
    "0001-01-01", "9999-12-31T24:00:00", "9999-12-31T23:59:59-01:00", "2025-11-03\0", "2025-11-03T09:00:00.000Z\0",
    "2025-11-03\0T09:00:00", "\u0662\u0660\u0662\u0665-11-03", "\uff12\uff10\uff12\uff15-11-03", "09:00:00",
    "2460982.5", 2460982.5, 12, "123456789", "12345678901", "2025-11-03T\t9:00:00.000Z", "2025-1-3", "03.11.2025",
    "2025-11-03T09", "2025-11-03Z", b"\xff", b"\xff2025-11-03", b"2025-11-03\xff", float("inf"), 1e300, -1762160400,
    "-1762160400", "+2025-11-03", "''", "2025-11-3T09:00:00.123Z ", "999-12-31T23:59:59.999Z ",
    "2025-11-03T9:00:00.1234Z",
]  # fmt: skip
BLANK = ["", " ", "\t\n", "\u2003", "\xa0 ", b"", b" ", None]


@st.composite
def forms(draw):
    """A text in one of the forms, or nearly so."""
    sep, colon = draw(st.sampled_from(["-", "-", "-", "", "/", "."])), draw(st.sampled_from([":", ":", ":", "", "."]))
    year = draw(st.sampled_from(["2025", "2024", "2025", "1970", "1969", "9999", "0000", "10000"]))
    month, day = draw(st.integers(0, 13)), draw(st.sampled_from([1, 3, 28, 29, 30, 31, 32, 0]))
    text = f"{year}{sep}{month:02}{sep}{day:02}"
    if draw(st.integers(0, 3)):
        text += draw(st.sampled_from(["T", "T", " ", "t", "  ", "", "_"]))
        text += f"{draw(st.sampled_from([0, 9, 12, 23, 24, 25])):02}{colon}{draw(st.sampled_from([0, 30, 59, 60])):02}"
        if draw(st.integers(0, 3)):
            text += f"{colon}{draw(st.sampled_from([0, 7, 59, 60])):02}"
            text += draw(st.sampled_from(["", ".", ","])) + draw(
                st.sampled_from(["", "0", "5", "123", "1239999", "0" * 9])
            )
        text += draw(st.sampled_from(["", "", " "]))
        text += draw(
            st.sampled_from(["", "Z", "z", "+01", "-0330", "+01:00", "+1", "+24:00", "-12:60", "UTC", "+01:00:00"])
        )
    return text


@st.composite
def noised(draw):
    """A text of a form with something in it that does not belong there, or around it."""
    text = draw(forms())
    place = draw(st.integers(0, len(text)))
    odd = draw(st.sampled_from([" ", "\t", "\0", "\u0663", "x", "-", "0", "\u2003", "'", "\x1b[2J", "é"]))
    return text[:place] + odd + text[place + draw(st.integers(0, 1)) :]


blanks = st.text(st.sampled_from(times.BLANKS), max_size=2)
numbers = st.one_of(
    st.integers(0, 10**15), st.floats(0, 2e12, allow_nan=False), st.integers(19700101, 20991231),
    st.integers(10**9, 10**10), st.integers(10**12, 10**13),
)  # fmt: skip
values = st.one_of(
    forms(),
    st.builds("{}{}{}".format, blanks, forms(), blanks),
    noised(),
    numbers,
    numbers.map(str),
    st.sampled_from([*READ, *REFUSED, *BLANK]),
    forms().map(str.encode),
    st.text(st.characters(codec="utf-8"), max_size=12),
)


class Stored:
    """Values as a column holds them, and what times says of each: its text, its moment, its day."""

    def __init__(self, path, given, affinity, encoding):
        """A database of version 1 in which task 2n + 1 was created, and task 2n + 2 completed, at the nth value."""
        with closing(sqlite3.connect(path)) as conn:
            conn.execute(f"PRAGMA encoding = '{encoding}'")
            conn.executescript("CREATE TABLE t (id); DROP TABLE t")  # an empty file has no encoding yet
        self.path = v1_database(path)
        with closing(sqlite3.connect(path)) as conn, conn:
            (sql,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'tasks'").fetchone()
            conn.execute("DROP TABLE tasks")
            conn.execute(re.sub(r"(created_at|completed_at) TEXT", rf"\1 {affinity}", sql))
            insert = (
                "INSERT INTO tasks (id, project_id, title, status, created_at, completed_at) VALUES (?, 1, ?, ?, ?, ?)"
            )
            for place, value in enumerate(given):
                conn.execute(insert, (2 * place + 1, f"created {place}", "pending", value, None))
                conn.execute(insert, (2 * place + 2, f"completed {place}", "completed", None, value))
        with closing(sqlite3.connect(path)) as conn:
            conn.text_factory = bytes
            rows = conn.execute("SELECT CAST(created_at AS TEXT) FROM tasks WHERE id % 2 ORDER BY id")
            self.texts = [text if text is None else text.decode("utf-8", "replace") for (text,) in rows]
        self.read = [times.read(text) for text in self.texts]
        self.ids = range(len(self.texts))
        self.unread = [place for place in self.ids if (self.texts[place] or "").strip() and self.read[place] is None]


def check_expressions(stored):
    """SQLite's own part says what times.normal says or nothing, and all of it says the same."""
    with closing(sqlite3.connect(stored.path)) as conn:
        column = "created_at"
        with instants.reader(conn):
            conn.text_factory = bytes
            sql = f"SELECT {instants.fast(column)}, {instants.normal(column)}, {instants.is_unread(column)} FROM tasks"
            rows = conn.execute(f"{sql} WHERE id % 2 ORDER BY id").fetchall()
    for place, (fast, whole, is_unread) in zip(stored.ids, rows, strict=True):
        expected = times.normal(stored.texts[place])
        assert (whole and whole.decode()) == expected, stored.texts[place]
        assert fast is None or fast.decode() == expected, stored.texts[place]
        assert is_unread == (place in stored.unread), stored.texts[place]


def check_migration(stored):
    """The dry run counts what cannot be read, and the backfill has what can: an instant, or noon and the day."""
    rehearsed = migrations.migrate(stored.path).rehearsal.outcome
    found = {unread.column: unread for unread, _ in rehearsed.facts.unread}
    count = len(stored.unread)
    expected = {"created_at": count, "completed_at": count} if count else {}
    assert {column: unread.count for column, unread in found.items()} == expected
    for unread in found.values():
        assert unread.example in {stored.texts[place] for place in stored.unread}
        assert unread.of == sum(bool((text or "").strip()) for text in stored.texts)
    done = migrations.execute(stored.path)
    sql = "SELECT task_id, occurred_at, on_day, recorded_at FROM task_events WHERE op = 'backfill' ORDER BY event_id"
    rows = query(stored.path, sql)
    read = [place for place in stored.ids if stored.read[place]]
    assert [task for task, *_ in rows] == [2 * place + 1 for place in read] + [2 * place + 2 for place in read]
    for place, (_, at, day, now) in zip([*read, *read], rows, strict=True):
        moment = stored.read[place]
        just_before = times.to_text(times.parse(now) - timedelta(milliseconds=1))
        assert at == min(times.to_text(moment.at), just_before), stored.texts[place]
        is_past = moment.day is not None and moment.day.isoformat() <= now[:10]
        assert day == (moment.day.isoformat() if is_past else None), stored.texts[place]
    return done


def check_frames(stored, load):
    """A view has the instant and the day; what cannot be read is a bad value, and a completion of it is left out."""
    with dashboard.Dashboard(snapshot.take(stored.path, load=load)) as d:
        columns = "created_at, created_on, completed_at, completed_on"
        rows = d._snapshot.run(f"SELECT id, {columns} FROM typed.tasks ORDER BY id").astype(object).to_numpy().tolist()
        # Broken text is copied, whatever was asked for.
        assert d._snapshot.load == load or any("\ufffd" in (text or "") for text in stored.texts)
        bad = d.bad_values().set_index(["table_name", "column_name"])["bad_values"].to_dict()
        reasons = d.left_out().set_index("reason")["left_out"].to_dict()
    for task, *found in rows:
        place, is_completion = divmod(task - 1, 2)
        moment = stored.read[place]
        at, day = found[2:] if is_completion else found[:2]
        # The year 9999 is one that pandas has no nanoseconds for; DuckDB has microseconds, and so has times.
        assert (None if at != at or at is None else at.to_pydatetime()) == (moment and moment.at), stored.texts[place]
        assert (None if day != day or day is None else day.date()) == (moment and moment.day), stored.texts[place]
    count = len(stored.unread)
    expected = {("tasks", "created_at"): count, ("tasks", "completed_at"): count} if count else {}
    assert {where: number for where, number in bad.items() if where[1] in ("created_at", "completed_at")} == expected
    told = {reason.partition(", such as ")[0]: number for reason, number in reasons.items() if "such as" in reason}
    columns = ("completed_at", "created_at") if count else ()
    assert told == {f"{column} that cannot be read as a date": count for column in columns}


def check_doctor(stored):
    """Doctor counts the same values."""
    told = [one.found for one in doctor.examine(stored.path).findings if "cannot be read as a date" in one.found]
    found = {
        column: int(count.replace(",", ""))
        for count, column in (re.findall(r"^([\d,]+) of [\d,]+ (\S+)", one)[0] for one in told)
    }
    count = len(stored.unread)
    expected = ("tasks.created_at", "tasks.completed_at") if count else ()
    assert {column: number for column, number in found.items() if column != "tasks.updated_at"} == dict.fromkeys(
        expected, count
    )


def check_database(stored):
    """Activity and links are newest first by times.read, and show what it read."""
    shown = [event["timestamp"] for event in database.get_recent_activity(10**6, db=stored.path)]
    today = times.utc_now().date()
    read = [moment.at for moment in stored.read if moment]
    past = [at for at in read if at.date() < today]
    # What lies in the future counts in the instant of the migration; what cannot be read is of no known time.
    assert Counter(at for at in shown if at[:10] < today.isoformat()) == Counter(map(times.to_text, past))
    assert len(shown) == len(read)
    order = [event["timestamp"] or "" for event in database.get_recent_activity(10**6, db=stored.path)]
    assert order == sorted(order, reverse=True)
    assert [one["timestamp"] or "" for one in database.get_recent_activity(3, db=stored.path)] == order[:3]
    with closing(sqlite3.connect(stored.path)) as conn, conn:
        conn.execute("INSERT INTO git_repos (id, project_id, path) VALUES ('r', 1, 'r')")
        conn.execute(
            "INSERT INTO git_commits (sha, repo_id, timestamp)"
            " SELECT printf('%05d', id), 'r', created_at FROM tasks WHERE id % 2"
        )
        conn.execute(
            "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type)"
            " SELECT sha, 1, sha, 1.0, 'manual' FROM git_commits"
        )
    shas = [int(link["sha"]) for link in database.get_task_links(1, db=stored.path)["commits"]]
    key = lambda place: stored.read[place].at if stored.read[place] else FIRST
    assert [(sha - 1) // 2 for sha in shas] == sorted(stored.ids, key=key, reverse=True)


def check(given, affinity="TEXT", encoding="UTF-8"):
    """Hold every reader against times.read over values in one database."""
    with tempfile.TemporaryDirectory() as folder:
        stored = Stored(Path(folder, "d.db"), given, affinity, encoding)
        check_expressions(stored)
        check_migration(stored)
        check_doctor(stored)
        for load in ("copy", *(["attach"] if loading.extension() else [])):
            check_frames(stored, load)
        check_database(stored)


@pytest.mark.parametrize("affinity", AFFINITIES)
def test_all_readers_read_one_language(affinity):
    """What times reads and what it refuses, of each form one: the same by every reader, whatever the column's type."""
    check([*READ, *REFUSED, *BLANK], affinity)


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_all_readers_read_text_of_any_encoding(encoding):
    """Text and numbers of a database whose text is in UTF-16 are read as those of any other one."""
    check([value for value in (*READ, *REFUSED, *BLANK) if not isinstance(value, bytes)], encoding=encoding)


def test_the_lists_are_what_they_say():
    """times.read reads all of the one list, and nothing of the other."""
    assert not [value for value in READ if times.read(value) is None]
    assert not [value for value in [*REFUSED, *BLANK] if times.read(value) is not None]


lots = st.lists(values, min_size=1, max_size=60)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(lots, st.sampled_from(AFFINITIES))
def test_readers_agree(given, affinity):
    """Over a drawn sample of forms and of noise every reader says what times.read says."""
    check(given, affinity)


@pytest.mark.exhaustive
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(values, min_size=1, max_size=250), st.sampled_from(AFFINITIES))
def test_readers_agree_on_many(given, affinity):
    """The same over a hundred thousand values."""
    check(given, affinity)


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_on_a_connection(fails):
    """The function is there inside the reader alone, also where something fails, and the user's own ones stay."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.create_function("normal", 1, lambda value: f"mine: {value}")
        before = conn.execute("SELECT name, narg FROM pragma_function_list ORDER BY 1, 2").fetchall()
        reads = f"SELECT {instants.normal('column1')} FROM (VALUES ('20251103'))"
        try:
            with instants.reader(conn):
                assert conn.execute(reads).fetchone() == ("2025-11-03",)
                if fails:
                    conn.execute("SELECT nothing")
        except sqlite3.OperationalError:
            assert fails
        assert conn.execute("SELECT name, narg FROM pragma_function_list ORDER BY 1, 2").fetchall() == before
        with pytest.raises(sqlite3.OperationalError, match="no such function"):
            conn.execute(reads)
        assert conn.execute("SELECT normal(1)").fetchone() == ("mine: 1",)


def test_a_database_is_made_without_a_function_on_the_callers_connection():
    """migrations.create in an open database registers nothing, whatever else runs on it."""
    with closing(sqlite3.connect(":memory:")) as conn:
        before = conn.execute("SELECT count(*) FROM pragma_function_list").fetchone()
        migrations.create(conn)
        assert conn.execute("SELECT count(*) FROM pragma_function_list").fetchone() == before
