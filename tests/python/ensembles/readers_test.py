"""Libraries that read trees read those of a loaded ensemble, and leave it as it is."""
import unittest

import numpy as np
from ensemble_files import fitted, load, rows

import mere
from mere._ensembles import is_shared


class Readers(unittest.TestCase):
    def test_treelite_imports_what_it_imports_of_the_plain_ones(self):
        try:
            import treelite
        except ImportError:
            self.skipTest("treelite is not installed")
        for name in ("forest", "forest of numbers", "boosting of two classes", "boosting of numbers",
                     "isolation forest", "histogram boosting of numbers"):
            try:
                expected = treelite.sklearn.import_model(fitted()[name]).dump_as_json()
            except Exception as error:
                self.skipTest(f"treelite does not read this scikit-learn: {error}")
            loaded = load(name)
            self.assertEqual(treelite.sklearn.import_model(loaded).dump_as_json(), expected, name)
            self.assertTrue(is_shared(loaded), name)

    def test_shap_explains_as_it_explains_the_plain_ones(self):
        try:
            import shap
        except ImportError:
            self.skipTest("shap is not installed")
        for name in ("forest of numbers", "boosting of two classes", "isolation forest", "tree of numbers"):
            x = rows()[3][:5]
            try:
                expected = shap.TreeExplainer(fitted()[name]).shap_values(x)
            except Exception as error:
                self.skipTest(f"shap does not explain this scikit-learn: {error}")
            loaded = load(name)
            np.testing.assert_array_equal(shap.TreeExplainer(loaded).shap_values(x), expected, err_msg=name)
            self.assertTrue(is_shared(loaded), name)

    def test_who_asks_for_the_exact_type_gets_it_by_detaching(self):
        forest = load("forest")
        self.assertIs(forest.__class__, type(fitted()["forest"]))
        self.assertIsNot(type(forest), type(fitted()["forest"]))
        self.assertIs(type(mere.detach(forest)), type(fitted()["forest"]))


if __name__ == "__main__":
    unittest.main()
