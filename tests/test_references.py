import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashkit
from dashkit.errors import UsageError
from dashkit.linking.bearers import Ambiguous, Named, Said, link
from dashkit.linking.ids import Ids, normal, pattern
from dashkit.linking.references import ROLES, find
from dashkit.linking.spellings import SPELLINGS

ROOT = Path(dashkit.__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "linking"
HOME = "https://github.com/Acme/proj.git"
IDS = Ids.of(["TASK-12", "bd-a1b2", "bd-a1b2.3", "45", "T1.2", "proj-72sq9"], HOME)
EXAMPLES = [(rule, text) for rule in SPELLINGS for text in rule.examples]


def named(text, where="message", ids=IDS):
    """The ids that a text names, in order."""
    return [reference.external_id for reference in find(text, where, ids)]


@pytest.mark.parametrize(("rule", "text"), EXAMPLES, ids=[f"{rule.name}: {text}" for rule, text in EXAMPLES])
def test_an_example_of_a_rule_is_true(rule, text):
    """Each example in the table of rules names the ids that the table says, and no other."""
    assert tuple(named(text, ids=Ids.of(rule.project, HOME))) == rule.examples[text]


@pytest.mark.parametrize("rule", SPELLINGS, ids=lambda rule: rule.name)
def test_a_rule_is_what_its_examples_need(rule):
    """Each rule is the one that reads at least one of its own examples, and has an example of what it is not."""
    found = [found.rule for text in rule.examples for found in find(text, "message", Ids.of(rule.project, HOME))]
    assert rule.name in found
    assert () in rule.examples.values() or rule.name == "list"


@pytest.mark.parametrize(("role", "text"), [(role, text) for role in ROLES for text in role.examples])
@pytest.mark.parametrize("written", ["TASK-12", "bd-a1b2", "#45"])
def test_an_example_of_a_role_is_true(role, text, written):
    """Each example in the table of roles gives every id its role."""
    assert [found.role for found in find(text.format(written), "message", IDS)] == [role.name]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("fix(bd-a1b2): x", ["bd-a1b2"]),
        ("Task: TASK-12\nRefs: bd-A1B2.3", ["TASK-12", "bd-a1b2.3"]),
        ("x (closes #45)", ["45"]),
        ("T1.2 - text", ["T1.2"]),
        ("> fixes #45\n\nfixes TASK-12", ["TASK-12"]),
        ("```\nTASK-12\n```\nbd-a1b2\n```", ["bd-a1b2"]),
        ("TASK-12\r\n#45\r\n", ["TASK-12", "45"]),
        ("see other/repo#45 and other/repo/issues/45", []),
        ("see acme/proj#45", ["45"]),
        ("TASK-12\0TASK-12", ["TASK-12", "TASK-12"]),
        ("\udcff TASK-12 \ud800", ["TASK-12"]),
        ("TASK-１２ ＴＡＳＫ-12", []),  # noqa: RUF001 - what looks like an id is none
        ("", []),
    ],
)
def test_a_message_names_these(text, ids):
    """Trailers, scopes, quotations, fences, foreign repositories and odd characters are read as people mean them."""
    assert named(text) == ids


def test_a_reference_says_where_it_stood():
    """A reference keeps the words as written, the rule, and the line."""
    (found,) = find("text\n\nCloses: task-012", "message", IDS)
    assert (found.external_id, found.role, found.rule) == ("TASK-12", "closes", "id")
    assert (found.words, found.where) == ("task-012", "message, line 3")


def test_a_list_has_one_role():
    """All ids of a list have the role of the first."""
    assert [found.role for found in find("fixes TASK-12, bd-a1b2 and #45", "message", IDS)] == ["closes"] * 3


