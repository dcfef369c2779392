"""Databases to hold a frame or a picture against: one with something everywhere, and one full of nonsense."""

import itertools
from pathlib import Path

from builders import insert_all, v2_database


def full_database(path: Path, make=v2_database) -> Path:
    """A database with something in every frame and in every column of it."""
    make(
        path,
        projects=["Alpha", "Beta", "Empty"],
        tasks=[
            {"title": "done", "checked": 1, "status": "pending", "complexity": "XL", "completed_at": "2025-11-20"},
            {"title": "open", "complexity": "S", "status": "in_progress"},
            {"title": "no size", "complexity": None},
            {"title": "dropped", "status": "cancelled", "complexity": "L"},
            {"title": "dropped, yet done", "status": "cancelled", "checked": 1},
            {"title": "stuck", "status": "blocked", "blocked_reason": "no key",
             "created_at": "2025-11-27 12:00:00", "updated_at": "2025-11-27 12:00:00"},
            {"title": "stuck, touched", "status": "blocked", "created_at": "2025-01-01", "updated_at": "2025-01-02"},
            {"title": "stuck longer", "status": "blocked", "project_id": 2,
             "created_at": "2025-11-01T02:00:00+02:00", "updated_at": "2025-11-01T02:00:00+02:00"},
            {"title": "was stuck", "status": "blocked", "checked": 1, "project_id": 2,
             "completed_at": "2025-11-21T10:00:00.000Z"},
            {"title": "of no project", "project_id": 77, "status": "blocked"},
        ],
    )  # fmt: skip
    insert_all(path, _beside())
    return path


def _beside():
    """Commits, sessions and links of a database with something everywhere."""
    yield "git_repos", {"id": "r", "project_id": 1, "path": "/r", "name": "r"}
    for sha, told in {
        "c1": {"message": "\n Fix it\n\nx", "timestamp": "2025-11-21T13:00:00+02:00"},
        "c2": {"message": " ", "timestamp": ""},
        "c3": {"message": "odd", "insertions": "many"},
    }.items():
        yield "git_commits", {"sha": sha, "repo_id": "r", **told}
    yield (
        "llm_sessions",
        {"id": "s1", "project_id": 2, "summary": "Talk\r\nmore", "started_at": "2025-11-21 10:30:00"},
    )
    for sha, confidence, evidence in (("c1", 0.9, '{"rule": "id"}'), ("c2", 0.6, None)):
        link = {"task_id": 1, "commit_sha": sha, "confidence": confidence, "link_type": "inferred"}
        yield "task_commit_links", {"id": sha, "evidence": evidence, **link}
    link = {"task_id": 2, "session_id": "s1", "confidence": 1, "link_type": "explicit"}
    yield "task_session_links", {"id": "l", **link}


def hostile_database(path: Path, make=v2_database) -> Path:
    """A database in which nearly every value is something else than its column promises."""
    make(path, projects=["Alpha; DROP TABLE tasks", "<b>Be\x00ta\u202e</b>"])
    numbers = ["abc", 1.5, b"\x01\x02", "", None, "1e3", 9e99, float("inf"), "0x10", " 7 "]
    instants = [
        "yesterday",
        "",
        None,
        1764259797,
        b"2025-11-27",
        "2025-02-30",
        "infinity",
        "epoch",
        "2025-11-27T25:00Z",
    ]
    insert_all(path, _nonsense(numbers, instants))
    return path


def _nonsense(numbers, instants):
    """Rows of every table, each with its name."""
    for number, instant in itertools.zip_longest(numbers, instants):
        yield (
            "tasks",
            {
                "project_id": number if number is not None else 1,
                "phase_id": number,
                "title": f"=cmd|' /C calc'!A0 {number!r}",
                "status": "blocked" if number == 1.5 else b"blocked",
                "checked": number,
                "created_at": instant,
                "updated_at": instant,
                "completed_at": instant,
            },
        )
    yield "git_repos", {"id": "r", "project_id": "none", "path": "/x"}
    for n, (number, instant) in enumerate(itertools.product(numbers, ["", "2025-11-27T10:00:00+02:00", 3.5])):
        told = {"message": "\n \n", "timestamp": instant, "insertions": number}
        yield "git_commits", {"sha": f"c{n}", "repo_id": "r", **told}
        yield "llm_sessions", {"id": f"s{n}", "project_id": number, "summary": None, "started_at": instant}
    for n in range(6):
        evidence = ["{", b"{}", None, "\x00", 5, "[" * 5000][n]
        link = {"task_id": n, "commit_sha": f"c{n}", "confidence": 0.1 * n, "link_type": "x", "evidence": evidence}
        yield "task_commit_links", {"id": n, **link}
