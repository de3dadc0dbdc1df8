"""mere export: what the original libraries load of it, and what is refused."""
import collections
import datetime
import decimal
import enum
import functools
import io
import json
import os
import pathlib
import pickle
import sys
import zipfile

import joblib
import numpy as np
import scipy.sparse

from command_case import case, main
from models import make_all, make_things

Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    red = 1
    green = "g"


class Slotted:
    __slots__ = ("a", "__dict__")


class Counted(dict):
    pass


OWN = [f"{__name__}.{name}" for name in ("Point", "Colour", "Colour.red", "Colour.green", "Slotted", "Counted")]


def trusting():
    # What tests make for themselves, and what no shipped list has.
    names = OWN + ["collections.deque", "collections.Counter", "fractions.Fraction", "uuid.UUID", "pathlib.PosixPath",
                   "pathlib.PurePosixPath", "functools.partial", "re._compile", "operator.itemgetter", "decimal.Decimal",
                   "datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone", "builtins.len",
                   "numpy.matrixlib.defmatrix.matrix", "numpy.ma.core._mareconstruct", "numpy.ma.core.MaskedArray",
                   "collections.OrderedDict", "collections.defaultdict", "builtins.list", "numpy.random._pickle.__generator_ctor",
                   "numpy.matrix", "numpy.sqrt", "builtins.int", "builtins.str", "builtins.float", "types.NoneType",
                   "numpy.core._multiarray_umath.sqrt", "numpy.random._pickle.__bit_generator_ctor", "datetime.time"]
    return [word for name in names for word in ("--trust", name)]


def make_objects():
    """Objects of other libraries, with one in two places and cycles."""
    shared = Slotted()
    shared.a, shared.b = [shared], np.arange(3)
    knot = []
    knot.append((knot, shared))
    counted = Counted(x=1)
    counted.note = "kept"
    return {
        "point": Point(1, "two"), "colour": Colour.red, "green": Colour.green, "slotted": shared, "again": shared,
        "knot": knot[0], "counted": counted, "none_type": type(None), "int_type": int, "length": len,
        "deque": collections.deque([1, 2], 5), "counter": collections.Counter("abca"), "default": collections.defaultdict(list, a=[1]),
        "ordered": collections.OrderedDict(b=1, a=2), "when": datetime.datetime(2026, 11, 21, 20, 46, 26, 250),
        "day": datetime.date(2026, 11, 21), "zone": datetime.timezone(datetime.timedelta(hours=1)),
        "price": decimal.Decimal("1.10"), "partial": functools.partial(int, base=2), "path": pathlib.PurePosixPath("/a/b"),
        "ufunc": np.sqrt, "matrix": np.matrix([[1, 2], [3, 4]]), "masked": np.ma.masked_array([1.0, 2.0], [True, False]),
        "random": np.random.RandomState(3), "csr": scipy.sparse.csr_matrix(np.eye(3)), "coo": scipy.sparse.coo_matrix(np.eye(2)),
        "method": collections.Counter("aab").most_common, "frozen": frozenset({(1, 2)}), "objects": np.array([{}, [1]], dtype=object),
    }


def check_objects(found, want, protocol):
    assert list(found) == list(want)
    assert found["point"] == want["point"] and type(found["point"]) is Point
    assert found["colour"] is Colour.red and found["green"] is Colour.green
    assert found["slotted"] is found["again"] and found["slotted"].a[0] is found["slotted"]
    assert found["knot"][0][0] is found["knot"] and found["knot"][1] is found["slotted"]
    assert found["counted"] == want["counted"] and found["counted"].note == "kept"
    assert found["none_type"] is type(None) and found["int_type"] is int and found["length"] is len
    assert found["deque"] == want["deque"] and found["deque"].maxlen == 5
    for key in "counter", "default", "ordered", "when", "day", "zone", "price", "path", "frozen":
        assert found[key] == want[key] and type(found[key]) is type(want[key]), key
    assert found["default"].default_factory is list
    assert found["partial"]("101") == 5 and found["ufunc"] is np.sqrt
    assert type(found["matrix"]) is np.matrix and (found["matrix"] == want["matrix"]).all()
    assert found["masked"].tolist() == [None, 2.0]
    assert found["random"].rand() == pickle.loads(pickle.dumps(want["random"])).rand()
    for key in "csr", "coo":
        assert type(found[key]) is type(want[key]) and (found[key].toarray() == want[key].toarray()).all()
    assert found["method"]() == [("a", 2), ("b", 1)]
    assert list(found["objects"]) == [{}, [1]]


