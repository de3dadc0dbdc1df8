"""The estimators whose answers are recorded, a function a family; what a release lacks is skipped."""
import numpy as np

cases = []


class Case:
    def __init__(self, name, fit, tolerance, single, skipped, refused, broken=False):
        self.name, self.fit, self.tolerance = name, fit, tolerance
        self.single, self.skipped, self.refused, self.broken = single, skipped, refused, broken


def add(name, make, x, y=None, asked=None, tolerance=1e-12, single=False, skipped=(), refused=False):
    """`make` imports and makes the estimator, so that what a release lacks fails there."""
    def fit():
        estimator = make()
        estimator.fit(x) if y is None else estimator.fit(x, y)
        return estimator, x[:7] if asked is None else asked
    cases.append(Case(name, fit, tolerance, single, skipped, refused))


def add_broken(name, make, x, y, **changed):
    """An estimator whose attributes contradict each other: attribute -> what it becomes of what it was."""
    def fit():
        estimator = make()
        estimator.fit(x) if y is None else estimator.fit(x, y)
        for attribute, change in changed.items():
            estimator.__dict__[attribute] = change(estimator.__dict__[attribute])
        return estimator, x[:1]
    cases.append(Case("broken " + name, fit, 0, False, (), False, True))


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
    for name in "LogisticRegression RidgeClassifier SGDClassifier Perceptron".split():
        for labels, y in (("two", TWO), ("three", THREE)):
            add(f"{name} no intercept {labels}", lambda name=name: getattr(lm, name)(fit_intercept=False), X, y)
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
    for labels, y, constant in (("named", NAMED, "birch"), ("texts", NAMED.astype(object), "birch"),
                                ("real", THREE * 2.0, 2), ("numbers", np.c_[THREE, TWO + 4], [1, 5]),
                                ("words", np.c_[NAMED, NAMED[::-1]], ["cedar", "ash"])):
        add(f"DummyClassifier constant {labels}",
            lambda c=constant: make_pipeline(StandardScaler(), dummy.DummyClassifier(strategy="constant", constant=c)),
            X, y)
    for strategy in ("mean", "median", "quantile", "constant"):
        more = {"quantile": {"quantile": 0.3}, "constant": {"constant": 2.5}}.get(strategy, {})
        add(f"DummyRegressor {strategy}",
            lambda s=strategy, m=more: make_pipeline(StandardScaler(), dummy.DummyRegressor(strategy=s, **m)), X,
            NUMBER)
    from sklearn.isotonic import IsotonicRegression
    inside = np.sort(X[:, 0])[3:20]
    for outside in ("nan", "clip"):
        add(f"IsotonicRegression {outside}", lambda o=outside: IsotonicRegression(out_of_bounds=o), X[:, 0], NUMBER,
            np.r_[inside, -9, 9, X[0, 0]][:, None], skipped=() )
    add("IsotonicRegression falling", lambda: IsotonicRegression(increasing=False), X[:, 0], -X[:, 0] + NUMBER,
        inside[:, None])


