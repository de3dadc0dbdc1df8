"""Writes the files of this folder with the safetensors library, without torch. One environment a release, Python 3.11:

    pip install safetensors==0.9.0rc1 ml_dtypes==0.6.0 numpy==2.2.6    writes all.safetensors, numpy.safetensors
    pip install safetensors==0.3.0 numpy==1.24.4                       writes old.safetensors
    python make.py

expected.txt has a line for each tensor: file, name, type as NumPy or ml_dtypes call it, shape, CRC-32 of its bytes.
"""

import os
import zlib

import numpy as np
import safetensors
import safetensors.numpy

HERE = os.path.dirname(os.path.abspath(__file__))
lines = []


def expect(file, tensors):
    for name, (dtype, shape, data) in tensors.items():
        lines.append(f"{file}\t{name}\t{dtype}\t{','.join(map(str, shape))}\t{zlib.crc32(data):08x}")


def of_numpy(arrays):
    return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}


values = np.arange(6).reshape(2, 3)
words = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
arrays = {word: values.astype(word) for word in words}
arrays["scalar"] = np.array(1.5)
arrays["empty"] = np.zeros((0, 3), np.float32)
arrays["name \u00e9 \"x\"\n"] = np.ones(1, np.int8)

if safetensors.__version__.startswith("0.3"):
    safetensors.numpy.save_file(arrays, os.path.join(HERE, "old.safetensors"), {"made by": "0.3.0"})
    expect("old.safetensors", of_numpy(arrays))
else:
    arrays["c8"] = values.astype("c8")
    safetensors.numpy.save_file(arrays, os.path.join(HERE, "numpy.safetensors"), {"format": "np", "\u00e9": "\n"})
    expect("numpy.safetensors", of_numpy(arrays))
    import ml_dtypes

    rng = np.random.RandomState(0)
    small = {}
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"):
        array = rng.rand(3, 4).astype(getattr(ml_dtypes, name))
        small[name] = (name, array.shape, array.tobytes())
    small["float4_e2m1fn_x2"] = ("float4_e2m1fn_x2", (3, 4), bytes(range(12)))
    kept = {name: np.frombuffer(data, np.uint8) for name, (_, _, data) in small.items()}
    specs = {
        name: safetensors.TensorSpec(
            dtype=dtype, shape=list(shape), data_ptr=kept[name].ctypes.data, data_len=kept[name].size
        )
        for name, (dtype, shape, data) in small.items()
    }
    content = safetensors.serialize(specs)
    with open(os.path.join(HERE, "all.safetensors"), "wb") as f:
        f.write(content)
    expect("all.safetensors", small)

path = os.path.join(HERE, "expected.txt")
files = {line.split("\t")[0] for line in lines}
others = []
if os.path.exists(path):
    with open(path, encoding="utf-8") as f:
        others = [line for line in f.read().splitlines() if line.split("\t")[0] not in files]
with open(path, "w", encoding="utf-8") as f:
    f.write("\n".join(sorted(others) + [line.replace("\n", "\\n") for line in lines]) + "\n")
