"""The proof of a migration: what was there before, what is there now, and whether the way back works.

`verify_migration(db)` works on copies. A version 1 database is migrated as a copy; a migrated one is held
against the backup that its migration recorded. With execute=True the database itself is migrated first, through
`dashkit.migrate` and nothing else.
"""

import shutil
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashkit import connection, migrations
from dashkit.errors import RefusedError
from dashkit.migrations import preflight
from dashkit.migrations.findings import counted
from dashkit.records import Check
from dashkit.store import tracking
from dashkit.verification import checks, contents, functions, sizes, speed

if TYPE_CHECKING:
    import pandas as pd

COPIES = 10  # before and after, a migration of each with its backup and journal, one to try, one to grow


@dataclass(frozen=True)
class Verification:
    """Everything that was looked at; each method gives one part as a DataFrame. Shows itself as its verdict."""

    path: Path
    what: str
    backup: str
    checks: tuple[Check, ...]
    _changes: tuple[str, ...]
    _tables: tuple[contents.Table, ...]
    _schema: tuple[tuple[str, str, str], ...]
    _functions: tuple[Check, ...]
    _sizes: tuple[tuple[str, int], ...]
    _growth: tuple[sizes.Growth, ...]
    _speed: tuple[speed.Timing, ...]

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)

    @cached_property
    def verdict(self) -> str:
        """The finding, in a sentence."""
        failed = [check for check in self.checks if not check.ok]
        if failed:
            return f"NOT VERIFIED: {len(failed)} of {len(self.checks)} checks failed: " + "; ".join(
                f"{check.name}: {check.found}" for check in failed
            )
        return f"VERIFIED: nothing was lost. {self.what}; all {len(self.checks)} checks hold."

    def __repr__(self) -> str:
        return self.verdict

    def _repr_html_(self) -> str:
        kind = "good" if self.ok else "bad"
        return f'<p class="verdict {kind}">{escape(self.verdict)}</p>'

    def results(self) -> "pd.DataFrame":
        """Every check, failed ones first.

        Columns:
            check (string): what was asked.
            result (string): `holds` or `FAILED`.
            found (string): what was found.
        """
        rows = [
            (check.name, "holds" if check.ok else "FAILED", check.found)
            for check in sorted(self.checks, key=lambda check: check.ok)
        ]
        return _frame(rows, check="string", result="string", found="string")

    def changes(self) -> "pd.DataFrame":
        """The changes of the migration, in the order of the report.

        Columns:
            change (string): its line.
        """
        return _frame([(line,) for line in self._changes], change="string")

    def tables(self) -> "pd.DataFrame":
        """Each table before and after, by name.

        Columns:
            table (string): its name.
            rows_before (Int64, rows): rows of the table before the migration.
            rows_after (Int64, rows): rows of the table now.
            missing (Int64, rows): rows of before that are gone.
            changed (Int64, rows): rows of before with another value in an old column.
            edited_since (Int64, rows): those of both that somebody edited or deleted after the migration.
            hash_before (string): digest over all rows and old columns.
            hash_after (string): the same now; equal where no row was added or edited.
        """
        rows = [
            (
                table.name,
                table.rows_before,
                table.rows_after,
                table.missing,
                table.changed,
                table.edited + table.deleted,
                table.digest_before,
                table.digest_after,
            )
            for table in self._tables
        ]
        return _frame(
            rows,
            table="string",
            rows_before="Int64",
            rows_after="Int64",
            missing="Int64",
            changed="Int64",
            edited_since="Int64",
            hash_before="string",
            hash_after="string",
        )

    def schema(self) -> "pd.DataFrame":
        """What is new or other in the schema.

        Columns:
            kind (string): table, column, index, trigger or view.
            name (string): its name.
            difference (string): added, changed or gone.
        """
        return _frame(list(self._schema), kind="string", name="string", difference="string")

    def functions(self) -> "pd.DataFrame":
        """The nine functions, each run on a copy.

        Columns:
            function (string): its name.
            result (string): `works` or `FAILED`.
            returned (string): what came back, in words.
        """
        rows = [(check.name, "works" if check.ok else "FAILED", check.found) for check in self._functions]
        return _frame(rows, function="string", result="string", returned="string")

    def sizes(self) -> "pd.DataFrame":
        """The size of the database before and after.

        Columns:
            state (string): before or after.
            bytes (Int64, bytes): the size of the database, all its pages.
        """
        return _frame(list(self._sizes), state="string", bytes="Int64")

    def growth(self) -> "pd.DataFrame":
        """What one row of a kind adds to the file, measured, against the figure of the design.

        Columns:
            kind (string): commit, session or link.
            bytes_per_row (Int64, bytes): measured over 2,000 rows of ordinary length; NA where it could not be.
            claimed_bytes (Int64, bytes): the figure of the design.
        """
        rows = [(one.kind, _rounded(one.bytes_per_row, 0), one.claimed_bytes) for one in self._growth]
        return _frame(rows, kind="string", bytes_per_row="Int64", claimed_bytes="Int64")

    def speed(self) -> "pd.DataFrame":
        """What the eight indexes do to a query, at this size and at a hundred times it.

        Columns:
            query (string): what is asked for.
            tasks (Int64, rows): tasks in the copy that was measured; NA, as all figures, where it could not be.
            commits (Int64, commits): commits in the copy that was measured.
            without_ms (Float64, ms): the least time without the indexes.
            with_ms (Float64, ms): the least time with them.
            faster_pct (Float64, percent): time saved; negative where it takes longer.
            claimed_pct (Int64, percent): the figure of the design.
            plan (string): how SQLite answers it with the indexes, or why it was not measured.
        """
        rows = [
            (
                timing.query,
                timing.tasks,
                timing.commits,
                _rounded(timing.without_ms, 4),
                _rounded(timing.with_ms, 4),
                _rounded(timing.faster_pct, 1),
                timing.claimed_pct,
                timing.plan,
            )
            for timing in self._speed
        ]
        return _frame(
            rows,
            query="string",
            tasks="Int64",
            commits="Int64",
            without_ms="Float64",
            with_ms="Float64",
            faster_pct="Float64",
            claimed_pct="Int64",
            plan="string",
        )


