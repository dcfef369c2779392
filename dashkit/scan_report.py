"""What a scan found and did, as a record that prints as a report of at most fifteen lines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashkit import times
from dashkit.records import IngestSummary
from dashkit.sources.task_files import SWITCHABLE
from dashkit.store import tasks

MOST_LINES = 15
_NAMED = 4  # task files


@dataclass(frozen=True)
class Scan:
    """What a scan found and did; it prints as at most fifteen lines.

    Args:
        root: the repository, or the folder.
        database: where it is now.
        standing: how the tasks of the project stand now.
        tasks: what came of the task files; None where this part failed, or had nothing to do.
        git: what came of the commits, in the same way.
        links: what came of the links, in the same way.
        failures: the parts that failed, and why.
        notes: what else a reader should know.
        page: the progress page, under the name that does not change.
        seconds: how long it took.
        dry_run: nothing was written: the rest is what a scan would do.
        is_new: the database was not there before.
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
    dry_run: bool = False
    is_new: bool = False

    def __str__(self) -> str:
        took = times.show_seconds(self.seconds)
        title = f"Dry run of a scan of {self.root} in {took}: nothing was written"
        head = [title if self.dry_run else f"Scanned {self.root} in {took}"]
        head += [*self._tasks(), *self._files(), *self._left_out(), *self._commits()]
        head += [f"FAILED: {failure}" for failure in self.failures]
        would_be = f" ({'would be made' if self.is_new else 'unchanged'})" if self.dry_run else ""
        end = [f"Database: {self.database}{would_be}"]
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
        if self.tasks is None:
            return
        said = ["no task file found (a Markdown list with boxes, .beads/issues.jsonl, backlog/)"]
        if self.tasks.files and self.dry_run:
            said = [f"would add {count(self.tasks.added, 'task', 'tasks')} and change {self.tasks.changed:,}"]
        elif self.tasks.files:
            said = [f"{self.tasks.added:,} new, {self.tasks.changed:,} changed"]
        if now.tasks or now.gone:
            said.append(f"{'then ' if self.dry_run else ''}{now.checked:,} of {now.tasks:,} done")
        if now.gone:
            said.append(f"{now.gone:,} gone from {'its file' if now.gone == 1 else 'their files'}")
        yield f"Tasks: {'; '.join(said)}"

    def _files(self) -> Iterator[str]:
        if self.tasks and self.standing.by_source:
            named = [f"{_shown(name, self.root)} ({count:,})" for name, count in self.standing.by_source.items()]
            more = [f"and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
            past = self.tasks.versions
            read = f"; {past:,} versions read" if past > self.tasks.files else ""
            yield f"Files: {', '.join([*named[:_NAMED], *more])}{read}"

    def _left_out(self) -> Iterator[str]:
        left_out = Counter[str]()
        for part in (self.tasks, self.links):
            left_out.update(part.left_out_by if part else {})
        if left_out:
            yield f"Left out: {', '.join(f'{reason} ({count:,})' for reason, count in left_out.items())}"

    def _commits(self) -> Iterator[str]:
        would = "would add " if self.dry_run else ""
        new, in_all = ("", "then") if self.dry_run else (" new", "")
        if self.git:
            gone = f", {self.git.gone:,} no longer reachable" if self.git.gone else ""
            yield f"Commits: {would}{self.git.added:,}{new}{gone}"
        if self.links and self.standing.tasks:
            total = f"{in_all} {self.links.total:,} in all".strip()
            yield f"Links: {would}{self.links.added:,}{new}, {total}, from commits to tasks that they name"

    def _next(self) -> str:
        """What helps most, after what happened."""
        if self.dry_run:
            return "the same command without `--dry-run` does this"
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


def _shown(source: str, root: Path) -> str:
    """A task file by its path in what is scanned, in git or not."""
    return source.removeprefix(f"{root}/")


def count(number: int, one: str, several: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else several}"
