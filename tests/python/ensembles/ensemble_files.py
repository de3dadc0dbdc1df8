"""Fitted ensembles and what mere.load() makes of them, each made once a process."""
import atexit
import functools
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import (AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor,
                              ExtraTreesClassifier, ExtraTreesRegressor, GradientBoostingClassifier,
                              GradientBoostingRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              IsolationForest, RandomForestClassifier, RandomForestRegressor, RandomTreesEmbedding)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeRegressor

import mere

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))


@functools.lru_cache(None)
def folder():
    path = tempfile.mkdtemp(prefix="mere-ensembles-")
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(path, ignore_errors=True))
    return pathlib.Path(path)


@functools.lru_cache(None)
def rows():
    """(X to fit, texts as classes, numbers, X to ask)"""
    X, y = make_classification(300, 8, n_informative=5, n_classes=3, random_state=0)
    return X, np.array(["a", "bb", "ccc"])[y], y + X[:, 0], np.random.RandomState(1).randn(200, 8)


@functools.lru_cache(None)
def fitted():
    """Name to estimator; those whose trees stay in the map as a whole come first."""
    X, names, numbers, _ = rows()
    two = np.c_[names == "a", names]
    seed = dict(random_state=0)
    return {
        "forest": RandomForestClassifier(10, oob_score=True, **seed).fit(X, names),
        "forest of two outputs": ExtraTreesClassifier(10, **seed).fit(X, two.astype("U5")),
        "forest of numbers": RandomForestRegressor(10, **seed).fit(X, numbers),
        "forest of two numbers": ExtraTreesRegressor(10, **seed).fit(X, np.c_[numbers, -numbers]),
        "embedding": RandomTreesEmbedding(10, **seed).fit(X),
        "boosting": GradientBoostingClassifier(n_estimators=10, **seed).fit(X, names),
        "boosting of two classes": GradientBoostingClassifier(n_estimators=10, **seed).fit(X, names == "a"),
        "boosting of numbers": GradientBoostingRegressor(n_estimators=10, **seed).fit(X, numbers),
        "boosting from a forest": GradientBoostingClassifier(
            n_estimators=5, init=RandomForestClassifier(5, **seed), **seed).fit(X, names),
        "histogram boosting": HistGradientBoostingClassifier(max_iter=10, **seed).fit(X, names),
        "histogram boosting of numbers": HistGradientBoostingRegressor(max_iter=10, **seed).fit(X, numbers),
        "isolation forest": IsolationForest(n_estimators=10, **seed).fit(X),
        "isolation forest of some columns": IsolationForest(n_estimators=10, max_features=5, **seed).fit(X),
        "tree": DecisionTreeClassifier(max_depth=5, **seed).fit(X, names),
        "tree of two outputs": DecisionTreeClassifier(max_depth=5, **seed).fit(X, two.astype("U5")),
        "tree of numbers": ExtraTreeRegressor(max_depth=5, **seed).fit(X, numbers),
        "adaboost": AdaBoostClassifier(n_estimators=5, **seed).fit(X, names),
        "adaboost of numbers": AdaBoostRegressor(n_estimators=5, **seed).fit(X, numbers),
        "bagging": BaggingClassifier(n_estimators=5, **seed).fit(X, names),
        "bagging of numbers": BaggingRegressor(n_estimators=5, max_features=4, **seed).fit(X, numbers),
        "pipeline": make_pipeline(StandardScaler(), RandomForestClassifier(10, **seed)).fit(X, names),
    }


@functools.lru_cache(None)
def path_of(name):
    path = folder() / (name.replace(" ", "-") + ".mere")
    mere.dump(fitted()[name], path)
    return path


def load(name, **options):
    path = path_of(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return mere.load(path, **options)
