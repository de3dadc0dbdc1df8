"""A loaded ensemble answers as the one that was dumped, to the bit."""
import unittest
import warnings

import joblib
import numpy as np
import scipy.sparse
import sklearn
from ensemble_files import fitted, folder, load, rows

from mere._ensembles import is_shared

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "apply", "transform",
           "decision_path", "staged_predict", "staged_predict_proba", "staged_decision_function")
OLD = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) < (1, 3)


def numbers(value):
    """A list of arrays of whatever a method gives."""
    if scipy.sparse.issparse(value):
        return [value.toarray()]
    if isinstance(value, np.ndarray):
        return [value]
    return [array for part in value for array in numbers(part)]


def outcome(estimator, method, x):
    """Arrays, or the error in words, and the texts of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = numbers(getattr(estimator, method)(x))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
    return found, [str(warning.message) for warning in caught]


class Answers(unittest.TestCase):
    def same(self, name, x, what):
        model, loaded = fitted()[name], load(name)
        for method in METHODS:
            if not hasattr(model, method):
                self.assertFalse(hasattr(loaded, method))
                continue
            expected, warned = outcome(model, method, x)
            found, warned_too = outcome(loaded, method, x)
            text = f"{name}, {method}, {what}"
            self.assertEqual(warned_too, warned, text)
            if isinstance(expected, str):
                self.assertEqual(found, expected, text)
                continue
            self.assertNotIsInstance(found, str, text)
            self.assertEqual(len(found), len(expected), text)
            for a, b in zip(expected, found):
                self.assertEqual((a.dtype, a.shape), (b.dtype, b.shape), text)
                if OLD and name.startswith("isolation"):
                    # Path lengths were not stored then, and libm's log is not NumPy's.
                    np.testing.assert_allclose(b, a, rtol=1e-12, err_msg=text)
                else:
                    np.testing.assert_array_equal(b, a, err_msg=text)

    def test_to_the_bit_on_rows_of_float64(self):
        for name in fitted():
            self.same(name, rows()[3], "float64")

    def test_to_the_bit_on_one_row(self):
        for name in fitted():
            self.same(name, rows()[3][:1], "one row")

    def test_to_the_bit_on_rows_of_float32_with_strides(self):
        x = np.asfortranarray(rows()[3].astype(np.float32))[::-2]
        for name in fitted():
            self.same(name, x, "float32")

    def test_to_the_bit_on_rows_of_float32_in_a_map(self):
        # Their type is equal to NumPy's float32, and another object.
        joblib.dump(rows()[3].astype(np.float32), folder() / "rows.joblib")
        x = joblib.load(folder() / "rows.joblib", mmap_mode="r")
        for name in fitted():
            self.same(name, x, "float32 in a map")

    def test_to_the_bit_on_sparse_rows_or_refused_in_the_same_words(self):
        x = rows()[3].copy()
        x[x < 0.3] = 0
        for name in fitted():
            self.same(name, scipy.sparse.csr_matrix(x), "sparse")

    def test_what_scikit_learn_refuses_is_refused_in_its_words(self):
        x = rows()[3][:4].copy()
        for what, bad in (("NaN", np.nan), ("infinity", np.inf), ("beyond float32", 1e300)):
            x[2, 3] = bad
            for name in fitted():
                self.same(name, x, what)
        for name in fitted():
            self.same(name, rows()[3][:, :5], "columns are missing")
            self.same(name, rows()[3][0], "a vector")

    def test_names_of_columns_are_scikit_learn_s_to_warn_about(self):
        pandas = self.pandas()
        from sklearn.ensemble import RandomForestClassifier
        import mere
        X, names, _, ask = rows()
        columns = [f"c{i}" for i in range(8)]
        model = RandomForestClassifier(5, random_state=0).fit(pandas.DataFrame(X, columns=columns), names)
        loaded = mere.loads(mere.dumps(model))
        self.assertTrue(is_shared(loaded))
        for frame in (pandas.DataFrame(ask, columns=columns), ask, pandas.DataFrame(ask, columns=columns[::-1])):
            expected, found = outcome(model, "predict_proba", frame), outcome(loaded, "predict_proba", frame)
            self.assertEqual(found[1], expected[1])
            np.testing.assert_equal(found[0], expected[0])

    def pandas(self):
        try:
            import pandas
        except ImportError:
            self.skipTest("pandas is not installed")
        return pandas

    def test_asking_leaves_the_trees_in_the_map(self):
        for name in list(fitted())[:16]:
            loaded = load(name)
            for method in METHODS:
                if hasattr(loaded, method):
                    numbers(getattr(loaded, method)(rows()[3][:5]))
            self.assertTrue(is_shared(loaded), name)

    def test_attributes_made_of_trees_are_the_same(self):
        for name, model in fitted().items():
            loaded = load(name)
            for attribute in ("feature_importances_", "oob_score_", "oob_decision_function_", "estimators_samples_",
                              "n_iter_"):
                if hasattr(model, attribute):
                    np.testing.assert_equal(getattr(loaded, attribute), getattr(model, attribute), err_msg=name)

    def test_who_reads_tree_finds_every_array_of_it(self):
        model, loaded = fitted()["forest"], load("forest")
        for a, b in zip(model.estimators_, loaded.estimators_):
            for attribute in ("children_left", "children_right", "feature", "threshold", "value", "impurity",
                              "n_node_samples", "weighted_n_node_samples"):
                np.testing.assert_array_equal(getattr(b.tree_, attribute), getattr(a.tree_, attribute))
            self.assertEqual((a.tree_.node_count, a.tree_.max_depth, a.get_n_leaves()),
                             (b.tree_.node_count, b.tree_.max_depth, b.get_n_leaves()))

    def test_threads_of_n_jobs_change_no_bit(self):
        model, loaded = fitted()["forest"], load("forest")
        x = np.tile(rows()[3], (5, 1))
        loaded.n_jobs = 2
        self.assertTrue(is_shared(loaded))
        np.testing.assert_array_equal(loaded.predict_proba(x), model.predict_proba(x))

    def test_ensembles_in_a_model_that_is_no_estimator_share_too(self):
        import mere
        model = {"first": fitted()["forest"], "more": [fitted()["boosting"], fitted()["isolation forest"]]}
        loaded = mere.loads(mere.dumps(model))
        for a, b in ((model["first"], loaded["first"]), *zip(model["more"], loaded["more"])):
            self.assertTrue(is_shared(b))
            np.testing.assert_array_equal(a.predict(rows()[3]), b.predict(rows()[3]))


if __name__ == "__main__":
    unittest.main()
