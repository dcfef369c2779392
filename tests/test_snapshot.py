import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pandas as pd
import pytest
from builders import SCHEMA, insert, query, statements, v1_database, v2_1_database, v2_database
from specimens import hostile_database

from dashkit import dashboard, loading, migrations, snapshot, times, views
from dashkit.errors import OutdatedError, RefusedError, UsageError

AS_OF = datetime(2025, 12, 1, tzinfo=UTC)
HAS_EXTENSION = loading.extension() is not None
LOADS = [
    "copy",
    pytest.param("attach", marks=pytest.mark.skipif(not HAS_EXTENSION, reason="the extra `attach` is not installed")),
]


@pytest.fixture(params=LOADS)
def load(request):
    """Each way into DuckDB."""
    return request.param


def opened(db, load=None, **options):
    """A Dashboard as of AS_OF, brought into DuckDB in this way."""
    return dashboard.Dashboard(snapshot.take(db, as_of=AS_OF, load=load, **options))


def everything(opened):
    """Every frame and every view, by name."""
    frames = dashboard.frames().items()
    found = {
        name: frame(opened) for name, frame in frames if opened.has_history or "OutdatedError" not in frame.__doc__
    }
    for view in opened.sql("SELECT view_name FROM duckdb_views() WHERE comment IS NOT NULL")["view_name"]:
        found[f"view {view}"] = opened.sql(f"SELECT * FROM {view} ORDER BY ALL")
    return found


def test_the_tables_read_are_those_of_the_schema(tmp_path):
    """views.TABLES names tables and columns of the newest schema, in order; of version 2.0 all but the record."""
    with closing(sqlite3.connect(":memory:")) as conn:
        for statement in statements((SCHEMA / "v2_1.sql").read_text(encoding="utf-8")):
            conn.execute(statement)
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: [row[1] for row in conn.execute(f"PRAGMA table_info({name})")] for name in tables}
    read = {table: list(views.columns(table)) for table in views.TABLES}
    assert read == {table: [name for name in found[table] if name in read[table]] for table in read}
    with closing(sqlite3.connect(v2_database(tmp_path / "d.db"))) as conn:
        for table, columns in read.items():
            assert {row[1] for row in conn.execute(f"PRAGMA table_info({table})")} <= set(columns)
        old = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert read.keys() >= old - {"schema_migrations"}


@pytest.mark.slow
@pytest.mark.skipif(not HAS_EXTENSION, reason="the extra `attach` is not installed")
@pytest.mark.parametrize(
    "make", [v2_database, v2_1_database, hostile_database, partial(hostile_database, make=v2_1_database)]
)
def test_both_ways_show_the_same(tmp_path, make):
    """Copied or attached, every frame and every view has the same rows, in a path with a space and a quote."""
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    path = make(folder / "my 'dash' ?%#.db")
    with opened(path, "copy") as copied, opened(path, "attach") as attached:
        assert (copied._snapshot.load, attached._snapshot.load) == ("copy", "attach")
        left, right = everything(copied), everything(attached)
    assert left.keys() == right.keys()
    for name, frame in left.items():
        pd.testing.assert_frame_equal(frame, right[name], obj=name)


def test_a_hostile_database_is_read_and_its_bad_values_are_counted(tmp_path, load):
    """Values that are none of their column's kind become missing, spoil nothing else, and are counted."""
    with opened(hostile_database(tmp_path / "h.db"), load) as d:
        bad = d.bad_values().set_index(["table_name", "column_name"])["bad_values"]
        assert d.sql("SELECT count(*) AS n FROM tasks")["n"][0] == 10
        assert d.sql("SELECT count(*) AS n FROM commits WHERE committed_at = '2025-11-27 08:00:00'")["n"][0] == 10
    assert bad["tasks", "checked"] == 4  # abc, the blob, infinity, 0x10
    assert bad["tasks", "completed_at"] == 5  # all but the blanks, the seconds, and the blob, whose bytes are a date


