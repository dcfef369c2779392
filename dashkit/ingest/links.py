"""Which commit names which task: read what is stored, link, write the difference."""

import json
import sqlite3

from dashkit import times
from dashkit.connection import Database, using
from dashkit.ingest.run import counts, run
from dashkit.linking.references import Link, Named, Said, link
from dashkit.records import IngestSummary
from dashkit.store import explicit, git

AMBIGUOUS = "ids in commit messages that may mean several tasks"


def link_commits(db: Database = None) -> IngestSummary:
    """Link the commits of every project with the tasks that they name, in one transaction.

    A link made or removed by hand is never overridden. A second run changes no link.

    Returns:
        The summary: `added` links, `gone` explicit links that no text names any more, `left_out` ids that may mean
        several tasks, which are not guessed, `total` the links by name or by hand that there are now.

    Raises:
        RefusedError: the database is older than version 2.1, or no Dashboard.
    """
    now = times.to_text(times.utc_now())
    added = gone = ambiguous = total = 0
    with run(db, "link") as this, using(db, write=True) as conn:
        git.require(conn)
        rejected = explicit.rejected(conn)
        for project_id in explicit.projects(conn):
            links, unclear = _of_project(conn, project_id)
            wanted = {(one.task_id, one.sha): one.evidence for one in links if (one.task_id, one.sha) not in rejected}
            there = explicit.existing(conn, project_id, "explicit")
            manual = explicit.existing(conn, project_id, "manual")
            new = {pair: evidence for pair, evidence in wanted.items() if pair not in there and pair not in manual}
            explicit.write(conn, new.items(), now)
            explicit.remove(conn, there - wanted.keys())
            added, gone, ambiguous = added + len(new), gone + len(there - wanted.keys()), ambiguous + len(unclear)
            total += len(wanted.keys() | manual)
        unclear_by = {AMBIGUOUS: ambiguous} if ambiguous else {}
        summary = IngestSummary("links", added, left_out_by=unclear_by, gone=gone, total=total)
        this.end(conn, counts(summary))
    return summary


def _of_project(conn: sqlite3.Connection, project_id: int) -> tuple[list[Link], list[object]]:
    rows = explicit.named_tasks(conn, project_id)
    # Where no task has an id of its own, people write the number that it has here: TASK-12.
    numbered = not any(external_id for _, external_id, *_ in rows)
    tasks = [
        Named(
            task_id, (external_id or f"TASK-{task_id}", *json.loads(former)), source, created_at, completed_at, gone_at
        )
        for task_id, external_id, source, created_at, completed_at, gone_at, former in rows
        if external_id or numbered
    ]
    said = [Said(sha, at, message) for sha, at, message in explicit.messages(conn, project_id)]
    home = next(iter(explicit.remotes(conn, project_id)), "")
    links, unclear = link(tasks, said, home, explicit.id_patterns(conn, project_id))
    return links, list(unclear)
