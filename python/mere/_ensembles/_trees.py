"""Decision trees, alone or as members: walked where their nodes lie, a Tree only for who asks for one."""
from __future__ import annotations

import functools
import weakref

import numpy as np

from .. import _core
from ._links import Link, add_link, link_of
from ._shared import (fitted_version, lazy_property, make_view_class, new_estimator, rows_of, running_version,
                      shared_class, view_of)

NAMES = (
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeClassifier",
    "sklearn.tree._classes.ExtraTreeRegressor",
)

lazy = "tree_"
seams = {
    "predict": ("self", "X", "check_input"),
    "apply": ("self", "X", "check_input"),
    "_validate_X_predict": ("self", "X", "check_input"),
}


@functools.lru_cache(None)
def _weak_tree():
    """Tree, so that it can be referred to weakly; pickles as Tree."""
    from sklearn.tree._tree import Tree

    return type("Tree", (Tree,), {"__slots__": ("__weakref__",), "__module__": Tree.__module__,
                                  "__doc__": Tree.__doc__})


class TreeLink(Link):
    lazy = lazy

    def __init__(self, source, node, version, plain):
        super().__init__(source, node, version, plain)
        self._tree = None  # a weak reference
        self.keep = None  # a list: holds the tree once it is made
        self._walk = None

    def _counts_to_fractions(self):
        # From 1.4 on the values of classifiers are fractions, and taken for that.
        return (hasattr(self.plain, "predict_proba") and self.version is not None and self.version < (1, 4)
                and running_version() >= (1, 4))

    def make(self, tree_class):
        """A tree of this scikit-learn, with its own copy of nodes and values."""
        from sklearn.tree import _tree

        features, classes, outputs, depth, count, nodes, values = _core.tree_state(self.source.model, self.node)
        if nodes.dtype != _tree.NODE_DTYPE:
            converted = np.zeros(nodes.shape, dtype=_tree.NODE_DTYPE)
            for name in _tree.NODE_DTYPE.names:
                if name in nodes.dtype.names:
                    converted[name] = nodes[name]
            nodes = converted
        if self._counts_to_fractions():
            values = fractions(values)
        tree = tree_class(features, np.array(classes, dtype=np.intp), outputs)
        tree.__setstate__({"max_depth": depth, "node_count": count, "nodes": np.ascontiguousarray(nodes),
                           "values": np.ascontiguousarray(values)})
        return tree

    def get(self, estimator):
        tree = None if self._tree is None else self._tree()
        if tree is None:
            with self.guard:
                tree = None if self._tree is None else self._tree()
                if tree is None:
                    tree = self.make(_weak_tree())
                    self._tree = weakref.ref(tree)
                    if self.keep is not None:
                        self.keep.append(tree)
        return tree

    def value(self, estimator):
        return self.get(estimator)

    def settle(self, estimator):
        from sklearn.tree._tree import Tree

        return self.make(Tree)

    def walk(self):
        """(nodes to walk, values of nodes, outputs)"""
        walk = self._walk
        if walk is None:
            _, classes, outputs, _, count, nodes, values = _core.tree_state(self.source.model, self.node, check=False)
            if values.ndim != 3 or len(values) != count or nodes.shape != (count,) or values.dtype != np.float64:
                self.make(_weak_tree())  # refuses it, in its own words
                raise ValueError(f"the tree has {nodes.shape} nodes and values of shape {values.shape}")
            self._walk = walk = (_core.TreeWalk(nodes), values, outputs)
        return walk


def fractions(values):
    sums = values.sum(axis=2, keepdims=True)
    sums[sums == 0.0] = 1.0
    return values / sums


class _Walked:
    """Stands where predict() and apply() look for a Tree: the same two methods, over the map."""

    __slots__ = ("_link",)

    def __init__(self, link):
        self._link = link

    def apply(self, x):
        walk = self._link.walk()[0]
        if isinstance(x, np.ndarray) and x.dtype == np.float32 and x.ndim == 2:
            return walk.leaves(x)
        if getattr(x, "format", None) == "csr" and x.dtype == np.float32:
            leaves = np.empty(x.shape[0], dtype=np.intp)
            for first, block in rows_of(x, x.shape[1]):
                leaves[first:first + len(block)] = walk.leaves(block)
            return leaves
        return self._link.get(None).apply(x)  # which refuses it

    def predict(self, x):
        _, values, outputs = self._link.walk()
        taken = values.take(self.apply(x), axis=0, mode="clip")
        if self._link._counts_to_fractions():
            taken = fractions(taken)
        return taken.reshape(taken.shape[0], taken.shape[2]) if outputs == 1 else taken


def namespace(plain):
    view_class = make_view_class(plain, lazy, _Walked)

    def over_the_map(name):
        method = getattr(plain, name)

        @functools.wraps(method)
        def call(self, X, check_input=True):
            link = link_of(self)
            return method(self if link is None else view_of(self, link, view_class), X, check_input)

        return call

    methods = {name: over_the_map(name) for name in ("predict", "apply", "predict_proba") if hasattr(plain, name)}
    return {lazy: lazy_property(lazy), **methods}


def make(source, rebuild, node, cls):
    import sys

    if rebuild.find(node, lazy) is None or shared_class(cls, sys.modules[__name__]) is None:
        return NotImplemented
    state = rebuild.build_state(node, skip=(lazy,))
    version = fitted_version(rebuild, node)
    made = new_estimator(cls, sys.modules[__name__], state)
    add_link(made, TreeLink(source, node, version, cls))
    return made
