"""The layers: who may import whom, who owns which library, and what the migration path may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from builders import v1_database

import dashkit

PACKAGE = Path(dashkit.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
BESIDE = sorted(path for folder in ("tests", "benchmarks") for path in (PACKAGE.parent / folder).glob("*.py"))
# A module may import from the rows above its own, and from its own; in one row they stand alone.
ROWS = [
    "errors version",
    "vocabulary",
    "records",
    "texts times arguments",
    "holders",
    "connection",
    "store",
    "migrations",
    "database",
    "sources",
    "linking",
    "prices",
    "ingest",
    "doctor",
    "views results",
    "loading",
    "snapshot",
    "montecarlo",
    "frames",
    "dashboard",
    "charts",
    "verification",
    "reports",
    "scan_report",
    "sample scanning",
    "cli",
    "__main__ __init__",
]
ROW = {name: number for number, row in enumerate(ROWS) for name in row.split()}
PURE = {"sources", "linking", "prices", "montecarlo", "charts"}  # they never touch the database
OWNERS = {
    "duckdb": {"loading", "snapshot", "results"},
    "matplotlib": {"charts"},
    "msgspec": {"sources"},
    "yaml": {"sources"},
    "jupyter_client": {"reports"},
    "nbclient": {"reports"},
    "nbconvert": {"reports"},
    "nbformat": {"reports"},
    "papermill": {"reports"},
}
LIGHT = {
    *("errors", "version", "vocabulary", "records", "texts", "times", "arguments", "holders", "connection", "store"),
    *("migrations", "database"),
    *("ingest", "sources", "doctor"),
}


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


@pytest.mark.parametrize("path", BESIDE, ids=lambda path: path.stem)
def test_no_test_module_is_imported(path):
    """What tests and benchmarks share stands in a module of its own, named by what it holds: none is another test."""
    assert {name for name in imports(path) if name.startswith("test_") or ".test_" in name} == set()


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


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["--help"], {"dataclasses", "pathlib", "sqlite3", "shutil", "dashkit.times", "dashkit.connection"}),
        (["status"], {"uuid", "shutil", "hashlib", "dashkit.store.backfill", "dashkit.migrations.plans"}),
        (["task", "1"], {"shutil", "dashkit.migrations", "dashkit.ingest", "numpy"}),
    ],
)
def test_a_command_loads_what_it_needs(tmp_path, words, unused):
    """What a command does not use it does not wait for; of a database that was never migrated no digest is made."""
    path = v1_database(tmp_path / "d.db", tasks=[{}])
    given = [] if words[0].startswith("-") else ["--db", str(path)]
    code = (
        "import sys; before = {*sys.modules}\nfrom dashkit.cli import main\ntry: main(sys.argv[1:])\n"
        "except SystemExit: pass\nprint(*({*sys.modules} - before), file=sys.stderr)"
    )
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"]
    done = subprocess.run([*command, *words, *given], check=True, capture_output=True, text=True)
    assert unused & {*done.stderr.split()} == set()


LIVE = [path for path in MODULES if room(path) in ("connection", "migrations", "store", "database", "doctor")]
TOUCHES = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "rename"}
ALLOWED = {
    "backups.py": {"os.open"},  # the new backup, and folders that are synced
    "engine.py": {"resources.files.joinpath.read_text"},  # the package's own schema files
    "preflight.py": {"shutil.disk_usage"},
}


def calls(path):
    """Every call in a file by its dotted name, without the arguments on the way: `os.open`, `path.replace`."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        node, parts = call, []
        while isinstance(node, ast.Call | ast.Attribute):
            parts = [node.attr, *parts] if isinstance(node, ast.Attribute) else parts
            node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(call, ast.Call):
            yield ".".join([*([node.id] if isinstance(node, ast.Name) else []), *parts])


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_live_database_is_opened_or_replaced(path):
    """No code near a live database opens, copies or replaces a file: closing it would drop SQLite's locks."""
    touching = {name for name in calls(path) if name.rpartition(".")[2] in TOUCHES}
    moving = {name for name in calls(path) if name == "os.replace" or name.startswith("shutil.")}
    assert touching | moving <= ALLOWED.get(path.name, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_commits_behind_our_back(path):
    """No executescript anywhere: it commits the open transaction without a word."""
    assert "executescript" not in path.read_text("utf-8")
