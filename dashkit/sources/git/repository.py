"""Which repository it is, what its refs point to, and which commits can be reached from there."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashkit.errors import RefusedError, UsageError
from dashkit.sources.git.commands import ask, discover, run

# Notes, stashes and the like are no history of the project.
_NAMESPACES = ("refs/heads", "refs/remotes", "refs/tags")
_SECRET = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True)
class Repository:
    """A repository that may be read.

    Args:
        path: what names it: the folder of its main work tree (its own where it is bare), the same from each work tree.
        git_dir: where the HEAD is that was asked for.
        remote_url: of origin, without user and password.
        default_branch: the branch that origin or else HEAD names.
        boundary: the commits whose parents a shallow clone left out.
        is_partial: a clone without all files of the past: lines cannot be counted.
        is_grafted: its history was altered by grafts or replacements.
        cuts: a digest of all that hides history here; where it changes, old commits may appear.
    """

    path: Path
    git_dir: Path
    remote_url: str | None
    default_branch: str | None
    boundary: frozenset[str]
    is_partial: bool
    is_grafted: bool
    cuts: str

    @property
    def name(self) -> str:
        """The folder's name, without the `.git` of a bare one."""
        return self.path.name.removesuffix(".git") or self.path.name


def find(path: str | os.PathLike[str]) -> Repository:
    """The repository that a folder is, or is in: a clone, a work tree, or a bare one.

    Raises:
        RefusedError: no such folder, no repository, one of another user, or git is not installed.
    """
    folder = Path(path)
    if not _is_folder(folder):
        raise RefusedError(
            f"Cannot read {folder} as a git repository",
            "there is no such folder",
            "Name the folder of a clone, of a work tree, or a bare repository.",
            path=folder,
        )
    git_dir = discover(folder.resolve(), "--git-dir").resolve()
    common = discover(folder.resolve(), "--git-common-dir").resolve()
    url = ask(git_dir, "config", "--get", "remote.origin.url")
    boundary = _file(common / "shallow")
    grafts = _file(common / "info" / "grafts")
    replaced = ask(git_dir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/replace") or b""
    partial = ask(git_dir, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$") or b""
    hidden = b"\0".join((boundary, grafts, replaced, partial))
    return Repository(
        path=common.parent if common.name == ".git" else common,
        git_dir=git_dir,
        remote_url=None if url is None else _SECRET.sub("", url.decode("utf-8", "replace")),
        default_branch=_default_branch(git_dir),
        boundary=frozenset(boundary.decode("ascii", "replace").split()),
        is_partial=bool(partial),
        is_grafted=bool(grafts.strip() or replaced.strip()),
        cuts=hashlib.sha256(hidden).hexdigest()[:16] if hidden.strip(b"\0") else "",
    )


def refs(repo: Repository) -> dict[str, str]:
    """Full name -> commit, of every branch and tag and of HEAD (under its branch's name; `HEAD` where detached)."""
    listed = run(repo.git_dir, "for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) "
                 "%(refname)", *_NAMESPACES)  # fmt: skip
    found: dict[str, str] = {}
    for line in listed.decode("utf-8", "replace").splitlines():
        kind, sha, peeled_kind, peeled, name = line.split(" ", 4)
        if "commit" in (kind, peeled_kind):
            found[name] = peeled or sha
    if (head := ask(repo.git_dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")) is not None:
        found[_head(repo.git_dir) or "HEAD"] = head.decode("ascii")
    return found


def choose(repo: Repository, there: Mapping[str, str], branch: str | None = None) -> dict[str, str]:
    """The part of refs that is asked for: a branch or tag by its name, or HEAD; empty where HEAD has no commit yet.

    Raises:
        UsageError: there is no such branch.
    """
    if branch is None:
        name = _head(repo.git_dir) or "HEAD"
        return {name: there[name]} if name in there else {}
    for name in (branch, *(f"{space}/{branch}" for space in _NAMESPACES)):
        if name in there:
            return {name: there[name]}
    known = [name.removeprefix("refs/heads/") for name in there if name.startswith("refs/heads/")]
    raise UsageError(
        f"Cannot read the branch {branch} of {repo.path}",
        "there is no such branch",
        f"It has {', '.join(known[:10]) or 'none'}{' and more' if len(known) > 10 else ''}; `--all` reads every one.",
        branches=known,
    )


def walk(
    repo: Repository, tips: Collection[str], without: Collection[str] = (), since: datetime | None = None
) -> list[str]:
    """The commits below `tips` and not below `without`, newest first; of `without`, what is not there is ignored.

    Args:
        repo: the repository.
        tips: commits.
        without: commits.
        since: stop at commits that are older (committer's time).
    """
    if not tips:
        return []
    age = [f"--max-age={int(since.timestamp())}"] if since else []
    found = run(repo.git_dir, "rev-list", "--ignore-missing", *age, "--stdin", given=_lines(tips, without))
    return found.decode("ascii").split()


def reachable(repo: Repository, there: Mapping[str, str]) -> set[str]:
    """Every commit below any ref."""
    return set(walk(repo, frozenset(there.values())))


def still_reachable(repo: Repository, commits: Collection[str], there: Mapping[str, str]) -> bool:
    """Whether all these commits are below some ref."""
    lost = set(commits) - set(there.values())
    if not lost:
        return True
    given = _lines(lost, frozenset(there.values()))
    return ask(repo.git_dir, "rev-list", "--max-count=1", "--stdin", given=given) == b""


def _lines(tips: Iterable[str], without: Iterable[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in (*tips, *(f"^{sha}" for sha in without))).encode("ascii")


def _head(git_dir: Path) -> str | None:
    """The full name of the branch that HEAD is on."""
    name = ask(git_dir, "symbolic-ref", "--quiet", "HEAD")
    return None if name is None else name.decode("utf-8", "replace")


def _default_branch(git_dir: Path) -> str | None:
    origin = ask(git_dir, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
    if origin is not None:
        return origin.decode("utf-8", "replace").removeprefix("refs/remotes/origin/")
    return (_head(git_dir) or "").removeprefix("refs/heads/") or None


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
