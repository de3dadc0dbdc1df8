"""Trees and what is made of them, for record_predictions.py: a generator a family, each giving (name, fitted, X) of
what the release at hand can fit. X are rows like those it was fitted on."""
import inspect

import numpy as np
from sklearn.base import clone

ROWS = np.random.RandomState(0)
X = np.round(ROWS.randn(90, 5) * np.array([1, 10, 1e-3, 1e5, 1]), 6)
SCORE = X[:, 0] + X[:, 1] / 10 - 300 * X[:, 2] + 0.7 * ROWS.randn(90)
TWO = (SCORE > 0).astype(int)
THREE = np.digitize(SCORE, [-0.8, 0.8])
NAMED = np.array(["ash", "birch", "cedar"])[THREE]
MANY = np.r_[np.arange(12), ROWS.randint(0, 12, 78)]
PAIR = np.c_[THREE * 10, MANY]
TEXTS = np.c_[NAMED, np.array(["no", "yes"])[TWO]]
NUMBERS = np.c_[SCORE, -2 * SCORE + X[:, 4]]
COUNTS = np.abs(np.round(SCORE * 2)) + 1
WEIGHTS = ROWS.rand(90) + 0.1
HOLES = np.where(ROWS.rand(90, 5) < 0.15, np.nan, X)
SQUARED = ("squared_error", "mse", "ls", "least_squares")
ABSOLUTE = ("absolute_error", "mae", "lad", "least_absolute_deviation")
LOG_LOSS = ("log_loss", "deviance")


def fitted(make, x, y, **fit):
    """What the release can fit, or nothing."""
    try:
        return make().fit(x, y, **fit)
    except (ImportError, TypeError, ValueError, AttributeError, KeyError):
        return None


def first_fitted(make, words, x, y, **fit):
    for word in words:
        found = fitted(lambda: make(word), x, y, **fit)
        if found is not None:
            return found
    return None


def around(cls, member, **parameters):
    """The parameter for the member was called base_estimator up to 1.1."""
    name = "estimator" if "estimator" in inspect.signature(cls).parameters else "base_estimator"
    return cls(**{name: member}, **parameters)


def own(init):
    return init if isinstance(init, str) else clone(init)


def trees():
    from sklearn import tree
    for cls in (tree.DecisionTreeClassifier, tree.ExtraTreeClassifier):
        name = cls.__name__
        for label, y in (("two", TWO), ("named", NAMED), ("many", MANY), ("pair", PAIR), ("texts", TEXTS),
                         ("real", THREE * 2.0)):
            yield f"{name} {label}", fitted(lambda: cls(random_state=0), X, y), X
        mixed = dict(random_state=1, max_depth=3)
        yield f"{name} mixed", fitted(lambda: cls(**mixed), X, THREE), X
        yield f"{name} weights", fitted(lambda: cls(**mixed), X, MANY, sample_weight=WEIGHTS), X
        yield f"{name} balanced", fitted(lambda: cls(class_weight="balanced", **mixed), X, THREE), X
        yield f"{name} entropy", fitted(lambda: cls(criterion="entropy", **mixed), X, PAIR, sample_weight=WEIGHTS), X
        yield f"{name} one class", fitted(cls, X, np.full(90, 7)), X
        yield f"{name} holes", fitted(lambda: cls(**mixed), HOLES, THREE), HOLES
        yield f"{name} best", fitted(lambda: cls(splitter="best", **mixed), X, TWO), X
        yield f"{name} random", fitted(lambda: cls(splitter="random", **mixed), X, TWO), X
        yield f"{name} monotonic", fitted(lambda: cls(monotonic_cst=[1, 0, 0, 0, 0], **mixed), X, TWO), X
    for cls in (tree.DecisionTreeRegressor, tree.ExtraTreeRegressor):
        name = cls.__name__
        yield name, fitted(lambda: cls(random_state=0), X, SCORE), X
        yield f"{name} outputs", fitted(lambda: cls(random_state=0, max_depth=4), X, NUMBERS), X
        yield f"{name} column", fitted(lambda: cls(max_depth=4, random_state=0), X, SCORE[:, None]), X
        yield f"{name} weights", fitted(lambda: cls(max_depth=4, random_state=0), X, SCORE, sample_weight=WEIGHTS), X
        for label, words in (("friedman", ("friedman_mse",)), ("absolute", ABSOLUTE), ("poisson", ("poisson",))):
            made = first_fitted(lambda w: cls(criterion=w, max_depth=3, random_state=0), words, X, COUNTS)
            yield f"{name} {label}", made, X
        yield f"{name} holes", fitted(lambda: cls(random_state=0, max_depth=4), HOLES, SCORE), HOLES


