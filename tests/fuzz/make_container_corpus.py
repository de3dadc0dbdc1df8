"""Writes the corpora of fuzz_skops and fuzz_safetensors, and some of fuzz_zip and fuzz_npy, beside this file: for each
loader and protocol of skops the smallest node that tests/data/skops has, with the names of members that the fuzz target
makes; headers of safetensors; arrays of objects."""

import glob
import io
import json
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
MEMBERS = {".npy": "a.npy", ".npz": "m.npz", ".bin": "x.bin"}


def write(folder, name, content):
    path = os.path.join(HERE, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(content)


def nodes(value):
    if isinstance(value, dict):
        if isinstance(value.get("__loader__"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def renamed(value):
    if isinstance(value, list):
        return [renamed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    value = {key: renamed(inner) for key, inner in value.items() if key not in ("protocol", "_skops_version")}
    if isinstance(value.get("file"), str):
        value["file"] = MEMBERS[os.path.splitext(value["file"])[1]]
        if value["__loader__"] == "NdArrayNode" and value["__class__"] != "ndarray":
            value["file"] = {"bool_": "b.npy", "bool": "b.npy", "float64": "s.npy"}.get(value["__class__"], "a.npy")
        if value["__loader__"] == "SparseMatrixNode":
            value["__class__"] = "csr_matrix"
    if isinstance(value.get("__id__"), int):
        value["__id__"] %= 1000000
    return value


smallest = {}
for path in sorted(glob.glob(os.path.join(HERE, "..", "data", "skops", "*", "*.skops"))):
    schema = json.loads(zipfile.ZipFile(path).read("schema.json"))
    for node in nodes(schema):
        root = {**renamed(node), "protocol": schema["protocol"], "_skops_version": "0"}
        text = json.dumps(root, separators=(",", ":"))
        key = f"{node['__loader__'].strip('_')}-{schema['protocol']}"
        if 100 < len(text) < len(smallest.get(key, " " * 4000)):
            smallest[key] = text
for key, text in smallest.items():
    write("skops", key + ".json", text.encode())
for name in ("defaultdict", "lzma"):
    with open(os.path.join(HERE, "..", "data", "skops", "0.16", name + ".skops"), "rb") as f:
        write("skops", name + ".zip", f.read())


def tensor(word, shape, begin, end):
    return {"dtype": word, "shape": shape, "data_offsets": [begin, end]}


header = {
    "__metadata__": {"format": "np"},
    "a": tensor("F32", [1, 2], 0, 8),
    "b": tensor("BF16", [], 8, 10),
    "c": tensor("F4", [2, 2], 10, 12),
}
text = json.dumps(header).encode()
write("safetensors", "whole", len(text).to_bytes(8, "little") + text + bytes(12))
write("safetensors", "header", text + bytes(12))
write("safetensors", "empty", (2).to_bytes(8, "little") + b"{}")
for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo("a.npy"), b"\x93NUMPY" + bytes(64), method)
    write("zip", name + ".npz", out.getvalue())
for folder, name in (("npy", "objects.npy"), ("npy", "hostile.npy"), ("npy", "records.npy"), ("zip", "mixed.npz")):
    with open(os.path.join(HERE, "..", "data", "npy", name), "rb") as f:
        write(folder, name, f.read())
