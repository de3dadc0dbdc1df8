"""Writes this folder: one value, saved by old and new releases of joblib themselves, in every way each of them has.

    python3 make.py RELEASES

RELEASES is a folder with one folder per release, as pip install --no-deps --no-compile --target RELEASES/0.8.4 joblib==0.8.4
makes it. joblib is plain Python: its numpy_pickle is run from there, under this Python, with what later Pythons and
NumPys lack put back. Written with Python 3.11, NumPy 1.24.2 and lz4 4.0.2 of Debian 12.

index.txt says for each file: release, way, and the first file with the same bytes, which stands for it. expected.txt says
what is in each of them: path, then an array's type, shape and CRC-32 of its bytes in C order, or a value.
"""
import collections
import collections.abc
import hashlib
import inspect
import os
import subprocess
import sys
import types
import warnings
import zlib

RELEASES = ["0.8.4", "0.9.2", "0.9.4", "0.10.0", "0.10.3", "0.11", "0.12.5", "0.13.2", "0.14.1", "0.16.0", "0.17.0", "1.0.1",
            "1.1.1", "1.2.0", "1.3.2", "1.4.2", "1.5.3"]
HERE = os.path.dirname(os.path.abspath(__file__))


def value(np):
    nested = np.empty((2, 2), dtype=object)
    nested[0, 0] = 1
    nested[0, 1] = "abc"
    nested[1, 0] = {"a": 1, "b": np.arange(3, dtype="<u2")}
    nested[1, 1] = [None, 2.5, np.array(["x", None], dtype=object)]
    record = np.zeros(3, dtype=[("left", "<i8"), ("threshold", "<f8"), ("flag", "u1"), ("name", "S3"), ("pair", "<f4", (2,))])
    record["left"] = [1, -1, 7]
    record["threshold"] = [0.5, -2.0, 1e300]
    record["flag"] = [1, 0, 255]
    record["name"] = [b"a", b"bcd", b""]
    record["pair"] = np.arange(6, dtype="<f4").reshape(3, 2)
    return [
        np.arange(5, dtype="<i8"),
        np.asfortranarray(np.arange(12, dtype="<f8").reshape(3, 4)),
        record,
        np.array([1.5, -2.25, 3e38], dtype=">f4"),
        nested,
        np.array(7.25),
        np.zeros((0, 3), dtype="<f4"),
        np.matrix([[1, 2, 3], [4, 5, 6]], dtype="<i8"),
        bytes(range(256)),
        "C'est l'\xe9t\xe9 ! \u4f60\u597d",
        np.float64(0.1),
        np.array([True, False, True]),
        np.array([1 + 2j, -0.5j]),
        np.array(["2001-02-03", "NaT", "1969-12-31"], dtype="datetime64[D]"),
        np.array(["a", "\xe9\u4f60"], dtype="<U2"),
        np.arange(24, dtype=">i2").reshape(2, 3, 4).transpose(2, 1, 0).copy(order="F"),
        np.array([b"a", b"bc"], dtype="S2"),
        np.array([1, 2, 3], dtype="timedelta64[ns]"),
        {"key": np.arange(3, dtype="<i4"), "none": None},
        3.5, 2 ** 70, True,
    ]


def describe(found, np, path=""):
    """A line for each leaf, from the live value."""
    if isinstance(found, np.ndarray) and found.dtype != object:
        plain = np.asarray(found)
        type_text = str(found.dtype) if found.dtype.names else found.dtype.str
        shape = ",".join(str(n) for n in found.shape)
        inner = path + "@state[4]" if isinstance(found, np.matrix) else path
        yield f"{inner}\tarray\t{type_text}\t{shape}\t{zlib.crc32(plain.tobytes('C')):08x}"
    elif isinstance(found, (list, np.ndarray)):
        for i, item in enumerate(found.ravel() if isinstance(found, np.ndarray) else found):
            yield from describe(item, np, f"{path}[{i}]")
    elif isinstance(found, dict):
        for key, item in found.items():
            yield from describe(item, np, f'{path}["{key}"]')
    elif isinstance(found, np.generic):
        yield f"{path}\tscalar\t{found.dtype.str}\t{found.tobytes().hex()}"
    elif isinstance(found, bytes):
        yield f"{path}\tbytes\t{found.hex()}"
    elif isinstance(found, str):
        yield f"{path}\tstr\t{found.encode().hex()}"
    else:
        yield f"{path}\t{found!r}"


def ways(release):
    number = tuple(int(part) for part in release.split("."))
    if number < (0, 10):
        return {"raw": {}, "zf": {"compress": 3}, "zfcache": {"compress": 3, "cache_size": 0}}
    found = {"raw": {}}
    for codec in ("zlib", "gzip", "bz2", "lzma", "xz"):
        found[codec] = {"compress": (codec, 3)}
    if number >= (0, 12, 5):
        found["lz4"] = {"compress": ("lz4", 3)}
    if number >= (1, 0):
        found["p5"] = {"protocol": 5}
    return found


def save(release, folder):
    """In a process of its own: the release is found first in sys.path."""
    import numpy as np
    for name in ("Sized", "Iterable", "Mapping", "Callable", "Sequence", "MutableMapping", "Hashable"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    if not hasattr(inspect, "getargspec"):
        inspect.getargspec = inspect.getfullargspec
    warnings.simplefilter("ignore")
    for name in ("bool", "int", "float", "object"):
        if not hasattr(np, name):
            setattr(np, name, __builtins__.__dict__[name] if hasattr(__builtins__, "__dict__") else __builtins__[name])
    # Without running joblib/__init__.py, whose other parts ask for more of an old Python.
    package = types.ModuleType("joblib")
    package.__path__ = [os.path.join(sys.argv[3], "joblib")]
    package.__version__ = release
    sys.modules["joblib"] = package
    import joblib.numpy_pickle as numpy_pickle
    for way, options in ways(release).items():
        path = os.path.join(folder, way)
        numpy_pickle.dump(value(np), path, **options)
    print(np.__version__)


def main(releases):
    seen, lines = {}, []
    for release in RELEASES:
        folder = os.path.join(HERE, release)
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
        else:
            os.mkdir(folder)
        place = os.path.join(releases, release)
        done = subprocess.run([sys.executable, __file__, "--save", release, place, folder], capture_output=True, text=True,
                              cwd=place)
        if done.returncode != 0:
            sys.exit(f"{release}: {done.stderr}")
        for way, options in ways(release).items():
            path = os.path.join(folder, way)
            with open(path, "rb") as file:
                content = file.read()
            companions = [name for name in os.listdir(folder) if name.startswith(way + "_")]
            key = hashlib.sha256(content).digest() if not companions else os.urandom(8)
            first = seen.setdefault(key, f"{release}/{way}")
            if first != f"{release}/{way}":
                os.unlink(path)
            lines.append(f"{release}\t{way}\t{first}\n")
        if not os.listdir(folder):
            os.rmdir(folder)
    with open(os.path.join(HERE, "index.txt"), "w") as out:
        out.writelines(lines)
    import numpy as np
    with open(os.path.join(HERE, "expected.txt"), "w") as out:
        out.writelines(line + "\n" for line in describe(value(np), np))


if len(sys.argv) > 1 and sys.argv[1] == "--save":
    save(sys.argv[2], sys.argv[4])
elif len(sys.argv) == 2:
    main(sys.argv[1])
else:
    sys.exit(__doc__)
