"""The sources of tasks: what each reads out of its files, and that nothing in a file is an error."""

import json
import lzma
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashkit import times
from dashkit.errors import RefusedError
from dashkit.records import Skip, Task
from dashkit.sources import SOURCES, backlog, beads, detect, fields, files, github, obsidian
from dashkit.sources.tally import OLDER
from dashkit.sources.titles import SIGNS
from dashkit.vocabulary import STATUSES

DATA = Path(__file__).parent / "data"
GOOD = {name: next((DATA / name).glob("good*")) for name in SOURCES}
BAD = [(name, path) for name in SOURCES for path in sorted((DATA / name).glob("bad-*"))]
HISTORY = Path(__file__).resolve().parents[2] / "shared" / "data" / "beads" / "issues-history.jsonl.xz"
DOCS = Path(__file__).resolve().parents[1] / "docs" / "sources.md"


def named(found):
    """The tasks of a list by their ids."""
    return {task.external_id: task for task in found.tasks}


def page(front, body=""):
    """A Backlog.md file."""
    return f"---\n{front}\n---\n{body}"


def beads_row(**values):
    """A line of a beads file: a good record but for these values."""
    return json.dumps({"id": "bd-1", "title": "Write it", "status": "open", "issue_type": "task", **values})


def storable(task):
    """Whether SQLite takes each value of a task, and each time of it is in the stored form, or a date."""
    flat = [part for value in astuple(task) for part in (value if isinstance(value, tuple) else [value])]
    with closing(sqlite3.connect(":memory:")) as conn:
        kept = [conn.execute("SELECT ?", [value]).fetchone()[0] for value in flat]
    instants = [at for at in (task.created_at, task.updated_at, task.completed_at) if at is not None]
    lines = [task.title, task.external_id, task.parent, *task.labels, *task.depends_on, *task.headings]
    return (
        kept == flat
        and all(times.normal(at) == at for at in instants)
        and not any("\n" in line for line in lines if line is not None)
        and task.status in STATUSES
        and task.checked == (task.status == "completed")
    )


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_has_good_and_bad_files_and_a_section_in_the_docs(name):
    """A source comes with a folder of fixtures and a section of docs/sources.md."""
    assert GOOD[name].exists()
    assert [path for source, path in BAD if source == name]
    assert f"## {name}\n" in DOCS.read_text("utf-8")


@pytest.mark.parametrize("name", SOURCES)
def test_a_good_file_is_detected_and_read(name):
    """Each source knows its own files, and reads the same twice."""
    found = SOURCES[name].read_file(GOOD[name])
    assert detect(GOOD[name]) == name
    assert found.tasks
    assert found.skipped == 0
    assert all(storable(task) for task in found.tasks)
    assert SOURCES[name].read_file(GOOD[name]) == found


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_rule_leaves_out_can_be_kept(name):
    """With `everything`, each record that a rule left out is a task."""
    found, all_of_it = (SOURCES[name].read_file(GOOD[name], everything=it) for it in (False, True))
    kept_out = {"page without front matter", backlog.REUSED}  # no rule about work, but no task in any case
    assert sum(n for reason, n in found.left_out_by.items() if reason not in kept_out) > 0
    assert set(all_of_it.left_out_by) <= kept_out
    assert len(all_of_it.tasks) + all_of_it.left_out == len(found.tasks) + found.left_out


@pytest.mark.parametrize(("name", "path"), BAD, ids=lambda it: getattr(it, "name", it))
def test_a_bad_record_is_skipped_and_named(name, path):
    """A bad file never fails: each complaint names its place, and each skipped record is counted."""
    found = SOURCES[name].read_file(path)
    assert all(storable(task) for task in found.tasks)
    if name not in ("tasklist", "backlog") or not found.tasks:
        assert found.notes
        assert found.skipped or name == "tasklist"
    assert all(re.search(r"\bline \d+|\brecord \d+|newest record|unknown status", note) for note in found.notes)


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_that_is_not_there_is_refused(name, tmp_path):
    """A missing file is an error that names it."""
    with pytest.raises(RefusedError, match="nowhere: there is no such file"):
        SOURCES[name].read_file(tmp_path / "nowhere")


