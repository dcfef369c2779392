"""The names that a repository's .mailmap gives to its authors."""

import subprocess
from contextlib import suppress
from typing import IO, cast

from dashkit.sources.git.commands import ask, command, environment
from dashkit.sources.git.repository import Repository


class Mailmap:
    """Author as written -> as .mailmap has it; each is asked for once, of one git process."""

    def __init__(self, repo: Repository) -> None:
        self._git_dir = repo.git_dir
        self._is_there = bool(ask(repo.git_dir, "ls-tree", "HEAD", ".mailmap"))
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
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(BrokenPipeError):
                    cast("IO[bytes]", stream).close()

    def _asked(self, author: bytes) -> bytes:
        if self._process is None:
            line = command(self._git_dir, ["check-mailmap", "--stdin"])
            pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=nothing, env=environment())
        asked, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        try:
            asked.write(author + b"\n")
            asked.flush()
        except BrokenPipeError:
            self._is_there = False
            return author
        return answers.readline().rstrip(b"\r\n") or author