def preprocessing():
    import sklearn.preprocessing as pp
    for name in "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler".split():
        add(name, lambda name=name: getattr(pp, name)(), X, asked=EDGES, tolerance=0)
        add(name + " single", lambda name=name: getattr(pp, name)(), X.astype(np.float32), asked=EDGES, single=True,
            tolerance=0)
        add(name + " holes", lambda name=name: getattr(pp, name)(), HOLES, tolerance=0)
    add("StandardScaler plain", lambda: pp.StandardScaler(with_mean=False), X, tolerance=0)
    add("MinMaxScaler clip", lambda: pp.MinMaxScaler((-1, 2), clip=True), X, asked=EDGES, tolerance=0)
    for norm in ("l1", "l2", "max"):
        add("Normalizer " + norm, lambda n=norm: pp.Normalizer(norm=n), X, asked=EDGES)
    add("Binarizer", lambda: pp.Binarizer(threshold=0.2), X, asked=EDGES, tolerance=0)
    for distribution in ("uniform", "normal"):
        for points in (7, 40):
            add(f"QuantileTransformer {distribution} {points}",
                lambda d=distribution, n=points: pp.QuantileTransformer(n_quantiles=n, output_distribution=d), X,
                asked=np.r_[EDGES, X[:20]])
    add("QuantileTransformer repeated", lambda: pp.QuantileTransformer(n_quantiles=10), WORDS, tolerance=0)
    add("PowerTransformer", lambda: pp.PowerTransformer(), X, asked=np.r_[X[:9], -X[:2] * 5], tolerance=1e-11)
    add("PowerTransformer plain", lambda: pp.PowerTransformer(standardize=False), HOLES, tolerance=1e-11)
    add("PowerTransformer box-cox", lambda: pp.PowerTransformer("box-cox"), POSITIVE, tolerance=1e-11)
    for outside in ("constant", "linear", "continue", "periodic"):
        for degree in (1, 2, 3):
            add(f"SplineTransformer {outside} {degree}",
                lambda o=outside, d=degree: pp.SplineTransformer(n_knots=5, degree=d, extrapolation=o), X[:30],
                asked=X * 1.2, refused=degree == 1 and outside == "linear")
    add("SplineTransformer quantile", lambda: pp.SplineTransformer(knots="quantile", include_bias=False), X)
    for degree in (1, 2, 3, (2, 3)):
        for only in (False, True):
            for bias in (False, True):
                add(f"PolynomialFeatures {degree} {only} {bias}",
                    lambda d=degree, o=only, b=bias: pp.PolynomialFeatures(d, interaction_only=o, include_bias=b),
                    X[:, :4], tolerance=0)
    for encode in ("onehot", "onehot-dense", "ordinal"):
        for strategy in ("uniform", "quantile", "kmeans"):
            add(f"KBinsDiscretizer {encode} {strategy}",
                lambda e=encode, s=strategy: pp.KBinsDiscretizer(n_bins=4, encode=e, strategy=s), X,
                asked=np.r_[EDGES, X], tolerance=0)
    for name in "log1p sqrt abs exp log2 log10 square sin cos tan cbrt expm1 negative sign floor ceil rint".split():
        add("FunctionTransformer " + name, lambda name=name: pp.FunctionTransformer(getattr(np, name), validate=True),
            POSITIVE)
    add("FunctionTransformer none", lambda: pp.FunctionTransformer(validate=True), X, tolerance=0)
    add("FunctionTransformer python", lambda: pp.FunctionTransformer(np.cumsum, validate=True), X, refused=True)


def encoders():
    import sklearn.preprocessing as pp
    add("OneHotEncoder", lambda: pp.OneHotEncoder(), WORDS, tolerance=0)
    add("OneHotEncoder integers", lambda: pp.OneHotEncoder(), WORDS.astype(int), asked=WORDS[:5], tolerance=0)
    add("OneHotEncoder ignore", lambda: pp.OneHotEncoder(handle_unknown="ignore"), WORDS,
        asked=WORDS[:9] + [0, 1, 0, 0, 9], tolerance=0)
    for drop in ("first", "if_binary"):
        add("OneHotEncoder " + drop, lambda d=drop: pp.OneHotEncoder(drop=d), np.c_[WORDS, TWO], tolerance=0)
    for unknown in ("error", "ignore", "infrequent_if_exist"):
        add("OneHotEncoder rare " + unknown, lambda u=unknown: pp.OneHotEncoder(min_frequency=10, handle_unknown=u),
            WORDS, asked=WORDS if unknown == "error" else WORDS + [0, 1, 0, 0, 9], tolerance=0)
    add("OneHotEncoder rare first", lambda: pp.OneHotEncoder(max_categories=3, drop="first"), WORDS, tolerance=0)
    add("OneHotEncoder nan", lambda: pp.OneHotEncoder(handle_unknown="ignore"), np.where(WORDS == 2, np.nan, WORDS),
        tolerance=0)
    add("OrdinalEncoder", lambda: pp.OrdinalEncoder(), WORDS, tolerance=0)
    add("OrdinalEncoder nan", lambda: pp.OrdinalEncoder(), np.where(WORDS == 2, np.nan, WORDS), tolerance=0)
    add("OrdinalEncoder missing", lambda: pp.OrdinalEncoder(encoded_missing_value=-5),
        np.where(WORDS == 2, np.nan, WORDS), tolerance=0)
    add("OrdinalEncoder unknown", lambda: pp.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2),
        WORDS, asked=WORDS[:9] + [0, 1, 0, 0, 9], tolerance=0)
    add("OrdinalEncoder rare", lambda: pp.OrdinalEncoder(min_frequency=10, handle_unknown="use_encoded_value",
                                                        unknown_value=np.nan), WORDS,
        asked=WORDS[:9] + [0, 1, 0, 0, 9], tolerance=0)
    for name, y in (("two", TWO), ("three", THREE), ("number", NUMBER), ("named", NAMED)):
        add("TargetEncoder " + name, lambda: pp.TargetEncoder(), WORDS, y, WORDS[:9] + [0, 1, 0, 0, 9], tolerance=0)