def same_array(a, b, protocol):
    # numpy turns arrays of the other byte order when it reads protocols below 5, joblib its own too.
    assert protocol < 5 or a.dtype == b.dtype, (a.dtype, b.dtype)
    assert a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=") and a.shape == b.shape, (a, b)
    assert a.flags.f_contiguous == b.flags.f_contiguous or not b.flags.contiguous
    if a.dtype == object:
        assert list(a) == list(b)
    elif a.dtype.names:
        assert all(a[n].tobytes() == b[n].tobytes() for n in a.dtype.names)
    else:
        assert a.astype(b.dtype, copy=False).tobytes() == b.tobytes()


def check_things(found, protocol=5):
    want = make_things()
    assert list(found) == list(want)
    assert found["shared"] is found["again"] and found["cycle"][0] is found["cycle"]
    for key, b in want.items():
        a = found[key]
        assert type(a) is type(b) or isinstance(a, np.memmap), (key, a)
        if isinstance(b, np.ndarray):
            same_array(np.asarray(a), b, protocol)
        elif key != "cycle":
            assert repr(a) == repr(b), (key, a, b)


@case("export: something of every kind, by every pickle protocol, is what pickle.load finds, and converts to the same content")
def pickles(mere):
    make_all(mere)
    want = mere.good("info", "--json", mere.path("things.mere")).json["content_id"]
    for protocol in range(2, 6):
        out = mere.path(f"things{protocol}.pkl")
        done = mere.good("export", "--json", "--protocol", protocol, mere.path("things.mere"), out).json
        assert done["format"] == "pickle" and done["file_bytes"] == out.stat().st_size and done["arrays"] == 13, done
        check_things(pickle.loads(out.read_bytes()), protocol)
        mere.good("convert", out, mere.path("back.mere"))
        assert mere.good("info", "--json", mere.path("back.mere")).json["content_id"] == want, protocol
    assert pickle.loads(out.read_bytes())["large"].flags.writeable


@case("export: objects of many libraries, cycles and objects in two places come back by every protocol and in joblib files")
def objects(mere):
    want = make_objects()
    mere.path("objects.pkl").write_bytes(pickle.dumps(want, protocol=4))
    mere.good("convert", *trusting(), mere.path("objects.pkl"), mere.path("objects.mere"))
    for protocol in range(2, 6):
        mere.good("export", *trusting(), "--protocol", protocol, mere.path("objects.mere"), mere.path("o.pkl"))
        check_objects(pickle.loads(mere.path("o.pkl").read_bytes()), want, protocol)
    mere.good("export", *trusting(), mere.path("objects.mere"), mere.path("o.joblib"))
    check_objects(joblib.load(mere.path("o.joblib")), want, 4)


@case("export: joblib.load reads raw and compressed files, maps the raw ones, and finds one array in two places once")
def joblib_files(mere):
    make_all(mere)
    array = np.arange(1000.0)
    mere.path("twice.pkl").write_bytes(pickle.dumps([array, array, {"again": array}], protocol=4))
    mere.good("export", mere.path("twice.pkl"), mere.path("twice.joblib"))
    for mode in None, "r", "c":
        found = joblib.load(mere.path("twice.joblib"), mmap_mode=mode)
        assert found[0] is found[1] and found[2]["again"] is found[0] and (found[0] == array).all()
        assert isinstance(found[0], np.memmap) == (mode is not None)
    codecs = ["none", "zlib", "gzip", "xz", "bz2"]
    try:
        import lz4.frame  # noqa: F401
        codecs.append("lz4")
    except ImportError:
        pass  # joblib cannot read it here
    for codec in codecs:
        for level in ("1", "9") if codec != "none" else ("",):
            words = ["--compress", codec] + (["--level", level] if level else [])
            done = mere("export", *words, mere.path("things.mere"), mere.path("t.joblib"))
            if done.code == 6 and "does not write" in done.err:
                continue  # a build without that codec
            assert done.code == 0, done
            check_things(joblib.load(mere.path("t.joblib")), 4)


