"""Members of a loaded ensemble, each made when it is asked for."""
from __future__ import annotations

import weakref
from collections.abc import MutableSequence

from .. import _core
from ._links import Link, add_link, detach_one, link_of
from ._shared import fitted_version, new_estimator, shared_class


class EnsembleLink(Link):
    """An ensemble whose members are made one by one, and kept once they are made."""

    def __init__(self, source, node, version, plain, native):
        super().__init__(source, node, version, plain)
        self.native = native  # its program
        self.estimator = None  # a weak reference
        self._list = None
        self._shape = self._ids = self._made = None

    def adopt(self, estimator):
        self.estimator = weakref.ref(estimator)

    def _open(self):
        if self._made is None:
            with self.guard:
                if self._made is None:
                    self._shape, self._ids = _core.members(self.source.model, self.node, self.lazy)
                    self._made = [None] * len(self._ids)

    @property
    def shape(self):
        self._open()
        return self._shape

    def member(self, index):
        """Member `index` of all, in C order."""
        self._open()
        made = self._made[index]
        if made is None:
            with self.guard:
                made = self._made[index]
                if made is None:
                    made = self.make(self._ids[index])
                    self._made[index] = made
        return made

    def make(self, node):
        made = self.source.build(node)
        link = link_of(made)
        if link is not None:
            link.owner = self.estimator
            link.guard = self.guard
        return made

    def item(self, index):
        """Item `index` of the list: a member, or a list of the members of one stage."""
        return self.member(index)

    def get(self, estimator):
        if self._list is None:
            with self.guard:
                if self._list is None:
                    self._list = Members(self)
        return self._list

    def value(self, estimator):
        return list(self.get(estimator))

    def settle(self, estimator):
        return self.get(estimator).become_list()

    def settle_members(self):
        """Every member made, and plain."""
        for index in range(len(self._ids)):
            member = self.member(index)
            link = link_of(member)
            if link is not None:
                link.owner = None
                detach_one(member)


def make_ensemble(family, link_class, is_served, source, rebuild, node, plain):
    """The ensemble at a node as an object of `family`'s shared class, or NotImplemented where it has no program, or one
    that `is_served(program, state, class)` finds to be of something else."""
    native = source.part(node)
    if native is None or rebuild.find(node, family.lazy) is None or shared_class(plain, family) is None:
        return NotImplemented
    state = rebuild.build_state(node, skip=(family.lazy,))
    if not is_served(native, state, plain):
        return NotImplemented
    version = fitted_version(rebuild, node)
    made = new_estimator(plain, family, state)
    link = link_class(source, node, version, plain, native)
    link.adopt(made)
    add_link(made, link)
    return made


class Members(MutableSequence):
    """What ``estimators_`` of a loaded ensemble is: a list whose members are made when they are asked for.

    The first change to it turns the ensemble into a plain one, and this into a view of its list.
    """

    __slots__ = ("_link", "_list", "__weakref__")

    def __init__(self, link):
        self._link = link
        self._list = None

    def _items(self):
        """The plain list, for who changes it."""
        link = self._link
        if link is not None:
            estimator = link.estimator()
            if estimator is not None and link_of(estimator) is link:
                detach_one(estimator)
            else:
                self.become_list()
        return self._list

    def become_list(self):
        link = self._link
        if link is not None:
            items = [link.item(i) for i in range(len(self))]
            link.settle_members()
            self._list, self._link = items, None
        return self._list

    def __len__(self):
        link = self._link
        return len(self._list) if link is None else link.shape[0]

    def __getitem__(self, index):
        link = self._link
        if link is None:
            return self._list[index]
        if isinstance(index, slice):
            return [link.item(i) for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return link.item(place)

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]

    def __setitem__(self, index, value):
        self._items()[index] = value

    def __delitem__(self, index):
        del self._items()[index]

    def insert(self, index, value):
        self._items().insert(index, value)

    def sort(self, **options):
        self._items().sort(**options)

    def copy(self):
        return list(self)

    def __add__(self, other):
        return list(self) + list(other)

    def __radd__(self, other):
        return list(other) + list(self)

    def __mul__(self, times):
        return list(self) * times

    def __eq__(self, other):
        return list(self) == list(other) if isinstance(other, (list, Members)) else NotImplemented

    __hash__ = None

    def __repr__(self):
        return repr(list(self))

    def __reduce__(self):
        return list, (list(self),)