def forests():
    from sklearn import ensemble
    small = dict(n_estimators=7, random_state=0, n_jobs=1)
    for cls in (ensemble.RandomForestClassifier, ensemble.ExtraTreesClassifier):
        name = cls.__name__
        for label, y in (("two", TWO), ("named", NAMED), ("many", MANY), ("pair", PAIR), ("texts", TEXTS),
                         ("real", THREE * 2.0)):
            yield f"{name} {label}", fitted(lambda: cls(**small), X, y), X
        mixed = dict(max_depth=4, **small)
        yield f"{name} mixed", fitted(lambda: cls(**mixed), X, THREE), X
        yield f"{name} weights", fitted(lambda: cls(**mixed), X, MANY, sample_weight=WEIGHTS), X
        yield f"{name} subsample", fitted(lambda: cls(class_weight="balanced_subsample", **mixed), X, THREE), X
        yield f"{name} one class", fitted(lambda: cls(**small), X, np.full(90, 7)), X
        yield f"{name} holes", fitted(lambda: cls(**mixed), HOLES, THREE), HOLES
        yield f"{name} objects", fitted(lambda: cls(**mixed), X, NAMED.astype(object)), X
        yield f"{name} log loss", fitted(lambda: cls(criterion="log_loss", **mixed), X, TWO), X
    for cls in (ensemble.RandomForestRegressor, ensemble.ExtraTreesRegressor):
        name = cls.__name__
        yield name, fitted(lambda: cls(**small), X, SCORE), X
        yield f"{name} outputs", fitted(lambda: cls(max_depth=4, **small), X, NUMBERS), X
        made = first_fitted(lambda w: cls(criterion=w, max_depth=3, **small), ABSOLUTE, X, COUNTS)
        yield f"{name} absolute", made, X
        yield f"{name} holes", fitted(lambda: cls(max_depth=4, **small), HOLES, SCORE), HOLES
    for label, more in (("", {}), (" dense", {"sparse_output": False}), (" leaves", {"max_leaf_nodes": 6})):
        made = fitted(lambda: ensemble.RandomTreesEmbedding(n_estimators=4, random_state=0, **more), X, None)
        yield f"RandomTreesEmbedding{label}", made, X


def boosting():
    from sklearn import ensemble
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from sklearn.pipeline import make_pipeline
    small = dict(n_estimators=9, random_state=0)
    cls, name = ensemble.GradientBoostingClassifier, "GradientBoostingClassifier"
    for label, y in (("two", TWO), ("named", NAMED), ("many", MANY)):
        yield f"{name} {label}", fitted(lambda: cls(**small), X, y), X
    yield f"{name} exponential", fitted(lambda: cls(loss="exponential", **small), X, TWO), X
    yield f"{name} weights", fitted(lambda: cls(subsample=0.6, **small), X, THREE, sample_weight=WEIGHTS), X
    yield f"{name} one stage", fitted(lambda: cls(n_estimators=1), X, TWO), X
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    for label, init in (("zero", "zero"), ("most frequent", DummyClassifier(strategy="most_frequent")),
                        ("uniform", DummyClassifier(strategy="uniform")), ("logistic", logistic)):
        for of, y in (("two", TWO), ("three", THREE)):
            yield f"{name} {of} init {label}", fitted(lambda: cls(init=own(init), **small), X, y), X
        exponential = fitted(lambda: cls(init=own(init), loss="exponential", **small), X, TWO)
        yield f"{name} exponential init {label}", exponential, X
    cls, name = ensemble.GradientBoostingRegressor, "GradientBoostingRegressor"
    for label, words in (("squared", SQUARED), ("absolute", ABSOLUTE), ("huber", ("huber",)),
                         ("quantile", ("quantile",))):
        yield f"{name} {label}", first_fitted(lambda w: cls(loss=w, **small), words, X, SCORE), X
    yield f"{name} deep", fitted(lambda: cls(max_depth=7, learning_rate=0.3, **small), X, SCORE), X
    yield f"{name} 40 stages", fitted(lambda: cls(n_estimators=40, learning_rate=0.07), X, SCORE), X
    for label, init in (("zero", "zero"), ("median", DummyRegressor(strategy="median")),
                        ("constant", DummyRegressor(strategy="constant", constant=2.5)),
                        ("linear", make_pipeline(StandardScaler(), LinearRegression()))):
        yield f"{name} init {label}", fitted(lambda: cls(init=init, **small), X, SCORE), X