@pytest.mark.skipif(not HAS_EXTENSION, reason="the extra `attach` is not installed")
@pytest.mark.parametrize("broken", [b"\xff\x41", b"\xed\xa0\x80", b"\xc0\x80"])
def test_text_that_is_no_utf8_is_copied_with_replacement_characters(tmp_path, broken):
    """The extension hands broken text on unchecked, so such a database is copied even where attach was asked for."""
    path = v2_database(tmp_path / "d.db")
    query(path, "INSERT INTO tasks (project_id, title) VALUES (1, CAST(? AS TEXT))", broken)
    with opened(path, "attach") as d:
        d.sql("SELECT count(*) FROM tasks")
        assert d._snapshot.load == "copy"
        assert "\ufffd" in d.sql("SELECT title FROM tasks")["title"][0]


@pytest.mark.slow
@pytest.mark.skipif(not HAS_EXTENSION, reason="the extra `attach` is not installed")
def test_many_rows_are_attached(tmp_path):
    """From 200,000 rows on the copy is attached, below it is copied."""
    path = v2_database(tmp_path / "d.db")
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i, 1, 't' || i FROM n"
    query(path, f"INSERT INTO tasks (id, project_id, title) {rows}", snapshot.ATTACH_FROM - 2)
    with opened(path) as d:
        assert d._snapshot.load == "copy"
    insert(path, "tasks", project_id=1, title="one more")
    with opened(path) as d:
        assert d._snapshot.load == "attach"
        assert d.progress()["tasks"].tolist() == [snapshot.ATTACH_FROM - 1]


