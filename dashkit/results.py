"""What DuckDB answers as pandas, in the types that every frame promises."""

from typing import Any, cast
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd


def frame(result: duckdb.DuckDBPyConnection, timezone: str) -> pd.DataFrame:
    """A result as pandas, NA where there is no value.

    Whole numbers are Int64, others Float64, then boolean, string and datetime64[us, UTC] for instants. A date is the
    instant at which that day begins in the zone (datetime64[us, zone]): pandas compares it with instants, and shows the
    same day. DuckDB's own df() guesses by what is there, so that an empty result would differ.

    Args:
        result: what DuckDB answers.
        timezone: of the days.
    """
    kinds = [str(column[1]) for column in result.description]
    arrays = result.fetchnumpy()
    named = zip(arrays.items(), kinds, strict=True)
    return pd.DataFrame({name: _series(values, kind, timezone) for (name, values), kind in named})


def midnights(days: "pd.Series[Any]", timezone: str) -> "pd.Series[Any]":
    """The instants at which days begin in a zone: of two midnights the first, and where there is none, what follows."""
    zone = "UTC" if timezone == "UTC" else ZoneInfo(timezone)
    is_first = np.ones(len(days), dtype=bool)
    return cast("pd.Series[Any]", days.dt.tz_localize(zone, ambiguous=is_first, nonexistent="shift_forward"))


def _series(values: Any, kind: str, timezone: str) -> "pd.Series[Any]":
    # With its mask: a gap would turn whole numbers into floats.
    data, gaps = np.ma.getdata(values), np.ma.getmaskarray(values)
    if kind == "HUGEINT" and not (np.abs(data[~gaps]) >= 2**53).any():
        # The type of sum() over whole numbers; NumPy has none, so DuckDB gives floats.
        data = np.where(gaps, 0, data).astype("int64")
    if data.dtype.kind == "b":
        return pd.Series(pd.arrays.BooleanArray(data, gaps))
    if data.dtype.kind in "iu":
        return pd.Series(pd.arrays.IntegerArray(data.astype(f"{data.dtype.kind}8", copy=False), gaps))
    if data.dtype.kind == "f":
        return pd.Series(pd.arrays.FloatingArray(data.astype("f8", copy=False), gaps | np.isnan(data)))
    series: Any = pd.Series(data).mask(gaps)
    if data.dtype.kind == "M":
        series = series.astype("datetime64[us]")
    if kind == "DATE":
        return midnights(series, timezone)
    if kind.startswith("TIMESTAMP"):
        return cast("pd.Series[Any]", series.dt.tz_localize("UTC"))
    return cast("pd.Series[Any]", series.astype("string") if kind == "VARCHAR" else series)
