"""Notebooks in, pages out."""
