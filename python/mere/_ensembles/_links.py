"""What a loaded ensemble knows of its file: kept beside the object, never in its attributes."""
from __future__ import annotations

import os
import threading
import weakref

from .. import _core

# Estimators whose trees are still in the map, and their links. Being in here is what makes one share.
_links = weakref.WeakKeyDictionary()

link_of = _links.get

# The shared classes say that they are the plain ones; this is the attribute of object itself.
_set_class = object.__dict__["__class__"].__set__


class Guard:
    """A lock that a forked child finds open, whoever held it in the parent."""

    __slots__ = ("_lock", "_process")

    def __init__(self):
        self._lock = threading.RLock()
        self._process = os.getpid()

    def __enter__(self):
        if self._process != os.getpid():
            self._lock = threading.RLock()
            self._process = os.getpid()
        self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()


class Source:
    """One load: the file, and how objects are made of its nodes."""

    __slots__ = ("model", "_joints", "_parts")

    def __init__(self, rebuild):
        self._joints = rebuild.joints
        self.model = self._joints[0]
        self._parts = None

    def part(self, node):
        """The program of the estimator at a node, or None."""
        if self._parts is None:
            self._parts = _core.Parts(self.model)
        return self._parts.find(node)

    def build(self, node):
        """A fresh object of a node, which shares nothing with others made before."""
        return _core.Rebuild(*self._joints).build(node)


class Link:
    """What an estimator was made of, and what was made of its members since."""

    #: The attribute that stays in the map until somebody asks for it.
    lazy = ""

    def __init__(self, source, node, version, plain):
        self.source = source
        self.node = node
        self.version = version  # of scikit-learn, when the estimator was fitted: (1, 2), or None
        self.plain = plain
        self.guard = Guard()
        self.owner = None  # of a member: a weak reference to its ensemble

    def value(self, estimator):
        """The lazy attribute, as pickles hold it."""
        raise NotImplementedError

    def settle(self, estimator):
        """The lazy attribute as the plain class has it, with nothing left in the map."""
        raise NotImplementedError


def add_link(estimator, link):
    _links[estimator] = link


def detach_one(estimator):
    """Turns one estimator, and the ensemble it belongs to, back into plain ones."""
    link = link_of(estimator)
    if link is None:
        return estimator
    owner = None if link.owner is None else link.owner()
    if owner is not None and link_of(owner) is not None:
        detach_one(owner)
        return estimator
    with link.guard:
        if link_of(estimator) is None:
            return estimator
        value = link.settle(estimator)
        estimator.__dict__[link.lazy] = value
        _set_class(estimator, link.plain)
        _links.pop(estimator, None)
    return estimator


def full_state(estimator, link, value):
    """All attributes, in the order in which the file has them."""
    attributes = estimator.__dict__
    state = {}
    for name in _core.state_names(link.source.model, link.node):
        if name == link.lazy:
            state[name] = value
        elif name in attributes:
            state[name] = attributes[name]
    for name, attribute in attributes.items():
        state.setdefault(name, attribute)
    return state
