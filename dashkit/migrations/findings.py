"""What a look at a database finds of a change, and what every kind of change has."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

from dashkit.migrations.lost import Lost

State = Literal["missing", "there", "in the way"]


@dataclass(frozen=True)
class Finding:
    """What a look found: the state, why something is in the way and what to do about it, and notes for the report.

    `is_earlier`: what is missing is there as an earlier commit made it. `lost`: what is there has lost a part.
    `is_needless`: it has nothing to work on here.
    """

    state: State
    why: str = ""
    notes: tuple[str, ...] = ()
    is_earlier: bool = False
    lost: tuple[Lost, ...] = ()
    is_needless: bool = False
    remedy: str = field(default="", kw_only=True)


MISSING = Finding("missing")
EARLIER = Finding("missing", is_earlier=True)
THERE = Finding("there")
NEEDLESS = Finding("there", is_needless=True)


@dataclass(frozen=True, eq=False, repr=False)
class Described:
    """What all kinds of change have: a name, their line in the report before and after, and their SQL.

    Each is made once, and equal to itself alone: what would compare and print all values takes time at every start.
    """

    name: str
    todo: str
    done: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def sql(self) -> str:
        """The statement, as it is recorded."""
        raise NotImplementedError

    @property
    def checksum(self) -> str:
        """SHA-256 of the SQL text, shortened: a released change never changes."""
        import hashlib

        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]

    def statements(self, conn: sqlite3.Connection) -> Iterator[str]:  # noqa: ARG002 - one signature for all kinds
        """What brings it into this database, one by one; the last one tells how many rows it touched."""
        yield self.sql

    def reading(self, conn: sqlite3.Connection) -> AbstractContextManager[None]:  # noqa: ARG002 - one signature for all
        """What is to be there while its statements run."""
        return nullcontext()


def counted(number: int, noun: str) -> str:
    """`1,587 tasks`, `1 task`, `1 dependency`."""
    one = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{number:,} {one if number == 1 else noun}"
