"""Forecasts: what is promised, what is refused, and whether the promises deserve their stated chance."""

import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashkit.errors import UsageError
from dashkit.montecarlo import HowMany, WhenNext, Work, forecast, futures, history, past, replay, score

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "forecast.py"
HISTORIES = Path(__file__).parents[1].parent / "shared" / "data" / "linking"
NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
SEED = "project 1, 2026-03-01"


def ago(days):
    """The instants so many days before now."""
    return [NOW - timedelta(days=float(day)) for day in days]


def steady(days=100, each=3):
    """So many tasks on each day until now, an hour apart."""
    return ago(day + hour / 24 for day in range(days) for hour in range(1, each + 1))


def bursty(seed, days=150):
    """A project of bursts and pauses, whose speed drifts."""
    source = np.random.default_rng(seed)
    speed = 4 * np.exp(np.cumsum(source.normal(0, 0.2, days)))
    counts = source.poisson(source.gamma(speed / 5) * 5)
    return ago(day - source.random() for day in np.repeat(np.arange(days, 0, -1), counts))


def amounts(found):
    """The tasks promised, the surest promise first."""
    return [promise.at_least for promise in found.promises]


def dates(found):
    """The dates promised, the surest promise first."""
    return [promise.by for promise in found.promises]


def test_a_steady_project_goes_on():
    """Three a day for a hundred days: half the time at least about 42 in two weeks, and no more than that surely."""
    sure, even = amounts(forecast(steady(), NOW, HowMany(14), seed=SEED))
    assert 10 <= sure < even <= 45
    assert even >= 30


def test_a_steady_project_keeps_its_promises():
    """Where nothing changes, every sure promise of the past came true, and the score says so."""
    sure = forecast(steady(), NOW, HowMany(14), seed=SEED).promises[0].score
    assert (sure.made, sure.held, sure.independent) == (46, 46, 4)


def test_the_next_tasks_of_a_steady_project_have_a_date():
    """At three a day, the next 21 are about a week away; the surer date is later, and both lie ahead."""
    sure, even = dates(forecast(steady(), NOW, WhenNext(21), seed=SEED))
    assert NOW + timedelta(days=5) < even < sure < NOW + timedelta(days=21)
    assert even < NOW + timedelta(days=10)


@pytest.mark.parametrize("question", [HowMany(14), WhenNext(10)])
@pytest.mark.parametrize(
    ("finished", "why"),
    [
        ([], "a forecast needs 10 finished tasks; so far: 0"),
        (ago([50] * 40), "a forecast needs 5 days with a finished task; so far: 1"),
        (steady(days=5), "a forecast needs 10 days of history; so far: 5"),
        (ago(range(1, 19, 2)), "a forecast needs 10 finished tasks; so far: 9"),
        (
            ago(range(12, 60)),
            "a forecast needs a finished task in the last 10 days; the last was 12 days ago",
        ),
    ],
    ids=["none", "one clump", "five days", "nine tasks", "a pause"],
)
def test_too_thin_a_history_is_refused(finished, why, question):
    """No finish, one clump, a few days, a few tasks or a long pause: a reason in words, and no number."""
    found = forecast(finished, NOW, question, seed=SEED)
    assert (found.refused, found.promises) == (why, ())


def test_no_horizon_is_longer_than_the_history():
    """Twenty days of history say nothing about the next thirty."""
    found = forecast(steady(days=20), NOW, HowMany(30), seed=SEED)
    assert found.refused == "a forecast of 30 days needs as long a history; so far: 20 days"


def test_there_may_be_no_date():
    """More tasks than are done in eight weeks have no date; the number asked for stands all the same."""
    found = forecast(steady(), NOW, WhenNext(2000), seed=SEED)
    assert dates(found) == [None, None]
    assert amounts(found) == [2000, 2000]
    assert found.promises[0].score.made == 0


@pytest.mark.parametrize("question", [HowMany(0), HowMany(-3), HowMany(math.nan), HowMany(math.inf), WhenNext(0)])
def test_a_question_for_nothing_is_refused(question):
    """No time, less than none, endless time, no task: that is no question."""
    with pytest.raises(UsageError, match=r"Cannot forecast: .+ ahead is nothing to ask for\. Ask for more than 0"):
        forecast(steady(), NOW, question, seed=SEED)