def test_a_revert_reverts_what_it_names():
    """Whatever a Revert names, in its subject or below, is reverted."""
    text = 'Revert "feat(TASK-12): a very long subject that goes on and on until it fixes bd-a1b2"\n\nfixes #45'
    assert {found.role for found in find(text, "message", IDS)} == {"reverts"}


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("does not fix TASK-12", "mention"),
        ("this doesn't yet close TASK-12", "mention"),
        ("it won\u2019t quite resolve: TASK-12", "mention"),
        ("never reverted TASK-12", "mention"),
        ("without closing task TASK-12", "mention"),
        ("not only a start: fixes TASK-12", "closes"),
        ("note: fixes TASK-12", "closes"),
        ("knot fixes TASK-12", "closes"),
    ],
)
def test_what_is_denied_is_not_done(text, role):
    """A word of closing or undoing that a "not" stands before says nothing of the work."""
    assert [found.role for found in find(text, "message", IDS)] == [role]


@pytest.mark.parametrize("branch", ["TASK-12", "fix/TASK-12-slug", "task-12_slug", "me/task-12"])
def test_a_branch_belongs_to_its_task(branch):
    """A branch refers to its task, whatever its folder is called."""
    assert [(found.external_id, found.role) for found in find(branch, "branch", IDS)] == [("TASK-12", "refs")]
    assert named("release-12", "branch") == named("feature/TASK-123-slug", "branch") == []


def test_numbers_are_no_ids_of_a_project_with_codes():
    """Where tasks are not numbered, #45 is no task."""
    assert named("fixes #45, GH-45, issue 45", ids=Ids.of(["TASK-45", "bd-45x"])) == []


def test_a_short_id_has_the_usual_prefix():
    """The ends of ids stand for those with the project's most frequent prefix alone."""
    ids = Ids.of(["proj-72sq9", "proj-x1y2z", "other-8f8f8"])
    assert named("(72sq9) (8f8f8)", ids=ids) == ["proj-72sq9"]


def test_a_merge_names_its_branch():
    """The branch in a merge's subject is read as a branch."""
    assert named("Merge pull request #9 from me/task-12-slug") == ["TASK-12"]
    assert named("Merge branch 'feature/45-fix'") == ["45"]
    assert named("Merge branches 'task-12' and 'me/bd-a1b2_x' into 45-fix") == ["TASK-12", "bd-a1b2"]
    assert named("Merge remote-tracking branch 'origin/task-12-slug'") == ["TASK-12"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("text\n\n    TASK-12 failed\n\n    TASK-12 again\nbd-a1b2", ["bd-a1b2"]),
        ("text\n\n\tTASK-12 failed", []),
        ("text\n    TASK-12 goes on", ["TASK-12"]),
        ("text\n\n- item\n\n    TASK-12 belongs to it\n    - and bd-a1b2", ["TASK-12", "bd-a1b2"]),
        ("text\n\n    - TASK-12 in a list\n      that goes on: bd-a1b2", ["TASK-12", "bd-a1b2"]),
        ("text\n\n- item\n\nend\n\n    TASK-12 failed", []),
        ("    TASK-12 text", ["TASK-12"]),
        ("```\n    TASK-12", ["TASK-12"]),
    ],
)
def test_indented_code_is_not_read(text, ids):
    """Code is what Markdown takes for it: indented by four behind an empty line, and not in a list."""
    assert named(text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("#1 first\n#2 second", []),
        ("text\n\n- #1 first\n  more of it\n- #2 second, fixes #2\n", ["2"]),
        ("#1 text", ["1"]),
        ("#1 text\n\nFixes #2", ["1", "2"]),
        ("#2 text\n#3 text", ["2", "3"]),
    ],
)
def test_the_numbers_of_a_list_are_no_ids(text, ids):
    """Lines that count up from #1 are a list; one alone, or from elsewhere, names tasks."""
    assert named(text, ids=Ids.of(["1", "2", "3"])) == ids


