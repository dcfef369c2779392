"""Obsidian Tasks: the fields of a line, and what becomes of their dates."""

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import commit, repository

import dashkit
from dashkit.ingest.tasks import ingest_tasks
from dashkit.sources import obsidian, tasklist
from dashkit.sources.titles import read_title, without_comments

DONE = {"done": "2024-02-03"}


def one(line):
    """The one task of a line."""
    (task,) = tasklist.read([line]).tasks
    return task


@pytest.mark.parametrize(
    ("line", "text", "dates"),
    [
        ("Draw ✅ 2024-02-03", "Draw", DONE),
        ("Draw ✅\ufe0f 2024-02-03", "Draw", DONE),
        ("Draw✅2024-02-03", "Draw", DONE),
        ("Draw ✅\xa02024-02-03.", "Draw", DONE),
        ("Draw [completion:: 2024-02-03]", "Draw", DONE),
        ("Draw  (Completion::2024-02-03), [due:: ]", "Draw", DONE),
        ("Draw [completion:: [[2024-02-03]]]", "Draw", DONE),
        ("Draw ❌ 2024-02-03", "Draw", {"cancelled": "2024-02-03"}),
        ("Draw 📆 2024-02-03 🗓️ 2024-02-04", "Draw", {"due": "2024-02-04"}),
        ("Draw ➕ 2024-01-30 ✅ 2024-02-03", "Draw", {"created": "2024-01-30", **DONE}),
        ("Draw ✅ 2024-02-03 ➕ 2024-01-30", "Draw", {"created": "2024-01-30", **DONE}),
        ("Draw ⌛ 2024-02-03 🛫 2024-02-02", "Draw", {"scheduled": "2024-02-03", "start": "2024-02-02"}),
        ("#task Draw ✅ 2024-02-03 #home/map ^a1b2c3", "#task Draw #home/map", DONE),
        ("Draw ✅ 2024-02-03 [[Map]] ![x](y.png) (twice) 🚧 ^a", "Draw [[Map]] ![x](y.png) (twice) 🚧 ^a", DONE),
        ("Draw [effort:: 3] ✅ 2024-02-03 (who:: me)", "Draw [effort:: 3] (who:: me)", DONE),
        ("Draw 🔺 🔁 every 2 days, when done 🏁 delete ✅ 2024-02-03", "Draw", DONE),
        ("Draw `x` ✅ 2024-02-03", "Draw `x`", DONE),
        ("Draw ^a1b2c3", "Draw", {}),
    ],
)
def test_fields_leave_the_title(line, text, dates):
    """In both formats, with and without a variation selector, in any order; tags, links and other signs stay."""
    found = obsidian.read(line)
    assert (" ".join(found.text.split()), found.dates, found.unread) == (text, dates, ())


@pytest.mark.parametrize(
    "line",
    [
        *("Ship ✅ icon", "Ship the ✅", "Plan 📅 tomorrow", "⏳ 2 weeks", "Retry 🔁 loop", "Cross the 🏁 line"),
        *("Show the 🆔 card", "Deploy ⛔ Blocked", "Sort by 🔼 votes", "Ship ✅ 1.2.3", "Ship 📅 3/5", "Raise x ^2"),
        *(
            "Explain `✅ 2024-02-03`",
            r"Explain \[due:: 2024-02-03]",
            "Ask [[due::x]]",
            "Read std::string",
            "📅 2024-02-03",
        ),
        *("Meet 📅 2024-02-03 at noon", "Set [key:: value]", "A (b) [c](d) #e", "", " "),
    ],
)
def test_a_sign_without_its_value_is_of_the_title(line):
    """So is a line that holds nothing else, code, and what stands in front of other words."""
    assert obsidian.read(line) == obsidian.Line(line)


