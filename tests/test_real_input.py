"""Real task lists of the world: read, migrated, verified, rolled back."""

from pathlib import Path

import pytest
from builders import query

from dashkit import database, migrations
from dashkit.ingest.tasks import ingest_tasks
from dashkit.verification import verify_migration

LISTS = Path(__file__).parents[1].parent / "shared" / "data" / "tasklists"


@pytest.mark.skipif(not LISTS.is_dir(), reason="the real task lists are not on this machine (../shared/data/tasklists)")
def test_real_task_lists_go_through_the_whole_job(tmp_path):
    """Seven files, 1,873 tasks, 51 of them checked: a version 1 database that migrates, verifies and comes back."""
    path = tmp_path / "dash.db"
    database.init_database(path)
    for file in sorted(LISTS.glob("*.md")):
        if file.name != "README.md":
            ingest_tasks([file], project=file.stem, db=path)
    before = query(path, "SELECT * FROM tasks ORDER BY id")
    assert len(before) == 1873
    assert verify_migration(path, execute=True).ok
    assert query(path, "SELECT count(*) FROM tasks WHERE checked = 1")[0][0] == 51
    migrations.rollback(path)
    assert query(path, "SELECT * FROM tasks ORDER BY id") == before
