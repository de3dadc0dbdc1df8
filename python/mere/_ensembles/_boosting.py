"""Gradient boosting, and histogram gradient boosting: their sums over stages are native."""
from __future__ import annotations

import functools

import numpy as np

from .. import _core
from ._links import add_link, detach_one, link_of
from ._members import EnsembleLink, make_ensemble
from ._native import fits, run
from ._shared import (fitted_version, lazy_property, make_view_class, new_estimator, running_version, shared_class,
                      view_of)


class StageArray(np.ndarray):
    """``estimators_`` of gradient boosting: an array of trees. A change to it makes the ensemble a plain one."""

    def __array_finalize__(self, parent):
        self._ensemble = getattr(parent, "_ensemble", None)

    def __setitem__(self, index, value):
        ensemble = None if self._ensemble is None else self._ensemble()
        if ensemble is not None:
            detach_one(ensemble)
        np.ndarray.__setitem__(self, index, value)

    def __reduce__(self):
        return self.view(np.ndarray).__reduce__()

    def __reduce_ex__(self, protocol):
        return self.view(np.ndarray).__reduce_ex__(protocol)


class StagesLink(EnsembleLink):
    """Of gradient boosting."""

    lazy = "estimators_"

    def __init__(self, *args):
        super().__init__(*args)
        self._array = None

    def make(self, node):
        made = super().make(node)
        # Compiled code that adds up stages of sparse rows takes addresses in trees, and holds no tree.
        link_of(made).keep = []
        return made

    def get(self, estimator):
        if self._array is None:
            with self.guard:
                if self._array is None:
                    rows, columns = self.shape
                    array = np.empty((rows, columns), dtype=object)
                    for index in range(rows * columns):
                        array[divmod(index, columns)] = self.member(index)
                    array = array.view(StageArray)
                    array._ensemble = self.estimator
                    self._array = array
        return self._array

    def value(self, estimator):
        return self.get(estimator).view(np.ndarray)

    def settle(self, estimator):
        array = self.get(estimator)
        self.settle_members()
        array._ensemble = None
        return array.view(np.ndarray)


class _FirstStage:
    """Stands where validation looks for the first tree."""

    __slots__ = ("_link",)

    def __init__(self, link):
        self._link = link

    def __getitem__(self, index):
        return self._link.member(0) if index == (0, 0) else self._link.get(None)[index]


class Gradient:
    """GradientBoostingClassifier and GradientBoostingRegressor."""

    NAMES = (
        "sklearn.ensemble._gb.GradientBoostingClassifier",
        "sklearn.ensemble._gb.GradientBoostingRegressor",
    )
    lazy = "estimators_"
    seams = {"_raw_predict": ("self", "X"), "_raw_predict_init": ("self", "X")}

    @staticmethod
    def namespace(plain):
        view_class = make_view_class(plain, "estimators_", _FirstStage)

        @functools.wraps(plain._raw_predict)
        def _raw_predict(self, X):
            link = link_of(self)
            # Rows that were not validated are the plain method's to refuse.
            if link is None or X.dtype != np.float32:
                return plain._raw_predict(self, X)
            raw = np.ascontiguousarray(plain._raw_predict_init(view_of(self, link, view_class), X), dtype=np.float64)
            step = max(1, (1 << 20) // link.native.method("each")["columns"])
            for first in range(0, X.shape[0], step):
                _core.add_stages(raw[first:first + step], run(link.native, "each", X[first:first + step]))
            return raw

        return {"_raw_predict": _raw_predict, "estimators_": lazy_property("estimators_")}

    @classmethod
    def make(cls, source, rebuild, node, plain):
        native = source.part(node)
        if rebuild.find(node, cls.lazy) is None or shared_class(plain, cls) is None:
            return NotImplemented
        if native is None:
            return _with_plain_trees(rebuild, node, plain)
        state = rebuild.build_state(node, skip=(cls.lazy,))
        version = fitted_version(rebuild, node)
        link = StagesLink(source, node, version, plain, native)
        rows, columns = (link.shape + [0])[:2]
        if not fits(native, "each", state.get("n_features_in_"), rows * columns):
            return _with_plain_trees(rebuild, node, plain)
        made = new_estimator(plain, cls, state)
        link.adopt(made)
        add_link(made, link)
        return made


def _with_plain_trees(rebuild, node, plain):
    """One without a program: its compiled loop over stages would make every tree anew for every call."""
    state = rebuild.build_state(node)
    for member in state["estimators_"].ravel():
        detach_one(member)
    made = plain.__new__(plain)
    made.__setstate__(state)
    return made


class PredictorsLink(EnsembleLink):
    """Of histogram gradient boosting: stages are lists of predictors."""

    lazy = "_predictors"

    def __init__(self, *args):
        super().__init__(*args)
        self._stages = {}

    def item(self, index):
        columns = self.shape[1]
        with self.guard:
            stage = self._stages.get(index)
            if stage is None:
                stage = [self.member(index * columns + k) for k in range(columns)]
                self._stages[index] = stage
        return stage

    def make(self, node):
        made = super().make(node)
        if running_version() < (1, 3):
            # Its compiled code takes no read-only memory.
            _copy_read_only(made)
        return made

    def settle(self, estimator):
        # Nor does, of newer releases, what fits on.
        stages = super().settle(estimator)
        for stage in stages:
            for predictor in stage:
                _copy_read_only(predictor)
        return stages


def _copy_read_only(predictor):
    for name, attribute in vars(predictor).items():
        if isinstance(attribute, np.ndarray) and not attribute.flags.writeable:
            vars(predictor)[name] = attribute.copy()


class Histogram:
    """HistGradientBoostingClassifier and HistGradientBoostingRegressor."""

    NAMES = (
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    )
    lazy = "_predictors"
    seams = {"_predict_iterations": ("self", "X", "predictors", "raw_predictions", "is_binned", "n_threads")}

    @staticmethod
    def namespace(plain):
        by_class = running_version() < (1, 1)  # a row a class

        @functools.wraps(plain._predict_iterations)
        def _predict_iterations(self, X, predictors, raw_predictions, is_binned, n_threads):
            link = link_of(self)
            whole = link is not None and predictors is link.get(self) and not is_binned and X.dtype == np.float64
            if not whole:
                return plain._predict_iterations(self, X, predictors, raw_predictions, is_binned, n_threads)
            # Both begin with the baseline, so this is what adding to raw_predictions would have made.
            raw = run(link.native, "raw", X, n_threads)
            raw_predictions[...] = raw.T if by_class else raw

        return {"_predict_iterations": _predict_iterations, "_predictors": lazy_property("_predictors")}

    @staticmethod
    def _is_served(native, state, plain):
        # From 1.4 on a preprocessor may make other columns of them, but as many.
        return fits(native, "raw", state.get("_n_features", state.get("n_features_in_")),
                    state.get("n_trees_per_iteration_"))

    @classmethod
    def make(cls, source, rebuild, node, plain):
        return make_ensemble(cls, PredictorsLink, cls._is_served, source, rebuild, node, plain)
