"""mere.load of files that skops, safetensors and NumPy wrote: the same as by their pickles, and nothing is run."""
import io
import json
import math
import os
import pathlib
import pickle
import struct
import sys
import tempfile
import unittest
import warnings
import zipfile
import zlib

import numpy as np
import scipy.sparse

import mere

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "estimators"))
from fitted_estimators import fitted  # noqa: E402

DATA = pathlib.Path(os.environ.get("MERE_TEST_DATA", pathlib.Path(__file__).parent.parent / "data"))

# What old releases of skops did not write, so that their own load fails too; by name of the file, the last release.
LOST_BY_SKOPS = {"bytes": "0.4", "functions": "0.4", "operators": "0.4", "reduced": "0.11"}


class Trap:
    """Its pickle runs a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def release(text):
    return [int(part) for part in text.split(".")]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def every_way(self, path, **options):
        """What a file holds, by each way to load it."""
        for mmap_mode in ("r", "c", None):
            yield mere.load(path, mmap_mode, **options)
        yield mere.loads(path.read_bytes(), **options)
        yield mere.load(io.BytesIO(path.read_bytes()), **options)
        with open(path, "rb") as file:
            yield mere.load(file, **options)

    def assert_same_array(self, found, expected):
        self.assertIs(type(found), np.ndarray)
        self.assertEqual((found.dtype, found.shape), (expected.dtype, expected.shape))
        np.testing.assert_array_equal(found, expected)


class Safetensors(Case):
    def expected(self, file):
        lines = (DATA / "safetensors" / "expected.txt").read_text(encoding="utf-8").split("\n")
        rows = [line.split("\t") for line in lines if line.startswith(file)]
        self.assertTrue(rows)
        return {row[1].replace("\\n", "\n"): row[2:] for row in rows}

    def test_tensors_of_each_type_are_arrays_over_one_map(self):
        for file in ("numpy.safetensors", "old.safetensors"):
            expected = self.expected(file)
            for found in self.every_way(DATA / "safetensors" / file):
                self.assertEqual(len(found), len(expected))
                for name, (dtype, shape, crc) in expected.items():
                    array = next(value for key, value in found.items() if key.startswith(name))
                    self.assertIs(type(array), np.ndarray)
                    self.assertEqual(array.dtype.str, dtype)
                    self.assertEqual(",".join(map(str, array.shape)), shape)
                    self.assertEqual(f"{zlib.crc32(array.tobytes()):08x}", crc)
            bases = {id(array.base) for array in mere.load(DATA / "safetensors" / file).values() if array.size}
            self.assertEqual(len(bases), 1)

    def test_small_floats_are_those_of_ml_dtypes_and_their_lack_is_named(self):
        path = DATA / "safetensors" / "all.safetensors"
        try:
            import ml_dtypes
        except ImportError:
            with self.assertRaisesRegex(mere.UnsupportedError, "ml_dtypes"):
                mere.load(path)
            return
        self.assertEqual(mere.load(path)["bfloat16"].dtype, np.dtype(ml_dtypes.bfloat16))

    def test_what_the_library_writes_is_what_it_reads(self):
        try:
            from safetensors.numpy import load_file, save_file
        except ImportError:
            self.skipTest("safetensors is not installed")
        values = {"weight": np.random.RandomState(0).rand(40, 7).astype("f4"), "bias": np.arange(7, dtype="f8"),
                  "half": np.ones((2, 3), "f2"), "none": np.zeros((0, 4), "i8"), "flags": np.array([True, False])}
        save_file(values, self.path / "w.safetensors", {"format": "np"})
        expected = load_file(self.path / "w.safetensors")
        for found in self.every_way(self.path / "w.safetensors"):
            self.assertEqual(set(found), set(expected))
            for name in expected:
                self.assert_same_array(found[name], expected[name])

    def test_hostile_headers_are_refused(self):
        good = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
        for header in ({"a": {**good, "data_offsets": [0, 16]}}, {"a": {**good, "shape": [2**62, 8]}},
                       {"a": {**good, "shape": [-1]}}, {"a": {**good, "dtype": "F99"}},
                       {"a": good, "b": {**good, "data_offsets": [4, 12]}}, {"a": {**good, "data_offsets": [8, 0]}}):
            text = json.dumps(header).encode()
            data = struct.pack("<Q", len(text)) + text + bytes(8)
            with self.assertRaises(mere.Error, msg=header):
                mere.loads(data)
        with self.assertRaises(mere.Error):
            mere.loads(struct.pack("<Q", 1 << 60) + b'{"a": ')


class Npz(Case):
    VALUES = {"a": np.arange(12.0).reshape(3, 4), "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
              "big": np.arange(3, dtype=">i4"), "text": np.array(["a", "bcd"]), "empty": np.zeros((0, 2)),
              "record": np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8")]), "zero_d": np.array(4),
              "time": np.array(["2020-01-01", "NaT"], "M8[D]")}

    def test_members_are_arrays_as_numpy_reads_them(self):
        for save in (np.savez, np.savez_compressed):
            path = self.path / "a.npz"
            save(path, **self.VALUES)
            for i, found in enumerate(self.every_way(path)):
                self.assertEqual(set(found), set(self.VALUES))
                for name, expected in self.VALUES.items():
                    if i == 2:  # copies are in this machine's byte order
                        expected = expected.astype(expected.dtype.newbyteorder("="))
                    self.assert_same_array(found[name], expected)

    def test_arrays_of_objects_are_judged_as_a_pickle_is(self):
        objects = np.array([[1, "x"], [None, 2.5]], object)
        np.savez(self.path / "o.npz", numbers=np.arange(4), objects=objects)
        for path in (self.path / "o.npz", DATA / "npy" / "mixed.npz", DATA / "npy" / "mixed_deflated.npz"):
            for found in self.every_way(path):
                self.assertEqual(set(found), {"numbers", "objects"})
                self.assertEqual(found["objects"].dtype, object)
                if path.name == "o.npz":
                    self.assertEqual(found["objects"].tolist(), objects.tolist())
        np.savez(self.path / "evil.npz", x=np.array([1, Trap(f"touch {self.path / 'run'}")], object))
        with self.assertRaises(mere.UntrustedError) as raised:
            mere.load(self.path / "evil.npz")
        self.assertEqual(raised.exception.names, [f"{os.system.__module__}.system"])
        self.assertFalse((self.path / "run").exists())

    def test_a_zip_archive_of_other_things_is_refused(self):
        with zipfile.ZipFile(self.path / "a.zip", "w") as archive:
            archive.writestr("readme.txt", "text")
        with self.assertRaises(mere.Error):
            mere.load(self.path / "a.zip")


def differences(a, b, at="", met=None):
    """Where two values differ, as texts."""
    met = {} if met is None else met
    if (id(a), id(b)) in met:
        return
    met[id(a), id(b)] = a, b  # held, so that no later value takes their place
    if type(a) is not type(b):
        yield f"{at}: {type(a)} and {type(b)}"
    elif scipy.sparse.issparse(a):
        # skops keeps neither the flags nor the order of attributes.
        if hasattr(a, "nnz") and hasattr(b, "nnz"):
            yield from differences(a.toarray(), b.toarray(), at + ".toarray()", met)
        else:  # coordinates of another scipy, which has no conversion either
            yield from differences(a.data, b.data, at + ".data", met)
    elif isinstance(a, (np.random.Generator, np.random.RandomState)):
        # Nor, before its protocol 2, what a generator was seeded by.
        states = [one.bit_generator.state if isinstance(one, np.random.Generator)
                  else one.get_state(legacy=False) for one in (a, b)]
        yield from differences(*states, at + ".state", met)
    elif isinstance(a, np.ma.MaskedArray):
        # Nor fill_value.
        yield from differences(np.ma.getmaskarray(a), np.ma.getmaskarray(b), at + ".mask", met)
        yield from differences(np.asarray(a), np.asarray(b), at + ".data", met)
    elif isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            yield f"{at}: {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        elif a.dtype == object:
            yield from differences(a.tolist(), b.tolist(), at, met)
        elif a.tobytes() != b.tobytes():
            yield f"{at}: {a} and {b}"
    elif isinstance(a, float) and math.isnan(a):
        if not math.isnan(b):
            yield f"{at}: {a} and {b}"
    elif isinstance(a, dict):
        if list(map(repr, a)) != list(map(repr, b)):
            yield f"{at}: keys {list(a)} and {list(b)}"
        else:
            for (key, x), y in zip(a.items(), b.values()):
                yield from differences(x, y, f"{at}[{key!r}]", met)
    elif isinstance(a, (list, tuple)):
        if len(a) != len(b):
            yield f"{at}: {len(a)} and {len(b)} items"
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{at}[{i}]", met)
    elif isinstance(a, (type, np.ufunc, str, bytes, bytearray, int, float, complex, set, frozenset, range, type(None))):
        if a != b:
            yield f"{at}: {a!r} and {b!r}"
    elif a is not b:
        try:
            parts = a.__reduce_ex__(4), b.__reduce_ex__(4)
        except TypeError:
            parts = repr(a), repr(b)
        if not isinstance(parts[0], tuple):
            if parts[0] != parts[1]:
                yield f"{at}: {parts[0]!r} and {parts[1]!r}"
            return
        for i, (x, y) in enumerate(zip(*parts)):
            if i > 2 and x is not None:
                x, y = list(x), list(y)
            yield from differences(x, y, f"{at}<{type(a).__name__} {i}>", met)


class Skops(Case):
    def found(self, path):
        """What a file holds, or why the libraries at hand have no place for it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return mere.load(path, trusted=mere.get_untrusted_types(path), native=False), None
            except mere.MismatchError as error:
                return None, error

    def test_files_of_every_release_give_what_their_pickles_give(self):
        compared, refused, lost = 0, 0, 0
        for path in sorted((DATA / "skops").glob("*/*.skops")):
            with self.subTest(f"{path.parent.name}/{path.name}"):
                found, why = self.found(path)
                expected, expected_why = self.found(path.with_suffix(".pkl"))
                if release(path.parent.name) <= release(LOST_BY_SKOPS.get(path.stem, "0.0")):
                    lost += 1
                elif why is not None:
                    # Written by another scikit-learn or scipy: both miss the same name.
                    self.assertEqual(why.reason, expected_why.reason)
                    refused += 1
                else:
                    self.assertEqual(list(differences(found, expected)), [])
                    compared += 1
        self.assertGreater(compared, 100)
        self.assertLess(lost + refused, 30)

    def test_every_way_to_load_gives_the_same(self):
        path = DATA / "skops" / "0.11" / "arrays.skops"
        expected = mere.load(path.with_suffix(".pkl"))
        for i, found in enumerate(self.every_way(path)):
            native = mere.load(path.with_suffix(".pkl"), None) if i == 2 else expected
            self.assertEqual(list(differences(found, native)), [])
        self.assertFalse(mere.load(path)["c"].flags.writeable)
        self.assertTrue(mere.load(path, "c")["c"].flags.writeable)
        self.assertTrue(mere.load(path, None)["c"].flags.owndata)

    def test_names_outside_the_lists_are_refused_and_named(self):
        node = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1}
        version = {"protocol": 2, "_skops_version": "0.11.0"}
        listed = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": 2}
        for schema in ({**node, **version}, {**listed, "content": [node], **version}):
            with zipfile.ZipFile(self.path / "evil.skops", "w") as archive:
                archive.writestr("schema.json", json.dumps(schema))
            with self.assertRaises(mere.UntrustedError) as raised:
                mere.load(self.path / "evil.skops")
            self.assertEqual(raised.exception.names, ["os.system"])
            self.assertEqual(mere.get_untrusted_types(self.path / "evil.skops"), ["os.system"])

    def test_every_estimator_answers_as_it_did(self):
        try:
            import skops.io
        except ImportError:
            self.skipTest("skops is not installed")
        count, unwritten = 0, []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, model, data in fitted():
                X = data[0] if isinstance(data, tuple) else data
                path = self.path / "m.skops"
                try:
                    path.write_bytes(skops.io.dumps(model))
                    # What skops itself makes of its file is the measure.
                    twin = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
                except Exception as error:  # noqa: BLE001: skops cannot, and says so in many ways
                    unwritten.append(f"{name}: {type(error).__name__}")
                    continue
                with self.subTest(name):
                    loaded = mere.load(path, trusted=mere.get_untrusted_types(path))
                    self.assertIsInstance(loaded, type(model))
                    for method in ("predict", "predict_proba", "decision_function", "transform"):
                        if hasattr(twin, method):
                            answers = []
                            for one in (loaded, pickle.loads(pickle.dumps(twin))):
                                np.random.seed(0)
                                try:
                                    answer = getattr(one, method)(X)
                                    answer = answer.toarray() if scipy.sparse.issparse(answer) else answer
                                except Exception as error:  # noqa: BLE001: both are to say the same
                                    answer = f"{type(error).__name__}: {error}"
                                answers.append(answer)
                            self.assertEqual(type(answers[0]), type(answers[1]), answers)
                            if isinstance(answers[0], str):
                                self.assertEqual(*answers)
                            else:
                                for a, b in zip(*(one if isinstance(one, list) else [one] for one in answers)):
                                    np.testing.assert_array_equal(np.asarray(a), np.asarray(b), method)
                count += 1
        self.assertGreater(count, 100, unwritten)


if __name__ == "__main__":
    unittest.main()
