"""A report's run: notebook in, page out, and at no instant half a page."""

import asyncio
import functools
import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dashkit import errors
from dashkit.connection import default_path
from dashkit.reports import catalog, index, page
from dashkit.reports.changes import changes
from dashkit.reports.execute import Ending, execute, refused, without_numbers
from dashkit.reports.figures import handed_on
from dashkit.reports.folder import FOLDER, LATEST, give_room, held, retain
from dashkit.reports.jobs import Job, all_values, inputs, owner, prepare, require_apart, require_own
from dashkit.reports.publish import Stage, staging
from dashkit.reports.record import NEWEST, SUFFIX, Record, Verdict, earlier, judged, load, versions
from dashkit.times import parse, stamp, to_text, utc_now
from dashkit.version import __version__

# What a page says of the instant at which it is made, whichever it is as of.
_OF_NOW = (
    "names of projects and phases, labels, settings, links, values that cannot be read, which commits a branch leads "
    "to, and when a task says that it was created: no history is kept of them. Before version 2.1 of the database only "
    "ages are as of then."
)
_PLAIN = (str, int, float, bool)  # values that any record can hold
WORKERS = 2  # runs at once: what an ordinary machine has cores for


@dataclass(frozen=True)
class ReportRun:
    """What came of one run.

    Args:
        record: what run.json says of it.
        page: the page of this run; of one that was killed, which has none, where the last good one lies.
        notebook: the notebook as it ran, kept as evidence where it did not pass.
    """

    record: Record
    page: Path
    notebook: Path | None

    @property
    def name(self) -> str:
        """The report's."""
        return self.record.name

    @property
    def verdict(self) -> Verdict:
        """How it ended: passed, failed, refused or crashed."""
        return self.record.verdict

    @property
    def exit_code(self) -> int:
        """What the command line makes of it: that of the error which ended the notebook."""
        return self.record.exit_code

    @property
    def error(self) -> str | None:
        """What failed, was refused or crashed; None where all is well."""
        return self.record.error or None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.record.seconds

    @property
    def latest(self) -> Path:
        """The page of the last run that got to its end, under the name that stays."""
        return self.page.with_name(LATEST)

    @property
    def ok(self) -> bool:
        """Whether the notebook got to its end and every check held."""
        return self.record.ok


def run_report(
    name: str | Path,
    *,
    db: str | Path | None = None,
    out: str | Path = FOLDER,
    parameters: Mapping[str, object] | None = None,
) -> ReportRun:
    """Run a report and write its page as `out`/NAME/<time>.html and `out`/NAME/latest.html.

    Where a check fails, the page says so and is published; where the run is refused or crashes,
    <time>.failed.html says so and latest.html stays as it was. All keep the notebook as <time>.failed.ipynb.
    <time>.run.json and run.json are its record; `out`/index.html has all runs.

    Args:
        name: a report's name, or the path of a notebook.
        db: the database; as everywhere if not given.
        out: the folder of pages.
        parameters: values by name, of the declared types.

    Raises:
        UsageError: no such report, or parameters that it does not take.
        RefusedError: no such database, or no page can be written there.
        BusyError: another run writes its pages there.
        FailedError: not even a page that says what failed could be written.
    """
    try:
        job = prepare(name, db=db, parameters=parameters)
    except errors.DashkitError as error:
        refuse(name, error, db=db, out=out, parameters=parameters)
        raise
    (run,) = run_all([job], out=out)
    return run


def refuse(
    name: str | Path,
    error: errors.DashkitError,
    *,
    db: str | Path | None = None,
    out: str | Path = FOLDER,
    parameters: Mapping[str, object] | None = None,
    killed: Callable[[list[ReportRun]], object] = lambda _runs: None,
) -> ReportRun | None:
    """Keep on record that a run was refused before it began, so that the index does not look fine.

    That is done in a folder of pages that is there already, for a report that there is or was; else it is None. Nor is
    there a record while another run holds the folder, or where nothing can be written: what was refused is told anyway.

    Args:
        name: the report, as it was asked for.
        error: why.
        db: the database that was asked for.
        out: the folder of pages.
        parameters: the values that were asked for.
        killed: hears of runs that were found to have been killed.
    """
    folder = Path(out).absolute()
    if not (folder / index.NAME).is_file():
        return None
    given = {name: value if isinstance(value, _PLAIN) else repr(value) for name, value in (parameters or {}).items()}
    try:
        report = catalog.find(name)
        if any(parameter.name == "db_path" for parameter in report.parameters):
            given["db_path"] = str(default_path(str(db or given.get("db_path", ""))).absolute())
    except errors.DashkitError:
        path = Path(name)
        known = load(folder / path.stem) if path.stem.strip(".") else []
        if not known:
            return None
        report, given = catalog.Report(path.stem, path, known[0][1].title, "", ()), dict(known[0][1].parameters) | given
    if owner(report.path, folder / report.name):
        return None  # those are the pages of another notebook
    begun = _Begun(report, given, utc_now(), time.monotonic(), {})
    with suppress(errors.DashkitError), held(folder) as lost:
        _tell(lost, folder, killed)
        with staging(folder / report.name, stamp(begun.started)) as stage:
            run = _publish(stage, begun, refused(str(error), error.exit_code), None)
        _write_index(folder)
        return run
    return None


