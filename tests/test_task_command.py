"""`dashkit task`, and the text it prints."""

import argparse
import re

import pytest
from builders import insert, query, v1_database, v2_1_database, v2_database
from content import alter

from dashkit import migrations
from dashkit.cli import main, task
from dashkit.cli.text import plain
from dashkit.database import create_task_commit_link, remove_task_commit_link, set_task_complexity
from dashkit.errors import OutdatedError, RefusedError, UsageError
from dashkit.ingest.links import link_commits


@pytest.fixture
def run(tmp_path, capsys):
    """Run `dashkit task` on tmp_path/dash.db; its exit code, result and narration."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--db")
    parser = argparse.ArgumentParser()
    task.register(parser.add_subparsers(), common)

    def command(*words):
        args = parser.parse_args(["task", *words, "--db", str(tmp_path / "dash.db")])
        return args.run(args), *capsys.readouterr()

    return command


@pytest.mark.parametrize(
    ("said", "shown"),
    [("2025-11-03", "2025-11-03"), ("3 Nov 2025 09:00", None), ("2099-01-01", None), ("1762160400", "2025-11-03T09")],
)
def test_completed_is_when_the_history_says(tmp_path, run, said, shown):
    """The date of a finish is that of the frames: what the row says of an earlier time, else when it was checked."""
    path = v2_1_database(tmp_path / "dash.db")
    insert(path, "tasks", project_id=1, title="t", created_at="2025-10-01", completed_at=said, checked=1)
    (today,) = query(path, "SELECT substr(recorded_at, 1, 10) FROM task_events")[0]
    _, out, _ = run("1")
    assert f"Completed {shown or today}" in out


def test_the_story_of_a_task(tmp_path, run):
    """Without options the command tells all that is known about the task."""
    path = v2_database(
        tmp_path / "dash.db",
        tasks=[
            {
                "title": "Mend the door",
                "phase_id": 1,
                "status": "blocked",
                "blocked_reason": "no keys",
                "complexity": "L",
                "created_at": "2025-11-27 16:09:57",
                "updated_at": "2025-11-27 16:09:57",
            }
        ],
    )
    insert(path, "phases", project_id=1, name="Design")
    insert(path, "git_repos", id="r", project_id=1, path="/src")
    insert(path, "git_commits", sha="0123456789abcdef", repo_id="r", message="Oil it\n\nWell", timestamp="2025")
    insert(path, "llm_sessions", id="s1")
    insert(
        path, "task_commit_links", id="a", task_id=1, commit_sha="0123456789abcdef", confidence=0.75,
        link_type="inferred",
    )  # fmt: skip
    insert(path, "task_session_links", id="b", task_id=1, session_id="s1", confidence=1, link_type="explicit")
    code, out, err = run("1")
    assert (code, err) == (0, "")
    days = out.split("for at most ")[1].split(" days")[0]
    assert int(days) > 0
    assert out.replace(days, "DAYS").splitlines() == [
        "Task 1: Mend the door",
        "  Project   Alpha (1)",
        "  Phase     Design",
        "  Status    blocked",
        "  Priority  medium",
        "  Checked   no",
        "  Size      L",
        "  Blocked   for at most DAYS days, not before 2025-11-27 16:09 UTC: no keys",
        "  Created   2025-11-27 16:09:57",
        "  Updated   2025-11-27 16:09:57",
        "Commits (1)",
        "  0.75  inferred  0123456789ab  2025  Oil it Well",
        "Sessions (1)",
        "  1.00  explicit  s1",
    ]


def test_a_block_of_unknown_age(tmp_path, run):
    """A block whose begin nothing recorded is told as such, with or without a reason."""
    v2_database(tmp_path / "dash.db", tasks=[{"status": "blocked"}])
    assert "  Blocked   for an unknown time: no reason given\n" in run("1")[1]


def test_v1_tells_what_it_knows(tmp_path, run):
    """On v1 the story is told as far as it goes, and the rest says what to run."""
    v1_database(tmp_path / "dash.db", tasks=[{"title": "Old one", "created_at": "2025-01-01"}])
    code, out, err = run("1")
    assert code == 0
    assert out.splitlines() == [
        "Task 1: Old one",
        "  Project   Alpha (1)",
        "  Status    pending",
        "  Priority  medium",
        "  Created   2025-01-01",
    ]
    query(tmp_path / "dash.db", "INSERT INTO tasks (project_id, title, status) VALUES (1, 'Done', 'completed')")
    query(tmp_path / "dash.db", "INSERT INTO task_dependencies VALUES (1, 2)")
    assert run("1")[1].splitlines()[-2:] == ["Depends on (1)", "  done        2 Done"]
    assert "`dashkit migrate --execute`" in err
    with pytest.raises(OutdatedError, match="it needs version 2"):
        run("1", "--check")


def test_options_combine(tmp_path, run):
    """Several words on one task are all taken at once."""
    path = v2_database(tmp_path / "dash.db", tasks=[{}])
    assert run("1", "--check", "--block", "no keys", "--size", "xl")[:2] == (
        0,
        "Task 1: checked, reason kept (no keys), size XL. It is done, so it is not blocked.\n",
    )
    assert query(path, "SELECT checked, status, complexity FROM tasks") == [(1, "blocked", "XL")]
    assert run("1", "--uncheck", "--unblock")[1] == "Task 1: unchecked, not blocked.\n"
    assert query(path, "SELECT checked, status, blocked_reason FROM tasks") == [(0, "pending", None)]


def test_a_done_task_is_not_blocked(tmp_path, run):
    """On a checked task a reason is kept and no block is claimed, when it is given and when the story is told."""
    path = v2_database(tmp_path / "dash.db", tasks=[{"checked": 1}, {"status": "blocked", "blocked_reason": "no ink"}])
    said = "Task 1: reason kept (no keys). It is done, so it is not blocked.\n"
    assert run("1", "--block", "no keys")[1] == said
    assert query(path, "SELECT checked, blocked_reason FROM tasks WHERE id = 1") == [(1, "no keys")]
    assert "  Blocked   no, it is done; the reason that was given: no keys\n" in run("1")[1]
    assert run("2", "--check")[1] == "Task 2: checked. It is done, so it is not blocked.\n"
    assert run("2", "--uncheck", "--block", "no pen")[1] == "Task 2: unchecked, blocked (no pen).\n"


def test_a_block_that_was_seen_is_told_exactly(tmp_path, run):
    """Where history saw the block begin, the story does not say "at most"."""
    v2_1_database(tmp_path / "dash.db", tasks=[{}])
    run("1", "--block", "no keys")
    assert re.search(r"^  Blocked   for less than a minute, since 20\S+ \S+ UTC: no keys$", run("1")[1], re.MULTILINE)


def test_the_story_tells_what_stands_around_a_task(tmp_path, run):
    """What it is a part of, its parts, and dependencies both ways, the open ones first, in the ids that pages show."""
    words = {"external_id": "BACK-9", "parent_id": 2, "labels": '["ui", "core"]', "kind": "bug", "due_at": "2026-02-01"}
    tasks = [
        {"title": "Ship it", **words},
        {"title": "Release", "external_id": "BACK-1"},
        {"title": "Dig", "checked": 1, "external_id": "BACK-2"},
        {"title": "Roof", "status": "review", "external_id": "7"},
        {"title": "Paint", "parent_id": 1, "checked": 1},
        {"title": "Sand", "parent_id": 1, "status": "cancelled"},
        {"title": "Party", "status": "blocked"},
    ]
    path = v2_1_database(tmp_path / "dash.db", tasks=tasks)
    for number, other in ((1, 3), (1, 4), (1, 99), (7, 1), (1, 1)):
        insert(path, "task_dependencies", task_id=number, depends_on_id=other)
    out = run("BACK-9")[1].splitlines()
    for line in (
        "  Parent    BACK-1 Release",
        "  Parts     2, of which 1 is done",
        "  Kind      bug",
        "  Labels    ui, core",
        "  Due       2026-02-01",
        "  Waiting   for 1 open task",
    ):
        assert line in out
    begin = out.index("Depends on (3)")
    assert out[begin : begin + 6] == [
        "Depends on (3)",
        "  review      4 Roof",
        "  done        BACK-2 Dig",
        "  missing     99 a task that is not there",
        "Needed by (1)",
        "  blocked     7 Party",
    ]
    assert not any(line.startswith("  Waiting") for line in run("7", "--check") and run("7")[1].splitlines())


def test_the_story_tells_the_newest_of_what_happened(tmp_path, run):
    """In words, with who did it, the newest first; of many changes the older ones are counted, and --full has all."""
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"title": "Dig"}, {"title": "Roof"}])
    run("1", "--block", "no keys")
    set_task_complexity(1, "L", db=path)
    insert(path, "task_dependencies", task_id=1, depends_on_id=2)
    query(path, "UPDATE tasks SET title = 'Dig deep', status = 'review' WHERE id = 1")
    out = run("1")[1].splitlines()
    begin = out.index("History (6), the newest first, UTC")
    told = [line[20:] for line in out[begin + 1 : begin + 7]]
    assert sorted(told[:3]) == ["depends on Roof", "no longer blocked, status review", "renamed: Dig deep"]
    assert told[3:] == ["size L  (from Python)", "blocked: no keys  (on the command line)", "created: Dig"]
    for size in "SMLSMLSMLS":
        query(path, "UPDATE tasks SET complexity = ? WHERE id = 1", size)
    out = run("1")[1].splitlines()
    begin = out.index("History (16), the newest first, UTC")
    assert out[begin + 1].endswith("size S")
    assert out[begin + 10 :] == ["  … and 7 more: `dashkit task 1 --full` shows all"]
    assert len(run("1", "--full")[1].splitlines()) == len(out) + 6


def test_a_story_is_bounded_and_harmless(tmp_path, run):
    """A long description is folded, whatever it is made of; characters that act are shown, not sent."""
    text = "\x1b[2Jred\u202e\r\n\r\n" + "word " * 2000 + "\n" + "x" * 10_000
    nasty = {
        "title": "T\x1b[31m" * 900,
        "blocked_reason": "r\x07" * 900,
        "labels": '["\\u001b[2J"]',
        "description": text,
    }
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"status": "blocked", **nasty}])
    insert(path, "tasks", project_id=1, title="\x1b]0;x\x07")
    insert(path, "task_dependencies", task_id=1, depends_on_id=2)
    out = run("1")[1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", out)
    assert max(map(len, out.splitlines())) < 500
    assert len(out.splitlines()) < 45
    begin = out.splitlines().index("Description")
    assert out.splitlines()[begin + 1 : begin + 3] == [r"  \x1b[2Jred\u202e", ""]
    assert re.search(r"^  … and \d{3} more: `dashkit task 1 --full` shows all$", out, re.MULTILINE)
    full = run("1", "--full")[1]
    assert full.count("word") == 2000
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", full)


def test_a_story_needs_no_table_of_dependencies(tmp_path, run):
    """Where another program has a table or a view of that name with other columns, the rest is told."""
    path = v2_1_database(tmp_path / "dash.db", tasks=[{"title": "Dig", "labels": "no list"}])
    query(path, "DROP TABLE task_dependencies")
    assert "Depends on" not in run("1")[1]
    query(path, "CREATE VIEW task_dependencies AS SELECT 1 AS a")
    assert "  Labels    no list\n" in run("1")[1]


def test_all_changes_or_none(tmp_path, run):
    """Where one of the words is refused, the others are not taken either."""
    path = v2_database(tmp_path / "dash.db", tasks=[{}])
    with pytest.raises(UsageError, match="the reason is blank"):
        run("1", "--check", "--block", " ")
    assert query(path, "SELECT checked FROM tasks") == [(0,)]


@pytest.mark.parametrize("words", [["99"], ["99", "--check"], ["x"], ["9" * 30], [""], ["\N{SUPERSCRIPT TWO}"]])
@pytest.mark.parametrize("make", [v1_database, v2_database, v2_1_database])
def test_unknown_task(tmp_path, run, words, make):
    """A task that is not there is an error, for reading and for writing, whichever version the database is of."""
    make(tmp_path / "dash.db")
    with pytest.raises(UsageError, match=f"Cannot find task {words[0]}: no task has this id"):
        run(*words)


def test_a_task_is_found_by_its_own_id(tmp_path, run):
    """The id of its file names a task, in either case; the exact one first; a number is that of a row."""
    ids = ("T1.2", "vc-a", "VC-A", "vc-b", "vc-B", "3", "#7")
    v2_1_database(tmp_path / "dash.db", tasks=[{"title": f"of {own}", "external_id": own} for own in ids])
    for word, title in (
        ("t1.2", "of T1.2"),
        ("vc-a", "of vc-a"),
        ("VC-A", "of VC-A"),
        ("3", "of VC-A"),
        ("#7", "of #7"),
    ):
        assert run(word)[1].splitlines()[0].partition(": ")[2] == title
    assert "  Id        T1.2\n" in run("T1.2")[1]
    assert run("t1.2", "--check")[1] == "Task 1: checked.\n"


def test_an_id_of_several_tasks_is_refused(tmp_path, run):
    """Nothing is guessed: the numbers of the rows are named, and nothing is changed."""
    tasks = [{"title": f"Task {n}", "external_id": "T1"} for n in range(7)]
    path = v2_1_database(tmp_path / "dash.db", tasks=tasks)
    with pytest.raises(UsageError, match=r"7 tasks have this id: 1 \(Task 0\), 2 .*, and 2 more\. Give one of these"):
        run("T1", "--check")
    assert query(path, "SELECT sum(checked) FROM tasks") == [(0,)]


@pytest.mark.parametrize(
    "words", [[], ["1", "--check", "--uncheck"], ["1", "--block", "x", "--unblock"], ["1", "--size", "XXL"]]
)  # fmt: skip
def test_what_makes_no_sense_is_usage(tmp_path, run, words):
    """No task, contradictions and unknown sizes end with exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        run(*words)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        (7, "7"),
        ("two\nlines\tof  text ", "two lines of text"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\udcff", "\\udcff"),
        ("Größe 👩\u200d💻", "Größe 👩\u200d💻"),
    ],
)
def test_plain_shows_what_would_act(text, shown):
    """Characters that move the cursor, turn the text or hide in it are shown by their number."""
    assert plain(text) == shown


