"""Real task lists of the world: read, migrated, verified, rolled back."""

import shutil
from pathlib import Path

import pytest
from builders import query, v2_1_database
from content import kept
from repositories import commit, repository

from dashkit import database, migrations
from dashkit.cli import main
from dashkit.ingest.tasks import ingest_tasks
from dashkit.verification import verify_migration

LISTS = Path(__file__).parents[2] / "shared" / "data" / "tasklists"
# As its README counts them, the legend left out: tasks, and how many are checked.
COUNTS = {
    "citus-django-infra": (958, 39),
    "compliance-core": (29, 0),
    "dev-intelligence": (573, 6),
    "grimhold": (31, 0),
    "next-generation": (227, 0),
    "topology-first-cad": (25, 5),
    "universal-agent-framework": (30, 1),
}
PER_PROJECT = (
    "SELECT p.name, count(*), sum(t.checked) FROM tasks AS t JOIN projects AS p ON p.id = t.project_id GROUP BY 1"
)
pytestmark = pytest.mark.skipif(
    not LISTS.is_dir(), reason="the real task lists are not on this machine (../shared/data/tasklists)"
)


@pytest.fixture(params=["a folder", "a repository"])
def lists(request, tmp_path):
    """The seven files in a folder that git knows, or does not."""
    files = {f"{name}.md": (LISTS / f"{name}.md").read_bytes() for name in COUNTS}
    folder = repository(tmp_path / "lists")
    commit(folder, files=files)
    if request.param == "a folder":
        shutil.rmtree(folder / ".git")
    return folder


@pytest.mark.slow
def test_real_task_lists_are_read_as_they_are_counted(tmp_path, lists):
    """Each file, and all in one folder, give the tasks that the README counts; a second reading changes nothing."""
    assert {file.stem for file in LISTS.glob("*.md")} == {*COUNTS, "README"}
    db = v2_1_database(tmp_path / "dash.db", projects=[])
    readings = [(lists, "All"), *((lists / f"{name}.md", name) for name in COUNTS)]
    for path, project in readings:
        assert main(["ingest", "tasks", str(path), "--project", project, "--db", str(db)]) == 0
    found = {name: tuple(counts) for name, *counts in query(db, PER_PROJECT)}
    assert found == COUNTS | {"All": (1873, 51)}
    legends = "SELECT details ->> '$.left_out_by.legend' AS lines FROM runs WHERE lines > 0"
    assert query(db, legends) == [(4,), (4,)]
    before = kept(db)
    for path, project in readings:
        assert main(["ingest", "tasks", str(path), "--project", project, "--db", str(db)]) == 0
    assert kept(db) == before


@pytest.mark.slow
def test_real_task_lists_go_through_the_whole_job(tmp_path):
    """Seven files, 1,873 tasks, 51 of them checked: a version 1 database that migrates, verifies and comes back."""
    path = tmp_path / "dash.db"
    database.init_database(path)
    for name in COUNTS:
        ingest_tasks([LISTS / f"{name}.md"], project=name, db=path)
    before = query(path, "SELECT * FROM tasks ORDER BY id")
    assert len(before) == 1873
    assert verify_migration(path, execute=True).ok
    assert query(path, "SELECT count(*) FROM tasks WHERE checked = 1")[0][0] == 51
    migrations.rollback(path)
    assert query(path, "SELECT * FROM tasks ORDER BY id") == before
