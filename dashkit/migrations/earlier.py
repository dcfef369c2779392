"""Version 2.1 as earlier commits made it: by what its changes are known, and what is elsewhere now.

2.1 is not released, so its changes may change in place, and files of developers hold what they were before.
"""

from dashkit.migrations.moves import Move

# By the name of a table or trigger the digests of what it was (shape.digest): such a one is made again. Of a trigger
# also that of its text where the table says nothing of its times.
WORDS = {
    "session_evidence": ("298f266540a60940",),
    "dashkit_task_insert": ("197a2011d47b0a93", "ff9027d316cb7704", "bf42d019676b806e"),
    "dashkit_task_update": ("a7c60d38eeaa5ae2", "98f5999894c9cb27", "e5f68396267c51f1"),
    "dashkit_task_delete": ("66c1b2feab932c31", "e38a19533a7e54fa", "5cc8dc91dadb3368"),
    "dashkit_dependency_insert": ("ee9dea85dccd6e07",),
    "dashkit_dependency_delete": ("d511898ce248d76a",),
}
# By the name of a change the checksums that it was recorded with: they are no drift.
CHECKSUMS = {
    "backfill arrivals": ("2aa762c52bf51111",),
    "backfill completions": ("d67438486200c9f8",),
    "session_evidence": ("750291c5cad692e2",),
    "dashkit_task_insert": ("32544502715dbd80", "6bf03f4890217174"),
    "dashkit_task_update": ("9defce67307d1132", "be06eb2fef5a1691"),
    "dashkit_task_delete": ("6ea6a63781b4b336", "0b6290023a79364c"),
    "baseline of dependencies": ("c58a499e661f1034",),
    "dashkit_dependency_insert": ("65288ea0d4d5eebe",),
    "dashkit_dependency_delete": ("a1f477fd3bb6c0ea",),
}

# A row of ingest_files that is a mark of ours and nothing else: of a log file more is known.
_OF_FILES = ("size", "mtime_ns", "inode", "dev", "offset", "head_digest", "bad", "gone_at")
_IS_MARK = (
    "({row}.path GLOB 'tasks:[0-9]*:*' OR {row}.path GLOB 'links:[0-9]*') AND json_valid({row}.tail_digest) AND "
    "coalesce(" + ", ".join(f'{{row}}."{column}"' for column in _OF_FILES) + ") IS NULL"
)
_IS_READ = "CASE WHEN json_valid({row}.refs) THEN json_type({row}.refs, '$.refs') IS 'object' END"

MOVES = (
    Move(
        "marks of sources and links",
        "Move {count} from ingest_files to checkpoints",
        "Moved {count} from ingest_files to checkpoints",
        "checkpoints",
        "ingest_files",
        key="{row}.path",
        value="{row}.tail_digest",
        which=_IS_MARK,
        carried=("path", "tail_digest", "first_seen"),
        noun="marks",
    ),
    Move(
        "marks of repositories",
        "Copy {count} from git_repos to checkpoints",
        "Copied {count} from git_repos to checkpoints",
        "checkpoints",
        "git_repos",
        key="'git:' || {row}.id",
        value="{row}.refs",
        which=_IS_READ,
        carried=("refs",),
        removes=False,
        noun="marks",
    ),
)
