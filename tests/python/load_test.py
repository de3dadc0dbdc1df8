"""mere.load: objects as they were, over one map."""
import collections
import datetime
import decimal
import enum
import fractions
import io
import os
import pathlib
import pickle
import sys
import tempfile
import threading
import unittest
import uuid
import warnings

import joblib
import numpy as np

import mere

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "estimators"))
from fitted_estimators import fitted  # noqa: E402

Point = collections.namedtuple("Point", "x y")


class Color(enum.Enum):
    red = 1


class Plain:
    pass


class Slotted:
    __slots__ = ("a", "b")


class Listed(list):
    pass


class Keyed(dict):
    pass


class WithState:
    def __init__(self):
        self.log = []

    def __getstate__(self):
        return ["state", self]

    def __setstate__(self, state):
        self.log = state


class OfMe:
    """Reduced to a call that takes itself apart."""

    def __init__(self, values):
        self.values = values

    def __reduce__(self):
        return OfMe, (self.values,), {"extra": 5}


HERE = [f"{__name__}.{name}" for name in ("Point", "Color", "Plain", "Slotted", "Listed", "Keyed", "WithState", "OfMe")]


def again(value, **options):
    return mere.loads(mere.dumps(value), trusted=HERE, **options)


class Values(unittest.TestCase):
    def test_plain_values_come_back_equal_and_of_their_type(self):
        for value in (None, True, False, 0, -1, 2**63, -(2**63), 2**64, -(2**200), 1.5, -0.0, float("inf"), 1 + 2j, "",
                      "é\ud800",
                      b"", b"\0", bytearray(b"x"), [], [1], (), (1, (2,)), {}, {"a": 1, 2: "b", (1, 2): None}, set(),
                      {1, "a"}, frozenset(), frozenset({(1,)}), slice(1, None, 2), range(3), Ellipsis, NotImplemented,
                      type(None), int, len, np.float64, np.add, np.float32(1.5), np.datetime64("2020-01-01", "s"),
                      np.dtype("f4"),
                      np.dtype([("a", "i4"), ("b", "f8", (2,))]), datetime.date(2020, 1, 2),
                      datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.timedelta(3),
                      decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5),
                      pathlib.PurePosixPath("/a/b"),
                      collections.OrderedDict(a=1), collections.Counter("aab"), collections.defaultdict(list, a=[1]),
                      collections.deque([1, 2], 5), Point(1, [2]), Color.red):
            with self.subTest(value=repr(value)):
                data = mere.dumps(value)
                found = mere.loads(data, trusted=HERE + mere.get_untrusted_types(data))
                self.assertEqual(found, value)
                self.assertIs(type(found), type(value))
        self.assertTrue(np.isnan(again(float("nan"))))
        self.assertEqual(str(again(-0.0)), "-0.0")

    def test_arrays_come_back_with_type_strides_and_contents(self):
        base = np.arange(60.0).reshape(3, 4, 5)
        for value in (base, base[::-1], base[:, ::2], base.T, base[1:1], np.array(3), np.array("abc"),
                      np.asfortranarray(base),
                      np.array([b"a", b"bc"]), np.arange(3, dtype=">i2"), np.zeros(2, [("a", "i4"), ("b", "f8")]),
                      np.array(["2020"], "M8[ns]"), np.broadcast_to(np.arange(3), (4, 3)), np.array([True, False]),
                      np.array([1, None, "x", [2]], dtype=object), np.empty((2, 0)), np.ones((2, 2), "c16"),
                      np.zeros(3, "V5"), np.longdouble([1, 2])):
            with self.subTest(dtype=value.dtype, shape=value.shape):
                found = again(value)
                self.assertIs(type(found), np.ndarray)
                self.assertEqual(found.dtype, value.dtype)
                np.testing.assert_array_equal(found, value)
                np.testing.assert_array_equal(again(value, mmap_mode=None), value)

    def test_classes_of_arrays_stay(self):
        for value in (np.matrix([[1, 2]]), np.ma.masked_array([1.0, 2.0], [0, 1], fill_value=7),
                      np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
                      np.array([(1, 2.0)], dtype=np.dtype((np.record, [("a", int), ("b", float)])))):
            found = again(value)
            self.assertIs(type(found), type(value))
            self.assertEqual(found.dtype, value.dtype)
            self.assertEqual(repr(found), repr(value))

    def test_a_memmap_and_a_loaded_array_are_dumped_as_arrays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = mere.dump(np.arange(5000.0), folder + "/a")[0]
            first = mere.load(path)
            np.testing.assert_array_equal(again(first), np.arange(5000.0))
            np.testing.assert_array_equal(again([first, first.base])[0], np.arange(5000.0))

    def test_numpys_generators_go_on_where_they_were(self):
        for value in (np.random.RandomState(3), np.random.default_rng(3), np.random.Generator(np.random.Philox(1)),
                      np.random.SFC64(2), np.random.SeedSequence(7)):
            found = again(value)
            self.assertIs(type(found), type(value))
            if hasattr(value, "normal"):
                np.testing.assert_array_equal(found.normal(size=3), value.normal(size=3))

    def test_objects_keep_attributes_slots_items_and_entries(self):
        plain, slotted, listed, keyed = Plain(), Slotted(), Listed([1, 2]), Keyed(a=1)
        plain.x, slotted.a, listed.name, keyed.name = [1], "a", "n", "m"
        a, b, c, d = again((plain, slotted, listed, keyed))
        self.assertEqual(a.x, [1])
        self.assertEqual(b.a, "a")
        self.assertFalse(hasattr(b, "b"))
        self.assertEqual((c, c.name), ([1, 2], "n"))
        self.assertEqual((d, d.name), ({"a": 1}, "m"))
        e = again(OfMe([1]))
        self.assertEqual((e.values, e.extra), ([1], 5))

    def test_names_of_attributes_are_interned(self):
        plain = Plain()
        setattr(plain, "".join(["attri", "bute"]), 1)
        found = again(plain)
        self.assertIs(next(iter(vars(found))), sys.intern("attribute"))


