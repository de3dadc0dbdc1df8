"""The estimators whose answers are recorded, a function a family; a class or parameter that a release lacks is skipped."""
import numpy as np

cases = []


class Case:
    def __init__(self, name, fit, tolerance, single, skipped, refused):
        self.name, self.fit, self.tolerance = name, fit, tolerance
        self.single, self.skipped, self.refused = single, skipped, refused


def add(name, make, x, y=None, asked=None, tolerance=1e-12, single=False, skipped=(), refused=False):
    """`make` imports and makes the estimator, so that what a release lacks fails there."""
    def fit():
        estimator = make()
        estimator.fit(x) if y is None else estimator.fit(x, y)
        return estimator, x[:7] if asked is None else asked
    cases.append(Case(name, fit, tolerance, single, skipped, refused))


rng = np.random.RandomState(0)
X = rng.randn(40, 5)
POSITIVE = np.abs(rng.randn(40, 5)) + 0.1
WORDS = rng.randint(0, 4, (40, 5)).astype(float)
TWO = (X[:, 0] + 0.5 * rng.randn(40) > 0).astype(int)
THREE = np.digitize(X[:, 0] + 0.5 * rng.randn(40), [-0.5, 0.5])
NAMED = np.array(["ash", "birch", "cedar"])[THREE]
NUMBER = X @ [1.0, -2.0, 0.5, 0, 0] + 0.1 * rng.randn(40)
COUNT = rng.poisson(3, 40) + 1.0
NUMBERS = np.c_[NUMBER, X[:, 1] + 0.1 * rng.randn(40)]
HOLES = np.where(rng.rand(40, 5) < 0.2, np.nan, X)
EDGES = np.r_[X[:5], -X[:2] * 1e3, np.zeros((1, 5)), -np.zeros((1, 5)), np.full((1, 5), 1e-300)]


def linear():
    import sklearn.linear_model as lm
    plain = ("LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV Lars LarsCV LassoLars LassoLarsCV "
             "LassoLarsIC OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV BayesianRidge ARDRegression "
             "HuberRegressor TheilSenRegressor RANSACRegressor QuantileRegressor SGDRegressor "
             "PassiveAggressiveRegressor").split()
    for name in plain:
        add(name, lambda name=name: getattr(lm, name)(), X, NUMBER, EDGES)
    add("LinearRegression single", lm.LinearRegression, X.astype(np.float32), NUMBER.astype(np.float32), single=True,
        tolerance=1e-6)
    add("LinearRegression single rows", lm.LinearRegression, X, NUMBER, single=True)
    add("LinearRegression no intercept", lambda: lm.LinearRegression(fit_intercept=False), X, NUMBER)
    add("Ridge no intercept", lambda: lm.Ridge(fit_intercept=False), X, NUMBER)
    for name in ("LinearRegression Ridge RidgeCV MultiTaskLasso MultiTaskLassoCV MultiTaskElasticNet "
                 "MultiTaskElasticNetCV Lasso Lars LassoLars OrthogonalMatchingPursuit RANSACRegressor").split():
        add(name + " outputs", lambda name=name: getattr(lm, name)(), X, NUMBERS)
    add("LinearRegression one column", lm.LinearRegression, X, NUMBER[:, None])
    for name in "PoissonRegressor GammaRegressor".split():
        add(name, lambda name=name: getattr(lm, name)(), X, COUNT)
    for power in (0, 1, 1.5, 2):
        add(f"TweedieRegressor {power}", lambda power=power: lm.TweedieRegressor(power=power), X, COUNT)
    add("TweedieRegressor log", lambda: lm.TweedieRegressor(power=0, link="log"), X, COUNT)
    for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
        for name in "SGDClassifier Perceptron PassiveAggressiveClassifier RidgeClassifier RidgeClassifierCV".split():
            add(f"{name} {labels}", lambda name=name: getattr(lm, name)(), X, y)
        for loss in ("log", "log_loss", "modified_huber", "huber"):
            add(f"SGDClassifier {loss} {labels}", lambda loss=loss: lm.SGDClassifier(loss=loss), X, y)
        add(f"LogisticRegression {labels}", lm.LogisticRegression, X, y)
        add(f"LogisticRegressionCV {labels}", lambda: lm.LogisticRegressionCV(cv=2, Cs=2), X, y)
        for solver in ("lbfgs", "liblinear", "saga"):
            for how in ("ovr", "multinomial", "auto"):
                add(f"LogisticRegression {solver} {how} {labels}",
                    lambda s=solver, h=how: lm.LogisticRegression(solver=s, multi_class=h), X, y)
        add(f"LogisticRegression liblinear {labels}", lambda: lm.LogisticRegression(solver="liblinear"), X, y)
    add("SGDClassifier modified_huber far", lambda: lm.SGDClassifier(loss="modified_huber"), X, THREE, EDGES)
    add("LogisticRegression far", lm.LogisticRegression, X, THREE, EDGES)
    add("RidgeClassifier labels", lm.RidgeClassifier, X, np.c_[TWO, 1 - TWO])
    add("SGDOneClassSVM", lambda: lm.SGDOneClassSVM(), X)
    import sklearn.svm as svm
    for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
        add(f"LinearSVC {labels}", lambda: svm.LinearSVC(), X, y)
        add(f"LinearSVC crammer {labels}", lambda: svm.LinearSVC(multi_class="crammer_singer"), X, y)
    add("LinearSVR", lambda: svm.LinearSVR(), X, NUMBER)


