"""Makes the models that the benchmarks read: NAME.joblib and, by pickle 5, NAME.pkl.

  make_models.py OUTDIR [NAME...]      default: forest small10k gbc logreg

Seeds and sizes are fixed: `forest` is the "F" of the tables, 633 MB as joblib.
"""
import os
import pathlib
import pickle
import sys
import time

import joblib
import numpy
from sklearn.datasets import make_classification


def rows(count):
    x, y = make_classification(n_samples=20000, n_features=40, n_informative=20, n_classes=10, n_clusters_per_class=2,
                               random_state=0)
    return x[:count], y[:count]


def forest(**options):
    from sklearn.ensemble import RandomForestClassifier
    return RandomForestClassifier(1000, n_jobs=2, random_state=0, **options).fit(*rows(8000))


def forest5():
    """The forest with mixed leaves."""
    return forest(min_samples_leaf=5)


def gbc():
    from sklearn.ensemble import GradientBoostingClassifier
    return GradientBoostingClassifier(n_estimators=50, max_depth=3, random_state=0).fit(*rows(5000))


def hgb():
    from sklearn.ensemble import HistGradientBoostingClassifier
    return HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=0).fit(*rows(10000))


def logreg():
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression(max_iter=200).fit(*rows(10000))


def knn():
    from sklearn.neighbors import KNeighborsClassifier
    random = numpy.random.default_rng(0)
    x, y = random.standard_normal((500000, 125)), random.integers(0, 10, 500000)
    return KNeighborsClassifier(5, algorithm="brute").fit(x, y)


def small10k():
    """10,000 arrays of 512 bytes."""
    random = numpy.random.default_rng(0)
    return {f"k{i}": random.standard_normal(64) for i in range(10000)}


MODELS = {f.__name__: f for f in (forest, forest5, gbc, hgb, logreg, knn, small10k)}


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or ["forest", "small10k", "gbc", "logreg"]:
        if (out / f"{name}.joblib").exists() and (out / f"{name}.pkl").exists():
            continue
        start = time.perf_counter()
        model = MODELS[name]()
        seconds = time.perf_counter() - start
        # Under their names only when whole: an interrupted run leaves nothing that looks done.
        joblib.dump(model, out / f".{name}.joblib")
        with open(out / f".{name}.pkl", "wb") as file:
            pickle.dump(model, file, protocol=5)
        for ending in ("joblib", "pkl"):
            os.replace(out / f".{name}.{ending}", out / f"{name}.{ending}")
        print(f"{name}: fitted in {seconds:.1f} s, {(out / f'{name}.joblib').stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
