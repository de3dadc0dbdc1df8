"""Trains a forest on scikit-learn's handwritten digits and compares joblib, joblib with mmap, and mere as its file.

  demo.py --mere COMMAND --out FOLDER [--trees N] [--workers N] [--markdown]

What is compared first: 4 Python processes import scikit-learn, load the model and predict; their memory is the sum of
Pss (/proc/PID/smaps_rollup) less the same processes before they load. mere's 4 processes open the file and read every
byte of every array, and are measured the same way by `mere share`. Then 4 Python processes use mere.load as the
others use joblib.load. PYTHONPATH leads to the package mere.
"""
import argparse
import io
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

# BLAS and OpenMP threads of many workers would only disturb each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pss_bytes(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{pid}/smaps_rollup has no Pss")


def worker(path, library, mmap_mode):
    """One process that holds the model: imports, says so, loads on request, predicts, and waits."""
    # joblib keeps a descriptor for every mapped array that lives.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    import importlib

    import sklearn.ensemble  # noqa: F401  (before the base is measured)
    from sklearn.datasets import load_digits
    rows = load_digits().data[:10]
    load = importlib.import_module(library).load
    print("imported", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    model = load(path, mmap_mode=mmap_mode)
    seconds = time.perf_counter() - start
    model.n_jobs = 1
    model.predict_proba(rows)
    row_seconds = []
    for row in range(20):
        start = time.perf_counter()
        model.predict_proba(rows[row % 10 : row % 10 + 1])
        row_seconds.append(time.perf_counter() - start)
    print(json.dumps([seconds, statistics.median(row_seconds)]), flush=True)
    sys.stdin.readline()


def measure_python(path, library, mmap_mode, workers):
    """(median seconds to load, and of a prediction for one row; bytes of memory over the base of all workers) of
    processes that run at the same time."""
    command = [sys.executable, __file__, "--worker", str(path), "--library", library]
    command += ["--mmap-mode", mmap_mode] if mmap_mode else []
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                 for _ in range(workers)]
    try:
        for process in processes:
            if process.stdout.readline() != "imported\n":
                raise SystemExit("demo: a worker did not start")
        base = sum(pss_bytes(p.pid) for p in processes)
        seconds = []
        for process in processes:  # one after the other: they do not disturb each other
            process.stdin.write("load\n")
            process.stdin.flush()
            seconds.append(json.loads(process.stdout.readline()))
        memory = sum(pss_bytes(p.pid) for p in processes) - base
        return *(statistics.median(column) for column in zip(*seconds)), memory
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()


def mere(command, *words, text=True):
    done = subprocess.run([str(command), *map(str, words)], stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"demo: mere {' '.join(map(str, words))} ended with exit status {done.returncode}")
    return done.stdout.decode() if text else done.stdout


def check_equal(command, file, model):
    """What mere holds is what scikit-learn has: trees first, last and between, to the bit. Returns arrays compared."""
    import numpy
    compared = 0
    for tree in sorted({0, 3, len(model.estimators_) - 1}):
        state = model.estimators_[tree].tree_.__getstate__()
        for name in ("nodes", "values"):
            stored = numpy.load(io.BytesIO(mere(command, "get", file, f"estimators_[{tree}].tree_.{name}", text=False)))
            theirs = state[name]
            same = stored.dtype == theirs.dtype and stored.shape == theirs.shape
            for field in stored.dtype.names or [None]:
                a, b = (stored, theirs) if field is None else (stored[field], theirs[field])
                same = same and a.tobytes() == b.tobytes()
            if not same:
                raise SystemExit(f"demo: estimators_[{tree}].tree_.{name} differs")
            compared += 1
    return compared


def sync(path):
    """Dirty pages count differently in Pss: both files are on disk before anything is measured."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def time_text(seconds):
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def mb(count):
    return f"{count / 1e6:.1f} MB"


def print_table(rows, markdown):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip())
        if number == 0:
            print("|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|"
                  if markdown else "  ".join("-" * width for width in widths))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mere", default="build/release/apps/mere/mere")
    parser.add_argument("--out", default="build/demo")
    parser.add_argument("--trees", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--library", default="joblib", help=argparse.SUPPRESS)
    parser.add_argument("--mmap-mode", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.library, options.mmap_mode)
        return

    import joblib
    import sklearn
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    def step(text):
        print(text, file=sys.stderr, flush=True)

    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    theirs, ours = out / "digits.joblib", out / "digits.mere"
    step(f"training a RandomForestClassifier of {options.trees} trees on the handwritten digits "
         f"(scikit-learn {sklearn.__version__}) ...")
    digits = load_digits()
    model = RandomForestClassifier(options.trees, random_state=0, n_jobs=-1).fit(digits.data, digits.target)
    joblib.dump(model, theirs)

    step("mere convert ...")
    mere(options.mere, "convert", theirs, ours)
    sync(theirs)
    sync(ours)
    mere(options.mere, "verify", ours)
    info = json.loads(mere(options.mere, "info", ours, "--json"))
    compared = check_equal(options.mere, ours, model)
    step(f"mere verify: sound. {compared} arrays of 3 trees compared with numpy's: equal to the bit.")

    step(f"{options.workers} workers with joblib ...")
    plain = measure_python(theirs, "joblib", None, options.workers)
    step(f"{options.workers} workers with joblib, mmap_mode='r' ...")
    mapped = measure_python(theirs, "joblib", "r", options.workers)
    step(f"{options.workers} workers with mere ...")
    share = json.loads(mere(options.mere, "share", ours, "--workers", options.workers, "--json"))
    opened = json.loads(mere(options.mere, "bench", ours, "--json"))
    ours_bytes = share["sum_pss_bytes"] - share["base_pss_bytes"]

    print(f"\n{options.trees} trees, {info['arrays']} arrays, {mb(info['array_bytes'])} of numbers; "
          f"{options.workers} processes hold the model\n")
    print_table([
        ["", "joblib", "joblib, mmap_mode='r'", "mere"],
        ["file", mb(theirs.stat().st_size), mb(theirs.stat().st_size), mb(ours.stat().st_size)],
        ["load, each process", time_text(plain[0]), time_text(mapped[0]), time_text(opened["open_us_p50"] / 1e6)],
        [f"memory of {options.workers} processes", mb(plain[2]), mb(mapped[2]), mb(ours_bytes)],
        ["copies of the model in RAM"] + [f"{n / info['array_bytes']:.2f}" for n in (plain[2], mapped[2], ours_bytes)],
    ], options.markdown)
    print("\nload: joblib.load; mere: open, find one array by its path, close (median; the file is in the page cache)."
          "\nmemory: sum of Pss over the processes, less the same before they load. joblib's processes import"
          "\nscikit-learn and predict; mere's open the file and read every byte of the model.")

    step(f"\n{options.workers} Python workers with mere ...")
    in_python = measure_python(ours, "mere", "r", options.workers)
    print(f"\nThe same in Python: {options.workers} processes load the scikit-learn estimator and predict\n")
    print_table([
        ["", "joblib", "joblib, mmap_mode='r'", "mere"],
        ["load, each process"] + [time_text(found[0]) for found in (plain, mapped, in_python)],
        ["predict_proba, one row"] + [time_text(found[1]) for found in (plain, mapped, in_python)],
        [f"memory of {options.workers} processes"] + [mb(found[2]) for found in (plain, mapped, in_python)],
    ], options.markdown)


if __name__ == "__main__":
    main()
