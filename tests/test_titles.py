"""What the words of a task line say."""

import pytest

from dashkit.sources.titles import Title, plain, read_title


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**index.html** — Canvas setup", "index.html — Canvas setup"),
        ("***both*** and **bold *in* it**", "both and bold in it"),
        ("_one_ __two words__ ____ * **", "one two words ____ * **"),
        ("Run `make  *test*` now", "Run make *test* now"),
        ("``a ` b``", "a ` b"),
        ("[see](http://a_b/(x)) ![shot](s.png) <https://x.y/_a_> [[page]]", "see shot https://x.y/_a_ page"),
        ("snake\\_case and a_b_c", "snake_case and a_b_c"),
        ("ignore (*.pyc, __pycache__, .env)", "ignore (*.pyc, __pycache__, .env)"),
        ("2 * 3 * 4, 2*3*4, src/**/x/**, **/*.py", "2 * 3 * 4, 2*3*4, src/**/x/**, **/*.py"),
        ("a <!-- id: 7 --> b <!-- c", "a b <!-- c"),
        ("<script>alert(1)</script> & [x] | '", "<script>alert(1)</script> & [x] | '"),
        ("**unclosed `code [link](", "**unclosed `code [link]("),
        ("tab\tand\u2028line \x1b[31m\udcff", "tab and line �[31m�"),
    ],
)
def test_markdown_becomes_plain_text(markdown, text):
    """Emphasis, links, code marks, comments and escapes go; what they hold, globs and hostile text stay."""
    assert plain(markdown) == text
    assert read_title(markdown) == Title(text)


@pytest.mark.parametrize(
    ("markdown", "text", "status"),
    [
        ("✅ DONE: tests", "tests", "completed"),
        ("✅ Tests pass", "Tests pass", None),
        ("⏳ Tests", "Tests", None),
        ("⏳ In progress: tests", "tests", "in_progress"),
        ("Tests - 🔄 Blocked", "Tests", "blocked"),
        ("⏸️ Tests", "Tests", "blocked"),
        ("✅ 🚧 Tests", "Tests", "in_progress"),
        ("❌ Push to main", "❌ Push to main", None),
        ("🔴 Tests", "🔴 Tests", None),
        ("Tests ✔️", "Tests", "completed"),
        ("Pipeline (5 days) 🔄 **IN PROGRESS**", "Pipeline (5 days)", "in_progress"),
        ("🚧 **WIP**: tests", "tests", "in_progress"),
        ("Tests — ⛔ Blocked", "Tests", "blocked"),
        ("🗑️ Tests", "Tests", "cancelled"),
        ("~~Tests~~", "Tests", "cancelled"),
        ("~~**Tests** for `x`~~ (not needed)", "Tests for x (not needed)", "cancelled"),
        ("**TASK-12**: ~~Tests~~", "TASK-12: Tests", "cancelled"),
        ("Show ✅ beside a name", "Show ✅ beside a name", None),
    ],
)
def test_signs_of_status_are_read_at_both_ends(markdown, text, status):
    """Emoji with or without their word, and a title that is struck out, say the status and leave the title.

    In front of a title a ✅ or an hourglass says no more than the box: lists of criteria have one before each line.
    """
    assert read_title(markdown) == Title(text, status, external_id="TASK-12" if "TASK" in text else None)


@pytest.mark.parametrize(
    ("markdown", "text", "reason"),
    [
        ("Deploy (blocked: keys (two) missing) soon", "Deploy soon", "keys (two) missing"),
        ("Deploy [Blocked by the audit]", "Deploy", "the audit"),
        ("Deploy (blocked)", "Deploy", None),
        ("Deploy (blocked: no end", "Deploy", "no end"),
        ("Deploy — **BLOCKED**: keys", "Deploy", "keys"),
        ("Deploy BLOCKED BY the audit", "Deploy", "the audit"),
        ("Deploy BLOCKED by the audit", "Deploy", "the audit"),
        ("BLOCKED by the audit", "BLOCKED by the audit", None),
        ("Deploy - BLOCKED", "Deploy", None),
        ("BLOCKED: Deploy", "Deploy", None),
        ("⏳ Blocked: Deploy", "Deploy", None),
        ("⚠️ Blocked: Deploy", "⚠️ Deploy", None),
        ("🔥 **BLOCKED** - Deploy", "🔥 Deploy", None),
        ("⚠️ BLOCKED", "⚠️ BLOCKED", None),
        ("(blocked: keys)", "(blocked: keys)", None),
    ],
)
def test_a_block_and_its_reason(markdown, text, reason):
    """A remark on a block leaves the title and becomes the reason; a label at the start gives none."""
    assert read_title(markdown) == Title(text, "blocked", reason)


def test_an_id_before_a_block_is_no_title():
    """What a label of blocking stands before is the title, also behind an id."""
    assert read_title("**TASK-12** BLOCKED: Deploy") == Title("TASK-12 Deploy", "blocked", None, "TASK-12")
    assert read_title("TASK-12 BLOCKED BY keys") == Title("TASK-12", "blocked", "keys", "TASK-12")


def test_what_was_replaced_is_gone_from_the_title():
    """A part that is struck out is no part of the title any more; of a heading it stays."""
    assert read_title("~~Old~~ New name") == Title("New name")
    assert plain("~~Old~~ New name") == "Old New name"


@pytest.mark.parametrize(
    "markdown",
    ["List (blocked users only)", "BLOCKED users", "Explain what blocked: means", "A port blocked by nobody"],
)
def test_a_title_about_blocks_is_not_blocked(markdown):
    """The word alone says nothing."""
    assert read_title(markdown) == Title(markdown)


@pytest.mark.parametrize(
    ("markdown", "external_id"),
    [
        ("TASK-12 Do it", "TASK-12"),
        ("TASK-12: Do it", "TASK-12"),
        ("[BACK-12] Do it", "BACK-12"),
        ("**P1-T01:** Do it", "P1-T01"),
        ("T1.2 Do it", "T1.2"),
        ("`A.1.2` Do it", "A.1.2"),
        ("T001 [P] Do it", "T001"),
        ("T1: Do it", "T1"),
        ("**PH5B**: Do it", "PH5B"),
        ("✅ task-7 Do it", "task-7"),
        ("[TASK-12](https://x.y) Do it", "TASK-12"),
        ("UTF-8 everywhere", None),
        ("SHA-256 for passwords", None),
        ("V1.2 release", None),
        ("Q1-2025 plan", None),
        ("H.264 in the player", None),
        ("**P1** Do it", None),
        ("T1 Do it", None),
        ("S3 bucket", None),
        ("TASK-12-draft of it", None),
        ("Do TASK-12", None),
    ],
)
def test_an_id_at_the_start(markdown, external_id):
    """An explicit id is read, and stays in the title; names of standards, releases and priorities are none."""
    title = read_title(markdown)
    assert title.external_id == external_id
    assert external_id is None or external_id in title.text
