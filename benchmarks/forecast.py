"""Forecasts replayed on real histories: on each past day promises from what was known then, judged when they are over.

Counts: "at least n in the next 7, 14, 28 days". Dates: "the next 5, 10, 25 are done by then". Both with a stated 85 %
and a stated 50 %; the table says what share held, without the promises that say nothing ("at least 0", no date). A day
of history is replayed at four hours of it, and a promise of d days stands for 1/d of an independent one (`counts` and
`dates`: how many there are, at 85 %). Over histories each counts with its independent promises, at most 40 of them.

`loss`: pinball loss at 0.15, 0.5 and 0.85 over that of the rate of the last six weeks on the same days, each horizon
per day of it; below 1 is better. `empty`: the share of "at least 0" at 85 %. `refused`: days without a forecast;
`their`: by a rule of 14 days, 10 finishes, 10 days with one, the last within a week. `MC`: draws from the last 42 days,
which tools print as 85 %; `rate`: what the rate of the last six weeks holds, taken as a promise.

    python benchmarks/forecast.py [--more FILE...]

FILE is a tracker's JSON Lines with a closed_at, or text with one instant a line. The last, partial day is left out.
"""

import argparse
import json
import lzma
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from dashkit import montecarlo, times

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TRACKERS = ("beads", "vc", "backlog-md", "cass")
COMMITS = Path("sessions") / "entire-cli" / "main_commits.tsv"
DAYS, TASKS, STATED = (7, 14, 28), (5, 10, 25), (0.85, 0.5, 0.15)
HOURS = (0, 6, 12, 18)
LEAST = 10  # days: a shorter history is refused on all of them
METHODS = ("dashkit", "Monte Carlo", "rate")
MOST = 40
DAY = 86400


def instants(lines):
    """The instants of finished tasks; those that are known to the day alone are put at its noon."""
    for line in lines:
        text = line.strip()
        if text.startswith("{"):
            text = json.loads(text).get("closed_at") or ""
        found = times.parse(text)
        if found is not None:
            midnight = (found.hour, found.minute, found.second, found.microsecond) == (0, 0, 0, 0)
            yield found + timedelta(hours=12) if midnight else found


def named(data):
    """The histories that lie beside the project; none where they are not there."""
    found = {}
    for name in TRACKERS:
        path = data / "linking" / name / "tasks.jsonl.xz"
        if path.is_file():
            with lzma.open(path, "rt", encoding="utf-8") as file:
                found[name] = list(instants(file))
    if (data / COMMITS).is_file():
        rows = (data / COMMITS).read_text("utf-8").splitlines()
        found["entire-cli"] = list(instants(row.split("\t")[1] for row in rows if "\t" in row))
    return found


def until_last_day(found, hours):
    """The history until so many hours before the midnight that precedes the last finish."""
    midnight = max(found).replace(hour=0, minute=0, second=0, microsecond=0)
    return montecarlo.history(found, midnight - timedelta(hours=hours))


def replayed(past, question):
    return montecarlo.replay(past, question, "benchmark", STATED)


def places(past, promises):
    """Which day of the history each promise was made on."""
    return len(past.counts) - 1 - np.rint((past.as_of - promises.made_at) / DAY).astype(int)


def six_weeks(past, place, days):
    """The rate of the last six weeks, for every quantile."""
    return np.tile([past.counts[max(0, p - 41) : p + 1].mean() * days for p in place], (len(STATED), 1))


def monte_carlo(past, place, days, runs=1000):
    """What tools do: draw the next days from the last 42, and read the quantile."""
    source = np.random.default_rng(0)
    found = np.zeros((len(STATED), len(place)))
    for row, p in enumerate(place):
        window = past.counts[max(0, p - 41) : p + 1]
        totals = source.choice(window, (runs, days)).sum(axis=1)
        found[:, row] = np.quantile(totals, [1 - stated for stated in STATED], method="inverted_cdf")
    return found


def pinball(done, promised):
    """The loss of the three quantiles together, for each row."""
    level = 1 - np.array(STATED)[:, None]
    return np.maximum(level * (done - promised), (level - 1) * (done - promised)).sum(axis=0)


class Kept:
    """Promises of one history that were kept, each with its weight."""

    def __init__(self):
        self.held = self.weight = 0.0

    def add(self, held, days):
        """Count promises of so many days, each from one of the four hours of its day."""
        weight = np.minimum(1, 1 / days) / len(HOURS)
        self.held += (held * weight).sum()
        self.weight += weight.sum()

    @property
    def share(self):
        """How many were kept; nan where there is none."""
        return self.held / self.weight if self.weight else np.nan


def refused(past):
    """The share of days without a forecast, and without one by the stricter rule."""
    days, counts = np.arange(1, len(past.counts) + 1), past.counts
    done, active = counts.cumsum(), (counts > 0).cumsum()
    silent = days - 1 - np.maximum.accumulate(np.where(counts > 0, days - 1, -1))
    ours = (days >= 10) & (done >= 10) & (active >= 5) & (silent < 10)
    theirs = (days >= 14) & (done >= 10) & (active >= 10) & (silent < 7)
    return 1 - ours.mean(), 1 - theirs.mean()


def pooled(kept):
    """Over histories: each with its independent promises, at most MOST of them."""
    shares = [(each.share, min(each.weight, MOST)) for each in kept if each.weight >= 0.5]
    return np.average([s for s, _ in shares], weights=[w for _, w in shares]) if shares else np.nan


HEAD = (
    *("days", "done", "refused", "their"),
    *("counts", "85 %", "50 %", "dates", "85 %", "50 %", "empty", "loss"),
    *("MC 85 %", "MC 50 %", "MC loss", "rate"),
)
WHOLE = {"days", "done", "counts", "dates"}


