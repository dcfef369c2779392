"""Frame in, Picture or Table out: nothing is computed here that changes a number."""

from dashkit.charts.bars import progress_by_project, query_speed
from dashkit.charts.picture import Picture
from dashkit.charts.tables import (
    Table,
    activity_table,
    blocked_table,
    commits_table,
    left_out_table,
    no_history,
    phase_table,
    waiting_table,
)
from dashkit.charts.weeks import commits_by_period, finished_by_period

__all__ = [
    "Picture",
    "Table",
    "activity_table",
    "blocked_table",
    "commits_by_period",
    "commits_table",
    "finished_by_period",
    "left_out_table",
    "no_history",
    "phase_table",
    "progress_by_project",
    "query_speed",
    "waiting_table",
]
