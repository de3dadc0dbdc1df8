"""What workers share, and that threads and forks do no harm. Memory is that of real processes."""
import gc
import os
import subprocess
import sys
import threading
import unittest
import weakref

import numpy as np
from ensemble_files import fitted, folder, load, rows
from sklearn.ensemble import RandomForestClassifier

import mere
from mere._ensembles import is_shared

WORKER = """
import sys, numpy as np, sklearn.ensemble, mere
def pss():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
small, large, n_rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
mere.load(small).predict_proba(np.zeros((n_rows, 8)))  # all that is imported is imported
x = np.random.RandomState(0).randn(n_rows, 30)
print("ready", flush=True); sys.stdin.readline()
print(pss(), flush=True); sys.stdin.readline()
model = mere.load(large)
model.predict_proba(x)
print("done", flush=True); sys.stdin.readline()
print(pss(), flush=True); sys.stdin.readline()
"""


class Memory(unittest.TestCase):
    def test_four_workers_that_predict_take_little_more_than_one_program(self):
        random = np.random.RandomState(0)
        x = random.randn(6000, 30)
        large = folder() / "large.mere"
        forest = RandomForestClassifier(100, random_state=0, n_jobs=2).fit(x, random.randint(0, 5, 6000))
        mere.dump(forest, large)
        trees = sum(tree.tree_.__getstate__()["nodes"].nbytes + tree.tree_.value.nbytes for tree in forest.estimators_)
        with open(large, "rb+") as file:
            os.fsync(file.fileno())
        small = folder() / "small.mere"
        mere.dump(fitted()["forest"], small)
        workers = [subprocess.Popen([sys.executable, "-c", WORKER, small, large, "64"], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True) for _ in range(4)]
        try:
            def step():
                answers = [worker.stdout.readline().strip() for worker in workers]
                for worker in workers:
                    worker.stdin.write("\n")
                    worker.stdin.flush()
                return answers

            step()
            before = sum(map(int, step()))
            step()
            after = sum(map(int, step()))
        finally:
            for worker in workers:
                worker.stdin.close()
                worker.wait()
                worker.stdout.close()
        # Plain objects would take four times the trees.
        self.assertGreater(trees, 30e6)
        self.assertLess((after - before) * 1024, 0.25 * trees)

    def test_a_pass_over_all_trees_keeps_one(self):
        forest = load("forest")
        trees = []
        for member in forest.estimators_:
            trees.append(weakref.ref(member.tree_))
        gc.collect()
        self.assertLessEqual(sum(tree() is not None for tree in trees), 1)
        first = forest.estimators_[0].tree_
        self.assertIs(forest.estimators_[0].tree_, first)

    def test_arrays_of_a_tree_keep_what_they_lie_in(self):
        value = load("forest").estimators_[0].tree_.value
        feature = load("forest").estimators_[0].tree_.feature
        gc.collect()
        expected = fitted()["forest"].estimators_[0].tree_
        np.testing.assert_array_equal(value, expected.value)
        np.testing.assert_array_equal(feature, expected.feature)

    def test_a_loaded_ensemble_goes_with_its_last_reference(self):
        forest = load("forest")
        forest.predict(rows()[3])
        trees = forest.estimators_
        list(trees)
        gone = weakref.ref(forest)
        del forest
        gc.collect()
        self.assertIsNone(gone())
        self.assertEqual(len(trees), 10)

    def test_staged_sums_over_sparse_rows_hold_the_trees_they_read(self):
        import scipy.sparse
        x = scipy.sparse.csr_matrix(rows()[3])
        model, loaded = fitted()["boosting"], load("boosting")
        for a, b in zip(model.staged_decision_function(x), loaded.staged_decision_function(x)):
            np.testing.assert_array_equal(a, b)


class Processes(unittest.TestCase):
    def test_threads_that_predict_detach_and_pass_over_trees_agree(self):
        import mere as package
        expected = fitted()["forest"].predict_proba(rows()[3])
        for _ in range(10):
            forest = load("forest")
            wrong = []

            def ask():
                for _ in range(20):
                    if not np.array_equal(forest.predict_proba(rows()[3]), expected):
                        wrong.append("predict_proba")

            def look():
                for member in forest.estimators_:
                    member.tree_.node_count

            threads = [threading.Thread(target=ask) for _ in range(3)]
            threads += [threading.Thread(target=look) for _ in range(2)]
            threads.append(threading.Thread(target=package.detach, args=(forest,)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])
            self.assertFalse(is_shared(forest))

    def test_a_child_of_a_fork_predicts_whatever_the_parent_was_doing(self):
        forest = load("forest")
        expected = fitted()["forest"].predict_proba(rows()[3])
        held, release = threading.Event(), threading.Event()
        from mere._ensembles import _links

        def hold():
            with _links.link_of(forest).guard:
                held.set()
                release.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                same = np.array_equal(forest.predict_proba(rows()[3]), expected)
                same = same and forest.estimators_[3].tree_.node_count > 0
                mere.detach(forest)
                code = 0 if same and not is_shared(forest) else 2
            finally:
                os._exit(code)
        release.set()
        thread.join()
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertTrue(is_shared(forest))


if __name__ == "__main__":
    unittest.main()
