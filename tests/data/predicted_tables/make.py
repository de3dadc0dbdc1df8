"""Fits estimators on tables, documents, sparse matrices and columns of numbers, and records what they answer:

    python make.py OUT.joblib

OUT holds {"version", "cases": {name: {"model", "columns": {name: values} or "csr": {...}, "answers": {method: array},
"refused": [method], "tolerance"}}}. Columns without a name are called "0"."""
import sys
import warnings

import joblib
import numpy as np
import scipy.sparse as sp
import sklearn
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn import (cluster, compose, decomposition, dummy, ensemble, feature_extraction, feature_selection,
                     impute, kernel_approximation, linear_model, naive_bayes, neighbors, neural_network, pipeline,
                     preprocessing, random_projection, svm, tree)

try:
    import pandas as pd
except ImportError:
    pd = None

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")
CITIES = ["London", "Paris", "Zürich", "Oslo", "New York", "東京", ""]
SIZES = ["small", "medium", "large"]
DOCUMENTS = [
    "The quick brown fox jumps over the lazy dog.", "Ein schöner Tag in Zürich -- ÄÖÜ straße, ΣΊΣΥΦΟΣ!",
    "numbers 12 3 4567 and under_scores a I x", "", "  spaces\t\tand\n\nlines  \u00a0here  ",
    "naïve café résumé naïve CAFÉ",
    "日本語のテキスト と 한국어 텍스트", "the cat sat on the mat; the dog sat on the log", "İstanbul ǅungla ﬁne ½ ² ⅷ Ⅷ",
    "fox fox fox dog", "a-b c_d e.f g'h it's don't", "ΟΔΟΣ ΟΔΟΣΑ Σ", "x", "Ångström Ａｎｇｓｔｒöｍ",
    "repeat repeat Repeat REPEAT",
]
UNSEEN = ["the unseen brown zebra", "", "ÀÉÎ dog", "ş ţ đ ł ø", "fox\u0301 n\u0303 e\u0301 \u1e9b\u0323",
          "mat log 4567 and and"]


def rng():
    return np.random.RandomState(3)


def table(rows=60):
    random = rng()
    return {"city": [CITIES[i] for i in random.randint(0, 6, rows)], "age": random.randint(18, 80, rows).astype(float),
            "size": [SIZES[i] for i in random.randint(0, 3, rows)], "height": random.normal(170, 10, rows)}


def new_table():
    made = table(12)
    made["city"][3], made["city"][5] = "Atlantis", ""
    made["size"][2] = "huge"
    return made


def with_gaps(columns):
    made = {name: list(values) for name, values in columns.items()}
    made["city"][1] = made["city"][4] = made["size"][0] = None
    made["age"][2] = np.nan
    return made


def objects(columns, names):
    return np.array([columns[name] for name in names], dtype=object).T


def target(rows=60):
    return (rng().rand(rows) > 0.5).astype(int)


CASES = []


def case(name, tolerance=1e-12, refused=False):
    def add(function):
        CASES.append((name, function, tolerance, refused))
        return function
    return add


def encoders():
    for name, parameters in {
            "ignore": {"handle_unknown": "ignore"}, "first": {"drop": "first", "handle_unknown": "error"},
            "binary": {"drop": "if_binary", "handle_unknown": "ignore"},
            "infrequent": {"handle_unknown": "infrequent_if_exist", "min_frequency": 9},
            "most": {"handle_unknown": "infrequent_if_exist", "max_categories": 3},
            "given": {"handle_unknown": "ignore", "categories": [["Oslo", "Paris"], ["large", "small"]]}}.items():
        yield f"OneHotEncoder {name}", preprocessing.OneHotEncoder, parameters
    for name, parameters in {
            "unknown": {"handle_unknown": "use_encoded_value", "unknown_value": -1},
            "nan": {"handle_unknown": "use_encoded_value", "unknown_value": np.nan},
            "missing": {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2},
            "rare": {"handle_unknown": "use_encoded_value", "unknown_value": 9, "min_frequency": 12}}.items():
        yield f"OrdinalEncoder {name}", preprocessing.OrdinalEncoder, parameters