def test_without_the_extension_everything_is_copied(tmp_path, monkeypatch):
    """Where no extension is found, not even in the user's own folder, attach becomes copy and nothing is fetched."""
    monkeypatch.setattr(loading, "extension", lambda: None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with opened(v2_database(tmp_path / "d.db"), "attach") as d:
        assert d._snapshot.load == "copy"
        assert len(d.progress()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("text", [
    "2025-11-27T16:09:57.123Z", "2025-11-27 16:09:57", "2025-11-27T16:09:57+02:00", "2025-11-27T16:09:57.5-0330",
    "2025-11-27", " 2025-11-27 ", "2025-11-27T16:09:57,123Z", "2025-11-27T16:09:57.123456+05", "1970-01-01",
    "1970-01-01T00:00:00.000Z", "1969-12-31T12:00:00-12:00", "9999-12-31T23:59:59Z", "2025-11-27T24:00:00",
    "2025-11-27 16:09:57 +0100", "2025-11-27t16:09z", "20251127", "1764259797", 1764259797, 1764259797123.0, 20251127,
])  # fmt: skip
def test_an_instant_is_what_times_says(tmp_path, load, text):
    """A timestamp means the same in a view as in times.read, offset and fraction included; a date is its noon."""
    path = v2_database(tmp_path / "d.db", tasks=[{"created_at": text}])
    read = times.read(text)
    with opened(path, load) as d:
        assert d.sql("SELECT created_at FROM tasks")["created_at"][0] == read.at
        day = d._snapshot.run("SELECT created_on FROM typed.tasks")["created_on"][0]
        assert (None if pd.isna(day) else day.date()) == read.day
        assert len(d.bad_values()) == 0


@pytest.mark.slow
@pytest.mark.parametrize("text", [
    "epoch", "infinity", "now", "today", "yesterday", "176425979", "2025-02-30", "27/11/2025", "16:09:57",
    "-4000-01-01", "294247-01-01", "2025-11-27T24:00:01", "2025-11-27T16:09:57 Europe/Berlin", "0001-01-01T00:00:00+12",
    "9999-12-31T23:59:59-12", "0001-01-01", "1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59",
    "1970-01-01T00:00:00+01:00", "2025-W48-4", "2025-11-27T\t6:09:57.123Z", "2025-11-27\0",
])  # fmt: skip
def test_what_is_no_instant_is_missing_and_counted(tmp_path, load, text):
    """Words that DuckDB alone would read as an instant, dates of no calendar and those before 1970 are bad values."""
    path = v2_database(tmp_path / "d.db", tasks=[{"created_at": text}])
    with opened(path, load) as d:
        assert d.sql("SELECT created_at FROM tasks")["created_at"].isna().all()
        assert d.bad_values().to_numpy().tolist() == [["tasks", "created_at", 1]]


def test_what_only_times_reads_leaves_other_bad_values(tmp_path, load):
    """Reading a text takes it out of the bad values of its own column, and nothing else of its row changes."""
    task = {"created_at": "2025-11-27 16:09:57 +0100", "completed_at": "3. Nov 2025", "updated_at": "\u2003"}
    path = v2_database(tmp_path / "d.db", tasks=[{"checked": "yes", "created_at": "20251127"}, task, {}])
    with opened(path, load) as d:
        found = [["tasks", "checked", 1], ["tasks", "completed_at", 1]]
        assert sorted(d.bad_values().to_numpy().tolist()) == found
        assert d.sql("SELECT created_at FROM tasks ORDER BY id")["created_at"].astype(str).tolist()[:2] == [
            "2025-11-27 12:00:00+00:00", "2025-11-27 15:09:57+00:00",
        ]  # fmt: skip


@pytest.mark.parametrize(("year", "bad"), [("0001", 1), ("1969", 1), ("9999", 0)])
def test_a_damaged_year_gives_no_thousands_of_rows(tmp_path, year, bad):
    """An event of the year 1 is a bad value, one of 9999 comes later; neither makes a frame by day long."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"status": "blocked"}, {"status": "in_progress"}])
    query(path, "UPDATE task_events SET occurred_at = ? WHERE task_id = 1", f"{year}-01-02T00:00:00.000Z")
    with dashboard.open(path, timezone="Pacific/Kiritimati") as d:
        for name, frame in dashboard.frames().items():
            given = {"by": "day"} if "day, week or month" in frame.__doc__ else {}
            assert len(frame(d, **given)) < 50, name
        assert d.wip("day")["open"].iloc[-1] == 2
        assert d.bad_values().to_numpy().tolist() == [["task_events", "occurred_at", 1]] * bad


REFUSED = [
    ("COPY (SELECT 1) TO '{out}'", "Only SELECT"),
    ("COPY tasks TO '{out}'", "Only SELECT"),
    ("EXPORT DATABASE '{out}'", "Only SELECT"),
    ("SELECT * FROM read_csv('{file}')", "calls read_csv"),
    ("SELECT * FROM read_text('{file}')", "calls read_text"),
    ("SELECT * FROM glob('/*')", "calls glob"),
    ("SELECT * FROM '{file}.csv'", "disabled by configuration|does not exist"),
    ("SELECT * FROM '{file}'", "disabled by configuration|does not exist"),
    ("SELECT * FROM sqlite_scan('{file}', 'tasks')", "calls sqlite_scan"),
    ("FROM (SELECT * FROM system.main.sqlite_scan('{file}', 'tasks'))", "calls sqlite_scan"),
    ("SELECT (SELECT max(a) FROM query('SELECT 1') AS t(a))", "calls query"),
    ("WITH q AS (SELECT * FROM sqlite_query('source', 'SELECT 1')) SELECT * FROM q", "calls sqlite_query"),
    ("SELECT 1 ORDER BY (SELECT max(name) FROM sqlite_scan('{file}', 'projects'))", "calls sqlite_scan"),
    ("DESCRIBE SELECT * FROM sqlite_scan('{file}', 'tasks')", "calls sqlite_scan"),
    ("SUMMARIZE FROM sqlite_scan('{file}', 'tasks')", "calls sqlite_scan"),
    ("FROM (PIVOT sqlite_scan('{file}', 'tasks') ON id IN (1) USING count(*))", "calls sqlite_scan"),
    ("ATTACH '{file}' AS o (TYPE sqlite)", "Only SELECT"),
    ("CALL sqlite_attach('{file}')", "Only SELECT"),
    ("INSTALL httpfs", "Only SELECT"),
    ("LOAD httpfs", "Only SELECT"),
    ("SET enable_external_access = true", "Only SELECT"),
    ("SET VARIABLE project = 2", "Only SELECT"),
    ("PRAGMA database_list", "Only SELECT"),
    ("INSERT INTO source.tasks (title) VALUES ('x')", "Only SELECT"),
    ("UPDATE source.tasks SET title = 'x'", "Only SELECT"),
    ("DELETE FROM source.tasks", "Only SELECT"),
    ("CREATE TABLE t (a INT)", "Only SELECT"),
    ("DROP VIEW tasks", "Only SELECT"),
    ("SELECT 1; SELECT 2", "2 statements"),
    ("SELECT 1; DROP VIEW tasks", "Only SELECT"),
    ("", "0 statements"),
    ("SELEC 1", "syntax error"),
    ("FROM typed.tasks", "names typed.tasks"),
    ("FROM pg_settings", "names pg_settings"),
    ("FROM pg_catalog.pg_tables", "names pg_catalog.pg_tables"),
    ("SELECT (SELECT count(*) FROM information_schema.tables)", "names information_schema.tables"),
    ("FROM sqlite_master", "names sqlite_master"),
    ("SELECT nothing FROM tasks", "nothing"),
    ("SELECT * FROM frame", "frame"),
    ("SELECT ?", "parameter"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("sql", "why"), REFUSED)
def test_a_query_reads_the_views_and_nothing_else(tmp_path, load, sql, why):
    """No file, no extension, no setting, no writing: refused in words, and nothing appears on disk."""
    path, out = v2_database(tmp_path / "d.db"), tmp_path / "out"
    frame = pd.DataFrame({"a": [1]})  # a variable that a query must not see
    with opened(path, load) as d, pytest.raises(UsageError, match=rf"(?s)Cannot run this query: .*({why})"):
        d.sql(sql.format(out=out, file=path))
    assert not out.exists()
    assert len(frame) == 1


def test_no_file_is_opened_even_without_the_first_guard(tmp_path):
    """DuckDB itself is locked too: no file access, no setting can be changed back."""
    with opened(v2_database(tmp_path / "d.db"), "copy") as d:
        for sql in (f"COPY (SELECT 1) TO '{tmp_path / 'x'}'", "SELECT * FROM read_text('/etc/hostname')"):
            with pytest.raises(UsageError, match="disabled by configuration"):
                d._snapshot.run(sql)
        with pytest.raises(UsageError, match="locked"):
            d._snapshot.run("SET enable_external_access = true")


def test_a_query_has_values_and_types(tmp_path, load):
    """Values are bound by place or name; types do not depend on whether there are rows or gaps."""
    path = v2_database(tmp_path / "d.db", tasks=[{"title": "a'; --", "checked": 1, "complexity": "XL"}, {}])
    sql = (
        "SELECT count(*) AS n, sum(size) AS s, avg(size) AS a, min(title) AS t, bool_or(checked) AS b,"
        " min(created_at) AS i, min(CAST(created_at AS DATE)) AS d FROM tasks WHERE title = ?"
    )
    dtypes = ["Int64", "Int64", "Float64", "string", "boolean", *["datetime64[us, UTC]"] * 2]
    with opened(path, load) as d:
        full, empty = d.sql(sql, ["a'; --"]), d.sql(f"{sql} HAVING n > 1", ["none"])
        assert d.sql("SELECT id FROM tasks WHERE title = $t", {"t": "a'; --"})["id"].tolist() == [1]
    assert full.iloc[0, :5].tolist() == [1, 5, 5.0, "a'; --", True]
    assert [str(dtype) for dtype in full.dtypes] == [str(dtype) for dtype in empty.dtypes] == dtypes
    assert len(empty) == 0


def test_whole_numbers_with_gaps_stay_whole(tmp_path):
    """A gap does not turn Int64 into floats, and numbers beyond 2**53 keep every digit."""
    with opened(v2_database(tmp_path / "d.db")) as d:
        frame = d.sql("SELECT unnest([9007199254740993, NULL]) AS n, unnest([NULL, 'x']) AS t")
    assert frame["n"].tolist() == [9007199254740993, pd.NA]
    assert frame["t"].tolist() == [pd.NA, "x"]


def test_a_v1_database_says_what_to_run(tmp_path):
    """A Dashboard before 2.0 is refused with the two commands that change it."""
    path = v1_database(tmp_path / "v1.db")
    with pytest.raises(OutdatedError, match=r"v1\.db.*`dashkit migrate` .*`dashkit migrate --execute`"):
        dashboard.open(path)


def test_no_dashboard_is_refused(tmp_path):
    """A missing file, another program's database and a file that is none are refused in words."""
    query(tmp_path / "other.db", "CREATE TABLE notes (id INTEGER)")
    (tmp_path / "text.db").write_text("no database, but long enough to be read as one" * 50)
    with pytest.raises(RefusedError, match="there is no such file"):
        dashboard.open(tmp_path / "none.db")
    with pytest.raises(RefusedError, match="it is no Dashboard"):
        dashboard.open(tmp_path / "other.db")
    with pytest.raises(RefusedError, match="not a SQLite database"):
        dashboard.open(tmp_path / "text.db")


def test_a_damaged_database_is_refused(tmp_path, load):
    """Pages that SQLite cannot read are an error in words at opening, not one in the middle of a frame."""
    path = v2_database(tmp_path / "d.db", tasks=[{"title": "x" * 500}] * 100)
    (root,) = query(path, "SELECT rootpage FROM sqlite_master WHERE name = 'tasks'")[0]
    with path.open("r+b") as file:
        file.seek(4096 * (root - 1))
        file.write(b"\xaa" * 4096)
    with pytest.raises(RefusedError, match=r"d\.db: the database is damaged"):
        opened(path, load)


def test_an_adopted_database_may_lack_what_is_optional(tmp_path, load):
    """Columns and tables that v1 does not need are missing values, not errors, and names know no case."""
    path = v2_database(tmp_path / "d.db")
    query(path, "DROP TABLE phases")
    query(path, "DROP TABLE task_dependencies")
    query(path, "DROP TABLE schema_migrations")
    query(path, "ALTER TABLE projects RENAME COLUMN name TO NAME")
    for column in ("phase_id", "description", "priority", "created_at", "completed_at"):
        query(path, f"ALTER TABLE tasks DROP COLUMN {column}")
    insert(path, "tasks", project_id=1, title="A task", status="blocked", updated_at="2025-01-01")
    with opened(path, load) as d:
        assert d.version == "2.0"
        assert d.rows == {
            "projects": 1, "tasks": 1, "git_repos": 0, "git_commits": 0, "llm_sessions": 0, "task_commit_links": 0,
            "task_session_links": 0,
        }  # fmt: skip
        assert d.progress()["project"].tolist() == ["Alpha"]
        assert d.blocked_tasks()["blocked_days"].tolist() == [pd.NA]
        assert d.sql("SELECT phase, created_at FROM tasks").isna().all(axis=None)
        assert len(d.bad_values()) == 0
        everything(d)


def test_the_version_is_the_newest_on_record(tmp_path):
    """2.10 is newer than 2.9, and text that is no version is passed over."""
    path = v2_database(tmp_path / "d.db")
    for version in ("2.0", "2.9", "2.10", "3.x", "", "99999999999999999999"):
        insert(path, "schema_migrations", version=version, name="x", applied_at="", checksum="", tool_version="")
    with opened(path) as d:
        assert d.version == "2.10"


def test_one_project_can_be_chosen(tmp_path, load):
    """By id, by name or by id as text; then every view and frame speaks of that project alone."""
    path = v2_database(
        tmp_path / "d.db",
        projects=["Alpha", "It's; --", "Twin", "Twin", "1"],
        tasks=[{"project_id": 2, "title": "two", "checked": 1, "completed_at": "2025-01-01"}, {"status": "blocked"}],
    )
    insert(path, "llm_sessions", id="s", project_id=1)
    for project in (2, "It's; --", "2"):
        with opened(path, load, project=project) as d:
            assert d.progress()["project_id"].tolist() == [2]
            assert d.activity()["title"].tolist() == ["two"]
            assert d.sql("SELECT project FROM tasks")["project"].tolist() == ["It's; --"]
            assert len(d.blocked_tasks()) == len(d.sql("FROM sessions")) == 0
    with opened(path, load, project="1") as d:
        assert d.progress()["project"].tolist() == ["Alpha"]
        assert d.note == "1 is taken for the id of the project 'Alpha', not for the name of '1' (id 5)."
    with opened(path, load, project="") as d:
        assert len(d.progress()) == 5
    with pytest.raises(UsageError, match=r"2 projects have this name\. Give one of their ids: 3, 4"):
        opened(path, load, project="Twin")
    with pytest.raises(UsageError, match="Did you mean 'Alpha'"):
        opened(path, load, project="Alhpa")
    with pytest.raises(UsageError, match="no project has this id or name"):
        opened(path, load, project="\udcff")


def test_the_live_file_stays_as_it_is(tmp_path, load):
    """Opening and asking changes no byte, no time and no neighbour of the live file."""
    path = v2_database(tmp_path / "d.db", tasks=[{}])
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir()))
    with opened(path, load) as d:
        everything(d)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