@pytest.mark.parametrize(
    ("line", "unread"),
    [
        ("Draw ✅ 2024-02-31", ("✅ '2024-02-31'",)),
        ("Draw ✅ 3/2/2024 ^a1b2c3", ("✅ '3/2/2024'",)),
        ("Draw 📅 2024-3-1 #home", ("📅 '2024-3-1'",)),
        ("Draw [due:: next week]", ("due 'next week'",)),
        ("Draw ✅ 1969-07-20", ("✅ '1969-07-20'",)),
    ],
)
def test_a_date_that_cannot_be_read_is_kept_and_named(line, unread):
    """It stays in the title, and what stands in front of it is read."""
    found = obsidian.read(line.replace("Draw", "Draw ➕ 2024-01-30"))
    assert found.dates == {"created": "2024-01-30"}
    assert found.unread == unread
    assert found.text.split() == line.removesuffix(" ^a1b2c3").split()


@pytest.mark.parametrize(
    ("line", "status", "ended"),
    [
        ("- [x] Fold ✅ 2024-02-03", "completed", "2024-02-03"),
        ("- [ ] Fold ✅ 2024-02-03", "pending", None),
        ("- [/] Fold ❌ 2024-02-03", "in_progress", None),
        ("- [-] Fold ❌ 2024-02-03", "cancelled", "2024-02-03"),
        ("- [-] Fold [cancelled:: 2024-02-03]", "cancelled", "2024-02-03"),
        ("- [-] Fold ✅ 2024-02-03", "in_progress", None),
        ("- [-] Fold ❌ 2024-02-31", "cancelled", None),
        ("- [-] Fold ❌", "cancelled", None),
        ("- [-] ❌ Fold", "cancelled", None),
        ("- [-] Fold", "in_progress", None),
        ("- [ ] ~~Fold~~ ❌ 2024-02-03", "cancelled", "2024-02-03"),
        ("- [x] Fold ❌ 2024-02-03", "completed", None),
        ("- [?] Fold ✅ 2024-02-03", "pending", None),
        ("- [b] Fold 📅 2024-02-03", "pending", None),
        ("- [x] Fold ✅ 2024-02-03 <!-- by hand -->", "completed", "2024-02-03"),
    ],
)
def test_the_box_says_which_date_counts(line, status, ended):
    """A day of completion is of a ticked box alone; with the sign of cancelling `[-]` is cancelled."""
    task = one(line)
    assert (task.status, task.completed_at) == (status, ended)
    assert task.checked == (status == "completed")


def test_a_letter_in_a_box_is_a_reference():
    """A line that is not one of Obsidian Tasks is no task for it."""
    assert tasklist.read(["- [1] Smith et al.", "- [^1] A note"]).tasks == ()


def test_priority_due_date_and_dependencies():
    """They are what the records of other sources have; an id in the title goes before that of a field."""
    lines = [
        "- [ ] TASK-1 Draw ⏬ 🆔 dcf64c",
        "- [ ] Print [dependsOn:: dcf64c, abcdef] [priority:: high] 📅 2024-03-01",
        "- [ ] Fold 🆔 abcdef ⛔ abcdef",
        "- [ ] Show the 🆔 card ⛔ nobody",
    ]
    found = tasklist.read(lines).tasks
    assert [(task.title, task.external_id, task.depends_on) for task in found] == [
        ("TASK-1 Draw", "TASK-1", ()),
        ("Print", None, ("TASK-1", "abcdef")),
        ("Fold", "abcdef", ()),
        ("Show the 🆔 card ⛔ nobody", None, ()),
    ]
    assert [task.priority for task in found] == ["lowest", "high", None, None]
    assert [task.due_at for task in found] == [None, "2024-03-01", None, None]


PIECES = st.sampled_from(
    [
        *obsidian.SIGNS,
        "\ufe0f",
        "2024-02-03",
        "2024-02-31",
        "every day",
        "[due:: ",
        "(id:: ",
        "]",
        ")",
        "`",
        "^abc",
        "~~",
    ]
)
LINES = st.lists(PIECES | st.sampled_from(" #*\\") | st.text(max_size=3), max_size=12).map("".join)