def add_encoders():
    for gaps in (False, True):
        for name, kind, parameters in encoders():
            def fit(kind=kind, parameters=parameters, gaps=gaps):
                seen = with_gaps(table()) if gaps else table()
                asked = with_gaps(new_table()) if gaps else new_table()
                if parameters.get("drop") == "first":
                    asked = {key: values[:5] for key, values in (with_gaps(table()) if gaps else table()).items()}
                estimator = kind(**parameters).fit(objects(seen, ["city", "size"]))
                return estimator, {key: asked[key] for key in ("city", "size")}, objects(asked, ["city", "size"])
            case(name + (" gaps" if gaps else ""))(fit)
    case("OneHotEncoder refuses", refused=True)(lambda: (
        preprocessing.OneHotEncoder().fit(objects(table(), ["city"])), {"city": new_table()["city"]},
        objects(new_table(), ["city"])))

    def mixed():
        seen, asked = table(), new_table()
        names = ["city", "age", "size"]
        estimator = preprocessing.OneHotEncoder(handle_unknown="ignore").fit(objects(seen, names))
        return estimator, {key: asked[key] for key in names}, objects(asked, names)
    case("OneHotEncoder mixed")(mixed)

    def target_encoder():
        estimator = preprocessing.TargetEncoder(random_state=0).fit(objects(table(), ["city", "size"]), target())
        asked = new_table()
        return estimator, {key: asked[key] for key in ("city", "size")}, objects(asked, ["city", "size"])
    case("TargetEncoder texts")(target_encoder)

    def imputed(strategy):
        def fit():
            seen, asked = with_gaps(table()), with_gaps(new_table())
            names = ["city", "size"]
            imputer = impute.SimpleImputer(strategy=strategy, missing_values=None,
                                           **({"fill_value": "none"} if strategy == "constant" else {}))
            estimator = pipeline.make_pipeline(imputer, preprocessing.OneHotEncoder(handle_unknown="ignore"))
            return estimator.fit(objects(seen, names)), {key: asked[key] for key in names}, objects(asked, names)
        return fit
    case("SimpleImputer most_frequent")(imputed("most_frequent"))
    case("SimpleImputer constant")(imputed("constant"))


def fixed_width():
    seen = np.array([table()["city"], table()["size"]]).T
    asked = new_table()
    estimator = preprocessing.OneHotEncoder(handle_unknown="ignore").fit(seen)
    return estimator, {key: asked[key] for key in ("city", "size")}, np.array([asked["city"], asked["size"]]).T


case("OneHotEncoder fixed width")(fixed_width)


def as_frame(columns):
    """What is missing is NaN: what None becomes differs by release of pandas."""
    return pd.DataFrame({name: [np.nan if v is None else v for v in values] for name, values in columns.items()})


def frame(estimator, gaps=True):
    def fit():
        if pd is None:
            raise ImportError("pandas")
        seen, asked = (with_gaps(table()), with_gaps(new_table())) if gaps else (table(), new_table())
        return estimator().fit(as_frame(seen), target()), asked, as_frame(asked)
    return fit


def transformer(rest="drop", **parameters):
    return compose.ColumnTransformer(
        [("cities", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["city"]),
         ("numbers", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), ["age"]),
         ("sizes", pipeline.make_pipeline(impute.SimpleImputer(strategy="most_frequent"), preprocessing.OrdinalEncoder(
             handle_unknown="use_encoded_value", unknown_value=-1)), ["size"])], remainder=rest, **parameters)


case("ColumnTransformer names")(frame(transformer))
case("ColumnTransformer rest")(frame(lambda: transformer("passthrough")))
case("ColumnTransformer selector")(frame(lambda: compose.ColumnTransformer(
    [("words", preprocessing.OneHotEncoder(handle_unknown="ignore"), compose.make_column_selector(pattern="c|s")),
     ("numbers", impute.SimpleImputer(), compose.make_column_selector(dtype_include=float))])))
case("ColumnTransformer one column")(frame(
    lambda: compose.ColumnTransformer([("text", feature_extraction.text.TfidfVectorizer(), "city"),
                                       ("number", "passthrough", ["height"])]), gaps=False))