class Sharing(unittest.TestCase):
    def test_what_was_one_object_is_one_object(self):
        a, b = [1], np.arange(3)
        found = again([a, a, {"k": a}, b, b])
        self.assertIs(found[0], found[1])
        self.assertIs(found[0], found[2]["k"])
        self.assertIs(found[3], found[4])

    def test_views_of_one_array_share_memory(self):
        base = np.arange(10000.0)
        one, two, back = again([base, base[5000:], base[::-1]])
        self.assertTrue(np.shares_memory(one, two) and np.shares_memory(one, back))
        self.assertEqual(two[0], 5000)

    def test_all_arrays_are_views_of_one_memmap(self):
        with tempfile.TemporaryDirectory() as folder:
            path = mere.dump([np.arange(9000.0), {"a": np.arange(3)}, np.eye(200)], folder + "/m")[0]
            found = mere.load(path)
            arrays = [found[0], found[1]["a"], found[2]]
            self.assertTrue(all(type(array) is np.ndarray for array in arrays))
            self.assertEqual(len({id(array.base) for array in arrays}), 1)
            self.assertIsInstance(arrays[0].base, np.memmap)
            self.assertEqual(str(arrays[0].base.filename), path)

    def test_arrays_of_fortran_order_are_views_of_the_same_pages(self):
        value = np.arange(9000.0).reshape(3, 3000)
        with tempfile.TemporaryDirectory() as folder:
            rows, columns = mere.load(mere.dump([value, np.asfortranarray(value)], folder + "/m")[0])
            np.testing.assert_array_equal(columns, value)
            self.assertIsInstance(columns.base, np.memmap)
            self.assertEqual(columns.base.filename, rows.base.filename)
            self.assertIs(columns.base.base, rows.base.base)  # one mmap
            self.assertEqual((rows.base.flags.f_contiguous, columns.base.flags.c_contiguous), (False, False))

    def test_cycles_come_back(self):
        a = []
        a.append(a)
        found = again(a)
        self.assertIs(found[0], found)
        d = {}
        d["t"] = (d, [d])
        found = again(d)
        self.assertIs(found["t"][0], found)
        self.assertIs(found["t"][1][0], found)
        plain = Plain()
        plain.self, plain.list = plain, [plain]
        found = again(plain)
        self.assertIs(found.self, found)
        self.assertIs(found.list[0], found)
        s = WithState()
        found = again(s)
        self.assertIs(found.log[1], found)
        objects = np.empty(2, object)
        objects[0] = [objects]
        found = again(objects)
        self.assertIs(found[0][0], found)

    def test_a_tuple_in_a_cycle_is_one_tuple(self):
        a = []
        t = (a, "x")
        a.append(t)
        found = again(t)
        self.assertIs(found[0][0], found)
        found = again(a)
        self.assertIs(found[0][0], found)
        plain = Plain()
        plain.t = (plain, (plain, [1]))
        found = again(plain.t)
        self.assertIs(found[0].t, found)
        key = Plain()
        key.set = frozenset({key})
        found = again(key.set)
        self.assertIs(next(iter(found)).set, found)

    def test_depth_costs_no_stack(self):
        value = []
        for _ in range(400):  # more than this pickle itself does not take
            value = [value]
        found = again(value)
        for _ in range(400):
            found = found[0]
        self.assertEqual(found, [])

    def test_an_array_outlives_the_file_and_all_else(self):
        with tempfile.TemporaryDirectory() as folder:
            array = mere.load(mere.dump({"a": np.arange(9000.0)}, folder + "/m")[0])["a"][10:20]
            os.unlink(folder + "/m")
        np.testing.assert_array_equal(array, np.arange(10.0, 20.0))

    def test_loading_again_and_again_leaks_nothing(self):
        import gc
        from sklearn.ensemble import RandomForestClassifier
        model = RandomForestClassifier(3).fit(np.eye(4), [0, 1, 0, 1])
        data = mere.dumps([model, {"a": np.arange(3)}])

        def mapped_count():
            for _ in range(3):  # an ensemble's members are found by weak references: they go once it is gone
                gc.collect()
            return sum(type(each).__name__ in ("Rebuild", "ModelMap", "RandomForestClassifier")
                       for each in gc.get_objects())

        mere.loads(data)
        before = mapped_count()
        for _ in range(5):
            mere.loads(data)[0].predict(np.eye(4))
        self.assertEqual(mapped_count(), before)

    def test_threads_load_at_once(self):
        value = {f"k{i}": np.full(10, i) for i in range(300)}
        data = mere.dumps(value)
        failures = []

        def work():
            for _ in range(10):
                found = mere.loads(data)
                if any(found[key][0] != value[key][0] for key in value):
                    failures.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Files(unittest.TestCase):
    VALUE = {"a": np.arange(5000.0), "b": ["x", 1]}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def check(self, found):
        np.testing.assert_array_equal(found["a"], self.VALUE["a"])
        self.assertEqual(found["b"], self.VALUE["b"])

    def test_foreign_files_are_read_without_running_them(self):
        joblib.dump(self.VALUE, self.path / "a.joblib")
        joblib.dump(self.VALUE, self.path / "b.joblib", compress=3)
        (self.path / "c.pkl").write_bytes(pickle.dumps(self.VALUE))
        for name in ("a.joblib", "b.joblib", "c.pkl"):
            self.check(mere.load(self.path / name))
            self.check(mere.load(self.path / name, None))
            self.check(mere.load(self.path / name, "c"))
            self.check(mere.loads((self.path / name).read_bytes()))
            with open(self.path / name, "rb") as file:
                self.check(mere.load(file))
        np.save(self.path / "d.npy", np.arange(4))
        np.testing.assert_array_equal(mere.load(self.path / "d.npy"), np.arange(4))
        np.savez(self.path / "e.npz", a=np.arange(4))
        np.testing.assert_array_equal(mere.load(self.path / "e.npz")["a"], np.arange(4))
        (self.path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % bytes(self.path / "run"))
        with self.assertRaises(mere.UntrustedError) as raised:
            mere.load(self.path / "evil.pkl")
        self.assertEqual(raised.exception.names, ["os.system"])
        self.assertFalse((self.path / "run").exists())

    def test_compressed_files_are_expanded(self):
        for compress in (3, "lz4", "smallest"):
            mere.dump(self.VALUE, self.path / "m", compress)
            self.check(mere.load(self.path / "m"))
            self.check(mere.load(self.path / "m", None))
            self.check(mere.loads(mere.dumps(self.VALUE, compress)))

    def test_a_dump_over_a_mapped_file_leaves_the_map_alone(self):
        mere.dump(self.VALUE, self.path / "m")
        first = mere.load(self.path / "m")
        mere.dump({"a": np.zeros(5000), "b": 2}, self.path / "m")
        self.check(first)
        self.assertEqual(mere.load(self.path / "m")["b"], 2)

    def test_a_damaged_file_is_refused(self):
        data = bytearray(mere.dumps(self.VALUE))
        for at in (0, 60, len(data) - 600, len(data) - 2000):
            bad = bytearray(data)
            bad[at] ^= 255
            with self.assertRaises(mere.Error):
                mere.loads(bytes(bad), verify="all")
        for length in (0, 10, 100, len(data) - 1):
            with self.assertRaises(mere.Error):
                mere.loads(bytes(data[:length]))

    def test_a_content_id_is_held_to(self):
        mere.dump(self.VALUE, self.path / "m")
        known = mere.open(self.path / "m").content_id
        self.check(mere.load(self.path / "m", content_id=known))
        with self.assertRaises(mere.MismatchError):
            mere.load(self.path / "m", content_id="0" * 32)

    def test_a_program_alone_is_no_object(self):
        from sklearn.linear_model import LogisticRegression
        model = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
        with self.assertRaises(mere.UnsupportedError):
            mere.loads(mere.dumps(model, program="only"))


