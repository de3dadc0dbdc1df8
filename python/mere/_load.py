"""mere.load and mere.loads: objects from a file, over its map. Names are judged and states checked before any is
made."""
from __future__ import annotations

import io
import os
import stat

import numpy as np

from . import _core
from ._errors import CorruptError, MismatchError, UnsupportedError
from ._map import open_mapped, open_mapped_descriptor
from ._trust import Finder, admitted_names, checked_names, opener
from ._versions import Migration, needs_writable, version_hooks, warn_of_versions

_MAGIC = b"\x89MER\r\n\x1a\n"


class _NotGiven:
    def __repr__(self):
        return "'r'"


_NOT_GIVEN = _NotGiven()


def load(filename, mmap_mode=_NOT_GIVEN, ensure_native_byte_order="auto", *, trusted=(), native=True,
         allow_opaque=False, verify="none", content_id=None, threads=0):
    """What was dumped to a .mere file, its arrays as views of the map that all processes share.

    ``filename``: a path, or a binary file object. Files of joblib, pickle, skops, NumPy and safetensors are read too,
    by mere's own readers: nothing in them is run. ``mmap_mode``: "r" (the default; where an estimator needs writable
    arrays, "c"), "c" for private writable pages, or None for copies in memory. A .mere file is never written in place:
    "r+" and "w+" are errors. ``ensure_native_byte_order=True`` means ``mmap_mode=None``; with None arrays are made
    native.

    ``trusted``: full names ("my.models.Net", ...) that may be looked up beside mere's own lists; get_untrusted_types()
    tells which a file needs. ``allow_opaque``: functions and classes carried by value are made, if ``trusted`` has
    their names too. ``native``: ensembles of trees keep their trees in the map and predict natively. ``verify``:
    "none", "manifest" or "all". ``content_id``: the file has to have it.

    Raises UntrustedError (names outside the lists: nothing has been imported), CorruptError (states that contradict
    themselves), MismatchError (arguments; what the installed libraries have no place for), NotFoundError, ...
    """
    mmap_mode, writable_by_need = _checked_mode(mmap_mode, ensure_native_byte_order)
    trusted = checked_names(trusted)
    what = "the file object"
    if isinstance(filename, (str, os.PathLike)):
        path = os.fsdecode(os.fspath(filename))
        what = path
        opened = _Opened(lambda writable: _open_path(path, writable, trusted, verify, content_id, threads))
    elif hasattr(filename, "read"):
        opened = _open_file(filename, trusted, verify)
    else:
        raise MismatchError(f"a name or a file object is expected, {type(filename).__name__} was given",
                            reason="bad_argument")
    return _build(opened, what, mmap_mode, writable_by_need, trusted, native, allow_opaque, verify, content_id)


def loads(data, mmap_mode=_NOT_GIVEN, *, trusted=(), native=True, allow_opaque=False, verify="none"):
    """What dumps() made bytes of; arrays are views of ``data``, and read-only if it is. See load()."""
    mmap_mode, writable_by_need = _checked_mode(mmap_mode, "auto")
    trusted = checked_names(trusted)
    return _build(_open_bytes(data, trusted, verify), "the bytes", mmap_mode, writable_by_need, trusted, native,
                  allow_opaque, verify, None)


def _checked_mode(mmap_mode, ensure_native_byte_order):
    given = mmap_mode is not _NOT_GIVEN
    if ensure_native_byte_order not in ("auto", True, False):
        raise MismatchError(f"ensure_native_byte_order is {ensure_native_byte_order!r}; 'auto', True or False is "
                            "expected", reason="bad_argument")
    if not given:
        return (None, False) if ensure_native_byte_order is True else ("r", True)
    if mmap_mode in ("r+", "w+"):
        raise MismatchError(f"mmap_mode={mmap_mode!r} would write into the file, and a .mere file is immutable: 'c' "
                            "gives private writable pages, and dump() writes another file", reason="bad_argument")
    if mmap_mode not in (None, "r", "c"):
        raise MismatchError(f"mmap_mode is {mmap_mode!r}; None, 'r' or 'c' is expected", reason="bad_argument")
    if ensure_native_byte_order is True and mmap_mode is not None:
        raise MismatchError("arrays can be made native only where they are copied, with mmap_mode=None; mmap_mode="
                            f"{mmap_mode!r} was given", reason="bad_argument")
    return mmap_mode, False


class _Opened:
    """A model that may have to be mapped again, writable."""

    def __init__(self, open_it):
        self._open = open_it

    def open(self, writable):
        return self._open(writable)