def histogram_boosting():
    try:
        import sklearn.experimental.enable_hist_gradient_boosting  # noqa: F401
    except ImportError:
        pass
    from sklearn import ensemble
    small = dict(max_iter=9, min_samples_leaf=4, random_state=0)
    kinds = np.c_[X[:, :2], ROWS.randint(0, 7, 90), ROWS.randint(0, 40, 90), X[:, 4]]
    kinds_holes = np.where(ROWS.rand(90, 5) < 0.1, np.nan, kinds)
    target = SCORE + np.cos(kinds[:, 2]) * 3 + np.sin(kinds[:, 3]) * 2
    cls, name = ensemble.HistGradientBoostingClassifier, "HistGradientBoostingClassifier"
    for label, y in (("two", TWO), ("named", NAMED), ("many", MANY)):
        yield f"{name} {label}", fitted(lambda: cls(**small), X, y), X
    yield f"{name} holes", fitted(lambda: cls(**small), HOLES, THREE), HOLES
    kind = dict(categorical_features=[2, 3], **small)
    yield f"{name} categories", fitted(lambda: cls(**kind), kinds, np.digitize(target, [-1, 1])), kinds
    yield f"{name} one class", fitted(lambda: cls(**small), X, np.full(90, 7)), X
    cls, name = ensemble.HistGradientBoostingRegressor, "HistGradientBoostingRegressor"
    for label, words, y in (("squared", SQUARED, SCORE), ("absolute", ABSOLUTE, SCORE),
                            ("poisson", ("poisson",), COUNTS), ("gamma", ("gamma",), COUNTS)):
        yield f"{name} {label}", first_fitted(lambda w: cls(loss=w, **small), words, X, y), X
    yield f"{name} quantile", fitted(lambda: cls(loss="quantile", quantile=0.3, **small), X, SCORE), X
    yield f"{name} holes", fitted(lambda: cls(**small), HOLES, SCORE), HOLES
    yield f"{name} categories", fitted(lambda: cls(**kind), kinds, target), kinds
    yield f"{name} categories holes", fitted(lambda: cls(**kind), kinds_holes, target), kinds_holes
    mask = [False, False, True, False, True]
    codes = kinds.copy()
    codes[:, 4] = ROWS.randint(0, 3, 90) * 20
    yield f"{name} mask", fitted(lambda: cls(categorical_features=mask, **small), codes, target), codes
    yield f"{name} monotonic", fitted(lambda: cls(monotonic_cst=[1, 0, 0, -1, 0], **small), X, SCORE), X


def isolation():
    from sklearn.ensemble import IsolationForest
    name = "IsolationForest"
    small = dict(n_estimators=11, random_state=0)
    yield name, fitted(lambda: IsolationForest(**small), X, None), X
    yield f"{name} contamination", fitted(lambda: IsolationForest(contamination=0.11, **small), X, None), X
    yield f"{name} features", fitted(lambda: IsolationForest(max_features=3, **small), X, None), X
    yield f"{name} samples", fitted(lambda: IsolationForest(max_samples=16, **small), X, None), X
    yield f"{name} one sample", fitted(lambda: IsolationForest(max_samples=1, **small), X, None), X
    yield f"{name} bootstrap", fitted(lambda: IsolationForest(bootstrap=True, max_features=0.5, **small), X, None), X
    yield f"{name} holes", fitted(lambda: IsolationForest(**small), HOLES, None), HOLES


def adaboost():
    from sklearn import ensemble, tree
    from sklearn.linear_model import LinearRegression, LogisticRegression
    small = dict(n_estimators=6, random_state=0)
    cls, name = ensemble.AdaBoostClassifier, "AdaBoostClassifier"
    for label, y in (("two", TWO), ("named", NAMED), ("many", MANY)):
        for algorithm in ("SAMME", "SAMME.R"):
            made = fitted(lambda: cls(algorithm=algorithm, **small), X, y)
            yield f"{name} {algorithm} {label}", made, X
        yield f"{name} {label}", fitted(lambda: cls(**small), X, y), X
        deep = fitted(lambda: around(cls, tree.DecisionTreeClassifier(max_depth=3), **small), X, y)
        yield f"{name} deep {label}", deep, X
        for algorithm in ("SAMME", "SAMME.R"):
            made = fitted(lambda: around(cls, LogisticRegression(), algorithm=algorithm, **small), X, y)
            yield f"{name} {algorithm} logistic {label}", made, X
        forest = ensemble.RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0)
        yield f"{name} forest {label}", fitted(lambda: around(cls, forest, **small), X, y), X
    yield f"{name} one class", fitted(lambda: cls(**small), X, np.full(90, 7)), X
    cls, name = ensemble.AdaBoostRegressor, "AdaBoostRegressor"
    for loss in ("linear", "square", "exponential"):
        yield f"{name} {loss}", fitted(lambda: cls(loss=loss, **small), X, SCORE), X
    deep = fitted(lambda: around(cls, tree.DecisionTreeRegressor(max_depth=6), n_estimators=25, random_state=0), X, SCORE)
    yield f"{name} deep", deep, X
    yield f"{name} linear members", fitted(lambda: around(cls, LinearRegression(), **small), X, SCORE), X