def imputers():
    import sklearn.impute as im
    for strategy in ("mean", "median", "most_frequent", "constant"):
        for indicator in (False, True):
            add(f"SimpleImputer {strategy} {indicator}",
                lambda s=strategy, i=indicator: im.SimpleImputer(strategy=s, add_indicator=i), HOLES, tolerance=0)
    empty = np.c_[HOLES, np.full(40, np.nan)]
    add("SimpleImputer empty", lambda: im.SimpleImputer(), empty, tolerance=0)
    add("SimpleImputer empty kept", lambda: im.SimpleImputer(keep_empty_features=True), empty, tolerance=0)
    add("SimpleImputer zero", lambda: im.SimpleImputer(missing_values=0), WORDS, tolerance=0)
    for weights in ("uniform", "distance"):
        add("KNNImputer " + weights, lambda w=weights: im.KNNImputer(n_neighbors=3, weights=w), HOLES[:30], asked=HOLES)
    add("KNNImputer empty", lambda: im.KNNImputer(add_indicator=True), empty, asked=empty)
    for features in ("missing-only", "all"):
        add("MissingIndicator " + features, lambda f=features: im.MissingIndicator(features=f),
            np.c_[HOLES[:, :3], X[:, 3:]], tolerance=0)


def selectors():
    import sklearn.feature_selection as fs
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    add("VarianceThreshold", lambda: fs.VarianceThreshold(0.9), X, tolerance=0)
    for k in (1, 3, "all"):
        add(f"SelectKBest {k}", lambda k=k: fs.SelectKBest(k=k), X, THREE, tolerance=0)
    for p in (30, 50, 100):
        add(f"SelectPercentile {p}", lambda p=p: fs.SelectPercentile(percentile=p), X, THREE, tolerance=0)
    add("SelectFpr", lambda: fs.SelectFpr(alpha=0.5), X, THREE, tolerance=0)
    add("SelectFdr", lambda: fs.SelectFdr(alpha=0.5), X, THREE, tolerance=0)
    add("SelectFwe", lambda: fs.SelectFwe(alpha=0.5), X, THREE, tolerance=0)
    add("GenericUnivariateSelect", lambda: fs.GenericUnivariateSelect(mode="k_best", param=2), X, THREE, tolerance=0)
    add("RFE", lambda: fs.RFE(LogisticRegression(), n_features_to_select=2), X, THREE)
    add("RFECV", lambda: fs.RFECV(LinearRegression(), cv=3), X, NUMBER)
    add("SequentialFeatureSelector", lambda: fs.SequentialFeatureSelector(LogisticRegression(), n_features_to_select=2),
        X, THREE, tolerance=0)
    for threshold in (None, "mean", "median", "1.25*mean", 0.1):
        add(f"SelectFromModel {threshold}", lambda t=threshold: fs.SelectFromModel(LogisticRegression(), threshold=t),
            X, THREE, tolerance=0)
    add("SelectFromModel lasso", lambda: fs.SelectFromModel(Lasso(alpha=0.1)), X, NUMBER, tolerance=0)
    add("SelectFromModel most", lambda: fs.SelectFromModel(LogisticRegression(), max_features=2), X, THREE, tolerance=0)
    mask = [False, True, False, True, False]
    for label, columns in (("list", [3, 0]), ("negative", [-1, 0]), ("slice", slice(1, 4)), ("mask", mask),
                           ("mask array", np.array(mask)), ("array", np.array([2, 1]))):
        for rest in ("drop", "passthrough", StandardScaler()):
            add(f"ColumnTransformer {label} {str(rest)[:8]}",
                lambda c=columns, r=rest: ColumnTransformer([("a", MinMaxScaler(), c), ("b", "passthrough", [2])],
                                                            remainder=r, transformer_weights={"a": 2.0}), X,
                tolerance=0)
    add("ColumnTransformer nothing", lambda: ColumnTransformer([("a", MinMaxScaler(), []), ("b", "drop", [1]),
                                                               ("c", StandardScaler(), [0])]), X, tolerance=0)
    add("Pipeline", lambda: make_pipeline(StandardScaler(), fs.SelectKBest(k=3), LogisticRegression()), X, NAMED)
    add("FeatureUnion", lambda: FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())],
                                             transformer_weights={"b": 0.5}), X, tolerance=0)


