"""Writes the files of the folder of the running skops release, and the same objects as pickles (protocol 4). One
environment a release, with Python 3.11:

    pip install skops==0.3.0  numpy==1.24.4 scipy==1.10.1 scikit-learn==1.1.3    (protocol 0)
    pip install skops==0.4.0  numpy==1.24.4 scipy==1.10.1 scikit-learn==1.2.2    (protocol 0)
    pip install skops==0.6.0  numpy==1.24.4 scipy==1.10.1 scikit-learn==1.2.2    (protocol 1)
    pip install skops==0.9.0  numpy==1.26.4 scipy==1.11.4 scikit-learn==1.3.2    (protocol 1)
    pip install skops==0.11.0 numpy==1.26.4 scipy==1.13.1 scikit-learn==1.5.2    (protocol 2)
    pip install skops==0.16.0 numpy==2.2.6  scipy==1.15.3 scikit-learn==1.6.1    (protocol 2)

    python make.py
"""

import collections
import datetime
import decimal
import functools
import inspect
import operator
import os
import pickle
import warnings
import zipfile

import numpy as np
import scipy.sparse
import scipy.special
import skops
import skops.io
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, ".".join(skops.__version__.split(".")[:2]))


def write(name, value, **options):
    content = skops.io.dumps(value, **options)
    with open(os.path.join(FOLDER, name + ".skops"), "wb") as f:
        f.write(content)
    with open(os.path.join(FOLDER, name + ".pkl"), "wb") as f:
        pickle.dump(value, f, protocol=4)


def can_compress():
    return "compression" in inspect.signature(skops.io.dumps).parameters


def write_all(values, **options):
    """What this release cannot save is left out, and said."""
    for name, make in values.items():
        try:
            write(name, make(), **options)
        except Exception as error:  # each release has its own ways
            print(f"{skops.__version__}: {name}: {type(error).__name__}: {str(error)[:100]}")
            for ending in (".skops", ".pkl"):
                path = os.path.join(FOLDER, name + ending)
                if os.path.exists(path):
                    os.remove(path)


def kinds():
    shared = [1, 2]
    return {
        "none": None, "true": True, "int": -5, "big": 2**100, "float": 1.5, "minus_zero": -0.0, "inf": float("inf"),
        "minus_inf": -float("inf"), "nan": float("nan"), "tiny": 5e-324, "str": "x\u00e9\U0001f600\n\"\\", "empty": "",
        "list": [1, [2, []]], "tuple": (1, ()), "set": {3, 1, 2}, "dict": {}, "shared": shared, "again": shared,
        "keys": {1: "int", "1x": "str", 1.5: "float", True and 7: "seven", None: "none"},
        "types": [int, np.float64, dict, RandomForestClassifier],
        "slice": slice(1, None, 2),
    }


def arrays():
    twice = np.arange(4)
    return {
        "c": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big": np.arange(3, dtype=">i4"),
        "zero": np.zeros((0, 3)), "scalar": np.array(1.5), "bool": np.array([True, False]),
        "str": np.array(["a", "bcd"]),
        "bytes": np.array([b"a", b"bc"]), "date": np.array(["2020-01-01", "NaT"], "M8[D]"), "complex": np.array([1j]),
        "record": np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8")]), "objects": np.array([1, "x", None, [1]], object),
        "grid": np.array([[1, "x"], [None, 2.5]], object), "twice": twice, "again": twice,
        "float64": np.float64(1.25), "int32": np.int32(-7), "bool_": np.bool_(True), "str_": np.str_("abc"),
        "numpy_keys": {np.int64(3): 1, np.float64(0.5): 2, np.str_("k"): 3},
    }


def dtypes():
    return [np.dtype(kind) for kind in ("f8", ">i2", "U3", [("a", "i4"), ("b", "f8", (2,))], object)]


def data():
    rng = np.random.RandomState(0)
    X = rng.rand(24, 3).astype(np.float32)
    return X, (X[:, 0] > 0.5).astype(int)


