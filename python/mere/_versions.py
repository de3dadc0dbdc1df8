"""Models of one release of scikit-learn in another: a warning first, then conversion, or an error that names what
lacks."""
from __future__ import annotations

import sys
import warnings

import numpy as np

from ._errors import MismatchError

_VERSION = "_sklearn_version"


def parsed(version):
    """(1, 2) of "1.2.1"; (0, 0) of what is no version."""
    parts = str(version).split(".")
    try:
        return int(parts[0]), int(parts[1])
    except (ValueError, IndexError):
        return 0, 0


def warn_of_versions(found, running):
    """One warning for each (type, version) that is not the one that runs, before anything is made. Fills
    ``running``."""
    if not found:
        return
    import sklearn
    running[_VERSION] = sklearn.__version__
    for name, version in found:
        if version == sklearn.__version__ or not name.startswith("sklearn."):
            continue
        estimator = name.rpartition(".")[2]
        try:
            from sklearn.exceptions import InconsistentVersionWarning
        except ImportError:
            warnings.warn(
                f"Trying to unpickle estimator {estimator} from version {version} when using version "
                f"{sklearn.__version__}. This might lead to breaking code or invalid results. Use at your own risk. "
                "For more info please refer to:\n"
                "https://scikit-learn.org/stable/model_persistence.html#security-maintainability-limitations",
                UserWarning, stacklevel=4)
        else:
            warnings.warn(
                InconsistentVersionWarning(estimator_name=estimator, current_sklearn_version=sklearn.__version__,
                                           original_sklearn_version=version), stacklevel=4)


def needs_writable(names):
    """Whether a file with these names holds an estimator whose compiled code asks for writable arrays: those are mapped
    with mmap_mode="c". docs/python.md has the table."""
    # KDTree, BallTree and distances; splines, whose evaluation asks for memory that it could write.
    if any(name.endswith(".newObj") or name.rpartition(".")[2] in ("BSpline", "PPoly") for name in names):
        return True
    if any("._hist_gradient_boosting." in name for name in names):
        import sklearn
        return parsed(sklearn.__version__) < (1, 3)
    return False


# Trees: the layout of a node, and what a leaf counts.