def test_a_writers_lock_outlives_a_dashboard(tmp_path, load):
    """Opening and closing a Dashboard drops no lock that this process holds on the live file."""
    path = v2_database(tmp_path / "d.db")
    write = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with opened(path, load) as d:
            assert len(d.progress()) == 1
        other = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, check=False)
        assert "database is locked" in other.stderr
        writer.execute("ROLLBACK")


def test_a_dashboard_sees_one_state(tmp_path, load):
    """What is written after opening is not in the frames of that Dashboard."""
    path = v2_database(tmp_path / "d.db", tasks=[{}])
    with opened(path, load) as d:
        insert(path, "tasks", project_id=1, title="later")
        assert d.progress()["tasks"].tolist() == [1]


def test_nothing_is_left_behind(tmp_path, monkeypatch, load):
    """The copy is gone after close, also when opening fails, and a quote in the temporary folder does no harm."""
    scratch = tmp_path / "tmp 'n' \"q\""
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = v2_database(tmp_path / "d.db", tasks=[{}])
    d = opened(path, load)
    assert d._snapshot.load == load
    assert d.progress()["tasks"].tolist() == [1]
    d.close()
    d.close()
    assert list(scratch.iterdir()) == []
    with pytest.raises(UsageError, match="no project"):
        opened(path, load, project=99)
    assert list(scratch.iterdir()) == []


