"""Frame in, Picture out: nothing is computed here that changes a number."""

from dashkit.charts.bars import progress_by_project, query_speed
from dashkit.charts.picture import Picture

__all__ = ["Picture", "progress_by_project", "query_speed"]
