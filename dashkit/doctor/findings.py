"""What a finding is."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not good (a note may stay as it is).

    In a remedy what stands in backticks is carried out as it is: commands of a shell, and statements of SQL.
    """

    check: str
    state: State
    found: str
    remedy: str = ""


def sql(*statements: str) -> str:
    """Statements as they are typed into the program sqlite3, which begins to work at a semicolon."""
    return f"`{'; '.join(statements)};`"
