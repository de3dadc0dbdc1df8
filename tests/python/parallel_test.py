"""joblib.Parallel over arrays of a model: passed by the file's name, and never another file's numbers."""
import os
import pathlib
import shutil
import tempfile
import unittest

import joblib
import numpy as np
from joblib._memmapping_reducer import _get_backing_memmap

import mere

from model_files import folder

VALUES = np.arange(500_000.0)


def dumped(name, value=VALUES, **options):
    path = folder() / name
    mere.dump({"a": value, "b": value[10:20].copy()}, path, **options)
    return path


def backing_file_and_sum(array):
    backing = _get_backing_memmap(array)
    return None if backing is None else str(backing.filename), float(array.sum())


def in_worker(array):
    # By pickling arguments: a threshold of 0 has every array taken as a memmap.
    return joblib.Parallel(n_jobs=2, max_nbytes=1)(joblib.delayed(backing_file_and_sum)(part) for part in (array, array))


class Passing(unittest.TestCase):
    def test_a_worker_maps_the_file_itself(self):
        path = dumped("passed.mere")
        for array in (mere.load(path)["a"], mere.load(path, mmap_mode="c")["a"], mere.open(path)["a"],
                      mere.load(path)["a"][5:][::2], np.asarray(mere.load(path)["a"].base)[0, :100]):
            for filename, total in in_worker(array):
                self.assertEqual(filename, str(path))
                self.assertEqual(total, float(array.sum()))

    def test_arrays_of_either_order_arrive_as_they_are(self):
        rows = np.arange(12000.0).reshape(4000, 3)
        values = [rows, np.asfortranarray(rows), rows[::2], rows.reshape(20, 200, 3).transpose(2, 1, 0)]
        with tempfile.TemporaryDirectory() as folder:
            found = mere.load(mere.dump(values, folder + "/m")[0])
            arrived = joblib.Parallel(n_jobs=2)(joblib.delayed(np.array)(array) for array in found)
        for value, array in zip(values, arrived):
            np.testing.assert_array_equal(array, value)

    def test_a_compressed_file_is_passed_by_its_expanded_copy(self):
        os.environ["MERE_CACHE_DIR"] = str(folder() / "parallel-cache")
        try:
            array = mere.load(dumped("small.mere", compress="zlib"))["a"]
            for filename, total in in_worker(array):
                self.assertTrue(filename.startswith(os.environ["MERE_CACHE_DIR"]))
                self.assertEqual(total, VALUES.sum())
            # Evicted: the map lives on, and nobody else can have it by name.
            for entry in pathlib.Path(os.environ["MERE_CACHE_DIR"]).rglob("*"):
                if entry.is_file():
                    entry.unlink()
            self.assert_refused_or_equal(array)
        finally:
            del os.environ["MERE_CACHE_DIR"]

    def assert_refused_or_equal(self, array):
        try:
            for _, total in in_worker(array):
                self.assertEqual(total, VALUES.sum())
        except mere.MismatchError as error:
            self.assertEqual(error.reason, "file_replaced")
        except Exception as error:  # loky wraps what pickling an argument raises
            self.assertIn("name", str(error.__cause__ or error))
        np.testing.assert_array_equal(array, VALUES)

    def test_a_file_that_was_replaced_or_unlinked(self):
        path = dumped("replaced-later.mere")
        array = mere.load(path)["a"]
        os.replace(dumped("other.mere", -VALUES), path)
        self.assert_refused_or_equal(array)
        os.unlink(path)
        self.assert_refused_or_equal(array)

    def test_a_file_replaced_between_sending_and_opening(self):
        import pickle

        path = dumped("raced.mere")
        name = pickle.dumps(mere.load(path)["a"].base.filename)
        self.assertEqual(pickle.loads(name), str(path))
        shutil.copy(dumped("other.mere", -VALUES), folder() / "copy.mere")
        os.replace(folder() / "copy.mere", path)
        with self.assertRaises(mere.MismatchError):
            pickle.loads(name)

    def test_pickling_an_array_by_itself_copies_its_values(self):
        import pickle

        array = mere.load(dumped("pickled.mere"))["a"]
        copy = pickle.loads(pickle.dumps(array))
        self.assertIs(type(copy), np.ndarray)
        np.testing.assert_array_equal(copy, array)
        self.assertIs(type(pickle.loads(pickle.dumps(array.base[:10]))), np.ndarray)


if __name__ == "__main__":
    unittest.main()
