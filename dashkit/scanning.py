"""The newcomer's command: a repository -> its tasks with their past, its commits, its links, a page."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.errors import BusyError, DashkitError, RefusedError
from dashkit.ingest import target
from dashkit.ingest.git import find_projects, ingest_git
from dashkit.ingest.links import link_commits
from dashkit.ingest.run import counts, run
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import IngestSummary
from dashkit.reports.publish import require_folder
from dashkit.sources import git as repositories
from dashkit.sources.survey import SWITCHABLE
from dashkit.store import tasks

Tell = Callable[[str, int, int], None]
MOST_LINES = 15
_NAMED = 4  # task files
_NO_FILE = "no task file was found"  # a note that the line of the tasks says already


@dataclass(frozen=True)
class Scan:
    """What a scan found and did, None where a part failed or had nothing to do; prints as at most fifteen lines.

    Args:
        root: the repository, or the folder.
        database: where it is now.
        standing: how the tasks of the project stand now.
        tasks: what came of the task files.
        git: what came of the commits.
        links: what came of the links.
        failures: what could not be done, or not to its end; the rest was.
        notes: what else a reader should know.
        page: the progress page, under the name that stays.
        seconds: how long it took.
    """

    root: Path
    database: Path
    standing: tasks.Standing
    tasks: IngestSummary | None
    git: IngestSummary | None
    links: IngestSummary | None
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    page: Path | None
    seconds: float

    def __str__(self) -> str:
        head = [f"Scanned {self.root} in {times.show_seconds(self.seconds)}", *self._tasks(), *self._commits()]
        head += [f"FAILED: {failure}" for failure in self.failures]
        end = [f"Database: {self.database}"]
        end += [f"Page: {self.page}"] if self.page else []
        end += [f"Next: {self._next()}"]
        room = MOST_LINES - len(head) - len(end)
        notes = [f"Note: {note.removeprefix(f'{self.root}: ').removeprefix(f'{self.root}/')}" for note in self.notes]
        notes = [note.replace(f" in {self.root}/", " in ") for note in notes]
        if len(notes) > room:
            notes[room - 1 :] = [f"Note: and {len(notes) - room + 1:,} more"]
        return "\n".join(line.replace("\n", "\\n") for line in (*head, *notes, *end))  # a path may hold a line break

    __repr__ = __str__

    def _tasks(self) -> Iterator[str]:
        now = self.standing
        if self.tasks:
            said = ["no task file found (a Markdown list with boxes, .beads/issues.jsonl, backlog/)"]
            if self.tasks.files:
                said = [f"{self.tasks.added:,} new, {self.tasks.changed:,} changed"]
            if now.tasks or now.gone:
                said.append(f"{now.checked:,} of {now.tasks:,} done")
            if now.gone:
                said.append(f"{now.gone:,} gone from {'its file' if now.gone == 1 else 'their files'}")
            yield f"Tasks: {'; '.join(said)}"
        if self.tasks and now.by_source:
            named = [f"{_shown(name, self.root)} ({count:,})" for name, count in now.by_source.items()]
            more = [f"and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
            past = self.tasks.versions
            read = f"; {past:,} versions read" if past > self.tasks.files else ""
            yield f"Files: {', '.join([*named[:_NAMED], *more])}{read}"
        left_out = Counter[str]()
        for part in (self.tasks, self.links):
            left_out.update(part.left_out_by if part else {})
        if left_out:
            yield f"Left out: {', '.join(f'{reason} ({count:,})' for reason, count in left_out.items())}"

    def _commits(self) -> Iterator[str]:
        if self.git:
            gone = f", {self.git.gone:,} no longer reachable" if self.git.gone else ""
            yield f"Commits: {self.git.added:,} new{gone}"
        if self.links and self.standing.tasks:
            yield f"Links: {self.links.added:,} new, {self.links.total:,} in all, from commits to tasks that they name"

    def _next(self) -> str:
        """What helps most, after what happened."""
        if self.failures:
            return "mend what FAILED and scan again; what was read stays, and is not read twice"
        if not self.standing.tasks and self.tasks and SWITCHABLE.intersection(self.tasks.left_out_by):
            return "`dashkit scan --everything` reads also what was left out; or write `- [ ] ...` in a TODO.md"
        if not self.standing.tasks and self.tasks:
            return "write tasks as `- [ ] ...` in a TODO.md, and scan again"
        if self.standing.tasks and self.links and not self.links.total:
            return "name a task in a commit message (its id, or TASK-12) to see which work belongs to it"
        page = "open the page" if self.page else "`dashkit report progress` writes the page"
        return f"{page}; `dashkit task ID` tells one task's story" if self.standing.tasks else page


def scan(
    repo: str | Path = ".",
    *,
    db: str | Path | None = None,
    out: str | Path | None = None,
    page: bool = True,
    everything: bool = False,
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
    path, pages = Path(db).expanduser() if db else root / connection.LOCAL, Path(out) if out else None
    if not db or (page and not pages):
        _make_own(root / connection.LOCAL.parent)
    if page:
        pages = pages or root / connection.LOCAL.parent / "reports"
        require_folder(pages)
    said += _make_database(path)
    with run(path, "scan") as this:
        project = this.project_id = _project(path, root, place)
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
    shown = None
    if page and pages:
        tell("writing the page", 0, 0)
        shown, failed = _write_page(path, pages)
        failures += failed
    notes = [*said, *(note for part in done.values() for note in part.notes if not _is_said(note, said))]
    seconds = (times.utc_now() - started).total_seconds()
    found, read, linked = (done.get(part) for part in ("tasks", "git", "links"))
    return Scan(root, path, standing, found, read, linked, tuple(failures), tuple(notes), shown, seconds)


def _do(steps: dict[str, Callable[[], IngestSummary]], tell: Tell) -> tuple[dict[str, IngestSummary], list[str]]:
    """What came of each part, and what failed, which stops no other part."""
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
    """The page, or why there is none."""
    from dashkit.reports.run import run_report

    try:
        report = run_report("progress", db=path, out=out)
    except DashkitError as error:
        return None, [str(error)]
    return (report.latest, []) if report.ok else (None, [f"Cannot make the page: {report.error} See {report.page}"])


def _repository(folder: Path) -> tuple[repositories.Repository | None, list[str]]:
    """The repository that a folder is in; what is to be said of it, or of there being none."""
    try:
        found = repositories.find(folder)
    except RefusedError as error:
        if any((above / ".git").exists() for above in (folder.resolve(), *folder.resolve().parents)):
            return None, [f"without git history: {error.why}. {error.remedy}"]
        below = sorted(child.name for child in folder.iterdir() if (child / ".git").exists())
        if below:
            return None, [
                f"{_count(len(below), 'git repository lies', 'git repositories lie')} in it: their tasks are read, "
                f"and no commits; `dashkit scan {shlex.quote(str(folder / below[0]))}` reads those of one"
            ]
        return None, ["without git history: it is in no git repository"]
    if found.work_tree is None:
        return found, ["it has no work tree, so there are no files: the commits alone are read"]
    return found, []


def _project(path: Path, root: Path, place: repositories.Repository | None) -> int:
    """The project of a repository: the one that has it already, else the one of its name, which is made."""
    named = place.name if place and not place.work_tree else root.name or "project"
    name = " ".join(named.encode("utf-8", "replace").decode().split())
    with connection.using(path, write=True) as conn:
        there = find_projects(conn, place) if place else []
        remedy = "Name another database with --db PATH, or use `dashkit ingest` with --project-id N."
        goal = target.by_place(conn, f"scan {root} into {path}", there, name, remedy)
        return goal.make(conn, times.to_text(times.utc_now()))


def _make_database(path: Path) -> list[str]:
    """A database where there is none, or an empty file; of two scans at once the later one waits.

    Returns:
        What is to be said of the one that is there.

    Raises:
        RefusedError: it cannot be made, or is of an older version.
    """
    _make(path.parent, "Name another database with --db PATH.")
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        migrations.create(path)
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
    return (
        [f"version {standing.version} lacks changes that came to it later; `dashkit migrate` applies them"]
        if standing.grown
        else []
    )


def _make_own(folder: Path) -> None:
    """Our own folder in somebody's repository, which git is told to leave alone."""
    if _make(folder, "Say where else to write: --db PATH --out DIR."):
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _make(folder: Path, remedy: str) -> bool:
    """Make a folder; whether it was not there.

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
    """Whether a note repeats what a line of the scan says."""
    _, _, why = note.rpartition("read without its history: ")
    return note.startswith(_NO_FILE) or (why != note and any(why in line for line in said))


def _shown(source: str, root: Path) -> str:
    """A task file by its path in what is scanned, in git or not."""
    return source.removeprefix(f"{root}/")


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
