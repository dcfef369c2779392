"""Databases of which the past is told as stories: how many days ago each task became what."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from builders import insert, insert_all, query, v2_1_database

from dashkit import times

NOW = datetime(2025, 12, 1, tzinfo=UTC)
OPEN, FINISHED = 30, 180
ROW = "(task_id, occurred_at, recorded_at, op, project_id, title, status, checked, source)"


def at(days):
    """The stored instant so many days before now."""
    return times.to_text(NOW - timedelta(days=days))


def made(path, stories):
    """A database of tasks by their stories: (days ago, status) each; `completed` ticks the box, others take it off."""
    v2_1_database(path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE event_context SET suspended = 1")
        for task, story in enumerate(stories, 1):
            for place, (days, status) in enumerate(story):
                op, done = "update" if place else "insert", int(status == "completed")
                image = (task, at(days), at(days), op, 1, "T", status, done, "trigger")
                conn.execute(f"INSERT INTO task_events {ROW} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", image)
            sql = "INSERT INTO tasks (id, project_id, title, status, checked) VALUES (?, 1, 'T', ?, ?)"
            conn.execute(sql, (task, status, int(status == "completed")))
        conn.execute("UPDATE event_context SET suspended = 0")
    return path


def steady():
    """Three tasks a day for sixty days, each done within a day; thirty that are open all the time."""
    yield from ([(day + 0.9, "pending"), (day + hour / 24, "completed")] for day in range(60) for hour in (1, 2, 3))
    yield from ([(61, "pending")] for _ in range(OPEN))


def linked(path, messages):
    """A commit for each message, made in the last days, and linked with a task, less and less surely."""
    has_holders = bool(query(path, "SELECT 1 FROM sqlite_schema WHERE name = 'git_repo_commits'"))
    insert_all(path, _linked(messages, has_holders))


def _linked(messages, has_holders):
    yield "git_repos", {"id": "r", "project_id": 1, "path": "/r"}
    now = datetime.now(UTC)
    for place, message in enumerate(messages):
        sha, when = f"{place:040x}", times.to_text(now - timedelta(hours=7 * place + 1))
        yield "git_commits", {"sha": sha, "repo_id": "r", "author": "A", "message": message, "timestamp": when}
        if has_holders:
            yield "git_repo_commits", {"repo_id": "r", "sha": sha}
        link = {"task_id": place + 1, "commit_sha": sha, "link_type": "inferred", "confidence": 1 - 0.1 * (place % 6)}
        yield "task_commit_links", {"id": f"l{place}", **link}


def lively(path):
    """A database in which so much happened that every picture has something to show."""
    ago = (NOW - datetime.now(UTC)) / timedelta(days=1)  # stories are told from another day
    stories = [*steady(), [(50, "pending"), (9, "in_progress")], [(40, "pending"), (3, "blocked")]]
    made(path, [[(days + ago, status) for days, status in story] for story in stories])
    insert(path, "task_dependencies", task_id=200, depends_on_id=201)
    linked(path, [f"feat: number {number}" for number in range(8)])
    return path
