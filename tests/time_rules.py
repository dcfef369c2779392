"""When tasks were created and finished, by the rules of docs/adr/0014, in plain Python: slow, and without any SQL.

Events are those of one life, in the order of (occurred_at, event_id), as mappings of the columns of task_events;
instants are text in the stored form.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashkit import times
from dashkit.times import Moment

MINUTE, MS = timedelta(minutes=1), timedelta(milliseconds=1)
LOOKED = ("insert", "baseline", "reconcile")  # what may see a task for the first time
BOX = {"op": "backfill", "checked": 1}
BIRTH = {"op": "backfill", "status": "pending", "checked": 0, "blocked_reason": "", "complexity": ""}


def at(event):
    """The instant of an event."""
    return times.read(event["occurred_at"]).at


def moment(event):
    """When an event was: at its instant, or on its day."""
    return Moment(at(event), (found := times.read(event.get("on_day"))) and found.day)


def is_earlier(said, event):
    """Whether what a row said, when an event was recorded, is of an earlier time."""
    if said is None:
        return False
    looked = event["op"] == "baseline"
    if said.day is None:
        return said.at < at(event) if looked else said.at <= at(event) - MINUTE
    begin = times.noon(said.day) - timedelta(hours=12)
    return begin < at(event) if looked else said.day < at(event).date()


def is_since(one, other):
    """Whether one moment is not before another, if there is another; a date is the whole of its day."""
    if other is None:
        return True
    if one.day is None and other.day is None:
        return one.at >= other.at
    return (one.day or one.at.date()) >= (other.day or other.at.date())


def placed(day, behind=None, ahead=None):
    """The instant that stands for a date: its noon, but behind one instant and before another, within the day."""
    found = times.noon(day)
    begin = found - timedelta(hours=12)
    if behind is not None:
        found = max(found, behind + MS)
    found = min(found, begin + timedelta(days=1) - MS)
    if ahead is not None:
        found = min(found, ahead - MS)
    return max(found, begin)


def is_claim(event):
    """Whether it says when the box was turned on, and turns nothing itself."""
    return event["op"] == "backfill" and event.get("source") == "column:completed_at" and bool(event["checked"])


def creation(events):
    """The event that saw a task first, when the row said that it was created, and when it was as far as is known."""
    first = next((event for event in events if not is_claim(event)), None)
    if first is None:
        return None, None, None
    said = times.read(first.get("said_created_at"))
    if first["op"] in LOOKED and is_earlier(said, first):
        return first, said, said
    # What is inserted as done, as if created now, has the default of its column: nobody knows when that was.
    dated = said is not None and first["checked"] is not None and not first["checked"]
    foreign = first["op"] == "insert" and (first["source"] != "trigger" or dated)
    is_known = foreign or first["source"] == "column:created_at"
    return first, None, moment(first) if is_known else None


def turns(events):
    """The places of the events that turn the box on; and for each place the times before that the task left done."""
    box, word, left, found, before = False, "", [], [], []
    for number, event in enumerate(events):
        before.append(list(left))
        if is_claim(event):
            continue
        was_box, was_word = box, word
        box = was_box if event["checked"] is None else bool(event["checked"])
        word = was_word if event["status"] is None else event["status"]
        if box and not was_box:
            found.append(number)
        if (was_box and not box) or (was_word == "completed" and word != "completed"):
            left.append(moment(event))
    return found, before


def finishes(events):
    """When turns of the box were finishes, where that was before: {turn: (instant, day, event or claim, is_claim)}."""
    _, _, created = creation(events)
    found, before = turns(events)
    known = {}
    for turn in found:
        event, left = events[turn], before[turn][-1] if before[turn] else None
        claims = [
            (claim["event_id"], at(claim), moment(claim).day, claim, True)
            for number, claim in enumerate(events)
            if is_claim(claim) and len(before[number]) == len(before[turn])
        ]
        said = times.read(event.get("said_completed_at"))
        # What was said of an earlier finish is no news of this one.
        old = [
            times.read(other.get("said_completed_at"))
            for number, other in enumerate(events)
            if other["checked"] and len(before[number]) < len(before[turn])
        ]
        if said not in old and is_earlier(said, event) and is_since(said, created) and is_since(said, left):
            instant = said.at + MS * (left is not None and said.at == left.at)
            if said.day:
                same = [one.at for one in (created, left) if one and one.at.date() == said.day]
                instant = placed(said.day, max(same, default=None), at(event))
            claims.append((event["event_id"], instant, said.day, event, False))
        if claims:
            known[turn] = max(claims, key=lambda one: one[0])[1:]
    return known


def mend(events):
    """The events, and what is known besides: creation and finishes as backfills; the box is on from a finish on."""
    first, said, _ = creation(events)
    known, (_, before) = finishes(events), turns(events)
    told = []
    for number, event in enumerate(events):
        of = [turn for turn in turns(events)[0] if len(before[turn]) == len(before[number])]
        found = known.get(of[0]) if of else None
        is_void = found and (
            (is_claim(event) and found[2] is not event)
            or (of[0] > number and event["checked"] is not None and not event["checked"] and found[0] <= at(event))
            or (not is_claim(event) and event["checked"] and found[0] > at(event))
        )
        told.append({**event, "checked": None} if is_void else event)
    blank = dict.fromkeys(("project_id", "status", "checked", "blocked_reason", "complexity", "title", "not_before"))
    for instant, day, event, claimed in known.values():
        if not claimed:
            seen = {
                "event_id": event["event_id"],
                "recorded_at": event["recorded_at"],
                "on_day": day and day.isoformat(),
            }
            seen |= {"source": "column:completed_at", "occurred_at": times.to_text(instant), "cause": event}
            told.append({**blank, **BOX, **seen, "rank": 1})
    if said is not None:
        following = min([at(first), *(one[0] for one in known.values())])
        begun = placed(said.day, None, following) if said.day else said.at
        seen = {"event_id": first["event_id"], "recorded_at": first["recorded_at"], "occurred_at": times.to_text(begun)}
        seen |= {"on_day": said.day and said.day.isoformat(), "checked": int(following <= begun), "cause": first}
        seen |= {"source": "column:completed_at" if following <= begun else "column:created_at"}
        seen |= {"project_id": first["project_id"], "title": first["title"]}
        told.append({**blank, **BIRTH, **seen, "rank": 0})
    return sorted(told, key=order)


def order(event):
    """Events go by their instants, then as they were recorded; what an event says of before comes before it."""
    return (event["occurred_at"], event["event_id"], event.get("rank", 2))


def counted(events, as_of, zone):
    """The events that count as of an instant, at instants of their days in a zone."""
    instants = [at(event) for event in events]
    days = [moment(event).day for event in events]
    begins = [day and midnight(day, zone) for day in days]
    # However little of its day is left, what stood behind another one still does.
    order = sorted(set(instants))
    steps = [order.index(instant) for instant in instants]
    for number, (day, begin) in enumerate(zip(days, begins, strict=True)):
        if begin is not None:
            last = midnight(day + timedelta(days=1), zone) - MS * (len(order) - steps[number])
            instants[number] = max(begin + MS * steps[number], min(instants[number], last))
    if any(one > other for number, one in enumerate(instants) for other in instants[number:]):
        apart = [one - MS * step for one, step in zip(instants, steps, strict=True)]
        instants = [min(apart[number:]) + MS * steps[number] for number in range(len(instants))]
    limit, kept = times.read(as_of).at, []
    for event, instant, begin in zip(events, instants, begins, strict=True):
        if instant > limit and (begin is None or begin > limit):
            break
        kept.append((event, instant))
    return [
        {**event, "occurred_at": times.to_text(min(instant, limit - MS * (len(kept) - 1 - number) * (instant > limit)))}
        for number, (event, instant) in enumerate(kept)
    ]


def midnight(day, zone):
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(times.UTC)
