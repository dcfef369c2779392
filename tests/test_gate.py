"""The commands that run these tests: what they leave out, and that nothing is left out unsaid."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SILENT = """
import subprocess, sys
import pytest

def start():
    subprocess.run([sys.executable, "-c", "", "ipykernel_launcher"], check=True)

@pytest.fixture(scope="module")
def made():
    start()

def test_silent():
    start()

def test_silent_by_a_fixture(made):
    pass

@pytest.mark.kernel
def test_marked():
    start()
"""


def test_quick_leaves_out_every_marker():
    """`make quick` leaves out what has any of the markers that pyproject.toml tells."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["markers"]
    names = " or ".join(marker.partition(":")[0] for marker in told)
    assert f'quick: .venv/installed\n\t$(PYTEST) -m "not ({names})"\n' in (ROOT / "Makefile").read_text("utf-8")


def test_a_test_that_starts_a_kernel_says_so(tmp_path):
    """One that does not fails, whether it starts the kernel itself or by a fixture."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(SILENT, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "markers=kernel: x"]
    done = subprocess.run([*command, "--rootdir", tmp_path, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith("2 failed, 1 passed"), done.stdout
    assert done.stdout.count("what starts such a thing has the marker: kernel") >= 2
