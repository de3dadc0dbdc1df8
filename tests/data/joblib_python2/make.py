# -*- coding: utf-8 -*-
"""Writes this folder: one value, saved under Python 2 itself by a joblib of the time, in every way that release has.

    python2.7 make.py RELEASES

RELEASES is a folder with one folder per release, as python2.7 -m pip install --target RELEASES/0.9.4 numpy==1.16.6
joblib==0.9.4 makes it. Written with Python 2.7.18 and NumPy 1.16.6, the last of them that know each other.

expected.txt says what is in each file: path, then an array's type, shape and CRC-32 of its bytes in C order, or a
value. A str of Python 2 is text if it is ASCII, else bytes (docs/importers.md).
"""
import os
import subprocess
import sys
import zlib

RELEASES = ["0.9.4", "0.14.1"]
HERE = os.path.dirname(os.path.abspath(__file__))


def value(np):
    nested = np.empty((2, 2), dtype=object)
    nested[0, 0] = 1
    nested[0, 1] = "abc"
    nested[1, 0] = {"a": 1, u"b": np.arange(3, dtype="<u2")}
    nested[1, 1] = [None, 2.5, np.array(["x", None], dtype=object)]
    record = np.zeros(3, dtype=[("left", "<i8"), ("threshold", "<f8"), ("flag", "u1"), ("name", "S3")])
    record["left"] = [1, -1, 7]
    record["threshold"] = [0.5, -2.0, 1e300]
    record["flag"] = [1, 0, 255]
    record["name"] = ["a", "bcd", ""]
    shared = np.arange(4, dtype="<i4")
    return [
        np.arange(5, dtype="<i8"),
        np.asfortranarray(np.arange(12, dtype="<f8").reshape(3, 4)),
        record,
        np.array([1.5, -2.25, 3e38], dtype=">f4"),
        nested,
        np.array(7.25),
        np.zeros((0, 3), dtype="<f4"),
        np.matrix([[1, 2, 3], [4, 5, 6]], dtype="<i8"),
        "plain", "l'\xc3\xa9t\xc3\xa9", "\x00\xff", u"l'\xe9t\xe9 \u4f60 \U0001f600", "",
        np.float64(0.1), np.int64(-3),
        np.array([True, False, True]),
        np.array([1 + 2j, -0.5j]),
        np.array(["2001-02-03", "NaT"], dtype="datetime64[D]"),
        np.array([u"a", u"\xe9\u4f60"], dtype="<U2"),
        np.array(["a", "bc"], dtype="S2"),
        {"key": shared, u"again": shared, "none": None},
        3.5, 5, 5 * 2 ** 60 // 2 ** 60, 2 ** 40, -2 ** 70, True, (1, (2, "x")),
    ]


def describe(found, np, path=""):
    """A line for each leaf, from the live value."""
    if isinstance(found, np.ndarray) and found.dtype != object:
        type_text = str(found.dtype) if found.dtype.names else found.dtype.str
        inner = path + "@state[4]" if isinstance(found, np.matrix) else path
        shape = ",".join(str(n) for n in found.shape)
        sum_text = "%08x" % (zlib.crc32(np.asarray(found).tobytes("C")) & 0xffffffff)
        yield "\t".join([inner, "array", type_text, shape, sum_text])
    elif isinstance(found, (list, tuple, np.ndarray)):
        for i, item in enumerate(found.ravel() if isinstance(found, np.ndarray) else found):
            for line in describe(item, np, "%s[%d]" % (path, i)):
                yield line
    elif isinstance(found, dict):
        for key, item in found.items():
            for line in describe(item, np, '%s["%s"]' % (path, str(key))):
                yield line
    elif isinstance(found, np.generic):
        yield "%s\tscalar\t%s\t%s" % (path, found.dtype.str, found.tobytes().encode("hex"))
    elif isinstance(found, unicode):  # noqa: F821
        yield "%s\tstr\t%s" % (path, found.encode("utf-8").encode("hex"))
    elif isinstance(found, str):
        kind = "str" if all(ord(c) < 128 for c in found) else "bytes"
        yield "%s\t%s\t%s" % (path, kind, found.encode("hex"))
    elif isinstance(found, long) and not isinstance(found, bool):  # noqa: F821
        yield "%s\t%d" % (path, found)
    else:
        yield "%s\t%r" % (path, found)


def ways(release):
    if release.startswith("0.9"):
        return {"raw": {}, "zf": {"compress": 3}, "zfcache": {"compress": 3, "cache_size": 0}}
    return {"raw": {}, "zlib": {"compress": 3}, "gzip": {"compress": ("gzip", 3)}, "bz2": {"compress": ("bz2", 3)},
            "p0": {"protocol": 0}, "p1": {"protocol": 1}}


def save(folder, release):
    import joblib
    import numpy as np
    assert joblib.__version__ == release and sys.version_info[0] == 2
    if not os.path.isdir(folder):
        os.mkdir(folder)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    for way, options in ways(release).items():
        joblib.dump(value(np), os.path.join(folder, way), **options)
    with open(os.path.join(HERE, "expected.txt"), "wb") as out:
        out.writelines(line + "\n" for line in describe(value(np), np))


if len(sys.argv) == 3 and sys.argv[1] in RELEASES:
    save(os.path.join(HERE, sys.argv[1]), sys.argv[1])
elif len(sys.argv) == 2:
    for each in RELEASES:
        place = os.path.join(os.path.abspath(sys.argv[1]), each)
        subprocess.check_call([sys.executable, "-B", __file__, each, HERE], env=dict(os.environ, PYTHONPATH=place))
else:
    sys.exit(__doc__)
