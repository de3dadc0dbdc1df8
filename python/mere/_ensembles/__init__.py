"""Loaded ensembles of scikit-learn whose trees stay in the map and whose predict is native (docs/python.md)."""
from __future__ import annotations

from . import _boosting, _forests, _isolation, _trees
from ._links import Source, detach_one, link_of
from ._shared import is_tested, warn_once

__all__ = ["detach", "hooks", "is_shared"]

_FAMILIES = (_boosting.Gradient, _boosting.Histogram, _forests, _isolation, _trees)


def hooks():
    """What makes the objects of one load: full type name to a function of (rebuild, node, class), which returns the
    object, or NotImplemented for one that is to be built as any other."""
    source = []

    def hook(family):
        def make(rebuild, node, cls):
            if not is_tested():
                return NotImplemented
            if not source:
                source.append(Source(rebuild))
            if family is not _trees and source[0].part(node) is None:
                warn_once(("program", cls), f"a file without a program is loaded: its {cls.__name__} predicts by "
                          "scikit-learn, tree by tree; dump(..., program=True) or 'mere convert --program with' writes "
                          "what predicts from the map")
            return family.make(source[0], rebuild, node, cls)

        # Their members' states are checked when they are made.
        make.skips = (family.lazy,)
        return make

    return {name: hook(family) for family in _FAMILIES for name in family.NAMES}


def is_shared(estimator):
    """Whether the trees of an estimator are in the map of the file it was loaded from."""
    return link_of(estimator) is not None


def detach(estimator):
    """Turns a loaded ensemble, and those inside it, into objects of exactly scikit-learn's classes, with trees of their
    own in memory. Returns ``estimator``.

    What asks for the exact type needs it, as skl2onnx does. Mutating an ensemble does it too.
    """
    seen = set()
    open_values = [estimator]
    while open_values:
        value = open_values.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            open_values.extend(value.values())
        elif isinstance(value, (list, tuple)):
            open_values.extend(value)
        elif type(value).__module__.startswith("numpy") and getattr(value, "dtype", None) == object:
            open_values.extend(value.ravel().tolist())
        elif hasattr(value, "get_params") and hasattr(value, "__dict__"):
            detach_one(value)
            open_values.extend(vars(value).values())
    return estimator
