#!/usr/bin/python3
"""Makes the files of this folder and what is expected of them. Run with Debian 12's Python 3.11, numpy 1.24.2, scikit-learn
1.2.1, joblib 1.2.0:

    /usr/bin/python3 make.py

expected.txt has a line for each value that the tests look up: file, path, what is there. It is written from the live
objects, before they were saved. An array is given as type, shape and CRC-32 of its bytes in C order.
"""
import collections
import os
import pickle
import zlib

import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOCOLS = (2, 3, 4, 5)
lines = []


def describe(value):
    if isinstance(value, np.ndarray):
        shape = ",".join(str(n) for n in value.shape)
        return f"array\t{value.dtype.str}\t{shape}\t{zlib.crc32(value.tobytes('C')):08x}"
    if isinstance(value, np.generic):
        return f"scalar\t{value.dtype.str}\t{value.tobytes().hex()}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"bool\t{int(value)}"
    if isinstance(value, int):
        return f"int\t{value}"
    if isinstance(value, float):
        return f"float\t{value.hex()}"
    if isinstance(value, str):
        return "str\t" + value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, (bytes, bytearray)):
        return f"{type(value).__name__}\t{value.hex()}"
    if isinstance(value, complex):
        return f"complex\t{value.real.hex()}\t{value.imag.hex()}"
    if isinstance(value, (list, tuple, set, frozenset, dict)) and type(value).__module__ == "builtins":
        return f"{type(value).__name__}\t{len(value)}"
    cls = type(value)
    return f"object\t{cls.__module__}.{cls.__qualname__}"


def expect(name, path, value):
    lines.append(f"{name}\t{path}\t{describe(value)}")


def models():
    X, y = load_iris(return_X_y=True)
    return {
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y),
        "boosting": GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(X, y),
        "pipeline": Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())]).fit(X, y),
        "neighbors": KNeighborsClassifier(algorithm="brute").fit(X[::10], y[::10]),
    }


def expect_model(file, kind, model):
    expect(file, "", model)
    if kind == "forest":
        expect(file, "n_estimators", model.n_estimators)
        expect(file, "classes_", model.classes_)
        for i, tree in enumerate(model.estimators_):
            state = tree.tree_.__getstate__()
            expect(file, f"estimators_[{i}]", tree)
            expect(file, f"estimators_[{i}].tree_", tree.tree_)
            expect(file, f"estimators_[{i}].tree_.node_count", state["node_count"])
            expect(file, f"estimators_[{i}].tree_.nodes", state["nodes"])
            expect(file, f"estimators_[{i}].tree_.values", state["values"])
            expect(file, f"estimators_[{i}].tree_@args[0]", tree.n_features_in_)
            expect(file, f"estimators_[{i}].tree_@args[1]", np.array([3]))
    if kind == "boosting":
        for i in range(2):
            for k in range(3):
                tree = model.estimators_[i, k]
                expect(file, f"estimators_[{i * 3 + k}].tree_.values", tree.tree_.__getstate__()["values"])
        expect(file, "init_.class_prior_", model.init_.class_prior_)
    if kind == "pipeline":
        expect(file, "steps[0][1].mean_", model.steps[0][1].mean_)
        expect(file, "steps[1][0]", "classify")
        expect(file, "steps[1][1].coef_", model.steps[1][1].coef_)
        expect(file, "steps[1][1].C", 1.0)
    if kind == "neighbors":
        expect(file, "_fit_X", model._fit_X)
        expect(file, "n_neighbors", model.n_neighbors)
        expect(file, "metric", "minkowski")


def make_models():
    for kind, model in models().items():
        for protocol in PROTOCOLS:
            file = f"{kind}-p{protocol}.pkl"
            with open(os.path.join(HERE, file), "wb") as out:
                pickle.dump(model, out, protocol)
            expect_model(file, kind, model)
        file = f"{kind}.joblib"
        joblib.dump(model, os.path.join(HERE, file))
        expect_model(file, kind, model)
    for codec, extension in (("zlib", "z"), ("gzip", "gz"), ("lz4", "lz4"), ("bz2", "bz2"), ("xz", "xz"), ("lzma", "lzma")):
        file = f"forest.joblib.{extension}"
        joblib.dump(models()["forest"], os.path.join(HERE, file), compress=(codec, 3))
        if codec in ("zlib", "gzip", "lz4"):
            expect_model(file, "forest", models()["forest"])


def array_cases():
    record = np.zeros(3, [("a", "<i4"), ("b", ">f8", (2,)), (("title", "c"), "S3")])
    record["a"] = [1, 2, 3]
    record["b"][:, 1] = [0.5, 1.5, 2.5]
    record["c"] = [b"x", b"yy", b"zzz"]
    return {
        "c_order": np.arange(6.0).reshape(2, 3),
        "f_order": np.asfortranarray(np.arange(12, dtype="i4").reshape(3, 4)),
        "big_endian": np.arange(5).astype(">i8"),
        "zero_d": np.array(2.5),
        "empty": np.zeros((0, 3), "f4"),
        "empty_inside": np.zeros((2, 0), "f4"),
        "text": np.array(["aé", "b", ""]),
        "bytes": np.array([b"a", b"bc"]),
        "record": record,
        "aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
        "bool": np.array([True, False, True]),
        "one_byte": np.array([True]),
        "same_byte": np.array([True]),
        "half": np.array([1.5, -0.0, np.inf], "f2"),
        "complex": np.array([1 + 2j, -1j]),
        "times": np.array(["2020-01-01", "NaT"], "M8[D]"),
        "steps": np.array([3, 4], "m8[25s]"),
        "strided": np.arange(10)[::3],
        "cube": np.arange(24, dtype="u2").reshape(2, 3, 4).transpose(1, 0, 2),
        "long_double": np.array([1.25], "g").view("V16").view("g"),
        "raw": np.array([b"abcd", b"efgh"]).view("V4"),
    }


