"""What the numbers do not see."""

from typing import TYPE_CHECKING, Final

from dashkit import times

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard

NAMED: Final = 20  # ids of a check


def bad_values(dashboard: "Dashboard") -> "pd.DataFrame":
    """The columns with values that are not of the column's kind: missing in every frame, and counted here.

    A word where a number belongs, a date that no calendar has, or one before 1970. Of the whole database, also where a
    project is chosen; blanks are no bad values. Empty is good.

    Columns:
        table_name (string): the table.
        column_name (string): its column.
        bad_values (Int64, values): stored values that are not of their column's kind.

    Sorted by: table_name, column_name.
    """
    return dashboard.query("bad_values")


def left_out(dashboard: "Dashboard") -> "pd.DataFrame":
    """What the other frames do not count, and why.

    Columns:
        what (string): tasks, commits, records (of task files, and files, that were never taken in) or ids (in the
            messages of commits).
        reason (string): why.
        left_out (Int64, count): how many of them no other frame counts, for this reason.

    Sorted by: what, left_out (the most first), reason; what is zero has no row.
    """
    found = dashboard.query("left_out", blanks=times.BLANKS)
    such = found.pop("example").map(lambda text: f", such as {times.quoted(text)}", na_action="ignore")
    found["reason"] += such.fillna("")
    return found


def data_quality(dashboard: "Dashboard") -> "pd.DataFrame":
    """What in the data bends the numbers, how often, and how.

    Columns:
        check (string): what was looked for.
        count (Int64, count): how often it was found; 0 is good.
        ids (string): the first 20 of them: of tasks; for links of commits and sessions, for gaps the instant at which
            they begin, for the clock of events, for task files of projects; missing where there are none.
        effect (string): what that does to the numbers.

    Sorted by: count, the most first, then check; every check has a row.

    Args:
        dashboard: where from.
    """
    return dashboard.query("data_quality", has_history=dashboard.has_history, named=NAMED)
