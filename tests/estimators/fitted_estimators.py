"""Every estimator of the scikit-learn at hand, fitted on a small data set; variants where what is learned differs.

    for name, estimator, data in fitted(): ...       data is what it was fitted on
    fitted.unfitted                                  names that no data set here could fit, after the loop

scripts/make-trust-tables takes its estimators from here too, also with the oldest releases: Python 3.6 and
scikit-learn 0.20.
"""
import importlib
import inspect
import warnings

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import kernels
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

try:
    from sklearn.utils import all_estimators
except ImportError:  # before 0.22
    from sklearn.utils.testing import all_estimators

LOSSES = ("hinge", "log_loss", "modified_huber", "perceptron", "huber", "squared_error", "epsilon_insensitive",
          "squared_hinge", "squared_epsilon_insensitive")


def variants():
    """name -> the parameters to make it with, for those that need some or that learn different things by them."""
    logistic, ridge = LogisticRegression(), Ridge()
    gaussian = [kernels.RBF() + kernels.WhiteKernel(), kernels.ConstantKernel() * kernels.Matern(),
                kernels.RationalQuadratic() ** 2, kernels.DotProduct(), kernels.ExpSineSquared(),
                kernels.PairwiseKernel(), kernels.CompoundKernel([kernels.RBF()])]
    # By their names of then and now: a release makes those that it knows.
    regression_losses = ("squared_error", "huber", "quantile", "absolute_error", "ls", "lad")
    histogram_losses = ("squared_error", "absolute_error", "poisson", "least_squares", "least_absolute_deviation")
    search = dict(estimator=logistic, cv=2)
    rows = np.abs(np.random.RandomState(0).randn(40, 4))
    return {
        "ColumnTransformer": [dict(transformers=[("a", StandardScaler(), [0, 1])], remainder="passthrough")],
        "FeatureUnion": [dict(transformer_list=[("a", StandardScaler())])],
        "Pipeline": [dict(steps=[("a", StandardScaler()), ("b", logistic)])],
        "VotingClassifier": [dict(estimators=[("a", logistic)])],
        "StackingClassifier": [dict(estimators=[("a", logistic)])],
        "VotingRegressor": [dict(estimators=[("a", ridge)])],
        "StackingRegressor": [dict(estimators=[("a", ridge)])],
        "GridSearchCV": [dict(param_grid={"C": [1.0, 2.0]}, **search)],
        "HalvingGridSearchCV": [dict(param_grid={"C": [1.0, 2.0]}, **search)],
        "RandomizedSearchCV": [dict(param_distributions={"C": [1.0, 2.0]}, n_iter=2, **search)],
        "HalvingRandomSearchCV": [dict(param_distributions={"C": [1.0, 2.0]}, **search)],
        "SelectFromModel": [dict(estimator=RandomForestClassifier(n_estimators=2))],
        "SparseCoder": [dict(dictionary=np.eye(4))],
        "FunctionTransformer": [dict(), dict(func=np.log1p, inverse_func=np.expm1)],
        "MultiOutputRegressor": [dict(estimator=ridge)],
        "MultiOutputClassifier": [dict(estimator=logistic)],
        "RegressorChain": [dict(base_estimator=ridge), dict(estimator=ridge)],
        "ClassifierChain": [dict(base_estimator=logistic), dict(estimator=logistic)],
        "SelfTrainingClassifier": [dict(base_estimator=logistic), dict(estimator=logistic)],
        "FrozenEstimator": [dict(estimator=LogisticRegression().fit(rows, np.arange(40) % 2))],
        "SelectKBest": [dict(k=2)],
        "GaussianRandomProjection": [dict(n_components=2)],
        "SparseRandomProjection": [dict(n_components=2)],
        "AdaBoostClassifier": [dict(n_estimators=3)],
        "AdaBoostRegressor": [dict(n_estimators=3)],
        "BaggingClassifier": [dict(n_estimators=3)],
        "BaggingRegressor": [dict(n_estimators=3)],
        "ExtraTreesClassifier": [dict(n_estimators=3)],
        "ExtraTreesRegressor": [dict(n_estimators=3)],
        "IsolationForest": [dict(n_estimators=3)],
        "RandomTreesEmbedding": [dict(n_estimators=3)],
        "RandomForestClassifier": [dict(n_estimators=3, criterion=c) for c in ("gini", "entropy")],
        "RandomForestRegressor": [dict(n_estimators=3)],
        "GradientBoostingClassifier": [dict(n_estimators=2), dict(n_estimators=2, loss="exponential")],
        "GradientBoostingRegressor": [dict(n_estimators=2, loss=loss) for loss in regression_losses],
        "HistGradientBoostingClassifier": [dict(max_iter=2)],
        "HistGradientBoostingRegressor": [dict(max_iter=2, loss=loss) for loss in histogram_losses]
                                         + [dict(max_iter=2, loss="quantile", quantile=0.5)],
        "SGDClassifier": [dict(loss=loss) for loss in LOSSES],
        "GaussianProcessRegressor": [dict()] + [dict(kernel=kernel) for kernel in gaussian],
        "KernelDensity": [dict(), dict(algorithm="ball_tree"), dict(algorithm="kd_tree")],
        "KNeighborsClassifier": [dict(algorithm=a) for a in ("brute", "kd_tree", "ball_tree")]
                                + [dict(algorithm="ball_tree", metric=metric)
                                   for metric in ("manhattan", "chebyshev", "canberra", "hamming")],
        "TweedieRegressor": [dict(power=p) for p in (0, 1, 1.5, 2, 3)],
        "OneHotEncoder": [dict(), dict(handle_unknown="ignore")],
        "SimpleImputer": [dict(strategy=s) for s in ("mean", "most_frequent", "constant")],
        "MLPClassifier": [dict(hidden_layer_sizes=(5,), max_iter=5)],
        "MLPRegressor": [dict(hidden_layer_sizes=(5,), max_iter=5)],
    }


