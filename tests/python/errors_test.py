"""mere::Error as Python's exceptions."""
import errno
import pathlib
import pickle
import unittest

import mere
from mere import _core

from model_files import folder, forest


class Exceptions(unittest.TestCase):
    def test_every_reason_has_a_class_of_its_code(self):
        for reason in _core.reasons():
            with self.assertRaises(mere.Error) as caught:
                _core.raise_error(reason, "x.mere: what was found")
            self.assertEqual(caught.exception.reason, reason)
            self.assertTrue(caught.exception.code)
            self.assertIn("x.mere", str(caught.exception))

    def test_each_is_also_the_built_in_error_that_fits(self):
        for reason, kind in [("out_of_memory", MemoryError), ("no_file", FileNotFoundError), ("no_path", KeyError),
                             ("wrong_shape", ValueError), ("forbidden_global", ValueError), ("system_call", OSError)]:
            with self.assertRaises(kind):
                _core.raise_error(reason, "x")
        for reason in ("checksum", "too_large"):
            with self.assertRaises(mere.Error) as caught:
                _core.raise_error(reason, "x")
            self.assertNotIsInstance(caught.exception, (ValueError, OSError, MemoryError))

    def test_the_number_of_the_system_is_kept(self):
        with self.assertRaises(OSError) as caught:
            mere.open("/proc/self/mem/no")
        self.assertEqual(caught.exception.errno, errno.ENOTDIR)
        with self.assertRaises(FileNotFoundError) as caught:
            mere.open(folder() / "none.mere")
        self.assertEqual(caught.exception.errno, errno.ENOENT)

    def test_they_survive_a_pickle(self):
        for reason in _core.reasons():
            try:
                _core.raise_error(reason, "a message")
            except mere.Error as error:
                copy = pickle.loads(pickle.dumps(error))
                self.assertIs(type(copy), type(error))
                self.assertEqual((str(copy), copy.reason, copy.code), (str(error), reason, error.code))

    def test_a_damaged_file_is_corrupt(self):
        _, path = forest()
        damaged = folder() / "damaged.mere"
        bytes_ = bytearray(path.read_bytes())
        bytes_[-20] ^= 1
        damaged.write_bytes(bytes_)
        with self.assertRaises(mere.CorruptError):
            mere.open(damaged)
        damaged.write_bytes(bytes_[:1000])
        with self.assertRaises(mere.CorruptError) as caught:
            mere.open(damaged)
        self.assertIn("damaged.mere", str(caught.exception))

    def test_a_folder_and_another_kind_of_file_are_named(self):
        with self.assertRaises(mere.UnsupportedError) as caught:
            mere.open(folder())
        self.assertEqual(caught.exception.reason, "not_regular")
        text = folder() / "text"
        text.write_text("no model, but long enough to be looked at" * 10)
        with self.assertRaises(mere.CorruptError) as caught:
            mere.open(pathlib.Path(text))
        self.assertEqual(caught.exception.reason, "bad_magic")


if __name__ == "__main__":
    unittest.main()
