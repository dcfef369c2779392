"""Notebooks in, pages out; and the three words that a notebook has for it."""

from dashkit.reports.figures import key_figures
from dashkit.reports.parameters import check_parameters
from dashkit.reports.verdict import require

__all__ = ["check_parameters", "key_figures", "require"]
