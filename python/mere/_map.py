"""The map behind a model's arrays, as memmaps: joblib and Dask pass what lies in one by the file's name."""
from __future__ import annotations

import mmap
import os

import numpy as np

from . import _core
from ._errors import MismatchError


class _NameOfMap(str):
    """The name of a mapped file, on its way to another process, which looks again what it leads to."""

    __slots__ = ("identity",)

    def __new__(cls, path, identity):
        self = str.__new__(cls, path)
        self.identity = identity
        return self

    def __reduce__(self):
        return _name_of, (str(self), self.identity)


def _name_of(path, identity):
    """The name, if it leads to the file of that device and inode. Raises MismatchError (file_replaced)."""
    try:
        status = os.stat(path)
        found = (status.st_dev, status.st_ino)
    except OSError:
        found = None
    if found != tuple(identity):
        raise MismatchError(f"{path}: the name leads to another file than the one that is mapped"
                            if found else f"{path}: the mapped file has no name any more", reason="file_replaced")
    return _NameOfMap(path, tuple(identity))


class ModelMap(np.memmap):
    """All bytes of a model file, as one array of uint8.

    Every array of the model is a view of it, in its order. ``filename`` is asked by joblib when it hands such an array
    to another process, which then maps that name again: it is given out only while the name still leads to the file
    that is mapped here.
    """

    def __new__(cls, descriptor, path, *, writable=False, offset=0, length=None):
        """Maps a file that is open; the descriptor stays the caller's. ``writable``: private pages."""
        status = os.fstat(descriptor)
        if length is None:
            length = status.st_size - offset
        # A map begins at a page; the file's bytes begin where they begin.
        begin = offset - offset % mmap.ALLOCATIONGRANULARITY
        pages = mmap.mmap(descriptor, length + offset - begin,
                          access=mmap.ACCESS_COPY if writable else mmap.ACCESS_READ, offset=begin)
        self = np.ndarray.__new__(cls, (length,), dtype=np.uint8, buffer=pages, offset=offset - begin)
        self._mmap = pages
        self.offset = offset
        self.mode = "c" if writable else "r"
        self._path = None if path is None else os.path.abspath(os.fspath(path))
        self._identity = (status.st_dev, status.st_ino)
        return self

    def __array_finalize__(self, obj):
        super().__array_finalize__(obj)
        self._path = getattr(obj, "_path", None)
        self._identity = getattr(obj, "_identity", None)

    @property
    def filename(self):
        """The name of the mapped file. Raises MismatchError (file_replaced) if it leads elsewhere by now."""
        if getattr(self, "_path", None) is None:
            return None
        return _name_of(self._path, self._identity)

    @filename.setter
    def filename(self, value):
        # NumPy's own code sets it on views; the path is that of the map.
        pass

    def in_order(self, order):
        """The same bytes as two rows ("C") or two columns ("F"), less an odd one: the base for arrays of that order.

        joblib rebuilds a contiguous array in the order of its map. A map of one dimension has both, which joblib before
        1.5 takes for Fortran's: numbers would change places.
        """
        half = self.nbytes // 2
        shape = (2, half) if order == "C" else (half, 2)
        other = np.ndarray.__new__(type(self), shape, dtype=np.uint8, buffer=self._mmap, order=order,
                                   offset=self.offset % mmap.ALLOCATIONGRANULARITY)
        other.__array_finalize__(self)
        return other

    def __reduce__(self):
        # A copy of the bytes would be no map of anything.
        return np.asarray(self).__reduce__()


def open_mapped(path, *, writable=False, verify="none", content_id="", threads=0):
    """A _core.Model whose bytes are a ModelMap: (model, map). A compressed file's are those of its expanded copy."""
    first = _core.Model.from_path(os.fspath(path), verify=verify, expand="shared", content_id=content_id,
                                  threads=threads)
    return _remapped(first, path, writable)


def open_mapped_descriptor(descriptor, offset=0, length=None, *, writable=False, verify="none"):
    """The same of a part of an open file, which has no name that another process could open."""
    first = _core.Model.from_descriptor(descriptor, offset, length, verify=verify)
    if first.descriptor >= 0:
        return _remapped(first, None, writable)
    return _over(ModelMap(descriptor, None, writable=writable, offset=offset, length=first.nbytes), first.name)


def _remapped(first, path, writable):
    name = path
    if first.expanded:
        # The copy's name, as the system knows it: a lock on the descriptor keeps it from being evicted.
        name = os.readlink(f"/proc/self/fd/{first.descriptor}")
    if first.descriptor < 0:  # private memory
        first.set_base(None)
        return first, None
    return _over(ModelMap(first.descriptor, name, writable=writable), first.name)


def _over(mapped, name):
    model = _core.Model.from_bytes(mapped, name=name, expand="lazy")
    model.set_base(mapped.in_order("C"), mapped.in_order("F"))
    return model, mapped