def probabilistic():
    import sklearn.naive_bayes as nb
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
        add("GaussianNB " + labels, nb.GaussianNB, X, y, EDGES[:5], tolerance=1e-11)
        for name in "MultinomialNB ComplementNB BernoulliNB CategoricalNB".split():
            add(f"{name} {labels}", lambda name=name: getattr(nb, name)(), WORDS, y)
        add("BernoulliNB numbers " + labels, lambda: nb.BernoulliNB(binarize=0.3), X, y)
        add("ComplementNB norm " + labels, lambda: nb.ComplementNB(norm=True), WORDS, y)
        for activation in ("identity", "logistic", "tanh", "relu"):
            add(f"MLPClassifier {activation} {labels}",
                lambda a=activation: MLPClassifier((6, 4), activation=a, max_iter=20, random_state=0), X, y, EDGES[:5])
    add("GaussianNB far", nb.GaussianNB, X, THREE, EDGES)
    add("MLPClassifier far", lambda: MLPClassifier((6,), max_iter=20, random_state=0), X, THREE, EDGES)
    add("MLPClassifier labels", lambda: MLPClassifier((6,), max_iter=20, random_state=0), X, np.c_[TWO, 1 - TWO])
    add("MLPRegressor", lambda: MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0), X, NUMBER)
    add("MLPRegressor outputs", lambda: MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0), X, NUMBERS)


def support_vectors():
    import sklearn.svm as svm
    from sklearn.metrics.pairwise import linear_kernel
    for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
        for kernel in ("rbf", "linear", "poly", "sigmoid"):
            for shape in ("ovr", "ovo"):
                add(f"SVC {kernel} {shape} {labels}",
                    lambda k=kernel, s=shape: svm.SVC(kernel=k, decision_function_shape=s, coef0=0.5), X, y, X,
                    tolerance=1e-11)
        add("SVC ties " + labels, lambda: svm.SVC(break_ties=True), X, y, X, tolerance=1e-11)
        add("NuSVC " + labels, lambda: svm.NuSVC(nu=0.2), X, y, X, tolerance=1e-11)
        add("SVC proba " + labels, lambda: svm.SVC(probability=True, random_state=0), X, y, X, tolerance=1e-6)
        add("NuSVC proba " + labels, lambda: svm.NuSVC(nu=0.2, probability=True, random_state=0), X, y, X,
            tolerance=1e-6)
    five = np.arange(40) % 5
    add("SVC five", lambda: svm.SVC(), X, five, X, tolerance=1e-11)
    add("SVC function", lambda: svm.SVC(kernel=linear_kernel), X, TWO, refused=True)
    for name in ("SVR", "NuSVR"):
        for kernel in ("rbf", "linear", "poly"):
            add(f"{name} {kernel}", lambda n=name, k=kernel: getattr(svm, n)(kernel=k), X, NUMBER, EDGES[:5],
                tolerance=1e-11)
    add("OneClassSVM", lambda: svm.OneClassSVM(nu=0.3), X, asked=X, tolerance=1e-11)
    add("OneClassSVM far", lambda: svm.OneClassSVM(nu=0.3), X, asked=EDGES, tolerance=1e-11)


def projections():
    import sklearn.cross_decomposition as cd
    import sklearn.decomposition as de
    import sklearn.kernel_approximation as ka
    import sklearn.random_projection as rp
    from sklearn.preprocessing import KernelCenterer
    add("KernelCenterer", KernelCenterer, X @ X.T, asked=(X[:9] * 1.3) @ X.T)
    for count in (2, None):
        for whiten in (False, True):
            add(f"PCA {count} {whiten}", lambda c=count, w=whiten: de.PCA(c, whiten=w), X, tolerance=1e-11)
            add(f"IncrementalPCA {count} {whiten}", lambda c=count, w=whiten: de.IncrementalPCA(c, whiten=w), X,
                tolerance=1e-11)
    add("TruncatedSVD", lambda: de.TruncatedSVD(2, random_state=0), X)
    add("GaussianRandomProjection", lambda: rp.GaussianRandomProjection(3, random_state=0), X)
    add("SparseRandomProjection", lambda: rp.SparseRandomProjection(3, random_state=0), X)
    for whiten in (True, False, "unit-variance", "arbitrary-variance"):
        add(f"FastICA {whiten}", lambda w=whiten: de.FastICA(whiten=w, random_state=0), X)
    add("FactorAnalysis", lambda: de.FactorAnalysis(2), X, tolerance=1e-9)
    add("FactorAnalysis varimax", lambda: de.FactorAnalysis(2, rotation="varimax"), X, tolerance=1e-9)
    for kernel in ("linear", "rbf", "poly", "sigmoid", "cosine"):
        add("KernelPCA " + kernel, lambda k=kernel: de.KernelPCA(2, kernel=k), X, asked=EDGES[:5], tolerance=1e-9)
        add("Nystroem " + kernel, lambda k=kernel: ka.Nystroem(kernel=k, n_components=5, random_state=0), X,
            tolerance=1e-9)
    for kernel in ("laplacian", "chi2", "additive_chi2"):
        add("Nystroem " + kernel, lambda k=kernel: ka.Nystroem(kernel=k, n_components=5, random_state=0), POSITIVE,
            tolerance=1e-9)
    add("RBFSampler", lambda: ka.RBFSampler(gamma=0.3, n_components=12, random_state=0), X)
    add("SkewedChi2Sampler", lambda: ka.SkewedChi2Sampler(n_components=12, random_state=0), POSITIVE)
    for name in ("PLSRegression", "PLSCanonical", "CCA", "PLSSVD"):
        for scale in (True, False):
            add(f"{name} {scale}", lambda n=name, s=scale: getattr(cd, n)(scale=s), X, NUMBERS, tolerance=1e-10)
    add("PLSRegression one", lambda: cd.PLSRegression(), X, NUMBER, tolerance=1e-10)


