"""Models pickled by the scikit-learn and joblib at hand, converted by mere, compared array by array with numpy; and
what mere exports, loaded again.

  peers.py COMMAND FOLDER
"""
import io
import pathlib
import pickle
import subprocess
import sys

try:
    import joblib
    import numpy
    import sklearn
except ImportError as error:
    print(f"SKIPPED peers: {error}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def same(a, b):
    """Equal type, shape and bytes; of records the bytes of their fields (what lies between is nobody's)."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return all((a[f] if f else a).tobytes() == (b[f] if f else b).tobytes() for f in a.dtype.names or [None])


def arrays_of(model):
    """(path in the file, array) of what the model has learned, as far as the paths are plain."""
    if hasattr(model, "steps"):
        for number, (_, step) in enumerate(model.steps):
            yield from ((f"steps[{number}][1].{path}", a) for path, a in arrays_of(step))
        return
    for name, value in sorted(vars(model).items()):
        if isinstance(value, numpy.ndarray) and value.dtype != object:
            yield name, value
    trees = getattr(model, "estimators_", [])
    # An array of objects is one list, in C order, whatever its shape.
    for number, place in enumerate(numpy.ndindex(numpy.shape(trees)) if isinstance(trees, numpy.ndarray)
                                   else range(len(trees))):
        state = trees[place].tree_.__getstate__()
        for name in ("nodes", "values"):
            yield f"estimators_[{number}].tree_.{name}", state[name]


def main():
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    print(f"scikit-learn {sklearn.__version__}, joblib {joblib.__version__}, numpy {numpy.__version__}")
    x, y = load_digits(return_X_y=True)
    models = {
        "forest": RandomForestClassifier(8, random_state=0).fit(x, y),
        "extra_regressor": ExtraTreesRegressor(5, random_state=0).fit(x, y),
        "boosting": GradientBoostingClassifier(n_estimators=2, random_state=0).fit(x, y),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)).fit(x, y),
    }
    writers = {"joblib": lambda m, p: joblib.dump(m, p),
               "joblib.gz": lambda m, p: joblib.dump(m, p, compress=("gzip", 3)),
               "joblib.z": lambda m, p: joblib.dump(m, p, compress=("zlib", 3))}
    try:
        import lz4  # noqa: F401
        writers["joblib.lz4"] = lambda m, p: joblib.dump(m, p, compress=("lz4", 3))
    except ImportError:
        print("SKIPPED joblib.lz4: the package lz4 is not installed")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        writers[f"pkl{protocol}"] = lambda m, p, n=protocol: p.write_bytes(pickle.dumps(m, protocol=n))
    passed = failed = 0
    for name, model in models.items():
        expected = list(arrays_of(model))
        for ending, write in writers.items():
            theirs, ours = folder / f"{name}.{ending}", folder / f"{name}.{ending}.mere"
            write(model, theirs)
            problems = []
            for words in (["convert", theirs, ours], ["verify", ours]):
                done = subprocess.run([command, *map(str, words)], capture_output=True, text=True)
                if done.returncode:
                    problems.append(f"mere {words[0]}: exit status {done.returncode}: {done.stderr.strip()[-300:]}")
                    break
            # One array of each kind of path suffices beside verify: each get is a process.
            for path, array in [] if problems else expected[:12]:
                got = subprocess.run([command, "get", str(ours), path], capture_output=True)
                if got.returncode or not same(numpy.load(io.BytesIO(got.stdout)), numpy.asarray(array)):
                    problems.append(f"{path} differs ({got.stderr.decode(errors='replace').strip()[-200:]})")
            print(f"{'FAILED' if problems else 'ok    '} {name}.{ending}" + "".join(f"\n    {p}" for p in problems))
            passed, failed = passed + (not problems), failed + bool(problems)
    from peers_export import check_exports
    exported, refused = check_exports(command, folder)
    passed, failed = passed + exported, failed + refused
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
