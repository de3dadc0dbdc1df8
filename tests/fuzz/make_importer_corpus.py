"""Writes the corpora of fuzz_pickle, fuzz_joblib, fuzz_npy and fuzz_zip beside this file: small objects made here, saved by
the real libraries (Debian 12's joblib 1.2.0 and numpy 1.24.2)."""

import collections
import datetime
import io
import lzma
import os
import pickle
import tempfile
import zlib

import joblib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def write(folder, name, content):
    path = os.path.join(HERE, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(content)


def saved(save):
    out = io.BytesIO()
    save(out)
    return out.getvalue()


record = np.zeros(2, [("a", "<i4"), ("b", ">f8", (2,)), (("t", "c"), "S3")])
ring = [1]
ring.append(ring)
kinds = [None, True, 5, 2**70, -1.5, "é", b"\xff", bytearray(b"x"), (1, ()), {1, "a"}, frozenset([2]), {"k": [1]}, slice(1, 2), range(3), ...,
         1j, collections.OrderedDict(a=1), ring, np.float32(1), np.dtype(">i4")]
arrays = {"c": np.arange(3), "f": np.asfortranarray(np.eye(2)), "o": np.array([1, None, "x"], object), "r": record, "z": np.array(1.5),
          "t": np.array(["2020"], "M8[D]"), "m": np.matrix([[1]])}
for protocol in range(6):
    write("pickle", f"kinds{protocol}.pkl", pickle.dumps(kinds, protocol))
    write("pickle", f"arrays{protocol}.pkl", pickle.dumps(arrays, protocol))
write("pickle", "arrays.joblib", saved(lambda out: joblib.dump(arrays, out)))
write("pickle", "old.pkl", b"((S'a'\nI1\nL2L\nF1.5\nV\\u00e9\nlp0\n0(im\nC\n(cm\nC\nI1\no\x86.".replace(b"\x86", b"t"))
write("pickle", "setter.pkl", b"\x80\x04cm\nC\n)R\x94cm\nset\nh\x00}\x86R0.")
masked = [np.ma.array([1, 2], mask=[0, 1]), np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), [].append, dict.fromkeys, type(None), np.exp,
          np.memmap(tempfile.TemporaryFile(), dtype="u1", mode="w+", shape=(2,)), datetime.date(2020, 1, 2), collections.deque([1], 2)]
for protocol in (0, 2, 5):
    write("pickle", f"known{protocol}.pkl", pickle.dumps(masked, protocol))
# As cloudpickle before and after 1.3 writes a function, with itself in its globals; a class by value and an instance of it.
CODE = b"ctypes\nCodeType\n(I0\nC\x01x)X\x04\0\0\0a.pyX\x01\0\0\0fI7\ntR"
MODULE = b"ccloudpickle.cloudpickle\n"
write("pickle", "function_old.pkl", b"\x80\x02(" + MODULE + b"_fill_function\n(" + MODULE + b"_make_skel_func\n(" + CODE + b"I0\n}tRq\x01}X\x01\0\0\0fh\x01stRh\x01t.")
write("pickle", "function_new.pkl", b"\x80\x05" + MODULE + b"_make_function\n(" + CODE + b"}NNNtR\x94" + MODULE + b"_function_setstate\nh\0}}X\x08\0\0\0__name__X\x01\0\0\0fs\x86\x86R0.")
write("pickle", "class.pkl", b"\x80\x05" + MODULE + b"_make_skeleton_class\n(cbuiltins\ntype\nX\x01\0\0\0C)}NNtR\x94" + MODULE + b"_class_setstate\nh\0}N\x86\x86R0)\x81}b.")
write("pickle", "cells.pkl", b"\x80\x04(" + MODULE + b"_make_cell\n]\x94h\0a\x85R\x94h\x01h\x01)Rt.")
small = saved(lambda out: joblib.dump({"a": arrays["c"], "o": arrays["o"]}, out))
for codec in ("zlib", "gzip", "bz2", "lz4"):
    write("joblib", codec, saved(lambda out: joblib.dump({"a": arrays["c"], "o": arrays["o"]}, out, compress=(codec, 3))))
# With dictionaries of 64 KiB, so that a decoder need not make room for more.
filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
write("joblib", "xz", lzma.compress(small, lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters))
filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
write("joblib", "lzma", lzma.compress(small, lzma.FORMAT_ALONE, filters=filters))
# As joblib before 0.10 did.
write("joblib", "zf", b"ZF" + hex(len(small)).encode().ljust(19) + zlib.compress(small, 3))
wrapper = (b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(X\x08\0\0\0filenameX\x08\0\0\0x_01.npyX\x08\0\0\0subclass"
           b"cnumpy\nndarray\nub.")
write("joblib", "zf_companion", b"ZF" + hex(len(wrapper)).encode().ljust(20) + zlib.compress(wrapper, 3))
for name in ("c", "f", "r", "t"):
    write("npy", name + ".npy", saved(lambda out: np.save(out, arrays[name])))
write("npy", "v2.npy", saved(lambda out: np.lib.format.write_array(out, arrays["f"], (2, 0))))
write("npy", "v3.npy", saved(lambda out: np.lib.format.write_array(out, np.zeros(1, [("é", "i4")]), (3, 0))))
write("zip", "stored.npz", saved(lambda out: np.savez(out, a=arrays["c"], b=arrays["f"])))
write("zip", "deflated.npz", saved(lambda out: np.savez_compressed(out, a=arrays["c"])))
write("zip", "empty.npz", saved(lambda out: np.savez(out)))
