"""The first command of a newcomer: from a repository to its tasks with their past, its commits, its links, a page."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.errors import BusyError, DashkitError, RefusedError
from dashkit.ingest import rehearsal, target
from dashkit.ingest.git import find_projects, ingest_git
from dashkit.ingest.links import link_commits
from dashkit.ingest.run_log import counts, run
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import IngestSummary
from dashkit.reports.publish import require_folder
from dashkit.scan_report import Scan, count
from dashkit.sources import git as repositories
from dashkit.store import tasks

Tell = Callable[[str, int, int], None]
_NO_FILE = "no task file was found"  # a note that the line of the tasks says already


def scan(
    repo: str | Path = ".",
    *,
    db: str | Path | None = None,
    out: str | Path | None = None,
    page: bool = True,
    everything: bool = False,
    dry_run: bool = False,
    tell: Tell = lambda _stage, _done, _total: None,
) -> Scan:
    """Find what a repository holds, bring what is new into its database, and write the progress page.

    A part that fails stops no other one.

    Args:
        repo: a folder; inside a git repository, the root of its work tree is scanned; of a bare one the commits alone.
        db: the database (else REPO/.dashkit/dashboard.db, made if it is not there).
        out: where the page goes (else REPO/.dashkit/reports).
        page: write the page.
        everything: no rule leaves out a file for its name or its few boxes, or a record.
        dry_run: do all of it on a private copy of the database, or on a new one where there is none, which is thrown
            away; nothing is written, and no page is made.
        tell: hears what is being done, and of commits how many of how many are.

    Raises:
        RefusedError: no such folder, nothing can be written there, or the database is of an older version: migrate it
            first. Nothing was read.
        BusyError: another program writes to the database; nothing was read.
    """
    started = times.utc_now()
    folder = Path(repo).expanduser()
    if not folder.is_dir():
        why = "it is no folder" if folder.exists() else "there is no such folder"
        raise RefusedError(f"Cannot scan {folder}", why, "Name the folder of a repository.", path=folder)
    place, said = _repository(folder)
    root = folder.resolve() if place is None else place.work_tree or place.path
    goal = _goal(root, db, out, page=page)
    if not goal.is_new:
        said += _require_ready(goal.database)
    with _database(goal, dry_run=dry_run) as path:
        done, failures, standing = _read(path, goal, place, tell, everything=everything)
    shown = None
    if goal.pages and not dry_run:
        tell("writing the page", 0, 0)
        shown, failed = _write_page(goal.database, goal.pages)
        failures += failed
    notes = [*said, *(note for part in done.values() for note in part.notes if not _is_said(note, said))]
    return Scan(
        root=root,
        database=goal.database,
        standing=standing,
        tasks=done.get("tasks"),
        git=done.get("git"),
        links=done.get("links"),
        failures=tuple(failures),
        notes=tuple(notes),
        page=shown,
        seconds=(times.utc_now() - started).total_seconds(),
        dry_run=dry_run,
        is_new=goal.is_new,
    )


@dataclass(frozen=True)
class _Goal:
    """Where a scan writes.

    Args:
        root: what is scanned.
        database: the database.
        is_new: there is none yet.
        pages: the folder of pages; None: no page is made.
        own: the folder that dashkit makes in what is scanned; None: it makes none.
    """

    root: Path
    database: Path
    is_new: bool
    pages: Path | None
    own: Path | None


def _goal(root: Path, db: str | Path | None, out: str | Path | None, *, page: bool) -> _Goal:
    own = root / connection.LOCAL.parent
    database = Path(db).expanduser() if db else root / connection.LOCAL
    pages = Path(out) if out else own / "reports"
    return _Goal(
        root=root,
        database=database,
        is_new=_is_missing(database),
        pages=pages if page else None,
        own=own if not db or (page and not out) else None,
    )


def _database(goal: _Goal, *, dry_run: bool) -> AbstractContextManager[Path]:
    """The database that is written: in a dry run one that is thrown away."""
    if not dry_run:
        return _made(goal)
    return rehearsal.created() if goal.is_new else rehearsal.copied(goal.database)


@contextmanager
def _made(goal: _Goal) -> Iterator[Path]:
    """The database itself, which is made where there is none, as are the folders.

    Raises:
        RefusedError: they cannot be made.
    """
    if goal.own:
        _make_own(goal.own)
    if goal.pages:
        require_folder(goal.pages)
    _make(goal.database.parent, "Name another database with --db PATH.")
    if _is_missing(goal.database):  # of two scans at once the later one waits
        migrations.create(goal.database)
    yield goal.database


def _read(
    path: Path, goal: _Goal, place: repositories.Repository | None, tell: Tell, *, everything: bool
) -> tuple[dict[str, IngestSummary], list[str], tasks.Standing]:
    """What came of each part, what failed, and how the tasks stand then."""
    root = goal.root
    with run(path, "scan") as this:
        project = this.project_id = _project(path, goal, place)
        steps: dict[str, Callable[[], IngestSummary]] = {}
        if place is None or place.work_tree:
            steps["tasks"] = lambda: ingest_tasks([root], db=path, project_id=project, everything=everything)
        if place:
            steps["git"] = lambda: ingest_git(
                [root], db=path, project_id=project, tell=lambda done, total: tell("reading git", done, total)
            )
            steps["links"] = lambda: link_commits(path)
        done, failures = _do(steps, tell)
        with connection.using(path, write=True) as conn:
            standing = tasks.standing(conn, project)
            this.end(conn, {part: counts(summary) for part, summary in done.items()})
    return done, failures, standing


def _do(steps: dict[str, Callable[[], IngestSummary]], tell: Tell) -> tuple[dict[str, IngestSummary], list[str]]:
    """Do each part: what came of it, and what failed. A part that fails stops no other one."""
    done: dict[str, IngestSummary] = {}
    failures: list[str] = []
    for part, step in steps.items():
        tell("linking" if part == "links" else f"reading {part}", 0, 0)
        try:
            done[part] = step()
        except DashkitError as error:
            if isinstance(error, BusyError) and not (done or failures):
                raise
            failures.append(str(error))
    return done, failures


def _write_page(path: Path, out: Path) -> tuple[Path | None, list[str]]:
    """Write the page: where it is, or why there is none."""
    from dashkit.reports.run import run_report

    try:
        report = run_report("progress", db=path, out=out)
    except DashkitError as error:
        return None, [str(error)]
    return (report.latest, []) if report.ok else (None, [f"Cannot make the page: {report.error} See {report.page}"])


def _repository(folder: Path) -> tuple[repositories.Repository | None, list[str]]:
    """The repository that a folder is in, or None; and what the user should know about it."""
    try:
        found = repositories.find(folder)
    except RefusedError as error:
        if any((above / ".git").exists() for above in (folder.resolve(), *folder.resolve().parents)):
            return None, [f"without git history: {error.why}. {error.remedy}"]
        below = sorted(child.name for child in folder.iterdir() if (child / ".git").exists())
        if below:
            return None, [
                f"{count(len(below), 'git repository lies', 'git repositories lie')} in it: their tasks are read, "
                f"and no commits; `dashkit scan {shlex.quote(str(folder / below[0]))}` reads those of one"
            ]
        return None, ["without git history: it is in no git repository"]
    if found.work_tree is None:
        return found, ["it has no work tree, so there are no files: the commits alone are read"]
    return found, []


def _project(path: Path, goal: _Goal, place: repositories.Repository | None) -> int:
    """The project of a repository: the one that has it already, else the one of its name, which is made."""
    named = place.name if place and not place.work_tree else goal.root.name or "project"
    name = " ".join(named.encode("utf-8", "replace").decode().split())
    with connection.using(path, write=True) as conn:
        there = find_projects(conn, place) if place else []
        remedy = "Name another database with --db PATH, or use `dashkit ingest` with --project-id N."
        chosen = target.by_place(conn, f"scan {goal.root} into {goal.database}", there, name, remedy)
        return chosen.make(conn, times.to_text(times.utc_now()))


def _is_missing(path: Path) -> bool:
    """Whether there is no database: nothing is there, or an empty file."""
    return not path.exists() or (path.is_file() and not path.stat().st_size)


def _require_ready(path: Path) -> list[str]:
    """Refuse a database of an older version; else what the user should know about it.

    Raises:
        RefusedError: it is of an older version, or no Dashboard.
    """
    standing = migrations.status(path)
    if not standing.serves:
        newest = migrations.VERSIONS[-1].number
        lacks = f"something of version {newest} is missing or in the way"
        remedy = "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`."
        raise RefusedError(
            f"Cannot scan into {path}",
            lacks if standing.version == newest else f"it is at version {standing.version}, and a scan needs {newest}",
            "Something is in the way of that: `dashkit doctor` says what to do." if standing.obstacles else remedy,
            path=path,
        )
    if not standing.grown:
        return []
    return [f"version {standing.version} lacks changes that came to it later; `dashkit migrate` applies them"]


def _make_own(folder: Path) -> None:
    """Make the folder of dashkit in somebody's repository; a `.gitignore` in it tells git to leave it alone."""
    if _make(folder, "Say where else to write: --db PATH --out DIR."):
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _make(folder: Path, remedy: str) -> bool:
    """Make a folder, and say whether it is new.

    Raises:
        RefusedError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        if folder.is_dir():
            return False
        why = (error.strerror or str(error)).lower()
        raise RefusedError(f"Cannot make the folder {folder}", why, remedy, path=folder) from error
    return True


def _is_said(note: str, said: Iterable[str]) -> bool:
    """Whether another line of the report says the same as a note."""
    _, _, why = note.rpartition("read without its history: ")
    return note.startswith(_NO_FILE) or (why != note and any(why in line for line in said))
