"""Fits the estimators of cases.py with the scikit-learn at hand, asks each for its answers, and writes all of it:

    python make.py OUT.joblib [--wide]

Of each class three variants, with --wide all: what lies beside this was made without, a file a release. Answers of
many releases: any Python that has scikit-learn and joblib runs this."""
import sys
import warnings

import joblib
import numpy as np
import sklearn

import cases

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples")


def recorded(answer, estimator):
    """Classes that are texts as their index, sparse matrices as dense ones."""
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    if answer.dtype.kind in "UO" and answer.ndim == 2:
        columns = zip(estimator.classes_, answer.T)
        return np.ascontiguousarray(np.column_stack([np.searchsorted(c, a) for c, a in columns]).astype(np.int64))
    if answer.dtype.kind in "UO":
        return np.searchsorted(estimator.classes_, answer).astype(np.int64)
    return answer


def answers_of(estimator, x, skipped):
    answers = {}
    for method in METHODS:
        if method in skipped or not hasattr(estimator, method):
            continue
        try:
            answer = getattr(estimator, method)(x)
        except Exception as error:
            print("  no", method, type(estimator).__name__, error, file=sys.stderr)
            continue
        if isinstance(answer, list):
            answers.update({f"{method}[{i}]": np.asarray(part) for i, part in enumerate(answer)})
            continue
        answers[method] = np.ascontiguousarray(recorded(answer, estimator))
    return answers


def main():
    out, wide = sys.argv[1], "--wide" in sys.argv
    made, failed, taken = {}, [], {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case in cases.all_cases(wide):
            word = case.name.split(" ")[0]
            taken[word] = taken.get(word, 0) + 1
            if not wide and word != "broken" and taken[word] > 3:
                continue
            try:
                estimator, x = case.fit()
            except Exception as error:
                failed.append(f"{case.name}: {type(error).__name__} {error}")
                continue
            x = x.astype(np.float32) if case.single else x
            answers = {} if case.broken else answers_of(estimator, x, case.skipped)
            made[case.name] = {"model": estimator, "x": x, "outputs": answers, "tolerance": float(case.tolerance)}
            for fact in ("refused", "broken"):
                if getattr(case, fact):
                    made[case.name][fact] = True
    joblib.dump({"version": sklearn.__version__, "cases": made}, out, compress=("xz", 6))
    print(sklearn.__version__, len(made), "cases; not fitted:", *failed, sep="\n  ")


main()
