"""Makes the files of this folder: frames, series and indices of one pandas release, as it pickles them.

    PYTHON make.py [OUT]       writes pandas-VERSION.pkl.gz: {name: bytes of the pickle of that one thing}

The bytes of each thing are a pickle of their own, in the newest protocol of that Python and in protocol 2 (names that
end in "@2"). Python 3.6 and later; pandas 0.25 and later.
"""
import datetime
import gzip
import os
import pickle
import sys

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))


def attempt(make):
    """What `make` gives, or None: this release has no such thing."""
    try:
        return make()
    except (AttributeError, TypeError, ValueError, ImportError, NotImplementedError):
        return None


def series():
    values = {
        "float": [1.0, np.nan, 3.0], "integer": [1, 2, 3], "boolean": [True, False, True], "object": ["a", None, 2],
        "text": ["x", "y", "z"], "complex": [1j, 2.0, 3.0], "dates": pd.to_datetime(["2020-01-01", None, "2021-02-03"]),
        "zoned": pd.to_datetime(["2020-01-01"] * 3).tz_localize("UTC"), "deltas": pd.to_timedelta([1, 2, None], "s"),
        "category": pd.Categorical(["a", "b", None]), "ordered": pd.Categorical([3, 1, 3], ordered=True),
        "interval": pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]), "period": pd.period_range("2020-01", periods=3, freq="M"),
        "sparse": pd.arrays.SparseArray([0.0, 1.0, 0.0]), "sparse_blocks": pd.arrays.SparseArray([0.0, 1.0, 0.0], kind="block"),
    }
    for name, value in values.items():
        yield name, lambda value=value: pd.Series(value, name=name)
    for dtype in ("Int8", "Int64", "UInt16", "Float32", "Float64", "boolean", "string", "string[python]"):
        value = {"b": [True, None, False], "s": ["p", None, "r"]}.get(dtype[0], [1, None, 3])
        yield dtype, lambda value=value, dtype=dtype: pd.Series(value, dtype=dtype)
    for unit in "s", "ms":
        yield "dates_" + unit, lambda unit=unit: pd.Series(np.array(["2020-01-01"] * 2, "M8[%s]" % unit))
    yield "empty", lambda: pd.Series([], dtype="float64")
    yield "indexed", lambda: pd.Series([1.5, 2.5], index=["p", "q"])
    yield "flagged", lambda: pd.Series([1.5, 2.5]).set_flags(allows_duplicate_labels=False)


def indices():
    yield "index_text", lambda: pd.Index(["a", "b"], name="n")
    yield "index_integer", lambda: pd.Index([5, 7])
    yield "index_unsigned", lambda: pd.Index(np.array([5, 7], "u8"))
    yield "index_float", lambda: pd.Index([1.5, 2.5])
    yield "index_range", lambda: pd.RangeIndex(2, 10, 3)
    yield "index_multi", lambda: pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]], names=["l", "n"])
    yield "index_dates", lambda: pd.date_range("2020-01-01", periods=3)
    yield "index_zoned", lambda: pd.date_range("2020-01-01", periods=3, tz="UTC")
    yield "index_months", lambda: pd.date_range("2020-01-01", periods=3, freq="MS")
    yield "index_deltas", lambda: pd.timedelta_range("1s", periods=3)
    yield "index_periods", lambda: pd.period_range("2020-01", periods=3, freq="M")
    yield "index_intervals", lambda: pd.interval_range(0, 3)
    yield "index_category", lambda: pd.CategoricalIndex(["a", "b", "a"])
    yield "index_masked", lambda: pd.Index(pd.array([1, None, 3], dtype="Int64"))


def frames():
    columns = {name: column for name, make in series() for column in [attempt(make)] if column is not None and len(column) == 3}
    mixed = pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2], "c": [3.0, 4.0], "d": ["x", "y"], "e": [5.0, 6.0]})
    yield "frame_mixed", lambda: mixed
    yield "frame_dropped", lambda: mixed.drop(columns=["b"])
    yield "frame_every", lambda: pd.concat([mixed, mixed.iloc[:1]], ignore_index=True).assign(
        **{k.replace("[", "_").replace("]", ""): v.reset_index(drop=True) for k, v in columns.items()})
    yield "frame_one", lambda: pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"])
    yield "frame_labels", lambda: pd.DataFrame(np.arange(6).reshape(3, 2), index=list("pqr"), columns=pd.Index([7, 9], name="k"))
    yield "frame_twice", lambda: pd.DataFrame([[1, 2.5], [3, 4.5]], columns=["a", "a"])
    yield "frame_multi", lambda: pd.DataFrame(np.arange(8.0).reshape(2, 4), columns=pd.MultiIndex.from_product([["a", "b"], [1, 2]]))
    yield "frame_empty", lambda: pd.DataFrame()
    yield "frame_no_rows", lambda: mixed.iloc[:0]
    yield "frame_no_columns", lambda: mixed[[]]
    yield "frame_inserted", lambda: with_inserted(mixed.copy())
    yield "frame_sliced", lambda: pd.DataFrame(np.arange(24.0).reshape(4, 6))[[5, 1, 3]].iloc[::2]
    yield "frame_dates", lambda: pd.DataFrame({"t": pd.date_range("2020", periods=2), "u": pd.date_range("2021", periods=2)},
                                              index=pd.date_range("2022", periods=2))
    yield "frame_attributes", lambda: with_attributes(mixed.copy())


def with_inserted(frame):
    frame.insert(1, "z", [1, 2])  # one more block of a kind that is there
    frame["y"] = [7.0, 8.0]
    return frame


def with_attributes(frame):
    frame.attrs["source"] = "here"
    return frame


def scalars():
    yield "stamp", lambda: pd.Timestamp("2020-01-01")
    yield "stamp_zoned", lambda: pd.Timestamp("2020-01-01", tz=datetime.timezone.utc)
    yield "delta", lambda: pd.Timedelta(1, "s")
    yield "period", lambda: pd.Period("2020-01", "M")
    yield "interval", lambda: pd.Interval(0, 1)
    yield "not_a_time", lambda: pd.NaT
    yield "missing", lambda: pd.NA


def frequencies():
    for name in ("D B W W-WED M ME MS BM BME BMS Q QE QS BQ BQE BQS A Y YE AS YS BA BYE H h T min S s L ms U us N ns SM SME SMS "
                 "2D BH bh WOM-2MON LWOM-MON").split():
        yield "frequency_" + name, lambda name=name: pd.tseries.frequencies.to_offset(name)


def things():
    """(name, thing) of all that this release has of the above."""
    for group in (series, indices, frames, scalars, frequencies):
        for name, make in group():
            thing = attempt(make)
            if thing is not None:
                yield name if group in (indices, frames, frequencies) else group.__name__ + "_" + name, thing


def main():
    out = {}
    for name, thing in things():
        for suffix, protocol in (("", pickle.HIGHEST_PROTOCOL), ("@2", 2)):
            data = pickle.dumps(thing, protocol)
            pickle.loads(data)  # what its own library does not read back is no fixture
            out[name + suffix] = data
    path = os.path.join(sys.argv[1] if len(sys.argv) > 1 else HERE, "pandas-%s.pkl.gz" % pd.__version__)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(pickle.dumps(out, 2))
    print(pd.__version__, len(out), "things")


if __name__ == "__main__":
    main()
