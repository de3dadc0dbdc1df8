"""How fast do others predict the same models? mere beside scikit-learn, ONNX Runtime, treelite, tl2cgen,
scikit-learn-intelex and ydf, each with one thread, all called from Python, in one run.

  predict_peers_bench.py LIBRARY COMMAND FOLDER [--json FILE] [--rounds 7] [--rows 10000] [NAME...]

LIBRARY is libmere.so, COMMAND the program mere, FOLDER keeps the models once they are fitted. Names: pipe (scaler and
logistic regression), mlp, svc, gbc, hgb, forest5 (F5), forest (F); default: all. Answers are held against those of
scikit-learn before anything is timed. Rounds take each library once; of one row the median over all calls is told (its
call from Python included), of many the median of rounds, by this thread's processor time.
"""
import argparse
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import joblib  # noqa: E402
import numpy  # noqa: E402
import sklearn  # noqa: E402

import make_models  # noqa: E402

warnings.simplefilter("ignore")


class Absent(Exception):
    """A library that cannot take a model, or is not there: the words say why."""


def scaled_logistic():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(*make_models.rows(10000))


def svc():
    from sklearn.svm import SVC
    return SVC(random_state=0).fit(*make_models.rows(6000))


def mlp():
    from sklearn.neural_network import MLPClassifier
    return MLPClassifier((512, 512), max_iter=3, random_state=0).fit(*make_models.rows(4000))


MODELS = {"pipe": scaled_logistic, "mlp": mlp, "svc": svc, "gbc": make_models.gbc, "hgb": make_models.hgb,
          "forest5": make_models.forest5, "forest": make_models.forest}


def fitted(name, folder):
    path = folder / f"{name}-{sklearn.__version__}.joblib"
    if not path.exists():
        print(f"fitting {name}", file=sys.stderr, flush=True)
        joblib.dump(MODELS[name](), path)
    # Made a moment ago, or by an earlier run of this: nobody else's.
    model = joblib.load(path)
    if hasattr(model, "n_jobs"):
        model.n_jobs = 1
    return model, path


# The libraries: each makes a call of a model, from rows (float64) to probabilities, or to classes if there are none. A
# call has the type of rows it takes as `takes`.

def by_sklearn(model, path, options):
    call = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return lambda x: call(x)


class Matrix(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("is_float32", ctypes.c_int32),
                ("rows", ctypes.c_uint64), ("columns", ctypes.c_uint64), ("row_stride", ctypes.c_int64),
                ("column_stride", ctypes.c_int64)]


class Method(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("columns", ctypes.c_uint64),
                ("flat", ctypes.c_int32), ("classes", ctypes.c_int32), ("integer", ctypes.c_int32)]


def by_mere(model, path, options):
    """By the C interface; the classes of these models are their indices."""
    file = path.with_suffix(".mere")
    file.unlink(missing_ok=True)
    subprocess.run([options.command, "convert", "-q", path, file], check=True)
    library = ctypes.CDLL(os.path.abspath(options.library))
    library.mere_last_message.restype = ctypes.c_char_p

    def check(status):
        if status:
            raise Absent(library.mere_last_message().decode())

    opened, predictor = ctypes.c_void_p(), ctypes.c_void_p()
    check(library.mere_open(os.fsencode(file), None, ctypes.byref(opened)))
    check(library.mere_predictor_open(opened, ctypes.byref(predictor)))
    name = b"predict_proba" if hasattr(model, "predict_proba") else b"predict"
    method = Method(struct_size=ctypes.sizeof(Method))
    check(library.mere_predictor_find_method(predictor, name, ctypes.byref(method)))
    width, predict, matrix = int(method.columns), library.mere_predict, Matrix(ctypes.sizeof(Matrix))
    at = ctypes.byref(matrix)

    def call(x):
        out = numpy.empty((len(x), width))
        matrix.data, matrix.is_float32, (matrix.rows, matrix.columns) = x.ctypes.data, 0, x.shape
        check(predict(predictor, name, at, out.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(out.size), None))
        return out
    return call


