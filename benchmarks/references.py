"""Explicit references against the known truth of real repositories: precision and recall of the links they make.

A truth holds every pair of commit and task that the commit's message names. Where it does not say which of several
tasks an id meant (the id was used again), it holds none of them: links made there can be neither confirmed nor
refuted. They are counted as `open`, and `strict` is the precision if every one of them were wrong.
"""

import argparse
import json
import lzma
import sys
import time
from pathlib import Path
from typing import NamedTuple

from dashkit.linking import bearers
from dashkit.linking.ids import normal

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "linking"
HOMES = {"datasette": "simonw/datasette"}


class Score(NamedTuple):
    """Counts of pairs of commit and task."""

    right: int
    wrong: int
    missed: int
    left_open: int
    ambiguous: int

    @property
    def precision(self):
        """How many of the links made are right, of those that the truth judges."""
        return self.right / (self.right + self.wrong)

    @property
    def strict(self):
        """The same if all links that it does not judge were wrong."""
        return self.right / (self.right + self.wrong + self.left_open)

    @property
    def recall(self):
        """How many of the true pairs are linked."""
        return self.right / (self.right + self.missed)


def rows(folder, name):
    """The rows of one file of a repository's data."""
    with lzma.open(folder / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def named(place, row):
    """A task of the data; ~2 marks the second of an id, and a Markdown task is a file of its own."""
    written = row["id"].partition("~")[0]
    source = row["id"] if written.startswith("task-") else "register"
    life = (row["created_at"], row["closed_at"], row["deleted_at"])
    return bearers.Named(place, (written, *row["aliases"]), source, *life, row["title"])


def judge(folder):
    """Link one repository's commits, and hold the links against its truth."""
    tasks, commits = rows(folder, "tasks"), rows(folder, "commits")
    names = [row["id"] for row in tasks]
    named_tasks = [named(place, row) for place, row in enumerate(tasks)]
    said = [bearers.Said(row["sha"], row["timestamp"], row["message"]) for row in commits]
    links, ambiguous = bearers.link(named_tasks, said, HOMES.get(folder.name, ""))
    truth = {(row["sha"], row["task_id"]) for row in rows(folder, "truth")}
    made = {(link.sha, names[link.task_id]) for link in links}
    shared = {}
    for task in named_tasks:
        for known in {normal(each) for each in task.ids}:
            shared.setdefault(known, set()).add(names[task.task_id])
    rivals = {}
    for group in shared.values():
        for name in group:
            rivals.setdefault(name, set()).update(group - {name})
    silent = {(s, n) for s, n in made - truth if rivals[n] and not any((s, other) in truth for other in rivals[n])}
    wrong = made - truth - silent
    return Score(len(made & truth), len(wrong), len(truth - made), len(silent), len(ambiguous)), wrong, truth - made


def repositories(data):
    """The folders of the data; none where it is not there."""
    return sorted(folder for folder in data.glob("*") if (folder / "truth.jsonl.xz").is_file())


def show(name, score, seconds):
    ratios = f"{score.precision:9.4f} {score.recall:9.4f} {score.strict:9.4f}"
    print(f"{name:12} {' '.join(f'{count:9}' for count in score)} {ratios} {seconds:9.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N wrong and N missed pairs of each")
    arguments = parser.parse_args()
    found = repositories(arguments.data)
    if not found:
        print(
            f"nothing was measured: there is no linking data in {arguments.data}; name it with --data", file=sys.stderr
        )
        return 2
    head = ("right", "wrong", "missed", "open", "ambiguous", "precision", "recall", "strict", "seconds")
    print(f"{'repository':12}", *(f"{word:>9}" for word in head))
    total, began = Score(0, 0, 0, 0, 0), time.perf_counter()
    for folder in found:
        started = time.perf_counter()
        score, wrong, missed = judge(folder)
        show(folder.name, score, time.perf_counter() - started)
        total = Score(*map(sum, zip(total, score, strict=True)))
        for kind, pairs in (("wrong", wrong), ("missed", missed)):
            for pair in sorted(pairs)[: arguments.show]:
                print("   ", kind, *pair)
    show("pooled", total, time.perf_counter() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
