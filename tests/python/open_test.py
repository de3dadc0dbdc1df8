"""mere.open: the file without the types."""
import gc
import os
import pickle
import shutil
import subprocess
import sys
import threading
import unittest

import joblib
import numpy as np
from joblib._memmapping_reducer import _get_backing_memmap

import mere

from model_files import containers, convert, digits, folder, forest


class Values(unittest.TestCase):
    def test_leaves_and_arrays_are_pythons_and_numpys(self):
        value, path = containers()
        model = mere.open(path)
        self.assertEqual(model.keys(), list(value))
        for key in ("none", "yes", "int", "big", "negative", "complex", "text", "bytes", "dtype"):
            self.assertEqual(model[key], value[key])
            self.assertIs(type(model[key]), type(value[key]) if key != "dtype" else type(model[key]))
        self.assertEqual(str(model["real"]), "-0.0")
        self.assertIs(type(model["scalar"]), np.float32)
        for key in ("array", "view", "record", "time", "fortran", "empty", "zero_d"):
            array = model[key]
            self.assertIs(type(array), np.ndarray)
            self.assertEqual((array.dtype, array.shape), (value[key].dtype, value[key].shape))
            np.testing.assert_array_equal(array, value[key])
        self.assertTrue(model["fortran"].flags.f_contiguous)

    def test_keys_of_any_kind_and_containers(self):
        value, path = containers()
        model = mere.open(path)
        self.assertEqual(model[7], "seven")
        self.assertIn(7, model)
        self.assertNotIn(8, model)
        self.assertNotIn("nothing", model)
        self.assertEqual(list(model["tuple"]), [1, "a"])
        self.assertEqual(model["list"][1][-1], 3)
        self.assertEqual(sorted(model["set"]), [1, 2, 3])
        self.assertEqual(len(model), len(value))
        self.assertEqual(model["objects"].kind, "array")
        self.assertEqual(model["objects"].shape, (2,))
        self.assertEqual(list(model["objects"]), [None, "x"])

    def test_what_is_not_there_is_a_key_error(self):
        _, path = containers()
        model = mere.open(path)
        for ask in (lambda: model["nothing"], lambda: model["list"][5], lambda: model.at("list[5]"), lambda: model[99]):
            with self.assertRaises(KeyError):
                ask()
        with self.assertRaises(TypeError):
            model["list"][1.5]

    def test_paths_lead_into_estimators(self):
        estimator, path = forest()
        model = mere.open(path)
        np.testing.assert_array_equal(model.at("estimators_[3].tree_.nodes"),
                                      estimator.estimators_[3].tree_.__getstate__()["nodes"])
        self.assertEqual(model["estimators_"][3]["tree_"].type_name, "sklearn.tree._tree.Tree")
        self.assertEqual(model["estimators_"][3].path, "estimators_[3]")
        self.assertEqual(model["n_estimators"], 20)
        self.assertIn("classes_", model.keys())

    def test_a_model_that_is_one_array_or_value(self):
        self.assertEqual(mere.open(convert(7, "seven")).root, 7)
        np.testing.assert_array_equal(mere.open(convert(np.arange(9), "nine")).root, np.arange(9))


