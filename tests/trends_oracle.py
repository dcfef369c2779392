"""The frames over time told again from their definitions, in plain Python: slow, and without any SQL."""

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from histories import plain
from hypothesis import strategies as st

from dashkit import times

POINTS = {"S": 1, "M": 2, "L": 3, "XL": 5}


def rows(frame, *columns):
    """The rows of a frame as tuples of plain values; one column as a list."""
    chosen = frame[list(columns)] if columns else frame
    found = [tuple(plain(value) for value in row) for row in chosen.astype(object).itertuples(index=False)]
    return [row[0] for row in found] if len(columns) == 1 else found


class Periods:
    """The periods from an instant to another, in a zone: first days, and the instants between which they lie."""

    def __init__(self, since, as_of, by, zone):
        self.by, self.zone = by, ZoneInfo(zone)
        self.days = []
        day, last = self.day(since), self.day(as_of)
        while day <= last:
            self.days.append(day)
            day = self.next(day)
        self.as_of = as_of

    def day(self, instant):
        """The first day of the period that an instant is in."""
        day = times.parse(instant).astimezone(self.zone).date()
        return {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
        }[self.by]

    def next(self, day):
        """The first day of the period behind one."""
        return day + timedelta(days={"day": 1, "week": 7}.get(self.by, 0)) if self.by != "month" else _month(day)

    def begin(self, day):
        """The instant at which a period begins."""
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return times.to_text(local.astimezone(UTC))

    def end(self, day):
        """The instant at which it ends."""
        return self.begin(self.next(day))


def _month(day):
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def counted(told, of, periods):
    """How many instants lie in each period."""
    found = [periods.day(one[of]) for one in told if one[of] is not None]
    return [found.count(day) for day in periods.days]


def by_then(told, of, periods):
    """How many instants lie before the end of each period."""
    found = [one[of] for one in told if one[of] is not None]
    return [sum(instant < periods.end(day) for instant in found) for day in periods.days]


def at_end(stretches, end):
    """What still was in the last instant before an end."""
    return [one for one in stretches if one.started_at < end and (one.ended_at is None or one.ended_at >= end)]


def blockers(oracle):
    """What blocked whom: {(cause, reason, on): {life: [(begun, ended or None), ...]}}, looked up at every edge."""
    titles = {one.life: one.state["title"] for one in oracle.intervals}
    edges = {edge for one in (*oracle.intervals, *oracle.dependencies) for edge in (one.started_at, one.ended_at)}
    instants = sorted(edge for edge in edges if edge is not None)
    found = defaultdict(lambda: defaultdict(list))
    for instant, following in zip(instants, [*instants[1:], None], strict=True):
        here = set()
        for one in oracle.intervals:
            if one.holds(instant) and one.blocked:
                here.add((("reported", one.state["blocked_reason"], None), one.life))
        for span in oracle.dependencies:
            both = all(oracle.is_open(life, instant) for life in (span.life, span.on))
            if span.holds(instant) and span.life[0] != span.on[0] and both:
                here.add((("waiting", titles[span.on], span.on), span.life))
        for blocker, life in here:
            stretches = found[blocker][life]
            if stretches and stretches[-1][1] == instant:
                stretches[-1] = (stretches[-1][0], following)
            else:
                stretches.append((instant, following))
    return found


def days(begun, ended):
    """Days of 24 hours between two instants."""
    return (times.parse(ended) - times.parse(begun)) / timedelta(days=1)


def steps(oracle, flow):
    """What changed the number of open tasks: (kind, instant, estimated, dated), from interval to interval.

    Done counts as finished where it lasts to the end; before, it is one that left, and that comes again.
    """
    for one in flow:
        told = [i for i in oracle.intervals if i.life == (one["task_id"], one["life"])]
        lasting = [all(i.checked for i in told[number:]) for number in range(len(told))]
        is_dated = not one["is_done"] or one["finished_at"] is not None
        was_in, was_work, was_final = False, False, False
        for number, (now, is_final) in enumerate(zip(told, lasting, strict=True)):
            is_in, instant = now.is_open or is_final, now.started_at
            in_work = now.is_open and one["started_at"] is not None and one["started_at"] <= instant
            leaves = (was_in or number == 0) and not is_in and not was_final
            finishes = is_final and not was_final
            if number == 0 or (is_in and not was_in):
                yield "arrived", instant, now.is_estimated, is_dated
            if (in_work or finishes or leaves) and not was_work:
                yield "started", instant, False, is_dated
            if finishes:
                yield "finished", instant, now.is_estimated, is_dated
            if leaves:
                yield "left", instant, False, is_dated
            was_in, was_work, was_final = is_in, in_work, is_final
        if told[-1].is_open and told[-1].ended_at is not None:
            if not was_work:
                yield "started", told[-1].ended_at, False, is_dated
            yield "left", told[-1].ended_at, False, is_dated