@pytest.mark.parametrize("question", [HowMany(14), WhenNext(30)])
def test_the_same_seed_gives_the_same_numbers(question):
    """Project and instant fix the numbers, in any order of the tasks; another seed moves them little."""
    finished = bursty(1)
    first = forecast(finished, NOW, question, seed=SEED)
    assert forecast(reversed(finished), NOW, question, seed=SEED) == first
    other = forecast(finished, NOW, question, seed="\udcff")
    assert other != first
    assert amounts(other) == pytest.approx(amounts(first), rel=0.2)


def test_what_comes_later_is_not_seen():
    """A finish after the instant of the view changes nothing."""
    finished = bursty(2)
    later = [NOW + timedelta(seconds=1), NOW + timedelta(days=3)]
    assert forecast(finished + later, NOW, HowMany(7), seed=SEED) == forecast(finished, NOW, HowMany(7), seed=SEED)


@given(st.lists(st.integers(0, 30), min_size=10, max_size=60), st.integers(8, 60))
def test_a_past_day_knows_nothing_of_the_days_after_it(counts, length):
    """The pace at the end of a day is the same, whatever was finished later."""
    whole = past.pace(np.array(counts, dtype=np.float64))
    cut = past.pace(np.array(counts[:length], dtype=np.float64))
    for all_days, until in zip(whole, cut, strict=True):
        assert all_days[: len(until)] == pytest.approx(until)


@given(st.lists(st.integers(0, 400), min_size=10, max_size=80))
def test_every_pace_is_a_number(counts):
    """Whatever the counts, rates are finite and not below zero, clumps and spreads above it."""
    rate, clump, spread = past.pace(np.array(counts, dtype=np.float64))
    assert np.all(rate >= 0)
    assert np.all(clump > 1)
    assert np.all(spread > 0)
    assert np.all(np.isfinite([rate, clump, spread]))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 20))
def test_more_time_is_more_tasks_and_more_certainty_is_fewer(seed, days, more):
    """A longer time promises no less, a surer promise no more; more tasks take no less time, and so does certainty."""
    finished = bursty(seed, days=60)
    short, long = (forecast(finished, NOW, HowMany(each), seed=SEED) for each in (days, days + more))
    few, many = (forecast(finished, NOW, WhenNext(each), seed=SEED) for each in (days, days + more))
    assert (short.refused, few.refused) == (long.refused, many.refused)
    if short.refused:
        return
    slack = 1 + 0.05 * np.array(amounts(short))  # each question has its own draws
    assert np.all(np.array(amounts(long)) >= amounts(short) - slack)
    assert amounts(short)[0] <= amounts(short)[1]
    never = datetime.max.replace(tzinfo=UTC)
    for found in (few, many):
        sure, even = (date or never for date in dates(found))
        assert NOW < even <= sure
    assert all((a or never) <= (b or never) for a, b in zip(dates(few), dates(many), strict=True))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-40, 400), max_size=60), st.sampled_from([HowMany(7), HowMany(0.25), WhenNext(3)]))
def test_any_instants_give_a_forecast_or_a_reason(days, question):
    """Whatever the history, there is an answer for each confidence or a sentence, never both; the score adds up."""
    found = forecast(ago(days), NOW, question, seed=SEED)
    assert bool(found.refused) != bool(found.promises)
    for promise in found.promises:
        assert promise.at_least >= 0
        assert 0 <= promise.score.held <= promise.score.made
        assert promise.score.independent <= promise.score.made


def test_a_mass_closing_is_no_new_speed():
    """Five hundred tasks closed at one stroke raise the promise by far less than their share."""
    usual = amounts(forecast(steady(), NOW, HowMany(14), seed=SEED))[1]
    swept = amounts(forecast(steady() + ago([2.5] * 500), NOW, HowMany(14), seed=SEED))[1]
    assert swept < 3 * usual


def test_what_is_not_there_cannot_be_finished():
    """With arrivals, no more is promised than is open or arrives: nothing where all is done and nothing comes."""
    finished = steady()
    arrived, nothing = ago([101] * len(finished)), history([], NOW)
    done, more = (Work(history(each, NOW), nothing) for each in (arrived, [*arrived, *ago([101] * 5)]))
    assert amounts(forecast(finished, NOW, HowMany(14), seed=SEED, work=done)) == [0, 0]
    assert dates(forecast(finished, NOW, WhenNext(5), seed=SEED, work=done)) == [None, None]
    five = forecast(finished, NOW, HowMany(14), seed=SEED, work=more)
    assert 1 <= amounts(five)[0] <= amounts(five)[1] <= 5