def by_onnxruntime(model, path, options):
    import onnxruntime
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType
    last = model[-1] if hasattr(model, "steps") else model
    shape = [None, model.n_features_in_]
    settings = {id(last): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    converted = skl2onnx.convert_sklearn(model, initial_types=[("x", FloatTensorType(shape))], options=settings)
    threads = onnxruntime.SessionOptions()
    threads.intra_op_num_threads = threads.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(converted.SerializeToString(), threads, providers=["CPUExecutionProvider"])
    output = [session.get_outputs()[1 if hasattr(model, "predict_proba") else 0].name]

    def call(x):
        return session.run(output, {"x": x})[0]
    call.takes = numpy.float32
    return call


def imported_by_treelite(model):
    import treelite
    if not hasattr(model, "estimators_") and not hasattr(model, "_predictors"):
        raise Absent("takes ensembles of trees alone")
    return treelite.sklearn.import_model(model)


def by_treelite(model, path, options):
    import treelite
    imported = imported_by_treelite(model)

    def call(x):
        return treelite.gtil.predict(imported, x, nthread=1)
    return call


def by_tl2cgen(model, path, options):
    import tl2cgen
    imported = imported_by_treelite(model)
    if len(make_nodes(model)) > 200000:
        raise Absent("compiling code of more than 200,000 nodes takes too long")
    built = path.with_suffix(".so")
    if not built.exists():
        tl2cgen.export_lib(imported, toolchain="gcc", libpath=built, params={"parallel_comp": 8})
    predictor = tl2cgen.Predictor(built, nthread=1)
    dtype = "float64" if "64" in str(imported.input_type) else "float32"

    def call(x):
        return predictor.predict(tl2cgen.DMatrix(x, dtype=dtype))
    call.takes = dtype
    return call


def make_nodes(model):
    """As long as the model has nodes."""
    if hasattr(model, "_predictors"):
        return range(sum(len(tree.nodes) for stage in model._predictors for tree in stage))
    trees = numpy.ravel(model.estimators_)
    return range(sum(tree.tree_.node_count for tree in trees))


def by_intelex(model, path, options):
    """What it fits itself on the same rows: it takes no model that another fitted."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    kind = path.name.split("-")[0]
    kept = path.with_suffix(".intelex")
    if kept.exists():
        own = joblib.load(kept)
    elif kind == "pipe":
        from sklearnex.linear_model import LogisticRegression
        own = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(*make_models.rows(10000))
    elif kind == "svc":
        from sklearnex.svm import SVC
        own = SVC(random_state=0).fit(*make_models.rows(6000))
    elif kind.startswith("forest"):
        from sklearnex.ensemble import RandomForestClassifier
        leaf = 5 if kind == "forest5" else 1
        own = RandomForestClassifier(1000, min_samples_leaf=leaf, random_state=0).fit(*make_models.rows(8000))
    else:
        raise Absent("has none of its own for this estimator")
    if not kept.exists():
        joblib.dump(own, kept)
    if hasattr(own, "n_jobs"):
        own.n_jobs = 1
    call = by_sklearn(own, path, options)

    def wrapped(x):
        return call(x)
    wrapped.own_model = True
    return wrapped


def by_ydf(model, path, options):
    import ydf
    imported = ydf.from_sklearn(model)

    def call(x):
        return imported.predict({"features": x}, num_threads=1)
    call.takes = numpy.float32
    return call


LIBRARIES = {"mere": by_mere, "scikit-learn": by_sklearn, "onnxruntime": by_onnxruntime, "treelite": by_treelite,
             "tl2cgen": by_tl2cgen, "scikit-learn-intelex": by_intelex, "ydf": by_ydf}


def versions():
    from importlib import metadata
    found = {}
    for name in ("scikit-learn", "numpy", "onnxruntime", "skl2onnx", "treelite", "tl2cgen", "lleaves",
                 "scikit-learn-intelex", "ydf"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def held_out(rows):
    """Rows that no model saw."""
    from sklearn.datasets import make_classification
    x, _ = make_classification(n_samples=20000, n_features=40, n_informative=20, n_classes=10, n_clusters_per_class=2,
                               random_state=0)
    return numpy.ascontiguousarray(x[10000:10000 + rows])


def compare(expected, given, own_model):
    """(largest difference, classes that differ) of answers, of which a vector is one of classes."""
    given = numpy.asarray(given, dtype=float).reshape(len(expected), -1)
    expected = numpy.asarray(expected, dtype=float).reshape(len(expected), -1)
    if given.shape != expected.shape:
        raise Absent(f"gives {given.shape[1]} numbers a row, scikit-learn {expected.shape[1]}")
    if expected.shape[1] == 1:
        different = int((given != expected).sum())
        return float(different > 0), different
    worst = float(numpy.abs(given - expected).max())
    # Where one tree of a thousand takes float32 for a threshold, as treelite's do, answers change by a thousandth.
    if worst > 5e-3 and not own_model:
        raise Absent(f"differs from scikit-learn by {worst:.2g}: it is no fair peer")
    return worst, int((given.argmax(1) != expected.argmax(1)).sum())


def timed(calls, rounds):
    """{name: (median of one row, of a row among all) in microseconds}, in rounds of all."""
    one, many = {name: [] for name in calls}, {name: [] for name in calls}
    for number in range(rounds):
        for name, (call, x) in calls.items():
            start = time.thread_time()
            call(x)
            many[name].append((time.thread_time() - start) / len(x) * 1e6)
            end = time.perf_counter() + 0.1
            while time.perf_counter() < end or not one[name]:
                row = x[len(one[name]) * 7919 % len(x)][None]
                start = time.perf_counter()
                call(row)
                one[name].append((time.perf_counter() - start) * 1e6)
    return {name: (statistics.median(one[name]), statistics.median(many[name])) for name in calls}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library")
    parser.add_argument("command")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=10000)
    options = parser.parse_intermixed_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    found = versions()
    print("# " + ", ".join(f"{name} {version or 'is absent'}" for name, version in found.items()))
    print("# lleaves takes LightGBM's models alone, and so none of these")
    print(f"{'# model':8} {'library':22} {'1 row us':>10} {'of ' + str(options.rows):>10}  {'differs by':>10}  classes")
    x, results = held_out(options.rows), []
    for name in options.names or MODELS:
        model, path = fitted(name, options.folder)
        expected, calls, equal = None, {}, {}
        for library, make in [("scikit-learn", by_sklearn), *LIBRARIES.items()]:
            if library in calls:
                continue
            try:
                call = make(model, path, options)
                rows = x.astype(getattr(call, "takes", numpy.float64))
                answers = call(rows)
                expected = answers if expected is None else expected
                equal[library] = compare(expected, answers, hasattr(call, "own_model"))
                calls[library] = (call, rows)
            except Exception as problem:
                words = str(problem).strip().split("\n")[0] or type(problem).__name__
                print(f"{name:8} {library:22} SKIPPED: {words[:90]}", flush=True)
                results.append({"model": name, "library": library, "skipped": words})
        for library, (one, many) in timed(calls, options.rounds).items():
            worst, classes = equal[library]
            own = ", a model of its own" if hasattr(calls[library][0], "own_model") else ""
            print(f"{name:8} {library:22} {one:10.2f} {many:10.3f}  {worst:10.2g}  {classes} differ{own}", flush=True)
            results.append({"model": name, "library": library, "us_one_row": one, "us_per_row": many,
                            "largest_difference": worst, "classes_that_differ": classes, "own_model": bool(own)})
    if options.json:
        all_of_it = {"versions": found, "rows": options.rows, "results": results}
        pathlib.Path(options.json).write_text(json.dumps(all_of_it, indent=1) + "\n")


if __name__ == "__main__":
    main()
