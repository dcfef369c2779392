"""Why DuckDB never meets the live file: a direct attach loses a committed row, and a Dashboard does not."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from builders import query, v2_1_database

from dashkit import loading

pytestmark = pytest.mark.skipif(loading.extension() is None, reason="the extra `attach` is not installed")

OTHER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=0.2) as conn:
    conn.execute("INSERT INTO projects (name) VALUES ('theirs')")
"""
READ = {
    "attach": """
duck = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
duck.load_extension(str(loading.extension()))
duck.execute(f"ATTACH '{path}' AS live (TYPE sqlite, READ_ONLY)")
duck.execute("SELECT count(*) FROM live.projects").fetchall()
duck.execute("DETACH live")
""",
    "dashkit": """
with dashkit.open(path, load="attach") as d:
    d.progress()
""",
}
WRITER = """
import duckdb, sqlite3, subprocess, sys, dashkit
from dashkit import loading
path, other = sys.argv[1:]
conn = sqlite3.connect(path, isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
conn.execute("INSERT INTO projects (name) VALUES ('ours')")
{read}
print(subprocess.run([sys.executable, "-c", other, path], capture_output=True).returncode)
conn.execute("COMMIT")
"""


def story(tmp_path, way):
    """In the middle of our write the same process reads; meanwhile another one writes. Its exit code, and the rows.

    Both have committed and were told so; the file is in WAL mode and whole.
    """
    path = v2_1_database(tmp_path / "live.db", projects=[])
    query(path, "PRAGMA journal_mode = WAL")
    command = [sys.executable, "-c", WRITER.format(read=READ[way]), str(path), OTHER]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(done.stdout), sorted(name for (name,) in conn.execute("SELECT name FROM projects"))


def test_a_direct_attach_loses_a_row(tmp_path):
    """DuckDB's own SQLite drops our lock: two writers are told that they committed, and one row is there."""
    code, names = story(tmp_path, "attach")
    assert code == 0
    assert len(names) == 1


@pytest.mark.slow
def test_a_dashboard_loses_nothing(tmp_path):
    """Through a snapshot our lock stands: the other writer is refused and knows it, and ours is there."""
    code, names = story(tmp_path, "dashkit")
    assert code != 0
    assert names == ["ours"]
