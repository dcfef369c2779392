"""What the numbers do not see."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dashkit.dashboard import Dashboard


def bad_values(dashboard: "Dashboard") -> "pd.DataFrame":
    """The columns with values that are not of the column's kind: missing in every frame, and counted here.

    A word where a number belongs, a date that no calendar has. Of the whole database, also where a project is
    chosen; blanks are no bad values. Empty is good.

    Columns:
        table_name (string): the table.
        column_name (string): its column.
        bad_values (Int64, values): how many.

    Sorted by: table_name, column_name.
    """
    return dashboard.query("bad_values")
