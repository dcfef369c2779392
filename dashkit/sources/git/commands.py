"""Running git: no shell, no configuration of the user, nothing fetched, and what it refuses said in words."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dashkit.errors import DashkitError, FailedError, RefusedError

# A repository's own configuration may come from anyone; these keys change what is read or name a program.
_OVERRIDES = (
    f"core.attributesFile={os.devnull}",
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.quotePath=false",
    # Attributes come from no tree, so that the numbers do not depend on what is checked out (the empty tree).
    "attr.tree=4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "mailmap.file=",
    "mailmap.blob=HEAD:.mailmap",
    "diff.algorithm=myers",
    "diff.indentHeuristic=true",
    "gc.auto=0",
)
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

# What starting a program raises where the PATH leads to none.
NOT_STARTED = (FileNotFoundError, NotADirectoryError, PermissionError)


def environment() -> dict[str, str]:
    """The environment of every command that reads a repository which was found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "LC_ALL": "C", "LANGUAGE": "", **_SEALED}


def command(git_dir: Path, words: Sequence[str]) -> list[str]:
    """The full command line; --bare, so that neither index nor checked-out files have a say."""
    overrides = [word for pair in _OVERRIDES for word in ("-c", pair)]
    return ["git", f"--git-dir={git_dir}", "--bare", "--no-pager", *overrides, *words]


def run(git_dir: Path, *words: str, given: bytes = b"") -> bytes:
    """What git answers.

    Raises:
        RefusedError: git is not installed.
        FailedError: it cannot read the repository.
    """
    done = _start(command(git_dir, words), environment(), None, given)
    if done.returncode:
        raise failure(git_dir, done.stderr)
    return done.stdout


def ask(git_dir: Path, *words: str, given: bytes = b"") -> bytes | None:
    """What git answers without the last line break, or None where it says no."""
    done = _start(command(git_dir, words), environment(), None, given)
    return None if done.returncode else done.stdout.removesuffix(b"\n")


def discover(folder: Path, question: str) -> Path:
    """A folder that `git rev-parse` names, seen from `folder`.

    This one command reads the user's own configuration: only there stands which folders of others are safe.

    Raises:
        RefusedError: no repository, one of somebody else, or git is not installed.
    """
    private = {name for name in os.environ if name.startswith("GIT_") and not name.startswith("GIT_CONFIG")}
    kept = {name: value for name, value in os.environ.items() if name not in private}
    done = _start(["git", "rev-parse", question], {**kept, "LC_ALL": "C", "LANGUAGE": ""}, folder, b"")
    if done.returncode:
        raise _refusal(folder, done.stderr)
    return folder / os.fsdecode(done.stdout.removesuffix(b"\n"))


def failure(git_dir: Path, stderr: bytes) -> DashkitError:
    """The error for a command that git did not finish."""
    return FailedError(
        f"Cannot read all of the git repository {git_dir}",
        f"git says: {_told(stderr)}",
        "What was read up to here is kept, and the next run continues. `git fsck` says whether it is damaged.",
        path=git_dir,
    )


def _start(
    words: list[str], env: dict[str, str], folder: Path | None, given: bytes
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(words, input=given, capture_output=True, env=env, cwd=folder, check=False)
    except NOT_STARTED as error:
        raise missing() from error


def missing() -> RefusedError:
    """The error where there is no git."""
    return RefusedError(
        "Cannot read a git repository",
        "there is no `git` on this machine's PATH",
        "Install git, and run this again.",
    )


def _refusal(folder: Path, stderr: bytes) -> RefusedError:
    what, told = f"Cannot read {folder} as a git repository", _told(stderr)
    if b"dubious ownership" in stderr or b"unsafe repository" in stderr:
        return RefusedError(
            what,
            "it belongs to another user, and git reads only those that you call safe",
            f"If you trust it: git config --global --add safe.directory {shlex.quote(str(folder))}",
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