def bagging():
    from sklearn import ensemble, tree
    from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
    small = dict(n_estimators=5, random_state=0)
    cls, name = ensemble.BaggingClassifier, "BaggingClassifier"
    rare = TWO.copy()
    rare[:2] = 2
    for label, y in (("two", TWO), ("named", NAMED), ("rare", rare)):
        yield f"{name} {label}", fitted(lambda: cls(**small), X, y), X
        parts = dict(max_features=0.6, max_samples=0.5, **small)
        yield f"{name} features {label}", fitted(lambda: cls(**parts), X, y), X
        logistic = fitted(lambda: around(cls, LogisticRegression(), **parts), X, y)
        yield f"{name} logistic {label}", logistic, X
        yield f"{name} ridge {label}", fitted(lambda: around(cls, RidgeClassifier(), **small), X, y), X
    drawn = dict(bootstrap_features=True, **small)
    yield f"{name} drawn features", fitted(lambda: cls(**drawn), X, THREE), X
    forest = ensemble.RandomForestClassifier(n_estimators=3, random_state=0)
    yield f"{name} forest", fitted(lambda: around(cls, forest, max_features=0.6, **small), X, NAMED), X
    yield f"{name} holes", fitted(lambda: cls(**small), HOLES, THREE), HOLES
    cls, name = ensemble.BaggingRegressor, "BaggingRegressor"
    yield name, fitted(lambda: cls(**small), X, SCORE), X
    yield f"{name} features", fitted(lambda: cls(max_features=0.6, **small), X, SCORE), X
    yield f"{name} outputs", fitted(lambda: cls(**small), X, NUMBERS), X
    yield f"{name} linear", fitted(lambda: around(cls, LinearRegression(), **small), X, SCORE), X
    boosted = ensemble.GradientBoostingRegressor(n_estimators=3, random_state=0)
    yield f"{name} boosted", fitted(lambda: around(cls, boosted, max_features=0.8, **small), X, SCORE), X


def voting_and_stacking():
    from sklearn import ensemble, tree
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
    def classifiers():
        return [("a", tree.DecisionTreeClassifier(max_depth=3, random_state=0)),
                ("b", ensemble.RandomForestClassifier(n_estimators=3, random_state=0)),
                ("c", LogisticRegression()),
                ("d", ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0))]
    def regressors():
        return [("a", tree.DecisionTreeRegressor(max_depth=3, random_state=0)),
                ("b", ensemble.RandomForestRegressor(n_estimators=3, random_state=0)), ("c", Ridge())]
    cls, name = ensemble.VotingClassifier, "VotingClassifier"
    for label, y in (("two", TWO), ("named", NAMED)):
        for how in ("hard", "soft"):
            yield f"{name} {how} {label}", fitted(lambda: cls(classifiers(), voting=how), X, y), X
            weights = [1, 2.5, 1, 0.5]
            made = fitted(lambda: cls(classifiers(), voting=how, weights=weights), X, y)
            yield f"{name} {how} weights {label}", made, X
            dropped = [("x", "drop")] + classifiers()
            made = fitted(lambda: cls(dropped, voting=how, weights=[9] + weights), X, y)
            yield f"{name} {how} dropped {label}", made, X
    yield f"{name} deep", fitted(lambda: cls(classifiers(), voting="soft", flatten_transform=False), X, TWO), X
    cls, name = ensemble.VotingRegressor, "VotingRegressor"
    yield name, fitted(lambda: cls(regressors()), X, SCORE), X
    yield f"{name} weights", fitted(lambda: cls(regressors(), weights=[1, 2, 3.5]), X, SCORE), X
    cls, name = ensemble.StackingClassifier, "StackingClassifier"
    for label, y in (("two", TWO), ("named", NAMED)):
        for method in ("auto", "predict", "decision_function"):
            members = classifiers() if method != "decision_function" else classifiers()[2:] + [("r", RidgeClassifier())]
            for passthrough in (False, True):
                made = fitted(lambda: cls(members, stack_method=method, passthrough=passthrough, cv=2), X, y)
                yield f"{name} {method} {'through ' * passthrough}{label}", made, X
        final = ensemble.RandomForestClassifier(n_estimators=3, random_state=0)
        yield f"{name} forest {label}", fitted(lambda: cls(classifiers(), final_estimator=final, cv=2), X, y), X
    cls, name = ensemble.StackingRegressor, "StackingRegressor"
    for passthrough in (False, True):
        made = fitted(lambda: cls(regressors(), passthrough=passthrough, cv=2), X, SCORE)
        yield f"{name}{' through' * passthrough}", made, X
    final = tree.DecisionTreeRegressor(max_depth=3, random_state=0)
    yield f"{name} tree", fitted(lambda: cls(regressors(), final_estimator=final, cv=2), X, SCORE), X


FAMILIES = [trees, forests, boosting, histogram_boosting, isolation, adaboost, bagging, voting_and_stacking]