@pytest.mark.parametrize(
    ("setting", "text", "ids"),
    [
        ("REQ/{n}", "do req/7, xREQ/7, REQ/77 and REQ/7x", ["REQ/7"]),
        ("case {n} = TASK-{n}", "Case 012 and case 13", ["TASK-12"]),
        ("§{w}-{n} = {w}-{n}", "§task-12", ["TASK-12"]),
        ("§{w}-{n}", "§" + "a" * 90_000 + "-" * 9_000, []),
    ],
)
def test_a_pattern_of_ones_own(setting, text, ids):
    """A project's own pattern is read as the setting says, beside the rules."""
    known = Ids.of(["REQ/7", "TASK-12"], patterns=[setting])
    found = find(text, "message", known)
    assert [reference.external_id for reference in found] == ids
    assert {reference.rule for reference in found} <= {"pattern"}


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("", "needs a placeholder"),
        ("REQ", "needs a placeholder"),
        ("{n}", "before it words"),
        (" {n}", "before it words"),
        ("12{n}", "before it words"),
        ("A{n}{w}", "nothing says where one placeholder ends"),
        ("A{w}b{w}", "nothing says where one placeholder ends"),
        ("A{x}", r"\{x\} is no placeholder"),
        ("A{n} = B{w}", "its words do not have"),
        ("A\n{n}", "control characters"),
        ("A" * 200 + "{n}", "longer than 100"),
    ],
)
def test_a_pattern_that_is_not_safe_is_refused(setting, why):
    """A pattern that names nothing, fits anything, or could be read in several ways is refused with the reason."""
    with pytest.raises(UsageError, match=rf"Cannot use .*{why}.*Write the words"):
        pattern(setting)


@given(st.text(st.characters(codec=None) | st.sampled_from("(a+)+$[^.*|\\{nw}"), max_size=30))
def test_any_setting_is_a_pattern_or_refused(setting):
    """Whatever a setting holds, it is taken or refused; what it holds is never run as an expression."""
    try:
        made = pattern(setting)
    except UsageError as refusal:
        assert refusal.remedy  # noqa: PT017 - either is right
    else:
        assert made.shape.groups == len(re.findall(r"\{[nw]\}", setting.partition(" = ")[0]))


@given(st.text(st.characters(codec=None) | st.sampled_from("#>`\n-./, TASK12bd45"), max_size=200))
def test_no_text_breaks_it(text):
    """Whatever a text holds, each reference found is an id of the project, and its words stand in the text."""
    for where in ("message", "branch", "title"):
        for found in find(text, where, IDS):
            assert found.external_id in IDS.names.values()
            assert found.words in text


