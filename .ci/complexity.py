"""Refuse functions that are too complex: above 15 by radon, or above the ceiling that .ci/complexity.txt has for them.

    python .ci/complexity.py [--lower]

The list of ceilings may only shrink. A function that became simpler gets its line lowered, or taken out, by `--lower`;
until then the check fails, so that the lower value holds from then on.
"""  # noqa: INP001 - a script, no package

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Function

HIGHEST = 15
HEADER = f"# The ceiling of each function above {HIGHEST}, by radon. A line may go, or go down; none is added."


def measured(root: Path) -> dict[str, int]:
    """The complexity of every function of the package: `path name` or `path Class.name` -> radon's number."""
    found: dict[str, int] = {}
    for path in sorted((root / "dashkit").rglob("*.py")):
        for block in cc_visit(path.read_text("utf-8")):
            if isinstance(block, Function):
                found[f"{path.relative_to(root).as_posix()} {block.fullname}"] = block.complexity
    return found


def read(ceilings: Path) -> dict[str, int]:
    """The ceilings: what they are for -> the number."""
    lines = [line for line in ceilings.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {name: int(number) for name, _, number in (line.rpartition(" ") for line in lines)}


def complaints(found: Mapping[str, int], ceilings: Mapping[str, int]) -> Iterator[str]:
    """What is to be done about each function that is too complex, and about each ceiling that is too high."""
    for name, number in found.items():
        if number > ceilings.get(name, HIGHEST):
            yield f"{name}: complexity {number}, allowed are {ceilings.get(name, HIGHEST)}. Split it."
    for name, ceiling in ceilings.items():
        if found.get(name, 0) < ceiling:
            now = found.get(name, "gone")
            yield f"{name}: its ceiling is {ceiling}, and it is {now} now. Run .ci/complexity.py --lower."


def lowered(found: Mapping[str, int], ceilings: Mapping[str, int]) -> dict[str, int]:
    """The ceilings without those that are no longer needed; none goes up, and none is added."""
    still = {name: min(found[name], ceiling) for name, ceiling in ceilings.items() if name in found}
    return {name: ceiling for name, ceiling in still.items() if ceiling > HIGHEST}


def main() -> int:
    """Check, or lower the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lower", action="store_true", help="lower the ceilings to what the functions are now")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help=argparse.SUPPRESS)
    args = parser.parse_args()
    file = args.root / ".ci" / "complexity.txt"
    found, ceilings = measured(args.root), read(file)
    if args.lower:
        lines = [f"{name} {ceiling}" for name, ceiling in lowered(found, ceilings).items()]
        file.write_text("\n".join([HEADER, *lines, ""]), "utf-8")
        ceilings = read(file)
    told = list(complaints(found, ceilings))
    for complaint in told:
        print(complaint)  # noqa: T201 - what a check is for
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