def clusters():
    import sklearn.cluster as cl
    import sklearn.mixture as mi
    for name in ("KMeans", "MiniBatchKMeans", "BisectingKMeans"):
        add(name, lambda n=name: getattr(cl, n)(4, random_state=0), X, asked=np.r_[EDGES[:5], X], tolerance=1e-8)
    for name in ("GaussianMixture", "BayesianGaussianMixture"):
        for kind in ("full", "tied", "diag", "spherical"):
            add(f"{name} {kind}",
                lambda n=name, k=kind: getattr(mi, n)(n_components=3, covariance_type=k, random_state=0), X,
                asked=np.r_[EDGES[:5], X], tolerance=1e-10)
    add("BayesianGaussianMixture dirichlet", lambda: mi.BayesianGaussianMixture(
        n_components=3, weight_concentration_prior_type="dirichlet_distribution", random_state=0), X, tolerance=1e-10)


def gaussian_processes():
    import sklearn.gaussian_process as gp
    from sklearn.gaussian_process import kernels as k
    kernels = {"default": None, "sum": k.RBF() + k.WhiteKernel(), "wide": k.RBF([1.0, 2.0, 3.0, 1.0, 1.0]) * 2.0,
               "matern": k.Matern(nu=1.5), "matern half": k.Matern(nu=0.5), "matern more": k.Matern(nu=2.5),
               "rational": k.RationalQuadratic(), "power": k.RBF() ** 2,
               "sine": k.ExpSineSquared(length_scale=2.0) + k.WhiteKernel(5.0),
               "dot": k.DotProduct() + k.WhiteKernel()}
    for name, kernel in kernels.items():
        add("GaussianProcessRegressor " + name,
            lambda k=kernel: gp.GaussianProcessRegressor(k, alpha=0.1, optimizer=None), X, NUMBER, X[:9] + 0.1,
            tolerance=1e-10)
        for labels, y in (("two", TWO), ("three", THREE)):
            add(f"GaussianProcessClassifier {name} {labels}",
                lambda k=kernel: gp.GaussianProcessClassifier(k, optimizer=None), X[:20], y[:20], X[:9] + 0.1,
                tolerance=1e-8)
    add("GaussianProcessRegressor outputs", lambda: gp.GaussianProcessRegressor(alpha=0.1, normalize_y=True), X,
        NUMBERS, tolerance=1e-10)
    add("GaussianProcessRegressor scaled", lambda: gp.GaussianProcessRegressor(alpha=0.1, normalize_y=True), X, NUMBER,
        tolerance=1e-10)