def confirm(
    name: str,
    good: Record,
    *,
    out: str | Path = FOLDER,
    killed: Callable[[list[ReportRun]], object] = lambda _runs: None,
) -> None:
    """Have the index go by a good page of which nothing changed, where all that came after it was refused.

    What was refused had other parameters, such as a mistyped call: it stays among the runs. In every other case, and
    while another run holds the folder, nothing is written.

    Args:
        name: the report.
        good: the record of its last run with these parameters.
        out: the folder of pages.
        killed: hears of runs that were found to have been killed.
    """
    folder = Path(out).absolute()
    runs = load(folder / name)
    later = list(itertools.takewhile(lambda entry: entry[1] != good, runs))
    if judged([run for _, run in runs]) == good or any(run.verdict != "refused" for _, run in later):
        return
    label, _ = runs[len(later)]
    with suppress(errors.DashkitError), held(folder) as lost:
        _tell(lost, folder, killed)
        if load(folder / name) == runs:  # none ended, or was found to have been killed, meanwhile
            text = replace(good, checked_at=to_text(utc_now())).to_json()
            with staging(folder / name, "confirmed") as stage:
                for file in (f"{label}{SUFFIX}", NEWEST):
                    stage.publish_as(text, file)
        _write_index(folder)


def run_all(
    jobs: Sequence[Job],
    *,
    out: str | Path = FOLDER,
    keep: int | None = None,
    workers: int = WORKERS,
    tell: Callable[[ReportRun], None] = lambda _run: None,
    killed: Callable[[list[ReportRun]], object] = lambda _runs: None,
) -> list[ReportRun]:
    """Run what was prepared, several at once, and write the pages, records and index as `run_report` does.

    What fails keeps no other report from its run.

    Args:
        jobs: reports with all their values.
        out: the folder of pages.
        keep: how many runs of each report stay in the folder, of those with numbers and of others; None: all.
        workers: how many run at once.
        tell: hears of each run when its page is there, in the order of the jobs.
        killed: hears, before the first run, of earlier ones that were found to have been killed: these may be too.

    Raises:
        UsageError: what was prepared is no notebook after all, or two of them would share a folder.
        RefusedError: no page can be written there, or those that are there are of another notebook.
        BusyError: another run writes its pages there.
        FailedError: not even a page that says what failed could be written.
    """
    paths = [report.path for report, _ in jobs]
    require_apart(paths)
    require_own(paths, Path(out).absolute())
    for report, given in jobs:
        try:
            catalog.load(report.path)  # the whole of it, before the first run
        except errors.DashkitError as error:
            refuse(report.path, error, out=out, parameters=given, killed=killed)
            raise
    folder = Path(out).absolute()
    runs: list[ReportRun] = []
    errors_met: list[errors.DashkitError] = []
    with held(folder) as lost, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries say of themselves; here, for filters are of all threads
        _tell(lost, folder, killed)
        for start in _started(jobs, folder, workers):
            try:
                run = start()
                runs.append(run)
                if keep:
                    retain(folder / run.name, keep)
                _write_index(folder)
                tell(run)
            except errors.DashkitError as error:
                errors_met.append(error)
    if errors_met:
        raise errors_met[0]
    return runs


def _tell(lost: Sequence[Record], folder: Path, killed: Callable[[list[ReportRun]], object]) -> None:
    if lost:
        killed([ReportRun(record, folder / record.name / LATEST, None) for record in lost])


def _started(jobs: Sequence[Job], folder: Path, workers: int) -> Iterator[Callable[[], ReportRun]]:
    """For each job a function that waits for its run; a single one is run by it."""
    if len(jobs) == 1 or workers == 1:
        for job in jobs:
            yield functools.partial(_run_one, job, folder)
        return
    import papermill  # noqa: F401 - two threads that import at once wait for each other

    with ThreadPoolExecutor(workers) as pool:
        try:
            futures = [pool.submit(_run_in_thread, job, folder) for job in jobs]
            import nbconvert.exporters  # noqa: F401 - while the first kernels work

            for future in futures:
                yield future.result
        finally:
            pool.shutdown(cancel_futures=True)