@given(LINES)
def test_no_line_raises_and_no_title_is_emptied(line):
    """Whatever stands behind a box: a line with a title has one still, without fields that can be read."""
    words = " ".join(line.split())
    found = obsidian.read(words)
    assert set(found.text.replace(" ", "")) <= set(words.replace(" ", ""))
    assert obsidian.read(found.text).dates == {}
    for task in tasklist.read([f"- [x] {words}"]).tasks:
        assert task.title
        assert task.completed_at in (None, "2024-02-03")
    assert bool(tasklist.read([f"- [ ] {words}"]).tasks) == bool(read_title(without_comments(words)).text)


DAYS = """
SELECT t.title, CAST(coalesce(f.finished_on, CAST(f.finished_at AS DATE)) AS TEXT) AS day
FROM flow AS f JOIN tasks AS t ON t.id = f.task_id WHERE f.is_done ORDER BY t.title, day
"""


def finished(db):
    """The days on which tasks were finished by the frames, the same in time zones far apart: (title, day)."""
    found = []
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        with dashkit.open(db, timezone=zone) as d:
            found.append(
                [(row.title, row.day if isinstance(row.day, str) else None) for row in d.sql(DAYS).itertuples()]
            )
    assert found[0] == found[1]
    return found[0]


@pytest.fixture
def db(tmp_path):
    """A database of the newest version without a project."""
    return v2_1_database(tmp_path / "dash.db", projects=[])


@pytest.fixture
def read(tmp_path, db):
    """Commit a list on a day and read it, with all that was committed and not read before; the summary."""
    folder = repository(tmp_path / "shed")

    def read(day, *lines, ingest=True):
        text = "# Shed\n\n" + "\n".join(f"- {line}" for line in lines) + "\n"
        commit(folder, files={"TODO.md": text}, GIT_COMMITTER_DATE=f"2024-{day}T10:00:00Z")
        return ingest_tasks([folder / "TODO.md"], "Shed", db) if ingest else None

    return read


def test_a_day_of_completion_goes_before_the_commit(db, read):
    """Of what was open before, on its day in every time zone; what has no day is of its commit."""
    read("02-01", "[ ] Draw", "[ ] Print ➕ 2024-01-30", "[ ] Fold", ingest=False)
    read("02-10", "[x] Draw ✅ 2024-02-03", "[x] Print ➕ 2024-01-30 ✅ 2024-02-10", "[x] Fold")
    assert finished(db) == [("Draw", "2024-02-03"), ("Fold", "2024-02-10"), ("Print", "2024-02-10")]
    done = "SELECT t.title, on_day FROM task_events JOIN tasks AS t ON id = task_id WHERE op = 'update' ORDER BY 1"
    assert query(db, done) == [
        ("Draw", "2024-02-03"),
        ("Fold", None),
        ("Print", "2024-02-10"),
    ]
    assert query(db, "SELECT created_at FROM tasks WHERE title = 'Print'") == [("2024-01-30",)]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_day_before_the_task_was_seen_open_counts_too(db, read, at_once):
    """A list that is older than its first commit: what was done before it is so, whatever the first commit showed."""
    read("02-10", "[ ] Draw", "[/] Print", "[x] Fold ✅ 2024-02-02", ingest=not at_once)
    read("02-17", "[x] Draw ✅ 2024-02-03", "[x] Print ✅ 2024-02-04", "[x] Fold ✅ 2024-02-02")
    days = {"Draw": "2024-02-03", "Fold": "2024-02-02", "Print": "2024-02-04"}
    assert finished(db) == [*days.items()]
    assert dict(query(db, "SELECT title, completed_at FROM tasks")) == days


@pytest.mark.parametrize("at_once", [True, False])
def test_a_day_before_the_task_was_reopened_does_not_count(db, read, at_once):
    """The day of an earlier completion is left in the line: the task was finished when it was ticked again."""
    read("02-01", "[ ] Draw", ingest=not at_once)
    read("02-05", "[x] Draw ✅ 2024-02-03", ingest=not at_once)
    read("02-10", "[ ] Draw ✅ 2024-02-03", ingest=not at_once)
    assert at_once or finished(db) == []
    read("02-20", "[x] Draw ✅ 2024-02-03", ingest=not at_once)
    read("02-21", "[x] Draw ✅ 2024-02-03", "[ ] Print")
    assert finished(db) == [("Draw", "2024-02-20")]