PIECES = [
    *"#-./,_ \n0124aAßİbdTtSsKk[()]:\u0307",
    "TASK-12",
    "bd-",
    "fixes: ",
    "bead ",
    "https://github.com/acme/proj/issues/",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_what_is_not_looked_at_names_nothing(text):
    """A text or a line that the first look rules out would have named nothing: the look is only about time."""
    ids = Ids.of([*IDS.names.values(), "task-0İ", "x_0ß"], HOME, ["t-{n} = bd-a1b2"], ["TASK-4"])
    everywhere = dataclasses.replace(ids, tails=frozenset(re.findall(r"0*([^\W_]+)", text.casefold())))
    assert find(text, "message", ids) == find(text, "message", everywhere)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "-",
        "a-",
        "1.",
        ".1",
        "0",
        "12.",
        "#",
        "#1 ",
        "#1,",
        "PR #1, ",
        "bd-a1b2.3.",
        "@",
        "12@",
        "not ",
        "TASK-12,",
        "(",
        "```\n",
        "> ",
        "a" * 60 + " ",
        "\0",
        "é",
    ],
)
def test_a_huge_text_is_read_up_to_a_limit(piece):
    """Of five megabytes of anything only the first 100,000 characters are read."""
    text = "TASK-12 " + piece * (5_000_000 // len(piece))
    assert find(text, "message", IDS) == find(text[:100_000], "message", IDS)


@pytest.mark.parametrize(
    ("written", "plain"), [("#TASK-012", "task-12"), ("BACK-1.02", "back-1.2"), ("P1-T01", "p1-t01"), ("000", "0")]
)
def test_normal_form(written, plain):
    """The normal form drops case, # and leading zeros of numbers, and no more."""
    assert normal(written) == plain


def linked(tasks, *said, **options):
    """The pairs of task and commit, and the tasks of each id left open."""
    links, ambiguous = link(tasks, said, **options)
    return {(one.task_id, one.sha) for one in links}, [one.task_ids for one in ambiguous]


OLD = Named(1, ("bd-1",), "issues.jsonl", "2025-01-01T00:00:00.000Z", "2025-02-01T00:00:00.000Z")
NEW = Named(2, ("bd-1",), "issues.jsonl", "2025-03-01T00:00:00.000Z")
OTHER = Named(3, ("bd-1",), "TODO.md", "2025-01-15T00:00:00.000Z", gone_at="2025-01-20T00:00:00.000Z")


@pytest.mark.parametrize(
    ("tasks", "at", "pairs", "left_open"),
    [
        ([OLD], "2024-01-01T00:00:00.000Z", {(1, "a")}, []),
        ([OLD, NEW], "2025-01-05T00:00:00.000Z", {(1, "a")}, []),
        ([OLD, NEW], "2025-02-15T00:00:00.000Z", {(1, "a")}, []),
        ([NEW, OLD], "2025-04-01T00:00:00.000Z", {(2, "a")}, []),
        ([OLD, NEW], "2024-01-01T00:00:00.000Z", set(), [(1, 2)]),
        ([OLD, NEW], "once", set(), [(1, 2)]),
        ([OLD, OTHER], "2025-01-10T00:00:00.000Z", {(1, "a")}, []),
        ([OLD, OTHER], "2025-01-18T00:00:00.000Z", set(), [(1, 3)]),
        ([OLD, OTHER], "2025-01-20T00:30:00.000Z", set(), [(1, 3)]),
        ([OLD, OTHER], "2025-01-25T00:00:00.000Z", {(1, "a")}, []),
        ([OLD, OTHER], "2025-03-01T00:00:00.000Z", set(), [(1, 3)]),
        ([OLD, Named(4, ("bd-1",), "TODO.md", gone_at="9999-12-31T23:59:59.999Z")], "2025-03-01", {(4, "a")}, []),
        ([Named(1, ("x-1",)), Named(2, ("X-1",))], "2025-01-01T00:00:00.000Z", set(), [(1, 2)]),
    ],
)
def test_an_id_of_two_tasks_is_resolved_by_lifetime(tasks, at, pairs, left_open):
    """An id that two tasks had means the one whose life holds the commit; else it is counted, never guessed."""
    text = f"fix {tasks[0].ids[0]}"
    assert linked(tasks, Said("a", at, text)) == (pairs, left_open)


@pytest.mark.parametrize(
    ("at", "pairs", "left_open"),
    [
        ("2025-02-01T23:59:59.000Z", set(), [(1, 2)]),  # both are of that day
        ("2025-02-02T00:59:59.000Z", set(), [(1, 2)]),  # a commit may follow the close at once
        ("2025-02-02T01:00:01.000Z", {(2, "a")}, []),
        ("2025-01-31T23:59:59.000Z", {(1, "a")}, []),
        ("2025-02-01T00:00:00.000Z", set(), [(1, 2)]),
    ],
)
def test_a_life_of_dates_is_of_whole_days(at, pairs, left_open):
    """A task may be named from the beginning of the day on that it was created, and until the end of its last day."""
    old = Named(1, ("bd-1",), "a", "2025-01-01", "2025-02-01")
    new = Named(2, ("bd-1",), "b", "2025-02-01")
    assert linked([old, new], Said("a", at, "fix bd-1")) == (pairs, left_open)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("BD-1 - Paint  the SHED, at last", {(1, "a")}),
        ("Add bd-1 - paint-the-shed.md", {(1, "a")}),
        ("bd-1: paint the shed and dig the deep hole", set()),
        ("bd-1: paint", set()),
    ],
)
def test_an_id_of_two_tasks_with_the_title_of_one_means_it(text, pairs):
    """A text that holds the title of one of them, three words or more, means that one."""
    tasks = [Named(1, ("bd-1",), "a", title="Paint the shed"), Named(2, ("bd-1",), "b", title="Dig the deep hole")]
    assert linked([*tasks, Named(3, ("bd-1",), "c", title="Paint")], Said("a", "2026-01-01", text))[0] == pairs