class Maps(unittest.TestCase):
    def test_arrays_are_views_of_one_memmap_that_joblib_passes_by_name(self):
        _, path = forest()
        model = mere.open(path)
        first, second = model["classes_"], model.at("estimators_[0].tree_.nodes")
        self.assertIs(first.base, second.base)
        backing = _get_backing_memmap(first)
        self.assertIsInstance(backing, np.memmap)
        self.assertEqual(backing.filename, str(path))
        self.assertFalse(first.flags.writeable)

    def test_private_writable_pages_leave_the_file_alone(self):
        _, path = containers()
        before = path.read_bytes()
        array = mere.open(path, mmap_mode="c")["array"]
        array[0] = 99
        self.assertEqual(array[0], 99)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(mere.open(path)["array"][0], 0)
        with self.assertRaises(ValueError) as caught:
            mere.open(path, mmap_mode="r+")
        self.assertIn("'c'", str(caught.exception))

    def test_a_replaced_file_is_never_taken_for_the_mapped_one(self):
        _, path = containers()
        mine = folder() / "replaced.mere"
        shutil.copy(path, mine)
        model = mere.open(mine)
        array = model["array"]
        self.assertFalse(model.stale())
        shutil.copy(path, folder() / "other.mere")
        os.replace(folder() / "other.mere", mine)
        self.assertTrue(model.stale())
        with self.assertRaises(mere.MismatchError) as caught:
            _get_backing_memmap(array).filename
        self.assertEqual(caught.exception.reason, "file_replaced")
        os.unlink(mine)
        with self.assertRaises(mere.MismatchError):
            _get_backing_memmap(array).filename
        np.testing.assert_array_equal(array, np.arange(5000.0))

    def test_arrays_live_on_after_close(self):
        _, path = containers()
        with mere.open(path) as model:
            array = model["array"]
        self.assertTrue(model.closed)
        with self.assertRaises(mere.MismatchError):
            model["array"]
        del model
        gc.collect()
        self.assertEqual(array[4999], 4999)

    def test_compressed_files_are_expanded_once_and_mapped(self):
        estimator, path = forest()
        small = folder() / "small.mere"
        subprocess.run([os.environ["MERE_COMMAND"], "convert", "-q", "--codec", "zlib", path, small], check=True)
        os.environ["MERE_CACHE_DIR"] = str(folder() / "cache")
        try:
            model = mere.open(small)
            self.assertEqual(model.content_id, mere.open(path).content_id)
            backing = _get_backing_memmap(model.at("estimators_[0].tree_.nodes"))
            self.assertTrue(backing.filename.startswith(str(folder() / "cache")))
            np.testing.assert_array_equal(model.predict(digits()[0]), estimator.predict(digits()[0]))
        finally:
            del os.environ["MERE_CACHE_DIR"]

    def test_a_file_object_is_mapped_by_its_descriptor(self):
        _, path = containers()
        with open(path, "rb") as file:
            model = mere.open(file)
        self.assertEqual(model["int"], 3)
        with self.assertRaises(TypeError):
            pickle.dumps(model)


class References(unittest.TestCase):
    def test_a_pickle_is_path_and_content_id(self):
        _, path = forest()
        model = mere.open(path)
        text = pickle.dumps(model)
        self.assertLess(len(text), 400)
        self.assertEqual(pickle.loads(text).content_id, model.content_id)

    def test_another_model_by_that_name_is_refused(self):
        _, path = forest()
        mine = folder() / "reference.mere"
        shutil.copy(path, mine)
        text = pickle.dumps(mere.open(mine))
        shutil.copy(containers()[1], mine)
        with self.assertRaises(mere.MismatchError) as caught:
            pickle.loads(text)
        self.assertEqual(caught.exception.reason, "content_differs")

    def test_joblib_workers_predict_by_reference(self):
        estimator, path = forest()
        X, _ = digits()
        model = mere.open(path)
        parts = joblib.Parallel(2)(joblib.delayed(model.predict)(part) for part in np.array_split(X, 2))
        np.testing.assert_array_equal(np.concatenate(parts), estimator.predict(X))


class Looking(unittest.TestCase):
    def test_inspect_is_a_table_and_html(self):
        _, path = forest()
        inspection = mere.open(path).inspect()
        self.assertIn("RandomForestClassifier", str(inspection))
        self.assertIn("classes_", str(inspection))
        self.assertIn("<table>", inspection._repr_html_())
        hostile = convert({"<script>": "</table><script>alert(1)</script>"}, "hostile")
        self.assertNotIn("<script>", mere.open(hostile).inspect()._repr_html_())

    def test_info_metadata_and_sums(self):
        _, path = forest()
        model = mere.open(path)
        self.assertEqual(model.info()["file_bytes"], path.stat().st_size)
        self.assertIn("scikit-learn", model.metadata["versions"])
        model.verify()
        self.assertEqual(len(model.sha256()), 64)

    def test_nothing_of_the_library_is_imported(self):
        _, path = forest()
        program = ("import sys, mere; m = mere.open(sys.argv[1]); m.inspect(); m.predict([[0.0] * 64]);"
                   "bad = [n for n in sys.modules if n.startswith(('sklearn', 'joblib', 'scipy', 'pandas'))]; assert not bad, bad")
        subprocess.run([sys.executable, "-c", program, path], check=True)

    def test_threads_share_one_model(self):
        estimator, path = forest()
        X, _ = digits()
        expected = estimator.predict_proba(X)
        model = mere.open(path)
        wrong = []

        def work():
            for _ in range(5):
                if not np.array_equal(model.predict_proba(X), expected) or model.at("n_estimators") != 20:
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_forked_child_predicts(self):
        estimator, path = forest()
        X, _ = digits()
        model = mere.open(path)
        model.predict(X[:1])
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(model.predict(X), estimator.predict(X)) else 1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


if __name__ == "__main__":
    unittest.main()
