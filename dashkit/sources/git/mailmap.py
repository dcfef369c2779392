"""The names that a repository's .mailmap gives to its authors."""

from typing import IO, TYPE_CHECKING, cast

from dashkit.sources.git.commands import end
from dashkit.sources.git.repository import Repository, head

if TYPE_CHECKING:
    import subprocess


class Mailmap:
    """Author as written -> as .mailmap has it; each is asked for once, of one git process."""

    def __init__(self, repo: Repository) -> None:
        self._git, self._head = repo.isolated, head(repo)
        self._is_there = bool(self._head and self._git.ask("ls-tree", self._head, ".mailmap"))
        self._known: dict[bytes, bytes] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def name(self, author: bytes) -> bytes:
        """The `Name <address>` to show for one."""
        # git stops at what it cannot take apart: that stays as it is.
        if not self._is_there or author.count(b"<") != 1 or not author.endswith(b">") or b"\0" in author:
            return author
        found = self._known.get(author)
        if found is None:
            found = self._known[author] = self._asked(author)
        return found

    def close(self) -> None:
        """Stop the process."""
        if self._process is not None:
            end(self._process)

    def _asked(self, author: bytes) -> bytes:
        if self._process is None:
            self._process = self._git.start("-c", f"mailmap.blob={self._head}:.mailmap", "check-mailmap", "--stdin")
        asked, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        try:
            asked.write(author + b"\n")
            asked.flush()
        except BrokenPipeError:
            self._is_there = False
            return author
        return answers.readline().rstrip(b"\r\n") or author
