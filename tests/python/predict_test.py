"""Predicting through mere.open: what scikit-learn gives, for what NumPy users hand over."""
import unittest

import numpy as np
import pandas as pd

import mere

from model_files import boosting, containers, convert, digits, forest, texts


class Predictions(unittest.TestCase):
    def test_methods_give_what_scikit_learn_gives(self):
        X, _ = digits()
        for make in (forest, boosting):
            estimator, path = make()
            model = mere.open(path)
            np.testing.assert_array_equal(model.predict(X), estimator.predict(X))
            self.assertEqual(model.predict(X).dtype, estimator.predict(X).dtype)
            np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), rtol=1e-12)
            np.testing.assert_array_equal(model.predictor.apply(X), estimator.apply(X).reshape(len(X), -1))
            np.testing.assert_array_equal(model.predictor.classes_, estimator.classes_)
        np.testing.assert_array_equal(mere.open(forest()[1]).predict_proba(X), forest()[0].predict_proba(X))

    def test_classes_that_are_texts(self):
        estimator, path = texts()
        X = np.random.default_rng(0).normal(3, 2, (50, 4))
        found = mere.open(path).predict(X)
        self.assertEqual(found.dtype, estimator.predict(X).dtype)
        np.testing.assert_array_equal(found, estimator.predict(X))

    def test_rows_of_any_layout(self):
        estimator, path = forest()
        X, _ = digits()
        model = mere.open(path)
        expected = estimator.predict_proba(X)
        for rows in (X.astype(np.float32), np.asfortranarray(X), X.astype(int), X.tolist(), X[::-1][::-1], pd.DataFrame(X)):
            np.testing.assert_array_equal(model.predict_proba(rows), expected)
        np.testing.assert_array_equal(model.predict_proba(X[::3, :]), expected[::3])
        self.assertEqual(model.predict(X[:0]).shape, (0,))
        self.assertEqual(model.predict_proba(X[:0]).shape, (0, 10))

    def test_rows_that_do_not_fit_are_value_errors(self):
        _, path = forest()
        model = mere.open(path)
        for rows in (np.zeros(64), np.zeros((2, 63)), np.zeros((2, 64), complex), np.full((1, 64), np.inf)):
            with self.assertRaises(ValueError):
                model.predict(rows)
        with self.assertRaises(mere.UnsupportedError):
            model.transform(np.zeros((1, 64)))

    def test_tables_are_taken_by_the_names_of_their_columns(self):
        from sklearn.ensemble import RandomForestRegressor

        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
        estimator = RandomForestRegressor(5, random_state=0).fit(table, table["a"] - table["c"])
        model = mere.open(convert(estimator, "named"))
        np.testing.assert_array_equal(model.predict(table[["c", "a", "b"]]), estimator.predict(table))
        np.testing.assert_array_equal(model.predict(table.assign(other=1)), estimator.predict(table))
        with self.assertRaises(mere.MismatchError) as caught:
            model.predict(table[["a", "b"]])
        self.assertIn("c", str(caught.exception))

    def test_a_model_that_cannot_predict_says_why(self):
        _, path = containers()
        with self.assertRaises(mere.UnsupportedError):
            mere.open(path).predict([[1.0]])


if __name__ == "__main__":
    unittest.main()