def _run_in_thread(job: Job, out: Path) -> ReportRun:
    """One run beside others; the event loop that talking to its kernel leaves in the thread is closed."""
    try:
        return _run_one(job, out)
    finally:
        with suppress(RuntimeError):  # none was made
            asyncio.get_event_loop().close()


def _run_one(job: Job, out: Path) -> ReportRun:
    """One run; where the disk fails, the room that was put by takes the page that says so."""
    report, given = job
    started, clock = utc_now(), time.monotonic()
    begun = _Begun(report, given, started, clock, {})
    folder = out / report.name
    try:
        begun = replace(begun, inputs=inputs(report, given))
        with staging(folder, stamp(started)) as stage:
            executed = stage.draft("run.ipynb")
            return _publish(stage, begun, execute(report, given, executed), executed)
    except errors.FailedError as error:
        give_room(out)
        said = str(error)
    except errors.DashkitError:
        raise
    except Exception as error:  # noqa: BLE001 - what nobody foresaw is a run that failed, and stands in the index
        said = f"{type(error).__name__}: {error}"
    with staging(folder, stamp(started)) as stage:
        return _publish(stage, begun, without_numbers(said), None)


def _publish(stage: Stage, begun: "_Begun", ending: Ending, executed: Path | None) -> ReportRun:
    """Write what came of a run: the page, and the record last."""
    report, ran = begun.report, time.monotonic()
    evidence = stage.keep(executed, ".failed.ipynb") if executed and ending.verdict != "passed" else None
    runs = [run for _, run in load(stage.folder)]
    numbers = handed_on(ending.notebook)
    shows = ending.verdict in ("passed", "failed")
    target = f"{stage.label}{'.html' if shows else '.failed.html'}"
    kept = evidence.name if evidence else ""
    made = begun.record(ending, numbers, page=target, notebook=kept)
    before = earlier(runs, made)
    latest = LATEST if (stage.folder / LATEST).is_file() else ""
    lines = [*begun.lines(made.as_of), *([("Kept notebook", kept)] if kept else [])]
    told = before.numbers if before else {}
    text = page.render(
        ending.notebook, page.Facts(report.title, ending.verdict, ending.error, ending.where, lines, latest, told)
    )
    stage.publish_as(text, target)
    if shows:
        stage.publish_as(text, LATEST)
    last = next((run for run in runs if run.question == made.question), None)
    over = time.monotonic()
    made = replace(
        made,
        seconds=round(over - begun.clock, 3),
        timings={"notebook": round(ran - begun.clock, 3), "page": round(over - ran, 3)},
        changes=changes(made, before, last),
    )
    for name in (f"{stage.label}{SUFFIX}", NEWEST):
        stage.publish_as(made.to_json(), name)
    return ReportRun(made, stage.folder / target, evidence)


def _write_index(out: Path) -> None:
    try:
        index.write(out)
    except errors.FailedError:
        give_room(out)
        index.write(out)


@dataclass(frozen=True)
class _Begun:
    """A run that has begun: what it was given, and when."""

    report: catalog.Report
    given: Mapping[str, object]
    started: datetime
    clock: float
    inputs: Mapping[str, Any]

    def record(self, ending: Ending, numbers: dict[str, Any], *, page: str, notebook: str) -> Record:
        """The record, without what is known at the end alone."""
        values = all_values(self.report, self.given)
        asked = parse(numbers.get("as_of")) or parse(values.get("as_of")) or self.started
        return Record(
            name=self.report.name,
            verdict=ending.verdict,
            exit_code=ending.exit_code,
            started_at=to_text(self.started),
            as_of=to_text(asked),
            title=self.report.title,
            error=ending.error,
            page=page,
            notebook=notebook,
            parameters=values,
            inputs=self.inputs,
            numbers=numbers,
            versions=versions(),
            seed={name: numbers[name] for name in ("project", "as_of") if name in numbers},
        )

    def lines(self, as_of: str) -> list[tuple[str, str]]:
        """What stands in the footer; nothing of this run alone where an instant was asked for: the same page again."""
        values = all_values(self.report, self.given)
        when = [("Run at", f"{self.started:%Y-%m-%d %H:%M:%S} UTC")]
        if values.get("as_of"):
            when = [("As of", as_of), ("Of now", _OF_NOW)]
        given = ((name, "not given" if value == "" else str(value)) for name, value in values.items())
        return [*when, ("Made by", f"dashkit {__version__}"), *given]
