"""What joblib.dump and joblib.load do, asked of joblib and of mere in the same test."""
import gzip
import inspect
import io
import os
import pathlib
import tempfile
import unittest

import joblib
import numpy as np

import mere

VALUE = {"a": np.arange(10000.0), "b": [1, "two", None]}


class Manners(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def both(self, call):
        """The same call of joblib and of mere: what each returned, or the type of what it raised."""
        found = []
        for library, name in ((joblib, "joblib"), (mere, "mere")):
            try:
                found.append(call(library, self.path / name))
            except Exception as error:  # noqa: BLE001: which one is the question
                found.append(error)
        return found

    def same(self, found, expected):
        self.assertEqual(found["b"], expected["b"])
        np.testing.assert_array_equal(found["a"], expected["a"])

    def test_dump_returns_the_name_in_a_list_and_a_path_becomes_a_text(self):
        for make in (str, pathlib.Path):
            theirs, ours = self.both(lambda library, path: library.dump(VALUE, make(path)))
            self.assertEqual(theirs, [str(self.path / "joblib")])
            self.assertEqual(ours, [str(self.path / "mere")])

    def test_a_file_object_gets_the_bytes_and_none_is_returned(self):
        for library in (joblib, mere):
            file = io.BytesIO()
            self.assertIsNone(library.dump(VALUE, file))
            file.seek(0)
            self.same(library.load(file), VALUE)

    def test_a_file_that_is_open_for_writing_is_written_where_it_stands(self):
        for library in (joblib, mere):
            path = self.path / "open"
            with open(path, "wb") as file:
                file.write(b"head")
                library.dump(VALUE, file)
                self.assertEqual(file.tell(), os.stat(path).st_size if not file.flush() else 0)
            with open(path, "rb") as file:
                file.seek(4)
                self.same(library.load(file), VALUE)

    def test_what_a_file_object_makes_of_bytes_is_its_own_matter(self):
        for library in (joblib, mere):
            path = self.path / "packed"
            with gzip.open(path, "wb") as file:
                library.dump(VALUE, file)
            with gzip.open(path, "rb") as file:
                self.same(library.load(file), VALUE)

    def test_swapped_arguments_are_a_value_error_that_names_the_mistake(self):
        for error in self.both(lambda library, path: library.dump(str(path), VALUE)):
            self.assertIsInstance(error, ValueError)
            self.assertIn("econd argument", str(error))

    def test_compress_takes_the_same_forms(self):
        for compress in (0, False, True, 1, 9, "zlib", "gzip", ("zlib", 0), ("zlib", 3), ("gzip", 9)):
            theirs, ours = self.both(lambda library, path: library.dump(VALUE, path, compress))
            self.assertIsInstance(theirs, list, compress)
            self.assertIsInstance(ours, list, compress)
            self.same(mere.load(self.path / "mere"), VALUE)
            packed = not (compress in (0, False) and compress is not True or compress == ("zlib", 0))
            found = mere.info(self.path / "mere")
            self.assertEqual(found["codecs"] != ["none"] or found["filters"] != [], packed, compress)
            self.assertEqual(os.stat(self.path / "joblib").st_size < 80000, packed, compress)

    def test_compress_refuses_the_same_forms(self):
        for compress in (10, -1, "rar", ("zlib",), ("zlib", 3, 3), ("zlib", 10), ("rar", 3)):
            for error in self.both(lambda library, path: library.dump(VALUE, path, compress)):
                self.assertIsInstance(error, ValueError, compress)

    def test_an_extension_implies_compression_unless_it_is_given(self):
        for extension, compress, packed in ((".z", 0, True), (".gz", 0, True), (".gz", 5, True), (".z", ("zlib", 0),
                                                                                                  False),
                                            (".x", 0, False)):
            for library in (joblib, mere):
                path = self.path / (library.__name__ + extension)
                library.dump(VALUE, path, compress)
                self.assertEqual(os.stat(path).st_size < 80000, packed, (library, extension, compress))

    def test_codecs_that_a_file_does_not_have_are_named(self):
        for compress, name in (("bz2", "m"), ("xz", "m"), ("lzma", "m"), (0, "m.bz2"), (0, "m.xz"), (0, "m.lzma")):
            with self.assertRaisesRegex(ValueError, "zlib.*lz4.*zstd"):
                mere.dump(VALUE, self.path / name, compress)

    def test_lz4_is_lz4(self):
        for compress in ("lz4", ("lz4", 1), ("lz4", 9)):
            mere.dump(VALUE, self.path / "m", compress)
            self.assertEqual(mere.info(self.path / "m")["codecs"], ["lz4"])
            self.same(mere.load(self.path / "m"), VALUE)

    def test_protocol_is_accepted(self):
        for library in (joblib, mere):
            self.same(library.load(library.dump(VALUE, self.path / "p", 0, 4)[0]), VALUE)
            self.same(library.load(library.dump(VALUE, self.path / "p", protocol=2)[0]), VALUE)

    def test_the_first_parameters_are_named_alike(self):
        for name in ("dump", "load"):
            theirs = list(inspect.signature(getattr(joblib, name)).parameters)
            ours = list(inspect.signature(getattr(mere, name)).parameters)
            self.assertEqual([each for each in theirs if each not in ours], [])
            self.assertEqual(ours[:len(theirs)], theirs)

    def test_modes_that_map_give_views_and_none_gives_copies(self):
        for library in (joblib, mere):
            path = library.dump(VALUE, self.path / library.__name__)[0]
            mapped = library.load(path, mmap_mode="r")["a"]
            self.assertFalse(mapped.flags.writeable)
            with self.assertRaises(ValueError):
                mapped[0] = 1
            private = library.load(path, mmap_mode="c")["a"]
            private[0] = 7
            self.assertEqual(library.load(path)["a"][0], 0)
            copy = library.load(path, mmap_mode=None)["a"]
            self.assertIs(type(copy), np.ndarray)
            self.assertTrue(copy.flags.writeable)
        self.assertTrue(copy.flags.owndata)  # mere's; joblib's may lie in a buffer

    def test_the_default_is_a_map_and_joblibs_is_a_copy(self):
        path = mere.dump(VALUE, self.path / "m")[0]
        self.assertFalse(mere.load(path)["a"].flags.writeable)
        self.assertIsInstance(mere.load(path)["a"].base, np.memmap)
        self.assertTrue(joblib.load(joblib.dump(VALUE, self.path / "j")[0])["a"].flags.writeable)

    def test_modes_that_write_into_the_file_are_refused_and_c_is_named(self):
        path = mere.dump(VALUE, self.path / "m")[0]
        for mode in ("r+", "w+"):
            with self.assertRaisesRegex(ValueError, "'c'"):
                mere.load(path, mmap_mode=mode)
        for mode in ("x", 3):
            with self.assertRaises(ValueError):
                mere.load(path, mmap_mode=mode)

    def test_native_byte_order_needs_copies(self):
        value = {"a": np.arange(5, dtype=">f8"), "b": [1]}
        path = mere.dump(value, self.path / "m")[0]
        with self.assertRaises(ValueError):
            mere.load(path, mmap_mode="r", ensure_native_byte_order=True)
        for loaded in (mere.load(path, ensure_native_byte_order=True), mere.load(path, None)):
            self.assertTrue(loaded["a"].dtype.isnative)
            self.assertTrue(loaded["a"].flags.owndata)
            self.same(loaded, value)
        self.assertEqual(mere.load(path)["a"].dtype, value["a"].dtype)
        with self.assertRaises(ValueError):
            mere.load(path, ensure_native_byte_order="yes")
        if "ensure_native_byte_order" in inspect.signature(joblib.load).parameters:
            theirs = joblib.dump(value, self.path / "j")[0]
            self.assertTrue(joblib.load(theirs)["a"].dtype.isnative)
            with self.assertRaises(ValueError):
                joblib.load(theirs, mmap_mode="r", ensure_native_byte_order=True)

    def test_a_shared_array_stays_shared_where_joblib_writes_it_twice(self):
        a = np.arange(100.0)
        theirs, ours = self.both(lambda library, path: library.load(library.dump([a, a, a[10:]], path)[0]))
        self.assertIsNot(theirs[0], theirs[1])
        self.assertIs(ours[0], ours[1])
        self.assertTrue(np.shares_memory(ours[0], ours[2]))

    def test_what_is_not_there_is_a_file_not_found_error(self):
        for error in self.both(lambda library, path: library.load(path / "nowhere")):
            self.assertIsInstance(error, FileNotFoundError)

    def test_what_cannot_be_pickled_is_refused_by_both(self):
        import threading
        for error in self.both(lambda library, path: library.dump({"a": threading.Lock()}, path)):
            self.assertIsInstance(error, TypeError)
        self.assertFalse((self.path / "mere").exists())

    def test_an_error_leaves_the_old_file(self):
        path = self.path / "m"
        mere.dump(VALUE, path)
        with self.assertRaises(TypeError):
            mere.dump((1 for _ in ()), path)
        self.same(mere.load(path), VALUE)
        self.assertEqual(os.listdir(self.path), ["m"])
