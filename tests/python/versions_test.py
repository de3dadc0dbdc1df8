"""Models of other releases of scikit-learn: a warning first, then the same answers, or an error that says what lacks.

Files of releases that tests/data holds, and of those for which a virtual environment stands in build/versions.
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import mere
from mere import _versions

VERSIONS = pathlib.Path(__file__).parent.parent.parent / "build" / "versions"

# Run by the other release: models, rows and answers.
WRITER = """
import sys, warnings, joblib, numpy as np
warnings.simplefilter("ignore")
from sklearn.ensemble import *
from sklearn.ensemble import RandomForestClassifier
try:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
except ImportError:
    from sklearn.experimental import enable_hist_gradient_boosting
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.preprocessing import *
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.svm import SVC, SVR
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.cluster import KMeans
from sklearn.impute import SimpleImputer
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
random = np.random.RandomState(0)
X = random.rand(80, 4)
y = (X.sum(axis=1) * 2).astype(int) % 3
small = dict(random_state=0)
models = {
    "tree": DecisionTreeClassifier(**small), "regression tree": DecisionTreeRegressor(**small),
    "forest": RandomForestClassifier(5, **small), "extra trees": ExtraTreesRegressor(5, **small),
    "isolation": IsolationForest(n_estimators=5, **small), "boosting": GradientBoostingClassifier(n_estimators=3,
    **small), "boosting regression": GradientBoostingRegressor(n_estimators=3, **small),
    "histogram": HistGradientBoostingClassifier(max_iter=3), "histogram regression":
    HistGradientBoostingRegressor(max_iter=3), "adaboost": AdaBoostRegressor(n_estimators=3, **small), "bagging":
    BaggingClassifier(n_estimators=3, **small), "logistic": LogisticRegression(), "ridge": Ridge(), "sgd":
    SGDClassifier(**small), "pca": PCA(2), "svd": TruncatedSVD(2), "svc": SVC(), "svr": SVR(), "neighbours":
    KNeighborsClassifier(), "mlp": MLPClassifier(max_iter=5, **small), "bayes": GaussianNB(), "means": KMeans(2,
    n_init=1, **small), "imputer": SimpleImputer(), "scaler": StandardScaler(), "one hot":
    OneHotEncoder(handle_unknown="ignore"), "ordinal": OrdinalEncoder(), "polynomial": PolynomialFeatures(), "columns":
    ColumnTransformer([("a", StandardScaler(), [0, 1])]), "pipeline": make_pipeline(StandardScaler(),
    RandomForestClassifier(3, **small)), }
rows = {name: X.round(1) if name in ("one hot", "ordinal") else X for name in models}
answers = {}
for name, model in models.items():
    model.fit(rows[name], y)
    answers[name + "|rows"] = rows[name]
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(model, method):
            answer = getattr(model, method)(rows[name])
            answers[name + "|" + method] = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    joblib.dump(model, sys.argv[1] + "/" + name + ".joblib")
