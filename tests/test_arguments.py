"""What is given for a parameter: of every frame, of open and of sql, taken or refused in words."""

import inspect
import re
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import v2_1_database
from specimens import full_database

import dashkit
from dashkit import arguments, dashboard, times
from dashkit.cli import main, show
from dashkit.errors import DashkitError, UsageError
from dashkit.frames.forecast import FARTHEST
from dashkit.montecarlo import past

FRAMES = dashboard.frames()
PARAMETERS = [
    (name, parameter)
    for name, frame in FRAMES.items()
    for parameter in list(inspect.signature(frame).parameters)[1:]
]  # fmt: skip
NAIVE = datetime(2025, 1, 1)  # noqa: DTZ001 - the point
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
INSTANTS = [
    pd.Timestamp("2025-06-01T12:00:00.123456789+02:00"), datetime(2025, 6, 1, tzinfo=UTC), "2025-06-01",
    datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), "0001-01-01", "9999-12-31",
    datetime.max.replace(tzinfo=WEST), datetime.min.replace(tzinfo=EAST), NAIVE, pd.NaT, pd.Timestamp(NAIVE),
]  # fmt: skip
# What people and programs give, by what it is; of each kind also what is out of any range.
GIVEN = {
    type(None): [None],
    bool: [True, False, np.True_],
    int: [3, 0, -1, np.int64(3), np.uint8(3), 2**63 - 1, -(2**63), 2**63, 10**30],
    float: [0.5, 0.0, -0.5, 1.5, 1e300, np.float32(0.5), Fraction(1, 2), float("nan"), float("inf"), np.float64("nan")],
    str: ["", "x", "3", "week", "phase", "a\0b", "\ud800", "x" * 100_000, "2025-13-01", np.str_("week")],
    datetime: INSTANTS,
    date: [date(2025, 6, 1), date.min, date.max],
    Path: [Path("x")],
    list: [[], [1], (1,)],
    dict: [{"a": 1}],
    object: [b"x", {1}, object(), int, pd.NA, np.datetime64("2025-06-01"), np.array([1, 2]), pd.DataFrame({"a": [1]})],
}  # fmt: skip
VALUES = [(str if isinstance(value, str) else kind, value) for kind, values in GIVEN.items() for value in values]
WIDER = {int: {int, float}, str: {str}}  # a whole number is a number


