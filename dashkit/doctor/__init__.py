"""What is wrong with a database, and what to do about it: findings as data. It repairs nothing and changes no byte.

Each remedy is exact, loses no row of a project or a task, and is carried out in a test; what `dashkit migrate` is to
mend was tried on a copy before it is said.
"""

from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from dashkit import connection, migrations, texts, times
from dashkit.doctor import contents, files, schema
from dashkit.doctor.findings import Finding, State
from dashkit.doctor.promises import Promises

__all__ = ["Diagnosis", "Finding", "State", "examine"]


@dataclass(frozen=True)
class Diagnosis:
    """All findings about one database; prints as them."""

    path: Path
    version: str
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Nothing is wrong."""
        return not any(finding.state == "wrong" for finding in self.findings)

    def __str__(self) -> str:
        text = [f"{self.path}: version {self.version}"]
        for one in self.findings:
            text.append(f"  {one.state.upper() if one.state == 'wrong' else one.state:<5}  {one.check}: {one.found}")
            text += [f"         {one.remedy}"] if one.remedy else []
        if any(" SQL" in one.remedy for one in self.findings):
            text.append(texts.typed_into_sqlite3(self.path))
        wrong = sum(one.state == "wrong" for one in self.findings)
        return "\n".join([*text, f"WRONG: {wrong} of {len(self.findings)} checks" if wrong else "HEALTHY"])

    def as_dict(self) -> dict[str, object]:
        """The same for programs."""
        findings = [asdict(finding) for finding in self.findings]
        return {"path": str(self.path), "version": self.version, "healthy": self.healthy, "findings": findings}


def examine(db: str | Path | None = None) -> Diagnosis:
    """Look at everything that can be wrong with a database, of any version.

    Raises:
        RefusedError: no such file, no Dashboard, or too damaged to be read.
        BusyError: another process holds it.
    """
    path = connection.default_path(db)
    standing = migrations.status(path)
    promises = Promises(path, standing.version)
    today = times.utc_now().date().isoformat()
    with closing(connection.connect_readonly(path)) as conn, connection.explained(path, "read"):
        found = tuple(schema.integrity(conn, promises))
        if found[0].state == "wrong":  # what is read of such a file may be what the disk made of it
            return Diagnosis(path, standing.version, found)
        objects = schema.Objects(conn, standing, promises)
        found = (
            *found,
            *objects.findings(),
            *contents.keys(conn, promises, objects.columns_in_the_way),
            *contents.ranges(conn, today, objects.columns_in_the_way),
            *contents.configuration(conn, promises),
            *contents.history(conn, promises),
            files.recorded_backups(conn, path.resolve()),
            files.unfinished(path.resolve()),
        )
    return Diagnosis(path, standing.version, found)
