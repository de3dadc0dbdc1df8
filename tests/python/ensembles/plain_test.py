"""A loaded ensemble is an object of scikit-learn's class where it matters, and exactly one once it changes."""
import copy
import pickle
import unittest
import warnings

import numpy as np
import sklearn
from ensemble_files import fitted, folder, load, path_of, rows
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import check_is_fitted

import mere
from mere._ensembles import is_shared

ENSEMBLES = ("forest", "forest of numbers", "embedding", "boosting", "histogram boosting", "isolation forest", "tree")


def answer(model):
    x = rows()[3]
    return (model.predict(x) if hasattr(model, "predict") else model.transform(x).toarray())


class Manners(unittest.TestCase):
    def test_isinstance_repr_clone_and_check_is_fitted_work(self):
        for name in ENSEMBLES:
            model, loaded = fitted()[name], load(name)
            self.assertIsInstance(loaded, type(model))
            self.assertEqual(repr(loaded), repr(model))
            self.assertEqual(loaded.get_params(), model.get_params())
            check_is_fitted(loaded)
            self.assertIs(type(sklearn.clone(loaded)), type(model))
            self.assertFalse(hasattr(sklearn.clone(loaded), "classes_"))
            self.assertEqual(type(loaded).__name__, type(model).__name__)
            self.assertEqual(type(loaded).__module__, type(model).__module__)

    def test_pickles_and_copies_are_of_the_plain_class_with_everything_in_them(self):
        copies = {"pickle": lambda m: pickle.loads(pickle.dumps(m)), "deepcopy": copy.deepcopy, "copy": copy.copy,
                  "protocol 2": lambda m: pickle.loads(pickle.dumps(m, 2)),
                  "dump and load": lambda m: mere.loads(mere.dumps(m), native=False)}
        try:
            import cloudpickle
            copies["cloudpickle"] = lambda m: cloudpickle.loads(cloudpickle.dumps(m))
        except ImportError:
            pass
        for name in ENSEMBLES:
            model, loaded = fitted()[name], load(name)
            for how, make in copies.items():
                made = make(loaded)
                self.assertIs(type(made), type(model), f"{name}, {how}")
                self.assertEqual(list(vars(made)), list(vars(model)), f"{name}, {how}")
                np.testing.assert_array_equal(answer(made), answer(model), err_msg=f"{name}, {how}")
            self.assertTrue(is_shared(loaded), name)

    def test_a_dump_of_what_was_loaded_is_the_same_model(self):
        for name in ("forest", "histogram boosting", "isolation forest", "tree"):
            again = folder() / "again.mere"
            mere.dump(load(name), again)
            with mere.open(again) as model, mere.open(path_of(name)) as first:
                self.assertEqual(model.content_id, first.content_id, name)

    def test_joblib_dumps_the_plain_class(self):
        import io
        import joblib
        buffer = io.BytesIO()
        joblib.dump(load("forest"), buffer)
        buffer.seek(0)
        self.assertIs(type(joblib.load(buffer)), type(fitted()["forest"]))


