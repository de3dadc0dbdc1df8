"""Writes the arrays of one tree of each kind, by the scikit-learn that runs this.

    PYTHON make.py [FOLDER [TREES SAMPLES]]

NAME-VERSION.tree, here unless FOLDER is given: u32 number of nodes, bytes of a node, values of a node, then a zlib
stream of the nodes and the values. Made by scikit-learn 1.0.2, 1.3.2 and 1.9.1. With TREES, larger ones of forests of so
many trees and rows, as plain files for bench/tree_bench: NAME-VERSION/nodes.bin, values.bin, offsets.bin.
"""
import pathlib
import struct
import sys
import zlib

import numpy as np
import sklearn
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
folder = folder if folder.is_dir() else folder.parent
trees, samples = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (1, 400)
large = len(sys.argv) > 3
random = np.random.RandomState(0)
classes, features = (10, 40) if large else (3, 6)
X, y = make_classification(n_samples=samples, n_features=features, n_informative=features // 2, n_classes=classes,
                           n_clusters_per_class=2, random_state=0)
real = X[:, 0] * 3 + np.sin(X[:, 1] * 2) + random.randn(samples) / 4
weights = random.rand(samples)
newer = tuple(int(n) for n in sklearn.__version__.split(".")[:2]) >= (1, 4)
options = dict(n_estimators=trees, random_state=0)

kinds = {
    "pure": RandomForestClassifier(**options).fit(X, y),
    "mixed": RandomForestClassifier(min_samples_leaf=5, **options).fit(X, y),
    "entropy": RandomForestClassifier(criterion="entropy", **options).fit(X, y),
    "weighted": RandomForestClassifier(**options).fit(X, y, weights),
    "weighted_mixed": RandomForestClassifier(min_samples_leaf=5, **options).fit(X, y, weights),
    "balanced": RandomForestClassifier(class_weight="balanced", **options).fit(X, y),
    "regressor": RandomForestRegressor(**options).fit(X, real),
    "regressor_mixed": RandomForestRegressor(min_samples_leaf=5, **options).fit(X, real),
    "extra": ExtraTreesClassifier(**options).fit(X, y),
}
if not large:
    kinds |= {
        "outputs": RandomForestClassifier(**options).fit(X, np.stack([y, y % 2], 1)),
        "regressor_outputs": RandomForestRegressor(**options).fit(X, np.stack([real, real ** 2], 1)),
        "best_first": RandomForestClassifier(max_leaf_nodes=30, **options).fit(X, y),
        "absolute": RandomForestRegressor(criterion="absolute_error", **options).fit(X, real),
        "one_node": RandomForestClassifier(min_samples_leaf=samples, **options).fit(X, y),
    }
if newer:
    holes = np.where(random.rand(*X.shape) < 0.2, np.nan, X)
    kinds["missing"] = RandomForestClassifier(**options).fit(holes, y)

for name, forest in kinds.items():
    states = [e.tree_.__getstate__() for e in forest.estimators_]
    nodes = [np.ascontiguousarray(s["nodes"]) for s in states]
    values = [np.ascontiguousarray(s["values"]) for s in states]
    if large:
        out = folder / f"{name}-{sklearn.__version__}"
        out.mkdir(exist_ok=True)
        np.cumsum([0] + [len(n) for n in nodes]).astype("<i8").tofile(out / "offsets.bin")
        (out / "nodes.bin").write_bytes(b"".join(n.tobytes() for n in nodes))
        (out / "values.bin").write_bytes(b"".join(v.tobytes() for v in values))
        continue
    table = nodes[0]
    if table.itemsize == 64:  # the bytes that no field covers are zero in a model file
        table = np.zeros(len(table), table.dtype)
        for field in table.dtype.names:
            table[field] = nodes[0][field]
    head = struct.pack("<III", len(table), table.itemsize, values[0].nbytes // 8 // len(table))
    (folder / f"{name}-{sklearn.__version__}.tree").write_bytes(
        head + zlib.compress(table.tobytes() + values[0].tobytes(), 9))