def test_a_title_to_come_is_not_meant():
    """A task that was made long after a commit is not meant by its title."""
    late = Named(2, ("bd-1",), "b", "2026-02-01", title="Paint the shed")
    assert linked([OLD, late], Said("a", "2025-01-05", "bd-1 Paint the shed"))[0] == {(1, "a")}


def test_an_id_is_meant_as_it_is_written():
    """Of x-0261 and x-261 each is meant by its own spelling."""
    tasks = [Named(1, ("x-0261",)), Named(2, ("x-261",))]
    assert linked(tasks, Said("a", "", "X-0261"), Said("b", "", "x-261"))[0] == {(1, "a"), (2, "b")}
    assert linked(tasks, Said("a", "", "x-00261"))[1] == [(1, 2)]


def test_a_task_has_every_id_it_had():
    """A task is found by a former id too, and a commit that uses both has one link."""
    task = Named(7, ("bd-new1", "bd-old1"))
    assert linked([task], Said("a", "", "fix bd-new1, once bd-old1")) == ({(7, "a")}, [])


def test_a_link_keeps_its_strongest_evidence():
    """The link of a pair is sure, explicit, and tells the strongest role and its words."""
    links, _ = link([Named(1, ("TASK-12",))], [Said("a", "", "TASK-12: text\n\nsee TASK-12\nFixes: task-12")])
    (one,) = links
    assert (one.confidence, one.link_type) == (1.0, "explicit")
    assert one.evidence == {"rule": "id", "role": "closes", "words": "task-12", "where": "message, line 4"}


def test_ambiguous_ids_are_counted_once_for_a_commit():
    """A commit that names an ambiguous id twice counts it once."""
    twins = [Named(1, ("x-1",)), Named(2, ("x-1",))]
    _, ambiguous = link(twins, [Said("a", "2025-01-01T00:00:00.000Z", "x-1 and x-1")])
    assert ambiguous == [Ambiguous("a", "x-1", (1, 2))]


def test_odd_tasks_are_harmless():
    """Tasks without an id, with an empty one, or one that looks like an expression, link nothing and break nothing."""
    tasks = [Named(1, ()), Named(2, ("",)), Named(3, ("(a+)+$",)), Named(4, ("\udcff\0",)), Named(5, ("#",))]
    assert linked(tasks, Said("a", "", "text # (a+)+$ \udcff\0")) == (set(), [])


AUDIT = 45  # rows of a truth that a person looked at


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the linking data is not on this machine (../shared/data/linking)")
def test_real_repositories_are_linked_right():
    """Of each repository with a full audit 99 % of the links are right and 96 % of the true ones made; of all 98 %."""
    spec = importlib.util.spec_from_file_location("references", ROOT / "benchmarks" / "references.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    # The truth of the others was audited in 20 rows only, too few to judge by.
    audited = [folder for folder in benchmark.repositories(DATA) if len(benchmark.rows(folder, "audit")) >= AUDIT]
    assert len(audited) >= 5
    scores = [benchmark.judge(folder)[0] for folder in audited]
    pooled = benchmark.Score(*map(sum, zip(*scores, strict=True)))
    assert pooled.recall >= 0.98
    assert all(score.precision >= 0.99 and score.recall >= 0.96 for score in scores)