@pytest.mark.parametrize("name", SOURCES)
@given(data=st.binary())
def test_any_bytes_are_read(name, data):
    """No bytes at all make a source fail."""
    assert all(storable(task) for task in SOURCES[name].read_bytes(data, "tasks/a.md").tasks)


TEXTS = st.text(alphabet=st.characters(categories=None)) | st.sampled_from(["\ud800", "a\0b\nc", "<b>", "2025-02-30"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "nodes"]), inner),
    max_leaves=6,
)
BEADS_KEYS = ("status", "priority", "labels", "dependencies", "parent", "created_at", "closed_at", "ephemeral")
GITHUB_KEYS = ("state", "stateReason", "labels", "milestone", "parent", "blockedBy", "closedAt", "issueType", "url")


@given(rows=st.dictionaries(st.sampled_from(BEADS_KEYS), VALUES), title=TEXTS)
def test_any_values_in_a_record_of_beads(rows, title):
    """A value of any type in any field of beads gives a task that can be stored, or a reason."""
    found = beads.parse_record(json.dumps({"id": "bd-1", "title": title, **rows}))
    assert isinstance(found, Skip) or storable(found)


@given(rows=st.dictionaries(st.sampled_from(GITHUB_KEYS), VALUES), title=TEXTS)
def test_any_values_in_a_record_of_github(rows, title):
    """A value of any type in any field of an issue gives a task that can be stored, or a reason."""
    found = github.parse_record({"number": 12, "title": title, **rows})
    assert isinstance(found, Skip) or storable(found)


@given(front=st.text() | st.lists(st.sampled_from(["id: A-1", "title: t", "- x", "labels:", " &a", "*a", "[", "{"])))
def test_any_front_matter(front):
    """Front matter of any kind gives a task that can be stored, or a reason."""
    found = backlog.parse_record(page(front if isinstance(front, str) else "\n".join(front)), "tasks/a.md")
    assert isinstance(found, Skip) or storable(found)


def test_dates_that_cannot_be_read_are_named():
    """Each with its field, its value and its place; what says nothing, or is not asked for, is none of them."""
    lines = [
        beads_row(created_at="soon", updated_at="0001-01-01T00:00:00Z", closed_at="never"),
        beads_row(id="bd-2", status="closed", created_at="", updated_at=None, closed_at=["\x1b[31m"]),
        beads_row(id="bd-3", status="tombstone", created_at="2026-01-02", deleted_at=12),
        beads_row(id="bd-1", created_at="2026-01-02", updated_at="2026-01-02"),
    ]
    assert beads.read(lines[:3]).unread_dates == (
        ("created_at 'soon'", ", line 1"),
        ("closed_at " + times.quoted(str(["\x1b[31m"])), ", line 2"),
        ("deleted_at '12'", ", line 3"),
    )
    assert beads.read([lines[0], lines[3]]).unread_dates == ()
    rows = [{"number": 1, "title": "a", "state": "closed", "created_at": "2026-01-02", "closedAt": "x" * 99}]
    found = github.read(json.dumps(rows)).unread_dates
    assert found == ((f"closedAt '{'x' * 39}…'", ", record 1"),)
    front = "id: B-1\ntitle: a\nstatus: Done\ncreated_date: 3. Nov 2025\nupdated_date: null\ncompleted_date: ~"
    pages = {"tasks/a.md": page(front).encode(), "tasks/b.md": page(front.replace("B-1", "B-2")).encode()}
    unread = "created_date '3. Nov 2025'"
    assert backlog.Folder().take(pages).unread_dates == ((unread, "/tasks/a.md"), (unread, "/tasks/b.md"))
    assert backlog.read_bytes(page(front).encode(), "tasks/a.md").unread_dates == ((unread, ""),)


