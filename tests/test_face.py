"""The face of the package: what is announced is what is there, and importing it costs nothing."""

import subprocess
import sys

import dashkit

HEAVY = {"duckdb", "matplotlib", "nbclient", "nbconvert", "nbformat", "numpy", "pandas", "papermill"}


def test_all_is_sorted_and_visible():
    """Every name of __all__ is there, they are sorted, and a person sees these and no others."""
    assert list(dashkit.__all__) == sorted(dashkit.__all__)
    assert len(set(dashkit.__all__)) == len(dashkit.__all__)
    modules = {name for name in vars(dashkit) if f"dashkit.{name}" in sys.modules}
    assert {name for name in dir(dashkit) if not name.startswith("__")} - modules <= set(dashkit.__all__)
    assert {name for name in vars(dashkit) if not name.startswith("_")} - modules <= {
        *dashkit.__all__,
        "TYPE_CHECKING",
        "Any",
    }
    assert [name for name in dashkit.__all__ if getattr(dashkit, name, None) is None] == []


def test_every_public_function_has_a_docstring():
    """What users meet explains itself."""
    assert [
        name for name in dashkit.__all__ if callable(getattr(dashkit, name)) and not getattr(dashkit, name).__doc__
    ] == []


def test_importing_loads_nothing_heavy():
    """After `import dashkit` no library for frames, charts or notebooks is loaded."""
    code = "import dashkit, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)
    assert "dashkit" in loaded
