"""What users hand to a predictor beside arrays: sparse matrices, tables with texts, lists of documents."""
import unittest

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import mere

from model_files import convert, digits, forest

DOCUMENTS = ["the cat sat", "a dog ran", "the dog sat down", "cats and dogs", "nothing at all", "ran and ran"]


def people():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"town": rng.choice(["Oslo", "Rome", "Lima"], 90), "age": rng.integers(18, 80, 90),
                         "income": rng.normal(3e4, 1e4, 90), "member": rng.choice([True, False], 90)})


class Sparse(unittest.TestCase):
    def test_every_layout_gives_what_dense_rows_give(self):
        estimator, path = forest()
        X, _ = digits()
        model = mere.open(path)
        expected = estimator.predict_proba(X)
        for layout in (scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.coo_matrix, scipy.sparse.csr_array):
            np.testing.assert_array_equal(model.predict_proba(layout(X)), expected)
        single = scipy.sparse.csr_matrix(X.astype(np.float32))
        single.indptr = single.indptr.astype(np.int64)
        np.testing.assert_array_equal(model.predict_proba(single), expected)

    def test_indices_that_lie_are_an_error(self):
        _, path = forest()
        model = mere.open(path)
        rows = scipy.sparse.csr_matrix(np.eye(4, 64))
        rows.indices[1] = 900
        with self.assertRaises(mere.MismatchError):
            model.predict(rows)
        rows = scipy.sparse.csr_matrix(np.eye(4, 64))
        rows.indptr[1] = 99
        with self.assertRaises(mere.MismatchError):
            model.predict(rows)


class Tables(unittest.TestCase):
    def test_texts_and_numbers_by_name_in_any_order(self):
        table = people()
        target = (table["age"] > 40) ^ (table["town"] == "Rome")
        estimator = make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town"]), (StandardScaler(), ["age", "income"])),
            RandomForestClassifier(10, random_state=0)).fit(table, target)
        model = mere.open(convert(estimator, "people", "--program", "with"))
        expected = estimator.predict_proba(table)
        for asked in (table, table[["income", "town", "member", "age"]], table.astype({"town": "category"}),
                      table.assign(more="x")):
            np.testing.assert_array_equal(model.predict_proba(asked), expected)
        unseen = table.assign(town="Paris")
        np.testing.assert_array_equal(model.predict_proba(unseen), estimator.predict_proba(unseen))
        with self.assertRaises(mere.Error) as caught:
            model.predict(table.drop(columns="age"))
        self.assertIn("age", str(caught.exception))
        with self.assertRaises(mere.Error):
            model.predict(table.assign(age="old"))


class Documents(unittest.TestCase):
    def test_a_list_of_texts_goes_through_its_vectorizer(self):
        estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(DOCUMENTS, [0, 1, 1, 1, 0, 1])
        model = mere.open(convert(estimator, "documents", "--program", "with"))
        asked = DOCUMENTS + ["", "Dogs! dogs; and the CAT"]
        np.testing.assert_allclose(model.predict_proba(asked), estimator.predict_proba(asked), rtol=1e-12)
        np.testing.assert_array_equal(model.predict(np.array(asked)), estimator.predict(asked))


if __name__ == "__main__":
    unittest.main()