@case("export: models predict as before from joblib and pickle files, from .mere, compressed .mere and foreign files")
def models(mere):
    make_all(mere)
    before = joblib.load(mere.path("forest.joblib"))
    data = np.random.RandomState(1).rand(50, 64) * 16
    for source in "forest.mere", "forest-zlib.mere", "forest.joblib":
        for out in "f.joblib", "f.pkl":
            mere.good("export", mere.path(source), mere.path(out))
            found = joblib.load(mere.path(out))
            assert found.get_params() == before.get_params()
            np.testing.assert_array_equal(found.predict_proba(data), before.predict_proba(data))
    mere.good("export", "--path", "estimators_[3]", mere.path("forest.mere"), mere.path("tree.pkl"))
    tree = pickle.loads(mere.path("tree.pkl").read_bytes())
    np.testing.assert_array_equal(tree.predict(data), before.estimators_[3].predict(data))
    mere.good("export", "--path", "estimators_[3]", mere.path("forest.joblib"), mere.path("tree2.pkl"))
    assert mere.path("tree2.pkl").read_bytes() == mere.path("tree.pkl").read_bytes()


@case("export: .npy, .npz and .safetensors hold arrays; what they cannot hold is named by its path")
def arrays(mere):
    make_all(mere)
    mere.good("export", "--path", "fortran", mere.path("things.mere"), mere.path("a.npy"))
    found = np.load(mere.path("a.npy"))
    assert found.dtype == ">i4" and found.flags.f_contiguous and (found == make_things()["fortran"]).all()
    some = {"b": np.arange(3, dtype="<f4"), "a/c": np.ones((2, 2)), "half": np.array([1.5], dtype="<f2"), "flag": np.array([True]),
            "zero": np.zeros((0, 3), dtype="<i2"), "scalar": np.array(3, dtype="<u8"), "f": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    mere.path("some.pkl").write_bytes(pickle.dumps(some, protocol=5))
    for words in (), ("--compress", "zlib"):
        mere.good("export", *words, mere.path("some.pkl"), mere.path("some.npz"))
        with np.load(mere.path("some.npz")) as found:
            assert sorted(found.files) == sorted(some)
            for key, array in some.items():
                same_array(found[key], array, 5)
        with zipfile.ZipFile(mere.path("some.npz")) as archive:
            assert archive.testzip() is None
            assert {i.compress_type for i in archive.infolist()} == {8 if words else 0}
        mere.good("convert", mere.path("some.npz"), mere.path("some.mere"))
        assert mere("diff", "-q", mere.path("some.mere"), mere.path("some.mere")).code == 0
    mere.good("export", mere.path("some.pkl"), mere.path("some.safetensors"))
    raw = mere.path("some.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    assert header["half"]["dtype"] == "F16" and header["f"]["shape"] == [2, 3], header
    begin, end = header["f"]["data_offsets"]
    assert raw[8 + length + begin:8 + length + end] == some["f"].tobytes()
    mere.good("convert", mere.path("some.safetensors"), mere.path("s.mere"))
    for out in "x.npz", "x.npy", "x.safetensors":
        done = mere("export", "--json", mere.path("forest.mere"), mere.path(out))
        assert done.code == 6 and done.error["reason"] == "not_supported" and "RandomForestClassifier" in done.error["message"], done
        done = mere("export", "--json", mere.path("things.mere"), mere.path(out))
        assert done.code == 6 and ("none" in done.error["message"] or "root" in done.error["message"]), done
        assert not mere.path(out).exists()


@case("export: a skops file is a zip archive whose schema names every loader, and converts back to the same tree")
def skops_file(mere):
    make_all(mere)
    mere.good("export", mere.path("forest.mere"), mere.path("f.skops"))
    with zipfile.ZipFile(mere.path("f.skops")) as archive:
        assert archive.testzip() is None
        schema = json.loads(archive.read("schema.json"))
        assert schema["__class__"] == "RandomForestClassifier" and schema["protocol"] == 2 and schema["__loader__"] == "ObjectNode"
        nodes = schema["content"]["content"]["estimators_"]["content"][3]["content"]["content"]["tree_"]
        assert nodes["__loader__"] == "TreeNode"
        array = np.load(io.BytesIO(archive.read(nodes["content"]["content"]["nodes"]["file"])))
    assert (array == joblib.load(mere.path("forest.joblib")).estimators_[3].tree_.__getstate__()["nodes"]).all()
    mere.good("convert", mere.path("f.skops"), mere.path("f.mere"))
    done = mere("diff", "--json", "--ignore-sharing", mere.path("forest.mere"), mere.path("f.mere")).json
    assert all("random_state" in d["path"] for d in done["differences"]), done
    done = mere("export", "--json", mere.path("things.mere"), mere.path("t.skops"))
    assert done.code == 6 and done.error["reason"] == "not_supported", done
    assert not mere.path("t.skops").exists()


@case("export: to standard output and from standard input, the same bytes; the result is told on standard error")
def pipes(mere):
    make_all(mere)
    mere.good("export", mere.path("forest.mere"), mere.path("want.joblib"))
    want = mere.path("want.joblib").read_bytes()
    done = mere.good("export", "--json", "--to", "joblib", mere.path("forest.mere"), "-")
    assert done.bytes == want and json.loads(done.err)["file_bytes"] == len(want), done.err
    assert mere.good("export", "--to", "joblib", "-", "-", input=mere.path("forest.mere").read_bytes()).bytes == want


@case("export: a name that nobody vouches for is refused with exit 5, in a .mere too, before anything is written")
def untrusted(mere):
    mere.path("evil.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(mere.path("ran")).encode() + b"'\ntR.")
    mere.good("convert", "--trust", "os.system", mere.path("evil.pkl"), mere.path("evil.mere"))
    for source in "evil.pkl", "evil.mere":
        for out in "e.pkl", "e.joblib", "e.skops":
            done = mere("export", "--json", mere.path(source), mere.path(out))
            assert done.code == 5 and "os.system" in done.error["message"], done
            assert not mere.path(out).exists()
    mere.good("export", "--trust", "os.system", mere.path("evil.mere"), mere.path("e.pkl"))
    mere.path("names.txt").write_text("# vouched for\nos.system\n")
    mere.good("export", "--trust-file", mere.path("names.txt"), mere.path("evil.mere"), mere.path("f.pkl"))
    assert mere.path("e.pkl").read_bytes() == mere.path("f.pkl").read_bytes()
    done = mere("--json", "export", "--trust-file", mere.path("no.txt"), mere.path("evil.mere"), mere.path("g.pkl"))
    assert done.code == 3 and done.error["reason"] == "no_file" and not mere.path("g.pkl").exists(), done
    assert not mere.path("ran").exists()


@case("export: usage errors exit 2, no such file or path 3, a damaged file 4, and the old file stays whole")
def bad(mere):
    make_all(mere)
    mere.path("old.joblib").write_bytes(b"old")
    for words in (["x.unknown"], ["x.pkl", "--protocol", "1"], ["x.pkl", "--to", "onnx"], ["x.joblib", "--compress", "rar"],
                  ["x.joblib", "--level", "10"], ["-"]):
        done = mere("export", mere.path("forest.mere"), *words)
        assert done.code == 2, done
    for words in (["x.pkl", "--compress", "zlib"], ["x.npz", "--protocol", "4"], ["x.joblib", "--level", "3"]):
        done = mere("export", "--json", mere.path("forest.mere"), *words)
        assert done.code == 6 and done.error["reason"] == "bad_argument", done
    assert mere("export", mere.path("absent"), mere.path("old.joblib")).code == 3
    assert mere("export", "--path", "no.such", mere.path("forest.mere"), mere.path("old.joblib")).code == 3
    raw = bytearray(mere.path("forest.mere").read_bytes())
    raw[40000] ^= 1
    mere.path("damaged.mere").write_bytes(raw)
    assert mere("export", mere.path("damaged.mere"), mere.path("old.joblib")).code == 4
    assert mere.path("old.joblib").read_bytes() == b"old"
    assert not [name for name in os.listdir(mere.folder) if name.startswith(".")]


@case("export: memory stays small beside the map, whatever the size of an array")
def memory(mere):
    array = np.zeros(40_000_000)
    mere.path("large.pkl").write_bytes(pickle.dumps({"x": array}, protocol=5))
    mere.good("convert", "--durability", "none", mere.path("large.pkl"), mere.path("large.mere"))
    for out in "l.joblib", "l.pkl", "l.npz":
        process = mere.start("export", "-q", "--durability", "none", mere.path("large.mere"), mere.path(out))
        peak = 0
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("RssAnon")])
            except FileNotFoundError:
                break
        assert process.wait() == 0 and peak < 64 << 10, (out, peak)
    os.unlink(mere.path("large.pkl"))


if __name__ == "__main__":
    # Classes of this file are pickled by the name under which mere and pickle find them again.
    sys.modules.setdefault("export_test", sys.modules["__main__"])
    for _class in (Point, Colour, Slotted, Counted):
        _class.__module__ = "export_test"
    OWN[:] = [name.replace("__main__", "export_test") for name in OWN]
    main()
