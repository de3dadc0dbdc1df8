"""Predicting from the map, and what it gives as NumPy users expect it."""
from __future__ import annotations

import numpy as np

from ._rows import run


class Predictor:
    """Predicts from the map, without the library that the model came from. Safe to share between threads."""

    def __init__(self, core):
        self._core = core
        self._methods = {method["name"]: method for method in core.methods()}

    @property
    def estimator(self):
        """Full name of the class that the program stands for."""
        return self._core.estimator

    @property
    def methods(self):
        """Names of what it can do: predict, predict_proba, transform, ..."""
        return list(self._methods)

    @property
    def n_features_in_(self):
        return self._core.columns

    @property
    def feature_names_in_(self):
        names = self._core.column_names
        return np.array(names, dtype=object) if names else None

    @property
    def classes_(self):
        """The classes of predict; a list of arrays for several outputs."""
        method = self._core.method("predict")
        if not method["classes"]:
            raise AttributeError("this model predicts numbers, not classes")
        tables = [self._core.classes("predict", column) for column in range(method["columns"])]
        return tables[0] if method["flat"] or len(tables) == 1 else tables

    @property
    def kernels(self):
        return self._core.kernels

    @property
    def serving_bytes(self):
        """Of the map: what predict, predict_proba and decision_function can reach."""
        return self._core.serving_bytes

    @property
    def cold_bytes(self):
        """Of the map: what other methods alone can reach."""
        return self._core.cold_bytes

    @property
    def private_bytes(self):
        """Memory of this process alone; 0 where the file holds the program."""
        return self._core.private_bytes

    def run(self, method, x, *, threads=1, check_finite=True):
        """Calls ``method`` by name for the rows of ``x``: (n, features), dense, sparse or a table.

        ``threads``: 0 for all processors. ``check_finite=False`` leaves out the look for what the estimator refuses;
        what a NaN then gives is not defined.
        """
        known = self._methods.get(method) or self._core.method(method)
        numbers = run(self._core, method, x, threads, check_finite)
        return self._as_numpy(known, numbers)

    def _as_numpy(self, method, numbers):
        if method["classes"]:
            indices = numbers.astype(np.intp)
            columns = [self._core.classes(method["name"], k)[indices[:, k]] for k in range(method["columns"])]
            return columns[0] if method["flat"] else np.stack(columns, axis=1)
        if method["integer"]:
            numbers = numbers.astype(np.int64)
        return numbers[:, 0] if method["flat"] else numbers

    def predict(self, x, **options):
        return self.run("predict", x, **options)

    def predict_proba(self, x, **options):
        return self.run("predict_proba", x, **options)

    def predict_log_proba(self, x, **options):
        return self.run("predict_log_proba", x, **options)

    def decision_function(self, x, **options):
        return self.run("decision_function", x, **options)

    def transform(self, x, **options):
        return self.run("transform", x, **options)

    def score_samples(self, x, **options):
        return self.run("score_samples", x, **options)

    def apply(self, x, **options):
        return self.run("apply", x, **options)

    def __repr__(self):
        return f"<mere.Predictor of {self.estimator}: {', '.join(self._methods)}>"
