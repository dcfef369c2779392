"""The life of one task on one line of time: status, blocks, commits, sessions."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dashkit.charts.drawing import PALE, dates, head, in_words, local, no_marks, nothing, sheet, tuples
from dashkit.charts.picture import Picture
from dashkit.charts.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, SKY, VERMILLION
from dashkit.charts.words import count, day, duration, sentences, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TITLE: Final = 60  # columns
_REASON: Final = 40
_MOST_STATES: Final = 4  # that are told
_COLORS: Final = {"done": GREEN, "in_progress": BLUE, "review": PURPLE, "pending": SKY}
_STATES: Final = {"created": "pending", "done": "done", "reopened": "pending", "gone": "gone", "deleted": "gone"}
_HOUSEKEEPING: Final = ("gone", "back", "deleted", "moved", "renamed", "sized", "freed")  # no work


class _Lane(NamedTuple):
    """A row of the strip: its name, what there is to say, and stretches or points of time each in a colour."""

    name: str
    words: str
    stretches: list[tuple[Any, Any, str]]
    points: list[tuple[Any, str, bool]]


def task_strip(timeline: "pd.DataFrame", as_of: datetime | None = None, timezone: str = "UTC") -> Picture:
    """What one task went through: its states, what stopped it, its commits and sessions; paler where nobody saw it.

    Args:
        timeline: the frame `task_timeline` of one task.
        as_of: the instant up to which a task that is not done is drawn; None: up to the last that is known of it.
        timezone: of the dates that are told.
    """
    known = timeline[timeline["occurred_at"].notna()]
    if known.empty:
        return nothing("Nothing is known of this task", timeline)
    known = known.assign(occurred_at=local(known["occurred_at"], timezone))
    events = tuples(known)
    titled = [row.detail for row in events if row.kind in ("created", "renamed")]
    name = short(titled[-1] if titled else None, f"Task {events[0].task_id}", _TITLE)
    work = [row for row in events if row.kind not in _HOUSEKEEPING]
    judged = [row.kind for row in work if row.kind in ("done", "reopened")]
    if judged[-1:] == ["done"]:  # what a file loses later is nothing that the task went through
        events = [row for row in events if row.occurred_at <= work[-1].occurred_at]
    states = _states(events)
    end = events[-1].occurred_at
    if as_of and states[-1][0] not in ("done", "gone"):
        end = max(end, local(as_of, timezone))
    lanes = [lane for lane in _lanes(events, states, end) if lane.stretches or lane.points]
    title = _title(name, events, states, _blocked(events, end)[-1:], end)
    if end == events[0].occurred_at or not lanes:
        return nothing(title, timeline)
    with sheet(0.55 + 0.46 * len(lanes)) as (figure, (axes,)):
        no_marks(axes, len(lanes))
        for place, lane in enumerate(reversed(lanes)):
            _draw(axes, place, lane)
        axes.use_sticky_edges = False
        axes.margins(x=0.02)
        dates(axes)
    names = {"occurred_at": "when", "kind": "what", "detail": "detail", "is_estimated": "nobody saw it"}
    data = timeline.assign(occurred_at=in_words(timeline["occurred_at"], timezone))
    data = data[list(names)].rename(columns=names).reset_index(drop=True)
    alt = sentences(title, *(f"{lane.name}: {lane.words}" for lane in lanes))
    paler = "Paler: nobody saw it happen, or the link is not sure" if known["is_estimated"].any() else ""
    return Picture(figure, title, alt, data, sentences(f"Up to {day(end)}", paler))


def _states(events: list[Any]) -> list[tuple[str, Any]]:
    """The states of the task one after the other, each with the instant from which it was in it."""
    states, kept = [("pending", events[0].occurred_at)], "pending"
    for row in events:
        state = kept if row.kind == "back" else row.detail if row.kind == "status" else _STATES.get(row.kind)
        if not isinstance(state, str) or state == states[-1][0]:
            continue
        states.append((state, row.occurred_at))
        kept = kept if state == "gone" else state
    return states


def _lanes(events: list[Any], states: list[tuple[str, Any]], end: Any) -> list[_Lane]:
    """The rows from the top."""
    ends = [*(since for _, since in states[1:]), end]
    held = [
        (since, min(until, end), _COLORS.get(state, MUTED)) for (state, since), until in zip(states, ends, strict=True)
    ]
    told = [_said(state) for state, since in states if since <= end]
    path = told if len(told) <= _MOST_STATES else [told[0], "…", *told[1 - _MOST_STATES :]]
    reasons = [row.detail for row in events if row.kind in ("blocked", "reason") and isinstance(row.detail, str)]
    waits = {row.detail for row in events if row.kind == "waiting"}
    points = {
        kind: [(row.occurred_at, color, bool(row.is_estimated)) for row in events if row.kind == kind]
        for kind, color in (("commit", INK), ("session", PURPLE))
    }
    return [
        _Lane("Status", " \N{RIGHTWARDS ARROW} ".join(path), held, []),
        _Lane("Blocked", short(reasons[-1] if reasons else None, "", _REASON), _blocked(events, end), []),
        _Lane("Waiting", f"for {count(len(waits), 'task')}", _waiting(events, end), []),
        _Lane("Commits", f"{len(points['commit']):,}", [], points["commit"]),
        _Lane("Sessions", f"{len(points['session']):,}", [], points["session"]),
    ]


def _said(state: str) -> str:
    return short(state.replace("_", " "), "?", _REASON // 2)


def _blocked(events: list[Any], end: Any) -> list[tuple[Any, Any, str]]:
    """When somebody said that it was blocked."""
    found, since, is_blocked = [], None, False
    for row in events:
        is_blocked = row.kind == "blocked" or (is_blocked and row.kind not in ("unblocked", "done", "deleted"))
        if is_blocked and row.kind != "gone":
            since = since or (row.occurred_at if row.kind in ("blocked", "back") else None)
        elif since:
            found.append((since, row.occurred_at, VERMILLION))
            since = None
    return [*found, (since, end, VERMILLION)] if since else found


def _waiting(events: list[Any], end: Any) -> list[tuple[Any, Any, str]]:
    """When it waited for one task or for several."""
    found, since, open_ones = [], None, 0
    for row in events:
        open_ones += {"waiting": 1, "freed": -1}.get(row.kind, 0)
        if open_ones > 0:
            since = since or row.occurred_at
        elif since:
            found.append((since, row.occurred_at, ORANGE))
            since = None
    return [*found, (since, end, ORANGE)] if since else found


def _title(
    name: str, events: list[Any], states: list[tuple[str, Any]], last_block: list[tuple[Any, Any, str]], end: Any
) -> str:
    """What became of the task, and what was made for it."""
    state, since = states[-1]
    if state not in ("done", "gone") and last_block and last_block[0][1] == end:
        begun = last_block[0][0]
        found = any(row.kind == "blocked" and row.is_estimated for row in events if row.occurred_at == begun)
        told = f"blocked since {day(begun)}{' or earlier' if found else ''}"
    elif state == "done":
        told = f"done {duration((since - events[0].occurred_at).total_seconds() / 86400)} after it came"
    else:
        told = f"{_said(state)} since {day(since)}"
    made = [
        count(number, kind) for kind in ("commit", "session") if (number := sum(row.kind == kind for row in events))
    ]
    return f"{name}: {told}, {'with ' if made else 'without a commit'}{' and '.join(made)}"


def _draw(axes: "Axes", place: int, lane: _Lane) -> None:
    """One row: its stretches and points, and its name and words above."""
    for start, end, color in lane.stretches:
        axes.barh(place, end - start, left=start, height=0.3, color=color)
    for at, color, is_pale in lane.points:
        alpha = PALE if is_pale else 1
        axes.plot([at], [place], marker="o", markersize=6, color=color, alpha=alpha, linewidth=0)
    head(axes, place, lane.name, lane.words)