def test_beads_status_and_dependencies():
    """The words of beads become ours; a word that no table knows is kept, read as pending and counted."""
    found = beads.read_file(GOOD["beads"])
    tasks = named(found)
    assert {task.external_id: task.status for task in found.tasks} == {
        "bd-1": "completed",
        "bd-2": "in_progress",
        "bd-3": "in_progress",
        "bd-4": "cancelled",
        "bd-5": "pending",
        "bd-6": "pending",
        "bd-7": "pending",
    }
    assert (tasks["bd-2"].parent, tasks["bd-2"].depends_on, tasks["bd-2"].labels) == ("bd-1", ("bd-3",), ("io",))
    assert (tasks["bd-2"].priority, tasks["bd-7"].priority, tasks["bd-4"].kind) == ("critical", None, "feature")
    assert tasks["bd-7"].unknown_status == "awaiting vendor"
    assert "records with the unknown status 'awaiting vendor', read as pending: 1" in found.notes


def test_beads_times():
    """Times of any zone and precision are stored in UTC, the zero of Go is none, and an open task has no end."""
    tasks = named(beads.read_file(GOOD["beads"]))
    assert tasks["bd-1"].created_at == "2025-10-12T07:43:03.453Z"
    assert tasks["bd-1"].completed_at == "2025-10-14T17:00:00.000Z"
    assert tasks["bd-3"].updated_at == "2025-10-12T09:00:00.123Z"
    assert tasks["bd-7"].created_at is None
    assert beads.parse_record(beads_row(closed_at="2025-10-14T10:00:00Z")).completed_at is None


@pytest.mark.parametrize(
    ("status", "times_of_it", "ended_at"),
    [
        ("cancelled", {"closed_at": "2025-10-14T10:00:00Z"}, "2025-10-14T10:00:00.000Z"),
        (
            "tombstone",
            {"closed_at": "2025-10-14T10:00:00Z", "deleted_at": "2025-10-15T10:00:00Z"},
            "2025-10-15T10:00:00.000Z",
        ),
        ("tombstone", {"closed_at": "2025-10-14T10:00:00Z"}, None),
    ],
)
def test_beads_says_when_a_task_was_given_up(status, times_of_it, ended_at):
    """A cancelled record ended when it was closed, a deleted one when it was deleted."""
    found = beads.parse_record(beads_row(status=status, **times_of_it))
    assert (found.status, found.completed_at) == ("cancelled", ended_at)


def test_beads_leaves_out_what_is_no_work():
    """Load tests, templates and machinery are left out, each counted by its reason."""
    found = beads.read_file(GOOD["beads"])
    assert found.left_out_by == {"load test": 1, "template": 2, "machinery": 1}
    assert found.left_out == 4


@pytest.mark.parametrize(
    "title", ["Agent 0 Batch 3 Issue 2", "Base Issue 7", "Version test issue", "Issue #12", "Performance test 3"]
)
def test_a_title_that_says_nothing_is_a_load_test(title):
    """A title of generic words and a number is of a load test."""
    assert beads.parse_record(beads_row(title=title)) == Skip("load test")


@pytest.mark.parametrize(
    "title", ["Load tests", "Performance issue", "New agent", "Test Windows 11", "Bug in parser 2", "2025", "Epic 3"]
)
def test_a_title_that_says_something_is_a_task(title):
    """A title with a word of its own, or without a number, is kept."""
    assert isinstance(beads.parse_record(beads_row(title=title)), Task)


def test_a_merge_conflict_in_beads_is_read_from_both_sides():
    """Of the two sides of a conflict the later record counts; the marks are skipped, each with its line."""
    found = beads.read_file(DATA / "beads" / "bad-conflict.jsonl")
    assert [(task.title, task.status) for task in found.tasks] == [("Theirs", "completed")]
    assert (found.skipped, found.left_out_by) == (3, {OLDER: 1})
    assert [note for note in found.notes if "conflict" in note] == [
        f"line {number}: a line of a merge conflict" for number in (1, 3, 5)
    ]


