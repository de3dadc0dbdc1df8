"""mere.dump and mere.dumps: joblib's arguments and manners, one file that every process maps."""
from __future__ import annotations

import io
import os
import warnings
from _pickle import Pickler

from . import _core
from ._errors import MismatchError
from ._map import ModelMap
from ._progress import progress_function
from ._provenance import metadata_of

# What joblib calls a method, and the extension that implies it.
_METHODS = {"zlib": ".z", "gzip": ".gz", "bz2": ".bz2", "lzma": ".lzma", "xz": ".xz", "lz4": ".lz4"}
_CODECS = {"zlib": "zlib", "gzip": "zlib", "lz4": "lz4", "lz4hc": "lz4hc", "zstd": "zstd", "smallest": "smallest",
           "none": "none"}
_LEVEL_OF_JOBLIB = 3
_PROGRAMS = {"auto": "auto", "with": "with", "only": "only", "none": "none", True: "with", False: "none", None: "auto"}


def dump(value, filename, compress=0, protocol=None, cache_size=None, *, program="auto", allow_opaque=False,
         metadata=None, training_data=None, source_code=None, cv_score=None, environment=False, progress=None,
         durability="full", threads=0, alignment=4096, filters=True):
    """Writes any object that pickle takes to a .mere file, as ``joblib.dump`` would.

    ``filename``: a path, or a binary file object. ``compress``: 0 or False for none (every process maps the arrays as
    they lie in the file), True or 1 to 9 for zlib, "zlib", "gzip" (zlib's codec), "lz4", "zstd", or a pair of method
    and level; an extension ``.z``, ``.gz`` or ``.lz4`` implies it. bz2, lzma and xz are no codecs of a .mere file.
    ``protocol`` and ``cache_size`` are accepted as joblib accepts them, and ignored.

    ``program``: "auto" stores what predicts natively beside ensembles of trees and large models, True or "with" always
    (an error if it cannot be done), "only" instead of the model, False never. ``allow_opaque``: functions and classes
    that cannot be imported by name are carried by value, as cloudpickle writes them.

    ``metadata``: a dict of your own, kept beside the model; ``training_data``, ``source_code`` (a text, a path or a
    function), ``cv_score`` ({"metric", "mean", "std", "n_splits"}, or a pair of metric and scores) and
    ``environment=True`` (all installed packages) are entries of it. Versions of the libraries are recorded in any case.
    ``progress``: True for a bar on a terminal, or a function of done and total bytes. ``durability="none"`` leaves out
    the waiting for the disk.

    Returns ``[filename]``, or None for a file object. A file is replaced as a whole: who has the old one mapped keeps
    it. Raises MismatchError, which is a ValueError (arguments, what cannot be pickled by name), InputOutputError, which
    is an OSError, and what pickling raises.
    """
    path = _path_of(filename)
    options = _options(compress, path, durability, threads, alignment, filters)
    graph = _graph_of(value, program, allow_opaque, threads,
                      metadata_of(metadata, training_data, source_code, cv_score, environment))
    with progress_function(progress) as report:
        options["progress"] = report
        if path is None:
            _write(graph, filename, options)
            return None
        graph.dump_path(path, options)
    return [path]


def dumps(value, compress=0, *, program="auto", allow_opaque=False, metadata=None, training_data=None, source_code=None,
          cv_score=None, environment=False, threads=0, alignment=4096, filters=True):
    """The bytes that dump() would write to a file."""
    options = _options(compress, "", "none", threads, alignment, filters)
    graph = _graph_of(value, program, allow_opaque, threads,
                      metadata_of(metadata, training_data, source_code, cv_score, environment))
    return graph.dump_bytes(options)


def _path_of(filename):
    """A path as text, or None for a file object."""
    if isinstance(filename, (str, os.PathLike)):
        path = os.fspath(filename)
        return os.fsdecode(path) if isinstance(path, bytes) else path
    if hasattr(filename, "write"):
        return None
    raise MismatchError("the second argument is the file: a name or a file object; "
                        f"{type(filename).__name__} was given. "
                        "dump(value, filename) takes the object first", reason="bad_argument")


def _options(compress, path, durability, threads, alignment, filters):
    codec, level = _codec_of(compress, path)
    return {"codec": codec, "level": level, "filters": filters, "durability": durability, "threads": threads,
            "alignment": alignment}


def _codec_of(compress, path):
    """Codec and level, as joblib comes from its argument and the extension to a method and a level."""
    method, level = None, compress
    if compress is True:
        level = None
    elif isinstance(compress, (tuple, list)):
        if len(compress) != 2:
            raise MismatchError("compress as a tuple has two elements, (method, level); "
                                f"{tuple(compress)!r} was given", reason="bad_argument")
        method, level = compress
    elif isinstance(compress, str):
        method, level = compress, None
    if level is not None and level is not False and level not in range(10):
        raise MismatchError(f"compress has no level {level!r}: 0 to 9 are", reason="bad_argument")
    if method is None and path:
        for name, extension in _METHODS.items():
            if path.endswith(extension):
                method = name
                if level == 0:
                    level = None
    if level is not None and level == 0:  # False too
        return "none", 0
    method = "zlib" if method is None else method
    if method not in _CODECS:
        what = f"compression by {method!r}" if method in _METHODS else f"{method!r}: no compression"
        raise MismatchError(f"{what} is not a codec of .mere files: zlib, gzip (zlib's codec), lz4 and zstd are. "
                            "Another extension, or compress=, chooses one", reason="bad_argument")
    codec = _CODECS[method]
    if codec == "zlib":
        return codec, _LEVEL_OF_JOBLIB if level is None else level
    if codec == "lz4" and level is not None and level >= 3:  # what LZ4's frames do from this level on
        return "lz4hc", level
    return codec, 0 if level is None or codec == "lz4" else level


class _Pickler(Pickler):
    """Takes a function as persistent_id; Python 3.13.0 lets no object of the plain class have one."""


def _graph_of(value, program, allow_opaque, threads, metadata):
    try:
        mode = _PROGRAMS[program]
    except (KeyError, TypeError):
        raise MismatchError(f"program is {program!r}; 'auto', True, False or 'only' is expected",
                            reason="bad_argument") from None
    builder = _core.StreamBuilder(_opaque_dumps() if allow_opaque else None, ModelMap)
    stream = io.BytesIO()
    pickler = _Pickler(stream, 5)
    pickler.persistent_id = builder.persistent_id
    pickler.dump((value, metadata))
    # The stream is kept by the graph, and the parts by the builder.
    graph = builder.graph(stream.getbuffer())
    if mode != "none":
        graph.add_program(mode, threads)
    return graph


def _opaque_dumps():
    try:
        import cloudpickle
    except ImportError:
        try:
            from joblib.externals import cloudpickle
        except ImportError:
            raise MismatchError("allow_opaque=True needs the package cloudpickle", reason="bad_argument") from None
    return lambda thing: cloudpickle.dumps(thing, protocol=5)


def _write(graph, file, options):
    # Only these are what their descriptor is: others (gzip.GzipFile) change what is written to them.
    if type(file) in (io.BufferedWriter, io.BufferedRandom, io.FileIO):
        file.flush()
        begin = file.tell()
        try:
            written = graph.dump_descriptor(file.fileno(), options)["file_bytes"]
        except io.UnsupportedOperation:
            pass
        else:
            if file.seekable():
                file.seek(begin + written)
            return
    data = memoryview(graph.dump_bytes(options))
    for begin in range(0, len(data), 1 << 24):
        file.write(data[begin:begin + (1 << 24)])