def test_a_day_after_the_commit_does_not_count(db, read):
    """A day that lies ahead says nothing of what is done already; a task is not done before it was created."""
    read("02-01", "[ ] Draw", "[ ] Print ➕ 2024-01-30", ingest=False)
    read("02-10", "[x] Draw ✅ 2024-03-01", "[x] Print ➕ 2024-01-30 ✅ 2024-01-29")
    assert finished(db) == [("Draw", "2024-02-10"), ("Print", "2024-02-10")]


def test_what_comes_as_done_has_no_known_beginning(db, read):
    """Its finish is known, and no lead time."""
    read("02-01", "[ ] Draw", ingest=False)
    read("02-10", "[ ] Draw", "[x] Print ✅ 2024-02-03", "[-] Fold ❌ 2024-02-04")
    assert finished(db) == [("Print", "2024-02-03")]
    with dashkit.open(db) as d:
        assert not d.lead_times()["is_measurable"].any()
    events = "SELECT op, occurred_at, on_day, said_completed_at, status FROM task_events WHERE task_id > 1"
    assert query(db, events) == [
        ("baseline", "2024-02-10T10:00:00.000Z", None, "2024-02-03", "completed"),
        ("baseline", "2024-02-04T12:00:00.000Z", "2024-02-04", None, "cancelled"),
    ]


@pytest.mark.parametrize("before", ["[x] Draw", "[x] Draw ✅ 2024-02-31", "[x] Draw ✅ 2024-02-05"])
def test_a_day_that_is_added_or_mended_later_counts(db, read, before):
    """It is a claim that is recorded when it is read; reading again adds nothing, and a user's own day stays."""
    read("02-01", "[ ] Draw")
    read("02-10", before)
    assert read("02-17", "[x] Draw ✅ 2024-02-03").changed == 1
    assert finished(db) == [("Draw", "2024-02-03")]
    assert query(db, "SELECT completed_at FROM tasks") == [("2024-02-03",)]
    was = kept(db)[1]["task_events"]
    assert read("02-17", "[x] Draw ✅ 2024-02-03").changed == 0
    assert kept(db)[1]["task_events"] == was
    read("02-17", "[x] Draw ✅ 2024-02-08")
    assert (finished(db), query(db, "SELECT completed_at FROM tasks")) == ([("Draw", "2024-02-08")], [("2024-02-08",)])
    query(db, "UPDATE tasks SET completed_at = '2024-02-02'")
    read("02-18", "[x] Draw ✅ 2024-02-04")
    assert query(db, "SELECT completed_at FROM tasks") == [("2024-02-02",)]


def test_a_task_that_moves_as_done_keeps_its_day(tmp_path, db):
    """A list of what is done, to which lines are moved: the same tasks, finished on the days that they say."""
    folder = repository(tmp_path / "shed")
    files = {"TODO.md": "- [ ] Draw\n- [ ] Print\n- [ ] Sell\n", "DONE.md": "- [x] Fold\n- [x] Cut\n- [x] Plan\n"}
    commit(folder, files=files, GIT_COMMITTER_DATE="2024-02-05T10:00:00Z")
    ingest_tasks([folder], "Shed", db)
    moved = "- [x] Draw ✅ 2024-02-07\n- [x] Print ✅ 2024-02-03\n"
    files = {"TODO.md": "- [ ] Sell\n", "DONE.md": moved + files["DONE.md"]}
    commit(folder, files=files, GIT_COMMITTER_DATE="2024-02-10T10:00:00Z")
    found = ingest_tasks([folder], "Shed", db)
    assert (found.added, found.gone) == (0, 0)
    assert [day for day in finished(db) if day[1]] == [("Draw", "2024-02-07"), ("Print", "2024-02-03")]


