"""Model files for tests, each made once a process: by the command, from what scikit-learn and joblib wrote."""
import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import joblib
import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COMMAND = os.environ.get("MERE_COMMAND", "mere")


@functools.lru_cache(None)
def folder():
    path = tempfile.mkdtemp(prefix="mere-python-test-")
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(path, ignore_errors=True))
    return pathlib.Path(path)


def convert(value, name, *options):
    """The .mere file that the command makes of what joblib wrote."""
    source, target = folder() / (name + ".joblib"), folder() / (name + ".mere")
    joblib.dump(value, source)
    subprocess.run([COMMAND, "convert", "-q", *options, source, target], check=True)
    return target


@functools.lru_cache(None)
def digits():
    return load_digits(return_X_y=True)


@functools.lru_cache(None)
def forest():
    """(estimator, path) of a forest on digits."""
    X, y = digits()
    model = RandomForestClassifier(20, random_state=0).fit(X, y)
    return model, convert(model, "forest")


@functools.lru_cache(None)
def boosting():
    X, y = digits()
    model = GradientBoostingClassifier(n_estimators=5, random_state=0).fit(X, y)
    return model, convert(model, "boosting")


@functools.lru_cache(None)
def texts():
    """A pipeline whose classes are texts."""
    data = load_iris()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target_names[data.target])
    return model, convert(model, "texts", "--program", "with")


@functools.lru_cache(None)
def containers():
    """One of everything a graph holds beside objects."""
    shared = np.arange(5000.0)
    value = {"none": None, "yes": True, "int": 3, "big": 2**100, "negative": -(2**70), "real": -0.0, "complex": 1 + 2j,
             "text": "naïve \N{SNOWMAN}", "bytes": b"\0\xff", "list": [1, [2, 3]], "tuple": (1, "a"), "set": {3, 1, 2},
             7: "seven", "scalar": np.float32(1.5), "dtype": np.dtype(">i2"), "array": shared, "view": shared[10:20],
             "record": np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), "time": np.array(["2020-01-01"], "M8[D]"),
             "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)), "empty": np.empty((0, 3)),
             "objects": np.array([None, "x"], dtype=object), "zero_d": np.array(4)}
    return value, convert(value, "containers")
