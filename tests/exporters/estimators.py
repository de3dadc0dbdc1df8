"""Every estimator that fits, converted, exported and loaded again by the library whose file it is: the same model?

    estimators.py COMMAND [--formats F,F...] [--estimators NAME,NAME...] [--json OUT]

COMMAND is the mere command. Formats: pkl2 to pkl5, joblib, joblib.CODEC and, where skops is installed, skops. The loaded object is held
against the graph of the .mere it came from by tests/estimators/live_walk.py, which knows nothing of the exporters; its
parameters and predictions against those of a copy that pickle made. Prints TAP lines, one a format, with what differs behind each.
"""
import argparse
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import warnings

import joblib
import numpy as np

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "estimators"), str(TESTS / "house")]
from fitted_estimators import fitted  # noqa: E402
from live_walk import Nodes, difference  # noqa: E402
from tap import Tap  # noqa: E402

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


def load_skops(path):
    import skops.io
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def again_by_skops(path):
    import skops.io
    data = skops.io.dumps(load_pickle(path))
    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


def skops_writes(path):
    try:
        return again_by_skops(path) is not None
    except Exception:  # skops has no loader either
        return False


def load_pickle(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def known_formats():
    """format -> (words of the command, ending, load)."""
    found = {f"pkl{p}": (["--protocol", str(p)], ".pkl", load_pickle) for p in range(2, 6)}
    found["joblib"] = ([], ".joblib", joblib.load)
    for codec in ("zlib", "gzip", "lz4", "xz", "bz2"):
        found[f"joblib.{codec}"] = (["--compress", codec], ".joblib", joblib.load)
    try:
        import skops.io  # noqa: F401
        found["skops"] = ([], ".skops", load_skops)
    except ImportError:
        pass
    return found


def same(a, b):
    if hasattr(a, "toarray"):
        a, b = a.toarray(), b.toarray()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def compare_behaviour(plain, loaded, data):
    # Predicting changes some estimators (counters, caches): both are used once and in the same order.
    estimator = load_pickle(plain)
    if repr(estimator.get_params()) != repr(loaded.get_params()):
        return f"get_params: {loaded.get_params()}"
    for method in METHODS:
        if not hasattr(estimator, method):
            continue
        try:
            want = getattr(estimator, method)(data)
        except Exception:  # it cannot do it itself
            continue
        if not same(want, getattr(loaded, method)(data)):
            return f"{method} differs"
    return None


def judge(command, plain, data, source, out, row):
    words, _, load = row
    done = subprocess.run([command, "export", "-q", "--durability", "none", *words, str(source), str(out)],
                          capture_output=True, text=True)
    if done.returncode:
        if load is load_skops and "not_supported" in done.stderr and not skops_writes(plain):
            return None
        return f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
    try:
        loaded = load(out)
        nodes, sharing = Nodes(source.read_bytes()), "skops" not in str(out)
        why = difference(loaded, nodes, sharing)
        # What the library does not keep in its own files is not asked for.
        again = again_by_skops if load is load_skops else load_pickle
        if why and why != difference(again(plain), nodes, sharing):
            return why
        return compare_behaviour(plain, loaded, data)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("command")
    options.add_argument("--formats", default="pkl2,pkl5,joblib")
    options.add_argument("--estimators")
    options.add_argument("--json")
    options = options.parse_args()
    known = known_formats()
    formats = {f: known[f] for f in options.formats.split(",") if f in known}
    names = set(options.estimators.split(",")) if options.estimators else None
    tap, results = Tap(), {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for label, estimator, data in fitted():
            if names and label.split(" ")[0] not in names:
                continue
            source, plain = pathlib.Path(folder, "m.mere"), pathlib.Path(folder, "m.pkl")
            try:
                plain.write_bytes(pickle.dumps(estimator, protocol=5))
            except Exception:  # pickle itself does not write it
                continue
            done = subprocess.run([options.command, "convert", "-q", "--durability", "none", str(plain), str(source)],
                                  capture_output=True, text=True)
            row = results[label] = {}
            for name, how in formats.items():
                out = pathlib.Path(folder, "out" + how[1])
                row[name] = (f"convert: exit {done.returncode}: {done.stderr.strip()[-300:]}" if done.returncode
                             else judge(options.command, plain, data, source, out, how))
    for name in formats:
        tap.check([f"{label}: {row[name]}" for label, row in results.items() if row[name]] or
                  ([] if results else ["no estimator was fitted"]),
                  f"export, {name}: {sum(not row[name] for row in results.values())} of {len(results)} estimators load as they were")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    tap.finish()


if __name__ == "__main__":
    main()
