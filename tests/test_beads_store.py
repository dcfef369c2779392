"""The export of the tool bd, by small programs of that name on the PATH, and what is said where it is not used."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from builders import query, v2_1_database
from repositories import commit, repository

from dashkit.errors import RefusedError
from dashkit.ingest.tasks import ingest_tasks
from dashkit.scanning import scan
from dashkit.sources import beads, beads_store, task_files


def row(name, status="open", at="2026-01-02T00:00:00Z", **more):
    """One line of a beads file."""
    return json.dumps({"id": name, "title": f"Work on {name}", "status": status, "updated_at": at, **more}) + "\n"


@pytest.fixture
def bd(tmp_path, monkeypatch):
    """A function that puts a program bd on the PATH, and a folder .beads with a store and a file of two issues."""
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    folder = repository(tmp_path / "a repo") / ".beads"
    (folder / "embeddeddolt").mkdir(parents=True)
    (folder / "issues.jsonl").write_text(row("bd-1") + row("bd-2"), "utf-8")
    return lambda script: (install(tools, script), folder)[1]


def install(folder, script):
    """A program bd."""
    tool = Path(folder) / "bd"
    tool.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    tool.chmod(0o755)


def printing(text):
    """A script that prints text."""
    return f"cat <<'END'\n{text}END"


def ids(found):
    """The tasks of a list: id -> status."""
    return {task.external_id: task.status for task in found.tasks}


def test_what_the_tool_says_now_wins_over_the_file(bd):
    """Its export is read where a store lies beside the file, with what agents remember left out."""
    folder = bd(printing(row("bd-1", "closed") + row("bd-3") + '{"_type":"memory","key":"k","value":"v"}\n'))
    found = beads.read_file(folder / "issues.jsonl")
    assert ids(found) == {"bd-1": "completed", "bd-3": "pending"}
    assert (found.notes, found.left_out_by) == ((), {"memory": 1})


def test_the_tool_gets_one_word_one_folder_and_no_terminal(bd, tmp_path, monkeypatch):
    """It runs in the repository, is told which store is meant, and reads nothing from us."""
    monkeypatch.setenv("BEADS_DB", "/elsewhere.db")
    monkeypatch.setenv("BEADS_DIR", "/elsewhere")
    seen = tmp_path / "seen"
    folder = bd(f'echo "$@ $PWD $BEADS_DIR $BEADS_DB" > "{seen}"; cat >> "{seen}"; {printing(row("bd-1"))}')
    beads.read_file(folder / "issues.jsonl")
    assert seen.read_text() == f"export {folder.parent} {folder} \n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Error: no database' >&2; exit 3", r"it ended with 3 \(Error: no database\)"),
        ("echo junk; echo more junk", "there is no record in it"),
        ("exit 0", "there is no record in it"),
        ("head -c 3000 /dev/zero", "there is no record in it"),
        ("kill -9 $$", "it ended with -9"),
    ],
)
def test_a_tool_that_fails_is_a_note_and_the_file_is_read(bd, script, why):
    """Whatever it does, the file counts, and that it may be stale is said."""
    folder = bd(script)
    found = beads.read_file(folder / "issues.jsonl")
    assert ids(found) == {"bd-1": "pending", "bd-2": "pending"}
    assert [note for note in found.notes if "`bd export` gives nothing" in note] == [found.notes[0]]
    assert re.search(why, found.notes[0])
    assert "newer versions of the tool keep their data in embeddeddolt" in found.notes[1]


def test_a_tool_that_hangs_is_ended_with_its_children(bd, monkeypatch):
    """After some seconds it is killed, and a child that holds its output does not keep us waiting."""
    monkeypatch.setattr(beads_store, "SECONDS", 0.5)
    folder = bd("sleep 60 & sleep 60")
    started = time.monotonic()
    found = beads.read_file(folder / "issues.jsonl")
    assert time.monotonic() - started < 10
    assert "it took more than 0.5 seconds" in found.notes[0]


def test_a_tool_that_writes_without_end_is_refused(bd, monkeypatch):
    """What is larger than a list of issues may be is not read into memory."""
    monkeypatch.setattr(beads, "LARGEST", 10_000)
    folder = bd("head -c 20000 /dev/zero")
    assert "it wrote more than 10,000 bytes" in beads.read_file(folder / "issues.jsonl").notes[0]


def test_a_tool_inside_the_repository_is_never_run(bd, tmp_path, monkeypatch):
    """Neither a relative entry of the PATH, nor one that leads into the repository, nor a link from outside."""
    folder = bd("exit 1")
    root, trace = folder.parent, tmp_path / "trace"
    for name in ("bin", "."):
        (root / name).mkdir(exist_ok=True)
        install(root / name, f"touch '{trace}'")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "bd").symlink_to(root / "bin" / "bd")
    monkeypatch.chdir(root)
    for path in ("bin", ".", "", str(root / "bin"), str(tmp_path / "linked"), str(root / ".." / root.name)):
        monkeypatch.setenv("PATH", path)
        assert beads_store.command(folder) is None
        assert ids(beads.read_file(folder / "issues.jsonl")) == {"bd-1": "pending", "bd-2": "pending"}
    assert not trace.exists()


def test_without_a_store_the_tool_is_not_asked(bd):
    """A file alone is what there is: an export would be of an empty store, or make one."""
    folder = bd(printing(row("bd-9")))
    (folder / "embeddeddolt").rmdir()
    assert set(ids(beads.read_file(folder / "issues.jsonl"))) == {"bd-1", "bd-2"}


@pytest.mark.parametrize(("name", "stale"), [("beads.db", True), ("dolt", True), ("notes.txt", False)])
def test_a_store_beside_the_file_is_said_where_the_tool_is_missing(tmp_path, monkeypatch, name, stale):
    """A database or a folder of Dolt means that the file may be stale; other files mean nothing."""
    folder = tmp_path / ".beads"
    folder.mkdir()
    (folder / "issues.jsonl").write_text(row("bd-1"), "utf-8")
    (folder / name).mkdir() if name == "dolt" else (folder / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    notes = beads.read_file(folder / "issues.jsonl").notes
    assert len(notes) == stale
    assert all("its newest record is of 2026-01-02T00:00:00.000Z, and newer versions" in note for note in notes)


@pytest.mark.parametrize(("day", "said"), [("2026-01-05", 0), ("2026-03-02", 1)])
def test_a_file_much_older_than_the_last_commit_may_be_stale(tmp_path, day, said):
    """Within a week nothing is said; later the note counts the days."""
    folder = repository(tmp_path / "r")
    commit(folder, files={".beads/issues.jsonl": row("bd-1")}, GIT_COMMITTER_DATE=f"{day}T00:00:00Z")
    notes = beads.read_file(folder / ".beads" / "issues.jsonl").notes
    assert ["59 days before the last commit: the file may be stale" in note for note in notes] == [True] * said


def test_a_store_without_a_file_is_read_by_a_scan(bd, monkeypatch, tmp_path):
    """With the tool its tasks arrive; without it what was read stays, and the scan says what it could not read."""
    folder = bd(printing(row("bd-1") + row("bd-2", "closed")))
    (folder / "issues.jsonl").unlink()
    db = scan(folder.parent, page=False).database
    assert query(db, "SELECT external_id, status FROM tasks ORDER BY 1") == [("bd-1", "pending"), ("bd-2", "completed")]
    (tmp_path / "tools" / "bd").unlink()
    assert task_files.find(folder.parent).left_out == {
        "stores of Beads without a file, which only the tool bd can read": 1
    }
    assert scan(folder.parent, page=False).tasks.gone == 0
    with pytest.raises(RefusedError, match="there is no such file"):
        beads.read_file(folder / "issues.jsonl")


def test_the_past_of_the_file_comes_before_the_export(bd, tmp_path):
    """The versions in git are the history, and the tool says what is now."""
    folder = bd(printing(row("bd-1", "closed", "2026-01-05T00:00:00.123Z") + row("bd-2")))
    commit(folder.parent, files={".beads/.gitignore": "embeddeddolt"}, GIT_COMMITTER_DATE="2026-01-03T00:00:00Z")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    summary = ingest_tasks([folder / "issues.jsonl"], "Shed", db)
    assert (summary.added, summary.versions) == (2, 2)
    assert query(db, "SELECT status, checked FROM tasks WHERE external_id = 'bd-1'") == [("completed", 1)]
    ticked = "SELECT occurred_at, source FROM task_events WHERE checked = 1"
    assert query(db, ticked) == [("2026-01-05T00:00:00.123Z", "file:issues.jsonl")]


def test_a_deleted_record_keeps_the_title_it_had(tmp_path):
    """A tombstone whose title the tool has lost does not rename the task."""
    file = tmp_path / "issues.jsonl"
    file.write_text(row("bd-1"), "utf-8")
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    ingest_tasks([file], "Shed", db)
    gone = row("bd-1", "tombstone", "2026-02-02T00:00:00.5Z", title="(deleted)") + row(
        "bd-2", "tombstone", title="(deleted)"
    )
    file.write_text(gone, "utf-8")
    for _ in range(2):
        ingest_tasks([file], "Shed", db)
        assert query(db, "SELECT title, status FROM tasks ORDER BY id") == [
            ("Work on bd-1", "cancelled"),
            ("(deleted)", "cancelled"),
        ]
