"""git without the configuration of a repository: what it answers depends on the objects alone."""

import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO

from dashkit.errors import DashkitError
from dashkit.sources.git import commands

_CONFIG = b"[core]\nrepositoryformatversion = 1\nbare = true\n"
_SHA256 = b"[extensions]\nobjectFormat = sha256\n"


class Isolated:
    """A git directory of our own that borrows the objects of a repository, and nothing else of it.

    It has no configuration, attributes, refs or hooks. It is made when git is asked for the first time, and removed
    together with this object.

    Args:
        path: the path of the repository, as errors name it.
        objects: the folder of its objects.
        is_sha256: whether objects are named by SHA-256.
        cuts: the files that change what history is visible (`shallow`, `info/grafts`, `packed-refs`): name -> content.
    """

    def __init__(self, path: Path, objects: Path, cuts: Mapping[str, bytes], *, is_sha256: bool) -> None:
        self._path, self._objects = path, objects
        # A file `shallow` makes a clone shallow even where it is empty.
        self._files = {name: content for name, content in cuts.items() if content}
        self._files |= {"HEAD": b"ref: refs/heads/none\n", "config": _CONFIG + _SHA256 * is_sha256}

    def run(self, *words: str, given: bytes = b"") -> bytes:
        """What git answers.

        Raises:
            RefusedError: git is not installed.
            FailedError: it cannot read the repository.
        """
        status, answer, complaint = commands.finish(self.start(*words, stderr=subprocess.PIPE), given)
        if status:
            raise commands.failure(self._path, status, complaint, answer)
        return answer

    def ask(self, *words: str, given: bytes = b"") -> bytes | None:
        """What git answers, without the last line break; None where it ends with an error."""
        status, answer, _ = commands.finish(self.start(*words, stderr=subprocess.PIPE), given)
        return None if status else answer.removesuffix(b"\n")

    def start(self, *words: str, stderr: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """A git process with pipes to write to and to read from.

        Raises:
            RefusedError: git is not installed.
        """
        return commands.start(self._folder, words, self._objects, stderr)

    def failure(self, status: int, complaint: bytes) -> DashkitError:
        """The error for a process that ended with this status and complaint."""
        return commands.failure(self._path, status, complaint)

    @cached_property
    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="dashkit-git-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for name in ("refs", "info"):
            (folder / name).mkdir()
        for name, content in self._files.items():
            (folder / name).write_bytes(content)
        return folder
