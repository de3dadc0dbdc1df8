"""Writes the corpora of fuzz_pickle, fuzz_joblib, fuzz_npy and fuzz_zip beside this file: small objects made here, saved by
the real libraries (Debian 12's joblib 1.2.0 and numpy 1.24.2)."""

import collections
import io
import os
import pickle

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
write("pickle", "old.pkl", b"(S'a'\nI1\nL2L\nF1.5\nV\\u00e9\nlp0\n0(im\nC\n(cm\nC\nI1\no\x86.".replace(b"\x86", b"t"))
write("pickle", "setter.pkl", b"\x80\x04cm\nC\n)R\x94cm\nset\nh\x00}\x86R0.")
for codec in ("zlib", "gzip", "lz4"):
    write("joblib", codec, saved(lambda out: joblib.dump({"a": arrays["c"], "o": arrays["o"]}, out, compress=(codec, 3))))
write("joblib", "bz2", b"BZh9")
for name in ("c", "f", "r", "t"):
    write("npy", name + ".npy", saved(lambda out: np.save(out, arrays[name])))
write("npy", "v2.npy", saved(lambda out: np.lib.format.write_array(out, arrays["f"], (2, 0))))
write("npy", "v3.npy", saved(lambda out: np.lib.format.write_array(out, np.zeros(1, [("é", "i4")]), (3, 0))))
write("zip", "stored.npz", saved(lambda out: np.savez(out, a=arrays["c"], b=arrays["f"])))
write("zip", "deflated.npz", saved(lambda out: np.savez_compressed(out, a=arrays["c"])))
write("zip", "empty.npz", saved(lambda out: np.savez(out)))
