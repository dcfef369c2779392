"""The charts: the title is the finding, and it is true."""

import pandas as pd
import pytest

from dashkit import charts


def _progress(*rows):
    frame = pd.DataFrame(rows, columns=["project_id", "project", "tasks", "checked", "blocked"])
    frame["progress"] = (frame["checked"] / frame["tasks"]).astype("Float64")
    return frame


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([(1, "A", 10, 5, 0)], "50 % of 10 tasks are checked; nothing is blocked"),
        ([(1, "A", 10000, 9999, 1)], "99 % of 10,000 tasks are checked; 1 is blocked"),
        ([(1, "A", 10000, 1, 2)], "1 % of 10,000 tasks are checked; 2 are blocked"),
        ([(1, "A", 3, 3, 0)], "100 % of 3 tasks are checked; nothing is blocked"),
        ([(1, "A", 3, 0, 0)], "0 % of 3 tasks are checked; nothing is blocked"),
        ([], "There are no tasks yet"),
    ],
)
def test_the_title_of_progress_is_true(rows, title):
    """Almost all is not 100 %, more than nothing is not 0 %, and no tasks is no percentage."""
    picture = charts.progress_by_project(_progress(*rows))
    assert picture.title == title
    assert picture.alt.startswith(title)
    assert "<figure>" in picture._repr_html_()


def test_a_project_without_a_name_or_with_a_hostile_one_is_drawn():
    """Names from outside are text: no mathematics, no markup, no crash, and cut where they are long."""
    picture = charts.progress_by_project(
        _progress((1, pd.NA, 4, 1, 0), (2, "cost $5 and $\\frac$ <script>", 4, 1, 0), (3, "x" * 500, 4, 1, 0))
    )
    html = picture._repr_html_()
    assert "<script>" not in html
    assert "project 1 25 %" in picture.alt
    assert "x" * 40 not in picture.alt


def test_the_title_of_the_query_speed_counts_what_was_measured():
    """The finding says how many of the queries gain what is claimed; a slower one is drawn as such."""
    frame = pd.DataFrame(
        [
            ("a", 10, 1, 2.0, 0.1, 95.0, 90, "plan"),
            ("b", 10, 1, 2.0, 1.0, 50.0, 80, "plan"),
            ("c", 10, 1, 1.0, 1.5, -50.0, 85, "plan"),
        ],
        columns=["query", "tasks", "commits", "without_ms", "with_ms", "faster_pct", "claimed_pct", "plan"],
    )
    picture = charts.query_speed(frame)
    assert picture.title == "1 of 3 measured queries gain as much from the indexes as claimed"
    assert "50 % more time, 85 % less claimed" in picture.svg
    assert "plan" not in picture.data.columns