def make_arrays():
    cases = array_cases()
    # The last six bytes of a long double are whatever was in memory.
    cases["long_double"].view("u1").reshape(1, 16)[:, 10:] = 0
    shared = np.arange(3)
    extra = {
        "objects": np.array([1, "abc", {"a": 1, "b": [2.5, None]}], dtype=object),
        "objects_2d": np.array([[1, "x"], [None, shared]], dtype=object, order="F"),
        "no_objects": np.zeros((0, 2), object),
        "shared": [shared, shared],
    }
    files = [(f"arrays-p{p}.pkl", lambda path, p=p: pickle.dump({**cases, **extra}, open(path, "wb"), p)) for p in PROTOCOLS]
    files.append(("arrays.joblib", lambda path: joblib.dump({**cases, **extra}, path)))
    files.append(("arrays.joblib.z", lambda path: joblib.dump({**cases, **extra}, path, compress=3)))
    for p in PROTOCOLS:
        files.append((f"arrays-p{p}.joblib", lambda path, p=p: joblib.dump({**cases, **extra}, path, protocol=p)))
    for file, save in files:
        save(os.path.join(HERE, file))
        for name, array in cases.items():
            expect(file, name, array)
        expect(file, "objects[0]", 1)
        expect(file, "objects[1]", "abc")
        expect(file, "objects[2].b", [2.5, None])
        expect(file, "objects_2d[1]", "x")
        expect(file, "objects_2d[2]", None)
        expect(file, "objects_2d[3]", shared)
    np.savez(os.path.join(HERE, "arrays.npz"), **cases)
    np.savez_compressed(os.path.join(HERE, "arrays-deflated.npz"), **cases)
    for name, array in cases.items():
        expect("arrays.npz", name, array)
        expect("arrays-deflated.npz", name, array)
    for version in ((1, 0), (2, 0), (3, 0)):
        file = f"f_order-v{version[0]}.npy"
        with open(os.path.join(HERE, file), "wb") as out:
            np.lib.format.write_array(out, cases["f_order"], version)
        expect(file, "", cases["f_order"])
    np.save(os.path.join(HERE, "record.npy"), cases["record"])
    expect("record.npy", "", cases["record"])
    np.save(os.path.join(HERE, "objects.npy"), extra["objects"])



def make_kinds():
    inner = [1, 2]
    ring = [None]
    ring[0] = ring
    knot = {}
    knot["self"] = (knot, [knot])
    kinds = {
        "none": None, "yes": True, "no": False, "zero": 0, "small": -7, "int": 70000, "negative": -(2**31), "wide": 2**63 - 1,
        "big": 2**100 + 1, "big_negative": -(2**70), "huge": 1 << 1000, "float": 0.1, "minus_zero": -0.0, "inf": float("inf"),
        "text": "grün 日本 \U0001f600", "lone": "a\udc80", "long_text": "x" * 300, "empty_text": "",
        "bytes": bytes(range(256)), "empty_bytes": b"", "bytearray": bytearray(b"a\x80"), "empty_bytearray": bytearray(),
        "complex": 1.5 - 2j, "list": [1, [2, [3]]], "tuple": (1, (2, "x"), ()), "set": {3, 1, 2}, "frozenset": frozenset("ab"),
        "empties": [[], (), {}, set(), frozenset()], "slice": slice(1, None, -1), "range": range(3, 30, 4), "dots": ...,
        "scalars": [np.float32(1.5), np.int64(-3), np.str_("né"), np.bool_(True), np.datetime64(5, "25s")],
        "dtypes": [np.dtype(">i4"), np.dtype([("a", "<f8"), ("b", "S2", (3,))]), np.dtype("M8[ns]")],
        "twice": [inner, inner], "ring": ring, "knot": knot, "ordered": collections.OrderedDict(a=1, b=2),
        "default": collections.defaultdict(list, {"k": [1]}), "deque": collections.deque([1, 2], 5), "counter": collections.Counter("aab"),
        "matrix": np.matrix([[1, 2], [3, 4]]), "many": list(range(1100)), "many_keys": {f"k{i}": i for i in range(1100)},
        "class": collections.OrderedDict, "function": np.exp,
    }
    for protocol in (0, 1, 2, 3, 4, 5):
        file = f"kinds-p{protocol}.pkl"
        with open(os.path.join(HERE, file), "wb") as out:
            pickle.dump(kinds, out, protocol)
        for name in ("none yes no zero small int negative wide big big_negative float minus_zero inf text lone long_text empty_text "
                     "bytes empty_bytes bytearray empty_bytearray complex list tuple set frozenset empties twice ring many "
                     "many_keys").split():
            expect(file, name, kinds[name])
        for i, scalar in enumerate(kinds["scalars"]):
            expect(file, f"scalars[{i}]", scalar)
        expect(file, "list[1][1][0]", 3)
        expect(file, "tuple[1][1]", "x")
        expect(file, "slice[2]", -1)
        expect(file, "range[2]", 4)
        expect(file, "ordered", kinds["ordered"])
        expect(file, "default{0}[0]", 1)
        expect(file, "counter", kinds["counter"])
        expect(file, "many[1099]", 1099)
        expect(file, "many_keys.k1099", 1099)


make_models()
make_arrays()
make_kinds()
with open(os.path.join(HERE, "expected.txt"), "w") as out:
    out.write("\n".join(lines) + "\n")
