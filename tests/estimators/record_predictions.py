"""Fits the estimators of a list with the scikit-learn at hand and records what each answers:

    python record_predictions.py OUT.joblib [--list predicted_trees] [--only PATTERN]

OUT holds {"version", "cases": {name: {"model", "inputs": {label: {"x", "answers": {method: array}, "refused": [method]}}}}}.
Classes that are Python objects are recorded as texts; what comes output by output or stage by stage lies side by side.
"""
import argparse
import importlib
import re
import warnings

import joblib
import numpy as np
import sklearn

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "apply", "transform",
           "staged_predict", "staged_predict_proba", "staged_decision_function")


def thresholds_of(estimator, found, depth=0):
    """Thresholds of every tree inside, by feature of that tree."""
    if depth > 4:
        return
    if hasattr(estimator, "tree_"):
        tree = estimator.tree_
        found += [(f, t) for f, t in zip(tree.feature, tree.threshold) if f >= 0]
    for predictors in getattr(estimator, "_predictors", []):
        for predictor in predictors:
            nodes = predictor.nodes
            found += [(n["feature_idx"], n["num_threshold"]) for n in nodes if not n["is_leaf"]]
    for members in ("estimators_", "init_", "final_estimator_"):
        value = getattr(estimator, members, None)
        for member in np.ravel(np.array(value, dtype=object)) if value is not None else []:
            thresholds_of(member, found, depth + 1)


def inputs(estimator, x):
    rng = np.random.RandomState(5)
    yield "rows", x[:25]
    yield "one row", x[-1:]
    yield "fortran", np.asfortranarray(x[::4])
    yield "single", x[5:20].astype(np.float32)
    columns = x.shape[1]
    filled = np.where(np.isnan(x), 0, x)
    odd = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 1.4e-45, 1e-38, 1e-310, 1e30, -1e30, 3.4028234e38, -3.4028234e38,
           255, 256, 257, 1.5, -1, -0.5, 6.999, 1e6]
    yield "odd", np.array([[v if c == k else filled[i % 9, c] for c in range(columns)]
                           for i, v in enumerate(odd) for k in range(columns)])
    found = []
    thresholds_of(estimator, found)
    rows = []
    for i in rng.permutation(len(found))[:40]:
        feature, t = found[i]
        if feature >= columns or not np.isfinite(t):
            continue
        near = np.float32(t)
        for v in (t, np.nextafter(t, -np.inf), np.nextafter(t, np.inf), near, np.nextafter(near, np.float32(-np.inf)),
                  np.nextafter(near, np.float32(np.inf))):
            row = filled[i % 20].copy()
            row[feature] = v
            rows.append(row)
    if rows:
        yield "thresholds", np.array(rows, dtype=np.float64)
    for label, value in (("nan", np.nan), ("infinity", np.inf), ("minus infinity", -np.inf), ("huge", 1e39)):
        rows = filled[:columns].copy()
        rows[np.arange(columns), np.arange(columns)] = value
        yield label, rows


def plain(answer, classes):
    if hasattr(answer, "toarray"):
        answer = answer.toarray()
    answer = np.asarray(answer)
    return answer.astype(str) if answer.dtype == object else answer


def flat(answer):
    return answer.reshape(len(answer), -1) if answer.ndim > 2 else answer


def answers_of(estimator, x):
    answers, refused = {}, []
    for method in METHODS:
        try:
            call = getattr(estimator, method, None)
        except Exception:
            continue
        if call is None:
            continue
        try:
            answer = call(x)
            if method.startswith("staged_"):
                answer = np.column_stack([plain(a, estimator) for a in answer])
        except ValueError as error:
            text = str(error)
            if re.search("NaN|infinity|too large|nan", text):
                refused.append(method)
            elif "Found unknown" not in text:
                print(f"    {type(estimator).__name__}.{method}: {text[:90]}")
            continue
        except (AttributeError, NotImplementedError, ZeroDivisionError, TypeError, IndexError) as error:
            print(f"    {type(estimator).__name__}.{method}: {type(error).__name__} {str(error)[:90]}")
            continue
        if not isinstance(answer, list) and answer.shape[0] != len(x):
            continue  # a matrix a member, which no program gives
        if isinstance(answer, list):
            for i, part in enumerate(answer):
                answers[f"{method}[{i}]"] = np.ascontiguousarray(plain(part, estimator))
        else:
            answers[method] = np.ascontiguousarray(flat(plain(answer, estimator)))
    return answers, refused


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--list", default="predicted_trees")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    cases, missing = {}, []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for family in importlib.import_module(options.list).FAMILIES:
            for name, estimator, x in family():
                if not re.search(options.only, name):
                    continue
                if estimator is None:
                    missing.append(name)
                    continue
                recorded = {}
                for label, rows in inputs(estimator, x):
                    answers, refused = answers_of(estimator, rows)
                    recorded[label] = {"x": rows, "answers": answers, "refused": refused}
                cases[name] = {"model": estimator, "inputs": recorded}
    joblib.dump({"version": sklearn.__version__, "cases": cases}, options.out, compress=("zlib", 6))
    print(f"{sklearn.__version__}: {len(cases)} estimators; this release does not fit: {', '.join(missing) or 'none'}")


main()
