"""The command `dashkit show`, run in this process."""

import argparse

from dashkit.cli import show


def run(path, *words):
    """`dashkit show` with these words; what main() does, without its handling of errors."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--db", default=str(path))
    parser = argparse.ArgumentParser()
    show.register(parser.add_subparsers(), common)
    args = parser.parse_args(["show", *words])
    return args.run(args)