def verify_migration(db: str | Path | None = None, *, execute: bool = False) -> Verification:
    """Prove a migration to version 2.0 or newer, on copies; with `execute` migrate the database itself first.

    Raises:
        RefusedError: no Dashboard, or migrated without a backup to hold it against.
        BusyError, FailedError: as `dashkit.migrate`.
    """
    path = connection.default_path(db)
    if execute:
        migrations.execute(path)
    with connection.scratch_folder() as folder:
        preflight.require_room(folder.parent, COPIES * preflight.footprint(path), path)
        before, after, what, backup, applied_at = _states(path, folder)
        return _look(path, before, after, folder, what, backup, applied_at)


def _states(path: Path, folder: Path) -> tuple[Path, Path, str, str, str | None]:
    """Private copies of the state before and after, what was done in words, the backup, and when."""
    before, after = folder / "before.db", folder / "after.db"
    standing = migrations.status(path)
    with closing(connection.connect_readonly(path)) as source:
        private = after if standing.migrated_at else before
        connection.private_copy(source, private)
    if standing.migrated_at:
        backup = migrations.plan_rollback(path).backup
        shutil.copy(str(backup), before)
        did = _mended(before, after, standing.migrated_at) or "Migrated"
        what = f"{did} at {standing.migrated_at}, held against {backup.name if backup else ''}"
        return before, after, what, str(backup), standing.migrated_at
    if standing.version != "1.0":
        raise RefusedError(
            f"Cannot verify {path}",
            "it was made at this version, or migrated by another tool: no backup is recorded",
            "There is nothing to hold it against; `dashkit status` says whether it is complete.",
            path=path,
        )
    shutil.copy(before, after)
    done = migrations.execute(after)
    count = counted(len(done.changes), "changes")
    return before, after, f"On a copy, {count} applied; the database itself is untouched", "a copy", None


def _mended(before: Path, after: Path, applied_at: str) -> str:
    """What the last run mended, in words; empty where it brought the database to a later version."""
    if migrations.status(before).version != migrations.status(after).version:
        return ""
    with closing(connection.connect_immutable(after)) as conn:
        record = tracking.table(conn)
        rows = conn.execute(f"SELECT name FROM {record} WHERE applied_at = ? ORDER BY rowid", (applied_at,))
        names = [name for (name,) in rows]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"Mended {', '.join(names[:4])}{more}"


def _look(
    path: Path, before: Path, after: Path, folder: Path, what: str, backup: str, applied_at: str | None
) -> Verification:
    tables = tuple(contents.compare(before, after, applied_at))
    trial = Path(shutil.copy(after, folder / "functions.db"))
    nine = tuple(functions.run(trial, folder))
    with closing(connection.connect_immutable(after)) as conn:
        connection.attach_immutable(conn, before, "backup")
        schema = tuple(checks.schema_difference(conn))
        found = (*checks.rows(tables), *checks.soundness(conn, before, after), *checks.migration(conn))
        recorded = conn.execute(f"SELECT version || ': ' || name FROM {tracking.table(conn)} ORDER BY rowid")
        changes = tuple(line for (line,) in recorded)
    found += (
        Check(
            "the nine functions run",
            all(check.ok for check in nine),
            "; ".join(f"{check.name} {check.found}" for check in nine if not check.ok) or f"all {len(nine)} work",
        ),
        checks.roll_back(before, folder),
    )
    size = tuple((state, sizes.file_bytes(file)) for state, file in (("before", before), ("after", after)))
    growth = tuple(sizes.growth(after, folder / "growth.db"))
    timings = tuple(speed.measure(after, folder))
    return Verification(path, what, backup, found, changes, tables, schema, nine, size, growth, timings)


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


def _frame(rows: list[tuple[Any, ...]], **dtypes: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)
