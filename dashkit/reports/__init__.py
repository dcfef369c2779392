"""Notebooks in, pages out; and the two words that a notebook has for it."""

from dashkit.reports.parameters import check_parameters
from dashkit.reports.verdict import require

__all__ = ["check_parameters", "require"]