case("Pipeline forest")(frame(lambda: pipeline.make_pipeline(
    transformer("passthrough"), impute.SimpleImputer(), ensemble.RandomForestClassifier(5, random_state=0))))
case("Pipeline logistic", 1e-10)(frame(lambda: pipeline.make_pipeline(
    transformer("passthrough"), linear_model.LogisticRegression(max_iter=200))))


def documents(estimator, seen=DOCUMENTS):
    def fit():
        labels = np.array(["odd", "even"])[np.arange(len(seen)) % 2]
        asked = seen + UNSEEN
        return estimator().fit(seen, labels), {"0": asked}, asked
    return fit


VECTORIZERS = {
    "default": {}, "bigrams": {"ngram_range": (1, 2)}, "trigrams": {"ngram_range": (2, 3), "lowercase": False},
    "char": {"analyzer": "char", "ngram_range": (1, 3)}, "char_wb": {"analyzer": "char_wb", "ngram_range": (2, 5)},
    "unicode": {"strip_accents": "unicode"}, "ascii": {"strip_accents": "ascii", "analyzer": "char"},
    "english": {"stop_words": "english", "ngram_range": (1, 2)},
    "words": {"stop_words": ["the", "dog"], "binary": True},
    "short": {"token_pattern": r"(?u)\b\w+\b"}}
text = feature_extraction.text
for label, options in VECTORIZERS.items():
    case(f"CountVectorizer {label}")(documents(lambda options=options: text.CountVectorizer(**options)))
    case(f"HashingVectorizer {label}")(documents(
        lambda options=options: text.HashingVectorizer(n_features=64, **options)))
for label, options in {"default": {}, "l1": {"norm": "l1", "sublinear_tf": True},
                       "plain": {"norm": None, "use_idf": False},
                       "features": {"max_features": 12, "min_df": 2}, "single": {"dtype": np.float32}}.items():
    case(f"TfidfVectorizer {label}", 1e-6 if label == "single" else 1e-12)(
        documents(lambda options=options: text.TfidfVectorizer(**options)))
case("HashingVectorizer signs")(documents(
    lambda: text.HashingVectorizer(n_features=16, alternate_sign=False, norm="l1")))
case("Pipeline text logistic", 1e-10)(documents(lambda: pipeline.make_pipeline(
    text.TfidfVectorizer(ngram_range=(1, 2)), linear_model.LogisticRegression())))
case("Pipeline text bayes")(documents(lambda: pipeline.make_pipeline(
    text.CountVectorizer(), text.TfidfTransformer(), naive_bayes.MultinomialNB())))
case("Pipeline text select", 1e-10)(documents(lambda: pipeline.make_pipeline(
    text.TfidfVectorizer(), feature_selection.SelectKBest(feature_selection.chi2, k=9), svm.LinearSVC(random_state=0))))
case("Pipeline text svd", 1e-10)(documents(lambda: pipeline.make_pipeline(
    text.TfidfVectorizer(), decomposition.TruncatedSVD(3, random_state=0), preprocessing.StandardScaler(),
    linear_model.LogisticRegression())))
case("Pipeline text forest")(documents(lambda: pipeline.make_pipeline(
    text.CountVectorizer(), ensemble.RandomForestClassifier(4, random_state=0))))
case("FeatureUnion text")(documents(lambda: pipeline.make_union(
    text.TfidfVectorizer(), text.CountVectorizer(analyzer="char", ngram_range=(2, 2)))))
case("CountVectorizer pattern", refused="lowering")(documents(lambda: text.CountVectorizer(token_pattern="[a-z]+")))
case("CountVectorizer tokenizer", refused="lowering")(documents(lambda: text.CountVectorizer(tokenizer=str.split)))


def labels_of(estimator, seen, asked):
    return lambda: (estimator().fit(seen), {"0": list(asked)}, asked)


