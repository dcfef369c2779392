"""Files that nobody should write, through the whole way: found, read, stored, and read again."""

import json
import os
import subprocess
import sys
import time

import pytest
from builders import query, v2_1_database
from content import kept
from repositories import commit, repository

from dashkit.cli import main
from dashkit.errors import RefusedError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.scanning import scan
from dashkit.sources import backlog, beads, files, github, task_files, tasklist

BOX = b"- [ ] Dig\n"
DEEP = 100_000


@pytest.fixture
def db(tmp_path):
    """A database of version 2.1 without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


def titles(db):
    """The titles of all tasks."""
    return [title for (title,) in query(db, "SELECT title FROM tasks ORDER BY id")]


def front(text):
    """A Backlog.md file with a line of front matter besides id and title."""
    return f"---\nid: BACK-1\ntitle: Dig\n{text}\n---\n".encode()


LISTS = {
    "markup": (b"- [ ] <img src=x onerror=alert(1)> **b** [c](javascript:x)\n", ["<img src=x onerror=alert(1)> b c"]),
    "control": (b"- [ ] a\x00b\x1b[2Jc\x07d\x7f\n", ["a\ufffdb\ufffd[2Jc\ufffdd\ufffd"]),
    "sql": (b"- [ ] '); DROP TABLE tasks; --\n", ["'); DROP TABLE tasks; --"]),
    "line ends": (b"- [ ] a\r\n- [x] b\r- [ ] c\n", ["a", "b", "c"]),
    "byte order": (b"\xef\xbb\xbf- [ ] a\n", ["a"]),
    "utf-16": ("- [ ] a\n- [ ] b\n".encode("utf-16"), ["a", "b"]),
    "no text": (b"- [ ] caf\xe9\n- [ ] \xff\xfe\n", ["caf\u00e9", "\u00ff\u00fe"]),
    "a long line": (b"x" * 5_000_000 + b"\n" + BOX, ["Dig"]),
    "a long title": (b"- [ ] " + b"[" * 5_000_000 + b"\n" + BOX, ["[" * 1_000 + "\u2026", "Dig"]),
    "deep lists": (b"".join(b"  " * n + b"- [ ] t%d\n" % n for n in range(1_000)), [f"t{n}" for n in range(1_000)]),
    "deep quotes": (b">" * DEEP + b" - [ ] a\n", ["a"]),
    "deep markers": (b"- " * DEEP + b"[ ] a\n", ["a"]),
    "deep headings": (b"".join(b"#" * (n % 6 + 1) + b" h%d\n" % n for n in range(DEEP)) + BOX, ["Dig"]),
    "front matter without end": (b"---\ntitle: a\n" + BOX, ["Dig"]),
    "conflicts that never end": (b"<<<<<<< a\n=======\n" * DEEP + BOX, ["Dig"]),
    "conflicts without end": (b"<<<<<<< a\n- [ ] a\n=======\n- [ ] b\n>>>>>>> b\n" * 3 + BOX, ["a", "a", "a", "Dig"]),
    "comment that opens often": (b"<!--" * DEEP + b"-->\n" + BOX, ["Dig"]),
    "nothing but boxes": (b"[ ] " * DEEP + b"\n" + BOX, ["Dig"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
def test_a_hostile_list_is_read_as_text(tmp_path, db, name):
    """Each title arrives as text, within seconds, and a second reading changes nothing."""
    data, expected = LISTS[name]
    file = tmp_path / "TODO.md"
    file.write_bytes(data)
    started = time.process_time()
    ingest_tasks([file], "Evil", db)
    assert time.process_time() - started < 5
    assert titles(db) == expected
    before = kept(db)
    ingest_tasks([file], "Evil", db)
    assert kept(db) == before


def test_a_fence_that_never_closes_is_said(tmp_path, db):
    """What stands below an open code block is no task, and a note names the line."""
    file = tmp_path / "TODO.md"
    file.write_bytes(BOX + b"```\n" + BOX * 10)
    assert "line 2: a code block begins and does not end" in ingest_tasks([file], "Evil", db).notes[0]
    assert titles(db) == ["Dig"]


@pytest.mark.slow
@pytest.mark.parametrize("many", [1_000, pytest.param(25_000, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- [ ] same\n", "- [x] same\n"),
        ("- [ ] Task {0}\n", "- [x] Other {0} thing\n"),
        ("- [ ] T-{0} of many\n", "- [ ] T-{0}7 of many\n"),
        ("- [ ] T-1 thing {0}\n", "- [x] T-1 thing {0}\n"),
        ("## A {0}\n- [ ] a\n", "## B {0}\n- [x] a\n"),
    ],
)
def test_many_boxes_take_time_in_proportion(tmp_path, many, before, after):
    """Four times as many boxes, all changed at the second reading, take at most about four times as long."""
    seconds = []
    for size in (many, many * 4):
        file = tmp_path / str(size) / "TODO.md"
        file.parent.mkdir()
        db = v2_1_database(file.parent / "dash.db", projects=[])
        started = time.process_time()
        for text in (before, after):
            file.write_text("".join(text.format(number) for number in range(size)), "utf-8")
            ingest_tasks([file], "Evil", db)
        seconds.append(time.process_time() - started)
    assert seconds[1] < seconds[0] * 8 + 0.25


BACKLOG = {
    "bomb": front("a: &a [x,x]\nb: &b [*a,*a]\nlabels: [*b,*b]"),
    "recursion": front("labels: &a [*a]"),
    "object": front("labels: !!python/object/apply:os.system ['touch /tmp/evil']"),
    "anchors": front("labels: " + "&a " * 2_000),
    "keys that come again": front("status: Done\nstatus: Done"),
    "keys of lists": front("? [a, b]\n: c"),
    "deep": front("labels: " + "[" * DEEP),
    "numbers": b"---\nid: 12\ntitle: 99\nstatus: 1\ncreated_date: 1e999\npriority: 0x10\n---\n",
    "tabs": front("labels:\n\t- a"),
    "no end": b"---\nid: BACK-1\ntitle: Dig\n" + b"x: y\n" * DEEP,
    "nothing": b"",
    "zeros": b"\x00" * 100_000,
}


@pytest.mark.parametrize("name", BACKLOG)
def test_hostile_front_matter_is_a_task_or_a_complaint(tmp_path, db, name):
    """Nothing is run, built or followed, and the good file beside it is read."""
    folder = tmp_path / "backlog" / "tasks"
    folder.mkdir(parents=True)
    (folder / "good.md").write_bytes(b"---\nid: BACK-2\ntitle: Rest\n---\n")
    (folder / "bad.md").write_bytes(BACKLOG[name])
    started = time.process_time()
    ingest_tasks([folder.parent], "Evil", db)
    assert time.process_time() - started < 5
    assert set(titles(db)) <= {"Dig", "Rest", "99"}
    assert "Rest" in titles(db)


RECORDS = {
    "deep": b'{"id":"b","title":"t","x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "open": b"[" * DEEP,
    "number as id": b'{"id":12,"title":"t"}',
    "a large number": b'{"id":"b","title":"t","priority":' + b"9" * 10_000 + b"}",
    "no number": b'{"id":"b","title":"t","priority":NaN}',
    "zeros": b"\x00" * 1_000,
    "a surrogate": b'{"id":"\\ud800","title":"\\ud800"}',
    "lists": b'{"id":"b","title":"t","labels":{"a":[1]},"dependencies":"x","status":[1]}',
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_hostile_record_does_not_take_the_others_along(tmp_path, db, name):
    """In a file of beads the next line is read; in one of GitHub what came before."""
    (tmp_path / "issues.jsonl").write_bytes(RECORDS[name] + b'\n{"id":"bd-1","title":"Dig"}\n')
    (tmp_path / "issues.json").write_bytes(b'[{"number":1,"title":"Rest"}]\n[' + RECORDS[name] + b"]\n")
    ingest_tasks([tmp_path / "issues.jsonl"], "Beads", db, source="beads")
    ingest_tasks([tmp_path / "issues.json"], "Github", db, source="github")
    assert {"Dig", "Rest"} <= set(titles(db)) <= {"Dig", "Rest", "t", "\ufffd"}


def test_of_keys_that_come_again_the_last_counts(tmp_path, db):
    """As in every reader of JSON."""
    file = tmp_path / "issues.jsonl"
    file.write_bytes(b'{"id":"bd-1","title":"a","id":"bd-2","title":"b"}\n')
    ingest_tasks([file], "Beads", db, source="beads")
    assert query(db, "SELECT external_id, title FROM tasks") == [("bd-2", "b")]


@pytest.mark.parametrize(
    ("source", "size"), [(tasklist, files.LARGEST), (beads, beads.LARGEST), (github, github.LARGEST), (backlog, 2**20)]
)
def test_a_file_that_is_too_large_is_refused_unread(tmp_path, source, size):
    """By its size alone: a gigabyte of nothing costs no memory."""
    file = tmp_path / "huge.md"
    with file.open("wb") as writer:
        writer.truncate(size + 1)
    with pytest.raises(RefusedError, match=rf"it has {size + 1:,} bytes, and .* at most {size:,}"):
        source.read_file(file)


MEMORY = """
import resource, sys
from dashkit.sources import SOURCES
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]), -1))
print(len(SOURCES[sys.argv[1]].read_file(sys.argv[2]).tasks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is limited on Linux alone")
def test_a_large_file_takes_memory_in_proportion(tmp_path):
    """A list of 40 MB, most of it no task, is read in about half a gigabyte."""
    file = tmp_path / "TODO.md"
    file.write_bytes((b"word " * 40 + b"\n") * 200_000 + BOX)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, "tasklist", file, str(700 * 2**20)], capture_output=True, check=False
    )
    assert (done.stdout, done.stderr) == (b"1\n", b"")