class Detaching(unittest.TestCase):
    def changed(self, name, change):
        model, loaded = fitted()[name], load(name)
        self.assertTrue(is_shared(loaded), name)
        change(loaded)
        self.assertFalse(is_shared(loaded), name)
        self.assertIs(type(loaded), type(model), name)
        return loaded

    def test_mere_detach_makes_exact_objects_with_their_own_trees(self):
        for name in ENSEMBLES:
            loaded = self.changed(name, mere.detach)
            np.testing.assert_array_equal(answer(loaded), answer(fitted()[name]), err_msg=name)
            self.assertEqual(set(vars(loaded)), set(vars(fitted()[name])))
        forest = mere.detach(load("forest"))
        self.assertIs(type(forest.estimators_), list)
        self.assertIs(type(forest.estimators_[0]), type(fitted()["forest"].estimators_[0]))
        self.assertIs(type(mere.detach(load("boosting")).estimators_), np.ndarray)

    def test_mere_detach_reaches_into_pipelines_and_containers(self):
        pipeline = load("pipeline")
        self.assertTrue(is_shared(pipeline[-1]))
        self.assertIs(mere.detach(pipeline), pipeline)
        self.assertFalse(is_shared(pipeline[-1]))
        forest = load("forest")
        mere.detach({"a": [forest]})
        self.assertFalse(is_shared(forest))

    def test_native_false_loads_plain_objects(self):
        for name in ENSEMBLES:
            self.assertIs(type(load(name, native=False)), type(fitted()[name]))

    def test_every_change_that_predictions_depend_on_detaches(self):
        x, names, numbers, _ = rows()
        self.changed("forest", lambda m: m.set_params(n_estimators=12))
        self.changed("forest", lambda m: m.fit(x, names))
        self.changed("forest", lambda m: m.estimators_.pop())
        self.changed("forest", lambda m: m.estimators_.append(m.estimators_[0]))
        self.changed("forest", lambda m: m.estimators_.__setitem__(0, m.estimators_[1]))
        self.changed("forest", lambda m: setattr(m, "estimators_", m.estimators_[:3]))
        self.changed("forest", lambda m: setattr(m, "classes_", m.classes_[::-1]))
        self.changed("forest", lambda m: delattr(m, "classes_"))
        self.changed("boosting", lambda m: setattr(m, "learning_rate", 0.5))
        self.changed("boosting", lambda m: setattr(m, "init_", m.init_))
        self.changed("boosting", lambda m: m.estimators_.__setitem__((0, 0), m.estimators_[1, 0]))
        self.changed("histogram boosting", lambda m: m._predictors.pop())
        self.changed("histogram boosting", lambda m: m.fit(x, names))
        self.changed("isolation forest", lambda m: setattr(m, "offset_", -0.4))
        self.changed("tree", lambda m: m.fit(x, names))

    def test_what_changes_no_prediction_does_not_detach(self):
        forest = load("forest")
        forest.n_jobs = 2
        forest.set_params(verbose=0, random_state=1)
        forest.note = "mine"
        self.assertTrue(is_shared(forest))
        self.assertEqual(pickle.loads(pickle.dumps(forest)).note, "mine")

    def test_a_changed_ensemble_answers_as_a_plain_one_changed_likewise(self):
        for change in (lambda m: m.estimators_.pop(), lambda m: m.estimators_.reverse(),
                       lambda m: m.estimators_.extend(m.estimators_[:3])):
            plain, loaded = copy.deepcopy(fitted()["forest"]), load("forest")
            change(plain), change(loaded)
            np.testing.assert_array_equal(loaded.predict_proba(rows()[3]), plain.predict_proba(rows()[3]))
        plain, loaded = copy.deepcopy(fitted()["boosting"]), load("boosting")
        plain.learning_rate = loaded.learning_rate = 0.7
        np.testing.assert_array_equal(loaded.predict_proba(rows()[3]), plain.predict_proba(rows()[3]))

    def test_a_member_that_is_fitted_anew_detaches_its_ensemble(self):
        x, _, numbers, ask = rows()
        plain, loaded = copy.deepcopy(fitted()["forest of numbers"]), load("forest of numbers")
        for model in (plain, loaded):
            model.estimators_[3].set_params(max_depth=2).fit(x, numbers)
        self.assertFalse(is_shared(loaded))
        np.testing.assert_array_equal(loaded.predict(ask), plain.predict(ask))

    def test_histogram_boosting_stops_early_by_the_loaded_trees(self):
        x, names, _, _ = rows()
        model = HistGradientBoostingClassifier(max_iter=3, early_stopping=True, validation_fraction=None, scoring="loss",
                                               warm_start=True, random_state=0).fit(x, names)
        loaded = mere.load(mere.dump(model, folder() / "stops-early", program=True)[0])
        self.assertTrue(is_shared(loaded))
        for one in (model, loaded):
            one.set_params(max_iter=6).fit(x, names)
        self.assertFalse(is_shared(loaded))
        np.testing.assert_array_equal(loaded.predict_proba(x), model.predict_proba(x))

    def test_warm_start_goes_on_from_the_loaded_trees(self):
        x, names, _, ask = rows()
        plain, loaded = copy.deepcopy(fitted()["forest"]), load("forest")
        for model in (plain, loaded):
            model.set_params(warm_start=True, n_estimators=15).fit(x, names)
        np.testing.assert_array_equal(loaded.predict_proba(ask), plain.predict_proba(ask))

    def test_a_list_that_was_taken_before_lives_on(self):
        forest = load("forest")
        trees = forest.estimators_
        self.assertIs(trees, forest.estimators_)
        first = trees[0]
        self.assertIs(first, trees[0])
        mere.detach(forest)
        self.assertIs(trees[0], first)
        self.assertIs(forest.estimators_[0], first)
        alone = load("forest").estimators_
        self.assertEqual(alone[0].tree_.node_count, fitted()["forest"].estimators_[0].tree_.node_count)


