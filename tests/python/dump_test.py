"""mere.dump: one way into the graph, whoever wrote the pickle."""
import io
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import unittest
import warnings

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import mere
import model_files
from mere import _core

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "estimators"))
from fitted_estimators import fitted  # noqa: E402


def content_id(data):
    return _core.Model.from_bytes(data, expand="lazy").content_id


class Graphs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def imported(self, data):
        """The .mere that mere's reader makes of a foreign file."""
        path = pathlib.Path(self.folder.name, "foreign")
        path.write_bytes(data)
        target = pathlib.Path(self.folder.name, "imported")
        with open(target, "wb") as file:
            _core.import_to_descriptor(path, file.fileno(), mere.get_untrusted_types(path))
        return target.read_bytes()

    def test_a_dump_is_what_the_pickle_of_any_protocol_is_converted_to(self):
        count, different = 0, []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, model, _ in fitted():
                ours = mere.dumps(model, program=False)
                for protocol in (2, 3, 4, 5):
                    theirs = self.imported(pickle.dumps(model, protocol))
                    if content_id(theirs) != content_id(ours):
                        different.append((name, protocol, ours, theirs))
                count += 1
        self.assertGreater(count, 150)
        # Pickle copies views that overlap; all else has to be the same.
        for name, protocol, ours, theirs in different:
            with self.subTest(name, protocol=protocol):
                self.assertEqual(self.difference(ours, theirs), "")

    def test_a_dump_is_what_joblibs_file_is_converted_to_but_for_sharing(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, (name, model, _) in enumerate(fitted()):
                if number % 4:
                    continue
                file = io.BytesIO()
                joblib.dump(model, file)
                with self.subTest(name):
                    self.assertEqual(self.difference(mere.dumps(model, program=False), self.imported(file.getvalue())),
                                     "")

    def difference(self, one, other):
        paths = []
        for number, data in enumerate((one, other)):
            paths.append(pathlib.Path(self.folder.name, f"side{number}"))
            paths[-1].write_bytes(data)
        return subprocess.run([model_files.COMMAND, "diff", "--ignore-sharing", *paths], capture_output=True,
                              text=True).stdout.strip()

    def test_equal_objects_give_equal_bytes(self):
        value = {"a": np.arange(100.0), "b": {3, 1, 2}, "c": (1, "x")}
        self.assertEqual(mere.dumps(value), mere.dumps(pickle.loads(pickle.dumps(value))))


class Options(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "m"

    def test_program_says_whether_one_is_stored(self):
        X, y = np.eye(6), [0, 1, 2] * 2
        small, forest = LogisticRegression().fit(X, y), RandomForestClassifier(3).fit(X, y)
        for model, program, stored in ((small, "auto", False), (small, True, True), (small, "only", True), (small,
                                                                                                            False,
                                                                                                            False),
                                       (forest, "auto", True), (forest, False, False), ([1], "auto", False)):
            mere.dump(model, self.path, program=program)
            self.assertEqual(mere.open(self.path).info()["has_program"], stored, (model, program))
        with self.assertRaises(mere.UnsupportedError):
            mere.dump([1], self.path, program=True)
        with self.assertRaises(ValueError):
            mere.dump([1], self.path, program="maybe")

    def test_metadata_is_kept_beside_the_model(self):
        def source():
            return 1

        mere.dump([1], self.path, metadata={"run": 7, "tags": ["a"]}, training_data="iris", source_code=source,
                  cv_score=("accuracy", [0.9, 0.8, 1.0]), environment=True)
        found = mere.open(self.path).metadata
        self.assertEqual((found["run"], found["tags"], found["training_data"]), (7, ["a"], "iris"))
        self.assertIn("def source", found["source_code"])
        self.assertEqual(found["versions"]["numpy"], np.__version__)
        self.assertEqual(found["versions"]["python"], ".".join(map(str, sys.version_info[:3])))
        self.assertEqual(found["cv_score"]["metric"], "accuracy")
        self.assertAlmostEqual(found["cv_score"]["mean"], 0.9)
        self.assertEqual(found["cv_score"]["n_splits"], 3)
        self.assertIn("numpy", found["environment"])
        self.assertEqual(mere.load(self.path), [1])
        for options in ({"metadata": [1]}, {"cv_score": 5}, {"cv_score": {"metric": "a", "mean": float("nan"),
                                                                          "std": 0}},
                        {"source_code": 5}, {"cv_score": ("accuracy", [])}):
            with self.assertRaises(ValueError):
                mere.dump([1], self.path, **options)

    def test_the_command_prints_requirements_and_nothing_that_pip_would_take_for_more(self):
        def printed():
            return subprocess.run([model_files.COMMAND, "info", "--requirements", self.path], capture_output=True,
                                  text=True)

        mere.dump([1], self.path)
        self.assertIn(f"numpy=={np.__version__}", printed().stdout.splitlines())
        mere.dump([1], self.path, environment=True)
        lines = printed().stdout.splitlines()
        self.assertIn(f"numpy=={np.__version__}", lines)
        self.assertEqual(len(lines), len([name for name in mere.info(self.path)["environment"] if name != "mere"]))
        for name, version in (("--index-url", "x"), ("a\nb", "1"), ("a", "1\n--pre"), ("a", " @ file:///x"), ("a", 1)):
            mere.dump([1], self.path, metadata={"versions": {name: version}})
            found = printed()
            self.assertEqual((found.returncode, found.stdout), (4, ""))

    def test_metadata_does_not_change_the_content_id(self):
        self.assertEqual(content_id(mere.dumps([1], metadata={"a": 1})), content_id(mere.dumps([1])))

    def test_progress_is_told_and_may_stop_it(self):
        seen = []
        mere.dump(np.zeros(3_000_000), self.path, progress=lambda done, total: seen.append((done, total)))
        self.assertEqual(seen[-1][0], seen[-1][1])
        self.assertEqual([done for done, _ in seen], sorted(done for done, _ in seen))

        def stop(done, total):
            raise KeyboardInterrupt

        before = self.path.read_bytes()
        with self.assertRaises(KeyboardInterrupt):
            mere.dump(np.zeros(3_000_000), self.path, progress=stop)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(os.listdir(self.path.parent), ["m"])
        mere.dump([1], self.path, progress=True)

    def test_no_memory_is_lost_where_pickling_fails(self):
        import gc

        class Refusing:
            def __reduce__(self):
                raise RuntimeError("no")

        before = len(gc.get_objects())
        for _ in range(20):
            with self.assertRaises(RuntimeError):
                mere.dumps([np.zeros(100), Refusing()])
        gc.collect()
        self.assertLess(len(gc.get_objects()), before + 100)
