"""Which repository it is, what its refs point to, and which commits can be reached from there."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dashkit.errors import RefusedError, UsageError
from dashkit.sources.git.commands import ask, discover, run
from dashkit.sources.git.isolated import Isolated

# Notes, stashes and the like are no history of the project.
_NAMESPACES = ("refs/heads", "refs/remotes", "refs/tags")
_PARTIAL = re.compile(r"extensions\.partialclone|remote\..*\.promisor", re.DOTALL)
_SECRET = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True)
class Repository:
    """A repository that may be read.

    Args:
        path: what names it: the folder of its main work tree (its own where it is bare), the same from each work tree.
        git_dir: where the HEAD is that was asked for.
        common_dir: what all its work trees share.
        work_tree: the folder of the work tree that was asked for; None in a bare repository or inside a git dir.
        remote_url: of origin, without user and password.
        default_branch: the branch that origin or else HEAD names.
        boundary: the commits whose parents a shallow clone left out.
        is_partial: a clone without all files of the past: lines cannot be counted.
        is_grafted: its history was altered by grafts or replacements.
        cuts: a digest of all that hides history here; where it changes, old commits may appear.
        isolated: what its past is read from.
    """

    path: Path
    git_dir: Path
    common_dir: Path
    work_tree: Path | None
    remote_url: str | None
    default_branch: str | None
    boundary: frozenset[str]
    is_partial: bool
    is_grafted: bool
    cuts: str
    isolated: Isolated = field(repr=False, compare=False)

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
    path = common.parent if common.name == ".git" else common
    configured = _configuration(git_dir)
    boundary, grafts = _file(common / "shallow"), _file(common / "info" / "grafts")
    replaced = ask(git_dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/replace") or b""
    partial = sorted(key for key in configured if _PARTIAL.fullmatch(key))
    hidden = b"\0".join((boundary, grafts, replaced, "\n".join(partial).encode()))
    url = configured.get("remote.origin.url")
    return Repository(
        path=path,
        git_dir=git_dir,
        common_dir=common,
        work_tree=None if git_dir == common and _is_bare(git_dir) else _work_tree(folder.resolve(), git_dir),
        remote_url=None if url is None else _SECRET.sub("", url),
        default_branch=_default_branch(git_dir),
        boundary=frozenset(boundary.decode("ascii", "replace").split()),
        is_partial=bool(partial),
        is_grafted=bool(grafts.strip() or replaced.strip()),
        cuts=hashlib.sha256(hidden).hexdigest()[:16] if hidden.strip(b"\0") else "",
        isolated=Isolated(
            path,
            common / "objects",
            {"shallow": boundary, "info/grafts": grafts, "packed-refs": replaced and replaced + b"\n"},
            is_sha256=configured.get("extensions.objectformat") == "sha256",
        ),
    )


def head(repo: Repository) -> str | None:
    """The commit that is checked out; None: there is none yet."""
    return _commit(repo.git_dir, "HEAD")


def refs(repo: Repository) -> dict[str, str]:
    """Full name -> commit, of every branch and tag and of HEAD (under its branch's name; `HEAD` where detached).

    Other work trees may have commits that no branch has.
    """
    listed = run(repo.git_dir, "for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) "
                 "%(refname)", *_NAMESPACES)  # fmt: skip
    found: dict[str, str] = {}
    for line in listed.decode("utf-8", "replace").splitlines():
        kind, sha, peeled_kind, peeled, name = line.split(" ", 4)
        if "commit" in (kind, peeled_kind):
            found[name] = peeled or sha
    if (checked_out := head(repo)) is not None:
        found[_branch(repo.git_dir) or "HEAD"] = checked_out
    others = [f"worktrees/{tree.name}/HEAD" for tree in sorted(repo.common_dir.glob("worktrees/*"))]
    for name in (*others, *(["main-worktree/HEAD"] if repo.git_dir != repo.common_dir else [])):
        there = _commit(repo.git_dir, name)
        if there is not None and there not in found.values():
            found[name] = there
    return found


def choose(repo: Repository, there: Mapping[str, str], branch: str | None = None) -> dict[str, str]:
    """The part of refs that is asked for: a branch or tag by its name, or HEAD; empty where HEAD has no commit yet.

    Raises:
        UsageError: there is no such branch.
    """
    if branch is None:
        name = _branch(repo.git_dir) or "HEAD"
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

    Raises:
        UnreadableError: a commit is not there or damaged; its `answer` has the lines of those before it.
    """
    if not tips:
        return []
    age = [f"--max-age={int(since.timestamp())}"] if since else []
    found = repo.isolated.run("rev-list", "--ignore-missing", *age, "--stdin", given=_lines(tips, without))
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
    return repo.isolated.ask("rev-list", "--max-count=1", "--stdin", given=given) == b""


def holds_any(repo: Repository, commits: Collection[str]) -> bool:
    """Whether any of these commits is in this repository, reachable or not."""
    if not commits:
        return False
    told = repo.isolated.run("cat-file", "--batch-check", given=_lines(commits, ()))
    return any(not line.endswith(b" missing") for line in told.splitlines())


def _lines(tips: Iterable[str], without: Iterable[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in (*tips, *(f"^{sha}" for sha in without))).encode("ascii")


def _commit(git_dir: Path, name: str) -> str | None:
    found = ask(git_dir, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return None if found is None else found.decode("ascii")


def _branch(git_dir: Path) -> str | None:
    """The full name of the branch that HEAD is on."""
    name = ask(git_dir, "symbolic-ref", "--quiet", "HEAD")
    return None if name is None else name.decode("utf-8", "replace")


def _default_branch(git_dir: Path) -> str | None:
    origin = ask(git_dir, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
    if origin is not None:
        return origin.decode("utf-8", "replace").removeprefix("refs/remotes/origin/")
    return (_branch(git_dir) or "").removeprefix("refs/heads/") or None


def _configuration(git_dir: Path) -> dict[str, str]:
    """What the repository's own configuration says last of each key."""
    listed = (ask(git_dir, "config", "--list", "-z") or b"").decode("utf-8", "replace").split("\0")
    return {key: value for key, _, value in (entry.partition("\n") for entry in listed)}


def _is_bare(git_dir: Path) -> bool:
    return ask(git_dir, "config", "--type=bool", "--get", "core.bare") == b"true"


def _work_tree(folder: Path, git_dir: Path) -> Path | None:
    """Where git found the git dir from a folder, whatever its configuration calls the work tree."""
    for above in (folder, *folder.parents):
        if above == git_dir:
            return None
        if (above / ".git").is_file() or (above / ".git").resolve() == git_dir:
            return above
    return None


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
