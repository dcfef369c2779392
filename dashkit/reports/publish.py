"""Files that appear whole: a reader of the folder sees the old one or the new one, never half of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashkit.errors import FailedError, RefusedError


@dataclass(frozen=True)
class Stage:
    """One run's place: a label that no other run in the folder has, and a hidden folder for drafts."""

    folder: Path
    label: str

    def draft(self, name: str) -> Path:
        """Where an unfinished file of this run lies, on the disk of its final place."""
        return self.folder / f".{self.label}" / name

    def keep(self, draft: Path, suffix: str) -> Path:
        """Move a draft to its final name, the label and `suffix`."""
        return draft.replace(self.folder / f"{self.label}{suffix}")

    def publish(self, text: str, suffix: str) -> Path:
        """Write a whole file under the label and `suffix`."""
        return self.publish_as(text, f"{self.label}{suffix}")

    def publish_as(self, text: str, name: str) -> Path:
        """Write a whole file under `name`, in the place of one that is there."""
        draft = self.draft("unfinished")
        with draft.open("wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        return draft.replace(self.folder / name)


@contextmanager
def staging(folder: Path, label: str) -> Iterator[Stage]:
    """A stage in `folder`, which is made; its drafts are gone afterwards.

    Raises:
        RefusedError: nothing can be written there.
        FailedError: the disk failed before all was published.
    """
    require_folder(folder)
    try:
        stage = _claim(folder, label)
    except OSError as error:
        raise refused(folder, error) from error
    try:
        yield stage
    except OSError as error:
        raise FailedError(
            f"Cannot finish the report in {folder}",
            error.strerror or str(error),
            "Every page that is there is whole; mend the cause and run the report again.",
            path=folder,
        ) from error
    finally:
        shutil.rmtree(stage.draft(""), ignore_errors=True)


def require_folder(folder: Path) -> None:
    """Make a folder of pages where it is not there.

    Raises:
        RefusedError: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error


def refused(folder: Path, error: OSError) -> RefusedError:
    """The error that says why nothing can be written to a folder of pages."""
    why = error.strerror or str(error)
    return RefusedError(f"Cannot write reports to {folder}", why, "Name another folder with --out.", path=folder)


def _claim(folder: Path, label: str) -> Stage:
    number = 1
    while True:
        stage = Stage(folder, label if number == 1 else f"{label}_{number}")
        number += 1
        try:
            stage.draft("").mkdir()  # of two runs in one second, one makes it
        except FileExistsError:
            continue
        if not any(folder.glob(f"{stage.label}.*")):
            return stage
        stage.draft("").rmdir()
