"""The closed vocabularies: the words that a column may hold."""

from typing import Literal, get_args

Status = Literal["pending", "in_progress", "review", "blocked", "completed", "cancelled"]
Complexity = Literal["S", "M", "L", "XL"]
LinkType = Literal["explicit", "inferred", "manual"]

STATUSES: tuple[str, ...] = get_args(Status)
COMPLEXITIES: tuple[str, ...] = get_args(Complexity)
LINK_TYPES: tuple[str, ...] = get_args(LinkType)
SIZE_WEIGHTS = {"S": 1, "M": 2, "L": 3, "XL": 5}
UNSIZED = "M"  # a task without a size counts as one of this size
