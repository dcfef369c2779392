"""A database of version 2.1 as commit 1ca1671 made it, and the repository that it was read from (data/README.md)."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from builders import statements
from repositories import commit, git
from repositories import repository as empty

DUMP = Path(__file__).parent / "data" / "version_2_1_of_1ca1671.sql"
PLACE = "/srv/demo/shop"  # where the repository was
_TASKS = [
    "# Shop\n\n- [ ] SHOP-1 Draw the plan\n- [ ] SHOP-2 Order the wood\n- [ ] Sweep the floor\n",
    "# Shop\n\n- [x] SHOP-1 Draw the plan\n- [ ] SHOP-2 Order the wood\n- [ ] Sweep the floor\n\n## Later\n\n"
    "- [ ] SHOP-3 Paint the door\n",
    "# Shop\n\n- [x] SHOP-1 Draw the plan\n- [x] SHOP-2 Order the wood\n\n## Later\n\n- [ ] SHOP-3 Paint the door\n"
    "- [ ] SHOP-4 Hang the sign\n",
    "# Shop\n\n- [x] SHOP-1 Draw the plan\n- [x] SHOP-2 Order the wood\n\n## Later\n\n- [ ] SHOP-3 Paint the door\n"
    "- [ ] SHOP-4 Hang the sign\n- [ ] SHOP-5 Open the shop\n",
]
_MESSAGES = ["Plan the shop", "Draw it\n\nCloses SHOP-1", "SHOP-2: order oak", "Think of the opening (SHOP-5)"]


def repository(folder: Path, commits: int = len(_TASKS)) -> Path:
    """The repository, the same to the sha wherever it is made; later commits can be added to the first ones."""
    made = folder if (folder / ".git").is_dir() else empty(folder)
    there = len(git(made, "log", "--all", "--format=%H").split())
    for place in range(there, commits):
        when = f"2026-01-{5 + 7 * place:02}T10:00:00+00:00"
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        commit(made, _MESSAGES[place], {"TODO.md": _TASKS[place]}, **dates)
    return made


def database(path: Path, place: Path | str = PLACE) -> Path:
    """The database, as if its repository had been at `place`."""
    text = DUMP.read_text(encoding="utf-8").replace(PLACE, os.fspath(place))
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("BEGIN")  # one sync for the whole file
        for statement in statements(text):
            conn.execute(statement)
    return path


def definitions() -> list[str]:
    """The statements that make its tables, indexes and triggers."""
    found = (statement.strip().removesuffix(";") for statement in statements(DUMP.read_text(encoding="utf-8")))
    return [statement for statement in found if statement.startswith("CREATE ")]