def test_what_is_no_file_of_the_repository_is_not_read(tmp_path):
    """A folder, a pipe, a link to a device or out of the repository, a loop: none is a list, or waited for."""
    root = repository(tmp_path / "repo")
    outside = tmp_path / "outside"
    (outside / ".beads").mkdir(parents=True)
    (outside / ".beads" / "issues.jsonl").write_text('{"id":"x-1","title":"Secret"}\n', "utf-8")
    (outside / "TODO.md").write_bytes(BOX * 5)
    (outside / "tasks").mkdir()
    (outside / "tasks" / "1.md").write_bytes(front(""))
    (root / "TODO.md").mkdir()
    os.mkfifo(root / "TASKS.md")
    (root / "PLAN.md").symlink_to("/dev/zero")
    (root / "ROADMAP.md").symlink_to(outside / "TODO.md")
    (root / ".beads").symlink_to(outside / ".beads")
    (root / "backlog").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "loop.md").symlink_to("loop.md")
    assert task_files.find(root).files == ()
    (root / "real").mkdir()
    (root / "real" / "TODO.md").write_bytes(BOX)
    assert task_files.find(root).files == (root / "real" / "TODO.md",)
    assert scan(root, page=False).tasks.added == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path.name)])
def test_a_list_that_is_no_file_is_refused_by_name(tmp_path, db, make):
    """A pipe is not waited for, and a folder or loop is named."""
    file = tmp_path / "TODO.md"
    make(file)
    with pytest.raises(RefusedError, match="TODO"):
        ingest_tasks([file], "Evil", db, source="tasklist")


