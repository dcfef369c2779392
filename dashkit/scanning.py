"""The newcomer's command: a repository -> its tasks with their past, its commits, its links, a page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashkit import connection, migrations, times
from dashkit.errors import DashkitError, RefusedError
from dashkit.ingest.git import ingest_git
from dashkit.ingest.links import link_commits
from dashkit.ingest.tasks import ingest_tasks
from dashkit.records import IngestSummary
from dashkit.sources import git as repositories
from dashkit.sources.survey import Survey, survey

Tell = Callable[[str], None]
MOST_NOTES = 4


@dataclass(frozen=True)
class Scan:
    """What a scan found and did; prints as at most fifteen lines."""

    root: Path
    database: Path
    found: Survey
    tasks: tuple[tuple[Path, IngestSummary], ...]
    git: IngestSummary | None
    links: IngestSummary | None
    notes: tuple[str, ...]
    page: Path | None
    seconds: float

    def __str__(self) -> str:
        text = [f"Scanned {self.root} in {times.show_seconds(self.seconds)}"]
        added, changed, gone = (
            sum(getattr(done, name) for _, done in self.tasks) for name in ("added", "changed", "gone")
        )
        versions = sum(done.versions for _, done in self.tasks)
        if self.tasks:
            text.append(
                f"Tasks: {added:,} new, {changed:,} changed, {gone:,} gone, out of {len(self.tasks):,} files "
                f"({versions:,} versions read)"
            )
        else:
            text.append("Tasks: no task file found (a Markdown list with boxes, .beads/issues.jsonl, backlog/)")
        if self.git:
            text.append(f"Commits: {self.git.added:,} new, {self.git.gone:,} no longer reachable")
        if self.links:
            text.append(f"Links: {self.links.added:,} new between tasks and the commits that name them")
        left = [f"{count:,} {reason}" for reason, count in self.found.left_out.items()]
        left += [f"{sum(done.left_out for _, done in self.tasks):,} lines that only look like tasks"]
        text.append(f"Left out: {', '.join(left)}")
        text += [f"Note: {note}" for note in self.notes[:MOST_NOTES]]
        if len(self.notes) > MOST_NOTES:
            text.append(f"Note: and {len(self.notes) - MOST_NOTES:,} more")
        text.append(f"Database: {self.database}")
        if self.page:
            text.append(f"Page: {self.page}")
        text.append(self._next())
        return "\n".join(text)

    __repr__ = __str__

    def _next(self) -> str:
        if not self.tasks:
            return "Next: write tasks as `- [ ] ...` in a TODO.md, and scan again"
        if self.links and not self.links.added:
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
    tell("looking for task files")
    found = survey(root)
    tasks = []
    for file in found.files:
        tell(f"reading {file.name}")
        try:
            done = ingest_tasks([file], project=root.name or "project", db=path)
        except DashkitError as error:
            notes.append(str(error))
            continue
        tasks.append((file, done))
        notes += done.notes
    git = links = None
    if place:
        tell("reading git")
        try:
            git = ingest_git([root], project=root.name, db=path)
            notes += git.notes
            tell("linking")
            links = link_commits(path)
        except RefusedError as error:
            notes.append(str(error))
    shown = None
    if page:
        tell("writing the page")
        from dashkit.reports.run import run_report

        shown = run_report(
            "progress", db=path, out=Path(out) if out else root / connection.LOCAL.parent / "reports"
        ).page
    seconds = (times.utc_now() - started).total_seconds()
    return Scan(root, path, found, tuple(tasks), git, links, tuple(notes), shown, seconds)


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