def check_flow(d, oracle, flow, by, zone):
    """Arrivals, throughput and the cumulative flow, counted one by one."""
    periods = Periods(min(one["arrived_at"] for one in flow), oracle.as_of, by, zone)
    told = [dict(zip(("kind", "at", "estimated", "dated"), step, strict=True)) for step in steps(oracle, flow)]
    of = {kind: [one for one in told if one["kind"] == kind] for kind in ("arrived", "started", "finished", "left")}
    known = {kind: [one for one in found if one["dated"]] for kind, found in of.items()}
    arrived, left = counted(known["arrived"], "at", periods), counted(known["left"], "at", periods)
    finished = counted(flow, "finished_at", periods)
    estimated = counted([one for one in known["arrived"] if one["estimated"]], "at", periods)
    frame = d.arrivals(by)
    assert rows(frame, "arrived", "estimated", "finished", "left") == list(
        zip(arrived, estimated, finished, left, strict=True)
    )
    assert frame["period_on"].dt.date.tolist() == periods.days
    assert (frame["net_flow"] == frame["arrived"] - frame["finished"] - frame["left"]).all()
    assert frame["net_flow"].sum() == sum(one.is_open for one in oracle.intervals if one.ended_at is None)
    assert rows(d.throughput(by), "finished") == finished
    parts = d.throughput_by_project(by)
    assert len(parts) == len(finished) * len({one["project_id"] for one in flow})
    assert parts.groupby("period_on")["finished"].sum().tolist() == finished
    frame = d.cumulative_flow(by)
    for column in ("arrived", "started", "finished", "left"):
        assert rows(frame, column) == by_then(of[column], "at", periods), column
        assert frame[column].is_monotonic_increasing
    assert (frame["arrived"] >= frame["started"]).all()
    assert (frame["started"] >= frame["finished"] + frame["left"]).all()
    wip = d.wip(by)
    assert (frame["arrived"] - frame["finished"] - frame["left"]).tolist() == wip["open"].tolist()
    assert (frame["started"] - frame["finished"] - frame["left"]).tolist() == wip["wip"].tolist()
    states = d.progress_over_time(by)
    assert (states["tasks"] - states["checked"]).tolist() == wip["open"].tolist()
    unknown = sum(one["is_done"] and one["finished_at"] is None for one in flow)
    assert frame["finished"].iloc[-1] - unknown == sum(finished)


def check_states(d, oracle, flow, by, zone):
    """Work in progress and progress, looked up at the end of each period."""
    periods = Periods(min(one.started_at for one in oracle.intervals), oracle.as_of, by, zone)
    started = {(one["task_id"], one["life"]): one["started_at"] for one in flow}
    wip, progress = [], []
    for day in periods.days:
        now = at_end(oracle.intervals, periods.end(day))
        open_ones = [one for one in now if one.is_open]
        work = [one for one in open_ones if (started[one.life] or "~") < periods.end(day)]
        wip.append((len(work), len(open_ones), sum(one.is_estimated for one in work)))
        known = [one for one in now if one.is_open or one.checked]
        sizes = [(POINTS.get(one.state["complexity"], 2), one.checked) for one in known]
        checked, whole, part = sum(c for _, c in sizes), sum(s for s, _ in sizes), sum(s for s, c in sizes if c)
        share = (checked / len(known), part / whole) if known else (None, None)
        estimated = sum(one.is_estimated for one in known)
        progress.append((len(known), checked, share[0], whole, part, share[1], estimated))
    assert rows(d.wip(by), "wip", "open", "estimated") == wip
    columns = ["tasks", "checked", "progress", "size_total", "size_checked", "progress_by_size", "estimated"]
    assert rows(d.progress_over_time(by), *columns) == progress


