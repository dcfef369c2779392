"""The commands that run these tests: what they leave out, and that nothing is left out unsaid."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


SIMPLE = "def simple(x):\n    return x\n"
TANGLED = "class Knot:\n    def tangled(self, x):\n" + "        if x:\n            x -= 1\n" * 16


def complexity(root, *options):
    """Run the check of complexity on a package of one module; its exit code and lines."""
    command = [sys.executable, ROOT / ".ci" / "complexity.py", "--root", root, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def package(tmp_path):
    """A root with an empty package and an empty list of ceilings."""
    for folder in ("dashkit", ".ci"):
        (tmp_path / folder).mkdir()
    (tmp_path / ".ci" / "complexity.txt").write_text("# ceilings\n", "utf-8")
    return tmp_path


def test_a_complex_function_needs_a_ceiling_that_is_as_low_as_can_be(package):
    """A function above 15 is refused without a ceiling, above its ceiling, and where its ceiling is too high."""
    ceilings, name = package / ".ci" / "complexity.txt", "dashkit/a.py Knot.tangled"
    (package / "dashkit" / "a.py").write_text(SIMPLE + TANGLED, "utf-8")
    assert complexity(package) == (1, [f"{name}: complexity 17, allowed are 15. Split it."])
    for ceiling, expected in ((16, "allowed are 16"), (17, None), (18, "its ceiling is 18, and it is 17 now")):
        ceilings.write_text(f"# ceilings\n{name} {ceiling}\n", "utf-8")
        code, lines = complexity(package)
        assert (code, len(lines)) == ((1, 1) if expected else (0, 0))
        assert not expected or expected in lines[0]


def test_ceilings_are_lowered_and_never_raised(package):
    """`--lower` takes a ceiling down to what the function is, and out where it is not needed, and adds none."""
    ceilings = package / ".ci" / "complexity.txt"
    (package / "dashkit" / "a.py").write_text(TANGLED, "utf-8")
    (package / "dashkit" / "b.py").write_text(TANGLED + SIMPLE, "utf-8")
    ceilings.write_text("dashkit/a.py Knot.tangled 20\ndashkit/b.py simple 16\ndashkit/c.py gone 30\n", "utf-8")
    code, lines = complexity(package, "--lower")
    assert (code, lines) == (1, ["dashkit/b.py Knot.tangled: complexity 17, allowed are 15. Split it."])
    assert ceilings.read_text("utf-8").splitlines()[1:] == ["dashkit/a.py Knot.tangled 17"]