case("LabelEncoder texts")(labels_of(preprocessing.LabelEncoder, CITIES, CITIES[::-1]))
case("LabelEncoder numbers")(labels_of(preprocessing.LabelEncoder, [3, 1, 7], [7, 7, 1]))
case("LabelEncoder unseen", refused=True)(labels_of(preprocessing.LabelEncoder, ["a", "b"], ["a", "c"]))
case("LabelBinarizer texts")(labels_of(preprocessing.LabelBinarizer, CITIES, CITIES[::-1] + ["nowhere"]))
case("LabelBinarizer binary")(labels_of(lambda: preprocessing.LabelBinarizer(neg_label=-1, pos_label=2), ["no", "yes"],
                                        ["yes", "no", "yes"]))
case("DictVectorizer")(lambda: (
    feature_extraction.DictVectorizer(sparse=False).fit(
        [{"city": "Dubai", "temperature": 33.0}, {"city": "London", "wind": 2.0}, {"temperature": 18.0}]),
    {"wind": [1.5, np.nan], "city": ["London", "Oslo"], "temperature": [np.nan, -3.0]},
    [{"city": "London", "wind": 1.5}, {"city": "Oslo", "temperature": -3.0}]))


def sparse_rows(seed, rows, columns=30, density=0.15):
    made = sp.random(rows, columns, density, "csr", random_state=seed)
    made.data = np.round(made.data * 8) / 4
    return made