def test_an_open_connection_is_read_and_left_alone(tmp_path):
    """A caller's connection stays open and as it is; in a transaction, which nothing can copy, it is refused."""
    path = v2_database(tmp_path / "d.db")
    with closing(sqlite3.connect(path)) as conn:
        conn.row_factory, conn.text_factory = sqlite3.Row, bytes
        with opened(conn) as d:
            assert d.path == str(path)
            assert d.progress()["project"].tolist() == ["Alpha"]
        assert conn.execute("SELECT name FROM projects").fetchone()["name"] == b"Alpha"
        conn.execute("INSERT INTO tasks (project_id, title) VALUES (1, 'mine')")
        with pytest.raises(RefusedError, match="in a transaction of its own"):
            opened(conn)
        assert conn.in_transaction


def test_a_closed_dashboard_says_so(tmp_path):
    """Asking after close is an error in words."""
    with opened(v2_database(tmp_path / "d.db")) as d:
        pass
    with pytest.raises(UsageError, match="it is closed"):
        d.progress()


@pytest.mark.parametrize(("as_of", "why"), [("soon", "no instant"), (datetime(2025, 1, 1), "no time zone")])  # noqa: DTZ001 - the point
def test_as_of_must_be_an_instant(tmp_path, as_of, why):
    """A word or a datetime without a zone is refused."""
    with pytest.raises(UsageError, match=why):
        dashboard.open(v2_database(tmp_path / "d.db"), as_of=as_of)