def test_plain_cuts_to_a_width():
    """A text longer than the width ends with an ellipsis, within the width."""
    assert [plain("abcdef", width) for width in (6, 5, 1)] == ["abcdef", "abcd…", "…"]


SHAS = {"near": "abcd1" + "0" * 35, "also": "abcd2" + "0" * 35, "far": "abcd3" + "0" * 35, "alone": "ffff" + "0" * 36}


@pytest.fixture
def linkable(tmp_path):
    """A database with a task, two commits of its project and two of another one."""
    path = v2_1_database(tmp_path / "dash.db", projects=["Alpha", "Beta"], tasks=[{"external_id": "TASK-1"}])
    for repo, project in (("a", 1), ("b", 2)):
        insert(path, "git_repos", id=repo, project_id=project, path=f"/{repo}")
    for name, repo in (("near", "a"), ("also", "a"), ("far", "b"), ("alone", "b")):
        insert(path, "git_commits", sha=SHAS[name], repo_id=repo, message=f"{name}: TASK-1\x1b[2J\nx", timestamp="2026")
        insert(path, "git_repo_commits", repo_id=repo, sha=SHAS[name])
    return path


LINKS = "SELECT commit_sha, link_type, confidence, evidence FROM task_commit_links ORDER BY 1"
MANUAL = ("manual", 1.0, '{"role": "refs", "rule": "manual"}')


