"""The newcomer's command: a repository -> its tasks with their past, its commits, its links, a page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.errors import FailedError, RefusedError
from dashkit.ingest.git import ingest_git
from dashkit.ingest.links import link_commits
from dashkit.ingest.run import counts, run
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import IngestSummary
from dashkit.sources import git as repositories

Tell = Callable[[str], None]
MOST_NOTES = 4


@dataclass(frozen=True)
class Scan:
    """What a scan found and did, None where there was nothing to do; prints as at most fifteen lines.

    Args:
        root: the repository, or the folder.
        database: where it is now.
        tasks: what came of the task files.
        git: what came of the commits.
        links: what came of the links.
        failures: what could not be read to its end; the rest was.
        notes: what else a reader should know.
        page: the progress page.
        seconds: how long it took.
    """

    root: Path
    database: Path
    tasks: IngestSummary | None
    git: IngestSummary | None
    links: IngestSummary | None
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    page: Path | None
    seconds: float

    def __str__(self) -> str:
        text = [f"Scanned {self.root} in {times.show_seconds(self.seconds)}"]
        if self.tasks and self.tasks.files:
            text.append(
                f"Tasks: {self.tasks.added:,} new, {self.tasks.changed:,} changed, {self.tasks.gone:,} gone, "
                f"out of {self.tasks.files:,} files ({self.tasks.versions:,} versions read)"
            )
            if self.tasks.left_out:
                reasons = (f"{reason} ({count:,})" for reason, count in self.tasks.left_out_by.items())
                text.append(f"Left out: {', '.join(reasons)}")
        else:
            text.append("Tasks: no task file found (a Markdown list with boxes, .beads/issues.jsonl, backlog/)")
        if self.git:
            text.append(f"Commits: {self.git.added:,} new, {self.git.gone:,} no longer reachable")
        if self.links:
            text.append(f"Links: {self.links.added:,} new, {self.links.total:,} to the tasks that commits name")
        text += [f"FAILED: {failure}" for failure in self.failures]
        text += [f"Note: {note}" for note in self.notes[:MOST_NOTES]]
        if len(self.notes) > MOST_NOTES:
            text.append(f"Note: and {len(self.notes) - MOST_NOTES:,} more")
        text.append(f"Database: {self.database}")
        if self.page:
            text.append(f"Page: {self.page}")
        text.append(self._next())
        return "\n".join(line.replace("\n", "\\n") for line in text)  # a path may hold a line break

    __repr__ = __str__

    def _next(self) -> str:
        if not (self.tasks and self.tasks.files):
            return "Next: write tasks as `- [ ] ...` in a TODO.md, and scan again"
        if self.links and not self.links.total:
            return "Next: name a task in a commit message (its id, or TASK-12) to see which work belongs to it"
        return "Next: open the page; `dashkit task ID` tells one task's story"


def scan(
    repo: str | Path = ".",
    *,
    db: str | Path | None = None,
    out: str | Path | None = None,
    page: bool = True,
    tell: Tell = lambda _: None,
) -> Scan:
    """Find what a repository holds, bring what is new into its database, and write the progress page.

    Args:
        repo: a folder; inside a git repository, its root is scanned.
        db: the database (else REPO/.dashkit/dashboard.db, made if it is not there).
        out: where the page goes (else REPO/.dashkit/reports).
        page: write the page.
        tell: hears what is being done.

    Raises:
        RefusedError: no such folder, or the database is of an older version: migrate it first.
    """
    started = times.utc_now()
    folder = Path(repo).expanduser()
    if not folder.is_dir():
        raise RefusedError(f"Cannot scan {folder}", "there is no such folder", "Name a folder.", path=folder)
    notes: list[str] = []
    place = _repository(folder, notes)
    root = place or folder.resolve()
    path = _database(root, db)
    with run(path, "scan") as this:
        done, failures = _bring_in(root, path, with_git=place is not None, notes=notes, tell=tell)
        with connection.using(path, write=True) as conn:
            this.end(conn, {part: counts(summary) for part, summary in done.items()})
    shown = None
    if page:
        tell("writing the page")
        from dashkit.reports.run import run_report

        report = run_report("progress", db=path, out=Path(out) if out else root / connection.LOCAL.parent / "reports")
        shown = report.page
        failures += [] if report.ok else [f"the page: {report.error}"]
    seconds = (times.utc_now() - started).total_seconds()
    tasks, git, links = (done.get(part) for part in ("tasks", "git", "links"))
    return Scan(root, path, tasks, git, links, tuple(failures), tuple(notes), shown, seconds)


def _bring_in(
    root: Path, path: Path, *, with_git: bool, notes: list[str], tell: Tell
) -> tuple[dict[str, IngestSummary], list[str]]:
    """What came of the tasks, commits and links of a repository, and what failed, which stops no other part."""
    name = root.name or "project"
    steps: dict[str, Callable[[], IngestSummary]] = {"tasks": lambda: ingest_tasks([root], name, path)}
    if with_git:
        steps["git"] = lambda: ingest_git([root], name, path)
        steps["links"] = lambda: link_commits(path)
    done, failures = {}, []
    for part, step in steps.items():
        tell(f"reading {part}" if part != "links" else "linking")
        try:
            done[part] = step()
            notes += done[part].notes
        except RefusedError as error:
            notes.append(str(error))
        except FailedError as error:
            failures.append(str(error))
    return done, failures


def _repository(folder: Path, notes: list[str]) -> Path | None:
    """The root of the repository that a folder is in; None, and why, where git cannot say."""
    try:
        return repositories.find(folder).path
    except RefusedError as error:
        notes.append(f"without git history: {error.why}")
        return None


def _database(root: Path, db: str | Path | None) -> Path:
    """The database of a repository, made where it is not there, with a .gitignore beside our own."""
    path = Path(db).expanduser() if db else root / connection.LOCAL
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not db:
            (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        migrations.create(path)
    standing = migrations.status(path)
    if not standing.ready:
        raise RefusedError(
            f"Cannot scan into {path}",
            f"it is at version {standing.version}, and a scan needs {migrations.VERSIONS[-1].number}",
            "Run `dashkit migrate` to see what would change, then `dashkit migrate --execute`.",
            path=path,
        )
    return path