def discriminants():
    import sklearn.discriminant_analysis as da
    for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
        for solver in ("svd", "lsqr", "eigen"):
            add(f"LinearDiscriminantAnalysis {solver} {labels}",
                lambda s=solver: da.LinearDiscriminantAnalysis(solver=s), X, y)
        add(f"QuadraticDiscriminantAnalysis {labels}", lambda: da.QuadraticDiscriminantAnalysis(), X, y,
            tolerance=1e-11)
    add("LinearDiscriminantAnalysis one component", lambda: da.LinearDiscriminantAnalysis(n_components=1), X, THREE)
    import sklearn.dummy as dummy
    for strategy in ("prior", "most_frequent", "stratified", "uniform", "constant"):
        constant = {"constant": 1} if strategy == "constant" else {}
        skipped = {"stratified": ("predict", "predict_proba", "predict_log_proba"),
                   "uniform": ("predict",)}.get(strategy, ())
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        add(f"DummyClassifier {strategy}",
            lambda s=strategy, c=constant: make_pipeline(StandardScaler(), dummy.DummyClassifier(strategy=s, **c)),
            X, THREE, skipped=skipped, refused=strategy == "stratified")
    for strategy in ("mean", "median", "quantile", "constant"):
        more = {"quantile": {"quantile": 0.3}, "constant": {"constant": 2.5}}.get(strategy, {})
        add(f"DummyRegressor {strategy}",
            lambda s=strategy, m=more: make_pipeline(StandardScaler(), dummy.DummyRegressor(strategy=s, **m)), X, NUMBER)
    from sklearn.isotonic import IsotonicRegression
    inside = np.sort(X[:, 0])[3:20]
    for outside in ("nan", "clip"):
        add(f"IsotonicRegression {outside}", lambda o=outside: IsotonicRegression(out_of_bounds=o), X[:, 0], NUMBER,
            np.r_[inside, -9, 9, X[0, 0]][:, None], skipped=() )
    add("IsotonicRegression falling", lambda: IsotonicRegression(increasing=False), X[:, 0], -X[:, 0] + NUMBER,
        inside[:, None])


FAMILIES = [linear, discriminants]


def all_cases(wide):
    for family in FAMILIES:
        try:
            family()
        except ImportError as error:
            print(error)
    return cases