np.savez(sys.argv[1] + "/answers.npz", **answers)
"""


def releases():
    # What the running release can still read: others are the exporters' and lowering's matter.
    found = sorted(path.name for path in VERSIONS.glob("*") if (path / "bin" / "python").exists())
    return [name for name in found if name != "0.24.2"]


class Releases(unittest.TestCase):
    # What the running release may have no way to take from another, and what the error then names.
    REFUSED = {"histogram": "_hist_gradient_boosting.loss", "histogram regression": "_hist_gradient_boosting.loss",
               "boosting": "_gb_losses", "boosting regression": "_gb_losses"}

    def test_models_of_other_releases_answer_as_they_did_there(self):
        if not releases():
            self.skipTest("build/versions has no environments of other releases")
        for release in releases():
            with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                subprocess.run([VERSIONS / release / "bin" / "python", "-c", WRITER, folder], check=True)
                answers = dict(np.load(folder + "/answers.npz"))
                for path in sorted(pathlib.Path(folder).glob("*.joblib")):
                    for native in (True, False):
                        with self.subTest(release=release, name=path.stem, native=native):
                            self.check(path, path.stem, answers, native)

    def check(self, foreign, name, answers, native):
        path = foreign.with_suffix(".mere")
        with open(path, "wb") as file:
            mere._core.import_to_descriptor(foreign, file.fileno(), [])
        try:
            model = mere.load(path, native=native)
        except mere.MismatchError as error:
            # Refused by name, where there is no way.
            self.assertEqual(error.reason, "missing_field")
            self.assertIn(name, self.REFUSED, error)
            self.assertIn(self.REFUSED[name], str(error))
            return
        for key, expected in answers.items():
            of, method = key.split("|")
            if of == name and method != "rows":
                found = getattr(model, method)(answers[name + "|rows"])
                found = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
                if (name, method) == ("boosting", "decision_function"):
                    # Of several classes, 1.4 and later subtract the mean, which probabilities do not see.
                    found, expected = (each - each.mean(axis=1, keepdims=True) for each in (found, expected))
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=method)


class Warned(unittest.TestCase):
    def old(self, model, version="1.0.2"):
        """The file that another release would have written of what is the same in both."""
        state = model.__getstate__()
        state["_sklearn_version"] = version
        cls = type(model)

        class Old:
            def __reduce__(self):
                import copyreg
                return copyreg._reconstructor, (cls, object, None), state

        return mere.dumps(Old())

    def setUp(self):
        self.model = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])

    def test_one_warning_for_each_type_and_version_and_none_of_scikit_learn(self):
        data = self.old(self.model)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = mere.loads(data)
        self.assertEqual(len(caught), 1)
        self.assertIn("LogisticRegression from version 1.0.2 when using version " + sklearn.__version__,
                      str(caught[0].message))
        try:
            from sklearn.exceptions import InconsistentVersionWarning
            self.assertIsInstance(caught[0].message, InconsistentVersionWarning)
            self.assertEqual(caught[0].message.original_sklearn_version, "1.0.2")
        except ImportError:
            self.assertIs(caught[0].category, UserWarning)
        np.testing.assert_array_equal(model.predict(np.eye(4)), self.model.predict(np.eye(4)))

    def test_the_running_release_is_not_warned_of(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mere.loads(mere.dumps(self.model))

    def test_where_warnings_are_errors_nothing_is_made(self):
        made = []
        old = LogisticRegression.__setstate__
        self.addCleanup(setattr, LogisticRegression, "__setstate__", old)
        LogisticRegression.__setstate__ = lambda model, state: made.append(state)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaises(Warning):
                mere.loads(self.old(self.model))
        self.assertEqual(made, [])


class Trees(unittest.TestCase):
    """Layouts of nodes, as other releases write them."""

    def forged(self, model, change_nodes, change_values=None, version=None):
        made, args, state = model.tree_.__reduce__()
        state = dict(state, nodes=change_nodes(state["nodes"]))
        if change_values is not None:
            state["values"] = change_values(state["values"], state["nodes"])
        cls, attributes = type(model), model.__getstate__()
        if version is not None:
            attributes["_sklearn_version"] = version

        class Tree:
            def __reduce__(self):
                return made, args, state

        class Forged:
            def __reduce__(self):
                import copyreg
                return copyreg._reconstructor, (cls, object, None), {**attributes, "tree_": Tree()}

        return mere.dumps(Forged(), program=False)

    def setUp(self):
        random = np.random.RandomState(0)
        self.X = random.rand(50, 3)
        self.y = (self.X[:, 0] * 3).astype(int)

    def test_nodes_of_56_64_and_more_bytes_are_converted_by_their_names(self):
        fields = ["left_child", "right_child", "feature", "threshold", "impurity", "n_node_samples",
                  "weighted_n_node_samples"]
        types = ["<i8", "<i8", "<i8", "<f8", "<f8", "<i8", "<f8"]
        layouts = [np.dtype(list(zip(fields, types))),
                   np.dtype(list(zip(fields + ["missing_go_to_left"], types + ["u1"])), align=True),
                   np.dtype(list(zip(["later"] + fields[::-1] + ["missing_go_to_left"],
                                     ["<f4"] + types[::-1] + ["u1"])))]
        for model in (DecisionTreeClassifier(random_state=0).fit(self.X, self.y), DecisionTreeRegressor().fit(self.X,
                                                                                                              self.y)):
            for layout in layouts:
                def changed(nodes):
                    made = np.zeros(nodes.shape, layout)
                    for name in set(layout.names) & set(nodes.dtype.names):
                        made[name] = nodes[name]
                    return made
                found = mere.loads(self.forged(model, changed), native=False)
                np.testing.assert_array_equal(found.predict(self.X), model.predict(self.X))
                self.assertEqual(type(found.tree_).__name__, "Tree")

    def test_counts_become_fractions_and_fractions_counts(self):
        model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(self.X, self.y)
        counts = _versions.parsed(sklearn.__version__) < (1, 4)

        def other(values, nodes):
            if counts:
                return values / values.sum(axis=2, keepdims=True)
            return values * nodes["weighted_n_node_samples"][:, None, None]

        data = self.forged(model, lambda nodes: nodes, other, "1.5.0" if counts else "1.2.2")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = mere.loads(data, native=False)
        np.testing.assert_allclose(found.tree_.value, model.tree_.value, rtol=1e-12)
        np.testing.assert_allclose(found.predict_proba(self.X), model.predict_proba(self.X), rtol=1e-12)

    def test_a_field_that_lacks_is_named(self):
        model = DecisionTreeClassifier().fit(self.X, self.y)

        def without(nodes):
            names = [name for name in nodes.dtype.names if name != "impurity"]
            made = np.zeros(nodes.shape, [(name, nodes.dtype[name]) for name in names])
            for name in names:
                made[name] = nodes[name]
            return made

        with self.assertRaises(mere.Error) as raised:
            mere.loads(self.forged(model, without), native=False)
        self.assertIn("impurity", str(raised.exception))


class Provenance(unittest.TestCase):
    def test_versions_are_recorded(self):
        data = mere.dumps(RandomForestClassifier(2).fit(np.eye(4), [0, 1, 0, 1]))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "m")
            path.write_bytes(data)
            self.assertEqual(mere.open(path).metadata["versions"]["scikit-learn"], sklearn.__version__)
            self.assertEqual(mere.info(path)["versions"]["scikit-learn"], sklearn.__version__)