def neighbors():
    import sklearn.neighbors as ne
    asked = np.r_[X[:3], rng.randn(9, 5)]
    for weights in ("uniform", "distance"):
        for metric in ("minkowski", "manhattan", "chebyshev", "cosine", "canberra", "braycurtis", "hamming"):
            for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
                add(f"KNeighborsClassifier {weights} {metric} {labels}",
                    lambda w=weights, m=metric: ne.KNeighborsClassifier(3, weights=w, metric=m), X, y, asked,
                    tolerance=1e-7 if metric == "cosine" else 1e-11)
        for algorithm in ("brute", "kd_tree", "ball_tree"):
            add(f"KNeighborsClassifier {weights} {algorithm}",
                lambda w=weights, a=algorithm: ne.KNeighborsClassifier(4, weights=w, algorithm=a, p=3), X, THREE,
                asked[3:], tolerance=1e-11)
        add("KNeighborsRegressor " + weights, lambda w=weights: ne.KNeighborsRegressor(weights=w), X, NUMBER, asked,
            tolerance=1e-11)
        add("KNeighborsRegressor outputs " + weights, lambda w=weights: ne.KNeighborsRegressor(weights=w), X, NUMBERS,
            asked, tolerance=1e-11)
        add("RadiusNeighborsClassifier " + weights, lambda w=weights: ne.RadiusNeighborsClassifier(9, weights=w), X,
            THREE, asked, tolerance=1e-11)
        add("RadiusNeighborsRegressor " + weights, lambda w=weights: ne.RadiusNeighborsRegressor(3, weights=w), X,
            NUMBER, asked, tolerance=1e-11)
    for metric in ("euclidean", "manhattan"):
        for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
            add(f"NearestCentroid {metric} {labels}", lambda m=metric: ne.NearestCentroid(metric=m), X, y,
                tolerance=1e-11)
    add("NearestCentroid shrunken", lambda: ne.NearestCentroid(shrink_threshold=0.2), X, THREE, tolerance=1e-11)
    add("NearestCentroid priors", lambda: ne.NearestCentroid(priors=[0.2, 0.3, 0.5]), X, THREE, tolerance=1e-11)
    add("LocalOutlierFactor", lambda: ne.LocalOutlierFactor(5, novelty=True), X, asked=asked, tolerance=1e-10)
    add("LocalOutlierFactor share", lambda: ne.LocalOutlierFactor(5, novelty=True, contamination=0.2), X,
        asked=asked[3:], tolerance=1e-10)
    far = np.r_[asked, np.full((2, 5), 50.0)]
    for weights in ("uniform", "distance"):
        for labels, y, others in (("three", THREE, (1, 9)), ("named", NAMED, ("birch", "oak")),
                                  ("texts", NAMED.astype(object), ("birch", "oak")), ("real", THREE * 2.0, (2, -7)),
                                  ("pair", np.c_[THREE, TWO + 4], ([1, 5], [7, 4]))):
            for label in others[::-1] + ("most_frequent",):
                add(f"RadiusNeighborsClassifier outliers {weights} {labels} {label}",
                    lambda w=weights, o=label: ne.RadiusNeighborsClassifier(1.7, weights=w, outlier_label=o), X, y, far,
                    tolerance=1e-11)
    for mode in ("distance", "connectivity"):
        add("KNeighborsTransformer " + mode, lambda m=mode: ne.KNeighborsTransformer(mode=m, n_neighbors=4), X,
            asked=asked[3:], tolerance=1e-11)
        add("RadiusNeighborsTransformer " + mode, lambda m=mode: ne.RadiusNeighborsTransformer(mode=m, radius=2.2), X,
            asked=asked[3:], tolerance=1e-11)
    add("NeighborhoodComponentsAnalysis", lambda: ne.NeighborhoodComponentsAnalysis(2, max_iter=9, random_state=0), X,
        THREE)
    add("LocalOutlierFactor old", lambda: ne.LocalOutlierFactor(5), X, refused=True)


