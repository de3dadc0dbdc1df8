"""What a file may make mere.load do: names, code by value, capabilities, states."""
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import mere


class Mine:
    def __init__(self, x=None):
        self.x = x


class Trap:
    """Says so when it is made."""

    made = []

    def __setstate__(self, state):
        Trap.made.append(state)


def double(x):
    return 2 * x


MINE = f"{__name__}.Mine"


class Names(unittest.TestCase):
    def test_a_type_outside_the_lists_is_refused_and_named(self):
        data = mere.dumps([Mine(1), StandardScaler()])
        with self.assertRaises(mere.UntrustedError) as raised:
            mere.loads(data)
        self.assertEqual(raised.exception.names, [MINE])
        self.assertEqual((raised.exception.code, raised.exception.reason), ("untrusted", "forbidden_global"))
        self.assertIsInstance(raised.exception, ValueError)
        self.assertIn(MINE, str(raised.exception))
        self.assertEqual(mere.loads(data, trusted=[MINE])[0].x, 1)
        self.assertEqual(mere.loads(data, trusted=[Mine])[0].x, 1)

    def test_nothing_is_made_if_anything_is_untrusted(self):
        data = mere.dumps([Trap(), Mine()])
        Trap.made.clear()
        with self.assertRaises(mere.UntrustedError):
            mere.loads(data, trusted=[f"{__name__}.Trap"])
        self.assertEqual(Trap.made, [])

    def test_trusting_all_is_refused_with_the_reason(self):
        data = mere.dumps(Mine(1))
        with self.assertRaisesRegex(ValueError, "get_untrusted_types"):
            mere.loads(data, trusted=True)
        for bad in ([1], [None]):
            with self.assertRaises(ValueError):
                mere.loads(data, trusted=bad)

    def test_a_module_that_is_not_trusted_is_not_even_imported(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "mine_alone.py").write_text("open(__file__ + '.run', 'w').close()\nclass A: pass\n")
            sys.path.insert(0, folder)
            self.addCleanup(sys.path.remove, folder)
            import mine_alone
            path = mere.dump(mine_alone.A(), folder + "/m")[0]
            os.unlink(folder + "/mine_alone.py.run")
            script = ("import sys, mere\nsys.path.insert(0, sys.argv[1])\n"
                      "try: mere.load(sys.argv[2])\nexcept mere.UntrustedError as e: print(e.names)\n"
                      "print('mine_alone' in sys.modules)\n"
                      "mere.load(sys.argv[2], trusted=['mine_alone.A'])\n")
            found = subprocess.run([sys.executable, "-c", script, folder, path], capture_output=True, text=True)
            self.assertEqual(found.stdout.split("\n")[:2], ["['mine_alone.A']", "False"], found.stderr)
            self.assertTrue(os.path.exists(folder + "/mine_alone.py.run"))

    def test_gadgets_of_pickles_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = folder + "/run"

            class Gadget:
                def __init__(self, call, *args):
                    self.call, self.args = call, args

                def __reduce__(self):
                    return self.call, self.args

            for call, args in ((os.system, (f"touch {mark}",)), (eval, (f"open({mark!r}, 'w')",)),
                               (getattr, (os, "system")), (subprocess.Popen, (["touch", mark],)),
                               (np.save, (mark, np.arange(3))), (np.fromfile, ("/etc/passwd",)),
                               (exec, (f"open({mark!r}, 'w')",)), (os.unlink, (mark,)), (__import__, ("antigravity",))):
                data = mere.dumps(Gadget(call, *args)) if call is not getattr else None
                if data is not None:
                    with self.assertRaises(mere.UntrustedError):
                        mere.loads(data)
                with self.assertRaises(mere.Error):
                    mere.loads(pickle.dumps(Gadget(call, *args)) if call is not getattr else b"cos\nsystem\n.")
            self.assertFalse(os.path.exists(mark))

    def test_what_is_untrusted_is_told_without_loading(self):
        found = mere.get_untrusted_types(mere.dumps([Mine(), FunctionTransformer(double)]))
        self.assertEqual(sorted(found.types), sorted([MINE, f"{__name__}.double"]))
        self.assertEqual([row["word"] for row in found.capabilities], ["calls_function"])
        self.assertTrue(set(found.types) <= set(found))
        self.assertEqual(mere.get_untrusted_types(mere.dumps(StandardScaler())), [])
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "p").write_bytes(pickle.dumps(Mine()))
            self.assertEqual(mere.get_untrusted_types(pathlib.Path(folder, "p")), [MINE])
            self.assertEqual(mere.get_untrusted_types(folder + "/p", trusted=[MINE]), [])


