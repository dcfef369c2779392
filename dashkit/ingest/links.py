"""Which commit names which task: load what is stored, link, and write the difference."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from dashkit import times
from dashkit.connection import Database, using
from dashkit.errors import UsageError
from dashkit.ingest.run_log import counts, run
from dashkit.linking.bearers import Bearers, Link, Named, Said
from dashkit.linking.ids import pattern
from dashkit.linking.spellings import RULES
from dashkit.records import IngestSummary
from dashkit.store import checkpoints, git, links, settings
from dashkit.store.checkpoints import Checkpoint
from dashkit.store.links import Pair

AMBIGUOUS = "ids in commit messages that may mean several tasks"


class _Done(NamedTuple):
    """What linking one project did: links added, changed and removed, the links there are now, and unclear ids."""

    added: int
    changed: int
    gone: int
    total: int
    unclear: int


def link_commits(db: Database = None) -> IngestSummary:
    """Link the commits of every project with the tasks that they name, in one transaction.

    It never changes a link that a person or another program made, and never makes one that a person removed. A second
    run changes no link; as long as the names of tasks, the patterns of ids and the rejections stay as they are, it
    reads only new commits.

    Returns:
        The summary: `added` links; `changed` links, which have other evidence now; `gone` links, because no message
        makes them any more; `left_out` ids that may mean several tasks and are not guessed; `total` links by name or by
        hand that there are now; `notes` name the patterns of ids that were refused.

    Raises:
        RefusedError: the database is older than version 2.1, or no Dashboard.
    """
    now = times.to_text(times.utc_now())
    with run(db, "link") as this, using(db, write=True) as conn:
        git.require(conn)
        linked = git.projects(conn)
        done = [_link_project(conn, project_id, now) for project_id in linked]
        added, changed, gone, total, unclear = map(sum, zip(_Done(0, 0, 0, 0, 0), *done, strict=True))
        unclear_by = {AMBIGUOUS: unclear} if unclear else {}
        notes = tuple(map(str, refused_patterns(conn)))
        summary = IngestSummary(
            "links",
            added,
            left_out_by=unclear_by,
            notes=notes,
            project_id=linked[0] if len(linked) == 1 else None,
            changed=changed,
            gone=gone,
            total=total,
        )
        this.end(conn, counts(summary))
    return summary


def refused_patterns(conn: sqlite3.Connection) -> list[UsageError]:
    """Why each stored pattern of ids (setting `id_pattern`) that cannot be used is refused; linking goes on without it.

    `dashkit config` refuses such patterns, so another program stored them.
    """
    return [refusal for scope, written in settings.id_patterns(conn).items() for refusal in _usable(scope, written)[1]]


def _usable(scope: str, written: tuple[str, ...]) -> tuple[list[str], list[UsageError]]:
    """The patterns of a scope that can be used, and why each of the others cannot."""
    good, refused = [], []
    for each in written:
        try:
            good.append(pattern(each).written)
        except UsageError as error:
            whose = f"project {scope}" if scope else "all projects"
            refused.append(UsageError(f"{error.what} of {whose}", error.why, error.remedy, scope=scope, pattern=each))
    return good, refused


def _link_project(conn: sqlite3.Connection, project_id: int, now: str) -> _Done:
    tasks = _bearers(conn, project_id)
    rejected, there = links.rejected(conn, project_id), links.certain(conn, project_id)
    digest = sha256(json.dumps([tasks.digest(), sorted(rejected)]).encode()).hexdigest()
    key = checkpoints.of_links(project_id)
    last = checkpoints.load(conn, key) or Checkpoint()
    extent, read = git.extent(conn, project_id, last.read.upto)
    # Where nothing has changed since the last linking but that commits came, these alone are read.
    goes_on = (last.digest, last.links, last.read) == (digest, len(there), read)
    after, unclear_before = (read.upto, last.unclear) if goes_on else (0, 0)
    found, unclear = tasks.link(Said(*message) for message in git.messages(conn, project_id, after))
    new, gone = _difference(found, there, rejected)
    gone = set() if goes_on else gone
    links.save_explicit(conn, new.items(), now)
    links.remove_explicit(conn, gone)
    added = len(new.keys() - there.keys())
    done = Checkpoint(
        digest=digest, read=extent, links=len(there) + added - len(gone), unclear=unclear_before + len(unclear)
    )
    if done != last:
        checkpoints.save(conn, key, done, now)
    return _Done(added, len(new) - added, len(gone), done.links, done.unclear)


def _difference(
    found: Iterable[Link], there: Mapping[Pair, Any], rejected: Collection[Pair]
) -> tuple[dict[Pair, dict[str, Any]], set[Pair]]:
    """The links that are to be written, with their evidence, and those that no message makes any more.

    Args:
        found: the links that the messages make.
        there: the links by name or by hand that are stored, with their evidence.
        rejected: the pairs that a person has unlinked.
    """
    wanted = {pair: one.evidence for one in found if (pair := (one.task_id, one.sha)) not in rejected}
    ours = {pair: evidence for pair, evidence in there.items() if _is_ours(evidence)}
    new = {
        pair: evidence for pair, evidence in wanted.items() if pair not in there or evidence != ours.get(pair, evidence)
    }
    return new, ours.keys() - wanted.keys()


def _is_ours(evidence: Any) -> bool:
    """Whether a rule of this package made a link, and no other program."""
    return isinstance(evidence, dict) and evidence.get("rule") in RULES


def _bearers(conn: sqlite3.Connection, project_id: int) -> Bearers:
    patterns = settings.id_patterns(conn)
    own = str(project_id) if str(project_id) in patterns else ""
    home = next(iter(git.remotes(conn, project_id)), "")
    return Bearers(_named(conn, project_id), home, _usable(own, patterns.get(own, ()))[0])


def _named(conn: sqlite3.Connection, project_id: int) -> Iterator[Named]:
    """The tasks with their names; a task without an id of its own is named by the number of its row."""
    for row in links.named_tasks(conn, project_id):
        external_id, former = row.pop("external_id"), json.loads(row.pop("former_ids") or "[]")
        numbered_at = row.pop("numbered_at")
        ids = tuple(map(str, [external_id, *former] if external_id else former))
        yield Named(**row, ids=ids, numbered_at=None if external_id else numbered_at)