class Judged:
    """One history, replayed at four hours of the day: nobody asks at midnight alone."""

    def __init__(self, found):
        self.pasts = [past for hours in HOURS if len((past := until_last_day(found, hours)).counts) >= LEAST]
        self.counts = {method: {stated: Kept() for stated in STATED} for method in METHODS}
        self.dates = {stated: Kept() for stated in STATED}
        self.loss = dict.fromkeys(METHODS, 0.0)
        self.empty = self.made = 0
        for past in self.pasts:
            self.judge_counts(past)
            self.judge_dates(past)

    def judge_counts(self, past):
        """Hold what each method promised against what was done, and add the losses up."""
        for days in DAYS:
            replays = replayed(past, montecarlo.HowMany(days))
            if not len(replays[0].done):
                continue
            place, done = places(past, replays[0]), replays[0].done
            answers = (
                np.array([each.at_least for each in replays]),
                monte_carlo(past, place, days),
                six_weeks(past, place, days),
            )
            for method, promised in zip(METHODS, answers, strict=True):
                self.loss[method] += (pinball(done, promised) / days).sum()
                for stated, row in zip(STATED, promised, strict=True):
                    says = row > 0
                    self.counts[method][stated].add((done >= row)[says], np.full(says.sum(), days))
            self.empty += (replays[0].at_least == 0).sum()
            self.made += len(done)

    def judge_dates(self, past):
        """Hold the dates against the instants at which so many were done."""
        for tasks in TASKS:
            for stated, each in zip(STATED, replayed(past, montecarlo.WhenNext(tasks)), strict=True):
                self.dates[stated].add(each.done >= each.at_least, each.days)

    def ratio(self, method):
        """The loss over that of the rate of the last six weeks."""
        return self.loss[method] / self.loss["rate"] if self.loss["rate"] else np.nan

    def weight(self):
        """Independent promises, empty ones included, at most MOST of them."""
        return min(self.counts["rate"][0.5].weight, MOST)

    def row(self):
        """The cells of the table."""
        ours, peer = self.counts["dashkit"], self.counts["Monte Carlo"]
        yield from (len(self.pasts[0].counts), self.pasts[0].counts.sum())
        yield from np.mean([refused(past) for past in self.pasts], axis=0)
        yield from (ours[0.85].weight, ours[0.85].share, ours[0.5].share)
        yield from (self.dates[0.85].weight, self.dates[0.85].share, self.dates[0.5].share)
        yield from (self.empty / self.made if self.made else np.nan, self.ratio("dashkit"))
        yield from (peer[0.85].share, peer[0.5].share, self.ratio("Monte Carlo"))
        yield self.counts["rate"][0.85].share


def over_all(judged):
    """The cells of the last row: each history with its independent promises, the days refused as a plain mean."""
    table = np.array([list(each.row()) for each in judged])
    weight = np.array([each.weight() for each in judged])
    fine = np.isfinite(table[:, 11]) & (weight >= 1)
    cells = dict(zip(HEAD[:4], [*table[:, :2].sum(axis=0), *table[:, 2:4].mean(axis=0)], strict=True))
    ours = [{stated: each.counts["dashkit"][stated] for stated in STATED} for each in judged]
    peer = [{stated: each.counts["Monte Carlo"][stated] for stated in STATED} for each in judged]
    dates = [each.dates for each in judged]
    yield from cells.values()
    for kept in (ours, dates):
        yield sum(each[0.85].weight for each in kept)
        yield from (pooled([each[stated] for each in kept]) for stated in (0.85, 0.5))
    yield np.nanmean(table[:, 10])
    yield np.average(table[fine, 11], weights=weight[fine])
    yield from (pooled([each[stated] for each in peer]) for stated in (0.85, 0.5))
    yield np.average(table[fine, 14], weights=weight[fine])
    yield pooled([each.counts["rate"][0.85] for each in judged])


def show(name, cells):
    texts = (f"{cell:8.0f}" if head in WHOLE else f"{cell:8.3f}" for head, cell in zip(HEAD, cells, strict=True))
    print(f"{name[:26]:26}", *texts, flush=True)


def group(title, histories):
    """Print a row for each history and one for all of them."""
    began = time.perf_counter()
    print(f"\n{title}\n{'':26}", *(f"{word:>8}" for word in HEAD))
    judged = []
    for name, found in histories.items():
        each = Judged(found)
        if each.pasts:
            judged.append(each)
            show(name, each.row())
    show("all", over_all(judged))
    ratios = [each.ratio("dashkit") for each in judged if each.weight() >= 1]
    total = {method: sum(each.loss[method] for each in judged) for method in METHODS}
    together = [total[method] / total["rate"] for method in METHODS]
    print(f"loss: mean of the histories {np.mean(ratios):.3f}, worst {max(ratios):.3f};", end=" ")
    print(f"all days together {together[0]:.3f}, Monte Carlo {together[1]:.3f}")
    print(f"seconds: {time.perf_counter() - began:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--more", type=Path, nargs="+", default=[], metavar="FILE")
    arguments = parser.parse_args()
    found = named(arguments.data)
    if not found and not arguments.more:
        print(f"nothing was measured: there are no histories in {arguments.data}; name it with --data", file=sys.stderr)
        return 2
    if found:
        group("the histories beside the project", found)
    if arguments.more:
        more = {path.stem: list(instants(path.open(encoding="utf-8"))) for path in arguments.more}
        group("others", {name: each for name, each in more.items() if each})
    return 0


if __name__ == "__main__":
    sys.exit(main())