class Capabilities(unittest.TestCase):
    def test_parameters_that_touch_files_need_trust(self):
        for model, name in ((Pipeline([("a", StandardScaler())], memory="/tmp/x"), "sklearn.pipeline.Pipeline.memory"),
                            (CountVectorizer(input="filename"),
                             "sklearn.feature_extraction.text.CountVectorizer.input")):
            data = mere.dumps(model)
            with self.assertRaises(mere.UntrustedError) as raised:
                mere.loads(data)
            self.assertIn(name, raised.exception.names)
            mere.loads(data, trusted=[name])

    def test_functions_need_trust_by_name(self):
        data = mere.dumps(FunctionTransformer(double))
        with self.assertRaises(mere.UntrustedError):
            mere.loads(data)
        model = mere.loads(data, trusted=[f"{__name__}.double"])
        self.assertIs(model.func, double)
        self.assertIs(mere.loads(mere.dumps(FunctionTransformer(np.log1p))).func, np.log1p)

    def test_a_bound_method_is_a_capability(self):
        scaler = StandardScaler().fit(np.eye(3))
        data = mere.dumps({"f": scaler.transform})
        with self.assertRaises(mere.UntrustedError) as raised:
            mere.loads(data)
        found = mere.loads(data, trusted=raised.exception.names)
        np.testing.assert_array_equal(found["f"](np.eye(3)), scaler.transform(np.eye(3)))


class Opaque(unittest.TestCase):
    def setUp(self):
        try:
            import cloudpickle  # noqa: F401
        except ImportError:
            self.skipTest("cloudpickle is not installed")

    def test_what_has_no_name_is_refused_and_the_option_named(self):
        def local(x):
            return x

        class Local:
            pass

        for value, name in ((lambda x: x, "<lambda>"), ([local], "local"), ({"a": Local}, "Local"), (Local(), "Local")):
            with self.assertRaisesRegex(ValueError, "allow_opaque=True") as raised:
                mere.dumps(value)
            self.assertIn(name, str(raised.exception))

    def test_it_is_carried_by_value_and_run_only_when_asked_and_named(self):
        factor = np.arange(3)
        path = mere.dumps({"f": lambda x: x * factor, "a": factor}, allow_opaque=True)
        found = mere.get_untrusted_types(path)
        self.assertEqual(len(found.opaque), 1)
        self.assertIn("<lambda>", found[0])
        for options in ({}, {"allow_opaque": True}, {"trusted": list(found)}):
            with self.assertRaises(mere.UntrustedError) as raised:
                mere.loads(path, **options)
            self.assertIn("<lambda>", raised.exception.names[0])
        loaded = mere.loads(path, trusted=list(found), allow_opaque=True)
        np.testing.assert_array_equal(loaded["f"](2), [0, 2, 4])

    def test_objects_of_a_class_by_value_come_back(self):
        class Local:
            def twice(self):
                return 2 * self.x

        local = Local()
        local.x = 4
        data = mere.dumps([local, local], allow_opaque=True)
        found = mere.loads(data, trusted=list(mere.get_untrusted_types(data)), allow_opaque=True)
        self.assertEqual(found[0].twice(), 8)
        self.assertIs(found[0], found[1])


class States(unittest.TestCase):
    """States that would crash compiled code are refused before an object is made, whoever is trusted."""

    def changed(self, model, path, change):
        """The file of `model` with the array at `path` changed, and its sums made right again."""
        state = pickle.loads(pickle.dumps(model))
        change(state)
        return mere.dumps(state, program=False)

    def refused(self, data, *reasons):
        for options in ({}, {"native": False}, {"trusted": list(mere.get_untrusted_types(data))}, {"mmap_mode": None}):
            with self.assertRaises(mere.CorruptError) as raised:
                # A tree that stays in the map is checked when somebody asks for it as an object.
                getattr(mere.loads(data, **options), "tree_", None)
            self.assertIn(raised.exception.reason, reasons)

    def test_a_trees_children_outside_its_nodes(self):
        model = DecisionTreeClassifier().fit(np.arange(8).reshape(-1, 1), [0, 1] * 4)
        made, args, state = model.tree_.__reduce__()

        class Forged:
            def __init__(self, nodes, depth):
                self.nodes, self.depth = nodes, depth

            def __reduce__(self):
                return made, args, {**state, "nodes": self.nodes, "max_depth": self.depth}

        for name, value in (("left_child", 10**6), ("left_child", 0), ("right_child", -5), ("feature", 99)):
            nodes = state["nodes"].copy()
            nodes[name][0] = value
            model.__dict__["tree_"] = Forged(nodes, state["max_depth"])
            self.refused(mere.dumps(model, program=False), "bad_record", "schema")
        model.__dict__["tree_"] = Forged(state["nodes"], 0)
        self.refused(mere.dumps(model, program=False), "bad_record")

    def test_a_sparse_matrix_with_indices_outside(self):
        import scipy.sparse
        matrix = scipy.sparse.csr_matrix(np.eye(4))
        matrix.indices[0] = 10**6
        self.refused(mere.dumps(matrix), "bad_record")
        matrix = scipy.sparse.csr_matrix(np.eye(4))
        matrix.indptr[1] = 10**6
        self.refused(mere.dumps([matrix]), "bad_record")

    def test_a_generators_position_outside_its_buffer(self):
        class Forged:
            def __reduce__(self):
                made, args, state = np.random.RandomState(3).__reduce__()
                state["state"]["pos"] = 10**6
                return made, args, state

        self.refused(mere.dumps(Forged()), "bad_record", "schema")
