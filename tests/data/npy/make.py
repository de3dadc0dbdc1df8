"""Writes the files of this folder. Run with numpy==2.2.6 and ml_dtypes==0.6.0:

    python make.py
"""

import os
import warnings

import ml_dtypes
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


class Hostile:
    """Its pickle asks for a call; it is only written here."""

    def __reduce__(self):
        return os.system, ("true",)


def path(name):
    return os.path.join(HERE, name)


warnings.simplefilter("ignore")
objects = np.array([1, "x", None, [2.5]], object)
grid = np.array([[1, "x"], [None, objects]], object)
np.save(path("objects.npy"), objects, allow_pickle=True)
np.save(path("grid.npy"), np.asfortranarray(grid), allow_pickle=True)
np.save(path("hostile.npy"), np.array([Hostile()], object), allow_pickle=True)
np.save(path("object_records.npy"), np.array([(1, "x")], [("a", "i4"), ("b", object)]), allow_pickle=True)
np.savez(path("mixed.npz"), numbers=np.arange(3), objects=objects)
np.savez_compressed(path("mixed_deflated.npz"), objects=grid, numbers=np.arange(3))
np.save(path("bfloat16.npy"), np.arange(3).astype(ml_dtypes.bfloat16))
np.save(path("float8_e5m2.npy"), np.arange(3).astype(ml_dtypes.float8_e5m2))
np.save(path("float8_e4m3fn.npy"), np.arange(3).astype(ml_dtypes.float8_e4m3fn))
inner = np.dtype([("x", ">i2"), ("y", "<f4", (2, 2))])
outer = {"names": ["a", "t", "s"], "formats": [inner, "<M8[25s]", "<U2"], "offsets": [4, 24, 32], "itemsize": 48}
records = np.zeros(2, np.dtype(outer))
records["a"]["x"] = [1, -2]
records["a"]["y"] = 0.5
records["t"] = 100
records["s"] = "\u00e9"
np.save(path("records.npy"), records)
np.save(path("big_endian.npy"), np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)))
np.save(path("times.npy"), np.array(["2020-01-01T00:00:01", "NaT"], ">M8[s]"))
