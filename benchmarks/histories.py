"""Made-up histories of any size for the benchmarks: the same rows in each run, a million tasks within two minutes."""

import numpy as np

END = np.datetime64("2026-06-30T12:00:00.000")
YEARS = 2
HOUR = 3_600_000  # milliseconds

# What becomes of a task, and how often; each step is an event that carries only what changes.
CREATE = {"op": "insert", "status": "pending", "checked": 0, "blocked_reason": ""}
WORK, REVIEW, CANCEL = {"status": "in_progress"}, {"status": "review"}, {"status": "cancelled"}
DONE, REOPEN = {"status": "completed", "checked": 1}, {"status": "in_progress", "checked": 0}
GONE, BACK, DELETE = {"op": "gone"}, {"op": "back"}, {"op": "delete"}
FREE = {"status": "in_progress", "blocked_reason": ""}
REASONS = ["Waiting for keys", "No decision yet", "Test machine is down", "Supplier has not answered"]
STUCK = [{"status": "blocked", "blocked_reason": reason} for reason in REASONS]
LIVES = [
    (10, [CREATE]),
    (22, [CREATE, WORK, DONE]),
    (8, [CREATE, WORK, REVIEW, WORK, REVIEW, DONE]),
    (5, [CREATE, CANCEL]),
    (4, [CREATE, WORK, GONE, BACK, DONE]),
    (2, [CREATE, WORK, GONE]),
    (3, [CREATE, WORK, DONE, DELETE]),
    (1, [CREATE, WORK, DONE, DELETE, CREATE, WORK, DONE]),  # SQLite gave the id again
    *((8, [CREATE, WORK, stuck, FREE, REVIEW, DONE]) for stuck in STUCK),
    (16, [CREATE, WORK, STUCK[0], STUCK[1], FREE, DONE, REOPEN, STUCK[2], FREE, DONE]),
]
STATE = ("status", "checked", "blocked_reason")
SIZES = np.array([None, "S", "M", "L", "XL"], dtype=object)


