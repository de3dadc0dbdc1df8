"""Writes the node and value arrays of a forest's first trees as plain files, for codec_bench.

    /usr/bin/python3 make_tree_arrays.py forest.joblib OUTPUT_FOLDER [TREES]

nodes.bin: records of all trees, one after the other; values.bin: rows of doubles, one a node;
offsets.bin: number of the first node of each tree, and of all nodes, as 64-bit integers.
The model is unpickled, which runs code of its choice: only for files of your own.
"""

import os
import sys

import joblib
import numpy as np


def main():
    source, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    states = [e.tree_.__getstate__() for e in joblib.load(source).estimators_[:count]]
    os.makedirs(folder, exist_ok=True)
    offsets = np.cumsum([0] + [len(s["nodes"]) for s in states]).astype("<i8")
    np.concatenate([s["nodes"] for s in states]).tofile(os.path.join(folder, "nodes.bin"))
    np.concatenate([s["values"] for s in states]).tofile(os.path.join(folder, "values.bin"))
    offsets.tofile(os.path.join(folder, "offsets.bin"))
    nodes = states[0]["nodes"].dtype
    row_bytes = states[0]["values"][0].nbytes
    print(f"{count} trees, {offsets[-1]} nodes of {nodes.itemsize} bytes, rows of {row_bytes} bytes")


if __name__ == "__main__":
    main()
