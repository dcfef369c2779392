"""Notebooks -> self-contained pages."""