@pytest.mark.slow
@pytest.mark.skipif(not HISTORY.is_file(), reason="the real history is not beside this checkout")
def test_the_real_history_of_beads():
    """All versions of a real file: 17,109 ids, of which the rule leaves 2,653, and eight lines that are no records."""
    tasks, skipped = {}, Counter()
    with lzma.open(HISTORY, "rt", encoding="utf-8") as versions:
        new = (line for version in versions for line in json.loads(version)["ops"] if isinstance(line, str))
        for line in dict.fromkeys(new):
            record = beads.parse_record(line, everything=True)
            if isinstance(record, Task):
                tasks[record.external_id] = beads.parse_record(line)
            elif line:
                skipped[record.reason] += 1
    kept = [task for task in tasks.values() if isinstance(task, Task)]
    assert (len(tasks), len(kept)) == (17_109, 2_653)
    assert Counter(task.reason for task in tasks.values() if isinstance(task, Skip)) == {
        "load test": 9_151,
        "template": 3_707,
        "machinery": 1_598,
    }
    assert not [task for task in kept if task.unknown_status is not None]
    assert skipped == {"a line of a merge conflict": 7, "it is no JSON": 1}


def test_backlog_reads_front_matter_folders_and_milestones():
    """Facts come from the front matter, broken or not; the folder closes a task, and milestones have names."""
    found = backlog.read_file(GOOD["backlog"])
    tasks = named(found)
    first = tasks["BACK-1"]
    assert (first.title, first.status, first.headings) == (
        "Ship the export: all of it",
        "in_progress",
        ("First release",),
    )
    assert (first.labels, first.depends_on, first.parent) == (("io", "cli"), ("TASK-2", "TASK-3"), "BACK-9")
    assert (first.created_at, first.updated_at) == ("2026-08-15T14:00:00.000Z", "2026-08-16")
    assert (first.description, first.kind, first.priority) == ("Write each row once.", "feature", "high")
    assert (tasks["TASK-2"].title, tasks["TASK-2"].status) == ("Fix: a colon that YAML does not allow", "cancelled")
    assert (tasks["BACK-3"].status, tasks["BACK-3"].completed_at) == ("completed", "2026-08-14")
    assert tasks["BACK-4"].status == "cancelled"
    assert tasks["BACK-5"].unknown_status == "Tasting"
    assert found.left_out_by == {"page without front matter": 1, backlog.REUSED: 1, "draft": 1}


def test_of_a_merge_conflict_in_backlog_the_last_value_counts():
    """One file is one task, whatever stands in it twice."""
    torn = page("id: A-1\ntitle: t\n<<<<<<< HEAD\nstatus: Done\n=======\nstatus: Doing\n>>>>>>> b\nlabels: [x]")
    task = backlog.parse_record(torn, "tasks/a.md")
    assert (task.title, task.status, task.labels) == ("t", "in_progress", ("x",))


def test_backlog_one_version_of_one_file():
    """A version of a file is read by its path in the repository, whatever stands above the folder."""
    data = page("id: task-1\ntitle: t\nstatus: To Do").encode()
    for name, status in (
        ("archive/backlog/tasks/a.md", "pending"),
        ("backlog/archive/tasks/a.md", "cancelled"),
        ("x/.backlog/completed/a.md", "completed"),
    ):
        (task,) = backlog.read_bytes(data, name).tasks
        assert (task.external_id, task.status) == ("TASK-1", status)


def test_yaml_makes_texts_alone():
    """No value becomes a date, a number, a truth or an object of a class."""
    front = "id: 012\ntitle: yes\npriority: !!python/name:os.getcwd\nlabels: [1.50, no, ~]\nstatus: 2025-01-01"
    task = backlog.parse_record(page(front), "tasks/a.md")
    assert (task.external_id, task.title, task.labels) == ("012", "yes", ("1.50", "no", "~"))