def test_the_score_is_of_promises_that_are_over():
    """Each promise is held against the finishes of its own time, and is over by the instant of the view."""
    finished = bursty(3)
    known = history(finished, NOW)
    for question in (HowMany(7), WhenNext(10)):
        for each in replay(known, question, SEED):
            made = [datetime.fromtimestamp(second, UTC) for second in each.made_at]
            due = [at + timedelta(days=float(days)) for at, days in zip(made, each.days, strict=True)]
            assert len(made) > 50
            assert max(due) <= NOW
            slow = [sum(at < when <= by for when in finished) for at, by in zip(made, due, strict=True)]
            assert np.abs(np.array(slow) - each.done).max() <= 1  # an instant on the edge: microseconds
            assert score(each).held == sum((each.done >= each.at_least) & (each.at_least > 0))


def test_independent_promises_do_not_overlap():
    """Of promises made daily for a week, every seventh stands on its own; those of nothing are none."""
    found = replay(history(steady(), NOW), HowMany(7), SEED, confidences=(0.85,))[0]
    assert score(found).independent == math.ceil(len(found.days) / 7)
    assert score(found._replace(at_least=found.at_least * 0)) == type(score(found))(0, 0, 0)


def test_the_simulated_counts_are_the_ones_described():
    """Mean rate * days, and the variance of a gamma-Poisson process with clumps."""
    pace = past.Pace(np.array([4.0]), np.array([3.0]), np.array([0.25]))
    runs = futures.simulate(pace, np.array([2.0, 10.0]), 200_000, np.random.default_rng(1))[0]
    for days, drawn in zip((2, 10), runs, strict=True):
        mean = 4 * days
        assert drawn.mean() == pytest.approx(mean, rel=0.02)
        assert drawn.var() == pytest.approx(3 * mean + 0.25 * mean**2, rel=0.05)


@pytest.mark.parametrize("question", [HowMany(7), WhenNext(20)])
def test_promises_of_bursty_projects_deserve_their_chance(question):
    """Bursts, and a speed that drifts by a fifth a day: 85 % holds 85 to 97, and 50 % holds 50 to 70."""
    kept = {0.85: [], 0.5: []}
    for seed in range(15):
        for stated, each in zip(kept, replay(history(bursty(seed), NOW), question, SEED), strict=True):
            kept[stated].extend((each.done >= each.at_least)[each.at_least > 0])
    assert 0.85 <= np.mean(kept[0.85]) <= 0.97
    assert 0.5 <= np.mean(kept[0.5]) <= 0.7


def test_promises_of_regular_projects_are_careful():
    """Where finishes are plain chance at one speed, promises hold at least as often as they say."""
    kept = {0.85: [], 0.5: []}
    for seed in range(10):
        days = np.random.default_rng(seed).uniform(0, 120, 360)
        for stated, each in zip(kept, replay(history(ago(days), NOW), HowMany(7), SEED), strict=True):
            kept[stated].extend(each.done >= each.at_least)
    assert np.mean(kept[0.85]) >= 0.85
    assert 0.5 <= np.mean(kept[0.5]) <= 0.85


def test_an_old_history_costs_no_more():
    """An instant of the year 1 among the finishes neither slows nor moves the forecast of today."""
    finished = bursty(4)
    odd = forecast([datetime(1, 1, 2, tzinfo=UTC), *finished], NOW, HowMany(7), seed=SEED)
    assert odd == forecast(finished, NOW, HowMany(7), seed=SEED)


@pytest.mark.exhaustive
@pytest.mark.skipif(
    not HISTORIES.is_dir(), reason="the real histories are not on this machine (../shared/data/linking)"
)
def test_promises_on_real_histories_deserve_their_chance():
    """Replayed on real trackers and commits, pooled: what is stated holds, at far less loss than the plain rate's."""
    done = subprocess.run(
        [sys.executable, BENCHMARK],
        check=True,
        capture_output=True,
        text=True,
    )
    pooled = next(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("all "))
    _, _, refused, their, _, sure, even, _, sure_date, even_date, _, loss, *_ = map(float, pooled)
    assert refused < their
    assert 0.82 <= min(sure, sure_date) <= max(sure, sure_date) <= 0.90
    assert 0.45 <= min(even, even_date) <= max(even, even_date) <= 0.55
    assert loss <= 0.65