def _open_path(path, writable, trusted, verify, content_id, threads):
    with open(path, "rb") if _is_plain(path) else io.BytesIO() as file:
        magic = file.read(len(_MAGIC))
    if magic and magic != _MAGIC:
        return _open_foreign(path, path, writable, trusted)
    # What is no file, or no regular one, is the core's to tell.
    core, _ = open_mapped(path, writable=writable, verify=verify, content_id=content_id or "", threads=threads)
    return core


def _is_plain(path):
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _open_foreign(path, what, writable, trusted):
    """A file of another format, as a .mere in memory."""
    admitted_names(_core.audit_file(path, trusted), what, allow_opaque=True)
    descriptor = _unnamed_file()
    try:
        _core.import_to_descriptor(path, descriptor, trusted)
        core, _ = open_mapped_descriptor(descriptor, writable=writable)
        return core
    finally:
        os.close(descriptor)


def _unnamed_file():
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mere", os.MFD_CLOEXEC)
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _open_file(file, trusted, verify):
    # Only these are what their descriptor is; others (gzip.GzipFile) make something of what they read.
    if type(file) in (io.BufferedReader, io.BufferedRandom, io.FileIO):
        begin = file.tell()
        magic = file.read(len(_MAGIC))
        file.seek(begin)
        descriptor = file.fileno()
        if magic == _MAGIC and stat.S_ISREG(os.fstat(descriptor).st_mode):
            opened = _Opened(lambda writable: open_mapped_descriptor(descriptor, begin, writable=writable,
                                                                    verify=verify)[0])
            file.seek(0, os.SEEK_END)
            return opened
    data = file.read()
    if not isinstance(data, bytes):
        raise MismatchError("a file object that reads bytes is expected: open it in binary mode", reason="bad_argument")
    return _open_bytes(data, trusted, verify)


def _open_bytes(data, trusted, verify):
    view = memoryview(data).cast("B")
    if len(view) < len(_MAGIC) or bytes(view[:len(_MAGIC)]) == _MAGIC:

        def open_it(writable):
            # Copied only where it may be written.
            held = np.frombuffer(view, np.uint8)
            if writable and view.readonly:
                held = held.copy()
            core = _core.Model.from_bytes(held, expand="in_memory", verify=verify)
            core.set_base(held if not core.expanded and core.nbytes == held.size else None)
            return core

        return _Opened(open_it)
    descriptor = _unnamed_file()
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(view)
        core = _open_foreign(f"/proc/self/fd/{descriptor}", "the bytes", True, trusted)
    finally:
        os.close(descriptor)
    return _Opened(lambda writable: core)


def _build(opened, *options):
    try:
        return _build_checked(opened, *options)
    except UnicodeDecodeError as error:
        # Of a name, or of a path to a node, on its way into a message.
        raise CorruptError(f"{options[0]}: a name that is not UTF-8", reason="bad_text") from error


def _build_checked(opened, what, mmap_mode, writable_by_need, trusted, native, allow_opaque, verify, content_id):
    core = opened.open(mmap_mode == "c")
    admitted = _core.names_if_trusted(core, trusted)
    is_plain = admitted == []
    if admitted is None:
        admitted = admitted_names(_core.audit(core, trusted), what, allow_opaque=allow_opaque)
    admitted = set(admitted)
    if writable_by_need and needs_writable(admitted):
        core = opened.open(True)
    if mmap_mode is None:
        core.set_base(None)
    hooks = version_hooks()
    if native and mmap_mode is not None and core.is_based:
        hooks.update(_ensemble_hooks())
    running = {"_sklearn_version": ""}
    migration = Migration(what)
    rebuild = _core.Rebuild(core, Finder(admitted, what), hooks, opener(allow_opaque, set(trusted), what),
                            migration, running)
    root = rebuild.root
    if rebuild.kind(root) == "object" and rebuild.type_name(root) == "Program":
        raise UnsupportedError(f"{what}: holds a program alone, and no object: mere.open(...).predict() runs it",
                               reason="not_supported")
    if mmap_mode is None:
        rebuild.set_copied(_native)
    if is_plain:
        rebuild.set_plain()
    else:
        rebuild.prepare(root)
        warn_of_versions(rebuild.versions(), running)
    return rebuild.build(root)


def _native(array):
    """The same numbers in this machine's byte order."""
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def _ensemble_hooks():
    try:
        from . import _ensembles
    except ImportError:
        return {}
    return _ensembles.hooks()
