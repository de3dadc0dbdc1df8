"""The classes of loaded ensembles: one for each of scikit-learn's, made when the first such object is."""
from __future__ import annotations

import copyreg
import functools
import inspect
import warnings

from ._links import detach_one, full_state, link_of

#: Releases of scikit-learn whose seams were tested (docs/python.md).
TESTED = frozenset({(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (1, 9)})

# Setting these changes no prediction.
_FREE = frozenset({"n_jobs", "verbose", "random_state", "warm_start", "oob_score", "feature_names_in_",
                   "_sklearn_output_config", "_metadata_request"})

_classes = {}
_warned = set()


def version_of(text):
    """The first two numbers of a version, or None."""
    try:
        return tuple(int(part) for part in str(text).split(".")[:2])
    except ValueError:
        return None


def running_version():
    import sklearn

    return version_of(sklearn.__version__)


def warn_once(key, message):
    if key not in _warned:
        _warned.add(key)
        warnings.warn(message, UserWarning, stacklevel=3)


def is_tested():
    """Whether this scikit-learn is one of those tested; says so once if not."""
    version = running_version()
    if version in TESTED:
        return True
    warn_once("version", f"mere was not tested with scikit-learn {version[0]}.{version[1]}: ensembles of trees are "
                         "loaded as plain objects, which copy their trees out of the map")
    return False


def shared_class(plain, family):
    """The subclass of `plain` whose objects keep `family.lazy` in the map, or None where a seam is not as expected.

    It has the name and the module of its base. Objects of it are made by object.__new__ alone: calling the class, as
    clone() does, makes a plain one.
    """
    if plain not in _classes:
        _classes[plain] = _make_class(plain, family) if _seams_fit(plain, family) else None
    return _classes[plain]


def _seams_fit(plain, family):
    for name, expected in family.seams.items():
        seam = getattr(plain, name, None)
        found = tuple(inspect.signature(seam).parameters) if callable(seam) else None
        if found != expected:
            warn_once(plain, f"{plain.__name__}.{name} of this scikit-learn takes {found}, not {expected}: its objects "
                             "are loaded as plain ones, which copy their trees out of the map")
            return False
    return True


def _make_class(plain, family):
    parameters = frozenset(plain._get_param_names())

    def touches(name):
        if name in _FREE:
            return False
        return name in parameters or name.startswith("_") or name.endswith("_")

    def __new__(cls, *args, **kwargs):
        return plain(*args, **kwargs)

    def __setattr__(self, name, value):
        if touches(name):
            detach_one(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name):
        detach_one(self)
        object.__delattr__(self, name)

    def __getstate__(self):
        import sklearn

        link = link_of(self)
        if link is None:
            return plain.__getstate__(self)
        state = full_state(self, link, link.value(self))
        state["_sklearn_version"] = sklearn.__version__
        return state

    def __reduce_ex__(self, protocol):
        return copyreg._reconstructor, (plain, object, None), self.__getstate__()

    namespace = {
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__doc__": plain.__doc__,
        "__class__": property(lambda self: plain),
        "__new__": __new__,
        "__setattr__": __setattr__,
        "__delattr__": __delattr__,
        "__getstate__": __getstate__,
        "__reduce_ex__": __reduce_ex__,
    }
    namespace.update(family.namespace(plain))
    return type(plain)(plain.__name__, (plain,), namespace)


def lazy_property(name):
    """The attribute that is made when it is asked for."""

    def get(self):
        link = link_of(self)
        if link is None:
            # Between two looks at it another thread turned the object into a plain one.
            return self.__dict__[name]
        return link.get(self)

    return property(get)


def make_view_class(plain, name, stand_in):
    """A subclass of `plain` whose attribute `name` is what `stand_in(object)` makes: scikit-learn's own methods run on
    such a view of an estimator, and find the stand-in where they look for trees."""
    return type(plain)(plain.__name__, (plain,), {
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__slots__": ("mere_link",),
        name: property(lambda self: stand_in(self.mere_link)),
    })


def view_of(estimator, link, view_class):
    """An object of a view class with the attributes of `estimator`: the same dict."""
    view = object.__new__(view_class)
    object.__setattr__(view, "__dict__", estimator.__dict__)
    object.__setattr__(view, "mere_link", link)
    return view


@functools.lru_cache(None)
def _defaults(plain):
    return [(name, parameter.default) for name, parameter in inspect.signature(plain.__init__).parameters.items()
            if parameter.default is not inspect.Parameter.empty]


def new_estimator(plain, family, state):
    """An object of the shared class with these attributes; those that newer releases have added get their defaults."""
    shared = shared_class(plain, family)
    state.pop("_sklearn_version", None)
    for name, default in _defaults(plain):
        state.setdefault(name, default)
    made = object.__new__(shared)
    made.__dict__.update(state)
    return made


def fitted_version(rebuild, node):
    """Of scikit-learn, when the estimator at a node was fitted: (1, 2), or None."""
    text = rebuild.find(node, "_sklearn_version")
    return None if text is None else version_of(rebuild.build(text))


def rows_of(x, columns):
    """Dense blocks of rows of a sparse matrix, with the place of each: at most 4 MB at a time."""
    step = max(1, (1 << 20) // max(1, columns))
    for first in range(0, x.shape[0], step):
        yield first, x[first:first + step].toarray()