def test_a_dashboard_introduces_itself(tmp_path):
    """Its repr says the path, the version, as of when, and how many rows."""
    path = v2_database(tmp_path / "d.db", tasks=[{}])
    with dashboard.open(path, as_of="2025-11-27") as d:
        expected = "version 2.0, as of 2025-11-27T00:00:00.000Z: 1 projects, 1 tasks>"
        assert repr(d) == f"<Dashboard {str(path)!r}, {expected}"
    with dashboard.open(path) as d:
        assert abs((times.utc_now() - d.as_of).total_seconds()) < 60


def test_a_page_says_which_project_it_is_of(tmp_path):
    """By its name, as text, and by its id where it has none or the Dashboard is closed."""
    path = v2_database(tmp_path / "d.db", projects=["<b>Web</b>", ""])
    with dashboard.open(path, project=1) as d:
        assert "project &lt;b&gt;Web&lt;/b&gt; (version 2.0)" in d._repr_html_()
    assert "project 1 (" in d._repr_html_()
    with dashboard.open(path, project=2) as d:
        assert "project 2 (" in d._repr_html_()


def test_importing_dashkit_loads_nothing_heavy():
    """After `import dashkit` neither pandas nor duckdb nor matplotlib is there."""
    code = "import dashkit, sys; print(sorted({'pandas', 'duckdb', 'matplotlib', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ONE_DAY = ("Pacific/Kiritimati", "Asia/Kolkata", "UTC", "America/St_Johns", "Etc/GMT+12")


