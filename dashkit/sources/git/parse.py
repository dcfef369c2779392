"""What git prints, as records: any bytes at all become text, and no character is dropped."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from dashkit import times
from dashkit.records import Commit

# Encodings that people write commits in. Others that Python knows are codes of its own, some of them slow to decode.
_ENCODING = re.compile(
    r"(ascii|big5|cp\d|euc|gb|hz|iso|johab|koi8|latin|mac|shift|tis|utf-?_?(8|16|32))", re.IGNORECASE
)
_HEADERS = re.compile(rb"^(author|committer|encoding) (.*)$", re.MULTILINE)
_LAST_SECOND = 253_402_300_799  # the end of the year 9999


@dataclass
class Changes:
    """What one commit changed against its first parent; lines are None where git could not count them."""

    paths: list[bytes] = field(default_factory=list)
    insertions: int | None = 0
    deletions: int | None = 0


def changes(fields: Iterable[bytes]) -> Iterator[tuple[str, Changes]]:
    r"""The fields of `git diff-tree --stdin -z` with --numstat or --raw, split at NUL: (sha, changes).

    A field is a commit's sha, `1\t2\tpath` (`-\t-\tpath` for a binary file), or `:modes and ids` with the path in
    the next one.
    """
    source = iter(fields)
    sha, found = "", Changes()
    for text in source:
        if b"\t" in text:
            added, removed, path = text.split(b"\t", 2)
            found.paths.append(path)
            if added != b"-" and found.insertions is not None and found.deletions is not None:
                found.insertions += int(added)
                found.deletions += int(removed)
        elif text.startswith(b":"):
            found.paths.append(next(source))
            found.insertions = found.deletions = None
        elif text:
            if sha:
                yield sha, found
            sha, found = text.decode("ascii"), Changes()
    if sha:
        yield sha, found


def objects(answers: bytes) -> Iterator[bytes | None]:
    """The objects in the answers of `git cat-file --batch`; None for one that is missing."""
    start = 0
    while start < len(answers):
        end = answers.index(b"\n", start)
        _, told = answers[start:end].rsplit(b" ", 1)
        if told == b"missing":
            start = end + 1
            yield None
        else:
            start = end + 1 + int(told) + 1
            yield answers[end + 1 : start - 1]


def commit(sha: str, raw: bytes, changed: Changes | None, shown: Callable[[bytes], bytes]) -> Commit:
    """One commit.

    Args:
        sha: its id.
        raw: the commit object.
        changed: what it changed; None where its parent is not there to compare with.
        shown: the `Name <address>` to show for one as written.
    """
    head, _, message = raw.partition(b"\n\n")
    found = dict(reversed(_HEADERS.findall(head)))  # the first of each counts
    encoding = found.get(b"encoding", b"").decode("ascii", "replace")
    author, authored = _person(found.get(b"author", b""))
    name, _, address = shown(author).partition(b"<")
    paths = changed.paths if changed else []
    return Commit(
        sha=sha,
        author=text(name.strip(), encoding),
        author_email=text(address.removesuffix(b">").strip(), encoding),
        message=text(message, encoding).rstrip("\n"),
        authored_at=_instant(authored),
        committed_at=_instant(_person(found.get(b"committer", b""))[1]),
        is_merge=head.count(b"\nparent ") > 1,
        files_changed=len(paths) if changed else None,
        insertions=changed.insertions if changed else None,
        deletions=changed.deletions if changed else None,
        paths=tuple(map(text, paths)),
    )


def text(raw: bytes, encoding: str = "") -> str:
    """Bytes as text: the declared encoding, else UTF-8, else Latin-1, which no bytes defeat.

    A NUL, which ends a text in many a program, is shown as U+2400.
    """
    found = _declared(raw, encoding) if encoding else None
    if found is None:
        try:
            found = raw.decode()
        except UnicodeDecodeError:
            found = raw.decode("latin-1")
    return found.replace("\0", "\u2400") if "\0" in found else found


def _declared(raw: bytes, encoding: str) -> str | None:
    """Bytes by the encoding that a commit declares; None where it is no such thing."""
    try:
        found = raw.decode(encoding) if _ENCODING.match(encoding) else None
        if found is not None:
            found.encode()  # UTF-16 may hold half a pair, which is no text
    except (LookupError, ValueError):
        return None
    return found


def _person(written: bytes) -> tuple[bytes, bytes]:
    """`Name <address> SECONDS ZONE`, taken apart before the time; the address may be missing."""
    if end := written.rfind(b">") + 1:
        return written[:end], written[end:]
    name, *time = written.rsplit(b" ", 2)
    return (name, b" ".join(time)) if all(word.lstrip(b"+-").isdigit() for word in time) else (written, b"")


def _instant(written: bytes) -> str:
    """The stored form of `SECONDS ZONE`; as for git, no number is 1970."""
    seconds = written.split()[:1]
    try:
        return _stored(int(seconds[0]) if seconds else 0)
    except ValueError:
        return _stored(0)


@lru_cache  # most commits were written and committed in the same second
def _stored(seconds: int) -> str:
    return times.to_text(datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC))
