"""Files of any origin: their bytes, and the text in them, whatever its encoding and line ends."""

import re
from pathlib import Path

from dashkit.errors import RefusedError

LARGEST = 64 * 2**20  # bytes; what is larger is no list of tasks, and would be a burden to the machine


def real(path: Path) -> Path:
    """Where a path leads, whatever is there; a loop of symbolic links leads to itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def load(path: str | Path, wanted: str, kind: str, largest: int) -> bytes:
    """The content of a regular file.

    Args:
        path: where it is.
        wanted: what to name instead: "Markdown file".
        kind: what has at most `largest` bytes: "a task list".
        largest: bytes.

    Raises:
        RefusedError: there is no such file, it cannot be read, or it is too large.
    """
    path, what = Path(path), f"Cannot read {path}"
    try:
        if path.is_dir():
            raise RefusedError(what, "it is a folder", f"Name the {wanted}s in it.", path=path)
        if path.exists() and not path.is_file():
            raise RefusedError(what, "it is not a file", f"Name a {wanted}.", path=path)
        if (size := path.stat().st_size) > largest:
            why = f"it has {size:,} bytes, and {kind} at most {largest:,}"
            raise RefusedError(what, why, f"Name a {wanted}.", path=path, size=size)
        return path.read_bytes()
    except FileNotFoundError:
        raise RefusedError(what, "there is no such file", "Check the name.", path=path) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RefusedError(what, why.lower(), "Check the file and its permissions.", path=path) from error


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and a note where some of its bytes were not what they should be."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), ()
    text = data.decode("utf-8-sig", "surrogateescape")
    text, count = re.subn("[\udc80-\udcff]", lambda m: bytes([ord(m[0]) - 0xDC00]).decode("cp1252", "replace"), text)
    return text, (f"{count} bytes are no UTF-8 and were read as Windows-1252",) if count else ()


def lines(text: str) -> list[str]:
    """The lines of a text, without their ends, whichever of the three ends it has."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
