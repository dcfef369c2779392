"""What rows say of the past of their tasks and the history does not know: added to it later.

A row can come to know more: another program mends a date that could not be read, or says after a completion when that
was. It is recorded as of the day on which it is found, so that no answer of what was known before changes.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashkit import times
from dashkit.store import finishes, instants, lives, rows, runs
from dashkit.store.finishes import Turn
from dashkit.store.lives import COMPLETED_AT, CREATED_AT, MINUTE, Event
from dashkit.times import Moment

_NEEDED = {"on_day", "said_created_at", "said_completed_at"}  # of task_events
_SAID = ("created_at", "completed_at")
_NEXT = 2**63 - 1  # the event_id of what is not recorded yet

# Nearly every row agrees with its history, and a look at a few events of its life tells: the first (f), the last one
# that speaks of the box by its instant (l) and by its recording (w), and the last claim (k). What is settled by them is
# not asked of Python. Only forms are compared that SQLite reads; less than a minute before an event is not earlier.
# An insertion may go on with the life of what was deleted (imported_at), whose events are not looked at here: the first
# look after it asks Python, and later ones believe only what these few events say themselves.
_CLAIM = f"op = 'backfill' AND source = '{COMPLETED_AT}' AND checked IS TRUE"
_MINE = "FROM main.task_events WHERE task_id = t.id AND event_id > coalesce(d.event_id, 0)"

_BEFORE = (
    "CASE length({0}) WHEN 10 THEN {0} < substr({1}.occurred_at, 1, 10) "
    "ELSE {0} < {1}.occurred_at AND {0} < strftime('%Y-%m-%dT%H:%M:%fZ', {1}.occurred_at, '-59 seconds') END"
)
# A baseline did not see it happen: the same day, or a moment before, is earlier.
_IS_OF_BASELINE = "EXISTS (SELECT 1 FROM main.task_events WHERE task_id = o.id AND op = 'baseline' AND checked)"
_BEFORE_BOX = (
    f"{_BEFORE.format('completed', 'l')} OR completed <= CASE length(completed) "
    "WHEN 10 THEN substr(l.occurred_at, 1, 10) ELSE l.occurred_at END "
    f"AND {_IS_OF_BASELINE}"
)
# A later word may take back an earlier one, or the day that a file said.
_TAKES_BACK = (
    "k.event_id IS NOT NULL OR EXISTS (SELECT 1 FROM main.task_events WHERE task_id = o.id AND checked IS TRUE "
    "AND (said_completed_at IS NOT NULL OR on_day IS NOT NULL))"
)
_IS_NEWS = "imported_at > coalesce(:looked, '') AND (created_at IS NOT NULL OR o.checked AND completed_at IS NOT NULL)"
_ARRIVES = f"""
created_at IS NOT NULL
AND NOT (imported_at IS NULL AND coalesce(f.source GLOB 'git:*' OR f.source GLOB 'file:*', 0))
AND NOT (f.op IN ('insert', 'baseline', 'reconcile') AND coalesce(f.said_created_at = created_at, 0))
AND (created IS NULL OR {_BEFORE.format("created", "f")})
"""
# Said already: to the event that turned the box on (an insert does only as the first one of all), or as a claim; to the
# migration, of which the baseline knows; or it lies before a creation that the history knows.
_COMPLETES = f"""
o.checked AND completed_at IS NOT NULL
AND NOT (coalesce(w.said_completed_at = completed_at, 0)
    AND (w.op IN ('backfill', 'update', 'reconcile') OR w.event_id = f.event_id))
AND (completed IS NULL OR imported_at IS NOT NULL OR {_BEFORE_BOX} OR {_TAKES_BACK})
AND (completed IS NULL OR imported_at IS NOT NULL OR f.source <> '{CREATED_AT}'
    OR CASE WHEN length(completed) = 10 OR f.on_day IS NOT NULL
       THEN substr(completed, 1, 10) >= substr(f.occurred_at, 1, 10) ELSE completed >= f.occurred_at END)
AND NOT (l.op = 'baseline' AND w.event_id = l.event_id AND k.said_completed_at IS NULL
    AND coalesce(completed = CASE length(completed) WHEN 10 THEN k.on_day ELSE k.occurred_at END, 0))