@pytest.mark.parametrize("zone", ONE_DAY)
def test_what_began_and_ended_on_one_day_took_none_in_every_zone(tmp_path, zone):
    """However little of the day's noon is left in a zone, one date behind another stays a lead time of no days."""
    path = v1_database(
        tmp_path / "d.db",
        tasks=[
            {"title": "one day", "status": "completed", "created_at": "2025-11-03", "completed_at": "2025-11-03"},
            {"title": "ended first", "status": "completed", "created_at": "2025-11-05", "completed_at": "2025-11-03"},
        ],
    )
    migrations.execute(path)
    with dashboard.open(path, timezone=zone) as d:
        took = d.lead_times().set_index("task_id")["lead_time_days"]
        days = d.sql(
            "SELECT period_of(arrived_at, 'day') AS a, period_of(finished_at, 'day') AS f FROM flow ORDER BY 1"
        )
    assert (took[1], took.isna()[2]) == (0.0, True)
    assert [[str(day)[:10] for day in row] for row in days.to_numpy()] == [["2025-11-03"] * 2, ["2025-11-05"] * 2]


@pytest.mark.parametrize("zone", ONE_DAY[:3])
def test_a_day_does_not_begin_before_its_midnight(tmp_path, zone):
    """A task created on a date and completed at its midnight, UTC, arrives on that date where that is in it."""
    done = {"title": "t", "status": "completed", "created_at": "2025-11-03", "completed_at": "2025-11-03 00:00:00"}
    path = v1_database(tmp_path / "d.db", tasks=[done])
    migrations.execute(path)
    with dashboard.open(path, timezone=zone) as d:
        (day,) = d.sql("SELECT period_of(arrived_at, 'day') AS day FROM flow")["day"]
    assert str(day)[:10] == "2025-11-03"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Havana", "2025-11-02"),  # midnight comes twice
        ("Atlantic/Azores", "2025-10-26"),
        ("Asia/Beirut", "2025-03-30"),  # midnight is left out
        ("America/Havana", "2025-03-09"),
        ("Australia/Lord_Howe", "2025-04-06"),  # half an hour, by day
        ("Pacific/Apia", "2011-12-31"),  # the day before it was left out
        ("UTC", "2025-10-26"),
        ("Europe/Berlin", "2025-10-26"),
    ],
)
def test_a_day_begins_once_by_every_reader(tmp_path, zone, day):
    """The views and `times.midnight` agree when a day begins, also where the clock shows midnight twice, or never."""
    path = v2_1_database(tmp_path / "d.db")
    with dashboard.open(path, timezone=zone) as d:
        for beside in range(-1, 2):
            near = date.fromisoformat(day) + timedelta(days=beside)
            (begun,) = d.sql(f"SELECT begin_of(DATE '{near}') AS at")["at"]
            assert begun == times.midnight(near, zone)