def wrappers():
    import sklearn.calibration as ca
    import sklearn.multiclass as mc
    import sklearn.multioutput as mo
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
    from sklearn.semi_supervised import SelfTrainingClassifier
    from sklearn.svm import SVC, LinearSVC
    inner = {"logistic": LogisticRegression(), "bayes": GaussianNB(), "svc": LinearSVC(random_state=0)}
    for name, of in inner.items():
        for labels, y in (("two", TWO), ("three", THREE), ("named", NAMED)):
            for kind in ("OneVsRestClassifier", "OneVsOneClassifier"):
                add(f"{kind} {name} {labels}", lambda k=kind, of=of: getattr(mc, k)(of), X, y, tolerance=1e-10)
            add(f"OutputCodeClassifier {name} {labels}",
                lambda of=of: mc.OutputCodeClassifier(of, code_size=3, random_state=0), X, y)
            for method in ("sigmoid", "isotonic", "temperature"):
                for ensemble in (True, False):
                    add(f"CalibratedClassifierCV {name} {method} {ensemble} {labels}",
                        lambda m=method, e=ensemble, of=of: ca.CalibratedClassifierCV(of, method=m, ensemble=e, cv=3),
                        X, y, tolerance=1e-10, refused=method == "temperature" and name == "bayes")
        add(f"OneVsRestClassifier {name} labels", lambda of=of: mc.OneVsRestClassifier(of), X,
            np.c_[TWO, 1 - TWO, THREE == 1].astype(int), tolerance=1e-10)
        add(f"ClassifierChain {name}", lambda of=of: mo.ClassifierChain(of, order=[1, 0]), X,
            np.c_[TWO, 1 - TWO], tolerance=1e-10)
        add(f"MultiOutputClassifier {name}", lambda of=of: mo.MultiOutputClassifier(of), X, np.c_[TWO, THREE],
            tolerance=1e-10)
    add("OneVsRestClassifier constant", lambda: mc.OneVsRestClassifier(LogisticRegression()), X,
        np.c_[TWO, np.ones(40)].astype(int))
    add("ClassifierChain other classes", lambda: mo.ClassifierChain(LogisticRegression()), X, np.c_[TWO * 3 + 1, TWO])
    add("MultiOutputRegressor", lambda: mo.MultiOutputRegressor(Ridge()), X, NUMBERS)
    add("RegressorChain", lambda: mo.RegressorChain(LinearRegression(), order=[1, 0]), X, NUMBERS, tolerance=1e-11)
    add("GridSearchCV", lambda: GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2), X, THREE)
    add("GridSearchCV plain", lambda: GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2, refit=False), X, THREE,
        refused=True)
    add("RandomizedSearchCV", lambda: RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=2, cv=2), X, NUMBER)
    half = np.where(np.arange(40) % 3 == 0, -1, TWO)
    add("SelfTrainingClassifier", lambda: SelfTrainingClassifier(LogisticRegression()), X, half)
    add("TransformedTargetRegressor function",
        lambda: TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), X, COUNT)
    for scaler in (StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()):
        add(f"TransformedTargetRegressor {type(scaler).__name__}",
            lambda s=scaler: TransformedTargetRegressor(Ridge(), transformer=s), X, NUMBER)
    add("TransformedTargetRegressor outputs", lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
        X, NUMBERS)

    def tuned(*args, **more):
        from sklearn.model_selection import TunedThresholdClassifierCV
        return TunedThresholdClassifierCV(*args, **more)

    def fixed(*args, **more):
        from sklearn.model_selection import FixedThresholdClassifier
        return FixedThresholdClassifier(*args, **more)

    def frozen(of):
        from sklearn.frozen import FrozenEstimator
        return FrozenEstimator(of)
    add("TunedThresholdClassifierCV", lambda: tuned(LogisticRegression(), cv=3), X, TWO)
    add("TunedThresholdClassifierCV decision", lambda: tuned(SVC(), cv=3), X, TWO, tolerance=1e-11)
    add("FixedThresholdClassifier", lambda: fixed(LogisticRegression(), threshold=0.3), X, TWO)
    add("FixedThresholdClassifier auto", lambda: fixed(SGDClassifier(random_state=0)), X, TWO)
    add("FrozenEstimator", lambda: frozen(LogisticRegression().fit(X, THREE)), X, THREE)