@pytest.fixture(scope="module", params=["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def d(request, tmp_path_factory):
    """A Dashboard in the middle of the world, or at its edges."""
    tasks = [{"title": "A", "status": "blocked"}, {"title": "B", "checked": 1}]
    path = v2_1_database(tmp_path_factory.mktemp("arguments") / "d.db", tasks=tasks)
    with dashkit.open(path, timezone=request.param) as opened:
        yield opened


def takes(call, name):
    """The kinds that the annotation of a parameter names, read another way than the package does."""
    text = str(inspect.signature(call).parameters[name].annotation)
    names = {"int": int, "float": float, "str": str, "bool": bool, "None": type(None), "datetime": datetime,
             "date": date, "Path": Path, "Literal": str, "Sequence": list, "Mapping": dict}  # fmt: skip
    return {names[word] for word in re.findall(r"\w+", text) if word in names}


def answer(call, name, value):
    """What comes of a value: the answer, or the refusal that it must be then."""
    try:
        return call(**{name: value})
    except UsageError as error:
        refused = error
    assert refused.what.startswith("Cannot ")
    assert refused.remedy.endswith((".", "?"))
    assert refused.why
    assert len(str(refused)) < 700 or refused.what == "Cannot run this query"  # DuckDB's words
    return refused


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter_of_a_frame_is_taken_or_refused(d, name, parameter):
    """Whatever is given: the frame, or a usage error; and of another kind, one that names the parameter."""
    kinds = takes(FRAMES[name], parameter)
    for kind, value in VALUES:
        found = answer(getattr(d, name), parameter, value)
        assert isinstance(found, pd.DataFrame | UsageError), (kind, value)
        if kinds.isdisjoint(WIDER.get(kind, {kind}) | ({date} & kinds if kind is datetime else set())):
            assert isinstance(found, UsageError), (kind, value)
            assert found.parameter == parameter
            assert f"Cannot show {name} with {parameter}=" in found.what


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_can_be_told_what_it_takes(name):
    """Each parameter has an annotation of kinds that are known, so that a new frame is checked like all others."""
    told = arguments._taken_by(FRAMES[name].__wrapped__)
    assert list(told) == list(inspect.signature(FRAMES[name]).parameters)[1:]
    assert all(told.values())


def test_a_frame_is_still_the_function_that_was_written(d):
    """Its name, docstring and signature are those of the function, for help() and editors."""
    for name, frame in FRAMES.items():
        assert (frame.__name__, frame.__doc__) == (name, frame.__wrapped__.__doc__)
        assert inspect.signature(frame) == inspect.signature(frame.__wrapped__)
        assert "dashboard" not in inspect.signature(getattr(d, name)).parameters
    assert str(inspect.signature(d.activity)) == "(limit: int = 50) -> 'pd.DataFrame'"


@pytest.mark.parametrize("parameter", ["db", "as_of", "known_at", "project", "timezone", "load"])
def test_every_parameter_of_open_is_taken_or_refused(tmp_path, parameter):
    """Likewise: a Dashboard, or why not."""
    path = v2_1_database(tmp_path / "d.db")
    kinds = takes(dashkit.open, parameter) | ({dict} if parameter == "db" else set())
    for kind, value in VALUES:
        try:
            found = answer(lambda **given: dashkit.open(**{"db": path, **given}), parameter, value)
        except DashkitError as error:
            assert parameter == "db", (kind, value)
            found = error
        if isinstance(found, dashboard.Dashboard):
            found.close()
            assert kind in kinds, (kind, value)
        elif kind not in kinds:
            assert isinstance(found, UsageError)
            assert f"Cannot open a Dashboard with {parameter}=" in found.what


@pytest.mark.parametrize("parameter", ["query", "parameters"])
def test_every_parameter_of_sql_is_taken_or_refused(d, parameter):
    """Likewise; and a value of a list or mapping is taken, or refused as part of the query."""
    given = {"query": "SELECT ? AS a"} if parameter == "parameters" else {}
    for kind, value in VALUES:
        found = answer(lambda **more: d.sql(**given, **more), parameter, value)
        assert isinstance(found, pd.DataFrame | UsageError), (kind, value)
        if kind not in takes(dashboard.Dashboard.sql, parameter):
            assert f"Cannot run this query with {parameter}=" in found.what
    for kind, value in VALUES:
        if not isinstance(value, np.ndarray | pd.DataFrame):
            found = answer(lambda one: d.sql("SELECT $a AS a", one), "one", {"a": value})
            assert isinstance(found, pd.DataFrame | UsageError), (kind, value)


@pytest.mark.parametrize(("given", "stored"), [
    (np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(True), True), (np.str_("a"), "a"), ([np.int8(1)], [1]),
])  # fmt: skip
def test_a_query_takes_values_of_numpy(d, given, stored):
    """In a list and in a mapping they are what Python's own would be."""
    for found in (d.sql("SELECT ? AS a", [given]), d.sql("SELECT $a AS a", {"a": given})):
        assert np.array_equal(found["a"][0], stored)


def test_an_instant_of_pandas_is_one(d):
    """An aware Timestamp is the same as the datetime, for as_of, known_at, since and until."""
    stamp = pd.Timestamp("2026-01-02T03:04:05.678+02:00")
    with dashkit.open(d.path, as_of=stamp, known_at=stamp) as opened:
        assert type(opened.as_of) is datetime
        assert (opened.as_of, opened.as_of.tzinfo) == (stamp, UTC)
        assert "as of 2 January 2026, 01:04 UTC" in opened._repr_html_()
        later = stamp + pd.Timedelta(days=3)
        pd.testing.assert_frame_equal(opened.forecast(later), opened.forecast(later.to_pydatetime()))
        pd.testing.assert_frame_equal(opened.headlines(stamp), opened.headlines(stamp.to_pydatetime()))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda d: d.activity(None),
            "Cannot show activity with limit=None: a value is needed. Give a whole number: at ",
        ),
        (lambda d: d.activity(limit="x"), "limit='x': it is a text. Give a whole number: at most so many rows."),
        (lambda d: d.activity(True), "limit=True: it is a bool. Give a whole number"),
        (lambda d: d.activity(10**30), "00: it is beyond 64 bits. Give a whole number"),
        (lambda d: d.links(1.5), "task_id=1.5: it is a number. Give a whole number, a text or None: the links of this"),
        (lambda d: d.activity(-1), "Cannot show -1 events: the limit is below zero."),
        (lambda d: d.links(min_confidence=float("nan")), "min_confidence=nan: it is not finite. Give a number: leave"),
        (lambda d: d.forecast(tasks="3"), "tasks='3': it is a text. Give a whole number or None: when are so many "),
        (lambda d: d.forecast(arrivals=1), "arrivals=1: it is a whole number. Give True or False: no more is "),
        (lambda d: d.progress(by=3), "by=3: it is a whole number. Give a text or None: phase, complexity or label: a"),
        (lambda d: d.throughput(by=None), "by=None: a value is needed. Give a text: day, week or month."),
        (lambda d: d.throughput(by="weeks"), "Cannot count by 'weeks': there is no such period. Use day, week, month."),
        (lambda d: d.headlines(0), "since=0: it is a whole number. Give an aware datetime, a text or None: what "),
        (lambda d: d.sql("\udcff"), "query='\\udcff': it holds half of a character. Give a text: one SELECT"),
        (lambda d: d.forecast(until="9999-12-31"), "it is more than 1,000 days ahead, and no history is looked at for"),
        (lambda _: dashkit.open(timezone=5), "Cannot open a Dashboard with timezone=5: it is a whole number. Give a"),
    ],
)
def test_a_refusal_says_what_to_give(d, call, said):
    """What was refused, why, and what to give, in the words of the docstring."""
    with pytest.raises(UsageError) as refused:
        call(d)
    assert said in str(refused.value)


