"""Markdown task lists, as people and hostile files write them."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashkit.errors import RefusedError
from dashkit.sources.tasklist import LARGEST, read, read_file
from dashkit.sources.titles import LONGEST

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tasklists"
COUNTS = {  # file: tasks, checked, legend lines
    "next-generation.md": (227, 0, 0),
    "citus-django-infra.md": (958, 39, 4),
    "dev-intelligence.md": (573, 6, 0),
    "universal-agent-framework.md": (30, 1, 0),
    "compliance-core.md": (29, 0, 0),
    "topology-first-cad.md": (25, 5, 0),
    "grimhold.md": (31, 0, 0),
}


def titles(text):
    """The titles of all tasks."""
    return [task.title for task in read(text.split("\n")).tasks]


def only(text):
    """The only task."""
    (task,) = read(text.split("\n")).tasks
    return task


@pytest.mark.skipif(not DATA.is_dir(), reason="the real task lists are not beside this checkout")
@pytest.mark.parametrize("name", COUNTS)
def test_a_real_file_has_the_tasks_that_were_counted_by_hand(name):
    """Each real file gives exactly its number of tasks, checked tasks and legend lines, without complaint."""
    found = read_file(DATA / name)
    assert (len(found.tasks), sum(task.checked for task in found.tasks), found.left_out) == COUNTS[name]
    assert found.notes == ()


@pytest.mark.skipif(not DATA.is_dir(), reason="the real task lists are not beside this checkout")
def test_the_phases_of_a_real_file():
    """The outermost headings below the title are the phases, in the order of the file."""
    found = read_file(DATA / "dev-intelligence.md")
    assert list(dict.fromkeys(map(found.phase, found.tasks))) == [
        "Phase 0: Foundation ✅ (Weeks 1-2) - COMPLETE",
        "Phase 1: Infrastructure & Core Backend (Weeks 3-6)",
        "Phase 2: Git Sync & Search (Weeks 7-9)",
        "Phase 3: Frontend & Analytics (Weeks 10-12)",
        "Project Completion Criteria",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "- [ ] a",
        "* [ ] a",
        "+ [ ] a",
        "1. [ ] a",
        "12) [ ] a",
        "\t- [ ] a",
        "> - [ ] a",
        "> > 1. [ ] a",
        "\ufeff- [ ] a",
    ],
)
def test_every_kind_of_list_item_can_hold_a_task(line):
    """Bullets, numbers, indentation and block quotes make no difference."""
    assert titles(line) == ["a"]


@pytest.mark.parametrize(
    "line", ["- a", "[ ] a", "-[ ] a", "- [ ]a", "- [a](b)", "- [1] Smith", "- \\[ ] a", "* * *", "- `[ ] a`"]
)
def test_what_is_no_box_is_no_task(line):
    """Links, references, text and escaped boxes are no tasks, and no reason to complain."""
    assert read([line]).tasks == ()
    assert read([line]).notes == ()


@pytest.mark.parametrize(
    ("sign", "status"),
    [
        (" ", "pending"),
        ("x", "completed"),
        ("X", "completed"),
        ("✔️", "completed"),
        ("~", "in_progress"),
        ("-", "in_progress"),
        ("/", "in_progress"),
        ("!", "blocked"),
    ],
)
def test_the_sign_says_the_status(sign, status):
    """The sign in the box is the status, and completed means checked."""
    task = only(f"- [{sign}] a")
    assert (task.status, task.checked) == (status, status == "completed")


def test_a_ticked_box_is_completed_whatever_the_title_says():
    """The box is the truth about completion; a block that is over has no reason any more."""
    task = only("- [x] ~~a~~ (blocked: b)")
    assert (task.title, task.status, task.checked, task.blocked_reason) == ("a", "completed", True, None)


def test_the_title_can_say_more_than_an_open_box():
    """A reason in the title blocks the task, a sign of being done completes it."""
    blocked = only("- [ ] Deploy (blocked: no keys)")
    assert (blocked.title, blocked.status, blocked.blocked_reason) == ("Deploy", "blocked", "no keys")
    done = only("- [ ] Deploy ✅")
    assert (done.title, done.status, done.checked) == ("Deploy", "completed", True)


def test_headings_become_the_path_of_a_task():
    """ATX and setext headings nest by level, without their marks, and each task knows its line."""
    tasks = read(
        ["Title", "=====", "", "## **One** ##", "- [ ] a", "### Deep", "- [ ] b", "Two", "---", "- [ ] c"]
    ).tasks
    assert [(task.headings, task.line) for task in tasks] == [
        (("Title", "One"), 5),
        (("Title", "One", "Deep"), 7),
        (("Title", "One", "Deep"), 10),
    ]
    after_blank = only("# Title\n\nTwo\n---\n- [ ] c")
    assert after_blank.headings == ("Title", "Two")


def test_a_rule_below_a_list_or_a_paragraph_is_no_heading():
    """Only a paragraph of one line makes a setext heading."""
    assert only("- [ ] a\n---\n- b").headings == ()
    assert only("one\ntwo\n---\n- [ ] a").headings == ()
    assert only("- b\n\n  more\n---\n- [ ] a").headings == ()


def test_the_headings_of_a_quote_end_with_it():
    """A heading in a block quote does not stand above what follows the quote."""
    tasks = read(["# T", "> ## Quoted", "> - [ ] a", "", "- [ ] b"]).tasks
    assert [task.headings for task in tasks] == [("T", "Quoted"), ("T",)]


@pytest.mark.parametrize(
    ("text", "phases"),
    [
        ("# T\n## A\n- [ ] a\n### B\n- [ ] b\n## C\n- [ ] c", ["A", "A", "C"]),
        ("# A\n## X\n- [ ] a\n# B\n- [ ] b", ["A", "B"]),
        ("# T\n- [ ] a\n## B\n- [ ] b", ["T", "B"]),
        ("## A\n- [ ] a\n## B\n- [ ] b\n# End", ["A", "B"]),
        ("- [ ] a\n# B\n- [ ] b", [None, "B"]),
        ("- [ ] a", [None]),
    ],
)
def test_the_phase_is_the_outermost_heading_below_the_title(text, phases):
    """The title is the heading that all tasks share; without a heading below it, it is the phase itself."""
    found = read(text.split("\n"))
    assert [found.phase(task) for task in found.tasks] == phases


@pytest.mark.parametrize(
    "text",
    [
        "```\n- [ ] no\n```\n- [ ] a",
        "~~~sh\n- [ ] no\n```\n~~~~\n- [ ] a",
        "````\n```\n- [ ] no\n````\n- [ ] a",
        "- item\n  ```\n  - [ ] no\n  ```\n- [ ] a",
        "- item\n  ```\n  - [ ] no\n- [ ] a",
        "- ```\n  - [ ] no\n  ```\n- [ ] a",
        "> ```\n> - [ ] no\n> ```\n> - [ ] a",
        "> ```\n> - [ ] no\n\n- [ ] a",
        "```\n> ```\n- [ ] no\n```\n- [ ] a",
        "<!--\n- [ ] no\n-->\n- [ ] a",
        "<!-- - [ ] no -->\n- [ ] a",
        "- [ ] a <!-- no -->",
        "---\ntitle: x\ntasks:\n- [ ] no\n---\n- [ ] a",
        "\ufeff---\r\ntitle: x\r\n---\r\n- [ ] a\r",
    ],
)
def test_code_comments_and_front_matter_hold_no_tasks(text):
    """Fences close with their own sign, with their list item and with their quote; comments with `-->`."""
    assert titles(text) == ["a"]


def test_a_rule_at_the_top_is_no_front_matter():
    """Front matter has keys and an end; anything else at the top of a file is read."""
    assert titles("---\n# T\n- [ ] a\n---\n- [ ] b") == ["a", "b"]
    assert titles("---\ntitle: x\n- [ ] a") == ["a"]
    assert titles("```a``` and text\n- [ ] a") == ["a"]


def test_a_code_block_that_does_not_end_is_said():
    """A file that loses its tasks to an open code block gets a note with the line."""
    found = read(["- [ ] a", "", "```", "- [ ] b"])
    assert [task.title for task in found.tasks] == ["a"]
    assert found.notes == ("line 3: a code block begins and does not end; no task after it was read",)


@pytest.mark.parametrize(("opening", "kind"), [("```", "code block"), ("- ~~~", "code block"), ("<!--", "comment")])
def test_a_file_that_is_one_open_block_says_so(opening, kind):
    """Where the first line opens it there is no task at all, and the note tells why."""
    found = read([opening, "- [ ] a"])
    assert found.tasks == ()
    assert found.notes == (f"line 1: a {kind} begins and does not end; no task after it was read",)


CONFLICT = """# Plan
- [ ] a
<<<<<<< HEAD
- [x] b
||||||| 1a2b3c4
- [ ] b
=======
- [~] b
```
>>>>>>> theirs
- [ ] c"""


def test_of_a_merge_conflict_one_side_is_read():
    """No task is doubled: the first side counts, the marks are counted, and a note names the lines left."""
    found = read(CONFLICT.split("\n"))
    assert [(task.title, task.status, task.line) for task in found.tasks] == [
        ("a", "pending", 2),
        ("b", "completed", 4),
        ("c", "pending", 11),
    ]
    assert found.skipped == 4
    assert found.notes == ("line 3: a merge conflict; its lines from 5 to 10 were not read",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Plan\n=======\n- [ ] a", ["a"]),
        ("```\n<<<<<<< x\n```\n- [ ] a\n```\n=======\n- [ ] no\n>>>>>>> y\n```", ["a"]),
        ("```\n<<<<<<< x\n=======\n>>>>>>> y\n```\n- [ ] a", ["a"]),
        ("<<<<<<< x\n- [ ] a\n=======\n- [ ] b", ["a", "b"]),
        ("=======\n- [ ] a\n>>>>>>> y\n- [ ] b", ["a", "b"]),
        ("<<<<<<<< x\n- [ ] a\n=======\n>>>>>>> y", ["a"]),
    ],
)
def test_what_only_looks_like_a_merge_conflict_is_none(text, found):
    """A heading that is underlined, code, and marks that are not all there leave every line as it is."""
    read_as = read(text.split("\n"))
    assert ([task.title for task in read_as.tasks], read_as.skipped, read_as.notes) == (found, 0, ())


@pytest.mark.parametrize(
    "heading",
    [
        *("## Legend", "## Task Completion Legend", "## 🔑 Key", "## Status key:", "## Key to symbols", "**Legend:**"),
        *("## Status Key (signs)", "## Legend [v2]", "**Legend (all signs):**"),
    ],
)
def test_a_legend_explains_the_signs(heading):
    """Boxes of a legend are counted and are no tasks, whatever their signs; those after it are tasks."""
    found = read([heading, "- [ ] Pending", "- [x] Done", "- [?] Unclear", "", "## Work", "- [ ] a"])
    assert ([task.title for task in found.tasks], found.left_out, found.notes) == (["a"], 3, ())


@pytest.mark.parametrize(
    "heading", ["## Key features", "## Rotate the API key", "## Legendary", "Key: the lock", "## Tasks (see legend)"]
)
def test_a_heading_that_only_sounds_like_a_legend_is_none(heading):
    """Tasks are not lost to a word."""
    assert titles(f"{heading}\n\n- [ ] a") == ["a"]


def test_bad_boxes_are_counted_and_named():
    """A box without a title is skipped, one with an unknown sign is open; both are said with their line."""
    found = read(["- [ ]", "- [x]   ", "- [ ] ****", "- [>] later", "- [ ] a"])
    assert [(task.title, task.status) for task in found.tasks] == [(one, "pending") for one in ("****", "later", "a")]
    assert found.skipped == 2
    assert found.notes == (
        "line 1: the box has no title",
        "line 2: the box has no title",
        "line 4: the sign in the box is not known, and the task is read as open",
    )


def test_a_title_without_end_is_cut():
    """A title of five million characters is cut to a length that a page can bear, and that is said."""
    found = read(["- [ ] " + "a" * 5_000_000])
    assert found.tasks[0].title == "a" * LONGEST + "…"
    assert found.notes == (f"line 1: the title has 5,000,000 characters; kept {LONGEST:,}",)


@pytest.mark.parametrize(
    "lines",
    [
        ["> " * 100_000 + "- [ ] a"],
        [" " * 5_000_000],
        [">" * 1_000_000],
        ["- " * 500_000 + "[ ] a"],
        ["`" * 5_000_000],
        ["# " * 500_000],
        ["1. " * 500_000],
        *(
            ["- [ ] " + unit * (1_000 // len(unit))] * 500
            for unit in ("`" * 7 + " ``", "**a ", "[", "[a](", "(blocked ")
        ),
        [">" * depth + " # h" for depth in range(1_000)] + [">" * 1_000 + " - [ ] a"] * 200,
    ],
    ids=lambda lines: f"{lines[-1][:12]}...",
)
def test_hostile_text_is_read_in_linear_time(lines):
    """Text made to be slow is not: some megabytes take seconds at the very most."""
    begin = time.process_time()
    read(lines)
    assert time.process_time() - begin < 10