"""


@dataclass(frozen=True)
class Pending:
    """How many arrivals and completions rows know and the history does not."""

    arrivals: int = 0
    completions: int = 0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.arrivals or self.completions)


def pending(conn: sqlite3.Connection) -> Pending:
    """How much `add` would add; nothing where there is no history, or one that an earlier commit began."""
    return _counted(list(_owed(conn)))


def add(conn: sqlite3.Connection, now: str) -> Pending:
    """Record what rows know and the history does not, inside the caller's transaction; how much that was.

    Each is an event of the operation `backfill` by nobody, which keeps what the row says of its times as text: by that
    it is known from what the migration took over.

    Args:
        conn: a database of any version.
        now: when it is recorded, in the stored form.
    """
    owed = list(_owed(conn))
    here = rows.columns(conn, "tasks") if owed else frozenset()
    said = ", ".join(f"CAST({column} AS TEXT)" if column in here else "NULL" for column in _SAID)
    for task, event in owed:
        is_arrival = event.source == CREATED_AT
        image = "project_id, coalesce(title, ''), 'pending', '', ''" if is_arrival else "NULL, NULL, NULL, NULL, NULL"
        rows.write(
            conn,
            "INSERT INTO main.task_events (task_id, op, occurred_at, recorded_at, source, checked, on_day, "  # noqa: S608
            "project_id, title, status, blocked_reason, complexity, said_created_at, said_completed_at) "
            f"SELECT id, 'backfill', :at, :now, :source, :checked, :on_day, {image}, {said} "
            "FROM main.tasks WHERE id = :task",
            {
                "task": task,
                "at": times.to_text(event.at),
                "now": now,
                "source": event.source,
                "checked": int(not is_arrival),
                "on_day": event.day.isoformat() if event.day else None,
            },
        )
    return _counted(owed)


def _counted(owed: Sequence[tuple[int, Event]]) -> Pending:
    arrivals = sum(event.source == CREATED_AT for _, event in owed)
    return Pending(arrivals, len(owed) - arrivals)


def _owed(conn: sqlite3.Connection) -> Iterator[tuple[int, Event]]:
    """Each task with the events that the history owes to its row, in the order in which they are to be recorded."""
    here = rows.columns(conn, "tasks")
    if not rows.columns(conn, "task_events") >= _NEEDED or here.isdisjoint(_SAID):
        return
    are_kept = rows.columns(conn, "runs") >= {"kind", "started_at", "finished_at"}
    looked = {"looked": runs.last_look(conn) if are_kept else None}
    found = {row["id"]: row for row in rows.fetch(conn, _unsettled(here), looked) if not _is_settled(row)}
    for task, life in lives.read(conn, found):
        row = found[task]
        for event in missing(life, row["created_at"], row["completed_at"], row["checked"]):
            yield task, event


def _unsettled(here: frozenset[str]) -> str:
    """The query for the rows of which a look at a few events does not tell that the history knows all that they say."""
    created_at, completed_at = (f"CAST(t.{one} AS TEXT)" if one in here else "CAST(NULL AS TEXT)" for one in _SAID)
    done = f"t.checked IS TRUE AND {completed_at} IS NOT NULL"
    # LIMIT -1 lets SQLite read and look once for each row.
    return f"""
        WITH deleted AS (
            SELECT task_id, max(event_id) AS event_id FROM main.task_events WHERE op = 'delete' GROUP BY task_id
        ), imported AS (
            SELECT task_id, max(recorded_at) AS at FROM main.task_events
            WHERE op = 'insert' AND (task_id IN (SELECT task_id FROM deleted)
                OR title IN (SELECT title FROM main.task_events WHERE op = 'delete'))
            GROUP BY task_id
        ), looked AS (
            SELECT
                t.id, {created_at} AS created_at, {completed_at} AS completed_at, t.checked IS TRUE AS checked,
                {instants.fast(created_at)} AS created, {instants.fast(completed_at)} AS completed,
                i.at AS imported_at,
                (SELECT event_id {_MINE} AND NOT ({_CLAIM}) ORDER BY occurred_at, event_id LIMIT 1) AS f,
                CASE WHEN {done} THEN (SELECT event_id {_MINE} AND checked IS NOT NULL AND NOT ({_CLAIM})
                    ORDER BY occurred_at DESC, event_id DESC LIMIT 1) END AS l,
                CASE WHEN {done} THEN (SELECT max(event_id) {_MINE} AND checked IS NOT NULL) END AS w,
                CASE WHEN {done} THEN (SELECT max(event_id) {_MINE} AND {_CLAIM}) END AS k
            FROM main.tasks AS t LEFT JOIN deleted AS d ON d.task_id = t.id
            LEFT JOIN imported AS i ON i.task_id = t.id LIMIT -1
        )
        SELECT
            o.id, created_at, completed_at, o.checked, f.occurred_at AS f_at, l.op AS l_op,
            w.event_id = l.event_id AS is_last, k.occurred_at AS k_at, k.on_day AS k_on, k.said_completed_at AS k_said
        FROM looked AS o
        LEFT JOIN main.task_events AS f ON f.event_id = o.f LEFT JOIN main.task_events AS l ON l.event_id = o.l
        LEFT JOIN main.task_events AS w ON w.event_id = o.w LEFT JOIN main.task_events AS k ON k.event_id = o.k
        WHERE {_IS_NEWS} OR {_ARRIVES} OR {_COMPLETES}
        """  # noqa: S608 - names of ours


def _is_settled(row: rows.Row) -> bool:
    """The same of forms that SQLite does not read: the migration has read them, or nobody can."""
    created, completed = times.normal(row["created_at"]), times.normal(row["completed_at"])
    if created and created < str(row["f_at"])[: len(created)]:
        return False
    knows = row["l_op"] == "baseline" and row["is_last"] and row["k_said"] is None
    return not completed or not row["checked"] or (knows and completed in (row["k_at"], row["k_on"]))


def missing(life: Sequence[Event], created_at: object, completed_at: object, checked: object) -> list[Event]:
    """The events that a row knows and its history does not: an arrival, then the completion.

    Args:
        life: the events of its present life, in the order of time.
        created_at: what the row says.
        completed_at: what the row says.
        checked: whether the row says that it is done.
    """
    events, created, completed = list(life), times.read(created_at), times.read(completed_at)
    found = []
    if created and (arrival := _arrival(events, created, completed)):
        found.append(arrival)
        events = sorted([*events, arrival], key=lives.order)
    if completed and checked and (completion := _completion(events, completed)):
        found.append(completion)
    return found


def _arrival(events: Sequence[Event], created: Moment, completed: Moment | None) -> Event | None:
    """What the row says of the creation, where that is before all that is known, and no source has dated it."""
    first, known = finishes.creation(events).first, finishes.arrival(events)
    if first is None or known is None or str(first.source).startswith(("git:", "file:")):
        return None
    if created.day is None and known.day is None:
        is_before = created.at <= known.at - MINUTE
    else:
        is_before = (created.day or created.at.date()) < (known.day or known.at.date())
    if not is_before:
        return None
    if created.day is None:
        return _event(CREATED_AT, Moment(lives.to_ms(created.at)))
    # Of a date what follows on that day stands behind it.
    ahead = completed.at if completed and completed.day is None else known.at
    return _event(CREATED_AT, Moment(lives.placed(created.day, None, min(ahead, known.at)), created.day))


def _completion(events: Sequence[Event], completed: Moment) -> Event | None:
    """What the row says of the completion, where that gives the task another finish than it has."""
    said = (event.checked for event in reversed(events) if event.checked is not None and not event.is_claim)
    if not next(said, False):
        return None
    turn = finishes.turns(events)[0][-1]
    if finishes.is_old(completed, turn, events):
        return None
    known = finishes.known(events).get(turn.event.event_id)
    claim = _claim(completed, turn, events, is_dated=known is not None)
    was = None if known is None and turn.event.op == "baseline" else known or turn.event
    if claim is None or (was and was.day == claim.day and (claim.day or was.at == claim.at)):
        return None
    event = _event(COMPLETED_AT, claim)
    later = sorted([*events, event], key=lives.order)
    # A claim is of the turn between the same two times that the task left done.
    return event if finishes.turns(later)[1][later.index(event)] == turn.times_left else None


def _claim(completed: Moment, turn: Turn, events: Sequence[Event], *, is_dated: bool) -> Moment | None:
    """When a turn was a finish, as its row says now; None: it says nothing of that.

    Args:
        completed: what the row says.
        turn: the last one.
        events: of the present life.
        is_dated: whether something is known of the finish besides the event; a later word may take that back.
    """
    event = turn.event
    earlier = finishes.of_claim(completed, turn, finishes.creation(events).known)
    if earlier is not None:
        # In the order of events it has to be before the turn that it is about.
        return Moment(earlier.at, earlier.day) if earlier.at < event.at else None
    if event.op == "baseline" or lives.is_earlier(completed, event):
        return None
    if event.day and str(event.source).startswith(("git:", "file:")) and _is_later(completed, event):
        # The event stands on a day that its file said, and the file says another one now.
        at = lives.placed(completed.day, None, None) if completed.day else lives.to_ms(completed.at)
        return Moment(at, completed.day)
    return event.moment if is_dated else None


def _is_later(completed: Moment, event: Event) -> bool:
    """Whether a row says a later day than its event, of those that were over when the event was recorded."""
    day = completed.day or completed.at.date()
    return event.day is not None and event.seen is not None and event.day < day <= event.seen.date()


def _event(source: str, moment: Moment) -> Event:
    """A later backfill, as it is going to be recorded."""
    is_done = source == COMPLETED_AT
    status = None if is_done else "pending"
    return Event(_NEXT, "backfill", source, moment.at, moment.day, is_done, status, None, None)
