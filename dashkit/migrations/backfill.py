"""What the rows say of the time before the migration, as events: when each task arrived, and when it was completed.

A date stays a date: `on_day` holds it, and `occurred_at` is its noon, UTC, moved within its day to stand in order.
"""

from dashkit.store import instants

_TODAY = "substr(:now, 1, 10)"


def _moved(instant: str, milliseconds: int) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {instant}, '{milliseconds / 1000:+.3f} seconds')"


def _known(read: str, name: str) -> str:
    """An instant, and the day where only that is known; what lies in the future counts as just before the migration.

    In the instant of its own look it would have lasted no time, and be a finish that nobody knows the time of.
    """
    return (
        f"max(min({instants.at(read)}, {_moved(':now', -1)}), "
        f"CASE WHEN {instants.day(read)} <= {_TODAY} THEN {read} || 'T00:00:00.000Z' ELSE '' END) AS {name}, "
        f"CASE WHEN {instants.day(read)} <= {_TODAY} THEN {read} END AS {name}_on"
    )


# LIMIT -1 keeps SQLite from reading a column anew wherever its value is used.
_READ = (
    f"SELECT id, project_id, status, title, {instants.named('created_at')} AS created, "
    f"CASE WHEN checked IS 1 THEN {instants.named('completed_at')} END AS completed FROM tasks {{where}} "
    "ORDER BY id LIMIT -1"
)
_KNOWN = (
    f"SELECT id, project_id, status, title, {_known('created', 'arrived')}, {_known('completed', 'finished')} "
    f"FROM ({_READ}) WHERE coalesce(created, completed) IS NOT NULL"
)
# Compared with an instant, a date is its whole day.
_ORDERED = (
    "SELECT *, coalesce(CASE WHEN coalesce(arrived_on, finished_on) IS NULL THEN finished < arrived "
    f"ELSE substr(finished, 1, 10) < substr(arrived, 1, 10) END, 0) AS is_before FROM ({_KNOWN})"
)
# A completion before the creation is at the creation; one on a date stands behind it, in its day.
_FINISHED = (
    "SELECT *, CASE WHEN is_before THEN arrived WHEN finished_on IS NOT NULL AND finished <= arrived "
    f"THEN min({_moved('arrived', 1)}, finished_on || 'T23:59:59.999Z', :now) ELSE finished END AS done, "
    f"CASE WHEN is_before THEN arrived_on ELSE finished_on END AS done_on FROM ({_ORDERED})"
)
# An arrival on a date stands before the completion of that day.
_ARRIVED = (
    f"CASE WHEN arrived_on IS NOT NULL AND done <= arrived AND NOT is_before "
    f"THEN max({_moved('done', -1)}, arrived_on || 'T00:00:00.000Z') ELSE arrived END"
)

ARRIVALS = (
    f"SELECT id, {_ARRIVED}, :now, 'backfill', project_id, 'pending', 0, '', '', title, 'column:created_at', "
    f"arrived_on FROM ({_FINISHED.format(where='')}) WHERE arrived IS NOT NULL"
)
COMPLETIONS = (
    "SELECT id, done, :now, 'backfill', coalesce(status, ''), 1, 'column:completed_at', done_on "
    f"FROM ({_FINISHED.format(where='WHERE checked IS 1')}) WHERE done IS NOT NULL"
)