@given(st.lists(st.text(st.characters(), max_size=40).map(lambda text: "- [ ] " + text) | st.text(max_size=40)))
def test_whatever_is_read_can_be_stored(lines):
    """No text is an error, and each title is one line of text that SQLite can hold."""
    for task in read(lines).tasks:
        assert task.title == " ".join(task.title.split()) != ""
        assert task.title.encode()
        assert not any(ord(char) < 32 for char in task.title)


@given(st.lists(st.sampled_from(["- [ ] a", "  - [x] b", "## H", "```", "~~~", "> - [ ] q", "<!--", "-->", "", "---"])))
def test_a_read_depends_on_the_lines_alone(lines):
    """Line ends make no difference, and each task stands on the line that it names."""
    found = read(lines)
    assert found == read([line + "\r\n" for line in lines])
    assert all(task.title in lines[(task.line or 0) - 1] for task in found.tasks)


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("\ufeff- [ ] Grüße\r\n".encode(), "Grüße"),
        (b"- [ ] Gr\xfc\xdfe\r", "Grüße"),
        ("- [ ] Grüße\n".encode("utf-16"), "Grüße"),
        ("- [ ] a\u2028b\x00\x1b[31m\n".encode(), "a b��[31m"),
    ],
    ids=["bom", "cp1252", "utf-16", "control"],
)
def test_any_encoding_is_read(tmp_path, data, title):
    """Byte order marks, old encodings and control characters are no obstacle."""
    (tmp_path / "tasks.md").write_bytes(data)
    assert read_file(tmp_path / "tasks.md").tasks[0].title == title


def test_bytes_that_are_no_utf8_are_said(tmp_path):
    """A file in an old encoding is read, and its reader is told."""
    (tmp_path / "tasks.md").write_bytes(b"- [ ] caf\xe9 \x81")
    found = read_file(tmp_path / "tasks.md")
    assert found.tasks[0].title == "café �"
    assert found.notes == ("2 bytes are no UTF-8 and were read as Windows-1252",)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    """A missing file, a folder, a device and a giant are refused by name."""
    with pytest.raises(RefusedError, match=r"Cannot read .*none\.md: there is no such file\. Check the name\."):
        read_file(tmp_path / "none.md")
    with pytest.raises(RefusedError, match=r"it is a folder\. Name the Markdown files in it\."):
        read_file(tmp_path)
    with pytest.raises(RefusedError, match="it is not a file"):
        read_file(os.devnull)
    with pytest.raises(RefusedError, match="null"):
        read_file("a\0b")
    with (tmp_path / "giant.md").open("wb") as giant:
        giant.truncate(LARGEST + 1)
    with pytest.raises(RefusedError, match="it has 67,108,865 bytes, and a task list at most 67,108,864"):
        read_file(tmp_path / "giant.md")