def makers():
    """(label, class, parameters) of every variant; the label of the first is the class's name."""
    for name in ("halving_search_cv", "iterative_imputer", "hist_gradient_boosting"):
        try:
            importlib.import_module("sklearn.experimental.enable_" + name)
        except ImportError:
            pass  # not yet there, or no longer needed
    known = variants()
    for name, cls in all_estimators():
        rows = known.get(name)
        if rows is None:
            signature = inspect.signature(cls).parameters.values()
            required = [p.name for p in signature if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
            base = Ridge() if "Regressor" in name or name in ("RFE", "RFECV") else LogisticRegression()
            rows = [{p: base for p in required}]
        for number, row in enumerate(rows):
            yield name if number == 0 else f"{name} {number + 1}", cls, row


def data_sets():
    """(X, the targets to try) from the plainest to the odd, made anew from the same seed each time."""
    rng = np.random.RandomState(0)
    table = np.abs(rng.randn(40, 4))
    labels = np.arange(40) % 2
    letters = np.array(list("abc"))[np.arange(40) % 3]
    yield table, [labels, letters, table[:, 0], np.c_[labels, 1 - labels], table[:, :2], None]
    yield ["red green blue", "one two red"] * 20, [labels, None]
    yield [{"a": 1.0, "b": "x"}] * 40, [labels, None]
    yield table[:, 0], [table[:, 1], labels, None]
    yield labels, [None]
    yield np.c_[labels, 1 - labels], [None, labels]
    yield [["a", "b"], ["c"]] * 20, [None]
    yield table[:10] @ table[:10].T, [None]


def fits(cls, parameters):
    """(the fitted estimator, its X) for each target that the first data that fits it is taken with."""
    for data, targets in data_sets():
        found = False
        for target in targets:
            try:
                estimator = cls(**parameters)
                if "random_state" in estimator.get_params(deep=False):
                    estimator.set_params(random_state=0)
                # Encoders of labels take them alone.
                estimator = estimator.fit(data) if target is None else estimator.fit(data, target)
            except Exception:  # the estimator takes other data
                continue
            found = True
            yield estimator, data
        if found:
            return


def fitted():
    fitted.unfitted = []
    done = set()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for label, cls, parameters in makers():
            # Parameters were renamed between releases: the variant of the other name stands under this one.
            name = label.split(" ")[0]
            found = next(fits(cls, parameters), None)
            if found is None:
                if name == label:
                    fitted.unfitted.append(name)
                continue
            if name in fitted.unfitted:
                fitted.unfitted.remove(name)
                label = name
            done.add(label)
            yield (label, *found)


fitted.unfitted = []
