"""Random forests, extra trees and random trees embeddings: their sums over trees are native."""
from __future__ import annotations

import functools
import sys

import numpy as np

from ._links import link_of
from ._members import EnsembleLink, make_ensemble
from ._native import fits, run, threads_of
from ._shared import lazy_property

NAMES = (
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.RandomTreesEmbedding",
)

lazy = "estimators_"
seams = {"apply": ("self", "X"), "_validate_X_predict": ("self", "X")}


class ForestLink(EnsembleLink):
    lazy = lazy


def namespace(plain):
    @functools.wraps(plain.apply)
    def apply(self, X):
        link = link_of(self)
        if link is None:
            return plain.apply(self, X)
        X = self._validate_X_predict(X)
        return run(link.native, "apply", X, threads_of(self.n_jobs)).astype(np.intp)

    methods = {"apply": apply, lazy: lazy_property(lazy)}

    if hasattr(plain, "predict_proba"):
        @functools.wraps(plain.predict_proba)
        def predict_proba(self, X):
            link = link_of(self)
            if link is None:
                return plain.predict_proba(self, X)
            X = self._validate_X_predict(X)
            all_proba = run(link.native, "predict_proba", X, threads_of(self.n_jobs))
            if self.n_outputs_ == 1:
                return all_proba
            ends = np.cumsum(self.n_classes_)
            return [all_proba[:, end - count:end].copy() for end, count in zip(ends, self.n_classes_)]

        methods["predict_proba"] = predict_proba
    elif hasattr(plain, "predict"):
        @functools.wraps(plain.predict)
        def predict(self, X):
            link = link_of(self)
            if link is None:
                return plain.predict(self, X)
            X = self._validate_X_predict(X)
            mean = run(link.native, "predict", X, threads_of(self.n_jobs))
            return mean[:, 0] if self.n_outputs_ == 1 else mean

        methods["predict"] = predict
    return methods


def _is_served(native, state, cls):
    columns = state.get("n_features_in_")
    if hasattr(cls, "predict_proba"):
        return fits(native, "predict_proba", columns, int(np.sum(state.get("n_classes_", 0))))
    if hasattr(cls, "predict"):
        return fits(native, "predict", columns, state.get("n_outputs_"))
    return native is not None and native.columns == columns


def make(source, rebuild, node, cls):
    return make_ensemble(sys.modules[__name__], ForestLink, _is_served, source, rebuild, node, cls)
