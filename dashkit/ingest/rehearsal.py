"""A dry run: the same run on a private copy of the database, which is thrown away."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dashkit import connection, migrations


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A private copy of a database, gone afterwards: whatever is done to it, the database itself keeps every byte.

    Raises:
        RefusedError: there is no such file, or it cannot be read without changing it.
        BusyError: another program kept it locked.
    """
    with connection.scratch_folder() as folder:
        copy = folder / path.name
        with closing(connection.connect_readonly(path)) as source, connection.explained(path, "read"):
            connection.private_copy(source, copy)
        yield copy


@contextmanager
def created() -> Iterator[Path]:
    """A new database, gone afterwards, where there is none to copy."""
    with connection.scratch_folder() as folder:
        made = folder / "dashboard.db"
        migrations.create(made)
        yield made