def test_what_python_says_itself_is_left_to_it(d):
    """A parameter that is not there, or one too many, is the TypeError that it is for any function."""
    with pytest.raises(TypeError, match=r"activity\(\) got an unexpected keyword argument 'limits'"):
        d.activity(limits=3)
    with pytest.raises(TypeError, match=r"wip\(\) takes from 1 to 2 positional arguments but 3 were given"):
        d.wip("week", "day")


def test_a_forecast_reaches_as_far_as_a_history_can():
    """The limit that is told is that of the simulation."""
    assert FARTHEST == past._LONGEST


@pytest.mark.parametrize("name", ["as_of", "known_at"])
def test_the_future_is_not_told(tmp_path, name):
    """Nothing is recorded of it; what a clock or a zone may be ahead is let through."""
    path = v2_1_database(tmp_path / "d.db")
    with pytest.raises(UsageError, match=r"2999-01-01: it lies in the future, of which nothing is recorded\. Give an"):
        dashkit.open(path, **{name: "2999-01-01"})
    with dashkit.open(path, **{name: times.utc_now() + timedelta(hours=14)}) as opened:
        assert len(opened.wip("day")) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["activity", "--limit", "x"], "Cannot show activity with --limit 'x': it is no number of rows. Give a whole"),
        (["ageing", "--limit", "-1"], "Cannot show ageing with --limit '-1': it is no number of rows. Give a whole"),
        (["links", "--min-confidence", "nan"], "min_confidence=nan: it is not finite. Give a number: leave out what"),
        (["links", "--task", "1.5"], "Cannot find task 1.5: no task has this id. Give the id that a page shows"),
        (["forecast", "--tasks", "0"], "Cannot tell when 0 tasks are done: that is nothing to ask for."),
        (["forecast", "--until", "9999-12-31"], "it is more than 1,000 days ahead"),
        (
            ["activity", "--by", "day"],
            "Cannot show activity with --by: this frame does not take that. It takes none of these options.",
        ),
        (["ageing", "--by", "day"], "this frame does not take that. It takes none of these options."),
        (["progres"], "Cannot show 'progres': there is no such frame. Did you mean 'progress'?"),
        (["nothing"], "Cannot show 'nothing': there is no such frame. The frames are activity, ageing, arrivals,"),
        (["wip", "--as-of", "2999-01-01"], "Cannot show what was true at 2999-01-01: it lies in the future"),
        (["wip", "--timezone", "localtime"], "it is no time zone that every computer knows. Give one such as Europe/"),
    ],
)
def test_show_says_it_too(d, capsys, words, said):
    """The command line has the same words, and exit code 2."""
    assert main(["show", *words, "--db", d.path]) == 2
    assert said in capsys.readouterr().err