def broken():
    from sklearn import (calibration, cluster, cross_decomposition, decomposition, discriminant_analysis,
                         feature_selection, gaussian_process, impute, linear_model, mixture, multiclass, multioutput,
                         naive_bayes, neighbors, neural_network, preprocessing, svm)

    def less(a):  # one row, member or column less
        return a[:-1] if isinstance(a, (list, tuple)) or a.ndim != 2 else a[:, :-1]

    def shift(a):
        return a + 100
    add_broken("LinearRegression", linear_model.LinearRegression, X, NUMBER, coef_=less)
    add_broken("Ridge intercept", linear_model.Ridge, X, NUMBERS, intercept_=less)
    add_broken("LogisticRegression", linear_model.LogisticRegression, X, THREE, classes_=less)
    add_broken("SGDClassifier", linear_model.SGDClassifier, X, THREE, intercept_=less)
    add_broken("LinearDiscriminantAnalysis", discriminant_analysis.LinearDiscriminantAnalysis, X, THREE, xbar_=less)
    add_broken("QuadraticDiscriminantAnalysis", discriminant_analysis.QuadraticDiscriminantAnalysis, X, THREE,
               rotations_=less)
    add_broken("StandardScaler", preprocessing.StandardScaler, X, None, mean_=less)
    add_broken("QuantileTransformer", lambda: preprocessing.QuantileTransformer(n_quantiles=5), X, None,
               references_=less)
    add_broken("KBinsDiscretizer", preprocessing.KBinsDiscretizer, X, None, n_bins_=shift)
    add_broken("PowerTransformer", preprocessing.PowerTransformer, X, None, lambdas_=less)
    add_broken("PolynomialFeatures", preprocessing.PolynomialFeatures, X, None, n_output_features_=shift)
    add_broken("OneHotEncoder", preprocessing.OneHotEncoder, WORDS, None, categories_=less, n_features_in_=lambda n: n)
    add_broken("SimpleImputer", impute.SimpleImputer, HOLES, None, statistics_=less)
    add_broken("SimpleImputer indicator", lambda: impute.SimpleImputer(add_indicator=True), HOLES, None,
               indicator_=lambda i: i.__dict__.update(features_=i.features_ + 100) or i)
    add_broken("KNNImputer", impute.KNNImputer, HOLES, None, _fit_X=less)
    add_broken("SelectKBest", lambda: feature_selection.SelectKBest(k=2), X, THREE, scores_=less)
    add_broken("RFE", lambda: feature_selection.RFE(linear_model.Ridge()), X, NUMBER, support_=less)
    add_broken("GaussianNB", naive_bayes.GaussianNB, X, THREE, theta_=less)
    add_broken("MultinomialNB", naive_bayes.MultinomialNB, WORDS, THREE, feature_log_prob_=less)
    add_broken("CategoricalNB", naive_bayes.CategoricalNB, WORDS, THREE, feature_log_prob_=less)
    add_broken("MLPClassifier layers", lambda: neural_network.MLPClassifier((4, 3), max_iter=2), X, THREE,
               coefs_=lambda c: c[::-1])
    add_broken("MLPClassifier biases", lambda: neural_network.MLPClassifier((4, 3), max_iter=2), X, THREE,
               intercepts_=less)
    add_broken("SVC counts", svm.SVC, X, THREE, _n_support=shift)
    add_broken("SVC coefficients", svm.SVC, X, THREE, _dual_coef_=less)
    add_broken("SVC classes", svm.SVC, X, THREE, classes_=less)
    add_broken("SVR", svm.SVR, X, NUMBER, support_vectors_=lambda v: v[:-1])
    add_broken("PCA", lambda: decomposition.PCA(2), X, None, mean_=less)
    add_broken("KernelPCA", lambda: decomposition.KernelPCA(2), X, None, X_fit_=lambda v: v[:-1])
    add_broken("FactorAnalysis", lambda: decomposition.FactorAnalysis(2), X, None, noise_variance_=less)
    add_broken("PLSRegression", cross_decomposition.PLSRegression, X, NUMBERS, _x_std=less)
    add_broken("KMeans", lambda: cluster.KMeans(2), X, None, cluster_centers_=less)
    add_broken("GaussianMixture", lambda: mixture.GaussianMixture(2), X, None, means_=less)
    add_broken("GaussianProcessRegressor", gaussian_process.GaussianProcessRegressor, X, NUMBER, alpha_=less)
    add_broken("KNeighborsClassifier", neighbors.KNeighborsClassifier, X, THREE, _y=shift)
    add_broken("KNeighborsRegressor", neighbors.KNeighborsRegressor, X, NUMBER, _y=less)
    add_broken("NearestCentroid", neighbors.NearestCentroid, X, THREE, centroids_=less)
    add_broken("LocalOutlierFactor", lambda: neighbors.LocalOutlierFactor(5, novelty=True), X, None, _lrd=less)
    add_broken("OneVsRestClassifier", lambda: multiclass.OneVsRestClassifier(linear_model.LogisticRegression()), X,
               THREE, estimators_=less)
    add_broken("OneVsOneClassifier", lambda: multiclass.OneVsOneClassifier(linear_model.LogisticRegression()), X, THREE,
               estimators_=less)
    add_broken("ClassifierChain", lambda: multioutput.ClassifierChain(linear_model.LogisticRegression()), X,
               np.c_[TWO, 1 - TWO], order_=lambda o: np.array(o) * 0)
    add_broken("CalibratedClassifierCV",
               lambda: calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2), X, THREE,
               calibrated_classifiers_=lambda c: [])


FAMILIES = [linear, discriminants, preprocessing, encoders, imputers, selectors, probabilistic, support_vectors,
            projections, clusters, gaussian_processes, neighbors, wrappers, broken]


def all_cases(wide):
    for family in FAMILIES:
        try:
            family()
        except ImportError as error:
            print(error)
    return cases