@pytest.mark.parametrize(
    "front",
    ["id: " + "[" * 50_000, "labels:\n" + "- " * 50_000, "id: " + "{a: " * 20_000, "id: x\n" * 50_000, "a" * 500_000],
    ids=["brackets", "dashes", "braces", "keys", "no key"],
)
def test_hostile_yaml_is_cheap(front):
    """Deep, long and endless front matter is skipped within seconds, in a process that lives on."""
    began = time.process_time()
    assert isinstance(backlog.parse_record(page(front), "tasks/a.md"), Skip)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("body", ["<!--" * 250_000, "## Description\n" * 60_000, "---\n" * 250_000, "\n" * 10**6])
def test_a_hostile_body_is_cheap(body):
    """Marks that never close, and sections without end, take time in proportion to their length."""
    began = time.process_time()
    task = backlog.parse_record(page("id: A-1\ntitle: t", body), "tasks/a.md")
    assert storable(task)
    assert time.process_time() - began < 3


def test_a_bomb_of_aliases_is_no_list_of_labels():
    """Aliases that multiply are not followed: a list in a list is no label."""
    bomb = "\n".join([f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]" for n in range(1, 40)])
    found = backlog.parse_record(page(f"id: A-1\ntitle: t\ndependencies: &l0 [x, x]\n{bomb}\nlabels: *l39"), "tasks/a")
    assert (found.depends_on, found.labels) == (("X",), ("*l39",))


def test_one_bad_file_does_not_stop_a_folder(tmp_path):
    """A file that cannot be read is skipped and named; the others are read."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "a.md").write_text(page("id: A-1\ntitle: t"), encoding="utf-8")
    (tmp_path / "tasks" / "b.md").write_bytes(b"x" * (backlog.LARGEST + 1))
    (tmp_path / "tasks" / "c.md").symlink_to("/dev/zero")
    found = backlog.read_file(tmp_path)
    assert (len(found.tasks), found.skipped) == (1, 2)
    assert found.notes == (
        "tasks/b.md: it has 1,048,577 bytes, and a task at most 1,048,576",
        "tasks/c.md: it is not a file",
    )


def test_a_folder_without_tasks_is_refused(tmp_path):
    """A folder that is no Backlog.md folder is refused by name."""
    with pytest.raises(RefusedError, match=r"it has no folder tasks\. Name a Backlog\.md folder"):
        backlog.read_file(tmp_path)


def test_github_states_and_ids():
    """A closed issue is done or given up by its reason, a label tells of an open one, and `#12` is an id."""
    found = github.read_file(GOOD["github"])
    assert {task.external_id: task.status for task in found.tasks} == {
        "#12": "completed",
        "#13": "cancelled",
        "#14": "blocked",
        "#15": "in_progress",
        "#18": "cancelled",
    }
    tasks = named(found)
    assert (tasks["#12"].headings, tasks["#12"].labels, tasks["#12"].completed_at) == (
        ("First release",),
        ("io",),
        "2025-10-03T08:00:00.000Z",
    )
    assert (tasks["#14"].parent, tasks["#14"].depends_on, tasks["#14"].kind) == ("#12", ("#15",), "Feature")
    assert tasks["#13"].completed_at == "2025-10-02T08:00:00.000Z"
    assert tasks["#15"].completed_at is None
    assert tasks["#18"].created_at == "2025-10-05T08:00:00.000Z"
    assert found.left_out_by == {"pull request": 1}


def test_github_pull_requests_by_their_kind():
    """A pull request that was asked for is a task of that kind."""
    found = github.read_file(GOOD["github"], everything=True)
    assert (named(found)["#17"].kind, named(found)["#17"].status) == ("pull request", "completed")


def test_github_says_when_the_list_may_be_cut():
    """Thirty issues are what gh writes where nobody asked for more, and a note says so."""
    rows = [{"number": n, "title": f"Do {n}", "state": "OPEN"} for n in range(1, 31)]
    assert github.read(json.dumps(rows)).notes == (
        "there are exactly 30 issues, which is all that gh lists without --limit",
    )
    assert github.read(json.dumps(rows[:29])).notes == ()


def test_a_cut_file_of_github_names_the_line():
    """What is no JSON is one complaint with its line, and what stood before it is kept."""
    found = github.read('[{"number": 1, "title": "t"}]\n\n[{"number": 2,\n"title": ')
    assert [task.external_id for task in found.tasks] == ["#1"]
    assert found.notes == ("line 4: it is no JSON from here; nothing after it was read",)


@pytest.mark.parametrize(
    ("word", "status"),
    [("To Do", "pending"), ("IN-PROGRESS", "in_progress"), ("✅ Done", "completed"), ("Won\u2019t Do", "cancelled")],
)
def test_a_status_is_known_in_any_spelling(word, status):
    """Case, dashes, signs and apostrophes of a status word do not matter."""
    assert fields.status(word) == (status, None)


def test_hostile_texts_become_storable():
    """Control characters and lone surrogates are replaced, a title is one line, and megabytes are cut."""
    assert fields.line(" a\r\nb\t\x00\ud800 ") == "a b \ufffd\ufffd"
    assert fields.text("a\r\nb\x1b[31m") == "a\nb\ufffd[31m"
    assert len(fields.line("word " * 10**6)) == fields.LONGEST_LINE + 1
    assert len(fields.text("x" * 10**6)) == fields.LONGEST_TEXT + 1


def test_a_record_of_megabytes_is_read_quickly():
    """A title of five megabytes costs no more than its JSON."""
    began = time.process_time()
    found = beads.parse_record(beads_row(title="x " * 2_500_000, description="\x00" * 1_000_000))
    assert len(found.title) == fields.LONGEST_LINE + 1
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        (".beads/issues.jsonl", "", "beads"),
        ("export.jsonl", beads_row(), "beads"),
        ("log.jsonl", '{"level": "info"}', None),
        ("issues.json", '[{"body": "b", "number": 1}]', "github"),
        ("package.json", '{"name": "x", "number": 1}', None),
        ("TODO.md", "- [ ] a", "tasklist"),
        ("backlog/archive/tasks/a.md", page("id: A-1\ntitle: t"), "backlog"),
        ("backlog/tasks/TODO.md", "- [ ] a", "tasklist"),
        ("backlog/docs/TODO.md", page("id: A-1\ntitle: t"), "tasklist"),
        ("notes.txt", "", "tasklist"),
        ("picture.png", "", None),
    ],
)
def test_what_a_file_is_of(name, content, source, tmp_path):
    """A file is told by its name, and JSON by what is in it."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    assert detect(path) == source


def test_what_is_not_there_is_of_no_source(tmp_path):
    """A JSON file that does not exist, and a folder of anything, are of no source."""
    assert (detect(tmp_path / "a.json"), detect(tmp_path / "a.jsonl"), detect(tmp_path)) == (None, None, None)


def test_bytes_that_are_no_text_are_said():
    """Bytes that are no UTF-8 are read as Windows-1252, and counted in a note."""
    assert files.decode(b"caf\xe9") == ("caf\xe9", ("1 bytes are no UTF-8 and were read as Windows-1252",))


@pytest.mark.parametrize(
    "word",
    [
        *(*fields.STATUS_WORDS, *sorted(beads.MACHINERY), *sorted(beads.BLOCKING)),
        *(*beads.PRIORITIES.values(), *github.LABELS, *SIGNS),
        *sorted({*obsidian.SIGNS, *obsidian.SIGNS.values(), *obsidian.PRIORITIES.values()} - set(SIGNS)),
    ],
)
def test_the_docs_state_the_tables(word):
    """Each word that a table knows is in docs/sources.md."""
    assert f"`{word}`" in DOCS.read_text("utf-8")


def test_the_sources_load_no_yaml():
    """YAML is loaded when a Backlog.md file is read, and not before."""
    code = "import sys, dashkit.sources; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=DOCS.parents[1]).returncode == 0