def test_a_list_that_becomes_a_folder_is_gone(tmp_path, db):
    """Its tasks are gone and kept, and nothing fails."""
    root = tmp_path / "repo"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "plan.md").write_bytes(BOX)
    (root / "TODO.md").write_bytes(b"- [ ] Rest\n")
    ingest_tasks([root], "Evil", db)
    (root / "TODO.md").unlink()
    (root / "TODO.md").mkdir()
    assert ingest_tasks([root], "Evil", db).gone == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_noted(tmp_path, db):
    """The others of its folder are read, and its own tasks are not gone."""
    for name in ("TODO.md", "PLAN.md"):
        (tmp_path / name).write_bytes(BOX)
    ingest_tasks([tmp_path], "Evil", db)
    (tmp_path / "TODO.md").chmod(0)
    assert ingest_tasks([tmp_path], "Evil", db).gone == 0


@pytest.mark.parametrize("name", ["a \"b\"\n'c' TODO.md", "-rf TODO.md", ":(top)TODO.md", b"\xff TODO.md"])
def test_a_name_of_any_kind_has_a_history(tmp_path, name, capsys):
    """A name with quotes, line breaks, bytes that are no text, or the look of an option is a name."""
    root = repository(tmp_path / "a 'repo'")
    name = os.fsdecode(name)
    for day, sign in ((1, " "), (2, "x")):
        commit(root, files={name: f"- [{sign}] Dig\n"}, GIT_COMMITTER_DATE=f"2026-01-0{day}T12:00:00Z")
    assert main(["scan", str(root), "--no-page"]) == 0
    assert "\n'c'" not in capsys.readouterr().out
    ticked = query(root / ".dashkit" / "dashboard.db", "SELECT occurred_at FROM task_events WHERE checked = 1")
    assert ticked == [("2026-01-02T12:00:00.000Z",)]


def test_a_record_of_any_name_is_kept_as_json(tmp_path, db):
    """What the database keeps of a source is JSON, whatever stood in it."""
    file = tmp_path / "TODO.md"
    file.write_bytes(b'# "quoted" \\ \xff\n- [ ] "a" \\u0000 {"b": 1}\n')
    ingest_tasks([file], "Evil", db)
    [(image, path)] = query(db, "SELECT image, heading_path FROM task_sources")
    assert json.loads(image)["title"] == '"a" \\u0000 {"b": 1}'
    assert json.loads(path) == ['"quoted" \\ \u00ff']
