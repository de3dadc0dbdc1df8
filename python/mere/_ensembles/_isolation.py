"""Isolation forests: the sum of depths over trees is native."""
from __future__ import annotations

import functools
import sys

import numpy as np

from ._links import link_of
from ._members import EnsembleLink, make_ensemble
from ._native import fits, run
from ._shared import lazy_property

NAMES = ("sklearn.ensemble._iforest.IsolationForest",)

lazy = "estimators_"
seams = {"_compute_score_samples": ("self", "X", "subsample_features")}


class IsolationLink(EnsembleLink):
    lazy = lazy


def namespace(plain):
    from sklearn.ensemble._iforest import _average_path_length

    @functools.wraps(plain._compute_score_samples)
    def _compute_score_samples(self, X, subsample_features):
        link = link_of(self)
        # Trees of older releases refuse numbers beyond float32, in their own words.
        with np.errstate(over="ignore"):
            rows = X if link is None or X.dtype == np.float32 else X.astype(np.float32)
        if link is None or (rows is not X and not np.array_equal(_finite(rows), _finite(X))):
            return plain._compute_score_samples(self, X, subsample_features)
        depths = run(link.native, "depths", rows)[:, 0]
        samples = self._max_samples if hasattr(self, "_max_samples") else self.max_samples_
        denominator = link.shape[0] * _average_path_length([samples])
        # With a single training sample denominator and depths are 0, and the quotient counts as 1.
        quotient = np.divide(depths, denominator, out=np.ones_like(depths), where=denominator != 0)
        return 2 ** -quotient

    return {"_compute_score_samples": _compute_score_samples, lazy: lazy_property(lazy)}


def _finite(x):
    return np.isfinite(x if isinstance(x, np.ndarray) else x.data)


def _is_served(native, state, cls):
    return fits(native, "depths", state.get("n_features_in_"), 1)


def make(source, rebuild, node, cls):
    return make_ensemble(sys.modules[__name__], IsolationLink, _is_served, source, rebuild, node, cls)