def version_hooks():
    """What makes objects whose layout depends on the release that runs."""
    return {"numpy.random._pickle.__bit_generator_ctor": _make_bit_generator,
            "numpy.random._pickle.__generator_ctor": _make_generator,
            "numpy.random._pickle.__randomstate_ctor": _make_generator,
            "sklearn.tree._tree.Tree": _make_tree,
            "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _make_tree_predictor}


def _make_tree(rebuild, node, cls):
    args = rebuild.build(rebuild.args(node))
    state = rebuild.build_state(node)
    made = cls(*args)
    nodes = state.get("nodes")
    if isinstance(nodes, np.ndarray):
        state["nodes"] = _converted(nodes, _node_dtype(cls), rebuild, node)
    made.__setstate__(state)
    return made


def _make_bit_generator(rebuild, node, ctor):
    """NumPy's constructor takes a name up to 1.24 and a class after it; so with the state, alone or beside a seed."""
    if rebuild.state(node) is None or rebuild.args(node) is None:
        return NotImplemented
    kind, state = rebuild.build(rebuild.args(node))[0], rebuild.build(rebuild.state(node))
    try:
        made = ctor(kind)
    except ValueError:
        if not isinstance(kind, type):
            raise
        made = ctor(kind.__name__)
    try:
        made.__setstate__(state)
    except (TypeError, ValueError):
        if not isinstance(state, tuple):
            raise
        made.__setstate__(state[0])
    return made


def _make_generator(rebuild, node, ctor):
    """The same of what is made around a bit generator, which older releases made by its name."""
    args = rebuild.args(node)
    first = rebuild.members(args)[0] if args is not None and rebuild.members(args) else None
    if first is None or rebuild.kind(first) != "object":
        return NotImplemented
    bits = rebuild.build(first)
    try:
        made = ctor(bits)
    except ValueError:
        made = (np.random.RandomState if ctor.__name__ == "__randomstate_ctor" else np.random.Generator)(bits)
    state = rebuild.state(node)
    if state is not None:
        made.__setstate__(rebuild.build(state))
    return made


def _make_tree_predictor(rebuild, node, cls):
    from sklearn.ensemble._hist_gradient_boosting import common
    state = rebuild.build_state(node)
    nodes = state.get("nodes")
    if isinstance(nodes, np.ndarray):
        state["nodes"] = _converted(nodes, common.PREDICTOR_RECORD_DTYPE, rebuild, node)
    made = cls.__new__(cls)
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
    else:
        vars(made).update(state)
    return made


def _node_dtype(cls):
    module = sys.modules[cls.__module__]
    dtype = getattr(module, "NODE_DTYPE", None)
    if dtype is None:
        raise MismatchError(f"{cls.__module__} does not say how its nodes lie (NODE_DTYPE)", reason="missing_field")
    return dtype


def _converted(nodes, wanted, rebuild, node):
    if nodes.dtype == wanted:
        return nodes
    have, want = set(nodes.dtype.names or ()), set(wanted.names)
    # Added in 1.3: where rows without a value go; 0 is what trees did that never met one.
    missing = want - have - {"missing_go_to_left"}
    if missing:
        raise MismatchError(f"{rebuild.path(node)}: nodes of a tree lack {', '.join(sorted(missing))}, which the "
                            "installed scikit-learn needs", reason="missing_field")
    made = np.zeros(nodes.shape, wanted)
    for name in wanted.names:
        if name in have:
            made[name] = nodes[name]
    return made


_COUNTS_UNTIL = (1, 4)  # from here on a leaf has fractions
_CLASSIFICATION_TREES = {"DecisionTreeClassifier", "ExtraTreeClassifier"}


def _convert_leaves(tree, before, now):
    """Counts of classes to fractions and back, in place."""
    values = tree.value
    if before < _COUNTS_UNTIL <= now:
        sums = values.sum(axis=2, keepdims=True)
        np.divide(values, sums, out=values, where=sums != 0)
    elif now < _COUNTS_UNTIL <= before:
        values *= tree.weighted_n_node_samples[:, np.newaxis, np.newaxis]


# Attributes: what a release has that an older one had not, and what it then was.

class _Rows:
    """For a type, the attributes that came with a release: a value, or a function of the state that gives it."""

    def __init__(self):
        self.rows = {}

    def add(self, names, since, **attributes):
        for name in names.split():
            self.rows.setdefault(name, []).append((since, attributes))
        return self


_MISSING = object()


def _other(*names):
    """The value of the first of these names that the state has."""
    return lambda state: next((state[name] for name in names if name in state), _MISSING)


_FORESTS = "RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor RandomTreesEmbedding"
_META = _FORESTS + " IsolationForest AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor"
_TREES = "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor"
_HISTOGRAM = "HistGradientBoostingClassifier HistGradientBoostingRegressor"

# Upwards: a state of before `since` gets these in a release of `since` or later.
_ADDED = (
    _Rows()
    .add("OneHotEncoder", (1, 1), _infrequent_enabled=False, max_categories=None, min_frequency=None,
         _n_features_outs=lambda state: _encoded_counts(state))
    .add("OneHotEncoder", (1, 2), sparse_output=_other("sparse"),
         _drop_idx_after_grouping=_other("drop_idx_"))
    .add("OneHotEncoder", (1, 3), feature_name_combiner="concat")
    .add("OrdinalEncoder", (1, 1), encoded_missing_value=float("nan"), _missing_indices=lambda state: {})
    .add("OrdinalEncoder", (1, 3), _infrequent_enabled=False, max_categories=None, min_frequency=None)
    .add("PCA", (1, 1), n_oversamples=10, power_iteration_normalizer="auto")
    .add("TruncatedSVD", (1, 1), n_oversamples=10, power_iteration_normalizer="auto")
    .add("SVC NuSVC SVR NuSVR OneClassSVM", (1, 1), _num_iter=_MISSING)
    .add("SVC NuSVC", (1, 9), _effective_probability=_other("probability"))
    .add("KMeans MiniBatchKMeans", (1, 1), _n_features_out=lambda state: state["cluster_centers_"].shape[0])
    .add("SimpleImputer", (1, 1), _fit_dtype=lambda state: state["statistics_"].dtype)
    .add("SimpleImputer", (1, 2), keep_empty_features=False)
    .add("SimpleImputer", (1, 8), _fill_dtype=_other("_fit_dtype"))
    .add(_META, (1, 2), estimator=_other("base_estimator"), estimator_=_other("base_estimator_"))
    .add(_FORESTS, (1, 4), monotonic_cst=None)
    .add(_TREES, (1, 4), monotonic_cst=None)
    .add("IsolationForest", (1, 3), _average_path_length_per_tree=lambda state: _path_lengths(state)[0],
         _decision_path_lengths=lambda state: _path_lengths(state)[1])
    .add("GradientBoostingClassifier GradientBoostingRegressor", (1, 1), _loss=_other("loss_"))
    .add("GradientBoostingClassifier", (1, 4),
         n_trees_per_iteration_=lambda state: state["estimators_"].shape[1])
    .add("GradientBoostingRegressor", (1, 4), n_trees_per_iteration_=1)
    .add(_HISTOGRAM, (1, 2), interaction_cst=None)
    .add("HistGradientBoostingClassifier", (1, 2), class_weight=None)
    .add(_HISTOGRAM, (1, 4), max_features=1.0, _preprocessor=None,
         _is_categorical_remapped=_other("is_categorical_"))
    .add("MLPClassifier MLPRegressor", (1, 2), best_validation_score_=None, validation_scores_=None)
    .add("ColumnTransformer", (1, 2), _name_to_fitted_passthrough=lambda state: {})
    .add("ColumnTransformer", (1, 5), force_int_remainder_cols=True)
    .add("Pipeline", (1, 6), transform_input=None)
    .add("FeatureUnion", (1, 2), verbose_feature_names_out=True)
    .add("KBinsDiscretizer", (1, 1), subsample=None)
    .add("StackingClassifier StackingRegressor VotingClassifier VotingRegressor", (1, 2))
    .add("LogisticRegression LogisticRegressionCV", (1, 8), l1_ratio=_other("l1_ratio"))
)
# Downwards: a state of `since` or later gets these in a release of before it.
_DROPPED = (
    _Rows()
    .add("OneHotEncoder", (1, 4), sparse=_other("sparse_output"))
    .add(_META, (1, 2), base_estimator=_other("estimator"), base_estimator_=_other("estimator_"))
    .add(_META, (1, 4), base_estimator="deprecated")
    .add("AdaBoostClassifier", (1, 8), algorithm="SAMME")
    .add("PCA", (1, 2), n_features_=_other("n_features_in_"))
    .add("SimpleImputer", (1, 3), verbose="deprecated")
    .add("LogisticRegression LogisticRegressionCV", (1, 8), multi_class="auto")
    .add("ColumnTransformer", (1, 4), _n_features=_other("n_features_in_"),
         _name_to_fitted_passthrough=lambda state: {})
    .add("GradientBoostingClassifier", (1, 4), _n_classes=lambda state: state["n_trees_per_iteration_"])
)

def _old_loss(state):
    """The loss of gradient boosting before 1.4, of the parameters that say which."""
    from sklearn.ensemble import _gb_losses
    name = {"deviance": "log_loss"}.get(state["loss"], state["loss"])
    if "n_classes_" in state:
        classes = state["n_classes_"]
        if name == "log_loss":
            return (_gb_losses.MultinomialDeviance if classes > 2 else _gb_losses.BinomialDeviance)(classes)
        return _gb_losses.LOSS_FUNCTIONS[name](classes)
    if name in ("huber", "quantile"):
        return _gb_losses.LOSS_FUNCTIONS[name](state["alpha"])
    return _gb_losses.LOSS_FUNCTIONS[name]()


def _encoded_counts(state):
    counts = [len(categories) for categories in state["categories_"]]
    drop = state.get("drop_idx_")
    if drop is not None:
        counts = [count - (index is not None) for count, index in zip(counts, drop)]
    return counts


def _path_lengths(state):
    from sklearn.ensemble._iforest import _average_path_length
    average = [_average_path_length(tree.tree_.n_node_samples) for tree in state["estimators_"]]
    return average, [tree.tree_.compute_node_depths() for tree in state["estimators_"]]


class Migration:
    """Called for each state of another release: returns it as the running release would have written it."""

    def __init__(self, what):
        self._what = what

    def __call__(self, type_name, version, state):
        if not type_name.startswith("sklearn."):
            return state
        import sklearn
        before, now = parsed(version), parsed(sklearn.__version__)
        if before == now or before == (0, 0):
            return state
        name = type_name.rpartition(".")[2]
        if name in _CLASSIFICATION_TREES and hasattr(state.get("tree_"), "value"):
            _convert_leaves(state["tree_"], before, now)
        for since, attributes in _ADDED.rows.get(name, ()):
            if before < since <= now:
                self._set(name, version, state, attributes)
        if name.startswith("GradientBoosting") and now < (1, 4) <= before:
            state["_loss"] = _old_loss(state)
        for since, attributes in _DROPPED.rows.get(name, ()):
            if now < since <= before:
                self._set(name, version, state, attributes)
        return state

    def _set(self, name, version, state, attributes):
        for key, value in attributes.items():
            if key in state:
                continue
            if callable(value):
                try:
                    value = value(state)
                except (KeyError, AttributeError, TypeError) as error:
                    raise MismatchError(f"{self._what}: {name} of scikit-learn {version} lacks {key}, which the "
                                        f"installed release needs, and what it would follow from: {error}",
                                        reason="missing_field") from error
            if value is not _MISSING:
                state[key] = value


_PYX_LOSS = "__pyx_unpickle_Cy"


def loss_maker(module, qualname):
    """What makes a compiled loss of scikit-learn where the release that runs has no function of that name any more: its
    class, called. None for other names."""
    if module not in ("_loss", "sklearn._loss._loss") or not qualname.startswith(_PYX_LOSS):
        return None
    from sklearn._loss import _loss

    plain = getattr(_loss, qualname.removeprefix("__pyx_unpickle_"), None)
    if plain is None:
        return None

    def make(cls, checksum, state):
        if cls is not plain:
            raise TypeError(f"{qualname} makes {plain.__name__}, not {cls!r}")
        return plain(*(state or ()))

    return make
