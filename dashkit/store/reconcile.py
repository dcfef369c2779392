"""Changes that no trigger saw, because a backup was restored or a table rebuilt: found, and recorded as events."""

import sqlite3

from dashkit.store import events, parents, rows, runs

_DELETED = """
INSERT INTO task_events (task_id, op, occurred_at, recorded_at, not_before, source)
SELECT task_id, 'delete', max(:now, newest), :now, :since, 'reconcile'
FROM (SELECT task_id, op, max(event_id) FROM task_events GROUP BY task_id)
JOIN (SELECT task_id, max(occurred_at) AS newest FROM task_events GROUP BY task_id) USING (task_id)
WHERE op <> 'delete' AND task_id NOT IN (SELECT id FROM tasks) ORDER BY task_id
"""
_PAIR = "CAST(task_id AS INTEGER) AS task_id, CAST(depends_on_id AS INTEGER) AS depends_on_id"
# Ids are compared as numbers, whatever the columns are declared as.
_DEPENDENCIES = f"""
WITH last AS (
    SELECT {_PAIR}, op, occurred_at, max(event_id) FROM dependency_events GROUP BY 1, 2
), here AS (
    SELECT DISTINCT {_PAIR} FROM task_dependencies WHERE task_id IS NOT NULL AND depends_on_id IS NOT NULL
)
INSERT INTO dependency_events (task_id, depends_on_id, op, occurred_at, recorded_at, not_before, source)
SELECT task_id, depends_on_id, 'add', max(:now, coalesce(occurred_at, '')), :now, :since, 'reconcile'
FROM here LEFT JOIN last USING (task_id, depends_on_id) WHERE coalesce(op, 'remove') = 'remove'
UNION ALL
SELECT task_id, depends_on_id, 'remove', max(:now, occurred_at), :now, :since, 'reconcile'
FROM last WHERE op <> 'remove' AND (task_id, depends_on_id) NOT IN (SELECT task_id, depends_on_id FROM here)
ORDER BY 1, 2
"""  # noqa: S608 - ours


def record(conn: sqlite3.Connection, now: str) -> tuple[int, int]:
    """Record an event for each task and dependency that is not what its events say; how many tasks and dependencies.

    It changed since the last run that looked. As the triggers do, the event keeps what the row says about its times
    where the life of the task begins or its box is ticked again: so the tasks of a table that was restored or rebuilt
    keep their dates.
    """
    values = {"now": now, "since": runs.last_look(conn)}
    tasks = _insert(conn, _changed(conn), values) + _insert(conn, _DELETED, values)
    return tasks, _insert(conn, _DEPENDENCIES, values) if parents.has_dependencies(conn) else 0


def _insert(conn: sqlite3.Connection, sql: str, values: rows.Values) -> int:
    """Run a statement that inserts; how many rows. Python's own count knows no statement that begins by WITH."""
    conn.execute(sql, values)
    return int(conn.execute("SELECT changes()").fetchone()[0])


def _changed(conn: sqlite3.Connection) -> str:
    columns = ", ".join(events.WATCHED)
    changed = ", ".join(
        f"CASE WHEN {events.said(column)} IS NOT {events.latest(column)} THEN {events.said(column)} END AS {column}"
        for column in events.WATCHED
    )
    here, kept = rows.columns(conn, "tasks"), rows.columns(conn, "task_events")
    # Every life begins with a title. A file that an earlier commit made has no columns for these texts.
    said = [one for one in ("created_at", "completed_at") if one in here and f"said_{one}" in kept]
    names = "".join(f", said_{one}" for one in said)
    texts = "".join(f", CASE WHEN checked IS TRUE OR begins THEN CAST({one} AS TEXT) END" for one in said)
    begins = f"{events.latest('title')} IS NULL AS begins" + "".join(f", t.{one}" for one in said)
    return f"""
        INSERT INTO task_events (task_id, op, occurred_at, recorded_at, not_before, source, {columns}{names})
        SELECT id, 'reconcile', max(:now, coalesce(last, '')), :now, :since, 'reconcile', {columns}{texts}
        FROM (
            SELECT t.id, (SELECT max(occurred_at) FROM task_events WHERE task_id = t.id) AS last, {changed}, {begins}
            FROM tasks AS t WHERE {events.differs()})
        ORDER BY id
        """  # noqa: S608 - of WATCHED