def test_a_day_that_moves_to_a_later_one_counts(db, read):
    """The event stands on the first day that the line said, and the finish goes where the line says now."""
    read("02-01", "[ ] Draw")
    read("02-10", "[x] Draw ✅ 2024-02-03")
    assert finished(db) == [("Draw", "2024-02-03")]
    for day in ("2024-02-08", "2024-02-05", "2024-02-09"):
        read("02-17", f"[x] Draw ✅ {day}")
        assert (finished(db), query(db, "SELECT completed_at FROM tasks")) == ([("Draw", day)], [(day,)])
    with dashkit.open(db) as d:
        open_tasks = d.progress_over_time(by="day").set_index("period_on")["checked"]
        assert open_tasks.loc["2024-02-08"].item() == 0


def test_what_comes_again_and_again_is_told_apart_by_its_dates(db, read):
    """A task that is done is followed by a new one above it: each was finished on its own day."""
    line = "Water 🔁 every week 📅 2024-02-{:02}"
    rows = [f"[ ] {line.format(5)}"]
    for day in (6, 13, 20):
        read(f"02-{day - 2:02}", *rows)
        rows[:1] = [f"[ ] {line.format(day + 6)}", f"[x] {line.format(day - 1)} ✅ 2024-02-{day:02}"]
    read("02-27", *rows)
    assert finished(db) == [("Water", f"2024-02-{day:02}") for day in (6, 13, 20)]
    assert query(db, "SELECT count(*), sum(checked), group_concat(due_at) FROM tasks WHERE NOT checked OR 1") == [
        (4, 3, "2024-02-05,2024-02-12,2024-02-19,2024-02-26")
    ]


BOXES = st.sampled_from(" /-x") | st.tuples(st.just("x"), st.sampled_from([0, 1, 5]))


