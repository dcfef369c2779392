"""Frame in, Picture or Table out: nothing is computed here that changes a number."""

from dashkit.charts.answers import clusters_table, forecast_table, headlines_table
from dashkit.charts.balance import arrivals
from dashkit.charts.bars import progress_by_project, query_speed
from dashkit.charts.blocking import blocked_over_time
from dashkit.charts.burnup import burn_up
from dashkit.charts.calendar import commit_calendar
from dashkit.charts.confidence import links_table
from dashkit.charts.drawing import counted_since
from dashkit.charts.durations import ageing, time_to_finish
from dashkit.charts.flow import cumulative_flow
from dashkit.charts.kept import past_forecast
from dashkit.charts.moves import what_moved
from dashkit.charts.picture import Picture
from dashkit.charts.projects import projects
from dashkit.charts.quality import bad_values_table, quality_table
from dashkit.charts.share import progress_over_time
from dashkit.charts.strip import task_strip
from dashkit.charts.tables import (
    Table,
    activity_table,
    blocked_table,
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
    "ageing",
    "arrivals",
    "bad_values_table",
    "blocked_over_time",
    "blocked_table",
    "burn_up",
    "clusters_table",
    "commit_calendar",
    "commits_by_period",
    "counted_since",
    "cumulative_flow",
    "finished_by_period",
    "forecast_table",
    "headlines_table",
    "left_out_table",
    "links_table",
    "no_history",
    "past_forecast",
    "phase_table",
    "progress_by_project",
    "progress_over_time",
    "projects",
    "quality_table",
    "query_speed",
    "task_strip",
    "time_to_finish",
    "waiting_table",
    "what_moved",
]
