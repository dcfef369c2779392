"""The layers: who may import whom, who owns which library, and what the migration path may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dashkit

PACKAGE = Path(dashkit.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# A module may import from the rows above its own, and from its own; in one row they stand alone.
ROWS = [
    "errors version",
    "records",
    "times",
    "connection",
    "store",
    "migrations",
    "database",
    "sources",
    "linking",
    "prices",
    "ingest",
    "doctor",
    "views",
    "snapshot",
    "montecarlo",
    "frames",
    "dashboard",
    "charts",
    "verification",
    "reports",
    "scan sample",
    "cli",
    "__main__ __init__",
]
ROW = {name: number for number, row in enumerate(ROWS) for name in row.split()}
PURE = {"sources", "linking", "prices", "montecarlo", "charts"}  # they never touch the database
OWNERS = {
    "duckdb": {"snapshot"},
    "matplotlib": {"charts"},
    "msgspec": {"sources"},
    "yaml": {"sources"},
    **dict.fromkeys(("jupyter_client", "nbclient", "nbconvert", "nbformat", "papermill", "traitlets"), {"reports"}),
}
LIGHT = {"errors", "version", "records", "times", "connection", "store", "migrations", "database", "ingest", "sources"}


def room(path):
    """The first part of a module's name below dashkit."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """Every module that a file imports when it runs, anywhere in it: not those for the type checker alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for branch in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        if isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING":
            branch.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_a_row():
    """A new module says where it stands."""
    assert {room(path) for path in MODULES} <= ROW.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_upwards(path):
    """A module imports from its own room and from the rows above it, and a pure one never from the database's."""
    mine = room(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("dashkit.")} - {mine}
    assert {name for name in used if ROW.get(name, -1) >= ROW[mine]} == set()
    assert mine not in PURE or used.isdisjoint({"connection", "store"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_library_has_one_owner(path):
    """A third-party library is imported by its owner alone, and below the frames there is none."""
    used = {name.partition(".")[0] for name in imports(path)}
    assert {library for library in used & OWNERS.keys() if room(path) not in OWNERS[library]} == set()
    light = room(path) in LIGHT
    assert not light or used - sys.stdlib_module_names - {"dashkit", "msgspec", "yaml"} == set()


def test_the_migration_path_is_the_standard_library():
    """Migrating, and the command line until it needs more, load nothing but the standard library."""
    code = "import dashkit.migrations, dashkit.database, dashkit.cli, sys; dashkit.cli.parser(); print(*sys.modules)"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    bare = subprocess.run(
        [*command[:-1], "import sys; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    roots = {name.partition(".")[0] for name in set(loaded) - set(bare.stdout.split())}
    assert roots - sys.stdlib_module_names == {"dashkit"}


LIVE = [path for path in MODULES if room(path) in ("connection", "migrations", "store", "database")]
OPENERS = {
    "open",
    "read_bytes",
    "read_text",
    "write_bytes",
    "write_text",
    "rename",
    "replace",
    "copy",
    "copy2",
    "copyfile",
    "move",
}


def calls(path):
    """Every call in a file: (what it is called on, the name)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            on = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            yield on, name, ast.unparse(node)


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_live_database_is_opened_or_replaced(path):
    """No code near a live database opens, reads, copies or replaces a file: closing it would drop SQLite's locks."""
    allowed = {
        "backups.py": {"os.open"},  # the new backup, and what is synced: a folder, a partial file
        "engine.py": {"read_text"},  # the schema files of the package itself
    }
    found = set()
    for on, name, text in calls(path):
        texts = name in ("replace", "copy") and on not in ("os", "shutil") and "path" not in on.lower()
        package = name == "read_text" and text.startswith("resources.files('dashkit')")
        if name in OPENERS and not texts and not (package and "read_text" in allowed.get(path.name, ())):
            found.add(f"{on}.{name}".removeprefix("."))
    assert found <= allowed.get(path.name, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_commits_behind_our_back(path):
    """executescript commits the open transaction without a word: it is used nowhere."""
    assert "executescript" not in path.read_text("utf-8")