def lines_of(title, boxes):
    """The line of a task in each commit; its day of completion is so many days before the commit that ticked the box.

    It may be added later, and may be left in the line when the box is ticked no more, or again.
    """
    ticked, day, is_said = None, "", False
    for number, box in enumerate(boxes, 1):
        sign, before = box if isinstance(box, tuple) else (box, None)
        ticked = (ticked or number) if sign == "x" else None
        is_said = is_said and ticked is not None
        if before is not None and not is_said:
            day, is_said = f" ✅ {date(2024, 2, 3 * (ticked or 0)) - timedelta(before)}", True
        yield f"- [{sign}] {title}{day}\n"


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(BOXES, BOXES), min_size=1, max_size=5), st.data())
def test_any_split_of_a_history_with_days_is_one_run(boxes, data):
    """However the commits are split into readings, a task has one day of completion, in its row and in the frames."""
    ends = data.draw(st.sets(st.integers(1, len(boxes))))
    columns = zip(("Draw", "Print"), zip(*boxes, strict=True), strict=True)
    versions = ["".join(lines) for lines in zip(*(lines_of(*column) for column in columns), strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, stops in (("once", set()), ("often", ends)):
            db, shed = v2_1_database(Path(folder) / f"{name}.db", projects=["Shed"]), repository(Path(folder) / name)
            for number, text in enumerate(versions, 1):
                commit(shed, files={"TODO.md": text}, GIT_COMMITTER_DATE=f"2024-02-{3 * number:02}T10:00:00Z")
                if number in stops or number == len(versions):
                    ingest_tasks([shed / "TODO.md"], "Shed", db)
            rows = query(db, "SELECT title, status, checked, completed_at FROM tasks ORDER BY 1")
            found.append((rows, finished(db)))
        assert found[0] == found[1]


def as_before(db, **titles):
    """Make a database what an earlier commit left: the titles hold the fields, and nothing else knows them."""
    for title, written in titles.items():
        query(db, "UPDATE event_context SET suspended = 1")
        query(
            db,
            "UPDATE task_events SET title = ?, on_day = NULL, said_completed_at = NULL WHERE title = ?",
            written,
            title,
        )
        query(db, "UPDATE tasks SET title = ?, due_at = NULL, completed_at = NULL WHERE title = ?", written, title)
        query(db, "UPDATE event_context SET suspended = 0")
    for task, image in query(db, "SELECT task_id, image FROM task_sources"):
        told = {key: value for key, value in json.loads(image).items() if key not in ("due_at", "planned", "ended_at")}
        told["title"] = titles.get(told["title"], told["title"])
        query(
            db,
            "UPDATE task_sources SET image = ?, title_norm = ? WHERE task_id = ?",
            json.dumps(told),
            told["title"],
            task,
        )


@pytest.mark.parametrize("committed", [False, True])
def test_titles_that_hold_the_fields_carry_over(db, read, committed):
    """The same tasks, none new and none gone; their events are kept, and what follows is dated as ever."""
    lines = [
        "[x] Go ✅ 2024-02-03 ^a1b2c3",
        "[ ] Draw ➕ 2024-01-30 📅 2024-03-01",
        "[ ] Print the map [due:: 2024-03-01]",
    ]
    read("02-10", *lines, "[ ] Sell")
    before = query(db, "SELECT event_id, task_id, op, occurred_at FROM task_events")
    written = {"Go": "Go ✅ 2024-02-03 ^a1b2c3", "Draw": lines[1][4:], "Print the map": lines[2][4:]}
    as_before(db, **written)
    if committed:
        lines[1:] = ["[x] Draw ➕ 2024-01-30 📅 2024-03-01 ✅ 2024-02-12", "[x] Print the map [due:: 2024-03-01]"]
    found = read("02-17", *lines, "[ ] Sell")
    assert (found.added, found.gone) == (0, 0)
    assert query(db, "SELECT id, title, due_at FROM tasks ORDER BY id") == [
        (1, "Go", None),
        (2, "Draw", "2024-03-01"),
        (3, "Print the map", "2024-03-01"),
        (4, "Sell", None),
    ]
    assert query(db, "SELECT event_id, task_id, op, occurred_at FROM task_events")[: len(before)] == before
    assert query(db, "SELECT DISTINCT op FROM task_events WHERE op IN ('delete', 'gone')") == []
    after = (
        [("Draw", "2024-02-12")] * committed + [("Go", "2024-02-03")] + [("Print the map", "2024-02-17")] * committed
    )
    assert finished(db) == after
    assert read("02-17", *lines, "[ ] Sell").changed == 0


def test_a_user_who_deleted_such_a_task_does_not_get_it_back(db, read):
    """What was deleted under its title with the fields stays deleted under the title without them."""
    read("02-10", "[ ] Draw 📅 2024-03-01", "[ ] Sell")
    as_before(db, Draw="Draw 📅 2024-03-01")
    query(db, "DELETE FROM tasks WHERE title LIKE 'Draw%'")
    assert read("02-17", "[ ] Draw 📅 2024-03-01", "[ ] Sell").added == 0


def test_a_user_s_own_due_date_stays(db, read):
    """The file's one is reported, as with every other value."""
    read("02-10", "[ ] Draw 📅 2024-03-01")
    query(db, "UPDATE tasks SET due_at = '2024-04-01'")
    notes = read("02-17", "[ ] Draw 📅 2024-03-02").notes
    assert query(db, "SELECT due_at FROM tasks") == [("2024-04-01",)]
    assert any("due date" in note for note in notes)


def test_what_cannot_be_read_is_reported_with_its_line(tmp_path, db):
    """It stays in the title, and is dated by the commit; a database without due_at takes the rest."""
    folder = repository(tmp_path / "shed")
    commit(folder, files={"TODO.md": "- [ ] Sell\n- [x] Draw ✅ 2024-02-31\n- [ ] Print 📅 2024-03-01 ⏫\n"})
    query(db, "ALTER TABLE tasks DROP COLUMN due_at")
    for _ in range(2):
        found = ingest_tasks([folder / "TODO.md"], "Shed", db)
        assert found.changed == 0
        assert found.notes[0] == (
            f"1 date cannot be read, ✅ '2024-02-31' in {folder / 'TODO.md'}, line 2: this event has no date of its own"
        )
    assert query(db, "SELECT title, priority FROM tasks") == [
        ("Sell", "medium"),
        ("Draw ✅ 2024-02-31", "medium"),
        ("Print", "high"),
    ]
