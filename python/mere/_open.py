"""mere.open: a model file without the types, the libraries or the code that made it."""
from __future__ import annotations

import os
import threading

from . import _core
from ._errors import MismatchError
from ._inspect import Inspection
from ._map import open_mapped, open_mapped_descriptor
from ._predict import Predictor


class Model:
    """An open .mere file: one map, shared by every process that opens it.

    Index it as the model would be: ``model["steps"][1]``. Leaves are Python's values, arrays are read-only NumPy arrays
    over the map, all else is a :class:`Node`. Nothing in the file is looked up, imported or run. Safe to share between
    threads, usable after fork, and pickled as a reference: path and content id, compared when it is opened again.
    """

    def __init__(self, core, path=None):
        self._core = core
        self._path = None if path is None else os.path.abspath(os.fspath(path))
        self._status = _status_of(self._path)
        self._predictor = None
        self._lock = threading.Lock()

    # What is in it.
    @property
    def root(self):
        """The model itself: a value, an array or a Node."""
        node = self._open().root()
        return node.at("")

    def at(self, path):
        """The value at a path: ``"estimators_[3].tree_.nodes"``. Raises NotFoundError, which is a KeyError too."""
        return self._open().root().at(path)

    def node(self, path=""):
        """The Node at a path, also where at() would give a value."""
        return self._open().root().node(path)

    def __getitem__(self, key):
        return self._open().root()[key]

    def __contains__(self, key):
        return key in self._open().root()

    def __len__(self):
        return len(self._open().root())

    def __iter__(self):
        return iter(self._open().root())

    def keys(self):
        """Names of an estimator's attributes, or the keys of a dict."""
        return self._open().root().keys()

    # What is known of it.
    @property
    def path(self):
        return self._path

    @property
    def content_id(self):
        """XXH3-128 over what the model holds, whatever its codecs: a name, not a proof. 32 hexadecimal digits."""
        return self._open().content_id

    @property
    def metadata(self):
        """A dict of what was recorded beside the model: versions, scores, training data, ..."""
        node = self._open().metadata()
        return {} if node is None else plain(node)

    def info(self):
        """A dict: format version, sizes, codecs, content id, ..."""
        return self._open().info()

    def inspect(self):
        """What is inside, as a table: print it, or look at it in a notebook."""
        return Inspection(self)

    def verify(self, threads=0):
        """Checks every sum and every node; reads the whole file. Raises CorruptError."""
        self._open().verify(threads)

    def sha256(self):
        """SHA-256 of the file's bytes, as sha256sum prints it: reads the whole file."""
        return self._open().sha256()

    def stale(self):
        """Whether the name now leads to another file, or the file changed."""
        self._open()
        return self._path is not None and _status_of(self._path) != self._status

    def reopen(self):
        """A new Model by the same name; this one, and arrays of it, live on."""
        if self._path is None:
            raise MismatchError("this model was not opened by a name", reason="bad_argument")
        return open(self._path)

    # Predicting.
    @property
    def predictor(self):
        """Predicts from the map. Raises UnsupportedError (no_program, not_lowerable)."""
        if self._predictor is None:
            with self._lock:
                if self._predictor is None:
                    self._predictor = Predictor(_core.Predictor(self._open()))
        return self._predictor

    def predict(self, x, **options):
        """As the estimator's own predict(); ``options`` are those of Predictor.run()."""
        return self.predictor.predict(x, **options)

    def predict_proba(self, x, **options):
        return self.predictor.predict_proba(x, **options)

    def predict_log_proba(self, x, **options):
        return self.predictor.predict_log_proba(x, **options)

    def decision_function(self, x, **options):
        return self.predictor.decision_function(x, **options)

    def transform(self, x, **options):
        return self.predictor.transform(x, **options)

    # As a resource.
    def close(self):
        """Lets go of the map; arrays that were taken from it keep it until they are gone."""
        self._core = None
        self._predictor = None

    @property
    def closed(self):
        return self._core is None

    def __enter__(self):
        self._open()
        return self

    def __exit__(self, *exception):
        self.close()

    def __reduce__(self):
        if self._path is None:
            raise TypeError("a mere.Model that was not opened by a path has no reference to pickle")
        return _open_reference, (self._path, self.content_id)

    def __repr__(self):
        if self.closed:
            return "<mere.Model, closed>"
        return f"<mere.Model {self._core.name}: {self.node()!r}>"

    def _open(self):
        if self._core is None:
            raise MismatchError("this model is closed", reason="bad_argument")
        return self._core


def open(path, *, verify="none", mmap_mode="r", content_id=None, threads=0):
    """Opens a .mere file in microseconds, whatever its size.

    ``path`` is a path, or a binary file object whose descriptor is a regular file. ``verify``: "none", "manifest" or
    "all". ``mmap_mode``: "r", or "c" for private writable pages. ``content_id``: MismatchError (content_differs) unless
    the file has it. A compressed file is expanded once per user and host, and everyone maps that copy.
    """
    if mmap_mode not in ("r", "c"):
        raise MismatchError(f"mmap_mode is {mmap_mode!r}; 'r' or 'c' is expected: a .mere file is never written in "
                            "place", reason="bad_argument")
    if hasattr(path, "fileno"):
        core, _ = open_mapped_descriptor(path.fileno(), writable=mmap_mode == "c", verify=verify)
        return Model(core)
    core, _ = open_mapped(path, writable=mmap_mode == "c", verify=verify, content_id=content_id or "", threads=threads)
    return Model(core, path)


def _open_reference(path, content_id):
    return open(path, content_id=content_id)


def _status_of(path):
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def plain(value, depth=200):
    """Lists, tuples, sets and dicts of a Node as Python's own; other nodes stay nodes."""
    if not isinstance(value, _core.Node) or depth == 0:
        return value
    kind = value.kind
    if kind == "dict":
        node = value
        return {key: plain(node[key], depth - 1) for key in node.keys()}
    if kind in ("list", "tuple", "set", "frozenset"):
        members = [plain(member, depth - 1) for member in value]
        return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind](members)
    return value
