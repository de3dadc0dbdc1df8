"""What does Python pay for a model: loading, predicting, dumping, memory? mere and joblib, in fresh processes, one run.

  python_bench.py MERE_COMMAND FOLDER_OF_MODELS WORK_FOLDER [--rounds 5] [--workers 8] [--no-peer]

FOLDER_OF_MODELS has forest.joblib, hgb.joblib and small10k.joblib (bench/make_models.py). Times are medians;
scikit-learn is imported before anything is timed. Memory is the sum of Pss over the workers less the same before they
load. Results are compared with joblib's.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def private_bytes():
    total = 0
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Private_Dirty:"):  # clean pages are those of files
            total += int(line.split()[1]) * 1024
    return total


def pss_bytes(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise OSError("no Pss")


def rows():
    import numpy
    return numpy.random.default_rng(1).standard_normal((64, 40)) * 3


def loader(library):
    if library == "mere":
        import mere
        return lambda path: mere.load(path)
    import joblib
    return lambda path: joblib.load(path, mmap_mode="r")


# What a child process does: prints a line of JSON. Those that hold a model wait for a word in between.
def child_import():
    import numpy  # noqa: F401
    start = time.perf_counter()
    import mere  # noqa: F401
    print(json.dumps(time.perf_counter() - start))


def child_load(library, path, rounds):
    import sklearn.ensemble  # noqa: F401
    import sklearn.ensemble._hist_gradient_boosting.gradient_boosting  # noqa: F401
    load = loader(library)
    start = time.perf_counter()
    first = load(path)
    cold = time.perf_counter() - start
    del first
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        model = load(path)
        seconds.append(time.perf_counter() - start)
        del model
    print(json.dumps([cold, statistics.median(seconds)]))


def child_private(library, path):
    """Private memory after loading and one prediction, over that of a process that has predicted with another model."""
    import numpy
    from sklearn.ensemble import RandomForestClassifier
    x = rows()
    RandomForestClassifier(3).fit(x, numpy.arange(64) % 3).predict_proba(x[:1])
    load = loader(library)
    before = private_bytes()
    model = load(path)
    model.n_jobs = 1
    model.predict_proba(x[:1])
    print(json.dumps(private_bytes() - before))


def child_worker(library, path):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # joblib keeps a descriptor an array
    import sklearn.ensemble  # noqa: F401
    x = rows()
    load = loader(library)
    print("imported", flush=True)
    sys.stdin.readline()
    model = load(path)
    model.n_jobs = 1
    model.predict_proba(x)
    print("loaded", flush=True)
    sys.stdin.readline()


def child_predict(library, path, rounds):
    import numpy
    import joblib
    x = rows()
    model = loader(library)(path)
    model.n_jobs = 1
    if library == "mere":
        plain = joblib.load(path.replace(".mere", ".joblib"))
        plain.n_jobs = 1
        found, expected = model.predict_proba(x), plain.predict_proba(x)
        if not numpy.allclose(found, expected, rtol=1e-12, atol=1e-15):
            raise SystemExit("predictions differ")
        del plain
    seconds = []
    for number in range(rounds):
        row = x[number % 64 : number % 64 + 1]
        start = time.perf_counter()
        model.predict_proba(row)
        seconds.append(time.perf_counter() - start)
    print(json.dumps(statistics.median(seconds)))


def child_small(library, path, rounds, work):
    """Dict of 10,000 arrays: (load, dump, open) seconds."""
    import joblib
    import numpy
    value = joblib.load(path.replace(".mere", ".joblib"))
    target = os.path.join(work, "small-written." + library)
    load, dump, opened = [], [], []
    for _ in range(rounds):
        if library == "mere":
            import mere
            start = time.perf_counter()
            mere.dump(value, target, durability="none")
            dump.append(time.perf_counter() - start)
            start = time.perf_counter()
            again = mere.load(target)
            load.append(time.perf_counter() - start)
        else:
            start = time.perf_counter()
            joblib.dump(value, target)
            dump.append(time.perf_counter() - start)
            start = time.perf_counter()
            again = joblib.load(target)
            load.append(time.perf_counter() - start)
        if list(again) != list(value) or not all(numpy.array_equal(again[k], value[k]) for k in value):
            raise SystemExit("the dict differs")
        del again
        if library == "mere":
            # Dropping the file that was replaced frees its pages; that is no part of opening the next one.
            model = array = None
            start = time.perf_counter()
            model = mere.open(target)
            array = model["k77"]
            opened.append(time.perf_counter() - start)
            assert numpy.array_equal(array, value["k77"])
    print(json.dumps([statistics.median(s) if s else None for s in (load, dump, opened)]))


def child_dump(path, work, rounds):
    """Forest: seconds of joblib.dump, mere.dump without and with the program, and of writing as many bytes."""
    import joblib
    import mere
    model = joblib.load(path)
    target = os.path.join(work, "forest-written")
    options = {"durability": "none", "threads": 2}
    found = {"joblib": [], "without": [], "with": [], "write": []}
    for _ in range(rounds):
        for name, action in (("joblib", lambda: joblib.dump(model, target + ".joblib")),
                             ("without", lambda: mere.dump(model, target + ".mere", program=False, **options)),
                             ("with", lambda: mere.dump(model, target + ".mere", program=True, **options))):
            start = time.perf_counter()
            action()
            found[name].append(time.perf_counter() - start)
        data = open(target + ".joblib", "rb").read()
        start = time.perf_counter()
        with open(target + ".raw", "wb") as file:
            file.write(data)
        found["write"].append(time.perf_counter() - start)
        del data
    for end in (".joblib", ".raw", ".mere"):
        os.unlink(target + end)
    print(json.dumps({name: statistics.median(seconds) for name, seconds in found.items()}))


def child(*words):
    # With bytecode kept, as an installed package has it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, __file__, "--child", *map(str, words)], stdout=subprocess.PIPE, text=True,
                          env=environment)
    if done.returncode:
        raise SystemExit(f"python_bench: {' '.join(map(str, words))} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def memory_of_workers(library, path, workers):
    processes = [subprocess.Popen([sys.executable, __file__, "--child", "worker", library, path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    try:
        for process in processes:
            process.stdout.readline()
        base = sum(pss_bytes(p.pid) for p in processes)
        for process in processes:
            process.stdin.write("load\n")
            process.stdin.flush()
            if process.stdout.readline() != "loaded\n":
                raise SystemExit("python_bench: a worker ended")
        return sum(pss_bytes(p.pid) for p in processes) - base
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()


def line(name, value, unit, reach=""):
    print(f"{name:62} {value:12.4g} {unit:4} {reach}", flush=True)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        words = [int(word) if word.isdigit() else word for word in sys.argv[3:]]
        globals()["child_" + sys.argv[2]](*words)
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    for name in ("forest", "hgb", "small10k"):
        target, source = options.work / f"{name}.mere", options.work / f"{name}.joblib"
        if not source.exists():
            source.symlink_to((options.models / f"{name}.joblib").resolve())
        if not target.exists():
            subprocess.run([options.command, "convert", "-q", source, target], check=True)
    forest, boosting, small = (str(options.work / f"{name}.mere") for name in ("forest", "hgb", "small10k"))
    libraries = ["mere"] + ([] if options.no_peer else ["joblib"])

    def theirs(path, library):
        return path if library == "mere" else path.replace(".mere", ".joblib")

    child("import")
    imports = [child("import") for _ in range(options.rounds)]
    line("import mere, over numpy", 1e3 * statistics.median(imports), "ms", "30")
    for library in libraries:
        cold, warm = child("load", library, theirs(forest, library), options.rounds)
        line(f"{library}: load F, mapped", 1e3 * warm, "ms", "2" if library == "mere" else "")
        line(f"{library}: load F, mapped, the process's first", 1e3 * cold, "ms")
        private = child("private", library, theirs(forest, library))
        line(f"{library}: load F, private memory after the first predict", private / 1e6, "MB",
             "2.5" if library == "mere" else "")
        memory = memory_of_workers(library, theirs(forest, library), options.workers)
        line(f"{library}: load F and predict in {options.workers} workers, over base", memory / 1e6, "MB",
             "60" if library == "mere" else "")
        for name, path in (("F", forest), ("H", boosting)):
            seconds = child("predict", library, theirs(path, library), 400 if library == "mere" else 30)
            line(f"{library}: predict_proba of one row, {name}", 1e3 * seconds, "ms",
                 "0.25" if library == "mere" else "")
        load, dump, opened = child("small", library, theirs(small, library), options.rounds, options.work)
        line(f"{library}: load a dict of 10,000 arrays", 1e3 * load, "ms", "5" if library == "mere" else "")
        line(f"{library}: dump it", 1e3 * dump, "ms", "12" if library == "mere" else "")
        if opened is not None:
            line(f"{library}: the dict through open, and one array", 1e3 * opened, "ms", "0.2")
    found = child("dump", theirs(forest, "joblib"), options.work, min(options.rounds, 3))
    line("joblib: dump F", 1e3 * found["joblib"], "ms")
    line("write() of its bytes", 1e3 * found["write"], "ms")
    line("mere: dump F, no program", 1e3 * found["without"], "ms", "220")
    line("mere: dump F, with the program, 2 threads", 1e3 * found["with"], "ms", "450")


if __name__ == "__main__":
    main()
