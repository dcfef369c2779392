"""Notebooks in, pages out; and the words that a notebook has for it."""

from dashkit.reports.figures import hand_on, key_figures
from dashkit.reports.parameters import check_parameters
from dashkit.reports.verdict import require

__all__ = ["check_parameters", "hand_on", "key_figures", "require"]
