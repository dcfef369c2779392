"""What migration tests compare: a database as a value, and a folder as a value; and how a database gets odd."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

# A program that writes and dies: its connection is never closed, its transaction never ended.
_CRASH = "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n{}\nos._exit(0)"


def alter(path, *statements):
    """Run statements on a database, each in a transaction of its own; returns the path."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for statement in statements:
            conn.execute(statement)
    return path


def crash(path, *statements):
    """Run statements in a process that dies at the end, with its connection open."""
    lines = "\n".join(f"c.execute({statement!r}).fetchall()" for statement in statements)
    subprocess.run([sys.executable, "-c", _CRASH.format(lines), os.fspath(path)], check=True)


def folder_state(folder):
    """Every file of a folder: its bytes and when it was last written."""
    files = (entry for entry in Path(folder).iterdir() if entry.is_file())
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def content(path):
    """A database as a value: its definitions in their order, and the rows of each table with their storage classes."""
    with closing(sqlite3.connect(path)) as conn:
        conn.text_factory = lambda raw: ("text", raw)
        definitions = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid").fetchall()
        names = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0").fetchall()
        tables = [raw.decode() for ((_, raw),) in names]
        return definitions, {name: conn.execute(f"SELECT * FROM {quoted(name)}").fetchall() for name in tables}


def kept(path):
    """A database as a value, without its runs: what is to stay the same where a run finds nothing new."""
    definitions, tables = content(path)
    return definitions, {name: rows for name, rows in tables.items() if name != "runs"}


def old_values(path, like):
    """The rows of a database, cut down to the tables and columns that another one has."""
    with closing(sqlite3.connect(path)) as conn, closing(sqlite3.connect(like)) as model:
        conn.text_factory = lambda raw: ("text", raw)
        names = model.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0").fetchall()
        found = {}
        for (name,) in names:
            columns = [row[1] for row in model.execute(f"PRAGMA table_xinfo({quoted(name)})")]
            found[name] = conn.execute(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)}").fetchall()
        return found


def quoted(name):
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
