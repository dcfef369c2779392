"""Running git: no shell, no configuration of the user, nothing fetched, and what it refuses said in words."""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from dashkit.errors import DashkitError, FailedError, RefusedError

# A repository's own configuration may come from anyone; these keys name a program. The past is read without any of it.
_OVERRIDES = (f"core.hooksPath={os.devnull}", "core.fsmonitor=false", "log.showSignature=false")
_SEALED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "",  # no transport at all: an object that is not there is not fetched
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,  # git before 2.32 does not know GIT_CONFIG_GLOBAL
    "XDG_CONFIG_HOME": os.devnull,
}
# How far up git looks for a repository is the user's to say, and so are the folders of others that are safe.
_OF_THE_USER = re.compile(r"GIT_(CONFIG.*|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)")
_REMEDY = re.compile(rb"^\s*(git config --global --add safe\.directory .+)$", re.MULTILINE)
_DIED = 128  # the status where git itself gives up; by a signal it is another

# What starting a program raises where the PATH leads to none.
_NOT_STARTED = (FileNotFoundError, NotADirectoryError, PermissionError)


class UnreadableError(FailedError):
    """git gave up: an object is not there, or is damaged. `answer` is what it said before."""

    answer: bytes


def environment() -> dict[str, str]:
    """The environment of every command that reads a repository which was found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "LC_ALL": "C", "LANGUAGE": "", **_SEALED}


def command(git_dir: Path, words: Sequence[str]) -> list[str]:
    """The full command line; --bare, so that neither index nor checked-out files have a say."""
    overrides = [word for pair in _OVERRIDES for word in ("-c", pair)]
    return ["git", f"--git-dir={git_dir}", "--bare", "--no-pager", *overrides, *words]


def start(
    git_dir: Path, words: Sequence[str], objects: Path | None = None, stderr: IO[bytes] | int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """A git process to talk to.

    Args:
        git_dir: whose configuration and refs it has.
        words: the command.
        objects: the folder of the objects, where they are not in the git dir.
        stderr: where it may complain.

    Raises:
        RefusedError: git is not installed.
    """
    env = environment() if objects is None else {**environment(), "GIT_OBJECT_DIRECTORY": os.fspath(objects)}
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(command(git_dir, words), stdin=pipe, stdout=pipe, stderr=stderr, env=env)
    except _NOT_STARTED as error:
        raise _missing() from error


def run(git_dir: Path, *words: str) -> bytes:
    """What git answers.

    Raises:
        RefusedError: git is not installed.
        FailedError: it cannot read the repository.
    """
    status, answer, complaint = finish(start(git_dir, words, stderr=subprocess.PIPE))
    if status:
        raise failure(git_dir, status, complaint)
    return answer


def ask(git_dir: Path, *words: str) -> bytes | None:
    """What git answers without the last line break, or None where it says no."""
    status, answer, _ = finish(start(git_dir, words, stderr=subprocess.PIPE))
    return None if status else answer.removesuffix(b"\n")


def finish(process: subprocess.Popen[bytes], given: bytes = b"") -> tuple[int, bytes, bytes]:
    """How a process ended that was given this, what it answered, and what it complained of."""
    with process:
        try:
            answer, complaint = process.communicate(given)
        except BaseException:
            process.kill()
            raise
    return process.returncode, answer, complaint


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process, whatever it is doing."""
    with suppress(BrokenPipeError), process:  # what was asked last may be left in the pipe
        process.kill()


def discover(folder: Path, question: str) -> Path:
    """A folder that `git rev-parse` names, seen from `folder`.

    This one command reads the user's own configuration: only there stands which folders of others are safe.

    Raises:
        RefusedError: no repository, one of somebody else, or git is not installed.
    """
    private = {name for name in os.environ if name.startswith("GIT_") and not _OF_THE_USER.fullmatch(name)}
    env = {name: value for name, value in os.environ.items() if name not in private}
    try:
        done = subprocess.run(
            ["git", "rev-parse", question],
            capture_output=True,
            env={**env, "LC_ALL": "C", "LANGUAGE": ""},
            cwd=folder,
            check=False,
        )
    except _NOT_STARTED as error:
        raise _missing() from error
    if done.returncode:
        raise _refusal(folder, done.stderr)
    return folder / os.fsdecode(done.stdout.removesuffix(b"\n"))


def failure(path: Path, status: int, stderr: bytes, answer: bytes = b"") -> DashkitError:
    """The error for a command that git did not finish."""
    kind = UnreadableError if status == _DIED else FailedError
    return kind(
        f"Cannot read all of the git repository {path}",
        f"git says: {_told(stderr)}",
        "What was read up to here is kept, and the next run continues. `git fsck` says whether it is damaged.",
        path=path,
        answer=answer,
    )


def _missing() -> RefusedError:
    return RefusedError(
        "Cannot read a git repository",
        "there is no `git` on this machine's PATH",
        "Install git, and run this again.",
    )


def _refusal(folder: Path, stderr: bytes) -> RefusedError:
    what, told = f"Cannot read {folder} as a git repository", _told(stderr)
    if b"dubious ownership" in stderr or b"unsafe repository" in stderr:
        remedy = _REMEDY.search(stderr)
        said = f"git config --global --add safe.directory {shlex.quote(str(folder))}"
        return RefusedError(
            what,
            "it belongs to another user, and git reads only those that you call safe",
            f"If you trust it: {remedy[1].decode('utf-8', 'replace') if remedy else said}",
            path=folder,
        )
    if b"not a git repository" in stderr:
        return RefusedError(
            what,
            "neither it nor a folder above it is one",
            "Name the folder of a clone, of a work tree, or a bare repository.",
            path=folder,
        )
    return RefusedError(what, f"git says: {told}", "Mend what git complains of, and run this again.", path=folder)


def _told(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")]
    return next(iter(fatal or lines[-1:]), "nothing")
