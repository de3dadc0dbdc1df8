"""The models that the command's tests convert: made here, by the libraries that users have."""
import pickle

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression


def make_forest(trees=8, seed=1):
    data, target = load_digits(return_X_y=True)
    return RandomForestClassifier(trees, max_depth=8, random_state=seed).fit(data, target)


def make_regression(c=1.0):
    data, target = load_digits(return_X_y=True)
    return LogisticRegression(C=c, max_iter=200, tol=1e-2).fit(data[:300], target[:300])


def make_things():
    """Something of every kind, with one list in two places and one that holds itself."""
    shared = ["in two places"]
    cycle = []
    cycle.append(cycle)
    record = np.zeros(3, dtype=[("name", "U4"), ("value", "<f8"), ("pair", "<i2", (2,))])
    record["name"] = ["a", "b\u00e9", "c"]
    record["value"] = [1.5, np.nan, -np.inf]
    record["pair"] = [[1, 2], [3, 4], [5, 6]]
    return {
        "none": None, "true": True, "int": 42, "big": 10 ** 40, "negative_big": -(10 ** 40), "unsigned": 2 ** 64 - 1,
        "float": 0.1, "whole": 3.0, "minus_zero": -0.0, "nan": float("nan"), "infinity": float("inf"), "complex": 1 - 2j,
        "text": "gr\u00fc\u00dfe \U0001f333", "surrogate": "\udc80", "empty": "",
        "steering": "\x1b[31mred\x1b[0m\x07 \u009b \u202e \r\n",
        "bytes": b"\x00\xff", "bytearray": bytearray(b"abc"),
        "list": [1, 2, 3], "long_list": [[n] for n in range(50)], "tuple": (1, "two"), "set": {1}, "frozenset": frozenset({"x"}),
        "numbers": {1: "one", (2, 3): "pair"}, "at": {"@set": 1}, "slice": slice(1, None, 2), "range": range(0, 10, 3),
        "ellipsis": ..., "shared": shared, "again": shared, "cycle": cycle,
        "scalar": np.float32(0.25), "int8": np.int8(-3), "date": np.datetime64("2026-11-21T20:46:26.000250"),
        "dtype": np.dtype("<f8"), "any key": 1, "quote\"": 2,
        "array": np.arange(12, dtype="<f8").reshape(3, 4), "fortran": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        "half": np.array([1.5, 65504, np.inf, 6e-8], dtype="<f2"), "flags": np.array([True, False]),
        "days": np.array(["1969-12-31", "2024-02-29", "NaT"], dtype="<M8[D]"),
        "durations": np.array([1, 2], dtype="<m8[25us]"),
        "record": record, "objects": np.array([1, "x", None], dtype=object), "zero_d": np.array(7), "no_rows": np.zeros((0, 3)),
        "words": np.array(["a", "\u00fc"]), "codes": np.array([b"ab", b"c"]), "large": np.arange(40000, dtype="<i8"),
        "strided": np.arange(20, dtype="<i4")[::-3],
    }


def make_all(mere):
    """Writes the models into the folder of `mere` and converts them; done once."""
    if mere.path("things.mere").exists():
        return
    forest = make_forest()
    joblib.dump(forest, mere.path("forest.joblib"))
    with open(mere.path("things.pkl"), "wb") as out:
        pickle.dump(make_things(), out, protocol=5)
    for name, c in ("regression", 1.0), ("other", 0.5):
        with open(mere.path(f"{name}.pkl"), "wb") as out:
            pickle.dump(make_regression(c), out, protocol=4)
    for name in "forest.joblib", "things.pkl", "regression.pkl", "other.pkl":
        mere.good("convert", mere.path(name), mere.path(name.split(".")[0] + ".mere"))
    mere.good("convert", "--codec", "zlib", mere.path("forest.mere"), mere.path("forest-zlib.mere"))