def fill(conn, tasks):
    """Fill an empty database of version 2.1 with so many lives of tasks, about five times as many events, and commits.

    Nothing is watched while it is written; the rows of now are what their events say.
    """
    rng = np.random.default_rng(tasks)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("UPDATE event_context SET suspended = 1")
    conn.executemany("INSERT INTO projects (name) VALUES (?)", [(f"Project {n}",) for n in range(1, 9)])
    weights = np.array([weight for weight, _ in LIVES], dtype=float)
    lives = rng.choice(len(LIVES), tasks, p=weights / weights.sum())
    size, project = rng.integers(0, len(SIZES), tasks), np.arange(tasks) % 8 + 1
    born = END - (np.sort(rng.random(tasks))[::-1] * YEARS * 365 * 24 * HOUR).astype("timedelta64[ms]")
    steps = np.array([len(life) for _, life in LIVES])[lives]
    task = np.repeat(np.arange(tasks), steps)
    first = np.repeat(np.cumsum(steps) - steps, steps)
    step = np.arange(len(task)) - first
    pauses = (rng.exponential(120 * HOUR, len(task)) + 1).astype("int64")
    pauses[step == 0] = 0
    passed = np.cumsum(pauses)
    occurred = born[task] + (passed - passed[first]).astype("timedelta64[ms]")
    # One in fifty was found later, in a version of a file; the deletions of an id keep their place.
    deleted = np.array([DELETE in life for _, life in LIVES])[lives][task]
    late = (rng.random(len(task)) < 0.02) & ~deleted & (step > 0)
    recorded = occurred + (late * rng.exponential(200 * HOUR, len(task))).astype("timedelta64[ms]")
    here = np.flatnonzero((occurred <= END) & (recorded <= END))
    order = here[np.argsort(recorded[here], kind="stable")]
    _events(conn, order, task, lives, step, late, occurred, recorded, size, project)
    _rows(conn, task[here], lives, step[here], size, project, born)
    _dependencies(conn, rng, tasks, born)
    _commits(conn, rng, max(tasks // 5, 1))
    conn.execute("UPDATE event_context SET suspended = 0")
    conn.commit()


def live(conn):
    """Half a year in the sample: what people and servers do, late history of a file, and commits."""
    rng = np.random.default_rng(1)
    ids = [key for (key,) in conn.execute("SELECT id FROM tasks WHERE NOT checked ORDER BY id")]
    conn.execute("BEGIN")
    for key in rng.choice(ids, 500, replace=False).tolist():
        for event in LIVES[int(rng.integers(1, len(LIVES)))][1][1:]:
            values = {column: event[column] for column in STATE if column in event}
            if values:
                marks = ", ".join(f"{column} = :{column}" for column in values)
                conn.execute(f"UPDATE tasks SET {marks} WHERE id = {key}", values)
    # Triggers saw all of it just now: spread it over the half year before, and move the migration before that.
    now = np.datetime64("now", "ms")
    (migrated,) = _texts(now[None] - np.timedelta64(181 * 24 * HOUR, "ms"))
    conn.execute("UPDATE task_events SET occurred_at = ? WHERE op = 'baseline'", (migrated,))
    conn.execute("UPDATE task_events SET recorded_at = ?", (migrated,))
    new = [key for (key,) in conn.execute("SELECT event_id FROM task_events WHERE op = 'update' ORDER BY event_id")]
    when = _texts(now - np.sort(rng.random(len(new)) * 180 * 24 * HOUR)[::-1].astype("timedelta64[ms]"))
    conn.executemany(
        "UPDATE task_events SET occurred_at = ?1, recorded_at = ?1 WHERE event_id = ?2", zip(when, new, strict=True)
    )
    _commits(conn, rng, 800)
    conn.execute("COMMIT")


def _texts(instants):
    return np.char.add(np.datetime_as_string(instants, unit="ms"), "Z").tolist()


def _events(conn, order, task, lives, step, late, occurred, recorded, size, project):
    told = [
        [tuple(event.get(key) for key in ("op", *STATE)) for event in life] for _, life in LIVES
    ]  # life, step -> values
    rows = zip(
        (task[order] + 1).tolist(),
        _texts(occurred[order]),
        _texts(recorded[order]),
        lives[task[order]].tolist(),
        step[order].tolist(),
        late[order].tolist(),
        SIZES[size[task[order]]].tolist(),
        project[task[order]].tolist(),
        strict=True,
    )

    def values():
        for number, when, known, life, place, is_late, sized, belongs in rows:
            op, *state = told[life][place]
            new = op == "insert"
            source = "git:0123456789abcdef" if is_late else "trigger"
            birth = (belongs, sized or "", f"Task {number} of a made-up plan") if new else (None, None, None)
            yield number, when, known, op or "update", *state, *birth, source

    conn.executemany(
        "INSERT INTO task_events (task_id, occurred_at, recorded_at, op, status, checked, blocked_reason, project_id,"
        " complexity, title, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values(),
    )


def _rows(conn, task, lives, step, size, project, born):
    """The rows of now, column by column what the events leave (a late event may be missing: the others stand)."""
    state = np.full((lives.size, len(STATE)), None, dtype=object)
    gone = np.ones(lives.size, dtype=bool)
    carried = {(life, place): event for life, (_, events) in enumerate(LIVES) for place, event in enumerate(events)}
    for place in range(max(len(life) for _, life in LIVES)):
        mine = task[step == place]
        for life in range(len(LIVES)):
            event = carried.get((life, place))
            if event is None:
                continue
            some = mine[lives[mine] == life]
            gone[some] = event is DELETE
            for column, key in enumerate(STATE):
                if key in event:
                    state[some, column] = event[key]
    kept = np.flatnonzero(~gone)
    conn.executemany(
        "INSERT INTO tasks (id, title, status, checked, blocked_reason, complexity, project_id, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?)",
        zip(
            (kept + 1).tolist(), [f"Task {n + 1} of a made-up plan" for n in kept], *state[kept].T.tolist(),
            SIZES[size[kept]].tolist(), project[kept].tolist(), _texts(born[kept]), _texts(born[kept]), strict=True,
        ),
    )  # fmt: skip


def _dependencies(conn, rng, tasks, born):
    """One task in twenty waits for an earlier one that is still there; some wait no longer."""
    some = np.flatnonzero(rng.random(tasks) < 0.05)
    some = some[some > 0]
    other = some - 1 - (rng.random(some.size) * np.minimum(some, 200)).astype(int)
    lifted = (rng.random(some.size) < 0.1).tolist()
    begun, ended = _texts(born[some]), _texts(np.minimum(born[some] + np.timedelta64(900 * HOUR, "ms"), END))
    events = []
    here = {key for (key,) in conn.execute("SELECT id FROM tasks")}
    pairs = []
    for task, on, start, end, lift in zip((some + 1).tolist(), (other + 1).tolist(), begun, ended, lifted, strict=True):
        if task in here and on in here:
            events.append((task, on, "add", start, start))
            if lift:
                events.append((task, on, "remove", end, end))
            else:
                pairs.append((task, on))
    events.sort(key=lambda event: event[4])
    conn.executemany("INSERT INTO task_dependencies VALUES (?, ?)", pairs)
    conn.executemany(
        "INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, source)"
        " VALUES (?, ?, ?, ?, ?, 'trigger')",
        events,
    )


def _commits(conn, rng, count):
    """Commits of one repository, one in three linked with a task."""
    when = _texts(END - (rng.random(count) * YEARS * 365 * 24 * HOUR).astype("timedelta64[ms]"))
    lines, who = rng.integers(1, 300, (2, count)).tolist(), rng.integers(0, 30, count).tolist()
    shas = [f"{n:040x}" for n in range(count)]
    ids = [key for (key,) in conn.execute("SELECT id FROM tasks LIMIT ?", (count,))]
    conn.execute("INSERT INTO git_repos (id, project_id, path, name) VALUES ('r', 1, '/r', 'r')")
    conn.executemany(
        "INSERT INTO git_commits (sha, repo_id, author, author_email, message, timestamp, recorded_at, is_merge,"
        " files_changed, insertions, deletions) VALUES (?, 'r', ?, ?, ?, ?, ?, 0, 1, ?, ?)",
        zip(
            shas, [f"Author {n}" for n in who], [f"a{n}@example.org" for n in who],
            [f"Change number {n}" for n in range(count)], when, when, *lines, strict=True,
        ),
    )  # fmt: skip
    conn.executemany("INSERT INTO git_repo_commits (repo_id, sha) VALUES ('r', ?)", ((sha,) for sha in shas))
    conn.executemany(
        "INSERT INTO task_commit_links (id, task_id, commit_sha, confidence, link_type)"
        " VALUES (?, ?, ?, 1.0, 'explicit')",
        ((f"l{n}", ids[n % len(ids)], shas[n]) for n in range(0, count if ids else 0, 3)),
    )
