"""Makes the files of this folder: one dict with an object of each kind that docs/importers.md tells of, in several protocols.
Run with each Python (2.7 too), as far as it has numpy, scipy and pandas:

    python make.py             # writes pyMAJOR.MINOR-pPROTOCOL.pkl.gz and versions-pyMAJOR.MINOR.txt
"""
import collections
import datetime
import decimal
import fractions
import functools
import gzip
import os
import pickle
import re
import sys
import tempfile
import uuid

import numpy as np
import pandas as pd
import scipy
import scipy.sparse as sparse
import scipy.special

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON3 = sys.version_info[0] >= 3


class Plain(object):
    def method(self):
        pass

    @classmethod
    def make(cls):
        return cls()

    class Inner(object):
        pass


class Dict(dict):
    pass


class List(list):
    pass


class Int(int):
    pass


class Str(str):
    pass


class Float(float):
    pass


class Set(set):
    pass


class Complex(complex):
    pass


Point = collections.namedtuple("Point", "x y")


def with_attribute(value):
    value.extra = 1  # instances without one have an empty state in some Pythons and none in others
    return value


def standard():
    plain = Plain()
    plain.a = 1
    kinds = {
        "plain": plain, "dict_sub": with_attribute(Dict(a=1)), "list_sub": with_attribute(List([1, 2])), "int_sub": with_attribute(Int(5)),
        "str_sub": with_attribute(Str("abc")), "float_sub": with_attribute(Float(2.5)), "set_sub": with_attribute(Set([1, 2])),
        "complex_sub": with_attribute(Complex(1, 2)), "date": datetime.date(1900, 1, 2), "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5, 6),
        "time": datetime.time(1, 2, 3), "timedelta": datetime.timedelta(1, 2, 3), "decimal": decimal.Decimal("1.50"),
        "fraction": fractions.Fraction(3, 4), "uuid": uuid.UUID(int=2**127), "ordered": collections.OrderedDict([("a", 1)]),
        "default": collections.defaultdict(list, {"a": [1]}), "deque": collections.deque([1, 2], 3), "counter": collections.Counter("aab"),
        "partial": functools.partial(sorted, reverse=True), "pattern": re.compile("a.b", re.I), "class": Plain, "function": len,
    }
    if PYTHON3:
        import enum
        import pathlib
        import types

        global Color, Number

        class Color(enum.Enum):
            RED = 1

        class Number(enum.IntEnum):
            ONE = 1

        Color.__qualname__, Number.__qualname__ = "Color", "Number"
        kinds.update({
            "path": pathlib.PurePosixPath("/a/b"), "namespace": types.SimpleNamespace(a=1), "zone": datetime.timezone.utc,
            "zoned": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X")), "color": Color.RED,
            "number": Number.ONE, "bound": plain.method, "bound_class": Plain.make, "bound_text": "abc".upper, "inner": Plain.Inner,
            "inner_object": with_attribute(Plain.Inner()), "none_type": type(None), "dots_type": type(Ellipsis), "not_implemented": NotImplemented,
        })
        try:
            import zoneinfo
            kinds["zone_name"] = zoneinfo.ZoneInfo("UTC")
        except ImportError:
            pass
    return kinds


def arrays():
    masked_record = np.ma.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    masked_record.mask = [(True, False)]
    masked_record.set_fill_value((9, 9.0))
    record = np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    memmap = np.memmap(tempfile.TemporaryFile(), dtype="f8", mode="w+", shape=(3,))
    memmap[:] = [1, 2, 3]
    kinds = {
        "state": np.random.RandomState(0), "masked": np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]], fill_value=9),
        "masked_f": np.ma.array(np.asfortranarray([[1.0, 2], [3, 4]]), mask=[[0, 1], [0, 0]]), "masked_none": np.ma.array([1, 2]),
        "masked_record": masked_record, "masked_objects": np.ma.array([1, "x", None], mask=[0, 1, 0], dtype=object),
        "matrix": np.matrix([[1, 2]]), "record": record, "record_type": record.dtype, "record_plain": record.view(np.ndarray),
        "chararray": np.char.array(["ab", "c"]), "scalar": np.float64(1.5), "ascii_scalar": np.int64(0x6161616161616161),
        "ascii_array": np.frombuffer(b"abcdefgh", dtype="i4").copy(), "objects": np.array([[1, "a"], [None, 2.5]], dtype=object), "memmap": memmap,
        "type": np.float64, "ufunc": np.exp, "expit": scipy.special.expit,
    }
    if hasattr(np.random, "default_rng"):
        kinds["generator"] = np.random.default_rng(0)
        kinds["seeds"] = np.random.SeedSequence(5)
        kinds["bits"] = [np.random.PCG64(1), np.random.Philox(1), np.random.SFC64(1)]
    dense = np.array([[0, 1.0, 0, 0], [2, 0, 0, 3], [0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0], [5, 0, 0, 0]])
    for layout in "csr csc coo bsr dia dok lil".split():
        kinds[layout + "_matrix"] = getattr(sparse, layout + "_matrix")(dense)
        if hasattr(sparse, layout + "_array"):
            kinds[layout + "_array"] = getattr(sparse, layout + "_array")(dense)
    return kinds


def tables():
    return {
        "index": pd.Index([1, 2, 3]), "text_index": pd.Index(["a", "b"]), "range_index": pd.RangeIndex(3),
        "multi_index": pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]), "dates": pd.date_range("2020", periods=3),
        "series": pd.Series([1.0, 2, 3], name="s"), "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, 2.5]}),
        "categories": pd.Series(["a", "b", "a"], dtype="category"), "stamp": pd.Timestamp("2020-01-01", tz="UTC"), "delta": pd.Timedelta("1d"),
        "nullable": pd.Series([1, None], dtype="Int64"), "interval": pd.Interval(0, 1), "not_a_time": pd.NaT,
    }


kinds = standard()
kinds.update(arrays())
kinds.update(tables())
if not PYTHON3:
    del kinds["nullable"]  # has an instance without attributes, whose empty state Python 2's protocols 0 and 1 leave out
version = "py%d.%d" % sys.version_info[:2]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    if protocol in (1, 3):
        continue
    with open(os.path.join(HERE, "%s-p%d.pkl.gz" % (version, protocol)), "wb") as out:
        with gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
            packed.write(pickle.dumps(kinds, protocol))
with open(os.path.join(HERE, "versions-%s.txt" % version), "w") as out:
    out.write("numpy %s, scipy %s, pandas %s\n" % (np.__version__, scipy.__version__, pd.__version__))