class WithoutProgram(unittest.TestCase):
    def test_forests_walk_their_trees_in_the_map_and_boosting_copies_them(self):
        for name in ("forest", "histogram boosting", "isolation forest", "boosting"):
            loaded = mere.loads(mere.dumps(fitted()[name], program=False))
            self.assertIs(type(loaded), type(fitted()[name]), name)
            np.testing.assert_array_equal(answer(loaded), answer(fitted()[name]), err_msg=name)
            if name != "histogram boosting":
                self.assertEqual(is_shared(np.ravel(loaded.estimators_)[0]), name != "boosting", name)

    def test_a_file_without_a_program_says_so_once_a_class(self):
        from mere._ensembles import _shared

        data = mere.dumps(fitted()["forest"], program=False)
        _shared._warned.clear()
        with self.assertWarnsRegex(UserWarning, "without a program"):
            mere.loads(data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mere.loads(data)
            mere.loads(data, native=False)

    def test_trees_that_lie_are_refused_when_they_are_made(self):
        # Bytes of the first tree's right children point past its end: no Tree is made of them.
        forest = load("forest")
        nodes = forest.estimators_[0].tree_.__getstate__()["nodes"]
        data = bytearray(path_of("forest").read_bytes())
        place = bytes(data).find(nodes.tobytes())
        self.assertGreater(place, 0)
        broken = nodes.copy()
        broken["right_child"][0] = 10**6
        data[place:place + nodes.nbytes] = broken.tobytes()
        loaded = mere.loads(bytes(data))
        with self.assertRaises(mere.CorruptError):
            loaded.estimators_[0].tree_
        loaded.estimators_[0].predict(rows()[3])  # walks within its nodes


class Versions(unittest.TestCase):
    def test_a_release_that_was_not_tested_gets_plain_objects_and_one_warning(self):
        from mere._ensembles import _shared
        tested = _shared.TESTED
        _shared.TESTED = frozenset()
        try:
            _shared._warned.clear()
            with self.assertWarnsRegex(UserWarning, "was not tested with scikit-learn"):
                loaded = mere.load(path_of("forest"))
            self.assertIs(type(loaded), type(fitted()["forest"]))
            self.assertIs(type(load("forest")), type(fitted()["forest"]))  # warns no more
        finally:
            _shared.TESTED = tested

    def test_a_seam_that_takes_other_arguments_gets_plain_objects(self):
        from mere._ensembles import _forests, _shared
        plain = type(fitted()["forest"])
        known = _shared._classes.pop(plain, None)
        seams = _forests.seams
        _forests.seams = {**seams, "apply": ("self", "X", "more")}
        try:
            _shared._warned.discard(plain)
            with self.assertWarnsRegex(UserWarning, "RandomForestClassifier.apply of this scikit-learn takes"):
                loaded = mere.load(path_of("forest"))
            self.assertIs(type(loaded), plain)
            np.testing.assert_array_equal(loaded.predict_proba(rows()[3]),
                                          fitted()["forest"].predict_proba(rows()[3]))
        finally:
            _forests.seams = seams
            _shared._classes.pop(plain, None)
            if known is not None:
                _shared._classes[plain] = known


if __name__ == "__main__":
    unittest.main()
