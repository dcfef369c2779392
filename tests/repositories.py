"""Git repositories for tests, built by git itself."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0100",
    "GIT_COMMITTER_DATE": "1700000100 -0730",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
}


def git(folder: Path, *words: str, given: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """Run git; what it printed."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        input=given,
        capture_output=True,
        check=True,
        env={**os.environ, **WHO, **(env or {})},
    )
    return done.stdout.decode("utf-8", "replace").strip()


def repository(folder: Path) -> Path:
    """A new repository without a commit, on the branch main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder: Path, message: str = "Work", files: Mapping[str, str | bytes] | None = None, **env: str) -> str:
    """Commit files (name -> content) on top of HEAD; the sha."""
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message, env=env)
    return git(folder, "rev-parse", "HEAD")


def raw_commit(folder: Path, content: bytes) -> str:
    """Store a commit object as it is, whatever git thinks of it, on the branch main; the sha."""
    sha = git(folder, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=content)
    git(folder, "update-ref", "refs/heads/main", sha)
    return sha


def remove(folder: Path, sha: str) -> bytes:
    """Take a loose object away; what it was."""
    path = folder / ".git" / "objects" / sha[:2] / sha[2:]
    content = path.read_bytes()
    path.unlink()
    return content


def damage(folder: Path, sha: str) -> None:
    """Make a loose object unreadable."""
    content = remove(folder, sha)
    path = folder / ".git" / "objects" / sha[:2] / sha[2:]
    path.write_bytes(content[:2] + b"\xff" * len(content))


def loose(folder: Path) -> None:
    """Unpack every object of a repository."""
    for pack in [*(folder / ".git" / "objects" / "pack").glob("*.pack")]:
        content = pack.read_bytes()
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.unlink()
        git(folder, "unpack-objects", "-q", given=content)


def history(folder: Path, commits: int) -> list[str]:
    """A repository of many commits on main, each adding a line to one of a few files; their shas, newest first."""
    git(repository(folder), "fast-import", "--quiet", given="".join(_stream(commits)).encode())
    return git(folder, "rev-list", "main").split()


def _stream(commits: int) -> Iterable[str]:
    for number in range(commits):
        text = "".join(f"line {line}\n" for line in range(number % 7 + 1)) + f"{number}\n"
        yield f"commit refs/heads/main\nmark :{number + 1}\n"
        yield f"committer Ann <ann@example.org> {1700000000 + number} +0000\n"
        yield f"data {len(str(number))}\n{number}\n"
        yield f"M 100644 inline file{number % 5}\ndata {len(text)}\n{text}\n"
