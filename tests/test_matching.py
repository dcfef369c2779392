"""Identity: which task of a new reading is which known one."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashkit.ingest.matching import match
from dashkit.records import Task


def task(text, *headings, external_id=None, created_at=None, status="pending"):
    """A task by its title and headings."""
    return Task(text, status, headings=headings, external_id=external_id, created_at=created_at)


def pairs(known, found, gone=()):
    """(known title, found title) of every task that was found; None for a new one."""
    return [(one.title if one else None, new.title) for one, new in zip(match(known, gone, found), found, strict=True)]


def test_the_same_list_again_is_the_same_tasks():
    """Nothing changed: each is itself, equal titles in their order."""
    known = [task("Test", "A"), task("Test", "A"), task("Test", "B"), task("Ship", "B")]
    assert match(known, [], list(known)) == known
    assert [id(one) for one in match(known, [], list(known))] == [id(one) for one in known]


def test_case_and_space_change_nothing():
    """A title is compared without case and white space."""
    assert pairs([task("Write the Guide")], [task("write  the guide")]) == [("Write the Guide", "write  the guide")]


def test_a_task_moves_anywhere_in_the_file():
    """The same title under another heading is the same task, before any like text is tried."""
    known = [task("Write the guide", "Now"), task("Write the guides", "Later")]
    found = [task("Write the guides", "Now"), task("Write the guide", "Later")]
    assert pairs(known, found) == [("Write the guides", "Write the guides"), ("Write the guide", "Write the guide")]


def test_a_renamed_task_is_the_nearest_under_its_heading():
    """A changed title stays the same task under the same heading; an unlike one is a new task."""
    known = [task("Write the user guide", "Docs"), task("Buy nails", "Docs")]
    found = [task("Paint the shed", "Docs"), task("Write the short user guide", "Docs")]
    assert pairs(known, found) == [
        (None, "Paint the shed"),
        ("Write the user guide", "Write the short user guide"),
    ]
    assert pairs(known, [task("Write the short user guide", "Other")]) == [(None, "Write the short user guide")]


def test_of_two_equal_titles_the_one_under_the_same_heading():
    """Equal titles are told apart by their heading, then by their order."""
    one, two = task("Test", "Build"), task("Test", "Ship")
    assert match([one, two], [], [task("Test", "Ship"), task("Test", "Build")]) == [two, one]
    matched = match([one, two], [], [task("Test", "Ship")])
    assert matched[0] is two


def test_equal_titles_that_change_places_keep_their_status():
    """Where the statuses are those of before the titles have but changed places; where not, their order counts."""
    one, two, three = task("Test", "A", status="completed"), task("Test", "A"), task("Test", "A")
    assert match([one, two, three], [], [two, three, one]) == [two, three, one]
    done = task("Test", "A", status="completed")
    matched = match([one, two, three], [], [one, done, three])
    assert [id(found) for found in matched] == [id(one), id(two), id(three)]


def test_an_id_beats_every_text():
    """A task with an id keeps it through any rename and move, and two ids are never one task."""
    known = [task("T1 Write", "A", external_id="T1"), task("T2 Test", "A", external_id="T2")]
    found = [task("T2 Write", "B", external_id="T2"), task("T3 Write", "A", external_id="T3")]
    assert pairs(known, found) == [("T2 Test", "T2 Write"), (None, "T3 Write")]


def test_an_id_that_is_added_or_dropped_keeps_the_task():
    """With the same title or a like one a task without an id is the one with it."""
    assert pairs([task("Write the guide")], [task("T1 Write the guide", external_id="T1")])[0][0] == "Write the guide"
    assert pairs([task("T1 Write the guide", external_id="T1")], [task("Write the guide")])[0][0] is not None


def test_of_an_id_that_stands_twice_the_known_title_is_meant():
    """Two tasks with one id: the one with the known title is the known one, wherever it stands."""
    known = [task("T1 Write", external_id="T1")]
    found = [task("T1 Paint the shed", external_id="T1"), task("T1 Write", external_id="T1")]
    assert pairs(known, found) == [(None, "T1 Paint the shed"), ("T1 Write", "T1 Write")]


def test_a_gone_task_comes_back_by_its_title_but_is_no_new_name():
    """What was gone returns by an equal title; a like text is a new task."""
    gone = [task("Write the guide", "Docs")]
    assert pairs([], [task("Write the guide", "Else")], gone)[0][0] == "Write the guide"
    assert pairs([], [task("Write the guides", "Docs")], gone)[0][0] is None


def test_an_id_that_is_given_again_is_another_task():
    """A gone id with another title is a new task, with the same time of creation it is the old one."""
    gone = [task("Write the guide", external_id="bd-1", created_at="2026-01-01T00:00:00.000Z")]
    again = task("Paint", external_id="bd-1", created_at="2026-01-01T00:00:00.000Z")
    assert match([], gone, [task("Paint", external_id="bd-1")]) == [None]
    assert match([], gone, [again]) == gone
    assert match(gone, [], [task("Paint", external_id="bd-1", created_at="2026-02-01T00:00:00.000Z")]) == [None]
    assert match(gone, [], [task("Paint", external_id="bd-1")]) == gone


titles = st.lists(st.sampled_from(["a", "b", "Write the guide", "Write the guides", "T1 x"]), max_size=8)


@given(titles, titles, titles)
def test_no_task_is_two(live, gone, found):
    """Each known task is found once at most, and every equal title that can be is matched."""
    known, away = [task(title) for title in live], [task(title) for title in gone]
    matched = match(known, away, [task(title) for title in found])
    used = [id(one) for one in matched if one is not None]
    assert len(used) == len(set(used))
    for title in set(found):
        there = min(live.count(title) + gone.count(title), found.count(title))
        same = [one for one, new in zip(matched, found, strict=True) if one and one.title == new == title]
        assert len(same) == there


@given(titles, st.randoms())
def test_a_new_order_loses_nothing(live, shuffle):
    """A list that is only re-ordered has no new task."""
    found = [task(title) for title in live]
    shuffle.shuffle(found)
    assert None not in match([task(title) for title in live], [], found)


@pytest.mark.parametrize("first", [0, 1])
def test_a_new_prefix_for_many_equal_titles_takes_no_ages(first):
    """Each finds the one of its number among thousands of that title, whatever order and however few there are."""
    count = 8_000
    known = [task("Test", external_id=f"a-{number}") for number in range(count)]
    found = [task("Test", external_id=f"b-{number}") for number in reversed(range(first * count, (first + 1) * count))]
    began = time.process_time()
    matched = match(known, [], [*found, task("Ship")])
    assert time.process_time() - began < 5
    assert matched == [*(known[::-1] if first == 0 else [None] * count), None]


@pytest.mark.parametrize("count", [2_000])
def test_a_list_that_is_all_new_takes_no_ages(count):
    """Beyond a number of pairs only tasks in the same place are compared."""
    word = random.Random(1)
    texts = [" ".join(word.choice(["ship", "test", "write", "paint"]) for _ in range(12)) for _ in range(2 * count)]
    started = time.process_time()
    match([task(text) for text in texts[:count]], [], [task(f"{text} now") for text in texts[count:]])
    assert time.process_time() - started < 20