def check_blocks(d, oracle, flow, by, zone):
    """Blocks over time, their reasons and clusters, by looking at every stretch in every period."""
    blocks = list(oracle.blocks())
    since = min([one["arrived_at"] for one in flow] + [block[3] for block in blocks])
    periods, wanted = Periods(since, oracle.as_of, by, zone), []
    for day, cause in itertools.product(periods.days, ("reported", "waiting")):
        mine = [(begun, ended) for _, _, found, begun, ended in blocks if found == cause]
        end = periods.end(day)
        blocked = sum(begun < end and (ended is None or ended >= end) for begun, ended in mine)
        entered = sum(periods.day(begun) == day for begun, _ in mine)
        left = sum(ended is not None and periods.day(ended) == day for _, ended in mine)
        wanted.append((periods.begin(day), cause, blocked, entered, left))
    frame = d.blocked_over_time(by)
    assert rows(frame, "period_on", "cause", "blocked", "entered", "left") == wanted
    check_reasons(d, oracle, periods, by)


def check_reasons(d, oracle, periods, by):
    """The reasons of each period, and all of them in all."""
    reasons, clusters = [], []
    for (cause, reason, on), lives in blockers(oracle).items():
        stretches = [(life, begun, ended or oracle.as_of) for life, found in lives.items() for begun, ended in found]
        for day in periods.days:
            parts = defaultdict(float)
            for life, begun, until in stretches:
                first, last = max(begun, periods.begin(day)), min(until, periods.end(day))
                if first < last or (begun == until and periods.day(begun) == day):
                    parts[life] += days(first, last)
            if parts:
                reasons.append((day, cause, reason, on and on[0], len(parts), pytest.approx(sum(parts.values()))))
        total = sum(days(begun, until) for _, begun, until in stretches)
        blocked = sum(found[-1][1] is None for found in lives.values())
        clusters.append((cause, reason, on and on[0], len(stretches), len(lives), blocked, pytest.approx(total)))
    frame = d.blocked_reasons_over_time(by)
    frame["period_on"] = frame["period_on"].dt.date
    found = rows(frame, "period_on", "cause", "reason", "depends_on_id", "tasks", "days")
    assert in_order(found) == in_order(reasons)
    frame = d.blocker_clusters()
    found = rows(frame, "cause", "reason", "depends_on_id", "stretches", "tasks", "blocked", "days")
    assert in_order(found) == in_order(clusters)
    for _, shares in frame.groupby("cause")["share"]:
        assert shares.isna().all() or shares.sum() == pytest.approx(1)


def in_order(found):
    """Rows in an order of their texts; of the days only what is surely the same."""
    return sorted(found, key=lambda row: (str(row[:-1]), round(getattr(row[-1], "expected", row[-1]), 6)))


def check_durations(d, oracle, flow):
    """Cycle and lead times, task by task."""
    cycles, leads = [], []
    for one in sorted(
        (one for one in flow if one["finished_at"]), key=lambda one: (one["finished_at"], one["task_id"])
    ):
        mine = {i.started_at: i for i in oracle.intervals if i.life == (one["task_id"], one["life"])}
        for begin, found in ((one["started_at"], cycles), (one["arrived_at"], leads)):
            first = mine[begin]
            seen = first.event["op"] not in ("baseline", "reconcile")
            if found is cycles:
                seen = seen and begin < one["finished_at"]
            elif one["finished_is_estimated"]:
                seen = seen and begin < one["finished_at"] and not (first.checked and first.event["op"] == "backfill")
            took = (
                days(begin, one["finished_at"])
                if seen and not (first.checked and first.event["op"] == "insert")
                else None
            )
            found.append((one["task_id"], took if took is None else pytest.approx(took), took is not None,
                          first.is_estimated or one["finished_is_estimated"]))  # fmt: skip
    assert rows(d.cycle_times(), "task_id", "cycle_time_days", "is_measurable", "is_estimated") == cycles
    assert rows(d.lead_times(), "task_id", "lead_time_days", "is_measurable", "is_estimated") == leads


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"])
BY = st.sampled_from(["day", "week", "month"])
