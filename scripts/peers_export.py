"""What mere export writes, loaded by the newest pickle, joblib, skops and safetensors at hand; part of peers.py."""
import collections
import datetime
import functools
import operator
import pathlib
import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import scipy.sparse

try:
    import skops.io
except ImportError:
    skops = None
try:
    import ml_dtypes
    import safetensors.numpy
except ImportError:
    safetensors = None

ESTIMATORS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "exporters" / "estimators.py"
# On no shipped list, because they call what they are given, or because only these objects have them.
TRUSTED = """collections.OrderedDict collections.defaultdict collections.Counter functools.partial operator.itemgetter
    datetime.timedelta numpy.sum builtins.list builtins.int numpy.matrix numpy.ma.MaskedArray
    numpy.ma.core._mareconstruct
    numpy.random._pickle.__generator_ctor numpy.random._pickle.__bit_generator_ctor numpy.random._pcg64.PCG64
    numpy.random.bit_generator.__pyx_unpickle_SeedSequence numpy.random.bit_generator.SeedSequence
    scipy.sparse._coo.coo_array ml_dtypes.bfloat16""".split()


def make_objects():
    """One of each kind that skops has a loader for."""
    shared = [1, 2]
    generator = np.random.default_rng(5)
    generator.random(3)
    return {
        "list": [1, 2.5, None, True, "x\u00fc\U0001f333"], "tuple": (1, 2), "set": {1, 2}, "frozenset": frozenset({1}),
        "range": range(3), "dict": {1: 2, "b": {}, 2.5: 1}, "numpy_keys": {np.int64(3): 1}, "bytes": b"ab",
        "bytearray": bytearray(b"x"), "slice": slice(1, None, 2),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "objects": np.array([1, "a", None], dtype=object), "table": np.array([[1, "a"], [None, 2]], dtype=object),
        "scalar": np.float32(1.5), "dtype": np.dtype("f8"), "type": int, "ufunc": np.sqrt,
        "ordered": collections.OrderedDict(a=1), "default": collections.defaultdict(list, a=[1]),
        "counter": collections.Counter("aab"), "partial": functools.partial(np.sum, axis=0),
        "item": operator.itemgetter(1), "generator": generator, "state": np.random.RandomState(5),
        "masked": np.ma.masked_array([1.0, 2.0], [True, False]),
        "csr": scipy.sparse.csr_matrix(np.eye(3)), "coo": scipy.sparse.coo_array(np.eye(2)), "infinity": float("inf"),
        "nan": float("nan"), "big": 10 ** 30, "delta": datetime.timedelta(1), "shared": shared, "again": shared,
        "matrix": np.matrix([[1, 2]]),
    }


def same(key, found, want):
    if key == "generator":
        return found.bit_generator.state == want.bit_generator.state
    if key == "state":
        return repr(found.get_state()) == repr(want.get_state())
    if key in ("csr", "coo"):
        return type(found) is type(want) and (found.toarray() == want.toarray()).all()
    return type(found) is type(want) and repr(found) == repr(want)


def load_skops(path):
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def load_pickle(path):
    return pickle.loads(path.read_bytes())


def check_exports(command, folder):
    """Prints a line a check; returns how many passed and failed."""
    results = []

    def mere(*words):
        done = subprocess.run([command, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mere {words[0]}: exit status {done.returncode}: {done.stderr.strip()[-300:]}")

    def check(what, function):
        try:
            problem = function()
        except Exception as error:  # whatever went wrong, the check failed and the next one runs
            problem = f"{type(error).__name__}: {error}"
        results.append(not problem)
        print(f"{'FAILED' if problem else 'ok    '} {what}" + (f"\n    {problem}" if problem else ""), flush=True)

    trust = [word for name in TRUSTED for word in ("--trust", name)]
    want, source = make_objects(), folder / "objects.mere"

    def check_objects(ending, load):
        out = folder / f"objects{ending}"
        mere("export", "-q", *trust, source, out)
        found = load(out)
        wrong = [key for key in want if not same(key, found[key], want[key])]
        return f"differ: {wrong}" if wrong or found["shared"] is not found["again"] else None

    def convert_objects():
        (folder / "objects.pkl").write_bytes(pickle.dumps(want, protocol=5))
        mere("convert", "-q", *trust, folder / "objects.pkl", source)

    check("export: objects of every kind convert", convert_objects)
    loads = {".pickle": load_pickle, ".joblib": joblib.load}
    if skops:
        loads[".skops"] = load_skops
    else:
        print("SKIPPED export, skops: the package is not installed")
    for ending, load in loads.items():
        check(f"export: objects of every kind load from {ending}", lambda: check_objects(ending, load))

    def check_tensors():
        arrays = {"a": np.arange(3, dtype="f4"), "b": np.arange(4), "c": np.ones((2, 2)), "z": np.zeros((0, 2), "f2"),
                  "half": np.arange(3).astype(ml_dtypes.bfloat16)}
        theirs, ours, plain = folder / "theirs.safetensors", folder / "ours.safetensors", folder / "tensors.pickle"
        safetensors.numpy.save_file(arrays, theirs, metadata={"key": "value"})
        mere("export", "-q", theirs, ours)
        mere("export", "-q", *trust, ours, plain)
        found = load_pickle(plain)
        if any(found[k].dtype != a.dtype or found[k].tobytes() != a.tobytes() for k, a in arrays.items()):
            return "arrays differ"
        return None if theirs.read_bytes() == ours.read_bytes() else "not the bytes that the library writes"

    if safetensors:
        check("export: a safetensors file is the library's own, byte for byte", check_tensors)
    else:
        print("SKIPPED export, safetensors: safetensors or ml_dtypes is not installed")
    done = subprocess.run([sys.executable, str(ESTIMATORS), command, "--formats", "pkl2,pkl5,joblib,joblib.lz4,skops"],
                          capture_output=True, text=True)
    for line in done.stdout.splitlines():
        if line.startswith(("ok", "not ok")):
            results.append(line.startswith("ok"))
            print(("ok     " if line.startswith("ok") else "FAILED ") + line.split(" - ", 1)[-1])
        elif line.startswith("#"):
            print(f"    {line[1:].strip()}")
    if done.returncode not in (0, 1):
        results.append(False)
        print(f"FAILED {ESTIMATORS.name}: exit status {done.returncode}: {done.stderr[-300:]}")
    return sum(results), len(results) - sum(results)


warnings.simplefilter("ignore")