class Estimators(unittest.TestCase):
    """Every estimator of the scikit-learn at hand."""

    METHODS = ("predict", "predict_proba", "decision_function", "transform")

    def answer(self, model, method, X):
        try:
            np.random.seed(0)
            return getattr(model, method)(X)
        except Exception as error:  # noqa: BLE001: both are to say the same
            return f"{type(error).__name__}: {error}"

    def nearly(self, a, b):
        # Powers of two by the C library and by NumPy differ in the last bit.
        return np.allclose(a, b, rtol=1e-12, atol=1e-15)

    def same(self, a, b):
        if hasattr(a, "toarray"):
            a, b = a.toarray(), b.toarray()
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(self.same(x, y) for x, y in zip(a, b))
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and a.dtype == b.dtype and \
            np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")

    def test_every_one_loads_and_answers_as_it_did(self):
        count = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, model, data in fitted():
                X = data[0] if isinstance(data, tuple) else data
                stored = mere.dumps(model)
                # Functions and methods that some estimators are given.
                trusted = mere.get_untrusted_types(stored)
                for native in (True, False):
                    with self.subTest(name, native=native), tempfile.TemporaryDirectory() as folder:
                        path = pathlib.Path(folder, "m")
                        path.write_bytes(stored)
                        found = mere.load(path, trusted=trusted, native=native)
                        self.assertIsInstance(found, type(model))
                        for method in self.METHODS:
                            if hasattr(model, method):
                                expected = self.answer(pickle.loads(pickle.dumps(model)), method, X)
                                same = self.nearly if native and name == "IsolationForest" else self.same
                                self.assertTrue(same(self.answer(found, method, X), expected), method)
                count += 1
        self.assertGreater(count, 150)
