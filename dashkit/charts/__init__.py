"""Frame in, Picture or table out: nothing is computed here that changes a number."""

from dashkit.charts.bars import progress_by_project, query_speed
from dashkit.charts.picture import Picture
from dashkit.charts.tables import blocked_table

__all__ = ["Picture", "blocked_table", "progress_by_project", "query_speed"]