def test_a_person_links_a_commit(linkable, run):
    """The first digits name a commit of the task's project, else one of any; linking run later leaves the link."""
    assert run("1", "--link", "ABCD1", "--size", "s")[1] == "Task 1: size S, linked with abcd10000000.\n"
    assert run("1", "--link", "ffff")[1] == "Task 1: linked with ffff00000000.\n"
    by_hand = [(SHAS["near"], *MANUAL), (SHAS["alone"], *MANUAL)]
    assert query(linkable, LINKS) == by_hand
    assert link_commits(linkable).added == 1
    assert [row for row in query(linkable, LINKS) if row[1] == "manual"] == by_hand


def test_a_person_makes_a_link_their_own(linkable, run):
    """A link that linking or an inference made becomes manual."""
    link_commits(linkable)
    query(
        linkable, "UPDATE task_commit_links SET link_type = 'inferred', confidence = 0.7 WHERE commit_sha GLOB 'abcd2*'"
    )
    for word in ("abcd1", "abcd2"):
        run("1", "--link", word)
    assert query(linkable, LINKS) == [(SHAS["near"], *MANUAL), (SHAS["also"], *MANUAL)]
    assert link_commits(linkable).gone == 0


def test_a_person_takes_a_link_away(linkable, run):
    """What is unlinked is not linked again, though the message names the task, until a person links it."""
    link_commits(linkable)
    query(linkable, "DELETE FROM task_commit_links WHERE commit_sha GLOB 'abcd2*'")
    assert run("1", "--unlink", "abcd")[1] == "Task 1: no longer linked with abcd10000000.\n"
    assert link_commits(linkable).added == 1
    assert [row[:2] for row in query(linkable, LINKS)] == [(SHAS["also"], "explicit")]
    run("1", "--link", "abcd1")
    assert query(linkable, "SELECT count(*) FROM link_rejections") == [(0,)]
    run("1", "--unlink", "abcd1")
    run("1", "--unlink", "abcd1")
    assert query(linkable, "SELECT task_id, commit_sha, session_id FROM link_rejections") == [(1, SHAS["near"], "")]


