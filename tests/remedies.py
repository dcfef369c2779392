"""What `dashkit doctor` and refusals advise, done to the letter."""

import re
import shlex
import sqlite3
import subprocess
from contextlib import closing

from dashkit import doctor
from dashkit.cli import main

SHELL = ("rm ", "sqlite3 ")
NEEDS_A_PERSON = re.compile(r"\b(ID|SHA|REPO)\b")


def bad(path):
    """The findings that are not good."""
    return [one for one in doctor.examine(path).findings if one.state != "good"]


def choices(remedy):
    """The letters of the ways of which a remedy lets people choose one."""
    return re.findall(r"\(([ab])\) ", remedy)


def carry_out(path, remedy, choice="a"):
    """Do what a remedy says: its commands and its SQL, as they stand there, and of choices one; how many."""
    done = 0
    others = rf"\([ab]\) (?<!\({choice}\) ).*?(?=\([ab]\) |Choose one|Run this SQL|Then `)"
    for words in re.findall(r"`([^`]+)`", re.sub(others, "", remedy)):
        if words in ("dashkit doctor", f"dashkit doctor --db {path}"):
            done += sum(carry_out(path, one.remedy) for one in bad(path))
            continue
        if NEEDS_A_PERSON.search(words) or words.startswith("--"):
            continue
        if words.startswith("dashkit "):
            named = [] if "--db" in words else ["--db", str(path)]
            assert main([*shlex.split(words)[1:], *named]) in (0, 1), words
        elif words.startswith(SHELL):
            subprocess.run(words, shell=True, check=True, cwd=path.parent)
        else:
            assert words.endswith(";"), "the program sqlite3 waits for one"
            with closing(sqlite3.connect(path)) as conn:
                conn.executescript(words.replace("YYYY-MM-DD", "2025-11-01"))  # the date that a person puts there
        done += 1
    return done