def fitted(model):
    def make():
        X, y = data()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(X, y)

    return make


def masked():
    return [np.ma.MaskedArray([1.0, 2.0], [True, False]), np.ma.MaskedArray([1, 2, 3])]


def sparse(names):
    matrix = scipy.sparse.csr_matrix(np.array([[0, 1.5], [2.5, 0]]))
    return lambda: {name: getattr(scipy.sparse, name)(matrix) for name in names}


SPARSE = ["csr_matrix", "csc_matrix", "coo_matrix", "bsr_matrix", "dia_matrix"]

def surrogates():
    return {"lone": "a\ud800b", "low": "\udfff", "pair": "\U0001f600", "halves": "\udc00\ud800",
            "\udc80key": [1, "x\ue000y"], "private": "\uf000", "escaped": "\\ud800"}


os.makedirs(FOLDER, exist_ok=True)
write_all({
    "kinds": kinds,
    **({"surrogates": surrogates} if FOLDER.endswith("0.16") else {}),
    "arrays": arrays,
    "dtypes": dtypes,
    "masked": masked,
    "sparse": sparse(SPARSE),
    "sparse_arrays": sparse([name.replace("matrix", "array") for name in SPARSE]),
    "random_state": lambda: np.random.RandomState(3),
    "generators": lambda: [
        np.random.Generator(kind(2**70)) for kind in (np.random.PCG64, np.random.Philox, np.random.SFC64)
    ],
    "functions": lambda: [np.exp, np.sqrt, scipy.special.expit, len, os.path.join],
    "partial": lambda: functools.partial(np.add, 1, out=None),
    "methods": lambda: [StandardScaler(with_mean=False).fit_transform],
    "operators": lambda: [operator.itemgetter(1), operator.attrgetter("a", "b.c"), operator.methodcaller("lower")],
    "defaultdict": lambda: [collections.defaultdict(list, a=[1]), collections.defaultdict(None, {"b": 2})],
    "ordered": lambda: collections.OrderedDict([("b", 1), ("a", 2)]),
    "bytes": lambda: [b"", b"\x00\xff", bytearray(b"xyz")],
    "reduced": lambda: [datetime.timedelta(1, 2, 3), decimal.Decimal("1.50"), frozenset([1, 2]), range(1, 9, 3)],
})
models = {
    "tree": fitted(RandomForestClassifier(2, max_depth=2, random_state=0)),
    "logistic": fitted(Pipeline([("s", StandardScaler()), ("m", LogisticRegression())])),
    "neighbours": fitted(KNeighborsClassifier(algorithm="kd_tree", leaf_size=5)),
    "sgd": fitted(SGDClassifier(loss="huber", random_state=0)),
    "function_transformer": lambda: FunctionTransformer(np.log1p),
}
more_models = {
    "gradient": fitted(GradientBoostingClassifier(n_estimators=2, max_depth=1, random_state=0)),
    "histogram": fitted(HistGradientBoostingRegressor(max_iter=2, max_depth=2, min_samples_leaf=2, random_state=0)),
    "search": fitted(GridSearchCV(LogisticRegression(), {"C": [0.5, 1.0]}, cv=2)),
    "mlp": fitted(MLPClassifier((3,), max_iter=3, random_state=0)),
    "svc": fitted(SVC()),
    "encoder": lambda: OneHotEncoder().fit([["a"], ["b"]]),
    "words": lambda: TfidfVectorizer(dtype=np.float64).fit(["a bb ccc", "bb dd"]),
}
if can_compress():
    write_all({**models, **more_models}, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    write_all({"bzip2": lambda: [data()[0], sparse(["csr_matrix"])()]}, compression=zipfile.ZIP_BZIP2)
    write_all({"lzma": lambda: [data()[0], sparse(["csr_matrix"])()]}, compression=zipfile.ZIP_LZMA)
else:
    write_all(models)