def test_a_pair_that_is_not_linked_can_be_kept_apart(linkable, run):
    """Unlinking what is not linked says so, and linking does not link it later."""
    assert run("1", "--unlink", "abcd1")[1] == "Task 1: not linked before, and will not be, with abcd10000000.\n"
    link_commits(linkable)
    assert [row[0] for row in query(linkable, LINKS)] == [SHAS["also"]]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            ["--link", "abcd"],
            UsageError,
            r"2 commits begin so: abcd10000000 \(near: TASK-1.*\), abcd20000000 .*more digits",
        ),
        (["--link", "abc"], UsageError, "4 or more hexadecimal digits"),
        (["--link", "HEAD' OR 1"], UsageError, "4 or more hexadecimal digits"),
        (["--unlink", "1234567"], RefusedError, r"no recorded commit begins so. `dashkit ingest git REPO` records"),
        (["--unlink", "abcd1", "--link", "abcd10"], UsageError, "it is one or the other"),
        (["--link", "abcd1", "--unlink", "eeee"], RefusedError, "no recorded commit begins so"),
    ],
)
def test_a_commit_that_is_not_told_is_refused(linkable, run, words, error, message):
    """A word for none or for several commits is refused with what to do, and nothing else of the call is done."""
    with pytest.raises(error, match=message):
        run("1", "--check", *words)
    assert query(linkable, "SELECT checked FROM tasks") == [(0,)]
    assert query(linkable, LINKS) == []
    assert query(linkable, "SELECT count(*) FROM link_rejections") == [(0,)]