class Sparsified:
    """What fit() makes keeps its coefficients as a sparse matrix."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, x, y):
        return self.estimator.fit(x, y).sparsify()


SPARSE = {
    "LogisticRegression": lambda: linear_model.LogisticRegression(), "Ridge": lambda: linear_model.Ridge(),
    "SGDClassifier": lambda: linear_model.SGDClassifier(random_state=0),
    "LinearSVC": lambda: svm.LinearSVC(random_state=0),
    "MultinomialNB": naive_bayes.MultinomialNB, "ComplementNB": naive_bayes.ComplementNB,
    "BernoulliNB": lambda: naive_bayes.BernoulliNB(binarize=0.4), "TruncatedSVD": lambda: decomposition.TruncatedSVD(3),
    "MaxAbsScaler": preprocessing.MaxAbsScaler, "Normalizer": preprocessing.Normalizer,
    "Normalizer max": lambda: preprocessing.Normalizer(norm="max"),
    "Binarizer": lambda: preprocessing.Binarizer(threshold=0.5),
    "StandardScaler": lambda: preprocessing.StandardScaler(with_mean=False),
    "SelectKBest": lambda: feature_selection.SelectKBest(feature_selection.chi2, k=7),
    "RandomForestClassifier": lambda: ensemble.RandomForestClassifier(5, random_state=0),
    "GradientBoostingRegressor": lambda: ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0),
    "DecisionTreeRegressor": tree.DecisionTreeRegressor, "KMeans": lambda: cluster.KMeans(3, n_init=2, random_state=0),
    "RobustScaler": lambda: preprocessing.RobustScaler(with_centering=False),
    "KNeighborsClassifier": lambda: neighbors.KNeighborsClassifier(3, algorithm="brute"),
    "KNeighborsRegressor": lambda: neighbors.KNeighborsRegressor(4, weights="distance"),
    "KNeighborsClassifier cosine": lambda: neighbors.KNeighborsClassifier(3, metric="cosine", algorithm="brute"),
    "RadiusNeighborsClassifier": lambda: neighbors.RadiusNeighborsClassifier(3.0, outlier_label=-7, algorithm="brute"),
    "LocalOutlierFactor": lambda: neighbors.LocalOutlierFactor(4, novelty=True, algorithm="brute"),
    "SVC": lambda: svm.SVC(probability=True, random_state=0), "SVC poly": lambda: svm.SVC(kernel="poly", coef0=1.0),
    "SVC linear": lambda: svm.SVC(kernel="linear", decision_function_shape="ovo"), "NuSVC": lambda: svm.NuSVC(nu=0.3),
    "SVR": svm.SVR, "NuSVR": lambda: svm.NuSVR(kernel="sigmoid"), "OneClassSVM": lambda: svm.OneClassSVM(nu=0.3),
    "KernelPCA": lambda: decomposition.KernelPCA(3, kernel="rbf"),
    "LogisticRegression sparsified": lambda: Sparsified(
        linear_model.LogisticRegression(penalty="l1", solver="liblinear")),
    "SGDClassifier sparsified": lambda: Sparsified(linear_model.SGDClassifier(random_state=0)),
    "LinearSVC sparsified": lambda: Sparsified(svm.LinearSVC(penalty="l1", dual=False, random_state=0)),
    "MLPClassifier": lambda: neural_network.MLPClassifier((8,), max_iter=20, random_state=0),
    "TfidfTransformer": feature_extraction.text.TfidfTransformer,
    "PolynomialFeatures": lambda: preprocessing.PolynomialFeatures(2),
    "RandomProjection": lambda: random_projection.GaussianRandomProjection(4, random_state=0),
    "SparseRandomProjection": lambda: random_projection.SparseRandomProjection(4, random_state=0),
    "Nystroem": lambda: kernel_approximation.Nystroem(n_components=5, random_state=0),
    "Pipeline": lambda: pipeline.make_pipeline(preprocessing.MaxAbsScaler(), feature_selection.VarianceThreshold(),
                                               linear_model.LogisticRegression()),
}
REFUSES_SPARSE = {
    "StandardScaler mean": preprocessing.StandardScaler, "MinMaxScaler": preprocessing.MinMaxScaler,
    "GaussianNB": naive_bayes.GaussianNB,
    "Pipeline mean": lambda: pipeline.make_pipeline(preprocessing.MaxAbsScaler(), preprocessing.StandardScaler()),
    "HistGradientBoostingClassifier": lambda: ensemble.HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2),
    "SVC dense": svm.SVC, "KNeighborsClassifier tree": lambda: neighbors.KNeighborsClassifier(3, algorithm="kd_tree"),
    "PowerTransformer": preprocessing.PowerTransformer}


SPARSE_TOLERANCES = {"KMeans": 1e-7, "Nystroem": 1e-7, "SVC": 1e-6, "KNeighborsClassifier cosine": 1e-7,
                     "KernelPCA": 1e-9, "LocalOutlierFactor": 1e-7}


def three_classes(rows):
    return np.arange(rows) * 7 % 3


def on_sparse(estimator, dense=False, rows_dense=False):
    def fit():
        seen = sparse_rows(1, 40)
        asked = sparse_rows(2, 12)
        if rows_dense:
            asked = asked.toarray()
            columns = {str(i): asked[:, i] for i in range(asked.shape[1])}
            return estimator().fit(seen, three_classes(40)), columns, asked
        return estimator().fit(seen.toarray() if dense else seen, target(40)), asked, asked
    return fit


for label, make in SPARSE.items():
    case("sparse " + label, SPARSE_TOLERANCES.get(label, 1e-10))(on_sparse(make))
    if label in ("KNeighborsRegressor", "SVC", "SVC poly", "SVR", "SGDClassifier sparsified"):
        case("sparse, dense rows " + label, SPARSE_TOLERANCES.get(label, 1e-10))(on_sparse(make, rows_dense=True))
for label, make in REFUSES_SPARSE.items():
    case("sparse " + label, refused=True)(on_sparse(make, dense=True))


def matrix(estimator, gaps=False, labels=None, positive=False, asked_gaps=True):
    def fit():
        random = rng()
        x = random.normal(size=(70, 6))
        x[:, 2] += x[:, 0]
        x = np.abs(np.round(x, 2)) if positive else x
        y = (x[:, 0] + x[:, 4] > 0).astype(int)
        if gaps:
            x[random.rand(70, 6) < 0.15] = np.nan
        asked = x[50:].copy() if asked_gaps else x[:9]
        return estimator().fit(x[:50], y[:50] if labels is None else labels(x[:50], y[:50])), \
            {str(i): asked[:, i] for i in range(6)}, asked
    return fit


def two_outputs(x, y):
    return np.array([y, np.where(x[:, 1] > 0.3, 5, 2)]).T


for label, steps in {"": 2, " one": 1, " three": 3}.items():
    case("AdditiveChi2Sampler" + label)(matrix(
        lambda steps=steps: kernel_approximation.AdditiveChi2Sampler(sample_steps=steps), positive=True))
for label, options in {"": {}, " cubic": {"degree": 3, "coef0": 1.5, "gamma": 0.5}}.items():
    case("PolynomialCountSketch" + label, 1e-10)(matrix(
        lambda options=options: kernel_approximation.PolynomialCountSketch(n_components=20, random_state=0, **options)))
for label, options in {"": {}, " bounds": {"min_value": -0.5, "max_value": 0.7}, " indicator": {"add_indicator": True},
                       " median": {"initial_strategy": "median", "n_nearest_features": 3},
                       " none": {"max_iter": 0}, " order": {"imputation_order": "roman", "max_iter": 4}}.items():
    case("IterativeImputer" + label, 1e-9)(matrix(lambda options=options: impute.IterativeImputer(
        random_state=0, **options), gaps=True))
case("IterativeImputer trees", 1e-9)(matrix(lambda: impute.IterativeImputer(
    tree.DecisionTreeRegressor(max_depth=3, random_state=0), max_iter=3, random_state=0), gaps=True))
case("IterativeImputer posterior", refused="lowering")(matrix(
    lambda: impute.IterativeImputer(sample_posterior=True, max_iter=2, random_state=0), gaps=True))
for label, model in {"forest": lambda: ensemble.RandomForestClassifier(7, random_state=0),
                     "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
                     "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=9, random_state=0),
                     "extra": lambda: ensemble.ExtraTreesRegressor(7, random_state=0)}.items():
    case(f"SelectFromModel {label}")(matrix(lambda model=model: feature_selection.SelectFromModel(model())))
    case(f"SelectFromModel {label} median")(matrix(
        lambda model=model: feature_selection.SelectFromModel(model(), threshold="median", max_features=2)))
case("KNeighborsClassifier outputs")(matrix(lambda: neighbors.KNeighborsClassifier(3), labels=two_outputs))
for label in "prior", "most_frequent", "uniform":
    case(f"DummyClassifier outputs {label}")(matrix(
        lambda label=label: pipeline.make_pipeline(preprocessing.StandardScaler(), dummy.DummyClassifier(
            strategy=label, random_state=0)), labels=two_outputs))
case("KNeighborsClassifier outputs weighted")(matrix(
    lambda: neighbors.KNeighborsClassifier(4, weights="distance"), labels=two_outputs))


def dense(answer):
    answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    return np.ascontiguousarray(answer.astype(str) if answer.dtype.kind in "OU" else answer.astype(np.float64))


def main():
    made, failed = {}, []
    add_encoders()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, fit, tolerance, refused in CASES:
            try:
                estimator, given, asked = fit()
            except Exception as error:
                failed.append(f"{name}: {type(error).__name__} {str(error)[:60]}")
                continue
            answers, refusals = {}, []
            for method in METHODS:
                if not hasattr(estimator, method) or "uniform" in name and method == "predict":
                    continue
                try:
                    answer = getattr(estimator, method)(asked)
                    if isinstance(answer, list):
                        answers.update({f"{method}[{i}]": dense(part) for i, part in enumerate(answer)})
                    else:
                        answers[method] = dense(answer)
                except (ValueError, TypeError, KeyError) as error:
                    refusals.append(method)
                    if not refused:
                        failed.append(f"{name}.{method}: {str(error)[:60]}")
            entry = {"model": estimator, "answers": answers, "refused": refusals, "tolerance": tolerance}
            if refused == "lowering":
                entry["not_lowered"] = True
            if sp.issparse(given):
                entry["csr"] = {"data": given.data, "indices": given.indices, "indptr": given.indptr}
            else:
                entry["columns"] = {key: values if any(isinstance(v, str) for v in values)
                                    else np.asarray(values, dtype=np.float64) for key, values in given.items()}
            made[name] = entry
    joblib.dump({"version": sklearn.__version__, "cases": made}, sys.argv[1], compress=("xz", 6))
    print(sklearn.__version__, len(made), "cases; not fitted or refused:", *failed, sep="\n  ")


main()
