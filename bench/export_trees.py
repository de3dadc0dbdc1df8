#!/usr/bin/env python3
"""Arrays of fitted tree ensembles, and scikit-learn's answers, for predict_bench.

export_trees.py X.npy MODEL.joblib OUT [MODEL.joblib OUT ...]

For forests of classifiers, gradient boosting classifiers and histogram gradient boosting classifiers whose outputs are
classes. Only for models you made: joblib files run code."""
import pathlib
import sys

import joblib
import numpy as np


def write_trees(out, write, trees, values, x, classes, scale=1.0):
    """`trees`: (left, right, feature, threshold) of each."""
    offset = np.cumsum([0] + [len(tree[0]) for tree in trees]).astype(np.int64)
    for i, name in enumerate(["left.i32", "right.i32", "feature.i32"]):
        write(name, np.concatenate([tree[i] for tree in trees]).astype(np.int32))
    write("threshold.f64", np.concatenate([tree[3] for tree in trees]))
    write("value.f64", np.concatenate(values))
    write("offset.i64", offset)
    write("X.f64", x)
    write("X.f32", x.astype(np.float32))
    (out / "meta.txt").write_text(f"{len(trees)} {offset[-1]} {classes} {x.shape[0]} {x.shape[1]} {scale!r}\n")


def of_tree(tree):
    return tree.children_left, tree.children_right, tree.feature, tree.threshold


def export(model, x, out):
    out.mkdir(parents=True, exist_ok=True)

    def write(name, array):
        np.ascontiguousarray(array).tofile(out / name)

    classes = len(model.classes_)
    if hasattr(model, "_predictors"):
        nodes = [tree.nodes for stage in model._predictors for tree in stage]
        leaf = [n["is_leaf"].astype(bool) for n in nodes]
        trees = [(np.where(l, -1, n["left"].astype(np.int64)), np.where(l, -1, n["right"].astype(np.int64)),
                  n["feature_idx"], n["num_threshold"]) for n, l in zip(nodes, leaf)]
        write_trees(out, write, trees, [n["value"] for n in nodes], x, classes)
        write("miss.u8", np.concatenate([n["missing_go_to_left"] for n in nodes]).astype(np.uint8))
        write("baseline.f64", np.ravel(model._baseline_prediction))
        write("expected_raw.f64", model.decision_function(x))
    elif hasattr(model, "learning_rate"):
        trees = [member.tree_ for stage in model.estimators_ for member in stage]
        write_trees(out, write, [of_tree(t) for t in trees], [t.value[:, 0, 0] for t in trees], x, classes,
                    model.learning_rate)
        write("init.f64", model._raw_predict_init(x[:1].astype(np.float32)))
        write("expected.f64", model.decision_function(x))
    else:
        model.n_jobs = 1
        trees = [member.tree_ for member in model.estimators_]
        write_trees(out, write, [of_tree(t) for t in trees], [t.value[:, 0, :] for t in trees], x, classes)
        write("expected.f64", model.predict_proba(x))


if __name__ == "__main__":
    rows = np.load(sys.argv[1])
    for path, folder in zip(sys.argv[2::2], sys.argv[3::2]):
        export(joblib.load(path), rows, pathlib.Path(folder))