def test_version_2_0_can_link_and_cannot_remember(tmp_path, run):
    """On 2.0 a link is made; taking one away needs the table that remembers it, and changes nothing without it."""
    path = v2_database(tmp_path / "dash.db", tasks=[{}])
    insert(path, "git_repos", id="a", project_id=1, path="/a")
    insert(path, "git_commits", sha=SHAS["near"], repo_id="a")
    run("1", "--link", "abcd")
    with pytest.raises(OutdatedError, match=r"needs version 2\.1 of the schema to remember that.*dashkit migrate"):
        run("1", "--check", "--unlink", "abcd")
    assert [row[0] for row in query(path, LINKS)] == [SHAS["near"]]
    assert query(path, "SELECT checked FROM tasks") == [(0,)]
    v1_database(tmp_path / "old.db", tasks=[{}])
    (tmp_path / "old.db").replace(path)
    with pytest.raises(OutdatedError, match="it needs version 2"):
        run("1", "--link", "abcd")


def test_the_function_that_unlinks(linkable):
    """In Python too a removal is remembered; an unknown task leaves nothing behind."""
    create_task_commit_link(1, SHAS["near"], db=linkable)
    assert remove_task_commit_link(1, SHAS["near"], db=linkable)
    assert not remove_task_commit_link(1, SHAS["near"], db=linkable)
    assert not remove_task_commit_link(9, SHAS["near"], db=linkable)
    assert query(linkable, "SELECT task_id FROM link_rejections") == [(1,)]


@pytest.mark.parametrize(
    "trigger",
    [
        "BEFORE UPDATE ON tasks BEGIN SELECT RAISE(IGNORE); END",
        "AFTER UPDATE OF checked, complexity, blocked_reason ON tasks BEGIN UPDATE tasks SET checked = OLD.checked, "
        "complexity = OLD.complexity, blocked_reason = OLD.blocked_reason WHERE id = OLD.id; END",
    ],
    ids=["skips", "undoes"],
)
@pytest.mark.parametrize("words", [["--check"], ["--block", "no key"], ["--size", "L"]])
def test_a_change_that_a_trigger_takes_back_is_refused(tmp_path, capsys, trigger, words):
    """Where a trigger of another program skips or undoes a change, nothing is said to be changed."""
    path = v1_database(tmp_path / "dash.db", tasks=[{}])
    migrations.execute(path)
    alter(path, f"CREATE TRIGGER frozen {trigger}")
    assert main(["task", "1", *words, "--db", str(path)]) == 3
    out, err = capsys.readouterr()
    assert (out, "skipped or undid the change (on tasks there are: frozen)" in err) == ("", True)
