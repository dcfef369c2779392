"""Real histories of task files, and the script that makes a git repository of one; they are not on every machine."""

import subprocess
import sys
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"
SCRIPT = SHARED / "tools" / "replay_history.py"
BEADS = SHARED / "data" / "beads" / "issues-history.jsonl.xz"
LISTS = sorted((SHARED / "data" / "tasklists" / "history").glob("*.jsonl.xz"))


def rebuilt(folder, recorded, name, limit=None):
    """A git repository of a recorded history, or of its first versions, made by the script that comes with it."""
    more = [] if limit is None else ["--limit", str(limit)]
    subprocess.run([sys.executable, SCRIPT, recorded, name, folder, *more], check=True)
    return folder
