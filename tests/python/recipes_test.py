"""The programs of docs/recipes.md, run as they stand there, each where its package is installed."""
import importlib.util
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

import numpy as np

import mere

from model_files import digits, folder, forest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "recipes.md"


def recipe(name):
    """The program of that name from the page, as a file in a folder of its own."""
    found = re.search(r"```python\n(# %s\n.*?)```" % re.escape(name), PAGE.read_text(), re.S)
    place = folder() / name.removesuffix(".py")
    place.mkdir(exist_ok=True)
    (place / name).write_text(found[1])
    return place


def needs(*modules):
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(absent, f"Python packages that are not installed: {', '.join(absent)}")


def run_main(name):
    """What main(path, rows) of a recipe gives for the digits, run as a program."""
    place = recipe(name)
    np.save(place / "rows.npy", digits()[0])
    (place / "run.py").write_text(f"import sys, numpy\nfrom {name.removesuffix('.py')} import main\n"
                                  "if __name__ == '__main__':\n"
                                  "    numpy.save('out.npy', main(sys.argv[1], numpy.load('rows.npy')))\n")
    subprocess.run([sys.executable, "run.py", forest()[1]], cwd=place, check=True, timeout=240)
    return np.load(place / "out.npy")


def maps_of(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Recipes(unittest.TestCase):
    def test_multiprocessing(self):
        np.testing.assert_array_equal(run_main("pool.py"), forest()[0].predict(digits()[0]))

    def test_joblib(self):
        np.testing.assert_array_equal(run_main("parallel.py"), forest()[0].predict_proba(digits()[0]))

    def test_joblib_memory(self):
        place = recipe("cached.py")
        program = ("import sys, pathlib; from cached import fitted; model = fitted(3); "
                   "assert pathlib.Path('cache').rglob('output.pkl'); "
                   "files = list(pathlib.Path('cache').rglob('output.pkl')); "
                   "assert len(files) == 1 and files[0].read_bytes()[:4] == b'\\x89MER', files; "
                   "print(str(files[0].resolve()) in open('/proc/self/maps').read())")
        found = [subprocess.run([sys.executable, "-c", program], cwd=place, check=True, capture_output=True,
                                text=True).stdout.strip() for _ in range(2)]
        # The first computed it, the second has it mapped.
        self.assertEqual(found[1], "True")

    @needs("gunicorn")
    def test_gunicorn(self):
        place, port = recipe("app.py"), free_port()
        X, _ = digits()
        server = subprocess.Popen([sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}",
                                   "app:application"], cwd=place, env={**os.environ, "MODEL": str(forest()[1])},
                                  stderr=subprocess.DEVNULL)
        try:
            workers = {}
            deadline = time.monotonic() + 60
            while len(workers) < 2 and time.monotonic() < deadline:
                try:
                    request = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(X[:5].tolist()).encode())
                    answer = json.load(urllib.request.urlopen(request, timeout=10))
                    workers[answer["pid"]] = answer["classes"]
                except OSError:
                    time.sleep(0.2)
            self.assertEqual(len(workers), 2)
            for pid, classes in workers.items():
                self.assertEqual(classes, forest()[0].predict(X[:5]).tolist())
                self.assertIn(str(forest()[1]), maps_of(pid))
        finally:
            end(server)

    @needs("celery", "kombu")
    def test_celery(self):
        place = recipe("tasks.py")
        X, _ = digits()
        for name in ("queue", "results"):
            (place / name).mkdir(exist_ok=True)
        environment = {**os.environ, "MODEL": str(forest()[1]), "BROKER": "filesystem://",
                       "RESULTS": f"file://{place / 'results'}"}
        # A queue in a folder: no server is needed.
        (place / "celeryconfig.py").write_text(
            f"broker_transport_options = dict(data_folder_in={str(place / 'queue')!r}, data_folder_out={str(place / 'queue')!r}, "
            f"control_folder={str(place / 'queue')!r})\nbroker_connection_retry_on_startup = True\n")
        (place / "ask.py").write_text(
            "import json, numpy, celeryconfig, tasks\ntasks.app.config_from_object(celeryconfig)\n"
            "rows = numpy.load('rows.npy').tolist()\n"
            "print(json.dumps([r.get(timeout=60) for r in [tasks.predict.delay(rows) for _ in range(6)]]))\n")
        np.save(place / "rows.npy", X[:5])
        (place / "serve.py").write_text("import celeryconfig, tasks\ntasks.app.config_from_object(celeryconfig)\n"
                                        "tasks.app.worker_main(['worker', '--pool', 'prefork', '--concurrency', '2', '-l', 'ERROR'])\n")
        server = subprocess.Popen([sys.executable, "serve.py"], cwd=place, env=environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            answers = json.loads(subprocess.run([sys.executable, "ask.py"], cwd=place, env=environment, check=True, timeout=90,
                                                capture_output=True, text=True).stdout)
            for answer in answers:
                self.assertEqual(answer["classes"], forest()[0].predict(X[:5]).tolist())
                self.assertIn(str(forest()[1]), maps_of(answer["pid"]))
        finally:
            end(server)

    @needs("dask", "distributed")
    def test_dask(self):
        np.testing.assert_array_equal(run_main("cluster.py"), forest()[0].predict(digits()[0]))


if __name__ == "__main__":
    unittest.main()
