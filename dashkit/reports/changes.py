"""What is not as it was: the reasons to tell somebody."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashkit.reports import figures
from dashkit.reports.record import Record

FORECAST_DAYS = 7  # a forecast that moved by less is within its own uncertainty

Change = dict[str, Any]


def changes(now: Record, before: Record | None, last: Record | None) -> list[Change]:
    """What changed, each with its `kind`, a `sentence`, and its facts.

    Kinds: blocked, unblocked, forecast_moved, check_failing, run_failed.

    Args:
        now: the run that is over.
        before: the page that it is compared with; None: there is none, and all is new.
        last: the run before it, however that ended.
    """
    if not now.shows:
        if last and not last.shows:
            return []  # it was told when it began
        return [{"kind": "run_failed", "sentence": f"The run did not get to its end: {now.error}", "error": now.error}]
    found = [*_failing(now.numbers, before.numbers if before else {})]
    if before:
        found += [*_blocked(now.numbers, before.numbers), *_forecast(now.numbers, before.numbers)]
    return found


def in_short(now: Record, before: Record | None) -> str:
    """How the key figures moved since the page before, in a few words."""
    if before is None or not now.shows:
        return ""
    old = {figure["name"]: figure["value"] for figure in figures.known(before.numbers)}
    moved = ((f, figures.change(old.get(f["name"]), f["value"])) for f in figures.known(now.numbers))
    return ", ".join(f"{f['label']} {by}{' days' if f['unit'] == 'days' else ''}" for f, by in moved if by)


def _failing(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Change]:
    failed = {check["name"] for check in _items(before, "checks", "name") if not check.get("ok")}
    for check in _items(now, "checks", "name"):
        if not check.get("ok") and check["name"] not in failed:
            found = str(check.get("found", ""))
            sentence = f"Check failed: {check['name']} ({found})"
            yield {"kind": "check_failing", "sentence": sentence, "check": check["name"], "found": found}


def _blocked(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Change]:
    if "blocked" not in now or "blocked" not in before:
        return
    new, old = ({task["task_id"]: task for task in _items(numbers, "blocked", "task_id")} for numbers in (now, before))
    for kind, words, here, there in (("blocked", "Blocked", new, old), ("unblocked", "No longer blocked", old, new)):
        for number in here.keys() - there.keys():
            task = here[number]
            why = f" ({task['blocked_reason']})" if kind == "blocked" and task.get("blocked_reason") else ""
            yield {"kind": kind, "sentence": f"{words}: {task.get('title')}{why}", **task}


def _forecast(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Change]:
    new, old = (
        {figure["label"]: figure["value"] for figure in figures.known(numbers) if figure["name"] == "next"}
        for numbers in (now, before)
    )
    for label in new.keys() & old.keys():
        moved = round(new[label] - old[label], 1)
        if abs(moved) > FORECAST_DAYS:
            way = "longer" if moved > 0 else "shorter"
            sentence = f"{label} tasks take {abs(moved):,.1f} days {way} than at the last page"
            yield {"kind": "forecast_moved", "sentence": sentence, "moved_days": moved, "days": new[label]}


def _items(numbers: Mapping[str, Any], name: str, key: str) -> Iterator[dict[str, Any]]:
    found = numbers.get(name)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get(key), int | str):
            yield item