def test_a_zero_is_given(d, capsys):
    """`--limit 0` is no rows, not as many as without it."""
    assert main(["show", "activity", "--limit", "1", "--json", "--db", d.path]) == 0
    assert '"type": "task_completed"' in capsys.readouterr().out
    assert main(["show", "activity", "--limit", "0", "--json", "--db", d.path]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_every_frame_can_be_limited(tmp_path):
    """Of each the first rows are taken, and all are counted."""
    path = full_database(tmp_path / "full.db", v2_1_database)
    with dashkit.open(path, as_of="2025-11-28") as opened:
        for name, frame in FRAMES.items():
            whole = frame(opened)
            for limit in (0, 1, 2**31):
                first, total = show._rows(opened, name, frame, {}, limit)
                assert total == len(whole)
                pd.testing.assert_frame_equal(first.reset_index(drop=True), whole.head(limit).reset_index(drop=True))


def test_what_a_limit_leaves_out_is_said(tmp_path, capsys):
    """A line says how many rows there are more: below a table, beside data, and of one in the singular."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"status": "blocked"}] * 3)

    def shown(*words):
        assert main(["show", "blocked_tasks", *words, "--db", str(path)]) == 0
        return capsys.readouterr()

    assert shown("--limit", "2").out.splitlines()[-1] == "1 more row was left out (--limit 2)"
    table = shown("--limit", "0")
    assert (table.out.splitlines()[2:], table.err) == (["3 more rows were left out (--limit 0)"], "")
    assert "left out" not in "".join([*shown("--limit", "3"), *shown("--limit", "9" * 30), *shown()])
    for form in ("--json", "--csv"):
        told = shown("--limit", "1", form)
        assert told.err == "2 more rows were left out (--limit 1)\n"
        assert "left out" not in told.out


def test_what_a_default_leaves_out_is_counted_too(tmp_path, capsys):
    """Activity shows 50 rows where nobody said how many; beside CSV the line is on standard error."""
    path = v2_1_database(tmp_path / "d.db", tasks=[{"checked": 1, "completed_at": "2025-01-01"}] * 60)
    for form, where in (([], "out"), (["--csv"], "err")):
        assert main(["show", "activity", *form, "--db", str(path)]) == 0
        assert getattr(capsys.readouterr(), where).endswith("10 more rows were left out (--limit 50)\n")


def test_without_a_frame_all_are_listed(capsys):
    """One line each, which needs no database."""
    assert main(["show", "--db", "none.db"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(dashboard.frames())
    assert "wip                        How many tasks were in work, and how many were open, at the end of" in "\n".join(
        lines
    )


@pytest.mark.parametrize(("words", "title"), [([], "commands:"), (["ingest"], "sources:")])
def test_without_a_command_there_is_help(capsys, words, title):
    """Whoever types the name alone wants to know what there is: a line for each, and no error."""
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert title in out
